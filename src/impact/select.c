/* SPDX-License-Identifier: Apache-2.0 */
/* select: sets of hashes.  A session is compared as the decoder keeps it: a GUID's bytes, or the hash of a text. */
#include "impact/select.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/guid.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/timefmt.h"
#include "impact/select_int.h"
#include "state/inventory.h"

void select_put(struct selection *s, struct table *t, uint64_t key)
{
	if (s->count++ >= IMPACT_SELECTORS_MAX || !table_put(t, key ? key : 1, NULL))
		s->failed = true;
}

static bool has(const struct table *t, uint64_t key)
{
	return t->n && table_get(t, key ? key : 1);
}

uint64_t select_text_key(struct str s)
{
	char folded[NAME_BYTES_MAX];

	s = str_trim(s);
	if (s.n > sizeof(folded))
		s.n = sizeof(folded);
	for (size_t i = 0; i < s.n; i++)
		folded[i] = ascii_lower(s.p[i]);
	return hash64(folded, s.n, 0);
}

/* a GUID in any writing, else the text */
static uint64_t guid_or_text_key(struct str s)
{
	uint8_t g[16];
	char text[GUID_TEXT_SIZE];

	return select_text_key(guid_parse(str_trim(s), g) ? str_of(guid_format(g, text)) : s);
}

uint64_t select_session_key(struct str text)
{
	uint8_t id[16];

	text = str_trim(text);
	if (!guid_parse(text, id))
		hash128(text.p, text.n, id);
	return hash64(id, 16, 0);
}

uint64_t select_token_key(struct str text)
{
	uint8_t id[16];

	text = str_trim(text);
	if (!guid_from_token_id(text, id) && !guid_parse(text, id))
		hash128(text.p, text.n, id);
	return hash64(id, 16, 0);
}

uint64_t select_client_key(struct str app, struct str client, struct str family)
{
	return hash_mix(hash_mix(select_text_key(app), select_text_key(client)), hash_str(family, 3));
}

uint64_t select_addr_key(const struct addr *a)
{
	return hash64(a->b, 16, a->kind);
}

void selection_init(struct selection *s)
{
	*s = (struct selection) { .period = PERIOD_ALL };
	buf_init(&s->said, MIB);
	table_init(&s->sessions, 0, IMPACT_SELECTORS_MAX);
	table_init(&s->tokens, 0, IMPACT_SELECTORS_MAX);
	table_init(&s->apps, 0, IMPACT_SELECTORS_MAX);
	table_init(&s->actors, 0, IMPACT_SELECTORS_MAX);
	table_init(&s->mailboxes, 0, IMPACT_SELECTORS_MAX);
}

static void free_names(struct mailbox_name *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].guid);
		free(v[i].upn);
	}
	free(v);
}

void selection_release(struct selection *s)
{
	table_release(&s->sessions);
	table_release(&s->tokens);
	table_release(&s->apps);
	table_release(&s->actors);
	table_release(&s->mailboxes);
	free(s->nets);
	free_names(s->named, s->named_count);
	for (size_t i = 0; i < s->alert_count; i++) {
		struct select_alert *a = &s->alerts[i];
		free(a->id);
		free(a->title);
		free(a->rule);
		free(a->severity);
		free(a->tenant);
		table_release(&a->clients);
		table_release(&a->ips);
		table_release(&a->nets);
		table_release(&a->sessions);
		table_release(&a->tokens);
		table_release(&a->mailboxes);
		table_release(&a->evidence);
		free_names(a->names, a->name_count);
		free_names(a->targets, a->target_count);
	}
	free(s->alerts);
	buf_release(&s->said);
}

static void say(struct selection *s, const char *what, struct str value)
{
	if (s->said.n)
		buf_add_cstr(&s->said, ", ");
	buf_add_cstr(&s->said, what);
	buf_add_char(&s->said, ' ');
	buf_add_str(&s->said, value);
}

