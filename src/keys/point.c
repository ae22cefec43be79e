/* SPDX-License-Identifier: Apache-2.0 */
/* point: Edwards curves by their complete addition (RFC 8032, 5.1.4 and 5.2.4) over OpenSSL's numbers; the curves of NIST by
 * OpenSSL's points.  A small multiple is looked for with small steps and giant ones: the multiples of the base point up to POINT_BABY
 * are in a table by one coordinate (which P and -P share), and the key is moved by 2·POINT_BABY + 1 of them, to either side. */
#include "keys/point.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#define COORDINATE_MAX 66

struct table { /* the coordinate of 1, 2, ... POINT_BABY times the base point, sorted */
	uint8_t (*rows)[COORDINATE_MAX];
	size_t width;
};

static int compare_rows(const void *a, const void *b) { return memcmp(a, b, COORDINATE_MAX); }

static bool row_of(uint8_t row[COORDINATE_MAX], const BIGNUM *n, size_t width)
{
	memset(row, 0, COORDINATE_MAX);
	return BN_bn2binpad(n, row, (int)width) >= 0;
}

static bool table_has(const struct table *t, const BIGNUM *n)
{
	uint8_t row[COORDINATE_MAX];

	return row_of(row, n, t->width) && bsearch(row, t->rows, POINT_BABY, COORDINATE_MAX, compare_rows);
}

/* -- Edwards -- */

struct field { BIGNUM *p, *d; bool minus; /* a = -1 */ BN_CTX *ctx; };
struct point { BIGNUM *x, *y, *z; };

static bool field_open(struct field *f, enum key_curve curve)
{
	BIGNUM *t;
	bool ok;

	*f = (struct field){ .p = BN_new(), .d = BN_new(), .minus = curve == CURVE_ED25519, .ctx = BN_CTX_new() };
	if (!f->p || !f->d || !f->ctx)
		return false;
	BN_CTX_start(f->ctx);
	t = BN_CTX_get(f->ctx);
	if (curve == CURVE_ED25519) /* p = 2^255 - 19, d = -121665/121666 */
		ok = t && BN_set_bit(f->p, 255) && BN_sub_word(f->p, 19) && BN_set_word(t, 121666) && BN_mod_inverse(t, t, f->p, f->ctx) &&
		     BN_mul_word(t, 121665) && BN_sub(t, f->p, t) && BN_nnmod(f->d, t, f->p, f->ctx);
	else /* p = 2^448 - 2^224 - 1, d = -39081 */
		ok = t && BN_set_bit(f->p, 448) && BN_set_bit(t, 224) && BN_sub(f->p, f->p, t) && BN_sub_word(f->p, 1) && BN_copy(f->d, f->p) &&
		     BN_sub_word(f->d, 39081);
	BN_CTX_end(f->ctx);
	return ok;
}

static void field_close(struct field *f)
{
	BN_free(f->p);
	BN_free(f->d);
	BN_CTX_free(f->ctx);
	ERR_clear_error();
}

static struct point point_get(const struct field *f)
{
	struct point r = { BN_CTX_get(f->ctx), BN_CTX_get(f->ctx), BN_CTX_get(f->ctx) };

	return r;
}

static bool mul(const struct field *f, BIGNUM *r, const BIGNUM *a, const BIGNUM *b) { return BN_mod_mul(r, a, b, f->p, f->ctx); }

