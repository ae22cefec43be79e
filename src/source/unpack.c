/* SPDX-License-Identifier: Apache-2.0 */
/* unpack: layers in general, what a stream is packed with, and the compressors.
 *
 * gzip, zstd and xz are driven by hand, because one promise matters here more than comfort: data that end early, or are
 * followed by something else, are never taken for whole.  (libarchive reads over some of both.)  The rules
 * are the same for the three:
 *
 *   - the end of input is a good end only between two members (frames, streams);
 *   - several members in a row are one stream, as the tools that make them have it;
 *   - after a member may come another member or zero bytes of padding (zstd: skippable frames), nothing else;
 *   - whatever could be unpacked before a fault is handed out before the fault is reported.
 *
 * bzip2 and lz4 have no library of ours and come through libarchive, with a check of our own for what follows its end.  There the
 * last bytes before a fault, some ten thousand at most, are lost; the amount reported is what was handed out.
 *
 * To add a compressor: a value in enum packing, its first bytes in packing_of(), and a layer made in unpack_new(). */
#include <stdio.h>
#include <stdlib.h>

#include <archive.h>
#include <archive_entry.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "source/source_int.h"

/* -- layers -- */

bool is_bomb(uint64_t unpacked, uint64_t packed)
{
	return unpacked > ARCHIVE_RATIO_FREE_BYTES && unpacked / ARCHIVE_RATIO_MAX > packed;
}

uint64_t layer_consumed(const struct layer *l) { return l->seek && l->out > l->size ? l->size : l->out; }

enum source_status fail_with(struct buf *why, const char *format, ...)
{
	va_list ap;

	if (why->n == 0) {
		va_start(ap, format);
		buf_vprintf(why, format, ap);
		va_end(ap);
	}
	return SOURCE_BROKEN;
}

/* From the layer itself, past the head.  Keeps the status that came with the last bytes for the next call. */
static enum source_status read_through(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	*ret_n = 0;
	while (l->status == SOURCE_OK && *ret_n == 0)
		l->status = l->read(l, p, capacity, ret_n);
	return *ret_n ? SOURCE_OK : l->status;
}

enum source_status layer_read(struct layer *l, void *p, size_t capacity, size_t *ret_n)
{
	enum source_status status = SOURCE_OK;
	size_t n = l->head_n - l->head_at;

	if (n) {
		n = n < capacity ? n : capacity;
		memcpy(p, l->head + l->head_at, n);
		l->head_at += n;
	} else {
		status = read_through(l, p, capacity, &n);
	}
	l->out += n;
	if (l->is_unpacker && is_bomb(l->out, layer_consumed(l->below))) {
		l->head_at = l->head_n = n = 0;
		status = l->status = layer_fail(l, "unpacks to more than %d times its size; not read further, in case it is made to "
		                                "exhaust the reader. Unpack it yourself if you trust it", ARCHIVE_RATIO_MAX);
	}
	*ret_n = n;
	return status;
}

struct str layer_peek(struct layer *l)
{
	size_t n;

	if (l->head_at) {
		l->head_n -= l->head_at;
		memmove(l->head, l->head + l->head_at, l->head_n);
		l->head_at = 0;
	}
	while (l->head_n < HEAD_BYTES && read_through(l, l->head + l->head_n, HEAD_BYTES - l->head_n, &n) == SOURCE_OK)
		l->head_n += n;
	return (struct str){ (const char *)l->head, l->head_n };
}

void layer_skip(struct layer *l, size_t n)
{
	l->head_at += n;
	l->out += n;
}

bool layer_seek(struct layer *l, uint64_t offset)
{
	if (!l->seek || l->status == SOURCE_BROKEN || !l->seek(l, offset))
		return false;
	l->head_at = l->head_n = 0;
	l->status = SOURCE_OK;
	return true;
}

void layer_free(struct layer *l)
{
	while (l) {
		struct layer *below = l->below;

		if (l->release)
			l->release(l);
		free(l);
		l = below;
	}
}

