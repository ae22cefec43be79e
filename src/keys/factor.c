/* SPDX-License-Identifier: Apache-2.0 */
/* factor: a bounded search for a factor of a modulus: division by small primes, Pollard's p - 1 and Williams' p + 1, and Lenstra's
 * elliptic curves in Montgomery's form with Suyama's parameters.  Nothing is drawn at random: the same modulus gives the same answer.
 *
 * Each find is proved: a number that divides N, or an order of 2 that is smooth.  Without a find nothing is known of factors outside
 * the bounds of `rows`, which factor_bounds() says in words. */
#include <openssl/bn.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "keys/strength.h"

struct bounds {
	uint32_t divide, minus, minus_end, plus, curve, curve_end;
	unsigned curves;
	const char *text;
};

static const struct bounds rows[] = {
	[STRENGTH_SEARCH] = { 1 << 20, 1 << 14, 1 << 17, 1 << 11, 256, 1 << 13, 3,
		"factors below 2^20, and most below 2^28; p - 1 of primes up to 2^14 and one up to 2^17; p + 1 of primes up to 2^11" },
	[STRENGTH_THOROUGH] = { 1 << 20, 1 << 20, 1 << 24, 1 << 16, 11000, 1 << 20, 120,
		"factors below 2^20, and most below 2^64; p - 1 of primes up to 2^20 and one up to 2^24; p + 1 of primes up to 2^16" },
};

const char *factor_bounds(enum strength_effort effort) { return rows[effort].text; }

struct work {
	const BIGNUM *n;
	BN_MONT_CTX *mont;
	BN_CTX *ctx;
	uint8_t *sieve;  /* of numbers below the largest bound: 1 = no prime */
	BIGNUM *one;     /* in Montgomery's form */
	bool failed;     /* no memory */
};

static uint32_t next_prime(const struct work *w, uint32_t p)
{
	do
		p++;
	while (w->sieve[p]);
	return p;
}

/* All of these set w->failed and go on; the loops end all the same. */
static void mul(struct work *w, BIGNUM *r, const BIGNUM *a, const BIGNUM *b) { w->failed |= !BN_mod_mul_montgomery(r, a, b, w->mont, w->ctx); }
static void add(struct work *w, BIGNUM *r, const BIGNUM *a, const BIGNUM *b) { w->failed |= !BN_mod_add_quick(r, a, b, w->n); }
static void sub(struct work *w, BIGNUM *r, const BIGNUM *a, const BIGNUM *b) { w->failed |= !BN_mod_sub_quick(r, a, b, w->n); }
static void copy(struct work *w, BIGNUM *r, const BIGNUM *a) { w->failed |= !BN_copy(r, a); }
static void small(struct work *w, BIGNUM *r, BN_ULONG v) { w->failed |= !BN_set_word(r, v) || !BN_to_montgomery(r, r, w->mont, w->ctx); }

/* Has x, which may be in either form, something in common with N? */
static bool shares(struct work *w, const BIGNUM *x)
{
	BIGNUM *a, *b;
	bool yes = false;

	BN_CTX_start(w->ctx);
	a = BN_CTX_get(w->ctx);
	b = BN_CTX_get(w->ctx);
	if (!b || !BN_copy(a, w->n) || !BN_copy(b, x)) {
		w->failed = true;
	} else {
		while (!BN_is_zero(b) && BN_mod(a, a, b, w->ctx))
			BN_swap(a, b);
		yes = BN_is_zero(b) && !BN_is_one(a);
	}
	BN_CTX_end(w->ctx);
	return yes;
}

static BN_ULONG power_below(uint32_t p, uint32_t limit)
{
	BN_ULONG k = p;

	while (k * p <= limit)
		k *= p;
	return k;
}

/* For p - 1 and p + 1 that were made of small primes drawn at random: each prime twice, the smaller ones three times. */
static BN_ULONG power_of(uint32_t p, uint32_t limit)
{
	const BN_ULONG k = power_below(p, limit), least = p < limit / 4 ? (BN_ULONG)p * p * p : (BN_ULONG)p * p;

	return k > least ? k : least;
}

/* -- p - 1 -- */

