/* SPDX-License-Identifier: Apache-2.0 */
/* dump watch DIR --output-dir DIR2: redacts every dump that lands in a folder, one after the other, into another.
 *
 * For machines whose cores go to a folder already, and for dumps that programs write themselves.  What is to be done is read from the two
 * folders alone: a dump is done when DIR2 has its name, and that is younger.  So nothing is kept between runs, an event means only "look
 * again", and the next event makes up for a lost one.  Each dump is redacted by a child: a bad dump can harm only that child. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/schema.h"
#include "cmd/dump_cmd.h"

struct failed { dev_t dev; ino_t ino; struct timespec changed; };

struct watch {
	struct dump_settings *x;
	const char *in, *out;
	int in_fd, out_fd;     /* the folders */
	int signals;           /* signalfd: SIGINT, SIGTERM, SIGHUP, SIGCHLD */
	sigset_t before;       /* signals blocked at the start */
	struct failed *failed; /* not tried again until they change */
	size_t n_failed;
	uint64_t delivered, not_delivered, removed;
	uint64_t seen;         /* files in the folder, with those that were done before */
	int status;            /* the largest of all */
	bool stop;
};

static bool same_time(struct timespec a, struct timespec b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }
static bool is_before(struct timespec a, struct timespec b) { return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec); }

static bool has_failed(const struct watch *w, const struct stat *st)
{
	for (size_t i = 0; i < w->n_failed; i++)
		if (w->failed[i].ino == st->st_ino && w->failed[i].dev == st->st_dev && same_time(w->failed[i].changed, st->st_ctim))
			return true;
	return false;
}

static void remember_failed(struct watch *w, const struct stat *st)
{
	struct failed *at = NULL;

	for (size_t i = 0; i < w->n_failed && !at; i++)
		if (w->failed[i].ino == st->st_ino && w->failed[i].dev == st->st_dev)
			at = &w->failed[i];
	if (!at && w->n_failed < WATCH_FAILED_MAX)
		at = &w->failed[w->n_failed++];
	if (at)
		*at = (struct failed){ st->st_dev, st->st_ino, st->st_ctim };
}

/* Is this entry a dump that waits for us?  *ret_st: what it is now. */
static bool is_wanted(const struct watch *w, const char *name, struct stat *ret_st)
{
	struct stat done;

	if (name[0] == '.' || fstatat(w->in_fd, name, ret_st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(ret_st->st_mode) || has_failed(w, ret_st))
		return false;
	return fstatat(w->out_fd, name, &done, AT_SYMLINK_NOFOLLOW) < 0 || is_before(done.st_mtim, ret_st->st_ctim);
}

/* Is it still being written?  A lease is refused while the file is open for writing; without leases, its age decides. */
static bool is_growing(int fd, const struct stat *st)
{
	struct timespec now;
	int64_t age_ms;

	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	else if (errno == EAGAIN || errno == EWOULDBLOCK)
		return true;
	clock_gettime(CLOCK_REALTIME, &now);
	age_ms = (int64_t)(now.tv_sec - st->st_mtim.tv_sec) * 1000 + (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;
	return age_ms >= 0 && age_ms < WATCH_QUIET_MS;
}

/* ---- one dump ---- */

static void drain_signals(struct watch *w)
{
	struct signalfd_siginfo s;

	while (read(w->signals, &s, sizeof(s)) == (ssize_t)sizeof(s))
		w->stop |= s.ssi_signo != SIGCHLD;
}

/* In the child. */
static int redact(struct watch *w, int fd, const char *name)
{
	char path[32], out[4096], shown[4096];
	struct dump_report report = { .format = w->x->format };
	struct buf b;
	int status;

	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &w->before, NULL);
	buf_init(&b, 64 * MIB);
	/* by its descriptor: the name could be another file by now, or a link to one */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (snprintf(out, sizeof(out), "%s/%s", w->out, name) >= (int)sizeof(out) || snprintf(shown, sizeof(shown), "%s/%s", w->in, name) >= (int)sizeof(shown)) {
		cmd_error(&command_dump, "watch: the name is too long");
		return EXIT_INPUT;
	}
	report.out = &b;
	status = dump_redact_file(w->x, path, shown, out, &report, false);
	if ((strcmp(w->x->format, "text") == 0 ? cmd_say : cmd_print)(&command_dump, &b) != EXIT_RAN && status == EXIT_RAN)
		status = EXIT_INPUT;
	buf_release(&b);
	buf_release(&report.text_tail);
	return status;
}

/* A child that was killed outright could not take its unfinished copy with it: .NAME.XXXXXX */
static void sweep_up(const struct watch *w, const char *name)
{
	const size_t n = strlen(name);
	int fd = openat(w->out_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] == '.' && strncmp(e->d_name + 1, name, n) == 0 && e->d_name[n + 1] == '.' && strlen(e->d_name + n + 2) == 6)
			(void)unlinkat(w->out_fd, e->d_name, 0);
	if (d)
		closedir(d);
}

