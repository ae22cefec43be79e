/* SPDX-License-Identifier: Apache-2.0 */
/* audit: key sets, as they are or as they have been over time, against a list of findings.
 *
 * A verifier asks "is this signature good?".  An audit asks another question: should this key be in this
 * list at all?  Is it too old, has its certificate ended, may it sign for everybody, is it listed with keys of another
 * class, can an attacker break it, has its private half been seen outside?
 *
 *     a = audit_new(&settings);
 *     audit_take_set(a, ...), audit_take_history(a, ...), audit_take_tokens(a, ...), audit_take_leaks(a, ...)
 *     audit_run(a);
 *     audit_findings(a, &n)
 *
 * Findings are a function of what was taken and of `at`: order and repetition of the input change nothing.
 *
 * To add a finding: a row in finding_names.h and the code that calls finding_add() in its group's file.  To add a group: a
 * file with audit_NAME() and a line in keys/list.h. */
#ifndef TXM_KEYS_AUDIT_H
#define TXM_KEYS_AUDIT_H

#include "keys/history.h"
#include "keys/key.h"

enum finding_severity { SEVERITY_INFORMATION, SEVERITY_FINDING, SEVERITY_CRITICAL_FINDING };
extern const char *const finding_severity_names[]; /* "info", "finding", "critical" */

enum finding_code {
#define FINDING(name, code, severity, title, why, clears) FINDING_##name,
#include "keys/finding_names.h"
#undef FINDING
	FINDING_COUNT
};
struct finding_row { const char *code; enum finding_severity severity; const char *title, *why, *clears; };
extern const struct finding_row finding_rows[FINDING_COUNT];

struct finding {
	enum finding_code code;
	enum finding_severity severity;
	const struct history_key *key; /* NULL: about the set as a whole, or about a hash that is in none */
	uint8_t spki[32]; bool has_spki; /* of the key, or of the hash that was leaked */
	struct str kid, set;           /* borrowed from the audit */
	int64_t since;                 /* since when it has been so; 0 = unknown */
	bool known;                    /* an earlier run had it too (keys watch) */
	bool listed;                   /* the key is in its set at the time of the audit (or the finding is about the set) */
	struct str text;               /* the evidence, a sentence; contains untrusted text, unescaped */
};

/* What a policy allows a key in one role: filled in by the reader of policies. */
struct audit_record {
	uint8_t spki[32];
	struct str kid, class_name;
	const struct str *issuers; size_t issuer_count; /* exact, or with one {tenantid} */
	bool template_issuer, denies_consumer;
	bool trusts;                  /* its state lets the key verify now */
	bool revoked;                 /* revoked, leaked or denied */
	int64_t since;                /* of its state; 0 = always */
	int64_t not_before, not_after; /* us; 0 = not given */
	int64_t max_age, max_token_life; /* us; 0 = not given */
	struct str where;             /* "policy.yaml:12", for the text of findings */
};

struct audit_settings {
	int64_t at;                   /* us; 0 = the newest observation, or `now` if a set without a date was taken */
	int64_t now;                  /* the clock, for sets without a date */
	bool on_change;               /* history lines were written only when the answer had changed */
	int64_t max_age;              /* us; where no record sets it; 0 = 180 days */
	int64_t old_age;              /* us; set by audit_new(): max_age, or 90 days if it was not given */
	int64_t idle;                 /* us; life.idle; 0 = 30 days */
	bool has_policy;
	const struct audit_record *records; size_t record_count;
	/* Is this key known to be in an intruder's hands?  Returns the source as text, or NULL.  May be NULL. */
	const char *(*denied)(const struct key *k, void *arg);
	void *denied_arg;
	bool thorough;                /* search for factors of all listed RSA keys, and for larger ones */
	bool keys_only;               /* which keys are listed, and since when: no finding is looked for */
	const struct audit *earlier;  /* has run: RSA keys that it tested are not tested again */
};

