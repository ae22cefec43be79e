/* SPDX-License-Identifier: Apache-2.0 */
/* alert_int: what alert.c and member.c share. */
#ifndef TXM_ALERT_ALERT_INT_H
#define TXM_ALERT_ALERT_INT_H

#include "alert/alert.h"

struct alert_private {
	struct alerts *owner;
	uint32_t place; /* in owner->v, until they are ordered */
	struct table seen; /* set of hash(what, value): which list entries are in already */
	size_t text_bytes;
};

enum seen_kind { SEEN_MAILBOX = 1, SEEN_CLIENT, SEEN_ACTOR, SEEN_NET, SEEN_ADDR, SEEN_SESSION, SEEN_TOKEN, SEEN_FOLDER, SEEN_MEMBER, SEEN_ONCE };

/* True the first time.  When the set is full or out of memory: false, the entry is not listed. */
bool alert_first_time(struct alert *al, enum seen_kind kind, uint64_t value);
/* Room for one more element in a list that grows by doubling; the length alone says when. */
void *alert_grown(struct alert *al, void *v, uint32_t n, size_t element);

void alert_members_free(struct alert *al);
void alert_members_persist(struct persist *p, struct alert *al);

#endif
