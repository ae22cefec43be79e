/* SPDX-License-Identifier: Apache-2.0 */
/* help: the program explains itself, in four forms from the same rows: the list of commands, the help of one, the
 * manual page (mdoc) and the completion for bash.  The build runs the last two, so that neither lags behind the options. */
#include <getopt.h>

#include "base/limits.h"
#include "cmd/cmd.h"
#include "detect/detect.h"

#define HELP_BYTES_MAX (1 * MIB)
#define ROFF_COLUMNS 76

extern const struct command command_help;

static const struct option_row options[] = {
	{ 0, "man", NULL, NULL, NULL },
	{ 0, "completion", NULL, NULL, NULL },
	{ 0 }
};

static const char purpose[] = "who reads whose mail, from Microsoft 365 audit exports";

/* -- the list of commands -- */

static int print_commands(void)
{
	struct buf b;
	int status;

	buf_init(&b, HELP_BYTES_MAX);
	buf_printf(&b, "taximeter: %s\n\nusage: taximeter COMMAND [OPTION...] [PATH...]\n\ncommands:\n", purpose);
	for (size_t i = 0; commands[i]; i++)
		buf_printf(&b, "  %-8s %s.\n", commands[i]->name, commands[i]->doc);
	buf_add_cstr(&b, "\n'taximeter help COMMAND' explains a command; 'taximeter --version' prints the version.\n"
			 "\nexit status:\n");
	for (int i = 0; i <= EXIT_CRITICAL; i++)
		buf_printf(&b, "  %d  %s\n", i, cmd_status_doc(NULL, i));
	buf_add_cstr(&b, "'taximeter help exit-status' says what 1 and 4 mean in each command.\n");
	status = cmd_say(&command_help, &b);
	buf_release(&b);
	return status;
}

static int print_statuses(void)
{
	struct buf b;
	int status;

	buf_init(&b, HELP_BYTES_MAX);
	cmd_status_table(&b);
	status = cmd_say(&command_help, &b);
	buf_release(&b);
	return status;
}

/* -- the manual page -- */

/* Adds plain text as roff: a sentence begins a line, no line is long, nothing in it is taken for a request.  An empty
 * line in the text is a new paragraph. */
static void roff_text(struct buf *b, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " \n");
		if (n == 0) {
			if (text[0] == '\n' && text[1] == '\n') {
				buf_add_cstr(b, column ? "\n.Pp\n" : ".Pp\n");
				column = 0;
				text++;
			}
			text++;
			continue;
		}
		if (column && column + 1 + n > ROFF_COLUMNS) {
			buf_add_char(b, '\n');
			column = 0;
		}
		if (column)
			buf_add_char(b, ' ');
		else if (text[0] == '.' || text[0] == '\'')
			buf_add_cstr(b, "\\&");
		column += n + 1;
		for (size_t i = 0; i < n; i++) {
			if (text[i] == '\\')
				buf_add_cstr(b, "\\e");
			else
				buf_add_char(b, text[i]);
		}
		if (strchr(".?!", text[n - 1]) ||
		    (n > 1 && strchr(")\"'", text[n - 1]) && strchr(".?!", text[n - 2]))) {
			buf_add_char(b, '\n');
			column = 0;
		}
		text += n;
	}
	if (column)
		buf_add_char(b, '\n');
}

static void roff_literal(struct buf *b, const char *text)
{
	bool start = true;

	buf_add_cstr(b, ".Bd -literal -offset indent\n");
	for (; *text; text++) {
		if (start && text[0] == ' ' && text[1] == ' ')
			text += 2;
		if (start && (*text == '.' || *text == '\''))
			buf_add_cstr(b, "\\&");
		start = *text == '\n';
		if (*text == '\\')
			buf_add_cstr(b, "\\e");
		else
			buf_add_char(b, *text);
	}
	buf_add_cstr(b, ".Ed\n");
}

static void roff_synopsis(struct buf *b, const struct command *c)
{
	buf_printf(b, ".Nm\n.Cm %s\n", c->name);
	for (const struct option_row *row = c->options; row->name; row++) {
		if (!row->doc)
			continue;
		if (row->letter)
			buf_printf(b, ".Op Fl %c", row->letter);
		else
			buf_printf(b, ".Op Fl -%s", row->name);
		buf_printf(b, "%s%s\n", row->argument ? " Ar " : "", row->argument ? row->argument : "");
	}
	if (c->arguments)
		buf_printf(b, ".Ar %s\n", c->arguments);
}

