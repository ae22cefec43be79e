/* SPDX-License-Identifier: Apache-2.0 */
/* source: from the user's paths to one stream after the other.
 *
 *     paths ──▶ folders, depth first ──▶ files ──▶ what each is packed with ──▶ archives, depth first ──▶ streams
 *
 * source_next() asks the innermost open archive for its next member; if there is none it asks the walk for the next
 * file.  What it gets is peeled: as long as the first bytes are those of a compressor a layer is put on top, and an archive
 * goes on the stack of open archives.  What is left is text, and its encoding is found (base/encoding.h).
 *
 * A plain file costs one read(2) a block, into the caller's buffer; only its first 512 bytes are copied.
 *
 * The walk opens a folder once in a run, known by device and inode.  So a link that leads back ends there, however it was
 * made, and so does a folder that was named twice.  In a folder only files are opened: a pipe may never get a
 * writer, a device may never end.  Names that begin with a dot (.git, .DS_Store) are left out.  A path that the user names
 * is read whatever it is, pipes and dots included.
 *
 * Two functions for errors: source_error() for a stream that failed, source_problem() for the rest.  Both are lines for
 * a terminal, and the names in them are untrusted: what could move a cursor is taken out here. */
#include <limits.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/table.h"
#include "source/source_int.h"

#define PATH_BYTES_MAX (64 * KIB)  /* a path and the names of members in members */
#define LINE_BYTES_MAX (256 * KIB) /* either with everything odd in it replaced by three bytes */

struct folder {
	char *path;
	char **names; /* in byte order */
	size_t n, at;
	uint64_t key; /* of its device and inode */
};

struct problem {
	struct problem *next;
	char line[];
};

struct open_archive {
	struct container *container; /* or */
	struct workbook *workbook;
	size_t path_n;    /* of s->path: the archive's own name */
	unsigned nesting;
};

struct source {
	char **paths;
	size_t n_paths, at;
	struct folder folders[SOURCE_DEPTH_MAX];
	size_t n_folders;
	struct table seen; /* folders, by key */
	uint64_t n_files;
	uint64_t total_bytes;
	bool total_is_unknown, is_listed;
	bool as_bytes; /* see source_new_bytes() */

	const void *memory; /* in place of paths: see source_new_memory() */
	size_t memory_n;

	struct open_archive archives[ARCHIVE_NESTING_MAX];
	size_t n_archives;
	struct layer *bottom; /* of the open file: not owned, the lowest of whatever is open */
	uint64_t file_out;    /* of all streams of that file */
	struct layer *leaf;   /* the stream */
	uint64_t bottom_base; /* what earlier streams of the file had taken */

	struct buf path, name, why, line;
	struct source_stream stream;
	bool is_broken_told;
	uint64_t losses;

	struct problem *problems, **problems_end, *taken;
	size_t n_problems;
	uint64_t problems_untold;
};

/* -- the bottom layer: a file descriptor -- */

struct file {
	struct layer l;
	int fd;
	bool is_owned;
	bool has_size; /* a regular file: l.size is what it had when it was opened */
	uint64_t position;
};

static enum source_status file_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct file *f = (struct file *)l;
	char at[BYTES_TEXT_SIZE], size[BYTES_TEXT_SIZE], reason[128];
	ssize_t n;

	do
		n = read(f->fd, p, capacity < SSIZE_MAX ? capacity : SSIZE_MAX);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return layer_fail(l, "cannot be read further than %s: %s", bytes_text(f->position, at),
		                  strerror_r(errno, reason, sizeof(reason)));
	if (n == 0 && f->has_size && f->position < l->size)
		return layer_fail(l, "became shorter while it was read: %s of %s were there", bytes_text(f->position, at),
		                  bytes_text(l->size, size));
	f->position += (uint64_t)n;
	*ret_n = (size_t)n;
	return n ? SOURCE_OK : SOURCE_END;
}

static bool file_seek(struct layer *l, uint64_t offset)
{
	struct file *f = (struct file *)l;

	if (offset > INT64_MAX || lseek(f->fd, (off_t)offset, SEEK_SET) < 0)
		return false;
	f->position = offset;
	return true;
}

static void file_release(struct layer *l)
{
	struct file *f = (struct file *)l;

	if (f->is_owned)
		close(f->fd);
}

/* Takes the descriptor if is_owned.  NULL: out of memory. */
static struct layer *file_new(struct source *s, int fd, bool is_owned)
{
	struct file *f = calloc(1, sizeof(*f));
	struct stat st;

