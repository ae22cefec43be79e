/* SPDX-License-Identifier: Apache-2.0 */
/* lost: what every result reports about input that was not read, or is not whole.  Names and sentences without numbers of copies,
 * in a fixed order: two copies of one export give the same. */
#ifndef TXM_BASE_LOST_H
#define TXM_BASE_LOST_H

#include "base/buf.h"

struct lost {
	const char *const *names;   /* "bad_json", "folders_lost" */
	const char *const *texts;   /* the same for people: "not well-formed JSON" */
	size_t n;
	const char *const *partial; /* what the exports themselves report as missing */
	size_t partial_n;
};

/* The sentences of a result for people: i = 0, 1, ...; false past the last. */
bool lost_sentence(const struct lost *l, size_t i, struct buf *ret);
/* ,"lost":[...],"partial":[...] */
void lost_json(struct buf *b, const struct lost *l);

#endif
