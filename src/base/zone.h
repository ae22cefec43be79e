/* SPDX-License-Identifier: Apache-2.0 */
/* zone: what a clock showed somewhere, as UTC.
 *
 * A zone is named by a user (--timezone) or by the header of a column, which is untrusted.  The rules of places
 * (Europe/Berlin) come from the system's zoneinfo, read by ourselves: no setenv(TZ), no global state, any thread. */
#ifndef TXM_BASE_ZONE_H
#define TXM_BASE_ZONE_H

#include "base/str.h"

#define ZONE_TEXT_MAX 48 /* the longest name of a place has 32 */

struct zone;

/* "UTC", "GMT", "+01:00", "UTC+1", "(UTC-05:30)", "Europe/Berlin", "CEST", "MEZ".  NULL: no zone that is known ("Local Time"), or out
 * of memory. */
struct zone *zone_new(struct str name);
/* The same from the bytes of a zoneinfo file, for tests. */
struct zone *zone_from_tzif(const void *p, size_t n);
void zone_free(struct zone *z);
/* The moment at which a clock there showed `local`.  *ret_sure false: it showed that twice (clocks were set back: the earlier
 * moment) or never (they were set forward: as if they had not been yet); or the name of the zone and the time of year do not
 * agree ("CET" in July: as named). */
int64_t zone_utc(const struct zone *z, int64_t local_us, bool *ret_sure);

#endif
