/* SPDX-License-Identifier: Apache-2.0 */
/* token: three segments, their bytes, two JSON objects, and the places of the known members.
 *
 * An error in one segment does not keep the others from being looked at: a report of all faults at once is
 * better than one that stops at the first. */
#include "token/token.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/b64url.h"

const char *const token_header_names[HDR_COUNT] = {
	"alg", "kid", "typ", "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "nonce",
};

const char *const token_claim_names[CLAIM_COUNT] = {
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "tid", "oid", "ver", "azp", "appid", "scp", "roles", "idtyp", "uti", "sid",
	"amr", "auth_time", "azpacr", "appidacr", "upn", "preferred_username", "nonce", "at_hash", "c_hash", "s_hash", "scope", "permissions",
	"client_id", "cid", "gty", "token_use", "typ", "events", "cnf",
};

/* for which a member that differs in case only is a duplicate too */
static const char *const registered[] = {
	"alg", "kid", "typ", "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "nonce", "iss", "sub", "aud",
	"exp", "nbf", "iat", "jti", "tid", "oid", "ver", "azp", "appid", "scp", "roles", "idtyp", "uti", "sid", "amr", "auth_time",
	"azpacr", "appidacr", "upn", "preferred_username", "at_hash", "c_hash", "s_hash", "scope", "permissions", "client_id", "cid", "gty",
	"token_use", "events", "cnf", NULL
};

static const struct sj_limits limits = {
	.bytes = TOKEN_BYTES_MAX, .depth = SJ_DEPTH_MAX, .object_members = KEYS_MEMBERS_MAX, .nodes = TOKEN_NODES_MAX,
};

bool token_init(struct token *t)
{
	bool ok = true;

	*t = (struct token){ 0 };
	for (int i = 0; i < PART_COUNT; i++) {
		t->bytes[i] = malloc(TOKEN_BYTES_MAX);
		ok = ok && t->bytes[i];
	}
	sj_init(&t->json[PART_HEADER], &limits, registered);
	sj_init(&t->json[PART_CLAIMS], &limits, registered);
	return ok;
}

void token_release(struct token *t)
{
	for (int i = 0; i < PART_COUNT; i++)
		free(t->bytes[i]);
	sj_release(&t->json[PART_HEADER]);
	sj_release(&t->json[PART_CLAIMS]);
}

struct report {
	token_problem_fn *problem;
	void *arg;
};

__attribute__((format(printf, 3, 4)))
static void say(const struct report *r, enum token_problem what, const char *format, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	r->problem(r->arg, what, text);
}

/* Cuts the text at its dots.  False: reported. */
static bool cut(struct token *t, const struct report *r)
{
	const char *p = t->text.p, *end = t->text.p + t->text.n, *dot;
	size_t dots = 0;

	if (!t->text.n) {
		say(r, TOKEN_FORM, "there is no token");
		return false;
	}
	if (t->text.n > TOKEN_BYTES_MAX) {
		say(r, TOKEN_FORM, "%zu bytes are more than the %zu a token may have", t->text.n, (size_t)TOKEN_BYTES_MAX);
		return false;
	}
	while (p <= end) {
		dot = p < end ? memchr(p, '.', (size_t)(end - p)) : NULL;
		if (dots < PART_COUNT)
			t->part[dots] = (struct str){ p, (size_t)((dot ? dot : end) - p) };
		if (!dot)
			break;
		dots++;
		p = dot + 1;
	}
	if (dots == 4) {
		say(r, TOKEN_JWE, "five segments: an encrypted token, of which nothing can be judged");
		return false;
	}
	if (dots != 2) {
		say(r, TOKEN_FORM, t->text.p[0] == '{' ? "JSON serialisation; wanted: header.claims.signature"
				  : "%zu segments; wanted: header.claims.signature", dots + 1);
		return false;
	}
	t->signing_input = (struct str){ t->text.p, t->part[0].n + 1 + t->part[1].n };
	if (t->part[PART_HEADER].n > TOKEN_HEADER_BYTES_MAX) {
		say(r, TOKEN_FORM, "a header of %zu bytes; %zu are the most", t->part[PART_HEADER].n, (size_t)TOKEN_HEADER_BYTES_MAX);
		return false;
	}
	return true;
}

