/* SPDX-License-Identifier: Apache-2.0 */
/* peers: public rules for the same purpose, written anew from their published parameters, to be compared with Taximeter.
 * This is a tool of the evaluation, not part of the product; it is built and never installed.
 *
 * One rule, one file, named after its number in the protocol (docs/evaluation.md).  To add one: b11_foo.c with a
 * `const struct peer peer_b11`, and a line in eval/list.h.
 *
 * Every rule speaks through peers_raise() with a score that is the factor by which all of its thresholds could be raised
 * together until it would just fire: 1 and above fires as shipped, and any other threshold can be tried afterwards on the
 * same alerts.  Where the choice was ours, it favours the rule, and the file mentions it. */
#ifndef TXM_EVAL_PEERS_H
#define TXM_EVAL_PEERS_H

#include "base/hash.h"
#include "base/str.h"
#include "base/table.h"
#include "base/timefmt.h"

#define PEER_NONE 0u /* number of the empty text */

struct peer_event { /* one MailItemsAccessed record; texts are numbers, PEER_NONE if absent */
	int64_t time_us, day;
	uint32_t mailbox, app_id, client_app_id, family, ip, net;
	uint64_t items;      /* 0 for a Sync */
	bool bind, throttled, first_party; /* first_party: its name is in a public list of Microsoft's applications */
	int logon, user_type; /* -1: not given */
};

struct peers;

struct peer {
	const char *rule;    /* "B4" */
	const char *source;  /* the public rule */
	size_t state_bytes;  /* zeroed before the first event */
	void (*event)(struct peers *p, void *state, const struct peer_event *e);
	/* the day is over, all its events were seen; called for days without events too */
	void (*day_end)(struct peers *p, void *state, int64_t day);
	void (*release)(void *state);
	bool has_no_threshold; /* none was published: nothing fires as shipped */
};

struct peer_alert {
	double score;
	int64_t time_us, first_us, last_us;
	uint32_t app_id, client_app_id, family, net; /* what it blames; PEER_NONE = nothing */
	uint64_t items;
	const uint32_t *mailboxes;
	uint32_t mailbox_count;
};
/* Keeps the best PEER_ALERTS_MAX of each rule; rule as in struct peer, or a variant of it ("B4u"). */
void peers_raise(struct peers *p, const char *rule, const struct peer_alert *a);
bool peers_starts_with(const struct peers *p, uint32_t text, struct str prefix);
bool peers_is(const struct peers *p, uint32_t text, struct str what);

#define GRAPH_APP_ID "00000003-0000-0000-c000-000000000000"
#define PEER_ALERTS_MAX 50000    /* of one rule; far more than any budget lets through */
#define PEER_ENTRIES_MAX 50000000

/* out of memory ends the tool: it has nothing to save */
void *peer_grow(void *p, size_t *capacity, size_t wanted, size_t size);

/* a list of distinct numbers */
struct peer_list { uint32_t *v; size_t n, capacity; };
static inline void peer_list_add(struct peer_list *l, uint32_t x)
{
	l->v = peer_grow(l->v, &l->capacity, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = x;
}

#endif
