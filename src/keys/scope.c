/* SPDX-License-Identifier: Apache-2.0 */
/* scope: for whom may a key sign, and is that declared anywhere?  The keys of Storm-0558 were good keys, correctly
 * listed; the statement "this one is for consumers" was missing. */
#include "keys/audit_int.h"

#include <stdlib.h>

/* -- clouds -- */

static const struct {
	struct str host; /* the end of a host name */
	const char *cloud;
} clouds[] = {
	{ STR("microsoftonline.com"), "Azure public" },
	{ STR("sts.windows.net"), "Azure public" },
	{ STR("login.windows.net"), "Azure public" },
	{ STR("accesscontrol.windows.net"), "Azure public" },
	{ STR("microsoftonline.us"), "Azure US government" },
	{ STR("microsoftonline.mil"), "Azure US government" },
	{ STR("partner.microsoftonline.cn"), "Azure China" },
	{ STR("login.chinacloudapi.cn"), "Azure China" },
	{ STR("microsoftonline.de"), "Azure Germany" },
};

/* NULL: none that is known.  text: a host, an address, or the common name of a certificate. */
static const char *cloud_of(struct str text)
{
	const ptrdiff_t scheme = str_find(text, STR("://"));

	if (scheme >= 0) {
		text.p += scheme + 3;
		text.n -= (size_t)scheme + 3;
	}
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '/' || text.p[i] == ':')
			text.n = i;
	for (size_t i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
		const struct str host = clouds[i].host;
		if (str_ends_nocase(text, host) && (text.n == host.n || text.p[text.n - host.n - 1] == '.'))
			return clouds[i].cloud;
	}
	return NULL;
}

static void judge_cloud(struct audit *a, const struct history_key *k)
{
	const struct key *key = newest(a, k);
	const struct set_note *note = audit_note(a, k->provider);
	const struct {
		const char *what;
		struct str text;
	} signs[] = {
		{ "issuer", key->issuer },
		{ "certificate", key->cert.present ? key->cert.common_name : STR_NONE },
		{ "cloud_instance_name", key->cloud_instance },
		{ "the set's issuer", note ? str_of(note->issuer) : STR_NONE },
		{ "the set's cloud_instance_name", note ? str_of(note->cloud) : STR_NONE },
	};
	const char *first = NULL;
	size_t first_at = 0;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const char *cloud = signs[i].text.n ? cloud_of(signs[i].text) : NULL;
		if (!cloud)
			continue;
		if (!first) {
			first = cloud;
			first_at = i;
		} else if (strcmp(cloud, first) != 0) {
			finding_add(a, FINDING_SCOPE_CLOUD, SEVERITY_FINDING, k, k->provider, k->first,
				    "%s \"%.*s\" is of %s, %s \"%.*s\" of %s", signs[first_at].what,
				    STR_ARG(signs[first_at].text), first, signs[i].what, STR_ARG(signs[i].text), cloud);
			return;
		}
	}
}

/* -- one key -- */

static bool has_record(const struct audit *a, const struct key *key)
{
	size_t from = 0;

	return key->has_spki && audit_record_of(a, key->spki_sha256, &from);
}

static void judge_presence(struct audit *a, const struct history_key *k)
{
	const struct key *key = newest(a, k);

	/* it is no key, so it signs nothing */
	if (key->issuer.n || has_record(a, key) || !(key->has_spki || key->cert.present || key->kind == KEY_OCT))
		return;
	finding_add(a, FINDING_SCOPE_NONE, SEVERITY_FINDING, k, k->provider, k->versions[k->version_count - 1].first,
		    key->issuer.p ? "the 'issuer' member is empty, and %s" : "no 'issuer' member, and %s",
		    a->settings.has_policy ? "the policy has no record for the key" : "no policy was given");
}

/* Two versions of one key with different members: the first pair found. */
static bool versions_differ(const struct audit *a, const struct history_key *k, struct str (*of)(const struct key *), struct str *ret_a,
			    struct str *ret_b, int64_t *ret_since)
{
	*ret_a = STR_NONE;
	for (uint32_t i = 0; i < k->version_count; i++) {
		const struct str text = of(a->entries[k->versions[i].entry].key);
		if (!text.n)
			continue;
		if (!ret_a->n) {
			*ret_a = text;
		} else if (!str_eq(*ret_a, text)) {
			*ret_b = text;
			*ret_since = k->versions[i].first;
			return true;
		}
	}
	return false;
}

static struct str issuer_text(const struct key *k) { return k->issuer; }
static struct str use_text(const struct key *k) { return k->use; }
static struct str alg_text(const struct key *k) { return k->alg_text; }

