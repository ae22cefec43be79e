/* SPDX-License-Identifier: Apache-2.0 */
#include "plant.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

/* ---- keys and their numbers ---- */

EVP_PKEY *plant_key(const char *kind)
{
	EVP_PKEY *key = NULL;
	if (!kind)
		return NULL;
	if (strcmp(kind, "rsa") == 0)
		return EVP_RSA_gen(2048);
	if (strcmp(kind, "ed25519") == 0 || strcmp(kind, "ed448") == 0 || strcmp(kind, "x25519") == 0 || strcmp(kind, "x448") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, kind);
	if (strncmp(kind, "brainpool", 9) == 0 || strcmp(kind, "SM2") == 0)
		return EVP_EC_gen(kind);
	if (strcmp(kind, "dsa") == 0) {
		EVP_PKEY *params = NULL;
		EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
		if (c && EVP_PKEY_paramgen_init(c) > 0 && EVP_PKEY_CTX_set_dsa_paramgen_bits(c, 1024) > 0)
			(void)EVP_PKEY_paramgen(c, &params);
		EVP_PKEY_CTX_free(c);
		c = params ? EVP_PKEY_CTX_new(params, NULL) : NULL;
		if (c && EVP_PKEY_keygen_init(c) > 0)
			(void)EVP_PKEY_keygen(c, &key);
		EVP_PKEY_CTX_free(c);
		EVP_PKEY_free(params);
		return key;
	}
	return EVP_EC_gen(strcmp(kind, "p256") == 0 ? "P-256" : strcmp(kind, "p384") == 0 ? "P-384" : strcmp(kind, "p521") == 0 ? "P-521" : "secp256k1");
}

bool plant_spki(EVP_PKEY *key, uint8_t ret[32])
{
	unsigned char *der = NULL;
	unsigned size = 32;
	int n = i2d_PUBKEY(key, &der);
	bool ok = n > 0 && EVP_Digest(der, (size_t)n, ret, &size, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return ok;
}

enum { N, E, D, P, Q, DP, DQ, QI };
static const char *const rsa_names[] = { OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
	OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1 };
#define BYTES 256 /* of n */

/* number `which` in exactly n bytes, or as many as it has with n = 0 */
static size_t number(EVP_PKEY *key, const char *name, uint8_t *out, size_t n)
{
	BIGNUM *x = NULL;
	if (!EVP_PKEY_get_bn_param(key, name, &x))
		return 0;
	n = n ? n : (size_t)BN_num_bytes(x);
	int got = BN_bn2binpad(x, out, (int)n);
	BN_clear_free(x);
	return got < 0 ? 0 : (size_t)got;
}

static size_t part(EVP_PKEY *key, int which, uint8_t *out)
{
	return number(key, rsa_names[which], out, which == N || which == D ? BYTES : which == E ? 3 : BYTES / 2);
}

static void reverse(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		uint8_t c = p[i];
		p[i] = p[n - 1 - i];
		p[n - 1 - i] = c;
	}
}

static void random_bytes(struct buf *out, size_t n)
{
	uint8_t noise[4096];
	while (n) {
		size_t k = n < sizeof noise ? n : sizeof noise;
		RAND_bytes(noise, (int)k);
		buf_add(out, noise, k);
		n -= k;
	}
}

static void be32(struct buf *out, uint32_t x)
{
	uint8_t b[4] = { (uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x };
	buf_add(out, b, 4);
}

static void le32(struct buf *out, uint32_t x)
{
	buf_add(out, &x, 4);
}

static void ssh_string(struct buf *out, const void *p, size_t n)
{
	be32(out, (uint32_t)n);
	buf_add(out, p, n);
}

static void ssh_mpint(struct buf *out, const uint8_t *p, size_t n)
{
	while (n && *p == 0)
		p++, n--;
	be32(out, (uint32_t)n + (n && *p & 0x80));
	if (n && *p & 0x80)
		buf_add_char(out, 0);
	buf_add(out, p, n);
}

/* ---- what OpenSSL writes ---- */

static bool from_bio(struct buf *out, BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);
	bool ok = n > 0;
	if (ok)
		buf_add(out, p, (size_t)n);
	BIO_free(b);
	return ok;
}

static bool pkcs1(struct buf *out, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PrivateKey(key, &der);
	if (n > 0)
		buf_add(out, der, (size_t)n);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
	return n > 0;
}

static bool pkcs8(struct buf *out, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	return i2d_PKCS8PrivateKey_bio(b, key, NULL, NULL, 0, NULL, NULL) && from_bio(out, b);
}

static bool pem1(struct buf *out, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	return PEM_write_bio_PrivateKey_traditional(b, key, NULL, NULL, 0, NULL, NULL) && from_bio(out, b);
}

static bool pem8(struct buf *out, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	return PEM_write_bio_PKCS8PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) && from_bio(out, b);
}

static void base64(struct buf *out, const void *p, size_t n, bool url)
{
	static const char std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", web[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *s = p;
	const char *t = url ? web : std;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t x = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0);
		buf_add_char(out, t[x >> 18]);
		buf_add_char(out, t[x >> 12 & 63]);
		if (i + 1 < n)
			buf_add_char(out, t[x >> 6 & 63]);
		else if (!url)
			buf_add_char(out, '=');
		if (i + 2 < n)
			buf_add_char(out, t[x & 63]);
		else if (!url)
			buf_add_char(out, '=');
	}
}

static void hex(struct buf *out, const uint8_t *p, size_t n, const char *format, const char *between)
{
	for (size_t i = 0; i < n; i++) {
		buf_add_cstr(out, i ? between : "");
		buf_printf(out, format[1] == 'X' ? "%02X" : "%02x", p[i]);
	}
}

static struct buf temporary(void)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	return b;
}

/* text with every line break replaced */
static bool replaced(struct buf *out, struct buf *text, const char *by)
{
	for (size_t i = 0; i < text->n; i++) {
		if (text->p[i] == '\n')
			buf_add_cstr(out, by);
		else
			buf_add_char(out, text->p[i]);
	}
	buf_release(text);
	return true;
}

/* ---- RSA ---- */

static bool w_pkcs1(struct buf *out, EVP_PKEY *key, uint64_t va) { return pkcs1(out, key); }
static bool w_pkcs8(struct buf *out, EVP_PKEY *key, uint64_t va) { return pkcs8(out, key); }
static bool w_pem1(struct buf *out, EVP_PKEY *key, uint64_t va) { return pem1(out, key); }

static bool w_head_lost(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pkcs1(&t, key);
	random_bytes(out, 40);
	buf_add(out, t.p + 40, t.n - 40);
	buf_release(&t);
	return ok;
}

static bool w_tail_lost(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pkcs1(&t, key);
	buf_add(out, t.p, 700); /* n, e, d, p */
	random_bytes(out, 600);
	buf_release(&t);
	return ok;
}

static bool w_pem_crlf(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	return pem8(&t, key) && replaced(out, &t, "\r\n");
}

static bool w_pem_no_begin(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pem1(&t, key);
	const char *body = strchr(t.p, '\n') + 1;
	buf_add_cstr(out, body);
	buf_release(&t);
	return ok;
}

static bool w_pem_no_end(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pem1(&t, key);
	buf_add(out, t.p, t.n - 200);
	buf_release(&t);
	return ok;
}

static bool w_pem_middle(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pem1(&t, key);
	random_bytes(out, 101);
	buf_add_char(out, 0); /* a stranger right before the text */
	buf_add(out, t.p + 102, t.n - 102 - 60);
	buf_release(&t);
	return ok;
}

static bool w_pem_json(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	buf_add_cstr(out, "{\"type\":\"service_account\",\"private_key\":\"");
	bool ok = pem8(&t, key) && replaced(out, &t, "\\n");
	buf_add_cstr(out, "\",\"client_email\":\"robot@example.com\"}");
	return ok;
}

static bool w_pem_xml(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	buf_add_cstr(out, "<key name=\"tls\">");
	bool ok = pem8(&t, key) && replaced(out, &t, "&#10;");
	buf_add_cstr(out, "</key>");
	return ok;
}

static bool w_pem_env(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	buf_add_cstr(out, "TLS_KEY=");
	bool ok = pem8(&t, key) && replaced(out, &t, " ");
	buf_add(out, "\0PATH=/bin", 11);
	return ok;
}

