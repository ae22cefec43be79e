/* SPDX-License-Identifier: Apache-2.0 */
/* jwk: from a JWK to struct key (keys/key.h).
 *
 * A JWK is read member by member into the texts and numbers of struct key; then OpenSSL makes the public key, and checks that a point is on
 * its curve; then what the key claims is compared with what it is, and with its certificate.  Each disagreement is a fault; none stops the
 * reading. */
#include "keys/key_int.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/b64url.h"
#include "base/timefmt.h"
#include "keys/registry.h"
#include "keys/secret.h"

const char *const jwk_registered_names[] = {
	"keys", "kty", "crv", "alg", "use", "key_ops", "kid", "x5t", "x5t#S256", "x5c", "x5u", "jku", "n", "e", "x", "y", "d", "p",
	"q", "dp", "dq", "qi", "oth", "k", "issuer", "cloud_instance_name", "jwks_uri", "tid", "priv", "pub", "exp", "nbf", "iat", "revoked", NULL
};

/* -- members of a JWK -- */

struct jwk {
	struct key *k;
	const struct strict_json *j;
	const struct sj_node *object, *x5c;
	unsigned flags;
};

/* NULL: absent, or null, which serialisers write for absent members. */
static const struct sj_node *member(const struct jwk *w, const char *name)
{
	const struct sj_node *n = sj_member(w->j, w->object, str_of(name));

	return n && n->kind == SJ_NULL ? NULL : n;
}

static struct str take_text(struct jwk *w, const char *name)
{
	const struct sj_node *n = member(w, name);

	if (!n)
		return STR_NONE;
	if (n->kind != SJ_STRING) {
		key_add_fault(w->k, KEY_FAULT_TYPE, name);
		return STR_NONE;
	}
	if (secret_in_text(n->value))
		return STR_NONE; /* reported by note_private(), and printed nowhere */
	return key_keep(w->k, n->value.p, n->value.n);
}

static enum b64_error lax_decode(struct str s, uint8_t *out, size_t room, size_t *ret_n)
{
	char text[KEY_NUMBER_BYTES_MAX / 3 * 4 + 4];

	while (s.n && s.p[s.n - 1] == '=')
		s.n--;
	if (s.n > sizeof(text))
		return B64_ROOM;
	for (size_t i = 0; i < s.n; i++)
		text[i] = s.p[i] == '+' ? '-' : s.p[i] == '/' ? '_' : s.p[i];
	return b64url_decode((struct str){ text, s.n }, out, room, ret_n);
}

/* A base64url member into bytes.  False: absent, or wrong and reported. */
static bool take_bytes(struct jwk *w, const char *name, struct str *ret)
{
	const struct sj_node *n = member(w, name);
	uint8_t bytes[KEY_NUMBER_BYTES_MAX];
	size_t got;
	enum b64_error e;

	if (!n) {
		key_add_fault(w->k, KEY_FAULT_MISSING, name);
		return false;
	}
	if (n->kind != SJ_STRING) {
		key_add_fault(w->k, KEY_FAULT_TYPE, name);
		return false;
	}
	e = b64url_decode(n->value, bytes, sizeof(bytes), &got);
	if (e != B64_OK)
		key_add_fault(w->k, e == B64_ROOM ? KEY_FAULT_TOO_LONG : KEY_FAULT_BASE64, name);
	if (e != B64_OK && e != B64_ROOM && w->flags & KEY_LAX_BASE64)
		e = lax_decode(n->value, bytes, sizeof(bytes), &got);
	if (e == B64_OK)
		*ret = key_keep(w->k, bytes, got);
	OPENSSL_cleanse(bytes, sizeof(bytes)); /* it may have been the k of an oct key */
	return e == B64_OK && ret->p;
}

static bool take_number(struct jwk *w, const char *name, struct str *ret)
{
	struct str s = STR_NONE;

	if (!take_bytes(w, name, &s))
		return false;
	if (!s.n || (!s.p[0] && s.n > 1))
		key_add_fault(w->k, KEY_FAULT_LEADING_ZERO, name);
	*ret = without_zeros(s);
	if (ret->n)
		return true;
	key_add_fault(w->k, KEY_FAULT_MISSING, name);
	return false;
}

