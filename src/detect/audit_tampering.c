/* SPDX-License-Identifier: Apache-2.0 */
/* audit-tampering: auditing is switched off or narrowed.
 *
 * Signal   Administrative records that switch auditing off or narrow it: Set-MailboxAuditBypassAssociation,
 *          Set-AdminAuditLogConfig, Set-OrganizationConfig, Set-Mailbox (AuditLogAgeLimit, AuditEnabled, AuditOwner,
 *          AuditDelegate, AuditAdmin), and licence changes that disable the plan M365_ADVANCED_AUDITING.
 * Catches  The step that comes before the reading: bypass for one account, ingestion off for the tenant, mailbox auditing
 *          off, a log that expires at once, MailItemsAccessed removed from the audited actions, premium audit unlicensed.
 * Misses   A whole licence taken away (the record then does not name the plan), an account that was bypassed before the
 *          data begins, and the switch that stopped the very log that would have shown it.
 * Cost     An administrator who narrows auditing for reasons of his own looks the same: a handful a year.  Microsoft's own
 *          set-up of a tenant (UserType 3) is distinguished.  Memory: 48 bytes for each setting, target and actor, 560 a record.
 *
 * One alert for each (setting, target, actor) as long as the changes follow each other within a day.  Switching something
 * on again raises nothing; it ends the blind time of the alerts before.  event/audit_switch.c reads which
 * records switch what; at the end state/switches.c knows from when to when it was off, for coverage and impact as well, so
 * that all three agree. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"
#include "event/audit_switch.h"
#include "state/switches.h"
#include "state/whose.h"

#define SAME_CHANGE_US US_PER_DAY       /* changes of one thing by one actor closer than this are one story */
#define AGE_LIMIT_NOTHING_US US_PER_DAY /* at most a day: the log is gone before anyone looks */
#define CHANGES_MAX 100000

extern const struct detector detector_audit_tampering;

struct change {
	uint64_t subject;
	int64_t last_us;
};

struct state {
	struct table changes;     /* hash(setting, target, actor) -> struct change: which alert goes on */
	struct table tenants;     /* subject of an alert -> uint32_t tenant */
	struct switches switches; /* tag: the subject of the alert */
	struct kept *kept; uint32_t kept_n; /* their events */
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->changes, sizeof(struct change), CHANGES_MAX);
	table_init(&s->tenants, sizeof(uint32_t), CHANGES_MAX);
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	table_release(&s->changes);
	table_release(&s->tenants);
	switches_release(&s->switches);
	free(s->kept);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->changes.refused + s->switches.refused;
}

/* -- texts -- */

#define NAME_SIZE 128
#define TEXT_SIZE 512

static const char *name_of(struct str s, char out[NAME_SIZE])
{
	s = whose_plain(s);
	snprintf(out, NAME_SIZE, "%.*s", (int)(s.n > 100 ? 100 : s.n), s.n ? s.p : "");
	return s.n ? out : "an account that the record does not name";
}

static const char *const role_names[SWITCH_ROLES] = { "the owner", "delegates", "administrators" };

/* what could not be seen from then on */
static void say_blind(const struct switch_entry *x, char out[TEXT_SIZE])
{
	char buf[NAME_SIZE], span[TIME_TEXT_SIZE] = "now";
	const char *name = name_of(str_of(x->names[0]), buf);
	if (x->limit_us)
		time_format_span(x->limit_us, span);
	switch ((enum switch_kind)x->kind) {
	case SWITCH_BYPASS:
		snprintf(out, TEXT_SIZE, "everything that %s reads, in any mailbox", name);
		break;
	case SWITCH_INGESTION:
		snprintf(out, TEXT_SIZE, "everything that anybody does in the tenant");
		break;
	case SWITCH_ORGANIZATION:
		snprintf(out, TEXT_SIZE, "everything that is read, in every mailbox of the tenant");
		break;
	case SWITCH_ADMIN_LOG:
		snprintf(out, TEXT_SIZE, "what administrators of the tenant change");
		break;
	case SWITCH_AGE_LIMIT:
		snprintf(out, TEXT_SIZE, "what the mailbox of %s itself logged and is older than %s (copies in the unified audit log keep their "
			 "own age)", name, span);
		break;
	case SWITCH_MAILBOX:
		snprintf(out, TEXT_SIZE, "nothing, if auditing is on by default in the tenant; else everything done in the mailbox of %s", name);
		break;
	case SWITCH_ACTIONS:
		snprintf(out, TEXT_SIZE, "what %s read in the mailbox of %s", role_names[x->role], name);
		break;
	default:
		snprintf(out, TEXT_SIZE, "premium audit events and the long retention of %s (in tenants where MailItemsAccessed is premium: all "
			 "reading of the mailbox)", name);
		break;
	}
}

/* -- alerts -- */

