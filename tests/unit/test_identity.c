/* SPDX-License-Identifier: Apache-2.0 */
/* test_identity: tokens and the sign-ins that issued them: coverage, the join, its bounds.
 *
 * An office of forty people signs in from eight to six, Monday to Friday, for three weeks; everything else is put on top of
 * that.  All ids, names and addresses are invented. */
#include <stdlib.h>

#include "base/guid.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "check.h"
#include "detect/orphans.h"
#include "event/names.h"
#include "identity/identity.h"

#define MONDAY (INT64_C(1772409600) * 1000000) /* 2026-03-02T00:00:00Z */
#define AT(day, hour, minute) (MONDAY + (day) * US_PER_DAY + (hour) * US_PER_HOUR + (minute) * US_PER_MINUTE)

static struct names names;

static uint64_t put(enum name_kind kind, const char *a, const char *b, const char *c, const char *d, const char *e)
{
	struct str parts[NAME_PARTS] = { str_of(a), str_of(b), str_of(c), str_of(d), str_of(e) };
	return names_put(&names, kind, parts, NAME_PARTS);
}

#define OWA_APP "9199bf20-a13f-4107-85dc-02114787ef48"
#define EXCHANGE "00000002-0000-0ff1-ce00-000000000000"

static void number_id(uint8_t id[16], uint64_t n)
{
	uint64_t a = hash_mix(n, 1), b = hash_mix(n, 2);
	memcpy(id, &a, 8);
	memcpy(id + 8, &b, 8);
}

static uint64_t person(unsigned n)
{
	char name[32];
	snprintf(name, sizeof name, "p%u@example.com", n);
	return put(NAME_ACTOR, name, "", "", "", "");
}

static struct rec signin(int64_t t, uint64_t token, unsigned who, enum signin_kind kind)
{
	struct rec r = { .time_us = t, .class_ = kind == SIGNIN_AUDIT ? CLASS_AUDIT : CLASS_SIGNIN,
			 .op = kind == SIGNIN_AUDIT ? OP_USER_LOGGED_IN : OP_SIGN_IN, .signin_kind = (uint8_t)kind,
			 .flags = REC_HAS_TOKEN | REC_SUCCESS, .ip_kind = ADDR_V4, .ip = { 203, 0, 113, 7 } };
	number_id(r.token, token);
	memcpy(r.id, r.token, 16);
	r.actor = person(who);
	r.client = put(NAME_CLIENT, OWA_APP, OWA_APP, OWA_APP, "", "");
	return r;
}

static struct rec reading(int64_t t, uint64_t token, unsigned who, int64_t issued)
{
	struct rec r = { .time_us = t, .class_ = CLASS_AUDIT, .op = OP_MAIL_ITEMS_ACCESSED, .flags = REC_HAS_TOKEN, .access = ACCESS_BIND,
			 .items = 1, .user_type = 1, .ip_kind = ADDR_V4, .ip = { 203, 0, 113, 7 } };
	number_id(r.token, token);
	number_id(r.id, hash_mix(token, (uint64_t)t));
	r.actor = person(who);
	r.mailbox = put(NAME_MAILBOX, "5f0c7a10-0000-4000-8000-0000000000a1", "p@example.com", "", "", "");
	r.client = put(NAME_CLIENT, EXCHANGE, OWA_APP, OWA_APP, EXCHANGE, "OWA/ViaProxy");
	r.issued_s = issued ? (uint32_t)(issued / US_PER_SECOND) : 0;
	return r;
}

/* -- a run: sign-ins in, then accesses judged in order -- */

struct run {
	struct signins *signins;
	struct identity *x;
	struct world world;
	unsigned lanes;
	uint64_t added;
};

static void run_begin(struct run *r, unsigned lanes)
{
	*r = (struct run){ .signins = signins_new(lanes), .lanes = lanes };
}

static void add(struct run *r, struct rec s)
{
	signins_collect(r->signins, (unsigned)(r->added++ % r->lanes), &s, 0);
}

