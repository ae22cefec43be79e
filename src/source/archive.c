/* SPDX-License-Identifier: Apache-2.0 */
/* archive: the members of tar, zip and 7z, one after another, through libarchive.
 *
 * Nothing is written anywhere; the path of a member is a name for people and never a place.  libarchive is given our
 * bytes by callbacks and only ever the one format that we have recognised, without its compressors: those are layers
 * of ours, below.
 *
 *   tar   read forward.
 *   7z    must seek: its directory is at its end.
 *   zip   seeks if it can and its directory is where it should be.  If not (cut short, or a stream that has gone by),
 *         it is read forward, and the missing directory is reported at the end.
 *
 * libarchive accepts what we must not, so three things are checked here: a tar without its end mark (it may
 * have lost members at a member's border), a zip without directory, and a member that gives less than it promised.
 *
 * Member names are kept in UTF-8 whatever the program's locale says: libarchive asks the locale of the thread, which
 * is therefore set to C.UTF-8 round each header. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include <archive.h>
#include <archive_entry.h>

#include "source/source_int.h"

#define ZIP_END_BYTES 22                            /* end of central directory, without its comment */
#define ZIP_TAIL_BYTES (ZIP_END_BYTES + 65535)      /* with the longest comment */
#define TAR_END_BYTES 512                           /* at least one block of zeros; the second is often left out */

struct container {
	struct archive *a;
	struct layer *below;
	struct buf *why;         /* where the reason of a fault is wanted */
	struct buf why_below;    /* why `below` broke: often long before a member suffers from it */
	enum packing packing;
	bool can_seek;
	bool is_open;            /* libarchive has taken it */
	locale_t locale;
	enum source_status input;
	uint64_t position;       /* of the next byte libarchive is given */
	uint64_t entries;
	uint64_t out;            /* of all members */
	bool is_over;            /* ended, or given up; all was reported */
	uint64_t zeros;          /* tar: zero bytes at the end of what has gone by */
	uint8_t *tail;           /* zip read forward: the last bytes that have gone by */
	size_t tail_n;
	uint8_t in[PIECE_BYTES];
};

/* a member's bytes; the container outlives it */
struct member {
	struct layer l;
	struct container *c;
	struct blocks blocks;
	uint64_t given;
	int64_t promised; /* -1: unknown */
};

/* -- what libarchive asks for -- */

static void note_tail(struct container *c, size_t n)
{
	size_t zeros = 0;

	while (zeros < n && c->in[n - 1 - zeros] == 0)
		zeros++;
	c->zeros = zeros == n ? c->zeros + n : zeros;
	if (!c->tail)
		return;
	if (c->tail_n + n > ZIP_TAIL_BYTES) {
		size_t drop = c->tail_n + n - ZIP_TAIL_BYTES;

		drop = drop < c->tail_n ? drop : c->tail_n;
		memmove(c->tail, c->tail + drop, c->tail_n - drop);
		c->tail_n -= drop;
	}
	memcpy(c->tail + c->tail_n, c->in, n); /* PIECE_BYTES fit: the tail is longer than a piece */
	c->tail_n += n;
}

static la_ssize_t give_bytes(struct archive *a, void *arg, const void **ret)
{
	struct container *c = arg;
	size_t n;

	*ret = c->in;
	c->input = layer_read(c->below, c->in, sizeof(c->in), &n);
	if (c->input == SOURCE_BROKEN) {
		archive_set_error(a, EIO, "input broken");
		return -1;
	}
	note_tail(c, n);
	c->position += n;
	return (la_ssize_t)n;
}

static la_int64_t seek_bytes(struct archive *a, void *arg, la_int64_t offset, int whence)
{
	struct container *c = arg;
	int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)c->position : (int64_t)c->below->size, to;

	if (__builtin_add_overflow(from, offset, &to) || to < 0 || (uint64_t)to > c->below->size ||
	    !layer_seek(c->below, (uint64_t)to)) {
		archive_set_error(a, EIO, "points outside of the file");
		return ARCHIVE_FATAL;
	}
	c->position = (uint64_t)to;
	return to;
}

/* -- faults -- */

/* libarchive has refused to go on */
static enum source_status archive_fault(struct container *c, struct buf *why, uint64_t read)
{
	const char *text = archive_error_string(c->a);
	char bytes[BYTES_TEXT_SIZE];

