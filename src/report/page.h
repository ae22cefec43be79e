/* SPDX-License-Identifier: Apache-2.0 */
/* page: what both reports have: the head, sections, the foot, names of clients and networks. */
#ifndef TXM_REPORT_PAGE_H
#define TXM_REPORT_PAGE_H

#include "report/svg.h"
#include "state/world.h"

#define page_section(h, heading) (html_open((h), "section"), html_leaf((h), "h2", "", STR(heading)))
void page_head(struct html *h, const char *kind);
void page_foot(struct html *h);
/* "Outlook Web App Office 365", else the id of the caller, else "an unnamed client" */
struct str page_app(const struct world *w, uint32_t client);
struct str page_network(const struct world *w, uint32_t net); /* "no address" for none */
struct str page_mailbox(struct str upn, struct str guid);

/* Widths of the columns of a timeline: the first that gives at most `most` of them. */
int64_t page_step(int64_t span_us, unsigned most);
/* the axis below a timeline of columns at x0.. with width w each; from is the beginning of the first */
void page_axis(struct html *h, double x0, double w, double y, unsigned columns, int64_t from_us, int64_t step_us);
const char *page_step_name(int64_t step_us); /* "hour", "day", ... */

#endif
