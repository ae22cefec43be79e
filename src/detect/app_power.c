/* SPDX-License-Identifier: Apache-2.0 */
/* app-power: an application is given power over mail, and then reads it.
 *
 * Signal   Consents, delegated grants, application roles, changed permission requests and new credentials in the directory
 *          log, and the mail records of the same application in the seven days after.
 * Catches  Consent phishing, a planted or widened application, a key planted on an application that may read mail.
 * Misses   Power that was given before the data begins, or more than seven days before the reading; directory logs that
 *          were not exported; applications of Microsoft, which need no consent.
 * Cost     Every new mail application of a user begins this way: consent for one's own mailbox is medium once it reads.
 *          New credentials alone are silent.  Memory: 300 bytes a grant, at most 10,000.
 *
 *   credential   --\
 *   request      ---+--> one story of one application ---(7 days)---> its reads
 *   grant, role  --/
 *
 * The application's id ties the two together.  Some records of the directory log name only the object or its display
 * name; without an application id the account is the link: within a day after it gave the power, it reads through Graph with
 * a client new to the tenant.  The alert then says that this does not prove the same application. */
#include <stdio.h>
#include <stdlib.h>

#include "base/truth.h"
#include "detect/detect_int.h"
#include "detect/mail_rights.h"
#include "event/audit_switch.h"

#define READ_WITHIN_US (7 * US_PER_DAY)  /* reads this long after the last change belong to it */
#define SAME_STORY_US (7 * US_PER_DAY)   /* changes of one application this close are one story */
#define SAME_HAND_US US_PER_HOUR         /* changes by one account, of applications that the log does not distinguish */
#define BY_ACTOR_US US_PER_DAY           /* a link by account alone must be quick */
#define STORIES_MAX 10000
#define IDS_MAX (8 * STORIES_MAX)
#define NEW_MAILBOXES 3                  /* a new credential, and so many mailboxes that the application had never touched */
#define RIGHTS_MAX 16                    /* named in a record; Exchange and Graph together have fewer on mail */
#define FACTS_MAX 8                      /* sentences of directory changes in one alert */

extern const struct detector detector_app_power;

struct story {
	struct alert *alert;
	int64_t first_us, last_us;
	int64_t power_us;        /* last grant; 0 = none */
	int64_t read_first_us, read_last_us;
	uint64_t reads, items;
	uint64_t name_key;
	uint32_t actor, client;  /* client: of the reads */
	uint32_t new_mailboxes;  /* that the application had never touched */
	uint8_t facts;
	bool app_known;          /* a record named the application id */
	bool granted, requested, credential;
	bool for_all;            /* application role, or consent for all users */
	bool reads_allowed;      /* not only sending */
	bool by_actor, read_before, others_mailbox;
	char name[80], rights[80];
	char app_id[GUID_TEXT_SIZE], object_id[GUID_TEXT_SIZE]; /* "" = not given */
};

struct client_row {
	uint32_t story;          /* + 1 */
	uint32_t generation;     /* of the ids when it was looked up */
};

struct state {
	struct story *stories;
	uint32_t story_count, story_capacity;
	struct table ids;        /* hash(GUID) -> story: application, object, service principal alike */
	struct table names;      /* hash(display name) -> story */
	struct table actors;     /* actor -> story without application id */
	struct client_row *clients;
	uint32_t client_count, generation;
	uint64_t refused;
};

static int begin(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	(void)c;
	table_init(&s->ids, sizeof(uint32_t), IDS_MAX);
	table_init(&s->names, sizeof(uint32_t), STORIES_MAX);
	table_init(&s->actors, sizeof(uint32_t), STORIES_MAX);
	s->generation = 1;
	return 0;
}

static void release(void *state)
{
	struct state *s = state;
	free(s->stories);
	free(s->clients);
	table_release(&s->ids);
	table_release(&s->names);
	table_release(&s->actors);
}

static uint64_t refused(const void *state)
{
	const struct state *s = state;
	return s->refused;
}

/* -- what a directory record says -- */

