/* SPDX-License-Identifier: Apache-2.0 */
/* judge_claims: the steps that compare the claims with the record: life of the key, issuer, tenant, version, audience, time, caller, kind, further
 * claims, replay (token/judge.c has the order). */
#include "token/judge_int.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/timefmt.h"
#include "token/kind.h"

#define CAE_LIFE_MAX_S (29 * 3600)

static const char *date(int64_t us, char out[TIME_TEXT_SIZE])
{
	return us >= INT64_C(253402300800) * US_PER_SECOND || us < -INT64_C(62135596800) * US_PER_SECOND ? "an impossible date"
														 : time_format(us, out);
}

/* -- numbers -- */

/* False: absent, or no date and reported.  *ret stays. */
static bool take_date(struct judge *j, enum token_claim claim, enum token_reason r, bool required, int64_t *ret)
{
	const struct sj_node *n = j->token.claim[claim];

	if (!n) {
		if (required)
			judge_refuse(j, r, "no '%s'", token_claim_names[claim]);
		return false;
	}
	if (sj_date(n, ret) || (j->verdict.record && j->verdict.record->decimal_dates && sj_decimal_date(n, ret)))
		return true;
	judge_refuse(j, r, "'%s' is no number of seconds: wanted a JSON integer from 0 to 2^33, written plainly%s", token_claim_names[claim],
		     n->kind == SJ_NUMBER && sj_decimal_date(n, ret) ? "; a record takes this form with dates: decimal" : "");
	return false;
}

/* -- 6: the key's life -- */

static void check_life(struct judge *j, const struct key_record *r, bool has_iat, int64_t iat)
{
	const int64_t now_us = j->now_s * US_PER_SECOND, skew_us = j->policy->skew_s * US_PER_SECOND, iat_us = iat * US_PER_SECOND;
	char a[TIME_TEXT_SIZE], b[TIME_TEXT_SIZE];

	if (r->denied)
		judge_refuse(j, REASON_DENIED, "the key is on the deny list: %s", r->denied);
	switch (r->state) {
	case STATE_ACTIVE:
	case STATE_DENIED:
		if (r->state == STATE_DENIED && !r->denied)
			judge_refuse(j, REASON_STATE, "the record says the key is denied");
		break;
	case STATE_RETIRING:
		if (!has_iat || iat_us >= r->since_us || now_us >= r->since_us + r->max_token_life_s * US_PER_SECOND)
			judge_refuse(j, REASON_STATE, "the key has been retiring since %s: only tokens from before are taken, while they live",
				     date(r->since_us, a));
		break;
	default:
		judge_refuse(j, REASON_STATE, r->since_us == TIME_UNKNOWN ? "the key is %s" : "the key is %s since %s",
			     record_state_name(r->state), r->since_us == TIME_UNKNOWN ? "" : date(r->since_us, a));
	}
	if (r->not_after_us != TIME_UNKNOWN && now_us > r->not_after_us)
		judge_refuse(j, REASON_KEY_EXPIRED, "the key's life ended on %s%s", date(r->not_after_us, a),
			     r->key && r->key->cert.present && r->key->cert.not_after_us == r->not_after_us ? " with its certificate" : "");
	if (r->first_us == TIME_UNKNOWN && !r->whole_set)
		judge_refuse(j, REASON_KEY_AGE, "nothing says how old the key is: no certificate, no first_listed, no not_before");
	else if (r->first_us != TIME_UNKNOWN && now_us - r->first_us > r->max_age_s * US_PER_SECOND)
		judge_refuse(j, REASON_KEY_AGE, "the key is %lld days old (since %s), %lld are the most%s",
			     (long long)((now_us - r->first_us) / US_PER_DAY), date(r->first_us, a), (long long)(r->max_age_s / 86400),
			     r->max_age_said ? "" : ": the record names no max_age, and that is the default");
	if (!has_iat)
		return;
	if (r->not_before_us != TIME_UNKNOWN && iat_us < r->not_before_us - skew_us)
		judge_refuse(j, REASON_KEY_IAT, "issued %s, before the key's life began on %s", date(iat_us, a), date(r->not_before_us, b));
	if (r->not_after_us != TIME_UNKNOWN && iat_us > r->not_after_us)
		judge_refuse(j, REASON_KEY_IAT, "issued %s, after the key's life had ended on %s", date(iat_us, a), date(r->not_after_us, b));
}

/* -- 7, 8, 9: issuer, tenant, version -- */

