/* SPDX-License-Identifier: Apache-2.0 */
/* prove: OpenSSL's arithmetic has the last word on every claim (claim.h).
 *
 * RSA goes from cheap to dear: does p or q divide n (a division), do p and q make d's inverse small (an inversion), and only
 * then 2^(e d) = 2 mod n (an exponentiation).  As soon as one factor is proven, everything else is derived from it, and each
 * member of the form is compared with what it should be: that is the difference between "full" and "factor".
 *
 * All BIGNUMs come from OpenSSL's secure heap where one is set up, and are cleansed before they are given back. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "dump/claim.h"

const char *const proof_names[] = { "none", "shape", "stated", "locked", "pair", "point", "exponent", "factor", "full" };
const char *const claim_alg_names[] = { "", "RSA", "EC", "Ed25519", "Ed448", "X25519", "X448", "DSA", "DH", "symmetric", "locked", "OpenPGP", "ML-DSA", "ML-KEM", "SLH-DSA", "unknown" };
const char *const curve_names[] = { "", "P-224", "P-256", "P-384", "P-521", "secp256k1", "P-192", "SM2", "brainpoolP256r1", "brainpoolP320r1", "brainpoolP384r1",
	                            "brainpoolP512r1", "brainpoolP256t1", "brainpoolP320t1", "brainpoolP384t1", "brainpoolP512t1" };
#define BRAINPOOL(bits, kind, last) \
	{ NID_brainpoolP##bits##kind, bits / 8, bits, 9, { 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, last }, { "brainpoolP" #bits #kind } }

static const struct curve_row {
	int nid;
	unsigned bytes, bits;
	uint8_t oid_bytes, oid[9];
	const char *names[4];
} curves[CURVE_COUNT] = {
	[CURVE_P224] = { NID_secp224r1, 28, 224, 5, { 0x2b, 0x81, 0x04, 0x00, 0x21 }, { "P-224", "nistp224", "secp224r1" } },
	[CURVE_P256] = { NID_X9_62_prime256v1, 32, 256, 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 },
	                 { "P-256", "nistp256", "secp256r1", "prime256v1" } },
	[CURVE_P384] = { NID_secp384r1, 48, 384, 5, { 0x2b, 0x81, 0x04, 0x00, 0x22 }, { "P-384", "nistp384", "secp384r1" } },
	[CURVE_P521] = { NID_secp521r1, 66, 521, 5, { 0x2b, 0x81, 0x04, 0x00, 0x23 }, { "P-521", "nistp521", "secp521r1" } },
	[CURVE_K256] = { NID_secp256k1, 32, 256, 5, { 0x2b, 0x81, 0x04, 0x00, 0x0a }, { "secp256k1", "P-256K" } },
	[CURVE_P192] = { NID_X9_62_prime192v1, 24, 192, 8, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01 },
	                 { "P-192", "nistp192", "secp192r1", "prime192v1" } },
	[CURVE_SM2] = { NID_sm2, 32, 256, 8, { 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d }, { "SM2", "sm2p256v1", "curveSM2" } },
	[CURVE_B256R1] = BRAINPOOL(256, r1, 7), [CURVE_B320R1] = BRAINPOOL(320, r1, 9), [CURVE_B384R1] = BRAINPOOL(384, r1, 11),
	[CURVE_B512R1] = BRAINPOOL(512, r1, 13), [CURVE_B256T1] = BRAINPOOL(256, t1, 8), [CURVE_B320T1] = BRAINPOOL(320, t1, 10),
	[CURVE_B384T1] = BRAINPOOL(384, t1, 12), [CURVE_B512T1] = BRAINPOOL(512, t1, 14),
};

struct prover {
	BN_CTX *ctx;
	EC_GROUP *group[CURVE_COUNT];
	BIGNUM *n, *e, *p, *q, *d;      /* of the key being proved */
	BIGNUM *part[CLAIM_PARTS];      /* as claimed */
	uint64_t cost;
};

unsigned curve_bytes(enum curve c)
{
	return curves[c].bytes;
}

unsigned curve_bits(enum curve c)
{
	return curves[c].bits;
}

int curve_nid(enum curve c)
{
	return curves[c].nid;
}

const char *curve_group(enum curve c)
{
	return OBJ_nid2sn(curves[c].nid);
}

enum curve curve_by_oid(const uint8_t *oid, size_t n)
{
	for (int c = 1; c < CURVE_COUNT; c++)
		if (n == curves[c].oid_bytes && memcmp(oid, curves[c].oid, n) == 0)
			return (enum curve)c;
	return CURVE_NONE;
}

