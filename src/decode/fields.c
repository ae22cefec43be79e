/* SPDX-License-Identifier: Apache-2.0 */
/* fields: a member name is guessed from the one before it (one compare); else it is found in a small hash table over its
 * folded first and last eight bytes.  An unknown name costs one probe. */
#include "decode/fields.h"

#include <pthread.h>

static const struct str names[] = { /* the fields' own names, followed by their aliases */
#define FIELD(symbol, text) { text, sizeof(text) - 1 },
#include "decode/field_names.h"
#undef FIELD
#define ALIAS(symbol, text) { text, sizeof(text) - 1 },
#include "decode/alias_names.h"
#undef ALIAS
};
static const uint16_t aliases[] = {
#define ALIAS(symbol, text) F_##symbol,
#include "decode/alias_names.h"
#undef ALIAS
};

enum { SLOTS = 1024, NAME_MAX_BYTES = 32 };

static const char padded[FIELD_COUNT][NAME_MAX_BYTES + 8] = {
#define FIELD(symbol, text) text,
#include "decode/field_names.h"
#undef FIELD
};
static const uint64_t masks[9] = { /* the first n bytes of a little-endian word */
	0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, UINT64_MAX,
};
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "masks[] is written for little-endian machines"
#endif

static uint16_t slots[SLOTS]; /* number of the name + 1 */
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
	for (unsigned f = 0; f < sizeof names / sizeof names[0]; f++) {
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

static enum field look_up(struct str name)
{
	if (name.n == 0 || name.n > NAME_MAX_BYTES)
		return FIELD_COUNT;
	for (uint32_t s = fold_hash(name.p, name.n) % SLOTS; slots[s]; s = (s + 1) % SLOTS)
		if (str_eq_nocase(names[slots[s] - 1], name))
			return (enum field)(slots[s] <= FIELD_COUNT ? slots[s] - 1 : aliases[slots[s] - 1 - FIELD_COUNT]);
	return FIELD_COUNT;
}

/* Parameters.Identity, AppAccessContext_AADSessionId_g, Folders.0.Path, OperationProperties[1].Value: not read, and not for absent */
static bool is_flattened(struct str name)
{
	static const enum field known[] = {
		F_AppAccessContext, F_OperationProperties, F_Parameters, F_ModifiedProperties, F_ExtendedProperties, F_DeviceProperties, F_Folders,
		F_Messages, F_TargetResources, F_InitiatedBy,
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		const size_t n = names[known[i]].n;
		if (name.n > n + 1 && (name.p[n] == '.' || name.p[n] == '_' || name.p[n] == '[' || name.p[n] == '/')
			&& str_eq_nocase((struct str){ name.p, n }, names[known[i]]) && !str_ends_nocase(name, STR("odata.type"))
			&& !str_ends_nocase(name, STR("_dynamic")) && !str_ends_nocase(name, STR("_string")))
			return true;
	}
	return false;
}

enum field field_find(struct str name)
{
	enum field x = look_up(name);
	/* columns of a custom Log Analytics table say their type: Operation_s, RecordType_d, CreationTime_t, ExternalAccess_b, Id_g */
	if (x == FIELD_COUNT && name.n > 2 && name.p[name.n - 2] == '_' && memchr("sdtbg", name.p[name.n - 1], 5))
		x = look_up((struct str){ name.p, name.n - 2 });
	return x == FIELD_COUNT && is_flattened(name) ? F_flattened : x;
}

enum field field_of_heading(struct str name, struct str *ret_zone)
{
	*ret_zone = STR_NONE;
	name = str_trim(name);
	enum field x = field_find(name);
	if (x != FIELD_COUNT || name.n < 3)
		return x;
	size_t at = 1;
	while (at < name.n && name.p[at] != '[' && name.p[at] != '(')
		at++;
	if (at == name.n)
		return x;
	x = field_find(str_trim((struct str){ name.p, at }));
	if (x != FIELD_COUNT && time_column(x) < TIME_COLUMNS - 1)
		*ret_zone = (struct str){ name.p + at, name.n - at };
	else if (name.p[at] == '(')
		x = FIELD_COUNT;
	return x;
}

void field_order_init(struct field_order *o)
{
	memset(o, 0, sizeof *o);
}

void fields_clear(struct fields *f)
{
	memset(f->present, 0, sizeof f->present);
}

void field_rename(struct fields *f, enum field to, enum field from)
{
	if (!field_has(f, from) || field_has(f, to))
		return;
	f->v[to] = f->v[from];
	f->cell[to] = f->cell[from];
	f->present[to / 64] |= UINT64_C(1) << (to % 64);
}

void fields_set_cell(struct fields *f, enum field name, struct str cell)
{
	f->cell[name] = cell;
	f->present[name / 64] |= (uint64_t)(cell.n != 0) << (name % 64);
}

static inline uint64_t load8(const char *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return v;
}

/* Does the member that begins at the quote `at` have exactly this name?  Names are padded, so eight bytes can always be
 * read at once; blocks and arenas have as much after their end. */
static inline bool is_named(const struct json_index *d, uint32_t at, enum field x)
{
	const char *p = d->p + at + 1, *name = padded[x];
	size_t n = names[x].n;
	if (d->len - at <= n + 1 || p[n] != '"')
		return false;
	if (n <= 8)
		return ((load8(p) ^ load8(name)) & masks[n]) == 0;
	if (load8(p) != load8(name) || load8(p + n - 8) != load8(name + n - 8))
		return false;
	return n <= 16 || (load8(p + 8) == load8(name + 8) && (n <= 24 || memcmp(p + 16, name + 16, n - 16) == 0));
}

/* the member whose name begins at the quote of `key`: guessed, or found; FIELD_COUNT: not one of ours */
static enum field name_slowly(struct fields *f, struct field_order *o, unsigned previous, const struct json_index *d, uint32_t key)
{
	uint16_t *after = o->after[previous];
	enum field x = (enum field)after[1];
	if (is_named(d, d->at[key], x))
		return x;
	struct str name = walk_raw_string(d, key);
	x = field_find(name);
	if (x == FIELD_COUNT && name.n && name.n <= 6 * NAME_MAX_BYTES && memchr(name.p, '\\', name.n)) {
		char plain[6 * NAME_MAX_BYTES]; /* "\u0049d" */
		x = field_find(walk_unescape(name, plain));
	}
	if (x == FIELD_COUNT && name.n > 2 && (name.p[name.n - 1] == ']' || name.p[name.n - 1] == ')')) {
		struct str zone; /* a table of CSV that was made into JSON */
		x = field_of_heading(name, &zone);
		if (zone.n) {
			if (!f->has_zones)
				memset(f->zone, 0, sizeof f->zone);
			f->has_zones = true;
			f->zone[time_column(x)] = zone.n < ZONE_TEXT_MAX ? zone : STR("?");
		}
		return x;
	}
	if (x == F_flattened) { /* many members, and those without a meaning here do not count */
		char c = key + 2 < d->n ? walk_char(d, key + 2) : 'n';
		return c == 'n' || (c == '"' && walk_raw_string(d, key + 2).n == 0) ? FIELD_COUNT : x;
	}
	if (x != FIELD_COUNT) {
		after[1] = after[0];
		after[0] = (uint16_t)x;
	}
	return x;
}

/* what a value cannot begin with */
static inline bool is_mark(char c)
{
	return c == '}' || c == ']' || c == ',' || c == ':';
}

uint32_t fields_read(struct fields *f, struct field_order *o, const struct json_index *d, uint32_t v)
{
	/* the loop of walk_object() and walk_skip(), unrolled by hand: every byte of every log comes through here */
	const char *const p = d->p;
	const uint32_t *const at = d->at;
	const uint32_t n = d->n;
	const uint32_t last = n > 4 ? n - 4 : 0; /* the last place where a member with its comma can begin */
	unsigned previous = FIELD_COUNT;
	uint32_t i = v + 1;
	uint32_t behind = WALK_BAD;
	memset(f->present, 0, sizeof f->present);
	f->is_row = f->is_table = false;
	f->has_zones = false;
	f->d = *d;
	f->begin = v;
	if (i < n && p[at[i]] == '}') {
		behind = i + 1;
		goto out;
	}
	for (;;) {
		if (i > last || n < 5 || p[at[i]] != '"' || p[at[i + 1]] != ':')
			goto out;
		enum field x = (enum field)o->after[previous][0];
		if (!is_named(d, at[i], x)) {
			if (!walk_raw_string(d, i).p)
				goto out;
			x = name_slowly(f, o, previous, d, i);
		}
		uint32_t value = i + 2, next = value + 1;
		char c = p[at[value]];
		if (c == '{' || c == '[') {
			next = walk_skip_container(d, value);
			if (next >= WALK_DEEP) {
				behind = next;
				goto out;
			}
			if (next >= n)
				goto out;
		} else if (is_mark(c)) {
			goto out;
		}
		if (x != FIELD_COUNT) {
			uint64_t bit = UINT64_C(1) << (x % 64);
			f->v[x] = value;
			f->present[x / 64] |= bit;
			if (c == 'n')
				f->present[x / 64] &= ~bit;
			previous = x;
		}
		c = p[at[next]];
		if (c == ',') {
			i = next + 1;
		} else {
			if (c == '}')
				behind = next + 1;
			goto out;
		}
	}
out:
	return behind;
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
