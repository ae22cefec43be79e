/* SPDX-License-Identifier: Apache-2.0 */
/* day: what the audit log shows of one mailbox on one day.
 *
 * First all read: the owner or the delegates through their applications, the services in the background, the
 * backup, the events of the day's plan, and an attacker.  Then the log's own rules, as the audit log reference
 * describes them: reads of one context within two minutes share a record until it holds ten or eleven items; more than
 * 1,000 records in 24 hours silence reads for 24 hours, and synchronising goes on. (That a read of the same message in
 * the same context is not logged again within the hour is kept by never making one.) */
#include <stdlib.h>

#include "sim/sim_int.h"

#define WINDOW_SECONDS	 120
#define WINDOW_ITEMS	 10 /* a record is full at ten or eleven items */
#define RECORD_ITEMS_MAX 11
#define THROTTLE_RECORDS 1000
#define FOLDERS		 12
#define DELEGATES_MAX	 10
#define OUTLIER_CHANCE	 0.002
#define OUTLIER_MAX	 200
#define VACATION_BLOCK	 120
#define REREAD_CHANCE	 0.3 /* of a record: mail of the days before */
#define STORM_CHANCE	 0.6 /* of those with Outlook: a fifth of all */
#define OFFICE_HOST	 5   /* where administrators sit */

/* Local hours of 1,000 reads, summed: five busy ones with 11 to 12 % each, 0.1 % in each of the three quietest. */
static const uint16_t hour_sums[24] = { 3,   5,	  6,   7,   8,	 11,  19,  39,	94,  208, 326, 441,
					501, 581, 697, 809, 879, 919, 941, 956, 971, 984, 994, 1000 };
static const double weekday_factor[7] = { 1, 1.05, 1.05, 1, 0.9, 0.15, 0.1 };
#define WEEKEND_FROM   5
#define WEEKEND_ACTIVE 0.5 /* share of weekend days with any reading, of those who do not work then */

static bool has(const struct sim *s, unsigned confounder)
{
	return s->set.confounders >> confounder & 1;
}

uint32_t second_of_day(struct draw *d, const struct mailbox *m)
{
	uint32_t hour = 0;

	if (m->class_ == CLASS_SERVICE)
		return draw_below(d, DAY_SECONDS);
	const uint32_t u = draw_below(d, 1000);
	while (hour_sums[hour] <= u)
		hour++;
	return (hour + m->zone) % 24 * 3600 + draw_below(d, 3600);
}

/* 39 % one, 18 % two, 11 % three, 19 % four to nine, 14 % ten or eleven */
uint32_t draw_operation_count(struct draw *d)
{
	static const uint16_t sums[11] = { 386, 564, 673, 727, 767, 797, 822, 842, 861, 941, 1000 };
	const uint32_t u = draw_below(d, 1000);
	uint32_t n = 0;

	while (sums[n] <= u)
		n++;
	return n + 1;
}

uint32_t place_now(const struct sim *s, const struct mailbox *m, const struct plan *plan, uint32_t app_place,
		   uint32_t app, uint32_t second)
{
	const uint64_t today = hash_mix(hash_mix(s->set.seed, m->who), (uint64_t)plan->day << 16 | app);
	const uint32_t hour = (second / 3600 + 24 - m->zone) % 24;

	switch (app_place) {
	case APP_MOBILE:
		return place_of(m->mobile, false, (uint32_t)today);
	case APP_VENDOR:
		return place_of(NET_VENDOR + app % NET_VENDORS, false, app * 3 + (uint32_t)(today & 1));
	case APP_FRONT_END:
		return place_of(NET_FRONT_END, false, (uint32_t)today & 255);
	case APP_DATA_CENTRE:
		return place_of(NET_DATA_CENTRE, false, (uint32_t)today & 4095);
	default:
		break;
	}
	if (plan->day < m->away_until)
		return place_of(m->away, false, m->home_host);
	if (m->desk && plan->weekday < WEEKEND_FROM && hour >= 8 && hour < 18)
		return place_of(plan->office, false, 16 + m->who % 8);
	return place_of(m->home, m->v6, m->home_host);
}

/* -- making -- */

struct maker {
	struct sim *s;
	const struct mailbox *m;
	const struct plan *plan;
	struct recs *recs;
	uint32_t actor;
	uint8_t logon;
};

