/* SPDX-License-Identifier: Apache-2.0 */
/* baseline_score: what a mailbox-day is worth.
 *
 * Each family of evidence gives a p by its model, then an honest one by comparison with the last 30 days of the class
 * (stage 1); Fisher makes one score of them, and that too is compared with its last 30 days (stage 2).  Three lanes look
 * at the result: this day alone, this day after the ones before it (slow collection), and first meetings whatever their
 * volume.  The user's budget is divided among the lanes. */
#include "detect/baseline.h"

#include <math.h>

#include "stat/combine.h"
#include "stat/student.h"

#define LN_10 2.30258509299404568402
#define SHARE_SLOW 0.5 /* of the budget */
#define SHARE_DAY 0.2
#define SHARE_NOVELTY 0.3
#define NU_YOUNG 6

const char *const family_names[FAMILIES] = {
	"volume", "new-client", "new-network", "known-client-or-network", "new-actor", "throttled", "burst", "folders",
};

/* Which families are combined.  Burst and folders follow the volume closely: measured, they cost more than they find. */
static const bool combined[FAMILIES] = {
	[FAMILY_VOLUME] = true, [FAMILY_CLIENT] = true, [FAMILY_NET] = true, [FAMILY_EDGE] = true,
	[FAMILY_ACTOR] = true, [FAMILY_THROTTLE] = true,
};
#define COMBINED 6

/* p' = 10^(-s/slope) until there is something better: volume models promise too much, novelty does not */
static double slope_of(unsigned which)
{
	return which == FAMILY_VOLUME || which == FAMILY_EDGE || which == FAMILY_BURST || which == FAMILY_SPREAD || which == SCORE_DAY ? 1.5 : 1;
}

struct volume_prior baseline_prior(const struct baseline *b, unsigned class_, unsigned which)
{
	const struct class_row *c = &b->classes[class_];
	struct volume_prior p = { .mu = c->prior[which].mu, .s2 = c->prior[which].s2, .kappa = 1, .nu = 4, .a = 1, .b = 1 };
	if (which <= PRIOR_WEEKEND && c->days[which] > 0) {
		double q = c->active[which] / c->days[which];
		q = q < 0.02 ? 0.02 : q > 0.98 ? 0.98 : q;
		p.a = 2 * q;
		p.b = 2 * (1 - q);
	}
	return p;
}

double folders_seen(const uint64_t bits[2])
{
	int free = 128 - __builtin_popcountll(bits[0]) - __builtin_popcountll(bits[1]);
	return free ? -128 * log(free / 128.0) : 128 * log(256);
}

static void judge_volume(const struct baseline *b, const struct mailbox_row *row, struct verdict *v)
{
	const bool weekend = is_weekend(b->day);
	struct volume_prior prior = baseline_prior(b, v->class_, weekend);
	struct volume model = row->volume[weekend];
	volume_decay(&model, &prior, b->day - row->day);
	v->outlook = volume_expect(&model, &prior, (double)row->widen, 1);
	v->effective_days = model.n;
	v->ln_raw[FAMILY_VOLUME] = volume_ln_p(&v->outlook, row->open.items);
}

static double judge_small(const struct baseline *b, const struct mailbox_row *row, const struct small_model *m, unsigned class_,
			  unsigned which, double x)
{
	struct volume_prior prior = baseline_prior(b, class_, which);
	double w = volume_weight(b->day - row->last_active);
	struct volume model = { .n = (double)m->n * w, .mean = (double)m->mean, .m2 = (double)m->m2 * w };
	struct volume_outlook o = volume_expect(&model, &prior, (double)row->widen, 0);
	return volume_ln_p(&o, x);
}

/* the smallest of k, with what that is worth: p k */
static double smallest_of(double ln_p, unsigned k)
{
	double l = ln_p + log(k ? k : 1);
	return l < 0 ? l : 0;
}