struct change {
	enum { CHANGE_NONE, CHANGE_GRANT, CHANGE_REQUEST, CHANGE_CREDENTIAL } kind;
	uint64_t ids[8];         /* hashes of GUIDs */
	unsigned id_count;
	bool app_known, for_all, application, reads, full_access;
	bool scope_said;         /* for one user or for all */
	struct str name, id_text, app_text; /* the first id; that of the application */
	struct str keys, old_keys;          /* KeyDescription: the credentials after and before */
	struct mail_right rights[RIGHTS_MAX], old_rights[RIGHTS_MAX];
	unsigned right_count, old_count;
};

static uint64_t id_key(const uint8_t id[16])
{
	return hash64(id, 16, 0);
}

/* ids of resources, not of the application that gets the power */
static bool is_resource(const uint8_t id[16])
{
	static const char *const known[] = { "00000003-0000-0000-c000-000000000000", "00000002-0000-0ff1-ce00-000000000000",
		"00000002-0000-0000-c000-000000000000", "00000000-0000-0000-0000-000000000000" };
	uint8_t k[16];
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (guid_parse(str_of(known[i]), k) && memcmp(k, id, 16) == 0)
			return true;
	return false;
}

/* Every GUID of the text, also after "ServicePrincipal_"; is_app: they are application ids. */
static void add_ids(struct change *ch, struct str text, bool is_app)
{
	struct str word;
	uint8_t id[16];
	while (next_word(&text, &word)) {
		if (word.n < 36 || !guid_parse((struct str){ word.p + word.n - 36, 36 }, id) || is_resource(id))
			continue;
		if (!ch->id_text.n)
			ch->id_text = (struct str){ word.p + word.n - 36, 36 };
		if (is_app && !ch->app_text.n)
			ch->app_text = (struct str){ word.p + word.n - 36, 36 };
		ch->app_known |= is_app;
		if (ch->id_count < 8)
			ch->ids[ch->id_count++] = id_key(id);
	}
}

static void add_rights(struct mail_right *v, unsigned *n, struct str text, bool application)
{
	struct str word;
	struct mail_right r;
	while (next_word(&text, &word)) {
		if (!mail_right(word, application, &r) || *n >= RIGHTS_MAX)
			continue;
		bool known = false;
		for (unsigned i = 0; i < *n; i++)
			known |= v[i].application == r.application && str_eq_nocase(v[i].name, r.name);
		if (!known)
			v[(*n)++] = r;
	}
}

/* "old => new" or a pair of details */
static void read_rights(struct change *ch, struct str name, struct str value, bool application)
{
	ptrdiff_t arrow = str_find(value, STR("=>"));
	if (str_ends_nocase(name, STR(".old"))) {
		add_rights(ch->old_rights, &ch->old_count, value, application);
	} else if (arrow >= 0) {
		add_rights(ch->old_rights, &ch->old_count, (struct str){ value.p, (size_t)arrow }, application);
		add_rights(ch->rights, &ch->right_count, (struct str){ value.p + arrow, value.n - (size_t)arrow }, application);
	} else {
		add_rights(ch->rights, &ch->right_count, value, application);
	}
}

/* keeps what was gained */
static void subtract_old(struct change *ch)
{
	unsigned n = 0;
	for (unsigned i = 0; i < ch->right_count; i++) {
		bool had = false;
		for (unsigned j = 0; j < ch->old_count; j++)
			had |= ch->old_rights[j].application == ch->rights[i].application &&
			       str_eq_nocase(ch->old_rights[j].name, ch->rights[i].name);
		if (!had)
			ch->rights[n++] = ch->rights[i];
	}
	ch->right_count = n;
	for (unsigned i = 0; i < n; i++) {
		ch->reads |= ch->rights[i].reads;
		ch->application |= ch->rights[i].application;
		ch->full_access |= str_eq_nocase(ch->rights[i].name, STR("full_access_as_app"));
	}
}

/* "[\r\n  \"Reader\"\r\n]" and "Reader" are one name */
static struct str plain(struct str s)
{
	while (s.n && (strchr("[]\"", s.p[0]) || (unsigned char)s.p[0] <= ' '))
		s.p++, s.n--;
	while (s.n && (strchr("[]\"", s.p[s.n - 1]) || (unsigned char)s.p[s.n - 1] <= ' '))
		s.n--;
	return s;
}

