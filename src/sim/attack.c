/* SPDX-License-Identifier: Apache-2.0 */
/* attack: who is attacked, when and how; and what the log shows of it.
 *
 * Victims are persons, each of one attack at most, and stay for the whole time.  A kind takes a tenth of the
 * mailboxes at most and all kinds together a half; attacks without room are dropped and counted. */
#include <stdlib.h>

#include "sim/sim_int.h"

#define VICTIM_TRIES	 400
#define LOUD_ITEMS_A_DAY 1200 /* 60,000 of ten mailboxes in five days */
#define PACED_SECONDS	 72
#define SYNC_FOLDERS	 12
#define FLOOD_RECORDS	 1010

static const uint32_t durations[SIM_KINDS] = {
#define ATTACK(name, text, duration, doc) duration,
#include "sim/attack_names.h"
#undef ATTACK
};

/* -- the schedule -- */

static uint32_t victims_wanted(const struct sim *s, unsigned kind)
{
	const uint32_t most = s->set.mailboxes < 40 ? 2 : s->set.mailboxes / 20;
	uint32_t n = 1;

	switch (kind) {
	case SIM_A1:
	case SIM_A1B:
	case SIM_A1C:
		n = 10;
		break;
	case SIM_A9:
		n = 200;
		break;
	case SIM_A10:
		n = 50;
		break;
	case SIM_A12:
		n = 3;
		break;
	default:
		break;
	}
	return n < most ? n : most;
}

static unsigned main_app(const struct mailbox *m)
{
	unsigned best = 0;

	for (unsigned i = 1; i < m->apps; i++)
		if (m->share[i] > m->share[best])
			best = i;
	return m->apps ? m->app[best] : APP_OWA;
}

static bool suits(struct sim *s, unsigned kind, const struct mailbox *m)
{
	const struct app *a = app_get(s, main_app(m));

	if (m->class_ != CLASS_HUMAN || !a || !m->apps)
		return false;
	/* the application must show its user's address */
	if (kind == SIM_A4 || (kind >= SIM_A5 && kind <= SIM_A5D) || kind == SIM_A8)
		return a->place == APP_USER || a->place == APP_MOBILE;
	return true;
}

/* an application that many use and this one does not, which shows its address */
static unsigned known_app(struct sim *s, struct draw *d, const struct mailbox *m)
{
	uint16_t candidates[6];
	unsigned n = 0;

	for (unsigned app = APP_MAC; app < APPS_COMMON && n < 6; app++) {
		const struct app *a = app_get(s, app);
		bool used = !a || a->place == APP_FRONT_END;
		for (unsigned i = 0; i < m->apps; i++)
			used |= m->app[i] == app;
		if (!used)
			candidates[n++] = (uint16_t)app;
	}
	return n ? candidates[draw_below(d, n)] : APP_MAC;
}

static uint32_t rare_place(struct draw *d)
{
	const uint32_t net = NET_RARE + draw_below(d, NETS - NET_RARE);

	return place_of(net, false, 1 + draw_below(d, 250));
}

static void choose_channel(struct sim *s, struct attack *x, struct draw *d)
{
	struct mailbox first;
	uint32_t net;

	mailbox_begin(s, &first, s->victims[x->victim_first].slot, 0);
	for (int i = 0; i < 3; i++)
		x->place[i] = rare_place(d);
	switch (x->kind) {
	case SIM_A3:
		x->app = (uint16_t)known_app(s, d, &first);
		break;
	case SIM_A5:
	case SIM_A5B:
	case SIM_A5C:
	case SIM_A5D:
		do
			net = draw_below(d, 10);
		while (net == first.home);
		x->place[0] = place_of(net, false, 1 + draw_below(d, 65535));
		x->app = (uint16_t)main_app(&first);
		break;
	case SIM_A4:
	case SIM_A6:
	case SIM_A8:
	case SIM_A11:
		x->app = (uint16_t)main_app(&first);
		break;
	case SIM_A7:
		x->app = APP_OUTLOOK;
		break;
	case SIM_A9:
		x->app = APP_SWEEP;
		x->actor = ACTOR_ADMIN + 1;
		x->place[0] = place_of(net_popular(s, d), false, 1 + draw_below(d, 250));
		break;
	case SIM_A10:
		x->app = APP_OWA;
		break;
	default:
		x->app = (uint16_t)(APP_ATTACK + (x - s->attacks));
		break;
	}
}

