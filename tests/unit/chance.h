/* SPDX-License-Identifier: Apache-2.0 */
/* chance: pseudo-random numbers, the same in each run (xorshift64*, Vigna 2016).  For tests that fill memory; no test result may
 * depend on the numbers. */
#ifndef TXM_TESTS_CHANCE_H
#define TXM_TESTS_CHANCE_H

#include <stdint.h>

static uint64_t chance_state = 88172645463325252u;

static inline uint64_t chance(void)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return chance_state * UINT64_C(0x2545f4914f6cdd1d);
}

#endif
