/* SPDX-License-Identifier: Apache-2.0 */
/* strength: keys that others broke (tests/data/weak-keys), each flagged for its own defect and for no other; then keys made
 * weak here, and sound ones, from a seed. */
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/limits.h"
#include "chance.h"
#include "check.h"
#include "keys/point.h"
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

	strength_rsa(k->n, k->n_bytes, k->e, k->e_bytes, STRENGTH_AUDIT, &s);
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
		{ "rsa-pattern.key", WEAK_PATTERN | WEAK_BIAS | WEAK_RATIO },
		{ "rsapoly128.key", WEAK_BIAS },
		{ "rsa-e1.key", WEAK_EXP | WEAK_EXP_ONE },
		{ "rsa-small-d.key", WEAK_WIENER | WEAK_EXP | WEAK_EXP_HUGE },
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
	strength_rsa(k.n, k.n_bytes, k.e, k.e_bytes, STRENGTH_AUDIT, &s);
	CHECK(s.bits == 2048 && s.exponent_bits == 17);
	/* leading zeros change nothing */
	memmove(k.n + 3, k.n, k.n_bytes);
	memset(k.n, 0, 3);
	strength_rsa(k.n, k.n_bytes + 3, k.e, k.e_bytes, STRENGTH_AUDIT, &s);
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
	strength_rsa(k.n, k.n_bytes - 128, k.e, k.e_bytes, STRENGTH_AUDIT, &s);
	CHECK(s.bits == 1024 && (s.found & WEAK_SIZE));
	strength_rsa(k.n, 0, k.e, 0, STRENGTH_AUDIT, &s);
	CHECK(s.bits == 0 && (s.found & WEAK_SIZE) && (s.found & WEAK_EXP_ONE));
	memset(huge, 0xff, sizeof(huge));
	strength_rsa(huge, sizeof(huge), k.e, k.e_bytes, STRENGTH_AUDIT, &s);
	CHECK(s.found == WEAK_UNTESTED && s.bits == 8 * sizeof(huge));
	/* a square is the closest pair of primes there is */
	product("F000000000000000000000000000000000000000000000000000000000000061", "F000000000000000000000000000000000000000000000000000000000000061", &k);
	CHECK(found_in(&k) & WEAK_FERMAT);
}

/* -- keys made weak here -- */

static BN_CTX *context;

static BIGNUM *random_bits(int bits)
{
	uint8_t bytes[512];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(chance() >> 32);
	BIGNUM *n = BN_bin2bn(bytes, (bits + 7) / 8, NULL);
	BN_mask_bits(n, bits);
	BN_set_bit(n, bits - 1);
	BN_set_bit(n, bits - 2);
	return n;
}

/* the next prime in steps of 2 */
static BIGNUM *next_prime(BIGNUM *n)
{
	BN_set_bit(n, 0);
	while (BN_check_prime(n, context, NULL) != 1)
		BN_add_word(n, 2);
	return n;
}

static struct rsa key_of(BIGNUM *p, BIGNUM *q)
{
	struct rsa k = { .e = { 1, 0, 1 }, .e_bytes = 3 };
	BIGNUM *n = BN_new();

	BN_mul(n, p, q, context);
	k.n_bytes = (size_t)BN_bn2bin(n, k.n);
	BN_free(n);
	BN_free(p);
	BN_free(q);
	return k;
}

static uint32_t found_by(struct rsa k, enum strength_effort effort)
{
	struct strength s;

	strength_rsa(k.n, k.n_bytes, k.e, k.e_bytes, effort, &s);
	return s.found & ~(uint32_t)(WEAK_SIZE | WEAK_TINY);
}

#define FINDS(what, key, weakness) do { \
		const struct rsa k_ = key; \
		CHECK_MSG(found_by(k_, STRENGTH_LOAD) & (weakness), "%s, %d bits, as it is read", what, bits); \
		CHECK_MSG(found_by(k_, STRENGTH_AUDIT) & (weakness), "%s, %d bits, audit", what, bits); \
	} while (0)

static BIGNUM *one(void) { BIGNUM *n = BN_new(); BN_one(n); return n; }

/* b/a of p, rounded up to a prime */
static BIGNUM *fraction(const BIGNUM *p, unsigned a, unsigned b)
{
	BIGNUM *q = BN_dup(p);

	BN_mul_word(q, b);
	BN_div_word(q, a);
	return next_prime(q);
}

/* the word of w bits, repeated over that many bits */
static BIGNUM *repeated(const BIGNUM *word, int w, int bits)
{
	BIGNUM *n = BN_new();

	for (int i = 0; i < bits; i += w) {
		BN_lshift(n, n, w);
		BN_add(n, n, word);
	}
	return n;
}

