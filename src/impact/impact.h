/* SPDX-License-Identifier: Apache-2.0 */
/* impact: exactly which messages were read, what must be assumed, and when reads were not recorded.
 *
 *   confirmed  Bind and AttachmentAccess list messages: each is named, once for each mailbox
 *   unclear    the same, in a context that the owner uses too and that no address distinguishes (Graph's front ends)
 *   assumed    a Sync lists nothing: its folder; in the intruder's context, the whole mailbox
 *   unknown    hours in which reading was not recorded: what coverage/ knows of (throttled, switched off, holes, silence), no
 *              record of the kind, no data
 *
 * The owner stays out.  A context is (mailbox, client, network); one that the mailbox had on three days, the first of
 * them a week or more before the first selected record, is a habit, and habits are listed apart so that a reader can
 * object.  Less than that may be the intruder before anyone noticed: it is counted as his, and reported.
 *
 *   engine --events--> impact_event() --entries--> spool --merge--> messages, joined with the user's CSVs --> writers
 *
 * Memory is bounded: texts of messages go through sorted temporary files (base/spool.h), the rest has ceilings in
 * limits.h. Events come in one order whatever the order of the input, so a report is a function of the records and the
 * selection. */
#ifndef TXM_IMPACT_IMPACT_H
#define TXM_IMPACT_IMPACT_H

#include "base/lost.h"
#include "base/spool.h"
#include "event/event.h"
#include "event/items.h"
#include "impact/select.h"
#include "state/world.h"

enum certainty { CERTAINTY_CONFIRMED, CERTAINTY_UNCLEAR, CERTAINTY_ASSUMED, CERTAINTY_UNKNOWN };
extern const char *const certainty_names[4];

enum unknown_reason {
	UNKNOWN_THROTTLED,  /* IsThrottled: no Bind record for 24 hours */
	UNKNOWN_AUDIT_OFF,  /* ingestion or mailbox auditing switched off for the tenant */
	UNKNOWN_BYPASS,     /* an account under audit bypass */
	UNKNOWN_GAP,        /* no mailbox has any record, in hours that are next to never empty otherwise */
	UNKNOWN_NO_RECORD,  /* a mailbox of the selection without one record of reading in the whole data */
	UNKNOWN_NO_DATA,    /* the time asked for begins before the data, or ends after it */
	UNKNOWN_NARROWED,   /* MailItemsAccessed was not among the audited actions */
	UNKNOWN_UNLICENSED, /* the plan for premium auditing was taken away, and nothing is recorded since */
	UNKNOWN_SILENT,     /* days without a read while other things go on in the mailbox */
	UNKNOWN_REASON_COUNT,
};
extern const char *const unknown_names[UNKNOWN_REASON_COUNT]; /* "throttled" */
extern const char *const unknown_docs[UNKNOWN_REASON_COUNT];  /* a sentence */

enum verdict_of_context { CONTEXT_INTRUDER, CONTEXT_UNCLEAR, CONTEXT_OWN };
extern const char *const context_names[3]; /* "intruder" ... */

struct impact_context { /* a client in a mailbox from a network */
	uint32_t mailbox;   /* of the report's list; NONE while its mailbox is not affected */
	uint32_t world_mailbox, client, net;
	enum verdict_of_context verdict;
	uint64_t records, accesses, syncs;
	int64_t first_us, last_us;
	struct addr ips[4];
	uint32_t ip_count, ips_more; /* distinct ones beyond four: counted roughly, as changes */
};

struct impact_route { /* the same client from the same network, over all mailboxes */
	uint32_t client, net;
	enum verdict_of_context verdict;
	uint32_t mailboxes;
	uint64_t accesses, syncs;
	int64_t first_us, last_us;
	struct addr ips[4];
	uint32_t ip_count;
	bool more_ips;
};

struct impact_mailbox {
	uint32_t world;       /* number in the world; NONE: named in the selection and not in the data */
	struct str guid, upn; /* as far as known */
	uint64_t messages;    /* confirmed, distinct */
	uint64_t unclear;     /* distinct, in no confirmed context */
	uint64_t accesses;    /* confirmed: reads of these, repeats included */
	uint64_t unlisted;    /* accesses that the records count and do not name */
	uint64_t bytes;       /* of the messages whose size is known */
	uint64_t unsized;     /* messages without a size */
	uint32_t folders;     /* distinct, of the confirmed messages */
	uint32_t synced;      /* folders to be assumed */
	bool whole;           /* a Sync in the intruder's context: assume all of it */
	int64_t first_us, last_us; /* of the intruder's records; 0 = none */
	int64_t unknown_us;   /* length of the hours unknown, overlaps counted once */
	int64_t unknown_tenths; /* the same, as printed: tenths of an hour */
	const char *tag;      /* from --tags; NULL */
};

struct impact_sync { /* a folder to be assumed */
	uint32_t mailbox;    /* of the report's list */
	struct str folder;
	bool whole;          /* in the intruder's context */
	uint32_t client, net;
	int64_t first_us, last_us;
	uint64_t times;
};

