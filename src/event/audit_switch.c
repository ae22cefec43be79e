/* SPDX-License-Identifier: Apache-2.0 */
/* audit_switch: see audit_switch.h. */
#include "event/audit_switch.h"

#include "base/timefmt.h"
#include "base/truth.h"

#define AGE_LIMIT_DEFAULT_US (90 * US_PER_DAY) /* what a mailbox has by default */

const char *const switch_names[SWITCH_KINDS] = {
	[SWITCH_BYPASS] = "bypass", [SWITCH_INGESTION] = "ingestion", [SWITCH_ORGANIZATION] = "organization", [SWITCH_AGE_LIMIT] = "age-limit",
	[SWITCH_MAILBOX] = "mailbox", [SWITCH_ACTIONS] = "actions", [SWITCH_LICENCE] = "licence", [SWITCH_ADMIN_LOG] = "admin-log",
};

/* -- the record -- */

enum outcome outcome_of(const struct rec *r)
{
	struct str s;
	if ((rec_detail(r, STR("MethodExecutionResult."), &s) || rec_detail(r, STR("MethodExecutionResult"), &s)) &&
	    str_find_nocase(s, STR("exception")) >= 0)
		return OUTCOME_FAILED; /* Entra writes success around a consent that its policy refused */
	if (r->flags & REC_SUCCESS)
		return OUTCOME_DONE;
	if (rec_detail(r, STR("ResultStatus"), &s) || rec_detail(r, STR("Result"), &s)) {
		s = str_trim(s);
		if (str_starts_nocase(s, STR("fail")) || truth_of(s) == TRUTH_NO)
			return OUTCOME_FAILED;
		if (truth_of(s) == TRUTH_YES)
			return OUTCOME_DONE;
	}
	return OUTCOME_UNSAID;
}

bool made_by_microsoft(const struct rec *r, struct str actor)
{
	return r->user_type == 3 + 1 || str_starts_nocase(actor, STR("NT AUTHORITY\\SYSTEM"));
}

/* -- values -- */

static bool number(struct str s, size_t *at, int64_t *ret)
{
	size_t i = *at;
	int64_t v = 0;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && i - *at < 9)
		v = v * 10 + (s.p[i++] - '0');
	if (i == *at || (i < s.n && s.p[i] >= '0' && s.p[i] <= '9'))
		return false;
	*at = i;
	*ret = v;
	return true;
}

/* A .NET time span: "90.00:00:00", "00:00:00", "1.00:00:00.5", or days alone ("90"). */
static bool parse_span(struct str s, int64_t *ret_us)
{
	int64_t days = 0, v[3] = { 0 };
	size_t at = 0;
	s = str_trim(s);
	if (!number(s, &at, &days))
		return false;
	if (at == s.n) {
		*ret_us = days * US_PER_DAY;
		return true;
	}
	if (s.p[at] == ':') {
		days = 0;
		at = 0;
	} else if (s.p[at] == '.') {
		at++;
	} else {
		return false;
	}
	for (unsigned i = 0; i < 3; i++) {
		if (!number(s, &at, &v[i]) || (i < 2 && (at == s.n || s.p[at++] != ':')))
			return false;
	}
	if (at < s.n && s.p[at] != '.')
		return false;
	*ret_us = days * US_PER_DAY + v[0] * US_PER_HOUR + v[1] * US_PER_MINUTE + v[2] * US_PER_SECOND;
	return true;
}

/* "Update,HardDelete" replaces the list, so what is not in it is off; @{Add=...; Remove=...}, as PowerShell or JSON, changes it.
 * A list that the exporter wrote as a .NET type name is ignored. */
enum switch_state switch_of_actions(struct str s)
{
	static const struct str access = STR("MailItemsAccessed");
	s = str_trim(s);
	if (str_starts_nocase(s, STR("System.")) || str_starts_nocase(s, STR("Microsoft.")))
		return SWITCH_ODD;
	if (!str_starts(s, STR("@{")) && !str_starts(s, STR("{")))
		return str_find_nocase(s, access) < 0 ? SWITCH_OFF : SWITCH_ON;
	ptrdiff_t removed = str_find_nocase(s, STR("remove")), added = str_find_nocase(s, STR("add"));
	for (int i = 0; i < 2; i++) {
		ptrdiff_t from = i ? added : removed, other = i ? removed : added;
		struct str part = { s.p + from, from < 0 ? 0 : s.n - (size_t)from };
		if (from >= 0 && other > from)
			part.n = (size_t)(other - from);
		if (from >= 0 && str_find_nocase(part, access) >= 0)
			return i ? SWITCH_ON : SWITCH_OFF;
	}
	return SWITCH_ODD; /* an edit of other actions */
}

/* -- licences: text that may be cut into pieces and escaped several times over; only words can be trusted -- */

