/* SPDX-License-Identifier: Apache-2.0 */
/* source: where bytes come from.  Paths become a sequence of streams: plain files, members of archives, sheets of
 * workbooks, what a compressor unpacks, standard input.  A stream gives bytes of UTF-8 text (a UTF-8 BOM taken off, UTF-16 with or without
 * one converted); it never holds more than one chunk.
 *
 * To add a packing: a row of enum packing, its magic in packing_of(), its reader in unpack.c or archive.c (source_int.h).
 *
 * Errors here are about one stream, are reported in one line that names it, and never end the run. */
#ifndef TXM_SOURCE_SOURCE_H
#define TXM_SOURCE_SOURCE_H

#include "base/buf.h"

struct source;

enum source_status {
	SOURCE_OK,
	SOURCE_END,   /* no more bytes in this stream / no more streams */
	SOURCE_BROKEN /* this stream ends here, and not where it should have: see source_error() */
};

struct source_stream {
	const char *path;     /* "export.zip:ual/part1.csv.gz" for people and stats; "-" = standard input */
	bool plain;           /* the bytes are those of the file `path` itself: nothing was unpacked */
	size_t input;         /* number of the path that led to it */
	bool named;           /* the user named this very file (not found inside a folder or archive) */
	uint64_t bytes_in;    /* read from the disk so far (packed) */
	uint64_t bytes_out;   /* handed out so far (unpacked) */
};

/* Paths are remembered, not opened.  follow: "-" is standard input. */
struct source *source_new(const char *const *paths, size_t n);
/* The same for bytes that are no text: nothing is converted or taken off, and names that begin with a dot are read too. */
struct source *source_new_bytes(const char *const *paths, size_t n);
void source_free(struct source *s);
/* Next stream; its description is good until the next call.  Folders are walked in byte order of their names, without
 * following a link into a folder seen before.  SOURCE_BROKEN: what *ret names could not be opened, or the rest of that
 * archive cannot be read (see source_error()); call again for the next. */
enum source_status source_next(struct source *s, const struct source_stream **ret);
/* Fills up to `capacity` bytes; *ret_n > 0 with SOURCE_OK.  SOURCE_BROKEN may follow good bytes. */
enum source_status source_read(struct source *s, void *p, size_t capacity, size_t *ret_n);
/* One line for what went wrong last (unreadable file, archive cut short, bomb, loop), naming the stream. */
const char *source_error(const struct source *s);
/* Total bytes on disk of the plain files listed so far, for a progress line; 0 = unknown (stdin) */
uint64_t source_total_bytes(const struct source *s);

/* Problems that belong to no stream (unreadable folder, loop, too many files): taken one by one until NULL. */
const char *source_problem(struct source *s);
/* How many times so far some input was not read to its end: broken streams and problems, but not a loop, a pipe or a
 * folder seen twice, where nothing is missing. */
uint64_t source_losses(const struct source *s);

#endif
