/* SPDX-License-Identifier: Apache-2.0 */
/* tenant: the mailboxes and what changes from day to day.
 *
 * A mailbox has a slot.  When the owner leaves, a new one gets the slot and a new GUID, so that a tenant of
 * any length needs the memory of its slots.  The properties of a mailbox are drawn from its occupant's number; the changes of
 * a morning from that number and the day.  So a mailbox on day d is its first day and d small steps, and
 * needs no other mailbox. */
#include "sim/sim_int.h"

/* Made up, after the evaluation protocol unless noted otherwise; docs/simulator.md has the list. */
#define TURNOVER_CHANCE	    0.048 /* in TURNOVER_BLOCK days: two of 5,000 a day */
#define ADOPT_CHANCE	    0.004 /* a mailbox-day */
#define NETWORK_CHANCE	    0.03
#define BIRTHS_A_DAY	    0.4
#define BIRTH_SPREAD	    5 /* days from the first to the last who take up a newborn application */
#define ROLLOUT_SHARE	    0.4
#define ROLLOUT_DAYS	    10
#define MONTH		    30
#define MIGRATION_MAILBOXES 25
#define MIGRATION_DAYS	    3
#define GENERATIONS_MAX	    127 /* `who` stays a positive number */

const char *const mailbox_class_names[MAILBOX_CLASSES] = { "human", "shared", "service", "room", "dormant" };

static bool has(const struct sim *s, unsigned confounder)
{
	return s->set.confounders >> confounder & 1;
}

uint32_t occupant_of(const struct sim *s, uint32_t slot, uint32_t day, uint32_t *ret_born)
{
	uint32_t generation = 0, born = 0;

	if (has(s, SIM_TURNOVER) && !s->victim_of[slot])
		for (uint32_t block = 0; block * TURNOVER_BLOCK <= day && generation < GENERATIONS_MAX; block++) {
			struct draw d = draw_of(s->set.seed, slot, block, DRAW_OCCUPANT);
			const bool changes = draw_chance(&d, TURNOVER_CHANCE);
			const uint32_t when = block * TURNOVER_BLOCK + draw_below(&d, TURNOVER_BLOCK);
			if (changes && when && when <= day) {
				generation++;
				born = when;
			}
		}
	if (ret_born)
		*ret_born = born;
	return generation << 24 | slot;
}

enum mailbox_class class_of(const struct sim *s, uint32_t who)
{
	struct draw d = draw_of(s->set.seed, who, 0, DRAW_CLASS);
	const double u = draw_unit(&d);

	if (who >> 24) /* a new hire is a person */
		return CLASS_HUMAN;
	return u < 0.85	  ? CLASS_HUMAN
	       : u < 0.91 ? CLASS_SHARED
	       : u < 0.95 ? CLASS_SERVICE
	       : u < 0.98 ? CLASS_ROOM
			  : CLASS_DORMANT;
}

static bool uses(const struct mailbox *m, uint32_t app)
{
	for (unsigned i = 0; i < m->apps; i++)
		if (m->app[i] == app)
			return true;
	return false;
}

/* one application more; without room, the least used goes */
static void take_up(struct mailbox *m, uint32_t app, double share)
{
	unsigned at = m->apps;

	if (uses(m, app))
		return;
	if (at == MAILBOX_APPS) {
		at = 0;
		for (unsigned i = 1; i < MAILBOX_APPS; i++)
			if (m->share[i] < m->share[at])
				at = i;
	} else {
		m->apps++;
	}
	m->app[at] = (uint16_t)app;
	m->share[at] = share;
}

static void choose_apps(const struct sim *s, struct mailbox *m)
{
	struct draw d = draw_of(s->set.seed, m->who, 0, DRAW_APPS);
	const unsigned wanted = m->class_ == CLASS_HUMAN ? 1 + draw_below(&d, 4) : m->class_ == CLASS_SHARED ? 2 : 1;
	double sum = 0;

	if (m->class_ == CLASS_SERVICE) {
		take_up(m, APP_MAC + 1 + draw_below(&d, APPS_COMMON - APP_MAC - 1), 1);
		return;
	}
	if (m->class_ == CLASS_ROOM) /* read by services only */
		return;
	for (unsigned tries = 0; m->apps < wanted && tries < 40; tries++) {
		const uint32_t app = app_popular(s, &d);
		if (m->class_ != CLASS_SHARED || app == APP_OWA || app == APP_OUTLOOK || app == APP_MAC)
			take_up(m, app, draw_gamma(&d, 0.7));
	}
	for (unsigned i = 0; i < m->apps; i++)
		sum += m->share[i];
	for (unsigned i = 0; i < m->apps; i++)
		m->share[i] = sum > 0 ? m->share[i] / sum : 1.0 / m->apps;
}

