/* SPDX-License-Identifier: Apache-2.0 */
/* buf: a growing run of bytes, and the four ways in which untrusted text becomes part of our output.
 *
 * Growth is by doubling up to the ceiling.  After the text there are always one NUL and SLACK_BYTES more that may be read:
 * the JSON parser looks a few bytes ahead, and a buffer with that room need not be copied for it.
 *
 * Text for an output is read as UTF-8.  What is not UTF-8 (overlong, surrogate, beyond U+10FFFF, cut short) becomes
 * U+FFFD, one for each maximal wrong piece, as the Unicode standard recommends; a reader then sees how much was there.
 * Three kinds of character are never passed on raw, whatever the destination: control characters (C0, DEL, and C1,
 * which some terminals obey too), and the characters that turn the direction of what follows and so can make a line
 * read as another one (U+202A..202E, U+2066..2069). */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

#define CAPACITY_FIRST 64
#define SLACK_BYTES 64       /* what the JSON parser may read past its text */
#define MARKS_PER_COLUMN 8   /* combining marks shown on one character; more is a decoration that hides other lines */

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS "\xe2\x80\xa6"    /* U+2026 */

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_release(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p)
		b->p[0] = '\0';
}

bool buf_reserve(struct buf *b, size_t more)
{
	size_t capacity;
	char *p;

	if (b->failed)
		return false;
	if (more > b->max - b->n)
		goto fail;
	if (b->p && b->n + more <= b->capacity)
		return true;
	capacity = b->capacity < CAPACITY_FIRST / 2 ? CAPACITY_FIRST : b->capacity;
	while (capacity < b->n + more)
		capacity = capacity > b->max / 2 ? b->max : capacity * 2;
	if (capacity > SIZE_MAX - 1 - SLACK_BYTES)
		goto fail;
	p = realloc(b->p, capacity + 1 + SLACK_BYTES);
	if (!p)
		goto fail;
	memset(p + b->n, 0, 1 + SLACK_BYTES);
	b->p = p;
	b->capacity = capacity;
	return true;
fail:
	b->failed = true;
	return false;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!buf_reserve(b, n))
		return;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_add_str(struct buf *b, struct str s) { buf_add(b, s.p, s.n); }

void buf_add_cstr(struct buf *b, const char *s) { buf_add(b, s, strlen(s)); }

void buf_add_char(struct buf *b, char c)
{
	if (!buf_reserve(b, 1))
		return;
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}

void buf_vprintf(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, ap);
	if (n < 0) {
		b->failed = true;
	} else if (buf_reserve(b, (size_t)n)) {
		vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(b, format, ap);
	va_end(ap);
}

/* Reads one character of UTF-8 at p (n > 0 bytes left).  *ret_length: how many bytes it has or, when the answer is -1
 * (not UTF-8), how many bytes one replacement covers. */