	if (c->why_below.n)
		return fail_with(why, "%s", c->why_below.p);
	/* asked before it is open, libarchive 3.6 follows a pointer to no format */
	if (c->is_open && archive_read_has_encrypted_entries(c->a) == 1)
		return fail_with(why, "encrypted, and no password can be given. Unpack it first");
	if (c->input == SOURCE_END && !c->can_seek)
		return fail_with(why, "the archive ends early after %s; what came before was read", bytes_text(read, bytes));
	return fail_with(why, "damaged archive (%s) after %s; what came before was read", text ? text : "no reason given",
	                  bytes_text(read, bytes));
}

static bool bomb_in(struct container *c)
{
	return is_bomb(c->out, layer_consumed(c->below));
}

/* The record at the end of every zip, wherever in these last bytes of it; its comment may be shorter than what follows. */
static const uint8_t *find_zip_end(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + ZIP_END_BYTES <= n; i++)
		if (memcmp(p + i, "PK\5\6", 4) == 0 && i + ZIP_END_BYTES + (p[i + 20] | (size_t)p[i + 21] << 8) <= n)
			return p + i;
	return NULL;
}

/* -- members -- */

int blocks_read(struct blocks *b, struct archive *a, uint8_t *p, size_t capacity, size_t *ret_n)
{
	const void *block;
	la_int64_t offset;
	size_t n;
	int rc = ARCHIVE_OK;

	*ret_n = 0;
	while (b->n == 0 && b->hole == 0) {
		rc = archive_read_data_block(a, &block, &n, &offset);
		if (rc != ARCHIVE_OK)
			return rc;
		b->p = block;
		b->n = n;
		b->hole = offset > 0 && (uint64_t)offset > b->position ? (uint64_t)offset - b->position : 0;
		b->position += b->hole + n;
	}
	if (b->hole) {
		n = b->hole < capacity ? (size_t)b->hole : capacity;
		memset(p, 0, n);
		b->hole -= n;
	} else {
		n = b->n < capacity ? b->n : capacity;
		memcpy(p, b->p, n);
		b->p += n;
		b->n -= n;
	}
	*ret_n = n;
	return ARCHIVE_OK;
}

static enum source_status member_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct member *m = (struct member *)l;
	struct container *c = m->c;
	char given[BYTES_TEXT_SIZE], promised[BYTES_TEXT_SIZE];
	int rc = blocks_read(&m->blocks, c->a, p, capacity, ret_n);

	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF) {
		/* a wrong sum or an unknown method is this member's own trouble, the next may be whole */
		if (rc == ARCHIVE_FATAL || c->input == SOURCE_BROKEN || (c->input == SOURCE_END && !c->can_seek))
			c->is_over = true;
		return archive_fault(c, l->why, m->given);
	}
	m->given += *ret_n;
	c->out += *ret_n;
	if (bomb_in(c)) {
		c->is_over = true;
		return layer_fail(l, "the archive unpacks to more than %d times its size; the rest was not read, in case it is made to "
		                  "exhaust the reader. Unpack it yourself if you trust it", ARCHIVE_RATIO_MAX);
	}
	if (*ret_n)
		return SOURCE_OK;
	if (m->promised >= 0 && m->given < (uint64_t)m->promised)
		return layer_fail(l, "ends after %s of the %s it should have; what came before was read", bytes_text(m->given, given),
		                  bytes_text((uint64_t)m->promised, promised));
	return SOURCE_END;
}

/* In a solid 7z the bytes of an unwanted member are unpacked all the same, so they have to be counted. */
static enum source_status skip_rest(struct container *c)
{
	const void *p;
	size_t n;
	la_int64_t offset;
	int rc = ARCHIVE_OK;

	while (c->packing == PACKING_7Z && rc == ARCHIVE_OK) {
		rc = archive_read_data_block(c->a, &p, &n, &offset);
		c->out += rc == ARCHIVE_OK ? n : 0;
		if (bomb_in(c)) {
			c->is_over = true;
			return fail_with(c->why, "the archive unpacks to more than %d times its size; the rest was not read, in case it is "
			                  "made to exhaust the reader. Unpack it yourself if you trust it", ARCHIVE_RATIO_MAX);
		}
	}
	return SOURCE_OK;
}

/* ".DS_Store", "a/.git/b", "__MACOSX/": left out as in folders.  "./a" is only a way to write a. */
static bool is_hidden(const char *name)
{
	if (strncmp(name, "__MACOSX/", 9) == 0)
		return true;
	for (const char *part = name; *part; part++) {
		if (part != name && part[-1] != '/')
			continue;
		if (part[0] == '.' && part[1] != '/' && part[1] != '\0' && strncmp(part, "../", 3) != 0)
			return true;
	}
	return false;
}

