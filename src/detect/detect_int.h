/* SPDX-License-Identifier: Apache-2.0 */
/* detect_int: what only detectors share: names for sentences, keys made of content, events kept for
 * later, and the networks of a mailbox.  Written in detect.c. */
#ifndef TXM_DETECT_DETECT_INT_H
#define TXM_DETECT_DETECT_INT_H

#include "base/count.h"
#include "base/guid.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/table.h"
#include "base/timefmt.h"
#include "detect/detect.h"
#include "persist/persist.h"

/* -- names for sentences.  Each returns out; a name longer than a sentence should hold is cut. -- */
#define SAY_SIZE 256
const char *say_mailbox(const struct world *w, uint32_t mailbox, char out[SAY_SIZE]); /* UPN, else GUID */
const char *say_client(const struct world *w, uint32_t client, char out[SAY_SIZE]);   /* name (id), id, or protocol */
const char *say_door(const struct world *w, uint32_t client, char out[SAY_SIZE]);     /* "through Microsoft Graph, REST" */
const char *say_actor(const struct world *w, uint32_t actor, char out[SAY_SIZE]);
/* "ann@example.com", "ann@example.com and 3 other mailboxes" */
const char *say_mailboxes(const struct world *w, const struct u32_list *l, char out[SAY_SIZE]);
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* -- subjects of alerts are made of content, never of dense numbers: they mean the same in another run -- */
uint64_t key_mailbox(const struct world *w, uint32_t mailbox);
uint64_t key_client(const struct world *w, uint32_t client);
uint64_t key_net(const struct world *w, uint32_t net);
uint64_t key_text(struct str s); /* ASCII case folded */

/* -- records -- */
/* is it a network whose provider we know, or only an address prefix? */
static inline bool net_is_prefix(const struct world *w, uint32_t net)
{
	return net > NET_MICROSOFT && net < w->net_count && !w->nets[net].asn;
}
/* a network that identifies the caller's place */
static inline bool net_is_real(uint32_t net) { return net > NET_MICROSOFT; }

/* -- an event kept for later: what is needed to fold it into an alert when one comes of it -- */
struct kept {
	int64_t time_us;
	uint64_t folder;
	uint8_t id[16], ip[16];
	uint32_t mailbox, client, actor, net;
	uint32_t items, flags;
	uint8_t ip_kind, access;
};
struct kept kept_of(const struct event *e);
void kept_fold(struct alerts *a, struct alert *al, const struct kept *k);

/* -- the last networks of each mailbox, most recent first -- */
#define NET_MEMORY 12 /* home, office, phone and some travel; 48 bytes a mailbox */
struct net_memory {
	struct { uint32_t v[NET_MEMORY]; } *rows;
	uint32_t n;
};
void net_memory_release(struct net_memory *m);
void net_memory_persist(struct persist *p, struct net_memory *m);
/* True if that mailbox was not seen from that network among its last NET_MEMORY ones; remembers it.  False for networks
 * that do not identify a place, and when out of memory: never new by accident. */
bool net_memory_is_new(struct net_memory *m, uint32_t mailbox, uint32_t net);

/* An array that reach() made, of elements without pointers or with a fix; saved with the room that it has grown to. */
#define PERSIST_ROWS_MAX (2 * (uint32_t)NAMES_MAX)
void rows_persist(struct persist *p, void **array, uint32_t *n, size_t element, persist_fix fix);
/* what was read gets the room that an array which begins with 16 and doubles has */
void persist_room(struct persist *p, void **array, uint32_t *n, uint32_t *capacity, size_t element);
/* of a table whose values are numbers below n: anything else is damage */
void persist_check_below(struct persist *p, const struct table *t, uint32_t n);

/* a zeroed array that grows with a dense number; false: out of memory */
bool reach(void **array, uint32_t *n, uint32_t index, size_t element);

#endif
