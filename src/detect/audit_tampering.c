/* SPDX-License-Identifier: Apache-2.0 */
/* audit-tampering: somebody makes the log see less.
 *
 * Signal   Administrative records that switch auditing off or narrow it: Set-MailboxAuditBypassAssociation,
 *          Set-AdminAuditLogConfig, Set-OrganizationConfig, Set-Mailbox (AuditLogAgeLimit, AuditEnabled, AuditOwner,
 *          AuditDelegate, AuditAdmin), and licence changes that disable the plan M365_ADVANCED_AUDITING.
 * Catches  The step that comes before the reading: bypass for one account, ingestion off for the tenant, mailbox auditing
 *          off, a log that expires at once, MailItemsAccessed taken from the audited actions, premium audit unlicensed.
 * Misses   A whole licence taken away (the record then does not name the plan), an account that was bypassed before the
 *          data begins, and the switch that stopped the very log which would have told.
 * Cost     An administrator who narrows auditing for reasons of his own looks the same: a handful a year.  Microsoft's own
 *          set-up of a tenant (UserType 3) is told apart.  Memory: 48 bytes for each setting, target and actor.
 *
 * One alert for each (setting, target, actor) as long as the changes follow each other within a day.  Switching something
 * on again raises nothing; it ends the blind sentence of the alert before. */
#include <stdio.h>

#include "detect/detect_int.h"
#include "event/settings.h"

#define SAME_CHANGE_US US_PER_DAY       /* changes of one thing by one actor closer than this are one story */
#define AGE_LIMIT_DEFAULT_US (90 * US_PER_DAY) /* what a mailbox has unless somebody changes it */
#define AGE_LIMIT_NOTHING_US US_PER_DAY /* at most a day: the log is gone before anybody looks */
#define CHANGES_MAX 100000

extern const struct detector detector_audit_tampering;

enum setting { BYPASS, INGESTION, ORGANIZATION, AGE_LIMIT, AUDIT_ENABLED, ACTIONS, LICENCE };

struct change {
	uint64_t subject;
	int64_t last_us;
};

