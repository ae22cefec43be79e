/* SPDX-License-Identifier: Apache-2.0 */
/* token: verifies and explains signed tokens against a policy.  One token a line in, one verdict out; a line may also be a JSON
 * record with tokens in it.  The verdict always shows in the exit status. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/limits.h"
#include "base/schema.h"
#include "base/timefmt.h"
#include "cmd/output.h"
#include "cmd/token_policy.h"
#include "keys/remote.h"
#include "token/exchange.h"
#include "token/lines.h"
#include "token/verdict.h"

#define JWKS_MAX 256

extern const struct command command_token;

struct token_run {
	const char *policy_path, *output_path;
	const char *jwks[JWKS_MAX];
	unsigned jwks_n;
	const char *subject_path;
	bool jws_only, ndjson, explain, wants_replay, at_record, may_fetch;
	int64_t at_s;               /* < 0 = the clock */
	/* while it runs */
	struct policy *policy;
	struct replay_store *replay;
	struct judge *judge;
	int64_t loaded_s, asked_newer_s; /* when the sources were last read; when for a key id that was in none */
	struct line_reader lines;
	struct buf subject_text;
	struct str chain[TOKEN_CHAIN_MAX];
	unsigned chain_n;
	struct output out;
	uint64_t tokens, empty_lines;
	uint64_t shaped;            /* lines with any part of a token */
	int status;
};

static const struct option_row options[] = {
	OPTION_POLICY(": it says what each key may sign. Without it no token is accepted."),
	OPTION_JWKS(", a key or a certificate: JWK, PEM or DER. May be repeated. It only makes keys known; what they may sign is in the "
		    "policy."),
	{ 0, "jws-only", NULL,
	  "Judge form, key and signature and nothing else. For test suites: a token that is genuine is not yet one to be accepted.", NULL },
	OPTION_FORMAT("text", "text ndjson"),
	OPTION_OUTPUT,
	OPTION_QUIET,
	OPTION_AT(", or, with the word 'record', as of the time of each JSON line; default: now."),
	{ 0, "subject-token", "FILE",
	  "The token that was exchanged for this one, followed by those exchanged before it, one a line: the exchange is judged too.", NULL },
	{ 0, "fetch", NULL,
	  "Ask for the key sets that the policy names under 'sources', over HTTPS, when the kept ones are too old. Without this nothing is "
	  "ever fetched.", NULL },
	{ 0, "replay", NULL, "Refuse a token whose id (uti or jti) was accepted before in this run.", NULL },
	{ 0 }
};

/* -- settings -- */

static bool take_at(struct token_run *x, const char *value)
{
	int64_t us;

	if (strcmp(value, "record") == 0) {
		x->at_record = true;
		return true;
	}
	if (!cmd_time(value, &us))
		return false;
	x->at_s = us / US_PER_SECOND;
	return true;
}

static int take_option(struct token_run *x, const struct option_row *row, const char *value)
{
	const struct command *c = &command_token;

	if (strcmp(row->name, "policy") == 0) {
		if (x->policy_path)
			return cmd_usage_error(c, "--policy is given twice; one file holds all records");
		x->policy_path = value;
	} else if (strcmp(row->name, "jwks") == 0) {
		if (x->jwks_n == JWKS_MAX)
			return cmd_usage_error(c, "more than %d --jwks", JWKS_MAX);
		x->jwks[x->jwks_n++] = value;
	} else if (strcmp(row->name, "jws-only") == 0) {
		x->jws_only = true;
	} else if (strcmp(row->name, "format") == 0) {
		x->ndjson = strcmp(value, "ndjson") == 0;
		if (!x->ndjson && strcmp(value, "text") != 0)
			return cmd_usage_error(c, "-f '%s' is not a format; there are: text ndjson", value);
	} else if (strcmp(row->name, "output") == 0) {
		x->output_path = value;
	} else if (strcmp(row->name, "at") == 0) {
		if (!take_at(x, value))
			return cmd_usage_error(c, "--at '%s' is no time like 2026-01-06T10:00:00Z", value);
	} else if (strcmp(row->name, "subject-token") == 0) {
		x->subject_path = value;
	} else if (strcmp(row->name, "fetch") == 0) {
		x->may_fetch = true;
	} else if (strcmp(row->name, "quiet") == 0) {
		return EXIT_RAN; /* there is no account of the run */
	} else if (strcmp(row->name, "replay") == 0) {
		x->wants_replay = true;
	}
	return EXIT_RAN;
}

