/* SPDX-License-Identifier: Apache-2.0 */
/* token: verdicts.  First others' vectors: the JWS vectors of Wycheproof, by number, and the examples of the
 * RFCs.  Then the attack list, minted here with keys that are made at run time: each attack must be refused, and for the
 * right reason. */
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/b64url.h"
#include "check.h"
#include "token/exchange.h"
#include "token/lines.h"
#include "token/verdict.h"

#define NOW INT64_C(1767693600) /* 2026-01-06T10:00:00Z */
#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define OTHER_TENANT "11111111-2222-4333-8444-555555555555"
#define AUDIENCE "6e74172b-be56-4843-9ff4-e66a39bb12e3"
#define CONSUMER_AUDIENCE "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define APP "f1f1f1f1-0000-4000-8000-000000000001"
#define V2(tenant) "https://login.microsoftonline.com/" tenant "/v2.0"
#define TEMPLATE V2("{tenantid}")

static char folder[] = "/tmp/taximeter-test-token-XXXXXX";

/* -- keys, made at run time -- */

enum { RSA_A, RSA_B, RSA_OLD, EC_256, EC_521, ED, KEY_N };
static EVP_PKEY *keys[KEY_N];

static void b64_add(struct buf *b, const void *p, size_t n)
{
	b64url_add(b, p, n);
}

static void add_number(struct buf *b, const char *name, const EVP_PKEY *k, const char *param, int bytes)
{
	BIGNUM *n = NULL;
	uint8_t raw[1024];

	EVP_PKEY_get_bn_param(k, param, &n);
	if (!bytes)
		bytes = BN_num_bytes(n);
	BN_bn2binpad(n, raw, bytes);
	buf_printf(b, ",\"%s\":\"", name);
	b64_add(b, raw, (size_t)bytes);
	buf_add_char(b, '"');
	BN_free(n);
}

/* kty and the numbers, without braces */
static void add_jwk(struct buf *b, int key)
{
	const EVP_PKEY *k = keys[key];
	uint8_t raw[64];
	size_t n = sizeof(raw);

	if (key <= RSA_OLD) {
		buf_add_cstr(b, "\"kty\":\"RSA\"");
		add_number(b, "n", k, "n", 0);
		add_number(b, "e", k, "e", 0);
	} else if (key == ED) {
		EVP_PKEY_get_raw_public_key(k, raw, &n);
		buf_add_cstr(b, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
		b64_add(b, raw, n);
		buf_add_char(b, '"');
	} else {
		buf_printf(b, "\"kty\":\"EC\",\"crv\":\"%s\"", key == EC_256 ? "P-256" : "P-521");
		add_number(b, "x", k, "qx", key == EC_256 ? 32 : 66);
		add_number(b, "y", k, "qy", key == EC_256 ? 32 : 66);
	}
}

/* ,"x5c":[...],"x5t":...: a certificate of that key */
static void add_certificate(struct buf *b, int key, const char *name, int64_t from, int64_t to)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_NAME_new();
	unsigned char *der = NULL;
	uint8_t sha1[20];
	char *text;
	int n;

	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_set_subject_name(x, subject);
	X509_set_issuer_name(x, subject);
	ASN1_TIME_set(X509_getm_notBefore(x), from);
	ASN1_TIME_set(X509_getm_notAfter(x), to);
	X509_set_pubkey(x, keys[key]);
	X509_sign(x, keys[key], EVP_sha256());
	n = i2d_X509(x, &der);
	text = malloc((size_t)n * 2);
	EVP_EncodeBlock((uint8_t *)text, der, n);
	SHA1(der, (size_t)n, sha1);
	buf_printf(b, ",\"x5c\":[\"%s\"],\"x5t\":\"", text);
	b64_add(b, sha1, 20);
	buf_add_char(b, '"');
	free(text);
	OPENSSL_free(der);
	X509_NAME_free(subject);
	X509_free(x);
}

static void make_keys(void)
{
	for (int i = RSA_A; i <= RSA_OLD; i++)
		keys[i] = EVP_RSA_gen(2048);
	keys[EC_256] = EVP_EC_gen("P-256");
	keys[EC_521] = EVP_EC_gen("P-521");
	keys[ED] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/* -- minting -- */

static size_t sign_raw(int key, const char *alg, struct str input, uint8_t out[1024])
{
	const EVP_MD *md = strstr(alg, "512") ? EVP_sha512() : strstr(alg, "384") ? EVP_sha384() : EVP_sha256();
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pc = NULL;
	size_t n = 1024;

	CHECK(EVP_DigestSignInit(c, &pc, key == ED ? NULL : md, NULL, keys[key]));
	if (alg[0] == 'P') {
		EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, strchr(alg, '+') ? 0 : RSA_PSS_SALTLEN_DIGEST);
	}
	CHECK(EVP_DigestSign(c, out, &n, (const uint8_t *)input.p, input.n));
	EVP_MD_CTX_free(c);
	if ((key == EC_256 || key == EC_521) && !strchr(alg, '+')) { /* "+": as OpenSSL makes it, DER */
		const uint8_t *p = out;
		ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)n);
		const int half = key == EC_256 ? 32 : 66;
		BN_bn2binpad(ECDSA_SIG_get0_r(s), out, half);
		BN_bn2binpad(ECDSA_SIG_get0_s(s), out + half, half);
		n = 2 * (size_t)half;
		ECDSA_SIG_free(s);
	}
	return n;
}

/* header.claims signed by that key; with alg, whatever the header says */
static void mint(struct buf *b, struct str header, struct str claims, int key, const char *alg)
{
	uint8_t sig[1024];
	size_t n;

	buf_clear(b);
	b64_add(b, header.p, header.n);
	buf_add_char(b, '.');
	b64_add(b, claims.p, claims.n);
	n = sign_raw(key, alg, buf_str(b), sig);
	buf_add_char(b, '.');
	b64_add(b, sig, n);
}

struct member {
	const char *name, *raw; /* raw NULL: left out */
};

static const struct member usual[] = {
	{ "iss", "\"" V2(TENANT) "\"" }, { "tid", "\"" TENANT "\"" }, { "aud", "\"" AUDIENCE "\"" }, { "ver", "\"2.0\"" },
	{ "iat", "1767693000" }, { "nbf", "1767693000" }, { "exp", "1767697200" }, { "azp", "\"" APP "\"" }, { "oid", "\"o\"" },
	{ "sub", "\"s\"" }, { "uti", "\"u-1\"" }, { "sid", "\"s-1\"" },
};

static void add_claims(struct buf *b, const char *extra, const struct member *changes, size_t n)
{
	buf_printf(b, "{%s", extra ? extra : "\"x\":1");
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		const char *raw = usual[i].raw;
		for (size_t k = 0; k < n && changes[k].name; k++)
			if (strcmp(changes[k].name, usual[i].name) == 0)
				raw = changes[k].raw;
		if (raw)
			buf_printf(b, ",\"%s\":%s", usual[i].name, raw);
	}
	for (size_t k = 0; k < n && changes[k].name; k++) {
		bool is_usual = false;
		for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
			is_usual |= strcmp(changes[k].name, usual[i].name) == 0;
		if (!is_usual && changes[k].raw)
			buf_printf(b, ",\"%s\":%s", changes[k].name, changes[k].raw);
	}
	buf_add_char(b, '}');
}

/* -- the policy under test -- */

static void add_set_key(struct buf *b, const char *kid, int key, const char *issuer, const char *more)
{
	buf_printf(b, "%s{", b->n > 12 ? ",\n" : "");
	add_jwk(b, key);
	buf_printf(b, ",\"kid\":\"%s\",\"use\":\"sig\"", kid);
	if (issuer)
		buf_printf(b, ",\"issuer\":\"%s\"", issuer);
	if (more)
		buf_add_cstr(b, more);
	buf_add_char(b, '}');
}

static void write_file(const char *name, struct str text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	CHECK(f && fwrite(text.p, 1, text.n, f) == text.n && fclose(f) == 0);
}

static void write_set(void)
{
	static const char *const aliases[] = { "a", "pending", "retired", "revoked", "leaked", "said-denied", "retiring", "dup", "actors",
					       "array", "cae", "other-alg", "any", "not-yet", "hs" };
	struct buf set, cert, old, denied;

	buf_init(&set, MIB);
	buf_init(&cert, 64 * KIB);
	buf_init(&old, 64 * KIB);
	buf_init(&denied, 64 * KIB);
	add_certificate(&cert, RSA_A, "login.example.com", NOW - 30 * 86400, NOW + 1000 * 86400);
	add_certificate(&old, RSA_OLD, "Old Consumer Key", 1459867415, 1617547415);
	buf_add_cstr(&set, "{\"keys\":[\n");
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		add_set_key(&set, aliases[i], RSA_A, TEMPLATE, cert.p);
	add_set_key(&set, "consumer", RSA_B, V2(CONSUMER_TENANT), NULL);
	add_set_key(&set, "old", RSA_OLD, V2(CONSUMER_TENANT), old.p);
	add_set_key(&set, "no-issuer", RSA_B, NULL, NULL);
	add_set_key(&set, "blank-issuer", RSA_B, "", NULL);
	add_set_key(&set, "v1", RSA_A, NULL, cert.p);
	add_set_key(&set, "nodate", RSA_B, TEMPLATE, NULL);
	add_set_key(&set, "gov", RSA_A, TEMPLATE, ",\"cloud_instance_name\":\"microsoftonline.us\"");
	add_set_key(&set, "enc", RSA_A, TEMPLATE, ",\"key_ops\":[\"encrypt\"]");
	add_set_key(&set, "ec", EC_256, TEMPLATE, NULL);
	add_set_key(&set, "ec521", EC_521, TEMPLATE, NULL);
	add_set_key(&set, "ed", ED, TEMPLATE, NULL);
	add_set_key(&set, "ps", RSA_A, TEMPLATE, cert.p);
	buf_add_cstr(&set, "]}\n");
	write_file("set.json", buf_str(&set));
	buf_release(&set);
	buf_release(&cert);
	buf_release(&old);
	buf_release(&denied);
}

static void add_record(struct buf *b, const char *kid, const char *alg, const char *issuer, const char *tenants, const char *audience,
		       const char *more)
{
	buf_printf(b, "  - from: {jwks: set.json, kid: %s}\n    alg: %s\n    issuers: [\"%s\"]\n    tenants: %s\n    audiences: [%s]\n%s", kid, alg,
		   issuer, tenants, audience, more);
}

#define ACTIVE "    versions: [\"2.0\"]\n    state: active\n"
#define DATED ACTIVE "    first_listed: 2025-12-20\n"
#define OWN "{allow: [" TENANT "]}"

static struct policy *make_policy(void)
{
	struct policy *p = policy_new();
	struct buf b, error;
	char path[256];

	buf_init(&b, MIB);
	buf_init(&error, 4096);
	buf_add_cstr(&b, "exchange: {issuers: [\"https://api.example.com/\"]}\nrecords:\n");
	add_record(&b, "a", "RS256", TEMPLATE, OWN, AUDIENCE, ACTIVE);
	add_record(&b, "any", "RS256", TEMPLATE, "{allow: any, deny: [" OTHER_TENANT "]}", AUDIENCE, ACTIVE);
	add_record(&b, "pending", "RS256", TEMPLATE, OWN, AUDIENCE, "    versions: [\"2.0\"]\n");
	add_record(&b, "retired", "RS256", TEMPLATE, OWN, AUDIENCE, "    versions: [\"2.0\"]\n    state: retired\n    since: 2026-01-02\n");
	add_record(&b, "revoked", "RS256", TEMPLATE, OWN, AUDIENCE, "    versions: [\"2.0\"]\n    state: revoked\n");
	add_record(&b, "leaked", "RS256", TEMPLATE, OWN, AUDIENCE, "    versions: [\"2.0\"]\n    state: leaked\n");
	add_record(&b, "said-denied", "RS256", TEMPLATE, OWN, AUDIENCE, "    versions: [\"2.0\"]\n    state: denied\n");
	add_record(&b, "retiring", "RS256", TEMPLATE, OWN, AUDIENCE,
		   "    versions: [\"2.0\"]\n    state: retiring\n    since: 2026-01-06T09:55:00Z\n");
	add_record(&b, "dup", "RS256", TEMPLATE, OWN, AUDIENCE, ACTIVE);
	add_record(&b, "dup", "RS256", V2(TENANT), OWN, AUDIENCE, ACTIVE);
	add_record(&b, "actors", "RS256", TEMPLATE, OWN, AUDIENCE, ACTIVE "    actors: [" APP "]\n    idtyp: app\n");
	add_record(&b, "array", "RS256", TEMPLATE, OWN, AUDIENCE, ACTIVE "    audience_array: one\n");
	add_record(&b, "cae", "RS256", TEMPLATE, OWN, CONSUMER_AUDIENCE, ACTIVE "    cae_audiences: [" AUDIENCE "]\n");
	add_record(&b, "not-yet", "RS256", TEMPLATE, OWN, AUDIENCE, ACTIVE "    not_before: 2026-02-01\n");
	add_record(&b, "consumer", "RS256", V2(CONSUMER_TENANT), "{allow: [" CONSUMER_TENANT "]}", CONSUMER_AUDIENCE, DATED);
	add_record(&b, "old", "RS256", V2(CONSUMER_TENANT), "{allow: [" CONSUMER_TENANT "]}", CONSUMER_AUDIENCE, ACTIVE);
	add_record(&b, "v1", "RS256", "https://sts.windows.net/{tenantid}/", OWN, "\"https://api.example.com\", " AUDIENCE,
		   "    versions: [\"1.0\"]\n    state: active\n");
	add_record(&b, "nodate", "RS256", TEMPLATE, OWN, AUDIENCE, ACTIVE);
	add_record(&b, "blank-issuer", "RS256", TEMPLATE, OWN, AUDIENCE, DATED);
	add_record(&b, "gov", "RS256", TEMPLATE, OWN, AUDIENCE, DATED);
	add_record(&b, "enc", "RS256", TEMPLATE, OWN, AUDIENCE, DATED);
	add_record(&b, "ec", "ES256", TEMPLATE, OWN, AUDIENCE, DATED);
	add_record(&b, "ec521", "ES512", TEMPLATE, OWN, AUDIENCE, DATED);
	add_record(&b, "ed", "EdDSA", TEMPLATE, OWN, AUDIENCE, DATED);
	add_record(&b, "ps", "PS256", TEMPLATE, OWN, AUDIENCE, ACTIVE);
	buf_printf(&b, "  - spki: %064d\n    kid: ghost\n    alg: RS256\n    issuers: [\"%s\"]\n    tenants: %s\n    audiences: [%s]\n%s", 0, TEMPLATE,
		   OWN, AUDIENCE, DATED);
	snprintf(path, sizeof(path), "%s/policy.yaml", folder);
	write_file("policy.yaml", buf_str(&b));
	CHECK_MSG(policy_load(p, path, &error) && policy_bind(p, &error), "%s", error.p ? error.p : "");
	buf_release(&b);
	buf_release(&error);
	return p;
}

/* -- the attack list -- */

struct attack {
	const char *name;
	const char *kid;          /* and key: by that record */
	const char *header;       /* NULL = {"alg":ALG,"typ":"JWT","kid":KID} */
	struct member change[4];
	const char *extra;        /* raw members before the others */
	const char *want;         /* code; NULL = accepted */
	int status;               /* 0 = whatever is not 0 */
	const char *alg;          /* how it is signed; NULL = as in the record */
	int key;                  /* signed by keys[key - 1]; 0 = the record's */
};

