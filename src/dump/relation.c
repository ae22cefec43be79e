/* SPDX-License-Identifier: Apache-2.0 */
/* relation: the arithmetic modulo N.
 *
 * Products are in Montgomery form, R = 2^(64 k).  A polynomial f(V) = prod (V - c) is evaluated by Horner's rule; V has only half the
 * limbs of N, so each step costs half a multiplication and half a reduction.  A step divides by S = 2^(64 h), h the limbs of V; the
 * coefficients were multiplied by powers of S to make up for that. */
#include "dump/relation.h"

#include <stdlib.h>
#include <string.h>

#include "dump/arena.h"

#define NEAR_SLACK 180 /* bits that an exponent's distance from a multiple of N may have more than a prime */
#define POWERS 6

static const uint8_t small[15] = { 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53 };
#define SMALL_PRODUCT UINT64_C(16294579238595022365)

/* ---- Montgomery ---- */

/* ret = t 2^(-64 steps) modulo N; t has k + steps limbs, t < N 2^(64 steps); it is destroyed */
static void reduce(const struct relation *r, mp_limb_t *ret, mp_limb_t *t, size_t steps)
{
	const size_t k = r->k;
	mp_limb_t carry = 0;

	for (size_t i = 0; i < steps; i++)
		t[i] = mpn_addmul_1(t + i, r->n, (mp_size_t)k, t[i] * r->inverse);
	memcpy(ret, t + steps, k * sizeof(*ret));
	carry = mpn_add_n(ret + (k - steps), ret + (k - steps), t, (mp_size_t)steps);
	if (carry || mpn_cmp(ret, r->n, (mp_size_t)k) >= 0)
		mpn_sub_n(ret, ret, r->n, (mp_size_t)k);
}

static void multiply(const struct relation *r, mp_limb_t *ret, const mp_limb_t *a, const mp_limb_t *b)
{
	mp_limb_t t[2 * RELATION_LIMBS];

	if (a == b)
		mpn_sqr(t, a, (mp_size_t)r->k);
	else
		mpn_mul_n(t, a, b, (mp_size_t)r->k);
	reduce(r, ret, t, r->k);
}

/* ret = a v S^-1, v of h limbs, h <= k */
static void multiply_short(const struct relation *r, mp_limb_t *ret, const mp_limb_t *a, const mp_limb_t *v, size_t h)
{
	mp_limb_t t[2 * RELATION_LIMBS];

	mpn_mul(t, a, (mp_size_t)r->k, v, (mp_size_t)h);
	reduce(r, ret, t, h);
}

static void add(const struct relation *r, mp_limb_t *ret, const mp_limb_t *a, const mp_limb_t *b)
{
	if (mpn_add_n(ret, a, b, (mp_size_t)r->k) || mpn_cmp(ret, r->n, (mp_size_t)r->k) >= 0)
		mpn_sub_n(ret, ret, r->n, (mp_size_t)r->k);
}

static void subtract(const struct relation *r, mp_limb_t *ret, const mp_limb_t *a, const mp_limb_t *b)
{
	if (mpn_sub_n(ret, a, b, (mp_size_t)r->k))
		mpn_add_n(ret, ret, r->n, (mp_size_t)r->k);
}

/* ret = 2^bits, in Montgomery form */
static void power_of_two(const struct relation *r, mp_limb_t *ret, unsigned bits)
{
	mp_limb_t x[RELATION_LIMBS];

	memcpy(x, r->one, r->k * sizeof(*x));
	for (unsigned i = 32; i-- > 0;) {
		multiply(r, x, x, x);
		if (bits >> i & 1)
			add(r, x, x, x);
	}
	memcpy(ret, x, r->k * sizeof(*ret));
}

static void from_montgomery(const struct relation *r, mp_limb_t *ret, const mp_limb_t *x)
{
	mp_limb_t t[2 * RELATION_LIMBS];

	memcpy(t, x, r->k * sizeof(*t));
	memset(t + r->k, 0, r->k * sizeof(*t));
	reduce(r, ret, t, r->k);
}

/* ---- polynomials ---- */

