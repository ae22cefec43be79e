/* SPDX-License-Identifier: Apache-2.0 */
/* B2: Microsoft Sentinel's hunting query "Anomaly of MailItemAccess by GraphAPI" (5cb88a85): records through Graph, 30
 * days, the sum of OperationCount by ClientAppId and day; a day above average + 2.5 standard deviations of the application's
 * own days, the day itself among them.  Hence (n - 1)/sqrt(n) is the most that n days can show, and nothing can be above
 * 2.5 before the ninth.
 *
 * The query names no mailboxes; in its favour the alert names all that the application read on that day. */
#include <math.h>
#include <stdlib.h>

#include "peers.h"

#define DAYS 30
#define DEVIATIONS 2.5
#define DAYS_MIN 3 /* for a meaningful deviation */

struct app {
	uint32_t id;
	uint64_t sums[DAYS];      /* a ring by day */
	int64_t days[DAYS];       /* which day the place holds, + 1 */
	int64_t first_us, last_us;
	uint64_t items;           /* of the current day */
	struct peer_list mailboxes;
};

struct b2 {
	struct table apps;        /* client application -> struct app */
	struct table pairs;       /* (application, mailbox) of the current day */
	bool started;
};

static void start(struct b2 *s)
{
	if (s->started)
		return;
	s->started = true;
	table_init(&s->apps, sizeof(struct app), PEER_ENTRIES_MAX);
	table_init(&s->pairs, 0, PEER_ENTRIES_MAX);
}

static void event(struct peers *p, void *state, const struct peer_event *e)
{
	struct b2 *s = state;
	struct app *a;
	bool is_new;

	start(s);
	if (!e->client_app_id || !peers_is(p, e->app_id, STR(GRAPH_APP_ID)))
		return;
	a = table_put(&s->apps, e->client_app_id, NULL);
	if (!a)
		return;
	if (!a->mailboxes.n)
		a->first_us = e->time_us;
	a->id = e->client_app_id;
	a->last_us = e->time_us;
	a->items += e->items;
	if (table_put(&s->pairs, (uint64_t)e->client_app_id << 32 | e->mailbox, &is_new) && is_new)
		peer_list_add(&a->mailboxes, e->mailbox);
}

static double deviations(const struct app *a, int64_t day)
{
	double sum = 0, squares = 0, mean;
	int n = 0;

	for (int i = 0; i < DAYS; i++)
		if (a->days[i] > day + 1 - DAYS) {
			sum += (double)a->sums[i];
			n++;
		}
	if (n < DAYS_MIN)
		return 0;
	mean = sum / n;
	for (int i = 0; i < DAYS; i++)
		if (a->days[i] > day + 1 - DAYS)
			squares += ((double)a->sums[i] - mean) * ((double)a->sums[i] - mean);
	return squares > 0 ? ((double)a->sums[day % DAYS] - mean) / sqrt(squares / (n - 1)) : 0;
}

static void day_end(struct peers *p, void *state, int64_t day)
{
	struct b2 *s = state;
	struct app *a;

	start(s);
	for (size_t i = 0; (a = table_next(&s->apps, &i, NULL)); ) {
		if (!a->mailboxes.n)
			continue;
		a->sums[day % DAYS] = a->items;
		a->days[day % DAYS] = day + 1;
		peers_raise(p, "B2", &(struct peer_alert){ .score = deviations(a, day) / DEVIATIONS,
			.time_us = (day + 1) * US_PER_DAY, .first_us = a->first_us, .last_us = a->last_us,
			.client_app_id = a->id, .items = a->items, .mailboxes = a->mailboxes.v,
			.mailbox_count = (uint32_t)a->mailboxes.n });
		a->items = 0;
		a->mailboxes.n = 0;
	}
	table_release(&s->pairs);
	table_init(&s->pairs, 0, PEER_ENTRIES_MAX);
}

static void release(void *state)
{
	struct b2 *s = state;
	struct app *a;

	for (size_t i = 0; s->started && (a = table_next(&s->apps, &i, NULL)); )
		free(a->mailboxes.v);
	table_release(&s->apps);
	table_release(&s->pairs);
}

const struct peer peer_b2 = { "B2", "Microsoft Sentinel hunting query Anomaly of MailItemAccess by GraphAPI", sizeof(struct b2),
			      event, day_end, release };
