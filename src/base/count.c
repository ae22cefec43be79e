/* SPDX-License-Identifier: Apache-2.0 */
/* count: digits in groups of three, and the plural of a noun. */
#include "base/count.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *count_digits(uint64_t n, char out[COUNT_SIZE])
{
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = 0;
	return out;
}

const char *count_of(uint64_t n, const char *noun, char out[COUNT_SIZE])
{
	size_t length = strlen(noun), at = strlen(count_digits(n, out));
	char last = length ? noun[length - 1] : 0, before = length > 1 ? noun[length - 2] : 0;
	const char *ending = "s";
	if (n == 1) {
		ending = "";
	} else if (last == 'x' || last == 's' || (last == 'h' && (before == 'c' || before == 's'))) {
		ending = "es";
	} else if (last == 'y' && !strchr("aeiou", before)) {
		ending = "ies";
		length--;
	}
	snprintf(out + at, COUNT_SIZE - at, " %.*s%s", (int)length, noun, ending);
	return out;
}
