/* SPDX-License-Identifier: Apache-2.0 */
/* token_policy: keys of one set, algorithm and issuer become one record.  Well-known issuers bring the settings that their tokens
 * need; no issuer is guessed. */
#include "cmd/token_policy.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/timefmt.h"
#include "keys/policy.h"

#define SETS_MAX 64

/* What tokens of a provider need, as lines of a record. */
static const struct advice {
	const char *name, *part; /* of the issuer */
	const char *lines;
} advices[] = {
	{ "Google", "accounts.google.com",
	  "    kind: id\n"
	  "    # question: only people of one organisation?\n"
	  "    # claims: {hd: example.com}\n" },
	{ "Apple", "appleid.apple.com", "    kind: id\n    max_token_life: 24h\n" },
	{ "Firebase", "securetoken.google.com/", "    kind: id\n" },
	{ "GitHub Actions", "token.actions.githubusercontent.com",
	  "    # question: which repository, which branch? The issuer is the same for all of GitHub: without a condition every workflow that\n"
	  "    # asks for the audience is accepted.\n"
	  "    # claims: {repository: OWNER/NAME, ref: refs/heads/main}\n" },
	{ "GitLab", "gitlab",
	  "    kind: id\n    max_token_life: 24h\n"
	  "    # question: which project, which branch? The issuer is the same for all projects of the server.\n"
	  "    # claims: {project_path: GROUP/NAME, ref: main, ref_type: branch, ref_protected: \"true\"}\n" },
	{ "Amazon Cognito", "cognito-idp.", "    kind: id\n    claims: {token_use: id}\n    max_token_life: 24h\n" },
	{ "Okta", ".okta", "    max_token_life: 24h\n    # question: access tokens of an API (kind: access), or sign-ins (kind: id)? Which scope?\n"
			   "    # kind: access\n    # claims: {scp: {contains: SCOPE}}\n" },
	{ "Auth0", ".auth0.com/", "    audience_array: all\n    max_token_life: 24h\n    # question: access tokens of an API (kind: access), or sign-ins (kind: id)? Which scope?\n"
				  "    # kind: access\n    # claims: {scope: {contains: SCOPE}}\n" },
	{ "Keycloak", "/realms/", "    audience_array: any # Keycloak adds 'account' and other clients; all: only those listed\n"
				  "    # question: access tokens of an API (kind: access), or sign-ins (kind: id)? Which role?\n"
				  "    # kind: access\n    # claims: {realm_access: {roles: {contains: ROLE}}}\n" },
	{ "Kubernetes", "kubernetes", NULL }, { "Kubernetes", "oidc.eks.", NULL }, { "Kubernetes", "container.googleapis.com", NULL },
	{ "Kubernetes", ".oic.prod-aks.azure.com", NULL },
};
static const char of_kubernetes[] =
	"    audience_array: one\n    max_token_life: 365d # of pods' own tokens; an hour for others\n"
	"    # question: which namespace, which account? Without a condition every pod of the cluster is accepted.\n"
	"    # claims: {kubernetes.io: {namespace: NAMESPACE, serviceaccount: {name: ACCOUNT}}}\n";
static const char of_others[] =
	"    # question: access tokens of an API (kind: access), or sign-ins (kind: id)? Which scope, role or subject?\n"
	"    # kind: access\n    # claims: {scope: {contains: SCOPE}}\n"
	"    # audience_array: one # if 'aud' is a list: one, all or any\n"
	"    # max_token_life: 24h # if tokens live longer than 95 minutes\n";

static const struct advice *advice_for(struct str issuer)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (str_find(issuer, str_of(advices[i].part)) >= 0)
			return &advices[i];
	return NULL;
}

/* -- which set belongs to which metadata -- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* "…/oauth2/v3/certs" is the file certs, certs.json, … */
static bool is_named_by(const struct keyset *set, const char *uri)
{
	const char *wanted = last_part(uri), *have = last_part(set->name);
	const size_t n = strlen(wanted);

	return n && strncmp(have, wanted, n) == 0 && (!have[n] || have[n] == '.');
}

