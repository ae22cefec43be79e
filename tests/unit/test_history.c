/* SPDX-License-Identifier: Apache-2.0 */
/* history: first real providers' lists over five months (tests/data/jwks-history, observed by somebody else), then
 * made histories for the edges: order, repetition, hysteresis, holes. */
#include <stdlib.h>

#include "check.h"
#include "keys/audit.h"
#include "source/source.h"

#define DAY US_PER_DAY
#define HOUR US_PER_HOUR

/* -- the real histories -- */

static void read_history(struct audit *a, const char *name, unsigned seed)
{
	static char text[8 * 1024 * 1024]; /* two NULs end it */
	char path[512], *lines[1024];
	const char *root = getenv("TXM_SOURCE_ROOT"), *paths[1] = { path };
	const struct source_stream *stream;
	struct source *s;
	struct buf error;
	size_t n = 0, got, count = 0;

	snprintf(path, sizeof(path), "%s/tests/data/jwks-history/%s.ndjson.xz", root ? root : ".", name);
	s = source_new(paths, 1);
	CHECK(s && source_next(s, &stream) == SOURCE_OK);
	while (n < sizeof(text) - 2 && source_read(s, text + n, sizeof(text) - 2 - n, &got) == SOURCE_OK)
		n += got;
	memset(text + n, 0, 2);
	source_free(s);
	for (char *p = text; *p && count < 1024; p += strlen(p) + 1) { /* the line end becomes the end of the line */
		p[strcspn(p, "\n")] = '\0';
		lines[count++] = p;
	}
	/* any order gives the same; seed 0 = as it is */
	for (size_t i = count; seed && i > 1; i--) {
		size_t k;
		char *t;
		seed = seed * 1103515245 + 12345;
		k = (seed >> 8) % i;
		t = lines[i - 1], lines[i - 1] = lines[k], lines[k] = t;
	}
	buf_init(&error, 4096);
	for (size_t i = 0; i < count; i++)
		CHECK_MSG(audit_take_line(a, str_of(lines[i]), &error), "%s:%zu: %.*s", name, i + 1, STR_ARG(buf_str(&error)));
	buf_release(&error);
}

static struct audit *real_history(const char *name)
{
	static const struct audit_settings settings = { .on_change = true };
	struct audit *a = audit_new(&settings);

	read_history(a, name, 0);
	CHECK(audit_run(a));
	return a;
}

static int compare_ints(const void *pa, const void *pb)
{
	const int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;

	return (a > b) - (a < b);
}

/* For how long was it listed?  In tenths of a day, of those keys that the last observation has no more. */
static int64_t tenths(int64_t us) { return (us * 10 + DAY / 2) / DAY; }

static uint32_t retired(const struct audit *a, int64_t *ret_median, int64_t *ret_min, int64_t *ret_max)
{
	uint32_t n, count = 0;
	const struct history_key *keys = history_keys(audit_history(a), &n);
	int64_t lives[64];

	for (uint32_t i = 0; i < n && count < 64; i++)
		if (!keys[i].present)
			lives[count++] = keys[i].last - keys[i].first;
	qsort(lives, count, sizeof(*lives), compare_ints);
	*ret_median = tenths(count % 2 ? lives[count / 2] : (lives[count / 2 - 1] + lives[count / 2]) / 2);
	*ret_min = tenths(lives[0]);
	*ret_max = tenths(lives[count - 1]);
	return count;
}

