/* SPDX-License-Identifier: Apache-2.0 */
/* lines: looks for the token in a record by the name of its member, at any depth; failing that, by its looks. */
#include "token/lines.h"

#include "base/limits.h"
#include "base/timefmt.h"

static const struct sj_limits limits = {
	.bytes = RECORD_BYTES_MAX, .depth = SJ_DEPTH_MAX, .object_members = 4096, .nodes = 100000,
};

void line_reader_init(struct line_reader *x)
{
	static const char *const none[] = { NULL };
	sj_init(&x->json, &limits, none);
}

void line_reader_release(struct line_reader *x)
{
	sj_release(&x->json);
}

static bool is_named(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (str_eq_nocase(name, str_of(*names)))
			return true;
	return false;
}

static bool looks_like_token(struct str s)
{
	size_t dots = 0;

	for (size_t i = 0; i < s.n && s.n <= TOKEN_BYTES_MAX; i++)
		dots += s.p[i] == '.';
	return dots == 2 && str_starts(s, STR("eyJ"));
}

const char *line_token(struct line_reader *x, struct str line, struct str *ret, int64_t *ret_time_us)
{
	static const char *const token_names[] = { "token", "access_token", "accessToken", "id_token", "jwt", "jws", "assertion",
						   "authorization", NULL };
	static const char *const time_names[] = { "time", "CreationTime", "createdDateTime", "TimeGenerated", "timestamp", "@timestamp", NULL };
	struct strict_json *j = &x->json;
	const struct sj_node *best = NULL, *when = NULL;
	enum sj_error e;

	if (!line.n || line.p[0] != '{') {
		*ret = line;
		return NULL;
	}
	e = sj_parse(j, line);
	if (e != SJ_OK)
		return sj_error_text(e);
	for (uint32_t i = 1; i < j->n; i++) {
		const struct sj_node *n = &j->nodes[i];
		if (n->kind == SJ_STRING && is_named(n->key, token_names) && (!best || !is_named(best->key, token_names)))
			best = n;
		else if (n->kind == SJ_STRING && !best && looks_like_token(n->value))
			best = n;
		if (!when && is_named(n->key, time_names) && (n->kind == SJ_STRING || n->kind == SJ_NUMBER))
			when = n;
	}
	if (when)
		time_parse(when->value, ret_time_us);
	if (!best)
		return "has no token in it";
	*ret = best->value;
	if (str_starts_nocase(*ret, STR("Bearer ")))
		*ret = (struct str){ ret->p + 7, ret->n - 7 };
	return NULL;
}
