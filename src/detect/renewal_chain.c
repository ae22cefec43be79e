/* SPDX-License-Identifier: Apache-2.0 */
/* renewal-chain: token after token in a session that began with no sign-in.
 *
 * Signal   Several tokens of one session, issued at different times, none of which is in a sign-in, and neither is the
 *          session; and GATFRTokenIssue records (Outlook on the web issues a token against one that
 *          is presented) whose token no sign-in issued.
 * Catches  The way in which Storm-0558 stayed: a forged token is presented, a fresh one comes back, and the chain has no
 *          root.
 * Misses   Chains whose records have no session id; a forged session id that changes with each token (orphan-token sees
 *          each of them).  Renewals that leave a sign-in are what is normal, and are not looked at.
 * Cost     Exports that lose sign-ins: n tokens of a session are lost with chance u to the power of n, where u is the share
 *          of the client's tokens that do not link; above one in ten thousand nothing is reported.
 *          Memory: 80 bytes a session with a token that no sign-in issued. */
#include <math.h>
#include <stdio.h>

#include "detect/detect_int.h"
#include "identity/identity.h"

#define CHAINS_MAX 50000
#define APART_US (30 * US_PER_MINUTE) /* issued this far apart, one token is the renewal of the other */

extern const struct detector detector_renewal_chain;

struct chain {
	struct alert *alert;
	uint32_t client;
	uint32_t links;               /* tokens, each issued APART_US after the one before */
	uint32_t presented;           /* GATFRTokenIssue records */
	int64_t first_us, first_issue_us, last_issue_us;
	bool rooted;                  /* a sign-in of the session has come to light */
};

struct state {
	struct table chains; /* session, or token of a GATFRTokenIssue without session -> struct chain */
};

static int begin(void *state, struct detect_ctx *c)
{
	(void)c;
	table_init(&((struct state *)state)->chains, sizeof(struct chain), CHAINS_MAX);
	return 0;
}

static void release(void *state)
{
	table_release(&((struct state *)state)->chains);
}

static uint64_t refused(const void *state)
{
	return ((const struct state *)state)->chains.refused;
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	const struct provenance *p = e->token;
	const struct rec *r = e->rec;
	bool renews = r->op == OP_GATFR_TOKEN_ISSUE, is_new;
	if (!p || !(r->flags & REC_HAS_TOKEN) || (!renews && !(r->flags & REC_HAS_SESSION)))
		return;
	uint64_t key = r->flags & REC_HAS_SESSION ? id_key(r->session, r->flags & REC_SESSION_TEXT)
						   : ~id_key(r->token, r->flags & REC_TOKEN_TEXT);
	if (p->verdict != PROV_ORPHAN) {
		struct chain *known = p->session ? table_get(&s->chains, key) : NULL;
		if (known)
			known->rooted = true;
		return;
	}
	if (p->session)
		return; /* the logs have a sign-in of the session: not without a root, and orphan-token looks at the token */
	struct chain *x = table_put(&s->chains, key, &is_new);
	if (!x)
		return;
	if (is_new) {
		*x = (struct chain){ .client = e->client, .first_us = r->time_us };
		x->alert = alerts_open(c->alerts, &detector_renewal_chain, key);
	}
	if (!x->alert)
		return;
	struct str issuer;
	if (rec_detail(r, STR("TokenTenantId"), &issuer))
		alert_member(x->alert, TOKEN_TENANT, value_text(issuer));
	if (x->client == NONE)
		x->client = e->client;
	int64_t issued = p->issued_us == INT64_MIN ? r->time_us : p->issued_us;
	x->presented += renews;
	if (p->first && (!x->links || issued >= x->last_issue_us + APART_US)) {
		if (!x->links)
			x->first_issue_us = issued;
		x->links++;
		x->last_issue_us = issued;
	}
	alert_fold_orphan(c->alerts, x->alert, e);
}

/* log10 of the chance that an export like this one has lost so many sign-ins of one session */
static double chance(struct detect_ctx *c, const struct chain *x, double *ret_share)
{
	uint64_t linked = 0, orphans = 0;
	for (uint32_t i = 0; i < c->world->client_count; i++) {
		if (x->client != NONE && i != x->client)
			continue;
		linked += identity_client(c->identity, i)->by[0].linked_pairs;
		orphans += identity_client(c->identity, i)->by[0].orphan_pairs;
	}
	orphans = orphans > x->links ? orphans - x->links : 0;
	double u = ((double)orphans + 0.5) / ((double)(linked + orphans) + 1);
	*ret_share = 1 - u;
	return (x->links ? x->links : 1) * log10(u);
}

static void tell(struct detect_ctx *c, const struct chain *x)
{
	struct alert *al = x->alert;
	char who[SAY_SIZE], client[SAY_SIZE], span[TIME_TEXT_SIZE], first[TIME_TEXT_SIZE];
	double share, p = chance(c, x, &share);
	if (x->rooted || (x->links < 2 && !x->presented) || p > (x->presented ? -2 : -4))
		return;
	enum severity severity = p <= -4 && (x->links >= 3 || x->presented) ? SEVERITY_CRITICAL : SEVERITY_HIGH;
	say_mailboxes(c->world, &al->mailboxes, who);
	alert_raise(al, x->first_us, severity);
	alert_member(al, CHAIN, value_number(x->links), value_number(x->presented), value_time(x->first_issue_us),
		     value_time(x->last_issue_us), value_real(share), value_real(pow(10, p)));
	alert_title(al, "Tokens are renewed in a session that began with no sign-in (%s)", who);
	if (x->links > 1)
		alert_why(al, "%s of one session, issued over %s from %s on. Neither they nor the session appear in the sign-in logs. "
			  "Client: %s.", COUNT(x->links, "token"), time_format_span(x->last_issue_us - x->first_issue_us, span),
			  time_format_minute(x->first_issue_us, first), say_client(c->world, x->client, client));
	if (x->presented)
		alert_why(al, "Outlook on the web was asked %s to exchange a token that matches no sign-in for a fresh one (GATFRTokenIssue), as in "
			  "Storm-0558.", COUNT(x->presented, "time"));
	alert_why(al, "%.2f %% of the other tokens%s are linked to a sign-in. The chance that the export merely lost the sign-ins of this session is "
		  "below one in 10^%d.", 100 * share, x->client == NONE ? "" : " of this client", (int)-p);
	alert_why(al, "A session with one sign-in in the logs, or whose renewals leave sign-ins, would not be reported.");
	alert_blind(al, "what the session did in records without a session id");
}

static void end(void *state, struct detect_ctx *c)
{
	uint64_t key;
	const struct chain *x;
	for (size_t i = 0; (x = table_next(&((struct state *)state)->chains, &i, &key)); )
		if (x->alert)
			tell(c, x);
}

static const char *const mitre[] = { "T1606", "T1550.001", NULL };

const struct detector detector_renewal_chain = {
	.name = "renewal-chain",
	.title = "Tokens renewed in a session that began with no sign-in",
	.severity = "critical: three tokens or a renewal by Outlook on the web; high: two tokens",
	.signal = "tokens of one session, issued at different times, none of them and not the session in any sign-in; GATFRTokenIssue",
	.catches = "forged tokens that are exchanged for fresh ones, as in Storm-0558",
	.misses = "records without session id; forged sessions that change with each token",
	.cost = "exports that lose sign-ins, below one chance in ten thousand; 80 bytes a session with an orphan token",
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