static void entra(void)
{
	struct audit *a = real_history("entra-common");
	uint32_t n, providers, left = 0, returns = 0, consumer = 0, templates = 0, government = 0, within_5 = 0, old = 0;
	const struct history_key *keys = history_keys(audit_history(a), &n);
	const struct history_provider *p = history_providers(audit_history(a), &providers);
	int64_t longest = 0, median, min, max, delay_min = INT64_MAX, delay_max = 0;
	bool rsa_2048 = true, kid_is_x5t = true, no_alg = true;

	CHECK(providers == 1 && p->time_count == 240 && n == 42);
	for (uint32_t i = 0; i < n; i++) {
		const struct key *k = audit_key(a, &keys[i]);
		const int64_t delay = (keys[i].first - k->cert.not_before_us) / DAY, age = keys[i].last - k->cert.not_before_us;

		left += keys[i].absences > 0;
		returns += keys[i].absences;
		longest = keys[i].longest_absence > longest ? keys[i].longest_absence : longest;
		consumer += str_find(k->issuer, STR("9188040d-6c67-4c5b-b112-36a304b66dad")) >= 0;
		templates += str_find(k->issuer, STR("{tenantid}")) >= 0;
		government += str_eq(k->cert.common_name, STR("login.microsoftonline.us"));
		rsa_2048 &= k->kind == KEY_RSA && k->bits == 2048;
		kid_is_x5t &= str_eq(k->kid, k->x5t) && !key_has(k, KEY_FAULT_X5T_MISMATCH) && k->cert.present;
		no_alg &= k->alg == JWS_ALG_ABSENT;
		delay_min = delay < delay_min ? delay : delay_min;
		delay_max = delay > delay_max ? delay : delay_max;
		within_5 += delay <= 5;
		old += age > 90 * DAY;
	}
	CHECK(left == 34 && returns == 123);
	CHECK((longest * 10 + HOUR / 2) / HOUR == 480);
	CHECK(consumer == 12 && templates == 30 && government == 10);
	CHECK(rsa_2048 && kid_is_x5t && no_alg);
	CHECK(delay_min == 2 && delay_max == 91 && within_5 == 27 && old == 3);
	CHECK(retired(a, &median, &min, &max) == 35);
	CHECK(median == 347 && min == 6 && max == 721);
	audit_free(a);
}

