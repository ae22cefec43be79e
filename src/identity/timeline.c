/* SPDX-License-Identifier: Apache-2.0 */
/* timeline: see timeline.h.
 *
 * What is usual: the mean of each hour of the day, working days and weekends apart once there are two weeks of data.
 * Where fewer than three days have such an hour, the mean says little (a hole has emptied it too), and a fifth of what
 * stands on both sides of the silence is expected at least. */
#include "identity/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/timefmt.h"

enum { CELLS = 48, EDGE_SLOTS = 6, LONG_ENOUGH = 10000 };

uint64_t timeline_sketch(uint64_t id_hash)
{
	return UINT64_C(1) << (hash_mix(id_hash, 0x51) & 63);
}

double timeline_count(uint64_t sketch)
{
	int empty = 64 - __builtin_popcountll(sketch);
	return empty ? -64.0 * log(empty / 64.0) : 64.0 * log(128.0); /* full: 310 and more */
}

static unsigned cell_of(const struct timeline *t, uint32_t slot, bool by_weekday)
{
	int64_t us = (int64_t)slot * t->slot_us;
	unsigned hour = (unsigned)(us / US_PER_HOUR % 24), day = (unsigned)((us / US_PER_DAY + 3) % 7); /* 0 = Monday */
	return hour + (by_weekday && day >= 5 ? 24 : 0);
}

/* mean of up to EDGE_SLOTS slots of time on one side of a silence: of slots[i] and those before (step -1) or after it */
static double edge_mean(const struct timeline *t, size_t i, int step)
{
	double sum = 0;
	uint32_t from = t->slots[i].at;
	for (size_t k = i; k < t->slot_count; k += (size_t)step) {
		uint32_t apart = step > 0 ? t->slots[k].at - from : from - t->slots[k].at;
		if (apart >= EDGE_SLOTS)
			break;
		sum += (double)t->slots[k].count;
		if (step < 0 && k == 0)
			break;
	}
	return sum / EDGE_SLOTS;
}

static int find_holes(struct timeline *t)
{
	double sum[CELLS] = { 0 }, rate[CELLS];
	size_t n = t->slot_count, capacity = 0;
	uint32_t first = t->slots[0].at, last = t->slots[n - 1].at;
	double days = (double)(last - first + 1) * (double)t->slot_us / (double)US_PER_DAY;
	bool by_weekday = days >= 14;
	double slots_per_hour = (double)US_PER_HOUR / (double)t->slot_us;

	for (size_t i = 0; i < n; i++) {
		sum[cell_of(t, t->slots[i].at, by_weekday)] += (double)t->slots[i].count;
		t->total += (double)t->slots[i].count;
	}
	for (unsigned c = 0; c < CELLS; c++) {
		double of_these = !by_weekday ? days : c < 24 ? days * 5 / 7 : days * 2 / 7;
		rate[c] = sum[c] / ((of_these < 1 ? 1 : of_these) * slots_per_hour);
	}
	t->hole_expected = log(t->total) + 1 > 4 ? log(t->total) + 1 : 4;
	for (size_t i = 0; i + 1 < n; i++) {
		uint32_t from = t->slots[i].at + 1, to = t->slots[i + 1].at;
		double expected = 0, floor = 0;
		if (from >= to)
			continue;
		if (days < 3) {
			double before = edge_mean(t, i, -1), after = edge_mean(t, i + 1, 1);
			floor = 0.2 * (before < after ? before : after);
		}
		for (uint32_t s = from; s < to && (expected < t->hole_expected || s - from < LONG_ENOUGH); s++) {
			double r = rate[cell_of(t, s, by_weekday)];
			expected += r > floor ? r : floor;
		}
		if (expected < t->hole_expected)
			continue;
		if (t->hole_count == capacity) {
			size_t want = capacity ? capacity * 2 : 8;
			struct timeline_hole *p = realloc(t->holes, want * sizeof *p);
			if (!p)
				return -1;
			t->holes = p;
			capacity = want;
		}
		t->holes[t->hole_count++] = (struct timeline_hole){ from - 1, to + 1, expected };
	}
	return 0;
}

int timeline_make(struct timeline *t, int64_t slot_us, struct timeline_slot *slots, size_t n)
{
	*t = (struct timeline){ .slot_us = slot_us, .slots = slots, .slot_count = n };
	return n ? find_holes(t) : 0;
}

void timeline_release(struct timeline *t)
{
	free(t->slots);
	free(t->holes);
	*t = (struct timeline){ 0 };
}

/* first slot at or after that one; slot_count = none */
static size_t slot_at(const struct timeline *t, uint32_t at)
{
	size_t low = 0, high = t->slot_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->slots[middle].at < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum timeline_says timeline_ask(const struct timeline *t, int64_t from_us, int64_t to_us)
{
	if (!t->slot_count)
		return TIMELINE_EMPTY;
	if (from_us < 0 || from_us / t->slot_us <= t->slots[0].at) /* the first slot may be cut, as may the last */
		return TIMELINE_BEFORE;
	if (to_us / t->slot_us >= t->slots[t->slot_count - 1].at)
		return TIMELINE_AFTER;
	uint32_t from = (uint32_t)(from_us / t->slot_us), to = (uint32_t)(to_us / t->slot_us);
	size_t low = 0, high = t->hole_count;
	while (low < high) { /* the first hole that ends behind `from` */
		size_t middle = low + (high - low) / 2;
		if (t->holes[middle].to <= from)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < t->hole_count && t->holes[low].from <= to)
		return TIMELINE_HOLE;
	size_t i = slot_at(t, from);
	return i < t->slot_count && t->slots[i].at <= to ? TIMELINE_COVERED : TIMELINE_QUIET;
}
