/* SPDX-License-Identifier: Apache-2.0 */
/* decode: bytes to records.
 *
 * A stream is recognised from its first bytes (sniff.c) and cut into blocks of whole records (frame.c, one per stream, in
 * the reading thread); a decoder (one a thread) turns a block into recs, each handed on at once.  The wrapping around
 * a record is found anew for each record, so a file may mix them.
 *
 * To add a format: decode/foo.c with `const struct format format_foo` at its end, FORMAT(foo) in decode/list.h, a case
 * folder in tests/cases, a seed in tests/fuzz/seeds/decode. */
#ifndef TXM_DECODE_DECODE_H
#define TXM_DECODE_DECODE_H

#include "base/buf.h"
#include "base/timefmt.h"
#include "base/zone.h"
#include "decode/fields.h"
#include "event/names.h"
#include "event/rec.h"

#define REJECT(symbol, name, doc) REJECT_##symbol,
enum reject {
#include "decode/rejects.h"
	REJECT_COUNT
};
#undef REJECT
extern const char *const reject_names[REJECT_COUNT]; /* "bad_json" */
extern const char *const reject_docs[REJECT_COUNT];

/* what is not whole about records that were taken */
#define NOTE(symbol, name, doc, flag, incomplete) NOTE_##symbol,
enum note {
#include "decode/notes.h"
	NOTE_COUNT
};
#undef NOTE
extern const struct note_row {
	const char *name; /* "folders_lost" */
	const char *doc;
	uint32_t flag;    /* REC_..., 0: none */
	bool incomplete;
} note_rows[NOTE_COUNT];

/* files found next to exports that are recognised but not read */
#define STRANGER(symbol, name, lost, sentence, remedy) STRANGER_##symbol,
enum stranger {
#include "decode/strangers.h"
	STRANGER_COUNT
};
extern const struct stranger_row {
	const char *name;     /* "message_trace" */
	bool lost;            /* it may hold a log: where it is left out, something is missing */
	const char *sentence; /* "message traces hold no audit record" */
	const char *remedy;   /* "Give them with ..." */
} stranger_rows[STRANGER_COUNT];
struct stranger_set { uint64_t bits[(STRANGER_COUNT + 63) / 64]; };
static inline void stranger_set_add(struct stranger_set *s, enum stranger x) { s->bits[x / 64] |= UINT64_C(1) << (x % 64); }
static inline bool stranger_set_has(const struct stranger_set *s, enum stranger x) { return s->bits[x / 64] >> (x % 64) & 1; }
static inline void stranger_set_join(struct stranger_set *s, const struct stranger_set *other)
{
	for (size_t i = 0; i < sizeof s->bits / sizeof s->bits[0]; i++)
		s->bits[i] |= other->bits[i];
}
/* What a stream is of whose first bytes no format was recognised; all: they are the whole of it. */
enum stranger stranger_find(const char *p, size_t n, bool all);

/* -- sniffing and framing -- */

enum framing {
	FRAME_UNKNOWN, /* no audit export */
	FRAME_LINES,   /* one JSON value a line, perhaps after a syslog head */
	FRAME_VALUES,  /* JSON values over several lines, or one long line: arrays, pages, PowerShell */
	FRAME_ROWS,    /* CSV */
};

struct csv_header {
	char zone[TIME_COLUMNS][ZONE_TEXT_MAX]; /* the zone that the header names for a column of times (times.c); "" = nothing */
	uint16_t column[CSV_COLUMNS_MAX]; /* field + 1, 0 = not one of ours */
	uint32_t columns;
	uint32_t last_known;              /* columns after it are not looked at */
	char delimiter;                   /* , ; or TAB */
};

/* A value of JSON in a block.  SOFT: a member of a page around it, in which there may be records, or none; ROW: of a table, whose columns
 * are the block's header. */
enum part_kind { PART_VALUE, PART_SOFT, PART_ROW };
struct part {
	uint32_t begin, end;
	enum part_kind kind;
};

/* What a block is made of.  Its buffer is the caller's and is swapped with the frame's, so that bytes are read once and
 * not copied.  p[n] is writable: a NUL is put there. */
struct block {
	char *p;
	size_t n, capacity;
	enum framing framing;
	const struct csv_header *header; /* FRAME_ROWS, PART_ROW: the one in force; lives as long as the frame's stream */
	uint64_t file;                   /* number of the stream */
	uint64_t offset;                 /* of p[0] in the stream */
	struct part *parts;              /* FRAME_VALUES: each value in the block */
	size_t part_count, part_capacity;
	enum reject broken;              /* the whole block is this reject; TRUNCATED: only its last record; REJECT_COUNT: no */
};
void block_release(struct block *b);

