/* SPDX-License-Identifier: Apache-2.0 */
/* dump install: makes the kernel hand its cores to `dump filter`; dump uninstall puts back what was there.  The new settings are
 * shown first; with --check they are only shown.  The settings last until the next boot; a line for /etc/sysctl.d is
 * printed, and written by its owner. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/dump_filter.h"

#define SAVED "/var/lib/taximeter/core_pattern.saved"
#define PATTERN_MAX 127

void filter_sysctl_path(const struct dump_settings *x, const char *name, char *ret, size_t n)
{
	if (x->root && *x->root)
		snprintf(ret, n, "%s/kernel/%s", x->root, name);
	else
		snprintf(ret, n, "/proc/sys/kernel/%s", name);
}

static void saved_path(const struct dump_settings *x, char *ret, size_t n)
{
	if (x->root && *x->root)
		snprintf(ret, n, "%s/core_pattern.saved", x->root);
	else
		snprintf(ret, n, "%s", SAVED);
}

static bool get(const char *path, char *ret, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, ret, n - 1) : -1;

	if (fd >= 0)
		close(fd);
	ret[got > 0 ? got : 0] = '\0';
	return got >= 0;
}

static bool set(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	const size_t n = strlen(text);
	bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;
	int error = errno;

	if (fd >= 0 && (flags & O_CREAT) && fsync(fd) < 0)
		ok = false;
	if (fd >= 0)
		close(fd);
	if (!ok)
		cmd_error(&command_dump, "%s: %s", path, strerror(error));
	return ok;
}

static int change(const struct dump_settings *x, const char *pattern, const char *limit)
{
	char path[512], old[4096], old_limit[64];
	struct buf b;

	filter_sysctl_path(x, "core_pattern", path, sizeof(path));
	if (!get(path, old, sizeof(old))) {
		cmd_error(&command_dump, "%s: %s", path, strerror(errno));
		return EXIT_INPUT;
	}
	filter_sysctl_path(x, "core_pipe_limit", path, sizeof(path));
	if (!get(path, old_limit, sizeof(old_limit))) {
		cmd_error(&command_dump, "%s: %s", path, strerror(errno));
		return EXIT_INPUT;
	}
	old[strcspn(old, "\n")] = old_limit[strcspn(old_limit, "\n")] = '\0';
	buf_init(&b, 16 * KIB);
	buf_add_cstr(&b, "kernel.core_pattern\n  was  ");
	buf_add_terminal(&b, str_of(old), 0);
	buf_add_cstr(&b, "\n  now  ");
	buf_add_terminal(&b, str_of(pattern), 0);
	buf_printf(&b, "\nkernel.core_pipe_limit\n  was  %s\n  now  %s\n", old_limit, limit);
	if (x->check)
		buf_add_cstr(&b, "Nothing was changed.\n");
	(void)cmd_say(&command_dump, &b);
	buf_clear(&b);
	if (x->check) {
		buf_release(&b);
		return EXIT_RAN;
	}
	/* the limit first: with the pattern alone the process' memory would be gone */
	if (!set(path, limit, O_TRUNC)) {
		buf_release(&b);
		return EXIT_INPUT;
	}
	filter_sysctl_path(x, "core_pattern", path, sizeof(path));
	buf_release(&b);
	return set(path, pattern, O_TRUNC) ? EXIT_RAN : EXIT_INPUT;
}

static int install(const struct dump_settings *x)
{
	char program[512], pattern[1024], path[512], saved[512], old[4096], limit[64], text[4300];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	struct stat st;
	int status;

	if (n <= 0)
		return cmd_usage_error(&command_dump, "install: the place of this program in the file system is not known");
	program[n] = '\0';
	if (x->settings_path && (*x->settings_path != '/' || strpbrk(x->settings_path, " \t\n%")))
		return cmd_usage_error(&command_dump, "install: --config '%s': the kernel takes a name from / on, without blanks", x->settings_path);
	n = snprintf(pattern, sizeof(pattern), "|%s dump filter %s%s%s%%P %%u %%g %%s %%t %%c %%h %%d %%F", program,
	             x->settings_path ? "--config=" : "", x->settings_path ? x->settings_path : "", x->settings_path ? " " : "");
	if (n >= PATTERN_MAX || strpbrk(program, " \t\n%"))
		return cmd_usage_error(&command_dump, "install: '%s' is no line for kernel.core_pattern (127 bytes, no blank in a name); copy the program "
		                                      "to /usr/sbin", pattern);
	if (!x->root && (stat(program, &st) < 0 || st.st_uid != 0 || (st.st_mode & 022)))
		return cmd_usage_error(&command_dump, "install: others than root could change %s; the kernel would run it as root", program);
	filter_sysctl_path(x, "core_pattern", path, sizeof(path));
	if (!get(path, old, sizeof(old))) {
		cmd_error(&command_dump, "%s: %s", path, strerror(errno));
		return EXIT_INPUT;
	}
	filter_sysctl_path(x, "core_pipe_limit", path, sizeof(path));
	(void)get(path, limit, sizeof(limit));
	old[strcspn(old, "\n")] = limit[strcspn(limit, "\n")] = '\0';
	if (strcmp(old, pattern) == 0) {
		cmd_error(&command_dump, "install: it is installed already");
		return EXIT_RAN;
	}
	saved_path(x, saved, sizeof(saved));
	if (!x->check) {
		if (!x->root)
			(void)mkdir("/var/lib/taximeter", 0700);
		snprintf(text, sizeof(text), "%s\n%s\n", limit, old);
		if (!set(saved, text, O_CREAT | O_TRUNC))
			return EXIT_INPUT;
	}
	status = change(x, pattern, strtol(limit, NULL, 10) > 0 ? limit : "16");
	if (status != EXIT_RAN && !x->check)
		unlink(saved);
	return status;
}

static int uninstall(const struct dump_settings *x)
{
	char saved[512], text[4300], *pattern;
	int status;

	saved_path(x, saved, sizeof(saved));
	if (!get(saved, text, sizeof(text)) || !(pattern = strchr(text, '\n'))) {
		cmd_error(&command_dump, "%s: %s; nothing to put back", saved, errno ? strerror(errno) : "empty");
		return EXIT_INPUT;
	}
	*pattern++ = '\0';
	pattern[strcspn(pattern, "\n")] = '\0';
	status = change(x, pattern, text);
	if (status == EXIT_RAN && !x->check)
		unlink(saved);
	return status;
}

int filter_install(const struct dump_settings *x, bool revert)
{
	if (x->n_paths)
		return cmd_usage_error(&command_dump, "install and uninstall take no names");
	return revert ? uninstall(x) : install(x);
}

static int install_run(struct dump_settings *x) { return filter_install(x, false); }

const struct dump_action dump_action_install = {
	.name = "install",
	.arguments = "[--check]",
	.doc = "Make the kernel hand its cores to dump filter; shows the settings first",
	.run = install_run,
};
