/* SPDX-License-Identifier: Apache-2.0 */
/* points: the arithmetic (points.h).  Numbers modulo the curve's prime are in Montgomery's form, limbs of 64 bits, lowest first, and
 * always below the prime, so that equal is equal bit by bit. */
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <pthread.h>
#include <stdlib.h>

#include "dump/arena.h"
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
	struct field f;
	uint64_t *t;
};

static struct curve_table tables[CURVE_COUNT];
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

struct points {
	struct curve_table *table;
	uint8_t *pages;                        /* what follows, undumpable */
	uint64_t *point;                       /* [POINTS_BATCH][2][limbs] */
	uint8_t (*digits)[LIMBS_MAX * 8];      /* least byte first */
	uint32_t tags[POINTS_BATCH];
	uint8_t state[POINTS_BATCH];
	size_t n;
	uint64_t *hunted;                      /* X of each, `limbs` limbs */
	size_t n_hunted, hunted_capacity;
	uint8_t filter[65536 / 8];             /* their lowest 16 bits */
};
enum { AT_INFINITY, FINITE, ODD /* an addition of equal X: not computed, so OpenSSL must compute it */ };

/* one addition of many: *r = *a + *b */
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
INLINE void sums(const struct sum *s, size_t n, uint64_t *pre, const struct field *f, const int L)
{
	uint64_t all[LIMBS_MAX], dx[LIMBS_MAX];

	copy(all, f->one, L);
	for (size_t i = 0; i < n; i++) {
		sub(dx, s[i].b, s[i].a, f, L);
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
		sub(dx, bx, ax, f, L);
		mul(all, all, dx, f, L);
		sub(y, by, ay, f, L);
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

#define ENTRY(table, k, v) ((table)->t + ((size_t)(k) * 256 + (size_t)(v)) * 2 * (table)->limbs)

/* The powers of two are there; the others are sums of two smaller ones. */
INLINE void fill_table(struct curve_table *c, struct sum *s, uint64_t *pre, const int L)
{
	uint8_t state = FINITE;

	for (unsigned v = 2; v < 256; v *= 2) {
		size_t n = 0;

		for (unsigned k = 0; k < c->bytes; k++) {
			for (unsigned m = 1; m < v; m++) {
				s[n++] = (struct sum){ ENTRY(c, k, v + m), ENTRY(c, k, v), ENTRY(c, k, m), &state };
				if (n == POINTS_BATCH || (k + 1 == c->bytes && m + 1 == v)) {
					sums(s, n, pre, &c->f, L);
					n = 0;
				}
			}
		}
	}
}

INLINE void multiply(struct points *p, struct sum *s, uint64_t *pre, const int L)
{
	const struct curve_table *c = p->table;

	for (unsigned k = 0; k < c->bytes; k++) {
		size_t count = 0;

		for (size_t i = 0; i < p->n; i++) {
			const uint8_t v = p->digits[i][k];
			uint64_t *r = p->point + i * 2 * (size_t)L;

			if (v == 0 || p->state[i] == ODD)
				continue;
			if (p->state[i] == AT_INFINITY) {
				copy(r, ENTRY(c, k, v), 2 * L);
				p->state[i] = FINITE;
			} else {
				s[count++] = (struct sum){ r, r, ENTRY(c, k, v), &p->state[i] };
			}
		}
		if (count)
			sums(s, count, pre, &c->f, L);
	}
}

__attribute__((noinline)) static void fill4(struct curve_table *c, struct sum *s, uint64_t *pre) { fill_table(c, s, pre, 4); }
__attribute__((noinline)) static void fill6(struct curve_table *c, struct sum *s, uint64_t *pre) { fill_table(c, s, pre, 6); }
__attribute__((noinline)) static void fill9(struct curve_table *c, struct sum *s, uint64_t *pre) { fill_table(c, s, pre, 9); }
__attribute__((noinline)) static void multiply4(struct points *p, struct sum *s, uint64_t *pre) { multiply(p, s, pre, 4); }
__attribute__((noinline)) static void multiply6(struct points *p, struct sum *s, uint64_t *pre) { multiply(p, s, pre, 6); }
__attribute__((noinline)) static void multiply9(struct points *p, struct sum *s, uint64_t *pre) { multiply(p, s, pre, 9); }

static void to_form(uint64_t *r, const uint64_t *a, const struct field *f, unsigned limbs)
{
	if (limbs == 4)
		mul(r, a, f->square, f, 4);
	else if (limbs == 6)
		mul(r, a, f->square, f, 6);
	else
		mul(r, a, f->square, f, 9);
}

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

static void make(enum curve which)
{
	struct curve_table *c = &tables[which];
	struct sum *s = malloc(POINTS_BATCH * sizeof(*s));
	uint64_t *pre = malloc(POINTS_BATCH * LIMBS_MAX * sizeof(*pre));
	EC_GROUP *g = EC_GROUP_new_by_curve_name(curve_nid(which));
	BIGNUM *p = BN_new(), *r = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	bool ok;

	c->bytes = curve_bytes(which);
	c->limbs = c->bytes <= 32 ? 4 : c->bytes <= 48 ? 6 : 9;
	c->t = malloc((size_t)c->bytes * 256 * 2 * c->limbs * sizeof(*c->t));
	ok = s && pre && g && p && r && ctx && c->t && EC_GROUP_get_curve(g, p, NULL, NULL, ctx) && limbs_of(c->f.p, p, c->limbs) &&
	     BN_set_bit(r, (int)c->limbs * 64) && BN_nnmod(r, r, p, ctx) && limbs_of(c->f.one, r, c->limbs) && BN_mod_sqr(r, r, p, ctx) &&
	     limbs_of(c->f.square, r, c->limbs) && BN_sub_word(p, 2) && limbs_of(c->f.exponent, p, c->limbs);
	if (ok) {
		uint64_t inverse = 1;

		c->f.bits = (unsigned)BN_num_bits(p);
		for (int i = 0; i < 6; i++) /* right in 1, 2, 4 ... 64 bits */
			inverse *= 2 - c->f.p[0] * inverse;
		c->f.n0 = 0 - inverse;
		ok = powers_of_two(c, g, ctx);
	}
	if (ok) {
		(c->limbs == 4 ? fill4 : c->limbs == 6 ? fill6 : fill9)(c, s, pre);
	} else {
		free(c->t);
		c->t = NULL;
	}
	free(s);
	free(pre);
	EC_GROUP_free(g);
	BN_free(p);
	BN_free(r);
	BN_CTX_free(ctx);
}

static struct curve_table *table_of(enum curve c)
{
	if (c <= CURVE_NONE || c >= CURVE_COUNT)
		return NULL;
	pthread_mutex_lock(&making);
	if (!tables[c].made)
		make(c);
	tables[c].made = true;
	pthread_mutex_unlock(&making);
	return tables[c].t ? &tables[c] : NULL;
}

/* ---- batches ---- */

static size_t pages_bytes(unsigned limbs) { return POINTS_BATCH * (2 * limbs * 8 + LIMBS_MAX * 8); }

struct points *points_new(enum curve c)
{
	struct curve_table *table = table_of(c);
	struct points *p = table ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	p->table = table;
	p->pages = dump_pages_new(pages_bytes(table->limbs));
	if (!p->pages) {
		free(p);
		return NULL;
	}
	p->point = (uint64_t *)(void *)p->pages;
	p->digits = (uint8_t(*)[LIMBS_MAX * 8])(p->pages + POINTS_BATCH * 2 * table->limbs * 8);
	return p;
}

void points_free(struct points *p)
{
	if (!p)
		return;
	dump_pages_free(p->pages, pages_bytes(p->table->limbs));
	free(p->hunted);
	free(p);
}

static bool hunt(struct points *p, const uint64_t *x)
{
	const unsigned limbs = p->table->limbs;

	if (p->n_hunted == p->hunted_capacity) {
		size_t capacity = p->hunted_capacity ? 2 * p->hunted_capacity : 16;
		uint64_t *bigger = realloc(p->hunted, capacity * limbs * sizeof(*bigger));

		if (!bigger)
			return false;
		p->hunted = bigger;
		p->hunted_capacity = capacity;
	}
	memcpy(p->hunted + p->n_hunted++ * limbs, x, limbs * sizeof(*x));
	p->filter[(x[0] & 0xffff) / 8] |= (uint8_t)(1 << (x[0] & 7));
	return true;
}

bool points_hunt(struct points *p, const uint8_t *x)
{
	const unsigned limbs = p->table->limbs, n = p->table->bytes;
	uint64_t number[LIMBS_MAX] = { 0 };

	for (unsigned i = 0; i < n; i++)
		number[i / 8] |= (uint64_t)x[n - 1 - i] << 8 * (i % 8);
	/* no X is as large as the prime; a number that is can be no point's, and must not be reduced to one */
	for (unsigned i = limbs; i-- > 0;) {
		if (number[i] < p->table->f.p[i])
			break;
		if (number[i] > p->table->f.p[i] || i == 0)
			return true;
	}
	to_form(number, number, &p->table->f, limbs);
	return hunt(p, number);
}

struct points *points_share(const struct points *p)
{
	struct points *ret = points_new((enum curve)(p->table - tables));

	for (size_t i = 0; ret && i < p->n_hunted; i++) {
		if (!hunt(ret, p->hunted + i * p->table->limbs)) {
			points_free(ret);
			ret = NULL;
		}
	}
	return ret;
}

bool points_add(struct points *p, const uint8_t *number, size_t n, bool little, uint32_t tag)
{
	const unsigned bytes = p->table->bytes;
	uint8_t *d = p->digits[p->n];

	for (unsigned i = 0; i < bytes; i++)
		d[i] = little ? number[i] : number[n - 1 - i];
	p->tags[p->n] = tag;
	p->state[p->n] = AT_INFINITY;
	return ++p->n < POINTS_BATCH;
}

size_t points_ask(struct points *p, uint32_t *ret_tags)
{
	const unsigned limbs = p->table->limbs;
	struct sum s[POINTS_BATCH];
	uint64_t pre[POINTS_BATCH * LIMBS_MAX];
	size_t count = 0;

	if (p->n == 0)
		return 0;
	(limbs == 4 ? multiply4 : limbs == 6 ? multiply6 : multiply9)(p, s, pre);
	for (size_t i = 0; i < p->n; i++) {
		const uint64_t *x = p->point + i * 2 * limbs;
		bool is = p->state[i] == ODD;

		if (p->state[i] == FINITE && p->filter[(x[0] & 0xffff) / 8] >> (x[0] & 7) & 1)
			for (size_t k = 0; k < p->n_hunted && !is; k++)
				is = memcmp(x, p->hunted + k * limbs, limbs * sizeof(*x)) == 0;
		if (is)
			ret_tags[count++] = p->tags[i];
	}
	OPENSSL_cleanse(p->pages, pages_bytes(limbs));
	OPENSSL_cleanse(pre, sizeof(pre));
	p->n = 0;
	return count;
}
