/* SPDX-License-Identifier: Apache-2.0 */
/* campaign: incidents of several mailboxes and several days. */
#include "detect/campaign.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "stat/combine.h"

#define LN_10 2.30258509299404568402
#define EVIDENCE_LN_P (-4.605170185988091) /* ln 0.01 */
#define EVIDENCE_MOST 4.0
#define YOUNG_SUBJECT_DAYS 7
#define CAMPAIGN_FALSE_DAYS 300.0 /* a false campaign of each kind in so many days */
#define INCIDENT_DAYS 14          /* after so many days a continuing incident is reported again */
#define SLOPE_STRENGTH 1.5
#define SLOPE_MASS 3.0
#define EXIT_SHARE 0.2
#define FEW_NETS 8                /* a tool runs in a few places */
#define ROLLOUT_PER_NET 5         /* mailboxes for each network: fewer is a roll-out */
#define COMMON_SHARE 0.05         /* a subject in more mailboxes does not link them */
#define SCORED_WEIGHT 0.1
#define PEAK_TIMES 1.5            /* a migration tool, an administrator's sweep: known to do so much, but not much more */

#define NETS_COUNTED 64
#define TALLIES_MAX 200000        /* a day's: 24 and 48 bytes each */

extern const struct detector detector_taximeter;

static const char *const kind_names[SUBJECT_KINDS] = { "client", "network", "actor" };

bool campaign_begin(struct campaigns *c)
{
	table_init(&c->by_subject, sizeof(uint32_t), ALERTS_MAX);
	table_init(&c->tallies, sizeof(struct tally), TALLIES_MAX);
	table_init(&c->counted, sizeof(float), TALLIES_MAX);
	table_init(&c->followed, sizeof(uint16_t), MEMBERS_MAX);
	c->cal = calloc(SUBJECT_KINDS, sizeof *c->cal);
	return c->cal != NULL;
}

void campaign_release(struct campaigns *c)
{
	free(c->members);
	free(c->incidents);
	free(c->cal);
	table_release(&c->by_subject);
	table_release(&c->tallies);
	table_release(&c->counted);
	table_release(&c->followed);
}

static uint64_t subject_key(enum subject_kind k, uint32_t subject)
{
	return hash_mix(subject, k + 1);
}

static const enum family family_of[SUBJECT_KINDS] = { FAMILY_CLIENT, FAMILY_NET, FAMILY_ACTOR };

/* -log10 p' - 2, between 0 (none) and 4 */
static double evidence_of(const struct verdict *v, enum subject_kind k)
{
	double l = v->ln_p[family_of[k]], first = v->news[k].ln_first, e;
	l = first < l ? first : l;
	e = -l / LN_10 - 2;
	if (v->news[k].subject == NONE || l >= EVIDENCE_LN_P)
		return 0;
	return e < EVIDENCE_MOST ? e : EVIDENCE_MOST;
}

static void member_add(struct campaigns *c, const struct member *m)
{
	if (c->member_count >= MEMBERS_MAX) {
		c->refused++;
		return;
	}
	if (c->member_count == c->member_capacity) {
		uint32_t capacity = c->member_capacity ? 2 * c->member_capacity : 256;
		struct member *p = realloc(c->members, capacity * sizeof *p);
		if (!p)
			return;
		c->members = p;
		c->member_capacity = capacity;
	}
	c->members[c->member_count++] = *m;
}

/* What was evidence once is counted on later days too, although it is not new any more: a campaign that is only known on
 * its third day has three days of reads. */