/* f = prod (V - roots), monic; roots in Montgomery form.  coefficients[j] = b_j of the scaled Horner rule: h = V + b_(n-1);
 * h = h V / S + b_j ... with b_j = a_j S^-(n-1-j), so that the result is S^-(n-1) f(V).  plain numbers, not in Montgomery form */
static bool polynomial(const struct relation *r, const mp_limb_t *roots, size_t n, size_t h, mp_limb_t *coefficients)
{
	const size_t k = r->k;
	mp_limb_t *a = calloc((n + 1) * k, sizeof(*a)), t[RELATION_LIMBS], s[RELATION_LIMBS];

	if (!a)
		return false;
	memcpy(a, r->one, k * sizeof(*a)); /* the polynomial 1 */
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 2; j-- > 0;) { /* a_j = a_(j-1) - root a_j, from the top down */
			multiply(r, t, a + j * k, roots + i * k);
			if (j)
				memcpy(a + j * k, a + (j - 1) * k, k * sizeof(*a));
			else
				memset(a, 0, k * sizeof(*a));
			subtract(r, a + j * k, a + j * k, t);
		}
	}
	/* t = S^-1 in Montgomery form: one S^-1 */
	memset(s, 0, sizeof(s));
	s[0] = 1;
	multiply_short(r, t, r->one, s, h);
	memcpy(s, r->one, k * sizeof(*s));
	for (size_t j = n; j-- > 0;) {
		multiply(r, a + j * k, a + j * k, s);
		from_montgomery(r, coefficients + j * k, a + j * k);
		multiply(r, s, s, t);
	}
	free(a);
	return true;
}

static void evaluate(const struct relation *r, const mp_limb_t *coefficients, size_t n, const mp_limb_t *v, size_t h, mp_limb_t *product)
{
	const size_t k = r->k;
	mp_limb_t x[RELATION_LIMBS + 1] = { 0 }, q[2];

	if (n == 0)
		return;
	memcpy(x, v, h * sizeof(*x));
	x[k] = mpn_add_n(x, x, coefficients + (n - 1) * k, (mp_size_t)k);
	if (x[k] || mpn_cmp(x, r->n, (mp_size_t)k) >= 0) /* whole words of memory are many times an N with a short top word */
		mpn_tdiv_qr(q, x, 0, x, (mp_size_t)(k + 1), r->n, (mp_size_t)k);
	for (size_t j = n - 1; j-- > 0;) {
		multiply_short(r, x, x, v, h);
		add(r, x, x, coefficients + j * k);
	}
	multiply(r, product, product, x);
}

void relation_multiply(const struct relation *r, enum relation_size size, const mp_limb_t *v, mp_limb_t *product)
{
	evaluate(r, r->common[size], r->n_common[size], v + 1, r->limbs[size], product);
}

void relation_multiply_rare(const struct relation *r, const mp_limb_t *v, mp_limb_t *product)
{
	evaluate(r, r->rare, r->n_rare, v + 1, r->limbs[RELATION_HALF], product);
}

/* ---- what has the size of a prime ---- */

static bool may_be_prime(const mp_limb_t *x, size_t n)
{
	mp_limb_t rest;

	if (!(x[0] & 1))
		return false;
	rest = mpn_mod_1(x, (mp_size_t)n, SMALL_PRODUCT);
	for (size_t i = 0; i < sizeof(small); i++)
		if (rest % small[i] == 0)
			return false;
	return true;
}

static unsigned bit_length(const mp_limb_t *x, size_t n)
{
	while (n && !x[n - 1])
		n--;
	return n ? (unsigned)(64 * n) - (unsigned)__builtin_clzll(x[n - 1]) : 0;
}

static void multiply_candidate(const struct relation *r, const mp_limb_t *x, mp_limb_t *product)
{
	const size_t h = r->limbs[RELATION_HALF];

	/* N is p times q, both of prime_bits, or q of one less if N has an odd number of bits */
	if (bit_length(x, h) + 1 >= r->prime_bits && bit_length(x, h) <= r->prime_bits && may_be_prime(x, h))
		multiply_short(r, product, product, x, h);
}

static void cut(mp_limb_t *x, size_t h, size_t bytes)
{
	if (bytes < 8 * h)
		x[h - 1] &= (UINT64_C(1) << 8 * (bytes - 8 * (h - 1))) - 1;
}