static const char *const part_names[PART_COUNT] = { "header", "payload", "signature" };

static void decode(struct token *t, enum token_part i, const struct report *r)
{
	const enum b64_error e = b64url_decode(t->part[i], t->bytes[i], TOKEN_BYTES_MAX, &t->n[i]);

	const size_t wrong = e == B64_OK ? t->part[i].n : b64url_first_wrong(t->part[i]);

	t->decoded[i] = e == B64_OK;
	if (wrong < t->part[i].n) {
		const uint8_t c = (uint8_t)t->part[i].p[wrong];
		const char *meant = c == '=' ? ": padding, which JWS forbids (load balancers of AWS write it)"
				    : c == '+' || c == '/' ? ": plain base64, where JWS wants - and _"
				    : c == '%' ? ": encoded for an URL" : c <= ' ' ? ": blanks belong to no token" : "";
		char name[16];

		snprintf(name, sizeof(name), c > ' ' && c < 0x7f ? "'%c'" : "0x%02x", c);
		say(r, TOKEN_B64, "the %s has a character outside the base64 alphabet: %s at byte %zu of the token%s", part_names[i], name,
		    (size_t)(t->part[i].p - t->text.p) + wrong + 1, meant);
	} else if (e != B64_OK)
		say(r, TOKEN_B64, "the %s %s", part_names[i], b64_error_text(e));
}

static bool parse(struct token *t, enum token_part i, const struct report *r)
{
	struct strict_json *j = &t->json[i];
	const enum sj_error e = sj_parse(j, (struct str){ (const char *)t->bytes[i], t->n[i] });

	if (e != SJ_OK) {
		say(r, TOKEN_JSON, "the %s %s (byte %zu)", part_names[i], sj_error_text(e), j->error_at);
		return false;
	}
	if (sj_root(j)->kind != SJ_OBJECT) {
		say(r, TOKEN_JSON, "the %s is JSON, but no object", part_names[i]);
		return false;
	}
	if (j->first_duplicate)
		say(r, TOKEN_DUP, "the %s has '%.*s' twice%s", part_names[i],
		    (int)(j->nodes[j->first_duplicate].key.n < 40 ? j->nodes[j->first_duplicate].key.n : 40),
		    j->nodes[j->first_duplicate].key.p, j->nodes[j->first_duplicate].duplicate ? "" : ", differing in case only");
	return true;
}

/* The places of the members of these names.  Of two with one name the first is taken, and the token is refused anyway. */
static void find_members(const struct strict_json *j, const char *const *names, int count, const struct sj_node **ret)
{
	for (const struct sj_node *n = sj_first(j, sj_root(j)); n; n = sj_next(j, n))
		for (int i = 0; i < count; i++)
			if (names[i][0] == (n->key.n ? n->key.p[0] : '\0') && !ret[i] && str_eq(n->key, str_of(names[i]))) {
				ret[i] = n;
				break;
			}
}

void token_parse(struct token *t, struct str text, bool wants_claims, token_problem_fn *problem, void *arg)
{
	const struct report r = { problem, arg };

	t->text = text;
	t->signing_input = STR_NONE;
	t->has_header = t->has_claims = false;
	memset(t->part, 0, sizeof(t->part));
	memset(t->n, 0, sizeof(t->n));
	memset(t->decoded, 0, sizeof(t->decoded));
	memset(t->header, 0, sizeof(t->header));
	memset(t->claim, 0, sizeof(t->claim));
	if (!cut(t, &r))
		return;
	for (int i = 0; i < PART_COUNT; i++)
		decode(t, (enum token_part)i, &r);
	t->has_header = t->decoded[PART_HEADER] && parse(t, PART_HEADER, &r);
	if (t->has_header)
		find_members(&t->json[PART_HEADER], token_header_names, HDR_COUNT, t->header);
	if (!wants_claims)
		return;
	t->has_claims = t->decoded[PART_CLAIMS] && parse(t, PART_CLAIMS, &r);
	if (t->has_claims)
		find_members(&t->json[PART_CLAIMS], token_claim_names, CLAIM_COUNT, t->claim);
}
