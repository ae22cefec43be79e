/* SPDX-License-Identifier: Apache-2.0 */
/* B3: Splunk's "o365_multiple_mailboxes_accessed_via_api": windows of 10 minutes; records through Graph, or whose client
 * string begins with the one of Exchange Web Services; more than 5 distinct mailboxes by ClientAppId and client string.
 *
 * These events keep only the family of the client string, which is used in its place.  In its favour: one alert per application,
 * family and day, however many windows fire, raised with the first of them and naming the mailboxes of all. */
#include <stdlib.h>

#include "peers.h"

#define WINDOW_US (10 * US_PER_MINUTE)
#define MAILBOXES 6 /* "more than 5" */

struct group {
	uint32_t app, family;
	struct peer_list window;        /* mailboxes of the current window */
	struct peer_list named;         /* what the day's alert will name */
	size_t most;                    /* of any window of the day */
	int64_t raised_us, first_us, last_us;
	uint64_t items;
};

struct b3 {
	struct table groups;            /* (application, family) -> struct group */
	struct table in_window;         /* (group, mailbox) of the current window */
	struct table in_day;            /* ... named already */
	int64_t window;
	bool started;
};

static void close_window(struct b3 *s)
{
	struct group *g;
	uint64_t key;

	for (size_t i = 0; (g = table_next(&s->groups, &i, &key)); g->window.n = 0) {
		const size_t n = g->window.n;
		const bool first = n >= MAILBOXES && g->most < MAILBOXES;
		bool is_new;
		if (!n || (n < MAILBOXES && n <= g->most))
			continue;
		if (n < MAILBOXES || first) { /* this window has more mailboxes than all before it */
			for (size_t k = 0; k < g->named.n; k++)
				table_remove(&s->in_day, hash_mix(key, g->named.v[k]));
			g->named.n = 0;
			g->raised_us = (s->window + 1) * WINDOW_US;
		}
		for (size_t k = 0; k < n; k++)
			if (table_put(&s->in_day, hash_mix(key, g->window.v[k]), &is_new) && is_new)
				peer_list_add(&g->named, g->window.v[k]);
		if (n > g->most)
			g->most = n;
	}
	table_release(&s->in_window);
	table_init(&s->in_window, 0, PEER_ENTRIES_MAX);
}

static void start(struct b3 *s)
{
	if (s->started)
		return;
	s->started = true;
	table_init(&s->groups, sizeof(struct group), PEER_ENTRIES_MAX);
	table_init(&s->in_window, 0, PEER_ENTRIES_MAX);
	table_init(&s->in_day, 0, PEER_ENTRIES_MAX);
}

static void event(struct peers *p, void *state, const struct peer_event *e)
{
	struct b3 *s = state;
	const uint64_t key = (uint64_t)e->client_app_id << 32 | e->family;
	struct group *g;
	bool is_new;

	start(s);
	if (!peers_is(p, e->app_id, STR(GRAPH_APP_ID)) && !peers_starts_with(p, e->family, STR("WebServices")))
		return;
	if (e->time_us / WINDOW_US != s->window) {
		close_window(s);
		s->window = e->time_us / WINDOW_US;
	}
	g = table_put(&s->groups, key, NULL);
	if (!g)
		return;
	if (!g->first_us)
		g->first_us = e->time_us;
	g->app = e->client_app_id;
	g->family = e->family;
	g->last_us = e->time_us;
	g->items += e->items;
	if (table_put(&s->in_window, hash_mix(key, e->mailbox), &is_new) && is_new)
		peer_list_add(&g->window, e->mailbox);
}

static void day_end(struct peers *p, void *state, int64_t day)
{
	struct b3 *s = state;
	struct group *g;

	start(s);
	close_window(s);
	for (size_t i = 0; (g = table_next(&s->groups, &i, NULL)); ) {
		if (g->most > 1)
			peers_raise(p, "B3", &(struct peer_alert){ .score = (double)g->most / MAILBOXES,
				.time_us = g->raised_us, .first_us = g->first_us, .last_us = g->last_us,
				.client_app_id = g->app, .family = g->family, .items = g->items,
				.mailboxes = g->named.v, .mailbox_count = (uint32_t)g->named.n });
		g->named.n = 0;
		g->most = 0;
		g->items = 0;
		g->first_us = 0;
	}
	table_release(&s->in_day);
	table_init(&s->in_day, 0, PEER_ENTRIES_MAX);
}

static void release(void *state)
{
	struct b3 *s = state;
	struct group *g;

	for (size_t i = 0; s->started && (g = table_next(&s->groups, &i, NULL)); ) {
		free(g->window.v);
		free(g->named.v);
	}
	table_release(&s->groups);
	table_release(&s->in_window);
	table_release(&s->in_day);
}

const struct peer peer_b3 = { "B3", "Splunk o365_multiple_mailboxes_accessed_via_api", sizeof(struct b3), event, day_end, release };
