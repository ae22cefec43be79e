/* SPDX-License-Identifier: Apache-2.0 */
/* schema: what the outputs for programs look like, as JSON Schema: the files of data/schema, compiled in. */
#include <getopt.h>

#include "base/limits.h"
#include "cmd/cmd.h"

#define SCHEMA_BYTES_MAX (4 * MIB)

extern const struct command command_schema;

static const struct { const char *name, *title, *text; } schemas[] = {
#define SCHEMA(name, title, text) { name, title, text },
#include "schema_table.inc"
#undef SCHEMA
};
#define SCHEMAS (sizeof(schemas) / sizeof(schemas[0]))

static const struct option_row options[] = { { 0 } };

static int print_schema(const char *name)
{
	struct buf b;
	int status;

	buf_init(&b, SCHEMA_BYTES_MAX);
	for (size_t i = 0; i < SCHEMAS; i++) {
		if (!name)
			buf_printf(&b, "%-10s %s\n", schemas[i].name, schemas[i].title);
		else if (strcmp(name, schemas[i].name) == 0)
			buf_add_cstr(&b, schemas[i].text);
	}
	status = b.n ? (name ? cmd_print : cmd_say)(&command_schema, &b)
		     : cmd_usage_error(&command_schema, "there is no schema '%s'; without a name all are listed", name);
	buf_release(&b);
	return status;
}

static int schema_run(int argc, char **argv)
{
	const char *value;
	int i = cmd_option(&command_schema, argc, argv, &value);

	if (i == OPT_HELP)
		return cmd_help(&command_schema);
	if (i == OPT_ERROR)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return cmd_usage_error(&command_schema, "'%s': schema takes one name", argv[optind + 1]);
	return print_schema(optind < argc ? argv[optind] : NULL);
}

const struct command command_schema = {
	.name = "schema",
	.arguments = "[NAME]",
	.doc = "Print the JSON Schema of an output",
	.description = "Every line that Taximeter writes for programs (-f ndjson, --stats, ledgers) has a JSON Schema (2020-12) that describes "
		       "each member: its meaning, its unit, and when it is absent. Without a NAME they are listed. 'schema_version' in each "
		       "stream says which version it follows: it changes only when a member goes or changes its meaning; new members may "
		       "come at any time.",
	.options = options,
	.examples = "  taximeter schema\n  taximeter schema scan | jq '.\"$defs\".alert.properties | keys'\n",
	.run = schema_run,
};