void campaign_gather(struct campaigns *c, const struct baseline *b, const struct verdict *v)
{
	const struct mailbox_row *row = baseline_row(b, v->mailbox);
	for (const struct trail *t = trail_first(b, row); t; t = trail_next(b, t)) {
		uint64_t key = hash_mix(subject_key(t->kind, t->subject), v->mailbox);
		double e = v->news[t->kind].subject == t->subject ? evidence_of(v, t->kind) : 0;
		uint16_t *day = e > 0 ? table_put(&c->followed, key, NULL) : table_get(&c->followed, key);
		if (e > 0 && day)
			*day = b->day;
		else if (!(e > 0) && !day && !(t->fresh && v->lanes))
			continue;
		member_add(c, &(struct member){
			.kept = t->first, .last_us = t->last_us, .items = t->items, .records = t->records, .subject = t->subject,
			.mailbox = v->mailbox, .day = b->day, .kind = t->kind, .evidence = (float)e,
		});
	}
}

/* -- incidents -- */

static struct incident *incident_of(struct campaigns *c, const struct baseline *b, uint32_t number)
{
	if (!number || number > c->incident_count)
		return NULL;
	struct incident *i = &c->incidents[number - 1];
	return b->day - i->last_day <= CAMPAIGN_DAYS && b->day - i->first_day < INCIDENT_DAYS ? i : NULL;
}

static struct incident *incident_by_subject(struct campaigns *c, const struct baseline *b, enum subject_kind k, uint32_t subject)
{
	const uint32_t *at = table_get(&c->by_subject, subject_key(k, subject));
	return at ? incident_of(c, b, *at) : NULL;
}

static struct incident *incident_make(struct campaigns *c, const struct baseline *b, struct detect_ctx *ctx, uint64_t key)
{
	if (c->incident_count == c->incident_capacity) {
		uint32_t capacity = c->incident_capacity ? 2 * c->incident_capacity : 64;
		struct incident *p = realloc(c->incidents, capacity * sizeof *p);
		if (!p)
			return NULL;
		c->incidents = p;
		c->incident_capacity = capacity;
	}
	struct alert *al = alerts_open(ctx->alerts, &detector_taximeter, hash_mix(key, b->day));
	if (!al)
		return NULL;
	struct incident *i = &c->incidents[c->incident_count++];
	*i = (struct incident){ .retrospect = b->retrospect, .alert = al, .subject = NONE, .first_day = b->day, .last_day = b->day };
	return i;
}

static void incident_owns(struct campaigns *c, const struct incident *i, enum subject_kind k, uint32_t subject)
{
	uint32_t *at = table_put(&c->by_subject, subject_key(k, subject), NULL);
	if (at)
		*at = (uint32_t)(i - c->incidents) + 1;
}

/* -- counting: a mailbox-day once, by one subject or as a whole -- */

struct part { /* of what an alert counts; subject NONE: all records of the mailbox */
	int64_t first_us, last_us;
	uint64_t items, records;
	uint32_t mailbox, subject;
	enum subject_kind kind;
};

static void list_part(const struct world *w, struct alert *al, const struct part *p)
{
	bool client = p->subject != NONE && p->kind == SUBJECT_CLIENT;
	struct str of = p->subject == NONE || client ? STR_NONE
		: p->kind == SUBJECT_NET ? str_of(world_net_label(w, p->subject)) : world_actor(w, p->subject);
	alert_member(al, COUNTED, value_guid(p->mailbox), value_time(p->first_us), value_time(p->last_us),
		     value_cstr(p->subject == NONE ? "mailbox" : kind_names[p->kind]),
		     value_text(client ? world_client_part(w, p->subject, CLIENT_APP_ID) : STR_NONE),
		     value_text(client ? world_client_part(w, p->subject, CLIENT_CLIENT_APP_ID) : STR_NONE),
		     value_text(client ? world_client_part(w, p->subject, CLIENT_API) : STR_NONE),
		     value_text(client ? world_client_part(w, p->subject, CLIENT_FAMILY) : STR_NONE), value_text(of),
		     value_number(p->records), value_number(p->items));
}

