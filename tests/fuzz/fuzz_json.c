/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json: any bytes as JSON text: the structural index and every walk over it.  A walk only goes forward and stays
 * inside; skipping a container and walking through it end at the same place; unescaped text is never longer than it was. */
#include <stdlib.h>

#include "decode/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *scratch;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void look(const struct json_index *x, uint32_t v)
{
	struct str s = walk_raw_string(x, v);
	if (s.p) {
		require(s.p >= x->p && s.p + s.n <= x->p + x->len);
		require(walk_unescape(s, scratch).n <= s.n * 3);
	}
	s = walk_bare(x, v);
	require(s.p >= x->p && s.p + s.n <= x->p + x->len);
}

/* number after the value, or WALK_BAD / WALK_DEEP; never below v */
static uint32_t visit(const struct json_index *x, uint32_t v, unsigned depth)
{
	uint32_t end = walk_skip(x, v);
	require(end == WALK_BAD || end == WALK_DEEP || (end > v && end <= x->n));
	if (v >= x->n)
		return end;
	look(x, v);
	if (depth > JSON_DEPTH_MAX)
		return end;
	uint32_t walked = end;
	if (walk_char(x, v) == '{') {
		struct walk_object o = walk_object(x, v);
		for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; ) {
			require(key > v && key + 2 < x->n);
			look(x, key);
			o.next = visit(x, key + 2, depth + 1);
		}
		walked = o.next;
	} else if (walk_char(x, v) == '[') {
		struct walk_array a = walk_array(x, v);
		for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; ) {
			require(e > v && e < x->n);
			a.next = visit(x, e, depth + 1);
		}
		walked = a.next;
	}
	if (walked != WALK_BAD && walked != WALK_DEEP && end != WALK_BAD && end != WALK_DEEP)
		require(walked == end);
	return walked;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_indexer *indexer;
	struct json_index x;

	if (!indexer)
		indexer = json_indexer_new();
	char *text = malloc(size + 64);
	scratch = malloc(size + 64);
	require(indexer && text && scratch);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (json_index(indexer, text, size, &x) == JSON_OK) {
		require(x.p == text && x.len == size && x.at[x.n] == x.len);
		for (uint32_t i = 0; i < x.n; i++)
			require(x.at[i] < x.len && (i == 0 || x.at[i] > x.at[i - 1]));
		for (uint32_t v = 0; v < x.n; ) {
			uint32_t next = visit(&x, v, 0);
			v = next > v && next <= x.n ? next : v + 1;
		}
	}
	free(text);
	free(scratch);
	return 0;
}
