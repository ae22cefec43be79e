/* SPDX-License-Identifier: Apache-2.0 */
/* identity: see identity.h. */
#include "identity/identity.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "event/sort.h"

#define AHEAD_US (15 * US_PER_MINUTE)      /* sign-ins are read this far ahead of the accesses */
#define SLOT_US (10 * US_PER_MINUTE)       /* coverage of a category */
#define BATCH 64
#define CLIENT_LINKS_MIN 3                 /* tokens of a client that must have linked before one that does not is odd */
#define APP_HITS_MIN 20                    /* links of a client to one application, before another one is odd */

const char *const prov_verdict_names[PROV_VERDICTS] = { "linked", "orphan", "cannot_say" };
const struct prov_reason_text prov_reasons[PROV_REASONS] = {
#define REASON(symbol, verdict, name, doc) { PROV_##verdict, name, doc },
#include "identity/reasons.h"
#undef REASON
};
const char *const signin_category_names[SIGNIN_CATEGORIES] = {
	"interactive", "non_interactive", "service_principal", "managed_identity", "audit_log",
};

struct slot { uint64_t origin, at; };            /* at: category << 32 | slot */
#define SLOT_NONE (UINT64_C(31) << 32)           /* a sign-in without time: there are sign-ins, and no more is known */
struct app_hour { uint64_t origin; uint32_t app, hour; };

struct lane {
	struct sort_lane *sort;
	struct table slots;  /* hash -> struct slot */
	struct table apps;   /* hash -> struct app_hour */
};

struct app_line { uint32_t app; struct silences line; };

struct signins {
	struct sorter *sorter;
	struct lane *lanes;
	unsigned lane_count;
	bool any, slots_lost, apps_lost, failed;
	const struct tenants *tenants;
	struct tenants_cache cache;
	struct slot *slots; size_t slot_count;        /* of all, by tenant, then at; origin is the tenant now */
	struct app_hour *hours; size_t hour_count;    /* likewise, then app, hour */

	/* the merged stream of sign-ins */
	const struct rec *batch[BATCH];
	size_t batch_at, batch_n;
	bool ended;
	struct identity **v; size_t n;                /* one a tenant */
};

struct identity {
	struct signins *signins;
	uint64_t tenant;
	const struct identity *unknown;   /* sign-ins of unknown tenants; NULL: none, or this itself */
	bool any;
	struct silences categories[SIGNIN_CATEGORIES];
	struct silences interactive;      /* Entra's own and the audit log's together */
	struct app_line *apps; size_t app_count; /* in order of app */

	struct identity_category counts[SIGNIN_CATEGORIES];
	struct store store;

	/* what was judged */
	struct table orphans;             /* tokens without sign-in -> uint32_t second of their last use */
	int64_t orphans_swept_us;
	struct table pairs[2];            /* this day and the one before */
	int64_t pairs_day;
	struct identity_client *clients; uint32_t client_count;
	struct identity_client nobody;    /* records that name no client: judged by all clients together */
	struct provenance at;
	uint64_t reasons[PROV_REASONS];
};

struct signins *signins_new(unsigned lanes)
{
	struct signins *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->lanes = calloc(lanes, sizeof *s->lanes);
	s->sorter = sorter_new(lanes, IDENTITY_SORT_BYTES);
	if (!s->lanes || !s->sorter) {
		signins_free(s);
		return NULL;
	}
	s->lane_count = lanes;
	for (unsigned i = 0; i < lanes; i++) {
		s->lanes[i].sort = sorter_lane(s->sorter, i);
		table_init(&s->lanes[i].slots, sizeof(struct slot), IDENTITY_SLOTS_MAX);
		table_init(&s->lanes[i].apps, sizeof(struct app_hour), IDENTITY_APP_HOURS_MAX);
	}
	return s;
}

static void lanes_release(struct signins *s)
{
	for (unsigned i = 0; i < s->lane_count; i++) {
		table_release(&s->lanes[i].slots);
		table_release(&s->lanes[i].apps);
	}
}

static void identity_free(struct identity *x)
{
	if (!x)
		return;
	for (int i = 0; i < SIGNIN_CATEGORIES; i++)
		silences_release(&x->categories[i]);
	silences_release(&x->interactive);
	for (size_t i = 0; i < x->app_count; i++)
		silences_release(&x->apps[i].line);
	free(x->apps);
	store_release(&x->store);
	table_release(&x->orphans);
	table_release(&x->pairs[0]);
	table_release(&x->pairs[1]);
	free(x->clients);
	free(x);
}

