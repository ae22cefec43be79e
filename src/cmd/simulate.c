/* SPDX-License-Identifier: Apache-2.0 */
/* simulate: a made-up tenant on disk, or as a stream; and its ground truth. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/timefmt.h"
#include "cmd/cmd.h"
#include "cmd/output.h"
#include "sim/sim.h"

extern const struct command command_simulate;

#define PATH_BYTES_MAX (64 * KIB)
#define ASN_FILE_MAX   (1 * MIB)

struct simulate {
	struct sim_settings set;
	const char *folder; /* NULL: to standard output */
	const char *truth_path, *asn_path;
	bool stream, quiet;
	struct output audit, signins;
	struct buf path;
	int64_t day;
	int status;
	uint64_t bytes;
};

/* -- options -- */

static const struct option_row options[] = {
	OPTION_OUTPUT_DIR('o', ", which is made: audit/, truth.ndjson, asn.mmdb and, with --signins, sign-ins/. '-' writes the audit "
			       "stream to standard output; default: simulated."),
	OPTION_QUIET,
	{ 0, "stream", NULL, "The same as -o -.", NULL },
	{ 'e', "envelope", "FORMAT", "How audit records are wrapped; default: ndjson.",
	  "ndjson array csv portal graph office cloudapp eventhub" },
	{ 0, "signins", NULL, "Also write Entra sign-ins, one for each token.", NULL },
	{ 0, "seed", "N", "Number that everything is drawn from; default: 1.", NULL },
	{ 0, "mailboxes", "N", "Size of the tenant; default: 300.", NULL },
	{ 0, "days", "N", "Length of the time; default: 120.", NULL },
	{ 0, "start", "DATE", "First day; default: 2026-01-05.", NULL },
	{ 0, "learn-days", "N", "Days before the first attack; default: 60, or half of the days if that is less.",
	  NULL },
	{ 0, "attacks", "LIST",
	  "Kinds of attack, with commas: A1 A1b A1c A2 A3 A4 A5 A5b A5c A5d A6 A7 A8 A9 A10 A11 A12; 'none' or 'all'; "
	  "default: all.",
	  NULL },
	{ 0, "forged", "LIST",
	  "Kinds of attack with forged tokens, which have no sign-in; 'none' or 'all'; default: A1 A1b "
	  "A1c.",
	  NULL },
	{ 0, "attack-instances", "N", "How many of each kind, as far as there is room; default: 1.", NULL },
	{ 0, "confounders", "LIST",
	  "What innocent things happen, with commas: rollout birth adopt network vpn-switch migration sync-storm "
	  "sweep outlier vacation turnover; 'none' or 'all'; default: all.",
	  NULL },
	{ 0, "no-confounders", NULL, "The same as --confounders none.", NULL },
	{ 0, "delivery", "KIND",
	  "In which order records arrive: 'real' with delays, one in a hundred late by one to three days, one outage, and "
	  "copies; 'clean' in order of event time, each once; default: real in a folder, clean in a stream.",
	  "real clean" },
	{ 0, "copies", "PERCENT", "Records that are delivered again; default: 5, or 0 with clean delivery.", NULL },
	{ 0, "records", "N", "Stop after as many records, however many days that takes; default: by days.", NULL },
	{ 0, "truth", "FILE", "Where the truth goes; default: truth.ndjson in the folder, nowhere for a stream.",
	  NULL },
	{ 0, "asn-out", "FILE",
	  "Where the MaxMind DB file of the made-up networks goes, for scan --asn; default: asn.mmdb in the folder.",
	  NULL },
	{ 0 }
};

static int take_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || *ret < least || *ret > most)
		return cmd_usage_error(&command_simulate, "--%s '%s': a whole number from %llu to %llu", name, text,
				       (unsigned long long)least, (unsigned long long)most);
	return EXIT_RAN;
}

/* "A1,A3" to bits by the names of a table */
static int take_names(const char *option, const char *text, const char *const *names, unsigned count, uint32_t *ret)
{
	struct str rest = str_of(text);

	*ret = 0;
	if (strcmp(text, "none") == 0)
		return EXIT_RAN;
	if (strcmp(text, "all") == 0) {
		*ret = (1u << count) - 1;
		return EXIT_RAN;
	}
	while (rest.n) {
		const ptrdiff_t comma = str_find(rest, STR(","));
		const struct str word = { rest.p, comma < 0 ? rest.n : (size_t)comma };
		unsigned i = 0;
		while (i < count && !str_eq_nocase(word, str_of(names[i])))
			i++;
		if (i == count)
			return cmd_usage_error(&command_simulate,
					       "--%s: there is no '%.*s' (see 'taximeter help simulate')", option,
					       STR_ARG(word));
		*ret |= 1u << i;
		rest = comma < 0 ? STR_NONE : (struct str) { rest.p + comma + 1, rest.n - (size_t)comma - 1 };
	}
	return EXIT_RAN;
}

