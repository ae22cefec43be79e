/* SPDX-License-Identifier: Apache-2.0 */
/* libtaximeter: who reads whose mail, from Microsoft 365 audit exports.
 *
 *   struct txm_scan *s = txm_scan_new();
 *   txm_scan_add_path(s, "export/");                   // files, folders, archives, "-"
 *   if (txm_scan_run(s) != TXM_OK) fprintf(stderr, "%s\n", txm_scan_error(s));
 *   for (size_t i = 0; i < txm_scan_alert_count(s); i++)
 *       puts(txm_scan_alert_json(s, i));               // one line, the format of `taximeter scan -f ndjson`
 *   txm_scan_free(s);
 *
 * Ownership: strings handed in are copied; strings handed out belong to the scan and live until txm_scan_free().
 * Threads: a scan belongs to one thread at a time; different scans are independent.  The library never prints, never
 * exits and reads no clock but for the duration of the run. */
#ifndef TAXIMETER_H
#define TAXIMETER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TXM_API __attribute__((visibility("default")))
#else
#define TXM_API
#endif

enum txm_status {
	TXM_OK = 0,
	TXM_INCOMPLETE = 1, /* ran to the end, but some input was lost: see txm_scan_problem() */
	TXM_USAGE = 2,      /* a setting is wrong */
	TXM_FAILED = 3      /* no memory, no space: results are partial */
};

struct txm_scan;

TXM_API const char *txm_version(void); /* "0.1.0" */

TXM_API struct txm_scan *txm_scan_new(void); /* NULL: out of memory */
TXM_API void txm_scan_free(struct txm_scan *s); /* NULL is fine */

/* Settings, before txm_scan_run().  TXM_OK or TXM_USAGE / TXM_FAILED with txm_scan_error(). */
TXM_API enum txm_status txm_scan_add_path(struct txm_scan *s, const char *path);
TXM_API enum txm_status txm_scan_set_threads(struct txm_scan *s, unsigned threads); /* 0 = one a core (default) */
TXM_API enum txm_status txm_scan_set_since(struct txm_scan *s, const char *rfc3339); /* event time, inclusive */
TXM_API enum txm_status txm_scan_set_until(struct txm_scan *s, const char *rfc3339); /* event time, exclusive */
TXM_API enum txm_status txm_scan_set_asn_file(struct txm_scan *s, const char *mmdb_path);
TXM_API enum txm_status txm_scan_add_indicators(struct txm_scan *s, const char *csv_path);

/* Runs to the end, once. */
TXM_API enum txm_status txm_scan_run(struct txm_scan *s);
TXM_API const char *txm_scan_error(const struct txm_scan *s);           /* "" = none */
TXM_API const char *txm_scan_problem(const struct txm_scan *s, size_t i); /* one line per input that was lost; NULL past the last */

/* Results, in output order. */
TXM_API size_t txm_scan_alert_count(const struct txm_scan *s);
TXM_API const char *txm_scan_alert_json(const struct txm_scan *s, size_t i); /* NULL past the last, or out of memory */
TXM_API uint64_t txm_scan_records(const struct txm_scan *s); /* distinct */

#ifdef __cplusplus
}
#endif
#endif
