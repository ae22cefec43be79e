/* SPDX-License-Identifier: Apache-2.0 */
/* sim: one day after the other.  All mailboxes' records of a day are made, dated with their delivery, put in its order
 * and written; later deliveries wait.  Memory use: the slots and one day, however many days there
 * are. */
#include "sim/sim.h"

#include <stdlib.h>

#include "base/mem.h"
#include "sim/sim_int.h"

#define DELAY_MEAN     2400  /* seconds from the event to its delivery */
#define LATE_FROM      86400 /* the late ones: one to three days */
#define LATE_TO	       259200
#define OUTAGE_SECONDS (6 * 3600)
#define OUTAGE_REPLAY  3600 /* then all records arrive at once, in random order */
#define TEXT_FLUSH     (256 * KIB)
#define TEXT_MAX       (TEXT_FLUSH + 4 * RECORD_TEXT_MAX)
#define EVENTS_MAX     16000000

const char *const sim_confounder_names[SIM_CONFOUNDERS] = {
#define CONFOUNDER(name, text, doc) text,
#include "sim/confounder_names.h"
#undef CONFOUNDER
};
const char *const sim_kind_names[SIM_KINDS] = {
#define ATTACK(name, text, duration, doc) text,
#include "sim/attack_names.h"
#undef ATTACK
};
const char *const sim_envelope_names[SIM_ENVELOPES] = {
#define ENVELOPE(name, text, extension) text,
#include "sim/envelope_names.h"
#undef ENVELOPE
};
const char *const sim_envelope_extensions[SIM_ENVELOPES] = {
#define ENVELOPE(name, text, extension) extension,
#include "sim/envelope_names.h"
#undef ENVELOPE
};

void sim_settings_init(struct sim_settings *s)
{
	*s = (struct sim_settings) {
		.seed = 1,
		.mailboxes = 300,
		.days = 120,
		.learn_days = UINT32_MAX,
		.start = days_from_civil(2026, 1, 5),
		.attacks = (1u << SIM_KINDS) - 1,
		.forged = 1u << SIM_A1 | 1u << SIM_A1B | 1u << SIM_A1C,
		.instances = 1,
		.confounders = (1u << SIM_CONFOUNDERS) - 1,
		.copies = 0.05,
		.late = 0.01,
		.delays = true,
		.truth = true,
	};
}

bool sim_grow(void **v, size_t n, size_t *capacity, size_t size)
{
	void *grown;
	size_t more;

	if (n < *capacity)
		return true;
	more = *capacity ? *capacity + *capacity / 2 : 64;
	grown = realloc(*v, more * size);
	if (!grown)
		return false;
	*v = grown;
	*capacity = more;
	return true;
}

struct simrec *recs_add(struct recs *r)
{
	if (r->failed || !sim_grow((void **)&r->v, r->n, &r->capacity, sizeof(*r->v))) {
		r->failed = true;
		return NULL;
	}
	memset(&r->v[r->n], 0, sizeof(*r->v));
	return &r->v[r->n++];
}

/* -- events -- */

static struct sim_event *event_add(struct sim *s)
{
	if (!s->set.truth || s->event_count >= EVENTS_MAX)
		return NULL;
	if (!sim_grow((void **)&s->events, s->event_count, &s->event_capacity, sizeof(*s->events))) {
		s->failed = true;
		return NULL;
	}
	return &s->events[s->event_count++];
}

void event_one(struct sim *s, unsigned kind, uint32_t first, uint32_t last, uint32_t who, unsigned app, unsigned net)
{
	struct sim_event *e = event_add(s);

	if (e)
		*e = (struct sim_event) { (uint8_t)kind, first, last, who, (uint16_t)app, (uint16_t)net };
}

