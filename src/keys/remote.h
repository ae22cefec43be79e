/* SPDX-License-Identifier: Apache-2.0 */
/* remote: a key set at an address in the user's policy, and its cache.
 *
 * The rules are those that the issuer documents for its keys: a set is asked for again after `refresh` (an hour), for a key id
 * that is not in it at most every `unknown_kid_refresh` (five minutes), and is not used at all when it is older than `life` (a
 * day).  A key that a newer set lacks falls out: from that moment it verifies only tokens issued before, while they live, and
 * after a day nothing.  An address from a token or a key set is never followed, and nothing is fetched unless the caller asks
 * for it.
 *
 * The cache is one file a source, written whole or not at all.  Anyone who can write it can add keys: keep the folder private. */
#ifndef TXM_KEYS_REMOTE_H
#define TXM_KEYS_REMOTE_H

#include "keys/policy.h"

/* The source's set into the policy, before policy_bind(): from the cache, or, if that is too old (or `wants_newer`: a key id
 * is not in it) and may_fetch, from the address.  now_s: seconds since 1970.
 * False: there is no usable set; *error has the reason in one line.  True with a line in *error: it is the cached one, because asking
 * anew failed. */
bool remote_load(struct policy *p, const struct key_source *s, int64_t now_s, bool may_fetch, bool wants_newer, struct buf *error);

/* The two parts of that, for tests: the new cache after `jwks` was read at now_s (JSON text into *ret), and a cache as a
 * set.  cache: STR_NONE = there was none. */
bool remote_merge(struct str cache, struct str jwks, int64_t now_s, struct buf *ret, struct buf *error);
struct keyset *remote_read(const char *name, struct str cache, int64_t *ret_fetched_s, struct buf *error);

#endif
