/* SPDX-License-Identifier: Apache-2.0 */
/* test_detect: alerts, indicators, and each detector with what it must find and the benign twin that it must not.
 *
 * A scene is a list of records made by hand, as a decoder would make them; it is sorted by event time, resolved by the real
 * world and shown to all detectors, so that a scene for one is a test of the silence of the others.  Ids, names and
 * addresses are of documentation ranges, except for published indicators and Microsoft's front ends. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/guid.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "check.h"
#include "detect/detect.h"
#include "detect/indicators.h"
#include "detect/mail_rights.h"
#include "persist/persist.h"

#define T0 INT64_C(1767693600000000) /* 2026-01-06T10:00:00Z */
#define MIN US_PER_MINUTE
#define HOUR US_PER_HOUR
#define DAY US_PER_DAY

#define GRAPH "00000003-0000-0000-c000-000000000000"
#define EXCHANGE "00000002-0000-0ff1-ce00-000000000000"
#define APP "5f0c7a10-0000-4000-8000-00000000c001"
#define APP_2 "5f0c7a10-0000-4000-8000-00000000c002"
#define FRONT_END "20.190.160.7"
#define OFFICE "203.0.113.10"
#define SERVER "198.51.100.66"
#define SERVER_2 "192.0.2.66"

/* -- a scene -- */

struct entry {
	struct rec *r;
	size_t n; /* order of making: ties stay as they were */
};

struct scene {
	struct names names;
	struct entry *v;
	size_t n, capacity;
	uint32_t ids;
	struct indicators *indicators; /* borrowed */
	/* after run() */
	struct world world;
	struct alerts alerts;
	size_t raised;
	uint64_t refused;
};

static void scene_init(struct scene *s)
{
	*s = (struct scene){ 0 };
	names_init(&s->names);
}

static void scene_release(struct scene *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].r);
	free(s->v);
	if (s->alerts.world)
		alerts_release(&s->alerts);
	if (s->world.priv)
		world_release(&s->world);
	names_release(&s->names);
}

static uint64_t put(struct scene *s, enum name_kind kind, const char *a, const char *b, const char *c, const char *d, const char *e)
{
	struct str parts[NAME_PARTS] = { str_of(a), str_of(b), str_of(c), str_of(d), str_of(e) };
	return names_put(&s->names, kind, parts, NAME_PARTS);
}

static struct rec *add(struct scene *s, int64_t t, enum rec_op op, size_t tail)
{
	struct rec *r = calloc(1, sizeof *r + tail);
	if (s->n == s->capacity) {
		s->capacity = s->capacity ? s->capacity * 2 : 64;
		s->v = realloc(s->v, s->capacity * sizeof *s->v);
	}
	s->v[s->n] = (struct entry){ r, s->n };
	s->n++;
	r->time_us = t;
	r->op = (uint16_t)op;
	r->operation = put(s, NAME_OPERATION, op_text(op), "", "", "", "");
	r->class_ = CLASS_AUDIT;
	r->flags = REC_SUCCESS;
	r->tenant = put(s, NAME_TENANT, "5f0c7a10-0000-4000-8000-000000000001", "", "", "", "");
	s->ids++;
	memcpy(r->id + 12, &s->ids, 4);
	return r;
}

static void set_ip(struct rec *r, const char *text)
{
	struct addr a = addr_parse(str_of(text));
	memcpy(r->ip, a.b, 16);
	r->ip_kind = a.kind;
}

static void set_actor(struct scene *s, struct rec *r, const char *user)
{
	r->actor = put(s, NAME_ACTOR, user, "", "", "", "");
}

/* user "ann": mailbox and account ann@example.com */
static void set_user(struct scene *s, struct rec *r, const char *user)
{
	char upn[64], guid[40];
	snprintf(upn, sizeof upn, "%s@example.com", user);
	snprintf(guid, sizeof guid, "5f0c7a10-0000-4000-9000-%012llx", (unsigned long long)(hash_str(str_of(user), 0) & 0xffffffffffff));
	r->mailbox = put(s, NAME_MAILBOX, guid, upn, "", "", "");
	set_actor(s, r, upn);
	r->logon = LOGON_OWNER;
	r->user_type = 1;
}

enum client { OWA, OUTLOOK, GRAPH_APP, GRAPH_APP_2, EWS, BACKGROUND };

static void set_client(struct scene *s, struct rec *r, enum client c)
{
	switch (c) {
	case OWA:
		r->client = put(s, NAME_CLIENT, EXCHANGE, "", EXCHANGE, "", "OWA");
		break;
	case OUTLOOK:
		r->client = put(s, NAME_CLIENT, "", "", "MSExchangeRPC", "", "MSExchangeRPC");
		break;
	case GRAPH_APP:
		r->client = put(s, NAME_CLIENT, GRAPH, APP, APP, GRAPH, "REST");
		break;
	case GRAPH_APP_2:
		r->client = put(s, NAME_CLIENT, GRAPH, APP_2, APP_2, GRAPH, "REST");
		break;
	case EWS:
		r->client = put(s, NAME_CLIENT, APP, APP, APP, "", "WebServices/EWS");
		break;
	case BACKGROUND:
		r->client = put(s, NAME_CLIENT, "8a18aa92-0a1e-4e06-abd0-e118fa4787b1", "3c8e478f-21ca-493a-b87c-c7366d664d54",
				"3c8e478f-21ca-493a-b87c-c7366d664d54", "8a18aa92-0a1e-4e06-abd0-e118fa4787b1", "REST/RESTSystem");
		break;
	}
}

static struct rec *bind(struct scene *s, int64_t t, const char *user, enum client c, const char *ip, uint32_t items)
{
	struct rec *r = add(s, t, OP_MAIL_ITEMS_ACCESSED, 0);
	set_user(s, r, user);
	set_client(s, r, c);
	set_ip(r, ip);
	r->access = ACCESS_BIND;
	r->items = items;
	r->flags |= REC_ITEMS_GIVEN;
	return r;
}

static struct rec *sync_folder(struct scene *s, int64_t t, const char *user, enum client c, const char *ip, const char *folder)
{
	struct rec *r = bind(s, t, user, c, ip, 0);
	r->access = ACCESS_SYNC;
	r->record_type = 2;
	r->folder = hash_str(str_of(folder), 0);
	return r;
}

static void set_id(uint8_t out[16], uint32_t n)
{
	memset(out, 0x5f, 16);
	memcpy(out, &n, 4);
}

static struct rec *with_session(struct rec *r, uint32_t n)
{
	set_id(r->session, n);
	r->flags |= REC_HAS_SESSION;
	return r;
}

static struct rec *with_token(struct rec *r, uint32_t n)
{
	set_id(r->token, n);
	r->flags |= REC_HAS_TOKEN;
	return r;
}

/* pairs of name and value, ended by NULL */
static struct rec *admin(struct scene *s, int64_t t, enum rec_op op, const char *user, ...)
{
	static uint8_t tail[DETAIL_BYTES_MAX + 8];
	struct rec_builder b = { .tail = tail };
	va_list ap;
	const char *name;
	rec_begin(&b);
	va_start(ap, user);
	while ((name = va_arg(ap, const char *)))
		rec_add_detail(&b, str_of(name), str_of(va_arg(ap, const char *)));
	va_end(ap);
	struct rec *r = add(s, t, op, b.r.tail_bytes);
	r->tail_bytes = b.r.tail_bytes;
	memcpy(r + 1, tail, b.r.tail_bytes);
	set_actor(s, r, user);
	r->user_type = 2 + 1;
	return r;
}

static int by_time(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	if (a->r->time_us != b->r->time_us)
		return a->r->time_us < b->r->time_us ? -1 : 1;
	return a->n < b->n ? -1 : 1;
}

static void run(struct scene *s)
{
	void *states[32] = { 0 };
	size_t n = 0;
	CHECK(world_init(&s->world, &s->names, NULL) == 0);
	alerts_init(&s->alerts, &s->world);
	struct detect_ctx c = { &s->world, &s->alerts, s->indicators };
	for (; detectors[n]; n++) {
		states[n] = calloc(1, detectors[n]->state_bytes ? detectors[n]->state_bytes : 1);
		if (detectors[n]->begin)
			CHECK(detectors[n]->begin(states[n], &c) == 0);
	}
	qsort(s->v, s->n, sizeof *s->v, by_time);
	for (size_t i = 0; i < s->n; i++) {
		struct event e;
		world_meet(&s->world, s->v[i].r, &e);
		for (size_t d = 0; d < n; d++)
			if (detectors[d]->wants & op_kinds(s->v[i].r->op))
				detectors[d]->event(states[d], &c, &e);
	}
	for (size_t d = 0; d < n; d++) {
		if (detectors[d]->end)
			detectors[d]->end(states[d], &c);
		if (detectors[d]->refused)
			s->refused += detectors[d]->refused(states[d]);
		if (detectors[d]->release)
			detectors[d]->release(states[d]);
		free(states[d]);
	}
	s->raised = alerts_order(&s->alerts);
	CHECK(!s->alerts.failed);
	for (size_t i = 0; i < s->raised; i++) {
		const struct alert *a = s->alerts.v[i];
		CHECK_MSG(a->title && a->why_count && strlen(a->id) == 20, "%s: title, reason, id", a->detector->name);
	}
}

/* the nth alert of that rule; NULL: there are fewer */
static struct alert *alert_of(const struct scene *s, const char *rule, unsigned nth)
{
	for (size_t i = 0; i < s->raised; i++)
		if (strcmp(s->alerts.v[i]->detector->name, rule) == 0 && nth-- == 0)
			return s->alerts.v[i];
	return NULL;
}

static unsigned count_of(const struct scene *s, const char *rule)
{
	unsigned n = 0;
	while (alert_of(s, rule, n))
		n++;
	return n;
}

static bool says(char *const *v, uint32_t n, const char *text)
{
	for (uint32_t i = 0; i < n; i++)
		if (strstr(v[i], text))
			return true;
	return false;
}

static const char *severity_of(const struct alert *a)
{
	return a ? severity_names[a->severity] : "none";
}

