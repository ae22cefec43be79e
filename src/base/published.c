/* SPDX-License-Identifier: Apache-2.0 */
/* published: a lookup in a sorted table that the build makes from data/published-keys.csv (tools/make-published-table). */
#include "base/published.h"

#include <stddef.h>
#include <string.h>

static const struct row {
	uint8_t spki[32];
	int32_t until;
	const char *source;
} rows[] = {
#include "published_table.inc"
};

const char *published_source(const uint8_t spki_sha256[32], int64_t today)
{
	size_t low = 0, high = sizeof rows / sizeof rows[0];

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = memcmp(rows[middle].spki, spki_sha256, 32);

		if (c == 0)
			return today <= rows[middle].until ? rows[middle].source : NULL;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
