/* SPDX-License-Identifier: Apache-2.0 */
/* find_aes: expanded AES keys in memory (FIPS 197, 5.2): every word follows from earlier ones, so a schedule proves itself.
 *
 * Signal   w[4] = w[0] ^ f(w[3]) and w[5] = w[1] ^ w[4] for 128 bits, the like for 192 and 256: two equations of 32 bits hold by
 *          chance once in 2^64 places.  Then the whole schedule is computed and compared: 90 of 100 words must agree.
 * Catches  both word orders (bytes as FIPS 197 has them: AES-NI, mbedTLS, kernels; words of a big-endian cipher: OpenSSL's
 *          portable code), schedules for decryption (the equivalent inverse cipher: middle round keys through InvMixColumns,
 *          rounds in reverse order), schedules with some words overwritten after the first.
 * Misses   a key that was never expanded, bit-sliced and masked forms, schedules damaged in their first words, keys that
 *          are recomputed round by round.
 * Cost     sums of words for every four bytes, eight places at once; the S-box is looked up only where these allow it. */
#include <openssl/crypto.h>

#include "base/limits.h"
#include "dump/dump.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

const struct dump_finder dump_finder_find_aes;

#define WORDS_MAX 60

/* Tables are computed, not copied: the inverse in GF(2^8) and the affine map. */
static uint8_t sbox[256];
static uint32_t unmix[4][256]; /* InvMixColumns of one byte, for words in the order of bytes (little-endian loads) */

static uint8_t times(uint8_t a, uint8_t b)
{
	unsigned r = 0, x = a;
	for (unsigned k = b; k; k >>= 1, x = x << 1 ^ (x & 0x80 ? 0x11b : 0))
		r ^= k & 1 ? x : 0;
	return (uint8_t)r;
}

__attribute__((constructor)) static void fill(void)
{
	/* 3 generates the field: powers of it and of its inverse reach every pair */
	uint8_t p = 1, q = 1;
	do {
		p = times(p, 3);
		q = times(q, 0xf6);
		uint8_t r = (uint8_t)(q ^ (uint8_t)(q << 1 | q >> 7) ^ (uint8_t)(q << 2 | q >> 6) ^ (uint8_t)(q << 3 | q >> 5) ^ (uint8_t)(q << 4 | q >> 4));
		sbox[p] = r ^ 0x63;
	} while (p != 1);
	sbox[0] = 0x63;
	for (unsigned x = 0; x < 256; x++) {
		uint8_t b = (uint8_t)x;
		uint32_t column = times(b, 14) | (uint32_t)times(b, 9) << 8 | (uint32_t)times(b, 13) << 16 | (uint32_t)times(b, 11) << 24;
		for (int k = 0; k < 4; k++)
			unmix[k][x] = column << 8 * k | (k ? column >> (32 - 8 * k) : 0);
	}
}

static inline uint32_t load(const uint8_t *p)
{
	uint32_t x;
	memcpy(&x, p, 4);
	return x;
}

static inline uint32_t rotated(uint32_t x, unsigned left)
{
	return left ? x << left | x >> (32 - left) : x;
}

static inline uint32_t sub(uint32_t x)
{
	return (uint32_t)sbox[x & 255] | (uint32_t)sbox[x >> 8 & 255] << 8 | (uint32_t)sbox[x >> 16 & 255] << 16 | (uint32_t)sbox[x >> 24] << 24;
}

static inline uint32_t unmixed(uint32_t w)
{
	return unmix[0][w & 255] ^ unmix[1][w >> 8 & 255] ^ unmix[2][w >> 16 & 255] ^ unmix[3][w >> 24];
}

/* The schedule of the key w[0 .. nk), in the order of words it is written in. */
static void expand(uint32_t *w, unsigned nk, bool swapped)
{
	unsigned n = 4 * (nk + 7), rcon = 1;
	if (nk < 4)
		return; /* no such AES */
	for (unsigned i = nk; i < n; i++) {
		uint32_t t = w[i - 1];
		if (i % nk == 0) {
			t = swapped ? sub(rotated(t, 8)) ^ rcon << 24 : sub(rotated(t, 24)) ^ rcon;
			rcon = rcon << 1 ^ (rcon & 0x80 ? 0x11b : 0);
		} else if (nk == 8 && i % 8 == 4) {
			t = sub(t);
		}
		w[i] = w[i - nk] ^ t;
	}
}

struct kind {
	unsigned nk;
	bool swapped, inverse;
};