const char *bytes_text(uint64_t n, char out[BYTES_TEXT_SIZE])
{
	static const char *const unit[] = { "KB", "MB", "GB", "TB" };
	double value = (double)n / 1000;
	size_t i = 0;

	if (n < 1000) {
		snprintf(out, BYTES_TEXT_SIZE, "%u byte%s", (unsigned)n, n == 1 ? "" : "s");
		return out;
	}
	for (; value >= 999.95 && i < 3; i++)
		value /= 1000;
	snprintf(out, BYTES_TEXT_SIZE, "%.1f %s", value, unit[i]);
	return out;
}

/* -- bytes in memory -- */

struct memory {
	struct layer l;
	const uint8_t *p;
	uint8_t *owned;
	size_t at;
};

static enum source_status memory_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct memory *m = (struct memory *)l;
	size_t left = (size_t)l->size - m->at, n = left < capacity ? left : capacity;

	if (n)
		memcpy(p, m->p + m->at, n);
	m->at += n;
	*ret_n = n;
	return m->at == l->size ? SOURCE_END : SOURCE_OK;
}

static bool memory_seek(struct layer *l, uint64_t offset)
{
	struct memory *m = (struct memory *)l;

	if (offset > l->size)
		return false;
	m->at = (size_t)offset;
	return true;
}

static void memory_release(struct layer *l) { free(((struct memory *)l)->owned); }

struct layer *memory_view(const void *p, size_t n, struct buf *why)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->l.read = memory_read;
	m->l.seek = memory_seek;
	m->l.release = memory_release;
	m->l.why = why;
	m->l.size = n;
	m->p = p;
	return &m->l;
}

struct layer *memory_new(struct layer *below, enum packing packing, enum source_status *ret_status)
{
	uint8_t *p = NULL, *bigger;
	size_t n = 0, capacity = 0, got;
	struct layer *l = NULL;

	*ret_status = SOURCE_OK;
	for (;;) {
		if (n == capacity) {
			capacity = capacity ? capacity * 2 : PIECE_BYTES;
			capacity = capacity < ARCHIVE_INNER_BYTES_MAX ? capacity : ARCHIVE_INNER_BYTES_MAX + 1;
			bigger = realloc(p, capacity);
			if (!bigger) {
				*ret_status = layer_fail(below, "out of memory");
				goto out;
			}
			p = bigger;
		}
		*ret_status = layer_read(below, p + n, capacity - n, &got);
		if (*ret_status != SOURCE_OK)
			break;
		n += got;
		if (n > ARCHIVE_INNER_BYTES_MAX) {
			*ret_status = layer_fail(below, "%s inside another archive or from a pipe must fit into %zu MB of memory, and this one "
			                         "does not. Unpack it to a file first", packing == PACKING_7Z ? "a 7z archive" : "a zip archive",
			                         ARCHIVE_INNER_BYTES_MAX / MIB);
			goto out;
		}
	}
	/* a broken one is looked at all the same: a zip read from its front gives what is there */
	l = memory_view(p, n, below->why);
	if (!l) {
		*ret_status = layer_fail(below, "out of memory");
		goto out;
	}
	((struct memory *)l)->owned = p;
	l->below = below;
	p = NULL;
	below = NULL;
out:
	free(p);
	layer_free(below);
	return l;
}

/* -- what is it packed with? -- */

static bool starts(struct str head, const char *magic, size_t n)
{
	return head.n >= n && memcmp(head.p, magic, n) == 0;
}

