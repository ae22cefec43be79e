/* SPDX-License-Identifier: Apache-2.0 */
/* html: coverage as one page: what was seen and what not, as a heat map and in sentences.  One file, no script, nothing
 * fetched; light and dark, on paper and on a phone.  All input text is escaped here and nowhere else. */
#ifndef TXM_COVERAGE_HTML_H
#define TXM_COVERAGE_HTML_H

#include "coverage/coverage.h"
#include "coverage/settings.h"

struct coverage_page {
	const struct covered *tenants; size_t tenant_count; /* a part for each; none: settings alone */
	const struct audit_settings *settings;              /* NULL: none were given */
	struct lost lost;
	struct period period;
	const char *version;                                /* of the program */
};
void coverage_html(struct buf *b, const struct coverage_page *p);

#endif
