/* SPDX-License-Identifier: Apache-2.0 */
/* strength: the tests that break weak public keys, over OpenSSL's big numbers.
 *
 * All input here is untrusted numbers, so all loops have a bound that does not depend on them: 100 Fermat
 * steps, as many convergents as a modulus has bits, Newton steps by the length of the number. */
#include "keys/strength.h"

#include <openssl/bn.h>
#include <stdlib.h>

#include "base/limits.h"
#include "keys/roca.h"

#define RSA_BITS_MIN 2048
#define FERMAT_STEPS 100
#define SMALL_FACTOR_LIMIT 65536
#define RATIO_MAX_LOAD 8
#define RATIO_MAX 32
#define RATIO_STEPS 16
#define TINY_BITS 1024
#define EXPONENT_CHOSEN_MAX 128 /* bits; a longer one is the inverse of a private exponent that was chosen */
#define PATTERN_RUN 16
#define EXPONENT_BITS_MAX 32

/* -- squares -- */

/* ret = floor(sqrt(a)): Newton from above, x <- (x + a/x)/2, falls until it is there */
static bool root(BIGNUM *ret, const BIGNUM *a, BN_CTX *ctx)
{
	BIGNUM *x, *y;
	bool ok = false;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	if (!y)
		goto out;
	if (BN_is_zero(a)) {
		BN_zero(ret);
		ok = true;
		goto out;
	}
	BN_zero(x);
	if (!BN_set_bit(x, (BN_num_bits(a) + 1) / 2))
		goto out;
	for (;;) {
		if (!BN_div(y, NULL, a, x, ctx) || !BN_add(y, y, x) || !BN_rshift1(y, y))
			goto out;
		if (BN_cmp(y, x) >= 0)
			break;
		if (!BN_copy(x, y))
			goto out;
	}
	ok = BN_copy(ret, x) != NULL;
out:
	BN_CTX_end(ctx);
	return ok;
}

/* A square leaves few remainders; a division by one word excludes 99 of 100 other numbers. */
static bool may_be_square(const BIGNUM *a)
{
	static const BN_ULONG moduli[] = { 64, 63, 65, 11, 17, 19, 23 };

	for (size_t i = 0; i < sizeof(moduli) / sizeof(moduli[0]); i++) {
		const BN_ULONG m = moduli[i], left = BN_mod_word(a, m);
		BN_ULONG k = 0;

		while (k < m && k * k % m != left)
			k++;
		if (k == m)
			return false;
	}
	return true;
}

static bool is_square(const BIGNUM *a, BN_CTX *ctx)
{
	BIGNUM *r;
	bool yes = false;

	if (BN_is_negative(a) || !may_be_square(a))
		return false;
	BN_CTX_start(ctx);
	r = BN_CTX_get(ctx);
	if (r && root(r, a, ctx) && BN_sqr(r, r, ctx))
		yes = BN_cmp(r, a) == 0;
	BN_CTX_end(ctx);
	return yes;
}

/* -- the tests of one modulus -- */

/* 0: not found; otherwise the step */
static unsigned fermat(const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *a, *rest, *step;
	unsigned found = 0;

	BN_CTX_start(ctx);
	a = BN_CTX_get(ctx);
	rest = BN_CTX_get(ctx);
	step = BN_CTX_get(ctx);
	if (!step || !root(a, n, ctx) || !BN_sqr(rest, a, ctx))
		goto out;
	if (BN_cmp(rest, n) < 0 && !BN_add_word(a, 1))
		goto out;
	if (!BN_sqr(rest, a, ctx) || !BN_sub(rest, rest, n))
		goto out;
	for (unsigned i = 1; i <= FERMAT_STEPS && !found; i++) {
		if (is_square(rest, ctx))
			found = i;
		/* (a+1)^2 - n = a^2 - n + 2a + 1 */
		else if (!BN_lshift1(step, a) || !BN_add_word(step, 1) || !BN_add(rest, rest, step) || !BN_add_word(a, 1))
			break;
	}
out:
	BN_CTX_end(ctx);
	return found;
}