/* A tar header proves itself by a checksum: the sum of its 512 bytes, with the sum's own field taken as blanks. */
static bool is_tar(struct str head)
{
	const uint8_t *p = (const uint8_t *)head.p;
	unsigned sum = 0, stated = 0;
	size_t i = 148;

	if (head.n < 512 || p[0] == '\0')
		return false;
	while (i < 154 && p[i] == ' ')
		i++;
	if (p[i] < '0' || p[i] > '7')
		return false;
	for (; i < 156 && p[i] >= '0' && p[i] <= '7'; i++)
		stated = stated * 8 + (unsigned)(p[i] - '0');
	for (i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : p[i];
	return sum == stated;
}

/* Workbooks and documents are zip archives; the name of their first member distinguishes them from others.  (Whole names of parts:
 * a folder of logs may be called xl.)  Folders before it are passed over. */
static bool is_office(struct str head)
{
	static const char *const first[] = {
		"[Content_Types].xml", "_rels/.rels", "customXml/", "[trash]/", "mimetype", "docProps/app.xml", "docProps/core.xml",
		"docProps/custom.xml", "docProps/thumbnail", "docMetadata/LabelInfo.xml", "package/services/metadata/core-properties/",
		"xl/workbook", "xl/_rels/", "xl/worksheets/", "xl/sharedStrings.", "xl/styles.", "xl/theme/", "xl/drawings/", "xl/media/", "xl/tables/",
		"xl/calcChain.", "xl/metadata.", "xl/externalLinks/", "xl/pivotTables/", "xl/pivotCache/", "xl/comments", "xl/threadedComments/", "xl/persons/",
		"xl/printerSettings/", "xl/charts/", "xl/chartsheets/", "xl/richData/", "xl/queryTables/", "xl/connections.", "xl/vbaProject.bin",
		"word/document.xml", "word/_rels/", "word/styles.xml", "word/settings.xml", "word/theme/", "word/media/", "word/fontTable.xml",
		"ppt/presentation.xml", "ppt/_rels/", "ppt/slides/", "ppt/theme/", "ppt/media/", "ppt/slideLayouts/", "ppt/slideMasters/",
	};

	while (head.n > 30 && starts(head, "PK\3\4", 4)) {
		const uint8_t *p = (const uint8_t *)head.p;
		size_t name = p[26] | (size_t)p[27] << 8, extra = p[28] | (size_t)p[29] << 8;

		for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
			size_t n = strlen(first[i]), k = 0;

			while (k < n && 30 + k < head.n && (head.p[30 + k] == first[i][k] || (head.p[30 + k] == '\\' && first[i][k] == '/')))
				k++;
			if (k == n)
				return true;
		}
		if (name == 0 || head.n < 30 + name + extra || p[30 + name - 1] != '/')
			break;
		head.p += 30 + name + extra;
		head.n -= 30 + name + extra;
	}
	return false;
}

enum packing packing_of(struct str head, bool is_all, const char **ret_name)
{
	static const struct {
		enum packing packing;
		unsigned n;
		const char *magic, *name;
	} known[] = {
		{ PACKING_GZIP, 3, "\x1f\x8b\x08", "gzip" },
		{ PACKING_ZSTD, 4, "\x28\xb5\x2f\xfd", "zstd" },
		{ PACKING_XZ, 6, "\xfd" "7zXZ\0", "xz" },
		{ PACKING_AVRO, 4, "Obj\1", "Avro" },
		{ PACKING_ZIP, 4, "PK\3\4", "zip" },
		{ PACKING_ZIP, 4, "PK\5\6", "zip" }, /* one without members */
		{ PACKING_7Z, 6, "7z\xbc\xaf\x27\x1c", "7z" },
		{ PACKING_UNKNOWN, 4, "PK\7\x8", "a zip archive in several parts" },
		{ PACKING_UNKNOWN, 6, "Rar!\x1a\7", "a RAR archive" },
		{ PACKING_UNKNOWN, 4, "MSCF", "a cabinet archive" },
		{ PACKING_LZ4, 4, "\x04\x22\x4d\x18", "lz4" },
		{ PACKING_UNKNOWN, 2, "\x1f\x9d", "compressed by the old compress" },
		{ PACKING_TEXT, 4, "\xff\xfe\0\0", "UTF-32 text" },
		{ PACKING_TEXT, 4, "\0\0\xfe\xff", "UTF-32 text" },
	};

