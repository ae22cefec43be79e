/* SPDX-License-Identifier: Apache-2.0 */
/* sign: signatures of JWS (RFC 7518 section 3, RFC 8037).
 *
 * RSA and ECDSA: the bytes are hashed with a digest fetched once, and the hash is given to an EVP_PKEY_CTX that was set up
 * once for its key.  EVP_DigestVerify, the usual way, makes and frees such a context for every signature.  What OpenSSL
 * allocates inside EVP_PKEY_verify is its own.
 *
 * RSA: the signature is as long as the modulus; OpenSSL refuses a value that is not below it, and checks the padding by
 * making it anew.  PSS: MGF1 with the same hash, salt as long as the hash.  ECDSA: r and s, each exactly as long as the
 * order, turned into DER for OpenSSL, which refuses 0 and values not below the order.  HMAC: compared in constant time. */
#include "token/sign.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#define COORDINATE_MAX 66

struct signer_context {
	EVP_PKEY_CTX *c;
	enum jws_alg alg;
};

bool sign_verifier_init(struct sign_verifier *v, uint32_t slots)
{
	*v = (struct sign_verifier){ .slot_n = slots };
	v->md[0] = EVP_MD_fetch(NULL, "SHA256", NULL);
	v->md[1] = EVP_MD_fetch(NULL, "SHA384", NULL);
	v->md[2] = EVP_MD_fetch(NULL, "SHA512", NULL);
	v->hash = EVP_MD_CTX_new();
	v->slots = calloc(slots ? slots : 1, sizeof(*v->slots));
	return v->md[0] && v->md[1] && v->md[2] && v->hash && v->slots;
}

void sign_verifier_release(struct sign_verifier *v)
{
	for (uint32_t i = 0; v->slots && i < v->slot_n; i++)
		EVP_PKEY_CTX_free(v->slots[i].c);
	free(v->slots);
	EVP_MD_CTX_free(v->hash);
	for (int i = 0; i < 3; i++)
		EVP_MD_free(v->md[i]);
}

static bool digest(struct sign_verifier *v, const EVP_MD *md, struct str input, uint8_t *out, unsigned *ret_n)
{
	return EVP_DigestInit_ex2(v->hash, md, NULL) && EVP_DigestUpdate(v->hash, input.p, input.n) &&
	       EVP_DigestFinal_ex(v->hash, out, ret_n);
}

bool sign_sha256(struct sign_verifier *v, struct str input, uint8_t ret[32])
{
	unsigned n;

	if (v->hashed.p == input.p && v->hashed.n == input.n && input.n) {
		memcpy(ret, v->last_sha256, 32);
		return true;
	}
	return digest(v, v->md[0], input, ret, &n) && n == 32;
}

/* A context for that key and algorithm; NULL: OpenSSL cannot. */
static EVP_PKEY_CTX *context(struct signer_context *s, EVP_PKEY *pkey, enum jws_alg alg, const EVP_MD *md)
{
	const struct alg_row *row = &alg_rows[alg];
	EVP_PKEY_CTX *c;

	if (s->c && s->alg == alg)
		return s->c;
	EVP_PKEY_CTX_free(s->c);
	s->c = NULL;
	c = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (!c || EVP_PKEY_verify_init(c) <= 0 || EVP_PKEY_CTX_set_signature_md(c, md) <= 0)
		goto fail;
	if (row->kind == KEY_RSA &&
	    EVP_PKEY_CTX_set_rsa_padding(c, row->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) <= 0)
		goto fail;
	if (row->pss &&
	    (EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) <= 0 || EVP_PKEY_CTX_set_rsa_mgf1_md(c, md) <= 0))
		goto fail;
	s->c = c;
	s->alg = alg;
	return c;
fail:
	EVP_PKEY_CTX_free(c);
	return NULL;
}

/* One INTEGER of a DER SEQUENCE; the bytes after it. */
static uint8_t *add_integer(uint8_t *out, const uint8_t *p, size_t n)
{
	while (n > 1 && !*p)
		p++, n--;
	*out++ = 2;
	*out++ = (uint8_t)(n + (*p >> 7));
	if (*p >> 7)
		*out++ = 0;
	memcpy(out, p, n);
	return out + n;
}

