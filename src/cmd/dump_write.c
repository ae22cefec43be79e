/* SPDX-License-Identifier: Apache-2.0 */
/* dump_write: the copy of a dump, in the folder it is meant for, readable by its owner alone, packed as the original was.  It gets
 * its name last, after it was read again; a failure before that leaves no file. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/dump_cmd.h"
#include "cmd/output.h"

#define ZERO_RUN (64 * KIB) /* of zeros that become a hole of the file */

struct dump_writer {
	char *path, *temp;
	int fd;
	struct archive *archive; /* packed */
	uint64_t size;
	bool plain, delivered;
};

enum dump_packing dump_packing_of(const char *path, bool plain)
{
	static const struct { const char *magic; size_t n; enum dump_packing packing; } magics[] = {
		{ "\x1f\x8b", 2, DUMP_GZIP }, { "BZh", 3, DUMP_BZIP2 }, { "\xfd" "7zXZ", 5, DUMP_XZ }, { "\x28\xb5\x2f\xfd", 4, DUMP_ZSTD },
		{ "\x04\x22\x4d\x18", 4, DUMP_LZ4 },
	};
	uint8_t head[8] = { 0 };
	int fd = plain ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, head, sizeof(head)) : 0;

	if (fd >= 0)
		close(fd);
	if (plain)
		return DUMP_PLAIN;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (n >= 8 && memcmp(head, magics[i].magic, magics[i].n) == 0)
			return magics[i].packing;
	return DUMP_ARCHIVE;
}

static bool complain(const struct dump_writer *w, const char *why)
{
	cmd_error(&command_dump, "cannot write '%s': %s", w->path, why);
	return false;
}

static bool open_archive(struct dump_writer *w, enum dump_packing packing)
{
	struct archive_entry *entry;
	int ok;

	w->archive = archive_write_new();
	if (!w->archive)
		return false;
	ok = packing == DUMP_GZIP    ? archive_write_add_filter_gzip(w->archive)
	     : packing == DUMP_BZIP2 ? archive_write_add_filter_bzip2(w->archive)
	     : packing == DUMP_XZ    ? archive_write_add_filter_xz(w->archive)
	     : packing == DUMP_ZSTD  ? archive_write_add_filter_zstd(w->archive)
	                             : archive_write_add_filter_lz4(w->archive);
	if (ok != ARCHIVE_OK || archive_write_set_format_raw(w->archive) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(w->archive, 1) != ARCHIVE_OK || archive_write_open_fd(w->archive, w->fd) != ARCHIVE_OK)
		return false;
	entry = archive_entry_new();
	if (!entry)
		return false;
	archive_entry_set_filetype(entry, AE_IFREG);
	ok = archive_write_header(w->archive, entry);
	archive_entry_free(entry);
	return ok == ARCHIVE_OK;
}

struct dump_writer *dump_writer_new(const char *path, enum dump_packing packing)
{
	struct dump_writer *w = calloc(1, sizeof(*w));
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;

	if (!w || !(w->path = strdup(path)) || asprintf(&w->temp, "%.*s.%s.XXXXXX", folder, path, path + folder) < 0) {
		cmd_error(&command_dump, "out of memory");
		if (w)
			free(w->path);
		free(w);
		return NULL;
	}
	w->plain = packing == DUMP_PLAIN;
	w->fd = mkostemp(w->temp, O_CLOEXEC); /* 0600 */
	if (w->fd < 0) {
		complain(w, strerror(errno));
		free(w->temp);
		w->temp = NULL;
		dump_writer_free(w);
		return NULL;
	}
	output_doom(w->temp);
	if (!w->plain && !open_archive(w, packing)) {
		complain(w, w->archive && archive_error_string(w->archive) ? archive_error_string(w->archive) : "out of memory");
		dump_writer_free(w);
		return NULL;
	}
	return w;
}

static bool is_zero(const uint8_t *p, size_t n) { return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0); }

static bool write_all(struct dump_writer *w, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t got = pwrite(w->fd, p, n, (off_t)w->size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return complain(w, strerror(got < 0 ? errno : EIO));
		w->size += (uint64_t)got;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

bool dump_writer_add(struct dump_writer *w, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	if (!w->plain) {
		while (n) {
			la_ssize_t got = archive_write_data(w->archive, p, n);

			if (got <= 0)
				return complain(w, archive_error_string(w->archive) ? archive_error_string(w->archive) : "cannot be packed");
			w->size += (uint64_t)got;
			p += got;
			n -= (size_t)got;
		}
		return true;
	}
	while (n) {
		size_t some = n < ZERO_RUN ? n : ZERO_RUN;

		if (is_zero(p, some))
			w->size += some;
		else if (!write_all(w, p, some))
			return false;
		p += some;
		n -= some;
	}
	return true;
}

bool dump_writer_sync(struct dump_writer *w)
{
	bool ok = true;

	if (w->archive) {
		ok = archive_write_close(w->archive) == ARCHIVE_OK || complain(w, archive_error_string(w->archive));
		archive_write_free(w->archive);
		w->archive = NULL;
	} else if (ftruncate(w->fd, (off_t)w->size) < 0) {
		ok = complain(w, strerror(errno));
	}
	if (ok && fsync(w->fd) < 0)
		ok = complain(w, strerror(errno));
	if (close(w->fd) < 0 && ok)
		ok = complain(w, strerror(errno));
	w->fd = -1;
	return ok;
}

const char *dump_writer_path(const struct dump_writer *w) { return w->temp; }

bool dump_writer_deliver(struct dump_writer *w)
{
	char *folder = strdup(w->path), *slash = folder ? strrchr(folder, '/') : NULL;
	int fd;

	if (!folder || rename(w->temp, w->path) < 0) {
		free(folder);
		return complain(w, strerror(errno));
	}
	w->delivered = true;
	output_pardon(w->temp);
	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(folder);
	return true;
}

void dump_writer_free(struct dump_writer *w)
{
	if (!w)
		return;
	if (w->archive) {
		(void)archive_write_fail(w->archive);
		archive_write_free(w->archive);
	}
	if (w->fd >= 0)
		close(w->fd);
	if (w->temp && !w->delivered) {
		unlink(w->temp);
		output_pardon(w->temp);
	}
	free(w->temp);
	free(w->path);
	free(w);
}