static void worsen(struct token_run *x, int status)
{
	if (status > x->status)
		x->status = status;
}

/* An unreadable set is a usage error (2) before any token is judged. */
static int load_sets(struct token_run *x, struct buf *error)
{
	for (unsigned i = 0; i < x->jwks_n; i++) {
		struct keyset *s = keyset_new(x->jwks[i]);
		if (!s || !keyset_load_file(s, x->jwks[i], KEY_KEEP_SYMMETRIC | KEY_NO_STRENGTH, error)) {
			keyset_free(s);
			return cmd_usage_error(&command_token, "%s", error->n ? error->p : "out of memory");
		}
		if (s->form == KEYSET_METADATA)
			cmd_error(&command_token, "%s: OpenID metadata names keys and has none; save what its jwks_uri gives%s%s%s, and give that file", x->jwks[i],
				  s->jwks_uri ? " (" : "", s->jwks_uri ? s->jwks_uri : "", s->jwks_uri ? ")" : "");
		if (s->faults & KEYSET_PRIVATE && !x->jws_only)
			cmd_error(&command_token, "%s: holds a private half: anyone who can read it can sign", x->jwks[i]);
		if (s->faults & KEYSET_TOO_MANY)
			cmd_error(&command_token, "%s: more than %d keys; the rest was not read", x->jwks[i], KEYS_SET_KEYS_MAX);
		if (!policy_add_set(x->policy, s))
			return cmd_usage_error(&command_token, "%s: more than %d sets, or out of memory", x->jwks[i], POLICY_SETS_MAX);
	}
	return EXIT_RAN;
}

static int64_t clock_s(void)
{
	return (int64_t)time(NULL);
}

/* A source that gives no set leaves its records without keys: its tokens are refused, and the reason was reported. */
static void load_sources(struct token_run *x, bool wants_newer)
{
	struct buf said;

	x->loaded_s = clock_s();
	buf_init(&said, 16 * KIB);
	for (uint32_t i = 0; i < x->policy->source_n; i++) {
		buf_clear(&said);
		if (!remote_load(x->policy, &x->policy->sources[i], clock_s(), x->may_fetch, wants_newer, &said))
			worsen(x, EXIT_INPUT);
		if (said.n)
			cmd_error(&command_token, "source %s", said.p);
	}
	buf_release(&said);
}

/* Without a key that can verify, every verdict is a refusal that is not about its token. */
static void count_keys(struct token_run *x)
{
	uint64_t usable = 0, all = 0;

	for (uint32_t i = 0; i < x->policy->set_n; i++)
		for (uint32_t k = 0; k < x->policy->sets[i]->n; k++, all++)
			usable += x->policy->sets[i]->keys[k]->pkey || x->policy->sets[i]->keys[k]->kind == KEY_OCT;
	if (usable || (!x->jwks_n && !x->policy_path))
		return;
	cmd_error(&command_token, all ? "none of the keys in the key sets can verify a token: none can be accepted" :
		  "no key in what was given: no token can be accepted");
	worsen(x, EXIT_INPUT);
}

static int load_policy(struct token_run *x, bool wants_newer, struct buf *error)
{
	int status;

	x->policy = policy_new();
	if (!x->policy)
		return cmd_usage_error(&command_token, "out of memory");
	if (x->policy_path && !policy_load(x->policy, x->policy_path, error))
		return cmd_usage_error(&command_token, "%s", error->p);
	status = load_sets(x, error);
	if (status != EXIT_RAN)
		return status;
	load_sources(x, wants_newer);
	if (x->jws_only && !policy_trust_signatures_only(x->policy))
		return cmd_usage_error(&command_token, "out of memory");
	if (!policy_bind(x->policy, error))
		return cmd_usage_error(&command_token, "%s", error->p);
	count_keys(x);
	return EXIT_RAN;
}

