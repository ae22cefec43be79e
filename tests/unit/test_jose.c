/* SPDX-License-Identifier: Apache-2.0 */
/* jose: the basis of token and keys: strict base64, strict JSON, keys and key sets.  Data: the published half of the
 * stolen key (tests/data/keys), then made ones. */
#include <openssl/pem.h>
#include <stdlib.h>

#include "base/b64url.h"
#include "check.h"
#include "keys/remote.h"

/* -- base64 -- */

static void test_b64url(void)
{
	static const struct { const char *text; enum b64_error want; const char *bytes; } rows[] = {
		{ "", B64_OK, "" },
		{ "Zg", B64_OK, "f" },
		{ "Zm8", B64_OK, "fo" },
		{ "Zm9v", B64_OK, "foo" },
		{ "Zm9vYg", B64_OK, "foob" },
		{ "-_-_", B64_OK, "\xfb\xff\xbf" },
		{ "Z", B64_LENGTH, NULL },
		{ "Zm9vY", B64_LENGTH, NULL },
		{ "Zh", B64_TRAILING, NULL },
		{ "Zm9", B64_TRAILING, NULL },
		{ "Zg==", B64_ALPHABET, NULL },
		{ "Zm 9", B64_ALPHABET, NULL },
		{ "Zm9v\n", B64_LENGTH, NULL },
		{ "Zm9vZm9\n", B64_ALPHABET, NULL },
		{ "+/+/", B64_ALPHABET, NULL },
		{ "Zm\xc3\xa9", B64_ALPHABET, NULL },
	};
	uint8_t out[64];
	size_t n;
	struct buf b;

	buf_init(&b, 1024);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const enum b64_error e = b64url_decode(str_of(rows[i].text), out, sizeof(out), &n);
		CHECK_MSG(e == rows[i].want, "%s", rows[i].text);
		if (e != B64_OK || !rows[i].bytes)
			continue;
		CHECK_MSG(n == strlen(rows[i].bytes) && memcmp(out, rows[i].bytes, n) == 0, "%s", rows[i].text);
		buf_clear(&b);
		b64url_add(&b, out, n);
		CHECK_MSG(str_eq(buf_str(&b), str_of(rows[i].text)), "%s", rows[i].text);
	}
	CHECK(b64url_decode(STR("Zm9v"), out, 2, &n) == B64_ROOM);
	CHECK(b64_decode(STR("Zg=="), out, sizeof(out), &n) == B64_OK && n == 1);
	CHECK(b64_decode(STR("+/+/"), out, sizeof(out), &n) == B64_OK && n == 3);
	CHECK(b64_decode(STR("Zg"), out, sizeof(out), &n) == B64_LENGTH);
	CHECK(b64_decode(STR("Z==="), out, sizeof(out), &n) != B64_OK);
	CHECK(b64_decode(STR("-_-_"), out, sizeof(out), &n) == B64_ALPHABET);
	CHECK(b64_decode(STR("Zh=="), out, sizeof(out), &n) == B64_TRAILING);
	buf_release(&b);
}

/* -- JSON -- */

static const struct sj_limits small = { .bytes = 4096, .depth = 4, .object_members = 8, .nodes = 32 };
static const char *const names[] = { "iss", "kid", NULL };

