/* SPDX-License-Identifier: Apache-2.0 */
/* published: a lookup in a sorted table that the build makes from data/published-keys.csv (tools/make-published-keys). */
#include "keys/published.h"

#include <string.h>

static const struct {
	uint8_t spki[32];
	const char *where;
} rows[] = {
#include "published_keys.inc"
};

const char *published_key(const uint8_t spki_sha256[32])
{
	size_t from = 0, to = sizeof(rows) / sizeof(rows[0]);

	while (from < to) {
		const size_t middle = from + (to - from) / 2;
		const int c = memcmp(rows[middle].spki, spki_sha256, 32);

		if (c == 0)
			return rows[middle].where;
		if (c < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}
