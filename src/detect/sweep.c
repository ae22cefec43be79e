/* SPDX-License-Identifier: Apache-2.0 */
/* sweep: one client, or one network, goes through many mailboxes.
 *
 * Signal   First touches: a client in a mailbox where it never was, a network in a mailbox that was never read from it.
 *          Counted for each client and for each network over 10 minutes, 1 hour and 1 day.
 * Catches  The collection phase: one tool that opens mailbox after mailbox from a server or two; an application that
 *          walks through mailboxes behind Microsoft's front ends; one client on a network new to the tenant.
 * Misses   A thief who takes fewer than five mailboxes an hour and fewer than ten a day; a sweep that began before the
 *          data and goes on at the same pace (the inventory ranks it); one network for each mailbox.
 * Cost     Daily use is not counted at all: only first touches are, so that Microsoft's background
 *          readers and journaling are silent once they are known.  A roll-out has about as many networks as mailboxes; an
 *          office behind one address has owners in networks they were in before.  What remains: a vendor who is let
 *          into many mailboxes at once, and a conference where everyone opens something new.  Memory: 152 bytes a
 *          mailbox, 48 a client and network, 80 for each first touch kept (at most 16 a client or network).
 *
 * In the tenant's first three days everything is a first touch.  Then a client is only noted, and judged a day later by
 * what can be seen without history: many mailboxes, which other clients read too, and few networks where no one else is,
 * or all of it within two hours; both, if it is most of the tenant, as services and ordinary clients are. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"

#define LEARNT_US (3 * US_PER_DAY)       /* before this a first touch means nothing */
#define MAILBOX_LEARNT_US US_PER_DAY     /* a mailbox younger than this is new to all (joiners, migration batches) */
#define HOUR_MAILBOXES 5                 /* more than a person's own, shared and delegated mailboxes in an hour */
#define DAY_MAILBOXES 10                 /* ... in a day */
#define FEW_NETS 2                       /* a server and its spare; a roll-out has one for nearly each mailbox */
#define PER_NET 5                        /* or so many mailboxes for each network */
#define GROWTH_SHARE 4                   /* a client that is known must grow by a quarter, or its normal growth would alert */
#define ELSEWHERE_US US_PER_HOUR         /* read from another network this shortly before: its owner has not moved */
#define EPISODE_US US_PER_DAY            /* further first touches within a day belong to the same alert */
#define COLD_MAILBOXES 10                /* without history: demand more */
#define COLD_SETTLE_US US_PER_DAY        /* judge with a day's knowledge */
#define COLD_SETTLE_MIN_US (6 * US_PER_HOUR) /* ... or with what there is at the end of the data, if it is not less than this */
#define COLD_BURST_US (2 * US_PER_HOUR)  /* all that a client ever did */
#define STEPS 16                         /* kept for each client and network; above every threshold */
#define STEPS_TOTAL_MAX 400000           /* all together: 32 MB */
#define COLD_MAX 1000

extern const struct detector detector_sweep;

struct ring { /* the last first touches of one client or network, oldest first */
	struct kept *v;
	uint8_t n, capacity;
};

struct client_row {
	struct ring ring;
	struct alert *alert;
	int64_t episode_us;  /* last first touch that belongs to the alert */
	int64_t day_us;      /* growth: first touches since then, for a day; the ring is too short to count them */
	uint32_t day_n;
	bool cold;           /* noted for judgement */
	bool judged_cold;    /* the alert is one that had no history */
};

struct net_row {
	struct ring ring;
	struct alert *alert;
	int64_t episode_us, first_us;
	uint32_t client;     /* the one client seen there, + 1 */
	bool many_clients;
};

struct touched { /* what came from a network since its first touch of a mailbox */
	int64_t first_us, last_us;
	uint64_t items;
	uint32_t records, net;
};

struct last_use { /* of a mailbox, from a real network */
	int64_t us;
	uint32_t net;
	struct touched touched[2]; /* the last networks that were new to it, most recent first */
};

struct cold { /* a client to be judged without history */
	uint32_t client;
	int64_t crossed_us;
	bool done;
};

