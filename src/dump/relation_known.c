/* SPDX-License-Identifier: Apache-2.0 */
/* relation_known: of a key that was found and erased p and q are known, and a window V is held against V = y 2^a modulo p, for the members y of
 * the key and every R that is in use.  That covers what N alone does not show: 1/q R mod p.
 *
 * It shares nothing with trace.c but the thought: whole numbers modulo p, looked up by their lowest 64 bits, at every byte. */
#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

#include "dump/arena.h"
#include "dump/relation.h"

static const uint8_t word_sizes[] = { 64, 63, 62, 60, 56, 52, 51, 48, 44, 32, 31, 30, 29, 28, 26, 24, 15 };
#define POWER_LEAST (-2)
#define POWER_MOST 6
#define MEMBERS 6
#define VALUES_MAX (2 * MEMBERS * (sizeof(word_sizes) + 1) * (POWER_MOST - POWER_LEAST + 1))

struct relation_primes {
	size_t h;              /* limbs */
	mp_limb_t p[2][RELATION_LIMBS / 2 + 1];
	size_t n[2];
	uint32_t *slots[2];    /* index + 1 */
	size_t mask;
	mp_limb_t *values[2];  /* h limbs each */
	size_t bytes;          /* of `values` */
};

static size_t slot_of(const struct relation_primes *k, mp_limb_t low) { return (size_t)(low * UINT64_C(0x9e3779b97f4a7c15) >> 40) & k->mask; }

static void limbs_of(const BIGNUM *x, mp_limb_t *ret, size_t h)
{
	memset(ret, 0, h * sizeof(*ret));
	(void)BN_bn2lebinpad(x, (unsigned char *)ret, (int)(h * sizeof(*ret))); /* as GMP has them: on a little-endian machine */
}

static void put(struct relation_primes *k, unsigned which, const BIGNUM *x)
{
	mp_limb_t *value = k->values[which] + k->n[which] * k->h;
	size_t slot;

	if (k->n[which] == VALUES_MAX || BN_num_bits(x) < 128)
		return;
	limbs_of(x, value, k->h);
	for (slot = slot_of(k, value[0]); k->slots[which][slot]; slot = (slot + 1) & k->mask)
		;
	k->slots[which][slot] = (uint32_t)++k->n[which];
}

static bool fill(struct relation_primes *k, unsigned which, const BIGNUM *p, const BIGNUM *q, const BIGNUM *e, BN_CTX *ctx)
{
	BIGNUM *r, *x, *y, *two, *members[MEMBERS];
	const int bits = BN_num_bits(p);
	bool ok;

	BN_CTX_start(ctx);
	r = BN_CTX_get(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	two = BN_CTX_get(ctx);
	for (int i = 0; i < MEMBERS; i++)
		members[i] = BN_CTX_get(ctx);
	/* 1, q, 1/q, 1/q^2, e, d mod p-1 */
	ok = members[MEMBERS - 1] && BN_set_word(two, 2) && BN_one(members[0]) && BN_nnmod(members[1], q, p, ctx) &&
	     BN_mod_inverse(members[2], members[1], p, ctx) && BN_mod_sqr(members[3], members[2], p, ctx) && BN_nnmod(members[4], e, p, ctx) &&
	     BN_sub(x, p, BN_value_one()) && (BN_mod_inverse(members[5], e, x, ctx) || BN_one(members[5]));
	for (size_t w = 0; w <= sizeof(word_sizes) && ok; w++) {
		const int radix = w == sizeof(word_sizes) ? 2 * bits : (bits + word_sizes[w] - 1) / word_sizes[w] * word_sizes[w];

		for (int power = POWER_LEAST; power <= POWER_MOST && ok; power++) {
			BN_zero(x);
			ok = BN_set_bit(x, radix * (power < 0 ? -power : power)) && BN_nnmod(r, x, p, ctx) && (power >= 0 || BN_mod_inverse(r, r, p, ctx));
			for (int i = 0; i < MEMBERS && ok; i++) {
				if (power == 0 && w)
					break;
				ok = BN_mod_mul(x, r, members[i], p, ctx) && BN_sub(y, p, x);
				if (ok) {
					put(k, which, x);
					put(k, which, y);
				}
			}
		}
	}
	BN_CTX_end(ctx);
	return ok;
}

bool relation_know(struct relation *r, const uint8_t *p, size_t p_n, const uint8_t *q, size_t q_n, const uint8_t *e, size_t e_n)
{
	struct relation_primes *k = dump_pages_new(sizeof(*k)); /* zeroed */
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *bp = BN_bin2bn(p, (int)p_n, BN_secure_new()), *bq = BN_bin2bn(q, (int)q_n, BN_secure_new()), *be = BN_bin2bn(e, (int)e_n, NULL);
	bool ok = k && ctx && bp && bq && be;

	r->primes = k;
	if (ok) {
		k->h = r->limbs[RELATION_HALF];
		k->mask = 4095;
		while (k->mask < 2 * VALUES_MAX)
			k->mask = 2 * k->mask + 1;
		k->bytes = VALUES_MAX * k->h * sizeof(mp_limb_t);
	}
	for (unsigned i = 0; i < 2 && ok; i++) {
		limbs_of(i ? bq : bp, k->p[i], k->h);
		k->values[i] = dump_pages_new(k->bytes);
		k->slots[i] = calloc(k->mask + 1, sizeof(*k->slots[i]));
		/* primes of two: others have windows of another size */
		ok = k->values[i] && k->slots[i] && (size_t)BN_num_bits(i ? bq : bp) <= 64 * k->h && (k->p[i][k->h - 1] != 0) &&
		     fill(k, i, i ? bq : bp, i ? bp : bq, be, ctx);
	}
	BN_clear_free(bp);
	BN_clear_free(bq);
	BN_free(be);
	BN_CTX_free(ctx);
	if (!ok)
		relation_forget(r);
	return ok;
}

void relation_forget(struct relation *r)
{
	struct relation_primes *k = r->primes;

	for (unsigned i = 0; i < 2 && k; i++) {
		dump_pages_free(k->values[i], k->values[i] ? k->bytes : 0);
		free(k->slots[i]);
	}
	dump_pages_free(k, sizeof(*k));
	r->primes = NULL;
}

bool relation_is_known(const struct relation *r, const mp_limb_t *v)
{
	const struct relation_primes *k = r->primes;
	mp_limb_t rest[RELATION_LIMBS / 2 + 1], quotient[2];

	for (unsigned i = 0; i < 2 && k; i++) {
		mpn_tdiv_qr(quotient, rest, 0, v + 1, (mp_size_t)k->h, k->p[i], (mp_size_t)k->h);
		for (size_t slot = slot_of(k, rest[0]); k->slots[i][slot]; slot = (slot + 1) & k->mask)
			if (mpn_cmp(rest, k->values[i] + (k->slots[i][slot] - 1) * k->h, (mp_size_t)k->h) == 0)
				return true;
	}
	return false;
}