/* false: no room for it */
static bool place_instance(struct sim *s, unsigned kind, unsigned number)
{
	struct attack *x = &s->attacks[s->attack_count];
	const uint32_t wanted = victims_wanted(s, kind), index = (uint32_t)s->attack_count;
	const uint32_t room = s->set.days > s->set.learn_days ? s->set.days - s->set.learn_days : 0;
	const uint32_t length = durations[kind] < room ? durations[kind] : room;
	struct draw d = draw_of(s->set.seed, number, kind, DRAW_ATTACK);
	uint32_t found = 0;

	if (s->victim_count + wanted > s->set.mailboxes / 2 || (kind != SIM_A12 && !length))
		return false;
	*x = (struct attack) { .kind = (uint8_t)kind,
			       .number = (uint16_t)number,
			       .victims = wanted,
			       .victim_first = (uint32_t)s->victim_count,
			       .seen_first = INT32_MAX,
			       .seen_last = INT32_MIN };
	x->first = kind == SIM_A12 ? 0 : s->set.learn_days + draw_below(&d, room - length + 1);
	x->last = kind == SIM_A12 ? s->set.days - 1 : x->first + length - 1;
	for (unsigned tries = 0; found < wanted && tries < wanted * VICTIM_TRIES; tries++) {
		const uint32_t slot = draw_below(&d, s->set.mailboxes);
		struct mailbox m;
		if (s->victim_of[slot])
			continue;
		mailbox_begin(s, &m, slot, 0);
		if (!suits(s, kind, &m))
			continue;
		s->victim_of[slot] = (uint16_t)(index + 1);
		s->victim_index[slot] = x->victim_first + found;
		s->victims[x->victim_first + found++] = (struct victim) { .slot = slot, .first = INT32_MAX };
	}
	if (found < wanted) {
		while (found)
			s->victim_of[s->victims[x->victim_first + --found].slot] = 0;
		return false;
	}
	s->victim_count += wanted;
	choose_channel(s, x, &d);
	s->attack_count++;
	return true;
}

bool attacks_plan(struct sim *s)
{
	uint32_t taken[SIM_KINDS] = { 0 };
	size_t most = 0;

	for (unsigned kind = 0; kind < SIM_KINDS; kind++)
		most += s->set.attacks >> kind & 1 ? s->set.instances : 0;
	s->attacks = calloc(most + 1, sizeof(*s->attacks));
	s->victims = calloc(s->set.mailboxes + 1, sizeof(*s->victims));
	s->victim_of = calloc(s->set.mailboxes + 1, sizeof(*s->victim_of));
	s->victim_index = calloc(s->set.mailboxes + 1, sizeof(*s->victim_index));
	if (!s->attacks || !s->victims || !s->victim_of || !s->victim_index)
		return false;
	/* in rounds, so that all kinds lose equally */
	for (unsigned number = 1; number <= s->set.instances; number++)
		for (unsigned kind = 0; kind < SIM_KINDS; kind++) {
			if (!(s->set.attacks >> kind & 1))
				continue;
			const uint32_t wanted = victims_wanted(s, kind);
			if ((taken[kind] && taken[kind] + wanted > s->set.mailboxes / 10) ||
			    !place_instance(s, kind, number))
				s->dropped[kind]++;
			else
				taken[kind] += wanted;
		}
	return true;
}

/* -- a day of it -- */

struct thief {
	struct sim *s;
	const struct attack *x;
	const struct mailbox *m;
	const struct plan *plan;
	struct recs *recs;
	struct draw d;
	uint32_t next; /* message */
};