static bool wide(struct buf *out, EVP_PKEY *key, bool big)
{
	struct buf t = temporary();
	bool ok = pem8(&t, key);
	for (size_t i = 0; i < t.n; i++) {
		if (big)
			buf_add_char(out, 0);
		buf_add_char(out, t.p[i]);
		if (!big)
			buf_add_char(out, 0);
	}
	buf_release(&t);
	return ok;
}

static bool w_utf16le(struct buf *out, EVP_PKEY *key, uint64_t va) { return wide(out, key, false); }
static bool w_utf16be(struct buf *out, EVP_PKEY *key, uint64_t va) { return wide(out, key, true); }

static bool w_base64(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pkcs8(&t, key);
	base64(out, t.p, t.n, false);
	buf_release(&t);
	return ok;
}

static bool w_base64url(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pkcs1(&t, key);
	buf_add_cstr(out, "&key=");
	base64(out, t.p, t.n, true);
	buf_release(&t);
	return ok;
}

static bool w_base64_undelimited(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pkcs1(&t, key);
	buf_add(out, "\x01kEy", 4); /* three digits that are not its own */
	base64(out, t.p, t.n, false);
	buf_release(&t);
	return ok;
}

static bool w_base64_pem(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pem8(&t, key);
	buf_add_cstr(out, "data:\n  tls.key: ");
	base64(out, t.p, t.n, false);
	buf_add_char(out, '\n');
	buf_release(&t);
	return ok;
}

static bool w_hex(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pkcs1(&t, key);
	hex(out, (const uint8_t *)t.p, t.n, "%x", "");
	buf_release(&t);
	return ok;
}

static bool w_hex_colons(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pkcs8(&t, key);
	for (size_t i = 0; i < t.n; i += 15) {
		buf_add_cstr(out, i ? ":\n    " : "    ");
		hex(out, (const uint8_t *)t.p + i, t.n - i < 15 ? t.n - i : 15, "%X", ":");
	}
	buf_release(&t);
	return ok;
}

static void jwk_members(struct buf *out, EVP_PKEY *key, const int *which, int n, const char *quote)
{
	static const char *const names[] = { "n", "e", "d", "p", "q", "dp", "dq", "qi" };
	uint8_t b[BYTES];
	for (int i = 0; i < n; i++) {
		buf_printf(out, "%s%s%s%s:%s", i ? "," : "", quote, names[which[i]], quote, quote);
		base64(out, b, part(key, which[i], b), true);
		buf_add_cstr(out, quote);
	}
}

static bool w_jwk(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	static const int order[] = { N, E, D, P, Q, DP, DQ, QI };
	buf_add_cstr(out, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",");
	jwk_members(out, key, order, 8, "\"");
	buf_add_cstr(out, ",\"use\":\"sig\"}]}");
	return true;
}

static bool w_jwk_escaped(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	static const int order[] = { QI, DP, D, Q, E, N, P, DQ };
	buf_add_cstr(out, "{\"message\":\"{\\\"jwk\\\":{");
	jwk_members(out, key, order, 8, "\\\"");
	buf_add_cstr(out, ",\\\"kty\\\":\\\"RSA\\\"}}\"}");
	return true;
}

static bool w_jwk_cut(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	static const int order[] = { P, Q, DP, DQ };
	random_bytes(out, 7);
	buf_add(out, "", 1);
	buf_add_cstr(out, "3qGxYw\",");
	jwk_members(out, key, order, 4, "\"");
	buf_add(out, "\0\0\0", 3);
	return true;
}

static bool w_xml(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	static const char *const names[] = { "Modulus", "Exponent", "D", "P", "Q", "DP", "DQ", "InverseQ" };
	static const int order[] = { N, E, P, Q, DP, DQ, QI, D };
	uint8_t b[BYTES];
	buf_add_cstr(out, "<RSAKeyValue>");
	for (int i = 0; i < 8; i++) {
		buf_printf(out, "<%s>", names[order[i]]);
		base64(out, b, part(key, order[i], b), false);
		buf_printf(out, "</%s>", names[order[i]]);
	}
	buf_add_cstr(out, "</RSAKeyValue>");
	return true;
}

static bool armoured(struct buf *out, const struct buf *body)
{
	struct buf t = temporary();
	base64(&t, body->p, body->n, false);
	buf_add_cstr(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t i = 0; i < t.n; i += 70) {
		buf_add(out, t.p + i, t.n - i < 70 ? t.n - i : 70);
		buf_add_char(out, '\n');
	}
	buf_add_cstr(out, "-----END OPENSSH PRIVATE KEY-----\n");
	buf_release(&t);
	return true;
}

static bool openssh(struct buf *out, const struct buf *public, const struct buf *private, bool armour)
{
	struct buf t = temporary(), inner = temporary();
	buf_add(&t, "openssh-key-v1", 15);
	ssh_string(&t, "none", 4);
	ssh_string(&t, "none", 4);
	ssh_string(&t, "", 0);
	be32(&t, 1);
	ssh_string(&t, public->p, public->n);
	random_bytes(&inner, 4);
	buf_add(&inner, inner.p, 4);
	buf_add(&inner, private->p, private->n);
	ssh_string(&inner, "user@example.com", 16);
	for (char pad = 1; inner.n % 8; pad++)
		buf_add_char(&inner, pad);
	ssh_string(&t, inner.p, inner.n);
	if (armour)
		armoured(out, &t);
	else
		buf_add(out, t.p, t.n);
	buf_release(&t);
	buf_release(&inner);
	return true;
}

static void openssh_rsa(struct buf *public, struct buf *private, EVP_PKEY *key)
{
	static const int order[] = { N, E, D, QI, P, Q };
	uint8_t b[BYTES];
	ssh_string(public, "ssh-rsa", 7);
	ssh_mpint(public, b, part(key, E, b));
	ssh_mpint(public, b, part(key, N, b));
	ssh_string(private, "ssh-rsa", 7);
	for (int i = 0; i < 6; i++)
		ssh_mpint(private, b, part(key, order[i], b));
}

static bool w_openssh_rsa(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf public = temporary(), private = temporary();
	openssh_rsa(&public, &private, key);
	openssh(out, &public, &private, true);
	buf_release(&public);
	buf_release(&private);
	return true;
}

static bool w_putty(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	static const int order[] = { D, P, Q, QI };
	struct buf blob[2] = { temporary(), temporary() }, t = temporary();
	uint8_t b[BYTES];
	ssh_string(&blob[0], "ssh-rsa", 7);
	ssh_mpint(&blob[0], b, part(key, E, b));
	ssh_mpint(&blob[0], b, part(key, N, b));
	for (int i = 0; i < 4; i++)
		ssh_mpint(&blob[1], b, part(key, order[i], b));
	buf_add_cstr(out, "PuTTY-User-Key-File-3: ssh-rsa\r\nEncryption: none\r\nComment: test\r\n");
	for (int k = 0; k < 2; k++) {
		buf_clear(&t);
		base64(&t, blob[k].p, blob[k].n, false);
		buf_printf(out, "%s-Lines: %zu\r\n", k ? "Private" : "Public", (t.n + 63) / 64);
		for (size_t i = 0; i < t.n; i += 64) {
			buf_add(out, t.p + i, t.n - i < 64 ? t.n - i : 64);
			buf_add_cstr(out, "\r\n");
		}
		buf_release(&blob[k]);
	}
	buf_add_cstr(out, "Private-MAC: 0000000000000000000000000000000000000000000000000000000000000000\r\n");
	buf_release(&t);
	return true;
}

static bool bcrypt_rsa(struct buf *out, EVP_PKEY *key, char version)
{
	static const int order[] = { E, N, P, Q, DP, DQ, QI, D };
	uint8_t b[BYTES];
	buf_add(out, "RSA", 3);
	buf_add_char(out, version);
	le32(out, 8 * BYTES);
	le32(out, 3);
	le32(out, BYTES);
	le32(out, BYTES / 2);
	le32(out, BYTES / 2);
	for (int i = 0; i < (version == '2' ? 4 : 8); i++) {
		size_t n = part(key, order[i], b);
		buf_add(out, b, n);
	}
	return true;
}

