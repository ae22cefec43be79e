/* SPDX-License-Identifier: Apache-2.0 */
/* tenant: all that is known and remembered of one tenant: who there is, what its sign-ins say, the detectors with their
 * memories, and the alerts.  Nothing in it depends on another tenant's records, so that several tenants in one run give
 * what each of them alone would give.  Whose a record is, event/tenants.h decides. */
#ifndef TXM_TENANT_H
#define TXM_TENANT_H

#include "alert/alert.h"
#include "detect/baseline.h"
#include "detect/detect.h"
#include "detect/orphans.h"
#include "state/world.h"

struct tenant {
	uint64_t ref;            /* names: NAME_TENANT; TENANT_UNKNOWN */
	struct world *world;     /* its own, or the joint one of all */
	struct alerts alerts;
	void **states;           /* of the detectors; NULL: none */
	struct detect_ctx ctx;   /* ctx.identity: its sign-ins */
	struct identity *identity;
	struct lessons lessons;
	struct orphans orphans;  /* accesses with a token that no sign-in issued */
	struct world own;
	bool asked;              /* its findings are wanted (--tenant) */
};

/* base: what all tenants have in common.  joint NULL: it gets a world of its own.  NULL: out of memory. */
struct tenant *tenant_new(uint64_t ref, const struct detect_ctx *base, const struct names *names, struct asn_db *asn,
	struct world *joint, bool detects);
void tenant_free(struct tenant *t);
/* the next record of event time, an event already */
static inline void tenant_detect(struct tenant *t, const struct event *e)
{
	unsigned kinds = op_kinds(e->rec->op);
	t->alerts.of_orphan_count = 0;
	for (size_t k = 0; kinds && detectors[k]; k++)
		if (detectors[k]->wants & kinds)
			detectors[k]->event(t->states[k], &t->ctx, e);
	orphans_meet(&t->orphans, &t->alerts, e);
}
/* After the last.  Returns the entries that tables of its detectors could not take. */
uint64_t tenant_end(struct tenant *t);
/* order of output: by id; the unknown one last */
int tenant_compare(const void *a, const void *b); /* of struct tenant * */

#endif