	if (!f) {
		if (is_owned)
			close(fd);
		return NULL;
	}
	f->l.read = file_read;
	f->l.release = file_release;
	f->l.why = &s->why;
	f->fd = fd;
	f->is_owned = is_owned;
	/* standard input may be a file already read in part: then it is only a stream */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) == 0) {
		f->has_size = true;
		f->l.size = (uint64_t)st.st_size;
		f->l.seek = file_seek;
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	return &f->l;
}

/* -- messages -- */

static const char *line_of(struct source *s, const char *path, const char *what)
{
	buf_clear(&s->line);
	buf_add_terminal(&s->line, path[0] ? str_of(path) : STR("(empty name)"), 0);
	buf_add_cstr(&s->line, ": ");
	buf_add_terminal(&s->line, str_of(what), 0);
	return s->line.p ? s->line.p : "out of memory";
}

static void add_problem(struct source *s, const char *line)
{
	struct problem *p;
	size_t bytes = strlen(line) + 1;

	if (s->n_problems >= SOURCE_PROBLEMS_MAX || !(p = malloc(sizeof(*p) + bytes))) {
		s->problems_untold++;
		return;
	}
	s->n_problems++;
	memcpy(p->line, line, bytes);
	p->next = NULL;
	*s->problems_end = p;
	s->problems_end = &p->next;
}

static void problem(struct source *s, bool is_loss, const char *path, const char *what)
{
	s->losses += is_loss;
	add_problem(s, line_of(s, path, what));
}

static const char *reason_text(struct source *s, const char *what, int error)
{
	char reason[128];

	buf_clear(&s->why);
	buf_printf(&s->why, "%s: %s", what, strerror_r(error, reason, sizeof(reason)));
	return s->why.p ? s->why.p : what;
}

static enum source_status broken(struct source *s)
{
	s->losses++;
	s->is_broken_told = true;
	line_of(s, s->path.p ? s->path.p : "", s->why.n ? s->why.p : "cannot be read");
	return SOURCE_BROKEN;
}

/* -- the walk -- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b); /* compares as unsigned bytes */
}

static void folder_release(struct folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->names[i]);
	free(f->names);
	free(f->path);
	*f = (struct folder){ 0 };
}

static bool add_name(struct folder *f, size_t *capacity, const char *name)
{
	char **bigger;

	if (f->n == *capacity) {
		*capacity = *capacity ? *capacity * 2 : 64;
		bigger = realloc(f->names, *capacity * sizeof(*bigger));
		if (!bigger)
			return false;
		f->names = bigger;
	}
	f->names[f->n] = strdup(name);
	return f->names[f->n++] != NULL;
}

static uint64_t key_of(const struct stat *st) { return hash_mix((uint64_t)st->st_dev, (uint64_t)st->st_ino); }

/* Reads the names of the folder in s->path and puts it on the stack; reports it if that fails. */
static void enter_folder(struct source *s)
{
	struct folder f = { 0 };
	const char *path = s->path.p;
	struct dirent *entry;
	struct stat st;
	size_t capacity = 0;
	bool is_new, is_entered = false;
	DIR *dir = opendir(path);

	if (!dir || fstat(dirfd(dir), &st) != 0) {
		problem(s, true, path, reason_text(s, "this folder cannot be read", errno));
		goto out;
	}
	f.key = key_of(&st);
	for (size_t i = 0; i < s->n_folders; i++) {
		if (s->folders[i].key == f.key) {
			problem(s, false, path, "leads back to a folder that contains it; not followed");
			goto out;
		}
	}
	if (s->n_folders == SOURCE_DEPTH_MAX) {
		problem(s, true, path, "folders are nested too deep here; this one was not read. Name it on the command line");
		goto out;
	}
	if (!table_put(&s->seen, f.key, &is_new)) {
		problem(s, true, path, "too many folders; this one was not read. Scan a part at a time");
		goto out;
	}
	if (!is_new) {
		problem(s, false, path, "this folder was read before, under this or another name; not read again");
		goto out;
	}
	f.path = strdup(path);
	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (entry->d_name[0] == '.' && (!s->as_bytes || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")))
			continue;
		if (!f.path || f.n > SOURCE_FILES_MAX || !add_name(&f, &capacity, entry->d_name)) {
			problem(s, true, path, "too many names in this folder; some were not read. Scan a part at a time");
			break;
		}
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			s->total_bytes += (uint64_t)st.st_size;
	}
	if (!entry && errno)
		problem(s, true, path, reason_text(s, "this folder cannot be read to its end", errno));
	while (f.n && !f.names[f.n - 1]) /* the copy that failed */
		f.n--;
	if (f.path) {
		if (f.n)
			qsort(f.names, f.n, sizeof(*f.names), compare_names);
		s->folders[s->n_folders++] = f;
		is_entered = true;
	}
out:
	if (!is_entered)
		folder_release(&f);
	if (dir)
		closedir(dir);
}

/* The sizes of the files that were named; folders add theirs when they are read. */
static void list_named(struct source *s)
{
	struct stat st;

	for (size_t i = 0; i < s->n_paths && !s->is_listed; i++) {
		if (strcmp(s->paths[i], "-") == 0)
			s->total_is_unknown = true;
		else if (stat(s->paths[i], &st) == 0 && S_ISREG(st.st_mode))
			s->total_bytes += (uint64_t)st.st_size;
		else if (stat(s->paths[i], &st) == 0 && !S_ISDIR(st.st_mode))
			s->total_is_unknown = true;
	}
	s->is_listed = true;
}

/* Opens the file in s->path.  In a folder nothing but a file is opened, also if it became something else just now. */
static enum source_status open_file(struct source *s, struct layer **ret)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (s->stream.named ? 0 : O_NONBLOCK), fd;
	struct stat st;

	do
		fd = open(s->path.p, flags);
	while (fd < 0 && errno == EINTR);
	if (fd < 0) {
		reason_text(s, "cannot be opened", errno);
		return SOURCE_BROKEN;
	}
	if (!s->stream.named && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		buf_add_cstr(&s->why, "cannot be opened: no longer a file");
		return SOURCE_BROKEN;
	}
	*ret = file_new(s, fd, true);
	if (!*ret)
		buf_add_cstr(&s->why, "out of memory");
	return *ret ? SOURCE_OK : SOURCE_BROKEN;
}

