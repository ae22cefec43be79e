/* SPDX-License-Identifier: Apache-2.0 */
/* history: observations are sorted once, by provider, time and content, and everything else is derived from the sorted list.
 * So the result does not depend on the order of arrival. */
#include "keys/history.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"

struct sighting { /* one key in one observation */
	uint32_t provider, entry;
	int64_t time;
	uint8_t id[HISTORY_ID_BYTES];
};

struct look { /* one observation, with or without keys in it */
	uint32_t provider;
	bool dated;
	int64_t time;
	uint64_t content;
};

struct history {
	bool on_change, closed;
	struct sighting *sightings; size_t sighting_count, sighting_capacity;
	struct look *looks; size_t look_count, look_capacity;
	struct history_provider *providers; uint32_t provider_count, provider_capacity;
	struct history_key *keys; uint32_t key_count;
	struct history_run *runs; size_t run_count;
	struct history_version *versions; size_t version_count;
	int64_t *times; size_t time_count;
	uint64_t repeats;
};

struct history *history_new(bool on_change)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h)
		h->on_change = on_change;
	return h;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	for (uint32_t i = 0; i < h->provider_count; i++)
		free((char *)h->providers[i].name.p);
	free(h->sightings);
	free(h->looks);
	free(h->providers);
	free(h->keys);
	free(h->runs);
	free(h->versions);
	free(h->times);
	free(h);
}

/* -- taking observations -- */

static bool grow(void **p, size_t *capacity, size_t n, size_t more, size_t size, size_t max)
{
	size_t want = *capacity ? *capacity : 64;
	void *grown;

	if (more > max || n > max - more)
		return false;
	if (n + more <= *capacity)
		return true;
	while (want < n + more)
		want *= 2;
	grown = realloc(*p, want * size);
	if (!grown)
		return false;
	*p = grown;
	*capacity = want;
	return true;
}

static bool provider_number(struct history *h, struct str name, uint32_t *ret)
{
	size_t capacity = h->provider_capacity;
	char *copy;

	for (uint32_t i = h->provider_count; i-- > 0;) /* lines of one provider are adjacent */
		if (str_eq(h->providers[i].name, name)) {
			*ret = i;
			return true;
		}
	if (!grow((void **)&h->providers, &capacity, h->provider_count, 1, sizeof(*h->providers), KEYS_PROVIDERS_MAX))
		return false;
	h->provider_capacity = (uint32_t)capacity;
	copy = malloc(name.n + 1);
	if (!copy)
		return false;
	memcpy(copy, name.n ? name.p : "", name.n);
	copy[name.n] = '\0';
	h->providers[h->provider_count] = (struct history_provider){ .name = { copy, name.n }, .dated = true };
	*ret = h->provider_count++;
	return true;
}

bool history_observe(struct history *h, struct str provider, int64_t time_us, bool dated,
		     const uint8_t (*ids)[HISTORY_ID_BYTES], const uint32_t *entries, size_t n)
{
	uint64_t content = n;
	uint32_t number;

	if (!provider_number(h, provider, &number) ||
	    !grow((void **)&h->looks, &h->look_capacity, h->look_count, 1, sizeof(*h->looks), KEYS_SIGHTINGS_MAX) ||
	    !grow((void **)&h->sightings, &h->sighting_capacity, h->sighting_count, n, sizeof(*h->sightings),
		  KEYS_SIGHTINGS_MAX))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct sighting *s = &h->sightings[h->sighting_count++];

		*s = (struct sighting){ .provider = number, .entry = entries[i], .time = time_us };
		memcpy(s->id, ids[i], sizeof(s->id));
		content += hash64(ids[i], sizeof(s->id), entries[i]); /* a sum: the order within a set does not matter */
	}
	h->looks[h->look_count++] = (struct look){ number, dated, time_us, content };
	return true;
}

void history_renumber(struct history *h, const uint32_t *map)
{
	for (size_t i = 0; i < h->sighting_count; i++)
		h->sightings[i].entry = map[h->sightings[i].entry];
}

/* -- order -- */

