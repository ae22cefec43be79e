/* SPDX-License-Identifier: Apache-2.0 */
/* indicators: known bad addresses (and client application ids), each with the days between which it meant something.
 * Built in: the published Storm-0558 addresses; more by --ioc FILE.csv (indicator,type,first_seen,last_seen,description). */
#ifndef TXM_DETECT_INDICATORS_H
#define TXM_DETECT_INDICATORS_H

#include "base/addr.h"
#include "base/buf.h"

struct indicator {
	char text[64];          /* as written */
	char description[96];
	char source[32];        /* "storm-0558" (built in), or the file's name */
	int64_t from_us, to_us; /* inclusive day window, as [from, to); INT64_MIN / INT64_MAX = open */
	struct addr addr;       /* type ipv4, ipv6 */
	uint8_t app[16];        /* type app-id */
	bool is_app;
};

struct indicators;
/* built-in ones loaded */
struct indicators *indicators_new(void);
void indicators_free(struct indicators *x);
/* Adds a CSV file.  False: *reterr gets one line that names file, line and remedy.  Types we cannot match in audit logs
 * (hashes, JARM, thumbprints) are counted as skipped, no error. */
bool indicators_add_file(struct indicators *x, const char *path, size_t *ret_added, size_t *ret_skipped, struct buf *reterr);
/* All indicators of that address, in a run; NULL, 0 = none. */
const struct indicator *indicators_for_addr(const struct indicators *x, const struct addr *a, size_t *ret_n);
const struct indicator *indicators_for_app(const struct indicators *x, const uint8_t app[16], size_t *ret_n);
size_t indicators_count(const struct indicators *x);
bool indicators_have_apps(const struct indicators *x);

#endif
