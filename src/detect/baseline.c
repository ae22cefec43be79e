/* SPDX-License-Identifier: Apache-2.0 */
/* baseline: taking in a day, and learning it when it is over. */
#include "detect/baseline.h"

#include <math.h>
#include <stdlib.h>

#include "stat/combine.h"

#define SEEN_MAX 4000000    /* edges pushed out or without a place: 24 bytes each */
#define PAIRS_MAX 1000000   /* clients and the networks that they come from: 24 bytes each */
#define BUCKET_DAYS 4
#define BUCKETS 8
#define CELL_US (10 * US_PER_MINUTE)
#define SERVICE_SHARE 0.05
#define SERVICE_NETS 8
#define SERVICE_MAILBOXES 5 /* a day; in a tenant of twenty 5 % would be one */
#define REGULAR_MIN 0.8f   /* of its mailboxes, on the emptiest of its last days */
#define REGULAR_RISE 0.04f /* a day: what a weekend took is back after the next one */
#define SHARE_WEIGHT 0.1    /* of today in a client's smoothed share */
#define PRIOR_WEIGHT 0.05
#define SHIFT_SHARE 0.5     /* of a mailbox's distance from its class, in logarithms */
#define PRIOR_FEW 5
#define SLOW_GAMMA 0.9923280 /* half-life 90 days */
#define PRIOR_FIRST 20
#define VARIANCE_MIN 0.1
#define ONE_OFF_DAYS_MIN 3     /* of data; an export shorter than this shows no habits */
#define ONE_OFF_DAYS_MAX 21    /* one that is longer has a past of its own */
#define ONE_OFF_MAILBOXES_MIN 10

bool baseline_begin(struct baseline *b, double alpha)
{
	table_init(&b->seen, sizeof(uint16_t), SEEN_MAX);
	table_init(&b->pairs, sizeof(uint16_t), PAIRS_MAX);
	b->births = 5;
	b->lonely = 2;
	b->cal = calloc(BOX_CLASSES + 1, sizeof *b->cal);
	b->late = malloc(LATE_MAX * sizeof *b->late);
	if (!b->cal || !b->late)
		return false;
	budget_begin(&b->budget, alpha);
	for (unsigned i = 0; i < LANES; i++)
		b->ln_lane[i] = log(alpha * lane_shares[i]);
	for (unsigned k = 0; k < SUBJECT_KINDS; k++)
		adoption_begin(&b->adoption[k]);
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < AGES; i++) {
			b->age_mu[k][i] = 2;
			b->age_v[k][i] = 2;
		}
	for (unsigned i = 0; i < BOX_CLASSES; i++)
		for (unsigned k = 0; k < PRIORS; k++)
			b->classes[i].prior[k] = (struct class_prior){ .mu = k <= PRIOR_WEEKEND ? 3 : k == PRIOR_BURST ? 2 : 1, .s2 = 1 };
	return true;
}

void baseline_recall(struct baseline *b, const struct lessons *l)
{
	b->retrospect = true;
	memcpy(b->classes, l->classes, sizeof b->classes);
	memcpy(b->adoption, l->adoption, sizeof b->adoption);
	memcpy(b->age_mu, l->age_mu, sizeof b->age_mu);
	memcpy(b->age_v, l->age_v, sizeof b->age_v);
	b->births = l->births;
	b->lonely = l->lonely;
}

void baseline_teach(const struct baseline *b, struct lessons *l)
{
	memcpy(l->classes, b->classes, sizeof b->classes);
	memcpy(l->adoption, b->adoption, sizeof b->adoption);
	memcpy(l->age_mu, b->age_mu, sizeof b->age_mu);
	memcpy(l->age_v, b->age_v, sizeof b->age_v);
	l->births = b->births;
	l->lonely = b->lonely;
	l->days = b->data_days;
	l->mailboxes = b->mailboxes;
}

bool lessons_are_worth(const struct lessons *l)
{
	return l->days >= ONE_OFF_DAYS_MIN && l->days < ONE_OFF_DAYS_MAX && l->mailboxes >= ONE_OFF_MAILBOXES_MIN;
}

void baseline_release(struct baseline *b)
{
	for (uint32_t i = 0; i < b->chunk_count; i++)
		free(b->chunks[i]);
	free(b->chunks);
	for (unsigned k = 0; k < SUBJECT_KINDS; k++)
		free(b->subjects[k].v);
	table_release(&b->seen);
	table_release(&b->pairs);
	free(b->cal);
	free(b->late);
	free(b->samples);
	free(b->active);
	free(b->kept);
	free(b->trails);
}

struct mailbox_row *baseline_row(const struct baseline *b, uint32_t mailbox)
{
	return mailbox < b->mailboxes ? &b->chunks[mailbox / ROWS_PER_CHUNK][mailbox % ROWS_PER_CHUNK] : NULL;
}

static struct mailbox_row *row_make(struct baseline *b, uint32_t mailbox)
{
	if (mailbox >= BASELINE_MAILBOXES_MAX)
		return NULL;
	while (mailbox / ROWS_PER_CHUNK >= b->chunk_count) {
		uint32_t n = b->chunk_count;
		if ((n & (n - 1)) == 0) {
			struct mailbox_row **p = realloc(b->chunks, (n ? 2 * (size_t)n : 1) * sizeof *p);
			if (!p)
				return NULL;
			b->chunks = p;
		}
		b->chunks[n] = calloc(ROWS_PER_CHUNK, sizeof **b->chunks);
		if (!b->chunks[n])
			return NULL;
		b->chunk_count++;
	}
	if (mailbox >= b->mailboxes)
		b->mailboxes = mailbox + 1;
	return baseline_row(b, mailbox);
}

