/* SPDX-License-Identifier: Apache-2.0 */
/* volume: conjugate updates of a normal with unknown mean and variance, decayed by the day. */
#include "stat/volume.h"

#include <math.h>

#include "stat/student.h"

struct volume volume_begin(const struct volume_prior *p)
{
	return (struct volume){ .a = p->a, .b = p->b };
}

double volume_weight(int days)
{
	return days <= 0 ? 1 : pow(VOLUME_GAMMA, days);
}

void volume_decay(struct volume *v, const struct volume_prior *p, int days)
{
	double w = volume_weight(days);
	v->n *= w;
	v->m2 *= w;
	v->a = p->a + w * (v->a - p->a);
	v->b = p->b + w * (v->b - p->b);
}

void volume_learn(struct volume *v, double y, double weight)
{
	v->n += weight;
	double d = y - v->mean;
	v->mean += weight * d / v->n;
	v->m2 += weight * d * (y - v->mean);
	v->a += 1;
}

void volume_learn_silent(struct volume *v)
{
	v->b += 1;
}

struct volume_outlook volume_expect(const struct volume *v, const struct volume_prior *p, double widen, int hurdle)
{
	struct volume_outlook o;
	double kappa = p->kappa + v->n, d = v->mean - p->mu;
	o.mu = (p->kappa * p->mu + v->n * v->mean) / kappa;
	o.nu = p->nu + v->n;
	o.s2 = (p->nu * p->s2 + v->m2 + p->kappa * v->n / kappa * d * d) / o.nu * widen;
	o.sp = sqrt(o.s2 * (1 + 1 / kappa));
	o.ln_q = hurdle ? log(v->a / (v->a + v->b)) : 0;
	o.ln_floor = student_ln_tail((log(1.5) - o.mu) / o.sp, o.nu);
	return o;
}

double volume_ln_p(const struct volume_outlook *o, double x)
{
	if (x < 1)
		return 0;
	double l = student_ln_tail((log(x + 0.5) - o->mu) / o->sp, o->nu) - o->ln_floor;
	return o->ln_q + (l < 0 ? l : 0);
}

double volume_robust(const struct volume_outlook *o, double x, double ln_p, double *ret_weight)
{
	double y = log1p(x), most = o->mu + VOLUME_ROBUST_SP * o->sp;
	*ret_weight = 1;
	if (ln_p >= log(VOLUME_ROBUST_P))
		return y;
	*ret_weight = VOLUME_ROBUST_WEIGHT;
	return y < most ? y : most;
}

double volume_quantile(const struct volume_outlook *o, double p)
{
	double low = -60, high = 60, ln = log(p);
	for (int i = 0; i < 60; i++) {
		double t = (low + high) / 2;
		if (student_ln_tail(t, o->nu) > ln)
			low = t;
		else
			high = t;
	}
	double x = expm1(o->mu + low * o->sp);
	return x < 0 ? 0 : x;
}
