/* SPDX-License-Identifier: Apache-2.0 */
/* audit: takes sets in, keeps each distinct entry once, and lets the finding groups look at the whole.
 *
 * A history of 240 observations holds some 5,000 entries, but no more than a hundred that differ.  So an entry is identified by
 * the hash of its text, and its numbers and certificate are read once. */
#include "keys/audit_int.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "keys/keyset.h"
#include "keys/secret.h"

#define MAX_AGE_DEFAULT (180 * US_PER_DAY)
#define OLD_AGE_DEFAULT (90 * US_PER_DAY)
#define IDLE_DEFAULT (30 * US_PER_DAY)

const char *const finding_severity_names[] = { "info", "finding", "critical" };

enum { SEVERITY_OF_INFO = SEVERITY_INFORMATION, SEVERITY_OF_FINDING = SEVERITY_FINDING,
       SEVERITY_OF_CRITICAL = SEVERITY_CRITICAL_FINDING };

const struct finding_row finding_rows[FINDING_COUNT] = {
#define FINDING(name, code, severity, title, why, clears) \
	[FINDING_##name] = { code, (enum finding_severity)SEVERITY_OF_##severity, title, why, clears },
#include "keys/finding_names.h"
#undef FINDING
};

/* -- memory -- */

bool audit_grow(void *p, size_t *capacity, size_t n, size_t size, size_t max)
{
	size_t want = *capacity ? 2 * *capacity : 32;
	void **array = p, *grown;

	if (n < *capacity)
		return true;
	if (n >= max)
		return false;
	grown = realloc(*array, (want > max ? max : want) * size);
	if (!grown)
		return false;
	*array = grown;
	*capacity = want > max ? max : want;
	return true;
}

struct audit *audit_new(const struct audit_settings *s)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->settings = *s;
	a->settings.old_age = a->settings.max_age ? a->settings.max_age : OLD_AGE_DEFAULT;
	if (!a->settings.max_age)
		a->settings.max_age = MAX_AGE_DEFAULT;
	if (!a->settings.idle)
		a->settings.idle = IDLE_DEFAULT;
	a->history = history_new(s->on_change);
	sj_init(&a->json, &keyset_limits, jwk_registered_names);
	sj_init(&a->line_json, &keyset_limits, jwk_registered_names);
	table_init(&a->by_digest, sizeof(uint32_t), KEYS_ENTRIES_MAX);
	table_init(&a->text_numbers, sizeof(uint32_t), KEYS_TOKENS_MAX);
	if (!a->history) {
		audit_free(a);
		return NULL;
	}
	return a;
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->entry_count; i++) {
		key_free(a->entries[i].key);
		free(a->entries[i].raw);
	}
	for (size_t i = 0; i < a->note_count; i++) {
		free(a->notes[i].name);
		free(a->notes[i].issuer);
		free(a->notes[i].cloud);
		free(a->notes[i].jwks_uri);
	}
	for (size_t i = 0; i < a->twice_count; i++)
		free(a->twice[i].kid);
	for (size_t i = 0; i < a->text_count; i++)
		free(a->texts[i]);
	for (size_t i = 0; i < a->finding_count; i++)
		free(a->findings[i]);
	free(a->last_provider);
	free(a->entries);
	free(a->notes);
	free(a->twice);
	free(a->tokens);
	free(a->texts);
	free(a->leaks);
	free(a->findings);
	free(a->distinct);
	free(a->strengths);
	free(a->searched);
	table_release(&a->by_digest);
	table_release(&a->text_numbers);
	sj_release(&a->json);
	sj_release(&a->line_json);
	history_free(a->history);
	free(a);
}

/* -- entries -- */

static bool find_entry(const struct audit *a, const uint8_t digest[32], uint32_t *ret)
{
	uint64_t h;
	const uint32_t *number;

	memcpy(&h, digest, sizeof(h));
	number = table_get(&a->by_digest, h);
	if (!number || memcmp(a->entries[*number].digest, digest, 32) != 0)
		return false;
	*ret = *number;
	return true;
}

