/* SPDX-License-Identifier: Apache-2.0 */
/* decode: from a block to values, from a value to members, from members to the format that knows them.
 *
 * The fast path is a block of lines: one structural index for the whole block, then a walk from object to object.  A line
 * that breaks the index (an open quote, a bad byte of UTF-8) or the walk takes the slow path alone: it is indexed by
 * itself and rejected by itself, and the block goes on after its newline. */
#include "decode/decode_int.h"

#include <stdlib.h>

#define REJECT(symbol, name, doc) name,
const char *const reject_names[REJECT_COUNT] = {
#include "decode/rejects.h"
};
#undef REJECT
#define REJECT(symbol, name, doc) doc,
const char *const reject_docs[REJECT_COUNT] = {
#include "decode/rejects.h"
};
#undef REJECT

#define NOTE(symbol, name, doc, flag, incomplete) { name, doc, flag, incomplete },
const struct note_row note_rows[NOTE_COUNT] = {
#include "decode/notes.h"
};
#undef NOTE

#define NOTE(symbol, name, doc, flag, incomplete) (flag) |
enum { NOTED_FLAGS =
#include "decode/notes.h"
	0 };
#undef NOTE

#define FORMAT(n) extern const struct format format_##n;
#include "decode/list.h"
#undef FORMAT
#define FORMAT(n) &format_##n,
static const struct format *const formats[] = {
#include "decode/list.h"
};
#undef FORMAT
enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };
#define FORMAT(n) #n,
const char *const format_names[] = {
#include "decode/list.h"
	NULL
};
#undef FORMAT

/* -- arena -- */

struct arena_block {
	struct arena_block *next;
	char bytes[];
};

enum { ARENA_PADDING = 64, ARENA_FIRST = 64 * 1024 };

void *arena_take(struct arena *a, size_t n)
{
	if (a->used + n + ARENA_PADDING > a->capacity) {
		/* texts already handed out stay where they are: the old block is kept until the record is done */
		size_t want = a->capacity ? a->capacity * 2 : ARENA_FIRST;
		while (want < n + ARENA_PADDING)
			want *= 2;
		if (want > 8 * RECORD_BYTES_MAX)
			return NULL;
		struct arena_block *b = malloc(sizeof *b + want);
		if (!b)
			return NULL;
		b->next = a->old;
		a->old = b;
		a->p = b->bytes;
		a->capacity = want;
		a->used = 0;
	}
	void *p = a->p + a->used;
	a->used += n;
	return p;
}

void arena_reset(struct arena *a)
{
	/* keeps the largest block, which is the newest */
	if (a->old && a->old->next) {
		struct arena_block *b = a->old->next;
		a->old->next = NULL;
		while (b) {
			struct arena_block *next = b->next;
			free(b);
			b = next;
		}
	}
	a->used = 0;
	if (a->capacity > 4 * MIB)
		arena_release(a); /* one huge record must not hold memory permanently */
}

void arena_release(struct arena *a)
{
	while (a->old) {
		struct arena_block *next = a->old->next;
		free(a->old);
		a->old = next;
	}
	*a = (struct arena){ 0 };
}

/* -- decoder -- */

struct decoder *decoder_new(void (*take)(void *, const struct rec *), void *arg)
{
	struct decoder *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	fields_setup();
	d->take = take;
	d->arg = arg;
	names_init(&d->names);
	d->b.tail = malloc(DETAIL_BYTES_MAX + 8);
	d->claims = claims_new();
	bool good = d->b.tail && d->claims;
	for (unsigned i = 0; i < INDEXERS; i++)
		good = (d->indexer[i] = json_indexer_new()) && good;
	for (unsigned i = 0; i < UNWRAP_DEPTH_MAX + 2; i++) {
		d->fields[i] = calloc(1, sizeof *d->fields[i]);
		field_order_init(&d->order[i]);
		good = good && d->fields[i];
	}
	if (!good) {
		decoder_free(d);
		return NULL;
	}
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	for (unsigned i = 0; i < INDEXERS; i++)
		json_indexer_free(d->indexer[i]);
	for (unsigned i = 0; i < UNWRAP_DEPTH_MAX + 2; i++)
		free(d->fields[i]);
	for (unsigned i = 0; i < DECODER_ZONES; i++)
		zone_free(d->zones[i].zone);
	arena_release(&d->arena);
	buf_release(&d->recoded.text);
	free(d->recoded.at);
	names_release(&d->names);
	claims_free(d->claims);
	free(d->b.tail);
	free(d);
}

