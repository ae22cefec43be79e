/* SPDX-License-Identifier: Apache-2.0 */
/* test_sort: records of any order in, in order and once each out; against the plainest sorter there is (one array, qsort,
 * and for each record a look at all that went before), for many seeds, numbers of lanes and sizes of memory.
 *
 * The order that is promised: second, class, id.  Of copies (same class and id) in one second the highest rank is used, of
 * equal ranks the smallest bytes; of copies in different seconds the first. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "check.h"
#include "event/sort.h"

static uint64_t state;

static uint64_t draw(void) /* splitmix64 */
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* -- records -- */

struct recs {
	struct rec **p;
	size_t n, capacity;
};

static struct rec *add(struct recs *l, int64_t us, uint64_t id, size_t tail)
{
	if (l->n == l->capacity) {
		l->capacity = l->capacity ? 2 * l->capacity : 64;
		l->p = realloc(l->p, l->capacity * sizeof *l->p);
	}
	struct rec *r = calloc(1, sizeof *r + tail);
	if (!l->p || !r)
		abort();
	r->time_us = us;
	for (int i = 0; i < 8; i++) {
		r->id[i] = (uint8_t)(id >> (56 - 8 * i));
		r->id[15 - i] = (uint8_t)(id >> (56 - 8 * i));
	}
	r->tail_bytes = (uint16_t)tail;
	for (size_t i = 0; i < tail; i++)
		((uint8_t *)(r + 1))[i] = (uint8_t)(id + i);
	l->p[l->n++] = r;
	return r;
}

static void recs_release(struct recs *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->p[i]);
	free(l->p);
	memset(l, 0, sizeof *l);
}

static size_t bytes_of(const struct rec *r) { return sizeof *r + r->tail_bytes; }

static int compare_content(const struct rec *x, const struct rec *y)
{
	size_t n = bytes_of(x), m = bytes_of(y);
	int c = memcmp(x, y, n < m ? n : m);
	return c ? c : (n > m) - (n < m);
}

static int compare(const void *a, const void *b)
{
	const struct rec *x = *(struct rec *const *)a, *y = *(struct rec *const *)b;
	int64_t s = x->time_us / US_PER_SECOND, t = y->time_us / US_PER_SECOND;
	if (s != t)
		return s < t ? -1 : 1;
	if (x->class_ != y->class_)
		return x->class_ - y->class_;
	int c = memcmp(x->id, y->id, 16);
	if (c == 0 && x->rank != y->rank)
		return y->rank - x->rank;
	return c ? c : compare_content(x, y);
}

static int compare_by_id(const void *a, const void *b)
{
	const struct rec *x = *(struct rec *const *)a, *y = *(struct rec *const *)b;
	if (x->class_ != y->class_)
		return x->class_ - y->class_;
	int c = memcmp(x->id, y->id, 16);
	return c ? c : compare(a, b);
}

/* what must come out of l, in order: the first copy of each */
static struct recs expected(const struct recs *l, struct sort_counts *ret)
{
	struct rec **by_id = malloc((l->n + 1) * sizeof *by_id);
	struct recs out = { .p = malloc((l->n + 1) * sizeof *out.p) };
	if (!by_id || !out.p)
		abort();
	if (l->n)
		memcpy(by_id, l->p, l->n * sizeof *by_id);
	qsort(by_id, l->n, sizeof *by_id, compare_by_id);
	*ret = (struct sort_counts){ .in = l->n };
	for (size_t i = 0, used = 0; i < l->n; i++) {
		const struct rec *u = by_id[used], *r = by_id[i];
		if (i == 0 || r->class_ != u->class_ || memcmp(r->id, u->id, 16) != 0) {
			used = i;
			out.p[out.n++] = by_id[i];
		} else {
			ret->duplicates++;
		}
	}
	/* conflicts: in the second of the copy used, equal rank and other content; in another second, one for each second (its
	 * own copies are held against the first of them) and those that differ from it */
	for (size_t i = 0, used = 0, first = 0; i < l->n; i++) {
		const struct rec *u = by_id[used], *r = by_id[i], *f = by_id[first];
		if (i == 0 || r->class_ != u->class_ || memcmp(r->id, u->id, 16) != 0) {
			used = first = i;
		} else if (r->time_us / US_PER_SECOND != f->time_us / US_PER_SECOND) {
			first = i;
			ret->conflicts++;
		} else {
			ret->conflicts += r->rank == f->rank && compare_content(r, f) != 0;
		}
	}
	qsort(out.p, out.n, sizeof *out.p, compare);
	free(by_id);
	return out;
}

