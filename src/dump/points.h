/* SPDX-License-Identifier: Apache-2.0 */
/* points: of these numbers, which gives the secret of one of these public keys?  Asked some hundred thousand times for one server's core.
 *
 * W G is computed for hundreds of W at once, byte by byte from a table of the multiples of G, in affine coordinates: the cost of an
 * affine addition is its inversion, and one inversion serves all of them.  That is twenty times as fast as asking OpenSSL for
 * one P-384 point after the other.  X is looked up among the X of 2^t Q, for all keys Q and all t that a library's words could make
 * (Montgomery's R, R^2, 1/R for words of every size are powers of two): the time does not depend on the number of keys.  So W
 * is found if it is d 2^t or -d 2^t; with `inverse` if it is 2^t/d or its negative.  OpenSSL has the last word (points_secret()).
 *
 * Curves y^2 = x^3 + a x + b: those of enum curve, and the Montgomery curves of Ed25519, X25519, Ed448 and X448, which have that form too.
 * Nothing here is constant in time: the numbers come from leaked data. */
#ifndef TXM_DUMP_POINTS_H
#define TXM_DUMP_POINTS_H

#include "dump/claim.h"

#define POINTS_BATCH 512
#define POINTS_FULL_MAX 512 /* keys of which 2^t Q is known for all t; of those after them, Q alone */
#define POINTS_REACH(bytes) (2 * (8 * (bytes) + 64)) /* largest t: R^2 for words of up to 64 bits */

/* a group is an enum curve, or one of these */
enum { POINTS_25519 = CURVE_COUNT + 1, POINTS_448, POINTS_GROUPS };
unsigned points_bytes(int group); /* of a number, and of X: 32 for 25519, 56 for 448 */

/* Public keys: made, sealed, then read by all threads. */
struct points_set;
struct points_set *points_set_new(int group); /* NULL: out of memory.  The group's table (0.5 to 2.5 MB) is made when it is first needed, and kept */
void points_set_free(struct points_set *s);
/* Numbered from 0.  False: out of memory. */
bool points_set_add(struct points_set *s, const uint8_t *x); /* X, big-endian */
bool points_set_add_public(struct points_set *s, enum claim_alg alg, const uint8_t *public, size_t n); /* Ed25519 and the like */
bool points_set_seal(struct points_set *s);
const BIGNUM *points_order(const struct points_set *s);

struct points;
struct points *points_new(const struct points_set *s); /* of one thread; NULL: out of memory */
void points_free(struct points *p);                    /* cleanses; NULL is fine */

struct points_hit { uint32_t tag, key; int32_t power; }; /* W G (or G/W) has the X of 2^power Q */

/* A number of points_bytes(), least byte first.  `tag` comes back if it is a hit.  False: the batch is full, ask for it. */
bool points_add(struct points *p, const uint8_t *number, bool inverse, uint32_t tag);
/* The hits among all numbers added since the last time, in their order: at most POINTS_BATCH. */
size_t points_ask(struct points *p, struct points_hit *ret);
/* The number of a hit, as it was added: *ret = d or -d modulo the order.  False: it was chance. */
bool points_secret(const struct points_set *s, const struct points_hit *h, const uint8_t *number, bool inverse, BIGNUM *ret);

#endif
