/* SPDX-License-Identifier: Apache-2.0 */
/* key: completes a proven key.  One factor of n, or d, gives all the rest; here p, q and d are enough, the others are
 * made when they are needed (redaction).  The public parts are plain memory, the secret ones are in the arena; temporary
 * numbers are OpenSSL's secure ones. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "dump/scan_int.h"

static EVP_PKEY *rsa_public(const BIGNUM *n, const BIGNUM *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (ctx && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
		params = OSSL_PARAM_BLD_to_param(build);
	if (params && EVP_PKEY_fromdata_init(ctx) > 0)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

bool dump_spki_rsa(const BIGNUM *n, const BIGNUM *e, uint8_t ret[32])
{
	EVP_PKEY *key = rsa_public(n, e);
	unsigned char *der = NULL;
	int size = key ? i2d_PUBKEY(key, &der) : -1;

	if (size > 0)
		SHA256(der, (size_t)size, ret);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return size > 0;
}

static bool spki_point(enum dump_algorithm a, const char *group, struct dump_bytes point, uint8_t ret[32])
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	unsigned char *der = NULL;
	int size = -1;

	if (point.n == 0)
		return false;
	if (a == DUMP_EC) {
		OSSL_PARAM params[3];

		params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group, 0);
		params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.p, point.n);
		params[2] = OSSL_PARAM_construct_end();
		ctx = EVP_PKEY_CTX_new_from_name(NULL, group && strcmp(group, "SM2") == 0 ? "SM2" : "EC", NULL);
		if (group && ctx && EVP_PKEY_fromdata_init(ctx) > 0)
			(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
		EVP_PKEY_CTX_free(ctx);
	} else {
		static const struct { enum dump_algorithm a; int id; } raw[] = {
			{ DUMP_ED25519, EVP_PKEY_ED25519 }, { DUMP_X25519, EVP_PKEY_X25519 },
			{ DUMP_ED448, EVP_PKEY_ED448 }, { DUMP_X448, EVP_PKEY_X448 },
		};
		for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++)
			if (raw[i].a == a)
				key = EVP_PKEY_new_raw_public_key(raw[i].id, NULL, point.p, point.n);
	}
	if (key)
		size = i2d_PUBKEY(key, &der);
	if (size > 0)
		SHA256(der, (size_t)size, ret);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return size > 0;
}

const struct dump_target *target_of(const struct dump_scan *s, const uint8_t spki[32])
{
	const struct dump_target *met = NULL;

	for (size_t i = 0; i < s->n_targets; i++) {
		if (memcmp(s->targets[i].spki, spki, 32) != 0)
			continue;
		if (!s->targets[i].from_dump)
			return &s->targets[i];
		met = met ? met : &s->targets[i];
	}
	return met;
}

static bool keep_public(struct dump_bytes *ret, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		return false;
	if (n)
		memcpy(copy, p, n);
	ret->p = copy;
	ret->n = n;
	return true;
}

static bool keep_number(struct dump_bytes *ret, const BIGNUM *x, struct dump_arena *a)
{
	size_t n = (size_t)BN_num_bytes(x);
	uint8_t *p = a ? dump_arena_get(a, n ? n : 1) : malloc(n ? n : 1);

	if (!p)
		return false;
	BN_bn2bin(x, p);
	*ret = (struct dump_bytes){ p, n };
	return true;
}

static bool same_bytes(struct dump_bytes a, struct dump_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Of two values of a member the smaller, whichever came first. */
static void first_of(struct dump_bytes *a, struct dump_bytes b)
{
	if (b.n && (!a->n || (a->n == b.n && memcmp(b.p, a->p, b.n) < 0)))
		*a = b;
}

/* Adds or finds; takes the public parts of *k.  The lock must be held. */
static int32_t put(struct dump_scan *s, struct dump_key *k)
{
	for (size_t i = 0; i < s->n_keys; i++) {
		struct dump_key *o = &s->keys[i];

		if (o->algorithm != k->algorithm || o->bits != k->bits || o->has_spki != k->has_spki)
			continue;
		if (k->has_spki ? memcmp(o->spki, k->spki, 32) != 0 : !same_bytes(o->d, k->d) || !same_bytes(o->n, k->n))
			continue;
		if (k->algorithm != DUMP_RSA) {
			first_of(&o->d, k->d);
			first_of(&o->p, k->p);
			first_of(&o->q, k->q);
		} else if (!o->p.n && k->p.n) {
			o->p = k->p;
			o->q = k->q;
			o->d = k->d;
		}
		return (int32_t)i;
	}
	if (s->n_keys == s->keys_capacity) {
		size_t capacity = s->keys_capacity ? s->keys_capacity * 2 : 16;
		struct dump_key *bigger = capacity <= DUMP_KEYS_MAX ? realloc(s->keys, capacity * sizeof(*bigger)) : NULL;

		if (!bigger)
			return -1;
		s->keys = bigger;
		s->keys_capacity = capacity;
	}
	k->allowed = k->has_spki ? dump_allowed(k->spki, s->options.today) : NULL;
	s->keys[s->n_keys] = *k;
	return (int32_t)s->n_keys++;
}