static struct simrec *steal(struct thief *t, uint32_t second, uint32_t place, uint32_t items)
{
	struct simrec *r = recs_add(t->recs);

	if (!r)
		return NULL;
	r->time = (int32_t)(t->plan->day * DAY_SECONDS + second % DAY_SECONDS);
	r->who = t->m->who;
	r->actor = t->x->actor ? t->x->actor : t->m->who;
	r->logon = t->x->actor ? LOGON_ADMIN_TYPE : LOGON_OWNER_TYPE;
	r->place = place;
	r->app = t->x->app;
	r->attack = (uint16_t)(t->x - t->s->attacks + 1);
	r->items = (uint8_t)items;
	r->message = 0x8000u << 16 | (t->next & 0xffff);
	r->form = t->m->form;
	t->next += items;
	if (t->s->set.forged >> t->x->kind & 1)
		r->flags |= RECFLAG_NO_SIGNIN; /* forged: no sign-in */
	return r;
}

/* about that many */
static uint32_t about(struct thief *t, double items)
{
	return (uint32_t)(items * exp(0.1 * draw_normal(&t->d)) + 0.5);
}

/* over a span of the day, in records of the usual sizes */
static void steal_many(struct thief *t, uint32_t items, uint32_t from, uint32_t seconds, uint32_t place)
{
	while (items && !t->recs->failed) {
		const uint32_t n = draw_operation_count(&t->d), part = n < items ? n : items;
		steal(t, from + draw_below(&t->d, seconds), place, part);
		items -= part;
	}
}

/* as the owner does: his hours, and where he is (`place` 0) */
static void steal_like_owner(struct thief *t, uint32_t items, uint32_t place)
{
	const struct app *a = app_get(t->s, t->x->app);

	while (items && a && !t->recs->failed) {
		const uint32_t n = draw_operation_count(&t->d), part = n < items ? n : items,
			       second = second_of_day(&t->d, t->m);
		steal(t, second, place ? place : place_now(t->s, t->m, t->plan, a->place, t->x->app, second), part);
		items -= part;
	}
}

static void steal_quietly(struct thief *t)
{
	for (uint32_t i = 0; i < 5; i++) {
		uint32_t second = second_of_day(&t->d, t->m);
		struct simrec *r;
		if (t->x->kind == SIM_A5B)
			second = ((1 + draw_below(&t->d, 3)) % 24 + t->m->zone) % 24 * 3600 + draw_below(&t->d, 3600);
		else if (t->x->kind == SIM_A5C)
			second = (9 + i + t->m->zone) % 24 * 3600 + 17 * 60;
		r = steal(t, second, t->x->place[0], 1);
		if (r && t->x->kind == SIM_A5D)
			r->message = (t->plan->day - 1) << 16 | i;
	}
}

/* Pages through mail with a new session for each, until the log falls silent; then reads in peace. */
static void flood(struct thief *t, uint32_t age)
{
	if (age == 0)
		for (uint32_t i = 0; i < FLOOD_RECORDS; i++) {
			struct simrec *r = steal(t, 6 * 3600 + i * 1800 / FLOOD_RECORDS, t->x->place[0], 1);
			if (!r)
				return;
			r->flags |= RECFLAG_OWN_SESSION;
		}
	steal_many(t, about(t, age == 0 ? 1000 : 50), 7 * 3600, 6 * 3600, t->x->place[0]);
}

static void sync_all(struct thief *t, uint32_t age)
{
	const uint32_t folders = age == 0 ? SYNC_FOLDERS : 3, from = 8 * 3600 + draw_below(&t->d, 4 * 3600);

	for (uint32_t i = 0; i < folders; i++) {
		struct simrec *r = steal(t, from + i * 7, t->x->place[0], 0);
		if (!r)
			return;
		r->kind = REC_SYNC;
		r->folder = (uint8_t)i;
		r->form = 0;
	}
}

