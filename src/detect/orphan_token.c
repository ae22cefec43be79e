/* SPDX-License-Identifier: Apache-2.0 */
/* orphan-token: mail opened with a token that no sign-in issued.
 *
 * Signal   The token id of an access (of a record without one: its session id) is in no sign-in, although sign-ins
 *          of the category and the time of its issue are in the logs (identity/).
 * Catches  Forged tokens, whatever is done with them: also five mails a day through the victim's own application from a
 *          near network, in which there is nothing statistical to see.
 * Misses   Records without token and session id (half of all in older forms; EWS and background reads to this day).
 *          Issue in a hole of the sign-ins, before they begin, after they end.  A forger who gives his token the id of
 *          a real one: split-session and session-moved look for that.  A client of whose tokens most do not link.
 * Cost     An export that loses sign-ins.  How many it loses is measured, and a token counts only for what it is beyond
 *          that.  Memory: 16 bytes for each (client, account) and (client, network), 12 for each (client, hour).
 *
 * Strength.  Let u be the share of the *other* accounts of the same client whose tokens do not link, over all time or in
 * the same hours, whichever is larger; n of N tokens of this account have no sign-in.  The chance of n or more is
 * binomial, p = P(X >= n | N, u); with M accounts and clients looked at, p * M of them are to be expected by losses alone.
 * Accounts count once an hour and network: a thousand tokens of one thief weigh as one, so he cannot raise u by volume.
 *
 *   export loses nothing    u = 0.5 / (others + 1): one token is enough
 *   export loses 1 in 100   one token is nothing; thirty of thirty are not losses
 *   a hole not noticed      the others in that hour do not link either: u is near 1, no alert
 *
 * Fifty victims in one hour would hide each other in this way, so the same test is made for networks: fifty accounts
 * whose tokens do not link, all from one network while the other networks do, are one alert for that network. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"
#include "identity/identity.h"

#define CONTEXTS_MAX 500000
#define CELLS_MAX 262144
#define CASES_MAX 10000
#define HOURS_KEPT 24              /* hours of issue of one case that are compared with others */
#define LOCAL_WEIGHT 10            /* of all hours, against each token of others in the same hours */
#define OTHERS_MIN 20              /* others at all, before we call it critical */
#define NET_ACCOUNTS_MIN 3         /* accounts, before a network is alerted instead of them */

extern const struct detector detector_orphan_token;

enum about { ABOUT_ACCOUNT, ABOUT_NETWORK, ABOUT_CLIENT };

struct tally { uint32_t linked, orphans; };

struct context { struct tally by[2]; }; /* [0] by token, [1] by session */

struct orphan_case {
	struct alert *alert;
	uint64_t context;         /* key in contexts */
	enum about about;
	uint32_t client, actor, net; /* net: NONE = several */
	uint32_t actors[NET_ACCOUNTS_MIN]; /* of a network: the first ones, + 1 */
	uint32_t hours[HOURS_KEPT], hour_count;
	uint32_t tokens[2], quiet;
	bool unsaid_issue;        /* a record without IssuedAtTime is among them */
	int64_t first_us;
};

struct state {
	struct table contexts; /* hash(about, client, who) -> struct context */
	struct table cells;    /* hash(client, kind, hour) -> struct tally */
	struct table cases;    /* the same key as contexts -> struct orphan_case */
	uint64_t accounts;     /* contexts about accounts */
	uint64_t refused;
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->contexts, sizeof(struct context), CONTEXTS_MAX);
	table_init(&s->cells, sizeof(struct tally), CELLS_MAX);
	table_init(&s->cases, sizeof(struct orphan_case), CASES_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	table_release(&s->contexts);
	table_release(&s->cells);
	table_release(&s->cases);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->contexts.refused + s->cells.refused + s->cases.refused;
}

/* -- counting -- */

static uint64_t context_key(struct detect_ctx *c, const struct event *e, enum about about)
{
	uint64_t client = e->client == NONE ? 0 : key_client(c->world, e->client);
	uint64_t who = about == ABOUT_ACCOUNT ? e->rec->actor : about == ABOUT_NETWORK ? key_net(c->world, e->net) : 0;
	return hash_mix(hash_mix(client, about + 1), who);
}