static void forget_original(struct watch *w, const char *name, const struct stat *was)
{
	struct stat now;

	if (fstatat(w->in_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == was->st_ino && now.st_dev == was->st_dev &&
	    now.st_size == was->st_size && same_time(now.st_mtim, was->st_mtim) && unlinkat(w->in_fd, name, 0) == 0)
		w->removed++;
	else
		cmd_error(&command_dump, "watch: %s/%s: changed since, or not to be removed: it stays", w->in, name);
}

/* False: it is not whole yet. */
static bool take(struct watch *w, const char *name)
{
	int fd = openat(w->in_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), status = 0, result;
	struct stat st;
	pid_t pid;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0) {
			close(fd);
		} else if (errno != ENOENT && errno != ELOOP && is_wanted(w, name, &st)) {
			cmd_error(&command_dump, "watch: %s/%s: cannot be read", w->in, name);
			remember_failed(w, &st);
			w->not_delivered++;
			w->status = w->status > EXIT_INPUT ? w->status : EXIT_INPUT;
		}
		return true;
	}
	if (is_growing(fd, &st)) {
		close(fd);
		return false;
	}
	pid = fork();
	if (pid == 0)
		_exit(redact(w, fd, name));
	while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
		struct pollfd p = { w->signals, POLLIN, 0 };

		(void)poll(&p, 1, 1000);
		drain_signals(w);
		if (w->stop)
			(void)kill(pid, SIGTERM); /* it takes its unfinished copy with it */
	}
	result = pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_INPUT;
	if (pid < 0 || WIFSIGNALED(status)) {
		sweep_up(w, name);
		if (!w->stop)
			cmd_error(&command_dump, "watch: %s/%s: %s", w->in, name, pid < 0 ? strerror(errno) : "redacting it ended by a signal");
	}
	if (result == EXIT_RAN) {
		w->delivered++;
		if (w->x->remove)
			forget_original(w, name, &st);
	} else if (!w->stop) {
		remember_failed(w, &st);
		w->not_delivered++;
		w->status = w->status > result ? w->status : result;
	}
	close(fd);
	return true;
}