static void count_part(struct detect_ctx *ctx, struct alert *al, uint16_t day, const struct kept *evidence, const struct part *part)
{
	if (!alert_once(al, hash_mix(part->mailbox, day)))
		return;
	kept_fold(ctx->alerts, al, evidence);
	alert_fold_more(al, part->first_us, part->last_us, part->records - 1, part->items - evidence->items);
	list_part(ctx->world, al, part);
}

static void count_member(struct detect_ctx *ctx, struct alert *al, const struct member *m)
{
	count_part(ctx, al, m->day, &m->kept, &(struct part){
		.first_us = m->kept.time_us, .last_us = m->last_us, .items = m->items, .records = m->records,
		.mailbox = m->mailbox, .subject = m->subject, .kind = m->kind });
}

static void count_trail(const struct baseline *b, struct detect_ctx *ctx, struct alert *al, const struct trail *t)
{
	count_part(ctx, al, b->day, &t->first, &(struct part){
		.first_us = t->first.time_us, .last_us = t->last_us, .items = t->items, .records = t->records,
		.mailbox = t->first.mailbox, .subject = t->subject, .kind = t->kind });
}

static void count_mailbox(const struct baseline *b, struct detect_ctx *ctx, struct alert *al, uint32_t mailbox)
{
	const struct open_day *o = &baseline_row(b, mailbox)->open;
	count_part(ctx, al, b->day, &b->kept[o->at].most, &(struct part){
		.first_us = o->first_us, .last_us = o->last_us, .items = o->all_items, .records = o->records,
		.mailbox = mailbox, .subject = NONE });
}

static void raise_at(struct alert *al, int64_t t, enum severity s)
{
	if (al->raised && t < al->time_us)
		al->time_us = t;
	alert_raise(al, t, s);
}

static bool is_common(const struct baseline *b, enum subject_kind k, uint32_t subject)
{
	return subject_others(b, k, subject) > COMMON_SHARE * b->present + 1;
}

static void mark(struct baseline *b, struct mailbox_row *row)
{
	if (!row->alert_day || b->day - row->alert_day > QUARANTINE_DAYS)
		row->alert_first_day = b->day;
	row->alert_day = b->day;
}

static enum severity severity_of(const struct baseline *b, const struct verdict *v, const struct mailbox_row *row)
{
	int s = v->lanes == LANE_NOVELTY ? SEVERITY_LOW : SEVERITY_MEDIUM;
	bool sync = v->news[SUBJECT_CLIENT].sync || v->news[SUBJECT_NET].sync;
	if ((v->lanes & (v->lanes - 1)) || v->ln_p_day < BUDGET_LN_RARE)
		s = SEVERITY_HIGH;
	s += (sync || (row->open.throttled && row->open.novel)) && s < SEVERITY_HIGH;
	return b->retrospect && s > SEVERITY_MEDIUM ? SEVERITY_MEDIUM : (enum severity)s;
}

bool campaign_raise(struct campaigns *c, struct baseline *b, struct detect_ctx *ctx, const struct verdict *v, bool *ret_new)
{
	struct mailbox_row *row = baseline_row(b, v->mailbox);
	struct incident *i = NULL;
	for (unsigned k = 0; k < SUBJECT_KINDS && !i; k++)
		if (evidence_of(v, k) > 0 && !is_common(b, k, v->news[k].subject))
			i = incident_by_subject(c, b, k, v->news[k].subject);
	if (!i && row->alert_day && b->day - row->alert_day <= CAMPAIGN_DAYS)
		i = incident_of(c, b, row->incident);
	*ret_new = !i;
	if (!i) {
		if (!budget_take(&b->budget, -log(verdict_odds(v))))
			return false;
		i = incident_make(c, b, ctx, key_mailbox(ctx->world, v->mailbox));
		if (!i)
			return false;
	}
	const struct trail *t = verdict_subject(b, v);
	if (*ret_new && t) {
		i->kind = t->kind;
		i->subject = t->subject;
	}
	if (t)
		count_trail(b, ctx, i->alert, t);
	else
		count_mailbox(b, ctx, i->alert, v->mailbox);
	raise_at(i->alert, row->open.crossed_us ? row->open.crossed_us : row->open.last_us, severity_of(b, v, row));
	if (verdict_odds(v) > i->odds) {
		i->odds = verdict_odds(v);
		baseline_say(b, ctx, i->alert, v);
	}
	i->last_day = b->day;
	for (unsigned k = 0; k < SUBJECT_KINDS && *ret_new; k++) /* only the subjects that founded it draw others in, not those that joined */
		if (evidence_of(v, k) > 0 && !is_common(b, k, v->news[k].subject))
			incident_owns(c, i, k, v->news[k].subject);
	mark(b, row);
	row->incident = (uint32_t)(i - c->incidents) + 1;
	if (v->news[SUBJECT_CLIENT].subject < b->subjects[SUBJECT_CLIENT].n)
		b->subjects[SUBJECT_CLIENT].v[v->news[SUBJECT_CLIENT].subject].alert_day = b->day;
	return true;
}

