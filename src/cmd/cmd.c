/* SPDX-License-Identifier: Apache-2.0 */
/* cmd: the user interface that all sub-commands share: the option parser, --help, error lines.  All of it reads the rows of a
 * command's descriptor, so an option is in the parser, the help, the man page and the shell completion alike. */
#include "cmd/cmd.h"

#include "cmd/output.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "base/wrap.h"
#include "sink/sink.h"

#define OPTIONS_MAX 32      /* of one command; the arrays for getopt_long() live on the stack */
#define LONG_BASE 256       /* getopt_long() returns this + the row; letters are below */
#define HELP_BYTES_MAX (256 * KIB)
#define HELP_COLUMNS 100 /* and no more */
#define HELP_INDENT 6

#define CMD(name) extern const struct command command_##name;
#include "cmd/list.h"
#undef CMD

const struct command *const commands[] = {
#define CMD(name) &command_##name,
#include "cmd/list.h"
#undef CMD
	NULL
};

/* -- errors -- */

void cmd_tell(const struct buf *text)
{
	struct buf folded;

	buf_init(&folded, 2 * text->max);
	buf_add_wrapped(&folded, buf_str(text), isatty(STDERR_FILENO) ? terminal_columns(STDERR_FILENO) : 0);
	if (folded.n)
		fwrite(folded.p, 1, folded.n, stderr);
	buf_release(&folded);
}

static void error_line(const struct command *c, const char *format, va_list ap)
{
	struct buf text, line;

	buf_init(&text, 64 * KIB);
	buf_init(&line, 256 * KIB);
	buf_vprintf(&text, format, ap);
	buf_printf(&line, "taximeter%s%s: ", c ? " " : "", c ? c->name : "");
	buf_add_terminal(&line, str_trim(buf_str(&text)), 0);
	buf_add_char(&line, '\n');
	cmd_tell(&line);
	buf_release(&line);
	buf_release(&text);
}

void cmd_error(const struct command *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_line(c, format, ap);
	va_end(ap);
}

int cmd_usage_error(const struct command *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	error_line(c, format, ap);
	va_end(ap);
	return EXIT_USAGE;
}

static int print(const struct command *c, const struct buf *text, bool wraps)
{
	struct sink_out out;
	int status = EXIT_RAN;

	sink_out_init(&out, STDOUT_FILENO, false, terminal_columns(STDOUT_FILENO));
	out.wraps = wraps;
	buf_add_str(&out.pending, buf_str(text));
	if (buf_failed(text))
		out.pending.failed = true;
	sink_out_flush(&out);
	if (out.failed) {
		cmd_error(c, "standard output: %s", strerror(out.error));
		status = EXIT_INPUT;
	}
	sink_out_release(&out);
	return status;
}

int cmd_print(const struct command *c, const struct buf *text) { return print(c, text, false); }
int cmd_say(const struct command *c, const struct buf *text) { return print(c, text, true); }

/* -- the option parser -- */

static const struct {
	const char *command, *old, *name;
} old_names[] = {
#define OLD_NAME(command, old, name) { command, old, name },
#include "cmd/old_names.h"
#undef OLD_NAME
};
#define OLD_NAMES (sizeof(old_names) / sizeof(old_names[0]))

static int row_of(const struct command *c, const char *name)
{
	for (int i = 0; c->options[i].name; i++)
		if (strcmp(c->options[i].name, name) == 0)
			return i;
	return -1;
}

/* The row that a letter, or the single letter of an old name, means. */
static int row_of_letter(const struct command *c, int letter)
{
	for (int i = 0; c->options[i].name; i++)
		if (c->options[i].letter == letter)
			return i;
	for (size_t i = 0; i < OLD_NAMES; i++)
		if (strcmp(old_names[i].command, c->name) == 0 && old_names[i].old[0] == letter && !old_names[i].old[1])
			return row_of(c, old_names[i].name);
	return -1;
}

