/* SPDX-License-Identifier: Apache-2.0 */
/* draw: chance without a state.  A draw is a function of (seed, who, day, purpose) and of its number in that row, so
 * nothing depends on the order in which things are made, and one day of one mailbox can be made alone. */
#ifndef TXM_SIM_DRAW_H
#define TXM_SIM_DRAW_H

#include <math.h>

#include "base/hash.h"

struct draw {
	uint64_t key, n;
};

static inline struct draw draw_of(uint64_t seed, uint32_t who, uint32_t day, uint32_t purpose)
{
	return (struct draw) { hash_mix(hash_mix(seed, who), (uint64_t)day << 32 | purpose), 0 };
}

/* any 64 bits; the mixing is that of splitmix64 (Steele, Lea, Flood 2014), over a counter */
static inline uint64_t draw_bits(struct draw *d)
{
	uint64_t x = d->key + ++d->n * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* in (0, 1), never 0 and never 1 */
static inline double draw_unit(struct draw *d)
{
	return ((double)(draw_bits(d) >> 12) + 0.5) * 0x1p-52;
}

/* 0 .. n-1; n > 0 */
static inline uint32_t draw_below(struct draw *d, uint32_t n)
{
	return (uint32_t)((draw_bits(d) >> 32) * n >> 32);
}

static inline bool draw_chance(struct draw *d, double p)
{
	return draw_unit(d) < p;
}

double draw_normal(struct draw *d); /* mean 0, sd 1 */
uint32_t draw_poisson(struct draw *d, double mean);
double draw_exponential(struct draw *d);	   /* mean 1 */
double draw_pareto(struct draw *d, double shape);  /* >= 1; P(X > x) = x^-shape */
double draw_gamma(struct draw *d, double shape);   /* scale 1 */
uint32_t draw_geometric(struct draw *d, double p); /* failures before the first success: 0, 1, ... */

#endif
