/* SPDX-License-Identifier: Apache-2.0 */
/* new-client-sync: a client that is new to a mailbox copies whole folders of it.
 *
 * Signal   Sync records of a client in its first day in a mailbox that had been in the data for a day or more before.
 * Catches  The quickest way to take a mailbox: a desktop client, signed in with another person's session or password, that
 *          synchronises folder after folder.  No message is listed, and volume rules see nothing.
 * Misses   Sync by a client that was in the mailbox before (Sync carries no application id: every desktop Outlook is one
 *          client); a mailbox in its first day of data; copying message by message.
 * Cost     A new desktop client is set up every day somewhere: low, and one alert for all of them, while the client is
 *          common in the tenant.  Memory: 48 bytes a mailbox, 176 for each edge that waits for its third folder. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"

#define EDGE_DAY_US US_PER_DAY      /* the first day of a client in a mailbox */
#define MAILBOX_LEARNT_US US_PER_DAY /* a mailbox must have been seen for so long before the client came */
#define FOLDERS_MIN 3               /* one or two are a shared folder opened, three are a mailbox being set up */
#define RARE_MAILBOXES 3            /* a client in fewer mailboxes is rare in any tenant */
#define RARE_PERCENT 5              /* ... and in less than this share of the active ones */
#define PENDING_MAX 10000

extern const struct detector detector_new_client_sync;

struct pending { /* an edge whose first folders are not yet an alert */
	struct kept kept[FOLDERS_MIN - 1];
	uint64_t subject;    /* of its alert, once it is done */
	uint32_t n, more;    /* more: records of the same folders, which are counted but not kept */
	bool done;
	bool new_net;
};

struct told {
	struct alert *alert;
	uint32_t client, net;
	uint32_t prevalence, active; /* of the client when the alert was raised: mailboxes before, of so many */
	bool rare, new_net, per_mailbox;
	int64_t learnt_us;
};

struct state {
	struct net_memory memory;
	struct table pending; /* hash(mailbox, client) -> struct pending */
	struct table told;    /* subject -> struct told */
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->pending, sizeof(struct pending), PENDING_MAX);
	table_init(&s->told, sizeof(struct told), ALERTS_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	net_memory_release(&s->memory);
	table_release(&s->pending);
	table_release(&s->told);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->pending.refused;
}

static void write_sentences(struct detect_ctx *c, const struct told *x)
{
	const struct world *w = c->world;
	struct alert *al = x->alert;
	char client[SAY_SIZE], boxes[SAY_SIZE], span[TIME_TEXT_SIZE];
	say_client(w, x->client, client);
	say_mailboxes(w, &al->mailboxes, boxes);
	alert_member(al, PREVALENCE, value_number(x->prevalence), value_number(x->active));
	if (x->new_net)
		alert_member(al, NEW_NETWORK, value_cstr(world_net_label(w, x->net)));
	alert_clear_why(al);
	alert_title(al, "%s, new to the mailbox, synchronised whole folders of %s", client, boxes);
	if (al->folders_synced)
		alert_why(al, "%s synchronised in %s, on the client's first day there.", COUNT(al->folders_synced, "folder"),
			  COUNT(al->mailboxes.total, "mailbox"));
	else
		alert_why(al, "%s, which name no folder, in %s, on the client's first day there.", COUNT(al->records, "Sync record"),
			  COUNT(al->mailboxes.total, "mailbox"));
	alert_why(al, "The client was in %s of %s before: %s; the mailbox had been seen for %s.", DIGITS(x->prevalence), COUNT(x->active, "mailbox"),
		  x->rare ? "rare in this tenant" : "common in this tenant, as after a new installation",
		  time_format_span(x->learnt_us, span));
	if (x->new_net)
		alert_why(al, "It came from %s, from which the mailbox had not been read before.", world_net_label(w, x->net));
	if (x->new_net && net_is_prefix(w, x->net))
		alert_why(al, "Networks are address prefixes here (no ASN file).");
	alert_blind(al, "how many items these folders held is not recorded: assume the whole mailbox");
}

/* other mailboxes that the client is in */
static uint32_t prevalence(const struct event *e)
{
	return e->client_mailboxes - (e->edge_is_new ? 0 : 1);
}

