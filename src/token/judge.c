/* SPDX-License-Identifier: Apache-2.0 */
/* judge: the steps, in order.
 *
 *   form, JSON, header -> record -> signature -> life of the key -> issuer, tenant, version, audience -> time, caller, replay
 *
 * The record is chosen by (issuer, key id): a key id alone identifies no issuer.  If no record fits, the token is tried against
 * the records and keys of that key id whose scope is another one: a signature that is genuine there is no misconfigured
 * client: an outsider has the key, and the verdict is critical.  That is the case this program is named for.
 *
 * The expected values are in the record only; the header never selects anything.  The steps from the life of the key on are in
 * judge_claims.c. */
#include "token/judge_int.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/b64url.h"
#include "keys/registry.h"

#define WEAKNESSES_KNOWN (UINT64_C(1) << 63)
_Static_assert(KEY_FAULT_COUNT < 63, "faults and WEAKNESSES_KNOWN share a word");

const struct reason_row reason_rows[REASON_COUNT] = {
#define REASON(name, code, text) [REASON_##name] = { code, text },
#include "token/reason_names.h"
#undef REASON
};

/* -- the list of reasons -- */

__attribute__((format(printf, 3, 4)))
void judge_refuse(struct judge *j, enum token_reason r, const char *format, ...)
{
	struct verdict *v = &j->verdict;
	const size_t room = sizeof(j->text) - j->text_n;
	va_list ap;
	int n;

	v->seen |= UINT64_C(1) << r;
	if (v->n == VERDICT_REASONS_MAX)
		return;
	v->reason[v->n].code = r;
	v->reason[v->n++].text = room > 1 ? j->text + j->text_n : "";
	if (room <= 1)
		return;
	va_start(ap, format);
	n = vsnprintf(j->text + j->text_n, room, format, ap);
	va_end(ap);
	j->text_n += n < 0 ? 0 : (size_t)n < room ? (size_t)n + 1 : room;
}

void judge_finish(struct judge *j)
{
	struct verdict *v = &j->verdict;

	for (unsigned i = 1; i < v->n; i++) { /* a few, and nearly sorted */
		const struct verdict_reason r = v->reason[i];
		unsigned k = i;
		for (; k > 0 && v->reason[k - 1].code > r.code; k--)
			v->reason[k] = v->reason[k - 1];
		v->reason[k] = r;
	}
	v->valid = !v->n;
}

int verdict_status(const struct verdict *v)
{
	return v->critical ? 4 : v->cannot_say ? 3 : v->valid ? 0 : 1;
}

/* -- making -- */

struct judge *judge_new(const struct policy *p, struct replay_store *replay)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->policy = p;
	j->replay = replay;
	j->in_line = 1;
	/* both in any case: release must find them initialised */
	const bool token = token_init(&j->token), verifier = sign_verifier_init(&j->verifier, p->n + p->known_n);
	j->weaknesses = calloc(p->n + p->known_n + 1, sizeof(*j->weaknesses));
	if (token && verifier && j->weaknesses)
		return j;
	judge_free(j);
	return NULL;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	token_release(&j->token);
	sign_verifier_release(&j->verifier);
	free(j->weaknesses);
	free(j);
}

/* -- 1, 2: form and JSON -- */

static void on_problem(void *arg, enum token_problem what, const char *text)
{
	static const enum token_reason reasons[] = {
		[TOKEN_FORM] = REASON_FORM, [TOKEN_JWE] = REASON_JWE, [TOKEN_B64] = REASON_B64, [TOKEN_JSON] = REASON_JSON,
		[TOKEN_DUP] = REASON_DUP,
	};
	judge_refuse(arg, reasons[what], "%s", text);
}

/* -- 3: header -- */

static void check_header(struct judge *j)
{
	const struct sj_node *const *h = j->token.header;
	struct verdict *v = &j->verdict;
	static const enum token_header forbidden[] = { HDR_CRIT, HDR_B64, HDR_ZIP, HDR_ENC, HDR_JWK, HDR_JKU, HDR_X5U, HDR_X5C };

	v->alg = node_text(h[HDR_ALG]);
	v->kid = node_text(h[HDR_KID]);
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (h[forbidden[i]])
			judge_refuse(j, REASON_HDR, "the header has '%s': a token does not choose its rules, keys or places",
				     token_header_names[forbidden[i]]);
	if (h[HDR_KID] && (h[HDR_KID]->kind != SJ_STRING || !v->kid.n || v->kid.n > 256))
		judge_refuse(j, REASON_HDR, "'kid' is no text of 1 to 256 bytes");
	else if (!h[HDR_KID] && !v->jws_only)
		judge_refuse(j, REASON_HDR, "no 'kid': the token does not say which key it means");
	if (!h[HDR_ALG] || h[HDR_ALG]->kind != SJ_STRING)
		judge_refuse(j, REASON_ALG, h[HDR_ALG] ? "'alg' is no text" : "no 'alg'");
}

