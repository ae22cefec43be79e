/* SPDX-License-Identifier: Apache-2.0 */
/* source_int: what the files of this folder share.
 *
 * A stream is a stack of layers, each of which reads from the one below:
 *
 *     file ── gzip ── tar member ── utf16 ──▶ source_read()
 *
 * A layer hands out bytes until it returns SOURCE_END or SOURCE_BROKEN, and then returns that on every call.  The first bytes of
 * any layer can be looked at without being taken: so the next layer is chosen by what is there, never by a name. */
#ifndef TXM_SOURCE_INT_H
#define TXM_SOURCE_INT_H

#include "base/buf.h"
#include "base/limits.h"
#include "source/source.h"

#define HEAD_BYTES 512             /* enough to know every format we know: a tar header */
#define PIECE_BYTES (64 * KIB)     /* packed bytes read at once */
#define ZSTD_OUT_BYTES (128 * KIB)  /* plain bytes asked of zstd at once: one block of the largest size */
#define WHY_BYTES_MAX (4 * KIB)

struct layer {
	/* Up to `capacity` bytes; may come with SOURCE_END or SOURCE_BROKEN, as the last ones.  SOURCE_OK means > 0. */
	enum source_status (*read)(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n);
	bool (*seek)(struct layer *l, uint64_t offset); /* NULL: only forward */
	void (*release)(struct layer *l);               /* what it holds besides `below` */
	struct layer *below;                            /* owned; NULL at the bottom */
	struct buf *why;                                /* what went wrong, without the name of the stream */
	uint64_t size;                                  /* bytes in all; only with `seek` */
	uint64_t out;                                   /* bytes handed out */
	bool is_unpacker;                               /* out may exceed what below handed out: judge the ratio */
	enum source_status status;                      /* what follows the head */
	size_t head_at, head_n;
	uint8_t head[HEAD_BYTES];
};

/* Bytes, then on every call how they end.  *ret_n > 0 with SOURCE_OK, and 0 otherwise. */
enum source_status layer_read(struct layer *l, void *p, size_t capacity, size_t *ret_n);
/* The first HEAD_BYTES not yet taken, fewer if there are no more. */
struct str layer_peek(struct layer *l);
void layer_skip(struct layer *l, size_t n); /* of what was peeked at */
bool layer_seek(struct layer *l, uint64_t offset);
/* Bytes that came out of the packed thing; reading a part twice counts once. */
uint64_t layer_consumed(const struct layer *l);
/* Sets why, unless it is set already, nearer to the cause; returns SOURCE_BROKEN. */
enum source_status fail_with(struct buf *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define layer_fail(layer, ...) fail_with((layer)->why, __VA_ARGS__)
void layer_free(struct layer *l); /* and all below it; NULL is fine */
/* unpacked and packed bytes that no honest file shows */
bool is_bomb(uint64_t unpacked, uint64_t packed);

#define BYTES_TEXT_SIZE 32
const char *bytes_text(uint64_t n, char out[BYTES_TEXT_SIZE]); /* "12.3 MB" */

/* -- unpack.c: compressors -- */

enum packing {
	PACKING_NONE,
	PACKING_GZIP,
	PACKING_ZSTD,
	PACKING_XZ,
	PACKING_BZIP2,
	PACKING_LZ4,
	PACKING_AVRO,
	PACKING_TAR, /* from here on: archives, which have members */
	PACKING_ZIP,
	PACKING_7Z,
	PACKING_XLSX,    /* and its like, until they are opened */
	PACKING_TEXT,    /* text in a form that is not read */
	PACKING_UNKNOWN, /* known to be packed, in a form that we do not read */
	PACKING_CUT,     /* the whole of it is the beginning of a packing's first bytes */
};

/* *ret_name: what to call it.  is_all: there is nothing after this head. */
enum packing packing_of(struct str head, bool is_all, const char **ret_name);
/* A layer that unpacks gzip, zstd, xz, bzip2 or lz4.  Takes `below`, also when it fails (NULL, with the reason in why). */
struct layer *unpack_new(enum packing packing, struct layer *below);
/* -- avro.c: the JSON in an Avro container, one value a line.  Takes `below`, also when it fails. -- */
struct layer *avro_layer_new(struct layer *below);

/* A zip or 7z must be read from several places: holds the whole of `below` in memory if it is small enough.  Takes
 * `below`.  NULL: the reason is in *ret_status and why. */
struct layer *memory_new(struct layer *below, enum packing packing, enum source_status *ret_status);
struct layer *memory_view(const void *p, size_t n, struct buf *why); /* borrowed bytes as a bottom layer */

/* -- archive.c: archives -- */

/* Reads a member block by block.  libarchive's own archive_read_data() drops what it has copied when the next block is
 * bad; here every byte before a fault comes out.  Holes of a sparse file are zeros. */
struct blocks {
	const uint8_t *p;  /* the library's, until the next block */
	size_t n;
	uint64_t hole;     /* zeros to be given before the block */
	uint64_t position; /* after the block */
};
struct archive;
/* ARCHIVE_OK with bytes, or ARCHIVE_EOF, or libarchive's fault */
int blocks_read(struct blocks *b, struct archive *a, uint8_t *p, size_t capacity, size_t *ret_n);

struct container;

/* Takes `below`, also when it fails (NULL, with the reason in why). */
struct container *container_new(enum packing packing, struct layer *below);
/* The next member that is a file.  SOURCE_END: that was all, and the archive was whole.  SOURCE_BROKEN: with a name, that
 * member cannot be read and others follow; without one, the rest of the archive cannot. */
enum source_status container_next(struct container *c, struct layer **ret_member, struct buf *ret_name);
void container_stop(struct container *c); /* no further members, and no further complaint */
void container_free(struct container *c);

/* -- xlsx.c: an Excel workbook, an archive of sheets as CSV -- */

struct workbook;

/* As container_new() and its companions.  NULL also: an Office document that is no such workbook, which why names. */
struct workbook *workbook_new(struct layer *below);
enum source_status workbook_next(struct workbook *w, struct layer **ret_sheet, struct buf *ret_name);
void workbook_stop(struct workbook *w);
void workbook_free(struct workbook *w);

/* -- utf16.c -- */

/* Takes `below`, which is past its byte order mark, if it has one.  NULL: out of memory, `below` is freed. */
struct layer *utf16_new(struct layer *below, bool big_endian);

/* -- source.c -- */

/* One stream from memory, as if a file of that name had been given: for fuzzing.  The bytes are borrowed. */
struct source *source_new_memory(const void *p, size_t n, const char *name);

#endif