static void run_ready(struct run *r)
{
	for (unsigned i = 0; i < r->lanes; i++)
		signins_lane_done(r->signins, i);
	CHECK(signins_ready(r->signins, NULL) == 0);
	r->x = signins_of(r->signins, TENANT_UNKNOWN);
	CHECK(r->x != NULL);
	CHECK(world_init(&r->world, &names, NULL) == 0);
}

static const struct provenance *judge(struct run *r, struct rec a)
{
	static struct rec kept;
	static struct event e;
	kept = a;
	world_meet(&r->world, &kept, &e);
	return identity_judge(r->x, &r->world, &e);
}

static const char *reason(struct run *r, struct rec a)
{
	const struct provenance *p = judge(r, a);
	return p ? prov_reasons[p->reason].name : "(no access)";
}

static void run_end(struct run *r)
{
	signins_end(r->signins);
	CHECK_TEXT(signins_error(r->signins), "");
	signins_free(r->signins);
	world_release(&r->world);
}

/* three weeks: each of forty people signs in once an hour; tokens 1000000 * person + hour of the log */
static uint64_t office_token(unsigned who, unsigned day, unsigned hour) { return 1000000ull * (who + 1) + day * 24 + hour; }

static void office(struct run *r, int64_t hole_from, int64_t hole_to)
{
	for (unsigned day = 0; day < 21; day++)
		for (unsigned hour = 8; hour < 18 && day % 7 < 5; hour++)
			for (unsigned who = 0; who < 40; who++) {
				int64_t t = AT(day, hour, (who * 7 + day) % 60);
				if (t < hole_from || t >= hole_to)
					add(r, signin(t, office_token(who, day, hour), who, who % 4 ? SIGNIN_NONINTERACTIVE : SIGNIN_INTERACTIVE));
			}
}

/* the first tokens of a client are never accused: let some link first */
static void warm_up(struct run *r)
{
	for (unsigned who = 0; who < 10; who++)
		CHECK_TEXT(reason(r, reading(AT(0, 10, 0) + who, office_token(who, 0, 9), who, AT(0, 9, (who * 7) % 60) - 5 * US_PER_MINUTE)), "token");
}

static void test_timeline(void)
{
	struct silences t;
	uint32_t *v = calloc(4000, sizeof *v);
	size_t n = 0;
	for (uint32_t slot = 0; slot < 20 * 144; slot++) { /* three a slot by day, none by night, a hole on day 9 */
		uint32_t of_day = slot % 144;
		if (of_day >= 48 && of_day < 108 && !(slot >= 9 * 144 + 60 && slot < 9 * 144 + 72))
			v[n++] = slot;
	}
	uint32_t base = 100000 - 100000 % 144; /* a midnight */
	for (size_t i = 0; i < n; i++)
		v[i] += base;
	CHECK(silences_make(&t, 10 * US_PER_MINUTE, v, n) == 0);
	int64_t day = (int64_t)base * 10 * US_PER_MINUTE;
	CHECK(t.hole_count == 1);
	CHECK(silences_ask(&t, day + 8 * US_PER_HOUR - 1, day + 9 * US_PER_HOUR) == LOG_BEFORE);
	CHECK(silences_ask(&t, day + 10 * US_PER_HOUR, day + 11 * US_PER_HOUR) == LOG_COVERED);
	CHECK(silences_ask(&t, day + 25 * US_PER_HOUR, day + 26 * US_PER_HOUR) == LOG_QUIET);
	CHECK(silences_ask(&t, day + 9 * US_PER_DAY + 11 * US_PER_HOUR, day + 9 * US_PER_DAY + 11 * US_PER_HOUR) == LOG_HOLE);
	/* the slots at its ends may be cut: they belong to it */
	CHECK(silences_ask(&t, day + 9 * US_PER_DAY + 10 * US_PER_HOUR - 1, day + 9 * US_PER_DAY + 10 * US_PER_HOUR - 1) == LOG_HOLE);
	CHECK(silences_ask(&t, day + 9 * US_PER_DAY + 9 * US_PER_HOUR, day + 9 * US_PER_DAY + 9 * US_PER_HOUR) == LOG_COVERED);
	CHECK(silences_ask(&t, day + 19 * US_PER_DAY + 17 * US_PER_HOUR, day + 19 * US_PER_DAY + 18 * US_PER_HOUR) == LOG_AFTER);
	CHECK(silences_ask(&t, day - US_PER_DAY, day + 30 * US_PER_DAY) == LOG_BEFORE);
	silences_release(&t);
	CHECK(silences_ask(&t, 0, 0) == LOG_EMPTY);

	/* one day with a hole: there is no other day to compare with, but both sides of it are busy */
	v = calloc(200, sizeof *v);
	n = 0;
	for (uint32_t slot = 0; slot < 144; slot++)
		if (slot < 60 || slot >= 72)
			v[n++] = base + slot;
	CHECK(silences_make(&t, 10 * US_PER_MINUTE, v, n) == 0);
	CHECK(t.hole_count == 1);
	silences_release(&t);

	/* a log of which one day had a great burst at an hour in which nothing else ever happens: no holes on the other days */
	v = calloc(4000, sizeof *v);
	n = 0;
	for (uint32_t slot = 0; slot < 20 * 144; slot++)
		if ((slot % 144 >= 48 && slot % 144 < 108) || (slot >= 4 * 144 + 12 && slot < 4 * 144 + 18))
			v[n++] = base + slot;
	CHECK(silences_make(&t, 10 * US_PER_MINUTE, v, n) == 0);
	CHECK(t.hole_count == 0);
	silences_release(&t);
}

