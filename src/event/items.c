/* SPDX-License-Identifier: Apache-2.0 */
/* items: a folder is the detail (FOLDER, path), a message the detail (MESSAGE, kind, size in 8 bytes, id).  The names
 * are bytes that no member of a record has, so that nothing else in a tail is taken for one. */
#include "event/items.h"

#include "base/limits.h"

#define FOLDER	STR("\x01")
#define MESSAGE STR("\x02")

enum { ITEM_HEAD = 9, PAIR = 6 + 1 };

static bool has_room(struct rec_builder *b, size_t value)
{
	if (b->tail_used + PAIR + value <= DETAIL_BYTES_MAX && value <= DETAIL_VALUE_MAX)
		return true;
	b->r.flags |= REC_ITEMS_CUT;
	return false;
}

void items_add_folder(struct rec_builder *b, struct str path)
{
	if (path.n > NAME_BYTES_MAX)
		path.n = NAME_BYTES_MAX;
	if (has_room(b, path.n))
		rec_add_detail(b, FOLDER, path);
}

void items_add_message(struct rec_builder *b, enum item_id kind, struct str id, uint64_t bytes)
{
	uint8_t v[ITEM_HEAD + ITEM_ID_BYTES_MAX];

	if (id.n > ITEM_ID_BYTES_MAX || !has_room(b, ITEM_HEAD + id.n)) {
		b->r.flags |= REC_ITEMS_CUT;
		return;
	}
	v[0] = (uint8_t)kind;
	memcpy(v + 1, &bytes, sizeof(bytes));
	if (id.n)
		memcpy(v + ITEM_HEAD, id.p, id.n);
	rec_add_detail(b, MESSAGE, (struct str) { (const char *)v, ITEM_HEAD + id.n });
}

struct item_iter items_of(const struct rec *r)
{
	return (struct item_iter) { .details = rec_details(r) };
}

bool item_next(struct item_iter *it, struct item *ret)
{
	struct str name, value;

	while (detail_next(&it->details, &name, &value)) {
		*ret = (struct item) { .bytes = ITEM_BYTES_UNKNOWN };
		if (str_eq(name, FOLDER)) {
			it->folder = ret->folder = value;
			ret->is_folder = true;
			return true;
		}
		if (!str_eq(name, MESSAGE) || value.n < ITEM_HEAD || value.p[0] > ITEM_STORE_ID)
			continue;
		ret->folder = it->folder;
		ret->kind = (enum item_id)value.p[0];
		memcpy(&ret->bytes, value.p + 1, sizeof(ret->bytes));
		ret->id = (struct str) { value.p + ITEM_HEAD, value.n - ITEM_HEAD };
		return true;
	}
	return false;
}