static struct subject_row *subject_make(struct baseline *b, enum subject_kind k, uint32_t subject)
{
	struct subjects *s = &b->subjects[k];
	if (subject == NONE || !reach((void **)&s->v, &s->n, subject, sizeof *s->v))
		return NULL;
	return &s->v[subject];
}

/* -- prevalence: in how many mailboxes is it in use -- */

static void subject_advance(struct subject_row *s, uint16_t bucket)
{
	if (bucket - s->bucket >= BUCKETS)
		memset(s->users, 0, sizeof s->users);
	else
		for (uint16_t i = s->bucket; i < bucket; i++)
			s->users[(i + 1) % BUCKETS] = 0;
	s->bucket = bucket;
}

uint32_t subject_others(const struct baseline *b, enum subject_kind k, uint32_t subject)
{
	if (subject >= b->subjects[k].n)
		return 0;
	struct subject_row s = b->subjects[k].v[subject];
	uint32_t sum = 0;
	subject_advance(&s, b->day / BUCKET_DAYS);
	for (unsigned i = 0; i < BUCKETS; i++)
		sum += s.users[i];
	return sum;
}

uint32_t subject_others_met(const struct baseline *b, enum subject_kind k, uint32_t subject)
{
	const struct subject_row *s = subject < b->subjects[k].n ? &b->subjects[k].v[subject] : NULL;
	if (!s || s->met_day != b->day)
		return subject_others(b, k, subject);
	return s->met_before + (s->met > MANY_MET ? s->met : 0);
}

uint32_t subject_others_before(const struct baseline *b, enum subject_kind k, uint32_t subject)
{
	const struct subject_row *s = subject < b->subjects[k].n ? &b->subjects[k].v[subject] : NULL;
	return s && s->met_day == b->day ? s->met_before : subject_others(b, k, subject);
}

/* new to one more mailbox today */
static void subject_meet(struct baseline *b, enum subject_kind k, uint32_t subject)
{
	struct subject_row *s = subject_make(b, k, subject);
	if (!s)
		return;
	if (s->met_day != b->day) {
		s->met_day = b->day;
		s->met_before = subject_others(b, k, subject);
		s->met = 0;
	}
	s->met++;
}

static void subject_use(struct baseline *b, enum subject_kind k, uint32_t subject, uint16_t last_day)
{
	struct subject_row *s = subject_make(b, k, subject);
	uint16_t now = b->day / BUCKET_DAYS, before = last_day / BUCKET_DAYS;
	if (!s)
		return;
	if (!s->first_day)
		s->first_day = b->day;
	subject_advance(s, now);
	s->today++;
	if (last_day && before == now)
		return;
	s->users[now % BUCKETS]++;
	if (last_day && now - before < BUCKETS && s->users[before % BUCKETS])
		s->users[before % BUCKETS]--;
}

/* -- the open day -- */

static uint64_t seen_key(enum subject_kind k, uint32_t mailbox, uint32_t subject)
{
	return hash_mix(hash_mix(mailbox, subject), k + 1);
}

static double weight_of(const struct edge_row *e, uint16_t day)
{
	return e->n * volume_weight(day - e->last_day);
}

/* Its row, made if need be.  NULL: the table is full of young edges; counted as new once a day. */
static struct edge_row *edge_meet(struct baseline *b, struct mailbox_row *row, enum subject_kind k, uint32_t mailbox,
				  uint32_t subject)
{
	struct edge_row *v = k == SUBJECT_CLIENT ? row->clients : row->nets, *place = NULL;
	unsigned n = k == SUBJECT_CLIENT ? ROW_CLIENTS : ROW_NETS;
	for (unsigned i = 0; i < n; i++)
		if (v[i].subject == subject + 1)
			return &v[i];
	for (unsigned i = 0; i < n; i++) {
		if (!v[i].subject) {
			place = &v[i];
			break;
		}
		if (!v[i].records && b->day - v[i].first_day >= YOUNG_DAYS &&
		    (!place || weight_of(&v[i], b->day) < weight_of(place, b->day)))
			place = &v[i];
	}
	uint16_t *seen = table_get(&b->seen, seen_key(k, mailbox, subject));
	if (!place) {
		bool is_new = !seen || b->day - *seen > HORIZON_DAYS;
		if (!seen)
			seen = table_put(&b->seen, seen_key(k, mailbox, subject), NULL);
		if (seen)
			*seen = b->day;
		if (is_new && row->open.overflow < UINT16_MAX)
			row->open.overflow++;
		return NULL;
	}
	if (place->subject) {
		uint16_t *left = table_put(&b->seen, seen_key(k, mailbox, place->subject - 1), NULL);
		if (left)
			*left = place->last_day;
		seen = table_get(&b->seen, seen_key(k, mailbox, subject));
	}
	*place = (struct edge_row){ .subject = subject + 1 };
	if (seen && b->day - *seen <= HORIZON_DAYS)
		place->first_day = place->last_day = *seen > YOUNG_DAYS ? (uint16_t)(*seen - YOUNG_DAYS) : 1;
	return place;
}