void signins_free(struct signins *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		identity_free(s->v[i]);
	free(s->v);
	lanes_release(s);
	free(s->lanes);
	free(s->slots);
	free(s->hours);
	sorter_free(s->sorter);
	free(s);
}

/* -- while reading -- */

void signins_collect(struct signins *s, unsigned lane, const struct rec *r, uint64_t origin)
{
	struct lane *l = &s->lanes[lane];
	if (!rec_is_signin(r) || r->signin_kind == SIGNIN_NONE)
		return;
	sort_add(l->sort, r);
	uint64_t at = r->flags & REC_NO_TIME ? SLOT_NONE : (uint64_t)(r->signin_kind - 1) << 32 | (uint64_t)(r->time_us / SLOT_US);
	struct slot *slot = table_put(&l->slots, hash_mix(origin, at), NULL);
	if (slot)
		*slot = (struct slot){ origin, at };
	if (r->flags & REC_NO_TIME)
		return;
	uint32_t app = short_hash(r->client), hour = (uint32_t)(r->time_us / US_PER_HOUR);
	struct app_hour *a = app ? table_put(&l->apps, hash_mix(hash_mix(origin, app), hour), NULL) : NULL;
	if (a)
		*a = (struct app_hour){ origin, app, hour };
}

void signins_lane_done(struct signins *s, unsigned lane)
{
	sort_lane_done(s->lanes[lane].sort);
}

/* -- coverage -- */

static int by_slot(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	if (x->origin != y->origin)
		return x->origin < y->origin ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int by_app_hour(const void *a, const void *b)
{
	const struct app_hour *x = a, *y = b;
	if (x->origin != y->origin)
		return x->origin < y->origin ? -1 : 1;
	if (x->app != y->app)
		return x->app < y->app ? -1 : 1;
	return x->hour < y->hour ? -1 : x->hour > y->hour;
}

/* The slots of all lanes as one list, by tenant.  A table past its ceiling has lost entries, and which ones depends on the
 * threads: then nothing of it is used. */
static int merge_lanes(struct signins *s)
{
	size_t slots = 0, hours = 0;
	const struct slot *slot;
	const struct app_hour *hour;
	uint64_t key;
	for (unsigned i = 0; i < s->lane_count; i++) {
		slots += s->lanes[i].slots.n;
		hours += s->lanes[i].apps.n;
		s->slots_lost |= s->lanes[i].slots.refused > 0;
		s->apps_lost |= s->lanes[i].apps.refused > 0;
	}
	s->slots = malloc((slots + 1) * sizeof *s->slots);
	s->hours = malloc((hours + 1) * sizeof *s->hours);
	if (!s->slots || !s->hours)
		return -1;
	for (unsigned i = 0; i < s->lane_count; i++) {
		for (size_t at = 0; !s->slots_lost && (slot = table_next(&s->lanes[i].slots, &at, &key)); )
			s->slots[s->slot_count++] = (struct slot){ s->tenants ? tenants_of_origin(s->tenants, slot->origin) : 0, slot->at };
		for (size_t at = 0; !s->apps_lost && (hour = table_next(&s->lanes[i].apps, &at, &key)); )
			s->hours[s->hour_count++] =
				(struct app_hour){ s->tenants ? tenants_of_origin(s->tenants, hour->origin) : 0, hour->app, hour->hour };
	}
	qsort(s->slots, s->slot_count, sizeof *s->slots, by_slot);
	qsort(s->hours, s->hour_count, sizeof *s->hours, by_app_hour);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* the timeline of the categories whose bits are set; one slot may be in two of them */
static int make_categories(const struct slot *slots, size_t count, unsigned mask, struct silences *ret)
{
	uint32_t *v = malloc((count + 1) * sizeof *v);
	size_t n = 0, kept = 0;
	if (!v)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (mask >> (slots[i].at >> 32) & 1)
			v[n++] = (uint32_t)slots[i].at;
	qsort(v, n, sizeof *v, by_number);
	for (size_t i = 0; i < n; i++)
		if (!kept || v[kept - 1] != v[i])
			v[kept++] = v[i];
	return silences_make(ret, SLOT_US, v, kept);
}

static int make_apps(struct identity *x, const struct app_hour *v, size_t n)
{
	size_t apps = 0;
	for (size_t i = 0; i < n; i++)
		apps += i == 0 || v[i].app != v[i - 1].app;
	x->apps = calloc(apps + 1, sizeof *x->apps);
	if (!x->apps)
		return -1;
	for (size_t i = 0; i < n; ) {
		size_t j = i, kept = 0;
		while (j < n && v[j].app == v[i].app)
			j++;
		uint32_t *slots = malloc((j - i) * sizeof *slots);
		if (!slots)
			return -1;
		for (size_t k = i; k < j; k++)
			if (!kept || slots[kept - 1] != v[k].hour)
				slots[kept++] = v[k].hour;
		x->apps[x->app_count].app = v[i].app;
		if (silences_make(&x->apps[x->app_count++].line, US_PER_HOUR, slots, kept) != 0)
			return -1;
		i = j;
	}
	return 0;
}

/* when the tenant's sign-in logs were alive */
static int make_lines(struct identity *x)
{
	const struct signins *s = x->signins;
	size_t from = 0, to, first = 0, last;
	int failed = 0;
	x->any = s->slots_lost && s->any;
	while (from < s->slot_count && s->slots[from].origin < x->tenant)
		from++;
	for (to = from; to < s->slot_count && s->slots[to].origin == x->tenant; to++)
		;
	while (first < s->hour_count && s->hours[first].origin < x->tenant)
		first++;
	for (last = first; last < s->hour_count && s->hours[last].origin == x->tenant; last++)
		;
	for (unsigned i = 0; i < SIGNIN_CATEGORIES; i++)
		failed |= make_categories(s->slots + from, to - from, 1u << i, &x->categories[i]);
	failed |= make_categories(s->slots + from, to - from, 1u << (SIGNIN_INTERACTIVE - 1) | 1u << (SIGNIN_AUDIT - 1), &x->interactive);
	failed |= make_apps(x, s->hours + first, last - first);
	x->any |= to > from;
	return failed;
}

struct identity *signins_of(struct signins *s, uint64_t tenant)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i]->tenant == tenant)
			return s->v[i];
	struct identity **v = realloc(s->v, (s->n + 1) * sizeof *v), *x = v ? calloc(1, sizeof *x) : NULL;
	if (v)
		s->v = v;
	if (!x) {
		s->failed = true;
		return NULL;
	}
	x->signins = s;
	x->tenant = tenant;
	store_init(&x->store);
	table_init(&x->orphans, sizeof(uint32_t), IDENTITY_UNLINKED_MAX);
	table_init(&x->pairs[0], 0, IDENTITY_PAIRS_MAX);
	table_init(&x->pairs[1], 0, IDENTITY_PAIRS_MAX);
	s->v[s->n++] = x;
	if (make_lines(x) != 0)
		s->failed = true;
	if (tenant != TENANT_UNKNOWN && s->slot_count && s->slots[0].origin == TENANT_UNKNOWN)
		x->unknown = signins_of(s, TENANT_UNKNOWN);
	return x;
}

