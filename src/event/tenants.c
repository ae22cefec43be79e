/* SPDX-License-Identifier: Apache-2.0 */
/* tenants: see tenants.h. */
#include "event/tenants.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/guid.h"
#include "base/hash.h"
#include "base/limits.h"
#include "persist/persist.h"

#define STRIPES 16
#define CACHE 32768                 /* facts that a lane's records stated lately: 256 KiB, and as much for sign-ins */
#define AMBIGUOUS UINT64_C(1)       /* two tenants claim it */

enum fact { FACT_GUID = 1, FACT_OWNER_DOMAIN, FACT_ACCOUNT_DOMAIN, FACT_ACCOUNT };

enum { NAMED = 1, NAMED_BY_SIGNIN = 2, PAST_LIMIT = 4 }; /* of a tenant */

struct whose { /* what a record states about its tenant; hashes, 0 = nothing */
	uint64_t tenant, guid, owner_domain, domain, account;
};

struct lane { uint64_t keys[CACHE], origins[CACHE]; }; /* apart: mail records, which have no origin, keep to a quarter of a megabyte */

struct tenants {
	struct { pthread_mutex_t lock; struct table facts; } stripes[STRIPES]; /* hash(fact) -> tenant or AMBIGUOUS */
	pthread_mutex_t lock;
	struct table named;   /* tenant -> uint8_t flags */
	struct table origins; /* hash -> struct whose, of sign-ins */
	struct lane **lanes;
	unsigned lane_count;
	const struct names *names;
	uint64_t only;        /* the one that is NAMED; else the one that is named at all */
	uint64_t nil;         /* reference of the GUID of zeros, which is no tenant */
};

struct tenants *tenants_new(unsigned lanes)
{
	struct tenants *t = calloc(1, sizeof *t);
	struct str zeros = STR("00000000-0000-0000-0000-000000000000");
	if (!t)
		return NULL;
	t->nil = names_ref(NAME_TENANT, &zeros, 1);
	pthread_mutex_init(&t->lock, NULL);
	for (unsigned i = 0; i < STRIPES; i++) {
		pthread_mutex_init(&t->stripes[i].lock, NULL);
		table_init(&t->stripes[i].facts, sizeof(uint64_t), NAMES_MAX / STRIPES);
	}
	table_init(&t->named, sizeof(uint8_t), TENANTS_NAMED_MAX);
	table_init(&t->origins, sizeof(struct whose), TENANT_ORIGINS_MAX);
	t->lanes = calloc(lanes, sizeof *t->lanes);
	for (; t->lanes && t->lane_count < lanes; t->lane_count++)
		if (!(t->lanes[t->lane_count] = calloc(1, sizeof **t->lanes)))
			break;
	if (t->lane_count == lanes)
		return t;
	tenants_free(t);
	return NULL;
}

static void lanes_free(struct tenants *t)
{
	for (unsigned i = 0; i < t->lane_count; i++)
		free(t->lanes[i]);
	free(t->lanes);
	t->lanes = NULL;
	t->lane_count = 0;
}

void tenants_free(struct tenants *t)
{
	if (!t)
		return;
	lanes_free(t);
	for (unsigned i = 0; i < STRIPES; i++) {
		table_release(&t->stripes[i].facts);
		pthread_mutex_destroy(&t->stripes[i].lock);
	}
	table_release(&t->named);
	table_release(&t->origins);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* -- what a record states -- */

static bool is_signin(const struct rec *r) { return r->class_ == CLASS_SIGNIN; }

static uint64_t folded_hash(struct str s)
{
	char folded[NAME_BYTES_MAX];
	size_t n = s.n < sizeof folded ? s.n : sizeof folded;
	for (size_t i = 0; i < n; i++)
		folded[i] = ascii_lower(s.p[i]);
	return hash64(folded, n, 0) | 2; /* never 0, never AMBIGUOUS */
}

/* of the text after the last @; 0: there is none */
static uint64_t domain_hash(struct str s)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == '@')
			return i < s.n ? folded_hash((struct str){ s.p + i, s.n - i }) : 0;
	return 0;
}

static struct whose whose_of(const struct tenants *t, const struct rec *r, const struct names *n)
{
	static const uint8_t zero[16];
	const struct name *mailbox = names_get(n, r->mailbox), *actor = names_get(n, r->actor);
	struct whose w = { .tenant = r->tenant == t->nil ? 0 : r->tenant };
	struct str guid = name_part(mailbox, 0);
	uint8_t g[16];
	if (guid.n && !(guid_parse(guid, g) && memcmp(g, zero, 16) == 0))
		w.guid = folded_hash(guid);
	w.owner_domain = domain_hash(name_part(mailbox, 1));
	w.domain = domain_hash(name_part(actor, 0));
	if (!w.domain && name_part(actor, 0).n)
		w.account = folded_hash(name_part(actor, 0));
	return w;
}

static uint64_t fact_key(enum fact f, uint64_t hash) { return hash_mix(hash, f); }

static void learn(struct tenants *t, enum fact f, uint64_t hash, uint64_t tenant)
{
	uint64_t key = fact_key(f, hash), *at;
	if (!hash)
		return;
	pthread_mutex_lock(&t->stripes[key % STRIPES].lock);
	at = table_put(&t->stripes[key % STRIPES].facts, key, NULL);
	if (at)
		*at = *at == 0 || *at == tenant ? tenant : AMBIGUOUS;
	pthread_mutex_unlock(&t->stripes[key % STRIPES].lock);
}