static void test_json_errors(void)
{
	static const struct { const char *text; size_t n; enum sj_error want; } rows[] = {
#define ROW(text, want) { text, sizeof(text) - 1, want }
		ROW("{}", SJ_OK),
		ROW(" [1, -0.5e+3, true ,false,null,\"\\ud83d\\ude00\"]\n", SJ_OK),
		ROW("", SJ_EMPTY),
		ROW("  ", SJ_EMPTY),
		ROW("\xef\xbb\xbf{}", SJ_BOM),
		ROW("{\"a\":\"\xff\"}", SJ_UTF8),
		ROW("{\"a\":\"\xed\xa0\x80\"}", SJ_UTF8),
		ROW("{\"a\":\"\xc0\x80\"}", SJ_UTF8),
		ROW("{\"a\":\"\\u0000\"}", SJ_ZERO),
		ROW("{\"a\":\"x\\\"\0\"}", SJ_ZERO),
		ROW("{}\0", SJ_ZERO),
		ROW("{\"a\":\"\\ud800\"}", SJ_SURROGATE),
		ROW("{\"a\":\"\\ud800\\u0041\"}", SJ_SURROGATE),
		ROW("{\"a\":\"\\udc00\"}", SJ_SURROGATE),
		ROW("{\"a\":\"x\ny\"}", SJ_CONTROL),
		ROW("{\"a\":1}{}", SJ_TRAILING),
		ROW("{\"a\":1},", SJ_TRAILING),
		ROW("[[[[1]]]]", SJ_OK),
		ROW("[[[[[1]]]]]", SJ_DEPTH),
		ROW("{\"a\":1,}", SJ_SYNTAX),
		ROW("{\"a\" 1}", SJ_SYNTAX),
		ROW("{'a':1}", SJ_SYNTAX),
		ROW("{a:1}", SJ_SYNTAX),
		ROW("[1,]", SJ_SYNTAX),
		ROW("[1 2]", SJ_SYNTAX),
		ROW("[01]", SJ_SYNTAX),
		ROW("[+1]", SJ_SYNTAX),
		ROW("[.5]", SJ_SYNTAX),
		ROW("[1.]", SJ_SYNTAX),
		ROW("[1e]", SJ_SYNTAX),
		ROW("[NaN]", SJ_SYNTAX),
		ROW("[nul]", SJ_SYNTAX),
		ROW("[1}", SJ_SYNTAX),
		ROW("{\"a\":\"\\x\"}", SJ_SYNTAX),
		ROW("{\"a\":\"\\u00g0\"}", SJ_SYNTAX),
		ROW("{\"a\":\"", SJ_SYNTAX),
		ROW("{\"a\":\"\\", SJ_SYNTAX),
		ROW("{\"a\":\"\\u12", SJ_SYNTAX),
		ROW("{", SJ_SYNTAX),
		ROW("{/**/}", SJ_SYNTAX),
		ROW("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}", SJ_MEMBERS),
		ROW("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", SJ_MEMBERS),
#undef ROW
	};
	struct strict_json j;

	sj_init(&j, &small, names);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *exact = malloc(rows[i].n ? rows[i].n : 1); /* no byte after the text may be read */
		enum sj_error e;
		if (!exact)
			abort();
		memcpy(exact, rows[i].text, rows[i].n);
		e = sj_parse(&j, (struct str){ exact, rows[i].n });
		CHECK_MSG(e == rows[i].want, "%s: %s", rows[i].text, sj_error_text(e));
		free(exact);
	}
	sj_release(&j);
}

static void test_json_tree(void)
{
	struct strict_json j;
	const struct sj_node *n, *a;
	int64_t t;

	sj_init(&j, &small, names);
	CHECK(sj_parse(&j, STR("{\"a\\u0062\":[1,{\"x\":\"y\\n\"}],\"iss\":4294967296}")) == SJ_OK && !j.first_duplicate);
	a = sj_member(&j, sj_root(&j), STR("ab"));
	CHECK(a && a->kind == SJ_ARRAY && a->children == 2 && str_eq(a->raw, STR("[1,{\"x\":\"y\\n\"}]")));
	n = a ? sj_next(&j, sj_first(&j, a)) : NULL;
	CHECK(n && n->kind == SJ_OBJECT && str_eq(sj_first(&j, n)->value, STR("y\n")) && !sj_next(&j, n));
	n = sj_member(&j, sj_root(&j), STR("iss"));
	CHECK(n && sj_date(n, &t) && t == INT64_C(4294967296));

	CHECK(sj_parse(&j, STR("{\"a\":1,\"b\":2,\"\\u0061\":3}")) == SJ_OK && j.nodes[j.first_duplicate].duplicate);
	CHECK(sj_parse(&j, STR("{\"iss\":1,\"Iss\":2}")) == SJ_OK && j.nodes[j.first_duplicate].case_duplicate);
	CHECK(sj_parse(&j, STR("{\"any\":1,\"Any\":2}")) == SJ_OK && !j.first_duplicate);
	CHECK(sj_parse(&j, STR("{\"q\":{\"iss\":1},\"iss\":2}")) == SJ_OK && !j.first_duplicate);
	CHECK(sj_parse(&j, STR("{\"q\":{\"z\":1,\"z\":1}}")) == SJ_OK && j.first_duplicate);

	static const char *const not_dates[] = { "-1", "1.0", "1e3", "8589934592", "99999999999", "\"1\"", "1.5", "true" };
	for (size_t i = 0; i < sizeof(not_dates) / sizeof(not_dates[0]); i++) {
		CHECK(sj_parse(&j, str_of(not_dates[i])) == SJ_OK);
		CHECK_MSG(!sj_date(sj_root(&j), &t), "%s", not_dates[i]);
	}
	CHECK(sj_parse(&j, STR("8589934591")) == SJ_OK && sj_date(sj_root(&j), &t) && t == INT64_C(8589934591));
	sj_release(&j);
}

