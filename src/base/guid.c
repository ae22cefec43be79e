/* SPDX-License-Identifier: Apache-2.0 */
/* guid: texts of 16 bytes.
 *
 * guid_parse runs several times for every record, so it has no branch per character: with SSE2 sixteen characters are
 * turned into values and marks at once, elsewhere a table does it one by one; one test at the end decides.
 *
 * A token id is the same 16 bytes in the memory order of .NET: the first three groups (4, 2 and 2 bytes) are little-
 * endian, the other eight as they are written.  Swapping them is its own inverse, so one table serves both ways. */
#include "base/guid.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define GUID_TEXT_BYTES 36
#define TOKEN_ID_BYTES 22      /* 16 bytes in base64 without its padding */
#define TOKEN_ID_TEXT_BYTES 48 /* the GUID's 36 characters in base64 */

/* where in the text the two characters of byte i begin */
static const uint8_t text_place[16] = { 0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34 };
/* .NET's byte i is the text's byte dotnet_order[i], and the other way round */
static const uint8_t dotnet_order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

#ifdef __SSE2__
/* sixteen hex digits to eight bytes in the low bytes of 16-bit lanes; *marks gathers what is no digit */
static inline __m128i hex_pairs(__m128i v, __m128i *marks)
{
	__m128i digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));
	__m128i letter = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
	/* unsigned x < k is max(x, k) != x ... for bytes: min(x, k - 1) == x */
	__m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
	__m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
	__m128i nibble = _mm_or_si128(_mm_and_si128(is_digit, digit),
		_mm_and_si128(is_letter, _mm_add_epi8(letter, _mm_set1_epi8(10))));

	*marks = _mm_and_si128(*marks, _mm_or_si128(is_digit, is_letter));
	return _mm_or_si128(_mm_slli_epi16(_mm_and_si128(nibble, _mm_set1_epi16(0x00ff)), 4), _mm_srli_epi16(nibble, 8));
}

static bool parse_36(const uint8_t *s, uint8_t ret[16])
{
	uint8_t hex[32];
	__m128i all = _mm_set1_epi8(-1), a, b;

	if ((s[8] ^ '-') | (s[13] ^ '-') | (s[18] ^ '-') | (s[23] ^ '-'))
		return false;
	memcpy(hex, s, 8);
	memcpy(hex + 8, s + 9, 4);
	memcpy(hex + 12, s + 14, 4);
	memcpy(hex + 16, s + 19, 4);
	memcpy(hex + 20, s + 24, 12);
	a = hex_pairs(_mm_loadu_si128((const __m128i *)(const void *)hex), &all);
	b = hex_pairs(_mm_loadu_si128((const __m128i *)(const void *)(hex + 16)), &all);
	if (_mm_movemask_epi8(all) != 0xffff)
		return false;
	_mm_storeu_si128((__m128i *)(void *)ret, _mm_packus_epi16(a, b));
	return true;
}
#else
/* value of a hex digit; 0x80 marks everything else */
#define __ 0x80
static const uint8_t hex_value[256] = {
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* 00 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* 10 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* 20 */
	0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  __, __, __, __, __, __, /* 30: 0-9 */
	__, 10, 11, 12, 13, 14, 15, __, __, __, __, __, __, __, __, __, /* 40: A-F */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* 50 */
	__, 10, 11, 12, 13, 14, 15, __, __, __, __, __, __, __, __, __, /* 60: a-f */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* 70 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* 80 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* 90 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* a0 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* b0 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* c0 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* d0 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* e0 */
	__, __, __, __, __, __, __, __, __, __, __, __, __, __, __, __, /* f0 */
};
#undef __

static bool parse_36(const uint8_t *s, uint8_t ret[16])
{
	uint8_t bytes[16];
	unsigned marks = 0;

	for (unsigned i = 0; i < 16; i++) {
		unsigned high = hex_value[s[text_place[i]]], low = hex_value[s[text_place[i] + 1]];

		marks |= high | low;
		bytes[i] = (uint8_t)(high << 4 | (low & 15));
	}
	marks &= 0x80;
	marks |= (unsigned)(s[8] ^ '-') | (unsigned)(s[13] ^ '-') | (unsigned)(s[18] ^ '-') | (unsigned)(s[23] ^ '-');
	if (marks)
		return false;
	memcpy(ret, bytes, sizeof(bytes));
	return true;
}
#endif

bool guid_parse(struct str s, uint8_t ret[16])
{
	if (s.n == GUID_TEXT_BYTES)
		return parse_36((const uint8_t *)s.p, ret);
	if (s.n == GUID_TEXT_BYTES + 2 && s.p[0] == '{' && s.p[s.n - 1] == '}')
		return parse_36((const uint8_t *)s.p + 1, ret);
	return false;
}

const char *guid_format(const uint8_t g[16], char out[GUID_TEXT_SIZE])
{
	static const char digit[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++) {
		out[text_place[i]] = digit[g[i] >> 4];
		out[text_place[i] + 1] = digit[g[i] & 15];
	}
	out[8] = out[13] = out[18] = out[23] = '-';
	out[GUID_TEXT_BYTES] = '\0';
	return out;
}

/* value of a base64 character of either alphabet (- _ and + /), plus 1; 0 marks everything else */
static const uint8_t base64_value[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['-'] = 63, ['+'] = 63, ['_'] = 64, ['/'] = 64,
};

/* No padding.  n characters to n * 6 / 8 bytes; spare bits must be zero, or two texts would mean one id.  Token ids are
 * random, and so would be a branch on their characters: marks are collected and judged at the end. */
static bool base64_decode(const char *s, size_t n, uint8_t *ret)
{
	unsigned acc = 0, bits = 0, bad = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned v = base64_value[(uint8_t)s[i]];

		bad |= v - 1; /* 0 becomes all ones */
		acc = (acc << 6 | ((v - 1) & 63)) & 0xfff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*ret++ = (uint8_t)(acc >> bits);
		}
	}
	return bad < 64 && (acc & ((1u << bits) - 1)) == 0;
}

bool guid_from_token_id(struct str s, uint8_t ret[16])
{
	uint8_t bytes[GUID_TEXT_BYTES];

	if (s.n == GUID_TEXT_BYTES || s.n == GUID_TEXT_BYTES + 2)
		return guid_parse(s, ret);
	if (s.n == TOKEN_ID_TEXT_BYTES)
		return base64_decode(s.p, s.n, bytes) && parse_36(bytes, ret);
	if (s.n == TOKEN_ID_BYTES + 2 && s.p[s.n - 1] == '=' && s.p[s.n - 2] == '=') /* some writers pad */
		s.n -= 2;
	if (s.n != TOKEN_ID_BYTES || !base64_decode(s.p, s.n, bytes))
		return false;
	for (unsigned i = 0; i < 16; i++)
		ret[i] = bytes[dotnet_order[i]];
	return true;
}

const char *guid_to_token_id(const uint8_t g[16], char out[GUID_TEXT_SIZE])
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned acc = 0, bits = 0, n = 0;

	for (unsigned i = 0; i < 16; i++) {
		acc = (acc << 8 | g[dotnet_order[i]]) & 0x3fff;
		for (bits += 8; bits >= 6; bits -= 6)
			out[n++] = digit[acc >> (bits - 6) & 63];
	}
	out[n++] = digit[acc << (6 - bits) & 63];
	out[n] = '\0';
	return out;
}