/* N modulo products of primes, as many as fit into a word, and then modulo each of them. */
bool strength_has_factor_below(const BIGNUM *n, uint32_t limit)
{
	uint8_t *sieve = calloc(limit, 1);
	BN_ULONG product = 1, first = 2;
	bool found = !sieve; /* no memory: not called sound */

	for (uint32_t p = 2; p < limit && !found; p++) {
		if (sieve[p])
			continue;
		for (uint64_t k = (uint64_t)p * p; k < limit; k += p)
			sieve[k] = 1;
		if (product > (BN_ULONG)-1 / p) {
			const BN_ULONG left = BN_mod_word(n, product);
			for (uint32_t q = (uint32_t)first; q < p && !found; q++)
				found = !sieve[q] && left % q == 0;
			product = 1;
			first = p;
		}
		product *= p;
	}
	if (!found) {
		const BN_ULONG left = BN_mod_word(n, product);
		for (uint32_t q = (uint32_t)first; q < limit && !found; q++)
			found = !sieve[q] && left % q == 0;
	}
	free(sieve);
	return found;
}

/* Does x share a factor with n that is neither 1 nor n?  Euclid's own way: OpenSSL's BN_gcd() hides its operands by taking always the
 * longest time, which is 10 ms here and of no use for public numbers. */
static bool divides(const BIGNUM *x, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *a, *b;
	bool yes = false;

	BN_CTX_start(ctx);
	a = BN_CTX_get(ctx);
	b = BN_CTX_get(ctx);
	if (b && BN_copy(a, n) && BN_nnmod(b, x, n, ctx)) {
		while (!BN_is_zero(b) && BN_mod(a, a, b, ctx))
			BN_swap(a, b);
		yes = BN_is_zero(b) && !BN_is_one(a) && BN_cmp(a, n) != 0;
	}
	BN_CTX_end(ctx);
	return yes;
}

/* -- powers: without a prime factor below 2^16, the exponent is at most a sixteenth of the length -- */

/* A k-th power is one modulo every prime r = jk + 1, where only one remainder of k is. */
static bool may_be_power(const BIGNUM *n, unsigned k)
{
	unsigned tried = 0;

	for (uint64_t r = k == 2 ? 3 : 2 * (uint64_t)k + 1; tried < 8; r += k == 2 ? 2 : 2 * (uint64_t)k) {
		uint64_t x, y = 1;
		bool prime = true;

		for (uint64_t d = 3; d * d <= r && prime; d += 2)
			prime = r % d != 0;
		if (!prime)
			continue;
		x = BN_mod_word(n, (BN_ULONG)r);
		for (uint64_t e = (r - 1) / k; e; e >>= 1) {
			y = e & 1 ? y * x % r : y;
			x = x * x % r;
		}
		if (y > 1)
			return false;
		tried++;
	}
	return true;
}

static bool is_power_of(const BIGNUM *n, unsigned k, BN_CTX *ctx)
{
	BIGNUM *x, *y, *t, *e;
	bool yes = false;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	t = BN_CTX_get(ctx);
	e = BN_CTX_get(ctx);
	if (!e || !BN_set_bit(x, (BN_num_bits(n) + (int)k - 1) / (int)k))
		goto out;
	for (;;) { /* Newton from above */
		if (!BN_set_word(e, k - 1) || !BN_exp(t, x, e, ctx) || !BN_div(y, NULL, n, t, ctx) || !BN_copy(t, x) || !BN_mul_word(t, k - 1) ||
		    !BN_add(y, y, t) || BN_div_word(y, k) == (BN_ULONG)-1)
			goto out;
		if (BN_cmp(y, x) >= 0)
			break;
		BN_swap(x, y);
	}
	yes = BN_set_word(e, k) && BN_exp(t, x, e, ctx) && BN_cmp(t, n) == 0;
out:
	BN_CTX_end(ctx);
	return yes;
}

static bool is_power(const BIGNUM *n, BN_CTX *ctx)
{
	for (unsigned k = 2; k <= (unsigned)BN_num_bits(n) / 16 + 1; k++) {
		bool prime = true;
		for (unsigned d = 2; d * d <= k && prime; d++)
			prime = k % d != 0;
		if (prime && may_be_power(n, k) && is_power_of(n, k, ctx))
			return true;
	}
	return false;
}

/* -- primes that have something to do with each other -- */

