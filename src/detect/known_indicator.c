/* SPDX-License-Identifier: Apache-2.0 */
/* known-indicator: an address or application that was published as bad.
 *
 * Signal   The caller's address, and the application's id, of every mail, mailbox, administrative, directory and sign-in
 *          record, against the built-in Storm-0558 addresses and the lists given with --ioc.
 * Catches  Reads, logons and changes from such an address inside the days for which it was published.
 * Misses   Addresses never published; callers behind Microsoft's front ends, whose address the log does not hold.
 * Cost     Addresses are rented and change hands: outside its days a match is a note (info), never a page.  Browser and
 *          client strings of the same reports are not used at all: they occur in ordinary records too.
 *          Memory: one entry for each indicator that was seen.
 *
 * One alert for each indicator, inside and outside of its days apart. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"
#include "detect/indicators.h"

#define HITS_MAX 20000 /* indicators seen, inside and outside counted apart */

extern const struct detector detector_known_indicator;

struct hit {
	struct alert *alert;
	const struct indicator *indicator;
	uint64_t mail_records, signins, failed, others;
	uint8_t last[16]; /* id of the last record */
	bool inside, front_end_only;
};

struct state {
	struct table hits;    /* subject -> struct hit */
	uint8_t *client_app;  /* by client: 0 not looked at, 1 no indicator, 2 indicator */
	uint32_t client_count;
	struct indicator *saved; /* of hits that come from a file */
	uint32_t saved_count;
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->hits, sizeof(struct hit), HITS_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	table_release(&s->hits);
	free(s->client_app);
	free(s->saved);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->hits.refused;
}

static bool is_failed_signin(const struct rec *r)
{
	return (op_kinds(r->op) & KIND_SIGNIN) && (r->op == OP_USER_LOGIN_FAILED || r->result != 0 || !(r->flags & REC_SUCCESS));
}

static enum severity severity_of(const struct event *e, const struct indicator *x, bool inside)
{
	if (!inside || (!x->is_app && e->net == NET_MICROSOFT))
		return SEVERITY_INFO; /* a front end's address is shared by all */
	if (event_is_mail(e))
		return SEVERITY_CRITICAL;
	return is_failed_signin(e->rec) ? SEVERITY_MEDIUM : SEVERITY_HIGH;
}

static void write_sentences(struct detect_ctx *c, const struct hit *h)
{
	const struct indicator *x = h->indicator;
	struct alert *al = h->alert;
	char boxes[SAY_SIZE], from[TIME_TEXT_SIZE] = "the beginning", to[TIME_TEXT_SIZE] = "today";
	char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
	const char *kind = x->is_app ? "application" : "address";
	if (x->from_us != INT64_MIN)
		snprintf(from, sizeof from, "%.10s", time_format(x->from_us, first));
	if (x->to_us != INT64_MAX)
		snprintf(to, sizeof to, "%.10s", time_format(x->to_us - US_PER_DAY, first));
	time_format_minute(al->first_us, first);
	time_format_minute(al->last_us, last);
	say_mailboxes(c->world, &al->mailboxes, boxes);

	alert_member(al, INDICATOR, value_cstr(x->text));
	alert_member(al, INDICATOR_TYPE, value_cstr(kind));
	alert_member(al, LIST, value_cstr(x->source));
	alert_member(al, LISTED_AS, value_cstr(x->description));
	alert_member(al, LISTED_FROM, x->from_us == INT64_MIN ? value_none() : value_time(x->from_us));
	alert_member(al, LISTED_UNTIL, x->to_us == INT64_MAX ? value_none() : value_time(x->to_us));
	alert_member(al, INSIDE_DATES, value_flag(h->inside));
	alert_clear_why(al);
	if (!h->inside)
		alert_title(al, "Known %s %s seen outside its dates", kind, x->text);
	else if (h->mail_records)
		alert_title(al, "Known bad %s %s read mail of %s", kind, x->text, boxes);
	else if (h->signins > h->failed)
		alert_title(al, "Sign-in from known bad %s %s", kind, x->text);
	else if (h->signins && !h->others)
		alert_title(al, "Failed sign-ins from known bad %s %s", kind, x->text);
	else
		alert_title(al, "Known bad %s %s at work in the tenant", kind, x->text);
	alert_why(al, "%s is listed as \"%s\" (%s) for %s to %s UTC.", x->text, x->description[0] ? x->description : "no description",
		  x->source, from, to);
	alert_why(al, "%s these days: %s with %s, %s (%s failed), %s, from %s to %s.", h->inside ? "Within" : "Outside",
		  COUNT(h->mail_records, "mail record"), COUNT(al->items, "item"), COUNT(h->signins, "sign-in"), DIGITS(h->failed),
		  COUNT(h->others, "other record"), first, last);
	if (!h->inside)
		alert_why(al, "Addresses change hands: it was listed for %s to %s, and these records are from other days.", from, to);
	if (h->front_end_only)
		alert_why(al, "The address belongs to a Microsoft front end: it says nothing about the caller.");
}

