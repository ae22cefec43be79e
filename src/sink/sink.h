/* SPDX-License-Identifier: Apache-2.0 */
/* sink: alerts, inventory and summary to text.  What goes to a sink is a function of the set of records alone: no
 * times of ours, no rates, no paths, no counts of copies.  (Those are in the run's report: engine.h, --stats, stderr.)
 *
 * To add a format: one file and one line in sink/list.h; `scan -f` knows it from there. */
#ifndef TXM_SINK_SINK_H
#define TXM_SINK_SINK_H

#include "alert/alert.h"
#include "base/buf.h"
#include "state/inventory.h"
#include "state/world.h"

struct sink_out { /* where finished text goes; remembers the first failure */
	int fd;
	struct buf pending;
	bool failed, closed; /* closed: the reader went away (EPIPE); quiet success */
	bool color;          /* ANSI colours allowed */
	unsigned width;      /* columns of the terminal, 0 = no terminal */
};
void sink_out_init(struct sink_out *o, int fd, bool color, unsigned width);
void sink_out_flush(struct sink_out *o);
void sink_out_release(struct sink_out *o); /* flushes */

struct findings {
	const struct world *world;
	struct alert *const *alerts; size_t alert_count; /* raised, at or above the asked severity, in output order */
	const struct inventory_row *apps; size_t app_count; /* ranked, most unusual first */
	size_t alerts_below;       /* raised, but below the asked severity */
	const char *const *lost;   /* sorted names of what was lost ("bad JSON", "folders lost by the exporter"), no counts */
	size_t lost_count;
	const char *since, *until; /* the user's bounds as text, or NULL */
};

struct sink {
	const char *name;          /* -f NAME */
	const char *doc;
	void (*write)(struct sink_out *o, const struct findings *f);
};
extern const struct sink *const sinks[]; /* NULL-terminated */
const struct sink *sink_find(struct str name);

/* shared by sinks */
void json_alert(struct buf *b, const struct world *w, const struct alert *a);

#endif