static struct simrec *add(const struct maker *k, uint32_t second, uint32_t app, uint32_t place, uint32_t items,
			  uint32_t message)
{
	struct simrec *r = recs_add(k->recs);

	if (!r)
		return NULL;
	r->time = (int32_t)(k->plan->day * DAY_SECONDS + second);
	r->who = k->m->who;
	r->actor = k->actor;
	r->logon = k->logon;
	r->place = place;
	r->app = (uint16_t)app;
	r->items = (uint8_t)items;
	r->message = message;
	r->form = k->m->form;
	r->folder = (uint8_t)(message % 5 == 4 ? 1 + message % 3 : 0);
	return r;
}

/* that many items through one application over the hours of work */
static void read_items(const struct maker *k, struct draw *d, uint32_t app, uint32_t items)
{
	const struct app *a = app_get(k->s, app);
	uint32_t fresh = 0, old = draw_below(d, 30), left = items;

	while (a && left && !k->recs->failed) {
		uint32_t n = draw_operation_count(d), message;
		const uint32_t second = second_of_day(d, k->m);
		if (n > left)
			n = left;
		left -= n;
		if (k->plan->day && draw_chance(d, REREAD_CHANCE)) {
			message = (k->plan->day - 1) << 16 | (old & 0xffff);
			old += n;
		} else {
			message = k->plan->day << 16 | (fresh & 0xffff);
			fresh += n;
		}
		add(k, second, app, place_now(k->s, k->m, k->plan, a->place, app, second), n, message);
	}
}

static void sync_folders(const struct maker *k, struct draw *d, uint32_t wanted)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < wanted; i++) {
		const uint32_t folder = draw_below(d, FOLDERS), second = second_of_day(d, k->m);
		struct simrec *r;
		if (done >> folder & 1)
			continue;
		done |= 1u << folder;
		r = add(k, second, APP_OUTLOOK, place_now(k->s, k->m, k->plan, APP_USER, APP_OUTLOOK, second), 0, 0);
		if (!r)
			return;
		r->kind = REC_SYNC;
		r->folder = (uint8_t)folder;
		r->form = 0;
	}
}

static bool on_vacation(struct sim *s, const struct mailbox *m, uint32_t day)
{
	struct draw d = draw_of(s->set.seed, m->who, day / VACATION_BLOCK, DRAW_VACATION);
	const bool goes = draw_chance(&d, 0.5);
	const uint32_t first = day / VACATION_BLOCK * VACATION_BLOCK + draw_below(&d, VACATION_BLOCK - 14);
	const uint32_t last = first + 2 + draw_below(&d, 12);

	if (!goes || !has(s, SIM_VACATION) || m->class_ != CLASS_HUMAN || day < first || day > last)
		return false;
	if (day == first)
		event_one(s, SIM_VACATION, first, last, m->who, 0xffff, 0xffff);
	return true;
}

/* items that the owner or the delegates read today */
static double items_today(const struct maker *k)
{
	struct sim *s = k->s;
	const struct mailbox *m = k->m;
	struct draw d = draw_of(s->set.seed, m->who, k->plan->day, DRAW_VOLUME);
	double x = exp(m->log_rate + m->noise * draw_normal(&d)), active = m->active;
	const double u = draw_unit(&d);

	if (m->class_ == CLASS_ROOM)
		return 0;
	if (m->class_ != CLASS_SERVICE) {
		const bool weekend = k->plan->weekday >= WEEKEND_FROM;
		if (weekend && m->weekend)
			x *= 0.8 + 0.2 * draw_unit(&d);
		else
			x *= weekday_factor[k->plan->weekday];
		if (weekend && !m->weekend)
			active *= WEEKEND_ACTIVE;
	}
	if (u >= active)
		return 0;
	if (on_vacation(s, m, k->plan->day))
		x *= 0.03;
	if (has(s, SIM_OUTLIER)) {
		struct draw o = draw_of(s->set.seed, m->who, k->plan->day, DRAW_OUTLIER);
		if (draw_chance(&o, OUTLIER_CHANCE)) {
			const double factor = 1 + 4 * draw_pareto(&o, 1.3);
			x *= factor < OUTLIER_MAX ? factor : OUTLIER_MAX;
			event_one(s, SIM_OUTLIER, k->plan->day, k->plan->day, m->who, 0xffff, 0xffff);
		}
	}
	return x;
}

