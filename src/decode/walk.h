/* SPDX-License-Identifier: Apache-2.0 */
/* walk: over the structural index of decode/json.h.  A value is named by the number of its first structural byte.
 *
 *   {"a": [1, "x"]}        numbers   0:{  1:"  2::  3:[  4:1  5:,  6:"  7:]  8:}
 *
 * A walk never reads past the index (at[n] is the length of the text, p[len] is readable) and never goes backwards, so a
 * malformed text ends it early with WALK_BAD; it cannot make it loop. */
#ifndef TXM_DECODE_WALK_H
#define TXM_DECODE_WALK_H

#include "decode/json.h"
#include "base/limits.h"

#define WALK_BAD UINT32_MAX
#define WALK_DEEP (UINT32_MAX - 1)

static inline char walk_char(const struct json_index *d, uint32_t v)
{
	return d->p[d->at[v]]; /* v == n reads the byte after the text */
}

/* The bytes between the quotes, escapes and all; p == NULL if v is no string. */
static inline struct str walk_raw_string(const struct json_index *d, uint32_t v)
{
	uint32_t a = d->at[v], z = d->at[v + 1];
	if (d->p[z - 1] == '"' && d->p[a] == '"' && z >= a + 2) /* no blank after it: nearly always */
		return (struct str){ d->p + a + 1, z - a - 2 };
	while (z > a + 1 && d->p[z - 1] != '"') {
		char c = d->p[z - 1];
		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return STR_NONE;
		z--;
	}
	if (d->p[a] != '"' || z < a + 2)
		return STR_NONE;
	return (struct str){ d->p + a + 1, z - a - 2 };
}

/* a number, true, false or null, as written */
static inline struct str walk_bare(const struct json_index *d, uint32_t v)
{
	return str_trim((struct str){ d->p + d->at[v], d->at[v + 1] - d->at[v] });
}

/* The number after the value v; WALK_BAD, WALK_DEEP. */
uint32_t walk_skip_container(const struct json_index *d, uint32_t v);
static inline uint32_t walk_skip(const struct json_index *d, uint32_t v)
{
	char c = walk_char(d, v);
	if (v >= d->n)
		return WALK_BAD;
	if (c == '{' || c == '[')
		return walk_skip_container(d, v);
	return c == '}' || c == ']' || c == ',' || c == ':' ? WALK_BAD : v + 1;
}

/* Objects:  for (uint32_t i = v, k; (k = walk_key(d, &i)) != WALK_BAD; i = walk_skip(d, k + 2)) { key k, value k + 2 }
 * with walk_object_done() afterwards to distinguish the end from a fault. */
struct walk_object {
	const struct json_index *d;
	uint32_t next;  /* number of the next structural byte: first key, ',' or '}' */
	bool first;
};

static inline struct walk_object walk_object(const struct json_index *d, uint32_t v)
{
	return (struct walk_object){ d, v + 1, true };
}

/* The number of the next key (its value is key + 2); WALK_BAD at the end or at a fault.  At the end o->next is the number
 * after the closing brace; at a fault it is WALK_BAD (WALK_DEEP if a value was too deep). */
static inline uint32_t walk_next_key(struct walk_object *o)
{
	const struct json_index *d = o->d;
	uint32_t i = o->next;
	if (i >= d->n)
		goto bad;
	char c = walk_char(d, i);
	if (c == '}') {
		o->next = i + 1;
		return WALK_BAD;
	}
	if (!o->first) {
		if (c != ',')
			goto bad;
		i++;
	}
	o->first = false;
	if (i + 2 >= d->n || walk_char(d, i) != '"' || walk_char(d, i + 1) != ':')
		goto bad;
	return i;
bad:
	if (o->next != WALK_DEEP)
		o->next = WALK_BAD;
	return WALK_BAD;
}

struct walk_array {
	const struct json_index *d;
	uint32_t next;
	bool first;
};

static inline struct walk_array walk_array(const struct json_index *d, uint32_t v)
{
	return (struct walk_array){ d, v + 1, true };
}

/* The next element, or WALK_BAD at the end (a->next after the bracket) or at a fault (a->next = WALK_BAD / WALK_DEEP).
 * The caller sets a->next = walk_skip(d, element). */
static inline uint32_t walk_next_element(struct walk_array *a)
{
	const struct json_index *d = a->d;
	uint32_t i = a->next;
	if (i >= d->n)
		goto bad;
	char c = walk_char(d, i);
	if (c == ']') {
		a->next = i + 1;
		return WALK_BAD;
	}
	if (!a->first) {
		if (c != ',')
			goto bad;
		i++;
		if (i >= d->n)
			goto bad;
	}
	a->first = false;
	return i;
bad:
	if (a->next != WALK_DEEP)
		a->next = WALK_BAD;
	return WALK_BAD;
}

/* Unescapes raw string bytes into out (at least s.n bytes); the result is in out.  Lone surrogates become U+FFFD; an
 * escape that JSON does not know keeps its character. */
struct str walk_unescape(struct str raw, char *out);

#endif
