/* SPDX-License-Identifier: Apache-2.0 */
/* published: keys whose private half is in a standard, a library's self-test or a test suite.  As a signing key such a key is
 * worthless; in a memory dump it is no find (every program that links OpenSSL's or GnuTLS's tests carries some).  The list is
 * data/published-keys.csv; each row has a last day, so that it is looked over now and then. */
#ifndef TXM_BASE_PUBLISHED_H
#define TXM_BASE_PUBLISHED_H

#include <stdint.h>

/* "RSA 2048: openssl speed", or NULL: not in the list, or no longer.  spki_sha256: SHA-256 of the DER SubjectPublicKeyInfo;
 * today: days since 1970. */
const char *published_source(const uint8_t spki_sha256[32], int64_t today);

#endif