/* A shared mailbox is read by its delegates, each from where he would be. */
static void read_shared(struct maker *k, struct draw *d, uint32_t app, uint32_t items)
{
	struct sim *s = k->s;
	const struct mailbox *shared = k->m;
	struct draw of = draw_of(s->set.seed, shared->who, 0, DRAW_DELEGATE);
	const uint32_t delegates = 3 + draw_below(&of, DELEGATES_MAX - 2);
	uint32_t slots[DELEGATES_MAX];

	for (uint32_t i = 0; i < delegates; i++)
		for (int tries = 0; tries < 20; tries++) {
			slots[i] = draw_below(&of, s->set.mailboxes);
			if (class_of(s, slots[i]) == CLASS_HUMAN)
				break;
		}
	/* one or two of them on a day */
	for (uint32_t turn = 0, turns = 1 + draw_below(d, 2); turn < turns; turn++) {
		const uint32_t slot = slots[draw_below(d, delegates)];
		const uint32_t share = turn + 1 == turns ? items : items / 2;
		uint32_t born;
		const uint32_t who = occupant_of(s, slot, k->plan->day, &born);
		struct mailbox delegate;
		mailbox_begin(s, &delegate, who, born);
		delegate.who = shared->who; /* the mailbox is the shared one; only place and hours are his */
		delegate.form = shared->form;
		struct maker his = *k;
		his.m = &delegate;
		his.actor = who;
		his.logon = LOGON_DELEGATE_TYPE;
		read_items(&his, d, app, share);
		items -= share;
	}
}

static void background(const struct maker *k)
{
	struct draw d = draw_of(k->s->set.seed, k->m->who, k->plan->day, DRAW_BACKGROUND);
	uint32_t n = draw_poisson(&d, k->m->class_ == CLASS_DORMANT ? 0.2 : 3), left;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t second = draw_below(&d, DAY_SECONDS), app = APP_SYSTEM + draw_below(&d, APP_SYSTEMS);
		add(k, second, app, place_now(k->s, k->m, k->plan, APP_DATA_CENTRE, app, second), 1 + draw_below(&d, 2),
		    k->plan->day << 16 | i * 2);
	}
	left = draw_poisson(&d, k->m->class_ == CLASS_DORMANT ? 1 : 9);
	for (uint32_t second = 3600 + draw_below(&d, 3 * 3600), at = 0; left; second += WINDOW_SECONDS) {
		const uint32_t part = left < RECORD_ITEMS_MAX ? left : RECORD_ITEMS_MAX;
		add(k, second, APP_BACKUP, place_now(k->s, k->m, k->plan, APP_VENDOR, APP_BACKUP, second), part,
		    k->plan->day << 16 | at);
		left -= part;
		at += part;
	}
}

/* an add-in that looks every quarter of an hour; the log shows the first look of each hour */
static void poll(const struct maker *k)
{
	const uint32_t minute = k->m->who % 15;

	for (uint32_t hour = 8; hour < 18; hour++)
		add(k, (hour + k->m->zone) % 24 * 3600 + minute * 60, APP_POLL,
		    place_now(k->s, k->m, k->plan, APP_FRONT_END, APP_POLL, 0), 1, k->plan->day << 16 | hour);
}

static void migrate(const struct maker *k)
{
	struct draw d = draw_of(k->s->set.seed, k->m->who, k->plan->day, DRAW_MIGRATION);
	const double items = exp(log(2000) + 0.7 * draw_normal(&d));
	uint32_t left = items < 30000 ? (uint32_t)items : 30000;

	event_member(k->s, SIM_MIGRATION, k->plan->migration_begin, k->plan->migration_end, k->m->who, APP_MIGRATION,
		     NET_VENDOR + APP_MIGRATION % NET_VENDORS);
	for (uint32_t at = 0; left && !k->recs->failed;) {
		const uint32_t n = left < RECORD_ITEMS_MAX ? left : 10 + draw_below(&d, 2),
			       second = draw_below(&d, 10 * 3600);
		add(k, (second + 20 * 3600) % DAY_SECONDS, APP_MIGRATION,
		    place_now(k->s, k->m, k->plan, APP_VENDOR, APP_MIGRATION, second), n, 0xf000u << 16 | at);
		left -= n;
		at = (at + n) & 0xffff;
	}
}

