/* SPDX-License-Identifier: Apache-2.0 */
/* letter: the notice to one mailbox, or to one organisation, about an incident; read from `taximeter impact -f
 * ndjson`.
 *
 * In 2023 people took the real notices for fraud.  So a letter asks for nothing, carries no link, says how it can be
 * checked, and keeps apart what is known, assumed and unknown. */
#ifndef TXM_NOTICE_LETTER_H
#define TXM_NOTICE_LETTER_H

#include "base/buf.h"

struct letter_line { /* of a mailbox */
	char *name, *guid;       /* address; GUID */
	char *key;               /* the address, else the GUID; used to find it */
	uint64_t messages, accesses, unlisted, unclear, folders_assumed;
	bool assume_all;
	int64_t unknown_tenths;  /* of hours, as impact counts them */
	struct buf unseen;       /* its first unknown times, a line each */
	unsigned unseen_count;
	int64_t first_us, last_us;
	struct buf listed;       /* its first messages, a line each */
	unsigned listed_count;
};

struct letters {
	struct letter_line *v; size_t n, capacity;
	char *selection;
	int64_t from_us, to_us;
	struct buf unseen;       /* unknown times of all mailboxes */
	unsigned unseen_count;
	bool intruder;           /* the report shows that an intruder was at work */
	bool dark;               /* it is about a gap in the log, and names no access */
	bool matched;            /* something matched the selection */
	bool complete;           /* the summary line was there */
	struct buf error;        /* one sentence */
};

/* False: reported in error. */
bool letters_read(struct letters *l, const char *path);
void letters_release(struct letters *l);

struct letter_head { /* from the user */
	const char *from;         /* who writes; several lines are fine */
	const char *file, *signature_file, *key_file; /* names of the files as delivered, in one folder */
	const char *fingerprint;  /* of the public key */
	const char *verify;       /* the command */
};
/* The letter to one mailbox. */
void letter_mailbox(struct buf *b, const struct letters *l, const struct letter_line *m, const struct letter_head *h);
/* The letter to the organisation of that domain: all its mailboxes. */
void letter_organisation(struct buf *b, const struct letters *l, const char *domain, const struct letter_head *h);
/* "example.com" of the mailbox's address, "" for none */
const char *letter_domain(const struct letter_line *m);

#endif
