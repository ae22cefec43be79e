/* SPDX-License-Identifier: Apache-2.0 */
/* silence: see silence.h.
 *
 * What is usual: of each hour of the day the share of its slots that have anything, working days and weekends apart once
 * there are two weeks.  Where fewer than three days have such an hour, the share is weak (a hole has emptied it too),
 * and at least half of the share of the hours on both sides of the silence counts as usual. */
#include "stat/silence.h"

#include <math.h>
#include <stdlib.h>

#include "base/timefmt.h"

enum {
	CELLS = 48,
	EDGE_SLOTS = 6,
	LONG_ENOUGH = 10000, /* slots of a silence that are weighed, once it is a hole */
};

static unsigned cell_of(const struct silences *t, uint32_t slot, bool by_weekday)
{
	int64_t us = (int64_t)slot * t->slot_us;
	unsigned hour = (unsigned)(us / US_PER_HOUR % 24), day = (unsigned)((us / US_PER_DAY + 3) % 7); /* 0 = Monday */
	return hour + (by_weekday && day >= 5 ? 24 : 0);
}

/* -ln of the chance that a slot is empty, where `present` of n were not */
static double unlikely(double present, double n)
{
	n = n < present ? present : n;
	return log((n + 1) / (n + 1 - present));
}

/* how many of the EDGE_SLOTS slots on one side of a silence have anything: slots[i] and those before (-1) or after (1) */
static double edge(const struct silences *t, size_t i, int step)
{
	unsigned n = 0;
	for (size_t k = i; k < t->slot_count; k += (size_t)step) {
		uint32_t apart = step > 0 ? t->slots[k] - t->slots[i] : t->slots[i] - t->slots[k];
		if (apart >= EDGE_SLOTS)
			break;
		n++;
		if (step < 0 && k == 0)
			break;
	}
	return n;
}

static int find_holes(struct silences *t)
{
	double present[CELLS] = { 0 }, usual[CELLS];
	size_t n = t->slot_count, capacity = 0;
	double days = (double)(t->slots[n - 1] - t->slots[0] + 1) * (double)t->slot_us / (double)US_PER_DAY;
	double slots_per_hour = (double)US_PER_HOUR / (double)t->slot_us;
	bool by_weekday = days >= 14;

	for (size_t i = 0; i < n; i++)
		present[cell_of(t, t->slots[i], by_weekday)] += 1;
	for (unsigned c = 0; c < CELLS; c++) {
		double of_these = !by_weekday ? days : c < 24 ? days * 5 / 7 : days * 2 / 7;
		usual[c] = unlikely(present[c], (of_these < 1 ? 1 : of_these) * slots_per_hour);
	}
	t->limit = log((double)n) + 1 > 4 ? log((double)n) + 1 : 4;
	for (size_t i = 0; i + 1 < n; i++) {
		uint32_t from = t->slots[i] + 1, to = t->slots[i + 1];
		double sum = 0, least = 0;
		if (from >= to)
			continue;
		if (days < 3) {
			double before = edge(t, i, -1), after = edge(t, i + 1, 1);
			least = unlikely(before < after ? before : after, EDGE_SLOTS) / 2;
		}
		for (uint32_t s = from; s < to && (sum < t->limit || s - from < LONG_ENOUGH); s++) {
			double u = usual[cell_of(t, s, by_weekday)];
			sum += u > least ? u : least;
		}
		if (sum < t->limit)
			continue;
		if (t->hole_count == capacity) {
			size_t want = capacity ? capacity * 2 : 8;
			struct silence_hole *p = realloc(t->holes, want * sizeof *p);
			if (!p)
				return -1;
			t->holes = p;
			capacity = want;
		}
		t->holes[t->hole_count++] = (struct silence_hole){ from - 1, to + 1, sum };
	}
	return 0;
}

int silences_make(struct silences *t, int64_t slot_us, uint32_t *slots, size_t n)
{
	*t = (struct silences){ .slot_us = slot_us, .slots = slots, .slot_count = n };
	return n ? find_holes(t) : 0;
}

void silences_release(struct silences *t)
{
	free(t->slots);
	free(t->holes);
	*t = (struct silences){ 0 };
}

/* first slot at or after that one; slot_count = none */
static size_t slot_at(const struct silences *t, uint32_t at)
{
	size_t low = 0, high = t->slot_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->slots[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum silence_says silences_ask(const struct silences *t, int64_t from_us, int64_t to_us)
{
	if (!t->slot_count)
		return LOG_EMPTY;
	if (from_us < 0 || from_us / t->slot_us <= t->slots[0]) /* the first slot may be cut, as may the last */
		return LOG_BEFORE;
	if (to_us / t->slot_us >= t->slots[t->slot_count - 1])
		return LOG_AFTER;
	uint32_t from = (uint32_t)(from_us / t->slot_us), to = (uint32_t)(to_us / t->slot_us);
	size_t low = 0, high = t->hole_count;
	while (low < high) { /* the first hole that ends after `from` */
		size_t middle = low + (high - low) / 2;
		if (t->holes[middle].to <= from)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < t->hole_count && t->holes[low].from <= to)
		return LOG_HOLE;
	size_t i = slot_at(t, from);
	return i < t->slot_count && t->slots[i] <= to ? LOG_COVERED : LOG_QUIET;
}