struct state {
	struct table changes; /* hash(setting, target, actor) -> struct change: which alert goes on */
	struct table open;    /* hash(setting, target) -> uint64_t subject: which blind sentence to end */
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->changes, sizeof(struct change), CHANGES_MAX);
	table_init(&s->open, sizeof(uint64_t), CHANGES_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	table_release(&s->changes);
	table_release(&s->open);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->changes.refused;
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

/* -- alerts -- */

static struct str target_of(const struct rec *r, bool for_key)
{
	struct str s = STR_NONE;
	if (for_key ? rec_detail(r, STR("ObjectId"), &s) && s.n : rec_detail(r, STR("Identity"), &s) && s.n)
		return s;
	if (!rec_detail(r, for_key ? STR("Identity") : STR("ObjectId"), &s))
		s = STR_NONE;
	return s;
}

static struct alert *open_alert(struct state *s, struct detect_ctx *c, const struct event *e, enum setting what)
{
	uint64_t target = what == INGESTION || what == ORGANIZATION ? 0 : key_text(target_of(e->rec, true));
	uint64_t thing = hash_mix(hash_mix(what + 1, e->rec->tenant), target);
	uint64_t key = hash_mix(thing, e->rec->actor);
	struct change *ch = table_put(&s->changes, key, NULL);
	uint64_t subject = hash_mix(key, (uint64_t)e->rec->time_us);
	if (ch) {
		if (!ch->subject || e->rec->time_us - ch->last_us > SAME_CHANGE_US)
			ch->subject = subject;
		ch->last_us = e->rec->time_us;
		subject = ch->subject;
	}
	uint64_t *open = table_put(&s->open, thing, NULL);
	if (open)
		*open = subject;
	return alerts_open(c->alerts, &detector_audit_tampering, subject);
}

struct finding {
	enum setting what;
	enum severity severity;
	char title[512], why[512], blind[512];
};

static void report(struct state *s, struct detect_ctx *c, const struct event *e, const struct finding *f)
{
	enum severity severity = f->severity;
	enum outcome outcome = outcome_of(e->rec);
	char actor[SAY_SIZE], when[TIME_TEXT_SIZE];
	bool microsoft = made_by_microsoft(c->world, e);
	if (microsoft && f->what >= AGE_LIMIT)
		return; /* Microsoft's own mailbox housekeeping: nearly all Set-Mailbox records of a tenant */
	if (microsoft)
		severity = SEVERITY_INFO;
	else if (outcome == OUTCOME_FAILED)
		severity = SEVERITY_LOW;
	struct alert *al = open_alert(s, c, e, f->what);
	if (!al)
		return;
	bool was_raised = al->raised;
	enum severity before = al->severity;
	alert_fold(c->alerts, al, e);
	alert_raise(al, e->rec->time_us, severity);
	if (!was_raised || severity > before || f->what == AGE_LIMIT)
		alert_title(al, "%s%s by %s", outcome == OUTCOME_FAILED ? "Tried in vain: " : "", f->title,
			    say_actor(c->world, e->actor, actor));
	alert_why(al, "%s: %s", time_format_minute(e->rec->time_us, when), f->why);
	if (outcome == OUTCOME_FAILED)
		alert_why(al, "The record says that this failed: it was tried.");
	else if (outcome == OUTCOME_UNSAID && !was_raised)
		alert_why(al, "The record does not say whether it succeeded.");
	if (microsoft)
		alert_why(al, "Made by an account of Microsoft's own operation (UserType 3 or NT AUTHORITY\\SYSTEM), as at the "
			  "set-up of a tenant.");
	if (outcome != OUTCOME_FAILED && (!was_raised || severity > before || f->what == ACTIONS || f->what == AGE_LIMIT))
		alert_blind(al, "%s, from %s on", f->blind, when);
}

/* Something was switched on again: the alert before, if any, gets its end. */
static void restored(struct state *s, struct detect_ctx *c, const struct event *e, enum setting what)
{
	uint64_t target = what == INGESTION || what == ORGANIZATION ? 0 : key_text(target_of(e->rec, true));
	uint64_t thing = hash_mix(hash_mix(what + 1, e->rec->tenant), target);
	uint64_t *open = table_get(&s->open, thing);
	struct alert *al = open ? alerts_find(c->alerts, &detector_audit_tampering, *open) : NULL;
	char actor[SAY_SIZE], when[TIME_TEXT_SIZE];
	if (!al || outcome_of(e->rec) == OUTCOME_FAILED)
		return;
	alert_fold(c->alerts, al, e);
	alert_blind(al, "... until %s, when %s switched it on again", time_format_minute(e->rec->time_us, when),
		    say_actor(c->world, e->actor, actor));
	table_remove(&s->open, thing);
}

static void set_mailbox(struct state *s, struct detect_ctx *c, const struct event *e, const char *target)
{
	static const char *const lists[3][2] = {
		{ "AuditOwner", "the owner" }, { "AuditDelegate", "delegates" }, { "AuditAdmin", "administrators" },
	};
	struct finding f;
	struct str v;
	int64_t span;
	if (rec_detail(e->rec, STR("AuditLogAgeLimit"), &v) && parse_span(v, &span) && span < AGE_LIMIT_DEFAULT_US) {
		char text[TIME_TEXT_SIZE];
		time_format_span(span, text);
		f.what = AGE_LIMIT;
		f.severity = span <= AGE_LIMIT_NOTHING_US ? SEVERITY_HIGH : SEVERITY_MEDIUM;
		snprintf(f.title, sizeof f.title, "Mailbox audit log of %s shortened to %s", target, span ? text : "nothing");
		snprintf(f.why, sizeof f.why, "Set-Mailbox set AuditLogAgeLimit of %s to %.*s; 90 days is the default",
			 target, (int)(v.n > 32 ? 32 : v.n), v.p);
		snprintf(f.blind, sizeof f.blind, "what the mailbox of %s itself logged and is older than %s (copies in the unified "
			 "audit log keep their own age)", target, span ? text : "now");
		report(s, c, e, &f);
	}
	if (rec_detail(e->rec, STR("AuditEnabled"), &v)) {
		if (value_is_false(v)) {
			f.what = AUDIT_ENABLED;
			f.severity = SEVERITY_MEDIUM;
			snprintf(f.title, sizeof f.title, "Mailbox auditing of %s switched off", target);
			snprintf(f.why, sizeof f.why, "Set-Mailbox set AuditEnabled of %s to False: ignored while auditing is on by "
				 "default: a sign of intent, not a hole", target);
			snprintf(f.blind, sizeof f.blind, "nothing, if auditing is on by default in the tenant; else everything done in "
				 "the mailbox of %s", target);
			report(s, c, e, &f);
		} else if (value_is_true(v)) {
			restored(s, c, e, AUDIT_ENABLED);
		}
	}
	for (unsigned i = 0; i < 3; i++) {
		if (!rec_detail(e->rec, str_of(lists[i][0]), &v) || !settings_list_loses_access(v))
			continue;
		f.what = ACTIONS;
		f.severity = SEVERITY_MEDIUM;
		snprintf(f.title, sizeof f.title, "MailItemsAccessed taken from what is audited in the mailbox of %s", target);
		snprintf(f.why, sizeof f.why, "Set-Mailbox set %s of %s to \"%.*s\", without MailItemsAccessed", lists[i][0], target,
			 (int)(v.n > 120 ? 120 : v.n), v.p);
		snprintf(f.blind, sizeof f.blind, "what %s read in the mailbox of %s", lists[i][1], target);
		report(s, c, e, &f);
	}
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	const struct rec *r = e->rec;
	struct finding f;
	struct str v, name = target_of(r, false);
	char target[128];
	snprintf(target, sizeof target, "%.*s", (int)(name.n > 100 ? 100 : name.n), name.n ? name.p : "");
	if (!name.n)
		snprintf(target, sizeof target, "an account that the record does not name");

	switch (r->op) {
	case OP_SET_AUDIT_BYPASS:
		if (!rec_detail(r, STR("AuditBypassEnabled"), &v))
			break;
		if (!value_is_true(v)) {
			restored(s, c, e, BYPASS);
			break;
		}
		f.what = BYPASS;
		f.severity = SEVERITY_HIGH;
		snprintf(f.title, sizeof f.title, "Audit bypass switched on for %s", target);
		snprintf(f.why, sizeof f.why, "Set-MailboxAuditBypassAssociation set AuditBypassEnabled to True for %s: what this account "
			 "does is logged in no mailbox, its own or another's", target);
		snprintf(f.blind, sizeof f.blind, "everything that %s reads, in any mailbox", target);
		report(s, c, e, &f);
		break;
	case OP_SET_ADMIN_AUDIT_LOG:
		if (!rec_detail(r, STR("UnifiedAuditLogIngestionEnabled"), &v))
			break;
		if (!value_is_false(v)) {
			restored(s, c, e, INGESTION);
			break;
		}
		f.what = INGESTION;
		f.severity = SEVERITY_CRITICAL;
		snprintf(f.title, sizeof f.title, "Unified audit log of the tenant switched off");
		snprintf(f.why, sizeof f.why, "Set-AdminAuditLogConfig set UnifiedAuditLogIngestionEnabled to False: the log of the whole "
			 "tenant stops, within an hour");
		snprintf(f.blind, sizeof f.blind, "everything that anybody does in the tenant");
		report(s, c, e, &f);
		break;
	case OP_SET_ORGANIZATION_CONFIG:
		if (!rec_detail(r, STR("AuditDisabled"), &v))
			break;
		if (!value_is_true(v)) {
			restored(s, c, e, ORGANIZATION);
			break;
		}
		f.what = ORGANIZATION;
		f.severity = SEVERITY_CRITICAL;
		snprintf(f.title, sizeof f.title, "Mailbox auditing of the tenant switched off");
		snprintf(f.why, sizeof f.why, "Set-OrganizationConfig set AuditDisabled to True: no mailbox of the tenant is audited");
		snprintf(f.blind, sizeof f.blind, "everything that is read, in every mailbox of the tenant");
		report(s, c, e, &f);
		break;
	case OP_SET_MAILBOX:
		set_mailbox(s, c, e, target);
		break;
	case OP_CHANGE_USER_LICENSE:
	case OP_UPDATE_USER:
		if (!settings_licence_lost(r))
			break;
		f.what = LICENCE;
		f.severity = SEVERITY_MEDIUM;
		snprintf(f.title, sizeof f.title, "Advanced auditing taken from the licence of %s", target);
		snprintf(f.why, sizeof f.why, "\"%s\" disabled the plan M365_ADVANCED_AUDITING for %s", op_text(r->op), target);
		snprintf(f.blind, sizeof f.blind, "premium audit events and the long retention of %s (in tenants where "
			 "MailItemsAccessed is premium: all reading of the mailbox)", target);
		report(s, c, e, &f);
		break;
	default:
		break;
	}
}

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	persist_table(p, &s->changes, NULL);
	persist_table(p, &s->open, NULL);
}

static const char *const mitre[] = { "T1562.008", NULL };

const struct detector detector_audit_tampering = {
	.name = "audit-tampering",
	.title = "Auditing was switched off or narrowed",
	.severity = "critical: tenant-wide; high: bypass, log age of a day or less; medium: one mailbox or licence; low: it "
		    "failed; info: by Microsoft",
	.signal = "Set-MailboxAuditBypassAssociation, Set-AdminAuditLogConfig, Set-OrganizationConfig, Set-Mailbox Audit*, "
		  "licence changes that disable M365_ADVANCED_AUDITING",
	.catches = "the step before the reading: bypass, ingestion off, log age cut, MailItemsAccessed no longer audited, "
		   "premium audit unlicensed",
	.misses = "a whole licence removed without naming the plan; what was switched off before the data begins",
	.cost = "an administrator who narrows auditing on purpose: a handful a year; 48 bytes a (setting, target, actor)",
	.mitre = mitre,
	.wants = KIND_ADMIN | KIND_DIRECTORY,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.release = release,
	.persist = persist,
	.refused = refused,
};