static void note_private(struct jwk *w)
{
	static const struct { const char *name; uint32_t bit; } rows[] = {
		{ "d", KEY_PRIVATE_D }, { "p", KEY_PRIVATE_P }, { "q", KEY_PRIVATE_Q }, { "dp", KEY_PRIVATE_DP },
		{ "dq", KEY_PRIVATE_DQ }, { "qi", KEY_PRIVATE_QI }, { "oth", KEY_PRIVATE_OTH }, { "k", KEY_PRIVATE_K },
		{ "priv", KEY_PRIVATE_PRIV },
	};
	struct str name;

	for (const struct sj_node *n = sj_first(w->j, w->object); n; n = sj_next(w->j, n))
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (n->kind != SJ_NULL && str_eq_nocase(n->key, str_of(rows[i].name)) && !(w->k->private_members & rows[i].bit)) {
				w->k->private_members |= rows[i].bit;
				key_add_fault(w->k, KEY_FAULT_PRIVATE, rows[i].name);
			}
	if (secret_below(w->j, w->object, true, &name)) {
		char text[16];
		snprintf(text, sizeof(text), "%.*s", STR_ARG(name));
		w->k->private_members |= KEY_PRIVATE_INSIDE;
		key_add_fault(w->k, KEY_FAULT_PRIVATE, text);
	}
}

static void take_date(struct jwk *w, const char *name, int64_t *ret_us)
{
	const struct sj_node *n = member(w, name);
	int64_t seconds;

	if (n && sj_date(n, &seconds))
		*ret_us = seconds * US_PER_SECOND + !seconds; /* 1970 is not "absent" */
	else if (n)
		key_add_fault(w->k, KEY_FAULT_TYPE, name);
}

static void take_life(struct jwk *w)
{
	const struct sj_node *revoked = member(w, "revoked"), *at = NULL;
	int64_t seconds;

	take_date(w, "exp", &w->k->exp_us);
	take_date(w, "nbf", &w->k->nbf_us);
	take_date(w, "iat", &w->k->iat_us);
	if (!revoked || revoked->kind == SJ_FALSE)
		return;
	w->k->revoked = true;
	if (revoked->kind == SJ_NUMBER) {
		at = revoked;
	} else if (revoked->kind == SJ_OBJECT) {
		const struct sj_node *reason = sj_member(w->j, revoked, STR("reason"));
		at = sj_member(w->j, revoked, STR("revoked_at"));
		if (reason && reason->kind == SJ_STRING && !secret_in_text(reason->value))
			w->k->revoked_reason = key_keep(w->k, reason->value.p, reason->value.n);
	}
	if (at && sj_date(at, &seconds))
		w->k->revoked_us = seconds * US_PER_SECOND;
}

static void take_key_ops(struct jwk *w)
{
	static const struct { const char *name; uint32_t bit; } rows[] = {
		{ "sign", KEY_OP_SIGN }, { "verify", KEY_OP_VERIFY }, { "encrypt", KEY_OP_ENCRYPT }, { "decrypt", KEY_OP_DECRYPT },
		{ "wrapKey", KEY_OP_WRAP }, { "unwrapKey", KEY_OP_UNWRAP }, { "deriveKey", KEY_OP_DERIVE },
		{ "deriveBits", KEY_OP_DERIVE },
	};
	const struct sj_node *ops = member(w, "key_ops");

	if (!ops)
		return;
	w->k->has_key_ops = true;
	if (ops->kind != SJ_ARRAY) {
		key_add_fault(w->k, KEY_FAULT_TYPE, "key_ops");
		return;
	}
	for (const struct sj_node *n = sj_first(w->j, ops); n; n = sj_next(w->j, n)) {
		uint32_t bit = KEY_OP_OTHER;
		if (n->kind != SJ_STRING)
			key_add_fault(w->k, KEY_FAULT_TYPE, "key_ops");
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (n->kind == SJ_STRING && str_eq(n->value, str_of(rows[i].name)))
				bit = rows[i].bit;
		w->k->key_ops |= bit;
	}
	if (!(w->k->key_ops & KEY_OP_VERIFY))
		key_add_fault(w->k, KEY_FAULT_KEY_OPS, "key_ops");
}

