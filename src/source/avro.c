/* SPDX-License-Identifier: Apache-2.0 */
/* avro: Avro object container files, as Azure Event Hubs Capture writes them.  A container has a header (its schema, its
 * codec, a sync marker) and blocks of data, each followed by the marker.  One block is in memory at a time.
 *
 * What comes out is text, one JSON value a line: every bytes or string value that begins with { or [, also inside gzip.
 * A Body that holds no JSON comes out as {"message": ...}, and so does a datum without any JSON: the decoder counts it as a
 * reject, so that it is not lost silently.
 *
 * The schema is read by avro-c, after its size and depth were judged.  The values are walked here: avro-c allocates as
 * many bytes as a value says that it has, and as many items as an array says, before it looks whether they are there.
 * Here a value is a view into its block, and the number of values is bounded by the size of the block. */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include <avro.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include "source/source_int.h"

#define SYNC_BYTES 16

enum codec { CODEC_NULL, CODEC_DEFLATE, CODEC_SNAPPY, CODEC_ZSTANDARD, CODEC_COUNT };
static const char *const codec_names[] = { "null", "deflate", "snappy", "zstandard" };

struct bytes {
	uint8_t *p;
	size_t n;
};

struct avro {
	struct layer l;
	avro_schema_t schema;
	enum codec codec;
	bool has_header;
	enum source_status end;   /* once `text` is handed out; SOURCE_OK: more to come */
	enum source_status input;
	size_t in_at, in_n;
	uint64_t at;              /* bytes taken of the container */
	uint64_t block_at;        /* where the block began */
	struct bytes packed, plain;
	size_t plain_at;
	int64_t left;             /* data of the block that wait */
	uint64_t steps;           /* values of the block that may still be walked */
	struct buf text;          /* lines that wait to be handed out */
	size_t text_at;
	struct str body, longest; /* of this datum: values without JSON */
	bool has_json;
	uint8_t sync[SYNC_BYTES];
	uint8_t in[PIECE_BYTES];
};

static enum source_status damaged(struct avro *a, uint64_t at, const char *what)
{
	return layer_fail(&a->l, "damaged Avro data at byte %llu: %s; what came before was read", (unsigned long long)at, what);
}

/* -- the container's bytes -- */

/* SOURCE_END: there is no further byte. */
static enum source_status more(struct avro *a)
{
	while (a->in_at == a->in_n && a->input == SOURCE_OK) {
		a->in_at = 0;
		a->input = layer_read(a->l.below, a->in, sizeof(a->in), &a->in_n);
	}
	return a->in_at < a->in_n ? SOURCE_OK : a->input;
}

static enum source_status take(struct avro *a, void *p, size_t n)
{
	uint8_t *to = p;

	while (n) {
		enum source_status status = more(a);
		size_t part = a->in_n - a->in_at < n ? a->in_n - a->in_at : n;

		if (status == SOURCE_END)
			return layer_fail(&a->l, "Avro data end early, at byte %llu; what came before was read", (unsigned long long)a->at);
		if (status != SOURCE_OK)
			return status;
		memcpy(to, a->in + a->in_at, part);
		to += part;
		n -= part;
		a->in_at += part;
		a->at += part;
	}
	return SOURCE_OK;
}

static int64_t unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

static enum source_status take_long(struct avro *a, int64_t *ret)
{
	uint64_t v = 0, at = a->at;
	uint8_t c;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		enum source_status status = take(a, &c, 1);

		if (status != SOURCE_OK)
			return status;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			*ret = unzigzag(v);
			return SOURCE_OK;
		}
	}
	return damaged(a, at, "a number without an end");
}

/* A length and its bytes; b is replaced. */
static enum source_status take_bytes(struct avro *a, struct bytes *b, size_t max)
{
	uint64_t at = a->at;
	int64_t n;
	enum source_status status = take_long(a, &n);
	uint8_t *p;