static void sweep(struct maker k)
{
	struct draw d = draw_of(k.s->set.seed, k.m->who, k.plan->day, DRAW_SWEEP);

	if (!draw_chance(&d, 0.1))
		return;
	event_member(k.s, SIM_SWEEP, k.plan->day, k.plan->day, k.m->who, APP_SWEEP, k.plan->office);
	k.actor = ACTOR_ADMIN;
	k.logon = LOGON_ADMIN_TYPE;
	for (uint32_t i = 0, n = 1 + draw_below(&d, 3), second = (9 + draw_below(&d, 8)) * 3600; i < n;
	     i++, second += 130)
		add(&k, second, APP_SWEEP, place_of(k.plan->office, false, OFFICE_HOST), 1 + draw_below(&d, 10),
		    0xe000u << 16 | i * 11);
}

static bool uses_outlook(const struct mailbox *m)
{
	for (unsigned i = 0; i < m->apps; i++)
		if (m->app[i] == APP_OUTLOOK)
			return true;
	return false;
}

static void innocent(struct maker *k, uint32_t slot)
{
	struct sim *s = k->s;
	const struct mailbox *m = k->m;
	struct draw d = draw_of(s->set.seed, m->who, k->plan->day, DRAW_RECORDS);
	const double items = items_today(k);
	double sum = 0;

	for (unsigned i = 0; i < m->apps; i++)
		sum += m->share[i];
	for (unsigned i = 0; i < m->apps && items > 0; i++) {
		const uint32_t n = draw_poisson(&d, items * m->share[i] / sum);
		if (m->class_ == CLASS_SHARED)
			read_shared(k, &d, m->app[i], n);
		else
			read_items(k, &d, m->app[i], n);
		if (m->app[i] == APP_OUTLOOK && m->class_ == CLASS_HUMAN)
			sync_folders(k, &d, draw_poisson(&d, 3));
	}
	if (items > 0 && m->poll && m->class_ == CLASS_HUMAN && k->plan->weekday < WEEKEND_FROM)
		poll(k);
	background(k);
	if (k->plan->storm) {
		struct draw storm = draw_of(s->set.seed, m->who, k->plan->day, DRAW_STORM);
		if (m->class_ == CLASS_HUMAN && uses_outlook(m) && draw_chance(&storm, STORM_CHANCE)) {
			sync_folders(k, &storm, 4 * FOLDERS);
			event_member(s, SIM_SYNC_STORM, k->plan->day, k->plan->day, m->who, APP_OUTLOOK, 0xffff);
		}
	}
	if (k->plan->sweep)
		sweep(*k);
	if (k->plan->migration &&
	    (slot + s->set.mailboxes - k->plan->migration_first) % s->set.mailboxes < k->plan->migration_n &&
	    (m->class_ == CLASS_HUMAN || m->class_ == CLASS_SHARED))
		migrate(k);
}

/* -- the log's rules -- */

#define ORDER(a, b)                                                                                                    \
	if ((a) != (b))                                                                                                \
	return (a) < (b) ? -1 : 1

static int by_context(const void *left, const void *right)
{
	const struct simrec *a = left, *b = right;

	ORDER(a->app, b->app);
	ORDER(a->place, b->place);
	ORDER(a->actor, b->actor);
	ORDER(a->attack, b->attack);
	ORDER(a->kind, b->kind);
	ORDER(a->time, b->time);
	ORDER(a->serial, b->serial);
	return 0;
}

static int by_time(const void *left, const void *right)
{
	const struct simrec *a = left, *b = right;

	ORDER(a->time, b->time);
	ORDER(a->serial, b->serial);
	return 0;
}

/* the same reader: one session, one token a day */
static bool same_context(const struct simrec *a, const struct simrec *b)
{
	return a->app == b->app && a->place == b->place && a->actor == b->actor && a->attack == b->attack;
}

