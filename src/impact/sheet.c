/* SPDX-License-Identifier: Apache-2.0 */
/* sheet: read as a stream, a row at a time; what a row may hold is bounded by SHEET_CELL_BYTES_MAX a cell and by
 * CSV_COLUMNS_MAX cells. */
#include "impact/sheet.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "base/limits.h"
#include "source/source.h"

struct sheet {
	struct source *source;
	const char *path;
	const char *const *names;
	uint64_t tables;
	bool has_stream;
	char *in;
	size_t have, at;
	bool ended;
	char delimiter;
	unsigned column_of[CSV_COLUMNS_MAX]; /* + 1; 0 = none of ours */
	bool present[SHEET_COLUMNS];
	unsigned count;
	struct buf cells[SHEET_COLUMNS];
	struct buf cell, recoded;
	uint64_t rows, bad;
	char error[256];
};

static int peek(struct sheet *s)
{
	if (s->at == s->have && !s->ended) {
		enum source_status status = source_read(s->source, s->in, READ_CHUNK_BYTES, &s->have);
		s->at = 0;
		if (status == SOURCE_BROKEN)
			snprintf(s->error, sizeof(s->error), "%s", source_error(s->source));
		s->ended = status != SOURCE_OK;
		if (s->ended && status == SOURCE_BROKEN)
			s->have = 0;
	}
	return s->at < s->have ? (unsigned char)s->in[s->at] : -1;
}

static int take(struct sheet *s)
{
	const int c = peek(s);

	s->at += c >= 0;
	return c;
}

/* One cell into s->cell.  Returns what ended it: the delimiter, '\n', or -1. */
static int read_cell(struct sheet *s, bool *ret_bad)
{
	int c = peek(s);

	buf_clear(&s->cell);
	if (c == '"') {
		take(s);
		while ((c = take(s)) >= 0) {
			if (c == '"' && peek(s) != '"')
				break;
			if (c == '"')
				take(s);
			buf_add_char(&s->cell, (char)c);
		}
		if (c < 0)
			*ret_bad = true;
	}
	while ((c = take(s)) >= 0 && c != '\n' && c != s->delimiter)
		buf_add_char(&s->cell, (char)c);
	if (s->cell.failed)
		*ret_bad = true;
	return c;
}

/* letters and digits, in lower case */
static size_t fold(struct str s, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < size; i++) {
		const char c = ascii_lower(s.p[i]);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			out[n++] = c;
	}
	return n;
}

static bool is_one_of(struct str name, const char *accepted)
{
	struct str rest = str_of(accepted);

	while (rest.n) {
		const ptrdiff_t bar = str_find(rest, STR("|"));
		const struct str one = { rest.p, bar < 0 ? rest.n : (size_t)bar };
		if (str_eq(one, name))
			return true;
		rest.p += one.n + (bar >= 0);
		rest.n -= one.n + (bar >= 0);
	}
	return false;
}

/* the character that is most frequent in the first line, outside of quotes */
static char find_delimiter(struct sheet *s)
{
	static const char those[] = ",;\t";
	size_t n[3] = { 0 }, best = 0;
	bool quoted = false;

	peek(s);
	for (size_t i = s->at; i < s->have && s->in[i] != '\n'; i++) {
		quoted ^= s->in[i] == '"';
		for (size_t k = 0; k < 3 && !quoted; k++)
			n[k] += s->in[i] == those[k];
	}
	for (size_t k = 1; k < 3; k++)
		best = n[k] > n[best] ? k : best;
	return those[best];
}

/* lines before the header: Excel's "sep=,", PowerShell's "#TYPE ..." */
static void skip_preamble(struct sheet *s)
{
	while (peek(s) >= 0) {
		const struct str rest = { s->in + s->at, s->have - s->at };
		if (rest.p[0] != '#' && !str_starts_nocase(rest, STR("sep=")))
			return;
		for (int c = 0; c >= 0 && c != '\n';)
			c = take(s);
	}
}

static void read_header(struct sheet *s)
{
	bool bad = false;
	int end = 0;

	skip_preamble(s);
	s->delimiter = find_delimiter(s);
	for (size_t column = 0; end != '\n' && end >= 0; column++) {
		char folded[64];
		end = read_cell(s, &bad);
		const struct str name = { folded, fold(buf_str(&s->cell), folded, sizeof(folded)) };
		for (unsigned i = 0; i < s->count && column < CSV_COLUMNS_MAX; i++) {
			if (s->present[i] || !is_one_of(name, s->names[i]))
				continue;
			s->present[i] = true;
			s->column_of[column] = i + 1;
			break;
		}
	}
}