struct impact_interval {
	uint32_t mailbox;    /* of the report's list; NONE = all */
	enum unknown_reason reason;
	uint32_t tenant;     /* all of this one; NONE = of all */
	int64_t from_us, to_us;
	bool open;           /* still so at the end of the data, which is to_us */
};

struct impact_message {
	uint32_t mailbox;
	enum certainty certainty;
	enum item_id kind;
	struct str id, folder, subject, sender, topic; /* "" = not known */
	uint64_t bytes;      /* ITEM_BYTES_UNKNOWN */
	int64_t first_us, last_us;
	uint64_t times;
};

struct impact_slot { int64_t hour_us; uint64_t accesses, syncs; uint32_t mailbox; }; /* one (hour, mailbox) with any */

struct impact_input { char *path; uint64_t bytes; char sha256[65]; const char *role; char error[96]; };

struct impact_totals {
	uint64_t messages, unclear, accesses, unlisted, bytes, unsized, synced, whole, mailboxes;
	uint64_t own_accesses, own_contexts;
	uint64_t joined, topics; /* messages with a subject; with a topic */
	uint64_t earlier_contexts;   /* of the intruder, seen before the selection but no habit: */
	int64_t earlier_us;          /* ... he may have come earlier, since when */
	uint64_t cut_records;    /* records whose list was too long to keep */
	int64_t first_us, last_us;   /* the intruder's records */
	int64_t from_us, to_us;      /* the period: to the last access; of an alert about the log, to the end of the dark time */
	int64_t looked_us;           /* unknown hours are looked for from from_us to here: --until, or the end of the data */
	int64_t unknown_tenths;      /* tenths of mailbox-hours: the sum over the mailboxes */
	uint64_t unknown_mailboxes;  /* that have any */
	uint64_t sheet_rows, tag_rows; /* of --messages and --tags */
	uint64_t tagged;             /* mailboxes and messages that a tag fits */
	int64_t data_first_us, data_last_us;
};

struct impact_report { /* what writers print; everything belongs to the impact */
	const struct world *world;
	const struct selection *selection;
	struct impact_totals total;
	struct impact_mailbox *mailboxes; size_t mailbox_count;    /* most read first */
	struct impact_context *contexts; size_t context_count;     /* by verdict, then accesses */
	struct impact_route *routes; size_t route_count;           /* likewise */
	struct impact_sync *syncs; size_t sync_count;
	struct impact_interval *unknown; size_t unknown_count;
	struct impact_slot *slots; size_t slot_count;              /* by hour, mailbox */
	struct impact_input *inputs; size_t input_count;
	struct lost lost;                                          /* borrowed: what was lost on reading */
	const char *const *corrections; size_t correction_count;   /* from --corrections, a line each */
	uint64_t refused;            /* entries past a ceiling */
	const char *const *notes; size_t note_count; /* what the reader must know of this run: a sentence each, no full stop */
	bool matched;                /* any record, or any time of an alert about the log, belongs to the selection */
	bool dark;                   /* the selection is about times not recorded: it has no accesses by itself */
	bool intruder;               /* selection_is_intruder() */
	bool names_context;          /* selection_names_context() */
	bool has_history;            /* there is a week of data from before the intruder, so habits could be known */
};

struct impact;
struct impact *impact_new(const struct selection *s); /* NULL: out of memory */
void impact_free(struct impact *im);
/* for engine_settings: arg is the struct impact */
bool impact_keep(void *im, const struct rec *r, const struct names *n);
bool impact_event(void *im, const struct world *w, const struct event *e);
/* Subjects and topics by message, tags by mailbox (sheet.h says which columns).  False: see error. */
bool impact_add_messages(struct impact *im, const char *path, struct buf *error);
bool impact_add_tags(struct impact *im, const char *path, struct buf *error);
bool impact_add_corrections(struct impact *im, const char *path, struct buf *error);
/* Hashes a file and adds it to the inputs; role: "export", "alerts", ... */
void impact_add_input(struct impact *im, const char *path, const char *role);
/* After the run.  NULL: failed, see impact_error(). */
const struct impact_report *impact_finish(struct impact *im, const struct world *w);
/* The messages by mailbox, first access, id.  False: the end. */
bool impact_next_message(struct impact *im, struct impact_message *ret);
void impact_rewind(struct impact *im);
/* What was lost on reading; borrowed. */
void impact_set_lost(struct impact *im, const struct lost *l);
const char *impact_error(const struct impact *im); /* "" = none */
uint64_t impact_spilled(const struct impact *im);

/* "24 h": hours as they are printed everywhere */
#define IMPACT_HOURS_SIZE 40
const char *impact_hours(int64_t tenths, char out[IMPACT_HOURS_SIZE]);
/* who a context is, in a word: "intruder" only if the selection is about one */
const char *impact_who(const struct impact_report *r, enum verdict_of_context v);

/* writers; each reads the messages through impact_next_message() */
struct sink_out;
void impact_text(struct sink_out *o, struct impact *im, const struct impact_report *r);
void impact_ndjson(struct sink_out *o, struct impact *im, const struct impact_report *r);
void impact_csv(struct sink_out *o, struct impact *im, const struct impact_report *r);

#endif
