/* SPDX-License-Identifier: Apache-2.0 */
/* exponent: the private exponent d of a known (N, e), alone, without p and q.
 *
 * e d = 1 + k phi(N) / g with a small g, and phi(N) equals N except for its lower half.  So the upper half of d is (k / g) N / e:
 * public, up to a fraction whose denominator g divides N - 1.  Each window of N's size is tested in three steps:
 *
 *   1. doubles: is G e D / N near an integer?  (D: the top 64 bits; G: the small primes' part of N - 1)
 *   2. integers: is it one, to the precision of the top 128 bits?
 *   3. OpenSSL: 2^(e d) = 2 modulo N.
 *
 * What passes 2 and not 3 is an exponent whose lower half is damaged: suspected, and worth erasing.
 * Misses: e >= 2^32; d modulo lcm(p-1, q-1) whose g has a large prime (0.13 % of such keys); big-endian d with leading zero
 * bytes that are not written. */
#include <math.h>
#include <stdlib.h>

#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/density.h"
#include "dump/find_int.h"
#include "dump/redc.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define G_MAX (UINT64_C(1) << 20)
#define GE_MAX (UINT64_C(1) << 40)

struct prey {
	const struct dump_target *target;
	size_t bytes;                 /* of N, and of a window */
	double factor;                /* G e / N's top 64 bits */
	double low, high, tolerance;  /* low <= G x < high */
	uint64_t ge;
	unsigned __int128 n_top;      /* the top 128 bits of the window that N would fill */
};

struct exponent {
	struct prey *preys;
	size_t n, near;               /* as in find_divisor.c */
	enum dump_path path;
};

extern const struct dump_finder dump_finder_find_exponent;

static void end(void *state)
{
	struct exponent *x = state;

	if (x)
		free(x->preys);
	free(x);
}

/* The product of the prime powers below 4096 of n - 1; the largest primes are dropped until it is at most `most`. */
static uint64_t smooth_part(const BIGNUM *n, uint64_t most)
{
	uint64_t powers[64], g = 1;
	size_t count = 0;
	BIGNUM *m = BN_dup(n);

	if (!m || !BN_sub_word(m, 1)) {
		BN_free(m);
		return 1;
	}
	for (uint64_t p = 2; p < 4096 && count < 64; p++) {
		uint64_t power = 1;
		bool prime = true;

		for (uint64_t f = 2; f * f <= p && prime; f++)
			prime = p % f != 0;
		while (prime && power * p < 4096 && BN_mod_word(m, (BN_ULONG)(power * p)) == 0)
			power *= p;
		if (power > 1)
			powers[count++] = power;
	}
	BN_free(m);
	for (size_t i = 0; i < count && g <= most / powers[i]; i++)
		g *= powers[i];
	return g;
}

static bool put(struct prey *y, const struct dump_target *t)
{
	BIGNUM *n = BN_bin2bn(t->n.p, (int)t->n.n, NULL);
	uint8_t top[16];
	uint64_t e = 0, g;
	bool ok = false;

	for (size_t i = 0; i < t->e.n && t->e.n <= 8; i++)
		e = e << 8 | t->e.p[i];
	if (!n || t->e.n > 8 || e < 3 || e >> 32 || BN_num_bits(n) < 384 || BN_num_bits(n) > DUMP_RSA_BITS_MAX)
		goto out;
	g = smooth_part(n, GE_MAX / e < G_MAX ? GE_MAX / e : G_MAX);
	y->target = t;
	y->bytes = (size_t)BN_num_bytes(n);
	y->ge = g * e;
	memcpy(top, t->n.p + (t->n.n - y->bytes), 16);
	y->n_top = (unsigned __int128)get64(top, true) << 64 | get64(top + 8, true);
	y->factor = (double)y->ge / (double)get64(top, true);
	y->low = 0.5; /* k / g >= 1 / G: the nearest integer is not 0 */
	y->high = (double)y->ge;
	y->tolerance = fmax(0x1p-19, (double)y->ge * 0x1p-50);
	ok = true;
out:
	BN_free(n);
	return ok;
}