/* V p = 2^m - rest: N V = q 2^m - q rest, so q is the upper part of N V, rounded up.  V p = +-1 modulo R: N V = +-q modulo R. */
void relation_multiply_quotients(const struct relation *r, const mp_limb_t *v, mp_limb_t *product)
{
	const size_t h = r->limbs[RELATION_HALF], k = r->k;
	mp_limb_t t[2 * RELATION_LIMBS + 2], x[RELATION_LIMBS + 2], one = 1;
	unsigned length, shift;

	mpn_mul(t, r->n, (mp_size_t)k, v, (mp_size_t)(h + 1));
	length = bit_length(t, k + h + 1);
	for (unsigned bits = r->prime_bits; bits + 1 >= r->prime_bits && length > bits + 64; bits--) {
		size_t from;

		shift = length - bits;
		from = shift / 64;
		memset(x, 0, (h + 1) * sizeof(*x));
		for (size_t i = 0; i <= h && from + i < k + h + 1; i++)
			x[i] = t[from + i];
		if (shift % 64)
			mpn_rshift(x, x, (mp_size_t)(h + 1), shift % 64);
		multiply_candidate(r, x, product);
		mpn_add(x, x, (mp_size_t)(h + 1), &one, 1);
		multiply_candidate(r, x, product);
		if (r->bits % 2 == 0)
			break;
	}
	if (!(v[1] & 1))
		return;
	mpn_mul_n(t, r->n, v + 1, (mp_size_t)h);
	cut(t, h, r->bytes[RELATION_HALF]);
	multiply_candidate(r, t, product);
	mpn_neg(t, t, (mp_size_t)h);
	cut(t, h, r->bytes[RELATION_HALF]);
	multiply_candidate(r, t, product);
}

static bool divides(const struct relation *r, const mp_limb_t *x, size_t n)
{
	mp_limb_t q[RELATION_LIMBS + 1], rest[RELATION_LIMBS];

	while (n && !x[n - 1])
		n--;
	if (n == 0 || n > r->k || (n == 1 && x[0] == 1) || (n == r->k && mpn_cmp(x, r->n, (mp_size_t)n) == 0))
		return false;
	mpn_tdiv_qr(q, rest, 0, r->n, (mp_size_t)r->k, x, (mp_size_t)n);
	return mpn_zero_p(rest, (mp_size_t)n);
}

/* bit x of word p: x is a square modulo small[p] */
static uint64_t squares[sizeof(small)];

static void squares_init(void)
{
	for (size_t i = 0; i < sizeof(small); i++)
		for (unsigned x = 0; x < small[i]; x++)
			squares[i] |= UINT64_C(1) << x * x % small[i];
}

/* s^2 - 4 N (minus) or s^2 + 4 N a square, and s + root over 2 a factor?  s: h + 1 limbs */
static bool is_square(const struct relation *r, const mp_limb_t *s, bool minus, mp_limb_t *ret)
{
	const size_t h = r->limbs[RELATION_HALF] + 1;
	const mp_limb_t rest = mpn_mod_1(s, (mp_size_t)h, SMALL_PRODUCT);
	mp_limb_t t[2 * RELATION_LIMBS + 4] = { 0 }, four[RELATION_LIMBS + 1], root[RELATION_LIMBS + 2];
	size_t n = 2 * h;

	if (s[0] & 1) /* the sum and the difference of two odd numbers */
		return false;
	for (size_t i = 0; i < sizeof(small); i++) {
		const unsigned p = small[i], x = (unsigned)(rest % p), y = 4u * r->n_mod[i] % p;

		if (!(squares[i] >> (x * x + (minus ? p - y : y)) % p & 1))
			return false;
	}
	if (n < r->k + 1)
		return false;
	mpn_sqr(t, s, (mp_size_t)h);
	four[r->k] = mpn_lshift(four, r->n, (mp_size_t)r->k, 2);
	if (minus ? mpn_sub(t, t, (mp_size_t)n, four, (mp_size_t)(r->k + 1)) : mpn_add(t, t, (mp_size_t)n, four, (mp_size_t)(r->k + 1)))
		return false;
	while (n && !t[n - 1])
		n--;
	if (!n || !mpn_perfect_square_p(t, (mp_size_t)n))
		return false;
	memset(root, 0, sizeof(root));
	mpn_sqrtrem(root, NULL, t, (mp_size_t)n);
	mpn_add_n(root, root, s, (mp_size_t)h);
	mpn_rshift(root, root, (mp_size_t)h, 1);
	if (!divides(r, root, h))
		return false;
	memset(ret, 0, r->k * sizeof(*ret));
	memcpy(ret, root, (h < r->k ? h : r->k) * sizeof(*ret));
	return true;
}