static void meet(struct state *s, struct detect_ctx *c, const struct event *e, const struct indicator *x)
{
	bool inside = e->rec->time_us >= x->from_us && e->rec->time_us < x->to_us, is_new;
	uint64_t subject = hash64(x->text, strlen(x->text), inside);
	subject = hash_mix(hash_mix(subject, hash_str(str_of(x->source), 0)), hash_mix((uint64_t)x->from_us, (uint64_t)x->to_us));
	struct hit *h = table_put(&s->hits, subject, &is_new);
	if (!h)
		return;
	if (is_new) {
		*h = (struct hit){ .indicator = x, .inside = inside, .front_end_only = !x->is_app };
		h->alert = alerts_open(c->alerts, &detector_known_indicator, subject);
	}
	if (!h->alert)
		return;
	if (memcmp(h->last, e->rec->id, sizeof h->last) == 0)
		return; /* the list has it twice, or the record names it twice */
	memcpy(h->last, e->rec->id, sizeof h->last);
	if (event_is_mail(e))
		h->mail_records++;
	else if (op_kinds(e->rec->op) & KIND_SIGNIN)
		h->signins++, h->failed += is_failed_signin(e->rec);
	else
		h->others++;
	h->front_end_only &= e->net == NET_MICROSOFT;
	enum severity before = h->alert->severity;
	bool was_raised = h->alert->raised;
	alert_fold(c->alerts, h->alert, e);
	alert_raise(h->alert, e->rec->time_us, severity_of(e, x, inside));
	if (!was_raised || h->alert->severity > before)
		write_sentences(c, h);
}

/* the application of a client, looked up once a client */
static void meet_client(struct state *s, struct detect_ctx *c, const struct event *e)
{
	uint8_t app[16];
	size_t n;
	if (!reach((void **)&s->client_app, &s->client_count, e->client, 1) || s->client_app[e->client] == 1)
		return;
	s->client_app[e->client] = 1;
	for (unsigned part = CLIENT_APP_ID; part <= CLIENT_CALLER; part++) {
		if (!guid_parse(world_client_part(c->world, e->client, (enum client_part)part), app))
			continue;
		const struct indicator *x = indicators_for_app(c->indicators, app, &n);
		if (!x)
			continue;
		s->client_app[e->client] = 2;
		for (size_t i = 0; i < n; i++)
			meet(s, c, e, &x[i]);
		return;
	}
}

