/* SPDX-License-Identifier: Apache-2.0 */
/* dump_report: the findings, for people, for programs, and as SARIF.  The only fingerprint of a key is the SHA-256 of its
 * public SubjectPublicKeyInfo; no byte of a secret passes through here, because hits do not carry any. */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/schema.h"
#include "cmd/dump_cmd.h"

static const char *class_name(const struct dump_hit *h)
{
	return h->klass == DUMP_PROVED ? "proved" : h->klass == DUMP_STATED ? "stated" : h->klass == DUMP_LOCKED ? "locked" : "suspected";
}

static const char *proof_name(enum dump_proof p)
{
	static const char *const names[] = { "full", "factor", "exponent", "point", "schedule", "stated", "pair", "locked", "shape" };

	return names[p];
}

static void algorithm_name(struct buf *b, const struct dump_hit *h, const struct dump_key *k)
{
	static const char *const names[] = { "RSA", "EC", "Ed25519", "X25519", "Ed448", "X448", "DSA", "DH", "AES", "other", "ML-DSA", "ML-KEM", "SLH-DSA", "unknown algorithm" };

	if (h->algorithm == DUMP_EC && k && k->group)
		buf_printf(b, "EC %s", k->group);
	else
		buf_add_cstr(b, names[h->algorithm]);
}

static void hex(struct buf *b, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%02x", p[i]);
}

static const struct dump_key *key_of(const struct dump_scan *s, const struct dump_hit *h)
{
	size_t n;
	const struct dump_key *keys = dump_keys(s, &n);

	return h->key >= 0 && (size_t)h->key < n ? &keys[h->key] : NULL;
}

static const uint8_t *spki_of(const struct dump_hit *h, const struct dump_key *k)
{
	return k && k->has_spki ? k->spki : h->has_spki ? h->spki : NULL;
}

static void member(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	if (value && *value)
		buf_add_json(b, str_of(value));
	else
		buf_add_cstr(b, "null");
}

static void trusted_by(struct buf *b, const struct dump_key *k)
{
	const char *const *sets = k && k->target ? k->target->sets : NULL;

	buf_add_char(b, '[');
	for (size_t i = 0; sets && sets[i]; i++) {
		if (i)
			buf_add_char(b, ',');
		buf_add_json(b, str_of(sets[i]));
	}
	buf_add_char(b, ']');
}

static void ndjson_hit(struct buf *b, const struct dump_scan *s, const struct dump_image *im, const struct dump_hit *h)
{
	const struct dump_key *k = key_of(s, h);
	const struct dump_range *r = dump_range_at(im, h->offset);
	const uint8_t *spki = spki_of(h, k);
	struct buf name;

	buf_init(&name, 256);
	algorithm_name(&name, h, k);
	/* a published test key is reported, but is no finding */
	buf_printf(b, "{\"type\":\"%s\",\"class\":\"%s\",\"algorithm\":", k && k->allowed ? "allowed" : "key", class_name(h));
	buf_add_json(b, buf_str(&name));
	buf_release(&name);
	buf_printf(b, ",\"bits\":%u,\"spki_sha256\":", h->bits);
	if (spki) {
		buf_add_char(b, '"');
		hex(b, spki, 32);
		buf_add_char(b, '"');
	} else {
		buf_add_cstr(b, "null");
	}
	member(b, "component", h->component);
	member(b, "layout", h->layout);
	buf_printf(b, ",\"offset\":%llu,\"length\":%llu,\"va\":", (unsigned long long)h->offset, (unsigned long long)h->length);
	if (h->has_va)
		buf_printf(b, "%llu", (unsigned long long)h->va);
	else
		buf_add_cstr(b, "null");
	buf_add_cstr(b, ",\"file\":");
	buf_add_json(b, str_of(im->path));
	buf_add_cstr(b, ",\"trusted_by\":");
	trusted_by(b, k);
	buf_printf(b, ",\"proof\":\"%s\"", proof_name(h->proof));
	member(b, "form", h->form);
	member(b, "module", dump_name_of(im, r));
	member(b, "kid", k && k->target ? k->target->kid : NULL);
	member(b, "subject", k && k->target ? k->target->subject : NULL);
	member(b, "allowed", k ? k->allowed : NULL);
	member(b, "finder", h->finder);
	buf_add_cstr(b, "}\n");
}

