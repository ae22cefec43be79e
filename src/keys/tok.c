/* SPDX-License-Identifier: Apache-2.0 */
/* tok: what the log of a verifier, or of the called service, shows about the use of keys.  Signatures are not checked
 * here (that is `taximeter token`): the question is whether a token that was accepted should have been, given the key it
 * names.
 *
 * A line of the log is a compact token, or an object with claims: kid, iss, tid, iat, exp, nbf, uti or jti, and, where the
 * log knows them, spki (or key_spki_sha256), ip, and for exchanged tokens subject_iss and subject_exp.  The longer names that
 * `token verify -f ndjson` writes (issuer, tenant) are taken as well. */
#include "keys/audit_int.h"

#include <stdlib.h>

#include "base/addr.h"
#include "base/b64url.h"
#include "base/hash.h"
#include "keys/keyset.h"

#define SKEW_S 300
#define LIFE_CAP_S (29 * 3600) /* the longest that is documented: 28 h with continuous access evaluation */

/* -- reading -- */

static bool number_of_text(struct audit *a, struct str text, uint32_t *ret)
{
	uint64_t h;
	uint32_t *number;
	bool is_new;

	*ret = 0;
	if (!text.n)
		return true;
	h = hash_str(text, 0);
	number = table_put(&a->text_numbers, h, &is_new);
	if (!number)
		return false;
	if (is_new) {
		if (!audit_grow(&a->texts, &a->text_capacity, a->text_count, sizeof(*a->texts), KEYS_TOKENS_MAX) ||
		    !(a->texts[a->text_count] = strndup(text.p, text.n)))
			return false;
		*number = (uint32_t)++a->text_count; /* 0 = none */
	}
	*ret = *number;
	return true;
}

static const char *text_of(const struct audit *a, uint32_t number) { return number ? a->texts[number - 1] : ""; }

static struct str text_member(const struct strict_json *j, const struct sj_node *object, const char *name, const char *other)
{
	const struct sj_node *n = sj_member(j, object, str_of(name));

	if (!n && other)
		n = sj_member(j, object, str_of(other));
	return n && n->kind == SJ_STRING ? n->value : STR_NONE;
}

static int64_t date_member(const struct strict_json *j, const struct sj_node *object, const char *name)
{
	const struct sj_node *n = sj_member(j, object, str_of(name));
	int64_t seconds;

	return n && (sj_date(n, &seconds) || sj_decimal_date(n, &seconds)) ? seconds : 0;
}

static uint64_t network_of(struct str ip)
{
	const struct addr a = addr_parse(ip);

	if (a.kind != ADDR_V4 && a.kind != ADDR_V6)
		return 0;
	return hash64(a.b, a.kind == ADDR_V4 ? 3 : 6, (uint64_t)a.kind);
}

static bool parse_hex(struct str hex, uint8_t ret[32])
{
	for (size_t i = 0; i < 64 && hex.n == 64; i++) {
		const char c = ascii_lower(hex.p[i]);
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10));
	}
	return hex.n == 64;
}

static bool take_claims(struct audit *a, const struct strict_json *j, const struct sj_node *o, struct token_seen *t)
{
	const struct str id = text_member(j, o, "uti", "jti"), iss = text_member(j, o, "iss", "issuer"),
			 subject = text_member(j, o, "subject_iss", NULL);
	const struct str kid = text_member(j, o, "kid", NULL);

	t->iat = date_member(j, o, "iat");
	t->exp = date_member(j, o, "exp");
	t->nbf = date_member(j, o, "nbf");
	t->subject_exp = date_member(j, o, "subject_exp");
	t->self_issued = subject.n && str_eq(subject, iss);
	t->id = id.n ? hash_str(id, 1) | 1 : 0;
	t->net = network_of(text_member(j, o, "ip", "ipaddr"));
	t->has_spki = parse_hex(text_member(j, o, "spki", "key_spki_sha256"), t->spki);
	return (!kid.n || number_of_text(a, kid, &t->kid)) && number_of_text(a, iss, &t->iss) &&
	       number_of_text(a, text_member(j, o, "tid", "tenant"), &t->tid);
}

/* An object without any of the claims is none of a token. */
static bool says_anything(const struct token_seen *t)
{
	return t->iat || t->exp || t->nbf || t->kid || t->iss || t->tid || t->id || t->has_spki;
}

