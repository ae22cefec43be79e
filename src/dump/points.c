/* SPDX-License-Identifier: Apache-2.0 */
/* points: the arithmetic (points.h).  Numbers modulo the curve's prime are in Montgomery's form, limbs of 64 bits, lowest first, and
 * always below the prime, so that equal is equal bit by bit. */
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

#include "dump/arena.h"
#include "dump/bytes.h"
#include "dump/points.h"

#define LIMBS_MAX 9
/* It is fast because everything is inlined for three sizes.  Under a sanitizer that takes minutes to compile, and speed does not matter. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WATCHED 1
#endif
#endif
#ifdef WATCHED
#define INLINE static __attribute__((noinline))
#else
#define INLINE static inline __attribute__((always_inline))
#endif
typedef unsigned __int128 wide;

struct field {
	uint64_t p[LIMBS_MAX], one[LIMBS_MAX], square[LIMBS_MAX]; /* the prime, R and R^2 modulo it */
	uint64_t exponent[LIMBS_MAX];                             /* p - 2: x^(p-2) = 1/x */
	uint64_t n0;                                              /* -1/p modulo 2^64 */
	unsigned bits;
};

/* T[k][v] = v 256^k G, as X and Y of `limbs` limbs each; v from 1 to 255 */
struct curve_table {
	bool made;
	unsigned limbs, bytes;
	struct field f, order;
	uint64_t a[LIMBS_MAX];
	EC_GROUP *g;
	uint64_t *t;
};

static struct curve_table tables[POINTS_GROUPS];
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

struct slot { uint64_t x; uint32_t key; int32_t power; }; /* x: the lowest limb; key + 1, 0 = free */

struct points_set {
	struct curve_table *table;
	BIGNUM **keys;
	size_t n, capacity;
	struct slot *slots;
	size_t mask;
};

struct points {
	const struct points_set *set;
	uint8_t *pages;                        /* what follows, undumpable */
	uint64_t *point;                       /* [POINTS_BATCH][2][limbs] */
	uint8_t (*digits)[LIMBS_MAX * 8];      /* least byte first */
	bool inverse[POINTS_BATCH];
	uint32_t tags[POINTS_BATCH];
	uint8_t state[POINTS_BATCH];
	size_t n;
};
/* ODD: an addition of equal X.  Of a number below the order only the order itself and chance lead to one: it is no key's. */
enum { AT_INFINITY, FINITE, ODD };

/* one addition of many: *r = *a + *b; a == b: doubled */
struct sum {
	uint64_t *r;
	const uint64_t *a, *b;
	uint8_t *state;
};

/* ---- the field; L is a constant wherever these are used ---- */

INLINE uint64_t sub_limbs(uint64_t *r, const uint64_t *a, const uint64_t *b, const int L)
{
	uint64_t borrow = 0;
#pragma GCC unroll 9
	for (int i = 0; i < L; i++) {
		wide d = (wide)a[i] - b[i] - borrow;
		r[i] = (uint64_t)d;
		borrow = (uint64_t)(d >> 64) & 1;
	}
	return borrow;
}

/* r = a - p if that is not negative; high: a's limb beyond L, 0 or 1 */
INLINE void reduce(uint64_t *r, const uint64_t *a, uint64_t high, const struct field *f, const int L)
{
	uint64_t d[LIMBS_MAX], keep = 0 - (uint64_t)(sub_limbs(d, a, f->p, L) > high); /* all ones: a < p */
#pragma GCC unroll 9
	for (int i = 0; i < L; i++)
		r[i] = (a[i] & keep) | (d[i] & ~keep);
}

INLINE void sub(uint64_t *r, const uint64_t *a, const uint64_t *b, const struct field *f, const int L)
{
	uint64_t d[LIMBS_MAX], mask = 0 - sub_limbs(d, a, b, L), carry = 0;
#pragma GCC unroll 9
	for (int i = 0; i < L; i++) {
		wide s = (wide)d[i] + (f->p[i] & mask) + carry;
		r[i] = (uint64_t)s;
		carry = (uint64_t)(s >> 64);
	}
}