static void test_verdicts(void)
{
	struct run r;
	run_begin(&r, 1);
	office(&r, AT(9, 10, 0), AT(9, 13, 0));
	struct rec failed = signin(AT(8, 10, 0), 77, 3, SIGNIN_NONINTERACTIVE);
	failed.flags &= ~(uint32_t)REC_SUCCESS;
	failed.result = 50126;
	add(&r, failed);
	run_ready(&r);

	CHECK_TEXT(reason(&r, reading(AT(0, 8, 4), 5, 1, AT(0, 7, 50))), "before_signins");
	warm_up(&r);
	/* linked, and to which */
	const struct provenance *p = judge(&r, reading(AT(1, 10, 0), office_token(7, 1, 9), 7, 0));
	CHECK(p && p->verdict == PROV_LINKED && p->issue && p->first && p->issue->time_s == AT(1, 9, 50) / US_PER_SECOND);
	CHECK(p && p->issued_us == AT(1, 9, 45));
	p = judge(&r, reading(AT(1, 10, 1), office_token(7, 1, 9), 7, 0));
	CHECK(p && p->verdict == PROV_LINKED && !p->first);
	CHECK(p && !p->actor_differs);
	p = judge(&r, reading(AT(1, 10, 2), office_token(7, 1, 9), 8, 0));
	CHECK(p && p->verdict == PROV_LINKED && p->actor_differs);
	/* no sign-in issued it */
	CHECK_TEXT(reason(&r, reading(AT(2, 11, 0), 42, 7, AT(2, 10, 50))), "not_issued");
	/* no time of issue: the 28 hours before must be covered; on Monday only the weekend's night is available for them */
	CHECK_TEXT(reason(&r, reading(AT(3, 11, 0), 43, 7, 0)), "not_issued");
	CHECK_TEXT(reason(&r, reading(AT(3, 23, 50), 44, 7, AT(3, 23, 40))), "not_issued_quiet");
	/* a failed sign-in issues nothing */
	CHECK_TEXT(reason(&r, reading(AT(8, 10, 10), 77, 3, AT(8, 9, 55))), "not_issued");
	/* the hole, and a token without time of issue whose 28 hours touch it */
	CHECK_TEXT(reason(&r, reading(AT(9, 11, 10), 45, 7, AT(9, 11, 0))), "hole");
	CHECK_TEXT(reason(&r, reading(AT(9, 15, 0), 46, 7, 0)), "hole");
	CHECK_TEXT(reason(&r, reading(AT(9, 15, 0), 47, 7, AT(9, 14, 50))), "not_issued");
	/* times that cannot be */
	CHECK_TEXT(reason(&r, reading(AT(10, 10, 0), 48, 7, AT(10, 12, 0))), "issued_later");
	CHECK_TEXT(reason(&r, reading(AT(10, 10, 0), 49, 7, AT(7, 12, 0))), "issued_long_ago");
	/* an application acts: its sign-in would be a service principal's, and there are none */
	struct rec app = reading(AT(10, 11, 0), 50, 7, AT(10, 10, 50));
	app.user_type = 5 + 1;
	CHECK_TEXT(reason(&r, app), "category_missing");
	/* no ids; a session that is in no sign-in */
	struct rec bare = reading(AT(10, 12, 0), 51, 7, 0);
	bare.flags &= ~(uint32_t)REC_HAS_TOKEN;
	CHECK_TEXT(reason(&r, bare), "no_id");
	bare.flags |= REC_HAS_SESSION;
	CHECK_TEXT(reason(&r, bare), "session_unknown");
	CHECK_TEXT(reason(&r, reading(AT(18, 17, 55), 52, 7, AT(18, 17, 50))), "after_signins");
	CHECK(judge(&r, signin(AT(18, 18, 0), 1, 1, SIGNIN_INTERACTIVE)) == NULL);
	run_end(&r);
}

