/* SPDX-License-Identifier: Apache-2.0 */
/* test_stat: the statistics against numbers worked out elsewhere in higher precision, and against the promises that they
 * make: an honest p is uniform, a calibrated score keeps its rate on streams that no model fits, the budget is kept. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "stat/budget.h"
#include "stat/calibrate.h"
#include "stat/combine.h"
#include "stat/gpd.h"
#include "stat/novelty.h"
#include "stat/student.h"
#include "stat/volume.h"

/* equal to the digits that the reference was printed with: nine, or all that it has */
static int near(double got, double want)
{
	return fabs(got - want) <= 2e-9 * fabs(want) + 1e-13;
}
#define CHECK_NEAR(got, want)                                                            \
	do {                                                                             \
		double near_got = (got), near_want = (want);                             \
		CHECK_MSG(near(near_got, near_want), "got %.13g, want %.13g", near_got, near_want); \
	} while (0)

/* -- chance, for tests only: splitmix64 -- */

static uint64_t seed;

static uint64_t next(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static double uniform(void) { return ((double)(next() >> 11) + 0.5) / 9007199254740992.0; }
static double normal(void) { return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform()); }

static double gamma_draw(double shape) /* shape >= 1: squeeze by a normal */
{
	double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
	for (;;) {
		double x = normal(), v = 1 + c * x;
		if (v <= 0)
			continue;
		v = v * v * v;
		if (log(uniform()) < x * x / 2 + d - d * v + d * log(v))
			return d * v;
	}
}

static double poisson(double mean)
{
	if (mean > 50) {
		double x = floor(mean + sqrt(mean) * normal() + 0.5);
		return x < 0 ? 0 : x;
	}
	double l = exp(-mean), p = uniform(), n = 0;
	while (p > l) {
		p *= uniform();
		n++;
	}
	return n;
}

/* -- Student -- */

static void test_student(void)
{
	static const double nu[3] = { 4.3, 20, 43.7 };
	static const struct { double t, ln[3]; } want[] = {
		{ 0.5, { -1.13695551272, -1.16710768025, -1.17185477225 } },
		{ 2, { -2.88968234488, -3.51887451227, -3.65468041199 } },
		{ 5, { -5.77839652737, -10.2784677952, -12.2281219883 } },
		{ 10, { -8.54719584887, -20.2646449464, -28.6512044322 } },
		{ 50, { -15.3946762098, -50.7884978011, -91.6040381315 } },
	};
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		for (int k = 0; k < 3; k++)
			CHECK_NEAR(student_ln_tail(want[i].t, nu[k]), want[i].ln[k]);
	CHECK_NEAR(student_ln_tail(0, 20), -0.693147180560);
	CHECK_NEAR(student_ln_tail(1e-6, 20), -0.693147968537);
	CHECK_NEAR(student_ln_tail(1000, 43.7), -222.148116501);
	CHECK_NEAR(student_ln_tail(-2, 20), -0.0300806891558);
	unsigned wrong = 0;
	for (double v = 4; v <= 60; v += 0.7) {
		double before = 1;
		for (int i = -300; i <= 300; i++) {
			double t = (i < 0 ? -1 : 1) * (pow(10, abs(i) / 50.0) - 1), l = student_ln_tail(t, v);
			wrong += !(l <= 0) || !isfinite(l) || l > before;
			before = l;
		}
	}
	CHECK_MSG(wrong == 0, "%u values are not a falling logarithm of a probability", wrong);
}

/* -- W1: volume -- */

static const struct volume_prior w1_prior = { .mu = 3.5, .s2 = 0.8, .kappa = 1, .nu = 4, .a = 1, .b = 1 };

static struct volume w1_learnt(int days)
{
	static const int x[] = { 61, 48, 0, 75, 120, 52, 0, 66, 90, 58, 44, 83 };
	struct volume v = volume_begin(&w1_prior);
	for (int i = 0; i < days; i++) {
		if (i)
			volume_decay(&v, &w1_prior, 1);
		if (x[i])
			volume_learn(&v, log1p(x[i]), 1);
		else
			volume_learn_silent(&v);
	}
	return v;
}

static void check_volume(struct volume v, double n, double mean, double m2, double a, double b)
{
	CHECK_NEAR(v.n, n);
	CHECK_NEAR(v.mean, mean);
	CHECK_NEAR(v.m2, m2);
	CHECK_NEAR(v.a, a);
	CHECK_NEAR(v.b, b);
}

