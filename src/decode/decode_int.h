/* SPDX-License-Identifier: Apache-2.0 */
/* decode_int: what the files of decode/ share among themselves. */
#ifndef TXM_DECODE_DECODE_INT_H
#define TXM_DECODE_DECODE_INT_H

#include "base/addr.h"
#include "base/guid.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "decode/claims.h"
#include "decode/decode.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Why a record was or was not taken. */
enum verdict {
	TAKEN,
	REJECTED,  /* already counted by decode_reject() */
	NOT_MINE,  /* try the next format */
};

struct format {
	const char *name;
	const char *doc;
	/* Looks at which members there are; cheap. */
	bool (*match)(const struct fields *f);
	enum verdict (*decode)(struct decoder *d, struct fields *f);
};

/* bump memory of one record; everything unescaped or unwrapped stays here until the record is done */
struct arena {
	char *p;
	size_t used, capacity;
	struct arena_block *old;
};
void *arena_take(struct arena *a, size_t n); /* NULL: ceiling or memory; 64 readable bytes follow */
void arena_reset(struct arena *a);
void arena_release(struct arena *a);

enum { SHAPE_DEPTH_MAX = 4, INDEXERS = UNWRAP_DEPTH_MAX + 2 + SHAPE_DEPTH_MAX };

#define CLIENT_CACHE 256
#define DECODER_ZONES 4
#define TEXT_CACHE 8192 /* a power of two */

/* raw text -> reference: saves folding, parsing and looking up a text seen a moment ago.  Two ways of one line. */
struct text_cache {
	struct { uint64_t key, ref; } at[TEXT_CACHE];
};
static inline uint64_t text_cache_get(const struct text_cache *c, uint64_t key)
{
	size_t slot = key % TEXT_CACHE;
	return c->at[slot].key == key ? c->at[slot].ref : c->at[slot ^ 1].key == key ? c->at[slot ^ 1].ref : 0;
}
static inline void text_cache_put(struct text_cache *c, uint64_t key, uint64_t ref)
{
	size_t slot = key % TEXT_CACHE;
	c->at[slot ^ 1] = c->at[slot]; /* the entry that was here moves to the other way */
	c->at[slot].key = key;
	c->at[slot].ref = ref;
}

/* Text of this block that was not UTF-8, as UTF-8 (recode.c): a value, or all of the block with some of its lines recoded. */
struct recoded_range { size_t begin, end, from, old_end; }; /* recoded bytes, and what they were in the block */
struct recoded {
	struct buf text;
	struct recoded_range *at;
	size_t n, capacity;        /* n = 0: nothing is recoded */
};

struct decoder {
	void (*take)(void *arg, const struct rec *r);
	void *arg;
	bool (*keep_items)(void *arg, const struct rec *r, const struct names *n); /* NULL: lists are summed and dropped */
	void *keep_items_arg;
	bool keeps_items;          /* this record does */
	struct names names;
	struct arena arena;
	struct json_indexer *indexer[INDEXERS]; /* one a level of unwrapping; [0] for blocks; then those of texts in members */
	struct fields *fields[UNWRAP_DEPTH_MAX + 2];
	struct field_order order[UNWRAP_DEPTH_MAX + 2];
	unsigned level;            /* of unwrapping at this moment */
	unsigned texts;            /* of JSON open inside a member of this record */
	struct recoded recoded;
	struct rec_builder b;
	uint8_t rank;              /* of this envelope, see rec.rank */
	uint32_t flags;            /* REC_... that the envelope adds to the record inside */
	struct { /* what a diagnostic envelope states about the record inside; zero outside one */
		enum signin_kind signin;
		struct str tenant, time, ip, operation;
	} outer;
	struct time_open when;     /* the time that was read last */
	const struct zone *timezone; /* of local times, borrowed; NULL = not given */
	struct { struct zone *zone; uint8_t n; char name[ZONE_TEXT_MAX]; } zones[DECODER_ZONES]; /* of headers seen so far */
	unsigned zone_next;
	struct claims *claims;     /* what the export says about itself */
	struct decoder_counts *counts;
	const struct block *block;
	struct str whole;          /* the outermost text of this record, for samples */
	struct reject_note samples[REJECT_COUNT][REJECT_SAMPLES_MAX];
	uint8_t sample_count[REJECT_COUNT];
	bool failed;
	uint8_t format_at;         /* number of the format at work */
	struct { uint64_t key, ref; } clients[CLIENT_CACHE]; /* raw client tuple -> reference */
	struct text_cache mailboxes, actors;
	struct { uint64_t key; bool known; uint8_t kind; } strangers[64]; /* members in this order -> what that is */
	uint64_t last_tenant_hash, last_tenant_ref;
	struct { uint8_t n; uint16_t op; char text[53]; uint64_t ref; } ops[64]; /* operations seen a moment ago */
};

