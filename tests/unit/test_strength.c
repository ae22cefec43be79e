/* SPDX-License-Identifier: Apache-2.0 */
/* strength: keys that others broke (tests/data/weak-keys), each flagged for its own defect and for no other; then keys made
 * weak here, and sound ones, from a seed. */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/limits.h"
#include "check.h"
#include "keys/strength.h"

struct rsa {
	uint8_t n[1024], e[1024];
	size_t n_bytes, e_bytes;
};

static bool read_rsa(const char *name, struct rsa *ret)
{
	char path[512], *label = NULL, *header = NULL;
	unsigned char *der = NULL;
	const unsigned char *at;
	long length = 0;
	EVP_PKEY *key = NULL;
	BIGNUM *n = NULL, *e = NULL;
	const char *root = getenv("TXM_SOURCE_ROOT");
	BIO *in;

	snprintf(path, sizeof(path), "%s/tests/data/weak-keys/%s", root ? root : ".", name);
	in = BIO_new_file(path, "r");
	if (in && PEM_read_bio(in, &label, &header, &der, &length) == 1) {
		at = der;
		key = strcmp(label, "PUBLIC KEY") == 0 ? d2i_PUBKEY(NULL, &at, length) : d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, length);
	}
	if (key) {
		EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n);
		EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e);
	}
	memset(ret, 0, sizeof(*ret));
	if (n && e && BN_num_bytes(n) <= (int)sizeof(ret->n) && BN_num_bytes(e) <= (int)sizeof(ret->e)) {
		ret->n_bytes = (size_t)BN_bn2bin(n, ret->n);
		ret->e_bytes = (size_t)BN_bn2bin(e, ret->e);
	}
	BN_free(n);
	BN_free(e);
	EVP_PKEY_free(key);
	OPENSSL_free(label);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(in);
	return ret->n_bytes != 0;
}

static uint32_t found_in(const struct rsa *k)
{
	struct strength s;

	strength_rsa(k->n, k->n_bytes, k->e, k->e_bytes, &s);
	return s.found;
}

static void broken_by_others(void)
{
	static const struct {
		const char *name;
		uint32_t found;
	} rows[] = {
		{ "rsa-fermat-pkcs8.key", WEAK_FERMAT },
		{ "rsa-roca.key", WEAK_ROCA },
		{ "rsa-smallfactors-valid.key", WEAK_SMALL },
		{ "rsa-pattern.key", WEAK_PATTERN | WEAK_BIAS },
		{ "rsapoly128.key", WEAK_BIAS },
		{ "rsa-e1.key", WEAK_EXP | WEAK_EXP_ONE },
		{ "rsa-small-d.key", WEAK_WIENER | WEAK_EXP },
		{ "rsa-debianweak.key", 0 },   /* sound arithmetic; known from a list only */
		{ "rsa-sharedprimes.key", 0 }, /* needs its partner */
		{ "rsa-ok.key", 0 },
	};
	struct rsa k;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_MSG(read_rsa(rows[i].name, &k), "%s", rows[i].name);
		CHECK_MSG(found_in(&k) == rows[i].found, "%s: 0x%x, want 0x%x", rows[i].name, found_in(&k), rows[i].found);
	}
}

/* n = p·q for two numbers given in hexadecimal */
static void product(const char *p_hex, const char *q_hex, struct rsa *ret)
{
	BIGNUM *p = NULL, *q = NULL;
	BN_CTX *ctx = BN_CTX_new();

	BN_hex2bn(&p, p_hex);
	BN_hex2bn(&q, q_hex);
	BN_mul(p, p, q, ctx);
	memset(ret, 0, sizeof(*ret));
	ret->n_bytes = (size_t)BN_bn2bin(p, ret->n);
	memcpy(ret->e, "\x01\x00\x01", 3);
	ret->e_bytes = 3;
	BN_free(p);
	BN_free(q);
	BN_CTX_free(ctx);
}

