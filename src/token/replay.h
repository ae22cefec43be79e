/* SPDX-License-Identifier: Apache-2.0 */
/* replay: which token ids were seen before?  One store is shared by threads; when it is full, nothing more is accepted. */
#ifndef TXM_TOKEN_REPLAY_H
#define TXM_TOKEN_REPLAY_H

#include <stdint.h>

struct replay_store;
struct replay_store *replay_store_new(void); /* NULL: out of memory */
void replay_store_free(struct replay_store *s); /* NULL is fine */

enum replay { REPLAY_NEW, REPLAY_SEEN, REPLAY_FULL };
/* id: a hash of issuer and token id; exp, now: seconds.  Ids that have expired make room. */
enum replay replay_take(struct replay_store *s, uint64_t id, int64_t exp, int64_t now);

#endif