bool relation_square(const struct relation *r, const mp_limb_t *v, mp_limb_t *ret)
{
	const size_t h = r->limbs[RELATION_HALF], bytes = r->bytes[RELATION_HALF];
	const size_t top = bytes / 8;
	const mp_limb_t bit = UINT64_C(1) << bytes % 8 * 8; /* 2^(8 bytes) is bit of limb top */
	mp_limb_t s[RELATION_LIMBS + 1], one = 1;

	memcpy(s, v + 1, h * sizeof(*s));
	s[h] = 0;
	if (is_square(r, s, false, ret) || is_square(r, s, true, ret))
		return true;
	s[top] += bit;
	if (is_square(r, s, true, ret))
		return true;
	/* p + q = N + 1 - (p-1)(q-1), modulo 2^(8 bytes) */
	mpn_add(s, r->n, (mp_size_t)h, &one, 1);
	mpn_sub_n(s, s, v + 1, (mp_size_t)h);
	cut(s, h, bytes);
	s[h] = 0;
	if (is_square(r, s, true, ret))
		return true;
	s[top] += bit;
	return is_square(r, s, true, ret);
}

/* t = j N - V: is it j (p+q-1), or 1 less?  Then V is a multiple of (p-1)(q-1), or follows one.  t: k limbs, destroyed */
static bool is_multiple_of_phi(const struct relation *r, mp_limb_t *t, const mp_limb_t *j, size_t n)
{
	const size_t h = r->limbs[RELATION_HALF] + 1;
	mp_limb_t s[RELATION_LIMBS] = { 0 }, rest[RELATION_LIMBS], factor[RELATION_LIMBS], one = 1;

	while (n > 1 && !j[n - 1])
		n--;
	for (int i = 0; i < 2; i++) {
		mpn_tdiv_qr(s, rest, 0, t, (mp_size_t)r->k, j, (mp_size_t)n);
		if (mpn_zero_p(rest, (mp_size_t)n) && bit_length(s, r->k) < 64 * h) {
			mpn_add_1(s, s, (mp_size_t)h, 1);
			if (is_square(r, s, true, factor))
				return true;
		}
		mpn_add(t, t, (mp_size_t)r->k, &one, 1);
	}
	return false;
}

/* G e V modulo N, taken between -N/2 and N/2, has some more bits than a prime, neither many more nor fewer.  e d = 1 + j (N + 1 - p - q). */
bool relation_near(const struct relation *r, const mp_limb_t *v, size_t more)
{
	const size_t k = r->k, n = k + more + 1;
	mp_limb_t t[2 * RELATION_LIMBS], q[RELATION_LIMBS + 2], rest[RELATION_LIMBS], j[RELATION_LIMBS + 2];
	unsigned length, expected;
	bool below = false;

	if (bit_length(v + 1, k + more) + 128 < r->bits) /* short: its own multiple */
		return false;
	t[k + more] = mpn_mul_1(t, v + 1, (mp_size_t)(k + more), r->near);
	mpn_tdiv_qr(q, rest, 0, t, (mp_size_t)n, r->n, (mp_size_t)k);
	length = bit_length(rest, k);
	if (length + 64 > r->bits) {
		mpn_sub_n(rest, r->n, rest, (mp_size_t)k);
		mpn_add_1(q, q, (mp_size_t)(more + 2), 1);
		length = bit_length(rest, k);
		below = true;
	}
	/* (p-1)(q-1) = N - (p+q-1): of c N the distance is c (p+q-1).  A multiple of N with something small is a division's, and nearer. */
	expected = bit_length(q, more + 2) + r->prime_bits;
	if (length + 4 < expected || length > expected + NEAR_SLACK || length + 128 > r->bits)
		return false;
	/* as near to a multiple of N as that, and half of it something else: memory that was used again.  Only exact ones count. */
	if (mpn_divrem_1(j, 0, q, (mp_size_t)(more + 2), r->near) != 0)
		return true;
	return below && mpn_divrem_1(rest, 0, rest, (mp_size_t)k, r->near) == 0 && is_multiple_of_phi(r, rest, j, more + 2);
}