/* -- keys -- */

static struct keyset *load_text(const char *text, unsigned flags)
{
	struct keyset *s = keyset_new("test");
	struct buf error;

	buf_init(&error, 4096);
	CHECK_MSG(s && keyset_load_bytes(s, str_of(text), flags, &error), "%s: %s", text, error.p ? error.p : "");
	buf_release(&error);
	return s;
}

static void test_stolen_key(void)
{
	struct keyset *s = keyset_new("storm");
	struct buf error;
	char hex[KEY_HEX_SIZE];

	buf_init(&error, 4096);
	CHECK(keyset_load_file(s, "tests/data/keys/storm-0558-jwk.json", 0, &error));
	CHECK(s->n == 1 && s->form == KEYSET_JWKS && !s->faults);
	if (s->n == 1) {
		const struct key *k = s->keys[0];
		CHECK_TEXT(key_hex(k->spki_sha256, 32, hex), "5c0a402b287eca6c026bf1eb9a38bec4c8565d5a0b23585be32e96055aa24548");
		CHECK_TEXT(key_hex(k->cert.sha1, 20, hex), "d4b4cccda9228624656bff33d8110955779632aa");
		CHECK(k->kind == KEY_RSA && k->bits == 2048 && k->alg == JWS_ALG_ABSENT && key_usable(k));
		CHECK(k->faults == UINT64_C(1) << KEY_FAULT_ALG_ABSENT);
		CHECK(k->cert.not_before_us == INT64_C(1459867415) * 1000000 && k->cert.not_after_us == INT64_C(1617547415) * 1000000);
		CHECK_TEXT(k->cert.common_name.p, "Live ID STS Signing Public Key");
		CHECK(k->cert.self_signed && !k->cert.sha1_signature && k->cert.chain == 1);
		CHECK(str_eq(k->issuer, STR("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0")));
	}
	buf_release(&error);
	keyset_free(s);
}

#define P256 "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\"," \
	     "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"" /* RFC 7517, appendix A.1 */

