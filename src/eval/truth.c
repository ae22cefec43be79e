/* SPDX-License-Identifier: Apache-2.0 */
/* truth: the lines of truth.ndjson into flat lists.  Mailboxes come before the lines that name them, so one pass is
 * enough; a line that names a mailbox that is not there is a fault. */
#include "eval/truth.h"

#include <stdlib.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/timefmt.h"

#define NAME_SEED 1
#define PLACE_SEED 2
#define CLIENT_SEED 3

/* -- lists -- */

void *eval_grow(void *p, size_t n, size_t *capacity, size_t max, size_t size)
{
	size_t wanted = *capacity < 16 ? 16 : *capacity * 2;

	if (n < *capacity)
		return p;
	if (n >= max)
		return NULL;
	p = reallocarray(p, wanted, size);
	if (p)
		*capacity = wanted;
	return p;
}

bool eval_list_add(struct eval_list *l, uint32_t x)
{
	uint32_t *v = eval_grow(l->v, l->n, &l->capacity, EVAL_REFERENCES_MAX, sizeof(*l->v));

	if (!v)
		return false;
	l->v = v;
	l->v[l->n++] = x;
	return true;
}

uint32_t eval_name(struct eval_names *names, struct str s)
{
	uint32_t i;

	if (s.n > sizeof(names->text[0]) - 1)
		s.n = sizeof(names->text[0]) - 1;
	for (i = 0; i < names->n; i++)
		if (str_eq(str_of(names->text[i]), s))
			return i;
	if (i < EVAL_NAMES_MAX) {
		for (size_t k = 0; k < s.n; k++)
			names->text[i][k] = s.p[k] ? s.p[k] : '?';
		names->n++;
	}
	return i;
}

static uint64_t lower_hash(struct str s, uint64_t seed)
{
	char text[NAME_BYTES_MAX];

	if (!s.n)
		return 0;
	if (s.n > sizeof(text))
		s.n = sizeof(text);
	for (size_t i = 0; i < s.n; i++)
		text[i] = ascii_lower(s.p[i]);
	return hash64(text, s.n, seed);
}

/* -- scopes -- */

void scope_release(struct scope *s)
{
	free(s->clients);
	free(s->places);
	*s = (struct scope){ 0 };
}

bool scope_is_empty(const struct scope *s)
{
	return !s->client_count && !s->place_count;
}

/* The caller is the ClientAppId; where it is not written it is the AppId; and where neither is, the protocol. */
bool clients_meet(const struct scope_client *a, const struct scope_client *b)
{
	if (a->client_app_id || b->client_app_id)
		return a->client_app_id == b->client_app_id;
	if (a->app_id || b->app_id)
		return a->app_id == b->app_id;
	return a->family == b->family;
}

bool scopes_meet(const struct scope *a, const struct scope *b)
{
	for (size_t i = 0; i < a->client_count; i++)
		for (size_t k = 0; k < b->client_count; k++)
			if (clients_meet(&a->clients[i], &b->clients[k]))
				return true;
	for (size_t i = 0; i < a->place_count; i++)
		for (size_t k = 0; k < b->place_count; k++)
			if (a->places[i] == b->places[k])
				return true;
	return false;
}

struct scope_client client_read(struct line_object *o)
{
	struct str family = line_text(o, "client");
	const ptrdiff_t slash = str_find(family, STR("/"));

	if (slash >= 0)
		family.n = (size_t)slash;
	return (struct scope_client){
		.app_id = lower_hash(line_text(o, "app_id"), CLIENT_SEED),
		.client_app_id = lower_hash(line_text(o, "client_app_id"), CLIENT_SEED),
		.family = lower_hash(family, CLIENT_SEED),
	};
}

static bool add_client(struct line_object *o, struct scope *s)
{
	struct scope_client *grown = eval_grow(s->clients, s->client_count, &s->client_capacity, EVAL_REFERENCES_MAX,
					       sizeof(*grown));

	if (!grown)
		return false;
	s->clients = grown;
	s->clients[s->client_count++] = client_read(o);
	return true;
}

static bool add_place(struct str text, struct scope *s)
{
	uint64_t *grown;

	if (!text.n || str_eq_nocase(text, STR("Microsoft")))
		return true;
	grown = eval_grow(s->places, s->place_count, &s->place_capacity, EVAL_REFERENCES_MAX, sizeof(*grown));
	if (!grown)
		return false;
	s->places = grown;
	s->places[s->place_count++] = lower_hash(text, PLACE_SEED);
	return true;
}

