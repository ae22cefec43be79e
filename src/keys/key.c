/* SPDX-License-Identifier: Apache-2.0 */
/* key: a public key from a certificate or a PEM key, what a key is worth from its numbers alone, and its list of faults (keys/key.h). */
#include "keys/key_int.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/timefmt.h"
#include "keys/point.h"
#include "keys/registry.h"
#include "keys/strength.h"

const struct key_fault_row key_fault_rows[KEY_FAULT_COUNT] = {
#define KEY_FAULT(name, code, refused, text) [KEY_FAULT_##name] = { code, refused, text },
#include "keys/fault_names.h"
#undef KEY_FAULT
};

void key_add_fault(struct key *k, enum key_fault_code code, const char *member)
{
	struct key_fault *f;

	k->faults |= UINT64_C(1) << code;
	if (k->fault_n == KEY_FAULTS_SHOWN)
		return;
	f = &k->fault[k->fault_n++];
	f->code = code;
	snprintf(f->member, sizeof(f->member), "%s", member);
}

static uint64_t refusing_faults(void)
{
	uint64_t mask = 0;

	for (int i = 0; i < KEY_FAULT_COUNT; i++)
		if (key_fault_rows[i].refused)
			mask |= UINT64_C(1) << i;
	return mask;
}

bool key_usable(const struct key *k)
{
	return k->pkey && !(k->faults & refusing_faults());
}

bool key_usable_symmetric(const struct key *k)
{
	const uint64_t own = UINT64_C(1) << KEY_FAULT_PRIVATE;

	return k->kind == KEY_OCT && k->secret.n && k->private_members == KEY_PRIVATE_K && !(k->faults & refusing_faults() & ~own);
}

const char *key_hex(const uint8_t *p, size_t n, char out[KEY_HEX_SIZE])
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[p[i] >> 4];
		out[2 * i + 1] = digit[p[i] & 15];
	}
	out[2 * n] = '\0';
	return out;
}

/* -- making and keeping -- */

struct key *key_new(enum key_from from, size_t texts_max)
{
	struct key *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->from = from;
	buf_init(&k->text, texts_max);
	if (!buf_reserve(&k->text, texts_max)) {
		free(k);
		return NULL;
	}
	return k;
}

void key_free(struct key *k)
{
	if (!k)
		return;
	if (k->secret.n)
		OPENSSL_cleanse((char *)k->secret.p, k->secret.n);
	EVP_PKEY_free(k->pkey);
	EVP_PKEY_free(k->cert_pkey);
	OPENSSL_free(k->spki);
	buf_release(&k->text);
	free(k);
}

struct str key_keep(struct key *k, const void *p, size_t n)
{
	const size_t from = k->text.n;

	if (n >= k->text.max - from) {
		key_add_fault(k, KEY_FAULT_TOO_LONG, "");
		return STR_NONE;
	}
	buf_add(&k->text, n ? p : "", n);
	buf_add_char(&k->text, '\0');
	return (struct str){ k->text.p + from, n };
}

void key_set_kid(struct key *k, struct str kid)
{
	k->kid = key_keep(k, kid.p, kid.n);
}

static struct str keep_bn(struct key *k, const BIGNUM *bn)
{
	uint8_t bytes[KEY_NUMBER_BYTES_MAX];

	if (!bn || BN_num_bytes(bn) > KEY_NUMBER_BYTES_MAX)
		return STR_NONE;
	return key_keep(k, bytes, (size_t)BN_bn2bin(bn, bytes));
}

/* -- the SPKI and the numbers of a finished EVP_PKEY -- */

void key_take_spki(struct key *k)
{
	const int n = i2d_PUBKEY(k->pkey, &k->spki);

	if (n <= 0) {
		key_add_fault(k, KEY_FAULT_CRYPTO, "");
		ERR_clear_error();
		return;
	}
	k->spki_n = (size_t)n;
	SHA256(k->spki, k->spki_n, k->spki_sha256);
	k->has_spki = true;
}

