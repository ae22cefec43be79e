/* SPDX-License-Identifier: Apache-2.0 */
/* keys_policy: the records of a policy as an audit wants them.  The audit needs one thing from a policy: which key is trusted,
 * for what, until when. */
#ifndef TXM_CMD_KEYS_POLICY_H
#define TXM_CMD_KEYS_POLICY_H

#include "cmd/cmd.h"
#include "keys/audit.h"
#include "keys/policy.h"

struct keys_policy {
	struct policy *policy;
	struct audit_record *records;
	struct str *issuers;     /* of all records */
	char **wheres;
	size_t n;
};

/* Fills in settings->records and settings->denied, also without a policy (path NULL: the built-in deny list alone).
 * EXIT_RAN; or EXIT_USAGE, reported on stderr. */
int keys_policy_load(struct keys_policy *p, const struct command *c, const char *path, struct audit_settings *settings);
void keys_policy_release(struct keys_policy *p);

#endif