static bool w_bcrypt2(struct buf *out, EVP_PKEY *key, uint64_t va) { return bcrypt_rsa(out, key, '2'); }
static bool w_bcrypt3(struct buf *out, EVP_PKEY *key, uint64_t va) { return bcrypt_rsa(out, key, '3'); }

static bool w_capi(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	BIO *b = BIO_new(BIO_s_mem());
	return i2b_PrivateKey_bio(b, key) > 0 && from_bio(out, b);
}

static bool w_pvk(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	BIO *b = BIO_new(BIO_s_mem());
	return i2b_PVK_bio(b, key, 0, NULL, NULL) > 0 && from_bio(out, b);
}

static bool w_dnssec(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	static const char *const names[] = { "Modulus", "PublicExponent", "PrivateExponent", "Prime1", "Prime2", "Exponent1", "Exponent2", "Coefficient" };
	uint8_t b[BYTES];
	buf_add_cstr(out, "Private-key-format: v1.3\nAlgorithm: 8 (RSASHA256)\n");
	for (int i = 0; i < 8; i++) {
		buf_printf(out, "%s: ", names[i]);
		base64(out, b, part(key, i, b), false);
		buf_add_char(out, '\n');
	}
	return true;
}

/* ---- locked ---- */

static bool w_pem_pbes2(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	BIO *b = BIO_new(BIO_s_mem());
	return PEM_write_bio_PKCS8PrivateKey(b, key, EVP_aes_256_cbc(), "word", 4, NULL, NULL) && from_bio(out, b);
}

static bool w_pem_proc_type(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	BIO *b = BIO_new(BIO_s_mem());
	return PEM_write_bio_PrivateKey_traditional(b, key, EVP_aes_128_cbc(), (const unsigned char *)"word", 4, NULL, NULL) && from_bio(out, b);
}

static bool w_pkcs12(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	PKCS12 *p = PKCS12_create("word", "name", key, NULL, NULL, 0, 0, 0, 0, 0);
	BIO *b = BIO_new(BIO_s_mem());
	bool ok = p && i2d_PKCS12_bio(b, p);
	PKCS12_free(p);
	return ok && from_bio(out, b);
}

/* ---- bare numbers ---- */

static bool bare(struct buf *out, EVP_PKEY *key, int which, bool little)
{
	uint8_t b[BYTES];
	size_t n = part(key, which, b);
	if (little)
		reverse(b, n);
	buf_add(out, b, n);
	return n > 0;
}

static bool w_p_le(struct buf *out, EVP_PKEY *key, uint64_t va) { return bare(out, key, P, true); }
static bool w_q_be(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	random_bytes(out, 3); /* at no multiple of anything */
	return bare(out, key, Q, false);
}
static bool w_d_le(struct buf *out, EVP_PKEY *key, uint64_t va) { return bare(out, key, D, true); }
static bool w_d_be(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	random_bytes(out, 5);
	return bare(out, key, D, false);
}
static bool w_dp_alone(struct buf *out, EVP_PKEY *key, uint64_t va) { return bare(out, key, DP, true); }

static bool w_p_java(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[BYTES];
	size_t n = part(key, P, b);
	for (size_t i = 0; i < n; i += 4)
		reverse(b + i, 4);
	le32(out, 1), le32(out, 0); /* an object's head: mark, class, length */
	le32(out, 0x00010203);
	le32(out, (uint32_t)n / 4);
	buf_add(out, b, n);
	return n > 0;
}

static bool w_p_u63(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	BIGNUM *x = NULL;
	if (!EVP_PKEY_get_bn_param(key, rsa_names[P], &x))
		return false;
	for (int bit = 0; bit < 1024; bit += 63) {
		uint64_t cell = 0;
		for (int i = 0; i < 63; i++)
			cell |= (uint64_t)BN_is_bit_set(x, bit + i) << i;
		buf_add(out, &cell, 8);
	}
	BN_clear_free(x);
	return true;
}

static bool w_p_hex(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[BYTES];
	size_t n = part(key, P, b);
	buf_add_cstr(out, "prime1:\n    00:");
	hex(out, b, n, "%x", ":");
	return n > 0;
}

static bool w_p_half(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[BYTES];
	size_t n = part(key, P, b);
	reverse(b, n);
	buf_add(out, b, n / 2);
	random_bytes(out, n / 2);
	return n > 0;
}

static bool w_p_torn(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[BYTES];
	size_t n = part(key, P, b);
	reverse(b, n);
	random_bytes(out, 4096 - n / 2);
	buf_add(out, b, n / 2);
	random_bytes(out, 4096); /* a page of something else */
	buf_add(out, b + n / 2, n / 2);
	random_bytes(out, 4096 - n / 2);
	return n > 0;
}

/* three of OpenSSL's BIGNUMs and, apart from them, their words */
static bool w_bignums(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	static const int order[] = { P, N, Q };
	uint8_t b[BYTES];
	struct { uint64_t d; int32_t top, dmax, neg, flags; } head[3];
	uint64_t at = va + 4096;
	for (int i = 0; i < 3; i++) {
		int words = order[i] == N ? BYTES / 8 : BYTES / 16;
		head[i].d = at;
		head[i].top = head[i].dmax = words;
		head[i].neg = 0;
		head[i].flags = 1;
		at += 8 * (uint64_t)words + 528;
	}
	for (int i = 0; i < 3; i++) {
		buf_add(out, &head[i], 24);
		random_bytes(out, 136);
	}
	random_bytes(out, 4096 - out->n % 4096);
	for (int i = 0; i < 3; i++) {
		size_t n = part(key, order[i], b);
		reverse(b, n);
		buf_add(out, b, n);
		random_bytes(out, 528);
	}
	return true;
}

/* R^2 mod p, R = 2^1024: which Montgomery's method keeps next to p */
static bool w_montgomery(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	BIGNUM *p = NULL, *r = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	uint8_t b[BYTES / 2];
	bool ok = EVP_PKEY_get_bn_param(key, rsa_names[P], &p) && BN_set_bit(r, 2048) && BN_mod(r, r, p, ctx) && BN_bn2lebinpad(r, b, BYTES / 2) > 0;
	buf_add(out, b, sizeof b);
	BN_clear_free(p);
	BN_clear_free(r);
	BN_CTX_free(ctx);
	return ok;
}

/* ---- elliptic, Edwards, DSA ---- */

static size_t point(EVP_PKEY *key, uint8_t *ret)
{
	size_t n = 0;
	EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
	return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, ret, 133, &n) ? n : 0;
}

static size_t scalar(EVP_PKEY *key, uint8_t *ret)
{
	int bits = EVP_PKEY_get_bits(key);
	return number(key, OSSL_PKEY_PARAM_PRIV_KEY, ret, (size_t)(bits + 7) / 8);
}

static bool w_jwk_ec(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t q[133], d[66];
	size_t n = point(key, q), m = scalar(key, d);
	buf_printf(out, "{ \"kty\" : \"EC\", \"crv\" : \"%s\", \"d\" : \"", m == 66 ? "P-521" : "P-256");
	base64(out, d, m, true);
	buf_add_cstr(out, "\", \"x\" : \"");
	base64(out, q + 1, n / 2, true);
	buf_add_cstr(out, "\", \"y\" : \"");
	base64(out, q + 1 + n / 2, n / 2, true);
	buf_add_cstr(out, "\" }");
	return n && m;
}

static bool w_bcrypt_ec(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t q[133], d[66];
	size_t n = point(key, q), m = scalar(key, d);
	buf_add(out, m == 32 ? "ECS2" : m == 48 ? "ECS4" : "ECS6", 4);
	le32(out, (uint32_t)m);
	buf_add(out, q + 1, n - 1);
	buf_add(out, d, m);
	return n && m;
}

static bool w_openssh_ecdsa(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf public = temporary(), private = temporary();
	uint8_t q[133], d[66];
	size_t n = point(key, q), m = scalar(key, d);
	ssh_string(&public, "ecdsa-sha2-nistp256", 19);
	ssh_string(&public, "nistp256", 8);
	ssh_string(&public, q, n);
	buf_add(&private, public.p, public.n);
	ssh_mpint(&private, d, m);
	openssh(out, &public, &private, false);
	buf_release(&public);
	buf_release(&private);
	return n && m;
}