void attack_day(struct sim *s, const struct mailbox *m, const struct plan *plan, struct recs *ret)
{
	const struct attack *x = &s->attacks[m->attack - 1];
	const uint32_t age = plan->day - x->first;
	struct thief t = { s, x, m, plan, ret, draw_of(s->set.seed, m->who, plan->day, DRAW_ATTACK_DAY), age * 2048 };
	const struct app *a = app_get(s, x->app);

	if (plan->day < x->first || plan->day > x->last || !a)
		return;
	switch (x->kind) {
	case SIM_A1:
	case SIM_A1B:
		steal_many(&t, about(&t, LOUD_ITEMS_A_DAY), 2 * 3600, 7 * 3600, x->place[m->attack_part % 3]);
		break;
	case SIM_A1C:
		for (uint32_t second = m->attack_part * 5; second < DAY_SECONDS; second += PACED_SECONDS)
			steal(&t, second, x->place[m->attack_part % 3], 1);
		break;
	case SIM_A2:
		steal_many(&t, about(&t, 30), 6 * 3600, 10 * 3600, place_now(s, m, plan, a->place, x->app, 0));
		break;
	case SIM_A3:
		steal_many(&t, about(&t, 100), 6 * 3600, 10 * 3600, x->place[0]);
		break;
	case SIM_A4:
		steal_like_owner(&t, about(&t, 50), x->place[0]);
		break;
	case SIM_A5:
	case SIM_A5B:
	case SIM_A5C:
	case SIM_A5D:
		steal_quietly(&t);
		break;
	case SIM_A6:
		steal_like_owner(&t, about(&t, 1000), 0);
		break;
	case SIM_A7:
		sync_all(&t, age);
		break;
	case SIM_A8:
		flood(&t, age);
		break;
	case SIM_A9:
		steal_many(&t, 15, (6 + m->attack_part * 10 / x->victims) * 3600, 3600, x->place[0]);
		break;
	case SIM_A10:
		steal_many(&t, 3, 9 * 3600, 2 * 3600, x->place[0]);
		break;
	case SIM_A11:
		steal_like_owner(&t, about(&t, exp(m->log_rate) * (pow(1.05, age + 1) - 1)), 0);
		break;
	case SIM_A12:
		steal_many(&t, about(&t, 150), 6 * 3600, 10 * 3600, x->place[0]);
		break;
	default:
		break;
	}
}

/* -- what the log shows -- */

static void remember(uint32_t *list, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++) {
		if (!list[i])
			list[i] = value;
		if (list[i] == value)
			return;
	}
}

bool attack_saw(struct sim *s, const struct simrec *r)
{
	struct attack *x = &s->attacks[r->attack - 1];
	struct victim *v = &s->victims[s->victim_index[r->who & 0xffffff]];
	const uint32_t hour = (uint32_t)r->time / 3600;
	size_t i = x->hour_count;

	x->items += r->items;
	v->items += r->items;
	x->records++;
	v->records++;
	x->syncs += r->kind == REC_SYNC;
	if (r->time < x->seen_first)
		x->seen_first = r->time;
	if (r->time > x->seen_last)
		x->seen_last = r->time;
	if (r->time < v->first)
		v->first = r->time;
	remember(x->apps_seen, sizeof(x->apps_seen) / sizeof(x->apps_seen[0]), ((uint32_t)r->app << 1 | r->form) + 1);
	remember(x->places_seen, sizeof(x->places_seen) / sizeof(x->places_seen[0]), r->place);
	while (i && x->hours[i - 1].hour > hour)
		i--;
	if (!i || x->hours[i - 1].hour != hour) {
		if (!sim_grow((void **)&x->hours, x->hour_count, &x->hour_capacity, sizeof(*x->hours)))
			return false;
		memmove(x->hours + i + 1, x->hours + i, (x->hour_count++ - i) * sizeof(*x->hours));
		x->hours[i++] = (struct hour) { .hour = hour };
	}
	x->hours[i - 1].items += r->items;
	x->hours[i - 1].records++;
	return true;
}
