/* SPDX-License-Identifier: Apache-2.0 */
/* judge: each alarm is judged by its mailboxes and the attacks on them.  The result is a
 * verdict for the alarm and a hit for each attack that it found; the figures are sums over both. */
#include "eval/judge.h"

#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/timefmt.h"

#define AFTERMATH_US US_PER_DAY  /* an alarm may come a day after the attack's last record */
#define LINGER_DAYS 3            /* a confounder may be to blame so long after its last day */
#define COMPLETE_SHARE 0.8       /* of the victims in one alarm */

double rate_of(struct rate r)
{
	return r.mailbox_days ? (double)r.count * RATE_UNIT / (double)r.mailbox_days : 0;
}

struct bounds rate_bounds(struct rate r)
{
	struct bounds b = poisson_bounds(r.count);

	if (!r.mailbox_days)
		return (struct bounds){ 0, INFINITY };
	b.lower *= RATE_UNIT / (double)r.mailbox_days;
	b.upper *= RATE_UNIT / (double)r.mailbox_days;
	return b;
}

void judge_days(const struct judge_settings *s, const struct truth *t, int32_t *ret_from, int32_t *ret_to)
{
	*ret_from = s->from_day >= 0 ? s->from_day : t->learn_days;
	*ret_to = s->to_day >= 0 && s->to_day < t->days ? s->to_day : t->days - 1;
}

/* -- one alarm and one attack, one alarm and one confounder -- */

/* The mailbox is known to be a victim.  It must not have been raised before the attack began; the reads it names, or the moment
 * it was raised, must be in the attack's time or a day after it; and if it blames applications or places, one of them is the
 * attack's. */
bool judge_matches(const struct alarm *al, const struct truth_case *attack)
{
	const int64_t end = attack->last_us + AFTERMATH_US;
	const bool raised_in_time = al->time_us <= end;
	const bool saw_it = al->first_us && al->last_us && al->first_us <= end && al->last_us >= attack->first_us;

	if (al->time_us < attack->first_us || !(raised_in_time || saw_it))
		return false;
	return scope_is_empty(&al->scope) || scopes_meet(&al->scope, &attack->scope);
}

static bool event_overlaps(const struct truth *t, const struct alarm *al, const struct truth_case *event)
{
	const int64_t day = (al->time_us - t->start_us) / US_PER_DAY;

	if (day < event->first_day || day > (int64_t)event->last_day + LINGER_DAYS)
		return false;
	return scope_is_empty(&event->scope) || scope_is_empty(&al->scope) || scopes_meet(&al->scope, &event->scope);
}

/* -- verdicts -- */

struct hit { uint32_t pair, attack, alarm, named; };

struct case_ { /* one alarm's */
	enum verdict_of_alarm verdict;
	bool asked_for; /* of the rule, and with a score that passes */
	uint32_t innocent;
};

struct court {
	const struct judge_settings *s;
	struct judge_pair *pairs;
	struct judgement *j;
	struct case_ **cases;      /* by pair and alarm */
	struct hit *hits; size_t hit_count, hit_capacity;
	uint32_t *counts;          /* scratch: mailboxes named, by attack */
	struct eval_list touched;
	bool failed;
};

/* Is it one of the alarms that are asked for? */
static bool counts(const struct court *c, uint32_t pair, uint32_t alarm)
{
	return c->cases[pair][alarm].asked_for && c->pairs[pair].alarms.v[alarm].severity >= c->s->minimum;
}

static uint32_t mailbox_of(const struct alarms *a, const struct alarm *al, uint32_t i)
{
	return a->mailbox_lists.v[al->mailbox_at + i];
}

/* Fills c->counts for the attacks that the alarm found; their numbers are in c->touched. */
static void find_attacks(struct court *c, const struct judge_pair *p, const struct alarm *al)
{
	c->touched.n = 0;
	for (uint32_t i = 0; i < al->mailbox_count; i++) {
		size_t from, to;
		truth_links(p->truth.attack_links, p->truth.attack_link_count, mailbox_of(&p->alarms, al, i), &from, &to);
		for (; from < to; from++) {
			const uint32_t attack = p->truth.attack_links[from].case_;
			if (!c->counts[attack] && !judge_matches(al, &p->truth.attacks[attack]))
				continue;
			if (!c->counts[attack]++ && !eval_list_add(&c->touched, attack))
				c->failed = true;
		}
	}
}