struct state {
	struct client_row *clients;
	uint32_t client_count;
	struct net_row *nets;
	uint32_t net_count;
	struct net_memory memory;
	struct last_use *uses;
	uint32_t use_count;
	struct cold *colds;
	uint32_t cold_count;
	uint64_t steps;
	uint64_t refused;
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	s->colds = calloc(COLD_MAX, sizeof *s->colds);
	return s->colds ? 0 : -1;
}

static void release(void *state)
{
	struct state *s = state;
	for (uint32_t i = 0; i < s->client_count; i++)
		free(s->clients[i].ring.v);
	for (uint32_t i = 0; i < s->net_count; i++)
		free(s->nets[i].ring.v);
	free(s->clients);
	free(s->nets);
	free(s->colds);
	free(s->uses);
	net_memory_release(&s->memory);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->refused;
}

/* -- first touches -- */

#define KEPT_ELSEWHERE (UINT32_C(1) << 31) /* in kept.flags: the mailbox had just been read from another network */

static void ring_add(struct state *s, struct ring *r, const struct event *e, bool elsewhere)
{
	if (r->n == STEPS) {
		memmove(r->v, r->v + 1, (STEPS - 1) * sizeof *r->v);
		r->n--;
	} else if (r->n == r->capacity) {
		uint8_t capacity = r->capacity ? (uint8_t)(r->capacity * 2) : 1;
		struct kept *v = s->steps + capacity - r->capacity <= STEPS_TOTAL_MAX ? realloc(r->v, capacity * sizeof *v) : NULL;
		if (!v) {
			s->refused++;
			return;
		}
		s->steps += (uint64_t)capacity - r->capacity;
		r->v = v;
		r->capacity = capacity;
	}
	r->v[r->n] = kept_of(e);
	if (elsewhere)
		r->v[r->n].flags |= KEPT_ELSEWHERE;
	r->n++;
}

struct tally { /* of the first touches within a span before now */
	unsigned mailboxes, nets, clients;
	unsigned front; /* behind a front end, or without an address */
	unsigned elsewhere; /* in mailboxes that had just been read from another network */
	uint64_t items;
	unsigned first; /* place of the oldest one counted */
};

static struct tally ring_tally(const struct ring *r, int64_t now, int64_t span)
{
	struct tally t = { .first = r->n };
	while (t.first > 0 && now - r->v[t.first - 1].time_us <= span)
		t.first--;
	for (unsigned i = t.first; i < r->n; i++) {
		bool mailbox = true, net = net_is_real(r->v[i].net), client = true;
		for (unsigned j = t.first; j < i; j++) {
			mailbox &= r->v[j].mailbox != r->v[i].mailbox;
			net &= r->v[j].net != r->v[i].net;
			client &= r->v[j].client != r->v[i].client;
		}
		t.mailboxes += mailbox;
		t.nets += net;
		t.clients += client;
		t.front += !net_is_real(r->v[i].net);
		t.elsewhere += mailbox && (r->v[i].flags & KEPT_ELSEWHERE);
		t.items += r->v[i].items;
	}
	return t;
}

/* "6 in 10 minutes, 12 in an hour, 16 or more in a day" */
static const char *say_pace(const struct ring *r, int64_t now, char out[SAY_SIZE])
{
	unsigned minutes = ring_tally(r, now, 10 * US_PER_MINUTE).mailboxes, hour = ring_tally(r, now, US_PER_HOUR).mailboxes;
	unsigned day = ring_tally(r, now, US_PER_DAY).mailboxes;
	snprintf(out, SAY_SIZE, "%u in 10 minutes, %u in an hour, %u%s in a day", minutes, hour, day, day == STEPS ? " or more" : "");
	return out;
}

static void say_sweep(struct alert *al, const char *by, unsigned mailboxes, const struct ring *r, int64_t now)
{
	alert_member(al, SWEEP, value_cstr(by), value_number(mailboxes), value_number(ring_tally(r, now, 10 * US_PER_MINUTE).mailboxes),
		     value_number(ring_tally(r, now, US_PER_HOUR).mailboxes), value_number(ring_tally(r, now, US_PER_DAY).mailboxes));
}