static void judge_new_edge(const struct baseline *b, const struct mailbox_row *row, enum subject_kind k, const struct edge_row *e,
			   unsigned class_, struct edge_evidence *best)
{
	const struct class_row *c = &b->classes[class_];
	const struct adoption *a = &b->adoption[k];
	struct edge_evidence now = { .subject = e->subject - 1, .items = e->items, .records = e->records, .sync = e->syncs > 0 };
	double w = volume_weight(b->day - row->day);
	double rate = novelty_rate((double)row->news[k] * w, (double)row->days * w, novelty_rate_class(c->news[k], c->new_days));
	now.others = subject_others(b, k, now.subject);
	now.ln_nov = novelty_ln_p(rate, adoption_share(a, now.others, b->present));
	now.ln_volume = novelty_volume_ln_p(a->mu_new, a->v_new, e->items);
	now.ln_p = e->items ? novelty_edge_ln_p(now.ln_nov, now.ln_volume) : now.ln_nov;
	now.news = best->news;
	if (best->subject == NONE || now.ln_p < best->ln_p)
		*best = now;
}

static double judge_known_edge(const struct baseline *b, const struct mailbox_row *row, enum subject_kind k, const struct edge_row *e)
{
	unsigned age = b->day - e->first_day;
	if (!e->items)
		return 0;
	if (age < YOUNG_DAYS) {
		unsigned i = age <= 2 ? 0 : age <= 6 ? 1 : 2;
		return novelty_volume_ln_p(b->age_mu[k][i], b->age_v[k][i], e->items);
	}
	double w = volume_weight(b->day - e->last_day);
	struct volume_prior prior = { .mu = b->adoption[k].mu_new, .s2 = 1, .kappa = 1, .nu = 4, .a = 1, .b = 1 };
	struct volume model = { .n = (double)e->n * w, .mean = (double)e->mean, .m2 = (double)e->m2 * w };
	struct volume_outlook o = volume_expect(&model, &prior, (double)row->widen, 0);
	return volume_ln_p(&o, e->items);
}

static void judge_edges(const struct baseline *b, const struct mailbox_row *row, struct verdict *v)
{
	const bool novelty = row->active_days >= NOVELTY_ACTIVE && b->data_days >= NOVELTY_DAYS;
	double novel = 0;
	unsigned known = 0;
	for (unsigned k = 0; k < SUBJECT_ACTOR; k++) {
		const struct edge_row *rows = k == SUBJECT_CLIENT ? row->clients : row->nets;
		unsigned n = k == SUBJECT_CLIENT ? ROW_CLIENTS : ROW_NETS;
		struct edge_evidence *best = &v->news[k];
		double least = 0;
		for (unsigned i = 0; i < n; i++) {
			const struct edge_row *e = &rows[i];
			if (!e->subject || !e->records)
				continue;
			if (!e->fresh) {
				double l = judge_known_edge(b, row, k, e);
				known++;
				if (l < v->edge.ln_p) {
					v->edge = (struct edge_evidence){ .subject = e->subject - 1, .items = e->items, .records = e->records, .ln_p = l,
									  .age = (uint16_t)(b->day - e->first_day) };
					v->edge_kind = k;
				}
			} else if (novelty) {
				best->news++;
				judge_new_edge(b, row, k, e, v->class_, best);
				if (best->ln_nov < least)
					least = best->ln_nov;
			}
		}
		if (k == SUBJECT_NET && best->news)
			best->news += row->open.overflow;
		v->ln_raw[k == SUBJECT_CLIENT ? FAMILY_CLIENT : FAMILY_NET] = best->news ? smallest_of(best->ln_p, best->news) : 0;
		if (best->news && smallest_of(least, best->news) < novel)
			novel = smallest_of(least, best->news);
	}
	v->ln_raw[FAMILY_EDGE] = v->edge.subject == NONE ? 0 : smallest_of(v->edge.ln_p, known);
	if (novelty) {
		struct edge_evidence *a = &v->news[SUBJECT_ACTOR];
		for (unsigned i = 0; i < ROW_ACTORS; i++)
			a->news += row->actors[i].tag && row->actors[i].fresh;
		if (a->news) {
			const struct class_row *c = &b->classes[v->class_];
			double w = volume_weight(b->day - row->day);
			double rate = novelty_rate((double)row->news[SUBJECT_ACTOR] * w, (double)row->days * w,
						   novelty_rate_class(c->news[SUBJECT_ACTOR], c->new_days));
			a->subject = row->open.actor;
			a->others = subject_others(b, SUBJECT_ACTOR, a->subject);
			a->ln_nov = a->ln_p = novelty_ln_p(rate, adoption_share(&b->adoption[SUBJECT_ACTOR], a->others, b->present));
			v->ln_raw[FAMILY_ACTOR] = smallest_of(a->ln_p, a->news);
			if (v->ln_raw[FAMILY_ACTOR] < novel)
				novel = v->ln_raw[FAMILY_ACTOR];
		}
	}
	v->novelty = -novel / LN_10;
}