	*ret_name = "an Office workbook or document";
	if (is_office(head))
		return PACKING_XLSX;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		*ret_name = known[i].name;
		if (starts(head, known[i].magic, known[i].n))
			return known[i].packing;
	}
	for (size_t i = 0; i < 7 && is_all; i++) { /* gzip, zstd, xz: their first byte alone is no text worth reading */
		*ret_name = known[i].name;
		if (head.n >= (i < 3 ? 1 : 3) && head.n < known[i].n && memcmp(head.p, known[i].magic, head.n) == 0)
			return PACKING_CUT;
	}
	*ret_name = "zstd";
	if (head.n >= 4 && ((uint8_t)head.p[0] & 0xf0) == 0x50 && memcmp(head.p + 1, "\x2a\x4d\x18", 3) == 0) /* skippable frame */
		return PACKING_ZSTD;
	*ret_name = "bzip2";
	if (head.n >= 10 && starts(head, "BZh", 3) && head.p[3] >= '1' && head.p[3] <= '9' &&
	    (memcmp(head.p + 4, "1AY&SY", 6) == 0 || memcmp(head.p + 4, "\x17rE8P\x90", 6) == 0))
		return PACKING_BZIP2;
	if (is_all && head.n > 3 && head.n < 10 && starts(head, "BZh", 3) &&
	    (memcmp(head.p + 4, "1AY&SY", head.n - 4) == 0 || memcmp(head.p + 4, "\x17rE8P\x90", head.n - 4) == 0))
		return PACKING_CUT;
	*ret_name = "tar";
	return is_tar(head) ? PACKING_TAR : PACKING_NONE;
}

/* -- compressors -- */

struct unpacker {
	struct layer l;
	const char *name;
	enum source_status input; /* status of the packed input after the bytes in `in` */
	size_t in_at, in_n;
	uint64_t members;         /* whole ones so far */
	bool in_member;
	bool in_padding;          /* zero bytes after a member: only more of them may come */
	bool is_open;             /* the library's state below must be ended */
	union {
		z_stream gzip;
		struct {
			ZSTD_DCtx *zstd;
			uint8_t *zstd_out;        /* ZSTD_OUT_BYTES, of which [zstd_at, zstd_n) wait to be handed out */
			size_t zstd_at, zstd_n;
			enum source_status zstd_status; /* once they are */
			size_t zstd_error;        /* of the library; 0 = it has none */
		};
		lzma_stream xz;
		struct {
			struct archive *bzip2; /* or lz4 */
			struct blocks blocks;
			int filter;
		};
	};
	uint8_t in[PIECE_BYTES];
};

static void refill(struct unpacker *u)
{
	if (u->in_at < u->in_n || u->input != SOURCE_OK)
		return;
	u->in_at = 0;
	u->input = layer_read(u->l.below, u->in, sizeof(u->in), &u->in_n);
}

/* all that was unpacked: handed out, looked at, and `produced` just now */
static const char *unpacked_text(const struct unpacker *u, size_t produced, char out[BYTES_TEXT_SIZE])
{
	return bytes_text(u->l.out + (u->l.head_n - u->l.head_at) + produced, out);
}

static enum source_status ends_early(struct unpacker *u, size_t produced)
{
	char text[BYTES_TEXT_SIZE];

	return layer_fail(&u->l, "compressed data ends early after %s; what came before was read",
	                  unpacked_text(u, produced, text));
}

static enum source_status goes_on_wrong(struct unpacker *u)
{
	return layer_fail(&u->l, "the %s data are followed by other bytes, which were not read", u->name);
}

static enum source_status is_damaged(struct unpacker *u, size_t produced)
{
	char text[BYTES_TEXT_SIZE];

	return layer_fail(&u->l, "damaged %s data after %s; what came before was read", u->name,
	                  unpacked_text(u, produced, text));
}

