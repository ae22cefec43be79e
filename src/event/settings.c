/* SPDX-License-Identifier: Apache-2.0 */
/* settings: see settings.h. */
#include "event/settings.h"

/* Does this list of audited actions lose MailItemsAccessed?  "Update,HardDelete" replaces the list, so what is not in it
 * is off; @{Add=...; Remove=...}, as PowerShell or JSON, changes it.  A list that the log wrote as a .NET type name says
 * nothing, and then we say nothing. */
bool settings_list_loses_access(struct str s)
{
	static const struct str access = STR("MailItemsAccessed");
	s = str_trim(s);
	if (str_starts_nocase(s, STR("System.")) || str_starts_nocase(s, STR("Microsoft.")))
		return false;
	ptrdiff_t removed = str_find_nocase(s, STR("remove")), added = str_find_nocase(s, STR("add"));
	bool is_edit = str_starts(s, STR("@{")) || str_starts(s, STR("{"));
	if (!is_edit)
		return str_find_nocase(s, access) < 0;
	if (removed < 0)
		return false;
	struct str part = { s.p + removed, s.n - (size_t)removed };
	if (added > removed)
		part.n = (size_t)(added - removed);
	return str_find_nocase(part, access) >= 0;
}

/* -- licences: text that may be cut into pieces and escaped several times over; only words can be trusted -- */

struct plans { /* where the plan stands */
	bool old_seen, old_licence, old_disabled, old_enabled;
	bool new_seen, new_disabled, new_enabled;
	bool whole; /* old and new came as two whole values, so that absence means something */
};

static const struct str plan_name = STR("M365_ADVANCED_AUDITING");

/* One pass: the plan's name counts as disabled between "DisabledPlans" and the next "]". */
static void read_plans(struct plans *p, struct str s, bool is_old)
{
	bool inside = false;
	if (is_old) {
		p->old_seen = true;
		p->old_licence |= str_find(s, STR("SkuName")) >= 0 || str_find(s, STR("SkuId")) >= 0;
	} else {
		p->new_seen = true;
	}
	for (size_t i = 0; i < s.n; i++) {
		struct str rest = { s.p + i, s.n - i };
		if (s.p[i] == ']')
			inside = false;
		else if (s.p[i] == 'D' && str_starts(rest, STR("DisabledPlans")))
			inside = true;
		else if (s.p[i] == 'M' && str_starts(rest, plan_name))
			*(is_old ? (inside ? &p->old_disabled : &p->old_enabled)
				 : (inside ? &p->new_disabled : &p->new_enabled)) = true;
	}
}

/* Place of the needle in s at or behind from, or the end of s. */
static size_t find_from(struct str s, size_t from, struct str needle)
{
	ptrdiff_t at = str_find((struct str){ s.p + from, s.n - from }, needle);
	return at < 0 ? s.n : from + (size_t)at;
}

/* additionalDetails: "...OldValue\\\":[...],\\\"NewValue\\\":[...]...".  Other properties (names, service principals) stand
 * in the same text: only what names a licence or the plan counts. */
static void read_marked(struct plans *p, struct str s)
{
	size_t old_at = find_from(s, 0, STR("OldValue")), new_at = find_from(s, 0, STR("NewValue"));
	while (old_at < s.n || new_at < s.n) {
		bool is_old = old_at < new_at;
		size_t start = (is_old ? old_at : new_at) + 8;
		if (is_old)
			old_at = find_from(s, start, STR("OldValue"));
		else
			new_at = find_from(s, start, STR("NewValue"));
		size_t end = old_at < new_at ? old_at : new_at;
		struct str part = { s.p + start, end > start ? end - start : 0 };
		if (str_find(part, STR("SkuName")) >= 0 || str_find(part, plan_name) >= 0)
			read_plans(p, part, is_old);
		else if (is_old && str_find(part, STR("[]")) >= 0 && !p->old_licence)
			p->old_seen = true; /* there was no licence */
	}
}

bool settings_licence_lost(const struct rec *r)
{
	struct plans p = { 0 };
	struct detail_iter it = rec_details(r);
	struct str name, value;
	bool old_whole = false, new_whole = false;
	while (detail_next(&it, &name, &value)) {
		if (str_starts_nocase(name, STR("AssignedLicense")) || str_starts_nocase(name, STR("AssignedPlan"))) {
			bool is_old = str_ends_nocase(name, STR(".old"));
			read_plans(&p, value, is_old);
			*(is_old ? &old_whole : &new_whole) = true;
		} else if (str_find(value, plan_name) >= 0) {
			read_marked(&p, value);
		}
	}
	p.old_seen |= new_whole; /* a pair without an old value had none */
	p.whole = old_whole && new_whole && !(r->flags & REC_DETAIL_CUT);
	if (p.new_disabled && !p.old_disabled)
		return p.old_licence || p.old_enabled || !p.old_seen; /* a licence given without it takes nothing away */
	return p.whole && p.old_enabled && !p.new_enabled;
}
