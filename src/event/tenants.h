/* SPDX-License-Identifier: Apache-2.0 */
/* tenants: whose record is it?  Tenants do not describe each other, so every record is judged with those of
 * its own tenant only, and the tenant is decided from the whole data, whatever the order of files and records:
 *
 *   1. the tenant that the record names, if any record that is no sign-in names it too
 *   2. for a record that names none: the tenant of the data, if there is only one
 *   3. the tenant of its mailbox (GUID), then of the domain of the mailbox's owner, then of the account's domain (first as
 *      owners' domains say, then as accounts' domains say), then of the account itself if it has no domain; each only if
 *      all records that name a tenant agree
 *   4. for a sign-in: the tenant that it names.  (A user who signs in elsewhere leaves the name of that tenant in the log
 *      of his own; rule 3 has found it by then.)
 *   5. none: "unknown"
 *
 * Decoding threads hand every record to tenants_collect(); a small cache for each thread answers for nearly all of them.
 * Memory: 24 bytes for each mailbox GUID and domain. */
#ifndef TXM_EVENT_TENANTS_H
#define TXM_EVENT_TENANTS_H

#include "event/names.h"
#include "event/rec.h"

#define TENANT_UNKNOWN UINT64_C(0)
#define TENANT_REFUSED UINT64_MAX /* past TENANTS_MAX: not judged */

struct persist;
struct tenants;
struct tenants *tenants_new(unsigned lanes); /* NULL: out of memory */
void tenants_free(struct tenants *t);

/* -- while reading: one thread a lane -- */
/* Returns the record's origin, by which tenants_of_origin() knows it again; 0 for a record that is no sign-in. */
uint64_t tenants_collect(struct tenants *t, unsigned lane, const struct rec *r, const struct names *n);

/* -- when all is read; from one thread at a time for each place -- */
void tenants_ready(struct tenants *t, const struct names *n);
/* The reference (NAME_TENANT) of the record's tenant.  Each caller that runs in a thread of its own has a cache. */
struct tenants_cache { uint64_t named, mailbox, actor, ret; bool set, all; };
uint64_t tenants_of(const struct tenants *t, struct tenants_cache *c, const struct rec *r);
uint64_t tenants_of_origin(const struct tenants *t, uint64_t origin);
/* how many tenants records name; those past TENANTS_MAX among them */
uint32_t tenants_count(const struct tenants *t);
/* the only one, or TENANT_UNKNOWN */
uint64_t tenants_only(const struct tenants *t);
/* what was learnt, before the first tenants_collect() */
void tenants_persist(struct persist *p, struct tenants *t);

#endif