/* (c2, c1, c0) += a b */
#if defined(__x86_64__)
#define ACCUMULATE(a, b)                                                                                       \
	__asm__("mulq %4\n\taddq %%rax, %0\n\tadcq %%rdx, %1\n\tadcq $0, %2"                                     \
	        : "+r"(c0), "+r"(c1), "+r"(c2), "=&a"(scratch) : "rm"(a), "3"(b) : "rdx", "cc")
#else
#define ACCUMULATE(a, b)                                       \
	do {                                                   \
		wide product = (wide)(a) * (b);                \
		product += c0;                                 \
		c0 = (uint64_t)product;                        \
		product = (wide)c1 + (uint64_t)(product >> 64); \
		c1 = (uint64_t)product;                        \
		c2 += (uint64_t)(product >> 64);               \
		(void)scratch;                                 \
	} while (0)
#endif

/* r = a b / R, column by column: what is added to make a column vanish is m, the next limb of the multiple of p */
INLINE void mul(uint64_t *r, const uint64_t *a, const uint64_t *b, const struct field *f, const int L)
{
	uint64_t m[LIMBS_MAX], t[LIMBS_MAX], c0 = 0, c1 = 0, c2 = 0, scratch = 0;
#pragma GCC unroll 9
	for (int i = 0; i < L; i++) {
#pragma GCC unroll 9
		for (int j = 0; j < i; j++) {
			ACCUMULATE(a[j], b[i - j]);
			ACCUMULATE(m[j], f->p[i - j]);
		}
		ACCUMULATE(a[i], b[0]);
		m[i] = c0 * f->n0;
		ACCUMULATE(m[i], f->p[0]);
		c0 = c1, c1 = c2, c2 = 0;
	}
#pragma GCC unroll 9
	for (int i = L; i < 2 * L - 1; i++) {
#pragma GCC unroll 9
		for (int j = i - L + 1; j < L; j++) {
			ACCUMULATE(a[j], b[i - j]);
			ACCUMULATE(m[j], f->p[i - j]);
		}
		t[i - L] = c0;
		c0 = c1, c1 = c2, c2 = 0;
	}
	t[L - 1] = c0;
	reduce(r, t, c1, f, L);
}

INLINE bool is_zero(const uint64_t *a, const int L)
{
	uint64_t x = 0;
	for (int i = 0; i < L; i++)
		x |= a[i];
	return x == 0;
}

INLINE void copy(uint64_t *r, const uint64_t *a, const int L)
{
	for (int i = 0; i < L; i++)
		r[i] = a[i];
}

INLINE void invert(uint64_t *r, const uint64_t *a, const struct field *f, const int L)
{
	uint64_t x[LIMBS_MAX];
	copy(x, f->one, L);
	for (unsigned i = f->bits; i-- > 0;) {
		mul(x, x, x, f, L);
		if (f->exponent[i / 64] >> i % 64 & 1)
			mul(x, x, a, f, L);
	}
	copy(r, x, L);
}

/* ---- points ---- */

/* n <= POINTS_BATCH additions with one inversion.  pre: as many field elements. */
INLINE void difference(uint64_t *dx, const struct sum *s, const struct field *f, const int L)
{
	if (s->a == s->b) {
		uint64_t zero[LIMBS_MAX] = { 0 };

		sub(dx, zero, s->a + L, f, L);
		sub(dx, s->a + L, dx, f, L); /* 2 Y */
	} else {
		sub(dx, s->b, s->a, f, L);
	}
}