/* the sign-in is later in its log than the access in the other: clocks */
static void test_skew_and_order(void)
{
	struct run r;
	run_begin(&r, 3);
	add(&r, signin(AT(5, 12, 10), 900, 1, SIGNIN_NONINTERACTIVE));
	add(&r, signin(AT(5, 12, 40), 901, 1, SIGNIN_NONINTERACTIVE));
	office(&r, 0, 0);
	run_ready(&r);
	warm_up(&r);
	CHECK_TEXT(reason(&r, reading(AT(5, 12, 0), 900, 1, 0)), "token");    /* ten minutes later */
	CHECK(strcmp(reason(&r, reading(AT(5, 12, 1), 901, 1, 0)), "token")); /* forty: not by a clock */
	CHECK_TEXT(reason(&r, reading(AT(5, 12, 45), 901, 1, 0)), "token");
	run_end(&r);
}

static void test_missing(void)
{
	struct run r;
	run_begin(&r, 1);
	run_ready(&r);
	CHECK(!identity_has_signins(r.x));
	CHECK_TEXT(reason(&r, reading(AT(1, 1, 0), 1, 1, 0)), "no_signins");
	run_end(&r);

	/* only interactive ones, as Graph gives them unless asked; the audit log's own are used instead */
	for (int kind = 0; kind < 2; kind++) {
		run_begin(&r, 1);
		for (unsigned i = 0; i < 2000; i++)
			add(&r, signin(AT(0, 0, 0) + i * 10 * US_PER_MINUTE, 1000 + i, i % 40, kind ? SIGNIN_AUDIT : SIGNIN_INTERACTIVE));
		run_ready(&r);
		for (unsigned i = 10; i < 20; i++)
			CHECK_TEXT(reason(&r, reading(AT(0, 0, 1) + i * 10 * US_PER_MINUTE, 1000 + i, i, 0)), "token");
		CHECK_TEXT(reason(&r, reading(AT(3, 10, 0), 5, 3, AT(3, 9, 50))), "category_missing");
		run_end(&r);
	}

	/* a client of which nothing links is not accused */
	run_begin(&r, 1);
	office(&r, 0, 0);
	run_ready(&r);
	for (unsigned i = 0; i < 50; i++) {
		struct rec a = reading(AT(2, 9, 0) + i * US_PER_MINUTE, 3000 + i, i % 10, AT(2, 8, 50));
		a.client = put(NAME_CLIENT, EXCHANGE, "5f0c7a10-0000-4000-8000-00000000c009", "5f0c7a10-0000-4000-8000-00000000c009", EXCHANGE, "REST");
		CHECK_TEXT(reason(&r, a), "client_not_linked");
	}
	run_end(&r);
}