struct names *decoder_names(struct decoder *d)
{
	return &d->names;
}

void decoder_timezone(struct decoder *d, const struct zone *z)
{
	d->timezone = z;
}

const struct claims *decoder_claims(const struct decoder *d)
{
	return d->claims;
}

void decoder_keep_items(struct decoder *d, bool (*keep)(void *arg, const struct rec *r, const struct names *n), void *arg)
{
	d->keep_items = keep;
	d->keep_items_arg = arg;
}

bool decoder_failed(const struct decoder *d)
{
	return d->failed;
}

const struct reject_note *decoder_samples(const struct decoder *d, enum reject r, size_t *ret_n)
{
	*ret_n = d->sample_count[r];
	return d->samples[r];
}

enum verdict decode_reject(struct decoder *d, enum reject why)
{
	d->counts->rejects[why]++;
	/* the samples kept are the first in stream order, whichever thread saw them when */
	struct reject_note *s = d->samples[why];
	unsigned n = d->sample_count[why];
	uint64_t offset = d->block->offset;
	if (d->whole.p >= d->block->p && d->whole.p <= d->block->p + d->block->n)
		offset += (uint64_t)(d->whole.p - d->block->p);
	uint64_t in_block;
	if (recode_offset(d, d->whole, &in_block))
		offset = d->block->offset + in_block;
	unsigned at = n;
	while (at > 0 && (s[at - 1].file > d->block->file || (s[at - 1].file == d->block->file && s[at - 1].offset > offset)))
		at--;
	if (at == REJECT_SAMPLES_MAX)
		return REJECTED;
	if (n < REJECT_SAMPLES_MAX)
		d->sample_count[why] = (uint8_t)++n;
	memmove(s + at + 1, s + at, (n - 1 - at) * sizeof *s);
	size_t length = d->whole.n < REJECT_SAMPLE_BYTES ? d->whole.n : REJECT_SAMPLE_BYTES;
	s[at].file = d->block->file;
	s[at].offset = offset;
	s[at].n = (uint16_t)length;
	memcpy(s[at].text, d->whole.p, length);
	s[at].text[length] = 0;
	return REJECTED;
}

enum verdict decode_emit(struct decoder *d)
{
	d->b.r.flags |= d->flags;
	if (field_has(d->fields[d->level], F_flattened))
		shape_unknown(d);
	if (d->recoded.n && recode_touched(d, d->whole))
		d->b.r.flags |= REC_RECODED;
	order_compare(d);
	/* a copy that the exporter damaged is worth less than any that it did not */
	d->b.r.rank = d->b.r.flags & (REC_FOLDERS_LOST | REC_CUT | REC_SHAPE_UNKNOWN) && d->rank > 1 ? 1 : d->rank;
	if (d->b.tail_used) {
		/* one piece: the tail after the struct */
		size_t padded = (d->b.tail_used + 7) & ~(size_t)7;
		memset(d->b.tail + d->b.tail_used, 0, padded - d->b.tail_used);
		struct rec *whole = arena_take(&d->arena, sizeof *whole + padded + 8);
		if (!whole) {
			d->failed = true;
			return REJECTED;
		}
		whole = (struct rec *)(((uintptr_t)whole + 7) & ~(uintptr_t)7);
		d->b.r.tail_bytes = (uint16_t)padded;
		memcpy(whole, &d->b.r, sizeof *whole);
		memcpy(whole + 1, d->b.tail, padded);
		d->take(d->arg, whole);
	} else {
		d->take(d->arg, &d->b.r);
	}
	d->counts->records++;
	d->counts->formats |= UINT32_C(1) << d->format_at;
	if (d->b.r.flags & NOTED_FLAGS)
		for (unsigned i = 0; i < NOTE_COUNT; i++)
			d->counts->notes[i] += (d->b.r.flags & note_rows[i].flag) != 0;
	return TAKEN;
}

