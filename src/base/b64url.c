/* SPDX-License-Identifier: Apache-2.0 */
/* b64url: the strict decoder (base/b64url.h says why strict).  Four characters at a time through tables that hold the
 * shifted value of a character, or a bit above 24 for a character that has none: one test a group. */
#include "base/b64url.h"

#include <pthread.h>

#define BAD (UINT32_C(1) << 31)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct tables { uint32_t at[4][256]; };
static struct tables url, plain;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(struct tables *t, char c62, char c63)
{
	for (int place = 0; place < 4; place++) {
		for (int c = 0; c < 256; c++)
			t->at[place][c] = BAD;
		for (uint32_t v = 0; v < 64; v++) {
			const char c = v == 62 ? c62 : v == 63 ? c63 : alphabet[v];
			t->at[place][(uint8_t)c] = v << (18 - 6 * place);
		}
	}
}

static void fill_all(void)
{
	fill(&url, '-', '_');
	fill(&plain, '+', '/');
}

const char *b64_error_text(enum b64_error e)
{
	switch (e) {
	case B64_OK: return "is fine";
	case B64_ALPHABET: return "has a character outside the base64 alphabet";
	case B64_LENGTH: return "has a length that no bytes have in base64";
	case B64_TRAILING: return "has unused bits that are not zero in its last base64 character";
	case B64_ROOM: return "is too long";
	}
	return "is not base64";
}

static enum b64_error decode(const struct tables *t, struct str s, uint8_t *out, size_t room, size_t *ret_n)
{
	const uint8_t *p = (const uint8_t *)s.p;
	const size_t groups = s.n / 4, rest = s.n % 4;
	const size_t n = groups * 3 + (rest ? rest - 1 : 0);
	uint32_t v, bad = 0;

	if (rest == 1)
		return B64_LENGTH;
	if (n > room)
		return B64_ROOM;
	for (size_t i = 0; i < groups; i++, p += 4, out += 3) {
		v = t->at[0][p[0]] | t->at[1][p[1]] | t->at[2][p[2]] | t->at[3][p[3]];
		bad |= v;
		out[0] = (uint8_t)(v >> 16);
		out[1] = (uint8_t)(v >> 8);
		out[2] = (uint8_t)v;
	}
	if (rest) {
		v = t->at[0][p[0]] | t->at[1][p[1]] | (rest == 3 ? t->at[2][p[2]] : 0);
		bad |= v;
		out[0] = (uint8_t)(v >> 16);
		if (rest == 3)
			out[1] = (uint8_t)(v >> 8);
		if (!(bad & BAD) && (v & (rest == 3 ? 0xffU : 0xffffU)))
			return B64_TRAILING;
	}
	if (bad & BAD)
		return B64_ALPHABET;
	*ret_n = n;
	return B64_OK;
}

size_t b64url_first_wrong(struct str s)
{
	size_t i = 0;
	pthread_once(&once, fill_all);
	while (i < s.n && !(url.at[0][(uint8_t)s.p[i]] & BAD))
		i++;
	return i;
}

enum b64_error b64url_decode(struct str s, uint8_t *out, size_t room, size_t *ret_n)
{
	pthread_once(&once, fill_all);
	return decode(&url, s, out, room, ret_n);
}

enum b64_error b64_decode(struct str s, uint8_t *out, size_t room, size_t *ret_n)
{
	pthread_once(&once, fill_all);
	if (s.n % 4)
		return B64_LENGTH;
	for (int i = 0; i < 2 && s.n && s.p[s.n - 1] == '='; i++)
		s.n--;
	return decode(&plain, s, out, room, ret_n);
}

void b64url_add(struct buf *b, const void *p, size_t n)
{
	const uint8_t *in = p;

	for (; n >= 3; n -= 3, in += 3) {
		const uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		const char four[4] = { alphabet[v >> 18], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63], alphabet[v & 63] };
		buf_add(b, four, 4);
	}
	if (n) {
		const uint32_t v = (uint32_t)in[0] << 16 | (n == 2 ? (uint32_t)in[1] << 8 : 0);
		const char three[3] = { alphabet[v >> 18], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63] };
		buf_add(b, three, n + 1);
	}
}
