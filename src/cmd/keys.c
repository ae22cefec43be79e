/* SPDX-License-Identifier: Apache-2.0 */
/* keys: key sets under audit.  Four questions about trusted keys: what is wrong with them (audit), what is
 * new since yesterday (watch), what is different between two sets (diff), and a first policy for them (records). */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/keys_policy.h"
#include "cmd/keys_read.h"
#include "cmd/output.h"
#include "keys/change.h"

#define LISTS_MAX 8
#define KEEP_DAYS_DEFAULT 400
#define LOOK_EVERY_US US_PER_DAY /* watch records a set again after that, even if nothing changed */

extern const struct command command_keys;

enum action { ACTION_AUDIT, ACTION_WATCH, ACTION_DIFF, ACTION_RECORDS };

struct keys {
	enum action action;
	const char *format;          /* NULL: text */
	const char *output_path, *state_path, *policy_path;
	const char *tokens[LISTS_MAX], *leaks[LISTS_MAX], *blocklists[LISTS_MAX];
	size_t token_n, leak_n, blocklist_n;
	struct buf blocklist_bytes[LISTS_MAX];
	int64_t keep_us;
	bool list, at_given;
	struct audit_settings settings;
	struct keys_policy policy;
};

static const struct option_row options[] = {
	OPTION_FORMAT("text. html is one page with a picture, for audit only", "text ndjson html"),
	OPTION_OUTPUT,
	OPTION_QUIET,
	OPTION_AT(", with what had been observed by then; default: the newest observation, or now if a set has no date."),
	OPTION_POLICY(" that 'taximeter token' verifies by: it says what each key may sign."),
	{ 0, "on-change", NULL,
	  "The history was written only when an answer had changed: between two observations the older one holds.", NULL },
	{ 0, "tokens", "LOG",
	  "Tokens, or claims of tokens, that a verifier accepted, one a line: were they within what the keys are for?", NULL },
	{ 0, "leaks", "REPORT",
	  "Keys whose private half was found, one a line: objects with \"spki\", or SHA-256 of the SubjectPublicKeyInfo in "
	  "hexadecimal.", NULL },
	{ 0, "blocklist", "FILE", "Compromised keys in the layout of badkeys: sorted entries of 16 bytes.", NULL },
	{ 0, "max-age", "DAYS", "Where no record says: the age at which a key is old (default: 90) and a provider's rotation overdue (default: 180).", NULL },
	{ 0, "idle", "DAYS", "With --tokens: a key without use for so long is idle; default: 30.", NULL },
	OPTION_STATE(": for watch, a history of what was seen. Created if missing; a run that is killed leaves it unchanged."),
	{ 0, "keep", "DAYS", "For watch: how long observations stay in the state; default: 400.", NULL },
	{ 0, "thorough", NULL, "Search longer: audit looks for factors up to 2^64 of all listed RSA keys.", NULL },
	{ 0, "list", NULL, "List what can be found, why it matters and what clears it.", NULL },
	{ 0 }
};

/* -- options -- */

static bool take_days(const char *value, int64_t *ret_us)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (errno || end == value || *end || n < 1 || n > 36500)
		return false;
	*ret_us = n * US_PER_DAY;
	return true;
}

static int take_list(const char **list, size_t *n, const char *option, const char *value)
{
	if (*n == LISTS_MAX)
		return cmd_usage_error(&command_keys, "more than %d times --%s", LISTS_MAX, option);
	if (strcmp(value, "-") != 0 && access(value, R_OK) < 0)
		return cmd_usage_error(&command_keys, "--%s: %s: %s", option, value, strerror(errno));
	list[(*n)++] = value;
	return EXIT_RAN;
}

