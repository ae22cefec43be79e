/* SPDX-License-Identifier: Apache-2.0 */
/* registry: names that are registered and not supported: known, which is another thing than wrong.  Policy, tokens and audits say the
 * same sentence about them. */
#ifndef TXM_KEYS_REGISTRY_H
#define TXM_KEYS_REGISTRY_H

#include "base/str.h"

/* What a registered name stands for; NULL: supported (keys/alg.h), or unknown. */
const char *registry_alg(struct str name);
const char *registry_kty(struct str name);
const char *registry_crv(struct str name);

#endif
