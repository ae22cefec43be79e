/* SPDX-License-Identifier: Apache-2.0 */
/* registry: names that are known and not supported, which is another thing than wrong.  Policy, tokens and audits say the same sentence
 * about them, and none of them calls a name registered that is not. */
#ifndef TXM_KEYS_REGISTRY_H
#define TXM_KEYS_REGISTRY_H

#include "base/str.h"

struct registry_name {
	const char *standing; /* "is registered", "is a name of COSE", "is a draft name": the text after the name */
	const char *text;     /* what it means, and why it is not used here */
};

/* NULL: supported (keys/alg.h), or unknown. */
const struct registry_name *registry_alg(struct str name);
const struct registry_name *registry_kty(struct str name);
const struct registry_name *registry_crv(struct str name);

#endif
