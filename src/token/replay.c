/* SPDX-License-Identifier: Apache-2.0 */
/* replay: the ids of accepted tokens, until these expire. */
#include "token/replay.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/table.h"

struct replay_store {
	pthread_mutex_t lock;
	struct table seen; /* hash of (issuer, id) -> when it expires */
};

struct replay_store *replay_store_new(void)
{
	struct replay_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	table_init(&s->seen, sizeof(int64_t), TOKEN_REPLAY_MAX);
	return s;
}

void replay_store_free(struct replay_store *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	table_release(&s->seen);
	free(s);
}

static bool not_expired(const void *value, uint64_t key, void *arg)
{
	int64_t exp;

	(void)key;
	memcpy(&exp, value, sizeof(exp));
	return exp > *(const int64_t *)arg;
}

enum replay replay_take(struct replay_store *s, uint64_t id, int64_t exp, int64_t now)
{
	enum replay r = REPLAY_NEW;
	bool is_new = false;
	void *slot;

	pthread_mutex_lock(&s->lock);
	slot = table_put(&s->seen, id, &is_new);
	if (!slot) {
		table_keep_if(&s->seen, not_expired, &now);
		slot = table_put(&s->seen, id, &is_new);
	}
	if (!slot)
		r = REPLAY_FULL;
	else if (!is_new)
		r = REPLAY_SEEN;
	else
		memcpy(slot, &exp, sizeof(exp));
	pthread_mutex_unlock(&s->lock);
	return r;
}
