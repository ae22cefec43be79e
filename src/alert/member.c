/* SPDX-License-Identifier: Apache-2.0 */
/* member: the fields that a rule adds to its alert.  The list is in alert/members.h; here they are kept, saved and
 * loaded, all in one way, so that a rule states each fact in one line next to its sentence for people. */
#include <stdlib.h>

#include "alert/alert_int.h"
#include "base/hash.h"
#include "base/limits.h"
#include "persist/persist.h"

const struct member_form member_forms[ALERT_MEMBERS] = {
#define MEMBER(symbol, name, shape, ...) { name, shape, { __VA_ARGS__ } },
#include "alert/members.h"
#undef MEMBER
};

static uint32_t columns_of(enum alert_member_name name)
{
	uint32_t n = 0;
	while (n < MEMBER_COLUMNS_MAX && member_forms[name].columns[n])
		n++;
	return n ? n : 1;
}

static bool is_list(enum alert_member_name name)
{
	return member_forms[name].shape == SHAPE_LIST || member_forms[name].shape == SHAPE_OBJECTS;
}

static void cells_free(struct alert *al, struct cell *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cells[i].kind == CELL_TEXT && cells[i].text) {
			al->priv->text_bytes -= strlen(cells[i].text) + 1;
			free(cells[i].text);
		}
}

void alert_members_free(struct alert *al)
{
	for (uint32_t i = 0; i < al->member_count; i++) {
		cells_free(al, al->members[i].cells, (size_t)al->members[i].rows * al->members[i].columns);
		free(al->members[i].cells);
	}
	free(al->members);
	al->members = NULL;
	al->member_count = 0;
}

const struct alert_member *alert_member_get(const struct alert *al, enum alert_member_name name)
{
	for (uint32_t i = 0; i < al->member_count; i++)
		if (al->members[i].name == name)
			return &al->members[i];
	return NULL;
}

/* the member, made in its place if it is new */
static struct alert_member *member_of(struct alert *al, enum alert_member_name name)
{
	uint32_t at = 0;
	while (at < al->member_count && al->members[at].name < name)
		at++;
	if (at < al->member_count && al->members[at].name == name)
		return &al->members[at];
	struct alert_member *v = alert_grown(al, al->members, al->member_count, sizeof *v);
	if (!v)
		return NULL;
	al->members = v;
	memmove(v + at + 1, v + at, (al->member_count - at) * sizeof *v);
	al->member_count++;
	v[at] = (struct alert_member){ .name = name, .columns = columns_of(name) };
	return &v[at];
}

/* A copy that is the alert's own; a text that is too long ends in "...".  False: no room for it. */
static bool own(struct alert *al, struct cell c, struct cell *ret)
{
	*ret = c;
	if (c.kind != CELL_TEXT)
		return true;
	size_t n = c.n, more = 0;
	if (n > ALERT_CELL_BYTES_MAX) {
		n = ALERT_CELL_BYTES_MAX - 3;
		more = 3;
		while (n && ((unsigned char)c.text[n] & 0xc0) == 0x80)
			n--;
	}
	*ret = value_none();
	if (al->priv->text_bytes + n + more + 1 > ALERT_TEXT_BYTES_MAX / 2) /* the other half is for sentences */
		return false;
	char *p = malloc(n + more + 1);
	if (!p) {
		al->priv->owner->failed = true;
		return false;
	}
	for (size_t i = 0; i < n; i++)
		p[i] = c.text[i] ? c.text[i] : ' ';
	memcpy(p + n, "...", more);
	p[n + more] = '\0';
	al->priv->text_bytes += n + more + 1;
	*ret = (struct cell){ .kind = CELL_TEXT, .text = p };
	return true;
}

static uint64_t row_key(enum alert_member_name name, const struct cell *cells, size_t n)
{
	uint64_t key = name + 1;
	for (size_t i = 0; i < n; i++) {
		uint64_t value = cells[i].kind == CELL_TEXT ? hash64(cells[i].text, cells[i].n, 0)
			: cells[i].kind == CELL_MAILBOX_GUID || cells[i].kind == CELL_MAILBOX_UPN ? cells[i].mailbox
			: cells[i].kind == CELL_FLAG ? cells[i].flag : cells[i].kind == CELL_NONE ? 0 : cells[i].number;
		key = hash_mix(hash_mix(key, cells[i].kind + 1), value);
	}
	return key;
}