/* -- the aggregator -- */

static int by_subject(const void *x, const void *y)
{
	const struct member *a = x, *b = y;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->subject != b->subject)
		return a->subject < b->subject ? -1 : 1;
	if (a->mailbox != b->mailbox)
		return a->mailbox < b->mailbox ? -1 : 1;
	if (a->evidence != b->evidence)
		return a->evidence > b->evidence ? -1 : 1;
	return a->day < b->day ? -1 : a->day > b->day;
}

static void raise_campaign(struct campaigns *c, struct baseline *b, struct detect_ctx *ctx, const struct member *m, uint32_t n,
			   uint32_t mailboxes, double mass, double ln_p, struct verdict *v, uint32_t verdict_count)
{
	enum subject_kind k = m->kind;
	struct incident *i = incident_by_subject(c, b, k, m->subject);
	uint64_t key = k == SUBJECT_CLIENT ? key_client(ctx->world, m->subject)
		: k == SUBJECT_NET ? key_net(ctx->world, m->subject) : key_text(world_actor(ctx->world, m->subject));
	uint32_t same = 0;
	for (uint32_t j = 0; j < n; j++) { /* its client may have made an incident of these mailboxes already */
		const struct mailbox_row *row = baseline_row(b, m[j].mailbox), *first = baseline_row(b, m->mailbox);
		same += row->alert_day == b->day && row->campaign && row->campaign == first->campaign;
	}
	if (!i && 2 * same > n)
		i = incident_of(c, b, baseline_row(b, m->mailbox)->campaign);
	if (!i)
		i = incident_make(c, b, ctx, hash_mix(key, k + 1));
	if (!i)
		return;
	const struct tally *tally = table_get(&c->tallies, subject_key(k, m->subject));
	int64_t when = tally && tally->crossed_us ? tally->crossed_us : INT64_MAX;
	bool is_member = false;
	for (uint32_t j = 0; j < n; j++) {
		struct mailbox_row *row = baseline_row(b, m[j].mailbox);
		if (!j || m[j].mailbox != m[j - 1].mailbox) /* its strongest day is the first */
			is_member = m[j].evidence > 0 || alert_has_mailbox(i->alert, m[j].mailbox);
		if (!is_member)
			continue;
		count_member(ctx, i->alert, &m[j]);
		if (m[j].day == b->day) {
			when = row->open.crossed_us && row->open.crossed_us < when ? row->open.crossed_us : when;
			mark(b, row);
			row->campaign = (uint32_t)(i - c->incidents) + 1;
			for (uint32_t q = 0; q < verdict_count; q++)
				if (v[q].mailbox == m[j].mailbox) {
					v[q].joined = true;
					/* a subject in so many mailboxes is learnt, or it would always stay new */
					v[q].alerted |= mailboxes <= COMMON_SHARE * b->present + 10;
				}
		}
	}
	raise_at(i->alert, when != INT64_MAX ? when : i->alert->last_us, mailboxes >= 3 && !b->retrospect ? SEVERITY_HIGH : SEVERITY_MEDIUM);
	i->campaign = true;
	i->retrospect = b->retrospect;
	i->kind = (uint8_t)k;
	i->subject = m->subject;
	i->last_day = b->day;
	i->mass = mass > (double)i->mass ? (float)mass : i->mass;
	i->alert->campaign.by = kind_names[k];
	/* p is that of one subject on one day: so many of them are scored a day, and so many mailboxes */
	double odds = exp(-ln_p) * b->present / (c->scored[k] > 1 ? c->scored[k] : 1);
	odds = odds < ODDS_MOST ? odds : ODDS_MOST; /* far beyond what 30 days can show */
	if (odds > i->campaign_odds)
		i->campaign_odds = odds;
	incident_owns(c, i, k, m->subject);
	if (k == SUBJECT_CLIENT && m->subject < b->subjects[k].n)
		b->subjects[k].v[m->subject].alert_day = b->day;
	/* until a member's own verdict gives the sentences */
	if (!i->odds)
		for (uint32_t q = 0; q < verdict_count; q++)
			if (v[q].mailbox == m->mailbox) {
				baseline_say(b, ctx, i->alert, &v[q]);
				i->odds = v[q].lanes ? i->alert->odds : 1;
				break;
			}
}

