/* SPDX-License-Identifier: Apache-2.0 */
/* encoding: see encoding.h */
#include "base/encoding.h"

/* -- UTF-16 -- */

/* Are nearly all of the bytes at odd (or even) places zero, and none of the others?  Audit exports begin with ASCII; a few other
 * letters may be among it. */
static bool is_every_second_zero(const uint8_t *p, size_t n, size_t which)
{
	size_t zeros = 0, pairs = n / 2;

	for (size_t i = 0; i < pairs; i++) {
		zeros += p[2 * i + which] == 0;
		if (p[2 * i + 1 - which] == 0 && p[2 * i + which] == 0)
			return false;
	}
	return pairs >= 2 && zeros * 10 >= pairs * 8 && p[1 - which] != 0;
}

enum encoding encoding_of(const void *head, size_t n, size_t *ret_skip)
{
	const uint8_t *p = head;

	*ret_skip = 0;
	n = n < ENCODING_HEAD_BYTES ? n : ENCODING_HEAD_BYTES;
	for (;;) { /* a program that adds a mark to a text that has one; and one that read the mark as Windows-1252 */
		static const struct str marks[] = { { "\xef\xbb\xbf", 3 }, { "\xc3\xaf\xc2\xbb\xc2\xbf", 6 } };
		size_t i = 0;
		while (i < 2 && (n - *ret_skip < marks[i].n || memcmp(p + *ret_skip, marks[i].p, marks[i].n) != 0))
			i++;
		if (i == 2)
			break;
		*ret_skip += marks[i].n;
	}
	if (*ret_skip)
		return ENCODING_UTF8;
	if (n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0)) {
		*ret_skip = 2;
		return p[0] == 0xff ? ENCODING_UTF16_LE : ENCODING_UTF16_BE;
	}
	if (n > 4 && (p[0] == 0xfe || p[0] == 0xff)) { /* the second half of a mark whose first was cut off */
		*ret_skip = 1;
		if (is_every_second_zero(p + 1, n - 1, 1))
			return ENCODING_UTF16_LE;
		if (is_every_second_zero(p + 1, n - 1, 0))
			return ENCODING_UTF16_BE;
		*ret_skip = 0;
	}
	/* Little-endian text that begins in the middle of a letter looks like big-endian text, and is read as such. */
	return is_every_second_zero(p, n, 1) ? ENCODING_UTF16_LE : is_every_second_zero(p, n, 0) ? ENCODING_UTF16_BE : ENCODING_UTF8;
}

/* -- UTF-8 -- */

size_t utf8_put(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

enum piece { WHOLE, STRAY, FORGED }; /* a character; a byte that is none; bytes in the form of one that must not be */

static enum piece next_piece(const uint8_t *p, size_t n, size_t *ret_n)
{
	const size_t want = p[0] < 0x80 ? 1 : p[0] >= 0xc0 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf8 ? 4 : 0;
	size_t i = 1;

	*ret_n = 1;
	if (want == 1)
		return WHOLE;
	while (i < want && i < n && (p[i] & 0xc0) == 0x80)
		i++;
	if (want == 0 || i < want)
		return STRAY;
	*ret_n = want;
	if (p[0] < 0xc2 || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || p[0] > 0xf4 ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return FORGED;
	return WHOLE;
}

static size_t ascii_run(const uint8_t *p, size_t n)
{
	size_t i = 0;
	uint64_t v;

	for (; i + 8 <= n; i += 8) {
		memcpy(&v, p + i, 8);
		if (v & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < n && p[i] < 0x80)
		i++;
	return i;
}

bool utf8_is_valid(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t i = 0, length;

	while (s.n && (i += ascii_run(p + i, s.n - i)) < s.n) {
		if (next_piece(p + i, s.n - i, &length) != WHOLE)
			return false;
		i += length;
	}
	return true;
}

/* -- Windows-1252 -- */

static const uint16_t windows_1252[32] = { /* 0x80 to 0x9f; 0 = has no such byte */
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
};

static uint32_t of_1252(uint8_t c)
{
	return c < 0x80 || c >= 0xa0 ? c : windows_1252[c - 0x80] ? windows_1252[c - 0x80] : 0xfffd;
}

bool text_recode(struct str s, struct buf *out)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t whole = 0, stray = 0, length;
	bool keeps;

	for (size_t i = 0; i < s.n; i += length) {
		const enum piece x = next_piece(p + i, s.n - i, &length);
		whole += x == WHOLE && length > 1;
		stray += x == STRAY;
	}
	keeps = whole > stray;
	if (!stray)
		return false;
	for (size_t i = 0; i < s.n; i += length) {
		uint8_t c[4];
		const size_t ascii = ascii_run(p + i, s.n - i);
		buf_add(out, p + i, ascii);
		i += ascii;
		length = 0;
		if (i == s.n)
			break;
		if (next_piece(p + i, s.n - i, &length) == WHOLE && keeps)
			buf_add(out, p + i, length);
		else
			for (size_t k = 0; k < length; k++)
				buf_add(out, c, utf8_put(of_1252(p[i + k]), c));
	}
	return true;
}

bool text_to_utf8(struct str s, struct buf *out, uint64_t *ret_recoded)
{
	size_t skip;
	const enum encoding x = encoding_of(s.p, s.n, &skip);
	const uint8_t *p = (const uint8_t *)s.p;
	uint32_t high = 0;

	if (ret_recoded)
		*ret_recoded = 0;
	buf_reserve(out, s.n + s.n / 2 + 1);
	if (x == ENCODING_UTF8) {
		while (skip < s.n) {
			const char *nl = memchr(s.p + skip, '\n', s.n - skip);
			const struct str line = { s.p + skip, nl ? (size_t)(nl + 1 - s.p) - skip : s.n - skip };
			const bool recoded = !utf8_is_valid(line) && text_recode(line, out);
			if (!recoded)
				buf_add_str(out, line);
			if (ret_recoded)
				*ret_recoded += recoded;
			skip += line.n;
		}
		return !buf_failed(out);
	}
	for (size_t i = skip; i + 1 < s.n; i += 2) {
		uint32_t c = x == ENCODING_UTF16_BE ? (uint32_t)(p[i] << 8 | p[i + 1]) : (uint32_t)(p[i + 1] << 8 | p[i]);
		uint8_t utf8[4];
		if (high && c >= 0xdc00 && c < 0xe000) {
			c = 0x10000 + ((high - 0xd800) << 10) + (c - 0xdc00);
			high = 0;
		} else if (high) {
			buf_add(out, "\xef\xbf\xbd", 3);
			high = 0;
		}
		if (c >= 0xd800 && c < 0xdc00)
			high = c;
		else
			buf_add(out, utf8, utf8_put(c >= 0xdc00 && c < 0xe000 ? 0xfffd : c, utf8));
	}
	if (high)
		buf_add(out, "\xef\xbf\xbd", 3);
	return !buf_failed(out);
}
