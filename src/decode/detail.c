/* SPDX-License-Identifier: Apache-2.0 */
/* detail: the parameters of an administrative, directory or rule record, kept as (name, value) pairs after the rec.
 * Mail records, which are the bulk, never come here. */
#include "decode/decode_int.h"

static void add_entry(struct decoder *d, void *arg, struct str name, struct str value, struct str old)
{
	(void)arg;
	if (name.n == 0)
		return;
	rec_add_detail(&d->b, name, value);
	if (old.n) {
		char name_old[NAME_BYTES_MAX];
		size_t n = name.n < sizeof name_old - 4 ? name.n : sizeof name_old - 4;
		memcpy(name_old, name.p, n);
		memcpy(name_old + n, ".old", 4);
		rec_add_detail(&d->b, (struct str){ name_old, n + 4 }, old);
	}
}

static void add_target(struct decoder *d, struct str id, struct str type)
{
	int64_t t = 0;
	char name[] = "Target.Type0";
	parse_int(type, &t);
	name[sizeof name - 2] = (char)('0' + (t >= 0 && t <= 9 ? t : 0));
	rec_add_detail(&d->b, str_of(name), id);
}

/* the members of these names, as text */
static void members_of(struct decoder *d, const struct json_index *x, uint32_t e, const struct str *names, struct str *ret, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t m = object_member(x, e, names[i]);
		ret[i] = STR_NONE;
		if (m != WALK_BAD)
			value_text(d, x, m, &ret[i]);
	}
}

/* Target[]: {"ID": i, "Type": t} as "Target.Type<t>" */
static uint32_t take_target(struct decoder *d, const struct json_index *x, uint32_t e, void *arg)
{
	static const struct str names[] = { { "ID", 2 }, { "Type", 4 } };
	struct str s[2];
	(void)arg;
	members_of(d, x, e, names, s, 2);
	if (s[0].n)
		add_target(d, s[0], s[1]);
	return e;
}

static void add_targets(struct decoder *d, const struct fields *f)
{
	static const struct str known[] = { { "ID", 2 }, { "Type", 4 }, { NULL, 0 } };
	struct json_index x;
	uint32_t v;
	struct str text;
	if (!get_nested(d, f, F_Target, &x, &v) || walk_char(&x, v) != '[') {
		each_object(d, f, F_Target, known, take_target, NULL);
		return;
	}
	struct walk_array a = walk_array(&x, v);
	for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(&x, e)) {
		struct str id, type = STR_NONE;
		if (walk_char(&x, e) == '"' && value_text(d, &x, e, &text) && wreck_get(text, STR("ID"), &id)) { /* "@{ID=...; Type=4}" */
			wreck_get(text, STR("Type"), &type);
			add_target(d, id, type);
		} else {
			each_slowly(d, &x, e, known, take_target, NULL);
		}
	}
}

/* TargetResources[] of Entra's own log: id, displayName, userPrincipalName, type, modifiedProperties[] */
static const struct str resource_names[] = {
	{ "id", 2 }, { "displayName", 11 }, { "userPrincipalName", 17 }, { "type", 4 }, { "modifiedProperties", 18 }, { NULL, 0 },
};

static uint32_t take_resource(struct decoder *d, const struct json_index *x, uint32_t e, void *arg)
{
	static const struct str as[] = { { "Target.Type2", 12 }, { "Target.Type1", 12 }, { "Target.Type5", 12 }, { "Target.Kind", 11 } };
	struct str s[4];
	(void)arg;
	members_of(d, x, e, resource_names, s, 4);
	for (unsigned i = 0; i < 4; i++)
		if (s[i].n)
			rec_add_detail(&d->b, as[i], s[i]);
	uint32_t m = object_member(x, e, resource_names[4]);
	if (m != WALK_BAD)
		bag_each_value(d, x, m, add_entry, NULL);
	return e;
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
		if (!bag_each(d, f, bags[i], add_entry, NULL) && !field_is_nested(f, bags[i]) && get_text(d, f, bags[i], &s))
			rec_add_detail(&d->b, field_name(bags[i]), s); /* unchanged */
	}
	add_targets(d, f);
	each_object(d, f, F_TargetResources, resource_names, take_resource, NULL);
	static const struct str item[] = { { "ParentFolder", 12 }, { "Subject", 7 }, { "InternetMessageId", 17 }, { "Id", 2 }, { NULL, 0 } };
	static const struct str members[] = { { "MemberUpn", 9 }, { "MemberRights", 12 }, { "Path", 4 }, { "Id", 2 }, { NULL, 0 } };
	if (get_object(d, f, F_Item, item, &x, &v)) { /* folder permissions: who got what on which folder */
		uint32_t parent = object_member(&x, v, STR("ParentFolder"));
		struct str values[3];
		if (parent != WALK_BAD && get_object_in(d, &x, &parent, members)) {
			members_of(d, &x, parent, members, values, 3);
			for (size_t i = 0; i < 3; i++)
				if (values[i].n)
					rec_add_detail(&d->b, members[i], values[i]);
		}
	}
}