static uint64_t cell_key(struct detect_ctx *c, uint32_t client, unsigned kind, uint32_t hour)
{
	return hash_mix(key_client(c->world, client) + kind, hour);
}

static uint32_t hour_of_issue(const struct event *e)
{
	int64_t t = e->token->issued_us == INT64_MIN || e->token->by_session ? e->rec->time_us : e->token->issued_us;
	return (uint32_t)(t / US_PER_HOUR);
}

static void count(struct state *s, struct detect_ctx *c, const struct event *e, enum about about)
{
	bool is_new;
	struct context *x = table_put(&s->contexts, context_key(c, e, about), &is_new);
	if (!x)
		return;
	s->accounts += is_new && about == ABOUT_ACCOUNT;
	struct tally *t = &x->by[e->token->by_session];
	if (e->token->issue || (e->token->by_session && e->token->session))
		t->linked++;
	else
		t->orphans++;
}

static void count_cell(struct state *s, struct detect_ctx *c, const struct event *e)
{
	struct tally *t = table_put(&s->cells, cell_key(c, e->client, e->token->by_session, hour_of_issue(e)), NULL);
	if (!t)
		return;
	if (e->token->verdict == PROV_LINKED)
		t->linked++;
	else
		t->orphans++;
}

/* -- cases -- */

static void note_case(struct state *s, struct detect_ctx *c, const struct event *e, enum about about)
{
	bool is_new;
	uint64_t key = context_key(c, e, about);
	struct orphan_case *o = table_put(&s->cases, key, &is_new);
	if (!o)
		return;
	if (is_new) {
		*o = (struct orphan_case){ .context = key, .about = about, .client = e->client, .actor = e->actor, .net = e->net,
					   .first_us = e->rec->time_us };
		o->alert = alerts_open(c->alerts, &detector_orphan_token, key);
	}
	if (!o->alert)
		return;
	struct str issuer;
	if (rec_detail(e->rec, STR("TokenTenantId"), &issuer))
		alert_member(o->alert, TOKEN_TENANT, value_text(issuer));
	if (o->net != e->net)
		o->net = NONE;
	if (e->token->first) {
		uint32_t hour = hour_of_issue(e);
		bool known = false;
		o->tokens[e->token->by_session]++;
		o->quiet += e->token->reason == REASON_ORPHAN_QUIET;
		o->unsaid_issue |= !e->rec->issued_s;
		for (uint32_t i = 0; i < o->hour_count; i++)
			known |= o->hours[i] == hour;
		if (!known && o->hour_count < HOURS_KEPT)
			o->hours[o->hour_count++] = hour;
	}
	for (unsigned i = 0; i < NET_ACCOUNTS_MIN && e->actor != NONE; i++) {
		if (!o->actors[i])
			o->actors[i] = e->actor + 1;
		if (o->actors[i] == e->actor + 1)
			break;
	}
	if (about == ABOUT_CLIENT) /* the logs cannot show whether its tokens were issued */
		alert_fold(c->alerts, o->alert, e);
	else
		alert_fold_orphan(c->alerts, o->alert, e);
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	const struct provenance *p = e->token;
	if (!p || !p->judged || e->client == NONE)
		return;
	if (p->pair_is_new) {
		count(s, c, e, ABOUT_ACCOUNT);
		if (net_is_real(e->net))
			count(s, c, e, ABOUT_NETWORK);
		count_cell(s, c, e);
	}
	if (p->verdict == PROV_ORPHAN) {
		note_case(s, c, e, ABOUT_ACCOUNT);
		if (net_is_real(e->net))
			note_case(s, c, e, ABOUT_NETWORK);
	} else if (p->reason == REASON_CLIENT) {
		note_case(s, c, e, ABOUT_CLIENT);
	}
}

/* -- strength -- */