void selection_add_session(struct selection *s, struct str text)
{
	select_put(s, &s->sessions, select_session_key(text));
	say(s, "session", text);
}

void selection_add_token(struct selection *s, struct str text)
{
	select_put(s, &s->tokens, select_token_key(text));
	say(s, "token", text);
}

void selection_add_app(struct selection *s, struct str text)
{
	select_put(s, &s->apps, guid_or_text_key(text));
	say(s, "application", text);
}

void selection_add_actor(struct selection *s, struct str text)
{
	select_put(s, &s->actors, select_text_key(text));
	say(s, "user", text);
}

bool select_name(struct selection *s, struct mailbox_name **v, size_t *n, struct str guid, struct str upn)
{
	struct mailbox_name *p = realloc(*v, (*n + 1) * sizeof(*p));

	if (!p) {
		s->failed = true;
		return false;
	}
	*v = p;
	p[*n] = (struct mailbox_name) { strndup(guid.n ? guid.p : "", guid.n), strndup(upn.n ? upn.p : "", upn.n) };
	s->failed |= !p[*n].guid || !p[*n].upn;
	++*n;
	return true;
}

void selection_add_mailbox(struct selection *s, struct str text)
{
	uint8_t g[16];
	char lower[GUID_TEXT_SIZE];
	const bool is_guid = guid_parse(str_trim(text), g);

	select_put(s, &s->mailboxes, guid_or_text_key(text));
	select_name(s, &s->named, &s->named_count, is_guid ? str_of(guid_format(g, lower)) : STR_NONE,
		    is_guid ? STR_NONE : str_trim(text));
	say(s, "mailbox", text);
}

static bool parse_number(struct str s, unsigned max, unsigned *ret)
{
	unsigned v = 0;

	if (!s.n || s.n > 9)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = 10 * v + (unsigned)(s.p[i] - '0');
	}
	*ret = v;
	return v <= max;
}

bool selection_add_network(struct selection *s, struct str text)
{
	struct select_net net = { .bits = 0 };
	const struct str t = str_trim(text);
	const ptrdiff_t slash = str_find(t, STR("/"));
	unsigned n;

	if (str_starts_nocase(t, STR("AS")) && parse_number((struct str) { t.p + 2, t.n - 2 }, 999999999, &n)) {
		snprintf(net.label, sizeof(net.label), "AS%u", n);
	} else {
		net.addr = addr_parse((struct str) { t.p, slash < 0 ? t.n : (size_t)slash });
		if (net.addr.kind != ADDR_V4 && net.addr.kind != ADDR_V6)
			return false;
		net.bits = net.addr.kind == ADDR_V4 ? 32 : 128;
		if (slash >= 0 &&
		    !parse_number((struct str) { t.p + slash + 1, t.n - (size_t)slash - 1 }, net.bits, &net.bits))
			return false;
	}
	struct select_net *p =
		s->count++ < IMPACT_SELECTORS_MAX ? realloc(s->nets, (s->net_count + 1) * sizeof(*p)) : NULL;
	if (!p) {
		s->failed = true;
		return true;
	}
	s->nets = p;
	p[s->net_count++] = net;
	say(s, "network", text);
	return true;
}

bool selection_names_context(const struct selection *s)
{
	return s->alert_count || s->sessions.n || s->tokens.n || s->apps.n || s->net_count;
}

bool selection_is_intruder(const struct selection *s)
{
	for (size_t i = 0; i < s->alert_count; i++)
		if (!s->alerts[i].intruder)
			return false;
	return selection_names_context(s);
}

/* Before an alert's first record: Exchange counts the reads of a day. */
static int64_t alert_from(const struct select_alert *a)
{
	const int64_t day = a->first_us - US_PER_DAY;

	if (a->way != WAY_THROTTLED)
		return a->first_us;
	return a->reads_since_us && a->reads_since_us < day ? a->reads_since_us : day;
}

