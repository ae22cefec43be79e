/* SPDX-License-Identifier: Apache-2.0 */
/* baseline_score: what a mailbox-day is worth.
 *
 * Each family of evidence gives a p by its model, then a calibrated one by comparison with the last 30 days of the class
 * (stage 1).  Of families that show the same thing only the strongest counts, and only if it is rarer than 1 in 20; the sum
 * is the day's score, and it too is compared with its last 30 days (stage 2).  Four lanes look at the result: this day
 * alone, three days together, all days so far, and first sightings whatever their volume.  The user's budget is divided
 * among the lanes. */
#include "detect/baseline.h"

#include <math.h>

#include "stat/combine.h"
#include "stat/student.h"

#define LN_10 2.30258509299404568402
#define NU_YOUNG 6
#define WAVE_SHARE 0.01 /* of the tenant, and so many times what is usual */
#define WAVE_TIMES 3
#define WAVE_DAYS 2        /* in a row; after that it counts as normal */
#define DAYS_FLOOR 0.5     /* -log10 p of a day that adds nothing to the sum of three */
#define DAYS_MOST 3.5      /* what one day can add */
#define YOUNG_VARIANCE_MIN 0.5 /* of ln(1 + items): nothing brings the same amount everywhere */
#define HOUR_PRIOR 3      /* hours of the class that replace a mailbox's own */
#define THROTTLE_PRIOR 20 /* days, of a client */

const double lane_shares[LANES] = { 0.2, 0.15, 0.25, 0.2 }; /* day, slow, novelty, three days; the rest is slack for campaigns and drift */

/* Families that show the same thing: of a group only the strongest counts. */
enum group { GROUP_NONE, GROUP_AMOUNT, GROUP_CLIENT, GROUP_NET, GROUP_ACTOR, GROUP_SYNC, GROUP_HOUR, GROUP_PLACES, GROUP_PAIR, GROUPS };
static const enum group group_of[FAMILIES] = {
	[FAMILY_VOLUME] = GROUP_AMOUNT, [FAMILY_EDGE] = GROUP_AMOUNT, [FAMILY_THROTTLE] = GROUP_AMOUNT, [FAMILY_BURST] = GROUP_AMOUNT,
	[FAMILY_SPREAD] = GROUP_AMOUNT, [FAMILY_DRIFT] = GROUP_AMOUNT, [FAMILY_CLIENT] = GROUP_CLIENT, [FAMILY_ALONE] = GROUP_CLIENT,
	[FAMILY_NET] = GROUP_NET, [FAMILY_ACTOR] = GROUP_ACTOR, [FAMILY_SYNC] = GROUP_SYNC, [FAMILY_HOUR] = GROUP_HOUR,
	[FAMILY_PLACES] = GROUP_PLACES, [FAMILY_PAIR] = GROUP_PAIR,
};
#define REASON_LN_P (-2.995732273553991) /* ln 0.05: weaker evidence is ignored, so that many weak signals do not add up */

/* p' = 10^(-s/slope) until there is data to calibrate by: the p of volume models is too small, that of novelty is not */
static double slope_of(unsigned which)
{
	return which == FAMILY_CLIENT || which == FAMILY_NET || which == FAMILY_ACTOR || which == SCORE_NOVELTY ? 1 : 1.5;
}

