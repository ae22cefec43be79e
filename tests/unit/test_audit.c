/* SPDX-License-Identifier: Apache-2.0 */
/* audit: each finding: raised once where it must be, and not raised where it must not.  First on others' data: the lists of
 * five providers, the stolen key of Storm-0558, keys that others broke.  Then on keys and certificates made here, on curve
 * P-256, anew in every run. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/b64url.h"
#include "check.h"
#include "keys/audit.h"
#include "keys/policy.h"
#include "source/source.h"

#define TENANT "5f0c7a10-0000-4000-8000-000000000001"
#define TEMPLATE "https://login.microsoftonline.com/{tenantid}/v2.0"
#define CONSUMERS "https://login.microsoftonline.com/" CONSUMER_TENANT "/v2.0"

static const char *denied(const struct key *k, void *arg)
{
	(void)arg;
	return deny_list_find(k);
}

static int64_t at_time(const char *text)
{
	int64_t us = 0;

	CHECK_MSG(time_parse_rfc3339(str_of(text), &us), "%s", text);
	return us;
}

static unsigned count_all(const struct audit *a, enum finding_code code, int severity, const char *set)
{
	size_t n;
	unsigned found = 0;
	const struct finding *const *f = audit_findings(a, &n);

	for (size_t i = 0; i < n; i++)
		found += f[i]->code == code && (severity < 0 || (int)f[i]->severity == severity) && (!set || str_eq(f[i]->set, str_of(set)));
	return found;
}

static unsigned count(const struct audit *a, enum finding_code code) { return count_all(a, code, -1, NULL); }

static unsigned critical(const struct audit *a, enum finding_code code)
{
	return count_all(a, code, SEVERITY_CRITICAL_FINDING, NULL);
}

static const struct finding *first(const struct audit *a, enum finding_code code)
{
	size_t n;
	const struct finding *const *f = audit_findings(a, &n);

	for (size_t i = 0; i < n; i++)
		if (f[i]->code == code)
			return f[i];
	return NULL;
}

/* -- reading files -- */

static char file_text[8 << 20];

static struct str read_file(const char *path)
{
	char full[512];
	const char *root = getenv("TXM_SOURCE_ROOT"), *paths[1] = { full };
	const struct source_stream *stream;
	struct source *s;
	size_t n = 0, got;

	snprintf(full, sizeof(full), "%s/tests/data/%s", root ? root : ".", path);
	s = source_new(paths, 1);
	CHECK_MSG(s && source_next(s, &stream) == SOURCE_OK, "%s", path);
	while (n < sizeof(file_text) && source_read(s, file_text + n, sizeof(file_text) - n, &got) == SOURCE_OK)
		n += got;
	source_free(s);
	return (struct str){ file_text, n };
}

static void take_lines(struct audit *a, struct str text, bool (*take)(struct audit *, struct str, struct buf *))
{
	struct buf error;

	buf_init(&error, 4096);
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		const size_t n = end ? (size_t)(end - text.p) : text.n;
		CHECK_MSG(take(a, (struct str){ text.p, n }, &error), "%.80s: %.*s", text.p, STR_ARG(buf_str(&error)));
		text.p += n + (end != NULL);
		text.n -= n + (end != NULL);
	}
	buf_release(&error);
}

static void take_set(struct audit *a, const char *name, struct str bytes)
{
	struct buf error;

	buf_init(&error, 4096);
	CHECK_MSG(audit_take_set(a, name, bytes, 0, &error), "%s: %.*s", name, STR_ARG(buf_str(&error)));
	buf_release(&error);
}

/* -- others' data -- */

static void real_providers(bool on_change)
{
	static const char *const names[] = { "entra-common", "google", "apple", "spotify", "docker" };
	const struct audit_settings settings = { .on_change = on_change, .denied = denied };
	struct audit *a = audit_new(&settings);
	char path[128];

	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "jwks-history/%s.ndjson.xz", names[i]);
		take_lines(a, read_file(path), audit_take_line);
	}
	CHECK(audit_run(a));
	CHECK(audit_counts(a)->observations == 310 && audit_counts(a)->sets == 5);
	CHECK(!count(a, FINDING_LIFE_RETURNED) && !count(a, FINDING_LIFE_OVERDUE) && !count(a, FINDING_LIFE_NEVER_ROTATED));
	CHECK(count_all(a, FINDING_SCOPE_MIXED_SET, -1, "entra-common") == 1 && count(a, FINDING_SCOPE_MIXED_SET) == 1);
	CHECK(count_all(a, FINDING_SCOPE_CLOUD, -1, "entra-common") == 10 && count(a, FINDING_SCOPE_CLOUD) == 10);
	CHECK(count_all(a, FINDING_LIFE_AGE, -1, "entra-common") == 3);
	CHECK(!count_all(a, FINDING_SCOPE_NONE, -1, "entra-common") && count_all(a, FINDING_SCOPE_NONE, -1, "google") == 20);
	for (int code = FINDING_WEAK_SIZE; code <= FINDING_WEAK_CURVE; code++)
		CHECK_MSG(!count(a, (enum finding_code)code), "%s", finding_rows[code].code);
	CHECK(!count(a, FINDING_LEAK_DENIED) && !count(a, FINDING_SCOPE_KID_REUSE) && !count(a, FINDING_SCOPE_KID_DUP) &&
	      !count(a, FINDING_SHAPE_X5T) && !count(a, FINDING_SHAPE_FORM) && !count(a, FINDING_LIFE_EXPIRED_LISTED));
	CHECK(audit_status(a, 0) == 1 && audit_status(a, 1) == 3);
	audit_free(a);
}