/* -- through the sorter -- */

struct how {
	unsigned lanes;
	size_t memory;     /* of sorter_new */
	size_t lane_bytes; /* not 0: of sorter_shrink */
	size_t generation;
	size_t batch;
};

static struct sorter *fill(const struct recs *l, struct how how, uint64_t seed)
{
	struct sorter *s = sorter_new(how.lanes, how.memory);
	if (!s)
		abort();
	if (how.lane_bytes)
		sorter_shrink(s, how.lane_bytes, how.generation ? how.generation : DEDUP_IDS_PER_GENERATION);
	state = seed;
	for (size_t i = 0; i < l->n; i++)
		sort_add(sorter_lane(s, (unsigned)(draw() % how.lanes)), l->p[i]);
	for (unsigned i = 0; i < how.lanes; i++)
		sort_lane_done(sorter_lane(s, i));
	return s;
}

/* what comes out, copied */
static struct recs drain(struct sorter *s, size_t batch)
{
	struct recs out = { 0 };
	const struct rec *got[100];
	size_t n;
	while ((n = sorter_next(s, got, batch))) {
		CHECK(n <= batch && n <= 64);
		for (size_t i = 0; i < n; i++) {
			struct rec *r = add(&out, 0, 0, got[i]->tail_bytes);
			memcpy(r, got[i], bytes_of(got[i]));
		}
	}
	CHECK(sorter_next(s, got, batch) == 0); /* the end stays the end */
	return out;
}

static bool equal(const struct recs *a, const struct recs *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; i < a->n && same; i++)
		same = bytes_of(a->p[i]) == bytes_of(b->p[i]) && compare_content(a->p[i], b->p[i]) == 0;
	return same;
}

static void check_sorted(int line, const struct recs *l, struct how how, uint64_t seed)
{
	struct sort_counts want_counts, counts;
	struct recs want = expected(l, &want_counts);
	struct sorter *s = fill(l, how, seed);
	struct recs got = drain(s, how.batch ? how.batch : 64);
	counts = sorter_counts(s);
	CHECK_MSG(equal(&got, &want), "line %d, seed %" PRIu64 ", %u lanes, %zu bytes: %zu records, not %zu", line, seed, how.lanes, how.lane_bytes, got.n, want.n);
	CHECK_MSG(counts.in == want_counts.in && counts.duplicates == want_counts.duplicates && counts.conflicts == want_counts.conflicts,
		"line %d, seed %" PRIu64 ", %u lanes: in %" PRIu64 ", copies %" PRIu64 ", conflicts %" PRIu64 ", not %" PRIu64 ", %" PRIu64 ", %" PRIu64, line, seed,
		how.lanes, counts.in, counts.duplicates, counts.conflicts, want_counts.in, want_counts.duplicates, want_counts.conflicts);
	CHECK_TEXT(sorter_error(s), "");
	sorter_free(s);
	recs_release(&got);
	free(want.p);
}
#define CHECK_SORTED(l, ...) check_sorted(__LINE__, l, (struct how){ __VA_ARGS__ }, 1)

/* -- by hand -- */

enum { T = 1700000000 };
#define AT(second) ((T + (second)) * US_PER_SECOND)

