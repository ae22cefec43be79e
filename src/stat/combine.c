/* SPDX-License-Identifier: Apache-2.0 */
/* combine: closed forms, each one line of algebra. */
#include "stat/combine.h"

#include <math.h>

double fisher_score(double z, unsigned count)
{
	double sum = 0, term = 1;
	if (count == 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		sum += term;
		term *= z / (i + 1);
	}
	double s = (z - log(sum)) / log(10);
	return s > 0 ? s : 0;
}

double sr_evidence(double ln_p)
{
	return SR_KAPPA * exp((SR_KAPPA - 1) * ln_p);
}

double sr_step(double r, double ln_p)
{
	double next = (1 + r) * sr_evidence(ln_p);
	return next < SR_MOST ? next : SR_MOST;
}

double throttle_rate(double sum_throttled, double sum_days)
{
	return (sum_throttled + 1) / (sum_days + 1000);
}

double throttle_p(double own_throttled, double own_days, double rate)
{
	return (own_throttled + 200 * rate) / (own_days + 200);
}