/* as it would be printed: two ways to write one address are one */
static bool add_address(struct str text, struct scope *s)
{
	const struct addr a = addr_parse(text);
	char out[ADDR_TEXT_SIZE];

	return add_place(a.kind == ADDR_V4 || a.kind == ADDR_V6 ? str_of(addr_format(&a, out)) : text, s);
}

bool scope_read(struct line_object *o, const char *clients, const char *addresses, struct scope *ret)
{
	struct line_list w;
	struct line_object client;
	bool ok = true;

	for (uint32_t v = line_list(o, clients, &w); v != WALK_BAD && ok; v = line_list_next(o, &w))
		if (line_element_object(o, &w, v, &client))
			ok = add_client(&client, ret);
	for (uint32_t v = line_list(o, "networks", &w); v != WALK_BAD && ok; v = line_list_next(o, &w))
		ok = add_place(line_element_text(o, &w, v), ret);
	for (uint32_t v = line_list(o, addresses, &w); v != WALK_BAD && ok; v = line_list_next(o, &w))
		ok = add_address(line_element_text(o, &w, v), ret);
	if (!ok)
		line_fail(o->file, "out of memory");
	return ok && !o->file->failed;
}

/* -- lines -- */

static void read_tenant(struct truth *t, struct line_object *o)
{
	const struct str start = line_need_text(o, "start");

	if (t->days) {
		line_fail(o->file, "a second tenant");
		return;
	}
	t->days = (int32_t)line_need_int(o, "days", 1, EVAL_DAYS_MAX);
	t->learn_days = (int32_t)line_need_int(o, "learn_days", 0, t->days);
	if (o->file->failed)
		return;
	if (!time_parse_rfc3339(start, &t->start_us) || t->start_us < TIME_MIN_US || t->start_us >= TIME_MAX_US ||
	    t->start_us % US_PER_DAY)
		line_fail(o->file, "'start' is not a day between 2000 and 2100");
}

static bool put_name(struct truth *t, struct str name, uint32_t mailbox)
{
	bool is_new;
	uint32_t *slot;

	if (!name.n)
		return true;
	slot = table_put(&t->by_name, lower_hash(name, NAME_SEED), &is_new);
	if (slot)
		*slot = mailbox + 1;
	return slot;
}

static void read_mailbox(struct truth *t, struct line_object *o, struct truth_names *names)
{
	struct truth_mailbox m = { 0 }, *grown;
	const struct str guid = line_need_text(o, "guid"), upn = line_text(o, "upn");

	m.class_ = eval_name(&names->classes, line_need_text(o, "class"));
	m.first_day = (int32_t)line_need_int(o, "first_day", 0, t->days - 1);
	m.last_day = (int32_t)line_need_int(o, "last_day", m.first_day, t->days - 1);
	if (m.class_ == EVAL_NAMES_MAX)
		line_fail(o->file, "more than %d classes", EVAL_NAMES_MAX);
	if (!o->file->failed && truth_mailbox(t, guid) != UINT32_MAX)
		line_fail(o->file, "a mailbox that was there before");
	if (o->file->failed)
		return;
	grown = eval_grow(t->mailboxes, t->mailbox_count, &t->mailbox_capacity, EVAL_MAILBOXES_MAX, sizeof(*grown));
	if (!grown) {
		line_fail(o->file, "out of memory, or more than %d mailboxes", EVAL_MAILBOXES_MAX);
		return;
	}
	t->mailboxes = grown;
	t->mailboxes[t->mailbox_count] = m;
	/* a hire may inherit the name of a leaver, the GUID is his own: the first keeps the name */
	if (!put_name(t, guid, (uint32_t)t->mailbox_count) ||
	    (truth_mailbox(t, upn) == UINT32_MAX && !put_name(t, upn, (uint32_t)t->mailbox_count)))
		line_fail(o->file, "too many mailboxes");
	t->mailbox_count++;
}

