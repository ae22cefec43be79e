/* SPDX-License-Identifier: Apache-2.0 */
/* published: keys whose private half is in a standard, in a library's source or in a test suite.  As a signing key such a
 * key is worthless, whatever the list says about how long it is no find in a dump.  The list is data/published-keys.csv. */
#ifndef TXM_KEYS_PUBLISHED_H
#define TXM_KEYS_PUBLISHED_H

#include <stddef.h>
#include <stdint.h>

/* Where the key with that SPKI was published, or NULL. */
const char *published_key(const uint8_t spki_sha256[32]);

#endif