static void roff_option(struct buf *b, const struct option_row *row)
{
	const char *ar = row->argument ? " Ar " : "", *argument = row->argument ? row->argument : "";

	if (row->letter)
		buf_printf(b, ".It Fl %c , Fl -%s%s%s\n", row->letter, row->name, ar, argument);
	else
		buf_printf(b, ".It Fl -%s%s%s\n", row->name, ar, argument);
	roff_text(b, row->doc);
	if (row->values) {
		buf_add_cstr(b, "One of:\n");
		roff_text(b, row->values);
	}
}

static void roff_command(struct buf *b, const struct command *c)
{
	static const struct option_row help_row = { 'h', "help", NULL, "Print a summary of the command.", NULL };

	buf_printf(b, ".Ss taximeter %s\n%s.\n", c->name, c->doc);
	if (c->description) {
		buf_add_cstr(b, ".Pp\n");
		roff_text(b, c->description);
	}
	buf_add_cstr(b, ".Bl -tag -width Ds\n");
	for (const struct option_row *row = c->options; row->name; row++)
		if (row->doc)
			roff_option(b, row);
	roff_option(b, &help_row);
	buf_add_cstr(b, ".El\n");
}

static void roff_detectors(struct buf *b)
{
	buf_add_cstr(b, ".Sh DETECTORS\n.Bl -tag -width Ds\n");
	for (size_t i = 0; detectors[i]; i++) {
		const struct detector *d = detectors[i];
		const struct {
			const char *label, *text;
		} parts[] = {
			{ "Severity", d->severity },
			{ "Signal", d->signal },
			{ "Catches", d->catches },
			{ "Misses", d->misses },
			{ "Cost", d->cost },
		};
		buf_printf(b, ".It Sy %s\n", d->name);
		roff_text(b, d->title);
		for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
			if (!parts[k].text || !*parts[k].text)
				continue;
			buf_printf(b, ".Pp\n.Em %s :\n", parts[k].label);
			roff_text(b, parts[k].text);
		}
	}
	buf_add_cstr(b, ".El\n");
}

static void roff_end(struct buf *b)
{
	buf_add_cstr(b, ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev NO_COLOR\n"
	                "If set and not empty, severities are not coloured on a terminal.\n"
	                ".It Ev TMPDIR\nFolder for what is too large to be sorted in memory.\n.El\n"
	                ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
	for (int i = 0; i <= EXIT_CRITICAL; i++) {
		buf_printf(b, ".It %d\n", i);
		roff_text(b, cmd_status_doc(NULL, i));
		for (size_t k = 0; commands[k] && (i == EXIT_FINDINGS || i == EXIT_CRITICAL); k++) {
			const char *doc = cmd_status_doc(commands[k], i);
			if (!doc)
				continue;
			buf_printf(b, ".Pp\n.Cm %s :\n", commands[k]->name);
			roff_text(b, doc);
		}
	}
	buf_add_cstr(b, ".El\n.Sh EXAMPLES\n");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->examples)
			roff_literal(b, commands[i]->examples);
	buf_add_cstr(b, ".Sh CAVEATS\n");
	roff_text(b, "The absence of an alert proves nothing where the log is silent: accounts whose auditing is "
		     "bypassed, mailboxes whose licence does not log reading, the day after a throttled record, mail "
		     "read from a local copy after a Sync. Each result ends with what it could not see.");
}