/* log10 of P(X >= n) of n_all draws with chance u each: from the largest term down */
static double log10_tail(uint32_t n, uint32_t n_all, double u)
{
	if (n == 0 || u >= 1)
		return 0;
	double top = lgamma(n_all + 1.0) - lgamma(n + 1.0) - lgamma(n_all - n + 1.0) + n * log(u) + (n_all - n) * log1p(-u);
	double term = 1, sum = 1;
	for (uint32_t k = n; k < n_all && k < n + 200; k++) {
		term *= (double)(n_all - k) / (k + 1) * u / (1 - u);
		sum += term;
	}
	double p = (top + log(sum)) / log(10);
	return p < 0 ? p : 0;
}

struct strength {
	double p;                    /* log10 */
	double u;                    /* the larger of the shares below */
	uint64_t linked, orphans;    /* of others of this client, all time */
	uint64_t local_linked, local_orphans; /* in the same hours */
	uint32_t own, own_orphans;
};

static struct strength weigh(const struct state *s, struct detect_ctx *c, const struct orphan_case *o, unsigned kind)
{
	const struct context *x = table_get(&s->contexts, o->context);
	const struct identity_client *all = identity_client(c->identity, o->client);
	struct strength w = { .own_orphans = x ? x->by[kind].orphans : 0 };
	uint32_t own_linked = x ? x->by[kind].linked : 0;
	w.own = w.own_orphans + own_linked;
	w.linked = all->by[kind].linked_pairs > own_linked ? all->by[kind].linked_pairs - own_linked : 0;
	w.orphans = all->by[kind].orphan_pairs > w.own_orphans ? all->by[kind].orphan_pairs - w.own_orphans : 0;
	for (uint32_t i = 0; i < o->hour_count; i++) {
		const struct tally *t = table_get(&s->cells, cell_key(c, o->client, kind, o->hours[i]));
		w.local_linked += t ? t->linked : 0;
		w.local_orphans += t ? t->orphans : 0;
	}
	w.local_orphans = w.local_orphans > w.own_orphans ? w.local_orphans - w.own_orphans : 0;
	w.u = ((double)w.orphans + 0.5) / ((double)(w.linked + w.orphans) + 1);
	double local = ((double)w.local_orphans + LOCAL_WEIGHT * w.u) / ((double)(w.local_linked + w.local_orphans) + LOCAL_WEIGHT);
	w.u = local > w.u ? local : w.u;
	w.p = log10_tail(w.own_orphans, w.own, w.u);
	return w;
}

/* -- sentences -- */

#define SHARE_SIZE 256

/* "all 972 others are", "12 of 12,345 others (0.10 %) are": exact, and a share that one can compare */
static const char *say_share(char out[SHARE_SIZE], uint64_t part, uint64_t all, const char *noun)
{
	char others[COUNT_SIZE];
	count_of(all, noun, others);
	if (all == 1)
		snprintf(out, SHARE_SIZE, "the only other %s is%s", noun, part ? "" : " not");
	else if (part == all)
		snprintf(out, SHARE_SIZE, "all %s are", others);
	else
		snprintf(out, SHARE_SIZE, "%s of %s (%.2f %%) %s", DIGITS(part), others, 100.0 * (double)part / (double)all, part == 1 ? "is" : "are");
	return out;
}

static void say_coverage(struct detect_ctx *c, struct alert *al, const struct orphan_case *o)
{
	const struct identity_client *all = identity_client(c->identity, o->client);
	if (o->unsaid_issue)
		alert_blind(al, "some of these records do not say when their token was issued: Taximeter searched the sign-ins of the "
			    "28 hours before");
	if (all->reasons[REASON_NO_ID])
		alert_blind(al, "%s of this client without token and session id: the log does not show whether their tokens were issued",
			    COUNT(all->reasons[REASON_NO_ID], "record"));
	uint64_t gaps = all->reasons[REASON_HOLE] + all->reasons[REASON_APP_HOLE] + all->reasons[REASON_BEFORE] +
			all->reasons[REASON_AFTER];
	if (gaps)
		alert_blind(al, "%s of this client whose tokens were issued at times without sign-in logs", COUNT(gaps, "record"));
}

