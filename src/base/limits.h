/* SPDX-License-Identifier: Apache-2.0 */
/* limits: every ceiling of Taximeter, in one place, each with its reason.  The input is written by an attacker; nothing
 * grows because he wants it to.  What a limit cuts is counted and shown, never silent. */
#ifndef TXM_BASE_LIMITS_H
#define TXM_BASE_LIMITS_H

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* -- source: where bytes come from -- */
#define READ_CHUNK_BYTES (256 * KIB)        /* one read; a block handed to a decoder: it and its index fit a second-level cache */
#define SOURCE_DEPTH_MAX 64                 /* folders in folders */
#define SOURCE_FILES_MAX 1000000            /* files in one run */
#define ARCHIVE_NESTING_MAX 3               /* archive in archive: export.zip with part.csv.gz in it */
#define ARCHIVE_ENTRIES_MAX 200000          /* entries of one archive */
#define ARCHIVE_RATIO_MAX 1200              /* unpacked : packed; deflate cannot honestly pass 1032 */
#define ARCHIVE_RATIO_FREE_BYTES (64 * MIB) /* the ratio is judged only past this much output: small files compress freakishly */
#define ARCHIVE_ENTRY_NAME_MAX 1024
#define ZSTD_WINDOW_LOG_MAX 27              /* 128 MiB of window */
#define XZ_MEMORY_BYTES_MAX (136 * MIB)     /* a dictionary of 128 MiB and what goes with it; xz -9 needs 65 */
#define ARCHIVE_INNER_BYTES_MAX (32 * MIB)  /* a zip or 7z that cannot be seeked in (inside another, stdin) is held in memory */
#define SOURCE_PROBLEMS_MAX 1000            /* lines about skipped files and folders; the rest is one line with a number */

/* -- decode: bytes to records -- */
#define SNIFF_BYTES (64 * KIB)              /* what a format is recognised from */
#define RECORD_BYTES_MAX (4 * MIB)          /* one record; the largest audit record seen is below 0.5 MB, an Event Hubs message 1 MB */
#define JSON_DEPTH_MAX 64                   /* nesting of one record */
#define UNWRAP_DEPTH_MAX 4                  /* record as text in a record: message, event.original, AuditData */
#define CSV_COLUMNS_MAX 1024
#define REJECT_SAMPLES_MAX 3                /* kept verbatim, per reason */
#define REJECT_SAMPLE_BYTES 200
#define TIME_MIN_US (INT64_C(946684800) * 1000000)  /* 2000-01-01: before it no audit log existed */
#define TIME_MAX_US (INT64_C(4102444800) * 1000000) /* 2100-01-01 */
#define DETAIL_VALUE_MAX (16 * KIB)         /* one parameter of an administrative record */
#define DETAIL_BYTES_MAX (48 * KIB)         /* all of them */
#define NAME_BYTES_MAX 512                  /* a name we keep (UPN, client string, operation) */

/* -- sort: events into event-time order -- */
#define SORT_MEMORY_BYTES (32 * MIB)        /* all threads together; beyond it sorted runs go to a temporary file */

/* -- state: what we remember -- */
#define NAMES_MAX 4000000                   /* distinct texts (mailbox labels, client strings, users) */
#define DEDUP_IDS_PER_GENERATION 1000000    /* ids remembered beside the exact same-second comparison; two generations */
#define CLIENTS_MAX 100000                  /* distinct client keys of a tenant; hundreds are normal */
#define NETS_MAX 500000
#define ACTORS_MAX 2000000
#define OPERATIONS_MAX 4096                 /* distinct operation names counted by name */
#define EDGES_BASE 65536                    /* (mailbox, client) pairs: this many ... */
#define EDGES_PER_MAILBOX 12                /* ... plus this many a mailbox, 48 bytes each and 9 to find it */
#define FOLDERS_PER_MAILBOX 16              /* distinct synced folders: EDGES_BASE plus this many a mailbox, 16 bytes each */
#define CLIENT_NETS_MAX 1000000             /* distinct (client, network) pairs, 16 bytes each */

/* -- detect -- */
#define SESSIONS_MAX 98304                  /* sessions and tokens watched at once: three quarters of a table of 2^17 */
#define ALERTS_MAX 100000
#define BASELINE_MAILBOXES_MAX 500000        /* whose normal days are learnt: 1.2 KB each */

/* -- alert: what one finding lists -- */
#define ALERT_MAILBOXES_MAX 10000
#define ALERT_LIST_MAX 200                  /* apps, actors, addresses, networks, sessions, tokens */
#define ALERT_EVIDENCE_MAX 20               /* record ids: part of the interface */
#define ALERT_SENTENCES_MAX 16
#define ALERT_TEXT_BYTES_MAX (64 * KIB)

/* -- sink: findings to text -- */
#define SINK_FLUSH_BYTES (64 * KIB)         /* text gathered before it is written */
#define SINK_PIECE_BYTES_MAX (64 * MIB)     /* one alert with all its lists: ALERT_MAILBOXES_MAX labels, each escaped */
#define TEXT_ALERTS_IN_FULL 100             /* of each severity; the rest take one line each */
#define TEXT_LIST_SHOWN 5                   /* names in a list for people, then "and 37 more" */
#define TEXT_APPS_SHOWN 20                  /* rows of the inventory table */
#define SUMMARY_OPERATIONS_MAX 200          /* operations listed by name in the summary */

/* -- eval: truth and alerts of a simulated tenant, read whole -- */
#define EVAL_LINE_BYTES_MAX (64 * MIB)      /* an event that lists a fifth of a million mailboxes is 8 MiB */
#define EVAL_MEMBERS_MAX 64                 /* of one object; an alert has 22, an attack 26 */
#define EVAL_PAIRS_MAX 100                  /* truths with their alerts in one evaluation */
#define EVAL_MAILBOXES_MAX 2000000          /* of one truth; 20 bytes each, and 24 to find one */
#define EVAL_CASES_MAX 5000000              /* attacks and confounders of one truth */
#define EVAL_REFERENCES_MAX 100000000       /* mailboxes, clients and places that all lines of a file name, together */
#define EVAL_ALARMS_MAX 10000000            /* alerts of one file */
#define EVAL_NAMES_MAX 64                   /* distinct kinds, classes, rules; a name is cut at 31 bytes */
#define EVAL_DAYS_MAX 36600                 /* a hundred years */
#define EVAL_ITEMS_MAX INT64_C(1000000000000)

/* -- persist: the file that keeps what was learnt -- */
#define STORE_PART_BYTES (1 * MIB)          /* one piece of it, unpacked */
#define STATE_OPEN_HOURS 48                 /* records newer than the newest less this are kept as they are, for what comes late */
#define STATE_FUTURE_MINUTES 10             /* a record dated further ahead of the clock closes no day */
#define STATE_ODD_SHARE 1000                /* one record in so many may be newer than what counts as the newest */

#endif