	b->n = 0;
	if (status != SOURCE_OK)
		return status;
	if (n < 0 || (uint64_t)n > max)
		return damaged(a, at, "a length that no honest file has");
	p = realloc(b->p, (size_t)n + 1);
	if (!p)
		return layer_fail(&a->l, "out of memory");
	b->p = p;
	b->n = (size_t)n;
	return take(a, p, (size_t)n);
}

/* -- the header -- */

/* avro-c goes down as deep as the schema does. */
static bool is_shallow(const struct bytes *b)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < b->n; i++) {
		uint8_t c = b->p[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '[') && ++depth > AVRO_SCHEMA_DEPTH_MAX)
			return false;
		else if (!in_string && (c == '}' || c == ']') && depth)
			depth--;
	}
	return true;
}

static enum source_status header_entry(struct avro *a, const struct bytes *key, const struct bytes *value, uint64_t at)
{
	if (key->n == 11 && memcmp(key->p, "avro.schema", 11) == 0 && !a->schema) {
		if (!is_shallow(value))
			return damaged(a, at, "a schema that is nested too deep");
		if (avro_schema_from_json_length((const char *)value->p, value->n, &a->schema) != 0) {
			a->schema = NULL;
			return damaged(a, at, "a schema that cannot be understood");
		}
	} else if (key->n == 10 && memcmp(key->p, "avro.codec", 10) == 0) {
		for (a->codec = 0; a->codec < CODEC_COUNT; a->codec++)
			if (strlen(codec_names[a->codec]) == value->n && memcmp(codec_names[a->codec], value->p, value->n) == 0)
				return SOURCE_OK;
		return layer_fail(&a->l, "Avro data with a codec that is not read (null, deflate, snappy and zstandard are). Convert them first: "
		                  "avro-tools recodec --codec deflate");
	}
	return SOURCE_OK;
}

static enum source_status take_header(struct avro *a)
{
	struct bytes key = { 0 }, value = { 0 };
	uint8_t magic[4];
	int64_t n, size;
	unsigned entries = 0;
	enum source_status status = take(a, magic, 4);

	while (status == SOURCE_OK) {
		uint64_t at = a->at;

		status = take_long(a, &n);
		if (status == SOURCE_OK && n < 0) {
			status = take_long(a, &size);
			n = n < -AVRO_FIELDS_MAX ? AVRO_FIELDS_MAX + 1 : -n;
		}
		if (status == SOURCE_OK && n > AVRO_FIELDS_MAX)
			status = damaged(a, at, "a header with too many entries");
		if (status != SOURCE_OK || n == 0)
			break;
		for (; n > 0 && status == SOURCE_OK; n--) {
			if (++entries > AVRO_FIELDS_MAX)
				status = damaged(a, a->at, "a header with too many entries");
			if (status == SOURCE_OK)
				status = take_bytes(a, &key, AVRO_SCHEMA_BYTES_MAX);
			at = a->at;
			if (status == SOURCE_OK)
				status = take_bytes(a, &value, AVRO_SCHEMA_BYTES_MAX);
			if (status == SOURCE_OK)
				status = header_entry(a, &key, &value, at);
		}
	}
	free(key.p);
	free(value.p);
	if (status == SOURCE_OK)
		status = take(a, a->sync, SYNC_BYTES);
	if (status == SOURCE_OK && !a->schema)
		status = damaged(a, a->at, "a header without a schema");
	return status;
}

/* -- blocks -- */

static bool inflate_to(struct bytes *to, const uint8_t *p, size_t n, int window_bits)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n };
	size_t capacity = 0;
	int rc = inflateInit2(&z, window_bits) == Z_OK ? Z_OK : Z_MEM_ERROR;
	bool is_open = rc == Z_OK;

	to->n = 0;
	while (rc == Z_OK) {
		uint8_t *bigger;

		if (to->n == capacity) {
			if (capacity == AVRO_BLOCK_BYTES_MAX)
				break;
			capacity = capacity ? capacity * 2 : PIECE_BYTES;
			capacity = capacity < AVRO_BLOCK_BYTES_MAX ? capacity : AVRO_BLOCK_BYTES_MAX;
			bigger = realloc(to->p, capacity);
			if (!bigger)
				break;
			to->p = bigger;
		}
		z.next_out = to->p + to->n;
		z.avail_out = (uInt)(capacity - to->n);
		rc = inflate(&z, Z_NO_FLUSH);
		to->n = capacity - z.avail_out;
	}
	if (is_open)
		inflateEnd(&z);
	return rc == Z_STREAM_END;
}

