/* SPDX-License-Identifier: Apache-2.0 */
/* remote: the cache of a key source.
 *
 *   {"fetched":SECONDS, "jwks":{"keys":[...]}, "listed":[{"spki":HEX,"first":SECONDS}], "gone":[{"since":SECONDS,"jwk":{...}}]}
 *
 * "jwks" is the newest answer as it came.  "listed" remembers when each key was first seen, so that a key without a
 * certificate has an age; "gone" keeps for a day the keys that have left, so that tokens issued before can be distinguished from tokens
 * issued after.  Only text that the strict parser has accepted is copied from an answer into the cache. */
#include "keys/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/timefmt.h"
#include "keys/fetch.h"

#define GONE_KEPT_S 86400

struct document {
	struct strict_json j;
	struct keyset *set;        /* the keys of "jwks", in the order of the document */
	const struct sj_node *keys; /* the "keys" array */
	const struct sj_node *root;
};

static const struct sj_node *array_member(const struct strict_json *j, const struct sj_node *object, const char *name)
{
	const struct sj_node *n = sj_member(j, object, str_of(name));

	return n && n->kind == SJ_ARRAY ? n : NULL;
}

/* Parses a set ("keys") or a cache around one ("jwks"). */
static bool document_read(struct document *d, const char *name, struct str text, bool is_cache, struct buf *error)
{
	const struct sj_node *jwks;
	enum sj_error e;

	*d = (struct document){ 0 };
	sj_init(&d->j, &keyset_limits, jwk_registered_names);
	e = sj_parse(&d->j, text);
	d->set = keyset_new(name);
	if (e != SJ_OK || !d->set) {
		buf_printf(error, "%s: %s", name, sj_error_text(e == SJ_OK ? SJ_NO_MEMORY : e));
		return false;
	}
	d->root = sj_root(&d->j);
	jwks = is_cache ? sj_member(&d->j, d->root, STR("jwks")) : d->root;
	d->keys = jwks ? array_member(&d->j, jwks, "keys") : NULL;
	if (!d->keys) {
		buf_printf(error, "%s: no key set", name);
		return false;
	}
	return keyset_load_node(d->set, &d->j, jwks, KEY_NO_STRENGTH, error);
}

static void document_release(struct document *d)
{
	keyset_free(d->set);
	sj_release(&d->j);
}

/* When the cache first saw that key; `now_s` if it did not. */
static int64_t first_seen(const struct document *cache, const struct key *k, int64_t now_s)
{
	const struct sj_node *listed = cache->root ? array_member(&cache->j, cache->root, "listed") : NULL;
	char hex[KEY_HEX_SIZE];
	int64_t t = now_s;

	if (!listed || !k->has_spki)
		return now_s;
	key_hex(k->spki_sha256, 32, hex);
	for (const struct sj_node *n = sj_first(&cache->j, listed); n; n = sj_next(&cache->j, n)) {
		const struct sj_node *spki = sj_member(&cache->j, n, STR("spki")), *first = sj_member(&cache->j, n, STR("first"));
		if (spki && first && str_eq(spki->value, str_of(hex)) && sj_date(first, &t))
			break;
	}
	return t;
}

static void add_listed(struct buf *b, const struct document *cache, const struct keyset *set, int64_t now_s)
{
	char hex[KEY_HEX_SIZE];
	bool any = false;

	buf_add_cstr(b, ",\"listed\":[");
	for (uint32_t i = 0; i < set->n; i++) {
		if (!set->keys[i]->has_spki)
			continue;
		buf_printf(b, "%s{\"spki\":\"%s\",\"first\":%lld}", any ? "," : "", key_hex(set->keys[i]->spki_sha256, 32, hex),
			   (long long)first_seen(cache, set->keys[i], now_s));
		any = true;
	}
	buf_add_char(b, ']');
}

static void add_gone_key(struct buf *b, bool *any, int64_t since_s, struct str raw)
{
	buf_printf(b, "%s{\"since\":%lld,\"jwk\":", *any ? "," : "", (long long)since_s);
	buf_add_str(b, raw);
	buf_add_char(b, '}');
	*any = true;
}

