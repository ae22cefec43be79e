/* SPDX-License-Identifier: Apache-2.0 */
/* world: who there is.  Mailboxes, clients, actors, networks and tenants get dense numbers in the order in which
 * they are first seen in event time, and (mailbox, client) edges carry what one client did in one
 * mailbox.  The app inventory is read from it; detectors read it and never write it.
 *
 * Memory: a mailbox 64 bytes + label, an edge 48, a client 120 + texts; ceilings in limits.h.  A subject past its
 * ceiling is NONE and counted in world.refused. */
#ifndef TXM_STATE_WORLD_H
#define TXM_STATE_WORLD_H

#include "base/table.h"
#include "event/event.h"
#include "event/names.h"

struct asn_db;
struct persist;

struct world_mailbox {
	uint64_t key;        /* hash of the guid, or of the owner's name */
	const struct name *label; /* parts: guid, upn; the first in event time that has a upn.  NULL: text lost */
	int64_t first_us, last_us; /* mail records */
	uint64_t records, items;
	uint32_t clients;    /* edges */
	uint32_t syncs;
	uint32_t tenant;     /* of its first record that names one; NONE */
};

struct world_client {
	uint64_t key;        /* hash of (caller, api, family) */
	const struct name *label; /* parts: AppId, ClientAppId, caller, api, family */
	bool has_app;        /* caller is an application id, not a protocol's pseudo name */
	uint32_t mailboxes, networks; /* networks: not NET_NONE, not NET_MICROSOFT */
	bool microsoft_front_end;
	uint64_t records, binds, syncs, attachments, items, bytes;
	uint32_t folders_synced;
	int64_t first_us, last_us;
};

struct edge { /* one client in one mailbox */
	int64_t first_us, last_us;
	uint64_t items;
	uint32_t records, syncs, attachments;
	uint32_t folders_synced;
	uint32_t mailbox, client;
};

struct world_net {
	uint64_t key;
	char label[28];      /* "AS64500", "203.0.0.0/16", "2001:db8::/32", "Microsoft" */
	uint32_t asn;        /* 0 = none */
};

struct world {
	const struct names *names;
	struct asn_db *asn;       /* NULL: networks are /16 and /32 */
	uint64_t tenant;          /* names: whose world it is; 0 = unknown, or joint */
	bool joint;               /* of all tenants */
	struct world_mailbox *mailboxes; uint32_t mailbox_count;
	struct world_client *clients;    uint32_t client_count;
	const struct name **actors;      uint32_t actor_count;
	struct world_net *nets;          uint32_t net_count; /* [0] none, [1] Microsoft */
	const struct name **tenants;     uint32_t tenant_count; /* those seen: one, except in a joint world */
	uint32_t active_mailboxes;       /* with at least one mail record */
	int64_t first_us, last_us;       /* any record; 0, 0 = none */
	int64_t mail_first_us, mail_last_us;
	struct {                         /* distinct records */
		uint64_t records, mail_records, binds, syncs, attachments, unknown_access, items, bytes, signins;
		uint64_t by_class[CLASS_COUNT];
		uint64_t unknown_operations;
	} count;
	struct { uint64_t mailboxes, clients, actors, nets, edges, folders; } refused; /* records that found a full table */
	struct world_private *priv;
};

int world_init(struct world *w, const struct names *names, struct asn_db *asn);
void world_release(struct world *w);
/* All of it except the texts: p->names holds them.  Loading, after world_init(). */
void world_persist(struct persist *p, struct world *w);
/* Takes the next record of event time: counts it, resolves it, fills ret. */
void world_meet(struct world *w, const struct rec *r, struct event *ret);
/* the same for a record of that tenant, whatever it names (event/tenants.h) */
void world_meet_of(struct world *w, const struct rec *r, uint64_t tenant, struct event *ret);
/* Adds the counts, times and operations of a world to another, which has no subjects of its own. */
void world_add(struct world *to, const struct world *w);

/* labels; always a str that can be printed (escaped by the sink), "" where unknown */
struct str world_mailbox_guid(const struct world *w, uint32_t mailbox);
struct str world_mailbox_upn(const struct world *w, uint32_t mailbox);
struct str world_actor(const struct world *w, uint32_t actor);
struct str world_tenant(const struct world *w, uint32_t tenant);
struct str world_own_tenant(const struct world *w); /* whose world it is; "": unknown, or joint */
enum client_part { CLIENT_APP_ID, CLIENT_CLIENT_APP_ID, CLIENT_CALLER, CLIENT_API, CLIENT_FAMILY };
struct str world_client_part(const struct world *w, uint32_t client, enum client_part part);
struct str world_client_name(const struct world *w, uint32_t client); /* first-party name of the caller, or "" */
const char *world_net_label(const struct world *w, uint32_t net);
const struct edge *world_edge(const struct world *w, uint32_t mailbox, uint32_t client); /* NULL: none */
const struct edge *world_edge_next(const struct world *w, uint32_t *pos); /* in order of birth, *pos from 0, to NULL */
/* text of an id of a record: GUID, or the text of a hash; out holds ID_TEXT_SIZE bytes */
#define ID_TEXT_SIZE 520
struct str world_id_text(const struct world *w, const uint8_t id[16], bool is_text, char *out);
struct str world_token_text(const struct world *w, const uint8_t id[16], bool is_text, char *out);

/* operations seen, most frequent first; for the summary */
struct world_operation { struct str name; uint64_t count; bool known; };
size_t world_operations(const struct world *w, struct world_operation *ret, size_t max);

#endif