static void judge_roles(struct audit *a, const struct history_key *k)
{
	static const struct {
		const char *what;
		struct str (*of)(const struct key *);
	} roles[] = { { "issuers", issuer_text }, { "uses", use_text }, { "algorithms", alg_text } };

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		struct str one, two;
		int64_t since;
		if (versions_differ(a, k, roles[i].of, &one, &two, &since))
			finding_add(a, FINDING_SCOPE_TWO_ROLES, SEVERITY_FINDING, k, k->provider, since, "two %s: \"%.*s\" and \"%.*s\"",
				    roles[i].what, STR_ARG(one), STR_ARG(two));
	}
}

/* The same key in another set.  Two lists of one issuer may share a key: if both name the same issuer, it is one role. */
static void judge_other_sets(struct audit *a, uint32_t first, uint32_t other)
{
	const struct history_key *k = &a->keys[first], *o = &a->keys[other];
	const struct str one = newest(a, k)->issuer, two = newest(a, o)->issuer;

	if (one.n && str_eq(one, two))
		return;
	finding_add(a, FINDING_SCOPE_TWO_ROLES, SEVERITY_FINDING, k, k->provider, k->first > o->first ? k->first : o->first,
		    "also in \"%.*s\"%s", STR_ARG(a->providers[o->provider].name),
		    one.n || two.n ? ", and the two do not name the same issuer" : ", and neither says for which issuer");
}

static void judge_classes(struct audit *a, const struct history_key *k)
{
	const struct audit_record *first = NULL, *r;
	size_t from = 0;

	while ((r = audit_record_of(a, k->id, &from))) {
		if (!first) {
			first = r;
		} else if (!str_eq(first->class_name, r->class_name)) {
			finding_add(a, FINDING_SCOPE_TWO_ROLES, SEVERITY_CRITICAL_FINDING, k, k->provider, k->first,
				    "the policy has it in two classes: %.*s (%.*s) and %.*s (%.*s)", STR_ARG(first->class_name),
				    STR_ARG(first->where), STR_ARG(r->class_name), STR_ARG(r->where));
			return;
		}
	}
}

/* -- records -- */

static void judge_records(struct audit *a)
{
	for (size_t i = 0; i < a->settings.record_count; i++) {
		const struct audit_record *r = &a->settings.records[i];
		const struct history_key *k = audit_find_spki(a, r->spki, NULL);

		if (!r->template_issuer || r->denies_consumer)
			continue;
		finding_add(a, FINDING_SCOPE_CONSUMER_OPEN, SEVERITY_FINDING, k, k ? k->provider : UINT32_MAX, 0,
			    "the record of %.*s (%.*s) is for every tenant of its template, the consumer tenant too", STR_ARG(r->kid),
			    STR_ARG(r->where));
	}
}

/* -- sets -- */

struct edge { int64_t time; int8_t consumer, other; };

static int compare_edges(const void *pa, const void *pb)
{
	const struct edge *a = pa, *b = pb;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return (b->consumer + b->other) - (a->consumer + a->other); /* who comes, comes before who goes */
}

/* Since when have keys of the consumer tenant been listed with others?  0 = never. */
static int64_t mixed_since(const struct audit *a, const struct history_provider *p, uint32_t *ret_consumer, uint32_t *ret_other)
{
	struct edge *edges = malloc((p->key_count ? p->key_count : 1) * 2 * sizeof(*edges));
	size_t n = 0;
	int consumer = 0, other = 0;
	int64_t since = 0;

	*ret_consumer = *ret_other = 0;
	for (uint32_t i = 0; i < p->key_count && edges; i++) {
		const struct history_key *k = &a->keys[p->first_key + i];
		const struct str issuer = newest(a, k)->issuer;
		const bool is_consumer = issuer_is_consumer(issuer);

		if (!issuer.n)
			continue;
		*(is_consumer ? ret_consumer : ret_other) += 1;
		edges[n++] = (struct edge){ k->first, is_consumer, !is_consumer };
		edges[n++] = (struct edge){ k->last, (int8_t)-is_consumer, (int8_t)-!is_consumer };
	}
	if (edges)
		qsort(edges, n, sizeof(*edges), compare_edges);
	for (size_t i = 0; i < n && !since; i++) {
		consumer += edges[i].consumer;
		other += edges[i].other;
		if (consumer > 0 && other > 0)
			since = edges[i].time;
	}
	free(edges);
	return since;
}

static bool is_common_set(const struct audit *a, const struct history_provider *p)
{
	for (uint32_t i = 0; i < p->key_count; i++) {
		const struct str issuer = newest(a, &a->keys[p->first_key + i])->issuer;
		if (issuer_is_template(issuer) && cloud_of(issuer))
			return true;
	}
	return false;
}