static unsigned common(unsigned a, unsigned b)
{
	while (b) {
		const unsigned left = a % b;
		a = b;
		b = left;
	}
	return a;
}

/* p·b is close to q·a: then 4abN = (pb + qa)^2 - (pb - qa)^2, and the first square is the next one above 4abN, or nearly. */
static bool ratio(const BIGNUM *n, unsigned max, BN_CTX *ctx, struct strength *ret)
{
	BIGNUM *k, *a, *rest, *step, *r;
	bool found = false;

	BN_CTX_start(ctx);
	k = BN_CTX_get(ctx);
	a = BN_CTX_get(ctx);
	rest = BN_CTX_get(ctx);
	step = BN_CTX_get(ctx);
	r = BN_CTX_get(ctx);
	for (unsigned x = 1; r && x < max && !found; x++)
		for (unsigned y = x + 1; y <= max && !found; y++) {
			if (common(x, y) != 1)
				continue;
			if (!BN_copy(k, n) || !BN_mul_word(k, 4 * x * y) || !root(a, k, ctx) || !BN_add_word(a, 1) || !BN_sqr(rest, a, ctx) || !BN_sub(rest, rest, k))
				goto out;
			for (unsigned i = 0; i < RATIO_STEPS && !found; i++) {
				if (is_square(rest, ctx) && root(r, rest, ctx) && BN_add(r, r, a))
					found = divides(r, n, ctx);
				if (!BN_lshift1(step, a) || !BN_add_word(step, 1) || !BN_add(rest, rest, step) || !BN_add_word(a, 1))
					goto out;
			}
			ret->ratio_a = x;
			ret->ratio_b = y;
		}
out:
	BN_CTX_end(ctx);
	return found;
}

/* One of the four roots of m modulo 2^h, bit by bit; the others are its negative, and both with the highest bit turned. */
static bool root_mod_two(BIGNUM *ret, const BIGNUM *m, int h, BN_CTX *ctx)
{
	BIGNUM *t;
	bool ok;

	BN_CTX_start(ctx);
	t = BN_CTX_get(ctx);
	ok = t && BN_one(ret);
	for (int i = 3; i < h && ok; i++) {
		ok = BN_sqr(t, ret, ctx);
		if (ok && BN_is_bit_set(t, i) != BN_is_bit_set(m, i))
			ok = BN_set_bit(ret, i - 1);
	}
	BN_CTX_end(ctx);
	return ok;
}

/* p = a·2^h + c and q = b·2^h + c, or - c: N gives c, then a ± b modulo 2^h, which has no more bits than that or one. */
static bool halves_by(const BIGNUM *n, bool minus, BN_CTX *ctx)
{
	const int h = BN_num_bits(n) / 4;
	BIGNUM *m, *c, *s, *two_h, *t, *n4, *sum;
	bool found = false;

	BN_CTX_start(ctx);
	m = BN_CTX_get(ctx), c = BN_CTX_get(ctx), s = BN_CTX_get(ctx), two_h = BN_CTX_get(ctx), t = BN_CTX_get(ctx), n4 = BN_CTX_get(ctx);
	sum = BN_CTX_get(ctx);
	if (!sum || h < 8 || !BN_set_bit(two_h, h) || !BN_lshift(n4, n, 2) || !BN_nnmod(m, n, two_h, ctx) || (minus && !BN_sub(m, two_h, m)) ||
	    BN_mod_word(m, 8) != 1 || !root_mod_two(c, m, h, ctx))
		goto out;
	for (int which = 0; which < 4 && !found; which++) {
		if (which % 2 ? !BN_sub(c, two_h, c) : which && !(BN_is_bit_set(c, h - 1) ? BN_clear_bit(c, h - 1) : BN_set_bit(c, h - 1)))
			goto out;
		/* s = (N ∓ c²)/2^h · c^-1 mod 2^h */
		if (!BN_sqr(t, c, ctx) || !(minus ? BN_add(t, n, t) : BN_sub(t, n, t)) || !BN_rshift(t, t, h) || !BN_mod_inverse(s, c, two_h, ctx) ||
		    !BN_mod_mul(s, s, t, two_h, ctx))
			goto out;
		if (minus && !BN_sub(s, s, two_h))
			goto out;
		for (int i = 0; i < 3 && !found; i++) {
			/* p + q = s·2^h + 2c, or p - q = 2c - s·2^h */
			if (!BN_lshift(sum, s, h) || (minus && !BN_sub(sum, n4, sum)) || (minus && !BN_sub(sum, sum, n4)) || !BN_add(sum, sum, c) ||
			    !BN_add(sum, sum, c) || !BN_sqr(t, sum, ctx) || !(minus ? BN_add(t, t, n4) : BN_sub(t, t, n4)))
				goto out;
			found = is_square(t, ctx);
			if (!BN_add(s, s, two_h))
				goto out;
		}
	}
out:
	BN_CTX_end(ctx);
	return found;
}