/* r || s to the DER that OpenSSL wants; its length. */
static size_t ecdsa_to_der(struct str raw, uint8_t der[16 + 2 * COORDINATE_MAX])
{
	const uint8_t *p = (const uint8_t *)raw.p;
	const size_t half = raw.n / 2;
	uint8_t body[8 + 2 * COORDINATE_MAX], *end, *out = der;

	end = add_integer(add_integer(body, p, half), p + half, half);
	*out++ = 0x30;
	if (end - body > 127)
		*out++ = 0x81;
	*out++ = (uint8_t)(end - body);
	memcpy(out, body, (size_t)(end - body));
	return (size_t)(out - der) + (size_t)(end - body);
}

static enum sign_result check_hmac(const struct key *k, const EVP_MD *md, struct str input, struct str signature)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!k->secret.n)
		return SIGN_IMPOSSIBLE;
	if (!HMAC(md, k->secret.p, (int)k->secret.n, (const uint8_t *)input.p, input.n, mac, &n))
		return SIGN_IMPOSSIBLE;
	if (n != signature.n)
		return SIGN_LENGTH;
	return CRYPTO_memcmp(mac, signature.p, n) == 0 ? SIGN_GOOD : SIGN_BAD;
}

static enum sign_result check_eddsa(struct sign_verifier *v, const struct key *k, struct str input, struct str signature)
{
	enum sign_result r = SIGN_IMPOSSIBLE;

	if (signature.n != (k->curve == CURVE_ED25519 ? 64 : 114))
		return SIGN_LENGTH;
	EVP_MD_CTX_reset(v->hash);
	if (EVP_DigestVerifyInit_ex(v->hash, NULL, NULL, NULL, NULL, k->pkey, NULL))
		r = EVP_DigestVerify(v->hash, (const uint8_t *)signature.p, signature.n, (const uint8_t *)input.p, input.n) == 1
			    ? SIGN_GOOD : SIGN_BAD;
	EVP_MD_CTX_reset(v->hash); /* a context with a key in it does not simply hash */
	return r;
}

static enum sign_result check_hashed(struct sign_verifier *v, struct signer_context *s, const struct key *k, enum jws_alg alg,
				     const EVP_MD *md, struct str input, struct str signature)
{
	uint8_t hash[EVP_MAX_MD_SIZE], der[16 + 2 * COORDINATE_MAX];
	const uint8_t *sig = (const uint8_t *)signature.p;
	size_t sig_n = signature.n;
	unsigned hash_n;
	EVP_PKEY_CTX *c;
	const bool fits = sig_n == (k->kind == KEY_RSA ? (k->bits + 7) / 8 : 2 * (size_t)key_curve_bytes(k->curve));

	if (!fits && (k->kind == KEY_RSA || sig_n < 2 || sig_n > sizeof(der) || sig[0] != 0x30))
		return SIGN_LENGTH;
	if (k->kind == KEY_EC && fits) {
		sig_n = ecdsa_to_der(signature, der);
		sig = der;
	}
	c = context(s, k->pkey, alg, md);
	if (!c || !digest(v, md, input, hash, &hash_n))
		return SIGN_IMPOSSIBLE;
	if (md == v->md[0]) {
		memcpy(v->last_sha256, hash, 32);
		v->hashed = input;
	}
	if (EVP_PKEY_verify(c, sig, sig_n, hash, hash_n) == 1)
		return fits ? SIGN_GOOD : SIGN_DER;
	return fits ? SIGN_BAD : SIGN_LENGTH;
}

enum sign_result sign_check(struct sign_verifier *v, uint32_t slot, const struct key *k, enum jws_alg alg, struct str input,
			    struct str signature)
{
	const struct alg_row *row = &alg_rows[alg];
	const EVP_MD *md = row->hash_bits ? v->md[row->hash_bits == 256 ? 0 : row->hash_bits == 384 ? 1 : 2] : NULL;
	enum sign_result r;

	if (!alg_fits(alg, k->kind, k->curve) || slot >= v->slot_n || (k->kind != KEY_OCT && !k->pkey) || k->bits > 16384)
		return SIGN_IMPOSSIBLE;
	switch (k->kind) {
	case KEY_OCT: r = check_hmac(k, md, input, signature); break;
	case KEY_OKP: r = check_eddsa(v, k, input, signature); break;
	default: r = check_hashed(v, &v->slots[slot], k, alg, md, input, signature);
	}
	if (r != SIGN_GOOD)
		ERR_clear_error();
	return r;
}