/* offers the members to the formats; NOT_MINE: none wants them, and nothing was counted */
static enum verdict try_fields(struct decoder *d, struct fields *f)
{
	for (unsigned i = 0; i < FORMAT_COUNT; i++) {
		if (!formats[i]->match(f))
			continue;
		d->format_at = (uint8_t)i;
		enum verdict v = formats[i]->decode(d, f);
		if (v != NOT_MINE)
			return v;
	}
	return NOT_MINE;
}

/* -- values that no format wants: is there a record inside? --
 *
 * Collectors wrap records under names of their own: _source, data.office365, result, payload, body.stringValue, logEvents.  So the
 * name does not matter: each object inside that a format wants is taken, in lists and in texts as well. */

/* the first brace followed by a member's name, however its quotes are spelt */
const char *find_object(struct str text)
{
	const char *p = text.p, *end = text.p + text.n;
	while (p < end && (p = memchr(p, '{', (size_t)(end - p)))) {
		const char *q = p + 1;
		while (q < end && (*q == ' ' || *q == '\t' || *q == '\r' || *q == '\n'))
			q++;
		if (q + 1 < end && (*q == '"' || (*q == '\\' && q[1] == '"') || (*q == '\'' && q[1] >= 'A')
			|| str_starts((struct str){ q, (size_t)(end - q) }, STR("&quot;"))))
			return p;
		p = q;
	}
	return NULL;
}

static enum verdict members_inside(struct decoder *d, const struct json_index *x, uint32_t v, unsigned depth);
static enum verdict value_inside_of(struct decoder *d, const struct json_index *x, uint32_t v, unsigned depth);

/* Is there a record in the text, perhaps after a head?  NOT_MINE: nothing was counted. */
static enum verdict text_inside(struct decoder *d, struct str text)
{
	const char *open = find_object(text);
	struct json_index x;
	if (!open || d->level + 1 > UNWRAP_DEPTH_MAX)
		return NOT_MINE;
	text = str_trim(text);
	if (text.p[0] != '[')
		text = (struct str){ open, (size_t)(text.p + text.n - open) };
	char *copy = arena_take(&d->arena, text.n + 1);
	if (!copy)
		return NOT_MINE;
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	enum verdict v = NOT_MINE;
	uint32_t flags = d->flags;
	uint8_t rank = d->rank;
	if (json_index(d->indexer[d->level + 1], copy, text.n, &x) != JSON_OK || walk_skip(&x, 0) >= WALK_DEEP) {
		struct str mended;
		enum mended how = mend_json(d, text, &mended);
		if (how == MEND_NOT || json_index(d->indexer[d->level + 1], mended.p, mended.n, &x) != JSON_OK || walk_skip(&x, 0) >= WALK_DEEP)
			return NOT_MINE;
		d->flags |= how == MEND_CUT ? REC_CUT : 0;
	}
	decode_deeper(d);
	v = value_inside_of(d, &x, 0, 0);
	d->level--;
	d->flags = flags;
	d->rank = rank;
	return v;
}

/* One object: as a record, or with records in it. */
static enum verdict object_inside(struct decoder *d, const struct json_index *x, uint32_t v, unsigned depth)
{
	struct fields *f = d->fields[d->level];
	uint8_t rank = d->rank;
	uint32_t flags = d->flags;
	if (fields_read(f, &d->order[d->level], x, v) >= WALK_DEEP)
		return NOT_MINE;
	enum verdict verdict = try_fields(d, f);
	d->rank = rank;
	d->flags = flags;
	return verdict == NOT_MINE ? members_inside(d, x, v, depth + 1) : verdict;
}

