/* SPDX-License-Identifier: Apache-2.0 */
/* taximeter: the public library over the engine.  It owns copies of what the caller hands in and every text that it
 * hands out, prints nothing, and turns what the engine says into a status and one line. */
#include "taximeter.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "base/zone.h"
#include "engine.h"
#include "sink/sink.h"
#include "state/net.h"
#include "tenant.h"

#define THREADS_MAX 256
#define ERROR_BYTES_MAX (4 * KIB)

struct text_list { char **v; size_t n, capacity; };

struct txm_scan {
	struct engine_settings settings;
	struct period period;      /* what is reported */
	struct indicators *indicators;
	struct text_list paths, problems, tenants;
	struct zone *timezone;
	pthread_mutex_t lock;      /* problems may be found by several threads of the engine */
	char *asn_path;
	struct engine *engine;     /* there once txm_scan_run() began */
	const struct alert **alerts; size_t alert_count;
	char **alert_json;         /* each rendered when first asked for */
	struct buf error;
};

static bool list_add(struct text_list *l, const char *text, size_t max)
{
	char *copy;

	if (l->n >= max)
		return false;
	if (l->n == l->capacity) {
		const size_t capacity = l->capacity ? 2 * l->capacity : 16;
		char **grown = realloc(l->v, capacity * sizeof(*grown));
		if (!grown)
			return false;
		l->v = grown;
		l->capacity = capacity;
	}
	copy = strdup(text);
	if (!copy)
		return false;
	l->v[l->n++] = copy;
	return true;
}

static void list_release(struct text_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
}

/* remembers one line and gives the status back */
__attribute__((format(printf, 3, 4)))
static enum txm_status fail(struct txm_scan *s, enum txm_status status, const char *format, ...)
{
	va_list ap;

	buf_clear(&s->error);
	va_start(ap, format);
	buf_vprintf(&s->error, format, ap);
	va_end(ap);
	return status;
}

static void on_problem(void *arg, const char *line)
{
	struct txm_scan *s = arg;

	pthread_mutex_lock(&s->lock);
	list_add(&s->problems, line, SOURCE_FILES_MAX); /* one lost to memory is still in the status */
	pthread_mutex_unlock(&s->lock);
}

const char *txm_version(void)
{
	return TXM_VERSION;
}

struct txm_scan *txm_scan_new(void)
{
	struct txm_scan *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->indicators = indicators_new();
	if (!s->indicators) {
		free(s);
		return NULL;
	}
	s->period = PERIOD_ALL;
	s->settings.since_us = INT64_MIN;
	s->settings.until_us = INT64_MAX;
	pthread_mutex_init(&s->lock, NULL);
	buf_init(&s->error, ERROR_BYTES_MAX);
	return s;
}

void txm_scan_free(struct txm_scan *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->alert_json && i < s->alert_count; i++)
		free(s->alert_json[i]);
	free(s->alert_json);
	free(s->alerts);
	engine_free(s->engine);
	indicators_free(s->indicators);
	list_release(&s->paths);
	list_release(&s->problems);
	list_release(&s->tenants);
	zone_free(s->timezone);
	free(s->asn_path);
	buf_release(&s->error);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* -- settings -- */

/* Settings come before the run. */
static bool is_late(struct txm_scan *s)
{
	if (s->engine)
		fail(s, TXM_USAGE, "the scan has run already");
	return s->engine != NULL;
}

enum txm_status txm_scan_add_path(struct txm_scan *s, const char *path)
{
	if (is_late(s))
		return TXM_USAGE;
	if (!path || !*path)
		return fail(s, TXM_USAGE, "the path is empty");
	return list_add(&s->paths, path, SOURCE_FILES_MAX) ? TXM_OK : fail(s, TXM_FAILED, "out of memory");
}

enum txm_status txm_scan_set_threads(struct txm_scan *s, unsigned threads)
{
	if (is_late(s))
		return TXM_USAGE;
	if (threads > THREADS_MAX)
		return fail(s, TXM_USAGE, "%u threads are more than %d", threads, THREADS_MAX);
	s->settings.threads = threads;
	return TXM_OK;
}

static enum txm_status set_time(struct txm_scan *s, const char *text, int64_t *ret_us)
{
	if (is_late(s))
		return TXM_USAGE;
	if (!text || !time_parse_rfc3339(str_of(text), ret_us))
		return fail(s, TXM_USAGE, "'%s' is not a date or RFC 3339 time (example: 2023-06-15T00:00:00Z)",
			    text ? text : "");
	return TXM_OK;
}

enum txm_status txm_scan_set_since(struct txm_scan *s, const char *rfc3339)
{
	return set_time(s, rfc3339, &s->period.since_us);
}

enum txm_status txm_scan_set_until(struct txm_scan *s, const char *rfc3339)
{
	return set_time(s, rfc3339, &s->period.until_us);
}

enum txm_status txm_scan_set_timezone(struct txm_scan *s, const char *zone)
{
	struct zone *z = NULL;

	if (is_late(s))
		return TXM_USAGE;
	if (zone && !(z = zone_new(str_of(zone))))
		return fail(s, TXM_USAGE, "'%s' is no zone that this system knows (examples: Europe/Berlin, +01:00, UTC)", zone);
	zone_free(s->timezone);
	s->timezone = z;
	return TXM_OK;
}