static void made_weak(int bits)
{
	const int half = bits / 2;
	static const unsigned ratios[][2] = { { 1, 2 }, { 2, 3 }, { 1, 3 }, { 3, 5 }, { 5, 7 }, { 7, 8 } }, more[][2] = { { 9, 10 }, { 1, 16 }, { 13, 31 }, { 31, 32 } };
	BIGNUM *p, *q, *t;

	FINDS("a prime modulus", key_of(next_prime(random_bits(bits)), one()), WEAK_PRIME);
	for (int power = 2; power <= 7; power++) {
		p = next_prime(random_bits(bits / power));
		q = BN_dup(p);
		for (int i = 2; i < power; i++)
			BN_mul(q, q, p, context);
		FINDS("a power", key_of(p, q), WEAK_POWER | WEAK_FERMAT);
	}
	for (unsigned factor_bits = 2; factor_bits <= 16; factor_bits++) {
		p = BN_new();
		BN_set_word(p, (1U << (factor_bits - 1)) | 1);
		next_prime(p);
		FINDS("a small factor", key_of(p, next_prime(random_bits(bits - 16))), WEAK_SMALL);
	}
	for (unsigned i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
		p = next_prime(random_bits(half));
		q = fraction(p, ratios[i][0], ratios[i][1]);
		FINDS("a ratio", key_of(p, q), WEAK_RATIO);
	}
	for (unsigned i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		p = next_prime(random_bits(half));
		q = fraction(p, more[i][0], more[i][1]);
		CHECK_MSG(found_by(key_of(p, q), STRENGTH_AUDIT) & WEAK_RATIO, "%u/%u", more[i][0], more[i][1]);
	}
	/* q = p over the upper half: Fermat.  Over the lower half, or its negative there. */
	for (int way = 0; way < 3; way++) {
		p = next_prime(random_bits(half));
		t = BN_dup(p);
		BN_mask_bits(t, half / 2 + 1);
		q = random_bits(half);
		if (way == 2) {
			BIGNUM *m = BN_new();
			BN_set_bit(m, half / 2 + 1);
			BN_sub(t, m, t);
			BN_free(m);
		}
		if (way == 0) {
			BN_copy(q, p);
			BN_rshift(q, q, half / 2 - 1);
			BN_lshift(q, q, half / 2 - 1);
			BN_add_word(q, (BN_ULONG)(chance() >> 8));
			next_prime(q);
		} else {
			BN_rshift(q, q, half / 2 + 1);
			BN_lshift(q, q, half / 2 + 1);
			BN_add(q, q, t);
			BN_zero(t);
			BN_set_bit(t, half / 2 + 1);
			while (BN_check_prime(q, context, NULL) != 1)
				BN_add(q, q, t);
		}
		BN_free(t);
		FINDS(way ? "equal lower halves" : "equal upper halves", key_of(p, q), way ? WEAK_HALVES : WEAK_FERMAT);
	}
	/* words repeated; runs of zeros, of ones */
	for (int w = 8; w <= 128; w *= 2) {
		BIGNUM *one_word = random_bits(w), *other = random_bits(w);
		p = next_prime(repeated(one_word, w, half));
		q = next_prime(repeated(other, w, half));
		FINDS("repeated words", key_of(p, q), WEAK_DIGITS | WEAK_RATIO | WEAK_FERMAT);
		BN_free(one_word);
		BN_free(other);
	}
	for (int way = 0; way < 3; way++) {
		p = random_bits(half / 8), q = random_bits(half / 8);
		BN_lshift(p, p, half - half / 8);
		BN_lshift(q, q, half - half / 8);
		if (way) { /* the next prime below: a run of ones */
			BN_sub_word(p, (BN_ULONG)(chance() >> 20 | 1));
			while (BN_check_prime(p, context, NULL) != 1)
				BN_sub_word(p, 2);
		}
		if (way == 2) {
			BN_sub_word(q, (BN_ULONG)(chance() >> 20 | 1));
			while (BN_check_prime(q, context, NULL) != 1)
				BN_sub_word(q, 2);
		}
		FINDS("long runs", key_of(next_prime(p), next_prime(q)), WEAK_DIGITS | WEAK_PATTERN);
	}
	for (int i = 0; i < 3; i++)
		CHECK(found_by(key_of(next_prime(random_bits(half)), next_prime(random_bits(half))), STRENGTH_AUDIT) == 0);
}

/* -- the search for factors -- */

static uint32_t searched(BIGNUM *p, BIGNUM *q, enum strength_effort effort)
{
	const struct rsa k = key_of(p, q);

	return factor_search(k.n, k.n_bytes, effort);
}

