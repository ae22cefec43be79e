/* SPDX-License-Identifier: Apache-2.0 */
/* token: signed tokens verified a second, one thread: raw OpenSSL, Taximeter with its policy, and the C libraries that Debian
 * ships, in one run and in turn, so that a slow minute of the machine hits all of them.
 *
 *   raw OpenSSL      the signature alone: EVP_DigestVerify over the received bytes with the key parsed once
 *   raw, best        the same with a digest fetched once and one EVP_PKEY_CTX kept: the floor
 *   taximeter        txm_token_verify(): strict base64 and JSON, record, scope, times, the signature
 *   taximeter, line  and the verdict's JSON line
 *   cjose            cjose_jws_import() and cjose_jws_verify() with the key parsed once; it looks at no claim
 *   libjwt           jwt_decode(), which parses the PEM each time; looks at no claim but those asked for; RS256, ES256
 *
 * Tokens are 1,000 different ones with the claims of an Entra access token, made with keys of this run.  A second is
 * one of processor time, so that neighbours on the machine count for less.  With -a it counts the allocations of one
 * verification instead: all of them (malloc of this program is ours), and those of OpenSSL among them. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_CJOSE
#include <cjose/cjose.h>
#endif
#ifdef HAVE_LIBJWT
#include <jwt.h>
#endif

#include "base/b64url.h"
#include "base/limits.h"
#include "taximeter.h"

#define TOKENS 1000
#define ROUNDS 11
#define AT 1767693600
#define T "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define A "6e74172b-be56-4843-9ff4-e66a39bb12e3"

struct kit {
	const char *alg;
	EVP_PKEY *key;
	bool is_rsa;
	struct buf tokens[TOKENS], jwk, pem;
	size_t input_n[TOKENS];        /* header.payload */
	uint8_t sig[TOKENS][512];      /* as OpenSSL wants it */
	size_t sig_n[TOKENS];
	struct txm_token_policy *policy;
	struct txm_token_verifier *verifier;
	EVP_MD *md;
	EVP_MD_CTX *hash;
	EVP_PKEY_CTX *c;
#ifdef HAVE_CJOSE
	cjose_jwk_t *cjose;
#endif
};

static void die(const char *what)
{
	fprintf(stderr, "bench-token: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(3);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* -- allocations -- */

static unsigned long allocations, openssl_allocations;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

__attribute__((visibility("default"))) void *malloc(size_t n)
{
	allocations++;
	return __libc_malloc(n);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t n)
{
	allocations++;
	return __libc_realloc(p, n);
}

static void *count_malloc(size_t n, const char *f, int l)
{
	(void)f, (void)l;
	openssl_allocations++;
	return malloc(n);
}

static void *count_realloc(void *p, size_t n, const char *f, int l)
{
	(void)f, (void)l;
	openssl_allocations++;
	return realloc(p, n);
}

static void count_free(void *p, const char *f, int l)
{
	(void)f, (void)l;
	free(p);
}

/* -- making -- */

static void add_number(struct buf *b, const char *name, EVP_PKEY *k, const char *param, int bytes)
{
	BIGNUM *n = NULL;
	uint8_t raw[512];

	if (!EVP_PKEY_get_bn_param(k, param, &n))
		die("no such number");
	bytes = bytes ? bytes : BN_num_bytes(n);
	BN_bn2binpad(n, raw, bytes);
	buf_printf(b, ",\"%s\":\"", name);
	b64url_add(b, raw, (size_t)bytes);
	buf_add_char(b, '"');
	BN_free(n);
}

static void make_tokens(struct kit *k)
{
	for (int i = 0; i < TOKENS; i++) {
		struct buf *b = &k->tokens[i], json;
		EVP_MD_CTX *c = EVP_MD_CTX_new();
		buf_init(b, 64 * KIB);
		buf_init(&json, 64 * KIB);
		buf_printf(&json, "{\"typ\":\"JWT\",\"alg\":\"%s\",\"kid\":\"bench\"}", k->alg);
		b64url_add(b, json.p, json.n);
		buf_add_char(b, '.');
		buf_clear(&json);
		buf_printf(&json, "{\"aud\":\"" A "\",\"iss\":\"https://login.microsoftonline.com/" T "/v2.0\",\"iat\":1767693000,\"nbf\":1767693000,"
			   "\"exp\":1767697800,\"aio\":\"AWQAm/8ZAAAA0000%08d\",\"azp\":\"f1f1f1f1-0000-4000-8000-000000000001\",\"azpacr\":\"1\","
			   "\"name\":\"User %d\",\"oid\":\"aaaaaaaa-0000-4000-8000-%012d\",\"preferred_username\":\"user%d@example.com\","
			   "\"rh\":\"0.AAAAAAAA\",\"scp\":\"Mail.Read User.Read\",\"sid\":\"bbbbbbbb-0000-4000-8000-%012d\",\"sub\":\"s%d\","
			   "\"tid\":\"" T "\",\"uti\":\"uti%08d\",\"ver\":\"2.0\"}", i, i, i, i, i, i, i);
		b64url_add(b, json.p, json.n);
		k->input_n[i] = b->n;
		k->sig_n[i] = sizeof(k->sig[i]);
		if (!EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, k->key) ||
		    !EVP_DigestSign(c, k->sig[i], &k->sig_n[i], (uint8_t *)b->p, b->n))
			die("cannot sign");
		buf_add_char(b, '.');
		if (k->is_rsa) {
			b64url_add(b, k->sig[i], k->sig_n[i]);
		} else {
			const uint8_t *p = k->sig[i];
			ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)k->sig_n[i]);
			uint8_t raw[64];
			BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32);
			BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32);
			b64url_add(b, raw, 64);
			ECDSA_SIG_free(s);
		}
		EVP_MD_CTX_free(c);
		buf_release(&json);
	}
}