static void test_small(void)
{
	struct recs l = { 0 };
	for (unsigned lanes = 1; lanes <= 7; lanes += 1 + lanes / 2) { /* nothing; one */
		CHECK_SORTED(&l, .lanes = lanes, .memory = MIB);
	}
	add(&l, AT(5), 9, 0);
	CHECK_SORTED(&l, .lanes = 1, .memory = MIB);
	CHECK_SORTED(&l, .lanes = 7, .memory = 0);
	/* order: time first, class before id, ids as bytes; microseconds of one second do not count */
	add(&l, AT(3), 300, 0);
	add(&l, AT(5) + 999999, 1, 0);
	add(&l, AT(5) + 1, 2, 0);
	add(&l, AT(4), 0x8000000000000000, 0)->class_ = CLASS_SIGNIN;
	add(&l, AT(4), 0xffffffffffffffff, 0);
	add(&l, AT(4), 255, 0);
	add(&l, AT(4), 256, 0);
	add(&l, 0, 7, 0)->flags = REC_NO_TIME;
	add(&l, TIME_MAX_US - 1, 8, 0);
	struct sorter *s = fill(&l, (struct how){ .lanes = 2, .memory = MIB }, 1);
	struct recs got = drain(s, 3);
	static const uint64_t order[] = { 7, 300, 255, 256, 0xffffffffffffffff, 0x8000000000000000, 1, 2, 9, 8 };
	CHECK(got.n == 10);
	for (size_t i = 0; i < got.n && i < 10; i++) {
		uint64_t id = 0;
		for (int k = 0; k < 8; k++)
			id = id << 8 | got.p[i]->id[k];
		CHECK_MSG(id == order[i], "place %zu: %" PRIx64, i, id);
	}
	sorter_free(s);
	recs_release(&got);
	CHECK_SORTED(&l, .lanes = 3, .memory = MIB, .batch = 1);
	recs_release(&l);

	s = sorter_new(3, MIB); /* freed without having been asked for anything */
	sort_lane_done(sorter_lane(s, 1));
	sorter_free(s);
}

static void check_copies(int line, struct recs *l, size_t kept, uint64_t duplicates, uint64_t conflicts, uint32_t items_used)
{
	for (unsigned lanes = 1; lanes <= 3; lanes++) {
		struct sorter *s = fill(l, (struct how){ .lanes = lanes, .memory = MIB }, lanes);
		struct recs got = drain(s, 64);
		struct sort_counts c = sorter_counts(s);
		CHECK_MSG(got.n == kept && c.duplicates == duplicates && c.conflicts == conflicts && got.n && got.p[0]->items == items_used,
			"line %d: %zu kept, %" PRIu64 " copies, %" PRIu64 " conflicts, items %u", line, got.n, c.duplicates, c.conflicts, got.n ? got.p[0]->items : 0);
		sorter_free(s);
		recs_release(&got);
		check_sorted(line, l, (struct how){ .lanes = lanes, .memory = MIB }, 9);
	}
	recs_release(l);
}
#define CHECK_COPIES(l, ...) check_copies(__LINE__, l, __VA_ARGS__)

static void test_copies(void)
{
	struct recs l = { 0 };
	struct rec *r;
	/* equal */
	for (int i = 0; i < 118; i++)
		add(&l, AT(1), 5, 64)->items = 3;
	CHECK_COPIES(&l, 1, 117, 0, 3);
	/* unequal, equally good: the smaller bytes win, wherever they come from */
	for (int i = 0; i < 4; i++)
		add(&l, AT(1), 5, 0)->items = i == 2 ? 0x00000001 : 0x01000001;
	CHECK_COPIES(&l, 1, 3, 3, 1);
	/* in their details alone: a conflict too, also when the batch has ended between them */
	for (int i = 0; i < 3; i++)
		((uint8_t *)(add(&l, AT(1), 5, 8) + 1))[7] = (uint8_t)(i == 1);
	CHECK_COPIES(&l, 1, 2, 1, 0);
	/* of unequal rank: the better one wins and it is no conflict */
	for (int i = 0; i < 4; i++) {
		r = add(&l, AT(1), 5, 0);
		r->rank = (uint8_t)i;
		r->items = (uint32_t)i;
	}
	CHECK_COPIES(&l, 1, 3, 0, 3);
	/* with another fraction of the second */
	add(&l, AT(1) + 5, 5, 0)->items = 1;
	add(&l, AT(1), 5, 0)->items = 1;
	CHECK_COPIES(&l, 1, 1, 1, 1);
	/* of another time: the first wins, each is a conflict, though it be of a better rank */
	for (int i = 0; i < 4; i++) {
		r = add(&l, AT(4 - i), 5, 0);
		r->items = 7 + (uint32_t)(i == 3);
		r->rank = (uint8_t)(3 - i);
	}
	CHECK_COPIES(&l, 1, 3, 3, 8);
	/* of another class: other records */
	add(&l, AT(1), 5, 0);
	add(&l, AT(1), 5, 0)->class_ = CLASS_SIGNIN;
	add(&l, AT(2), 5, 0)->class_ = CLASS_GRAPH;
	CHECK_COPIES(&l, 3, 0, 0, 0);
	/* ids that begin alike are not the same */
	r = add(&l, AT(1), 5, 0);
	r->id[9] = 1;
	add(&l, AT(1), 5, 0);
	CHECK_COPIES(&l, 2, 0, 0, 0);
	/* no time: all in one "second" */
	for (int i = 0; i < 3; i++)
		add(&l, 0, 5 + (uint64_t)(i / 2), 0)->flags = REC_NO_TIME;
	CHECK_COPIES(&l, 2, 1, 0, 0);

	/* a batch that ends between copies */
	for (int batch = 1; batch <= 3; batch++) {
		for (int i = 0; i < 9; i++)
			add(&l, AT(1), (uint64_t)i / 3, i / 3 == 1 ? 80 : 0)->items = (uint32_t)(i % 3 == 2);
		CHECK_SORTED(&l, .lanes = 2, .memory = MIB, .batch = (size_t)batch);
		recs_release(&l);
	}
}