/* The stolen key in a list, looked at on one day. */
static void stolen_on(const char *day, bool expired)
{
	const struct audit_settings settings = { .denied = denied };
	struct audit *a = audit_new(&settings);
	struct str set = str_trim(read_file("keys/storm-0558-jwk.json"));
	static char line[16384];
	const struct finding *f;

	snprintf(line, sizeof(line), "{\"provider\":\"old\",\"fetched\":\"2016-06-01T00:00:00Z\",\"jwks\":%.*s}", (int)set.n, set.p);
	take_lines(a, str_of(line), audit_take_line);
	snprintf(line, sizeof(line), "{\"provider\":\"old\",\"fetched\":\"%s\",\"jwks\":%.*s}", day, (int)set.n, set.p);
	take_lines(a, str_of(line), audit_take_line);
	CHECK(audit_run(a));
	CHECK_MSG(count(a, FINDING_LIFE_EXPIRED_LISTED) == expired, "%s", day);
	CHECK_MSG(critical(a, FINDING_LEAK_DENIED) == 1 && audit_status(a, 0) == 4, "%s", day);
	f = first(a, FINDING_LIFE_EXPIRED_LISTED);
	CHECK(!expired || (f && f->since == at_time("2021-04-04T14:43:35Z")));
	audit_free(a);
}

static void stolen_key(void)
{
	static const char kid[] = "1LTMzakihiRla_8z2BEJVXeWMqo";
	const struct audit_settings settings = { .now = at_time("2023-06-15T00:00:00Z"), .denied = denied };
	static char other[16384];
	struct audit *a;
	struct str set;
	char *n;

	stolen_on("2016-07-01T00:00:00Z", false);
	stolen_on("2021-04-04T00:00:00Z", false);
	stolen_on("2021-04-05T00:00:00Z", true);
	stolen_on("2023-06-26T00:00:00Z", true);
	CHECK((at_time("2023-06-27") - at_time("2021-04-05")) / US_PER_DAY == 813);

	/* from 2016 to the day it was taken down, in one history: about 2,640 days */
	a = audit_new(&settings);
	take_set(a, "set", read_file("keys/storm-0558-jwk.json"));
	CHECK(audit_run(a) && count(a, FINDING_LEAK_DENIED) == 1 && count(a, FINDING_LIFE_AGE) == 1);
	audit_free(a);

	/* an equal id does not matter: another modulus under the same id is not denied */
	set = read_file("keys/storm-0558-jwk.json");
	snprintf(other, sizeof(other), "%.*s", (int)set.n, set.p);
	n = strstr(other, "\"n\":\"");
	CHECK(n && strstr(other, kid));
	n[10] = n[10] == 'A' ? 'B' : 'A';
	n = strstr(other, "\"x5c\""); /* its certificate would still be the denied one */
	CHECK(n != NULL);
	memcpy(n, "\"x5C\"", 5);
	a = audit_new(&settings);
	take_set(a, "set", str_of(other));
	CHECK(audit_run(a) && !count(a, FINDING_LEAK_DENIED));
	audit_free(a);
}

static void broken_keys(void)
{
	static const struct {
		const char *name;
		enum finding_code codes[3];
		unsigned n;
	} rows[] = {
		{ "rsa-fermat-pkcs8.key", { FINDING_WEAK_FERMAT }, 1 },
		{ "rsa-roca.key", { FINDING_WEAK_ROCA }, 1 },
		{ "rsa-smallfactors-valid.key", { FINDING_WEAK_SMALL }, 1 },
		{ "rsa-pattern.key", { FINDING_WEAK_PATTERN, FINDING_WEAK_BIAS, FINDING_WEAK_FERMAT }, 3 },
		{ "rsapoly128.key", { FINDING_WEAK_BIAS }, 1 },
		{ "rsa-e1.key", { FINDING_WEAK_EXP }, 1 },
		{ "rsa-small-d.key", { FINDING_WEAK_WIENER, FINDING_WEAK_EXP }, 2 },
		{ "jwk-ecp256-rfc7517.json", { FINDING_WEAK_PUBLISHED }, 1 },
		{ "rsa-debianweak.key", { 0 }, 0 },
		{ "rsa-sharedprimes.key", { 0 }, 0 },
		{ "rsa-ok.key", { 0 }, 0 },
		{ "jwk-rsa-ok.json", { 0 }, 0 },
	};
	const struct audit_settings settings = { .now = at_time("2026-01-06"), .denied = denied };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct audit *a = audit_new(&settings);
		char path[128];
		unsigned weak = 0;

		snprintf(path, sizeof(path), "weak-keys/%s", rows[i].name);
		take_set(a, rows[i].name, read_file(path));
		CHECK(audit_run(a));
		for (int code = FINDING_WEAK_SIZE; code <= FINDING_WEAK_CURVE; code++)
			weak += count(a, (enum finding_code)code);
		CHECK_MSG(weak == rows[i].n, "%s: %u", rows[i].name, weak);
		for (unsigned k = 0; k < rows[i].n; k++)
			CHECK_MSG(count(a, rows[i].codes[k]) == 1, "%s: %s", rows[i].name, finding_rows[rows[i].codes[k]].code);
		CHECK_MSG(audit_status(a, 0) != 0, "%s has no scope", rows[i].name);
		audit_free(a);
	}
}