/* NULL: it found no place */
static struct edge_row *edge_take(struct baseline *b, struct mailbox_row *row, enum subject_kind k, const struct event *e,
				  uint32_t subject, uint32_t items)
{
	struct edge_row *r = edge_meet(b, row, k, e->mailbox, subject);
	if (!r)
		return NULL;
	if (!r->records)
		r->fresh = !r->last_day || b->day - r->last_day > HORIZON_DAYS;
	if (!r->records && r->fresh)
		subject_meet(b, k, subject);
	r->records += r->records < UINT16_MAX;
	r->items += items < UINT32_MAX - r->items ? items : 0;
	r->syncs += e->rec->access == ACCESS_SYNC && r->syncs < UINT8_MAX;
	return r;
}

static bool actor_take(struct baseline *b, struct mailbox_row *row, const struct event *e)
{
	const struct rec *r = e->rec;
	uint32_t tag = (uint32_t)hash_mix(hash_mix(e->actor, r->logon), !!(r->flags & REC_EXTERNAL)) | 1;
	struct actor_row *place = NULL;
	for (unsigned i = 0; i < ROW_ACTORS; i++) {
		struct actor_row *a = &row->actors[i];
		if (a->tag == tag) {
			if (!a->fresh && b->day - a->last_day <= HORIZON_DAYS) {
				a->last_day = b->day;
			} else if (!a->fresh) {
				a->fresh = true;
				subject_meet(b, SUBJECT_ACTOR, e->actor);
			}
			if (a->fresh)
				row->open.actor = e->actor;
			return a->fresh;
		}
		if (!place || !a->tag || (place->tag && a->last_day < place->last_day))
			place = a;
	}
	subject_meet(b, SUBJECT_ACTOR, e->actor);
	*place = (struct actor_row){ .tag = tag, .delegate = r->logon > LOGON_OWNER, .fresh = true };
	row->open.actor = e->actor;
	return true;
}

struct volume volume_wide(const struct volume_row *v)
{
	return (struct volume){ (double)v->n, (double)v->mean, (double)v->m2, (double)v->a, (double)v->b };
}

static struct volume_row volume_narrow(const struct volume *v)
{
	return (struct volume_row){ (float)v->n, (float)v->mean, (float)v->m2, (float)v->a, (float)v->b };
}

static struct volume_row *hurdle_row(struct mailbox_row *row, unsigned which)
{
	return which == PRIOR_PLACES ? &row->places : &row->volume[which];
}

/* the number of items above which a day deserves a look before it ends */
static uint32_t items_worth_a_look(const struct baseline *b, const struct mailbox_row *row)
{
	struct volume_prior prior = baseline_prior(b, baseline_class(b, row), is_weekend(b->day));
	struct volume v = volume_wide(&row->volume[is_weekend(b->day)]);
	double mean = (prior.kappa * prior.mu + v.n * v.mean) / (prior.kappa + v.n);
	double s2 = (prior.nu * prior.s2 + v.m2) / (prior.nu + v.n);
	double x = expm1(mean + 2 * sqrt(s2));
	return x < 10 ? 10 : x > 1e9 ? 1000000000 : (uint32_t)x;
}

static uint32_t grown(uint32_t n)
{
	return n > UINT32_MAX / 2 ? UINT32_MAX : n + n / 4 + 1;
}

static bool edge_is_young(const struct baseline *b, const struct edge_row *e)
{
	return e->fresh || b->day - e->first_day < YOUNG_DAYS;
}

static bool row_is_young(const struct baseline *b, const struct mailbox_row *row)
{
	return b->day - row->first_day < YOUNG_DAYS;
}

/* One reader uses one place at a time, or alternates between places long in use.  Alternating between an old place and a
 * new one indicates a second reader. */
static void places_take(const struct baseline *b, struct mailbox_row *row, unsigned client, const struct edge_row *net,
			uint32_t subject)
{
	uint32_t now = (subject + 1) << 1 | edge_is_young(b, net), *last = &row->open.places_at[client];
	if (*last && *last != now && ((*last ^ now) & 1) && row->open.places < UINT16_MAX) {
		row->open.places++;
		row->open.places_net = (now & 1 ? now : *last) >> 1;
	}
	*last = now;
	if (!net->fresh)
		row->open.elsewhere |= (uint8_t)(1u << client);
}

const struct trail *trail_of(const struct baseline *b, const struct mailbox_row *row, enum subject_kind k, uint32_t subject)
{
	const struct trail *t = row->open.active ? trail_first(b, row) : NULL;
	while (t && (t->kind != k || t->subject != subject))
		t = trail_next(b, t);
	return t;
}

static void trail_take(struct baseline *b, const struct mailbox_row *row, enum subject_kind k, uint32_t subject, const struct event *e, bool fresh)
{
	struct day_kept *kept = &b->kept[row->open.at];
	struct trail *t = (struct trail *)(uintptr_t)trail_of(b, row, k, subject);
	if (!t) {
		if (kept->trail_count >= TRAILS_PER_MAILBOX ||
		    !reach((void **)&b->trails, &b->trail_capacity, b->trail_count, sizeof *b->trails)) {
			b->refused++;
			return;
		}
		t = &b->trails[b->trail_count++];
		*t = (struct trail){ .first = kept_of(e), .subject = subject, .kind = (uint8_t)k, .next = kept->trails };
		kept->trails = b->trail_count;
		kept->trail_count++;
	}
	t->fresh |= fresh;
	t->last_us = e->rec->time_us;
	t->items += e->rec->items;
	t->records++;
}

/* Trails are kept for edges that are new or, once alerts can be raised, young. */
static bool edge_has_trail(const struct baseline *b, const struct edge_row *e)
{
	return e && (e->fresh || (is_warm(b) && b->day - e->first_day < TRAIL_DAYS));
}

