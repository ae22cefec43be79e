/* SPDX-License-Identifier: Apache-2.0 */
/* strangers: finds the kind in strangers.h of a file that no format wanted, so nothing here is on a hot path.
 *
 * A file that fits no row is judged by its form:
 *   a table   its first line has short names, no sentences, and the lines after it have the same number of commas, semicolons or
 *             tabs outside quotes (two of them; if there are three lines and more, one will do)
 *   a log     half of its first lines name a date and a time of day
 *   binary    it has a NUL byte
 *   text      anything else: a readme, a list of names.  That is a companion of an export, and is not reported. */
#include "decode/decode_int.h"

enum { TEXT_BYTES = 4096, COLUMNS_LOOKED_AT = 512, LINES_LOOKED_AT = 20, NAMES_IN_ROW = 6, NAME_BYTES = 64 };

#define LOST true
#define COMPANION false
#define STRANGER(symbol, name, lost, sentence, remedy) [STRANGER_##symbol] = { name, lost, sentence, remedy },
const struct stranger_row stranger_rows[STRANGER_COUNT] = {
#include "decode/strangers.h"
};

static const struct { enum stranger kind; size_t at; struct str bytes; } magics[] = {
#define MAGIC(symbol, offset, bytes) { STRANGER_##symbol, offset, { bytes, sizeof(bytes) - 1 } },
#include "decode/strangers.h"
};

struct words { enum stranger kind; const char *word[NAMES_IN_ROW]; };
static const struct words texts[] = {
#define TEXT(symbol, ...) { STRANGER_##symbol, { __VA_ARGS__ } },
#include "decode/strangers.h"
};
static const struct words tables[] = {
#define NAMES(symbol, ...) { STRANGER_##symbol, { __VA_ARGS__ } },
#include "decode/strangers.h"
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* A few letters may begin any text: they are a magic only in a file that is no text. */
static bool is_magic(struct str head, size_t at, struct str bytes)
{
	bool is_word = bytes.n < 5;
	for (size_t i = 0; i < bytes.n; i++)
		is_word = is_word && bytes.p[i] >= ' ' && bytes.p[i] <= '~';
	return head.n >= at + bytes.n && memcmp(head.p + at, bytes.p, bytes.n) == 0
		&& (!is_word || memchr(head.p, 0, head.n < 512 ? head.n : 512));
}

static enum stranger find_words(struct str head)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		bool all = str_starts(head, str_of(texts[i].word[0]));
		for (size_t k = 1; all && k < NAMES_IN_ROW && texts[i].word[k]; k++)
			all = str_find(head, str_of(texts[i].word[k])) >= 0;
		if (all)
			return texts[i].kind;
	}
	return STRANGER_COUNT;
}

static enum stranger find_names(const struct str *have, size_t n)
{
	for (size_t i = 0; i < COUNT_OF(tables); i++) {
		bool all = true;
		for (size_t k = 0; all && k < NAMES_IN_ROW && tables[i].word[k]; k++) {
			struct str want = str_of(tables[i].word[k]);
			all = false;
			for (size_t c = 0; c < n && !all; c++)
				all = str_eq_nocase(have[c], want);
		}
		if (all)
			return tables[i].kind;
	}
	return STRANGER_COUNT;
}

/* -- tables and lines -- */

/* The cells of the row at *at, unchanged; *at moves past it.  Returns the number of its columns. */
static size_t split_row(struct str text, size_t *at, char delimiter, struct str *cells)
{
	size_t n = 0, i = *at;
	for (;;) {
		size_t from = i;
		bool quoted = i < text.n && text.p[i] == '"', open = quoted;
		i += quoted;
		while (i < text.n && (open || (text.p[i] != delimiter && text.p[i] != '\n')))
			open ^= text.p[i++] == '"' && quoted;
		struct str cell = str_trim((struct str){ text.p + from, i - from });
		if (cell.n >= 2 && cell.p[0] == '"' && cell.p[cell.n - 1] == '"')
			cell = str_trim((struct str){ cell.p + 1, cell.n - 2 });
		ptrdiff_t bracket = str_find(cell, STR(" ["));
		if (bracket > 0)
			cell.n = (size_t)bracket;
		if (cells && n < COLUMNS_LOOKED_AT)
			cells[n] = cell;
		n++;
		if (i >= text.n || text.p[i] == '\n')
			break;
		i++;
	}
	*at = i < text.n ? i + 1 : text.n;
	return n;
}

/* Does it begin with short names, which are no sentences, and have the rows as many cells as there are names? */
static bool is_table(struct str text, bool all, char delimiter, struct str *cells)
{
	size_t at = 0, columns = 0, rows = 0;
	while (at < text.n && rows < LINES_LOOKED_AT) {
		size_t begin = at, n = split_row(text, &at, delimiter, rows ? NULL : cells);
		if (at == text.n && !all && rows)
			break; /* the head ends in it */
		if (n == 1 && str_trim((struct str){ text.p + begin, at - begin }).n == 0)
			continue;
		if (rows && n != columns)
			return false;
		for (size_t i = 0; !rows && i < n && i < COLUMNS_LOOKED_AT; i++)
			if (cells[i].n > NAME_BYTES || (cells[i].n && strchr(".!?", cells[i].p[cells[i].n - 1])))
				return false;
		columns = n;
		rows++;
	}
	return columns >= (rows >= 3 ? 2 : 3);
}