enum verdict decode_reject(struct decoder *d, enum reject why);
/* One level of unwrapping more, at which no members were read yet: those of an earlier record may be in freed memory. */
static inline void decode_deeper(struct decoder *d)
{
	d->level++;
	fields_clear(d->fields[d->level]);
}
/* rejects a record that no format wanted, as what it is known to be */
enum verdict decode_stranger(struct decoder *d, const struct fields *f);
/* Counts something that is not whole; for notes without a flag of the record. */
static inline void decode_note(struct decoder *d, enum note what) { d->counts->notes[what]++; }
/* One value of JSON (an object: a record or an envelope; an array: each element). Returns the number after it, or
 * WALK_BAD / WALK_DEEP (not counted yet). */
uint32_t decode_value(struct decoder *d, const struct json_index *x, uint32_t v);
/* an object or array inside this record, of the same index, one level deeper */
enum verdict decode_inner(struct decoder *d, const struct json_index *x, uint32_t v);
/* The same of text that holds JSON, one level deeper.  If it is damaged, what is whole of it is taken, and what is missing comes
 * from the columns of the row around it (NULL: there is none). */
enum verdict decode_text(struct decoder *d, struct str text, const struct fields *row);
/* text that holds a record, perhaps after a syslog head; row: the row that it is a cell of, or NULL.  NOT_MINE: there is no object in it */
enum verdict decode_record_text(struct decoder *d, struct str text, const struct fields *row);
/* nothing but the row's own columns; NOT_MINE: they are none of a record */
enum verdict decode_columns(struct decoder *d, const struct fields *f);
/* a record without its members' order: the bare audit record's own decoder, for envelopes that only rename members */
enum verdict decode_audit(struct decoder *d, struct fields *f);
/* the same for sign-ins and Graph activity */
enum verdict decode_signin(struct decoder *d, struct fields *f);
enum verdict decode_graph_activity(struct decoder *d, struct fields *f);
unsigned decode_op_kinds(unsigned op);
/* recode.c: a text of the block, or a block of rows, that is not UTF-8.  False: it is, or it is not Windows-1252 either. */
bool recode_text(struct decoder *d, struct str *text);
bool recode_rows(struct decoder *d, const struct block *b, struct block *ret);
bool recode_touched(const struct decoder *d, struct str s); /* was any of it recoded? */
bool recode_offset(const struct decoder *d, struct str s, uint64_t *ret); /* of recoded text: where in the block; false: it is not */
/* offers the members to the formats */
enum verdict decode_fields(struct decoder *d, struct fields *f);
/* the member of a column's name, FIELD_COUNT: none of ours (sniff.c) */
enum field column_field(struct str name, struct str *ret_zone); /* a heading to its field; its zone, if it names one */
/* is this row of CSV a header of a table of ours? (sniff.c) */
bool csv_header_row(const char *p, size_t n, struct csv_header *h);
/* table.c: the columns of a table of JSON, from the text of their list; false: none is known.  And a row of it. */
bool table_header(const char *p, size_t n, struct csv_header *ret);
bool table_row(struct fields *to, const struct json_index *x, uint32_t row, const struct csv_header *h);
/* the first brace in the text followed by a member's name, NULL: none */
const char *find_object(struct str text);
/* hands the record on */
enum verdict decode_emit(struct decoder *d);

/* -- members as values.  False: absent, null, empty, or of no use as that type -- */
bool get_text_slowly(struct decoder *d, const struct fields *f, enum field x, struct str *ret);
bool get_int(struct decoder *d, const struct fields *f, enum field x, int64_t *ret);
bool get_bool(struct decoder *d, const struct fields *f, enum field x, bool *ret);
bool get_guid(struct decoder *d, const struct fields *f, enum field x, uint8_t ret[16]);
bool get_time(struct decoder *d, const struct fields *f, enum field x, int64_t *ret_us);
/* A nested value, whether it is JSON or text of JSON (which is indexed one level deeper: the value is good until the next
 * get_nested or decode_text of this level). */
bool get_nested(struct decoder *d, const struct fields *f, enum field x, struct json_index *ret_x, uint32_t *ret_v);
/* the same on plain values */
bool value_text(struct decoder *d, const struct json_index *x, uint32_t v, struct str *ret); /* strings, numbers, booleans */
bool parse_int(struct str s, int64_t *ret);
bool parse_bool(struct str s, bool *ret);
bool guid_is_zero(const uint8_t g[16]);
/* member of an object by name (few members, cold) ; WALK_BAD = none */
uint32_t object_member(const struct json_index *x, uint32_t v, struct str name);
/* Is there a backslash in it?  Almost never: a call would cost more than the look.  The text is in a block or in the
 * arena, both with 64 readable bytes after their end. */
static inline bool has_escape(struct str s)
{
#ifdef __SSE2__
	if (s.n <= 64) {
		for (size_t i = 0; i < s.n; i += 16) {
			__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + i));
			unsigned hit = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
			if (s.n - i < 16)
				hit &= (1u << (s.n - i)) - 1;
			if (hit)
				return true;
		}
		return false;
	}
