/* SPDX-License-Identifier: Apache-2.0 */
/* switches: from records that switch something about the log (event/audit_switch.h) to the times for which it was off: when it
 * began, when it ended, whose it was.
 *
 * Whether two records are about one account is judged at the end, when all mailboxes and their names are known
 * (state/whose.h): one may name a GUID and the other a path.  Switching off what is off already changes
 * nothing; nor does switching on what was not off. */
#ifndef TXM_STATE_SWITCHES_H
#define TXM_STATE_SWITCHES_H

#include "event/audit_switch.h"
#include "state/world.h"

#define SWITCH_NAME_SIZE 104

struct switch_entry { /* a record that switched something on or off */
	int64_t time_us;
	int64_t limit_us;     /* SWITCH_AGE_LIMIT */
	uint64_t tag;         /* of the caller that added it */
	uint8_t id[16];       /* of the record */
	uint32_t tenant, actor;
	uint32_t span;        /* the time that it begins, goes on with, or ends; NONE: switched on what was not off */
	uint8_t kind, role, off, id_is_text;
	char names[SWITCH_SUBJECT_NAMES][SWITCH_NAME_SIZE]; /* "" = none */
};

struct switch_span { /* something was off */
	enum switch_kind kind;
	enum switch_role role;
	uint32_t tenant;
	uint32_t mailbox;        /* NONE: tenant-wide, or an account that is no mailbox of the data */
	int64_t from_us, to_us;  /* INT64_MAX: and still */
	uint32_t begin, end;     /* entries; end = NONE: still off */
	char who[SWITCH_NAME_SIZE]; /* as the record that began it names it, without its path; "" = tenant-wide */
};

struct switches {
	struct switch_entry *v; uint32_t n, capacity;
	uint64_t refused;        /* past SWITCHES_MAX */
	bool failed;             /* out of memory */
};

void switches_release(struct switches *s);
/* Takes a switch that did not fail and whose value is clear; others are left out.  False: not taken. */
bool switches_add(struct switches *s, const struct event *e, const struct audit_switch *x, uint64_t tag);
/* The times, in order of their beginning; sets the span of each entry.  The caller frees.  NULL: none, or out of memory (failed). */
struct switch_span *switches_spans(struct switches *s, const struct world *w, size_t *ret_n);

#endif