static int32_t known(struct dump_scan *s, const uint8_t spki[32], bool with_primes)
{
	int32_t ret = -1;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n_keys && ret < 0; i++)
		if (s->keys[i].has_spki && memcmp(s->keys[i].spki, spki, 32) == 0 && (!with_primes || s->keys[i].p.n))
			ret = (int32_t)i;
	pthread_mutex_unlock(&s->lock);
	return ret;
}

static int32_t add(struct dump_scan *s, struct dump_key *k)
{
	int32_t ret;

	pthread_mutex_lock(&s->lock);
	ret = put(s, k);
	if (ret < 0 || s->keys[ret].n.p != k->n.p) {
		free((void *)(uintptr_t)k->n.p);
		free((void *)(uintptr_t)k->e.p);
	}
	if (ret < 0 || s->keys[ret].point.p != k->point.p)
		free((void *)(uintptr_t)k->point.p);
	pthread_mutex_unlock(&s->lock);
	if (ret < 0)
		dump_limit(s, "more keys than can be kept");
	return ret;
}

/* p > q, d modulo lcm(p - 1, q - 1); false: the inverse does not exist (then e is no exponent of this n) */
static bool derive(const BIGNUM *n, const BIGNUM *e, const BIGNUM *factor, BIGNUM *p, BIGNUM *q, BIGNUM *d, BN_CTX *ctx)
{
	bool ok = false;
	BIGNUM *p1, *q1, *l, *g;

	BN_CTX_start(ctx);
	p1 = BN_CTX_get(ctx);
	q1 = BN_CTX_get(ctx);
	l = BN_CTX_get(ctx);
	g = BN_CTX_get(ctx);
	if (!g || !BN_copy(p, factor) || !BN_div(q, l, n, p, ctx) || !BN_is_zero(l))
		goto out;
	if (BN_cmp(p, q) < 0)
		BN_swap(p, q);
	if (!BN_sub(p1, p, BN_value_one()) || !BN_sub(q1, q, BN_value_one()) || BN_is_zero(p1) || BN_is_zero(q1))
		goto out;
	if (!BN_gcd(g, p1, q1, ctx) || !BN_mul(l, p1, q1, ctx) || !BN_div(l, NULL, l, g, ctx))
		goto out;
	ok = true;
	if (BN_is_zero(e) || !BN_mod_inverse(d, e, l, ctx))
		BN_zero(d);
out:
	BN_CTX_end(ctx);
	return ok;
}

int32_t dump_key_rsa(struct dump_scan *s, const BIGNUM *n, const BIGNUM *e, const BIGNUM *factor)
{
	struct dump_key k = { .algorithm = DUMP_RSA, .bits = (unsigned)BN_num_bits(n) };
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *p = BN_secure_new(), *q = BN_secure_new(), *d = BN_secure_new();
	int32_t ret = -1;

	k.has_spki = dump_spki_rsa(n, e, k.spki);
	ret = k.has_spki ? known(s, k.spki, true) : -1;
	if (ret >= 0 || !ctx || !p || !q || !d || !derive(n, e, factor, p, q, d, ctx))
		goto out;
	if (keep_number(&k.p, p, s->arena) && keep_number(&k.q, q, s->arena) && keep_number(&k.d, d, s->arena) &&
	    keep_number(&k.n, n, NULL) && keep_number(&k.e, e, NULL)) {
		ret = add(s, &k);
	} else {
		free((void *)(uintptr_t)k.n.p);
		dump_limit(s, "the arena for secret values is full");
	}
out:
	BN_clear_free(p);
	BN_clear_free(q);
	BN_clear_free(d);
	BN_CTX_free(ctx);
	return ret;
}

