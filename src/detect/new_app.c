/* SPDX-License-Identifier: Apache-2.0 */
/* new-app: an application that no mailbox of the data had seen before.
 *
 * Signal   The first mail record of a client key whose application id is known, with the number of mailboxes it was in
 *          (none), how many there were, and how long the data had been learnt from.
 * Catches  The birth of a reader: Big Yellow Taxi's question "which application reads mail here that never did?"
 * Misses   Known applications in the wrong hands, and readers present when the data begin.  A client without
 *          application id (all Sync, old Outlook) is never "a new application": absent is not new.
 * Cost     About one birth every two or three days in a tenant of some thousand mailboxes: a note (info), not a page.  On
 *          the first day of the data every application is new; only those that stay rare to the end are noted, so that
 *          an export without history gives a short list.  Memory: 24 bytes a client.
 *
 * What an alert counts is all that its application ever did: the world has the sums, and its edges name the mailboxes. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"

#define FIRST_DAY_US US_PER_DAY     /* of the data, in which all is new; and of an application, in which it is watched */
#define LONG_LEARNT_US (14 * US_PER_DAY) /* after this a newcomer that reads a lot is more than a note */
#define MANY_ITEMS 20               /* read on its first day; a person who tries an add-in stays below */
#define RARE_MAILBOXES 2            /* rare: in so many mailboxes at most ... */
#define RARE_PERCENT 1              /* ... or in this share of them */
#define FOLD_ALL_MAILBOXES 2        /* of a client in more mailboxes only the first touches are folded one by one */
#define FIRST_DAY_MAX 500           /* notes on the first day; more is no list but a flood */

extern const struct detector detector_new_app;

struct row { /* by client */
	struct alert *alert;
	int64_t learnt_us;   /* of the tenant, when it was born */
	uint32_t active;     /* mailboxes then */
	bool first_day, door_only;
};

struct state {
	struct row *rows;
	uint32_t count, first_day_count;
	struct table callers; /* hash of application id: known through another API */
	uint64_t refused;
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->callers, 0, CLIENTS_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	free(s->rows);
	table_release(&s->callers);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->refused;
}

static void write_sentences(struct detect_ctx *c, uint32_t at, const struct row *row)
{
	const struct world *w = c->world;
	const struct world_client *wc = &w->clients[at];
	struct alert *al = row->alert;
	char client[SAY_SIZE], door[SAY_SIZE], boxes[SAY_SIZE], when[TIME_TEXT_SIZE], learnt[TIME_TEXT_SIZE];
	say_client(w, at, client);
	say_mailboxes(w, &al->mailboxes, boxes);
	alert_member(al, LEARNT_SINCE, value_time(wc->first_us - row->learnt_us));
	alert_member(al, FIRST_CLIENT, value_time(wc->first_us), value_text(world_client_part(w, at, CLIENT_FAMILY)),
		     value_text(world_client_part(w, at, CLIENT_API)));
	alert_member(al, PREVALENCE, value_number(0), value_number(row->active));
	alert_clear_why(al);
	alert_title(al, "App new to the mailbox: %s read mail of %s", client, boxes);
	alert_why(al, "First seen %s, %s; by the end of the data %s with %s in %s.", time_format_minute(wc->first_us, when), say_door(w, at, door),
		  COUNT(wc->records, "record"), COUNT(wc->items, "item"), COUNT(wc->mailboxes, "mailbox"));
	if (row->learnt_us < US_PER_MINUTE)
		alert_why(al, "There was no history to learn from: these are the first mail records of the data, and every client is new "
			  "then.");
	else if (row->first_day)
		alert_why(al, "It was in 0 of %s before, in only %s of data. On the first day of the data every client is "
			  "new; this one is noted because it stayed rare, in %s of %s.", COUNT(row->active, "mailbox"),
			  time_format_span(row->learnt_us, learnt), DIGITS(wc->mailboxes), COUNT(w->active_mailboxes, "mailbox"));
	else
		alert_why(al, "It was in 0 of %s before, in %s of data.", COUNT(row->active, "mailbox"),
			  time_format_span(row->learnt_us, learnt));
	if (row->door_only)
		alert_why(al, "The application itself was seen before, through another API.");
	if (al->severity > SEVERITY_INFO)
		alert_why(al, "On its first day it read at least %d items.", MANY_ITEMS);
	if (!world_client_name(w, at).n)
		alert_why(al, "Its id is not in the list of first-party names; most applications are not.");
	if (wc->microsoft_front_end && !wc->networks)
		alert_blind(al, "where the caller is: the log shows Microsoft front ends only");
	if (wc->syncs)
		alert_blind(al, "how many items were copied by %s", COUNT(wc->syncs, "folder synchronisation"));
}

