/* SPDX-License-Identifier: Apache-2.0 */
/* explain: a token for people.  Next to the verdict it lists what less careful verifiers would have said of the same token,
 * because from inside the mistake looks like that: every check that was made passed. */
#include "base/schema.h"
#include "base/timefmt.h"
#include "token/verdict.h"

#define VALUE_COLUMNS 160

/* -- header and claims -- */

static bool is_time(struct str name)
{
	static const char *const names[] = { "exp", "iat", "nbf", "auth_time", "xms_tcdt", "rt_exp" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(name, str_of(names[i])))
			return true;
	return false;
}

static void add_time(struct buf *b, const struct sj_node *n, int64_t now_s)
{
	char text[TIME_TEXT_SIZE], span[TIME_TEXT_SIZE];
	int64_t s;

	if (!sj_date(n, &s))
		return;
	buf_printf(b, "  %s, ", time_format(s * US_PER_SECOND, text));
	if (s == now_s)
		buf_add_cstr(b, "now");
	else
		buf_printf(b, s < now_s ? "%s ago" : "in %s", time_format_span((s < now_s ? now_s - s : s - now_s) * US_PER_SECOND, span));
}

static void add_object(struct buf *b, const struct strict_json *j, int64_t now_s)
{
	for (const struct sj_node *n = sj_first(j, sj_root(j)); n; n = sj_next(j, n)) {
		buf_add_cstr(b, "  ");
		buf_add_terminal(b, n->key, 40);
		for (size_t i = n->key.n; i < 12; i++)
			buf_add_char(b, ' ');
		buf_add_char(b, ' ');
		buf_add_terminal(b, n->value, VALUE_COLUMNS);
		if (is_time(n->key))
			add_time(b, n, now_s);
		buf_add_char(b, '\n');
	}
}

/* -- the key -- */

static void add_key(struct buf *b, const struct judge *j)
{
	const struct verdict *v = &j->verdict;
	const struct key *k = v->record ? v->record->key : NULL;
	char hex[KEY_HEX_SIZE], from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
	unsigned listed = 0;

	buf_add_cstr(b, "key\n");
	if (!k) {
		buf_add_cstr(b, "  none of this key id is known\n");
		return;
	}
	buf_printf(b, "  %s %s%u bits\n", key_kind_name(k->kind), key_curve_name(k->curve), k->bits);
	if (k->has_spki)
		buf_printf(b, "  SPKI SHA-256 %s\n", key_hex(k->spki_sha256, 32, hex));
	if (k->cert.present) {
		buf_add_cstr(b, "  certificate  ");
		buf_add_terminal(b, k->cert.subject, 100);
		if (k->cert.dates_known)
			buf_printf(b, ", %s to %s", time_format(k->cert.not_before_us, from), time_format(k->cert.not_after_us, to));
		buf_add_char(b, '\n');
	}
	for (unsigned i = 0; i < j->fault_n; i++)
		buf_printf(b, "  note         the key %s%s%s\n", key_fault_rows[j->fault[i].code].text, j->fault[i].member[0] ? ": " : "",
			   j->fault[i].member);
	for (uint32_t i = 0; i < j->policy->set_n && k->has_spki; i++) {
		const struct key *in = keyset_find_spki(j->policy->sets[i], k->spki_sha256);
		if (!in)
			continue;
		listed++;
		buf_add_cstr(b, "  listed in    ");
		buf_add_terminal(b, str_of(j->policy->sets[i]->name), 0);
		if (in->issuer.p) {
			buf_add_cstr(b, " for issuer ");
			buf_add_terminal(b, in->issuer, VALUE_COLUMNS);
		} else {
			buf_add_cstr(b, ", which does not say for whom it signs");
		}
		buf_add_char(b, '\n');
	}
	for (uint32_t i = 0; i < j->policy->n && !v->jws_only; i++) {
		const struct key_record *r = &j->policy->records[i];
		if (!r->key || !k->has_spki || memcmp(r->spki_sha256, k->spki_sha256, 32) != 0)
			continue;
		listed++;
		buf_printf(b, "  record       line %u, %s, %s, for issuer ", r->line, record_class_name(r->klass), record_state_name(r->state));
		buf_add_terminal(b, r->issuer_n ? r->issuers[0].text : STR("none"), VALUE_COLUMNS);
		buf_add_cstr(b, r->issuer_n > 1 ? " and others\n" : "\n");
	}
	if (!listed)
		buf_add_cstr(b, "  listed in no set with an SPKI\n");
}