static void take_texts(struct jwk *w)
{
	struct key *k = w->k;
	const uint32_t not_for_signing = KEY_OP_ENCRYPT | KEY_OP_DECRYPT | KEY_OP_WRAP | KEY_OP_UNWRAP | KEY_OP_DERIVE;

	for (const struct sj_node *n = sj_first(w->j, w->object); n; n = sj_next(w->j, n))
		if (n->duplicate || n->case_duplicate) {
			char name[16];
			snprintf(name, sizeof(name), "%.*s", STR_ARG(n->key));
			key_add_fault(k, n->duplicate ? KEY_FAULT_DUPLICATE : KEY_FAULT_CASE_DUPLICATE, name);
		}
	k->kty = take_text(w, "kty");
	k->crv = take_text(w, "crv");
	k->alg_text = take_text(w, "alg");
	k->use = take_text(w, "use");
	k->kid = take_text(w, "kid");
	k->x5t = take_text(w, "x5t");
	k->x5t256 = take_text(w, "x5t#S256");
	k->issuer = take_text(w, "issuer");
	k->cloud_instance = take_text(w, "cloud_instance_name");
	k->jku = take_text(w, "jku");
	k->x5u = take_text(w, "x5u");
	take_key_ops(w);
	if (k->jku.p)
		key_add_fault(k, KEY_FAULT_REMOTE, "jku");
	if (k->x5u.p)
		key_add_fault(k, KEY_FAULT_REMOTE, "x5u");
	if (!k->kid.p)
		key_add_fault(k, KEY_FAULT_KID_ABSENT, "kid");
	else if (k->kid.n < 1 || k->kid.n > 256)
		key_add_fault(k, KEY_FAULT_KID_LENGTH, "kid");
	if (!k->use.p)
		key_add_fault(k, KEY_FAULT_USE_ABSENT, "use");
	else if (!str_eq(k->use, STR("sig")))
		key_add_fault(k, KEY_FAULT_USE, "use");
	else if (k->key_ops & not_for_signing)
		key_add_fault(k, KEY_FAULT_USE_CONTRADICTS, "key_ops");
	k->alg = k->alg_text.p ? alg_parse(k->alg_text) : JWS_ALG_ABSENT;
	if (k->alg == JWS_ALG_ABSENT)
		key_add_fault(k, KEY_FAULT_ALG_ABSENT, "alg");
	else if (k->alg == JWS_ALG_UNKNOWN)
		key_add_fault(k, registry_alg(k->alg_text) ? KEY_FAULT_ALG_OTHER : KEY_FAULT_ALG_UNKNOWN, "alg");
}

/* -- the public key of a JWK -- */

static void pkey_from_params(struct key *k, const char *type, OSSL_PARAM_BLD *build, enum key_fault_code fault)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

	if (!params || !c || EVP_PKEY_fromdata_init(c) <= 0 ||
	    EVP_PKEY_fromdata(c, &k->pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0) {
		EVP_PKEY_free(k->pkey);
		k->pkey = NULL;
		key_add_fault(k, fault, "");
	}
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(params);
	ERR_clear_error();
}

static void make_rsa(struct jwk *w)
{
	struct key *k = w->k;
	const bool has_n = take_number(w, "n", &k->n), has_e = take_number(w, "e", &k->e);
	OSSL_PARAM_BLD *build;
	BIGNUM *n, *e;

	if (!has_n || !has_e)
		return;
	key_judge_rsa(k, w->flags);
	n = BN_bin2bn((const uint8_t *)k->n.p, (int)k->n.n, NULL);
	e = BN_bin2bn((const uint8_t *)k->e.p, (int)k->e.n, NULL);
	build = OSSL_PARAM_BLD_new();
	if (n && e && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
		pkey_from_params(k, "RSA", build, KEY_FAULT_CRYPTO);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
}

/* The curve is one of those.  False: the actual curve is reported. */
static bool is_curve(struct key *k, enum key_curve first, enum key_curve last)
{
	if (k->curve >= first && k->curve <= last)
		return true;
	if (!k->crv.p)
		key_add_fault(k, KEY_FAULT_MISSING, "crv");
	else
		key_add_fault(k, registry_crv(k->crv) ? KEY_FAULT_UNSUPPORTED : KEY_FAULT_CRV, "crv");
	return false;
}

static void wrong_length(struct key *k, const char *name, size_t n)
{
	char member[sizeof(k->fault[0].member)];

	snprintf(member, sizeof(member), "%s, %zu bytes", name, n);
	key_add_fault(k, KEY_FAULT_COORDINATE, member);
}

/* False: it has more digits than the curve. */
static bool put_coordinate(struct key *k, struct str s, const char *name, uint8_t *out, size_t bytes)
{
	if (s.n != bytes)
		wrong_length(k, name, s.n);
	s = without_zeros(s);
	if (s.n > bytes)
		return false;
	memcpy(out + bytes - s.n, s.n ? s.p : "", s.n);
	return true;
}

static void make_ec(struct jwk *w)
{
	static const char *const groups[] = { [CURVE_P256] = "prime256v1", [CURVE_P384] = "secp384r1", [CURVE_P521] = "secp521r1" };
	struct key *k = w->k;
	const bool has_x = take_bytes(w, "x", &k->x), has_y = take_bytes(w, "y", &k->y);
	const unsigned bytes = key_curve_bytes(k->curve);
	uint8_t point[1 + 2 * 66] = { 4 };
	OSSL_PARAM_BLD *build;

	if (!is_curve(k, CURVE_P256, CURVE_P521))
		return;
	k->bits = k->curve == CURVE_P521 ? 521 : 8 * bytes;
	if (!has_x || !has_y)
		return;
	/* a wrong length does not make the point wrong: it is judged with its zeros restored */
	bool good = put_coordinate(k, k->x, "x", point + 1, bytes);
	good = put_coordinate(k, k->y, "y", point + 1 + bytes, bytes) && good;
	if (!good)
		return;
	build = OSSL_PARAM_BLD_new();
	if (build && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, groups[k->curve], 0) &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * (size_t)bytes))
		pkey_from_params(k, "EC", build, KEY_FAULT_POINT);
	OSSL_PARAM_BLD_free(build);
	if (k->pkey)
		key_judge_point(k);
}

