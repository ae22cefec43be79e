/* SPDX-License-Identifier: Apache-2.0 */
/* table: open addressing with linear probing, no tombstones.
 *
 * An entry lives in the first free slot at or after its home, home = mix(key) modulo capacity.  So a search ends at the
 * first free slot.  A removal pulls later entries back into the hole, which keeps that true without markers that would
 * silt up a table in which entries come and go for hours.
 *
 * The mixing is public and has to be (the order of a walk must not differ between two runs), so an attacker
 * can make keys that share a home.  What he gains is bounded: no entry may be more than PROBE_MAX slots from its home.
 * A put that would break this makes the table grow; if the table is far from full, or may not grow, the put is refused
 * and counted.  Honest keys do not get that far: at three quarters full and millions of entries the longest probe of random
 * keys is about 400 slots.  A search thus ends after PROBE_MAX slots at the latest.
 *
 * Invariants: (1) n <= max; (2) n * 4 <= capacity * 3, so a free slot exists; (3) every slot between an entry's home
 * and its place is used; (4) the distance between both is below PROBE_MAX; (5) the key of a free slot is 0. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/table.h"

#define CAPACITY_MIN 16
#define PROBE_MAX 1024 /* slots */

static inline size_t home_of(const struct table *t, uint64_t key)
{
	key ^= key >> 32;
	key *= UINT64_C(0xd6e8feb86659fd93);
	key ^= key >> 32;
	key *= UINT64_C(0xd6e8feb86659fd93);
	key ^= key >> 32;
	return (size_t)key & (t->capacity - 1);
}

static inline uint8_t *slot_at(const struct table *t, size_t i) { return t->slots + i * t->slot_size; }

static inline uint64_t key_at(const struct table *t, size_t i)
{
	uint64_t key;

	memcpy(&key, slot_at(t, i), sizeof(key));
	return key;
}

static inline void set_free(struct table *t, size_t i)
{
	memset(slot_at(t, i), 0, sizeof(uint64_t));
	t->used[i] = 0;
}

static inline void *value_at(const struct table *t, size_t i) { return slot_at(t, i) + sizeof(uint64_t); }

/* The slot of the key, or the free slot where it would go; capacity if there is neither within reach. */
static size_t find(const struct table *t, uint64_t key, bool *ret_there)
{
	size_t mask = t->capacity - 1, i = home_of(t, key);

	*ret_there = false;
	for (size_t step = 0; step < PROBE_MAX; step++, i = (i + 1) & mask) {
		uint64_t k = key_at(t, i);

		/* a free slot holds key 0: `used` is read for that key alone, and a hit costs one cache line */
		if (k == key && (k || t->used[i])) {
			*ret_there = true;
			return i;
		}
		if (!k && !t->used[i])
			return i;
	}
	return t->capacity;
}

/* A table of the given capacity with the same entries takes the place of the old one.  False: nothing has changed. */
static bool resize(struct table *t, size_t capacity)
{
	struct table bigger = *t;
	size_t bytes;
	bool ok = false;

	bigger.capacity = capacity;
	bigger.slots = NULL;
	bigger.used = NULL;
	if (__builtin_mul_overflow(capacity, t->slot_size, &bytes))
		goto out;
	bigger.slots = mem_big_zero(bytes);
	bigger.used = mem_big_zero(capacity);
	if (!bigger.slots || !bigger.used)
		goto out;
	for (size_t i = 0; i < t->capacity; i++) {
		bool there;
		size_t place;

		if (!t->used[i])
			continue;
		place = find(&bigger, key_at(t, i), &there);
		if (place == bigger.capacity)
			goto out;
		memcpy(slot_at(&bigger, place), slot_at(t, i), t->slot_size);
		bigger.used[place] = 1;
	}
	ok = true;
out:
	if (ok) {
		free(t->slots);
		free(t->used);
		*t = bigger;
	} else {
		free(bigger.slots);
		free(bigger.used);
	}
	return ok;
}

void table_init(struct table *t, size_t value_size, size_t max)
{
	*t = (struct table){ 0 };
	t->value_size = value_size;
	t->slot_size = sizeof(uint64_t) + ((value_size + 7) & ~(size_t)7); /* values stay aligned for what they hold */
	t->max = max;
}

