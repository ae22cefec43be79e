/* SPDX-License-Identifier: Apache-2.0 */
/* find_claim: from a claim to a key of the scan, for the finders that parse. */
#ifndef TXM_DUMP_FIND_CLAIM_H
#define TXM_DUMP_FIND_CLAIM_H

#include "dump/claim.h"
#include "dump/dump.h"

enum dump_algorithm claim_algorithm(enum claim_alg a);
/* Keeps the key of a claim that was proven, or whose public part was computed.  -1: it has none, or there is no room. */
int32_t claim_keep(struct dump_scan *s, const struct claim *c, const struct proof *v);

#endif
