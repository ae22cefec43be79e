/* SPDX-License-Identifier: Apache-2.0 */
/* dump_cmd: what the actions of `taximeter dump` share.  An action is one file src/cmd/dump_NAME.c ending with
 * `const struct dump_action dump_action_NAME`, and one line ACTION(NAME) in cmd/dump_list.h; its options are rows in
 * cmd/dump.c, which puts their values into struct dump_settings. */
#ifndef TXM_CMD_DUMP_CMD_H
#define TXM_CMD_DUMP_CMD_H

#include "cmd/cmd.h"
#include "dump/dump.h"

#define EXIT_CRITICAL 4 /* a key that somebody trusts is in the dump */

/* public keys from files; everything is owned by the list */
struct target_list {
	struct dump_target *targets;
	size_t n, capacity;
	size_t *set_counts;     /* of each target's sets, which are NULL-terminated */
};

struct dump_settings {
	char **paths;
	int n_paths;
	struct target_list targets;
	struct dump_options options;
	const char *format;     /* "text", "ndjson", "sarif" */
	const char *output_path;
	bool quiet;
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
 * trusted by the set of that name.  False: said in one line on stderr. */
bool target_list_load(struct target_list *l, const char *path, bool is_set);
void target_list_free(struct target_list *l);

/* ---- input: from paths to images, one after the other ---- */

struct dump_input;

struct dump_input *dump_input_new(char **paths, size_t n); /* NULL: out of memory */
/* The next thing to be scanned: a file, a member of an archive, what a compressor unpacks.  1: *ret and *ret_path are good
 * until the next call (the reader is the input's).  0: no more.  -1: it could not be opened, which was said on stderr; go
 * on. */
int dump_input_next(struct dump_input *in, struct dump_reader **ret, const char **ret_path);
uint64_t dump_input_losses(const struct dump_input *in); /* files and folders that could not be read, so far */
void dump_input_free(struct dump_input *in);

/* ---- report ---- */

struct dump_totals {
	uint64_t files, bytes, uncovered, hits, keys, proved, suspected, locked, allowed, trusted, limits;
	bool damaged;          /* some file was not covered whole */
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
void dump_report_end(struct dump_report *r, const struct dump_settings *settings);
/* 0, 1, 3 or 4 (the largest that applies) */
int dump_report_status(const struct dump_totals *t);

#endif