static bool unsnap_to(struct bytes *to, const uint8_t *p, size_t n)
{
	uint8_t *bigger;
	size_t size;
	uint32_t sum;

	if (n < 4 || snappy_uncompressed_length((const char *)p, n - 4, &size) != SNAPPY_OK || size > AVRO_BLOCK_BYTES_MAX)
		return false;
	bigger = realloc(to->p, size + 1);
	if (!bigger)
		return false;
	to->p = bigger;
	to->n = size;
	if (snappy_uncompress((const char *)p, n - 4, (char *)to->p, &size) != SNAPPY_OK || size != to->n)
		return false;
	sum = (uint32_t)p[n - 4] << 24 | (uint32_t)p[n - 3] << 16 | (uint32_t)p[n - 2] << 8 | p[n - 1];
	return crc32(0, to->p, (uInt)size) == sum;
}

static bool unzstd_to(struct bytes *to, const uint8_t *p, size_t n)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	ZSTD_inBuffer in = { p, n, 0 };
	size_t capacity = 0, rc = 1;

	to->n = 0;
	while (zstd && rc != 0 && !ZSTD_isError(rc)) {
		ZSTD_outBuffer out;
		size_t in_before = in.pos, out_before = to->n;

		if (to->n == capacity) {
			uint8_t *bigger;

			if (capacity == AVRO_BLOCK_BYTES_MAX)
				break;
			capacity = capacity ? capacity * 2 : ZSTD_OUT_BYTES;
			capacity = capacity < AVRO_BLOCK_BYTES_MAX ? capacity : AVRO_BLOCK_BYTES_MAX;
			bigger = realloc(to->p, capacity);
			if (!bigger)
				break;
			to->p = bigger;
		}
		out = (ZSTD_outBuffer){ to->p, capacity, to->n };
		rc = ZSTD_decompressStream(zstd, &out, &in);
		to->n = out.pos;
		if (in.pos == in_before && to->n == out_before)
			break;
	}
	ZSTD_freeDCtx(zstd);
	return rc == 0 && in.pos == n;
}

static enum source_status take_block(struct avro *a)
{
	uint8_t sync[SYNC_BYTES];
	enum source_status status = more(a);
	bool ok = true;

	a->block_at = a->at;
	if (status == SOURCE_OK)
		status = take_long(a, &a->left);
	if (status == SOURCE_OK && a->left < 0)
		status = damaged(a, a->block_at, "a block with a negative number of records");
	if (status == SOURCE_OK)
		status = take_bytes(a, &a->packed, AVRO_BLOCK_BYTES_MAX);
	if (status == SOURCE_OK)
		status = take(a, sync, SYNC_BYTES);
	if (status == SOURCE_OK && memcmp(sync, a->sync, SYNC_BYTES) != 0)
		status = damaged(a, a->at - SYNC_BYTES, "not the sync marker that ends a block");
	if (status != SOURCE_OK) {
		a->left = 0;
		return status;
	}
	switch (a->codec) {
	case CODEC_DEFLATE:
		ok = inflate_to(&a->plain, a->packed.p, a->packed.n, -MAX_WBITS);
		break;
	case CODEC_SNAPPY:
		ok = unsnap_to(&a->plain, a->packed.p, a->packed.n);
		break;
	case CODEC_ZSTANDARD:
		ok = unzstd_to(&a->plain, a->packed.p, a->packed.n);
		break;
	default: {
		struct bytes swap = a->plain;

		a->plain = a->packed;
		a->packed = swap;
	}
	}
	a->plain_at = 0;
	a->steps = AVRO_VALUES_FREE + (uint64_t)a->plain.n * AVRO_VALUES_PER_BYTE;
	return ok ? SOURCE_OK : damaged(a, a->block_at, "a block that cannot be unpacked, or is too big");
}