static void judge_alarm(struct court *c, uint32_t pair, uint32_t alarm, int32_t from_day, int32_t to_day)
{
	const struct judge_pair *p = &c->pairs[pair];
	const struct alarm *al = &p->alarms.v[alarm];
	struct case_ *v = &c->cases[pair][alarm];
	const int64_t begin = p->truth.start_us + from_day * US_PER_DAY;
	/* what is raised when the last day is closed belongs to it */
	const int64_t end = p->truth.start_us + ((int64_t)to_day + 1) * US_PER_DAY;
	const bool to_the_end = to_day == p->truth.days - 1;

	for (uint32_t i = 0; i < al->mailbox_count; i++)
		v->innocent += !p->truth.mailboxes[mailbox_of(&p->alarms, al, i)].is_victim;
	/* during learning everything is new: alarms of that time count neither as found nor as false */
	if (al->time_us < begin || (al->time_us > end && !to_the_end)) {
		v->verdict = ALARM_OUTSIDE;
		return;
	}
	find_attacks(c, p, al);
	for (size_t i = 0; i < c->touched.n; i++) {
		struct hit *grown = eval_grow(c->hits, c->hit_count, &c->hit_capacity, EVAL_REFERENCES_MAX, sizeof(*grown));
		const uint32_t attack = c->touched.v[i];
		if (!grown) {
			c->failed = true;
			return;
		}
		c->hits = grown;
		c->hits[c->hit_count++] = (struct hit){ pair, attack, alarm, c->counts[attack] };
		c->counts[attack] = 0;
	}
	if (c->touched.n)
		v->verdict = ALARM_TRUE;
	else if (al->mailbox_count && !v->innocent && !al->strangers)
		v->verdict = ALARM_ON_VICTIM;
	else
		v->verdict = ALARM_FALSE;
}

/* -- the bar that a budget comes to -- */

struct ranked { double score; uint64_t tie; };

/* A rule that cannot rank its alarms gets a sample of them, drawn by a hash of their ids.  An alarm without a score
 * needs none: it ranks above all. */
static struct ranked rank_of(const struct alarm *al, uint32_t pair)
{
	return (struct ranked){ al->has_score ? al->score : INFINITY, hash_mix(al->id, pair) };
}

static int best_first(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->tie > b->tie ? -1 : a->tie < b->tie;
}

static bool is_of_rule(const struct court *c, const struct alarm *al)
{
	return !c->s->rule || strcmp(c->j->rules.text[al->rule], c->s->rule) == 0;
}

/* Leaves out all alarms that are not better than the first false one too many. */
static bool raise_bar(struct court *c, size_t n)
{
	const double allowed = floor(c->s->budget * (double)c->j->mailbox_days / RATE_UNIT);
	struct ranked *false_ones, bar;
	size_t total = 0, count = 0;

	for (size_t i = 0; i < n; i++)
		total += c->pairs[i].alarms.n;
	false_ones = calloc(total + 1, sizeof(*false_ones));
	if (!false_ones)
		return false;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c->pairs[i].alarms.n; k++) {
			const struct alarm *al = &c->pairs[i].alarms.v[k];
			if (counts(c, (uint32_t)i, (uint32_t)k) && c->cases[i][k].verdict == ALARM_FALSE)
				false_ones[count++] = rank_of(al, (uint32_t)i);
		}
	qsort(false_ones, count, sizeof(*false_ones), best_first);
	c->j->has_bar = (double)count > allowed;
	if (c->j->has_bar) {
		bar = false_ones[(size_t)allowed];
		c->j->bar = bar.score;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < c->pairs[i].alarms.n; k++) {
				const struct ranked r = rank_of(&c->pairs[i].alarms.v[k], (uint32_t)i);
				c->cases[i][k].asked_for &= best_first(&r, &bar) < 0;
			}
	}
	free(false_ones);
	return true;
}

