/* SPDX-License-Identifier: Apache-2.0 */
/* dump: private keys in memory images and files.  This file reads the options of all its actions and calls one; what an
 * action does is in cmd/dump_NAME.c. */
#include <getopt.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/dump_cmd.h"
#include "dump/arena.h"

#define ACTION(name) extern const struct dump_action dump_action_##name;
#include "cmd/dump_list.h"
#undef ACTION

const struct dump_action *const dump_actions[] = {
#define ACTION(name) &dump_action_##name,
#include "cmd/dump_list.h"
#undef ACTION
	NULL
};

static const struct option_row options[] = {
	OPTION_JWKS(" that is trusted, or a folder of them: look for the private halves of its keys. May be repeated."),
	{ 0, "cert", "FILE", "Look for the private key of this certificate, PEM or DER, or of a folder of them. May be repeated.", NULL },
	{ 0, "spki", "FILE", "Look for the private half of this public key, PEM or DER, or of a folder of them. May be repeated.", NULL },
	OPTION_FORMAT("text", "text ndjson sarif"),
	OPTION_OUTPUT,
	OPTION_JOBS,
	{ 0, "thorough", NULL, "Search longer: also in places where keys are unlikely and searching is slow.", NULL },
	{ 0, "any-prime", NULL,
	  "Also try primes below the square root of 2 times a power of two, which no sound generator makes. Slower.", NULL },
	{ 0, "only", "NAMES", "Use only these finders, separated by commas.", NULL },
	{ 0, "residue", "WHERE", "redact, verify: test the numbers in these for what gives a factor of a public key away; default: writable memory.",
	  "writable all off" },
	{ 0, "keep-shapes", NULL, "redact: leave what has the shape of a key and no proof where it is.", NULL },
	{ 0, "erase", "WHAT",
	  "redact, watch: keys, or also all that looks random in writable memory (random): key material that no search knows, and "
	  "ciphertext, hashes and compressed data with it. Default: keys for redact, random for watch.",
	  "keys random" },
	OPTION_LEDGER(", to which redact and verify append the dump's hash and the verdict, and in which ledger looks."),
	{ 0, "fill", "WITH", "redact, watch: what erased numbers become; a pattern (REDACTED) shows where they were; default: zero.", "zero pattern" },
	OPTION_OUTPUT_DIR(0, ": for watch, the redacted copies."),
	{ 0, "once", NULL, "watch: redact the dumps that are in the folder now, then stop: for cron.", NULL },
	{ 0, "remove", NULL, "watch: remove a dump when its copy was delivered.", NULL },
	OPTION_CHECK(": filter, install and uninstall show the kernel's settings."),
	{ 0, "config", "FILE", "filter, install: the filter's settings; default: /etc/taximeter/dump-filter.conf.", NULL },
	{ 0, "root", "DIR", "install, uninstall, filter --check: kernel/core_pattern below DIR in place of /proc/sys.", NULL },
	OPTION_QUIET,
	{ 0, "code", "PATH", NULL, "best portable avx2 ifma" },
	{ 0 }
};

static bool take_number(const char *text, unsigned least, unsigned most, unsigned *ret)
{
	char *end;
	unsigned long x;

	if (*text < '0' || *text > '9')
		return false;
	x = strtoul(text, &end, 10);
	if (*end || x < least || x > most)
		return false;
	*ret = (unsigned)x;
	return true;
}

static bool take_only(const char *names)
{
	for (const char *p = names; *p;) {
		size_t n = strcspn(p, ",");
		bool found = false;

		for (size_t i = 0; dump_finders[i] && !found; i++)
			found = strlen(dump_finders[i]->name) == n && strncmp(dump_finders[i]->name, p, n) == 0;
		if (!found) {
			struct buf b;

			buf_init(&b, 4 * KIB);
			for (size_t i = 0; dump_finders[i]; i++)
				buf_printf(&b, " %s", dump_finders[i]->name);
			cmd_usage_error(&command_dump, "--only: '%.*s' is no finder; there are:%s", (int)n, p, b.p ? b.p : "");
			buf_release(&b);
			return false;
		}
		p += n + (p[n] == ',');
	}
	return true;
}