static void test_faults(void)
{
	/* a consequence of a missing member is no fault of its own, and null counts as absent */
	static const struct { const char *jwk; uint64_t faults; } alone[] = {
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"ES256\",\"x\":\"AQ\"}", UINT64_C(1) << KEY_FAULT_MISSING },
		{ "{\"kty\":\"EC\",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"ES256\",\"x\":\"AQ\",\"y\":\"AQ\"}", UINT64_C(1) << KEY_FAULT_MISSING },
		{ "{\"kty\":\"RSA\",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"RS256\",\"e\":\"AQAB\",\"d\":null,\"x5c\":null,\"x5t\":null,\"key_ops\":null,"
		  "\"jku\":null,\"oth\":null}", UINT64_C(1) << KEY_FAULT_MISSING },
		{ "{\"kty\":\"AKP\",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"ES256\",\"pub\":\"AQ\"}", UINT64_C(1) << KEY_FAULT_UNSUPPORTED },
		/* a point with the zero that its x begins with cut off */
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"ES256\",\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABA\",\"y\":\"guRUwU22LoXanp9N75mnbxnjKSjBTooX9f06r2LfzIU\"}",
		  UINT64_C(1) << KEY_FAULT_COORDINATE },
	};
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		struct keyset *s = load_text(alone[i].jwk, 0);
		CHECK_MSG(s && s->n == 1 && s->keys[0]->faults == alone[i].faults, "%s: %llx", alone[i].jwk, s && s->n ? (unsigned long long)s->keys[0]->faults : 0ULL);
		keyset_free(s);
	}
	static const struct { const char *jwk; enum key_fault_code want; } rows[] = {
		{ "{" P256 ",\"d\":\"AQ\"}", KEY_FAULT_PRIVATE },
		{ "{" P256 ",\"kid\":\"a\",\"kid\":\"b\"}", KEY_FAULT_DUPLICATE },
		{ "{" P256 ",\"kid\":\"a\",\"KID\":\"b\"}", KEY_FAULT_CASE_DUPLICATE },
		{ "{" P256 ",\"kid\":7}", KEY_FAULT_TYPE },
		{ "{" P256 ",\"kid\":\"\"}", KEY_FAULT_KID_LENGTH },
		{ "{" P256 "}", KEY_FAULT_KID_ABSENT },
		{ "{" P256 ",\"use\":\"enc\"}", KEY_FAULT_USE },
		{ "{" P256 ",\"use\":\"sig\",\"key_ops\":[\"verify\",\"deriveKey\"]}", KEY_FAULT_USE_CONTRADICTS },
		{ "{" P256 ",\"key_ops\":[\"sign\"]}", KEY_FAULT_KEY_OPS },
		{ "{" P256 ",\"key_ops\":\"verify\"}", KEY_FAULT_TYPE },
		{ "{" P256 ",\"alg\":\"RS256\"}", KEY_FAULT_ALG_CONTRADICTS },
		{ "{" P256 ",\"alg\":\"ES384\"}", KEY_FAULT_ALG_CONTRADICTS },
		{ "{" P256 ",\"alg\":\"none\"}", KEY_FAULT_ALG_UNKNOWN },
		{ "{" P256 ",\"jku\":\"https://example.com/\"}", KEY_FAULT_REMOTE },
		{ "{" P256 ",\"x5c\":[\"AAAA\"]}", KEY_FAULT_X5C_FORM },
		{ "{" P256 ",\"x5c\":[\"AA A\"]}", KEY_FAULT_BASE64 },
		{ "{" P256 ",\"x5c\":\"AAAA\"}", KEY_FAULT_TYPE },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
		  "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyN\"}", KEY_FAULT_BASE64 },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
		  "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyQ\"}", KEY_FAULT_POINT },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}", KEY_FAULT_COORDINATE },
		{ "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AQ\",\"y\":\"AQ\"}", KEY_FAULT_UNSUPPORTED },
		{ "{\"kty\":\"EC\",\"crv\":\"P-192\",\"x\":\"AQ\",\"y\":\"AQ\"}", KEY_FAULT_CRV },
		{ "{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"AQ\"}", KEY_FAULT_UNSUPPORTED },
		{ "{\"kty\":\"RSA\",\"alg\":\"RSA-OAEP\"}", KEY_FAULT_ALG_OTHER },
		{ "{\"kty\":\"RSA\",\"alg\":\"RS257\"}", KEY_FAULT_ALG_UNKNOWN },
		{ "{\"kty\":\"EC\",\"x\":\"AQ\",\"y\":\"AQ\"}", KEY_FAULT_MISSING },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\"}", KEY_FAULT_MISSING },
		{ "{\"kty\":\"DSA\"}", KEY_FAULT_KTY },
		{ "{\"kty\":\"RSA\",\"n\":\"wQ\",\"e\":\"AQ\"}", KEY_FAULT_EXP_ONE },
		{ "{\"kty\":\"RSA\",\"n\":\"wQ\",\"e\":\"AQAB\"}", KEY_FAULT_RSA_SIZE },
		{ "{\"kty\":\"RSA\",\"n\":\"AME\",\"e\":\"AQAB\"}", KEY_FAULT_LEADING_ZERO },
		{ "{\"kty\":\"RSA\",\"n\":\"wg\",\"e\":\"AQAB\"}", KEY_FAULT_RSA_EVEN },
		{ "{\"kty\":\"RSA\",\"n\":\"wQ\",\"e\":\"BA\"}", KEY_FAULT_EXP_EVEN },
		{ "{\"kty\":\"RSA\",\"n\":\"wQ\",\"e\":\"AQAAAAE\"}", KEY_FAULT_EXP_LONG },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}", KEY_FAULT_COORDINATE },
		{ "{\"kty\":\"oct\",\"alg\":\"HS512\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", KEY_FAULT_OCT_SHORT },
	};
	struct keyset *s;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = load_text(rows[i].jwk, 0);
		CHECK_MSG(s && s->n == 1 && key_has(s->keys[0], rows[i].want), "%s lacks %s", rows[i].jwk,
			  key_fault_rows[rows[i].want].code);
		if (s && s->n == 1)
			CHECK_MSG(!key_fault_rows[rows[i].want].refused || !key_usable(s->keys[0]), "%s", rows[i].jwk);
		keyset_free(s);
	}
	s = load_text("{" P256 ",\"kid\":\"1\",\"use\":\"sig\",\"alg\":\"ES256\"}", 0);
	CHECK(s->n == 1 && s->form == KEYSET_JWK && !s->keys[0]->faults && key_usable(s->keys[0]) && s->keys[0]->bits == 256);
	keyset_free(s);
	s = load_text("{\"keys\":[{" P256 ",\"kid\":\"1\"},{" P256 ",\"kid\":\"2\"},{" P256 ",\"kid\":\"1\"},7]}", 0);
	CHECK(s->n == 4 && s->faults == KEYSET_KID_DUPLICATE);
	CHECK(key_has(s->keys[0], KEY_FAULT_KID_DUPLICATE) && !key_has(s->keys[1], KEY_FAULT_KID_DUPLICATE));
	CHECK(key_has(s->keys[3], KEY_FAULT_NOT_OBJECT));
	keyset_free(s);
	s = load_text("{\"keys\":[{" P256 ",\"kid\":\"1\"},{\"kty\":\"oct\",\"kid\":\"2\",\"k\":\"AAAA\"}]}", 0);
	CHECK(s->faults & KEYSET_SYMMETRIC_MIX && key_has(s->keys[0], KEY_FAULT_SYMMETRIC_MIX) && !key_usable(s->keys[0]));
	CHECK(!s->keys[1]->secret.n && s->faults & KEYSET_PRIVATE);
	keyset_free(s);
	s = load_text("{\"kty\":\"oct\",\"kid\":\"2\",\"alg\":\"HS256\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		      KEY_KEEP_SYMMETRIC);
	CHECK(s->keys[0]->secret.n == 32 && key_usable_symmetric(s->keys[0]) && !key_usable(s->keys[0]));
	keyset_free(s);
	s = load_text("{\"issuer\":\"http://example.com\",\"jwks_uri\":\"https://example.com/keys\",\"cloud_instance_name\":\"c\"}", 0);
	CHECK(s->form == KEYSET_METADATA && s->n == 0 && s->faults == KEYSET_HTTP);
	CHECK_TEXT(s->issuer, "http://example.com");
	CHECK_TEXT(s->cloud_instance, "c");
	keyset_free(s);
}

