/* SPDX-License-Identifier: Apache-2.0 */
/* registry: names that are known but not supported, which is not the same as wrong.  Policy, tokens and audits use the same sentence
 * about them, and an unregistered name is never called registered. */
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
