/* SPDX-License-Identifier: Apache-2.0 */
/* fields: the members of one record, found by name: from a JSON object or from a CSV row, so that a format decoder need
 * not know which.  Member names are folded for case; of two members of one name the last counts, as in every other tool
 * an export may have passed through. */
#ifndef TXM_DECODE_FIELDS_H
#define TXM_DECODE_FIELDS_H

#include "base/zone.h"
#include "decode/walk.h"

enum field {
#define FIELD(symbol, text) F_##symbol,
#include "decode/field_names.h"
#undef FIELD
	FIELD_COUNT
};

#define TIME_COLUMNS 10 /* members that hold times, see times.c; the last is all others together */
unsigned time_column(enum field x);

#define FIELD_WORDS ((FIELD_COUNT + 63) / 64)

struct fields {
	uint64_t present[FIELD_WORDS]; /* JSON null and empty CSV cells are not present */
	bool is_row;                   /* cells, not JSON */
	bool is_table;                 /* JSON, and the names are elsewhere: a row of a list of lists */
	struct json_index d;           /* JSON: where the values are */
	uint32_t begin;                /* JSON: number of the object */
	uint32_t v[FIELD_COUNT];       /* JSON: number of the value */
	struct str cell[FIELD_COUNT];  /* CSV */
	const char (*zones)[ZONE_TEXT_MAX]; /* CSV: of the header */
	bool has_zones;                /* JSON: a member's name said "[Local Time]" or the like; then: */
	struct str zone[TIME_COLUMNS];
};

/* name -> field; FIELD_COUNT = not one of ours */
enum field field_find(struct str name);
/* The same of a heading such as "TimeGenerated [UTC]", "Date (UTC)"; *ret_zone: the text in the bracket. */
enum field field_of_heading(struct str name, struct str *ret_zone);
struct str field_name(enum field f);
void fields_setup(void); /* once, before threads; more often is harmless */

/* A walker's memory of which member follows which: records of one export write theirs in one order. */
struct field_order {
	uint16_t after[FIELD_COUNT + 1][2]; /* the last two that did, the latest first */
};
void field_order_init(struct field_order *o);

/* Reads the object v.  The number after it, WALK_BAD or WALK_DEEP. */
uint32_t fields_read(struct fields *f, struct field_order *o, const struct json_index *d, uint32_t v);
void fields_clear(struct fields *f);
void fields_set_cell(struct fields *f, enum field name, struct str cell);

static inline bool field_has(const struct fields *f, enum field x)
{
	return f->present[x / 64] >> (x % 64) & 1;
}
/* gives the member `from` the name `to` as well, unless there is one */
void field_rename(struct fields *f, enum field to, enum field from);
/* a JSON object or array, or text that could hold one */
bool field_is_nested(const struct fields *f, enum field x);

#endif
