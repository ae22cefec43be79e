/* SPDX-License-Identifier: Apache-2.0 */
/* session-moved: a token or session at work in another context than the sign-in that issued it.
 *
 * Signal   An access that is linked to its sign-in: account, device, application and network of both.
 * Catches  A token taken from its device: the device id is in the token, so another one means a copy, not a move.
 *          A forged token that borrows the id of a real sign-in: the account or the application is another one.
 *          A session that is used from a network in which its account never signs in.
 * Misses   A thief on the device itself, or behind the owner's own provider; logs without device ids.
 * Cost     People carry laptops about, and a VPN is another network in the middle of a session.  So a network alone is a
 *          note (low; info while networks are only address prefixes), and none at all if the account signs in from there
 *          within a day before or after, if three accounts use it (a VPN, an office, a phone carrier), or if it is
 *          Microsoft's.  Names that differ always (an alias, a guest) are learned by account; applications that sign in
 *          for another (a web client and its service) by client.  Memory: 60 bytes an account, 24 an account and network. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"
#include "identity/identity.h"
#include "state/net.h"

#define CASES_MAX 50000
#define SIGNED_MAX 2000000
#define NEAR_US US_PER_DAY      /* a sign-in from a network explains accesses from it so long before and after */
#define SHARED_ACTORS 3
#define SAME_NAME_MIN 3         /* tokens whose account had the sign-in's name, before another name is odd */

extern const struct detector detector_session_moved;

enum move { MOVE_DEVICE, MOVE_ACCOUNT, MOVE_APP, MOVE_NETWORK, MOVES };
static const char *const moves[MOVES] = { "device", "account", "app", "network" };

struct moved {
	struct alert *alert;
	enum move move;
	uint32_t actor, client, net, device_known;
	uint8_t from_ip[8], from_kind;
	int64_t from_us, first_us, last_us;
	bool by_session, explained, client_too;
	uint64_t device;
};

struct place { uint32_t actors[SHARED_ACTORS]; }; /* + 1 */

struct state {
	struct table cases;     /* hash(move, account, client or network) -> struct moved */
	struct table signed_in; /* hash(account, network) -> int64_t time of the last sign-in from there */
	struct place *places;
	uint32_t place_count;
	uint16_t *same_name;    /* by actor: tokens whose sign-in had its name */
	uint32_t actor_count;
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->cases, sizeof(struct moved), CASES_MAX);
	table_init(&s->signed_in, sizeof(int64_t), SIGNED_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	table_release(&s->cases);
	table_release(&s->signed_in);
	free(s->places);
	free(s->same_name);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->cases.refused + s->signed_in.refused;
}

/* -- networks -- */

static uint64_t here_key(struct detect_ctx *c, const struct event *e)
{
	return hash_mix(e->rec->actor, key_net(c->world, e->net));
}

static void place_meet(struct state *s, const struct event *e)
{
	if (e->actor == NONE || !reach((void **)&s->places, &s->place_count, e->net, sizeof *s->places))
		return;
	uint32_t *v = s->places[e->net].actors;
	for (unsigned i = 0; i < SHARED_ACTORS; i++) {
		if (!v[i])
			v[i] = e->actor + 1;
		if (v[i] == e->actor + 1)
			return;
	}
}

static bool place_is_shared(const struct state *s, uint32_t net)
{
	return net < s->place_count && s->places[net].actors[SHARED_ACTORS - 1];
}

/* Is that address in another network than the event's, as far as the two can be compared? */
static bool is_elsewhere(const struct world *w, const struct event *e, const uint8_t ip[8], uint8_t kind)
{
	struct addr a = issue_addr(ip, kind);
	if (kind != ADDR_V4 && kind != ADDR_V6)
		return false;
	struct net n = net_of(w->asn, &a);
	if (n.kind != NET_KIND_ASN && n.kind != NET_KIND_PREFIX)
		return false;
	bool here_is_prefix = net_is_prefix(w, e->net);
	if (here_is_prefix != (n.kind == NET_KIND_PREFIX) || (here_is_prefix && kind != e->rec->ip_kind))
		return false;
	return n.key != w->nets[e->net].key;
}

/* -- cases -- */

static uint64_t case_key(struct detect_ctx *c, const struct event *e, enum move move)
{
	uint64_t what = move == MOVE_NETWORK ? key_net(c->world, e->net) : e->client == NONE ? 0 : key_client(c->world, e->client);
	return hash_mix(hash_mix(e->rec->actor, move + 1), what);
}

