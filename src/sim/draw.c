/* SPDX-License-Identifier: Apache-2.0 */
/* draw: the distributions of the simulator, each from its textbook definition. */
#include "sim/draw.h"

#define POISSON_BY_PRODUCT 30 /* above this mean the normal law is close enough for counts of mail */

double draw_normal(struct draw *d)
{
	/* Box and Muller: radius and angle; the second value is left unused, so that a draw costs two numbers always */
	const double radius = sqrt(-2.0 * log(draw_unit(d)));

	return radius * cos(2.0 * M_PI * draw_unit(d));
}

double draw_exponential(struct draw *d)
{
	return -log(draw_unit(d));
}

double draw_pareto(struct draw *d, double shape)
{
	return pow(draw_unit(d), -1.0 / shape);
}

uint32_t draw_poisson(struct draw *d, double mean)
{
	if (!(mean > 0))
		return 0;
	if (mean < POISSON_BY_PRODUCT) {
		/* arrivals in one unit of time: gaps are exponential, their sum passes 1 when the product passes e^-mean */
		const double end = exp(-mean);
		double product = draw_unit(d);
		uint32_t n = 0;

		for (; product > end; n++)
			product *= draw_unit(d);
		return n;
	}
	const double x = mean + sqrt(mean) * draw_normal(d) + 0.5;

	return x < 0 ? 0 : x > 4e9 ? UINT32_C(4000000000) : (uint32_t)x;
}

double draw_gamma(struct draw *d, double shape)
{
	/* Marsaglia and Tsang 2000: a transformed normal, accepted or not; below 1 by the power of a uniform */
	const double lift = shape < 1 ? pow(draw_unit(d), 1.0 / shape) : 1.0;
	const double a = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1.0 / sqrt(9 * a);

	for (;;) {
		const double x = draw_normal(d), v = (1 + c * x) * (1 + c * x) * (1 + c * x);

		if (v > 0 && log(draw_unit(d)) < 0.5 * x * x + a - a * v + a * log(v))
			return a * v * lift;
	}
}

uint32_t draw_geometric(struct draw *d, double p)
{
	const double x = log(draw_unit(d)) / log1p(-p);

	return x > 1e6 ? 1000000 : (uint32_t)x;
}