static void test_volume(void)
{
	static const struct { double x, t, ln; } want[] = {
		{ 1, -6.0490279781, -0.242789147309 }, { 61, -0.0367460783, -0.907577880373 },
		{ 100, 0.7583792503, -1.70794920614 }, { 300, 2.5316563762, -4.60825794864 },
		{ 1204, 4.7794340159, -8.80026086597 }, { 5000, 7.0840407368, -12.5119349507 },
		{ 60000, 11.1069620398, -17.465633882 },
	};
	CHECK_NEAR(VOLUME_GAMMA, 0.9771599684342459);
	check_volume(w1_learnt(1), 1, 4.12713438505, 0, 2, 1);
	check_volume(w1_learnt(3), 1.93200157234, 4.00811817458, 0.0267414762355, 2.93200157234, 2);
	check_volume(w1_learnt(12), 8.89848557973, 4.21553678226, 0.748411079872, 9.89848557973, 2.7031511145);
	struct volume v = w1_learnt(12);
	volume_decay(&v, &w1_prior, 1);
	check_volume(v, 8.6952438882, 4.21553678226, 0.731317347184, 9.6952438882, 2.66425108928);
	struct volume_outlook o = volume_expect(&v, &w1_prior, 1, 1);
	CHECK_NEAR(o.mu, 4.1417339166);
	CHECK_NEAR(o.nu, 12.6952438882);
	CHECK_NEAR(o.s2, 0.345838300358);
	CHECK_NEAR(o.sp, 0.617664329212);
	CHECK_NEAR(exp(o.ln_q), 0.784436896966);
	CHECK_NEAR(o.ln_floor, -2.270795675e-5);
	CHECK(volume_ln_p(&o, 0) == 0);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		CHECK_MSG(fabs((log(want[i].x + 0.5) - o.mu) / o.sp - want[i].t) < 1e-9, "t of %g", want[i].x);
		CHECK_NEAR(volume_ln_p(&o, want[i].x), want[i].ln);
	}
	for (int i = 0; i < 2; i++) {
		double x = i ? 60000 : 5000, weight, y = volume_robust(&o, x, volume_ln_p(&o, x), &weight);
		struct volume r = v;
		CHECK_NEAR(y, 6.61239123344);
		CHECK_NEAR(weight, 0.2);
		volume_learn(&r, y, weight);
		CHECK_NEAR(r.n, 8.8952438882);
		CHECK_NEAR(r.mean, 4.26942747894);
		CHECK_NEAR(r.m2, 1.85446596797);
	}
	double q = volume_quantile(&o, 0.05);
	CHECK(fabs(student_ln_tail((log1p(q) - o.mu) / o.sp, o.nu) - log(0.05)) < 1e-6);
}

/* On data of its own model p is uniform. */
static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void test_uniform(void)
{
	enum { N = 100000 };
	double *u = malloc(N * sizeof *u), d = 0;
	seed = 1;
	for (int i = 0; i < N; i++) {
		/* a mean and a width from the prior, then five days, then the day that is judged */
		struct volume_prior prior = { .mu = 3, .s2 = 0.5, .kappa = 1, .nu = 4, .a = 1, .b = 1 };
		struct volume v = volume_begin(&prior);
		double s2 = prior.s2 * prior.nu / (2 * gamma_draw(prior.nu / 2));
		double mu = prior.mu + sqrt(s2 / prior.kappa) * normal();
		for (int k = 0; k < 5; k++)
			volume_learn(&v, mu + sqrt(s2) * normal(), 1);
		struct volume_outlook o = volume_expect(&v, &prior, 1, 0);
		u[i] = exp(student_ln_tail((mu + sqrt(s2) * normal() - o.mu) / o.sp, o.nu));
	}
	qsort(u, N, sizeof *u, ascending);
	for (int i = 0; i < N; i++) {
		d = fmax(d, fabs(u[i] - (double)i / N));
		d = fmax(d, fabs(u[i] - (double)(i + 1) / N));
	}
	CHECK_MSG(d < 0.0062, "Kolmogorov-Smirnov distance %.4f", d);
	free(u);
}

/* -- W2: novelty -- */