static void write_file(const char *path, struct str s)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(s.p, 1, s.n, f) != s.n || fclose(f) != 0)
		die("cannot write a temporary file");
}

static void make_kit(struct kit *k, const char *alg)
{
	char folder[] = "/tmp/taximeter-bench-XXXXXX", jwks[64], yaml[64];
	BIO *bio = BIO_new(BIO_s_mem());
	struct buf b;
	char *pem;
	long n;

	k->alg = alg;
	k->is_rsa = alg[0] == 'R';
	k->key = k->is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	if (!k->key || !mkdtemp(folder))
		die("cannot begin");
	make_tokens(k);
	PEM_write_bio_PUBKEY(bio, k->key);
	n = BIO_get_mem_data(bio, &pem);
	buf_init(&k->pem, 64 * KIB);
	buf_add(&k->pem, pem, (size_t)n);
	BIO_free(bio);
	buf_init(&k->jwk, 64 * KIB);
	buf_printf(&k->jwk, "{\"kid\":\"bench\",\"use\":\"sig\",\"alg\":\"%s\",", alg);
	if (k->is_rsa) {
		buf_add_cstr(&k->jwk, "\"kty\":\"RSA\"");
		add_number(&k->jwk, "n", k->key, OSSL_PKEY_PARAM_RSA_N, 0);
		add_number(&k->jwk, "e", k->key, OSSL_PKEY_PARAM_RSA_E, 0);
	} else {
		buf_add_cstr(&k->jwk, "\"kty\":\"EC\",\"crv\":\"P-256\"");
		add_number(&k->jwk, "x", k->key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
		add_number(&k->jwk, "y", k->key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
	}
	buf_add_char(&k->jwk, '}');
	buf_init(&b, 64 * KIB);
	buf_printf(&b, "records:\n  - from: {jwks: k.json, kid: bench}\n    alg: %s\n    issuers: [\"https://login.microsoftonline.com/{tenantid}/v2.0\"]\n"
		   "    tenants: {allow: [" T "]}\n    audiences: [" A "]\n    versions: [\"2.0\"]\n    first_listed: 2026-01-01\n    state: active\n", alg);
	snprintf(jwks, sizeof(jwks), "%s/k.json", folder);
	snprintf(yaml, sizeof(yaml), "%s/p.yaml", folder);
	write_file(jwks, buf_str(&k->jwk));
	write_file(yaml, buf_str(&b));
	k->policy = txm_token_policy_new();
	if (txm_token_policy_load(k->policy, yaml) != TXM_OK || txm_token_policy_ready(k->policy) != TXM_OK)
		die(txm_token_policy_error(k->policy));
	k->verifier = txm_token_verifier_new(k->policy);
	unlink(jwks);
	unlink(yaml);
	rmdir(folder);
	buf_release(&b);
	k->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	k->hash = EVP_MD_CTX_new();
	k->c = EVP_PKEY_CTX_new_from_pkey(NULL, k->key, NULL);
	if (!k->c || EVP_PKEY_verify_init(k->c) <= 0 || EVP_PKEY_CTX_set_signature_md(k->c, k->md) <= 0)
		die("no context");
#ifdef HAVE_CJOSE
	cjose_err e;
	k->cjose = cjose_jwk_import(k->jwk.p, k->jwk.n, &e);
	if (!k->cjose)
		die("cjose takes no such key");
#endif
}

/* -- contestants: one token each -- */

static bool by_raw(struct kit *k, int i)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	const bool ok = EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, k->key) &&
			EVP_DigestVerify(c, k->sig[i], k->sig_n[i], (uint8_t *)k->tokens[i].p, k->input_n[i]) == 1;
	EVP_MD_CTX_free(c);
	return ok;
}

