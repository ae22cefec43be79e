/* SPDX-License-Identifier: Apache-2.0 */
/* impact_int: the sections of the impact page, in their order on it.  Each writes a whole section or, if there is nothing to
 * report, nothing. */
#ifndef TXM_REPORT_IMPACT_INT_H
#define TXM_REPORT_IMPACT_INT_H

#include "report/page.h"
#include "report/report.h"

static inline struct str box_name(const struct impact_report *r, size_t i)
{
	return page_mailbox(r->mailboxes[i].upn, r->mailboxes[i].guid);
}

void impact_put_timeline(struct html *h, const struct impact_report *r);
void impact_begin_map(struct html *h, const struct impact_report *r); /* leaves the <section> open; the caller writes the matching table next */
void impact_put_routes(struct html *h, const struct impact_report *r, bool own);
void impact_put_syncs(struct html *h, const struct impact_report *r);
void impact_put_unseen(struct html *h, const struct impact_report *r);
void impact_put_own(struct html *h, const struct impact_report *r);
void impact_put_method(struct html *h, const struct impact_report *r);
void impact_put_sources(struct html *h, const struct impact_report *r);
void impact_put_messages(struct html *h, struct impact *im, const struct impact_report *r);

#endif