/* N in base M is c2, c1, c0.  If p = aM + b and q = cM + d with small a, b, c, d, then these are the coefficients of a polynomial that
 * falls apart: its discriminant is a square.  M = 2^h: runs of zeros or ones; M = 1 + 2^w + 2^2w + ...: words of w bits, repeated. */
static bool digits_of(const BIGNUM *n, const BIGNUM *m, BN_CTX *ctx)
{
	BIGNUM *c2, *c1, *c0, *half, *t, *r;
	bool found = false;

	BN_CTX_start(ctx);
	c2 = BN_CTX_get(ctx), c1 = BN_CTX_get(ctx), c0 = BN_CTX_get(ctx), half = BN_CTX_get(ctx), t = BN_CTX_get(ctx), r = BN_CTX_get(ctx);
	if (!r || !BN_rshift1(half, m) || !BN_div(t, c0, n, m, ctx))
		goto out;
	if (BN_cmp(c0, half) > 0 && (!BN_sub(c0, c0, m) || !BN_add_word(t, 1)))
		goto out;
	if (!BN_div(c2, c1, t, m, ctx) || (BN_cmp(c1, half) > 0 && (!BN_sub(c1, c1, m) || !BN_add_word(c2, 1))))
		goto out;
	if (BN_is_zero(c2) || BN_is_zero(c0) || !BN_sqr(t, c1, ctx) || !BN_mul(r, c2, c0, ctx) || !BN_lshift(r, r, 2) || !BN_sub(t, t, r))
		goto out;
	/* 4·c2·N = (2·c2·M + c1)² - discriminant */
	if (is_square(t, ctx) && root(r, t, ctx) && BN_mul(t, c2, m, ctx) && BN_lshift1(t, t) && BN_add(t, t, c1) && BN_add(t, t, r))
		found = divides(t, n, ctx);
out:
	BN_CTX_end(ctx);
	return found;
}

/* all: words of any length; otherwise of whole bytes, or of 1, 2, 4 bits */
static bool has_digits(const BIGNUM *n, bool all, BN_CTX *ctx)
{
	const int bits = BN_num_bits(n), half = bits / 2;
	BIGNUM *m, *word;
	bool found = false;

	BN_CTX_start(ctx);
	m = BN_CTX_get(ctx);
	word = BN_CTX_get(ctx);
	for (int h = bits / 3 - 1; word && h <= half && !found; h++) {
		BN_zero(m);
		found = BN_set_bit(m, h) && digits_of(n, m, ctx);
	}
	for (int w = 1; word && w <= half / 2 && !found; w += all || w == 1 ? 1 : w < 8 ? w : 8)
		for (int length = half / w * w; length < half + 2 * w && !found; length += w) {
			BN_zero(m);
			BN_zero(word);
			found = BN_set_bit(m, length) && BN_sub_word(m, 1) && BN_set_bit(word, w) && BN_sub_word(word, 1) &&
				BN_div(m, NULL, m, word, ctx) && digits_of(n, m, ctx);
		}
	BN_CTX_end(ctx);
	return found;
}

/* k/d is a convergent of e/n.  If d is the private exponent, then (e·d - 1)/k is the order phi, and p and q are the roots of
 * x^2 - (n - phi + 1)·x + n: the discriminant is a square. */