/* The first of some lines, and what is left of them.  False: none. */
static bool next_line(struct str *left, struct str *ret)
{
	const char *end;

	if (left->n == 0)
		return false;
	end = memchr(left->p, '\n', left->n);
	*ret = (struct str){ left->p, end ? (size_t)(end - left->p) : left->n };
	*left = (struct str){ ret->p + ret->n + (end != NULL), left->n - ret->n - (end != NULL) };
	return true;
}

static void json_lines(struct buf *b, struct str left)
{
	struct str line;

	buf_add_char(b, '[');
	for (bool first = true; next_line(&left, &line); first = false) {
		if (!first)
			buf_add_char(b, ',');
		buf_add_json(b, line);
	}
	buf_add_char(b, ']');
}

static void ndjson_file(struct buf *b, const struct dump_scan *s, const struct dump_image *im)
{
	const struct dump_counts *c = dump_counts(s);

	buf_add_cstr(b, "{\"type\":\"file\",\"file\":");
	buf_add_json(b, str_of(im->path));
	member(b, "format", im->format ? im->format->name : "raw");
	member(b, "process", im->process);
	buf_printf(b, ",\"credential_store\":%s,\"size\":%llu,\"bytes\":%llu,\"uncovered\":%llu,\"not_dumped\":%llu,\"targets\":%llu,"
	              "\"targets_met\":%llu,\"problems\":",
	           im->credential_store ? "true" : "false", (unsigned long long)im->size, (unsigned long long)c->bytes,
	           (unsigned long long)im->uncovered, (unsigned long long)im->not_dumped, (unsigned long long)c->targets,
	           (unsigned long long)c->targets_met);
	json_lines(b, buf_str(&im->problems));
	buf_add_cstr(b, ",\"limits\":");
	json_lines(b, str_of(dump_limits_text(s)));
	buf_add_cstr(b, "}\n");
}

/* ---- text ---- */

static void place(struct buf *b, const struct dump_image *im, const struct dump_hit *h)
{
	const char *name = dump_name_of(im, dump_range_at(im, h->offset));

	buf_printf(b, "at %llu, %llu bytes", (unsigned long long)h->offset, (unsigned long long)h->length);
	if (h->has_va)
		buf_printf(b, ", address 0x%llx", (unsigned long long)h->va);
	if (*name) {
		buf_add_cstr(b, " in ");
		buf_add_terminal(b, str_of(name), 0);
	}
}

static void text_key(struct buf *b, const struct dump_report *r, const struct dump_key *k, const struct dump_hit *h)
{
	const bool trusted = k && k->target && k->target->sets && k->target->sets[0];

	buf_add_cstr(b, r->color ? "  \033[1m" : "  ");
	algorithm_name(b, h, k);
	buf_printf(b, " %u bits, private key %s%s", h->bits, class_name(h), r->color ? "\033[0m" : "");
	if (k && k->has_spki) {
		buf_add_cstr(b, "\n    SPKI SHA-256 ");
		hex(b, k->spki, 32);
	}
	if (k && k->target && *k->target->kid) {
		buf_add_cstr(b, "\n    kid ");
		buf_add_terminal(b, str_of(k->target->kid), 0);
	}
	if (k && k->target && *k->target->subject) {
		buf_add_cstr(b, "\n    certificate ");
		buf_add_terminal(b, str_of(k->target->subject), 0);
	}
	if (k && k->allowed) {
		buf_add_cstr(b, "\n    published test key, no finding: ");
		buf_add_terminal(b, str_of(k->allowed), 0);
	}
	for (size_t i = 0; trusted && k->target->sets[i]; i++) {
		buf_add_cstr(b, r->color ? "\n    \033[31mstill trusted by\033[0m " : "\n    still trusted by ");
		buf_add_terminal(b, str_of(k->target->sets[i]), 0);
	}
	buf_add_char(b, '\n');
}

