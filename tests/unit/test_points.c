/* SPDX-License-Identifier: Apache-2.0 */
/* test_points: for every curve, numbers that give a secret by a relation (d 2^t, its negative, 1/d 2^t) are hits of the right key and power,
 * whatever else is in the batch; nothing else passes; and public keys of Ed25519, X25519, Ed448, X448 are recognised by the scalars that
 * the standards derive. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "dump/points.h"

#include "chance.h"
#include "check.h"

#define KEYS 5
#define SECRETS 40

static void random_below(BIGNUM *x, const BIGNUM *order, BN_CTX *ctx)
{
	uint8_t bytes[80];

	for (size_t k = 0; k < sizeof(bytes); k++)
		bytes[k] = (uint8_t)(chance() >> 40);
	BN_bin2bn(bytes, sizeof(bytes), x);
	BN_nnmod(x, x, order, ctx);
}

static void one_curve(enum curve which)
{
	const unsigned n = curve_bytes(which);
	EC_GROUP *g = EC_GROUP_new_by_curve_name(curve_nid(which));
	const BIGNUM *order = EC_GROUP_get0_order(g);
	EC_POINT *q = EC_POINT_new(g);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *d[KEYS], *x = BN_new(), *w = BN_new(), *two = BN_new();
	struct points_set *set = points_set_new((int)which);
	struct points *p;
	struct points_hit hits[POINTS_BATCH];
	uint8_t bytes[80] = { 0 }, values[SECRETS][80];
	int powers[SECRETS];
	bool inverse[SECRETS];

	CHECK(set != NULL);
	for (int i = 0; i < KEYS; i++) {
		d[i] = BN_new();
		if (i == 0)
			BN_set_word(d[i], 7);
		else
			random_below(d[i], order, ctx);
		EC_POINT_mul(g, q, d[i], NULL, NULL, ctx);
		EC_POINT_get_affine_coordinates(g, q, x, NULL, ctx);
		BN_bn2binpad(x, bytes, (int)n);
		CHECK(points_set_add(set, bytes));
		if (i == 1) {
			memset(bytes, 0xff, n); /* no X of the curve */
			CHECK(points_set_add(set, bytes));
		}
	}
	CHECK(points_set_seal(set));
	p = points_new(set);
	CHECK(p != NULL);
	for (int i = 0; i < SECRETS; i++) {
		int reach = (int)POINTS_REACH(n);

		powers[i] = i < 10 ? 0 : i < 12 ? reach : i < 14 ? -reach : (int)(chance() % (unsigned)(2 * reach)) - reach;
		inverse[i] = i % 3 == 2;
		BN_copy(w, d[i % KEYS]);
		if (inverse[i])
			BN_mod_inverse(w, w, order, ctx);
		/* W = d 2^t;  1/W = d 2^t */
		BN_zero(two);
		BN_set_bit(two, abs(powers[i]));
		BN_nnmod(two, two, order, ctx);
		if ((powers[i] < 0) != inverse[i])
			BN_mod_inverse(two, two, order, ctx);
		BN_mod_mul(w, w, two, order, ctx);
		if (i & 1)
			BN_sub(w, order, w);
		BN_bn2lebinpad(w, values[i], (int)n);
	}
	for (int round = 0; round < 3; round++) {
		size_t count, seen = 0;
		bool more = true;

		for (uint32_t i = 0; more; i++) {
			if (i % 8 == 3 && i / 8 < SECRETS) {
				more = points_add(p, values[i / 8], inverse[i / 8], i / 8);
				continue;
			}
			for (unsigned k = 0; k < n; k++)
				bytes[k] = i % 5 ? (uint8_t)(chance() >> 40) : i % 3 ? 0 : 0xff;
			if (i % 5 == 0 && i % 3 == 0 && i % 2)
				BN_bn2lebinpad(order, bytes, (int)n);
			more = points_add(p, bytes, i % 7 == 0, 1000 + i);
			if (round == 2 && i == 40 * 8)
				break; /* a batch that is not full */
		}
		count = points_ask(p, hits);
		for (size_t i = 0; i < count; i++) {
			const uint32_t tag = hits[i].tag;

			CHECK_MSG(tag < SECRETS, "%s: stray %u", curve_names[which], tag);
			if (tag >= SECRETS)
				continue;
			seen++;
			CHECK_MSG(points_secret(set, &hits[i], values[tag], inverse[tag], x), "%s: %u is proven", curve_names[which], tag);
			BN_sub(w, order, x);
			CHECK_MSG(BN_cmp(x, d[tag % KEYS]) == 0 || BN_cmp(w, d[tag % KEYS]) == 0, "%s: %u is d", curve_names[which], tag);
			hits[i].power += 1;
			CHECK(!points_secret(set, &hits[i], values[tag], inverse[tag], x));
		}
		CHECK_MSG(seen == SECRETS, "%s: %zu of %d in round %d", curve_names[which], seen, SECRETS, round);
		CHECK(points_ask(p, hits) == 0);
	}
	points_free(p);
	points_set_free(set);
	for (int i = 0; i < KEYS; i++)
		BN_free(d[i]);
	BN_free(x);
	BN_free(w);
	BN_free(two);
	BN_CTX_free(ctx);
	EC_POINT_free(q);
	EC_GROUP_free(g);
}