static bool is_private(const BIGNUM *n, const BIGNUM *e, const BIGNUM *k, const BIGNUM *d, BN_CTX *ctx)
{
	BIGNUM *phi, *left, *sum, *n4;
	bool yes = false;

	BN_CTX_start(ctx);
	phi = BN_CTX_get(ctx);
	left = BN_CTX_get(ctx);
	sum = BN_CTX_get(ctx);
	n4 = BN_CTX_get(ctx);
	if (!n4 || BN_is_zero(k) || !BN_mul(phi, e, d, ctx) || !BN_sub_word(phi, 1) || !BN_div(phi, left, phi, k, ctx) ||
	    !BN_is_zero(left) || !BN_sub(sum, n, phi) || !BN_add_word(sum, 1) || BN_is_negative(sum))
		goto out;
	if (BN_sqr(sum, sum, ctx) && BN_lshift(n4, n, 2) && BN_sub(sum, sum, n4))
		yes = !BN_is_zero(sum) && is_square(sum, ctx);
out:
	BN_CTX_end(ctx);
	return yes;
}

static bool wiener(const BIGNUM *n, const BIGNUM *e, BN_CTX *ctx)
{
	const int bits = BN_num_bits(n);
	BIGNUM *a, *b, *q, *r, *k0, *k1, *d0, *d1, *t;
	bool found = false;

	BN_CTX_start(ctx);
	a = BN_CTX_get(ctx);
	b = BN_CTX_get(ctx);
	q = BN_CTX_get(ctx);
	r = BN_CTX_get(ctx);
	k0 = BN_CTX_get(ctx);
	k1 = BN_CTX_get(ctx);
	d0 = BN_CTX_get(ctx);
	d1 = BN_CTX_get(ctx);
	t = BN_CTX_get(ctx);
	if (!t || !BN_copy(a, e) || !BN_copy(b, n) || !BN_one(k1) || !BN_one(d0))
		goto out;
	BN_zero(k0); /* k0/d0 = 0/1 and k1/d1 = 1/0 precede the first convergent */
	BN_zero(d1);
	for (int i = 0; i < bits && !BN_is_zero(b) && !found; i++) {
		if (!BN_div(q, r, a, b, ctx) || !BN_mul(t, q, k1, ctx) || !BN_add(t, t, k0))
			break;
		BN_swap(k0, k1);
		BN_swap(k1, t);
		if (!BN_mul(t, q, d1, ctx) || !BN_add(t, t, d0))
			break;
		BN_swap(d0, d1);
		BN_swap(d1, t);
		if (BN_num_bits(d1) > bits / 2)
			break;
		found = is_private(n, e, k1, d1, ctx);
		BN_swap(a, b);
		BN_swap(b, r);
	}
out:
	BN_CTX_end(ctx);
	return found;
}

static bool has_pattern(const uint8_t *p, size_t n)
{
	size_t run = 1;

	for (size_t i = 1; i < n; i++) {
		run = p[i] == p[i - 1] ? run + 1 : 1;
		if (run == PATTERN_RUN)
			return true;
	}
	return false;
}

static bool is_biased(unsigned bits, unsigned permille)
{
	if (bits > 2000)
		return permille < 400 || permille > 600;
	return bits > 1000 && (permille < 380 || permille > 620);
}

static void judge_exponent(const BIGNUM *e, struct strength *ret)
{
	ret->exponent_bits = (unsigned)BN_num_bits(e);
	if (BN_is_zero(e) || BN_is_one(e))
		ret->found |= WEAK_EXP | WEAK_EXP_ONE;
	else if (!BN_is_odd(e) || ret->exponent_bits < 17 || ret->exponent_bits > EXPONENT_BITS_MAX)
		ret->found |= WEAK_EXP; /* an odd number of 17 bits is at least 65537 */
	if (ret->exponent_bits > EXPONENT_CHOSEN_MAX)
		ret->found |= WEAK_EXP_HUGE;
}

void strength_rsa(const uint8_t *modulus, size_t modulus_bytes, const uint8_t *exponent, size_t exponent_bytes,
		  enum strength_effort effort, struct strength *ret)
{
	BN_CTX *ctx = NULL;
	BIGNUM *n = NULL, *e = NULL;
	size_t ones = 0;