int64_t selection_from(const struct selection *s)
{
	int64_t from = s->period.since_us;

	if (from == INT64_MIN)
		for (size_t i = 0; i < s->alert_count; i++)
			from = i == 0 || alert_from(&s->alerts[i]) < from ? alert_from(&s->alerts[i]) : from;
	return from;
}

bool selection_covers(const struct selection *s, int64_t time_us)
{
	return time_us >= selection_from(s) && time_us < s->period.until_us;
}

/* -- matching -- */

static bool match_app(const struct selection *s, const struct name *client)
{
	uint8_t g[16];

	/* AppId, ClientAppId, caller, api, family */
	for (unsigned i = 0; i < NAME_PARTS; i++) {
		const struct str part = name_part(client, i);
		if (!part.n)
			continue;
		if (has(&s->apps, select_text_key(part)))
			return true;
		if (i < 3 && guid_parse(part, g) && has(&s->apps, select_text_key(app_name(g))))
			return true;
	}
	return false;
}

static bool match_net(const struct selection *s, const struct addr *a, const char *label)
{
	for (size_t i = 0; i < s->net_count; i++) {
		const struct select_net *n = &s->nets[i];
		if (n->label[0] ? strcmp(n->label, label) == 0 : addr_in(a, n->addr.b, n->bits, n->addr.kind))
			return true;
	}
	return false;
}

static bool match_mailbox(const struct table *t, const struct name *mailbox)
{
	const struct str guid = name_part(mailbox, 0), upn = name_part(mailbox, 1);

	return (guid.n && has(t, select_text_key(guid))) || (upn.n && has(t, select_text_key(upn)));
}

static bool match_place(const struct select_alert *a, const struct addr *addr, const char *label)
{
	return (a->ips.n && addr->kind != ADDR_NONE && has(&a->ips, select_addr_key(addr))) ||
	       (a->nets.n && label[0] && has(&a->nets, select_text_key(str_of(label))));
}

static bool match_client(const struct select_alert *a, const struct name *client)
{
	return client && has(&a->clients, select_client_key(name_part(client, 0), name_part(client, 1), name_part(client, 4)));
}

static bool match_session(const struct select_alert *a, const struct rec *r)
{
	return (r->flags & REC_HAS_SESSION) && has(&a->sessions, hash64(r->session, 16, 0));
}

/* its tokens; of a record without a token id, its sessions */
static bool match_ids(const struct select_alert *a, const struct rec *r)
{
	if (r->flags & REC_HAS_TOKEN)
		return has(&a->tokens, hash64(r->token, 16, 0));
	return match_session(a, r);
}

static bool match_context(const struct select_alert *a, const struct rec *r, const struct names *n, const struct addr *addr,
			  const char *label, struct match *ret)
{
	const bool session = match_session(a, r);
	const bool app = match_client(a, names_get(n, r->client)), place = match_place(a, addr, label);

	if (r->time_us < a->first_us)
		return false;
	if (a->clients.n && !app)
		return false;
	if ((a->ips.n || a->nets.n) && !place)
		return false;
	if (!session && !app && !place)
		return false;
	if (!session && !match_mailbox(&a->mailboxes, names_get(n, r->mailbox))) {
		/* a mailbox that the alert does not name: only an application that came with it carries over */
		if (!app)
			return false;
		ret->new_app_only = true;
		ret->app_since_us = a->first_us;
	}
	return true;
}