static void read_change(const struct rec *r, struct change *ch)
{
	struct detail_iter it = rec_details(r);
	struct str name, value;
	/* of a grant the target is the resource; the application is in ServicePrincipal.* */
	bool by_service = r->op == OP_ADD_DELEGATED_GRANT || r->op == OP_ADD_APP_ROLE_TO_SERVICE;
	bool role = r->op == OP_ADD_APP_ROLE_TO_SERVICE || r->op == OP_ADD_APP_ROLE_TO_USER;
	*ch = (struct change){ 0 };
	switch (r->op) {
	case OP_CONSENT:
	case OP_ADD_DELEGATED_GRANT:
	case OP_ADD_APP_ROLE_TO_SERVICE:
	case OP_ADD_APP_ROLE_TO_USER:
		ch->kind = CHANGE_GRANT;
		break;
	case OP_UPDATE_APPLICATION:
	case OP_ADD_APPLICATION:
		ch->kind = CHANGE_REQUEST;
		break;
	case OP_ADD_SP_CREDENTIALS:
	case OP_UPDATE_APP_SECRETS:
		ch->kind = CHANGE_CREDENTIAL;
		break;
	default:
		return;
	}
	while (detail_next(&it, &name, &value)) {
		bool is_old = str_ends_nocase(name, STR(".old"));
		if (str_starts_nocase(name, STR("ConsentAction.Permissions")) ||
		    str_starts_nocase(name, STR("DelegatedPermissionGrant.Scope")) || str_eq_nocase(name, STR("Permissions")) || str_starts_nocase(name, STR("RequiredResourceAccess")))
			read_rights(ch, name, value, false);
		else if (role && (str_starts_nocase(name, STR("AppRole.Value")) || str_starts_nocase(name, STR("AppRole.Id"))))
			read_rights(ch, name, value, r->op == OP_ADD_APP_ROLE_TO_SERVICE);
		if (str_find(value, STR("Principal")) >= 0 && str_find(name, STR("Consent")) >= 0 && !is_old) {
			ch->scope_said = true;
			ch->for_all |= str_find(value, STR("AllPrincipals")) >= 0;
		}
		ch->scope_said |= str_eq_nocase(name, STR("ConsentContext.OnBehalfOfAll"));
		if ((str_eq_nocase(name, STR("ConsentContext.OnBehalfOfAll")) || str_eq_nocase(name, STR("ConsentContext.IsAppOnly")) ||
		     str_eq_nocase(name, STR("ConsentContext.IsAdminConsent"))) && truth_of(plain(value)) == TRUTH_YES)
			ch->for_all = true;
		if (str_starts_nocase(name, STR("KeyDescription")))
			*(is_old ? &ch->old_keys : &ch->keys) = value;
		if (is_old)
			continue;
		if (str_eq_nocase(name, STR("ServicePrincipal.AppId")) || str_eq_nocase(name, STR("ServicePrincipal.Name")) ||
		    str_eq_nocase(name, STR("Application.AppId")))
			add_ids(ch, value, true);
		else if (str_eq_nocase(name, STR("ServicePrincipal.ObjectID")) || str_eq_nocase(name, STR("Application.ObjectID")))
			add_ids(ch, value, false);
		else if (str_eq_nocase(name, STR("ServicePrincipal.DisplayName")) || str_eq_nocase(name, STR("Application.DisplayName")))
			ch->name = plain(value);
		if (by_service)
			continue;
		if (str_eq_nocase(name, STR("AppId")) || str_eq_nocase(name, STR("AppPrincipalId")) ||
		    str_eq_nocase(name, STR("TargetId.ServicePrincipalNames")) || str_eq_nocase(name, STR("Target.Type4")))
			add_ids(ch, value, true);
		else if (str_eq_nocase(name, STR("Target.Type2"))) {
			add_ids(ch, value, false);
		} else if (str_eq_nocase(name, STR("ObjectId"))) {
			/* a bare GUID there is the application id, but only in the unified log */
			add_ids(ch, value, r->class_ == CLASS_AUDIT && plain(value).n == 36);
		} else if (str_eq_nocase(name, STR("additionalDetails"))) {
			ptrdiff_t at = str_find(value, STR("\"AppId\""));
			if (at >= 0)
				add_ids(ch, (struct str){ value.p + at, value.n - (size_t)at }, true);
		} else if (str_eq_nocase(name, STR("Target.Type1")) && !ch->name.n) {
			ch->name = plain(value);
		}
	}
	subtract_old(ch);
	if (ch->kind != CHANGE_CREDENTIAL && !ch->right_count)
		ch->kind = CHANGE_NONE;
}

