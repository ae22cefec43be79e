/* SPDX-License-Identifier: Apache-2.0 */
/* lines: looks for the token in a record by the name of its member, at any depth; failing that, by its looks. */
#include "token/lines.h"

#include <openssl/crypto.h>

#include "base/limits.h"
#include "base/timefmt.h"

static const struct sj_limits limits = {
	.bytes = RECORD_BYTES_MAX, .depth = SJ_DEPTH_MAX, .object_members = 4096, .nodes = 100000,
};

void line_reader_init(struct line_reader *x)
{
	static const char *const none[] = { NULL };
	sj_init(&x->json, &limits, none);
}

void line_reader_release(struct line_reader *x)
{
	sj_release(&x->json);
}

/* What ends a token in a text.  No byte above 0x7f is of one: it is a quotation mark, a blank or a mark without width. */
static bool is_delimiter(char c)
{
	return (uint8_t)c <= ' ' || (uint8_t)c >= 0x7f || strchr("\"'`;,&<>()[]{}\\|*^#", c) != NULL;
}

/* ... and as an address writes it: %22, %20, %26.  (%3D is padding: that is wrong in the token, and stays in it.) */
static bool is_escaped_delimiter(struct str s)
{
	const int high = s.n > 2 && s.p[0] == '%' ? OPENSSL_hexchar2int((unsigned char)s.p[1]) : -1;
	const int low = high >= 0 ? OPENSSL_hexchar2int((unsigned char)s.p[2]) : -1;
	return low >= 0 && is_delimiter((char)(high << 4 | low));
}

/* A compact JWS or JWE begins with a brace in base64: {" {blank {LF {CR. */
static bool begins_token(struct str s)
{
	return str_starts(s, STR("eyJ")) || str_starts(s, STR("eyA")) || str_starts(s, STR("ewo")) || str_starts(s, STR("ew0"));
}

/* may a value begin after this?  name=VALUE, name:VALUE, %20VALUE */
static bool ends_name(const char *p, size_t i)
{
	return i == 0 || is_delimiter(p[i - 1]) || p[i - 1] == '=' || p[i - 1] == ':' || p[i - 1] == '/' || p[i - 1] == '+' || (i >= 3 && p[i - 3] == '%' && p[i - 2] >= '2' && p[i - 2] <= '3');
}

size_t token_restore_dots(char *text, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		const bool dot = i + 2 < n && text[i] == '%' && text[i + 1] == '2' && (text[i + 2] == 'E' || text[i + 2] == 'e');
		text[to++] = dot ? '.' : text[i];
		i += dot ? 2 : 0;
	}
	return to;
}

struct str token_unwrap(struct str text, unsigned *ret_count)
{
	struct str found = STR_NONE;

	*ret_count = 0;
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = (struct str){ text.p + 3, text.n - 3 };
	text = str_trim(text);
	for (size_t i = 0; i < text.n;) {
		struct str rest = { text.p + i, text.n - i }, one;
		size_t n = 0, dots = 0;
		if (!begins_token(rest) || !ends_name(text.p, i)) {
			i++;
			continue;
		}
		for (; n < rest.n && !is_delimiter(rest.p[n]) && !is_escaped_delimiter((struct str){ rest.p + n, rest.n - n }); n++)
			dots += rest.p[n] == '.';
		one = (struct str){ rest.p, n };
		if ((dots == 3 || dots == 5) && rest.p[n - 1] == '.') { /* the end of a sentence */
			one.n--;
			dots--;
		}
		if ((dots == 2 || dots == 4) && !(found.n && str_eq(found, one))) {
			found = one;
			++*ret_count;
		}
		i += n;
	}
	if (*ret_count == 1)
		return found;
	/* nothing that looks like one: judged as it is, so that the verdict can name the fault */
	while (text.n && (text.p[text.n - 1] == ',' || text.p[text.n - 1] == ';'))
		text.n--;
	if (text.n >= 2 && text.p[0] == text.p[text.n - 1] && (text.p[0] == '"' || text.p[0] == '\''))
		text = (struct str){ text.p + 1, text.n - 2 };
	if (str_starts_nocase(text, STR("Bearer ")))
		text = (struct str){ text.p + 7, text.n - 7 };
	return str_trim(text);
}

bool token_has_shape(struct str text)
{
	size_t dots = 0;

	for (size_t i = 0; i < text.n; i++) {
		if ((uint8_t)text.p[i] < ' ' && !begins_token(text))
			return false;
		dots += text.p[i] == '.';
	}
	return begins_token(text) || dots == 2 || dots == 4;
}

/* The first line of an object or list that is written over several lines. */
static bool is_opening(struct str line)
{
	line = str_trim(line);
	return str_eq(line, STR("{")) || str_eq(line, STR("[")) || str_eq(line, STR("[{"));
}

