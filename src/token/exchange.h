/* SPDX-License-Identifier: Apache-2.0 */
/* exchange: a service that trades one token for another can renew a forged token without end.  Given the
 * result and the chain of tokens it came from, newest first, reports what is wrong with the exchange. */
#ifndef TXM_TOKEN_EXCHANGE_H
#define TXM_TOKEN_EXCHANGE_H

#include "token/judge.h"

/* The result was judged by j just now; its list of reasons grows.  n is at most TOKEN_CHAIN_MAX.  False: out of memory. */
bool exchange_judge(struct judge *j, const struct str *chain, unsigned n);

#endif
