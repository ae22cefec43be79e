/* SPDX-License-Identifier: Apache-2.0 */
/* dump filter: a pipe of kernel.core_pattern.
 *
 *     kernel ──core──▶ worker (no rights, two passes) ──redacted──▶ next handler: a file, or a command
 *
 * The kernel calls us with the rights of root while the dead process is still there, frozen.  This process opens its memory, hands it
 * to a worker that has no rights, and waits.  The next handler is started only when the worker has seen the whole memory; it sees
 * the end of its input only when the worker has forwarded the whole core.  Anything else (an error, a killed worker, a timeout) ends
 * the handler and leaves one line in the log.  Nothing unredacted touches a disk. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/limits.h"
#include "cmd/dump_filter.h"
#include "dump/arena.h"

#define PATTERN_MAX 127 /* of kernel.core_pattern */
#define ARGUMENTS 8     /* %P %u %g %s %t %c %h %d; then %F, which older kernels leave empty */
#define WORDS_MAX 32
static const char letters[ARGUMENTS] = { 'P', 'u', 'g', 's', 't', 'c', 'h', 'd' };

struct filter {
	struct dump_settings *x;
	struct filter_settings settings;
	char **args;         /* as the kernel gave them */
	char comm[64];
	char *file, *temp;   /* next handler: a file */
	pid_t worker, handler;
	int to_handler;      /* our own write end: the handler sees no end until we close it */
	int from_worker;     /* what the handler reads */
	int control;
	int pidfd;           /* of the process, from the kernel; -1: it gave none */
	bool by_hand;        /* called without %F, and that is not by the kernel: the process may live on */
	double deadline;
	enum filter_phase phase;
	char account[256];   /* what the worker erased, for the log */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- settings ---- */

void filter_settings_free(struct filter_settings *f)
{
	free(f->next_file);
	free(f->next_command);
	free(f->keep);
	free(f->user);
	*f = (struct filter_settings){ 0 };
}

static bool put(char **to, const char *value)
{
	free(*to);
	*to = strdup(value);
	return *to != NULL;
}

static bool take_line(struct dump_settings *x, struct filter_settings *f, const char *name, const char *value)
{
	char *end;

	if (strcmp(name, "next") == 0 && strncmp(value, "file:", 5) == 0 && value[5] == '/')
		return put(&f->next_file, value + 5);
	if (strcmp(name, "next") == 0 && strncmp(value, "command:", 8) == 0 && value[8] == '/')
		return put(&f->next_command, value + 8);
	if (strcmp(name, "on-error") == 0 && strncmp(value, "keep-0600:", 10) == 0 && value[10] == '/')
		return put(&f->keep, value + 10);
	if (strcmp(name, "on-error") == 0 && strcmp(value, "drop") == 0)
		return true;
	if (strcmp(name, "honour-limit") == 0 && (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)) {
		f->honour_limit = *value == 'y';
		return true;
	}
	if (strcmp(name, "erase") == 0 && (strcmp(value, "random") == 0 || strcmp(value, "keys") == 0)) {
		f->keys_only = *value == 'k';
		return true;
	}
	if (strcmp(name, "user") == 0)
		return put(&f->user, value);
	if (strcmp(name, "jwks") == 0 || strcmp(name, "cert") == 0 || strcmp(name, "spki") == 0)
		return target_list_load(&x->targets, value, name[0] == 'j');
	if (strcmp(name, "time-limit") == 0 || strcmp(name, "spool-max") == 0) {
		unsigned long long n = isdigit((unsigned char)*value) ? strtoull(value, &end, 10) : 0;

		if (n == 0 || *end)
			return false;
		if (name[0] == 't')
			f->time_limit = n < 86400 ? (unsigned)n : 86400;
		else
			f->spool_max = n < 1024 * GIB ? n : 1024 * GIB;
		return true;
	}
	return false;
}

bool filter_settings_read(const char *path, struct dump_settings *x, struct filter_settings *ret, char *why, size_t n)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	char line[1024];
	unsigned number = 0;

