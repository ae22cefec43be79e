/* SPDX-License-Identifier: Apache-2.0 */
/* coverage: when each mailbox could be seen, and when not.
 *
 * A clean result only counts where the log could have shown something.  For every mailbox and day (UTC) the log itself shows
 * which of these it was; nothing is guessed:
 *
 *   recorded     at least one read of mail is in the log
 *   quiet        none, and no other sign of life: a holiday, or a silence that looks the same
 *   silent       none, while other things go on (sends, rules, moves, sign-ins of the owner) in a mailbox that on such days
 *                usually has some, or never has any at all
 *   throttled    Exchange wrote no Bind records for 24 hours; whatever was read then is in no log
 *   off          auditing of the tenant was switched off
 *   bypassed     what the owner's account does is not logged
 *   narrowed     MailItemsAccessed was removed from the audited actions of the mailbox
 *   unlicensed   the plan for premium auditing was taken away, and nothing is recorded since
 *   gap          no mailbox at all has a record, at a time when that is next to impossible: the collector
 *   outside      before the first record of the data, or after the last
 *
 * Switches and rhythms are learned from all records; a period (base/period.h) chooses the days, findings and hours that are
 * reported.  A day is named after the state that hid an hour of it; the times themselves, to the second, are coverage_blinds(), and
 * every number of blind hours that any command prints comes from coverage_blind_us().  See event/audit_switch.h for the meaning
 * of switches of the log, state/whose.h for whose they are, stat/silence.h for which silence is a hole.
 *
 * Memory: 4 bytes a mailbox and day (COVERAGE_CELLS_MAX), some hundred a change of settings. */
#ifndef TXM_COVERAGE_COVERAGE_H
#define TXM_COVERAGE_COVERAGE_H

#include "base/buf.h"
#include "base/lost.h"
#include "base/period.h"
#include "state/world.h"

enum day_state {
	DAY_RECORDED, DAY_QUIET, DAY_SILENT, DAY_THROTTLED, DAY_OFF, DAY_BYPASSED, DAY_NARROWED, DAY_UNLICENSED, DAY_GAP,
	DAY_OUTSIDE, DAY_STATES,
};
extern const char *const day_state_names[DAY_STATES];
extern const char *const day_state_docs[DAY_STATES]; /* one line each */
static inline bool day_is_blind(enum day_state s) { return s >= DAY_SILENT && s <= DAY_GAP; }

struct coverage_day { uint16_t reads; uint8_t life; uint8_t state; }; /* counts saturate */

struct coverage_finding {
	enum day_state what;
	uint32_t mailbox;        /* NONE: all of them, or one that has no record (target) */
	int64_t from_us, to_us;  /* to_us INT64_MAX: and still */
	uint32_t days;           /* SILENT: how many; else 0 */
	uint32_t usual, life;    /* SILENT: days with life and reads; signs of life in the silent days */
	double unlikely;         /* GAP: the chance of such a silence is e^-unlikely, or less */
	uint32_t tenant;         /* whose log it is about; NONE: not given */
	int64_t blind_us;        /* how long a mailbox that it is about was blind by it, in the period */
	char target[104];        /* account as the record names it; "" = none */
};

struct coverage_blind { /* a time in which reads were not logged */
	enum day_state what;
	bool of_all;             /* in every mailbox of the tenant */
	bool open;               /* and still at the end of the data, which is to_us */
	bool id_is_text;
	uint32_t mailbox;        /* NONE: all, or an account that is no mailbox of the data (who) */
	uint32_t tenant;
	int64_t from_us, to_us;
	uint8_t id[16];          /* of the record that began it; zero: no record did (gap, silent) */
	char who[104];
};

struct coverage_mailbox {
	uint32_t mailbox;
	uint32_t days[DAY_STATES];
	uint32_t blind;          /* days */
	int64_t blind_us;        /* coverage_blind_us() of the period */
};

/* of one tenant */
struct coverage;
struct coverage *coverage_new(void); /* NULL: out of memory */
void coverage_free(struct coverage *c);
/* one for each tenant that events name */
struct covered { const struct world *world; struct coverage *coverage; };
struct coverages { struct { uint64_t tenant; struct coverage *coverage; } *v; size_t n; };
struct coverage *coverages_of(struct coverages *x, uint64_t tenant); /* made if it is new; NULL: out of memory */
void coverages_release(struct coverages *x);
/* every event, in order of event time */
void coverage_meet(struct coverage *c, const struct world *w, const struct event *e);
/* after the last: what each day was.  What follows is of the period.  Nonzero: out of memory. */
int coverage_finish(struct coverage *c, const struct world *w, const struct period *period);

int64_t coverage_first_day(const struct coverage *c); /* days since 1970; there are coverage_days() of them */
uint32_t coverage_days(const struct coverage *c);     /* 0: no record, or none in the period */
/* the first and the last record of the data, or the ends of the period if these are inside */
void coverage_ends(const struct coverage *c, int64_t *ret_first_us, int64_t *ret_last_us);
struct coverage_day coverage_day(const struct coverage *c, uint32_t mailbox, uint32_t day); /* day from 0 */
/* mailboxes with any record in the data, the least visible first; ties by number */
const struct coverage_mailbox *coverage_mailboxes(const struct coverage *c, size_t *ret_n);
const struct coverage_finding *coverage_findings(const struct coverage *c, size_t *ret_n); /* gravest first */
/* The blind times of the whole data: those of all mailboxes first, then by mailbox; in order of their beginning.  None ends before
 * it begins. */
const struct coverage_blind *coverage_blinds(const struct coverage *c, size_t *ret_n);
/* How much of [from, to) was not logged for that mailbox; overlaps count once. */
int64_t coverage_blind_us(const struct coverage *c, const struct world *w, uint32_t mailbox, int64_t from_us, int64_t to_us);
uint64_t coverage_total(const struct coverage *c, enum day_state s); /* mailbox-days */
uint64_t coverage_refused(const struct coverage *c);
/* one sentence, without a full stop at its end */
void coverage_sentence(const struct world *w, const struct coverage_finding *f, struct buf *ret);
/* Was that mailbox blind at some time in [from, to]?  The gravest reason, or DAY_RECORDED. */
enum day_state coverage_between(const struct coverage *c, uint32_t mailbox, int64_t from_us, int64_t to_us);

#endif