static int compare_ints(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int compare_times(const void *a, const void *b) { return compare_ints(*(const int64_t *)a, *(const int64_t *)b); }

static int compare_looks(const void *pa, const void *pb)
{
	const struct look *a = pa, *b = pb;
	int c = compare_ints(a->provider, b->provider);

	c = c ? c : compare_ints(a->time, b->time);
	return c ? c : (a->content > b->content) - (a->content < b->content);
}

static int compare_sightings(const void *pa, const void *pb)
{
	const struct sighting *a = pa, *b = pb;
	int c = compare_ints(a->provider, b->provider);

	c = c ? c : memcmp(a->id, b->id, sizeof(a->id));
	c = c ? c : compare_ints(a->time, b->time);
	return c ? c : compare_ints(a->entry, b->entry);
}

static int compare_versions(const void *pa, const void *pb)
{
	const struct history_version *a = pa, *b = pb;
	int c = compare_ints(a->first, b->first);

	c = c ? c : compare_ints(a->last, b->last);
	return c ? c : compare_ints(a->entry, b->entry);
}

static int compare_keys(const void *pa, const void *pb)
{
	const struct history_key *a = pa, *b = pb;
	int c = compare_ints(a->provider, b->provider);

	c = c ? c : compare_ints(a->first, b->first);
	return c ? c : memcmp(a->id, b->id, sizeof(a->id));
}

static int compare_names(const void *pa, const void *pb, void *arg)
{
	const struct history_provider *providers = arg;
	const struct str a = providers[*(const uint32_t *)pa].name, b = providers[*(const uint32_t *)pb].name;
	const int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Providers take their place by name, and everything that names them follows. */
static bool order_providers(struct history *h)
{
	const uint32_t n = h->provider_count;
	uint32_t *order = calloc(n ? n : 1, sizeof(*order)), *place = calloc(n ? n : 1, sizeof(*place));
	struct history_provider *sorted = calloc(n ? n : 1, sizeof(*sorted));
	const bool ok = order && place && sorted;

	for (uint32_t i = 0; i < n && ok; i++)
		order[i] = i;
	if (ok && n) {
		qsort_r(order, n, sizeof(*order), compare_names, h->providers);
		for (uint32_t i = 0; i < n; i++) {
			sorted[i] = h->providers[order[i]];
			place[order[i]] = i;
		}
		for (size_t i = 0; i < h->look_count; i++)
			h->looks[i].provider = place[h->looks[i].provider];
		for (size_t i = 0; i < h->sighting_count; i++)
			h->sightings[i].provider = place[h->sightings[i].provider];
		free(h->providers);
		h->providers = sorted;
		sorted = NULL;
	}
	free(order);
	free(place);
	free(sorted);
	return ok;
}

/* -- from sightings to keys -- */

static bool collect_times(struct history *h)
{
	size_t kept = 0;

	if (h->look_count)
		qsort(h->looks, h->look_count, sizeof(*h->looks), compare_looks);
	h->times = calloc(h->look_count ? h->look_count : 1, sizeof(*h->times));
	if (!h->times)
		return false;
	for (size_t i = 0; i < h->look_count; i++) {
		const struct look *l = &h->looks[i];
		struct history_provider *p = &h->providers[l->provider];

		if (i && compare_looks(l, l - 1) == 0) {
			h->repeats++;
			continue;
		}
		p->dated &= l->dated;
		if (!p->time_count)
			p->times = h->times + kept;
		else if (p->times[p->time_count - 1] == l->time)
			continue; /* another front end at the same moment */
		h->times[kept++] = l->time;
		p->time_count++;
	}
	h->time_count = kept;
	return true;
}

/* place of a time that is among those of the provider */
static uint32_t time_index(const struct history_provider *p, int64_t time)
{
	uint32_t from = 0, to = p->time_count;

	while (to - from > 1) {
		const uint32_t middle = from + (to - from) / 2;
		if (p->times[middle] <= time)
			from = middle;
		else
			to = middle;
	}
	return from;
}

static int64_t absence(const struct history *h, const struct history_run *gone, int64_t back)
{
	return (h->on_change ? back : gone->missing_last) - gone->missing;
}

/* The sightings s[0..n) are those of one key, by time. */
static void make_key(struct history *h, const struct sighting *s, size_t n, int64_t at, struct history_key *k)
{
	const struct history_provider *p = &h->providers[s->provider];
	struct history_run *runs = h->runs + h->run_count, *run = NULL;
	struct history_version *versions = h->versions + h->version_count;
	uint32_t previous = 0;

	*k = (struct history_key){ .provider = s->provider, .runs = runs, .versions = versions };
	memcpy(k->id, s->id, sizeof(k->id));
	for (size_t i = 0; i < n; i++) {
		const uint32_t index = time_index(p, s[i].time);
		uint32_t v = 0;

		while (v < k->version_count && versions[v].entry != s[i].entry)
			v++;
		if (v == k->version_count)
			versions[k->version_count++] = (struct history_version){ s[i].entry, s[i].time, s[i].time };
		versions[v].last = s[i].time;
		if (run && index == previous)
			continue; /* twice in one observation */
		if (!run || index != previous + 1) {
			if (run) {
				run->missing = p->times[previous + 1];
				run->missing_last = p->times[index - 1];
				k->absences++;
				if (absence(h, run, s[i].time) > k->longest_absence)
					k->longest_absence = absence(h, run, s[i].time);
			}
			run = &runs[k->run_count++];
			*run = (struct history_run){ .first = s[i].time };
		}
		run->last = s[i].time;
		k->observations++;
		previous = index;
	}
	k->first = runs[0].first;
	k->last = s[n - 1].time;
	k->present = previous + 1 == p->time_count;
	if (!k->present && run) {
		run->missing = p->times[previous + 1];
		run->missing_last = p->times[p->time_count - 1];
		k->gone_since = run->missing;
		k->gone = at - run->missing > HISTORY_HYSTERESIS_US;
	}
	qsort(versions, k->version_count, sizeof(*versions), compare_versions);
	h->run_count += k->run_count;
	h->version_count += k->version_count;
}

static bool make_keys(struct history *h, int64_t at)
{
	const size_t n = h->sighting_count;
	size_t keys = 0;

	if (n)
		qsort(h->sightings, n, sizeof(*h->sightings), compare_sightings);
	for (size_t i = 0; i < n; i++)
		keys += !i || h->sightings[i].provider != h->sightings[i - 1].provider ||
			memcmp(h->sightings[i].id, h->sightings[i - 1].id, HISTORY_ID_BYTES) != 0;
	h->keys = calloc(keys ? keys : 1, sizeof(*h->keys));
	h->runs = calloc(n ? n : 1, sizeof(*h->runs));
	h->versions = calloc(n ? n : 1, sizeof(*h->versions));
	if (!h->keys || !h->runs || !h->versions)
		return false;
	for (size_t i = 0, to; i < n; i = to) {
		for (to = i + 1; to < n && h->sightings[to].provider == h->sightings[i].provider &&
				 memcmp(h->sightings[to].id, h->sightings[i].id, HISTORY_ID_BYTES) == 0;)
			to++;
		make_key(h, h->sightings + i, to - i, at, &h->keys[h->key_count++]);
	}
	qsort(h->keys, h->key_count, sizeof(*h->keys), compare_keys);
	for (uint32_t i = 0; i < h->key_count; i++) {
		struct history_provider *p = &h->providers[h->keys[i].provider];
		if (!p->key_count++)
			p->first_key = i;
	}
	return true;
}

/* How often does this provider bring a new key?  Keys of the first observation are older than they look and do not count;
 * their time begins the first interval. */
static void measure_rotation(const struct history *h, struct history_provider *p, int64_t *work)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < p->key_count; i++) {
		const int64_t before = h->keys[p->first_key + i - 1].first, first = h->keys[p->first_key + i].first;
		if (first != before)
			work[n++] = first - before;
	}
	if (!n)
		return;
	p->newest_arrival = h->keys[p->first_key + p->key_count - 1].first;
	qsort(work, n, sizeof(*work), compare_times);
	p->rotation = n % 2 ? work[n / 2] : (work[n / 2 - 1] + work[n / 2]) / 2;
}

