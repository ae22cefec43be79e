/* SPDX-License-Identifier: Apache-2.0 */
/* names: texts by the hash of their content.
 *
 * Nearly every record repeats names that are known: the mailbox, the client, the user of the record before.  So the
 * common path is a chain of short hashes and one probe, and it allocates nothing.  A new name is written once, into
 * blocks of 64 KiB that never move: a `struct name *` is good for as long as its owner lives, whatever is put later.
 *
 *   by_ref: ref -> name          block:  | ref | kind, lengths, text, pad to 8 | ref | kind ... |
 *
 * The reference is in the block as well as in the table, because names_take() walks the blocks and not the table:
 * keys drawn from one open-addressed table in slot order and put into another of about the same size pile up at one end
 * of it, and the cost of that is quadratic.  Blocks give them in order of arrival, which does not depend on slots.
 *
 * The hash runs over the whole texts, over their lengths and over the kind; what is stored is cut.  Two names that
 * differ past the cut have two references, and two equal texts of one length sum ("ab","c" and "a","bc") have two.
 * Parts left out are empty parts.
 *
 * Cost of a new name: 8 + 12 bytes, its texts, and its place in the table (17 bytes at a load of a half to three
 * quarters).  A name that two decoders kept is in blocks twice after names_take(); the table points to one, and
 * the other is unused until the end of the run, which is cheaper than copying. */
#include <stdlib.h>

#include "base/hash.h"
#include "event/names.h"
#include "base/limits.h"
#include "persist/persist.h"

#define BLOCK_BYTES (64 * KIB)

struct name_block {
	struct name_block *next;
	uint32_t used;
	_Alignas(8) uint8_t bytes[];
};

#define BLOCK_ROOM (BLOCK_BYTES - sizeof(struct name_block))

struct entry {
	uint64_t ref;
	struct name name;
};

_Static_assert(sizeof(uint64_t) + sizeof(struct name) + (size_t)NAME_PARTS * NAME_BYTES_MAX + 8 <= BLOCK_BYTES / 2,
	"a name fits a block many times");
_Static_assert(NAME_BYTES_MAX <= UINT16_MAX, "a part's length is kept in 16 bits");

static size_t entry_size(const uint16_t length[NAME_PARTS])
{
	size_t n = offsetof(struct entry, name) + sizeof(struct name);

	for (unsigned i = 0; i < NAME_PARTS; i++)
		n += length[i];
	return (n + 7) & ~(size_t)7;
}

void names_init(struct names *n)
{
	*n = (struct names){ 0 };
	table_init(&n->by_ref, sizeof(struct name *), NAMES_MAX);
}

