/* SPDX-License-Identifier: Apache-2.0 */
/* store: see store.h.  A sign-in is found under the id of its token and, where a row has another id of its own, under
 * that as well: which of the two an access carries depends on the export. */
#include "identity/store.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"

#define KEEP_US (7 * US_PER_DAY)
#define SESSION_KEEP_US (90 * US_PER_DAY) /* a session may be renewed this long */
#define SWEEP_EVERY_US (6 * US_PER_HOUR)

_Static_assert(sizeof(struct issue) == 32 && sizeof(struct session_issue) == 28, "the figures in limits.h");

uint64_t id_key(const uint8_t id[16], bool is_text)
{
	uint64_t a, b;
	memcpy(&a, id, 8);
	memcpy(&b, id + 8, 8);
	return hash_mix(a ^ (uint64_t)is_text << 63, b);
}

void store_init(struct store *s)
{
	*s = (struct store){ .now_us = INT64_MIN, .no_sweep_before_us = INT64_MIN, .refused_us = INT64_MIN };
	table_init(&s->tokens, sizeof(struct issue), IDENTITY_TOKENS_MAX);
	table_init(&s->sessions, sizeof(struct session_issue), IDENTITY_SESSIONS_MAX);
	table_init(&s->timeless, 0, IDENTITY_TIMELESS_MAX);
}

void store_release(struct store *s)
{
	table_release(&s->tokens);
	table_release(&s->sessions);
	table_release(&s->timeless);
}

/* -- room -- */

static bool token_is_recent(const void *value, uint64_t key, void *arg)
{
	const struct issue *i = value;
	(void)key;
	return i->time_s >= *(const uint32_t *)arg;
}

static bool session_is_recent(const void *value, uint64_t key, void *arg)
{
	const struct session_issue *i = value;
	(void)key;
	return i->last_s >= *(const uint32_t *)arg;
}

static uint32_t seconds_before(int64_t now_us, int64_t span_us)
{
	return now_us > span_us ? (uint32_t)((now_us - span_us) / US_PER_SECOND) : 0;
}

/* Every six hours of event time what is past its keep goes; when a table is full, more, down to the life of a token. */
static void sweep(struct store *s)
{
	bool full = s->tokens.n >= IDENTITY_TOKENS_MAX || s->sessions.n >= IDENTITY_SESSIONS_MAX;
	if (full ? s->now_us < s->no_sweep_before_us : s->now_us - s->swept_us < SWEEP_EVERY_US)
		return;
	uint32_t oldest = seconds_before(s->now_us, KEEP_US);
	table_keep_if(&s->tokens, token_is_recent, &oldest);
	for (int64_t span = KEEP_US / 2; s->tokens.n > IDENTITY_TOKENS_MAX / 4 * 3; span /= 2) {
		int64_t keep = span > TOKEN_LIFE_US + 2 * SKEW_US ? span : TOKEN_LIFE_US + 2 * SKEW_US;
		oldest = seconds_before(s->now_us, keep);
		table_keep_if(&s->tokens, token_is_recent, &oldest);
		if (keep > span)
			break;
	}
	oldest = seconds_before(s->now_us, SESSION_KEEP_US);
	table_keep_if(&s->sessions, session_is_recent, &oldest);
	for (int64_t span = SESSION_KEEP_US / 2; s->sessions.n > IDENTITY_SESSIONS_MAX / 4 * 3 && span >= US_PER_DAY; span /= 2) {
		oldest = seconds_before(s->now_us, span);
		table_keep_if(&s->sessions, session_is_recent, &oldest);
	}
	s->swept_us = s->now_us;
	s->no_sweep_before_us = s->now_us + US_PER_HOUR; /* a flood in one second must not cause a pass for each row */
}

/* -- rows -- */

static void put_ip(uint8_t to[8], uint8_t *to_kind, const struct rec *r)
{
	if (*to_kind != ADDR_NONE || (r->ip_kind != ADDR_V4 && r->ip_kind != ADDR_V6))
		return;
	memset(to, 0, 8);
	memcpy(to, r->ip, r->ip_kind == ADDR_V4 ? 4 : 8);
	*to_kind = r->ip_kind;
}

