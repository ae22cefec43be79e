/* SPDX-License-Identifier: Apache-2.0 */
/* novelty: a client, a network or a person new to a mailbox.  How surprising is that?
 *
 * Two things are learnt: how often this mailbox sees new ones at all (rho), and how widespread a thing usually is when a
 * mailbox first sees it (prevalence at adoption).  A roll-out reaches mailbox after mailbox and teaches both, so it stops
 * being a surprise by itself; an attacker's client has no other users. */
#ifndef TXM_STAT_NOVELTY_H
#define TXM_STAT_NOVELTY_H

#include <stdint.h>

#define PREVALENCE_BINS 40
#define PREVALENCE_START 0.05        /* of each bin */
#define PREVALENCE_HALF_LIFE_DAYS 90

struct adoption {
	double h[PREVALENCE_BINS];   /* adoptions, by the number of other mailboxes that had it already */
	double sum_new, sum_days;    /* of all mailboxes, decayed: the class rate */
	double mu_new, v_new;        /* ln(1 + items) on the first day of an edge */
};

void adoption_begin(struct adoption *a);
void adoption_decay_day(struct adoption *a);
/* 0 = no other mailbox; else by the logarithm of k in that of m, the active mailboxes */
unsigned prevalence_bin(uint32_t k, uint32_t m);
void adoption_learn(struct adoption *a, uint32_t k, uint32_t m);
double adoption_share(const struct adoption *a, uint32_t k, uint32_t m); /* F: adopted as rarely as this, or more */
double novelty_rate_class(double sum_new, double sum_days);
double novelty_rate(double own_new, double own_days, double class_rate);
double novelty_ln_p(double rate, double share);
/* ln P(so many items | first day of an edge) */
double novelty_volume_ln_p(double mu_new, double v_new, double x);
double novelty_edge_ln_p(double ln_p_nov, double ln_p_volume); /* both together: Fisher of two */

#endif
