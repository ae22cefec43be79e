/* SPDX-License-Identifier: Apache-2.0 */
/* B9: a rule found in many blogs: more than 3 times the mailbox's own mean of 14 days, on a day on which it is read from
 * an address that it has not shown in that time.  The mean is over calendar days, at least one item a day; a mailbox is
 * silent for its first 14 days.  In its favour: raised with the record at which both became true. */
#include "peers.h"

#define DAYS 14
#define TIMES 3
#define FACTOR_MIN 0.1

struct mailbox {
	uint32_t number;
	int64_t first_day, day;      /* day: the current one */
	uint64_t sums[DAYS + 1];     /* a ring by day */
	uint64_t sum;                /* of the DAYS before the current one */
	bool unseen;                 /* an address today that was not seen before */
	uint32_t net;
	double factor;
	int64_t raised_us, first_us, last_us;
};

struct b9 {
	struct table mailboxes, addresses; /* (mailbox, address) -> day last seen + 1 */
	bool started;
};

static void turn_to(struct mailbox *m, int64_t day)
{
	while (m->day < day) {
		m->sum += m->sums[m->day % (DAYS + 1)];
		m->day++;
		m->sum -= m->sums[m->day % (DAYS + 1)];
		m->sums[m->day % (DAYS + 1)] = 0;
	}
}

static void event(struct peers *p, void *state, const struct peer_event *e)
{
	struct b9 *s = state;
	struct mailbox *m;
	int64_t *seen = NULL;
	bool is_new;
	double mean, factor;

	if (!s->started) {
		s->started = true;
		table_init(&s->mailboxes, sizeof(struct mailbox), PEER_ENTRIES_MAX);
		table_init(&s->addresses, sizeof(int64_t), PEER_ENTRIES_MAX);
	}
	m = table_put(&s->mailboxes, e->mailbox, &is_new);
	if (!m)
		return;
	if (is_new) {
		m->number = e->mailbox;
		m->first_day = m->day = e->day;
	}
	turn_to(m, e->day);
	if (!m->first_us)
		m->first_us = e->time_us;
	m->last_us = e->time_us;
	m->sums[e->day % (DAYS + 1)] += e->items;
	if (e->ip)
		seen = table_put(&s->addresses, (uint64_t)e->mailbox << 32 | e->ip, NULL);
	if (seen) {
		if (*seen != e->day + 1 && *seen < e->day + 1 - DAYS) {
			m->unseen = true;
			m->net = e->net;
		}
		*seen = e->day + 1;
	}
	if (!m->unseen || e->day < m->first_day + DAYS)
		return;
	mean = (double)m->sum / DAYS;
	factor = (double)m->sums[e->day % (DAYS + 1)] / (TIMES * (mean < 1 ? 1 : mean));
	if (factor <= m->factor)
		return;
	if (m->factor < 1)
		m->raised_us = e->time_us;
	m->factor = factor;
}

static void day_end(struct peers *p, void *state, int64_t day)
{
	struct b9 *s = state;
	struct mailbox *m;

	for (size_t i = 0; s->started && (m = table_next(&s->mailboxes, &i, NULL)); ) {
		if (m->factor >= FACTOR_MIN)
			peers_raise(p, "B9", &(struct peer_alert){ .score = m->factor, .time_us = m->raised_us,
				.first_us = m->first_us, .last_us = m->last_us, .net = m->net,
				.items = m->sums[day % (DAYS + 1)], .mailboxes = &m->number, .mailbox_count = 1 });
		m->factor = 0;
		m->unseen = false;
		m->first_us = m->raised_us = 0;
	}
}

static void release(void *state)
{
	table_release(&((struct b9 *)state)->mailboxes);
	table_release(&((struct b9 *)state)->addresses);
}

const struct peer peer_b9 = { "B9", "folk rule: three times the own mean, from an address not seen", sizeof(struct b9), event, day_end,
			      release };