int signins_ready(struct signins *s, const struct tenants *t)
{
	s->tenants = t;
	sorter_tenants(s->sorter, t);
	if (merge_lanes(s) != 0)
		return -1;
	lanes_release(s);
	s->batch_n = sorter_next(s->sorter, s->batch, BATCH);
	s->any = s->batch_n > 0;
	s->ended = s->batch_n == 0;
	return 0;
}

static const struct silences *app_line(const struct identity *x, uint32_t app)
{
	size_t low = 0, high = x->app_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (x->apps[middle].app < app)
			low = middle + 1;
		else
			high = middle;
	}
	return low < x->app_count && x->apps[low].app == app ? &x->apps[low].line : NULL;
}

/* -- the stream of sign-ins -- */

static void take_signin(struct identity *x, const struct rec *r)
{
	struct identity_category *c = &x->counts[r->signin_kind - 1];
	c->rows++;
	if (r->flags & REC_NO_TIME) {
		c->without_time++;
	} else {
		if (!c->first_us || r->time_us < c->first_us)
			c->first_us = r->time_us;
		if (r->time_us > c->last_us)
			c->last_us = r->time_us;
	}
	if (!(r->flags & REC_SUCCESS))
		return; /* a failed sign-in issues nothing; it shows that the log was alive */
	c->issued++;
	store_add(&x->store, r);
}