static int take_option(struct keys *x, const char *name, const char *value)
{
	const struct command *c = &command_keys;

	if (strcmp(name, "format") == 0) {
		if (strcmp(value, "text") != 0 && strcmp(value, "ndjson") != 0 && strcmp(value, "html") != 0)
			return cmd_usage_error(c, "-f '%s' is not a format; there are: text ndjson html", value);
		x->format = strcmp(value, "text") == 0 ? NULL : value;
	} else if (strcmp(name, "output") == 0) {
		x->output_path = value;
	} else if (strcmp(name, "at") == 0) {
		if (!cmd_time(value, &x->settings.at) || x->settings.at <= 0)
			return cmd_usage_error(c, "--at '%s' is no time like 2026-01-06T10:00:00Z", value);
	} else if (strcmp(name, "on-change") == 0) {
		x->settings.on_change = true;
	} else if (strcmp(name, "tokens") == 0) {
		return take_list(x->tokens, &x->token_n, name, value);
	} else if (strcmp(name, "leaks") == 0) {
		return take_list(x->leaks, &x->leak_n, name, value);
	} else if (strcmp(name, "blocklist") == 0) {
		return take_list(x->blocklists, &x->blocklist_n, name, value);
	} else if (strcmp(name, "policy") == 0) {
		x->policy_path = value;
	} else if (strcmp(name, "state") == 0) {
		x->state_path = value;
	} else if (strcmp(name, "quiet") == 0) {
		return EXIT_RAN; /* there is no account of the run */
	} else if (strcmp(name, "thorough") == 0) {
		x->settings.thorough = true;
	} else if (strcmp(name, "list") == 0) {
		x->list = true;
	} else {
		int64_t *days = strcmp(name, "max-age") == 0 ? &x->settings.max_age
				: strcmp(name, "idle") == 0  ? &x->settings.idle
							     : &x->keep_us;
		if (!take_days(value, days))
			return cmd_usage_error(c, "--%s '%s' is not a number of days from 1 to 36500", name, value);
	}
	return EXIT_RAN;
}

static int take_action(struct keys *x, const char *word)
{
	static const char *const names[] = { "audit", "watch", "diff", "records" };

	for (size_t i = 0; word && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(word, names[i]) == 0) {
			x->action = (enum action)i;
			return EXIT_RAN;
		}
	return cmd_usage_error(&command_keys, word ? "'%s' is not one of: audit watch diff records" : "wants one of: audit watch diff records (see "
			       "'taximeter help keys')", word);
}

/* -- output -- */

/* The status of the run, or EXIT_INPUT if it could not be written. */
static int print(const struct keys *x, void (*write)(struct buf *b, bool color, void *arg), void *arg, int status)
{
	struct output out;
	int opened = output_open(&out, &command_keys, x->output_path), closed;

	if (opened != EXIT_RAN)
		return opened;
	if (!x->format)
		output_for_people(&out);
	write(&out.out.pending, out.out.color, arg);
	closed = output_close(&out, &command_keys, true);
	return closed > status ? closed : status;
}

static int out_of_memory(void)
{
	cmd_error(&command_keys, "out of memory");
	return EXIT_INPUT;
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * US_PER_SECOND;
}

/* -- audit -- */