/* -- stories -- */

static struct story *story_near(struct state *s, const struct table *t, uint64_t key, int64_t now, int64_t span)
{
	const uint32_t *at = table_get(t, key);
	return at && now - s->stories[*at].last_us <= span ? &s->stories[*at] : NULL;
}

static void index_story(struct state *s, struct story *st, const struct change *ch)
{
	uint32_t at = (uint32_t)(st - s->stories), *slot;
	for (unsigned i = 0; i < ch->id_count; i++)
		if ((slot = table_put(&s->ids, ch->ids[i], NULL)))
			*slot = at;
		else
			s->refused++;
	if (st->name_key && (slot = table_put(&s->names, st->name_key, NULL)))
		*slot = at;
	if (!st->app_known && st->actor != NONE && (slot = table_put(&s->actors, st->actor, NULL)))
		*slot = at;
	s->generation++;
}

static struct story *story_of(struct state *s, struct detect_ctx *c, const struct event *e, const struct change *ch)
{
	int64_t t = e->rec->time_us;
	struct story *st = NULL;
	uint64_t name_key = ch->name.n ? key_text(ch->name) : 0;
	for (unsigned i = 0; i < ch->id_count && !st; i++)
		st = story_near(s, &s->ids, ch->ids[i], t, SAME_STORY_US);
	if (!st && name_key)
		st = story_near(s, &s->names, name_key, t, SAME_STORY_US);
	if (!st && !ch->app_known && e->actor != NONE) {
		st = story_near(s, &s->actors, e->actor, t, SAME_HAND_US);
		if (st && (st->app_known || (st->name_key && name_key && st->name_key != name_key)))
			st = NULL;
	}
	if (!st) {
		if (s->story_count == s->story_capacity) {
			uint32_t capacity = s->story_capacity ? s->story_capacity * 2 : 16;
			struct story *v = s->story_count < STORIES_MAX ? realloc(s->stories, capacity * sizeof *v) : NULL;
			if (!v) {
				s->refused++;
				return NULL;
			}
			s->stories = v;
			s->story_capacity = capacity;
		}
		uint64_t subject = ch->id_count ? ch->ids[0] : name_key ? name_key : e->rec->actor;
		st = &s->stories[s->story_count];
		*st = (struct story){ .first_us = t, .actor = e->actor, .client = NONE };
		st->alert = alerts_open(c->alerts, &detector_app_power, hash_mix(subject, (uint64_t)t));
		if (!st->alert)
			return NULL;
		s->story_count++;
	}
	st->last_us = t;
	st->app_known |= ch->app_known;
	if (name_key && !st->name_key) {
		st->name_key = name_key;
		snprintf(st->name, sizeof st->name, "%.*s", (int)(ch->name.n > 70 ? 70 : ch->name.n), ch->name.p);
	} else if (!st->name[0] && ch->id_text.n) {
		snprintf(st->name, sizeof st->name, "application %.*s", (int)ch->id_text.n, ch->id_text.p);
	}
	index_story(s, st, ch);
	return st;
}

/* -- sentences -- */

static const char *app_label(const struct story *st)
{
	return st->name[0] ? st->name : "An application that the record does not name";
}

static void retitle(struct detect_ctx *c, struct story *st)
{
	char boxes[SAY_SIZE];
	const char *what = st->granted ? "was given" : "asked for";
	if (!st->reads && st->rights[0])
		alert_title(st->alert, "%s %s mail rights: %s", app_label(st), what, st->rights);
	else if (st->reads && st->rights[0])
		alert_title(st->alert, "%s %s mail rights (%s), then %s of %s", app_label(st), what, st->rights,
			    st->by_actor ? "a client never seen before read mail" : "read mail",
			    say_mailboxes(c->world, &st->alert->mailboxes, boxes));
	else
		alert_title(st->alert, "%s got a new credential, then read mail of %s", app_label(st),
			    say_mailboxes(c->world, &st->alert->mailboxes, boxes));
}