/* -- the steps -- */

/* Was the step reached at all?  A step not reached did not pass. */
static bool was_asked(const struct judge *j, enum token_reason r)
{
	const struct verdict *v = &j->verdict;

	switch (r) {
	case REASON_FORM:
	case REASON_JWE: return true;
	case REASON_B64: return j->token.signing_input.p != NULL;
	case REASON_JSON: return j->token.decoded[PART_HEADER];
	case REASON_DUP:
	case REASON_HDR: return j->token.has_header;
	case REASON_KEY_NONE: return j->token.has_header && v->kid.p;
	case REASON_KEY_AMBIGUOUS: return v->candidates > 0;
	case REASON_KEY_BAD:
	case REASON_ALG:
	case REASON_DENIED: return v->record != NULL;
	case REASON_SIG: return v->signature_checked && !v->cannot_say;
	case REASON_FORGED_SCOPE: return v->signature_good && !v->jws_only;
	case REASON_CANNOT_SAY:
	case REASON_REPLAY: return verdict_has(v, r);
	case REASON_STATE: return v->record && v->scoped && !v->jws_only && !v->record->denied; /* denied has its own reason */
	case REASON_KEY_EXPIRED:
		return v->record && !v->jws_only && v->record->not_after_us != TIME_UNKNOWN;
	case REASON_KEY_AGE: return v->record && !v->jws_only && !(v->record->whole_set && v->record->first_us == TIME_UNKNOWN);
	case REASON_KEY_IAT: return v->record && !v->jws_only;
	case REASON_SCOPE_ISSUER: return v->record && !v->jws_only && (v->scoped || v->record->set_issuer.text.p);
	case REASON_TID: return v->record && !v->jws_only && !v->record->tenants_none;
	case REASON_SCOPE_TENANT: return v->record && v->scoped && !v->jws_only && !v->record->tenants_none;
	case REASON_VER: return v->record && v->scoped && !v->jws_only && v->record->versions;
	case REASON_CLAIM: return v->record && v->scoped && !v->jws_only && (v->record->claim_n || v->record->svid);
	case REASON_AUD:
	case REASON_KIND:
	case REASON_ACTOR: return v->record && v->scoped && !v->jws_only;
	case REASON_EXP:
	case REASON_NBF:
	case REASON_IAT:
	case REASON_LIFE: return v->record && !v->jws_only && j->token.has_claims;
	default: return v->chain > 0;
	}
}

static void add_steps(struct buf *b, const struct judge *j)
{
	const struct verdict *v = &j->verdict;

	buf_add_cstr(b, "checks\n");
	for (int r = 0; r < REASON_COUNT; r++) {
		if (!verdict_has(v, (enum token_reason)r)) {
			if (r == REASON_CANNOT_SAY || (r >= REASON_SUBJECT && !v->chain))
				continue;
			buf_printf(b, "  %-4s %-15s %s\n", was_asked(j, (enum token_reason)r) ? "pass" : "?", reason_rows[r].code, reason_rows[r].text);
			continue;
		}
		for (unsigned i = 0; i < v->n; i++) {
			if ((int)v->reason[i].code != r)
				continue;
			buf_printf(b, "  FAIL %-15s ", reason_rows[r].code);
			buf_add_terminal(b, str_of(v->reason[i].text), 0);
			buf_add_char(b, '\n');
		}
	}
}

/* -- what others would have said -- */

struct careless {
	bool signature, dates, tenant;
};

/* Three verifiers, each a little more careful than the one before it, and none checks for whom the key may sign. */
static struct careless careless_of(const struct judge *j)
{
	const struct verdict *v = &j->verdict;
	struct careless c = { .signature = v->signature_good };