/* A prime of that many bits for which p - 1, or p + 1, has no prime factor above the limit, and none more than twice. */
static BIGNUM *smooth(int bits, unsigned limit, bool plus)
{
	BIGNUM *p = BN_new();
	uint8_t *times = malloc(limit);

	do {
		memset(times, 0, limit);
		BN_set_word(p, 4);
		while (BN_num_bits(p) < bits) {
			uint32_t f = ((uint32_t)(chance() >> 33) % limit) | 1;
			bool prime = f > 2 && times[f] < 2;
			for (uint32_t d = 3; d * d <= f && prime; d += 2)
				prime = f % d != 0;
			times[f] += prime;
			if (prime)
				BN_mul_word(p, f);
		}
		if (plus)
			BN_sub_word(p, 1);
		else
			BN_add_word(p, 1);
	} while (BN_check_prime(p, context, NULL) != 1);
	free(times);
	return p;
}

static void factors(void)
{
	for (int i = 0; i < 3; i++) {
		CHECK(searched(smooth(512, 1 << 14, false), next_prime(random_bits(512)), STRENGTH_SEARCH) == WEAK_SMOOTH);
		CHECK(searched(smooth(512, 1 << 11, true), next_prime(random_bits(512)), STRENGTH_SEARCH) == WEAK_SMOOTH);
		CHECK(searched(smooth(512, 1 << 14, false), smooth(512, 1 << 14, false), STRENGTH_SEARCH) == WEAK_SMOOTH);
		CHECK(searched(next_prime(random_bits(512)), next_prime(random_bits(512)), STRENGTH_SEARCH) == 0);
	}
	for (int bits = 17; bits <= 20; bits++)
		CHECK(searched(next_prime(random_bits(bits)), next_prime(random_bits(1000)), STRENGTH_SEARCH) == WEAK_SMALL);
	/* elliptic curves: most factors of 26 bits at once, and those of 40 with more patience */
	unsigned found = 0;
	for (int i = 0; i < 20; i++)
		found += searched(next_prime(random_bits(26)), next_prime(random_bits(1000)), STRENGTH_SEARCH) != 0;
	CHECK_MSG(found >= 15, "%u of 20", found);
	CHECK(searched(next_prime(random_bits(40)), next_prime(random_bits(200)), STRENGTH_THOROUGH) != 0);
}

/* -- points -- */

static struct str hex(const char *text, uint8_t *out)
{
	size_t n = 0;

	for (; text[0] && text[1]; text += 2) {
		unsigned byte = 0;
		sscanf(text, "%2x", &byte);
		out[n++] = (uint8_t)byte;
	}
	return (struct str){ (const char *)out, n };
}

