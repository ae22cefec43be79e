/* SPDX-License-Identifier: Apache-2.0 */
/* output: a file is written under a temporary name in the folder it belongs to, and renamed when it is complete.  So a
 * reader never sees half a report, and an old report survives a full disk.  A name that is a link is followed first; a
 * device or a pipe is written in place.  A run that is interrupted takes its temporary files with it. */
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUTS_MAX 5 /* -o, --stats, --inventory, --report, and one to spare */

/* Names to remove when a signal ends us.  A handler can reach nothing but a global. */
static char doomed[OUTPUTS_MAX][PATH_MAX];

static void remove_and_die(int number)
{
	for (int i = 0; i < OUTPUTS_MAX; i++)
		if (doomed[i][0])
			unlink(doomed[i]);
	signal(number, SIG_DFL);
	raise(number);
}

void output_doom(const char *path)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	for (int i = 0; i < OUTPUTS_MAX; i++) {
		if (doomed[i][0])
			continue;
		/* the first byte last: a signal in between must not see half a name */
		snprintf(doomed[i] + 1, PATH_MAX - 1, "%s", path + 1);
		doomed[i][0] = path[0];
		break;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			signal(numbers[i], remove_and_die);
	}
}

void output_pardon(const char *path)
{
	for (int i = 0; i < OUTPUTS_MAX; i++)
		if (strcmp(doomed[i], path) == 0)
			doomed[i][0] = '\0';
}

static bool wants_color(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

unsigned terminal_columns(int fd)
{
	struct winsize size = { 0 };
	const char *said = getenv("COLUMNS"); /* set only if the user exported it: shells do not */
	char *end;
	unsigned long n = said ? strtoul(said, &end, 10) : 0;

	if (n >= 20 && n <= 1000 && *end == '\0')
		return (unsigned)n;
	return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* the file that `path` names, as an owned text */
static char *resolve(const char *path)
{
	char *target = realpath(path, NULL);

	return target ? target : strdup(path);
}

/* Opens a temporary file next to o->path with the rights of the finished file.  -1: errno. */
static int open_beside(struct output *o, const struct stat *old)
{
	const char *slash = strrchr(o->path, '/');
	const size_t folder = slash ? (size_t)(slash + 1 - o->path) : 0;
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	if (asprintf(&o->temp, "%.*s.%.200s.XXXXXX", (int)folder, o->path, o->path + folder) < 0) {
		o->temp = NULL;
		errno = ENOMEM;
		return -1;
	}
	if (strlen(o->temp) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(o->temp, O_CLOEXEC);
	if (fd < 0)
		return -1;
	output_doom(o->temp);
	(void)!fchmod(fd, old ? old->st_mode & 0777 : 0666 & ~mask);
	return fd;
}

int output_open(struct output *o, const struct command *c, const char *path)
{
	struct stat old;
	bool exists;
	int fd = -1;

	*o = (struct output){ 0 };
	if (!path) {
		sink_out_init(&o->out, STDOUT_FILENO, wants_color(STDOUT_FILENO), terminal_columns(STDOUT_FILENO));
		o->open = true;
		return EXIT_RAN;
	}
	o->path = resolve(path);
	if (!o->path)
		goto fail;
	exists = stat(o->path, &old) == 0;
	if (exists && S_ISDIR(old.st_mode)) {
		errno = EISDIR;
		goto fail;
	}
	if (exists && !S_ISREG(old.st_mode))
		fd = open(o->path, O_WRONLY | O_CLOEXEC);
	else if (exists && access(o->path, W_OK) < 0)
		goto fail; /* a read-only file must not be replaced */
	else
		fd = open_beside(o, exists ? &old : NULL);
	if (fd < 0)
		goto fail;
	sink_out_init(&o->out, fd, false, 0);
	o->open = true;
	return EXIT_RAN;

fail:
	cmd_error(c, "cannot write '%s': %s", path, strerror(errno));
	free(o->temp);
	free(o->path);
	*o = (struct output){ 0 };
	return EXIT_INPUT;
}

int output_close(struct output *o, const struct command *c, bool keep)
{
	int status = EXIT_RAN;

	if (!o->open)
		return EXIT_RAN;
	sink_out_flush(&o->out);
	if (o->path && close(o->out.fd) < 0 && !o->out.failed) {
		o->out.failed = true;
		o->out.error = errno;
	}
	if (o->temp && keep && !o->out.failed && rename(o->temp, o->path) < 0) {
		o->out.failed = true;
		o->out.error = errno;
	}
	if (o->temp && (!keep || o->out.failed))
		unlink(o->temp);
	if (o->out.failed) {
		if (o->path)
			cmd_error(c, "cannot write '%s': %s", o->path, strerror(o->out.error));
		else
			cmd_error(c, "cannot write to standard output: %s", strerror(o->out.error));
		status = EXIT_INPUT;
	}
	if (o->temp)
		output_pardon(o->temp);
	sink_out_release(&o->out);
	free(o->temp);
	free(o->path);
	o->temp = o->path = NULL;
	o->open = false;
	return status;
}