	c.dates = c.signature && !verdict_has(v, REASON_EXP) && !verdict_has(v, REASON_NBF) && j->token.claim[CLAIM_EXP];
	c.tenant = c.dates && v->tenant.n && str_find(v->issuer, v->tenant) >= 0;
	return c;
}

static const char *says(bool accepts)
{
	return accepts ? "ACCEPTS" : "refuses";
}

static void add_verifiers(struct buf *b, const struct judge *j)
{
	const struct verdict *v = &j->verdict;
	const struct careless c = careless_of(j);

	buf_add_cstr(b, "verifiers\n");
	buf_printf(b, "  %s  one that takes any key of the right id and checks the signature\n", says(c.signature));
	buf_printf(b, "  %s  one that also looks at the dates\n", says(c.dates));
	buf_printf(b, "  %s  one that also wants the tenant to be in the issuer, and does not ask whether the key is the issuer's\n", says(c.tenant));
	buf_printf(b, "  %s  this one, by the %s\n", says(v->valid), v->jws_only ? "key alone" : v->scoped ? "record" : "rules: there is no record");
	if (c.tenant && !v->valid && (verdict_has(v, REASON_FORGED_SCOPE) || v->critical))
		buf_add_cstr(b, "  This is the mistake of 2023: everything those three look at is in order.\n");
}

void explain_add_text(struct buf *b, struct judge *j)
{
	if (j->token.has_header) {
		buf_add_cstr(b, "header\n");
		add_object(b, &j->token.json[PART_HEADER], j->now_s);
	}
	if (j->token.has_claims) {
		buf_add_cstr(b, "claims (what the token says, true or not)\n");
		add_object(b, &j->token.json[PART_CLAIMS], j->now_s);
	}
	add_key(b, j);
	add_steps(b, j);
	add_verifiers(b, j);
	verdict_add_headline(b, j);
}

/* -- for programs -- */

static void add_json_object(struct buf *b, const struct strict_json *j)
{
	bool first = true;

	buf_add_char(b, '{');
	for (const struct sj_node *n = sj_first(j, sj_root(j)); n; n = sj_next(j, n)) {
		if (!first)
			buf_add_char(b, ',');
		first = false;
		buf_add_json(b, n->key);
		buf_add_char(b, ':');
		if (n->kind == SJ_STRING)
			buf_add_json(b, n->value);
		else if (n->kind == SJ_OBJECT || n->kind == SJ_ARRAY)
			buf_add_json(b, n->raw); /* as text: it may hold a member twice */
		else
			buf_add_str(b, n->raw);
	}
	buf_add_char(b, '}');
}

void explain_add_json(struct buf *b, struct judge *j)
{
	const struct verdict *v = &j->verdict;
	const struct careless c = careless_of(j);
	bool first = true;

	buf_add_cstr(b, "{\"header\":");
	if (j->token.has_header)
		add_json_object(b, &j->token.json[PART_HEADER]);
	else
		buf_add_cstr(b, "null");
	buf_add_cstr(b, ",\"claims\":");
	if (j->token.has_claims)
		add_json_object(b, &j->token.json[PART_CLAIMS]);
	else
		buf_add_cstr(b, "null");
	buf_add_cstr(b, ",\"checks\":[");
	for (int r = 0; r < REASON_COUNT; r++) {
		buf_printf(b, "%s{\"code\":\"%s\",\"result\":\"%s\"}", first ? "" : ",", reason_rows[r].code,
			   verdict_has(v, (enum token_reason)r) ? "fail" : was_asked(j, (enum token_reason)r) ? "pass" : "cannot-say");
		first = false;
	}
	buf_printf(b, "],\"careless\":{\"signature\":%s,\"dates\":%s,\"tenant_in_issuer\":%s},\"verdict\":", c.signature ? "true" : "false",
		   c.dates ? "true" : "false", c.tenant ? "true" : "false");
	verdict_add_json(b, j);
	if (!buf_failed(b) && b->n && b->p[b->n - 1] == '\n')
		b->n--;
	buf_add_cstr(b, SCHEMA_MEMBER "}\n");
}
