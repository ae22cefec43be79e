/* SPDX-License-Identifier: Apache-2.0 */
/* split-session: one session, or one token, at work in two networks.
 *
 * Signal   Session id and token id of mail, mailbox, administrative and sign-in records, with the network of the caller.
 *          Microsoft's front ends and private addresses are no networks and are left out.
 * Catches  A stolen session or token that is replayed from the thief's network while its owner goes on working.
 * Misses   A thief in the owner's own network or provider; records without session and token (all Graph and EWS reads of
 *          older logs); callers behind front ends; a thief who waits until the owner has stopped permanently.
 * Cost     People move: home, office, phone.  A session that moves once is a note for each account (low, or info while
 *          networks are only address prefixes); only use that is interleaved (A-B-A within an hour, or A and B within
 *          ten minutes) is an alert of its own.  Switching a VPN on and off, or an office with two providers, makes such
 *          use all day: two networks that this account has used for a day, or that are both old and used by several
 *          people, are no split, and once three accounts alternate between the same two, further ones are folded into one
 *          alert for that pair.  On an account's first day its usual networks are not known: sessions are then low.
 *          Without an ASN file IPv4 and IPv6 are never compared, since every dual-stack laptop uses both.
 *          Memory: 84 bytes a session or token, 24 a network, 56 an account.
 *
 *      A-----A      B    moved: a laptop carried home            A--B--A   interleaved: two places at once
 *
 * Tokens live for 20 to 28 hours where continuous access evaluation is on, so that a laptop carries a token from home to
 * the office as it carries a session: a token that moved once is not worth more than a session that did.  Interleaved, it
 * is: no client shares its access token. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"

#define TOGETHER_US (10 * US_PER_MINUTE) /* A then B this fast: no one carries a laptop home in that time */
#define RETURN_US US_PER_HOUR            /* A-B-A inside this is two places, or a flapping line */
#define FORGET_US (30 * US_PER_DAY)      /* unseen this long, a session may be forgotten */
#define TOKEN_LIFE_US (28 * US_PER_HOUR) /* the longest legal life of an access token */
#define SHARED_AGE_US (7 * US_PER_DAY)   /* a network this old ... */
#define SHARED_ACTORS 3                  /* ... with this many accounts is infrastructure, not a thief's server */
#define PAIR_ACCOUNTS 3                  /* accounts that may alternate between one pair before they are folded */
#define PAIRS_MAX 50000
#define USUAL_US US_PER_DAY              /* a network that an account has used for this long is one of its own */
#define USUAL_NETS 6                     /* home, office, VPN, phone and some travel */

extern const struct detector detector_split_session;

/* The last two networks of one session.  Networks with an ASN compare with each other; prefixes only within IPv4 and
 * within IPv6: the kind of network is part of the key. */
struct session {
	uint32_t net, before;         /* 0 = none */
	uint32_t net_client, before_client; /* client + 1 */
	uint32_t net_s, before_s;     /* last use in it, seconds since 1970 */
	uint32_t net_rest_us;         /* ... and the rest of net_s */
	uint32_t mailbox, actor, items; /* of the last record in net, to fold it in if an alert comes of it */
	uint8_t id_is_text, ip_kind, access;
	uint8_t id[16], ip[16];
};

struct place { /* a network */
	int64_t first_us;
	uint32_t actors[SHARED_ACTORS]; /* the first ones, + 1 */
};

struct account {
	uint32_t first_hour;            /* since 1970; 0 = not seen */
	uint32_t nets[USUAL_NETS], net_hours[USUAL_NETS]; /* the last ones, most recent first, and since when */
};

struct pair { /* two networks between which sessions alternate */
	uint32_t actors[PAIR_ACCOUNTS];
	bool many;
};

enum story { STORY_SPLIT, STORY_PAIR, STORY_MOVED };

struct told { /* an alert, and what its sentences are made of */
	struct alert *alert;
	enum story story;
	bool is_token, differs, prefixes, first_day;
	uint32_t net_a, net_b;
	uint64_t switches;
	int64_t closest_us;
};