/* a value inside of one that no format wants, at the decoder's level */
static enum verdict value_inside_of(struct decoder *d, const struct json_index *x, uint32_t v, unsigned depth)
{
	char c = v < x->n ? walk_char(x, v) : 0;
	struct str s;
	if (depth > INSIDE_DEPTH_MAX)
		return NOT_MINE;
	if (c == '{')
		return object_inside(d, x, v, depth);
	if (c == '"')
		return value_text(d, x, v, &s) ? text_inside(d, s) : NOT_MINE;
	if (c != '[')
		return NOT_MINE;
	/* a list: if any of its objects is a record, each one that is none is one that was lost */
	uint64_t others = 0;
	bool any = false;
	const uint64_t before = d->counts->records;
	struct walk_array a = walk_array(x, v);
	for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(x, e)) {
		bool mine = value_inside_of(d, x, e, depth + 1) != NOT_MINE;
		any |= mine;
		others += !mine && walk_char(x, e) == '{';
	}
	for (uint64_t i = 0; d->counts->records != before && i < others; i++)
		decode_reject(d, REJECT_NOT_AUDIT);
	return any ? TAKEN : NOT_MINE;
}

static enum verdict members_inside(struct decoder *d, const struct json_index *x, uint32_t v, unsigned depth)
{
	struct walk_object o = walk_object(x, v);
	struct str best = STR_NONE, s;
	bool any = false;
	if (depth > INSIDE_DEPTH_MAX)
		return NOT_MINE;
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
		char c = walk_char(x, key + 2);
		if (c == '"') { /* of texts the longest alone: the others are shorter copies of it */
			struct str raw = walk_raw_string(x, key + 2);
			if (raw.n > best.n && find_object(raw))
				best = (struct str){ raw.p, raw.n };
		} else if (c == '{' || c == '[') {
			any |= value_inside_of(d, x, key + 2, depth) != NOT_MINE;
		}
	}
	if (best.n && !any) {
		char *plain = arena_take(&d->arena, best.n);
		s = plain ? walk_unescape(best, plain) : STR_NONE;
		any = plain && text_inside(d, s) != NOT_MINE;
	}
	return any ? TAKEN : NOT_MINE;
}

/* How many records is it?  The objects of a list that makes most of it, else one. */
static uint64_t objects_in(const struct json_index *x, uint32_t v, unsigned depth)
{
	struct walk_object o = walk_object(x, v);
	uint32_t size = x->at[walk_skip(x, v) - 1] - x->at[v];
	for (uint32_t key, next; (key = walk_next_key(&o)) != WALK_BAD; o.next = next) {
		char c = walk_char(x, key + 2);
		next = walk_skip(x, key + 2);
		if (next >= WALK_DEEP || (c != '{' && c != '[') || x->at[next - 1] - x->at[key + 2] < size / 2)
			continue;
		if (c == '{')
			return depth < 2 ? objects_in(x, key + 2, depth + 1) : 1;
		uint64_t n = 0;
		uint32_t first = WALK_BAD;
		struct walk_array a = walk_array(x, key + 2);
		for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(x, e)) {
			first = first == WALK_BAD ? e : first;
			n += walk_char(x, e) == '{' || walk_char(x, e) == '[';
		}
		return n == 1 && walk_char(x, first) == '{' && depth < 2 ? objects_in(x, first, depth + 1) : n > 1 ? n : 1;
	}
	return 1;
}

enum verdict decode_fields(struct decoder *d, struct fields *f)
{
	enum verdict v = try_fields(d, f);
	if (v != NOT_MINE)
		return v;
	if (f->is_row || f->is_table)
		return decode_stranger(d, f);
	struct json_index x = f->d;
	const uint32_t at = f->begin;
	if (d->level + 1 <= UNWRAP_DEPTH_MAX) {
		decode_deeper(d);
		v = members_inside(d, &x, at, 0);
		d->level--;
	}
	if (v == NOT_MINE)
		for (uint64_t n = objects_in(&x, at, 0); n; n--)
			v = decode_stranger(d, f);
	return v;
}