enum curve curve_by_name(struct str name)
{
	for (int c = 1; c < CURVE_COUNT; c++)
		for (int i = 0; i < 4 && curves[c].names[i]; i++)
			if (str_eq(name, str_of(curves[c].names[i])))
				return (enum curve)c;
	return CURVE_NONE;
}

struct prover *prover_new(void)
{
	struct prover *v = calloc(1, sizeof *v);
	bool ok = v != NULL;

	if (!v)
		return NULL;
	v->ctx = BN_CTX_secure_new();
	ok = v->ctx != NULL;
	BIGNUM **all[] = { &v->n, &v->e, &v->p, &v->q, &v->d };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		ok = (*all[i] = BN_secure_new()) != NULL && ok;
	for (int i = 0; i < CLAIM_PARTS; i++)
		ok = (v->part[i] = BN_secure_new()) != NULL && ok;
	if (ok)
		return v;
	prover_free(v);
	return NULL;
}

void prover_free(struct prover *v)
{
	if (!v)
		return;
	BIGNUM *all[] = { v->n, v->e, v->p, v->q, v->d };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		BN_clear_free(all[i]);
	for (int i = 0; i < CLAIM_PARTS; i++)
		BN_clear_free(v->part[i]);
	for (int i = 0; i < CURVE_COUNT; i++)
		EC_GROUP_free(v->group[i]);
	BN_CTX_free(v->ctx);
	free(v);
}

uint64_t prover_cost(const struct prover *v)
{
	return v->cost;
}

/* ---- SubjectPublicKeyInfo, written by hand: a few fixed bytes, and no object that would have to be validated first ---- */

static void der_head(struct buf *b, uint8_t tag, size_t n)
{
	buf_add_char(b, (char)tag);
	if (n >= 0x10000)
		buf_add_char(b, (char)0x83), buf_add_char(b, (char)(n >> 16)), buf_add_char(b, (char)(n >> 8));
	else if (n >= 0x100)
		buf_add_char(b, (char)0x82), buf_add_char(b, (char)(n >> 8));
	else if (n >= 0x80)
		buf_add_char(b, (char)0x81);
	buf_add_char(b, (char)n);
}

static void der_wrap(struct buf *out, uint8_t tag, const char *prefix, size_t prefix_bytes, const struct buf *inner)
{
	der_head(out, tag, inner->n + prefix_bytes);
	buf_add(out, prefix, prefix_bytes);
	buf_add(out, inner->p, inner->n);
}

static void der_integer(struct buf *b, const BIGNUM *x)
{
	uint8_t bytes[CLAIM_BYTES_MAX + 1] = { 0 };
	int n = BN_num_bytes(x);
	if (n > CLAIM_BYTES_MAX || BN_bn2bin(x, bytes + 1) != n) {
		b->failed = true;
		return;
	}
	bool sign = n == 0 || bytes[1] & 0x80;
	der_head(b, 0x02, (size_t)n + sign);
	buf_add(b, bytes + 1 - sign, (size_t)n + sign);
}

static void spki_digest(struct proof *ret, const char *algorithm, size_t algorithm_bytes, const struct buf *key)
{
	struct buf bits, whole;
	unsigned n = sizeof ret->spki;
	buf_init(&bits, 64 * KIB);
	buf_init(&whole, 64 * KIB);
	buf_add(&bits, algorithm, algorithm_bytes);
	der_wrap(&bits, 0x03, "", 1, key);
	der_wrap(&whole, 0x30, "", 0, &bits);
	ret->has_spki = !buf_failed(&bits) && !buf_failed(&whole) && !buf_failed(key)
	                && EVP_Digest(whole.p, whole.n, ret->spki, &n, EVP_sha256(), NULL) == 1 && n == 32;
	buf_release(&bits);
	buf_release(&whole);
}

