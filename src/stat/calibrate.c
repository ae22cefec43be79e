/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate: 30 daily slices, each a histogram and its 64 largest scores, so that a day expires exactly and the order of
 * arrival within it does not matter. */
#include "stat/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LN_10 2.30258509299404568402

unsigned cal_bin(double s)
{
	double i = floor(20 * s + 1e-9);
	return i < 0 ? 0 : i > CAL_BINS - 1 ? CAL_BINS - 1 : (unsigned)i;
}

static void top_add(struct cal_slice *d, float s)
{
	uint32_t i;
	if (d->tops < CAL_TOP) {
		for (i = d->tops++; i && d->top[(i - 1) / 2] > s; i = (i - 1) / 2)
			d->top[i] = d->top[(i - 1) / 2];
		d->top[i] = s;
		return;
	}
	if (s <= d->top[0])
		return;
	for (i = 0;;) {
		uint32_t child = 2 * i + 1;
		if (child >= CAL_TOP)
			break;
		if (child + 1 < CAL_TOP && d->top[child + 1] < d->top[child])
			child++;
		if (d->top[child] >= s)
			break;
		d->top[i] = d->top[child];
		i = child;
	}
	d->top[i] = s;
}

void cal_add(struct calibration *c, double s)
{
	struct cal_slice *d = &c->slices[c->open];
	float f = (float)s;
	d->bins[cal_bin((double)f)]++;
	if (f > 0)
		top_add(d, f);
}

void cal_add_silent(struct calibration *c, uint32_t n)
{
	c->slices[c->open].bins[0] += n;
}

static int ascending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return x < y ? -1 : x > y;
}

/* smallest bin edge with at most `most` scores above it, but not below what every slice retains */
static double threshold(const struct cal_fit *f, double most, double retained)
{
	unsigned i = 0;
	while (i < CAL_BINS && (double)f->above[i] > most)
		i++;
	double e = i / 20.0;
	return e > retained ? e : retained;
}

static size_t excesses(const struct calibration *c, double u, float *x)
{
	size_t n = 0;
	for (unsigned k = 0; k < CAL_SLICES; k++)
		for (uint32_t i = 0; i < c->slices[k].tops; i++)
			if ((double)c->slices[k].top[i] > u)
				x[n++] = (float)((double)c->slices[k].top[i] - u);
	return n;
}

void cal_close(struct calibration *c)
{
	float x[CAL_SLICES * CAL_TOP];
	struct cal_fit *f = &c->fit;
	double retained = 0;
	size_t excess = 0, positive = 0;

	memset(f->above, 0, sizeof f->above);
	for (unsigned k = 0; k < CAL_SLICES; k++) {
		const struct cal_slice *d = &c->slices[k];
		for (unsigned i = 0; i < CAL_BINS; i++)
			f->above[i] += d->bins[i];
		if (d->tops == CAL_TOP && (double)d->top[0] > retained)
			retained = (double)d->top[0];
		positive += d->tops;
	}
	for (unsigned i = CAL_BINS; i-- > 0;)
		f->above[i] += f->above[i + 1];
	f->n = f->above[0];
	f->u = INFINITY;
	if (f->n) {
		double u = threshold(f, 0.01 * (double)f->n, retained);
		excess = excesses(c, u, x);
		if (excess < 30 || u <= 0) {
			u = INFINITY;
			if (f->above[1] > positive)
				positive = f->above[1];
			if (positive > 50) {
				u = threshold(f, 0.1 * (double)positive, retained);
				excess = excesses(c, u, x);
				if (excess == 0 || u <= 0)
					u = INFINITY;
			}
		}
		f->u = u;
	}
	if (isfinite(f->u)) {
		qsort(x, excess, sizeof *x, ascending);
		f->p_u = (double)excess / (double)f->n;
		f->tail = gpd_fit(x, excess);
	}
	c->open = (c->open + 1) % CAL_SLICES;
	memset(&c->slices[c->open], 0, sizeof c->slices[c->open]);
}

double cal_ln_p(const struct cal_fit *f, double s)
{
	if (s <= 0 || f->n == 0)
		return 0;
	double l;
	if (s > f->u)
		l = log(f->p_u) + gpd_ln_tail(&f->tail, s - f->u);
	else
		l = log((1.0 + (double)f->above[cal_bin(s)]) / ((double)f->n + 1));
	return l > CAL_LN_P_MIN ? l : CAL_LN_P_MIN;
}

double cal_score_at(const struct cal_fit *f, double alpha)
{
	if (f->n == 0 || !isfinite(f->u) || alpha > f->p_u)
		return INFINITY;
	return f->u + gpd_quantile(&f->tail, log(alpha / f->p_u));
}

double cal_mix(double n, double ln_p, double ln_p_behind)
{
	double w = n / (n + CAL_BACKOFF);
	return w * ln_p + (1 - w) * ln_p_behind;
}

double calibrate(const struct cal_fit *class_, const struct cal_fit *tenant, double slope, double s)
{
	if (s <= 0)
		return 0;
	double l = -s / slope * LN_10;
	if (l < CAL_LN_P_MIN)
		l = CAL_LN_P_MIN;
	l = cal_mix((double)tenant->n, cal_ln_p(tenant, s), l);
	return cal_mix((double)class_->n, cal_ln_p(class_, s), l);
}
