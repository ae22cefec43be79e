/* SPDX-License-Identifier: Apache-2.0 */
/* lost: see lost.h. */
#include "base/lost.h"

bool lost_sentence(const struct lost *l, size_t i, struct buf *ret)
{
	if (i < l->partial_n) {
		buf_printf(ret, "The export is not whole: %s.", l->partial[i]);
		return true;
	}
	if (i > l->partial_n || !l->n)
		return false;
	for (size_t k = 0; k < l->n; k++) {
		buf_add_cstr(ret, k ? "; " : "Lost on reading: ");
		buf_add_cstr(ret, l->texts[k]);
	}
	buf_add_cstr(ret, ". The summary on standard error and --stats give the numbers.");
	return true;
}

static void add_list(struct buf *b, const char *key, const char *const *v, size_t n)
{
	buf_printf(b, ",\"%s\":[", key);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_add_char(b, ',');
		buf_add_json(b, str_of(v[i]));
	}
	buf_add_char(b, ']');
}

void lost_json(struct buf *b, const struct lost *l)
{
	add_list(b, "lost", l->names, l->n);
	add_list(b, "partial", l->partial, l->partial_n);
}