/* a cell of a member of an alert; none if there is none */
static struct cell cell_of(const struct alert *a, enum alert_member_name name, uint32_t row, uint32_t column)
{
	const struct alert_member *m = a ? alert_member_get(a, name) : NULL;
	return m && row < m->rows && column < m->columns ? m->cells[row * m->columns + column] : value_none();
}

static const char *text_of(const struct alert *a, enum alert_member_name name, uint32_t row, uint32_t column)
{
	struct cell c = cell_of(a, name, row, column);
	return c.kind == CELL_TEXT ? c.text : "none";
}

#define SAYS(a, text) CHECK_MSG((a) && says((a)->why, (a)->why_count, text), "no reason says \"%s\"", text)
#define BLIND(a, text) CHECK_MSG((a) && says((a)->blind, (a)->blind_count, text), "no blind sentence says \"%s\"", text)

/* twenty users who read by OWA from networks of their own, every day */
static void ordinary_days(struct scene *s, int64_t from, unsigned days, unsigned users)
{
	for (unsigned d = 0; d < days; d++)
		for (unsigned u = 0; u < users; u++) {
			char user[16], ip[24];
			snprintf(user, sizeof user, "user%u", u);
			snprintf(ip, sizeof ip, "100.%u.0.9", u); /* a /16 each; 100.64/10 is avoided below */
			if (u >= 60)
				snprintf(ip, sizeof ip, "150.%u.0.9", u);
			bind(s, from + d * DAY + u * MIN, user, OWA, ip, 3);
			bind(s, from + d * DAY + 5 * HOUR + u * MIN, user, OWA, ip, 3);
			bind(s, from + d * DAY + 6 * HOUR + u * MIN, user, BACKGROUND, FRONT_END, 1);
		}
}

/* -- the table of detectors -- */

static void test_list(void)
{
	size_t n = 0;
	for (; detectors[n]; n++) {
		const struct detector *d = detectors[n];
		CHECK_MSG(d->name && d->title && d->severity && d->signal && d->catches && d->misses && d->cost && d->mitre &&
			  d->mitre[0] && d->wants && d->event, "%s", d->name);
	}
	CHECK(n == 14);
	CHECK(op_kinds(OP_OTHER) == 0);
	CHECK(op_kinds(OP_COUNT) == 0);
	CHECK(op_kinds(OP_SET_MAILBOX) == (KIND_ADMIN | KIND_DETAIL));
	CHECK_TEXT(op_text(OP_CONSENT), "Consent to application");
	CHECK_TEXT(op_text(OP_COUNT), "");
}

/* -- alerts -- */

static void test_alert(void)
{
	struct scene s;
	scene_init(&s);
	for (unsigned i = 0; i < 12000; i++) {
		char user[16];
		snprintf(user, sizeof user, "u%u", i);
		with_session(bind(&s, T0 + i, user, OWA, OFFICE, 2), i);
	}
	CHECK(world_init(&s.world, &s.names, NULL) == 0);
	alerts_init(&s.alerts, &s.world);
	struct alert *al = alerts_open(&s.alerts, detectors[0], 7);
	CHECK(al && alerts_open(&s.alerts, detectors[0], 7) == al && alerts_find(&s.alerts, detectors[0], 7) == al);
	CHECK(!alerts_find(&s.alerts, detectors[1], 7));
	for (size_t i = 0; i < s.n; i++) {
		struct event e;
		world_meet(&s.world, s.v[i].r, &e);
		alert_fold(&s.alerts, al, &e);
		alert_fold(&s.alerts, al, &e);
	}
	CHECK_MSG(al->mailboxes.n == ALERT_MAILBOXES_MAX && al->mailboxes.total == 12000, "%u %lu %u", al->mailboxes.n, (unsigned long)al->mailboxes.total, s.world.mailbox_count);
	CHECK(al->mailboxes.v[0] == 0 && al->mailboxes.n > 9999 && al->mailboxes.v[9999] == 9999);
	CHECK(al->session_count == ALERT_LIST_MAX && al->ip_count == 1 && al->clients.n == 1);
	CHECK(al->evidence_count == ALERT_EVIDENCE_MAX && al->records == 24000 && al->items == 48000);
	CHECK(al->first_us == T0 && al->last_us == T0 + 11999);

	CHECK(alerts_order(&s.alerts) == 0);
	alert_raise(al, T0 + 5, SEVERITY_MEDIUM);
	alert_raise(al, T0 + 9, SEVERITY_LOW);
	CHECK(al->time_us == T0 + 5 && al->severity == SEVERITY_MEDIUM);
	alert_raise(al, T0 + 9, SEVERITY_HIGH);
	CHECK(al->time_us == T0 + 5 && al->severity == SEVERITY_HIGH);
	for (unsigned i = 0; i < 40; i++)
		alert_why(al, "reason %u", i);
	CHECK(al->why_count == ALERT_SENTENCES_MAX);
	alert_clear_why(al);
	CHECK(al->why_count == 0 && al->blind_count == 0);
	alert_title(al, "%0*d", 9000, 1); /* cut, not lost */
	CHECK(al->title && strlen(al->title) == 4095);
	for (unsigned i = 0; i < 100; i++)
		alert_why(al, "%0*d", 4000, 1), alert_blind(al, "%0*d", 4000, 1);
	CHECK(al->why_count + al->blind_count <= ALERT_TEXT_BYTES_MAX / 4000);

	struct alert *earlier = alerts_open(&s.alerts, detectors[2], 9), *same = alerts_open(&s.alerts, detectors[1], 9);
	alert_raise(earlier, T0, SEVERITY_INFO);
	alert_raise(same, T0 + 5, SEVERITY_INFO);
	alerts_open(&s.alerts, detectors[3], 9);
	CHECK(alerts_order(&s.alerts) == 3);
	CHECK(s.alerts.v[0] == earlier && s.alerts.v[1] == al && s.alerts.v[2] == same); /* audit-tampering before throttled */
	enum severity sev;
	CHECK(severity_parse(STR("High"), &sev) && sev == SEVERITY_HIGH && !severity_parse(STR("loud"), &sev));

	for (uint64_t i = 0; i < ALERTS_MAX + 10; i++)
		alerts_open(&s.alerts, detectors[4], i + 1);
	CHECK(s.alerts.n == ALERTS_MAX && s.alerts.refused == 14);
	scene_release(&s);
}

/* -- members: set, listed once, stopped at a limit and counted, saved and loaded -- */

static bool to_buf(void *arg, void *bytes, size_t n)
{
	buf_add(arg, bytes, n);
	return true;
}

struct taken { const struct buf *from; size_t at, end; };

static bool from_buf(void *arg, void *bytes, size_t n)
{
	struct taken *t = arg;
	if (t->end - t->at < n)
		return false;
	memcpy(bytes, t->from->p + t->at, n);
	t->at += n;
	return true;
}

static void check_members(const struct alert *al)
{
	const struct alert_member *m = alert_member_get(al, MEMBER_PERMISSIONS);
	CHECK(al->member_count == 5);
	for (uint32_t i = 1; i < al->member_count; i++)
		CHECK(al->members[i - 1].name < al->members[i].name);
	CHECK(m && m->rows == ALERT_LIST_MAX && m->total == ALERT_LIST_MAX + 50);
	CHECK_TEXT(m->cells[1].text, "right 1");
	m = alert_member_get(al, MEMBER_GRANTOR);
	CHECK(m && m->rows == 1 && strlen(m->cells[0].text) == ALERT_CELL_BYTES_MAX - 1 && strcmp(m->cells[0].text + ALERT_CELL_BYTES_MAX - 4, "...") == 0);
	m = alert_member_get(al, MEMBER_TARGETS);
	CHECK(m && m->rows == 2 && m->columns == 3 && m->cells[1].kind == CELL_MAILBOX_GUID && m->cells[1].mailbox == 0);
	CHECK_TEXT(m->cells[3].text, "bob");
	CHECK(m->cells[4].kind == CELL_NONE && m->cells[5].kind == CELL_NONE);
	m = alert_member_get(al, MEMBER_UNTIL);
	CHECK(m && m->rows == 1 && m->cells[0].kind == CELL_NONE);
	m = alert_member_get(al, MEMBER_INFERRED);
	CHECK(m && m->cells[0].flag);
	CHECK(!alert_member_get(al, MEMBER_SCOPE));
	struct alert_cut cut;
	CHECK(alert_cut(al, 0, &cut) && strcmp(cut.name, "permissions") == 0 && cut.listed == ALERT_LIST_MAX && cut.total == ALERT_LIST_MAX + 50);
	CHECK(!alert_cut(al, 1, &cut));
}

static void test_members(void)
{
	struct scene s;
	struct buf saved;
	scene_init(&s);
	bind(&s, T0, "ann", OWA, OFFICE, 2);
	CHECK(world_init(&s.world, &s.names, NULL) == 0);
	alerts_init(&s.alerts, &s.world);
	struct event e;
	world_meet(&s.world, s.v[0].r, &e);
	struct alert *al = alerts_open(&s.alerts, detectors[0], 7);
	char name[4096];
	for (unsigned twice = 0; twice < 2; twice++) {
		alert_member(al, INFERRED, value_flag(!twice));
		alert_member(al, INFERRED, value_flag(true));
		for (unsigned i = 0; i < ALERT_LIST_MAX + 50; i++) {
			snprintf(name, sizeof name, "right %u", i);
			alert_member(al, PERMISSIONS, value_cstr(name));
		}
		memset(name, 'a', sizeof name - 1);
		name[sizeof name - 1] = 0;
		memcpy(name + ALERT_CELL_BYTES_MAX - 4, "\xc3\xa9", 2); /* the cut comes in the middle of a letter */
		alert_member(al, GRANTOR, value_cstr("first"));
		alert_member(al, GRANTOR, value_cstr(name));
		alert_member(al, TARGETS, value_cstr("ann"), value_guid(e.mailbox), value_upn(e.mailbox));
		alert_member(al, TARGETS, value_cstr("bob"), value_guid(NONE));
		alert_member(al, UNTIL, value_time(T0));
		alert_member(al, UNTIL, value_none());
		alert_clear_why(al);
	}
	check_members(al);

	buf_init(&saved, MIB);
	struct persist out = { .move = to_buf, .arg = &saved, .alerts = &s.alerts };
	alerts_persist(&out, &s.alerts);
	CHECK_TEXT(out.error, "");
	for (size_t end = 0; end <= saved.n; end += end + 7 < saved.n ? 7 : end < saved.n ? saved.n - end : 1) { /* cut anywhere: an error, no harm */
		struct taken t = { &saved, 0, end };
		struct persist in = { .loading = true, .move = from_buf, .arg = &t };
		struct alerts again;
		alerts_init(&again, &s.world);
		in.alerts = &again;
		alerts_persist(&in, &again);
		CHECK((in.error[0] == 0) == (end == saved.n));
		if (end == saved.n && again.n == 1) {
			check_members(again.v[0]);
			alert_member(again.v[0], PERMISSIONS, value_cstr("right 1")); /* the same again is known still */
			check_members(again.v[0]);
		}
		alerts_release(&again);
	}
	buf_release(&saved);

	/* text without end is refused row by row, and counted */
	memset(name, 'a', sizeof name - 1);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, 8, "%07u", i);
		name[7] = 'a';
		alert_member(al, STEPS, value_time(T0), value_cstr(name), value_cstr(name), value_cstr(name));
	}
	const struct alert_member *m = alert_member_get(al, MEMBER_STEPS);
	CHECK(m && m->rows > 5 && m->rows < 100 && m->total == 100);
	CHECK(!s.alerts.failed);
	scene_release(&s);
}