/* -- sums over alarms -- */

static void blame_events(struct court *c, const struct judge_pair *p, const struct alarm *al)
{
	bool kinds[EVAL_NAMES_MAX] = { false }, any = false;

	for (size_t i = 0; i < p->truth.event_count; i++) {
		const struct truth_case *e = &p->truth.events[i];
		if (e->whole_tenant && event_overlaps(&p->truth, al, e))
			kinds[e->kind] = any = true;
	}
	for (uint32_t i = 0; i < al->mailbox_count; i++) {
		size_t from, to;
		truth_links(p->truth.event_links, p->truth.event_link_count, mailbox_of(&p->alarms, al, i), &from, &to);
		for (; from < to; from++) {
			const struct truth_case *e = &p->truth.events[p->truth.event_links[from].case_];
			if (!kinds[e->kind] && event_overlaps(&p->truth, al, e))
				kinds[e->kind] = any = true;
		}
	}
	for (uint32_t i = 0; i < EVAL_NAMES_MAX; i++)
		c->j->by_event[i] += kinds[i];
	c->j->no_event += !any;
}

static void count_false(struct court *c, const struct judge_pair *p, const struct alarm *al, uint8_t *seen)
{
	bool classes[EVAL_NAMES_MAX] = { false };

	c->j->false_.count++;
	for (uint32_t i = 0; i < al->mailbox_count; i++) {
		const uint32_t m = mailbox_of(&p->alarms, al, i);
		if (p->truth.mailboxes[m].is_victim)
			continue;
		c->j->false_mailboxes++;
		c->j->false_distinct += !seen[m];
		seen[m] = 1;
		classes[p->truth.mailboxes[m].class_] = true;
	}
	for (uint32_t i = 0; i < EVAL_NAMES_MAX; i++)
		c->j->by_class[i].count += classes[i];
	blame_events(c, p, al);
}

static bool count_alarms(struct court *c, uint32_t pair)
{
	const struct judge_pair *p = &c->pairs[pair];
	struct judgement *j = c->j;
	uint8_t *seen = calloc(p->truth.mailbox_count + 1, 1);

	if (!seen)
		return false;
	for (uint32_t i = 0; i < p->alarms.n; i++) {
		const struct alarm *al = &p->alarms.v[i];
		const struct case_ *v = &c->cases[pair][i];
		struct rule_row *rule = &j->by_rule[al->rule];
		if (v->asked_for && v->verdict != ALARM_OUTSIDE) {
			j->at_severity[al->severity]++;
			j->true_at_severity[al->severity] += v->verdict == ALARM_TRUE;
			for (int k = 0; k <= (int)al->severity; k++)
				j->by_severity[k].count += v->verdict == ALARM_FALSE;
		}
		if (!counts(c, pair, i)) {
			j->below++;
			continue;
		}
		j->strangers += al->strangers;
		if (v->verdict == ALARM_OUTSIDE) {
			j->outside++;
			continue;
		}
		j->alarms++;
		rule->alarms++;
		rule->true_ += v->verdict == ALARM_TRUE;
		rule->false_ += v->verdict == ALARM_FALSE;
		rule->on_victim += v->verdict == ALARM_ON_VICTIM;
		j->true_ += v->verdict == ALARM_TRUE;
		j->on_victim += v->verdict == ALARM_ON_VICTIM;
		j->innocent_named += v->verdict == ALARM_TRUE ? v->innocent : 0;
		if (v->verdict == ALARM_FALSE)
			count_false(c, p, al, seen);
	}
	free(seen);
	return true;
}