/* The subject tokens, a line each. */
static int load_chain(struct token_run *x, struct buf *error)
{
	struct str rest;
	bool shaped = false;

	if (!x->subject_path)
		return EXIT_RAN;
	struct buf raw;
	buf_init(&raw, 2 * x->subject_text.max);
	const bool read = file_read(x->subject_path, &raw, NULL, error) && text_to_utf8(buf_str(&raw), &x->subject_text, NULL);
	buf_release(&raw);
	if (!read)
		return error->n ? cmd_usage_error(&command_token, "--subject-token: %s", error->p) :
			cmd_usage_error(&command_token, "--subject-token: %s is too large", x->subject_path);
	x->subject_text.n = token_restore_dots(x->subject_text.p, x->subject_text.n);
	token_join_lines(x->subject_text.p, &x->subject_text.n);
	rest = str_trim(buf_str(&x->subject_text));
	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		const size_t n = end ? (size_t)(end - rest.p) : rest.n;
		if (x->chain_n == TOKEN_CHAIN_MAX)
			return cmd_usage_error(&command_token, "%s: more than %d subject tokens", x->subject_path, TOKEN_CHAIN_MAX);
		unsigned count;
		const struct str token = token_unwrap((struct str){ rest.p, n }, &count);
		if (count > 1)
			return cmd_usage_error(&command_token, "%s: more than one token in a line", x->subject_path);
		shaped |= token_has_shape(token);
		if (token.n)
			x->chain[x->chain_n++] = token;
		rest = (struct str){ rest.p + n + (end ? 1 : 0), rest.n - n - (end ? 1 : 0) };
	}
	if (!x->chain_n || !shaped)
		return cmd_usage_error(&command_token, "%s: no token in it", x->subject_path);
	return EXIT_RAN;
}

/* -- tokens -- */

/* Reads policy and sets anew, and keeps the old ones if that fails. */
static void reload(struct token_run *x, bool wants_newer)
{
	struct policy *old = x->policy;
	struct judge *judge = NULL;
	struct buf error;

	buf_init(&error, 64 * KIB);
	if (load_policy(x, wants_newer, &error) == EXIT_RAN)
		judge = judge_new(x->policy, x->replay);
	if (judge) {
		judge_free(x->judge);
		x->judge = judge;
		policy_free(old);
	} else {
		policy_free(x->policy);
		x->policy = old;
		worsen(x, EXIT_INPUT);
	}
	buf_release(&error);
}

static int64_t shortest(const struct policy *p, bool unknown)
{
	int64_t s = INT64_MAX;

	for (uint32_t i = 0; i < p->source_n; i++) {
		const int64_t t = unknown ? p->sources[i].unknown_refresh_s : p->sources[i].refresh_s;
		s = t < s ? t : s;
	}
	return s;
}

/* A long run sees keys come and go. */
static void judge_with_fresh_keys(struct token_run *x, struct str token, int64_t now)
{
	if (x->may_fetch && x->policy->source_n && clock_s() - x->loaded_s >= shortest(x->policy, false))
		reload(x, false);
	judge_token(x->judge, token, now);
	if (x->may_fetch && x->policy->source_n && verdict_has(&x->judge->verdict, REASON_KEY_NONE) && !x->judge->verdict.record &&
	    clock_s() - x->asked_newer_s >= shortest(x->policy, true)) {
		x->asked_newer_s = clock_s();
		reload(x, true);
		judge_token(x->judge, token, now);
	}
}

