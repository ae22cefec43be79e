/* SPDX-License-Identifier: Apache-2.0 */
/* table: names and values in two lists, as the query APIs of Log Analytics and Kusto write them:
 *
 *   {"tables": [{"name": "PrimaryResult", "columns": [{"name": n, "type": t}, ...], "rows": [[v, ...], ...]}]}
 *   [{"FrameType": "DataTable", "TableKind": "PrimaryResult", "Columns": [{"ColumnName": n}, ...], "Rows": [[v, ...], ...]}, ...]
 *
 * Each row is offered to the formats as if its names were in it.  Kusto's tables about the query itself are no records. */
#include "decode/decode_int.h"

#include <stdlib.h>

static bool is_list(const struct fields *f, enum field x)
{
	return field_has(f, x) && !f->is_row && walk_char(&f->d, f->v[x]) == '[';
}

static bool match(const struct fields *f)
{
	return (is_list(f, F_columns) && is_list(f, F_rows)) || (field_has(f, F_FrameType) && !f->is_row);
}

static enum field column_of(struct decoder *d, const struct json_index *x, uint32_t v)
{
	static const struct str names[] = { { "name", 4 }, { "ColumnName", 10 }, { "text", 4 }, { "field", 5 } };
	struct str s, zone;
	if (walk_char(x, v) == '"')
		return value_text(d, x, v, &s) ? column_field(s, &zone) : FIELD_COUNT;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		uint32_t m = object_member(x, v, names[i]);
		if (m != WALK_BAD && value_text(d, x, m, &s))
			return column_field(s, &zone);
	}
	return FIELD_COUNT;
}

static void read_columns(struct decoder *d, const struct json_index *x, uint32_t v, struct csv_header *ret)
{
	struct walk_array a = walk_array(x, v);
	memset(ret, 0, sizeof *ret);
	for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD && ret->columns < CSV_COLUMNS_MAX; a.next = walk_skip(x, e)) {
		enum field name = column_of(d, x, e);
		ret->last_known = name == FIELD_COUNT ? ret->last_known : ret->columns;
		ret->column[ret->columns++] = name == FIELD_COUNT ? 0 : (uint16_t)(name + 1);
	}
}

bool table_header(const char *p, size_t n, struct csv_header *ret)
{
	struct json_index x;
	struct decoder *d = decoder_new(NULL, NULL);
	char *copy = malloc(n + 64);
	bool good = d && copy;
	if (good) {
		memcpy(copy, p, n);
		memset(copy + n, 0, 64);
		good = json_index(d->indexer[0], copy, n, &x) == JSON_OK && walk_char(&x, 0) == '[' && walk_skip(&x, 0) < WALK_DEEP;
	}
	if (good)
		read_columns(d, &x, 0, ret);
	free(copy);
	decoder_free(d);
	return good && (ret->last_known || ret->column[0]);
}

bool table_row(struct fields *to, const struct json_index *x, uint32_t row, const struct csv_header *h)
{
	struct walk_array a = walk_array(x, row);
	uint32_t i = 0;
	if (walk_char(x, row) != '[')
		return false;
	fields_clear(to);
	to->is_row = false;
	to->is_table = true;
	to->has_zones = false;
	to->begin = row;
	to->d = *x;
	for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(x, e), i++) {
		uint16_t name = i < h->columns ? h->column[i] : 0;
		if (name == 0 || walk_char(x, e) == 'n' || (walk_char(x, e) == '"' && walk_raw_string(x, e).n == 0))
			continue;
		name--;
		to->v[name] = e;
		to->present[name / 64] |= UINT64_C(1) << (name % 64);
	}
	return true;
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	struct str s;
	if (field_has(f, F_FrameType) && (!is_list(f, F_columns) || !is_list(f, F_rows)))
		return TAKEN; /* a frame without rows */
	if (get_text(d, f, F_TableKind, &s) && !str_eq_nocase(s, STR("PrimaryResult")))
		return TAKEN;
	if (d->level + 1 > UNWRAP_DEPTH_MAX)
		return decode_reject(d, REJECT_TOO_DEEP);
	struct csv_header h;
	const struct json_index x = f->d;
	read_columns(d, &x, f->v[F_columns], &h);
	struct walk_array a = walk_array(&x, f->v[F_rows]);
	decode_deeper(d);
	struct fields *to = d->fields[d->level];
	for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(&x, e)) {
		uint8_t rank = d->rank;
		uint32_t flags = d->flags;
		if (table_row(to, &x, e, &h))
			decode_fields(d, to);
		else
			decode_value(d, &x, e);
		d->rank = rank;
		d->flags = flags;
	}
	d->level--;
	return TAKEN;
}

const struct format format_table = {
	.name = "table",
	.doc = "columns and rows in two lists (query APIs of Log Analytics and Kusto)",
	.match = match,
	.decode = decode,
};
