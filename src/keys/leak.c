/* SPDX-License-Identifier: Apache-2.0 */
/* leak: keys whose private half has been seen where it must not be: in a scanned dump, or in an intruder's
 * hands.  The next question is always the same: who still trusts this key? */
#include "keys/audit_int.h"

#include <stdlib.h>

/* Names of the sets that list the key now, and of the records that let it verify. */
static void add_believers(const struct audit *a, const uint8_t spki[32], struct buf *text)
{
	const struct audit_record *r;
	size_t from = 0;
	unsigned n = 0;

	for (uint32_t i = 0; i < a->key_count; i++)
		if (!a->keys[i].gone && memcmp(a->keys[i].id, spki, 32) == 0)
			buf_printf(text, "%s\"%.*s\"", n++ ? ", " : "", STR_ARG(a->providers[a->keys[i].provider].name));
	while ((r = audit_record_of(a, spki, &from)))
		if (r->trusts)
			buf_printf(text, "%spolicy record %.*s", n++ ? ", " : "", STR_ARG(r->where));
}

static void judge_leak(struct audit *a, const uint8_t spki[32])
{
	const struct history_key *k = audit_find_spki(a, spki, NULL);
	struct buf believers;
	char hex[KEY_HEX_SIZE];

	for (uint32_t i = 0; i < a->key_count; i++) /* any set that lists it now is a better place for the finding */
		if (!a->keys[i].gone && memcmp(a->keys[i].id, spki, 32) == 0) {
			k = &a->keys[i];
			break;
		}
	buf_init(&believers, KEYS_FINDING_TEXT_MAX / 2);
	add_believers(a, spki, &believers);
	if (believers.n)
		finding_add(a, FINDING_LEAK_TRUSTED, SEVERITY_CRITICAL_FINDING, k, k ? k->provider : UINT32_MAX, 0,
			    "the leak report names SPKI %s; trusted by %.*s", key_hex(spki, 32, hex), STR_ARG(buf_str(&believers)));
	else
		finding_add(a, FINDING_LEAK_UNTRUSTED, SEVERITY_FINDING, k, k ? k->provider : UINT32_MAX, 0,
			    "the leak report names SPKI %s; %s", key_hex(spki, 32, hex),
			    k ? "no set lists it any more" : "no set and no record given here has it");
	buf_release(&believers);
}

static void judge_denied(struct audit *a, const struct history_key *k)
{
	const struct key *key = newest(a, k);
	const char *why = a->settings.denied ? a->settings.denied(key, a->settings.denied_arg) : NULL;

	if (!why || !key->has_spki)
		return;
	finding_add(a, FINDING_LEAK_DENIED, SEVERITY_CRITICAL_FINDING, k, k->provider, k->first, "%s%s", why,
		    audit_trusts(a, k->id) ? "; the policy trusts it" : "");
}

static int compare_leaks(const void *a, const void *b) { return memcmp(a, b, 32); }

void audit_leak(struct audit *a)
{
	if (a->leak_count)
		qsort(a->leaks, a->leak_count, sizeof(*a->leaks), compare_leaks);
	for (size_t i = 0; i < a->leak_count; i++)
		if (!i || compare_leaks(&a->leaks[i], &a->leaks[i - 1]) != 0)
			judge_leak(a, a->leaks[i].spki);
	for (uint32_t i = 0; i < a->key_count; i++)
		judge_denied(a, &a->keys[i]);
}

/* -- reading a report -- */

static bool take_hash(struct audit *a, struct str hex)
{
	uint8_t bytes[32] = { 0 };

	if (hex.n != 64)
		return false;
	for (size_t i = 0; i < 64; i++) {
		const char c = ascii_lower(hex.p[i]);
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10));
	}
	if (!audit_grow(&a->leaks, &a->leak_capacity, a->leak_count, sizeof(*a->leaks), KEYS_LEAKS_MAX))
		return false;
	memcpy(a->leaks[a->leak_count++].spki, bytes, 32);
	return true;
}

bool audit_take_leak(struct audit *a, struct str line, struct buf *error)
{
	static const char *const names[] = { "spki", "spki_sha256", "key_spki_sha256" };
	enum sj_error e;

	line = str_trim(line);
	if (!line.n || line.p[0] == '#')
		return true;
	if (line.p[0] != '{') {
		const size_t n = 64 < line.n && (line.p[64] == ' ' || line.p[64] == '\t') ? 64 : line.n; /* a comment may follow */
		if (take_hash(a, (struct str){ line.p, n }))
			return true;
		buf_add_cstr(error, "neither 64 hexadecimal digits nor a JSON object");
		a->counts.bad_lines++;
		return false;
	}
	e = sj_parse(&a->line_json, line);
	if (e != SJ_OK || sj_root(&a->line_json)->kind != SJ_OBJECT) {
		buf_printf(error, "%s at byte %zu", e == SJ_OK ? "no object" : sj_error_text(e), a->line_json.error_at);
		a->counts.bad_lines++;
		return false;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct sj_node *n = sj_member(&a->line_json, sj_root(&a->line_json), str_of(names[i]));
		if (!n || n->kind == SJ_NULL)
			continue;
		if (n->kind == SJ_STRING && take_hash(a, n->value))
			return true;
		buf_printf(error, "\"%s\" is not a text of 64 hexadecimal digits", names[i]);
		a->counts.bad_lines++;
		return false;
	}
	if (sj_member(&a->line_json, sj_root(&a->line_json), STR("type")))
		return true; /* of a report of ours: a finding without a key, or a summary */
	buf_add_cstr(error, "no \"spki\" in it, and no line of a report of `taximeter dump`");
	a->counts.bad_lines++;
	return false;
}
