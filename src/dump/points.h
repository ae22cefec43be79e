/* SPDX-License-Identifier: Apache-2.0 */
/* points: of these numbers, which is the secret of one of these public keys?  Asked some ten thousand times for one server's core.
 *
 * d G is computed for hundreds of d at once, byte by byte from a table of the multiples of G, in affine coordinates: the cost of an
 * affine addition is its inversion, and one inversion serves all of them.  That is twenty times as fast as asking OpenSSL for
 * one P-384 point after the other.  Only X is compared; OpenSSL has the last word on every number that passes (claim_prove()).
 *
 * Curves y^2 = x^3 + a x + b over the primes of enum curve.  Nothing here is constant in time: the numbers come from leaked data. */
#ifndef TXM_DUMP_POINTS_H
#define TXM_DUMP_POINTS_H

#include "dump/claim.h"

#define POINTS_BATCH 512

struct points;

/* NULL: out of memory.  The table of the curve (0.5 to 2.5 MB) is made when it is first needed, and kept. */
struct points *points_new(enum curve c);
void points_free(struct points *p); /* cleanses; NULL is fine */
/* A public key: X, big-endian, curve_bytes(c) bytes.  False: out of memory. */
bool points_hunt(struct points *p, const uint8_t *x);

/* For several threads: the same keys, other numbers.  NULL: out of memory. */
struct points *points_share(const struct points *p);

/* A number of at least curve_bytes(c) bytes; what is longer must be zero.  `tag` comes back if it is a secret.  False: the batch is
 * full, ask for it. */
bool points_add(struct points *p, const uint8_t *number, size_t n, bool little, uint32_t tag);
/* The tags of all numbers added since the last time whose d G has the X of a hunted key: at most POINTS_BATCH. */
size_t points_ask(struct points *p, uint32_t *ret_tags);

#endif