/* Takes the key, freed on failure. */
static bool add_entry(struct audit *a, struct key *key, const uint8_t digest[32], struct str raw, uint32_t *ret)
{
	struct entry *e;
	uint64_t h;
	uint32_t *number;

	memcpy(&h, digest, sizeof(h));
	if (!key || !audit_grow(&a->entries, &a->entry_capacity, a->entry_count, sizeof(*e), KEYS_ENTRIES_MAX) ||
	    !(number = table_put(&a->by_digest, h, NULL))) {
		key_free(key);
		return false;
	}
	e = &a->entries[a->entry_count];
	*e = (struct entry){ .key = key };
	memcpy(e->digest, digest, 32);
	memcpy(e->id, key->has_spki ? key->spki_sha256 : digest, 32);
	/* private members are not kept, not even in the text of an entry */
	if (raw.n && !key->private_members) {
		e->raw = malloc(raw.n);
		if (e->raw)
			memcpy(e->raw, raw.p, raw.n);
		e->raw_n = e->raw ? raw.n : 0;
	}
	*number = (uint32_t)a->entry_count++;
	*ret = *number;
	return true;
}

static bool entry_of_node(struct audit *a, const struct strict_json *j, const struct sj_node *node, uint32_t *ret)
{
	uint8_t digest[32];

	SHA256((const uint8_t *)node->raw.p, node->raw.n, digest);
	return find_entry(a, digest, ret) || add_entry(a, key_from_jwk(j, node, KEY_NO_STRENGTH), digest, node->raw, ret);
}

/* -- sets -- */

static struct set_note *note_of(struct audit *a, struct str name)
{
	for (size_t i = a->note_count; i-- > 0;)
		if (str_eq(str_of(a->notes[i].name), name))
			return &a->notes[i];
	if (!audit_grow(&a->notes, &a->note_capacity, a->note_count, sizeof(*a->notes), KEYS_PROVIDERS_MAX))
		return NULL;
	a->notes[a->note_count] = (struct set_note){ .name = strndup(name.p, name.n) };
	return a->notes[a->note_count].name ? &a->notes[a->note_count++] : NULL;
}

static void note_fault(struct set_note *n, uint32_t fault, int64_t time)
{
	if (!n->faults || time < n->faults_since)
		n->faults_since = time;
	n->faults |= fault;
}

static void earlier(int64_t *since, int64_t time)
{
	if (!*since || time < *since)
		*since = time;
}

/* The smaller of two names stays, so that the order of input does not matter. */
static void note_text(char **kept, const char *text, size_t n)
{
	char *copy;

	if (!text || (*kept && strncmp(*kept, text, n) <= 0))
		return;
	copy = strndup(text, n);
	if (!copy)
		return;
	free(*kept);
	*kept = copy;
}