static const struct attack attacks[] = {
	/* these pass: the others differ from one of them in one thing */
	{ "good", "a", .want = NULL },
	{ "good ES256", "ec", .want = NULL },
	{ "good ES512", "ec521", .want = NULL },
	{ "good EdDSA", "ed", .want = NULL },
	{ "good PS256", "ps", .want = NULL },
	{ "good, no nbf, no typ", "a", "{\"alg\":\"RS256\",\"kid\":\"a\"}", { { "nbf", NULL } }, .want = NULL },
	{ "good at+jwt", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"typ\":\"at+jwt\"}", .want = NULL },
	{ "good v1", "v1", .change = { { "iss", "\"https://sts.windows.net/" TENANT "/\"" }, { "ver", "\"1.0\"" },
				       { "aud", "\"https://api.example.com\"" }, { "azp", NULL } }, .want = NULL },
	{ "good consumer", "consumer", .change = { { "iss", "\"" V2(CONSUMER_TENANT) "\"" }, { "tid", "\"" CONSUMER_TENANT "\"" },
						   { "aud", "\"" CONSUMER_AUDIENCE "\"" } }, .want = NULL },
	{ "good, any tenant", "any", .want = NULL },
	{ "good, list of one", "array", .change = { { "aud", "[\"" AUDIENCE "\"]" } }, .want = NULL },
	{ "good application", "actors", .change = { { "idtyp", "\"app\"" } }, .want = NULL },
	{ "good, 28 hours for a CAE audience", "cae", .change = { { "exp", "1767793000" } }, .want = NULL },
	{ "good, retiring and from before", "retiring", .change = { { "iat", "1767693000" } }, .want = NULL },
	{ "good, within the skew", "a", .change = { { "exp", "1767693301" }, { "iat", "1767690000" } }, .want = NULL },

	/* algorithm */
	{ "alg none", "a", "{\"alg\":\"none\",\"kid\":\"a\"}", .want = "alg" },
	{ "alg None", "a", "{\"alg\":\"None\",\"kid\":\"a\"}", .want = "alg" },
	{ "alg nOnE", "a", "{\"alg\":\"nOnE\",\"kid\":\"a\"}", .want = "alg" },
	{ "alg absent", "a", "{\"kid\":\"a\"}", .want = "alg" },
	{ "alg null", "a", "{\"alg\":null,\"kid\":\"a\"}", .want = "alg" },
	{ "alg list", "a", "{\"alg\":[\"RS256\"],\"kid\":\"a\"}", .want = "alg" },
	{ "alg lower case", "a", "{\"alg\":\"rs256\",\"kid\":\"a\"}", .want = "alg" },
	{ "RS512 on a key for RS256", "a", "{\"alg\":\"RS512\",\"kid\":\"a\"}", .want = "alg", .alg = "RS512" },
	{ "PS256 on a key for RS256", "a", "{\"alg\":\"PS256\",\"kid\":\"a\"}", .want = "alg", .alg = "PS256" },
	{ "RS256 on a key for PS256", "ps", "{\"alg\":\"RS256\",\"kid\":\"ps\"}", .want = "alg", .alg = "RS256" },
	{ "RS256 signature called PS256", "ps", .want = "sig", .alg = "RS256" },
	{ "PS256 without salt", "ps", .want = "sig", .alg = "PS256+" },
	{ "ES512 on a P-256 key", "ec", "{\"alg\":\"ES512\",\"kid\":\"ec\"}", .want = "alg", .alg = "ES512" },
	{ "ES256K", "ec", "{\"alg\":\"ES256K\",\"kid\":\"ec\"}", .want = "alg" },
	{ "ES256 hash on P-521", "ec521", .want = "sig", .alg = "ES256" },
	{ "ECDSA in DER", "ec", .want = "sig", .alg = "ES256+" },
	{ "P-521 signature for P-256 key", "ec", .want = "sig", .key = EC_521 + 1 },
	{ "another key's signature", "a", .want = "sig", .key = RSA_B + 1, .status = 1 },

	/* header */
	{ "jwk", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"jwk\":{\"kty\":\"RSA\"}}", .want = "hdr" },
	{ "jku", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"jku\":\"https://example.com/k\"}", .want = "hdr" },
	{ "x5u", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"x5u\":\"https://example.com/k\"}", .want = "hdr" },
	{ "x5c", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"x5c\":[\"AAAA\"]}", .want = "hdr" },
	{ "crit unknown", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"crit\":[\"zz\"]}", .want = "hdr" },
	{ "crit empty", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"crit\":[]}", .want = "hdr" },
	{ "crit b64", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"crit\":[\"b64\"],\"b64\":true}", .want = "hdr" },
	{ "crit twice", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"crit\":[\"exp\"],\"crit\":[\"exp\"]}", .want = "dup" },
	{ "b64 false", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"b64\":false}", .want = "hdr" },
	{ "zip", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"zip\":\"DEF\"}", .want = "hdr" },
	{ "enc", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"enc\":\"A128GCM\"}", .want = "hdr" },
	{ "typ of another thing", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"typ\":\"dpop+jwt\"}", .want = "hdr" },
	{ "kid absent", "a", "{\"alg\":\"RS256\"}", .want = "hdr" },
	{ "kid a number", "a", "{\"alg\":\"RS256\",\"kid\":7}", .want = "hdr" },
	{ "kid twice", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"kid\":\"consumer\"}", .want = "dup" },
	{ "kid a path", "a", "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}", .want = "key-none" },
	{ "kid SQL", "a", "{\"alg\":\"RS256\",\"kid\":\"a' UNION SELECT 'x\"}", .want = "key-none" },
	{ "kid with NUL", "a", "{\"alg\":\"RS256\",\"kid\":\"a\\u0000\"}", .want = "json" },
	{ "kid in other case", "a", "{\"alg\":\"RS256\",\"kid\":\"A\"}", .want = "key-none" },
	{ "x5t of another certificate", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"x5t\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", .want = "hdr" },
	{ "x5t no hash", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"x5t\":\"AA\"}", .want = "hdr" },
	{ "Alg beside alg", "a", "{\"alg\":\"RS256\",\"kid\":\"a\",\"Alg\":\"none\"}", .want = "dup" },

	/* JSON */
	{ "iss twice", "a", .extra = "\"iss\":\"" V2(OTHER_TENANT) "\"", .want = "dup" },
	{ "tid in other case", "a", .extra = "\"Tid\":\"" OTHER_TENANT "\"", .want = "dup" },
	{ "exp escaped", "a", .extra = "\"\\u0065xp\":9999999999", .want = "dup" },
	{ "member twice, not registered", "a", .extra = "\"q\":1,\"q\":2", .want = "dup" },
	{ "depth 17", "a", .extra = "\"q\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", .want = "json" },
	{ "UTF-16 surrogate", "a", .extra = "\"q\":\"\\ud800\"", .want = "json" },
	{ "not UTF-8", "a", .extra = "\"q\":\"\xff\"", .want = "json" },

	/* time */
	{ "exp absent", "a", .change = { { "exp", NULL } }, .want = "exp" },
	{ "exp a text", "a", .change = { { "exp", "\"1767697200\"" } }, .want = "exp" },
	{ "exp 1e99", "a", .change = { { "exp", "1e99" } }, .want = "exp" },
	{ "exp -1", "a", .change = { { "exp", "-1" } }, .want = "exp" },
	{ "exp 2^64", "a", .change = { { "exp", "18446744073709551616" } }, .want = "exp" },
	{ "exp with a fraction", "a", .change = { { "exp", "1767697200.5" } }, .want = "exp" },
	{ "expired", "a", .change = { { "exp", "1767693300" }, { "iat", "1767690000" } }, .want = "exp", .status = 1 },
	{ "iat absent", "a", .change = { { "iat", NULL } }, .want = "iat" },
	{ "iat in the future", "a", .change = { { "iat", "1767693901" } }, .want = "iat", .status = 1 },
	{ "iat a bool", "a", .change = { { "iat", "true" } }, .want = "iat" },
	{ "expired before issued", "a", .change = { { "iat", "1767693700" }, { "exp", "1767693600" } }, .want = "iat" },
	{ "nbf in the future", "a", .change = { { "nbf", "1767693901" } }, .want = "nbf" },
	{ "nbf null", "a", .change = { { "nbf", "null" } }, .want = "nbf" },
	{ "nbf behind exp", "a", .change = { { "nbf", "1767697200" } }, .want = "nbf" },
	{ "lives 96 minutes", "a", .change = { { "exp", "1767698760" } }, .want = "life", .status = 1 },
	{ "lives 30 hours for a CAE audience", "cae", .change = { { "exp", "1767801000" } }, .want = "life" },

	/* audience */
	{ "aud absent", "a", .change = { { "aud", NULL } }, .want = "aud" },
	{ "aud a list of one", "a", .change = { { "aud", "[\"" AUDIENCE "\"]" } }, .want = "aud" },
	{ "aud empty list", "array", .change = { { "aud", "[]" } }, .want = "aud" },
	{ "aud list of two", "array", .change = { { "aud", "[\"" AUDIENCE "\",\"x\"]" } }, .want = "aud" },
	{ "aud upper case", "a", .change = { { "aud", "\"6E74172B-BE56-4843-9FF4-E66A39BB12E3\"" } }, .want = "aud" },
	{ "aud another", "a", .change = { { "aud", "\"" CONSUMER_AUDIENCE "\"" } }, .want = "aud", .status = 1 },
	{ "aud with a blank", "a", .change = { { "aud", "\"" AUDIENCE " \"" } }, .want = "aud" },

	/* tenant */
	{ "tid absent", "a", .change = { { "tid", NULL } }, .want = "tid" },
	{ "tid upper case", "a", .change = { { "tid", "\"72F988BF-86F1-41AF-91AB-2D7CD011DB47\"" } }, .want = "tid" },
	{ "tid in braces", "a", .change = { { "tid", "\"{" TENANT "}\"" } }, .want = "tid" },
	{ "tid nil", "any", .change = { { "tid", "\"" NIL_TENANT "\"" }, { "iss", "\"" V2(NIL_TENANT) "\"" } }, .want = "tid" },
	{ "tid a number", "a", .change = { { "tid", "7" } }, .want = "tid" },
	{ "another tenant than the issuer's", "any", .change = { { "tid", "\"" CONSUMER_AUDIENCE "\"" } }, .want = "scope-issuer", .status = 4 },
	{ "a tenant that is not ours", "a", .change = { { "tid", "\"" OTHER_TENANT "\"" }, { "iss", "\"" V2(OTHER_TENANT) "\"" } },
	  .want = "scope-tenant", .status = 1 },
	{ "a denied tenant", "any", .change = { { "tid", "\"" OTHER_TENANT "\"" }, { "iss", "\"" V2(OTHER_TENANT) "\"" } },
	  .want = "scope-tenant", .status = 4 },
	{ "enterprise key for the consumer tenant", "any",
	  .change = { { "tid", "\"" CONSUMER_TENANT "\"" }, { "iss", "\"" V2(CONSUMER_TENANT) "\"" } }, .want = "forged-scope", .status = 4 },

	/* issuer */
	{ "iss absent", "a", .change = { { "iss", NULL } }, .want = "key-none" },
	{ "iss empty", "a", .change = { { "iss", "\"\"" } }, .want = "key-none" },
	{ "iss a number", "a", .change = { { "iss", "7" } }, .want = "key-none" },
	{ "iss with user", "a", .change = { { "iss", "\"https://login.microsoftonline.com@evil.example/" TENANT "/v2.0\"" } }, .want = "key-none" },
	{ "iss with port", "a", .change = { { "iss", "\"https://login.microsoftonline.com:443/" TENANT "/v2.0\"" } }, .want = "key-none" },
	{ "iss extra slash", "a", .change = { { "iss", "\"https://login.microsoftonline.com//" TENANT "/v2.0\"" } }, .want = "key-none" },
	{ "iss slash at the end", "a", .change = { { "iss", "\"" V2(TENANT) "/\"" } }, .want = "key-none" },
	{ "iss query", "a", .change = { { "iss", "\"" V2(TENANT) "?x\"" } }, .want = "key-none" },
	{ "iss percent", "a", .change = { { "iss", "\"https://login.microsoftonline.com/%37" "2f988bf-86f1-41af-91ab-2d7cd011db47/v2.0\"" } },
	  .want = "key-none" },
	{ "iss other cloud", "a", .change = { { "iss", "\"https://login.microsoftonline.us/" TENANT "/v2.0\"" } }, .want = "forged-scope", .status = 4 },
	{ "iss trailing dot", "a", .change = { { "iss", "\"https://login.microsoftonline.com./" TENANT "/v2.0\"" } }, .want = "key-none" },
	{ "iss upper case", "a", .change = { { "iss", "\"HTTPS://login.microsoftonline.com/" TENANT "/v2.0\"" } }, .want = "key-none" },
	{ "iss http", "a", .change = { { "iss", "\"http://login.microsoftonline.com/" TENANT "/v2.0\"" } }, .want = "key-none" },
	{ "iss template itself", "a", .change = { { "iss", "\"" TEMPLATE "\"" } }, .want = "key-none" },
	{ "tid only contained in iss", "a", .change = { { "iss", "\"https://evil.example/" TENANT "/v2.0\"" } }, .want = "forged-scope", .status = 4 },
	{ "key of another cloud", "gov", .want = "scope-issuer", .status = 4 },

	/* version */
	{ "ver absent", "a", .change = { { "ver", NULL } }, .want = "ver" },
	{ "ver a number", "a", .change = { { "ver", "2.0" } }, .want = "ver" },
	{ "ver 1.0 with a v2 record", "a", .change = { { "ver", "\"1.0\"" } }, .want = "ver" },
	{ "appid in a v2 token", "a", .change = { { "appid", "\"" APP "\"" } }, .want = "ver" },
	{ "azp in a v1 token", "v1", .change = { { "iss", "\"https://sts.windows.net/" TENANT "/\"" }, { "ver", "\"1.0\"" },
						 { "aud", "\"https://api.example.com\"" } }, .want = "ver" },

	/* caller */
	{ "caller absent", "actors", .change = { { "azp", NULL }, { "idtyp", "\"app\"" } }, .want = "actor" },
	{ "another caller", "actors", .change = { { "azp", "\"" OTHER_TENANT "\"" }, { "idtyp", "\"app\"" } }, .want = "actor" },
	{ "no application", "actors", .want = "actor" },
	{ "a user", "actors", .change = { { "idtyp", "\"user\"" } }, .want = "actor" },

	/* the key's life */
	{ "pending key", "pending", .want = "state", .status = 1 },
	{ "retired key", "retired", .want = "state", .status = 4 },
	{ "revoked key", "revoked", .want = "state", .status = 4 },
	{ "leaked key", "leaked", .want = "state", .status = 4 },
	{ "denied key", "said-denied", .want = "state", .status = 4 },
	{ "retiring key, token from after", "retiring", .change = { { "iat", "1767693301" } }, .want = "state", .status = 4 },
	{ "key without any date", "nodate", .want = "key-age", .status = 1 },
	{ "token from before the key's life", "not-yet", .want = "key-iat", .status = 4 },
	{ "token from before the certificate", "a", .change = { { "iat", "1765000000" }, { "exp", "1765003000" }, { "nbf", NULL } }, .want = "key-iat" },

	/* scope: the key that made the signature */
	{ "consumer key for an organisation", "consumer", .want = "forged-scope", .status = 4 },
	{ "consumer key for an organisation, bad signature", "consumer", .want = "key-none", .key = RSA_A + 1, .status = 1 },
	{ "key id of one issuer, key of another", "a", .want = "sig", .key = RSA_B + 1, .status = 1 },
	{ "key without issuer and record", "no-issuer", .want = "key-none", .status = 1 },
	{ "key with a blank issuer", "blank-issuer", .want = "scope-issuer", .status = 4 },
	{ "two records fit", "dup", .want = "key-ambiguous" },
	{ "key with operations without verify", "enc", .want = "key-bad" },
	{ "a record whose key is nowhere", "ghost", .want = "key-none", .key = RSA_A + 1 },
	{ "key id known to nobody", "nobody", .want = "key-none", .key = RSA_A + 1, .status = 1 },
};

