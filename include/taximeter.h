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
 * And: may this signed token be believed?
 *
 *   struct txm_token_policy *p = txm_token_policy_new();      // one, shared by all threads once it is ready
 *   if (txm_token_policy_load(p, "policy.yaml") != TXM_OK || txm_token_policy_ready(p) != TXM_OK)
 *       fprintf(stderr, "%s\n", txm_token_policy_error(p));
 *   struct txm_token_verifier *v = txm_token_verifier_new(p); // one a thread
 *   if (txm_token_verify(v, text, length, time(NULL)) == TXM_TOKEN_ACCEPTED) ...
 *   puts(txm_token_verdict_json(v));                          // the line of `taximeter token verify -f ndjson`
 *
 * Ownership: strings handed in are copied; strings handed out belong to the scan and live until txm_scan_free().
 * Threads: a scan belongs to one thread at a time; different scans are independent.  The library never prints, never
 * exits, and reads the clock only to measure the run. */
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
/* Which alerts are reported: those with activity in [since, until), event time: a date (00:00 UTC), or an RFC 3339 time.  All records
 * are used to learn. */
TXM_API enum txm_status txm_scan_set_since(struct txm_scan *s, const char *rfc3339);
TXM_API enum txm_status txm_scan_set_until(struct txm_scan *s, const char *rfc3339);
/* The zone of local times whose column does not name it: a place of this system's time zone database ("Europe/Berlin"), an offset in
 * hours and minutes ("+01:00"), or "UTC".  Not set: such times are read as UTC, and the scan is TXM_INCOMPLETE.  TXM_USAGE: no such
 * zone; NULL takes the setting back. */
TXM_API enum txm_status txm_scan_set_timezone(struct txm_scan *s, const char *zone);
/* Report on this tenant only: its id, as alerts show it under "tenant", or "unknown" for records that nothing assigns to one.  May be
 * repeated, up to 1,000 times; none: all tenants.  TXM_USAGE: empty, or too many.  One that no record belongs to makes the scan
 * TXM_INCOMPLETE, and is a line of txm_scan_problem(). */
TXM_API enum txm_status txm_scan_add_tenant(struct txm_scan *s, const char *id);
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

/* -- tokens -- */

/* Who may say what: data/token-policy.yaml is the commented template.  Settings first, then txm_token_policy_ready(); from
 * then on it never changes and may be used by any number of verifiers in any number of threads.  Nothing is ever fetched. */
struct txm_token_policy;
TXM_API struct txm_token_policy *txm_token_policy_new(void); /* NULL: out of memory */
TXM_API void txm_token_policy_free(struct txm_token_policy *p); /* after its verifiers; NULL is fine */
TXM_API enum txm_status txm_token_policy_load(struct txm_token_policy *p, const char *yaml_path); /* once */
TXM_API enum txm_status txm_token_policy_add_keys(struct txm_token_policy *p, const char *path); /* JWK, PEM or DER */
TXM_API enum txm_status txm_token_policy_ready(struct txm_token_policy *p);
TXM_API const char *txm_token_policy_error(const struct txm_token_policy *p); /* one line; "" = none */

enum txm_token_verdict { /* the exit status of `taximeter token verify` */
	TXM_TOKEN_ACCEPTED = 0,
	TXM_TOKEN_REFUSED = 1,
	TXM_TOKEN_CANNOT_SAY = 3, /* of a private form that outsiders cannot judge: not accepted */
	TXM_TOKEN_CRITICAL = 4    /* refused, and the key acts outside its scope or life, or is in other hands */
};

/* One a thread.  Keeps its memory from token to token: once each key has been seen, only OpenSSL allocates, inside
 * the verification. */
struct txm_token_verifier;
TXM_API struct txm_token_verifier *txm_token_verifier_new(const struct txm_token_policy *p); /* NULL: not ready, or no memory */
TXM_API void txm_token_verifier_free(struct txm_token_verifier *v); /* NULL is fine */
/* token: n bytes, compact form, borrowed until the verdict was read; at: seconds since 1970, the time to judge as of. */
TXM_API enum txm_token_verdict txm_token_verify(struct txm_token_verifier *v, const char *token, size_t n, int64_t at);
/* Of the last token: one JSON object, good until the next call with this verifier.  NULL: out of memory. */
TXM_API const char *txm_token_verdict_json(struct txm_token_verifier *v);

#ifdef __cplusplus
}
#endif
#endif
