/* SPDX-License-Identifier: Apache-2.0 */
/* alerts: from a findings file (`taximeter scan -f ndjson`) into a selection.  The file may have been edited:
 * a line that is no finding ends the reading with a sentence, and so does an id that is not in it. */
#include <stdlib.h>

#include "alert/alert.h"
#include "base/hash.h"
#include "base/limits.h"
#include "eval/line.h"
#include "impact/select_int.h"

/* Which accesses the alerts of a rule select, and from which severity on they mean that an intruder was at work. */
static const struct {
	const char *rule;
	enum alert_way way;
	enum severity intruder; /* SEVERITY_NEVER */
} rules[] = {
#define SEVERITY_NEVER (SEVERITY_CRITICAL + 1)
	{ "orphan-token", WAY_ORPHANS, SEVERITY_MEDIUM },
	{ "renewal-chain", WAY_ORPHANS, SEVERITY_HIGH },
	{ "token-outside-life", WAY_SHARED, SEVERITY_HIGH },
	{ "session-moved", WAY_SHARED, SEVERITY_HIGH },
	{ "split-session", WAY_SPLIT, SEVERITY_HIGH },
	{ "foreign-token", WAY_FOREIGN, SEVERITY_HIGH },
	{ "known-indicator", WAY_CONTEXT, SEVERITY_HIGH },
	{ "throttled", WAY_THROTTLED, SEVERITY_NEVER },
	{ "audit-tampering", WAY_DARK, SEVERITY_NEVER },
};

static void take_rule(struct select_alert *a)
{
	enum severity severity = SEVERITY_INFO;

	severity_parse(str_of(a->severity), &severity);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!a->rule || strcmp(a->rule, rules[i].rule) != 0)
			continue;
		a->way = rules[i].way;
		a->intruder = severity >= rules[i].intruder;
	}
}

static void take_texts(struct selection *s, struct line_object *o, const char *name, struct table *t,
		       uint64_t (*key)(struct str))
{
	struct line_list w;

	for (uint32_t v = line_list(o, name, &w); v != WALK_BAD; v = line_list_next(o, &w))
		select_put(s, t, key(line_element_text(o, &w, v)));
}

static uint64_t addr_text_key(struct str text)
{
	const struct addr a = addr_parse(text);

	return select_addr_key(&a);
}

static void take_apps(struct selection *s, struct line_object *o, struct select_alert *a)
{
	struct line_object app;
	struct line_list w;

	for (uint32_t v = line_list(o, "apps", &w); v != WALK_BAD; v = line_list_next(o, &w)) {
		if (!line_element_object(o, &w, v, &app))
			return;
		const struct str id = line_text(&app, "app_id"), client = line_text(&app, "client_app_id");
		select_put(s, &a->clients, select_client_key(id, client, line_text(&app, "client")));
	}
}

static void take_mailboxes(struct selection *s, struct line_object *o, struct select_alert *a)
{
	struct line_object m;
	struct line_list w;

	for (uint32_t v = line_list(o, "mailboxes", &w); v != WALK_BAD; v = line_list_next(o, &w)) {
		if (!line_element_object(o, &w, v, &m))
			return;
		const struct str guid = line_text(&m, "guid"), upn = line_text(&m, "upn");
		if (guid.n)
			select_put(s, &a->mailboxes, select_text_key(guid));
		else if (upn.n)
			select_put(s, &a->mailboxes, select_text_key(upn));
		if (a->name_count < ALERT_MAILBOXES_MAX)
			select_name(s, &a->names, &a->name_count, guid, upn);
	}
}

/* whose recording was switched off, as scan reports it */
static void take_targets(struct selection *s, struct line_object *o, struct select_alert *a)
{
	struct line_object m;
	struct line_list w;

	for (uint32_t v = line_list(o, "targets", &w); v != WALK_BAD; v = line_list_next(o, &w)) {
		if (!line_element_object(o, &w, v, &m))
			return;
		const struct str guid = line_text(&m, "guid"), upn = line_text(&m, "upn"), name = line_text(&m, "name");
		if (a->target_count < ALERT_MAILBOXES_MAX && (guid.n || upn.n || name.n))
			select_name(s, &a->targets, &a->target_count, guid, upn.n ? upn : name);
	}
}