#endif
	return memchr(s.p, '\\', s.n) != NULL;
}

static inline bool get_text(struct decoder *d, const struct fields *f, enum field x, struct str *ret)
{
	if (!field_has(f, x))
		return false;
	if (!f->is_row) {
		/* a string without escapes and without blanks after it: nearly all there are */
		const char *p = f->d.p;
		uint32_t a = f->d.at[f->v[x]], z = f->d.at[f->v[x] + 1];
		struct str s = { p + a + 1, z - a - 2 };
		if (p[a] == '"' && p[z - 1] == '"' && z > a + 2 && !has_escape(s)) {
			*ret = s;
			return true;
		}
	}
	return get_text_slowly(d, f, x, ret);
}
static inline struct str key_text(const struct json_index *x, uint32_t key) { return walk_raw_string(x, key); }

/* -- pieces of records (rec_parts.c, mail.c, client.c, detail.c) -- */
void put_op(struct decoder *d, struct str operation);
/* The record's id: a GUID, or the hash of its text, which is kept as a name.  False: none that distinguishes records (the zero
 * GUID; a text without a digit, which is a mask like "[REDACTED]"). */
bool put_id(struct decoder *d, struct str text);
/* no id in the record: a hash of all that was read of it, so that equal content is one record; to be called last */
void put_made_id(struct decoder *d);
void put_token(struct decoder *d, struct str text);
void put_session(struct decoder *d, struct str text);
void put_device(struct decoder *d, struct str text);
void put_actor(struct decoder *d, struct str text);
void put_tenant(struct decoder *d, struct str text);
void put_ip(struct decoder *d, struct str text);
void put_mailbox(struct decoder *d, struct str guid, struct str upn);
/* the time in the text of member x of f (NULL: of an envelope), in UTC; put_time() makes it the record's, with its flags */
bool text_time(struct decoder *d, const struct fields *f, enum field x, struct str text, int64_t *ret_us);
bool put_time(struct decoder *d, int64_t us); /* false: implausible */
void order_compare(struct decoder *d); /* this record is whole: what do its other times show about day and month? */
/* MailItemsAccessed, AttachmentAccess: access type, items, bytes, folders, throttling */
void decode_mail(struct decoder *d, const struct fields *f);
/* AppId, ClientAppId, ClientInfoString, ... to NAME_CLIENT */
void decode_client(struct decoder *d, struct str app_id, struct str client_app_id, struct str context_app,
	struct str info, struct str process);
/* details of an administrative or directory record */
void decode_details(struct decoder *d, const struct fields *f);
bool wreck_get(struct str text, struct str name, struct str *ret);

/* -- known members in whatever shape (shapes.c).  What has none of the known shapes sets REC_SHAPE_UNKNOWN. -- */
void shape_unknown(struct decoder *d);
/* a container where a plain value is expected */
bool value_inside(struct decoder *d, const struct json_index *x, uint32_t v, struct str *ret);
/* a bag of names and values: fn() for each entry; false: something in it has no known shape */
typedef void bag_fn(struct decoder *d, void *arg, struct str name, struct str value, struct str old);
bool bag_each(struct decoder *d, const struct fields *f, enum field x, bag_fn *fn, void *arg);
bool bag_each_value(struct decoder *d, const struct json_index *x, uint32_t v, bag_fn *fn, void *arg);
/* the values of `count` names, empty where absent */
void bag_get(struct decoder *d, const struct fields *f, enum field x, const struct str *names, struct str *ret, unsigned count);
/* A list of objects, each known by one of these names (the last is empty): fn() for each; it returns the number after it, or
 * WALK_BAD.  False: something in it has no known shape. */
typedef uint32_t element_fn(struct decoder *d, const struct json_index *x, uint32_t e, void *arg);
bool each_object(struct decoder *d, const struct fields *f, enum field x, const struct str *known, element_fn *fn, void *arg);
bool each_slowly(struct decoder *d, const struct json_index *x, uint32_t v, const struct str *known, element_fn *fn, void *arg);
/* one object with a member of a known name, also alone in a list */
bool get_object(struct decoder *d, const struct fields *f, enum field x, const struct str *known, struct json_index *ret_x, uint32_t *ret_v);
bool get_object_in(struct decoder *d, struct json_index *x, uint32_t *v, const struct str *known);

/* -- damaged JSON (mend.c) -- */
enum mended { MEND_NOT, MEND_SPELLING, MEND_CUT };
enum mended mend_json(struct decoder *d, struct str text, struct str *ret); /* the result is in the arena */
/* {...}, [...], or PowerShell's wreckage of it */
static inline bool could_be_json(struct str s)
{
	return s.n > 1 && (s.p[0] == '{' || s.p[0] == '[' || (s.p[0] == '@' && s.p[1] == '{'));
}
/* Indexes a copy of the text, mended if need be: what was cut marks the record. */
bool json_read(struct decoder *d, struct str text, struct json_indexer *with, struct json_index *ret);

#endif