static bool w_openssh_ed25519(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf public = temporary(), private = temporary();
	uint8_t b[64];
	size_t n = 32;
	bool ok = EVP_PKEY_get_raw_private_key(key, b, &n) && EVP_PKEY_get_raw_public_key(key, b + 32, &n);
	ssh_string(&public, "ssh-ed25519", 11);
	ssh_string(&public, b + 32, 32);
	buf_add(&private, public.p, public.n);
	ssh_string(&private, b, 64);
	openssh(out, &public, &private, true);
	buf_release(&public);
	buf_release(&private);
	return ok;
}

/* the scalar as a number in memory, its point some hundred bytes away */
static bool w_ec_raw(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t q[133], d[66];
	size_t n = point(key, q), m = scalar(key, d);
	buf_add(out, q, n);
	random_bytes(out, 800 - n);
	reverse(d, m);
	buf_add(out, d, m);
	return n && m;
}

static bool w_ed25519_raw(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[64];
	size_t n = 32;
	bool ok = EVP_PKEY_get_raw_private_key(key, b, &n) && EVP_PKEY_get_raw_public_key(key, b + 32, &n);
	buf_add(out, b, 64);
	return ok;
}

static bool w_ed25519_hex(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[32];
	size_t n = 32;
	bool ok = EVP_PKEY_get_raw_private_key(key, b, &n);
	buf_add_cstr(out, "seed = ");
	hex(out, b, 32, "%x", "");
	buf_add_char(out, '\n');
	return ok;
}

/* ---- AES ---- */

static uint8_t sbox(uint8_t x)
{
	/* inverse in GF(2^8) by trying, then the affine map of FIPS 197 */
	uint8_t inverse = 0;
	for (unsigned y = 1; x && y < 256 && !inverse; y++) {
		unsigned a = x, b = y, r = 0;
		for (; b; b >>= 1, a = a << 1 ^ (a & 0x80 ? 0x11b : 0))
			r ^= b & 1 ? a : 0;
		if ((r & 0xff) == 1)
			inverse = (uint8_t)y;
	}
	uint8_t r = 0x63;
	for (int k = 0; k < 5; k++)
		r ^= (uint8_t)(inverse << k | inverse >> (8 - k));
	return r;
}

/* FIPS 197, 5.2, bytes as they are there; swapped: each word's bytes the other way round */
static bool schedule(struct buf *out, unsigned bits, bool swapped)
{
	uint8_t w[60][4], box[256], rcon = 1;
	unsigned nk = bits / 32, n = 4 * (nk + 7);
	for (unsigned i = 0; i < 256; i++)
		box[i] = sbox((uint8_t)i);
	RAND_bytes(w[0], (int)(4 * nk));
	for (unsigned i = nk; i < n; i++) {
		uint8_t t[4];
		memcpy(t, w[i - 1], 4);
		if (i % nk == 0) {
			uint8_t first = t[0];
			t[0] = box[t[1]] ^ rcon;
			t[1] = box[t[2]];
			t[2] = box[t[3]];
			t[3] = box[first];
			rcon = (uint8_t)(rcon << 1 ^ (rcon & 0x80 ? 0x1b : 0));
		} else if (nk == 8 && i % 8 == 4) {
			for (int k = 0; k < 4; k++)
				t[k] = box[t[k]];
		}
		for (int k = 0; k < 4; k++)
			w[i][k] = w[i - nk][k] ^ t[k];
	}
	for (unsigned i = 0; i < n; i++) {
		if (swapped)
			reverse(w[i], 4);
		buf_add(out, w[i], 4);
	}
	return true;
}

static bool w_aes128(struct buf *out, EVP_PKEY *key, uint64_t va) { return schedule(out, 128, false); }
static bool w_aes192(struct buf *out, EVP_PKEY *key, uint64_t va) { return schedule(out, 192, false); }
static bool w_aes256(struct buf *out, EVP_PKEY *key, uint64_t va) { return schedule(out, 256, false); }
static bool w_aes128s(struct buf *out, EVP_PKEY *key, uint64_t va) { return schedule(out, 128, true); }
static bool w_aes256s(struct buf *out, EVP_PKEY *key, uint64_t va) { return schedule(out, 256, true); }

/* ---- whole keys that have nothing to prove them with, and lists ---- */

uint8_t plant_secret[5000];
size_t plant_secret_n;

static const uint8_t *secret(size_t n)
{
	RAND_bytes(plant_secret, (int)n);
	plant_secret_n = n;
	return plant_secret;
}

static void der(struct buf *out, uint8_t tag, const void *p, size_t n)
{
	buf_add_char(out, (char)tag);
	if (n > 255)
		buf_add(out, (const uint8_t[]){ 0x82, (uint8_t)(n >> 8), (uint8_t)n }, 3);
	else if (n > 127)
		buf_add(out, (const uint8_t[]){ 0x81, (uint8_t)n }, 2);
	else
		buf_add_char(out, (char)n);
	buf_add(out, p, n);
}

/* PKCS#8 of an algorithm without parameters */
static void pkcs8_of(struct buf *out, const char *oid, size_t oid_n, const struct buf *inner, bool pem)
{
	struct buf id = temporary(), all = temporary(), whole = temporary();
	der(&id, 0x06, oid, oid_n);
	buf_add(&all, "\x02\x01\x00", 3);
	der(&all, 0x30, id.p, id.n);
	der(&all, 0x04, inner->p, inner->n);
	der(&whole, 0x30, all.p, all.n);
	if (pem) {
		buf_add_cstr(out, "-----BEGIN PRIVATE KEY-----\n");
		for (size_t i = 0; i < whole.n; i += 48) {
			base64(out, (const uint8_t *)whole.p + i, whole.n - i < 48 ? whole.n - i : 48, false);
			buf_add_char(out, '\n');
		}
		buf_add_cstr(out, "-----END PRIVATE KEY-----\n");
	} else {
		buf_add(out, whole.p, whole.n);
	}
	buf_release(&id);
	buf_release(&all);
	buf_release(&whole);
}

#define OID_NIST "\x60\x86\x48\x01\x65\x03\x04"
/* LAMPS: a seed, an expanded key, or both; SLH-DSA has the key alone */
static bool post_quantum(struct buf *out, const char *oid, size_t seed, size_t expanded, bool pem)
{
	struct buf inner = temporary(), both = temporary();
	const uint8_t *s = secret(seed + expanded);
	if (expanded && seed) {
		der(&both, 0x04, s, seed);
		der(&both, 0x04, s + seed, expanded);
		der(&inner, 0x30, both.p, both.n);
	} else if (seed) {
		der(&inner, 0x80, s, seed);
	} else if (expanded > 200) {
		der(&inner, 0x04, s, expanded);
	} else {
		buf_add(&inner, s, expanded);
	}
	pkcs8_of(out, oid, 9, &inner, pem);
	buf_release(&inner);
	buf_release(&both);
	return true;
}

static bool w_mldsa_seed(struct buf *out, EVP_PKEY *key, uint64_t va) { return post_quantum(out, OID_NIST "\x03\x12", 32, 0, true); }
static bool w_mldsa_expanded(struct buf *out, EVP_PKEY *key, uint64_t va) { return post_quantum(out, OID_NIST "\x03\x11", 0, 2560, false); }
static bool w_mldsa_both(struct buf *out, EVP_PKEY *key, uint64_t va) { return post_quantum(out, OID_NIST "\x03\x13", 32, 4896, true); }
static bool w_mlkem_seed(struct buf *out, EVP_PKEY *key, uint64_t va) { return post_quantum(out, OID_NIST "\x04\x02", 64, 0, false); }
static bool w_mlkem_both(struct buf *out, EVP_PKEY *key, uint64_t va) { return post_quantum(out, OID_NIST "\x04\x03", 64, 3168, true); }
static bool w_slhdsa(struct buf *out, EVP_PKEY *key, uint64_t va) { return post_quantum(out, OID_NIST "\x03\x14", 0, 64, true); }

static bool w_unknown_pkcs8(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf inner = temporary();
	buf_add(&inner, secret(48), 48);
	pkcs8_of(out, "\x2b\x06\x01\x04\x01\x83\x9a\x53\x07", 9, &inner, false);
	buf_release(&inner);
	return true;
}

