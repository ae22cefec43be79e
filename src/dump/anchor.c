/* SPDX-License-Identifier: Apache-2.0 */
/* anchor: the search itself (anchor.h).
 *
 * Magics are found as in Hyperscan's Teddy: eight buckets, for each of three consecutive bytes a table of which buckets allow
 * it, and a position is a candidate if some bucket allows all three.  Classes of text are found with two more look-ups: high
 * half and low half of a byte, each a set of bits, and what both have in common is the byte's classes. */
#include "dump/anchor.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Which bytes may be at the first, second and third place.  NULL = any. */
static const struct bucket {
	const char *bytes[3];
	int n[3];
} buckets[8] = {
	{ { "\x02", "\x01\x81\x82", NULL }, { 1, 3, 0 } },                  /* a DER version, or a large INTEGER */
	{ { "BPTt", "Eu-", "GTKk" }, { 4, 3, 4 } },                          /* -----BEGIN, PuTTY-User-Key-File, AGE-SECRET-KEY */
	{ { "R", "S", "A" }, { 1, 1, 1 } },                                  /* RSA2, RSA3, RSAKeyValue */
	{ { "E", "C", "SKDP" }, { 1, 1, 4 } },                               /* ECS2, ECK4, ECDV, ECPrivateKey */
	{ { "hsae", "-h2", "k-" }, { 4, 3, 2 } },                            /* opensSH-Key, SSH-rsa, shA2-, PrivatE-Key-format, privatE-Key */
	{ { "\x20\x21\x22\x23", "\x58\x59", "\x10\x20\x30\x38\x39\x42\x80\xc0\x01\x02\x04" }, { 4, 2, 11 } }, /* COSE_Key: a label below zero and bytes */
	{ { "\xf7", "\x0d", "\x01" }, { 1, 1, 1 } },                         /* the identifiers of PKCS#5 and #12 */
	{ { "\xfe\xce\xd0\x1e", "\xed\xce\x8c\xf1", "\xfe\xce\x9d\xb5" }, { 4, 4, 4 } }, /* Java stores, DPAPI, PVK */
};

/* Classes, as pairs of sets of high and low halves; bits 0..3 together are base64 (plus three other bytes, which the caller
 * sorts out), 1 and 4..7 hexadecimal digits and their separators. */
static const struct class {
	uint16_t high, low;
} classes[8] = {
	{ 1 << 2 | 1 << 5, 1 << 0xb | 1 << 0xd | 1 << 0xf }, /* + - / _ */
	{ 1 << 3, 0x03ff },                                  /* 0-9 */
	{ 1 << 4 | 1 << 6, 0xfffe },                         /* A-O a-o */
	{ 1 << 5 | 1 << 7, 0x07ff },                         /* P-Z p-z */
	{ 1 << 4 | 1 << 6, 0x007e },                         /* A-F a-f */
	{ 1 << 0 | 1 << 3, 1 << 0xa | 1 << 0xd },            /* LF CR : */
	{ 1 << 2, 1 << 0x0 | 1 << 0xc },                     /* blank , */
	{ 1 << 5 | 1 << 7, 1 << 0x8 | 1 << 0xc },            /* x X \\ */
};
#define BASE64_CLASSES 0x0f
#define HEX_CLASSES 0x12
#define SPACED_CLASSES 0xf2

struct tables {
	uint8_t magic_low[3][16], magic_high[3][16]; /* for look-ups by half bytes */
	uint8_t class_low[16], class_high[16];
	uint8_t magic[3][256], class[256];           /* for look-ups by bytes */
};

static struct tables tables;

/* Before main, so that no thread has to check that it is done. */
__attribute__((constructor)) static void fill(void)
{
	for (int b = 0; b < 8; b++) {
		for (int k = 0; k < 3; k++) {
			for (int c = 0; c < 256; c++) {
				bool in = buckets[b].bytes[k] == NULL || memchr(buckets[b].bytes[k], c, (size_t)buckets[b].n[k]) != NULL;
				if (!in)
					continue;
				tables.magic[k][c] |= (uint8_t)(1 << b);
				tables.magic_low[k][c & 15] |= (uint8_t)(1 << b);
				tables.magic_high[k][c >> 4] |= (uint8_t)(1 << b);
			}
		}
		for (int half = 0; half < 16; half++) {
			tables.class_low[half] |= (uint8_t)((classes[b].low >> half & 1) << b);
			tables.class_high[half] |= (uint8_t)((classes[b].high >> half & 1) << b);
		}
	}
	for (int c = 0; c < 256; c++)
		tables.class[c] = tables.class_low[c & 15] & tables.class_high[c >> 4];
}