/* -- values -- */

static bool begins_json(struct str s, size_t *ret_at)
{
	size_t i = s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r' || s.p[i] == '\n'))
		i++;
	*ret_at = i;
	return i < s.n && (s.p[i] == '{' || s.p[i] == '[');
}

/* Line ends inside a value become blanks; those between values stay. */
static void add_lines(struct buf *out, struct str s)
{
	size_t from = out->n;
	unsigned depth = 0;
	bool in_string = false;

	buf_add_str(out, s);
	for (size_t i = from; i < out->n; i++) {
		char c = out->p[i];

		if (c == '\n' || c == '\r')
			out->p[i] = depth || in_string ? ' ' : '\n';
		else if (in_string && c == '\\')
			i += i + 1 < out->n && out->p[i + 1] != '\n' && out->p[i + 1] != '\r';
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']') && depth)
			depth--;
	}
	buf_add_char(out, '\n');
}

static void add_message(struct avro *a, struct str s)
{
	buf_add_cstr(&a->text, "{\"message\":");
	buf_add_json(&a->text, s);
	buf_add_cstr(&a->text, "}\n");
}

static void text_value(struct avro *a, struct str s, bool is_body)
{
	struct bytes unpacked = { 0 };
	size_t at;

	if (s.n > 2 && memcmp(s.p, "\x1f\x8b\x08", 3) == 0 && inflate_to(&unpacked, (const uint8_t *)s.p, s.n, 16 + MAX_WBITS) &&
	    begins_json((struct str){ (const char *)unpacked.p, unpacked.n }, &at)) {
		add_lines(&a->text, (struct str){ (const char *)unpacked.p + at, unpacked.n - at });
		a->has_json = true;
	} else if (begins_json(s, &at)) {
		add_lines(&a->text, (struct str){ s.p + at, s.n - at });
		a->has_json = true;
	} else if (is_body) {
		a->body = s;
	} else if (s.n > a->longest.n) {
		a->longest = s;
	}
	free(unpacked.p);
}

static bool get(struct avro *a, uint64_t n, struct str *ret)
{
	if (n > a->plain.n - a->plain_at)
		return false;
	*ret = (struct str){ (const char *)a->plain.p + a->plain_at, (size_t)n };
	a->plain_at += (size_t)n;
	return true;
}

static bool get_long(struct avro *a, int64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && a->plain_at < a->plain.n; shift += 7) {
		uint8_t c = a->plain.p[a->plain_at++];

		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			*ret = unzigzag(v);
			return true;
		}
	}
	return false;
}

static bool walk(struct avro *a, avro_schema_t schema, bool is_body, unsigned depth);

static bool walk_items(struct avro *a, avro_schema_t items, bool is_map, unsigned depth)
{
	int64_t n, size;
	struct str key;

	while (get_long(a, &n)) {
		if (n == 0)
			return true;
		if (n < 0 && (n == INT64_MIN || !get_long(a, &size)))
			return false;
		for (n = n < 0 ? -n : n; n > 0; n--) {
			if (is_map && (!get_long(a, &size) || size < 0 || !get(a, (uint64_t)size, &key)))
				return false;
			if (!walk(a, items, false, depth))
				return false;
		}
	}
	return false;
}