struct subject_score { double ln_p, strength, mass; struct calibration *cal; };

/* of a subject with so many mailboxes and so much evidence, by its kind and age */
static struct subject_score score_of(const struct campaigns *c, const struct baseline *b, enum subject_kind k, uint32_t subject,
				     double sum, uint32_t mailboxes, uint32_t nets)
{
	const struct subject_row *s = subject < b->subjects[k].n ? &b->subjects[k].v[subject] : NULL;
	bool old = s && s->first_day && b->day - s->first_day >= YOUNG_SUBJECT_DAYS;
	struct subject_score r = { .cal = c->cal[k][old], .mass = sum };
	r.strength = fisher_score(sum * LN_10, mailboxes < 500 ? mailboxes : 500);
	double shipped[2] = { -r.strength / SLOPE_STRENGTH * LN_10, -r.mass / SLOPE_MASS * LN_10 };
	for (unsigned i = 0; i < 2; i++) {
		double score = i ? r.mass : r.strength;
		double l = cal_mix((double)r.cal[i].fit.n, cal_ln_p(&r.cal[i].fit, score), shipped[i] > CAL_LN_P_MIN ? shipped[i] : CAL_LN_P_MIN);
		if (l + log(2) < r.ln_p)
			r.ln_p = l + log(2); /* the better of two */
	}
	if ((k == SUBJECT_NET && mailboxes > EXIT_SHARE * b->present) ||
	    (k == SUBJECT_CLIENT && nets > FEW_NETS && mailboxes < ROLLOUT_PER_NET * nets))
		r.ln_p = 0; /* a new exit; a roll-out */
	return r;
}

/* a false campaign of each kind in 300 days at a budget of 1 */
static double ln_limit(const struct campaigns *c, const struct baseline *b, enum subject_kind k)
{
	return -log(CAMPAIGN_FALSE_DAYS * (c->scored[k] > 1 ? c->scored[k] : 1)) + log(b->budget.alpha / 1e-4);
}

void campaign_watch(struct campaigns *c, const struct baseline *b, const struct verdict *v, int64_t time_us)
{
	for (unsigned k = 0; k < SUBJECT_KINDS; k++) {
		double e = evidence_of(v, k);
		bool is_new = false;
		if (e <= 0)
			continue;
		uint64_t key = subject_key(k, v->news[k].subject);
		struct tally *t = table_put(&c->tallies, key, NULL);
		float *counted = table_put(&c->counted, hash_mix(key, v->mailbox), &is_new);
		if (!t || !counted || (double)*counted >= e)
			continue;
		t->mailboxes += is_new;
		t->sum += e - (double)*counted;
		*counted = (float)e;
		if (!t->crossed_us && t->mailboxes >= 2 &&
		    score_of(c, b, k, v->news[k].subject, t->sum, t->mailboxes, 0).ln_p <= ln_limit(c, b, k))
			t->crossed_us = time_us;
	}
}

