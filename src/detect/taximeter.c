/* SPDX-License-Identifier: Apache-2.0 */
/* taximeter: the baseline.  What does each mailbox's day usually look like, and is today different?
 *
 * Signal   Items a day, clients, networks and people that are new to a mailbox, how much a known one brings, hours, folders,
 *          alternating between two places, throttling (family.c has all of them); each compared with the mailbox's own past and
 *          with the last 30 days of its class.
 * Catches  A thief with a stolen session, token or key, whatever the application: by volume, by who and from where, or by
 *          many slightly odd days in a row; and one client or network that is slightly odd in many mailboxes.
 * Misses   A few items a day through the mailbox's own client from its own networks; readers that were there from the first
 *          day; everything in the first 14 days of data.
 * Cost     At most `--budget` false alarms in 10,000 mailbox-days (default 1) if the last 30 days resemble today.  Memory:
 *          1.2 KB a mailbox, 0.7 KB more while a day on which it was active is closed, some 100 bytes a client, network and actor.
 *
 * A day is judged when the first record of a later day comes (records are in order of time, so nothing comes late), and
 * a mailbox that looks odd also during the day, to say when it could first have been known.  Days without any record
 * anywhere are gaps of the collection and teach nothing.  Before 14 days of data no lane raises: the calibration would
 * be that of a shipped table alone, which cannot keep the false-alarm budget.  A shorter export is read twice (ctx->lessons,
 * ctx->recall): what the first pass learnt about all mailboxes serves the second, which states that it keeps no budget. */
#include <math.h>
#include <stdlib.h>

#include "detect/campaign.h"
#include "stat/combine.h"

extern const struct detector detector_taximeter;

