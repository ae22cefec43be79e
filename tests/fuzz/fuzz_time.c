/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_time: any bytes as a time.  What parses is inside the years 1 to 9999 and comes back from its own text; the strict
 * reader accepts nothing that the lenient one does not, and reads it alike; a refusal leaves the result alone. */
#include <stdlib.h>

#include "base/timefmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = { (const char *)data, size };
	int64_t lenient = 7, strict = 7, back;
	char out[TIME_TEXT_SIZE];
	bool ok = time_parse(s, &lenient);

	if (ok) {
		require(lenient >= days_from_civil(1, 1, 1) * US_PER_DAY && lenient < days_from_civil(10000, 1, 1) * US_PER_DAY);
		time_format(lenient, out);
		require(time_parse(str_of(out), &back) && back == lenient);
		require(time_parse_rfc3339(str_of(out), &back) && back == lenient);
		time_format_minute(lenient, out);
		require(time_parse(str_of(out), &back) && back <= lenient && lenient - back < US_PER_MINUTE);
	} else {
		require(lenient == 7);
	}
	if (time_parse_rfc3339(s, &strict))
		require(ok && strict == lenient);
	else
		require(strict == 7);
	if (size >= sizeof(int64_t)) { /* any number at all can be written */
		memcpy(&lenient, data, sizeof(lenient));
		require(strlen(time_format(lenient, out)) < TIME_TEXT_SIZE);
		require(strlen(time_format_minute(lenient, out)) < TIME_TEXT_SIZE);
		require(strlen(time_format_span(lenient, out)) < TIME_TEXT_SIZE);
	}
	return 0;
}