static void feed(struct signins *s, int64_t until_us)
{
	while (!s->ended) {
		while (s->batch_at < s->batch_n) {
			const struct rec *r = s->batch[s->batch_at];
			if (r->time_us > until_us && !(r->flags & REC_NO_TIME))
				return;
			uint64_t tenant = s->tenants ? tenants_of(s->tenants, &s->cache, r) : TENANT_UNKNOWN;
			struct identity *x = tenant == TENANT_REFUSED ? NULL : signins_of(s, tenant);
			if (x)
				take_signin(x, r);
			s->batch_at++;
		}
		s->batch_at = 0;
		s->batch_n = sorter_next(s->sorter, s->batch, BATCH);
		s->ended = s->batch_n == 0;
	}
}

void signins_end(struct signins *s)
{
	feed(s, INT64_MAX);
}

/* -- judging -- */

static struct identity_client *client_at(struct identity *x, const struct world *w, uint32_t client)
{
	if (client == NONE)
		return &x->nobody;
	if (client >= x->client_count) {
		uint32_t want = client + client / 2 + 64;
		struct identity_client *p = realloc(x->clients, want * sizeof *p);
		if (!p) {
			x->signins->failed = true;
			return NULL;
		}
		memset(p + x->client_count, 0, (want - x->client_count) * sizeof *p);
		x->clients = p;
		x->client_count = want;
	}
	struct identity_client *c = &x->clients[client];
	if (!c->app_ref_known) {
		struct str caller = world_client_part(w, client, CLIENT_CALLER), parts[3] = { caller, caller, caller };
		c->app_ref = names_ref(NAME_CLIENT, parts, 3);
		c->app_ref_known = true;
	}
	return c;
}

static bool is_access(const struct rec *r)
{
	if (r->class_ == CLASS_GRAPH)
		return true;
	if (r->class_ != CLASS_AUDIT || rec_is_signin(r))
		return false;
	return r->mailbox || (r->flags & (REC_HAS_TOKEN | REC_HAS_SESSION)) || r->op == OP_MAIL_ITEMS_ACCESSED;
}

/* True the first time in this day and the one before. */
static bool pair_is_new(struct identity *x, const struct event *e, int64_t issued_us, unsigned kind)
{
	const struct rec *r = e->rec;
	int64_t day = r->time_us / US_PER_DAY;
	uint64_t key = hash_mix(hash_mix(r->client ^ (uint64_t)kind, r->actor), (uint64_t)(issued_us / US_PER_HOUR) << 32 | e->net);
	bool is_new;
	if (day != x->pairs_day) {
		struct table old = x->pairs[1];
		x->pairs[1] = x->pairs[0];
		x->pairs[0] = old;
		table_release(&x->pairs[0]);
		table_init(&x->pairs[0], 0, IDENTITY_PAIRS_MAX);
		x->pairs_day = day;
	}
	if (table_get(&x->pairs[1], key))
		return false;
	return table_put(&x->pairs[0], key, &is_new) && is_new;
}

static bool is_fresh(const void *value, uint64_t key, void *arg)
{
	(void)key;
	return *(const uint32_t *)value >= *(const uint32_t *)arg;
}

/* True the first time that this token (session) without sign-in is seen within the life of a token. */
static bool orphan_is_new(struct identity *x, const struct rec *r, bool by_session)
{
	uint64_t key = by_session ? ~id_key(r->session, r->flags & REC_SESSION_TEXT) : id_key(r->token, r->flags & REC_TOKEN_TEXT);
	uint32_t now = (uint32_t)(r->time_us / US_PER_SECOND), oldest = now - (uint32_t)(TOKEN_LIFE_US / US_PER_SECOND);
	bool is_new;
	if (r->time_us - x->orphans_swept_us >= 6 * US_PER_HOUR) {
		table_keep_if(&x->orphans, is_fresh, &oldest);
		x->orphans_swept_us = r->time_us;
	}
	uint32_t *last = table_put(&x->orphans, key, &is_new);
	if (!last)
		return false;
	*last = now;
	return is_new;
}

/* Does an application act here, and not a person?  Then its sign-in is that of a service principal. */
static bool is_app_only(const struct rec *r)
{
	return r->user_type == 5 + 1 || r->user_type == 6 + 1;
}

/* The sign-ins that decide what is covered: the tenant's own or, if it has none, those of unknown tenants. */
static const struct identity *covering(const struct identity *x)
{
	return !x->any && x->unknown ? x->unknown : x;
}