static struct keyset *load(const struct command *c, const char *path, int *status)
{
	struct keyset *s = keyset_new(path);
	struct buf error;

	buf_init(&error, 16 * KIB);
	if (!s || !keyset_load_file(s, path, 0, &error)) {
		cmd_error(c, "%s", error.n ? error.p : "out of memory");
		keyset_free(s);
		s = NULL;
		*status = EXIT_INPUT;
	}
	buf_release(&error);
	return s;
}

/* The file that the metadata's jwks_uri names, in the folder of the metadata.  NULL: there is none. */
static struct keyset *load_beside(const struct command *c, const struct keyset *metadata, int *status)
{
	static const char *const ends[] = { "", ".json" };
	struct keyset *s = NULL;
	struct buf path;

	buf_init(&path, 16 * KIB);
	for (int i = 0; i < 2 && !s && metadata->jwks_uri && *last_part(metadata->jwks_uri); i++) {
		char *folder = strdup(metadata->name);
		buf_clear(&path);
		if (folder)
			buf_printf(&path, "%s/%s%s", dirname(folder), last_part(metadata->jwks_uri), ends[i]);
		free(folder);
		if (path.n && !buf_failed(&path) && access(path.p, R_OK) == 0)
			s = load(c, path.p, status);
	}
	buf_release(&path);
	return s;
}

/* -- one record -- */

static enum jws_alg algorithm_of(const struct key *k)
{
	if (k->alg > JWS_ALG_UNKNOWN)
		return k->alg;
	switch (k->kind) {
	case KEY_RSA: return JWS_RS256;
	case KEY_EC: return k->curve == CURVE_P256 ? JWS_ES256 : k->curve == CURVE_P384 ? JWS_ES384 : JWS_ES512;
	case KEY_OKP: return JWS_EDDSA;
	default: return JWS_ALG_UNKNOWN;
	}
}

static bool is_svid(const struct key *k) { return str_eq(k->use, STR("jwt-svid")); }

/* Can it sign tokens that a policy takes?  A symmetric key's policy is not for a first try. */
static bool is_wanted(const struct key *k)
{
	const bool sound = key_usable(k) || (is_svid(k) && k->pkey && k->fault_n == (unsigned)key_has(k, KEY_FAULT_USE) + key_has(k, KEY_FAULT_ALG_ABSENT));

	return sound && k->kind != KEY_OCT && algorithm_of(k) > JWS_ALG_UNKNOWN;
}

struct group {
	const struct keyset *set;
	const char *issuer_of_set; /* of metadata or of the document; NULL = none */
	struct str issuer;         /* member of the keys; STR_NONE */
	enum jws_alg alg;
	bool svid, no_kid;
	unsigned n;
	int64_t oldest_us;         /* begin of the oldest certificate; INT64_MAX = none */
	bool alg_said;
};

static bool is_in(const struct group *g, const struct key *k)
{
	return is_wanted(k) && algorithm_of(k) == g->alg && is_svid(k) == g->svid && str_eq(k->issuer, g->issuer) && (k->kid.n == 0) == g->no_kid;
}

static void add_quoted(struct buf *b, const char *before, struct str s, const char *after)
{
	buf_add_cstr(b, before);
	buf_add_json(b, s);
	buf_add_cstr(b, after);
}

/* "https://login.microsoftonline.com/TENANT/v2.0" and its like: the two forms of Entra's issuer. */
static bool is_entra(struct str issuer)
{
	return str_find(issuer, STR("login.microsoftonline.")) >= 0 || str_find(issuer, STR("sts.windows.net")) >= 0;
}

