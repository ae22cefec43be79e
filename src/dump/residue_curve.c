/* SPDX-License-Identifier: Apache-2.0 */
/* residue_curve: the check of a delivered copy for elliptic and Edwards keys.  Is there a number in it from which a public key follows?
 *
 * It shares no code with what found and erased them (find_curve, points, trace): windows, layouts and the test of randomness are its own, and
 * the arithmetic is OpenSSL's, addition by addition from a table of the multiples of the generator.  W G is looked up among the X of
 * 2^t Q, for all t up to Montgomery's R^2; for Edwards and Montgomery keys also that of the clamped W and of a seed's hash. */
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "dump/bytes.h"
#include "dump/claim.h"
#include "dump/redact.h"
#include "dump/scan_int.h"

#define VALUE_MAX 72

/* y^2 = x^3 + a x + b for the Montgomery curves y^2 = x^3 + A x^2 + x: x is u + A/3 */
static const struct montgomery {
	unsigned bytes, cofactor;
	const char *p, *order, *a, *b, *x, *third;
} montgomery[2] = {
	{ 32, 8, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed", "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed",
	  "2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa984914a144", "7b425ed097b425ed097b425ed097b425ed097b425ed097b4260b5e9c7710c864",
	  "2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad245a", "2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad2451" },
	{ 56, 4, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	  "3fffffffffffffffffffffffffffffffffffffffffffffffffffffff7cca23e9c44edb49aed63690216cc2728dc58f552378c292ab5844f3",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa9fffffffffffffffffffffffffffffffffffffffffffffffe1a76d41f",
	  "5ed097b425ed097b425ed097b425ed097b425ed097b425ed097b425e71c71c71c71c71c71c71c71c71c71c71c71c71c71c72c87b7cc69f70",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000000000000000000000000000000000000000000000000cb91",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000000000000000000000000000000000000000000000000cb8c" },
};

struct group {
	enum curve curve;         /* or */
	const struct montgomery *m;
	unsigned bytes;
	bool seeds;
	EC_GROUP *g;
	EC_POINT **multiples;     /* [bytes][256] */
	uint64_t *seen;           /* hashes of X; 0 = free */
	size_t mask, n_seen;
};

#define GROUPS_MAX (CURVE_COUNT + 2)

struct check {
	struct group groups[GROUPS_MAX];
	size_t n;
	bool all;
	pthread_mutex_t lock; /* `ret` */
	struct dump_residue *ret;
};

struct worker { /* one thread */
	struct check *x;
	BN_CTX *ctx;
	BIGNUM *coordinate;
	EC_POINT *sum[GROUPS_MAX];
	uint64_t tested, spent;
	bool ok;
};

/* how a number's words lie: full ones, and those that are not */
static const struct shape { uint8_t bits, bytes; bool high_first; } shapes[] = {
	{ 8, 1, false }, { 8, 1, true }, { 32, 4, true }, { 64, 8, true }, { 63, 8, false }, { 62, 8, false }, { 60, 8, false }, { 56, 8, false }, { 52, 8, false },
	{ 51, 8, false }, { 48, 8, false }, { 31, 4, false }, { 30, 4, false }, { 29, 4, false }, { 28, 4, false }, { 26, 4, false },
};
#define FULL 4 /* of them */

/* ---- the groups ---- */

static EC_GROUP *weierstrass(const struct montgomery *m, BN_CTX *ctx)
{
	BIGNUM *v[5] = { NULL };
	const char *const text[5] = { m->p, m->a, m->b, m->x, m->order };
	BIGNUM *cofactor = BN_new();
	EC_GROUP *g = NULL;
	EC_POINT *base = NULL;
	bool ok = cofactor && BN_set_word(cofactor, m->cofactor);

	for (int i = 0; i < 5 && ok; i++)
		ok = BN_hex2bn(&v[i], text[i]) > 0;
	g = ok ? EC_GROUP_new_curve_GFp(v[0], v[1], v[2], ctx) : NULL;
	base = g ? EC_POINT_new(g) : NULL;
	if (!base || !EC_POINT_set_compressed_coordinates(g, base, v[3], 1, ctx) || !EC_GROUP_set_generator(g, base, v[4], cofactor)) {
		EC_GROUP_free(g);
		g = NULL;
	}
	EC_POINT_free(base);
	for (int i = 0; i < 5; i++)
		BN_free(v[i]);
	BN_free(cofactor);
	return g;
}