/* r = a + b; r may be one of them */
static bool add(const struct field *f, struct point *r, const struct point *a, const struct point *b)
{
	BIGNUM *A, *B, *C, *D, *E, *F, *G, *s;
	bool ok;

	BN_CTX_start(f->ctx);
	A = BN_CTX_get(f->ctx), B = BN_CTX_get(f->ctx), C = BN_CTX_get(f->ctx), D = BN_CTX_get(f->ctx);
	E = BN_CTX_get(f->ctx), F = BN_CTX_get(f->ctx), G = BN_CTX_get(f->ctx), s = BN_CTX_get(f->ctx);
	ok = s && mul(f, A, a->z, b->z) && mul(f, B, A, A) && mul(f, C, a->x, b->x) && mul(f, D, a->y, b->y) && mul(f, E, C, D) &&
	     mul(f, E, E, f->d) && BN_mod_sub(F, B, E, f->p, f->ctx) && BN_mod_add(G, B, E, f->p, f->ctx) &&
	     BN_mod_add(s, a->x, a->y, f->p, f->ctx) && BN_mod_add(E, b->x, b->y, f->p, f->ctx) && mul(f, s, s, E) &&
	     BN_mod_sub(s, s, C, f->p, f->ctx) && BN_mod_sub(s, s, D, f->p, f->ctx) &&
	     (f->minus ? BN_mod_add(D, D, C, f->p, f->ctx) : BN_mod_sub(D, D, C, f->p, f->ctx)) && mul(f, r->x, A, F) && mul(f, r->x, r->x, s) &&
	     mul(f, r->y, A, G) && mul(f, r->y, r->y, D) && mul(f, r->z, F, G);
	BN_CTX_end(f->ctx);
	return ok;
}

/* x of a point with that y; *has: there is one */
static bool lift(const struct field *f, BIGNUM *x, const BIGNUM *y, bool *has)
{
	BIGNUM *over, *under;
	bool ok;

	*has = false;
	BN_CTX_start(f->ctx);
	over = BN_CTX_get(f->ctx);
	under = BN_CTX_get(f->ctx);
	/* x² = (y² - 1)/(d·y² - a); the denominator is never zero, for d/a is no square */
	ok = under && mul(f, over, y, y) && mul(f, under, over, f->d) && BN_sub_word(over, 1) && BN_nnmod(over, over, f->p, f->ctx) &&
	     (f->minus ? BN_add_word(under, 1) : BN_sub_word(under, 1)) && BN_nnmod(under, under, f->p, f->ctx) &&
	     BN_mod_inverse(under, under, f->p, f->ctx) && mul(f, over, over, under);
	if (ok && BN_is_zero(over)) {
		BN_zero(x);
		*has = true;
	} else if (ok) {
		const int square = BN_kronecker(over, f->p, f->ctx);
		ok = square > -2 && (square != 1 || BN_mod_sqrt(x, over, f->p, f->ctx));
		*has = ok && square == 1;
	}
	BN_CTX_end(f->ctx);
	return ok;
}

static bool eightfold(const struct field *f, struct point *p)
{
	bool ok = true;

	for (int i = 0; i < 3 && ok; i++)
		ok = add(f, p, p, p);
	return ok;
}

static bool affine_y(const struct field *f, BIGNUM *ret, const struct point *p)
{
	return BN_mod_inverse(ret, p->z, f->p, f->ctx) && mul(f, ret, ret, p->y);
}

/* Eight times the base point: y = 4/5 for Ed25519; for Ed448 the y of RFC 8032, 5.2. */
static bool base_point(const struct field *f, struct point *ret)
{
	static const char y448[] = "693F46716EB6BC248876203756C9C7624BEA73736CA3984087789C1E05A0C2D73AD3FF1CE67C39C4FDBD132C4ED7C8AD9808795BF230FA14";
	bool has;

	if (f->minus ? !(BN_set_word(ret->y, 5) && BN_mod_inverse(ret->y, ret->y, f->p, f->ctx) && BN_mul_word(ret->y, 4) && BN_nnmod(ret->y, ret->y, f->p, f->ctx))
		     : !BN_hex2bn(&ret->y, y448))
		return false;
	return lift(f, ret->x, ret->y, &has) && has && BN_one(ret->z) && eightfold(f, ret);
}

static struct table edwards_table[2];