static void add_scope(struct buf *b, const struct group *g, struct str issuer)
{
	const struct str hole = STR("{tenantid}");
	struct str host, tenant;
	unsigned version;
	struct str of_set = str_of(g->issuer_of_set);
	bool own = of_set.p && issuer_split(of_set, &host, &tenant, &version) && tenant_is_canonical(tenant);

	if (is_entra(issuer)) {
		const bool fixed = str_find(issuer, hole) < 0;
		struct str path = fixed && issuer_split(issuer, &host, &tenant, &version) ? tenant : hole;
		own |= path.p != hole.p;
		buf_add_cstr(b, "    class: enterprise\n");
		add_quoted(b, "    issuers: [", str_find(issuer, STR("sts.windows.net")) >= 0 ? STR("https://login.microsoftonline.com/{tenantid}/v2.0") : issuer, "");
		buf_printf(b, ", \"https://sts.windows.net/%.*s/\"] # of version 2.0 and 1.0\n", STR_ARG(path));
		if (own)
			add_quoted(b, "    tenants: {allow: [", tenant, "]}\n");
		else
			buf_add_cstr(b, "    # question: whose tokens? any = of every organisation; an API of one organisation wants its tenant, {allow: [GUID]}.\n"
					"    tenants: {allow: any}\n");
		buf_add_cstr(b, "    # question: which application? The id of the API; for tokens of version 1.0 often its URI, api://...\n"
				"    audiences: [FILL-IN-THE-AUDIENCE]\n    versions: [\"1.0\", \"2.0\"]\n"
				"    # question: access tokens of an API, or id, sign-ins at a web application? Which permission?\n"
				"    kind: access\n    # claims: {scp: {contains: SCOPE}}\n");
		return;
	}
	const struct advice *a = issuer.n ? advice_for(issuer) : NULL;
	if (g->svid) {
		buf_add_cstr(b, "    use: jwt-svid\n    issuers: none # SPIRE with jwt_issuer: a list with it\n");
	} else if (!issuer.n) {
		buf_add_cstr(b, "    # question: whose keys are these? The set does not say it; the OpenID metadata of the issuer does ('issuer').\n"
				"    issuers: [FILL-IN-THE-ISSUER]\n");
	} else if (a && strcmp(a->name, "Google") == 0) {
		buf_add_cstr(b, "    issuers: [\"https://accounts.google.com\", \"accounts.google.com\"]\n");
	} else {
		add_quoted(b, "    issuers: [", issuer, "]\n");
	}
	if (issuer.n && issuer_split(issuer, &host, &tenant, &version)) {
		add_quoted(b, "    tenants: {allow: [", tenant, "]}\n");
		buf_printf(b, "    versions: [\"%s\"]\n", version == VERSION_1 ? "1.0" : "2.0");
	}
	if (a && strcmp(a->name, "Firebase") == 0) {
		add_quoted(b, "    audiences: [", str_of(last_part(g->issuer_of_set)), "] # the project\n");
	} else {
		buf_add_cstr(b, "    # question: for whom must a token be? Its 'aud': your API, client or service.\n    audiences: [FILL-IN-THE-AUDIENCE");
		if (a && strcmp(a->name, "Auth0") == 0) {
			buf_add_cstr(b, ", ");
			buf_add_json(b, issuer);
			b->n--; /* the quotation mark */
			buf_add_cstr(b, "userinfo\"");
		}
		buf_add_cstr(b, "]\n");
	}
	if (g->svid)
		buf_add_cstr(b, "    audience_array: one\n    # question: which trust domain and workload?\n    # claims: {sub: {pattern: \"spiffe://TRUST-DOMAIN/*\"}}\n");
	else
		buf_add_cstr(b, !a ? of_others : a->lines ? a->lines : of_kubernetes);
}

static void add_from(struct buf *b, const struct group *g)
{
	add_quoted(b, "  - from: {jwks: ", str_of(g->set->name), "");
	if (g->issuer.n)
		add_quoted(b, ", issuer: ", g->issuer, "");
	buf_printf(b, "}\n    # %u key%s\n", g->n, g->n == 1 ? "" : "s");
	if (g->no_kid)
		buf_add_cstr(b, "    # question: which key id do tokens name? The key has none.\n    kid: FILL-IN-THE-KEY-ID\n");
}

