/* SPDX-License-Identifier: Apache-2.0 */
/* persist: see persist.h.  The stream has no structure of its own except for lengths, element sizes and marks. */
#include "persist/persist.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"

#define PIECE_BYTES (1 * MIB)  /* memory is taken in steps of what has come */
#define ELEMENT_BYTES_MAX (64 * KIB)

void persist_fail(struct persist *p, const char *why)
{
	if (!p->error[0])
		snprintf(p->error, sizeof p->error, "%s", why);
}

void persist_bytes(struct persist *p, void *bytes, size_t n)
{
	if (n == 0)
		return;
	if (!p->error[0] && !p->move(p->arg, bytes, n))
		persist_fail(p, p->loading ? "it ends before its end" : "it cannot be written");
	if (p->error[0] && p->loading)
		memset(bytes, 0, n);
}

void persist_bool(struct persist *p, bool *v)
{
	uint8_t byte = *v;
	persist_bytes(p, &byte, 1);
	if (byte > 1)
		persist_fail(p, "a yes or no is neither");
	*v = byte == 1;
}

void persist_count(struct persist *p, uint32_t *v, uint32_t max)
{
	persist_u32(p, v);
	if (*v > max) {
		persist_fail(p, "a number is larger than this build allows");
		*v = 0;
	}
}

bool persist_element(struct persist *p, size_t element)
{
	uint32_t size = (uint32_t)element;
	persist_u32(p, &size);
	if (size != element)
		persist_fail(p, "it was written by another build of Taximeter");
	return !persist_failed(p);
}

void persist_struct(struct persist *p, void *s, size_t size)
{
	if (persist_element(p, size))
		persist_bytes(p, s, size);
	else if (p->loading)
		memset(s, 0, size);
}

static void save_elements(struct persist *p, const uint8_t *v, uint32_t n, size_t element, persist_fix fix)
{
	uint8_t copy[ELEMENT_BYTES_MAX];
	if (!fix) {
		persist_bytes(p, (void *)v, n * element);
		return;
	}
	if (element > sizeof copy) {
		persist_fail(p, "an element is too large to be saved");
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		memcpy(copy, v + i * element, element);
		fix(p, copy);
		persist_bytes(p, copy, element);
	}
}

void persist_array(struct persist *p, void **v, uint32_t *n, size_t element, uint32_t max, persist_fix fix)
{
	uint32_t count = *n;
	uint8_t *bytes = NULL;
	size_t have = 0, all, room = 0;
	if (p->loading) {
		free(*v);
		*v = NULL;
		*n = 0;
	}
	persist_count(p, &count, max);
	if (!persist_element(p, element))
		return;
	if (!p->loading) {
		save_elements(p, *v, count, element, fix);
		return;
	}
	all = count * element;
	while (have < all && !persist_failed(p)) {
		if (have == room) {
			size_t want = room ? room * 2 : PIECE_BYTES;
			want = want < all ? want : all;
			uint8_t *more = realloc(bytes, want);
			if (!more) {
				persist_fail(p, "out of memory");
				break;
			}
			bytes = more;
			room = want;
		}
		persist_bytes(p, bytes + have, room - have);
		have = room;
	}
	for (uint32_t i = 0; i < count && fix && !persist_failed(p); i++)
		fix(p, bytes + i * element);
	if (persist_failed(p)) {
		free(bytes);
		return;
	}
	*v = bytes;
	*n = count;
}

/* -- tables: entries are written in slot order, starting after a free slot; re-inserting them in that order into a table of
 *    that capacity rebuilds the same table, since all slots between an entry's home and its place are taken by then -- */

static void save_table(struct persist *p, struct table *t, persist_fix fix)
{
	size_t start = 0;
	if (!t->n)
		return;
	while (t->used[start])
		start++;
	for (size_t step = 1; step < t->capacity; step++) {
		size_t i = (start + step) & (t->capacity - 1);
		if (!t->used[i])
			continue;
		persist_bytes(p, t->slots + i * t->slot_size, sizeof(uint64_t));
		save_elements(p, t->slots + i * t->slot_size + sizeof(uint64_t), 1, t->value_size, fix);
	}
}

static void load_table(struct persist *p, struct table *t, uint64_t n, persist_fix fix)
{
	uint8_t value[ELEMENT_BYTES_MAX];
	for (uint64_t i = 0; i < n && !persist_failed(p); i++) {
		uint64_t key;
		bool is_new;
		persist_u64(p, &key);
		persist_bytes(p, value, t->value_size);
		if (fix)
			fix(p, value);
		if (persist_failed(p))
			return;
		void *place = table_put(t, key, &is_new);
		if (!place || !is_new) {
			persist_fail(p, "a table of it holds what it cannot hold");
			return;
		}
		if (t->value_size)
			memcpy(place, value, t->value_size);
	}
}

void persist_table(struct persist *p, struct table *t, persist_fix fix)
{
	uint64_t capacity = t->capacity, n = t->n, refused = t->refused;
	persist_u64(p, &capacity);
	persist_u64(p, &n);
	persist_u64(p, &refused);
	if (!persist_element(p, t->value_size))
		return;
	if (t->value_size > ELEMENT_BYTES_MAX) {
		persist_fail(p, "a table's value is too large to be saved");
		return;
	}
	if (!p->loading) {
		save_table(p, t, fix);
		return;
	}
	if (n > t->max || !table_reserve(t, capacity)) {
		persist_fail(p, "a table of it is larger than this build allows");
		return;
	}
	load_table(p, t, n, fix);
	t->refused = refused;
}

void persist_text(struct persist *p, char **text, uint32_t max)
{
	uint32_t n = *text ? (uint32_t)strlen(*text) + 1 : 0; /* 0: NULL */
	if (p->loading) {
		free(*text);
		*text = NULL;
	}
	persist_count(p, &n, max + 1);
	if (!n || persist_failed(p))
		return;
	if (!p->loading) {
		persist_bytes(p, *text, n - 1);
		return;
	}
	char *bytes = malloc(n);
	if (!bytes) {
		persist_fail(p, "out of memory");
		return;
	}
	persist_bytes(p, bytes, n - 1);
	bytes[n - 1] = '\0';
	if (persist_failed(p) || strlen(bytes) != n - 1) {
		persist_fail(p, "a text of it holds a NUL byte");
		free(bytes);
		return;
	}
	*text = bytes;
}

void persist_mark(struct persist *p, const char *name)
{
	uint64_t mark = hash_str(str_of(name), 0x7065727369737400), was = mark;
	persist_u64(p, &mark);
	if (mark != was)
		persist_fail(p, "a part of it is not where it should be");
}
