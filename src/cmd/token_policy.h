/* SPDX-License-Identifier: Apache-2.0 */
/* token_policy: `taximeter token policy SET...` writes a first policy from key sets and OpenID metadata.  What they do not say is a question in
 * a comment; FILL-IN stands where an answer is needed before a token can be accepted. */
#ifndef TXM_CMD_TOKEN_POLICY_H
#define TXM_CMD_TOKEN_POLICY_H

#include "cmd/cmd.h"

/* Appends the policy.  now_s: for the age of certificates.  The exit status; reported on stderr. */
int token_policy_write(struct buf *b, const struct command *c, char **paths, int n, int64_t now_s);

#endif