/* The next name of the walk in s->path; false: the walk is over. */
static bool next_path(struct source *s)
{
	struct folder *f;

	while (s->n_folders && s->folders[s->n_folders - 1].at == s->folders[s->n_folders - 1].n)
		folder_release(&s->folders[--s->n_folders]);
	buf_clear(&s->path);
	s->stream.named = s->n_folders == 0;
	if (s->n_folders) {
		f = &s->folders[s->n_folders - 1];
		buf_add_cstr(&s->path, f->path);
		if (s->path.n && s->path.p[s->path.n - 1] != '/')
			buf_add_char(&s->path, '/');
		buf_add_cstr(&s->path, f->names[f->at++]);
		return true;
	}
	if (s->at == s->n_paths)
		return false;
	s->stream.input = s->at;
	buf_add_cstr(&s->path, s->paths[s->at++]);
	return true;
}

static const char *kind_of(mode_t mode)
{
	return S_ISFIFO(mode) ? "a named pipe; left out. Name it on the command line to read it"
	       : S_ISSOCK(mode) ? "a socket; left out"
	                        : "a device; left out";
}

/* The next file, open.  SOURCE_BROKEN: s->path could not be opened, the reason is in s->why. */
static enum source_status next_file(struct source *s, struct layer **ret)
{
	struct stat st;

	if (s->memory) {
		*ret = memory_view(s->memory, s->memory_n, &s->why);
		s->memory = NULL;
		buf_clear(&s->path);
		buf_add_cstr(&s->path, s->paths[0]);
		s->stream.named = true;
		return *ret ? SOURCE_OK : SOURCE_BROKEN;
	}
	list_named(s);
	while (next_path(s)) {
		bool is_stdin = s->stream.named && strcmp(s->path.p ? s->path.p : "", "-") == 0;

		buf_clear(&s->why); /* of the folder before */
		if (buf_failed(&s->path)) {
			problem(s, true, s->path.p ? s->path.p : "", "the path is too long");
			continue;
		}
		if (!is_stdin && stat(s->path.p, &st) != 0) {
			reason_text(s, "cannot be opened", errno);
			return SOURCE_BROKEN;
		}
		if (!is_stdin && S_ISDIR(st.st_mode)) {
			enter_folder(s);
			continue;
		}
		if (!s->stream.named && !S_ISREG(st.st_mode)) {
			problem(s, false, s->path.p, kind_of(st.st_mode));
			continue;
		}
		if (++s->n_files > SOURCE_FILES_MAX) {
			problem(s, true, s->path.p, "too many files; this one and what follows were not read. Scan a part at a time");
			while (s->n_folders)
				folder_release(&s->folders[--s->n_folders]);
			s->at = s->n_paths;
			break;
		}
		if (!is_stdin)
			return open_file(s, ret);
		*ret = file_new(s, STDIN_FILENO, false);
		if (!*ret)
			buf_add_cstr(&s->why, "out of memory");
		return *ret ? SOURCE_OK : SOURCE_BROKEN;
	}
	return SOURCE_END;
}