static bool w_unknown_pem(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	buf_add_cstr(out, "-----BEGIN XMSS PRIVATE KEY-----\n");
	const uint8_t *s = secret(144);
	for (int i = 0; i < 3; i++) {
		base64(out, s + 48 * i, 48, false);
		buf_add_char(out, '\n');
	}
	buf_add_cstr(out, "-----END XMSS PRIVATE KEY-----\n");
	return true;
}

static bool w_jwk_akp(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t public[200];
	RAND_bytes(public, sizeof public);
	buf_add_cstr(out, "{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"");
	base64(out, public, sizeof public, true);
	buf_add_cstr(out, "\",\"priv\":\"");
	base64(out, secret(32), 32, true);
	buf_add_cstr(out, "\"}");
	return true;
}

static size_t raw(EVP_PKEY *key, bool private, uint8_t *b)
{
	size_t n = 64;
	return (private ? EVP_PKEY_get_raw_private_key : EVP_PKEY_get_raw_public_key)(key, b, &n) == 1 ? n : 0;
}

static bool jwk_okp(struct buf *out, EVP_PKEY *key, const char *crv, bool public)
{
	uint8_t b[64];
	buf_printf(out, "{\"kty\":\"OKP\",\"crv\":\"%s\",\"d\":\"", crv);
	base64(out, b, raw(key, true, b), true);
	if (public) {
		buf_add_cstr(out, "\",\"x\":\"");
		base64(out, b, raw(key, false, b), true);
	}
	buf_add_cstr(out, "\"}");
	return true;
}
static bool w_jwk_ed(struct buf *out, EVP_PKEY *key, uint64_t va) { return jwk_okp(out, key, "Ed25519", false); }
static bool w_jwk_ed448(struct buf *out, EVP_PKEY *key, uint64_t va) { return jwk_okp(out, key, "Ed448", true); }
static bool w_jwk_x448(struct buf *out, EVP_PKEY *key, uint64_t va) { return jwk_okp(out, key, "X448", false); }

static bool w_jwk_oct(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	buf_add_cstr(out, "{\"kty\":\"oct\",\"k\":\"");
	base64(out, secret(32), 32, true);
	buf_add_cstr(out, "\"}");
	return true;
}

static bool w_wireguard(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[64];
	buf_add_cstr(out, "[Interface]\nPrivateKey = ");
	base64(out, b, raw(key, true, b), false);
	buf_add_cstr(out, "\nAddress = 203.0.113.7/24\n");
	return true;
}

static bool w_preshared(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	buf_add_cstr(out, "AllowedIPs = 203.0.113.0/24\nPresharedKey = ");
	base64(out, secret(32), 32, false);
	buf_add_cstr(out, "\nEndpoint = 198.51.100.1:51820\n");
	return true;
}

static bool w_age(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	static const char digits[] = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", name[] = "age-secret-key-";
	static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3 };
	uint8_t b[64], v[160];
	size_t n = 0, bits = 0, have = 0, first;
	for (size_t i = 0; name[i]; i++)
		v[n++] = (uint8_t)name[i] >> 5;
	v[n++] = 0;
	for (size_t i = 0; name[i]; i++)
		v[n++] = (uint8_t)name[i] & 31;
	first = n;
	raw(key, true, b);
	for (int i = 0; i < 32; i++) {
		bits = (bits << 8 | b[i]) & 0xfffff;
		for (have += 8; have >= 5; have -= 5)
			v[n++] = (uint8_t)(bits >> (have - 5)) & 31;
	}
	v[n++] = (uint8_t)(bits << (5 - have)) & 31;
	uint32_t check = 1;
	for (size_t i = 0; i < n + 6; i++) {
		uint32_t top = check >> 25;
		check = (check & 0x1ffffff) << 5 ^ (i < n ? v[i] : 0);
		for (int k = 0; k < 5; k++)
			check ^= top >> k & 1 ? generator[k] : 0;
	}
	check ^= 1;
	for (int i = 0; i < 6; i++)
		v[n++] = check >> (25 - 5 * i) & 31;
	buf_add_cstr(out, "# created: 2026-01-01T00:00:00Z\nAGE-SECRET-KEY-1");
	for (size_t i = first; i < n; i++)
		buf_add_char(out, digits[v[i]]);
	buf_add_char(out, '\n');
	return true;
}

static void cbor_bytes(struct buf *out, uint8_t label, const uint8_t *p, size_t n)
{
	buf_add_char(out, (char)label);
	if (n > 255)
		buf_add(out, (const uint8_t[]){ 0x59, (uint8_t)(n >> 8), (uint8_t)n }, 3);
	else
		buf_add(out, (const uint8_t[]){ 0x58, (uint8_t)n }, 2);
	buf_add(out, p, n);
}

static bool w_cose_rsa(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[BYTES];
	buf_add(out, "\xaa\x01\x03\x02\x42id", 7);
	for (int i = N; i <= QI; i++)
		cbor_bytes(out, (uint8_t)(0x20 + i), b, part(key, i, b));
	return true;
}

static bool w_cose_ec(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t q[133], d[66];
	size_t n = point(key, q);
	buf_add(out, "\xa6\x01\x02\x03\x26\x20\x01", 7);
	cbor_bytes(out, 0x21, q + 1, (n - 1) / 2);
	cbor_bytes(out, 0x22, q + 1 + (n - 1) / 2, (n - 1) / 2);
	cbor_bytes(out, 0x23, d, number(key, "priv", d, (n - 1) / 2));
	return true;
}

static bool w_cose_okp(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[64];
	buf_add(out, "\xa3\x01\x01\x20\x06", 5);
	cbor_bytes(out, 0x23, b, raw(key, true, b));
	return true;
}

enum { CANON, ADVANCED, MEMORY };
static void sexp(struct buf *out, int how, const char *text, const uint8_t *p, size_t n)
{
	if (text && (*text == '(' || *text == ')')) {
		buf_add_char(out, how == MEMORY ? (*text == '(' ? 3 : 4) : *text);
		return;
	}
	n = text ? strlen(text) : n;
	p = text ? (const uint8_t *)text : p;
	if (how == CANON) {
		buf_printf(out, "%zu:", n);
	} else if (how == MEMORY) {
		buf_add(out, (const uint8_t[]){ 1, (uint8_t)n, (uint8_t)(n >> 8) }, 3);
	} else if (!text) {
		buf_add_char(out, '#');
		hex(out, p, n, "%02X", "");
		buf_add_char(out, '#');
		return;
	} else {
		buf_add_cstr(out, strchr(text, ' ') ? " \"" : " ");
	}
	buf_add(out, p, n);
	if (how == ADVANCED)
		buf_add_cstr(out, strchr(text, ' ') ? "\"" : " ");
}

static bool sexp_rsa(struct buf *out, EVP_PKEY *key, int how)
{
	static const struct { const char *name; int part; } members[] = { { "n", N }, { "e", E }, { "d", D }, { "p", Q }, { "q", P }, { "u", QI } };
	uint8_t b[BYTES + 1] = { 0 };
	if (how == ADVANCED)
		buf_add_cstr(out, "Created: 20260101T000000\nKey: ");
	sexp(out, how, "(", NULL, 0), sexp(out, how, "private-key", NULL, 0), sexp(out, how, "(", NULL, 0), sexp(out, how, "rsa", NULL, 0);
	for (size_t i = 0; i < 6; i++) {
		size_t n = part(key, members[i].part, b + 1), zero = b[1] >> 7;
		sexp(out, how, "(", NULL, 0), sexp(out, how, members[i].name, NULL, 0), sexp(out, how, NULL, b + 1 - zero, n + zero), sexp(out, how, ")", NULL, 0);
	}
	sexp(out, how, ")", NULL, 0), sexp(out, how, ")", NULL, 0);
	return true;
}
static bool w_sexp_canonical(struct buf *out, EVP_PKEY *key, uint64_t va) { return sexp_rsa(out, key, CANON); }
static bool w_sexp_advanced(struct buf *out, EVP_PKEY *key, uint64_t va) { return sexp_rsa(out, key, ADVANCED); }
static bool w_sexp_memory(struct buf *out, EVP_PKEY *key, uint64_t va) { return sexp_rsa(out, key, MEMORY); }