static void text_hit(struct buf *b, const struct dump_image *im, const struct dump_hit *h)
{
	buf_printf(b, "    %s, %s%s%s, proof %s, ", h->component ? h->component : "key", h->form ? h->form : "",
	           h->layout && *h->layout ? " " : "", h->layout ? h->layout : "", proof_name(h->proof));
	place(b, im, h);
	buf_add_char(b, '\n');
}

static void text_image(struct dump_report *r, const struct dump_scan *s, const struct dump_image *im)
{
	struct buf *b = r->out;
	size_t n_hits, n_keys;
	const struct dump_hit *hits = dump_hits(s, &n_hits);
	const struct dump_key *keys = dump_keys(s, &n_keys);
	bool heading = false;

	if (n_hits || im->problems.n || im->credential_store) {
		buf_add_terminal(b, str_of(im->path), 0);
		buf_printf(b, ": %s", im->format ? im->format->name : "raw");
		if (im->process[0]) {
			buf_add_cstr(b, " of ");
			buf_add_terminal(b, str_of(im->process), 0);
		}
		buf_add_char(b, '\n');
	}
	if (im->credential_store)
		buf_add_cstr(b, "  This is a dump of lsass, which keeps credentials of everybody who logged on: whatever is found here "
		                "or not, treat it as those credentials themselves.\n");
	for (size_t k = 0; k < n_keys; k++) {
		bool said = false;

		for (size_t i = 0; i < n_hits; i++) {
			if (hits[i].key != (int32_t)k)
				continue;
			if (!said)
				text_key(b, r, &keys[k], &hits[i]);
			said = true;
			text_hit(b, im, &hits[i]);
		}
	}
	for (size_t i = 0; i < n_hits; i++) {
		if (hits[i].key >= 0)
			continue;
		if (!heading)
			buf_add_cstr(b, "  Without a public key to name it by:\n");
		heading = true;
		buf_printf(b, "    %s: ", class_name(&hits[i]));
		algorithm_name(b, &hits[i], NULL);
		buf_printf(b, "%s%.0u, ", hits[i].bits ? " " : "", hits[i].bits);
		text_hit(b, im, &hits[i]);
	}
	for (struct str left = buf_str(&im->problems), line; next_line(&left, &line);) {
		buf_add_cstr(b, "  not whole: ");
		buf_add_terminal(b, line, 0);
		buf_add_char(b, '\n');
	}
}

/* ---- SARIF ---- */