static void read_case_mailboxes(struct truth *t, struct line_object *o, struct truth_case *c)
{
	struct line_list w;
	uint32_t v;

	c->mailbox_at = (uint32_t)t->mailbox_lists.n;
	for (v = line_list(o, "mailboxes", &w); v != WALK_BAD; v = line_list_next(o, &w)) {
		const uint32_t m = truth_mailbox(t, line_element_text(o, &w, v));
		if (o->file->failed)
			return;
		if (m == UINT32_MAX)
			line_fail(o->file, "'mailboxes' names one that no line before has described");
		else if (!eval_list_add(&t->mailbox_lists, m))
			line_fail(o->file, "out of memory");
	}
	c->mailbox_count = (uint32_t)t->mailbox_lists.n - c->mailbox_at;
}

static void read_hours(struct truth *t, struct line_object *o, struct truth_case *c)
{
	struct line_list w;
	int64_t pair[2], before = -1;

	c->hour_at = (uint32_t)t->hour_count;
	for (uint32_t v = line_list(o, "items_by_hour", &w); v != WALK_BAD; v = line_list_next(o, &w)) {
		struct truth_hour *grown;
		if (!line_element_pair(o, &w, v, EVAL_ITEMS_MAX, pair))
			return;
		grown = eval_grow(t->hours, t->hour_count, &t->hour_capacity, EVAL_REFERENCES_MAX, sizeof(*grown));
		if (pair[0] <= before || pair[0] > INT64_C(24) * EVAL_DAYS_MAX) {
			line_fail(o->file, "'items_by_hour' is not in order");
			return;
		}
		if (!grown) {
			line_fail(o->file, "out of memory");
			return;
		}
		t->hours = grown;
		t->hours[t->hour_count++] = (struct truth_hour){ (int32_t)pair[0], pair[1] };
		before = pair[0];
	}
	c->hour_count = (uint32_t)t->hour_count - c->hour_at;
}

static void read_attack(struct truth *t, struct line_object *o, struct truth_names *names)
{
	struct truth_case c = { 0 }, *grown;

	c.kind = eval_name(&names->attack_kinds, line_need_text(o, "kind"));
	c.first_us = line_need_time(o, "first");
	c.last_us = line_need_time(o, "last");
	c.first_day = (int32_t)line_need_int(o, "first_day", 0, t->days - 1);
	c.last_day = (int32_t)line_need_int(o, "last_day", c.first_day, t->days - 1);
	c.items = line_need_int(o, "items", 0, EVAL_ITEMS_MAX);
	read_case_mailboxes(t, o, &c);
	read_hours(t, o, &c);
	scope_read(o, "clients", "addresses", &c.scope);
	if (c.kind == EVAL_NAMES_MAX)
		line_fail(o->file, "more than %d kinds of attacks", EVAL_NAMES_MAX);
	if (c.last_us < c.first_us)
		line_fail(o->file, "'last' is before 'first'");
	if (!c.mailbox_count)
		line_fail(o->file, "an attack without victims");
	grown = eval_grow(t->attacks, t->attack_count, &t->attack_capacity, EVAL_CASES_MAX, sizeof(*grown));
	if (!grown)
		line_fail(o->file, "out of memory, or too many attacks");
	else
		t->attacks = grown;
	if (o->file->failed) {
		scope_release(&c.scope);
		return;
	}
	t->attacks[t->attack_count++] = c;
	for (uint32_t i = 0; i < c.mailbox_count; i++)
		t->mailboxes[t->mailbox_lists.v[c.mailbox_at + i]].is_victim = true;
}

static void read_event(struct truth *t, struct line_object *o, struct truth_names *names)
{
	struct truth_case c = { 0 }, *grown;

	c.kind = eval_name(&names->event_kinds, line_need_text(o, "kind"));
	c.first_day = (int32_t)line_need_int(o, "first_day", 0, EVAL_DAYS_MAX);
	c.last_day = (int32_t)line_need_int(o, "last_day", c.first_day, EVAL_DAYS_MAX); /* a vacation may outlast the data */
	c.whole_tenant = !line_has(o, "mailboxes");
	read_case_mailboxes(t, o, &c);
	scope_read(o, "clients", "addresses", &c.scope);
	if (c.kind == EVAL_NAMES_MAX)
		line_fail(o->file, "more than %d kinds of events", EVAL_NAMES_MAX);
	grown = eval_grow(t->events, t->event_count, &t->event_capacity, EVAL_CASES_MAX, sizeof(*grown));
	if (!grown)
		line_fail(o->file, "out of memory, or too many events");
	else
		t->events = grown;
	if (o->file->failed) {
		scope_release(&c.scope);
		return;
	}
	t->events[t->event_count++] = c;
}