static void add_record(struct buf *b, const struct group *g, int64_t now_s)
{
	const struct str issuer = g->issuer.n ? g->issuer : g->issuer_of_set ? str_of(g->issuer_of_set) : STR_NONE;
	const int64_t days = g->oldest_us == INT64_MAX ? 0 : now_s / 86400 - g->oldest_us / US_PER_DAY;
	const struct advice *a = issuer.n ? advice_for(issuer) : NULL;

	if (is_entra(issuer) || a)
		buf_printf(b, "  # %s\n", a ? a->name : "Microsoft Entra ID");
	add_from(b, g);
	buf_printf(b, "    alg: %s%s\n", alg_rows[g->alg].name, g->alg_said ? "" : " # question: is it this one? The set does not say it");
	add_scope(b, g, issuer);
	if (days >= 150)
		buf_printf(b, "    max_age: %lldd # the oldest certificate is %lld days old; question: when does the issuer rotate its keys?\n",
			   (long long)(days + 180 > 7320 ? 7320 : days + 180), (long long)days);
	buf_add_cstr(b, "    state: active\n");
}

/* Tokens without an audience: Cognito's access tokens name their client in another claim. */
static void add_cognito(struct buf *b, const struct group *g)
{
	add_from(b, g);
	buf_printf(b, "    alg: %s\n", alg_rows[g->alg].name);
	add_quoted(b, "    issuers: [", str_of(g->issuer_of_set), "]\n");
	buf_add_cstr(b, "    # the access tokens of the pool, which have no audience; question: which client?\n    audiences: none\n    kind: access\n"
			"    claims: {client_id: FILL-IN-THE-CLIENT, token_use: access}\n    max_token_life: 24h\n    state: active\n");
}

static unsigned add_set(struct buf *b, const struct keyset *s, const char *issuer, int64_t now_s)
{
	unsigned records = 0, consumers = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct key *k = s->keys[i];
		struct group g = { .set = s, .issuer_of_set = issuer, .issuer = k->issuer, .alg = algorithm_of(k), .svid = is_svid(k), .no_kid = k->kid.n == 0,
				   .oldest_us = INT64_MAX, .alg_said = true };
		bool first = true;
		if (!is_wanted(k)) {
			buf_add_cstr(b, "  # no record for key ");
			buf_add_terminal(b, k->kid.n ? k->kid : STR("(without id)"), 60);
			buf_printf(b, ": it %s\n", k->kind == KEY_OCT ? "is symmetric: who can verify can sign" : k->use.n && !str_eq(k->use, STR("sig")) ? "is for another use"
				   : "cannot verify a token here; 'taximeter keys audit' says why");
			continue;
		}
		if (str_find(k->issuer, STR(CONSUMER_TENANT)) >= 0) {
			consumers++;
			continue;
		}
		for (uint32_t o = 0; o < s->n; o++) {
			if (!is_in(&g, s->keys[o]))
				continue;
			first &= o >= i;
			g.n++;
			g.alg_said &= s->keys[o]->alg > JWS_ALG_UNKNOWN;
			if (s->keys[o]->cert.present && s->keys[o]->cert.dates_known && s->keys[o]->cert.not_before_us < g.oldest_us)
				g.oldest_us = s->keys[o]->cert.not_before_us;
		}
		if (!first || (g.no_kid && g.n > 1 && s->n > 1)) {
			if (first)
				buf_printf(b, "  # no record for %u keys without a key id: no token can name one of them\n", g.n);
			continue;
		}
		if (records++)
			buf_add_char(b, '\n');
		add_record(b, &g, now_s);
		if (issuer && str_find(str_of(issuer), STR("cognito-idp.")) >= 0) {
			buf_add_char(b, '\n');
			add_cognito(b, &g);
		}
	}
	if (consumers)
		buf_printf(b, "  # no record for %u key%s of personal accounts (the consumer tenant): without one they can sign nothing here\n", consumers, consumers == 1 ? "" : "s");
	return records;
}

