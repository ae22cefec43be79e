/* SPDX-License-Identifier: Apache-2.0 */
/* tenant: see tenant.h. */
#include "tenant.h"

#include <stdlib.h>

struct tenant *tenant_new(uint64_t ref, const struct detect_ctx *base, const struct names *names, struct asn_db *asn,
	struct world *joint, bool detects)
{
	struct tenant *t = calloc(1, sizeof *t);
	size_t n = 0;
	if (!t)
		return NULL;
	t->ref = ref;
	t->world = joint ? joint : &t->own;
	if (!joint && world_init(&t->own, names, asn) != 0) {
		free(t);
		return NULL;
	}
	t->own.tenant = ref;
	alerts_init(&t->alerts, t->world);
	t->ctx = *base;
	t->ctx.world = t->world;
	t->ctx.alerts = &t->alerts;
	if (!detects)
		return t;
	while (detectors[n])
		n++;
	t->states = calloc(n + 1, sizeof *t->states);
	for (size_t i = 0; t->states && i < n; i++) {
		t->states[i] = calloc(1, detectors[i]->state_bytes ? detectors[i]->state_bytes : 1);
		if (!t->states[i] || (detectors[i]->begin && detectors[i]->begin(t->states[i], &t->ctx) != 0))
			goto memory;
	}
	if (t->states)
		return t;
memory:
	tenant_free(t);
	return NULL;
}

void tenant_free(struct tenant *t)
{
	if (!t)
		return;
	for (size_t i = 0; t->states && detectors[i]; i++) {
		if (t->states[i] && detectors[i]->release)
			detectors[i]->release(t->states[i]);
		free(t->states[i]);
	}
	free(t->states);
	orphans_release(&t->orphans);
	alerts_release(&t->alerts);
	world_release(&t->own);
	free(t);
}

uint64_t tenant_end(struct tenant *t)
{
	uint64_t refused = 0;
	for (size_t i = 0; t->states && detectors[i]; i++) {
		if (detectors[i]->end)
			detectors[i]->end(t->states[i], &t->ctx);
		if (detectors[i]->refused)
			refused += detectors[i]->refused(t->states[i]);
	}
	return refused;
}

int tenant_compare(const void *a, const void *b)
{
	const struct tenant *x = *(struct tenant *const *)a, *y = *(struct tenant *const *)b;
	struct str s = name_part(names_get(x->world->names, x->ref), 0), t = name_part(names_get(y->world->names, y->ref), 0);
	size_t n = s.n < t.n ? s.n : t.n;
	int order = n ? memcmp(s.p, t.p, n) : 0;
	if (!s.n || !t.n)
		return (t.n != 0) - (s.n != 0);
	return order ? order : (s.n > t.n) - (s.n < t.n);
}