static int key_of(const char *kid)
{
	static const struct { const char *kid; int key; } rows[] = {
		{ "consumer", RSA_B }, { "no-issuer", RSA_B }, { "blank-issuer", RSA_B }, { "nodate", RSA_B }, { "old", RSA_OLD },
		{ "ec", EC_256 }, { "ec521", EC_521 }, { "ed", ED },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].kid, kid) == 0)
			return rows[i].key;
	return RSA_A;
}

static const char *alg_of(const char *kid)
{
	return strcmp(kid, "ec") == 0 ? "ES256" : strcmp(kid, "ec521") == 0 ? "ES512" : strcmp(kid, "ed") == 0 ? "EdDSA"
	     : strcmp(kid, "ps") == 0 ? "PS256" : "RS256";
}

static bool has_code(const struct verdict *v, const char *code)
{
	for (unsigned i = 0; i < v->n; i++)
		if (strcmp(reason_rows[v->reason[i].code].code, code) == 0)
			return true;
	return false;
}

static const char *codes(const struct verdict *v)
{
	static char text[1024];
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < v->n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", reason_rows[v->reason[i].code].code);
	return text;
}

static bool verdict_says(const struct judge *j, const char *text)
{
	for (unsigned i = 0; i < j->verdict.n; i++)
		if (strstr(j->verdict.reason[i].text, text))
			return true;
	return false;
}

/* the usual token of that key id, signed by a key and in a way of one's own */
static void signed_as(struct buf *b, const char *kid, int key, const char *alg)
{
	struct buf header, claims;

	buf_init(&header, 64 * KIB);
	buf_init(&claims, 64 * KIB);
	buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", alg_of(kid), kid);
	add_claims(&claims, NULL, NULL, 0);
	mint(b, buf_str(&header), buf_str(&claims), key, alg);
	buf_release(&header);
	buf_release(&claims);
}

static void usual_token(struct buf *b, const char *kid, const struct member *changes, size_t n)
{
	struct buf header, claims;

	buf_init(&header, 64 * KIB);
	buf_init(&claims, 64 * KIB);
	buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", alg_of(kid), kid);
	add_claims(&claims, NULL, changes, n);
	mint(b, buf_str(&header), buf_str(&claims), key_of(kid), alg_of(kid));
	buf_release(&header);
	buf_release(&claims);
}

static void test_attacks(struct judge *j)
{
	struct buf token, header, claims;

	buf_init(&token, 64 * KIB);
	buf_init(&header, 64 * KIB);
	buf_init(&claims, 64 * KIB);
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		const struct attack *a = &attacks[i];
		const struct verdict *v;
		buf_clear(&header);
		buf_clear(&claims);
		if (a->header)
			buf_add_cstr(&header, a->header);
		else
			buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", alg_of(a->kid), a->kid);
		add_claims(&claims, a->extra, a->change, 4);
		mint(&token, buf_str(&header), buf_str(&claims), a->key ? a->key - 1 : key_of(a->kid), a->alg ? a->alg : alg_of(a->kid));
		v = judge_token(j, buf_str(&token), NOW);
		if (!a->want) {
			CHECK_MSG(v->valid && verdict_status(v) == 0, "%s: refused: %s", a->name, codes(v));
			continue;
		}
		CHECK_MSG(!v->valid && verdict_status(v) != 0, "%s: accepted", a->name);
		CHECK_MSG(has_code(v, a->want), "%s: wanted %s, have %s", a->name, a->want, codes(v));
		CHECK_MSG(!a->status || verdict_status(v) == a->status, "%s: status %d, %s", a->name, verdict_status(v), codes(v));
	}
	buf_release(&token);
	buf_release(&header);
	buf_release(&claims);
}

/* the text of a token, changed */
static void check_text(struct judge *j, const char *name, struct str text, const char *want)
{
	const struct verdict *v = judge_token(j, text, NOW);

	CHECK_MSG(!v->valid && has_code(v, want), "%s: wanted %s, have %s", name, want, codes(v));
}

static void test_form(struct judge *j)
{
	struct buf good, b;
	const char *dot, *dot2;
	size_t n;

	buf_init(&good, 64 * KIB);
	buf_init(&b, 4 * MIB);
	usual_token(&good, "a", NULL, 0);
	CHECK(judge_token(j, buf_str(&good), NOW)->valid);
	dot = memchr(good.p, '.', good.n);
	dot2 = memchr(dot + 1, '.', good.n - (size_t)(dot + 1 - good.p));
	n = (size_t)(dot - good.p);
#define TEXT(want, ...)                                             \
	do {                                                        \
		buf_clear(&b);                                      \
		buf_printf(&b, __VA_ARGS__);                        \
		check_text(j, #__VA_ARGS__, buf_str(&b), want);     \
	} while (0)
	TEXT("form", "%s", "");
	TEXT("form", "%s.x", good.p);
	TEXT("jwe", "%s.x.y", good.p);
	TEXT("form", "%s.x.y.z", good.p);
	TEXT("form", "%.*s", (int)(dot2 - good.p), good.p);
	TEXT("form", "{\"payload\":\"\",\"signatures\":[]}");
	TEXT("b64", " %s", good.p);
	TEXT("b64", "%s ", good.p);
	TEXT("b64", "%s\n", good.p);
	TEXT("b64", "%s\r", good.p);
	TEXT("b64", "%s==", good.p);
	TEXT("b64", "%.*s=%s", (int)n, good.p, dot);
	TEXT("b64", "%.*s\n%s", 8, good.p, good.p + 8);
	TEXT("b64", "%.*s+%s", 8, good.p, good.p + 9);
	TEXT("b64", "%.*s/%s", (int)(dot2 - good.p + 9), good.p, dot2 + 10);
	TEXT("sig", "%.*s.", (int)(dot2 - good.p), good.p); /* no signature at all */
	TEXT("json", ".%s", dot + 1);
	TEXT("json", "%.*s..%s", (int)n, good.p, dot2 + 1);
	/* the last character of a 256-byte signature carries four unused bits: any of them set is another spelling */
	buf_clear(&b);
	buf_add_str(&b, buf_str(&good));
	b.p[b.n - 1]++;
	check_text(j, "trailing bits", buf_str(&b), "b64");
	/* a signature in the form of X.509: called genuine only where it is */
	const char *says = "the signature is genuine, but it is DER";
	signed_as(&b, "ec", EC_256, "ES256+");
	check_text(j, "ECDSA in DER", buf_str(&b), "sig");
	CHECK_MSG(verdict_says(j, says), "%s", j->text);
	signed_as(&b, "ec", EC_521, "ES512+");
	check_text(j, "DER of another key", buf_str(&b), "sig");
	CHECK_MSG(!verdict_says(j, says) && verdict_says(j, "which no ES256 signature of this key has"), "%s", j->text);
	/* a header of a megabyte, a token of a megabyte, nesting of 10^5 */
	buf_clear(&b);
	while (b.n < MIB)
		buf_add_cstr(&b, "eyJhbGciOiJS");
	buf_printf(&b, ".%s", dot + 1);
	check_text(j, "header of a megabyte", buf_str(&b), "form");
	buf_clear(&b);
	while (b.n < 6000)
		buf_add_cstr(&b, "eyJhbGciOiJS");
	buf_printf(&b, ".%s", dot + 1);
	check_text(j, "header of 6 KiB", buf_str(&b), "form");
	{
		struct buf deep;
		buf_init(&deep, MIB);
		for (int i = 0; i < 5000; i++)
			buf_add_char(&deep, '[');
		buf_clear(&b);
		buf_printf(&b, "%.*s.", (int)n, good.p);
		b64_add(&b, deep.p, deep.n);
		buf_add_cstr(&b, dot2);
		check_text(j, "deep nesting", buf_str(&b), "json");
		buf_release(&deep);
	}
	/* UTF-16, byte order mark, NUL after the object */
	mint(&b, STR("{\"alg\":\"RS256\",\"kid\":\"a\"}"), STR("\xff\xfe{\0}\0"), RSA_A, "RS256");
	check_text(j, "UTF-16", buf_str(&b), "json");
	mint(&b, STR("\xef\xbb\xbf{\"alg\":\"RS256\",\"kid\":\"a\"}"), STR("{}"), RSA_A, "RS256");
	check_text(j, "byte order mark", buf_str(&b), "json");
	mint(&b, STR("{\"alg\":\"RS256\",\"kid\":\"a\"}\0"), STR("{}"), RSA_A, "RS256");
	check_text(j, "NUL", buf_str(&b), "json");
	mint(&b, STR("{\"alg\":\"RS256\",\"kid\":\"a\"}"), STR("[]"), RSA_A, "RS256");
	check_text(j, "a list of claims", buf_str(&b), "json");
#undef TEXT
	buf_release(&good);
	buf_release(&b);
}

/* The first x5c of the set, as bytes. */
static int certificate_of_set(uint8_t der[4096])
{
	struct buf text, error;
	char path[256];
	size_t n = 0;

	buf_init(&text, MIB);
	buf_init(&error, 4096);
	snprintf(path, sizeof(path), "%s/set.json", folder);
	CHECK(file_read(path, &text, NULL, &error));
	const char *begin = strstr(text.p, "\"x5c\":[\"") + 8, *end = strchr(begin, '"');
	CHECK(b64_decode((struct str){ begin, (size_t)(end - begin) }, der, 4096, &n) == B64_OK && n > 500);
	buf_release(&text);
	buf_release(&error);
	return (int)n;
}

/* HS256 keyed with public data: every spelling of the public key */
static void test_public_key_as_secret(struct judge *j)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf input, token, jwk;
	struct { const char *name; const void *p; size_t n; } secrets[8];
	unsigned char *der = NULL;
	uint8_t cert_der[4096], modulus[256], mac[64];
	BIGNUM *bn = NULL;
	char *pem;
	unsigned mac_n;
	size_t k = 0;

	buf_init(&input, 64 * KIB);
	buf_init(&token, 64 * KIB);
	buf_init(&jwk, 64 * KIB);
	PEM_write_bio_PUBKEY(bio, keys[RSA_A]);
	const size_t pem_n = (size_t)BIO_get_mem_data(bio, &pem);
	const int der_n = i2d_PUBKEY(keys[RSA_A], &der), cert_n = certificate_of_set(cert_der);
	EVP_PKEY_get_bn_param(keys[RSA_A], "n", &bn);
	BN_bn2binpad(bn, modulus, 256);
	add_jwk(&jwk, RSA_A);
	secrets[k].name = "PEM", secrets[k].p = pem, secrets[k++].n = pem_n;
	secrets[k].name = "PEM without newline", secrets[k].p = pem, secrets[k++].n = pem_n - 1;
	secrets[k].name = "DER", secrets[k].p = der, secrets[k++].n = (size_t)der_n;
	secrets[k].name = "JWK text", secrets[k].p = jwk.p, secrets[k++].n = jwk.n;
	secrets[k].name = "modulus", secrets[k].p = modulus, secrets[k++].n = 256;
	secrets[k].name = "x5c bytes", secrets[k].p = cert_der, secrets[k++].n = (size_t)cert_n;
	secrets[k].name = "empty", secrets[k].p = "", secrets[k++].n = 0;
	secrets[k].name = "one byte", secrets[k].p = "", secrets[k++].n = 1;
	for (size_t i = 0; i < k; i++) {
		const char *claims_begin;
		usual_token(&input, "a", NULL, 0);
		claims_begin = (const char *)memchr(input.p, '.', input.n);
		const char *claims_end = (const char *)memchr(claims_begin + 1, '.', input.n - (size_t)(claims_begin + 1 - input.p));
		buf_clear(&token);
		b64_add(&token, "{\"alg\":\"HS256\",\"kid\":\"a\"}", 25);
		buf_add(&token, claims_begin, (size_t)(claims_end - claims_begin));
		HMAC(EVP_sha256(), secrets[i].p, (int)secrets[i].n, (const uint8_t *)token.p, token.n, mac, &mac_n);
		buf_add_char(&token, '.');
		b64_add(&token, mac, mac_n);
		check_text(j, secrets[i].name, buf_str(&token), "alg");
		check_text(j, secrets[i].name, buf_str(&token), "sig");
	}
	BIO_free(bio);
	BN_free(bn);
	OPENSSL_free(der);
	buf_release(&input);
	buf_release(&token);
	buf_release(&jwk);
}

/* r and s out of range, and the wrong lengths */
static void test_ecdsa(struct judge *j)
{
	static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					   0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
	struct buf good, b;
	uint8_t sig[66];
	size_t head;

	buf_init(&good, 64 * KIB);
	buf_init(&b, 64 * KIB);
	usual_token(&good, "ec", NULL, 0);
	head = good.n - 86; /* 64 bytes are 86 characters */
	CHECK(judge_token(j, buf_str(&good), NOW)->valid);
	for (int i = 0; i < 7; i++) {
		memset(sig, 0, sizeof(sig));
		size_t n = 64;
		switch (i) {
		case 0: break;                                         /* r = s = 0 */
		case 1: memset(sig, 0xff, 64); break;                  /* both above the order */
		case 2: memcpy(sig, order, 32), sig[63] = 1; break;    /* r = n */
		case 3: memcpy(sig + 32, order, 32), sig[31] = 1; break;
		case 4: sig[31] = sig[63] = 1; break;                  /* r = s = 1 */
		case 5: n = 66; break;                                 /* padded */
		case 6: n = 62; break;
		}
		buf_clear(&b);
		buf_add(&b, good.p, head);
		b64_add(&b, sig, n);
		check_text(j, "ECDSA range", buf_str(&b), "sig");
	}
	buf_release(&good);
	buf_release(&b);
}

/* one good token, changed at random 20,000 times */
static void test_mutations(struct judge *j)
{
	struct buf good, b;
	uint64_t state = 88172645463325252u;
	unsigned accepted = 0;

	buf_init(&good, 64 * KIB);
	buf_init(&b, 64 * KIB);
	usual_token(&good, "ec", NULL, 0); /* the fastest of the keys to refuse with */
	usual_token(&good, "a", NULL, 0);
	for (unsigned i = 0; i < 20000; i++) {
		unsigned changes;
		buf_clear(&b);
		buf_add_str(&b, buf_str(&good));
#define NEXT() (state ^= state << 13, state ^= state >> 7, state ^= state << 17, state)
		changes = 1 + (unsigned)(NEXT() % 3);
		for (unsigned k = 0; k < changes; k++) {
			const size_t at = NEXT() % b.n;
			const uint64_t how = NEXT() % 4;
			if (how == 0)
				b.p[at] ^= (char)(1 << NEXT() % 8);
			else if (how == 1)
				b.p[at] = "ABCDwxyz0189-_.="[NEXT() % 16];
			else if (how == 2 && b.n > 2)
				memmove(b.p + at, b.p + at + 1, b.n-- - at - 1);
			else
				b.p[at] = b.p[NEXT() % b.n];
		}
		if (str_eq(buf_str(&b), buf_str(&good)))
			continue;
		accepted += judge_token(j, buf_str(&b), NOW)->valid;
#undef NEXT
	}
	CHECK_MSG(accepted == 0, "%u changed tokens accepted", accepted);
	CHECK(judge_token(j, buf_str(&good), NOW)->valid);
	buf_release(&good);
	buf_release(&b);
}

/* -- the replay of 2023 -- */

static void test_storm(struct judge *j)
{
	static const char *const wanted[] = { "key-none", "forged-scope", "key-expired", "key-age", "key-iat", "scope-issuer", "scope-tenant", "aud" };
	struct buf token;
	const struct verdict *v;

	buf_init(&token, 64 * KIB);
	usual_token(&token, "old", NULL, 0);
	v = judge_token(j, buf_str(&token), NOW);
	CHECK(verdict_status(v) == 4 && v->signature_good);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		CHECK_MSG(has_code(v, wanted[i]), "wanted %s, have %s", wanted[i], codes(v));
	/* the day before its certificate ended, a consumer token of it was in order except for the key's age */
	{
		static const struct member then[] = { { "iss", "\"" V2(CONSUMER_TENANT) "\"" }, { "tid", "\"" CONSUMER_TENANT "\"" },
						      { "aud", "\"" CONSUMER_AUDIENCE "\"" }, { "iat", "1617460000" },
						      { "nbf", "1617460000" }, { "exp", "1617463600" } };
		usual_token(&token, "old", then, sizeof(then) / sizeof(then[0]));
		v = judge_token(j, buf_str(&token), 1617461000);
		CHECK_MSG(strcmp(codes(v), "key-age ") == 0, "%s", codes(v));
	}
	buf_release(&token);
}