static uint32_t session_hash(const struct rec *r)
{
	return r->flags & REC_HAS_SESSION ? short_hash(id_key(r->session, r->flags & REC_SESSION_TEXT)) : 0;
}

static void add_token(struct store *s, uint64_t key, const struct rec *r, uint32_t time_s)
{
	bool is_new;
	struct issue *i = table_put(&s->tokens, key, &is_new);
	if (!i) {
		s->refused++;
		s->refused_us = r->time_us;
		return;
	}
	if (is_new)
		i->time_s = time_s;
	uint32_t actor = short_hash(r->actor);
	if (i->actor && actor && i->actor != actor)
		i->flags |= ISSUE_CLASH;
	if (!i->actor)
		i->actor = actor;
	if (!i->app)
		i->app = short_hash(r->client);
	if (!i->device)
		i->device = short_hash(r->device);
	if (!i->session)
		i->session = session_hash(r);
	put_ip(i->ip, &i->ip_kind, r);
	i->kinds |= (uint8_t)(1u << r->signin_kind);
}

static void add_session(struct store *s, const struct rec *r, uint32_t time_s)
{
	bool is_new;
	struct session_issue *i = table_put(&s->sessions, id_key(r->session, r->flags & REC_SESSION_TEXT), &is_new);
	if (!i)
		return;
	if (is_new)
		i->first_s = time_s;
	i->last_s = time_s;
	if (!i->actor)
		i->actor = short_hash(r->actor);
	if (!i->app)
		i->app = short_hash(r->client);
	put_ip(i->ip, &i->ip_kind, r);
	i->kinds |= (uint8_t)(1u << r->signin_kind);
}

void store_add(struct store *s, const struct rec *r)
{
	bool has_own_id = !(r->flags & REC_ID_MADE) && (!(r->flags & REC_HAS_TOKEN) || memcmp(r->id, r->token, 16) != 0);
	if (r->flags & REC_NO_TIME) {
		if (r->flags & REC_HAS_TOKEN)
			table_put(&s->timeless, id_key(r->token, r->flags & REC_TOKEN_TEXT), NULL);
		if (has_own_id)
			table_put(&s->timeless, id_key(r->id, r->flags & REC_ID_TEXT), NULL);
		return;
	}
	uint32_t time_s = (uint32_t)(r->time_us / US_PER_SECOND);
	s->now_us = r->time_us;
	sweep(s);
	if (r->flags & REC_HAS_TOKEN)
		add_token(s, id_key(r->token, r->flags & REC_TOKEN_TEXT), r, time_s);
	if (has_own_id)
		add_token(s, id_key(r->id, r->flags & REC_ID_TEXT), r, time_s);
	if (r->flags & REC_HAS_SESSION)
		add_session(s, r, time_s);
}

struct issue *store_token(const struct store *s, const struct rec *access)
{
	return table_get(&s->tokens, id_key(access->token, access->flags & REC_TOKEN_TEXT));
}

bool store_timeless(const struct store *s, const struct rec *access)
{
	return s->timeless.n && table_get(&s->timeless, id_key(access->token, access->flags & REC_TOKEN_TEXT));
}

struct session_issue *store_session(const struct store *s, const struct rec *access)
{
	return table_get(&s->sessions, id_key(access->session, access->flags & REC_SESSION_TEXT));
}

bool store_is_full_at(const struct store *s, int64_t us)
{
	return s->refused_us != INT64_MIN && us <= s->refused_us + TOKEN_LIFE_US;
}

/* -- addresses -- */

struct addr issue_addr(const uint8_t ip[8], uint8_t kind)
{
	struct addr a = { .kind = kind };
	memcpy(a.b, ip, kind == ADDR_V4 ? 4 : 8);
	return a;
}

const char *issue_addr_text(const uint8_t ip[8], uint8_t kind, char out[ADDR_TEXT_SIZE + 4])
{
	struct addr a = issue_addr(ip, kind);
	char text[ADDR_TEXT_SIZE];
	snprintf(out, ADDR_TEXT_SIZE + 4, "%s%s", addr_format(&a, text), kind == ADDR_V6 ? "/64" : "");
	return out;
}
