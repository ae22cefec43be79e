/* SPDX-License-Identifier: Apache-2.0 */
/* gpd: see Zhang and Stephens, "A new and efficient estimation method for the generalized Pareto distribution",
 * Technometrics 51 (2009).  Then the shape is drawn towards 0.1 (weight 10) and clipped: small tenants otherwise give
 * absurd thresholds. */
#include "stat/gpd.h"

#include <math.h>
#include <stdlib.h>

#define GRID_MAX 128
#define XI_PRIOR 0.1
#define XI_WEIGHT 10.0
#define XI_LOW (-0.1)
#define XI_HIGH 0.6
#define SIGMA_MIN 0.05
#define LOG10_UNIFORM 0.43429448190325182765 /* scale of -log10 of a uniform p */

/* mean of ln(1 - b x): logarithms of products, since a logarithm costs as much as ten multiplications */
static double mean_ln(const double *x, size_t n, double b)
{
	double sum = 0, product = 1;
	for (size_t i = 0; i < n; i++) {
		product *= 1 - b * x[i];
		if (product < 1e-150 || product > 1e150) {
			sum += log(product);
			product = 1;
		}
	}
	return (sum + log(product)) / (double)n;
}

struct gpd gpd_fit_double(const double *x, size_t n)
{
	double b[GRID_MAX], l[GRID_MAX], most = -INFINITY, weight = 0, mean = 0, sum = 0;
	if (n < GPD_MIN || !(x[n - 1] > 0))
		return (struct gpd){ 0, LOG10_UNIFORM, 0 };
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	size_t m = 30 + (size_t)sqrt((double)n);
	if (m > GRID_MAX)
		m = GRID_MAX;
	double quarter = x[(size_t)((double)n / 4 + 0.5) - 1];
	if (!(quarter > 0))
		quarter = x[n - 1] / (double)n;
	for (size_t j = 0; j < m; j++) {
		b[j] = 1 / x[n - 1] + (1 - sqrt((double)m / ((double)j + 0.5))) / (3 * quarter);
		double k = fabs(b[j]) * x[n - 1] < 1e-9 ? 0 : mean_ln(x, n, b[j]);
		double rate = k == 0 ? (double)n / sum : -b[j] / k;
		l[j] = (double)n * (log(rate) - k - 1);
		if (l[j] > most)
			most = l[j];
	}
	for (size_t j = 0; j < m; j++) {
		double w = exp(l[j] - most);
		weight += w;
		mean += w * b[j];
	}
	mean /= weight;
	struct gpd g;
	if (fabs(mean) * x[n - 1] < 1e-9) {
		g.xi_raw = 0;
		g.sigma = sum / (double)n;
	} else {
		g.xi_raw = mean_ln(x, n, mean);
		g.sigma = -g.xi_raw / mean;
	}
	if (!(g.sigma >= SIGMA_MIN))
		g.sigma = SIGMA_MIN;
	g.xi = ((double)n * g.xi_raw + XI_PRIOR * XI_WEIGHT) / ((double)n + XI_WEIGHT);
	if (!(g.xi >= XI_LOW))
		g.xi = XI_LOW;
	if (g.xi > XI_HIGH)
		g.xi = XI_HIGH;
	return g;
}

struct gpd gpd_fit(const float *x, size_t n)
{
	if (n < GPD_MIN)
		return gpd_fit_double(NULL, 0);
	double *d = malloc(n * sizeof *d);
	if (!d)
		return gpd_fit_double(NULL, 0);
	for (size_t i = 0; i < n; i++)
		d[i] = x[i];
	struct gpd g = gpd_fit_double(d, n);
	free(d);
	return g;
}

double gpd_ln_tail(const struct gpd *g, double x)
{
	if (fabs(g->xi) < 1e-9)
		return -x / g->sigma;
	double base = 1 + g->xi * x / g->sigma;
	return base > 0 ? -log(base) / g->xi : -INFINITY;
}

double gpd_quantile(const struct gpd *g, double ln_tail)
{
	if (fabs(g->xi) < 1e-9)
		return -ln_tail * g->sigma;
	return g->sigma / g->xi * expm1(-g->xi * ln_tail);
}