/* Keys of the older set that the newer one lacks, and those that left before and are not back. */
static bool add_gone(struct buf *b, const struct document *cache, const struct keyset *now_listed, int64_t now_s)
{
	const struct sj_node *gone = array_member(&cache->j, cache->root, "gone"), *n = sj_first(&cache->j, cache->keys);
	bool any = false;

	for (uint32_t i = 0; i < cache->set->n && n; i++, n = sj_next(&cache->j, n)) {
		const struct key *k = cache->set->keys[i];
		if (k->has_spki && !keyset_find_spki(now_listed, k->spki_sha256))
			add_gone_key(b, &any, now_s, n->raw);
	}
	for (n = gone ? sj_first(&cache->j, gone) : NULL; n; n = sj_next(&cache->j, n)) {
		const struct sj_node *since = sj_member(&cache->j, n, STR("since")), *jwk = sj_member(&cache->j, n, STR("jwk"));
		struct key *k;
		int64_t t;
		if (!since || !jwk || !sj_date(since, &t) || now_s - t >= GONE_KEPT_S)
			continue;
		k = key_from_jwk(&cache->j, jwk, KEY_NO_STRENGTH);
		if (!k)
			return false;
		if (k->has_spki && !keyset_find_spki(now_listed, k->spki_sha256))
			add_gone_key(b, &any, t, jwk->raw);
		key_free(k);
	}
	return true;
}

bool remote_merge(struct str cache_text, struct str jwks, int64_t now_s, struct buf *ret, struct buf *error)
{
	struct document cache = { 0 }, fresh;
	bool ok = document_read(&fresh, "the answer", jwks, false, error);

	if (ok && cache_text.n && !document_read(&cache, "the cache", cache_text, true, error)) {
		/* an unreadable cache counts as empty; the answer is used */
		buf_clear(error);
		document_release(&cache);
		cache = (struct document){ 0 };
	}
	if (ok) {
		buf_printf(ret, "{\"fetched\":%lld,\"jwks\":", (long long)now_s);
		buf_add_str(ret, fresh.j.nodes[0].raw);
		add_listed(ret, &cache, fresh.set, now_s);
		buf_add_cstr(ret, ",\"gone\":[");
		ok = !cache.root || add_gone(ret, &cache, fresh.set, now_s);
		buf_add_cstr(ret, "]}\n");
		if (!ok || buf_failed(ret)) {
			buf_add_cstr(error, "out of memory");
			ok = false;
		}
	}
	document_release(&fresh);
	document_release(&cache);
	return ok;
}

struct keyset *remote_read(const char *name, struct str cache, int64_t *ret_fetched_s, struct buf *error)
{
	struct document d;
	struct keyset *set = NULL;
	const struct sj_node *fetched, *gone;

	if (!document_read(&d, name, cache, true, error))
		goto out;
	fetched = sj_member(&d.j, d.root, STR("fetched"));
	if (!fetched || !sj_date(fetched, ret_fetched_s)) {
		buf_printf(error, "%s: the cache does not say when it was made", name);
		goto out;
	}
	for (uint32_t i = 0; i < d.set->n; i++)
		d.set->keys[i]->first_listed_us = first_seen(&d, d.set->keys[i], *ret_fetched_s) * US_PER_SECOND;
	gone = array_member(&d.j, d.root, "gone");
	for (const struct sj_node *n = gone ? sj_first(&d.j, gone) : NULL; n; n = sj_next(&d.j, n)) {
		const struct sj_node *since = sj_member(&d.j, n, STR("since")), *jwk = sj_member(&d.j, n, STR("jwk"));
		struct key *k;
		int64_t t;
		if (!since || !jwk || !sj_date(since, &t))
			continue;
		k = key_from_jwk(&d.j, jwk, KEY_NO_STRENGTH);
		if (k)
			k->gone_us = t * US_PER_SECOND;
		if (!keyset_add(d.set, k)) {
			buf_printf(error, "%s: out of memory", name);
			goto out;
		}
	}
	set = d.set;
	d.set = NULL;
out:
	document_release(&d);
	return set;
}

/* -- files -- */

