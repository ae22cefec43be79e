/* SPDX-License-Identifier: Apache-2.0 */
/* engine: connects all the others:
 *
 *   source --bytes--> decode --recs--> sort --recs in event time, one copy each--> world --events--> detect --alerts--> sink
 */
#ifndef TXM_ENGINE_H
#define TXM_ENGINE_H

#include <stdio.h>

#include "alert/alert.h"
#include "decode/decode.h" /* enum reject, reject_names, reject_docs */
#include "detect/indicators.h"
#include "event/names.h"
#include "keep.h"
#include "state/world.h"

struct engine_settings {
	const char *const *paths; size_t path_count;
	unsigned threads;           /* 0 = one a core */
	int64_t since_us, until_us; /* event time, [since, until); INT64_MIN / INT64_MAX = open */
	const struct period *report; /* what will be reported; borrowed, NULL = all time */
	const struct zone *timezone; /* of local times that name no zone; borrowed, NULL = not given */
	const char *asn_path;       /* .mmdb, or NULL */
	struct indicators *indicators; /* borrowed; NULL = no known-indicator detector */
	double budget;              /* false alarms allowed in 10,000 mailbox-days; 0 = 1 */
	const char *const *tenants; size_t tenant_count; /* ids; of other tenants nothing is reported; 0 = all are wanted */
	bool joint;                 /* one world for all tenants (impact); needs no detectors */
	bool teaches;               /* keep what is learnt about all mailboxes for a second pass */
	const struct engine *recall; /* this is the second pass; NULL = it is not */
	const char *state_path;     /* file with what was learnt, read and updated (keep.h); needs detect; NULL = none */
	bool detect;                /* false: no detectors (taximeter events) */
	/* which mail records shall carry the messages they list (decode.h); NULL = none.  Called by decoding threads. */
	bool (*keep_items)(void *arg, const struct rec *r, const struct names *n);
	void *keep_items_arg;
	/* called for each event in order, before the detectors; NULL = none.  False stops the run quietly. */
	bool (*on_event)(void *arg, const struct world *w, const struct event *e);
	void *on_event_arg;
	/* progress: called now and then from the reading thread with the bytes read from disk; NULL = none */
	void (*on_progress)(void *arg, uint64_t bytes, uint64_t total_bytes, uint64_t records);
	void *on_progress_arg;
	/* one line on something that went wrong with one input; NULL = none */
	void (*on_problem)(void *arg, const char *line);
	void *on_problem_arg;
};

struct engine_file { /* one stream */
	char *path;
	const char *format;      /* name of the format, "unknown", "empty" */
	uint64_t bytes;          /* unpacked */
	uint64_t records;        /* decoded, copies included */
	uint64_t rejects;
	uint64_t notes[NOTE_COUNT]; /* records of which something is not whole, by note (decode/notes.h) */
	uint64_t rows;           /* of a search of the audit log */
	bool broken;             /* ended before its end */
	bool skipped;            /* nothing in it is ours */
	enum stranger stranger;  /* what it is, if no record came of it; else STRANGER_COUNT */
	struct stranger_set strangers; /* all that its records were */
	uint32_t input;          /* number of the path that led to it */
};

struct reject_sample { char *text; uint64_t file, offset; };

struct engine_report { /* about the run, not about the tenant */
	uint64_t bytes;            /* unpacked bytes read */
	uint64_t bytes_on_disk;
	uint64_t records_in;       /* copies included */
	uint64_t duplicates;       /* copies left out */
	uint64_t conflicts;        /* of these, copies that differed from the one used */
	uint64_t out_of_order;     /* records more than two days older than an earlier one of the same file ("late") */
	uint64_t rejects[REJECT_COUNT];
	uint64_t notes[NOTE_COUNT];
	struct reject_sample samples[REJECT_COUNT][3];
	char *partial[CLAIM_SENTENCES_MAX]; unsigned partial_count; /* what the exports report as missing (decode/claims.h) */
	uint64_t outside_window;   /* left out by --since / --until */
	uint64_t names_refused, detect_refused;
	uint64_t tenants_refused;  /* records of tenants past TENANTS_MAX: not judged */
	struct engine_file *files; size_t file_count;
	double wall_s, cpu_s;
	uint64_t max_rss_bytes;
	uint64_t spilled_bytes;    /* written to temporary files by the sorter */
	bool state_refused;        /* error is about the state: nothing was read */
	uint64_t state_days;       /* from the first record to where learning has got */
	uint64_t state_pending;    /* records that an earlier run left for this one */
	uint64_t state_late, state_known; /* left out: older than what is learnt: not known; known */
	struct stranger_set strangers; /* kinds of input left out although they may hold a log */
	bool empty_input;          /* a path that gave no record */
	bool incomplete;           /* something was lost: exit 3 */
	char error[512];           /* an I/O or resource error (no memory, no space): "" = none */
};

struct engine;
struct engine *engine_new(const struct engine_settings *s); /* NULL: out of memory */
void engine_free(struct engine *e);
/* Runs to the end.  0; or -1 with report.error set (what was found so far is still there). */
int engine_run(struct engine *e);
const struct engine_report *engine_report(const struct engine *e);
/* Counts and times of all tenants that are asked for; with one tenant, its world. */
const struct world *engine_world(const struct engine *e);
/* After the run: the tenants that are asked for, by id, the unknown one last. */
struct tenant;
size_t engine_tenant_count(const struct engine *e);
struct tenant *engine_tenant(const struct engine *e, size_t i);
void engine_add_tenants(const struct engine *e, struct buf *b); /* "ID, ID and 3 more", of all tenants of the data */
/* True: a sentence about the i-th tenant that was asked for and that no record belongs to; false past the last. */
bool engine_missing_tenant(const struct engine *e, size_t i, struct buf *ret);
/* Would a second pass know more than this first one?  (settings.teaches, settings.recall) */
bool engine_is_worth_again(const struct engine *e);

/* With a state, after engine_run(): does this alert, or its JSON line, differ from what an earlier run reported?  Call it once for
 * each alert of this run.  Without one: NEWS. */
enum news engine_is_news(struct engine *e, const struct tenant *t, const struct alert *al, struct str line);
/* Alerts that an earlier run reported and this run did not raise again.  The caller frees. */
struct told *engine_withdrawn(const struct engine *e, size_t *ret_n);
/* Saves what was learnt; call it when all that was found is safely written.  0; or -1 with report.error set, and the state as it was
 * before the run.  Without a state, or after a run that failed: 0, -1 and nothing done. */
int engine_keep(struct engine *e);

#endif