/* Metadata without its keys: the address becomes a source, asked only with --fetch. */
static void add_source_record(struct buf *b, const struct keyset *m, int64_t now_s)
{
	struct group g = { .set = m, .issuer_of_set = m->issuer, .alg = JWS_RS256, .oldest_us = INT64_MAX };
	struct buf one;
	ptrdiff_t at;

	buf_init(&one, 64 * KIB);
	add_record(&one, &g, now_s);
	at = str_find(buf_str(&one), STR("  - from: "));
	if (at >= 0) {
		const char *end = strstr(one.p + at, "\n    alg");
		buf_add_str(b, (struct str){ one.p, (size_t)at });
		add_quoted(b, "  - from: {source: ", str_of(m->issuer), "}");
		if (end)
			buf_add_cstr(b, end);
	}
	buf_release(&one);
}

int token_policy_write(struct buf *b, const struct command *c, char **paths, int n, int64_t now_s)
{
	struct keyset *sets[2 * SETS_MAX] = { NULL };
	const struct keyset *of[2 * SETS_MAX] = { NULL }; /* the metadata of a set */
	int set_n = 0, metadata = 0, plain = 0, status = EXIT_RAN, sources = 0;
	unsigned records = 0;

	if (n < 1 || n > SETS_MAX)
		return cmd_usage_error(c, "policy wants key sets or OpenID metadata, at most %d", SETS_MAX);
	for (int i = 0; i < n; i++) {
		struct keyset *s = load(c, paths[i], &status);
		if (!s)
			continue;
		sets[set_n++] = s;
		*(s->form == KEYSET_METADATA ? &metadata : &plain) += 1;
		if (s->faults & KEYSET_PRIVATE)
			cmd_error(c, "%s: holds a private half: anyone who can read it can sign", s->name);
	}
	const int given = set_n;
	for (int i = 0; i < given; i++) {
		int mine = -1;
		if (sets[i]->form != KEYSET_METADATA || !sets[i]->issuer)
			continue;
		for (int k = 0; k < given && mine < 0; k++)
			if (sets[k]->form != KEYSET_METADATA && ((metadata == 1 && plain == 1) || (sets[i]->jwks_uri && is_named_by(sets[k], sets[i]->jwks_uri))))
				mine = k;
		if (mine < 0 && (sets[set_n] = load_beside(c, sets[i], &status)))
			mine = set_n++;
		if (mine >= 0)
			of[mine] = sets[i];
		else
			sources += sets[i]->jwks_uri != NULL;
	}
	buf_add_cstr(b, "# A first policy, written by taximeter token policy. Questions are what the sets could not say; FILL-IN is to be replaced before a\n"
			"# token can be accepted. Every setting is explained in token-policy.yaml; examples by provider are in token-policies.\n");
	if (sources)
		buf_add_cstr(b, "sources: # asked with --fetch only\n");
	for (int i = 0; i < given && sources; i++) {
		bool paired = sets[i]->form != KEYSET_METADATA || !sets[i]->issuer || !sets[i]->jwks_uri;
		for (int k = 0; k < set_n; k++)
			paired |= of[k] == sets[i];
		if (paired)
			continue;
		add_quoted(b, "  - name: ", str_of(sets[i]->issuer), "\n");
		add_quoted(b, "    url: ", str_of(sets[i]->jwks_uri), "\n");
	}
	buf_add_cstr(b, "records:\n");
	for (int i = 0; i < set_n; i++) {
		bool paired = false;
		for (int k = 0; k < set_n; k++)
			paired |= of[k] == sets[i];
		if (records && !(sets[i]->form == KEYSET_METADATA && paired))
			buf_add_char(b, '\n');
		if (sets[i]->form != KEYSET_METADATA) {
			records += add_set(b, sets[i], of[i] && of[i]->issuer ? of[i]->issuer : sets[i]->issuer, now_s);
		} else if (!paired && sets[i]->issuer && sets[i]->jwks_uri) {
			cmd_error(c, "%s: the keys are at %s, which is not asked; save them in the same folder, or use the policy with --fetch", sets[i]->name, sets[i]->jwks_uri);
			add_source_record(b, sets[i], now_s);
			records++;
		}
	}
	if (!records) {
		cmd_error(c, "no key that can verify a token in what was given: no policy is written");
		buf_clear(b);
		status = EXIT_INPUT;
	}
	for (int i = 0; i < set_n; i++)
		keyset_free(sets[i]);
	return status;
}