static void test_forms(void)
{
	struct run r;
	struct rec a;
	run_begin(&r, 1);
	office(&r, 0, 0);
	/* a row whose own id differs from its token's: found under both */
	struct rec two = signin(AT(3, 10, 0), 600, 1, SIGNIN_NONINTERACTIVE);
	number_id(two.id, 601);
	add(&r, two);
	/* the same sign-in in the audit log and in Entra's */
	add(&r, signin(AT(3, 10, 0), 602, 1, SIGNIN_INTERACTIVE));
	add(&r, signin(AT(3, 10, 0), 602, 1, SIGNIN_AUDIT));
	/* opaque ids are other ids than GUIDs of the same bytes */
	struct rec opaque = signin(AT(3, 10, 0), 603, 1, SIGNIN_NONINTERACTIVE);
	opaque.flags |= REC_TOKEN_TEXT | REC_ID_TEXT;
	add(&r, opaque);
	/* without its time; without token, under its id */
	struct rec timeless = signin(0, 604, 1, SIGNIN_INTERACTIVE);
	timeless.flags |= REC_NO_TIME;
	add(&r, timeless);
	struct rec old = signin(AT(3, 10, 0), 605, 1, SIGNIN_INTERACTIVE);
	old.flags &= ~(uint32_t)REC_HAS_TOKEN;
	add(&r, old);
	/* two accounts claim one token */
	add(&r, signin(AT(3, 10, 0), 606, 1, SIGNIN_NONINTERACTIVE));
	struct rec clash = signin(AT(3, 10, 1), 606, 2, SIGNIN_NONINTERACTIVE);
	number_id(clash.id, 607);
	add(&r, clash);
	run_ready(&r);
	warm_up(&r);
	CHECK_TEXT(reason(&r, reading(AT(3, 10, 5), 600, 1, 0)), "token");
	CHECK_TEXT(reason(&r, reading(AT(3, 10, 5), 601, 1, 0)), "token");
	const struct provenance *p = judge(&r, reading(AT(3, 10, 5), 602, 1, 0));
	CHECK(p && p->issue && p->issue->kinds == (1 << SIGNIN_INTERACTIVE | 1 << SIGNIN_AUDIT));
	CHECK(strcmp(reason(&r, reading(AT(3, 10, 5), 603, 1, AT(3, 9, 55))), "token"));
	a = reading(AT(3, 10, 5), 603, 1, 0);
	a.flags |= REC_TOKEN_TEXT;
	CHECK_TEXT(reason(&r, a), "token");
	CHECK_TEXT(reason(&r, reading(AT(3, 10, 5), 604, 1, 0)), "token_no_time");
	CHECK_TEXT(reason(&r, reading(AT(3, 10, 5), 605, 1, 0)), "token");
	p = judge(&r, reading(AT(3, 10, 5), 606, 9, 0));
	CHECK(p && p->issue && (p->issue->flags & ISSUE_CLASH) && !p->actor_differs);
	/* a million accesses of one token cost no memory and stay linked */
	unsigned linked = 0;
	for (unsigned i = 0; i < 1000000; i++) {
		p = judge(&r, reading(AT(3, 10, 10) + i, 600, 1, 0));
		linked += p && p->verdict == PROV_LINKED && !p->first;
	}
	CHECK(linked == 1000000);
	run_end(&r);
}

/* rows far in the future and in the past must not stretch what is covered */
static void test_stray_times(void)
{
	struct run r;
	run_begin(&r, 1);
	office(&r, 0, 0);
	add(&r, signin(AT(20000, 0, 0), 1, 1, SIGNIN_NONINTERACTIVE));
	add(&r, signin(AT(20000, 0, 0), 2, 1, SIGNIN_INTERACTIVE));
	add(&r, signin(TIME_MIN_US, 3, 1, SIGNIN_NONINTERACTIVE));
	run_ready(&r);
	warm_up(&r);
	CHECK_TEXT(reason(&r, reading(AT(2, 11, 0), 42, 7, AT(2, 10, 50))), "not_issued");
	CHECK_TEXT(reason(&r, reading(AT(30, 11, 0), 43, 7, AT(30, 10, 50))), "hole");
	CHECK_TEXT(reason(&r, reading(AT(30, 11, 0), 1, 7, AT(30, 10, 50))), "hole"); /* not issued yet */
	run_end(&r);
}