static void fill_edwards(enum key_curve curve)
{
	struct table *t = &edwards_table[curve == CURVE_ED448];
	uint8_t (*rows)[COORDINATE_MAX] = malloc(sizeof(*rows) * POINT_BABY);
	struct field f;
	bool ok = field_open(&f, curve) && rows;

	if (ok) {
		struct point base, p;
		BIGNUM *y;
		BN_CTX_start(f.ctx);
		base = point_get(&f);
		p = point_get(&f);
		y = BN_CTX_get(f.ctx);
		t->width = curve == CURVE_ED448 ? 56 : 32;
		ok = y && base_point(&f, &base) && BN_copy(p.x, base.x) && BN_copy(p.y, base.y) && BN_copy(p.z, base.z);
		for (int i = 0; i < POINT_BABY && ok; i++)
			ok = affine_y(&f, y, &p) && row_of(rows[i], y, t->width) && add(&f, &p, &p, &base);
		BN_CTX_end(f.ctx);
	}
	if (ok) {
		qsort(rows, POINT_BABY, sizeof(*rows), compare_rows);
		t->rows = rows;
	} else {
		free(rows);
	}
	field_close(&f);
}

static void fill_ed25519(void) { fill_edwards(CURVE_ED25519); }
static void fill_ed448(void) { fill_edwards(CURVE_ED448); }

/* Is p, eight times the key, a small multiple of eight times the base point? */
static bool edwards_tiny(const struct field *f, const struct table *t, const struct point *p, bool *ret)
{
	struct point step, up, down, minus;
	BIGNUM *y;
	bool ok;

	*ret = false;
	BN_CTX_start(f->ctx);
	step = point_get(f), up = point_get(f), down = point_get(f), minus = point_get(f);
	y = BN_CTX_get(f->ctx);
	/* 2·256 + 1 = 2^9 + 1 */
	ok = y && base_point(f, &minus) && BN_copy(step.x, minus.x) && BN_copy(step.y, minus.y) && BN_copy(step.z, minus.z);
	for (int i = POINT_BABY; i && ok; i /= 2)
		ok = add(f, &step, &step, &step);
	ok = ok && add(f, &step, &step, &minus) && BN_copy(minus.y, step.y) && BN_copy(minus.z, step.z) && BN_sub(minus.x, f->p, step.x);
	ok = ok && BN_copy(up.x, p->x) && BN_copy(up.y, p->y) && BN_copy(up.z, p->z) && BN_copy(down.x, p->x) && BN_copy(down.y, p->y) &&
	     BN_copy(down.z, p->z);
	for (int i = 0; i <= POINT_GIANT && ok && !*ret; i++) {
		ok = affine_y(f, y, &up);
		*ret = ok && (table_has(t, y) || (i && BN_is_one(y)));
		ok = ok && affine_y(f, y, &down);
		*ret = *ret || (ok && (table_has(t, y) || (i && BN_is_one(y))));
		ok = ok && add(f, &up, &up, &step) && add(f, &down, &down, &minus);
	}
	BN_CTX_end(f->ctx);
	return ok;
}

static enum point_verdict edwards(const struct field *f, const struct table *t, BIGNUM *y, bool sign)
{
	const bool above = BN_cmp(y, f->p) >= 0;
	enum point_verdict v = POINT_UNTESTED;
	struct point p;
	bool has = false, tiny = false, zero;

	BN_CTX_start(f->ctx);
	p = point_get(f);
	if (!p.z || !BN_copy(p.y, y) || !BN_nnmod(p.y, p.y, f->p, f->ctx) || !BN_one(p.z) || !lift(f, p.x, p.y, &has))
		goto out;
	v = POINT_OFF_CURVE;
	if (!has)
		goto out;
	v = POINT_UNTESTED;
	zero = BN_is_zero(p.x);
	if (!eightfold(f, &p))
		goto out;
	if (BN_is_zero(p.x) && BN_cmp(p.y, p.z) == 0)
		v = POINT_SMALL_ORDER;
	else if (above || (zero && sign))
		v = POINT_SECOND_FORM;
	else if (t->rows && edwards_tiny(f, t, &p, &tiny))
		v = tiny ? POINT_TINY : POINT_SOUND;
out:
	BN_CTX_end(f->ctx);
	return v;
}