static char *copy(struct selection *s, struct str text)
{
	char *p = strndup(text.n ? text.p : "", text.n);

	s->failed |= !p;
	return p;
}

static void take_alert(struct selection *s, struct line_object *o)
{
	struct select_alert *p = realloc(s->alerts, (s->alert_count + 1) * sizeof(*p)), *a;

	if (!p) {
		s->failed = true;
		return;
	}
	s->alerts = p;
	a = &p[s->alert_count++];
	*a = (struct select_alert) { .first_us = line_need_time(o, "first_seen"),
				     .last_us = line_time(o, "last_seen") };
	table_init(&a->clients, 0, IMPACT_SELECTORS_MAX);
	table_init(&a->ips, 0, IMPACT_SELECTORS_MAX);
	table_init(&a->nets, 0, IMPACT_SELECTORS_MAX);
	table_init(&a->sessions, 0, IMPACT_SELECTORS_MAX);
	table_init(&a->tokens, 0, IMPACT_SELECTORS_MAX);
	table_init(&a->mailboxes, 0, IMPACT_SELECTORS_MAX);
	table_init(&a->evidence, 0, IMPACT_SELECTORS_MAX);
	a->id = copy(s, line_text(o, "id"));
	a->title = copy(s, line_text(o, "title"));
	a->rule = copy(s, line_text(o, "rule"));
	a->severity = copy(s, line_text(o, "severity"));
	take_rule(a);
	const struct str tenant = line_text(o, "tenant"), scope = line_text(o, "scope");
	a->tenant = line_says(o, "tenant") ? copy(s, tenant) : NULL;
	a->reads_since_us = line_time(o, "reads_since");
	take_apps(s, o, a);
	take_texts(s, o, "ips", &a->ips, addr_text_key);
	take_texts(s, o, "networks", &a->nets, select_text_key);
	take_texts(s, o, "sessions", &a->sessions, select_session_key);
	take_texts(s, o, "tokens", &a->tokens, select_token_key);
	take_texts(s, o, "evidence", &a->evidence, select_session_key);
	a->tokens_cut = a->tokens.n >= ALERT_LIST_MAX;
	take_mailboxes(s, o, a);
	if (a->way == WAY_DARK)
		take_targets(s, o, a);
	a->tenant_wide = str_eq(scope, STR("tenant"));
	if (s->said.n)
		buf_add_cstr(&s->said, ", ");
	buf_printf(&s->said, "alert %s", a->id ? a->id : "");
}

/* place of the id among those asked for; n = none of them */
static size_t find(struct str id, const char *const *ids, size_t n)
{
	size_t i = 0;

	while (i < n && !str_eq(id, str_of(ids[i])))
		i++;
	return i;
}

bool selection_add_alerts(struct selection *s, const char *path, const char *const *ids, size_t n, struct buf *error)
{
	bool *met = calloc(n + 1, sizeof(*met));
	struct line_file f = { 0 };
	struct line_object o;
	bool good = met && line_open(&f, path);

	while (good && line_next(&f, &o)) {
		if (!str_eq(line_text(&o, "type"), STR("alert")))
			continue;
		const size_t i = find(line_text(&o, "id"), ids, n);
		if (i == n || met[i])
			continue;
		met[i] = true;
		take_alert(s, &o);
	}
	if (!met)
		buf_add_cstr(error, "out of memory");
	else if (f.failed)
		buf_add_str(error, buf_str(&f.error));
	good = met && !f.failed;
	for (size_t i = 0; good && i < n; i++) {
		if (met[i])
			continue;
		buf_printf(error,
			   "%s: no alert '%.100s' in it; `taximeter scan -f ndjson` prints ids as \"id\":\"txm-...\"",
			   path, ids[i]);
		good = false;
	}
	if (f.path)
		line_close(&f);
	free(met);
	return good;
}
