/* SPDX-License-Identifier: Apache-2.0 */
/* family: the kinds of evidence that the detector `taximeter` weighs, in words; printed by `taximeter rules --explain`. */
#ifndef TXM_DETECT_FAMILY_H
#define TXM_DETECT_FAMILY_H

struct family_doc {
	const char *name; /* as in an alert's reasons[].family */
	const char *signal, *catches, *misses;
};
extern const struct family_doc family_docs[]; /* ends with a zero row; docs in the order of enum family */

#endif
