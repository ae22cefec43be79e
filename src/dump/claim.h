/* SPDX-License-Identifier: Apache-2.0 */
/* claim: what a parser of one key form read, and whether arithmetic confirms it.
 *
 * A parser looks at bytes and says "the modulus would be here, a prime there": a claim.  It decides nothing.  claim_prove()
 * decides: RSA when a number divides the modulus or the exponent undoes e, elliptic when d G = Q, DSA when g^x = y.  So a
 * parser may be as generous as it likes (heads overwritten, tails cut, members missing): noise does not divide.
 *
 * Numbers are borrowed from the bytes that were parsed; only the results in struct proof are owned. */
#ifndef TXM_DUMP_CLAIM_H
#define TXM_DUMP_CLAIM_H

#include <openssl/bn.h>

#include "base/str.h"

enum claim_alg {
	CLAIM_NOTHING,
	CLAIM_RSA,
	CLAIM_EC,        /* Weierstrass curves, claim.curve says which */
	CLAIM_ED25519,
	CLAIM_ED448,
	CLAIM_X25519,
	CLAIM_X448,
	CLAIM_DSA,
	CLAIM_DH,
	CLAIM_SYMMETRIC, /* nothing to prove: always shape, unless it is a key schedule */
	CLAIM_LOCKED,    /* an encrypted container, well formed; what is inside is not known */
	CLAIM_PGP,       /* an armoured OpenPGP secret key: not opened */
	/* from here on opaque: part 0 is the secret, and nothing is computed with it */
	CLAIM_ML_DSA,
	CLAIM_ML_KEM,
	CLAIM_SLH_DSA,
	CLAIM_UNKNOWN,   /* its form says that it is a private key, of an algorithm that we do not know */
};

/* Curves by the names of the field; 0 = not given. */
enum curve {
	CURVE_NONE, CURVE_P224, CURVE_P256, CURVE_P384, CURVE_P521, CURVE_K256, CURVE_P192, CURVE_SM2, CURVE_B256R1, CURVE_B320R1, CURVE_B384R1, CURVE_B512R1,
	CURVE_B256T1, CURVE_B320T1, CURVE_B384T1, CURVE_B512T1, CURVE_COUNT
};

/* Places of the numbers in claim.part */
enum { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QI };
enum { EC_PUBLIC, EC_D };                 /* public: 04 X Y, 02/03 X, or bare X Y; Edwards: A and the seed */
enum { DSA_P, DSA_Q, DSA_G, DSA_Y, DSA_X };
#define CLAIM_PARTS 8

struct number {
	const uint8_t *p; /* NULL = absent */
	uint32_t n;       /* bytes */
	bool little;      /* least byte first */
};

struct claim {
	enum claim_alg alg;
	enum curve curve;
	const char *form;   /* "pkcs8", "jwk", ...: a literal */
	struct number part[CLAIM_PARTS];
	size_t begin, end;  /* the form's extent in the bytes that were parsed */
	/* where a text form's member is, still encoded, in the text that was parsed; n = 0: part.p is the place itself */
	struct place {
		size_t at, n;
	} place[CLAIM_PARTS];
	bool cut;           /* head or tail was missing: the extent covers what is left */
	bool hex;           /* the places of a text form hold hexadecimal digits, not base64 */
	bool stated;        /* whole, and its own words say that it is a private key, and of what algorithm */
};

/* From nothing to everything; keys.md calls the top four "key found". */
enum proof_level {
	PROOF_NONE,     /* refuted, or nothing there */
	PROOF_SHAPE,    /* looks like one, and nothing can be computed */
	PROOF_STATED,   /* whole, says what it is, and holds nothing to compare with */
	PROOF_LOCKED,
	PROOF_PAIR,     /* two primes whose product is no known modulus */
	PROOF_POINT,    /* d G = Q, pub(seed) = A, g^x = y */
	PROOF_EXPONENT, /* 2^(e d) = 2 mod n */
	PROOF_FACTOR,   /* a number divides n; the rest is derived */
	PROOF_FULL,     /* every member is there and agrees with every other */
};
extern const char *const proof_names[]; /* "none", "shape", ... */
extern const char *const claim_alg_names[];
extern const char *const curve_names[];

/* Public keys known from outside: numbers that come without their public key are compared with them.  May be NULL: none. */
struct known_keys {
	const struct number *rsa_n; /* big-endian moduli */
	const struct number *rsa_e;
	size_t rsa_count;
	const struct number *point; /* 04 X Y, or A: compared as bytes */
	size_t point_count;
};

struct proof {
	enum proof_level level;
	enum claim_alg alg;
	enum curve curve;
	unsigned bits;          /* of n, of the field, of p */
	bool has_spki;
	uint8_t spki[32];       /* SHA-256 of the DER SubjectPublicKeyInfo */
	uint32_t good;          /* bit i: part i was there and is right */
	/* The key itself, for the search for its traces.  Owned by the prover, secret, good until its next claim; NULL = not known.
	 * RSA: n e p q d; EC: d; DSA: x; Edwards: seed as big-endian number of its bytes. */
	const BIGNUM *n, *e, *p, *q, *d;
	uint8_t point[133];     /* 04 X Y or A, when level is PROOF_POINT or the public part could be computed */
	uint32_t point_bytes;
};

struct prover;
struct prover *prover_new(void);    /* NULL: out of memory.  One a thread. */
void prover_free(struct prover *p); /* cleanses */
/* Fills *ret; false = level is PROOF_NONE.  Bounded: numbers above CLAIM_BYTES_MAX are refused unseen. */
bool claim_prove(struct prover *p, const struct claim *c, const struct known_keys *known, struct proof *ret);
/* Exponentiations done so far: a scanner's measure of what an input costs it. */
uint64_t prover_cost(const struct prover *p);

static inline bool number_has(const struct number *x) { return x->p && x->n; }
unsigned curve_bytes(enum curve c); /* of one coordinate; 0 for CURVE_NONE */
unsigned curve_bits(enum curve c);
int curve_nid(enum curve c);
const char *curve_group(enum curve c); /* OpenSSL's short name, as in struct dump_target */
enum curve curve_by_oid(const uint8_t *oid, size_t n);  /* content of the OBJECT IDENTIFIER */
enum curve curve_by_name(struct str name);              /* "P-256", "nistp256", "secp256r1", "prime256v1", ... */

#endif
