/* SPDX-License-Identifier: Apache-2.0 */
/* student: P(T >= t) = 1/2 I_x(nu/2, 1/2) with x = nu/(nu + t^2), t > 0 (DLMF 8.17).
 *
 * The incomplete beta function is the continued fraction DLMF 8.17.22, evaluated forward by the modified Lentz method
 * (3.10(iii)); on the side where it converges slowly, 1 - I_y(b, a) is taken instead.  x and y = 1 - x are computed
 * apart, and everything stays a logarithm until the end, so that nothing cancels and nothing underflows. */
#include "stat/student.h"

#include <math.h>

#define LN_2 0.693147180559945309417
#define LN_SQRT_PI 0.572364942924700087072 /* ln Gamma(1/2) */
#define TERMS_MAX 400
#define PRECISION 1e-14
#define TINY 1e-300

static double ln_gamma(double x)
{
	int sign;
	return lgamma_r(x, &sign);
}

/* the continued fraction of I_x(a, b), without its leading factor */
static double fraction(double a, double b, double x)
{
	double f = 1, c = 1, d = 0;
	for (int k = 0; k < TERMS_MAX; k++) {
		int m = k / 2;
		double term = k == 0 ? 1
			: k % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
			: -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		if (k == 0) {
			f = c = TINY;
			d = 0;
		}
		d = 1 + term * d;
		if (fabs(d) < TINY)
			d = TINY;
		c = 1 + term / c;
		if (fabs(c) < TINY)
			c = TINY;
		d = 1 / d;
		f *= c * d;
		if (k && fabs(c * d - 1) < PRECISION)
			break;
	}
	return f;
}

/* ln(1 - e^l) for l <= 0 */
static double ln_rest(double l)
{
	return l > -LN_2 ? log(-expm1(l)) : log1p(-exp(l));
}

double student_ln_tail(double t, double nu)
{
	if (t == 0)
		return -LN_2;
	if (t < 0)
		return log1p(-exp(student_ln_tail(-t, nu)));
	double a = nu / 2, b = 0.5, t2 = t * t;
	double x = nu / (nu + t2), y = t2 / (nu + t2);
	double ln_x = t2 < nu ? -log1p(t2 / nu) : log(x);
	double ln_y = t2 < nu ? log(y) : -log1p(nu / t2);
	double ln_beta = ln_gamma(a) + LN_SQRT_PI - ln_gamma(a + b);
	if (x < (a + 1) / (a + b + 2))
		return a * ln_x + b * ln_y - log(a) - ln_beta + log(fraction(a, b, x)) - LN_2;
	return ln_rest(b * ln_y + a * ln_x - log(b) - ln_beta + log(fraction(b, a, y))) - LN_2;
}