/* The next table: members of an archive and sheets of a workbook are read in their order.  One without any column of ours is
 * passed over, and so is one that lacks a column of the first. */
static enum source_status next_table(struct sheet *s)
{
	const struct source_stream *stream;
	enum source_status status;
	bool first[SHEET_COLUMNS], is_ours = false;

	memcpy(first, s->present, sizeof(first));
	while (!is_ours && (status = source_next(s->source, &stream)) == SOURCE_OK) {
		memset(s->present, 0, sizeof(s->present));
		memset(s->column_of, 0, sizeof(s->column_of));
		s->at = s->have = 0;
		s->ended = false;
		read_header(s);
		is_ours = s->tables > 0;
		for (unsigned i = 0; i < s->count; i++)
			is_ours = s->tables ? is_ours && (s->present[i] || !first[i]) : is_ours || s->present[i];
		s->has_stream = true;
	}
	s->tables += is_ours;
	if (!is_ours && status == SOURCE_BROKEN)
		snprintf(s->error, sizeof(s->error), "%s", source_error(s->source));
	return is_ours ? SOURCE_OK : status;
}

struct sheet *sheet_open(const char *path, const char *const *names, unsigned count, struct buf *error)
{
	struct sheet *s = calloc(1, sizeof(*s));
	const char *paths[] = { path };

	if (!s || !(s->in = malloc(READ_CHUNK_BYTES)) || !(s->source = source_new(paths, 1))) {
		buf_add_cstr(error, "out of memory");
		sheet_close(s);
		return NULL;
	}
	s->path = path;
	s->count = count < SHEET_COLUMNS ? count : SHEET_COLUMNS;
	buf_init(&s->cell, SHEET_CELL_BYTES_MAX);
	buf_init(&s->recoded, 3 * SHEET_CELL_BYTES_MAX);
	for (unsigned i = 0; i < SHEET_COLUMNS; i++)
		buf_init(&s->cells[i], SHEET_CELL_BYTES_MAX);
	s->names = names;
	if (next_table(s) != SOURCE_OK && !s->has_stream) {
		const char *why = source_problem(s->source);
		if (why || source_error(s->source)[0])
			buf_printf(error, "%s", why ? why : source_error(s->source));
		else
			buf_printf(error, "%s: nothing in it", path);
		sheet_close(s);
		return NULL;
	}
	return s;
}

void sheet_close(struct sheet *s)
{
	if (!s)
		return;
	source_free(s->source);
	free(s->in);
	buf_release(&s->cell);
	buf_release(&s->recoded);
	for (unsigned i = 0; i < SHEET_COLUMNS; i++)
		buf_release(&s->cells[i]);
	free(s);
}

bool sheet_has(const struct sheet *s, unsigned column)
{
	return column < s->count && s->present[column];
}

bool sheet_next(struct sheet *s, struct str cells[SHEET_COLUMNS])
{
	while (s->rows < SHEET_ROWS_MAX) {
		bool bad = false, any = false;
		int end = 0;

		if (peek(s) < 0) {
			if (!s->tables || s->error[0] || next_table(s) != SOURCE_OK)
				return false;
			continue;
		}
		for (unsigned i = 0; i < SHEET_COLUMNS; i++)
			buf_clear(&s->cells[i]);
		for (size_t column = 0; end != '\n' && end >= 0; column++) {
			end = read_cell(s, &bad);
			struct str t = str_trim(buf_str(&s->cell));
			buf_clear(&s->recoded);
			if (!utf8_is_valid(t) && text_recode(t, &s->recoded))
				t = buf_str(&s->recoded);
			any |= t.n > 0;
			if (column < CSV_COLUMNS_MAX && s->column_of[column])
				buf_add_str(&s->cells[s->column_of[column] - 1], t);
		}
		s->rows++;
		if (bad)
			s->bad++;
		if (bad || !any)
			continue;
		for (unsigned i = 0; i < SHEET_COLUMNS; i++)
			cells[i] = buf_str(&s->cells[i]);
		return true;
	}
	return false;
}

uint64_t sheet_bad_rows(const struct sheet *s)
{
	return s->bad;
}
const char *sheet_error(const struct sheet *s)
{
	return s->error;
}