struct audit_counts {
	uint64_t sets, observations, keys, listed; /* of distinct keys; listed at the time of the audit */
	uint64_t judged;               /* of the distinct keys: could be read, and are of a kind that is judged */
	uint64_t repeats;              /* observations that were there already */
	uint64_t findings[3];          /* by severity */
	uint64_t refused;              /* findings past KEYS_FINDINGS_MAX, moduli past KEYS_SHARED_MODULI_MAX: never "clean" */
	uint64_t tokens, tokens_unknown_key, tokens_unreadable;
	uint64_t bad_lines;            /* of histories and leak reports: unreadable, not taken */
	uint64_t unsearched;           /* listed RSA keys whose moduli were not searched for factors */
	uint64_t later;                /* observations after `at`: not looked at */
};

struct audit;
struct audit *audit_new(const struct audit_settings *s); /* borrowed until audit_free() */
void audit_free(struct audit *a);

/* One set: a JWK set, a JWK, certificates or public keys, OpenID metadata.  name: what it is called in findings ("set");
 * time: when it was observed; 0 = undated.  False: reported in *error, one line. */
bool audit_take_set(struct audit *a, const char *name, struct str bytes, int64_t time, struct buf *error);
bool audit_set_is_private(const struct audit *a, const char *name); /* a private key is in it, in any form; after audit_run() */
bool audit_set_was_empty(const struct audit *a); /* the set taken last: it had the form of a set, and no key */
/* One line {"provider","fetched","jwks"} of a history; a "pem" instead of "jwks" holds certificates and keys as text.  False: reported in *error. */
bool audit_take_line(struct audit *a, struct str line, struct buf *error);
/* Of the line taken last; name borrowed until the next. */
bool audit_last_line(const struct audit *a, struct str *ret_provider, int64_t *ret_time);
bool audit_is_history_line(struct str text); /* does the text begin like one? */
/* One line of a log of tokens: a compact token, or an object with claims. */
bool audit_take_token(struct audit *a, struct str line, struct buf *error);
/* One line of a leak report: an object with "spki" (or "spki_sha256", "key_spki_sha256"), or 64 hexadecimal digits.  An object
 * without any that has a "type" is of a report of `taximeter dump` and no leak. */
bool audit_take_leak(struct audit *a, struct str line, struct buf *error);
/* A list of compromised keys: sorted entries of 16 bytes.  Not copied: must outlive the audit. */
bool audit_take_blocklist(struct audit *a, const char *name, struct str bytes, struct buf *error);

bool audit_run(struct audit *a); /* once.  False: out of memory */
/* Marks findings that `old` has as well (by code, set, key and severity: the words of the evidence change from day to day). */
bool audit_mark_known(struct audit *a, const struct audit *old);
int64_t audit_at(const struct audit *a); /* the time it was made for */
const struct finding *const *audit_findings(const struct audit *a, size_t *ret_n); /* critical first, then by set, code, since */
const struct audit_counts *audit_counts(const struct audit *a);
const struct history *audit_history(const struct audit *a);
const struct key *audit_key(const struct audit *a, const struct history_key *k); /* as last published */
const struct key *audit_entry(const struct audit *a, uint32_t entry); /* history_version.entry */
struct str audit_entry_raw(const struct audit *a, uint32_t entry);    /* the JWK as published; empty for other forms */
const struct audit_record *audit_record_of(const struct audit *a, const uint8_t spki[32], size_t *from); /* from = 0, ... */

/* The three forms of the report.  lost: inputs that were unreadable or cut short. */
void audit_text(const struct audit *a, struct buf *ret, uint64_t lost, bool color);
void audit_ndjson(const struct audit *a, struct buf *ret, uint64_t lost);
void audit_html(const struct audit *a, struct buf *ret, uint64_t lost);
void audit_list(struct buf *ret, bool ndjson); /* every finding there can be, with its meaning */
/* The first line of a report, if no key was judged: states that, and why.  Nothing otherwise. */
void audit_add_no_keys(const struct audit *a, struct buf *ret);
/* 0, 1 or 4 for the findings, 3 for something lost or for no key that could be judged: the largest that applies */
int audit_status(const struct audit *a, uint64_t lost);

#endif