static unsigned bits_of(struct str s)
{
	unsigned bits;

	s = without_zeros(s);
	if (!s.n)
		return 0;
	bits = (unsigned)(8 * (s.n - 1));
	for (unsigned top = (uint8_t)s.p[0]; top; top >>= 1)
		bits++;
	return bits;
}

/* Can anybody compute the private half?  The tests that are cheap enough for every key that verifies. */
uint64_t key_weaknesses(const struct key *k)
{
	static const struct { uint32_t weakness; enum key_fault_code fault; } rows[] = {
		{ WEAK_ROCA, KEY_FAULT_ROCA }, { WEAK_PRIME, KEY_FAULT_RSA_PRIME }, { WEAK_POWER, KEY_FAULT_RSA_POWER },
		{ WEAK_SMALL, KEY_FAULT_RSA_FACTOR }, { WEAK_FERMAT | WEAK_RATIO | WEAK_HALVES, KEY_FAULT_RSA_CLOSE },
		{ WEAK_PATTERN | WEAK_BIAS | WEAK_DIGITS, KEY_FAULT_RSA_PATTERN },
	};
	struct strength s;
	uint64_t faults = 0;

	strength_rsa((const uint8_t *)k->n.p, k->n.n, (const uint8_t *)k->e.p, k->e.n, STRENGTH_LOAD, &s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (s.found & rows[i].weakness)
			faults |= UINT64_C(1) << rows[i].fault;
	return faults;
}

static void judge_strength(struct key *k, unsigned flags)
{
	if (flags & KEY_NO_STRENGTH) {
		k->untested = true;
		k->untested_at = k->fault_n;
		return;
	}
	for (uint64_t faults = key_weaknesses(k); faults; faults &= faults - 1)
		key_add_fault(k, (enum key_fault_code)__builtin_ctzll(faults), "n");
}

/* What an RSA key is, from its numbers alone: also for keys that OpenSSL does not want. */
void key_judge_rsa(struct key *k, unsigned flags)
{
	uint64_t e = 0;

	k->bits = bits_of(k->n);
	if (k->bits < 2048)
		key_add_fault(k, KEY_FAULT_RSA_SIZE, "n");
	if (k->bits > 16384)
		key_add_fault(k, KEY_FAULT_RSA_LONG, "n");
	if (k->bits % 8)
		key_add_fault(k, KEY_FAULT_RSA_ODD_SIZE, "n");
	if (k->n.n && !(k->n.p[k->n.n - 1] & 1))
		key_add_fault(k, KEY_FAULT_RSA_EVEN, "n");
	if (k->n.n)
		judge_strength(k, flags);
	if (k->e.n && !(k->e.p[k->e.n - 1] & 1))
		key_add_fault(k, KEY_FAULT_EXP_EVEN, "e");
	if (bits_of(k->e) > 32) {
		key_add_fault(k, KEY_FAULT_EXP_LONG, "e");
		return;
	}
	for (size_t i = 0; i < k->e.n; i++)
		e = e << 8 | (uint8_t)k->e.p[i];
	if (e == 1)
		key_add_fault(k, KEY_FAULT_EXP_ONE, "e");
	if (e < 65537)
		key_add_fault(k, KEY_FAULT_EXP_SMALL, "e");
}

void key_judge_point(struct key *k)
{
	static const enum key_fault_code faults[] = {
		[POINT_OFF_CURVE] = KEY_FAULT_POINT, [POINT_SMALL_ORDER] = KEY_FAULT_SMALL_ORDER, [POINT_SECOND_FORM] = KEY_FAULT_POINT_FORM,
		[POINT_TINY] = KEY_FAULT_POINT_TINY, [POINT_UNTESTED] = KEY_FAULT_CRYPTO,
	};
	enum point_verdict v = k->kind == KEY_EC ? point_weierstrass(k->curve, k->x, k->y) : point_edwards(k->curve, k->x);

	if (v != POINT_SOUND)
		key_add_fault(k, faults[v], k->kind == KEY_EC ? "" : "x");
}

/* Keys for key agreement are not judged here, except for a point that makes every agreement public. */
void key_judge_agreement(struct key *k, struct str u)
{
	const enum point_verdict v = point_montgomery(str_eq(k->crv, STR("X448")), u);

	key_add_fault(k, KEY_FAULT_UNSUPPORTED, "crv");
	if (v == POINT_SMALL_ORDER || v == POINT_TINY || v == POINT_SECOND_FORM)
		key_add_fault(k, v == POINT_SMALL_ORDER ? KEY_FAULT_SMALL_ORDER : v == POINT_TINY ? KEY_FAULT_POINT_TINY : KEY_FAULT_POINT_FORM, "x");
}

static enum key_curve curve_of_pkey(const EVP_PKEY *p)
{
	char name[64];

	if (EVP_PKEY_is_a(p, "ED25519"))
		return CURVE_ED25519;
	if (EVP_PKEY_is_a(p, "ED448"))
		return CURVE_ED448;
	if (!EVP_PKEY_get_utf8_string_param(p, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL))
		return CURVE_UNKNOWN;
	if (strcmp(name, "prime256v1") == 0 || strcmp(name, "P-256") == 0)
		return CURVE_P256;
	if (strcmp(name, "secp384r1") == 0 || strcmp(name, "P-384") == 0)
		return CURVE_P384;
	if (strcmp(name, "secp521r1") == 0 || strcmp(name, "P-521") == 0)
		return CURVE_P521;
	return CURVE_UNKNOWN;
}

static struct str number_of_pkey(struct key *k, const char *param)
{
	BIGNUM *bn = NULL;
	struct str s = STR_NONE;

	if (EVP_PKEY_get_bn_param(k->pkey, param, &bn))
		s = keep_bn(k, bn);
	BN_free(bn);
	ERR_clear_error();
	return s;
}

/* Kind, curve and numbers of a key that OpenSSL read: from a certificate or a PEM file. */
static void take_pkey(struct key *k, unsigned flags)
{
	uint8_t raw[64];
	size_t n = sizeof(raw);

	if (EVP_PKEY_is_a(k->pkey, "RSA") || EVP_PKEY_is_a(k->pkey, "RSA-PSS")) {
		k->kind = KEY_RSA;
		k->n = number_of_pkey(k, OSSL_PKEY_PARAM_RSA_N);
		k->e = number_of_pkey(k, OSSL_PKEY_PARAM_RSA_E);
		key_judge_rsa(k, flags);
	} else if (EVP_PKEY_is_a(k->pkey, "EC")) {
		char name[64];
		k->kind = KEY_EC;
		k->curve = curve_of_pkey(k->pkey);
		k->x = number_of_pkey(k, OSSL_PKEY_PARAM_EC_PUB_X);
		k->y = number_of_pkey(k, OSSL_PKEY_PARAM_EC_PUB_Y);
		if (k->curve != CURVE_UNKNOWN)
			key_judge_point(k);
		else if (EVP_PKEY_get_utf8_string_param(k->pkey, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL))
			k->crv = key_keep(k, name, strlen(name));
		if (k->curve == CURVE_UNKNOWN && k->crv.p && registry_crv(k->crv))
			key_add_fault(k, KEY_FAULT_UNSUPPORTED, "crv");
	} else if (EVP_PKEY_is_a(k->pkey, "X25519") || EVP_PKEY_is_a(k->pkey, "X448")) {
		k->kind = KEY_OKP;
		k->curve = CURVE_UNKNOWN;
		k->crv = EVP_PKEY_is_a(k->pkey, "X448") ? key_keep(k, "X448", 4) : key_keep(k, "X25519", 6);
		if (EVP_PKEY_get_raw_public_key(k->pkey, raw, &n))
			key_judge_agreement(k, (struct str){ (const char *)raw, n });
	} else if (EVP_PKEY_is_a(k->pkey, "ED25519") || EVP_PKEY_is_a(k->pkey, "ED448")) {
		k->kind = KEY_OKP;
		k->curve = curve_of_pkey(k->pkey);
		if (EVP_PKEY_get_raw_public_key(k->pkey, raw, &n))
			k->x = key_keep(k, raw, n);
		key_judge_point(k);
	} else {
		key_add_fault(k, KEY_FAULT_KTY, "");
	}
	if (k->kind == KEY_EC && k->curve == CURVE_UNKNOWN && !key_has(k, KEY_FAULT_UNSUPPORTED))
		key_add_fault(k, KEY_FAULT_CRV, "");
	if (k->kind == KEY_EC || k->kind == KEY_OKP)
		k->bits = (unsigned)EVP_PKEY_get_bits(k->pkey);
	key_take_spki(k);
}

/* -- certificates -- */

static struct str name_text(struct key *k, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	struct str s = STR_NONE;
	long n;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		n = BIO_get_mem_data(bio, &p);
		if (n > 0)
			s = key_keep(k, p, (size_t)n);
	}
	BIO_free(bio);
	return s;
}