static const char *say_nets(const struct world *w, const struct alert *al, char out[SAY_SIZE])
{
	if (al->nets.total == 1)
		snprintf(out, SAY_SIZE, "%s", world_net_label(w, al->nets.v[0]));
	else if (al->nets.total == 2)
		snprintf(out, SAY_SIZE, "%s and %s", world_net_label(w, al->nets.v[0]), world_net_label(w, al->nets.v[1]));
	else
		count_of(al->nets.total, "network", out);
	return out;
}

static void title_client(struct detect_ctx *c, const struct client_row *row, uint32_t at)
{
	char client[SAY_SIZE];
	alert_title(row->alert, "%s went through %s%s", say_client(c->world, at, client),
		    COUNT(row->alert->mailboxes.total, "mailbox"), row->judged_cold ? "" : " that it had never touched");
}

static void title_net(struct detect_ctx *c, const struct net_row *row, uint32_t net)
{
	alert_title(row->alert, "%s read from %s, which was new to all of them", COUNT(row->alert->mailboxes.total, "mailbox"),
		    world_net_label(c->world, net));
}

/* -- clients -- */

static void client_crossed(struct state *s, struct detect_ctx *c, const struct event *e, const struct tally *t,
	enum severity severity)
{
	const struct world *w = c->world;
	struct client_row *row = &s->clients[e->client];
	const struct world_client *wc = &w->clients[e->client];
	int64_t now = e->rec->time_us;
	char pace[SAY_SIZE], nets[SAY_SIZE], age[TIME_TEXT_SIZE];
	struct alert *al = alerts_open(c->alerts, &detector_sweep,
		hash_mix(hash_mix(wc->key, 1), (uint64_t)row->ring.v[t->first].time_us));
	if (!al)
		return;
	row->alert = al;
	row->episode_us = now;
	row->judged_cold = false;
	for (unsigned i = t->first; i < row->ring.n; i++) { /* the edge has all since the first touch, this record included */
		const struct kept *k = &row->ring.v[i];
		const struct edge *edge = world_edge(w, k->mailbox, e->client);
		kept_fold(c->alerts, al, k);
		if (edge)
			alert_fold_more(al, edge->first_us, edge->last_us, edge->records - 1, edge->items - k->items);
	}
	alert_raise(al, now, severity);
	title_client(c, row, e->client);
	alert_why(al, "Mailboxes new to this client, by %s: %s.", time_format_minute(now, age), say_pace(&row->ring, now, pace));
	say_sweep(al, "client", t->mailboxes, &row->ring, now);
	alert_member(al, PREVALENCE, value_number(wc->mailboxes - t->mailboxes), value_number(w->active_mailboxes));
	if (t->nets)
		alert_why(al, "They were read from %s, from which none of them had been read before; a roll-out comes from about "
			  "as many networks as mailboxes.", say_nets(w, al, nets));
	else
		alert_why(al, "%s, so that the caller's network is not known.", wc->microsoft_front_end
			  ? "The log shows Microsoft front ends only" : "The log shows no address");
	alert_why(al, "Before that the client was in %s of %s; first seen %s before.", DIGITS(wc->mailboxes - t->mailboxes),
		  COUNT(w->active_mailboxes, "mailbox"), time_format_span(now - wc->first_us, age));
	if (!t->nets)
		alert_blind(al, "where the caller is");
}