static int compare_kids(const void *pa, const void *pb)
{
	const struct str a = *(const struct str *)pa, b = *(const struct str *)pb;
	const size_t n = a.n < b.n ? a.n : b.n;
	const int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static bool note_kid_twice(struct audit *a, uint32_t note, struct str kid, int64_t time)
{
	for (size_t i = 0; i < a->twice_count; i++)
		if (a->twice[i].note == note && str_eq(str_of(a->twice[i].kid), kid)) {
			earlier(&a->twice[i].since, time);
			return true;
		}
	if (!audit_grow(&a->twice, &a->twice_capacity, a->twice_count, sizeof(*a->twice), KEYS_FINDINGS_MAX))
		return false;
	a->twice[a->twice_count] = (struct kid_twice){ note, time, strndup(kid.p, kid.n) };
	return a->twice[a->twice_count++].kid != NULL;
}

/* One observation: entries by number, the same number twice if the set lists an entry twice. */
static bool observe(struct audit *a, struct set_note *note, int64_t time, bool dated, const uint32_t *numbers, size_t n,
		    struct buf *error)
{
	uint8_t (*ids)[HISTORY_ID_BYTES] = malloc((n ? n : 1) * sizeof(*ids));
	struct str *kids = malloc((n ? n : 1) * sizeof(*kids));
	size_t kid_count = 0;
	bool ok = ids && kids;

	a->last_empty = !n;
	for (size_t i = 0; i < n && ok; i++) {
		const struct key *k = a->entries[numbers[i]].key;

		memcpy(ids[i], a->entries[numbers[i]].id, sizeof(ids[i]));
		if (k->kid.p)
			kids[kid_count++] = k->kid;
		else if (k->from == KEY_FROM_JWK)
			earlier(&note->kid_missing_since, time);
		if (k->kind == KEY_OCT)
			earlier(&note->symmetric_since, time);
	}
	if (ok)
		qsort(kids, kid_count, sizeof(*kids), compare_kids);
	for (size_t i = 1; i < kid_count && ok; i++)
		if (str_eq(kids[i], kids[i - 1]))
			ok = note_kid_twice(a, (uint32_t)(note - a->notes), kids[i], time);
	ok = ok && history_observe(a->history, str_of(note->name), time, dated, (const uint8_t (*)[HISTORY_ID_BYTES])ids, numbers, n);
	if (!ok)
		buf_printf(error, "%s: out of memory, or more than %d observed keys", note->name, KEYS_SIGHTINGS_MAX);
	free(ids);
	free(kids);
	return ok;
}

static struct str member_text(const struct strict_json *j, const struct sj_node *object, const char *name)
{
	const struct sj_node *n = sj_member(j, object, str_of(name));

	return n && n->kind == SJ_STRING && !secret_in_text(n->value) ? n->value : STR_NONE;
}

static void note_members(struct set_note *note, const struct strict_json *j, const struct sj_node *object, int64_t time)
{
	const struct str issuer = member_text(j, object, "issuer"), uri = member_text(j, object, "jwks_uri"),
			 cloud = member_text(j, object, "cloud_instance_name");

	note_text(&note->issuer, issuer.p, issuer.n);
	note_text(&note->cloud, cloud.p, cloud.n);
	note_text(&note->jwks_uri, uri.p, uri.n);
	if ((issuer.n && !str_starts_nocase(issuer, STR("https://"))) || (uri.n && !str_starts_nocase(uri, STR("https://"))))
		note_fault(note, NOTE_HTTP, time);
	for (const struct sj_node *n = sj_first(j, object); n; n = sj_next(j, n))
		if (n->duplicate || n->case_duplicate)
			note_fault(note, NOTE_DUPLICATE, time);
}

/* node: {"keys":[...]}, a single JWK, or metadata */
static bool take_node(struct audit *a, struct str name, const struct strict_json *j, const struct sj_node *node, int64_t time,
		      bool dated, struct buf *error)
{
	const struct sj_node *keys = node->kind == SJ_OBJECT ? keyset_list(j, node) : NULL;
	const bool single = !keys && node->kind == SJ_OBJECT && sj_member(j, node, STR("kty"));
	const size_t all = keys && keys->kind == SJ_ARRAY ? keys->children : 1, n = all < KEYS_SET_KEYS_MAX ? all : KEYS_SET_KEYS_MAX;
	struct set_note *note;
	uint32_t *numbers;
	size_t got = 0;
	bool ok;

	if (node->kind != SJ_OBJECT || (keys ? keys->kind != SJ_ARRAY : !single && !sj_member(j, node, STR("jwks_uri")))) {
		buf_printf(error, "%.*s: neither \"keys\" nor \"kty\" nor \"jwks_uri\", and no names of certificates: no key set, key or OpenID metadata", STR_ARG(name));
		return false;
	}
	note = note_of(a, name);
	numbers = malloc((n ? n : 1) * sizeof(*numbers));
	ok = note && numbers;
	if (ok && !single)
		note_members(note, j, node, time);
	if (ok && n < all)
		note_fault(note, NOTE_CUT, time);
	if (ok && keyset_secret_beside(j, node))
		note_fault(note, NOTE_PRIVATE, time);
	if (ok && single)
		ok = entry_of_node(a, j, node, &numbers[got++]);
	if (ok && keys)
		for (const struct sj_node *k = sj_first(j, keys); k && got < n && ok; k = sj_next(j, k))
			ok = entry_of_node(a, j, k, &numbers[got++]);
	if (!ok)
		buf_printf(error, "%.*s: out of memory, or more than %d different entries", STR_ARG(name), KEYS_ENTRIES_MAX);
	ok = ok && (!(keys || single) || observe(a, note, time, dated, numbers, got, error));
	free(numbers);
	return ok;
}

/* PEM and DER */
static bool take_other(struct audit *a, const char *name, struct str bytes, int64_t time, bool dated, struct buf *error)
{
	struct keyset *s = keyset_new(name);
	struct set_note *note = note_of(a, str_of(name));
	uint32_t *numbers = NULL;
	bool ok = s && note && keyset_load_bytes(s, bytes, KEY_NO_STRENGTH, error);

	if (ok) {
		numbers = malloc((s->n ? s->n : 1) * sizeof(*numbers));
		if (s->faults & KEYSET_LOCKED)
			note_fault(note, NOTE_LOCKED, time);
		if (s->faults & KEYSET_TOO_MANY)
			note_fault(note, NOTE_CUT, time);
	}
	for (uint32_t i = 0; ok && numbers && i < s->n; i++) {
		struct key *k = s->keys[i];
		uint8_t words[33 + 64] = { (uint8_t)k->from }, digest[32];

		memcpy(words + 1, k->spki_sha256, 32);
		memcpy(words + 33, k->cert.sha256, 32);
		if (k->kid.n) /* the name that a map gives it */
			SHA256((const uint8_t *)k->kid.p, k->kid.n, words + 65);
		SHA256(words, sizeof(words), digest);
		if (!find_entry(a, digest, &numbers[i])) {
			s->keys[i] = NULL; /* it changes its owner */
			ok = add_entry(a, k, digest, STR_NONE, &numbers[i]);
			if (!ok)
				buf_printf(error, "%s: out of memory", name);
		}
	}
	ok = ok && numbers && observe(a, note, time, dated, numbers, s->n, error);
	free(numbers);
	keyset_free(s);
	return ok;
}

bool audit_take_set(struct audit *a, const char *name, struct str bytes, int64_t time, struct buf *error)
{
	const struct str text = str_trim(bytes);
	const bool dated = time != 0;
	enum sj_error e;

	a->last_empty = false;
	if (!dated) {
		a->undated = true;
		time = a->settings.at ? a->settings.at : a->settings.now;
	}
	if (!text.n || text.p[0] != '{')
		return take_other(a, name, bytes, time, dated, error);
	e = sj_parse(&a->json, text);
	if (e != SJ_OK) {
		buf_printf(error, "%s: %s at byte %zu (wanted: a JWK set, a JWK, OpenID metadata, a history, PEM or DER)", name,
			   sj_error_text(e), a->json.error_at);
		return false;
	}
	if (keyset_is_map(&a->json, sj_root(&a->json)))
		return take_other(a, name, bytes, time, dated, error);
	return take_node(a, str_of(name), &a->json, sj_root(&a->json), time, dated, error);
}

bool audit_set_is_private(const struct audit *a, const char *name)
{
	for (size_t i = 0; i < a->note_count; i++)
		if (strcmp(a->notes[i].name, name) == 0 && a->notes[i].faults & (NOTE_PRIVATE | NOTE_LOCKED))
			return true;
	for (uint32_t i = 0; i < a->key_count; i++)
		for (uint32_t v = 0; v < a->keys[i].version_count; v++)
			if (str_eq(a->providers[a->keys[i].provider].name, str_of(name)) && a->entries[a->keys[i].versions[v].entry].key->private_members)
				return true;
	return false;
}

bool audit_set_was_empty(const struct audit *a) { return a->last_empty; }

bool audit_is_history_line(struct str text)
{
	const char *end;

	text = str_trim(text);
	end = text.n ? memchr(text.p, '\n', text.n) : NULL;
	if (end)
		text.n = (size_t)(end - text.p);
	return text.n && text.p[0] == '{' && str_find(text, STR("\"fetched\"")) >= 0 && str_find(text, STR("\"jwks\"")) >= 0;
}

static bool take_line(struct audit *a, struct buf *error)
{
	const struct sj_node *root = sj_root(&a->json), *jwks, *pem;
	struct str fetched, provider;

	if (root->kind != SJ_OBJECT)
		goto wrong;
	jwks = sj_member(&a->json, root, STR("jwks"));
	pem = sj_member(&a->json, root, STR("pem"));
	fetched = member_text(&a->json, root, "fetched");
	free(a->last_provider);
	provider = member_text(&a->json, root, "provider");
	a->last_provider = strndup(provider.n ? provider.p : "", provider.n);
	if (!a->last_provider || !*a->last_provider || !time_parse_rfc3339(fetched, &a->last_time) || a->last_time <= 0)
		goto wrong;
	if (jwks)
		return take_node(a, str_of(a->last_provider), &a->json, jwks, a->last_time, true, error);
	if (pem && pem->kind == SJ_STRING)
		return take_other(a, a->last_provider, pem->value, a->last_time, true, error);
wrong:
	buf_add_cstr(error, "not a line of a history: wanted {\"provider\":TEXT,\"fetched\":TIME,\"jwks\":{\"keys\":[...]}}");
	return false;
}

bool audit_take_line(struct audit *a, struct str line, struct buf *error)
{
	const enum sj_error e = sj_parse(&a->json, line);
	bool ok = e == SJ_OK;

	if (!ok)
		buf_printf(error, "%s at byte %zu", sj_error_text(e), a->json.error_at);
	ok = ok && take_line(a, error);
	a->counts.bad_lines += !ok;
	return ok;
}

bool audit_last_line(const struct audit *a, struct str *ret_provider, int64_t *ret_time)
{
	*ret_provider = str_of(a->last_provider);
	*ret_time = a->last_time;
	return a->last_provider != NULL;
}

bool audit_take_blocklist(struct audit *a, const char *name, struct str bytes, struct buf *error)
{
	bool sorted = bytes.n % 16 == 0;

	for (size_t i = 16; i < bytes.n && sorted; i += 16)
		sorted = memcmp(bytes.p + i - 16, bytes.p + i, 15) <= 0 && memcmp(bytes.p + i - 16, bytes.p + i, 16) != 0;
	if (!sorted || !bytes.n) {
		buf_printf(error, "%s: no blocklist: wanted sorted entries of 16 bytes (15 of a SHA-256, 1 list number)", name);
		return false;
	}
	if (a->blocklist_count == sizeof(a->blocklists) / sizeof(a->blocklists[0])) {
		buf_printf(error, "%s: more than %zu blocklists", name, a->blocklist_count);
		return false;
	}
	a->blocklists[a->blocklist_count++] = (struct blocklist){ name, bytes };
	return true;
}

/* -- findings -- */

static struct str put(char **at, struct str s)
{
	struct str kept = { *at, s.n };

	if (s.n)
		memcpy(*at, s.p, s.n);
	(*at)[s.n] = '\0';
	*at += s.n + 1;
	return kept;
}

void finding_add(struct audit *a, enum finding_code code, enum finding_severity severity, const struct history_key *key,
		 uint32_t provider, int64_t since, const char *format, ...)
{
	const struct key *k = key ? newest(a, key) : NULL;
	const struct str kid = k ? k->kid : STR_NONE;
	struct finding *f = NULL;
	struct buf text;
	va_list ap;
	char *at;

	buf_init(&text, KEYS_FINDING_TEXT_MAX);
	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	if (a->finding_count == KEYS_FINDINGS_MAX || buf_failed(&text)) {
		a->counts.refused++;
		goto out;
	}
	if (!audit_grow(&a->findings, &a->finding_capacity, a->finding_count, sizeof(*a->findings), KEYS_FINDINGS_MAX) ||
	    !(f = calloc(1, sizeof(*f) + kid.n + text.n + 2))) {
		a->failed = true;
		goto out;
	}
	*f = (struct finding){ .code = code, .severity = severity, .key = key, .since = since, .listed = !key || !key->gone };
	if (provider < a->provider_count && !a->providers[provider].dated && since == a->at)
		f->since = 0; /* the time of the audit is not the start */
	if (provider < a->provider_count)
		f->set = a->providers[provider].name;
	if (k && k->has_spki) {
		f->has_spki = true;
		memcpy(f->spki, k->spki_sha256, 32);
	}
	at = (char *)(f + 1);
	f->kid = put(&at, kid);
	f->text = put(&at, buf_str(&text));
	a->findings[a->finding_count++] = f;
out:
	buf_release(&text);
}

static int compare_str(struct str a, struct str b) { return compare_kids(&a, &b); }

static int compare_findings(const void *pa, const void *pb)
{
	const struct finding *a = *(const struct finding *const *)pa, *b = *(const struct finding *const *)pb;
	int c = (int)b->severity - (int)a->severity;

	c = c ? c : compare_str(a->set, b->set);
	c = c ? c : (int)a->code - (int)b->code;
	c = c ? c : (a->since > b->since) - (a->since < b->since);
	c = c ? c : memcmp(a->spki, b->spki, 32);
	c = c ? c : compare_str(a->kid, b->kid);
	return c ? c : compare_str(a->text, b->text);
}

/* -- the run -- */

static int compare_entries(const void *pa, const void *pb, void *arg)
{
	const struct audit *a = arg;

	return memcmp(a->entries[*(const uint32_t *)pa].digest, a->entries[*(const uint32_t *)pb].digest, 32);
}

static int compare_distinct(const void *pa, const void *pb, void *arg)
{
	const struct audit *audit = arg;
	const uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	const int c = memcmp(audit->keys[a].id, audit->keys[b].id, 32);

	return c ? c : (a > b) - (a < b);
}

/* Entries take the order of their digests. */
static bool order_entries(struct audit *a)
{
	const size_t n = a->entry_count;
	uint32_t *order = malloc((n ? n : 1) * sizeof(*order)), *map = malloc((n ? n : 1) * sizeof(*map));
	struct entry *sorted = malloc((n ? n : 1) * sizeof(*sorted));
	const bool ok = order && map && sorted;

	for (size_t i = 0; i < n && ok; i++)
		order[i] = (uint32_t)i;
	if (ok) {
		qsort_r(order, n, sizeof(*order), compare_entries, a);
		for (size_t i = 0; i < n; i++) {
			sorted[i] = a->entries[order[i]];
			map[order[i]] = (uint32_t)i;
		}
		history_renumber(a->history, map);
		free(a->entries);
		a->entries = sorted;
		a->entry_capacity = n ? n : 1;
		sorted = NULL;
	}
	free(order);
	free(map);
	free(sorted);
	return ok;
}

static bool find_distinct(struct audit *a)
{
	uint32_t n = 0;

	a->distinct = malloc((a->key_count ? a->key_count : 1) * sizeof(*a->distinct));
	if (!a->distinct)
		return false;
	for (uint32_t i = 0; i < a->key_count; i++)
		a->distinct[i] = i;
	qsort_r(a->distinct, a->key_count, sizeof(*a->distinct), compare_distinct, a);
	for (uint32_t i = 0; i < a->key_count; i++)
		if (!n || memcmp(a->keys[a->distinct[n - 1]].id, a->keys[a->distinct[i]].id, 32) != 0)
			a->distinct[n++] = a->distinct[i];
	a->distinct_count = n;
	return true;
}

static void count(struct audit *a)
{
	a->counts.sets = a->provider_count;
	a->counts.repeats = history_repeats(a->history);
	a->counts.keys = a->distinct_count;
	for (uint32_t i = 0; i < a->distinct_count; i++) {
		const struct key *k = newest(a, &a->keys[a->distinct[i]]);
		a->counts.judged += k->has_spki || k->kind == KEY_OCT;
	}
	for (uint32_t i = 0; i < a->provider_count; i++)
		a->counts.observations += a->providers[i].time_count;
	for (uint32_t i = 0; i < a->key_count; i++)
		a->counts.listed += !a->keys[i].gone;
	for (size_t i = 0; i < a->finding_count; i++)
		a->counts.findings[a->findings[i]->severity]++;
}

/* Identical findings are merged. */
static void drop_repeats(struct audit *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->finding_count; i++) {
		if (kept && compare_findings(&a->findings[kept - 1], &a->findings[i]) == 0)
			free(a->findings[i]);
		else
			a->findings[kept++] = a->findings[i];
	}
	a->finding_count = kept;
}

