/* SPDX-License-Identifier: Apache-2.0 */
/* exact: the incomplete gamma function by its power series below the mean and by its continued fraction above it, the
 * incomplete beta function by its continued fraction, both in logarithms up to the last step; quantiles by halving, which
 * always end.  tests/unit/test_eval.c holds the values that they must give. */
#include "eval/exact.h"

#include <float.h>
#include <math.h>

#define TERMS_MAX 2000000 /* of a series; a shape of a million needs some six thousand */
#define HALVINGS 200
#define TINY 1e-300

#define POISSON_SIDE 0.05   /* left out at each end */
#define BINOMIAL_SIDE 0.025

/* lgamma() writes to a global */
static double ln_gamma(double a)
{
	int sign;

	return lgamma_r(a, &sign);
}

static double gamma_series(double a, double x)
{
	double term = 1 / a, sum = term;

	for (long i = 1; i < TERMS_MAX && term > sum * DBL_EPSILON / 4; i++) {
		term *= x / (a + (double)i);
		sum += term;
	}
	return sum * exp(a * log(x) - x - ln_gamma(a));
}

/* the share above x; the continued fraction from the front (modified Lentz) */
static double gamma_fraction(double a, double x)
{
	double b = x + 1 - a, c = 1 / TINY, d = 1 / b, h = d;

	for (long i = 1; i < TERMS_MAX; i++) {
		const double an = -(double)i * ((double)i - a);
		double change;
		b += 2;
		d = an * d + b;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = b + an / c;
		c = fabs(c) < TINY ? TINY : c;
		change = c * d;
		h *= change;
		if (fabs(change - 1) < DBL_EPSILON)
			break;
	}
	return h * exp(a * log(x) - x - ln_gamma(a));
}

double gamma_below(double a, double x)
{
	if (!(x > 0))
		return 0;
	return x < a + 1 ? gamma_series(a, x) : 1 - gamma_fraction(a, x);
}

static double beta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 - (a + b) * x / (a + 1), h;

	d = 1 / (fabs(d) < TINY ? TINY : d);
	h = d;
	for (long i = 1; i < TERMS_MAX; i++) {
		const double m = (double)i;
		const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double change;
		d = 1 + even * d;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = 1 + even / c;
		c = fabs(c) < TINY ? TINY : c;
		h *= c * d;
		d = 1 + odd * d;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = 1 + odd / c;
		c = fabs(c) < TINY ? TINY : c;
		change = c * d;
		h *= change;
		if (fabs(change - 1) < DBL_EPSILON)
			break;
	}
	return h;
}

double beta_below(double a, double b, double x)
{
	double front;

	if (!(x > 0))
		return 0;
	if (x >= 1)
		return 1;
	front = exp(ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * log(x) + b * log1p(-x));
	/* the fraction converges fast on one side of the mean only */
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double gamma_quantile(double a, double p)
{
	double low = 0, high = a + 1;

	while (gamma_below(a, high) < p && high < 1e300)
		high *= 2;
	for (int i = 0; i < HALVINGS && high - low > high * DBL_EPSILON; i++) {
		const double middle = low + (high - low) / 2;
		if (gamma_below(a, middle) < p)
			low = middle;
		else
			high = middle;
	}
	return low + (high - low) / 2;
}

double beta_quantile(double a, double b, double p)
{
	double low = 0, high = 1;

	for (int i = 0; i < HALVINGS && high - low > high * DBL_EPSILON; i++) {
		const double middle = low + (high - low) / 2;
		if (beta_below(a, b, middle) < p)
			low = middle;
		else
			high = middle;
	}
	return low + (high - low) / 2;
}

struct bounds poisson_bounds(uint64_t k)
{
	return (struct bounds){
		.lower = k ? gamma_quantile((double)k, POISSON_SIDE) : 0,
		.upper = gamma_quantile((double)k + 1, 1 - POISSON_SIDE),
	};
}

struct bounds binomial_bounds(uint64_t k, uint64_t n)
{
	const double found = (double)k, missed = n > k ? (double)(n - k) : 0;

	return (struct bounds){
		.lower = k && n ? beta_quantile(found, missed + 1, BINOMIAL_SIDE) : 0,
		.upper = k < n ? beta_quantile(found + 1, missed, 1 - BINOMIAL_SIDE) : 1,
	};
}
