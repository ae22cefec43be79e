/* SPDX-License-Identifier: Apache-2.0 */
/* alarms: one pass over the lines; types other than alert, app, score and summary are skipped. */
#include "eval/alarms.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/timefmt.h"

const double eval_levels[EVAL_LEVELS] = { 1e-2, 1e-3, 1e-4, 1e-5 };

static void read_mailboxes(struct alarms *a, struct line_object *o, const struct truth *t, struct alarm *al)
{
	struct line_list w;
	struct line_object m;

	al->mailbox_at = (uint32_t)a->mailbox_lists.n;
	for (uint32_t v = line_list(o, "mailboxes", &w); v != WALK_BAD; v = line_list_next(o, &w)) {
		uint32_t number;
		if (!line_element_object(o, &w, v, &m))
			return;
		number = truth_mailbox(t, line_text(&m, "guid"));
		if (number == UINT32_MAX)
			number = truth_mailbox(t, line_text(&m, "upn"));
		if (number == UINT32_MAX)
			al->strangers++;
		else if (!eval_list_add(&a->mailbox_lists, number))
			line_fail(o->file, "out of memory");
	}
	al->mailbox_count = (uint32_t)a->mailbox_lists.n - al->mailbox_at;
}

static void read_alert(struct alarms *a, struct line_object *o, const struct truth *t, struct eval_names *rules,
		       struct table *ids)
{
	struct alarm al = { 0 }, *grown;
	const struct str severity = line_need_text(o, "severity");
	bool is_new = false;

	al.id = hash_str(line_need_text(o, "id"), 0);
	al.time_us = line_need_time(o, "time");
	al.first_us = line_time(o, "first_seen");
	al.last_us = line_time(o, "last_seen");
	al.rule = eval_name(rules, line_need_text(o, "rule"));
	al.has_score = line_has(o, "score") || line_has(o, "odds");
	al.score = line_real(o, line_has(o, "score") ? "score" : "odds", 0);
	read_mailboxes(a, o, t, &al);
	scope_read(o, "apps", "ips", &al.scope);
	if (!o->file->failed && !severity_parse(severity, &al.severity))
		line_fail(o->file, "'severity' is none");
	if (al.rule == EVAL_NAMES_MAX)
		line_fail(o->file, "more than %d rules", EVAL_NAMES_MAX);
	if (!o->file->failed && table_put(ids, al.id, &is_new) && !is_new)
		line_fail(o->file, "an alert that was there before");
	grown = eval_grow(a->v, a->n, &a->capacity, EVAL_ALARMS_MAX, sizeof(*grown));
	if (!grown)
		line_fail(o->file, "out of memory, or more than %d alerts", EVAL_ALARMS_MAX);
	else
		a->v = grown;
	if (o->file->failed)
		scope_release(&al.scope);
	else
		a->v[a->n++] = al;
}

static void read_app(struct alarms *a, struct line_object *o)
{
	struct ranked_app *grown = eval_grow(a->apps, a->app_count, &a->app_capacity, EVAL_REFERENCES_MAX, sizeof(*grown));

	if (!grown) {
		line_fail(o->file, "out of memory");
		return;
	}
	a->apps = grown;
	a->apps[a->app_count].client = client_read(o);
	a->apps[a->app_count++].rank = (int32_t)line_need_int(o, "rank", 1, INT32_MAX);
}

static void read_score(struct alarms *a, struct line_object *o, const struct truth *t, int32_t from_day, int32_t to_day)
{
	const uint32_t m = truth_mailbox(t, line_need_text(o, "mailbox"));
	const int64_t us = line_need_time(o, "day"), day = (us - t->start_us) / US_PER_DAY;
	const double p = line_real(o, "p", -1);

	if (!o->file->failed && !(p >= 0 && p <= 1))
		line_fail(o->file, "'p' is not a number from 0 to 1");
	if (o->file->failed || m == UINT32_MAX || t->mailboxes[m].is_victim || us < t->start_us || day < from_day ||
	    day > to_day || day < t->mailboxes[m].first_day || day > t->mailboxes[m].last_day)
		return;
	a->scores++;
	for (int i = 0; i < EVAL_LEVELS; i++)
		a->at_or_below[i] += p <= eval_levels[i];
}

bool alarms_read(struct alarms *a, const char *path, const struct truth *t, int32_t from_day, int32_t to_day,
		 struct eval_names *rules, struct buf *error)
{
	struct line_file f;
	struct line_object o;
	struct table ids;

	*a = (struct alarms){ 0 };
	table_init(&ids, 0, EVAL_ALARMS_MAX);
	if (line_open(&f, path)) {
		while (line_next(&f, &o)) {
			const struct str type = line_need_text(&o, "type");
			if (str_eq(type, STR("alert")))
				read_alert(a, &o, t, rules, &ids);
			else if (str_eq(type, STR("app")))
				read_app(a, &o);
			else if (str_eq(type, STR("score")))
				read_score(a, &o, t, from_day, to_day);
			else if (str_eq(type, STR("summary")))
				a->complete = true;
			else if (str_eq(type, STR("tenant")) || str_eq(type, STR("attack")))
				line_fail(&f, "a line of a truth; these should be alerts");
		}
	}
	table_release(&ids);
	if (f.failed) {
		buf_add_str(error, buf_str(&f.error));
		line_close(&f);
		alarms_release(a);
		return false;
	}
	line_close(&f);
	return true;
}

void alarms_release(struct alarms *a)
{
	for (size_t i = 0; i < a->n; i++)
		scope_release(&a->v[i].scope);
	free(a->v);
	free(a->apps);
	free(a->mailbox_lists.v);
	*a = (struct alarms){ 0 };
}