/* the folder of a path, its slash included; empty for a bare name */
static struct str folder_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return (struct str){ name, slash ? (size_t)(slash + 1 - name) : 0 };
}

static void lay_over(struct set_note *set, const struct set_note *metadata)
{
	note_text(&set->issuer, metadata->issuer, metadata->issuer ? strlen(metadata->issuer) : 0);
	note_text(&set->cloud, metadata->cloud, metadata->cloud ? strlen(metadata->cloud) : 0);
	if (metadata->faults)
		note_fault(set, metadata->faults, metadata->faults_since);
}

/* OpenID metadata has no keys of its own: it describes the sets in its folder, or, if there are none, all. */
static void place_metadata(struct audit *a)
{
	for (size_t i = 0; i < a->note_count; i++) {
		const struct str folder = folder_of(a->notes[i].name);
		bool same_folder = false;

		if (a->notes[i].has_number)
			continue;
		for (size_t k = 0; k < a->note_count; k++)
			same_folder |= a->notes[k].has_number && str_eq(folder_of(a->notes[k].name), folder);
		for (size_t k = 0; k < a->note_count; k++)
			if (a->notes[k].has_number && (!same_folder || str_eq(folder_of(a->notes[k].name), folder)))
				lay_over(&a->notes[k], &a->notes[i]);
	}
}