/* made at run time: no private key is in the tree */
static void test_pem(void)
{
	EVP_PKEY *p = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	struct keyset *s;
	uint8_t want[32];

	CHECK(p && bio && PEM_write_bio_PUBKEY(bio, p) && PEM_write_bio_PrivateKey(bio, p, NULL, NULL, 0, NULL, NULL));
	BIO_write(bio, "", 1);
	BIO_get_mem_data(bio, &text);
	s = load_text(text, 0);
	CHECK(s->form == KEYSET_PEM && s->n == 2 && s->faults & KEYSET_PRIVATE);
	if (s->n == 2) {
		memcpy(want, s->keys[0]->spki_sha256, 32);
		CHECK(memcmp(want, s->keys[1]->spki_sha256, 32) == 0 && key_usable(s->keys[0]) && !key_usable(s->keys[1]));
		CHECK(s->keys[0]->curve == CURVE_P256 && s->keys[0]->kind == KEY_EC && s->keys[0]->x.n);
	}
	keyset_free(s);
	BIO_free(bio);
	EVP_PKEY_free(p);
}

static void test_unreadable(void)
{
	static const char *const texts[] = { "", "x", "[]", "{}", "{\"keys\":7}", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
					     "0", "{\"keys\":[]", "-----BEGIN NOTHING-----\n-----END NOTHING-----\n" };
	struct buf error;

	buf_init(&error, 4096);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct keyset *s = keyset_new("bad");
		CHECK_MSG(!keyset_load_bytes(s, str_of(texts[i]), 0, &error) && str_starts(buf_str(&error), STR("bad: ")), "%s", texts[i]);
		buf_clear(&error);
		keyset_free(s);
	}
	buf_release(&error);
}