	*ret = (struct strength){ 0 };
	while (modulus_bytes && !*modulus)
		modulus++, modulus_bytes--;
	while (exponent_bytes && !*exponent)
		exponent++, exponent_bytes--;
	if (modulus_bytes > STRENGTH_BITS_MAX / 8 || exponent_bytes > STRENGTH_BITS_MAX / 8) {
		ret->bits = modulus_bytes > UINT32_MAX / 8 ? UINT32_MAX : (unsigned)modulus_bytes * 8;
		ret->exponent_bits = exponent_bytes > UINT32_MAX / 8 ? UINT32_MAX : (unsigned)exponent_bytes * 8;
		ret->found = WEAK_UNTESTED;
		return;
	}
	n = BN_bin2bn(modulus, (int)modulus_bytes, NULL);
	e = BN_bin2bn(exponent, (int)exponent_bytes, NULL);
	ctx = BN_CTX_new();
	if (!n || !e || !ctx) {
		ret->found = WEAK_UNTESTED;
		goto out;
	}
	ret->bits = (unsigned)BN_num_bits(n);
	for (size_t i = 0; i < modulus_bytes; i++)
		ones += (size_t)__builtin_popcount(modulus[i]);
	ret->ones_permille = ret->bits ? (unsigned)(ones * 1000 / ret->bits) : 0;
	if (ret->bits < RSA_BITS_MIN || ret->bits % 8)
		ret->found |= WEAK_SIZE;
	if (ret->bits <= TINY_BITS)
		ret->found |= WEAK_TINY;
	judge_exponent(e, ret);
	if (ret->bits < 2 || !BN_is_odd(n)) {
		ret->found |= WEAK_SMALL;
		goto out;
	}
	if (roca_suspect((struct str){ (const char *)modulus, modulus_bytes }))
		ret->found |= WEAK_ROCA;
	ret->fermat_steps = fermat(n, ctx);
	if (ret->fermat_steps)
		ret->found |= WEAK_FERMAT;
	if (strength_has_factor_below(n, SMALL_FACTOR_LIMIT))
		ret->found |= WEAK_SMALL;
	else if (is_power(n, ctx))
		ret->found |= WEAK_POWER;
	else if (BN_check_prime(n, ctx, NULL) != 0) /* 1: yes; -1: it cannot be said */
		ret->found |= WEAK_PRIME;
	else if (!ret->fermat_steps) {
		if (ratio(n, effort == STRENGTH_LOAD ? RATIO_MAX_LOAD : RATIO_MAX, ctx, ret))
			ret->found |= WEAK_RATIO;
		else if (halves_by(n, false, ctx) || halves_by(n, true, ctx))
			ret->found |= WEAK_HALVES;
		else if (has_digits(n, effort != STRENGTH_LOAD, ctx))
			ret->found |= WEAK_DIGITS;
	}
	if (has_pattern(modulus, modulus_bytes))
		ret->found |= WEAK_PATTERN;
	if (is_biased(ret->bits, ret->ones_permille))
		ret->found |= WEAK_BIAS;
	if (ret->exponent_bits > EXPONENT_BITS_MAX && wiener(n, e, ctx))
		ret->found |= WEAK_WIENER;
out:
	BN_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
}

/* -- primes in common -- */

struct tree {
	BIGNUM **nodes;      /* level 0 = the moduli; each level has half as many, the last one node */
	size_t start[64], width[64];
	unsigned levels;
	size_t count;        /* of nodes */
};

static void tree_release(struct tree *t)
{
	for (size_t i = 0; i < t->count; i++)
		BN_free(t->nodes[i]);
	free(t->nodes);
}

static bool tree_grow(struct tree *t, const struct modulus *moduli, size_t n, BN_CTX *ctx)
{
	size_t total = 0;

	for (size_t width = n;; width = (width + 1) / 2) {
		t->start[t->levels] = total;
		t->width[t->levels++] = width;
		total += width;
		if (width == 1)
			break;
	}
	t->nodes = calloc(total, sizeof(BIGNUM *));
	if (!t->nodes)
		return false;
	t->count = total;
	for (size_t i = 0; i < n; i++)
		if (moduli[i].n > STRENGTH_BITS_MAX / 8 || !(t->nodes[i] = BN_bin2bn(moduli[i].p, (int)moduli[i].n, NULL)))
			return false;
	for (unsigned level = 1; level < t->levels; level++)
		for (size_t i = 0; i < t->width[level]; i++) {
			BIGNUM **children = t->nodes + t->start[level - 1] + 2 * i, **node = t->nodes + t->start[level] + i;

			if (2 * i + 1 == t->width[level - 1]) {
				if (!(*node = BN_dup(children[0])))
					return false;
			} else if (!(*node = BN_new()) || !BN_mul(*node, children[0], children[1], ctx)) {
				return false;
			}
		}
	return true;
}