/* A name longer than anyone gives by hand is cut, between two characters. */
static void set_name(struct container *c, struct archive_entry *entry, struct buf *ret_name)
{
	const char *name = archive_entry_pathname_utf8(entry);
	size_t n;

	if (!name)
		name = archive_entry_pathname(entry);
	buf_clear(ret_name);
	if (!name || !name[0]) {
		buf_printf(ret_name, "(member %" PRIu64 " without a name)", c->entries);
		return;
	}
	n = strlen(name);
	if (n > ARCHIVE_ENTRY_NAME_MAX)
		for (n = ARCHIVE_ENTRY_NAME_MAX; n && ((uint8_t)name[n] & 0xc0) == 0x80; n--)
			;
	buf_add(ret_name, name, n);
}

/* libarchive reports the end of the archive.  Is it really the end? */
static enum source_status check_end(struct container *c)
{
	size_t n;

	c->is_over = true;
	if (c->can_seek)
		return c->why_below.n ? fail_with(c->why, "%s", c->why_below.p) : SOURCE_END;
	do { /* the layer below may be cut or damaged after the last member */
		c->input = layer_read(c->below, c->in, sizeof(c->in), &n);
		note_tail(c, n);
	} while (c->input == SOURCE_OK);
	if (c->why_below.n)
		return fail_with(c->why, "%s", c->why_below.p);
	if (c->packing == PACKING_TAR && c->zeros < TAR_END_BYTES)
		return fail_with(c->why, "the archive has no end mark and may have been cut short; its %" PRIu64 " members were read",
		                  c->entries);
	if (c->packing == PACKING_ZIP && !find_zip_end(c->tail, c->tail_n))
		return fail_with(c->why, "the archive ends early, its directory is missing; the %" PRIu64 " members before were read",
		                  c->entries);
	return SOURCE_END;
}

static int next_header(struct container *c, struct archive_entry **ret)
{
	locale_t before = c->locale ? uselocale(c->locale) : (locale_t)0;
	int rc = archive_read_next_header(c->a, ret);

	if (before)
		uselocale(before);
	return rc;
}

static struct layer *member_new(struct container *c, struct archive_entry *entry)
{
	struct member *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->l.read = member_read;
	m->l.why = c->why;
	m->c = c;
	m->promised = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : -1;
	return &m->l;
}

enum source_status container_next(struct container *c, struct layer **ret_member, struct buf *ret_name)
{
	struct archive_entry *entry;
	enum source_status status;
	int rc;

	buf_clear(ret_name);
	for (;;) {
		if (c->is_over)
			return SOURCE_END;
		status = c->entries ? skip_rest(c) : SOURCE_OK;
		if (status != SOURCE_OK)
			return status;
		rc = next_header(c, &entry);
		if (rc == ARCHIVE_EOF)
			return check_end(c);
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN && rc != ARCHIVE_RETRY) {
			c->is_over = true;
			return archive_fault(c, c->why, c->out);
		}
		if (++c->entries > ARCHIVE_ENTRIES_MAX) {
			c->is_over = true;
			return fail_with(c->why, "the archive has more than %d members; the first %d were read. Unpack it first",
			                  ARCHIVE_ENTRIES_MAX, ARCHIVE_ENTRIES_MAX);
		}
		/* folders, links, devices; a hard link is a member that was there before */
		if (rc == ARCHIVE_RETRY || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
			continue;
		set_name(c, entry, ret_name);
		if (is_hidden(ret_name->p))
			continue;
		if (archive_entry_is_encrypted(entry))
			return fail_with(c->why, "encrypted, and no password can be given. Unpack it first");
		*ret_member = member_new(c, entry);
		return *ret_member ? SOURCE_OK : fail_with(c->why, "out of memory");
	}
}

void container_stop(struct container *c) { c->is_over = true; }

/* -- opening -- */

