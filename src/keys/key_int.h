/* SPDX-License-Identifier: Apache-2.0 */
/* key_int: what the readers of keys share (key.c, jwk.c). */
#ifndef TXM_KEYS_KEY_INT_H
#define TXM_KEYS_KEY_INT_H

#include "keys/key.h"

/* texts_max: bytes that all texts and numbers together can take; they never move afterwards.  NULL: out of memory. */
struct key *key_new(enum key_from from, size_t texts_max);
struct str key_keep(struct key *k, const void *p, size_t n); /* a copy that lives as long as the key; STR_NONE and a fault: no room */
static inline struct str without_zeros(struct str s)
{
	while (s.n && !s.p[0])
		s.p++, s.n--;
	return s;
}

/* What a key is, from its numbers alone: also for keys that OpenSSL does not want. */
void key_judge_rsa(struct key *k, unsigned flags);
void key_judge_point(struct key *k);
void key_judge_agreement(struct key *k, struct str u); /* X25519, X448: not judged, except for a point that makes every agreement public */
void key_take_spki(struct key *k);                     /* of its pkey */
void key_take_certificate(struct key *k, X509 *x, struct str der);

#endif