/* ---- products ---- */

void relation_product_begin(const struct relation *r, mp_limb_t *product) { memcpy(product, r->one, r->k * sizeof(*product)); }

bool relation_product_end(const struct relation *r, const mp_limb_t *product, bool whole, mp_limb_t *ret)
{
	mp_limb_t x[RELATION_LIMBS], y[RELATION_LIMBS], g[RELATION_LIMBS] = { 0 };
	size_t n = r->k, got;
	unsigned least;

	while (n && !product[n - 1])
		n--;
	if (n == 0) {
		memcpy(ret, r->n, r->k * sizeof(*ret));
		return whole;
	}
	memcpy(x, r->n, r->k * sizeof(*x));
	memcpy(y, product, n * sizeof(*y));
	got = (size_t)mpn_gcd(g, x, (mp_size_t)r->k, y, (mp_size_t)n);
	/* an odd number that only looks like a modulus shares a 3 or 7 with many windows */
	least = r->bits / 3 > 64 ? r->bits / 3 - 40 : r->bits / 3;
	memset(ret, 0, r->k * sizeof(*ret));
	memcpy(ret, g, got * sizeof(*ret));
	return bit_length(ret, r->k) >= least && (whole || mpn_cmp(ret, r->n, (mp_size_t)r->k) != 0);
}

/* ---- exponents ---- */

/* P_k = B^(e (d_0 + 256 d_1 + ... + 256^(k-1) d_(k-1))).  A window at k is 256^k V: P_(k+h) = P_k B^(e 256^k V), and if e V = 1 modulo p - 1
 * then P_(k+h) = P_k B^(256^k) modulo p.  Powers of B^e for each place and half byte are in a table. */
#define HALVES 2
#define ENTRY(r, place, half, digit) ((r)->table + ((((place) * HALVES + (half)) * 16) + (digit)) * (r)->k)

size_t relation_exponents_scratch(const struct relation *r) { return (r->stretch + 1) * r->k; }

void relation_exponents(const struct relation *r, const uint8_t *digits, size_t n, const uint8_t *windows, mp_limb_t *product, mp_limb_t *scratch)
{
	const size_t k = r->k, h = r->bytes[RELATION_HALF];
	mp_limb_t x[RELATION_LIMBS];

	memcpy(scratch, r->one, k * sizeof(*scratch));
	for (size_t i = 0; i < n; i++) {
		mp_limb_t *next = scratch + (i + 1) * k;

		if (digits[i] & 15)
			multiply(r, next, scratch + i * k, ENTRY(r, i, 0, digits[i] & 15));
		else
			memcpy(next, scratch + i * k, k * sizeof(*next));
		if (digits[i] >> 4)
			multiply(r, next, next, ENTRY(r, i, 1, digits[i] >> 4));
	}
	for (size_t i = 0; i + h <= n; i++) {
		if (!windows[i])
			continue;
		multiply(r, x, scratch + i * k, r->wanted + i * k);
		subtract(r, x, scratch + (i + h) * k, x);
		multiply(r, product, product, x);
	}
}