/* "KeyIdentifier=...,KeyType=Password,KeyUsage=Verify,DisplayName=k]": the value of one name in it */
static struct str key_part(struct str key, struct str name)
{
	ptrdiff_t at = str_find(key, name);
	if (at < 0)
		return STR_NONE;
	key.p += (size_t)at + name.n;
	key.n -= (size_t)at + name.n;
	size_t n = 0;
	while (n < key.n && key.p[n] != ',' && key.p[n] != ']')
		n++;
	return (struct str){ key.p, n };
}

/* the credentials that were not there before */
static void add_credentials(struct alert *al, const struct change *ch)
{
	const struct str begin = STR("KeyIdentifier=");
	struct str rest = ch->keys;
	for (ptrdiff_t at; (at = str_find(rest, begin)) >= 0;) {
		struct str key = { rest.p + at, rest.n - (size_t)at };
		rest = (struct str){ key.p + begin.n, key.n - begin.n };
		ptrdiff_t next = str_find(rest, begin);
		if (next >= 0)
			key.n = begin.n + (size_t)next;
		struct str id = key_part(key, begin);
		if (!id.n || str_find(ch->old_keys, id) >= 0)
			continue;
		alert_member(al, CREDENTIALS, value_text(id), value_text(key_part(key, STR("KeyType="))),
			     value_text(key_part(key, STR("DisplayName="))));
	}
}

/* the same as the sentences, as fields */
static void add_members(struct detect_ctx *c, struct story *st, const struct event *e, const struct change *ch)
{
	struct alert *al = st->alert;
	struct str actor = e->actor == NONE ? STR_NONE : world_actor(c->world, e->actor);
	static const char *const steps[] = { "", "grant", "request", "credential" };
	if (ch->app_text.n && !st->app_id[0])
		snprintf(st->app_id, sizeof st->app_id, "%.*s", STR_ARG(ch->app_text));
	else if (ch->id_text.n && !ch->app_text.n && !st->object_id[0])
		snprintf(st->object_id, sizeof st->object_id, "%.*s", STR_ARG(ch->id_text));
	alert_member(al, GRANTED_APP, value_cstr(st->app_id), value_cstr(st->object_id), value_cstr(st->name_key ? st->name : ""));
	for (unsigned i = 0; i < ch->right_count; i++)
		alert_member(al, PERMISSIONS, value_text(ch->rights[i].name));
	if (ch->kind == CHANGE_GRANT) {
		alert_member(al, GRANTOR, value_text(actor));
		alert_member(al, GRANTEE, value_cstr(ch->application ? "application" : ch->for_all ? "all_users" : ch->scope_said ? "one_user" : ""));
	}
	if (ch->kind == CHANGE_CREDENTIAL)
		add_credentials(al, ch);
	alert_member(al, STEPS, value_time(e->rec->time_us), value_cstr(steps[ch->kind]), value_cstr(op_text(e->rec->op)), value_text(actor));
}

static void add_fact(struct detect_ctx *c, struct story *st, const struct event *e, const struct change *ch)
{
	char actor[SAY_SIZE], when[TIME_TEXT_SIZE], rights[160] = "";
	size_t n = 0;
	for (unsigned i = 0; i < ch->right_count && n < sizeof rights - 40; i++)
		n += (size_t)snprintf(rights + n, sizeof rights - n, "%s%.*s", i ? ", " : "",
				      (int)(ch->rights[i].name.n > 32 ? 32 : ch->rights[i].name.n), ch->rights[i].name.p);
	if (ch->right_count)
		snprintf(st->rights, sizeof st->rights, "%.*s", (int)sizeof st->rights - 1, rights);
	if (st->facts++ >= FACTS_MAX)
		return;
	time_format_minute(e->rec->time_us, when);
	say_actor(c->world, e->actor, actor);
	if (ch->kind == CHANGE_CREDENTIAL)
		alert_why(st->alert, "%s: %s added a credential (\"%s\")%s%s.", when, actor, op_text(e->rec->op),
			  st->name_key ? " to " : "", st->name_key ? st->name : "");
	else if (ch->kind == CHANGE_REQUEST)
		alert_why(st->alert, "%s: %s made %s ask for %s (\"%s\"): this is a request, not yet a grant.", when, actor, app_label(st), rights,
			  op_text(e->rec->op));
	else
		alert_why(st->alert, "%s: %s granted %s%s (\"%s\").", when, actor, rights,
			  ch->application ? ", to the application itself, for every mailbox"
			  : ch->for_all ? ", on behalf of all users"
			  : ch->scope_said ? ", on behalf of one user" : " (the record does not say for which users)", op_text(e->rec->op));
}