INLINE void sums(const struct sum *s, size_t n, uint64_t *pre, const struct curve_table *c, const int L)
{
	const struct field *f = &c->f;
	uint64_t all[LIMBS_MAX], dx[LIMBS_MAX];

	copy(all, f->one, L);
	for (size_t i = 0; i < n; i++) {
		difference(dx, &s[i], f, L);
		if (is_zero(dx, L)) {
			*s[i].state = ODD;
			copy(dx, f->one, L);
		}
		copy(pre + i * (size_t)L, all, L);
		mul(all, all, dx, f, L);
	}
	invert(all, all, f, L);
	for (size_t i = n; i-- > 0;) {
		uint64_t slope[LIMBS_MAX], x[LIMBS_MAX], y[LIMBS_MAX];
		const uint64_t *ax = s[i].a, *ay = ax + L, *bx = s[i].b, *by = bx + L;

		if (*s[i].state == ODD)
			continue;
		mul(slope, all, pre + i * (size_t)L, f, L);
		difference(dx, &s[i], f, L);
		mul(all, all, dx, f, L);
		if (ax == bx) { /* 3 X^2 + a */
			uint64_t zero[LIMBS_MAX] = { 0 };

			mul(x, ax, ax, f, L);
			sub(y, zero, x, f, L);
			sub(y, y, x, f, L);
			sub(y, x, y, f, L);
			sub(x, zero, c->a, f, L);
			sub(y, y, x, f, L);
		} else {
			sub(y, by, ay, f, L);
		}
		mul(slope, slope, y, f, L);
		mul(x, slope, slope, f, L);
		sub(x, x, ax, f, L);
		sub(x, x, bx, f, L);
		sub(y, ax, x, f, L);
		mul(y, y, slope, f, L);
		sub(y, y, ay, f, L);
		copy(s[i].r, x, L);
		copy(s[i].r + L, y, L);
	}
}

__attribute__((noinline)) static void sums4(const struct sum *s, size_t n, uint64_t *pre, const struct curve_table *c) { sums(s, n, pre, c, 4); }
__attribute__((noinline)) static void sums6(const struct sum *s, size_t n, uint64_t *pre, const struct curve_table *c) { sums(s, n, pre, c, 6); }
__attribute__((noinline)) static void sums9(const struct sum *s, size_t n, uint64_t *pre, const struct curve_table *c) { sums(s, n, pre, c, 9); }

static void add_all(const struct sum *s, size_t n, uint64_t *pre, const struct curve_table *c)
{
	(c->limbs == 4 ? sums4 : c->limbs == 6 ? sums6 : sums9)(s, n, pre, c);
}

#define ENTRY(table, k, v) ((table)->t + ((size_t)(k) * 256 + (size_t)(v)) * 2 * (table)->limbs)

/* The powers of two are there; the others are sums of two smaller ones. */
static void fill_table(struct curve_table *c, struct sum *s, uint64_t *pre)
{
	uint8_t state = FINITE;

	for (unsigned v = 2; v < 256; v *= 2) {
		size_t n = 0;

		for (unsigned k = 0; k < c->bytes; k++) {
			for (unsigned m = 1; m < v; m++) {
				s[n++] = (struct sum){ ENTRY(c, k, v + m), ENTRY(c, k, v), ENTRY(c, k, m), &state };
				if (n == POINTS_BATCH || (k + 1 == c->bytes && m + 1 == v)) {
					add_all(s, n, pre, c);
					n = 0;
				}
			}
		}
	}
}

static void multiply(struct points *p, struct sum *s, uint64_t *pre)
{
	const struct curve_table *c = p->set->table;
	const size_t size = 2 * c->limbs;

	for (unsigned k = 0; k < c->bytes; k++) {
		size_t count = 0;

		for (size_t i = 0; i < p->n; i++) {
			const uint8_t v = p->digits[i][k];
			uint64_t *r = p->point + i * size;

			if (v == 0 || p->state[i] == ODD)
				continue;
			if (p->state[i] == AT_INFINITY) {
				memcpy(r, ENTRY(c, k, v), size * sizeof(*r));
				p->state[i] = FINITE;
			} else {
				s[count++] = (struct sum){ r, r, ENTRY(c, k, v), &p->state[i] };
			}
		}
		if (count)
			add_all(s, count, pre, c);
	}
}

__attribute__((noinline)) static void product4(uint64_t *r, const uint64_t *a, const uint64_t *b, const struct field *f) { mul(r, a, b, f, 4); }
__attribute__((noinline)) static void product6(uint64_t *r, const uint64_t *a, const uint64_t *b, const struct field *f) { mul(r, a, b, f, 6); }
__attribute__((noinline)) static void product9(uint64_t *r, const uint64_t *a, const uint64_t *b, const struct field *f) { mul(r, a, b, f, 9); }