	*ret = (struct filter_settings){ .time_limit = 300, .spool_max = GIB };
	if (!put(&ret->user, "nobody") || !f || fstat(fileno(f), &st) < 0) {
		snprintf(why, n, "%s: %s", path, strerror(errno));
		if (f)
			fclose(f);
		return false;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 022) || !S_ISREG(st.st_mode)) {
		snprintf(why, n, "%s: others could write to it", path);
		fclose(f);
		return false;
	}
	while (fgets(line, sizeof(line), f)) {
		char *name = line + strspn(line, " \t"), *value = name + strcspn(name, " \t\n"), *end;

		number++;
		if (*name == '#' || *name == '\n' || !*name)
			continue;
		if (*value)
			*value++ = '\0';
		value += strspn(value, " \t");
		end = value + strlen(value);
		while (end > value && isspace((unsigned char)end[-1]))
			*--end = '\0';
		if (!take_line(x, ret, name, value)) {
			snprintf(why, n, "%s:%u: not understood", path, number);
			fclose(f);
			return false;
		}
	}
	fclose(f);
	if (!ret->next_file == !ret->next_command) {
		snprintf(why, n, "%s: one next handler is needed: next file:/FOLDER, or next command:/PROGRAM ...", path);
		return false;
	}
	return true;
}

/* ---- the log ---- */

/* To syslog, or, before there is one, to the kernel's log; and to stderr when called by hand. */
static void log_line(const struct filter *f, int priority, const char *head, const char *why)
{
	struct buf b, line;
	size_t text;
	int fd;

	buf_init(&b, 4 * KIB);
	buf_add_terminal(&b, str_of(f->comm), 0);
	buf_init(&line, 4 * KIB);
	buf_printf(&line, "<%d>taximeter: ", priority);
	text = line.n;
	buf_printf(&line, "%s: pid %s, comm %s, signal %s, phase %s: %s", head, f->args[0], b.p ? b.p : "?", f->args[3], filter_phases[f->phase],
	           why);
	buf_add_cstr(&line, "\n");
	if (!buf_failed(&line)) {
		fd = access("/dev/log", W_OK) < 0 ? open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY) : -1;
		if (fd >= 0) {
			(void)!write(fd, line.p, line.n); /* without a newline the line would be joined to the next one */
			close(fd);
		} else {
			syslog(priority, "%.*s", (int)(line.n - text - 1), line.p + text);
		}
		if (priority <= LOG_WARNING)
			cmd_error(&command_dump, "filter: %.*s", (int)(line.n - text - 1), line.p + text);
	}
	buf_release(&line);
	buf_release(&b);
}

static void complain(const struct filter *f, const char *why) { log_line(f, LOG_CRIT, "core not forwarded", why); }

/* ---- the next handler ---- */

/* Into the file, which gets its name from the first process, when all is well. */
static int file_child(const struct filter *f, int in, int fd)
{
	static uint8_t p[MIB];

	(void)f;
	close(STDIN_FILENO); /* the kernel's pipe: from here on the frozen process is not needed */
	for (;;) {
		ssize_t n = read(in, p, sizeof(p)), done = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 && fsync(fd) == 0 ? 0 : 1;
		while (done < n) {
			ssize_t got = write(fd, p + done, (size_t)(n - done));

			if (got <= 0)
				return 1;
			done += got;
		}
	}
}

static void command_child(const struct filter *f, int in)
{
	char *words[WORDS_MAX + 1], *text = strdup(f->settings.next_command), *rest = NULL;
	size_t n = 0;

	for (char *w = text ? strtok_r(text, " \t", &rest) : NULL; w && n < WORDS_MAX; w = strtok_r(NULL, " \t", &rest)) {
		words[n] = w;
		for (size_t i = 0; i < ARGUMENTS; i++)
			if (w[0] == '%' && w[1] == letters[i] && !w[2])
				words[n] = f->args[i];
		n++;
	}
	words[n] = NULL;
	if (n && dup2(in, STDIN_FILENO) == STDIN_FILENO) {
		(void)signal(SIGPIPE, SIG_DFL);
		execve(words[0], words, (char *[]){ NULL });
	}
	_exit(127);
}