/* -- links: from a mailbox to its cases -- */

static int by_mailbox(const void *x, const void *y)
{
	const struct truth_link *a = x, *b = y;

	if (a->mailbox != b->mailbox)
		return a->mailbox < b->mailbox ? -1 : 1;
	return a->case_ < b->case_ ? -1 : a->case_ > b->case_;
}

static struct truth_link *make_links(const struct truth *t, const struct truth_case *cases, size_t n, size_t *ret_n)
{
	struct truth_link *links;
	size_t total = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		total += cases[i].mailbox_count;
	links = calloc(total + 1, sizeof(*links));
	if (!links)
		return NULL;
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < cases[i].mailbox_count; k++)
			links[at++] = (struct truth_link){ t->mailbox_lists.v[cases[i].mailbox_at + k], (uint32_t)i };
	qsort(links, total, sizeof(*links), by_mailbox);
	*ret_n = total;
	return links;
}

void truth_links(const struct truth_link *links, size_t n, uint32_t mailbox, size_t *ret_from, size_t *ret_to)
{
	size_t low = 0, high = n;

	while (low < high) {
		const size_t middle = (low + high) / 2;
		if (links[middle].mailbox < mailbox)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_from = low;
	while (low < n && links[low].mailbox == mailbox)
		low++;
	*ret_to = low;
}

/* -- the file -- */

bool truth_read(struct truth *t, const char *path, struct truth_names *names, struct buf *error)
{
	struct line_file f;
	struct line_object o;

	*t = (struct truth){ 0 };
	table_init(&t->by_name, sizeof(uint32_t), (size_t)2 * EVAL_MAILBOXES_MAX);
	if (line_open(&f, path)) {
		while (line_next(&f, &o)) {
			const struct str type = line_need_text(&o, "type");
			if (f.failed)
				break;
			if (str_eq(type, STR("tenant")))
				read_tenant(t, &o);
			else if (!t->days)
				line_fail(&f, "not a truth: the first line does not describe the tenant");
			else if (str_eq(type, STR("mailbox")))
				read_mailbox(t, &o, names);
			else if (str_eq(type, STR("event")))
				read_event(t, &o, names);
			else if (str_eq(type, STR("attack")))
				read_attack(t, &o, names);
		}
		if (!f.failed && !t->mailbox_count)
			line_fail(&f, "the truth ends without having described a mailbox");
	}
	if (!f.failed) {
		t->attack_links = make_links(t, t->attacks, t->attack_count, &t->attack_link_count);
		t->event_links = make_links(t, t->events, t->event_count, &t->event_link_count);
		if (!t->attack_links || !t->event_links)
			line_fail(&f, "out of memory");
	}
	if (f.failed) {
		buf_add_str(error, buf_str(&f.error));
		line_close(&f);
		truth_release(t);
		return false;
	}
	line_close(&f);
	return true;
}

void truth_release(struct truth *t)
{
	for (size_t i = 0; i < t->attack_count; i++)
		scope_release(&t->attacks[i].scope);
	for (size_t i = 0; i < t->event_count; i++)
		scope_release(&t->events[i].scope);
	free(t->mailboxes);
	free(t->attacks);
	free(t->events);
	free(t->mailbox_lists.v);
	free(t->hours);
	free(t->attack_links);
	free(t->event_links);
	table_release(&t->by_name);
	*t = (struct truth){ 0 };
}

uint32_t truth_mailbox(const struct truth *t, struct str guid_or_upn)
{
	const uint32_t *slot = guid_or_upn.n ? table_get(&t->by_name, lower_hash(guid_or_upn, NAME_SEED)) : NULL;

	return slot ? *slot - 1 : UINT32_MAX;
}

double truth_items_before(const struct truth *t, const struct truth_case *attack, int64_t us)
{
	const double hours = (double)(us - t->start_us) / (double)US_PER_HOUR;
	double items = 0;

	for (uint32_t i = 0; i < attack->hour_count; i++) {
		const struct truth_hour *h = &t->hours[attack->hour_at + i];
		const double part = hours - h->hour;
		if (part <= 0)
			break;
		items += (double)h->items * (part < 1 ? part : 1);
	}
	return items;
}