static bool w_sexp_ecc(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t q[133], d[66];
	size_t n = point(key, q), size = number(key, "priv", d, 32);
	const int how = ADVANCED;
	sexp(out, how, "(", NULL, 0), sexp(out, how, "private-key", NULL, 0), sexp(out, how, "(", NULL, 0), sexp(out, how, "ecc", NULL, 0);
	sexp(out, how, "(", NULL, 0), sexp(out, how, "curve", NULL, 0), sexp(out, how, "NIST P-256", NULL, 0), sexp(out, how, ")", NULL, 0);
	sexp(out, how, "(", NULL, 0), sexp(out, how, "q", NULL, 0), sexp(out, how, NULL, q, n), sexp(out, how, ")", NULL, 0);
	sexp(out, how, "(", NULL, 0), sexp(out, how, "d", NULL, 0), sexp(out, how, NULL, d, size), sexp(out, how, ")", NULL, 0);
	sexp(out, how, ")", NULL, 0), sexp(out, how, ")", NULL, 0);
	return true;
}

static bool w_sexp_protected(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	static const char *const words[] = { "(", "protected-private-key", "(", "rsa", "(", "n", NULL, ")", "(", "e", NULL, ")", "(", "protected", "openpgp-s2k3-ocb-aes", NULL, ")", ")", ")" };
	const uint8_t *s = secret(300);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		sexp(out, CANON, words[i], s, 300);
	return true;
}

static bool w_etf_rsa(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t b[BYTES];
	buf_add(out, "\x83h\x0b" "d\0\x0d" "RSAPrivateKey" "d\0\x09two-prime", 31);
	for (int i = N; i <= QI; i++) {
		size_t n = part(key, i, b);
		reverse(b, n);
		if (n > 255)
			buf_add(out, (const uint8_t[]){ 'o', 0, 0, (uint8_t)(n >> 8), (uint8_t)n, 0 }, 6);
		else
			buf_add(out, (const uint8_t[]){ 'n', (uint8_t)n, 0 }, 3);
		buf_add(out, b, n);
	}
	buf_add_cstr(out, "d");
	return true;
}

static bool w_etf_ec(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	uint8_t q[133], d[66];
	size_t n = point(key, q);
	buf_add(out, "\x83h\x05w\x0c" "ECPrivateKey", 17);
	buf_add(out, "a\x01m\0\0\0\x20", 7); /* apart: this program's own text serves as code in images, and must hold no term */
	buf_add(out, d, number(key, "priv", d, 32));
	buf_add(out, "h\x02w\x0anamedCurveh\x07" "a\x01" "a\x02" "b\0\0\x03\x48" "b\0\0\x27\x3d" "a\x03" "a\x01" "a\x07" "m\0\0\0\x41", 41);
	buf_add(out, q, n);
	return true;
}

static bool w_kubernetes(struct buf *out, EVP_PKEY *key, uint64_t va)
{
	struct buf t = temporary();
	bool ok = pem8(&t, key);
	buf_add_cstr(out, "kind: Secret\ntype: kubernetes.io/tls\ndata:\n  tls.key: ");
	base64(out, (const uint8_t *)t.p, t.n, false);
	buf_add_cstr(out, "\n");
	buf_release(&t);
	return ok;
}
static bool w_pem8(struct buf *out, EVP_PKEY *key, uint64_t va) { return pem8(out, key); }