static bool start_handler(struct filter *f, const char **why)
{
	int fd = -1;

	if (f->settings.next_file) {
		char safe[32];
		size_t n = 0;

		for (const char *c = f->comm; *c && n + 1 < sizeof(safe); c++)
			safe[n++] = isalnum((unsigned char)*c) || *c == '-' || *c == '_' ? *c : '_';
		safe[n] = '\0';
		*why = "the next handler's file cannot be made";
		if (asprintf(&f->file, "%s/core.%s.%s.%s", f->settings.next_file, safe, f->args[0], f->args[4]) < 0 ||
		    asprintf(&f->temp, "%s.part", f->file) < 0)
			return false;
		fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0) {
			free(f->temp);
			f->temp = NULL;
			return false;
		}
	}
	*why = "the next handler cannot be started";
	f->handler = fork();
	if (f->handler == 0) {
		close(f->to_handler);
		close(f->control);
		if (f->settings.next_file)
			_exit(file_child(f, f->from_worker, fd));
		command_child(f, f->from_worker);
	}
	if (fd >= 0)
		close(fd);
	if (f->handler < 0)
		return false;
	close(f->from_worker);
	f->from_worker = -1;
	return true;
}

/* ---- both of them ---- */

static void stop(pid_t *pid)
{
	if (*pid > 0) {
		(void)kill(*pid, SIGKILL);
		(void)waitpid(*pid, NULL, 0);
	}
	*pid = -1;
}

/* Waits for a child until the deadline; its status, or -1. */
static int wait_for(struct filter *f, pid_t *pid)
{
	for (;;) {
		int status;
		pid_t got = waitpid(*pid, &status, WNOHANG);

		if (got == *pid) {
			*pid = -1;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
		}
		if (got < 0 || now() > f->deadline)
			return -1;
		(void)poll(NULL, 0, 2);
	}
}

/* One line of the worker's.  False: it does not go on. */
static bool heed(struct filter *f, const char *line, char *why, size_t n)
{
	const char *reason = "";

	if (*line == '!') {
		log_line(f, LOG_WARNING, "no seccomp here", "the worker has no rights, and may make any system call");
	} else if (*line == '=') {
		snprintf(f->account, sizeof(f->account), "%s", line + 1);
	} else if (*line >= '0' && *line <= '0' + FILTER_DONE && !line[1]) {
		f->phase = (enum filter_phase)(*line - '0');
		if (f->phase == FILTER_READY && !start_handler(f, &reason)) {
			snprintf(why, n, "%s: %s", reason, strerror(errno));
			return false;
		}
	} else {
		snprintf(why, n, "%s", line + (*line == '-'));
		return false;
	}
	return true;
}

/* Follows the worker through its phases.  True: all was forwarded. */
static bool follow(struct filter *f, char *why, size_t n)
{
	char line[256];
	size_t used = 0;

	for (;;) {
		struct pollfd p = { f->control, POLLIN, 0 };
		double left = f->deadline - now();
		char text[256];
		ssize_t got;

		if (left <= 0 || poll(&p, 1, (int)(left * 1000) + 1) == 0) {
			snprintf(why, n, "it took longer than %u s", f->settings.time_limit);
			return false;
		}
		got = read(f->control, text, sizeof(text));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got; i++) {
			if (text[i] != '\n') {
				if (used + 1 < sizeof(line))
					line[used++] = isprint((unsigned char)text[i]) ? text[i] : '?';
				continue;
			}
			line[used] = '\0';
			used = 0;
			if (!heed(f, line, why, n))
				return false;
		}
	}
	if (wait_for(f, &f->worker) != 0 || f->phase != FILTER_DONE) {
		snprintf(why, n, "the worker was killed");
		return false;
	}
	return true;
}

