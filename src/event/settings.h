/* SPDX-License-Identifier: Apache-2.0 */
/* settings: what an administrative record does to the log itself, where that takes more than one look at one value. */
#ifndef TXM_EVENT_SETTINGS_H
#define TXM_EVENT_SETTINGS_H

#include "event/rec.h"

/* A value of AuditOwner, AuditDelegate, AuditAdmin: is MailItemsAccessed not, or no longer, among the actions? */
bool settings_list_loses_access(struct str s);
/* A record of "Change user license" or "Update user": is the plan M365_ADVANCED_AUDITING taken away? */
bool settings_licence_lost(const struct rec *r);

#endif