struct state {
	struct table sessions; /* hash(kind, id) -> struct session */
	struct table pairs;    /* hash(net, net) -> struct pair */
	struct table told;     /* subject -> struct told */
	struct place *places;
	uint32_t place_count;
	struct account *accounts;
	uint32_t account_count;
	int64_t no_sweep_before_us; /* event time before which throwing out old sessions would be of no use */
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->sessions, sizeof(struct session), SESSIONS_MAX);
	table_init(&s->pairs, sizeof(struct pair), PAIRS_MAX);
	table_init(&s->told, sizeof(struct told), ALERTS_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	table_release(&s->sessions);
	table_release(&s->pairs);
	table_release(&s->told);
	free(s->places);
	free(s->accounts);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->sessions.refused + s->pairs.refused;
}

/* -- sessions -- */

static bool is_recent(const void *value, uint64_t key, void *arg)
{
	const struct session *x = value;
	(void)key;
	return x->net_s >= *(const uint32_t *)arg;
}

/* When the table is full, what was unseen for 30 days of event time goes, and if that is not half of it, for 15 days, for
 * a week ...: a large tenant's table holds what is fresh.  A flood of made-up sessions in one second cannot cause a pass
 * for each record: where a pass was of no use, the next one comes an hour later. */
static struct session *session_of(struct state *s, uint64_t key, int64_t t)
{
	struct session *x = table_get(&s->sessions, key);
	if (x)
		return x;
	if (s->sessions.n >= SESSIONS_MAX && t >= s->no_sweep_before_us) {
		for (int64_t span = FORGET_US; s->sessions.n > SESSIONS_MAX / 2 && span >= US_PER_MINUTE; span /= 2) {
			uint32_t oldest = (uint32_t)((t - span) / US_PER_SECOND);
			table_keep_if(&s->sessions, is_recent, &oldest);
		}
		if (s->sessions.n > SESSIONS_MAX - SESSIONS_MAX / 4)
			s->no_sweep_before_us = t + US_PER_HOUR;
	}
	return table_put(&s->sessions, key, NULL);
}

static unsigned kind_of_net(const struct world *w, const struct event *e)
{
	return !net_is_prefix(w, e->net) ? 0 : e->rec->ip_kind == ADDR_V4 ? 1 : 2;
}

static void remember(struct session *x, const struct event *e)
{
	const struct rec *r = e->rec;
	x->net = e->net;
	x->net_s = (uint32_t)(r->time_us / US_PER_SECOND);
	x->net_rest_us = (uint32_t)(r->time_us % US_PER_SECOND);
	x->mailbox = e->mailbox;
	x->actor = e->actor;
	x->items = r->items;
	x->id_is_text = (r->flags & REC_ID_TEXT) != 0;
	x->ip_kind = r->ip_kind;
	x->access = r->access;
	memcpy(x->id, r->id, 16);
	memcpy(x->ip, r->ip, 16);
}

/* the other side of a change: the last record from the network before */
static void fold_other_side(struct alerts *a, struct alert *al, const struct session *x, const uint8_t session[16],
	bool is_token, bool is_text)
{
	struct rec r = {
		.time_us = (int64_t)x->net_s * US_PER_SECOND + x->net_rest_us, .items = x->items, .op = OP_MAIL_ITEMS_ACCESSED,
		.flags = (x->id_is_text ? REC_ID_TEXT : 0) | (is_token ? REC_HAS_TOKEN | (is_text ? REC_TOKEN_TEXT : 0)
			: REC_HAS_SESSION | (is_text ? REC_SESSION_TEXT : 0)),
		.ip_kind = x->ip_kind, .access = x->access,
	};
	struct event e = { .rec = &r, .mailbox = x->mailbox, .client = x->net_client ? x->net_client - 1 : NONE, .actor = x->actor,
			   .net = x->net, .tenant = NONE };
	memcpy(r.id, x->id, 16);
	memcpy(r.ip, x->ip, 16);
	memcpy(is_token ? r.token : r.session, session, 16);
	alert_fold_once(a, al, &e);
}

/* -- networks -- */

static void place_meet(struct state *s, const struct event *e)
{
	if (!reach((void **)&s->places, &s->place_count, e->net, sizeof *s->places))
		return;
	struct place *p = &s->places[e->net];
	if (!p->first_us)
		p->first_us = e->rec->time_us;
	if (e->actor == NONE)
		return;
	for (unsigned i = 0; i < SHARED_ACTORS; i++) {
		if (!p->actors[i])
			p->actors[i] = e->actor + 1;
		if (p->actors[i] == e->actor + 1)
			return;
	}
}

