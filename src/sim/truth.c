/* SPDX-License-Identifier: Apache-2.0 */
/* truth: the ground truth, for the evaluation of detectors.  The format is that of docs/simulator.md. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/schema.h"
#include "sim/sim_int.h"

#define TRUTH_FLUSH (64 * KIB)
#define TRUTH_MAX   (64 * MIB) /* one line: an event that lists a fifth of the mailboxes */

struct truth {
	struct sim *s;
	struct buf b;
	sim_write write;
	void *arg;
	bool stopped;
};

static void flush(struct truth *t, size_t at_least)
{
	if (t->b.n < at_least || buf_failed(&t->b))
		return;
	t->stopped |= !t->write(t->arg, t->b.p, t->b.n);
	buf_clear(&t->b);
}

static void add_day(struct truth *t, uint32_t day)
{
	char text[TIME_TEXT_SIZE];

	time_format((t->s->set.start + day) * US_PER_DAY, text);
	buf_printf(&t->b, "\"%.10s\"", text);
}

static void add_time(struct truth *t, int32_t time)
{
	char text[TIME_TEXT_SIZE];

	buf_printf(&t->b, "\"%s\"", time_format(t->s->set.start * US_PER_DAY + time * US_PER_SECOND, text));
}

static void add_guid(struct truth *t, uint32_t who)
{
	char text[GUID_TEXT_SIZE];

	write_who(text, who);
	buf_printf(&t->b, "\"%.36s\"", text);
}

static void add_upn(struct truth *t, uint32_t actor)
{
	char text[UPN_TEXT_MAX];
	const int n = (int)(write_upn(text, actor) - text);

	buf_printf(&t->b, "\"%.*s\"", n, text);
}

static void add_attack_id(struct truth *t, const struct attack *x)
{
	buf_printf(&t->b, "\"%s-%u\"", sim_kind_names[x->kind], x->number);
}

static void add_client(struct truth *t, uint32_t app, unsigned form)
{
	const struct app *a = app_get(t->s, app);

	if (!a) {
		t->b.failed = true;
		return;
	}
	buf_printf(&t->b, "{\"app_id\":\"%s\",\"client_app_id\":\"%s\",\"client\":\"%s\"}", a->app_id,
		   a->client_app_id[form], a->client);
}

static void add_network(struct truth *t, uint32_t net)
{
	if (net == NET_FRONT_END || net == NET_DATA_CENTRE)
		buf_add_cstr(&t->b, "\"Microsoft\"");
	else
		buf_printf(&t->b, "\"AS%" PRIu32 "\"", UINT32_C(4200000000) + net);
}

/* -- tenant, mailboxes -- */

static void add_tenant(struct truth *t, uint32_t days)
{
	const struct sim *s = t->s;
	const struct sim_settings *set = &s->set;
	bool any = false;

	buf_printf(&t->b,
		   "{\"type\":\"tenant\",\"version\":1,\"seed\":%" PRIu64
		   ",\"organization\":\"5f0c7a10-0000-4000-8000-000000000001\","
		   "\"mailboxes\":%" PRIu32 ",\"days\":%" PRIu32 ",\"learn_days\":%" PRIu32 ",\"start\":",
		   set->seed, set->mailboxes, days, set->learn_days);
	add_day(t, 0);
	buf_add_cstr(&t->b, ",\"end\":");
	add_day(t, days ? days - 1 : 0);
	buf_printf(&t->b,
		   ",\"envelope\":\"%s\",\"records\":%" PRIu64 ",\"copies\":%" PRIu64 ",\"mail_records\":%" PRIu64
		   ",\"syncs\":%" PRIu64 ",\"items\":%" PRIu64 ",\"attack_kinds\":[",
		   sim_envelope_names[set->envelope], s->records, s->copies, s->records, s->syncs, s->items);
	for (unsigned i = 0; i < SIM_KINDS; i++)
		if (set->attacks >> i & 1) {
			buf_printf(&t->b, "%s\"%s\"", any ? "," : "", sim_kind_names[i]);
			any = true;
		}
	buf_printf(&t->b, "],\"instances_wanted\":%" PRIu32 ",\"instances_dropped\":{", set->instances);
	any = false;
	for (unsigned i = 0; i < SIM_KINDS; i++)
		if (s->dropped[i]) {
			buf_printf(&t->b, "%s\"%s\":%" PRIu32, any ? "," : "", sim_kind_names[i], s->dropped[i]);
			any = true;
		}
	buf_add_cstr(&t->b, "}" SCHEMA_MEMBER "}\n");
}

static void add_mailbox(struct truth *t, uint32_t who, uint32_t first, uint32_t last)
{
	const struct sim *s = t->s;
	const unsigned attack = s->victim_of[who & 0xffffff];

	buf_add_cstr(&t->b, "{\"type\":\"mailbox\",\"guid\":");
	add_guid(t, who);
	buf_add_cstr(&t->b, ",\"upn\":");
	add_upn(t, who);
	buf_printf(&t->b,
		   ",\"class\":\"%s\",\"first_day\":%" PRIu32 ",\"last_day\":%" PRIu32 ",\"mailbox_days\":%" PRIu32
		   ",\"attack\":",
		   mailbox_class_names[class_of(s, who)], first, last, last - first + 1);
	if (attack)
		add_attack_id(t, &s->attacks[attack - 1]);
	else
		buf_add_cstr(&t->b, "null");
	buf_add_cstr(&t->b, "}\n");
}