static void product(uint64_t *r, const uint64_t *a, const uint64_t *b, const struct field *f, unsigned limbs)
{
	(limbs == 4 ? product4 : limbs == 6 ? product6 : product9)(r, a, b, f);
}

/* Numbers of which 1/W is asked: one inversion for all of them. */
static void invert_marked(struct points *p, uint64_t *pre)
{
	const struct curve_table *c = p->set->table;
	const unsigned L = c->limbs;
	uint64_t all[LIMBS_MAX] = { 0 }, x[LIMBS_MAX], one[LIMBS_MAX] = { 1 };
	bool any = false;

	memcpy(all, c->order.one, L * 8);
	for (size_t i = 0; i < p->n; i++) {
		uint64_t *w = p->point + i * 2 * L; /* not in use yet */
		uint64_t some = 0;

		if (!p->inverse[i])
			continue;
		for (unsigned k = 0; k < L; k++)
			w[k] = get64(p->digits[i] + 8 * k, false);
		product(w, w, c->order.square, &c->order, L);
		for (unsigned k = 0; k < L; k++)
			some |= w[k];
		if (!some) {
			memset(p->digits[i], 0, sizeof(p->digits[i]));
			p->inverse[i] = false;
			continue;
		}
		memcpy(pre + i * L, all, L * 8);
		product(all, all, w, &c->order, L);
		any = true;
	}
	if (!any)
		return;
	memcpy(x, c->order.one, L * 8);
	for (unsigned i = c->order.bits; i-- > 0;) {
		product(x, x, x, &c->order, L);
		if (c->order.exponent[i / 64] >> i % 64 & 1)
			product(x, x, all, &c->order, L);
	}
	memcpy(all, x, L * 8);
	for (size_t i = p->n; i-- > 0;) {
		const uint64_t *w = p->point + i * 2 * L;

		if (!p->inverse[i])
			continue;
		product(x, all, pre + i * L, &c->order, L);
		product(all, all, w, &c->order, L);
		product(x, x, one, &c->order, L);
		for (unsigned k = 0; k < L; k++) {
			uint64_t word = htole64(x[k]);

			memcpy(p->digits[i] + 8 * k, &word, 8);
		}
	}
}

static void to_form(uint64_t *r, const uint64_t *a, const struct field *f, unsigned limbs) { product(r, a, f->square, f, limbs); }

/* ---- tables ---- */

static bool limbs_of(uint64_t *r, const BIGNUM *x, unsigned limbs)
{
	uint8_t bytes[LIMBS_MAX * 8];

	if (BN_bn2lebinpad(x, bytes, (int)limbs * 8) != (int)limbs * 8)
		return false;
	for (unsigned i = 0; i < limbs; i++) {
		r[i] = 0;
		for (unsigned k = 0; k < 8; k++)
			r[i] |= (uint64_t)bytes[i * 8 + k] << 8 * k;
	}
	return true;
}

/* 2^i G for all i, by OpenSSL, into their places */
static bool powers_of_two(struct curve_table *c, const EC_GROUP *g, BN_CTX *ctx)
{
	EC_POINT *p = EC_POINT_dup(EC_GROUP_get0_generator(g), g);
	BIGNUM *x = BN_new(), *y = BN_new();
	bool ok = p && x && y;

	for (unsigned i = 0; i < 8 * c->bytes && ok; i++) {
		uint64_t *at = ENTRY(c, i / 8, 1U << i % 8);

		ok = EC_POINT_get_affine_coordinates(g, p, x, y, ctx) && limbs_of(at, x, c->limbs) && limbs_of(at + c->limbs, y, c->limbs) &&
		     EC_POINT_dbl(g, p, p, ctx);
		to_form(at, at, &c->f, c->limbs);
		to_form(at + c->limbs, at + c->limbs, &c->f, c->limbs);
	}
	EC_POINT_free(p);
	BN_free(x);
	BN_free(y);
	return ok;
}