static int unknown_option(const struct command *c, char **argv)
{
	/* a long option has been stepped over; a letter is in optopt, inside a word that may hold more of them */
	if (optopt >= LONG_BASE)
		cmd_error(c, "option '--%s' takes no argument", c->options[optopt - LONG_BASE].name);
	else if (optopt == 'h')
		cmd_error(c, "option '--help' takes no argument");
	else if (optopt)
		cmd_error(c, "unknown option '-%c' (see 'taximeter help %s')", optopt, c->name);
	else
		cmd_error(c, "unknown option '%s' (see 'taximeter help %s')", argv[optind - 1], c->name);
	return OPT_ERROR;
}

static int missing_argument(const struct command *c)
{
	const int i = optopt >= LONG_BASE ? optopt - LONG_BASE : row_of_letter(c, optopt);

	if (i >= 0)
		cmd_error(c, "option '--%s' needs its argument %s", c->options[i].name, c->options[i].argument);
	return OPT_ERROR;
}

int cmd_option(const struct command *c, int argc, char **argv, const char **ret_value)
{
	struct option rows[OPTIONS_MAX + OLD_NAMES + 2] = { 0 };
	char letters[2 * (OPTIONS_MAX + OLD_NAMES) + 4] = ":h";
	size_t used = 2;
	int n = 0, got;

	for (; n < OPTIONS_MAX && c->options[n].name; n++) {
		const struct option_row *row = &c->options[n];
		const int wants = row->argument ? required_argument : no_argument;
		rows[n] = (struct option){ row->name, wants, NULL, LONG_BASE + n };
		if (row->letter) {
			letters[used++] = row->letter;
			if (row->argument)
				letters[used++] = ':';
		}
	}
	rows[n++] = (struct option){ "help", no_argument, NULL, 'h' };
	for (size_t i = 0; i < OLD_NAMES; i++) {
		const int row = strcmp(old_names[i].command, c->name) == 0 ? row_of(c, old_names[i].name) : -1;
		if (row < 0)
			continue;
		if (old_names[i].old[1]) {
			rows[n++] = (struct option){ old_names[i].old, rows[row].has_arg, NULL, rows[row].val };
		} else {
			letters[used++] = old_names[i].old[0];
			if (c->options[row].argument)
				letters[used++] = ':';
		}
	}
	opterr = 0;
	got = getopt_long(argc, argv, letters, rows, NULL);
	*ret_value = optarg;
	if (got == -1)
		return OPT_END;
	if (got == 'h')
		return OPT_HELP;
	if (got == '?')
		return unknown_option(c, argv);
	if (got == ':')
		return missing_argument(c);
	if (got >= LONG_BASE)
		return got - LONG_BASE;
	return row_of_letter(c, got);
}

bool cmd_time(const char *value, int64_t *ret_us)
{
	const size_t n = strspn(value, "0123456789");

	if (n && n < 12 && !value[n]) {
		*ret_us = strtoll(value, NULL, 10) * US_PER_SECOND;
		return true;
	}
	return time_parse_rfc3339(str_of(value), ret_us) && *ret_us >= 0;
}

/* -- exit statuses -- */

const char *cmd_status_doc(const struct command *c, int status)
{
	static const char *const docs[] = {
		[EXIT_RAN] = "Done, nothing found. Also if the reader of the output went away.",
		[EXIT_FINDINGS] = "Found.",
		[EXIT_USAGE] = "Wrong usage: an option is wrong, or a file that an option names cannot be used. Nothing was judged.",
		[EXIT_INPUT] = "Incomplete: an input is missing, unreadable, cut short or holds nothing that can be judged, or an output, memory or the disk failed. The result covers what was read. Goes before 1.",
		[EXIT_CRITICAL] = "Critical. Goes before 3.",
	};

	if (c && status == EXIT_FINDINGS)
		return c->found;
	if (c && status == EXIT_CRITICAL)
		return c->critical;
	return docs[status];
}

void cmd_status_table(struct buf *b)
{
	for (int i = 0; i <= EXIT_CRITICAL; i++) {
		buf_printf(b, "%d  %s\n", i, cmd_status_doc(NULL, i));
		for (size_t k = 0; commands[k]; k++)
			if ((i == EXIT_FINDINGS || i == EXIT_CRITICAL) && cmd_status_doc(commands[k], i))
				buf_printf(b, "   %-9s %s\n", commands[k]->name, cmd_status_doc(commands[k], i));
	}
}

/* -- help -- */