/* Judges one token of a line, or a line that has none.  `problem`: of the line. */
static void judge_one(struct token_run *x, struct str token, const char *problem, int64_t now)
{
	judge_with_fresh_keys(x, token, now);
	if (!token.n && problem) {
		x->judge->verdict.n = 0;
		x->judge->text_n = 0;
	}
	if (problem) /* a line without a token still gets its verdict: input and output lines correspond */
		judge_refuse(x->judge, x->lines.duplicate ? REASON_DUP : REASON_FORM, "the line %s", problem);
	judge_finish(x->judge);
	if (x->chain_n && !exchange_judge(x->judge, x->chain, x->chain_n)) {
		cmd_error(&command_token, "out of memory");
		worsen(x, EXIT_INPUT);
		x->judge->verdict.valid = false;
	}
	worsen(x, verdict_status(&x->judge->verdict));
}

static void add_verdict(struct token_run *x, struct buf *b)
{
	if (x->explain)
		(x->ndjson ? explain_add_json : explain_add_text)(b, x->judge);
	else
		(x->ndjson ? verdict_add_json : verdict_add_text)(b, x->judge);
}

/* Any of them may be what the reader of the line took: the worst verdict is the line's, and all are listed. */
static void judge_several(struct token_run *x, struct buf *b, const char *problem, int64_t now)
{
	static const char end[] = SCHEMA_MEMBER "}\n";
	struct buf worst, each;
	int status = -1;
	unsigned reasons = 0;

	buf_init(&worst, 16 * MIB);
	buf_init(&each, MIB);
	for (unsigned i = 0; i < x->lines.n; i++) {
		judge_one(x, x->lines.token[i], problem, now);
		buf_add_cstr(&each, i ? "," : "[");
		verdict_add_brief(&each, x->judge);
		const struct verdict *v = &x->judge->verdict;
		if (x->ndjson && (verdict_status(v) < status || (verdict_status(v) == status && v->n <= reasons)))
			continue;
		status = verdict_status(v);
		reasons = v->n;
		if (x->ndjson)
			buf_clear(&worst);
		else
			buf_printf(&worst, "%stoken %u of %u in the line: ", i ? "\n" : "", i + 1, x->lines.n);
		add_verdict(x, &worst);
	}
	if (x->ndjson && worst.n >= sizeof(end) - 1) {
		worst.n -= sizeof(end) - 1;
		buf_printf(&worst, ",\"each\":%.*s]%s", (int)each.n, each.p, end);
	}
	if (buf_failed(&worst) || buf_failed(&each)) {
		cmd_error(&command_token, "out of memory");
		worsen(x, EXIT_INPUT);
	} else {
		buf_add_str(b, buf_str(&worst));
	}
	buf_release(&worst);
	buf_release(&each);
}

static void judge_line(struct token_run *x, struct str line)
{
	struct buf *b = &x->out.out.pending;
	int64_t when = INT64_MIN;
	const char *problem = line_tokens(&x->lines, line, &when);

	if (!problem && x->at_record && when < 0)
		problem = "has no time as of which to judge";
	for (unsigned i = 0; i < x->lines.n; i++)
		x->shaped += token_has_shape(x->lines.token[i]);
	x->shaped += x->lines.has_json_token;
	const int64_t now = x->at_s >= 0 ? x->at_s : x->at_record && when >= 0 ? when / US_PER_SECOND : clock_s();

	if (x->tokens++ && !x->ndjson)
		buf_add_char(b, '\n');
	x->judge->in_line = x->lines.n;
	if (x->lines.n > 1) {
		judge_several(x, b, problem, now);
	} else {
		judge_one(x, x->lines.n && (!problem || x->lines.duplicate || x->lines.has_json_token) ? x->lines.token[0] : STR(""), problem, now);
		add_verdict(x, b);
	}
	if (b->n >= SINK_FLUSH_BYTES)
		sink_out_flush(&x->out.out);
}

/* Empty lines get verdicts too, except for those at the end, which are no input. */
static void one_line(struct token_run *x, char *p, size_t n)
{
	static const struct str mark = STR("\xef\xbb\xbf");
	const struct str line = { p, token_restore_dots(p, n) };

	if (!str_trim(line).n || str_eq(str_trim(line), mark)) {
		x->empty_lines++;
		return;
	}
	for (; x->empty_lines; x->empty_lines--)
		judge_line(x, STR(""));
	judge_line(x, line);
}