const struct plant plants[] = {
	{ "pkcs1-der", "RFC 8017 A.1.2; OpenSSL writes it", PLANT_PROVED, false, "rsa", w_pkcs1 },
	{ "pkcs1-der-head-lost", "the same, 40 bytes overwritten as free() does", PLANT_PROVED, false, "rsa", w_head_lost },
	{ "pkcs1-der-tail-lost", "the same, noise after the first prime", PLANT_PROVED, false, "rsa", w_tail_lost },
	{ "pkcs8-der", "RFC 5958; OpenSSL", PLANT_PROVED, false, "rsa", w_pkcs8 },
	{ "pkcs1-pem", "RFC 7468; OpenSSL", PLANT_PROVED, false, "rsa", w_pem1 },
	{ "pkcs8-pem-crlf", "RFC 7468; OpenSSL", PLANT_PROVED, false, "rsa", w_pem_crlf },
	{ "pem-without-begin", "RFC 7468, first line gone", PLANT_PROVED, false, "rsa", w_pem_no_begin },
	{ "pem-without-end", "RFC 7468, last lines gone", PLANT_PROVED, true, "rsa", w_pem_no_end },
	{ "pem-middle", "RFC 7468, a stdio buffer's rest: head overwritten, tail gone", PLANT_PROVED, false, "rsa", w_pem_middle },
	{ "pem-in-json", "RFC 8259 escapes, as service account files have it", PLANT_PROVED, false, "rsa", w_pem_json },
	{ "pem-in-xml", "XML 1.0 character references", PLANT_PROVED, false, "rsa", w_pem_xml },
	{ "pem-in-environment", "one line, blanks for line breaks", PLANT_PROVED, true, "rsa", w_pem_env },
	{ "pem-utf16le", "RFC 2781", PLANT_PROVED, false, "rsa", w_utf16le },
	{ "pem-utf16be", "RFC 2781", PLANT_PROVED, true, "rsa", w_utf16be },
	{ "base64-pkcs8", "RFC 4648 4, no header at all", PLANT_PROVED, false, "rsa", w_base64 },
	{ "base64url-pkcs1", "RFC 4648 5", PLANT_PROVED, false, "rsa", w_base64url },
	{ "base64-undelimited", "RFC 4648 4, other digits stuck to its front", PLANT_PROVED, false, "rsa", w_base64_undelimited },
	{ "base64-of-pem", "a Kubernetes Secret's data", PLANT_PROVED, false, "rsa", w_base64_pem },
	{ "hex-pkcs1", "RFC 4648 8", PLANT_PROVED, false, "rsa", w_hex },
	{ "hex-colons-pkcs8", "as openssl asn1parse and x509 -text print bytes", PLANT_PROVED, true, "rsa", w_hex_colons },
	{ "jwk-rsa", "RFC 7517, 7518 6.3", PLANT_PROVED, false, "rsa", w_jwk },
	{ "jwk-escaped-shuffled", "RFC 7517 inside a JSON string", PLANT_PROVED, false, "rsa", w_jwk_escaped },
	{ "jwk-cut", "p, q, dp, dq of one; no n, no kty, no braces", PLANT_PROVED, false, "rsa", w_jwk_cut },
	{ "dotnet-xml", "RSA.ToXmlString, XML-DSig 6.4.2", PLANT_PROVED, false, "rsa", w_xml },
	{ "openssh-rsa", "OpenSSH PROTOCOL.key", PLANT_PROVED, false, "rsa", w_openssh_rsa },
	{ "putty-rsa", "PuTTY manual, appendix C", PLANT_PROVED, false, "rsa", w_putty },
	{ "bcrypt-rsaprivate", "BCRYPT_RSAPRIVATE_BLOB", PLANT_PROVED, true, "rsa", w_bcrypt2 },
	{ "bcrypt-rsafullprivate", "BCRYPT_RSAFULLPRIVATE_BLOB", PLANT_PROVED, false, "rsa", w_bcrypt3 },
	{ "capi-privatekeyblob", "PRIVATEKEYBLOB; OpenSSL (MSBLOB)", PLANT_PROVED, false, "rsa", w_capi },
	{ "pvk", "OpenSSL (PVK)", PLANT_PROVED, true, "rsa", w_pvk },
	{ "dnssec-rsa", "BIND's private key format 1.3", PLANT_PROVED, false, "rsa", w_dnssec },
	{ "locked-pkcs8-pem", "RFC 5958, 8018; OpenSSL", PLANT_LOCKED, true, "rsa", w_pem_pbes2 },
	{ "locked-proc-type-pem", "RFC 1421; OpenSSL", PLANT_LOCKED, false, "rsa", w_pem_proc_type },
	{ "locked-pkcs12", "RFC 7292; OpenSSL", PLANT_LOCKED, false, "rsa", w_pkcs12 },
	{ "p-little-endian", "OpenSSL, GMP, mbedTLS in memory", PLANT_KNOWN, false, "rsa", w_p_le },
	{ "q-big-endian", "DER, BCRYPT, .NET in memory", PLANT_KNOWN, false, "rsa", w_q_be },
	{ "d-little-endian", "OpenSSL, GMP, mbedTLS in memory", PLANT_KNOWN, false, "rsa", w_d_le },
	{ "d-big-endian", "DER, BCRYPT, .NET in memory", PLANT_KNOWN, false, "rsa", w_d_be },
	{ "p-java-words", "java.math.BigInteger in memory", PLANT_KNOWN, false, "rsa", w_p_java },
	{ "p-63-bit-cells", "Go 1.20 bigmod in memory", PLANT_KNOWN, false, "rsa", w_p_u63 },
	{ "p-hex", "openssl rsa -text", PLANT_KNOWN, false, "rsa", w_p_hex },
	{ "openssl-bignums", "bn_local.h: three structs, their words elsewhere, no key given", PLANT_PROVED, false, "rsa", w_bignums },
	{ "montgomery-constant", "R^2 mod p beside a key that was erased", PLANT_KNOWN, true, "rsa", w_montgomery },
	{ "pkcs8-p256", "RFC 5915, 5958; OpenSSL", PLANT_PROVED, false, "p256", w_pkcs8 },
	{ "sec1-p384-pem", "RFC 5915; OpenSSL", PLANT_PROVED, false, "p384", w_pem1 },
	{ "jwk-p521", "RFC 7518 6.2", PLANT_PROVED, false, "p521", w_jwk_ec },
	{ "openssh-ecdsa-binary", "OpenSSH PROTOCOL.key, not armoured", PLANT_PROVED, false, "p256", w_openssh_ecdsa },
	{ "openssh-ed25519", "OpenSSH PROTOCOL.key", PLANT_PROVED, false, "ed25519", w_openssh_ed25519 },
	{ "pkcs8-ed25519", "RFC 8410; OpenSSL, no public key in it", PLANT_KNOWN, true, "ed25519", w_pkcs8 },
	{ "bcrypt-ecdsa", "BCRYPT_ECCPRIVATE_BLOB", PLANT_PROVED, false, "p256", w_bcrypt_ec },
	{ "ec-scalar-raw", "a number near its point", PLANT_KNOWN, false, "p256", w_ec_raw },
	{ "ed25519-seed-raw", "libsodium, Go: seed and public key side by side", PLANT_KNOWN, false, "ed25519", w_ed25519_raw },
	{ "ed25519-seed-hex", "a seed in a settings file", PLANT_KNOWN, true, "ed25519", w_ed25519_hex },
	{ "pkcs8-dsa", "RFC 5958, X9.57; OpenSSL", PLANT_PROVED, false, "dsa", w_pkcs8 },
	{ "pem-ed25519", "RFC 8410; OpenSSL, nothing given", PLANT_STATED, true, "ed25519", w_pem8 },
	{ "pem-ed448", "RFC 8410; OpenSSL", PLANT_STATED, true, "ed448", w_pem8 },
	{ "pem-x25519", "RFC 8410; OpenSSL", PLANT_STATED, true, "x25519", w_pem8 },
	{ "pkcs8-x448", "RFC 8410; OpenSSL", PLANT_STATED, true, "x448", w_pkcs8 },
	{ "sec1-brainpool256-pem", "RFC 5639, 5915; OpenSSL", PLANT_PROVED, true, "brainpoolP256r1", w_pem1 },
	{ "pkcs8-brainpool512", "RFC 5639, 5958; OpenSSL", PLANT_PROVED, true, "brainpoolP512r1", w_pkcs8 },
	{ "pkcs8-sm2", "GB/T 32918; OpenSSL", PLANT_PROVED, true, "SM2", w_pkcs8 },
	{ "ml-dsa-65-seed-pem", "RFC 9881", PLANT_STATED, true, NULL, w_mldsa_seed },
	{ "ml-dsa-44-expanded", "RFC 9881", PLANT_STATED, true, NULL, w_mldsa_expanded },
	{ "ml-dsa-87-both-pem", "RFC 9881", PLANT_STATED, true, NULL, w_mldsa_both },
	{ "ml-kem-768-seed", "RFC 9935", PLANT_STATED, true, NULL, w_mlkem_seed },
	{ "ml-kem-1024-both-pem", "RFC 9935", PLANT_STATED, true, NULL, w_mlkem_both },
	{ "slh-dsa-pem", "RFC 9909", PLANT_STATED, true, NULL, w_slhdsa },
	{ "pkcs8-unknown", "RFC 5958, an algorithm of nobody", PLANT_STATED, true, NULL, w_unknown_pkcs8 },
	{ "pem-unknown", "RFC 7468, a label of nobody", PLANT_STATED, true, NULL, w_unknown_pem },
	{ "jwk-akp", "the JOSE draft for ML-DSA", PLANT_STATED, true, NULL, w_jwk_akp },
	{ "jwk-ed25519-d-alone", "RFC 8037, without x", PLANT_STATED, true, "ed25519", w_jwk_ed },
	{ "jwk-ed448", "RFC 8037", PLANT_PROVED, true, "ed448", w_jwk_ed448 },
	{ "jwk-x448-d-alone", "RFC 8037, without x", PLANT_STATED, true, "x448", w_jwk_x448 },
	{ "jwk-oct", "RFC 7518 6.4", PLANT_STATED, true, NULL, w_jwk_oct },
	{ "wireguard", "wg(8)", PLANT_STATED, true, "x25519", w_wireguard },
	{ "wireguard-preshared", "wg(8)", PLANT_STATED, true, NULL, w_preshared },
	{ "age", "age's format, BIP 173", PLANT_STATED, true, "x25519", w_age },
	{ "cose-rsa", "RFC 8230", PLANT_PROVED, true, "rsa", w_cose_rsa },
	{ "cose-p256", "RFC 9053", PLANT_PROVED, true, "p256", w_cose_ec },
	{ "cose-ed25519-d-alone", "RFC 9053, without x", PLANT_STATED, true, "ed25519", w_cose_okp },
	{ "s-expression-canonical", "RFC 9804; libgcrypt", PLANT_PROVED, true, "rsa", w_sexp_canonical },
	{ "s-expression-text", "RFC 9804; gpg-agent's files", PLANT_PROVED, true, "rsa", w_sexp_advanced },
	{ "s-expression-memory", "libgcrypt's tokens", PLANT_PROVED, true, "rsa", w_sexp_memory },
	{ "s-expression-p256", "RFC 9804; libgcrypt", PLANT_PROVED, true, "p256", w_sexp_ecc },
	{ "locked-s-expression", "gpg-agent's protected keys", PLANT_LOCKED, true, NULL, w_sexp_protected },
	{ "erlang-rsa", "Erlang's external term format, public_key's records", PLANT_PROVED, true, "rsa", w_etf_rsa },
	{ "erlang-p256", "the same", PLANT_PROVED, true, "p256", w_etf_ec },
	{ "kubernetes-ed25519", "base64 of PEM in YAML", PLANT_STATED, true, "ed25519", w_kubernetes },
	{ "aes128", "FIPS 197 5.2", PLANT_SCHEDULE, false, NULL, w_aes128 },
	{ "aes192", "FIPS 197 5.2", PLANT_SCHEDULE, true, NULL, w_aes192 },
	{ "aes256", "FIPS 197 5.2", PLANT_SCHEDULE, false, NULL, w_aes256 },
	{ "aes128-swapped", "FIPS 197 5.2, words of a big-endian cipher", PLANT_SCHEDULE, false, NULL, w_aes128s },
	{ "aes256-swapped", "FIPS 197 5.2, words of a big-endian cipher", PLANT_SCHEDULE, false, NULL, w_aes256s },
	{ "d-mod-p-1-alone", "", PLANT_LOST, false, "rsa", w_dp_alone },
	{ "half-of-p", "", PLANT_LOST, false, "rsa", w_p_half },
	{ "p-torn", "p over two pages that are no neighbours", PLANT_LOST, false, "rsa", w_p_torn },
};
const size_t plants_n = sizeof plants / sizeof plants[0];

/* ---- what must stay silent ---- */

static bool d_header(struct buf *out)
{
	buf_add_cstr(out, "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n");
	return true;
}

