/* SPDX-License-Identifier: Apache-2.0 */
/* output: where a command writes: standard output, or a file that gets its name only when it is complete. */
#ifndef TXM_CMD_OUTPUT_H
#define TXM_CMD_OUTPUT_H

#include "cmd/cmd.h"
#include "sink/sink.h"

struct output {
	struct sink_out out;
	char *path;  /* the file it will be; NULL = standard output */
	char *temp;  /* the name it has until then; NULL = written in place (a device, a pipe) */
	bool open;
};

/* path NULL: standard output.  EXIT_RAN; or EXIT_INPUT, reported on stderr in one line. */
int output_open(struct output *o, const struct command *c, const char *path);
/* Writes out what is left and gives the file its name; keep = false: leaves no trace.  Closing twice is fine.
 * EXIT_RAN, also when a reader went away (o->out.closed); or EXIT_INPUT, reported on stderr. */
int output_close(struct output *o, const struct command *c, bool keep);

/* What is written is text for people: lines longer than the terminal are folded. */
static inline void output_for_people(struct output *o) { o->out.wraps = true; }
/* Columns of the terminal that fd is, or those that COLUMNS names; 0: no terminal. */
unsigned terminal_columns(int fd);

/* A temporary file to be removed when a signal ends us; pardoned before it gets its name. */
void output_doom(const char *path);
void output_pardon(const char *path);

#endif