void table_release(struct table *t)
{
	free(t->slots);
	free(t->used);
	t->slots = NULL;
	t->used = NULL;
	t->capacity = 0;
	t->n = 0;
}

bool table_reserve(struct table *t, size_t capacity)
{
	if (t->n || (capacity & (capacity - 1)) || (capacity && capacity < CAPACITY_MIN))
		return false;
	if (capacity > CAPACITY_MIN && capacity / 4 >= t->max) /* table_put doubles while half is below max */
		return false;
	if (capacity == t->capacity)
		return true;
	if (!capacity) {
		free(t->slots);
		free(t->used);
		t->slots = NULL;
		t->used = NULL;
		t->capacity = 0;
		return true;
	}
	return resize(t, capacity);
}

void *table_get(const struct table *t, uint64_t key)
{
	bool there = false;
	size_t i = 0;

	if (t->n)
		i = find(t, key, &there);
	return there ? value_at(t, i) : NULL;
}

void *table_put(struct table *t, uint64_t key, bool *ret_new)
{
	bool there = false, is_new = false;
	size_t i = t->capacity;
	void *value = NULL;

	if (t->capacity)
		i = find(t, key, &there);
	if (there) {
		value = value_at(t, i);
		goto out;
	}
	if (t->n >= t->max)
		goto out;
	if (!t->capacity || (t->n + 1) * 4 > t->capacity * 3 || i == t->capacity) {
		/* out of reach in a nearly empty table: keys made to collide, which more room would not separate */
		if (t->capacity && i == t->capacity && t->n < t->capacity / 8)
			goto out;
		/* enough for `max` entries at three quarters is never exceeded, whatever the keys */
		if (t->capacity / 2 >= t->max)
			goto out;
		if (t->capacity > SIZE_MAX / 4 || !resize(t, t->capacity ? t->capacity * 2 : CAPACITY_MIN))
			goto out;
		i = find(t, key, &there);
		if (i == t->capacity)
			goto out;
	}
	memcpy(slot_at(t, i), &key, sizeof(key));
	value = value_at(t, i);
	memset(value, 0, t->slot_size - sizeof(key));
	t->used[i] = 1;
	t->n++;
	is_new = true;
out:
	if (!value)
		t->refused++;
	if (ret_new)
		*ret_new = is_new;
	return value;
}

bool table_remove(struct table *t, uint64_t key)
{
	size_t mask = t->capacity - 1, hole;
	bool there = false;

	if (!t->n)
		return false;
	hole = find(t, key, &there);
	if (!there)
		return false;
	/* an entry may move back into the hole unless its home is past the hole; beyond PROBE_MAX none can */
	for (size_t i = (hole + 1) & mask; t->used[i] && ((i - hole) & mask) < PROBE_MAX; i = (i + 1) & mask) {
		size_t home = home_of(t, key_at(t, i));

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		memcpy(slot_at(t, hole), slot_at(t, i), t->slot_size);
		hole = i;
	}
	set_free(t, hole);
	t->n--;
	return true;
}

void *table_next(const struct table *t, size_t *pos, uint64_t *ret_key)
{
	for (size_t i = *pos; i < t->capacity; i++) {
		if (!t->used[i])
			continue;
		*pos = i + 1;
		if (ret_key)
			*ret_key = key_at(t, i);
		return value_at(t, i);
	}
	*pos = t->capacity;
	return NULL;
}

void table_keep_if(struct table *t, bool (*keep)(const void *value, uint64_t key, void *arg), void *arg)
{
	size_t mask = t->capacity - 1, start = 0;

	if (!t->n)
		return;
	/* Begin after a free slot, so that no run of entries is entered in its middle.  Each entry is lifted out and put
	 * back at the first free slot from its home, which is its own slot at the latest. */
	while (t->used[start])
		start++;
	for (size_t step = 1; step < t->capacity; step++) {
		size_t i = (start + step) & mask, place;
		uint64_t key;
		bool there;

		if (!t->used[i])
			continue;
		key = key_at(t, i);
		set_free(t, i);
		if (!keep(value_at(t, i), key, arg)) {
			t->n--;
			continue;
		}
		place = find(t, key, &there);
		if (place != i)
			memcpy(slot_at(t, place), slot_at(t, i), t->slot_size);
		memcpy(slot_at(t, place), &key, sizeof(key));
		t->used[place] = 1;
	}
}
