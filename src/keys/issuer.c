/* SPDX-License-Identifier: Apache-2.0 */
/* issuer: rules for issuers, and which of them one authority writes in more than one way.  Two texts that are not equal are two issuers
 * for an acceptance; the other forms only distinguish a mismatch from a forgery. */
#include "base/guid.h"
#include "keys/policy_int.h"

bool issuer_rule_parse(struct str text, struct issuer_rule *ret)
{
	static const struct str mark = { "{tenantid}", 10 };
	const ptrdiff_t at = str_find(text, mark);
	struct str rest;

	*ret = (struct issuer_rule){ .text = text, .prefix = text };
	if (at >= 0) {
		ret->is_template = true;
		ret->prefix.n = (size_t)at;
		ret->suffix = (struct str){ text.p + at + mark.n, text.n - (size_t)at - mark.n };
	}
	rest = ret->suffix;
	return text.n && (!ret->prefix.n || !memchr(ret->prefix.p, '{', ret->prefix.n)) && (!rest.n || !memchr(rest.p, '{', rest.n));
}

bool tenant_is_canonical(struct str s)
{
	uint8_t g[16];
	char back[GUID_TEXT_SIZE];

	return s.n == 36 && guid_parse(s, g) && str_eq(s, str_of(guid_format(g, back)));
}

bool issuer_rule_equals(const struct issuer_rule *r, struct str iss, struct str tid)
{
	if (!r->is_template)
		return str_eq(r->prefix, iss);
	return iss.n == r->prefix.n + tid.n + r->suffix.n && str_starts(iss, r->prefix) &&
	       memcmp(iss.p + r->prefix.n, tid.p, tid.n) == 0 &&
	       (!r->suffix.n || memcmp(iss.p + r->prefix.n + tid.n, r->suffix.p, r->suffix.n) == 0);
}

bool issuer_rule_fits(const struct issuer_rule *r, struct str iss)
{
	struct str tid;

	if (!r->is_template)
		return str_eq(r->prefix, iss);
	if (iss.n != r->prefix.n + 36 + r->suffix.n)
		return false;
	tid = (struct str){ iss.p + r->prefix.n, 36 };
	return tenant_is_canonical(tid) && issuer_rule_equals(r, iss, tid);
}

bool issuer_split(struct str iss, struct str *ret_host, struct str *ret_tenant, unsigned *ret_version)
{
	static const char scheme[] = "https://";
	struct str rest;
	const char *slash;

	if (!str_starts(iss, str_of(scheme)))
		return false;
	rest = (struct str){ iss.p + sizeof(scheme) - 1, iss.n - sizeof(scheme) + 1 };
	slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
	if (!slash)
		return false;
	*ret_host = (struct str){ rest.p, (size_t)(slash - rest.p) };
	rest = (struct str){ slash + 1, rest.n - ret_host->n - 1 };
	if (rest.n < 37 || rest.p[36] != '/')
		return false;
	*ret_tenant = (struct str){ rest.p, 36 };
	rest = (struct str){ rest.p + 37, rest.n - 37 };
	*ret_version = !rest.n ? VERSION_1 : str_eq(rest, STR("v2.0")) ? VERSION_2 : 0;
	return *ret_version != 0;
}

/* -- one authority, two texts -- */

/* Entra's two versions, for one tenant, and the same class: the consumer tenant has no other form. */
static bool is_entra(struct str iss, struct str *ret_tenant)
{
	struct str host;
	unsigned version;

	return issuer_split(iss, &host, ret_tenant, &version) && tenant_is_canonical(*ret_tenant) &&
	       (version == VERSION_1 ? str_eq(host, STR("sts.windows.net")) :
		str_eq(host, STR("login.microsoftonline.com")) || str_eq(host, STR("login.microsoftonline.us")) ||
		str_eq(host, STR("login.partner.microsoftonline.cn")));
}

static struct str without(struct str s, struct str start)
{
	return str_starts(s, start) ? (struct str){ s.p + start.n, s.n - start.n } : s;
}

/* Is the text one of a cluster's names for itself? */
static bool is_cluster(struct str iss)
{
	static const struct str names[] = { STR("kubernetes/serviceaccount"), STR("https://kubernetes.default"), STR("https://kubernetes.default.svc"),
					    STR("https://kubernetes.default.svc.cluster.local") };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(iss, names[i]))
			return true;
	return false;
}

bool issuer_rule_other_form(const struct issuer_rule *r, struct str iss)
{
	struct str tenant, own, a = without(r->text, STR("https://")), b = without(iss, STR("https://"));

	if (issuer_rule_fits(r, iss))
		return false;
	if (is_entra(iss, &tenant)) {
		if (!r->is_template)
			return is_entra(r->text, &own) && str_eq(own, tenant) &&
			       (str_starts(iss, STR("https://sts.")) != str_starts(r->text, STR("https://sts.")));
		return !str_eq(tenant, STR(CONSUMER_TENANT)) && (str_eq(r->text, STR("https://sts.windows.net/{tenantid}/")) ||
			(str_starts(r->text, STR("https://login.")) && str_ends_nocase(r->text, STR("/{tenantid}/v2.0")) && str_find(r->text, STR("microsoftonline")) > 0 &&
			 str_starts(iss, STR("https://sts.windows.net/"))));
	}
	if (r->is_template)
		return false;
	if (a.n && a.p[a.n - 1] == '/')
		a.n--;
	if (b.n && b.p[b.n - 1] == '/')
		b.n--;
	return str_eq(a, b) || (is_cluster(iss) && is_cluster(r->text));
}