/* what the id of an alert is made of */
static uint64_t target_key(const struct rec *r, enum switch_kind kind)
{
	struct str s = STR_NONE;
	if (switch_is_tenant_wide(kind))
		return 0;
	if (!(rec_detail(r, STR("ObjectId"), &s) && s.n) && !rec_detail(r, STR("Identity"), &s))
		s = STR_NONE;
	return key_text(s);
}

static uint64_t subject_of(struct state *s, const struct event *e, enum switch_kind kind)
{
	uint64_t key = hash_mix(hash_mix(hash_mix(kind + 1, e->rec->tenant), target_key(e->rec, kind)), e->rec->actor);
	struct change *ch = table_put(&s->changes, key, NULL);
	uint64_t subject = hash_mix(key, (uint64_t)e->rec->time_us);
	if (!ch)
		return subject;
	if (!ch->subject || e->rec->time_us - ch->last_us > SAME_CHANGE_US)
		ch->subject = subject;
	ch->last_us = e->rec->time_us;
	return ch->subject;
}

struct finding {
	enum severity severity;
	char title[TEXT_SIZE], why[TEXT_SIZE];
};

static void describe(const struct event *e, const struct audit_switch *x, struct finding *f)
{
	char buf[NAME_SIZE], span[TIME_TEXT_SIZE];
	const char *name = name_of(x->subject_count ? x->subject[0] : STR_NONE, buf);
	const int n = (int)(x->value.n > 120 ? 120 : x->value.n);
	const char *value = x->value.n ? x->value.p : "";
	switch (x->kind) {
	case SWITCH_BYPASS:
		f->severity = SEVERITY_HIGH;
		snprintf(f->title, TEXT_SIZE, "Audit bypass switched on for %s", name);
		snprintf(f->why, TEXT_SIZE, "Set-MailboxAuditBypassAssociation set AuditBypassEnabled to True for %s: what this account does is "
			 "logged in no mailbox, its own or another's", name);
		break;
	case SWITCH_INGESTION:
		f->severity = SEVERITY_CRITICAL;
		snprintf(f->title, TEXT_SIZE, "Unified audit log of the tenant switched off");
		snprintf(f->why, TEXT_SIZE, "Set-AdminAuditLogConfig set UnifiedAuditLogIngestionEnabled to False: the log of the whole tenant stops, "
			 "within an hour");
		break;
	case SWITCH_ORGANIZATION:
		f->severity = SEVERITY_CRITICAL;
		snprintf(f->title, TEXT_SIZE, "Mailbox auditing of the tenant switched off");
		snprintf(f->why, TEXT_SIZE, "Set-OrganizationConfig set AuditDisabled to True: no mailbox of the tenant is audited");
		break;
	case SWITCH_ADMIN_LOG:
		f->severity = SEVERITY_HIGH;
		snprintf(f->title, TEXT_SIZE, "Log of administrators' commands of the tenant switched off");
		snprintf(f->why, TEXT_SIZE, "Set-AdminAuditLogConfig set AdminAuditLogEnabled to False: changes of settings are no longer recorded, the "
			 "next ones of auditing among them");
		break;
	case SWITCH_AGE_LIMIT:
		f->severity = x->limit_us <= AGE_LIMIT_NOTHING_US ? SEVERITY_HIGH : SEVERITY_MEDIUM;
		time_format_span(x->limit_us, span);
		snprintf(f->title, TEXT_SIZE, "Mailbox audit log of %s shortened to %s", name, x->limit_us ? span : "nothing");
		snprintf(f->why, TEXT_SIZE, "Set-Mailbox set AuditLogAgeLimit of %s to %.*s; 90 days is the default", name, n > 32 ? 32 : n, value);
		break;
	case SWITCH_MAILBOX:
		f->severity = SEVERITY_MEDIUM;
		snprintf(f->title, TEXT_SIZE, "Mailbox auditing of %s switched off", name);
		snprintf(f->why, TEXT_SIZE, "Set-Mailbox set AuditEnabled of %s to False: ignored while auditing is on by default: a sign of intent, not "
			 "a hole", name);
		break;
	case SWITCH_ACTIONS:
		f->severity = SEVERITY_MEDIUM;
		snprintf(f->title, TEXT_SIZE, "Auditing of MailItemsAccessed switched off for the mailbox of %s", name);
		snprintf(f->why, TEXT_SIZE, "Set-Mailbox set %.*s of %s to \"%.*s\", without MailItemsAccessed", STR_ARG(x->setting), name, n, value);
		break;
	default:
		f->severity = SEVERITY_MEDIUM;
		snprintf(f->title, TEXT_SIZE, "Advanced auditing removed from the licence of %s", name);
		snprintf(f->why, TEXT_SIZE, "\"%s\" disabled the plan M365_ADVANCED_AUDITING for %s", op_text(e->rec->op), name);
		break;
	}
	if (x->state != SWITCH_ODD)
		return;
	f->severity = SEVERITY_LOW;
	snprintf(f->title, TEXT_SIZE, "%.*s%s%s set to a value that cannot be read", STR_ARG(x->setting),
		 switch_is_tenant_wide(x->kind) ? "" : " of ", switch_is_tenant_wide(x->kind) ? "" : name);
	snprintf(f->why, TEXT_SIZE, "\"%s\" set %.*s to \"%.*s\", which is neither true nor false: whether something was switched off, the record "
		 "does not say, and no blind time is counted", op_text(e->rec->op), STR_ARG(x->setting), n, value);
}

