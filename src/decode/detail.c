/* SPDX-License-Identifier: Apache-2.0 */
/* detail: the parameters of an administrative, directory or rule record, kept as (name, value) pairs behind the rec.
 * Mail records, which are the bulk, never come here. */
#include "decode/decode_int.h"

/* [{"Name": n, "Value": v}, ...] and [{"Name": n, "NewValue": v, "OldValue": w}, ...], wreckage and bare names included */
static void add_bag(struct decoder *d, const struct json_index *x, uint32_t v)
{
	if (v >= x->n || walk_char(x, v) != '[')
		return;
	struct walk_array a = walk_array(x, v);
	for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(x, e)) {
		struct str name = STR_NONE, value = STR_NONE, old = STR_NONE, s;
		char c = walk_char(x, e);
		if (c == '"') {
			if (!value_text(d, x, e, &s))
				continue;
			if (wreck_get(s, STR("Name"), &name)) {
				if (!wreck_get(s, STR("Value"), &value))
					wreck_get(s, STR("NewValue"), &value);
				wreck_get(s, STR("OldValue"), &old);
			} else {
				name = s; /* ModifiedProperties of item records: names only */
			}
		} else if (c == '{') {
			struct walk_object o = walk_object(x, e);
			for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
				struct str k = key_text(x, key);
				struct str *to = str_eq_nocase(k, STR("Name")) || str_eq_nocase(k, STR("displayName")) || str_eq_nocase(k, STR("key")) ? &name
					: str_eq_nocase(k, STR("Value")) || str_eq_nocase(k, STR("NewValue")) ? &value
					: str_eq_nocase(k, STR("OldValue")) ? &old : NULL;
				if (to)
					value_text(d, x, key + 2, to);
			}
		}
		if (name.n == 0)
			continue;
		/* Entra's own log writes values as JSON text: "\"full_access_as_app\"" */
		for (int i = 0; i < 2; i++) {
			struct str *t = i ? &old : &value;
			if (t->n >= 2 && t->p[0] == '"' && t->p[t->n - 1] == '"')
				*t = (struct str){ t->p + 1, t->n - 2 };
		}
		rec_add_detail(&d->b, name, value);
		if (old.n) {
			char name_old[NAME_BYTES_MAX];
			size_t n = name.n < sizeof name_old - 4 ? name.n : sizeof name_old - 4;
			memcpy(name_old, name.p, n);
			memcpy(name_old + n, ".old", 4);
			rec_add_detail(&d->b, (struct str){ name_old, n + 4 }, old);
		}
	}
}

/* Target[]: {"ID": i, "Type": t} as "Target.Type<t>" */
static void add_targets(struct decoder *d, const struct json_index *x, uint32_t v)
{
	if (v >= x->n || walk_char(x, v) != '[')
		return;
	struct walk_array a = walk_array(x, v);
	for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(x, e)) {
		struct str id = STR_NONE, s;
		int64_t type = 0;
		if (walk_char(x, e) == '"') { /* "@{ID=...; Type=4}" */
			if (!value_text(d, x, e, &s) || !wreck_get(s, STR("ID"), &id))
				continue;
			struct str t;
			if (wreck_get(s, STR("Type"), &t))
				parse_int(t, &type);
		} else {
			uint32_t m = object_member(x, e, STR("ID")), t = object_member(x, e, STR("Type"));
			if (m == WALK_BAD || !value_text(d, x, m, &id))
				continue;
			if (t != WALK_BAD && value_text(d, x, t, &s))
				parse_int(s, &type);
		}
		char name[] = "Target.Type0";
		name[sizeof name - 2] = (char)('0' + (type >= 0 && type <= 9 ? type : 0));
		rec_add_detail(&d->b, str_of(name), id);
	}
}

/* TargetResources[] of Entra's own log: id, displayName, type, modifiedProperties[] */
static void add_resources(struct decoder *d, const struct json_index *x, uint32_t v)
{
	if (v >= x->n || walk_char(x, v) != '[')
		return;
	struct walk_array a = walk_array(x, v);
	for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(x, e)) {
		uint32_t m;
		struct str s;
		if ((m = object_member(x, e, STR("id"))) != WALK_BAD && value_text(d, x, m, &s))
			rec_add_detail(&d->b, STR("Target.Type2"), s);
		if ((m = object_member(x, e, STR("displayName"))) != WALK_BAD && value_text(d, x, m, &s))
			rec_add_detail(&d->b, STR("Target.Type1"), s);
		if ((m = object_member(x, e, STR("userPrincipalName"))) != WALK_BAD && value_text(d, x, m, &s))
			rec_add_detail(&d->b, STR("Target.Type5"), s);
		if ((m = object_member(x, e, STR("type"))) != WALK_BAD && value_text(d, x, m, &s))
			rec_add_detail(&d->b, STR("Target.Kind"), s);
		if ((m = object_member(x, e, STR("modifiedProperties"))) != WALK_BAD)
			add_bag(d, x, m);
	}
}

void decode_details(struct decoder *d, const struct fields *f)
{
	static const enum field bags[] = { F_Parameters, F_ModifiedProperties, F_ExtendedProperties, F_OperationProperties, F_AdditionalDetails };
	static const enum field texts[] = { F_ObjectId, F_OfficeObjectId, F_ErrorNumber, F_ResourceURL, F_ResultStatus };
	struct json_index x;
	uint32_t v;
	struct str s;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (get_text(d, f, texts[i], &s))
			rec_add_detail(&d->b, texts[i] == F_OfficeObjectId ? STR("ObjectId") : field_name(texts[i]), s);
	for (size_t i = 0; i < sizeof bags / sizeof bags[0]; i++) {
		if (get_nested(d, f, bags[i], &x, &v))
			add_bag(d, &x, v);
		else if (get_text(d, f, bags[i], &s))
			rec_add_detail(&d->b, field_name(bags[i]), s);
	}
	if (get_nested(d, f, F_Target, &x, &v))
		add_targets(d, &x, v);
	if (get_nested(d, f, F_TargetResources, &x, &v))
		add_resources(d, &x, v);
	if (get_nested(d, f, F_Item, &x, &v)) { /* folder permissions: who got what on which folder */
		uint32_t parent = object_member(&x, v, STR("ParentFolder"));
		static const struct str members[] = { { "MemberUpn", 9 }, { "MemberRights", 12 }, { "Path", 4 } };
		for (size_t i = 0; parent != WALK_BAD && i < sizeof members / sizeof members[0]; i++) {
			uint32_t m = object_member(&x, parent, members[i]);
			if (m != WALK_BAD && value_text(d, &x, m, &s))
				rec_add_detail(&d->b, members[i], s);
		}
	}
}