static void others(void)
{
	static const struct {
		const char *name;
		uint32_t keys, retired;
		int64_t median;
	} rows[] = { { "google", 20, 18, 160 }, { "apple", 6, 3, 219 }, { "spotify", 13, 10, 140 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct audit *a = real_history(rows[i].name);
		uint32_t n, absences = 0;
		const struct history_key *keys = history_keys(audit_history(a), &n);
		int64_t median, min, max;

		for (uint32_t k = 0; k < n; k++)
			absences += keys[k].absences;
		CHECK_MSG(n == rows[i].keys && absences == 0, "%s", rows[i].name);
		CHECK_MSG(retired(a, &median, &min, &max) == rows[i].retired && median == rows[i].median, "%s", rows[i].name);
		audit_free(a);
	}
}

static void report_of(unsigned seed, bool twice, struct buf *ret)
{
	static const struct audit_settings settings = { .on_change = true };
	static const char *const names[] = { "entra-common", "google", "apple", "spotify", "docker" };
	struct audit *a = audit_new(&settings);

	for (size_t i = 0; i < 5; i++)
		read_history(a, names[seed ? (i + seed) % 5 : i], seed);
	for (size_t i = 0; i < 5 && twice; i++)
		read_history(a, names[i], seed + 17);
	CHECK(audit_run(a));
	audit_ndjson(a, ret, 0);
	audit_text(a, ret, 0, false);
	audit_html(a, ret, 0);
	audit_free(a);
}

static void order_means_nothing(void)
{
	struct buf first, other;

	buf_init(&first, 64 << 20);
	buf_init(&other, 64 << 20);
	report_of(0, false, &first);
	CHECK(first.n > 50000);
	for (unsigned seed = 1; seed <= 3; seed++) {
		buf_clear(&other);
		report_of(seed, seed == 2, &other);
		CHECK_MSG(str_eq(buf_str(&first), buf_str(&other)), "seed %u", seed);
	}
	buf_release(&first);
	buf_release(&other);
}

/* -- made histories: keys are single bytes -- */

static void observe(struct history *h, const char *provider, int64_t hour, const char *keys)
{
	uint8_t ids[16][HISTORY_ID_BYTES] = { { 0 } };
	uint32_t entries[16];
	const size_t n = strlen(keys);

	for (size_t i = 0; i < n; i++) {
		ids[i][0] = (uint8_t)keys[i];
		entries[i] = (uint32_t)keys[i];
	}
	CHECK(history_observe(h, str_of(provider), 1000 * DAY + hour * HOUR, true, (const uint8_t (*)[HISTORY_ID_BYTES])ids, entries, n));
}

static const struct history_key *key_of(const struct history *h, char c)
{
	uint32_t n;
	const struct history_key *keys = history_keys(h, &n);

	for (uint32_t i = 0; i < n; i++)
		if (keys[i].id[0] == (uint8_t)c)
			return &keys[i];
	return NULL;
}

static void absences(bool on_change, int64_t missing_until, bool *ret_gone, int64_t *ret_longest)
{
	struct history *h = history_new(on_change);
	const struct history_key *k;

	observe(h, "p", 0, "ab");
	observe(h, "p", 10, "b");
	observe(h, "p", missing_until - 1, "b");
	observe(h, "p", missing_until, "ab");
	CHECK(history_close(h, 1000 * DAY + missing_until * HOUR));
	k = key_of(h, 'a');
	CHECK(k && k->run_count == 2 && k->absences == 1 && k->present);
	*ret_longest = k->longest_absence / HOUR;
	*ret_gone = k->longest_absence > HISTORY_HYSTERESIS_US;
	history_free(h);
}

static void hysteresis(void)
{
	struct history *h;
	const struct history_key *k;
	int64_t longest, since = 0;
	bool gone;

	absences(true, 10 + 72, &gone, &longest); /* exactly three days: it flapped */
	CHECK(!gone && longest == 72);
	absences(true, 10 + 73, &gone, &longest);
	CHECK(gone && longest == 73);
	absences(false, 10 + 73, &gone, &longest); /* a sampled history has not seen the last hour */
	CHECK(!gone && longest == 72);

	h = history_new(true);
	observe(h, "p", 0, "ab");
	observe(h, "p", 5, "b");
	CHECK(history_close(h, 1000 * DAY + 78 * HOUR));
	k = key_of(h, 'a');
	CHECK(!k->present && k->gone && k->gone_since == 1000 * DAY + 5 * HOUR);
	CHECK(key_of(h, 'b')->present && !key_of(h, 'b')->gone);
	CHECK(history_listed_at(k, 1000 * DAY + 4 * HOUR, &since));
	CHECK(history_listed_at(k, 1000 * DAY + 77 * HOUR, &since));
	CHECK(!history_listed_at(k, 1000 * DAY + 78 * HOUR, &since) && since == 1000 * DAY + 5 * HOUR);
	CHECK(!history_listed_at(k, 999 * DAY, &since));
	history_free(h);

	h = history_new(true);
	observe(h, "p", 0, "ab");
	observe(h, "p", 5, "b");
	CHECK(history_close(h, 1000 * DAY + 77 * HOUR));
	CHECK(!key_of(h, 'a')->gone);
	history_free(h);
}

static void rotation_and_cut(void)
{
	struct history *h = history_new(true);
	uint32_t n;
	const struct history_provider *p;

	observe(h, "z", 0, "a");
	observe(h, "p", 20, "ab");
	observe(h, "p", 0, "a");
	observe(h, "p", 0, "c"); /* another front end at the same moment */
	observe(h, "p", 50, "bd");
	observe(h, "p", 90, "de");
	observe(h, "p", 500, "x");
	CHECK(history_newest(h) == 1000 * DAY + 500 * HOUR);
	CHECK(history_close(h, 1000 * DAY + 100 * HOUR));
	p = history_providers(h, &n);
	CHECK(n == 2 && str_eq(p[0].name, STR("p")) && str_eq(p[1].name, STR("z")));
	CHECK(p[0].time_count == 4 && p[0].key_count == 5 && p[1].key_count == 1);
	CHECK(p[0].rotation == 30 * HOUR); /* 20, 30, 40 hours: those of the start are not counted as arrivals */
	CHECK(p[0].newest_arrival == 1000 * DAY + 90 * HOUR && p[1].newest_arrival == 0 && p[1].rotation == 0);
	CHECK(!key_of(h, 'x'));
	history_free(h);

	h = history_new(false);
	CHECK(history_close(h, 1000 * DAY));
	CHECK(!history_keys(h, &n) || n == 0);
	history_free(h);
}

int main(void)
{
	entra();
	others();
	order_means_nothing();
	hysteresis();
	rotation_and_cut();
	return check_summary();
}