bool audit_run(struct audit *a)
{
	static void (*const groups[])(struct audit *) = {
#define GROUP(name) audit_##name,
#include "keys/list.h"
#undef GROUP
	};

	a->at = a->settings.at ? a->settings.at : a->undated ? a->settings.now : history_newest(a->history);
	if (!a->at)
		a->at = a->settings.now;
	if (!order_entries(a) || !history_close(a->history, a->at))
		return false;
	a->providers = history_providers(a->history, &a->provider_count);
	a->keys = history_keys(a->history, &a->key_count);
	for (size_t i = 0; i < a->note_count; i++)
		for (uint32_t p = 0; p < a->provider_count; p++)
			if (str_eq(a->providers[p].name, str_of(a->notes[i].name))) {
				a->notes[i].number = p;
				a->notes[i].has_number = true;
			}
	place_metadata(a);
	if (!find_distinct(a))
		return false;
	audit_resolve_tokens(a);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && !a->settings.keys_only; i++)
		groups[i](a);
	if (a->finding_count)
		qsort(a->findings, a->finding_count, sizeof(*a->findings), compare_findings);
	drop_repeats(a);
	count(a);
	return !a->failed;
}

/* the identity of a finding from day to day */
static int compare_identity(const void *pa, const void *pb)
{
	const struct finding *a = *(const struct finding *const *)pa, *b = *(const struct finding *const *)pb;
	int c = (int)a->code - (int)b->code;

	c = c ? c : (int)a->severity - (int)b->severity;
	c = c ? c : compare_str(a->set, b->set);
	c = c ? c : memcmp(a->spki, b->spki, 32);
	return c ? c : compare_str(a->kid, b->kid);
}