bool token_join_possible(struct str text)
{
	const char *end = memchr(text.p, '\n', text.n);
	const struct str line = { text.p, end ? (size_t)(end - text.p) : text.n };
	size_t dots = 0;
	for (size_t i = 0; i < line.n; i++)
		dots += line.p[i] == '.';
	if (end && is_opening(line))
		return true;
	return end && dots < 2 && (begins_token(str_trim(line)) || str_starts(line, STR("\xef\xbb\xbf")));
}

bool token_join_lines(char *text, size_t *n)
{
	size_t dots = 0, lines = 1, to = 0, from = *n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	const struct str trimmed = str_trim((struct str){ text + from, *n - from });

	if (trimmed.n && is_opening((struct str){ trimmed.p, memchr(trimmed.p, '\n', trimmed.n) ? (size_t)((const char *)memchr(trimmed.p, '\n', trimmed.n) - trimmed.p) : trimmed.n }) &&
	    (trimmed.p[trimmed.n - 1] == '}' || trimmed.p[trimmed.n - 1] == ']')) {
		for (size_t i = 0; i < *n; i++)
			if (text[i] == '\n' || text[i] == '\r')
				text[i] = ' ';
		return true;
	}
	if (!begins_token(trimmed))
		return false;
	for (size_t i = 0; i < trimmed.n; i++) {
		const char c = trimmed.p[i];
		const struct str rest = { trimmed.p + i, trimmed.n - i };
		const bool first = i && trimmed.p[i - 1] == '\n';
		lines += first;
		if (first && begins_token(rest) && (dots == 2 || dots == 0 || memchr(rest.p, '\n', rest.n) == NULL))
			return false; /* a token of its own, or a piece that cannot be distinguished from one */
		dots += c == '.';
		if (c != '.' && c != '-' && c != '_' && c != '\r' && c != '\n' && c != ' ' && c != '\t' && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= 'a' && c <= 'z'))
			return false;
		if ((c == ' ' || c == '\t') && !first && i && trimmed.p[i - 1] != ' ' && trimmed.p[i - 1] != '\t')
			if (str_trim((struct str){ rest.p, (size_t)(memchr(rest.p, '\n', rest.n) ? (const char *)memchr(rest.p, '\n', rest.n) - rest.p : (ptrdiff_t)rest.n) }).n)
				return false; /* a blank inside a line */
	}
	if (dots != 2 || lines < 2)
		return false;
	for (size_t i = 0; i < trimmed.n; i++)
		if ((uint8_t)trimmed.p[i] > ' ')
			text[to++] = trimmed.p[i];
	*n = to;
	return true;
}

static bool is_named(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (str_eq_nocase(name, str_of(*names)))
			return true;
	return false;
}

static bool looks_like_token(struct str s)
{
	unsigned count;

	if (s.n > TOKEN_BYTES_MAX)
		return false;
	token_unwrap(s, &count);
	return count == 1;
}

const char *line_token(struct line_reader *x, struct str line, struct str *ret, int64_t *ret_time_us)
{
	static const char *const token_names[] = { "token", "access_token", "accessToken", "id_token", "jwt", "jws", "assertion",
						   "authorization", NULL };
	static const char *const time_names[] = { "time", "CreationTime", "createdDateTime", "TimeGenerated", "timestamp", "@timestamp", NULL };
	struct strict_json *j = &x->json;
	const struct sj_node *best = NULL, *when = NULL;
	struct str text = line;
	unsigned count;
	enum sj_error e;

	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = (struct str){ text.p + 3, text.n - 3 };
	text = str_trim(text);
	if (!text.n || text.p[0] != '{') {
		*ret = token_unwrap(text, &count);
		return count > 1 ? "has more than one token in it; give one a line" : NULL;
	}
	line = text;
	while (line.n && line.p[line.n - 1] == ',')
		line.n--;
	e = sj_parse(j, line);
	if (e != SJ_OK)
		return sj_error_text(e);
	for (uint32_t i = 1; i < j->n; i++) {
		const struct sj_node *n = &j->nodes[i];
		if (n->kind == SJ_STRING && is_named(n->key, token_names) && (!best || !is_named(best->key, token_names)))
			best = n;
		else if (n->kind == SJ_STRING && !best && looks_like_token(n->value))
			best = n;
		if (!when && is_named(n->key, time_names) && (n->kind == SJ_STRING || n->kind == SJ_NUMBER))
			when = n;
	}
	if (when)
		time_parse(when->value, ret_time_us);
	if (!best)
		return "has no token in it";
	*ret = token_unwrap(best->value, &count);
	return count > 1 ? "has more than one token in it" : NULL;
}
