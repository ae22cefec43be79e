/* SPDX-License-Identifier: Apache-2.0 */
/* settings: which mailboxes will not be logged tomorrow, from exports of today's settings.
 *
 * Read are CSV and JSON (UTF-8, or UTF-16 as PowerShell writes it) of the usual commands, recognised by their columns:
 *
 *   Get-Mailbox                           AuditEnabled, AuditOwner, AuditDelegate, AuditAdmin, DefaultAuditSet
 *   Get-MailboxAuditBypassAssociation     AuditBypassEnabled
 *   Get-AdminAuditLogConfig               UnifiedAuditLogIngestionEnabled
 *   Get-OrganizationConfig                AuditDisabled
 *   licence lists                         Licenses, AssignedLicenses, SkuPartNumber, LicenseDetails, AssignedPlans, SKU names
 *
 * A list that Export-Csv has written as the name of a .NET type holds nothing, and nothing is reported of it. */
#ifndef TXM_COVERAGE_SETTINGS_H
#define TXM_COVERAGE_SETTINGS_H

#include "base/buf.h"

enum licence { LICENCE_UNKNOWN, LICENCE_NONE, LICENCE_BASIC, LICENCE_PREMIUM };

enum { /* audit_account.wrong */
	WRONG_BYPASS = 1,        /* written nowhere */
	WRONG_OWNER = 2,         /* the owner's reads are not among the audited actions */
	WRONG_DELEGATE = 4,
	WRONG_ADMIN = 8,
	WRONG_AUDIT_ENABLED = 16, /* AuditEnabled false: ignored while auditing is on by default */
	WRONG_NO_LICENCE = 32,
	WRONG_PLAN_OFF = 64,     /* a premium licence whose auditing plan is switched off */
	WRONG_NEVER_LOGGED = 128, /* resource and discovery mailboxes, public folders */
};
#define WRONG_UNSEEN (WRONG_BYPASS | WRONG_OWNER | WRONG_NO_LICENCE | WRONG_NEVER_LOGGED)

struct audit_account {
	char name[104];          /* as first written */
	uint32_t wrong;
	bool is_mailbox;         /* was in an export of mailboxes */
	enum licence licence;
};

enum known { NOT_KNOWN, KNOWN_GOOD, KNOWN_BAD };

struct audit_settings {
	struct audit_account *accounts; size_t count, capacity; /* after settings_finish(): by name */
	enum known ingestion, organization;
	uint64_t rows, refused;
	struct settings_private *priv;
};

struct audit_settings *settings_new(void); /* NULL: out of memory */
void settings_free(struct audit_settings *s);
/* The text of one export.  False: not read; *error is one sentence that names it. */
bool settings_parse(struct audit_settings *s, const char *name, const char *text, size_t n, struct buf *error);
void settings_finish(struct audit_settings *s);
/* what is wrong with that account, as a sentence */
void settings_sentence(const struct audit_account *a, struct buf *ret);
/* what a basic licence gives, and what a premium one; two sentences and the source */
extern const char settings_licences[];

#endif