/* "login.microsoftonline.us" means the cloud "microsoftonline.us"; the v1 host is the same for all clouds. */
static bool is_cloud_of(struct str iss, struct str cloud)
{
	struct str host, tenant;
	unsigned version;

	if (!issuer_split(iss, &host, &tenant, &version) || !str_starts(host, STR("login.")))
		return true;
	return str_eq((struct str){ host.p + 6, host.n - 6 }, cloud);
}

static void check_issuer(struct judge *j, const struct key_record *r)
{
	struct verdict *v = &j->verdict;
	const struct issuer_rule *other = NULL;
	bool equal = !v->scoped;

	if (!v->issuer.p) {
		v->foreign = j->token.claim[CLAIM_ISS] != NULL; /* who names no issuer claims none */
		if (j->token.claim[CLAIM_ISS] || !v->candidates)
			judge_refuse(j, REASON_SCOPE_ISSUER, j->token.claim[CLAIM_ISS] ? "'iss' is no text" : "no 'iss'; a record takes such tokens with issuers: none");
		return;
	}
	for (uint32_t i = 0; i < r->issuer_n; i++) {
		equal |= issuer_rule_equals(&r->issuers[i], v->issuer, v->tenant);
		if (issuer_rule_other_form(&r->issuers[i], v->issuer))
			other = &r->issuers[i];
	}
	if (!equal && r->issuers_none)
		judge_refuse(j, REASON_SCOPE_ISSUER, "issuer '%.*s': the record is for tokens without 'iss'", CUT(v->issuer));
	else if (!equal && !v->candidates && other)
		judge_refuse(j, REASON_SCOPE_ISSUER, "issuer '%.*s' is another form of '%.*s'; if such tokens are to be taken, list it under issuers too%s",
			     CUT(v->issuer), CUT(other->text), r->versions ? ", and its version under versions" : "");
	else if (!equal && !v->candidates)
		judge_refuse(j, REASON_SCOPE_ISSUER, "issuer '%.*s' is not the key's: '%.*s'%s", CUT(v->issuer), CUT(r->issuers[0].text),
			     r->issuer_n > 1 ? " or others" : "");
	else if (!equal)
		judge_refuse(j, REASON_SCOPE_ISSUER, "issuer '%.*s' is not that of the token's own tenant '%.*s'", CUT(v->issuer), CUT(v->tenant));
	v->foreign = !equal && !r->issuers_none && (v->candidates || !other);
	if (r->set_issuer.text.p && !issuer_rule_equals(&r->set_issuer, v->issuer, v->tenant)) {
		const bool form = issuer_rule_other_form(&r->set_issuer, v->issuer);
		if (!form || !equal || !v->candidates)
			judge_refuse(j, REASON_SCOPE_ISSUER, "the key's own set says that it speaks for '%.*s', not for '%.*s'", CUT(r->set_issuer.text),
				     CUT(v->issuer));
		v->foreign |= !form;
	}
	if (r->key && r->key->cloud_instance.p && !is_cloud_of(v->issuer, r->key->cloud_instance)) {
		judge_refuse(j, REASON_SCOPE_ISSUER, "the key belongs to the cloud '%.*s', the issuer does not", CUT(r->key->cloud_instance));
		v->foreign = true;
	}
}

/* The one tenant that the key is for, by its set or its record. */
static bool tenant_of_key(const struct key_record *r, struct str *ret)
{
	struct str host;
	unsigned version;
	const struct issuer_rule *rule = r->set_issuer.text.n ? &r->set_issuer : r->issuer_n == 1 ? &r->issuers[0] : NULL;

	return rule && !rule->is_template && issuer_split(rule->text, &host, ret, &version) && tenant_is_canonical(*ret);
}

/* Two tenants in one token, or one that the key is not for: whoever signed that is no service of the issuer's. */
static bool is_across_tenants(struct judge *j, const struct key_record *r)
{
	const struct verdict *v = &j->verdict;
	struct str host, tenant;
	unsigned version;

	if (!v->tenant.p)
		return false;
	if (v->issuer.p && issuer_split(v->issuer, &host, &tenant, &version) && !str_eq(tenant, v->tenant)) {
		if (!verdict_has(v, REASON_SCOPE_ISSUER))
			judge_refuse(j, REASON_SCOPE_TENANT, "'iss' speaks of tenant '%.*s', 'tid' of '%.*s'", CUT(tenant), CUT(v->tenant));
		return true;
	}
	if (tenant_of_key(r, &tenant) && !str_eq(tenant, v->tenant)) {
		if (!verdict_has(v, REASON_SCOPE_ISSUER) || !v->issuer.p)
			judge_refuse(j, REASON_SCOPE_TENANT, "the key is for tenant '%.*s', the token speaks of '%.*s'", CUT(tenant), CUT(v->tenant));
		return true;
	}
	return false;
}