void event_member(struct sim *s, unsigned kind, uint32_t first, uint32_t last, uint32_t who, unsigned app, unsigned net)
{
	const uint64_t key = hash_mix((uint64_t)kind << 32 | first, app);
	uint32_t *index;
	bool fresh;

	if (!s->set.truth)
		return;
	index = table_put(&s->event_of, key, &fresh);
	if (!index || !sim_grow((void **)&s->members, s->member_count, &s->member_capacity, sizeof(*s->members))) {
		s->failed = true;
		return;
	}
	if (fresh) {
		*index = (uint32_t)s->event_count;
		event_one(s, kind, first, last, EVENT_LIST, app, net);
	}
	s->members[s->member_count++] = (struct member) { *index, who };
}

/* -- making and ending -- */

static uint32_t spread(const struct sim *s, uint32_t number, double from, double to)
{
	struct draw d = draw_of(s->set.seed, UINT32_MAX - 2, number, DRAW_PLAN);

	return (uint32_t)(s->set.days * (from + (to - from) * draw_unit(&d)));
}

static void plan_tenant(struct sim *s)
{
	struct sim_settings *set = &s->set;
	const bool has_rollouts = set->confounders >> SIM_ROLLOUT & 1;

	if (set->learn_days == UINT32_MAX)
		set->learn_days = set->days / 2 < 60 ? set->days / 2 : 60;
	/* of 120 days: one roll-out while things are learnt and one later, the office's new network on day 75 */
	s->rollout_day[0] = has_rollouts ? spread(s, 0, 0.1, 0.4) : NO_DAY;
	s->rollout_day[1] = has_rollouts ? spread(s, 1, 0.55, 0.85) : NO_DAY;
	s->switch_day = set->days * 75 / 120;
	s->storm_day = spread(s, 2, 0.52, 0.97);
	s->outage_second = spread(s, 3, 0.3, 0.97) * DAY_SECONDS + 7 * 3600;
	zipf_init(s->zipf_apps, APPS_COMMON, 1.6);
	zipf_init(s->zipf_nets, NET_ISPS, 1.2);
}

struct sim *sim_new(const struct sim_settings *settings)
{
	struct sim *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->set = *settings;
	s->day_of_text = INT64_MIN;
	buf_init(&s->text, TEXT_MAX);
	table_init(&s->event_of, sizeof(uint32_t), EVENTS_MAX);
	plan_tenant(s);
	s->mailboxes = mem_big(s->set.mailboxes * sizeof(*s->mailboxes));
	s->starts = calloc(DAY_SECONDS + 1, sizeof(*s->starts));
	if (!s->mailboxes || !s->starts || !attacks_plan(s)) {
		sim_free(s);
		return NULL;
	}
	for (uint32_t slot = 0; slot < s->set.mailboxes; slot++)
		mailbox_begin(s, &s->mailboxes[slot], slot, 0);
	if (s->set.confounders >> SIM_VPN_SWITCH & 1)
		event_one(s, SIM_VPN_SWITCH, s->switch_day, s->switch_day, EVENT_ALL, 0xffff, NET_OFFICE + 1);
	if (s->set.delays)
		event_one(s, EVENT_OUTAGE, s->outage_second / DAY_SECONDS, s->outage_second / DAY_SECONDS, EVENT_ALL,
			  0xffff, 0xffff);
	return s;
}

void sim_free(struct sim *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < APPS_MAX; i++)
		free(s->apps[i]);
	for (size_t i = 0; i < s->attack_count; i++)
		free(s->attacks[i].hours);
	table_release(&s->event_of);
	buf_release(&s->text);
	free(s->attacks);
	free(s->victims);
	free(s->victim_of);
	free(s->victim_index);
	free(s->mailboxes);
	free(s->pending.v);
	free(s->signins.v);
	free(s->order);
	free(s->starts);
	free(s->events);
	free(s->members);
	free(s);
}

/* -- delivery -- */

static int32_t arrival_of(const struct sim *s, struct draw *d, int32_t time)
{
	int32_t arrival = time;

	if (s->set.late > 0 && draw_chance(d, s->set.late))
		arrival += LATE_FROM + (int32_t)draw_below(d, LATE_TO - LATE_FROM);
	else if (s->set.delays)
		arrival += (int32_t)(DELAY_MEAN * draw_exponential(d));
	if (s->set.delays && arrival >= (int32_t)s->outage_second &&
	    arrival < (int32_t)s->outage_second + OUTAGE_SECONDS)
		arrival = (int32_t)s->outage_second + OUTAGE_SECONDS + (int32_t)draw_below(d, OUTAGE_REPLAY);
	return arrival;
}

