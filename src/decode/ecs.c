/* SPDX-License-Identifier: Apache-2.0 */
/* ecs: a document of Elastic's o365 integration that did not keep the original record.  The integration moved members of the record
 * to the Elastic Common Schema and left the rest under o365.audit; here they get their own names again:
 *
 *   {"@timestamp": t, "event": {"action": op, "id": id, "code": type}, "organization": {"id": o}, "user": {"id": u},
 *    "source": {"ip": a}, "o365": {"audit": {...}}}
 *
 * and the same with dots in flat names, as `fields` of a hit has it: {"event.action": ["op"], "o365.audit.UserId": ["u"]}.  What
 * o365.audit holds under its own name counts more. */
#include "decode/decode_int.h"

enum { MEMBERS_MAX = 512, DOTS_MAX = 4 };

static bool is_object(const struct fields *f, enum field x)
{
	return field_has(f, x) && !f->is_row && walk_char(&f->d, f->v[x]) == '{';
}

static bool match(const struct fields *f)
{
	return !f->is_row && !f->is_table && !field_has(f, F_Operation) && !field_has(f, F_event_original)
		&& (field_has(f, F_event_action) || (is_object(f, F_o365) && is_object(f, F_event)));
}

struct place { /* a member of the record */
	struct str name; /* may hold dots */
	uint32_t v;
};

/* The value of a path whose parts are nested or joined with dots. */
static uint32_t at_path(const struct json_index *x, uint32_t v, struct str path)
{
	uint32_t m = object_member(x, v, path);
	for (size_t i = 1; m == WALK_BAD && i + 1 < path.n; i++) {
		uint32_t part = path.p[i] == '.' ? object_member(x, v, (struct str){ path.p, i }) : WALK_BAD;
		if (part != WALK_BAD && walk_char(x, part) == '{')
			m = at_path(x, part, (struct str){ path.p + i + 1, path.n - i - 1 });
	}
	return m;
}

static void add_name(struct buf *b, struct str name)
{
	if (b->n && b->p[b->n - 1] != '{')
		buf_add_char(b, ',');
	buf_add_char(b, '"');
	buf_add_str(b, name); /* as it was written, escapes and all */
	buf_add_cstr(b, "\":");
}

static void add_member(struct buf *b, const struct json_index *x, struct str name, uint32_t v)
{
	char c = walk_char(x, v);
	uint32_t next = walk_skip(x, v);
	if (next >= WALK_DEEP)
		return;
	add_name(b, name);
	size_t end = c == '{' || c == '[' ? x->at[next - 1] + 1 : x->at[v + 1];
	buf_add_str(b, str_trim((struct str){ x->p + x->at[v], end - x->at[v] }));
}

/* "Item.ParentFolder.Id" as {"Item": {"ParentFolder": {"Id": ...}}} */
static void add_members(struct buf *b, const struct json_index *x, const struct place *m, size_t n, unsigned dots)
{
	for (size_t i = 0; i < n; i++) {
		struct str name = m[i].name;
		const char *dot = dots < DOTS_MAX ? memchr(name.p, '.', name.n) : NULL;
		if (!dot) {
			add_member(b, x, name, m[i].v);
			continue;
		}
		const struct str head = { name.p, (size_t)(dot - name.p) + 1 };
		struct place in[MEMBERS_MAX];
		size_t count = 0;
		bool first = true;
		for (size_t k = 0; k < n; k++) {
			if (!str_starts_nocase(m[k].name, head))
				continue;
			first = first && k >= i; /* else it was taken with that one */
			in[count++] = (struct place){ { m[k].name.p + head.n, m[k].name.n - head.n }, m[k].v };
		}
		if (!first)
			continue;
		add_name(b, (struct str){ head.p, head.n - 1 });
		buf_add_char(b, '{');
		add_members(b, x, in, count, dots + 1);
		buf_add_char(b, '}');
	}
}

static size_t places_in(const struct json_index *x, uint32_t v, struct str prefix, struct place *ret, size_t n)
{
	if (walk_char(x, v) != '{')
		return n;
	struct walk_object o = walk_object(x, v);
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
		struct str k = key_text(x, key);
		if (n < MEMBERS_MAX && k.n > prefix.n && str_starts_nocase(k, prefix) && walk_char(x, key + 2) != 'n')
			ret[n++] = (struct place){ { k.p + prefix.n, k.n - prefix.n }, key + 2 };
	}
	return n;
}

static bool has_place(const struct place *m, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(m[i].name, name))
			return true;
	return false;
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	static const struct { struct str path, name; } moved[] = {
		{ { "@timestamp", 10 }, { "CreationTime", 12 } }, { { "event.action", 12 }, { "Operation", 9 } }, { { "event.id", 8 }, { "Id", 2 } },
		{ { "event.code", 10 }, { "RecordType", 10 } }, { { "event.provider", 14 }, { "Workload", 8 } },
		{ { "event.outcome", 13 }, { "ResultStatus", 12 } }, { { "organization.id", 15 }, { "OrganizationId", 14 } },
		{ { "user.email", 10 }, { "UserId", 6 } }, { { "user.id", 7 }, { "UserId", 6 } }, { { "client.ip", 9 }, { "ClientIPAddress", 15 } },
		{ { "source.ip", 9 }, { "ClientIPAddress", 15 } },
	};
	const struct json_index *x = &f->d;
	struct place own[MEMBERS_MAX];
	uint32_t v = at_path(x, f->begin, STR("o365.audit"));
	size_t n = places_in(x, f->begin, STR("o365.audit."), own, 0);
	if (v != WALK_BAD)
		n = places_in(x, v, STR(""), own, n);
	if (at_path(x, f->begin, STR("event.original")) != WALK_BAD || at_path(x, f->begin, STR("event.action")) == WALK_BAD || n == 0
		|| (has_place(own, n, STR("Operation")) && has_place(own, n, STR("CreationTime")) && v != WALK_BAD))
		return NOT_MINE; /* the record is whole somewhere */
	struct buf b;
	buf_init(&b, 2 * RECORD_BYTES_MAX);
	buf_add_char(&b, '{');
	for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++)
		if ((v = at_path(x, f->begin, moved[i].path)) != WALK_BAD && walk_char(x, v) != 'n')
			add_member(&b, x, moved[i].name, v);
	add_members(&b, x, own, n, 0);
	buf_add_char(&b, '}');
	char *copy = buf_failed(&b) ? NULL : arena_take(&d->arena, b.n + 1);
	if (copy)
		memcpy(copy, b.p, b.n + 1);
	size_t length = b.n;
	buf_release(&b);
	return copy ? decode_text(d, (struct str){ copy, length }, NULL) : decode_reject(d, REJECT_TOO_LONG);
}

const struct format format_ecs = {
	.name = "ecs",
	.doc = "Elastic Common Schema document of the o365 integration, without event.original",
	.match = match,
	.decode = decode,
};