/* the real key: by policy trusted, and refused because of what it is */
static void test_stolen_key(void)
{
	static const char policy[] =
		"records:\n"
		"  - from: {jwks: tests/data/keys/storm-0558-jwk.json, kid: 1LTMzakihiRla_8z2BEJVXeWMqo}\n"
		"    alg: RS256\n    class: consumer\n    issuers: [\"" V2(CONSUMER_TENANT) "\"]\n"
		"    tenants: {allow: [" CONSUMER_TENANT "]}\n    audiences: [" CONSUMER_AUDIENCE "]\n    versions: [\"2.0\"]\n    state: active\n";
	static const char *const wanted[] = { "key-none", "denied", "key-expired", "key-age", "key-iat", "scope-issuer", "scope-tenant", "aud", "sig" };
	struct policy *p = policy_new();
	struct judge *j;
	struct buf error, token, claims;
	const struct verdict *v;

	buf_init(&error, 4096);
	buf_init(&token, 64 * KIB);
	buf_init(&claims, 64 * KIB);
	CHECK_MSG(policy_load_text(p, "storm.yaml", str_of(policy), &error) && policy_bind(p, &error), "%s", error.p ? error.p : "");
	CHECK(p->n == 1 && p->records[0].denied && p->records[0].state == STATE_DENIED);
	j = judge_new(p, NULL);
	add_claims(&claims, NULL, NULL, 0);
	mint(&token, STR("{\"alg\":\"RS256\",\"kid\":\"1LTMzakihiRla_8z2BEJVXeWMqo\"}"), buf_str(&claims), RSA_A, "RS256");
	v = judge_token(j, buf_str(&token), NOW);
	CHECK(verdict_status(v) == 4);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		CHECK_MSG(has_code(v, wanted[i]), "wanted %s, have %s", wanted[i], codes(v));
	judge_free(j);
	policy_free(p);
	buf_release(&error);
	buf_release(&token);
	buf_release(&claims);
}

/* -- the policy file -- */

static bool loads(const char *text, struct buf *error)
{
	struct policy *p = policy_new();
	char name[256];
	bool ok;

	snprintf(name, sizeof(name), "%s/p.yaml", folder);
	buf_clear(error);
	ok = policy_load_text(p, name, str_of(text), error) && policy_bind(p, error);
	policy_free(p);
	return ok;
}

#define R_FROM "  - from: {jwks: set.json, kid: a}\n"
#define R_ALG "    alg: RS256\n"
#define R_ISSUERS "    issuers: [\"" TEMPLATE "\"]\n"
#define R_TENANTS "    tenants: {allow: [" TENANT "]}\n"
#define R_AUDIENCES "    audiences: [" AUDIENCE "]\n"
#define R_VERSIONS "    versions: [\"2.0\"]\n"
#define R_SCOPE R_ISSUERS R_AFTER_ISSUERS
#define R_AFTER_ISSUERS R_TENANTS R_AUDIENCES R_VERSIONS
#define R_ALL R_FROM R_ALG R_SCOPE

static void test_policy_file(void)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "", "empty" },
		{ "[]", "wants names" },
		{ "records: []\n", "not empty" },
		{ "skew: 300s\n", "'records' is missing" },
		{ "records:\n" R_ALG R_ISSUERS, "" },
		{ "records:\n  - alg: RS256\n" R_SCOPE, "wants its key" },
		{ "records:\n" R_FROM R_SCOPE, "'alg' is missing" },
		{ "records:\n" R_FROM R_ALG R_AFTER_ISSUERS, "'issuers' is missing" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS R_AUDIENCES R_VERSIONS, "'tenants' is missing" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS R_TENANTS R_VERSIONS, "'audiences' is missing" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS R_TENANTS R_AUDIENCES, "'versions' is missing" },
		{ "records:\n  - spki: 0000000000000000000000000000000000000000000000000000000000000000\n" R_ALG R_SCOPE,
		  "'kid' is missing" },
		{ "records:\n" R_ALL "    nonsense: 1\n", "no such setting" },
		{ "records:\n" R_ALL "    alg: RS256\n", "twice" },
		{ "records:\n" R_ALL "    state: alive\n", "none of" },
		{ "records:\n" R_ALL "    state: retiring\n", "since" },
		{ "records:\n" R_ALL "    max_age: 120\n", "length of time" },
		{ "records:\n" R_ALL "    max_token_life: 401d\n", "longer" },
		{ "records:\n" R_ALL "    actors: []\n", "not empty" },
		{ "records:\n" R_ALL "    not_after: yesterday\n", "no time" },
		{ "records:\n" R_ALL "    idtyp: yes\n", "two ways" },
		{ "records:\n" R_FROM "    alg: none\n" R_SCOPE, "none of RS256" },
		{ "records:\n" R_FROM "    alg: HS256\n" R_SCOPE, "symmetric" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS R_TENANTS R_AUDIENCES "    versions: [3.0]\n", "versions: '3.0' is neither" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS R_TENANTS "    audiences: [2.0]\n" R_VERSIONS, "audiences: '2.0' can be read in two ways" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS "    tenants: any\n" R_AUDIENCES R_VERSIONS, "{allow: any}" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS "    tenants: [" TENANT "]\n" R_AUDIENCES R_VERSIONS, "{allow: [" },
		{ "records:\n" R_FROM R_ALG "    issuers: [\"https://login.microsoftonline.com/{tid}/v2.0\"]\n" R_AFTER_ISSUERS,
		  "the tenant is written {tenantid}" },
		{ "records:\n" R_ALL "    scopes: [x]\n", "claims: {sub: ...}" },
		{ "records:\n" R_ALL "    claims: {}\n", "names of claims" },
		{ "records:\n" R_ALL "    claims: {sub: yes}\n", "sub: 'yes' can be read in two ways" },
		{ "records:\n" R_ALL "    claims: {sub: 1.5}\n", "two ways" },
		{ "records:\n" R_ALL "    claims: {sub: []}\n", "list that is not empty" },
		{ "records:\n" R_ALL "    claims: {sub: {pattern: 5}}\n", "a pattern is a text" },
		{ "records:\n" R_ALL "    claims: {sub: {pattern: x, other: y}}\n", "other names as well" },
		{ "records:\n" R_ALL "    kind: refresh\n", "none of: access id logout any" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS R_TENANTS "    audiences: none\n" R_VERSIONS, "another condition" },
		{ "records:\n  - from: {jwks: set.json}\n    alg: ES384\n" R_SCOPE, "no key for signatures with the algorithm ES384" },
		{ "records:\n  - from: {jwks: metadata.json}\n" R_ALG R_SCOPE,
		  "OpenID metadata, which names keys and has none: save what its jwks_uri gives (https://login.example.com/keys)" },
		{ "records:\n  - from: {jwks: set.json, issuer: \"https://a.example\"}\n" R_ALG R_SCOPE,
		  "'https://a.example'; its 27 keys: 'https://login.microsoftonline.com/{tenantid}/v2.0', 'https://login.microsoftonline.com/9188" },
		{ "records:\n" R_FROM R_ALG "    issuers: [\"{tenantid}{tenantid}\"]\n" R_AFTER_ISSUERS, "{tenantid}" },
		{ "records:\n" R_FROM R_ALG "    issuers: x\n" R_AFTER_ISSUERS, "list" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS "    tenants: {allow: [72F988BF-86F1-41AF-91AB-2D7CD011DB47]}\n" R_AUDIENCES R_VERSIONS, "lower case" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS "    tenants: {deny: [" TENANT "]}\n" R_AUDIENCES R_VERSIONS, "'allow' is missing" },
		{ "records:\n" R_FROM R_ALG R_ISSUERS "    tenants: none\n" R_AUDIENCES R_VERSIONS, "contradict" },
		{ "records: &x\n" R_ALL, "anchors" },
		{ "records: !x\n" R_ALL, "tags" },
		{ "records:\n" R_ALL "---\nrecords: []\n", "second document" },
		{ "records:\n" R_ALL "    class: *x\n", "aliases" },
		{ "records:\n  - from: {jwks: missing.json, kid: a}\n" R_ALG R_SCOPE, "missing.json" },
		{ "records:\n  - from: {certificate: set.json}\n" R_ALG R_SCOPE, "'kid' is missing: the key id that tokens" },
		{ "records:\n  - from: {jwks: set.json, kid: nobody}\n" R_ALG R_SCOPE, "no key of the id 'nobody'; its 27 keys: 'a' (RSA)" },
		{ "records:\n  - from: {jwks: set.json}\n" R_ALG R_SCOPE "    kid: a\n", "exactly one" },
		{ "records:\n  - from: {jwks: set.json, kid: a, issuer: b}\n" R_ALG R_SCOPE, "not both" },
		{ "records:\n  - from: {source: x, kid: a}\n" R_ALG R_SCOPE, "no source" },
		{ "sources: [{name: x, url: \"http://example.com/\"}]\nrecords:\n" R_ALL, "https://" },
		{ "skew: 1h\nrecords:\n" R_ALL, "longer" },
		{ "deny: {spki: [zz]}\nrecords:\n" R_ALL, "hexadecimal" },
		{ "{{{{", "name must be a text" },
		{ "a: [b", "not YAML" },
		{ "records:\n\t- x\n", "not YAML" },
	};
	struct buf error;

	buf_init(&error, 16 * KIB);
	write_file("metadata.json", STR("{\"issuer\":\"https://login.example.com\",\"jwks_uri\":\"https://login.example.com/keys\"}"));
	CHECK_MSG(loads("records:\n" R_ALL, &error), "%s", error.p ? error.p : "");
	CHECK_MSG(loads("skew: 60s\nrecords:\n  - from: {jwks: set.json, issuer: \"" TEMPLATE "\"}\n" R_ALG R_SCOPE,
			&error), "%s", error.p ? error.p : "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_MSG(!loads(bad[i].text, &error), "loads: %s", bad[i].text);
		CHECK_MSG(error.n && strstr(error.p, bad[i].says), "%s: says %s", bad[i].text, error.p ? error.p : "");
		CHECK_MSG(error.n && strstr(error.p, "p.yaml"), "%s: does not name the file: %s", bad[i].text, error.p ? error.p : "");
		CHECK_MSG(error.n && !memchr(error.p, '\n', error.n), "%s: more than one line: %s", bad[i].text, error.p ? error.p : "");
	}
	buf_release(&error);
}

/* A list with nothing in it never means "all": it is refused wherever a list has its place, in each way of writing nothing. */
static void test_empty_lists(void)
{
	static const char *const nothing[] = { "[]", "", "{}", "null", "~", "''", "[\"\"]", "[null]", "[[]]", "[ ]" };
	static const struct { const char *before, *after; } places[] = {
		{ "records: ", "" }, { "sources: ", "\nrecords:\n" R_ALL }, { "deny: {spki: ", "}\nrecords:\n" R_ALL },
		{ "deny: {certificates: ", "}\nrecords:\n" R_ALL }, { "exchange: {issuers: ", "}\nrecords:\n" R_ALL },
		{ "records:\n" R_FROM R_ALG "    issuers: ", "\n" R_AFTER_ISSUERS },
		{ "records:\n" R_FROM R_ALG R_ISSUERS "    tenants: ", "\n" R_AUDIENCES R_VERSIONS },
		{ "records:\n" R_FROM R_ALG R_ISSUERS "    tenants: {allow: ", "}\n" R_AUDIENCES R_VERSIONS },
		{ "records:\n" R_FROM R_ALG R_ISSUERS "    tenants: {allow: any, deny: ", "}\n" R_AUDIENCES R_VERSIONS },
		{ "records:\n" R_FROM R_ALG R_ISSUERS R_TENANTS "    audiences: ", "\n" R_VERSIONS },
		{ "records:\n" R_FROM R_ALG R_ISSUERS R_TENANTS R_AUDIENCES "    versions: ", "\n" },
		{ "records:\n" R_ALL "    cae_audiences: ", "\n" }, { "records:\n" R_ALL "    actors: ", "\n" },
		{ "records:\n" R_ALL "    typ: ", "\n" },
		{ "records:\n" R_ALL "    claims: ", "\n" }, { "records:\n" R_ALL "    claims: {sub: ", "}\n" },
		{ "records:\n" R_ALL "    claims: {sub: {pattern: ", "}}\n" }, { "records:\n" R_ALL "    claims: {sub: {contains: ", "}}\n" },
		{ "records:\n" R_ALL "    claims: {sub: {equals: ", "}}\n" }, { "records:\n" R_ALL "    claims: {act: {sub: ", "}}\n" },
	};
	struct buf error;
	char text[2048];

	buf_init(&error, 16 * KIB);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (size_t k = 0; k < sizeof(nothing) / sizeof(nothing[0]); k++) {
			snprintf(text, sizeof(text), "%s%s%s", places[i].before, nothing[k], places[i].after);
			CHECK_MSG(!loads(text, &error), "loads: %s", text);
			CHECK_MSG(error.n && strstr(error.p, "p.yaml:"), "%s: says %s", text, error.p ? error.p : "");
		}
	buf_release(&error);
}

/* The record for all keys of an issuer: those keys and no other. */
static void test_record_by_issuer(void)
{
	struct policy *p = policy_new();
	struct buf error;
	char name[256];
	unsigned consumer = 0;

	buf_init(&error, 4096);
	snprintf(name, sizeof(name), "%s/p.yaml", folder);
	CHECK(policy_load_text(p, name, STR("records:\n  - from: {jwks: set.json, issuer: \"" TEMPLATE "\"}\n" R_ALG R_ISSUERS R_TENANTS R_AUDIENCES R_VERSIONS),
			       &error) && policy_bind(p, &error));
	for (uint32_t i = 0; i < p->n; i++)
		consumer += str_eq(p->records[i].kid, STR("consumer")) || str_eq(p->records[i].kid, STR("no-issuer"));
	CHECK(p->n > 10 && consumer == 0);
	policy_free(p);
	buf_release(&error);
}

/* A record by certificate, one by SPKI with the key in another set, and a symmetric one that the policy allows. */
static void test_other_records(void)
{
	static const struct member by_service[] = { { "iss", "\"https://builds.example.com\"" }, { "tid", NULL }, { "ver", NULL }, { "aud", "\"https://deploy.example.com\"" } };
	struct policy *p = policy_new();
	struct keyset *s = keyset_new("more");
	struct judge *j;
	struct buf b, error, claims, input;
	unsigned char *der = NULL;
	uint8_t hash[32], mac[64];
	char path[256], hex[KEY_HEX_SIZE];
	unsigned mac_n;
	X509 *x = X509_new();
	FILE *f;

	buf_init(&b, 64 * KIB);
	buf_init(&error, 4096);
	buf_init(&claims, 64 * KIB);
	buf_init(&input, 64 * KIB);
	X509_set_version(x, 2);
	ASN1_TIME_set(X509_getm_notBefore(x), NOW - 86400);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW + 86400);
	X509_set_pubkey(x, keys[RSA_B]);
	X509_sign(x, keys[RSA_B], EVP_sha256());
	snprintf(path, sizeof(path), "%s/cert.pem", folder);
	f = fopen(path, "w");
	CHECK(f && PEM_write_X509(f, x) && fclose(f) == 0);
	X509_free(x);
	write_file("hmac.json", STR("{\"keys\":[{\"kty\":\"oct\",\"kid\":\"h\",\"alg\":\"HS256\",\"use\":\"sig\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}]}"));
	CHECK(i2d_PUBKEY(keys[EC_256], &der) > 0);
	SHA256(der, 91, hash);
	OPENSSL_free(der);