/* A line that is longer than any record: its beginning is judged, which cannot be a token. */
static void skip_line(struct token_run *x, struct buf *held)
{
	judge_token(x->judge, STR(""), 0);
	x->judge->in_line = 0;
	x->judge->verdict.n = 0;
	x->judge->text_n = 0;
	judge_refuse(x->judge, REASON_FORM, "the line is longer than %zu MiB", (size_t)(RECORD_BYTES_MAX / MIB));
	judge_finish(x->judge);
	x->tokens++;
	(x->ndjson ? verdict_add_json : verdict_add_text)(&x->out.out.pending, x->judge);
	worsen(x, EXIT_FINDINGS);
	buf_clear(held);
}

/* Reads on to see whether the held bytes are the whole input. */
static bool is_whole(int fd, struct buf *held)
{
	while (held->n <= TOKEN_BYTES_MAX) {
		ssize_t got;
		if (!token_join_possible(buf_str(held)) || !buf_reserve(held, READ_CHUNK_BYTES))
			return false;
		do {
			got = read(fd, held->p + held->n, READ_CHUNK_BYTES);
		} while (got < 0 && errno == EINTR);
		if (got <= 0)
			return got == 0;
		held->n += (size_t)got;
	}
	return false;
}

/* The first bytes are UTF-16, as PowerShell's ">" writes it: the whole of it as UTF-8.  False: see errno. */
static bool take_utf16(int fd, struct buf *held)
{
	struct buf utf8;
	size_t mark;
	bool ok = false;

	if (encoding_of(held->p, held->n, &mark) == ENCODING_UTF8)
		return true;
	errno = EFBIG;
	while (held->n <= RECORD_BYTES_MAX && buf_reserve(held, READ_CHUNK_BYTES)) {
		const ssize_t got = read(fd, held->p + held->n, READ_CHUNK_BYTES);
		if (got < 0 && errno != EINTR)
			return false;
		held->n += got > 0 ? (size_t)got : 0;
		if (got)
			continue;
		buf_init(&utf8, 2 * RECORD_BYTES_MAX);
		ok = text_to_utf8(buf_str(held), &utf8, NULL);
		buf_clear(held);
		buf_add_str(held, buf_str(&utf8));
		buf_release(&utf8);
		ok = ok && !buf_failed(held);
		errno = ok ? 0 : EFBIG;
		return ok;
	}
	return false;
}

/* All lines of a descriptor.  False: reading failed, see errno. */
static bool read_lines(struct token_run *x, int fd)
{
	struct buf held;
	bool skipping = false, ok = true, first = true;
	ssize_t got;

	x->empty_lines = 0;

	buf_init(&held, RECORD_BYTES_MAX + READ_CHUNK_BYTES);
	for (;;) {
		size_t from = 0;
		const char *end;
		if (!buf_reserve(&held, READ_CHUNK_BYTES)) {
			errno = ENOMEM;
			ok = false;
			break;
		}
		got = read(fd, held.p + held.n, READ_CHUNK_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			ok = got == 0;
			break;
		}
		held.n += (size_t)got;
		if (first && !take_utf16(fd, &held)) {
			ok = false;
			break;
		}
		if (first && held.n <= TOKEN_BYTES_MAX && is_whole(fd, &held))
			token_join_lines(held.p, &held.n);
		first = false;
		while ((end = memchr(held.p + from, '\n', held.n - from))) {
			const size_t n = (size_t)(end - held.p) - from;
			if (!skipping)
				one_line(x, held.p + from, n);
			skipping = false;
			from += n + 1;
		}
		memmove(held.p, held.p + from, held.n - from);
		held.n -= from;
		if (held.n > RECORD_BYTES_MAX) {
			if (!skipping)
				skip_line(x, &held);
			skipping = true;
			buf_clear(&held);
		}
		if (x->out.out.failed || x->out.out.closed)
			break;
	}
	if (ok && held.n && !skipping)
		one_line(x, held.p, held.n);
	buf_release(&held);
	return ok;
}