/* A thumbprint in base64url, or in hexadecimal, as many tools write it. */
static bool read_hash(struct str text, uint8_t *ret, size_t want)
{
	size_t n = 0;

	if (text.n != 2 * want)
		return text.n && b64url_decode(text, ret, want, &n) == B64_OK && n == want;
	for (size_t i = 0; i < want; i++) {
		const int high = OPENSSL_hexchar2int((unsigned char)text.p[2 * i]), low = OPENSSL_hexchar2int((unsigned char)text.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* The part of the header that depends on the record. */
static void check_header_by_record(struct judge *j, const struct key_record *r)
{
	const struct sj_node *const *h = j->token.header;
	const struct str typ = node_text(h[HDR_TYP]);
	uint8_t hash[32], own[32];
	unsigned form = TYP_ABSENT;

	if (h[HDR_TYP]) {
		const struct str t = str_starts_nocase(typ, STR("application/")) ? (struct str){ typ.p + 12, typ.n - 12 } : typ;
		form = str_eq_nocase(typ, STR("JWT")) ? TYP_JWT : str_eq_nocase(t, STR("at+jwt")) ? TYP_AT_JWT
		     : str_eq_nocase(t, STR("logout+jwt")) ? TYP_LOGOUT : str_eq_nocase(typ, STR("JOSE")) ? TYP_JOSE : 0;
	}
	if (!h[HDR_TYP] && !(r->typ & form) && !j->verdict.jws_only)
		judge_refuse(j, REASON_HDR, "no 'typ', and the record wants one");
	else if (!(r->typ & form) && !j->verdict.jws_only)
		judge_refuse(j, REASON_HDR, "typ '%.*s' is not one the record allows%s", CUT(typ), form == TYP_LOGOUT ? ": kind: logout takes it" : form == TYP_JOSE ? ": typ: [JWT, JOSE] takes it" : "");
	for (int i = 0; i < 2; i++) {
		const struct sj_node *x = h[i ? HDR_X5T256 : HDR_X5T];
		const size_t want = i ? 32 : 20;
		if (!x)
			continue;
		if (x->kind != SJ_STRING || !read_hash(x->value, hash, want))
			judge_refuse(j, REASON_HDR, "'%s' is no hash", i ? "x5t#S256" : "x5t");
		else if (r->key && r->key->cert.present && memcmp(hash, i ? r->key->cert.sha256 : r->key->cert.sha1, want) != 0)
			judge_refuse(j, REASON_HDR, "'%s' is not the hash of the key's certificate", i ? "x5t#S256" : "x5t");
		else if (r->key && !r->key->cert.present && !j->verdict.jws_only &&
			 !(read_hash(i ? r->key->x5t256 : r->key->x5t, own, want) && memcmp(hash, own, want) == 0))
			judge_refuse(j, REASON_HDR, "'%s' names a certificate, and the key has none", i ? "x5t#S256" : "x5t");
	}
}

/* -- 4: the record -- */

static bool fits(const struct judge *j, const struct key_record *r)
{
	const struct str iss = j->verdict.issuer;

	if (r->issuers_none)
		return j->token.has_claims && !j->token.claim[CLAIM_ISS];
	for (uint32_t i = 0; i < r->issuer_n; i++)
		if (issuer_rule_fits(&r->issuers[i], iss))
			return true;
	return false;
}

static uint32_t slot_of(const struct judge *j, const struct key_record *r)
{
	const struct policy *p = j->policy;

	return r >= p->records && r < p->records + p->n ? (uint32_t)(r - p->records) : p->n + (uint32_t)(r - p->known);
}

/* The algorithm a signature by that record's key is checked with.  A key without a record and without an algorithm of its
 * own is only ever looked at for diagnosis, or for --jws-only: there the kind of key binds it. */
static enum jws_alg algorithm_of(const struct judge *j, const struct key_record *r)
{
	const enum jws_alg wanted = j->verdict.alg.p ? alg_parse(j->verdict.alg) : JWS_ALG_UNKNOWN;

	if (r->alg != JWS_ALG_ABSENT || !r->key)
		return r->alg;
	return alg_fits(wanted, r->key->kind, r->key->curve) ? wanted : JWS_ALG_UNKNOWN;
}

static enum sign_result check_by(struct judge *j, const struct key_record *r)
{
	const struct token *t = &j->token;

	return sign_check(&j->verifier, slot_of(j, r), r->key, algorithm_of(j, r), t->signing_input,
			  (struct str){ (const char *)t->bytes[PART_SIGNATURE], t->n[PART_SIGNATURE] });
}

static bool can_check(const struct judge *j, const struct key_record *r)
{
	return r->key && j->token.decoded[PART_SIGNATURE];
}

/* Is a key of the same id, which is not for this issuer, the one that signed? */
static const struct key_record *find_forger(struct judge *j, const struct key_record *own)
{
	const struct policy *p = j->policy;
	const struct str iss = j->verdict.issuer;
	unsigned tried = 0;

	if (!iss.p)
		return NULL;
	for (const struct key_record *r = policy_record(p, own->kid); r && tried < TOKEN_FOREIGN_MAX; r = policy_record_next(p, r, own->kid)) {
		bool own_issuer = fits(j, r) || r->key == own->key;
		for (uint32_t i = 0; i < r->issuer_n; i++)
			own_issuer |= issuer_rule_other_form(&r->issuers[i], iss);
		if (own_issuer || !can_check(j, r))
			continue;
		tried++;
		if (check_by(j, r) == SIGN_GOOD)
			return r;
	}
	for (const struct key_record *r = policy_known(p, own->kid); r && tried < 2 * TOKEN_FOREIGN_MAX; r = policy_known_next(p, r, own->kid)) {
		if (r->key == own->key || !r->set_issuer.text.p || issuer_rule_fits(&r->set_issuer, iss) || issuer_rule_other_form(&r->set_issuer, iss) ||
		    !can_check(j, r))
			continue;
		tried++;
		if (check_by(j, r) == SIGN_GOOD)
			return r;
	}
	return NULL;
}

/* No record lets this key sign for that issuer: is it known under another scope, and is the signature genuine there? */
static void look_for_foreign(struct judge *j)
{
	struct verdict *v = &j->verdict;
	const struct policy *p = j->policy;
	unsigned tried = 0;

	for (const struct key_record *r = policy_record(p, v->kid); r && tried < TOKEN_FOREIGN_MAX; r = policy_record_next(p, r, v->kid)) {
		tried++;
		if (!v->record) {
			v->record = r;
			v->scoped = true;
		}
		if (can_check(j, r) && check_by(j, r) == SIGN_GOOD) {
			v->record = r;
			v->scoped = true;
			return;
		}
	}
	for (const struct key_record *r = policy_known(p, v->kid); r && tried < 2 * TOKEN_FOREIGN_MAX; r = policy_known_next(p, r, v->kid)) {
		tried++;
		if (!v->record)
			v->record = r;
		if (can_check(j, r) && check_by(j, r) == SIGN_GOOD) {
			v->record = r;
			v->scoped = false;
			return;
		}
	}
}

/* One key, listed alike: also if two sets list it, or one set was read twice. */
static bool is_same_key(const struct key_record *a, const struct key_record *b)
{
	const struct key *x = a->key, *y = b->key;

	return x && (x == y || (y && x->has_spki && y->has_spki && memcmp(x->spki_sha256, y->spki_sha256, 32) == 0 && x->alg == y->alg && x->faults == y->faults));
}

/* Does the token name one of the record's audiences? */
static bool is_for_audience(const struct judge *j, const struct key_record *r)
{
	const struct sj_node *aud = j->token.claim[CLAIM_AUD];

	if (!aud)
		return r->audiences_none;
	if (aud->kind != SJ_ARRAY)
		return text_list_has(&r->audiences, node_text(aud)) || text_list_has(&r->cae_audiences, node_text(aud));
	for (const struct sj_node *n = sj_first(&j->token.json[PART_CLAIMS], aud); n; n = sj_next(&j->token.json[PART_CLAIMS], n))
		if (text_list_has(&r->audiences, node_text(n)))
			return true;
	return false;
}

static void find_record(struct judge *j)
{
	struct verdict *v = &j->verdict;
	const struct policy *p = j->policy;
	const struct key_record *by_audience = NULL;
	unsigned same = 0, audiences = 0;

	for (const struct key_record *r = policy_record(p, v->kid); r; r = policy_record_next(p, r, v->kid))
		if (v->jws_only || fits(j, r)) {
			if (!v->candidates++)
				v->record = r;
			same += is_same_key(r, v->record);
			if (v->candidates > 1 && !audiences && is_for_audience(j, v->record)) {
				by_audience = v->record;
				audiences = 1;
			}
			if (v->candidates > 1 && is_for_audience(j, r)) {
				by_audience = r;
				audiences++;
			}
		}
	/* several roles of one key, each for other audiences: that is no guess about the key */
	if (v->candidates > 1 && same == v->candidates && (audiences <= 1 || v->jws_only)) {
		v->record = audiences && !v->jws_only ? by_audience : v->record;
		v->candidates = 1;
	}
	v->scoped = v->candidates > 0;
	if (v->candidates > 1)
		judge_refuse(j, REASON_KEY_AMBIGUOUS, "%u records of key id '%.*s' fit; which key is meant must not be a guess", v->candidates,
			     CUT(v->kid));
	if (v->candidates)
		return;
	if (!v->jws_only)
		look_for_foreign(j);
	if (!v->record)
		judge_refuse(j, REASON_KEY_NONE, "no record and no key set knows key id '%.*s'", CUT(v->kid));
	else if (v->jws_only)
		judge_refuse(j, REASON_KEY_NONE, "no key of key id '%.*s'", CUT(v->kid));
	else if (!p->path)
		judge_refuse(j, REASON_KEY_NONE, "no policy: key id '%.*s' is in a key set, but nothing says whom it may speak for, and to "
			     "whom", CUT(v->kid));
	else if (!v->issuer.p)
		judge_refuse(j, REASON_KEY_NONE, "the token names no issuer, so no record fits");
	else
		judge_refuse(j, REASON_KEY_NONE, "key id '%.*s' is known, but no record lets it speak for issuer '%.*s'", CUT(v->kid),
			     CUT(v->issuer));
}

/* --jws-only: a token without key id means the only key there is, if that has none either. */
static void find_only_key(struct judge *j)
{
	const struct policy *p = j->policy;
	bool only = p->n > 0;

	for (uint32_t i = 0; i < p->n; i++)
		only &= !p->records[i].kid.p && (!i || is_same_key(&p->records[i], &p->records[0]));
	if (only) {
		j->verdict.record = &p->records[0];
		j->verdict.scoped = true;
		j->verdict.candidates = 1;
	} else {
		judge_refuse(j, REASON_HDR, "no 'kid', and not exactly one key without an id to take for it");
	}
}

/* EdDSA and, since RFC 9864, the name of its curve are one algorithm for a key of that curve. */
static bool is_same_alg(enum jws_alg a, enum jws_alg b, const struct key *k)
{
	const enum jws_alg full = k->curve == CURVE_ED25519 ? JWS_ED25519 : JWS_ED448;

	if (a <= JWS_ALG_UNKNOWN || b <= JWS_ALG_UNKNOWN)
		return false;
	return a == b || (k->kind == KEY_OKP && (a == JWS_EDDSA || a == full) && (b == JWS_EDDSA || b == full));
}

/* The faults of a record's key in the order of its members. */
static void take_faults(struct judge *j, const struct key_record *r)
{
	const struct key *k = r->key;
	uint64_t *known = &j->weaknesses[slot_of(j, r)];

	if (k->untested && !*known)
		*known = key_weaknesses(k) | WEAKNESSES_KNOWN;
	for (unsigned i = 0; i <= k->fault_n; i++) {
		if (k->untested && i == k->untested_at)
			for (uint64_t w = *known & ~WEAKNESSES_KNOWN; w; w &= w - 1)
				j->fault[j->fault_n++] = (struct key_fault){ (enum key_fault_code)__builtin_ctzll(w), "n" };
		if (i < k->fault_n)
			j->fault[j->fault_n++] = k->fault[i];
	}
}

static void check_key(struct judge *j, const struct key_record *r)
{
	const struct verdict *v = &j->verdict;
	const struct key *k = r->key;
	const enum jws_alg wanted = v->alg.p ? alg_parse(v->alg) : JWS_ALG_UNKNOWN;

	if (!k) {
		judge_refuse(j, REASON_KEY_NONE, "the record of key id '%.*s' names a key that is in no set", CUT(v->kid));
		return;
	}
	take_faults(j, r);
	for (unsigned i = 0; i < j->fault_n; i++) {
		const struct key_fault *f = &j->fault[i];
		const bool is_svid = f->code == KEY_FAULT_USE && str_eq(k->use, STR("jwt-svid"));
		const bool excused = (f->code == KEY_FAULT_PRIVATE && (v->jws_only || (k->kind == KEY_OCT && r->symmetric))) || (is_svid && r->svid);
		if (is_svid && !r->svid)
			judge_refuse(j, REASON_KEY_BAD, "the key's use is 'jwt-svid' (SPIFFE); a record takes it with use: jwt-svid");
		else if (key_fault_rows[f->code].refused && !excused)
			judge_refuse(j, REASON_KEY_BAD, "the key %s%s%s", key_fault_rows[f->code].text, f->member[0] ? ": " : "", f->member);
	}
	if (k->fault_n == KEY_FAULTS_SHOWN && !verdict_has(v, REASON_KEY_BAD) && !(k->kind == KEY_OCT ? key_usable_symmetric(k) : key_usable(k)))
		judge_refuse(j, REASON_KEY_BAD, "the key has more faults than are listed");
	if (k->kind == KEY_OCT && !r->symmetric)
		judge_refuse(j, REASON_KEY_BAD, "the key is symmetric, which the record does not allow");
	if (k->kind == KEY_OCT && k->bits < alg_rows[algorithm_of(j, r)].hash_bits && !key_has(k, KEY_FAULT_OCT_SHORT))
		judge_refuse(j, REASON_KEY_BAD, "the key is shorter than its hash");
	if (!v->alg.p)
		return; /* reported */
	if (wanted == JWS_ALG_UNKNOWN && registry_alg(v->alg))
		judge_refuse(j, REASON_ALG, "the token says alg '%.*s', which %s and not supported: %s", CUT(v->alg), registry_alg(v->alg)->standing,
			     registry_alg(v->alg)->text);
	else if (!is_same_alg(algorithm_of(j, r), wanted, k))
		judge_refuse(j, REASON_ALG, "the token says alg '%.*s', the %s '%s'", CUT(v->alg), r->line ? "record" : "key",
			     r->alg > JWS_ALG_UNKNOWN ? alg_rows[r->alg].name : k->alg_text.p ? k->alg_text.p : key_kind_name(k->kind));
	else if (k->alg != JWS_ALG_ABSENT && !is_same_alg(k->alg, wanted, k))
		judge_refuse(j, REASON_ALG, "the record says alg '%s', the key itself '%.*s'", alg_rows[r->alg].name, CUT(k->alg_text));
}

/* -- 5: the signature -- */

/* Microsoft's own APIs (Graph) get tokens whose signature only Microsoft can check: the header has a nonce. */
static bool is_private_form(const struct judge *j)
{
	static const char *const audiences[] = {
		"00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com", "https://graph.microsoft.com/",
		"00000002-0000-0000-c000-000000000000", "https://graph.windows.net", "https://graph.windows.net/",
	};
	if (!j->token.header[HDR_NONCE])
		return false;
	for (size_t i = 0; i < sizeof(audiences) / sizeof(audiences[0]); i++)
		if (str_eq(j->verdict.audience, str_of(audiences[i])))
			return true;
	return false;
}

static void check_signature(struct judge *j, const struct key_record *r)
{
	struct verdict *v = &j->verdict;
	const enum jws_alg alg = algorithm_of(j, r);

	if (!can_check(j, r))
		return; /* reported */
	v->signature_checked = true;
	switch (check_by(j, r)) {
	case SIGN_GOOD:
		v->signature_good = true;
		break;
	case SIGN_LENGTH:
		judge_refuse(j, REASON_SIG, "the signature has %zu bytes, which no %s signature of this key has", j->token.n[PART_SIGNATURE],
			     alg_rows[alg].name);
		break;
	case SIGN_DER:
		judge_refuse(j, REASON_SIG, "the signature is genuine, but it is DER (%zu bytes), as X.509 and key services (KMS, HSM) write it; "
			     "a JWS wants r and s as %zu bytes", j->token.n[PART_SIGNATURE], 2 * (size_t)key_curve_bytes(r->key->curve));
		break;
	case SIGN_BAD:
		if (is_private_form(j)) {
			v->cannot_say = true;
			judge_refuse(j, REASON_CANNOT_SAY, "a token for an API of Microsoft's with a nonce in its header: only that API can check "
				     "its signature");
		} else {
			judge_refuse(j, REASON_SIG, "the signature is not one of this key over this text");
		}
		break;
	case SIGN_IMPOSSIBLE:
		if (verdict_has(v, REASON_KEY_BAD) && !r->key->pkey && r->key->kind != KEY_OCT)
			break; /* there is no key to check it with, and the reason was reported */
		judge_refuse(j, REASON_SIG, "the signature cannot be checked with this key and algorithm");
	}
}

/* -- all of it -- */

static void take_claims(struct judge *j)
{
	struct verdict *v = &j->verdict;
	const struct sj_node *const *c = j->token.claim;
	const struct sj_node *aud = c[CLAIM_AUD];

	v->issuer = node_text(c[CLAIM_ISS]);
	v->tenant = node_text(c[CLAIM_TID]);
	if (aud && aud->kind == SJ_ARRAY && aud->children == 1)
		aud = sj_first(&j->token.json[PART_CLAIMS], aud);
	v->audience = node_text(aud);
}

/* A genuine signature outside what the key may sign, or while it may not sign at all: its author has the key. */
static void judge_severity(struct judge *j, bool forbidden_tenant)
{
	struct verdict *v = &j->verdict;
	const struct key_record *r = v->record;
	const bool outside = j->token.has_claims && (v->foreign || forbidden_tenant);
	/* an undated key is not known to be too old, nor one for which the record names no age; and a key that was never activated is a forgotten setting */
	const bool dead = verdict_has(v, REASON_KEY_EXPIRED) || verdict_has(v, REASON_KEY_IAT) ||
			  (verdict_has(v, REASON_KEY_AGE) && r->first_us != TIME_UNKNOWN && r->max_age_said) ||
			  (verdict_has(v, REASON_STATE) && r->state != STATE_PENDING);

	if (v->signature_good && outside)
		judge_refuse(j, REASON_FORGED_SCOPE, "the signature is genuine, but the key may not say this: its holder forged the scope");
	if (v->signature_good && (outside || dead))
		v->critical = true;
	/* a stolen key can still be named by a token */
	if (r->denied || r->state == STATE_DENIED || (v->signature_good && (r->state == STATE_REVOKED || r->state == STATE_LEAKED)))
		v->critical = true;
}

const struct verdict *judge_token(struct judge *j, struct str token, int64_t now_s)
{
	struct verdict *v = &j->verdict;
	bool forbidden = false;

	/* entries past v->n are never read, so the list of reasons is not cleared */
	v->valid = v->critical = v->cannot_say = v->foreign = v->scoped = v->signature_checked = v->signature_good = v->has_sha256 = false;
	v->seen = 0;
	v->n = v->candidates = v->chain = 0;
	v->record = NULL;
	v->kid = v->alg = v->issuer = v->tenant = v->audience = STR_NONE;
	v->jws_only = j->policy->jws_only;
	j->text_n = 0;
	j->fault_n = 0;
	j->now_s = now_s;
	sign_forget(&j->verifier);
	token_parse(&j->token, token, !v->jws_only, on_problem, j);
	if (j->token.has_header) {
		check_header(j);
		take_claims(j);
		if (v->kid.p)
			find_record(j);
		else if (v->jws_only && !j->token.header[HDR_KID])
			find_only_key(j);
	} else if (j->token.has_claims) {
		take_claims(j);
	}
	if (v->record) {
		check_header_by_record(j, v->record);
		check_key(j, v->record);
		check_signature(j, v->record);
		if (j->token.has_claims)
			forbidden = judge_claims(j);
		else if (v->record->denied) /* also where only the signature is checked */
			judge_refuse(j, REASON_DENIED, "the key is on the deny list: %s", v->record->denied);
		judge_severity(j, forbidden);
		if (v->candidates && v->signature_checked && !v->signature_good && !v->jws_only) {
			const struct key_record *forger = find_forger(j, v->record);
			if (forger) {
				const struct issuer_rule *rule = forger->issuer_n ? &forger->issuers[0] : &forger->set_issuer;
				judge_refuse(j, REASON_FORGED_SCOPE, "the signature is genuine, by another key of this id, which speaks for '%.*s': its holder forged the "
					     "scope", CUT(rule->text));
				v->critical = true;
			}
		}
	}
	judge_finish(j);
	/* a token without a record that fits is never accepted, even if the list of reasons is empty */
	if (v->valid && !(v->signature_good && v->scoped && v->candidates == 1))
		judge_refuse(j, REASON_SIG, "the signature was not checked");
	judge_finish(j);
	return v;
}