static bool walk(struct avro *a, avro_schema_t schema, bool is_body, unsigned depth)
{
	struct str s;
	int64_t n;

	if (!schema || a->steps == 0 || depth > AVRO_SCHEMA_DEPTH_MAX)
		return false;
	a->steps--;
	switch (avro_typeof(schema)) {
	case AVRO_STRING:
	case AVRO_BYTES:
		if (!get_long(a, &n) || n < 0 || !get(a, (uint64_t)n, &s))
			return false;
		text_value(a, s, is_body);
		return true;
	case AVRO_INT32:
	case AVRO_INT64:
		return get_long(a, &n);
	case AVRO_ENUM:
		return get_long(a, &n) && n >= 0 && n < avro_schema_enum_number_of_symbols(schema);
	case AVRO_FLOAT:
		return get(a, 4, &s);
	case AVRO_DOUBLE:
		return get(a, 8, &s);
	case AVRO_BOOLEAN:
		return get(a, 1, &s);
	case AVRO_NULL:
		return true;
	case AVRO_FIXED:
		n = avro_schema_fixed_size(schema);
		return n >= 0 && get(a, (uint64_t)n, &s);
	case AVRO_RECORD:
		for (int i = 0, fields = (int)avro_schema_record_size(schema); i < fields; i++) {
			const char *name = avro_schema_record_field_name(schema, i);

			if (!walk(a, avro_schema_record_field_get_by_index(schema, i), name && strcasecmp(name, "body") == 0, depth + 1))
				return false;
		}
		return true;
	case AVRO_MAP:
		return walk_items(a, avro_schema_map_values(schema), true, depth + 1);
	case AVRO_ARRAY:
		return walk_items(a, avro_schema_array_items(schema), false, depth + 1);
	case AVRO_UNION:
		return get_long(a, &n) && n >= 0 && (uint64_t)n < avro_schema_union_size(schema) &&
		       walk(a, avro_schema_union_branch(schema, (int)n), is_body, depth + 1);
	case AVRO_LINK:
		return walk(a, avro_schema_link_target(schema), is_body, depth + 1);
	default:
		return false;
	}
}

static enum source_status next_datum(struct avro *a)
{
	bool ok;

	a->body = a->longest = (struct str){ 0 };
	a->has_json = false;
	ok = walk(a, a->schema, false, 0);
	a->left--;
	if (ok && a->body.n)
		add_message(a, a->body);
	else if (ok && !a->has_json)
		add_message(a, a->longest);
	if (buf_failed(&a->text))
		return layer_fail(&a->l, "an Avro record too big for memory, in the block at byte %llu", (unsigned long long)a->block_at);
	if (!ok || (a->left == 0 && a->plain_at != a->plain.n))
		return damaged(a, a->block_at, "a block whose records are not what the schema says");
	return SOURCE_OK;
}

static enum source_status avro_read_text(struct layer *l, uint8_t *p, size_t capacity, size_t *ret_n)
{
	struct avro *a = (struct avro *)l;
	size_t n;

	while (a->text_at == a->text.n && a->end == SOURCE_OK) {
		buf_clear(&a->text);
		a->text_at = 0;
		if (!a->has_header) {
			a->end = take_header(a);
			a->has_header = true;
		} else if (a->left > 0) {
			a->end = next_datum(a);
		} else {
			a->end = take_block(a);
			if (a->end == SOURCE_OK && a->left == 0 && a->plain.n)
				a->end = damaged(a, a->block_at, "a block of bytes without records");
		}
	}
	n = a->text.n - a->text_at < capacity ? a->text.n - a->text_at : capacity;
	if (n)
		memcpy(p, a->text.p + a->text_at, n);
	a->text_at += n;
	*ret_n = n;
	return a->text_at < a->text.n ? SOURCE_OK : a->end;
}

static void avro_release(struct layer *l)
{
	struct avro *a = (struct avro *)l;

	if (a->schema)
		avro_schema_decref(a->schema);
	free(a->packed.p);
	free(a->plain.p);
	buf_release(&a->text);
}

struct layer *avro_layer_new(struct layer *below)
{
	struct avro *a = calloc(1, sizeof(*a));

	if (!a) {
		layer_fail(below, "out of memory");
		layer_free(below);
		return NULL;
	}
	a->l.is_unpacker = true;
	a->l.why = below->why;
	a->l.read = avro_read_text;
	a->l.release = avro_release;
	a->l.below = below;
	buf_init(&a->text, AVRO_TEXT_BYTES_MAX);
	return &a->l;
}