struct state {
	struct baseline base;
	struct campaigns campaigns;
	struct verdict *verdicts; /* of the day that is being closed */
	uint32_t verdict_count, verdict_capacity;
	uint32_t *order;
	uint32_t order_capacity;
	uint64_t dropped;         /* crossings for which no token was left */
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	if (!baseline_begin(&s->base, c->budget / 10000) || !campaign_begin(&s->campaigns))
		return -1;
	if (c->recall)
		baseline_recall(&s->base, c->recall);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	baseline_release(&s->base);
	campaign_release(&s->campaigns);
	free(s->verdicts);
	free(s->order);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->base.refused + s->base.seen.refused + s->campaigns.refused;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static int rarest_first(const void *a, const void *b)
{
	const struct verdict *x = *(struct verdict *const *)a, *y = *(struct verdict *const *)b;
	double p = verdict_odds(x), q = verdict_odds(y);
	if (p != q)
		return p > q ? -1 : 1;
	return x->mailbox < y->mailbox ? -1 : x->mailbox > y->mailbox;
}

static uint32_t count_present(const struct baseline *b)
{
	uint32_t n = 0;
	for (uint32_t m = 0; m < b->mailboxes; m++) {
		const struct mailbox_row *row = baseline_row(b, m);
		n += row->first_day && (row->open.active || b->day - row->last_active <= PRESENT_DAYS);
	}
	return n;
}


/* verdicts of the mailboxes that had records, in the order of mailboxes */
static bool judge_active(struct state *s)
{
	struct baseline *b = &s->base;
	qsort(b->active, b->active_count, sizeof *b->active, ascending);
	if (b->active_count > s->verdict_capacity) {
		struct verdict *p = realloc(s->verdicts, b->active_count * sizeof *p);
		if (!p)
			return false;
		s->verdicts = p;
		s->verdict_capacity = b->active_count;
	}
	s->verdict_count = b->active_count;
	for (uint32_t i = 0; i < b->active_count; i++)
		baseline_measure(b, b->active[i], baseline_row(b, b->active[i]), &s->verdicts[i]);
	baseline_count_today(b, s->verdicts, s->verdict_count);
	for (uint32_t i = 0; i < b->active_count; i++) {
		struct verdict *v = &s->verdicts[i];
		baseline_conclude(b, baseline_row(b, b->active[i]), v);
		campaign_gather(&s->campaigns, b, v);
		v->alerted = v->lanes != 0;
	}
	return true;
}

static void raise_crossings(struct state *s, struct detect_ctx *c)
{
	struct baseline *b = &s->base;
	struct verdict **v = malloc((s->verdict_count + 1) * sizeof *v);
	uint32_t n = 0, near[LANES] = { 0 }, crossed[LANES] = { 0 };
	if (!v)
		return;
	for (uint32_t i = 0; i < s->verdict_count; i++) {
		for (unsigned k = 0; k < LANES; k++)
			if (!s->verdicts[i].joined && s->verdicts[i].near >> k & 1) {
				near[k]++;
				crossed[k] += s->verdicts[i].lanes >> k & 1 && s->verdicts[i].marginal >> k & 1;
			}
		if (s->verdicts[i].lanes)
			v[n++] = &s->verdicts[i];
	}
	qsort(v, n, sizeof *v, rarest_first);
	budget_refill(&b->budget, b->present);
	for (uint32_t i = 0; i < n; i++) {
		bool is_new = false;
		if (!campaign_raise(&s->campaigns, b, c, v[i], &is_new)) {
			s->dropped++;
			struct mailbox_row *row = baseline_row(b, v[i]->mailbox);
			if (!row->alert_day || b->day - row->alert_day > QUARANTINE_DAYS)
				row->alert_first_day = b->day;
			row->alert_day = b->day;
		}
		v[i]->joined |= !is_new;
	}
	for (unsigned k = 0; k < LANES && is_warm(b); k++) {
		near[k] = (near[k] + (unsigned)NEAR * crossed[k]) / 2;
		double alpha = b->budget.alpha * lane_shares[k];
		b->ln_lane[k] = budget_steer(b->ln_lane[k], alpha, budget_step(NEAR * alpha, b->present, near[k]));
	}
	free(v);
}

static void learn_day(struct state *s)
{
	struct baseline *b = &s->base;
	uint32_t silent[BOX_CLASSES] = { 0 }, next = 0;
	for (uint32_t m = 0; m < b->mailboxes; m++) {
		struct mailbox_row *row = baseline_row(b, m);
		const struct verdict *v = NULL;
		if (!row->first_day)
			continue;
		if (next < s->verdict_count && s->verdicts[next].mailbox == m)
			v = &s->verdicts[next++];
		if (!v && b->day - row->last_active > PRESENT_DAYS)
			continue;
		if (!is_warm(b))
			row->sr = (float)SR_REST; /* its bound needs calibrated p */
		else if (v && v->alerted)
			row->sr = 0;
		else
			row->sr = v ? (float)v->sr : (float)sr_step((double)row->sr, 0);
		if (is_warm(b) && !(v && v->alerted)) {
			row->recent[1] = row->recent[0];
			row->recent[0] = v ? (float)day_weight(-v->ln_p_day / M_LN10) : 0;
		} else {
			row->recent[0] = row->recent[1] = 0; /* already reported, or still warming up: start anew */
		}
		if (!v)
			silent[baseline_class(b, row)]++;
		else if (!v->joined)
			baseline_enter(b, v);
		baseline_learn(b, m, v, !v || !v->alerted || b->day - row->alert_first_day >= QUARANTINE_DAYS);
	}
	for (unsigned i = 0; i < BOX_CLASSES; i++)
		if (silent[i])
			baseline_enter_silent(b, i, silent[i]);
}

static void close_day(struct state *s, struct detect_ctx *c)
{
	struct baseline *b = &s->base;
	if (!b->active_count)
		return;
	b->present = count_present(b);
	if (!judge_active(s)) {
		c->alerts->failed = true;
		return;
	}
	campaign_judge(&s->campaigns, b, c, s->verdicts, s->verdict_count);
	raise_crossings(s, c);
	campaign_follow(&s->campaigns, b, c, s->verdicts, s->verdict_count);
	learn_day(s);
	baseline_close(b, c->world);
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	struct mailbox_row *row = NULL;
	if (e->mailbox == NONE || e->rec->time_us < TIME_MIN_US || e->rec->time_us >= TIME_MAX_US)
		return;
	uint16_t day = (uint16_t)(e->rec->time_us / US_PER_DAY);
	if (day != s->base.day) {
		close_day(s, c);
		baseline_open(&s->base, day);
	}
	if (!baseline_take(&s->base, e, &row))
		return;
	struct verdict v;
	baseline_judge(&s->base, e->mailbox, row, &v);
	campaign_watch(&s->campaigns, &s->base, &v, e->rec->time_us);
	if (v.lanes)
		row->open.crossed_us = e->rec->time_us;
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	close_day(s, c);
	campaign_end(&s->campaigns, c);
	c->alerts->held = s->dropped;
	if (c->lessons)
		baseline_teach(&s->base, c->lessons);
}

/* Verdicts and their order are made anew on each day. */
static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	baseline_persist(p, &s->base);
	campaigns_persist(p, &s->campaigns, &s->base);
	persist_u64(p, &s->dropped);
}

static const char *const mitre[] = { "T1114.002", "T1078.004", "T1550.001", NULL };

const struct detector detector_taximeter = {
	.name = "taximeter",
	.title = "A mailbox's day unlike its own past and unlike the days of others",
	.severity = "low: first meetings only; medium: one lane; high: two lanes, three mailboxes, or rarer than 1 in 10 million",
	.signal = "Items a day against the mailbox's own days; clients, networks and people new to it against how rare they "
		  "are and how often new ones come to it; how much a known client or network brings; throttling. All are "
		  "calibrated on the last 30 days of the mailbox's class and combined, for the day and for the days before.",
	.catches = "Collection with a stolen session, token or key, whatever the application: by volume, by who and from where, "
		   "by several slightly odd days in a row, or by one client or network slightly odd in many mailboxes.",
	.misses = "A few items a day through the mailbox's own client from its own networks; what was there from the first "
		  "day; the first 14 days of data; the first week of a mailbox.",
	.cost = "At most --budget false alarms in 10,000 mailbox-days (default 1) while the last 30 days resemble today; twice "
		"that for about a month after an abrupt change. Memory: 1.2 KB a mailbox that was learnt, and 0.8 KB more on a "
		"day on which it is active.",
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