static void test_novelty(void)
{
	static const struct { uint32_t k; unsigned bin; } bins[] = {
		{ 0, 0 }, { 1, 1 }, { 2, 4 }, { 3, 6 }, { 12, 12 }, { 100, 22 }, { 1000, 32 }, { 2000, 35 }, { 4999, 39 },
	};
	static const struct { uint32_t k; double f, p; } want[] = {
		{ 0, 0.00730676328502, 3.30642472507e-5 }, { 1, 0.0195048309179, 8.82624120824e-5 },
		{ 12, 0.0667270531401, 3.01950357124e-4 }, { 2000, 0.854528985507, 3.86687737888e-3 },
	};
	struct adoption a;
	adoption_begin(&a);
	for (size_t i = 0; i < sizeof bins / sizeof *bins; i++)
		CHECK_MSG(prevalence_bin(bins[i].k, 5000) == bins[i].bin, "bin of %u is %u", bins[i].k, prevalence_bin(bins[i].k, 5000));
	CHECK(prevalence_bin(7, 0) == 1 && prevalence_bin(7, 1) == 1 && prevalence_bin(UINT32_MAX, 2) == 39);
	a.h[0] += 6, a.h[1] += 4, a.h[4] += 7, a.h[12] += 20, a.h[22] += 75, a.h[32] += 180, a.h[35] += 120;
	double class_rate = novelty_rate_class(2400, 600000), rate = novelty_rate(0.4, 31.2, class_rate);
	CHECK_NEAR(class_rate, 0.00400666389005);
	CHECK_NEAR(rate, 0.00452515648324);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		double f = adoption_share(&a, want[i].k, 5000);
		CHECK_NEAR(f, want[i].f);
		CHECK_NEAR(exp(novelty_ln_p(rate, f)), want[i].p);
	}
	CHECK(novelty_volume_ln_p(1.9, 1.44, 1) == 0);
	CHECK_NEAR(exp(novelty_volume_ln_p(1.9, 1.44, 7)), 0.5324798463);
	CHECK_NEAR(exp(novelty_volume_ln_p(1.9, 1.44, 30)), 0.1452696652);
	CHECK_NEAR(novelty_volume_ln_p(1.9, 1.44, 1204), -5.86493447934);
	CHECK_NEAR(exp(novelty_edge_ln_p(log(3.30642472507e-5), log(0.002837208935))), 1.611845769e-6);
	CHECK_NEAR(exp(novelty_volume_ln_p(2.6, 1.21, 1204)), 0.003389442418);
	CHECK_NEAR(exp(novelty_edge_ln_p(log(0.004), novelty_volume_ln_p(2.6, 1.21, 1204))), 1.655207193e-4);
	adoption_decay_day(&a);
	CHECK_NEAR(a.h[0] - PREVALENCE_START, 6 * exp2(-1.0 / 90));
}

/* -- W3: the tail -- */

static void test_gpd(void)
{
	static const double a[] = { 0.02, 0.05, 0.08, 0.11, 0.15, 0.19, 0.23, 0.28, 0.33, 0.39,
				    0.46, 0.53, 0.62, 0.72, 0.84, 0.99, 1.18, 1.45, 1.90, 3.10 };
	static const double xi[] = { -0.1, 0, 0.2, 0.5 };
	double x[1000];
	struct gpd g = gpd_fit_double(a, 20);
	CHECK_NEAR(g.xi_raw, 0.259019873463);
	CHECK_NEAR(g.sigma, 0.526254462546);
	CHECK_NEAR(g.xi, 0.206013248975);
	for (int i = 0; i < 1000; i++)
		x[i] = 2.5 * (pow(1 - (i + 0.5) / 1000, -0.2) - 1);
	g = gpd_fit_double(x, 1000);
	CHECK_NEAR(g.xi_raw, 0.201371653258);
	CHECK_NEAR(g.sigma, 0.499108338799);
	CHECK_NEAR(g.xi, 0.200367973523);
	for (int i = 0; i < 1000; i++)
		x[i] = -0.4343 * log(1 - (i + 0.5) / 1000);
	g = gpd_fit_double(x, 1000);
	CHECK_MSG(fabs(g.xi_raw - 0.00195982775144) < 1e-10, "got %.13g", g.xi_raw);
	CHECK_NEAR(g.sigma, 0.433302361021);
	CHECK_NEAR(g.xi, 0.00293052252618);
	for (size_t k = 0; k < sizeof xi / sizeof *xi; k++) {
		for (int i = 0; i < 1000; i++) {
			double p = 1 - (i + 0.5) / 1000;
			x[i] = xi[k] == 0 ? -log(p) : (pow(p, -xi[k]) - 1) / xi[k];
		}
		g = gpd_fit_double(x, 1000);
		CHECK_MSG(fabs(g.xi_raw - xi[k]) < 0.02 && fabs(g.sigma - 1) < 0.03, "xi %g: %g, sigma %g", xi[k], g.xi_raw, g.sigma);
	}
	for (int i = 0; i < 1000; i++)
		x[i] = 1;
	g = gpd_fit_double(x, 1000);
	CHECK(isfinite(g.xi) && isfinite(g.sigma));
	g = gpd_fit_double(x, 3);
	CHECK(g.xi == 0 && fabs(g.sigma - 0.4343) < 1e-4);
}