/* the same as fields; whose mailbox a name means is known at the end */
static void add_members(struct state *s, struct alert *al, const struct event *e, const struct audit_switch *x, uint64_t subject)
{
	static const char *const outcomes[] = { [OUTCOME_DONE] = "done", [OUTCOME_UNSAID] = "unsaid", [OUTCOME_FAILED] = "failed" };
	char setting[NAME_SIZE];
	struct str old = STR_NONE;
	uint32_t *tenant = table_put(&s->tenants, subject, NULL);
	if (tenant)
		*tenant = e->tenant;
	snprintf(setting, sizeof setting, "%.*s.old", (int)(x->setting.n > 100 ? 100 : x->setting.n), x->setting.n ? x->setting.p : "");
	if (!rec_detail(e->rec, str_of(setting), &old))
		old = STR_NONE;
	alert_member(al, TARGETS);
	if (!switch_is_tenant_wide(x->kind) && x->subject_count)
		alert_member(al, TARGETS, value_text(whose_plain(x->subject[0])));
	alert_member(al, SCOPE, value_cstr(switch_is_tenant_wide(x->kind) ? "tenant" : x->kind == SWITCH_BYPASS ? "account" : "mailbox"));
	alert_member(al, CHANGE, value_text(x->setting), value_text(old), value_text(x->value));
	alert_member(al, OUTCOME, value_cstr(outcomes[x->outcome]));
	if (!alert_member_get(al, MEMBER_UNTIL))
		alert_member(al, UNTIL, value_none());
}

static void report(struct state *s, struct detect_ctx *c, const struct event *e, const struct audit_switch *x, uint64_t subject)
{
	struct finding f;
	char actor[SAY_SIZE], when[TIME_TEXT_SIZE];
	bool microsoft = made_by_microsoft(e->rec, e->actor == NONE ? STR_NONE : world_actor(c->world, e->actor));
	struct alert *al = alerts_open(c->alerts, &detector_audit_tampering, subject);
	if (!al)
		return;
	add_members(s, al, e, x, subject);
	describe(e, x, &f);
	if (microsoft)
		f.severity = SEVERITY_INFO;
	else if (x->outcome == OUTCOME_FAILED)
		f.severity = SEVERITY_LOW;
	bool was_raised = al->raised;
	enum severity before = al->severity;
	alert_fold_once(c->alerts, al, e);
	alert_raise(al, e->rec->time_us, f.severity);
	if (!was_raised || f.severity > before || x->kind == SWITCH_AGE_LIMIT)
		alert_title(al, "%s%s by %s", x->outcome == OUTCOME_FAILED ? "Failed attempt: " : "", f.title,
			    say_actor(c->world, e->actor, actor));
	alert_why(al, "%s: %s", time_format_minute(e->rec->time_us, when), f.why);
	if (x->outcome == OUTCOME_FAILED)
		alert_why(al, "The record says that this failed: it was tried.");
	else if (x->outcome == OUTCOME_UNSAID && !was_raised)
		alert_why(al, "The record does not say whether it succeeded; it is taken as done.");
	if (microsoft)
		alert_why(al, "Made by an account of Microsoft's own operation (UserType 3 or NT AUTHORITY\\SYSTEM), as at the "
			  "set-up of a tenant.");
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	struct state *s = state;
	struct audit_switch v[AUDIT_SWITCHES_MAX];
	if (event_is_mail(e)) /* nearly every record */
		return;
	const size_t n = audit_switches(e->rec, e->actor == NONE ? STR_NONE : world_actor(c->world, e->actor), v);
	for (size_t i = 0; i < n; i++) {
		uint64_t subject = 0;
		if (v[i].state == SWITCH_ODD && v[i].kind == SWITCH_AGE_LIMIT)
			continue;
		if (v[i].state != SWITCH_ON) {
			subject = subject_of(s, e, v[i].kind);
			report(s, c, e, &v[i], subject);
		}
		if (switches_add(&s->switches, e, &v[i], subject) &&
		    reach((void **)&s->kept, &s->kept_n, s->switches.n - 1, sizeof *s->kept))
			s->kept[s->switches.n - 1] = kept_of(e);
	}
}