/* the number after the value v, by its brackets alone, whatever is between them and however deep */
static uint32_t behind_brackets(const struct json_index *x, uint32_t v)
{
	uint32_t depth = 0;
	for (uint32_t i = v; i < x->n; i++) {
		char c = walk_char(x, i);
		depth += c == '{' || c == '[';
		depth -= depth && (c == '}' || c == ']');
		if (depth == 0)
			return i > v ? i + 1 : WALK_BAD;
	}
	return WALK_BAD;
}

/* each element; is_whole: the array is known to be nested rightly, and not too deep to recurse into */
static uint32_t decode_array(struct decoder *d, const struct json_index *x, uint32_t v, bool is_whole)
{
	struct walk_array a = walk_array(x, v);
	for (uint32_t e, next; (e = walk_next_element(&a)) != WALK_BAD; a.next = next) {
		if (d->level == 0)
			arena_reset(&d->arena);
		bool is_list = walk_char(x, e) == '[';
		next = is_list && !is_whole ? walk_skip(x, e) : e;
		if (next < WALK_DEEP)
			next = is_list ? decode_array(d, x, e, true) : decode_value(d, x, e);
		if (next >= WALK_DEEP) {
			/* if its brackets are closed, it is the only one that is broken */
			uint32_t behind = behind_brackets(x, e);
			if (behind != WALK_BAD) {
				if (d->level == 0)
					d->whole = (struct str){ x->p + x->at[e], x->at[behind - 1] + 1 - x->at[e] };
				decode_reject(d, next == WALK_DEEP ? REJECT_TOO_DEEP : REJECT_BAD_JSON);
				next = behind;
			}
		}
	}
	return a.next;
}

uint32_t decode_value(struct decoder *d, const struct json_index *x, uint32_t v)
{
	char c = v < x->n ? walk_char(x, v) : 0;
	if (c == '{') {
		struct fields *f = d->fields[d->level];
		uint32_t next = fields_read(f, &d->order[d->level], x, v);
		if (next >= WALK_DEEP)
			return next;
		if (d->level == 0)
			d->whole = (struct str){ x->p + x->at[v], x->at[next - 1] + 1 - x->at[v] };
		uint8_t rank = d->rank;
		uint32_t flags = d->flags;
		decode_fields(d, f);
		d->rank = rank;
		d->flags = flags;
		return next;
	}
	if (c == '[')
		return decode_array(d, x, v, false);
	uint32_t next = walk_skip(x, v);
	if (next < WALK_DEEP) {
		if (d->level == 0)
			d->whole = (struct str){ x->p + x->at[v], x->at[v + 1] - x->at[v] };
		fields_clear(d->fields[d->level]); /* no members around it */
		struct str s; /* ConvertTo-Json of a list of AuditData: text that holds a record */
		if (c != '"' || !value_text(d, x, v, &s) || text_inside(d, s) == NOT_MINE)
			decode_reject(d, REJECT_NOT_AUDIT);
	}
	return next;
}

/* An object or array inside this one, of the same index. */
enum verdict decode_inner(struct decoder *d, const struct json_index *x, uint32_t v)
{
	if (d->level + 1 > UNWRAP_DEPTH_MAX)
		return decode_reject(d, REJECT_TOO_DEEP);
	decode_deeper(d);
	uint32_t next = decode_value(d, x, v);
	d->level--;
	if (next == WALK_DEEP)
		return decode_reject(d, REJECT_TOO_DEEP);
	return next == WALK_BAD ? decode_reject(d, REJECT_BAD_JSON) : TAKEN;
}

static enum reject index_reject(struct decoder *d, enum json_error e)
{
	if (e == JSON_NO_MEMORY)
		d->failed = true;
	return e == JSON_BAD_UTF8 ? REJECT_BAD_UTF8 : REJECT_BAD_JSON;
}

