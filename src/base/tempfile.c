/* SPDX-License-Identifier: Apache-2.0 */
/* tempfile: O_TMPFILE where the file system has it, else a name that is removed at once. */
#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int tempfile_open(void)
{
	const char *tried[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	int fd = -1;

	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]) && fd < 0; i++) {
		char path[4096];

		if (!tried[i] || !*tried[i])
			continue;
		fd = open(tried[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
		if (fd < 0 && snprintf(path, sizeof(path), "%s/taximeter-XXXXXX", tried[i]) < (int)sizeof(path)) {
			fd = mkostemp(path, O_CLOEXEC);
			if (fd >= 0)
				unlink(path);
		}
		if (i == 0 && fd < 0)
			break;
	}
	return fd;
}

bool tempfile_write(int fd, const void *p, size_t n, uint64_t at)
{
	const char *from = p;

	while (n) {
		ssize_t w = pwrite(fd, from, n, (off_t)at);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		from += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
	return true;
}
