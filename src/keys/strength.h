/* SPDX-License-Identifier: Apache-2.0 */
/* strength: is this public key one that an attacker can break?  A signature by a broken key is worth nothing, no matter who is
 * named in it, so the tests that need nothing but the public half are made on every key that is listed.
 *
 * Each test is one that has found keys in the wild: a faulty library (ROCA), primes chosen close together (Fermat), a
 * generator without entropy (shared primes, patterns, bias), d and e exchanged (Wiener).  No test prints a factor: the
 * owner must learn that the key is weak, the reader of the report needs no more.
 *
 * Arithmetic is OpenSSL's.  Time is bounded by the effort that is asked for, and no key above STRENGTH_BITS_MAX is
 * tested (it is reported as untested, which is a finding). */
#ifndef TXM_KEYS_STRENGTH_H
#define TXM_KEYS_STRENGTH_H

#include <openssl/bn.h>

#include "base/str.h"

enum weakness {
	WEAK_SIZE = 1 << 0,    /* shorter than 2048 bits, or a length that is no multiple of 8 */
	WEAK_EXP = 1 << 1,     /* public exponent below 65537, even, or longer than 32 bits */
	WEAK_EXP_ONE = 1 << 2, /* public exponent 1 (or 0): a signature is the message itself */
	WEAK_ROCA = 1 << 3,    /* primes of the form k·M + 65537^a mod M, CVE-2017-15361 */
	WEAK_FERMAT = 1 << 4,  /* the primes are so close together that 100 steps find them */
	WEAK_SMALL = 1 << 5,   /* a factor below 2^16, or even */
	WEAK_WIENER = 1 << 6,  /* a private exponent so short that the public one betrays it */
	WEAK_PATTERN = 1 << 7, /* 16 equal bytes in a row */
	WEAK_BIAS = 1 << 8,    /* far more ones than zeros, or the reverse */
	WEAK_UNTESTED = 1 << 9, /* larger than STRENGTH_BITS_MAX, or no memory: nothing is known */
	WEAK_PRIME = 1 << 10,  /* the modulus is a prime: phi is N - 1 */
	WEAK_POWER = 1 << 11,  /* a square or a higher power */
	WEAK_RATIO = 1 << 12,  /* one prime is nearly a/b of the other, a and b small (Lehman) */
	WEAK_HALVES = 1 << 13, /* the primes, or one and the other's negative, have the lower half in common */
	WEAK_DIGITS = 1 << 14, /* both primes are a repeated word or a number with a long run of zeros or ones, and a little more */
	WEAK_SMOOTH = 1 << 15, /* p - 1 or p + 1 has small prime factors only */
	WEAK_FACTOR = 1 << 16, /* a factor found by elliptic curves */
	WEAK_EXP_HUGE = 1 << 17, /* a public exponent longer than any that is chosen: the private one was chosen first */
	WEAK_TINY = 1 << 18,   /* shorter than 1025 bits: within reach of those who can pay */
};

/* What a test may cost.  For a modulus of 2048 bits: 6 ms, 15 ms, 0.2 s, over a minute. */
enum strength_effort { STRENGTH_LOAD, STRENGTH_AUDIT, STRENGTH_SEARCH, STRENGTH_THOROUGH };

struct strength {
	uint32_t found;          /* of enum weakness */
	unsigned bits;           /* of the modulus */
	unsigned exponent_bits;
	unsigned fermat_steps;   /* with WEAK_FERMAT */
	unsigned ratio_a, ratio_b; /* with WEAK_RATIO */
	unsigned ones_permille;  /* one bits of the modulus, in thousandths */
};

/* Both big-endian, leading zeros allowed.  Never fails: what cannot be tested is WEAK_UNTESTED. */
void strength_rsa(const uint8_t *modulus, size_t modulus_bytes, const uint8_t *exponent, size_t exponent_bytes,
		  enum strength_effort effort, struct strength *ret);
bool strength_has_factor_below(const BIGNUM *n, uint32_t limit);
/* The search for factors alone, for a modulus that the tests of strength_rsa() have found nothing in (keys/factor.c): enum weakness
 * bits, 0 if nothing was found within the bounds of that effort. */
uint32_t factor_search(const uint8_t *modulus, size_t modulus_bytes, enum strength_effort effort);
const char *factor_bounds(enum strength_effort effort); /* those bounds, as a part of a sentence */

/* Which of these moduli share a prime with another one?  Product tree and remainder tree, so that all pairs are compared
 * without looking at pairs.  The moduli must differ from one another.  partner[i] = index of a modulus with a common factor,
 * or -1.  False: out of memory. */
struct modulus {
	const uint8_t *p; /* big-endian */
	size_t n;
};
bool strength_shared(const struct modulus *moduli, size_t n, int32_t *partner);

#endif
