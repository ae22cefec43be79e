/* SPDX-License-Identifier: Apache-2.0 */
/* world: who there is.
 *
 * Each distinct record comes once, in event-time order, and becomes an event: its subjects are dense numbers, and it
 * carries what was known before it.  A record names a subject by the 64-bit reference of a text (event/names.h).
 * Several references may mean one subject, so there are two steps, and the second is rare:
 *
 *   reference --recent[], by_ref--> number          every record: one small array that stays in cache, else one probe
 *   reference --names--> texts --> key --by_key--> number     the first time that a reference is seen
 *
 * Who is who
 *   mailbox  its GUID, whatever the owner is called today.  Without one the owner's UPN, ASCII case folded.  Such a
 *            record belongs to the GUID's mailbox if a record *before* it in event time had that GUID with that UPN;
 *            else to a mailbox of its own, permanently: numbers that were handed out are not merged afterwards, because
 *            detectors have already counted with them.  If two GUIDs come with one UPN (a name given anew), the first
 *            keeps it.  The zero GUID is no GUID.  A text in the GUID's place that is no GUID (a masked export) is a
 *            key unchanged.
 *   client   (caller, api, family).  AppId and ClientAppId as written are only the label.
 *   actor, tenant  the reference itself: their texts are folded before they are hashed.
 * A world is one tenant's, so that no subject can be taken for one of another tenant.  A joint one (impact) holds
 * all tenants: there the tenant is part of the key of mailboxes and clients.
 * A name whose text was lost (names are bounded) is a subject of its own, without a label.
 *
 * Labels: of a mailbox the first in event time that has a UPN; of a client the first that has both AppId and
 * ClientAppId, else the first.
 *
 * Edges, one for each client in each mailbox, are most of the memory.  They are stored in chunks that never move (a pointer to
 * an edge stays good), 48 bytes each, found through slots of 4 bytes, at most three fifths full.  A slot holds number
 * + 1 and six more bits of the hash, so that a search seldom looks at an edge that is not the one.
 *
 *   slots[hash(mailbox, client)] -> tag, 7 -> chunks[0][6]
 *
 * Distinct synced folders and distinct networks of a client are counted through sets of 64-bit hashes.  Everything has
 * a ceiling; what finds a full table is counted in world.refused, and its event says NONE (or has no edge).  Where an
 * edge was refused nothing is called new, since that is no longer known. */
#include <stdlib.h>

#include "base/guid.h"
#include "base/hash.h"
#include "base/limits.h"
#include "persist/persist.h"
#include "state/inventory.h"
#include "state/net.h"
#include "state/world.h"

#define MAILBOXES_MAX NAMES_MAX
#define RECENT 256               /* 4 KiB a kind */
#define NET_CACHE 2048           /* 64 KiB */
#define PAIR_CACHE 512
#define EDGES_PER_CHUNK 4096     /* 192 KiB */
#define EDGE_PROBE_MAX 1024      /* a run of slots this long does not happen by chance */
#define EDGE_NUMBER ((UINT32_C(1) << 26) - 1) /* the bits of a slot that hold number + 1; the others are the tag */

_Static_assert(EDGES_BASE + (uint64_t)EDGES_PER_MAILBOX * MAILBOXES_MAX < EDGE_NUMBER,
	"an edge's number fits its slot");
_Static_assert(sizeof(struct edge) <= 64, "the figure in the header");
_Static_assert(sizeof(((struct world_net *)0)->label) == NET_LABEL_SIZE, "a network's label");

/* kinds of keys, as seeds: one text in two roles has two keys */
enum { KEY_GUID = 1, KEY_UPN, KEY_UPN_OF_GUID, KEY_CLIENT, KEY_REF, KEY_NET_PAIR, KEY_FOLDER };

struct index {
	struct { uint64_t ref; uint32_t at; } recent[RECENT];
	struct table by_ref; /* -> uint32_t */
	struct table by_key; /* -> uint32_t; where several references can mean one */
	uint32_t capacity;   /* of the dense array */
};

struct edges {
	struct edge **chunks;
	uint32_t n, chunk_capacity;
	uint32_t *slots;     /* tag, number + 1; 0 = free */
	uint32_t slot_count; /* power of two, or 0 */
	uint32_t patience;   /* no new attempt to grow before n reaches this */
};

struct operation {
	uint64_t ref, count;
	bool known;
};

struct world_private {
	struct index mailboxes, clients, actors, tenants, operations;
	struct table net_by_key;
	uint32_t net_capacity;
	struct { uint64_t a, b; uint32_t net; uint8_t kind; bool set; } net_cache[NET_CACHE];
	struct edges edges;
	struct table folders;      /* set of (mailbox, client, folder) */
	struct table pairs;        /* set of (client, network) */
	uint64_t pair_cache[PAIR_CACHE];
	struct operation *ops;
	uint32_t op_count;
	struct operation others;   /* operations past OPERATIONS_MAX */
	bool timed;                /* first_us and last_us are set */
};

/* -- numbers -- */

