/* SPDX-License-Identifier: Apache-2.0 */
/* judge: may this key sign these claims for this tenant and audience at this time?
 *
 * An acceptance is an empty list of reasons and nothing else.  After a failed check the others go on, so that the list
 * names everything that is wrong.  A judge belongs to one thread; the policy is shared and read-only.  In the steady state
 * (every key seen once, buffers as large as the largest token) judging allocates nothing except for OpenSSL inside
 * one verification. */
#ifndef TXM_TOKEN_JUDGE_H
#define TXM_TOKEN_JUDGE_H

#include "keys/policy.h"
#include "token/replay.h"
#include "token/sign.h"
#include "token/token.h"

enum token_reason {
#define REASON(name, code, text) REASON_##name,
#include "token/reason_names.h"
#undef REASON
	REASON_COUNT
};
struct reason_row { const char *code, *text; };
extern const struct reason_row reason_rows[REASON_COUNT];

#define VERDICT_TEXT_BYTES 8192 /* all reasons together; a longer text is cut, a reason never lost */
#define VERDICT_REASONS_MAX (REASON_COUNT + 8)

struct verdict_reason {
	enum token_reason code;
	const char *text;  /* one sentence without a full stop; holds text of the token: escape it */
};

/* Views into the judge and its token, good until its next judge_token(). */
struct verdict {
	bool valid;                      /* no reason */
	bool critical;                   /* status 4: a genuine signature outside scope or life, or a denied key in use */
	bool cannot_say;                 /* status 3 */
	bool foreign;                    /* the issuer is one that the key is not for, in no form */
	uint64_t seen;                   /* bit of each reason */
	struct verdict_reason reason[VERDICT_REASONS_MAX]; /* in the order of the steps */
	unsigned n;
	const struct key_record *record; /* it was judged by: has scope if `scoped`; NULL = no such key is known */
	bool scoped;
	unsigned candidates;             /* records of that key id that fit the issuer */
	bool signature_checked, signature_good;
	struct str kid, alg, issuer, tenant, audience; /* as in the token; STR_NONE = absent or no text */
	bool has_sha256;
	uint8_t sha256[32];              /* of the signing input */
	unsigned chain;                  /* subject tokens that were looked at */
	bool jws_only;
};

struct judge {
	const struct policy *policy;
	struct replay_store *replay;     /* NULL = replays are not looked for */
	struct token token;
	struct sign_verifier verifier;
	struct verdict verdict;
	char text[VERDICT_TEXT_BYTES];
	size_t text_n;
	int64_t now_s;
	struct key_fault fault[KEY_FAULTS_SHOWN + 8]; /* of the record's key; with its weaknesses, which no reader of a set looks for */
	unsigned fault_n;
	uint64_t *weaknesses;            /* by slot of the record: bits of faults, and WEAKNESSES_KNOWN; each key is tested once, when it is needed */
	unsigned in_line;                /* tokens of the line that this one is from; 1 unless its reader says otherwise */
};

/* The policy must be bound, and outlive the judge.  NULL: out of memory. */
struct judge *judge_new(const struct policy *p, struct replay_store *replay);
void judge_free(struct judge *j);
/* now_s: seconds since 1970.  The token's text must stay until the verdict was read. */
const struct verdict *judge_token(struct judge *j, struct str token, int64_t now_s);
/* 0 accepted, 1 refused, 3 cannot say, 4 critical */
int verdict_status(const struct verdict *v);
static inline bool verdict_has(const struct verdict *v, enum token_reason r) { return v->seen >> r & 1; }

/* For the other files of this folder: a reason more. */
void judge_refuse(struct judge *j, enum token_reason r, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* After reasons were added from outside: sorts them and sets `valid` again. */
void judge_finish(struct judge *j);

#endif