/* Decodes a segment and parses it as an object. */
static const struct sj_node *segment(struct audit *a, struct str text, uint8_t *room)
{
	size_t n;

	if (b64url_decode(text, room, TOKEN_BYTES_MAX, &n) != B64_OK)
		return NULL;
	if (sj_parse(&a->line_json, (struct str){ (const char *)room, n }) != SJ_OK || sj_root(&a->line_json)->kind != SJ_OBJECT ||
	    a->line_json.first_duplicate)
		return NULL;
	return sj_root(&a->line_json);
}

static bool take_compact(struct audit *a, struct str line, struct token_seen *t)
{
	const char *first = memchr(line.p, '.', line.n), *second;
	uint8_t room[TOKEN_BYTES_MAX];
	const struct sj_node *o;

	if (!first || line.n > TOKEN_BYTES_MAX)
		return false;
	second = memchr(first + 1, '.', (size_t)(line.p + line.n - first - 1));
	if (!second || b64url_first_wrong((struct str){ second + 1, (size_t)(line.p + line.n - second - 1) }) != (size_t)(line.p + line.n - second - 1))
		return false; /* or something after the signature: a second token is not passed over */
	o = segment(a, (struct str){ line.p, (size_t)(first - line.p) }, room);
	if (!o || !number_of_text(a, text_member(&a->line_json, o, "kid", NULL), &t->kid))
		return false;
	o = segment(a, (struct str){ first + 1, (size_t)(second - first - 1) }, room);
	return o && take_claims(a, &a->line_json, o, t);
}

bool audit_take_token(struct audit *a, struct str line, struct buf *error)
{
	struct token_seen t = { 0 };
	bool ok;

	line = str_trim(line);
	if (str_starts_nocase(line, STR("Bearer ")))
		line = str_trim((struct str){ line.p + 7, line.n - 7 });
	if (!line.n)
		return true;
	a->counts.tokens++;
	if (line.p[0] == '{') {
		const enum sj_error e = sj_parse(&a->line_json, line);
		ok = e == SJ_OK && sj_root(&a->line_json)->kind == SJ_OBJECT && !a->line_json.first_duplicate &&
		     take_claims(a, &a->line_json, sj_root(&a->line_json), &t) && says_anything(&t);
	} else {
		ok = take_compact(a, line, &t);
	}
	if (!ok) {
		a->counts.tokens_unreadable++;
		buf_add_cstr(error, "neither one compact token nor an object with claims, each there once");
		return false;
	}
	if (!audit_grow(&a->tokens, &a->token_capacity, a->token_count, sizeof(*a->tokens), KEYS_TOKENS_MAX)) {
		a->counts.tokens_unreadable++;
		buf_printf(error, "more than %d tokens: the rest is not looked at", KEYS_TOKENS_MAX);
		return false;
	}
	a->tokens[a->token_count++] = t;
	return true;
}

/* -- which key? -- */

struct kid_key { struct str kid; uint32_t key; };

static int compare_kid_keys(const void *pa, const void *pb)
{
	const struct kid_key *a = pa, *b = pb;
	const size_t n = a->kid.n < b->kid.n ? a->kid.n : b->kid.n;
	int c = n ? memcmp(a->kid.p, b->kid.p, n) : 0;

	c = c ? c : (a->kid.n > b->kid.n) - (a->kid.n < b->kid.n);
	return c ? c : (a->key > b->key) - (a->key < b->key);
}