enum point_verdict point_edwards(enum key_curve curve, struct str x)
{
	static once_flag once[2] = { ONCE_FLAG_INIT, ONCE_FLAG_INIT };
	const bool is_448 = curve == CURVE_ED448;
	uint8_t bytes[57];
	enum point_verdict v = POINT_UNTESTED;
	struct field f;
	BIGNUM *y;
	bool sign;

	if (x.n != key_curve_bytes(curve))
		return POINT_OFF_CURVE;
	call_once(&once[is_448], is_448 ? fill_ed448 : fill_ed25519);
	memcpy(bytes, x.p, x.n);
	sign = bytes[x.n - 1] >> 7;
	bytes[x.n - 1] &= 0x7f;
	y = BN_lebin2bn(bytes, (int)x.n, NULL);
	if (field_open(&f, curve) && y)
		v = edwards(&f, &edwards_table[is_448], y, sign);
	BN_free(y);
	field_close(&f);
	return v;
}

/* -- Montgomery: u alone.  Three doublings bring what has a small order, on the curve or on its twist, to infinity. -- */

enum point_verdict point_montgomery(bool is_x448, struct str u)
{
	uint8_t bytes[56];
	enum point_verdict v = POINT_UNTESTED;
	struct field f;
	BIGNUM *x, *z, *s, *d, *t;
	bool above, ok;

	if (u.n != (is_x448 ? 56 : 32))
		return POINT_OFF_CURVE;
	memcpy(bytes, u.p, u.n);
	if (!is_x448)
		bytes[31] &= 0x7f; /* RFC 7748: ignored */
	ok = field_open(&f, is_x448 ? CURVE_ED448 : CURVE_ED25519);
	if (ok) {
		BN_CTX_start(f.ctx);
		x = BN_CTX_get(f.ctx), z = BN_CTX_get(f.ctx), s = BN_CTX_get(f.ctx), d = BN_CTX_get(f.ctx), t = BN_CTX_get(f.ctx);
		ok = t && BN_lebin2bn(bytes, (int)u.n, x) && BN_one(z);
		above = ok && BN_cmp(x, f.p) >= 0;
		ok = ok && BN_nnmod(x, x, f.p, f.ctx);
		const bool base = ok && BN_is_word(x, is_x448 ? 5 : 9);
		for (int i = 0; i < 3 && ok; i++) /* RFC 7748, 5: (A - 2)/4 is 121665, or 39081 */
			ok = BN_mod_add(s, x, z, f.p, f.ctx) && mul(&f, s, s, s) && BN_mod_sub(d, x, z, f.p, f.ctx) && mul(&f, d, d, d) &&
			     mul(&f, x, s, d) && BN_mod_sub(t, s, d, f.p, f.ctx) && BN_copy(z, t) && BN_mul_word(z, is_x448 ? 39081 : 121665) &&
			     BN_mod_add(z, z, s, f.p, f.ctx) && mul(&f, z, z, t);
		if (ok)
			v = BN_is_zero(z) ? POINT_SMALL_ORDER : base ? POINT_TINY : above ? POINT_SECOND_FORM : POINT_SOUND;
		BN_CTX_end(f.ctx);
	}
	field_close(&f);
	return v;
}

/* -- the curves of NIST -- */

static const struct { int nid; unsigned bytes; } groups[3] = {
	{ NID_X9_62_prime256v1, 32 }, { NID_secp384r1, 48 }, { NID_secp521r1, 66 },
};
static struct table nist_table[3];