/* The Debian key is found by a list, and by it alone. */
static void lists(void)
{
	const struct audit_settings settings = { .now = at_time("2026-01-06") };
	struct audit *a = audit_new(&settings);
	uint32_t n;
	const struct key *k;
	uint8_t list[48] = { 0 };
	struct buf error;

	take_set(a, "debian", read_file("weak-keys/rsa-debianweak.key"));
	CHECK(audit_run(a));
	k = audit_key(a, history_keys(audit_history(a), &n));
	memset(list + 32, 0xff, 16);
	SHA256((const uint8_t *)k->n.p, k->n.n, list + 16); /* its tail is overwritten below: 15 bytes count */
	memset(list + 31, 3, 1);
	memset(list + 32, 0xff, 16);
	audit_free(a);
	buf_init(&error, 4096);
	a = audit_new(&settings);
	CHECK(!audit_take_blocklist(a, "cut", (struct str){ (char *)list, 47 }, &error));
	CHECK(audit_take_blocklist(a, "list.dat", (struct str){ (char *)list, 48 }, &error));
	take_set(a, "debian", read_file("weak-keys/rsa-debianweak.key"));
	take_set(a, "ok", read_file("weak-keys/rsa-ok.key"));
	CHECK(audit_run(a) && count(a, FINDING_WEAK_LISTED) == 1 && critical(a, FINDING_WEAK_LISTED) == 1);
	CHECK(str_find(first(a, FINDING_WEAK_LISTED)->text, STR("list number 3")) >= 0);
	audit_free(a);
	buf_release(&error);
}

/* -- made keys -- */

enum { MADE = 8 };
static EVP_PKEY *made[MADE];

static void make_keys(void)
{
	for (size_t i = 0; i < MADE; i++)
		made[i] = EVP_EC_gen("P-256");
}

static void add_coordinates(struct buf *b, EVP_PKEY *k)
{
	static const char *const names[] = { OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y };
	uint8_t bytes[32];

	for (size_t i = 0; i < 2; i++) {
		BIGNUM *n = NULL;
		CHECK(EVP_PKEY_get_bn_param(k, names[i], &n) == 1 && BN_bn2binpad(n, bytes, 32) == 32);
		buf_printf(b, ",\"%s\":\"", i ? "y" : "x");
		b64url_add(b, bytes, 32);
		buf_add_char(b, '"');
		BN_free(n);
	}
}

static void add_certificate(struct buf *b, EVP_PKEY *k, EVP_PKEY *signer, const char *from, const char *to, const char *name, const char *usage)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);
	uint8_t *der = NULL;
	char *text;
	int n;

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_set_version(x, 2);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(at_time(from) / US_PER_SECOND));
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(at_time(to) / US_PER_SECOND));
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(x, subject);
	X509_set_pubkey(x, k);
	if (usage) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage);
		X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
	}
	CHECK(X509_sign(x, signer, EVP_sha256()) > 0);
	n = i2d_X509(x, &der);
	text = malloc((size_t)n * 2 + 8);
	EVP_EncodeBlock((uint8_t *)text, der, n);
	buf_printf(b, ",\"x5c\":[\"%s\"]", text);
	free(text);
	OPENSSL_free(der);
	X509_free(x);
}

/* {"kty":"EC",...} of key i with further members; dates NULL = no certificate */
static void add_jwk(struct buf *b, size_t i, const char *kid, const char *members, const char *from, const char *to)
{
	buf_add_cstr(b, "{\"kty\":\"EC\",\"crv\":\"P-256\"");
	if (kid)
		buf_printf(b, ",\"kid\":\"%s\"", kid);
	add_coordinates(b, made[i]);
	if (from)
		add_certificate(b, made[i], made[i], from, to, "login.example.com", NULL);
	buf_printf(b, "%s%s}", *members ? "," : "", members);
}

#define SIG "\"alg\":\"ES256\",\"use\":\"sig\",\"issuer\":\"https://issuer.example.com/\""

/* One observation: words like "0a 1b" are keys by number with a letter as id */
static void observe(struct audit *a, const char *provider, const char *time, const char *words)
{
	struct buf line, error;

	buf_init(&line, 1 << 20);
	buf_init(&error, 4096);
	buf_printf(&line, "{\"provider\":\"%s\",\"fetched\":\"%s\",\"jwks\":{\"keys\":[", provider, time);
	for (const char *p = words; *p; p += p[2] ? 3 : 2) {
		char kid[2] = { p[1], 0 };
		add_jwk(&line, (size_t)(*p - '0'), kid, SIG, NULL, NULL);
		if (p[2])
			buf_add_char(&line, ',');
	}
	buf_add_cstr(&line, "]}}");
	CHECK_MSG(audit_take_line(a, buf_str(&line), &error), "%.*s", STR_ARG(buf_str(&error)));
	buf_release(&line);
	buf_release(&error);
}

/* An audit of one set of the given entries (comma-separated JWKs), judged for 2026-01-06. */
static struct audit *audit_set(const char *entries, const struct audit_settings *more)
{
	struct audit_settings settings = more ? *more : (struct audit_settings){ 0 };
	struct audit *a;
	struct buf text;

	settings.now = at_time("2026-01-06");
	settings.denied = denied;
	a = audit_new(&settings);
	buf_init(&text, 1 << 20);
	buf_printf(&text, "{\"keys\":[%s]}", entries);
	take_set(a, "set", buf_str(&text));
	buf_release(&text);
	CHECK(audit_run(a));
	return a;
}

static struct audit *audit_one(const char *kid, const char *members, const char *from, const char *to)
{
	struct audit *a;
	struct buf b;

	buf_init(&b, 1 << 20);
	add_jwk(&b, 0, kid, members, from, to);
	a = audit_set(b.p, NULL);
	buf_release(&b);
	return a;
}