/* True: the tenant is not merely another customer's, but one that this key must never sign for. */
static bool check_tenant(struct judge *j, const struct key_record *r)
{
	const struct verdict *v = &j->verdict;
	bool has_template = r->set_issuer.is_template;
	const bool across = is_across_tenants(j, r);

	if (r->tenants_none)
		return across;
	if (!v->tenant.p) {
		judge_refuse(j, REASON_TID, j->token.claim[CLAIM_TID] ? "'tid' is no text" : "no 'tid'");
		return across;
	}
	if (!tenant_is_canonical(v->tenant) || str_eq(v->tenant, STR(NIL_TENANT)))
		judge_refuse(j, REASON_TID, "'tid' is '%.*s': wanted a GUID in lower case without braces, and not all zero", CUT(v->tenant));
	for (uint32_t i = 0; i < r->issuer_n; i++)
		has_template |= r->issuers[i].is_template;
	if (!v->scoped)
		return across || (has_template && str_eq(v->tenant, STR(CONSUMER_TENANT)));
	if (text_list_has(&r->tenants_denied, v->tenant)) {
		judge_refuse(j, REASON_SCOPE_TENANT, "the record denies tenant '%.*s'", CUT(v->tenant));
		return true;
	}
	if (text_list_has(&r->tenants, v->tenant))
		return across;
	if (has_template && str_eq(v->tenant, STR(CONSUMER_TENANT))) {
		judge_refuse(j, REASON_SCOPE_TENANT, "a key for organisations may not speak about the consumer tenant");
		return true;
	}
	if (!r->tenants_any)
		judge_refuse(j, REASON_SCOPE_TENANT, "tenant '%.*s' is not one of the record's", CUT(v->tenant));
	return across;
}

static void check_version(struct judge *j, const struct key_record *r)
{
	const struct verdict *v = &j->verdict;
	const struct sj_node *const *c = j->token.claim;
	const struct str ver = node_text(c[CLAIM_VER]);
	struct str host, tenant;
	unsigned version = 0;
	const unsigned said = str_eq(ver, STR("1.0")) ? VERSION_1 : str_eq(ver, STR("2.0")) ? VERSION_2 : 0;

	if (!r->versions)
		return;
	if (!said || !(r->versions & said)) {
		judge_refuse(j, REASON_VER, said ? "version '%.*s' is not one of the record's" : "'ver' is '%.*s': wanted \"1.0\" or \"2.0\"", CUT(ver));
		return;
	}
	if (!issuer_split(v->issuer, &host, &tenant, &version) || version != said)
		judge_refuse(j, REASON_VER, "issuer '%.*s' does not have the shape of a token of version %.*s", CUT(v->issuer), CUT(ver));
	else if (!str_eq(tenant, v->tenant))
		judge_refuse(j, REASON_VER, "the first part of the issuer's path is not the tenant");
	if (said == VERSION_2 && !tenant_is_canonical(v->audience))
		judge_refuse(j, REASON_VER, "the audience of a token of version 2.0 is a GUID, '%.*s' is none", CUT(v->audience));
	if (c[said == VERSION_2 ? CLAIM_APPID : CLAIM_AZP])
		judge_refuse(j, REASON_VER, "a token of version %.*s does not have '%s'", CUT(ver), said == VERSION_2 ? "appid" : "azp");
}

/* -- 10: audience -- */