static void make_okp(struct jwk *w)
{
	struct key *k = w->k;
	const bool has_x = take_bytes(w, "x", &k->x);

	if (has_x && (str_eq(k->crv, STR("X25519")) || str_eq(k->crv, STR("X448")))) {
		key_judge_agreement(k, k->x);
		return;
	}
	if (!is_curve(k, CURVE_ED25519, CURVE_ED448))
		return;
	k->bits = k->curve == CURVE_ED25519 ? 253 : 456;
	if (!has_x)
		return;
	if (k->x.n != key_curve_bytes(k->curve)) {
		wrong_length(k, "x", k->x.n);
		return;
	}
	k->pkey = EVP_PKEY_new_raw_public_key(k->curve == CURVE_ED25519 ? EVP_PKEY_ED25519 : EVP_PKEY_ED448, NULL,
					      (const uint8_t *)k->x.p, k->x.n);
	if (!k->pkey)
		key_add_fault(k, KEY_FAULT_CRYPTO, "x");
	ERR_clear_error();
	key_judge_point(k);
}

static void make_oct(struct jwk *w)
{
	struct key *k = w->k;
	struct str secret = STR_NONE;

	key_add_fault(k, KEY_FAULT_SYMMETRIC, "k");
	if (!take_bytes(w, "k", &secret))
		return;
	k->bits = (unsigned)(8 * secret.n);
	if (secret.n < 32 || (k->alg > JWS_ALG_UNKNOWN && k->bits < alg_rows[k->alg].hash_bits))
		key_add_fault(k, KEY_FAULT_OCT_SHORT, "k");
	if (w->flags & KEY_KEEP_SYMMETRIC)
		k->secret = secret;
	else
		OPENSSL_cleanse((char *)secret.p, secret.n);
}

static void make_public(struct jwk *w)
{
	struct key *k = w->k;

	k->curve = k->crv.p ? key_curve_parse(k->crv) : CURVE_NONE;
	if (!k->kty.p)
		key_add_fault(k, KEY_FAULT_MISSING, "kty");
	for (int kind = KEY_RSA; kind <= KEY_OCT; kind++)
		if (k->kty.p && str_eq(k->kty, str_of(key_kind_name((enum key_kind)kind))))
			k->kind = (enum key_kind)kind;
	switch (k->kind) {
	case KEY_RSA: make_rsa(w); break;
	case KEY_EC: make_ec(w); break;
	case KEY_OKP: make_okp(w); break;
	case KEY_OCT: make_oct(w); break;
	case KEY_KIND_UNKNOWN:
		if (k->kty.p)
			key_add_fault(k, registry_kty(k->kty) ? KEY_FAULT_UNSUPPORTED : KEY_FAULT_KTY, "kty");
	}
	if (k->pkey)
		key_take_spki(k);
	const bool curve_known = k->curve > CURVE_UNKNOWN || (k->kind != KEY_EC && k->kind != KEY_OKP);
	if (k->alg > JWS_ALG_UNKNOWN && k->kind != KEY_KIND_UNKNOWN && curve_known && !alg_fits(k->alg, k->kind, k->curve))
		key_add_fault(k, KEY_FAULT_ALG_CONTRADICTS, "alg");
}

/* -- x5c and the thumbprints -- */