static void add_mailboxes(struct truth *t, uint32_t days)
{
	const struct sim *s = t->s;

	for (uint32_t slot = 0; slot < s->set.mailboxes && days && !t->stopped; slot++) {
		uint32_t who = slot, since = 0;
		/* the owner changes once a block at most, so its last day is enough */
		for (uint32_t block = 0; block * TURNOVER_BLOCK < days; block++) {
			const uint32_t end = (block + 1) * TURNOVER_BLOCK < days ? (block + 1) * TURNOVER_BLOCK : days;
			uint32_t born;
			const uint32_t now = occupant_of(s, slot, end - 1, &born);
			if (now == who)
				continue;
			add_mailbox(t, who, since, born - 1);
			who = now;
			since = born;
		}
		add_mailbox(t, who, since, days - 1);
		flush(t, TRUTH_FLUSH);
	}
}

/* -- events -- */

static int by_event(const void *left, const void *right)
{
	const struct member *a = left, *b = right;

	if (a->event != b->event)
		return a->event < b->event ? -1 : 1;
	return a->who < b->who ? -1 : a->who > b->who;
}

static void add_event(struct truth *t, size_t number, size_t *member)
{
	const struct sim *s = t->s;
	const struct sim_event *e = &s->events[number];
	const char *kind = e->kind == EVENT_HIRE     ? "hire"
			   : e->kind == EVENT_LEAVE  ? "leave"
			   : e->kind == EVENT_OUTAGE ? "outage"
						     : sim_confounder_names[e->kind];

	buf_printf(&t->b,
		   "{\"type\":\"event\",\"id\":\"%s-%zu\",\"kind\":\"%s\",\"first_day\":%" PRIu32
		   ",\"last_day\":%" PRIu32 ",\"mailboxes\":",
		   kind, number + 1, kind, e->first, e->last);
	if (e->who == EVENT_ALL) {
		buf_add_cstr(&t->b, "null");
	} else if (e->who == EVENT_LIST) {
		bool any = false;
		buf_add_char(&t->b, '[');
		for (; *member < s->member_count && s->members[*member].event == number; ++*member) {
			if (any && s->members[*member].who == s->members[*member - 1].who) /* on another day of it */
				continue;
			if (any)
				buf_add_char(&t->b, ',');
			add_guid(t, s->members[*member].who);
			any = true;
		}
		buf_add_char(&t->b, ']');
	} else {
		buf_add_char(&t->b, '[');
		add_guid(t, e->who);
		buf_add_char(&t->b, ']');
	}
	buf_add_cstr(&t->b, ",\"clients\":[");
	if (e->app != 0xffff)
		add_client(t, e->app, 0);
	if (e->app == APP_OWA) { /* has one name in each form */
		buf_add_char(&t->b, ',');
		add_client(t, e->app, 1);
	}
	buf_add_cstr(&t->b, "],\"networks\":[");
	if (e->net != 0xffff)
		add_network(t, e->net);
	buf_add_cstr(&t->b, "]}\n");
}

static void add_events(struct truth *t)
{
	struct sim *s = t->s;
	size_t member = 0;

	if (s->member_count)
		qsort(s->members, s->member_count, sizeof(*s->members), by_event);
	for (size_t i = 0; i < s->event_count && !t->stopped; i++) {
		add_event(t, i, &member);
		flush(t, TRUTH_FLUSH);
	}
}

/* -- attacks -- */

static void add_channel(struct truth *t, const struct attack *x)
{
	uint32_t net_before[16], nets = 0;
	char text[PLACE_TEXT_MAX];

	buf_add_cstr(&t->b, ",\"clients\":[");
	for (size_t i = 0; i < sizeof(x->apps_seen) / sizeof(x->apps_seen[0]) && x->apps_seen[i]; i++) {
		const uint32_t app = (x->apps_seen[i] - 1) >> 1,
			       before = i ? (x->apps_seen[i - 1] - 1) >> 1 : UINT32_MAX;
		const struct app *a = app_get(t->s, app);
		if (a && app == before && strcmp(a->client_app_id[0], a->client_app_id[1]) == 0)
			continue; /* the same in both forms */
		if (i)
			buf_add_char(&t->b, ',');
		add_client(t, app, (x->apps_seen[i] - 1) & 1);
	}
	buf_add_cstr(&t->b, "],\"networks\":[");
	for (size_t i = 0; i < sizeof(x->places_seen) / sizeof(x->places_seen[0]) && x->places_seen[i]; i++) {
		const uint32_t net = place_net(x->places_seen[i]);
		bool seen = false;
		for (uint32_t k = 0; k < nets; k++)
			seen |= net_before[k] == net;
		if (seen)
			continue;
		if (nets)
			buf_add_char(&t->b, ',');
		net_before[nets++] = net;
		add_network(t, net);
	}
	buf_add_cstr(&t->b, "],\"addresses\":[");
	for (size_t i = 0; i < sizeof(x->places_seen) / sizeof(x->places_seen[0]) && x->places_seen[i]; i++) {
		const int n = (int)(place_write(text, x->places_seen[i]) - text);
		buf_printf(&t->b, "%s\"%.*s\"", i ? "," : "", n, text);
	}
	buf_add_cstr(&t->b, "],\"actor\":");
	if (!x->actor && x->victims > 1)
		buf_add_cstr(&t->b, "null");
	else
		add_upn(t, x->actor ? x->actor : t->s->victims[x->victim_first].slot);
	buf_printf(&t->b, ",\"logon_type\":%d", x->actor ? LOGON_ADMIN_TYPE : LOGON_OWNER_TYPE);
}