static void judge_mix(struct audit *a, uint32_t provider)
{
	const struct history_provider *p = &a->providers[provider];
	uint32_t consumer, other;
	const int64_t since = mixed_since(a, p, &consumer, &other);

	if (since)
		finding_add(a, FINDING_SCOPE_MIXED_SET, SEVERITY_FINDING, NULL, provider, since,
			    "%u key%s of the consumer tenant and %u of other tenants%s", consumer, consumer == 1 ? "" : "s", other,
			    is_common_set(a, p) ? "; inherent to Entra's common set: only a check of each key's issuer protects" : "");
}

struct kid_span { struct str kid; uint32_t key; int64_t first; };

static int compare_kid_spans(const void *pa, const void *pb)
{
	const struct kid_span *a = pa, *b = pb;
	const size_t n = a->kid.n < b->kid.n ? a->kid.n : b->kid.n;
	int c = n ? memcmp(a->kid.p, b->kid.p, n) : 0;

	c = c ? c : (a->kid.n > b->kid.n) - (a->kid.n < b->kid.n);
	c = c ? c : (a->first > b->first) - (a->first < b->first);
	return c ? c : (a->key > b->key) - (a->key < b->key);
}

/* One key id that has named two keys, at once or one after the other. */
static void judge_kid_reuse(struct audit *a, uint32_t provider)
{
	const struct history_provider *p = &a->providers[provider];
	struct kid_span *spans;
	size_t n = 0, all = 0;

	for (uint32_t i = 0; i < p->key_count; i++)
		all += a->keys[p->first_key + i].version_count;
	spans = malloc((all ? all : 1) * sizeof(*spans));
	if (!spans) {
		a->failed = true;
		return;
	}
	for (uint32_t i = 0; i < p->key_count; i++) {
		const struct history_key *k = &a->keys[p->first_key + i];
		for (uint32_t v = 0; v < k->version_count; v++) {
			const struct str kid = a->entries[k->versions[v].entry].key->kid;
			if (kid.n)
				spans[n++] = (struct kid_span){ kid, p->first_key + i, k->versions[v].first };
		}
	}
	qsort(spans, n, sizeof(*spans), compare_kid_spans);
	for (size_t i = 1; i < n; i++) {
		char hex[KEY_HEX_SIZE];
		if (!str_eq(spans[i].kid, spans[i - 1].kid) || spans[i].key == spans[i - 1].key)
			continue;
		finding_add(a, FINDING_SCOPE_KID_REUSE, SEVERITY_CRITICAL_FINDING, &a->keys[spans[i].key], provider, spans[i].first,
			    "the id \"%.*s\" has also stood for the key with SPKI %s", STR_ARG(spans[i].kid),
			    key_hex(a->keys[spans[i - 1].key].id, 32, hex));
	}
	free(spans);
}

static void judge_set(struct audit *a, uint32_t provider)
{
	const struct set_note *note = audit_note(a, provider);

	judge_mix(a, provider);
	judge_kid_reuse(a, provider);
	if (!note)
		return;
	if (note->kid_missing_since && note->kid_missing_since <= a->at)
		finding_add(a, FINDING_SCOPE_KID_DUP, SEVERITY_FINDING, NULL, provider, note->kid_missing_since,
			    "an entry without a key id");
	if (note->symmetric_since && note->symmetric_since <= a->at)
		finding_add(a, FINDING_SCOPE_SYM_MIX, SEVERITY_CRITICAL_FINDING, NULL, provider, note->symmetric_since,
			    "a key of type \"oct\" is in the set");
	for (size_t i = 0; i < a->twice_count; i++)
		if (&a->notes[a->twice[i].note] == note && a->twice[i].since <= a->at)
			finding_add(a, FINDING_SCOPE_KID_DUP, SEVERITY_FINDING, NULL, provider, a->twice[i].since,
				    "two entries with the id \"%s\"", a->twice[i].kid);
}

void audit_scope(struct audit *a)
{
	for (uint32_t i = 0; i < a->key_count; i++) {
		judge_presence(a, &a->keys[i]);
		judge_cloud(a, &a->keys[i]);
		judge_roles(a, &a->keys[i]);
	}
	for (uint32_t i = 0; i < a->distinct_count; i++)
		if (newest(a, &a->keys[a->distinct[i]])->has_spki)
			judge_classes(a, &a->keys[a->distinct[i]]);
	for (uint32_t i = 0; i < a->key_count; i++) {
		/* the first key of its SPKI has the smallest number; the others point to it */
		const struct history_key *first = audit_find_spki(a, a->keys[i].id, NULL);
		if (first && first < &a->keys[i])
			judge_other_sets(a, (uint32_t)(first - a->keys), i);
	}
	for (uint32_t i = 0; i < a->provider_count; i++)
		judge_set(a, i);
	judge_records(a);
}