static bool begin(struct dump_scan *s, struct dump_image *im, void **ret)
{
	struct exponent *x = calloc(1, sizeof(*x));
	const struct dump_target *t;
	size_t n;

	(void)im;
	t = dump_targets(s, &n);
	*ret = x;
	if (x)
		x->preys = calloc(n ? n : 1, sizeof(*x->preys));
	if (!x || !x->preys) {
		end(x);
		*ret = NULL;
		return false;
	}
	x->path = redc_path(dump_scan_options(s)->path);
	for (int distant = 0; distant < 2; distant++) {
		for (size_t i = 0; i < n; i++)
			if (t[i].algorithm == DUMP_RSA && t[i].distant == (distant != 0) && put(&x->preys[x->n], &t[i]))
				x->n++;
		if (!distant)
			x->near = x->n;
	}
	return true;
}

static unsigned __int128 top128(const uint8_t *p, size_t n, enum number_layout layout)
{
	switch (layout) {
	case NUMBER_BE:
		return (unsigned __int128)get64(p, true) << 64 | get64(p + 8, true);
	case NUMBER_J32:
		return (unsigned __int128)get32(p, false) << 96 | (unsigned __int128)get32(p + 4, false) << 64 |
		       (uint64_t)get32(p + 8, false) << 32 | get32(p + 12, false);
	case NUMBER_W64:
		return (unsigned __int128)get64(p + n - 8, true) << 64 | get64(p + n - 16, true);
	case NUMBER_W32:
		return (unsigned __int128)get32(p + n - 4, true) << 96 | (unsigned __int128)get32(p + n - 8, true) << 64 |
		       (uint64_t)get32(p + n - 12, true) << 32 | get32(p + n - 16, true);
	default:
		return (unsigned __int128)get64(p + n - 8, false) << 64 | get64(p + n - 16, false);
	}
}

/* 2^(e d) = 2 modulo N */
static bool is_exponent(const BIGNUM *n, const BIGNUM *e, const BIGNUM *d)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *two = BN_new(), *x = BN_secure_new();
	bool yes = ctx && two && x && BN_set_word(two, 2) && BN_mod_exp(x, two, d, n, ctx) && BN_mod_exp(x, x, e, n, ctx) &&
	           BN_cmp(x, two) == 0;

	BN_free(two);
	BN_clear_free(x);
	BN_CTX_free(ctx);
	return yes;
}

/* An exponent whose highest bytes are zero (one key in 256 has such) is seen a second time some bytes off, as 256 d and
 * the bytes next to it: near 256 times the same k. */
static bool is_shadow(const BIGNUM *n, const BIGNUM *e, const BIGNUM *d, uint64_t nearest)
{
	BIGNUM *x = BN_secure_new();
	bool yes = false;

	for (unsigned off = 1; off <= 4 && !yes && x && nearest % (UINT64_C(1) << 8 * off) == 0; off++)
		yes = BN_rshift(x, d, 8 * (int)off) && is_exponent(n, e, x);
	BN_clear_free(x);
	return yes;
}