/* -- W4: stage 1 -- */

static struct cal_fit fit_of(double u, double p_u, double xi, double sigma)
{
	return (struct cal_fit){ .n = 1000000, .u = u, .p_u = p_u, .tail = { .xi = xi, .sigma = sigma } };
}

static void test_stage_1(void)
{
	struct cal_fit volume = fit_of(2.30, 0.01, 0.12, 0.52), client = fit_of(3.10, 0.0006, 0.05, 0.60);
	struct cal_fit net = fit_of(2.40, 0.0030, 0.10, 0.45), body = fit_of(5, 0.001, 0, 1);
	CHECK_NEAR(exp(cal_ln_p(&volume, 3.821904733)), 8.14040788798e-4);
	CHECK_NEAR(exp(cal_ln_p(&client, 5.792676517)), 1.04654481762e-5);
	CHECK_NEAR(exp(cal_ln_p(&net, 3.781147635)), 2.0636002687e-4);
	body.n = 1000;
	body.above[40] = 37;
	CHECK_NEAR(exp(cal_ln_p(&body, 2.01)), 0.037962037962);
	CHECK_NEAR(exp(cal_mix(3000, log(0.002), log(0.01))), 0.00546872705704);
	CHECK(cal_ln_p(&volume, 1e9) == CAL_LN_P_MIN || cal_ln_p(&volume, 1e9) > -700);
	CHECK(cal_ln_p(&volume, 0) == 0);
}

/* -- W5: Fisher and stage 2 -- */

static void test_stage_2(void)
{
	double z = -(log(0.01) + log(0.001) + log(0.05) + log(0.4));
	CHECK_NEAR(z, 15.4249484704);
	CHECK_NEAR(fisher_score(z, 4), 3.82561259214);
	CHECK(fisher_score(0, 4) == 0);
	CHECK_NEAR(fisher_score(-log(0.5), 4), 0.00242189633716);
	z = -(log(8.14040788798e-4) + log(1.04654481762e-5) + log(2.0636002687e-4));
	CHECK_NEAR(z, 27.0668196723);
	CHECK_NEAR(fisher_score(z, 4), 8.18685213248);
	z -= log(0.2) + log(0.5) + log(0.6);
	CHECK_NEAR(z, 29.880230389);
	CHECK_NEAR(fisher_score(z, 10), 5.11037017452);
	struct cal_fit f = fit_of(2.35, 0.0053, 0.10, 0.64);
	CHECK_NEAR(exp(cal_ln_p(&f, 3.8256125921)), 6.65628889e-4);
	CHECK_NEAR(exp(cal_ln_p(&f, 5.0)), 1.65802020016e-4);
	CHECK_NEAR(exp(cal_ln_p(&f, 7.5)), 1.44629127801e-5);
	CHECK_NEAR(exp(cal_ln_p(&f, 8.18685213248)), 8.11668119e-6);
	CHECK_NEAR(cal_score_at(&f, 1e-4), 5.4693558312);
	CHECK_NEAR(cal_score_at(&f, 2e-5), 7.1316156853);
}

/* -- W6: Shiryaev-Roberts -- */

