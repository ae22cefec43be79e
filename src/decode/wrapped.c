/* SPDX-License-Identifier: Apache-2.0 */
/* wrapped: a record inside something else:
 *
 *   {"AuditData": {...}}  or text        Search-UnifiedAuditLog and Purview rows, Graph audit query records
 *   {"records": [...]}, {"value": [...]} Event Hubs messages, Graph pages
 *   {"message": "...{...}"}, {"event": {"original": "{...}"}}, {"event.original": "..."}, {"_raw": "..."}
 *   {"o365audit": {...}}, {"o365": {"audit": {...}}}
 *
 * An AuditData that was cut short, or that PowerShell flattened to "@{...}", keeps what is whole of it, and the row's columns give what it
 * lacks.  Where it is missing altogether, they still show that something happened, when, by whom; such records count as cut. */
#include "decode/decode_int.h"

static bool is_array(const struct fields *f, enum field x)
{
	return field_has(f, x) && !f->is_row && walk_char(&f->d, f->v[x]) == '[';
}

static bool is_object(const struct fields *f, enum field x)
{
	return field_has(f, x) && !f->is_row && walk_char(&f->d, f->v[x]) == '{';
}

static bool match(const struct fields *f)
{
	if (field_has(f, F_AuditData))
		return true;
	if (field_has(f, F_CreationTime) && field_has(f, F_Operation))
		return false;
	return is_array(f, F_records) || is_array(f, F_value) || is_array(f, F_activities) || field_has(f, F_message)
		|| field_has(f, F_event_original) || field_has(f, F_event) || field_has(f, F_raw) || is_object(f, F_o365audit)
		|| is_object(f, F_o365)
		|| (field_has(f, F_CreationDate) && (field_has(f, F_Identity) || field_has(f, F_RecordId))); /* a row without AuditData */
}

enum verdict decode_record_text(struct decoder *d, struct str text, const struct fields *row)
{
	text = str_trim(text);
	const char *open = text.n ? row ? text.p : find_object(text) : NULL;
	if (!open)
		return str_find(text, STR("CEF:")) >= 0 ? decode_reject(d, REJECT_UNSUPPORTED) : NOT_MINE;
	if (text.p[0] != '[' && !row) {
		text.n -= (size_t)(open - text.p);
		text.p = open;
	}
	/* a private copy with its terminator, as the index wants it */
	char *copy = arena_take(&d->arena, text.n + 1);
	if (!copy) {
		d->failed = true;
		return decode_reject(d, REJECT_TOO_LONG);
	}
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	return decode_text(d, (struct str){ copy, text.n }, row);
}

enum verdict decode_columns(struct decoder *d, const struct fields *f)
{
	struct str s;
	int64_t us;
	rec_begin(&d->b);
	struct rec *r = &d->b.r;
	r->class_ = CLASS_AUDIT;
	r->record_type = 0xffff;
	if (!get_text(d, f, F_Operations, &s) && !get_text(d, f, F_Operation, &s))
		return decode_reject(d, REJECT_NOT_AUDIT);
	put_op(d, s);
	if (!field_has(f, F_CreationDate) && !field_has(f, F_createdDateTime))
		return decode_reject(d, REJECT_NO_TIME);
	if (!get_time(d, f, field_has(f, F_CreationDate) ? F_CreationDate : F_createdDateTime, &us) || !put_time(d, us))
		return decode_reject(d, REJECT_BAD_TIME);
	if (get_text(d, f, F_UserIds, &s) || get_text(d, f, F_UserId, &s))
		put_actor(d, s);
	if (decode_op_kinds(r->op) & KIND_MAIL) {
		r->access = r->op == OP_ATTACHMENT_ACCESS ? ACCESS_ATTACHMENT : ACCESS_UNKNOWN;
		r->items = 1;
		r->flags |= REC_ITEMS_LOST;
	}
	r->flags |= REC_FOLDERS_LOST | REC_CUT; /* all that AuditData said is missing */
	d->rank = 0;
	static const enum field ids[] = { F_Identity, F_RecordId, F_Id };
	bool has_id = false;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0] && !has_id; i++)
		has_id = get_text(d, f, ids[i], &s) && put_id(d, s);
	if (!has_id)
		put_made_id(d);
	return decode_emit(d);
}