unsigned cmd_columns(void)
{
	const unsigned n = terminal_columns(STDOUT_FILENO);

	return n && n < HELP_COLUMNS ? n : HELP_COLUMNS;
}

/* Adds text with its lines broken and indented; the cursor is at column `indent`.  A newline stays one. */
static void add_paragraph(struct buf *b, struct str text, size_t indent)
{
	const size_t columns = cmd_columns();
	size_t column = indent;
	bool start = true;

	while (text.n) {
		size_t n = 0;
		if (text.p[0] == '\n') {
			buf_add_char(b, '\n');
			column = 0;
			start = true;
			n = 1;
		} else if (text.p[0] == ' ') {
			n = 1;
		} else {
			while (n < text.n && text.p[n] != ' ' && text.p[n] != '\n')
				n++;
			if (!start && column + 1 + n > columns) {
				buf_add_char(b, '\n');
				column = 0;
				start = true;
			}
			if (start)
				for (; column < indent; column++)
					buf_add_char(b, ' ');
			else
				buf_add_char(b, ' '), column++;
			buf_add(b, text.p, n);
			column += n;
			start = false;
		}
		text = (struct str){ text.p + n, text.n - n };
	}
	buf_add_char(b, '\n');
}

/* "text|ndjson|csv" for "text ndjson csv" */
static void add_alternatives(struct buf *b, const char *values)
{
	for (; *values; values++)
		buf_add_char(b, *values == ' ' ? '|' : *values);
}

void cmd_synopsis(struct buf *b, const struct command *c)
{
	buf_printf(b, "taximeter %s", c->name);
	for (const struct option_row *row = c->options; row->name; row++) {
		if (!row->doc)
			continue;
		if (row->letter)
			buf_printf(b, " [-%c", row->letter);
		else
			buf_printf(b, " [--%s", row->name);
		if (row->argument) {
			buf_add_char(b, ' ');
			if (row->values && strcmp(row->argument, "FORMAT") == 0)
				add_alternatives(b, row->values);
			else
				buf_add_cstr(b, row->argument);
		}
		buf_add_char(b, ']');
	}
	if (c->arguments)
		buf_printf(b, " %s", c->arguments);
}

static void add_option(struct buf *b, const struct option_row *row)
{
	if (row->letter)
		buf_printf(b, "  -%c, --%s", row->letter, row->name);
	else
		buf_printf(b, "      --%s", row->name);
	buf_printf(b, "%s%s\n", row->argument ? " " : "", row->argument ? row->argument : "");
	buf_printf(b, "%*s", 2 * HELP_INDENT, "");
	add_paragraph(b, str_of(row->doc), 2 * HELP_INDENT);
	if (row->values) {
		buf_printf(b, "%*sone of: ", 2 * HELP_INDENT, "");
		add_paragraph(b, str_of(row->values), 2 * HELP_INDENT);
	}
}

int cmd_help(const struct command *c)
{
	static const struct option_row help_row = { 'h', "help", NULL, "Print this.", NULL };
	struct buf b, synopsis;
	int status;

	buf_init(&b, HELP_BYTES_MAX);
	buf_init(&synopsis, HELP_BYTES_MAX);
	cmd_synopsis(&synopsis, c);
	buf_add_cstr(&b, "usage: ");
	add_paragraph(&b, buf_str(&synopsis), HELP_INDENT + 1);
	buf_printf(&b, "\n%s.\n\n", c->doc);
	if (c->description) {
		add_paragraph(&b, str_of(c->description), 0);
		buf_add_char(&b, '\n');
	}
	buf_add_cstr(&b, "options:\n");
	for (const struct option_row *row = c->options; row->name; row++)
		if (row->doc)
			add_option(&b, row);
	add_option(&b, &help_row);
	buf_add_cstr(&b, "\nexit status:\n");
	for (int i = 0; i <= EXIT_CRITICAL; i++)
		if (cmd_status_doc(c, i)) {
			buf_printf(&b, "  %d  ", i);
			add_paragraph(&b, str_of(cmd_status_doc(c, i)), HELP_INDENT - 1);
		}
	if (c->examples)
		buf_printf(&b, "\nexamples:\n%s", c->examples);
	status = cmd_say(c, &b);
	buf_release(&synopsis);
	buf_release(&b);
	return status;
}