static bool group_start(struct group *g, BN_CTX *ctx)
{
	EC_POINT *power;
	bool ok;

	g->bytes = g->m ? g->m->bytes : curve_bytes(g->curve);
	g->g = g->m ? weierstrass(g->m, ctx) : EC_GROUP_new_by_curve_name(curve_nid(g->curve));
	g->multiples = g->g ? calloc((size_t)g->bytes * 256, sizeof(EC_POINT *)) : NULL;
	power = g->g ? EC_POINT_dup(EC_GROUP_get0_generator(g->g), g->g) : NULL;
	ok = g->multiples && power;
	for (size_t row = 0; row < g->bytes && ok; row++) {
		EC_POINT **at = g->multiples + row * 256;

		for (size_t v = 1; v < 256 && ok; v++) {
			at[v] = EC_POINT_dup(power, g->g);
			ok = at[v] && (v == 1 || EC_POINT_add(g->g, at[v], at[v - 1], power, ctx));
		}
		ok = ok && EC_POINT_add(g->g, power, at[255], power, ctx);
	}
	EC_POINT_free(power);
	return ok;
}

static void group_end(struct group *g)
{
	for (size_t i = 0; g->multiples && i < (size_t)g->bytes * 256; i++)
		EC_POINT_free(g->multiples[i]);
	free(g->multiples);
	free(g->seen);
	EC_GROUP_free(g->g);
}

static uint64_t short_of(const BIGNUM *x)
{
	uint8_t le[VALUE_MAX];

	return BN_bn2lebinpad(x, le, sizeof(le)) < 0 ? 0 : get64(le, false) | 1;
}

static bool is_seen(const struct group *g, uint64_t x)
{
	for (size_t i = (size_t)(x >> 9) & g->mask; g->seen[i]; i = (i + 1) & g->mask)
		if (g->seen[i] == x)
			return true;
	return false;
}

static bool see(struct group *g, uint64_t x)
{
	size_t i;

	if (2 * g->n_seen >= g->mask) {
		uint64_t *old = g->seen;
		size_t n = g->mask + 1;

		g->mask = old ? 4 * n - 1 : 4095;
		g->seen = calloc(g->mask + 1, sizeof(*g->seen));
		g->n_seen = 0;
		if (!g->seen) {
			free(old);
			return false;
		}
		for (size_t k = 0; old && k < n; k++)
			if (old[k])
				(void)see(g, old[k]);
		free(old);
	}
	for (i = (size_t)(x >> 9) & g->mask; g->seen[i]; i = (i + 1) & g->mask)
		;
	g->seen[i] = x;
	g->n_seen++;
	return true;
}

/* X of a public key in the group's form; false: it has none */
static bool x_of(const struct group *g, const struct dump_target *t, BIGNUM *x, BN_CTX *ctx)
{
	const bool edwards = t->algorithm == DUMP_ED25519 || t->algorithm == DUMP_ED448;
	uint8_t bytes[64] = { 0 };
	BIGNUM *p, *v, *third = NULL;
	bool ok;

	if (!g->m)
		return BN_bin2bn(t->point.p + 1, (int)g->bytes, x) != NULL;
	memcpy(bytes, t->point.p, g->bytes);
	if (g->bytes == 32)
		bytes[31] &= 127;
	BN_CTX_start(ctx);
	p = BN_CTX_get(ctx);
	v = BN_CTX_get(ctx);
	ok = v && EC_GROUP_get_curve(g->g, p, NULL, NULL, ctx) && BN_lebin2bn(bytes, (int)g->bytes, x) && BN_nnmod(x, x, p, ctx) &&
	     BN_hex2bn(&third, g->m->third) > 0;
	if (ok && edwards && g->bytes == 56) { /* y^2 (1 + 39081 y^2)/(1 - y^2) */
		ok = BN_mod_sqr(x, x, p, ctx) && BN_copy(v, x) && BN_mul_word(v, 39081) && BN_add_word(v, 1) && BN_mod_mul(v, v, x, p, ctx) &&
		     BN_mod_sub(x, BN_value_one(), x, p, ctx) && BN_mod_inverse(x, x, p, ctx) && BN_mod_mul(x, x, v, p, ctx);
	} else if (ok && edwards) { /* (1 + y)/(1 - y) */
		ok = BN_mod_add(v, BN_value_one(), x, p, ctx) && BN_mod_sub(x, BN_value_one(), x, p, ctx) && BN_mod_inverse(x, x, p, ctx) &&
		     BN_mod_mul(x, x, v, p, ctx);
	}
	ok = ok && BN_mod_add(x, x, third, p, ctx);
	BN_free(third);
	BN_CTX_end(ctx);
	return ok;
}