static void confirm(struct dump_scan *s, const struct dump_block *b, const struct prey *y, enum number_layout layout, size_t i,
		    uint64_t nearest)
{
	const struct dump_target *t = y->target;
	BIGNUM *n = BN_bin2bn(t->n.p, (int)t->n.n, NULL), *e = BN_bin2bn(t->e.p, (int)t->e.n, NULL);
	BIGNUM *d = number_to_bn(layout, b->p + i, y->bytes);
	struct dump_hit hit = { .klass = DUMP_PROVED, .proof = DUMP_PROOF_EXPONENT, .form = "number", .algorithm = DUMP_RSA,
		                .bits = t->bits, .component = "d", .key = -1 };

	if (!n || !e || !d || BN_is_zero(d))
		goto out;
	hit.layout = find_layout(s, b, layout);
	if (is_exponent(n, e, d)) {
		hit.key = dump_key_rsa_d(s, n, e, d);
	} else if (nearest == y->ge || BN_num_bits(d) + 8 <= BN_num_bits(n) || is_shadow(n, e, d, nearest)) {
		goto out; /* N itself, or N or d some bytes off */
	} else {
		hit.klass = DUMP_SUSPECTED;
		hit.proof = DUMP_PROOF_SHAPE;
		hit.component = "part of d";
		hit.has_spki = true;
		memcpy(hit.spki, t->spki, sizeof(hit.spki));
	}
	dump_report(s, &dump_finder_find_exponent, b, i, y->bytes, &hit);
out:
	BN_free(n);
	BN_free(e);
	BN_clear_free(d);
}

/* steps 1 and 2, then OpenSSL */
static void try_window(struct dump_scan *s, const struct dump_block *b, const struct prey *y, enum number_layout layout, size_t i)
{
	unsigned __int128 d = top128(b->p + i, y->bytes, layout), r;
	double g = (double)(uint64_t)(d >> 64) * y->factor, nearest = rint(g);

	if (!(g >= y->low && g < y->high && fabs(g - nearest) < y->tolerance))
		return;
	r = d * y->ge - y->n_top * (uint64_t)nearest; /* modulo 2^128, and small either way round */
	if (r >> 127)
		r = -r;
	if (r >> 42 == 0) /* both sides are cut off below their 128th bit: up to G e and k G / g of error */
		confirm(s, b, y, layout, i, (uint64_t)nearest);
}

struct tops { double low, high, factor, tolerance; };

static uint64_t near_portable(const uint8_t *p, bool big, bool words, uint64_t mask, const struct tops *t)
{
	uint64_t ret = 0;

	for (; mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);
		uint64_t d = get64(p + i, big);
		double g;

		if (words)
			d = d << 32 | d >> 32;
		g = (double)d * t->factor;
		if (g >= t->low && g < t->high && fabs(g - rint(g)) < t->tolerance)
			ret |= UINT64_C(1) << i;
	}
	return ret;
}

