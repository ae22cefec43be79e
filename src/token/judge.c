/* SPDX-License-Identifier: Apache-2.0 */
/* judge: the steps, in order.
 *
 *   form, JSON, header -> record -> signature -> life of the key -> issuer, tenant, version, audience -> time, caller, replay
 *
 * The record is chosen by (issuer, key id): a key id alone identifies no issuer.  If no record fits, the token is tried against
 * the records and keys of that key id whose scope is another one: a signature that is genuine there is no misconfigured
 * client: somebody else has the key, and the verdict is critical.  That is the case this program is named for.
 *
 * The expected values are in the record only; the header never selects anything. */
#include "token/judge.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/b64url.h"
#include "keys/registry.h"
#include "base/hash.h"
#include "base/table.h"
#include "base/timefmt.h"
#include "token/kind.h"

#define CAE_LIFE_MAX_S (29 * 3600)
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

/* texts of the token in a sentence: at most 100 bytes of each */
#define CUT(s) ((int)((s).n > 100 ? 100 : (s).n)), ((s).p ? (s).p : "")

static const char *date(int64_t us, char out[TIME_TEXT_SIZE])
{
	return us >= INT64_C(253402300800) * US_PER_SECOND || us < -INT64_C(62135596800) * US_PER_SECOND ? "an impossible date"
														 : time_format(us, out);
}

/* -- replays -- */

struct replay_store {
	pthread_mutex_t lock;
	struct table seen; /* hash of (issuer, id) -> when it expires */
};

struct replay_store *replay_store_new(void)
{
	struct replay_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	table_init(&s->seen, sizeof(int64_t), TOKEN_REPLAY_MAX);
	return s;
}

void replay_store_free(struct replay_store *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	table_release(&s->seen);
	free(s);
}

static bool not_expired(const void *value, uint64_t key, void *arg)
{
	int64_t exp;

	(void)key;
	memcpy(&exp, value, sizeof(exp));
	return exp > *(const int64_t *)arg;
}

enum replay { REPLAY_NEW, REPLAY_SEEN, REPLAY_FULL };

static enum replay replay_take(struct replay_store *s, uint64_t id, int64_t exp, int64_t now)
{
	enum replay r = REPLAY_NEW;
	bool is_new = false;
	void *slot;

	pthread_mutex_lock(&s->lock);
	slot = table_put(&s->seen, id, &is_new);
	if (!slot) {
		table_keep_if(&s->seen, not_expired, &now);
		slot = table_put(&s->seen, id, &is_new);
	}
	if (!slot)
		r = REPLAY_FULL;
	else if (!is_new)
		r = REPLAY_SEEN;
	else
		memcpy(slot, &exp, sizeof(exp));
	pthread_mutex_unlock(&s->lock);
	return r;
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

/* As check_tenant(). */
static bool check_claims(struct judge *j)
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
			forbidden = check_claims(j);
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
