/* SPDX-License-Identifier: Apache-2.0 */
/* exact: exact bounds of a rate from a count: bounds for "28 false alarms in 400,000 mailbox-days" and
 * for "94 of 100 attacks found".  Both come from quantiles of the gamma and the beta distribution. */
#ifndef TXM_EVAL_EXACT_H
#define TXM_EVAL_EXACT_H

#include <stdint.h>

struct bounds { double lower, upper; };

/* P(a, x): the share of a gamma distribution of shape a below x.  a > 0, x >= 0. */
double gamma_below(double a, double x);
/* I_x(a, b): the share of a beta distribution below x.  a, b > 0, 0 <= x <= 1. */
double beta_below(double a, double b, double x);
/* the x that has the share p below it */
double gamma_quantile(double a, double p);
double beta_quantile(double a, double b, double p);

/* The expected count of a Poisson process that showed k: each bound holds with 95 % by itself (one-sided). */
struct bounds poisson_bounds(uint64_t k);
/* The probability that gave k successes in n trials: both bounds together hold with at least 95 % (Clopper and Pearson).
 * n = 0: nothing is known, 0 to 1. */
struct bounds binomial_bounds(uint64_t k, uint64_t n);

#endif