/* X of 2^t Q for t from -reach to reach */
static bool add_key(struct group *g, const struct dump_target *t, BN_CTX *ctx)
{
	const int reach = (int)(16 * g->bytes + 128);
	BIGNUM *x, *scale;
	EC_POINT *q = EC_POINT_new(g->g);
	bool ok;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	scale = BN_CTX_get(ctx);
	ok = q && scale && BN_one(scale) && BN_lshift(scale, scale, reach) && BN_mod_inverse(scale, scale, EC_GROUP_get0_order(g->g), ctx);
	if (ok && x_of(g, t, x, ctx) && EC_POINT_set_compressed_coordinates(g->g, q, x, 0, ctx) && EC_POINT_mul(g->g, q, NULL, q, scale, ctx))
		for (int i = 0; i <= 2 * reach && ok; i++)
			ok = EC_POINT_is_at_infinity(g->g, q) || (EC_POINT_get_affine_coordinates(g->g, q, x, NULL, ctx) && see(g, short_of(x)) && EC_POINT_dbl(g->g, q, q, ctx));
	ERR_clear_error(); /* a point that is none has no secret */
	EC_POINT_free(q);
	BN_CTX_end(ctx);
	return ok;
}

static struct group *group_for(struct check *x, const struct dump_target *t, BN_CTX *ctx)
{
	enum curve curve = CURVE_NONE;
	const struct montgomery *m = NULL;
	struct group *g;

	switch (t->algorithm) {
	case DUMP_EC: curve = curve_by_name(str_of(t->group)); break;
	case DUMP_ED25519: case DUMP_X25519: m = &montgomery[0]; break;
	case DUMP_ED448: case DUMP_X448: m = &montgomery[1]; break;
	default: break;
	}
	if ((!curve && !m) || t->point.n < (m ? m->bytes : 1 + 2 * curve_bytes(curve)))
		return NULL;
	for (size_t i = 0; i < x->n; i++)
		if (x->groups[i].curve == curve && x->groups[i].m == m)
			return &x->groups[i];
	g = &x->groups[x->n++];
	*g = (struct group){ .curve = curve, .m = m };
	if (!group_start(g, ctx))
		x->ret->failed = true;
	return g;
}

/* ---- windows ---- */

/* Bits of either kind in about equal number, few zeros, no four bytes twice, and the top bit of some bytes: unlike pointers, counters and text. */
static bool is_mixed(const uint8_t *p, size_t n)
{
	unsigned ones = 0, zeros = 0, high = 0;

	for (size_t i = 0; i < n; i++) {
		ones += (unsigned)__builtin_popcount(p[i]);
		zeros += p[i] == 0;
		high += p[i] >> 7;
	}
	if (zeros > 4 || high < n / 7 || high > n - n / 7 || ones < 2 * n + n / 2 || ones > 5 * n + n / 2)
		return false;
	for (size_t i = 4; i + 4 <= n; i += 4)
		if (memcmp(p + i, p + i - 4, 4) == 0)
			return false;
	return true;
}

static bool gives(struct worker *w, const struct group *g, const uint8_t *le)
{
	EC_POINT *sum = w->sum[g - w->x->groups];

	w->tested++;
	w->spent += g->bytes;
	w->ok = w->ok && EC_POINT_set_to_infinity(g->g, sum);
	for (size_t i = 0; i < g->bytes && w->ok; i++)
		w->ok = le[i] == 0 || EC_POINT_add(g->g, sum, sum, g->multiples[i * 256 + le[i]], w->ctx);
	return w->ok && !EC_POINT_is_at_infinity(g->g, sum) && EC_POINT_get_affine_coordinates(g->g, sum, w->coordinate, NULL, w->ctx) && is_seen(g, short_of(w->coordinate));
}