static void spki_rsa(struct proof *ret, const BIGNUM *n, const BIGNUM *e)
{
	static const char algorithm[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
	struct buf ints, key;
	buf_init(&ints, 64 * KIB);
	buf_init(&key, 64 * KIB);
	der_integer(&ints, n);
	der_integer(&ints, e);
	der_wrap(&key, 0x30, "", 0, &ints);
	spki_digest(ret, algorithm, sizeof algorithm - 1, &key);
	buf_release(&ints);
	buf_release(&key);
}

static void spki_ec(struct proof *ret)
{
	const struct curve_row *c = &curves[ret->curve];
	struct buf ids, algorithm, key;
	buf_init(&ids, 256);
	buf_init(&algorithm, 256);
	buf_init(&key, 256);
	buf_add(&ids, "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06", 10);
	buf_add_char(&ids, (char)c->oid_bytes);
	buf_add(&ids, c->oid, c->oid_bytes);
	der_wrap(&algorithm, 0x30, "", 0, &ids);
	buf_add(&key, ret->point, ret->point_bytes);
	spki_digest(ret, algorithm.p, algorithm.n, &key);
	buf_release(&ids);
	buf_release(&algorithm);
	buf_release(&key);
}

static void spki_edwards(struct proof *ret)
{
	char algorithm[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0 };
	struct buf key;
	algorithm[6] = (char)(ret->alg == CLAIM_X25519 ? 0x6e : ret->alg == CLAIM_X448 ? 0x6f : ret->alg == CLAIM_ED25519 ? 0x70 : 0x71);
	buf_init(&key, 256);
	buf_add(&key, ret->point, ret->point_bytes);
	spki_digest(ret, algorithm, sizeof algorithm, &key);
	buf_release(&key);
}

static void spki_dsa(struct proof *ret, const struct prover *v)
{
	struct buf params, algorithm, inner, key;
	buf_init(&params, 64 * KIB);
	buf_init(&inner, 64 * KIB);
	buf_init(&algorithm, 64 * KIB);
	buf_init(&key, 64 * KIB);
	der_integer(&params, v->part[DSA_P]);
	der_integer(&params, v->part[DSA_Q]);
	der_integer(&params, v->part[DSA_G]);
	buf_add(&inner, "\x06\x07\x2a\x86\x48\xce\x38\x04\x01", 9);
	der_wrap(&inner, 0x30, "", 0, &params);
	der_wrap(&algorithm, 0x30, "", 0, &inner);
	der_integer(&key, v->part[DSA_Y]);
	spki_digest(ret, algorithm.p, algorithm.n, &key);
	buf_release(&params);
	buf_release(&inner);
	buf_release(&algorithm);
	buf_release(&key);
}

/* ---- RSA ---- */

/* an exponentiation modulo n, in units of one with 1024 bits */
static uint64_t weight(const BIGNUM *n)
{
	uint64_t k = (uint64_t)BN_num_bits(n) / 1024 + 1;
	return k * k * k;
}

static bool is_one_mod(struct prover *v, const BIGNUM *a, const BIGNUM *b, const BIGNUM *prime)
{
	BN_CTX_start(v->ctx);
	BIGNUM *m = BN_CTX_get(v->ctx), *r = BN_CTX_get(v->ctx);
	bool ok = r && BN_copy(m, prime) && BN_sub_word(m, 1) && !BN_is_zero(m) && BN_mod_mul(r, a, b, m, v->ctx) && BN_is_one(r);
	BN_CTX_end(v->ctx);
	return ok;
}

/* f divides n, properly: v->p and v->q are set */
static bool take_factor(struct prover *v, const BIGNUM *n, const BIGNUM *f)
{
	BN_CTX_start(v->ctx);
	BIGNUM *quotient = BN_CTX_get(v->ctx), *rest = BN_CTX_get(v->ctx);
	bool ok = rest && BN_num_bits(f) > 64 && BN_is_odd(f) && BN_cmp(f, n) < 0 && BN_div(quotient, rest, n, f, v->ctx) && BN_is_zero(rest)
	          && BN_num_bits(quotient) > 1;
	ok = ok && BN_copy(v->p, f) && BN_copy(v->q, quotient) && BN_copy(v->n, n);
	BN_CTX_end(v->ctx);
	return ok;
}

/* The public exponent, when the form does not have it: the inverse of d, or of d mod p-1, is it if it is small.  (By chance
 * that happens once in 2^(bits - 64).)  v->e is set. */
static bool derive_e(struct prover *v, const BIGNUM *d, const BIGNUM *p, const BIGNUM *q)
{
	BN_CTX_start(v->ctx);
	BIGNUM *p1 = BN_CTX_get(v->ctx), *q1 = BN_CTX_get(v->ctx), *g = BN_CTX_get(v->ctx), *m = BN_CTX_get(v->ctx);
	bool ok = m && BN_copy(p1, p) && BN_sub_word(p1, 1) && !BN_is_zero(p1);
	if (ok && q) {
		ok = BN_copy(q1, q) && BN_sub_word(q1, 1) && !BN_is_zero(q1) && BN_gcd(g, p1, q1, v->ctx) && BN_mul(m, p1, q1, v->ctx)
		     && BN_div(m, NULL, m, g, v->ctx);
	} else if (ok) {
		ok = BN_copy(m, p1) != NULL;
	}
	ok = ok && BN_nnmod(g, d, m, v->ctx) && BN_mod_inverse(v->e, g, m, v->ctx) && BN_num_bits(v->e) <= 64 && BN_num_bits(v->e) > 1
	     && BN_num_bits(m) >= 160;
	BN_CTX_end(v->ctx);
	return ok;
}

/* 2^(e d) = 2 mod n, and then n falls apart (keys.md 4.4).  Only when the size of d allows it. */
static bool by_exponent(struct prover *v, const BIGNUM *n, const BIGNUM *e, const BIGNUM *d)
{
	static const BN_ULONG bases[] = { 2, 3, 5, 7, 11, 13, 17, 19 };
	BN_CTX_start(v->ctx);
	BIGNUM *k = BN_CTX_get(v->ctx), *y = BN_CTX_get(v->ctx), *a = BN_CTX_get(v->ctx), *g = BN_CTX_get(v->ctx);
	bool ok = g && BN_is_odd(n) && BN_is_odd(d) && BN_num_bits(d) > BN_num_bits(n) / 2 && BN_num_bits(d) <= BN_num_bits(n)
	          && BN_mul(k, e, d, v->ctx) && BN_sub_word(k, 1);
	if (ok) {
		v->cost += weight(n);
		ok = BN_set_word(a, 2) && BN_mod_exp_mont(y, a, k, n, v->ctx, NULL) && BN_is_one(y);
	}
	bool split = false;
	int s = 0;
	while (ok && BN_num_bits(k) > 1 && !BN_is_odd(k))
		s += BN_rshift1(k, k);
	for (size_t i = 0; ok && !split && i < sizeof bases / sizeof bases[0]; i++) {
		v->cost += weight(n);
		if (!BN_set_word(a, bases[i]) || !BN_mod_exp_mont(y, a, k, n, v->ctx, NULL))
			break;
		for (int j = 0; j < s && !split; j++) {
			if (BN_is_one(y))
				break;
			if (!BN_copy(g, y) || !BN_sub_word(g, 1) || !BN_gcd(a, g, n, v->ctx))
				break;
			if (!BN_is_one(a) && BN_cmp(a, n) < 0)
				split = take_factor(v, n, a);
			if (!BN_mod_sqr(y, y, n, v->ctx))
				break;
		}
	}
	BN_CTX_end(v->ctx);
	return ok;
}

/* one CRT exponent gives its prime: gcd(2^(e dp) - 2, n) */
static bool by_crt_exponent(struct prover *v, const BIGNUM *n, const BIGNUM *e, const BIGNUM *dp)
{
	BN_CTX_start(v->ctx);
	BIGNUM *k = BN_CTX_get(v->ctx), *y = BN_CTX_get(v->ctx), *g = BN_CTX_get(v->ctx);
	bool ok = g && BN_is_odd(n) && BN_num_bits(dp) > 64 && BN_num_bits(dp) <= BN_num_bits(n) * 3 / 4 && BN_mul(k, e, dp, v->ctx) && BN_set_word(g, 2);
	if (ok) {
		v->cost += weight(n);
		ok = BN_mod_exp_mont(y, g, k, n, v->ctx, NULL) && BN_sub_word(y, 2) && !BN_is_zero(y) && !BN_is_negative(y) && BN_gcd(g, y, n, v->ctx)
		     && !BN_is_one(g) && take_factor(v, n, g);
	}
	BN_CTX_end(v->ctx);
	return ok;
}

static void rsa_public(struct prover *v, struct proof *ret)
{
	ret->bits = (unsigned)BN_num_bits(v->n);
	ret->n = v->n;
	if (!BN_is_zero(v->e) && BN_num_bits(v->e) > 1) {
		ret->e = v->e;
		spki_rsa(ret, v->n, v->e);
	}
}

/* p, q and perhaps e are known: derive d, compare every claimed member */
static void rsa_finish(struct prover *v, const struct claim *c, struct proof *ret)
{
	const struct number *has = c->part;
	bool have_e = !BN_is_zero(v->e);
	uint32_t good = 0;

	if (!have_e && number_has(&has[RSA_D]))
		have_e = derive_e(v, v->part[RSA_D], v->p, v->q);
	if (!have_e && number_has(&has[RSA_DP]))
		have_e = derive_e(v, v->part[RSA_DP], v->p, NULL) || derive_e(v, v->part[RSA_DP], v->q, NULL);
	if (!have_e && number_has(&has[RSA_DQ]))
		have_e = derive_e(v, v->part[RSA_DQ], v->q, NULL) || derive_e(v, v->part[RSA_DQ], v->p, NULL);
	if (!have_e)
		BN_zero(v->e);

	/* members may name the primes the other way round when one of them was damaged: compare with what was claimed */
	if (number_has(&has[RSA_P]) && BN_cmp(v->part[RSA_P], v->p) != 0 && BN_cmp(v->part[RSA_P], v->q) == 0)
		BN_swap(v->p, v->q);
	else if (number_has(&has[RSA_Q]) && BN_cmp(v->part[RSA_Q], v->q) != 0 && BN_cmp(v->part[RSA_Q], v->p) == 0)
		BN_swap(v->p, v->q);
	good |= (uint32_t)(number_has(&has[RSA_N]) && BN_cmp(v->part[RSA_N], v->n) == 0) << RSA_N;
	good |= (uint32_t)(number_has(&has[RSA_E]) && BN_cmp(v->part[RSA_E], v->e) == 0) << RSA_E;
	good |= (uint32_t)(number_has(&has[RSA_P]) && BN_cmp(v->part[RSA_P], v->p) == 0) << RSA_P;
	good |= (uint32_t)(number_has(&has[RSA_Q]) && BN_cmp(v->part[RSA_Q], v->q) == 0) << RSA_Q;
	if (number_has(&has[RSA_D]) && have_e)
		good |= (uint32_t)(is_one_mod(v, v->part[RSA_D], v->e, v->p) && is_one_mod(v, v->part[RSA_D], v->e, v->q)) << RSA_D;
	if (number_has(&has[RSA_DP]) && have_e)
		good |= (uint32_t)is_one_mod(v, v->part[RSA_DP], v->e, v->p) << RSA_DP;
	if (number_has(&has[RSA_DQ]) && have_e)
		good |= (uint32_t)is_one_mod(v, v->part[RSA_DQ], v->e, v->q) << RSA_DQ;
	BN_CTX_start(v->ctx);
	BIGNUM *x = BN_CTX_get(v->ctx), *y = BN_CTX_get(v->ctx), *z = BN_CTX_get(v->ctx);
	if (z && number_has(&has[RSA_QI]))
		good |= (uint32_t)(BN_mod_mul(x, v->part[RSA_QI], v->q, v->p, v->ctx) && BN_is_one(x)) << RSA_QI;
	/* d modulo phi, as most programs keep it */
	if (z && have_e && BN_copy(x, v->p) && BN_sub_word(x, 1) && BN_copy(y, v->q) && BN_sub_word(y, 1) && BN_mul(z, x, y, v->ctx)
	    && BN_mod_inverse(v->d, v->e, z, v->ctx))
		ret->d = v->d;
	BN_CTX_end(v->ctx);

	uint32_t claimed = 0, all = (1U << CLAIM_PARTS) - 1;
	for (int i = 0; i < CLAIM_PARTS; i++)
		claimed |= (uint32_t)number_has(&has[i]) << i;
	/* a form without CRT members (BCRYPT "RSA2", a JWK of n, e, d, p, q) is full with what it has */
	uint32_t core = 1U << RSA_N | 1U << RSA_P | 1U << RSA_Q;
	bool full = (claimed & core) == core && good == (claimed & all) && !BN_is_zero(v->e) && !c->cut;
	ret->good = good;
	ret->p = v->p;
	ret->q = v->q;
	ret->level = full ? PROOF_FULL : PROOF_FACTOR;
	rsa_public(v, ret);
}

static bool likely_prime(struct prover *v, const BIGNUM *p)
{
	if (BN_num_bits(p) < 128 || !BN_is_odd(p))
		return false;
	v->cost += 10 * weight(p);
	return BN_check_prime(p, v->ctx, NULL) == 1;
}

/* Which known modulus is divided by this number? */
static bool by_known(struct prover *v, const struct known_keys *known, const BIGNUM *f)
{
	bool found = false;
	BN_CTX_start(v->ctx);
	BIGNUM *n = BN_CTX_get(v->ctx);
	for (size_t i = 0; n && known && i < known->rsa_count && !found; i++) {
		if (!BN_bin2bn(known->rsa_n[i].p, (int)known->rsa_n[i].n, n) || BN_num_bits(n) <= BN_num_bits(f))
			continue;
		found = take_factor(v, n, f);
		if (found && !BN_bin2bn(known->rsa_e[i].p, (int)known->rsa_e[i].n, v->e))
			BN_zero(v->e);
	}
	BN_CTX_end(v->ctx);
	return found;
}

static void prove_rsa(struct prover *v, const struct claim *c, const struct known_keys *known, struct proof *ret)
{
	const struct number *has = c->part;
	BIGNUM *const *part = v->part;
	bool n_good = number_has(&has[RSA_N]) && BN_num_bits(part[RSA_N]) >= CLAIM_RSA_BITS_MIN && BN_is_odd(part[RSA_N]);
	bool e_good = number_has(&has[RSA_E]) && BN_num_bits(part[RSA_E]) > 1 && BN_num_bits(part[RSA_E]) <= 256 && BN_is_odd(part[RSA_E]);
	bool p_good = number_has(&has[RSA_P]) && BN_num_bits(part[RSA_P]) >= CLAIM_RSA_BITS_MIN / 2 && BN_is_odd(part[RSA_P]);
	bool q_good = number_has(&has[RSA_Q]) && BN_num_bits(part[RSA_Q]) >= CLAIM_RSA_BITS_MIN / 2 && BN_is_odd(part[RSA_Q]);
	bool d_good = number_has(&has[RSA_D]) && BN_num_bits(part[RSA_D]) > 64;

	if (e_good)
		(void)BN_copy(v->e, part[RSA_E]);
	if (n_good) {
		if ((p_good && take_factor(v, part[RSA_N], part[RSA_P])) || (q_good && take_factor(v, part[RSA_N], part[RSA_Q]))) {
			rsa_finish(v, c, ret);
			return;
		}
		BN_zero(v->p);
		if (!e_good)
			(void)BN_set_word(v->e, 65537);
		if (d_good && by_exponent(v, part[RSA_N], v->e, part[RSA_D])) {
			if (!BN_is_zero(v->p)) { /* split as well */
				rsa_finish(v, c, ret);
				ret->good |= 1U << RSA_D;
				return;
			}
			(void)BN_copy(v->n, part[RSA_N]);
			(void)BN_copy(v->d, part[RSA_D]);
			ret->d = v->d;
			ret->good = 1U << RSA_N | (uint32_t)e_good << RSA_E | 1U << RSA_D;
			ret->level = PROOF_EXPONENT;
			rsa_public(v, ret);
			return;
		}
		if ((number_has(&has[RSA_DP]) && by_crt_exponent(v, part[RSA_N], v->e, part[RSA_DP]))
		    || (number_has(&has[RSA_DQ]) && by_crt_exponent(v, part[RSA_N], v->e, part[RSA_DQ]))) {
			rsa_finish(v, c, ret);
			return;
		}
		if (!e_good)
			BN_zero(v->e);
	}
	/* the modulus is missing or damaged: a known one? */
	if ((p_good && by_known(v, known, part[RSA_P])) || (q_good && by_known(v, known, part[RSA_Q]))) {
		rsa_finish(v, c, ret);
		return;
	}
	/* p and q together with an exponent that has a small inverse prove each other */
	if (p_good && q_good && BN_cmp(part[RSA_P], part[RSA_Q]) != 0) {
		bool tied = (d_good && derive_e(v, part[RSA_D], part[RSA_P], part[RSA_Q]))
		            || (number_has(&has[RSA_DP]) && derive_e(v, part[RSA_DP], part[RSA_P], NULL))
		            || (number_has(&has[RSA_DQ]) && derive_e(v, part[RSA_DQ], part[RSA_Q], NULL));
		if (!tied && e_good)
			(void)BN_copy(v->e, part[RSA_E]);
		if (!tied && !e_good)
			BN_zero(v->e);
		if ((tied || (likely_prime(v, part[RSA_P]) && likely_prime(v, part[RSA_Q])))
		    && BN_mul(v->n, part[RSA_P], part[RSA_Q], v->ctx) && BN_copy(v->p, part[RSA_P]) && BN_copy(v->q, part[RSA_Q])) {
			if (tied && e_good && BN_cmp(v->e, part[RSA_E]) != 0)
				tied = BN_copy(v->e, part[RSA_E]) && (is_one_mod(v, part[RSA_E], part[RSA_D], part[RSA_P]) || !d_good);
			rsa_finish(v, c, ret);
			ret->level = tied ? PROOF_FACTOR : PROOF_PAIR;
			return;
		}
	}
	/* one prime with its own exponent: e dp = 1 mod p-1 for a small e; the modulus stays unknown */
	ret->level = PROOF_SHAPE;
	if (number_has(&has[RSA_N]))
		ret->bits = (unsigned)BN_num_bits(part[RSA_N]);
}

/* ---- elliptic ---- */

static EC_GROUP *group_of(struct prover *v, enum curve c)
{
	if (!v->group[c])
		v->group[c] = EC_GROUP_new_by_curve_name(curves[c].nid);
	return v->group[c];
}

static bool point_is_known(const struct known_keys *known, const struct proof *ret)
{
	for (size_t i = 0; known && i < known->point_count; i++)
		if (known->point[i].n == ret->point_bytes && memcmp(known->point[i].p, ret->point, ret->point_bytes) == 0)
			return true;
	return false;
}

/* the claimed public part: 04 X Y, X Y, 02/03 X */
static bool same_point(const struct number *x, const struct proof *ret)
{
	uint32_t n = ret->point_bytes, half = (n - 1) / 2;
	if (x->little || !x->p)
		return false;
	if (x->n == n)
		return memcmp(x->p, ret->point, n) == 0;
	if (x->n == n - 1)
		return memcmp(x->p, ret->point + 1, n - 1) == 0;
	if (x->n == half + 1)
		return x->p[0] == 2 + (ret->point[n - 1] & 1) && memcmp(x->p + 1, ret->point + 1, half) == 0;
	return x->n == half && memcmp(x->p, ret->point + 1, half) == 0;
}

/* What a secret is that nothing confirms: next to a public part that does not match, no key at all. */
static enum proof_level alone(const struct claim *c)
{
	return number_has(&c->part[EC_PUBLIC]) ? PROOF_NONE : c->stated ? PROOF_STATED : PROOF_SHAPE;
}

static void prove_ec(struct prover *v, const struct claim *c, const struct known_keys *known, struct proof *ret)
{
	EC_GROUP *g = c->curve ? group_of(v, c->curve) : NULL;
	const BIGNUM *d = v->part[EC_D];
	if (!g || !number_has(&c->part[EC_D]) || BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(g)) >= 0)
		return;
	EC_POINT *q = EC_POINT_new(g);
	if (q && EC_POINT_mul(g, q, d, NULL, NULL, v->ctx))
		ret->point_bytes = (uint32_t)EC_POINT_point2oct(g, q, POINT_CONVERSION_UNCOMPRESSED, ret->point, sizeof ret->point, v->ctx);
	EC_POINT_clear_free(q);
	if (!ret->point_bytes)
		return;
	ret->curve = c->curve;
	ret->bits = curves[c->curve].bits;
	if (number_has(&c->part[EC_PUBLIC]) && same_point(&c->part[EC_PUBLIC], ret)) {
		ret->level = PROOF_POINT;
		ret->good = 1U << EC_PUBLIC | 1U << EC_D;
	} else if (point_is_known(known, ret)) {
		ret->level = PROOF_POINT;
		ret->good = 1U << EC_D;
	} else {
		ret->level = alone(c);
		if (ret->level != PROOF_STATED) {
			ret->point_bytes = 0;
			return;
		}
		ret->good = 1U << EC_D;
	}
	(void)BN_copy(v->d, d);
	ret->d = v->d;
	spki_ec(ret);
}