#define ONE(kid, members, from, to, check)                             \
	do {                                                           \
		struct audit *a = audit_one(kid, members, from, to);   \
		CHECK(check);                                          \
		audit_free(a);                                         \
	} while (0)

static void shapes(void)
{
	ONE("a", SIG, NULL, NULL, audit_status(a, 0) == 0 && !audit_counts(a)->findings[0]);
	ONE("a", SIG, "2025-12-01", "2026-12-01", audit_status(a, 0) == 0 && !audit_counts(a)->findings[0]);
	ONE("a", "\"use\":\"sig\",\"issuer\":\"https://i.example.com/\"", NULL, NULL,
	    count(a, FINDING_SHAPE_ALG) == 1 && audit_status(a, 0) == 0);
	ONE("a", "\"alg\":\"RS256\",\"use\":\"sig\",\"issuer\":\"https://i.example.com/\"", NULL, NULL,
	    count(a, FINDING_SHAPE_ALG) == 1 && audit_status(a, 0) == 1);
	ONE("a", "\"alg\":\"ES256\",\"use\":\"enc\",\"issuer\":\"https://i.example.com/\"", NULL, NULL,
	    count(a, FINDING_SHAPE_ALG) == 1 && audit_status(a, 0) == 1);
	ONE("a", SIG ",\"d\":\"AAAA\"", NULL, NULL, critical(a, FINDING_SHAPE_PRIVATE) == 1 && audit_status(a, 0) == 4);
	ONE("a", SIG ",\"jku\":\"https://elsewhere.example.com/\"", NULL, NULL, count(a, FINDING_SHAPE_REMOTE) == 1);
	ONE("a", SIG ",\"kid\":\"b\"", NULL, NULL, count(a, FINDING_SHAPE_FORM) == 1);
	ONE("a", SIG ",\"x5t\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "2025-12-01", "2026-12-01", count(a, FINDING_SHAPE_X5T) == 1);
	ONE("a", "\"alg\":\"ES256\",\"use\":\"sig\"", NULL, NULL, count(a, FINDING_SCOPE_NONE) == 1 && audit_status(a, 0) == 1);
	ONE(NULL, SIG, NULL, NULL, count(a, FINDING_SCOPE_KID_DUP) == 1);
}

static void certificates(void)
{
	struct buf b;
	struct audit *audit;

	ONE("a", SIG, "2025-12-01", "2030-12-01", count(a, FINDING_LIFE_CERT_LONG) == 1 && audit_status(a, 0) == 0);
	ONE("a", SIG, "2024-01-01", "2025-01-01", count(a, FINDING_LIFE_EXPIRED_LISTED) == 1 && count(a, FINDING_LIFE_AGE) == 1);
	ONE("a", SIG, "2026-02-01", "2026-12-01", count(a, FINDING_LIFE_NOT_YET) == 1 && !count(a, FINDING_LIFE_AGE));
	buf_init(&b, 1 << 20);
	/* the certificate of another key */
	buf_add_cstr(&b, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\"");
	add_coordinates(&b, made[0]);
	add_certificate(&b, made[1], made[1], "2025-12-01", "2026-12-01", "login.example.com", NULL);
	buf_add_cstr(&b, "," SIG "}");
	audit = audit_set(b.p, NULL);
	CHECK(critical(audit, FINDING_SHAPE_X5C) == 1);
	audit_free(audit);
	/* a certificate that may only encipher */
	buf_clear(&b);
	buf_add_cstr(&b, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\"");
	add_coordinates(&b, made[0]);
	add_certificate(&b, made[0], made[0], "2025-12-01", "2026-12-01", "login.microsoftonline.us", "keyEncipherment");
	buf_add_cstr(&b, ",\"alg\":\"ES256\",\"use\":\"sig\",\"issuer\":\"" TEMPLATE "\"}");
	audit = audit_set(b.p, NULL);
	CHECK(count(audit, FINDING_SHAPE_CERT) == 1 && count(audit, FINDING_SCOPE_CLOUD) == 1 && audit_status(audit, 0) == 1);
	audit_free(audit);
	buf_release(&b);
}

static void sets(void)
{
	struct buf b;
	struct audit *a;

	buf_init(&b, 1 << 20);
	/* two keys under one id */
	add_jwk(&b, 0, "same", SIG, NULL, NULL);
	buf_add_char(&b, ',');
	add_jwk(&b, 1, "same", SIG, NULL, NULL);
	a = audit_set(b.p, NULL);
	CHECK(critical(a, FINDING_SCOPE_KID_REUSE) == 1 && count(a, FINDING_SCOPE_KID_DUP) == 1);
	audit_free(a);
	/* one key under two issuers, consumers with others */
	buf_clear(&b);
	add_jwk(&b, 0, "a", "\"alg\":\"ES256\",\"use\":\"sig\",\"issuer\":\"" TEMPLATE "\"", NULL, NULL);
	buf_add_char(&b, ',');
	add_jwk(&b, 0, "b", "\"alg\":\"ES256\",\"use\":\"sig\",\"issuer\":\"" CONSUMERS "\"", NULL, NULL);
	a = audit_set(b.p, NULL);
	CHECK(count(a, FINDING_SCOPE_TWO_ROLES) == 1 && !count(a, FINDING_SCOPE_MIXED_SET));
	audit_free(a);
	buf_clear(&b);
	add_jwk(&b, 0, "a", "\"alg\":\"ES256\",\"use\":\"sig\",\"issuer\":\"" TEMPLATE "\"", NULL, NULL);
	buf_add_char(&b, ',');
	add_jwk(&b, 1, "b", "\"alg\":\"ES256\",\"use\":\"sig\",\"issuer\":\"" CONSUMERS "\"", NULL, NULL);
	a = audit_set(b.p, NULL);
	CHECK(!count(a, FINDING_SCOPE_TWO_ROLES) && count(a, FINDING_SCOPE_MIXED_SET) == 1 && !count(a, FINDING_SCOPE_KID_REUSE));
	audit_free(a);
	/* a symmetric key, and one that cannot be read */
	buf_clear(&b);
	add_jwk(&b, 0, "a", SIG, NULL, NULL);
	buf_add_cstr(&b, ",{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"c\","
			 "\"x\":\"AAAA\",\"y\":\"AAAA\"},{\"kty\":\"EC\",\"crv\":\"P-192\",\"kid\":\"d\"},7");
	a = audit_set(b.p, NULL);
	CHECK(critical(a, FINDING_SCOPE_SYM_MIX) == 1 && critical(a, FINDING_SHAPE_PRIVATE) == 1 && critical(a, FINDING_WEAK_POINT) == 1 &&
	      count(a, FINDING_WEAK_CURVE) >= 1 && !critical(a, FINDING_WEAK_CURVE) && count(a, FINDING_SHAPE_FORM) >= 1);
	audit_free(a);
	buf_release(&b);
}

/* A provider's metadata, applied to the sets in its folder. */
static void metadata(void)
{
	const struct audit_settings settings = { .now = at_time("2026-01-06") };
	struct audit *a = audit_new(&settings);
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_add_cstr(&b, "{\"keys\":[");
	add_jwk(&b, 0, "a", "\"alg\":\"ES256\",\"use\":\"sig\",\"issuer\":\"" TEMPLATE "\"", NULL, NULL);
	buf_add_cstr(&b, "]}");
	take_set(a, "one/openid-configuration", STR("{\"issuer\":\"https://login.microsoftonline.us/{tenantid}/v2.0\",\"jwks_uri\":\"http://x/\","
						    "\"cloud_instance_name\":\"microsoftonline.us\"}"));
	take_set(a, "one/keys", buf_str(&b));
	take_set(a, "two/keys", buf_str(&b));
	CHECK(audit_run(a));
	CHECK(count_all(a, FINDING_SCOPE_CLOUD, -1, "one/keys") == 1 && count(a, FINDING_SCOPE_CLOUD) == 1);
	CHECK(count_all(a, FINDING_SHAPE_REMOTE, -1, "one/keys") == 1 && count(a, FINDING_SHAPE_REMOTE) == 1);
	audit_free(a);
	buf_release(&b);
}

/* In a history of changes a listed key stays listed; in any other only observations count. */
static void expiry(bool on_change)
{
	const struct audit_settings settings = { .on_change = on_change, .at = at_time("2025-07-01") };
	struct audit *a = audit_new(&settings);
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_add_cstr(&b, "{\"provider\":\"p\",\"fetched\":\"2025-05-01\",\"jwks\":{\"keys\":[");
	add_jwk(&b, 0, "a", SIG, "2025-04-01", "2025-06-01");
	buf_add_cstr(&b, "]}}");
	take_lines(a, buf_str(&b), audit_take_line);
	CHECK(audit_run(a) && count(a, FINDING_LIFE_EXPIRED_LISTED) == on_change);
	audit_free(a);
	buf_release(&b);
}

static void lives(void)
{
	struct audit_settings settings = { .on_change = true };
	struct audit *a = audit_new(&settings);

	observe(a, "returns", "2025-01-01", "0a 1b");
	observe(a, "returns", "2025-01-02", "1b");
	observe(a, "returns", "2025-01-06", "0a 1b");
	observe(a, "flaps", "2025-01-01", "0a 1b");
	observe(a, "flaps", "2025-01-02", "1b");
	observe(a, "flaps", "2025-01-05", "0a 1b");
	observe(a, "reuse", "2025-01-01", "2x");
	observe(a, "reuse", "2025-03-01", "3x");
	observe(a, "still", "2025-01-01", "4a");
	observe(a, "still", "2025-09-01", "4a");
	observe(a, "stops", "2025-01-01", "5a");
	observe(a, "stops", "2025-01-11", "5a 6b");
	observe(a, "stops", "2025-01-21", "6b 7c");
	observe(a, "stops", "2025-09-01", "6b 7c");
	CHECK(audit_run(a));
	CHECK(count(a, FINDING_LIFE_RETURNED) == 1 && count_all(a, FINDING_LIFE_RETURNED, -1, "returns") == 1);
	CHECK(first(a, FINDING_LIFE_RETURNED)->since == at_time("2025-01-06"));
	CHECK(critical(a, FINDING_SCOPE_KID_REUSE) == 1 && count_all(a, FINDING_SCOPE_KID_REUSE, -1, "reuse") == 1);
	CHECK(count_all(a, FINDING_LIFE_NEVER_ROTATED, -1, "still") == 1 && !count_all(a, FINDING_LIFE_NEVER_ROTATED, -1, "stops"));
	CHECK(count_all(a, FINDING_LIFE_OVERDUE, -1, "stops") == 1 && !count_all(a, FINDING_LIFE_OVERDUE, -1, "still"));
	CHECK(first(a, FINDING_LIFE_OVERDUE)->since > at_time("2025-07-01"));
	CHECK(count_all(a, FINDING_LIFE_NO_OVERLAP, -1, "reuse") == 1 && count(a, FINDING_LIFE_NO_OVERLAP) == 1);
	audit_free(a);

	/* the same, but the older set is not known to hold in between: nothing is concluded from a hole, and it is reported */
	settings.on_change = false;
	a = audit_new(&settings);
	observe(a, "holes", "2025-01-01", "5a");
	observe(a, "holes", "2025-01-11", "5a 6b");
	observe(a, "holes", "2025-01-21", "6b 7c");
	observe(a, "holes", "2025-06-01", "6b 7c");
	observe(a, "reuse", "2025-01-01", "2x");
	observe(a, "reuse", "2025-03-01", "3y");
	CHECK(audit_run(a));
	CHECK(count_all(a, FINDING_LIFE_GAP, -1, "holes") == 1 && !count(a, FINDING_LIFE_NO_OVERLAP));
	audit_free(a);

	/* judged for a day in the past, what came later is not known */
	settings = (struct audit_settings){ .on_change = true, .at = at_time("2025-01-05") };
	a = audit_new(&settings);
	observe(a, "returns", "2025-01-01", "0a 1b");
	observe(a, "returns", "2025-01-02", "1b");
	observe(a, "returns", "2025-01-06", "0a 1b");
	CHECK(audit_run(a) && !count(a, FINDING_LIFE_RETURNED) && audit_at(a) == at_time("2025-01-05"));
	audit_free(a);
}

/* -- records and tokens -- */

static void spki_of(size_t i, uint8_t ret[32])
{
	uint8_t *der = NULL;
	const int n = i2d_PUBKEY(made[i], &der);

	SHA256(der, (size_t)n, ret);
	OPENSSL_free(der);
}

static void records(void)
{
	const struct str issuers[] = { STR("https://issuer.example.com/") }, open[] = { STR(TEMPLATE) };
	struct audit_record rows[4] = {
		{ .kid = STR("a"), .class_name = STR("enterprise"), .issuers = issuers, .issuer_count = 1, .trusts = true, .max_age = 100 * US_PER_DAY,
		  .where = STR("policy:1") },
		{ .kid = STR("b"), .class_name = STR("consumer"), .issuers = issuers, .issuer_count = 1, .trusts = true, .max_age = 9000 * US_PER_DAY,
		  .where = STR("policy:2") },
		{ .kid = STR("c"), .class_name = STR("enterprise"), .issuers = open, .issuer_count = 1, .template_issuer = true,
		  .where = STR("policy:3") },
	};
	struct audit_settings settings = { .has_policy = true, .records = rows, .record_count = 3 };
	struct audit *a;
	struct buf b;

	spki_of(0, rows[0].spki);
	spki_of(0, rows[1].spki);
	spki_of(2, rows[2].spki);
	buf_init(&b, 1 << 20);
	add_jwk(&b, 0, "a", "\"alg\":\"ES256\",\"use\":\"sig\"", "2024-01-01", "2025-01-01");
	a = audit_set(b.p, &settings);
	CHECK(!count(a, FINDING_SCOPE_NONE));
	CHECK(critical(a, FINDING_SCOPE_TWO_ROLES) == 1);
	CHECK(count(a, FINDING_SCOPE_CONSUMER_OPEN) == 1);
	CHECK(critical(a, FINDING_LIFE_AGE) == 1);
	CHECK(critical(a, FINDING_LIFE_EXPIRED_LISTED) == 1);
	audit_free(a);
	rows[2].denies_consumer = true;
	settings.record_count = 1; /* there is only one class now, and no issuer is open */
	rows[0].trusts = false;
	a = audit_set(b.p, &settings);
	CHECK(!count(a, FINDING_SCOPE_TWO_ROLES) && !count(a, FINDING_SCOPE_CONSUMER_OPEN) && !critical(a, FINDING_LIFE_AGE) &&
	      !critical(a, FINDING_LIFE_EXPIRED_LISTED) && count(a, FINDING_LIFE_EXPIRED_LISTED) == 1);
	audit_free(a);
	buf_release(&b);
}

static void take_token(struct audit *a, const char *text)
{
	take_lines(a, str_of(text), audit_take_token);
}

static void leaks(void)
{
	const struct audit_settings settings = { .on_change = true };
	struct audit *a = audit_new(&settings);
	uint8_t spki[32];
	char hex[KEY_HEX_SIZE], line[256];
	struct buf error;

	observe(a, "p", "2025-01-01", "0a 1b");
	observe(a, "p", "2025-02-01", "0a");
	observe(a, "p", "2025-03-01", "0a");
	for (size_t i = 0; i < 3; i++) {
		spki_of(i, spki);
		snprintf(line, sizeof(line), i == 1 ? "%s  a comment" : "{\"type\":\"finding\",\"spki\":\"%s\"}", key_hex(spki, 32, hex));
		take_lines(a, str_of(line), audit_take_leak);
		take_lines(a, str_of(line), audit_take_leak);
	}
	take_lines(a, STR("{\"type\":\"summary\"}\n# nothing\n\n"), audit_take_leak);
	buf_init(&error, 4096);
	CHECK(!audit_take_leak(a, STR("not a hash"), &error) && !audit_take_leak(a, STR("{\"spki\":\"12\"}"), &error) &&
	      !audit_take_leak(a, STR("{"), &error));
	buf_release(&error);
	CHECK(audit_run(a));
	CHECK(critical(a, FINDING_LEAK_TRUSTED) == 1 && count(a, FINDING_LEAK_UNTRUSTED) == 2);
	CHECK(str_find(first(a, FINDING_LEAK_TRUSTED)->text, STR("\"p\"")) >= 0);
	audit_free(a);
}

static void tokens(void)
{
	const struct audit_settings settings = { .on_change = true };
	struct audit *a = audit_new(&settings);
	struct buf b, error;
	char line[1024];

	/* a consumer key, an enterprise key, one that goes in February, one that is not used */
	buf_init(&b, 1 << 20);
	buf_init(&error, 4096);
	for (int i = 0; i < 3; i++) {
		buf_clear(&b);
		buf_printf(&b, "{\"provider\":\"p\",\"fetched\":\"%s\",\"jwks\":{\"keys\":[", i == 0 ? "2025-01-01" : i == 1 ? "2025-02-01" : "2025-04-01");
		add_jwk(&b, 0, "consumer", "\"alg\":\"ES256\",\"use\":\"sig\",\"issuer\":\"" CONSUMERS "\"", "2024-12-01", "2025-03-01");
		buf_add_char(&b, ',');
		add_jwk(&b, 1, "enterprise", "\"alg\":\"ES256\",\"use\":\"sig\",\"issuer\":\"" TEMPLATE "\"", NULL, NULL);
		buf_add_char(&b, ',');
		add_jwk(&b, 2, "idle", SIG, NULL, NULL);
		if (i == 0) {
			buf_add_char(&b, ',');
			add_jwk(&b, 3, "goes", SIG, NULL, NULL);
		}
		buf_add_cstr(&b, "]}}");
		CHECK_MSG(audit_take_line(a, buf_str(&b), &error), "%.*s", STR_ARG(buf_str(&error)));
	}
#define CLAIMS(kid, iss, tid, iat, exp, more)                                                                                      \
	do {                                                                                                                       \
		snprintf(line, sizeof(line), "{\"kid\":\"%s\",\"iss\":\"%s\",\"tid\":\"%s\",\"iat\":%lld,\"exp\":%lld%s}", kid, iss, tid, \
			 (long long)(at_time(iat) / US_PER_SECOND), (long long)(at_time(iat) / US_PER_SECOND + (exp)), more);                 \
		take_token(a, line);                                                                                               \
	} while (0)
	/* as it should be, in both forms of an issuer */
	CLAIMS("enterprise", "https://login.microsoftonline.com/" TENANT "/v2.0", TENANT, "2025-03-30", 3600, "");
	CLAIMS("enterprise", "https://sts.windows.net/" TENANT "/", TENANT, "2025-03-30", 3600, "");
	CLAIMS("consumer", CONSUMERS, CONSUMER_TENANT, "2025-02-20", 3600, "");
	CHECK(!count(a, FINDING_TOK_SCOPE));
	/* the forgery of 2023 */
	CLAIMS("consumer", "https://login.microsoftonline.com/" TENANT "/v2.0", TENANT, "2025-02-21", 3600, "");
	/* and the reverse */
	CLAIMS("enterprise", CONSUMERS, CONSUMER_TENANT, "2025-02-21", 3600, "");
	/* the tenant in the path is not the tenant claimed */
	CLAIMS("enterprise", "https://login.microsoftonline.com/5f0c7a10-0000-4000-8000-000000000002/v2.0", TENANT, "2025-02-21", 3600, "");
	/* after the certificate's end; after the key was gone; too long; outliving; self-issued; from two networks */
	CLAIMS("consumer", CONSUMERS, CONSUMER_TENANT, "2025-03-02", 3600, "");
	CLAIMS("goes", "https://issuer.example.com/", TENANT, "2025-03-01", 3600, "");
	CLAIMS("enterprise", "https://login.microsoftonline.com/" TENANT "/v2.0", TENANT, "2025-03-01", 30 * 3600, "");
	CLAIMS("enterprise", "https://login.microsoftonline.com/" TENANT "/v2.0", TENANT, "2025-03-01", 3600,
	       ",\"subject_exp\":1740787200,\"subject_iss\":\"https://login.microsoftonline.com/" TENANT "/v2.0\"");
	CLAIMS("enterprise", "https://login.microsoftonline.com/" TENANT "/v2.0", TENANT, "2025-03-01", 3600, ",\"uti\":\"u1\",\"ip\":\"203.0.113.7\"");
	CLAIMS("enterprise", "https://login.microsoftonline.com/" TENANT "/v2.0", TENANT, "2025-03-01", 3600, ",\"uti\":\"u1\",\"ip\":\"203.0.113.9\"");
	CLAIMS("enterprise", "https://login.microsoftonline.com/" TENANT "/v2.0", TENANT, "2025-03-01", 3600, ",\"uti\":\"u2\",\"ip\":\"203.0.113.7\"");
	CLAIMS("enterprise", "https://login.microsoftonline.com/" TENANT "/v2.0", TENANT, "2025-03-01", 3600, ",\"uti\":\"u2\",\"ip\":\"198.51.100.1\"");
	/* a compact token, and one of a key that no set lists: {"alg":"ES256","kid":"enterprise"}.{"iss":...} */
	take_token(a, "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVudGVycHJpc2UifQ.eyJpYXQiOjE3NDA3ODcyMDAsImV4cCI6MTc0MDc5MDgwMH0.AAAA");
	take_token(a, "{\"kid\":\"nobody's\",\"iat\":1740787200}");
	CHECK(!audit_take_token(a, STR("AAAA.BBBB"), &error) && !audit_take_token(a, STR("{]"), &error));
	CHECK(audit_run(a));
	CHECK(audit_counts(a)->tokens == 18 && audit_counts(a)->tokens_unreadable == 2 && audit_counts(a)->tokens_unknown_key == 1);
	CHECK(critical(a, FINDING_TOK_SCOPE) == 2 && count(a, FINDING_TOK_SCOPE) == 3);
	CHECK(count(a, FINDING_TOK_IAT) == 1);
	CHECK(critical(a, FINDING_LIFE_RETIRED_USED) == 1);
	CHECK(count(a, FINDING_TOK_LIFE) == 1 && count(a, FINDING_TOK_OUTLIVES) == 1 && critical(a, FINDING_TOK_SELF) == 1);
	CHECK(count(a, FINDING_TOK_REPLAY) == 1);
	CHECK(count(a, FINDING_LIFE_IDLE) == 1 && str_eq(first(a, FINDING_LIFE_IDLE)->kid, STR("idle")));
	CHECK(count(a, FINDING_LIFE_EXPIRED_LISTED) == 1);
	audit_free(a);
	buf_release(&b);
	buf_release(&error);
}

static void revoked(void)
{
	struct audit_record rows[1] = { { .kid = STR("a"), .class_name = STR("enterprise"), .revoked = true, .where = STR("policy:1") } };
	const struct audit_settings settings = { .on_change = true, .has_policy = true, .records = rows, .record_count = 1 };
	struct audit *a = audit_new(&settings);

	spki_of(0, rows[0].spki);
	rows[0].since = at_time("2025-01-10");
	observe(a, "p", "2025-01-01", "0a");
	observe(a, "p", "2025-02-01", "0a");
	take_token(a, "{\"kid\":\"a\",\"iat\":1736380800}"); /* the day before */
	CHECK(audit_run(a) && !count(a, FINDING_TOK_REVOKED));
	audit_free(a);
	a = audit_new(&settings);
	observe(a, "p", "2025-01-01", "0a");
	observe(a, "p", "2025-02-01", "0a");
	take_token(a, "{\"kid\":\"a\",\"iat\":1736553600}");
	CHECK(audit_run(a) && critical(a, FINDING_TOK_REVOKED) == 1);
	audit_free(a);
}

/* Two RSA keys with a prime in common, in two sets. */
static void shared(void)
{
	const struct audit_settings settings = { .now = at_time("2026-01-06") };
	struct audit *a = audit_new(&settings);
	BIGNUM *p[3], *n = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	uint8_t bytes[256];
	struct buf b;

	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < 3; i++) {
		p[i] = BN_new();
		do
			CHECK(BN_generate_prime_ex(p[i], 1024, 0, NULL, NULL, NULL) == 1);
		while (!BN_is_bit_set(p[i], 1022)); /* so that all products have 2048 bits */
	}
	for (size_t i = 1; i < 3; i++) {
		BN_mul(n, p[0], p[i], ctx);
		BN_bn2binpad(n, bytes, sizeof(bytes));
		buf_clear(&b);
		buf_add_cstr(&b, "{\"kty\":\"RSA\",\"kid\":\"k\",\"alg\":\"RS256\",\"use\":\"sig\",\"issuer\":\"https://i.example.com/\",\"e\":\"AQAB\",\"n\":\"");
		b64url_add(&b, bytes, sizeof(bytes));
		buf_add_cstr(&b, "\"}");
		take_set(a, i == 1 ? "one" : "two", buf_str(&b));
	}
	take_set(a, "ok", read_file("weak-keys/rsa-ok.key"));
	CHECK(audit_run(a) && critical(a, FINDING_WEAK_SHARED) == 2 && count_all(a, FINDING_WEAK_SHARED, -1, "ok") == 0);
	audit_free(a);
	for (size_t i = 0; i < 3; i++)
		BN_free(p[i]);
	BN_free(n);
	BN_CTX_free(ctx);
	buf_release(&b);
}

