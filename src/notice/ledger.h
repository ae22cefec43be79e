/* SPDX-License-Identifier: Apache-2.0 */
/* ledger: which notices were written, and who confirmed receipt.  One JSON object a line, appended and never
 * changed; each line holds the SHA-256 of the line before it, so that a line taken out or altered shows. */
#ifndef TXM_NOTICE_LEDGER_H
#define TXM_NOTICE_LEDGER_H

#include "base/buf.h"

struct ledger {
	int fd;
	uint64_t lines;
	char last[65];   /* SHA-256 of the last line without its newline; 64 zeros before the first */
	bool has_notice; /* ledger_open() found the given notice */
};

/* Opens or makes the file, locks it, and checks its chain.  notice: a SHA-256 to look for, or NULL.  False: reported in
 * error. */
bool ledger_open(struct ledger *l, const char *path, const char *notice, struct buf *error);
/* event: "issued", "received"; time_us: when; to, note: anything.  False: reported in error. */
bool ledger_add(struct ledger *l, const char *event, int64_t time_us, const char *notice, struct str to,
		struct str file, struct str note, struct buf *error);
void ledger_close(struct ledger *l);

#endif