static bool minus_one(struct work *w, uint32_t limit, uint32_t end)
{
	BIGNUM *x, *e, *t, *acc, *gap[128];
	uint32_t p = 1, last;
	bool found;

	BN_CTX_start(w->ctx);
	x = BN_CTX_get(w->ctx), e = BN_CTX_get(w->ctx), t = BN_CTX_get(w->ctx), acc = BN_CTX_get(w->ctx);
	for (size_t i = 0; i < 128; i++)
		gap[i] = BN_CTX_get(w->ctx);
	if (!gap[127]) {
		w->failed = true;
		BN_CTX_end(w->ctx);
		return false;
	}
	w->failed |= !BN_set_word(x, 2) || !BN_one(e);
	for (p = 2; p < limit && !w->failed; p = next_prime(w, p)) {
		w->failed |= !BN_mul_word(e, power_of(p, limit));
		if (BN_num_bits(e) > 4096 || next_prime(w, p) >= limit)
			w->failed |= !BN_mod_exp_mont(x, x, e, w->n, w->ctx, w->mont) || !BN_one(e);
	}
	w->failed |= !BN_sub(t, x, BN_value_one());
	found = !w->failed && shares(w, t); /* x = 1 too: then the order of 2 is smooth */
	/* one larger prime: the product of x^p - 1, by the differences of neighbours */
	if (!found && !w->failed) {
		w->failed |= !BN_to_montgomery(x, x, w->mont, w->ctx);
		mul(w, gap[1], x, x);
		for (size_t i = 2; i < 128; i++)
			mul(w, gap[i], gap[i - 1], gap[1]);
		w->failed |= !BN_from_montgomery(t, x, w->mont, w->ctx) || !BN_set_word(e, p) || !BN_mod_exp_mont(t, t, e, w->n, w->ctx, w->mont) ||
			     !BN_to_montgomery(t, t, w->mont, w->ctx);
		copy(w, acc, w->one);
		for (last = p; p < end && !w->failed; p = next_prime(w, p)) {
			if (p != last)
				mul(w, t, t, gap[(p - last) / 2]);
			last = p;
			sub(w, x, t, w->one);
			mul(w, acc, acc, x);
		}
		found = !w->failed && shares(w, acc);
	}
	BN_CTX_end(w->ctx);
	return found;
}

/* -- p + 1: Lucas' numbers V(k) = V1·V(k-1) - V(k-2); one of three beginnings in a half of all cases each -- */

static bool plus_one(struct work *w, uint32_t limit)
{
	static const BN_ULONG begins[] = { 3, 5, 9 };
	BIGNUM *two, *v, *a, *b;
	bool found = false;

	BN_CTX_start(w->ctx);
	two = BN_CTX_get(w->ctx), v = BN_CTX_get(w->ctx), a = BN_CTX_get(w->ctx), b = BN_CTX_get(w->ctx);
	w->failed |= !b;
	if (!w->failed)
		small(w, two, 2);
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]) && !w->failed && !found; i++) {
		small(w, v, begins[i]);
		for (uint32_t p = 2; p < limit && !w->failed; p = next_prime(w, p)) {
			const BN_ULONG k = power_of(p, limit);
			int bit = 63 - __builtin_clzll(k);
			copy(w, a, v); /* V(1), V(2) */
			mul(w, b, v, v);
			sub(w, b, b, two);
			while (bit-- > 0) {
				BIGNUM *twice = k >> bit & 1 ? b : a, *other = k >> bit & 1 ? a : b;
				mul(w, other, a, b);
				sub(w, other, other, v);
				mul(w, twice, twice, twice);
				sub(w, twice, twice, two);
			}
			copy(w, v, a);
		}
		sub(w, a, v, two);
		found = !w->failed && shares(w, a);
	}
	BN_CTX_end(w->ctx);
	return found;
}

/* -- curves -- */

struct xz { BIGNUM *x, *z; };

static struct xz get(struct work *w)
{
	struct xz r = { BN_CTX_get(w->ctx), BN_CTX_get(w->ctx) };

	w->failed |= !r.z;
	return r;
}