/* {"Operation": ..., "CreationTime": ...} of the row's columns, and after them the whole members of the text: of two members of one
 * name the last counts.  Empty: the columns make no record. */
static struct str join_columns(struct decoder *d, const struct fields *row, struct str text)
{
	static const struct { enum field from; struct str to; } columns[] = {
		{ F_Operation, { "Operation", 9 } }, { F_Operations, { "Operation", 9 } }, { F_UserId, { "UserId", 6 } },
		{ F_UserIds, { "UserId", 6 } }, { F_Id, { "Id", 2 } }, { F_RecordId, { "Id", 2 } }, { F_Identity, { "Id", 2 } },
		{ F_AuditLogRecordType, { "RecordType", 10 } }, { F_RecordType, { "RecordType", 10 } }, { F_ClientIP, { "ClientIP", 8 } },
		{ F_OrganizationId, { "OrganizationId", 14 } }, { F_ActionType, { "Operation", 9 } }, { F_ipAddress, { "ClientIP", 8 } },
	};
	struct buf b;
	struct str s, joined = STR_NONE;
	char when[TIME_TEXT_SIZE];
	int64_t us;
	enum field time = field_has(row, F_CreationDate) ? F_CreationDate : field_has(row, F_Timestamp) ? F_Timestamp : F_createdDateTime;
	if (!get_time(d, row, time, &us) || !(field_has(row, F_Operation) || field_has(row, F_Operations) || field_has(row, F_ActionType)))
		return STR_NONE;
	buf_init(&b, 2 * RECORD_BYTES_MAX);
	buf_printf(&b, "{\"CreationTime\":\"%s\"", time_format(us, when));
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		if (!get_text(d, row, columns[i].from, &s))
			continue;
		buf_add_char(&b, ',');
		buf_add_json(&b, columns[i].to);
		buf_add_char(&b, ':');
		buf_add_json(&b, s);
	}
	text = str_trim(text);
	if (text.n > 2 && text.p[0] == '{') {
		struct str rest = str_trim((struct str){ text.p + 1, text.n - 1 });
		buf_add_cstr(&b, rest.p[0] == '}' ? "" : ",");
		buf_add_str(&b, rest);
	} else {
		buf_add_char(&b, '}');
	}
	char *copy = buf_failed(&b) ? NULL : arena_take(&d->arena, b.n + 1);
	if (copy) {
		memcpy(copy, b.p, b.n + 1);
		joined = (struct str){ copy, b.n };
	}
	buf_release(&b);
	return joined;
}

/* text of JSON that does not parse; why: what it is rejected for if nothing of it can be used */
static enum verdict decode_damaged(struct decoder *d, struct str text, const struct fields *row, enum reject why)
{
	struct str mended = STR_NONE;
	struct json_index x;
	enum mended how = mend_json(d, text, &mended);
	if (how != MEND_SPELLING) {
		d->b.r.flags = 0;
		struct str joined = row ? join_columns(d, row, mended) : STR_NONE;
		/* what was read of the time's column speaks for the record only if its own time is gone */
		bool own_time = str_find_nocase(mended, STR("\"CreationTime\"")) >= 0;
		d->flags |= REC_CUT | (own_time ? 0 : d->b.r.flags & (REC_TIME_ORDER | REC_TIME_ZONE));
		if (joined.n)
			mended = joined;
		if (how == MEND_NOT)
			d->rank = 0;
	}
	if (mended.n == 0 || json_index(d->indexer[d->level + 1], mended.p, mended.n, &x) != JSON_OK || walk_skip(&x, 0) >= WALK_DEEP)
		return decode_reject(d, why);
	decode_deeper(d);
	enum verdict v = NOT_MINE;
	if (walk_char(&x, 0) == '{') {
		fields_read(d->fields[d->level], &d->order[d->level], &x, 0);
		v = try_fields(d, d->fields[d->level]);
	} else {
		v = decode_value(d, &x, 0) < WALK_DEEP ? TAKEN : NOT_MINE;
	}
	d->level--;
	return v == NOT_MINE ? decode_reject(d, why) : v;
}