/* The curves of Ed25519, X25519 and of Ed448, X448 in the form y^2 = x^3 + a x + b, x = u + A/3: addition is the same for all. */
static EC_GROUP *montgomery_group(int which, BN_CTX *ctx)
{
	static const char *const primes[] = { "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
		                              "fffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffffff" };
	static const char *const orders[] = { "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed",
		                              "3fffffffffffffffffffffffffffffffffffffffffffffffffffffff7cca23e9c44edb49aed63690216cc2728dc58f552378c292ab5844f3" };
	const int large = which == POINTS_448;
	BIGNUM *p = NULL, *order = NULL, *a, *b, *third, *x, *cofactor;
	EC_GROUP *g = NULL;
	EC_POINT *base = NULL;
	bool ok;

	BN_CTX_start(ctx);
	a = BN_CTX_get(ctx);
	b = BN_CTX_get(ctx);
	third = BN_CTX_get(ctx);
	x = BN_CTX_get(ctx);
	cofactor = BN_CTX_get(ctx);
	/* a = 1 - A^2/3, b = (2 (A/3)^3 - A/3) */
	ok = cofactor && BN_hex2bn(&p, primes[large]) && BN_hex2bn(&order, orders[large]) && BN_set_word(x, 3) && BN_mod_inverse(third, x, p, ctx) &&
	     BN_mul_word(third, large ? 156326 : 486662) && BN_nnmod(third, third, p, ctx) && BN_mod_sqr(a, third, p, ctx) && BN_mod_mul(b, a, third, p, ctx) &&
	     BN_mod_add(b, b, b, p, ctx) && BN_mod_sub(b, b, third, p, ctx) && BN_mul_word(a, 3) && BN_sub(a, BN_value_one(), a) && BN_nnmod(a, a, p, ctx) &&
	     BN_copy(x, third) && BN_add_word(x, large ? 5 : 9) && BN_nnmod(x, x, p, ctx) && BN_set_word(cofactor, large ? 4 : 8);
	if (ok)
		g = EC_GROUP_new_curve_GFp(p, a, b, ctx);
	base = g ? EC_POINT_new(g) : NULL;
	if (!base || !EC_POINT_set_compressed_coordinates(g, base, x, 0, ctx) || !EC_GROUP_set_generator(g, base, order, cofactor)) {
		EC_GROUP_free(g);
		g = NULL;
	}
	EC_POINT_free(base);
	BN_free(p);
	BN_free(order);
	BN_CTX_end(ctx);
	return g;
}

static bool field_of(struct field *f, const BIGNUM *p, unsigned limbs, BN_CTX *ctx)
{
	BIGNUM *r;
	uint64_t inverse = 1;
	bool ok;

	BN_CTX_start(ctx);
	r = BN_CTX_get(ctx);
	ok = r && limbs_of(f->p, p, limbs) && BN_set_bit(r, (int)limbs * 64) && BN_nnmod(r, r, p, ctx) && limbs_of(f->one, r, limbs) &&
	     BN_mod_sqr(r, r, p, ctx) && limbs_of(f->square, r, limbs) && BN_copy(r, p) && BN_sub_word(r, 2) && limbs_of(f->exponent, r, limbs);
	f->bits = (unsigned)BN_num_bits(p);
	for (int i = 0; i < 6; i++) /* right in 1, 2, 4 ... 64 bits */
		inverse *= 2 - f->p[0] * inverse;
	f->n0 = 0 - inverse;
	BN_CTX_end(ctx);
	return ok;
}

unsigned points_bytes(int group)
{
	return group == POINTS_25519 ? 32 : group == POINTS_448 ? 56 : curve_bytes((enum curve)group);
}