static void prove_edwards(struct prover *v, const struct claim *c, const struct known_keys *known, struct proof *ret)
{
	static const struct {
		const char *name;
		uint32_t bytes, bits;
	} kinds[] = { [CLAIM_ED25519] = { "ED25519", 32, 256 }, [CLAIM_ED448] = { "ED448", 57, 456 }, [CLAIM_X25519] = { "X25519", 32, 256 },
		      [CLAIM_X448] = { "X448", 56, 448 } };
	const struct number *seed = &c->part[EC_D], *claimed = &c->part[EC_PUBLIC];
	size_t n = sizeof ret->point;
	if (seed->n != kinds[c->alg].bytes || seed->little)
		return;
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, kinds[c->alg].name, NULL, seed->p, seed->n);
	if (key && EVP_PKEY_get_raw_public_key(key, ret->point, &n) == 1)
		ret->point_bytes = (uint32_t)n;
	EVP_PKEY_free(key);
	ret->bits = kinds[c->alg].bits;
	if (!ret->point_bytes)
		return;
	if (number_has(claimed) && claimed->n == ret->point_bytes && memcmp(claimed->p, ret->point, claimed->n) == 0) {
		ret->level = PROOF_POINT;
		ret->good = 1U << EC_PUBLIC | 1U << EC_D;
	} else if (point_is_known(known, ret)) {
		ret->level = PROOF_POINT;
		ret->good = 1U << EC_D;
	} else {
		ret->level = alone(c);
		if (ret->level != PROOF_STATED) {
			ret->point_bytes = 0;
			return;
		}
		ret->good = 1U << EC_D;
	}
	(void)BN_copy(v->d, v->part[EC_D]);
	ret->d = v->d;
	spki_edwards(ret);
}