/* The same rows in one lane and in three, each doubled: the same answers. */
static void test_lanes_and_copies(void)
{
	struct run one, three;
	run_begin(&one, 1);
	run_begin(&three, 3);
	office(&one, AT(9, 10, 0), AT(9, 13, 0));
	for (int copies = 0; copies < 3; copies++)
		office(&three, AT(9, 10, 0), AT(9, 13, 0));
	run_ready(&one);
	run_ready(&three);
	unsigned different = 0;
	for (unsigned i = 0; i < 20000; i++) {
		unsigned who = i % 40, day = i / 1000, hour = 8 + i / 40 % 10;
		int64_t t = AT(day, hour, 0) + i * US_PER_SECOND;
		struct rec a = reading(t, i % 7 ? office_token(who, day, hour) : 5000000000ull + i, who, i % 3 ? t - 10 * US_PER_MINUTE : 0);
		const struct provenance *p = judge(&one, a), *q = judge(&three, a);
		different += !p || !q || p->reason != q->reason || p->first != q->first || p->pair_is_new != q->pair_is_new;
	}
	CHECK(different == 0);
	for (int r = 0; r < PROV_REASONS; r++)
		CHECK_MSG(identity_count(one.x, (enum prov_reason)r) == identity_count(three.x, (enum prov_reason)r), "%s", prov_reasons[r].name);
	signins_end(one.signins);
	signins_end(three.signins);
	CHECK(identity_category(one.x, SIGNIN_NONINTERACTIVE - 1)->rows == identity_category(three.x, SIGNIN_NONINTERACTIVE - 1)->rows);
	CHECK(identity_category(one.x, SIGNIN_NONINTERACTIVE - 1)->rows > 0);
	run_end(&one);
	run_end(&three);
}

/* The store: what is past its keep goes, what may still live stays, and what finds no room is reported. */
static void test_store(void)
{
	struct store s;
	struct rec r;
	store_init(&s);
	for (unsigned i = 0; i < 200000; i++) { /* 20,000 a day for ten days */
		r = signin(AT(0, 0, 0) + i * (US_PER_DAY / 20000), i, 1, SIGNIN_NONINTERACTIVE);
		store_add(&s, &r);
	}
	CHECK(s.tokens.n < 8 * 20000 && s.tokens.n >= 7 * 20000 - 1);
	CHECK(store_token(&s, &r) != NULL && s.refused == 0);
	r = reading(AT(10, 0, 0), 10, 1, 0);
	CHECK(store_token(&s, &r) == NULL);
	store_release(&s);

	store_init(&s);
	for (unsigned i = 0; i < IDENTITY_TOKENS_MAX + 50000; i++) { /* more than fit, within a day */
		r = signin(AT(0, 0, 0) + i * 50000ll, i, 1, SIGNIN_NONINTERACTIVE);
		store_add(&s, &r);
	}
	CHECK(s.tokens.n == IDENTITY_TOKENS_MAX && s.refused == 50000);
	CHECK(store_is_full_at(&s, AT(1, 0, 0)) && !store_is_full_at(&s, AT(4, 0, 0)));
	r = reading(AT(0, 1, 0), 5, 1, 0);
	CHECK(store_token(&s, &r) != NULL); /* the old ones may still live: they stay */
	for (unsigned i = 0; i < 1000; i++) { /* three days later there is room again */
		r = signin(AT(4, 0, 0) + i, 9000000 + i, 1, SIGNIN_NONINTERACTIVE);
		store_add(&s, &r);
	}
	CHECK(store_token(&s, &r) != NULL && s.refused == 50000);
	store_release(&s);
}