#define SERVICE "    issuers: [\"https://builds.example.com\"]\n    tenants: none\n    audiences: [\"https://deploy.example.com\"]\n    versions: none\n" \
		"    first_listed: 2026-01-01\n    state: active\n"
	buf_printf(&b, "records:\n  - from: {certificate: cert.pem}\n    kid: c\n    alg: RS256\n" SERVICE "  - spki: %s\n    kid: by-spki\n    alg: ES256\n"
		   SERVICE "  - from: {jwks: hmac.json, kid: h}\n    alg: HS256\n    symmetric: allowed\n" SERVICE, key_hex(hash, 32, hex));
	snprintf(path, sizeof(path), "%s/other.yaml", folder);
	CHECK_MSG(policy_load_text(p, path, buf_str(&b), &error), "%s", error.p ? error.p : "");
	buf_clear(&b);
	buf_add_char(&b, '{');
	add_jwk(&b, EC_256);
	buf_add_char(&b, '}');
	CHECK(keyset_load_bytes(s, buf_str(&b), 0, &error) && policy_add_set(p, s) && policy_bind(p, &error) && p->n == 3);
	j = judge_new(p, NULL);
	add_claims(&claims, NULL, by_service, 4);
	mint(&input, STR("{\"alg\":\"RS256\",\"kid\":\"c\"}"), buf_str(&claims), RSA_B, "RS256");
	CHECK_MSG(judge_token(j, buf_str(&input), NOW)->valid, "%s", codes(&j->verdict));
	CHECK(has_code(judge_token(j, buf_str(&input), NOW + 2 * 86400), "key-expired"));
	mint(&input, STR("{\"alg\":\"ES256\",\"kid\":\"by-spki\"}"), buf_str(&claims), EC_256, "ES256");
	CHECK_MSG(judge_token(j, buf_str(&input), NOW)->valid, "%s", codes(&j->verdict));
	buf_clear(&input);
	b64_add(&input, "{\"alg\":\"HS256\",\"kid\":\"h\"}", 25);
	buf_add_char(&input, '.');
	b64_add(&input, claims.p, claims.n);
	for (int i = 0; i < 32; i++)
		hash[i] = (uint8_t)i;
	HMAC(EVP_sha256(), hash, 32, (const uint8_t *)input.p, input.n, mac, &mac_n);
	buf_add_char(&input, '.');
	b64_add(&input, mac, mac_n);
	CHECK_MSG(judge_token(j, buf_str(&input), NOW)->valid, "%s", codes(&j->verdict));
	input.p[input.n - 3] = input.p[input.n - 3] == 'A' ? 'B' : 'A';
	CHECK(has_code(judge_token(j, buf_str(&input), NOW), "sig"));
	judge_free(j);
	policy_free(p);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, i ? "cert.pem" : "hmac.json");
		unlink(path);
	}
	buf_release(&b);
	buf_release(&error);
	buf_release(&claims);
	buf_release(&input);
}

/* -- what a record can say: each row is a policy of one record or two, and a token that it takes or not -- */

#define SVC "    issuers: [\"https://iss.example\"]\n    audiences: [me]\n"
#define C(more) "\"iss\":\"https://iss.example\",\"aud\":\"me\",\"sub\":\"repo:acme/app:ref:refs/heads/main\"" more
#define ENTRA(v) "    issuers: [\"" TEMPLATE "\", \"https://sts.windows.net/{tenantid}/\"]\n    tenants: {allow: [" TENANT "]}\n    versions: " v \
		 "\n    audiences: [\"api://x\", " AUDIENCE "]\n"
#define E1 "\"iss\":\"https://sts.windows.net/" TENANT "/\",\"tid\":\"" TENANT "\",\"aud\":\"api://x\",\"ver\":\"1.0\",\"appid\":\"" APP "\""
#define E2 "\"iss\":\"" V2(TENANT) "\",\"tid\":\"" TENANT "\",\"aud\":\"" AUDIENCE "\",\"ver\":\"2.0\""
#define CONSUMER "    issuers: [\"" V2(CONSUMER_TENANT) "\"]\n    tenants: {allow: [" CONSUMER_TENANT "]}\n    versions: [\"2.0\"]\n    audiences: [" AUDIENCE "]\n"

struct record_row {
	const char *record, *claims, *want; /* code; NULL = accepted */
	int status;
	const char *header;               /* members beside alg and kid */
	const char *set;                  /* NULL = plain.json */
	const char *says;                 /* in a reason */
};

static const struct record_row record_rows[] = {
	{ SVC, C("") },
	{ "    issuers: [\"https://iss.example\"]\n    audiences: [you]\n", C(""), "aud", 1 },
	/* exact, list, pattern, contains, absent, present; never across types */
	{ SVC "    claims: {x: a}\n", C(",\"x\":\"a\"") },
	{ SVC "    claims: {x: a}\n", C(",\"x\":\"A\""), "claim", 1 },
	{ SVC "    claims: {x: a}\n", C(""), "claim", 1, .says = "no claim 'x'; the record wants it 'a'" },
	{ SVC "    claims: {x: a}\n", C(",\"x\":[\"a\"]"), "claim", 1, .says = "claim 'x' is a list" },
	{ SVC "    claims: {x: a}\n", C(",\"X\":\"a\""), "claim", 1 },
	{ SVC "    claims: {x: 5}\n", C(",\"x\":5") },
	{ SVC "    claims: {x: 5}\n", C(",\"x\":\"5\""), "claim", 1 },
	{ SVC "    claims: {x: 5}\n", C(",\"x\":5.0"), "claim", 1 },
	{ SVC "    claims: {x: \"5\"}\n", C(",\"x\":\"5\"") },
	{ SVC "    claims: {x: \"5\"}\n", C(",\"x\":5"), "claim", 1, .says = "the number '5'; the record wants it '5', a text" },
	{ SVC "    claims: {x: true}\n", C(",\"x\":true") },
	{ SVC "    claims: {x: true}\n", C(",\"x\":\"true\""), "claim", 1 },
	{ SVC "    claims: {x: true}\n", C(",\"x\":1"), "claim", 1 },
	{ SVC "    claims: {x: \"true\"}\n", C(",\"x\":true"), "claim", 1 },
	{ SVC "    claims: {x: [true, \"true\"]}\n", C(",\"x\":\"true\"") },
	{ SVC "    claims: {x: [a, b]}\n", C(",\"x\":\"b\"") },
	{ SVC "    claims: {x: [a, b]}\n", C(",\"x\":\"c\""), "claim", 1 },
	{ SVC "    claims: {sub: {pattern: \"repo:acme/*\"}}\n", C("") },
	{ SVC "    claims: {sub: {pattern: \"repo:acme/*:ref:refs/heads/main\"}}\n", C("") },
	{ SVC "    claims: {sub: {pattern: [\"repo:x/*\", \"repo:acme/*\"]}}\n", C("") },
	{ SVC "    claims: {sub: {pattern: \"repo:evil/*\"}}\n", C(""), "claim", 1, .says = "claim 'sub' is 'repo:acme/app:ref:refs/heads/main'; the record wants it like 'repo:evil/" },
	{ SVC "    claims: {sub: {pattern: \"*acme\"}}\n", C(""), "claim", 1 },
	{ SVC "    claims: {x: {pattern: \"*\"}}\n", C(",\"x\":7"), "claim", 1 },
	{ SVC "    claims: {x: {pattern: \"*\"}}\n", C(""), "claim", 1 },
	{ SVC "    claims: {scp: {contains: Mail.Read}}\n", C(",\"scp\":\"User.Read Mail.Read\"") },
	{ SVC "    claims: {scp: {contains: Mail.Read}}\n", C(",\"scp\":\"Mail.ReadWrite\""), "claim", 1 },
	{ SVC "    claims: {scp: {contains: Mail.Read}}\n", C(",\"scp\":[\"User.Read\",\"Mail.Read\"]") },
	{ SVC "    claims: {scp: {contains: Mail.Read}}\n", C(",\"scp\":{\"Mail.Read\":1}"), "claim", 1 },
	{ SVC "    claims: {scp: {contains: [a, b]}}\n", C(",\"scp\":\"b c a\"") },
	{ SVC "    claims: {scp: {contains: [a, b]}}\n", C(",\"scp\":\"b c\""), "claim", 1 },
	{ SVC "    claims: {x: {contains: 5}}\n", C(",\"x\":[1,5]") },
	{ SVC "    claims: {x: {contains: 5}}\n", C(",\"x\":[1,\"5\"]"), "claim", 1 },
	{ SVC "    claims: {sub: {pattern: \"repo:*\", contains: x}}\n", C(""), "claim", 1 },
	{ SVC "    claims: {x: absent}\n", C("") },
	{ SVC "    claims: {x: absent}\n", C(",\"x\":null"), "claim", 1 },
	{ SVC "    claims: {x: \"absent\"}\n", C(",\"x\":\"absent\"") },
	{ SVC "    claims: {x: present}\n", C(",\"x\":false") },
	{ SVC "    claims: {x: present}\n", C(",\"x\":null"), "claim", 1 },
	{ SVC "    claims: {x: present}\n", C(""), "claim", 1 },
	{ SVC "    claims: {kubernetes.io: {namespace: prod, serviceaccount: {name: [a, b]}}}\n",
	  C(",\"kubernetes.io\":{\"namespace\":\"prod\",\"serviceaccount\":{\"name\":\"b\"}}") },
	{ SVC "    claims: {kubernetes.io: {namespace: prod, serviceaccount: {name: [a, b]}}}\n",
	  C(",\"kubernetes.io\":{\"namespace\":\"prod\",\"serviceaccount\":{\"name\":\"c\"}}"), "claim", 1, .says = "'kubernetes.io / serviceaccount / name'" },
	{ SVC "    claims: {a: {b: c}}\n", C(",\"a\":\"c\""), "claim", 1 },
	{ SVC "    claims: {a: {b: c}}\n", C(",\"a.b\":\"c\",\"b\":\"c\""), "claim", 1 },
	{ SVC "    claims: {a: {b: absent}}\n", C("") },
	/* kinds */
	{ SVC "    kind: access\n", C(",\"scope\":\"x\"") },
	{ SVC "    kind: access\n", C(""), "kind", 1, .says = "does not show its kind" },
	{ SVC "    kind: access\n", C(",\"nonce\":\"n\""), "kind", 1 },
	{ SVC "    kind: access\n", C(",\"at_hash\":\"n\",\"azp\":\"me\""), "kind", 1 },
	{ SVC "    kind: access\n", C(""), .header = ",\"typ\":\"at+jwt\"" },
	{ SVC "    kind: access\n", C(",\"typ\":\"Bearer\",\"nonce\":\"n\"") },
	{ SVC "    kind: access\n", C(",\"typ\":\"ID\",\"scope\":\"x\""), "kind", 1 },
	{ SVC "    kind: access\n", C(",\"token_use\":\"id\",\"client_id\":\"x\""), "kind", 1 },
	{ SVC "    kind: id\n", C("") },
	{ SVC "    kind: id\n", C(",\"scope\":\"x\""), "kind", 1 },
	{ SVC "    kind: id\n", C(""), "kind", 1, .header = ",\"typ\":\"application/at+jwt\"" },
	{ SVC, C(",\"typ\":\"Refresh\""), "kind", 1 },
	{ SVC, C(",\"jti\":\"1\",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"), "kind", 1, .says = "a logout token" },
	{ SVC "    kind: id\n", C(",\"jti\":\"1\",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"), "kind", 1 },
	{ SVC "    kind: logout\n", C(",\"jti\":\"1\",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}") },
	{ SVC "    kind: logout\n", C(",\"jti\":\"1\",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"), .header = ",\"typ\":\"logout+jwt\"" },
	{ SVC, C(",\"jti\":\"1\",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"), "hdr", 1, .header = ",\"typ\":\"logout+jwt\"" },
	{ SVC "    kind: logout\n", C(",\"jti\":\"1\",\"nonce\":\"n\",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"), "kind", 1 },
	{ SVC "    kind: logout\n", C(""), "kind", 1 },
	{ SVC "    kind: any\n", C(",\"jti\":\"1\",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}") },
	{ SVC, C(",\"cnf\":{\"jkt\":\"x\"}"), "kind", 1, .says = "cnf: allowed" },
	{ SVC "    kind: any\n", C(",\"cnf\":{\"jkt\":\"x\"}"), "kind", 1 },
	{ SVC "    cnf: allowed\n", C(",\"cnf\":{\"jkt\":\"x\"}") },
	{ SVC "    claims: {cnf: {jkt: x}}\n", C(",\"cnf\":{\"jkt\":\"x\"}") },
	{ SVC "    claims: {cnf: absent}\n", C(",\"cnf\":{\"jkt\":\"x\"}"), "kind", 1 },
	{ ENTRA("[1.0, 2.0]"), E2 ",\"nonce\":\"n\"", "kind", 1 },
	{ ENTRA("[1.0, 2.0]"), E2, "kind", 1 },
	{ ENTRA("[1.0, 2.0]") "    kind: id\n", E2 ",\"nonce\":\"n\"" },
	{ ENTRA("[1.0, 2.0]") "    kind: id\n", E2 ",\"azp\":\"" APP "\",\"scp\":\"x\"", "kind", 1 },
	/* audiences */
	{ SVC, "\"iss\":\"https://iss.example\",\"aud\":[\"me\"]", "aud", 1 },
	{ SVC "    audience_array: one\n", "\"iss\":\"https://iss.example\",\"aud\":[\"me\"]" },
	{ SVC "    audience_array: one\n", "\"iss\":\"https://iss.example\",\"aud\":[\"me\",\"you\"]", "aud", 1 },
	{ SVC "    audience_array: all\n", "\"iss\":\"https://iss.example\",\"aud\":[\"me\",\"you\"]", "aud", 1, .says = "'you'" },
	{ SVC "    audience_array: any\n", "\"iss\":\"https://iss.example\",\"aud\":[\"you\",\"me\"]" },
	{ SVC "    audience_array: any\n", "\"iss\":\"https://iss.example\",\"aud\":[\"you\",\"he\"]", "aud", 1 },
	{ SVC "    audience_array: any\n", "\"iss\":\"https://iss.example\",\"aud\":[]", "aud", 1 },
	{ SVC "    audience_array: any\n", "\"iss\":\"https://iss.example\",\"aud\":[\"me\",7]", "aud", 1 },
	{ SVC "    audience_array: any\n", "\"iss\":\"https://iss.example\",\"aud\":[[\"me\"]]", "aud", 1 },
	{ SVC "    audience_array: any\n    kind: id\n", "\"iss\":\"https://iss.example\",\"aud\":[\"you\",\"me\"]", "aud", 1, .says = "azp" },
	{ SVC "    audience_array: any\n    kind: id\n", "\"iss\":\"https://iss.example\",\"azp\":\"you\",\"aud\":[\"you\",\"me\"]", "aud", 1 },
	{ SVC "    audience_array: any\n    kind: id\n", "\"iss\":\"https://iss.example\",\"azp\":\"me\",\"aud\":[\"you\",\"me\"]" },
	{ "    issuers: [\"https://iss.example\"]\n    audiences: none\n    claims: {client_id: c, token_use: access}\n",
	  "\"iss\":\"https://iss.example\",\"client_id\":\"c\",\"token_use\":\"access\"" },
	{ "    issuers: [\"https://iss.example\"]\n    audiences: none\n    actors: [c]\n", "\"iss\":\"https://iss.example\",\"client_id\":\"d\"", "actor", 1 },
	{ "    issuers: [\"https://iss.example\"]\n    audiences: none\n    actors: [c]\n", "\"iss\":\"https://iss.example\",\"client_id\":\"c\",\"aud\":\"x\"", "aud", 1 },
	/* without an issuer */
	{ "    issuers: none\n    audiences: [me]\n", "\"aud\":\"me\"" },
	{ "    issuers: none\n    audiences: [me]\n", C(""), "key-none", 1, .says = "is for tokens without 'iss'" },
	{ SVC, "\"aud\":\"me\"", "scope-issuer", 1, .says = "issuers: none" },
	{ "    issuers: none\n    audiences: [me]\n    use: jwt-svid\n", "\"aud\":\"me\",\"sub\":\"spiffe://td/x\"", .header = ",\"typ\":\"JOSE\"", .set = "svid.json" },
	{ "    issuers: none\n    audiences: [me]\n    use: jwt-svid\n", "\"aud\":\"me\",\"sub\":\"x\"", "claim", 1, .set = "svid.json" },
	{ SVC, C(""), "hdr", 1, .header = ",\"typ\":\"JOSE\"", .says = "JOSE" },
	/* dates, lives */
	{ SVC "    dates: decimal\n", C(",\"iat\":1767693000.123456,\"exp\":1.7676972e9") },
	{ SVC "    dates: decimal\n", C(",\"iat\":17676930e2,\"exp\":176769720000e-2") },
	{ SVC "    dates: decimal\n", C(",\"iat\":1767693000,\"exp\":1e99"), "exp", 1 },
	{ SVC "    dates: decimal\n", C(",\"iat\":1767693000,\"exp\":\"1767697200.5\""), "exp", 1 },
	{ SVC "    dates: decimal\n", C(",\"iat\":1767693000,\"exp\":-1.5"), "exp", 1 },
	{ SVC "    dates: decimal\n", C(",\"iat\":1767690000,\"exp\":1767693299.9"), "exp", 1 },
	{ SVC, C(",\"iat\":1767693000.5,\"exp\":1767697200"), "iat", 1, .says = "dates: decimal" },
	{ SVC "    max_token_life: 365d\n", C(",\"iat\":1767693000,\"exp\":1799229000") },
	{ SVC, C(",\"iat\":1767693000,\"exp\":1799229000"), "life", 1 },
	/* Entra's two versions and one key; the set says whom its keys are for, and only of version 2.0 */
	{ ENTRA("[1.0, 2.0]"), E1 },
	{ ENTRA("[1.0, 2.0]"), E2 ",\"azp\":\"" APP "\"" },
	{ ENTRA("[1.0, 2.0]"), E1, .set = "entra.json" },
	{ ENTRA("[1.0, 2.0]"), E2 ",\"azp\":\"" APP "\"", .set = "entra.json" },
	{ ENTRA("[\"2.0\"]"), E1, "ver", 1, .set = "entra.json" },
	{ "    issuers: [\"" TEMPLATE "\"]\n    tenants: {allow: [" TENANT "]}\n    versions: [2.0]\n    audiences: [" AUDIENCE "]\n", E1, "key-none", 1, .set = "entra.json",
	  .says = "list it under issuers too" },
	/* ... but a consumer key speaks for no organisation, in no claim, and the other way round */
	{ ENTRA("[1.0, 2.0]"), E1, "forged-scope", 4, .set = "consumer.json" },
	{ ENTRA("[1.0, 2.0]"), E2 ",\"azp\":\"" APP "\"", "forged-scope", 4, .set = "consumer.json" },
	{ CONSUMER, "\"iss\":\"" V2(CONSUMER_TENANT) "\",\"tid\":\"" TENANT "\",\"aud\":\"" AUDIENCE "\",\"ver\":\"2.0\",\"azp\":\"x\"", "forged-scope", 4, .set = "consumer.json" },
	{ CONSUMER, "\"iss\":\"" V2(CONSUMER_TENANT) "\",\"tid\":\"" TENANT "\",\"aud\":\"" AUDIENCE "\",\"ver\":\"2.0\",\"azp\":\"x\"", "forged-scope", 4 },
	{ CONSUMER, "\"tid\":\"" TENANT "\",\"aud\":\"" AUDIENCE "\",\"ver\":\"2.0\",\"azp\":\"x\"", "forged-scope", 4, .set = "consumer.json" },
	{ CONSUMER, E1, "forged-scope", 4, .set = "consumer.json" },
	{ CONSUMER, "\"iss\":\"https://sts.windows.net/" CONSUMER_TENANT "/\",\"tid\":\"" CONSUMER_TENANT "\",\"aud\":\"" AUDIENCE "\",\"ver\":\"1.0\"", "key-none", 1, .set = "consumer.json" },
	{ ENTRA("[1.0, 2.0]"), "\"iss\":\"" V2(TENANT) "\",\"tid\":\"" CONSUMER_TENANT "\",\"aud\":\"" AUDIENCE "\",\"ver\":\"2.0\",\"azp\":\"x\"", "forged-scope", 4, .set = "entra.json" },
	{ ENTRA("[1.0, 2.0]"), "\"iss\":\"" V2(CONSUMER_TENANT) "\",\"tid\":\"" CONSUMER_TENANT "\",\"aud\":\"" AUDIENCE "\",\"ver\":\"2.0\",\"azp\":\"x\"", "forged-scope", 4, .set = "entra.json" },
	{ ENTRA("[1.0, 2.0]"), "\"iss\":\"https://sts.windows.net/" CONSUMER_TENANT "/\",\"tid\":\"" CONSUMER_TENANT "\",\"aud\":\"api://x\",\"ver\":\"1.0\"", "forged-scope", 4, .set = "entra.json" },
	{ CONSUMER, E2 ",\"azp\":\"" APP "\"", "forged-scope", 4, .set = "entra.json" },
	/* one authority that writes its name in two ways */
	{ "    issuers: [\"https://accounts.google.com\"]\n    audiences: [me]\n", "\"iss\":\"accounts.google.com\",\"aud\":\"me\"", "key-none", 1, .says = "another form" },
	{ "    issuers: [\"accounts.google.com\"]\n    audiences: [me]\n", "\"iss\":\"https://accounts.google.com\",\"aud\":\"me\"", "key-none", 1 },
	{ "    issuers: [\"https://t.auth0.example\"]\n    audiences: [me]\n", "\"iss\":\"https://t.auth0.example/\",\"aud\":\"me\"", "key-none", 1 },
	{ "    issuers: [\"https://kubernetes.default.svc\"]\n    audiences: [me]\n", "\"iss\":\"https://kubernetes.default.svc.cluster.local\",\"aud\":\"me\"", "key-none", 1 },
	{ "    issuers: [\"https://idp.example/realms/a\"]\n    audiences: [me]\n", "\"iss\":\"https://idp.example/realms/b\",\"aud\":\"me\"", "forged-scope", 4 },
	{ "    issuers: [\"https://iss.example\"]\n    audiences: [me]\n", "\"iss\":\"https://iss.example.evil.example\",\"aud\":\"me\"", "forged-scope", 4 },
	/* an old key: critical where the record names an age, a refusal where it names none */
	{ SVC "    first_listed: 2025-01-01\n", C(""), "key-age", 1, .says = "names no max_age" },
	{ SVC "    first_listed: 2025-01-01\n    max_age: 180d\n", C(""), "key-age", 4 },
	{ SVC "    first_listed: 2025-01-01\n    max_age: 400d\n", C("") },
	/* RFC 9864, thumbprints in hexadecimal */
	{ SVC, C(""), "hdr", 1, .header = ",\"x5t\":\"0000000000000000000000000000000000000000\"" },
};

