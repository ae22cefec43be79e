/* SPDX-License-Identifier: Apache-2.0 */
/* change: differences between two observations of key sets: keys that came, went or changed.  Keys are
 * matched by SPKI.  A key that the newest observation lacks is gone, at once; if it comes again it is back, or, after the hysteresis of
 * a history, returned. */
#ifndef TXM_KEYS_CHANGE_H
#define TXM_KEYS_CHANGE_H

#include "keys/audit.h"

enum change_kind { CHANGE_CAME, CHANGE_GONE, CHANGE_RETURNED, CHANGE_BACK, CHANGE_SAYS, CHANGE_KID_REUSED };

struct change {
	enum change_kind kind;
	struct str set, kid;
	uint8_t spki[32];
	bool has_spki;
	const char *member;         /* with CHANGE_SAYS: "issuer"; else NULL */
	char before[256], after[256]; /* its value, cut; with CHANGE_KID_REUSED: the SPKIs */
};

struct changes { struct change *rows; size_t n, capacity; bool failed; };

/* Both audits must have run; they keep the texts. */
void changes_find(const struct audit *before, const struct audit *after, struct changes *ret);
void changes_release(struct changes *c);
void changes_text(const struct changes *c, struct buf *ret);
void changes_ndjson(const struct changes *c, struct buf *ret);

#endif