static void count_days(struct court *c, const struct judge_pair *p)
{
	struct judgement *j = c->j;
	int32_t from, to;

	judge_days(c->s, &p->truth, &from, &to);
	j->pairs++;
	for (size_t i = 0; i < p->truth.mailbox_count; i++) {
		const struct truth_mailbox *m = &p->truth.mailboxes[i];
		const int32_t first = m->first_day > from ? m->first_day : from;
		const int32_t last = m->last_day < to ? m->last_day : to;
		const uint64_t days = last >= first ? (uint64_t)(last - first) + 1 : 0;
		j->mailboxes++;
		j->victims += m->is_victim;
		if (m->is_victim)
			continue;
		j->mailbox_days += days;
		j->by_class[m->class_].mailbox_days += days;
	}
	j->scores += p->alarms.scores;
	for (int i = 0; i < EVAL_LEVELS; i++)
		j->at_or_below[i].count += p->alarms.at_or_below[i];
}

/* -- sums over attacks -- */

struct found { int64_t time_us; uint32_t named; bool found; };

struct medians { double *v; size_t n; };

static int by_size(const void *x, const void *y)
{
	const double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

static void put(struct medians *m, double x)
{
	m->v[m->n++] = x; /* there is room for one of each attack */
}

static double median(struct medians *m)
{
	if (!m->n)
		return NAN;
	qsort(m->v, m->n, sizeof(*m->v), by_size);
	return m->n % 2 ? m->v[m->n / 2] : (m->v[m->n / 2 - 1] + m->v[m->n / 2]) / 2;
}

/* (false alarm, mailbox) pairs on attack-free mailbox-days would have hit the victims just as well */
static double chance_of(const struct judgement *j, const struct truth_case *attack)
{
	const double days = (double)(attack->last_day - attack->first_day) + 2;
	const double rate = j->mailbox_days ? (double)j->false_mailboxes / (double)j->mailbox_days : 0;

	return -expm1(-rate * days * attack->mailbox_count);
}

/* the best place in the inventory of an application of the attack; 0: none of them is in it */
static int32_t rank_in_inventory(const struct alarms *a, const struct truth_case *attack)
{
	int32_t best = 0;

	for (size_t i = 0; i < a->app_count; i++)
		for (size_t k = 0; k < attack->scope.client_count; k++)
			if ((!best || a->apps[i].rank < best) && clients_meet(&a->apps[i].client, &attack->scope.clients[k]))
				best = a->apps[i].rank;
	return best;
}

static bool is_asked_for(const struct court *c, const struct truth *t, const struct truth_case *attack)
{
	int32_t from, to;

	judge_days(c->s, t, &from, &to);
	return attack->last_day >= from && attack->first_day <= to;
}

/* The first alarm of each attack of each pair, and the most of its victims that one alarm names. */
static void gather_hits(struct court *c, struct found **found)
{
	for (size_t i = 0; i < c->hit_count; i++) {
		const struct hit *h = &c->hits[i];
		struct found *f = &found[h->pair][h->attack];
		const int64_t us = c->pairs[h->pair].alarms.v[h->alarm].time_us;
		if (!counts(c, h->pair, h->alarm))
			continue;
		if (!f->found || us < f->time_us)
			f->time_us = us;
		if (h->named > f->named)
			f->named = h->named;
		f->found = true;
	}
}

enum { DAYS, ITEMS, SHARES, SHARES_OF_ALL, RANKS, MEDIANS };

static void sum_kind(struct court *c, uint32_t kind, size_t n, struct found **found, struct medians m[MEDIANS])
{
	struct kind_row *row = &c->j->kinds[kind];
	double chance = 0;

	for (int i = 0; i < MEDIANS; i++)
		m[i].n = 0;

	for (size_t i = 0; i < n; i++) {
		const struct truth *t = &c->pairs[i].truth;
		for (size_t k = 0; k < t->attack_count; k++) {
			const struct truth_case *a = &t->attacks[k];
			const struct found *f = &found[i][k];
			double before = (double)a->items;
			int32_t rank;
			if (a->kind != kind || !is_asked_for(c, t, a))
				continue;
			row->attacks++;
			row->found += f->found;
			row->campaigns += a->mailbox_count > 1;
			row->complete += a->mailbox_count > 1 && f->named >= COMPLETE_SHARE * a->mailbox_count;
			chance += chance_of(c->j, a);
			if (f->found) {
				before = truth_items_before(t, a, f->time_us);
				row->within_day += f->time_us - a->first_us <= US_PER_DAY;
				put(&m[DAYS], (double)(f->time_us - a->first_us) / (double)US_PER_DAY);
				put(&m[ITEMS], before);
				if (a->items)
					put(&m[SHARES], before / (double)a->items);
			}
			if (a->items)
				put(&m[SHARES_OF_ALL], before / (double)a->items);
			rank = rank_in_inventory(&c->pairs[i].alarms, a);
			if (rank)
				put(&m[RANKS], rank);
		}
	}
	row->days = median(&m[DAYS]);
	row->items = median(&m[ITEMS]);
	row->share = median(&m[SHARES]);
	row->share_all = median(&m[SHARES_OF_ALL]);
	row->rank = median(&m[RANKS]);
	row->chance = row->attacks ? chance / (double)row->attacks : 0;
}

static bool sum_attacks(struct court *c, size_t n)
{
	struct found **found = calloc(n + 1, sizeof(*found));
	struct medians m[MEDIANS] = { { NULL, 0 } };
	size_t total = 0;
	bool ok = found;

	for (size_t i = 0; i < n && ok; i++) {
		total += c->pairs[i].truth.attack_count;
		found[i] = calloc(c->pairs[i].truth.attack_count + 1, sizeof(**found));
		ok = found[i];
	}
	for (size_t i = 0; i < MEDIANS && ok; i++) {
		m[i].v = calloc(total + 1, sizeof(*m[i].v));
		ok = m[i].v;
	}
	if (ok) {
		gather_hits(c, found);
		for (uint32_t kind = 0; kind < c->j->names.attack_kinds.n; kind++)
			sum_kind(c, kind, n, found, m);
	}
	for (size_t i = 0; i < MEDIANS; i++)
		free(m[i].v);
	for (size_t i = 0; i < n && found; i++)
		free(found[i]);
	free(found);
	return ok;
}

/* -- the court -- */

static bool open_court(struct court *c, size_t n)
{
	size_t attacks = 0;

	c->cases = calloc(n + 1, sizeof(*c->cases));
	for (size_t i = 0; i < n && c->cases; i++) {
		c->cases[i] = calloc(c->pairs[i].alarms.n + 1, sizeof(**c->cases));
		if (!c->cases[i])
			return false;
		if (c->pairs[i].truth.attack_count > attacks)
			attacks = c->pairs[i].truth.attack_count;
	}
	c->counts = calloc(attacks + 1, sizeof(*c->counts));
	return c->cases && c->counts;
}

static bool sit(struct court *c, size_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		int32_t from, to;
		judge_days(c->s, &c->pairs[i].truth, &from, &to);
		count_days(c, &c->pairs[i]);
		for (uint32_t k = 0; k < c->pairs[i].alarms.n && !c->failed; k++) {
			const struct alarm *al = &c->pairs[i].alarms.v[k];
			judge_alarm(c, i, k, from, to);
			c->cases[i][k].asked_for = is_of_rule(c, al) &&
				(!c->s->has_min_score || (al->has_score && al->score >= c->s->min_score));
		}
	}
	if (c->failed || (c->s->matches_budget && !raise_bar(c, n)))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!count_alarms(c, i))
			return false;
	c->j->false_.mailbox_days = c->j->mailbox_days;
	for (int i = 0; i < 5; i++)
		c->j->by_severity[i].mailbox_days = c->j->mailbox_days;
	for (int i = 0; i < EVAL_LEVELS; i++)
		c->j->at_or_below[i].mailbox_days = c->j->mailbox_days;
	return sum_attacks(c, n);
}

bool judge(const struct judge_settings *s, struct judge_pair *pairs, size_t n, struct judgement *j, struct buf *error)
{
	struct court c = { .s = s, .pairs = pairs, .j = j };
	const bool ok = open_court(&c, n) && sit(&c, n);

	if (!ok && !error->n)
		buf_add_cstr(error, "out of memory");
	for (size_t i = 0; i < n && c.cases; i++)
		free(c.cases[i]);
	free(c.cases);
	free(c.hits);
	free(c.counts);
	free(c.touched.v);
	return ok;
}
