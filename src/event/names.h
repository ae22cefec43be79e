/* SPDX-License-Identifier: Apache-2.0 */
/* names: texts by the hash of their content.  A decoder thread fills its own; they are joined before the detectors run.
 * A name is (kind, up to NAME_PARTS texts); its reference is the same on every machine, in every order, in every thread. */
#ifndef TXM_EVENT_NAMES_H
#define TXM_EVENT_NAMES_H

#include "base/str.h"
#include "base/table.h"

struct persist;

enum name_kind {
	NAME_MAILBOX,   /* parts: guid (lower case, "" if absent), owner's UPN as written */
	NAME_CLIENT,    /* parts: AppId, ClientAppId (lower case, "" if absent), caller, api, family: see decode/client.h */
	NAME_ACTOR,     /* parts: UserId, ASCII case folded */
	NAME_TENANT,    /* parts: OrganizationId, lower case */
	NAME_OPERATION, /* parts: exact text */
	NAME_ID,        /* parts: text of a record, session or token id that is not a GUID; reference = first 8 bytes of its hash */
	NAME_KIND_COUNT,
};

#define NAME_PARTS 5

struct name {
	uint8_t kind;
	uint16_t length[NAME_PARTS]; /* of the parts, which follow one another in text */
	char text[];
};

struct names {
	struct table by_ref;  /* ref -> struct name * */
	struct name_block *blocks;
	size_t bytes;
	uint64_t refused;     /* names not kept: full or out of memory; the reference works all the same, the text is lost */
};

void names_init(struct names *n);
void names_release(struct names *n);
/* Reference of that name (never 0).  Keeps the texts, each cut at NAME_BYTES_MAX, if it is new. */
uint64_t names_put(struct names *n, enum name_kind kind, const struct str *parts, unsigned count);
/* the reference alone; nothing is kept */
uint64_t names_ref(enum name_kind kind, const struct str *parts, unsigned count);
/* keeps the name under the caller's own reference (NAME_ID) */
void names_put_ref(struct names *n, uint64_t ref, enum name_kind kind, const struct str *parts, unsigned count);
bool names_has(const struct names *n, uint64_t ref);
const struct name *names_get(const struct names *n, uint64_t ref); /* NULL: 0, or text lost */
struct str name_part(const struct name *n, unsigned part);         /* "" for NULL */
uint64_t name_ref_of(const struct name *n);                          /* its reference; 0 for NULL */
/* All of it; loading, into an empty one. */
void names_persist(struct persist *p, struct names *n);
/* For fix functions (persist/persist.h): a pointer to a name of p->names becomes its reference, and back. */
void names_persist_one(struct persist *p, const struct name **name);
/* moves everything from other, which is empty afterwards */
void names_take(struct names *n, struct names *other);

#endif