static bool actor_has_trail(const struct baseline *b, const struct mailbox_row *row, const struct event *e, bool fresh)
{
	return fresh || (is_warm(b) && (e->rec->logon > LOGON_OWNER || (row->alert_day && b->day - row->alert_day <= TRAIL_DAYS)));
}

bool baseline_take(struct baseline *b, const struct event *e, struct mailbox_row **ret_row)
{
	const struct rec *r = e->rec;
	struct mailbox_row *row = row_make(b, e->mailbox);
	struct open_day *o = row ? &row->open : NULL;
	if (!row || (!o->active && (!reach((void **)&b->active, &b->active_capacity, b->active_count, sizeof *b->active) ||
				    !reach((void **)&b->kept, &b->kept_capacity, b->active_count, sizeof *b->kept)))) {
		b->refused++;
		return false;
	}
	*ret_row = row;
	if (!o->active) {
		if (!row->first_day) {
			row->first_day = row->day = b->day;
			row->widen = 1;
			row->sr = (float)SR_REST;
			row->class_ = BOX_HUMAN;
			for (unsigned i = 0; i < PRIOR_HURDLES; i++) {
				struct volume_prior prior = baseline_prior(b, BOX_NEW, i);
				struct volume v = volume_begin(&prior);
				*hurdle_row(row, i) = volume_narrow(&v);
			}
		}
		*o = (struct open_day){ .active = true, .actor = NONE, .at = b->active_count, .first_us = r->time_us };
		memset(&b->kept[o->at], 0, sizeof b->kept[o->at]);
		o->judge_items = items_worth_a_look(b, row);
		b->active[b->active_count++] = e->mailbox;
	}
	uint32_t items = r->op == OP_MAIL_ITEMS_ACCESSED && r->access != ACCESS_SYNC ? r->items : 0;
	bool fresh = false, service = false;
	o->records++;
	o->last_us = r->time_us;
	o->syncs += r->access == ACCESS_SYNC && o->syncs < UINT16_MAX;
	o->throttled |= (r->flags & REC_THROTTLED) != 0;
	struct edge_row *client = NULL, *net = NULL;
	if (e->client != NONE) {
		service = e->client < b->subjects[SUBJECT_CLIENT].n && b->subjects[SUBJECT_CLIENT].v[e->client].service;
		client = edge_take(b, row, SUBJECT_CLIENT, e, e->client, items);
	}
	if (net_is_real(e->net))
		net = edge_take(b, row, SUBJECT_NET, e, e->net, items);
	fresh |= (client && client->fresh) || (net && net->fresh);
	if (client && net && !service)
		places_take(b, row, (unsigned)(client - row->clients), net, e->net);
	bool fresh_actor = e->actor != NONE && actor_take(b, row, e);
	fresh |= fresh_actor;
	if (edge_has_trail(b, client))
		trail_take(b, row, SUBJECT_CLIENT, e->client, e, client->fresh);
	if (edge_has_trail(b, net))
		trail_take(b, row, SUBJECT_NET, e->net, e, net->fresh);
	if (e->actor != NONE && actor_has_trail(b, row, e, fresh_actor))
		trail_take(b, row, SUBJECT_ACTOR, e->actor, e, fresh_actor);
	o->all_items += r->items < UINT32_MAX - o->all_items ? r->items : 0;
	if (!service && items)
		o->hours |= UINT32_C(1) << (r->time_us / US_PER_HOUR % 24);
	if (!service && (row_is_young(b, row) || (client && !edge_is_young(b, client)))) {
		uint32_t cell = (uint32_t)(r->time_us / CELL_US % 144);
		if (r->folder && items)
			o->folders[r->folder >> 6 & 1] |= UINT64_C(1) << (r->folder & 63);
		o->items += items < UINT32_MAX - o->items ? items : 0;
		if (cell != o->cell)
			o->cell_items = 0;
		o->cell = cell;
		o->cell_items += items < UINT32_MAX - o->cell_items ? items : 0;
		if (o->cell_items > o->cell_most)
			o->cell_most = o->cell_items;
	}
	struct kept *most = &b->kept[o->at].most;
	if (!most->time_us || (!service && r->items > most->items))
		*most = kept_of(e);
	bool due = (fresh && !o->novel) || (o->novel && o->records >= o->judge_records) || o->items >= o->judge_items;
	o->novel |= fresh;
	if (due) {
		o->judge_records = grown(o->records);
		if (o->items >= o->judge_items)
			o->judge_items = grown(o->items);
	}
	return due && is_warm(b) && !o->crossed_us;
}

void baseline_open(struct baseline *b, uint16_t day)
{
	b->today.counted = false;
	memset(b->today.wave, 0, sizeof b->today.wave);
	b->day = day;
}

/* -- learning -- */

static void sample_add(struct baseline *b, unsigned class_, unsigned which, double y, double expected)
{
	if (b->sample_count == b->sample_capacity) {
		uint32_t capacity = b->sample_capacity ? 2 * b->sample_capacity : 1024;
		struct sample *p = realloc(b->samples, capacity * sizeof *p);
		if (!p)
			return;
		b->samples = p;
		b->sample_capacity = capacity;
	}
	b->samples[b->sample_count++] = (struct sample){ (uint8_t)(class_ * PRIORS + which), (float)y, (float)((y - expected) * (y - expected)) };
}