void mailbox_begin(const struct sim *s, struct mailbox *m, uint32_t who, uint32_t born)
{
	static const struct {
		double median, sigma;
	} rates[MAILBOX_CLASSES] = {
		[CLASS_HUMAN] = { 60, 1.1 }, [CLASS_SHARED] = { 80, 1.0 }, [CLASS_SERVICE] = { 200, 0.8 },
		[CLASS_ROOM] = { 1, 0.1 },   [CLASS_DORMANT] = { 5, 0.5 },
	};
	static const uint8_t zones[10] = { 0, 0, 0, 0, 23, 23, 23, 5, 5, 16 }; /* offices at UTC 0, +1, -5, +8 */
	struct draw d = draw_of(s->set.seed, who, 0, DRAW_HABITS);

	*m = (struct mailbox) {
		.who = who, .born = born, .class_ = (uint8_t)class_of(s, who), .blind_until = INT32_MIN
	};
	m->log_rate = log(rates[m->class_].median) + rates[m->class_].sigma * draw_normal(&d);
	m->noise = 0.3 + 0.6 * draw_unit(&d);
	m->active = m->class_ == CLASS_DORMANT ? 0.03 : m->class_ == CLASS_SERVICE ? 1 : 0.45 + 0.55 * draw_unit(&d);
	m->zone = zones[draw_below(&d, 10)];
	m->form = draw_chance(&d, 0.7);
	m->desk = draw_chance(&d, 0.6);
	m->weekend = draw_chance(&d, 0.1);
	m->poll = draw_chance(&d, 0.1);
	m->v6 = draw_chance(&d, 0.5);
	m->home = (uint16_t)net_popular(s, &d);
	m->home_host = (uint16_t)(1 + draw_below(&d, 65535));
	m->mobile = (uint16_t)(NET_MOBILE + draw_below(&d, NET_MOBILES));
	for (int i = 0; i < 2; i++) {
		const bool joins = draw_chance(&d, ROLLOUT_SHARE);
		const uint32_t after = draw_below(&d, ROLLOUT_DAYS);
		m->rollout_day[i] = joins && s->rollout_day[i] != NO_DAY ? s->rollout_day[i] + after : NO_DAY;
	}
	choose_apps(s, m);
	if (s->victim_of[who & 0xffffff]) {
		m->attack = s->victim_of[who & 0xffffff];
		m->attack_part = (uint16_t)(s->victim_index[who & 0xffffff] - s->attacks[m->attack - 1].victim_first);
	}
}

static void change_network(struct sim *s, struct mailbox *m, uint32_t day)
{
	struct draw d = draw_of(s->set.seed, m->who, day, DRAW_NETWORK);
	uint32_t net, until;

	if (m->class_ == CLASS_SERVICE || m->class_ == CLASS_ROOM || !draw_chance(&d, NETWORK_CHANCE))
		return;
	do
		net = draw_chance(&d, 0.9) ? net_popular(s, &d) : NET_RARE + draw_below(&d, NETS - NET_RARE);
	while (net == m->home);
	until = day + 1 + draw_geometric(&d, 0.4);
	if (draw_chance(&d, 0.5)) { /* a journey */
		m->away = (uint16_t)net;
		m->away_until = until;
		event_one(s, SIM_NETWORK, day, until - 1, m->who, 0xffff, net);
	} else {
		m->home = (uint16_t)net;
		m->home_host = (uint16_t)(1 + draw_below(&d, 65535));
		event_one(s, SIM_NETWORK, day, day, m->who, 0xffff, net);
	}
}

static void change_apps(struct sim *s, uint32_t slot, struct mailbox *m, const struct plan *plan)
{
	struct draw d = draw_of(s->set.seed, m->who, plan->day, DRAW_ADOPT);
	const bool adopts = draw_chance(&d, ADOPT_CHANCE);
	const double share = 0.05 + 0.35 * draw_unit(&d);
	uint32_t app = app_popular(s, &d);

	if (m->class_ != CLASS_HUMAN && m->class_ != CLASS_SHARED)
		return;
	for (int tries = 0; tries < 20 && uses(m, app); tries++)
		app = app_popular(s, &d);
	if (has(s, SIM_ADOPT) && adopts && !uses(m, app)) {
		take_up(m, app, share);
		event_one(s, SIM_ADOPT, plan->day, plan->day, m->who, app, 0xffff);
	}
	for (unsigned i = 0; i < 2; i++)
		if (m->rollout_day[i] == plan->day) {
			take_up(m, APP_ROLLOUT + i, share);
			event_member(s, SIM_ROLLOUT, s->rollout_day[i], s->rollout_day[i] + ROLLOUT_DAYS - 1, m->who,
				     APP_ROLLOUT + i, 0xffff);
		}
	for (unsigned i = 0; i < plan->joins; i++)
		if (plan->join[i].slot == slot) {
			take_up(m, plan->join[i].app, share);
			event_member(s, SIM_BIRTH, plan->join[i].born, plan->join[i].born + BIRTH_SPREAD - 1, m->who,
				     plan->join[i].app, 0xffff);
		}
}