static void edwards(enum claim_alg alg, int id, size_t size)
{
	const bool large = alg == CLAIM_ED448 || alg == CLAIM_X448, hashed = alg == CLAIM_ED25519 || alg == CLAIM_ED448;
	struct points_set *set = points_set_new(large ? POINTS_448 : POINTS_25519);
	struct points *p;
	struct points_hit hits[POINTS_BATCH];
	uint8_t secret[4][57], scalar[128] = { 0 }, public[57];
	size_t n, got;
	BIGNUM *d = BN_new();

	CHECK(set != NULL);
	for (int i = 0; i < 4; i++) {
		for (size_t k = 0; k < size; k++)
			secret[i][k] = (uint8_t)(chance() >> 40);
		EVP_PKEY *key = EVP_PKEY_new_raw_private_key(id, NULL, secret[i], size);

		n = sizeof(public);
		CHECK(EVP_PKEY_get_raw_public_key(key, public, &n) == 1 && points_set_add_public(set, alg, public, n));
		EVP_PKEY_free(key);
	}
	memset(public, 0, sizeof(public));
	public[0] = 1; /* the neutral point */
	CHECK(points_set_add_public(set, alg, public, n));
	CHECK(points_set_seal(set));
	p = points_new(set);
	for (int i = 0; i < 4; i++) {
		memcpy(scalar, secret[i], size);
		if (hashed) {
			EVP_MD_CTX *ctx = EVP_MD_CTX_new();

			EVP_DigestInit_ex(ctx, large ? EVP_shake256() : EVP_sha512(), NULL);
			EVP_DigestUpdate(ctx, secret[i], size);
			if (large)
				EVP_DigestFinalXOF(ctx, scalar, 114);
			else
				EVP_DigestFinal_ex(ctx, scalar, NULL);
			EVP_MD_CTX_free(ctx);
		}
		scalar[0] &= large ? 252 : 248;
		scalar[large ? 55 : 31] = (uint8_t)(large ? scalar[55] | 128 : (scalar[31] & 127) | 64);
		points_add(p, scalar, false, (uint32_t)i);
	}
	got = points_ask(p, hits);
	CHECK_MSG(got == 4, "%s: %zu of 4", claim_alg_names[alg], got);
	for (size_t i = 0; i < got; i++)
		CHECK_MSG(hits[i].tag == hits[i].key && hits[i].power == 0, "%s: key %u for %u, power %d", claim_alg_names[alg], hits[i].key, hits[i].tag, hits[i].power);
	points_free(p);
	points_set_free(set);
	BN_free(d);
}

int main(void)
{
	for (int c = CURVE_NONE + 1; c < CURVE_COUNT; c++)
		one_curve((enum curve)c);
	edwards(CLAIM_ED25519, EVP_PKEY_ED25519, 32);
	edwards(CLAIM_X25519, EVP_PKEY_X25519, 32);
	edwards(CLAIM_ED448, EVP_PKEY_ED448, 57);
	edwards(CLAIM_X448, EVP_PKEY_X448, 56);
	points_free(NULL);
	CHECK(points_set_new(CURVE_NONE) == NULL);
	CHECK(points_set_new(CURVE_COUNT) == NULL);
	return check_summary();
}
