/* SPDX-License-Identifier: Apache-2.0 */
/* judge_int: what the two files of the judge share. */
#ifndef TXM_TOKEN_JUDGE_INT_H
#define TXM_TOKEN_JUDGE_INT_H

#include "token/judge.h"

/* texts of the token in a sentence: at most 100 bytes of each */
#define CUT(s) ((int)((s).n > 100 ? 100 : (s).n)), ((s).p ? (s).p : "")

/* All that the record says of the claims.  True: the tenant is not merely another customer's, but one that this key must never sign for. */
bool judge_claims(struct judge *j);

#endif
