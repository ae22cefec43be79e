/* SPDX-License-Identifier: Apache-2.0 */
/* hash: XXH3 (Yann Collet), compiled into this file because nearly all our keys are short and a call into the shared
 * library would cost as much as the hashing.  The 128-bit form is written in XXH's canonical (big-endian) order, so that
 * an id made from it is the same text on every machine. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/hash.h"

uint64_t hash64(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(n ? p : "", n, seed);
}

void hash128(const void *p, size_t n, uint8_t ret[16])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(n ? p : "", n));
	memcpy(ret, canonical.digest, 16);
}
