/* SPDX-License-Identifier: Apache-2.0 */
/* change: two sorted lists of listed keys, one walk. */
#include "keys/change.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/schema.h"
#include "keys/audit_int.h"

static const char *const kinds[] = { "came", "gone", "returned", "back", "says", "kid-reused" };

static struct change *add(struct changes *c, enum change_kind kind, const struct audit *a, const struct history_key *k)
{
	const struct key *key = newest(a, k);
	struct change *row;

	if (!audit_grow(&c->rows, &c->capacity, c->n, sizeof(*c->rows), KEYS_FINDINGS_MAX)) {
		c->failed = true;
		return NULL;
	}
	row = &c->rows[c->n++];
	*row = (struct change){ .kind = kind, .set = a->providers[k->provider].name, .kid = key->kid, .has_spki = key->has_spki };
	memcpy(row->spki, k->id, 32);
	return row;
}

static int compare_names(struct str a, struct str b)
{
	const size_t n = a.n < b.n ? a.n : b.n;
	const int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int compare_listed(const void *pa, const void *pb, void *arg)
{
	const struct audit *audit = arg;
	const struct history_key *a = *(const struct history_key *const *)pa, *b = *(const struct history_key *const *)pb;
	const int c = compare_names(audit->providers[a->provider].name, audit->providers[b->provider].name);

	return c ? c : memcmp(a->id, b->id, 32);
}

/* Keys in the newest observation of their set, by set and SPKI: what an older one had is not waited for, since a key that vanishes is
 * news on the day on which it does.  NULL: out of memory. */
static const struct history_key **listed_keys(const struct audit *a, size_t *ret_n)
{
	const struct history_key **rows = malloc((a->key_count ? a->key_count : 1) * sizeof(*rows));

	*ret_n = 0;
	for (uint32_t i = 0; i < a->key_count && rows; i++)
		if (a->keys[i].present)
			rows[(*ret_n)++] = &a->keys[i];
	if (*ret_n)
		qsort_r(rows, *ret_n, sizeof(*rows), compare_listed, (void *)a);
	return rows;
}

static void says(struct changes *c, const struct audit *a, const struct history_key *k, const char *member, struct str before,
		 struct str after)
{
	struct change *row;

	if (str_eq(before, after))
		return;
	row = add(c, CHANGE_SAYS, a, k);
	if (!row)
		return;
	row->member = member;
	snprintf(row->before, sizeof(row->before), "%.*s", STR_ARG(before));
	snprintf(row->after, sizeof(row->after), "%.*s", STR_ARG(after));
}

static struct str cert_text(const struct key *k, char *room, size_t n)
{
	char hex[KEY_HEX_SIZE], end[TIME_TEXT_SIZE] = "?";

	if (!k->cert.present)
		return STR_NONE;
	if (k->cert.dates_known)
		day_text(k->cert.not_after_us, end);
	snprintf(room, n, "SHA-1 %s, until %s", key_hex(k->cert.sha1, 20, hex), end);
	return str_of(room);
}

static void compare_entries(struct changes *c, const struct audit *old, const struct history_key *was, const struct audit *new,
			    const struct history_key *is)
{
	const struct key *a = newest(old, was), *b = newest(new, is);
	char one[128], two[128];

	says(c, new, is, "kid", a->kid, b->kid);
	says(c, new, is, "issuer", a->issuer, b->issuer);
	says(c, new, is, "use", a->use, b->use);
	says(c, new, is, "alg", a->alg_text, b->alg_text);
	says(c, new, is, "cloud_instance_name", a->cloud_instance, b->cloud_instance);
	says(c, new, is, "certificate", cert_text(a, one, sizeof(one)), cert_text(b, two, sizeof(two)));
}

/* A key id that named another key before. */
static void find_reuse(struct changes *c, const struct audit *old, const struct audit *new, const struct history_key *k)
{
	const struct str kid = newest(new, k)->kid, set = new->providers[k->provider].name;

	for (uint32_t i = 0; i < old->key_count && kid.n; i++) {
		const struct history_key *o = &old->keys[i];
		struct change *row;
		if (memcmp(o->id, k->id, 32) == 0 || !str_eq(newest(old, o)->kid, kid) || !str_eq(old->providers[o->provider].name, set))
			continue;
		row = add(c, CHANGE_KID_REUSED, new, k);
		if (row) {
			char hex[KEY_HEX_SIZE];
			snprintf(row->before, sizeof(row->before), "%s", key_hex(o->id, 32, hex));
			snprintf(row->after, sizeof(row->after), "%s", key_hex(k->id, 32, hex));
		}
		return;
	}
}

void changes_find(const struct audit *before, const struct audit *after, struct changes *ret)
{
	size_t n, m, i = 0, k = 0;
	const struct history_key **old = listed_keys(before, &n), **new = listed_keys(after, &m);

	*ret = (struct changes){ .failed = !old || !new };
	while (!ret->failed && (i < n || k < m)) {
		int c = i == n ? 1 : k == m ? -1 : 0;
		if (!c)
			c = compare_names(before->providers[old[i]->provider].name, after->providers[new[k]->provider].name);
		if (!c)
			c = memcmp(old[i]->id, new[k]->id, 32);
		if (c < 0) {
			add(ret, CHANGE_GONE, before, old[i++]);
		} else if (c > 0) {
			const bool was_there = new[k]->run_count > 1;
			const struct history_run *last = was_there ? &new[k]->runs[new[k]->run_count - 2] : NULL;
			const bool long_gone = was_there && new[k]->runs[new[k]->run_count - 1].first - last->missing > HISTORY_HYSTERESIS_US;
			add(ret, long_gone ? CHANGE_RETURNED : was_there ? CHANGE_BACK : CHANGE_CAME, after, new[k]);
			find_reuse(ret, before, after, new[k++]);
		} else {
			compare_entries(ret, before, old[i++], after, new[k++]);
		}
	}
	free(old);
	free(new);
}

void changes_release(struct changes *c)
{
	free(c->rows);
	*c = (struct changes){ 0 };
}

void changes_text(const struct changes *c, struct buf *ret)
{
	static const char signs[] = { '+', '-', '+', '+', '~', '!' };

	for (size_t i = 0; i < c->n; i++) {
		const struct change *r = &c->rows[i];
		char hex[KEY_HEX_SIZE];

		buf_printf(ret, "%c ", signs[r->kind]);
		buf_add_terminal(ret, r->kid.n ? r->kid : STR("(no key id)"), 60);
		buf_add_cstr(ret, " in ");
		buf_add_terminal(ret, r->set, 60);
		if (r->kind == CHANGE_SAYS) {
			buf_printf(ret, ": %s was ", r->member);
			buf_add_terminal(ret, r->before[0] ? str_of(r->before) : STR("absent"), 120);
			buf_add_cstr(ret, ", is ");
			buf_add_terminal(ret, r->after[0] ? str_of(r->after) : STR("absent"), 120);
		} else if (r->kind == CHANGE_KID_REUSED) {
			buf_printf(ret, ": the id stood for the key of SPKI %s before", r->before);
		} else {
			buf_printf(ret, ": %s, SPKI %s", kinds[r->kind], r->has_spki ? key_hex(r->spki, 32, hex) : "unreadable");
		}
		buf_add_char(ret, '\n');
	}
}

void changes_ndjson(const struct changes *c, struct buf *ret)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct change *r = &c->rows[i];
		char hex[KEY_HEX_SIZE];

		buf_printf(ret, "{\"type\":\"change\",\"change\":\"%s\",\"set\":", kinds[r->kind]);
		buf_add_json(ret, r->set);
		buf_add_cstr(ret, ",\"kid\":");
		if (r->kid.n)
			buf_add_json(ret, r->kid);
		else
			buf_add_cstr(ret, "null");
		if (r->has_spki)
			buf_printf(ret, ",\"spki\":\"%s\"", key_hex(r->spki, 32, hex));
		if (r->member)
			buf_printf(ret, ",\"member\":\"%s\"", r->member);
		if (r->member || r->kind == CHANGE_KID_REUSED) {
			buf_add_cstr(ret, ",\"before\":");
			buf_add_json(ret, str_of(r->before));
			buf_add_cstr(ret, ",\"after\":");
			buf_add_json(ret, str_of(r->after));
		}
		buf_add_cstr(ret, SCHEMA_MEMBER "}\n");
	}
}