struct volume_prior baseline_prior(const struct baseline *b, unsigned class_, unsigned which)
{
	const struct class_row *c = &b->classes[class_];
	struct volume_prior p = { .mu = c->prior[which].mu, .s2 = c->prior[which].s2, .kappa = 1, .nu = 4, .a = 1, .b = 1 };
	if (which < PRIOR_HURDLES && c->days[which] > 0) {
		double q = c->active[which] / c->days[which];
		q = q < 0.001 ? 0.001 : q > 0.98 ? 0.98 : q;
		double strength = which == PRIOR_PLACES ? 5 : 2; /* alternating places: one day is no habit */
		p.a = strength * q;
		p.b = strength * (1 - q);
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
	struct volume model = volume_wide(&row->volume[weekend]);
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

/* ln P(so many items on a day that is young for it): from what such edges bring, what this client or network brought to
 * others, how busy the mailbox is, and what the edge itself has brought so far */
static double young_ln_p(const struct baseline *b, enum subject_kind k, const struct edge_row *e, double mu, double v, double shift)
{
	struct subject_row s = subject_now(b, k, e->subject - 1);
	struct volume model = { .n = (double)s.young.n, .mean = (double)s.young.mean, .m2 = (double)s.young.m2 };
	struct volume_prior prior = { .mu = mu, .s2 = v, .kappa = 4, .nu = NU_YOUNG, .a = 1, .b = 1 };
	struct volume_outlook o = volume_expect(&model, &prior, 1, 0);
	prior = (struct volume_prior){ .mu = o.mu + shift, .s2 = o.s2 > YOUNG_VARIANCE_MIN ? o.s2 : YOUNG_VARIANCE_MIN, .kappa = 4, .nu = NU_YOUNG, .a = 1, .b = 1 };
	model = (struct volume){ 0 };
	if (!e->fresh) {
		double w = volume_weight(b->day - e->last_day);
		model = (struct volume){ .n = (double)e->n * w, .mean = (double)e->mean, .m2 = (double)e->m2 * w };
	}
	o = volume_expect(&model, &prior, 1, 0);
	return volume_ln_p(&o, e->items);
}

static void judge_new_edge(const struct baseline *b, const struct mailbox_row *row, enum subject_kind k, const struct edge_row *e,
			   double rate, struct edge_evidence *best)
{
	const struct adoption *a = &b->adoption[k];
	struct edge_evidence now = { .subject = e->subject - 1, .items = e->items, .records = e->records, .sync = e->syncs > 0 };
	now.others = subject_others_met(b, k, now.subject);
	now.ln_nov = novelty_ln_p(rate, adoption_share(a, now.others, b->present));
	now.ln_first = novelty_ln_p(rate, adoption_share(a, subject_others_before(b, k, now.subject), b->present));
	now.ln_volume = young_ln_p(b, k, e, a->mu_new, a->v_new, row_shift(b, row));
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
		return young_ln_p(b, k, e, b->age_mu[k][i], b->age_v[k][i], row_shift(b, row));
	}
	double w = volume_weight(b->day - e->last_day);
	struct volume_prior prior = { .mu = b->adoption[k].mu_new, .s2 = 1, .kappa = 1, .nu = 4, .a = 1, .b = 1 };
	struct volume model = { .n = (double)e->n * w, .mean = (double)e->mean, .m2 = (double)e->m2 * w };
	struct volume_outlook o = volume_expect(&model, &prior, (double)row->widen, 0);
	return volume_ln_p(&o, e->items);
}

static bool met_by_many(const struct baseline *b, enum subject_kind k, uint32_t subject)
{
	const struct subject_row *s = subject < b->subjects[k].n ? &b->subjects[k].v[subject] : NULL;
	return s && s->met_day == b->day && s->met > MANY_MET;
}

/* A new client from a new network: seldom by chance if others use the client elsewhere. */
static void judge_pairs(const struct baseline *b, const struct mailbox_row *row, struct verdict *v)
{
	const struct edge_evidence *client = &v->news[SUBJECT_CLIENT], *net = &v->news[SUBJECT_NET];
	if (client->subject == NONE || net->subject == NONE || !client->others || met_by_many(b, SUBJECT_CLIENT, client->subject) ||
	    met_by_many(b, SUBJECT_NET, net->subject))
		return;
	for (unsigned i = 0; i < ROW_CLIENTS; i++) {
		uint32_t at = row->open.places_at[i];
		if (!row->clients[i].subject || !row->clients[i].fresh || !at || row->open.elsewhere >> i & 1 ||
		    table_get(&b->pairs, pair_key(row->clients[i].subject - 1, (at >> 1) - 1)))
			continue;
		v->pair[0] = row->clients[i].subject - 1;
		v->pair[1] = (at >> 1) - 1;
		v->ln_raw[FAMILY_PAIR] = client->ln_nov + net->ln_nov;
	}
}

static void judge_edges(const struct baseline *b, const struct mailbox_row *row, struct verdict *v)
{
	const bool novelty = knows_news(b, row);
	const struct class_row *c = &b->classes[v->class_];
	const double w = volume_weight(b->day - row->day);
	double novel = 0, alone = 0;
	unsigned known = 0;
	for (unsigned k = 0; k < SUBJECT_ACTOR; k++) {
		const struct edge_row *rows = k == SUBJECT_CLIENT ? row->clients : row->nets;
		unsigned n = k == SUBJECT_CLIENT ? ROW_CLIENTS : ROW_NETS;
		struct edge_evidence *best = &v->news[k];
		double least = 0;
		double rate = novelty_rate((double)row->news[k] * w, (double)row->days * w, novelty_rate_class(c->news[k], c->new_days));
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
				unsigned age = b->day - e->first_day;
				if (k == SUBJECT_CLIENT && novelty && age >= ALONE_DAYS && age < YOUNG_DAYS && !e->told && e->first_day > row->first_day + NOVELTY_ACTIVE) {
					uint32_t others = subject_others(b, k, e->subject - 1);
					const struct subject_row *x = &b->subjects[k].v[e->subject - 1];
					others += x->met_day == b->day ? x->met : 0;
					others -= others > 0; /* itself */
					double nov = novelty_ln_p(rate, adoption_share(&b->adoption[k], others, b->present));
					nov += others ? 0 : log(b->lonely / b->births);
					if (nov < alone) {
						alone = nov;
						v->alone = (struct edge_evidence){ .subject = e->subject - 1, .items = e->items, .records = e->records,
										   .others = others, .ln_nov = nov, .ln_p = nov, .age = (uint16_t)age };
					}
				}
			} else if (novelty) {
				best->news++;
				judge_new_edge(b, row, k, e, rate, best);
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
	v->ln_raw[FAMILY_ALONE] = alone;
	if (alone < novel)
		novel = alone;
	judge_pairs(b, row, v);
	v->ln_raw[FAMILY_EDGE] = v->edge.subject == NONE ? 0 : smallest_of(v->edge.ln_p, known);
	if (novelty) {
		struct edge_evidence *a = &v->news[SUBJECT_ACTOR];
		for (unsigned i = 0; i < ROW_ACTORS; i++)
			a->news += row->actors[i].tag && row->actors[i].fresh;
		if (a->news) {
			double rate = novelty_rate((double)row->news[SUBJECT_ACTOR] * w, (double)row->days * w,
						   novelty_rate_class(c->news[SUBJECT_ACTOR], c->new_days));
			a->subject = row->open.actor;
			a->others = subject_others_met(b, SUBJECT_ACTOR, a->subject);
			a->ln_nov = a->ln_p = novelty_ln_p(rate, adoption_share(&b->adoption[SUBJECT_ACTOR], a->others, b->present));
			a->ln_first = novelty_ln_p(rate, adoption_share(&b->adoption[SUBJECT_ACTOR], subject_others_before(b, SUBJECT_ACTOR, a->subject), b->present));
			v->ln_raw[FAMILY_ACTOR] = smallest_of(a->ln_p, a->news);
			if (v->ln_raw[FAMILY_ACTOR] < novel)
				novel = v->ln_raw[FAMILY_ACTOR];
		}
	}
	v->novelty = -novel / LN_10;
}

/* An hour at which this mailbox is not read.  The chance of an hour so rare, times the hours tried. */
static void judge_hours(const struct baseline *b, const struct mailbox_row *row, struct verdict *v)
{
	const struct class_row *c = &b->classes[v->class_];
	double all = 0, every = 0, q[24], least = 1;
	unsigned tried = 0;
	for (unsigned i = 0; i < 24; i++) {
		all += row->hours[i];
		every += c->hours[i];
	}
	if (v->class_ != BOX_HUMAN || all < 1 || every < 1)
		return;
	for (unsigned i = 0; i < 24; i++)
		q[i] = (row->hours[i] + HOUR_PRIOR * (c->hours[i] + 1) / (every + 24)) / (all + HOUR_PRIOR);
	for (unsigned i = 0; i < 24; i++) {
		double sum = 0;
		if (!(row->open.hours >> i & 1))
			continue;
		tried++;
		for (unsigned k = 0; k < 24; k++)
			sum += q[k] <= q[i] ? q[k] : 0;
		if (sum < least) {
			least = sum;
			v->hour = (uint8_t)i;
		}
	}
	v->ln_raw[FAMILY_HOUR] = tried && tried * least < 1 ? log(tried * least > 1e-12 ? tried * least : 1e-12) : 0;
}

static void judge_places(const struct baseline *b, const struct mailbox_row *row, struct verdict *v)
{
	struct volume_prior prior = baseline_prior(b, v->class_, PRIOR_PLACES);
	struct volume model = volume_wide(&row->places);
	if (!row->open.places)
		return;
	volume_decay(&model, &prior, b->day - row->day);
	struct volume_outlook o = volume_expect(&model, &prior, 1, 1);
	v->ln_raw[FAMILY_PLACES] = volume_ln_p(&o, row->open.places);
}

/* Once a week, on a weekday of the mailbox's own */
static void judge_drift(const struct baseline *b, const struct mailbox_row *row, struct verdict *v)
{
	const struct drift_row *d = &row->drift;
	if (is_weekend(b->day) || d->n7 < 2 || d->n90 < 10 || b->day % 7 != (4 + 1 + hash_mix(v->mailbox, 7) % 5) % 7)
		return;
	double z = (double)(d->mean7 - d->mean90) / sqrt(v->outlook.s2 * (1 / (double)d->n7 + 1 / (double)d->n90));
	v->ln_raw[FAMILY_DRIFT] = z > 0 ? student_ln_tail(z, v->outlook.nu) : 0;
}

static void judge_throttle(const struct baseline *b, const struct mailbox_row *row, struct verdict *v)
{
	const struct class_row *c = &b->classes[v->class_];
	const double rate = throttle_rate(c->throttled, c->throttle_days);
	uint32_t client = busiest_client(row);
	if (!row->open.throttled)
		return;
	double p = throttle_p((double)row->throttled, (double)row->days, rate);
	if (client != NONE) { /* a tool that does this in every mailbox */
		struct subject_row s = subject_now(b, SUBJECT_CLIENT, client);
		double q = ((double)s.throttled + THROTTLE_PRIOR * rate) / ((double)s.throttle_days + THROTTLE_PRIOR);
		p = q > p ? q : p;
	}
	v->ln_raw[FAMILY_THROTTLE] = log(p < 1 ? p : 1);
}

void baseline_measure(const struct baseline *b, uint32_t mailbox, const struct mailbox_row *row, struct verdict *v)
{
	const struct open_day *o = &row->open;
	*v = (struct verdict){ .mailbox = mailbox, .class_ = (uint8_t)baseline_class(b, row) };
	for (unsigned k = 0; k < SUBJECT_KINDS; k++)
		v->news[k].subject = NONE;
	v->edge.subject = v->alone.subject = NONE;
	judge_volume(b, row, v);
	judge_edges(b, row, v);
	judge_throttle(b, row, v);
	judge_hours(b, row, v);
	judge_places(b, row, v);
	judge_drift(b, row, v);
	if (o->items) {
		v->ln_raw[FAMILY_BURST] = judge_small(b, row, &row->burst, v->class_, PRIOR_BURST, o->cell_most);
		v->ln_raw[FAMILY_SPREAD] = judge_small(b, row, &row->spread, v->class_, PRIOR_SPREAD, folders_seen(o->folders));
	}
	if (o->syncs)
		v->ln_raw[FAMILY_SYNC] = judge_small(b, row, &row->sync, v->class_, PRIOR_SYNC, o->syncs);
}

/* Families about who and where model spreading themselves; of the others, one that a part of the tenant shows at once
 * describes the day, not a mailbox. */
static bool is_wave(const struct baseline *b, enum family k)
{
	const struct cal_fit *f = &b->cal[BOX_CLASSES][k].fit;
	double usual = 0.01 * b->present, few = WAVE_SHARE * b->present > MANY_MET ? WAVE_SHARE * b->present : MANY_MET;
	unsigned i = 0;
	if (!b->today.counted || k == FAMILY_CLIENT || k == FAMILY_NET || k == FAMILY_ALONE || k == FAMILY_PAIR || f->n == 0)
		return false;
	while (i < CAL_BINS && (double)f->above[i] > 0.01 * (double)f->n)
		i++;
	return b->today.above[k][i] > few + WAVE_TIMES * usual;
}

void baseline_count_today(struct baseline *b, const struct verdict *v, uint32_t n)
{
	memset(b->today.above, 0, sizeof b->today.above);
	for (uint32_t i = 0; i < n; i++)
		for (unsigned k = 0; k < FAMILIES; k++)
			if (v[i].ln_raw[k] < 0)
				b->today.above[k][cal_bin(-v[i].ln_raw[k] / LN_10)]++;
	for (unsigned k = 0; k < FAMILIES; k++)
		for (unsigned i = CAL_BINS; i-- > 0;)
			b->today.above[k][i] += b->today.above[k][i + 1];
	b->today.counted = true;
	for (unsigned k = 0; k < FAMILIES; k++) {
		bool wave = is_wave(b, k);
		b->today.waves[k] = wave ? b->today.waves[k] + (b->today.waves[k] < 100) : 0;
		b->today.wave[k] = wave && b->today.waves[k] <= WAVE_DAYS;
	}
}

/* what a day of -log10 p = s adds to the sum of three; capped, since a strong day has a lane of its own */
double day_weight(double s)
{
	s -= DAYS_FLOOR;
	return s < 0 ? 0 : s > DAYS_MOST ? DAYS_MOST : s;
}

static double honest(const struct baseline *b, unsigned class_, unsigned which, double s)
{
	static const struct cal_fit nothing; /* in retrospect the window would hold the very days that are judged */
	const struct cal_fit *of_class = &b->cal[class_][which].fit, *of_all = &b->cal[BOX_CLASSES][which].fit;
	return calibrate(b->retrospect ? &nothing : of_class, b->retrospect ? &nothing : of_all, slope_of(which), s);
}

void baseline_conclude(const struct baseline *b, const struct mailbox_row *row, struct verdict *v)
{
	double excess[GROUPS] = { 0 };
	v->z = 0;
	v->top = FAMILY_VOLUME;
	for (unsigned k = 0; k < FAMILIES; k++) {
		double s = -v->ln_raw[k] / LN_10;
		v->ln_p[k] = honest(b, v->class_, k, s);
		if (!b->today.wave[k] && REASON_LN_P - v->ln_p[k] > excess[group_of[k]])
			excess[group_of[k]] = REASON_LN_P - v->ln_p[k];
		if (!b->today.wave[k] && v->ln_p[k] < v->ln_p[v->top])
			v->top = k;
	}
	for (unsigned g = 1; g < GROUPS; g++)
		v->z += excess[g];
	v->score = v->z / LN_10;
	v->ln_p_day = honest(b, v->class_, SCORE_DAY, v->score);
	v->ln_p_novelty = honest(b, v->class_, SCORE_NOVELTY, v->novelty);
	v->sr = sr_step((double)row->sr, v->ln_p_day);
	int away = b->day - row->day; /* days without a record in between count as zero */
	v->days = day_weight(-v->ln_p_day / LN_10) + (away <= 1 ? (double)row->recent[0] : 0) + (away <= 1 ? (double)row->recent[1] : away == 2 ? (double)row->recent[0] : 0);
	v->ln_p_days = honest(b, v->class_, SCORE_DAYS, v->days);
	const double ln_p[LANES] = { v->ln_p_day, -log(v->sr), v->ln_p_novelty, v->ln_p_days };
	v->lanes = v->near = v->marginal = 0;
	for (unsigned i = 0; i < LANES && is_warm(b); i++) {
		double near = b->ln_lane[i] + log(NEAR);
		if (ln_p[i] <= b->ln_lane[i])
			v->lanes |= 1u << i;
		if (ln_p[i] > b->ln_lane[i] - log(NEAR))
			v->marginal |= 1u << i;
		if (ln_p[i] <= near && !((1u << i) == LANE_SLOW && -log((double)row->sr) <= near) &&
		    !((1u << i) == LANE_DAYS && row->recent[0] > 0 && v->near) &&
		    !(row->alert_day && b->day - row->alert_day <= QUARANTINE_DAYS))
			v->near |= 1u << i;
	}
}

double verdict_odds(const struct verdict *v)
{
	const double ln_p[LANES] = { v->ln_p_day, -log(v->sr), v->ln_p_novelty, v->ln_p_days };
	double least = 0;
	for (unsigned i = 0; i < LANES; i++)
		if (ln_p[i] - log(lane_shares[i]) < least)
			least = ln_p[i] - log(lane_shares[i]);
	return least < -log(ODDS_MOST) ? ODDS_MOST : exp(-least);
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
		double s = k < FAMILIES ? -v->ln_raw[k] / LN_10 : k == SCORE_DAY ? v->score : k == SCORE_DAYS ? v->days : v->novelty;
		if (k < FAMILIES && b->today.wave[k])
			continue; /* a day that teaches nothing about single mailboxes */
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