static bool has_date_and_time(struct str line)
{
	bool date = false, time = false;
	if (line.n > 128)
		line.n = 128;
	for (size_t i = 0; i + 5 <= line.n; i++) {
		const char *p = line.p + i;
#define DIGIT(k) (p[k] >= '0' && p[k] <= '9')
		time |= DIGIT(0) && DIGIT(1) && p[2] == ':' && DIGIT(3) && DIGIT(4);
		/* 2026-01-06, 06/01/2026, 06/Jan/2026, Jan  6 */
		date |= i + 7 <= line.n && DIGIT(0) && DIGIT(1) && DIGIT(2) && DIGIT(3) && (p[4] == '-' || p[4] == '/') && DIGIT(5) && DIGIT(6);
		date |= (p[0] == '/' || p[0] == '.' || p[0] == '-') && DIGIT(1) && DIGIT(2) && DIGIT(3) && DIGIT(4);
		date |= (i == 0 || p[-1] == ' ' || p[-1] == '>') && p[0] >= 'A' && p[0] <= 'Z' && p[1] >= 'a' && p[1] <= 'z' && p[2] >= 'a' && p[2] <= 'z'
			&& p[3] == ' ' && (DIGIT(4) || p[4] == ' ');
#undef DIGIT
	}
	return date && time;
}

static bool is_log(struct str text, bool all)
{
	size_t lines = 0, dated = 0;
	for (size_t at = 0; at < text.n && lines < LINES_LOOKED_AT; ) {
		const char *nl = memchr(text.p + at, '\n', text.n - at);
		size_t end = nl ? (size_t)(nl - text.p) : text.n;
		struct str line = str_trim((struct str){ text.p + at, end - at });
		at = end + 1;
		if (line.n == 0 || (!nl && !all && lines))
			continue;
		lines++;
		dated += has_date_and_time(line);
	}
	return dated && dated * 2 >= lines;
}

enum stranger stranger_find(const char *p, size_t n, bool all)
{
	static const char delimiters[] = ",;\t|";
	struct str cells[COLUMNS_LOOKED_AT], text = { p, n };
	enum stranger kind;
	for (size_t i = 0; i < COUNT_OF(magics); i++)
		if (is_magic(text, magics[i].at, magics[i].bytes))
			return magics[i].kind;
	while (text.n && (text.p[0] == ' ' || text.p[0] == '\t' || text.p[0] == '\r' || text.p[0] == '\n'))
		text.p++, text.n--;
	kind = find_words((struct str){ text.p, text.n < TEXT_BYTES ? text.n : TEXT_BYTES });
	if (kind != STRANGER_COUNT)
		return kind;
	if (text.n && (text.p[0] == '{' || text.p[0] == '['))
		return STRANGER_UNKNOWN_JSON;
	if (memchr(p, 0, n))
		return STRANGER_UNKNOWN_BINARY;
	if (!memchr(text.p, '\n', text.n) && (text.n > TEXT_BYTES || all)) {
		const char *cr = memchr(text.p, '\r', text.n);
		if (cr && (size_t)(cr - text.p) + 1 < text.n && (memchr(text.p, ',', (size_t)(cr - text.p)) || memchr(text.p, ';', (size_t)(cr - text.p))))
			return STRANGER_CR_LINES;
	}
	/* the header: the first line that is no comment */
	while (text.n && (text.p[0] == '#' || str_starts_nocase(text, STR("sep=")))) {
		const char *nl = memchr(text.p, '\n', text.n);
		size_t line = nl ? (size_t)(nl - text.p) + 1 : text.n;
		text.p += line;
		text.n -= line;
	}
	for (const char *d = delimiters; *d; d++) {
		size_t at = 0, columns = split_row(text, &at, *d, cells);
		kind = find_names(cells, columns < COLUMNS_LOOKED_AT ? columns : COLUMNS_LOOKED_AT);
		if (kind != STRANGER_COUNT && (columns > 1 || *d == ','))
			return kind;
	}
	for (const char *d = delimiters; d < delimiters + 3; d++)
		if (is_table(text, all, *d, cells))
			return STRANGER_UNKNOWN_TABLE;
	return is_log(text, all) ? STRANGER_UNKNOWN_LOG : STRANGER_PROSE;
}

/* -- JSON records that no format wanted -- */

static enum stranger find_members(struct decoder *d, const struct fields *f)
{
	struct str names[COLUMNS_LOOKED_AT];
	size_t n = 0;
	uint64_t key = 0;
	struct walk_object o = walk_object(&f->d, f->begin);
	for (uint32_t k; n < COLUMNS_LOOKED_AT && (k = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(&f->d, k + 2)) {
		names[n] = key_text(&f->d, k);
		key = hash_mix(key, hash_str(names[n], 0));
		n++;
	}
	/* records of one log have their members in one order: each order is looked at once */
	size_t slot = key % COUNT_OF(d->strangers);
	if (d->strangers[slot].key != key || !d->strangers[slot].known) {
		d->strangers[slot].key = key;
		d->strangers[slot].known = true;
		d->strangers[slot].kind = (uint8_t)find_names(names, n);
	}
	return (enum stranger)d->strangers[slot].kind;
}

enum verdict decode_stranger(struct decoder *d, const struct fields *f)
{
	enum stranger kind = f->is_row || f->is_table ? STRANGER_UNKNOWN_TABLE : find_members(d, f);
	if (kind == STRANGER_COUNT)
		kind = d->outer.time.n ? STRANGER_AZURE_ACTIVITY : STRANGER_UNKNOWN_JSON;
	stranger_set_add(&d->counts->strangers, kind);
	return decode_reject(d, kind < STRANGER_UNKNOWN_TABLE && stranger_rows[kind].lost ? REJECT_UNSUPPORTED : REJECT_NOT_AUDIT);
}