static void index_init(struct index *x, size_t refs_max, size_t keys_max)
{
	table_init(&x->by_ref, sizeof(uint32_t), refs_max);
	table_init(&x->by_key, sizeof(uint32_t), keys_max);
}

static void index_release(struct index *x)
{
	table_release(&x->by_ref);
	table_release(&x->by_key);
}

static inline uint32_t index_find(struct index *x, uint64_t ref)
{
	unsigned place = ref % RECENT;
	const uint32_t *at;

	if (x->recent[place].ref == ref)
		return x->recent[place].at;
	at = table_get(&x->by_ref, ref);
	if (!at)
		return NONE;
	x->recent[place].ref = ref;
	x->recent[place].at = *at;
	return *at;
}

/* If the table is full the reference takes the long way each time, and arrives at the same number. */
static void index_learn(struct index *x, uint64_t ref, uint32_t at)
{
	uint32_t *place = table_put(&x->by_ref, ref, NULL);

	if (place)
		*place = at;
}

static uint32_t index_by_key(const struct index *x, uint64_t key)
{
	const uint32_t *at = table_get(&x->by_key, key);

	return at ? *at : NONE;
}

/* room for one more in a dense array; grows by half, so that little memory is unused */
static bool make_room(void **array, uint32_t n, uint32_t *capacity, size_t size)
{
	uint32_t more;
	void *p;

	if (n < *capacity)
		return true;
	more = *capacity + *capacity / 2 + 16;
	p = realloc(*array, more * size);
	if (!p)
		return false;
	*array = p;
	*capacity = more;
	return true;
}

static uint64_t folded_key(struct str s, uint64_t seed)
{
	char folded[NAME_BYTES_MAX];
	size_t n = s.n < sizeof(folded) ? s.n : sizeof(folded);

	for (size_t i = 0; i < n; i++)
		folded[i] = ascii_lower(s.p[i]);
	return hash64(folded, n, seed);
}

/* -- mailboxes -- */

/* the GUID's part of a mailbox name, "" for the zero GUID */
static struct str guid_part(const struct name *name)
{
	static const uint8_t zero[16];
	struct str s = name_part(name, 0);
	uint8_t g[16];

	return guid_parse(s, g) && memcmp(g, zero, 16) == 0 ? STR("") : s;
}

/* A mailbox with that key, made if need be. */
static uint32_t mailbox_by_key(struct world *w, uint64_t key, const struct name *name)
{
	struct index *x = &w->priv->mailboxes;
	uint32_t at = index_by_key(x, key), *place;

	if (at != NONE)
		return at;
	if (w->mailbox_count >= MAILBOXES_MAX)
		return NONE;
	if (!make_room((void **)&w->mailboxes, w->mailbox_count, &x->capacity, sizeof(*w->mailboxes)))
		return NONE;
	place = table_put(&x->by_key, key, NULL);
	if (!place)
		return NONE;
	at = *place = w->mailbox_count++;
	w->mailboxes[at] = (struct world_mailbox){ .key = key, .label = name, .tenant = NONE };
	return at;
}

/* the long way of a mailbox reference */
static uint32_t mailbox_first(struct world *w, uint64_t ref, uint64_t salt)
{
	struct index *x = &w->priv->mailboxes;
	const struct name *name = names_get(w->names, ref);
	struct str guid = guid_part(name), upn = name_part(name, 1);
	struct world_mailbox *m;
	uint8_t g[16];
	uint32_t at;

	if (!name) {
		at = mailbox_by_key(w, hash_mix(KEY_REF, ref) ^ salt, NULL);
	} else if (guid.n) {
		at = mailbox_by_key(w, (guid_parse(guid, g) ? hash64(g, 16, KEY_GUID) : folded_key(guid, KEY_GUID)) ^ salt, name);
		if (at != NONE && upn.n) {
			bool is_new;
			uint32_t *owner = table_put(&x->by_key, folded_key(upn, KEY_UPN_OF_GUID) ^ salt, &is_new);

			if (owner && is_new)
				*owner = at;
		}
	} else if (upn.n) {
		uint64_t key = folded_key(upn, KEY_UPN) ^ salt;

		at = index_by_key(x, key);
		if (at == NONE)
			at = index_by_key(x, folded_key(upn, KEY_UPN_OF_GUID) ^ salt);
		if (at == NONE)
			at = mailbox_by_key(w, key, name);
	} else {
		return NONE; /* neither GUID nor name: no mailbox, and nothing refused */
	}
	if (at == NONE) {
		w->refused.mailboxes++;
		return NONE;
	}
	index_learn(x, ref ^ salt, at);
	m = &w->mailboxes[at];
	if (name && (!m->label || (upn.n && !name_part(m->label, 1).n)))
		m->label = name;
	return at;
}

/* -- clients -- */

static bool has_both_apps(const struct name *name)
{
	return name_part(name, CLIENT_APP_ID).n && name_part(name, CLIENT_CLIENT_APP_ID).n;
}