static void copy_point(struct work *w, struct xz r, struct xz a) { copy(w, r.x, a.x); copy(w, r.z, a.z); }

struct curve { BIGNUM *a24, *s, *d, *t, *u; };

static void twice(struct work *w, const struct curve *c, struct xz r, struct xz p)
{
	add(w, c->s, p.x, p.z);
	mul(w, c->s, c->s, c->s);
	sub(w, c->d, p.x, p.z);
	mul(w, c->d, c->d, c->d);
	mul(w, r.x, c->s, c->d);
	sub(w, c->t, c->s, c->d);
	mul(w, c->u, c->a24, c->t);
	add(w, c->u, c->u, c->d);
	mul(w, r.z, c->t, c->u);
}

/* p + q, whose difference is known; r may be p or q, and not the difference */
static void sum(struct work *w, const struct curve *c, struct xz r, struct xz p, struct xz q, struct xz difference)
{
	sub(w, c->s, p.x, p.z);
	add(w, c->d, q.x, q.z);
	mul(w, c->s, c->s, c->d);
	add(w, c->d, p.x, p.z);
	sub(w, c->t, q.x, q.z);
	mul(w, c->d, c->d, c->t);
	add(w, c->t, c->s, c->d);
	mul(w, c->t, c->t, c->t);
	sub(w, c->u, c->s, c->d);
	mul(w, c->u, c->u, c->u);
	mul(w, r.x, c->t, difference.z);
	mul(w, r.z, c->u, difference.x);
}

/* k·p, k > 1; a, b: scratch */
static void times(struct work *w, const struct curve *c, struct xz r, BN_ULONG k, struct xz p, struct xz a, struct xz b)
{
	copy_point(w, a, p);
	twice(w, c, b, p);
	for (int bit = 62 - __builtin_clzll(k); bit >= 0 && !w->failed; bit--) {
		if (k >> bit & 1) {
			sum(w, c, a, a, b, p);
			twice(w, c, b, b);
		} else {
			sum(w, c, b, a, b, p);
			twice(w, c, a, a);
		}
	}
	copy_point(w, r, a);
}