static bool read_bytes(const char *path, struct buf *ret)
{
	FILE *f = fopen(path, "rb");
	char chunk[64 * 1024];
	size_t n;
	bool ok = f != NULL;

	buf_init(ret, KEYS_BLOCKLIST_BYTES_MAX);
	while (ok && !buf_failed(ret) && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(ret, chunk, n);
	ok = ok && !ferror(f) && !buf_failed(ret);
	if (!ok)
		cmd_error(&command_keys, "%s: %s", path, ret->failed ? "too large" : strerror(errno));
	if (f)
		fclose(f);
	return ok;
}

static int take_blocklists(struct keys *x, struct audit *a)
{
	struct buf error;
	bool ok = true;

	buf_init(&error, 4 * KIB);
	for (size_t i = 0; i < x->blocklist_n && ok; i++) {
		ok = read_bytes(x->blocklists[i], &x->blocklist_bytes[i]);
		if (ok && !audit_take_blocklist(a, x->blocklists[i], buf_str(&x->blocklist_bytes[i]), &error)) {
			cmd_error(&command_keys, "%.*s", STR_ARG(buf_str(&error)));
			ok = false;
		}
	}
	buf_release(&error);
	return ok ? EXIT_RAN : EXIT_USAGE;
}

struct report { const struct audit *audit; uint64_t lost; const char *format; };

static void write_report(struct buf *b, bool color, void *arg)
{
	const struct report *r = arg;

	if (!r->format)
		audit_text(r->audit, b, r->lost, color);
	else if (strcmp(r->format, "ndjson") == 0)
		audit_ndjson(r->audit, b, r->lost);
	else
		audit_html(r->audit, b, r->lost);
}

/* Reads the other inputs of an audit besides its sets. */
static void read_logs(const struct keys *x, struct keys_reader *r)
{
	for (size_t i = 0; i < x->token_n; i++)
		keys_read_lines(r, x->tokens[i], audit_take_token);
	for (size_t i = 0; i < x->leak_n; i++)
		keys_read_lines(r, x->leaks[i], audit_take_leak);
}

static int run_audit(struct keys *x, const char *const *paths, size_t n)
{
	struct audit *a = audit_new(&x->settings);
	struct keys_reader reader = { .command = &command_keys, .audit = a };
	struct report report = { a, 0, x->format };
	int status;

	if (!a)
		return out_of_memory();
	status = take_blocklists(x, a);
	if (status == EXIT_RAN) {
		keys_read_sets(&reader, paths, n);
		read_logs(x, &reader);
		status = audit_run(a) ? EXIT_RAN : out_of_memory();
	}
	report.lost = reader.lost;
	if (status == EXIT_RAN)
		status = print(x, write_report, &report, audit_status(a, reader.lost));
	audit_free(a);
	return status;
}

/* -- diff -- */

struct diff { struct changes changes; bool ndjson, both; };

static void write_changes(struct buf *b, bool color, void *arg)
{
	const struct diff *d = arg;

	(void)color;
	if (!d->ndjson && !d->both)
		buf_add_cstr(b, "NO KEYS on one side: nothing was compared.\n");
	if (d->ndjson)
		changes_ndjson(&d->changes, b);
	else
		changes_text(&d->changes, b);
	if (!d->ndjson && !d->changes.n && d->both)
		buf_add_cstr(b, "the same keys, saying the same\n");
}

static int changes_status(const struct changes *c)
{
	int status = c->n ? 1 : 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->rows[i].kind == CHANGE_KID_REUSED)
			status = EXIT_CRITICAL;
	return status;
}

/* One side of a diff, under a name that both have. */
static struct audit *read_side(const struct keys *x, const char *path, uint64_t *lost)
{
	struct audit *a = audit_new(&x->settings);
	struct keys_reader reader = { .command = &command_keys, .audit = a, .name = "the set" };

	if (!a)
		return NULL;
	keys_read_sets(&reader, &path, 1);
	*lost += reader.lost;
	if (!audit_run(a)) {
		audit_free(a);
		return NULL;
	}
	return a;
}

static int run_diff(const struct keys *x, const char *const *paths)
{
	uint64_t lost = 0;
	struct audit *before = read_side(x, paths[0], &lost), *after = before ? read_side(x, paths[1], &lost) : NULL;
	struct diff d = { .ndjson = x->format != NULL };
	int status = EXIT_INPUT;

	if (after)
		changes_find(before, after, &d.changes);
	if (!after || d.changes.failed) {
		out_of_memory();
	} else {
		status = changes_status(&d.changes);
		d.both = audit_counts(before)->keys && audit_counts(after)->keys;
		if (!d.both) {
			cmd_error(&command_keys, "%s: no key in it", paths[audit_counts(before)->keys ? 1 : 0]);
			lost++;
		}
		if (lost && status < EXIT_INPUT)
			status = EXIT_INPUT;
		status = print(x, write_changes, &d, status);
	}
	changes_release(&d.changes);
	audit_free(before);
	audit_free(after);
	return status;
}

/* -- records -- */

static const char *proposed_alg(const struct key *k)
{
	if (k->alg > JWS_ALG_UNKNOWN)
		return alg_rows[k->alg].name;
	for (int alg = JWS_RS256; alg < JWS_HS256; alg++)
		if (alg_fits((enum jws_alg)alg, k->kind, k->curve))
			return alg_rows[alg].name;
	return NULL;
}

static void add_yaml(struct buf *b, const char *name, struct str value)
{
	buf_printf(b, "    %s: ", name);
	buf_add_json(b, value); /* a JSON string is valid YAML */
	buf_add_char(b, '\n');
}

