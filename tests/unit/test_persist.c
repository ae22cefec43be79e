/* SPDX-License-Identifier: Apache-2.0 */
/* persist and store: to bytes and back, and data that are refused. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "check.h"
#include "keep.h"

struct thing { uint64_t a; const char *never; uint32_t n; };

struct bag {
	uint32_t count;
	bool yes;
	struct thing *v; uint32_t n;
	struct table t, set;
	char *text, *none;
};

/* a pointer that becomes a number and back */
static const char *const words[] = { "one", "two" };
static void fix(struct persist *p, void *element)
{
	struct thing *x = element;
	if (p->loading) {
		uintptr_t at = (uintptr_t)x->never;
		x->never = at == 1 || at == 2 ? words[at - 1] : NULL;
	} else {
		x->never = (const char *)(uintptr_t)(x->never == words[0] ? 1 : x->never == words[1] ? 2 : 0);
	}
}

static void bag_begin(struct bag *b)
{
	*b = (struct bag){ 0 };
	table_init(&b->t, sizeof(struct thing), 1000);
	table_init(&b->set, 0, 100000);
}

static void bag_release(struct bag *b)
{
	free(b->v);
	free(b->text);
	free(b->none);
	table_release(&b->t);
	table_release(&b->set);
}

static void bag_persist(struct persist *p, void *x)
{
	struct bag *b = x;
	persist_mark(p, "bag");
	persist_count(p, &b->count, 50);
	persist_bool(p, &b->yes);
	persist_array(p, (void **)&b->v, &b->n, sizeof *b->v, 10, fix);
	persist_table(p, &b->t, fix);
	persist_table(p, &b->set, NULL);
	persist_text(p, &b->text, 20);
	persist_text(p, &b->none, 20);
}

static void bag_fill(struct bag *b)
{
	b->count = 50;
	b->yes = true;
	b->n = 3;
	b->v = calloc(3, sizeof *b->v);
	b->v[1] = (struct thing){ 7, words[1], 9 };
	for (uint64_t i = 0; i < 700; i++)
		*(struct thing *)table_put(&b->t, i * i, NULL) = (struct thing){ i, words[i % 2], 5 };
	for (uint64_t i = 0; i < 20000; i++)
		table_put(&b->set, hash_mix(i, 1), NULL);
	for (uint64_t i = 0; i < 5000; i++)
		table_remove(&b->set, hash_mix(3 * i, 1));
	b->text = strdup("Ann");
}

static bool same_table(const struct table *a, const struct table *b)
{
	if (a->n != b->n || a->capacity != b->capacity)
		return false;
	for (size_t i = 0; i < a->capacity; i++)
		if (a->used[i] != b->used[i] || (a->used[i] && memcmp(a->slots + i * a->slot_size, b->slots + i * b->slot_size, a->slot_size) != 0))
			return false;
	return true;
}

static char path[64];

static struct store *opened(enum store_status want)
{
	struct store *s;
	char error[STORE_ERROR_SIZE];
	enum store_status got = store_open(path, &s, error);
	CHECK_MSG(got == want, "%s", error);
	return s;
}

static void test_round(void)
{
	struct bag a, b;
	struct persist p = { .loading = false };
	char error[STORE_ERROR_SIZE];
	struct stat st;
	bag_begin(&a);
	bag_begin(&b);
	bag_fill(&a);
	struct store *s = opened(STORE_NEW), *other;
	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(store_open(path, &other, error) == STORE_UNUSABLE && !other && strstr(error, "another run"));
	store_write(s, "bag", &p);
	bag_persist(&p, &a);
	store_end(s, &p);
	CHECK_TEXT(p.error, "");
	CHECK(a.v[1].never == words[1]); /* fixed in a copy */
	CHECK(store_set_meta(s, "when", "now") && store_commit(s, error));
	store_close(s);

	s = opened(STORE_OK);
	CHECK_TEXT(store_meta(s, "when"), "now");
	CHECK_TEXT(store_meta(s, "what"), "");
	CHECK(store_has(s, "bag") && !store_has(s, "box"));
	p = (struct persist){ 0 };
	store_read(s, "bag", &p);
	bag_persist(&p, &b);
	store_end(s, &p);
	CHECK_TEXT(p.error, "");
	CHECK(b.count == 50 && b.yes && b.n == 3 && b.v[1].a == 7 && b.v[1].n == 9 && b.v[1].never == words[1] && !b.v[0].never);
	CHECK(same_table(&a.t, &b.t));
	CHECK(same_table(&a.set, &b.set));
	CHECK_TEXT(b.text, "Ann");
	CHECK(!b.none);
	/* written again and not committed: as it was */
	p = (struct persist){ 0 };
	bag_release(&b);
	bag_begin(&b);
	store_write(s, "bag", &p);
	bag_persist(&p, &b);
	store_end(s, &p);
	store_close(s);
	s = opened(STORE_OK);
	p = (struct persist){ 0 };
	store_read(s, "bag", &p);
	bag_persist(&p, &b);
	store_end(s, &p);
	CHECK(b.count == 50 && b.t.n == a.t.n);
	store_close(s);
	bag_release(&a);
	bag_release(&b);
}

/* the same bytes, read as something else */
struct bytes { uint8_t v[4096]; size_t n, at; };
static bool put(void *arg, void *p, size_t n)
{
	struct bytes *b = arg;
	if (n > sizeof b->v - b->n)
		return false;
	memcpy(b->v + b->n, p, n);
	b->n += n;
	return true;
}
static bool take(void *arg, void *p, size_t n)
{
	struct bytes *b = arg;
	if (n > b->n - b->at)
		return false;
	memcpy(p, b->v + b->at, n);
	b->at += n;
	return true;
}