bool audit_mark_known(struct audit *a, const struct audit *old)
{
	const size_t n = old->finding_count;
	struct finding **known = malloc((n ? n : 1) * sizeof(*known));

	if (!known)
		return false;
	if (n) {
		memcpy(known, old->findings, n * sizeof(*known));
		qsort(known, n, sizeof(*known), compare_identity);
	}
	for (size_t i = 0; i < a->finding_count && n; i++)
		a->findings[i]->known = bsearch(&a->findings[i], known, n, sizeof(*known), compare_identity) != NULL;
	free(known);
	return true;
}

/* -- queries -- */

bool audit_distinct(const struct audit *a, const uint8_t id[32], uint32_t *ret)
{
	uint32_t from = 0, to = a->distinct_count;

	while (from < to) {
		const uint32_t middle = from + (to - from) / 2;
		const int c = memcmp(a->keys[a->distinct[middle]].id, id, 32);

		if (c == 0) {
			*ret = middle;
			return true;
		}
		if (c < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

const struct history_key *audit_find_spki(const struct audit *a, const uint8_t spki[32], uint32_t *ret_count)
{
	const struct history_key *first = NULL;
	uint32_t d, n = 0;

	if (audit_distinct(a, spki, &d) && newest(a, &a->keys[a->distinct[d]])->has_spki)
		first = &a->keys[a->distinct[d]];
	for (uint32_t i = 0; first && ret_count && i < a->key_count; i++)
		n += memcmp(a->keys[i].id, spki, 32) == 0;
	if (ret_count)
		*ret_count = n;
	return first;
}

const struct set_note *audit_note(const struct audit *a, uint32_t provider)
{
	for (size_t i = 0; i < a->note_count; i++)
		if (a->notes[i].has_number && a->notes[i].number == provider)
			return &a->notes[i];
	return NULL;
}

const struct audit_record *audit_record_of(const struct audit *a, const uint8_t spki[32], size_t *from)
{
	for (; *from < a->settings.record_count; ++*from)
		if (memcmp(a->settings.records[*from].spki, spki, 32) == 0)
			return &a->settings.records[(*from)++];
	return NULL;
}

bool audit_trusts(const struct audit *a, const uint8_t spki[32])
{
	const struct audit_record *r;
	size_t from = 0;

	while ((r = audit_record_of(a, spki, &from)))
		if (r->trusts)
			return true;
	return false;
}

bool issuer_is_consumer(struct str issuer) { return str_find_nocase(issuer, STR("/" CONSUMER_TENANT "/")) >= 0; }

bool issuer_is_template(struct str issuer) { return str_find_nocase(issuer, STR("{tenantid}")) >= 0; }

const char *day_text(int64_t us, char out[TIME_TEXT_SIZE])
{
	time_format(us, out);
	out[10] = '\0';
	return out;
}

int64_t audit_at(const struct audit *a) { return a->at; }

const struct finding *const *audit_findings(const struct audit *a, size_t *ret_n)
{
	*ret_n = a->finding_count;
	return (const struct finding *const *)a->findings;
}

const struct audit_counts *audit_counts(const struct audit *a) { return &a->counts; }

const struct history *audit_history(const struct audit *a) { return a->history; }

const struct key *audit_key(const struct audit *a, const struct history_key *k) { return newest(a, k); }

const struct key *audit_entry(const struct audit *a, uint32_t entry) { return a->entries[entry].key; }

struct str audit_entry_raw(const struct audit *a, uint32_t entry)
{
	return (struct str){ a->entries[entry].raw, a->entries[entry].raw_n };
}

int audit_status(const struct audit *a, uint64_t lost)
{
	if (a->counts.findings[SEVERITY_CRITICAL_FINDING])
		return 4;
	/* an audit without a key is never clean */
	return lost || a->counts.refused || !a->counts.judged ? 3 : a->counts.findings[SEVERITY_FINDING] ? 1 : 0;
}
