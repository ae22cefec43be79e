/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_zone: any bytes as the name of a zone, which the header of a column or --timezone gives, and as a zoneinfo file.  A zone that was
 * named moves a clock by less than two days; the same name gives the same; no moment of the years that a time can have does harm.
 *
 * The first byte is even for a name, odd for a file.  Seeds: names as exporters write them, and zoneinfo files. */
#include <stdlib.h>

#include "base/timefmt.h"
#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	const bool is_name = data[0] % 2 == 0;
	const struct str name = { (const char *)data + 1, size - 1 };
	struct zone *z = is_name ? zone_new(name) : zone_from_tzif(data + 1, size - 1), *again = is_name && z ? zone_new(name) : NULL;
	require(!is_name || !z == !again);
	for (int year = 1; z && year < 10000; year += year < 1960 || year > 2050 ? 397 : 1) {
		for (unsigned month = 1; month <= 12; month += 3) {
			int64_t local = days_from_civil(year, month, 28) * US_PER_DAY + INT64_C(9015000000); /* 02:30:15 */
			bool sure = false, same = true;
			int64_t utc = zone_utc(z, local, &sure);
			if (is_name) {
				require(utc > local - 2 * US_PER_DAY && utc < local + 2 * US_PER_DAY);
				require(zone_utc(again, local, &same) == utc && same == sure);
			}
		}
	}
	zone_free(z);
	zone_free(again);
	return 0;
}