static int take_start(struct simulate *x, const char *text)
{
	int64_t us;

	if (!time_parse_rfc3339(str_of(text), &us) || us % US_PER_DAY || us < 0)
		return cmd_usage_error(&command_simulate, "--start '%s': a date such as 2026-01-05", text);
	x->set.start = us / US_PER_DAY;
	return EXIT_RAN;
}

struct choices {	/* the user's options, for those that depend on a later one */
	int delivery;	/* 0 = nothing, 1 = real, 2 = clean */
	int64_t copies; /* -1 = nothing */
};

static int take_option(struct simulate *x, struct choices *c, const struct option_row *row, const char *value)
{
	const char *name = row->name;
	uint64_t n = 0;
	int status = EXIT_RAN;

	if (strcmp(name, "output-dir") == 0) {
		x->stream |= strcmp(value, "-") == 0;
		x->folder = value;
	} else if (strcmp(name, "quiet") == 0) {
		x->quiet = true;
	} else if (strcmp(name, "stream") == 0) {
		x->stream = true;
	} else if (strcmp(name, "envelope") == 0) {
		unsigned i = 0;
		while (i < SIM_ENVELOPES && strcmp(value, sim_envelope_names[i]) != 0)
			i++;
		if (i == SIM_ENVELOPES)
			return cmd_usage_error(&command_simulate, "-e '%s' is not an envelope; there are: %s", value,
					       row->values);
		x->set.envelope = (enum sim_envelope)i;
	} else if (strcmp(name, "signins") == 0) {
		x->set.signins = true;
	} else if (strcmp(name, "seed") == 0) {
		status = take_number(name, value, 0, UINT64_MAX, &x->set.seed);
	} else if (strcmp(name, "mailboxes") == 0) {
		status = take_number(name, value, 1, SIM_MAILBOXES_MAX, &n);
		x->set.mailboxes = (uint32_t)n;
	} else if (strcmp(name, "days") == 0) {
		status = take_number(name, value, 1, SIM_DAYS_MAX, &n);
		x->set.days = (uint32_t)n;
	} else if (strcmp(name, "learn-days") == 0) {
		status = take_number(name, value, 0, SIM_DAYS_MAX, &n);
		x->set.learn_days = (uint32_t)n;
	} else if (strcmp(name, "start") == 0) {
		status = take_start(x, value);
	} else if (strcmp(name, "attacks") == 0) {
		status = take_names(name, value, sim_kind_names, SIM_KINDS, &x->set.attacks);
	} else if (strcmp(name, "forged") == 0) {
		status = take_names(name, value, sim_kind_names, SIM_KINDS, &x->set.forged);
	} else if (strcmp(name, "attack-instances") == 0) {
		status = take_number(name, value, 0, 1000, &n);
		x->set.instances = (uint32_t)n;
	} else if (strcmp(name, "confounders") == 0) {
		status = take_names(name, value, sim_confounder_names, SIM_CONFOUNDERS, &x->set.confounders);
	} else if (strcmp(name, "no-confounders") == 0) {
		x->set.confounders = 0;
	} else if (strcmp(name, "delivery") == 0) {
		c->delivery = strcmp(value, "real") == 0 ? 1 : strcmp(value, "clean") == 0 ? 2 : 0;
		if (!c->delivery)
			return cmd_usage_error(&command_simulate, "--delivery '%s': real or clean", value);
	} else if (strcmp(name, "copies") == 0) {
		status = take_number(name, value, 0, 90, &n);
		c->copies = (int64_t)n;
	} else if (strcmp(name, "records") == 0) {
		status = take_number(name, value, 1, UINT64_C(1000000000000), &x->set.records_max);
	} else if (strcmp(name, "truth") == 0) {
		x->truth_path = value;
	} else {
		x->asn_path = value;
	}
	return status;
}