static char *read_text(const char *path, size_t max)
{
	FILE *f = fopen(path, "re");
	char *p = f ? malloc(max) : NULL;
	size_t n = p ? fread(p, 1, max - 1, f) : 0;

	if (f)
		fclose(f);
	if (p)
		p[n] = '\0';
	return p;
}

/* The unredacted core, only if the settings request it explicitly. */
static void keep(const struct filter *f)
{
	char *path = NULL;
	int fd = -1;
	static uint8_t p[64 * KIB];
	ssize_t n;

	if (!f->settings.keep || f->phase > FILTER_READY || asprintf(&path, "%s/unredacted.%s.%s", f->settings.keep, f->args[0], f->args[4]) < 0)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	while (fd >= 0 && (n = read(STDIN_FILENO, p, sizeof(p))) > 0)
		if (write(fd, p, (size_t)n) != n)
			break;
	if (fd >= 0) {
		syslog(LOG_CRIT, "kept UNREDACTED, as on-error asks for: %s", path);
		cmd_error(&command_dump, "filter: kept UNREDACTED, as on-error asks for: %s", path);
		close(fd);
	}
	free(path);
}

static int run_worker(struct filter *f, int mem, int smaps, char *maps, int out, int control)
{
	const char *why;
	bool confined;
	struct filter_job job = { .core = STDIN_FILENO, .mem = mem, .smaps = smaps, .maps = maps, .out = out, .control = control,
		                  .spool_max = f->settings.spool_max, .limit = f->settings.honour_limit ? strtoull(f->args[5], NULL, 10) : UINT64_MAX,
		                  .options = &f->x->options, .shapes = f->x->shapes,
		                  .random = !f->settings.keys_only };

	(void)signal(SIGPIPE, SIG_IGN);
	if (!filter_confine(f->settings.user, &confined, &why)) {
		(void)dprintf(control, "-%s\n", why);
		return 1;
	}
	if (!confined)
		(void)!write(control, "!\n", 2);
	return filter_work(&job);
}

/* When the process began, in ticks since the machine did; 0: it is not there. */
static unsigned long long start_time(const char *pid)
{
	char path[64], *text, *at;
	unsigned long long ret = 0;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	text = read_text(path, 4 * KIB);
	at = text ? strrchr(text, ')') : NULL; /* a program may be called anything */
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		ret = strtoull(at, NULL, 10);
	free(text);
	return ret;
}

/* Is it still the process that the kernel reported?  The pidfd of %F cannot be mistaken; without it, the process must be dumping core,
 * and no younger than the dump. */