/* -- against the plain sorter -- */

static void random_recs(struct recs *l, uint64_t seed, size_t n)
{
	state = seed * 7919;
	size_t seconds = 1 + draw() % (seed % 4 == 0 ? 3 : 2 * n);
	size_t ids = 1 + draw() % (seed % 3 == 0 ? n / 4 + 1 : 4 * n);
	for (size_t i = 0; i < n; i++) {
		/* one at a time: the order of evaluation is the compiler's */
		size_t most = draw() % 50 ? 40 : 6000, tail = draw() % 10 ? 0 : 8 * (draw() % most);
		int64_t us = AT((int64_t)(draw() % seconds));
		us += (int64_t)(draw() % 3);
		struct rec *r = add(l, us, draw() % ids, tail);
		r->class_ = (uint8_t)(draw() % 8 == 0);
		r->rank = (uint8_t)(draw() % 4 ? 3 : draw() % 4);
		r->items = (uint32_t)(draw() % 5 ? 1 : draw() % 3);
	}
}

static void test_random(void)
{
	static const unsigned lanes[] = { 1, 2, 7 };
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct recs l = { 0 };
		random_recs(&l, seed, seed % 10 == 0 ? 5000 : 10 + seed * 12);
		for (size_t i = 0; i < 3; i++) {
			check_sorted(__LINE__, &l, (struct how){ .lanes = lanes[i], .memory = MIB }, seed);
			/* spilling, to a few runs and to many */
			check_sorted(__LINE__, &l, (struct how){ .lanes = lanes[i], .memory = 0, .lane_bytes = 8 }, seed);
			check_sorted(__LINE__, &l, (struct how){ .lanes = lanes[i], .memory = 0, .lane_bytes = 50000, .batch = 1 + seed % 64 }, seed);
		}
		recs_release(&l);
	}
}

static void test_many_runs(void)
{
	/* about 410 records a run: more runs than are merged at once, in one round and in two */
	struct recs l = { 0 };
	state = 5;
	for (size_t i = 0; i < 60000; i++) {
		int64_t us = AT((int64_t)(draw() % 100000));
		uint64_t id = draw() % 50000;
		add(&l, us, id, draw() % 100 ? 0 : 48);
	}
	for (unsigned lanes = 1; lanes <= 7; lanes += 3)
		CHECK_SORTED(&l, .lanes = lanes, .memory = 0, .lane_bytes = 8);
	struct sorter *s = fill(&l, (struct how){ .lanes = 1, .memory = 0, .lane_bytes = 8 }, 1);
	struct recs got = drain(s, 64);
	CHECK(sorter_counts(s).spilled_bytes > l.n * sizeof(struct rec)); /* written once, and some again */
	CHECK(sorter_counts(s).spilled_bytes < 3 * l.n * sizeof(struct rec));
	sorter_free(s);
	recs_release(&got);
	recs_release(&l);

	/* the largest records there are */
	for (size_t i = 0; i < 400; i++)
		add(&l, AT((int64_t)(draw() % 100)), i, 49152);
	CHECK_SORTED(&l, .lanes = 2, .memory = 0, .lane_bytes = 8);
	CHECK_SORTED(&l, .lanes = 2, .memory = 0, .lane_bytes = 300000);
	recs_release(&l);
}

