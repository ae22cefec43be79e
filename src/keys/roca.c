/* SPDX-License-Identifier: Apache-2.0 */
/* roca: for each of seventeen primes r the set of powers of 65537 mod r is a bit mask; N is suspect when N mod r is in
 * each.  The masks are computed at every call: a key is tested once. */
#include "keys/roca.h"

static const unsigned primes[] = { 11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157 };

static bool is_power(unsigned value, unsigned r)
{
	unsigned power = 1;

	do {
		if (power == value)
			return true;
		power = (unsigned)((uint64_t)power * 65537 % r);
	} while (power != 1);
	return false;
}

bool roca_suspect(struct str n)
{
	for (size_t i = 0; i < sizeof(primes) / sizeof(primes[0]); i++) {
		unsigned rest = 0;
		for (size_t k = 0; k < n.n; k++)
			rest = (rest << 8 | (uint8_t)n.p[k]) % primes[i];
		if (!is_power(rest, primes[i]))
			return false;
	}
	return n.n > 0;
}