static void born(struct state *s, struct detect_ctx *c, const struct event *e, struct row *row)
{
	struct str caller = world_client_part(c->world, e->client, CLIENT_CALLER);
	bool is_new = true;
	table_put(&s->callers, hash_str(caller, 0), &is_new);
	row->door_only = !is_new;
	row->first_day = e->tenant_learnt_us < FIRST_DAY_US;
	row->learnt_us = e->tenant_learnt_us;
	row->active = e->active_mailboxes;
	if (row->first_day && s->first_day_count >= 4 * FIRST_DAY_MAX) {
		s->refused++;
		return;
	}
	s->first_day_count += row->first_day;
	row->alert = alerts_open(c->alerts, &detector_new_app, key_client(c->world, e->client));
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	if (e->client == NONE || e->client >= c->world->client_count || !c->world->clients[e->client].has_app)
		return;
	if (!e->client_is_new && (e->client >= s->count || !s->rows[e->client].alert))
		return;
	if (!reach((void **)&s->rows, &s->count, e->client, sizeof *s->rows))
		return;
	struct row *row = &s->rows[e->client];
	const struct world_client *wc = &c->world->clients[e->client];
	int64_t t = e->rec->time_us;
	if (e->client_is_new)
		born(s, c, e, row);
	if (!row->alert || t - wc->first_us >= FIRST_DAY_US || !(e->edge_is_new || wc->mailboxes <= FOLD_ALL_MAILBOXES))
		goto severity;
	alert_fold(c->alerts, row->alert, e);
	if (!row->first_day && !row->alert->raised) {
		alert_raise(row->alert, t, SEVERITY_INFO);
		write_sentences(c, e->client, row);
	}
severity:
	if (row->alert && row->alert->raised && row->alert->severity < SEVERITY_LOW && row->learnt_us >= LONG_LEARNT_US &&
	    t - wc->first_us < FIRST_DAY_US && wc->items >= MANY_ITEMS && !row->door_only)
		alert_raise(row->alert, t, SEVERITY_LOW);
}

/* What was folded on the first day gave addresses, sessions and record ids. */
static void count_all(struct state *s, struct detect_ctx *c)
{
	const struct world *w = c->world;
	const struct edge *edge;
	for (uint32_t pos = 0; (edge = world_edge_next(w, &pos));)
		if (edge->client < s->count && s->rows[edge->client].alert && s->rows[edge->client].alert->raised)
			alert_name(s->rows[edge->client].alert, edge->mailbox, edge->client);
	for (uint32_t i = 0; i < s->count && i < w->client_count; i++) {
		const struct world_client *wc = &w->clients[i];
		struct alert *al = s->rows[i].alert;
		if (!al || !al->raised)
			continue;
		al->records = wc->records;
		al->items = wc->items;
		al->first_us = wc->first_us;
		al->last_us = wc->last_us;
		write_sentences(c, i, &s->rows[i]);
	}
}

/* Those born on the first day of the data: the ones that stayed rare are noted, with the time of their first record. */
static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	uint32_t noted = 0;
	for (uint32_t i = 0; i < s->count && i < c->world->client_count; i++) {
		const struct world_client *wc = &c->world->clients[i];
		struct row *row = &s->rows[i];
		if (!row->alert)
			continue;
		bool rare = wc->mailboxes <= RARE_MAILBOXES ||
			    (uint64_t)wc->mailboxes * 100 <= (uint64_t)c->world->active_mailboxes * RARE_PERCENT;
		if (wc->mailboxes > 1 && wc->mailboxes * 2 > c->world->active_mailboxes)
			rare = false; /* two of three is not rare, however small the tenant */
		if (row->first_day && rare && noted < FIRST_DAY_MAX) {
			alert_raise(row->alert, wc->first_us, SEVERITY_INFO);
			noted++;
		}
	}
	count_all(s, c);
}

static void fix_row(struct persist *p, void *element) { alerts_persist_one(p, &((struct row *)element)->alert); }

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	rows_persist(p, (void **)&s->rows, &s->count, sizeof *s->rows, fix_row);
	persist_u32(p, &s->first_day_count);
	persist_table(p, &s->callers, NULL);
	persist_u64(p, &s->refused);
}

static const char *const mitre[] = { "T1114.002", "T1528", NULL };

const struct detector detector_new_app = {
	.name = "new-app",
	.title = "An application that no mailbox had seen before",
	.severity = "info: first seen; low: after 14 days of learning, with 20 items or more on its first day",
	.signal = "first mail record of a client whose application id is known",
	.catches = "the birth of a reader",
	.misses = "known applications in the wrong hands; applications already present when the data begins; clients without application id",
	.cost = "a birth every two or three days in a tenant of thousands; first-day ones only if they stay rare; 24 bytes a client",
	.mitre = mitre,
	.wants = KIND_MAIL,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.persist = persist,
	.refused = refused,
};
