/* SPDX-License-Identifier: Apache-2.0 */
/* redc: see the header.  The scheme, for limbs of b bits, L of them, v = -w[0]^-1 modulo 2^b:
 *
 *     column k:  s = carry + N[k] + sum over i < k of low(m[i] w[k-i]) + high(m[i] w[k-1-i])
 *                m[k] = s v modulo 2^b;   carry = (s + low(m[k] w[0])) / 2^b
 *
 * m is -N/W modulo 2^(b L), so the quotient's top limb is 2^b - 1 - m[L-1], or one more.  Sums are kept by columns, so that they
 * stay in registers; a column is at most 2 L 2^52 < 2^64. */
#include "dump/redc.h"

#include <math.h>

#include "base/limits.h"
#include "dump/bytes.h"

#define N_BYTES_MAX (DUMP_RSA_BITS_MAX / 8)
#define MASK52 ((UINT64_C(1) << 52) - 1)

#if defined(__x86_64__)
#include <immintrin.h>
#define IFMA __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")))
#define MULX __attribute__((target("avx2,bmi2")))
#endif

enum dump_path redc_path(enum dump_path wanted)
{
	enum dump_path best = DUMP_PATH_PORTABLE;

#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		best = DUMP_PATH_AVX2;
	if (__builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl"))
		best = DUMP_PATH_IFMA;
#endif
	return wanted == DUMP_PATH_BEST || wanted > best ? best : wanted;
}

void redc_init(struct redc *r, unsigned bits, enum dump_path path)
{
	r->bits = bits;
	r->bytes = (bits + 7) / 8;
	r->limbs52 = (bits + 8 + 51) / 52; /* 8 bits to spare: the top limb of the quotient is exact in a double */
	r->limbs64 = (bits + 63) / 64;
	r->path = redc_path(path);
}

/* n / 2^shift as a double; shift may be negative */
static double scaled(const BIGNUM *n, int shift)
{
	uint8_t top[16];
	uint8_t bytes[N_BYTES_MAX];
	int size = BN_num_bytes(n), used;
	double x = 0;

	BN_bn2bin(n, bytes);
	used = size < 16 ? size : 16;
	memcpy(top, bytes, (size_t)used);
	for (int i = 0; i < used; i++)
		x = x * 256 + top[i];
	return ldexp(x, 8 * (size - used) - shift);
}

void redc_target_init(const struct redc *r, struct redc_target *t, const BIGNUM *n)
{
	uint8_t le[N_BYTES_MAX + 16] = { 0 };

	memset(t, 0, sizeof(*t));
	if (BN_bn2lebinpad(n, le, N_BYTES_MAX) < 0)
		return;
	for (unsigned i = 0; i < r->limbs52; i++)
		t->low52[i] = get64(le + 52 * i / 8, false) >> (52 * i % 8) & MASK52;
	for (unsigned i = 0; i < r->limbs64; i++)
		t->low64[i] = get64(le + 8 * i, false);
	t->top52 = scaled(n, 52 * (2 * (int)r->limbs52 - 4));
	t->top64 = scaled(n, 64 * (2 * (int)r->limbs64 - 4));
}

/* ---- limbs of 64 bits ---- */

static inline __attribute__((always_inline)) void load64(const struct redc *r, const uint8_t *p, enum redc_order order, uint64_t *w)
{
	const unsigned last = r->limbs64 - 1, left = 8 * r->bytes - 64 * last;

	for (unsigned i = 0; i <= last; i++)
		w[i] = order == REDC_LE ? get64(p + 8 * i, false) : get64(p + (ptrdiff_t)r->bytes - 8 - 8 * (ptrdiff_t)i, true);
	if (left < 64)
		w[last] &= (UINT64_C(1) << left) - 1;
}

static inline __attribute__((always_inline)) bool divides64(unsigned limbs, const uint64_t *w, const struct redc_target *t)
{
	uint64_t m[REDC_LIMBS64_MAX], v = 3 * w[0] ^ 2, low = 0, middle = 0, high = 0;
	double wd, estimate;

	if (limbs < 3)
		return false;
	for (int i = 0; i < 4; i++) /* 5, 10, 20, 40, 80 bits are right */
		v *= 2 - w[0] * v;
	v = -v;
	for (unsigned k = 0; k < limbs; k++) {
		unsigned __int128 product;

		/* high:middle:low += N[k] + sum of m[i] w[k - i] */
		product = (unsigned __int128)low + t->low64[k];
		low = (uint64_t)product;
		product = (unsigned __int128)middle + (uint64_t)(product >> 64);
		middle = (uint64_t)product;
		high += (uint64_t)(product >> 64);
		for (unsigned i = 0; i < k; i++) {
			unsigned __int128 sum;

			/* cppcheck-suppress uninitvar ; i < k, and m[0 .. k) are set */
			product = (unsigned __int128)m[i] * w[k - i];
			sum = (unsigned __int128)low + (uint64_t)product;
			low = (uint64_t)sum;
			sum = (unsigned __int128)middle + (uint64_t)(product >> 64) + (uint64_t)(sum >> 64);
			middle = (uint64_t)sum;
			high += (uint64_t)(sum >> 64);
		}
		m[k] = low * v;
		product = (unsigned __int128)m[k] * w[0] + low;
		product = (unsigned __int128)middle + (uint64_t)(product >> 64);
		low = (uint64_t)product;
		middle = high + (uint64_t)(product >> 64);
		high = 0;
	}
	/* the top words as doubles; at least three are there unless the prime is tiny */
	wd = (double)w[limbs - 1] * 0x1p128 + (double)w[limbs - 2] * 0x1p64 + (double)w[limbs - 3];
	estimate = t->top64 / wd; /* N / W / 2^(64 (L - 1)) */
	return fabs(estimate - (double)~m[limbs - 1]) <= 65536.0;
}

static inline __attribute__((always_inline)) void test64(const struct redc *r, const uint8_t *const *windows, unsigned count,
							 enum redc_order order, const struct redc_target *targets,
							 size_t n_targets, uint8_t *passed)
{
	uint64_t w[REDC_LIMBS64_MAX];

	memset(passed, 0, n_targets);
	for (unsigned l = 0; l < count; l++) {
		load64(r, windows[l], order, w);
		for (size_t t = 0; t < n_targets; t++) {
			bool ok = r->limbs64 == 16   ? divides64(16, w, &targets[t])
			          : r->limbs64 == 32 ? divides64(32, w, &targets[t])
			                             : divides64(r->limbs64, w, &targets[t]);

			passed[t] |= (uint8_t)((unsigned)ok << l);
		}
	}
}

static void test_portable(const struct redc *r, const uint8_t *const *windows, unsigned count, enum redc_order order,
			  const struct redc_target *targets, size_t n_targets, uint8_t *passed)
{
	test64(r, windows, count, order, targets, n_targets, passed);
}

#if defined(__x86_64__)

MULX static void test_mulx(const struct redc *r, const uint8_t *const *windows, unsigned count, enum redc_order order,
			   const struct redc_target *targets, size_t n_targets, uint8_t *passed)
{
	test64(r, windows, count, order, targets, n_targets, passed);
}

/* ---- limbs of 52 bits, eight windows ---- */

IFMA static inline __attribute__((always_inline)) void load52(unsigned limbs, unsigned bytes, const uint8_t *const *windows,
							      unsigned count, enum redc_order order, __m512i *w)
{
	const __m512i swap = _mm512_set_epi8(56, 57, 58, 59, 60, 61, 62, 63, 48, 49, 50, 51, 52, 53, 54, 55, 40, 41, 42, 43, 44, 45,
	                                     46, 47, 32, 33, 34, 35, 36, 37, 38, 39, 24, 25, 26, 27, 28, 29, 30, 31, 16, 17, 18, 19, 20,
	                                     21, 22, 23, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
	uint64_t address[REDC_LANES];
	__m512i base;

	for (unsigned l = 0; l < REDC_LANES; l++)
		address[l] = (uint64_t)(uintptr_t)windows[l < count ? l : 0];
	base = _mm512_loadu_si512(address);
	for (unsigned i = 0; i < limbs; i++) {
		const unsigned at = 52 * i / 8, shift = 52 * i % 8;
		const int left = (int)(8 * bytes) - (int)(52 * i);
		__m512i x;

		if (left <= 0) {
			w[i] = _mm512_setzero_si512();
			continue;
		}
		if (order == REDC_LE) {
			x = _mm512_i64gather_epi64(_mm512_add_epi64(base, _mm512_set1_epi64(at)), NULL, 1);
		} else {
			x = _mm512_i64gather_epi64(_mm512_add_epi64(base, _mm512_set1_epi64((long long)bytes - 8 - (long long)at)), NULL, 1);
			x = _mm512_shuffle_epi8(x, swap);
		}
		x = _mm512_srli_epi64(x, shift);
		w[i] = _mm512_and_si512(x, _mm512_set1_epi64((long long)(left >= 52 ? MASK52 : (UINT64_C(1) << left) - 1)));
	}
}

IFMA static inline __attribute__((always_inline)) uint8_t divides52(unsigned limbs, const __m512i *w, __m512i v, __m512d wd,
								    const struct redc_target *t)
{
	__m512i m[REDC_LIMBS52_MAX], carry = _mm512_setzero_si512(), top;
	__m512d difference;

	for (unsigned k = 0; k < limbs; k++) {
		__m512i a = carry, b = _mm512_set1_epi64((long long)t->low52[k]), c = _mm512_setzero_si512(), d = c;
		unsigned i = 0;

		for (; i + 2 <= k; i += 2) {
			a = _mm512_madd52lo_epu64(a, m[i], w[k - i]);
			b = _mm512_madd52hi_epu64(b, m[i], w[k - 1 - i]);
			c = _mm512_madd52lo_epu64(c, m[i + 1], w[k - 1 - i]);
			d = _mm512_madd52hi_epu64(d, m[i + 1], w[k - 2 - i]);
		}
		if (i < k) {
			a = _mm512_madd52lo_epu64(a, m[i], w[k - i]);
			b = _mm512_madd52hi_epu64(b, m[i], w[k - 1 - i]);
		}
		a = _mm512_add_epi64(_mm512_add_epi64(a, c), _mm512_add_epi64(b, d));
		m[k] = _mm512_madd52lo_epu64(_mm512_setzero_si512(), a, v);
		carry = _mm512_srli_epi64(_mm512_madd52lo_epu64(a, m[k], w[0]), 52);
	}
	top = _mm512_sub_epi64(_mm512_set1_epi64((long long)MASK52), m[limbs - 1]);
	difference = _mm512_sub_pd(_mm512_div_pd(_mm512_set1_pd(t->top52), wd), _mm512_cvtepu64_pd(top));
	return _mm512_cmp_pd_mask(_mm512_abs_pd(difference), _mm512_set1_pd(2.0), _CMP_LE_OQ);
}

IFMA static inline __attribute__((always_inline)) void test52(unsigned limbs, const struct redc *r, const uint8_t *const *windows,
							      unsigned count, enum redc_order order,
							      const struct redc_target *targets, size_t n_targets,
							      uint8_t *passed)
{
	const uint8_t lanes = (uint8_t)((1u << count) - 1);
	const __m512i two = _mm512_set1_epi64(2);
	__m512i w[REDC_LIMBS52_MAX], x;
	__m512d wd;

	if (order == REDC_LE)
		load52(limbs, r->bytes, windows, count, REDC_LE, w);
	else
		load52(limbs, r->bytes, windows, count, REDC_BE, w);
	x = _mm512_xor_si512(_mm512_add_epi64(_mm512_slli_epi64(w[0], 1), w[0]), two);
	for (int i = 0; i < 4; i++) {
		__m512i y = _mm512_madd52lo_epu64(_mm512_setzero_si512(), w[0], x);

		x = _mm512_madd52lo_epu64(_mm512_setzero_si512(), x, _mm512_sub_epi64(two, y));
	}
	x = _mm512_sub_epi64(_mm512_setzero_si512(), x);
	wd = _mm512_fmadd_pd(_mm512_cvtepu64_pd(w[limbs - 1]), _mm512_set1_pd(0x1p104),
	                     _mm512_fmadd_pd(_mm512_cvtepu64_pd(w[limbs - 2]), _mm512_set1_pd(0x1p52),
	                                     _mm512_cvtepu64_pd(w[limbs - 3])));
	for (size_t t = 0; t < n_targets; t++)
		passed[t] = divides52(limbs, w, x, wd, &targets[t]) & lanes;
}

IFMA static void test_ifma(const struct redc *r, const uint8_t *const *windows, unsigned count, enum redc_order order,
			   const struct redc_target *targets, size_t n_targets, uint8_t *passed)
{
	switch (r->limbs52) { /* the common sizes with their loops unrolled */
	case 10:
		test52(10, r, windows, count, order, targets, n_targets, passed);
		break;
	case 15:
		test52(15, r, windows, count, order, targets, n_targets, passed);
		break;
	case 20:
		test52(20, r, windows, count, order, targets, n_targets, passed);
		break;
	case 30:
		test52(30, r, windows, count, order, targets, n_targets, passed);
		break;
	case 40:
		test52(40, r, windows, count, order, targets, n_targets, passed);
		break;
	default:
		test52(r->limbs52, r, windows, count, order, targets, n_targets, passed);
	}
}

#endif

void redc_test(const struct redc *r, const uint8_t *const windows[REDC_LANES], unsigned count, enum redc_order order,
	       const struct redc_target *targets, size_t n_targets, uint8_t *passed)
{
	switch (r->path) {
#if defined(__x86_64__)
	case DUMP_PATH_IFMA:
		test_ifma(r, windows, count, order, targets, n_targets, passed);
		return;
	case DUMP_PATH_AVX2:
		test_mulx(r, windows, count, order, targets, n_targets, passed);
		return;
#endif
	default:
		test_portable(r, windows, count, order, targets, n_targets, passed);
	}
}