static void client_touch(struct state *s, struct detect_ctx *c, const struct event *e, bool net_is_new)
{
	const struct world_client *wc = &c->world->clients[e->client];
	struct client_row *row = &s->clients[e->client];
	int64_t now = e->rec->time_us;
	bool real = net_is_real(e->net);

	if (row->alert && now - row->episode_us <= EPISODE_US) {
		alert_fold(c->alerts, row->alert, e);
		title_client(c, row, e->client);
		row->episode_us = now;
		ring_add(s, &row->ring, e, false);
		return;
	}
	row->alert = NULL;
	if (e->tenant_learnt_us < LEARNT_US) {
		ring_add(s, &row->ring, e, false);
		if (!row->cold && wc->mailboxes >= COLD_MAILBOXES && s->cold_count < COLD_MAX) {
			row->cold = true;
			s->colds[s->cold_count++] = (struct cold){ .client = e->client, .crossed_us = now };
		}
		return;
	}
	/* Owners in networks where they were before are a roll-out; a mailbox that is new itself is new to all. */
	if (e->mailbox_learnt_us < MAILBOX_LEARNT_US || (real && !net_is_new))
		return;
	ring_add(s, &row->ring, e, false);
	if (now - row->day_us >= US_PER_DAY) {
		row->day_us = now;
		row->day_n = 0;
	}
	row->day_n++;
	struct tally hour = ring_tally(&row->ring, now, US_PER_HOUR), day = ring_tally(&row->ring, now, US_PER_DAY);
	/* what the learning days left in the ring is not counted: it was the first touch for all */
	int64_t cold_end = c->world->mail_first_us + LEARNT_US;
	if (now - cold_end < US_PER_HOUR)
		hour = ring_tally(&row->ring, now, now - cold_end);
	if (now - cold_end < US_PER_DAY)
		day = ring_tally(&row->ring, now, now - cold_end);
	uint64_t grown = row->day_n > day.mailboxes ? row->day_n : day.mailboxes;
	uint64_t before = wc->mailboxes > grown ? wc->mailboxes - grown : 0;
	bool grows = grown * GROWTH_SHARE >= before, is_young = now - wc->first_us < US_PER_DAY;
	if (hour.mailboxes >= HOUR_MAILBOXES && !hour.front && hour.nets <= FEW_NETS && grows)
		client_crossed(s, c, e, &hour, SEVERITY_HIGH);
	else if (day.mailboxes >= DAY_MAILBOXES && !day.front && day.mailboxes >= PER_NET * day.nets && grows)
		client_crossed(s, c, e, &day, SEVERITY_HIGH);
	else if (hour.mailboxes >= HOUR_MAILBOXES && !hour.nets && /* no networks to judge by: new, or twice what it was */
		 (is_young || grown >= before))
		client_crossed(s, c, e, &hour, SEVERITY_MEDIUM);
}

/* -- networks -- */

static struct touched *touched_by(struct state *s, uint32_t mailbox, uint32_t net)
{
	struct touched *x = mailbox < s->use_count ? s->uses[mailbox].touched : NULL;
	return !x ? NULL : x[0].net == net ? &x[0] : x[1].net == net ? &x[1] : NULL;
}

static void touched_begin(struct state *s, const struct event *e)
{
	struct touched *x = e->mailbox < s->use_count ? s->uses[e->mailbox].touched : NULL;
	if (!x)
		return;
	if (x[0].net != e->net)
		x[1] = x[0];
	x[0] = (struct touched){ .first_us = e->rec->time_us, .last_us = e->rec->time_us, .items = e->rec->items, .records = 1, .net = e->net };
}

static void net_crossed(struct state *s, struct detect_ctx *c, const struct event *e, const struct tally *t, bool edges_new)
{
	const struct world *w = c->world;
	struct net_row *row = &s->nets[e->net];
	int64_t now = e->rec->time_us;
	char client[SAY_SIZE], pace[SAY_SIZE], age[TIME_TEXT_SIZE];
	struct alert *al = alerts_open(c->alerts, &detector_sweep,
		hash_mix(hash_mix(key_net(w, e->net), 2), (uint64_t)row->ring.v[t->first].time_us));
	if (!al)
		return;
	row->alert = al;
	row->episode_us = now;
	for (unsigned i = t->first; i < row->ring.n; i++) {
		const struct kept *k = &row->ring.v[i];
		const struct touched *x = touched_by(s, k->mailbox, e->net);
		if (alert_has_mailbox(al, k->mailbox))
			continue; /* it had forgotten this network in between */
		kept_fold(c->alerts, al, k);
		if (x && x->first_us == k->time_us)
			alert_fold_more(al, x->first_us, x->last_us, x->records - 1, x->items - k->items);
	}
	alert_raise(al, now, edges_new ? SEVERITY_HIGH : SEVERITY_MEDIUM);
	title_net(c, row, e->net);
	alert_why(al, "Mailboxes never read from this network before, by %s: %s.", time_format_minute(now, age),
		  say_pace(&row->ring, now, pace));
	say_sweep(al, "network", t->mailboxes, &row->ring, now);
	alert_member(al, NEW_NETWORK, value_cstr(world_net_label(w, e->net)));
	if (edges_new)
		alert_why(al, "In each of them the client was new too: %s.", COUNT(t->clients, "client"));
	else
		alert_why(al, "The network was first seen %s before in the whole tenant, only one client is used from there (%s), and %s of the mailboxes had been read from elsewhere within the hour: their owners have not moved.",
			  time_format_span(now - row->first_us, age), say_client(w, e->client, client), DIGITS(t->elsewhere));
	if (net_is_prefix(w, e->net))
		alert_why(al, "Networks are address prefixes here (no ASN file).");
}

