/* SPDX-License-Identifier: Apache-2.0 */
/* keep: --state FILE.  The next run continues with what this one has learnt.
 *
 *   first run      records of days 1 to 10 ──▶ days 1 to 8 are learnt ──▶ saved, and with it the records of days 9 and 10
 *                                              days 9 and 10 are judged for this run's output, and forgotten
 *   second run     saved ──▶ records of days 9 and 10, and the new ones of days 9 to 20 ──▶ days 9 to 18 are learnt ...
 *
 * So records up to 48 hours late are put in order of time, and the second run ends where one run over
 * everything would have ended: same alerts, same ids, same sentences.  Records later than that are counted and
 * reported, and never change what was learnt.  An alert that the last two days raised, and that late records of these days
 * invalidate, is withdrawn by the next run.
 *
 * A second run prints what is new: alerts that no run before printed, or that have changed since (by the hash of their
 * JSON line). */
#ifndef TXM_KEEP_H
#define TXM_KEEP_H

#include "alert/alert.h"
#include "event/names.h"
#include "event/sort.h"
#include "persist/store.h"
#include "state/world.h"

/* The logs that an export is made of.  Each has its own newest record: an audit export and a sign-in export never end together. */
enum { KEEP_AUDIT, KEEP_DIRECTORY, KEEP_GRAPH, KEEP_OTHER, KEEP_SIGNIN, KEEP_LOGS = KEEP_SIGNIN + SIGNIN_AUDIT + 1 };
unsigned keep_log(const struct rec *r);

struct keep_days; /* how many records each day has: which of them is the newest that can be believed */
struct keep_days *keep_days_new(void); /* NULL: out of memory */
void keep_days_add(struct keep_days *d, int64_t time_us);
void keep_days_take(struct keep_days *d, const struct keep_days *other);
/* The second from which on records are kept and not learnt, if the clock says now_us.  INT64_MIN: no records. */
int64_t keep_days_bound(const struct keep_days *d, int64_t now_us);
/* The same for all logs together, of the bounds of each (INT64_MIN: none of that log): the earliest, so that all records are
 * learned in the order of event time.  A log that ends more than STATE_LAG_DAYS before the audit log is not waited for. */
int64_t keep_logs_bound(const int64_t bound[KEEP_LOGS]);

struct told { uint64_t line, finding; uint64_t tenant, number; }; /* hashes; whose alert it is, and its number */

struct keep {
	struct store *store;
	int64_t bound;             /* second: all before it is learnt; INT64_MIN = nothing is */
	int64_t log_bound[KEEP_LOGS]; /* of each log, as far as it was seen; INT64_MIN = never */
	double budget;             /* that the file was learnt with; 0 = new */
	struct table told, telling; /* tenant and alert's number -> struct told: reported by earlier runs, by this one */
	struct persist pending;    /* being written */
	bool writing;
	char error[STORE_ERROR_SIZE];
};

struct keep_parts { /* all that is saved, after its begin() */
	struct names *names;
	struct sorter *sorter;
	struct tenants *whose;
	struct tenant ***tenants; size_t *tenant_count;
	struct tenant *(*make)(void *arg, uint64_t ref); /* while loading; NULL: out of memory */
	void *make_arg;
};

/* settings: texts that must be as they were ("networks by prefix"), ended by NULL.  False: error. */
bool keep_open(struct keep *k, const char *path, const char *networks, double budget);
void keep_close(struct keep *k); /* forgets what was not committed */
/* Everything but the pending records, which go to `take`.  False: error. */
bool keep_load(struct keep *k, const struct keep_parts *parts, void (*take)(void *arg, const struct rec *r), void *arg);
/* Everything as it is now; then keep_pending() for each record that follows, and keep_commit().  Failures stick. */
void keep_save(struct keep *k, const struct keep_parts *parts, int64_t bound);
void keep_pending(struct keep *k, const struct rec *r);
/* Was it reported before, and with this JSON line?  Remembers that it is reported now. */
enum news { NEWS_NONE, NEWS_WORDS, NEWS }; /* NEWS_WORDS: same finding; only the counts in its text have grown */
enum news keep_is_news(struct keep *k, uint64_t tenant, const struct alert *al, struct str line);
/* Alerts that an earlier run reported and no keep_is_news() call of this run named, by number.  The caller frees. */
struct told *keep_withdrawn(const struct keep *k, size_t *ret_n);
/* Keeps what was reported of that tenant: this run does not report on it. */
void keep_carry(struct keep *k, uint64_t tenant);
/* The name of a tenant has become known. */
void keep_rename(struct keep *k, uint64_t from, uint64_t to);
bool keep_commit(struct keep *k);

#endif
