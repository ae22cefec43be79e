/* SPDX-License-Identifier: Apache-2.0 */
/* token-outside-life: a token at work before it was issued, or after it can have lived.
 *
 * Signal   The time of an access against the time of issue that its record gives (IssuedAtTime), and against that of the
 *          sign-in that issued it, where it is known.
 * Catches  Forged tokens whose issue time was made up; tokens with a life that no issuer grants; a token that carries the id
 *          of a real sign-in and another time of issue.
 * Misses   A forged token whose times are in order.  A stolen one.  Records without issue time and without sign-in.
 * Cost     Clocks: 300 s between two logs are tolerated, and that a token's issue time is five minutes before its sign-in.
 *          Where a fifth of a client's tokens and five accounts are off, it is a clock, and one note (info) for all.
 *          Access tokens live 60 to 90 minutes, 20 to 28 hours where continuous access evaluation is on: only what is
 *          older than 28 hours is outside every life.  Memory: 64 bytes an account and client with a finding. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"
#include "identity/identity.h"

#define CASES_MAX 20000
#define CLOCK_ACCOUNTS 5
#define SIGNIN_AWAY_US US_PER_HOUR /* between a token's issue and its sign-in; a slow second factor takes minutes */

extern const struct detector detector_token_outside_life;

enum fault { BEFORE_ISSUE, AFTER_LIFE, OTHER_ISSUE, FAULTS };

struct outside {
	struct alert *alert;
	enum fault fault;
	uint32_t client;
	int64_t worst_us, issued_us, signin_us, first_us;
	uint64_t records;
};

struct clock_of { /* of a client */
	uint64_t tokens, off[FAULTS];
	uint32_t accounts[FAULTS];
};

struct state {
	struct table cases;   /* hash(fault, client, account) -> struct outside */
	struct clock_of *clients;
	uint32_t client_count;
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->cases, sizeof(struct outside), CASES_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	table_release(&s->cases);
	free(s->clients);
}

static uint64_t refused(const void *state)
{
	return ((const struct state *)state)->cases.refused;
}

/* What is wrong with the time of this access, and by how much; FAULTS: nothing. */
static enum fault fault_of(const struct event *e, int64_t *ret_by_us, int64_t *ret_issued_us)
{
	const struct provenance *p = e->token;
	int64_t t = e->rec->time_us, said = e->rec->issued_s ? (int64_t)e->rec->issued_s * US_PER_SECOND : INT64_MIN;
	int64_t signin = p->issue ? (int64_t)p->issue->time_s * US_PER_SECOND : INT64_MIN;
	if (said != INT64_MIN && signin != INT64_MIN && (said < signin - SIGNIN_AWAY_US || said > signin + SIGNIN_AWAY_US)) {
		*ret_by_us = said < signin ? signin - said : said - signin;
		*ret_issued_us = said;
		return OTHER_ISSUE;
	}
	int64_t earliest = said != INT64_MIN ? said : signin != INT64_MIN ? signin - ISSUE_OFFSET_US : INT64_MIN;
	if (earliest == INT64_MIN)
		return FAULTS;
	*ret_issued_us = earliest;
	if (t < earliest - SKEW_US) {
		*ret_by_us = earliest - t;
		return BEFORE_ISSUE;
	}
	if (t > earliest + TOKEN_LIFE_US + SKEW_US) {
		*ret_by_us = t - earliest;
		return AFTER_LIFE;
	}
	return FAULTS;
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	const struct rec *r = e->rec;
	int64_t by_us = 0, issued_us = 0;
	bool is_new;
	if (!e->token || !(r->flags & REC_HAS_TOKEN) || (r->flags & REC_TIME_ARRIVAL) || (!r->issued_s && !e->token->issue))
		return;
	uint32_t client = e->client == NONE ? 0 : e->client + 1;
	if (!reach((void **)&s->clients, &s->client_count, client, sizeof *s->clients))
		return;
	struct clock_of *k = &s->clients[client];
	k->tokens++;
	enum fault fault = fault_of(e, &by_us, &issued_us);
	if (fault == FAULTS)
		return;
	k->off[fault]++;
	uint64_t subject = hash_mix(hash_mix(e->client == NONE ? 0 : key_client(c->world, e->client), fault), r->actor);
	struct outside *o = table_put(&s->cases, subject, &is_new);
	if (!o)
		return;
	if (is_new) {
		k->accounts[fault]++;
		*o = (struct outside){ .fault = fault, .client = e->client, .first_us = r->time_us, .issued_us = issued_us };
		o->alert = alerts_open(c->alerts, &detector_token_outside_life, subject);
	}
	if (!o->alert)
		return;
	o->records++;
	if (by_us > o->worst_us) {
		o->worst_us = by_us;
		o->issued_us = issued_us;
		o->signin_us = e->token->issue ? (int64_t)e->token->issue->time_s * US_PER_SECOND : 0;
	}
	alert_fold(c->alerts, o->alert, e);
}