static void make(int which)
{
	struct curve_table *c = &tables[which];
	struct sum *s = malloc(POINTS_BATCH * sizeof(*s));
	uint64_t *pre = malloc(POINTS_BATCH * LIMBS_MAX * sizeof(*pre));
	BIGNUM *p = BN_new(), *a = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	bool ok;

	c->g = which < POINTS_25519 ? EC_GROUP_new_by_curve_name(curve_nid((enum curve)which)) : ctx ? montgomery_group(which, ctx) : NULL;
	c->bytes = points_bytes(which);
	c->limbs = c->bytes <= 32 ? 4 : c->bytes <= 48 ? 6 : 9;
	c->t = malloc((size_t)c->bytes * 256 * 2 * c->limbs * sizeof(*c->t));
	ok = s && pre && c->g && p && a && ctx && c->t && EC_GROUP_get_curve(c->g, p, a, NULL, ctx) && field_of(&c->f, p, c->limbs, ctx) &&
	     field_of(&c->order, EC_GROUP_get0_order(c->g), c->limbs, ctx) && limbs_of(c->a, a, c->limbs) && powers_of_two(c, c->g, ctx);
	if (ok) {
		to_form(c->a, c->a, &c->f, c->limbs);
		fill_table(c, s, pre);
	} else {
		free(c->t);
		c->t = NULL;
	}
	free(s);
	free(pre);
	BN_free(p);
	BN_free(a);
	BN_CTX_free(ctx);
}

static struct curve_table *table_of(int c)
{
	if (c <= CURVE_NONE || c == CURVE_COUNT || c >= POINTS_GROUPS)
		return NULL;
	pthread_mutex_lock(&making);
	if (!tables[c].made)
		make(c);
	tables[c].made = true;
	pthread_mutex_unlock(&making);
	return tables[c].t ? &tables[c] : NULL;
}

/* ---- the keys ---- */

struct points_set *points_set_new(int group)
{
	struct curve_table *table = table_of(group);
	struct points_set *s = table ? calloc(1, sizeof(*s)) : NULL;

	if (s)
		s->table = table;
	return s;
}

void points_set_free(struct points_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		BN_free(s->keys[i]);
	free(s->keys);
	free(s->slots);
	free(s);
}

bool points_set_add(struct points_set *s, const uint8_t *x)
{
	if (s->n == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 16;
		BIGNUM **bigger = realloc(s->keys, capacity * sizeof(*bigger));

		if (!bigger)
			return false;
		s->keys = bigger;
		s->capacity = capacity;
	}
	s->keys[s->n] = BN_bin2bn(x, (int)s->table->bytes, NULL);
	if (!s->keys[s->n])
		return false;
	s->n++;
	return true;
}

bool points_set_add_public(struct points_set *s, enum claim_alg alg, const uint8_t *public, size_t n)
{
	const bool large = alg == CLAIM_ED448 || alg == CLAIM_X448, edwards = alg == CLAIM_ED25519 || alg == CLAIM_ED448;
	uint8_t bytes[57], x[57];
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_new(), *u, *v, *w;
	bool ok = ctx && p && n <= sizeof(bytes) && n >= s->table->bytes;

	if (!ok)
		goto out;
	BN_CTX_start(ctx);
	u = BN_CTX_get(ctx);
	v = BN_CTX_get(ctx);
	w = BN_CTX_get(ctx);
	memcpy(bytes, public, n);
	if (!large)
		bytes[31] &= 127;
	else if (edwards)
		bytes[56] = 0;
	ok = w && EC_GROUP_get_curve(s->table->g, p, NULL, NULL, ctx) && BN_lebin2bn(bytes, (int)(large && !edwards ? 56 : n), u) && BN_nnmod(u, u, p, ctx);
	if (ok && edwards && !large) { /* u = (1 + y)/(1 - y) */
		ok = BN_mod_sub(v, BN_value_one(), u, p, ctx) && BN_mod_add(u, u, BN_value_one(), p, ctx);
	} else if (ok && edwards) { /* u = (y/x)^2 = y^2 (1 - d y^2)/(1 - y^2), d = -39081 */
		ok = BN_mod_sqr(u, u, p, ctx) && BN_copy(w, u) && BN_mul_word(w, 39081) && BN_add_word(w, 1) && BN_mod_sub(v, BN_value_one(), u, p, ctx) &&
		     BN_mod_mul(u, u, w, p, ctx);
	} else {
		ok = ok && BN_one(v);
	}
	if (ok && !BN_is_zero(v)) { /* of the neutral point there is no u, and no secret */
		ok = BN_mod_inverse(v, v, p, ctx) && BN_mod_mul(u, u, v, p, ctx) && BN_set_word(w, 3) && BN_mod_inverse(w, w, p, ctx) &&
		     BN_mul_word(w, large ? 156326 : 486662) && BN_mod_add(u, u, w, p, ctx) && BN_bn2binpad(u, x, (int)s->table->bytes) > 0;
	} else {
		memset(x, 0, sizeof(x));
	}
	ok = ok && points_set_add(s, x);
	BN_CTX_end(ctx);
out:
	BN_free(p);
	BN_CTX_free(ctx);
	return ok;
}