/* -- the end: from when to when -- */

static void say_once(struct alert *al, const char *text)
{
	for (uint32_t i = 0; i < al->blind_count; i++)
		if (strcmp(al->blind[i], text) == 0)
			return;
	alert_blind(al, "%s", text);
}

static bool has_evidence(const struct alert *al, const uint8_t id[16])
{
	for (uint32_t i = 0; i < al->evidence_count; i++)
		if (memcmp(al->evidence[i].id, id, 16) == 0)
			return true;
	return al->evidence_count == ALERT_EVIDENCE_MAX; /* a long story: whether this record is in it is not known any more */
}

/* which mailboxes the names of all alerts mean, now that every record has been seen */
static void resolve(struct state *s, struct detect_ctx *c)
{
	struct whose names;
	if (!s->tenants.n)
		return;
	whose_init(&names, c->world);
	for (size_t i = 0; i < c->alerts->n; i++) {
		struct alert *al = c->alerts->v[i];
		const struct alert_member *m = al->detector == &detector_audit_tampering ? alert_member_get(al, MEMBER_TARGETS) : NULL;
		const uint32_t *tenant = m ? table_get(&s->tenants, al->subject) : NULL;
		for (uint32_t row = 0; tenant && row < m->rows; row++) {
			uint32_t mailbox = whose_find(&names, *tenant, str_of(m->cells[row * m->columns].text));
			alert_member_cell(al, MEMBER_TARGETS, row, 1, value_guid(mailbox));
			alert_member_cell(al, MEMBER_TARGETS, row, 2, value_upn(mailbox));
		}
	}
	whose_release(&names);
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	resolve(s, c);
	size_t n;
	struct switch_span *spans = switches_spans(&s->switches, c->world, &n);
	for (uint32_t i = 0; spans && i < s->switches.n; i++) {
		const struct switch_entry *x = &s->switches.v[i];
		struct alert *al = x->off ? alerts_find(c->alerts, &detector_audit_tampering, x->tag) : NULL;
		char what[TEXT_SIZE], text[2 * TEXT_SIZE], from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE], actor[SAY_SIZE];
		if (!al)
			continue;
		const struct switch_span *span = &spans[x->span];
		alert_member(al, BLIND_FROM, value_time(x->kind == SWITCH_AGE_LIMIT ? x->time_us : span->from_us));
		alert_member(al, UNTIL, span->end == NONE ? value_none() : value_time(span->to_us));
		say_blind(x, what);
		time_format_minute(x->kind == SWITCH_AGE_LIMIT ? x->time_us : span->from_us, from);
		if (span->end == NONE) {
			snprintf(text, sizeof text, "%s, from %s on", what, from);
		} else {
			snprintf(text, sizeof text, "%s, from %s until %s, when %s switched it on again", what, from,
				 time_format_minute(span->to_us, to), say_actor(c->world, s->switches.v[span->end].actor, actor));
			if (span->end < s->kept_n && !has_evidence(al, s->kept[span->end].id))
				kept_fold(c->alerts, al, &s->kept[span->end]);
		}
		say_once(al, text);
	}
	free(spans);
}

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	persist_table(p, &s->changes, NULL);
	persist_table(p, &s->tenants, NULL);
	persist_array(p, (void **)&s->switches.v, &s->switches.n, sizeof *s->switches.v, SWITCHES_MAX, NULL);
	persist_room(p, (void **)&s->switches.v, &s->switches.n, &s->switches.capacity, sizeof *s->switches.v);
	persist_u64(p, &s->switches.refused);
	rows_persist(p, (void **)&s->kept, &s->kept_n, sizeof *s->kept, NULL);
}

static const char *const mitre[] = { "T1562.008", NULL };

const struct detector detector_audit_tampering = {
	.name = "audit-tampering",
	.title = "Auditing was switched off or narrowed",
	.severity = "critical: tenant-wide; high: bypass, log age of a day or less, administrators' log; medium: one mailbox or "
		    "licence; low: it failed, or the value cannot be read; info: by Microsoft",
	.signal = "Set-MailboxAuditBypassAssociation, Set-AdminAuditLogConfig, Set-OrganizationConfig, Set-Mailbox Audit*, "
		  "licence changes that disable M365_ADVANCED_AUDITING",
	.catches = "the step before the reading: bypass, ingestion off, log age cut, MailItemsAccessed no longer audited, "
		   "premium audit unlicensed",
	.misses = "a whole licence removed without naming the plan; what was switched off before the data begins",
	.cost = "an administrator who narrows auditing on purpose: a handful a year; 48 bytes a (setting, target, actor), 560 a record",
	.mitre = mitre,
	.wants = KIND_ADMIN | KIND_DIRECTORY,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.persist = persist,
	.refused = refused,
};