static void ewma(double *mu, double *v, double y)
{
	/* a step for each edge; a day has dozens in a tenant of thousands */
	const double w = 0.01;
	*v += w * ((y - *mu) * (y - *mu) - *v);
	*mu += w * (y - *mu);
}

static unsigned age_bucket(unsigned age)
{
	return age <= 2 ? 0 : age <= 6 ? 1 : 2;
}

double row_shift(const struct baseline *b, const struct mailbox_row *row)
{
	const struct volume_row *v = &row->volume[PRIOR_WEEKDAY];
	if (v->n < 3)
		return 0;
	double d = SHIFT_SHARE * ((double)v->mean - b->classes[baseline_class(b, row)].prior[PRIOR_WEEKDAY].mu);
	return d < -1 ? -1 : d > 2 ? 2 : d;
}

/* -- what a client or network does wherever it is new -- */

static void subject_advance_model(const struct baseline *b, struct subject_row *s)
{
	int days = b->day - s->model_day;
	if (days > 0) {
		float w = (float)volume_weight(days), slow = (float)exp2(-days / (double)PEAK_HALF_LIFE_DAYS);
		s->young.n *= w;
		s->young.m2 *= w;
		s->throttled *= w;
		s->throttle_days *= w;
		s->peak *= slow;
		s->model_day = b->day;
	}
}

struct subject_row subject_now(const struct baseline *b, enum subject_kind k, uint32_t subject)
{
	struct subject_row s = { 0 };
	if (subject < b->subjects[k].n) {
		s = b->subjects[k].v[subject];
		subject_advance_model(b, &s);
	}
	return s;
}

void subject_learn_peak(struct baseline *b, enum subject_kind k, uint32_t subject, float peak)
{
	struct subject_row *s = subject_make(b, k, subject);
	if (!s)
		return;
	subject_advance_model(b, s);
	if (peak > s->peak)
		s->peak = peak;
}

static void subject_learn(struct baseline *b, enum subject_kind k, uint32_t subject, double y, double weight)
{
	struct subject_row *s = subject_make(b, k, subject);
	if (!s)
		return;
	subject_advance_model(b, s);
	struct volume v = { .n = (double)s->young.n, .mean = (double)s->young.mean, .m2 = (double)s->young.m2 };
	volume_learn(&v, y, weight);
	s->young = (struct small_model){ (float)v.n, (float)v.mean, (float)v.m2 };
}

/* the client that made most records of that mailbox's day, and whether Exchange stopped writing */
static void subject_learn_throttle(struct baseline *b, uint32_t client, bool throttled)
{
	struct subject_row *s = subject_make(b, SUBJECT_CLIENT, client);
	if (!s)
		return;
	subject_advance_model(b, s);
	s->throttled += throttled;
	s->throttle_days += 1;
}

uint32_t busiest_client(const struct mailbox_row *row)
{
	const struct edge_row *best = NULL;
	for (unsigned i = 0; i < ROW_CLIENTS; i++)
		if (row->clients[i].subject && row->clients[i].records && (!best || row->clients[i].records > best->records))
			best = &row->clients[i];
	return best && 2 * (uint32_t)best->records >= row->open.records ? best->subject - 1 : NONE;
}

static void late_push(struct baseline *b, const struct late *l)
{
	if (b->late_count == LATE_MAX) {
		b->refused++;
		return;
	}
	b->late[(b->late_first + b->late_count++) % LATE_MAX] = *l;
}

/* Learns what has been in quarantine for a week: it counts as normal here now. */
static void late_learn(struct baseline *b)
{
	while (b->late_count && b->late[b->late_first].due <= b->day) {
		const struct late *l = &b->late[b->late_first];
		uint16_t *seen = table_put(&b->seen, seen_key(l->kind, l->mailbox, l->subject), NULL);
		if (seen)
			*seen = b->day;
		if (l->fresh) {
			adoption_learn(&b->adoption[l->kind], subject_others(b, l->kind, l->subject), b->present);
			subject_use(b, l->kind, l->subject, 0);
		}
		if (l->y > -100)
			subject_learn(b, l->kind, l->subject, (double)l->y, VOLUME_ROBUST_WEIGHT);
		if (l->throttled && l->kind == SUBJECT_CLIENT)
			subject_learn_throttle(b, l->subject, true);
		b->late_first = (b->late_first + 1) % LATE_MAX;
		b->late_count--;
	}
}

uint64_t pair_key(uint32_t client, uint32_t net) { return hash_mix(hash_mix(client, 0x70616972), net); }

static void pair_learn(struct baseline *b, uint32_t client, uint32_t places_at)
{
	uint16_t *day = places_at ? table_put(&b->pairs, pair_key(client, (places_at >> 1) - 1), NULL) : NULL;
	if (day)
		*day = b->day;
}

