/* SPDX-License-Identifier: Apache-2.0 */
/* check: the whole test framework.  A check that fails prints one line with its place and the program goes on, so that
 * one run reports everything that is wrong.  The last line is always "N passed, N failed", and a program that ends with
 * check_summary() as its status is a test.
 *
 *     CHECK(table.n == 3);
 *     CHECK_MSG(ok, "input %s", text);          the message names the failing input
 *     CHECK_TEXT(addr_format(&a, out), "::1");  prints both when they differ
 *     return check_summary();
 */
#ifndef TXM_TESTS_CHECK_H
#define TXM_TESTS_CHECK_H

#include <stdio.h>
#include <string.h>

static unsigned long check_passed, check_failed;

#define CHECK_MSG(condition, ...)                                                    \
	do {                                                                         \
		if (condition) {                                                     \
			check_passed++;                                              \
		} else {                                                             \
			check_failed++;                                              \
			printf("%s:%d: not so: %s: ", __FILE__, __LINE__, #condition); \
			printf(__VA_ARGS__);                                         \
			printf("\n");                                                \
		}                                                                    \
	} while (0)

#define CHECK(condition) CHECK_MSG(condition, "%s", __func__)

/* two C strings, either may be NULL */
#define CHECK_TEXT(got, want)                                                                              \
	do {                                                                                               \
		const char *check_got = (got), *check_want = (want);                                       \
		CHECK_MSG(check_got && check_want ? strcmp(check_got, check_want) == 0 : check_got == check_want, \
		          "got \"%s\", want \"%s\"", check_got ? check_got : "(null)",                     \
		          check_want ? check_want : "(null)");                                             \
	} while (0)

static inline int check_summary(void)
{
	printf("%lu passed, %lu failed\n", check_passed, check_failed);
	return check_failed ? 1 : 0;
}

#endif