static void note(struct state *s, struct detect_ctx *c, const struct event *e, enum move move)
{
	const struct provenance *p = e->token;
	const struct rec *r = e->rec;
	bool is_new;
	uint64_t key = case_key(c, e, move);
	struct moved *m = table_put(&s->cases, key, &is_new);
	if (!m)
		return;
	if (is_new) {
		*m = (struct moved){ .move = move, .actor = e->actor, .client = e->client, .net = e->net, .first_us = r->time_us,
				     .by_session = !p->issue, .device = r->device };
		m->from_us = (int64_t)(p->issue ? p->issue->time_s : p->session->first_s) * US_PER_SECOND;
		m->from_kind = p->issue ? p->issue->ip_kind : p->session->ip_kind;
		memcpy(m->from_ip, p->issue ? p->issue->ip : p->session->ip, 8);
		m->alert = alerts_open(c->alerts, &detector_session_moved, key);
	}
	if (!m->alert)
		return;
	m->last_us = r->time_us;
	m->client_too |= p->app_differs;
	alert_fold(c->alerts, m->alert, e);
}

/* a sign-in from a network explains what came from it in the day before */
static void meet_signin(struct state *s, struct detect_ctx *c, const struct event *e)
{
	if (!(e->rec->flags & REC_SUCCESS) || !net_is_real(e->net) || !e->rec->actor)
		return;
	int64_t *last = table_put(&s->signed_in, here_key(c, e), NULL);
	if (last)
		*last = e->rec->time_us;
	place_meet(s, e);
	struct moved *m = table_get(&s->cases, case_key(c, e, MOVE_NETWORK));
	if (m && m->move == MOVE_NETWORK && e->rec->time_us - m->first_us <= NEAR_US)
		m->explained = true;
}

static void meet_access(struct state *s, struct detect_ctx *c, const struct event *e)
{
	const struct provenance *p = e->token;
	const struct rec *r = e->rec;
	if (p->issue && !(p->issue->flags & ISSUE_CLASH)) {
		bool of_app = p->issue->kinds & (1u << SIGNIN_SERVICE_PRINCIPAL | 1u << SIGNIN_MANAGED_IDENTITY);
		if (p->device_differs)
			note(s, c, e, MOVE_DEVICE);
		if (e->actor != NONE && !of_app && p->issue->actor && reach((void **)&s->same_name, &s->actor_count, e->actor, sizeof *s->same_name)) {
			uint16_t *same = &s->same_name[e->actor];
			if (!p->actor_differs)
				*same += *same < UINT16_MAX;
			else if (*same >= SAME_NAME_MIN)
				note(s, c, e, MOVE_ACCOUNT);
		}
		if (p->app_differs)
			note(s, c, e, MOVE_APP);
	}
	if (!net_is_real(e->net) || !r->actor)
		return;
	place_meet(s, e);
	const uint8_t *from = p->issue ? p->issue->ip : p->session->ip;
	uint8_t kind = p->issue ? p->issue->ip_kind : p->session->ip_kind;
	if (!is_elsewhere(c->world, e, from, kind))
		return;
	const int64_t *last = table_get(&s->signed_in, here_key(c, e));
	if (last && r->time_us - *last <= 30 * NEAR_US)
		return; /* one of the account's own networks of the last month */
	note(s, c, e, MOVE_NETWORK);
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	if (rec_is_signin(e->rec))
		meet_signin(state, c, e);
	else if (e->token && e->token->verdict == PROV_LINKED && (e->token->issue || e->token->session))
		meet_access(state, c, e);
}

/* -- sentences -- */

