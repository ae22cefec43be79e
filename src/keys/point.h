/* SPDX-License-Identifier: Apache-2.0 */
/* point: is this public point one that a key can have?  OpenSSL makes a key of any 32 bytes for Ed25519, and accepts signatures
 * under points of small order although none was made: with the identity as key, R = identity and S = 0 sign everything.  And a point that
 * is a small multiple of the base point has a private half that can be counted out.
 *
 * Points come from key sets, so all arithmetic is on public numbers; a key costs 1 to 5 ms, and a curve's first key as much again. */
#ifndef TXM_KEYS_POINT_H
#define TXM_KEYS_POINT_H

#include "keys/alg.h"

enum point_verdict {
	POINT_SOUND,
	POINT_OFF_CURVE,    /* no point has these coordinates, or it is the point at infinity */
	POINT_SMALL_ORDER,  /* a few additions bring it to the identity: anybody can sign, or knows what is agreed */
	POINT_SECOND_FORM,  /* the coordinate is not below the field's prime, or the sign of zero is set: one point, two encodings */
	POINT_TINY,         /* d times the base point, d of either sign and at most POINT_TINY_MAX (Edwards: and any point of small order added) */
	POINT_UNTESTED,     /* no memory */
};

enum { POINT_BABY = 256, POINT_GIANT = 16, POINT_TINY_MAX = POINT_BABY + POINT_GIANT * (2 * POINT_BABY + 1) };

enum point_verdict point_edwards(enum key_curve curve, struct str x); /* x: as in a JWK, 32 or 57 bytes */
enum point_verdict point_montgomery(bool is_x448, struct str u);      /* X25519, X448: 32 or 56 bytes */
enum point_verdict point_weierstrass(enum key_curve curve, struct str x, struct str y); /* big-endian */

#endif
