/* SPDX-License-Identifier: Apache-2.0 */
/* volume: how many items a day are normal here?
 *
 * A day is silent or active (a hurdle); on active days y = ln(1 + items) follows a Student t whose centre and width are
 * learnt, with a prior that comes from the mailboxes of the same class.  Older data lose half of their weight every 30 days.  Heavy
 * tails are the point: on real mail counts a Poisson or negative binomial tail is wrong by a factor of ten and more. */
#ifndef TXM_STAT_VOLUME_H
#define TXM_STAT_VOLUME_H

#define VOLUME_GAMMA 0.97715996843424581 /* 2^(-1/30): what is left after a day */
#define VOLUME_ROBUST_P 1e-4             /* days as rare as this are learnt with VOLUME_ROBUST_WEIGHT, clipped */
#define VOLUME_ROBUST_WEIGHT 0.2
#define VOLUME_ROBUST_SP 4.0             /* ... at this many predictive widths */

struct volume {
	double n, mean, m2; /* decayed count, mean and squared deviations of y on active days */
	double a, b;        /* decayed active and silent days, prior included */
};

struct volume_prior {
	double mu, s2;      /* of the class */
	double kappa, nu;   /* its weight: 1 and 4 */
	double a, b;        /* of the hurdle; 2q and 2(1 - q) */
};

struct volume_outlook { /* what is expected of the next day */
	double mu, sp, nu;
	double ln_q;        /* of being active */
	double ln_floor;    /* ln T((ln 1.5 - mu)/sp) */
	double s2;
};

struct volume volume_begin(const struct volume_prior *p);
double volume_weight(int days); /* VOLUME_GAMMA^days */
void volume_decay(struct volume *v, const struct volume_prior *p, int days);
void volume_learn(struct volume *v, double y, double weight);
void volume_learn_silent(struct volume *v);
/* hurdle = false: judged on active days only (an edge, an application) */
struct volume_outlook volume_expect(const struct volume *v, const struct volume_prior *p, double widen, int hurdle);
/* ln P(X >= x) */
double volume_ln_p(const struct volume_outlook *o, double x);
/* y and weight with which a day of x items may be learnt */
double volume_robust(const struct volume_outlook *o, double x, double ln_p, double *ret_weight);
/* the number of items that a share `p` of active days exceeds */
double volume_quantile(const struct volume_outlook *o, double p);

#endif