struct plans { /* where the plan is named */
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

/* Place of the needle in s at or after from, or the end of s. */
static size_t find_from(struct str s, size_t from, struct str needle)
{
	ptrdiff_t at = str_find((struct str){ s.p + from, s.n - from }, needle);
	return at < 0 ? s.n : from + (size_t)at;
}

/* additionalDetails: "...OldValue\\\":[...],\\\"NewValue\\\":[...]...".  Other properties (names, service principals) are
 * in the same text: only those that name a licence or the plan count. */
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

static enum switch_state licence_state(const struct rec *r)
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
	if (p.new_disabled && !p.old_disabled) /* a licence given without it takes nothing away */
		return p.old_licence || p.old_enabled || !p.old_seen ? SWITCH_OFF : SWITCH_ODD;
	if (p.whole && p.old_enabled && !p.new_enabled)
		return SWITCH_OFF;
	return p.new_enabled && !p.new_disabled && !p.old_enabled ? SWITCH_ON : SWITCH_ODD;
}

/* -- switches -- */

struct found {
	const struct rec *r;
	struct audit_switch *v;
	size_t n;
};

static struct audit_switch *add(struct found *f, enum switch_kind kind, struct str setting, struct str value, enum switch_state state)
{
	static const struct str subjects[] = { { "Identity", 8 }, { "Target.Type5", 12 }, { "ObjectId", 8 } };
	struct audit_switch *x = &f->v[f->n++];
	*x = (struct audit_switch){ .kind = kind, .setting = setting, .value = value, .state = state, .outcome = outcome_of(f->r) };
	for (size_t i = 0; !switch_is_tenant_wide(kind) && i < SWITCH_SUBJECT_NAMES; i++) {
		struct str s;
		if (rec_detail(f->r, subjects[i], &s) && str_trim(s).n)
			x->subject[x->subject_count++] = str_trim(s);
	}
	return x;
}

/* a boolean setting; `off` is the value with which less is recorded */
static void add_flag(struct found *f, enum switch_kind kind, struct str setting, enum truth off)
{
	struct str value;
	if (!rec_detail(f->r, setting, &value))
		return;
	enum truth t = truth_of(value);
	add(f, kind, setting, value, t == TRUTH_ODD ? SWITCH_ODD : t == off ? SWITCH_OFF : SWITCH_ON);
}

static void add_mailbox(struct found *f)
{
	static const struct str lists[SWITCH_ROLES] = { { "AuditOwner", 10 }, { "AuditDelegate", 13 }, { "AuditAdmin", 10 } };
	static const struct str sets[SWITCH_ROLES] = { { "Owner", 5 }, { "Delegate", 8 }, { "Admin", 5 } };
	struct str v, set = STR_NONE;
	int64_t span;
	if (rec_detail(f->r, STR("AuditLogAgeLimit"), &v)) {
		bool good = parse_span(v, &span);
		add(f, SWITCH_AGE_LIMIT, STR("AuditLogAgeLimit"), v, !good ? SWITCH_ODD : span < AGE_LIMIT_DEFAULT_US ? SWITCH_OFF : SWITCH_ON)
			->limit_us = good ? span : 0;
	}
	add_flag(f, SWITCH_MAILBOX, STR("AuditEnabled"), TRUTH_NO);
	rec_detail(f->r, STR("DefaultAuditSet"), &set); /* Microsoft keeps the lists of these roles: MailItemsAccessed is in them */
	for (unsigned i = 0; i < SWITCH_ROLES; i++) {
		if (str_find_nocase(set, sets[i]) >= 0)
			add(f, SWITCH_ACTIONS, STR("DefaultAuditSet"), set, SWITCH_ON)->role = i;
		else if (rec_detail(f->r, lists[i], &v) && switch_of_actions(v) != SWITCH_ODD)
			add(f, SWITCH_ACTIONS, lists[i], v, switch_of_actions(v))->role = i;
	}
}

size_t audit_switches(const struct rec *r, struct str actor, struct audit_switch ret[AUDIT_SWITCHES_MAX])
{
	struct found f = { .r = r, .v = ret };
	switch (r->op) {
	case OP_SET_AUDIT_BYPASS:
		add_flag(&f, SWITCH_BYPASS, STR("AuditBypassEnabled"), TRUTH_YES);
		break;
	case OP_SET_ADMIN_AUDIT_LOG:
		add_flag(&f, SWITCH_INGESTION, STR("UnifiedAuditLogIngestionEnabled"), TRUTH_NO);
		add_flag(&f, SWITCH_ADMIN_LOG, STR("AdminAuditLogEnabled"), TRUTH_NO);
		break;
	case OP_SET_ORGANIZATION_CONFIG:
		add_flag(&f, SWITCH_ORGANIZATION, STR("AuditDisabled"), TRUTH_YES);
		break;
	case OP_SET_MAILBOX:
		if (!made_by_microsoft(r, actor))
			add_mailbox(&f);
		break;
	case OP_CHANGE_USER_LICENSE: case OP_UPDATE_USER: {
		enum switch_state state = made_by_microsoft(r, actor) ? SWITCH_ODD : licence_state(r);
		if (state != SWITCH_ODD) /* most of these records are about something else */
			add(&f, SWITCH_LICENCE, plan_name, STR_NONE, state);
		break;
	}
	default:
		break;
	}
	return f.n;
}
