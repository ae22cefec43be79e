/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_state: any bytes as the parts of a state file, with good checksums: names, ids, world, alerts, each detector, in the
 * order in which a run loads them.  Nothing may crash or hang; what was taken is saved again, and must come back the same.
 *
 * The fuzzed state is a whole one, made here by showing some records to the detectors.  The input's first byte chooses up to
 * which part it is read; then five bytes a change: part, place (two bytes; negative ones count from the end), how, value.
 * 0xff as the first byte: the rest of the input is the state itself.  Where a part is refused the run would end; so does
 * this. */
#include <stdio.h>
#include <stdlib.h>

#include "alert/alert.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "detect/detect.h"
#include "event/names.h"
#include "event/sort.h"
#include "persist/persist.h"
#include "state/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes { uint8_t *p; size_t n, at, capacity; };

static bool read_bytes(void *arg, void *to, size_t n)
{
	struct bytes *b = arg;
	if (n > b->n - b->at)
		return false;
	memcpy(to, b->p + b->at, n);
	b->at += n;
	return true;
}

static bool write_bytes(void *arg, void *from, size_t n)
{
	struct bytes *b = arg;
	if (n > b->capacity - b->n) {
		size_t capacity = 2 * (b->n + n);
		uint8_t *p = realloc(b->p, capacity);
		if (!p)
			abort();
		b->p = p;
		b->capacity = capacity;
	}
	memcpy(b->p + b->n, from, n);
	b->n += n;
	return true;
}

struct run {
	struct names names;
	struct sorter *sorter;
	struct world world;
	struct alerts alerts;
	void *states[32];
	struct detect_ctx context;
};

static void begin(struct run *r)
{
	*r = (struct run){ .context = { .budget = 1 } };
	names_init(&r->names);
	r->sorter = sorter_new(1, 1);
	if (!r->sorter || world_init(&r->world, &r->names, NULL) != 0)
		abort();
	alerts_init(&r->alerts, &r->world);
	r->context.world = &r->world;
	r->context.alerts = &r->alerts;
	for (size_t i = 0; detectors[i]; i++) {
		r->states[i] = calloc(1, detectors[i]->state_bytes + 1);
		if (!r->states[i] || (detectors[i]->begin && detectors[i]->begin(r->states[i], &r->context) != 0))
			abort();
	}
}

static void end(struct run *r)
{
	for (size_t i = 0; detectors[i]; i++) {
		if (detectors[i]->release)
			detectors[i]->release(r->states[i]);
		free(r->states[i]);
	}
	alerts_release(&r->alerts);
	world_release(&r->world);
	sorter_free(r->sorter);
	names_release(&r->names);
}

enum { PARTS_MAX = 40 };

/* false: refused.  ends: where each part ends in b. */
static bool visit(struct run *r, struct bytes *b, bool loading, unsigned parts, size_t ends[PARTS_MAX])
{
	struct persist p = { .loading = loading, .move = loading ? read_bytes : write_bytes, .arg = b, .names = &r->names, .alerts = &r->alerts };
	for (unsigned i = 0; i < parts && (i < 4 || detectors[i - 4]) && !persist_failed(&p); i++) {
		if (i == 0)
			names_persist(&p, &r->names);
		else if (i == 1)
			sorter_persist(&p, r->sorter);
		else if (i == 2)
			world_persist(&p, &r->world);
		else if (i == 3)
			alerts_persist(&p, &r->alerts);
		else if (detectors[i - 4]->persist)
			detectors[i - 4]->persist(&p, r->states[i - 4]);
		if (ends)
			ends[i] = loading ? b->at : b->n;
	}
	return !persist_failed(&p);
}

/* -- a state -- */

static uint64_t name(struct run *r, enum name_kind kind, const char *a, const char *b, const char *c)
{
	struct str parts[5] = { str_of(a), str_of(b), str_of(c), STR(""), STR("REST") };
	return names_put(&r->names, kind, parts, kind == NAME_CLIENT ? 5 : 2);
}