/* -- events -- */

static void directory_event(struct state *s, struct detect_ctx *c, const struct event *e)
{
	struct change ch;
	if (outcome_of(e->rec) == OUTCOME_FAILED)
		return;
	read_change(e->rec, &ch);
	if (ch.kind == CHANGE_NONE)
		return;
	struct story *st = story_of(s, c, e, &ch);
	if (!st)
		return;
	alert_fold(c->alerts, st->alert, e);
	add_fact(c, st, e, &ch);
	add_members(c, st, e, &ch);
	st->credential |= ch.kind == CHANGE_CREDENTIAL;
	st->requested |= ch.kind == CHANGE_REQUEST;
	st->reads_allowed |= ch.reads;
	if (ch.kind == CHANGE_GRANT) {
		st->granted = true;
		st->for_all |= ch.for_all || ch.application;
		alert_raise(st->alert, e->rec->time_us, !ch.reads ? SEVERITY_INFO
			    : ch.for_all || ch.application || ch.full_access ? SEVERITY_MEDIUM : SEVERITY_LOW);
	} else if (ch.kind == CHANGE_REQUEST) {
		alert_raise(st->alert, e->rec->time_us, ch.reads && e->rec->op == OP_UPDATE_APPLICATION ? SEVERITY_LOW : SEVERITY_INFO);
	}
	retitle(c, st);
}

static enum severity read_severity(const struct story *st)
{
	if (st->by_actor)
		return st->for_all || st->credential ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	if (st->granted && st->reads_allowed) {
		if (st->for_all || st->others_mailbox)
			return st->read_before ? SEVERITY_MEDIUM : SEVERITY_HIGH;
		return st->read_before ? SEVERITY_LOW : SEVERITY_MEDIUM;
	}
	/* asked for, or a new credential */
	return st->read_before && st->new_mailboxes < NEW_MAILBOXES ? SEVERITY_LOW : SEVERITY_MEDIUM;
}

static void read_mail(struct detect_ctx *c, struct story *st, const struct event *e)
{
	int64_t t = e->rec->time_us;
	if (!st->reads) {
		st->read_before = c->world->clients[e->client].first_us < st->first_us;
		/* a rotated secret of an application that goes on as before is no news */
		if (!st->granted && !st->requested && st->read_before && !e->edge_is_new)
			return;
		st->read_first_us = t;
		st->client = e->client;
		alert_member(st->alert, STEPS, value_time(t), value_cstr("read"), value_cstr(op_text(e->rec->op)),
			     value_text(e->actor == NONE ? STR_NONE : world_actor(c->world, e->actor)));
	}
	st->reads++;
	st->new_mailboxes += e->edge_is_new;
	st->items += e->rec->items;
	st->read_last_us = t;
	st->others_mailbox |= e->actor != st->actor;
	alert_fold(c->alerts, st->alert, e);
	enum severity before = st->alert->severity, severity = read_severity(st);
	bool first = st->reads == 1;
	alert_raise(st->alert, t, severity);
	if (first || severity > before)
		retitle(c, st);
}

static bool is_graph(const struct world *w, uint32_t client)
{
	return str_eq_nocase(world_client_part(w, client, CLIENT_API), STR("00000003-0000-0000-c000-000000000000"));
}

