/* SPDX-License-Identifier: Apache-2.0 */
/* keys_read: paths into an audit.  The kind of a file is recognised from its bytes: lines of a history, a set, certificates.  A date in
 * a file's name makes it an observation of that day, under the name without the date; so a folder with a copy of
 * the set for each morning is a history. */
#ifndef TXM_CMD_KEYS_READ_H
#define TXM_CMD_KEYS_READ_H

#include "cmd/cmd.h"
#include "keys/audit.h"

struct keys_reader {
	const struct command *command;
	struct audit *audit;
	uint64_t lost;       /* inputs or lines that could not be read or understood; each was reported, up to a limit */
	uint64_t taken;      /* files with usable content */
	uint64_t lines;      /* of histories, logs and reports: that were not blank */
	const char *name;    /* of every set, instead of its file's; NULL = the file's */
	int64_t time;        /* of sets without a date in their names; 0 = undated */
	/* each set that the audit has taken, as it was read; NULL = not wanted */
	void (*on_set)(void *arg, const char *name, struct str bytes);
	void *arg;
};

void keys_read_sets(struct keys_reader *r, const char *const *paths, size_t n);
/* Line by line, with one of the audit's functions for lines. */
void keys_read_lines(struct keys_reader *r, const char *path,
		     bool (*take)(struct audit *a, struct str line, struct buf *error));

/* "entra/2024-06-05T17-34.json", "entra-20240605.json" -> the time and "entra".  False: no date in the name. */
bool keys_dated_name(const char *path, int64_t *ret_us, char *ret_name, size_t room);

#endif