/* RSA keys by OpenSSL's own generator; a made prime goes into several of them */
static void shared_primes(void)
{
	enum { COUNT = 9 };
	struct rsa keys[COUNT];
	struct modulus moduli[COUNT];
	int32_t partner[COUNT];
	BIGNUM *primes[COUNT + 1];
	char *hex[COUNT + 1];

	for (size_t i = 0; i <= COUNT; i++) {
		primes[i] = BN_new();
		CHECK(BN_generate_prime_ex(primes[i], 256, 0, NULL, NULL, NULL) == 1);
		hex[i] = BN_bn2hex(primes[i]);
	}
	/* 0 and 5 share one prime; 7 shares both of its primes with two others; the rest share none */
	product(hex[0], hex[1], &keys[0]);
	product(hex[0], hex[2], &keys[5]);
	product(hex[3], hex[4], &keys[1]);
	product(hex[3], hex[5], &keys[7]);
	product(hex[5], hex[6], &keys[2]);
	product(hex[7], hex[7], &keys[3]);
	product(hex[8], hex[9], &keys[4]);
	CHECK(read_rsa("rsa-ok.key", &keys[6]));
	CHECK(read_rsa("rsa-roca.key", &keys[8]));
	for (size_t i = 0; i < COUNT; i++)
		moduli[i] = (struct modulus){ keys[i].n, keys[i].n_bytes };
	CHECK(strength_shared(moduli, COUNT, partner));
	CHECK(partner[0] == 5 && partner[5] == 0);
	CHECK(partner[1] == 7 && partner[2] == 7 && (partner[7] == 1 || partner[7] == 2));
	CHECK(partner[3] == -1 && partner[4] == -1 && partner[6] == -1 && partner[8] == -1);
	CHECK(strength_shared(moduli, 1, partner) && partner[0] == -1);
	CHECK(strength_shared(moduli, 0, partner));
	for (size_t i = 0; i <= COUNT; i++) {
		BN_free(primes[i]);
		OPENSSL_free(hex[i]);
	}
}

static void odd_numbers(void)
{
	struct rsa k;
	struct strength s;
	static uint8_t huge[STRENGTH_BITS_MAX / 8 + 1];

	CHECK(read_rsa("rsa-ok.key", &k));
	strength_rsa(k.n, k.n_bytes, k.e, k.e_bytes, &s);
	CHECK(s.bits == 2048 && s.exponent_bits == 17);
	/* leading zeros change nothing */
	memmove(k.n + 3, k.n, k.n_bytes);
	memset(k.n, 0, 3);
	strength_rsa(k.n, k.n_bytes + 3, k.e, k.e_bytes, &s);
	CHECK(s.bits == 2048 && s.found == 0);
	CHECK(read_rsa("rsa-ok.key", &k));
	k.e[0] = 3, k.e_bytes = 1;
	CHECK(found_in(&k) == WEAK_EXP);
	k.e[0] = 0;
	CHECK(found_in(&k) == (WEAK_EXP | WEAK_EXP_ONE));
	memcpy(k.e, "\x01\x00\x00", 3), k.e_bytes = 3;
	CHECK(found_in(&k) == WEAK_EXP);
	memcpy(k.e, "\x00\xff\xff", 3);
	CHECK(found_in(&k) == WEAK_EXP);
	memcpy(k.e, "\x01\x00\x01", 3);
	CHECK(found_in(&k) == 0);
	strength_rsa(k.n, k.n_bytes - 128, k.e, k.e_bytes, &s);
	CHECK(s.bits == 1024 && (s.found & WEAK_SIZE));
	strength_rsa(k.n, 0, k.e, 0, &s);
	CHECK(s.bits == 0 && (s.found & WEAK_SIZE) && (s.found & WEAK_EXP_ONE));
	memset(huge, 0xff, sizeof(huge));
	strength_rsa(huge, sizeof(huge), k.e, k.e_bytes, &s);
	CHECK(s.found == WEAK_UNTESTED && s.bits == 8 * sizeof(huge));
	/* a square is the closest pair of primes there is */
	product("F000000000000000000000000000000000000000000000000000000000000061", "F000000000000000000000000000000000000000000000000000000000000061", &k);
	CHECK(found_in(&k) & WEAK_FERMAT);
}

int main(void)
{
	broken_by_others();
	shared_primes();
	odd_numbers();
	return check_summary();
}
