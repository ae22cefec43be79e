/* SPDX-License-Identifier: Apache-2.0 */
/* hash: XXH3 under one name.  Unkeyed on purpose: ids of findings must be equal on every machine.  Tables are bounded,
 * so a made collision costs the attacker's own entries, not our time. */
#ifndef TXM_BASE_HASH_H
#define TXM_BASE_HASH_H

#include "base/str.h"

uint64_t hash64(const void *p, size_t n, uint64_t seed);
void hash128(const void *p, size_t n, uint8_t ret[16]);

/* For a given b no two a, and for a given a no two b, give the same number: small numbers may be mixed. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	uint64_t x = (a ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 32;
	x = (x ^ b) * UINT64_C(0xc4ceb9fe1a85ec53);
	x ^= x >> 29;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ (x >> 32);
}
static inline uint64_t hash_str(struct str s, uint64_t seed) { return hash64(s.p, s.n, seed); }

#endif
