/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>

#include "base/limits.h"
#include "dump/find_claim.h"
#include "dump/find_int.h"

int32_t find_factor(struct dump_scan *s, const struct dump_target *t, const BIGNUM *w, const char **ret_component)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *n = BN_bin2bn(t->n.p, (int)t->n.n, NULL), *e = BN_bin2bn(t->e.p, (int)t->e.n, NULL);
	BIGNUM *other = BN_secure_new(), *rest = BN_secure_new();
	int32_t key = -1;

	if (ctx && n && e && other && rest && BN_num_bits(w) > 1 && BN_cmp(w, n) < 0 && BN_div(other, rest, n, w, ctx) &&
	    BN_is_zero(rest)) {
		key = dump_key_rsa(s, n, e, w);
		*ret_component = BN_cmp(w, other) >= 0 ? "p" : "q";
	}
	BN_clear_free(other);
	BN_clear_free(rest);
	BN_free(n);
	BN_free(e);
	BN_CTX_free(ctx);
	return key;
}

const char *find_layout(struct dump_scan *s, const struct dump_block *b, enum number_layout layout)
{
	if (layout == NUMBER_LE && b->step > 1)
		return b->step == 8 ? "LE/8" : "LE/4";
	return number_layout_names[layout];
}

static const enum dump_algorithm algorithms[] = {
	[CLAIM_RSA] = DUMP_RSA, [CLAIM_EC] = DUMP_EC, [CLAIM_ED25519] = DUMP_ED25519, [CLAIM_ED448] = DUMP_ED448, [CLAIM_X25519] = DUMP_X25519,
	[CLAIM_X448] = DUMP_X448, [CLAIM_DSA] = DUMP_DSA, [CLAIM_DH] = DUMP_DH, [CLAIM_SYMMETRIC] = DUMP_OTHER, [CLAIM_LOCKED] = DUMP_OTHER,
	[CLAIM_PGP] = DUMP_OTHER, [CLAIM_ML_DSA] = DUMP_ML_DSA, [CLAIM_ML_KEM] = DUMP_ML_KEM, [CLAIM_SLH_DSA] = DUMP_SLH_DSA, [CLAIM_UNKNOWN] = DUMP_UNKNOWN,
};

enum dump_algorithm claim_algorithm(enum claim_alg a) { return algorithms[a]; }

int32_t claim_keep(struct dump_scan *s, const struct claim *c, const struct proof *v)
{
	uint8_t secret[CLAIM_BYTES_MAX];
	int32_t key = -1;

	if (c->alg == CLAIM_RSA) {
		if (!v->e)
			return -1;
		return v->p ? dump_key_rsa(s, v->n, v->e, v->p) : dump_key_rsa_d(s, v->n, v->e, v->d);
	}
	size_t n = c->alg == CLAIM_EC ? curve_bytes(v->curve) : c->alg == CLAIM_DSA || c->alg == CLAIM_DH ? (size_t)BN_num_bytes(v->d) : c->part[EC_D].n;
	if (n > sizeof secret || BN_bn2binpad(v->d, secret, (int)n) != (int)n)
		return -1;
	if (c->alg == CLAIM_DSA || c->alg == CLAIM_DH)
		key = dump_key_dsa(s, claim_algorithm(c->alg), v->bits, v->has_spki ? v->spki : NULL, (struct dump_bytes){ secret, n });
	else
		key = dump_key_point(s, claim_algorithm(c->alg), v->bits, c->alg == CLAIM_EC ? curve_group(v->curve) : NULL,
		                     (struct dump_bytes){ v->point, v->point_bytes }, (struct dump_bytes){ secret, n });
	OPENSSL_cleanse(secret, sizeof secret);
	return key;
}