static void test_sr(void)
{
	static const struct { double p, e, r; } want[] = {
		{ 1, 0.3, 0.428571428571 }, { 0.2, 0.92555079408, 1.32221542011 }, { 0.01, 7.53565929453, 17.4994242145 },
		{ 0.003, 17.5039625879, 323.813229349 }, { 5e-4, 61.3539109538, 19928.5619501 }, { 0.02, 4.63874242066, 92448.1044431 },
		{ 1, 0.3, 27734.7313 }, { 1, 0.3, 8320.7194 }, { 1, 0.3, 2496.51582 },
	};
	/* a daily p that reaches c from rest in n days */
	static const struct { double c; int days; double p; } table[] = {
		{ 1e4, 1, 5.8e-7 }, { 1e4, 3, 2.7e-3 }, { 1e4, 30, 0.125 }, { 2e4, 1, 2.1e-7 }, { 2e4, 2, 2.0e-4 },
		{ 2e4, 5, 1.21e-2 }, { 2e4, 7, 2.7e-2 }, { 2e4, 14, 7.2e-2 }, { 5e4, 3, 1.2e-3 }, { 5e4, 10, 4.2e-2 },
	};
	double r = SR_REST, p = 8.11668119e-6;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		CHECK_NEAR(sr_evidence(log(want[i].p)), want[i].e);
		r = sr_step(r, log(want[i].p));
		CHECK_NEAR(r, want[i].r);
	}
	CHECK_NEAR(sr_evidence(log(p)), 1097.88363913);
	CHECK_NEAR(sr_step(SR_REST, log(p)), 1568.40519875);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (int k = 0; k < 2; k++) {
			r = SR_REST;
			for (int d = 0; d < table[i].days; d++)
				r = sr_step(r, log(table[i].p * (k ? 1.05 : 0.95)));
			CHECK_MSG((r >= table[i].c) == !k, "c %g in %d days at p %g", table[i].c, table[i].days, table[i].p);
		}
	/* under honest p: mean evidence 1, alarms 0.30/c a day */
	enum { N = 3000000 };
	double sum = 0;
	unsigned alarms = 0;
	seed = 2;
	r = SR_REST;
	for (int i = 0; i < N; i++) {
		double e = log(uniform());
		sum += fmin(sr_evidence(e), 1e3);
		r = sr_step(r, e);
		if (r >= 1000) {
			alarms++;
			r = 0;
		}
	}
	CHECK_MSG(sum / N <= 1.02, "mean evidence %.3f", sum / N);
	CHECK_MSG(fabs((double)alarms * 1000 / N - 0.30) < 0.035, "alarms x c = %.3f", (double)alarms * 1000 / N);
}

/* -- W7: throttling, controller, bucket -- */

static void test_budget(void)
{
	double rate = throttle_rate(12, 150000);
	CHECK_NEAR(rate, 8.60927152318e-5);
	CHECK_NEAR(throttle_p(0, 60, rate), 6.62251655629e-5);
	CHECK_NEAR(budget_step(1e-4, 5000, 3), -0.125);
	CHECK_NEAR(budget_step(1e-4, 5000, 0), 0.025);
	CHECK_NEAR(budget_step(1e-4, 300, 1), -0.0485);
	CHECK_NEAR(budget_step(1e-4, 100000, 25), -0.075);

	/* whatever comes, what is taken in any days is at most the capacity and the refill: of alerts that just cross; of alerts
	 * as rare as one likes, ten times as many */
	static const struct { double ln_p, times; } kinds[] = { { -9, 1 }, { -9.21, 1 }, { -11.5, 3.2 }, { -40, 10 } };
	enum { DAYS = 400 };
	double m = 5000;
	for (unsigned k = 0; k < 4; k++) {
		struct budget b;
		unsigned taken[DAYS];
		budget_begin(&b, 1e-4);
		seed = 3;
		for (int d = 0; d < DAYS; d++) {
			unsigned crossings = d % 50 == 0 ? 1000 : (unsigned)(next() % 4);
			budget_refill(&b, m);
			taken[d] = 0;
			for (unsigned i = 0; i < crossings; i++)
				taken[d] += budget_take(&b, kinds[k].ln_p);
		}
		for (int from = 0; from < DAYS; from++) {
			unsigned sum = 0, worst = 0;
			for (int to = from; to < DAYS; to++) {
				sum += taken[to];
				worst += (double)sum > kinds[k].times * (b.capacity + b.alpha * m * (to - from + 1)) + 1e-9;
			}
			if (worst)
				CHECK_MSG(0, "%g: from day %d more was taken than promised", kinds[k].ln_p, from);
		}
		CHECK(taken[0] >= 4);
	}
	double l = log(1e-4);
	for (int d = 0; d < 500; d++) {
		l = budget_steer(l, 1e-4, budget_step(1e-4, m, d < 250 ? 50 : 0));
		CHECK_MSG(l <= log(1e-4) + 1e-9 && l >= log(1e-4 / 30) - 1e-9, "%g", exp(l));
	}
	CHECK_NEAR(exp(l), 1e-4);
}

