/* SPDX-License-Identifier: Apache-2.0 */
/* select: which records of an export belong to the incident that is asked about.
 *
 * A selection is what an analyst knows: the id of an alert, a session, a token, an application, a network, a user, a
 * mailbox, a span of time.  Of one kind any may fit, of different kinds all must.  What an alert selects depends on what it is
 * about (enum alert_way, a row for each rule in alerts.c):
 *
 *   tokens     the accesses with its tokens; of records without a token id, those of its sessions.  Never an access that is linked
 *              to a sign-in, unless the alert is about linked ones
 *   context    its applications and places together, in the mailboxes that it names, from its first record on
 *   throttled  every read of the mailbox in the day before Exchange stopped recording; of the applications that the alert names, from
 *              reads_since on
 *   dark       no access: the accounts whose recording was switched off, and the time until it was on again */
#ifndef TXM_IMPACT_SELECT_H
#define TXM_IMPACT_SELECT_H

#include "base/buf.h"
#include "base/period.h"
#include "base/table.h"
#include "event/names.h"
#include "event/rec.h"
#include "state/net.h"

struct select_net { /* an address with a prefix, or a label such as AS64500 */
	struct addr addr;
	unsigned bits;
	char label[NET_LABEL_SIZE];
};

enum alert_way {
	WAY_CONTEXT,
	WAY_ORPHANS,   /* tokens that no sign-in issued */
	WAY_SHARED,    /* tokens or sessions that their owner uses too: where the alert saw them */
	WAY_SPLIT,     /* sessions or tokens in two places */
	WAY_FOREIGN,   /* tokens of another tenant */
	WAY_THROTTLED,
	WAY_DARK,
};

struct select_alert { /* one alert of a findings file */
	char *id, *title, *rule, *severity;
	enum alert_way way;
	bool intruder;          /* it means that an intruder was at work; others mean that something was unusual */
	bool tokens_cut;        /* it had more tokens than it lists */
	int64_t first_us, last_us;
	struct table clients;   /* hash(AppId, ClientAppId, family) */
	struct table ips, nets; /* hash of the address; of the label */
	struct table sessions, tokens;
	struct table mailboxes; /* guid, upn */
	struct table evidence;  /* record ids */
	char *tenant;           /* its name, "" = the records that nothing assigns to one; NULL = the findings do not say */
	int64_t reads_since_us; /* WAY_THROTTLED: when the reading that led to the limit began */
	struct mailbox_name { char *guid, *upn; } *names; size_t name_count; /* its mailboxes, as it names them */
	struct mailbox_name *targets; size_t target_count; /* WAY_DARK: whose recording was switched off; none = all of the tenant */
	bool tenant_wide;
};

struct selection {
	struct period period;       /* asked for */
	struct table sessions, tokens, apps, actors, mailboxes;
	struct select_net *nets; size_t net_count;
	struct select_alert *alerts; size_t alert_count;
	struct mailbox_name *named; size_t named_count; /* --mailbox, as typed */
	struct buf said;            /* the selection in words, for the report */
	const struct asn_db *asn;   /* borrowed; NULL = by prefix */
	size_t count;               /* selectors of all kinds */
	bool failed;                /* out of memory, or too many */
};

void selection_init(struct selection *s);
void selection_release(struct selection *s);
void selection_add_session(struct selection *s, struct str text);
void selection_add_token(struct selection *s, struct str text);
void selection_add_app(struct selection *s, struct str text);   /* an id, a first-party name, or a client's family */
void selection_add_actor(struct selection *s, struct str text);
void selection_add_mailbox(struct selection *s, struct str text); /* guid or owner's address */
/* false: neither an address, a prefix, nor AS<number> */
bool selection_add_network(struct selection *s, struct str text);
/* Adds the alerts of those ids from a findings file (`scan -f ndjson`); false: one sentence in error. */
bool selection_add_alerts(struct selection *s, const char *path, const char *const *ids, size_t n, struct buf *error);

/* Is it known by more than a mailbox and a time? (an alert, session, token, application or network is given) */
bool selection_names_context(const struct selection *s);
/* Is it the work of an intruder?  A context that the analyst names is; an alert may be about a roll-out, or about the log itself. */
bool selection_is_intruder(const struct selection *s);
/* Time alone. */
bool selection_covers(const struct selection *s, int64_t time_us);
int64_t selection_from(const struct selection *s); /* since, or the first record of the first alert; INT64_MIN = open */

struct match {
	bool hit;
	bool by_identity; /* by its token or session: no habit is needed to distinguish it */
	bool unless_linked;    /* only if no sign-in is known that issued its token */
	bool new_app_only;     /* the alert does not name the mailbox: counts if the application came with it */
	int64_t app_since_us; /* ... since when */
};
/* Pure: depends on the record, its names and the tenant alone; may be called from many threads.  An alert selects records of its
 * own tenant only.  tenant: as found from all data, "" = none; NULL: not known yet, so that the match may be too wide. */
struct match selection_match(const struct selection *s, const struct rec *r, const struct names *n, const struct str *tenant);
/* The tenants of the alerts, if they all name one; *ret_n = 0: else.  Their texts are the selection's. */
void selection_tenants(const struct selection *s, const char **v, size_t max, size_t *ret_n);

#endif