static void check_audience(struct judge *j, const struct key_record *r)
{
	struct verdict *v = &j->verdict;
	const struct sj_node *aud = j->token.claim[CLAIM_AUD];

	const struct str azp = node_text(j->token.claim[CLAIM_AZP]);
	unsigned ours = 0;

	if (r->audiences_none) {
		if (aud)
			judge_refuse(j, REASON_AUD, "'aud' is there, and the record is for tokens without it");
	} else if (!aud) {
		judge_refuse(j, REASON_AUD, "no 'aud'");
	} else if (aud->kind == SJ_ARRAY) {
		if (r->audience_list == LIST_NONE || (r->audience_list == LIST_ONE && aud->children != 1) || !aud->children) {
			judge_refuse(j, REASON_AUD, "'aud' is a list of %u: a token for several is good for none, unless the record's audience_array says so", aud->children);
			return;
		}
		for (const struct sj_node *n = sj_first(&j->token.json[PART_CLAIMS], aud); n; n = sj_next(&j->token.json[PART_CLAIMS], n)) {
			const struct str one = node_text(n);
			if (!one.p)
				judge_refuse(j, REASON_AUD, "'aud' is a list, and not of texts alone");
			else if (text_list_has(&r->audiences, one) || text_list_has(&r->cae_audiences, one))
				v->audience = ours++ ? v->audience : one;
			else if (r->audience_list != LIST_ANY)
				judge_refuse(j, REASON_AUD, "audience '%.*s' is not one of the record's", CUT(one));
		}
		if (!ours && r->audience_list == LIST_ANY)
			judge_refuse(j, REASON_AUD, "none of the %u audiences is one of the record's", aud->children);
		if (aud->children > 1 && r->kind == KIND_ID && !text_list_has(&r->audiences, azp)) /* OpenID Connect Core 3.1.3.7 */
			judge_refuse(j, REASON_AUD, "an ID token for several wants an 'azp' that is one of the record's audiences; it is '%.*s'", CUT(azp));
	} else if (aud->kind != SJ_STRING) {
		judge_refuse(j, REASON_AUD, "'aud' is no text");
	} else if (!text_list_has(&r->audiences, v->audience) && !text_list_has(&r->cae_audiences, v->audience)) {
		judge_refuse(j, REASON_AUD, "audience '%.*s' is not one of the record's", CUT(v->audience));
	}
}

/* -- 11: time -- */

static void check_time(struct judge *j, const struct key_record *r, bool has_iat, int64_t iat, bool has_exp, int64_t exp)
{
	const int64_t now = j->now_s, skew = j->policy->skew_s;
	const bool cae = text_list_has(&r->cae_audiences, j->verdict.audience);
	const int64_t most = cae ? CAE_LIFE_MAX_S : r->max_token_life_s;
	char a[TIME_TEXT_SIZE];
	int64_t nbf;

	if (has_exp && now >= exp + skew)
		judge_refuse(j, REASON_EXP, "the token expired on %s", date(exp * US_PER_SECOND, a));
	if (take_date(j, CLAIM_NBF, REASON_NBF, false, &nbf)) {
		if (nbf - skew > now)
			judge_refuse(j, REASON_NBF, "the token is not valid before %s", date(nbf * US_PER_SECOND, a));
		if (has_exp && nbf >= exp)
			judge_refuse(j, REASON_NBF, "the token ends before it begins");
	}
	if (!has_iat)
		return;
	if (iat - skew > now)
		judge_refuse(j, REASON_IAT, "the token was issued on %s, which is in the future", date(iat * US_PER_SECOND, a));
	if (has_exp && iat >= exp)
		judge_refuse(j, REASON_IAT, "the token expired before it was issued");
	else if (has_exp && exp - iat > most)
		judge_refuse(j, REASON_LIFE, "the token lives %lld minutes, %lld are the most", (long long)((exp - iat) / 60),
			     (long long)(most / 60));
}

/* -- 12, 13: caller, replay -- */

static void check_actor(struct judge *j, const struct key_record *r)
{
	const struct sj_node *const *c = j->token.claim;
	const struct str azp = node_text(c[CLAIM_AZP]), appid = node_text(c[CLAIM_APPID]), client = node_text(c[CLAIM_CLIENT_ID]);
	const struct str actor = azp.p ? azp : appid.p ? appid : client.p ? client : node_text(c[CLAIM_CID]);

	if (r->app_only && !str_eq(node_text(c[CLAIM_IDTYP]), STR("app")))
		judge_refuse(j, REASON_ACTOR, "the record wants an application ('idtyp' = app)");
	if (azp.p && appid.p && !str_eq(azp, appid))
		judge_refuse(j, REASON_ACTOR, "'azp' and 'appid' name two callers");
	if (r->actors_any)
		return;
	if (!actor.p)
		judge_refuse(j, REASON_ACTOR, "no caller: neither 'azp' nor 'appid', 'client_id' or 'cid'");
	else if (!text_list_has(&r->actors, actor))
		judge_refuse(j, REASON_ACTOR, "caller '%.*s' is not one of the record's", CUT(actor));
}

