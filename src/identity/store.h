/* SPDX-License-Identifier: Apache-2.0 */
/* store: the sign-ins of the last days, by the ids of the tokens that they issued, and their sessions.
 *
 * A token is kept as 64 bits of hash and 32 bytes of context for as long as it may live, and longer while there is room:
 * KEEP_US (7 days); when IDENTITY_TOKENS_MAX are there, half of that, and so on down to LIFE_US (28 h 10 min), under
 * which nothing is thrown out.  What finds no room then is refused and counted, and store_is_full_at() reports it: a token
 * of that time without a sign-in is not an orphan but unknown.  Sessions: SESSION_KEEP_US since their last sign-in. */
#ifndef TXM_IDENTITY_STORE_H
#define TXM_IDENTITY_STORE_H

#include "base/addr.h"
#include "base/table.h"
#include "event/rec.h"

#define TOKEN_LIFE_US (INT64_C(28) * 3600 * 1000000)    /* the longest legal life: continuous access evaluation, 20 to 28 h */
#define ISSUE_OFFSET_US (INT64_C(300) * 1000000)        /* a token's issue time is this long before its sign-in */
#define SKEW_US (INT64_C(300) * 1000000)                /* clocks of two logs */

enum { /* issue.flags */
	ISSUE_CLASH = 1,     /* two sign-ins of different accounts claim this token */
	ISSUE_USED = 2,      /* an access with it was seen */
	ISSUE_TIMELESS = 4,  /* the row was exported without its time */
};

struct issue { /* the context of one sign-in; hashes are 32 bits, 0 = not given */
	uint32_t time_s;     /* createdDateTime, seconds since 1970; the earliest of its rows */
	uint32_t actor, app, device, session;
	uint8_t ip[8];       /* IPv4 address, or the first half of an IPv6 one */
	uint8_t ip_kind;     /* enum addr_kind */
	uint8_t kinds;       /* bits 1 << enum signin_kind */
	uint16_t flags;
};

struct session_issue {
	uint32_t first_s, last_s;
	uint32_t actor, app;
	uint8_t ip[8];
	uint8_t ip_kind;
	uint8_t kinds;       /* 1 << enum signin_kind of all its sign-ins */
	uint16_t flags;
};

struct store {
	struct table tokens;   /* key -> struct issue */
	struct table sessions; /* key -> struct session_issue */
	struct table timeless; /* set of keys */
	int64_t now_us;        /* time of the newest sign-in */
	int64_t swept_us, no_sweep_before_us;
	int64_t refused_us;    /* time of the last sign-in that found no room; INT64_MIN = none */
	uint64_t refused;
};

void store_init(struct store *s);
void store_release(struct store *s);
/* A sign-in that issued a token, in event-time order. */
void store_add(struct store *s, const struct rec *r);
struct issue *store_token(const struct store *s, const struct rec *access);          /* NULL: none */
bool store_timeless(const struct store *s, const struct rec *access);
struct session_issue *store_session(const struct store *s, const struct rec *access);
bool store_is_full_at(const struct store *s, int64_t us);

uint64_t id_key(const uint8_t id[16], bool is_text);
static inline uint32_t short_hash(uint64_t ref) { return ref ? (uint32_t)(ref ^ ref >> 32) | 1 : 0; }
struct addr issue_addr(const uint8_t ip[8], uint8_t kind); /* IPv6: the first address of its /64 */
/* "203.0.113.10", "2001:db8:1:2::/64" */
const char *issue_addr_text(const uint8_t ip[8], uint8_t kind, char out[ADDR_TEXT_SIZE + 4]);

#endif