/* applications that a directory record is about: consent to one, a credential for one */
static void meet_details(struct state *s, struct detect_ctx *c, const struct event *e)
{
	struct detail_iter it = rec_details(e->rec);
	struct str name, value;
	uint8_t app[16];
	size_t n;
	while (detail_next(&it, &name, &value)) {
		if (!str_eq_nocase(name, STR("ObjectId")) && !str_starts_nocase(name, STR("Target.")) &&
		    !str_ends_nocase(name, STR("AppId")))
			continue;
		const struct indicator *x = guid_parse(str_trim(value), app) ? indicators_for_app(c->indicators, app, &n) : NULL;
		if (!x)
			continue;
		for (size_t i = 0; i < n; i++)
			meet(s, c, e, &x[i]);
		return;
	}
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	size_t n;
	if (!c->indicators)
		return;
	if (e->rec->ip_kind == ADDR_V4 || e->rec->ip_kind == ADDR_V6) {
		struct addr a = { .kind = e->rec->ip_kind };
		memcpy(a.b, e->rec->ip, 16);
		const struct indicator *x = indicators_for_addr(c->indicators, &a, &n);
		for (size_t i = 0; i < n; i++)
			meet(s, c, e, &x[i]);
	}
	if (!indicators_have_apps(c->indicators))
		return;
	if (e->client != NONE)
		meet_client(s, c, e);
	if (op_kinds(e->rec->op) & KIND_DIRECTORY)
		meet_details(s, c, e);
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	uint64_t key;
	const struct hit *h;
	for (size_t i = 0; (h = table_next(&s->hits, &i, &key));)
		if (h->alert)
			write_sentences(c, h);
}

/* -- to bytes and back: a hit keeps its indicator, whatever the lists of a later run hold -- */

struct gathered { struct indicator *v; uint32_t n, room; };

static void fix_hit(struct persist *p, void *element)
{
	struct hit *h = element;
	struct gathered *g = p->owner;
	alerts_persist_one(p, &h->alert);
	if (p->loading || g->n == g->room)
		return; /* a number until the indicators have come */
	g->v[g->n++] = *h->indicator;
	h->indicator = (const struct indicator *)(uintptr_t)g->n;
}

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	struct gathered g = { .room = p->loading ? 0 : (uint32_t)s->hits.n };
	struct hit *h;
	g.v = calloc(g.room + 1, sizeof *g.v);
	if (!g.v) {
		persist_fail(p, "out of memory");
		return;
	}
	p->owner = &g;
	persist_table(p, &s->hits, fix_hit);
	p->owner = NULL;
	if (!p->loading) {
		persist_array(p, (void **)&g.v, &g.n, sizeof *g.v, HITS_MAX, NULL);
		free(g.v);
		return;
	}
	free(g.v);
	persist_array(p, (void **)&s->saved, &s->saved_count, sizeof *s->saved, HITS_MAX, NULL);
	for (size_t i = 0; (h = table_next(&s->hits, &i, NULL));) {
		uintptr_t at = (uintptr_t)h->indicator;
		if (!at || at > s->saved_count) {
			persist_fail(p, "an indicator of it is missing");
			table_release(&s->hits);
			break;
		}
		struct indicator *x = &s->saved[at - 1];
		x->text[sizeof x->text - 1] = x->description[sizeof x->description - 1] = x->source[sizeof x->source - 1] = '\0';
		h->indicator = x;
	}
}

static const char *const mitre[] = { "T1114.002", "T1078.004", NULL };

const struct detector detector_known_indicator = {
	.name = "known-indicator",
	.title = "An address or application on a list of bad ones",
	.severity = "critical: a mail read inside its days; high: anything else inside; medium: failed sign-ins only; info: "
		    "outside its days",
	.signal = "caller's address and application id of every record, against Storm-0558's published addresses and --ioc lists",
	.catches = "reads, logons and changes from a listed address or application inside its days",
	.misses = "what no list has; callers behind Microsoft front ends",
	.cost = "addresses change hands, hence info outside the days; one entry for each indicator seen",
	.mitre = mitre,
	.wants = KIND_MAIL | KIND_MAILBOX | KIND_ADMIN | KIND_DIRECTORY | KIND_SIGNIN,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.persist = persist,
	.refused = refused,
};