static bool is_clock(const struct state *s, const struct outside *o)
{
	const struct clock_of *k = &s->clients[o->client == NONE ? 0 : o->client + 1];
	return k->accounts[o->fault] >= CLOCK_ACCOUNTS && k->off[o->fault] * 5 > k->tokens;
}

static void tell(struct detect_ctx *c, const struct outside *o, bool clock)
{
	struct alert *al = o->alert;
	char who[SAY_SIZE], client[SAY_SIZE], span[TIME_TEXT_SIZE], issued[TIME_TEXT_SIZE], signin[TIME_TEXT_SIZE];
	say_mailboxes(c->world, &al->mailboxes, who);
	say_client(c->world, o->client, client);
	time_format_span(o->worst_us, span);
	time_format(o->issued_us, issued);
	alert_raise(al, o->first_us, clock ? SEVERITY_INFO : o->fault == OTHER_ISSUE ? SEVERITY_CRITICAL : SEVERITY_HIGH);
	alert_member(al, TOKEN_LIFE, value_cstr(o->fault == BEFORE_ISSUE ? "before_issue" : o->fault == AFTER_LIFE ? "after_life" : "other_issue"),
		     value_time(o->issued_us), value_time(o->signin_us), value_number((uint64_t)(o->worst_us / US_PER_SECOND)),
		     value_flag(clock));
	switch (o->fault) {
	case BEFORE_ISSUE:
		alert_title(al, "A token was used before it was issued (%s)", who);
		alert_why(al, "%s with a token up to %s before the token's own time of issue, %s. Client: %s.",
			  COUNT(o->records, "record"), span, issued, client);
		break;
	case AFTER_LIFE:
		alert_title(al, "A token was used longer than any token lives (%s)", who);
		alert_why(al, "%s with a token up to %s after its issue, %s; no access token is valid for more than 28 h. "
			  "Client: %s.", COUNT(o->records, "record"), span, issued, client);
		break;
	default:
		alert_title(al, "A token carries the id of a sign-in, and another time of issue (%s)", who);
		alert_why(al, "%s with a token that says it was issued at %s; the sign-in with its id was at %s. Client: %s.",
			  COUNT(o->records, "record"), issued, time_format(o->signin_us, signin), client);
	}
	if (clock)
		alert_why(al, "A fifth of all records of this client, of five accounts or more, differ in the same way: its clock is wrong.");
	else if (o->fault == OTHER_ISSUE)
		alert_why(al, "A difference of up to an hour is tolerated as a slow sign-in. The issuer sets the id of a token and its time of issue "
			  "together, so that both agree in a genuine one.");
	else
		alert_why(al, "Clock differences of up to 300 s are tolerated. This token is further off than any clock error would explain.");
	alert_blind(al, "records without IssuedAtTime and without a known sign-in: they cannot be judged");
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	uint64_t key;
	const struct outside *o;
	for (size_t i = 0; (o = table_next(&s->cases, &i, &key)); )
		if (o->alert)
			tell(c, o, is_clock(s, o));
}

static const char *const mitre[] = { "T1606", "T1550.001", NULL };

const struct detector detector_token_outside_life = {
	.name = "token-outside-life",
	.title = "A token used before its issue, or after any life",
	.severity = "critical: it carries the id of a sign-in and another time of issue; high: outside its life; info: a client whose "
		    "clock is off",
	.signal = "the time of an access against its token's time of issue, from the record and from the sign-in",
	.catches = "forged tokens with made-up times, or with the id of another sign-in",
	.misses = "forged tokens whose times are in order; records without issue time and without sign-in",
	.cost = "clocks (300 s are tolerated); one entry for each account and client with a finding",
	.mitre = mitre,
	.wants = KIND_MAIL | KIND_MAILBOX | KIND_ADMIN,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.refused = refused,
};