static void tell(struct state *s, struct detect_ctx *c, const struct moved *m)
{
	struct alert *al = m->alert;
	char who[SAY_SIZE], client[SAY_SIZE], actor[SAY_SIZE], when[TIME_TEXT_SIZE], address[ADDR_TEXT_SIZE + 4];
	const char *what = m->by_session ? "session" : "token";
	bool prefixes = net_is_prefix(c->world, m->net);
	enum severity severity = m->move == MOVE_NETWORK ? prefixes ? SEVERITY_INFO : SEVERITY_LOW : SEVERITY_HIGH;
	if (m->move == MOVE_NETWORK && (m->explained || place_is_shared(s, m->net)))
		return;
	if (m->move == MOVE_NETWORK && m->client_too)
		severity = SEVERITY_HIGH;
	if (m->move == MOVE_APP && !al->nets.n)
		severity = SEVERITY_MEDIUM;
	say_mailboxes(c->world, &al->mailboxes, who);
	say_client(c->world, m->client, client);
	say_actor(c->world, m->actor, actor);
	time_format_minute(m->from_us, when);
	issue_addr_text(m->from_ip, m->from_kind, address);
	alert_raise(al, m->first_us, severity);
	struct str device = m->move == MOVE_DEVICE ? name_part(names_get(c->world->names, m->device), 0) : STR_NONE;
	alert_member(al, MOVE, value_cstr(moves[m->move]));
	struct str account = m->actor == NONE ? STR_NONE : world_actor(c->world, m->actor);
	alert_member(al, FROM, value_time(m->from_us), value_none(),
		     value_cstr(m->from_kind == ADDR_V4 || m->from_kind == ADDR_V6 ? address : NULL),
		     value_text(m->move == MOVE_ACCOUNT ? STR_NONE : account));
	alert_member(al, TO, value_time(m->first_us), m->net == NET_NONE ? value_none() : value_cstr(world_net_label(c->world, m->net)),
		     value_none(), value_text(account), value_text(device),
		     value_text(m->client == NONE ? STR_NONE : world_client_part(c->world, m->client, CLIENT_CALLER)));
	alert_clear_why(al);
	switch (m->move) {
	case MOVE_DEVICE:
		alert_title(al, "A token was used from another device than it was issued to (%s)", who);
		alert_why(al, "%s by %s from device %.*s; the sign-in of the token, at %s from %s, was on another registered "
			  "device.", COUNT(al->records, "record"), actor, STR_ARG(device), when, address);
		alert_why(al, "The token contains the id of its device. Neither a journey nor a VPN changes it.");
		break;
	case MOVE_ACCOUNT:
		alert_title(al, "A token of another account's sign-in opened mail (%s)", who);
		alert_why(al, "%s by %s with a token whose sign-in, at %s from %s, was another account's.",
			  COUNT(al->records, "record"), actor, when, address);
		alert_why(al, "At least %d other tokens of this account were its own; a second name that it always had would have been learned.",
			  SAME_NAME_MIN);
		break;
	case MOVE_APP:
		alert_title(al, "A token was used by another application than it was issued to (%s)", who);
		alert_why(al, "%s of %s with a token that was issued to another application, at %s from %s.",
			  COUNT(al->records, "record"), client, when, address);
		alert_why(al, "Of the tokens that this client used before, %s of %s %s issued to one and the same application.",
			  DIGITS(identity_client(c->identity, m->client)->app_hits),
			  COUNT(identity_client(c->identity, m->client)->app_hits + identity_client(c->identity, m->client)->app_misses, "token"),
			  identity_client(c->identity, m->client)->app_hits == 1 ? "was" : "were");
		break;
	default:
		alert_title(al, "A %s is used in a network in which its account does not sign in (%s)", what, who);
		alert_why(al, "%s by %s from %s; the %s was issued at %s to %s.", COUNT(al->records, "record"), actor, world_net_label(c->world, m->net), what, when, address);
		alert_why(al, "No sign-in of this account came from that network in the month before or the day after, and fewer than %d accounts "
			  "were seen there. A journey or a VPN looks the same: that is why this is a note.", SHARED_ACTORS);
		if (m->client_too)
			alert_why(al, "The application is not the one that the token was issued to either: no journey changes that.");
		if (prefixes)
			alert_blind(al, "networks are only address prefixes here; with --asn they are providers, and few such notes remain");
	}
	alert_blind(al, "accesses that are not linked to a sign-in: there is nothing to compare them with");
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	uint64_t key;
	const struct moved *m;
	for (size_t i = 0; (m = table_next(&s->cases, &i, &key)); )
		if (m->alert)
			tell(s, c, m);
}

static const char *const mitre[] = { "T1550.001", "T1539", NULL };

const struct detector detector_session_moved = {
	.name = "session-moved",
	.title = "A token or session in another context than its sign-in's",
	.severity = "high: another device, account or application; low: a network in which the account does not sign in; info: the "
		    "same, prefixes only",
	.signal = "accesses that are linked to their sign-in: account, device, application and network of both",
	.catches = "tokens taken from their device; forged tokens that borrow the id of a real sign-in",
	.misses = "a thief on the device or behind the owner's provider; logs without device ids",
	.cost = "journeys and VPNs (low, info); 60 bytes an account, 24 an account and network",
	.mitre = mitre,
	.wants = KIND_MAIL | KIND_MAILBOX | KIND_ADMIN | KIND_SIGNIN,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.refused = refused,
};
