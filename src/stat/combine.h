/* SPDX-License-Identifier: Apache-2.0 */
/* combine: several weak reasons into one (Fisher), several weak days into one (Shiryaev-Roberts), and the few small
 * rates that need no file of their own. */
#ifndef TXM_STAT_COMBINE_H
#define TXM_STAT_COMBINE_H

/* z = -sum ln p' of `count` families: -log10 of the chi-square tail with 2 count degrees of freedom at 2z */
double fisher_score(double z, unsigned count);

#define SR_KAPPA 0.3
#define SR_MOST 1e12
#define SR_REST (SR_KAPPA / (1 - SR_KAPPA)) /* where silence leaves it */
double sr_evidence(double ln_p);            /* kappa p^(kappa - 1): its mean is 1 if p is calibrated */
double sr_step(double r, double ln_p);

/* a mailbox throttled on a day, from its own days and the class's */
double throttle_rate(double sum_throttled, double sum_days);
double throttle_p(double own_throttled, double own_days, double rate);

#endif