#if defined(__x86_64__)
/* the eight loads at k, k + 8, ... are one of 64 bytes */
__attribute__((target("avx512f,avx512bw,avx512dq"))) static uint64_t near_avx512(const uint8_t *p, bool big, bool words, uint64_t mask,
										 const struct tops *t)
{
	const __m512i swap = _mm512_set_epi8(56, 57, 58, 59, 60, 61, 62, 63, 48, 49, 50, 51, 52, 53, 54, 55, 40, 41, 42, 43, 44, 45,
	                                     46, 47, 32, 33, 34, 35, 36, 37, 38, 39, 24, 25, 26, 27, 28, 29, 30, 31, 16, 17, 18, 19, 20,
	                                     21, 22, 23, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
	const uint64_t every8 = UINT64_C(0x0101010101010101);
	uint64_t ret = 0;

	for (unsigned k = 0; k < 8; k++) {
		__m512i d;
		__m512d g;
		uint64_t hits;

		if (!(mask >> k & every8))
			continue;
		d = _mm512_loadu_si512(p + k);
		if (big)
			d = _mm512_shuffle_epi8(d, swap);
		if (words)
			d = _mm512_rol_epi64(d, 32);
		g = _mm512_mul_pd(_mm512_cvtepu64_pd(d), _mm512_set1_pd(t->factor));
		hits = _mm512_cmp_pd_mask(g, _mm512_set1_pd(t->low), _CMP_GE_OQ) & _mm512_cmp_pd_mask(g, _mm512_set1_pd(t->high), _CMP_LT_OQ) &
		       _mm512_cmp_pd_mask(_mm512_abs_pd(_mm512_sub_pd(g, _mm512_roundscale_pd(g, 0))), _mm512_set1_pd(t->tolerance), _CMP_LT_OQ);
		for (; hits; hits &= hits - 1)
			ret |= UINT64_C(1) << (k + 8 * (unsigned)__builtin_ctzll(hits));
	}
	return ret & mask;
}
#endif

static void scan_one(struct dump_scan *s, const struct exponent *x, const struct prey *y, const struct dump_block *b,
		     const struct density *density, bool near)
{
	static const uint64_t every[9] = { [1] = ~UINT64_C(0), [4] = UINT64_C(0x1111111111111111), [8] = UINT64_C(0x0101010101010101) };
	const uint64_t le = every[b->step] << (8 - b->phase) % b->step;
	const uint64_t four = b->step == 1 ? ~UINT64_C(0) : every[4] << (8 - b->phase) % 4;
	const struct tops tops = { y->low, y->high, y->factor, y->tolerance };
	const bool swapped = b->im && b->im->big_endian, native = dump_scan_options(s)->native;
	uint64_t (*nearly)(const uint8_t *, bool, bool, uint64_t, const struct tops *) = near_portable;
	size_t limit;

	if (b->n < y->bytes)
		return;
	limit = b->n - y->bytes + 1 < b->own ? b->n - y->bytes + 1 : b->own;
#if defined(__x86_64__)
	if (x->path == DUMP_PATH_IFMA)
		nearly = near_avx512;
#endif
	for (size_t i = 0; i < limit; i += 64) {
		uint64_t dense = density_windows(density, i, y->bytes), hits;

		if (!dense) {
			if (i % 2048 == 1984 && i / 2048 + 1 < density->words && density->bits[i / 2048 + 1] == 0)
				i += 1984;
			continue;
		}
		if (limit - i < 64)
			dense &= (UINT64_C(1) << (limit - i)) - 1;
		for (hits = nearly(b->p + i + y->bytes - 8, false, false, dense & le, &tops); hits; hits &= hits - 1)
			try_window(s, b, y, NUMBER_LE, i + (size_t)__builtin_ctzll(hits));
		if (!near || (native && !swapped))
			continue;
		for (hits = nearly(b->p + i, true, false, dense, &tops); hits; hits &= hits - 1)
			try_window(s, b, y, NUMBER_BE, i + (size_t)__builtin_ctzll(hits));
		if (y->bytes % 8 == 0)
			for (hits = nearly(b->p + i, false, true, dense & four, &tops); hits; hits &= hits - 1)
				try_window(s, b, y, NUMBER_J32, i + (size_t)__builtin_ctzll(hits));
		if (swapped && y->bytes % 8 == 0) {
			for (hits = nearly(b->p + i + y->bytes - 8, true, false, dense & le, &tops); hits; hits &= hits - 1)
				try_window(s, b, y, NUMBER_W64, i + (size_t)__builtin_ctzll(hits));
			for (hits = nearly(b->p + i + y->bytes - 8, true, true, dense & four, &tops); hits; hits &= hits - 1)
				try_window(s, b, y, NUMBER_W32, i + (size_t)__builtin_ctzll(hits));
		}
	}
}

static void scan(struct dump_scan *s, void *state, const struct dump_block *b)
{
	const struct exponent *x = state;
	struct density density;

	if (x->n == 0)
		return;
	if (!density_new(&density, b->p, b->n, x->path)) {
		dump_limit(s, "out of memory: a block was not searched for exponents");
		return;
	}
	for (size_t i = 0; i < x->n; i++)
		scan_one(s, x, &x->preys[i], b, &density, i < x->near);
	density_free(&density);
}

const struct dump_finder dump_finder_find_exponent = {
	.name = "exponent",
	.doc = "d of a known RSA key, alone, in any layout",
	.decoded = true,
	.needs_targets = true,
	.begin = begin,
	.scan = scan,
	.end = end,
};