static bool place_is_shared(const struct state *s, uint32_t net, int64_t t)
{
	return net < s->place_count && s->places[net].actors[SHARED_ACTORS - 1] && t - s->places[net].first_us >= SHARED_AGE_US;
}

static uint32_t hour_of(int64_t t)
{
	return (uint32_t)(t / US_PER_HOUR);
}

static void account_meet(struct state *s, const struct event *e)
{
	if (e->actor == NONE || !reach((void **)&s->accounts, &s->account_count, e->actor, sizeof *s->accounts))
		return;
	struct account *a = &s->accounts[e->actor];
	uint32_t hour = hour_of(e->rec->time_us), since = hour;
	if (!a->first_hour)
		a->first_hour = hour;
	if (a->nets[0] == e->net)
		return;
	unsigned at = 1;
	while (at < USUAL_NETS - 1 && a->nets[at] && a->nets[at] != e->net)
		at++;
	if (a->nets[at] == e->net)
		since = a->net_hours[at];
	memmove(a->nets + 1, a->nets, at * sizeof *a->nets);
	memmove(a->net_hours + 1, a->net_hours, at * sizeof *a->net_hours);
	a->nets[0] = e->net;
	a->net_hours[0] = since;
}

static bool account_knows(const struct state *s, uint32_t actor, uint32_t net, int64_t t)
{
	for (unsigned i = 0; actor < s->account_count && i < USUAL_NETS; i++)
		if (s->accounts[actor].nets[i] == net)
			return hour_of(t) - s->accounts[actor].net_hours[i] >= USUAL_US / US_PER_HOUR;
	return false;
}

static bool account_is_new(const struct state *s, uint32_t actor, int64_t t)
{
	return actor >= s->account_count || hour_of(t) - s->accounts[actor].first_hour < USUAL_US / US_PER_HOUR;
}

/* Counts the account for that pair; true once there are too many to distinguish. */
static bool pair_is_common(struct state *s, uint64_t key, uint32_t actor)
{
	struct pair *p = table_put(&s->pairs, key, NULL);
	if (!p)
		return true;
	for (unsigned i = 0; i < PAIR_ACCOUNTS && actor != NONE; i++) {
		if (!p->actors[i])
			p->actors[i] = actor + 1;
		if (p->actors[i] == actor + 1)
			return false; /* one of those who have an alert of their own */
	}
	return p->many = true;
}

/* -- alerts -- */

static void write_sentences(struct detect_ctx *c, const struct told *x)
{
	const struct world *w = c->world;
	struct alert *al = x->alert;
	char actor[SAY_SIZE], span[TIME_TEXT_SIZE], first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];
	const char *what = x->is_token ? "token" : "session";
	const char *a = world_net_label(w, x->net_a), *b = world_net_label(w, x->net_b);
	say_actor(w, al->actors.n ? al->actors.v[0] : NONE, actor);
	time_format_span(x->closest_us, span);
	time_format_minute(al->first_us, first);
	time_format_minute(al->last_us, last);

	alert_member(al, MOVE, value_cstr(x->story == STORY_SPLIT ? "split" : x->story == STORY_PAIR ? "pair" : "moved"));
	struct str account = x->story != STORY_PAIR && al->actors.n ? world_actor(w, al->actors.v[0]) : STR_NONE;
	alert_member(al, FROM, value_none(), value_cstr(a), value_none(), value_text(account));
	alert_member(al, TO, value_none(), value_cstr(b), value_none(), value_text(account));
	alert_member(al, SWITCHES, value_number(x->switches));
	alert_clear_why(al);
	switch (x->story) {
	case STORY_SPLIT:
		alert_title(al, "One %s of %s in two networks at once", what, actor);
		alert_why(al, "The same %s was used in %s and in %s, %s apart at the closest, with %s between %s "
			  "and %s.", what, a, b, span, COUNT(x->switches, "network change"), first, last);
		alert_why(al, x->is_token ? "A client does not share its access token: two places at once are two holders."
					  : "One person is not in two places: either the line alternates between two providers, or somebody else holds the session too.");
		break;
	case STORY_PAIR:
		alert_title(al, "Sessions of %s alternate between %s and %s", COUNT(al->actors.total, "account"), a, b);
		alert_why(al, "More than %d accounts used one session in both networks at once, with %s between %s "
			  "and %s: most likely one place with two providers, but possibly one thief with many sessions.", PAIR_ACCOUNTS,
			  COUNT(x->switches, "network change"), first, last);
		break;
	case STORY_MOVED:
		alert_title(al, "Sessions of %s moved between networks", actor);
		alert_why(al, "A session or token of this account continued in another network %s, most recently from %s to "
			  "%s: never in both at once, or between networks it had used before. A laptop that is carried looks the same.",
			  COUNT(x->switches, "time"), a, b);
		break;
	}
	if (x->differs)
		alert_why(al, "The client changed with the network: a session stays with the client that opened it.");
	if (x->first_day)
		alert_why(al, "It was the first day of this account in the data: which networks are its usual ones was not known.");
	if (x->prefixes)
		alert_why(al, "Networks are address prefixes here (no ASN file): two of them may belong to one provider.");
}