static bool is_followed(const void *value, uint64_t key, void *arg)
{
	(void)key;
	return *(const uint16_t *)arg - *(const uint16_t *)value < TRAIL_DAYS;
}

static bool drop_all(const void *value, uint64_t key, void *arg)
{
	(void)value, (void)key, (void)arg;
	return false;
}

/* A week after a campaign's last day its size counts as normal for its subject. */
static void settle(struct campaigns *c, struct baseline *b)
{
	for (uint32_t n = 0; n < c->incident_count; n++) {
		struct incident *i = &c->incidents[n];
		if (i->campaign && i->mass > 0 && b->day - i->last_day > QUARANTINE_DAYS) {
			subject_learn_peak(b, i->kind, i->subject, i->mass);
			i->mass = 0;
		}
	}
}

void campaign_judge(struct campaigns *c, struct baseline *b, struct detect_ctx *ctx, struct verdict *v, uint32_t n)
{
	uint32_t kept = 0, scored[SUBJECT_KINDS] = { 0 };
	for (uint32_t i = 0; i < c->member_count; i++)
		if (b->day - c->members[i].day < CAMPAIGN_DAYS)
			c->members[kept++] = c->members[i];
	c->member_count = kept;
	if (kept)
		qsort(c->members, kept, sizeof *c->members, by_subject);
	for (uint32_t from = 0, to; from < kept; from = to) {
		const struct member *m = &c->members[from];
		double sum = 0;
		uint32_t mailboxes = 0, nets = 0, net[NETS_COUNTED];
		bool today = false;
		for (to = from; to < kept && c->members[to].kind == m->kind && c->members[to].subject == m->subject; to++) {
			const struct member *e = &c->members[to];
			uint32_t i = 0;
			if (!(e->evidence > 0))
				continue; /* a later day: it is counted, if there is a campaign, but proves nothing */
			today |= e->day == b->day;
			while (i < nets && net[i] != e->kept.net)
				i++;
			if (i == nets && nets < NETS_COUNTED)
				net[nets++] = e->kept.net;
			if (to > from && e->mailbox == e[-1].mailbox)
				continue;
			sum += (double)e->evidence;
			mailboxes++;
		}
		if (mailboxes < 2 || !today)
			continue;
		struct subject_score score = score_of(c, b, m->kind, m->subject, sum, mailboxes, nets);
		scored[m->kind]++;
		double peak = (double)subject_now(b, m->kind, m->subject).peak;
		if (!is_warm(b))
			subject_learn_peak(b, m->kind, m->subject, (float)sum);
		if (is_warm(b) && score.ln_p <= ln_limit(c, b, m->kind)) {
			if (sum > PEAK_TIMES * peak)
				raise_campaign(c, b, ctx, m, to - from, mailboxes, sum, score.ln_p, v, n);
		} else {
			cal_add(&score.cal[0], score.strength);
			cal_add(&score.cal[1], score.mass);
		}
	}
	settle(c, b);
	table_keep_if(&c->followed, is_followed, &b->day);
	table_keep_if(&c->tallies, drop_all, NULL);
	table_keep_if(&c->counted, drop_all, NULL);
	for (unsigned k = 0; k < SUBJECT_KINDS; k++) {
		c->scored[k] += SCORED_WEIGHT * (scored[k] - c->scored[k]);
		for (unsigned i = 0; i < 4; i++)
			cal_close(&c->cal[k][i / 2][i % 2]);
	}
}