static void write_record(struct buf *b, const struct audit *a, const struct history_key *h)
{
	const struct key *k = audit_key(a, h);
	const bool consumer = str_find_nocase(k->issuer, STR(CONSUMER_TENANT)) >= 0;
	const char *alg = proposed_alg(k);
	char hex[KEY_HEX_SIZE], one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE];

	if (!k->has_spki || !alg) {
		buf_add_cstr(b, "  # no record for ");
		buf_add_json(b, k->kid);
		buf_add_cstr(b, k->has_spki ? ": no signature algorithm fits\n" : ": the key cannot be read\n");
		return;
	}
	buf_printf(b, "  - spki: %s\n", key_hex(k->spki_sha256, 32, hex));
	add_yaml(b, "kid", k->kid);
	buf_printf(b, "    alg: %s%s\n", alg, k->alg > JWS_ALG_UNKNOWN ? "" : " # the set does not say; ask the issuer");
	buf_printf(b, "    class: %s\n", consumer ? "consumer" : "enterprise");
	buf_add_cstr(b, "    issuers: [] # fill in: for whom may this key speak?");
	if (k->issuer.n) {
		buf_add_cstr(b, " The set says ");
		buf_add_json(b, k->issuer);
	}
	buf_add_cstr(b, "\n    tenants: {allow: []} # fill in\n    audiences: [] # fill in: your own\n");
	buf_printf(b, "    versions: [\"2.0\"]\n    max_age: 180d\n    state: pending # active, once the empty lists are filled in\n");
	if (k->cert.present && k->cert.dates_known)
		buf_printf(b, "    # certificate from %s to %s\n", time_format(k->cert.not_before_us, one), time_format(k->cert.not_after_us, two));
}

static void write_records(struct buf *b, bool color, void *arg)
{
	const struct audit *a = arg;
	uint32_t n;
	const struct history_key *keys = history_keys(audit_history(a), &n);

	(void)color;
	if (!n)
		buf_add_cstr(b, "# NO KEYS: no record is proposed.\n");
	buf_add_cstr(b, "# Proposed by taximeter keys records. Issuers, tenants and audiences are left empty on purpose: only the operator of\n"
			"# the service knows them. An empty list does not mean \"all\": the policy is refused until they are filled in.\nrecords:\n");
	for (uint32_t i = 0; i < n; i++)
		if (!keys[i].gone)
			write_record(b, a, &keys[i]);
}

static int run_records(const struct keys *x, const char *const *paths, size_t n)
{
	struct audit *a = audit_new(&x->settings);
	struct keys_reader reader = { .command = &command_keys, .audit = a };
	int status;

	if (!a)
		return out_of_memory();
	keys_read_sets(&reader, paths, n);
	status = audit_run(a) ? print(x, write_records, a, reader.lost || !audit_counts(a)->keys ? EXIT_INPUT : EXIT_RAN) : out_of_memory();
	if (status == EXIT_INPUT && !audit_counts(a)->keys)
		cmd_error(&command_keys, "no key in what was given: no record is proposed");
	audit_free(a);
	return status;
}

/* -- watch -- */

struct kept { char *name; char *line; size_t line_n; int64_t time; }; /* a line of the state */

struct watch {
	const struct keys *x;
	int64_t now;
	struct kept *lines; size_t n, capacity;
	bool failed;
};

static void keep_line(struct watch *w, struct str name, struct str line, int64_t time)
{
	struct kept *k;

	if (w->n == w->capacity) {
		const size_t capacity = w->capacity ? 2 * w->capacity : 64;
		struct kept *grown = realloc(w->lines, capacity * sizeof(*grown));
		if (!grown) {
			w->failed = true;
			return;
		}
		w->lines = grown;
		w->capacity = capacity;
	}
	k = &w->lines[w->n];
	*k = (struct kept){ strndup(name.p ? name.p : "", name.n), malloc(line.n + 1), line.n, time };
	if (!k->name || !k->line) {
		free(k->name);
		free(k->line);
		w->failed = true;
		return;
	}
	memcpy(k->line, line.p, line.n);
	w->n++;
}