static bool is_the_one(const struct filter *f, unsigned long long start)
{
	char path[64], *text, *dumping;
	struct timespec up;
	double age; /* of the dump, seconds */
	bool ok;

	if (f->by_hand)
		return start && start_time(f->args[0]) == start;
	if (f->pidfd >= 0 && syscall(SYS_pidfd_send_signal, f->pidfd, 0, NULL, 0) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%s/status", f->args[0]);
	text = read_text(path, 64 * KIB);
	dumping = text ? strstr(text, "\nCoreDumping:") : NULL;
	ok = start && start_time(f->args[0]) == start && (!dumping || strtol(dumping + 13, NULL, 10) == 1);
	free(text);
	if (!ok || f->pidfd >= 0)
		return ok;
	clock_gettime(CLOCK_BOOTTIME, &up);
	age = difftime(time(NULL), (time_t)strtoll(f->args[4], NULL, 10));
	return (double)start / (double)sysconf(_SC_CLK_TCK) <= (double)up.tv_sec - age + 2;
}

/* The whole core is forwarded: the process only waits for us to close the pipe. */
static void let_go(void)
{
	int fd = open("/dev/null", O_RDONLY);

	if (fd >= 0) {
		(void)dup2(fd, STDIN_FILENO);
		close(fd);
	}
}

static bool run(struct filter *f, char *why, size_t n)
{
	char path[64], *maps;
	int mem, smaps, out[2], control[2];
	unsigned long long start = start_time(f->args[0]);
	bool ok;

	snprintf(path, sizeof(path), "/proc/%s/comm", f->args[0]);
	maps = read_text(path, sizeof(f->comm));
	snprintf(f->comm, sizeof(f->comm), "%s", maps ? maps : "?");
	f->comm[strcspn(f->comm, "\n")] = '\0';
	free(maps);
	snprintf(path, sizeof(path), "/proc/%s/maps", f->args[0]);
	maps = read_text(path, 64 * MIB);
	snprintf(path, sizeof(path), "/proc/%s/smaps", f->args[0]);
	smaps = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/mem", f->args[0]);
	mem = maps && *maps ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (mem >= 0 && !is_the_one(f, start)) { /* the pid was reused: only the core can be trusted */
		close(mem);
		mem = -1;
	}
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(control, O_CLOEXEC) < 0) {
		snprintf(why, n, "no pipes: %s", strerror(errno));
		free(maps);
		return false;
	}
	(void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, (int)FILTER_PIPE_BYTES);
	(void)fcntl(out[1], F_SETPIPE_SZ, (int)FILTER_PIPE_BYTES);
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
	f->worker = fork();
	if (f->worker == 0) {
		close(out[0]);
		close(control[0]);
		_exit(run_worker(f, mem, smaps, maps, out[1], control[1]));
	}
	free(maps);
	close(control[1]);
	if (mem >= 0)
		close(mem);
	if (smaps >= 0)
		close(smaps);
	f->from_worker = out[0];
	f->to_handler = out[1];
	f->control = control[0];
	ok = f->worker > 0 && follow(f, why, n);
	if (ok) {
		close(f->to_handler);
		f->to_handler = -1;
		if (f->settings.next_file)
			let_go();
		if (wait_for(f, &f->handler) != 0) {
			snprintf(why, n, "the next handler failed, or took too long");
			ok = false;
		} else if (f->temp && rename(f->temp, f->file) < 0) {
			snprintf(why, n, "the file cannot get its name: %s", strerror(errno));
			ok = false;
		}
	}
	stop(&f->worker);
	stop(&f->handler);
	if (!ok && f->temp)
		unlink(f->temp);
	if (ok)
		log_line(f, LOG_NOTICE, "core forwarded", f->account);
	return ok;
}

/* The kernel starts us with standard input and nothing else: a file would get the number of standard error, and be written to. */
static void fill_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(EXIT_INPUT);
}

static int filter_run(struct dump_settings *x)
{
	struct filter f = { .x = x, .worker = -1, .handler = -1, .pidfd = -1 };
	const struct rlimit one = { 1, 1 };
	char why[256] = "";
	bool ok;

	if (x->check)
		return filter_check(x);
	if (x->n_paths < ARGUMENTS)
		return cmd_usage_error(&command_dump, "filter: is called by the kernel with %%P %%u %%g %%s %%t %%c %%h %%d %%F (see dump install)");
	for (const char *c = x->paths[0]; *c; c++)
		if (!isdigit((unsigned char)*c))
			return cmd_usage_error(&command_dump, "filter: '%s' is no process", x->paths[0]);
	for (const char *c = x->paths[4]; *c; c++)
		if (!isdigit((unsigned char)*c))
			return cmd_usage_error(&command_dump, "filter: '%s' is no time", x->paths[4]);
	fill_standard();
	/* 1: if this process crashes, the kernel does not call us for it (0 would not prevent that) */
	(void)setrlimit(RLIMIT_CORE, &one);
	(void)umask(077);
	(void)clearenv();
	(void)signal(SIGPIPE, SIG_IGN);
	openlog("taximeter", LOG_PID, LOG_DAEMON);
	f.args = x->paths;
	snprintf(f.comm, sizeof(f.comm), "?");
	f.by_hand = x->n_paths == ARGUMENTS;
	if (x->n_paths > ARGUMENTS && isdigit((unsigned char)x->paths[ARGUMENTS][0]))
		f.pidfd = (int)strtol(x->paths[ARGUMENTS], NULL, 10);
	ok = filter_settings_read(x->settings_path ? x->settings_path : FILTER_SETTINGS, x, &f.settings, why, sizeof(why));
	if (ok && f.settings.honour_limit && strcmp(f.args[5], "0") == 0) {
		log_line(&f, LOG_NOTICE, "core not forwarded", "its user wants none (the limit of a core's size is 0)");
	} else if (ok) {
		f.deadline = now() + f.settings.time_limit;
		x->options.targets = x->targets.targets;
		x->options.n_targets = x->targets.n;
		x->options.native = true;
		ok = run(&f, why, sizeof(why));
	}
	if (!ok) {
		complain(&f, why);
		keep(&f);
	}
	free(f.file);
	free(f.temp);
	filter_settings_free(&f.settings);
	closelog();
	return ok ? EXIT_RAN : EXIT_INPUT;
}

