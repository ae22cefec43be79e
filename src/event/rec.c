/* SPDX-License-Identifier: Apache-2.0 */
/* rec: the tail of details after an administrative record.
 *
 *   tail  = *( name length (2 bytes), value length (4 bytes), name, value ) zeros to a multiple of 8
 *
 * in the machine's byte order: a record never leaves the process except for the sorter's own temporary file.  Nothing in
 * the tail is aligned, so lengths are copied out.  A name is never empty, and that distinguishes the zeros at the end
 * from a pair: six or seven of them would read as the pair ("", "").
 *
 * A builder is whole after every call: tail_bytes is right and the zeros are there.  Its tail is in a buffer of its
 * own; rec_details() is for a packed record, whose tail follows the struct. */
#include "event/rec.h"
#include "base/hash.h"
#include "base/limits.h"

#define PAIR_HEAD 6

_Static_assert(sizeof(struct rec) % 8 == 0, "records are stored one after the other");
_Static_assert(((DETAIL_BYTES_MAX + 7) & ~(size_t)7) <= UINT16_MAX, "rec.tail_bytes has 16 bits");
_Static_assert(NAME_BYTES_MAX <= UINT16_MAX, "a detail's name has 16 bits of length");

struct detail_iter rec_details(const struct rec *r)
{
	const uint8_t *p = (const uint8_t *)(r + 1);

	return (struct detail_iter){ p, p + r->tail_bytes };
}

bool detail_next(struct detail_iter *it, struct str *ret_name, struct str *ret_value)
{
	uint16_t name;
	uint32_t value;

	if ((size_t)(it->end - it->p) < PAIR_HEAD)
		return false;
	memcpy(&name, it->p, sizeof(name));
	memcpy(&value, it->p + sizeof(name), sizeof(value));
	/* an empty name is the padding; a pair past the end means that another program wrote in the temporary file */
	if (!name || (size_t)(it->end - it->p) - PAIR_HEAD < (size_t)name + value)
		return false;
	it->p += PAIR_HEAD;
	*ret_name = (struct str){ (const char *)it->p, name };
	*ret_value = (struct str){ (const char *)it->p + name, value };
	it->p += (size_t)name + value;
	return true;
}

bool rec_detail(const struct rec *r, struct str name, struct str *ret_value)
{
	struct detail_iter it = rec_details(r);
	struct str have, value;

	while (detail_next(&it, &have, &value))
		if (str_eq_nocase(have, name)) {
			*ret_value = value;
			return true;
		}
	return false;
}

void rec_set_time(struct rec *r, int64_t us)
{
	uint8_t old[16] = { 0 }, new[16] = { 0 };

	if (r->flags & REC_ID_MADE) {
		if (r->time_us)
			hash128(&r->time_us, sizeof(r->time_us), old);
		if (us)
			hash128(&us, sizeof(us), new);
		for (int i = 0; i < 16; i++)
			r->id[i] ^= old[i] ^ new[i];
	}
	r->time_us = us;
}

void rec_begin(struct rec_builder *b)
{
	memset(&b->r, 0, sizeof(b->r));
	b->tail_used = 0;
}

void rec_add_detail(struct rec_builder *b, struct str name, struct str value)
{
	size_t room = DETAIL_BYTES_MAX - b->tail_used;
	uint8_t *to = b->tail + b->tail_used;
	uint16_t name_n;
	uint32_t value_n;
	size_t whole = value.n;

	if (!name.n)
		return;
	if (name.n > NAME_BYTES_MAX) {
		name.n = NAME_BYTES_MAX;
		b->r.flags |= REC_DETAIL_CUT;
	}
	if (room < PAIR_HEAD + name.n) {
		b->r.flags |= REC_DETAIL_CUT;
		return;
	}
	if (value.n > DETAIL_VALUE_MAX)
		value.n = DETAIL_VALUE_MAX;
	if (value.n > room - PAIR_HEAD - name.n)
		value.n = room - PAIR_HEAD - name.n;
	if (value.n < whole)
		b->r.flags |= REC_DETAIL_CUT;

	name_n = (uint16_t)name.n;
	value_n = (uint32_t)value.n;
	memcpy(to, &name_n, sizeof(name_n));
	memcpy(to + sizeof(name_n), &value_n, sizeof(value_n));
	memcpy(to + PAIR_HEAD, name.p, name.n);
	if (value.n)
		memcpy(to + PAIR_HEAD + name.n, value.p, value.n);
	b->tail_used += PAIR_HEAD + name.n + value.n;

	b->r.tail_bytes = (uint16_t)((b->tail_used + 7) & ~(size_t)7);
	memset(b->tail + b->tail_used, 0, b->r.tail_bytes - b->tail_used);
}
