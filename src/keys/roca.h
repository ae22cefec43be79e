/* SPDX-License-Identifier: Apache-2.0 */
/* roca: the fingerprint of CVE-2017-15361 (Nemec et al., CCS 2017): moduli made by one vendor's chips are powers of 65537
 * modulo each small prime. */
#ifndef TXM_KEYS_ROCA_H
#define TXM_KEYS_ROCA_H

#include "base/str.h"

/* n: big-endian modulus.  An innocent one is suspected with a chance of 2^-27.8. */
bool roca_suspect(struct str n);

#endif
