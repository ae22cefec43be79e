/* SPDX-License-Identifier: Apache-2.0 */
/* published: keys whose private half is in a standard, in a library's source or in a test suite.  As a signing key such a
 * key is worthless; in a memory dump it is no find.  The list is data/published-keys.txt. */
#ifndef TXM_KEYS_PUBLISHED_H
#define TXM_KEYS_PUBLISHED_H

#include <stddef.h>
#include <stdint.h>

/* Where the key with that SPKI was published, or NULL. */
const char *published_key(const uint8_t spki_sha256[32]);

#endif
