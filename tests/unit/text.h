/* SPDX-License-Identifier: Apache-2.0 */
/* text: an input that a test puts together, piece by piece.  It ends with NUL; the test frees p. */
#ifndef TXM_TEST_TEXT_H
#define TXM_TEST_TEXT_H

#include <stdlib.h>
#include <string.h>

struct text {
	char *p;
	size_t n, capacity;
};

static void add_bytes(struct text *t, const void *p, size_t n)
{
	if (t->n + n + 1 > t->capacity) {
		t->capacity = (t->n + n + 1) * 2;
		t->p = realloc(t->p, t->capacity);
		if (!t->p)
			abort();
	}
	memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = 0;
}

#endif