static void add_signin(struct sim *s, const struct mailbox *m, const struct simrec *r, struct signins *out)
{
	const struct app *a = app_get(s, r->app);
	struct simsignin *g;

	if (!s->set.signins || !a || (r->flags & RECFLAG_NO_SIGNIN) || !(a->token || a->session))
		return;
	if (out->failed || !sim_grow((void **)&out->v, out->n, &out->capacity, sizeof(*out->v))) {
		out->failed = true;
		return;
	}
	g = &out->v[out->n++];
	*g = (struct simsignin) { .time = r->issued + 300,
				  .actor = r->actor,
				  .who = r->who,
				  .place = r->place,
				  .app = r->app,
				  .attack = r->attack,
				  .token_place = r->place,
				  .day = (uint32_t)(r->time / DAY_SECONDS) };
	if (place_net(r->place) == NET_FRONT_END) /* he signed in from where he is, not from Graph */
		g->place = r->attack ? s->attacks[r->attack - 1].place[0] : place_of(m->home, m->v6, m->home_host);
}

/* v[0..n) sorted by context: joins what shares a record, dates the tokens; returns how many are left */
static size_t aggregate(struct sim *s, const struct mailbox *m, struct simrec *v, size_t n, struct signins *ret_signins)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct simrec *last = kept ? &v[kept - 1] : NULL;
		const bool same = last && same_context(last, &v[i]);
		if (same && last->kind == REC_BIND && v[i].kind == REC_BIND &&
		    v[i].time - last->time < WINDOW_SECONDS && !(v[i].flags & RECFLAG_OWN_SESSION) &&
		    last->items < WINDOW_ITEMS) {
			const uint32_t room = RECORD_ITEMS_MAX - last->items,
				       moved = v[i].items < room ? v[i].items : room;
			last->items = (uint8_t)(last->items + moved);
			v[i].items = (uint8_t)(v[i].items - moved);
			v[i].message += moved;
			if (!v[i].items)
				continue;
		}
		if (same) {
			v[i].issued = last->issued;
		} else {
			/* issued shortly before its first use; the sign-in is noted five minutes after the issue.  Binds
			 * come before syncs here, whichever was first */
			int32_t first = v[i].time;
			for (size_t k = i + 1; k < n && same_context(&v[i], &v[k]); k++)
				first = v[k].time < first ? v[k].time : first;
			v[i].issued = first - 60 -
				      (int32_t)(hash_mix(v[i].who, (uint64_t)v[i].place << 16 | v[i].app) % 240) - 300;
			add_signin(s, m, &v[i], ret_signins);
		}
		v[kept++] = v[i];
	}
	return kept;
}

/* v[0..n) in time order: what a throttled mailbox does not log goes */
static size_t throttle(struct mailbox *m, struct simrec *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const uint32_t hour = (uint32_t)v[i].time / 3600;
		if (v[i].kind == REC_BIND) {
			if (v[i].time < m->blind_until)
				continue;
			if (hour >= m->hour_of_count + 24) {
				memset(m->count, 0, sizeof(m->count));
				m->count_sum = 0;
				m->hour_of_count = hour;
			}
			while (m->hour_of_count < hour) {
				m->hour_of_count++;
				m->count_sum -= m->count[m->hour_of_count % 24];
				m->count[m->hour_of_count % 24] = 0;
			}
			m->count[hour % 24]++;
			if (++m->count_sum > THROTTLE_RECORDS) {
				v[i].flags |= RECFLAG_THROTTLED;
				m->blind_until = v[i].time + DAY_SECONDS;
				memset(m->count, 0, sizeof(m->count));
				m->count_sum = 0;
			}
		}
		v[kept++] = v[i];
	}
	return kept;
}

static void number(struct simrec *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i].serial = (uint32_t)i;
}

void mailbox_day(struct sim *s, uint32_t slot, struct mailbox *m, const struct plan *plan, struct recs *ret,
		 struct signins *ret_signins)
{
	const size_t before = ret->n;
	struct maker k = { s, m, plan, ret, m->who, LOGON_OWNER_TYPE };
	size_t n;

	innocent(&k, slot);
	if (m->attack)
		attack_day(s, m, plan, ret);
	if (ret->failed)
		return;
	n = ret->n - before;
	if (!n)
		return;
	number(ret->v + before, n);
	qsort(ret->v + before, n, sizeof(*ret->v), by_context);
	n = aggregate(s, m, ret->v + before, n, ret_signins);
	qsort(ret->v + before, n, sizeof(*ret->v), by_time);
	n = throttle(m, ret->v + before, n);
	number(ret->v + before, n);
	ret->n = before + n;
}