static bool is_rare(const struct event *e)
{
	return prevalence(e) < RARE_MAILBOXES || (uint64_t)prevalence(e) * 100 < (uint64_t)e->active_mailboxes * RARE_PERCENT;
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	const struct world *w = c->world;
	int64_t t = e->rec->time_us;
	bool is_new;
	if (e->mailbox == NONE)
		return;
	bool net_is_new = net_memory_is_new(&s->memory, e->mailbox, e->net);
	if (e->rec->access != ACCESS_SYNC || !e->edge || t - e->edge->first_us >= EDGE_DAY_US ||
	    e->edge->first_us - w->mailboxes[e->mailbox].first_us < MAILBOX_LEARNT_US)
		return;

	struct pending *p = table_put(&s->pending, hash_mix(key_mailbox(w, e->mailbox), key_client(w, e->client)), &is_new);
	if (!p)
		return;
	p->new_net |= net_is_new;
	if (p->done) {
		const struct told *x = table_get(&s->told, p->subject);
		if (x && x->alert)
			alert_fold(c->alerts, x->alert, e);
		return;
	}
	/* a record without its folder counts as one */
	bool rare = is_rare(e), enough = e->edge->folders_synced >= FOLDERS_MIN ||
					 (!e->edge->folders_synced && e->edge->syncs >= FOLDERS_MIN);
	if (!enough && !rare) {
		if (p->n < FOLDERS_MIN - 1)
			p->kept[p->n++] = kept_of(e);
		else
			p->more++;
		return;
	}
	/* A rare client: one alert for all its mailboxes.  A common one: one for all, except for those reached from a new network. */
	bool per_mailbox = !rare && p->new_net;
	uint64_t subject = hash_mix(key_client(w, e->client), per_mailbox ? key_mailbox(w, e->mailbox) : rare ? 1 : 2);
	struct told *x = table_put(&s->told, subject, &is_new);
	if (!x)
		return;
	if (is_new) {
		*x = (struct told){ .client = e->client, .net = e->net, .prevalence = prevalence(e),
				    .active = e->active_mailboxes, .rare = rare, .new_net = p->new_net, .per_mailbox = per_mailbox,
				    .learnt_us = e->mailbox_learnt_us };
		x->alert = alerts_open(c->alerts, &detector_new_client_sync, subject);
	}
	if (!x->alert)
		return;
	if (p->new_net && net_is_real(e->net) && !x->new_net) {
		x->new_net = true;
		x->net = e->net;
	}
	for (uint32_t i = 0; i < p->n; i++)
		kept_fold(c->alerts, x->alert, &p->kept[i]);
	if (p->more)
		alert_fold_more(x->alert, p->kept[0].time_us, p->kept[0].time_us, p->more, 0);
	p->n = p->more = 0;
	p->subject = subject;
	p->done = enough; /* a rare client's first folders are reported at once, and again when they are enough */
	alert_fold(c->alerts, x->alert, e);
	enum severity before = x->alert->severity;
	bool was_raised = x->alert->raised;
	alert_raise(x->alert, t, !rare || !enough ? SEVERITY_LOW : p->new_net ? SEVERITY_HIGH : SEVERITY_MEDIUM);
	if (!was_raised || x->alert->severity > before)
		write_sentences(c, x);
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	uint64_t key;
	const struct told *x;
	for (size_t i = 0; (x = table_next(&s->told, &i, &key));)
		if (x->alert)
			write_sentences(c, x);
}

static void fix_told(struct persist *p, void *element) { alerts_persist_one(p, &((struct told *)element)->alert); }

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	net_memory_persist(p, &s->memory);
	persist_table(p, &s->pending, NULL);
	persist_table(p, &s->told, fix_told);
}

static const char *const mitre[] = { "T1114.002", NULL };

const struct detector detector_new_client_sync = {
	.name = "new-client-sync",
	.title = "A client new to the mailbox synchronised whole folders",
	.severity = "high: a rare client from a network new to the mailbox; medium: a rare client; low: a common one, or one or "
		    "two folders",
	.signal = "Sync records in a client's first day in a mailbox that was in the data for a day before",
	.catches = "a whole mailbox taken by a desktop client with a stolen session or password",
	.misses = "sync by a client that was there before; a mailbox in its first day of data; copying message by message",
	.cost = "new installations: low, folded into one alert while the client is common; 48 bytes a mailbox",
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
