/* SPDX-License-Identifier: Apache-2.0 */
/* budget: the bound on false alarms.  A controller moves the thresholds so that crossings come out at alpha a
 * mailbox-day; a bucket of tokens caps what is printed whatever happens: in any T days at most capacity + alpha M T alerts
 * that just cross, and at most ten times as many however rare they are. */
#ifndef TXM_STAT_BUDGET_H
#define TXM_STAT_BUDGET_H

#include <stdbool.h>

#define BUDGET_START 5.0
#define BUDGET_DAYS 14        /* of refill that the bucket holds */
#define BUDGET_RESERVE 0.1    /* of the capacity, for what is rarer than BUDGET_RARE */
#define BUDGET_LN_RARE (-16.11809565095832) /* ln 1e-7 */

struct budget {
	double alpha;         /* false alarms a mailbox-day that the user allows */
	double tokens, capacity;
};

void budget_begin(struct budget *b, double alpha);
/* of the logarithm of the alpha that is used, after a day with so many crossings; before clipping */
double budget_step(double alpha, double mailboxes, double crossings);
/* ... after that step: alpha/30 to alpha */
double budget_steer(double ln_effective, double alpha, double step);
/* a day of so many scored mailboxes begins: refill */
void budget_refill(struct budget *b, double mailboxes);
/* Spends what an alert costs, if that is there: one token for evidence that just crosses, less for rarer evidence, down to a
 * tenth.  So a very rare alert is not lost to a run of weaker ones. */
bool budget_take(struct budget *b, double ln_p);

#endif