static void points(void)
{
	static const struct { const char *x; enum point_verdict v; } rows25519[] = {
		/* the eight points of small order, and the other encodings of them: y above p, and the sign of x = 0 */
		{ "0100000000000000000000000000000000000000000000000000000000000000", POINT_SMALL_ORDER },
		{ "0100000000000000000000000000000000000000000000000000000000000080", POINT_SMALL_ORDER },
		{ "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", POINT_SMALL_ORDER },
		{ "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", POINT_SMALL_ORDER },
		{ "0000000000000000000000000000000000000000000000000000000000000000", POINT_SMALL_ORDER },
		{ "0000000000000000000000000000000000000000000000000000000000000080", POINT_SMALL_ORDER },
		{ "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", POINT_SMALL_ORDER },
		{ "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", POINT_SMALL_ORDER },
		{ "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", POINT_SMALL_ORDER },
		{ "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", POINT_SMALL_ORDER },
		{ "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", POINT_SMALL_ORDER },
		{ "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", POINT_SMALL_ORDER },
		{ "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", POINT_SMALL_ORDER },
		{ "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", POINT_SMALL_ORDER },
		{ "0200000000000000000000000000000000000000000000000000000000000000", POINT_OFF_CURVE },
		{ "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", POINT_SECOND_FORM }, /* p + 3 */
		{ "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", POINT_SECOND_FORM },
		{ "5866666666666666666666666666666666666666666666666666666666666666", POINT_TINY }, /* the base point */
		{ "58666666666666666666666666666666666666666666666666666666666666e6", POINT_TINY }, /* its negative */
		{ "c9a3f86aae465f0e56513864510f3997561fa2c9e85ea21dc2292309f3cd6022", POINT_TINY }, /* twice */
		{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", POINT_SOUND }, /* RFC 8032, 7.1 */
		{ "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", POINT_SOUND },
		{ "01", POINT_OFF_CURVE },
	}, rows448[] = {
		{ "0100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" "00", POINT_SMALL_ORDER },
		{ "0100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" "80", POINT_SMALL_ORDER },
		{ "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" "00", POINT_SMALL_ORDER },
		{ "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" "80", POINT_SMALL_ORDER },
		{ "01000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", POINT_OFF_CURVE }, /* 58 bytes */
		{ "fefffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffff" "00", POINT_SMALL_ORDER },
		{ "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffff" "00", POINT_SMALL_ORDER }, /* p */
		{ "00000000000000000000000000000000000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff" "00", POINT_SMALL_ORDER }, /* p + 1 */
		{ "14fa30f25b790898adc8d74e2c13bdfdc4397ce61cffd33ad7c2a0051e9c78874098a36c7373ea4b62c7c9563720768824bcb66e71463f69" "00", POINT_TINY },
		{ "14fa30f25b790898adc8d74e2c13bdfdc4397ce61cffd33ad7c2a0051e9c78874098a36c7373ea4b62c7c9563720768824bcb66e71463f69" "80", POINT_TINY },
		{ "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180", POINT_SOUND }, /* RFC 8032, 7.4 */
	}, rows_x[] = {
		{ "0000000000000000000000000000000000000000000000000000000000000000", POINT_SMALL_ORDER },
		{ "0100000000000000000000000000000000000000000000000000000000000080", POINT_SMALL_ORDER },
		{ "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", POINT_SMALL_ORDER },
		{ "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157", POINT_SMALL_ORDER },
		{ "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", POINT_SMALL_ORDER },
		{ "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", POINT_SMALL_ORDER },
		{ "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", POINT_SMALL_ORDER },
		{ "0900000000000000000000000000000000000000000000000000000000000000", POINT_TINY },
		{ "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", POINT_SOUND }, /* RFC 7748, 6.1 */
		{ "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", POINT_SOUND },
	};
	uint8_t bytes[64], x[66], y[66];

	for (size_t i = 0; i < sizeof(rows25519) / sizeof(rows25519[0]); i++)
		CHECK_MSG(point_edwards(CURVE_ED25519, hex(rows25519[i].x, bytes)) == rows25519[i].v, "Ed25519 %s", rows25519[i].x);
	for (size_t i = 0; i < sizeof(rows448) / sizeof(rows448[0]); i++)
		CHECK_MSG(point_edwards(CURVE_ED448, hex(rows448[i].x, bytes)) == rows448[i].v, "Ed448 %s", rows448[i].x);
	for (size_t i = 0; i < sizeof(rows_x) / sizeof(rows_x[0]); i++)
		CHECK_MSG(point_montgomery(false, hex(rows_x[i].x, bytes)) == rows_x[i].v, "X25519 %s", rows_x[i].x);
	/* d times the base point, on each curve, until it is not small any more; d and n - d */
	for (int curve = CURVE_P256; curve <= CURVE_P521; curve++) {
		static const int nids[] = { NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1 };
		static const BN_ULONG ds[] = { 1, 2, 3, 255, 256, 257, 512, 513, 514, 4096, POINT_TINY_MAX, POINT_TINY_MAX + 1, 1000003 };
		EC_GROUP *g = EC_GROUP_new_by_curve_name(nids[curve - CURVE_P256]);
		EC_POINT *p = EC_POINT_new(g);
		BIGNUM *d = BN_new(), *bx = BN_new(), *by = BN_new();
		const int width = (int)key_curve_bytes((enum key_curve)curve);

		for (size_t i = 0; i < 2 * sizeof(ds) / sizeof(ds[0]); i++) {
			const BN_ULONG small = ds[i / 2];
			BN_set_word(d, small);
			if (i % 2)
				BN_sub(d, EC_GROUP_get0_order(g), d);
			EC_POINT_mul(g, p, d, NULL, NULL, context);
			EC_POINT_get_affine_coordinates(g, p, bx, by, context);
			BN_bn2binpad(bx, x, width);
			BN_bn2binpad(by, y, width);
			const enum point_verdict v = point_weierstrass((enum key_curve)curve, (struct str){ (char *)x, (size_t)width }, (struct str){ (char *)y, (size_t)width });
			CHECK_MSG(v == (small <= POINT_TINY_MAX ? POINT_TINY : POINT_SOUND), "%s, d = %lu: %d", key_curve_name((enum key_curve)curve), (unsigned long)small, v);
		}
		memset(x, 0, sizeof(x));
		CHECK(point_weierstrass((enum key_curve)curve, (struct str){ (char *)x, (size_t)width }, (struct str){ (char *)x, (size_t)width }) == POINT_OFF_CURVE);
		BN_free(d);
		BN_free(bx);
		BN_free(by);
		EC_POINT_free(p);
		EC_GROUP_free(g);
	}
}

int main(void)
{
	context = BN_CTX_new();
	printf("seed %llu\n", (unsigned long long)chance_state);
	made_weak(1024);
	made_weak(2048);
	points();
	factors();
	BN_CTX_free(context);
	broken_by_others();
	shared_primes();
	odd_numbers();
	return check_summary();
}