/* ---- DSA and Diffie-Hellman: g^x = y ---- */

static void prove_dsa(struct prover *v, const struct claim *c, struct proof *ret)
{
	const BIGNUM *p = v->part[DSA_P], *g = v->part[DSA_G], *x = v->part[DSA_X];
	if (!number_has(&c->part[DSA_P]) || !number_has(&c->part[DSA_G]) || !number_has(&c->part[DSA_X]))
		return;
	if (BN_num_bits(p) < 512 || !BN_is_odd(p) || BN_is_zero(x) || BN_cmp(x, p) >= 0 || BN_num_bits(g) < 2 || BN_cmp(g, p) >= 0)
		return;
	ret->bits = (unsigned)BN_num_bits(p);
	ret->level = c->stated ? PROOF_STATED : PROOF_SHAPE;
	BN_CTX_start(v->ctx);
	BIGNUM *y = BN_CTX_get(v->ctx), *one = BN_CTX_get(v->ctx);
	v->cost += weight(p);
	if (one && BN_mod_exp_mont(y, g, x, p, v->ctx, NULL)) {
		if (number_has(&c->part[DSA_Y]) && BN_num_bits(v->part[DSA_Y]) > 1 && BN_cmp(y, v->part[DSA_Y]) == 0) {
			ret->level = PROOF_POINT;
			ret->good = 1U << DSA_P | 1U << DSA_G | 1U << DSA_Y | 1U << DSA_X;
		} else if (!number_has(&c->part[DSA_Y]) && number_has(&c->part[DSA_Q]) && BN_cmp(x, v->part[DSA_Q]) < 0) {
			/* PKCS#8 keeps p, q, g, x only: g^q = 1 shows real domain parameters, and then any x below q is a key */
			v->cost += weight(p);
			if (BN_num_bits(v->part[DSA_Q]) >= 160 && BN_mod_exp_mont(one, g, v->part[DSA_Q], p, v->ctx, NULL) && BN_is_one(one)) {
				(void)BN_copy(v->part[DSA_Y], y);
				ret->level = PROOF_POINT;
				ret->good = 1U << DSA_P | 1U << DSA_Q | 1U << DSA_G | 1U << DSA_X;
			}
		}
	}
	BN_CTX_end(v->ctx);
	if (ret->level != PROOF_POINT)
		return;
	(void)BN_copy(v->d, x);
	ret->d = v->d;
	if (c->alg == CLAIM_DSA && number_has(&c->part[DSA_Q]))
		spki_dsa(ret, v);
}