/* a number of results as cells have it: 48213, 48213.0, "48,213", "48.213", '48213 */
static bool get_results(struct decoder *d, const struct fields *f, enum field x, int64_t *ret)
{
	char plain[24];
	struct str s;
	size_t n = 0;
	if (!get_text(d, f, x, &s))
		return false;
	s = str_trim(s);
	for (size_t i = s.n && s.p[0] == '\''; i < s.n && n < sizeof plain; i++) {
		bool group = i + 3 < s.n && (i + 4 == s.n || !(s.p[i + 4] >= '0' && s.p[i + 4] <= '9'));
		for (size_t k = 1; group && k < 4; k++)
			group = s.p[i + k] >= '0' && s.p[i + k] <= '9';
		if (!(group && n && (s.p[i] == ',' || s.p[i] == '.' || s.p[i] == ' ' || s.p[i] == '\'')))
			plain[n++] = s.p[i];
	}
	return parse_int((struct str){ plain, n }, ret);
}

/* what the exporter wrote next to its records */
static void take_claims(struct decoder *d, const struct fields *f)
{
	int64_t index, count;
	struct str context = STR_NONE, next;
	if (get_results(d, f, F_ResultIndex, &index) && get_results(d, f, F_ResultCount, &count)) {
		claims_result(d->claims, index, count);
		d->counts->rows++;
	} else if (f->is_row) {
		d->counts->rows++;
	}
	if (is_array(f, F_value)) {
		get_text(d, f, F_odata_context, &context);
		claims_page(d->claims, context, get_text(d, f, F_odata_nextLink, &next));
	}
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	struct str s;
	take_claims(d, f);
	if (field_has(f, F_AuditData)) {
		if (!f->is_row) {
			char c = walk_char(&f->d, f->v[F_AuditData]);
			if (c == '{' || c == '[')
				return decode_inner(d, &f->d, f->v[F_AuditData]);
		}
		if (!get_text(d, f, F_AuditData, &s))
			return decode_columns(d, f);
		s = str_trim(s);
		struct str inner;
		bool wreck = str_starts(s, STR("@{"));
		if (str_starts(s, STR("System.")) || (wreck && !(wreck_get(s, STR("Operation"), &inner) && wreck_get(s, STR("CreationTime"), &inner))))
			return decode_columns(d, f);
		if (wreck) /* its plain members are whole; objects in it are empty, which looks like absence */
			d->flags |= REC_SHAPE_UNKNOWN;
		return decode_record_text(d, s, f);
	}
	static const enum field arrays[] = { F_records, F_value, F_activities };
	for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
		if (is_array(f, arrays[i])) {
			if (d->level && walk_char(&f->d, f->v[arrays[i]] + 1) == ']')
				continue; /* an empty page by itself holds nothing; inside of something else it may be anything */
			if (arrays[i] == F_activities)
				return decode_stranger(d, f);
			return decode_inner(d, &f->d, f->v[arrays[i]]);
		}
	}
	if (is_object(f, F_o365audit))
		return decode_inner(d, &f->d, f->v[F_o365audit]);
	if (is_object(f, F_o365)) {
		uint32_t audit = object_member(&f->d, f->v[F_o365], STR("audit"));
		if (audit != WALK_BAD && walk_char(&f->d, audit) == '{')
			return decode_inner(d, &f->d, audit);
	}
	if (get_text(d, f, F_event_original, &s) || get_text(d, f, F_raw, &s)) {
		enum verdict v = decode_record_text(d, s, NULL);
		if (v != NOT_MINE)
			return v;
	}
	if (is_object(f, F_event)) {
		uint32_t original = object_member(&f->d, f->v[F_event], STR("original"));
		if (original != WALK_BAD && walk_char(&f->d, original) == '{')
			return decode_inner(d, &f->d, original);
		if (original != WALK_BAD && value_text(d, &f->d, original, &s)) {
			enum verdict v = decode_record_text(d, s, NULL);
			if (v != NOT_MINE)
				return v;
		}
	}
	if (is_object(f, F_message))
		return decode_inner(d, &f->d, f->v[F_message]);
	if (get_text(d, f, F_message, &s)) {
		enum verdict v = decode_record_text(d, s, NULL);
		if (v != NOT_MINE)
			return v;
	}
	if (field_has(f, F_CreationDate) && (field_has(f, F_Identity) || field_has(f, F_RecordId)))
		return decode_columns(d, f);
	return NOT_MINE;
}

const struct format format_wrapped = {
	.name = "wrapped",
	.doc = "a record inside another: AuditData rows, {\"records\"}, {\"value\"}, message, event.original, _raw, o365audit",
	.match = match,
	.decode = decode,
};
