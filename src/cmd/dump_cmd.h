/* SPDX-License-Identifier: Apache-2.0 */
/* dump_cmd: what the actions of `taximeter dump` share.  An action is one file src/cmd/dump_NAME.c ending with
 * `const struct dump_action dump_action_NAME`, and one line ACTION(NAME) in cmd/dump_list.h; its options are rows in
 * cmd/dump.c, which puts their values into struct dump_settings. */
#ifndef TXM_CMD_DUMP_CMD_H
#define TXM_CMD_DUMP_CMD_H

#include "cmd/cmd.h"
#include "dump/dump.h"
#include "dump/redact.h"

/* public keys from files; everything is owned by the list */
struct target_list {
	struct dump_target *targets;
	size_t n, capacity;
	size_t *set_counts;     /* of each target's sets, which are NULL-terminated */
};

/* What redact, watch and filter erase: what belongs to keys, or also what looks random.  By default redact erases keys; watch and
 * filter, which no person looks at, also what looks random, in the dumps in which it can be distinguished. */
enum dump_erase { DUMP_ERASE_DEFAULT, DUMP_ERASE_KEYS, DUMP_ERASE_RANDOM };

struct dump_settings {
	char **paths;
	int n_paths;
	struct target_list targets;
	struct dump_options options;
	const char *format;     /* "text", "ndjson", "sarif" */
	const char *output_path;
	bool quiet;
	/* redact, verify, filter */
	enum dump_residue_mode residue;
	enum dump_erase erase;
	bool shapes;            /* erase also what only looks like a key; --keep-shapes: no */
	const char *ledger_path; /* NULL = none */
	const char *root;       /* install, filter: where the system's files are; "" = in their place */
	const char *settings_path; /* filter: its settings; NULL = the usual ones */
	bool check;             /* filter --check */
	bool fill_pattern;      /* redact: erased numbers become a pattern that shows, not zeros */
	const char *out_folder; /* watch */
	bool once, remove;      /* watch */
};

struct dump_action {
	const char *name;
	const char *arguments;
	const char *doc;        /* one line */
	int (*run)(struct dump_settings *settings);
};
extern const struct dump_action *const dump_actions[]; /* NULL-terminated */
extern const struct command command_dump;

/* Reads a file, or all files of a folder: JWK sets, certificates and public keys in PEM or DER.  is_set: the keys are
 * trusted by the set of that name.  False: reported in one line on stderr. */
bool target_list_load(struct target_list *l, const char *path, bool is_set);
void target_list_free(struct target_list *l);

/* ---- input: from paths to images, one after the other ---- */

struct dump_input;

struct dump_input *dump_input_new(char **paths, size_t n); /* NULL: out of memory */
/* The next thing to be scanned: a file, a member of an archive, an unpacked stream.  1: *ret and *ret_path are good
 * until the next call (the reader is the input's).  0: no more.  -1: it could not be opened, which was reported on stderr; go
 * on. */
int dump_input_next(struct dump_input *in, struct dump_reader **ret, const char **ret_path);
uint64_t dump_input_losses(const struct dump_input *in); /* files and folders that could not be read, so far */
/* The current input is a plain file: nothing was unpacked. */
bool dump_input_plain(const struct dump_input *in);
void dump_input_free(struct dump_input *in);

/* ---- report ---- */

struct dump_totals {
	uint64_t files, bytes, uncovered, hits, keys, proved, stated, suspected, locked, allowed, trusted, limits;
	bool damaged;          /* some file was not covered whole */
	bool nothing;          /* there was no byte to search: never clean */
	double wall_s;
};

struct dump_report {
	const char *format;
	struct buf *out;
	bool color;
	bool first;            /* SARIF: no result was written yet */
	struct dump_totals totals;
	struct buf text_tail;  /* text: what comes after the findings */
};

void dump_report_begin(struct dump_report *r);
void dump_report_image(struct dump_report *r, const struct dump_scan *s, const struct dump_image *im);
/* Reports on stderr if there was nothing to search. */
void dump_report_nothing(struct dump_report *r);
void dump_report_end(struct dump_report *r, const struct dump_settings *settings);
/* 0, 1, 3 or 4 (the largest that applies) */
int dump_report_status(const struct dump_totals *t);

/* ---- is a finished dump clean? ---- */

struct dump_left {
	uint64_t hits;         /* proved or locked, of keys that are no published ones */
	uint64_t trusted;      /* of these, of keys that a given set trusts */
	uint64_t traces;       /* runs that follow from the keys that were erased */
	struct dump_residue residue;
	struct dump_residue curve; /* the same of elliptic and Edwards keys */
	size_t curve_keys;     /* of these, how many were tested */
	size_t residue_moduli; /* N that were tested */
	size_t residue_untested; /* N found in the dump, past RESIDUE_MET_MAX */
	size_t residue_authorities; /* N of certificate authorities: a trust store is not tested (see dump_target.distant) */
	bool damaged;          /* not read or not searched completely: never clean */
	char first[256];       /* the first remaining find, in words; "" = clean */
};
/* Scans the image with the targets, sweeps it for the traces (NULL: none), and tests what is left of the moduli of all RSA
 * targets, given and found, with the primes of those that were erased (NULL: none).  report: gets the findings; may be NULL.  False: out of memory. */
bool dump_clean(const struct dump_settings *x, const struct dump_options *options, const struct dump_traces *traces, const struct dump_scan *erased, bool shapes,
		struct dump_reader *reader, const char *path, struct dump_report *report, struct dump_left *ret);
/* 0 clean, 1 something was found, 3 not read whole, 4 residue, or a key that is trusted: the largest that applies */
int dump_left_status(const struct dump_left *left);

/* ---- redacting one file ---- */

/* From in_path (which people know as `shown`) to out_path: 0 delivered and proven, 2 usage, 3 not done, 4 the copy was not clean.  report:
 * gets the findings, if `findings`, and in any case what was done. */
int dump_redact_file(struct dump_settings *x, const char *in_path, const char *shown, const char *out_path, struct dump_report *report, bool findings);

/* ---- ledger: one line for each dump that was judged ---- */

struct dump_ledger_line {
	const char *action;    /* "redact", "verify" */
	const char *format;    /* of the dump */
	const char *verdict;   /* "clean", "not clean", "not covered" */
	int status;
};
/* The file's hash and size as it is now, appended and synced.  False: reported on stderr; the dump must not leave then. */
bool dump_ledger_add(const struct dump_settings *x, const char *path, const struct dump_ledger_line *line);

/* ---- writing a dump ---- */

/* A dump's copy in the folder it is meant for, 0600, packed as the original was. */
struct dump_writer;
enum dump_packing { DUMP_PLAIN, DUMP_GZIP, DUMP_BZIP2, DUMP_XZ, DUMP_ZSTD, DUMP_LZ4, DUMP_ARCHIVE /* not written */ };
enum dump_packing dump_packing_of(const char *path, bool plain);
/* NULL: reported on stderr */
struct dump_writer *dump_writer_new(const char *path, enum dump_packing packing);
bool dump_writer_add(struct dump_writer *w, const void *p, size_t n);
bool dump_writer_sync(struct dump_writer *w);    /* all data are on the disk and the file is closed */
const char *dump_writer_path(const struct dump_writer *w); /* its name until then */
bool dump_writer_deliver(struct dump_writer *w); /* renames it to its final name */
void dump_writer_free(struct dump_writer *w);    /* not delivered: removes it */

#endif