static enum source_status gzip_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct unpacker *u = (struct unpacker *)l;
	enum source_status status = SOURCE_OK;
	size_t n = 0;

	while (n < capacity && status == SOURCE_OK) {
		size_t before = n;
		bool is_dry;
		int rc;

		refill(u);
		is_dry = u->in_at == u->in_n && u->input != SOURCE_OK;
		if (is_dry && !u->in_member) {
			status = u->input;
			break;
		}
		if (!u->in_member && u->members && u->in[u->in_at] == 0) {
			u->in_padding = true;
			u->in_at++;
			continue;
		}
		if (!u->in_member) {
			if (u->in_padding || (u->members && u->in[u->in_at] != 0x1f)) {
				status = goes_on_wrong(u);
				break;
			}
			inflateReset(&u->gzip);
			u->in_member = true;
		}
		u->gzip.next_in = u->in + u->in_at;
		u->gzip.avail_in = (uInt)(u->in_n - u->in_at);
		u->gzip.next_out = p + n;
		u->gzip.avail_out = (uInt)(capacity - n < UINT32_MAX ? capacity - n : UINT32_MAX);
		rc = inflate(&u->gzip, Z_NO_FLUSH);
		u->in_at = u->in_n - u->gzip.avail_in;
		n = (size_t)(u->gzip.next_out - p);
		if (rc == Z_STREAM_END) {
			u->in_member = false;
			u->members++;
		} else if (rc == Z_MEM_ERROR) {
			status = layer_fail(l, "out of memory");
		} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			status = u->members && u->gzip.total_out == 0 ? goes_on_wrong(u) : is_damaged(u, n);
		} else if (is_dry && n == before) { /* not before the library has given what it still held */
			status = u->input == SOURCE_END ? ends_early(u, n) : u->input;
		}
	}
	*ret_n = n;
	return status;
}

/* The next piece of plain bytes into zstd_out.  Always the same room for the library: where a whole frame fits, it goes
 * another way inside, which on damaged data gives less before the fault than it would have given piece by piece. */
static enum source_status zstd_more(struct unpacker *u)
{
	enum source_status status = SOURCE_OK;
	ZSTD_outBuffer out = { u->zstd_out, ZSTD_OUT_BYTES, 0 };

	while (out.pos < out.size && status == SOURCE_OK) {
		ZSTD_inBuffer in;
		size_t rc, before = out.pos;

		refill(u);
		if (u->in_at == u->in_n && u->input != SOURCE_OK && !u->in_member) {
			status = u->input;
			break;
		}
		/* also without input: at the end of a frame the library may still hold bytes back */
		in = (ZSTD_inBuffer){ u->in, u->in_n, u->in_at };
		rc = ZSTD_decompressStream(u->zstd, &out, &in);
		if (ZSTD_isError(rc)) {
			u->zstd_error = rc;
			status = SOURCE_BROKEN;
			break;
		}
		u->members += rc == 0 && (u->in_member || in.pos > u->in_at);
		u->in_member = rc != 0;
		if (in.pos == u->in_at && out.pos == before && u->in_at == u->in_n && u->input != SOURCE_OK && rc != 0)
			status = SOURCE_BROKEN;
		u->in_at = in.pos;
	}
	u->zstd_at = 0;
	u->zstd_n = out.pos;
	return status;
}

/* Why it ends here; reported when the bytes before it are handed out, not when they were made. */
static enum source_status zstd_fault(struct unpacker *u, size_t produced)
{
	if (!u->zstd_error)
		return u->input == SOURCE_END ? ends_early(u, produced) : u->input;
	switch (ZSTD_getErrorCode(u->zstd_error)) {
	case ZSTD_error_frameParameter_windowTooLarge:
		return layer_fail(&u->l, "zstd data made for a window of more than %d MB. Unpack it first: zstd -d --long=31",
		                  (1 << ZSTD_WINDOW_LOG_MAX) / (int)MIB);
	case ZSTD_error_memory_allocation:
		return layer_fail(&u->l, "out of memory");
	case ZSTD_error_prefix_unknown:
		return u->members ? goes_on_wrong(u) : is_damaged(u, produced);
	default:
		return is_damaged(u, produced);
	}
}