/* -- peeling -- */

/* Takes a layer and finds what is under its wrappings.  SOURCE_OK: s->leaf is a stream of text.  SOURCE_END: it was an
 * archive, which is open now.  SOURCE_BROKEN: neither, the reason is in s->why. */
static enum source_status peel(struct source *s, struct layer *l, unsigned nesting)
{
	bool in_compressor = false;

	for (;;) {
		struct str head = layer_peek(l);
		bool is_all = head.n < HEAD_BYTES && l->status == SOURCE_END;
		struct open_archive archive = { .path_n = s->path.n };
		enum encoding encoding;
		const char *name;
		size_t skip;
		enum packing packing = packing_of(head, is_all, &name);

		if (s->as_bytes && (packing == PACKING_TEXT || packing == PACKING_AVRO || packing == PACKING_XLSX))
			packing = PACKING_NONE;
		switch (packing) {
		case PACKING_NONE:
			if (s->as_bytes) {
				s->leaf = l;
				return SOURCE_OK;
			}
			encoding = encoding_of(head.p, head.n, &skip);
			layer_skip(l, skip);
			if (encoding != ENCODING_UTF8)
				l = utf16_new(l, encoding == ENCODING_UTF16_BE);
			s->leaf = l;
			return l ? SOURCE_OK : SOURCE_BROKEN;
		case PACKING_CUT:
			layer_fail(l, "cut short: only the first %zu byte%s of %s data", head.n, head.n == 1 ? "" : "s", name);
			layer_free(l);
			return SOURCE_BROKEN;
		case PACKING_TEXT:
		case PACKING_UNKNOWN:
			layer_fail(l, "%s, which is not read. Unpack or convert it first", name);
			layer_free(l);
			return SOURCE_BROKEN;
		default:
			break;
		}
		/* an archive counts as one with the compressor directly round it: export.tar.gz is one wrapping */
		if (!(packing >= PACKING_TAR && in_compressor) && ++nesting > ARCHIVE_NESTING_MAX) {
			layer_fail(l, "packed in packed more than %d deep; this was not read. Unpack it first", ARCHIVE_NESTING_MAX);
			layer_free(l);
			return SOURCE_BROKEN;
		}
		if (packing >= PACKING_TAR) {
			archive.nesting = nesting;
			if (packing == PACKING_XLSX)
				archive.workbook = workbook_new(l);
			else
				archive.container = container_new(packing, l);
			if (!archive.workbook && !archive.container)
				return SOURCE_BROKEN;
			s->archives[s->n_archives++] = archive;
			return SOURCE_END;
		}
		in_compressor = true;
		l = packing == PACKING_AVRO ? avro_layer_new(l) : unpack_new(packing, l);
		if (!l)
			return SOURCE_BROKEN;
	}
}

static void close_archive(struct open_archive *a)
{
	container_free(a->container);
	workbook_free(a->workbook);
}

/* The next member of the innermost archive.  SOURCE_END: it had no more, and has been closed. */
static enum source_status next_member(struct source *s, struct layer **ret, unsigned *ret_nesting)
{
	struct open_archive *archive = &s->archives[s->n_archives - 1];
	enum source_status status = archive->workbook ? workbook_next(archive->workbook, ret, &s->name) : container_next(archive->container, ret, &s->name);

	s->path.n = archive->path_n;
	s->path.p[s->path.n] = '\0';
	if (status != SOURCE_END && s->name.n) {
		buf_add_char(&s->path, ':');
		buf_add(&s->path, s->name.p, strlen(s->name.p));
	}
	s->stream.named = false;
	*ret_nesting = archive->nesting;
	if (status == SOURCE_END) {
		close_archive(archive);
		s->n_archives--;
	}
	return status;
}

enum source_status source_next(struct source *s, const struct source_stream **ret)
{
	enum source_status status;