static bool match_alert(const struct select_alert *a, const struct rec *r, const struct names *n,
			const struct addr *addr, const char *label, const struct str *tenant, struct match *ret)
{
	const struct name *client = names_get(n, r->client);

	if (a->tenant && tenant && !str_eq_nocase(*tenant, str_of(a->tenant)))
		return false;
	switch (a->way) {
	case WAY_ORPHANS:
		ret->by_identity = ret->unless_linked = true;
		/* what the list of tokens leaves out is known by its context, and by having no sign-in */
		return match_ids(a, r) || (a->tokens_cut && match_client(a, client) && match_mailbox(&a->mailboxes, names_get(n, r->mailbox)) &&
					   (match_place(a, addr, label) || !(a->ips.n || a->nets.n)));
	case WAY_SHARED: /* the owner may use the same token or session: only where the alert saw it */
		ret->by_identity = true;
		return (match_ids(a, r) || (a->tokens_cut && match_session(a, r))) &&
		       (match_place(a, addr, label) || !(a->ips.n || a->nets.n)) && (!a->clients.n || match_client(a, client));
	case WAY_SPLIT: /* the owner's habits show which of the two places is his */
		return match_ids(a, r) || match_session(a, r);
	case WAY_FOREIGN:
		ret->by_identity = true;
		return match_ids(a, r) || ((r->flags & (REC_TOKEN_TENANT_FOREIGN | REC_TOKEN_TENANT_CONSUMER)) &&
					   (!a->clients.n || match_client(a, client)) && match_mailbox(&a->mailboxes, names_get(n, r->mailbox)));
	case WAY_THROTTLED:
		return r->time_us >= alert_from(a) && r->time_us <= a->last_us && match_mailbox(&a->mailboxes, names_get(n, r->mailbox)) &&
		       (r->time_us >= a->first_us - US_PER_DAY || match_client(a, client));
	case WAY_DARK:
		return false;
	default:
		return match_context(a, r, n, addr, label, ret);
	}
}

void selection_tenants(const struct selection *s, const char **v, size_t max, size_t *ret_n)
{
	*ret_n = 0;
	for (size_t i = 0; i < s->alert_count; i++) {
		const char *tenant = s->alerts[i].tenant;
		size_t k = 0;
		if (tenant && !*tenant)
			tenant = "unknown";
		while (tenant && k < *ret_n && strcmp(v[k], tenant) != 0)
			k++;
		if (!tenant || k == max) {
			*ret_n = 0;
			return;
		}
		v[k] = tenant;
		*ret_n += k == *ret_n;
	}
}

struct match selection_match(const struct selection *s, const struct rec *r, const struct names *n, const struct str *tenant)
{
	struct match m = { 0 };
	struct addr addr = { .kind = r->ip_kind };
	char label[NET_LABEL_SIZE] = "";
	bool hit = s->alert_count == 0;

	if (!period_has(&s->period, r->time_us) || (r->flags & REC_NO_TIME))
		return m;
	if (s->sessions.n && !((r->flags & REC_HAS_SESSION) && has(&s->sessions, hash64(r->session, 16, 0))))
		return m;
	if (s->tokens.n && !((r->flags & REC_HAS_TOKEN) && has(&s->tokens, hash64(r->token, 16, 0))))
		return m;
	if (s->actors.n && !has(&s->actors, select_text_key(name_part(names_get(n, r->actor), 0))))
		return m;
	if (s->mailboxes.n && !match_mailbox(&s->mailboxes, names_get(n, r->mailbox)))
		return m;
	if (s->apps.n && !match_app(s, names_get(n, r->client)))
		return m;
	memcpy(addr.b, r->ip, sizeof(addr.b));
	if (s->net_count || s->alert_count) {
		const struct net net = net_of(s->asn, &addr);
		net_label(&net, &addr, label);
	}
	if (s->net_count && !match_net(s, &addr, label))
		return m;
	m.by_identity = s->tokens.n > 0;
	m.new_app_only = true;
	for (size_t i = 0; i < s->alert_count; i++) {
		struct match one = { .by_identity = m.by_identity };
		if (!match_alert(&s->alerts[i], r, n, &addr, label, tenant, &one))
			continue;
		if (!hit || (m.new_app_only && !one.new_app_only))
			m = one;
		m.by_identity |= one.by_identity;
		if (hit) /* one that takes it as it is wins */
			m.unless_linked &= one.unless_linked;
		hit = true;
	}
	m.new_app_only &= s->alert_count > 0;
	m.hit = hit;
	return m;
}