static void clamped(const struct group *g, const uint8_t *p, uint8_t *ret)
{
	memset(ret, 0, VALUE_MAX);
	memcpy(ret, p, g->bytes);
	ret[0] &= g->bytes == 32 ? 0xf8 : 0xfc;
	ret[g->bytes - 1] = g->bytes == 32 ? (ret[31] & 0x3f) | 0x40 : ret[55] | 0x80;
}

static bool seed_gives(struct worker *w, const struct group *g, const uint8_t *p, size_t left)
{
	const size_t n = g->bytes == 32 ? 32 : 57;
	uint8_t hash[VALUE_MAX], le[VALUE_MAX];
	bool ret;

	if (!g->seeds || left < n)
		return false;
	if (n == 32) {
		SHA512(p, n, hash);
	} else {
		EVP_MD_CTX *md = EVP_MD_CTX_new();

		w->ok = md && EVP_DigestInit_ex(md, EVP_shake256(), NULL) && EVP_DigestUpdate(md, p, n) && EVP_DigestFinalXOF(md, hash, g->bytes);
		EVP_MD_CTX_free(md);
	}
	clamped(g, hash, le);
	ret = w->ok && gives(w, g, le);
	OPENSSL_cleanse(hash, sizeof(hash));
	OPENSSL_cleanse(le, sizeof(le));
	return ret;
}

/* The number at p in this shape; *ret_n: its bytes there.  False: there is none. */
static bool read_shape(const struct shape *s, const uint8_t *p, size_t left, size_t bytes, bool big, uint8_t *le, size_t *ret_n)
{
	const size_t bits = bytes == 66 ? 521 : 8 * bytes, cells = (bits + s->bits - 1) / s->bits;

	*ret_n = cells * s->bytes;
	if (*ret_n > left)
		return false;
	memset(le, 0, VALUE_MAX);
	for (size_t k = 0; k < cells; k++) {
		const uint8_t *c = p + s->bytes * (s->high_first ? cells - 1 - k : k);
		const uint64_t v = s->bytes == 8 ? get64(c, big) : s->bytes == 4 ? get32(c, big) : *c;

		if (s->bits < 64 && v >> s->bits)
			return false;
		for (size_t i = 0; i < s->bits; i++) {
			const size_t at = k * s->bits + i;

			if (!(v >> i & 1))
				continue;
			if (at >= 8 * bytes)
				return false;
			le[at / 8] |= (uint8_t)(1 << at % 8);
		}
	}
	return true;
}

static void found(struct worker *w, const struct dump_block *b, size_t at, size_t n)
{
	struct dump_residue *ret = w->x->ret;
	struct dump_hit where = { 0 };

	(void)dump_locate(b, at, n, &where);
	pthread_mutex_lock(&w->x->lock);
	if (ret->found == 0 || where.offset < ret->first.offset)
		ret->first = where;
	ret->found++;
	pthread_mutex_unlock(&w->x->lock);
}

static void window(struct worker *w, const struct dump_block *b, size_t at, const struct group *g)
{
	const uint8_t *p = b->p + at;
	const size_t left = b->n - at, whole = g->bytes / 8 * 8;
	const bool mixed = left >= g->bytes && (g->bytes % 8 ? is_mixed(p + 8, whole - 8) : is_mixed(p, whole));
	const uint64_t first = get64(p, b->im->big_endian) | get64(p + 8, b->im->big_endian);
	/* words that are not full have no top bits, in all of which something else would be; half words the same */
	const bool loose = !(first >> 63) || !(first >> 31 & 1);
	uint8_t le[VALUE_MAX];

	for (size_t i = mixed ? 0 : FULL; i < (loose ? sizeof(shapes) / sizeof(shapes[0]) : FULL) && w->ok; i++) {
		size_t n;

		if (i >= FULL && shapes[i].bytes == 8 && (first >> shapes[i].bits || !(first >> (shapes[i].bits - 4))))
			continue;
		if (i >= FULL && shapes[i].bytes == 4 && ((uint32_t)(first | first >> 32) >> shapes[i].bits || !((uint32_t)(first | first >> 32) >> (shapes[i].bits - 4))))
			continue;
		/* cppcheck-suppress arrayIndexThenCheck ; FULL is no limit of the table */
		if (read_shape(&shapes[i], p, left, g->bytes, i >= FULL && b->im->big_endian, le, &n) && (i < FULL || is_mixed(le, whole - 8)) && gives(w, g, le))
			found(w, b, at, n);
	}
	if (mixed && g->m && w->ok) {
		clamped(g, p, le);
		if (gives(w, g, le) || seed_gives(w, g, p, left))
			found(w, b, at, g->bytes);
	}
	OPENSSL_cleanse(le, sizeof(le));
}

