/* SPDX-License-Identifier: Apache-2.0 */
/* detect: the list of detectors, the table of operations, and the few things that detectors share. */
#include <stdio.h>
#include <stdlib.h>

#include "detect/detect_int.h"
#include "state/inventory.h"

#define DETECTOR(name) extern const struct detector detector_##name;
#include "detect/list.h"
#undef DETECTOR

const struct detector *const detectors[] = {
#define DETECTOR(name) &detector_##name,
#include "detect/list.h"
#undef DETECTOR
	NULL,
};

static const struct {
	const char *text;
	unsigned kinds;
} operations[OP_COUNT] = {
	[OP_OTHER] = { "", 0 },
#define OP(symbol, text, kinds) [OP_##symbol] = { text, kinds },
#include "event/ops.h"
#undef OP
};

unsigned op_kinds(unsigned op)
{
	return op < OP_COUNT ? operations[op].kinds : 0;
}

const char *op_text(unsigned op)
{
	return op < OP_COUNT ? operations[op].text : "";
}

/* -- names for sentences -- */

#define SAY_NAME_MAX 100 /* bytes of one name in a sentence; the whole of it is in the alert's lists */

static int name_length(struct str s)
{
	return (int)(s.n > SAY_NAME_MAX ? SAY_NAME_MAX : s.n);
}

const char *say_mailbox(const struct world *w, uint32_t mailbox, char out[SAY_SIZE])
{
	struct str s = world_mailbox_upn(w, mailbox);
	if (!s.n)
		s = world_mailbox_guid(w, mailbox);
	if (!s.n)
		s = STR("a mailbox without a name");
	snprintf(out, SAY_SIZE, "%.*s", name_length(s), s.p);
	return out;
}

const char *say_client(const struct world *w, uint32_t client, char out[SAY_SIZE])
{
	struct str caller = world_client_part(w, client, CLIENT_CALLER), name = world_client_name(w, client);
	struct str family = world_client_part(w, client, CLIENT_FAMILY);
	bool has_app = client < w->client_count && w->clients[client].has_app;
	if (has_app && name.n)
		snprintf(out, SAY_SIZE, "%.*s (%.*s)", name_length(name), name.p, name_length(caller), caller.p);
	else if (has_app)
		snprintf(out, SAY_SIZE, "application %.*s", name_length(caller), caller.p);
	else if (caller.n || family.n)
		snprintf(out, SAY_SIZE, "%.*s (no application id in the log)", name_length(caller.n ? caller : family),
			 caller.n ? caller.p : family.p);
	else
		snprintf(out, SAY_SIZE, "a client without a name");
	return out;
}

const char *say_door(const struct world *w, uint32_t client, char out[SAY_SIZE])
{
	struct str api = world_client_part(w, client, CLIENT_API), family = world_client_part(w, client, CLIENT_FAMILY);
	uint8_t id[16];
	struct str api_name = guid_parse(api, id) ? app_name(id) : STR_NONE;
	if (api_name.n)
		api = api_name;
	if (api.n && family.n)
		snprintf(out, SAY_SIZE, "through %.*s, %.*s", name_length(api), api.p, name_length(family), family.p);
	else if (api.n || family.n)
		snprintf(out, SAY_SIZE, "through %.*s", name_length(api.n ? api : family), api.n ? api.p : family.p);
	else
		snprintf(out, SAY_SIZE, "through a protocol that the log does not name");
	return out;
}

const char *say_actor(const struct world *w, uint32_t actor, char out[SAY_SIZE])
{
	struct str s = actor == NONE ? STR_NONE : world_actor(w, actor);
	if (!s.n)
		s = STR("an account that the log does not name");
	snprintf(out, SAY_SIZE, "%.*s", name_length(s), s.p);
	return out;
}

const char *say_mailboxes(const struct world *w, const struct u32_list *l, char out[SAY_SIZE])
{
	char first[SAY_SIZE];
	if (!l->n)
		snprintf(out, SAY_SIZE, "no mailbox that the log names");
	else if (l->total == 1)
		say_mailbox(w, l->v[0], out);
	else
		snprintf(out, SAY_SIZE, "%.*s and %s", SAY_NAME_MAX, say_mailbox(w, l->v[0], first), COUNT(l->total - 1, "other mailbox"));
	return out;
}