static void edges_learn(struct baseline *b, struct mailbox_row *row, uint32_t mailbox, enum subject_kind k, unsigned class_, bool learn)
{
	struct edge_row *v = k == SUBJECT_CLIENT ? row->clients : row->nets;
	unsigned n = k == SUBJECT_CLIENT ? ROW_CLIENTS : ROW_NETS;
	const bool teaches = learn && knows_news(b, row);
	const double shift = row_shift(b, row);
	struct adoption *a = &b->adoption[k];
	for (unsigned i = 0; i < n; i++) {
		struct edge_row *e = &v[i];
		if (!e->subject || !e->records)
			continue;
		uint32_t subject = e->subject - 1;
		double y = log1p(e->items) - shift;
		unsigned age = e->fresh ? 0 : b->day - e->first_day;
		if (!learn && age < YOUNG_DAYS) {
			struct late l = { subject, mailbox, e->items ? (float)y : -1000, (uint16_t)(b->day + QUARANTINE_DAYS), (uint8_t)k, e->fresh,
					  row->open.throttled && busiest_client(row) == subject };
			late_push(b, &l);
		}
		if (!learn && e->fresh) {
			*e = (struct edge_row){ 0 }; /* stays new: an alert must not make it ordinary */
			continue;
		}
		if (e->fresh) {
			if (teaches && k == SUBJECT_CLIENT)
				b->births += subject_others_met(b, k, subject) == 0;
			if (teaches) {
				adoption_learn(a, subject_others_met(b, k, subject), b->present);
				row->news[k] += 1;
				b->classes[class_].news[k] += 1;
				if (e->items)
					ewma(&a->mu_new, &a->v_new, y);
			}
			e->first_day = b->day;
			e->n = e->mean = e->m2 = 0;
			subject_use(b, k, subject, 0);
		} else {
			if (learn && e->items && age < YOUNG_DAYS)
				ewma(&b->age_mu[k][age_bucket(age)], &b->age_v[k][age_bucket(age)], y);
			subject_use(b, k, subject, e->last_day);
		}
		if (learn && e->items && age < YOUNG_DAYS)
			subject_learn(b, k, subject, y, 1);
		if (learn && e->items) {
			double w = volume_weight(b->day - (e->fresh ? b->day : e->last_day));
			struct volume m = { .n = (double)e->n * w, .mean = (double)e->mean, .m2 = (double)e->m2 * w };
			volume_learn(&m, y + shift, 1);
			e->n = (float)m.n;
			e->mean = (float)m.mean;
			e->m2 = (float)m.m2;
		}
		e->last_day = b->day;
		e->items = 0;
		e->records = 0;
		e->syncs = 0;
		if (k == SUBJECT_CLIENT)
			pair_learn(b, subject, row->open.places_at[i]);
		if (k == SUBJECT_CLIENT && age >= ALONE_DAYS && !e->told) {
			e->told = true;
			b->lonely += learn && age < YOUNG_DAYS && subject_others(b, k, subject) <= 1;
		}
		e->fresh = false;
	}
}

static void actors_learn(struct baseline *b, struct mailbox_row *row, uint32_t mailbox, unsigned class_, bool learn)
{
	const bool teaches = learn && knows_news(b, row);
	for (unsigned i = 0; i < ROW_ACTORS; i++) {
		struct actor_row *a = &row->actors[i];
		if (!a->tag || !a->fresh)
			continue;
		if (!learn) {
			struct late l = { row->open.actor, mailbox, -1000, (uint16_t)(b->day + QUARANTINE_DAYS), SUBJECT_ACTOR, true, false };
			late_push(b, &l);
			*a = (struct actor_row){ 0 };
			continue;
		}
		a->fresh = false;
		a->last_day = b->day;
		if (teaches) {
			adoption_learn(&b->adoption[SUBJECT_ACTOR], subject_others_met(b, SUBJECT_ACTOR, row->open.actor), b->present);
			row->news[SUBJECT_ACTOR] += 1;
			b->classes[class_].news[SUBJECT_ACTOR] += 1;
		}
		subject_use(b, SUBJECT_ACTOR, row->open.actor, 0);
	}
}

static void small_learn(struct small_model *m, double y, int days)
{
	double w = volume_weight(days);
	struct volume v = { .n = m->n * w, .mean = m->mean, .m2 = m->m2 * w };
	volume_learn(&v, y, 1);
	*m = (struct small_model){ (float)v.n, (float)v.mean, (float)v.m2 };
}

static void hurdle_learn(struct baseline *b, struct mailbox_row *row, unsigned class_, unsigned which, double y, double weight, bool active)
{
	struct volume_row *r = hurdle_row(row, which);
	struct volume v = volume_wide(r);
	b->classes[class_].days[which] += 1;
	if (active) {
		volume_learn(&v, y, weight);
		b->classes[class_].active[which] += 1;
	} else {
		volume_learn_silent(&v);
	}
	*r = volume_narrow(&v);
}

static void small_day(struct baseline *b, struct small_model *m, unsigned class_, unsigned which, double y, int days)
{
	sample_add(b, class_, which, y, m->n > 1 ? (double)m->mean : b->classes[class_].prior[which].mu);
	small_learn(m, y, days);
}

static void drift_learn(struct drift_row *d, double y, int days)
{
	const float w7 = (float)exp2(-days / 7.0), w90 = (float)exp2(-days / 90.0);
	d->n7 = d->n7 * w7 + 1;
	d->mean7 += ((float)y - d->mean7) / d->n7;
	d->n90 = d->n90 * w90 + 1;
	d->mean90 += ((float)y - d->mean90) / d->n90;
}