enum verdict decode_text(struct decoder *d, struct str text, const struct fields *row)
{
	if (d->level + 1 > UNWRAP_DEPTH_MAX)
		return decode_reject(d, REJECT_TOO_DEEP);
	struct json_index x;
	/* text of the arena: 64 readable bytes follow; text of a block: the block's own end */
	enum json_error e = json_index(d->indexer[d->level + 1], text.p, text.n, &x);
	if (e == JSON_EMPTY)
		return decode_reject(d, REJECT_NOT_AUDIT);
	if (e != JSON_OK)
		return decode_damaged(d, text, row, index_reject(d, e));
	uint32_t next = WALK_BAD;
	bool is_list = walk_char(&x, 0) == '[';
	if (is_list || walk_char(&x, 0) == '{') {
		decode_deeper(d);
		next = decode_value(d, &x, 0);
		d->level--;
	}
	if (next == WALK_DEEP)
		return decode_reject(d, REJECT_TOO_DEEP);
	if (next == WALK_BAD) /* (of a list, what is whole was taken) */
		return is_list ? decode_reject(d, REJECT_BAD_JSON) : decode_damaged(d, text, row, REJECT_BAD_JSON);
	return TAKEN;
}

/* -- blocks -- */

/* a line or a value by itself, without the text before its first brace (a syslog head) */
static void run_alone(struct decoder *d, char *p, size_t n, enum part_kind kind)
{
	d->whole = str_trim((struct str){ p, n });
	while (str_starts(d->whole, STR("\xef\xbb\xbf"))) /* of a file that was joined */
		d->whole = str_trim((struct str){ d->whole.p + 3, d->whole.n - 3 });
	if (d->whole.n == 0)
		return;
	arena_reset(&d->arena);
	d->rank = 3;
	d->flags = 0;
	const char *open = memchr(d->whole.p, '{', d->whole.n);
	const bool is_text = d->whole.n > 2 && d->whole.p[0] == '"' && d->whole.p[1] == '{';
	const char *bracket = d->whole.p[0] == '[' || is_text ? d->whole.p : NULL;
	const char *start = bracket ? bracket : open;
	if (!start) {
		bool cef = str_find(d->whole, STR("CEF:")) >= 0;
		decode_reject(d, cef ? REJECT_UNSUPPORTED : REJECT_BAD_JSON);
		return;
	}
	struct str text = { start, (size_t)(d->whole.p + d->whole.n - start) };
	struct json_index x;
	char *end = (char *)text.p + text.n, kept = *end;
	*end = 0; /* the walk may look at the byte after the text */
	enum json_error e = json_index(d->indexer[0], text.p, text.n, &x);
	if (e == JSON_BAD_UTF8 && recode_text(d, &text)) {
		d->whole = text;
		e = json_index(d->indexer[0], text.p, text.n, &x);
	}
	if (e != JSON_OK) {
		bool open_ended = d->block->broken == REJECT_TRUNCATED && p + n == d->block->p + d->block->n;
		decode_reject(d, open_ended ? REJECT_TRUNCATED : index_reject(d, e));
	} else {
		struct str line = d->whole;
		uint32_t v = 0;
		if (kind == PART_SOFT && walk_skip(&x, 0) < WALK_DEEP) {
			fields_clear(d->fields[0]);
			value_inside_of(d, &x, 0, 0);
			v = x.n;
		} else if (kind == PART_ROW && walk_skip(&x, 0) < WALK_DEEP && table_row(d->fields[0], &x, 0, d->block->header)) {
			decode_fields(d, d->fields[0]);
			v = x.n;
		}
		while (v < x.n) {
			uint32_t next = decode_value(d, &x, v);
			d->whole = line;
			if (next == WALK_DEEP) {
				decode_reject(d, REJECT_TOO_DEEP);
				break;
			}
			if (next == WALK_BAD) {
				bool open_ended = d->block->broken == REJECT_TRUNCATED && p + n == d->block->p + d->block->n;
				decode_reject(d, open_ended ? REJECT_TRUNCATED : REJECT_BAD_JSON);
				break;
			}
			v = next;
		}
	}
	*end = kept;
	d->recoded.n = 0;
}

