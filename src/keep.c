/* SPDX-License-Identifier: Apache-2.0 */
/* keep: see keep.h. */
#include "keep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "detect/detect.h"
#include "layout.inc"
#include "tenant.h"

#define DAYS ((size_t)((TIME_MAX_US - TIME_MIN_US) / US_PER_DAY))

/* -- what is the newest? -- */

struct keep_days {
	uint64_t n;
	struct { uint32_t n, last_s; } day[DAYS]; /* last_s: in the day */
};

struct keep_days *keep_days_new(void) { return calloc(1, sizeof(struct keep_days)); }

void keep_days_add(struct keep_days *d, int64_t time_us)
{
	if (time_us < TIME_MIN_US || time_us >= TIME_MAX_US)
		return;
	uint64_t t = (uint64_t)(time_us - TIME_MIN_US);
	size_t i = (size_t)(t / (uint64_t)US_PER_DAY);
	uint32_t s = (uint32_t)(t % (uint64_t)US_PER_DAY / (uint64_t)US_PER_SECOND);
	d->n++;
	d->day[i].n += d->day[i].n < UINT32_MAX;
	if (s > d->day[i].last_s)
		d->day[i].last_s = s;
}

void keep_days_take(struct keep_days *d, const struct keep_days *other)
{
	d->n += other->n;
	for (size_t i = 0; i < DAYS; i++) {
		d->day[i].n += other->day[i].n < UINT32_MAX - d->day[i].n ? other->day[i].n : 0;
		if (other->day[i].last_s > d->day[i].last_s)
			d->day[i].last_s = other->day[i].last_s;
	}
}

/* One record dated 2099 must not close every day before it.  In today's exports the clock shows what is in the future; in an
 * old export it does not help, so the newest thousandth of the records does not count.  Too early is harmless: what
 * is not learnt today is learnt tomorrow. */
int64_t keep_days_bound(const struct keep_days *d, int64_t now_us)
{
	uint64_t odd = d->n / STATE_ODD_SHARE, sum = 0;
	if (!d->n)
		return INT64_MIN;
	if (!odd && d->n > 2)
		odd = 1;
	for (size_t i = DAYS; i-- > 0;) {
		sum += d->day[i].n;
		if (sum <= odd)
			continue;
		int64_t newest = TIME_MIN_US / US_PER_SECOND + (int64_t)i * (US_PER_DAY / US_PER_SECOND) + d->day[i].last_s;
		int64_t latest = now_us / US_PER_SECOND + STATE_FUTURE_MINUTES * INT64_C(60);
		return (newest < latest ? newest : latest) - STATE_OPEN_HOURS * INT64_C(3600);
	}
	return INT64_MIN;
}

unsigned keep_log(const struct rec *r)
{
	switch (r->class_) {
	case CLASS_AUDIT:
		return KEEP_AUDIT;
	case CLASS_SIGNIN:
		return KEEP_SIGNIN + (r->signin_kind <= SIGNIN_AUDIT ? r->signin_kind : 0);
	case CLASS_DIRECTORY:
		return KEEP_DIRECTORY;
	case CLASS_GRAPH:
		return KEEP_GRAPH;
	default:
		return KEEP_OTHER;
	}
}

int64_t keep_logs_bound(const int64_t bound[KEEP_LOGS])
{
	int64_t lead = bound[KEEP_AUDIT], least;
	for (int i = 0; i < KEEP_LOGS && bound[KEEP_AUDIT] == INT64_MIN; i++)
		lead = bound[i] > lead ? bound[i] : lead;
	least = lead;
	for (int i = 0; i < KEEP_LOGS; i++)
		if (bound[i] != INT64_MIN && bound[i] < least && bound[i] >= lead - STATE_LAG_DAYS * INT64_C(86400))
			least = bound[i];
	return least;
}

/* -- the file -- */

/* "logs" in the file: a number for each log, in the order of their list */
static void parse_log_bounds(struct keep *k, const char *text)
{
	for (int i = 0; i < KEEP_LOGS; i++) {
		char *end;
		k->log_bound[i] = strtoll(text, &end, 10);
		if (end == text)
			k->log_bound[i] = INT64_MIN;
		text = *end == ' ' ? end + 1 : end;
	}
}

