/* SPDX-License-Identifier: Apache-2.0 */
/* fields: a member name is guessed from the one before it (one compare); else it is found in a small hash table over its
 * folded first and last eight bytes.  An unknown name costs one probe. */
#include "decode/fields.h"

#include <pthread.h>

static const struct str names[FIELD_COUNT] = {
#define FIELD(symbol, text) { text, sizeof(text) - 1 },
#include "decode/field_names.h"
#undef FIELD
};

enum { SLOTS = 1024, NAME_MAX_BYTES = 32 };
static uint16_t slots[SLOTS]; /* field + 1 */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t fold_hash(const char *p, size_t n)
{
	/* folds letters; other bytes fold as well, which only merges chains: the compare decides */
	uint64_t a = 0, z = 0;
	if (n >= 8) {
		memcpy(&a, p, 8);
		memcpy(&z, p + n - 8, 8);
	} else {
		memcpy(&a, p, n);
	}
	a |= UINT64_C(0x2020202020202020);
	z |= UINT64_C(0x2020202020202020);
	uint64_t h = (a ^ (z << 9 | z >> 55) ^ n) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 40);
}

static void fill(void)
{
	for (unsigned f = 0; f < FIELD_COUNT; f++) {
		uint32_t s = fold_hash(names[f].p, names[f].n) % SLOTS;
		while (slots[s])
			s = (s + 1) % SLOTS;
		slots[s] = (uint16_t)(f + 1);
	}
}

void fields_setup(void)
{
	pthread_once(&once, fill);
}

struct str field_name(enum field f)
{
	return names[f];
}

enum field field_find(struct str name)
{
	if (name.n == 0 || name.n > NAME_MAX_BYTES)
		return FIELD_COUNT;
	for (uint32_t s = fold_hash(name.p, name.n) % SLOTS; slots[s]; s = (s + 1) % SLOTS)
		if (str_eq_nocase(names[slots[s] - 1], name))
			return (enum field)(slots[s] - 1);
	return FIELD_COUNT;
}

void field_order_init(struct field_order *o)
{
	for (unsigned i = 0; i <= FIELD_COUNT; i++)
		o->after[i] = 0;
}

void fields_clear(struct fields *f)
{
	memset(f->present, 0, sizeof f->present);
}

void fields_set_cell(struct fields *f, enum field name, struct str cell)
{
	f->cell[name] = cell;
	f->present[name / 64] |= (uint64_t)(cell.n != 0) << (name % 64);
}

/* does the member that begins at the quote `at` have exactly this name? */
static inline bool is_named(const struct json_index *d, uint32_t at, struct str name)
{
	return d->len - at > name.n + 1 && d->p[at + 1 + name.n] == '"' && memcmp(d->p + at + 1, name.p, name.n) == 0;
}

uint32_t fields_read(struct fields *f, struct field_order *o, const struct json_index *d, uint32_t v)
{
	struct walk_object w = walk_object(d, v);
	unsigned previous = FIELD_COUNT;
	fields_clear(f);
	f->is_row = false;
	f->d = *d;
	for (uint32_t key; (key = walk_next_key(&w)) != WALK_BAD; ) {
		uint32_t value = key + 2;
		enum field x = (enum field)o->after[previous];
		if (!is_named(d, d->at[key], names[x])) {
			struct str name = walk_raw_string(d, key);
			if (!name.p) {
				w.next = WALK_BAD;
				break;
			}
			x = field_find(name);
			if (x == FIELD_COUNT && name.n && name.n <= NAME_MAX_BYTES && memchr(name.p, '\\', name.n)) {
				char plain[NAME_MAX_BYTES];
				x = field_find(walk_unescape(name, plain));
			}
			if (x != FIELD_COUNT)
				o->after[previous] = (uint16_t)x;
		}
		w.next = walk_skip(d, value);
		if (x != FIELD_COUNT) {
			char c = walk_char(d, value);
			uint64_t bit = UINT64_C(1) << (x % 64);
			f->v[x] = value;
			f->present[x / 64] = c == 'n' ? f->present[x / 64] & ~bit : f->present[x / 64] | bit;
			previous = x;
		}
	}
	return w.next;
}

bool field_is_nested(const struct fields *f, enum field x)
{
	if (!field_has(f, x))
		return false;
	if (f->is_row) {
		struct str s = str_trim(f->cell[x]);
		return s.n > 1 && (s.p[0] == '{' || s.p[0] == '[');
	}
	char c = walk_char(&f->d, f->v[x]);
	if (c == '"') {
		struct str s = str_trim(walk_raw_string(&f->d, f->v[x]));
		return s.n > 1 && (s.p[0] == '{' || s.p[0] == '[');
	}
	return c == '{' || c == '[';
}