void mailbox_advance(struct sim *s, uint32_t slot, struct mailbox *m, const struct plan *plan)
{
	uint32_t born;
	const uint32_t who = occupant_of(s, slot, plan->day, &born);

	if (who != m->who) {
		event_one(s, EVENT_LEAVE, plan->day, plan->day, m->who, 0xffff, 0xffff);
		event_one(s, EVENT_HIRE, plan->day, plan->day, who, 0xffff, 0xffff);
		mailbox_begin(s, m, who, born);
	}
	if (has(s, SIM_NETWORK))
		change_network(s, m, plan->day);
	change_apps(s, slot, m, plan);
}

/* -- the day's plan -- */

/* who takes up, on plan->day, an application born `age` days before */
static void plan_births(const struct sim *s, uint32_t age, struct plan *ret)
{
	const uint32_t born = ret->day - age;
	struct draw d = draw_of(s->set.seed, UINT32_MAX, born, DRAW_PLAN);
	const double mean = BIRTHS_A_DAY * (s->set.mailboxes < 300 ? s->set.mailboxes / 300.0 : 1);
	uint32_t births = draw_poisson(&d, mean);

	if (births > BIRTHS_MAX)
		births = BIRTHS_MAX;
	for (uint32_t i = 0; i < births; i++) {
		uint32_t n = 2 + draw_geometric(&d, 0.4);
		if (n > BIRTH_MAILBOXES_MAX)
			n = BIRTH_MAILBOXES_MAX;
		for (uint32_t k = 0; k < n; k++) {
			const uint32_t slot = draw_below(&d, s->set.mailboxes),
				       after = k ? draw_below(&d, BIRTH_SPREAD) : 0;
			if (after == age)
				ret->join[ret->joins++] =
					(struct join) { slot, APP_BORN + (born * BIRTHS_MAX + i) % APPS_BORN, born };
		}
	}
}

/* a working day of that month of 30 days; room days are left free at its end */
static uint32_t day_of_month(const struct sim *s, uint32_t month, unsigned purpose, uint32_t room)
{
	struct draw d = draw_of(s->set.seed, UINT32_MAX, month, purpose);
	uint32_t day = month * MONTH + draw_below(&d, MONTH - room - 2);

	return day + (weekday_of(s, day) == 5 ? 2 : weekday_of(s, day) == 6 ? 1 : 0);
}

uint32_t weekday_of(const struct sim *s, uint32_t day)
{
	return (uint32_t)((s->set.start + day + 3) % 7); /* 1970-01-01 was a Thursday */
}

void plan_make(const struct sim *s, uint32_t day, struct plan *ret)
{
	const uint32_t month = day / MONTH;

	memset(ret, 0, sizeof(*ret));
	ret->day = day;
	ret->weekday = weekday_of(s, day);
	if (has(s, SIM_BIRTH))
		for (uint32_t age = 0; age < BIRTH_SPREAD && age < day; age++) /* nothing is born on day 0 */
			plan_births(s, age, ret);
	ret->office = has(s, SIM_VPN_SWITCH) && day >= s->switch_day ? NET_OFFICE + 1 : NET_OFFICE;
	ret->storm = has(s, SIM_SYNC_STORM) && day == s->storm_day;
	ret->sweep = has(s, SIM_SWEEP) && day == day_of_month(s, month, DRAW_SWEEP, 0);
	if (has(s, SIM_MIGRATION)) {
		struct draw d = draw_of(s->set.seed, UINT32_MAX - 1, month, DRAW_MIGRATION);
		const uint32_t first = day_of_month(s, month, DRAW_MIGRATION, MIGRATION_DAYS);
		ret->migration_first = draw_below(&d, s->set.mailboxes);
		ret->migration_n =
			s->set.mailboxes / 8 < MIGRATION_MAILBOXES ? s->set.mailboxes / 8 : MIGRATION_MAILBOXES;
		ret->migration = day >= first && day < first + MIGRATION_DAYS;
		ret->migration_begin = first;
		ret->migration_end = first + MIGRATION_DAYS - 1;
	}
}