/* e d - 1 = 2^s t; some base's powers pass a square root of one that is not one: its neighbour shares a factor with n */
static bool factor_from_d(const BIGNUM *n, const BIGNUM *e, const BIGNUM *d, BIGNUM *factor, BN_CTX *ctx)
{
	bool found = false;
	BIGNUM *t, *y, *x, *base, *minus;
	int twos = 0;

	BN_CTX_start(ctx);
	t = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	x = BN_CTX_get(ctx);
	base = BN_CTX_get(ctx);
	minus = BN_CTX_get(ctx);
	if (!minus || !BN_mul(t, e, d, ctx) || !BN_sub_word(t, 1) || BN_is_zero(t) || !BN_sub(minus, n, BN_value_one()))
		goto out;
	while (!BN_is_bit_set(t, twos))
		twos++;
	if (twos == 0 || !BN_rshift(t, t, twos))
		goto out;
	for (BN_ULONG b = 2; b < 60 && !found; b++) {
		if (!BN_set_word(base, b) || !BN_mod_exp(y, base, t, n, ctx))
			break;
		if (BN_is_one(y) || BN_cmp(y, minus) == 0)
			continue;
		for (int i = 0; i < twos && !found; i++) {
			if (!BN_mod_sqr(x, y, n, ctx))
				goto out;
			if (BN_is_one(x)) {
				if (!BN_sub_word(y, 1) || !BN_gcd(factor, y, n, ctx))
					goto out;
				found = !BN_is_one(factor) && BN_cmp(factor, n) != 0;
				break;
			}
			if (BN_cmp(x, minus) == 0)
				break;
			BN_swap(x, y);
		}
	}
out:
	BN_CTX_end(ctx);
	return found;
}

int32_t dump_key_rsa_d(struct dump_scan *s, const BIGNUM *n, const BIGNUM *e, const BIGNUM *d)
{
	struct dump_key k = { .algorithm = DUMP_RSA, .bits = (unsigned)BN_num_bits(n) };
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *factor = BN_secure_new();
	int32_t ret = -1;

	if (!ctx || !factor)
		goto out;
	k.has_spki = dump_spki_rsa(n, e, k.spki);
	ret = k.has_spki ? known(s, k.spki, false) : -1;
	if (ret >= 0)
		goto out;
	if (factor_from_d(n, e, d, factor, ctx)) {
		ret = dump_key_rsa(s, n, e, factor);
	} else if (keep_number(&k.d, d, s->arena) && keep_number(&k.n, n, NULL) && keep_number(&k.e, e, NULL)) {
		ret = add(s, &k);
	} else {
		free((void *)(uintptr_t)k.n.p);
		dump_limit(s, "the arena for secret values is full");
	}
out:
	BN_clear_free(factor);
	BN_CTX_free(ctx);
	return ret;
}

static int32_t keep_point(struct dump_scan *s, struct dump_key *k, struct dump_bytes point, const struct dump_bytes *secrets)
{
	struct dump_bytes *members[] = { &k->d, &k->p, &k->q };

	for (size_t i = 0; i < 3; i++) {
		uint8_t *copy = secrets[i].n ? dump_arena_get(s->arena, secrets[i].n) : NULL;

		if (!secrets[i].n)
			continue;
		if (!copy) {
			dump_limit(s, "the arena for secret values is full");
			return -1;
		}
		memcpy(copy, secrets[i].p, secrets[i].n);
		*members[i] = (struct dump_bytes){ copy, secrets[i].n };
	}
	k->has_spki = spki_point(k->algorithm, k->group, point, k->spki);
	if (!keep_public(&k->point, point.p, point.n)) {
		dump_limit(s, "the arena for secret values is full");
		return -1;
	}
	return add(s, k);
}

int32_t dump_key_point(struct dump_scan *s, enum dump_algorithm a, unsigned bits, const char *group, struct dump_bytes point,
		       struct dump_bytes secret)
{
	struct dump_key k = { .algorithm = a, .bits = bits, .group = group ? dump_intern(s, "%s", group) : NULL };

	return keep_point(s, &k, point, (struct dump_bytes[3]){ secret, { NULL, 0 }, { NULL, 0 } });
}

int32_t dump_key_scalar(struct dump_scan *s, enum dump_algorithm a, unsigned bits, struct dump_bytes point, struct dump_bytes scalar,
			struct dump_bytes prefix)
{
	struct dump_key k = { .algorithm = a, .bits = bits };

	return keep_point(s, &k, point, (struct dump_bytes[3]){ { NULL, 0 }, scalar, prefix });
}

int32_t dump_key_dsa(struct dump_scan *s, enum dump_algorithm a, unsigned bits, const uint8_t spki[32], struct dump_bytes x)
{
	struct dump_key k = { .algorithm = a, .bits = bits, .has_spki = spki != NULL };
	uint8_t *copy = dump_arena_get(s->arena, x.n ? x.n : 1);

	if (!copy) {
		dump_limit(s, "the arena for secret values is full");
		return -1;
	}
	if (spki)
		memcpy(k.spki, spki, 32);
	memcpy(copy, x.p, x.n);
	k.d = (struct dump_bytes){ copy, x.n };
	return add(s, &k);
}