static int settle(struct simulate *x, const struct choices *c)
{
	const bool real = c->delivery ? c->delivery == 1 : !x->stream;

	if (x->stream && x->folder && strcmp(x->folder, "-") != 0)
		return cmd_usage_error(&command_simulate,
				       "--stream writes to standard output, -o '%s' to a folder: only one of them",
				       x->folder);
	if (x->stream && x->set.signins)
		return cmd_usage_error(&command_simulate,
				       "--signins needs a folder: audit records and sign-ins are two streams");
	x->set.delays = real;
	x->set.late = real ? 0.01 : 0;
	x->set.copies = c->copies >= 0 ? (double)c->copies / 100 : real ? 0.05 : 0;
	x->set.stream = x->stream;
	x->set.truth = !x->stream || x->truth_path;
	return EXIT_RAN;
}

/* -- writing -- */

static const char *path_in(struct simulate *x, const char *below, const char *name)
{
	buf_clear(&x->path);
	buf_printf(&x->path, "%s/%s%s", x->folder, below, name);
	return x->path.p;
}

static bool put(struct simulate *x, struct output *o, const char *p, size_t n)
{
	buf_add(&o->out.pending, p, n);
	sink_out_flush(&o->out);
	x->bytes += n;
	return !o->out.failed && !o->out.closed;
}

/* the file of the day that x->day is, opened at its first bytes */
static bool open_day(struct simulate *x, struct output *o, const char *below, const char *extension)
{
	char date[TIME_TEXT_SIZE], name[64];

	if (o->open)
		return true;
	time_format(x->day * US_PER_DAY, date);
	snprintf(name, sizeof(name), "%.10s.%s", date, extension);
	x->status = output_open(o, &command_simulate, path_in(x, below, name));
	return x->status == EXIT_RAN;
}

static bool write_audit(void *arg, const char *p, size_t n)
{
	struct simulate *x = arg;

	return (x->stream || open_day(x, &x->audit, "audit/", sim_envelope_extensions[x->set.envelope])) &&
	       put(x, &x->audit, p, n);
}

static bool write_signins(void *arg, const char *p, size_t n)
{
	struct simulate *x = arg;

	return open_day(x, &x->signins, "sign-ins/", "ndjson") && put(x, &x->signins, p, n);
}

static void close_output(struct simulate *x, struct output *o, bool keep)
{
	const int status = output_close(o, &command_simulate, keep);

	if (status != EXIT_RAN)
		x->status = status;
}

static bool make_folder(struct simulate *x, const char *path)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		return true;
	cmd_error(&command_simulate, "cannot make the folder '%s': %s", path, strerror(errno));
	x->status = EXIT_INPUT;
	return false;
}

/* A reader of the folder would merge an old tenant's files with the new ones. */
static bool folder_is_free(struct simulate *x)
{
	DIR *dir = opendir(x->folder);
	bool free_ = true;

	if (!dir)
		return true;
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		free_ = free_ && e->d_name[0] == '.';
	closedir(dir);
	if (!free_) {
		cmd_error(&command_simulate, "'%s' is not empty; take another folder or empty it", x->folder);
		x->status = EXIT_USAGE;
	}
	return free_;
}

static bool open_all(struct simulate *x)
{
	if (x->stream) {
		x->status = output_open(&x->audit, &command_simulate, NULL);
		return x->status == EXIT_RAN;
	}
	return folder_is_free(x) && make_folder(x, x->folder) && make_folder(x, path_in(x, "audit", "")) &&
	       (!x->set.signins || make_folder(x, path_in(x, "sign-ins", "")));
}

static bool write_truth(void *arg, const char *p, size_t n)
{
	struct output *o = arg;

	buf_add(&o->out.pending, p, n);
	return sink_out_step(&o->out);
}

/* truth and networks; path NULL: the folder's own */
static void write_beside(struct simulate *x, struct sim *s, bool truth)
{
	const char *path = truth ? x->truth_path : x->asn_path;
	struct output o;
	bool ok = true;

	if (!path && x->stream)
		return;
	if (!path)
		path = path_in(x, "", truth ? "truth.ndjson" : "asn.mmdb");
	x->status = output_open(&o, &command_simulate, path);
	if (x->status != EXIT_RAN)
		return;
	if (truth) {
		ok = sim_truth(s, write_truth, &o) != SIM_NO_MEMORY;
	} else {
		struct buf b;
		buf_init(&b, ASN_FILE_MAX);
		ok = sim_asn(&b);
		buf_add_str(&o.out.pending, buf_str(&b));
		buf_release(&b);
	}
	close_output(x, &o, ok);
	if (!ok) {
		cmd_error(&command_simulate, "out of memory");
		x->status = EXIT_INPUT;
	}
}