/* -- indicators -- */

static const char *temp_file(const char *text, size_t n)
{
	static char path[64];
	snprintf(path, sizeof path, "/tmp/test_detect.%ld.csv", (long)getpid());
	FILE *f = fopen(path, "wb");
	fwrite(text, 1, n, f);
	fclose(f);
	return path;
}

static bool load(struct indicators *x, const char *text, size_t *added, size_t *skipped, struct buf *err)
{
	buf_clear(err);
	bool ok = indicators_add_file(x, temp_file(text, strlen(text)), added, skipped, err);
	unlink(temp_file("", 0));
	return ok;
}

static const struct indicator *first(const struct indicators *x, const char *address, size_t *n)
{
	struct addr a = addr_parse(str_of(address));
	return indicators_for_addr(x, &a, n);
}

static void test_indicators(void)
{
	struct indicators *x = indicators_new();
	struct buf err;
	size_t n, added = 9, skipped = 9;
	buf_init(&err, 4096);
	CHECK(x && indicators_count(x) == 38 && !indicators_have_apps(x));

	/* the built-in table is the data file, row by row */
	const char *root = getenv("TXM_SOURCE_ROOT");
	char path[512], line[1024];
	snprintf(path, sizeof path, "%s/data/storm-0558-iocs.csv", root ? root : ".");
	FILE *f = fopen(path, "r");
	CHECK_MSG(f, "%s", path);
	size_t rows = 0;
	while (f && fgets(line, sizeof line, f)) {
		char *cells[5], *p = line;
		line[strcspn(line, "\r\n")] = 0;
		for (unsigned i = 0; i < 5; i++) {
			cells[i] = p;
			char *comma = i < 4 ? strchr(p, ',') : NULL;
			if (comma)
				*comma = 0, p = comma + 1;
		}
		if (strcmp(cells[1], "ipv4") != 0)
			continue;
		rows++;
		const struct indicator *hit = first(x, cells[0], &n);
		int64_t from = 0, to = 0;
		CHECK_MSG(hit && n == 1, "%s", cells[0]);
		CHECK(time_parse(str_of(cells[2]), &from) && time_parse(str_of(cells[3]), &to));
		if (hit) {
			CHECK_TEXT(hit->text, cells[0]);
			CHECK_TEXT(hit->description, cells[4]);
			CHECK_TEXT(hit->source, "storm-0558");
			CHECK_MSG(hit->from_us == from && hit->to_us == to + DAY, "%s", cells[0]);
		}
	}
	if (f)
		fclose(f);
	CHECK(rows == 38);
	CHECK(!first(x, "203.0.113.1", &n) && n == 0);
	CHECK(!first(x, "", &n) && n == 0);

	/* the data file itself is a valid list */
	CHECK(indicators_add_file(x, path, &added, &skipped, &err) && added == 38 && skipped == 4);
	CHECK(first(x, "195.26.87.219", &n) && n == 2);

	CHECK(load(x, "\xef\xbb\xbfType,Indicator,last_seen,description,first_seen\r\n\r\n"
		      "ipv4,198.51.100.66,2026-01-07,\"a \"\"quoted\"\", cell\r\nof two lines\",2026-01-06\r\n"
		      "ipv6,2001:db8::66,,,\n"
		      "app-id,{5F0C7A10-0000-4000-8000-000000000BAD},,bad app,2026-01-01\n"
		      "sha256,abcd,,,", &added, &skipped, &err));
	CHECK(added == 3 && skipped == 1);
	const struct indicator *hit = first(x, "198.51.100.66", &n);
	CHECK(hit && n == 1 && hit->to_us - hit->from_us == 2 * DAY);
	if (hit)
		CHECK_TEXT(hit->description, "a \"quoted\", cell\r\nof two lines");
	hit = first(x, "2001:db8::66", &n);
	CHECK(hit && hit->from_us == INT64_MIN && hit->to_us == INT64_MAX);
	uint8_t app[16];
	guid_parse(STR("5f0c7a10-0000-4000-8000-000000000bad"), app);
	CHECK(indicators_have_apps(x) && indicators_for_app(x, app, &n) && n == 1);
	app[0] ^= 1;
	CHECK(!indicators_for_app(x, app, &n));

	/* refused with their line, and nothing of them used */
	static const struct { const char *text, *want; } bad[] = {
		{ "", ":1: no header" },
		{ "a,b\n1,2\n", ":1: no header" },
		{ "indicator,type\n203.0.113.5,ipv4\nnot-an-address,ipv4\n", ":3: the indicator is not an internet address" },
		{ "indicator,type\nzzz,app-id\n", ":2: the indicator is not an application id" },
		{ "indicator,type\n203.0.113.5,\n", ":2: no type" },
		{ "indicator,type,first_seen,last_seen\n203.0.113.5,ipv4,2026-01-07,2026-01-06\n", ":2: first_seen and last_seen" },
		{ "indicator,type,first_seen,last_seen\n203.0.113.5,ipv4,soon,\n", ":2: first_seen and last_seen" },
		{ "indicator,type\n\n\"203.0.113.5,ipv4\n", ":3: a quote is never closed" },
		{ "indicator,type\n\"203.0.113.5\"x,ipv4\n", ":2: text after a closing quote" },
		{ "indicator,type\n203.0.113.5\",ipv4\n", ":2: the indicator is not an internet address" },
	};
	size_t before = indicators_count(x);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_MSG(!load(x, bad[i].text, &added, &skipped, &err), "%s", bad[i].text);
		CHECK_MSG(err.n && strstr(err.p, bad[i].want), "got \"%s\", want \"%s\"", err.n ? err.p : "", bad[i].want);
	}
	CHECK(indicators_count(x) == before && !first(x, "203.0.113.5", &n));
	buf_clear(&err);
	CHECK(!indicators_add_file(x, "/nonexistent.csv", &added, &skipped, &err) && strstr(err.p, "No such file"));
	char nul[] = "indicator,type\n203.0.113.5,ip\0v4\n";
	buf_clear(&err);
	CHECK(!indicators_add_file(x, temp_file(nul, sizeof nul - 1), &added, &skipped, &err));
	unlink(temp_file("", 0));

	buf_release(&err);
	indicators_free(x);
}

/* -- audit-tampering -- */

static const char *const lost_licence =
	"{\"id\":\"2e16\",\"seq\":\"1\",\"b\":\"{\\\"targetUpdatedProperties\\\":\\\"[{\\\\\\\"Name\\\\\\\":\\\\\\\"AssignedLicense\\\\\\\","
	"\\\\\\\"OldValue\\\\\\\":[\\\\\\\"[SkuName=DEVELOPERPACK_E5, SkuId=c42b, DisabledPlans=[]]\\\\\\\"],\\\\\\\"NewValue\\\\\\\":"
	"[\\\\\\\"[SkuName=DEVELOPERPACK_E5, SkuId=c42b, DisabledPlans=[M365_ADVANCED_AUDITING,ADALLOM_S_O365]]\\\\\\\"]},{\\\\\\\"Name";

