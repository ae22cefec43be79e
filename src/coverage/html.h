/* SPDX-License-Identifier: Apache-2.0 */
/* html: coverage as one page: what was seen and what not, as a heat map and in sentences.  One file, no script, nothing
 * fetched; light and dark, on paper and on a phone.  All input text is escaped here and nowhere else. */
#ifndef TXM_COVERAGE_HTML_H
#define TXM_COVERAGE_HTML_H

#include "coverage/coverage.h"
#include "coverage/settings.h"

/* One part for each of the n tenants; none: settings alone.  settings NULL: none were given; version: of the program */
void coverage_html(struct buf *b, const struct covered *tenants, size_t n, const struct audit_settings *settings, const char *version);

#endif
