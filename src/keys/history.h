/* SPDX-License-Identifier: Apache-2.0 */
/* history: which keys a provider has listed, and when.  The key of Storm-0558 was not hidden: it was in a public
 * list for seven years, two of them after its certificate had ended, and no one looked at the history of the list.
 *
 * Identity of a key is the hash of its SubjectPublicKeyInfo.  Key id, issuer, use and certificate are attributes that a set publishes;
 * they may change, and the change is reported.
 *
 * Observations may come in any order and any number of times: the result is a function of their set.  Two observations of
 * one provider at one time (two front ends) are taken together.
 *
 * Providers answer from many machines, and those do not change their answers at once: in a history of 240 observations of
 * one provider 34 of 42 keys left and came back, for up to two days.  So a key counts as gone only after
 * HISTORY_HYSTERESIS_US without it; shorter absences are counted and not reported. */
#ifndef TXM_KEYS_HISTORY_H
#define TXM_KEYS_HISTORY_H

#include "base/buf.h"
#include "base/timefmt.h"

#define HISTORY_HYSTERESIS_US (72 * US_PER_HOUR)
#define HISTORY_ID_BYTES 32

struct history;

struct history_run {       /* observations of the provider in a row that all list the key */
	int64_t first, last;
	int64_t missing;   /* the first observation without it; 0 = it is in the newest one */
	int64_t missing_last; /* the last one without it before it came back, or at all */
};

struct history_version {   /* the key as published, verbatim */
	uint32_t entry;    /* number that the caller gave */
	int64_t first, last;
};

struct history_key {
	uint8_t id[HISTORY_ID_BYTES];
	uint32_t provider;
	const struct history_run *runs; uint32_t run_count;
	const struct history_version *versions; uint32_t version_count; /* oldest first */
	int64_t first, last;     /* observations */
	uint32_t observations;
	uint32_t absences;       /* times it left and came back */
	int64_t longest_absence;
	bool present;            /* in the newest observation */
	bool gone;               /* absent for longer than the hysteresis, at the end */
	int64_t gone_since;      /* first observation without it; 0 unless missing at the end */
};

struct history_provider {
	struct str name;
	const int64_t *times; uint32_t time_count; /* of observations, ascending, distinct */
	uint32_t first_key, key_count;             /* in history_keys() */
	bool dated;                                /* times are real; false: an undated file counts as "now" */
	int64_t rotation;                          /* median interval between arrivals of new keys; 0 = unknown */
	int64_t newest_arrival;                    /* first seen of the youngest key that was not there from the start; 0 = none */
};

/* on_change: a line was written only when the answer had changed, so the older set holds until the next line.  Otherwise
 * nothing is known between two observations. */
struct history *history_new(bool on_change);
void history_free(struct history *h);

/* One set as seen at one time.  ids: one per entry; entries: numbers for the caller's own use (history_version.entry), equal
 * for entries that are equal word by word.  Copied.  False: out of memory or past KEYS_SIGHTINGS_MAX. */
bool history_observe(struct history *h, struct str provider, int64_t time_us, bool dated,
		     const uint8_t (*ids)[HISTORY_ID_BYTES], const uint32_t *entries, size_t n);
/* Other numbers for the entries: number i becomes map[i].  Before history_close(), so that numbers need not depend on the order in
 * which things came. */
void history_renumber(struct history *h, const uint32_t *map);
/* Sorts all observations, as known at that time: later observations are left out.  Once, before the queries
 * below.  False: out of memory. */
bool history_close(struct history *h, int64_t at);

int64_t history_newest(const struct history *h); /* time of the newest dated observation, 0 = none; before or after close */
const struct history_provider *history_providers(const struct history *h, uint32_t *ret_n); /* by name */
const struct history_key *history_keys(const struct history *h, uint32_t *ret_n); /* by provider, first seen, id */
uint64_t history_repeats(const struct history *h); /* observations that were there already, word by word */
bool history_on_change(const struct history *h);
/* Was the key listed by then, the hysteresis allowed for?  ret_since: since when it had been gone, if it was. */
bool history_listed_at(const struct history_key *k, int64_t at, int64_t *ret_since);

#endif
