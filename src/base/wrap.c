/* SPDX-License-Identifier: Apache-2.0 */
/* wrap: see wrap.h. */
#include "base/wrap.h"

#define INDENT_MAX 32 /* text that begins further right is folded as if it began here */

/* the position after the letter or the escape sequence at i; *columns grows by its width */
static size_t next_letter(struct str s, size_t i, size_t *columns)
{
	if (s.p[i] == '\033' && i + 1 < s.n && s.p[i + 1] == '[') {
		for (i += 2; i < s.n && !(s.p[i] >= '@' && s.p[i] <= '~'); i++)
			;
		return i < s.n ? i + 1 : i;
	}
	(*columns)++;
	for (i++; i < s.n && ((uint8_t)s.p[i] & 0xc0) == 0x80; i++)
		;
	return i;
}

size_t text_columns(struct str s)
{
	size_t columns = 0;
	for (size_t i = 0; i < s.n;)
		i = next_letter(s, i, &columns);
	return columns;
}

/* Where does the text of the line begin?  After its blanks and a dash, or after a label followed by two blanks or more. */
static size_t indent_of(struct str line)
{
	size_t i = 0, text, column = 0;
	while (i < line.n && line.p[i] == ' ')
		i++;
	text = i;
	if (i + 1 < line.n && line.p[i] == '-' && line.p[i + 1] == ' ')
		return i + 2;
	for (size_t k = i; k < line.n;) {
		if (line.p[k] != ' ') {
			k = next_letter(line, k, &column);
			continue;
		}
		size_t from = k;
		while (k < line.n && line.p[k] == ' ')
			k++;
		column += k - from;
		if (i + column > INDENT_MAX)
			break;
		if (k - from > 1 && k < line.n)
			text = i + column;
	}
	return text < INDENT_MAX ? text : INDENT_MAX;
}

static void add_line(struct buf *b, struct str line, size_t columns)
{
	size_t indent = indent_of(line), at = 0, i = 0, blank = 0, from = 0;
	if (indent * 2 > columns)
		indent = 2;
	while (i < line.n) {
		if (line.p[i] == ' ' && at > indent)
			blank = i;
		size_t next = next_letter(line, i, &at);
		if (at <= columns || blank <= from) { /* fits, or no place to fold */
			i = next;
			continue;
		}
		size_t end = blank; /* neither blanks at the end of a line nor at the beginning of the next */
		while (end > from && line.p[end - 1] == ' ')
			end--;
		buf_add(b, line.p + from, end - from);
		buf_printf(b, "\n%*s", (int)indent, "");
		from = blank;
		while (from < line.n && line.p[from] == ' ')
			from++;
		i = blank = from;
		at = indent;
	}
	buf_add(b, line.p + from, line.n - from);
}

void buf_add_wrapped(struct buf *b, struct str text, size_t columns)
{
	while (text.n) {
		const char *nl = memchr(text.p, '\n', text.n);
		struct str line = { text.p, nl ? (size_t)(nl - text.p) : text.n };
		if (columns && line.n > columns && text_columns(line) > columns)
			add_line(b, line, columns);
		else
			buf_add_str(b, line);
		if (nl)
			buf_add_char(b, '\n');
		text.p += line.n + (nl != NULL);
		text.n -= line.n + (nl != NULL);
	}
}