/* An argument that is no file and looks like a token is taken as one. */
static bool is_token_word(const char *word)
{
	unsigned dots = 0, count;

	for (const char *p = word; *p; p++) {
		dots += *p == '.';
		if (*p == '/' && !strstr(word, "eyJ"))
			return false;
	}
	token_unwrap(str_of(word), &count);
	return access(word, F_OK) != 0 && (dots == 2 || count || strncmp(word, "eyJ", 3) == 0);
}

static void one_input(struct token_run *x, const char *word)
{
	const bool is_stdin = strcmp(word, "-") == 0;
	const uint64_t before = x->shaped;
	struct stat st;
	int fd;

	if (!is_stdin && is_token_word(word)) {
		cmd_error(&command_token, "a token on the command line can be read by everybody on this machine; better from a file or a pipe");
		char *copy = strdup(word);
		size_t n = copy ? strlen(copy) : 0;
		if (copy) {
			token_join_lines(copy, &n);
			one_line(x, copy, n);
		} else {
			cmd_error(&command_token, "out of memory");
			worsen(x, EXIT_INPUT);
		}
		free(copy);
		return;
	}
	fd = is_stdin ? STDIN_FILENO : open(word, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		cmd_error(&command_token, "%s: %s", word, strerror(errno));
		worsen(x, EXIT_INPUT);
		return;
	}
	if (!read_lines(x, fd)) {
		cmd_error(&command_token, "%s: %s", is_stdin ? "standard input" : word, strerror(errno));
		worsen(x, EXIT_INPUT);
	} else if (x->shaped == before) {
		cmd_error(&command_token, "%s: no token in it", is_stdin ? "standard input" : word);
		worsen(x, EXIT_INPUT);
	}
	if (!is_stdin)
		close(fd);
}

static int judge_inputs(struct token_run *x, int argc, char **argv)
{
	static char *standard_input[] = { "-", NULL };
	int written;

	x->replay = x->wants_replay ? replay_store_new() : NULL;
	x->judge = x->wants_replay && !x->replay ? NULL : judge_new(x->policy, x->replay);
	if (!x->judge) {
		cmd_error(&command_token, "out of memory");
		return EXIT_INPUT;
	}
	if (output_open(&x->out, &command_token, x->output_path) != EXIT_RAN)
		return EXIT_INPUT;
	if (!x->ndjson)
		output_for_people(&x->out);
	if (x->jws_only)
		cmd_error(&command_token, "--jws-only: nothing but form, key and signature is judged; a genuine token is not an accepted one");
	if (!argc)
		argv = standard_input;
	for (int i = 0; i < (argc ? argc : 1); i++)
		one_input(x, argv[i]);
	if (!x->tokens && !x->ndjson)
		buf_add_cstr(&x->out.out.pending, "0 tokens: nothing was judged.\n");
	written = output_close(&x->out, &command_token, true);
	worsen(x, written);
	return x->status;
}

/* Nothing is written unless there is a policy. */
static int write_policy(struct token_run *x, int argc, char **argv)
{
	struct buf b;
	int status;

	if (x->policy_path || x->jwks_n || x->jws_only || x->ndjson || x->subject_path || x->wants_replay || x->may_fetch || x->at_record)
		return cmd_usage_error(&command_token, "policy takes sets as arguments, and of the options --output and --at");
	buf_init(&b, 16 * MIB);
	status = token_policy_write(&b, &command_token, argv, argc, x->at_s >= 0 ? x->at_s : clock_s());
	if (buf_failed(&b)) {
		cmd_error(&command_token, "out of memory");
		status = EXIT_INPUT;
	} else if (b.n) {
		int written = output_open(&x->out, &command_token, x->output_path);
		if (written == EXIT_RAN) {
			buf_add_str(&x->out.out.pending, buf_str(&b));
			written = output_close(&x->out, &command_token, true);
		}
		status = written > status ? written : status;
	}
	buf_release(&b);
	return status;
}

