/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_tree: a settings file in the small, plain part of YAML: maps, lists and scalars.  libyaml reads; everything that
 * makes two readers of a YAML file disagree is an error: anchors, aliases, tags, merge keys, several documents, a name
 * twice.  Whether a plain scalar is text, a number or a switch is decided by the reader of the setting, never guessed. */
#ifndef TXM_KEYS_YAML_TREE_H
#define TXM_KEYS_YAML_TREE_H

#include "base/buf.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	struct str key;     /* in a map; else STR_NONE */
	struct str text;    /* of a scalar, NUL-terminated */
	bool quoted;
	unsigned line;      /* from 1 */
	uint32_t next;      /* index; 0 = none */
	uint32_t children;  /* they follow their parent */
};

struct yaml_tree {
	struct yaml_node *nodes;
	uint32_t n, capacity;
	struct buf texts;
};

/* False: *error has "NAME:LINE: what is wrong". */
bool yaml_tree_parse(struct yaml_tree *t, const char *name, struct str text, struct buf *error);
void yaml_tree_release(struct yaml_tree *t);

static inline const struct yaml_node *yaml_root(const struct yaml_tree *t) { return &t->nodes[0]; }
static inline const struct yaml_node *yaml_first(const struct yaml_node *parent)
{
	return parent->children ? parent + 1 : NULL;
}
static inline const struct yaml_node *yaml_next(const struct yaml_tree *t, const struct yaml_node *n)
{
	return n->next ? &t->nodes[n->next] : NULL;
}

/* A plain scalar that another YAML reader takes for something else than text: null, a boolean, a number with a point. */
bool yaml_is_ambiguous(const struct yaml_node *n);

#endif