/* ---- the folder ---- */

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* All dumps that wait, by name.  *ret_again: some were not whole yet, or there are more than are taken at once. */
static bool look(struct watch *w, bool *ret_again)
{
	int fd = openat(w->in_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	char **names = calloc(WATCH_NAMES_MAX, sizeof(*names));
	size_t n = 0;
	bool ok = d && names;
	struct stat st;

	*ret_again = false;
	for (struct dirent *e; ok && (e = readdir(d));) {
		w->seen += e->d_name[0] != '.' && fstatat(w->in_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
		if (!is_wanted(w, e->d_name, &st))
			continue;
		if (n == WATCH_NAMES_MAX) {
			*ret_again = true;
			break;
		}
		names[n] = strdup(e->d_name);
		ok = names[n++] != NULL;
	}
	if (d)
		closedir(d);
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++) {
		if (ok && !w->stop)
			*ret_again |= !take(w, names[i]);
		drain_signals(w);
		free(names[i]);
	}
	free(names);
	if (!ok)
		cmd_error(&command_dump, "watch: %s: cannot be listed", w->in);
	return ok;
}

/* EXIT_RAN; or the status, reported */
static int open_folders(struct watch *w)
{
	struct stat in, out;

	w->in_fd = open(w->in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->out_fd = open(w->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->out_fd < 0 || fstat(w->out_fd, &out) < 0)
		return cmd_usage_error(&command_dump, "watch: --output-dir: %s: no folder that can be opened", w->out);
	if (w->in_fd < 0 || fstat(w->in_fd, &in) < 0) {
		cmd_error(&command_dump, "watch: %s: no folder that can be opened", w->in);
		return EXIT_INPUT;
	}
	if (in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		return cmd_usage_error(&command_dump, "watch: --output-dir is the folder that is watched: copies would be taken for dumps");
	return EXIT_RAN;
}

/* Until a signal, or the folder is gone (no event reports that while we hold it open). */
static int wait_for_dumps(struct watch *w, int events)
{
	bool again = true, due = true;

	for (;;) {
		struct pollfd p[2] = { { events, POLLIN, 0 }, { w->signals, POLLIN, 0 } };
		char text[4096];
		struct stat st;

		if ((due || again) && !look(w, &again))
			return EXIT_INPUT;
		due = false;
		if (!w->stop && poll(p, 2, again ? WATCH_QUIET_MS : WATCH_IDLE_MS) < 0 && errno != EINTR)
			return EXIT_INPUT;
		drain_signals(w);
		if (w->stop)
			return EXIT_RAN;
		while (read(events, text, sizeof(text)) > 0)
			due = true; /* the names do not matter, nor lost events */
		if (fstat(w->in_fd, &st) < 0 || st.st_nlink == 0) {
			cmd_error(&command_dump, "watch: %s: the folder is gone", w->in);
			return EXIT_INPUT;
		}
	}
}

static void tell(const struct watch *w)
{
	struct buf b;

	if (strcmp(w->x->format, "ndjson") == 0) {
		buf_init(&b, 4 * KIB);
		buf_printf(&b, "{\"type\":\"watch\",\"delivered\":%llu,\"not_delivered\":%llu,\"removed\":%llu" SCHEMA_MEMBER "}\n", (unsigned long long)w->delivered,
		           (unsigned long long)w->not_delivered, (unsigned long long)w->removed);
		(void)cmd_print(&command_dump, &b);
		buf_release(&b);
	} else if (!w->x->quiet) {
		cmd_error(&command_dump, "watch: %llu delivered, %llu not, %llu originals removed", (unsigned long long)w->delivered,
		          (unsigned long long)w->not_delivered, (unsigned long long)w->removed);
	}
}

static int watch_run(struct dump_settings *x)
{
	struct watch w = { .x = x, .in_fd = -1, .out_fd = -1, .signals = -1 };
	sigset_t set;
	int events = -1, status = EXIT_INPUT;
	bool again;

	if (x->n_paths != 1 || !x->paths[0][0] || !x->out_folder || !*x->out_folder)
		return cmd_usage_error(&command_dump, "watch: takes one folder, and --output-dir DIR");
	if (strcmp(x->format, "sarif") == 0 || x->output_path)
		return cmd_usage_error(&command_dump, "watch: writes text or ndjson, to standard output");
	w.in = x->paths[0];
	w.out = x->out_folder;
	status = open_folders(&w);
	if (status != EXIT_RAN)
		goto out;
	status = EXIT_INPUT;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, &w.before);
	w.failed = calloc(WATCH_FAILED_MAX, sizeof(*w.failed));
	w.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	/* before the first look: a file that arrives in between is an event */
	events = x->once ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (!w.failed || w.signals < 0 ||
	    (!x->once && (events < 0 || inotify_add_watch(events, w.in, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0))) {
		cmd_error(&command_dump, "watch: %s: %s", w.in, strerror(errno));
		goto out;
	}
	if (!x->once) {
		status = wait_for_dumps(&w, events);
	} else {
		status = look(&w, &again) ? w.status : EXIT_INPUT;
		/* one that was closed a moment ago is whole when it is still the same a moment later */
		for (int round = 0; again && !w.stop && round < WATCH_ONCE_ROUNDS; round++) {
			struct pollfd p = { w.signals, POLLIN, 0 };

			(void)poll(&p, 1, WATCH_QUIET_MS);
			drain_signals(&w);
			status = !w.stop && !look(&w, &again) ? EXIT_INPUT : w.status;
		}
		if (!w.seen && !w.stop && status == EXIT_RAN) {
			cmd_error(&command_dump, "watch: %s: no dump lies there: nothing was judged", w.in);
			status = EXIT_INPUT;
		}
		if (again && !w.stop) {
			cmd_error(&command_dump, "watch: %s: some dumps are still being written, or too many wait for one look: run it again", w.in);
			status = status > EXIT_INPUT ? status : EXIT_INPUT;
		}
	}
	tell(&w);
out:
	if (events >= 0)
		close(events);
	if (w.signals >= 0)
		close(w.signals);
	if (w.in_fd >= 0)
		close(w.in_fd);
	if (w.out_fd >= 0)
		close(w.out_fd);
	free(w.failed);
	return status;
}

const struct dump_action dump_action_watch = {
	.name = "watch",
	.arguments = "DIR --output-dir DIR2 [--once] [--remove]",
	.doc = "Redact every dump that lands in a folder, into another",
	.run = watch_run,
};