static void make(struct simulate *x, struct sim *s)
{
	struct buf said;
	enum sim_step step = SIM_DAY;
	struct sim_day day;
	uint64_t records = 0, signins = 0;

	write_beside(x, s, false); /* first: a reader of the stream may need it */
	x->day = x->set.start;
	while (step == SIM_DAY && x->status == EXIT_RAN) {
		step = sim_next_day(s, write_audit, write_signins, x, &day);
		records += day.records;
		signins += day.signins;
		if (!x->stream) {
			close_output(x, &x->audit, true);
			close_output(x, &x->signins, true);
		}
		x->day = day.day + 1;
	}
	close_output(x, &x->audit, true);
	if (step == SIM_NO_MEMORY) {
		cmd_error(&command_simulate, "out of memory");
		x->status = EXIT_INPUT;
	}
	if (x->status == EXIT_RAN && x->set.truth)
		write_beside(x, s, true);
	if (x->status == EXIT_RAN && !x->stream && !x->quiet) {
		buf_init(&said, 64 * KIB);
		buf_printf(&said, "wrote        %llu records, %llu sign-ins, %.1f MB in ", (unsigned long long)records, (unsigned long long)signins,
			   (double)x->bytes / 1e6);
		buf_add_terminal(&said, str_of(x->folder), 0);
		buf_add_char(&said, '\n');
		cmd_tell(&said);
		buf_release(&said);
	}
}

static int simulate_run(int argc, char **argv)
{
	struct simulate x = { 0 };
	struct choices c = { .copies = -1 };
	const char *value;
	int i = OPT_END;

	sim_settings_init(&x.set);
	buf_init(&x.path, PATH_BYTES_MAX);
	while (x.status == EXIT_RAN && (i = cmd_option(&command_simulate, argc, argv, &value)) >= 0)
		x.status = take_option(&x, &c, &options[i], value);
	if (x.status == EXIT_RAN && i == OPT_HELP)
		return cmd_help(&command_simulate);
	if (x.status == EXIT_RAN && i == OPT_ERROR)
		x.status = EXIT_USAGE;
	if (x.status == EXIT_RAN && optind < argc)
		x.status = cmd_usage_error(&command_simulate, "'%s': simulate reads nothing; -o says where it writes",
					   argv[optind]);
	if (x.status == EXIT_RAN)
		x.status = settle(&x, &c);
	if (!x.folder)
		x.folder = "simulated";
	if (x.status == EXIT_RAN && open_all(&x)) {
		struct sim *s = sim_new(&x.set);
		if (s) {
			make(&x, s);
		} else {
			cmd_error(&command_simulate, "out of memory");
			x.status = EXIT_INPUT;
		}
		sim_free(s);
	}
	output_close(&x.audit, &command_simulate, false);
	output_close(&x.signins, &command_simulate, false);
	buf_release(&x.path);
	return x.status;
}

const struct command command_simulate = {
	.name = "simulate",
	.doc = "Write a made-up tenant: audit exports, sign-ins, and what is true",
	.description = "Everything is drawn from --seed: the same options write the same bytes. The tenant has people, "
		       "shared, service, room and dormant mailboxes, applications and networks that change as those of "
		       "a real one do, and attacks, each listed in truth.ndjson with its mailboxes, clients, networks "
		       "and the items that the log shows. A line of the truth is of type tenant, mailbox, event or "
		       "attack; docs/simulator.md has their members and says where each number comes from.\n\n"
		       "Names and addresses are reserved ones; GUIDs begin with 5f0c7a10. The networks are /24s of "
		       "198.18.0.0/15 and /48s of 2001:db8::/32: give asn.mmdb to scan --asn, or they all look like "
		       "two.\n\n"
		       "The simulator does not know what is detected, and its figures rank methods; they promise "
		       "nothing for real tenants.",
	.options = options,
	.examples = "  taximeter simulate --seed 7 --mailboxes 300 -o tenant && taximeter scan --asn tenant/asn.mmdb "
		    "tenant/audit\n"
		    "  taximeter simulate --attacks A1,A3 --attack-instances 5 -e csv -o tenant\n"
		    "  taximeter simulate --stream --mailboxes 100000 --records 100000000 | taximeter scan -\n",
	.run = simulate_run,
};