static void net_touch(struct state *s, struct detect_ctx *c, const struct event *e, bool elsewhere)
{
	struct net_row *row = &s->nets[e->net];
	int64_t now = e->rec->time_us;
	bool young = now - row->first_us < US_PER_DAY && row->first_us - c->world->mail_first_us >= LEARNT_US;

	if (row->alert && now - row->episode_us <= EPISODE_US) {
		alert_fold(c->alerts, row->alert, e);
		title_net(c, row, e->net);
		row->episode_us = now;
		return;
	}
	row->alert = NULL;
	if (e->tenant_learnt_us < LEARNT_US || e->mailbox_learnt_us < MAILBOX_LEARNT_US || !(e->edge_is_new || young))
		return;
	ring_add(s, &row->ring, e, elsewhere);
	touched_begin(s, e);
	struct tally hour = ring_tally(&row->ring, now, US_PER_HOUR), day = ring_tally(&row->ring, now, US_PER_DAY);
	const struct tally *t = hour.mailboxes >= HOUR_MAILBOXES ? &hour : day.mailboxes >= DAY_MAILBOXES ? &day : NULL;
	if (!t)
		return;
	bool edges_new = true;
	for (unsigned i = t->first; i < row->ring.n; i++) {
		const struct edge *edge = world_edge(c->world, row->ring.v[i].mailbox, row->ring.v[i].client);
		edges_new &= edge && edge->first_us == row->ring.v[i].time_us;
	}
	/* the client's own alert already reports this */
	for (unsigned i = t->first; i < row->ring.n; i++)
		if (row->ring.v[i].client < s->client_count && s->clients[row->ring.v[i].client].alert &&
		    now - s->clients[row->ring.v[i].client].episode_us <= EPISODE_US)
			return;
	if (edges_new || (young && !row->many_clients && t->elsewhere * 2 >= t->mailboxes))
		net_crossed(s, c, e, t, edges_new);
}

/* -- without history -- */

/* Is this client alone in all networks that its ring shows? */
static bool alone_in_nets(const struct state *s, const struct ring *r, uint32_t client)
{
	bool any = false;
	for (unsigned i = 0; i < r->n; i++) {
		uint32_t net = r->v[i].net;
		if (!net_is_real(net))
			return false;
		if (net >= s->net_count || s->nets[net].many_clients || s->nets[net].client != client + 1)
			return false;
		any = true;
	}
	return any;
}

/* All that a client did in all its mailboxes so far, except for the record about to be looked at. */
static void count_client(struct detect_ctx *c, struct alert *al, const struct ring *r, uint32_t client, const struct event *e)
{
	const struct edge *edge;
	for (unsigned i = 0; i < r->n; i++)
		kept_fold(c->alerts, al, &r->v[i]);
	al->records = al->items = 0;
	for (uint32_t pos = 0; (edge = world_edge_next(c->world, &pos));) {
		bool now = e && e->mailbox == edge->mailbox && e->client == client;
		if (edge->client != client || edge->records == now)
			continue;
		alert_name(al, edge->mailbox, client);
		alert_fold_more(al, edge->first_us, edge->last_us, edge->records - now, edge->items - (now ? e->rec->items : 0));
	}
}