/* Downwards: each node becomes (its parent mod its square), so that a leaf ends as (product of all) mod n_i^2 */
static bool tree_remainders(struct tree *t, BN_CTX *ctx)
{
	BIGNUM *square = BN_new();
	bool ok = square != NULL;

	for (unsigned level = t->levels - 1; level-- > 0 && ok;)
		for (size_t i = 0; i < t->width[level] && ok; i++) {
			BIGNUM *node = t->nodes[t->start[level] + i];
			const BIGNUM *parent = t->nodes[t->start[level + 1] + i / 2];

			ok = BN_sqr(square, node, ctx) && BN_mod(node, parent, square, ctx);
		}
	BN_free(square);
	return ok;
}

/* Have a and b a common factor?  Euclid's own way: OpenSSL's BN_gcd() hides its operands by taking always the longest time,
 * which is 10 ms here and of no use for public numbers.  work, left: scratch. */
static bool share(const BIGNUM *a, const BIGNUM *b, BIGNUM *work, BIGNUM *left, BN_CTX *ctx, bool *ret)
{
	if (!BN_copy(work, b) || !BN_mod(left, a, b, ctx))
		return false;
	while (!BN_is_zero(left)) {
		BN_swap(work, left);
		if (!BN_mod(left, left, work, ctx))
			return false;
	}
	*ret = !BN_is_one(work);
	return true;
}

/* The few that share something are compared one by one to learn with whom. */
static bool find_partners(BIGNUM **moduli, const uint8_t *flagged, size_t n, int32_t *partner, BN_CTX *ctx)
{
	BIGNUM *work = BN_new(), *left = BN_new();
	bool ok = work && left;

	for (size_t i = 0; i < n && ok; i++)
		for (size_t k = i + 1; k < n && ok && flagged[i]; k++) {
			bool yes = false;

			if (!flagged[k] || (partner[i] >= 0 && partner[k] >= 0))
				continue;
			ok = share(moduli[i], moduli[k], work, left, ctx, &yes);
			if (yes && partner[i] < 0)
				partner[i] = (int32_t)k;
			if (yes && partner[k] < 0)
				partner[k] = (int32_t)i;
		}
	BN_free(work);
	BN_free(left);
	return ok;
}

bool strength_shared(const struct modulus *moduli, size_t n, int32_t *partner)
{
	struct tree t = { 0 };
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM **plain = calloc(n ? n : 1, sizeof(BIGNUM *)), *z = BN_new(), *work = BN_new();
	uint8_t *flagged = calloc(n ? n : 1, 1);
	bool ok = ctx && plain && z && work && flagged, any = false;

	for (size_t i = 0; i < n; i++)
		partner[i] = -1;
	if (!ok || n < 2)
		goto out;
	ok = tree_grow(&t, moduli, n, ctx);
	for (size_t i = 0; i < n && ok; i++)
		ok = !BN_is_zero(t.nodes[i]) && (plain[i] = BN_dup(t.nodes[i])) != NULL;
	ok = ok && tree_remainders(&t, ctx);
	for (size_t i = 0; i < n && ok; i++) {
		bool yes = false;

		/* z = (P mod n^2)/n = (P/n) mod n */
		ok = BN_div(z, NULL, t.nodes[i], plain[i], ctx);
		if (ok && BN_is_zero(z))
			yes = true;
		else if (ok)
			ok = share(z, plain[i], t.nodes[i], work, ctx, &yes);
		flagged[i] = yes;
		any |= yes;
	}
	if (ok && any)
		ok = find_partners(plain, flagged, n, partner, ctx);
out:
	tree_release(&t);
	for (size_t i = 0; i < n && plain; i++)
		BN_free(plain[i]);
	free(plain);
	free(flagged);
	BN_free(z);
	BN_free(work);
	BN_CTX_free(ctx);
	return ok;
}