/* one figure a day, from the hours: 0 = the day itself, 1 = items, 2 = records */
static void add_by_day(struct truth *t, const struct attack *x, const char *name, int what)
{
	buf_printf(&t->b, ",\"%s\":[", name);
	for (size_t i = 0; i < x->hour_count;) {
		const uint32_t day = x->hours[i].hour / 24;
		uint64_t sum = 0;
		if (i)
			buf_add_char(&t->b, ',');
		for (; i < x->hour_count && x->hours[i].hour / 24 == day; i++)
			sum += what == 1 ? x->hours[i].items : x->hours[i].records;
		if (what)
			buf_printf(&t->b, "%" PRIu64, sum);
		else
			add_day(t, day);
	}
	buf_add_char(&t->b, ']');
}

static void add_attack(struct truth *t, const struct attack *x)
{
	const struct victim *victims = &t->s->victims[x->victim_first];
	const bool seen = x->records > 0;

	buf_add_cstr(&t->b, "{\"type\":\"attack\",\"id\":");
	add_attack_id(t, x);
	buf_printf(&t->b, ",\"kind\":\"%s\",\"mailboxes\":[", sim_kind_names[x->kind]);
	for (uint32_t i = 0; i < x->victims; i++) {
		if (i)
			buf_add_char(&t->b, ',');
		add_guid(t, victims[i].slot);
	}
	buf_add_char(&t->b, ']');
	add_channel(t, x);
	buf_add_cstr(&t->b, ",\"first\":");
	if (seen)
		add_time(t, x->seen_first);
	buf_add_cstr(&t->b, seen ? ",\"last\":" : "null,\"last\":null");
	if (seen)
		add_time(t, x->seen_last);
	buf_printf(&t->b, ",\"first_day\":%" PRIu32 ",\"last_day\":%" PRIu32,
		   seen ? (uint32_t)x->seen_first / DAY_SECONDS : x->first,
		   seen ? (uint32_t)x->seen_last / DAY_SECONDS : x->last);
	add_by_day(t, x, "days", 0);
	add_by_day(t, x, "items_per_day", 1);
	add_by_day(t, x, "records_per_day", 2);
	buf_printf(&t->b, ",\"items\":%" PRIu64 ",\"records\":%" PRIu64 ",\"syncs\":%" PRIu64 ",\"items_by_hour\":[",
		   x->items, x->records, x->syncs);
	for (size_t i = 0; i < x->hour_count; i++)
		buf_printf(&t->b, "%s[%" PRIu32 ",%" PRIu32 "]", i ? "," : "", x->hours[i].hour, x->hours[i].items);
	buf_add_cstr(&t->b, "],\"victims\":[");
	for (uint32_t i = 0; i < x->victims; i++) {
		buf_add_cstr(&t->b, i ? ",{\"guid\":" : "{\"guid\":");
		add_guid(t, victims[i].slot);
		buf_add_cstr(&t->b, ",\"first\":");
		if (victims[i].records)
			add_time(t, victims[i].first);
		else
			buf_add_cstr(&t->b, "null");
		buf_printf(&t->b, ",\"items\":%" PRIu64 ",\"records\":%" PRIu64 "}", victims[i].items,
			   victims[i].records);
	}
	buf_printf(&t->b, "],\"signed_in\":%s}\n",
		   t->s->set.forged >> x->kind & 1 ? "false" : "true");
}

enum sim_step sim_truth(struct sim *s, sim_write write, void *arg)
{
	struct truth t = { .s = s, .write = write, .arg = arg };
	const uint32_t days = s->set.records_max || s->day < s->set.days ? s->day : s->set.days;
	bool failed;

	buf_init(&t.b, TRUTH_MAX);
	add_tenant(&t, days);
	add_mailboxes(&t, days);
	add_events(&t);
	for (size_t i = 0; i < s->attack_count && !t.stopped; i++) {
		add_attack(&t, &s->attacks[i]);
		flush(&t, TRUTH_FLUSH);
	}
	flush(&t, 1);
	failed = buf_failed(&t.b) || s->failed;
	buf_release(&t.b);
	return failed ? SIM_NO_MEMORY : t.stopped ? SIM_STOPPED : SIM_END;
}