/* -- kind and claims -- */

static void check_kind(struct judge *j, const struct key_record *r)
{
	const struct sj_node *const *c = j->token.claim;
	const char *sign;
	const enum token_kind k = token_kind_of(&j->token, r->versions && str_eq(node_text(c[CLAIM_VER]), STR("2.0")), &sign);
	const enum token_kind wanted = r->kind != KIND_UNSAID ? r->kind : r->versions ? KIND_ACCESS : KIND_UNSAID;

	if (c[CLAIM_CNF] && !r->proof_bound)
		judge_refuse(j, REASON_KIND, "the token is bound to a proof of possession ('cnf'), which is not checked here; a record takes it with cnf: allowed");
	if (wanted != KIND_ANY && k != wanted && !(k == KIND_UNSAID && (wanted == KIND_ID || r->kind == KIND_UNSAID)) &&
	    !(wanted == KIND_UNSAID && k != KIND_LOGOUT && k != KIND_OTHER))
		judge_refuse(j, REASON_KIND, "it is %s%s%s%s; the record %s %s", token_kind_name(k), sign[0] && k ? " (by '" : "", k ? sign : "",
			     sign[0] && k ? "')" : "", r->kind == KIND_UNSAID ? "names no kind, and then takes" : "is for",
			     wanted == KIND_UNSAID ? "access and ID tokens" : token_kind_name(wanted));
	if (k == KIND_LOGOUT && (c[CLAIM_NONCE] || (!node_text(c[CLAIM_SUB]).n && !node_text(c[CLAIM_SID]).n) || !node_text(c[CLAIM_JTI]).n || !c[CLAIM_EVENTS]))
		judge_refuse(j, REASON_KIND, "a logout token has 'events', 'jti' and 'sub' or 'sid', and no 'nonce'");
	if (r->svid && !str_starts(node_text(c[CLAIM_SUB]), STR("spiffe://")))
		judge_refuse(j, REASON_CLAIM, "the 'sub' of a JWT-SVID is an id that begins with spiffe://");
}

static void on_claim(void *arg, const char *text)
{
	judge_refuse(arg, REASON_CLAIM, "%s", text);
}

static void check_replay(struct judge *j, int64_t exp)
{
	const struct sj_node *const *c = j->token.claim;
	const struct str ids[] = { node_text(c[CLAIM_UTI]), node_text(c[CLAIM_JTI]) };
	enum replay worst = REPLAY_NEW;

	for (uint64_t i = 0; i < 2; i++) /* either is enough to know it again */
		if (ids[i].n) {
			const enum replay one = replay_take(j->replay, hash_str(ids[i], hash_str(j->verdict.issuer, 1 + i)), exp + j->policy->skew_s, j->now_s);
			worst = one > worst ? one : worst;
		}
	if (!ids[0].n && !ids[1].n) {
		judge_refuse(j, REASON_REPLAY, "no 'uti' and no 'jti': whether it was seen before cannot be known");
		return;
	}
	switch (worst) {
	case REPLAY_NEW: break;
	case REPLAY_SEEN: judge_refuse(j, REASON_REPLAY, "the token's id was seen before"); break;
	case REPLAY_FULL: judge_refuse(j, REASON_REPLAY, "the store of token ids is full: nothing more is taken"); break;
	}
}

/* -- all of them -- */

bool judge_claims(struct judge *j)
{
	struct verdict *v = &j->verdict;
	const struct key_record *r = v->record;
	bool forbidden, has_iat, has_exp;
	int64_t iat = 0, exp = 0;

	has_exp = take_date(j, CLAIM_EXP, REASON_EXP, true, &exp);
	has_iat = take_date(j, CLAIM_IAT, REASON_IAT, true, &iat);
	check_life(j, r, has_iat, iat);
	check_issuer(j, r);
	forbidden = check_tenant(j, r);
	if (v->scoped) {
		check_version(j, r);
		check_audience(j, r);
		check_actor(j, r);
		check_kind(j, r);
		if (r->claim_n)
			claims_check(r->claims, r->claim_n, &j->token.json[PART_CLAIMS], sj_root(&j->token.json[PART_CLAIMS]), on_claim, j);
	}
	check_time(j, r, has_iat, iat, has_exp, exp);
	if (j->replay && !v->n && v->scoped && v->signature_good) /* only a token that is otherwise good uses up its id */
		check_replay(j, exp);
	return forbidden;
}
