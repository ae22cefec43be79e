/* SPDX-License-Identifier: Apache-2.0 */
/* rejects: why a record was not taken.  One row: symbol, name in --stats, sentence for people. */
REJECT(BAD_JSON, "bad_json", "not well-formed JSON")
REJECT(BAD_UTF8, "bad_utf8", "not valid UTF-8")
REJECT(TRUNCATED, "truncated", "the input ends in the middle of it")
REJECT(TOO_LONG, "too_long", "longer than 4 MiB")
REJECT(TOO_DEEP, "too_deep", "nested deeper than 64 levels")
REJECT(BAD_CSV, "bad_csv", "CSV row with an unclosed quote or without the audit column")
REJECT(NO_TIME, "no_time", "without a time")
REJECT(BAD_TIME, "bad_time", "time unreadable, or outside 2000 to 2099")
REJECT(NOT_AUDIT, "not_audit", "well-formed, but no audit or sign-in record")
REJECT(UNSUPPORTED, "unsupported", "of a log that Taximeter does not read (CEF, CloudTrail, other logs of Azure, ...)")