static int print_man(void)
{
	struct buf b;
	int status;

	buf_init(&b, HELP_BYTES_MAX);
	buf_add_cstr(&b, ".\\\" SPDX-License-Identifier: Apache-2.0\n"
			 ".\\\" Printed by taximeter " TXM_VERSION " from the tables of its commands.\n");
	buf_printf(&b, ".Dd January 6, 2026\n.Dt TAXIMETER 1\n.Os\n.Sh NAME\n.Nm taximeter\n.Nd %s\n.Sh SYNOPSIS\n",
		   purpose);
	for (size_t i = 0; commands[i]; i++)
		roff_synopsis(&b, commands[i]);
	buf_add_cstr(&b, ".Nm\n.Fl -version\n.Sh DESCRIPTION\n.Nm\n");
	roff_text(&b, "reads Microsoft 365 audit exports, above all their MailItemsAccessed records, and Entra "
		      "sign-in logs. It says which application read whose mail, and raises few alerts, each with its "
		      "reasons and with what could not be seen.");
	for (size_t i = 0; commands[i]; i++)
		roff_command(&b, commands[i]);
	roff_detectors(&b);
	roff_end(&b);
	status = cmd_print(&command_help, &b);
	buf_release(&b);
	return status;
}

/* -- the completion for bash -- */

static void complete_option(struct buf *b, const struct option_row *row)
{
	if (!row->argument || strncmp(row->argument, "FILE", 4) == 0)
		return; /* files are what bash completes by default */
	buf_add_cstr(b, "\t\t");
	if (row->letter)
		buf_printf(b, "-%c|", row->letter);
	buf_printf(b, "--%s) words=\"%s\" ;;\n", row->name, row->values ? row->values : "");
}

static void complete_command(struct buf *b, const struct command *c)
{
	buf_printf(b, "\t%s)\n\t\tcase $cur in -*) words=\"", c->name);
	for (const struct option_row *row = c->options; row->name; row++)
		if (row->doc)
			buf_printf(b, "--%s ", row->name);
	buf_add_cstr(b, "--help\" ;; esac\n\t\tcase $prev in\n");
	for (const struct option_row *row = c->options; row->name; row++)
		if (row->doc)
			complete_option(b, row);
	buf_add_cstr(b, "\t\tesac ;;\n");
}

static int print_completion(void)
{
	struct buf b;
	int status;

	buf_init(&b, HELP_BYTES_MAX);
	buf_add_cstr(&b, "# SPDX-License-Identifier: Apache-2.0\n"
	                 "# bash completion of taximeter, printed by the program from the tables of its commands\n"
	                 "_taximeter()\n{\n"
	                 "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} names words=\"\"\n"
	                 "\tnames=\"");
	for (size_t i = 0; commands[i]; i++)
		buf_printf(&b, "%s%s", i ? " " : "", commands[i]->name);
	buf_add_cstr(
		&b,
		"\"\n\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$names --help --version\" -- \"$cur\")\n\t\treturn\n\tfi\n"
		"\tcase ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; commands[i]; i++)
		complete_command(&b, commands[i]);
	buf_add_cstr(
		&b,
		"\tesac\n"
		"\tif [ \"${COMP_WORDS[1]}\" = help ] && [ -z \"$words\" ]; then\n\t\twords=$names\n\tfi\n"
		"\tCOMPREPLY=()\n"
		"\tif [ -n \"$words\" ]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n\tfi\n"
		"}\n"
		"complete -o default -F _taximeter taximeter\n");
	status = cmd_print(&command_help, &b);
	buf_release(&b);
	return status;
}

/* -- the command -- */

static int help_for(const char *name)
{
	if (strcmp(name, "exit-status") == 0)
		return print_statuses();
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return cmd_help(commands[i]);
	return cmd_usage_error(&command_help, "'%s' is no command (see 'taximeter help')", name);
}

static int help_run(int argc, char **argv)
{
	int (*print)(void) = print_commands;
	const char *value;
	int i;

	while ((i = cmd_option(&command_help, argc, argv, &value)) >= 0)
		print = strcmp(options[i].name, "man") == 0 ? print_man : print_completion;
	if (i == OPT_HELP)
		return cmd_help(&command_help);
	if (i == OPT_ERROR)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return cmd_usage_error(&command_help, "one command at a time");
	return optind < argc ? help_for(argv[optind]) : print();
}

const struct command command_help = {
	.name = "help",
	.arguments = "[COMMAND|exit-status]",
	.doc = "Explain Taximeter, one of its commands, or the exit statuses",
	.description = NULL,
	.options = options,
	.examples = "  taximeter help scan\n  taximeter help exit-status\n",
	.run = help_run,
};