static bool curve(struct work *w, BN_ULONG sigma, uint32_t limit, uint32_t end)
{
	enum { D = 210, BABIES = D / 4 + 1 };
	struct curve c;
	struct xz p, a, b, g, before, step, baby[BABIES];
	BIGNUM *xz[BABIES], *u, *v, *acc, *t;
	bool found = false;
	uint32_t q, m;

	BN_CTX_start(w->ctx);
	c = (struct curve){ BN_CTX_get(w->ctx), BN_CTX_get(w->ctx), BN_CTX_get(w->ctx), BN_CTX_get(w->ctx), BN_CTX_get(w->ctx) };
	p = get(w), a = get(w), b = get(w), g = get(w), before = get(w), step = get(w);
	for (size_t i = 0; i < BABIES; i++)
		baby[i] = get(w), xz[i] = BN_CTX_get(w->ctx);
	u = BN_CTX_get(w->ctx), v = BN_CTX_get(w->ctx), acc = BN_CTX_get(w->ctx), t = BN_CTX_get(w->ctx);
	if (!t || w->failed) {
		w->failed = true;
		goto out;
	}
	/* u = s² - 5, v = 4s; the point (u³ : v³); a24 = (v - u)³(3u + v)/(16u³v) */
	small(w, u, sigma * sigma - 5);
	small(w, v, 4 * sigma);
	mul(w, p.x, u, u);
	mul(w, p.x, p.x, u);
	mul(w, p.z, v, v);
	mul(w, p.z, p.z, v);
	small(w, t, 16);
	mul(w, t, t, p.x);
	mul(w, t, t, v);
	w->failed |= !BN_from_montgomery(t, t, w->mont, w->ctx);
	if (w->failed || shares(w, t)) {
		found = !w->failed && !BN_is_zero(t);
		goto out;
	}
	w->failed |= !BN_mod_inverse(t, t, w->n, w->ctx) || !BN_to_montgomery(t, t, w->mont, w->ctx);
	sub(w, c.a24, v, u);
	mul(w, c.s, c.a24, c.a24);
	mul(w, c.a24, c.s, c.a24);
	add(w, c.s, u, u);
	add(w, c.s, c.s, u);
	add(w, c.s, c.s, v);
	mul(w, c.a24, c.a24, c.s);
	mul(w, c.a24, c.a24, t);
	for (q = 2; q < limit && !w->failed; q = next_prime(w, q))
		times(w, &c, p, power_below(q, limit), p, a, b);
	if ((found = !w->failed && shares(w, p.z)))
		goto out;
	/* one larger prime q = m·D ± r, r odd: x(mDp)·z(rp) = x(rp)·z(mDp) modulo the factor */
	copy_point(w, baby[0], p);
	twice(w, &c, a, p);
	sum(w, &c, baby[1], a, p, p);
	for (size_t i = 2; i < BABIES; i++)
		sum(w, &c, baby[i], baby[i - 1], a, baby[i - 2]);
	for (size_t i = 0; i < BABIES; i++)
		mul(w, xz[i], baby[i].x, baby[i].z);
	times(w, &c, step, D, p, a, b);
	m = (q + D / 2) / D;
	m = m < 2 ? 2 : m;
	times(w, &c, g, m, step, a, b);
	if (m == 2)
		copy_point(w, before, step);
	else
		times(w, &c, before, m - 1, step, a, b);
	copy(w, acc, w->one);
	mul(w, v, g.x, g.z);
	for (; q < end && !w->failed; q = next_prime(w, q)) {
		uint32_t r;
		if (q + D / 2 < m * D)
			continue;
		while (q > m * D + D / 2) {
			sum(w, &c, a, g, step, before);
			copy_point(w, before, g);
			copy_point(w, g, a);
			mul(w, v, g.x, g.z);
			m++;
		}
		r = q > m * D ? q - m * D : m * D - q;
		sub(w, t, g.x, baby[r / 2].x);
		add(w, u, g.z, baby[r / 2].z);
		mul(w, t, t, u);
		sub(w, t, t, v);
		add(w, t, t, xz[r / 2]);
		mul(w, acc, acc, t);
	}
	found = !w->failed && shares(w, acc);
out:
	BN_CTX_end(w->ctx);
	return found;
}

static uint8_t *make_sieve(uint32_t limit)
{
	uint8_t *s = calloc(limit, 1);

	for (uint64_t p = 2; s && p * p < limit; p++)
		for (uint64_t k = p * p; !s[p] && k < limit; k += p)
			s[k] = 1;
	return s;
}

uint32_t factor_search(const uint8_t *modulus, size_t modulus_bytes, enum strength_effort effort)
{
	const struct bounds *r = &rows[effort];
	const uint32_t largest = (r->minus_end > r->curve_end ? r->minus_end : r->curve_end) + 1000; /* beyond the next prime */
	BIGNUM *n = modulus_bytes <= STRENGTH_BITS_MAX / 8 ? BN_bin2bn(modulus, (int)modulus_bytes, NULL) : NULL;
	struct work w = { .n = n, .mont = BN_MONT_CTX_new(), .ctx = BN_CTX_new(), .one = BN_new() };
	uint32_t found = 0;

	if (n && BN_num_bits(n) > 128 && BN_is_odd(n) && w.mont && w.ctx && w.one && (w.sieve = make_sieve(largest)) && BN_MONT_CTX_set(w.mont, n, w.ctx)) {
		small(&w, w.one, 1);
		if (strength_has_factor_below(n, r->divide))
			found = WEAK_SMALL;
		else if (minus_one(&w, r->minus, r->minus_end) || plus_one(&w, r->plus))
			found = WEAK_SMOOTH;
		for (unsigned i = 0; i < r->curves && !found && !w.failed; i++)
			if (curve(&w, 6 + i, r->curve, r->curve_end))
				found = WEAK_FACTOR;
	}
	if (!w.sieve || w.failed)
		found = WEAK_UNTESTED;
	free(w.sieve);
	BN_free(n);
	BN_free(w.one);
	BN_MONT_CTX_free(w.mont);
	BN_CTX_free(w.ctx);
	ERR_clear_error();
	return found;
}