static void volume_day(struct baseline *b, struct mailbox_row *row, const struct verdict *v, unsigned class_, bool late)
{
	const unsigned weekend = is_weekend(b->day) ? PRIOR_WEEKEND : PRIOR_WEEKDAY;
	struct open_day *o = &row->open;
	int days = b->day - row->last_active;
	if (o->syncs)
		small_day(b, &row->sync, class_, PRIOR_SYNC, log1p(o->syncs), days);
	double turns = log1p(o->places);
	if (o->places)
		sample_add(b, class_, PRIOR_PLACES, turns, row->places.n > 1 ? (double)row->places.mean : b->classes[class_].prior[PRIOR_PLACES].mu);
	hurdle_learn(b, row, class_, PRIOR_PLACES, turns, 1, o->places > 0);
	if (!o->items) {
		hurdle_learn(b, row, class_, weekend, 0, 0, false);
		return;
	}
	double weight, y = volume_robust(&v->outlook, o->items, v->ln_raw[FAMILY_VOLUME], &weight);
	if (late) { /* learnt at last, after its quarantine */
		double most = v->outlook.mu + VOLUME_ROBUST_SP * v->outlook.sp;
		y = y < most ? y : most;
		weight = VOLUME_ROBUST_WEIGHT;
	}
	hurdle_learn(b, row, class_, weekend, y, weight, true);
	sample_add(b, class_, weekend, y, v->outlook.mu);
	small_day(b, &row->burst, class_, PRIOR_BURST, log1p(o->cell_most), days);
	small_day(b, &row->spread, class_, PRIOR_SPREAD, log1p(folders_seen(o->folders)), days);
	if (weekend == PRIOR_WEEKDAY)
		drift_learn(&row->drift, log1p(o->items), days);
}

/* a mailbox that the model keeps finding odd gets a wider one */
static void follow_surprise(struct mailbox_row *row, double ln_p)
{
	row->surprise += ((float)log(sr_evidence(ln_p)) - row->surprise) / 60;
	if (row->surprise > 0)
		row->widen = row->widen * 1.1f < 4 ? row->widen * 1.1f : 4;
	else if (row->surprise < -0.25f)
		row->widen = 1;
}

static unsigned class_of(const struct baseline *b, const struct mailbox_row *row)
{
	if (row->present > 0 && row->days / row->present < 2.0f / 7)
		return BOX_SPARSE;
	double all = 0, entropy = 0, most = 0, items = 0;
	unsigned delegates = 0;
	for (unsigned i = 0; i < 24; i++)
		all += row->hours[i];
	for (unsigned i = 0; i < 24 && all > 0; i++) {
		double p = row->hours[i] / all;
		entropy -= p > 0 ? p * log(p) : 0;
	}
	for (unsigned i = 0; i < ROW_CLIENTS; i++) {
		double x = row->clients[i].subject ? weight_of(&row->clients[i], b->day) * expm1((double)row->clients[i].mean) : 0;
		items += x;
		most = x > most ? x : most;
	}
	for (unsigned i = 0; i < ROW_ACTORS; i++)
		delegates += row->actors[i].tag && row->actors[i].delegate && b->day - row->actors[i].last_day <= PRESENT_DAYS;
	if (entropy >= 0.9 * log(24) && most > 0.95 * items && items > 0)
		return BOX_SERVICE;
	return delegates >= 3 ? BOX_SHARED : BOX_HUMAN;
}

unsigned baseline_class(const struct baseline *b, const struct mailbox_row *row)
{
	return b->day - row->first_day < YOUNG_DAYS ? BOX_NEW : row->class_;
}

void baseline_learn(struct baseline *b, uint32_t mailbox, const struct verdict *v, bool learn)
{
	struct mailbox_row *row = baseline_row(b, mailbox);
	struct open_day *o = &row->open;
	const bool weekend = is_weekend(b->day);
	unsigned class_ = baseline_class(b, row);
	int days = b->day - row->day;
	float w = (float)volume_weight(days);
	const bool late = learn && v && v->alerted;

	for (unsigned i = 0; i < PRIOR_HURDLES; i++) {
		struct volume_prior prior = baseline_prior(b, class_, i);
		struct volume m = volume_wide(hurdle_row(row, i));
		volume_decay(&m, &prior, days);
		*hurdle_row(row, i) = volume_narrow(&m);
	}
	for (unsigned k = 0; k < SUBJECT_KINDS; k++)
		row->news[k] *= w;
	row->days *= w;
	row->weekend *= w;
	row->throttled *= w;
	row->present = row->present * w + 1;
	row->day = b->day;
	if (!o->active) {
		hurdle_learn(b, row, class_, weekend, 0, 0, false);
	} else {
		uint32_t busiest = busiest_client(row);
		if (learn && busiest != NONE)
			subject_learn_throttle(b, busiest, o->throttled);
		edges_learn(b, row, mailbox, SUBJECT_CLIENT, class_, learn);
		edges_learn(b, row, mailbox, SUBJECT_NET, class_, learn);
		actors_learn(b, row, mailbox, class_, learn);
		if (knows_news(b, row))
			b->classes[class_].new_days += 1;
		b->classes[class_].throttled += o->throttled && learn;
		b->classes[class_].throttle_days += 1;
		row->throttled += o->throttled && learn;
		if (learn && v && !o->throttled)
			volume_day(b, row, v, class_, late);
		if (learn && v)
			follow_surprise(row, v->ln_p_day);
		for (unsigned i = 0; i < 24 && learn; i++)
			if (o->hours >> i & 1) {
				row->hours[i] += row->hours[i] < UINT16_MAX;
				b->classes[class_].hours[i] += 1;
			}
		row->days += 1;
		row->weekend += weekend;
		row->active_days += row->active_days < UINT16_MAX;
		row->last_active = b->day;
		o->active = false;
	}
	if (b->day % 7 == 0) {
		for (unsigned i = 0; i < 24; i++)
			row->hours[i] = (uint16_t)(row->hours[i] * 0.85);
		if (!row->alert_day || b->day - row->alert_day > QUARANTINE_DAYS)
			row->class_ = (uint8_t)class_of(b, row);
	}
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return x < y ? -1 : x > y;
}