static void test_records(void)
{
	static const char *const sets[][2] = { { "plain.json", NULL }, { "entra.json", TEMPLATE }, { "consumer.json", V2(CONSUMER_TENANT) }, { "svid.json", NULL } };
	struct buf b, error, token;
	char path[256];

	buf_init(&b, 64 * KIB);
	buf_init(&error, 16 * KIB);
	buf_init(&token, 64 * KIB);
	for (int i = 0; i < 4; i++) {
		buf_clear(&b);
		buf_add_cstr(&b, "{\"keys\":[");
		add_set_key(&b, "k", RSA_A, sets[i][1], NULL);
		if (i == 3) { /* the second "use" is the last thing in the object */
			b.n -= strlen("\"use\":\"sig\"}");
			buf_add_cstr(&b, "\"use\":\"jwt-svid\"}");
		}
		buf_add_cstr(&b, ",{");
		add_jwk(&b, RSA_B);
		buf_add_cstr(&b, ",\"kid\":\"enc\",\"use\":\"enc\"},{");
		add_jwk(&b, EC_256);
		buf_add_cstr(&b, ",\"kid\":\"ec\"}]}");
		write_file(sets[i][0], buf_str(&b));
	}
	snprintf(path, sizeof(path), "%s/r.yaml", folder);
	for (size_t i = 0; i < sizeof(record_rows) / sizeof(record_rows[0]); i++) {
		const struct record_row *r = &record_rows[i];
		struct policy *p = policy_new();
		struct judge *j;
		struct buf header;
		buf_clear(&b);
		buf_clear(&error);
		buf_printf(&b, "records:\n  - from: {jwks: %s}\n    alg: RS256\n    state: active\n%s", r->set ? r->set : "plain.json", r->record);
		CHECK_MSG(policy_load_text(p, path, buf_str(&b), &error) && policy_bind(p, &error), "%s%s", b.p, error.n ? error.p : "");
		CHECK_MSG(p->n == 1, "%s: %u records of one set", b.p, p->n); /* not of the key for encryption, nor of another algorithm's */
		j = judge_new(p, NULL);
		buf_clear(&b);
		buf_printf(&b, "{%s%s%s}", r->claims, strstr(r->claims, "\"iat\"") ? "" : ",\"iat\":1767693000", strstr(r->claims, "\"exp\"") ? "" : ",\"exp\":1767697200");
		buf_init(&header, 4096);
		buf_printf(&header, "{\"alg\":\"RS256\",\"kid\":\"k\"%s}", r->header ? r->header : "");
		mint(&token, buf_str(&header), buf_str(&b), RSA_A, "RS256");
		judge_token(j, buf_str(&token), NOW);
		if (r->want)
			CHECK_MSG(has_code(&j->verdict, r->want) && (!r->status || verdict_status(&j->verdict) == r->status), "%s%s: wanted %s, %d, have %s, %d", r->record, r->claims,
				  r->want, r->status, codes(&j->verdict), verdict_status(&j->verdict));
		else if (r->status == 0)
			CHECK_MSG(j->verdict.valid, "%s%s: refused: %s: %s", r->record, r->claims, codes(&j->verdict), j->verdict.n ? j->verdict.reason[0].text : "");
		if (r->says)
			CHECK_MSG(verdict_says(j, r->says), "%s%s: does not say %s", r->record, r->claims, r->says);
		buf_release(&header);
		judge_free(j);
		policy_free(p);
	}
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, sets[i][0]);
		unlink(path);
	}
	buf_release(&b);
	buf_release(&error);
	buf_release(&token);
}

/* Two issuers have a key of one id.  Each one's token is accepted; a token of one that the other's key signed is the other's forgery. */
static void test_same_kid(void)
{
	static const struct { const char *name, *more, *iss; int key; bool valid; int status; const char *want; } rows[] = {
		{ "own key", "", "https://a.example", RSA_A, true, 0, NULL },
		{ "own key of the other", "", "https://b.example", RSA_B, true, 0, NULL },
		{ "the other's key", "", "https://a.example", RSA_B, false, 4, "forged-scope" },
		{ "and the other way round", "", "https://b.example", RSA_A, false, 4, "forged-scope" },
		{ "nobody's key", "", "https://a.example", RSA_OLD, false, 1, "sig" },
		{ "a third issuer", "", "https://c.example", RSA_A, false, 4, "forged-scope" },
	};
	struct policy *p = policy_new();
	struct judge *j;
	struct buf b, error, token;
	char path[256];

	buf_init(&b, 64 * KIB);
	buf_init(&error, 16 * KIB);
	buf_init(&token, 64 * KIB);
	for (int i = 0; i < 2; i++) {
		buf_clear(&b);
		buf_add_cstr(&b, "{\"keys\":[");
		add_set_key(&b, "k", i ? RSA_B : RSA_A, NULL, NULL);
		buf_add_cstr(&b, "]}");
		write_file(i ? "b.json" : "a.json", buf_str(&b));
	}
	snprintf(path, sizeof(path), "%s/k.yaml", folder);
	CHECK_MSG(policy_load_text(p, path, STR("records:\n  - {from: {jwks: a.json}, alg: RS256, issuers: [\"https://a.example\"], audiences: [me], state: active}\n"
						"  - {from: {jwks: b.json}, alg: RS256, issuers: [\"https://b.example\"], audiences: [me], state: active}\n"), &error) &&
		  policy_bind(p, &error), "%s", error.n ? error.p : "");
	j = judge_new(p, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		buf_printf(&b, "{\"iss\":\"%s\",\"aud\":\"me\",\"iat\":1767693000,\"exp\":1767697200}", rows[i].iss);
		mint(&token, STR("{\"alg\":\"RS256\",\"kid\":\"k\"}"), buf_str(&b), rows[i].key, "RS256");
		judge_token(j, buf_str(&token), NOW);
		CHECK_MSG(j->verdict.valid == rows[i].valid && verdict_status(&j->verdict) == rows[i].status && (!rows[i].want || has_code(&j->verdict, rows[i].want)),
			  "%s: %d, %s", rows[i].name, verdict_status(&j->verdict), codes(&j->verdict));
	}
	judge_free(j);
	policy_free(p);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, i ? "b.json" : "a.json");
		unlink(path);
	}
	buf_release(&b);
	buf_release(&error);
	buf_release(&token);
}

/* EdDSA and the names of RFC 9864, in header and key and record; thumbprints in both writings. */
static void test_names(struct judge *j)
{
	static const struct { const char *header; int key; const char *alg, *want; } rows[] = {
		{ "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", ED, "EdDSA", NULL }, { "{\"alg\":\"Ed25519\",\"kid\":\"ed\"}", ED, "EdDSA", NULL },
		{ "{\"alg\":\"Ed448\",\"kid\":\"ed\"}", ED, "EdDSA", "alg" }, { "{\"alg\":\"ed25519\",\"kid\":\"ed\"}", ED, "EdDSA", "alg" },
		{ "{\"alg\":\"Ed25519\",\"kid\":\"ec\"}", EC_256, "ES256", "alg" }, { "{\"alg\":\"ESP256\",\"kid\":\"ec\"}", EC_256, "ES256", "alg" },
	};
	struct buf token, claims, header;
	const struct key_record *r = policy_record(j->policy, STR("a"));
	char hex[KEY_HEX_SIZE];

	buf_init(&token, 64 * KIB);
	buf_init(&claims, 64 * KIB);
	buf_init(&header, 64 * KIB);
	add_claims(&claims, NULL, NULL, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mint(&token, str_of(rows[i].header), buf_str(&claims), rows[i].key, rows[i].alg);
		judge_token(j, buf_str(&token), NOW);
		CHECK_MSG(rows[i].want ? has_code(&j->verdict, rows[i].want) : j->verdict.valid, "%s: %s", rows[i].header, codes(&j->verdict));
	}
	for (int i = 0; i < 6; i++) { /* SHA-1 and SHA-256, base64url, hexadecimal, hexadecimal of another */
		const size_t n = i % 2 ? 32 : 20;
		uint8_t hash[32];
		memcpy(hash, i % 2 ? r->key->cert.sha256 : r->key->cert.sha1, n);
		hash[0] ^= i >= 4;
		buf_clear(&header);
		buf_printf(&header, "{\"alg\":\"RS256\",\"kid\":\"a\",\"%s\":\"", i % 2 ? "x5t#S256" : "x5t");
		if (i < 2)
			b64_add(&header, hash, n);
		else
			buf_add_cstr(&header, key_hex(hash, n, hex));
		for (char *c = header.p; i == 2 && c < header.p + header.n; c++) /* upper case too; the names before it stay */
			if (c > header.p + header.n - 41 && *c >= 'a' && *c <= 'f')
				*c = (char)(*c - 'a' + 'A');
		buf_add_cstr(&header, "\"}");
		mint(&token, buf_str(&header), buf_str(&claims), RSA_A, "RS256");
		judge_token(j, buf_str(&token), NOW);
		CHECK_MSG(i < 4 ? j->verdict.valid : has_code(&j->verdict, "hdr"), "%s: %s", header.p, codes(&j->verdict));
	}
	buf_release(&token);
	buf_release(&claims);
	buf_release(&header);
}