static void mail_event(struct state *s, struct detect_ctx *c, const struct event *e)
{
	int64_t t = e->rec->time_us;
	uint8_t app[16];
	if (!s->story_count || e->client == NONE || !reach((void **)&s->clients, &s->client_count, e->client, sizeof *s->clients))
		return;
	struct client_row *row = &s->clients[e->client];
	if (row->generation != s->generation) {
		const uint32_t *at = guid_parse(world_client_part(c->world, e->client, CLIENT_CALLER), app)
			? table_get(&s->ids, id_key(app)) : NULL;
		if (at)
			row->story = *at + 1;
		row->generation = s->generation;
	}
	if (!row->story && e->client_is_new && e->actor != NONE && c->world->clients[e->client].has_app &&
	    is_graph(c->world, e->client)) {
		const uint32_t *at = table_get(&s->actors, e->actor);
		struct story *st = at ? &s->stories[*at] : NULL;
		if (st && !st->app_known && (st->granted || st->requested) && st->reads_allowed && !st->reads &&
		    t - st->last_us <= BY_ACTOR_US) {
			st->by_actor = true;
			row->story = *at + 1;
		}
	}
	if (row->story && t - s->stories[row->story - 1].last_us <= READ_WITHIN_US)
		read_mail(c, &s->stories[row->story - 1], e);
}

static void event(void *state, struct detect_ctx *c, const struct event *e)
{
	if (event_is_mail(e))
		mail_event(state, c, e);
	else
		directory_event(state, c, e);
}

static void end(void *state, struct detect_ctx *c)
{
	struct state *s = state;
	char client[SAY_SIZE], door[SAY_SIZE], boxes[SAY_SIZE], span[TIME_TEXT_SIZE], from[TIME_TEXT_SIZE];
	for (uint32_t i = 0; i < s->story_count; i++) {
		struct story *st = &s->stories[i];
		if (!st->reads)
			continue;
		retitle(c, st);
		alert_why(st->alert, "%s after the first of these changes, from %s on, %s read %s in %s of %s, %s.",
			  time_format_span(st->read_first_us - st->first_us, span), time_format_minute(st->read_first_us, from),
			  say_client(c->world, st->client, client), COUNT(st->items, "item"), COUNT(st->reads, "record"), say_mailboxes(c->world, &st->alert->mailboxes, boxes),
			  say_door(c->world, st->client, door));
		if (st->by_actor)
			alert_why(st->alert, "The directory record has no application id. We linked the change and the reads because the same account made "
				  "the change and a client not seen before in this tenant did the reads; this is not proof that both are one application.");
		if (st->read_before)
			alert_why(st->alert, "The application had read mail before these changes; %s of these mailboxes %s new to it.",
				  DIGITS(st->new_mailboxes), st->new_mailboxes == 1 ? "was" : "were");
	}
}

static void fix_story(struct persist *p, void *element) { alerts_persist_one(p, &((struct story *)element)->alert); }

static void persist(struct persist *p, void *state)
{
	struct state *s = state;
	persist_array(p, (void **)&s->stories, &s->story_count, sizeof *s->stories, 2 * STORIES_MAX, fix_story);
	persist_room(p, (void **)&s->stories, &s->story_count, &s->story_capacity, sizeof *s->stories);
	persist_table(p, &s->ids, NULL);
	persist_table(p, &s->names, NULL);
	persist_table(p, &s->actors, NULL);
	rows_persist(p, (void **)&s->clients, &s->client_count, sizeof *s->clients, NULL);
	persist_u32(p, &s->generation);
	persist_u64(p, &s->refused);
	persist_check_below(p, &s->ids, s->story_count);
	persist_check_below(p, &s->names, s->story_count);
	persist_check_below(p, &s->actors, s->story_count);
	for (uint32_t i = 0; i < s->client_count; i++)
		if (s->clients[i].story > s->story_count)
			persist_fail(p, "a number of a rule names nothing");
}

static const char *const mitre[] = { "T1098.001", "T1098.003", "T1528", "T1114.002", NULL };

const struct detector detector_app_power = {
	.name = "app-power",
	.title = "An application was given power over mail, and read it",
	.severity = "high: given for all users or to the application itself, then reads; medium: given for one user, then "
		    "reads, or given for all; low: given for one user, asked for; info: sending only",
	.signal = "consents, grants, application roles, permission requests, credentials; then mail records of the same "
		  "application within seven days",
	.catches = "consent phishing, planted or widened applications, keys planted on applications that may read mail",
	.misses = "power given before the data or more than seven days before the reading; directory logs not exported",
	.cost = "every new mail application begins this way; 300 bytes a grant",
	.mitre = mitre,
	.wants = KIND_DIRECTORY | KIND_MAIL,
	.state_bytes = sizeof(struct state),
	.begin = begin,
	.event = event,
	.end = end,
	.release = release,
	.persist = persist,
	.refused = refused,
};