/* x5c[0] as DER; freed by the caller.  NULL: absent, or wrong and reported. */
static uint8_t *leaf_der(struct jwk *w, size_t *ret_n)
{
	const struct sj_node *x5c = member(w, "x5c"), *leaf;
	uint8_t *der;

	if (!x5c)
		return NULL;
	leaf = x5c->kind == SJ_ARRAY ? sj_first(w->j, x5c) : NULL;
	for (const struct sj_node *n = leaf; n; n = sj_next(w->j, n))
		if (n->kind != SJ_STRING)
			leaf = NULL;
	if (!leaf || leaf->value.n > KEY_CERT_BYTES_MAX) {
		key_add_fault(w->k, leaf ? KEY_FAULT_TOO_LONG : KEY_FAULT_TYPE, "x5c");
		return NULL;
	}
	w->k->cert.chain = x5c->children;
	der = malloc(b64_bytes(leaf->value.n));
	if (der && b64_decode(leaf->value, der, b64_bytes(leaf->value.n), ret_n) == B64_OK)
		return der;
	free(der);
	key_add_fault(w->k, KEY_FAULT_BASE64, "x5c");
	return NULL;
}

static void take_x5c(struct jwk *w)
{
	size_t n = 0;
	uint8_t *der = leaf_der(w, &n);
	const uint8_t *p = der;
	X509 *x;

	if (!der)
		return;
	x = d2i_X509(NULL, &p, (long)n);
	if (x && p == der + n) {
		key_take_certificate(w->k, x, (struct str){ (const char *)der, n });
		if (key_has(w->k, KEY_FAULT_MISSING))
			key_add_fault(w->k, KEY_FAULT_X5C_ONLY, "");
		if (w->k->has_spki && memcmp(w->k->cert.spki_sha256, w->k->spki_sha256, 32) != 0)
			key_add_fault(w->k, KEY_FAULT_X5C_MISMATCH, "x5c");
		if (!w->k->has_spki || key_has(w->k, KEY_FAULT_X5C_MISMATCH))
			w->k->cert_pkey = X509_get_pubkey(x);
	} else {
		key_add_fault(w->k, KEY_FAULT_X5C_FORM, "x5c");
	}
	X509_free(x);
	ERR_clear_error();
	free(der);
}

/* into bytes, of which there is room for all digits */
static bool is_hex(struct str s, uint8_t *ret)
{
	for (size_t i = 0; i < s.n; i++) {
		const char c = ascii_lower(s.p[i]);
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10));
	}
	return true;
}

static void check_thumbprint(struct jwk *w, struct str text, const uint8_t *hash, size_t n, enum key_fault_code fault,
			     const char *name)
{
	uint8_t got[32];
	size_t got_n = 0;

	if (!text.n)
		return;
	if (text.n == 2 * n && is_hex(text, got)) {
		got_n = n;
		key_add_fault(w->k, KEY_FAULT_X5T_HEX, name);
		if (w->k->cert.present && memcmp(got, hash, n) != 0)
			key_add_fault(w->k, fault, name);
	} else if (b64url_decode(text, got, sizeof(got), &got_n) != B64_OK)
		key_add_fault(w->k, KEY_FAULT_BASE64, name);
	else if (w->k->cert.present && (got_n != n || memcmp(got, hash, n) != 0))
		key_add_fault(w->k, fault, name);
}

struct key *key_from_jwk(const struct strict_json *j, const struct sj_node *node, unsigned flags)
{
	/* no text or number is longer unescaped or decoded than it is in the document; names of certificates come on top */
	const size_t room = 2 * node->raw.n + 8 * KIB;
	struct key *k = key_new(KEY_FROM_JWK, room < KEY_TEXT_BYTES_MAX ? room : KEY_TEXT_BYTES_MAX);
	struct jwk w = { .k = k, .j = j, .object = node, .flags = flags };

	if (!k)
		return NULL;
	if (node->kind != SJ_OBJECT) {
		struct str name;
		key_add_fault(k, KEY_FAULT_NOT_OBJECT, "");
		if (secret_below(j, node, false, &name)) {
			k->private_members = KEY_PRIVATE_INSIDE;
			key_add_fault(k, KEY_FAULT_PRIVATE, "");
		}
		return k;
	}
	take_texts(&w);
	note_private(&w);
	take_life(&w);
	make_public(&w);
	take_x5c(&w);
	check_thumbprint(&w, k->x5t, k->cert.sha1, 20, KEY_FAULT_X5T_MISMATCH, "x5t");
	check_thumbprint(&w, k->x5t256, k->cert.sha256, 32, KEY_FAULT_X5T256_MISMATCH, "x5t#S256");
	return k;
}
