/* SPDX-License-Identifier: Apache-2.0 */
/* sink: alerts, inventory and summary to text.  What goes to a sink is a function of the set of records alone: no
 * times of ours, no rates, no paths, no counts of copies.  (Those are in the run's report: engine.h, --stats, stderr.)
 *
 * To add a format: one file and one line in sink/list.h; `scan -f` knows it from there. */
#ifndef TXM_SINK_SINK_H
#define TXM_SINK_SINK_H

#include "alert/alert.h"
#include "base/buf.h"
#include "base/lost.h"
#include "base/period.h"
#include "state/inventory.h"
#include "state/world.h"

struct sink_out { /* where finished text goes; remembers the first failure */
	int fd;
	struct buf pending;
	bool failed, closed; /* closed: the reader went away (EPIPE); quiet success */
	int error;           /* errno of the failure */
	bool color;          /* ANSI colours allowed */
	unsigned width;      /* columns of the terminal, 0 = no terminal */
	bool wraps;          /* what passes is text for people: lines longer than width are folded */
	struct buf folded;   /* ... here */
};
void sink_out_init(struct sink_out *o, int fd, bool color, unsigned width);
void sink_out_flush(struct sink_out *o);
void sink_out_release(struct sink_out *o); /* flushes */
/* Between two pieces of output: hands on what has gathered once it is much.  False: the reader is gone. */
bool sink_out_step(struct sink_out *o);

struct identity;
struct coverage;
struct coverage_finding;
struct orphans;

struct tenant_findings { /* of one tenant */
	const struct world *world;
	const struct identity *identity; /* sign-ins and the verdicts on tokens; NULL: not asked */
	const struct orphans *orphans;   /* accesses whose token no sign-in issued */
	const struct coverage *coverage; /* when each mailbox could be seen; NULL: not asked */
	struct inventory_row *apps; size_t app_count; /* ranked, most unusual first */
};

struct withdrawn { uint64_t number; struct str tenant; }; /* number: as in the alert's id */

struct findings {
	const struct world *world; /* counts and times of all tenants together */
	const struct tenant_findings *tenants; size_t tenant_count; /* by id */
	size_t app_count;          /* of all tenants */
	struct alert *const *alerts; size_t alert_count; /* raised, at or above the asked severity, in output order */
	/* scan --state: alerts that an earlier run reported: those unchanged, and those withdrawn */
	bool resumed; size_t alerts_unchanged;
	uint64_t late, known;      /* records of this run older than what is learned: not judged; copies of records learned from */
	const struct withdrawn *withdrawn; size_t withdrawn_count;
	size_t alerts_below;       /* raised, but below the asked severity */
	size_t alerts_outside;     /* raised, but outside the period */
	uint64_t alerts_refused;   /* findings past ALERTS_MAX */
	uint64_t alerts_held;      /* mailbox-days past the line for which the budget raised no alert (alert/alert.h) */
	uint64_t detect_refused;   /* entries that the detectors' tables could not take */
	struct lost lost;
	struct period period;      /* what is reported */
	const char *learn_since;   /* records before it were not used; NULL: all were */
};

struct sink {
	const char *name;          /* -f NAME */
	const char *doc;
	void (*write)(struct sink_out *o, const struct findings *f);
};
extern const struct sink *const sinks[]; /* NULL-terminated */
const struct sink *sink_find(struct str name);

/* shared by sinks */
void sink_add_count(struct buf *b, uint64_t n);    /* "1,234,567" */
/* "contoso's id", "unknown" */
static inline struct str tenant_label(const struct world *w)
{
	struct str s = world_own_tenant(w);
	return s.n ? s : STR("unknown");
}
uint64_t findings_refused(const struct findings *f); /* entries that bounded tables could not take */
void json_alert(struct buf *b, const struct alert *a);
void json_app(struct buf *b, const struct world *w, const struct inventory_row *row, size_t rank);
void json_summary(struct buf *b, const struct findings *f);
/* what the sign-ins cover, and the verdicts on the tokens of each client; objects, one a line; nothing without sign-ins */
void json_tokens(struct sink_out *o, const struct tenant_findings *f);
/* accesses whose token no sign-in issued and that no alert counts for it, by mailbox and client, one a line */
void json_orphans(struct sink_out *o, const struct tenant_findings *f);
/* one span of time in which a mailbox, or all of them, could not be seen; text: for its sentence */
void json_finding(struct buf *b, const struct world *w, const char *type, const struct coverage_finding *f, struct buf *text);
/* where the log was blind; nothing if it is not known to have been */
void json_blind(struct sink_out *o, const struct tenant_findings *f);
void json_text(struct buf *b, struct str s);      /* null for "" */
void json_time(struct buf *b, int64_t us);        /* null for 0 */
void json_period(struct buf *b, const struct period *p); /* ,"since":...,"until":... as understood; null: open */
void json_hours(struct buf *b, const char *key, int64_t us);       /* ,"hours":24.0 */
void json_tenant(struct buf *b, const struct world *w); /* ,"tenant":... */
/* A sentence for every list of the alert that its limit has cut; false past the last (i = 0, 1, ...). */
bool alert_cut_sentence(const struct alert *a, unsigned i, struct buf *ret);
/* the whole inventory as a table (scan --inventory) */
void csv_inventory(struct sink_out *o, const struct findings *f);

#endif