static void write_why(struct detect_ctx *c, const struct orphan_case *o, const struct strength w[2], double expected)
{
	struct alert *al = o->alert;
	char who[SAY_SIZE], client[SAY_SIZE], share[SHARE_SIZE], first[TIME_TEXT_SIZE];
	uint32_t tokens = o->tokens[0] + o->tokens[1];
	const char *noun = !o->tokens[1] ? "token" : !o->tokens[0] ? "session" : "token or session";
	unsigned kind = w[0].own_orphans ? 0 : 1;
	alert_member(al, LOSS, value_cstr(kind ? "session" : "token"), value_number(w[kind].own), value_number(w[kind].own_orphans),
		     value_number(w[kind].linked), value_number(w[kind].orphans), value_number(w[kind].local_linked),
		     value_number(w[kind].local_orphans), value_real(pow(10, w[0].p + w[1].p)), value_real(expected));
	alert_clear_why(al);
	say_mailboxes(c->world, &al->mailboxes, who);
	alert_title(al, "Mail of %s was read %swith %s that match%s no sign-in", who, o->about == ABOUT_NETWORK ? "from one network " : "",
		    tokens == 1 ? "a token" : "tokens", tokens == 1 ? "es" : "");
	say_client(c->world, o->client, client);
	time_format_minute(o->first_us, first);
	if (tokens == 1)
		alert_why(al, "The %s used (%s, from %s) does not appear in the sign-in logs, although sign-in logs exist for that time. Client: %s.",
			  noun, COUNT(al->records, "record"), first, client);
	else
		alert_why(al, "None of the %s used (%s, from %s) appears in the sign-in logs, although sign-in logs exist for that time. Client: %s.",
			  COUNT(tokens, noun), COUNT(al->records, "record"), first, client);
	if (w[kind].linked + w[kind].orphans)
		alert_why(al, "Of the tokens that others used with this client, counted once an account and hour, %s linked to a sign-in.",
			  say_share(share, w[kind].linked, w[kind].linked + w[kind].orphans, "other"));
	if (w[kind].local_linked + w[kind].local_orphans)
		alert_why(al, "In the same hours, %s linked.", say_share(share, w[kind].local_linked, w[kind].local_linked + w[kind].local_orphans, "other"));
	if (expected < 1e-6)
		alert_why(al, "If the export had merely lost sign-ins, we would expect fewer than 0.000001 such cases in this data.");
	else
		alert_why(al, "If the export had merely lost sign-ins, we would expect %.*f such cases in this data.",
			  expected >= 0.01 ? 2 : expected >= 0.0001 ? 4 : 6, expected);
	if (o->quiet && o->quiet == tokens)
		alert_why(al, "No other account signed in around that time, which is usual at that hour: the export is probably complete there, but that is "
			  "not certain.");
	if (!o->tokens[0])
		alert_why(al, "The records carry no token id; their session ids are judged instead, which is weaker.");
	alert_why(al, "It would not be reported if the tokens of other accounts with this client were missing as often.");
	say_coverage(c, al, o);
}

/* A client of which next to nothing links raises no alert: its sign-ins may be kept in a log that was not given. */
static void write_client(struct detect_ctx *c, const struct orphan_case *o)
{
	struct alert *al = o->alert;
	const struct identity_client *all = identity_client(c->identity, o->client);
	char who[SAY_SIZE], client[SAY_SIZE];
	uint32_t orphans = all->by[0].orphans, linked = all->by[0].linked;
	alert_member(al, LOSS, value_cstr("token"), value_number((uint64_t)orphans + linked), value_number(orphans));
	alert_clear_why(al);
	alert_title(al, "Tokens of %s are not found among the sign-ins (%s)", say_client(c->world, o->client, client),
		    say_mailboxes(c->world, &al->mailboxes, who));
	alert_why(al, "%s of %s of this client %s no matching sign-in, although sign-in logs cover that time and contain the tokens of "
		  "other clients.", DIGITS(orphans), COUNT(orphans + linked, "token"), orphans == 1 ? "has" : "have");
	alert_why(al, "Either its sign-ins are in a log that was not given, or the tokens were never issued: the comparison cannot tell which. Look "
		  "up the application in the tenant, and look for its sign-ins there.");
	alert_blind(al, "a forged token used with this client, which would look like its other tokens");
}

/* -- the end -- */

