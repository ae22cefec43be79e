/* SPDX-License-Identifier: Apache-2.0 */
/* cmd: one sub-command, one file.  To add one: cmd/foo.c ending with `const struct command command_foo`, and CMD(foo) in
 * cmd/list.h.  Usage, `help`, the man page's option list and the shell completion are printed from the descriptor. */
#ifndef TXM_CMD_CMD_H
#define TXM_CMD_CMD_H

#include "base/buf.h"

enum exit_status {
	EXIT_RAN = 0,      /* ran to the end, findings or not */
	EXIT_FINDINGS = 1, /* findings, as defined in struct command */
	EXIT_USAGE = 2,    /* usage or settings: nothing was read */
	EXIT_INPUT = 3,    /* incomplete: input unreadable, cut short or empty, or output, memory or disk failed; the rest is printed */
	EXIT_CRITICAL = 4, /* findings that are critical */
};

struct option_row {
	char letter;           /* 0 = long only */
	const char *name;      /* "fail-on" */
	const char *argument;  /* "LEVEL", NULL = none; "FILE..." is completed as a path */
	const char *doc;       /* one sentence; default included.  NULL = works, but is shown nowhere (for the build) */
	const char *values;    /* the words it takes, separated by blanks; NULL = free text */
};

/* Rows that several commands have: same name, letter, argument and meaning.  `more` continues the meaning: ", ...",
 * ": ..." or "; default: ...", with its full stop. */
#define OPTION_FORMAT(preset, values) { 'f', "format", "FORMAT", "How the result is written; default: " preset ".", values }
#define OPTION_OUTPUT \
	{ 'o', "output", "FILE", "Write the result to FILE, which appears when it is complete; default: standard output.", NULL }
#define OPTION_OUTPUT_DIR(letter, more) { letter, "output-dir", "DIR", "Write the files to this folder" more, NULL }
#define OPTION_JOBS { 'j', "jobs", "N", "Threads, 1 to 256; default: one for each processor. The result does not depend on it.", NULL }
#define OPTION_QUIET { 'q', "quiet", NULL, "No progress and no account of the run on standard error, only errors.", NULL }
#define OPTION_MIN_SEVERITY(more) \
	{ 'm', "min-severity", "LEVEL", "Leave out alerts below this severity" more, "info low medium high critical" }
#define OPTION_AT(more) { 0, "at", "TIME", "Judge as of this time (a date, RFC 3339, or seconds since 1970)" more, NULL }
#define OPTION_POLICY(more) { 'p', "policy", "FILE", "The policy file (YAML)" more, NULL }
#define OPTION_JWKS(more) { 0, "jwks", "FILE", "A key set" more, NULL }
#define OPTION_STATE(more) { 0, "state", "FILE", "Continue from FILE and update it" more, NULL }
#define OPTION_LEDGER(more) { 0, "ledger", "FILE", "The ledger" more, NULL }
#define OPTION_CHECK(more) { 0, "check", NULL, "Only check, and change nothing" more, NULL }

struct command {
	const char *name;
	const char *arguments; /* "PATH..." */
	const char *doc;       /* one line */
	const char *description; /* paragraphs for --help and the man page */
	const struct option_row *options; /* ends with a zero row; --help is implied */
	const char *examples;
	/* What statuses 1 and 4 mean here; NULL = the command never exits with it.  The others mean the same everywhere (help.c). */
	const char *found, *critical;
	int (*run)(int argc, char **argv); /* argv[0] = name of the command */
};
extern const struct command *const commands[]; /* NULL-terminated */

/* The TIME of OPTION_AT. */
bool cmd_time(const char *value, int64_t *ret_us);

/* Option parser of all commands: getopt_long built from the rows, so that help and parser cannot differ.
 * Returns the index of the row, OPT_HELP, OPT_ERROR (reported on stderr), or OPT_END; *ret_value is the argument. */
enum { OPT_END = -1, OPT_ERROR = -2, OPT_HELP = -3 };
int cmd_option(const struct command *c, int argc, char **argv, const char **ret_value);
void cmd_synopsis(struct buf *b, const struct command *c); /* "taximeter scan [-q] ... PATH..." */
int cmd_help(const struct command *c); /* on stdout; exit status */
/* What this exit status means; NULL = the command never exits with it.  c NULL: of all commands. */
const char *cmd_status_doc(const struct command *c, int status);
void cmd_status_table(struct buf *b); /* all commands, all statuses */

/* One line on stderr, "taximeter scan: ...", safe for a terminal whatever the arguments hold.  Always returns EXIT_USAGE, so
 * that a command can say `return cmd_usage_error(...)`. */
int cmd_usage_error(const struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cmd_error(const struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text to stdout.  EXIT_RAN (a closed pipe is quiet success), or EXIT_INPUT, reported on stderr. */
int cmd_print(const struct command *c, const struct buf *text);
/* The same of text for people: folded at the width of the terminal. */
int cmd_say(const struct command *c, const struct buf *text);
/* The same on standard error. */
void cmd_tell(const struct buf *text);
/* Columns of help and of other texts of ours: those of the terminal, but never more than can be read well. */
unsigned cmd_columns(void);

#endif