/* The document without the blanks between its members: a line of the history. */
static void add_compact(struct buf *b, struct str json)
{
	bool in_text = false;

	for (size_t i = 0; i < json.n; i++) {
		const char c = json.p[i];
		if (!in_text && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
			continue;
		buf_add_char(b, c);
		if (in_text && c == '\\' && i + 1 < json.n)
			buf_add_char(b, json.p[++i]);
		else if (c == '"')
			in_text = !in_text;
	}
}

/* A set as it was just read, as a line {"provider","fetched","jwks"} or, for PEM, {"provider","fetched","pem"} */
static void make_line(struct buf *line, const char *name, struct str bytes, int64_t now)
{
	const struct str text = str_trim(bytes);
	char time[TIME_TEXT_SIZE];

	buf_add_cstr(line, "{\"provider\":");
	buf_add_json(line, str_of(name));
	buf_printf(line, ",\"fetched\":\"%s\",", time_format(now, time));
	if (text.n && text.p[0] == '{') {
		buf_add_cstr(line, "\"jwks\":");
		add_compact(line, text);
	} else {
		buf_add_cstr(line, "\"pem\":");
		buf_add_json(line, text);
	}
	buf_add_char(line, '}');
}

static void on_set(void *arg, const char *name, struct str bytes)
{
	struct watch *w = arg;
	struct buf line;

	buf_init(&line, 2 * KEYS_FILE_BYTES_MAX);
	make_line(&line, name, bytes, w->now);
	if (buf_failed(&line))
		w->failed = true;
	else
		keep_line(w, str_of(name), buf_str(&line), w->now);
	buf_release(&line);
}

/* A line without its time. */
static struct str content_of(const struct kept *k)
{
	const struct str line = { k->line, k->line_n };
	ptrdiff_t at = str_find(line, STR(",\"jwks\":"));

	if (at < 0)
		at = str_find(line, STR(",\"pem\":"));
	return at < 0 ? line : (struct str){ line.p + at, line.n - (size_t)at };
}

/* Is it worth a line?  Yes if the set has changed since its last line, or the last line is a day old. */
static bool is_worth_keeping(const struct watch *w, size_t old, const struct kept *k)
{
	const struct kept *last = NULL;

	for (size_t i = 0; i < old; i++)
		if (strcmp(w->lines[i].name, k->name) == 0 && (!last || w->lines[i].time > last->time))
			last = &w->lines[i];
	return !last || !str_eq(content_of(last), content_of(k)) || k->time - last->time >= LOOK_EVERY_US;
}

static int write_state(const struct watch *w, size_t old, const struct audit *after)
{
	struct output out;
	int status = output_open(&out, &command_keys, w->x->state_path);

	if (status != EXIT_RAN)
		return status;
	for (size_t i = 0; i < w->n; i++) {
		const struct kept *k = &w->lines[i];
		if (k->time < w->now - w->x->keep_us || (i >= old && !is_worth_keeping(w, old, k)))
			continue;
		if (i >= old && audit_set_is_private(after, k->name)) { /* reported, never recorded */
			cmd_error(&command_keys, "%s: has private members, and is not written to the state", k->name);
			continue;
		}
		buf_add(&out.out.pending, k->line, k->line_n);
		buf_add_char(&out.out.pending, '\n');
		sink_out_step(&out.out);
	}
	return output_close(&out, &command_keys, true);
}

/* A file of this name can be made. */
static bool has_folder(const char *path)
{
	char *copy = strdup(path);
	const bool has = copy && access(dirname(copy), W_OK | X_OK) == 0;

	free(copy);
	return has;
}

/* The state into both audits and the list of lines.  An unreadable state is not an empty one. */
static bool read_state(struct watch *w, struct audit *before, struct audit *after)
{
	char *line = NULL;
	size_t capacity = 0, number = 0;
	ssize_t n;
	struct buf error;
	struct stat st;
	int64_t newest = 0;
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE];
	bool ok = true;
	const int fd = open(w->x->state_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a pipe does not make us wait */
	FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");

	if (!f && errno == ENOENT && has_folder(w->x->state_path))
		return true;
	if (f && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		cmd_error(&command_keys, "--state %s: not a regular file: a state is read, and then replaced as a whole", w->x->state_path);
		fclose(f);
		return false;
	}
	if (!f || fstat(fileno(f), &st) < 0 || st.st_size > (off_t)KEYS_STATE_BYTES_MAX) {
		cmd_error(&command_keys, "--state %s: %s", w->x->state_path, f ? "larger than can be read; a smaller --keep helps" : strerror(errno));
		if (f)
			fclose(f);
		return false;
	}
	buf_init(&error, 64 * KIB);
	while (ok && (n = getline(&line, &capacity, f)) > 0) {
		const struct str text = str_trim((struct str){ line, (size_t)n });
		struct str name;
		int64_t time;

		number++;
		if (!text.n)
			continue;
		ok = audit_take_line(before, text, &error) && audit_take_line(after, text, &error) && audit_last_line(after, &name, &time);
		if (ok)
			keep_line(w, name, text, time);
	}
	for (size_t i = 0; i < w->n && ok; i++)
		if (w->lines[i].time > w->now && w->lines[i].time > newest)
			newest = w->lines[i].time;
	if (newest) { /* what was seen later would count as gone */
		cmd_error(&command_keys, "--state %s: has an observation of %s, which is later than %s (%s)", w->x->state_path, time_format(newest, one),
			  w->x->at_given ? "--at" : "now", time_format(w->now, two));
		ok = false;
	} else if (!ok)
		cmd_error(&command_keys, "--state %s:%zu: %.*s; mend or remove the line", w->x->state_path, number, STR_ARG(buf_str(&error)));
	ok = ok && !ferror(f);
	free(line);
	fclose(f);
	buf_release(&error);
	return ok;
}

struct news { struct changes changes; struct report report; bool first; };

static bool any_present(const struct audit *a)
{
	uint32_t n;
	const struct history_key *keys = history_keys(audit_history(a), &n);

	for (uint32_t i = 0; i < n; i++)
		if (keys[i].present)
			return true;
	return false;
}

static void write_news(struct buf *b, bool color, void *arg)
{
	const struct news *n = arg;

	if (n->report.format) {
		changes_ndjson(&n->changes, b);
		audit_ndjson(n->report.audit, b, n->report.lost);
		return;
	}
	if (audit_counts(n->report.audit)->judged && (n->first || !n->changes.n))
		buf_add_cstr(b, n->first ? "first look: everything is new\n\n" : any_present(n->report.audit) ? "the same keys as before\n\n" : "no keys, as before\n\n");
	if (!n->first) {
		changes_text(&n->changes, b);
		if (n->changes.n)
			buf_add_char(b, '\n');
	}
	audit_text(n->report.audit, b, n->report.lost, color);
}

static int watch(struct watch *w, struct audit *before, struct audit *after, const char *const *paths, size_t n)
{
	struct keys_reader reader = { .command = &command_keys, .audit = after, .time = w->now, .on_set = on_set, .arg = w };
	struct news news = { .report = { after, 0, w->x->format } };
	size_t old;
	int status;

	if (!read_state(w, before, after))
		return EXIT_USAGE;
	old = w->n;
	news.first = !old;
	keys_read_sets(&reader, paths, n);
	read_logs(w->x, &reader);
	if (w->failed || !audit_run(before) || !audit_run(after))
		return out_of_memory();
	changes_find(before, after, &news.changes);
	if (news.changes.failed || !audit_mark_known(after, before)) {
		changes_release(&news.changes);
		return out_of_memory();
	}
	news.report.lost = reader.lost;
	status = print(w->x, write_news, &news, audit_status(after, reader.lost));
	if (!news.first && changes_status(&news.changes) > status)
		status = changes_status(&news.changes);
	changes_release(&news.changes);
	/* unreported changes must be news again next time */
	if (status != EXIT_INPUT || reader.lost) {
		const int written = write_state(w, old, after);
		status = written > status ? written : status;
	}
	return status;
}

static int run_watch(struct keys *x, const char *const *paths, size_t n)
{
	struct watch w = { .x = x, .now = x->settings.at ? x->settings.at : now_us() };
	struct audit_settings then = x->settings;
	struct audit *before, *after;
	int status;

	x->at_given = x->settings.at != 0;
	x->settings.at = w.now;
	then.at = 0;
	before = audit_new(&then);
	x->settings.earlier = before;
	after = audit_new(&x->settings);
	status = before && after ? watch(&w, before, after, paths, n) : out_of_memory();
	for (size_t i = 0; i < w.n; i++) {
		free(w.lines[i].name);
		free(w.lines[i].line);
	}
	free(w.lines);
	audit_free(before);
	audit_free(after);
	return status;
}

/* -- the command -- */

static void write_list(struct buf *b, bool color, void *arg)
{
	const struct keys *x = arg;

	(void)color;
	audit_list(b, x->format != NULL);
}

static int run_action(struct keys *x, int argc, char **argv)
{
	const char *const *paths = (const char *const *)argv;
	const struct command *c = &command_keys;

	if (x->format && strcmp(x->format, "html") == 0 && x->action != ACTION_AUDIT)
		return cmd_usage_error(c, "-f html is for audit");
	if (x->format && x->action == ACTION_RECORDS)
		return cmd_usage_error(c, "records writes YAML, without -f");
	if (!x->state_path != (x->action != ACTION_WATCH))
		return cmd_usage_error(c, x->state_path ? "--state is for watch" : "watch wants --state FILE, where it keeps what it saw");
	if (x->action == ACTION_DIFF ? argc != 2 : argc < 1)
		return cmd_usage_error(c, x->action == ACTION_DIFF ? "diff wants two sets" : "which sets? (see 'taximeter help keys')");
	x->settings.keys_only = x->action == ACTION_DIFF || x->action == ACTION_RECORDS;
	switch (x->action) {
	case ACTION_AUDIT: return run_audit(x, paths, (size_t)argc);
	case ACTION_WATCH: return run_watch(x, paths, (size_t)argc);
	case ACTION_DIFF: return run_diff(x, paths);
	case ACTION_RECORDS: return run_records(x, paths, (size_t)argc);
	}
	return EXIT_USAGE;
}

static int keys_run(int argc, char **argv)
{
	struct keys x = { .keep_us = KEEP_DAYS_DEFAULT * US_PER_DAY, .settings = { .now = now_us() } };
	const struct command *c = &command_keys;
	const char *value;
	int status = EXIT_RAN, i = OPT_END;

	while (status == EXIT_RAN && (i = cmd_option(c, argc, argv, &value)) >= 0)
		status = take_option(&x, options[i].name, value);
	if (status != EXIT_RAN)
		return status;
	if (i == OPT_HELP)
		return cmd_help(c);
	if (i == OPT_ERROR)
		return EXIT_USAGE;
	status = take_action(&x, optind < argc ? argv[optind] : NULL);
	if (status != EXIT_RAN)
		return status;
	if (x.list)
		return print(&x, write_list, &x, EXIT_RAN);
	status = keys_policy_load(&x.policy, c, x.policy_path, &x.settings);
	if (status == EXIT_RAN)
		status = run_action(&x, argc - optind - 1, argv + optind + 1);
	keys_policy_release(&x.policy);
	for (size_t k = 0; k < x.blocklist_n; k++)
		buf_release(&x.blocklist_bytes[k]);
	return status;
}

const struct command command_keys = {
	.name = "keys",
	.arguments = "audit|watch|diff|records SET...",
	.doc = "Audit key sets that you trust: age, scope, strength, form, use, leaks",
	.description =
		"A SET is a JWK set, a JWK, certificates or public keys (PEM, DER), or a history: lines of {\"provider\", \"fetched\", "
		"\"jwks\"}, or a folder of files with dates in their names. Nothing is ever fetched.\n\n"
		"audit looks for keys that are too old, expired and still listed, without scope, shared by consumers and enterprises, "
		"weak, published, leaked or used outside what they are for. watch does so too and reports what is new since its "
		"last run; older findings still count for the exit status. diff compares two sets. records proposes policy records for a set.",
	.found = "audit, watch: a finding; watch, diff: a key came, left or changed.",
	.critical = "audit, watch: a critical finding; diff: a key id that names another key.",
	.options = options,
	.examples = "  taximeter keys audit jwks.json\n"
		    "  taximeter keys audit --on-change -f html -o keys.html entra-common.ndjson\n"
		    "  taximeter keys watch --state keys.ndjson entra.json google.json\n"
		    "  taximeter keys diff yesterday.json today.json\n"
		    "  taximeter keys records jwks.json >policy.yaml\n",
	.run = keys_run,
};