static void enter(struct points_set *s, const uint64_t *x, size_t key, int power)
{
	size_t i = (size_t)(x[0] * UINT64_C(0x9e3779b97f4a7c15) >> 20) & s->mask;

	while (s->slots[i].key)
		i = (i + 1) & s->mask;
	s->slots[i] = (struct slot){ x[0], (uint32_t)key + 1, power };
}

/* 2^-reach Q by OpenSSL, then doubled again and again, all keys at once */
bool points_set_seal(struct points_set *s)
{
	struct curve_table *c = s->table;
	const size_t L = c->limbs;
	const int reach = (int)POINTS_REACH(c->bytes);
	size_t n = s->n < POINTS_FULL_MAX ? s->n : POINTS_FULL_MAX, count = 0, size = 1024;
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *x = BN_new(), *y = BN_new(), *start = BN_new();
	EC_POINT *q = EC_POINT_new(c->g);
	uint64_t *at = calloc(n + 1, 2 * L * sizeof(*at)), *pre = malloc(POINTS_BATCH * LIMBS_MAX * sizeof(*pre));
	uint8_t *state = calloc(n + 1, 1);
	size_t *who = calloc(n + 1, sizeof(*who));
	struct sum *sum = malloc(POINTS_BATCH * sizeof(*sum));
	bool ok = ctx && x && y && start && q && at && pre && state && who && sum;

	while (size < 2 * (n * (2 * (size_t)reach + 1) + s->n))
		size *= 2;
	s->slots = ok ? calloc(size, sizeof(*s->slots)) : NULL;
	s->mask = size - 1;
	ok = s->slots && BN_set_bit(start, reach) && BN_mod_inverse(start, start, EC_GROUP_get0_order(c->g), ctx);
	for (size_t i = 0; i < s->n && ok; i++) {
		/* an X that is none of the curve, or of no order: nobody has a secret for it */
		if (!EC_POINT_set_compressed_coordinates(c->g, q, s->keys[i], 0, ctx))
			continue;
		if (i >= n) {
			uint64_t far[LIMBS_MAX];

			ok = limbs_of(far, s->keys[i], c->limbs);
			to_form(far, far, &c->f, c->limbs);
			enter(s, far, i, 0);
			continue;
		}
		if (!EC_POINT_mul(c->g, q, NULL, q, start, ctx) || !EC_POINT_get_affine_coordinates(c->g, q, x, y, ctx))
			continue;
		ok = limbs_of(at + count * 2 * L, x, c->limbs) && limbs_of(at + count * 2 * L + L, y, c->limbs);
		to_form(at + count * 2 * L, at + count * 2 * L, &c->f, c->limbs);
		to_form(at + count * 2 * L + L, at + count * 2 * L + L, &c->f, c->limbs);
		state[count] = FINITE;
		who[count++] = i;
	}
	for (int power = -reach; power <= reach && ok; power++) {
		for (size_t i = 0; i < count; i++)
			if (state[i] == FINITE)
				enter(s, at + i * 2 * L, who[i], power);
		for (size_t i = 0; i < count;) {
			size_t m = 0;

			for (; i < count && m < POINTS_BATCH; i++)
				if (state[i] == FINITE)
					sum[m++] = (struct sum){ at + i * 2 * L, at + i * 2 * L, at + i * 2 * L, &state[i] };
			if (m)
				add_all(sum, m, pre, c);
		}
	}
	ERR_clear_error();
	free(at);
	free(pre);
	free(state);
	free(who);
	free(sum);
	EC_POINT_free(q);
	BN_free(x);
	BN_free(y);
	BN_free(start);
	BN_CTX_free(ctx);
	return ok;
}