void campaign_follow(struct campaigns *c, const struct baseline *b, struct detect_ctx *ctx, const struct verdict *v, uint32_t n)
{
	for (uint32_t k = 0; k < c->member_count; k++) { /* ... of a campaign that is known: its subject owns it */
		const struct member *m = &c->members[k];
		struct incident *i = m->day == b->day ? incident_by_subject(c, b, m->kind, m->subject) : NULL;
		if (i && i->subject == m->subject && i->kind == m->kind && alert_has_mailbox(i->alert, m->mailbox))
			count_member(ctx, i->alert, m);
	}
	for (uint32_t k = 0; k < n; k++) {
		const struct mailbox_row *row = baseline_row(b, v[k].mailbox);
		uint32_t of[2] = { row->incident, row->campaign };
		for (unsigned j = 0; j < 2; j++) {
			struct incident *i = incident_of(c, b, of[j]);
			const struct trail *t = i && i->subject != NONE ? trail_of(b, row, i->kind, i->subject) : NULL;
			if (t && alert_has_mailbox(i->alert, v[k].mailbox))
				count_trail(b, ctx, i->alert, t);
		}
	}
}

void campaign_end(struct campaigns *c, struct detect_ctx *ctx)
{
	const struct world *w = ctx->world;
	char boxes[SAY_SIZE], name[SAY_SIZE], from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
	for (uint32_t n = 0; n < c->incident_count; n++) {
		struct incident *i = &c->incidents[n];
		struct alert *al = i->alert;
		char odds[NUMBER_SIZE];
		if (i->campaign_odds > al->odds || i->odds <= 1)
			al->odds = i->campaign_odds;
		if (al->mailboxes.total < 2 || !al->raised)
			continue;
		al->campaign.odds = i->campaign_odds;
		say_mailboxes(w, &al->mailboxes, boxes);
		al->campaign.set = true;
		al->campaign.mailboxes = (uint32_t)al->mailboxes.total;
		if (!i->campaign) {
			al->campaign.by = al->clients.total == 1 ? kind_names[SUBJECT_CLIENT] : al->nets.total == 1 ? kind_names[SUBJECT_NET] : "evidence";
			i->subject = al->clients.total == 1 ? al->clients.v[0] : al->nets.total == 1 ? al->nets.v[0] : NONE;
			i->kind = al->clients.total == 1 ? SUBJECT_CLIENT : SUBJECT_NET;
		}
		alert_raise(al, al->time_us, al->mailboxes.total >= 3 && !i->retrospect ? SEVERITY_HIGH : SEVERITY_MEDIUM);
		if (i->subject == NONE)
			alert_title(al, "Several things new to each of %s, at the same time", boxes);
		else
			alert_title(al, "%s, new to each of %s", i->kind == SUBJECT_CLIENT ? say_client(w, i->subject, name)
				: i->kind == SUBJECT_NET ? world_net_label(w, i->subject) : say_actor(w, i->subject, name), boxes);
		uint64_t real = al->nets.total;
		for (uint32_t k = 0; k < al->nets.n; k++)
			real -= !net_is_real(al->nets.v[k]);
		if (al->baseline.mailbox != NONE)
			alert_why(al, "The figures above are those of the most unusual mailbox, %s.", say_mailbox(w, al->baseline.mailbox, name));
		alert_why(al, "One incident: %s, %s, %s; %s in %s from %s to %s.", COUNT(al->mailboxes.total, "mailbox"), COUNT(al->clients.total, "client"),
			  real ? COUNT(real, "network") : al->nets.total ? "no network but Microsoft's front ends" : "no network that the addresses tell",
			  COUNT(al->items, "item"), COUNT(al->records, "record"), time_format_minute(al->first_us, from), time_format_minute(al->last_us, to));
		if (i->campaign) {
			alert_why(al, "That so many mailboxes see it within three days is expected by chance once in %s%s mailbox-days.",
				  i->campaign_odds >= ODDS_MOST ? "more than " : "", grouped(i->campaign_odds, odds));
		}
	}
}