bool claim_prove(struct prover *v, const struct claim *c, const struct known_keys *known, struct proof *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->alg = c->alg;
	v->cost++; /* divisions and inversions are not free */
	BIGNUM *all[] = { v->n, v->e, v->p, v->q, v->d };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		BN_clear(all[i]);
	for (int i = 0; i < CLAIM_PARTS; i++) {
		const struct number *x = &c->part[i];
		BN_clear(v->part[i]);
		if (!number_has(x) || c->alg >= CLAIM_SYMMETRIC)
			continue;
		if (x->n > CLAIM_BYTES_MAX + 1)
			return false;
		if (!(x->little ? BN_lebin2bn : BN_bin2bn)(x->p, (int)x->n, v->part[i]))
			return false;
	}
	switch (c->alg) {
	case CLAIM_RSA: prove_rsa(v, c, known, ret); break;
	case CLAIM_EC: prove_ec(v, c, known, ret); break;
	case CLAIM_ED25519:
	case CLAIM_ED448:
	case CLAIM_X25519:
	case CLAIM_X448: prove_edwards(v, c, known, ret); break;
	case CLAIM_DSA:
	case CLAIM_DH: prove_dsa(v, c, ret); break;
	case CLAIM_SYMMETRIC:
	case CLAIM_PGP:
	case CLAIM_ML_DSA:
	case CLAIM_ML_KEM:
	case CLAIM_SLH_DSA:
	case CLAIM_UNKNOWN: ret->level = c->stated ? PROOF_STATED : PROOF_SHAPE; break;
	case CLAIM_LOCKED: ret->level = PROOF_LOCKED; break;
	case CLAIM_NOTHING: break;
	}
	return ret->level != PROOF_NONE;
}