void baseline_judge(const struct baseline *b, uint32_t mailbox, const struct mailbox_row *row, struct verdict *v)
{
	const struct open_day *o = &row->open;
	const struct class_row *c;
	*v = (struct verdict){ .mailbox = mailbox, .class_ = (uint8_t)baseline_class(b, row) };
	for (unsigned k = 0; k < SUBJECT_KINDS; k++)
		v->news[k].subject = NONE;
	v->edge.subject = NONE;
	c = &b->classes[v->class_];
	judge_volume(b, row, v);
	judge_edges(b, row, v);
	if (o->throttled)
		v->ln_raw[FAMILY_THROTTLE] = log(throttle_p((double)row->throttled, (double)row->days, throttle_rate(c->throttled, c->throttle_days)));
	if (combined[FAMILY_BURST])
		v->ln_raw[FAMILY_BURST] = judge_small(b, row, &row->burst, v->class_, PRIOR_BURST, o->cell_most);
	if (combined[FAMILY_SPREAD])
		v->ln_raw[FAMILY_SPREAD] = judge_small(b, row, &row->spread, v->class_, PRIOR_SPREAD, folders_seen(o->folders));
	for (unsigned k = 0; k < FAMILIES; k++) {
		v->ln_p[k] = calibrate(&b->cal[v->class_][k].fit, &b->cal[BOX_CLASSES][k].fit, slope_of(k), -v->ln_raw[k] / LN_10);
		if (combined[k])
			v->z -= v->ln_p[k];
	}
	v->score = fisher_score(v->z, COMBINED);
	v->ln_p_day = calibrate(&b->cal[v->class_][SCORE_DAY].fit, &b->cal[BOX_CLASSES][SCORE_DAY].fit, slope_of(SCORE_DAY), v->score);
	v->ln_p_novelty = calibrate(&b->cal[v->class_][SCORE_NOVELTY].fit, &b->cal[BOX_CLASSES][SCORE_NOVELTY].fit,
				    slope_of(SCORE_NOVELTY), v->novelty);
	v->sr = sr_step((double)row->sr, v->ln_p_day);
	double ln_alpha = b->budget.ln_effective;
	if (b->data_days >= WARM_DAYS)
		v->lanes = (v->ln_p_day < ln_alpha + log(SHARE_DAY) ? LANE_DAY : 0u) |
			   (log(v->sr) >= -(ln_alpha + log(SHARE_SLOW)) ? LANE_SLOW : 0u) |
			   (v->ln_p_novelty < ln_alpha + log(SHARE_NOVELTY) ? LANE_NOVELTY : 0u);
}

double verdict_odds(const struct verdict *v)
{
	double l = v->ln_p_day - log(SHARE_DAY), n = v->ln_p_novelty - log(SHARE_NOVELTY), s = -log(v->sr) - log(SHARE_SLOW);
	l = n < l ? n : l;
	l = s < l ? s : l;
	return exp(-l);
}

static double entered(const struct baseline *b, const struct verdict *v, unsigned which, double s)
{
	double most;
	if (!v->lanes)
		return s;
	most = cal_score_at(&b->cal[v->class_][which].fit, b->budget.alpha);
	if (!isfinite(most))
		most = cal_score_at(&b->cal[BOX_CLASSES][which].fit, b->budget.alpha);
	if (!isfinite(most))
		most = 4;
	return s < most ? s : most;
}

void baseline_enter(struct baseline *b, const struct verdict *v)
{
	for (unsigned k = 0; k < SCORES; k++) {
		double s = k < FAMILIES ? -v->ln_raw[k] / LN_10 : k == SCORE_DAY ? v->score : v->novelty;
		s = entered(b, v, k, s);
		cal_add(&b->cal[v->class_][k], s);
		cal_add(&b->cal[BOX_CLASSES][k], s);
	}
}

void baseline_enter_silent(struct baseline *b, unsigned class_, uint32_t n)
{
	for (unsigned k = 0; k < SCORES; k++) {
		cal_add_silent(&b->cal[class_][k], n);
		cal_add_silent(&b->cal[BOX_CLASSES][k], n);
	}
}