/* The list of orphan accesses: what it holds, what is in an alert, and what finds no room add up to all. */
static void test_orphans(void)
{
	enum { MORE = 1000, BOXES = ORPHAN_GROUPS_MAX + MORE, RAISED = 100 };
	struct world world = { .mailbox_count = BOXES };
	struct alert open = { .id = "txm-1" }, raised = { .id = "txm-2", .raised = true };
	struct alerts alerts = { .world = &world };
	struct provenance orphan = { .verdict = PROV_ORPHAN }, linked = { .verdict = PROV_LINKED };
	const struct period day = { .since_us = AT(1, 0, 0), .until_us = AT(2, 0, 0) }, all = PERIOD_ALL;
	struct orphans o;
	orphans_init(&o, &day);
	for (uint32_t i = 0; i < BOXES; i++) {
		struct rec r = reading(AT(1, 0, 0) + i, i, i, 0);
		struct event e = { .rec = &r, .mailbox = i, .client = 0, .actor = 0, .token = &orphan };
		alerts.of_orphan[0] = i < RAISED ? &raised : &open;
		alerts.of_orphan_count = i < 2 * RAISED;
		for (int again = 0; again < 2; again++)
			orphans_meet(&o, &alerts, &e);
		e.token = &linked;
		orphans_meet(&o, &alerts, &e);
		e.token = &orphan;
		r.time_us = i % 2 ? AT(1, 0, 0) - 1 : AT(2, 0, 0); /* outside */
		orphans_meet(&o, &alerts, &e);
	}
	alerts.of_orphan_count = 0;
	struct rec r = reading(AT(1, 12, 0), 7, 7, 0); /* one more in a mailbox that is there, but in no alert now */
	struct event e = { .rec = &r, .mailbox = 150, .client = 0, .actor = 0, .token = &orphan };
	o.groups.max++;
	orphans_meet(&o, &alerts, &e);
	CHECK(orphans_finish(&o, &alerts) == 0);
	CHECK(o.accesses == 2 * BOXES + 1 && o.without_room == 2 * MORE && o.in_alerts == 2 * RAISED);
	CHECK(o.accesses == o.in_alerts + o.listed + o.without_room);
	CHECK(o.n == ORPHAN_GROUPS_MAX - RAISED && o.mailboxes == o.n);
	CHECK(o.rows[0].mailbox == 150 && o.rows[0].accesses == 3 && o.rows[0].of_mailbox == 3 && o.rows[0].tokens == 2);
	CHECK(o.rows[0].last_us == AT(1, 12, 0) && !o.rows[0].tokens_cut);
	for (size_t i = 1; i < o.n; i++)
		if (o.rows[i].tokens != 1 || o.rows[i].accesses != 2 || o.rows[i].mailbox < RAISED) {
			CHECK_MSG(false, "row %zu", i);
			break;
		}
	orphans_release(&o);

	orphans_init(&o, &all); /* more tokens than are remembered: reported in their row */
	for (unsigned i = 0; i < ORPHAN_TOKENS_MAX + 10; i++) {
		r = reading(AT(1, 0, 0) + i, i, 1, 0);
		e.mailbox = i < ORPHAN_TOKENS_MAX ? 1 : 2;
		orphans_meet(&o, &alerts, &e);
	}
	CHECK(orphans_finish(&o, &alerts) == 0 && o.n == 2 && o.without_room == 0 && o.listed == ORPHAN_TOKENS_MAX + 10);
	CHECK(o.rows[0].mailbox == 1 && o.rows[0].tokens == ORPHAN_TOKENS_MAX && !o.rows[0].tokens_cut);
	CHECK(o.rows[1].mailbox == 2 && o.rows[1].tokens == 0 && o.rows[1].tokens_cut);
	orphans_release(&o);
}

int main(void)
{
	names_init(&names);
	test_timeline();
	test_verdicts();
	test_skew_and_order();
	test_missing();
	test_forms();
	test_stray_times();
	test_lanes_and_copies();
	test_store();
	test_orphans();
	names_release(&names);
	return check_summary();
}
