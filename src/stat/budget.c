/* SPDX-License-Identifier: Apache-2.0 */
/* budget: adaptive conformal control (Gibbs and Candes 2021) in the logarithm, and a token bucket. */
#include "stat/budget.h"

#include <math.h>

#define GAIN 0.05

void budget_begin(struct budget *b, double alpha)
{
	*b = (struct budget){ .alpha = alpha, .ln_effective = log(alpha), .tokens = BUDGET_START, .capacity = BUDGET_START };
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

bool budget_take(struct budget *b, double ln_p_day)
{
	double keep = ln_p_day < BUDGET_LN_RARE ? 0 : BUDGET_RESERVE * b->capacity;
	if (b->tokens - 1 < keep)
		return false;
	b->tokens -= 1;
	return true;
}

void budget_learn(struct budget *b, double mailboxes, double crossings)
{
	double low = log(b->alpha / 30), high = log(2 * b->alpha);
	b->ln_effective += budget_step(b->alpha, mailboxes, crossings);
	if (b->ln_effective < low)
		b->ln_effective = low;
	if (b->ln_effective > high)
		b->ln_effective = high;
}

double budget_scale(const struct budget *b)
{
	return exp(b->ln_effective) / b->alpha;
}