static void hostile(void)
{
	const struct audit_settings settings = { .now = at_time("2026-01-06") };
	static const char *const lines[] = {
		"", "{}", "[]", "7", "{\"provider\":\"p\"}", "{\"provider\":\"\",\"fetched\":\"2025-01-01\",\"jwks\":{\"keys\":[]}}",
		"{\"provider\":\"p\",\"fetched\":\"yesterday\",\"jwks\":{\"keys\":[]}}", "{\"provider\":\"p\",\"fetched\":\"2025-01-01\",\"jwks\":7}",
		"{\"provider\":\"p\",\"fetched\":\"2025-01-01\",\"jwks\":{\"keys\":7}}", "{\"provider\":\"p\",\"fetched\":\"2025-01-01\",\"pem\":\"no\"}",
		"{\"provider\":7,\"fetched\":\"2025-01-01\",\"jwks\":{\"keys\":[]}}",
	};
	struct audit *a = audit_new(&settings);
	struct buf error;

	buf_init(&error, 4096);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		buf_clear(&error);
		CHECK_MSG(!audit_take_line(a, str_of(lines[i]), &error) && error.n, "%s", lines[i]);
	}
	CHECK(audit_counts(a)->bad_lines == sizeof(lines) / sizeof(lines[0]));
	CHECK(!audit_take_set(a, "x", STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0, &error));
	CHECK(audit_run(a) && audit_status(a, 0) == 3 && audit_counts(a)->keys == 0);
	audit_free(a);
	buf_release(&error);
	/* an empty set is no finding, and not clean either */
	a = audit_set("", NULL);
	CHECK(audit_status(a, 0) == 3 && audit_counts(a)->sets == 1);
	audit_free(a);
}

int main(void)
{
	make_keys();
	real_providers(true);
	real_providers(false);
	stolen_key();
	broken_keys();
	lists();
	shapes();
	certificates();
	sets();
	metadata();
	expiry(true);
	expiry(false);
	lives();
	records();
	leaks();
	tokens();
	revoked();
	shared();
	hostile();
	for (size_t i = 0; i < MADE; i++)
		EVP_PKEY_free(made[i]);
	return check_summary();
}