/* e: the record that shows that the time has come; NULL at the end */
static void judge(struct state *s, struct detect_ctx *c, struct cold *x, int64_t now, const struct event *e)
{
	const struct world *w = c->world;
	const struct world_client *wc = &w->clients[x->client];
	struct client_row *row = &s->clients[x->client];
	char nets[SAY_SIZE], span[TIME_TEXT_SIZE];
	unsigned shared = 0;
	x->done = true;
	bool most = (uint64_t)wc->mailboxes * 2 > w->active_mailboxes; /* of the tenant: an ordinary client, or a service */
	if (wc->mailboxes < COLD_MAILBOXES)
		return;
	for (unsigned i = 0; i < row->ring.n; i++)
		shared += w->mailboxes[row->ring.v[i].mailbox].clients >= 2;
	if (shared * 2 < row->ring.n)
		return; /* no other client reads these mailboxes: it is their owners' client */
	bool few = wc->networks && wc->networks <= FEW_NETS && !wc->microsoft_front_end &&
		   wc->mailboxes >= PER_NET * wc->networks && alone_in_nets(s, &row->ring, x->client);
	bool burst = wc->last_us - wc->first_us <= COLD_BURST_US && wc->networks <= FEW_NETS &&
		     x->crossed_us - w->mail_first_us >= US_PER_HOUR && now - wc->last_us >= COLD_SETTLE_MIN_US;
	if (most ? !(few && burst) : !few && !burst)
		return;
	struct alert *al = alerts_open(c->alerts, &detector_sweep, hash_mix(hash_mix(wc->key, 3), (uint64_t)x->crossed_us));
	if (!al)
		return;
	count_client(c, al, &row->ring, x->client, e);
	row->alert = al;
	row->episode_us = now;
	row->judged_cold = true;
	alert_raise(al, now, SEVERITY_MEDIUM);
	title_client(c, row, x->client);
	alert_why(al, "By %s it had read %s in %s of %s; most of them are read by other clients too.",
		  time_format_minute(now, span), COUNT(al->items, "item"), DIGITS(al->mailboxes.total), COUNT(w->active_mailboxes, "mailbox"));
	alert_member(al, SWEEP, value_cstr("client"), value_number(al->mailboxes.total));
	alert_member(al, PREVALENCE, value_number(al->mailboxes.total), value_number(w->active_mailboxes));
	if (few)
		alert_why(al, "All of it from %s, where no other client was seen; an ordinary client has about as many networks as "
			  "mailboxes.", say_nets(w, al, nets));
	if (burst)
		alert_why(al, "All that it ever did was within %s.", time_format_span(wc->last_us - wc->first_us, span));
	alert_why(al, "There was no history to learn from: this was judged by comparing clients with each other.");
	if (wc->microsoft_front_end)
		alert_blind(al, "where the caller is: Microsoft front ends hide it");
}

static void judge_due(struct state *s, struct detect_ctx *c, int64_t now, bool is_end)
{
	for (uint32_t i = 0; i < s->cold_count; i++) {
		struct cold *x = &s->colds[i];
		int64_t due = x->crossed_us + COLD_SETTLE_US;
		if (x->done)
			continue;
		if (now >= due)
			judge(s, c, x, due, NULL);
		else if (is_end && now - x->crossed_us >= COLD_SETTLE_MIN_US)
			judge(s, c, x, now, NULL);
	}
}

/* -- events -- */

static void goes_on(struct detect_ctx *c, struct alert **al, int64_t episode_us, const struct event *e)
{
	if (e->rec->time_us - episode_us > EPISODE_US)
		*al = NULL;
	else if (alert_has_mailbox(*al, e->mailbox))
		alert_fold(c->alerts, *al, e);
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	if (e->mailbox == NONE || e->client == NONE)
		return;
	/* the oldest case is due first: cases are in the order in which they crossed */
	while (s->cold_count && !s->colds[0].done && e->rec->time_us >= s->colds[0].crossed_us + COLD_SETTLE_US) {
		judge(s, c, &s->colds[0], s->colds[0].crossed_us + COLD_SETTLE_US, e);
		memmove(s->colds, s->colds + 1, --s->cold_count * sizeof *s->colds);
	}
	bool net_is_new = net_memory_is_new(&s->memory, e->mailbox, e->net), elsewhere = false;
	if (net_is_real(e->net) && reach((void **)&s->uses, &s->use_count, e->mailbox, sizeof *s->uses)) {
		struct last_use *u = &s->uses[e->mailbox];
		elsewhere = u->net && u->net != e->net && e->rec->time_us - u->us <= ELSEWHERE_US;
		u->net = e->net;
		u->us = e->rec->time_us;
		struct touched *x = touched_by(s, e->mailbox, e->net);
		if (x) {
			x->last_us = e->rec->time_us;
			x->items += e->rec->items;
			x->records++;
		}
	}
	if (net_is_real(e->net) && reach((void **)&s->nets, &s->net_count, e->net, sizeof *s->nets)) {
		struct net_row *row = &s->nets[e->net];
		if (!row->client) {
			row->client = e->client + 1;
			row->first_us = e->rec->time_us;
		}
		row->many_clients |= row->client != e->client + 1;
	}
	/* what goes on in the mailboxes of an alert belongs to it */
	if (!e->edge_is_new && e->client < s->client_count && s->clients[e->client].alert)
		goes_on(c, &s->clients[e->client].alert, s->clients[e->client].episode_us, e);
	if (!net_is_new && e->net < s->net_count && s->nets[e->net].alert)
		goes_on(c, &s->nets[e->net].alert, s->nets[e->net].episode_us, e);
	if (!e->edge_is_new && !net_is_new)
		return;
	if (e->edge_is_new && reach((void **)&s->clients, &s->client_count, e->client, sizeof *s->clients))
		client_touch(s, c, e, net_is_new);
	if (net_is_new && e->net < s->net_count)
		net_touch(s, c, e, elsewhere);
}

