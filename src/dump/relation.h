/* SPDX-License-Identifier: Apache-2.0 */
/* relation: does a number V give a factor of N away?  With N and e alone; nothing is known of p and q.
 *
 * All tests are exact: what passes one is a factor of N, computed and divided.  docs/dump.md has the proof of each.  Numbers are arrays of
 * GMP's limbs; most are multiplied into a product modulo N, and a gcd is taken once in many. */
#ifndef TXM_DUMP_RELATION_H
#define TXM_DUMP_RELATION_H

#include <gmp.h>

#include "dump/dump.h"
#include "base/limits.h"

#define RELATION_LIMBS (DUMP_RSA_BITS_MAX / 64)

/* Sizes of the windows that are looked at: of a prime of two, of N (private exponents), of a prime of three. */
enum relation_size { RELATION_HALF, RELATION_FULL, RELATION_THIRD, RELATION_SIZES };

struct relation {
	size_t k;                 /* limbs of N */
	unsigned bits;            /* of N */
	unsigned prime_bits;
	size_t bytes[RELATION_SIZES], limbs[RELATION_SIZES];
	mp_limb_t inverse;        /* -1/N modulo 2^64 */
	mp_limb_t *n, *one, *rr;  /* R modulo N, R^2 modulo N; one allocation with all that follows */
	mp_limb_t *common[RELATION_SIZES], *rare; /* coefficients of polynomials, see relation.c */
	size_t n_common[RELATION_SIZES], n_rare;
	mp_limb_t near;           /* multiplier: G e */
	uint8_t n_mod[16];        /* N modulo small primes */
	/* powers of a base for all places of a stretch of bytes */
	mp_limb_t *table, *wanted;
	size_t stretch;           /* bytes */
	struct relation_primes *primes; /* relation_know() */
	void *memory;
	size_t memory_bytes;
};

/* n, e: big-endian.  Without e (none, or more than 2^40) exponents are not tested.  False: out of memory, or N is even, or of less than 32 bytes. */
bool relation_new(struct relation *r, const uint8_t *n, size_t n_bytes, const uint8_t *e, size_t e_bytes, bool long_stretch);
void relation_free(struct relation *r);

/* product *= R^-x f(V): shares a factor with N if V is 0, +-1 or a power R^k modulo a prime of N, k to 6, R for words of 32 and 64 bits.
 * v[0]: the 64 bits below the number; v[1 ...]: the number, limbs[size] of them; v is not changed. */
void relation_multiply(const struct relation *r, enum relation_size size, const mp_limb_t *v, mp_limb_t *product);
/* For a size of HALF: the same with R for all other sizes of word, and for N. */
void relation_multiply_rare(const struct relation *r, const mp_limb_t *v, mp_limb_t *product);
/* For a size of HALF: V = floor(2^m / p) for any m, or +-1/p modulo R. */
void relation_multiply_quotients(const struct relation *r, const mp_limb_t *v, mp_limb_t *product);
/* V = p - q, p + q, or the lower half of (p-1)(q-1): a factor in ret (limbs[HALF] of them). */
bool relation_square(const struct relation *r, const mp_limb_t *v, mp_limb_t *ret);
/* A FULL number, and `more` limbs on top of it at v[1 + k ...]: near a multiple of N: an exponent, or (p-1)(q-1)/g. */
bool relation_near(const struct relation *r, const mp_limb_t *v, size_t more);

/* Of a key whose p and q are known (relation_known.c): is a HALF number y 2^a modulo p or q, for a member y of the key?  False of the first:
 * out of memory, or the primes are not of one size. */
bool relation_know(struct relation *r, const uint8_t *p, size_t p_n, const uint8_t *q, size_t q_n, const uint8_t *e, size_t e_n);
void relation_forget(struct relation *r);
bool relation_is_known(const struct relation *r, const mp_limb_t *v);

/* 1 modulo N, in the form that products have */
void relation_product_begin(const struct relation *r, mp_limb_t *product);
/* A factor that product and N share, 1 < g < N, of at least `least` bits: in ret (k limbs).  whole: N itself counts as well. */
bool relation_product_end(const struct relation *r, const mp_limb_t *product, bool whole, mp_limb_t *ret);

/* exponents: digits[0 .. n), the least significant byte first, n <= stretch + 1 - bytes... : for each k, the window digits[k .. k + bytes):
 * product *= B^(e V) - B.  windows: which of them (odd numbers only are worth it). */
void relation_exponents(const struct relation *r, const uint8_t *digits, size_t n, const uint8_t *windows, mp_limb_t *product, mp_limb_t *scratch);
size_t relation_exponents_scratch(const struct relation *r); /* limbs */

#endif
