/* SPDX-License-Identifier: Apache-2.0 */
/* dump_filter: what the two processes of `dump filter` share.  The first has the rights of root and parses nothing; the second has
 * no rights and parses everything. */
#ifndef TXM_CMD_DUMP_FILTER_H
#define TXM_CMD_DUMP_FILTER_H

#include "cmd/dump_cmd.h"

enum filter_phase { FILTER_START, FILTER_SCAN, FILTER_READY, FILTER_STREAM, FILTER_DONE };
extern const char *const filter_phases[];

struct filter_settings {
	char *next_file;     /* a folder; or */
	char *next_command;  /* a command and its arguments; %P %u %g %s %t %c %h %d are put in */
	char *keep;          /* on-error keep-0600:DIR; NULL: drop */
	char *user;          /* of the worker */
	unsigned time_limit; /* seconds, of everything */
	uint64_t spool_max;  /* bytes, when the process' memory cannot be read */
	bool keys_only;      /* erase keys: not also what looks random */
	bool honour_limit;   /* the user's limit of a core's size (%c) */
};

/* Input of the worker: descriptors, no file names. */
struct filter_job {
	int core, mem;       /* mem < 0: not readable */
	int smaps;           /* of the process; < 0: not readable */
	char *maps;          /* text of /proc/PID/maps */
	int out, control;    /* what is written to control: see below */
	uint64_t spool_max;
	uint64_t limit;      /* a core larger than this is not forwarded */
	const struct dump_options *options;
	bool shapes, random; /* erase also what only looks like a key; what only looks random */
};
/* The worker's words to the first process, one a line: "1" a phase, "!" system calls are not confined, "=..." what was erased, for
 * the log, "-..." why it failed. */
/* In the worker: both passes.  The exit status: 0 all was forwarded. */
int filter_work(const struct filter_job *job);
/* Gives up every right that is not needed.  False: see *ret_why.  *ret_seccomp: system calls are confined too. */
bool filter_confine(const char *user, bool *ret_seccomp, const char **ret_why);

/* ROOT + /proc/sys/kernel/NAME */
void filter_sysctl_path(const struct dump_settings *x, const char *name, char *ret, size_t n);
int filter_check(const struct dump_settings *x);
bool filter_settings_read(const char *path, struct dump_settings *x, struct filter_settings *ret, char *why, size_t n);
void filter_settings_free(struct filter_settings *f);

/* install (revert = false) and uninstall */
int filter_install(const struct dump_settings *x, bool revert);

#define FILTER_SETTINGS "/etc/taximeter/dump-filter.conf"

#endif