void alert_member_put(struct alert *al, enum alert_member_name name, const struct cell *cells, size_t n)
{
	struct alert_member *m = member_of(al, name);
	if (!m || (is_list(name) && !n))
		return;
	if (is_list(name)) {
		if (!alert_first_time(al, SEEN_MEMBER, row_key(name, cells, n)))
			return;
		m->total++;
		if (m->rows >= ALERT_LIST_MAX)
			return;
	} else {
		cells_free(al, m->cells, (size_t)m->rows * m->columns);
		m->rows = 0;
		m->total = 1;
	}
	struct cell *v = alert_grown(al, m->cells, m->rows, m->columns * sizeof *v);
	if (!v)
		return;
	m->cells = v;
	v += m->rows * m->columns;
	bool whole = true;
	for (uint32_t i = 0; i < m->columns; i++)
		whole &= own(al, i < n ? cells[i] : value_none(), &v[i]);
	if (whole || !is_list(name))
		m->rows++;
	else
		cells_free(al, v, m->columns); /* counted, and not listed: cut */
}

void alert_member_cell(struct alert *al, enum alert_member_name name, uint32_t row, uint32_t column, struct cell c)
{
	const struct alert_member *m = alert_member_get(al, name);
	if (!m || row >= m->rows || column >= m->columns)
		return;
	struct cell *at = &m->cells[row * m->columns + column];
	if (at->kind != CELL_TEXT && c.kind != CELL_TEXT)
		*at = c;
}

/* -- lists that stop -- */

bool alert_cut(const struct alert *al, unsigned i, struct alert_cut *ret)
{
	const struct alert_cut lists[] = {
		{ "mailboxes", "mailboxes", al->mailboxes.n, al->mailboxes.total },
		{ "apps", "applications", al->clients.n, al->clients.total },
		{ "actors", "actors", al->actors.n, al->actors.total },
		{ "ips", "addresses", al->ip_count, al->ip_total },
		{ "networks", "networks", al->nets.n, al->nets.total },
		{ "sessions", "sessions", al->session_count, al->session_total },
		{ "tokens", "tokens", al->token_count, al->token_total },
		{ "evidence", NULL, al->evidence_count, al->records },
	};
	for (unsigned k = 0; k < sizeof lists / sizeof *lists; k++) {
		*ret = lists[k];
		if (ret->total > ret->listed && i-- == 0)
			return true;
	}
	for (uint32_t k = 0; k < al->member_count; k++) {
		const struct alert_member *m = &al->members[k];
		*ret = (struct alert_cut){ member_forms[m->name].name, member_forms[m->name].name, m->rows, m->total };
		if (ret->total > ret->listed && i-- == 0)
			return true;
	}
	return false;
}

/* -- to bytes and back -- */

static void cell_persist(struct persist *p, struct alert *al, struct cell *c)
{
	uint32_t kind = c->kind;
	persist_count(p, &kind, CELL_MAILBOX_UPN);
	c->kind = (enum cell_kind)kind;
	if (c->kind == CELL_TEXT) {
		if (p->loading)
			c->text = NULL;
		persist_text(p, &c->text, ALERT_CELL_BYTES_MAX);
		if (!c->text)
			persist_fail(p, "a text of it is missing");
	} else if (c->kind == CELL_MAILBOX_GUID || c->kind == CELL_MAILBOX_UPN) {
		persist_u32(p, &c->mailbox);
		if (c->mailbox >= al->priv->owner->world->mailbox_count)
			persist_fail(p, "a number of it is unknown");
	} else if (c->kind == CELL_FLAG) {
		persist_bool(p, &c->flag);
	} else if (c->kind != CELL_NONE) {
		persist_u64(p, &c->number);
	}
	if (persist_failed(p) && p->loading)
		*c = value_none();
}

void alert_members_persist(struct persist *p, struct alert *al)
{
	uint32_t count = al->member_count;
	persist_count(p, &count, ALERT_MEMBERS);
	for (uint32_t i = 0; i < count && !persist_failed(p); i++) {
		uint32_t name = p->loading ? 0 : al->members[i].name, rows = p->loading ? 0 : al->members[i].rows;
		persist_count(p, &name, ALERT_MEMBERS - 1);
		persist_count(p, &rows, ALERT_LIST_MAX);
		struct alert_member *m = member_of(al, (enum alert_member_name)name);
		if (!m || (p->loading && m->rows)) {
			persist_fail(p, "a field of it is there twice");
			return;
		}
		persist_u64(p, &m->total);
		for (uint32_t row = 0; row < rows && !persist_failed(p); row++) {
			if (p->loading) {
				struct cell *v = alert_grown(al, m->cells, row, m->columns * sizeof *v);
				if (!v) {
					persist_fail(p, "out of memory");
					return;
				}
				m->cells = v;
				memset(v + row * m->columns, 0, m->columns * sizeof *v);
				m->rows = row + 1;
			}
			for (uint32_t k = 0; k < m->columns; k++)
				cell_persist(p, al, &m->cells[row * m->columns + k]);
		}
	}
}