static enum source_status zstd_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct unpacker *u = (struct unpacker *)l;
	size_t n;

	if (u->zstd_at == u->zstd_n && u->zstd_status == SOURCE_OK)
		u->zstd_status = zstd_more(u);
	n = u->zstd_n - u->zstd_at < capacity ? u->zstd_n - u->zstd_at : capacity;
	if (n)
		memcpy(p, u->zstd_out + u->zstd_at, n);
	u->zstd_at += n;
	*ret_n = n;
	if (u->zstd_at < u->zstd_n)
		return SOURCE_OK;
	return u->zstd_status == SOURCE_BROKEN ? zstd_fault(u, n) : u->zstd_status;
}

static enum source_status xz_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct unpacker *u = (struct unpacker *)l;
	enum source_status status = SOURCE_OK;

	u->xz.next_out = p;
	u->xz.avail_out = capacity;
	while (u->xz.avail_out && status == SOURCE_OK) {
		lzma_ret rc;
		size_t n;

		refill(u);
		u->xz.next_in = u->in + u->in_at;
		u->xz.avail_in = u->in_n - u->in_at;
		rc = lzma_code(&u->xz, u->in_at == u->in_n && u->input != SOURCE_OK ? LZMA_FINISH : LZMA_RUN);
		u->in_at = u->in_n - u->xz.avail_in;
		n = capacity - u->xz.avail_out;
		switch (rc) {
		case LZMA_OK:
			break;
		case LZMA_STREAM_END: /* only after LZMA_FINISH */
			status = u->input;
			break;
		case LZMA_BUF_ERROR:
			if (u->in_at == u->in_n && u->input != SOURCE_OK)
				status = u->input == SOURCE_END ? ends_early(u, n) : u->input;
			break;
		case LZMA_MEM_ERROR:
			status = layer_fail(l, "out of memory");
			break;
		case LZMA_MEMLIMIT_ERROR:
			status = layer_fail(l, "xz data that need more than %zu MB of memory to unpack. Unpack it first: xz -d",
			                    XZ_MEMORY_BYTES_MAX / MIB);
			break;
		case LZMA_FORMAT_ERROR: /* the first stream's magic was seen before we came here */
			status = goes_on_wrong(u);
			break;
		default:
			status = is_damaged(u, n);
		}
	}
	*ret_n = capacity - u->xz.avail_out;
	return status;
}

/* -- bzip2 and lz4, as libarchive's "raw" archive with one nameless member -- */

static la_ssize_t bzip2_input(struct archive *a, void *arg, const void **ret)
{
	struct unpacker *u = arg;

	(void)a;
	*ret = u->in;
	u->input = layer_read(u->l.below, u->in, sizeof(u->in), &u->in_n);
	if (u->input == SOURCE_BROKEN)
		return -1;
	return u->input == SOURCE_OK ? (la_ssize_t)u->in_n : 0;
}

static enum source_status bzip2_fault(struct unpacker *u)
{
	if (u->input == SOURCE_END)
		return ends_early(u, 0);
	return is_damaged(u, 0); /* if the input is broken, that has been reported and stays */
}

/* libarchive stops when a stream has ended and no other follows.  Was that all the input? */
static enum source_status bzip2_end(struct unpacker *u)
{
	uint64_t given = u->l.below->out, used = (uint64_t)archive_filter_bytes(u->bzip2, -1);

	if (u->input == SOURCE_OK && used == given)
		u->input = layer_read(u->l.below, u->in, sizeof(u->in), &u->in_n);
	return u->input == SOURCE_OK || used < given ? goes_on_wrong(u) : u->input;
}

/* The library looks at input when it is opened, so this waits for the first read. */
static enum source_status bzip2_open(struct unpacker *u)
{
	struct archive_entry *entry;
	int rc;

