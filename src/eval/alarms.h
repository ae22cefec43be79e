/* SPDX-License-Identifier: Apache-2.0 */
/* alarms: the alert lines of `taximeter scan -f ndjson`, or of anything that writes the same shape, with their mailboxes
 * looked up in a truth.  Of an alert are used: id, time, rule, severity, mailboxes, apps, networks, ips, first_seen,
 * last_seen, and its "score", or else its "odds", if it has one: the higher, the more the rule believes it.
 *
 * A line {"type":"score","mailbox":GUID,"day":"2026-01-06","p":0.003} is the score of a mailbox-day, alerted or not; days
 * that got 1 need no line.  From these the calibration is counted. */
#ifndef TXM_EVAL_ALARMS_H
#define TXM_EVAL_ALARMS_H

#include "alert/alert.h"
#include "eval/truth.h"

#define EVAL_LEVELS 4
extern const double eval_levels[EVAL_LEVELS]; /* 1e-2 ... 1e-5 */

struct alarm {
	uint64_t id;              /* hash */
	int64_t time_us, first_us, last_us;
	uint32_t rule;
	enum severity severity;
	bool has_score;
	double score;
	uint32_t mailbox_at, mailbox_count; /* in alarms.mailbox_lists */
	uint32_t strangers;       /* named, but not in the truth */
	struct scope scope;
};

struct ranked_app { struct scope_client client; int32_t rank; };

struct alarms {
	struct alarm *v; size_t n, capacity;
	struct eval_list mailbox_lists;
	struct ranked_app *apps; size_t app_count, app_capacity; /* the inventory: lines of type "app" */
	bool complete;            /* a summary line was seen */
	uint64_t scores;          /* score lines of attack-free mailbox-days inside the days asked for */
	uint64_t at_or_below[EVAL_LEVELS];
};

/* Scores are counted on days from `from_day` to `to_day`.  False: see *error. */
bool alarms_read(struct alarms *a, const char *path, const struct truth *t, int32_t from_day, int32_t to_day,
		 struct eval_names *rules, struct buf *error);
void alarms_release(struct alarms *a);

#endif