static void test_patterns(void)
{
	static const struct { const char *pattern, *text; bool matches; } rows[] = {
		{ "", "", true }, { "", "a", false }, { "*", "", true }, { "*", "a/b:c", true }, { "a*", "a", true }, { "a*", "b", false }, { "*a", "ba", true },
		{ "*a", "ab", false }, { "a*b*c", "aXbYbZc", true }, { "a*b*c", "aXcb", false }, { "?", "a", true }, { "?", "", false }, { "?", "ab", false },
		{ "?", "\xc3\xa9", true }, { "a?c", "a\xe2\x82\xac" "c", true }, { "\\*", "*", true }, { "\\*", "a", false }, { "a\\?", "a?", true }, { "a\\?", "ab", false },
		{ "\\", "\\", true }, { "**", "x", true }, { "a.c", "abc", false }, { "[ab]", "a", false }, { "repo:acme/*", "repo:acme2/x", false },
		{ "repo:acme/*", "xrepo:acme/y", false }, { "*aaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_MSG(claim_pattern_matches(str_of(rows[i].pattern), str_of(rows[i].text)) == rows[i].matches, "%s %s", rows[i].pattern, rows[i].text);
}

/* One policy, several threads, each with its judge. */
struct worker {
	pthread_t thread;
	const struct policy *policy;
	const struct buf *token;
	unsigned accepted;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct judge *j = judge_new(w->policy, NULL);

	for (int i = 0; i < 200; i++)
		w->accepted += judge_token(j, buf_str(&w->token[i % 3]), NOW)->valid;
	judge_free(j);
	return NULL;
}

static void test_threads(const struct policy *p)
{
	struct worker w[4];
	struct buf token[3];

	for (int i = 0; i < 3; i++) {
		buf_init(&token[i], 64 * KIB);
		usual_token(&token[i], i == 0 ? "a" : i == 1 ? "ec" : "ed", NULL, 0);
	}
	for (int i = 0; i < 4; i++) {
		w[i] = (struct worker){ .policy = p, .token = token };
		CHECK(pthread_create(&w[i].thread, NULL, work, &w[i]) == 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(w[i].thread, NULL);
		CHECK(w[i].accepted == 200);
	}
	for (int i = 0; i < 3; i++)
		buf_release(&token[i]);
}

/* -- the exchange -- */

static void test_exchange(const struct policy *p)
{
	static const struct { const char *name; struct member result[4], subject[6]; const char *want; } rows[] = {
		{ "good", { { "iat", "1767693100" } }, { { "amr", "[\"pwd\",\"mfa\"]" } }, NULL },
		{ "good, application", { { "iat", "1767693100" } }, { { "azpacr", "\"2\"" } }, NULL },
		{ "no sign-in", { { "iat", "1767693100" } }, { { "x", NULL } }, "no-root" },
		{ "expired subject", { { "iat", "1767693100" } }, { { "amr", "[\"pwd\"]" }, { "iat", "1767689000" }, { "nbf", NULL }, { "exp", "1767692700" } },
		  "subject-expired" },
		{ "outlives", { { "iat", "1767693100" }, { "exp", "1767697201" } }, { { "amr", "[\"pwd\"]" } }, "outlives" },
		{ "another session", { { "sid", "\"s-2\"" }, { "uti", "\"u-2\"" } }, { { "amr", "[\"pwd\"]" } }, "unlinked" },
		{ "another person", { { "oid", "\"p\"" } }, { { "amr", "[\"pwd\"]" } }, "unlinked" },
		{ "subject for another audience", { { "iat", "1767693100" } }, { { "amr", "[\"pwd\"]" }, { "aud", "\"" CONSUMER_AUDIENCE "\"" } }, "subject" },
		{ "issued by the service itself", { { "iat", "1767693100" } }, { { "amr", "[\"pwd\"]" }, { "iss", "\"https://api.example.com/\"" } },
		  "self-issued" },
	};
	struct judge *j = judge_new(p, NULL);
	struct buf result, subject;
	struct str chain[TOKEN_CHAIN_MAX];

	buf_init(&result, 64 * KIB);
	buf_init(&subject, 64 * KIB);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		usual_token(&result, "a", rows[i].result, 4);
		usual_token(&subject, "a", rows[i].subject, 6);
		chain[0] = buf_str(&subject);
		CHECK_MSG(judge_token(j, buf_str(&result), NOW)->valid, "%s", rows[i].name);
		CHECK(exchange_judge(j, chain, 1) && j->verdict.chain == 1);
		if (!rows[i].want)
			CHECK_MSG(j->verdict.valid, "%s: %s", rows[i].name, codes(&j->verdict));
		else
			CHECK_MSG(!j->verdict.valid && has_code(&j->verdict, rows[i].want), "%s: %s", rows[i].name, codes(&j->verdict));
	}
	/* a token that is given for itself, or again further back, or with another signature over the same */
	usual_token(&result, "a", rows[0].subject, 6);
	chain[0] = buf_str(&result);
	judge_token(j, buf_str(&result), NOW);
	CHECK(exchange_judge(j, chain, 1) && !j->verdict.valid && has_code(&j->verdict, "subject") && verdict_says(j, "no proof of itself"));
	usual_token(&result, "a", rows[0].result, 4);
	chain[0] = chain[1] = buf_str(&subject);
	judge_token(j, buf_str(&result), NOW);
	CHECK(exchange_judge(j, chain, 2) && has_code(&j->verdict, "subject") && verdict_says(j, "is subject token 1 again"));
	for (int i = 0; i < 4; i++)
		chain[i] = buf_str(&subject);
	judge_token(j, buf_str(&result), NOW);
	CHECK(exchange_judge(j, chain, 4) && j->verdict.chain == 4 && has_code(&j->verdict, "no-root"));
	buf_release(&result);
	buf_release(&subject);
	judge_free(j);
}

static void test_replay(const struct policy *p)
{
	struct replay_store *store = replay_store_new();
	struct judge *one = judge_new(p, store), *two = judge_new(p, store);
	static const struct member other[] = { { "uti", "\"u-9\"" } }, none[] = { { "uti", NULL } }, bad[] = { { "uti", "\"u-8\"" }, { "aud", "\"x\"" } },
				   bad_mended[] = { { "uti", "\"u-8\"" } }, both[] = { { "uti", "\"u-5\"" }, { "jti", "\"j-5\"" } },
				   same_jti[] = { { "uti", "\"u-6\"" }, { "jti", "\"j-5\"" } };
	struct buf b;

	buf_init(&b, 64 * KIB);
	usual_token(&b, "a", NULL, 0);
	CHECK(judge_token(one, buf_str(&b), NOW)->valid);
	CHECK(has_code(judge_token(one, buf_str(&b), NOW), "replay"));
	CHECK(has_code(judge_token(two, buf_str(&b), NOW), "replay"));
	usual_token(&b, "a", other, 1);
	CHECK(judge_token(two, buf_str(&b), NOW)->valid);
	usual_token(&b, "a", none, 1);
	CHECK(has_code(judge_token(two, buf_str(&b), NOW), "replay"));
	usual_token(&b, "a", both, 2); /* a jti that was seen is enough, and so is a uti */
	CHECK(judge_token(two, buf_str(&b), NOW)->valid);
	usual_token(&b, "a", same_jti, 2);
	CHECK(has_code(judge_token(two, buf_str(&b), NOW), "replay"));
	usual_token(&b, "a", bad, 2); /* a refused token does not use up its id */
	CHECK(!judge_token(two, buf_str(&b), NOW)->valid);
	usual_token(&b, "a", bad_mended, 1);
	CHECK(judge_token(two, buf_str(&b), NOW)->valid);
	judge_free(one);
	judge_free(two);
	replay_store_free(store);
	buf_release(&b);
}

/* A token for Graph is not refused but unjudgeable; without its nonce it is refused. */
static void test_private_form(struct judge *j)
{
	static const struct member graph[] = { { "aud", "\"00000003-0000-0000-c000-000000000000\"" } };
	struct buf b, claims;
	const struct verdict *v;

	buf_init(&b, 64 * KIB);
	buf_init(&claims, 64 * KIB);
	add_claims(&claims, NULL, graph, 1);
	mint(&b, STR("{\"alg\":\"RS256\",\"kid\":\"a\",\"nonce\":\"n\"}"), buf_str(&claims), RSA_B, "RS256");
	v = judge_token(j, buf_str(&b), NOW);
	CHECK(!v->valid && v->cannot_say && verdict_status(v) == 3 && !has_code(v, "sig"));
	mint(&b, STR("{\"alg\":\"RS256\",\"kid\":\"a\"}"), buf_str(&claims), RSA_B, "RS256");
	v = judge_token(j, buf_str(&b), NOW);
	CHECK(!v->valid && verdict_status(v) == 1 && has_code(v, "sig"));
	buf_release(&b);
	buf_release(&claims);
}

/* -- others' vectors -- */

static struct policy *signatures_only(struct str jwks)
{
	struct policy *p = policy_new();
	struct keyset *s = keyset_new("vectors");
	struct buf error;

	buf_init(&error, 4096);
	CHECK_MSG(keyset_load_bytes(s, jwks, KEY_KEEP_SYMMETRIC, &error), "%s", error.p ? error.p : "");
	CHECK(policy_add_set(p, s) && policy_trust_signatures_only(p) && policy_bind(p, &error));
	buf_release(&error);
	return p;
}

static const struct sj_limits file_limits = { .bytes = 4 * MIB, .depth = SJ_DEPTH_MAX, .object_members = 4096, .nodes = 400000 };

static bool number_is(struct str s, const int *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strtol(s.p, NULL, 10) == list[i])
			return true;
	return false;
}

struct tally {
	unsigned valid, invalid, wrongly_accepted, wrongly_refused;
};

/* in: vectors 367 and 370, which are byte for byte the valid 357; out: the six that strict rules refuse */
static void one_vector(struct judge *j, const struct strict_json *doc, const struct sj_node *t, bool is_signature_file, struct tally *sum)
{
	static const int same_as_valid[] = { 367, 370 }, rightly_refused[] = { 346, 347, 350, 351, 372, 373 };
	const struct sj_node *jws = sj_member(doc, t, STR("jws")), *id = sj_member(doc, t, STR("tcId"));
	const bool is_valid = str_eq(sj_member(doc, t, STR("result"))->value, STR("valid"));
	bool expected = is_valid;
	const struct verdict *v;

	if (!jws)
		return;
	if (is_signature_file && number_is(id->value, same_as_valid, 2))
		expected = true;
	if (is_signature_file && number_is(id->value, rightly_refused, 6))
		expected = false;
	v = judge_token(j, jws->kind == SJ_STRING ? jws->value : jws->raw, NOW);
	CHECK_MSG(v->valid == expected, "tcId %.*s: %s", STR_ARG(id->value), codes(v));
	*(is_valid ? &sum->valid : &sum->invalid) += 1;
	sum->wrongly_accepted += v->valid && !is_valid;
	sum->wrongly_refused += !v->valid && is_valid;
}

static void test_wycheproof(void)
{
	static const char *const files[] = { "json_web_signature_test.json", "json_web_key_test.json", "json_web_crypto_test.json" };
	struct tally sum = { 0 };

	for (int f = 0; f < 3; f++) {
		static const char *const none[] = { NULL };
		struct strict_json doc;
		struct buf text, error;
		char path[256];
		buf_init(&text, 4 * MIB);
		buf_init(&error, 4096);
		snprintf(path, sizeof(path), "tests/data/wycheproof/%s", files[f]);
		CHECK_MSG(file_read(path, &text, NULL, &error), "%s", path);
		sj_init(&doc, &file_limits, none);
		CHECK(sj_parse(&doc, buf_str(&text)) == SJ_OK);
		const struct sj_node *groups = sj_member(&doc, sj_root(&doc), STR("testGroups"));
		for (const struct sj_node *g = sj_first(&doc, groups); g; g = sj_next(&doc, g)) {
			const struct sj_node *key = sj_member(&doc, g, STR("public")), *type = sj_member(&doc, g, STR("type"));
			if (str_eq(type->value, STR("JsonWebEncryption")))
				continue;
			key = key ? key : sj_member(&doc, g, STR("private"));
			struct policy *p = signatures_only(key->raw);
			struct judge *j = judge_new(p, NULL);
			for (const struct sj_node *t = sj_first(&doc, sj_member(&doc, g, STR("tests"))); t; t = sj_next(&doc, t))
				one_vector(j, &doc, t, f == 0, &sum);
			judge_free(j);
			policy_free(p);
		}
		sj_release(&doc);
		buf_release(&text);
		buf_release(&error);
	}
	CHECK_MSG(sum.valid == 55 && sum.invalid == 421, "%u valid, %u invalid", sum.valid, sum.invalid);
	CHECK_MSG(sum.wrongly_accepted == 2 && sum.wrongly_refused == 6, "%u accepted, %u refused", sum.wrongly_accepted, sum.wrongly_refused);
	printf("Wycheproof JWS: %u of %u invalid refused, %u of %u valid accepted\n", sum.invalid - sum.wrongly_accepted, sum.invalid,
	       sum.valid - sum.wrongly_refused, sum.valid);
}

static void test_rfc(void)
{
	static const char *const none[] = { NULL };
	struct strict_json doc;
	struct buf text, error;
	unsigned n = 0;

	buf_init(&text, MIB);
	buf_init(&error, 4096);
	CHECK(file_read("tests/data/rfc-jws/vectors.json", &text, NULL, &error));
	sj_init(&doc, &file_limits, none);
	CHECK(sj_parse(&doc, buf_str(&text)) == SJ_OK);
	const struct sj_node *list = sj_member(&doc, sj_root(&doc), STR("vectors"));
	for (const struct sj_node *t = sj_first(&doc, list); t; t = sj_next(&doc, t), n++) {
		struct policy *p = signatures_only(sj_member(&doc, t, STR("key"))->raw);
		struct judge *j = judge_new(p, NULL);
		const struct verdict *v = judge_token(j, sj_member(&doc, t, STR("jws"))->value, NOW);
		CHECK_MSG(v->valid == (sj_member(&doc, t, STR("valid"))->kind == SJ_TRUE), "%.*s: %s",
			  STR_ARG(sj_member(&doc, t, STR("name"))->value), codes(v));
		judge_free(j);
		policy_free(p);
	}
	CHECK(n == 11);
	sj_release(&doc);
	buf_release(&text);
	buf_release(&error);
}

/* -- lines and output -- */

static void test_lines(void)
{
	static const struct { const char *line, *token; int64_t time; } rows[] = {
		{ "a.b.c", "a.b.c", -1 },
		{ "{\"token\":\"a.b.c\"}", "a.b.c", -1 },
		{ "{\"time\":\"2026-01-06T10:00:00Z\",\"x\":{\"access_token\":\"a.b.c\"}}", "a.b.c", NOW },
		{ "{\"CreationTime\":\"2026-01-06T10:00:00\",\"h\":[{\"Authorization\":\"Bearer a.b.c\"}]}", "a.b.c", NOW },
		{ "{\"msg\":\"eyJh.b.c\"}", "eyJh.b.c", -1 },
		{ "eyJh.b.c\r", "eyJh.b.c", -1 },
		{ "\xef\xbb\xbf  eyJh.b.c \t\r", "eyJh.b.c", -1 },
		{ "\"eyJh.b.c\",", "eyJh.b.c", -1 },
		{ "'eyJh.b.c'", "eyJh.b.c", -1 },
		{ "Bearer eyJh.b.c", "eyJh.b.c", -1 },
		{ "\xc2\xa0" "eyJh.b.c\xe2\x80\x8b", "eyJh.b.c", -1 },
		{ "\xe2\x80\x9c" "eyJh.b.c\xe2\x80\x9d", "eyJh.b.c", -1 },
		{ "Bearer+eyJh.b.c", "eyJh.b.c", -1 },
		{ "https://app.example.com/verify/eyJh.b.c#top", "eyJh.b.c", -1 },
		{ "| eyJh.b.c|", "eyJh.b.c", -1 },
		{ "The token is eyJh.b.c.", "eyJh.b.c", -1 },
		{ "bearer  a.b.c", "a.b.c", -1 },
		{ "authorization: Bearer eyJh.b.c", "eyJh.b.c", -1 },
		{ "  -H 'Authorization: Bearer eyJh.b.c' \\", "eyJh.b.c", -1 },
		{ "x-amzn-oidc-data: eyJh.b.c", "eyJh.b.c", -1 },
		{ "Cookie: a=1; id=eyJh.b.c; c=2", "eyJh.b.c", -1 },
		{ "\"access_token\": \"eyJh.b.c\",", "eyJh.b.c", -1 },
		{ "export TOKEN=eyJh.b.c", "eyJh.b.c", -1 },
		{ "https://x.example.com/cb#id_token=eyJh.b.c&state=1", "eyJh.b.c", -1 },
		{ "[\"eyJh.b.c\"]", "eyJh.b.c", -1 },
		{ "eyJh=.b.c=", "eyJh=.b.c=", -1 }, /* what is wrong in the token stays in it */
		{ "eyJh.b+/.c%3D", "eyJh.b+/.c%3D", -1 },
		{ "id_token%3DeyJh.b.c%26state%3D1", "eyJh.b.c", -1 },
		{ "%22eyJh.b.c%22", "eyJh.b.c", -1 },
		{ "https://x.example.com/?u=%7B%22t%22%3A%22eyJh.b.c%22%7D", "eyJh.b.c", -1 },
		{ "eyJh.b.c%", "eyJh.b.c%", -1 },
		{ "eyJh.b.c%2", "eyJh.b.c%2", -1 },
		{ " {\"headers\":{\"Authorization\":\"Bearer eyJh.b.c\"}},\r", "eyJh.b.c", -1 },
		{ "{\"h\":\"GET / Authorization: Bearer eyJh.b.c\"}", "eyJh.b.c", -1 },
		{ "{\"cookie\":\"a=1; t=eyJh.b.c\"}", "eyJh.b.c", -1 },
		{ "{\"msg\":\"hello\"}", NULL, -1 },
		{ "{\"token\":", NULL, -1 },
	};
	/* lines of several tokens: all of them, in their order, blanks between them here; "!" = found, and the line is wrong */
	static const struct { const char *line, *tokens; } several[] = {
		{ "{\"id_token\":\"eyJh.b.c\",\"access_token\":\"eyJi.b.c\"}", "eyJh.b.c eyJi.b.c" },
		{ "{\"token\":\"eyJh.b.c\",\"token\":\"eyJi.b.c\"}", "!eyJh.b.c eyJi.b.c" },
		{ "{\"token\":\"eyJh.b.c\",\"tok\\u0065n\":\"eyJi.b.c\"}", "!eyJh.b.c eyJi.b.c" },
		{ "{\"token\":\"eyJh.b.c\",\"token\":\"eyJh.b.c\"}", "!eyJh.b.c" },
		{ "{\"q\":1,\"token\":\"eyJh.b.c\",\"q\":2}", "!eyJh.b.c" },
		{ "{\"x\":{\"token\":\"eyJh.b.c\"},\"x\":{}}", "!eyJh.b.c" },
		{ "{\"token\":[\"eyJh.b.c\",\"eyJi.b.c\"]}", "eyJh.b.c eyJi.b.c" },
		{ "{\"token\":[\"eyJh.b.c\",[[\"a.b.c\"]]]}", "eyJh.b.c a.b.c" },
		{ "{\"a\":{\"a\":{\"a\":[{\"jwt\":\"eyJh.b.c\"}]}},\"authorization\":\"Bearer eyJi.b.c\"}", "eyJh.b.c eyJi.b.c" },
		{ "{\"Authorization\":[\"Bearer eyJh.b.c\",\"DPoP eyJi.b.c\"]}", "eyJh.b.c eyJi.b.c" },
		{ "{\"Authorization\":\"Basic dTpw\",\"Cookie\":\"a=1; t=eyJh.b.c; u=eyJi.b.c\"}", "eyJh.b.c eyJi.b.c" },
		{ "{\"token\":\"eyJh.b.c\",\"access_token\":\"opaque\"}", "eyJh.b.c opaque" },
		{ "{\"token\":\"eyJh.b.c\",\"access_token\":\"\"}", "eyJh.b.c" },
		{ "{\"token\":\"eyJh.b.c eyJi.b.c\"}", "eyJh.b.c eyJi.b.c" },
		{ "{\"msg\":\"one eyJh.b.c, two eyJi.b.c\"}", "eyJh.b.c eyJi.b.c" },
		{ "{\"body\":\"{\\\"access_token\\\":\\\"eyJh.b.c\\\",\\\"id_token\\\":\\\"eyJi.b.c\\\"}\"}", "eyJh.b.c eyJi.b.c" },
		{ "{\"eyJh.b.c\":\"eyJi.b.c\"}", "eyJh.b.c eyJi.b.c" },
		{ "{\"token\":\"eyJh.b.c\",\"x\":\"eyJi.b.c\"}", "eyJh.b.c eyJi.b.c" },
		{ "{\"token\":\"eyJh.b.c\",\"x\":\"eyJ\\u0069.b.c\"}", "eyJh.b.c eyJi.b.c" },
		{ "{\"token\":\"eyJh.b.c\",\"x\":\"IHsi.b.c\",\"y\":\"CgkNCiAgICAgICAg.b.c\",\"z\":\"ewki.b.c\"}", "eyJh.b.c IHsi.b.c CgkNCiAgICAgICAg.b.c ewki.b.c" },
		{ "[\"eyJh.b.c\",{\"t\":\"eyJi.b.c\"}]", "eyJh.b.c eyJi.b.c" },
		{ "[2026-01-06 10:00] eyJh.b.c eyJi.b.c", "eyJh.b.c eyJi.b.c" },
		{ "eyJh.b.c eyJi.b.c\r", "eyJh.b.c eyJi.b.c" },
		{ "Bearer eyJh.b.c, Bearer eyJi.b.c", "eyJh.b.c eyJi.b.c" },
		{ "eyJh.b.c eyJi.b.c eyJh.b.c", "eyJh.b.c eyJi.b.c" },
		{ "eyJh.b.c:eyJi.b.c~eyJj.b.c=eyJk.b.c", "eyJh.b.c eyJi.b.c eyJj.b.c eyJk.b.c" },
		{ "eyJh.b.c%20eyJi.b.c%26t%3DeyJj.b.c", "eyJh.b.c eyJi.b.c eyJj.b.c" },
		{ "eyJh.b.c eyJi.b.c.d.e", "eyJh.b.c eyJi.b.c.d.e" },
		{ "eyJh.b.c eyJi.b.c.", "eyJh.b.c eyJi.b.c" },
		{ "access_token=eyJh.b.c id_token=eyJi.b.c", "eyJh.b.c eyJi.b.c" },
	};
	struct line_reader x;

	line_reader_init(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t us = -1000000;
		const char *problem = line_tokens(&x, str_of(rows[i].line), &us);
		CHECK_MSG((problem == NULL) == (rows[i].token != NULL), "%s", rows[i].line);
		if (rows[i].token)
			CHECK_MSG(x.n == 1 && str_eq(x.token[0], str_of(rows[i].token)), "%s", rows[i].line);
		CHECK_MSG(us / 1000000 == rows[i].time, "%s", rows[i].line);
	}
	for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++) {
		const bool wrong = several[i].tokens[0] == '!';
		char all[512] = "";
		int64_t us;
		size_t n = 0;
		CHECK_MSG((line_tokens(&x, str_of(several[i].line), &us) != NULL) == wrong && x.duplicate == wrong, "%s", several[i].line);
		for (unsigned k = 0; k < x.n; k++)
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%.*s", k ? " " : "", STR_ARG(x.token[k]));
		CHECK_TEXT(all, several[i].tokens + wrong);
	}
	/* a token in JSON form is not judged, and the line says so, whatever else is in it */
	static const struct { const char *line; bool is; } in_json[] = {
		{ "{\"payload\":\"b\",\"protected\":\"eyJh\",\"signature\":\"c\"}", true },
		{ "{\"payload\":\"b\",\"header\":{\"alg\":\"RS256\"},\"signature\":\"c\"}", true },
		{ "{\"payload\":\"b\",\"signatures\":[{\"protected\":\"eyJh\",\"signature\":\"c\"}]}", true },
		{ "{\"payload\":\"b\",\"prot\\u0065cted\":\"eyJh\",\"signature\":\"c\"}", true },
		{ "{\"token\":\"eyJh.b.c\",\"other\":{\"payload\":\"b\",\"protected\":\"eyJh\",\"signature\":\"c\"}}", true },
		{ "[\"eyJh.b.c\",[{\"payload\":\"b\",\"protected\":\"eyJh\",\"signature\":\"c\"}]]", true },
		{ "{\"token\":\"eyJh.b.c\",\"body\":\" {\\\"payload\\\":\\\"b\\\",\\\"protected\\\":\\\"eyJh\\\",\\\"signature\\\":\\\"c\\\"}\"}", true },
		{ "{\"protected\":\"eyJh\",\"encrypted_key\":\"a\",\"iv\":\"b\",\"ciphertext\":\"c\",\"tag\":\"d\"}", true },
		{ "{\"token\":\"eyJh.b.c\",\"payload\":\"b\",\"signature\":\"of a webhook\"}", false },
		{ "{\"token\":\"eyJh.b.c\",\"signatures\":3,\"payload\":\"b\"}", false },
	};
	for (size_t i = 0; i < sizeof(in_json) / sizeof(in_json[0]); i++) {
		int64_t us;
		const char *problem = line_tokens(&x, str_of(in_json[i].line), &us);
		CHECK_MSG((problem != NULL) == in_json[i].is && x.has_json_token == in_json[i].is, "%s: %s", in_json[i].line, problem ? problem : "");
	}
	struct buf many; /* more than are judged: what is not looked at is not accepted */
	int64_t us;
	buf_init(&many, 64 * KIB);
	for (int i = 0; i <= TOKEN_LINE_MAX; i++)
		buf_printf(&many, "eyJh.%d.c ", i);
	CHECK(line_tokens(&x, buf_str(&many), &us) && x.n == TOKEN_LINE_MAX);
	buf_release(&many);
	line_reader_release(&x);

	static const struct { const char *text, *dots; } escaped[] = {
		{ "eyJh%2Eb%2ec", "eyJh.b.c" }, { "eyJh.b.c", "eyJh.b.c" }, { "%2E", "." }, { "%2", "%2" }, { "%", "%" }, { "a%2Fb%252E", "a%2Fb%252E" }, { "", "" },
	};
	for (size_t i = 0; i < sizeof escaped / sizeof escaped[0]; i++) {
		char text[32];
		snprintf(text, sizeof text, "%s", escaped[i].text);
		CHECK_MSG(str_eq((struct str){ text, token_restore_dots(text, strlen(text)) }, str_of(escaped[i].dots)), "%s", escaped[i].text);
	}

	static const struct { const char *text, *token; } wrapped[] = {
		{ "eyJh\n.b\n.c\n", "eyJh.b.c" }, { "\xef\xbb\xbf" "eyJhYW\r\n  FhLmI.b\r\n.c\r\n\r\n", "eyJhYWFhLmI.b.c" }, { "eyJh.b.c\n", NULL },
		{ "eyJh.b.c\neyJh.b.d\n", NULL }, { "eyJh.b\nwhat is this.c", NULL }, { "eyJh.b\n=.c", NULL }, { "a\n.b.c", NULL },
	};
	for (size_t i = 0; i < sizeof(wrapped) / sizeof(wrapped[0]); i++) {
		char text[64];
		size_t n = strlen(wrapped[i].text);
		memcpy(text, wrapped[i].text, n);
		const bool is = token_join_lines(text, &n);
		CHECK_MSG(is == (wrapped[i].token != NULL) && (!is || (n == strlen(wrapped[i].token) && memcmp(text, wrapped[i].token, n) == 0)), "%s", wrapped[i].text);
	}
}

