/* SPDX-License-Identifier: Apache-2.0 */
/* policy: what a key may sign.  A key verifies only through a record, and a record gives issuer, audience and end of validity.
 * The key may do nothing that the record does not allow: there is no default for issuers, tenants, audiences, versions or algorithm.
 *
 * A policy is read from a YAML file (data/token-policy.yaml is the commented template, data/token-policy.schema.json its
 * JSON Schema), key sets are added to it, and policy_bind() then gives each record its key, narrows it by what the key's
 * own set says, and checks the deny list.  After that it is read-only and may be shared by threads.
 *
 *     struct policy *p = policy_new();
 *     ok = policy_load(p, "policy.yaml", &error) && policy_add_set(p, set) && policy_bind(p, &error);
 */
#ifndef TXM_KEYS_POLICY_H
#define TXM_KEYS_POLICY_H

#include "keys/claims.h"
#include "keys/keyset.h"

#define CONSUMER_TENANT "9188040d-6c67-4c5b-b112-36a304b66dad"
#define NIL_TENANT "00000000-0000-0000-0000-000000000000"

enum record_class { CLASS_UNSAID, CLASS_CONSUMER, CLASS_ENTERPRISE, CLASS_SERVICE, CLASS_TEST };
enum record_state { STATE_PENDING, STATE_ACTIVE, STATE_RETIRING, STATE_RETIRED, STATE_REVOKED, STATE_LEAKED, STATE_DENIED };
const char *record_class_name(enum record_class c);
const char *record_state_name(enum record_state s);

struct text_list {
	struct str *v;
	uint32_t n;
};
bool text_list_has(const struct text_list *l, struct str s); /* byte for byte */

/* "https://login.microsoftonline.com/{tenantid}/v2.0": one {tenantid} at most */
struct issuer_rule {
	struct str text;
	struct str prefix, suffix; /* around {tenantid}; without one, prefix is the whole */
	bool is_template;
};
bool issuer_rule_parse(struct str text, struct issuer_rule *ret); /* false: two {tenantid}, or a brace elsewhere */
bool issuer_rule_equals(const struct issuer_rule *r, struct str iss, struct str tid); /* template(tid) = iss, byte for byte */
bool issuer_rule_fits(const struct issuer_rule *r, struct str iss); /* for some canonical GUID, or exactly */
/* Is iss another way in which the same authority writes an issuer of this rule?  Entra's two versions for one tenant, Google's without
 * "https://", a slash at the end, the names of a Kubernetes cluster for itself.  False if it is the same text. */
bool issuer_rule_other_form(const struct issuer_rule *r, struct str iss);
/* "https://HOST/TENANT/v2.0" or "https://HOST/TENANT/": host and tenant (36 bytes, unchecked) and nothing else. */
bool tenant_is_canonical(struct str s); /* a GUID in lower case without braces */
bool issuer_split(struct str iss, struct str *ret_host, struct str *ret_tenant, unsigned *ret_version);

enum { VERSION_1 = 1, VERSION_2 = 2 };
enum { TYP_ABSENT = 1, TYP_JWT = 2, TYP_AT_JWT = 4, TYP_JOSE = 8, TYP_LOGOUT = 16 };
enum audience_list { LIST_NONE, LIST_ONE, LIST_ALL, LIST_ANY }; /* a list of one; all of it are the record's; one of it is */
enum token_kind { KIND_UNSAID, KIND_ACCESS, KIND_ID, KIND_LOGOUT, KIND_OTHER, KIND_ANY };
#define TIME_UNKNOWN INT64_MIN

