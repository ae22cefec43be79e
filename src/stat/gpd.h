/* SPDX-License-Identifier: Apache-2.0 */
/* gpd: the generalised Pareto distribution of values above a high threshold, fitted after Zhang and Stephens (2009): a weighted
 * mean over a grid, no iteration that could fail to converge. */
#ifndef TXM_STAT_GPD_H
#define TXM_STAT_GPD_H

#include <stddef.h>

#define GPD_MIN 20 /* fewer excesses: the law of a uniform p is assumed */

struct gpd {
	double xi, sigma; /* shape, shrunk towards 0.1 and clipped; scale */
	double xi_raw;
};
/* x ascending, all > 0 */
struct gpd gpd_fit(const float *x, size_t n);
struct gpd gpd_fit_double(const double *x, size_t n);
/* ln P(X > x | X > 0) */
double gpd_ln_tail(const struct gpd *g, double x);
/* the x of that tail */
double gpd_quantile(const struct gpd *g, double ln_tail);

#endif
