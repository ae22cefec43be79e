/* SPDX-License-Identifier: Apache-2.0 */
/* exchange: each link of the chain is one exchange: a subject token was given, a result was issued.
 *
 *   sign-in -> token n -> ... -> token 1 -> the result
 *
 * At the time of the exchange (the result's iat) the subject must have been good by itself; it must not come from the very
 * service that takes it (then a service renews its own tokens, and the first one is never checked again); the result must
 * end with its subject; both must speak of one session and one person; and at the end of the chain there must be a
 * sign-in. */
#include "token/exchange.h"

#include <stdio.h>

static bool date_of(const struct judge *j, enum token_claim c, int64_t *ret)
{
	return j->token.claim[c] && sj_date(j->token.claim[c], ret);
}

/* Header and claims: two signatures over them make no two tokens. */
static struct str signed_part(struct str token)
{
	size_t n = token.n;

	while (n && token.p[n - 1] != '.')
		n--;
	return (struct str){ token.p, n ? n - 1 : 0 };
}

static struct str text_of(const struct judge *j, enum token_claim c)
{
	return node_text(j->token.claim[c]);
}

/* Judges the subject at the time of the exchange, except for its expiry. */
static void check_subject(struct judge *to, const struct judge *subject, unsigned at)
{
	const struct verdict *v = &subject->verdict;
	char codes[200] = "";
	size_t n = 0;

	for (unsigned i = 0; i < v->n && n < sizeof(codes); i++)
		if (v->reason[i].code != REASON_EXP)
			n += (size_t)snprintf(codes + n, sizeof(codes) - n, "%s%s", n ? ", " : "", reason_rows[v->reason[i].code].code);
	if (n)
		judge_refuse(to, REASON_SUBJECT, "subject token %u is itself refused: %s", at, codes);
	if (verdict_has(v, REASON_EXP))
		judge_refuse(to, REASON_SUBJECT_EXPIRED, "subject token %u had expired when it was exchanged", at);
	to->verdict.critical |= v->critical;
	to->verdict.cannot_say |= v->cannot_say;
}

static void check_issuer_of_subject(struct judge *to, const struct judge *result, const struct judge *subject, unsigned at)
{
	const struct text_list *own = &to->policy->exchange_issuers;
	const struct str iss = text_of(subject, CLAIM_ISS), taker = text_of(result, CLAIM_ISS);

	if (own->n ? text_list_has(own, iss) : iss.n && str_eq(iss, taker))
		judge_refuse(to, REASON_SELF_ISSUED, "subject token %u was issued by the service that took it ('%.*s')%s", at,
			     (int)(iss.n > 100 ? 100 : iss.n), iss.p, own->n ? "" : "; if they are two services, the policy's exchange.issuers says so");
}

static void check_link(struct judge *to, const struct judge *result, const struct judge *subject, unsigned at)
{
	const struct str sid = text_of(subject, CLAIM_SID), sid_too = text_of(result, CLAIM_SID);
	const struct str uti = text_of(subject, CLAIM_UTI), uti_too = text_of(result, CLAIM_UTI);
	const struct str who = text_of(subject, CLAIM_OID), who_too = text_of(result, CLAIM_OID);
	int64_t end, end_too;

	if (!(sid.n && str_eq(sid, sid_too)) && !(uti.n && str_eq(uti, uti_too)))
		judge_refuse(to, REASON_UNLINKED, "neither 'sid' nor 'uti' of subject token %u are carried over", at);
	if (!str_eq(text_of(subject, CLAIM_TID), text_of(result, CLAIM_TID)) || !str_eq(who, who_too) ||
	    (!who.n && !str_eq(text_of(subject, CLAIM_SUB), text_of(result, CLAIM_SUB))))
		judge_refuse(to, REASON_UNLINKED, "subject token %u speaks of another person or tenant", at);
	if (!date_of(subject, CLAIM_EXP, &end) || !date_of(result, CLAIM_EXP, &end_too) || end_too > end)
		judge_refuse(to, REASON_OUTLIVES, "the token made of subject token %u outlives it", at);
}

/* A token that is given for itself, or comes again further back, has no proof of its issue but its own word. */
static void check_twice(struct judge *to, const struct str *chain, unsigned at)
{
	const struct str now = signed_part(chain[at]);

	for (unsigned i = 0; i <= at; i++) {
		const struct str before = i ? signed_part(chain[i - 1]) : to->token.signing_input;
		if (now.n && str_eq(now, before)) {
			if (i)
				judge_refuse(to, REASON_SUBJECT, "subject token %u is subject token %u again: a token is no proof of itself", at + 1, i);
			else
				judge_refuse(to, REASON_SUBJECT, "subject token %u is the token itself: a token is no proof of itself", at + 1);
			return;
		}
	}
}

/* Someone authenticated: a person (amr, auth_time), or an application with a secret or a certificate (acr 1, 2). */
static bool is_sign_in(const struct judge *j)
{
	const struct sj_node *amr = j->token.claim[CLAIM_AMR];
	const struct str acr = text_of(j, j->token.claim[CLAIM_AZPACR] ? CLAIM_AZPACR : CLAIM_APPIDACR);
	int64_t t;

	if (amr && amr->kind == SJ_ARRAY && amr->children)
		return true;
	return date_of(j, CLAIM_AUTH_TIME, &t) || str_eq(acr, STR("1")) || str_eq(acr, STR("2"));
}

bool exchange_judge(struct judge *j, const struct str *chain, unsigned n)
{
	struct judge *subjects[TOKEN_CHAIN_MAX] = { NULL };
	const struct judge *result = j;
	bool ok = n <= TOKEN_CHAIN_MAX;

	for (unsigned i = 0; i < n && ok; i++) {
		int64_t when = j->now_s, issued;
		if (date_of(result, CLAIM_IAT, &issued) && issued < when)
			when = issued;
		subjects[i] = judge_new(j->policy, NULL);
		ok = subjects[i] != NULL;
		if (!ok)
			break;
		judge_token(subjects[i], chain[i], when);
		check_twice(j, chain, i);
		check_subject(j, subjects[i], i + 1);
		check_issuer_of_subject(j, result, subjects[i], i + 1);
		check_link(j, result, subjects[i], i + 1);
		result = subjects[i];
		j->verdict.chain = i + 1;
	}
	if (ok && n && n > j->policy->exchange_depth)
		judge_refuse(j, REASON_NO_ROOT, "the chain has %u subject tokens, %u are the most", n, j->policy->exchange_depth);
	if (ok && n && !is_sign_in(result))
		judge_refuse(j, REASON_NO_ROOT, "the chain does not begin with a sign-in: its oldest token has neither amr nor auth_time nor a "
			     "credential of an application");
	for (unsigned i = 0; i < n; i++)
		judge_free(subjects[i]);
	judge_finish(j);
	return ok;
}
