/* SPDX-License-Identifier: Apache-2.0 */
/* novelty: rates by Good-Turing with weak priors; a mid-p inside the bin of the histogram. */
#include "stat/novelty.h"

#include <math.h>

#include "stat/student.h"
#include "stat/volume.h"

#define NU_NEW 6 /* degrees of freedom of the volume on a first day */

void adoption_begin(struct adoption *a)
{
	*a = (struct adoption){ .mu_new = 2, .v_new = 2 };
	for (unsigned i = 0; i < PREVALENCE_BINS; i++)
		a->h[i] = PREVALENCE_START;
}

void adoption_decay_day(struct adoption *a)
{
	const double w = exp2(-1.0 / PREVALENCE_HALF_LIFE_DAYS);
	for (unsigned i = 0; i < PREVALENCE_BINS; i++)
		a->h[i] = PREVALENCE_START + w * (a->h[i] - PREVALENCE_START);
	a->sum_new *= VOLUME_GAMMA;
	a->sum_days *= VOLUME_GAMMA;
}

unsigned prevalence_bin(uint32_t k, uint32_t m)
{
	if (k == 0)
		return 0;
	if (k == 1 || m < 2)
		return 1;
	double i = floor(39 * log(k) / log(m) + 1e-9);
	return 1 + (i < 38 ? (unsigned)i : 38);
}

void adoption_learn(struct adoption *a, uint32_t k, uint32_t m)
{
	a->h[prevalence_bin(k, m)] += 1;
}

double adoption_share(const struct adoption *a, uint32_t k, uint32_t m)
{
	unsigned bin = prevalence_bin(k, m);
	double below = 0, all = 0;
	for (unsigned i = 0; i < PREVALENCE_BINS; i++) {
		if (i < bin)
			below += a->h[i];
		all += a->h[i];
	}
	return (below + a->h[bin] / 2) / all;
}

double novelty_rate_class(double sum_new, double sum_days)
{
	return (sum_new + 5) / (sum_days + 250);
}

double novelty_rate(double own_new, double own_days, double class_rate)
{
	return (own_new + 2) / (own_days + 2 / class_rate);
}

double novelty_ln_p(double rate, double share)
{
	double p = rate * share;
	return p < 1 ? log(p) : 0;
}

double novelty_volume_ln_p(double mu_new, double v_new, double x)
{
	double sd = sqrt(v_new);
	if (x < 1)
		return 0;
	double l = student_ln_tail((log(x + 0.5) - mu_new) / sd, NU_NEW) - student_ln_tail((log(1.5) - mu_new) / sd, NU_NEW);
	return l < 0 ? l : 0;
}

double novelty_edge_ln_p(double ln_p_nov, double ln_p_volume)
{
	double l = ln_p_nov + ln_p_volume;
	return l + log1p(-l);
}
