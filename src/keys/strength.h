/* SPDX-License-Identifier: Apache-2.0 */
/* strength: is this public key one that an attacker can break?  A signature by a broken key is worth nothing, no matter who is
 * named in it, so the tests that need nothing but the public half are made on every key that is listed.
 *
 * Each test is one that has found keys in the wild: a faulty library (ROCA), primes chosen close together (Fermat), a
 * generator without entropy (shared primes, patterns, bias), d and e exchanged (Wiener).  No test prints a factor: the
 * owner must learn that the key is weak, the reader of the report needs no more.
 *
 * Arithmetic is OpenSSL's.  Time is bounded: about 1 ms for a key of 2048 bits, and no key above STRENGTH_BITS_MAX is
 * tested (it is reported as untested, which is a finding). */
#ifndef TXM_KEYS_STRENGTH_H
#define TXM_KEYS_STRENGTH_H

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
};

struct strength {
	uint32_t found;          /* of enum weakness */
	unsigned bits;           /* of the modulus */
	unsigned exponent_bits;
	unsigned fermat_steps;   /* with WEAK_FERMAT */
	unsigned ones_permille;  /* one bits of the modulus, in thousandths */
};

/* Both big-endian, leading zeros allowed.  Never fails: what cannot be tested is WEAK_UNTESTED. */
void strength_rsa(const uint8_t *modulus, size_t modulus_bytes, const uint8_t *exponent, size_t exponent_bytes,
		  struct strength *ret);

/* Which of these moduli share a prime with another one?  Product tree and remainder tree, so that all pairs are compared
 * without looking at pairs.  The moduli must differ from one another.  partner[i] = index of a modulus with a common factor,
 * or -1.  False: out of memory. */
struct modulus {
	const uint8_t *p; /* big-endian */
	size_t n;
};
bool strength_shared(const struct modulus *moduli, size_t n, int32_t *partner);

#endif