static uint32_t client_first(struct world *w, uint64_t ref, uint64_t salt)
{
	struct index *x = &w->priv->clients;
	const struct name *name = names_get(w->names, ref);
	uint64_t key = hash_mix(KEY_REF, ref);
	uint32_t at, *place;
	uint8_t g[16];

	if (name) {
		key = KEY_CLIENT;
		for (unsigned part = CLIENT_CALLER; part <= CLIENT_FAMILY; part++)
			key = hash_str(name_part(name, part), hash_mix(key, name_part(name, part).n));
	}
	key ^= salt;
	at = index_by_key(x, key);
	if (at != NONE) {
		struct world_client *c = &w->clients[at];

		if (name && (!c->label || (has_both_apps(name) && !has_both_apps(c->label))))
			c->label = name;
		goto out;
	}
	if (w->client_count >= CLIENTS_MAX ||
	    !make_room((void **)&w->clients, w->client_count, &x->capacity, sizeof(*w->clients)) ||
	    !(place = table_put(&x->by_key, key, NULL))) {
		w->refused.clients++;
		return NONE;
	}
	at = *place = w->client_count++;
	w->clients[at] = (struct world_client){
		.key = key, .label = name, .has_app = guid_parse(name_part(name, CLIENT_CALLER), g),
	};
out:
	index_learn(x, ref ^ salt, at);
	return at;
}

/* -- actors, tenants: the reference is the subject -- */

static uint32_t named_first(struct world *w, struct index *x, const struct name ***array, uint32_t *count, uint32_t max,
	uint64_t ref)
{
	uint32_t *place;

	if (*count >= max || !make_room((void **)array, *count, &x->capacity, sizeof(**array)) ||
	    !(place = table_put(&x->by_ref, ref, NULL))) {
		w->refused.actors++;
		return NONE;
	}
	(*array)[*count] = names_get(w->names, ref);
	*place = *count;
	return (*count)++;
}

/* -- networks -- */

static uint32_t net_first(struct world *w, const struct addr *a)
{
	struct world_private *p = w->priv;
	struct net n = net_of(w->asn, a);
	const uint32_t *known;
	uint32_t *place;

	if (n.kind == NET_KIND_NONE)
		return NET_NONE;
	if (n.kind == NET_KIND_MICROSOFT)
		return NET_MICROSOFT;
	known = table_get(&p->net_by_key, n.key);
	if (known)
		return *known;
	if (w->net_count >= NETS_MAX || !make_room((void **)&w->nets, w->net_count, &p->net_capacity, sizeof(*w->nets)) ||
	    !(place = table_put(&p->net_by_key, n.key, NULL))) {
		w->refused.nets++;
		return NET_NONE;
	}
	w->nets[w->net_count] = (struct world_net){ .key = n.key, .asn = n.asn };
	net_label(&n, a, w->nets[w->net_count].label);
	*place = w->net_count;
	return w->net_count++;
}

static uint32_t meet_net(struct world *w, const struct rec *r)
{
	struct world_private *p = w->priv;
	struct addr address;
	uint64_t a, b;
	size_t place;

	if (r->ip_kind != ADDR_V4 && r->ip_kind != ADDR_V6)
		return NET_NONE;
	memcpy(&a, r->ip, 8);
	memcpy(&b, r->ip + 8, 8);
	place = hash_mix(a, b) % NET_CACHE;
	if (p->net_cache[place].set && p->net_cache[place].a == a && p->net_cache[place].b == b &&
	    p->net_cache[place].kind == r->ip_kind)
		return p->net_cache[place].net;
	address.kind = r->ip_kind;
	memcpy(address.b, r->ip, 16);
	p->net_cache[place].a = a;
	p->net_cache[place].b = b;
	p->net_cache[place].kind = r->ip_kind;
	p->net_cache[place].set = true;
	p->net_cache[place].net = net_first(w, &address);
	return p->net_cache[place].net;
}

/* -- edges -- */

static inline struct edge *edge_at(const struct edges *x, uint32_t i)
{
	return &x->chunks[i / EDGES_PER_CHUNK][i % EDGES_PER_CHUNK];
}

static inline struct edge *edge_in(const struct edges *x, uint32_t slot)
{
	return edge_at(x, (slot & EDGE_NUMBER) - 1);
}

static inline uint64_t edge_hash(uint32_t mailbox, uint32_t client)
{
	return hash_mix(mailbox, client);
}

/* the tag comes from the upper half of the hash, the place from the lower */
static inline uint32_t edge_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32) & ~EDGE_NUMBER;
}

/* the slot of that edge, or the free one where it would go; NULL: neither within reach, or no slots at all */
static uint32_t *edge_slot(const struct edges *x, uint32_t mailbox, uint32_t client)
{
	uint64_t hash = edge_hash(mailbox, client);
	uint32_t mask = x->slot_count - 1, i = (uint32_t)hash & mask, tag = edge_tag(hash);

	if (!x->slot_count)
		return NULL;
	for (unsigned step = 0; step < EDGE_PROBE_MAX; step++, i = (i + 1) & mask) {
		uint32_t slot = x->slots[i];

		if (!slot)
			return &x->slots[i];
		if ((slot & ~EDGE_NUMBER) == tag) {
			const struct edge *e = edge_in(x, slot);

			if (e->mailbox == mailbox && e->client == client)
				return &x->slots[i];
		}
	}
	return NULL;
}