static struct str common_name(struct key *k, const X509_NAME *name)
{
	const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const X509_NAME_ENTRY *entry = at < 0 ? NULL : X509_NAME_get_entry(name, at);
	unsigned char *utf8 = NULL;
	struct str s = STR_NONE;
	const int n = entry ? ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry)) : -1;

	if (n >= 0)
		s = key_keep(k, utf8, (size_t)n);
	OPENSSL_free(utf8);
	return s;
}

static bool asn1_time(const ASN1_TIME *t, int64_t *ret_us)
{
	struct tm tm;

	if (!t || !ASN1_TIME_to_tm(t, &tm))
		return false;
	*ret_us = (days_from_civil(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday) * 86400 +
		   tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) * US_PER_SECOND;
	return true;
}

void key_take_certificate(struct key *k, X509 *x, struct str der)
{
	struct key_cert *c = &k->cert;
	unsigned char *spki = NULL;
	const int spki_n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
	const uint32_t flags = X509_get_extension_flags(x), usage = X509_get_key_usage(x);
	int digest = NID_undef;

	c->present = true;
	SHA1((const uint8_t *)der.p, der.n, c->sha1);
	SHA256((const uint8_t *)der.p, der.n, c->sha256);
	if (spki_n > 0)
		SHA256(spki, (size_t)spki_n, c->spki_sha256);
	OPENSSL_free(spki);
	c->dates_known = asn1_time(X509_get0_notBefore(x), &c->not_before_us) && asn1_time(X509_get0_notAfter(x), &c->not_after_us);
	c->self_signed = X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
	c->ca = (flags & EXFLAG_CA) != 0;
	c->has_key_usage = usage != UINT32_MAX;
	c->digital_signature = c->has_key_usage && (usage & KU_DIGITAL_SIGNATURE);
	OBJ_find_sigid_algs(X509_get_signature_nid(x), &digest, NULL);
	c->sha1_signature = digest == NID_sha1 || digest == NID_md5;
	c->subject = name_text(k, X509_get_subject_name(x));
	c->issuer = name_text(k, X509_get_issuer_name(x));
	c->common_name = common_name(k, X509_get_subject_name(x));
	ERR_clear_error();
}

struct key *key_from_certificate(X509 *x, struct str der, unsigned flags)
{
	struct key *k = key_new(KEY_FROM_CERTIFICATE, KEY_TEXT_BYTES_MAX);
	EVP_PKEY *p;

	if (!k)
		return NULL;
	key_take_certificate(k, x, der);
	k->cert.chain = 1;
	p = X509_get_pubkey(x);
	if (p) {
		k->pkey = p;
		take_pkey(k, flags);
	} else {
		key_add_fault(k, KEY_FAULT_CRYPTO, "");
	}
	ERR_clear_error();
	return k;
}

struct key *key_from_pkey(EVP_PKEY *pkey, enum key_from from, unsigned flags)
{
	struct key *k = key_new(from, KEY_TEXT_BYTES_MAX);

	if (!k) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	k->pkey = pkey;
	take_pkey(k, flags);
	if (from == KEY_FROM_PRIVATE) {
		k->private_members = KEY_PRIVATE_PEM;
		key_add_fault(k, KEY_FAULT_PRIVATE, "");
	}
	return k;
}