/* ---- filter --check ---- */

int filter_check(const struct dump_settings *x)
{
	char path[512], why[256] = "", *pattern, *limit;
	struct dump_settings copy = { 0 };
	struct filter_settings f;
	struct buf b;
	bool ok = true;

	buf_init(&b, 16 * KIB);
	filter_sysctl_path(x, "core_pattern", path, sizeof(path));
	pattern = read_text(path, 4096);
	filter_sysctl_path(x, "core_pipe_limit", path, sizeof(path));
	limit = read_text(path, 64);
	if (!pattern || !limit) {
		cmd_error(&command_dump, "%s: cannot be read", path);
		free(pattern);
		free(limit);
		return EXIT_INPUT;
	}
	pattern[strcspn(pattern, "\n")] = limit[strcspn(limit, "\n")] = '\0';
	buf_add_cstr(&b, "kernel.core_pattern = ");
	buf_add_terminal(&b, str_of(pattern), 0);
	buf_printf(&b, "\nkernel.core_pipe_limit = %.20s\n", limit);
	if (*pattern != '|' || !strstr(pattern, " dump filter ")) {
		buf_add_cstr(&b, "BAD: cores do not come to `taximeter dump filter`\n");
		ok = false;
	} else if (strlen(pattern) >= PATTERN_MAX || !strstr(pattern, "%P %u %g %s %t %c %h %d %F")) {
		buf_add_cstr(&b, "BAD: the pattern was cut at 127 bytes, or its arguments are not %P %u %g %s %t %c %h %d %F\n");
		ok = false;
	}
	if (strtol(limit, NULL, 10) <= 0) {
		buf_add_cstr(&b, "BAD: with a limit of 0 the kernel does not wait: the process' memory is gone before it is read\n");
		ok = false;
	}
	if (filter_settings_read(x->settings_path ? x->settings_path : FILTER_SETTINGS, &copy, &f, why, sizeof(why))) {
		buf_add_cstr(&b, "next: ");
		buf_add_terminal(&b, str_of(f.next_file ? f.next_file : f.next_command), 0);
		buf_add_char(&b, '\n');
		if (f.keep)
			buf_add_cstr(&b, "NOTE: on-error keeps cores that could not be redacted\n");
		if (f.next_command) {
			f.next_command[strcspn(f.next_command, " \t")] = '\0';
			if (access(f.next_command, X_OK) < 0) {
				buf_add_cstr(&b, "BAD: that program cannot be run\n");
				ok = false;
			}
		} else if (access(f.next_file, W_OK) < 0) {
			buf_add_cstr(&b, "BAD: that folder cannot be written to\n");
			ok = false;
		}
	} else {
		buf_printf(&b, "BAD: %s\n", why);
		ok = false;
	}
	filter_settings_free(&f);
	target_list_free(&copy.targets);
	if (ok)
		buf_add_cstr(&b, "good\n");
	free(pattern);
	free(limit);
	(void)cmd_say(&command_dump, &b);
	buf_release(&b);
	return ok ? EXIT_RAN : EXIT_FINDINGS;
}

const struct dump_action dump_action_filter = {
	.name = "filter",
	.arguments = "PID UID GID SIGNAL TIME LIMIT HOST DUMPABLE",
	.doc = "Take a core from the kernel, redact it on its way to the next handler",
	.run = filter_run,
};