static void tables(struct relation *r, uint64_t e)
{
	const size_t k = r->k;
	mp_limb_t base[RELATION_LIMBS], wanted[RELATION_LIMBS];

	/* B = 16: a square, so that (p-1)/2 and the like give themselves away */
	memcpy(wanted, r->one, k * sizeof(*wanted));
	for (int i = 0; i < 4; i++)
		add(r, wanted, wanted, wanted);
	memcpy(base, r->one, k * sizeof(*base));
	for (int i = 63; i >= 0; i--) {
		multiply(r, base, base, base);
		if (e >> i & 1)
			multiply(r, base, base, wanted);
	}
	for (size_t place = 0; place < r->stretch; place++) {
		memcpy(r->wanted + place * k, wanted, k * sizeof(*wanted));
		for (int i = 0; i < 8; i++)
			multiply(r, wanted, wanted, wanted);
		for (size_t half = 0; half < HALVES; half++) {
			memcpy(ENTRY(r, place, half, 0), r->one, k * sizeof(*base));
			for (size_t digit = 1; digit < 16; digit++)
				multiply(r, ENTRY(r, place, half, digit), ENTRY(r, place, half, digit - 1), base);
			multiply(r, base, ENTRY(r, place, half, 15), base);
		}
	}
}

/* ---- one N ---- */

static const uint8_t word_sizes[] = { 64, 128, 63, 62, 60, 56, 52, 51, 48, 44, 32, 31, 30, 29, 28, 26, 24, 16, 15 };
#define ROOTS_MAX 512

struct roots { unsigned bits[ROOTS_MAX]; size_t n; };

static void add_root(struct roots *list, unsigned bits)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->bits[i] == bits)
			return;
	if (list->n < ROOTS_MAX)
		list->bits[list->n++] = bits;
}

/* roots: 0, 1, -1, -2, and powers of two; then the polynomial */
static bool make_polynomial(struct relation *r, const struct roots *list, size_t from, bool units, size_t h, mp_limb_t *ret, size_t *ret_n)
{
	const size_t k = r->k;
	mp_limb_t *roots = calloc(list->n - from + 3, k * sizeof(*roots));
	size_t n = 0;
	bool ok = roots != NULL;

	if (ok && units) {
		n++; /* 0 */
		memcpy(roots + n++ * k, r->one, k * sizeof(*roots));
		mpn_sub_n(roots + n++ * k, r->n, r->one, (mp_size_t)k);
	}
	for (size_t i = from; i < list->n && ok; i++)
		power_of_two(r, roots + n++ * k, list->bits[i]);
	ok = ok && (n == 0 || polynomial(r, roots, n, h, ret));
	*ret_n = n;
	free(roots);
	return ok;
}

static unsigned round_up(unsigned bits, unsigned word) { return (bits + word - 1) / word * word; }