/* Two clients whose families are both named and differ. */
static bool clients_differ(const struct world *w, uint32_t a, uint32_t b)
{
	if (!a || !b || a == b)
		return false;
	struct str x = world_client_part(w, a - 1, CLIENT_FAMILY), y = world_client_part(w, b - 1, CLIENT_FAMILY);
	return x.n && y.n && !str_eq(x, y);
}

struct change { /* of the network of one session */
	uint64_t id_key;
	uint32_t from, to;
	int64_t gap_us;
	bool is_token, together, differs;
	bool is_first_change; /* the record on the other side was not folded in yet */
};

static void tell(struct state *s, struct detect_ctx *c, const struct event *e, const struct change *ch, const struct session *other)
{
	const struct world *w = c->world;
	uint64_t a = key_net(w, ch->from), b = key_net(w, ch->to);
	uint64_t pair = a < b ? hash_mix(a, b) : hash_mix(b, a), subject;
	bool prefixes = net_is_prefix(w, ch->from), is_new;
	enum severity severity;
	int64_t t = e->rec->time_us;
	bool usual = account_knows(s, e->actor, ch->from, t) && account_knows(s, e->actor, ch->to, t) && !ch->differs;
	struct told fresh = { .is_token = ch->is_token, .prefixes = prefixes, .net_a = ch->from, .net_b = ch->to,
			      .closest_us = ch->gap_us };
	if (!ch->together || (usual && !table_get(&s->told, ch->id_key))) {
		fresh.story = STORY_MOVED;
		subject = hash_mix(e->rec->actor ? e->rec->actor : ch->id_key, STORY_MOVED);
		severity = prefixes && !ch->differs ? SEVERITY_INFO : SEVERITY_LOW;
	} else {
		if (place_is_shared(s, ch->from, t) && place_is_shared(s, ch->to, t))
			return;
		fresh.story = pair_is_common(s, pair, e->actor) ? STORY_PAIR : STORY_SPLIT;
		subject = fresh.story == STORY_PAIR ? pair : ch->id_key;
		fresh.first_day = account_is_new(s, e->actor, t);
		severity = ch->is_token || ch->differs ? SEVERITY_HIGH : fresh.first_day ? SEVERITY_LOW : SEVERITY_MEDIUM;
		if (fresh.story == STORY_PAIR)
			severity = SEVERITY_MEDIUM;
	}
	struct told *x = table_put(&s->told, subject, &is_new);
	if (!x)
		return;
	if (is_new) {
		*x = fresh;
		x->alert = alerts_open(c->alerts, &detector_split_session, subject);
	}
	if (!x->alert)
		return;
	x->switches++;
	x->differs |= ch->differs;
	if (x->story == STORY_MOVED) {
		x->net_a = ch->from;
		x->net_b = ch->to;
	}
	if (ch->gap_us < x->closest_us)
		x->closest_us = ch->gap_us;
	enum severity before = x->alert->severity;
	bool was_raised = x->alert->raised;
	if (ch->is_first_change)
		fold_other_side(c->alerts, x->alert, other, ch->is_token ? e->rec->token : e->rec->session, ch->is_token,
			(e->rec->flags & (ch->is_token ? REC_TOKEN_TEXT : REC_SESSION_TEXT)) != 0);
	alert_fold_once(c->alerts, x->alert, e);
	alert_raise(x->alert, e->rec->time_us, severity);
	if (!was_raised || severity > before)
		write_sentences(c, x);
}