static void test_limits(void)
{
	struct bytes b = { .n = 0 };
	struct persist out = { .move = put, .arg = &b }, in = { .loading = true, .move = take, .arg = &b };
	uint32_t numbers[8] = { 1, 2, 3 }, n = 8, *v = numbers, m = 0, *w = NULL;
	persist_array(&out, (void **)&v, &n, sizeof *v, 100, NULL);
	persist_array(&in, (void **)&w, &m, sizeof *w, 7, NULL);
	CHECK(persist_failed(&in) && !w && !m);
	CHECK_TEXT(in.error, "a number is larger than this build allows");
	b.at = 0;
	in = (struct persist){ .loading = true, .move = take, .arg = &b };
	uint64_t *wide = NULL;
	persist_array(&in, (void **)&wide, &m, sizeof *wide, 100, NULL);
	CHECK(!wide && !m && strstr(in.error, "another build"));
	persist_count(&in, &m, 5); /* an error sticks: nothing is read any more */
	CHECK(m == 0 && strstr(in.error, "another build"));
	for (size_t cut = 0; cut < 8 + sizeof numbers; cut++) {
		struct bytes some = b;
		some.n = cut;
		some.at = 0;
		in = (struct persist){ .loading = true, .move = take, .arg = &some };
		persist_array(&in, (void **)&w, &m, sizeof *w, 100, NULL);
		CHECK_MSG(persist_failed(&in) && !w && !m, "cut at %zu", cut);
	}
	b.at = 0;
	in = (struct persist){ .loading = true, .move = take, .arg = &b };
	persist_array(&in, (void **)&w, &m, sizeof *w, 100, NULL);
	CHECK(!persist_failed(&in) && m == 8 && w[2] == 3);
	free(w);
	/* tables: too large, not a power of two, a key twice */
	uint64_t cases[][3] = { { 48, 0, 0 }, { UINT64_C(1) << 40, 0, 0 }, { 16, 17, 0 }, { 8, 0, 0 }, { 0, 3, 0 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct table t;
		uint32_t none = 0;
		table_init(&t, 0, 100);
		b.n = b.at = 0;
		put(&b, cases[i], sizeof cases[i]);
		put(&b, &none, sizeof none);
		put(&b, (uint64_t[3]){ 5, 5, 5 }, 24);
		in = (struct persist){ .loading = true, .move = take, .arg = &b };
		persist_table(&in, &t, NULL);
		CHECK_MSG(persist_failed(&in), "table %zu", i);
		table_release(&t);
	}
}

/* Which second has to pass before it is learnt? */
static void test_bound(void)
{
	const int64_t day = US_PER_DAY, begin = INT64_C(1704672000) * US_PER_SECOND, late = begin + 400 * day; /* 2024-01-08 */
	struct keep_days *d = keep_days_new(), *e = keep_days_new();
	CHECK(d && e);
	CHECK(keep_days_bound(d, late) == INT64_MIN);
	keep_days_add(d, begin + 3600 * US_PER_SECOND);
	CHECK(keep_days_bound(d, late) == begin / US_PER_SECOND + 3600 - 48 * 3600);
	for (int i = 0; i < 5000; i++)
		keep_days_add(i % 2 ? d : e, begin + i * (10 * day / 5000));
	keep_days_take(d, e);
	int64_t bound = keep_days_bound(d, late), newest = (begin + 4999 * (10 * day / 5000)) / US_PER_SECOND;
	CHECK(bound == newest - 48 * 3600);
	/* a few from the future change nothing; the clock stops many */
	for (int i = 0; i < 3; i++)
		keep_days_add(d, begin + 20000 * day);
	CHECK(keep_days_bound(d, late) == bound);
	for (int i = 0; i < 100; i++)
		keep_days_add(d, begin + 20000 * day);
	CHECK(keep_days_bound(d, begin + 10 * day) == (begin + 10 * day) / US_PER_SECOND + 600 - 48 * 3600);
	keep_days_add(d, INT64_MIN);
	keep_days_add(d, INT64_MAX);
	/* of several logs the one that ends first decides, unless it ended long before the audit log */
	int64_t logs[KEEP_LOGS];
	for (int i = 0; i < KEEP_LOGS; i++)
		logs[i] = INT64_MIN;
	CHECK(keep_logs_bound(logs) == INT64_MIN);
	logs[KEEP_SIGNIN] = 100 * 86400;
	CHECK(keep_logs_bound(logs) == 100 * 86400);
	logs[KEEP_AUDIT] = 40 * 86400; /* however far behind: this is the log that is learned */
	CHECK(keep_logs_bound(logs) == 40 * 86400);
	logs[KEEP_DIRECTORY] = (40 - STATE_LAG_DAYS) * 86400;
	CHECK(keep_logs_bound(logs) == logs[KEEP_DIRECTORY]);
	logs[KEEP_DIRECTORY]--;
	CHECK(keep_logs_bound(logs) == logs[KEEP_AUDIT]);
	free(d);
	free(e);
}

int main(void)
{
	char folder[] = "/tmp/taximeter-test-XXXXXX";
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/x.state", folder);
	test_round();
	test_limits();
	test_bound();
	unlink(path);
	rmdir(folder);
	return check_summary();
}
