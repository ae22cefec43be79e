/* SPDX-License-Identifier: Apache-2.0 */
/* cmd: one sub-command, one file.  To add one: cmd/foo.c ending with `const struct command command_foo`, and CMD(foo) in
 * cmd/list.h.  Usage, `help`, the man page's option list and the shell completion are printed from the descriptor. */
#ifndef TXM_CMD_CMD_H
#define TXM_CMD_CMD_H

#include "base/buf.h"

enum exit_status {
	EXIT_RAN = 0,      /* ran to the end, findings or not */
	EXIT_FINDINGS = 1, /* findings, and the user asked for it with --fail-on */
	EXIT_USAGE = 2,    /* usage, rules or settings */
	EXIT_INPUT = 3,    /* some input unreadable or cut short, or the world failed; the rest is printed */
	EXIT_CRITICAL = 4, /* token: a key acts outside its scope or life, or is in a stranger's hands */
};

struct option_row {
	char letter;           /* 0 = long only */
	const char *name;      /* "fail-on" */
	const char *argument;  /* "LEVEL", NULL = none; "FILE..." is completed as a path */
	const char *doc;       /* one sentence; default included.  NULL = works, but is shown nowhere (for the build) */
	const char *values;    /* the words it takes, separated by blanks; NULL = free text */
};

struct command {
	const char *name;
	const char *arguments; /* "PATH..." */
	const char *doc;       /* one line */
	const char *description; /* paragraphs for --help and the man page */
	const struct option_row *options; /* ends with a zero row; --help is implied */
	const char *examples;
	int (*run)(int argc, char **argv); /* argv[0] = name of the command */
};
extern const struct command *const commands[]; /* NULL-terminated */

/* Option parser of all commands: getopt_long built from the rows, so that help and parser cannot differ.
 * Returns the index of the row, OPT_HELP, OPT_ERROR (said on stderr), or OPT_END; *ret_value is the argument. */
enum { OPT_END = -1, OPT_ERROR = -2, OPT_HELP = -3 };
int cmd_option(const struct command *c, int argc, char **argv, const char **ret_value);
void cmd_synopsis(struct buf *b, const struct command *c); /* "taximeter scan [-q] ... PATH..." */
int cmd_help(const struct command *c); /* on stdout; exit status */

/* One line on stderr, "taximeter scan: ...", safe for a terminal whatever the arguments hold.  Always EXIT_USAGE, so
 * that a command can say `return cmd_usage_error(...)`. */
int cmd_usage_error(const struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cmd_error(const struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text to stdout.  EXIT_RAN (a closed pipe is quiet success), or EXIT_INPUT, said on stderr. */
int cmd_print(const struct command *c, const struct buf *text);
/* The same of text for people: folded at the width of the terminal. */
int cmd_say(const struct command *c, const struct buf *text);

#endif
