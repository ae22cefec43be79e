/* SPDX-License-Identifier: Apache-2.0 */
/* report: findings as one HTML file that needs nothing else: no script, no picture, no font from elsewhere.  It is made
 * for a reader who was not there; light and dark, on paper and on a phone.  Pages are written through html.h and svg.h,
 * which offer no way to write untrusted text raw. */
#ifndef TXM_REPORT_REPORT_H
#define TXM_REPORT_REPORT_H

#include "impact/impact.h"
#include "sink/sink.h"

void report_impact(struct sink_out *o, struct impact *im, const struct impact_report *r);
void report_findings(struct sink_out *o, const struct findings *f);

#endif
