/* SPDX-License-Identifier: Apache-2.0 */
/* budget: adaptive conformal control (Gibbs and Candes 2021) in the logarithm, and a token bucket. */
#include "stat/budget.h"

#include <math.h>

#define GAIN 0.05

void budget_begin(struct budget *b, double alpha)
{
	*b = (struct budget){ .alpha = alpha, .tokens = BUDGET_START, .capacity = BUDGET_START };
}

double budget_step(double alpha, double mailboxes, double crossings)
{
	double expected = alpha * mailboxes;
	return GAIN * (expected - crossings) / (expected > 1 ? expected : 1);
}

void budget_refill(struct budget *b, double mailboxes)
{
	double refill = b->alpha * mailboxes;
	b->capacity = BUDGET_DAYS * refill > BUDGET_START ? BUDGET_DAYS * refill : BUDGET_START;
	b->tokens += refill;
	if (b->tokens > b->capacity)
		b->tokens = b->capacity;
}

bool budget_take(struct budget *b, double ln_p)
{
	double keep = ln_p < BUDGET_LN_RARE ? 0 : BUDGET_RESERVE * b->capacity;
	double cost = exp((ln_p - log(b->alpha)) / 2);
	cost = cost > 1 ? 1 : cost < 0.1 ? 0.1 : cost;
	if (b->tokens - cost < keep)
		return false;
	b->tokens -= cost;
	return true;
}

double budget_steer(double ln_effective, double alpha, double step)
{
	double low = log(alpha / 30), high = log(alpha), l = ln_effective + step;
	return l < low ? low : l > high ? high : l;
}