static double median(float *v, uint32_t n)
{
	qsort(v, n, sizeof *v, ascending);
	return n % 2 ? (double)v[n / 2] : ((double)v[n / 2 - 1] + (double)v[n / 2]) / 2;
}

static void prior_learn(struct class_prior *p, float *y, float *deviation, uint32_t n)
{
	double sum = 0;
	if (n < PRIOR_FEW)
		return;
	for (uint32_t i = 0; i < n; i++)
		sum += (double)y[i];
	if (!p->set) {
		if (n < PRIOR_FIRST)
			return;
		double m = median(y, n);
		for (uint32_t i = 0; i < n; i++)
			deviation[i] = fabsf(y[i] - (float)m);
		double s = 1.4826 * median(deviation, n);
		*p = (struct class_prior){ m, s * s > VARIANCE_MIN ? s * s : VARIANCE_MIN, true };
		return;
	}
	double v = 2 * median(deviation, n);
	p->mu += PRIOR_WEIGHT * (sum / n - p->mu);
	p->s2 += PRIOR_WEIGHT * ((v > VARIANCE_MIN ? v : VARIANCE_MIN) - p->s2);
}

static void priors_learn(struct baseline *b)
{
	float *y = malloc((2 * (size_t)b->sample_count + 1) * sizeof *y);
	if (!y)
		return;
	for (unsigned slot = 0; slot < BOX_CLASSES * PRIORS; slot++) {
		uint32_t n = 0;
		for (uint32_t i = 0; i < b->sample_count; i++)
			if (b->samples[i].slot == slot) {
				y[n] = b->samples[i].y;
				y[b->sample_count + n++] = b->samples[i].deviation;
			}
		prior_learn(&b->classes[slot / PRIORS].prior[slot % PRIORS], y, y + b->sample_count, n);
	}
	/* until a class has its own, it uses that of all classes together */
	uint32_t n[PRIORS] = { 0 };
	for (unsigned which = 0; which < PRIORS; which++) {
		struct class_prior all = { .mu = 0 };
		for (uint32_t i = 0; i < b->sample_count; i++)
			if (b->samples[i].slot % PRIORS == which) {
				y[n[which]] = b->samples[i].y;
				y[b->sample_count + n[which]++] = b->samples[i].deviation;
			}
		prior_learn(&all, y, y + b->sample_count, n[which]);
		for (unsigned k = 0; k < BOX_CLASSES && all.set; k++)
			if (!b->classes[k].prior[which].set)
				b->classes[k].prior[which] = all;
	}
	free(y);
	b->sample_count = 0;
}

/* Backup, journaling, Microsoft's own readers: in many mailboxes, from a few places, not since yesterday, and in each of
 * its mailboxes every day.  People rest: one weekend distinguishes an office client, whatever its network, from a service. */
static void services_learn(struct baseline *b, const struct world *w)
{
	struct subjects *s = &b->subjects[SUBJECT_CLIENT];
	for (uint32_t i = 0; i < s->n; i++) {
		struct subject_row *c = &s->v[i];
		if (!c->first_day)
			continue;
		double share = b->present ? (double)c->today / b->present : 0;
		uint32_t users = subject_others(b, SUBJECT_CLIENT, i);
		float visited = users ? (float)c->today / (float)users : 0;
		if (c->first_day == b->day)
			c->regular = 1;
		c->regular = visited < c->regular + REGULAR_RISE ? visited : c->regular + REGULAR_RISE;
		c->share += (float)(SHARE_WEIGHT * (share - (double)c->share));
		c->steady = c->regular < REGULAR_MIN ? 0 : c->steady + (c->steady < YOUNG_DAYS);
		c->service = (c->service || c->today >= SERVICE_MAILBOXES) && c->share > SERVICE_SHARE && c->steady >= YOUNG_DAYS &&
			     i < w->client_count && w->clients[i].networks <= SERVICE_NETS && b->day - c->first_day >= YOUNG_DAYS &&
			     (!c->alert_day || b->day - c->alert_day > QUARANTINE_DAYS);
		c->today = 0;
	}
}

void baseline_close(struct baseline *b, const struct world *w)
{
	late_learn(b);
	b->births = 5 + SLOW_GAMMA * (b->births - 5);
	b->lonely = 2 + SLOW_GAMMA * (b->lonely - 2);
	priors_learn(b);
	services_learn(b, w);
	for (unsigned k = 0; k < SUBJECT_KINDS; k++)
		adoption_decay_day(&b->adoption[k]);
	for (unsigned i = 0; i < BOX_CLASSES; i++) {
		struct class_row *c = &b->classes[i];
		for (unsigned k = 0; k < SUBJECT_KINDS; k++)
			c->news[k] *= VOLUME_GAMMA;
		c->new_days *= VOLUME_GAMMA;
		c->throttled *= VOLUME_GAMMA;
		c->throttle_days *= VOLUME_GAMMA;
		for (unsigned k = 0; k < PRIOR_HURDLES; k++) {
			c->active[k] *= VOLUME_GAMMA;
			c->days[k] *= VOLUME_GAMMA;
		}
		for (unsigned k = 0; k < 24; k++)
			c->hours[k] *= VOLUME_GAMMA;
	}
	for (unsigned i = 0; i <= BOX_CLASSES; i++)
		for (unsigned k = 0; k < SCORES; k++)
			cal_close(&b->cal[i][k]);
	b->data_days += b->data_days < UINT16_MAX;
	b->active_count = 0;
	b->trail_count = 0;
}