static void test_one_second(void)
{
	struct recs l = { 0 };
	state = 6;
	for (size_t i = 0; i < 100000; i++)
		add(&l, AT(1), draw() % 80000, 0);
	CHECK_SORTED(&l, .lanes = 1, .memory = 64 * MIB);
	CHECK_SORTED(&l, .lanes = 3, .memory = 0, .lane_bytes = 500000);
	recs_release(&l);
}

/* Ids are remembered for one to two generations of records: copies nearer than that are found, farther ones are not. */
static void test_generations(void)
{
	enum { GENERATION = 1000 };
	for (size_t distance = 100; distance <= 3000; distance += 100) {
		struct recs l = { 0 };
		for (size_t i = 0; i < 5000; i++)
			add(&l, AT((int64_t)i), i, 0);
		add(&l, AT((int64_t)(2500 + distance)), 2500, 0)->class_ = CLASS_AUDIT; /* sorts before the record of that second or after it */
		struct sorter *s = fill(&l, (struct how){ .lanes = 2, .memory = 0, .lane_bytes = 20000, .generation = GENERATION }, 1);
		struct recs got = drain(s, 64);
		struct sort_counts c = sorter_counts(s);
		if (distance < 3000 && distance <= GENERATION)
			CHECK_MSG(c.duplicates == 1 && c.conflicts == 1 && got.n == 5000, "%zu apart: %" PRIu64 " copies", distance, c.duplicates);
		else if (distance > 2 * GENERATION)
			CHECK_MSG(c.duplicates == 0 && got.n == 5001, "%zu apart: %" PRIu64 " copies", distance, c.duplicates);
		else
			CHECK(c.duplicates <= 1 && got.n == 5001 - c.duplicates);
		sorter_free(s);
		recs_release(&got);
		recs_release(&l);
	}
}

static void test_no_room(void)
{
	struct recs l = { 0 };
	for (size_t i = 0; i < 5000; i++)
		add(&l, AT((int64_t)(i % 100)), i, 0);
	char *old = getenv("TMPDIR"), *kept = old ? strdup(old) : NULL;
	setenv("TMPDIR", "/nonexistent/folder", 1);
	struct sorter *s = fill(&l, (struct how){ .lanes = 2, .memory = 0, .lane_bytes = 8 }, 1);
	const struct rec *out[64];
	CHECK(sorter_next(s, out, 64) == 0 && sorter_next(s, out, 64) == 0);
	CHECK_TEXT(sorter_error(s), "cannot make a temporary file: No such file or directory (set TMPDIR to a folder with space)");
	CHECK(sorter_counts(s).in == l.n);
	sorter_free(s);
	/* where nothing has to be written it does not matter */
	CHECK_SORTED(&l, .lanes = 2, .memory = 8 * MIB);
	/* a full disk */
	setenv("TMPDIR", "/dev", 1); /* no folder to write files in, or one without room: either is reported, nothing is lost in silence */
	s = fill(&l, (struct how){ .lanes = 1, .memory = 0, .lane_bytes = 8 }, 1);
	struct recs got = drain(s, 64);
	CHECK(got.n == l.n || sorter_error(s)[0]);
	sorter_free(s);
	recs_release(&got);
	if (kept)
		setenv("TMPDIR", kept, 1);
	else
		unsetenv("TMPDIR");
	free(kept);
	recs_release(&l);
}

int main(void)
{
	test_small();
	test_copies();
	test_random();
	test_many_runs();
	test_one_second();
	test_generations();
	test_no_room();
	return check_summary();
}