/* Is the zip's directory where it should be?  Leaves the layer at its first byte. */
static bool has_zip_directory(struct layer *l, bool *ret_is_empty)
{
	static const uint8_t nothing[16]; /* no disk, no member, no directory */
	uint8_t *tail = malloc(ZIP_TAIL_BYTES);
	uint64_t from = l->size > ZIP_TAIL_BYTES ? l->size - ZIP_TAIL_BYTES : 0, out = l->out;
	const uint8_t *end = NULL;
	size_t n = 0, got;

	if (!tail || !layer_seek(l, from))
		goto out;
	while (n < ZIP_TAIL_BYTES && layer_read(l, tail + n, ZIP_TAIL_BYTES - n, &got) == SOURCE_OK)
		n += got;
	end = find_zip_end(tail, n);
	*ret_is_empty = end && memcmp(end + 4, nothing, sizeof(nothing)) == 0;
out:
	l->out = out; /* a look, not a reading */
	if (!layer_seek(l, 0))
		end = NULL;
	free(tail);
	return end != NULL;
}

/* The head of a 7z holds the place of its directory. */
static enum source_status check_7z_size(struct layer *l)
{
	struct str head = layer_peek(l);
	uint64_t offset = 0, size = 0, want;
	char have_text[BYTES_TEXT_SIZE], want_text[BYTES_TEXT_SIZE];

	if (head.n < 32)
		return layer_fail(l, "the archive ends early, after %s; nothing in it can be read", bytes_text(l->size, have_text));
	for (int i = 7; i >= 0; i--) {
		offset = offset << 8 | (uint8_t)head.p[12 + i];
		size = size << 8 | (uint8_t)head.p[20 + i];
	}
	if (__builtin_add_overflow(offset, size, &want) || __builtin_add_overflow(want, 32, &want) || want > l->size)
		return layer_fail(l, "the archive ends early, after %s of %s; its directory is lost, so nothing in it can be read",
		                  bytes_text(l->size, have_text), bytes_text(want, want_text));
	return SOURCE_OK;
}

struct container *container_new(enum packing packing, struct layer *below)
{
	struct container *c = calloc(1, sizeof(*c));
	enum source_status status = SOURCE_OK;
	struct buf *why = below->why;
	bool ok = false;
	int rc;

	if (!c) {
		layer_fail(below, "out of memory");
		layer_free(below);
		return NULL;
	}
	c->packing = packing;
	c->why = why;
	buf_init(&c->why_below, WHY_BYTES_MAX);
	for (struct layer *l = below; l; l = l->below)
		l->why = &c->why_below;
	if (packing != PACKING_TAR && !below->seek)
		below = memory_new(below, packing, &status);
	c->below = below;
	if (!below || (status == SOURCE_BROKEN && packing == PACKING_7Z))
		goto out;
	if (packing == PACKING_7Z && check_7z_size(below) != SOURCE_OK)
		goto out;
	c->can_seek = packing == PACKING_7Z || (packing == PACKING_ZIP && has_zip_directory(below, &c->is_over));
	c->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); /* without it only the accents of names are lost */
	c->a = archive_read_new();
	if (!c->a)
		goto out;
	if (packing == PACKING_ZIP && !c->can_seek) {
		c->tail = malloc(ZIP_TAIL_BYTES);
		if (!c->tail)
			goto out;
	}
	if (packing == PACKING_TAR) {
		archive_read_support_format_tar(c->a);
		archive_read_set_format_option(c->a, "tar", "read_concatenated_archives", "1");
	} else if (packing == PACKING_7Z) {
		archive_read_support_format_7zip(c->a);
	} else if (c->can_seek) {
		archive_read_support_format_zip_seekable(c->a);
	} else {
		archive_read_support_format_zip_streamable(c->a);
	}
	archive_read_set_read_callback(c->a, give_bytes);
	archive_read_set_callback_data(c->a, c);
	if (c->can_seek) { /* else reading on is the only way: a seek would pass over the end silently */
		layer_seek(below, 0);
		archive_read_set_seek_callback(c->a, seek_bytes);
	}
	rc = c->is_over ? ARCHIVE_OK : archive_read_open1(c->a); /* libarchive knows no zip without members */
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) {
		archive_fault(c, c->why, 0);
		goto out;
	}
	c->is_open = true;
	ok = true;
out:
	if (!ok) {
		fail_with(why, "%s", c->why_below.n ? c->why_below.p : "out of memory");
		container_free(c);
		c = NULL;
	}
	return c;
}

void container_free(struct container *c)
{
	if (!c)
		return;
	if (c->a)
		archive_read_free(c->a);
	if (c->locale)
		freelocale(c->locale);
	free(c->tail);
	layer_free(c->below);
	buf_release(&c->why_below);
	free(c);
}
