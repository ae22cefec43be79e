/* SPDX-License-Identifier: Apache-2.0 */
/* strict_json: small hostile JSON documents (token headers, claims, key sets) parsed without any ambiguity.
 *
 * Two readers of one token that disagree about it are an attack: one takes the first "iss", the other the last; one stops
 * at U+0000, the other does not.  So everything ambiguous is an error here: text that is not UTF-8, a byte order mark,
 * U+0000, half a surrogate pair, anything after the value, a number outside the grammar, and more depth
 * or members than such a document has.  Members of one name (after unescaping; for names that mean something also when
 * they differ in case only) are all kept and marked: a token with one is refused, a key set with one is reported.
 *
 * Why not the simdjson index of decode/json.h: it is made for megabytes, the rules above would all
 * still have to be written, and on a few hundred bytes it gains nothing.
 *
 *     struct strict_json j;
 *     sj_init(&j, &limits, registered_names);
 *     if (sj_parse(&j, text) == SJ_OK)            // any number of documents, one after the other, memory is kept
 *         for (n = sj_first(&j, sj_root(&j)); n; n = sj_next(&j, n)) ... n->key, n->value
 *     sj_release(&j);
 */
#ifndef TXM_KEYS_STRICT_JSON_H
#define TXM_KEYS_STRICT_JSON_H

#include "base/buf.h"

enum sj_kind { SJ_NULL, SJ_FALSE, SJ_TRUE, SJ_NUMBER, SJ_STRING, SJ_OBJECT, SJ_ARRAY };

enum sj_error {
	SJ_OK,
	SJ_EMPTY,
	SJ_TOO_LONG,
	SJ_BOM,
	SJ_UTF8,
	SJ_ZERO,      /* U+0000, raw or escaped */
	SJ_SURROGATE,
	SJ_CONTROL,   /* a raw control character in a string */
	SJ_SYNTAX,
	SJ_TRAILING,  /* something after the value */
	SJ_DEPTH,
	SJ_MEMBERS,
	SJ_NO_MEMORY,
};
const char *sj_error_text(enum sj_error e); /* "is not UTF-8", ... */

struct sj_limits {
	size_t bytes;            /* of the text, below 4 GiB */
	uint32_t depth;          /* of brackets; at most SJ_DEPTH_MAX */
	uint32_t object_members; /* of one object */
	uint32_t nodes;          /* values in the whole text */
};

struct sj_node {
	struct str key;      /* unescaped; STR_NONE in arrays and for the root */
	struct str value;    /* string: unescaped; else as raw */
	struct str raw;      /* the value as it is in the text, quotes and brackets included */
	uint32_t next;       /* index of the next in the same object or array; 0 = none */
	uint32_t children;
	uint8_t kind;        /* enum sj_kind */
	bool duplicate;      /* an earlier member of this object has the same name */
	bool case_duplicate; /* an earlier member has a name that differs in case only, and one of them is registered */
};

struct strict_json {
	const struct sj_limits *limits;
	const char *const *registered; /* NULL-terminated */
	struct sj_node *nodes;         /* [0] is the root; children follow their parent */
	uint32_t n, capacity;
	struct buf unescaped;
	struct str text;
	uint32_t first_duplicate;      /* a node marked duplicate or case_duplicate; 0 = none */
	size_t error_at;               /* byte where parsing stopped */
};

/* Limits and names are borrowed. */
void sj_init(struct strict_json *j, const struct sj_limits *limits, const char *const *registered);
void sj_release(struct strict_json *j);
/* The text is borrowed until the next sj_parse() or sj_release(). */
enum sj_error sj_parse(struct strict_json *j, struct str text);

static inline const struct sj_node *sj_root(const struct strict_json *j) { return &j->nodes[0]; }
static inline const struct sj_node *sj_first(const struct strict_json *j, const struct sj_node *parent)
{
	(void)j;
	return parent->children ? parent + 1 : NULL;
}
static inline const struct sj_node *sj_next(const struct strict_json *j, const struct sj_node *n)
{
	return n->next ? &j->nodes[n->next] : NULL;
}
/* The first member of that exact name, or NULL. */
const struct sj_node *sj_member(const struct strict_json *j, const struct sj_node *object, struct str name);
/* A NumericDate as Taximeter takes it: digits only (no sign, fraction, exponent, leading zero), below 2^33. */
bool sj_date(const struct sj_node *n, int64_t *ret_seconds);
/* Also with a fraction or an exponent: the whole seconds of exactly the number that is written, below 2^33. */
bool sj_decimal_date(const struct sj_node *n, int64_t *ret_seconds);

#endif
