/* SPDX-License-Identifier: Apache-2.0 */
/* truth: the ground truth of a simulated tenant (format: docs/simulator.md): its mailboxes, the attacks
 * on them, and the harmless events that may look like attacks.
 *
 * Names that only have to be distinguished are kept as hashes. */
#ifndef TXM_EVAL_TRUTH_H
#define TXM_EVAL_TRUTH_H

#include "base/table.h"
#include "eval/line.h"

/* Short names with numbers: kinds, classes, rules. */
struct eval_names { char text[EVAL_NAMES_MAX][32]; uint32_t n; };
/* The number of the name, made if new; EVAL_NAMES_MAX: no room. */
uint32_t eval_name(struct eval_names *names, struct str s);

/* A growing list; a new one is zero.  False: out of memory or past the ceiling. */
struct eval_list { uint32_t *v; size_t n, capacity; };
bool eval_list_add(struct eval_list *l, uint32_t x);
/* room for one more of `size` bytes; NULL: as above */
void *eval_grow(void *p, size_t n, size_t *capacity, size_t max, size_t size);

/* Whom and where something names: applications, networks, addresses. */
struct scope_client { uint64_t app_id, client_app_id, family; }; /* 0 = not named */
struct scope {
	struct scope_client *clients; size_t client_count, client_capacity;
	uint64_t *places; size_t place_count, place_capacity; /* networks and addresses */
};
void scope_release(struct scope *s);
bool scope_is_empty(const struct scope *s);
/* Do they have a client or a place in common?  A Microsoft front end is no place: anyone may be behind it. */
bool scopes_meet(const struct scope *a, const struct scope *b);
/* The members of a line into a scope; `clients` is the name of the list: "clients" in a truth, "apps" in an alert. */
bool clients_meet(const struct scope_client *a, const struct scope_client *b);
struct scope_client client_read(struct line_object *o); /* app_id, client_app_id, client */
bool scope_read(struct line_object *o, const char *clients, const char *addresses, struct scope *ret);

struct truth_mailbox {
	uint32_t class_;
	int32_t first_day, last_day;
	bool is_victim;
};

struct truth_hour { int32_t hour; int64_t items; };

struct truth_case { /* an attack or a confounder */
	uint32_t kind;
	int64_t first_us, last_us;
	int32_t first_day, last_day;
	bool whole_tenant;        /* a confounder that concerns everybody */
	uint32_t mailbox_at, mailbox_count; /* in truth.mailbox_lists */
	struct scope scope;
	int64_t items;            /* attack: all that it read */
	uint32_t hour_at, hour_count; /* in truth.hours */
};

struct truth_link { uint32_t mailbox, case_; }; /* sorted by mailbox */

struct truth {
	int64_t start_us;
	int32_t days, learn_days;
	struct table by_name;     /* hash of GUID or UPN in lower case -> number of the mailbox + 1 */
	struct truth_mailbox *mailboxes; size_t mailbox_count, mailbox_capacity;
	struct truth_case *attacks; size_t attack_count, attack_capacity;
	struct truth_case *events; size_t event_count, event_capacity;
	struct eval_list mailbox_lists;
	struct truth_hour *hours; size_t hour_count, hour_capacity;
	struct truth_link *attack_links, *event_links; size_t attack_link_count, event_link_count;
};

/* Classes and kinds get their numbers in `classes`, `attack_kinds` and `event_kinds`, which may be shared by several truths. */
struct truth_names { struct eval_names classes, attack_kinds, event_kinds; };
/* False: see *error. */
bool truth_read(struct truth *t, const char *path, struct truth_names *names, struct buf *error);
void truth_release(struct truth *t);
uint32_t truth_mailbox(const struct truth *t, struct str guid_or_upn); /* UINT32_MAX: no such */
/* the links of that mailbox: [*ret_from, *ret_to) */
void truth_links(const struct truth_link *links, size_t n, uint32_t mailbox, size_t *ret_from, size_t *ret_to);
/* Items that the attack had read at that time; those of the hour that contains it are taken as evenly spread. */
double truth_items_before(const struct truth *t, const struct truth_case *attack, int64_t us);

#endif