static size_t first_of_kid(const struct kid_key *rows, size_t n, struct str kid)
{
	const struct kid_key wanted = { kid, 0 };
	size_t from = 0, to = n;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;
		if (compare_kid_keys(&rows[middle], &wanted) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* A log names keys by key id.  Where an id names several keys, nothing is concluded: scope.kid-reuse has reported it.  A key of which no
 * public key can be made (a point off its curve) is meant only where no other key has the id. */
void audit_resolve_tokens(struct audit *a)
{
	struct kid_key *rows = malloc((a->key_count ? a->key_count : 1) * sizeof(*rows));
	size_t n = 0;

	if (!rows) {
		a->failed = true;
		return;
	}
	for (uint32_t i = 0; i < a->key_count; i++)
		if (newest(a, &a->keys[i])->kid.n)
			rows[n++] = (struct kid_key){ newest(a, &a->keys[i])->kid, i };
	qsort(rows, n, sizeof(*rows), compare_kid_keys);
	for (size_t i = 0; i < a->token_count; i++) {
		struct token_seen *t = &a->tokens[i];
		const struct str kid = str_of(text_of(a, t->kid));
		bool any_sound = false;

		if (t->has_spki || !kid.n)
			continue;
		const size_t at = first_of_kid(rows, n, kid);
		for (size_t r = at; r < n && str_eq(rows[r].kid, kid); r++)
			any_sound |= newest(a, &a->keys[rows[r].key])->has_spki;
		for (size_t r = at; r < n && str_eq(rows[r].kid, kid); r++) {
			const uint8_t *id = a->keys[rows[r].key].id;
			if (any_sound && !newest(a, &a->keys[rows[r].key])->has_spki)
				continue;
			if (t->has_spki && memcmp(t->spki, id, 32) != 0) {
				t->has_spki = false;
				break;
			}
			memcpy(t->spki, id, 32);
			t->has_spki = true;
		}
	}
	free(rows);
	for (size_t i = 0; i < a->token_count; i++) {
		uint32_t d;
		a->counts.tokens_unknown_key += !a->tokens[i].has_spki || !audit_distinct(a, a->tokens[i].spki, &d);
	}
}

/* -- may the key speak for this issuer and tenant? -- */

/* issuer with {tenantid} replaced by tid; or without, as it is */
static bool fits(struct str issuer, struct str iss, struct str tid)
{
	static const struct str hole = STR("{tenantid}");
	const ptrdiff_t at = str_find(issuer, hole);
	struct str rest;

	if (at < 0)
		return str_eq(issuer, iss);
	rest = (struct str){ issuer.p + at + hole.n, issuer.n - (size_t)at - hole.n };
	return tid.n && iss.n == (size_t)at + tid.n + rest.n && memcmp(iss.p, issuer.p, (size_t)at) == 0 &&
	       memcmp(iss.p + at, tid.p, tid.n) == 0 && memcmp(iss.p + at + tid.n, rest.p, rest.n) == 0;
}

/* The older form of the same issuer, for which sets have no issuer members: https://sts.windows.net/{tid}/ */
static bool fits_version_1(struct str issuer, struct str iss, struct str tid)
{
	const struct str form = issuer_is_template(issuer) || str_find_nocase(issuer, tid) >= 0 ? STR("https://sts.windows.net/{tenantid}/")
												 : STR_NONE;

	return tid.n && form.n && str_find_nocase(issuer, STR("://login.microsoftonline.com/")) >= 0 && fits(form, iss, tid);
}

enum scope { SCOPE_UNKNOWN, SCOPE_GOOD, SCOPE_WRONG, SCOPE_OTHER_CLASS };

static enum scope judge_scope(const struct audit *a, const struct key *k, const struct token_seen *t)
{
	const struct str iss = str_of(text_of(a, t->iss)), tid = str_of(text_of(a, t->tid));
	const bool consumer = str_eq_nocase(tid, STR(CONSUMER_TENANT)) || issuer_is_consumer(iss);
	const struct audit_record *r;
	bool any = false;
	size_t from = 0;

	if (!iss.n)
		return SCOPE_UNKNOWN;
	/* two classes in one token: the key that made it speaks for one of them at most */
	if (tid.n && issuer_is_consumer(iss) != str_eq_nocase(tid, STR(CONSUMER_TENANT)) && (issuer_is_consumer(k->issuer) || issuer_is_template(k->issuer)))
		return SCOPE_OTHER_CLASS;
	if (k->issuer.n && issuer_is_consumer(k->issuer) != consumer && (issuer_is_consumer(k->issuer) || issuer_is_template(k->issuer)))
		return SCOPE_OTHER_CLASS;
	while (k->has_spki && (r = audit_record_of(a, k->spki_sha256, &from))) {
		any = true;
		for (size_t i = 0; i < r->issuer_count; i++)
			if (fits(r->issuers[i], iss, tid) && !(consumer && r->template_issuer && r->denies_consumer))
				return SCOPE_GOOD;
	}
	if (any)
		return SCOPE_WRONG;
	if (!k->issuer.n)
		return SCOPE_UNKNOWN;
	return fits(k->issuer, iss, tid) || fits_version_1(k->issuer, iss, tid) ? SCOPE_GOOD : SCOPE_WRONG;
}

/* -- findings: one for each key and code, with a count and the earliest token -- */

enum tally_code { TALLY_SCOPE, TALLY_CLASS, TALLY_IAT, TALLY_REVOKED, TALLY_LIFE, TALLY_OUTLIVES, TALLY_SELF, TALLY_WEAK, TALLY_REPLAY, TALLY_COUNT };

struct tally { uint64_t count; const struct token_seen *first; int64_t worst; };

static int compare_seen(const struct audit *a, const struct token_seen *x, const struct token_seen *y)
{
	int c;

	if (x->iat != y->iat)
		return x->iat < y->iat ? -1 : 1;
	c = strcmp(text_of(a, x->iss), text_of(a, y->iss));
	return c ? c : strcmp(text_of(a, x->tid), text_of(a, y->tid));
}

static void add(const struct audit *a, struct tally *tally, const struct token_seen *t, int64_t how_bad)
{
	tally->count++;
	if (!tally->first || compare_seen(a, t, tally->first) < 0)
		tally->first = t;
	if (how_bad > tally->worst)
		tally->worst = how_bad;
}

/* Can anybody sign with this key?  By place in distinct[]: what the groups before this one found.  NULL: out of memory. */
static bool *find_broken(const struct audit *a)
{
	bool *broken = calloc(a->distinct_count ? a->distinct_count : 1, sizeof(*broken));
	uint32_t d;

	for (size_t i = 0; broken && i < a->finding_count; i++) {
		const struct finding *f = a->findings[i];
		const bool weak = f->code >= FINDING_WEAK_SIZE && f->code <= FINDING_WEAK_CURVE;

		if (f->key && f->severity == SEVERITY_CRITICAL_FINDING && (weak || f->code == FINDING_SHAPE_PRIVATE) && audit_distinct(a, f->key->id, &d))
			broken[d] = true;
	}
	return broken;
}

static void judge_token(const struct audit *a, const struct key *k, bool broken, const struct token_seen *t, struct tally *rows)
{
	const enum scope scope = judge_scope(a, k, t);
	const struct audit_record *r;
	int64_t cap = LIFE_CAP_S, begin = 0, end = INT64_MAX, record_begin, record_end;
	bool revoked = a->settings.denied && a->settings.denied(k, a->settings.denied_arg);
	size_t from = 0;

	while (k->has_spki && (r = audit_record_of(a, k->spki_sha256, &from))) {
		record_begin = r->not_before / US_PER_SECOND;
		record_end = r->not_after ? r->not_after / US_PER_SECOND : INT64_MAX;
		begin = record_begin > begin ? record_begin : begin;
		end = record_end < end ? record_end : end;
		if (r->max_token_life)
			cap = r->max_token_life / US_PER_SECOND;
		revoked |= r->revoked && t->iat >= r->since / US_PER_SECOND;
	}
	if (k->cert.present && k->cert.dates_known) {
		if (k->cert.not_before_us / US_PER_SECOND > begin)
			begin = k->cert.not_before_us / US_PER_SECOND;
		if (k->cert.not_after_us / US_PER_SECOND < end)
			end = k->cert.not_after_us / US_PER_SECOND;
	}
	if (scope == SCOPE_WRONG)
		add(a, &rows[TALLY_SCOPE], t, 0);
	if (scope == SCOPE_OTHER_CLASS)
		add(a, &rows[TALLY_CLASS], t, 0);
	if (t->iat && (t->iat < begin - SKEW_S || t->iat > end))
		add(a, &rows[TALLY_IAT], t, 0);
	if (revoked)
		add(a, &rows[TALLY_REVOKED], t, 0);
	if (broken)
		add(a, &rows[TALLY_WEAK], t, 0);
	if (t->iat && t->exp && t->exp - t->iat > cap)
		add(a, &rows[TALLY_LIFE], t, t->exp - t->iat);
	if (t->subject_exp && t->exp > t->subject_exp)
		add(a, &rows[TALLY_OUTLIVES], t, t->exp - t->subject_exp);
	if (t->self_issued)
		add(a, &rows[TALLY_SELF], t, 0);
}

static void report(struct audit *a, const struct history_key *k, const struct tally *rows)
{
	static const struct {
		enum finding_code code;
		enum finding_severity severity;
		const char *what;
	} forms[TALLY_COUNT] = {
		[TALLY_SCOPE] = { FINDING_TOK_SCOPE, SEVERITY_FINDING, "for an issuer that the key is not for" },
		[TALLY_CLASS] = { FINDING_TOK_SCOPE, SEVERITY_CRITICAL_FINDING, "across the line between consumers and enterprises" },
		[TALLY_IAT] = { FINDING_TOK_IAT, SEVERITY_FINDING, "issued outside the life of the certificate or record" },
		[TALLY_REVOKED] = { FINDING_TOK_REVOKED, SEVERITY_CRITICAL_FINDING, "signed with a key that is denied or revoked" },
		[TALLY_LIFE] = { FINDING_TOK_LIFE, SEVERITY_FINDING, "longer than the cap" },
		[TALLY_OUTLIVES] = { FINDING_TOK_OUTLIVES, SEVERITY_FINDING, "outliving the token it was exchanged for" },
		[TALLY_SELF] = { FINDING_TOK_SELF, SEVERITY_CRITICAL_FINDING, "exchanged for a token of the same service" },
		[TALLY_WEAK] = { FINDING_TOK_WEAK, SEVERITY_CRITICAL_FINDING, "signed with a key that others can sign with" },
		[TALLY_REPLAY] = { FINDING_TOK_REPLAY, SEVERITY_FINDING, "used from two networks" },
	};

	for (size_t i = 0; i < TALLY_COUNT; i++) {
		const struct token_seen *t = rows[i].first;
		char time[TIME_TEXT_SIZE] = "at an unknown time", span[TIME_TEXT_SIZE], worst[64] = "";

		if (!rows[i].count)
			continue;
		if (t->iat)
			time_format(t->iat * US_PER_SECOND, time);
		if (rows[i].worst)
			snprintf(worst, sizeof(worst), ", at worst %s", time_format_span(rows[i].worst * US_PER_SECOND, span));
		finding_add(a, forms[i].code, forms[i].severity, k, k ? k->provider : UINT32_MAX, t->iat * US_PER_SECOND,
			    "%llu token%s %s; the first %s%s%s%s%s%s", (unsigned long long)rows[i].count, rows[i].count == 1 ? "" : "s",
			    forms[i].what, time, t->iss ? ", issuer " : "", text_of(a, t->iss), t->tid ? ", tenant " : "",
			    text_of(a, t->tid), worst);
	}
}

static int compare_ids(const void *pa, const void *pb, void *arg)
{
	const struct token_seen *a = *(const struct token_seen *const *)pa, *b = *(const struct token_seen *const *)pb;
	int c = (a->id > b->id) - (a->id < b->id);

	c = c ? c : (a->net > b->net) - (a->net < b->net);
	return c ? c : compare_seen(arg, a, b);
}

/* Tokens with one id that came from more than one network. */
static void find_replays(struct audit *a, struct tally *tallies, struct tally *unknown)
{
	const struct token_seen **sorted = malloc((a->token_count ? a->token_count : 1) * sizeof(*sorted));
	size_t n = 0;

	for (size_t i = 0; i < a->token_count && sorted; i++)
		if (a->tokens[i].id && a->tokens[i].net)
			sorted[n++] = &a->tokens[i];
	if (n) {
		qsort_r(sorted, n, sizeof(*sorted), compare_ids, a);
	}
	for (size_t i = 0, to; i < n; i = to) {
		uint32_t d;
		for (to = i + 1; to < n && sorted[to]->id == sorted[i]->id;)
			to++;
		if (sorted[to - 1]->net == sorted[i]->net)
			continue;
		if (sorted[i]->has_spki && audit_distinct(a, sorted[i]->spki, &d))
			add(a, &tallies[(size_t)d * TALLY_COUNT + TALLY_REPLAY], sorted[i], 0);
		else
			add(a, &unknown[TALLY_REPLAY], sorted[i], 0);
	}
	a->failed |= !sorted;
	free(sorted);
}

void audit_tok(struct audit *a)
{
	struct tally *tallies, unknown[TALLY_COUNT] = { 0 };
	bool *broken;

	if (!a->token_count)
		return;
	tallies = calloc((size_t)(a->distinct_count ? a->distinct_count : 1) * TALLY_COUNT, sizeof(*tallies));
	broken = find_broken(a);
	if (!tallies || !broken) {
		a->failed = true;
		free(tallies);
		free(broken);
		return;
	}
	for (size_t i = 0; i < a->token_count; i++) {
		const struct token_seen *t = &a->tokens[i];
		uint32_t d;

		if (t->iat * US_PER_SECOND > a->at)
			continue;
		if (t->has_spki && audit_distinct(a, t->spki, &d))
			judge_token(a, newest(a, &a->keys[a->distinct[d]]), broken[d], t, tallies + (size_t)d * TALLY_COUNT);
	}
	find_replays(a, tallies, unknown);
	for (uint32_t d = 0; d < a->distinct_count; d++)
		report(a, &a->keys[a->distinct[d]], tallies + (size_t)d * TALLY_COUNT);
	report(a, NULL, unknown);
	free(tallies);
	free(broken);
}