bool relation_new(struct relation *r, const uint8_t *n, size_t n_bytes, const uint8_t *e, size_t e_bytes, bool long_stretch)
{
	struct roots half = { 0 }, third = { 0 };
	size_t n_half, need, common = 0;
	uint64_t exponent = 0, g = 1;
	mp_limb_t *at;
	bool ok;

	*r = (struct relation){ 0 };
	while (n_bytes && !*n)
		n++, n_bytes--;
	for (size_t i = 0; i < e_bytes; i++)
		exponent = exponent >> 40 ? exponent : exponent << 8 | e[i];
	if (n_bytes < 32 || n_bytes > DUMP_RSA_BITS_MAX / 8 || !(n[n_bytes - 1] & 1))
		return false;
	if (exponent >> 40)
		exponent = 0;
	if (!squares[0])
		squares_init();
	r->k = (n_bytes + 7) / 8;
	r->bits = (unsigned)(8 * n_bytes) - (unsigned)__builtin_clz(n[0]) + 24;
	r->prime_bits = (r->bits + 1) / 2;
	r->bytes[RELATION_HALF] = (r->prime_bits + 7) / 8;
	r->bytes[RELATION_FULL] = n_bytes;
	r->bytes[RELATION_THIRD] = ((r->bits + 2) / 3 + 7) / 8;
	for (int i = 0; i < RELATION_SIZES; i++)
		r->limbs[i] = (r->bytes[i] + 7) / 8;
	for (unsigned j = 1; j <= POWERS; j++)
		add_root(&half, j * round_up(r->prime_bits, 64));
	for (unsigned j = 1; j <= 3; j++)
		add_root(&half, j * round_up(r->prime_bits, 32));
	n_half = half.n;
	for (size_t i = 0; i < sizeof(word_sizes); i++) {
		for (unsigned j = 1; j <= POWERS; j++)
			add_root(&half, j * round_up(r->prime_bits, word_sizes[i]));
		for (unsigned j = 1; j <= 3; j++)
			add_root(&half, j * round_up(r->bits, word_sizes[i]));
	}
	for (unsigned j = 1; j <= 3; j++) {
		add_root(&half, j * (round_up(r->prime_bits, 64) + 64));
		add_root(&third, j * round_up((r->bits + 2) / 3, 64));
		add_root(&third, j * round_up((r->bits + 2) / 3, 32));
	}
	common = n_half + 3 + 2 + third.n + 3;
	r->stretch = exponent ? (long_stretch ? 3 : 2) * r->bytes[RELATION_HALF] : 0;
	need = 3 + common + half.n - n_half + r->stretch * (HALVES * 16 + 1) + 8;
	r->memory_bytes = need * r->k * sizeof(mp_limb_t);
	r->memory = malloc(r->memory_bytes);
	if (!r->memory)
		return false;
	at = r->memory;
#define TAKE(count) (at += (count) * r->k, at - (count) * r->k)
	r->n = TAKE(1);
	r->one = TAKE(1);
	r->rr = TAKE(1);
	memset(r->n, 0, r->k * sizeof(*r->n));
	for (size_t i = 0; i < n_bytes; i++)
		r->n[i / 8] |= (mp_limb_t)n[n_bytes - 1 - i] << i % 8 * 8;
	r->inverse = r->n[0] * 3 ^ 2;
	for (int i = 0; i < 5; i++)
		r->inverse *= 2 - r->n[0] * r->inverse;
	r->inverse = 0 - r->inverse;
	for (size_t i = 0; i < sizeof(small); i++)
		r->n_mod[i] = (uint8_t)mpn_mod_1(r->n, (mp_size_t)r->k, small[i]);
	/* R = 2^(64 k) modulo N */
	{
		mp_limb_t x[RELATION_LIMBS + 1] = { 0 }, q[2];

		x[r->k] = 1;
		mpn_tdiv_qr(q, r->one, 0, x, (mp_size_t)(r->k + 1), r->n, (mp_size_t)r->k);
	}
	memcpy(r->rr, r->one, r->k * sizeof(*r->rr));
	/* small primes that p - 1 and q - 1 may share: they divide N - 1 */
	r->n[0]--;
	for (unsigned p = 2; p < 1024; p++) {
		bool prime = true;

		for (unsigned f = 2; f * f <= p && prime; f++)
			prime = p % f != 0;
		for (uint64_t power = p; prime && power < 4096 && !mpn_mod_1(r->n, (mp_size_t)r->k, power) && g * p * exponent >> 44 == 0; power *= p)
			g *= p;
	}
	r->n[0]++;
	r->near = g * (exponent ? exponent : 1);
	r->common[RELATION_HALF] = TAKE(n_half + 3);
	r->common[RELATION_FULL] = TAKE(1);
	r->common[RELATION_THIRD] = TAKE(third.n + 3);
	r->rare = TAKE(half.n - n_half);
	r->table = TAKE(r->stretch * HALVES * 16);
	r->wanted = TAKE(r->stretch);
#undef TAKE
	{
		struct roots first = half;

		first.n = n_half;
		ok = make_polynomial(r, &first, 0, true, r->limbs[RELATION_HALF], r->common[RELATION_HALF], &r->n_common[RELATION_HALF]) &&
		     make_polynomial(r, &half, n_half, false, r->limbs[RELATION_HALF], r->rare, &r->n_rare) &&
		     make_polynomial(r, &third, 0, true, r->limbs[RELATION_THIRD], r->common[RELATION_THIRD], &r->n_common[RELATION_THIRD]);
	}
	if (ok) { /* of N's size: 0, for multiples of a prime and the numbers of a CRT combination (those are 1 modulo the other prime) */
		mp_limb_t zero[RELATION_LIMBS] = { 0 };

		ok = polynomial(r, zero, 1, r->k, r->common[RELATION_FULL]);
		r->n_common[RELATION_FULL] = 1;
	}
	if (ok && exponent)
		tables(r, exponent);
	if (!ok)
		relation_free(r);
	return ok;
}

void relation_free(struct relation *r)
{
	relation_forget(r);
	free(r->memory); /* public numbers only */
	*r = (struct relation){ 0 };
}