static void fill_nist(size_t g)
{
	struct table *t = &nist_table[g];
	uint8_t (*rows)[COORDINATE_MAX] = malloc(sizeof(*rows) * POINT_BABY);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(groups[g].nid);
	EC_POINT *p = group ? EC_POINT_new(group) : NULL;
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *x = BN_new();
	bool ok = rows && p && ctx && x && EC_POINT_copy(p, EC_GROUP_get0_generator(group));

	t->width = groups[g].bytes;
	for (int i = 0; i < POINT_BABY && ok; i++)
		ok = EC_POINT_get_affine_coordinates(group, p, x, NULL, ctx) && row_of(rows[i], x, t->width) &&
		     EC_POINT_add(group, p, p, EC_GROUP_get0_generator(group), ctx);
	if (ok) {
		qsort(rows, POINT_BABY, sizeof(*rows), compare_rows);
		t->rows = rows;
	} else {
		free(rows);
	}
	BN_free(x);
	BN_CTX_free(ctx);
	EC_POINT_free(p);
	EC_GROUP_free(group);
	ERR_clear_error();
}

static void fill_p256(void) { fill_nist(0); }
static void fill_p384(void) { fill_nist(1); }
static void fill_p521(void) { fill_nist(2); }

static bool known(const EC_GROUP *group, const struct table *t, const EC_POINT *p, BIGNUM *x, BN_CTX *ctx)
{
	return EC_POINT_is_at_infinity(group, p) || (EC_POINT_get_affine_coordinates(group, p, x, NULL, ctx) && table_has(t, x));
}

static enum point_verdict nist_tiny(const EC_GROUP *group, const struct table *t, const EC_POINT *p, BN_CTX *ctx)
{
	EC_POINT *step = EC_POINT_new(group), *minus = EC_POINT_new(group), *up = EC_POINT_dup(p, group), *down = EC_POINT_dup(p, group);
	BIGNUM *x = BN_new();
	enum point_verdict v = POINT_UNTESTED;
	bool ok = step && minus && up && down && x && BN_set_word(x, 2 * POINT_BABY + 1) && EC_POINT_mul(group, step, x, NULL, NULL, ctx) &&
		  EC_POINT_copy(minus, step) && EC_POINT_invert(group, minus, ctx);

	for (int i = 0; i <= POINT_GIANT && ok && v == POINT_UNTESTED; i++) {
		if (known(group, t, up, x, ctx) || known(group, t, down, x, ctx))
			v = POINT_TINY;
		ok = EC_POINT_add(group, up, up, step, ctx) && EC_POINT_add(group, down, down, minus, ctx);
	}
	if (ok && v == POINT_UNTESTED)
		v = POINT_SOUND;
	EC_POINT_free(step);
	EC_POINT_free(minus);
	EC_POINT_free(up);
	EC_POINT_free(down);
	BN_free(x);
	return v;
}

enum point_verdict point_weierstrass(enum key_curve curve, struct str x, struct str y)
{
	static once_flag once[3] = { ONCE_FLAG_INIT, ONCE_FLAG_INIT, ONCE_FLAG_INIT };
	static void (*const fill[3])(void) = { fill_p256, fill_p384, fill_p521 };
	const size_t g = (size_t)(curve - CURVE_P256);
	enum point_verdict v = POINT_UNTESTED;
	EC_GROUP *group;
	EC_POINT *p;
	BIGNUM *bx, *by;
	BN_CTX *ctx;

	if (g >= 3 || !x.n || !y.n)
		return POINT_OFF_CURVE;
	call_once(&once[g], fill[g]);
	group = EC_GROUP_new_by_curve_name(groups[g].nid);
	p = group ? EC_POINT_new(group) : NULL;
	ctx = BN_CTX_new();
	bx = BN_bin2bn((const uint8_t *)x.p, (int)x.n, NULL);
	by = BN_bin2bn((const uint8_t *)y.p, (int)y.n, NULL);
	if (p && ctx && bx && by && nist_table[g].rows)
		v = EC_POINT_set_affine_coordinates(group, p, bx, by, ctx) ? nist_tiny(group, &nist_table[g], p, ctx) : POINT_OFF_CURVE;
	BN_free(bx);
	BN_free(by);
	BN_CTX_free(ctx);
	EC_POINT_free(p);
	EC_GROUP_free(group);
	ERR_clear_error();
	return v;
}