	u->bzip2 = archive_read_new();
	if (!u->bzip2)
		return layer_fail(&u->l, "out of memory");
	u->is_open = true;
	/* exactly one bzip2, where libarchive would by itself go on unpacking what it finds inside; anything but ARCHIVE_OK
	 * says that it would start another program for it */
	if (archive_read_append_filter(u->bzip2, u->filter) != ARCHIVE_OK)
		return layer_fail(&u->l, "%s is not built into this system's libarchive. Unpack it first: %s -d", u->name, u->name);
	archive_read_support_format_raw(u->bzip2);
	archive_read_support_format_empty(u->bzip2);
	/* opening reads the first bytes; if they are bad it reports that and goes on as if there were none */
	if (archive_read_open(u->bzip2, u, NULL, bzip2_input, NULL) != ARCHIVE_OK || archive_errno(u->bzip2) != 0)
		return bzip2_fault(u);
	rc = archive_read_next_header(u->bzip2, &entry);
	if (rc == ARCHIVE_EOF)
		return bzip2_end(u);
	return rc == ARCHIVE_OK ? SOURCE_OK : bzip2_fault(u);
}

static enum source_status bzip2_read(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct unpacker *u = (struct unpacker *)l;
	enum source_status status = SOURCE_OK;
	int rc;

	if (!u->is_open)
		status = bzip2_open(u);
	if (status != SOURCE_OK)
		return status;
	rc = blocks_read(&u->blocks, u->bzip2, p, capacity, ret_n);
	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF)
		return bzip2_fault(u);
	return rc == ARCHIVE_OK ? SOURCE_OK : bzip2_end(u);
}

static void gzip_release(struct layer *l) { inflateEnd(&((struct unpacker *)l)->gzip); }
static void zstd_release(struct layer *l)
{
	ZSTD_freeDCtx(((struct unpacker *)l)->zstd);
	free(((struct unpacker *)l)->zstd_out);
}

static void xz_release(struct layer *l) { lzma_end(&((struct unpacker *)l)->xz); }

static void bzip2_release(struct layer *l)
{
	if (((struct unpacker *)l)->is_open)
		archive_read_free(((struct unpacker *)l)->bzip2);
}

struct layer *unpack_new(enum packing packing, struct layer *below)
{
	struct unpacker *u = calloc(1, sizeof(*u));
	bool ok = false;

	if (!u)
		goto out;
	u->l.is_unpacker = true;
	u->l.why = below->why;
	switch (packing) {
	case PACKING_GZIP:
		u->name = "gzip";
		u->l.read = gzip_read;
		ok = inflateInit2(&u->gzip, 16 + MAX_WBITS) == Z_OK; /* 16: with gzip's header and sum */
		u->l.release = ok ? gzip_release : NULL;
		break;
	case PACKING_ZSTD:
		u->name = "zstd";
		u->l.read = zstd_read;
		u->zstd = ZSTD_createDCtx();
		u->zstd_out = malloc(ZSTD_OUT_BYTES);
		ok = u->zstd && u->zstd_out && !ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX));
		u->l.release = zstd_release;
		break;
	case PACKING_XZ:
		u->name = "xz";
		u->l.read = xz_read;
		u->xz = (lzma_stream)LZMA_STREAM_INIT;
		ok = lzma_stream_decoder(&u->xz, XZ_MEMORY_BYTES_MAX, LZMA_CONCATENATED) == LZMA_OK;
		u->l.release = xz_release;
		break;
	case PACKING_BZIP2:
	case PACKING_LZ4:
		u->name = packing == PACKING_LZ4 ? "lz4" : "bzip2";
		u->filter = packing == PACKING_LZ4 ? ARCHIVE_FILTER_LZ4 : ARCHIVE_FILTER_BZIP2;
		u->l.read = bzip2_read;
		u->l.release = bzip2_release;
		ok = true;
		break;
	default:
		break;
	}
out:
	if (!ok) {
		layer_fail(below, "out of memory");
		layer_free(u ? &u->l : NULL);
		layer_free(below);
		return NULL;
	}
	u->l.below = below;
	return &u->l;
}