void names_release(struct names *n)
{
	if (!n)
		return;
	for (struct name_block *b = n->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	n->blocks = NULL;
	n->bytes = 0;
	table_release(&n->by_ref);
}

/* Room for one entry in the newest block, or in a new one; NULL: out of memory. */
static struct entry *entry_new(struct names *n, size_t size)
{
	struct name_block *b = n->blocks;
	struct entry *e;

	if (!b || BLOCK_ROOM - b->used < size) {
		b = malloc(BLOCK_BYTES);
		if (!b)
			return NULL;
		b->next = n->blocks;
		b->used = 0;
		n->blocks = b;
		n->bytes += BLOCK_BYTES;
	}
	e = (struct entry *)(b->bytes + b->used);
	b->used += (uint32_t)size;
	return e;
}

/* the rare half: a name that is not in the table */
static void keep(struct names *n, uint64_t ref, enum name_kind kind, const struct str *parts, unsigned count)
{
	uint16_t length[NAME_PARTS] = { 0 };
	struct name **place;
	struct entry *e;
	char *to;
	bool is_new;

	for (unsigned i = 0; i < count; i++)
		length[i] = (uint16_t)(parts[i].n < NAME_BYTES_MAX ? parts[i].n : NAME_BYTES_MAX);
	place = table_put(&n->by_ref, ref, &is_new);
	if (!place) {
		n->refused++;
		return;
	}
	e = entry_new(n, entry_size(length));
	if (!e) {
		table_remove(&n->by_ref, ref);
		n->refused++;
		return;
	}
	e->ref = ref;
	e->name.kind = (uint8_t)kind;
	memcpy(e->name.length, length, sizeof(length));
	to = e->name.text;
	for (unsigned i = 0; i < count; i++)
		if (length[i])
			to = (char *)memcpy(to, parts[i].p, length[i]) + length[i];
	*place = &e->name;
}

/* parts without the empty ones at the end */
static unsigned full_parts(const struct str *parts, unsigned count)
{
	if (count > NAME_PARTS)
		count = NAME_PARTS;
	while (count && !parts[count - 1].n)
		count--;
	return count;
}

uint64_t names_ref(enum name_kind kind, const struct str *parts, unsigned count)
{
	uint64_t ref = (uint64_t)kind + 1;
	unsigned full = full_parts(parts, count);

	for (unsigned i = 0; i < full; i++)
		ref = hash_str(parts[i], hash_mix(ref, parts[i].n));
	return ref ? ref : 1;
}

uint64_t names_put(struct names *n, enum name_kind kind, const struct str *parts, unsigned count)
{
	uint64_t ref = names_ref(kind, parts, count);
	unsigned full = full_parts(parts, count);

	if (!table_get(&n->by_ref, ref))
		keep(n, ref, kind, parts, full);
	return ref;
}

void names_put_ref(struct names *n, uint64_t ref, enum name_kind kind, const struct str *parts, unsigned count)
{
	if (ref && !table_get(&n->by_ref, ref))
		keep(n, ref, kind, parts, count < NAME_PARTS ? count : NAME_PARTS);
}

bool names_has(const struct names *n, uint64_t ref)
{
	return ref && table_get(&n->by_ref, ref);
}

const struct name *names_get(const struct names *n, uint64_t ref)
{
	struct name **place = ref ? table_get(&n->by_ref, ref) : NULL;

	return place ? *place : NULL;
}

struct str name_part(const struct name *n, unsigned part)
{
	size_t before = 0;

	if (!n || part >= NAME_PARTS)
		return STR("");
	for (unsigned i = 0; i < part; i++)
		before += n->length[i];
	return (struct str){ n->text + before, n->length[part] };
}

void names_take(struct names *n, struct names *other)
{
	struct name_block *b, *last = NULL;

	if (!n->blocks && !n->by_ref.n) { /* the first one: nothing to compare with */
		uint64_t refused = n->refused;

		table_release(&n->by_ref);
		*n = *other;
		n->refused += refused;
		names_init(other);
		return;
	}
	for (b = other->blocks; b; last = b, b = b->next)
		for (size_t at = 0; at < b->used; ) {
			struct entry *e = (struct entry *)(b->bytes + at);
			struct name **place;
			bool is_new;

			at += entry_size(e->name.length);
			if (table_get(&n->by_ref, e->ref))
				continue;
			place = table_put(&n->by_ref, e->ref, &is_new);
			if (place)
				*place = &e->name;
			else
				n->refused++;
		}
	if (last) { /* after our newest block, which goes on being filled */
		if (n->blocks) {
			last->next = n->blocks->next;
			n->blocks->next = other->blocks;
		} else {
			n->blocks = other->blocks;
		}
	}
	n->bytes += other->bytes;
	n->refused += other->refused;
	other->blocks = NULL;
	names_release(other);
	names_init(other);
}

/* -- to bytes and back -- */

uint64_t name_ref_of(const struct name *n)
{
	uint64_t ref = 0;

	if (n)
		memcpy(&ref, (const uint8_t *)n - offsetof(struct entry, name) + offsetof(struct entry, ref), sizeof(ref));
	return ref;
}

static void load_one(struct persist *p, struct names *n)
{
	uint16_t length[NAME_PARTS];
	char text[NAME_PARTS * NAME_BYTES_MAX];
	struct str parts[NAME_PARTS];
	size_t used = 0;
	uint64_t ref;
	uint8_t kind;

	text[0] = '\0';
	persist_u64(p, &ref);
	persist_bytes(p, &kind, 1);
	persist_bytes(p, length, sizeof(length));
	for (unsigned i = 0; i < NAME_PARTS && !persist_failed(p); i++) {
		if (length[i] > NAME_BYTES_MAX) {
			persist_fail(p, "a name of it is too long");
			return;
		}
		parts[i] = (struct str){ text + used, length[i] };
		used += length[i];
	}
	if (persist_failed(p))
		return;
	persist_bytes(p, text, used);
	if (!ref || kind >= NAME_KIND_COUNT || names_has(n, ref))
		persist_fail(p, "a name in it is not a name, or occurs twice");
	if (!persist_failed(p))
		names_put_ref(n, ref, (enum name_kind)kind, parts, NAME_PARTS);
}

/* Names of ids are only for printing, and there can be very many: where they are more than this, they are left out and
 * such an id is printed as its hash. */
#define IDS_SAVED_MAX 500000

void names_persist(struct persist *p, struct names *n)
{
	uint64_t ids = 0, count = 0, key;
	struct name **place;

	persist_mark(p, "names");
	for (size_t i = 0; (place = table_next(&n->by_ref, &i, &key)); )
		ids += (*place)->kind == NAME_ID;
	count = n->by_ref.n - (ids > IDS_SAVED_MAX ? ids : 0);
	persist_u64(p, &count);
	persist_u64(p, &n->refused);
	if (count > NAMES_MAX) {
		persist_fail(p, "it has more names than this build allows");
		return;
	}
	if (p->loading) {
		for (uint64_t i = 0; i < count && !persist_failed(p); i++)
			load_one(p, n);
		return;
	}
	/* blocks and not the table: its order would make loading slow (see names_take) */
	for (const struct name_block *b = n->blocks; b && !persist_failed(p); b = b->next)
		for (size_t at = 0; at < b->used; ) {
			const struct entry *e = (const struct entry *)(b->bytes + at);
			struct name name = e->name;
			uint64_t ref = e->ref;
			size_t text = 0;

			at += entry_size(e->name.length);
			if (names_get(n, ref) != &e->name || (name.kind == NAME_ID && ids > IDS_SAVED_MAX))
				continue; /* a copy that another decoder made */
			for (unsigned i = 0; i < NAME_PARTS; i++)
				text += name.length[i];
			persist_u64(p, &ref);
			persist_bytes(p, &name.kind, 1);
			persist_bytes(p, name.length, sizeof(name.length));
			persist_bytes(p, (void *)e->name.text, text);
		}
}

void names_persist_one(struct persist *p, const struct name **name)
{
	uint64_t ref;

	if (p->loading) {
		memcpy(&ref, (const void *)name, sizeof(ref));
		*name = names_get(p->names, ref);
	} else {
		ref = name_ref_of(*name);
		memcpy((void *)name, &ref, sizeof(ref));
	}
}

_Static_assert(sizeof(struct name *) == sizeof(uint64_t), "a reference fits a pointer's place");