static bool save_log_bounds(struct keep *k)
{
	char text[KEEP_LOGS * 24];
	size_t n = 0;
	for (int i = 0; i < KEEP_LOGS; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%" PRId64, i ? " " : "", k->log_bound[i]);
	return store_set_meta(k->store, "logs", text);
}

bool keep_open(struct keep *k, const char *path, const char *networks, double budget)
{
	char text[64];
	*k = (struct keep){ .bound = INT64_MIN };
	parse_log_bounds(k, "");
	table_init(&k->told, sizeof(struct told), ALERTS_MAX);
	table_init(&k->telling, sizeof(struct told), ALERTS_MAX);
	enum store_status status = store_open(path, &k->store, k->error);
	if (status == STORE_UNUSABLE)
		return false;
	if (status == STORE_OK) {
		const char *was = store_meta(k->store, "layout");
		if (strcmp(was, STATE_LAYOUT) != 0) {
			snprintf(k->error, sizeof k->error, "%s: written by another build of Taximeter, whose memory has another form; use that "
				 "one, or give the name of a new file", path);
			goto refused;
		}
		was = store_meta(k->store, "networks");
		if (strcmp(was, networks) != 0) {
			snprintf(k->error, sizeof k->error, "%s: was learnt with networks by %s, and now they are by %s: all would be new; %s", path,
				 was, networks, "give --asn as before, or the name of a new file");
			goto refused;
		}
		k->budget = strtod(store_meta(k->store, "budget"), NULL);
		char *end;
		const char *bound = store_meta(k->store, "bound");
		k->bound = strtoll(bound, &end, 10);
		if (end == bound || *end) {
			snprintf(k->error, sizeof k->error, "%s: this state file is damaged; restore a copy, or give the name of a new file", path);
			goto refused;
		}
		parse_log_bounds(k, store_meta(k->store, "logs"));
	}
	snprintf(text, sizeof text, "%.17g", budget);
	if (store_set_meta(k->store, "layout", STATE_LAYOUT) && store_set_meta(k->store, "networks", networks) && store_set_meta(k->store, "budget", text) &&
	    store_set_meta(k->store, "tool", "taximeter " TXM_VERSION))
		return true;
	snprintf(k->error, sizeof k->error, "%s: cannot be written", path);
refused:
	store_close(k->store);
	k->store = NULL;
	return false;
}

void keep_close(struct keep *k)
{
	store_close(k->store);
	k->store = NULL;
	table_release(&k->told);
	table_release(&k->telling);
}

static void section(struct keep *k, const struct keep_parts *parts, struct alerts *alerts, bool loading, const char *name,
	void (*visit)(struct persist *p, void *object), void *object)
{
	struct persist p = { .names = parts->names, .alerts = alerts };
	if (k->error[0])
		return;
	if (loading)
		store_read(k->store, name, &p);
	else
		store_write(k->store, name, &p);
	visit(&p, object);
	store_end(k->store, &p);
	if (!persist_failed(&p))
		return;
	if (loading)
		snprintf(k->error, sizeof k->error, "%s: the part \"%s\" of this state file is damaged: %s; restore a copy, or give the "
			 "name of a new file", store_path(k->store), name, p.error);
	else
		snprintf(k->error, sizeof k->error, "%s: could not be written (%s): it stays as it was before this run", store_path(k->store), p.error);
}

static void visit_names(struct persist *p, void *x) { names_persist(p, x); }
static void visit_world(struct persist *p, void *x) { world_persist(p, x); }
static void visit_alerts(struct persist *p, void *x) { alerts_persist(p, x); }
static void visit_sorter(struct persist *p, void *x) { sorter_persist(p, x); }
static void visit_whose(struct persist *p, void *x) { tenants_persist(p, x); }
static void visit_table(struct persist *p, void *x) { persist_table(p, x, NULL); }

static void visit_tenants(struct persist *p, void *x)
{
	const struct keep_parts *parts = x;
	uint32_t n = (uint32_t)*parts->tenant_count;
	persist_count(p, &n, TENANTS_MAX + 1);
	for (uint32_t i = 0; i < n && !persist_failed(p); i++) {
		uint64_t ref = p->loading ? 0 : (*parts->tenants)[i]->ref;
		persist_u64(p, &ref);
		if (p->loading && !persist_failed(p) && (!parts->make(parts->make_arg, ref) || *parts->tenant_count != i + 1))
			persist_fail(p, "a tenant in it occurs twice, or memory is short");
	}
}

static void sections(struct keep *k, const struct keep_parts *parts, bool loading)
{
	char name[96];
	section(k, parts, NULL, loading, "names", visit_names, parts->names);
	section(k, parts, NULL, loading, "whose", visit_whose, parts->whose);
	section(k, parts, NULL, loading, "ids", visit_sorter, parts->sorter);
	section(k, parts, NULL, loading, "tenants", visit_tenants, (void *)parts);
	for (size_t t = 0; t < *parts->tenant_count && !k->error[0]; t++) {
		struct tenant *x = (*parts->tenants)[t];
		snprintf(name, sizeof name, "%zu:world", t);
		section(k, parts, &x->alerts, loading, name, visit_world, x->world);
		snprintf(name, sizeof name, "%zu:alerts", t);
		section(k, parts, &x->alerts, loading, name, visit_alerts, &x->alerts);
		for (size_t i = 0; detectors[i]; i++) {
			if (!detectors[i]->persist)
				continue;
			snprintf(name, sizeof name, "%zu:detector:%s", t, detectors[i]->name);
			section(k, parts, &x->alerts, loading, name, detectors[i]->persist, x->states[i]);
		}
	}
}

/* -- records kept as they are: length and bytes of each, then 0 -- */

struct taker { void (*take)(void *arg, const struct rec *r); void *arg; };

static void visit_pending(struct persist *p, void *x)
{
	static const uint32_t most = sizeof(struct rec) + UINT16_MAX;
	struct taker *t = x;
	struct rec *r = malloc(most);
	if (!r)
		persist_fail(p, "out of memory");
	persist_element(p, sizeof *r);
	while (!persist_failed(p)) {
		uint32_t n = 0;
		persist_count(p, &n, most);
		if (!n)
			break;
		if (n < sizeof *r)
			persist_fail(p, "a record of it is too short");
		persist_bytes(p, r, n);
		if (!persist_failed(p) && (n != sizeof *r + r->tail_bytes || r->class_ >= CLASS_COUNT || r->op >= OP_COUNT))
			persist_fail(p, "a record of it is none");
		if (!persist_failed(p))
			t->take(t->arg, r);
	}
	free(r);
}

bool keep_load(struct keep *k, const struct keep_parts *parts, void (*take)(void *arg, const struct rec *r), void *arg)
{
	struct taker t = { take, arg };
	if (!store_has(k->store, "tenants"))
		return true; /* new */
	sections(k, parts, true);
	section(k, parts, NULL, true, "told", visit_table, &k->told);
	section(k, parts, NULL, true, "pending", visit_pending, &t);
	return !k->error[0];
}

void keep_save(struct keep *k, const struct keep_parts *parts, int64_t bound)
{
	char text[32];
	sections(k, parts, false);
	snprintf(text, sizeof text, "%" PRId64, bound);
	if (!k->error[0] && (!store_set_meta(k->store, "bound", text) || !save_log_bounds(k)))
		snprintf(k->error, sizeof k->error, "%s: could not be written: it stays as it was before this run", store_path(k->store));
	k->bound = bound;
	k->pending = (struct persist){ .names = parts->names };
	k->writing = !k->error[0];
	if (!k->writing)
		return;
	store_write(k->store, "pending", &k->pending);
	persist_element(&k->pending, sizeof(struct rec));
}

void keep_pending(struct keep *k, const struct rec *r)
{
	uint32_t n = (uint32_t)sizeof *r + r->tail_bytes;
	if (!k->writing)
		return;
	persist_u32(&k->pending, &n);
	persist_bytes(&k->pending, (void *)r, n);
}

/* -- what is new -- */

static uint64_t finding_hash(const struct alert *al)
{
	const uint64_t v[] = { al->severity, al->records, al->items, (uint64_t)al->first_us, (uint64_t)al->last_us, al->mailboxes.total,
			       al->clients.total, al->nets.total, al->actors.total, al->folders_synced };
	return hash64(v, sizeof v, 0);
}

enum news keep_is_news(struct keep *k, uint64_t tenant, const struct alert *al, struct str line)
{
	uint64_t number = strtoull(al->id + 4, NULL, 16), key = hash_mix(number, tenant);
	const struct told *before = table_get(&k->told, key), now = { hash_str(line, 0), finding_hash(al), tenant, number };
	struct told *place = table_put(&k->telling, key, NULL);
	if (place)
		*place = now;
	if (!before || before->finding != now.finding)
		return NEWS;
	return before->line != now.line ? NEWS_WORDS : NEWS_NONE;
}

void keep_carry(struct keep *k, uint64_t tenant)
{
	const struct told *told;
	uint64_t key;
	for (size_t i = 0; (told = table_next(&k->told, &i, &key));) {
		struct told *place = told->tenant == tenant ? table_put(&k->telling, key, NULL) : NULL;
		if (place)
			*place = *told;
	}
}

void keep_rename(struct keep *k, uint64_t from, uint64_t to)
{
	struct table renamed;
	const struct told *told;
	table_init(&renamed, sizeof(struct told), ALERTS_MAX);
	for (size_t i = 0; (told = table_next(&k->told, &i, NULL));) {
		struct told x = *told, *place;
		x.tenant = x.tenant == from ? to : x.tenant;
		place = table_put(&renamed, hash_mix(x.number, x.tenant), NULL);
		if (place)
			*place = x;
	}
	table_release(&k->told);
	k->told = renamed;
}

static int by_number(const void *a, const void *b)
{
	const struct told *x = a, *y = b;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->tenant < y->tenant ? -1 : x->tenant > y->tenant;
}

struct told *keep_withdrawn(const struct keep *k, size_t *ret_n)
{
	struct told *v = malloc((k->told.n + 1) * sizeof *v);
	const struct told *told;
	uint64_t key;
	*ret_n = 0;
	for (size_t i = 0; v && (told = table_next(&k->told, &i, &key));)
		if (!table_get(&k->telling, key))
			v[(*ret_n)++] = *told;
	if (v && *ret_n)
		qsort(v, *ret_n, sizeof *v, by_number);
	return v;
}

bool keep_commit(struct keep *k)
{
	struct keep_parts none = { 0 };
	if (k->writing) {
		uint32_t end = 0;
		persist_u32(&k->pending, &end);
		store_end(k->store, &k->pending);
		k->writing = false;
		if (persist_failed(&k->pending))
			snprintf(k->error, sizeof k->error, "%s: could not be written (%s): it stays as it was before this run",
				 store_path(k->store), k->pending.error);
	}
	section(k, &none, NULL, false, "told", visit_table, &k->telling);
	return !k->error[0] && store_commit(k->store, k->error);
}
