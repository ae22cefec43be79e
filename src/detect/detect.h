/* SPDX-License-Identifier: Apache-2.0 */
/* detect: from events to alerts.
 *
 * To add a detector: write detect/foo.c, which opens with Signal / Catches / Misses / Cost and ends with its descriptor
 * `const struct detector detector_foo`; add DETECTOR(foo) to detect/list.h; add a case folder tests/cases/foo-.../.
 * A detector that remembers has a `persist` (persist/persist.h), or --state forgets it.
 * `taximeter rules`, the man page and the docs read the descriptor; nothing else needs an edit.
 *
 * Rules.  Events come in event-time order, each record once, so that a detector is a plain sequential state
 * machine and its alerts cannot depend on files, threads or copies.  No clock, no random numbers, no output, no other detector.
 * State is bounded (base/table.h, limits.h): what is refused is counted by the table and reported in the summary. */
#ifndef TXM_DETECT_DETECT_H
#define TXM_DETECT_DETECT_H

#include "alert/alert.h"
#include "event/event.h"
#include "state/world.h"

struct indicators; /* detect/indicators.h */
struct lessons;    /* detect/baseline.h */
struct identity;   /* identity/identity.h */
struct persist;    /* persist/persist.h */

struct detect_ctx {
	const struct world *world;
	struct alerts *alerts;
	const struct indicators *indicators;
	double budget; /* false alarms that the user allows in 10,000 mailbox-days */
	struct lessons *lessons;       /* filled at the end; NULL = not wanted */
	const struct lessons *recall;  /* this is a second pass; NULL = it is not */
	const struct identity *identity;
};

struct detector {
	const char *name;       /* "audit-tampering": the alert's "rule" */
	const char *title;      /* one line for `taximeter rules` */
	const char *severity;   /* which severities it gives and when, one line */
	const char *signal;     /* what it looks at */
	const char *catches;
	const char *misses;
	const char *cost;       /* false alarms to expect, memory */
	const char *const *mitre; /* technique ids, NULL-terminated: "T1114.002" */
	bool says_orphan;       /* its alerts say that no sign-in issued the tokens of their records (detect/orphans.h) */
	unsigned wants;         /* KIND_...: only events of these kinds are shown to it */
	size_t state_bytes;     /* zeroed memory handed to every call */
	int (*begin)(void *state, struct detect_ctx *c);  /* may be NULL; nonzero = out of memory */
	void (*event)(void *state, struct detect_ctx *c, const struct event *e);
	void (*end)(void *state, struct detect_ctx *c);   /* may be NULL: after the last event */
	void (*release)(void *state);                     /* may be NULL */
	/* what it has learnt, to bytes and back (after begin); NULL = it learns nothing that outlives a run */
	void (*persist)(struct persist *p, void *state);
	uint64_t (*refused)(const void *state);           /* may be NULL: entries its tables could not take */
};

extern const struct detector *const detectors[];      /* NULL-terminated, in the order of list.h */

/* kinds of an operation (KIND_...), from event/ops.h; OP_OTHER has none */
unsigned op_kinds(unsigned op);
const char *op_text(unsigned op);

#endif
