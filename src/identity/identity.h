/* SPDX-License-Identifier: Apache-2.0 */
/* identity: was this access made with a token that a sign-in issued?
 *
 *   decoders --sign-ins--> lanes: sorter, slots of time with sign-ins
 *   when all is read       lanes -> silences of each tenant: when each category, and each application, was alive
 *   event by event         sign-ins up to 15 minutes ahead of the event -> their tenant's store; the event's token is looked up
 *
 * Sign-ins take a sorter of their own, so that they can run ahead of the accesses: the clocks of two logs differ, and a
 * token's issue time is five minutes before its sign-in.  So the verdict does not depend on which file came
 * first, and memory holds the sign-ins of some days, not of all (store.h).
 *
 * Verdicts: linked, orphan, cannot say; always with a reason (reasons.h).  Coverage comes from the sign-ins themselves
 * (stat/silence.h): nothing is an orphan that was issued before they begin, after they end, in a hole of them, in a category
 * that was not given, or through a client whose tokens do not link in this data.
 *
 * `struct signins` is all sign-ins of a run; collection is by lanes (a thread each), the rest by one thread.  It has a
 * `struct identity` for each tenant: the sign-ins of one tenant do not cover another's tokens.  Sign-ins of an
 * unknown tenant may belong to any: they link tokens of all tenants, and where a tenant has none of its own they also
 * decide what is covered. */
#ifndef TXM_IDENTITY_IDENTITY_H
#define TXM_IDENTITY_IDENTITY_H

#include "event/tenants.h"
#include "identity/store.h"
#include "stat/silence.h"
#include "state/world.h"

enum prov_verdict { PROV_LINKED, PROV_ORPHAN, PROV_CANNOT_SAY, PROV_VERDICTS };
enum prov_reason {
#define REASON(symbol, verdict, name, doc) REASON_##symbol,
#include "identity/reasons.h"
#undef REASON
	PROV_REASONS
};
extern const char *const prov_verdict_names[PROV_VERDICTS]; /* "linked", "orphan", "cannot_say" */
extern const struct prov_reason_text { enum prov_verdict verdict; const char *name, *doc; } prov_reasons[PROV_REASONS];

struct provenance { /* of one access */
	uint8_t verdict, reason;
	bool first;         /* the first access of this token */
	bool by_session;    /* all this is about its session, since it has no token id */
	bool pair_is_new;   /* the first token of this account, client, network and hour of issue with this verdict */
	bool judged;        /* coverage is good: the token is linked, or would be */
	bool app_differs;   /* linked: to an application that never uses this client */
	bool device_differs, actor_differs;
	int64_t issued_us;  /* as in the record, else five minutes before the sign-in; INT64_MIN = unknown */
	const struct issue *issue;             /* the sign-in, if linked by token; good until the next event */
	struct session_issue *session;         /* the session's sign-ins, if known */
};

struct identity_client { /* by client number of the world */
	uint64_t reasons[PROV_REASONS];
	struct { /* [0] tokens, [1] sessions of records without token id */
		uint32_t linked_pairs, orphan_pairs; /* (account, network, hour of issue): see provenance.pair_is_new */
		uint32_t linked, orphans;            /* distinct tokens, sessions */
	} by[2];
	uint32_t app;        /* short hash of the application that signs in for this client; 0 = not known yet */
	uint32_t app_votes, app_hits, app_misses;
	uint8_t kinds;       /* 1 << enum signin_kind of the sign-ins of its tokens */
	uint64_t app_ref;    /* what a sign-in of the very same application would name */
	bool app_ref_known;
};

enum { SIGNIN_CATEGORIES = 5 }; /* enum signin_kind - 1 */
extern const char *const signin_category_names[SIGNIN_CATEGORIES];

struct identity_category {
	uint64_t rows, issued;        /* distinct rows; of these, sign-ins that issued a token */
	uint64_t without_time;
	int64_t first_us, last_us;    /* 0, 0 = none */
};

struct signins;
struct identity; /* of one tenant */
struct signins *signins_new(unsigned lanes); /* NULL: out of memory */
void signins_free(struct signins *s);

/* -- while reading: one thread a lane -- */
static inline bool rec_is_signin(const struct rec *r)
{
	return r->op == OP_SIGN_IN || r->op == OP_USER_LOGGED_IN || r->op == OP_USER_LOGIN_FAILED;
}
/* any record; takes sign-ins.  origin: of tenants_collect() */
void signins_collect(struct signins *s, unsigned lane, const struct rec *r, uint64_t origin);
void signins_lane_done(struct signins *s, unsigned lane);

/* -- when all is read -- */
int signins_ready(struct signins *s, const struct tenants *t); /* nonzero: out of memory; t NULL: all is one tenant's */
/* that of a tenant, made if need be; NULL: out of memory */
struct identity *signins_of(struct signins *s, uint64_t tenant);
const char *signins_error(const struct signins *s); /* "" = none */

/* -- event by event, in order of event time -- */
/* NULL: no access.  The answer is good until the next call. */
const struct provenance *identity_judge(struct identity *x, const struct world *w, const struct event *e);
void signins_end(struct signins *s);  /* after the last event: reads what is left, for the counts */

/* -- what is known -- */
bool identity_has_signins(const struct identity *x);
/* is there anything to print: sign-ins of its own, or accesses whose tokens others' sign-ins may have issued? */
bool identity_says_something(const struct identity *x);
const struct identity_category *identity_category(const struct identity *x, unsigned category);
const struct silences *identity_timeline(const struct identity *x, unsigned category);
const struct identity_client *identity_client(const struct identity *x, uint32_t client); /* zeros for one never judged; x NULL allowed */
uint64_t identity_count(const struct identity *x, enum prov_reason reason);
uint64_t identity_refused(const struct identity *x);  /* entries that bounded tables could not take */

#endif
