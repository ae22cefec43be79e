/* SPDX-License-Identifier: Apache-2.0 */
/* B10: MIDAS-R (Bhatia et al., AAAI 2020), from the paper: for an edge of a stream, count-min sketches keep how often it was
 * seen in all and how often lately (halved at every tick); with a lately, s in all and t ticks the score is
 * (a - s/t)^2 t^2 / (s (t - 1)), and the score of a record is the highest of its edge, its source and its destination.
 *
 * Two rows of 1024, factor 0.5, a tick an hour; edges mailbox-client and mailbox-network, the higher score counts.  There is
 * no published threshold, so only the budget-matched row is meaningful.  One alert per mailbox and day. */
#include "peers.h"

#define ROWS 2
#define BUCKETS 1024
#define FACTOR 0.5

struct sketch { double lately[ROWS][BUCKETS], in_all[ROWS][BUCKETS]; };
struct graph { struct sketch edge, source, destination; };
struct day { double score; int64_t raised_us, first_us, last_us; uint64_t items; struct peer_event worst; };

struct b10 {
	struct graph clients, nets;
	int64_t first_hour, hour;
	bool started;
	struct table days;
};

static void fade(struct sketch *s, double factor)
{
	for (int r = 0; r < ROWS; r++)
		for (int i = 0; i < BUCKETS; i++)
			s->lately[r][i] *= factor;
}

/* counts the key and scores it */
static double count(struct sketch *s, uint64_t key, double t)
{
	double a = 0, all = 0;

	for (int r = 0; r < ROWS; r++) {
		const uint64_t bucket = hash_mix(key, (uint64_t)r + 1) % BUCKETS;
		const double lately = ++s->lately[r][bucket], in_all = ++s->in_all[r][bucket];
		a = r && a < lately ? a : lately;
		all = r && all < in_all ? all : in_all;
	}
	return t > 1 ? (a - all / t) * (a - all / t) * t * t / (all * (t - 1)) : 0;
}

static double score_edge(struct graph *g, uint64_t source, uint64_t destination, double t)
{
	const double edge = count(&g->edge, hash_mix(source, destination), t);
	const double from = count(&g->source, source, t), to = count(&g->destination, destination, t);

	return edge > from ? (edge > to ? edge : to) : from > to ? from : to;
}

static void tick(struct b10 *s, int64_t hour)
{
	double factor = 1;

	if (!s->started) {
		s->started = true;
		s->first_hour = s->hour = hour;
		table_init(&s->days, sizeof(struct day), PEER_ENTRIES_MAX);
	}
	if (hour == s->hour)
		return;
	for (; s->hour < hour && factor > 0; s->hour++)
		factor *= FACTOR;
	s->hour = hour;
	fade(&s->clients.edge, factor);
	fade(&s->clients.source, factor);
	fade(&s->clients.destination, factor);
	fade(&s->nets.edge, factor);
	fade(&s->nets.source, factor);
	fade(&s->nets.destination, factor);
}

static void event(struct peers *p, void *state, const struct peer_event *e)
{
	struct b10 *s = state;
	const uint64_t client = hash_mix(e->client_app_id, hash_mix(e->app_id, e->family));
	double t, by_client, by_net, score;
	struct day *d;

	tick(s, e->time_us / US_PER_HOUR);
	t = (double)(s->hour - s->first_hour + 1);
	by_client = score_edge(&s->clients, e->mailbox, client, t);
	by_net = e->net ? score_edge(&s->nets, e->mailbox, e->net, t) : 0;
	score = by_client > by_net ? by_client : by_net;
	d = table_put(&s->days, e->mailbox, NULL);
	if (!d)
		return;
	if (!d->first_us)
		d->first_us = e->time_us;
	d->last_us = e->time_us;
	d->items += e->items;
	if (score > d->score) {
		d->score = score;
		d->raised_us = e->time_us;
		d->worst = *e;
	}
}

static void day_end(struct peers *p, void *state, int64_t day)
{
	struct b10 *s = state;
	const struct day *d;

	for (size_t i = 0; s->started && (d = table_next(&s->days, &i, NULL)); )
		peers_raise(p, "B10", &(struct peer_alert){ .score = d->score, .time_us = d->raised_us, .first_us = d->first_us,
			.last_us = d->last_us, .app_id = d->worst.app_id, .client_app_id = d->worst.client_app_id,
			.family = d->worst.family, .net = d->worst.net, .items = d->items, .mailboxes = &d->worst.mailbox,
			.mailbox_count = 1 });
	table_release(&s->days);
	table_init(&s->days, sizeof(struct day), PEER_ENTRIES_MAX);
}

static void release(void *state)
{
	table_release(&((struct b10 *)state)->days);
}

const struct peer peer_b10 = { "B10", "MIDAS-R (Bhatia et al. 2020)", sizeof(struct b10), event, day_end, release,
			       .has_no_threshold = true };
