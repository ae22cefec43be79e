/* SPDX-License-Identifier: Apache-2.0 */
/* otel: a record that a collector of OpenTelemetry took apart: each value says its type, objects are lists of keys and values.
 *
 *   {"kvlistValue": {"values": [{"key": "Operation", "value": {"stringValue": "Send"}}, ...]}}
 *
 * It is written as the JSON that it was, and read as such.  (A body that was left as text, {"stringValue": "{...}"}, needs no format.) */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return field_has(f, F_kvlistValue) && !f->is_row && walk_char(&f->d, f->v[F_kvlistValue]) == '{';
}

static void add_value(struct buf *b, const struct json_index *x, uint32_t v, unsigned depth);

/* the elements of {"values": [...]}; pairs: of keys and values */
static void add_values(struct buf *b, const struct json_index *x, uint32_t v, bool pairs, unsigned depth)
{
	uint32_t list = object_member(x, v, STR("values"));
	bool first = true;
	buf_add_char(b, pairs ? '{' : '[');
	if (list != WALK_BAD && walk_char(x, list) == '[' && depth < JSON_DEPTH_MAX) {
		struct walk_array a = walk_array(x, list);
		for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(x, e)) {
			uint32_t key = pairs ? object_member(x, e, STR("key")) : e, value = pairs ? object_member(x, e, STR("value")) : e;
			if (key == WALK_BAD || value == WALK_BAD || (pairs && walk_char(x, key) != '"'))
				continue;
			if (!first)
				buf_add_char(b, ',');
			first = false;
			if (pairs) {
				buf_add_char(b, '"');
				buf_add_str(b, walk_raw_string(x, key)); /* as it was written, escapes and all */
				buf_add_cstr(b, "\":");
			}
			add_value(b, x, value, depth + 1);
		}
	}
	buf_add_char(b, pairs ? '}' : ']');
}

static void add_value(struct buf *b, const struct json_index *x, uint32_t v, unsigned depth)
{
	struct walk_object o = walk_object(x, v);
	uint32_t key = walk_char(x, v) == '{' ? walk_next_key(&o) : WALK_BAD;
	if (key == WALK_BAD) {
		buf_add_cstr(b, "null");
		return;
	}
	struct str type = key_text(x, key), text;
	char c = walk_char(x, key + 2);
	if (str_eq_nocase(type, STR("kvlistValue"))) {
		add_values(b, x, key + 2, true, depth);
	} else if (str_eq_nocase(type, STR("arrayValue"))) {
		add_values(b, x, key + 2, false, depth);
	} else if (c == '{' || c == '[') {
		buf_add_cstr(b, "null");
	} else if (c == '"') {
		text = walk_raw_string(x, key + 2);
		const char *quote = str_eq_nocase(type, STR("intValue")) ? "" : "\""; /* 64 bits are written as text */
		int64_t number;
		if (!*quote && !parse_int(text, &number))
			quote = "\"";
		buf_add_cstr(b, quote);
		buf_add_str(b, text);
		buf_add_cstr(b, quote);
	} else {
		buf_add_str(b, walk_bare(x, key + 2));
	}
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	struct buf b;
	buf_init(&b, RECORD_BYTES_MAX);
	add_values(&b, &f->d, f->v[F_kvlistValue], true, 0);
	char *copy = buf_failed(&b) ? NULL : arena_take(&d->arena, b.n + 1);
	if (copy)
		memcpy(copy, b.p, b.n + 1);
	size_t length = b.n;
	buf_release(&b);
	return !copy ? decode_reject(d, REJECT_TOO_LONG) : length < 3 ? NOT_MINE : decode_text(d, (struct str){ copy, length }, NULL);
}

const struct format format_otel = {
	.name = "otel",
	.doc = "a record as the key-value list of OpenTelemetry",
	.match = match,
	.decode = decode,
};