enum txm_status txm_scan_add_tenant(struct txm_scan *s, const char *id)
{
	if (is_late(s))
		return TXM_USAGE;
	if (!str_trim(str_of(id)).n)
		return fail(s, TXM_USAGE, "the tenant is empty");
	if (s->tenants.n >= TENANTS_ASKED_MAX)
		return fail(s, TXM_USAGE, "more than %d tenants", TENANTS_ASKED_MAX);
	return list_add(&s->tenants, id, TENANTS_ASKED_MAX) ? TXM_OK : fail(s, TXM_FAILED, "out of memory");
}

enum txm_status txm_scan_set_asn_file(struct txm_scan *s, const char *mmdb_path)
{
	char error[ASN_ERROR_SIZE];
	struct asn_db *db;
	char *copy;

	if (is_late(s))
		return TXM_USAGE;
	if (!mmdb_path)
		return fail(s, TXM_USAGE, "no file was named");
	db = asn_open(mmdb_path, error);
	if (!db)
		return fail(s, TXM_USAGE, "%s", error);
	asn_close(db);
	copy = strdup(mmdb_path);
	if (!copy)
		return fail(s, TXM_FAILED, "out of memory");
	free(s->asn_path);
	s->asn_path = copy;
	return TXM_OK;
}

enum txm_status txm_scan_add_indicators(struct txm_scan *s, const char *csv_path)
{
	size_t added, skipped;

	if (is_late(s))
		return TXM_USAGE;
	buf_clear(&s->error);
	return indicators_add_file(s->indicators, csv_path ? csv_path : "", &added, &skipped, &s->error) ? TXM_OK
													 : TXM_USAGE;
}

/* -- the run -- */

static int by_time(const void *a, const void *b)
{
	return alerts_compare(*(const struct alert *const *)a, *(const struct alert *const *)b);
}

/* of all tenants; on failure alert_json stays NULL */
static void gather_alerts(struct txm_scan *s)
{
	for (size_t t = 0; t < engine_tenant_count(s->engine); t++) {
		struct alerts *a = &engine_tenant(s->engine, t)->alerts;
		const size_t n = alerts_order(a);
		const struct alert **p = realloc(s->alerts, (s->alert_count + n + 1) * sizeof(*p));
		if (!p || a->failed) {
			s->alert_count = 0;
			return;
		}
		s->alerts = p;
		for (size_t i = 0; i < n; i++)
			if (alert_is_within(a->v[i], &s->period))
				s->alerts[s->alert_count++] = a->v[i];
	}
	if (s->alert_count)
		qsort(s->alerts, s->alert_count, sizeof(*s->alerts), by_time);
	s->alert_json = calloc(s->alert_count + 1, sizeof(*s->alert_json));
	if (!s->alert_json)
		s->alert_count = 0;
}

enum txm_status txm_scan_run(struct txm_scan *s)
{
	bool failed, incomplete;
	struct buf line;

	if (is_late(s))
		return TXM_USAGE;
	if (!s->paths.n)
		return fail(s, TXM_USAGE, "no path was added");
	if (s->period.since_us >= s->period.until_us)
		return fail(s, TXM_USAGE, "since is not before until");
	s->settings.paths = (const char *const *)s->paths.v;
	s->settings.path_count = s->paths.n;
	s->settings.asn_path = s->asn_path;
	s->settings.timezone = s->timezone;
	s->settings.tenants = (const char *const *)s->tenants.v;
	s->settings.tenant_count = s->tenants.n;
	s->settings.indicators = s->indicators;
	s->settings.detect = true;
	s->settings.on_problem = on_problem;
	s->settings.on_problem_arg = s;
	s->engine = engine_new(&s->settings);
	if (!s->engine)
		return fail(s, TXM_FAILED, "out of memory");
	buf_clear(&s->error);
	failed = engine_run(s->engine) != 0;
	for (unsigned i = 0; i < engine_report(s->engine)->partial_count; i++)
		on_problem(s, engine_report(s->engine)->partial[i]);
	incomplete = engine_report(s->engine)->incomplete;
	buf_init(&line, 64 * KIB);
	for (size_t i = 0; !failed && engine_missing_tenant(s->engine, i, &line); i++) {
		on_problem(s, line.p);
		buf_clear(&line);
		incomplete = true;
	}
	buf_release(&line);
	gather_alerts(s);
	if (failed)
		return fail(s, TXM_FAILED, "%s", engine_report(s->engine)->error);
	if (!s->alert_json)
		return fail(s, TXM_FAILED, "out of memory");
	if (incomplete)
		return fail(s, TXM_INCOMPLETE, "some input was lost; the results hold for the rest");
	return TXM_OK;
}

const char *txm_scan_error(const struct txm_scan *s)
{
	return s->error.n ? s->error.p : "";
}

const char *txm_scan_problem(const struct txm_scan *s, size_t i)
{
	return i < s->problems.n ? s->problems.v[i] : NULL;
}

/* -- results -- */

size_t txm_scan_alert_count(const struct txm_scan *s)
{
	return s->alert_count;
}

const char *txm_scan_alert_json(const struct txm_scan *s, size_t i)
{
	struct buf b;

	if (i >= s->alert_count)
		return NULL;
	if (!s->alert_json[i]) {
		buf_init(&b, SINK_PIECE_BYTES_MAX);
		json_alert(&b, s->alerts[i]);
		if (!buf_failed(&b))
			s->alert_json[i] = strndup(b.p, b.n);
		buf_release(&b);
	}
	return s->alert_json[i];
}

uint64_t txm_scan_records(const struct txm_scan *s)
{
	return s->engine ? engine_world(s->engine)->count.records : 0;
}
