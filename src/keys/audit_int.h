/* SPDX-License-Identifier: Apache-2.0 */
/* audit_int: the part of an audit that the finding groups use. */
#ifndef TXM_KEYS_AUDIT_INT_H
#define TXM_KEYS_AUDIT_INT_H

#include "base/limits.h"
#include "base/table.h"
#include "keys/audit.h"
#include "keys/policy.h"
#include "keys/strength.h"

struct entry {               /* a key as a set lists it, verbatim; equal texts are one entry */
	struct key *key;
	char *raw;           /* the JWK; NULL: it came as PEM or DER */
	size_t raw_n;
	uint8_t digest[32];  /* of the words: gives entries an order that does not depend on the input's */
	uint8_t id[32];      /* SPKI, or the digest if no key could be made */
};

enum { /* set_note.faults */
	NOTE_HTTP = 1, NOTE_DUPLICATE = 2, NOTE_LOCKED = 4, NOTE_UNREADABLE = 8, NOTE_CUT = 16, NOTE_PRIVATE = 32,
};

struct set_note {            /* what is known of a set besides its keys; since: the earliest time of each */
	char *name;
	char *issuer, *cloud, *jwks_uri;
	uint32_t faults;
	int64_t faults_since;
	int64_t kid_missing_since, symmetric_since;
	uint32_t number;     /* of the provider in the history */
	bool has_number;
};

struct kid_twice {           /* a key id that two entries of one observation share */
	uint32_t note;
	int64_t since;
	char *kid;
};

struct token_seen {          /* a logged token, as far as the findings need it */
	int64_t iat, exp, nbf;    /* s; 0 = not given */
	int64_t subject_exp;
	uint8_t spki[32];
	bool has_spki, self_issued;
	uint32_t kid, iss, tid;   /* into audit.texts, 0 = not given */
	uint64_t id;              /* hash of uti or jti, 0 = none */
	uint64_t net;             /* hash of the network it was used from, 0 = not given */
};

struct blocklist { const char *name; struct str bytes; };

struct leak { uint8_t spki[32]; };

struct audit {
	struct audit_settings settings;
	int64_t at;
	bool undated, last_empty;
	int64_t last_time;           /* of the line taken last ... */
	char *last_provider;         /* ... and its provider */
	struct history *history;
	struct strict_json json, line_json;
	struct entry *entries; size_t entry_count, entry_capacity;
	struct table by_digest;      /* first 8 bytes -> number + 1 */
	struct set_note *notes; size_t note_count, note_capacity;
	struct kid_twice *twice; size_t twice_count, twice_capacity;
	struct token_seen *tokens; size_t token_count, token_capacity;
	char **texts; size_t text_count, text_capacity; struct table text_numbers;
	struct leak *leaks; size_t leak_count, leak_capacity;
	struct blocklist blocklists[8]; size_t blocklist_count;
	struct finding **findings; size_t finding_count, finding_capacity;
	struct audit_counts counts;
	/* after history_close() */
	const struct history_provider *providers; uint32_t provider_count;
	const struct history_key *keys; uint32_t key_count;
	uint32_t *distinct; uint32_t distinct_count; /* numbers of keys with an SPKI, one for each, by SPKI */
	struct strength *strengths;  /* by place in distinct[] */
	bool *searched;
	bool failed;
};

/* Room for one more in an array that grows by doubling.  False: out of memory or at its ceiling. */
bool audit_grow(void *p, size_t *capacity, size_t n, size_t size, size_t max);

/* Each finding once for each key and code; a second one with the same text is dropped.  key may be NULL. */
void finding_add(struct audit *a, enum finding_code code, enum finding_severity severity, const struct history_key *key,
		 uint32_t provider, int64_t since, const char *format, ...) __attribute__((format(printf, 7, 8)));
/* Place in distinct[] of that identity. */
bool audit_distinct(const struct audit *a, const uint8_t id[32], uint32_t *ret);
/* The key in the history with that SPKI, in any set, the first of several; NULL = in none. */
const struct history_key *audit_find_spki(const struct audit *a, const uint8_t spki[32], uint32_t *ret_count);
const struct set_note *audit_note(const struct audit *a, uint32_t provider); /* NULL: nothing known */
bool audit_trusts(const struct audit *a, const uint8_t spki[32]); /* a record lets it verify */
static inline const struct key *newest(const struct audit *a, const struct history_key *k)
{
	return a->entries[k->versions[k->version_count - 1].entry].key;
}
static inline bool is_dated(const struct audit *a, const struct history_key *k) { return a->providers[k->provider].dated; }
/* The moment that a key's state is judged for: the audit's own while it is listed, else when it was listed last. */
static inline int64_t judged_at(const struct audit *a, const struct history_key *k)
{
	return k->present || !k->gone ? a->at : k->last;
}
/* Is this issuer the consumer tenant's, or of a template for all tenants? */
bool issuer_is_consumer(struct str issuer);
bool issuer_is_template(struct str issuer);
const char *day_text(int64_t us, char out[TIME_TEXT_SIZE]); /* "2021-04-05" */

void audit_resolve_tokens(struct audit *a); /* key ids of logged tokens to keys; before the groups */

#define GROUP(name) void audit_##name(struct audit *a);
#include "keys/list.h"
#undef GROUP

#endif