static void report(struct dump_scan *s, const struct dump_block *b, size_t at, const struct kind *k, bool damaged)
{
	struct dump_hit hit = {
		.klass = DUMP_PROVED,
		.proof = DUMP_PROOF_SCHEDULE,
		.algorithm = DUMP_AES,
		.bits = 32 * k->nk,
		.key = -1,
		.form = k->inverse ? "aes-decryption-schedule" : "aes-schedule",
		.component = damaged ? "key schedule, damaged" : "key schedule",
		.layout = k->swapped ? "words swapped" : "bytes in order",
	};
	dump_report(s, &dump_finder_find_aes, b, at, (size_t)16 * (k->nk + 7), &hit);
}

/* Is there a schedule at p[at]?  The first nk words are taken for the key. */
static bool check(struct dump_scan *s, const struct dump_block *b, size_t at, const struct kind *k)
{
	uint32_t w[WORDS_MAX] = { 0 }, same = 0;
	unsigned n = 4 * (k->nk + 7);
	bool ok = false;
	if (b->n - at < 4 * (size_t)n)
		return false;
	for (unsigned i = 0; i < k->nk; i++)
		w[i] = load(b->p + at + 4 * (size_t)i);
	expand(w, k->nk, k->swapped);
	for (unsigned i = 0; i < n; i++)
		same += w[i] == load(b->p + at + 4 * (size_t)i);
	if (same * 10 >= n * 9) {
		report(s, b, at, k, same < n);
		ok = true;
	}
	OPENSSL_cleanse(w, sizeof w);
	return ok;
}

/* For decryption the rounds are in reverse order, the middle ones mixed.  The last round keys of the expansion come first,
 * so the words are put back: out[r] = round key n - r, unmixed in the middle, and then it is a plain schedule that must hold. */
static bool check_inverse(struct dump_scan *s, const struct dump_block *b, size_t at, const struct kind *k)
{
	uint32_t w[WORDS_MAX] = { 0 }, have[WORDS_MAX], same = 0;
	unsigned rounds = k->nk + 6, n = 4 * (rounds + 1);
	bool ok = false;
	if (b->n - at < 4 * (size_t)n)
		return false;
	for (unsigned i = 0; i < n; i++)
		have[i] = load(b->p + at + 4 * (size_t)i);
	/* the key: round keys 0 and, for longer keys, 1 (its words went through InvMixColumns, whose inverse is its cube) */
	for (unsigned i = 0; i < k->nk; i++) {
		uint32_t x = have[4 * (rounds - i / 4) + i % 4];
		if (i >= 4) {
			x = k->swapped ? __builtin_bswap32(x) : x;
			x = unmixed(unmixed(unmixed(x)));
			x = k->swapped ? __builtin_bswap32(x) : x;
		}
		w[i] = x;
	}
	expand(w, k->nk, k->swapped);
	for (unsigned i = 0; i < n; i++) {
		uint32_t x = w[4 * (rounds - i / 4) + i % 4];
		if (i >= 4 && i < 4 * rounds) {
			x = k->swapped ? __builtin_bswap32(x) : x;
			x = unmixed(x);
			x = k->swapped ? __builtin_bswap32(x) : x;
		}
		same += x == have[i];
	}
	if (same * 10 >= n * 9) {
		report(s, b, at, k, same < n);
		ok = true;
	}
	OPENSSL_cleanse(w, sizeof w);
	OPENSSL_cleanse(have, sizeof have);
	return ok;
}

/* ---- the filter ----
 *
 * Two equations each, without the S-box, which hold in either word order:
 *     128: w5 = w1 ^ w4, w6 = w2 ^ w5    192: w7 = w1 ^ w6, w8 = w2 ^ w7    256: w9 = w1 ^ w8, w10 = w2 ^ w9
 * For decryption, InvMixColumns being linear, the same sums hold in rounds 1, 2 and 3, which are in reverse:
 *     128: w5 = w9 ^ w4, w6 = w10 ^ w5   192: w6 = w8 ^ w5, w7 = w9 ^ w6    256: w5 = w13 ^ w4, w6 = w14 ^ w5
 * Zeros satisfy all of them; a schedule's words are hardly ever zero. */

static const struct equation {
	struct kind kind;
	unsigned a[3], b[3]; /* words whose sums must be zero */
} equations[6] = {
	{ { 4, false, false }, { 1, 4, 5 }, { 2, 5, 6 } },
	{ { 6, false, false }, { 1, 6, 7 }, { 2, 7, 8 } },
	{ { 8, false, false }, { 1, 8, 9 }, { 2, 9, 10 } },
	{ { 4, false, true }, { 9, 4, 5 }, { 10, 5, 6 } },
	{ { 6, false, true }, { 8, 5, 6 }, { 9, 6, 7 } },
	{ { 8, false, true }, { 13, 4, 5 }, { 14, 5, 6 } },
};