static bool block(void *state, const struct dump_block *b)
{
	struct worker *w = state;
	const size_t step = !b->mapped || w->x->all ? 1 : b->im->word == 4 ? 4 : 8;

	w->spent = w->tested = 0;
	for (size_t i = (step - b->phase % step) % step; i < b->own && w->ok && w->spent <= RESIDUE_CURVE_COST_MAX; i += step)
		for (size_t k = 0; (b->p[i] || get64(b->p + i, false)) && k < w->x->n && w->ok; k++)
			window(w, b, i, &w->x->groups[k]);
	pthread_mutex_lock(&w->x->lock);
	w->x->ret->windows += w->tested;
	w->x->ret->cut |= w->spent > RESIDUE_CURVE_COST_MAX;
	pthread_mutex_unlock(&w->x->lock);
	return w->ok;
}

static bool begin(void *arg, void **ret)
{
	struct check *x = arg;
	struct worker *w = *ret = calloc(1, sizeof(*w));

	if (!w)
		return false;
	w->x = x;
	w->ctx = BN_CTX_secure_new();
	w->coordinate = BN_secure_new();
	w->ok = w->ctx && w->coordinate;
	for (size_t i = 0; i < x->n && w->ok; i++)
		w->ok = (w->sum[i] = EC_POINT_new(x->groups[i].g)) != NULL;
	return w->ok;
}

static void end(void *state)
{
	struct worker *w = state;

	for (size_t i = 0; w && i < w->x->n; i++)
		EC_POINT_clear_free(w->sum[i]);
	if (w) {
		BN_clear_free(w->coordinate);
		BN_CTX_free(w->ctx);
	}
	free(w);
}

bool dump_residue_curves(struct dump_image *im, const struct dump_target *targets, size_t n, enum dump_residue_mode mode, unsigned threads,
			 struct dump_residue *ret, size_t *ret_keys)
{
	struct check *x = calloc(1, sizeof(*x));
	BN_CTX *ctx = BN_CTX_new();

	*ret = (struct dump_residue){ 0 };
	*ret_keys = 0;
	ret->failed = !x || !ctx;
	for (size_t i = 0; i < n && !ret->failed && mode != DUMP_RESIDUE_OFF; i++) {
		struct group *g;

		x->ret = ret;
		if (targets[i].distant || !(g = group_for(x, &targets[i], ctx)))
			continue;
		g->seeds |= targets[i].algorithm == DUMP_ED25519 || targets[i].algorithm == DUMP_ED448;
		if (*ret_keys == RESIDUE_MET_MAX && targets[i].from_dump) {
			ret->cut = true;
			continue;
		}
		ret->failed = ret->failed || !add_key(g, &targets[i], ctx);
		++*ret_keys;
	}
	if (!ret->failed && x->n && *ret_keys) {
		x->all = mode == DUMP_RESIDUE_ALL;
		pthread_mutex_init(&x->lock, NULL);
		ret->failed = !block_each(im, !x->all, threads, &(struct block_work){ .begin = begin, .block = block, .end = end }, x);
		pthread_mutex_destroy(&x->lock);
	}
	for (size_t i = 0; x && i < x->n; i++)
		group_end(&x->groups[i]);
	free(x);
	BN_CTX_free(ctx);
	return !ret->failed;
}
