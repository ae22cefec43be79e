/* SPDX-License-Identifier: Apache-2.0 */
/* orphans: see orphans.h. */
#include "detect/orphans.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "detect/detect.h"
#include "identity/identity.h"

struct group {
	uint32_t mailbox, client, actor, alert_count;
	struct alert *alerts[ALERTS_OF_ORPHAN];
	uint64_t accesses, items;
	int64_t first_us, last_us;
	bool tokens_cut;
};

struct mark { uint64_t group, token; }; /* keys */

void orphans_init(struct orphans *o, const struct period *period)
{
	*o = (struct orphans){ .period = period };
	table_init(&o->groups, sizeof(struct group), ORPHAN_GROUPS_MAX);
	table_init(&o->tokens, sizeof(struct mark), ORPHAN_TOKENS_MAX);
}

void orphans_release(struct orphans *o)
{
	table_release(&o->groups);
	table_release(&o->tokens);
	free(o->rows);
}

void orphans_meet(struct orphans *o, const struct alerts *a, const struct event *e)
{
	const struct rec *r = e->rec;
	if (!e->token || e->token->verdict != PROV_ORPHAN || !o->period || !period_has(o->period, r->time_us))
		return;
	uint32_t actor = e->mailbox == NONE ? e->actor : NONE;
	uint64_t key = hash_mix(hash_mix((uint64_t)e->mailbox << 32 | e->client, actor), a->of_orphan_count);
	bool is_new;
	for (uint32_t i = 0; i < a->of_orphan_count; i++)
		key = hash_mix(key, hash_str(str_of(a->of_orphan[i]->id), 0));
	o->accesses++;
	struct group *g = table_put(&o->groups, key, &is_new);
	if (!g) {
		o->without_room++;
		return;
	}
	if (is_new) {
		*g = (struct group){ .mailbox = e->mailbox, .client = e->client, .actor = actor, .alert_count = a->of_orphan_count,
				     .first_us = r->time_us };
		memcpy(g->alerts, a->of_orphan, sizeof g->alerts);
	}
	g->accesses++;
	g->items += r->items;
	g->last_us = r->time_us;
	uint64_t token = e->token->by_session ? ~id_key(r->session, r->flags & REC_SESSION_TEXT) : id_key(r->token, r->flags & REC_TOKEN_TEXT);
	struct mark *m = table_put(&o->tokens, hash_mix(key, token), NULL);
	if (m)
		*m = (struct mark){ key, token };
	else
		g->tokens_cut = true;
}

/* -- the end -- */

static bool is_in_alert(const struct group *g)
{
	for (uint32_t i = 0; i < g->alert_count; i++)
		if (g->alerts[i]->raised)
			return true;
	return false;
}

static uint64_t row_key(const struct group *g)
{
	return hash_mix((uint64_t)g->mailbox << 32 | g->client, g->actor);
}

static int widest_first(const void *pa, const void *pb)
{
	const struct orphan_row *a = pa, *b = pb;
	if (a->of_mailbox != b->of_mailbox)
		return a->of_mailbox > b->of_mailbox ? -1 : 1;
	if (a->mailbox != b->mailbox)
		return a->mailbox < b->mailbox ? -1 : 1;
	if (a->actor != b->actor)
		return a->actor < b->actor ? -1 : 1;
	if (a->accesses != b->accesses)
		return a->accesses > b->accesses ? -1 : 1;
	return a->client < b->client ? -1 : a->client > b->client;
}

static void add_group(struct orphan_row *row, const struct group *g)
{
	bool first = !row->accesses;
	row->mailbox = g->mailbox;
	row->client = g->client;
	row->actor = g->actor;
	row->accesses += g->accesses;
	row->items += g->items;
	row->first_us = first || g->first_us < row->first_us ? g->first_us : row->first_us;
	row->last_us = first || g->last_us > row->last_us ? g->last_us : row->last_us;
	row->tokens_cut |= g->tokens_cut;
}

/* other alerts, by mailbox of the world */
static void count_alerts(struct orphans *o, const struct alerts *a, uint32_t *named)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct alert *al = a->v[i];
		if (!al->raised || al->detector->says_orphan || !alert_is_within(al, o->period))
			continue;
		for (uint32_t k = 0; k < al->mailboxes.n; k++)
			named[al->mailboxes.v[k]]++;
	}
	for (size_t i = 0; i < o->n; i++)
		o->rows[i].alerts = o->rows[i].mailbox == NONE ? 0 : named[o->rows[i].mailbox];
}

int orphans_finish(struct orphans *o, const struct alerts *a)
{
	struct table rows, tokens, boxes; /* row -> its place; (row, token); mailbox or account -> accesses */
	struct group *g;
	struct mark *m;
	bool lost = false, is_new;
	uint32_t *named = calloc((size_t)a->world->mailbox_count + 1, sizeof *named);
	free(o->rows);
	o->rows = calloc(o->groups.n + 1, sizeof *o->rows);
	o->n = 0;
	o->in_alerts = o->listed = 0;
	table_init(&rows, sizeof(uint32_t), ORPHAN_GROUPS_MAX);
	table_init(&tokens, 0, ORPHAN_TOKENS_MAX);
	table_init(&boxes, sizeof(uint64_t), ORPHAN_GROUPS_MAX);
	for (size_t i = 0; o->rows && (g = table_next(&o->groups, &i, NULL)); ) {
		if (is_in_alert(g)) {
			o->in_alerts += g->accesses;
			continue;
		}
		uint32_t *at = table_put(&rows, row_key(g), &is_new);
		uint64_t *box = table_put(&boxes, hash_mix(g->mailbox, g->actor), NULL);
		lost |= !at || !box;
		if (!at || !box)
			continue;
		if (is_new)
			*at = (uint32_t)o->n++;
		add_group(&o->rows[*at], g);
		*box += g->accesses;
		o->listed += g->accesses;
	}
	for (size_t i = 0; o->rows && (m = table_next(&o->tokens, &i, NULL)); ) {
		g = table_get(&o->groups, m->group);
		const uint32_t *at = g && !is_in_alert(g) ? table_get(&rows, row_key(g)) : NULL;
		if (!at)
			continue;
		lost |= !table_put(&tokens, hash_mix(*at, m->token), &is_new);
		o->rows[*at].tokens += is_new;
	}
	for (size_t i = 0; i < o->n; i++)
		o->rows[i].of_mailbox = *(uint64_t *)table_get(&boxes, hash_mix(o->rows[i].mailbox, o->rows[i].actor));
	o->mailboxes = boxes.n;
	if (o->rows && o->n)
		qsort(o->rows, o->n, sizeof *o->rows, widest_first);
	if (named && o->rows && o->period)
		count_alerts(o, a, named);
	lost |= !o->rows || !named;
	table_release(&rows);
	table_release(&tokens);
	table_release(&boxes);
	free(named);
	return lost ? -1 : 0;
}
