/* SPDX-License-Identifier: Apache-2.0 */
/* event: what a detector sees: one record in event-time order, each record once, with its subjects resolved to dense
 * numbers and with what the world knew about them *before* this record. */
#ifndef TXM_EVENT_EVENT_H
#define TXM_EVENT_EVENT_H

#include "event/rec.h"

#define NONE UINT32_MAX

/* numbers of networks that are no networks */
#define NET_NONE 0u       /* no address, or a private one */
#define NET_MICROSOFT 1u  /* a Microsoft front end: does not identify the caller, never counted, never grouped by */

struct edge;
struct provenance; /* identity/identity.h */

struct event {
	const struct rec *rec;   /* everything else: time_us, id, op, access, items, flags, session, token ... */
	uint32_t mailbox;        /* world_mailbox(); NONE */
	uint32_t client;         /* world_client(); NONE */
	uint32_t actor;          /* world_actor(); NONE */
	uint32_t net;            /* world_net(); NET_NONE, NET_MICROSOFT */
	uint32_t tenant;         /* world_tenant(); NONE */
	const struct provenance *token; /* whether a sign-in issued its token; NULL: no access, or not asked */

	/* mail records with mailbox and client only; as it was before this record */
	const struct edge *edge; /* this client in this mailbox, already counting this record */
	bool edge_is_new;        /* this client never touched this mailbox before */
	bool client_is_new;      /* ... nor any other mailbox of the data */
	bool mailbox_is_new;     /* first mail record of this mailbox */
	uint32_t client_mailboxes; /* mailboxes that this client had touched before */
	uint32_t active_mailboxes; /* mailboxes that had any mail record before */
	int64_t mailbox_learnt_us; /* since the mailbox's first mail record */
	int64_t tenant_learnt_us;  /* since the first mail record of the data */
};

static inline int64_t event_time(const struct event *e) { return e->rec->time_us; }
static inline bool event_is_mail(const struct event *e)
{
	return e->rec->op == OP_MAIL_ITEMS_ACCESSED || e->rec->op == OP_ATTACHMENT_ACCESS;
}

#endif
