/* SPDX-License-Identifier: Apache-2.0 */
/* csv: rows to members.  RFC 4180 with what reality adds: quotes doubled, newlines in quoted cells, CRLF, blank lines,
 * #TYPE and sep= lines in the middle (files appended to each other), rows shorter than the header.
 *
 * A quote that is never closed makes a row of everything after it.  So a row that does not parse costs only its first
 * line: the lines after it are read again as rows.  A quote inside a cell that does not begin with one is text; but its
 * writer does not quote properly, so no later cell of that row may span lines.  scan_rows() of frame.c follows the
 * same rules. */
#include "decode/decode_int.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The cell's content after its opening quote, quotes undoubled, into out.  Returns the position after the closing quote,
 * or n + 1 if there is none. */
static size_t unquote(const char *p, size_t at, size_t n, char *out, size_t *ret_n)
{
	char *o = out;
	for (;;) {
#ifdef __SSE2__
		/* sixteen bytes at a time; out has as much room as the text, and some */
		while (at + 16 <= n) {
			__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
			int quotes = _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
			_mm_storeu_si128((__m128i *)(void *)o, v);
			if (quotes) {
				int k = __builtin_ctz((unsigned)quotes);
				at += (size_t)k;
				o += k;
				break;
			}
			at += 16;
			o += 16;
		}
#endif
		while (at < n && p[at] != '"')
			*o++ = p[at++];
		if (at >= n)
			return n + 1;
		if (at + 1 < n && p[at + 1] == '"') {
			*o++ = '"';
			at += 2;
			continue;
		}
		*ret_n = (size_t)(o - out);
		return at + 1;
	}
}

static size_t skip_quoted(const char *p, size_t at, size_t n)
{
	for (;;) {
		const char *quote = memchr(p + at, '"', n - at);
		if (!quote)
			return n + 1;
		at = (size_t)(quote - p) + 1;
		if (at >= n || p[at] != '"')
			return at;
		at++;
	}
}

/* Lines between rows: comments of PowerShell, Excel's "sep=;", with or without a byte order mark; and a header with nothing
 * after it (frame.c takes out all others). */
static bool is_no_row(struct str line, bool last)
{
	struct csv_header h;
	if (line.n >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0)
		line = str_trim((struct str){ line.p + 3, line.n - 3 });
	return line.n == 0 || line.p[0] == '#' || (line.n <= 6 && str_starts_nocase(line, STR("sep="))) || (last && csv_header_row(line.p, line.n, &h));
}

/* One row from `at`; the position after its newline, or 0 if it does not parse. */
static size_t read_row(struct decoder *d, const struct block *b, size_t at, struct fields *f, uint32_t *ret_columns)
{
	const struct csv_header *h = b->header;
	const char *p = b->p;
	uint32_t column = 0;
	bool loose = false;
	fields_clear(f);
	f->is_row = true;
	f->zones = h->zone;
	for (;;) {
		uint16_t want = column < h->columns ? h->column[column] : 0;
		if (at < b->n && p[at] == '"') {
			size_t from = at;
			if (want) {
				size_t length = 0;
				/* the cell cannot be longer than what is left of the block; most of the arena's take is given back */
				size_t room = b->n - at;
				char *out = arena_take(&d->arena, room);
				if (!out) {
					d->failed = true;
					return 0;
				}
				at = unquote(p, at + 1, b->n, out, &length);
				if (at > b->n)
					return 0;
				size_t give_back = room > length + 64 ? room - length - 64 : 0;
				d->arena.used -= give_back;
				out[length] = 0;
				fields_set_cell(f, (enum field)(want - 1), (struct str){ out, length });
			} else {
				at = skip_quoted(p, at + 1, b->n);
				if (at > b->n)
					return 0;
			}
			if (loose && memchr(p + from, '\n', at - from))
				return 0;
			while (at < b->n && (p[at] == ' ' || p[at] == '\r'))
				at++;
			if (at < b->n && p[at] != h->delimiter && p[at] != '\n')
				return 0; /* "x"y: a quote went missing */
		} else {
			size_t from = at;
			while (at < b->n && p[at] != h->delimiter && p[at] != '\n')
				loose |= p[at++] == '"';
			if (want)
				fields_set_cell(f, (enum field)(want - 1), str_trim((struct str){ p + from, at - from }));
		}
		column++;
		if (at >= b->n || p[at] == '\n')
			break;
		at++;
	}
	*ret_columns = column;
	return at + 1;
}

void csv_run(struct decoder *d, const struct block *b)
{
	struct fields *f = d->fields[0];
	for (size_t at = 0; at < b->n; ) {
		if (b->p[at] == '\n' || b->p[at] == '\r' || b->p[at] == '#') {
			const char *nl = memchr(b->p + at, '\n', b->n - at);
			size_t end = nl ? (size_t)(nl - b->p) + 1 : b->n;
			if (b->p[at] == '#' && str_find_nocase((struct str){ b->p + at, end - at }, STR("truncated")) >= 0)
				claims_said(d->claims);
			at = end;
			continue;
		}
		arena_reset(&d->arena);
		uint32_t columns;
		size_t next = read_row(d, b, at, f, &columns);
		if (next == 0) {
			const char *nl = memchr(b->p + at, '\n', b->n - at);
			next = nl ? (size_t)(nl - b->p) + 1 : b->n;
			d->whole = str_trim((struct str){ b->p + at, next - at });
			if (!is_no_row(d->whole, !nl || next == b->n))
				decode_reject(d, !nl && b->broken == REJECT_TRUNCATED ? REJECT_TRUNCATED : REJECT_BAD_CSV);
			at = next;
			continue;
		}
		d->whole = str_trim((struct str){ b->p + at, (next < b->n ? next : b->n) - at });
		d->rank = 3;
		d->flags = 0;
		if (!is_no_row(d->whole, next > b->n)) {
			bool cut = next > b->n && b->broken == REJECT_TRUNCATED && columns < b->header->columns;
			if (cut)
				decode_reject(d, REJECT_TRUNCATED);
			else if (columns <= b->header->last_known && !field_has(f, F_AuditData) && !field_has(f, F_Operation))
				decode_reject(d, REJECT_BAD_CSV);
			else
				decode_fields(d, f);
		}
		at = next;
	}
}