/* -- a cached source, without its network -- */

#define ONE "{" P256 ",\"kid\":\"one\"}"
#define TWO "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"two\"}"

static struct keyset *merge(struct buf *cache, const char *jwks, int64_t now)
{
	struct buf merged, error;
	struct keyset *s;
	int64_t fetched = 0;

	buf_init(&merged, 64 * KIB);
	buf_init(&error, 4096);
	CHECK_MSG(remote_merge(buf_str(cache), str_of(jwks), now, &merged, &error), "%s", error.p ? error.p : "");
	buf_clear(cache);
	buf_add_str(cache, buf_str(&merged));
	s = remote_read("source", buf_str(cache), &fetched, &error);
	CHECK_MSG(s && fetched == now, "%s: %s", cache->p, error.p ? error.p : "");
	buf_release(&merged);
	buf_release(&error);
	return s;
}

static void test_remote(void)
{
	struct buf cache, out, error;
	struct keyset *s;

	buf_init(&cache, 64 * KIB);
	buf_init(&out, 64 * KIB);
	buf_init(&error, 4096);
	s = merge(&cache, "{\"keys\":[" ONE "," TWO "]}", 1000);
	CHECK(s->n == 2 && s->keys[0]->first_listed_us == 1000000000 && !s->keys[0]->gone_us && key_usable(s->keys[1]));
	keyset_free(s);
	s = merge(&cache, "{\"keys\":[" TWO "]}", 5000); /* one has left */
	CHECK(s->n == 2 && str_eq(s->keys[0]->kid, STR("two")) && s->keys[0]->first_listed_us == 1000000000);
	CHECK(str_eq(s->keys[1]->kid, STR("one")) && s->keys[1]->gone_us == INT64_C(5000) * 1000000);
	keyset_free(s);
	s = merge(&cache, "{\"keys\":[" TWO "]}", 6000); /* still away, since then */
	CHECK(s->n == 2 && s->keys[1]->gone_us == INT64_C(5000) * 1000000);
	keyset_free(s);
	s = merge(&cache, "{\"keys\":[" ONE "," TWO "]}", 7000); /* back: not gone any more */
	CHECK(s->n == 2 && !s->keys[0]->gone_us && !s->keys[1]->gone_us);
	keyset_free(s);
	s = merge(&cache, "{\"keys\":[" TWO "]}", 8000);
	keyset_free(s);
	s = merge(&cache, "{\"keys\":[" TWO "]}", 8000 + 86400); /* a day later it is forgotten */
	CHECK(s->n == 1);
	keyset_free(s);
	/* an answer that is no key set changes nothing; a broken cache counts as empty */
	CHECK(!remote_merge(buf_str(&cache), STR("<html>"), 9000, &out, &error) && error.n);
	CHECK(!remote_merge(buf_str(&cache), STR("{\"keys\":7}"), 9000, &out, &error));
	buf_clear(&cache);
	buf_add_cstr(&cache, "{\"fetched\":");
	s = merge(&cache, "{\"keys\":[" TWO "]}", 9000);
	CHECK(s->n == 1 && s->keys[0]->first_listed_us == INT64_C(9000) * 1000000);
	keyset_free(s);
	buf_release(&cache);
	buf_release(&out);
	buf_release(&error);
}

int main(void)
{
	test_b64url();
	test_json_errors();
	test_json_tree();
	test_stolen_key();
	test_faults();
	test_pem();
	test_unreadable();
	test_remote();
	return check_summary();
}