/* Adds the places of the 32 bytes at `at`, from their masks. */
static inline size_t places(size_t at, uint32_t magic, uint32_t base64, uint32_t spaced, uint32_t hex, uint32_t zero, struct anchor *ret)
{
	size_t count = 0;
	if (base64) {
		if ((base64 & 0xffff) == 0xffff)
			ret[count++] = (struct anchor){ (uint32_t)at, SEED_BASE64 };
		if (base64 >> 16 == 0xffff)
			ret[count++] = (struct anchor){ (uint32_t)at + 16, SEED_BASE64 };
		if (spaced == 0xffffffff && base64 != 0xffffffff && __builtin_popcount(hex) >= 12)
			ret[count++] = (struct anchor){ (uint32_t)at, SEED_HEX };
		if ((base64 == 0x55555555 && zero == 0xaaaaaaaa) || (base64 == 0xaaaaaaaa && zero == 0x55555555))
			ret[count++] = (struct anchor){ (uint32_t)at, SEED_WIDE };
	}
	for (; magic; magic &= magic - 1)
		ret[count++] = (struct anchor){ (uint32_t)at + (uint32_t)__builtin_ctz(magic), ANCHOR_MAGIC };
	return count;
}

size_t anchors_find_portable(const uint8_t *p, size_t n, struct anchor *ret)
{
	size_t count = 0;
	for (size_t at = 0; at < n; at += 32) {
		uint32_t magic = 0, base64 = 0, spaced = 0, hex = 0, zero = 0;
		for (uint32_t i = 0; i < 32; i++) {
			const uint8_t *q = p + at + i;
			uint8_t class = tables.class[q[0]];
			magic |= (uint32_t)((tables.magic[0][q[0]] & tables.magic[1][q[1]] & tables.magic[2][q[2]]) != 0) << i;
			base64 |= (uint32_t)((class & BASE64_CLASSES) != 0) << i;
			spaced |= (uint32_t)((class & SPACED_CLASSES) != 0) << i;
			hex |= (uint32_t)((class & HEX_CLASSES) != 0) << i;
			zero |= (uint32_t)(q[0] == 0) << i;
		}
		if (n - at < 32)
			magic &= (1U << (n - at)) - 1;
		count += places(at, magic, base64, spaced, hex, zero, ret + count);
	}
	return count;
}

#if defined(__x86_64__)

bool anchors_have_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

__attribute__((target("avx2"))) static inline __m256i half_table(const uint8_t t[16])
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)t));
}

__attribute__((target("avx2"))) size_t anchors_find_avx2(const uint8_t *p, size_t n, struct anchor *ret)
{
	const __m256i half = _mm256_set1_epi8(15), none = _mm256_setzero_si256();
	const __m256i base64_bits = _mm256_set1_epi8(BASE64_CLASSES), spaced_bits = _mm256_set1_epi8((char)SPACED_CLASSES), hex_bits = _mm256_set1_epi8(HEX_CLASSES);
	const __m256i l0 = half_table(tables.magic_low[0]), h0 = half_table(tables.magic_high[0]), l1 = half_table(tables.magic_low[1]),
	              h1 = half_table(tables.magic_high[1]), l2 = half_table(tables.magic_low[2]), h2 = half_table(tables.magic_high[2]),
	              lc = half_table(tables.class_low), hc = half_table(tables.class_high);
	size_t count = 0;
	for (size_t at = 0; at < n; at += 32) {
		__m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + at));
		__m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + at + 1));
		__m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(p + at + 2));
		__m256i a_low = _mm256_and_si256(a, half), a_high = _mm256_and_si256(_mm256_srli_epi16(a, 4), half);
		__m256i b_low = _mm256_and_si256(b, half), b_high = _mm256_and_si256(_mm256_srli_epi16(b, 4), half);
		__m256i c_low = _mm256_and_si256(c, half), c_high = _mm256_and_si256(_mm256_srli_epi16(c, 4), half);
		__m256i m = _mm256_and_si256(_mm256_shuffle_epi8(l0, a_low), _mm256_shuffle_epi8(h0, a_high));
		m = _mm256_and_si256(m, _mm256_and_si256(_mm256_shuffle_epi8(l1, b_low), _mm256_shuffle_epi8(h1, b_high)));
		m = _mm256_and_si256(m, _mm256_and_si256(_mm256_shuffle_epi8(l2, c_low), _mm256_shuffle_epi8(h2, c_high)));
		uint32_t magic = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(m, none));
		__m256i class = _mm256_and_si256(_mm256_shuffle_epi8(lc, a_low), _mm256_shuffle_epi8(hc, a_high));
		uint32_t base64 = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(class, base64_bits), none));
		if (n - at < 32)
			magic &= (1U << (n - at)) - 1;
		/* sixteen in a row, sixteen of every other, or twelve among separators: fewer are no seed */
		if (magic == 0 && __builtin_popcount(base64) < 12)
			continue;
		uint32_t spaced = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(class, spaced_bits), none));
		uint32_t hex = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(class, hex_bits), none));
		uint32_t zero = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, none));
		count += places(at, magic, base64, spaced, hex, zero, ret + count);
	}
	return count;
}

#else

bool anchors_have_avx2(void)
{
	return false;
}

size_t anchors_find_avx2(const uint8_t *p, size_t n, struct anchor *ret)
{
	return anchors_find_portable(p, n, ret);
}

#endif

size_t anchors_find(const uint8_t *p, size_t n, struct anchor *ret)
{
	return anchors_have_avx2() ? anchors_find_avx2(p, n, ret) : anchors_find_portable(p, n, ret);
}