static bool by_best(struct kit *k, int i)
{
	uint8_t hash[32];
	unsigned n;

	return EVP_DigestInit_ex2(k->hash, k->md, NULL) && EVP_DigestUpdate(k->hash, k->tokens[i].p, k->input_n[i]) &&
	       EVP_DigestFinal_ex(k->hash, hash, &n) && EVP_PKEY_verify(k->c, k->sig[i], k->sig_n[i], hash, n) == 1;
}

static bool by_taximeter(struct kit *k, int i)
{
	return txm_token_verify(k->verifier, k->tokens[i].p, k->tokens[i].n, AT) == TXM_TOKEN_ACCEPTED;
}

static bool by_taximeter_line(struct kit *k, int i)
{
	return by_taximeter(k, i) && txm_token_verdict_json(k->verifier) != NULL;
}

#ifdef HAVE_CJOSE
static bool by_cjose(struct kit *k, int i)
{
	cjose_err e;
	cjose_jws_t *j = cjose_jws_import(k->tokens[i].p, k->tokens[i].n, &e);
	const bool ok = j && cjose_jws_verify(j, k->cjose, &e);

	cjose_jws_release(j);
	return ok;
}
#endif

#ifdef HAVE_LIBJWT
static bool by_libjwt(struct kit *k, int i)
{
	jwt_t *j = NULL;
	const bool ok = jwt_decode(&j, k->tokens[i].p, (const unsigned char *)k->pem.p, (int)k->pem.n) == 0;

	jwt_free(j);
	return ok;
}
#endif

static const struct contestant {
	const char *name;
	bool (*verify)(struct kit *k, int i);
} contestants[] = {
	{ "raw OpenSSL", by_raw }, { "raw, best", by_best }, { "taximeter", by_taximeter }, { "taximeter, line", by_taximeter_line },
#ifdef HAVE_CJOSE
	{ "cjose", by_cjose },
#endif
#ifdef HAVE_LIBJWT
	{ "libjwt", by_libjwt },
#endif
};
#define CONTESTANTS (sizeof(contestants) / sizeof(contestants[0]))

static int by_rate(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void race(struct kit *k, double seconds)
{
	double rate[CONTESTANTS][ROUNDS];

	for (int r = 0; r < ROUNDS; r++)
		for (size_t c = 0; c < CONTESTANTS; c++) {
			const double begin = now();
			double t;
			unsigned long n = 0;
			do {
				for (int i = 0; i < 100; i++, n++)
					if (!contestants[c].verify(k, (int)(n % TOKENS)))
						die(contestants[c].name);
				t = now() - begin;
			} while (t < seconds);
			rate[c][r] = (double)n / t;
		}
	for (size_t c = 0; c < CONTESTANTS; c++)
		qsort(rate[c], ROUNDS, sizeof(double), by_rate);
	for (size_t c = 0; c < CONTESTANTS; c++)
		printf("%-6s %-16s %8.0f tokens/s  %5.2f of raw OpenSSL\n", k->alg, contestants[c].name, rate[c][ROUNDS / 2],
		       rate[c][ROUNDS / 2] / rate[0][ROUNDS / 2]);
}

static void count_allocations(struct kit *k)
{
	for (size_t c = 0; c < CONTESTANTS; c++) {
		unsigned long before, before_all;
		for (int i = 0; i < TOKENS; i++)
			contestants[c].verify(k, i);
		before = openssl_allocations;
		before_all = allocations;
		for (int i = 0; i < TOKENS; i++)
			contestants[c].verify(k, i);
		printf("%-6s %-16s %6.1f allocations a token, %6.1f of them by OpenSSL\n", k->alg, contestants[c].name,
		       (double)(allocations - before_all) / TOKENS, (double)(openssl_allocations - before) / TOKENS);
	}
}

int main(int argc, char **argv)
{
	static struct kit rs, es;
	const bool counts = argc > 1 && strcmp(argv[1], "-a") == 0;
	const double seconds = argc > 1 && !counts ? strtod(argv[1], NULL) : 0.2;

	if (counts && !CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free))
		die("OpenSSL has allocated already");
	make_kit(&rs, "RS256");
	make_kit(&es, "ES256");
	(counts ? count_allocations(&rs) : race(&rs, seconds));
	(counts ? count_allocations(&es) : race(&es, seconds));
	return 0;
}