static void end(void *state, struct detect_ctx *c)
{
	judge_due(state, c, c->world->last_us, true);
}

/* -- to bytes and back: rows first, then the rings of those that have one -- */

static void fix_client(struct persist *p, void *element)
{
	struct client_row *row = element;
	alerts_persist_one(p, &row->alert);
	row->ring.v = NULL;
}

static void fix_net(struct persist *p, void *element)
{
	struct net_row *row = element;
	alerts_persist_one(p, &row->alert);
	row->ring.v = NULL;
}

static void ring_persist(struct persist *p, struct ring *r)
{
	uint32_t n = r->n;
	if (!r->capacity)
		return;
	persist_array(p, (void **)&r->v, &n, sizeof *r->v, STEPS, NULL);
	if (!p->loading)
		return;
	struct kept *v = n && n <= r->capacity && r->capacity <= STEPS ? realloc(r->v, r->capacity * sizeof *v) : NULL;
	if (!v) {
		persist_fail(p, "a list of a rule is damaged");
		r->n = r->capacity = 0;
		return;
	}
	r->v = v;
	r->n = (uint8_t)n;
}

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	rows_persist(p, (void **)&s->clients, &s->client_count, sizeof *s->clients, fix_client);
	for (uint32_t i = 0; i < s->client_count; i++)
		ring_persist(p, &s->clients[i].ring);
	rows_persist(p, (void **)&s->nets, &s->net_count, sizeof *s->nets, fix_net);
	for (uint32_t i = 0; i < s->net_count; i++)
		ring_persist(p, &s->nets[i].ring);
	net_memory_persist(p, &s->memory);
	rows_persist(p, (void **)&s->uses, &s->use_count, sizeof *s->uses, NULL);
	persist_count(p, &s->cold_count, COLD_MAX);
	if (persist_element(p, sizeof *s->colds))
		persist_bytes(p, s->colds, s->cold_count * sizeof *s->colds);
	persist_u64(p, &s->steps);
	persist_u64(p, &s->refused);
	for (uint32_t i = 0; i < s->cold_count; i++)
		if (s->colds[i].client >= s->client_count)
			persist_fail(p, "a number of a rule names nothing");
}

static const char *const mitre[] = { "T1114.002", NULL };

const struct detector detector_sweep = {
	.name = "sweep",
	.title = "One client or network goes through many mailboxes",
	.severity = "high: mailboxes new to the client from one or two networks new to them; medium: behind Microsoft front ends, "
		    "one client on a new network, or judged without history",
	.signal = "first touches of (client, mailbox) and (network, mailbox) over 10 minutes, 1 hour, 1 day",
	.catches = "collection by one tool from a server or two, or by one application behind front ends",
	.misses = "fewer than five mailboxes an hour and ten a day; a sweep that began before the data; a network for each mailbox",
	.cost = "a vendor let into many mailboxes at once, a conference; 152 bytes a mailbox, 80 a first touch kept",
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