/* What the sign-ins of the logs can show about a token that would have been issued in [from, to]. */
static enum prov_reason ask_coverage(const struct identity *x, const struct rec *r, const struct identity_client *c,
	int64_t from, int64_t to)
{
	x = covering(x);
	const struct silences *need[2] = { &x->categories[SIGNIN_NONINTERACTIVE - 1], &x->interactive };
	int count = 2;
	bool quiet = false;
	if (is_app_only(r)) { /* a service principal or a managed identity, and always the same one of the two */
		need[0] = &x->categories[SIGNIN_SERVICE_PRINCIPAL - 1];
		need[1] = &x->categories[SIGNIN_MANAGED_IDENTITY - 1];
		if (c && c->kinds >> SIGNIN_SERVICE_PRINCIPAL & 1)
			count = 1;
	}
	for (int i = 0; i < count; i++)
		if (!need[i]->slot_count)
			return REASON_CATEGORY;
	for (int i = 0; i < count; i++) {
		switch (silences_ask(need[i], from, to)) {
		case LOG_EMPTY: return REASON_CATEGORY;
		case LOG_BEFORE: return REASON_BEFORE;
		case LOG_AFTER: return REASON_AFTER;
		case LOG_HOLE: return REASON_HOLE;
		case LOG_QUIET: quiet |= i == 0; break;
		case LOG_COVERED: break;
		}
	}
	return quiet ? REASON_ORPHAN_QUIET : REASON_ORPHAN;
}

/* the first use of a token or session: how many link, and how many do not, is counted by account, network and hour, so that
 * a thousand tokens of one account weigh as one */
static void count_first(struct identity *x, const struct event *e, struct identity_client *c, struct provenance *p, bool linked)
{
	int64_t hour = p->issued_us == INT64_MIN ? e->rec->time_us : p->issued_us;
	p->pair_is_new = pair_is_new(x, e, hour, linked | (unsigned)p->by_session << 1);
	for (int i = 0; i < 2; i++) { /* this client, then all together */
		struct identity_client *to = i ? &x->nobody : c;
		if (linked) {
			to->by[p->by_session].linked++;
			to->by[p->by_session].linked_pairs += p->pair_is_new;
		} else {
			to->by[p->by_session].orphans++;
			to->by[p->by_session].orphan_pairs += p->pair_is_new;
		}
		if (to == &x->nobody)
			break;
	}
}

/* A token, or the session of a record without one, that no sign-in of the logs has issued. */
static enum prov_reason judge_unlinked(struct identity *x, const struct event *e, struct identity_client *c, struct provenance *p)
{
	const struct rec *r = e->rec;
	int64_t from = r->time_us - TOKEN_LIFE_US, to = r->time_us + SKEW_US;
	if (r->issued_s && !p->by_session) {
		int64_t issued = (int64_t)r->issued_s * US_PER_SECOND;
		if (issued < from - 2 * SKEW_US)
			return REASON_OLD;
		from = issued - SKEW_US;
		to = issued + ISSUE_OFFSET_US + SKEW_US;
		if (to > r->time_us + AHEAD_US)
			return REASON_FUTURE; /* its sign-in has not been read yet; token-outside-life reports it */
	}
	enum prov_reason reason = ask_coverage(x, r, c, from, to);
	if (reason != REASON_ORPHAN && reason != REASON_ORPHAN_QUIET)
		return p->by_session ? REASON_SESSION_UNKNOWN : reason;
	if (p->by_session)
		reason = REASON_ORPHAN_SESSION;
	if (store_is_full_at(&x->store, r->time_us) || (x->unknown && store_is_full_at(&x->unknown->store, r->time_us)))
		return REASON_FULL;
	if (!c)
		return REASON_CLIENT;
	const struct silences *line = c->app ? app_line(covering(x), c->app) : NULL;
	if (line && silences_ask(line, from, to) == LOG_HOLE)
		return REASON_APP_HOLE;
	p->judged = true;
	bool links = c->by[p->by_session].linked_pairs >= CLIENT_LINKS_MIN
		&& c->by[p->by_session].linked_pairs > c->by[p->by_session].orphan_pairs;
	/* the record of a renewal is not a use: the token's first use is still to come */
	p->first = r->op != OP_GATFR_TOKEN_ISSUE && orphan_is_new(x, r, p->by_session);
	if (p->first)
		count_first(x, e, c, p, false);
	return links ? reason : p->by_session ? REASON_SESSION_UNKNOWN : REASON_CLIENT;
}

/* which application signs in for this client: the one most often seen, by votes */
static void learn_app(struct identity_client *c, uint32_t app)
{
	if (!app)
		return;
	if (c->app == app) {
		c->app_votes++;
		c->app_hits++;
	} else if (c->app_votes) {
		c->app_votes--;
		c->app_misses++;
	} else {
		c->app = app;
		c->app_votes = 1;
		c->app_misses += c->app_hits;
		c->app_hits = 1;
	}
}