static void candidate(struct dump_scan *s, const struct dump_block *b, size_t at, unsigned which)
{
	struct kind k = equations[which].kind;
	const uint8_t *p = b->p + at;
	if (k.inverse) {
		if (!check_inverse(s, b, at, &k)) {
			k.swapped = true;
			(void)check_inverse(s, b, at, &k);
		}
		return;
	}
	/* the one word with the S-box and the first round constant, before the whole of it */
	uint32_t have = load(p) ^ load(p + 4 * (size_t)k.nk), last = load(p + 4 * (size_t)k.nk - 4);
	if (have == (sub(rotated(last, 24)) ^ 1U)) {
		(void)check(s, b, at, &k);
	} else if (have == (sub(rotated(last, 8)) ^ 1U << 24)) {
		k.swapped = true;
		(void)check(s, b, at, &k);
	}
}

static void scan_portable(struct dump_scan *s, const struct dump_block *b, size_t first)
{
	for (size_t at = first; at < b->own; at += 4) {
		const uint8_t *p = b->p + at;
		if ((load(p + 16) | load(p + 20) | load(p + 24)) == 0)
			continue;
		for (unsigned k = 0; k < 6; k++) {
			const struct equation *e = &equations[k];
			if ((load(p + 4 * e->a[0]) ^ load(p + 4 * e->a[1]) ^ load(p + 4 * e->a[2])) == 0
			    && (load(p + 4 * e->b[0]) ^ load(p + 4 * e->b[1]) ^ load(p + 4 * e->b[2])) == 0)
				candidate(s, b, at, k);
		}
	}
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline __m256i words(const uint8_t *p, unsigned i)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)(p + 4 * (size_t)i));
}

/* lanes in which a ^ b ^ c and d ^ e ^ f are zero */
__attribute__((target("avx2"))) static inline __m256i holds(__m256i a, __m256i b, __m256i c, __m256i d, __m256i e, __m256i f)
{
	__m256i x = _mm256_xor_si256(_mm256_xor_si256(a, b), c), y = _mm256_xor_si256(_mm256_xor_si256(d, e), f);
	return _mm256_cmpeq_epi32(_mm256_or_si256(x, y), _mm256_setzero_si256());
}

__attribute__((target("avx2"))) static void scan_avx2(struct dump_scan *s, const struct dump_block *b, size_t first)
{
	size_t at = first;
	for (; at < b->own; at += 32) {
		const uint8_t *p = b->p + at;
		__m256i w1 = words(p, 1), w2 = words(p, 2), w4 = words(p, 4), w5 = words(p, 5), w6 = words(p, 6), w7 = words(p, 7), w8 = words(p, 8),
		        w9 = words(p, 9), w10 = words(p, 10);
		__m256i hold[6] = {
			holds(w1, w4, w5, w2, w5, w6), holds(w1, w6, w7, w2, w7, w8), holds(w1, w8, w9, w2, w9, w10),
			holds(w9, w4, w5, w10, w5, w6), holds(w8, w5, w6, w9, w6, w7), holds(words(p, 13), w4, w5, words(p, 14), w5, w6),
		};
		__m256i any = _mm256_or_si256(_mm256_or_si256(_mm256_or_si256(hold[0], hold[1]), _mm256_or_si256(hold[2], hold[3])), _mm256_or_si256(hold[4], hold[5]));
		__m256i zero = _mm256_cmpeq_epi32(_mm256_or_si256(_mm256_or_si256(w4, w5), w6), _mm256_setzero_si256());
		any = _mm256_andnot_si256(zero, any);
		if (_mm256_testz_si256(any, any))
			continue;
		unsigned lanes = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(any));
		for (; lanes; lanes &= lanes - 1) {
			unsigned lane = (unsigned)__builtin_ctz(lanes);
			for (unsigned k = 0; k < 6 && at + 4 * (size_t)lane < b->own; k++)
				if ((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(hold[k])) >> lane & 1)
					candidate(s, b, at + 4 * (size_t)lane, k);
		}
	}
}
#endif

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	size_t first = (4 - (b->phase & 3)) & 3;
	(void)state;
#if defined(__x86_64__)
	if (dump_scan_options(s)->path != DUMP_PATH_PORTABLE && __builtin_cpu_supports("avx2")) {
		scan_avx2(s, b, first);
		return;
	}
#endif
	scan_portable(s, b, first);
}

const struct dump_finder dump_finder_find_aes = {
	.name = "aes",
	.doc = "expanded AES keys of 128, 192 and 256 bits, for both directions, in both word orders",
	.scan = scan,
};
