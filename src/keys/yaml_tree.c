/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_tree: libyaml's events into one array of nodes, a parent before its children. */
#include "keys/yaml_tree.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/limits.h"

struct open {
	uint32_t node, last;
	bool wants_key;
	struct str key;
	unsigned key_line;
};

struct reading {
	struct yaml_tree *t;
	const char *name;
	struct buf *error;
	struct open stack[YAML_DEPTH_MAX];
	unsigned depth;
	unsigned documents;
};

static bool wrong(struct reading *x, size_t line, const char *what)
{
	buf_printf(x->error, "%s:%zu: %s", x->name, line + 1, what);
	return false;
}

static struct str keep(struct reading *x, const char *p, size_t n)
{
	const size_t from = x->t->texts.n;

	buf_add(&x->t->texts, p, n);
	buf_add_char(&x->t->texts, '\0');
	return buf_failed(&x->t->texts) ? STR_NONE : (struct str){ x->t->texts.p + from, n };
}

/* A new node under the innermost open map or list; NULL: reported. */
static struct yaml_node *add_node(struct reading *x, size_t line, enum yaml_kind kind)
{
	struct yaml_tree *t = x->t;
	struct open *o = x->depth ? &x->stack[x->depth - 1] : NULL;
	struct yaml_node *n;

	if (t->n >= YAML_NODES_MAX) {
		wrong(x, line, "too many values");
		return NULL;
	}
	if (t->n == t->capacity) {
		const uint32_t capacity = t->capacity ? 2 * t->capacity : 256;
		struct yaml_node *grown = realloc(t->nodes, capacity * sizeof(*grown));
		if (!grown) {
			wrong(x, line, "out of memory");
			return NULL;
		}
		t->nodes = grown;
		t->capacity = capacity;
	}
	n = &t->nodes[t->n];
	*n = (struct yaml_node){ .kind = kind, .line = (unsigned)line + 1 };
	if (o) {
		struct yaml_node *parent = &t->nodes[o->node];
		if (parent->kind == YAML_MAP) {
			n->key = o->key;
			n->line = o->key_line;
			o->wants_key = true;
		}
		parent->children++;
		if (o->last)
			t->nodes[o->last].next = t->n;
		o->last = t->n;
	}
	t->n++;
	return n;
}

static bool take_key(struct reading *x, struct open *o, size_t line, struct str key)
{
	const struct yaml_node *parent = &x->t->nodes[o->node];

	if (!key.n || str_eq(key, STR("<<")))
		return wrong(x, line, "an empty name or a merge key");
	for (const struct yaml_node *n = yaml_first(parent); n; n = yaml_next(x->t, n))
		if (str_eq(n->key, key)) {
			buf_printf(x->error, "%s:%zu: '%.60s' is here twice", x->name, line + 1, key.p);
			return false;
		}
	o->key = key;
	o->key_line = (unsigned)line + 1;
	o->wants_key = false;
	return true;
}

static bool take_scalar(struct reading *x, const yaml_event_t *e)
{
	const size_t line = e->start_mark.line;
	struct open *o = x->depth ? &x->stack[x->depth - 1] : NULL;
	struct str text;
	struct yaml_node *n;

	if (e->data.scalar.anchor || e->data.scalar.tag)
		return wrong(x, line, "anchors and tags are not allowed here");
	if (memchr(e->data.scalar.value, 0, e->data.scalar.length))
		return wrong(x, line, "a text with U+0000 in it");
	text = keep(x, (const char *)e->data.scalar.value, e->data.scalar.length);
	if (!text.p)
		return wrong(x, line, "out of memory");
	if (o && o->wants_key)
		return take_key(x, o, line, text);
	n = add_node(x, line, YAML_SCALAR);
	if (!n)
		return false;
	n->text = text;
	n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return true;
}

static bool open_bracket(struct reading *x, const yaml_event_t *e, enum yaml_kind kind)
{
	const size_t line = e->start_mark.line;
	const bool marked = kind == YAML_MAP ? e->data.mapping_start.anchor || e->data.mapping_start.tag
					     : e->data.sequence_start.anchor || e->data.sequence_start.tag;

	if (marked)
		return wrong(x, line, "anchors and tags are not allowed here");
	if (x->depth && x->stack[x->depth - 1].wants_key)
		return wrong(x, line, "a name must be a text");
	if (x->depth == YAML_DEPTH_MAX)
		return wrong(x, line, "nested too deeply");
	if (!add_node(x, line, kind))
		return false;
	x->stack[x->depth++] = (struct open){ .node = x->t->n - 1, .wants_key = kind == YAML_MAP };
	return true;
}

static bool take_event(struct reading *x, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return ++x->documents == 1 || wrong(x, e->start_mark.line, "a second document");
	case YAML_ALIAS_EVENT: return wrong(x, e->start_mark.line, "aliases are not allowed here");
	case YAML_SCALAR_EVENT: return take_scalar(x, e);
	case YAML_SEQUENCE_START_EVENT: return open_bracket(x, e, YAML_LIST);
	case YAML_MAPPING_START_EVENT: return open_bracket(x, e, YAML_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		x->depth--;
		return true;
	default: return true;
	}
}

bool yaml_tree_parse(struct yaml_tree *t, const char *name, struct str text, struct buf *error)
{
	struct reading x = { .t = t, .name = name, .error = error };
	yaml_parser_t parser;
	yaml_event_t event;
	bool ok = true, end = false;

	*t = (struct yaml_tree){ 0 };
	buf_init(&t->texts, 4 * text.n + 64); /* an escape of two characters can be a character of three bytes */
	if (!buf_reserve(&t->texts, 4 * text.n + 64) || !yaml_parser_initialize(&parser)) {
		buf_printf(error, "%s: out of memory", name);
		return false;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
	while (ok && !end) {
		if (!yaml_parser_parse(&parser, &event)) {
			buf_printf(error, "%s:%zu: not YAML: %s", name, parser.problem_mark.line + 1,
				   parser.problem ? parser.problem : "?");
			ok = false;
			break;
		}
		ok = take_event(&x, &event);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	if (ok && !t->n) {
		buf_printf(error, "%s: empty", name);
		ok = false;
	}
	return ok;
}

void yaml_tree_release(struct yaml_tree *t)
{
	free(t->nodes);
	buf_release(&t->texts);
	*t = (struct yaml_tree){ 0 };
}

bool yaml_is_ambiguous(const struct yaml_node *n)
{
	static const char *const words[] = { "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan" };
	size_t points = 0, digits = 0, others = 0;

	if (n->kind != YAML_SCALAR || n->quoted)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_eq_nocase(n->text, str_of(words[i])))
			return true;
	for (size_t i = 0; i < n->text.n; i++) {
		const char c = n->text.p[i];
		if (c >= '0' && c <= '9')
			digits++;
		else if (c == '.')
			points++;
		else
			others++;
	}
	return points == 1 && digits && !others;
}