static void live(struct run *r)
{
	uint64_t mailboxes[12], clients[3], tenant = name(r, NAME_TENANT, "5f0c7a10-0000-4000-8000-000000000001", "", "");
	uint64_t operation = name(r, NAME_OPERATION, "MailItemsAccessed", "", "");
	char guid[40];
	for (unsigned i = 0; i < 12; i++) {
		snprintf(guid, sizeof guid, "5f0c7a10-0000-4000-8000-00000000a0%02u", i);
		mailboxes[i] = name(r, NAME_MAILBOX, guid, "ann@example.com", "");
	}
	for (unsigned i = 0; i < 3; i++) {
		snprintf(guid, sizeof guid, "5f0c7a10-0000-4000-8000-00000000c0%02u", i);
		clients[i] = name(r, NAME_CLIENT, guid, guid, guid);
	}
	struct rec_builder b = { .tail = malloc(DETAIL_BYTES_MAX + 8) };
	for (unsigned i = 0; b.tail && i < 1500; i++) {
		rec_begin(&b);
		unsigned day = i / 60, who = i % 12;
		b.r.time_us = INT64_C(1704672000000000) + (int64_t)day * US_PER_DAY + (int64_t)(i % 60) * 20 * US_PER_MINUTE;
		memcpy(b.r.id, &i, sizeof i);
		b.r.op = OP_MAIL_ITEMS_ACCESSED;
		b.r.access = i % 9 ? ACCESS_BIND : ACCESS_SYNC;
		b.r.items = 1 + i % 7;
		b.r.folder = 1 + i % 3;
		b.r.mailbox = mailboxes[who];
		b.r.client = clients[day > 18 && i % 2 ? 2 : i % 2];
		b.r.actor = name(r, NAME_ACTOR, i % 5 ? "ann@example.com" : "bob@example.com", "", "");
		b.r.tenant = tenant;
		b.r.operation = operation;
		b.r.ip_kind = ADDR_V4;
		memcpy(b.r.ip, (uint8_t[4]){ 198, (uint8_t)(18 + (day > 18) + i % 2), 113, (uint8_t)who }, 4);
		b.r.flags = REC_HAS_SESSION | REC_SESSION_TEXT | (i % 200 == 7 ? REC_THROTTLED : 0) | (i % 300 == 8 ? REC_TOKEN_TENANT_FOREIGN : 0);
		b.r.session[0] = (uint8_t)who;
		b.r.logon = LOGON_OWNER;
		if (i % 250 == 99) {
			b.r.op = i % 500 == 99 ? OP_CONSENT : OP_SET_AUDIT_BYPASS;
			rec_add_detail(&b, STR("ConsentAction.Permissions"), STR("Mail.Read"));
			rec_add_detail(&b, STR("AuditBypassEnabled"), STR("True"));
			rec_add_detail(&b, STR("ObjectId"), STR("5f0c7a10-0000-4000-8000-00000000c002"));
			b.r.mailbox = b.r.client = 0;
		}
		struct rec *whole = calloc(1, sizeof b.r + b.r.tail_bytes);
		if (!whole)
			abort();
		memcpy(whole, &b.r, sizeof b.r);
		memcpy(whole + 1, b.tail, b.tail_used);
		struct event e;
		world_meet(&r->world, whole, &e);
		sort_add(sorter_lane(r->sorter, 0), whole);
		for (size_t k = 0; detectors[k]; k++)
			if (detectors[k]->wants & op_kinds(b.r.op))
				detectors[k]->event(r->states[k], &r->context, &e);
		free(whole);
	}
	free(b.tail);
	const struct rec *out[64];
	sort_lane_done(sorter_lane(r->sorter, 0));
	while (sorter_next(r->sorter, out, 64))
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bytes state;
	static size_t ends[PARTS_MAX];
	struct bytes in = { .p = NULL }, first = { .p = NULL }, second = { .p = NULL };
	struct run a, b;
	if (!state.n) {
		begin(&a);
		live(&a);
		if (!a.alerts.n || !visit(&a, &state, false, PARTS_MAX, ends))
			abort();
		end(&a);
	}
	if (!size)
		return 0;
	unsigned parts = 1 + data[0] % 14;
	if (data[0] == 0xff) {
		write_bytes(&in, (void *)(data + 1), size - 1);
	} else {
		write_bytes(&in, state.p, ends[parts - 1]);
		for (size_t i = 1; i + 5 <= size; i += 5) {
			unsigned part = data[i] % parts;
			size_t from = part ? ends[part - 1] : 0, n = ends[part] - from, at = data[i + 1] | (size_t)(data[i + 2] & 0x7f) << 8;
			if (n == 0)
				continue;
			at = data[i + 2] & 0x80 ? n - 1 - at % n : at % n;
			if (data[i + 3] < 64)
				in.p[from + at] ^= data[i + 4];
			else if (data[i + 3] < 192)
				in.p[from + at] = data[i + 4];
			else
				memset(in.p + from + at, data[i + 4], n - at < data[i + 3] - 190u ? n - at : data[i + 3] - 190u);
		}
		if (size % 5 == 0) /* cut short */
			in.n -= in.n < data[size - 1] ? in.n : data[size - 1];
	}
	begin(&a);
	if (visit(&a, &in, true, parts, NULL)) {
		begin(&b);
		if (!visit(&a, &first, false, parts, NULL) || !visit(&b, &first, true, parts, NULL) || first.at != first.n ||
		    !visit(&b, &second, false, parts, NULL))
			abort();
		if (first.n != second.n || memcmp(first.p, second.p, first.n) != 0)
			abort();
		end(&b);
	}
	end(&a);
	free(in.p);
	free(first.p);
	free(second.p);
	return 0;
}