static void sarif_hit(struct dump_report *r, const struct dump_scan *s, const struct dump_image *im, const struct dump_hit *h)
{
	struct buf *b = r->out, name;
	const struct dump_key *k = key_of(s, h);
	const uint8_t *spki = spki_of(h, k);
	const bool trusted = k && k->target && k->target->sets && k->target->sets[0];

	if (k && k->allowed)
		return;
	buf_init(&name, 512);
	buf_add_cstr(b, r->first ? "\n" : ",\n");
	r->first = false;
	buf_printf(b, "{\"ruleId\":\"private-key-%s\",\"level\":\"%s\",\"message\":{\"text\":", class_name(h),
	           h->klass == DUMP_SUSPECTED ? "note" : trusted || h->klass <= DUMP_STATED ? "error" : "warning");
	algorithm_name(&name, h, k);
	buf_printf(&name, " private key, %u bits, %s: %s (%s)%s", h->bits, class_name(h), h->component ? h->component : "key",
	           h->form ? h->form : "", trusted ? ", still trusted" : "");
	buf_add_json(b, buf_str(&name));
	buf_release(&name);
	buf_add_cstr(b, "},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
	buf_add_json(b, str_of(im->path));
	buf_printf(b, "},\"region\":{\"byteOffset\":%llu,\"byteLength\":%llu}", (unsigned long long)h->offset,
	           (unsigned long long)h->length);
	if (h->has_va)
		buf_printf(b, ",\"address\":{\"absoluteAddress\":%llu}", (unsigned long long)h->va);
	buf_add_cstr(b, "}}]");
	if (spki) {
		buf_add_cstr(b, ",\"partialFingerprints\":{\"spkiSha256/v1\":\"");
		hex(b, spki, 32);
		buf_add_cstr(b, "\"}");
	}
	buf_add_cstr(b, ",\"properties\":{\"trustedBy\":");
	trusted_by(b, k);
	buf_add_cstr(b, "}}");
}

/* ---- all ---- */

static bool counts_as_finding(const struct dump_hit *h)
{
	return h->klass <= DUMP_STATED || h->klass == DUMP_LOCKED || h->proof == DUMP_PROOF_PAIR;
}

void dump_report_begin(struct dump_report *r)
{
	r->first = true;
	buf_init(&r->text_tail, 64 * KIB);
	if (strcmp(r->format, "sarif") == 0)
		buf_add_cstr(r->out, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{"
		                     "\"driver\":{\"name\":\"taximeter dump\",\"version\":\"" TXM_VERSION "\",\"rules\":["
		                     "{\"id\":\"private-key-proved\"},{\"id\":\"private-key-stated\"},{\"id\":\"private-key-suspected\"},{\"id\":\"private-key-locked\"}]}},"
		                     "\"results\":[");
}

void dump_report_image(struct dump_report *r, const struct dump_scan *s, const struct dump_image *im)
{
	struct dump_totals *t = &r->totals;
	const struct dump_counts *c = dump_counts(s);
	size_t n_hits, n_keys;
	const struct dump_hit *hits = dump_hits(s, &n_hits);
	const struct dump_key *keys = dump_keys(s, &n_keys);
	const bool ndjson = strcmp(r->format, "ndjson") == 0, sarif = strcmp(r->format, "sarif") == 0;

	t->files++;
	t->bytes += c->bytes;
	t->uncovered += im->uncovered;
	t->damaged |= im->problems.n != 0 || im->n_holes || c->hits_refused;
	t->limits += c->limits;
	for (size_t i = 0; i < n_keys; i++) {
		if (keys[i].allowed) {
			t->allowed++;
			continue;
		}
		t->keys += keys[i].hits != 0;
		t->trusted += keys[i].hits && keys[i].target && keys[i].target->sets && keys[i].target->sets[0];
	}
	for (size_t i = 0; i < n_hits; i++) {
		const struct dump_key *k = key_of(s, &hits[i]);

		if (ndjson)
			ndjson_hit(r->out, s, im, &hits[i]);
		else if (sarif)
			sarif_hit(r, s, im, &hits[i]);
		if (k && k->allowed)
			continue;
		t->hits += counts_as_finding(&hits[i]);
		t->proved += hits[i].klass == DUMP_PROVED;
		t->stated += hits[i].klass == DUMP_STATED;
		t->suspected += hits[i].klass == DUMP_SUSPECTED;
		t->locked += hits[i].klass == DUMP_LOCKED;
	}
	if (ndjson)
		ndjson_file(r->out, s, im);
	else if (!sarif)
		text_image(r, s, im);
	for (struct str left = str_of(dump_limits_text(s)), line; next_line(&left, &line);) {
		buf_add_cstr(&r->text_tail, "  ");
		buf_add_terminal(&r->text_tail, str_of(im->path), 0);
		buf_add_cstr(&r->text_tail, ": ");
		buf_add_str(&r->text_tail, line);
		buf_add_char(&r->text_tail, '\n');
	}
}

void dump_report_nothing(struct dump_report *r)
{
	struct dump_totals *t = &r->totals;

	if (t->bytes)
		return;
	if (!t->damaged) /* else the damage was reported */
		cmd_error(&command_dump, "nothing was searched: there is no byte in what was given");
	t->nothing = true;
	t->damaged = true;
}

void dump_report_end(struct dump_report *r, const struct dump_settings *settings)
{
	const struct dump_totals *t = &r->totals;
	struct buf *b = r->out;

	if (strcmp(r->format, "sarif") == 0) {
		buf_printf(b, "],\"invocations\":[{\"executionSuccessful\":%s,\"exitCode\":%d}]}]}\n", t->damaged || t->limits ? "false" : "true",
		           dump_report_status(t));
	} else if (strcmp(r->format, "ndjson") == 0) {
		buf_printf(b, "{\"type\":\"summary\",\"bytes\":%llu,\"keys\":%llu,\"proved\":%llu,\"stated\":%llu,\"suspected\":%llu,\"locked\":%llu,"
		              "\"allowed\":%llu,\"trusted\":%llu,\"files\":%llu,\"uncovered\":%llu,\"whole\":%s,\"limits\":%llu,"
		              "\"given_keys\":%zu,\"status\":%d,\"wall_s\":%.3f" SCHEMA_MEMBER "}\n",
		           (unsigned long long)t->bytes, (unsigned long long)t->keys, (unsigned long long)t->proved,
		           (unsigned long long)t->stated, (unsigned long long)t->suspected, (unsigned long long)t->locked, (unsigned long long)t->allowed,
		           (unsigned long long)t->trusted, (unsigned long long)t->files, (unsigned long long)t->uncovered,
		           t->damaged ? "false" : "true", (unsigned long long)t->limits, settings->targets.n,
		           dump_report_status(t), t->wall_s);
	} else {
		if (t->nothing)
			buf_add_cstr(b, "NOTHING WAS SEARCHED: not a byte could be read of what was given.\n");
		else if (t->hits == 0)
			buf_printf(b, "No private key found in %llu file%s, %llu bytes%s.\n", (unsigned long long)t->files, t->files == 1 ? "" : "s",
			           (unsigned long long)t->bytes, t->damaged ? ", not all of which could be read" :
			           t->limits ? ", not all of which were searched" : "");
		else
			buf_printf(b, "%llu key%s, in %llu place%s; %llu locked container%s.\n", (unsigned long long)t->keys,
			           t->keys == 1 ? "" : "s", (unsigned long long)t->proved, t->proved == 1 ? "" : "s",
			           (unsigned long long)t->locked, t->locked == 1 ? "" : "s");
		if (t->stated)
			buf_printf(b, "%llu place%s with a whole private key that has nothing to prove it with.\n", (unsigned long long)t->stated,
			           t->stated == 1 ? "" : "s");
		if (t->suspected)
			buf_printf(b, "%llu place%s with the shape of a key and no proof.\n", (unsigned long long)t->suspected,
			           t->suspected == 1 ? "" : "s");
		if (t->allowed)
			buf_printf(b, "%llu published test key%s not counted.\n", (unsigned long long)t->allowed, t->allowed == 1 ? "" : "s");
		if (r->text_tail.n) {
			buf_add_cstr(b, "Search was cut short by a limit:\n");
			buf_add_str(b, buf_str(&r->text_tail));
		}
	}
	buf_release(&r->text_tail);
}

int dump_report_status(const struct dump_totals *t)
{
	if (t->trusted)
		return EXIT_CRITICAL;
	if (t->damaged || t->limits) /* a search that was not whole is never clean */
		return EXIT_INPUT;
	return t->hits ? EXIT_FINDINGS : EXIT_RAN;
}