static int token_run(int argc, char **argv)
{
	struct token_run x = { .at_s = -1 };
	const struct command *c = &command_token;
	const char *value;
	struct buf error;
	int status = EXIT_RAN, i = OPT_END;

	while (status == EXIT_RAN && (i = cmd_option(c, argc, argv, &value)) >= 0)
		status = take_option(&x, &options[i], value);
	if (status != EXIT_RAN)
		return status;
	if (i == OPT_HELP)
		return cmd_help(c);
	if (i == OPT_ERROR)
		return EXIT_USAGE;
	argc -= optind;
	argv += optind;
	if (argc && strcmp(argv[0], "policy") == 0)
		return write_policy(&x, argc - 1, argv + 1);
	if (!argc || (strcmp(argv[0], "verify") != 0 && strcmp(argv[0], "explain") != 0))
		return cmd_usage_error(c, "wants 'verify', 'explain' or 'policy' (see 'taximeter help token')");
	x.explain = strcmp(argv[0], "explain") == 0;
	if (x.jws_only && x.policy_path)
		return cmd_usage_error(c, "--jws-only asks no policy; leave --policy away");
	if (x.jws_only && (x.subject_path || x.wants_replay))
		return cmd_usage_error(c, "--jws-only looks at no claims; leave --subject-token and --replay away");
	if (!x.policy_path && !x.jwks_n && !x.explain)
		return cmd_usage_error(c, "wants --policy, or --jwks with --jws-only: without a record no token is accepted");
	/* only the named files are read: not even the system's OpenSSL settings */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	buf_init(&error, 64 * KIB);
	buf_init(&x.subject_text, TOKEN_CHAIN_MAX * (TOKEN_BYTES_MAX + 64));
	line_reader_init(&x.lines);
	status = load_policy(&x, false, &error);
	if (status == EXIT_RAN)
		status = load_chain(&x, &error);
	if (status == EXIT_RAN)
		status = judge_inputs(&x, argc - 1, argv + 1);
	judge_free(x.judge);
	replay_store_free(x.replay);
	policy_free(x.policy);
	line_reader_release(&x.lines);
	buf_release(&x.subject_text);
	buf_release(&error);
	return status;
}

const struct command command_token = {
	.name = "token",
	.arguments = "verify|explain|policy [TOKEN|FILE|SET|-...]",
	.doc = "Verify signed tokens: signature, and whether the key may sign for this issuer, tenant and audience",
	.description = "Tokens (JWS, compact form) are read one a line from files or standard input; a line may also be a JSON record "
		       "that carries one or more. For each line there is one verdict, the worst of its tokens', with every reason that applies. A token is accepted when there "
		       "is no reason against it, and only through a record of the policy: a key without a record, an issuer or a life "
		       "is refused, whatever its signature. Addresses in a token or in a key set are never followed; key "
		       "sets that the policy names by address are fetched with --fetch only.\n\n"
		       "'explain' prints a token for people: header, claims and times, the key and which sets know it, every check, and "
		       "the verdicts of less strict verifiers. "
		       "'policy' writes a commented first policy for key sets and OpenID metadata: what they do not say is a question in it. "
		       "Only exit status 0 means that every "
		       "token was accepted.",
	.found = "A token was refused.",
	.critical = "A token has a genuine signature by a key outside its scope or life, or by a key that is denied, revoked or leaked.",
	.options = options,
	.examples = "  taximeter token verify --policy policy.yaml -f ndjson < tokens.txt\n"
		    "  taximeter token explain --policy policy.yaml token.txt\n"
		    "  taximeter token policy openid-configuration.json keys.json >policy.yaml\n"
		    "  taximeter token verify --jws-only --jwks keys.json vectors.txt\n"
		    "  taximeter token verify --policy policy.yaml --subject-token given.txt issued.txt\n",
	.run = token_run,
};