bool points_secret(const struct points_set *s, const struct points_hit *h, const uint8_t *number, bool inverse, BIGNUM *ret)
{
	const EC_GROUP *g = s->table->g;
	const BIGNUM *order = EC_GROUP_get0_order(g);
	BN_CTX *ctx = BN_CTX_secure_new();
	EC_POINT *q = EC_POINT_new(g);
	BIGNUM *x = BN_new(), *two = BN_new();
	bool ok = ctx && q && x && two && BN_lebin2bn(number, (int)s->table->bytes, ret) && BN_nnmod(ret, ret, order, ctx) && !BN_is_zero(ret) &&
	          (!inverse || BN_mod_inverse(ret, ret, order, ctx)) && BN_set_bit(two, h->power < 0 ? -h->power : h->power) && BN_nnmod(two, two, order, ctx) &&
	          (h->power < 0 || BN_mod_inverse(two, two, order, ctx)) && BN_mod_mul(ret, ret, two, order, ctx) && EC_POINT_mul(g, q, ret, NULL, NULL, ctx) &&
	          EC_POINT_get_affine_coordinates(g, q, x, NULL, ctx) && BN_cmp(x, s->keys[h->key]) == 0;

	EC_POINT_free(q);
	BN_free(x);
	BN_free(two);
	BN_CTX_free(ctx);
	return ok;
}

const BIGNUM *points_order(const struct points_set *s) { return EC_GROUP_get0_order(s->table->g); }

/* ---- batches ---- */

static size_t pages_bytes(unsigned limbs) { return POINTS_BATCH * (2 * limbs * 8 + LIMBS_MAX * 8); }

struct points *points_new(const struct points_set *s)
{
	struct points *p = s ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	p->set = s;
	p->pages = dump_pages_new(pages_bytes(s->table->limbs));
	if (!p->pages) {
		free(p);
		return NULL;
	}
	p->point = (uint64_t *)(void *)p->pages;
	p->digits = (uint8_t(*)[LIMBS_MAX * 8])(p->pages + POINTS_BATCH * 2 * s->table->limbs * 8);
	return p;
}

void points_free(struct points *p)
{
	if (!p)
		return;
	dump_pages_free(p->pages, pages_bytes(p->set->table->limbs));
	free(p);
}

bool points_add(struct points *p, const uint8_t *number, bool inverse, uint32_t tag)
{
	memcpy(p->digits[p->n], number, p->set->table->bytes);
	p->inverse[p->n] = inverse;
	p->tags[p->n] = tag;
	p->state[p->n] = AT_INFINITY;
	return ++p->n < POINTS_BATCH;
}

size_t points_ask(struct points *p, struct points_hit *ret)
{
	const struct points_set *set = p->set;
	const unsigned limbs = set->table->limbs;
	struct sum s[POINTS_BATCH];
	uint64_t pre[POINTS_BATCH * LIMBS_MAX];
	size_t count = 0;

	if (p->n == 0)
		return 0;
	invert_marked(p, pre);
	multiply(p, s, pre);
	for (size_t i = 0; i < p->n; i++) {
		const uint64_t x = p->point[i * 2 * limbs];

		if (p->state[i] != FINITE)
			continue;
		for (size_t k = (size_t)(x * UINT64_C(0x9e3779b97f4a7c15) >> 20) & set->mask; set->slots[k].key; k = (k + 1) & set->mask) {
			if (set->slots[k].x == x) {
				ret[count++] = (struct points_hit){ p->tags[i], set->slots[k].key - 1, set->slots[k].power };
				break;
			}
		}
	}
	OPENSSL_cleanse(p->pages, pages_bytes(limbs));
	OPENSSL_cleanse(pre, sizeof(pre));
	p->n = 0;
	return count;
}