uint64_t tenants_collect(struct tenants *t, unsigned lane, const struct rec *r, const struct names *n)
{
	uint64_t key = hash_mix(r->mailbox ^ r->tenant << 1 ^ r->class_ << 8 ^ r->signin_kind, r->actor);
	struct lane *l = t->lanes[lane];
	uint64_t *known = &l->origins[key % CACHE];
	if (l->keys[key % CACHE] == key)
		return r->signin_kind != SIGNIN_NONE ? *known : 0;
	l->keys[key % CACHE] = key;
	struct whose w = whose_of(t, r, n);
	if (w.tenant) {
		pthread_mutex_lock(&t->lock);
		uint8_t *flags = table_put(&t->named, w.tenant, NULL);
		if (flags)
			*flags |= is_signin(r) ? NAMED_BY_SIGNIN : NAMED;
		pthread_mutex_unlock(&t->lock);
	}
	if (!is_signin(r) && w.tenant) {
		learn(t, FACT_GUID, w.guid, w.tenant);
		learn(t, FACT_OWNER_DOMAIN, w.owner_domain, w.tenant);
		learn(t, FACT_ACCOUNT_DOMAIN, w.domain, w.tenant);
		learn(t, FACT_ACCOUNT, w.account, w.tenant);
	}
	if (r->signin_kind != SIGNIN_NONE) {
		uint64_t origin = hash_mix(w.tenant, w.domain ^ w.account << 1) | 1;
		pthread_mutex_lock(&t->lock);
		struct whose *at = table_put(&t->origins, origin, NULL);
		if (at)
			*at = w;
		pthread_mutex_unlock(&t->lock);
		return *known = origin;
	}
	return 0;
}

/* -- when all is read -- */

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* More tenants than are judged: which of them is a function of the set. */
static void cut(struct tenants *t)
{
	uint64_t *v = malloc(t->named.n * sizeof *v);
	size_t n = 0;
	for (size_t i = 0; v && table_next(&t->named, &i, &v[n]); n++)
		;
	if (v)
		qsort(v, n, sizeof *v, ascending);
	for (size_t i = TENANTS_MAX; i < n; i++) {
		uint8_t *flags = table_get(&t->named, v[i]);
		if (flags)
			*flags |= PAST_LIMIT;
	}
	free(v);
}

void tenants_ready(struct tenants *t, const struct names *n)
{
	uint64_t ref, any = 0, named = 0;
	size_t any_count = 0, named_count = 0;
	const uint8_t *flags;
	lanes_free(t);
	t->names = n;
	for (size_t i = 0; (flags = table_next(&t->named, &i, &ref));) {
		any = ref;
		any_count++;
		if (*flags & NAMED) {
			named = ref;
			named_count++;
		}
	}
	t->only = named_count == 1 ? named : !named_count && any_count == 1 ? any : TENANT_UNKNOWN;
	if (any_count > TENANTS_MAX)
		cut(t);
}

static uint64_t fact_of(const struct tenants *t, enum fact f, uint64_t hash)
{
	uint64_t key = fact_key(f, hash);
	const uint64_t *at = hash ? table_get(&t->stripes[key % STRIPES].facts, key) : NULL;
	return at && *at != AMBIGUOUS ? *at : 0;
}

/* ret_all: it is the same for every record that names this tenant, or that names none */
static uint64_t tenant_of(const struct tenants *t, const struct whose *w, bool *ret_all)
{
	const uint8_t *named = w->tenant ? table_get(&t->named, w->tenant) : NULL;
	uint64_t tenant;
	*ret_all = w->tenant ? !named || (*named & NAMED) : t->only != TENANT_UNKNOWN;
	if (w->tenant && !named)
		return TENANT_REFUSED;
	if (named && (*named & NAMED))
		tenant = w->tenant;
	else if (!w->tenant && t->only)
		tenant = t->only;
	else if (!(tenant = fact_of(t, FACT_GUID, w->guid)) && !(tenant = fact_of(t, FACT_OWNER_DOMAIN, w->owner_domain)) &&
		 !(tenant = fact_of(t, FACT_OWNER_DOMAIN, w->domain)) && !(tenant = fact_of(t, FACT_ACCOUNT_DOMAIN, w->domain)) &&
		 !(tenant = fact_of(t, FACT_ACCOUNT, w->account)))
		tenant = w->tenant;
	named = tenant ? table_get(&t->named, tenant) : NULL;
	return named && (*named & PAST_LIMIT) ? TENANT_REFUSED : tenant;
}

uint64_t tenants_of(const struct tenants *t, struct tenants_cache *c, const struct rec *r)
{
	/* a tenant that a record names is nearly always its own: then neither mailbox nor account is looked at */
	if (c->set && c->named == r->tenant && (c->all || (c->mailbox == r->mailbox && c->actor == r->actor)))
		return c->ret;
	struct whose w = whose_of(t, r, t->names);
	*c = (struct tenants_cache){ .named = r->tenant, .mailbox = r->mailbox, .actor = r->actor, .set = true };
	c->ret = tenant_of(t, &w, &c->all);
	return c->ret;
}

uint64_t tenants_of_origin(const struct tenants *t, uint64_t origin)
{
	const struct whose *w = table_get(&t->origins, origin);
	bool all;
	return w ? tenant_of(t, w, &all) : TENANT_UNKNOWN;
}

uint32_t tenants_count(const struct tenants *t) { return (uint32_t)t->named.n; }
uint64_t tenants_only(const struct tenants *t) { return t->only; }

void tenants_persist(struct persist *p, struct tenants *t)
{
	persist_mark(p, "tenants");
	persist_table(p, &t->named, NULL);
	for (unsigned i = 0; i < STRIPES; i++)
		persist_table(p, &t->stripes[i].facts, NULL);
}