static bool edges_grow(struct edges *x)
{
	struct edges bigger = *x;

	if (x->slot_count > UINT32_MAX / 4)
		return false;
	bigger.slot_count = x->slot_count ? x->slot_count * 2 : 1024;
	bigger.slots = calloc(bigger.slot_count, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (uint32_t i = 0; i < x->n; i++) {
		const struct edge *e = edge_at(x, i);
		uint32_t *slot = edge_slot(&bigger, e->mailbox, e->client);

		if (!slot) { /* pairs chosen to collide: stay as we are */
			free(bigger.slots);
			return false;
		}
		*slot = edge_tag(edge_hash(e->mailbox, e->client)) | (i + 1);
	}
	free(x->slots);
	x->slots = bigger.slots;
	x->slot_count = bigger.slot_count;
	return true;
}

/* The edge of that client in that mailbox, made (zeroed) if it is new.  NULL: refused. */
static struct edge *edge_meet(struct world *w, uint32_t mailbox, uint32_t client, bool *ret_new)
{
	struct edges *x = &w->priv->edges;
	uint32_t *slot = edge_slot(x, mailbox, client);
	struct edge *e;

	*ret_new = false;
	if (slot && *slot)
		return edge_in(x, *slot);
	if (x->n >= EDGES_BASE + (uint64_t)EDGES_PER_MAILBOX * w->mailbox_count)
		return NULL;
	if (!slot || x->n >= x->slot_count / 5 * 3) {
		/* out of reach in a nearly empty table: pairs chosen to collide, which more room would not separate */
		if (x->slot_count && !slot && x->n < x->slot_count / 8)
			return NULL;
		if (x->n < x->patience)
			return NULL;
		if (!edges_grow(x)) { /* an attempt reads every edge: not one a record */
			x->patience = x->n + x->n / 8 + 1;
			return NULL;
		}
		slot = edge_slot(x, mailbox, client);
		if (!slot)
			return NULL;
	}
	if (x->n % EDGES_PER_CHUNK == 0) {
		struct edge *chunk;

		if (!make_room((void **)&x->chunks, x->n / EDGES_PER_CHUNK, &x->chunk_capacity, sizeof(*x->chunks)))
			return NULL;
		chunk = malloc(EDGES_PER_CHUNK * sizeof(*chunk));
		if (!chunk)
			return NULL;
		x->chunks[x->n / EDGES_PER_CHUNK] = chunk;
	}
	e = edge_at(x, x->n);
	*e = (struct edge){ .mailbox = mailbox, .client = client };
	*slot = edge_tag(edge_hash(mailbox, client)) | ++x->n;
	*ret_new = true;
	return e;
}

static void edges_release(struct edges *x)
{
	for (uint32_t i = 0; i < x->n; i += EDGES_PER_CHUNK)
		free(x->chunks[i / EDGES_PER_CHUNK]);
	free(x->chunks);
	free(x->slots);
	*x = (struct edges){ 0 };
}

/* -- a record -- */

static inline int64_t since(int64_t now, int64_t first)
{
	return now > first ? now - first : 0;
}

/* what one access adds */
struct access {
	bool bind, sync, attachment;
	uint64_t items, bytes;
};

static struct access access_of(const struct rec *r)
{
	struct access a = { 0 };

	a.attachment = r->op == OP_ATTACHMENT_ACCESS || r->access == ACCESS_ATTACHMENT;
	a.bind = !a.attachment && r->access == ACCESS_BIND;
	a.sync = !a.attachment && r->access == ACCESS_SYNC;
	if (a.bind || a.attachment) { /* how much a sync took is unknown, which is not the same as a number */
		a.items = r->items;
		a.bytes = r->bytes;
	}
	return a;
}

static struct operation *operation_of(struct world *w, uint64_t ref, bool known)
{
	struct world_private *p = w->priv;
	struct operation *o = &p->others;
	uint32_t at = index_find(&p->operations, ref), *place;

	if (at != NONE) {
		o = &p->ops[at];
	} else if (p->op_count < OPERATIONS_MAX &&
		   make_room((void **)&p->ops, p->op_count, &p->operations.capacity, sizeof(*p->ops)) &&
		   (place = table_put(&p->operations.by_ref, ref, NULL))) {
		*place = p->op_count++;
		o = &p->ops[*place];
		*o = (struct operation){ .ref = ref, .known = known };
	}
	return o;
}

static void count_record(struct world *w, const struct rec *r)
{
	if (!(r->flags & REC_NO_TIME)) { /* else its time is only a place in the order */
		if (!w->priv->timed || r->time_us < w->first_us)
			w->first_us = r->time_us;
		if (!w->priv->timed || r->time_us > w->last_us)
			w->last_us = r->time_us;
		w->priv->timed = true;
	}
	w->count.records++;
	if (r->class_ < CLASS_COUNT)
		w->count.by_class[r->class_]++;
	if (r->class_ == CLASS_SIGNIN ||
	    (r->class_ == CLASS_AUDIT && (r->op == OP_USER_LOGGED_IN || r->op == OP_USER_LOGIN_FAILED)))
		w->count.signins++;
	if (r->class_ == CLASS_AUDIT && r->op == OP_OTHER)
		w->count.unknown_operations++;
	if (r->operation)
		operation_of(w, r->operation, r->op != OP_OTHER)->count++;
}

static void count_mail(struct world *w, const struct rec *r, const struct access *a)
{
	if (!w->count.mail_records || r->time_us < w->mail_first_us)
		w->mail_first_us = r->time_us;
	if (!w->count.mail_records || r->time_us > w->mail_last_us)
		w->mail_last_us = r->time_us;
	w->count.mail_records++;
	w->count.binds += a->bind;
	w->count.syncs += a->sync;
	w->count.attachments += a->attachment;
	w->count.unknown_access += !a->bind && !a->sync && !a->attachment;
	w->count.items += a->items;
	w->count.bytes += a->bytes;
}

static void meet_mailbox(struct world *w, const struct rec *r, const struct access *a, struct event *ret)
{
	struct world_mailbox *m = &w->mailboxes[ret->mailbox];

	ret->mailbox_is_new = !m->records;
	ret->mailbox_learnt_us = m->records ? since(r->time_us, m->first_us) : 0;
	if (!m->records) {
		w->active_mailboxes++;
		m->first_us = m->last_us = r->time_us;
	}
	if (r->time_us > m->last_us)
		m->last_us = r->time_us;
	m->records++;
	m->syncs += a->sync;
	m->items += a->items;
}

static void meet_client(struct world *w, const struct rec *r, const struct access *a, struct event *ret)
{
	struct world_private *p = w->priv;
	struct world_client *c = &w->clients[ret->client];

	if (!c->records)
		c->first_us = c->last_us = r->time_us;
	if (r->time_us > c->last_us)
		c->last_us = r->time_us;
	c->records++;
	c->binds += a->bind;
	c->syncs += a->sync;
	c->attachments += a->attachment;
	c->items += a->items;
	c->bytes += a->bytes;
	if (ret->net == NET_MICROSOFT) {
		c->microsoft_front_end = true;
	} else if (ret->net != NET_NONE) {
		uint64_t pair = hash_mix(hash_mix(KEY_NET_PAIR, ret->client), ret->net);
		uint64_t *recent = &p->pair_cache[pair % PAIR_CACHE];
		bool is_new;

		if (*recent == pair)
			return;
		if (!table_put(&p->pairs, pair, &is_new))
			w->refused.nets++;
		else
			*recent = pair;
		c->networks += is_new;
	}
}

static void meet_edge(struct world *w, const struct rec *r, const struct access *a, struct event *ret)
{
	struct world_private *p = w->priv;
	struct world_client *c = &w->clients[ret->client];
	struct world_mailbox *m = &w->mailboxes[ret->mailbox];
	struct edge *e;
	bool is_new;

	ret->client_mailboxes = c->mailboxes;
	e = edge_meet(w, ret->mailbox, ret->client, &is_new);
	if (!e) {
		w->refused.edges++;
		return;
	}
	if (is_new) {
		e->first_us = e->last_us = r->time_us;
		ret->edge_is_new = true;
		ret->client_is_new = !c->mailboxes;
		c->mailboxes++;
		m->clients++;
	}
	if (r->time_us > e->last_us)
		e->last_us = r->time_us;
	e->records++;
	e->syncs += a->sync;
	e->attachments += a->attachment;
	e->items += a->items;
	if (a->sync && r->folder) {
		uint64_t folder = hash_mix(hash_mix(hash_mix(KEY_FOLDER, ret->mailbox), ret->client), r->folder);

		p->folders.max = EDGES_BASE + (size_t)FOLDERS_PER_MAILBOX * w->mailbox_count;
		if (!table_put(&p->folders, folder, &is_new))
			w->refused.folders++;
		e->folders_synced += is_new;
		c->folders_synced += is_new;
	}
	ret->edge = e;
}

void world_meet(struct world *w, const struct rec *r, struct event *ret)
{
	world_meet_of(w, r, r->tenant, ret);
}

void world_meet_of(struct world *w, const struct rec *r, uint64_t tenant, struct event *ret)
{
	struct world_private *p = w->priv;
	const uint64_t salt = w->joint ? tenant : 0; /* names are hashes: a subject of another tenant is another subject */

	*ret = (struct event){ .rec = r, .mailbox = NONE, .client = NONE, .actor = NONE, .tenant = NONE };
	if (r->mailbox && (ret->mailbox = index_find(&p->mailboxes, r->mailbox ^ salt)) == NONE)
		ret->mailbox = mailbox_first(w, r->mailbox, salt);
	if (r->client && (ret->client = index_find(&p->clients, r->client ^ salt)) == NONE)
		ret->client = client_first(w, r->client, salt);
	if (r->actor && (ret->actor = index_find(&p->actors, r->actor)) == NONE)
		ret->actor = named_first(w, &p->actors, &w->actors, &w->actor_count, ACTORS_MAX, r->actor);
	if (tenant && (ret->tenant = index_find(&p->tenants, tenant)) == NONE)
		ret->tenant = named_first(w, &p->tenants, &w->tenants, &w->tenant_count, TENANTS_NAMED_MAX, tenant);
	/* what the last steps will touch, and what is most likely in no cache, is asked for now */
	if (ret->mailbox != NONE) {
		__builtin_prefetch(&w->mailboxes[ret->mailbox], 1);
		if (p->edges.slot_count)
			__builtin_prefetch(&p->edges.slots[edge_hash(ret->mailbox, ret->client) & (p->edges.slot_count - 1)]);
	}
	ret->net = meet_net(w, r);
	ret->active_mailboxes = w->active_mailboxes;
	ret->tenant_learnt_us = w->count.mail_records ? since(r->time_us, w->mail_first_us) : 0;

	count_record(w, r);
	if (ret->mailbox != NONE && w->mailboxes[ret->mailbox].tenant == NONE)
		w->mailboxes[ret->mailbox].tenant = ret->tenant;
	if (event_is_mail(ret)) {
		struct access a = access_of(r);

		count_mail(w, r, &a);
		if (ret->mailbox != NONE)
			meet_mailbox(w, r, &a, ret);
		if (ret->client != NONE)
			meet_client(w, r, &a, ret);
		if (ret->mailbox != NONE && ret->client != NONE)
			meet_edge(w, r, &a, ret);
	}
}

/* -- all tenants together -- */

/* What can be added up: counts and times.  Subjects stay where they are. */
void world_add(struct world *to, const struct world *w)
{
	struct world_private *p = to->priv;
	uint64_t *sum = (uint64_t *)&to->count;
	const uint64_t *add = (const uint64_t *)&w->count;

	_Static_assert(sizeof(w->count) % sizeof(uint64_t) == 0 && sizeof(w->refused) % sizeof(uint64_t) == 0, "counts alone");
	if (w->priv->timed) {
		to->first_us = !p->timed || w->first_us < to->first_us ? w->first_us : to->first_us;
		to->last_us = !p->timed || w->last_us > to->last_us ? w->last_us : to->last_us;
		p->timed = true;
	}
	if (w->count.mail_records) {
		to->mail_first_us = !to->count.mail_records || w->mail_first_us < to->mail_first_us ? w->mail_first_us : to->mail_first_us;
		to->mail_last_us = !to->count.mail_records || w->mail_last_us > to->mail_last_us ? w->mail_last_us : to->mail_last_us;
	}
	for (size_t i = 0; i < sizeof(w->count) / sizeof(*sum); i++)
		sum[i] += add[i];
	sum = (uint64_t *)&to->refused;
	add = (const uint64_t *)&w->refused;
	for (size_t i = 0; i < sizeof(w->refused) / sizeof(*sum); i++)
		sum[i] += add[i];
	to->active_mailboxes += w->active_mailboxes;
	p->others.count += w->priv->others.count;
	for (uint32_t i = 0; i < w->priv->op_count; i++) {
		struct operation *o = operation_of(to, w->priv->ops[i].ref, w->priv->ops[i].known);

		o->count += w->priv->ops[i].count;
	}
}

/* -- life -- */

int world_init(struct world *w, const struct names *names, struct asn_db *asn)
{
	struct world_private *p = calloc(1, sizeof(*p));
	struct world_net *nets = calloc(16, sizeof(*nets));

	*w = (struct world){ .names = names, .asn = asn };
	if (!p || !nets) {
		free(p);
		free(nets);
		return -1;
	}
	index_init(&p->mailboxes, NAMES_MAX, 2 * (size_t)MAILBOXES_MAX); /* a mailbox has a key and its owner's name */
	index_init(&p->clients, (size_t)4 * CLIENTS_MAX, CLIENTS_MAX);
	index_init(&p->actors, ACTORS_MAX, 0);
	index_init(&p->tenants, TENANTS_NAMED_MAX, 0);
	index_init(&p->operations, OPERATIONS_MAX, 0);
	table_init(&p->net_by_key, sizeof(uint32_t), NETS_MAX);
	table_init(&p->folders, 0, EDGES_BASE);
	table_init(&p->pairs, 0, CLIENT_NETS_MAX);
	w->priv = p;
	w->nets = nets;
	p->net_capacity = 16;
	w->net_count = 2;
	memcpy(nets[NET_MICROSOFT].label, "Microsoft", sizeof("Microsoft"));
	return 0;
}

void world_release(struct world *w)
{
	struct world_private *p = w->priv;

	if (p) {
		table_release(&p->pairs);
		table_release(&p->folders);
		table_release(&p->net_by_key);
		index_release(&p->operations);
		index_release(&p->tenants);
		index_release(&p->actors);
		index_release(&p->clients);
		index_release(&p->mailboxes);
		edges_release(&p->edges);
		free(p->ops);
		free(p);
	}
	free(w->tenants);
	free(w->nets);
	free(w->actors);
	free(w->clients);
	free(w->mailboxes);
	*w = (struct world){ 0 };
}

/* -- to bytes and back: dense numbers stay what they were; caches begin empty -- */

static void fix_mailbox(struct persist *p, void *element) { names_persist_one(p, &((struct world_mailbox *)element)->label); }
static void fix_client(struct persist *p, void *element) { names_persist_one(p, &((struct world_client *)element)->label); }
static void fix_name(struct persist *p, void *element) { names_persist_one(p, (const struct name **)element); }

/* every number that the index hands out is one of n subjects */
static void index_persist(struct persist *p, struct index *x, uint32_t n)
{
	struct table *tables[] = { &x->by_ref, &x->by_key };

	for (unsigned i = 0; i < 2; i++) {
		const uint32_t *at;

		persist_table(p, tables[i], NULL);
		for (size_t k = 0; p->loading && (at = table_next(tables[i], &k, NULL)); )
			if (*at >= n)
				persist_fail(p, "a number of it is unknown");
	}
	x->capacity = p->loading ? n : x->capacity;
	if (persist_failed(p) && p->loading) {
		table_release(&x->by_ref);
		table_release(&x->by_key);
	}
}

static void edges_persist(struct persist *p, struct world *w)
{
	struct edges *x = &w->priv->edges;
	uint32_t n = x->n, patience = x->patience;

	persist_count(p, &n, EDGE_NUMBER - 1);
	persist_u32(p, &patience);
	if (!persist_element(p, sizeof(struct edge)))
		return;
	for (uint32_t i = 0; i < n && !p->loading; i++)
		persist_bytes(p, edge_at(x, i), sizeof(struct edge));
	if (!p->loading)
		return;
	for (uint32_t i = 0; i < n && !persist_failed(p); i++) {
		struct edge e, *place;
		bool is_new;

		persist_bytes(p, &e, sizeof(e));
		if (persist_failed(p))
			break;
		if (e.mailbox >= w->mailbox_count || e.client >= w->client_count) {
			persist_fail(p, "a number of it is unknown");
			break;
		}
		place = edge_meet(w, e.mailbox, e.client, &is_new);
		if (!place || !is_new)
			persist_fail(p, "its edges do not fit together");
		else
			*place = e;
	}
	x->patience = patience;
}

void world_persist(struct persist *p, struct world *w)
{
	struct world_private *v = w->priv;

	persist_mark(p, "world");
	persist_u64(p, &w->tenant);
	persist_array(p, (void **)&w->mailboxes, &w->mailbox_count, sizeof(*w->mailboxes), MAILBOXES_MAX, fix_mailbox);
	persist_array(p, (void **)&w->clients, &w->client_count, sizeof(*w->clients), CLIENTS_MAX, fix_client);
	persist_array(p, (void **)&w->actors, &w->actor_count, sizeof(struct name *), ACTORS_MAX, fix_name);
	persist_array(p, (void **)&w->tenants, &w->tenant_count, sizeof(struct name *), TENANTS_NAMED_MAX, fix_name);
	persist_array(p, (void **)&w->nets, &w->net_count, sizeof(*w->nets), NETS_MAX, NULL);
	if (w->net_count < 2)
		persist_fail(p, "it has no networks");
	for (uint32_t i = 0; i < w->net_count; i++)
		w->nets[i].label[NET_LABEL_SIZE - 1] = '\0';
	persist_u32(p, &w->active_mailboxes);
	persist_i64(p, &w->first_us);
	persist_i64(p, &w->last_us);
	persist_i64(p, &w->mail_first_us);
	persist_i64(p, &w->mail_last_us);
	persist_struct(p, &w->count, sizeof(w->count));
	persist_struct(p, &w->refused, sizeof(w->refused));
	persist_array(p, (void **)&v->ops, &v->op_count, sizeof(*v->ops), OPERATIONS_MAX, NULL);
	persist_struct(p, &v->others, sizeof(v->others));
	persist_bool(p, &v->timed);
	index_persist(p, &v->mailboxes, w->mailbox_count);
	index_persist(p, &v->clients, w->client_count);
	index_persist(p, &v->actors, w->actor_count);
	index_persist(p, &v->tenants, w->tenant_count);
	index_persist(p, &v->operations, v->op_count);
	persist_table(p, &v->net_by_key, NULL);
	v->net_capacity = p->loading ? w->net_count : v->net_capacity;
	v->folders.max = EDGES_BASE + (size_t)FOLDERS_PER_MAILBOX * w->mailbox_count;
	persist_table(p, &v->folders, NULL);
	persist_table(p, &v->pairs, NULL);
	edges_persist(p, w);
}

/* -- labels -- */

struct str world_mailbox_guid(const struct world *w, uint32_t mailbox)
{
	return mailbox < w->mailbox_count ? guid_part(w->mailboxes[mailbox].label) : STR("");
}

struct str world_mailbox_upn(const struct world *w, uint32_t mailbox)
{
	return mailbox < w->mailbox_count ? name_part(w->mailboxes[mailbox].label, 1) : STR("");
}

struct str world_actor(const struct world *w, uint32_t actor)
{
	return actor < w->actor_count ? name_part(w->actors[actor], 0) : STR("");
}

struct str world_tenant(const struct world *w, uint32_t tenant)
{
	return tenant < w->tenant_count ? name_part(w->tenants[tenant], 0) : STR("");
}

struct str world_own_tenant(const struct world *w)
{
	return name_part(names_get(w->names, w->tenant), 0);
}

struct str world_client_part(const struct world *w, uint32_t client, enum client_part part)
{
	return client < w->client_count ? name_part(w->clients[client].label, part) : STR("");
}

struct str world_client_name(const struct world *w, uint32_t client)
{
	uint8_t id[16];

	return guid_parse(world_client_part(w, client, CLIENT_CALLER), id) ? app_name(id) : STR("");
}

const char *world_net_label(const struct world *w, uint32_t net)
{
	return net < w->net_count ? w->nets[net].label : "";
}

const struct edge *world_edge(const struct world *w, uint32_t mailbox, uint32_t client)
{
	const uint32_t *slot = edge_slot(&w->priv->edges, mailbox, client);

	return slot && *slot ? edge_in(&w->priv->edges, *slot) : NULL;
}

const struct edge *world_edge_next(const struct world *w, uint32_t *pos)
{
	return *pos < w->priv->edges.n ? edge_at(&w->priv->edges, (*pos)++) : NULL;
}

/* An id that was a text is the hash of it, and the first eight bytes are its reference.  A text that was lost leaves
 * the hash: it still distinguishes two ids. */
static struct str text_of_hash(const struct world *w, const uint8_t id[16], char *out)
{
	static const char digits[] = "0123456789abcdef";
	const struct name *name;
	uint64_t ref;
	char *to = out;

	memcpy(&ref, id, sizeof(ref));
	name = names_get(w->names, ref);
	if (name && name->kind == NAME_ID)
		return name_part(name, 0);
	to = (char *)memcpy(to, "hash:", 5) + 5;
	for (unsigned i = 0; i < 16; i++) {
		*to++ = digits[id[i] >> 4];
		*to++ = digits[id[i] & 15];
	}
	*to = '\0';
	return (struct str){ out, (size_t)(to - out) };
}

_Static_assert(ID_TEXT_SIZE >= GUID_TEXT_SIZE && ID_TEXT_SIZE > 5 + 32, "an id's text fits");

struct str world_id_text(const struct world *w, const uint8_t id[16], bool is_text, char *out)
{
	return is_text ? text_of_hash(w, id, out) : str_of(guid_format(id, out));
}

/* as the log writes a token id: 22 characters */
struct str world_token_text(const struct world *w, const uint8_t id[16], bool is_text, char *out)
{
	return is_text ? text_of_hash(w, id, out) : str_of(guid_to_token_id(id, out));
}

/* -- operations -- */

/* most frequent first; ties by name, then by reference (a lost text has no name) */
static int operation_order(const void *a, const void *b, void *names)
{
	const struct operation *x = a, *y = b;
	struct str s = name_part(names_get(names, x->ref), 0), t = name_part(names_get(names, y->ref), 0);
	size_t n = s.n < t.n ? s.n : t.n;
	int order;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	order = n ? memcmp(s.p, t.p, n) : 0;
	if (order)
		return order;
	if (s.n != t.n)
		return s.n < t.n ? -1 : 1;
	return x->ref < y->ref ? -1 : x->ref > y->ref;
}

size_t world_operations(const struct world *w, struct world_operation *ret, size_t max)
{
	const struct world_private *p = w->priv;
	struct operation *sorted;
	uint64_t others = p->others.count;
	size_t n = 0;

	if (!max)
		return 0;
	sorted = malloc((p->op_count + 1) * sizeof(*sorted));
	if (!sorted)
		return 0;
	if (p->op_count)
		memcpy(sorted, p->ops, p->op_count * sizeof(*sorted));
	qsort_r(sorted, p->op_count, sizeof(*sorted), operation_order, (void *)w->names);
	for (size_t i = 0; i < p->op_count; i++) {
		/* the last place is kept for the others, if there will be any */
		if (n + 1 < max || (n + 1 == max && i + 1 == p->op_count && !others))
			ret[n++] = (struct world_operation){
				name_part(names_get(w->names, sorted[i].ref), 0), sorted[i].count, sorted[i].known,
			};
		else
			others += sorted[i].count;
	}
	if (others)
		ret[n++] = (struct world_operation){ STR("(others)"), others, false };
	free(sorted);
	return n;
}
