/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_keys: any bytes as key sets, lines of a history, certificates, logged tokens and leak reports of one audit.  Whatever
 * they are: the audit ends, reports the same twice, its lines are well-formed JSON, and no untrusted
 * text becomes markup of the page. */
#include <stdlib.h>

#include "keys/audit.h"
#include "keys/keyset.h"
#include "keys/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static const char *denied(const struct key *k, void *arg)
{
	(void)arg;
	return deny_list_find(k);
}

/* The input in pieces divided by a line "--": the first is a set, the others go line by line. */
static void take(struct audit *a, struct str text)
{
	bool (*const forms[])(struct audit *, struct str, struct buf *) = { audit_take_line, audit_take_token, audit_take_leak };
	const ptrdiff_t first = str_find(text, STR("\n--\n"));
	struct buf error;
	size_t form = 0;

	buf_init(&error, 64 * KIB);
	(void)audit_take_set(a, "<b>&\"'set", first < 0 ? text : (struct str){ text.p, (size_t)first }, 0, &error);
	if (first >= 0) {
		text.p += first + 4;
		text.n -= (size_t)first + 4;
	}
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		const size_t n = end ? (size_t)(end - text.p) : text.n;

		buf_clear(&error);
		if (n == 2 && memcmp(text.p, "--", 2) == 0)
			form = (form + 1) % 3;
		else
			(void)forms[form](a, (struct str){ text.p, n }, &error);
		text.p += n + (end != NULL);
		text.n -= n + (end != NULL);
	}
	buf_release(&error);
}

static void check_lines(struct str text)
{
	struct strict_json j;

	sj_init(&j, &keyset_limits, jwk_registered_names);
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);

		require(end != NULL);
		require(sj_parse(&j, (struct str){ text.p, (size_t)(end - text.p) }) == SJ_OK);
		text.n -= (size_t)(end - text.p) + 1;
		text.p = end + 1;
	}
	sj_release(&j);
}

static void report(struct str text, struct buf *ret)
{
	const struct audit_settings settings = { .now = INT64_C(1767657600) * US_PER_SECOND, .on_change = text.n % 2, .denied = denied };
	struct audit *a = audit_new(&settings);
	struct buf page;

	require(a != NULL);
	buf_init(&page, 64 * MIB);
	take(a, text);
	require(audit_run(a));
	audit_ndjson(a, ret, 0);
	check_lines(buf_str(ret));
	audit_text(a, ret, 0, false);
	audit_html(a, &page, 0);
	require(!buf_failed(ret) && !buf_failed(&page));
	require(str_find_nocase(buf_str(&page), STR("<script")) < 0 && str_find(buf_str(&page), STR("<b>&")) < 0);
	buf_add_str(ret, buf_str(&page));
	buf_release(&page);
	audit_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { (const char *)data, size };
	struct buf one, two;

	if (size > 64 * KIB)
		return 0;
	buf_init(&one, 64 * MIB);
	buf_init(&two, 64 * MIB);
	report(text, &one);
	report(text, &two);
	require(str_eq(buf_str(&one), buf_str(&two)));
	buf_release(&one);
	buf_release(&two);
	return 0;
}