/* -- keys -- */

uint64_t key_mailbox(const struct world *w, uint32_t mailbox)
{
	return mailbox < w->mailbox_count ? w->mailboxes[mailbox].key : 0;
}

uint64_t key_client(const struct world *w, uint32_t client)
{
	return client < w->client_count ? w->clients[client].key : 0;
}

uint64_t key_net(const struct world *w, uint32_t net)
{
	return net < w->net_count ? w->nets[net].key : 0;
}

uint64_t key_text(struct str s)
{
	char folded[NAME_BYTES_MAX];
	size_t n = s.n < sizeof folded ? s.n : sizeof folded;
	for (size_t i = 0; i < n; i++)
		folded[i] = ascii_lower(s.p[i]);
	return hash64(folded, n, 0);
}

/* -- kept events -- */

struct kept kept_of(const struct event *e)
{
	struct kept k = {
		.time_us = e->rec->time_us, .folder = e->rec->folder,
		.mailbox = e->mailbox, .client = e->client, .actor = e->actor, .net = e->net,
		.items = e->rec->items, .flags = e->rec->flags & REC_ID_TEXT,
		.ip_kind = e->rec->ip_kind, .access = e->rec->access,
	};
	memcpy(k.id, e->rec->id, 16);
	memcpy(k.ip, e->rec->ip, 16);
	return k;
}

void kept_fold(struct alerts *a, struct alert *al, const struct kept *k)
{
	struct rec r = {
		.time_us = k->time_us, .folder = k->folder, .items = k->items, .flags = k->flags,
		.op = OP_MAIL_ITEMS_ACCESSED, .ip_kind = k->ip_kind, .access = k->access,
	};
	memcpy(r.id, k->id, 16);
	memcpy(r.ip, k->ip, 16);
	struct event e = { .rec = &r, .mailbox = k->mailbox, .client = k->client, .actor = k->actor, .net = k->net,
			   .tenant = NONE };
	alert_fold(a, al, &e);
}

/* -- networks of a mailbox -- */

bool reach(void **array, uint32_t *n, uint32_t index, size_t element)
{
	if (index < *n)
		return true;
	size_t want = (size_t)index + index / 2 + 16;
	if (want > UINT32_MAX)
		return false;
	char *p = realloc(*array, want * element);
	if (!p)
		return false;
	memset(p + *n * element, 0, (want - *n) * element);
	*array = p;
	*n = (uint32_t)want;
	return true;
}

void net_memory_release(struct net_memory *m)
{
	free(m->rows);
	*m = (struct net_memory){ 0 };
}

void net_memory_persist(struct persist *p, struct net_memory *m)
{
	rows_persist(p, (void **)&m->rows, &m->n, sizeof *m->rows, NULL);
}

bool net_memory_is_new(struct net_memory *m, uint32_t mailbox, uint32_t net)
{
	if (!net_is_real(net) || mailbox == NONE || !reach((void **)&m->rows, &m->n, mailbox, sizeof *m->rows))
		return false;
	uint32_t *v = m->rows[mailbox].v;
	if (v[0] == net)
		return false;
	unsigned at = 1;
	while (at < NET_MEMORY - 1 && v[at] && v[at] != net)
		at++;
	bool is_new = v[at] != net;
	memmove(v + 1, v, at * sizeof *v);
	v[0] = net;
	return is_new;
}

/* -- to bytes and back -- */

void rows_persist(struct persist *p, void **array, uint32_t *n, size_t element, persist_fix fix)
{
	persist_array(p, array, n, element, PERSIST_ROWS_MAX, fix);
}

void persist_room(struct persist *p, void **array, uint32_t *n, uint32_t *capacity, size_t element)
{
	uint32_t room = 16;
	if (!p->loading)
		return;
	while (room < *n)
		room *= 2;
	void *more = *n ? realloc(*array, room * element) : NULL;
	*capacity = more ? room : 0;
	if (more) {
		*array = more;
	} else if (*n) {
		persist_fail(p, "out of memory");
		*n = 0;
	}
}

void persist_check_below(struct persist *p, const struct table *t, uint32_t n)
{
	const uint32_t *v;
	for (size_t i = 0; p->loading && (v = table_next(t, &i, NULL));)
		if (*v >= n)
			persist_fail(p, "a number of a rule names nothing");
}