static int32_t utf8_read(const uint8_t *p, size_t n, size_t *ret_length)
{
	uint8_t low = 0x80, high = 0xbf; /* range of the second byte; narrower where overlong or surrogate begins */
	size_t want, i;
	int32_t c;

	*ret_length = 1;
	if (p[0] < 0x80)
		return p[0];
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		want = 2;
		c = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		want = 3;
		c = p[0] & 0x0f;
		low = p[0] == 0xe0 ? 0xa0 : low;
		high = p[0] == 0xed ? 0x9f : high;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		want = 4;
		c = p[0] & 0x07;
		low = p[0] == 0xf0 ? 0x90 : low;
		high = p[0] == 0xf4 ? 0x8f : high;
	} else {
		return -1;
	}
	for (i = 1; i < want; i++) {
		if (i == n || p[i] < low || p[i] > high) {
			*ret_length = i;
			return -1;
		}
		c = c << 6 | (p[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*ret_length = want;
	return c;
}

static bool is_control(int32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

static bool is_direction_override(int32_t c) { return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069); }

/* Printable ASCII without what JSON escapes: the run that goes through in one piece. */
static size_t plain_run(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

void buf_add_json(struct buf *b, struct str s)
{
	const uint8_t *p = (const uint8_t *)(s.n ? s.p : ""), *end = p + s.n;

	buf_add_char(b, '"');
	while (p < end && !b->failed) {
		size_t length = plain_run(p, (size_t)(end - p));
		int32_t c;

		if (length) {
			buf_add(b, p, length);
			p += length;
			continue;
		}
		c = utf8_read(p, (size_t)(end - p), &length);
		if (c < 0)
			buf_add_cstr(b, REPLACEMENT);
		else if (c == '"')
			buf_add_cstr(b, "\\\"");
		else if (c == '\\')
			buf_add_cstr(b, "\\\\");
		else if (c == '\n')
			buf_add_cstr(b, "\\n");
		else if (c == '\r')
			buf_add_cstr(b, "\\r");
		else if (c == '\t')
			buf_add_cstr(b, "\\t");
		else if (is_control(c) || is_direction_override(c) || c == 0x2028 || c == 0x2029)
			buf_printf(b, "\\u%04x", (unsigned)c);
		else
			buf_add(b, p, length);
		p += length;
	}
	buf_add_char(b, '"');
}

/* Would a spreadsheet take a cell beginning like this for a formula?  It skips blanks first, and in some languages it
 * takes the wide forms of the signs as well. */
static bool is_formula_start(const uint8_t *p, size_t n)
{
	size_t length;

	for (size_t i = 0; i < n; i += length) {
		int32_t c = utf8_read(p + i, n - i, &length);

		switch (c) {
		case ' ':
		case 0xa0:
		case 0x3000:
		case 0xfeff:
			continue;
		case '=':
		case '+':
		case '-':
		case '@':
		case '\t':
		case '\r':
		case '\n':
		case 0xff1d:
		case 0xff0b:
		case 0xff0d:
		case 0xff20:
			return true;
		default:
			return false;
		}
	}
	return false;
}

void buf_add_csv(struct buf *b, struct str s)
{
	const uint8_t *p = (const uint8_t *)(s.n ? s.p : ""), *end = p + s.n;

	buf_add_char(b, '"');
	if (is_formula_start(p, s.n))
		buf_add_char(b, '\'');
	while (p < end && !b->failed) {
		size_t length = plain_run(p, (size_t)(end - p));
		int32_t c;

		if (length) {
			buf_add(b, p, length);
			p += length;
			continue;
		}
		c = utf8_read(p, (size_t)(end - p), &length);
		if (c == '"')
			buf_add_cstr(b, "\"\"");
		else if (c < 0 || is_direction_override(c) || (is_control(c) && c != '\t' && c != '\r' && c != '\n'))
			buf_add_cstr(b, REPLACEMENT);
		else
			buf_add(b, p, length);
		p += length;
	}
	buf_add_char(b, '"');
}

void buf_add_html(struct buf *b, struct str s)
{
	const uint8_t *p = (const uint8_t *)(s.n ? s.p : ""), *end = p + s.n;
	size_t length;

	for (; p < end && !b->failed; p += length) {
		const int32_t c = utf8_read(p, (size_t)(end - p), &length);

		if (c == '&')
			buf_add_cstr(b, "&amp;");
		else if (c == '<')
			buf_add_cstr(b, "&lt;");
		else if (c == '>')
			buf_add_cstr(b, "&gt;");
		else if (c == '"')
			buf_add_cstr(b, "&quot;");
		else if (c == '\'')
			buf_add_cstr(b, "&#39;");
		else if (c == '`')
			buf_add_cstr(b, "&#96;"); /* a quote, to browsers of long ago */
		else if (c == '\t' || c == '\r' || c == '\n')
			buf_add_char(b, ' ');
		else if (c < 0 || is_control(c) || is_direction_override(c) || c == 0xfffe || c == 0xffff)
			buf_add_cstr(b, REPLACEMENT);
		else
			buf_add(b, p, length);
	}
}

/* Columns a character takes: 2 for the wide scripts and pictures of East Asia, 0 for marks that sit on another one.  The
 * C library's answer depends on the locale, ours must not; blocks are enough, since only the cut depends on it. */
static unsigned columns_of(int32_t c)
{
	static const struct {
		int32_t first, last;
		unsigned columns;
	} blocks[] = {
		{ 0x0300, 0x036f, 0 },   { 0x0483, 0x0489, 0 },   { 0x0591, 0x05bd, 0 },   { 0x064b, 0x065f, 0 },
		{ 0x1100, 0x115f, 2 },   { 0x1ab0, 0x1aff, 0 },   { 0x1dc0, 0x1dff, 0 },   { 0x200b, 0x200f, 0 },
		{ 0x2060, 0x2065, 0 },   { 0x20d0, 0x20ff, 0 },   { 0x2e80, 0x303e, 2 },   { 0x3041, 0x33ff, 2 },
		{ 0x3400, 0x4dbf, 2 },   { 0x4e00, 0x9fff, 2 },   { 0xa000, 0xa4cf, 2 },   { 0xac00, 0xd7a3, 2 },
		{ 0xf900, 0xfaff, 2 },   { 0xfe00, 0xfe0f, 0 },   { 0xfe20, 0xfe2f, 0 },   { 0xfe30, 0xfe6f, 2 },
		{ 0xfeff, 0xfeff, 0 },   { 0xff00, 0xff60, 2 },   { 0xffe0, 0xffe6, 2 },   { 0x1f300, 0x1f64f, 2 },
		{ 0x1f900, 0x1f9ff, 2 }, { 0x20000, 0x3fffd, 2 }, { 0xe0000, 0xe0fff, 0 },
	};

	if (c < 0x300)
		return 1;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (c >= blocks[i].first && c <= blocks[i].last)
			return blocks[i].columns;
	return 1;
}

void buf_add_terminal(struct buf *b, struct str s, size_t max_columns)
{
	const uint8_t *p = (const uint8_t *)(s.n ? s.p : ""), *end = p + s.n;
	size_t column = 0, cut = b->n, length;
	unsigned marks = 0;

	for (; p < end && !b->failed; p += length) {
		int32_t c = utf8_read(p, (size_t)(end - p), &length);
		const char *replacement = NULL;
		unsigned width;

		if (c == '\t' || c == '\r' || c == '\n')
			replacement = " ";
		else if (c < 0 || is_control(c) || is_direction_override(c))
			replacement = REPLACEMENT;
		width = replacement ? 1 : columns_of(c);
		marks = width ? 0 : marks + 1;
		if (marks > MARKS_PER_COLUMN)
			continue;
		if (max_columns && column + width > max_columns) {
			b->n = cut; /* what was written since is taken back to make room for the sign of the cut */
			b->p[b->n] = '\0';
			buf_add_cstr(b, ELLIPSIS);
			break;
		}
		if (replacement)
			buf_add_cstr(b, replacement);
		else
			buf_add(b, p, length);
		column += width;
		if (column < max_columns && !b->failed)
			cut = b->n;
	}
}