static void test_tampering(void)
{
	struct scene s;
	scene_init(&s);
	bind(&s, T0 - DAY, "bob", OWA, OFFICE, 1);
	admin(&s, T0, OP_SET_AUDIT_BYPASS, "admin@example.com", "ObjectId", "a88a", "AuditBypassEnabled", "True", "Identity", "bob@example.com", NULL);
	admin(&s, T0 + HOUR, OP_SET_AUDIT_BYPASS, "admin@example.com", "ObjectId", "A88A", "AuditBypassEnabled", "True", "Identity", "bob@example.com", NULL);
	admin(&s, T0 + 3 * HOUR, OP_SET_AUDIT_BYPASS, "boss@example.com", "ObjectId", "a88a", "AuditBypassEnabled", "False", "Identity", "bob@example.com", NULL);
	admin(&s, T0 + 4 * DAY, OP_SET_ADMIN_AUDIT_LOG, "admin@example.com", "UnifiedAuditLogIngestionEnabled", "False", NULL);
	admin(&s, T0 + 5 * DAY, OP_SET_ORGANIZATION_CONFIG, "admin@example.com", "AuditDisabled", "$true", NULL);
	admin(&s, T0 + 6 * DAY, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditLogAgeLimit", "1.00:00:00", NULL);
	admin(&s, T0 + 6 * DAY + MIN, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditLogAgeLimit", "00:00:00", NULL);
	admin(&s, T0 + 6 * DAY + 2 * MIN, OP_SET_MAILBOX, "admin@example.com", "Identity", "dan@example.com", "AuditLogAgeLimit", "30.00:00:00", NULL);
	admin(&s, T0 + 7 * DAY, OP_SET_MAILBOX, "admin@example.com", "Identity", "eve@example.com", "AuditEnabled", "False", NULL);
	admin(&s, T0 + 8 * DAY, OP_SET_MAILBOX, "admin@example.com", "Identity", "fay@example.com", "AuditOwner", "Update,HardDelete", NULL);
	admin(&s, T0 + 9 * DAY, OP_SET_MAILBOX, "admin@example.com", "Identity", "gus@example.com", "AuditDelegate", "@{Remove=\"MailItemsAccessed\"}", NULL);
	admin(&s, T0 + 10 * DAY, OP_UPDATE_USER, "admin@example.com", "ObjectId", "hal@example.com", "additionalDetails", lost_licence, NULL);
	admin(&s, T0 + 10 * DAY + MIN, OP_CHANGE_USER_LICENSE, "admin@example.com", "ObjectId", "hal@example.com", "additionalDetails", lost_licence, NULL);
	admin(&s, T0 + 11 * DAY, OP_UPDATE_USER, "admin@example.com", "ObjectId", "ida@example.com", "AssignedPlan", "[EXCHANGE_S_ENTERPRISE]",
	      "AssignedPlan.old", "[EXCHANGE_S_ENTERPRISE, M365_ADVANCED_AUDITING]", NULL);
	struct rec *tried = admin(&s, T0 + 12 * DAY, OP_SET_ADMIN_AUDIT_LOG, "kim@example.com", "UnifiedAuditLogIngestionEnabled", "False",
				  "ResultStatus", "False", NULL);
	tried->flags &= ~(uint32_t)REC_SUCCESS;
	run(&s);
	CHECK_MSG(count_of(&s, "audit-tampering") == 11, "%u", count_of(&s, "audit-tampering"));
	struct alert *a = alert_of(&s, "audit-tampering", 0);
	CHECK_TEXT(severity_of(a), "high");
	CHECK_TEXT(a->title, "Audit bypass switched on for bob@example.com by admin@example.com");
	CHECK(a->records == 3 && a->time_us == T0);
	BLIND(a, "everything that bob@example.com reads, in any mailbox, from 2026-01-06 10:00 until");
	BLIND(a, "until 2026-01-06 13:00, when boss@example.com switched it on again");
	CHECK_TEXT(text_of(a, MEMBER_TARGETS, 0, 0), "bob@example.com");
	CHECK(cell_of(a, MEMBER_TARGETS, 0, 1).kind == CELL_MAILBOX_GUID && cell_of(a, MEMBER_TARGETS, 0, 2).kind == CELL_MAILBOX_UPN);
	CHECK(cell_of(a, MEMBER_TARGETS, 1, 0).kind == CELL_NONE);
	CHECK_TEXT(text_of(a, MEMBER_SCOPE, 0, 0), "account");
	CHECK_TEXT(text_of(a, MEMBER_CHANGE, 0, 0), "AuditBypassEnabled");
	CHECK_TEXT(text_of(a, MEMBER_CHANGE, 0, 2), "True");
	CHECK(cell_of(a, MEMBER_BLIND_FROM, 0, 0).time_us == T0 && cell_of(a, MEMBER_UNTIL, 0, 0).time_us == T0 + 3 * HOUR);
	CHECK_TEXT(severity_of(alert_of(&s, "audit-tampering", 1)), "critical");
	CHECK_TEXT(severity_of(alert_of(&s, "audit-tampering", 2)), "critical");
	a = alert_of(&s, "audit-tampering", 1);
	CHECK_TEXT(text_of(a, MEMBER_SCOPE, 0, 0), "tenant");
	CHECK(alert_member_get(a, MEMBER_TARGETS) && alert_member_get(a, MEMBER_TARGETS)->rows == 0);
	CHECK(cell_of(a, MEMBER_UNTIL, 0, 0).kind == CELL_NONE && alert_member_get(a, MEMBER_UNTIL));
	a = alert_of(&s, "audit-tampering", 3);
	CHECK_TEXT(severity_of(a), "high");
	CHECK(a && a->records == 2 && a->why_count == 2);
	CHECK_TEXT(text_of(a, MEMBER_TARGETS, 0, 0), "cat@example.com");
	CHECK(cell_of(a, MEMBER_TARGETS, 0, 1).kind == CELL_NONE); /* no record of that mailbox */
	CHECK_TEXT(text_of(a, MEMBER_CHANGE, 0, 2), "00:00:00");
	CHECK_TEXT(severity_of(alert_of(&s, "audit-tampering", 4)), "medium");
	a = alert_of(&s, "audit-tampering", 5);
	CHECK_TEXT(severity_of(a), "medium");
	SAYS(a, "a sign of intent, not a hole");
	CHECK_TEXT(severity_of(alert_of(&s, "audit-tampering", 6)), "medium");
	a = alert_of(&s, "audit-tampering", 7);
	CHECK_TEXT(severity_of(a), "medium");
	BLIND(a, "what delegates read in the mailbox of gus@example.com");
	a = alert_of(&s, "audit-tampering", 8);
	CHECK(a && a->records == 2 && strstr(a->title, "hal@example.com"));
	CHECK_TEXT(severity_of(alert_of(&s, "audit-tampering", 9)), "medium");
	a = alert_of(&s, "audit-tampering", 10);
	CHECK_TEXT(severity_of(a), "low");
	CHECK(a && a->blind_count == 0);
	CHECK_TEXT(text_of(a, MEMBER_OUTCOME, 0, 0), "failed");
	CHECK(!alert_member_get(a, MEMBER_BLIND_FROM));
	scene_release(&s);
}

static void test_tampering_benign(void)
{
	struct scene s;
	scene_init(&s);
	admin(&s, T0, OP_SET_AUDIT_BYPASS, "admin@example.com", "AuditBypassEnabled", "False", "Identity", "bob@example.com", NULL);
	admin(&s, T0, OP_SET_ADMIN_AUDIT_LOG, "admin@example.com", "UnifiedAuditLogIngestionEnabled", "True", NULL);
	admin(&s, T0, OP_SET_ADMIN_AUDIT_LOG, "nt authority\\system (process)", "AdminAuditLogEnabled", "True", NULL)->user_type = 4;
	admin(&s, T0, OP_SET_ORGANIZATION_CONFIG, "admin@example.com", "AuditDisabled", "False", NULL);
	admin(&s, T0, OP_SET_ORGANIZATION_CONFIG, "admin@example.com", "MailTipsAllTipsEnabled", "False", NULL);
	admin(&s, T0, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditLogAgeLimit", "180.00:00:00", NULL);
	admin(&s, T0, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditLogAgeLimit", "99999999999999.00:00:00", NULL);
	admin(&s, T0, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditLogAgeLimit", "soon", NULL);
	admin(&s, T0, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditEnabled", "True", NULL);
	admin(&s, T0, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditOwner", "MailItemsAccessed,Update", NULL);
	admin(&s, T0, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditOwner", "@{Add=\"SearchQueryInitiated\"}", NULL);
	admin(&s, T0, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditAdmin", "@{Remove=\"Copy\"; Add=\"MailItemsAccessed\"}", NULL);
	admin(&s, T0, OP_SET_MAILBOX, "admin@example.com", "Identity", "cat@example.com", "AuditAdmin", "System.Collections.Hashtable", NULL);
	admin(&s, T0, OP_SET_MAILBOX, "microsoft", "Identity", "dan@example.com", "AuditEnabled", "False", NULL)->user_type = 3 + 1;
	/* a licence given without the plan takes nothing away; nor does one that never had it, or that gets it */
	admin(&s, T0, OP_UPDATE_USER, "admin@example.com", "ObjectId", "eve@example.com", "AssignedLicense",
	      "[SkuName=E5, DisabledPlans=[M365_ADVANCED_AUDITING]]", "AssignedLicense.old", "[]", NULL);
	admin(&s, T0, OP_UPDATE_USER, "admin@example.com", "ObjectId", "fay@example.com", "AssignedLicense",
	      "[SkuName=E5, DisabledPlans=[M365_ADVANCED_AUDITING, X]]", "AssignedLicense.old", "[SkuName=E5, DisabledPlans=[M365_ADVANCED_AUDITING]]", NULL);
	admin(&s, T0, OP_UPDATE_USER, "admin@example.com", "ObjectId", "gus@example.com", "AssignedLicense",
	      "[SkuName=E5, DisabledPlans=[]]", "AssignedLicense.old", "[SkuName=E5, DisabledPlans=[M365_ADVANCED_AUDITING]]", NULL);
	admin(&s, T0, OP_UPDATE_USER, "admin@example.com", "ObjectId", "hal@example.com", "StrongAuthenticationMethod", "[]", NULL);
	run(&s);
	CHECK_MSG(s.raised == 0, "%s", s.raised ? s.alerts.v[0]->title : "");
	scene_release(&s);

	/* Microsoft's own switch of the tenant's log is a note */
	scene_init(&s);
	admin(&s, T0, OP_SET_ADMIN_AUDIT_LOG, "nt authority\\system (process)", "UnifiedAuditLogIngestionEnabled", "False", NULL);
	run(&s);
	CHECK_TEXT(severity_of(alert_of(&s, "audit-tampering", 0)), "info");
	scene_release(&s);
}

/* -- throttled -- */

static void test_throttled(void)
{
	struct scene s;
	scene_init(&s);
	bind(&s, T0 - 30 * DAY, "ann", OWA, OFFICE, 1);
	for (unsigned i = 0; i < 990; i++)
		bind(&s, T0 + i * 30 * US_PER_SECOND, "ann", EWS, OFFICE, 1);
	bind(&s, T0 + 9 * HOUR, "ann", EWS, OFFICE, 1)->flags |= REC_THROTTLED;
	sync_folder(&s, T0 + 10 * HOUR, "ann", OUTLOOK, OFFICE, "Inbox")->flags |= REC_THROTTLED;
	bind(&s, T0 + 50 * HOUR, "ann", OWA, OFFICE, 1)->flags |= REC_THROTTLED;
	run(&s);
	CHECK(count_of(&s, "throttled") == 2);
	struct alert *a = alert_of(&s, "throttled", 0);
	CHECK_TEXT(severity_of(a), "high");
	CHECK(a && a->records == 2 && a->time_us == T0 + 9 * HOUR);
	SAYS(a, "Mainly by a client new to this mailbox");
	BLIND(a, "from 2026-01-06 19:00 to 2026-01-07 19:00 nothing read from this mailbox was recorded: assume everything");
	CHECK_TEXT(severity_of(alert_of(&s, "throttled", 1)), "medium");
	scene_release(&s);

	/* inferred: the limit, then a day of silence in which the mailbox was in use */
	for (unsigned variant = 0; variant < 4; variant++) {
		scene_init(&s);
		unsigned binds = variant == 2 ? 900 : variant == 3 ? 2500 : 1010;
		for (unsigned i = 0; i < binds; i++)
			bind(&s, T0 + i * 20 * US_PER_SECOND, "ann", OWA, OFFICE, 1);
		int64_t last = T0 + (binds - 1) * 20 * US_PER_SECOND;
		for (unsigned i = 1; i <= 3 && variant != 1; i++) {
			if (i == 1) {
				struct rec *r = add(&s, last + i * HOUR, OP_USER_LOGGED_IN, 0);
				set_actor(&s, r, "ann@example.com");
			} else {
				struct rec *r = add(&s, last + i * HOUR, OP_SEND, 0);
				set_user(&s, r, "ann");
			}
		}
		bind(&s, last + 30 * HOUR, "ann", OWA, OFFICE, 1);
		run(&s);
		a = alert_of(&s, "throttled", 0);
		CHECK_TEXT(severity_of(a), variant == 0 ? "low" : "none");
		if (variant == 0) {
			SAYS(a, "Inferred: 1,010 Bind records");
			CHECK(a && a->time_us == last && a->mailboxes.n == 1 && count_of(&s, "throttled") == 1);
		}
		scene_release(&s);
	}
}

/* -- known-indicator -- */

static void test_known_indicator(void)
{
	struct scene s;
	int64_t june = 0;
	time_parse(STR("2023-06-25"), &june);
	scene_init(&s);
	s.indicators = indicators_new();
	bind(&s, june + DAY - 1, "ann", OWA, "195.26.87.219", 4);   /* the last microsecond of the last day */
	bind(&s, june + DAY, "bob", OWA, "195.26.87.219", 4);       /* a day late */
	struct rec *r = add(&s, june, OP_USER_LOGIN_FAILED, 0);
	r->flags = 0;
	set_ip(r, "185.195.200.39");
	bind(&s, june, "cat", OWA, OFFICE, 4);
	run(&s);
	CHECK(count_of(&s, "known-indicator") == 3);
	CHECK_TEXT(severity_of(alert_of(&s, "known-indicator", 0)), "medium");
	struct alert *a = alert_of(&s, "known-indicator", 1);
	CHECK_TEXT(severity_of(a), "critical");
	CHECK_TEXT(a->title, "Known bad address 195.26.87.219 read mail of ann@example.com");
	SAYS(a, "\"Token web panel\" (storm-0558) for 2023-05-15 to 2023-06-25 UTC");
	a = alert_of(&s, "known-indicator", 2);
	CHECK_TEXT(severity_of(a), "info");
	SAYS(a, "from other days");
	indicators_free(s.indicators);
	scene_release(&s);

	/* a sign-in raises to high; an application of one's own list, in mail and in a consent */
	scene_init(&s);
	s.indicators = indicators_new();
	struct buf err;
	size_t added, skipped;
	buf_init(&err, 4096);
	CHECK(load(s.indicators, "indicator,type,description\n" APP ",app-id,rogue\n", &added, &skipped, &err));
	buf_release(&err);
	bind(&s, T0, "ann", GRAPH_APP, FRONT_END, 1);
	bind(&s, T0 + 1, "bob", GRAPH_APP, FRONT_END, 1);
	bind(&s, T0 + 1, "bob", GRAPH_APP_2, FRONT_END, 1);
	admin(&s, T0 - HOUR, OP_CONSENT, "ann@example.com", "ObjectId", APP, NULL);
	run(&s);
	CHECK(count_of(&s, "known-indicator") == 1);
	a = alert_of(&s, "known-indicator", 0);
	CHECK_TEXT(severity_of(a), "critical");
	CHECK(a && a->mailboxes.n == 2 && a->records == 3);
	indicators_free(s.indicators);
	scene_release(&s);

	/* without a list no indicator is known */
	scene_init(&s);
	bind(&s, june, "ann", OWA, "195.26.87.219", 4);
	run(&s);
	CHECK(count_of(&s, "known-indicator") == 0);
	scene_release(&s);
}

/* -- foreign-token -- */

static struct rec *foreign(struct scene *s, int64_t t, const char *user, const char *tenant, uint32_t flags)
{
	struct rec *r = admin(s, t, OP_MAIL_ITEMS_ACCESSED, "x", "TokenTenantId", tenant, NULL);
	set_user(s, r, user);
	set_client(s, r, OWA);
	set_ip(r, OFFICE);
	r->access = ACCESS_BIND;
	r->items = 1;
	r->flags |= flags;
	return r;
}

static void test_foreign_token(void)
{
	struct scene s;
	scene_init(&s);
	foreign(&s, T0, "ann", "9188040d-6c67-4c5b-b112-36a304b66dad", REC_TOKEN_TENANT_FOREIGN | REC_TOKEN_TENANT_CONSUMER);
	foreign(&s, T0 + 1, "bob", "9188040D-6C67-4C5B-B112-36A304B66DAD", REC_TOKEN_TENANT_FOREIGN | REC_TOKEN_TENANT_CONSUMER);
	foreign(&s, T0 + 2, "bob", "5f0c7a10-0000-4000-8000-000000000666", REC_TOKEN_TENANT_FOREIGN);
	foreign(&s, T0 + 3, "cat", "5f0c7a10-0000-4000-8000-000000000777", REC_TOKEN_TENANT_FOREIGN)->user_type = 10 + 1;
	foreign(&s, T0 + 4, "cat", "5f0c7a10-0000-4000-8000-000000000888", REC_TOKEN_TENANT_FOREIGN | REC_EXTERNAL);
	foreign(&s, T0 + 5, "cat", "5f0c7a10-0000-4000-8000-000000000001", 0);
	run(&s);
	CHECK(count_of(&s, "foreign-token") == 4);
	struct alert *a = alert_of(&s, "foreign-token", 0);
	CHECK_TEXT(severity_of(a), "critical");
	CHECK(a && a->mailboxes.n == 2);
	SAYS(a, "the tenant of consumer accounts");
	CHECK_TEXT(severity_of(alert_of(&s, "foreign-token", 1)), "high");
	CHECK_TEXT(severity_of(alert_of(&s, "foreign-token", 2)), "medium");
	CHECK_TEXT(severity_of(alert_of(&s, "foreign-token", 3)), "medium");
	scene_release(&s);
}

/* -- split-session -- */

static void test_split_session(void)
{
	struct scene s;
	struct alert *a;

	/* a week at home, then alternately with a server */
	scene_init(&s);
	for (unsigned d = 0; d < 7; d++)
		with_session(bind(&s, T0 + d * DAY, "ann", OWA, OFFICE, 1), 1);
	with_session(bind(&s, T0 + 7 * DAY, "ann", OWA, OFFICE, 1), 1);
	with_session(bind(&s, T0 + 7 * DAY + 30 * MIN, "ann", OWA, SERVER, 1), 1);
	with_session(bind(&s, T0 + 7 * DAY + 50 * MIN, "ann", OWA, OFFICE, 1), 1);
	run(&s);
	a = alert_of(&s, "split-session", 0);
	CHECK(count_of(&s, "split-session") == 2); /* first it had moved, then it was in both */
	CHECK_TEXT(severity_of(a), "info");
	a = alert_of(&s, "split-session", 1);
	CHECK_TEXT(severity_of(a), "medium");
	CHECK(a && a->time_us == T0 + 7 * DAY + 50 * MIN && a->session_count == 1);
	SAYS(a, "no ASN file");
	scene_release(&s);

	/* a token in both within minutes is high; and so is a session whose client changes with the network */
	scene_init(&s);
	with_token(bind(&s, T0, "ann", OWA, OFFICE, 1), 1);
	with_token(bind(&s, T0 + 5 * MIN, "ann", OWA, SERVER, 1), 1);
	with_session(bind(&s, T0, "bob", OWA, OFFICE, 1), 2);
	with_session(bind(&s, T0 + 5 * MIN, "bob", EWS, SERVER, 1), 2);
	run(&s);
	CHECK(count_of(&s, "split-session") == 2);
	CHECK_TEXT(severity_of(alert_of(&s, "split-session", 0)), "high");
	CHECK_TEXT(severity_of(alert_of(&s, "split-session", 1)), "high");
	scene_release(&s);

	/* a sign-in and the mail of its session belong together; a failed sign-in does not */
	scene_init(&s);
	struct rec *r = with_session(add(&s, T0, OP_USER_LOGGED_IN, 0), 3);
	set_actor(&s, r, "ann@example.com");
	set_ip(r, OFFICE);
	with_session(bind(&s, T0 + 4 * MIN, "ann", OWA, SERVER, 1), 3);
	r = with_session(add(&s, T0, OP_USER_LOGIN_FAILED, 0), 4);
	r->flags &= ~(uint32_t)REC_SUCCESS;
	set_actor(&s, r, "bob@example.com");
	set_ip(r, OFFICE);
	with_session(bind(&s, T0 + 4 * MIN, "bob", OWA, SERVER, 1), 4);
	run(&s);
	CHECK(count_of(&s, "split-session") == 1);
	scene_release(&s);

	/* benign: front ends, another address of the same network, v4 and v6 by turns, a laptop carried home every day */
	scene_init(&s);
	for (unsigned i = 0; i < 20; i++) {
		with_session(bind(&s, T0 + i * MIN, "ann", OWA, i & 1 ? FRONT_END : OFFICE, 1), 1);
		with_token(bind(&s, T0 + i * MIN, "bob", OWA, i & 1 ? "203.0.200.1" : OFFICE, 1), 2);
		with_token(bind(&s, T0 + i * MIN, "cat", OWA, i & 1 ? "2001:db8::1" : OFFICE, 1), 3);
		with_session(bind(&s, T0 + i * MIN, "dan", OWA, i & 1 ? "10.0.0.1" : OFFICE, 1), 4);
	}
	for (unsigned d = 0; d < 10; d++) {
		with_session(bind(&s, T0 + d * DAY, "eve", OWA, OFFICE, 1), 5);
		with_session(bind(&s, T0 + d * DAY + 9 * HOUR, "eve", OWA, SERVER_2, 1), 5);
	}
	run(&s);
	CHECK(count_of(&s, "split-session") == 1);
	a = alert_of(&s, "split-session", 0);
	CHECK_TEXT(severity_of(a), "info");
	CHECK(a && strstr(a->title, "eve@example.com"));
	scene_release(&s);

	/* benign: a VPN switched on and off, between networks that the account has used for days */
	scene_init(&s);
	for (unsigned d = 0; d < 5; d++) {
		with_session(bind(&s, T0 + d * DAY, "ann", OWA, OFFICE, 1), 1);
		with_session(bind(&s, T0 + d * DAY + (d < 3 ? 9 * HOUR : 5 * MIN), "ann", OWA, SERVER_2, 1), 1);
	}
	run(&s);
	CHECK(count_of(&s, "split-session") == 1);
	CHECK_TEXT(severity_of(alert_of(&s, "split-session", 0)), "info");
	scene_release(&s);

	/* an office with two providers: no alert for each of fifty people */
	scene_init(&s);
	for (unsigned u = 0; u < 50; u++)
		for (unsigned i = 0; i < 6; i++) {
			char user[16];
			snprintf(user, sizeof user, "user%u", u);
			with_session(bind(&s, T0 + u * HOUR + i * 2 * MIN, user, OWA, i & 1 ? SERVER_2 : OFFICE, 1), 100 + u);
		}
	run(&s);
	CHECK_MSG(count_of(&s, "split-session") == 4, "%u", count_of(&s, "split-session"));
	CHECK_TEXT(alert_of(&s, "split-session", 3)->title, "Sessions of 47 accounts alternate between 203.0.0.0/16 and 192.0.0.0/16");
	scene_release(&s);

	/* more sessions than we watch: the old ones go, nothing grows, and a real one is still seen */
	scene_init(&s);
	for (uint32_t i = 0; i < SESSIONS_MAX; i++)
		with_session(bind(&s, T0 + i * US_PER_SECOND, "flood", OWA, OFFICE, 1), 1000 + i);
	with_session(bind(&s, T0 + SESSIONS_MAX * US_PER_SECOND, "ann", OWA, OFFICE, 1), 1); /* the younger half stays */
	with_session(bind(&s, T0 + 40 * DAY, "bob", OWA, OFFICE, 1), 2);        /* taken: they are old now */
	with_session(bind(&s, T0 + 40 * DAY + MIN, "bob", OWA, SERVER, 1), 2);
	run(&s);
	CHECK(s.refused == 0);
	CHECK_TEXT(severity_of(alert_of(&s, "split-session", 0)), "low"); /* bob's first day */
	scene_release(&s);

	/* a flood inside one second: refused, counted, and over with its hour */
	scene_init(&s);
	for (uint32_t i = 0; i < SESSIONS_MAX; i++)
		with_session(bind(&s, T0, "flood", OWA, OFFICE, 1), 1000 + i);
	with_session(bind(&s, T0 + 10 * US_PER_SECOND, "ann", OWA, OFFICE, 1), 1);
	with_session(bind(&s, T0 + 2 * HOUR, "bob", OWA, OFFICE, 1), 2);
	with_session(bind(&s, T0 + 2 * HOUR + MIN, "bob", OWA, SERVER, 1), 2);
	run(&s);
	CHECK_MSG(s.refused == 1, "%llu", (unsigned long long)s.refused);
	CHECK(count_of(&s, "split-session") == 1);
	scene_release(&s);
}

/* -- sweep -- */

static void test_sweep(void)
{
	struct scene s;
	struct alert *a;

	/* a server goes through eight mailboxes with a new client */
	scene_init(&s);
	ordinary_days(&s, T0, 10, 20);
	for (unsigned u = 0; u < 8; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		bind(&s, T0 + 10 * DAY + u * 3 * MIN, user, EWS, SERVER, 40);
		bind(&s, T0 + 10 * DAY + u * 3 * MIN + MIN, user, EWS, SERVER, 40);
	}
	run(&s);
	CHECK(count_of(&s, "sweep") == 1);
	a = alert_of(&s, "sweep", 0);
	CHECK_TEXT(severity_of(a), "high");
	CHECK(a && a->mailboxes.n == 8 && a->time_us == T0 + 10 * DAY + 12 * MIN && a->clients.n == 1);
	SAYS(a, "198.51.0.0/16");
	scene_release(&s);

	/* the same behind a front end, by a new application */
	scene_init(&s);
	ordinary_days(&s, T0, 10, 20);
	for (unsigned u = 0; u < 8; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		bind(&s, T0 + 10 * DAY + u * 3 * MIN, user, GRAPH_APP, FRONT_END, 40);
	}
	run(&s);
	CHECK(count_of(&s, "sweep") == 1);
	CHECK_TEXT(severity_of(alert_of(&s, "sweep", 0)), "medium");
	BLIND(alert_of(&s, "sweep", 0), "where the caller is");
	scene_release(&s);

	/* stolen sessions: the usual client, from one new network, while the owners work elsewhere */
	scene_init(&s);
	ordinary_days(&s, T0, 10, 20);
	for (unsigned u = 0; u < 8; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		bind(&s, T0 + 9 * DAY + 5 * HOUR + 30 * MIN + u * MIN, user, OWA, SERVER, 10);
	}
	run(&s);
	CHECK(count_of(&s, "sweep") == 1);
	a = alert_of(&s, "sweep", 0);
	CHECK_TEXT(severity_of(a), "medium");
	SAYS(a, "their owners have not moved");
	scene_release(&s);

	/* slowly: eleven in a day, one every two hours */
	scene_init(&s);
	ordinary_days(&s, T0, 10, 40);
	for (unsigned u = 0; u < 11; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		bind(&s, T0 + 10 * DAY + u * 2 * HOUR, user, EWS, u & 1 ? SERVER : SERVER_2, 40);
	}
	run(&s);
	CHECK(count_of(&s, "sweep") == 1);
	CHECK_TEXT(severity_of(alert_of(&s, "sweep", 0)), "high");
	scene_release(&s);

	/* a thief hides among ten thousand networks of his own making: the others' history is not lost */
	scene_init(&s);
	ordinary_days(&s, T0, 5, 20);
	for (unsigned i = 0; i < 10000; i++) {
		char ip[24];
		snprintf(ip, sizeof ip, "%u.%u.0.1", 130 + i / 250, 1 + i % 250);
		bind(&s, T0 + 5 * DAY + i * US_PER_SECOND, "user0", OWA, ip, 1);
	}
	for (unsigned u = 1; u < 8; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		bind(&s, T0 + 6 * DAY + u * 3 * MIN, user, EWS, SERVER, 40);
	}
	run(&s);
	CHECK(count_of(&s, "sweep") == 1);
	CHECK(alert_of(&s, "sweep", 0) && alert_of(&s, "sweep", 0)->mailboxes.n == 7);
	scene_release(&s);
}

static void test_sweep_benign(void)
{
	struct scene s;
	/* all begin to use a new client in one morning, each in his own network: a roll-out */
	scene_init(&s);
	ordinary_days(&s, T0, 10, 20);
	for (unsigned u = 0; u < 20; u++) {
		char user[16], ip[24];
		snprintf(user, sizeof user, "user%u", u);
		snprintf(ip, sizeof ip, "100.%u.0.9", u);
		bind(&s, T0 + 10 * DAY + u * MIN, user, EWS, ip, 3);
	}
	run(&s);
	CHECK_MSG(count_of(&s, "sweep") == 0, "%s", alert_of(&s, "sweep", 0)->title);
	scene_release(&s);

	/* an office behind one address: known clients, then a new one for all */
	scene_init(&s);
	for (unsigned d = 0; d < 6; d++)
		for (unsigned u = 0; u < 30; u++) {
			char user[16];
			snprintf(user, sizeof user, "user%u", u);
			bind(&s, T0 + d * DAY + u * MIN, user, OWA, OFFICE, 3);
			if (d == 5)
				bind(&s, T0 + d * DAY + HOUR + u * MIN, user, EWS, OFFICE, 3);
		}
	run(&s);
	CHECK_MSG(count_of(&s, "sweep") == 0, "%s", alert_of(&s, "sweep", 0)->title);
	scene_release(&s);

	/* the office moves to another provider overnight, with desktop, browser and telephone */
	scene_init(&s);
	for (unsigned d = 0; d < 8; d++)
		for (unsigned u = 0; u < 30; u++) {
			char user[16];
			snprintf(user, sizeof user, "user%u", u);
			bind(&s, T0 + d * DAY + u * MIN, user, u % 3 ? OWA : OUTLOOK, d < 7 ? OFFICE : SERVER_2, 3);
		}
	run(&s);
	CHECK_MSG(count_of(&s, "sweep") == 0, "%s", alert_of(&s, "sweep", 0)->title);
	scene_release(&s);

	/* a background reader that is everywhere, and ten joiners in one morning */
	scene_init(&s);
	ordinary_days(&s, T0, 10, 30);
	for (unsigned u = 0; u < 10; u++) {
		char user[16];
		snprintf(user, sizeof user, "joiner%u", u);
		bind(&s, T0 + 10 * DAY + u * MIN, user, BACKGROUND, FRONT_END, 1);
		bind(&s, T0 + 10 * DAY + u * MIN, user, OWA, OFFICE, 1);
		bind(&s, T0 + 10 * DAY + u * MIN, user, EWS, SERVER, 1);
	}
	run(&s);
	CHECK_MSG(count_of(&s, "sweep") == 0, "%s", alert_of(&s, "sweep", 0)->title);
	scene_release(&s);

	/* the first two days of a tenant, everything new: twenty people and a background reader */
	scene_init(&s);
	ordinary_days(&s, T0, 2, 20);
	run(&s);
	CHECK_MSG(count_of(&s, "sweep") == 0, "%s", alert_of(&s, "sweep", 0)->title);
	scene_release(&s);
}

static void test_sweep_cold(void)
{
	struct scene s;
	/* no history: twelve of forty mailboxes from a server that no one else uses */
	scene_init(&s);
	ordinary_days(&s, T0, 2, 40);
	for (unsigned u = 0; u < 12; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		bind(&s, T0 + 8 * HOUR + u * 3 * MIN, user, EWS, SERVER, 40);
	}
	run(&s);
	CHECK(count_of(&s, "sweep") == 1);
	struct alert *a = alert_of(&s, "sweep", 0);
	CHECK_TEXT(severity_of(a), "medium");
	CHECK(a && a->mailboxes.n == 12 && a->time_us == a->last_us); /* judged at the end of the data */
	SAYS(a, "There was no history");
	scene_release(&s);

	/* a journaling service reads all mailboxes, every day */
	scene_init(&s);
	ordinary_days(&s, T0, 2, 40);
	for (unsigned d = 0; d < 2; d++)
		for (unsigned u = 0; u < 40; u++) {
			char user[16];
			snprintf(user, sizeof user, "user%u", u);
			bind(&s, T0 + d * DAY + 8 * HOUR + u * MIN, user, EWS, SERVER, 40);
		}
	run(&s);
	CHECK(count_of(&s, "sweep") == 0);
	scene_release(&s);
}

/* -- app-power -- */

static const char *const consent_for_one =
	"[] => [[Id: AAAA, ClientId: 5f0c7a10-0000-4000-8000-00000000c0ff, PrincipalId: 5f0c7a10-0000-4000-8000-0000000000d1, "
	"ResourceId: 5f0c7a10-0000-4000-8000-00000000c0fe, ConsentType: Principal, Scope: Mail.Read offline_access, CreatedDateTime: ]]; ";
static const char *const consent_for_all =
	"[] => [[Id: AAAA, ClientId: 5f0c7a10-0000-4000-8000-00000000c0ff, PrincipalId: , ConsentType: AllPrincipals, Scope: Mail.ReadWrite ]]; ";

static void test_mail_rights(void)
{
	struct mail_right r;
	struct str text = STR("a,Mail.Read\"[e2a3a72e-5f79-4c64-b1b1-878b674786c9]"), word;
	CHECK(next_word(&text, &word) && !mail_right(word, false, &r));
	CHECK(next_word(&text, &word) && mail_right(word, false, &r) && !r.application && r.reads);
	CHECK(next_word(&text, &word) && mail_right(word, false, &r) && r.application && str_eq(r.name, STR("Mail.ReadWrite")));
	CHECK(!next_word(&text, &word));
	CHECK(mail_right(STR("FULL_ACCESS_AS_APP"), false, &r) && r.application);
	CHECK(mail_right(STR("Mail.Send"), false, &r) && !r.reads);
	CHECK(!mail_right(STR("MailboxSettings.Read"), false, &r) && !mail_right(STR("User.Read"), false, &r) && !mail_right(STR("Mail."), false, &r));
	CHECK(!mail_right(STR("e1fe6dd8-ba31-4d61-89e7-88639da4683d"), false, &r));
}

static void test_app_power(void)
{
	struct scene s;
	struct alert *a;

	/* consent of one user for himself, then the reading */
	scene_init(&s);
	bind(&s, T0 - 20 * DAY, "ann", OWA, OFFICE, 1);
	admin(&s, T0, OP_CONSENT, "ann@example.com", "ObjectId", APP, "Target.Type1", "Reader", "ConsentContext.OnBehalfOfAll", "False",
	      "ConsentAction.Permissions", consent_for_one, NULL);
	bind(&s, T0 + HOUR, "ann", GRAPH_APP, FRONT_END, 7);
	bind(&s, T0 + 8 * DAY, "ann", GRAPH_APP, FRONT_END, 1000); /* outside the seven days */
	run(&s);
	CHECK(count_of(&s, "app-power") == 1);
	a = alert_of(&s, "app-power", 0);
	CHECK_TEXT(severity_of(a), "medium");
	CHECK(a && a->items == 7 && a->time_us == T0);
	CHECK_TEXT(a->title, "Reader was given mail rights (Mail.Read), then read mail of ann@example.com");
	SAYS(a, "on behalf of one user");
	SAYS(a, "read 7 items");
	scene_release(&s);

	/* for all users, and the application role: high with reads, medium without */
	scene_init(&s);
	bind(&s, T0 - 20 * DAY, "ann", OWA, OFFICE, 1);
	admin(&s, T0, OP_CONSENT, "admin@example.com", "ObjectId", APP, "ConsentAction.Permissions", consent_for_all, NULL);
	bind(&s, T0 + HOUR, "ann", GRAPH_APP, FRONT_END, 7);
	admin(&s, T0 + DAY, OP_ADD_APP_ROLE_TO_SERVICE, "admin@example.com", "AppRole.Id", "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
	      "AppRole.Value", "full_access_as_app", "ServicePrincipal.AppId", APP_2, "ServicePrincipal.DisplayName", "Archive",
	      "Target.Type2", EXCHANGE, NULL);
	run(&s);
	CHECK(count_of(&s, "app-power") == 2);
	CHECK_TEXT(severity_of(alert_of(&s, "app-power", 0)), "high");
	a = alert_of(&s, "app-power", 1);
	CHECK_TEXT(severity_of(a), "medium");
	CHECK_TEXT(a->title, "Archive was given mail rights: full_access_as_app");
	scene_release(&s);

	/* no application id anywhere: request, grant and key by one account, then a client never seen before through Graph */
	scene_init(&s);
	admin(&s, T0, OP_UPDATE_APPLICATION, "ann@example.com", "Target.Type2", "5f0c7a10-0000-4000-8000-000000000091", "Target.Type1", "SimApp",
	      "RequiredResourceAccess.old", "[{\"EntitlementId\":\"e1fe6dd8-ba31-4d61-89e7-88639da4683d\"}]",
	      "RequiredResourceAccess", "[{\"EntitlementId\":\"e1fe6dd8-ba31-4d61-89e7-88639da4683d\"},{\"EntitlementId\":\"024d486e-b451-40bb-833d-3e66d98c5c73\"}]",
	      NULL)->class_ = CLASS_DIRECTORY;
	admin(&s, T0 + 2 * MIN, OP_ADD_DELEGATED_GRANT, "ann@example.com", "Target.Type2", "5f0c7a10-0000-4000-8000-000000000092",
	      "DelegatedPermissionGrant.Scope.old", "User.Read", "DelegatedPermissionGrant.Scope", "User.Read Mail.ReadWrite",
	      "DelegatedPermissionGrant.ConsentType", "AllPrincipals", "ServicePrincipal.ObjectID", "5f0c7a10-0000-4000-8000-000000000093",
	      NULL)->class_ = CLASS_DIRECTORY;
	admin(&s, T0 + 4 * MIN, OP_UPDATE_APP_SECRETS, "ann@example.com", "Target.Type2", "5f0c7a10-0000-4000-8000-000000000091", "Target.Type1", "SimApp",
	      NULL)->class_ = CLASS_DIRECTORY;
	bind(&s, T0 + 7 * MIN, "ann", GRAPH_APP, FRONT_END, 7);
	run(&s);
	CHECK(count_of(&s, "app-power") == 1);
	a = alert_of(&s, "app-power", 0);
	CHECK_TEXT(severity_of(a), "high");
	CHECK(a && a->records == 4);
	SAYS(a, "not proof that both are one application");
	SAYS(a, "added a credential");
	CHECK(count_of(&s, "new-app") == 1);
	SAYS(alert_of(&s, "new-app", 0), "no history to learn from");
	scene_release(&s);

	/* a key planted on an application that reads one mailbox; then it reads four more */
	scene_init(&s);
	for (unsigned u = 0; u < 5; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		bind(&s, T0 - 10 * DAY, user, OWA, OFFICE, 1);
		if (u)
			bind(&s, T0 + u * 2 * HOUR, user, EWS, SERVER, 7);
	}
	bind(&s, T0 - 9 * DAY, "user0", EWS, SERVER, 7);
	admin(&s, T0, OP_ADD_SP_CREDENTIALS, "admin@example.com", "ObjectId", APP, "Target.Type1", "Reports", NULL);
	bind(&s, T0 + HOUR, "user0", EWS, SERVER, 7);
	run(&s);
	a = alert_of(&s, "app-power", 0);
	CHECK_TEXT(severity_of(a), "medium");
	CHECK(a && a->mailboxes.n == 4);
	scene_release(&s);
}

static void test_app_power_benign(void)
{
	struct scene s;
	scene_init(&s);
	bind(&s, T0 - 10 * DAY, "ann", EWS, SERVER, 7);
	/* a key renewed, and the application goes on */
	admin(&s, T0, OP_UPDATE_APP_SECRETS, "admin@example.com", "ObjectId", APP, "Target.Type1", "Reports", NULL);
	bind(&s, T0 + HOUR, "ann", EWS, SERVER, 7);
	/* a key alone, a consent without mail, one that was refused, rights that it had already */
	admin(&s, T0, OP_ADD_SP_CREDENTIALS, "admin@example.com", "ObjectId", APP_2, NULL);
	admin(&s, T0 + 1, OP_CONSENT, "bob@example.com", "ObjectId", APP_2, "ConsentAction.Permissions",
	      "[] => [[ConsentType: Principal, Scope: User.Read Calendars.Read ]]; ", NULL);
	admin(&s, T0 + 2, OP_CONSENT, "bob@example.com", "ObjectId", APP_2, "ConsentAction.Permissions", consent_for_one,
	      "MethodExecutionResult.", "Microsoft.Online.Security.UserConsentBlockedForRiskyAppsException", NULL);
	admin(&s, T0 + 3, OP_ADD_DELEGATED_GRANT, "bob@example.com", "DelegatedPermissionGrant.Scope", "Mail.Read User.Read",
	      "DelegatedPermissionGrant.Scope.old", "User.Read Mail.Read", "ServicePrincipal.AppId", APP_2, NULL);
	admin(&s, T0 + 4, OP_ADD_APP_ROLE_TO_USER, "bob@example.com", "AppRole.Value", "arn:aws:iam::111111111111:role/x", NULL);
	run(&s);
	CHECK_MSG(count_of(&s, "app-power") == 0, "%s", alert_of(&s, "app-power", 0)->title);
	scene_release(&s);

	/* a known client of the account that granted something unknown: no link by account */
	scene_init(&s);
	bind(&s, T0 - 10 * DAY, "ann", GRAPH_APP, FRONT_END, 7);
	admin(&s, T0, OP_ADD_DELEGATED_GRANT, "ann@example.com", "DelegatedPermissionGrant.Scope", "Mail.Read", NULL);
	bind(&s, T0 + HOUR, "ann", GRAPH_APP, FRONT_END, 7);
	bind(&s, T0 + HOUR, "bob", GRAPH_APP_2, FRONT_END, 7);
	run(&s);
	CHECK(count_of(&s, "app-power") == 1);
	CHECK_TEXT(severity_of(alert_of(&s, "app-power", 0)), "low");
	scene_release(&s);
}

/* -- new-client-sync -- */

static void test_new_client_sync(void)
{
	static const char *const folders[] = { "Inbox", "Sent", "Drafts", "Deleted", "Archive" };
	struct scene s;
	struct alert *a;

	/* a rare client from a network new to the mailbox; the victim had been there for ten days */
	scene_init(&s);
	ordinary_days(&s, T0, 10, 20);
	for (unsigned f = 0; f < 5; f++)
		sync_folder(&s, T0 + 10 * DAY + f * US_PER_SECOND, "user3", OUTLOOK, SERVER, folders[f]);
	run(&s);
	CHECK(count_of(&s, "new-client-sync") == 1);
	a = alert_of(&s, "new-client-sync", 0);
	CHECK_TEXT(severity_of(a), "high");
	CHECK(a && a->folders_synced == 5 && a->mailboxes.n == 1);
	BLIND(a, "assume the whole mailbox");
	scene_release(&s);

	/* a common client: folders of an ordinary installation are one low alert for all, one folder is none */
	scene_init(&s);
	ordinary_days(&s, T0, 10, 20);
	for (unsigned u = 0; u < 10; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		sync_folder(&s, T0 + u * HOUR, user, OUTLOOK, "100.1.0.9", "Inbox");
	}
	for (unsigned u = 10; u < 14; u++)
		for (unsigned f = 0; f < 4; f++) {
			char user[16], ip[24];
			snprintf(user, sizeof user, "user%u", u);
			snprintf(ip, sizeof ip, "100.%u.0.9", u);
			sync_folder(&s, T0 + 10 * DAY + f * US_PER_SECOND, user, OUTLOOK, ip, folders[f]);
		}
	sync_folder(&s, T0 + 10 * DAY, "user15", OUTLOOK, "100.15.0.9", "Calendar");
	run(&s);
	CHECK(count_of(&s, "new-client-sync") == 1);
	a = alert_of(&s, "new-client-sync", 0);
	CHECK_TEXT(severity_of(a), "low");
	CHECK(a && a->mailboxes.n == 4 && a->folders_synced == 16);
	scene_release(&s);

	/* benign: known to the mailbox; a mailbox in its first day */
	scene_init(&s);
	for (unsigned d = 0; d < 5; d++)
		for (unsigned f = 0; f < 5; f++)
			sync_folder(&s, T0 + d * DAY + f * MIN, "ann", OUTLOOK, OFFICE, folders[f]);
	for (unsigned f = 0; f < 5; f++)
		sync_folder(&s, T0 + 4 * DAY + f * MIN, "joiner", OUTLOOK, OFFICE, folders[f]);
	run(&s);
	CHECK(count_of(&s, "new-client-sync") == 0);
	scene_release(&s);
}

/* -- new-app -- */

static void test_new_app(void)
{
	struct scene s;
	struct alert *a;

	scene_init(&s);
	ordinary_days(&s, T0, 20, 20);
	bind(&s, T0 + 5 * DAY, "user1", GRAPH_APP, FRONT_END, 500);        /* a few days in: a note, whatever it reads */
	bind(&s, T0 + 19 * DAY + 12 * HOUR, "user2", GRAPH_APP_2, FRONT_END, 15);
	bind(&s, T0 + 19 * DAY + 13 * HOUR, "user2", GRAPH_APP_2, FRONT_END, 5);
	run(&s);
	CHECK(count_of(&s, "new-app") == 2);
	a = alert_of(&s, "new-app", 0);
	CHECK_TEXT(severity_of(a), "info");
	CHECK(a && a->time_us == T0 + 5 * DAY);
	SAYS(a, "0 of 20 mailboxes before, in 5 days of data");
	BLIND(a, "Microsoft front ends only");
	a = alert_of(&s, "new-app", 1);
	CHECK_TEXT(severity_of(a), "low");
	CHECK(a && a->items == 20);
	scene_release(&s);

	/* the first day: what stays rare is noted, what is common is not, and a client without id is never an application */
	scene_init(&s);
	ordinary_days(&s, T0, 1, 20);
	bind(&s, T0 + HOUR, "user1", GRAPH_APP, FRONT_END, 5);
	bind(&s, T0 + HOUR, "user1", OUTLOOK, OFFICE, 5);
	sync_folder(&s, T0 + 3 * DAY, "user1", OUTLOOK, OFFICE, "Inbox");
	run(&s);
	CHECK(count_of(&s, "new-app") == 1);
	a = alert_of(&s, "new-app", 0);
	CHECK(a && a->time_us == T0 + HOUR && strstr(a->title, APP));
	scene_release(&s);

	/* a known application in a new mailbox is not a new application */
	scene_init(&s);
	ordinary_days(&s, T0, 20, 20);
	for (unsigned u = 0; u < 10; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		bind(&s, T0, user, GRAPH_APP, FRONT_END, 5);
	}
	bind(&s, T0 + 18 * DAY, "user15", GRAPH_APP, FRONT_END, 500);
	run(&s);
	CHECK(count_of(&s, "new-app") == 0);
	scene_release(&s);
}

/* -- the whole: hostile and equal -- */

static void test_hostile_details(void)
{
	struct scene s;
	char *big = malloc(DETAIL_VALUE_MAX + 1);
	static const char *const bits[] = { "M365_ADVANCED_AUDITING", "OldValue", "NewValue", "DisabledPlans=[", "SkuName", "Mail.", "\"AppId\"", "=>" };
	scene_init(&s);
	for (unsigned b = 0; b < 8; b++) {
		size_t n = strlen(bits[b]), at = 0;
		while (at + n <= DETAIL_VALUE_MAX)
			memcpy(big + at, bits[b], n), at += n;
		big[at] = 0;
		for (enum rec_op op = OP_UPDATE_INBOX_RULES; op < OP_COUNT; op++)
			admin(&s, T0 + b, op, "x", "additionalDetails", big, "AssignedPlan", big, "ConsentAction.Permissions", big, NULL);
		admin(&s, T0 + b, OP_SET_MAILBOX, "x", "Identity", big, "AuditLogAgeLimit", big, "AuditOwner", big, NULL);
	}
	admin(&s, T0, OP_SET_AUDIT_BYPASS, "", "AuditBypassEnabled", "true", NULL); /* no actor, no object */
	admin(&s, T0, OP_CONSENT, "", "ConsentAction.Permissions", "Mail.Read", NULL);
	bind(&s, T0, "", OWA, "", 0)->flags |= REC_THROTTLED | REC_TOKEN_TENANT_FOREIGN;
	struct rec *bare = add(&s, T0, OP_MAIL_ITEMS_ACCESSED, 0); /* no mailbox, no client, no account */
	bare->flags |= REC_THROTTLED | REC_TOKEN_TENANT_CONSUMER | REC_HAS_SESSION | REC_HAS_TOKEN;
	set_ip(bare, SERVER);
	run(&s);
	CHECK(s.raised >= 3);
	free(big);
	scene_release(&s);
}

static void story(struct scene *s)
{
	scene_init(s);
	ordinary_days(s, T0, 6, 20);
	admin(s, T0 + 6 * DAY, OP_CONSENT, "admin@example.com", "ObjectId", APP, "ConsentAction.Permissions", consent_for_all, NULL);
	for (unsigned u = 0; u < 9; u++) {
		char user[16];
		snprintf(user, sizeof user, "user%u", u);
		with_session(with_token(bind(s, T0 + 6 * DAY + HOUR + u * 2 * MIN, user, GRAPH_APP, u & 1 ? SERVER : SERVER_2, 9), 9), 9);
	}
}

/* The same scene gives the same findings, ids and sentences included, and each of them once. */
static void test_same(void)
{
	struct scene a, b;
	story(&a);
	story(&b);
	put(&b, NAME_CLIENT, "other", "names", "known", "before", ""); /* names differ in number and order */
	run(&a);
	run(&b);
	CHECK(a.raised >= 4 && a.raised == b.raised);
	for (size_t i = 0; i < a.raised && i < b.raised; i++) {
		CHECK_TEXT(a.alerts.v[i]->id, b.alerts.v[i]->id);
		CHECK_TEXT(a.alerts.v[i]->title, b.alerts.v[i]->title);
		CHECK(a.alerts.v[i]->why_count == b.alerts.v[i]->why_count && a.alerts.v[i]->severity == b.alerts.v[i]->severity);
		for (uint32_t j = 0; j < a.alerts.v[i]->why_count; j++)
			CHECK_TEXT(a.alerts.v[i]->why[j], b.alerts.v[i]->why[j]);
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(a.alerts.v[i]->id, a.alerts.v[j]->id) != 0);
	}
	scene_release(&a);
	scene_release(&b);
}

int main(void)
{
	test_list();
	test_alert();
	test_members();
	test_indicators();
	test_tampering();
	test_tampering_benign();
	test_throttled();
	test_known_indicator();
	test_foreign_token();
	test_split_session();
	test_sweep();
	test_sweep_benign();
	test_sweep_cold();
	test_mail_rights();
	test_app_power();
	test_app_power_benign();
	test_new_client_sync();
	test_new_app();
	test_hostile_details();
	test_same();
	return check_summary();
}
