/* SPDX-License-Identifier: Apache-2.0 */
/* impact_int: what gathering (impact.c), judging unseen times (gaps.c) and summing up (finish.c) share. */
#ifndef TXM_IMPACT_IMPACT_INT_H
#define TXM_IMPACT_IMPACT_INT_H

#include "coverage/coverage.h"
#include "impact/impact.h"

struct sync_entry { /* a folder synchronised inside the time looked at */
	uint32_t mailbox, client, net; /* of the world */
	char *folder;
	uint64_t ip_key, session_key;  /* 0 = none of use */
	bool selected, unclear;
	uint64_t habit_key;
	int64_t first_us, last_us;
	uint64_t times;
};

struct habit { /* a context outside of the selection, before its mailbox's first selected record */
	int64_t first_us;
	int32_t last_day;
	uint32_t days;
};

struct slot_count { uint64_t accesses, syncs; };

struct topic { char *words, *tag; };

struct impact {
	const struct selection *sel;
	bool names_context;
	struct table habits;        /* hash(mailbox, client, net) -> struct habit */
	struct table by_context;    /* the same key -> uint32_t: place in contexts */
	struct impact_context *contexts; size_t context_count, context_capacity;
	int64_t *first_selected; uint32_t mailbox_capacity; /* by number in the world; 0 = none */
	uint64_t *unlisted;                                 /* likewise: accesses without a name */
	int64_t *first_any;                                 /* likewise: first mail record */
	struct table by_sync;       /* hash -> uint32_t: place in syncs */
	struct sync_entry *syncs; size_t sync_count, sync_capacity;
	struct table intruder_ips, intruder_sessions;
	struct coverages coverages; /* of each tenant, by its number: when each mailbox could be seen, the same as in scan and coverage */
	struct table slots;         /* hour << 32 | mailbox -> struct slot_count */
	struct spool *entries, *messages, *sheet;
	struct table tags;          /* key of guid or address -> uint32_t: place in tag_texts */
	char **tag_texts; size_t tag_count;
	struct topic *topics; size_t topic_count;
	char **corrections; size_t correction_count;
	char **notes; size_t note_count;
	bool messages_given, tags_given;
	int64_t dark_from_us, dark_to_us; /* of the alerts about the log; 0, 0 = none */
	uint64_t refused;
	bool failed;                /* out of memory */
	const struct world *world;
	uint32_t *place;            /* world mailbox -> place in report.mailboxes, NONE */
	struct impact_report report;
	struct buf message_text;    /* of impact_next_message() */
	char error[256];
};

/* Room for one more of an array; false: out of memory (im->failed). */
bool impact_room(struct impact *im, void **v, size_t n, size_t *capacity, size_t size);

/* Was that context a habit of its mailbox at that time? */
bool impact_is_habit(const struct habit *h, int64_t at_us);

/* A sentence for report.notes. */
void impact_note(struct impact *im, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The mailbox of the report with that number in the world, made if new; NONE: a new one without a number. */
struct impact_mailbox *impact_mailbox_add(struct impact *im, size_t *capacity, uint32_t world);

/* gaps.c */
/* the mailboxes and the time of alerts that are about the log itself (WAY_DARK) */
void gaps_dark(struct impact *im, size_t *mailbox_capacity);
void gaps_finish(struct impact *im); /* fills report.unknown and the mailboxes' unknown_us */

#endif
