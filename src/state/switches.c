/* SPDX-License-Identifier: Apache-2.0 */
/* switches: see switches.h.  An open time is found by any of the keys that its account goes by. */
#include "state/switches.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "state/whose.h"

void switches_release(struct switches *s)
{
	free(s->v);
	*s = (struct switches){ 0 };
}

bool switches_add(struct switches *s, const struct event *e, const struct audit_switch *x, uint64_t tag)
{
	if (x->outcome == OUTCOME_FAILED || x->state == SWITCH_ODD)
		return false;
	if (s->n >= SWITCHES_MAX) {
		s->refused++;
		return false;
	}
	if (s->n == s->capacity) {
		uint32_t want = s->capacity ? 2 * s->capacity : 16;
		struct switch_entry *v = realloc(s->v, want * sizeof *v);
		if (!v) {
			s->failed = true;
			return false;
		}
		s->v = v;
		s->capacity = want;
	}
	struct switch_entry *at = &s->v[s->n++];
	*at = (struct switch_entry){ .time_us = e->rec->time_us, .limit_us = x->limit_us, .tag = tag, .tenant = e->tenant, .actor = e->actor,
				     .span = NONE, .kind = (uint8_t)x->kind, .role = (uint8_t)x->role, .off = x->state == SWITCH_OFF,
				     .id_is_text = (e->rec->flags & REC_ID_TEXT) != 0 };
	memcpy(at->id, e->rec->id, 16);
	for (unsigned i = 0; i < x->subject_count; i++) {
		struct str plain = whose_plain(x->subject[i]);
		snprintf(at->names[i], SWITCH_NAME_SIZE, "%.*s", (int)(plain.n < SWITCH_NAME_SIZE ? plain.n : SWITCH_NAME_SIZE - 1), plain.n ? plain.p : "");
	}
	return true;
}

/* -- which time does an entry belong to? -- */

#define KEYS_MAX (1 + 2 * SWITCH_SUBJECT_NAMES * WHOSE_KEYS_MAX)

struct subject {
	uint32_t mailbox;
	uint64_t kept[KEYS_MAX], asked[KEYS_MAX]; /* under which an open time of this account is kept; and is looked for */
	size_t kept_n, asked_n;
};

static void keep_and_ask(struct subject *s, uint64_t key)
{
	s->kept[s->kept_n++] = s->asked[s->asked_n++] = key;
}

/* A bare name finds an address by its local part and is found by it; two addresses find each other as wholes. */
static void add_name(struct subject *s, uint64_t base, struct str name)
{
	struct whose_key keys[WHOSE_KEYS_MAX];
	const size_t n = whose_keys(name, keys);
	for (size_t i = 0; i < n; i++) {
		const uint64_t key = hash_mix(base, keys[i].key), of_address = hash_mix(key, WHOSE_ADDRESS);
		if (keys[i].form == WHOSE_GUID || keys[i].form == WHOSE_ADDRESS) {
			keep_and_ask(s, key);
		} else if (keys[0].form == WHOSE_ADDRESS) {
			s->kept[s->kept_n++] = of_address;
			s->asked[s->asked_n++] = key;
		} else {
			keep_and_ask(s, key);
			s->asked[s->asked_n++] = of_address;
		}
	}
}

static struct subject subject_of(const struct switch_entry *e, const struct whose *names)
{
	struct subject s = { .mailbox = NONE };
	const uint64_t base = hash_mix(hash_mix(e->kind + 1u, e->role), (uint64_t)e->tenant + 1);
	if (switch_is_tenant_wide(e->kind)) {
		keep_and_ask(&s, base);
		return s;
	}
	for (unsigned i = 0; i < SWITCH_SUBJECT_NAMES && s.mailbox == NONE; i++)
		if (e->names[i][0])
			s.mailbox = whose_find(names, e->tenant, str_of(e->names[i]));
	if (s.mailbox != NONE)
		keep_and_ask(&s, hash_mix(base, (uint64_t)s.mailbox + 1));
	for (unsigned i = 0; i < SWITCH_SUBJECT_NAMES; i++)
		add_name(&s, base, str_of(e->names[i]));
	if (!s.kept_n)
		keep_and_ask(&s, hash_mix(base, 1)); /* an account that the record does not name */
	return s;
}

static bool may_be(const struct switch_span *span, const struct subject *s)
{
	return span->to_us == INT64_MAX && (span->mailbox == NONE || s->mailbox == NONE || span->mailbox == s->mailbox);
}

struct switch_span *switches_spans(struct switches *s, const struct world *w, size_t *ret_n)
{
	struct switch_span *spans = s->n ? calloc(s->n, sizeof *spans) : NULL;
	struct whose names;
	struct table open; /* key -> uint32_t span */
	uint32_t n = 0;
	*ret_n = 0;
	if (!spans) {
		s->failed |= s->n > 0;
		return NULL;
	}
	whose_init(&names, w);
	table_init(&open, sizeof(uint32_t), (size_t)KEYS_MAX * SWITCHES_MAX);
	for (uint32_t i = 0; i < s->n; i++) {
		struct switch_entry *e = &s->v[i];
		const struct subject subject = subject_of(e, &names);
		e->span = NONE;
		for (size_t k = 0; k < subject.asked_n && e->span == NONE; k++) {
			const uint32_t *at = table_get(&open, subject.asked[k]);
			if (at && may_be(&spans[*at], &subject))
				e->span = *at;
		}
		if (!e->off) {
			if (e->span != NONE) {
				spans[e->span].to_us = e->time_us;
				spans[e->span].end = i;
			}
			continue;
		}
		if (e->span == NONE) {
			struct switch_span *x = &spans[n];
			e->span = n++;
			*x = (struct switch_span){ .kind = e->kind, .role = e->role, .tenant = e->tenant, .mailbox = subject.mailbox,
						   .from_us = e->time_us, .to_us = INT64_MAX, .begin = i, .end = NONE };
			memcpy(x->who, e->names[0], sizeof x->who);
		}
		for (size_t k = 0; k < subject.kept_n; k++) {
			uint32_t *at = table_put(&open, subject.kept[k], NULL);
			if (at)
				*at = e->span;
		}
	}
	table_release(&open);
	whose_release(&names);
	*ret_n = n;
	return spans;
}