static bool net_is_accused(const struct state *s, struct detect_ctx *c, const struct orphan_case *o)
{
	if (o->net == NONE || !net_is_real(o->net))
		return false;
	uint64_t key = hash_mix(hash_mix(key_client(c->world, o->client), ABOUT_NETWORK + 1), key_net(c->world, o->net));
	const struct orphan_case *n = table_get(&s->cases, key);
	return n && n->alert && n->alert->raised;
}

static void judge(struct state *s, struct detect_ctx *c, const struct orphan_case *o)
{
	struct strength w[2] = { weigh(s, c, o, 0), weigh(s, c, o, 1) };
	double p = w[0].p + w[1].p, many = log10((double)(s->accounts ? s->accounts : 1));
	uint32_t tokens = o->tokens[0] + o->tokens[1];
	enum severity severity;
	if (o->about == ABOUT_NETWORK && !o->actors[NET_ACCOUNTS_MIN - 1])
		return;
	if (o->about == ABOUT_ACCOUNT && net_is_accused(s, c, o))
		return;
	if (p + many <= -2)
		severity = SEVERITY_CRITICAL;
	else if (p + many <= -1)
		severity = SEVERITY_HIGH;
	else if (p + many <= -0.5 || (!w[0].orphans && o->tokens[0] && p + many <= 0.5))
		severity = SEVERITY_MEDIUM; /* the only token that this export has no sign-in for: its first loss, or a forgery */
	else
		return;
	bool weak = !o->tokens[0] || o->quiet == tokens || w[0].linked < OTHERS_MIN;
	if (severity == SEVERITY_CRITICAL && weak)
		severity = SEVERITY_HIGH;
	alert_raise(o->alert, o->first_us, severity);
	write_why(c, o, w, pow(10, p + many));
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	uint64_t key, linked = 0, orphans = 0;
	struct orphan_case *o;
	for (enum about about = ABOUT_NETWORK; ; about = ABOUT_ACCOUNT) { /* networks first: they may cover their accounts */
		for (size_t i = 0; (o = table_next(&s->cases, &i, &key)); )
			if (o->about == about && o->alert)
				judge(s, c, o);
		if (about == ABOUT_ACCOUNT)
			break;
	}
	for (uint32_t i = 0; i < c->world->client_count; i++) {
		linked += identity_client(c->identity, i)->by[0].linked_pairs;
		orphans += identity_client(c->identity, i)->by[0].orphan_pairs;
	}
	for (size_t i = 0; (o = table_next(&s->cases, &i, &key)); ) {
		const struct identity_client *all = identity_client(c->identity, o->client);
		/* of this client at most a tenth, of all others nine tenths */
		if (o->about != ABOUT_CLIENT || !o->alert || all->by[0].linked_pairs * 9 > all->by[0].orphan_pairs)
			continue;
		uint64_t other_linked = linked - all->by[0].linked_pairs, other_orphans = orphans - all->by[0].orphan_pairs;
		if (other_linked < OTHERS_MIN || other_orphans * 9 > other_linked)
			continue;
		alert_raise(o->alert, o->first_us, SEVERITY_LOW);
		write_client(c, o);
	}
}

static const char *const mitre[] = { "T1606", "T1550.001", NULL };

const struct detector detector_orphan_token = {
	.name = "orphan-token",
	.title = "Mail read with a token that matches no sign-in",
	.severity = "critical: an export with this loss rate would produce fewer than 0.01 such cases by accident; high: fewer than 0.1, or "
		    "matched only by session id, at a quiet hour, or with few to compare; medium: 0.3, or the only one; low: a client of "
		    "which no token links",
	.signal = "the token id of an access is in no sign-in, although sign-in logs of that category cover that time",
	.catches = "forged tokens, also when nothing else is unusual: five mails a day through the victim's own application",
	.misses = "records without token and session id; times without sign-in logs; a forged token with the id of a real one",
	.cost = "exports that lose sign-ins, as far as they lose them unevenly; 16 bytes for each (client, account) and (client, network)",
	.mitre = mitre,
	.says_orphan = true,
	.wants = KIND_MAIL | KIND_MAILBOX | KIND_ADMIN,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.refused = refused,
};
