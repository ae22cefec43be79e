/* SPDX-License-Identifier: Apache-2.0 */
/* lines: looks for tokens in a record by the name of a member and by their looks, in every text of it. */
#include "token/lines.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include "base/b64url.h"
#include "base/timefmt.h"

static const struct sj_limits limits = {
	.bytes = RECORD_BYTES_MAX, .depth = SJ_DEPTH_MAX, .object_members = 4096, .nodes = 100000,
};

/* those whose names may be written in any case */
static const char *const token_names[] = {
	"token", "access_token", "accessToken", "id_token", "idToken", "jwt", "jws", "assertion", "client_assertion", "subject_token",
	"actor_token", "logout_token", "authorization", "proxy-authorization", NULL
};
static const char *const time_names[] = { "time", "CreationTime", "createdDateTime", "TimeGenerated", "timestamp", "@timestamp", NULL };

void line_reader_init(struct line_reader *x)
{
	static const char *const none[] = { NULL };
	*x = (struct line_reader){ 0 };
	sj_init(&x->json, &limits, none);
}

void line_reader_release(struct line_reader *x)
{
	sj_release(&x->json);
}

/* What ends a token in a text.  No byte above 0x7f is of one: it is a quotation mark, a blank or a mark without width. */
static bool is_delimiter(char c)
{
	static const bool is[128] = {
		['"'] = true, ['\''] = true, ['`'] = true, [';'] = true, [','] = true, ['&'] = true, ['<'] = true, ['>'] = true, ['('] = true, [')'] = true, ['['] = true,
		[']'] = true, ['{'] = true, ['}'] = true, ['\\'] = true, ['|'] = true, ['*'] = true, ['^'] = true, ['#'] = true,
	};
	return (uint8_t)c <= ' ' || (uint8_t)c >= 0x7f || is[(uint8_t)c];
}

/* ... and as an address writes it: %22, %20, %26.  (%3D is padding: that is wrong in the token, and stays in it.) */
static bool is_escaped_delimiter(struct str s)
{
	const int high = s.n > 2 && s.p[0] == '%' ? OPENSSL_hexchar2int((unsigned char)s.p[1]) : -1;
	const int low = high >= 0 ? OPENSSL_hexchar2int((unsigned char)s.p[2]) : -1;
	return low >= 0 && is_delimiter((char)(high << 4 | low));
}