/* The cutter of one stream.  frame_room() + frame_fill() bring bytes in; frame_take() gives blocks until it wants more. */
struct frame;
struct frame *frame_new(void); /* NULL: out of memory */
void frame_free(struct frame *f);
void frame_begin(struct frame *f, uint64_t file); /* a new stream; blocks of the old one must be done with their header */
char *frame_room(struct frame *f, size_t *ret_capacity); /* at least READ_CHUNK_BYTES; NULL: out of memory */
void frame_fill(struct frame *f, size_t n);
/* Next block of whole records.  final: the stream has ended, what is left is all there will be.  False: nothing whole yet
 * (or, when final, nothing left). */
bool frame_take(struct frame *f, bool final, struct block *ret);
/* After the last block: the stream ended inside a list that it had opened, between two of its values.  No value shows it. */
bool frame_ends_open(const struct frame *f);
bool frame_too_deep(const struct frame *f); /* lists in lists, deeper than any export: an attack */
bool frame_failed(const struct frame *f); /* out of memory */
enum framing frame_framing(const struct frame *f); /* FRAME_UNKNOWN until enough was read */
bool frame_sniffed(const struct frame *f);
enum stranger frame_stranger(const struct frame *f); /* what it is if no record comes of it */
const char *framing_name(enum framing x);

/* sniff.c: what the first bytes of a stream are; header is filled for FRAME_ROWS, *ret_skip = bytes before the first row */
enum framing sniff(const char *p, size_t n, bool final, struct csv_header *header, size_t *ret_skip);

/* -- decoding -- */

struct reject_note { /* a verbatim sample, the first of its kind in stream order */
	uint64_t file, offset;
	char text[REJECT_SAMPLE_BYTES + 1];
	uint16_t n;
};

struct decoder_counts {
	uint64_t records;               /* handed on */
	uint64_t rejects[REJECT_COUNT];
	uint64_t notes[NOTE_COUNT];
	uint8_t order_seen[TIME_COLUMNS]; /* what its times show about day and month, see order_decide() */
	uint64_t rows;                  /* that hold a record as AuditData, as a search of the audit log writes them */
	struct stranger_set strangers;  /* kinds of the records that no format wanted */
	uint32_t formats;               /* bit n: format n of list.h decoded at least one record */
};

struct decoder;
/* take() gets each record; it is good only during the call. */
struct decoder *decoder_new(void (*take)(void *arg, const struct rec *r), void *arg);
void decoder_free(struct decoder *d);
/* Mail records carry what they list as details (event/items.h) if keep() returns true; NULL (the default): none does.  keep()
 * sees the record with its time, subjects and ids in place, and the decoder's names; it may be called from many threads. */
void decoder_keep_items(struct decoder *d, bool (*keep)(void *arg, const struct rec *r, const struct names *n), void *arg);
/* The zone of times whose column is headed by a local time that is not named further; borrowed. NULL (the default): read as UTC,
 * and flagged REC_TIME_ZONE. */
void decoder_timezone(struct decoder *d, const struct zone *z);
/* Decodes a block and adds to *counts (the block's own: zeroed by the caller). */
void decoder_run(struct decoder *d, const struct block *b, struct decoder_counts *counts);
struct names *decoder_names(struct decoder *d);
struct claims;
const struct claims *decoder_claims(const struct decoder *d); /* what the exports say about themselves (claims.h) */
/* the samples kept, REJECT_SAMPLES_MAX a reason, ordered by (file, offset) */
const struct reject_note *decoder_samples(const struct decoder *d, enum reject r, size_t *ret_n);
bool decoder_failed(const struct decoder *d); /* out of memory at some point: records were lost */

/* -- the order of day and month (times.c) -- */

struct time_open { /* a time in both of its readings */
	int64_t us, other_us;
	uint32_t flags, other_flags; /* REC_TIME_... */
	uint8_t column, style;
};
/* During take(), of a record flagged REC_TIME_ORDER: its other reading, and the column that decides. */
const struct time_open *decoder_time_open(const struct decoder *d);
/* The order in a file of which `seen` is the union of decoder_counts.order_seen of all its blocks: that of its own column, else of the
 * other columns of the file; ORDER_OPEN: nothing, or both. */
enum time_order order_decide(const uint8_t seen[TIME_COLUMNS], const struct time_open *o);
/* Does a column have both dates with dots, day first, and dates with slashes, month first? */
bool order_swapped(const uint8_t seen[TIME_COLUMNS]);
/* Gives the record the time that follows; ORDER_OPEN: nothing changes. */
void order_settle(struct rec *r, const struct time_open *o, enum time_order order);

extern const char *const format_names[]; /* by bit of counts.formats, NULL-terminated */

#endif