static int take_option(struct dump_settings *s, const struct option_row *row, const char *value)
{
	const struct command *c = &command_dump;

	if (strcmp(row->name, "jwks") == 0 || strcmp(row->name, "cert") == 0 || strcmp(row->name, "spki") == 0) {
		if (!target_list_load(&s->targets, value, row->name[0] == 'j'))
			return EXIT_USAGE;
	} else if (strcmp(row->name, "format") == 0) {
		if (strcmp(value, "text") != 0 && strcmp(value, "ndjson") != 0 && strcmp(value, "sarif") != 0)
			return cmd_usage_error(c, "-f '%s' is not a format; there are: text ndjson sarif", value);
		s->format = value;
	} else if (strcmp(row->name, "output") == 0) {
		s->output_path = value;
	} else if (strcmp(row->name, "jobs") == 0) {
		if (!take_number(value, 1, 256, &s->options.threads))
			return cmd_usage_error(c, "-j '%s' is not a number from 1 to 256", value);
	} else if (strcmp(row->name, "thorough") == 0) {
		s->options.thorough = true;
	} else if (strcmp(row->name, "any-prime") == 0) {
		s->options.any_prime = true;
	} else if (strcmp(row->name, "only") == 0) {
		s->options.only = value;
		if (!take_only(value))
			return EXIT_USAGE;
	} else if (strcmp(row->name, "residue") == 0) {
		if (strcmp(value, "writable") != 0 && strcmp(value, "all") != 0 && strcmp(value, "off") != 0)
			return cmd_usage_error(c, "--residue '%s': there are: writable all off", value);
		s->residue = strcmp(value, "all") == 0 ? DUMP_RESIDUE_ALL : *value == 'o' ? DUMP_RESIDUE_OFF : DUMP_RESIDUE_WRITABLE;
	} else if (strcmp(row->name, "keep-shapes") == 0) {
		s->shapes = false;
	} else if (strcmp(row->name, "erase") == 0) {
		if (strcmp(value, "keys") != 0 && strcmp(value, "random") != 0)
			return cmd_usage_error(c, "--erase '%s': there are: keys random", value);
		s->erase = *value == 'k' ? DUMP_ERASE_KEYS : DUMP_ERASE_RANDOM;
	} else if (strcmp(row->name, "ledger") == 0) {
		s->ledger_path = value;
	} else if (strcmp(row->name, "fill") == 0) {
		if (strcmp(value, "zero") != 0 && strcmp(value, "pattern") != 0)
			return cmd_usage_error(c, "--fill '%s': there are: zero pattern", value);
		s->fill_pattern = *value == 'p';
	} else if (strcmp(row->name, "output-dir") == 0) {
		s->out_folder = value;
	} else if (strcmp(row->name, "once") == 0) {
		s->once = true;
	} else if (strcmp(row->name, "remove") == 0) {
		s->remove = true;
	} else if (strcmp(row->name, "check") == 0) {
		s->check = true;
	} else if (strcmp(row->name, "config") == 0) {
		s->settings_path = value;
	} else if (strcmp(row->name, "root") == 0) {
		s->root = value;
	} else if (strcmp(row->name, "quiet") == 0) {
		s->quiet = true;
	} else if (strcmp(row->name, "code") == 0) {
		s->options.path = strcmp(value, "portable") == 0 ? DUMP_PATH_PORTABLE
		                  : strcmp(value, "avx2") == 0   ? DUMP_PATH_AVX2
		                  : strcmp(value, "ifma") == 0   ? DUMP_PATH_IFMA
		                                                 : DUMP_PATH_BEST;
	}
	return EXIT_RAN;
}

static const struct dump_action *action_find(const char *name)
{
	for (size_t i = 0; dump_actions[i]; i++)
		if (strcmp(dump_actions[i]->name, name) == 0)
			return dump_actions[i];
	return NULL;
}

static int dump_run(int argc, char **argv)
{
	struct dump_settings s = { .format = "text", .shapes = true };
	const struct command *c = &command_dump;
	const struct dump_action *action;
	const char *value;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int status = EXIT_RAN, i = OPT_END;

	dump_protect_process();
	s.options.threads = cpus < 1 ? 1 : cpus > 8 ? 8 : (unsigned)cpus;
	s.options.today = (int64_t)time(NULL) / 86400;
	while (status == EXIT_RAN && (i = cmd_option(c, argc, argv, &value)) >= 0)
		status = take_option(&s, &options[i], value);
	if (status == EXIT_RAN && i == OPT_HELP)
		status = cmd_help(c);
	else if (status == EXIT_RAN && i == OPT_ERROR)
		status = EXIT_USAGE;
	else if (status == EXIT_RAN && optind >= argc)
		status = cmd_usage_error(c, "what to do? Most likely: taximeter dump scan FILE...");
	else if (status == EXIT_RAN && !(action = action_find(argv[optind])))
		status = cmd_usage_error(c, "'%s' is nothing that dump does (see 'taximeter help dump')", argv[optind]);
	else if (status == EXIT_RAN) {
		s.paths = argv + optind + 1;
		s.n_paths = argc - optind - 1;
		s.options.targets = s.targets.targets;
		s.options.n_targets = s.targets.n;
		status = action->run(&s);
	}
	target_list_free(&s.targets);
	return status;
}

const struct command command_dump = {
	.name = "dump",
	.arguments = "scan|redact|verify|ledger|watch|filter|install|uninstall [FILE...]",
	.doc = "Find private keys in memory dumps and files, and prove them",
	.description = "dump scan looks into core dumps, minidumps, memory images and any other file or folder, also compressed, for "
		       "private key material: as numbers alone, as a library holds them, and in every form in which keys are "
		       "stored. A hit is called proved when arithmetic shows that it belongs to a key. With the public keys given "
		       "(--jwks, --cert, --spki), or found in the dump itself, a key is found in any form.\n\n"
		       "No byte of a secret, no part and no hash of one is ever printed. \"Clean\" means that these finders found "
		       "nothing in the ranges that were read; docs/dump.md says what cannot be found.\n\n"
		       "dump redact IN OUT copies a dump without these keys and everything that follows from them, reads the copy again and "
		       "delivers it only if it is clean; dump verify FILE looks again; dump ledger reports whether a dump may leave; dump watch "
		       "does it for every dump that lands in a folder. dump "
		       "filter does the same between the kernel and the next handler of cores; dump install and uninstall set the kernel's "
		       "core_pattern and put it back.",
	.found = "scan, verify: a private key, or something of its shape; ledger: the dump is not in the ledger, or was judged not clean; "
		 "filter --check: not in force.",
	.critical = "scan, verify: a private key whose public key is in a set given with --jwks; verify: a number that gives a public key's "
		    "factor away; redact: the copy was not clean, and was not delivered.",
	.options = options,
	.examples = "  taximeter dump scan core.1234\n"
		    "  taximeter dump scan --jwks trusted-keys/ -f ndjson /var/lib/systemd/coredump\n"
		    "  taximeter dump scan --cert server.pem memory.lime\n"
		    "  taximeter dump redact --cert server.pem core.1234 core.clean\n"
		    "  taximeter dump watch /var/crash --output-dir /srv/clean --jwks trusted-keys/\n"
		    "  taximeter dump install --check\n",
	.run = dump_run,
};