	layer_free(s->leaf);
	s->leaf = NULL;
	s->is_broken_told = false;
	*ret = &s->stream;
	for (;;) {
		struct layer *l = NULL;
		unsigned nesting = 0;

		buf_clear(&s->why);
		if (s->n_archives) {
			s->bottom_base = layer_consumed(s->bottom);
			status = next_member(s, &l, &nesting);
			if (status == SOURCE_END)
				continue;
		} else {
			status = next_file(s, &l);
			if (status == SOURCE_END)
				break;
			s->bottom = l;
			s->bottom_base = 0;
			s->file_out = 0;
		}
		if (status == SOURCE_OK) {
			status = peel(s, l, nesting);
			if (status == SOURCE_END)
				continue;
		}
		s->stream.path = s->path.p;
		s->stream.bytes_in = s->stream.bytes_out = 0;
		s->stream.plain = status == SOURCE_OK && s->leaf == s->bottom && s->bottom->seek;
		return status == SOURCE_OK ? status : broken(s);
	}
	if (s->problems_untold) {
		char line[80];

		snprintf(line, sizeof(line), "%llu more such lines are not shown", (unsigned long long)s->problems_untold);
		s->problems_untold = 0;
		s->n_problems = 0;
		add_problem(s, line);
	}
	s->stream = (struct source_stream){ 0 };
	return SOURCE_END;
}

enum source_status source_read(struct source *s, void *p, size_t capacity, size_t *ret_n)
{
	enum source_status status = SOURCE_END;

	*ret_n = 0;
	if (!s->leaf || capacity == 0)
		return s->leaf ? SOURCE_OK : SOURCE_END;
	status = layer_read(s->leaf, p, capacity, ret_n);
	s->file_out += *ret_n;
	s->stream.bytes_in = layer_consumed(s->bottom) - s->bottom_base;
	/* wrappings that each stay below the limit, and together do not */
	if (is_bomb(s->file_out, layer_consumed(s->bottom))) {
		s->leaf->status = status = layer_fail(s->leaf, "unpacks to more than %d times its size; the rest of the file was not "
		                                      "read, in case it is made to exhaust the reader. Unpack it yourself if you "
		                                      "trust it", ARCHIVE_RATIO_MAX);
		s->leaf->head_at = s->leaf->head_n = 0;
		for (size_t i = 0; i < s->n_archives; i++) {
			if (s->archives[i].workbook)
				workbook_stop(s->archives[i].workbook);
			else
				container_stop(s->archives[i].container);
		}
		*ret_n = 0;
	}
	s->stream.bytes_out += *ret_n;
	if (status == SOURCE_BROKEN && !s->is_broken_told)
		broken(s);
	return status;
}

const char *source_error(const struct source *s) { return s->line.p ? s->line.p : ""; }

uint64_t source_total_bytes(const struct source *s) { return s->total_is_unknown ? 0 : s->total_bytes; }

uint64_t source_losses(const struct source *s) { return s->losses; }

const char *source_problem(struct source *s)
{
	free(s->taken);
	s->taken = s->problems;
	if (!s->taken)
		return NULL;
	s->problems = s->taken->next;
	if (!s->problems)
		s->problems_end = &s->problems;
	return s->taken->line;
}

/* -- life -- */

struct source *source_new(const char *const *paths, size_t n)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	buf_init(&s->path, PATH_BYTES_MAX);
	buf_init(&s->name, PATH_BYTES_MAX);
	buf_init(&s->why, WHY_BYTES_MAX);
	buf_init(&s->line, LINE_BYTES_MAX);
	table_init(&s->seen, 0, SOURCE_FILES_MAX);
	s->problems_end = &s->problems;
	s->paths = calloc(n ? n : 1, sizeof(*s->paths));
	if (!s->paths)
		goto fail;
	for (; s->n_paths < n; s->n_paths++) {
		s->paths[s->n_paths] = strdup(paths[s->n_paths]);
		if (!s->paths[s->n_paths])
			goto fail;
	}
	return s;
fail:
	source_free(s);
	return NULL;
}

struct source *source_new_bytes(const char *const *paths, size_t n)
{
	struct source *s = source_new(paths, n);

	if (s)
		s->as_bytes = true;
	return s;
}

struct source *source_new_memory(const void *p, size_t n, const char *name)
{
	struct source *s = source_new(&name, 1);

	if (s) {
		s->memory = p;
		s->memory_n = n;
		s->at = s->n_paths;
	}
	return s;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	layer_free(s->leaf);
	while (s->n_archives)
		close_archive(&s->archives[--s->n_archives]);
	while (s->n_folders)
		folder_release(&s->folders[--s->n_folders]);
	for (size_t i = 0; i < s->n_paths; i++)
		free(s->paths[i]);
	free(s->paths);
	while (source_problem(s))
		;
	free(s->taken);
	table_release(&s->seen);
	buf_release(&s->path);
	buf_release(&s->name);
	buf_release(&s->why);
	buf_release(&s->line);
	free(s);
}
