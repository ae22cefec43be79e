/* SPDX-License-Identifier: Apache-2.0 */
/* rules: the descriptors of the detectors: signal, catches, misses and cost. */
#include <getopt.h>

#include "base/limits.h"
#include "base/schema.h"
#include "cmd/cmd.h"
#include "detect/detect.h"
#include "detect/family.h"

#define RULES_BYTES_MAX (4 * MIB)

extern const struct command command_rules;

static const struct option_row options[] = {
	OPTION_FORMAT("text", "text ndjson markdown"),
	{ 0, "explain", NULL, "Also say what each kind of evidence of the rule 'taximeter' looks at, catches and misses.", NULL },
	{ 0 }
};

/* "            text, broken into lines" under a label */
static void add_labelled(struct buf *b, const char *label, const char *text)
{
	const size_t columns = cmd_columns();
	size_t column = 12;

	if (!text || !*text)
		return;
	buf_printf(b, "  %-10s", label);
	while (*text) {
		size_t n = strcspn(text, " \n");
		if (n && column > 12 && column + 1 + n > columns) {
			buf_printf(b, "\n%*s", 12, "");
			column = 12;
		} else if (n && column > 12) {
			buf_add_char(b, ' ');
			column++;
		}
		buf_add(b, text, n);
		column += n;
		text += n + (text[n] != '\0');
	}
	buf_add_char(b, '\n');
}

static void add_mitre(struct buf *b, const struct detector *d, const char *between, bool quoted)
{
	for (size_t i = 0; d->mitre && d->mitre[i]; i++)
		buf_printf(b, quoted ? "%s\"%s\"" : "%s%s", i ? between : "", d->mitre[i]);
}

static void add_text(struct buf *b, const struct detector *d)
{
	struct buf mitre;

	buf_init(&mitre, 4 * KIB);
	add_mitre(&mitre, d, ", ", false);
	buf_printf(b, "%s: %s\n", d->name, d->title);
	add_labelled(b, "severity", d->severity);
	add_labelled(b, "signal", d->signal);
	add_labelled(b, "catches", d->catches);
	add_labelled(b, "misses", d->misses);
	add_labelled(b, "cost", d->cost);
	add_labelled(b, "ATT&CK", mitre.p);
	buf_add_char(b, '\n');
	buf_release(&mitre);
}

static void add_ndjson(struct buf *b, const struct detector *d)
{
	const struct {
		const char *key, *text;
	} rows[] = {
		{ "{\"type\":\"rule\",\"rule\":", d->name },
		{ ",\"title\":", d->title },
		{ ",\"severity\":", d->severity },
		{ ",\"signal\":", d->signal },
		{ ",\"catches\":", d->catches },
		{ ",\"misses\":", d->misses },
		{ ",\"cost\":", d->cost },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_add_cstr(b, rows[i].key);
		buf_add_json(b, str_of(rows[i].text));
	}
	buf_add_cstr(b, ",\"mitre\":[");
	add_mitre(b, d, ",", true);
	buf_add_cstr(b, "]" SCHEMA_MEMBER "}\n");
}

/* a cell of a Markdown table: a bar would end it */
static void add_cell(struct buf *b, const char *text)
{
	buf_add_cstr(b, " ");
	for (; text && *text; text++) {
		if (*text == '|')
			buf_add_char(b, '\\');
		buf_add_char(b, *text == '\n' ? ' ' : *text);
	}
	buf_add_cstr(b, " |");
}

static void add_markdown(struct buf *b, const struct detector *d)
{
	struct buf mitre;

	buf_init(&mitre, 4 * KIB);
	add_mitre(&mitre, d, ", ", false);
	buf_printf(b, "| `%s` |", d->name);
	add_cell(b, d->title);
	add_cell(b, d->severity);
	add_cell(b, d->misses);
	add_cell(b, mitre.p);
	buf_add_char(b, '\n');
	buf_release(&mitre);
}

static void add_family(struct buf *b, const struct family_doc *f, const char *format)
{
	if (strcmp(format, "ndjson") == 0) {
		const struct { const char *key, *text; } rows[] = {
			{ "{\"type\":\"family\",\"family\":", f->name }, { ",\"signal\":", f->signal },
			{ ",\"catches\":", f->catches }, { ",\"misses\":", f->misses },
		};
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			buf_add_cstr(b, rows[i].key);
			buf_add_json(b, str_of(rows[i].text));
		}
		buf_add_cstr(b, SCHEMA_MEMBER "}\n");
	} else if (strcmp(format, "markdown") == 0) {
		buf_printf(b, "| `%s` |", f->name);
		add_cell(b, f->signal);
		add_cell(b, f->catches);
		add_cell(b, f->misses);
		buf_add_char(b, '\n');
	} else {
		buf_printf(b, "taximeter, %s\n", f->name);
		add_labelled(b, "signal", f->signal);
		add_labelled(b, "catches", f->catches);
		add_labelled(b, "misses", f->misses);
		buf_add_char(b, '\n');
	}
}

static int print_rules(const char *format, bool explains)
{
	void (*add)(struct buf *, const struct detector *) = add_text;
	struct buf b;
	int status = EXIT_RAN;

	buf_init(&b, RULES_BYTES_MAX);
	if (strcmp(format, "ndjson") == 0) {
		add = add_ndjson;
	} else if (strcmp(format, "markdown") == 0) {
		add = add_markdown;
		buf_add_cstr(&b, "| rule | finds | severity | misses | ATT&CK |\n|---|---|---|---|---|\n");
	} else if (strcmp(format, "text") != 0) {
		status = cmd_usage_error(&command_rules, "-f '%s' is not a format; there are: text ndjson markdown",
					 format);
	}
	for (size_t i = 0; detectors[i] && status == EXIT_RAN; i++)
		add(&b, detectors[i]);
	if (explains && status == EXIT_RAN && strcmp(format, "markdown") == 0)
		buf_add_cstr(&b, "\n| evidence | looks at | catches | misses |\n|---|---|---|---|\n");
	for (size_t i = 0; explains && family_docs[i].name && status == EXIT_RAN; i++)
		add_family(&b, &family_docs[i], format);
	if (status == EXIT_RAN)
		status = strcmp(format, "text") == 0 ? cmd_say(&command_rules, &b) : cmd_print(&command_rules, &b);
	buf_release(&b);
	return status;
}

static int rules_run(int argc, char **argv)
{
	const char *format = "text", *value;
	bool explains = false;
	int i;

	while ((i = cmd_option(&command_rules, argc, argv, &value)) >= 0) {
		if (strcmp(options[i].name, "explain") == 0)
			explains = true;
		else
			format = value;
	}
	if (i == OPT_HELP)
		return cmd_help(&command_rules);
	if (i == OPT_ERROR)
		return EXIT_USAGE;
	if (optind < argc)
		return cmd_usage_error(&command_rules, "'%s': rules takes no arguments", argv[optind]);
	return print_rules(format, explains);
}

const struct command command_rules = {
	.name = "rules",
	.doc = "List the detectors with their documentation",
	.description = "For each detector: its severities, the signal it looks at, what it catches, what it misses, "
		       "and what it costs in false alarms and memory.",
	.options = options,
	.examples = "  taximeter rules --explain\n  taximeter rules -f ndjson | jq -r .rule\n",
	.run = rules_run,
};