static void test_output(struct judge *j)
{
	static const char *const none[] = { NULL };
	static const char *const members[] = { "valid", "kid", "alg", "key_spki_sha256", "issuer", "tenant", "audience", "reasons", "status", "token_sha256", "tokens", "schema_version" };
	struct strict_json doc;
	struct buf token, b;
	const struct sj_node *n;
	size_t i = 0;

	buf_init(&token, 64 * KIB);
	buf_init(&b, 64 * KIB);
	sj_init(&doc, &file_limits, none);
	usual_token(&token, "consumer", NULL, 0);
	judge_token(j, buf_str(&token), NOW);
	verdict_add_json(&b, j);
	CHECK_MSG(sj_parse(&doc, buf_str(&b)) == SJ_OK, "%s", b.p);
	for (n = sj_first(&doc, sj_root(&doc)); n && i < sizeof(members) / sizeof(members[0]); n = sj_next(&doc, n), i++)
		CHECK_TEXT(str_eq(n->key, str_of(members[i])) ? members[i] : "another", members[i]);
	CHECK(!n && i == sizeof(members) / sizeof(members[0]));
	/* neither form of report holds the signature */
	verdict_add_text(&b, j);
	explain_add_text(&b, j);
	explain_add_json(&b, j);
	CHECK(!memmem(b.p, b.n, token.p + token.n - 40, 40));
	/* a hostile key id reaches no output raw */
	mint(&token, STR("{\"alg\":\"RS256\",\"kid\":\"\\u001b[31m<script>\\u202e\"}"), STR("{}"), RSA_A, "RS256");
	judge_token(j, buf_str(&token), NOW);
	buf_clear(&b);
	explain_add_text(&b, j);
	verdict_add_json(&b, j);
	CHECK(!memchr(b.p, 0x1b, b.n) && !memmem(b.p, b.n, "\xe2\x80\xae", 3));
	sj_release(&doc);
	buf_release(&token);
	buf_release(&b);
}

int main(void)
{
	struct policy *p;
	struct judge *j;
	char command_path[256];

	if (!mkdtemp(folder))
		return 1;
	make_keys();
	write_set();
	p = make_policy();
	j = judge_new(p, NULL);
	if (!p->index_size || !j)
		return check_summary() | 1;
	test_wycheproof();
	test_rfc();
	test_attacks(j);
	test_form(j);
	test_public_key_as_secret(j);
	test_ecdsa(j);
	test_mutations(j);
	test_storm(j);
	test_stolen_key();
	test_policy_file();
	test_empty_lists();
	test_record_by_issuer();
	test_other_records();
	test_records();
	test_same_kid();
	test_names(j);
	test_patterns();
	test_threads(p);
	test_exchange(p);
	test_replay(p);
	test_private_form(j);
	test_lines();
	test_output(j);
	judge_free(j);
	policy_free(p);
	for (int i = 0; i < KEY_N; i++)
		EVP_PKEY_free(keys[i]);
	for (int i = 0; i < 3; i++) {
		snprintf(command_path, sizeof(command_path), "%s/%s", folder, i == 2 ? "metadata.json" : i ? "policy.yaml" : "set.json");
		unlink(command_path);
	}
	rmdir(folder);
	return check_summary();
}