static void judge_linked(struct identity *x, const struct event *e, struct identity_client *c, struct issue *i, struct provenance *p)
{
	const struct rec *r = e->rec;
	uint32_t actor = short_hash(r->actor), device = short_hash(r->device);
	p->issue = i;
	p->judged = true;
	if (p->issued_us == INT64_MIN)
		p->issued_us = (int64_t)i->time_s * US_PER_SECOND - ISSUE_OFFSET_US;
	p->actor_differs = actor && i->actor && actor != i->actor && !(i->flags & ISSUE_CLASH);
	p->device_differs = device && i->device && device != i->device;
	if (!c || r->op == OP_GATFR_TOKEN_ISSUE)
		return;
	p->first = !(i->flags & ISSUE_USED);
	i->flags |= ISSUE_USED;
	p->app_differs = e->client != NONE && i->app && c->app && i->app != c->app && i->app != short_hash(c->app_ref)
		&& c->app_hits >= APP_HITS_MIN && c->app_misses * 50 <= c->app_hits;
	if (p->first) {
		learn_app(c, i->app);
		c->kinds |= i->kinds;
		count_first(x, e, c, p, true);
	}
}

const struct provenance *identity_judge(struct identity *x, const struct world *w, const struct event *e)
{
	const struct rec *r = e->rec;
	struct provenance *p = &x->at;
	enum prov_reason reason = REASON_NO_ID;
	struct issue *i;
	if (!is_access(r) || (r->flags & REC_NO_TIME))
		return NULL;
	struct identity_client *c = client_at(x, w, e->client);
	*p = (struct provenance){ .issued_us = r->issued_s ? (int64_t)r->issued_s * US_PER_SECOND : INT64_MIN };
	if (!identity_has_signins(x)) {
		reason = REASON_NO_SIGNINS;
		goto done;
	}
	feed(x->signins, r->time_us + AHEAD_US);
	if (r->flags & REC_HAS_SESSION && !(p->session = store_session(&x->store, r)) && x->unknown)
		p->session = store_session(&x->unknown->store, r);
	if (r->flags & REC_HAS_TOKEN) {
		if ((i = store_token(&x->store, r)) || (x->unknown && (i = store_token(&x->unknown->store, r)))) {
			judge_linked(x, e, c, i, p);
			reason = REASON_TOKEN;
		} else if (store_timeless(&x->store, r) || (x->unknown && store_timeless(&x->unknown->store, r))) {
			reason = REASON_TOKEN_NO_TIME;
		} else {
			reason = judge_unlinked(x, e, c, p);
		}
	} else if (r->flags & REC_HAS_SESSION) {
		p->by_session = true;
		reason = p->session ? REASON_SESSION : judge_unlinked(x, e, c, p);
		if (p->session) {
			p->judged = true;
			p->first = !(p->session->flags & ISSUE_USED);
			p->session->flags |= ISSUE_USED;
			if (p->first && c)
				count_first(x, e, c, p, true);
		}
	}
done:
	p->reason = (uint8_t)reason;
	p->verdict = (uint8_t)prov_reasons[reason].verdict;
	x->reasons[reason]++;
	if (c)
		c->reasons[reason]++;
	return p;
}

/* -- what is known -- */

bool identity_has_signins(const struct identity *x)
{
	return x && (x->any || x->unknown);
}

bool identity_says_something(const struct identity *x)
{
	uint64_t judged = 0;
	for (int r = 0; x && r < PROV_REASONS; r++)
		judged += x->reasons[r];
	return identity_has_signins(x) && (x->any || judged);
}

const char *signins_error(const struct signins *s)
{
	return s->failed ? "out of memory while joining sign-ins" : sorter_error(s->sorter);
}

const struct identity_category *identity_category(const struct identity *x, unsigned category)
{
	return &x->counts[category];
}

const struct silences *identity_timeline(const struct identity *x, unsigned category)
{
	return &x->categories[category];
}

const struct identity_client *identity_client(const struct identity *x, uint32_t client)
{
	static const struct identity_client none;
	return x && client < x->client_count ? &x->clients[client] : &none;
}

uint64_t identity_count(const struct identity *x, enum prov_reason reason)
{
	return x->reasons[reason];
}

uint64_t identity_refused(const struct identity *x)
{
	return x->store.refused + x->orphans.refused + x->pairs[0].refused + x->pairs[1].refused;
}