/* A path of the policy file, which is relative to it. */
static void add_path(struct buf *ret, const struct policy *p, struct str path)
{
	const char *slash = p->path ? strrchr(p->path, '/') : NULL;

	if (path.n && path.p[0] != '/' && slash)
		buf_add(ret, p->path, (size_t)(slash - p->path) + 1);
	buf_add_str(ret, path);
}

static bool cache_path(const struct policy *p, const struct key_source *s, struct buf *ret)
{
	if (!s->cache.n)
		return false;
	add_path(ret, p, s->cache);
	buf_add_char(ret, '/');
	for (size_t i = 0; i < s->name.n; i++) { /* a plain file name without a folder */
		const char c = s->name.p[i];
		const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
		buf_add_char(ret, plain ? c : '_');
	}
	buf_add_cstr(ret, ".keys.json");
	return !buf_failed(ret);
}

static bool write_whole(const char *path, struct str text, struct buf *error)
{
	struct buf temp;
	bool ok;
	int fd;

	buf_init(&temp, 16 * KIB);
	buf_printf(&temp, "%s.XXXXXX", path);
	fd = buf_failed(&temp) ? -1 : mkstemp(temp.p);
	ok = fd >= 0;
	for (size_t at = 0; ok && at < text.n;) {
		const ssize_t n = write(fd, text.p + at, text.n - at);
		ok = n > 0 || (n < 0 && errno == EINTR);
		at += n > 0 ? (size_t)n : 0;
	}
	ok = ok && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	ok = ok && rename(temp.p, path) == 0;
	if (!ok) {
		buf_printf(error, "%s: %s; the key set is used, but not kept", path, strerror(errno));
		if (fd >= 0)
			unlink(temp.p);
	}
	buf_release(&temp);
	return ok;
}

bool remote_load(struct policy *p, const struct key_source *s, int64_t now_s, bool may_fetch, bool wants_newer, struct buf *error)
{
	struct buf path, ca, cache, answer, merged, said;
	struct keyset *set = NULL;
	int64_t fetched = INT64_MIN / 2, age;
	bool kept;

	buf_init(&path, 16 * KIB);
	buf_init(&ca, 16 * KIB);
	add_path(&ca, p, s->ca);
	buf_init(&cache, KEYS_FILE_BYTES_MAX);
	buf_init(&answer, FETCH_BYTES_MAX);
	buf_init(&merged, KEYS_FILE_BYTES_MAX);
	buf_init(&said, 4 * KIB);
	kept = cache_path(p, s, &path);
	if (kept && access(path.p, F_OK) == 0 && file_read(path.p, &cache, NULL, &said))
		set = remote_read(s->name.p, buf_str(&cache), &fetched, &said);
	age = now_s - fetched;
	if (may_fetch && (!set || age < 0 || age >= (wants_newer ? s->unknown_refresh_s : s->refresh_s))) {
		buf_clear(&said);
		if (fetch_https(s->url.p, s->ca.n && !buf_failed(&ca) ? ca.p : NULL, &answer, &said) &&
		    remote_merge(set ? buf_str(&cache) : STR_NONE, buf_str(&answer), now_s, &merged, &said)) {
			keyset_free(set);
			set = remote_read(s->name.p, buf_str(&merged), &fetched, &said);
			if (set && kept)
				write_whole(path.p, buf_str(&merged), &said);
		}
		age = now_s - fetched;
	}
	if (set && (age < 0 || age >= s->life_s)) {
		buf_printf(&said, "%s%s: the kept set is %lld hours old, which is too old to be used%s", said.n ? "; " : "", s->name.p,
			   (long long)(age / 3600), may_fetch ? "" : " (--fetch asks for a newer one)");
		keyset_free(set);
		set = NULL;
	} else if (!set && !said.n) {
		buf_printf(&said, "%s: no key set is kept%s", s->name.p, may_fetch ? "" : ", and without --fetch nothing is asked for");
	}
	buf_add_str(error, buf_str(&said));
	buf_release(&path);
	buf_release(&ca);
	buf_release(&cache);
	buf_release(&answer);
	buf_release(&merged);
	buf_release(&said);
	return set && policy_add_set(p, set);
}
