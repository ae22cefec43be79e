/* SPDX-License-Identifier: Apache-2.0 */
/* kind: what a token is for: access to an API, the sign-in of a person at one client, the end of a session.  All three are signed by
 * the same key for the same issuer; who takes one for another lets a client's sign-in pass for a right to call an API. */
#ifndef TXM_TOKEN_KIND_H
#define TXM_TOKEN_KIND_H

#include "keys/policy.h"
#include "token/token.h"

/* What the token shows itself to be.  *ret_sign: the header or claim that shows it; "" = nothing does. */
enum token_kind token_kind_of(const struct token *t, bool is_entra_2, const char **ret_sign);
const char *token_kind_name(enum token_kind k); /* "an access token" */

#endif
