/* SPDX-License-Identifier: Apache-2.0 */
/* whose: see whose.h. */
#include "state/whose.h"

#include <stdio.h>

#include "base/guid.h"
#include "base/hash.h"
#include "base/limits.h"

#define WHOSE_SEVERAL (NONE - 1)
#define WORDS_MAX 8

/* -- names -- */

static struct str cut_front(struct str s, size_t n) { return (struct str){ s.p + n, s.n - n }; }

static bool is_hex(char c)
{
	c = ascii_lower(c);
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

struct str whose_plain(struct str s)
{
	s = str_trim(s);
	while (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
		s = str_trim((struct str){ s.p + 1, s.n - 2 });
	for (size_t i = s.n; i > 0; i--) {
		if (s.p[i - 1] != '/' && s.p[i - 1] != '\\')
			continue;
		if (i < s.n) /* a path that ends in its separator names nothing after it */
			s = cut_front(s, i);
		break;
	}
	if (str_starts_nocase(s, STR("smtp:")))
		s = cut_front(s, 5);
	if (str_starts_nocase(s, STR("cn="))) {
		s = cut_front(s, 3);
		ptrdiff_t comma = str_find(s, STR(","));
		if (comma > 0)
			s.n = (size_t)comma;
		size_t hex = 0; /* /cn=Recipients/cn=<32 hex digits>-ann */
		while (hex < s.n && is_hex(s.p[hex]))
			hex++;
		if (hex == 32 && hex + 1 < s.n && s.p[hex] == '-')
			s = cut_front(s, hex + 1);
	}
	return str_trim(s);
}

static uint64_t key_of(enum whose_form form, struct str s)
{
	char folded[NAME_BYTES_MAX];
	size_t n = s.n < sizeof folded ? s.n : sizeof folded;
	for (size_t i = 0; i < n; i++)
		folded[i] = ascii_lower(s.p[i]);
	return hash64(folded, n, form) | 1;
}

static bool is_separator(char c) { return c == ' ' || c == '.' || c == ',' || c == '_' || c == '-'; }

/* The words of a name in any order; 0: fewer than two, or too many. */
static uint64_t words_key(struct str s)
{
	uint64_t sum = 0;
	unsigned words = 0;
	for (size_t i = 0; i < s.n; ) {
		size_t from = i;
		while (i < s.n && !is_separator(s.p[i]))
			i++;
		if (i > from) {
			sum += key_of(WHOSE_WORDS, (struct str){ s.p + from, i - from }); /* a sum: their order does not matter */
			words++;
		}
		i += i < s.n;
	}
	return words >= 2 && words <= WORDS_MAX ? hash_mix(sum, words) | 1 : 0;
}

static struct str local_of(struct str address)
{
	ptrdiff_t sign = str_find(address, STR("@"));
	return sign > 0 ? (struct str){ address.p, (size_t)sign } : STR_NONE;
}

size_t whose_keys(struct str name, struct whose_key ret[WHOSE_KEYS_MAX])
{
	uint8_t guid[16];
	size_t n = 0;
	name = whose_plain(name);
	if (!name.n)
		return 0;
	char dashed[GUID_TEXT_SIZE];
	if (name.n == 32) { /* a GUID without dashes */
		snprintf(dashed, sizeof dashed, "%.8s-%.4s-%.4s-%.4s-%.12s", name.p, name.p + 8, name.p + 12, name.p + 16, name.p + 20);
		if (guid_parse(str_of(dashed), guid))
			name = str_of(dashed);
	}
	if (guid_parse(name, guid)) {
		ret[n++] = (struct whose_key){ WHOSE_GUID, hash64(guid, 16, WHOSE_GUID) | 1 };
		return n;
	}
	struct str local = local_of(name);
	uint64_t words = words_key(local.n ? local : name);
	if (local.n) {
		ret[n++] = (struct whose_key){ WHOSE_ADDRESS, key_of(WHOSE_ADDRESS, name) };
		ret[n++] = (struct whose_key){ WHOSE_LOCAL_OF_ADDRESS, key_of(WHOSE_LOCAL, local) };
	} else {
		ret[n++] = (struct whose_key){ WHOSE_LOCAL, key_of(WHOSE_LOCAL, name) };
	}
	if (words)
		ret[n++] = (struct whose_key){ WHOSE_WORDS, words };
	return n;
}

/* -- tenants -- */

bool whose_same_tenant(const struct world *w, uint32_t a, uint32_t b)
{
	return a == b || (w->tenant_count <= 1 && (a == NONE || b == NONE));
}

static uint64_t tenant_key(const struct world *w, uint32_t tenant, uint64_t key)
{
	return hash_mix(key, w->tenant_count <= 1 ? 0 : (uint64_t)tenant + 1);
}

/* -- the mailboxes -- */

static void learn(struct whose *x, uint32_t mailbox, uint64_t key, bool same_address)
{
	bool is_new;
	uint32_t *at = table_put(&x->names, key, &is_new);
	if (at && is_new)
		*at = mailbox;
	else if (at && *at != mailbox && !same_address)
		*at = WHOSE_SEVERAL;
}

void whose_init(struct whose *x, const struct world *w)
{
	*x = (struct whose){ .world = w };
	table_init(&x->names, sizeof(uint32_t), (size_t)4 * w->mailbox_count + 1);
	for (uint32_t i = 0; i < w->mailbox_count; i++) {
		struct whose_key keys[WHOSE_KEYS_MAX];
		const struct str guid = world_mailbox_guid(w, i), upn = world_mailbox_upn(w, i);
		const uint32_t tenant = w->mailboxes[i].tenant;
		uint32_t first = i;
		size_t n = whose_keys(guid, keys);
		if (n)
			learn(x, i, tenant_key(w, tenant, keys[0].key), true);
		n = whose_keys(upn, keys);
		for (size_t k = 0; k < n; k++) {
			uint64_t key = tenant_key(w, tenant, keys[k].key);
			const uint32_t *had = table_get(&x->names, key);
			if (k == 0 && had && *had != WHOSE_SEVERAL)
				first = *had; /* two mailboxes with one address are one seen under two names */
			learn(x, first, key, k == 0);
		}
	}
}

void whose_release(struct whose *x)
{
	table_release(&x->names);
}

uint32_t whose_find(const struct whose *x, uint32_t tenant, struct str name)
{
	struct whose_key keys[WHOSE_KEYS_MAX];
	const size_t n = whose_keys(name, keys);
	for (size_t k = 0; k < n; k++) {
		const uint32_t *at;
		if (keys[k].form == WHOSE_LOCAL_OF_ADDRESS || (keys[k].form == WHOSE_WORDS && keys[0].form == WHOSE_ADDRESS))
			break; /* another address with the same local part is another account */
		at = table_get(&x->names, tenant_key(x->world, tenant, keys[k].key));
		if (at)
			return *at == WHOSE_SEVERAL ? NONE : *at;
	}
	return NONE;
}