/* -- what calibration promises, on streams that no model of ours made -- */

enum stream { LOGNORMAL, NEGATIVE_BINOMIAL, CONTAMINATED, ZERO_INFLATED, STREAMS };

static double draw(enum stream kind, double level)
{
	switch (kind) {
	case LOGNORMAL: return floor(exp(level + 0.6 * normal()));
	case NEGATIVE_BINOMIAL: return poisson(exp(level) * gamma_draw(1.5) / 1.5);
	case CONTAMINATED: return floor(exp(level + 0.5 * normal()) * (uniform() < 0.002 ? 1 + 4 * pow(uniform(), -1 / 1.3) : 1));
	default: return uniform() < 0.6 ? 0 : floor(exp(level + 0.8 * normal()));
	}
}

static void test_calibration(void)
{
	enum { MAILBOXES = 1500, DAYS = 150, LEARN = 60 };
	static struct volume v[MAILBOXES];
	static double level[MAILBOXES];
	static const struct volume_prior prior = { .mu = 3, .s2 = 0.6, .kappa = 1, .nu = 4, .a = 1, .b = 1 };
	struct calibration *c = malloc(sizeof *c);
	for (int kind = 0; kind < STREAMS; kind++) {
		unsigned n = 0, below[3] = { 0 };
		*c = (struct calibration){ 0 };
		seed = 10 + (unsigned)kind;
		for (int m = 0; m < MAILBOXES; m++) {
			v[m] = volume_begin(&prior);
			level[m] = 3.5 + normal();
		}
		for (int d = 0; d < DAYS; d++) {
			for (int m = 0; m < MAILBOXES; m++) {
				double x = draw((enum stream)kind, level[m]), weight;
				volume_decay(&v[m], &prior, 1);
				struct volume_outlook o = volume_expect(&v[m], &prior, 1, 1);
				double ln_p = volume_ln_p(&o, x), s = -ln_p / log(10);
				if (d >= LEARN) {
					double l = cal_ln_p(&c->fit, s);
					n++;
					for (int k = 0; k < 3; k++)
						below[k] += l < -log(10) * (k + 2);
				}
				cal_add(c, s);
				if (x > 0) {
					double y = volume_robust(&o, x, ln_p, &weight);
					volume_learn(&v[m], y, weight);
				} else {
					volume_learn_silent(&v[m]);
				}
			}
			cal_close(c);
		}
		for (int k = 0; k < 3; k++) {
			double nominal = n * pow(10, -(k + 2));
			/* 1.3, and three standard errors of the count itself */
			CHECK_MSG(below[k] <= 1.3 * nominal + 3 * sqrt(nominal), "stream %d at 1e-%d: %u, nominal %.0f", kind, k + 2, below[k], nominal);
		}
		double before = 1;
		unsigned rises = 0;
		for (int i = 0; i < 4000; i++) {
			double l = cal_ln_p(&c->fit, i / 400.0);
			rises += l > before + 1e-12;
			before = l;
		}
		CHECK_MSG(rises == 0, "stream %d: p' rises with s %u times", kind, rises);
		double at = cal_score_at(&c->fit, 1e-4);
		CHECK(fabs(cal_ln_p(&c->fit, at) - log(1e-4)) < 1e-9);
		CHECK(cal_ln_p(&c->fit, 0) == 0);
	}
	/* a class larger than 65,535 silent mailboxes */
	*c = (struct calibration){ 0 };
	cal_add_silent(c, 100000);
	cal_add(c, 3);
	cal_close(c);
	CHECK(c->fit.n == 100001 && c->fit.above[1] == 1);
	CHECK_NEAR(exp(cal_ln_p(&c->fit, 3)), 2.0 / 100002);
	/* a slice forgets after 30 days, exactly */
	for (int i = 0; i < CAL_SLICES; i++)
		cal_close(c);
	CHECK(c->fit.n == 0);
	free(c);
}

int main(void)
{
	test_student();
	test_volume();
	test_uniform();
	test_novelty();
	test_gpd();
	test_stage_1();
	test_stage_2();
	test_sr();
	test_budget();
	test_calibration();
	return check_summary();
}
