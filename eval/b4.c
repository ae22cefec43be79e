/* SPDX-License-Identifier: Apache-2.0 */
/* B4: Elastic's "Mailbox Accessed by Unusual Client" (48819484): a ClientAppId that the tenant has not shown in the 14 days
 * before; Bind only, LogonType 0, 1 or 6, UserType 0, 2, 3 or 10, and 146 of Microsoft's own applications left out.
 * B4u: the same for the pair of mailbox and ClientAppId.
 *
 * The list of the 146 is theirs.  Left out here are all applications that the public list of first-party names knows: more
 * than they leave out, so fewer false alarms and fewer finds.  The score is the time since the value was last seen over
 * the 14 days; one never seen counts as a thousand days old. */
#include "peers.h"

#define DAYS 14
#define NEVER 1000

struct b4 {
	struct table tenant, mailbox; /* value -> time last seen */
	bool started;
};

static void see(struct peers *p, struct table *seen, uint64_t key, const char *rule, const struct peer_event *e)
{
	bool is_new = false;
	int64_t *last = table_put(seen, key, &is_new);
	double days;

	if (!last)
		return;
	days = is_new ? NEVER : (double)(e->time_us - *last) / (double)US_PER_DAY;
	*last = e->time_us;
	/* repeats on one day are not kept */
	if (days >= 1)
		peers_raise(p, rule, &(struct peer_alert){ .score = days / DAYS, .time_us = e->time_us, .first_us = e->time_us,
			.last_us = e->time_us, .app_id = e->app_id, .client_app_id = e->client_app_id, .family = e->family,
			.net = e->net, .items = e->items, .mailboxes = &e->mailbox, .mailbox_count = 1 });
}

static void event(struct peers *p, void *state, const struct peer_event *e)
{
	struct b4 *s = state;

	if (!s->started) {
		s->started = true;
		table_init(&s->tenant, sizeof(int64_t), PEER_ENTRIES_MAX);
		table_init(&s->mailbox, sizeof(int64_t), PEER_ENTRIES_MAX);
	}
	if (!e->bind || !e->client_app_id || e->first_party)
		return;
	if (e->logon != 0 && e->logon != 1 && e->logon != 6)
		return;
	if (e->user_type != 0 && e->user_type != 2 && e->user_type != 3 && e->user_type != 10)
		return;
	see(p, &s->tenant, e->client_app_id, "B4", e);
	see(p, &s->mailbox, (uint64_t)e->mailbox << 32 | e->client_app_id, "B4u", e);
}

static void release(void *state)
{
	table_release(&((struct b4 *)state)->tenant);
	table_release(&((struct b4 *)state)->mailbox);
}

const struct peer peer_b4 = { "B4", "Elastic rule Mailbox Accessed by Unusual Client; B4u: by mailbox and client", sizeof(struct b4),
			      event, NULL, release };