bool history_close(struct history *h, int64_t at)
{
	size_t kept = 0;
	int64_t *work;

	for (size_t i = 0; i < h->sighting_count; i++)
		if (h->sightings[i].time <= at)
			h->sightings[kept++] = h->sightings[i];
	h->sighting_count = kept;
	kept = 0;
	for (size_t i = 0; i < h->look_count; i++)
		if (h->looks[i].time <= at)
			h->looks[kept++] = h->looks[i];
	h->look_count = kept;
	h->closed = true;
	if (!order_providers(h) || !collect_times(h) || !make_keys(h, at))
		return false;
	work = calloc(h->key_count ? h->key_count : 1, sizeof(*work));
	for (uint32_t i = 0; i < h->provider_count && work; i++)
		measure_rotation(h, &h->providers[i], work);
	free(work);
	return work != NULL;
}

/* -- queries -- */

int64_t history_newest(const struct history *h)
{
	int64_t newest = 0;

	for (size_t i = 0; i < h->look_count; i++)
		if (h->looks[i].dated && h->looks[i].time > newest)
			newest = h->looks[i].time;
	return newest;
}

const struct history_provider *history_providers(const struct history *h, uint32_t *ret_n)
{
	*ret_n = h->provider_count;
	return h->providers;
}

const struct history_key *history_keys(const struct history *h, uint32_t *ret_n)
{
	*ret_n = h->key_count;
	return h->keys;
}

uint64_t history_repeats(const struct history *h) { return h->repeats; }

bool history_on_change(const struct history *h) { return h->on_change; }

bool history_listed_at(const struct history_key *k, int64_t at, int64_t *ret_since)
{
	if (at < k->first)
		return false;
	for (uint32_t i = 0; i < k->run_count; i++) {
		const struct history_run *r = &k->runs[i];
		const bool next = i + 1 < k->run_count && at >= k->runs[i + 1].first;

		if (next)
			continue;
		if (!r->missing || at < r->missing)
			return true;
		*ret_since = r->missing;
		return at - r->missing <= HISTORY_HYSTERESIS_US;
	}
	return false;
}
