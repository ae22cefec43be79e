/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate: from a score to a calibrated probability.
 *
 * No model's tail is right at one in ten thousand.  So each score s = -log10 p is compared with the scores of the last 30
 * days: the body by counting, the tail by a Pareto law fitted to the largest.  A class with little data falls back on the
 * whole tenant, and the tenant on a table that is shipped. */
#ifndef TXM_STAT_CALIBRATE_H
#define TXM_STAT_CALIBRATE_H

#include <stdint.h>

#include "stat/gpd.h"

#define CAL_SLICES 30
#define CAL_BINS 256
#define CAL_TOP 64
#define CAL_LN_P_MIN (-27.631021115928548) /* ln 1e-12 */
#define CAL_BACKOFF 5000.0                 /* mailbox-days at which a window weighs as much as its fallback, see cal_mix() */

struct cal_slice { /* a day */
	uint32_t bins[CAL_BINS]; /* of 0.05 */
	float top[CAL_TOP];      /* the largest positive scores; a heap, smallest first */
	uint32_t tops;
};

struct cal_fit { /* of the closed days */
	uint64_t n;
	uint64_t above[CAL_BINS + 1]; /* scores in this bin or a higher one */
	double u, p_u;                /* threshold; share above it.  u = infinity: no tail fitted */
	struct gpd tail;
};

struct calibration {
	struct cal_slice slices[CAL_SLICES];
	unsigned open;
	struct cal_fit fit;
};

unsigned cal_bin(double s); /* of a score: 0 to CAL_BINS - 1 */
void cal_add(struct calibration *c, double s);
void cal_add_silent(struct calibration *c, uint32_t n); /* n scores of zero */
/* The open day ends: fits, and opens the next in place of the oldest. */
void cal_close(struct calibration *c);
/* by this window alone */
double cal_ln_p(const struct cal_fit *f, double s);
double cal_score_at(const struct cal_fit *f, double alpha); /* the s whose p' is alpha; infinity if it has no tail */
double cal_mix(double n, double ln_p, double ln_p_behind);
/* with back-off: class, tenant, shipped p' = 10^(-s/slope) */
double calibrate(const struct cal_fit *class_, const struct cal_fit *tenant, double slope, double s);

#endif
