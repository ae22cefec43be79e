/* SPDX-License-Identifier: Apache-2.0 */
/* audit_switch: what an administrative or directory record does to the log itself: what was switched, whose, to what, and did it
 * succeed.  Only this file reads such records; scan, coverage, impact and notice all use it.
 *
 *   Set-MailboxAuditBypassAssociation   AuditBypassEnabled
 *   Set-AdminAuditLogConfig             UnifiedAuditLogIngestionEnabled, AdminAuditLogEnabled
 *   Set-OrganizationConfig              AuditDisabled
 *   Set-Mailbox                         AuditLogAgeLimit, AuditEnabled, AuditOwner, AuditDelegate, AuditAdmin, DefaultAuditSet
 *   Change user license, Update user    the plan M365_ADVANCED_AUDITING
 *
 * A value that is neither true nor false (base/truth.h) is SWITCH_ODD: it neither begins a blind time nor ends one.  A record without
 * a result counts as done, and so does one that succeeded in part: several envelopes leave the result
 * out, and an hour that may have been blind is not one that was seen.  One that failed changes nothing.  Microsoft's own
 * housekeeping of single mailboxes and licences is no switch. */
#ifndef TXM_EVENT_AUDIT_SWITCH_H
#define TXM_EVENT_AUDIT_SWITCH_H

#include "event/rec.h"

/* The order is part of the ids of alerts: new ones go to the end. */
enum switch_kind {
	SWITCH_BYPASS,       /* what an account does is recorded in no mailbox */
	SWITCH_INGESTION,    /* the unified audit log of the tenant */
	SWITCH_ORGANIZATION, /* mailbox auditing of the tenant */
	SWITCH_AGE_LIMIT,    /* how long a mailbox keeps its own log */
	SWITCH_MAILBOX,      /* auditing of one mailbox: ignored while auditing is on by default */
	SWITCH_ACTIONS,      /* MailItemsAccessed among the audited actions of one mailbox */
	SWITCH_LICENCE,      /* the plan that premium auditing comes with */
	SWITCH_ADMIN_LOG,    /* the log of administrators' commands of the tenant */
	SWITCH_KINDS
};
extern const char *const switch_names[SWITCH_KINDS]; /* "bypass" ... */
static inline bool switch_is_tenant_wide(enum switch_kind k)
{
	return k == SWITCH_INGESTION || k == SWITCH_ORGANIZATION || k == SWITCH_ADMIN_LOG;
}

enum switch_role { SWITCH_OWNER, SWITCH_DELEGATE, SWITCH_ADMIN, SWITCH_ROLES }; /* of SWITCH_ACTIONS */
enum switch_state { SWITCH_ODD, SWITCH_ON, SWITCH_OFF };                       /* SWITCH_OFF: less is recorded from now on */
enum outcome { OUTCOME_DONE, OUTCOME_UNSAID, OUTCOME_FAILED };

#define SWITCH_SUBJECT_NAMES 3
struct audit_switch {
	enum switch_kind kind;
	enum switch_role role;
	enum switch_state state;
	enum outcome outcome;
	struct str setting, value; /* as the record writes them */
	int64_t limit_us;          /* SWITCH_AGE_LIMIT */
	/* Account or mailbox, as the record names it (state/whose.h finds which one that is); none if tenant-wide. */
	struct str subject[SWITCH_SUBJECT_NAMES]; unsigned subject_count;
};

/* The switches of one record, at most AUDIT_SWITCHES_MAX; 0: it is not about the log.  `actor`: its UserId. */
#define AUDIT_SWITCHES_MAX 6
size_t audit_switches(const struct rec *r, struct str actor, struct audit_switch ret[AUDIT_SWITCHES_MAX]);

/* Does the record state that it failed?  "Failed", "False", "failure"; silence is not failure. */
enum outcome outcome_of(const struct rec *r);
/* UserType 3 (an operator of Microsoft's), or NT AUTHORITY\SYSTEM */
bool made_by_microsoft(const struct rec *r, struct str actor);
/* A list of audited actions, as a record or an export of settings writes it: does it have MailItemsAccessed? */
enum switch_state switch_of_actions(struct str list);

#endif