/* Dates the delivery of the records made from `begin` on, and makes their copies. */
static void deliver(struct sim *s, size_t begin)
{
	const size_t end = s->pending.n;

	for (size_t i = begin; i < end; i++) {
		struct simrec *r = &s->pending.v[i];
		struct draw d;
		r->arrival = r->time;
		if (!s->set.delays && s->set.late <= 0 && s->set.copies <= 0)
			continue;
		d = draw_of(hash_mix(s->set.seed, r->serial), r->who, (uint32_t)(r->time / DAY_SECONDS), DRAW_DELIVERY);
		r->arrival = arrival_of(s, &d, r->time);
		for (uint16_t copy = 1; copy < 100 && s->set.copies > 0 && draw_chance(&d, s->set.copies); copy++) {
			struct simrec *twin = recs_add(&s->pending);
			if (!twin)
				return;
			*twin = s->pending.v[i];
			twin->copy = copy;
			twin->arrival = arrival_of(s, &d, twin->time + 60);
		}
	}
}

/* Numbers of pending records that arrive before the end of that day, in order of arrival; false: out of memory. */
static bool order_due(struct sim *s, uint32_t day, size_t *ret_n)
{
	const int64_t begin = (int64_t)day * DAY_SECONDS;
	uint32_t sum = 0;

	if (s->order_capacity < s->pending.n) {
		free(s->order);
		s->order_capacity = s->pending.n + s->pending.n / 4;
		s->order = malloc(s->order_capacity * sizeof(*s->order));
		if (!s->order) {
			s->order_capacity = 0;
			return false;
		}
	}
	memset(s->starts, 0, (DAY_SECONDS + 1) * sizeof(*s->starts));
	for (size_t i = 0; i < s->pending.n; i++) {
		const int64_t at = s->pending.v[i].arrival - begin;
		if (at < DAY_SECONDS)
			s->starts[(at < 0 ? 0 : at) + 1]++;
	}
	for (size_t i = 1; i <= DAY_SECONDS; i++)
		s->starts[i] = sum += s->starts[i];
	*ret_n = sum;
	for (size_t i = 0; i < s->pending.n; i++) {
		const int64_t at = s->pending.v[i].arrival - begin;
		if (at < DAY_SECONDS)
			s->order[s->starts[at < 0 ? 0 : at]++] = (uint32_t)i;
	}
	return true;
}

static void forget_due(struct sim *s, uint32_t day)
{
	const int64_t end = (int64_t)(day + 1) * DAY_SECONDS;
	size_t kept = 0;

	for (size_t i = 0; i < s->pending.n; i++)
		if (s->pending.v[i].arrival >= end)
			s->pending.v[kept++] = s->pending.v[i];
	s->pending.n = kept;
}

/* -- writing -- */

static bool flush(struct sim *s, sim_write write, void *arg)
{
	const bool ok = !s->text.n || write(arg, s->text.p, s->text.n);

	buf_clear(&s->text);
	return ok;
}

static void count(struct sim *s, const struct simrec *r)
{
	if (r->copy) {
		s->copies++;
		return;
	}
	s->records++;
	s->items += r->items;
	s->syncs += r->kind == REC_SYNC;
	if (r->attack && !attack_saw(s, r))
		s->failed = true;
}

static bool full(const struct sim *s)
{
	return s->set.records_max && s->records + s->copies >= s->set.records_max;
}

static bool open_text(struct sim *s)
{
	const bool first = !s->set.stream || !s->opened;

	if (first)
		envelope_open(s, &s->text);
	s->opened = true;
	return first;
}