struct key_record {
	const struct key *key;         /* NULL: in no set; belongs to a set of the policy */
	const struct keyset *set;      /* where the key was found */
	uint8_t spki_sha256[32];
	struct str kid;
	enum jws_alg alg;
	enum record_class klass;
	struct issuer_rule *issuers;
	uint32_t issuer_n;
	struct issuer_rule set_issuer; /* of the key in its set, which narrows; text.p NULL = none */
	bool tenants_any, tenants_none; /* none: an issuer without tenants; no tid is wanted */
	struct text_list tenants, tenants_denied;
	struct text_list audiences, cae_audiences, actors;
	enum audience_list audience_list;
	bool issuers_none, audiences_none; /* tokens without iss, without aud */
	bool actors_any, app_only, symmetric;
	bool proof_bound;              /* cnf: allowed */
	bool svid;                     /* use: jwt-svid, SPIFFE */
	bool decimal_dates, max_age_said;
	bool whole_set;                /* all keys of a set: the set says which are in use, so that their age may be unknown */
	enum token_kind kind;          /* UNSAID: an access or ID token; of Entra's, an access token */
	struct claim_rule *claims;
	uint32_t claim_n;
	unsigned versions;             /* VERSION_*; 0 = "none": no ver is wanted */
	unsigned typ;                  /* TYP_* */
	int64_t not_before_us, not_after_us; /* narrower of policy and certificate; TIME_UNKNOWN = open */
	int64_t first_us;              /* earliest of first_listed, not_before, certificate start; TIME_UNKNOWN = not known */
	int64_t max_age_s, max_token_life_s;
	enum record_state state;
	int64_t since_us;              /* TIME_UNKNOWN = not given */
	const char *denied;            /* name of the entry of the deny list, or NULL */
	unsigned line;                 /* in the policy file; 0 = made from a set (--jws-only) */
	uint32_t next_kid;             /* chain of the index; 0 = end, else index + 1 */
};

/* A key set at an address that the user configured: see keys/remote.h. */
struct key_source {
	struct str name, url, cache, ca;
	int64_t refresh_s, unknown_refresh_s, life_s;
	unsigned line;
};

struct policy_rule;

struct policy {
	char *path;                    /* NULL: none was loaded */
	uint8_t sha256[32];
	int64_t skew_s;
	struct key_record *records;
	uint32_t n, capacity;
	struct keyset **sets;          /* owned */
	uint32_t set_n, set_capacity;
	struct key_record *known;      /* every key of the sets as if it had a record without any scope: for diagnosis only */
	uint32_t known_n;
	struct key_source *sources;
	uint32_t source_n;
	struct text_list exchange_issuers;
	uint32_t exchange_depth;
	struct text_list deny_spki, deny_certificate; /* lower-case hex */
	bool jws_only;
	/* private */
	struct policy_rule *rules;     /* records as written; policy_bind() makes records of them */
	uint32_t rule_n;
	struct yaml_tree *tree;        /* holds all texts of the file */
	uint32_t *record_index, *known_index;
	uint32_t index_size;
	void **lists;
	uint32_t list_n, list_capacity;
};

struct policy *policy_new(void); /* NULL: out of memory */
void policy_free(struct policy *p);
/* One line in *error with file, line and remedy.  Sets named by the file are read too, paths relative to the file. */
bool policy_load(struct policy *p, const char *path, struct buf *error);
bool policy_load_text(struct policy *p, const char *name, struct str text, struct buf *error);
bool policy_add_set(struct policy *p, struct keyset *s); /* takes the set, freed on failure */
/* Every key of the sets becomes a record with no scope at all, for --jws-only.  Before policy_bind(). */
bool policy_trust_signatures_only(struct policy *p);
bool policy_bind(struct policy *p, struct buf *error);

/* Records and known keys by key id: walk with _next until NULL. */
const struct key_record *policy_record(const struct policy *p, struct str kid);
const struct key_record *policy_record_next(const struct policy *p, const struct key_record *r, struct str kid);
const struct key_record *policy_known(const struct policy *p, struct str kid);
const struct key_record *policy_known_next(const struct policy *p, const struct key_record *k, struct str kid);

/* The deny list that is built in: stolen keys, by SPKI, modulus or certificate, never by key id.  Returns the name of the entry,
 * or NULL. */
const char *deny_list_find(const struct key *k);

#endif
