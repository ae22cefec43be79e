/* SPDX-License-Identifier: Apache-2.0 */
/* run: what scan and events have in common: inputs, bounds, output, progress, and the account of the run. */
#ifndef TXM_CMD_RUN_H
#define TXM_CMD_RUN_H

#include <pthread.h>

#include "base/limits.h"
#include "base/lost.h"
#include "base/period.h"
#include "base/timefmt.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "engine.h"

struct run {
	const struct command *command;
	struct engine_settings settings;
	const char *output_path, *stats_path;
	struct period period;    /* --since, --until: what is reported */
	char learn_since[TIME_TEXT_SIZE];
	struct zone *timezone;
	bool quiet;
	struct output output, stats;
	struct engine *engine;
	bool keeps;              /* learned data are to be kept, if the output is written */
	bool kept;
	const char *tenants[TENANTS_ASKED_MAX]; /* --tenant */
	bool failed;             /* the run ended early: engine_report()->error */
	size_t problems;         /* lines reported about inputs */

	/* the line of progress, on a terminal only */
	pthread_mutex_t lock;    /* problems may come from another thread than progress */
	bool shows_progress;
	bool line_shown;
	double begun_s, shown_s;
};

/* The rows of the options below, for the descriptors of commands. */
#define RUN_OPTION_STATS \
	{ 0, "stats", "FILE", \
	  "Write an account of the run to FILE as one JSON object: counts, rejects by reason, files, time, memory. " \
	  "'-' is standard output, if the result goes to a file.", NULL }
#define RUN_OPTION_SINCE \
	{ 0, "since", "TIME", \
	  "Report from TIME on: a date (00:00 UTC), or an RFC 3339 time such as 2023-06-15T00:00:00Z; default: the first record.", NULL }
#define RUN_OPTION_UNTIL { 0, "until", "TIME", "Report what was before TIME; default: to the last record.", NULL }
#define RUN_OPTION_TIMEZONE \
	{ 0, "timezone", "ZONE", \
	  "The zone of local times whose column does not name it (\"TimeGenerated [Local Time]\"): a place such as Europe/Berlin, or an " \
	  "offset such as +01:00; default: they are read as UTC, which is reported (exit status 3).", NULL }
#define RUN_OPTION_TENANT \
	{ 0, "tenant", "ID", \
	  "Report on this tenant only: the id that events and findings show under \"tenant\", or 'unknown' for records " \
	  "that nothing assigns to one. May be repeated; default: all.", NULL }
#define RUN_OPTION_ASN \
	{ 0, "asn", "FILE.mmdb", \
	  "Name networks by autonomous system, from a MaxMind DB file; default: by address prefix.", NULL }

void run_init(struct run *r, const struct command *c);
void run_release(struct run *r);
/* Takes one of the options above.  EXIT_RAN; or EXIT_USAGE, reported. */
int run_option(struct run *r, const struct option_row *row, const char *value);
/* After the last option: paths (argv[optind..argc)), what must fit together, the outputs opened. */
int run_open(struct run *r, int argc, char **argv);
/* Reads everything.  EXIT_RAN, or EXIT_INPUT; in both cases there is something to print, unless r->engine is NULL. */
int run_read(struct run *r);
/* Closes the output, writes --stats, reports the run on stderr.  Returns the status that the command shall exit with:
 * `status` if nothing worse came. */
int run_close(struct run *r, int status);

/* What was lost, in a fixed order, as names and as sentences without numbers: the result must not differ between one copy of an
 * export and two. */
#define LOST_MAX (REJECT_COUNT + NOTE_COUNT + STRANGER_COUNT + 4)
struct run_lost {
	const char *name[LOST_MAX], *text[LOST_MAX]; /* "bad_json", "not well-formed JSON" */
	size_t n;
	const char *partial[CLAIM_SENTENCES_MAX]; /* losses that the exports themselves report, with numbers */
	size_t partial_n;
	struct lost said; /* all this, as results report it */
};
void run_gather_lost(const struct run *r, struct run_lost *ret);
/* The first lines of a result for people when there is nothing in it, or one of the inputs gave nothing; else none. */
void run_tell_empty(const struct run *r, struct buf *b);

/* report.c */
void report_stats(struct sink_out *o, const struct run *r);
void report_tell(struct buf *b, const struct run *r);

#endif
