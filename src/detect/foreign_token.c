/* SPDX-License-Identifier: Apache-2.0 */
/* foreign-token: mail opened with a token that another tenant issued.
 *
 * Signal   TokenTenantId of a mail or mailbox record differs from OrganizationId.
 * Catches  A token of the consumer tenant (9188040d-...) accepted for enterprise mail, which is the shape of Storm-0558:
 *          a consumer signing key whose tokens opened mailboxes of organisations.  Tokens of any other tenant.
 * Misses   Forged tokens that name the right tenant, and records without TokenTenantId: all before 2025, many since.
 *          Where the logs have sign-ins, a foreign token that none of them issued is no guest's.
 * Cost     Guests, delegates and partners who administer from their own tenant are legitimate: medium, as are tokens of
 *          Microsoft's own service tenants.  Memory: one entry for each (tenant, issuing tenant, client). */
#include <stdio.h>

#include "detect/detect_int.h"
#include "identity/identity.h"

#define PAIRS_MAX 20000

extern const struct detector detector_foreign_token;

struct pair {
	struct alert *alert;
	char issuer[GUID_TEXT_SIZE];
	bool consumer, only_guests, microsoft;
	uint32_t issued, orphans; /* records whose token a sign-in of the logs issued; that none issued */
};

struct state {
	struct table pairs; /* subject -> struct pair */
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->pairs, sizeof(struct pair), PAIRS_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	table_release(&s->pairs);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->pairs.refused;
}

/* a person who may hold a token of his own tenant: guest (UserType 10), partner, delegate, external */
static bool is_guest(const struct rec *r)
{
	return (r->flags & REC_EXTERNAL) || r->user_type == 10 + 1 || r->user_type == 9 + 1 || r->logon == LOGON_DELEGATE ||
	       r->logon == LOGON_DELEGATED_ADMIN;
}

/* tenants in which Microsoft's own applications live */
static bool is_microsoft_tenant(struct str issuer)
{
	return str_eq_nocase(issuer, STR("f8cdef31-a31e-4b4a-93e4-5f571e91255a")) ||
	       str_eq_nocase(issuer, STR("72f988bf-86f1-41af-91ab-2d7cd011db47"));
}

static void write_sentences(struct detect_ctx *c, const struct pair *p)
{
	struct alert *al = p->alert;
	char boxes[SAY_SIZE], client[SAY_SIZE];
	const char *issuer = p->issuer[0] ? p->issuer : "that the export does not name";
	say_mailboxes(c->world, &al->mailboxes, boxes);
	say_client(c->world, al->clients.n ? al->clients.v[0] : NONE, client);
	alert_member(al, TOKEN_TENANT, value_cstr(p->issuer));
	alert_clear_why(al);
	if (p->consumer) {
		alert_title(al, "Consumer token opened mail of %s", boxes);
		alert_why(al, "The token was issued for tenant %s, the tenant of consumer accounts, and opened mail of an organisation: "
			  "the shape of Storm-0558, where a consumer key signed tokens for enterprise mail.", issuer);
	} else {
		alert_title(al, "Token of another tenant opened mail of %s", boxes);
		alert_why(al, "The token was issued by tenant %s, not by the tenant of the mailbox.", issuer);
	}
	alert_why(al, "%s with %s, %s, client: %s.", COUNT(al->records, "record"), COUNT(al->items, "item"),
		  COUNT(al->mailboxes.total, "mailbox"), client);
	if (p->microsoft)
		alert_why(al, "That tenant is one of Microsoft's own: most likely a service of theirs.");
	else if (p->only_guests)
		alert_why(al, "All of it by guests, delegates or partners, who may hold tokens of their own tenant.");
	if (p->orphans)
		alert_why(al, "%s of these records %s a token that matches no sign-in, although sign-in logs cover that time.", DIGITS(p->orphans),
			  p->orphans == 1 ? "has" : "have");
	if (p->issued)
		alert_why(al, "%s of these records %s a token that a sign-in in the logs issued: it was not forged.", DIGITS(p->issued),
			  p->issued == 1 ? "has" : "have");
	alert_blind(al, "records without TokenTenantId cannot be judged");
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	const struct rec *r = e->rec;
	bool consumer = r->flags & REC_TOKEN_TENANT_CONSUMER, is_new;
	struct str issuer = STR_NONE;
	if (!(r->flags & (REC_TOKEN_TENANT_FOREIGN | REC_TOKEN_TENANT_CONSUMER)))
		return;
	if (!rec_detail(r, STR("TokenTenantId"), &issuer) && consumer)
		issuer = STR("9188040d-6c67-4c5b-b112-36a304b66dad");
	uint64_t client = e->client == NONE ? 0 : key_client(c->world, e->client);
	uint64_t subject = hash_mix(hash_mix(r->tenant, key_text(issuer)), client);
	struct pair *p = table_put(&s->pairs, subject, &is_new);
	if (!p)
		return;
	if (is_new) {
		*p = (struct pair){ .consumer = consumer, .only_guests = true, .microsoft = is_microsoft_tenant(issuer) };
		snprintf(p->issuer, sizeof p->issuer, "%.*s", (int)(issuer.n > 36 ? 36 : issuer.n), issuer.n ? issuer.p : "");
		p->alert = alerts_open(c->alerts, &detector_foreign_token, subject);
	}
	if (!p->alert)
		return;
	p->only_guests &= is_guest(r);
	/* a guest's sign-in is in this tenant's log; a token without sign-in is not a guest's */
	bool orphan = e->token && e->token->verdict == PROV_ORPHAN;
	p->orphans += orphan;
	p->issued += e->token && e->token->verdict == PROV_LINKED && e->token->issue;
	enum severity severity = consumer ? SEVERITY_CRITICAL
			       : (is_guest(r) && !orphan) || p->microsoft ? SEVERITY_MEDIUM : SEVERITY_HIGH;
	enum severity before = p->alert->severity;
	bool was_raised = p->alert->raised;
	alert_fold(c->alerts, p->alert, e);
	alert_raise(p->alert, r->time_us, severity);
	if (!was_raised || severity > before)
		write_sentences(c, p);
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	uint64_t key;
	const struct pair *p;
	for (size_t i = 0; (p = table_next(&s->pairs, &i, &key));)
		if (p->alert)
			write_sentences(c, p);
}

static void fix_pair(struct persist *p, void *element) { alerts_persist_one(p, &((struct pair *)element)->alert); }

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	persist_table(p, &s->pairs, fix_pair);
}

static const char *const mitre[] = { "T1606", "T1550.001", NULL };

const struct detector detector_foreign_token = {
	.name = "foreign-token",
	.title = "Mail opened with a token that another tenant issued",
	.severity = "critical: the tenant of consumer accounts; high: another tenant; medium: guests, delegates, partners, "
		    "Microsoft's own tenants",
	.signal = "TokenTenantId differs from OrganizationId on a mail or mailbox record; whether a sign-in issued the token",
	.catches = "consumer tokens accepted for enterprise mail (the shape of Storm-0558), tokens of foreign tenants",
	.misses = "forged tokens that name the right tenant; records without TokenTenantId, which is all before 2025",
	.cost = "partners and cross-tenant access; one entry for each (tenant, issuer, client)",
	.mitre = mitre,
	.wants = KIND_MAIL | KIND_MAILBOX,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.persist = persist,
	.refused = refused,
};