static enum sim_step write_due(struct sim *s, size_t n, sim_write audit, void *arg, struct sim_day *ret)
{
	bool first = open_text(s);

	for (size_t i = 0; i < n && !full(s); i++) {
		const struct simrec *r = &s->pending.v[s->order[i]];
		if (i + 4 < n)
			__builtin_prefetch(&s->pending.v[s->order[i + 4]]);
		if (!buf_reserve(&s->text, RECORD_TEXT_MAX))
			return SIM_NO_MEMORY;
		s->text.n = (size_t)(envelope_record(s, s->text.p + s->text.n, r, first) - s->text.p);
		first = false;
		count(s, r);
		ret->records++;
		if (s->failed)
			return SIM_NO_MEMORY;
		if (s->text.n >= TEXT_FLUSH && !flush(s, audit, arg))
			return SIM_STOPPED;
	}
	if (!s->set.stream)
		envelope_close(s, &s->text);
	return flush(s, audit, arg) ? SIM_DAY : SIM_STOPPED;
}

static int by_sign_in(const void *left, const void *right)
{
	const struct simsignin *a = left, *b = right;

#define ORDER(x, y)                                                                                                    \
	if ((x) != (y))                                                                                                \
	return (x) < (y) ? -1 : 1
	ORDER(a->time, b->time);
	ORDER(a->who, b->who);
	ORDER(a->actor, b->actor);
	ORDER(a->app, b->app);
	ORDER(a->token_place, b->token_place);
	ORDER(a->attack, b->attack);
#undef ORDER
	return 0;
}

static enum sim_step write_signins(struct sim *s, sim_write write, void *arg, struct sim_day *ret)
{
	if (s->signins.n)
		qsort(s->signins.v, s->signins.n, sizeof(*s->signins.v), by_sign_in);
	for (size_t i = 0; i < s->signins.n; i++) {
		if (!buf_reserve(&s->text, RECORD_TEXT_MAX))
			return SIM_NO_MEMORY;
		s->text.n = (size_t)(write_signin(s, s->text.p + s->text.n, &s->signins.v[i]) - s->text.p);
		if (s->text.n >= TEXT_FLUSH && !flush(s, write, arg))
			return SIM_STOPPED;
	}
	ret->signins = s->signins.n;
	s->signins.n = 0;
	return flush(s, write, arg) ? SIM_DAY : SIM_STOPPED;
}

static void make_day(struct sim *s)
{
	struct plan plan;
	const size_t begin = s->pending.n;

	plan_make(s, s->day, &plan);
	for (uint32_t slot = 0; slot < s->set.mailboxes && !s->failed; slot++) {
		struct mailbox *m = &s->mailboxes[slot];
		if (s->day)
			mailbox_advance(s, slot, m, &plan);
		mailbox_day(s, slot, m, &plan, &s->pending, &s->signins);
		s->failed |= s->pending.failed || s->signins.failed;
	}
	deliver(s, begin);
	s->failed |= s->pending.failed;
}

static enum sim_step end(struct sim *s, sim_write audit, void *arg)
{
	if (s->set.stream && !s->closed) {
		open_text(s);
		envelope_close(s, &s->text);
		s->closed = true;
		return flush(s, audit, arg) ? SIM_END : SIM_STOPPED;
	}
	return SIM_END;
}

enum sim_step sim_next_day(struct sim *s, sim_write audit, sim_write signins, void *arg, struct sim_day *ret)
{
	const bool alive = s->set.records_max ? !full(s) : s->day < s->set.days;
	enum sim_step step;
	size_t due;

	*ret = (struct sim_day) { .day = s->set.start + s->day };
	if (full(s) || (!alive && !s->pending.n))
		return end(s, audit, arg);
	if (alive)
		make_day(s);
	if (s->failed || !order_due(s, s->day, &due))
		return SIM_NO_MEMORY;
	step = write_due(s, due, audit, arg, ret);
	forget_due(s, s->day);
	if (step == SIM_DAY && s->set.signins)
		step = write_signins(s, signins, arg, ret);
	s->day++;
	return step;
}
