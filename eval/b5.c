/* SPDX-License-Identifier: Apache-2.0 */
/* B5: Elastic's "Mailbox Items Accessed Excessively" (7fc95782): OperationCount of 100 or more in one record, or
 * IsThrottled.  In its favour: one alert per mailbox and day (24 hours of quiet per mailbox were proposed in 2026), raised
 * with the first record that fires.  A throttled record counts as ten times the threshold: it takes 1,000 records. */
#include "peers.h"

#define ITEMS 100
#define THROTTLED_FACTOR 10.0
#define FACTOR_MIN 0.05

struct day { double factor; int64_t raised_us, first_us, last_us; uint64_t items; struct peer_event worst; };

struct b5 { struct table days; bool started; }; /* mailbox -> struct day, of the current day */

static void start(struct b5 *s)
{
	if (!s->started)
		table_init(&s->days, sizeof(struct day), PEER_ENTRIES_MAX);
	s->started = true;
}

static void event(struct peers *p, void *state, const struct peer_event *e)
{
	struct b5 *s = state;
	double factor = (double)e->items / ITEMS;
	struct day *d;

	start(s);
	d = table_put(&s->days, e->mailbox, NULL);
	if (!d)
		return;
	if (e->throttled && factor < THROTTLED_FACTOR)
		factor = THROTTLED_FACTOR;
	if (!d->first_us)
		d->first_us = e->time_us;
	d->last_us = e->time_us;
	d->items += e->items;
	if (factor <= d->factor)
		return;
	if (d->factor < 1)
		d->raised_us = e->time_us;
	d->factor = factor;
	d->worst = *e;
}

static void day_end(struct peers *p, void *state, int64_t day)
{
	struct b5 *s = state;
	const struct day *d;

	start(s);
	for (size_t i = 0; (d = table_next(&s->days, &i, NULL)); )
		if (d->factor >= FACTOR_MIN)
			peers_raise(p, "B5", &(struct peer_alert){ .score = d->factor, .time_us = d->raised_us,
				.first_us = d->first_us, .last_us = d->last_us, .app_id = d->worst.app_id,
				.client_app_id = d->worst.client_app_id, .family = d->worst.family, .net = d->worst.net,
				.items = d->items, .mailboxes = &d->worst.mailbox, .mailbox_count = 1 });
	table_release(&s->days);
	table_init(&s->days, sizeof(struct day), PEER_ENTRIES_MAX);
}

static void release(void *state)
{
	table_release(&((struct b5 *)state)->days);
}

const struct peer peer_b5 = { "B5", "Elastic rule Mailbox Items Accessed Excessively", sizeof(struct b5), event, day_end, release };
