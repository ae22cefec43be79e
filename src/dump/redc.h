/* SPDX-License-Identifier: Apache-2.0 */
/* redc: does this window of bytes divide N?  Called some hundred million times a dump.
 *
 * If W divides N then N / W = N W^-1 modulo any power of two, and that needs no division: limb by limb from below, with one
 * multiplication by the inverse of W's lowest limb each (Montgomery's reduction, of which only the lower half is made).  The
 * upper limb that comes out must be that of N / W computed in floating point; a window that is no divisor passes with
 * probability 2^-47 or less, and then OpenSSL is asked (finders do that).
 *
 * Three ways give the same answers for true divisors: AVX-512 IFMA (eight windows at once, limbs of 52 bits), scalar
 * code of 64-bit limbs with mulx, and plain C.  Which of them is chosen at run time. */
#ifndef TXM_DUMP_REDC_H
#define TXM_DUMP_REDC_H

#include "dump/dump.h"

#define REDC_LANES 8
#define REDC_LIMBS52_MAX 160 /* 8192-bit primes */
#define REDC_LIMBS64_MAX 129
#define REDC_BYTES_MAX 1024  /* of a window */

enum redc_order { REDC_LE, REDC_BE };

/* One N.  All targets of a batch have the same size of primes. */
struct redc_target {
	uint64_t low52[REDC_LIMBS52_MAX]; /* N modulo 2^(52 L) */
	uint64_t low64[REDC_LIMBS64_MAX];
	double top52, top64;              /* N / 2^(52 (2 L - 4)), N / 2^(64 (2 L - 4)) */
};

struct redc {
	unsigned bits;          /* of a prime */
	unsigned bytes;         /* of a window */
	unsigned limbs52, limbs64;
	enum dump_path path;    /* resolved: never BEST */
};

enum dump_path redc_path(enum dump_path wanted); /* what this machine can do of it */
void redc_init(struct redc *r, unsigned bits, enum dump_path path);
void redc_target_init(const struct redc *r, struct redc_target *t, const BIGNUM *n);

/* windows[0 .. count): odd numbers, top byte not zero; REDC_BYTES_MAX readable bytes are not needed, but 8 before and after.
 * passed[t] gets bit l set if windows[l] seems to divide targets[t]. */
void redc_test(const struct redc *r, const uint8_t *const windows[REDC_LANES], unsigned count, enum redc_order order,
	       const struct redc_target *targets, size_t n_targets, uint8_t *passed);

#endif