static bool d_program(struct buf *out)
{
	static const char errors[] = "%s: bad end line\0-----BEGIN PRIVATE KEY-----\0-----BEGIN RSA PRIVATE KEY-----\0Proc-Type: 4,ENCRYPTED\0DEK-Info: ";
	static const char names[] = "openssh-key-v1\0ssh-rsa\0ssh-ed25519\0RSA2\0RSA3\0ECS2\0PuTTY-User-Key-File-2: \0Private-key-format: v1.2\0<RSAKeyValue><Modulus>";

	buf_add(out, errors, sizeof(errors) - 1);
	buf_add(out, names, sizeof(names) - 1);
	return true;
}

static bool d_public(struct buf *out)
{
	EVP_PKEY *rsa = plant_key("rsa"), *ec = plant_key("p256"), *ed = plant_key("ed25519");
	EVP_PKEY *all[] = { rsa, ec, ed };
	uint8_t q[133];
	bool ok = true;
	for (int i = 0; i < 3; i++) {
		BIO *b = BIO_new(BIO_s_mem());
		ok = ok && PEM_write_bio_PUBKEY(b, all[i]) && from_bio(out, b);
		b = BIO_new(BIO_s_mem());
		ok = ok && i2d_PUBKEY_bio(b, all[i]) && from_bio(out, b);
	}
	/* a certificate of one by another */
	X509 *x = X509_new();
	ok = ok && x && X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) && X509_gmtime_adj(X509_getm_notBefore(x), 0)
	     && X509_gmtime_adj(X509_getm_notAfter(x), 86400) && X509_set_pubkey(x, rsa) && X509_sign(x, rsa, EVP_sha256()) > 0;
	unsigned char *der = NULL;
	int n = ok ? i2d_X509(x, &der) : -1;
	if (n > 0)
		buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	X509_free(x);
	/* public JWK, public OpenSSH blob */
	static const int both[] = { N, E };
	buf_add_cstr(out, "{\"kty\":\"RSA\",");
	jwk_members(out, rsa, both, 2, "\"");
	buf_add_cstr(out, "}\n");
	uint8_t b[BYTES];
	struct buf blob = temporary();
	ssh_string(&blob, "ssh-rsa", 7);
	ssh_mpint(&blob, b, part(rsa, E, b));
	ssh_mpint(&blob, b, part(rsa, N, b));
	buf_add(out, blob.p, blob.n);
	buf_add_cstr(out, "ssh-rsa ");
	base64(out, blob.p, blob.n, false);
	buf_release(&blob);
	size_t size = point(ec, q);
	buf_add(out, "ECS1\x20\0\0\0", 8);
	buf_add(out, q + 1, size - 1);
	for (int i = 0; i < 3; i++)
		EVP_PKEY_free(all[i]);
	return ok && n > 0;
}

/* The odd number of n bytes at p becomes a multiple of 3 5 7 11 13: what looks like a modulus and shares a factor with half of all
 * numbers. */
static bool make_smooth(char *p, size_t n)
{
	BIGNUM *x = BN_bin2bn((unsigned char *)p, (int)n, NULL);
	bool ok = x && BN_sub_word(x, BN_mod_word(x, 15015)) && (BN_is_odd(x) || BN_sub_word(x, 15015)) && BN_bn2binpad(x, (unsigned char *)p, (int)n) > 0;

	BN_free(x);
	return ok;
}

static bool d_shape(struct buf *out)
{
	static const size_t sizes[] = { 257, 0, 256, 129, 129, 128, 128, 128 };
	struct buf t = temporary();
	buf_add(&t, "\x02\x01\x00", 3);
	for (int i = 0; i < 8; i++) {
		if (sizes[i] == 0) {
			buf_add(&t, "\x02\x03\x01\x00\x01", 5);
			continue;
		}
		buf_add_char(&t, 2);
		buf_add_char(&t, sizes[i] > 255 ? (char)0x82 : (char)0x81);
		if (sizes[i] > 255)
			buf_add_char(&t, (char)(sizes[i] >> 8));
		buf_add_char(&t, (char)sizes[i]);
		size_t at = t.n;
		random_bytes(&t, sizes[i]);
		t.p[at] = sizes[i] % 2 ? 0 : 0x40 | (t.p[at] & 0x3f);
		if (sizes[i] % 2)
			t.p[at + 1] |= (char)0x80;
		t.p[t.n - 1] |= 1;
		/* the primes as well: two numbers of noise that are prime by chance would be a key with another modulus */
		if ((i == 0 || i == 3 || i == 4) && !make_smooth(t.p + at, sizes[i]))
			return false;
	}
	buf_add(out, "\x30\x82", 2);
	buf_add_char(out, (char)(t.n >> 8));
	buf_add_char(out, (char)t.n);
	buf_add(out, t.p, t.n);
	/* and once more as PEM */
	struct buf text = temporary();
	base64(&text, out->p, out->n, false);
	buf_add_cstr(out, "-----BEGIN RSA PRIVATE KEY-----\n");
	buf_add(out, text.p, text.n);
	buf_add_cstr(out, "\n-----END RSA PRIVATE KEY-----\n");
	buf_release(&t);
	buf_release(&text);
	return true;
}

/* constant and periodic words satisfy many an equation */
/* public halves, placeholders and random values with other names */
static bool d_named(struct buf *out)
{
	uint8_t b[200];
	EVP_PKEY *ed = plant_key("ed25519"), *rsa = plant_key("rsa");
	RAND_bytes(b, sizeof b);
	buf_add_cstr(out, "Token = ");
	base64(out, b, 32, false);
	buf_add_cstr(out, "\nPublicKey = ");
	base64(out, b + 32, 32, false);
	buf_add_cstr(out, "\n{\"session\":\"");
	base64(out, b + 64, 32, false);
	buf_add_cstr(out, "\",\"etag\":\"");
	base64(out, b + 96, 64, false);
	buf_add_cstr(out, "\"}\nAGE-SECRET-KEY-1XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\n");
	buf_add_cstr(out, "PrivateKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"");
	base64(out, b, 200, true);
	buf_add_cstr(out, "\"}\n{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
	uint8_t a[BYTES];
	base64(out, a, raw(ed, false, a), true);
	buf_add_cstr(out, "\"}\n");
	buf_add(out, "\xa3\x01\x01\x20\x06", 5); /* COSE, public */
	cbor_bytes(out, 0x21, a, raw(ed, false, a));
	buf_add(out, "\xa3\x01\x03", 3);
	cbor_bytes(out, 0x20, a, part(rsa, N, a));
	cbor_bytes(out, 0x21, a, part(rsa, E, a));
	buf_add_cstr(out, "(10:public-key(3:rsa(1:n256:");
	buf_add(out, a, part(rsa, N, a));
	buf_add_cstr(out, ")(1:e3:\x01\x02\x01)))(20:shadowed-private-key(3:rsa(1:n200:");
	buf_add(out, b, 200);
	buf_add_cstr(out, ")(8:shadowed5:t1-v1(9:123456789))))");
	/* an empty key of each kind: never filled, or erased */
	struct buf inner = temporary();
	buf_add(&inner, "\x04\x20", 2);
	for (int i = 0; i < 32; i++)
		buf_add_char(&inner, 0);
	pkcs8_of(out, "\x2b\x65\x70", 3, &inner, false);
	pkcs8_of(out, OID_NIST "\x03\x12", 9, &inner, true);
	buf_release(&inner);
	EVP_PKEY_free(ed);
	EVP_PKEY_free(rsa);
	return true;
}

static bool d_regular(struct buf *out)
{
	for (int i = 0; i < 4096; i++)
		buf_add_char(out, 0x63);
	for (int i = 0; i < 4096; i++)
		buf_add_char(out, (char)i);
	for (int i = 0; i < 4096; i++)
		buf_add_char(out, 'A');
	for (int i = 0; i < 1024; i++)
		buf_add(out, "\x02\x01\x00\x30", 4);
	for (int i = 0; i < 1024; i++)
		buf_add_cstr(out, "0123456789abcdef");
	return true;
}

const struct decoy decoys[] = {
	{ "pem-header-without-body", d_header },
	{ "magics-in-a-program", d_program },
	{ "public-keys-and-certificate", d_public },
	{ "rsa-shaped-der-of-noise", d_shape },
	{ "public-halves-and-names", d_named },
	{ "regular-bytes", d_regular },
};
const size_t decoys_n = sizeof decoys / sizeof decoys[0];
