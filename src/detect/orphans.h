/* SPDX-License-Identifier: Apache-2.0 */
/* orphans: accesses whose token no sign-in issued and that no alert reports as such, by mailbox and client.
 *
 * Judged are accesses with the verdict "orphan" (identity/identity.h): nothing is an orphan where the sign-ins
 * cannot show it, and the reason is counted there.  An orphan access is *in an alert* if an alert of orphan-token or
 * renewal-chain that was raised counts it among its records: these report that the token was not issued.  An alert of another
 * rule may count the same access for another reason and does not report its token, so the access stays listed; `alerts` is
 * how many of these name the mailbox.  Neither --budget nor -m moves an access from one side to the other:
 *
 *     accesses = in alerts + listed + without room
 *
 * Whether an alert is raised is known at the end, so accesses are counted by (mailbox, client, alerts that would hold them)
 * until then.  A record that names no mailbox is counted under its account. */
#ifndef TXM_DETECT_ORPHANS_H
#define TXM_DETECT_ORPHANS_H

#include "alert/alert.h"
#include "base/period.h"
#include "base/table.h"

struct orphan_row {
	uint32_t mailbox, client;   /* NONE: the records name none */
	uint32_t actor;             /* of records without mailbox; else NONE */
	uint64_t accesses, items;
	uint64_t of_mailbox;        /* accesses in all rows of this mailbox */
	uint64_t tokens;            /* distinct: tokens, and sessions of records without a token id */
	bool tokens_cut;            /* there may be more */
	uint32_t alerts;            /* raised by other rules, in the time that is reported, that name this mailbox */
	int64_t first_us, last_us;
};

struct orphans {
	struct table groups;        /* (mailbox, client, alerts) -> struct group */
	struct table tokens;        /* (group, token) -> struct mark */
	const struct period *period; /* accesses in it are counted; NULL = all time; borrowed */
	uint64_t accesses, without_room;
	/* after orphans_finish() */
	struct orphan_row *rows; size_t n; /* the mailbox with the most accesses first */
	uint64_t in_alerts, listed, mailboxes;
};

void orphans_init(struct orphans *o, const struct period *period);
void orphans_release(struct orphans *o);
/* An event, after the detectors.  Costs nothing unless it is an orphan. */
void orphans_meet(struct orphans *o, const struct alerts *a, const struct event *e);
/* After the last event and the detectors' end: makes the rows.  Nonzero: out of memory. */
int orphans_finish(struct orphans *o, const struct alerts *a);

#endif
