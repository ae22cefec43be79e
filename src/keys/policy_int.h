/* SPDX-License-Identifier: Apache-2.0 */
/* policy_int: what the reader of the policy file and the binding of its records share; private to them. */
#ifndef TXM_KEYS_POLICY_INT_H
#define TXM_KEYS_POLICY_INT_H

#include "keys/policy.h"
#include "keys/yaml_tree.h"

#define SKEW_DEFAULT_S 300
#define SKEW_MAX_S 600
#define MAX_AGE_DEFAULT_S (180 * 86400)
#define TOKEN_LIFE_DEFAULT_S (95 * 60)
#define TOKEN_LIFE_MAX_S (400 * 86400) /* Kubernetes gives a year where old pods need it */
#define EXCHANGE_DEPTH_DEFAULT 3

/* A record as it is written: all but the key, and where the key comes from. */
struct policy_rule {
	struct key_record record;  /* all but the key */
	struct str spki;           /* hex; or: */
	struct str from_file, from_source, from_kid, from_issuer;
	const struct keyset *set;  /* of from_file */
	bool is_certificate, whole_set;
	bool tenants_said, versions_said, typ_said;
	unsigned line;
};

#endif
