/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: JSON and text of a verdict. */
#include "token/verdict.h"

#include "base/schema.h"
#include "base/timefmt.h"

static void add_member(struct buf *b, const char *name, struct str s)
{
	buf_printf(b, "%s\"%s\":", b->n && b->p[b->n - 1] != '{' ? "," : "", name);
	if (s.p)
		buf_add_json(b, s);
	else
		buf_add_cstr(b, "null");
}

static const char *spki_of(const struct verdict *v, char out[KEY_HEX_SIZE])
{
	const struct key *k = v->record ? v->record->key : NULL;

	return k && k->has_spki ? key_hex(k->spki_sha256, 32, out) : NULL;
}

static const char *token_sha256(struct judge *j, char out[KEY_HEX_SIZE])
{
	struct verdict *v = &j->verdict;

	if (!v->has_sha256)
		v->has_sha256 = j->token.signing_input.p && sign_sha256(&j->verifier, j->token.signing_input, v->sha256);
	return v->has_sha256 ? key_hex(v->sha256, 32, out) : NULL;
}

static void add_reasons(struct buf *b, const struct verdict *v)
{
	buf_add_cstr(b, ",\"reasons\":[");
	for (unsigned i = 0; i < v->n; i++) {
		buf_printf(b, "%s{\"code\":\"%s\",\"text\":", i ? "," : "", reason_rows[v->reason[i].code].code);
		buf_add_json(b, str_of(v->reason[i].text));
		buf_add_char(b, '}');
	}
	buf_add_char(b, ']');
}

void verdict_add_json(struct buf *b, struct judge *j)
{
	const struct verdict *v = &j->verdict;
	char hex[KEY_HEX_SIZE];

	buf_add_cstr(b, v->valid ? "{\"valid\":true" : "{\"valid\":false");
	add_member(b, "kid", v->kid);
	add_member(b, "alg", v->alg);
	add_member(b, "key_spki_sha256", str_of(spki_of(v, hex)));
	add_member(b, "issuer", v->issuer);
	add_member(b, "tenant", v->tenant);
	add_member(b, "audience", v->audience);
	add_reasons(b, v);
	buf_printf(b, ",\"status\":%d", verdict_status(v));
	add_member(b, "token_sha256", str_of(token_sha256(j, hex)));
	buf_printf(b, ",\"tokens\":%u", j->in_line);
	buf_add_cstr(b, SCHEMA_MEMBER "}\n");
}

void verdict_add_brief(struct buf *b, struct judge *j)
{
	const struct verdict *v = &j->verdict;
	char hex[KEY_HEX_SIZE];

	buf_printf(b, "{\"status\":%d", verdict_status(v));
	add_member(b, "kid", v->kid);
	add_member(b, "token_sha256", str_of(token_sha256(j, hex)));
	buf_add_cstr(b, ",\"codes\":[");
	for (unsigned i = 0; i < v->n; i++)
		if (!i || v->reason[i].code != v->reason[i - 1].code)
			buf_printf(b, "%s\"%s\"", i ? "," : "", reason_rows[v->reason[i].code].code);
	buf_add_cstr(b, "]}");
}

/* -- text -- */

static void add_line(struct buf *b, const char *label, struct str s)
{
	if (!s.p)
		return;
	buf_printf(b, "  %-12s ", label);
	buf_add_terminal(b, s, 200);
	buf_add_char(b, '\n');
}

void record_add_relaxations(struct buf *b, const struct key_record *r)
{
	const size_t from = b->n;

#define RELAXED(condition, ...)                        \
	do {                                           \
		if (condition) {                       \
			if (b->n > from)               \
				buf_add_cstr(b, ", "); \
			buf_printf(b, __VA_ARGS__);    \
		}                                      \
	} while (0)
	RELAXED(r->tenants_any, "any tenant");
	RELAXED(r->tenants_none, "no tenant wanted");
	RELAXED(!r->versions, "no version wanted");
	RELAXED(r->actors_any, "any caller");
	RELAXED(r->audience_list == LIST_ONE, "an audience list of one");
	RELAXED(r->audience_list == LIST_ALL, "a list of audiences, all of them the record's");
	RELAXED(r->audience_list == LIST_ANY, "a list of audiences with one of the record's in it");
	RELAXED(r->issuers_none, "tokens without an issuer");
	RELAXED(r->audiences_none, "tokens without an audience");
	RELAXED(r->kind == KIND_ANY, "tokens of any kind");
	RELAXED(r->proof_bound, "tokens bound to a proof, without the proof");
	RELAXED(r->decimal_dates, "dates with fractions");
	RELAXED(r->whole_set && r->first_us == TIME_UNKNOWN, "a key of unknown age");
	RELAXED(r->symmetric, "a symmetric key");
	RELAXED(r->max_age_s > 180 * 86400, "a key of up to %lld days", (long long)(r->max_age_s / 86400));
	RELAXED(r->max_token_life_s > 95 * 60, "tokens of up to %lld minutes", (long long)(r->max_token_life_s / 60));
	RELAXED(r->cae_audiences.n, "tokens of up to 29 hours for %u audiences", r->cae_audiences.n);
#undef RELAXED
}

void verdict_add_headline(struct buf *b, const struct judge *j)
{
	const struct verdict *v = &j->verdict;

	if (v->valid)
		buf_add_cstr(b, v->jws_only ? "GENUINE: the signature is good; nothing else was judged\n" : "ACCEPTED\n");
	else
		buf_printf(b, "%s, for %u reason%s\n", v->critical ? "REFUSED, CRITICAL" : v->cannot_say ? "CANNOT SAY" : "REFUSED", v->n,
			   v->n == 1 ? "" : "s");
}

void verdict_add_text(struct buf *b, struct judge *j)
{
	const struct verdict *v = &j->verdict;
	const struct key_record *r = v->record;
	char hex[KEY_HEX_SIZE];

	verdict_add_headline(b, j);
	for (unsigned i = 0; i < v->n; i++) {
		buf_printf(b, "  %-15s ", reason_rows[v->reason[i].code].code);
		buf_add_terminal(b, str_of(v->reason[i].text), 0);
		buf_add_char(b, '\n');
	}
	add_line(b, "key id", v->kid);
	add_line(b, "algorithm", v->alg);
	add_line(b, "key", str_of(spki_of(v, hex)));
	if (!v->jws_only) {
		add_line(b, "issuer", v->issuer);
		add_line(b, "tenant", v->tenant);
		add_line(b, "audience", v->audience);
	}
	if (r && v->scoped && !v->jws_only) {
		struct buf relaxed;
		buf_init(&relaxed, 4 * KIB);
		record_add_relaxations(&relaxed, r);
		buf_printf(b, "  %-12s ", "record");
		buf_add_terminal(b, str_of(j->policy->path), 0);
		buf_printf(b, ":%u, %s, %s%s\n", r->line, record_class_name(r->klass), record_state_name(r->state),
			   v->candidates ? "" : " (of another scope)");
		if (relaxed.n)
			add_line(b, "allows", buf_str(&relaxed));
		buf_release(&relaxed);
	}
	if (v->chain)
		buf_printf(b, "  %-12s %u subject token%s\n", "chain", v->chain, v->chain == 1 ? "" : "s");
	add_line(b, "token", str_of(token_sha256(j, hex)));
}