static size_t line_end(const struct block *b, size_t from)
{
	const char *nl = memchr(b->p + from, '\n', b->n - from);
	return nl ? (size_t)(nl - b->p) + 1 : b->n;
}

/* Is the value at p[begin, end) the only thing on its line?  The text before it was looked at already.  (If not, the line
 * is taken by itself, so that what comes of it does not depend on which other lines are in the block.) */
static bool has_line_alone(const struct block *b, size_t begin, size_t end)
{
	while (end < b->n && (b->p[end] == ' ' || b->p[end] == '\t' || b->p[end] == '\r'))
		end++;
	return (end >= b->n || b->p[end] == '\n') && !memchr(b->p + begin, '\n', end - begin);
}

/* every line by itself, from a line's beginning on */
static void run_lines_alone(struct decoder *d, const struct block *b, size_t from)
{
	for (size_t end; from < b->n; from = end) {
		end = line_end(b, from);
		run_alone(d, b->p + from, end - from, PART_VALUE);
	}
}

static void run_lines(struct decoder *d, const struct block *b)
{
	struct json_index x;
	enum json_error e = json_index(d->indexer[0], b->p, b->n, &x);
	if (e == JSON_EMPTY)
		return;
	if (e != JSON_OK) {
		run_lines_alone(d, b, 0);
		return;
	}
	for (uint32_t v = 0, next; v < x.n; v = next) {
		next = WALK_BAD;
		if (walk_char(&x, v) == '{') {
			arena_reset(&d->arena);
			struct fields *f = d->fields[0];
			next = fields_read(f, &d->order[0], &x, v);
			if (next < WALK_DEEP && !has_line_alone(b, x.at[v], x.at[next - 1] + 1))
				next = WALK_BAD;
			if (next < WALK_DEEP) {
				d->whole = (struct str){ x.p + x.at[v], x.at[next - 1] + 1 - x.at[v] };
				d->rank = 3;
				d->flags = 0;
				decode_fields(d, f);
			}
		}
		if (next >= WALK_DEEP) {
			/* No object, or a broken one.  It and all after it go line by line: an open bracket could swallow the
			 * block again and again, so the walk is not tried twice. */
			size_t line = x.at[v];
			while (line > 0 && b->p[line - 1] != '\n')
				line--;
			run_lines_alone(d, b, line);
			return;
		}
	}
}

void csv_run(struct decoder *d, const struct block *b); /* csv.c */

void decoder_run(struct decoder *d, const struct block *b, struct decoder_counts *counts)
{
	d->counts = counts;
	d->block = b;
	d->level = 0;
	d->rank = 3;
	d->flags = 0;
	b->p[b->n] = 0;
	if (b->broken != REJECT_COUNT && b->broken != REJECT_TRUNCATED) {
		d->whole = (struct str){ b->p, b->n };
		decode_reject(d, b->broken);
	} else if (b->framing == FRAME_LINES) {
		run_lines(d, b);
	} else if (b->framing == FRAME_VALUES) {
		for (size_t i = 0; i < b->part_count; i++) {
			char *p = b->p + b->parts[i].begin;
			size_t n = b->parts[i].end - b->parts[i].begin;
			if (n > RECORD_BYTES_MAX) {
				d->whole = (struct str){ p, n };
				decode_reject(d, REJECT_TOO_LONG);
			} else {
				run_alone(d, p, n, b->parts[i].kind);
			}
		}
	} else if (b->framing == FRAME_ROWS) {
		struct block recoded;
		const bool is_recoded = recode_rows(d, b, &recoded);
		if (is_recoded)
			d->block = &recoded;
		csv_run(d, d->block);
		d->recoded.n = 0;
		d->block = b;
	}
}
