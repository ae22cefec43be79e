/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sort: any bytes as records, in lanes, with memory for a few hundred of them, against the plainest sorter there is:
 * all in one array, sorted by comparison, copies left out by looking at all that went before.
 *
 * The first byte chooses the number of lanes and how soon ids are forgotten; then six bytes a record: second, id, class and
 * rank, content, length of the tail, and how often it is added. */
#include <stdlib.h>

#include "base/timefmt.h"
#include "event/sort.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 600 };

struct slot {
	struct rec *r;
	bool used;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static struct rec *make(const uint8_t p[6])
{
	static const uint16_t tails[8] = { 0, 0, 0, 0, 8, 64, 1000, 8192 };
	size_t tail = tails[p[4] % 8];
	struct rec *r = calloc(1, sizeof *r + tail);
	require(r);
	r->time_us = (1700000000 + p[0] % 16) * US_PER_SECOND + p[0] / 16;
	r->id[15] = p[1] % 32;
	r->id[0] = p[1] / 64;
	r->class_ = p[2] % 3;
	r->rank = p[2] / 64;
	r->items = p[3];
	r->tail_bytes = (uint16_t)tail;
	memset(r + 1, p[3] + p[4] / 8, tail);
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct rec *x = ((const struct slot *)a)->r, *y = ((const struct slot *)b)->r;
	int64_t s = x->time_us / US_PER_SECOND, t = y->time_us / US_PER_SECOND;
	if (s != t)
		return s < t ? -1 : 1;
	if (x->class_ != y->class_)
		return x->class_ - y->class_;
	int c = memcmp(x->id, y->id, 16);
	if (c)
		return c;
	if (x->rank != y->rank)
		return y->rank - x->rank;
	size_t n = sizeof *x + x->tail_bytes, m = sizeof *y + y->tail_bytes;
	c = memcmp(x, y, n < m ? n : m);
	return c ? c : (n > m) - (n < m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct slot all[RECORDS_MAX];
	size_t n = 0, kept = 0, duplicates = 0;
	if (size < 7)
		return 0;
	unsigned lanes = 1 + data[0] % 7;
	struct sorter *s = sorter_new(lanes, 1);
	require(s);
	sorter_shrink(s, 4096, RECORDS_MAX);
	for (size_t i = 1; i + 6 <= size && n < RECORDS_MAX; i += 6) {
		size_t times = data[i + 5] < 240 ? 1 : data[i + 5] - 239;
		for (size_t k = 0; k < times && n < RECORDS_MAX; k++) {
			all[n].used = false;
			all[n].r = make(data + i);
			sort_add(sorter_lane(s, (unsigned)(data[i + 5] + k) % lanes), all[n].r);
			n++;
		}
	}
	for (unsigned i = 0; i < lanes; i++)
		sort_lane_done(sorter_lane(s, i));

	qsort(all, n, sizeof all[0], compare);
	for (size_t i = 0; i < n; i++) { /* the first of each id and class */
		all[i].used = true;
		for (size_t k = 0; k < i && all[i].used; k++)
			all[i].used = memcmp(all[k].r->id, all[i].r->id, 16) != 0 || all[k].r->class_ != all[i].r->class_;
		duplicates += !all[i].used;
	}
	size_t at = 0, got;
	const struct rec *out[64];
	while ((got = sorter_next(s, out, 1 + data[0] % 64))) {
		for (size_t i = 0; i < got; i++) {
			while (at < n && !all[at].used)
				at++;
			require(at < n);
			const struct rec *want = all[at++].r;
			require(out[i]->tail_bytes == want->tail_bytes && memcmp(out[i], want, sizeof *want + want->tail_bytes) == 0);
			kept++;
		}
	}
	require(sorter_error(s)[0] == 0);
	require(sorter_counts(s).in == n && sorter_counts(s).duplicates == duplicates && kept + duplicates == n);
	require(sorter_counts(s).conflicts <= duplicates);
	sorter_free(s);
	for (size_t i = 0; i < n; i++)
		free(all[i].r);
	return 0;
}