static bool is_base64url(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A compact JWS or JWE begins with an object in base64, perhaps with blanks before and in it. */
static bool begins_token(struct str s)
{
	uint8_t bytes[12];
	size_t n = 0, digits = 0, i = 0;

	if (!s.n || (s.p[0] != 'e' && s.p[0] != 'C' && s.p[0] != 'D' && s.p[0] != 'I')) /* a brace, or one of JSON's four blanks */
		return false;
	while (digits < 16 && digits < s.n && is_base64url(s.p[digits]))
		digits++;
	digits -= digits % 4;
	if (!digits || b64url_decode((struct str){ s.p, digits }, bytes, sizeof(bytes), &n) != B64_OK)
		return false;
	while (i < n && strchr(" \t\r\n", bytes[i]) && bytes[i])
		i++;
	return i == n || (bytes[i] == '{' && (i + 1 == n || (bytes[i + 1] && strchr(" \t\r\n\"}", bytes[i + 1]))));
}

/* may a value begin after this?  name=VALUE, name:VALUE, %20VALUE */
static bool ends_name(const char *p, size_t i)
{
	return i == 0 || (!is_base64url(p[i - 1]) && p[i - 1] != '.') || (i >= 3 && p[i - 3] == '%' && p[i - 2] >= '2' && p[i - 2] <= '3');
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

/* The next token in a text, from *at on; *at is then after it. */
static bool next_token(struct str text, size_t *at, struct str *ret)
{
	while (*at < text.n) {
		struct str rest = { text.p + *at, text.n - *at };
		size_t n = 0, dots = 0;
		if (!ends_name(text.p, *at) || !begins_token(rest)) {
			++*at;
			continue;
		}
		for (; n < rest.n && !is_delimiter(rest.p[n]) && !is_escaped_delimiter((struct str){ rest.p + n, rest.n - n }); n++) {
			const struct str after = { rest.p + n + 1, rest.n - n - 1 };
			if (dots >= 2 && rest.p[n] != '.' && !is_base64url(rest.p[n]) && begins_token(after))
				break; /* "one:another", "one~another" */
			dots += rest.p[n] == '.';
		}
		*at += n;
		if ((dots == 3 || dots == 5) && rest.p[n - 1] == '.') { /* the end of a sentence */
			n--;
			dots--;
		}
		*ret = (struct str){ rest.p, n };
		if (dots == 2 || dots == 4)
			return true;
	}
	return false;
}

static struct str trim_line(struct str text)
{
	return str_trim(str_starts(text, STR("\xef\xbb\xbf")) ? (struct str){ text.p + 3, text.n - 3 } : text);
}

struct str token_unwrap(struct str text, unsigned *ret_count)
{
	struct str found = STR_NONE, one;
	size_t at = 0;

	*ret_count = 0;
	text = trim_line(text);
	while (next_token(text, &at, &one))
		if (!(found.n && str_eq(found, one))) {
			found = one;
			++*ret_count;
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

static void take(struct line_reader *x, struct str token)
{
	for (unsigned i = 0; i < x->n; i++)
		if (str_eq(x->token[i], token))
			return;
	x->too_many |= x->n == TOKEN_LINE_MAX;
	if (x->n < TOKEN_LINE_MAX)
		x->token[x->n++] = token;
}

static bool take_by_looks(struct line_reader *x, struct str text)
{
	struct str one;
	size_t at = 0;
	bool any = false;

	for (text = trim_line(text); next_token(text, &at, &one); any = true)
		take(x, one);
	return any;
}

/* "Basic ...", "Negotiate ...": credentials that are no token. */
static bool is_other_scheme(struct str text)
{
	static const char *const schemes[] = { "Basic", "Digest", "Negotiate", "NTLM", "AWS4-HMAC-SHA256", "SharedKey", NULL };
	const char *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;

	return blank && is_named((struct str){ text.p, (size_t)(blank - text.p) }, schemes);
}

/* A JWS or JWE in JSON (RFC 7515, 7.2; RFC 7516, 7.2) has its parts in members of their own.  Such tokens are not judged here. */
static bool is_json_token(const struct strict_json *j, const struct sj_node *object)
{
	const struct sj_node *signatures = sj_member(j, object, STR("signatures"));
	const bool has_header = sj_member(j, object, STR("protected")) || sj_member(j, object, STR("header")) || sj_member(j, object, STR("recipients"));

	return (sj_member(j, object, STR("payload")) && ((has_header && sj_member(j, object, STR("signature"))) || (signatures && signatures->kind == SJ_ARRAY))) ||
	       (has_header && sj_member(j, object, STR("ciphertext")));
}

/* ... and the same as a text in a record. */
static bool is_json_token_text(struct str text)
{
	text = str_trim(text);
	if (!text.n || text.p[0] != '{')
		return false;
	return (str_find(text, STR("\"payload\"")) >= 0 && str_find(text, STR("\"signature")) >= 0 &&
		(str_find(text, STR("\"protected\"")) >= 0 || str_find(text, STR("\"signatures\"")) >= 0)) ||
	       (str_find(text, STR("\"ciphertext\"")) >= 0 && str_find(text, STR("\"protected\"")) >= 0);
}

/* Elements of a list have the name of the list. */
static void take_node(struct line_reader *x, const struct sj_node *n, struct str name)
{
	unsigned count;

	if (n->key.n)
		take_by_looks(x, n->key);
	x->has_json_token |= n->kind == SJ_OBJECT ? is_json_token(&x->json, n) : n->kind == SJ_STRING && is_json_token_text(n->value);
	if (n->kind == SJ_STRING && !take_by_looks(x, n->value) && is_named(name, token_names) && !is_other_scheme(n->value)) {
		const struct str as_it_is = token_unwrap(n->value, &count);
		if (as_it_is.n)
			take(x, as_it_is);
	}
	if (n->kind == SJ_OBJECT || n->kind == SJ_ARRAY) /* no deeper than SJ_DEPTH_MAX */
		for (const struct sj_node *c = sj_first(&x->json, n); c; c = sj_next(&x->json, c))
			take_node(x, c, n->kind == SJ_ARRAY ? name : c->key);
}

static const char *take_record(struct line_reader *x, int64_t *ret_time_us)
{
	const struct strict_json *j = &x->json;
	const struct sj_node *when = NULL;

	take_node(x, sj_root(j), STR_NONE);
	for (uint32_t i = 1; i < j->n && !when; i++)
		if (is_named(j->nodes[i].key, time_names) && (j->nodes[i].kind == SJ_STRING || j->nodes[i].kind == SJ_NUMBER))
			when = &j->nodes[i];
	if (when)
		time_parse(when->value, ret_time_us);
	if (!j->first_duplicate)
		return NULL;
	const struct str key = j->nodes[j->first_duplicate].key;
	x->duplicate = true;
	snprintf(x->problem, sizeof(x->problem), "has '%.*s' twice: two readers of it may take two different things", key.n > 40 ? 40 : (int)key.n, key.p);
	return x->problem;
}

const char *line_tokens(struct line_reader *x, struct str line, int64_t *ret_time_us)
{
	const char *problem = NULL;
	unsigned count;
	enum sj_error e;

	x->n = 0;
	x->too_many = x->duplicate = x->has_json_token = false;
	line = trim_line(line);
	while (line.n && (line.p[0] == '{' || line.p[0] == '[') && line.p[line.n - 1] == ',')
		line = str_trim((struct str){ line.p, line.n - 1 });
	e = line.n && (line.p[0] == '{' || line.p[0] == '[') ? sj_parse(&x->json, line) : SJ_EMPTY;
	if (e == SJ_OK) {
		problem = take_record(x, ret_time_us);
	} else if (line.n && (line.p[0] == '{' || (line.p[0] == '[' && e != SJ_SYNTAX && e != SJ_TRAILING))) {
		return sj_error_text(e); /* "[time] text" is no JSON at all */
	} else if (!take_by_looks(x, line)) {
		take(x, token_unwrap(line, &count)); /* judged as it is, so that the verdict can name the fault */
	}
	if (x->too_many)
		return "has more tokens than are judged of one line";
	if (!problem && x->has_json_token)
		return "has a token in JSON form (its parts are members of an object), which is not judged; wanted: header.claims.signature";
	return problem ? problem : x->n ? NULL : "has no token in it";
}