/* -- events -- */

static uint64_t session_key(const uint8_t id[16], bool is_token, unsigned kind)
{
	uint64_t a, b;
	memcpy(&a, id, 8);
	memcpy(&b, id + 8, 8);
	return hash_mix(a ^ (uint64_t)(1 + is_token + 2 * kind) << 61, b);
}

static void meet(struct state *s, struct detect_ctx *c, const struct event *e, const uint8_t id[16], bool is_token)
{
	int64_t t = e->rec->time_us;
	uint32_t now = (uint32_t)(t / US_PER_SECOND);
	struct session *x = session_of(s, session_key(id, is_token, kind_of_net(c->world, e)), t);
	uint32_t client = e->client == NONE ? 0 : e->client + 1;
	if (!x)
		return;
	if (x->net == e->net || !x->net) {
		remember(x, e);
		if (client)
			x->net_client = client;
		return;
	}
	struct change ch = { .id_key = hash64(id, 16, 1 + is_token), .is_token = is_token, .from = x->net, .to = e->net };
	ch.gap_us = (int64_t)(now - x->net_s) * US_PER_SECOND;
	ch.differs = clients_differ(c->world, x->net_client, client);
	ch.together = ch.gap_us <= TOGETHER_US || (x->before == e->net && (int64_t)(now - x->before_s) * US_PER_SECOND <= RETURN_US);
	ch.is_first_change = x->before == 0;
	if (!is_token || ch.gap_us <= TOKEN_LIFE_US)
		tell(s, c, e, &ch, x);
	uint32_t before_client = x->before == e->net ? x->before_client : 0;
	x->before = x->net;
	x->before_s = x->net_s;
	x->before_client = x->net_client;
	remember(x, e);
	x->net_client = client ? client : before_client;
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	const struct rec *r = e->rec;
	if (!net_is_real(e->net) || !(r->flags & (REC_HAS_SESSION | REC_HAS_TOKEN)))
		return;
	if ((op_kinds(r->op) & KIND_SIGNIN) && !(r->flags & REC_SUCCESS))
		return; /* a failed sign-in issues nothing */
	place_meet(s, e);
	account_meet(s, e);
	if (r->flags & REC_HAS_TOKEN)
		meet(s, c, e, r->token, true);
	if (r->flags & REC_HAS_SESSION)
		meet(s, c, e, r->session, false);
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	uint64_t key;
	const struct told *x;
	for (size_t i = 0; (x = table_next(&s->told, &i, &key));)
		if (x->alert)
			write_sentences(c, x);
}

static void fix_told(struct persist *p, void *element) { alerts_persist_one(p, &((struct told *)element)->alert); }

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	persist_table(p, &s->sessions, NULL);
	persist_table(p, &s->pairs, NULL);
	persist_table(p, &s->told, fix_told);
	rows_persist(p, (void **)&s->places, &s->place_count, sizeof *s->places, NULL);
	rows_persist(p, (void **)&s->accounts, &s->account_count, sizeof *s->accounts, NULL);
	persist_i64(p, &s->no_sweep_before_us);
}

static const char *const mitre[] = { "T1550.001", "T1539", NULL };

const struct detector detector_split_session = {
	.name = "split-session",
	.title = "One session or token in two networks",
	.severity = "high: a token in both at once, or the client changed too; medium: a session in both at once (low on the "
		    "account's first day); low: moved; info: moved, prefixes only",
	.signal = "session and token ids with the caller's network; Microsoft front ends and private addresses left out",
	.catches = "a stolen session or token replayed elsewhere while its owner goes on working",
	.misses = "a thief in the owner's network; records without ids; callers behind front ends; IPv4 against IPv6 without an "
		  "ASN file",
	.cost = "phones and laptops on the move (low, info), lines that flap between providers; 84 bytes a session or token",
	.mitre = mitre,
	.wants = KIND_MAIL | KIND_MAILBOX | KIND_ADMIN | KIND_SIGNIN,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.persist = persist,
	.refused = refused,
};
