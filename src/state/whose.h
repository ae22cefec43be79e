/* SPDX-License-Identifier: Apache-2.0 */
/* whose: which mailbox does a written name mean?  Administrators, exporters and scripts write
 *
 *   5f0c7a10-0000-4000-8000-0000000000a1, {5F0C7A10-...}     the mailbox's GUID, in any writing
 *   ann@example.com, SMTP:Ann@Example.com                    its address
 *   ann, EXAMPLE\ann                                         the part before the @, if only one mailbox of the tenant has it
 *   EURPR01A/.../ann                                         the last part of a path is read like any of these
 *   CN=ann,OU=..., /o=.../cn=Recipients/cn=<hex>-ann         and so is the name in a directory path
 *   Ann Example, "Example, Ann"                              a display name whose words are those of one address (ann.example@)
 *
 * in any case and with quotes.  A name counts inside its own tenant.  A name that fits several mailboxes means none of them. */
#ifndef TXM_STATE_WHOSE_H
#define TXM_STATE_WHOSE_H

#include "state/world.h"

struct whose {
	const struct world *world;
	struct table names; /* hash(form, tenant, text) -> uint32_t mailbox; WHOSE_SEVERAL */
};

/* Of the mailboxes that the world knows now. */
void whose_init(struct whose *x, const struct world *w);
void whose_release(struct whose *x);
/* NONE: no mailbox, or several.  tenant: world_tenant() of the record that has the name; NONE = it names none. */
uint32_t whose_find(const struct whose *x, uint32_t tenant, struct str name);

/* May a name in a record of tenant a mean something of tenant b?  An unnamed tenant is the only one, if there is only one. */
bool whose_same_tenant(const struct world *w, uint32_t a, uint32_t b);

/* The keys under which a name can be found, best first: of the GUID; of the address and of its local part; of the name alone and of
 * its words.  Returns their number.  Two names mean the same if they share a key, except for two addresses (WHOSE_ADDRESS) whose local
 * parts alone are equal. */
enum whose_form { WHOSE_GUID = 1, WHOSE_ADDRESS, WHOSE_LOCAL_OF_ADDRESS, WHOSE_LOCAL, WHOSE_WORDS };
#define WHOSE_KEYS_MAX 3
struct whose_key { enum whose_form form; uint64_t key; };
size_t whose_keys(struct str name, struct whose_key ret[WHOSE_KEYS_MAX]);
/* the name without path, prefix and quotes, for people; in `name` */
struct str whose_plain(struct str name);

#endif
