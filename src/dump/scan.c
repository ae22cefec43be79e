/* SPDX-License-Identifier: Apache-2.0 */
/* scan: the finders over all blocks of an image, on any number of threads.
 *
 * Public keys in the dump itself are gathered on the way (harvest.c): a server nearly always carries its
 * certificate, and a public key is all that the number finders need.  They are hunted in a second, short pass; and so is a
 * key that was proven without a target (by its whole DER, or the library's own structures): one copy known, the others are
 * found. */
#include <stdio.h>
#include <stdlib.h>

#include "dump/scan_int.h"

#define DUMP_FORMAT(name)
#define FINDER(name) extern const struct dump_finder dump_finder_##name;
#include "dump/list.h"
#undef FINDER
const struct dump_finder *const dump_finders[] = {
#define FINDER(name) &dump_finder_##name,
#include "dump/list.h"
#undef FINDER
#undef DUMP_FORMAT
	NULL
};

_Static_assert(sizeof(dump_finders) / sizeof(dump_finders[0]) <= FINDERS_MAX + 1, "raise FINDERS_MAX");

struct work {
	struct dump_scan *s;
	struct block_work blocks;
	pthread_mutex_t lock; /* `done` */
	uint64_t done;
	bool count;
};

static bool is_asked_for(const char *only, const char *name)
{
	size_t n = strlen(name);

	if (!only)
		return true;
	for (const char *p = only; *p; p++) {
		size_t len = strcspn(p, ",");

		if (len == n && memcmp(p, name, n) == 0)
			return true;
		p += len;
		if (!*p)
			break;
	}
	return false;
}

static void progress(struct work *w, uint64_t bytes)
{
	struct dump_scan *s = w->s;

	if (w->count)
		atomic_fetch_add(&s->bytes, bytes);
	if (!s->options.progress)
		return;
	pthread_mutex_lock(&w->lock);
	w->done += bytes;
	s->options.progress(s->options.progress_arg, w->done, w->blocks.total);
	pthread_mutex_unlock(&w->lock);
}

static bool scan_block(void *arg, const struct dump_block *b)
{
	struct work *w = arg;
	struct dump_scan *s = w->s;

	for (size_t i = 0; i < s->n_finders; i++)
		if (w->count || !s->finders[i]->again)
			s->finders[i]->scan(s, s->states[i], b);
	if (w->count && !s->options.no_harvest)
		harvest_block(s, b);
	progress(w, b->own);
	return true;
}

static void forget_state(struct dump_scan *s, size_t finder)
{
	if (s->awake[finder] && dump_finders[finder]->end)
		dump_finders[finder]->end(s->kept[finder]);
	s->awake[finder] = false;
	s->kept[finder] = NULL;
}

/* One pass of the finders that are asked for.  again: only those that hunt targets; and public keys are not
 * gathered a second time. */
static bool pass(struct dump_scan *s, struct dump_image *im, bool again)
{
	struct work w = { .s = s, .count = !again, .blocks = { .block = scan_block } };
	bool ok, blocks = !again;

	s->n_finders = 0;
	for (size_t i = 0; dump_finders[i]; i++) {
		const struct dump_finder *f = dump_finders[i];

		if (!is_asked_for(s->options.only, f->name) || (again && !f->needs_targets && !f->again) ||
		    (f->needs_targets && s->n_targets == s->first_target))
			continue;
		if (!s->awake[i]) {
			if (f->begin && !f->begin(s, im, &s->kept[i])) {
				s->out_of_memory = true;
				continue;
			}
			s->awake[i] = true;
		}
		blocks |= !f->again;
		s->states[s->n_finders] = s->kept[i];
		s->finders[s->n_finders++] = f;
	}
	pthread_mutex_init(&w.lock, NULL);
	ok = !blocks || block_each(im, s->options.writable_only, s->options.threads, &w.blocks, &w);
	pthread_mutex_destroy(&w.lock);
	for (size_t i = 0; i < s->n_finders; i++)
		if (ok && s->finders[i]->finish)
			s->finders[i]->finish(s, s->states[i], im);
	for (size_t i = 0; dump_finders[i]; i++)
		if (!dump_finders[i]->again)
			forget_state(s, i);
	return ok;
}

bool scan_add_target(struct dump_scan *s, const struct dump_target *t)
{
	struct dump_target *bigger;

	if (s->n_targets == s->targets_capacity) {
		size_t capacity = s->targets_capacity ? s->targets_capacity * 2 : 64;

		bigger = realloc(s->targets, capacity * sizeof(*bigger));
		if (!bigger)
			return false;
		s->targets = bigger;
		s->targets_capacity = capacity;
	}
	s->targets[s->n_targets++] = *t;
	return true;
}

static void forget_met(struct dump_scan *s)
{
	while (s->n_targets > s->options.n_targets) {
		struct dump_target *t = &s->targets[--s->n_targets];

		free((void *)(uintptr_t)t->n.p);
		free((void *)(uintptr_t)t->subject);
	}
	s->first_target = 0;
}

/* Keys proven without a target become targets of their own. */
static void targets_from_keys(struct dump_scan *s)
{
	for (size_t i = 0; i < s->n_keys; i++) {
		const struct dump_key *k = &s->keys[i];
		const struct dump_target *known = k->has_spki ? target_of(s, k->spki) : NULL;
		struct dump_target t = { .algorithm = DUMP_RSA, .bits = k->bits, .kid = "", .from_dump = true };
		uint8_t *copy;

		if (k->algorithm != DUMP_RSA || !k->has_spki || k->allowed || (known && !known->distant))
			continue;
		copy = malloc(k->n.n + k->e.n);
		if (!copy)
			break;
		memcpy(copy, k->n.p, k->n.n);
		memcpy(copy + k->n.n, k->e.p, k->e.n);
		t.n = (struct dump_bytes){ copy, k->n.n };
		t.e = (struct dump_bytes){ copy + k->n.n, k->e.n };
		t.subject = strdup(known ? known->subject : "");
		memcpy(t.spki, k->spki, 32);
		if (!t.subject || !scan_add_target(s, &t)) {
			free(copy);
			free((void *)(uintptr_t)t.subject);
			break;
		}
	}
}

/* Programs whose purpose is to keep secrets, and that hide them: an empty search says nothing about them. */
static bool keeps_secrets(const struct dump_image *im)
{
	static const char *const names[] = { "ssh-agent", "sshd", "sshd-session", "sshd-auth", "gpg-agent", "scdaemon", "lsass", "gnome-keyring-d", "kwalletd5", "kwalletd6",
		"kwalletd", "keepassxc", "ssh-pkcs11-help", "vault", "systemd-creds", "secd", "tpm2-abrmd", "pcscd" };
	const char *name = strrchr(im->process, '/');

	name = name ? name + 1 : im->process;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const size_t n = strlen(names[i]);

		if (strncasecmp(name, names[i], n) == 0 && (!name[n] || strcasecmp(name + n, ".exe") == 0))
			return true;
	}
	return im->credential_store;
}

/* Fails closed: a keeper of secrets in which nothing was understood, a JVM with a locked store and no key. */
static void say_not_understood(struct dump_scan *s, const struct dump_image *im)
{
	const bool java = strncmp(im->process, "java", 4) == 0;
	bool key = false, store = false;

	for (size_t i = 0; i < s->n_hits; i++) {
		const struct dump_hit *h = &s->hits[i];

		key |= h->klass <= DUMP_STATED && h->algorithm != DUMP_AES && !(h->key >= 0 && s->keys[h->key].allowed);
		store |= h->klass == DUMP_LOCKED && h->form && (strncmp(h->form, "java-", 5) == 0 || strcmp(h->form, "pkcs12") == 0);
	}
	if (key || s->options.understood)
		return;
	if (keeps_secrets(im))
		dump_limit(s, "cannot say: this program keeps secrets in its own way, and none of them was understood");
	else if (java && store)
		dump_limit(s, "cannot say: this JVM has opened a key store, and no key of it was found");
}

bool dump_scan_image(struct dump_scan *s, struct dump_image *im)
{
	bool ok;

	forget_met(s);
	results_clear(s);
	s->out_of_memory = false;
	atomic_store(&s->bytes, 0);
	ok = pass(s, im, false);
	s->first_target = s->n_targets;
	ok = harvest_done(s) && ok;
	s->counts.targets = s->n_targets;
	targets_from_keys(s);
	for (int again = 0; again < 2 && ok && s->n_targets > s->first_target; again++) {
		ok = pass(s, im, true);
		s->first_target = s->n_targets;
		targets_from_keys(s); /* an authority that was hunted less thoroughly, and is in this dump */
	}
	s->first_target = 0;
	for (size_t i = 0; dump_finders[i]; i++)
		forget_state(s, i);
	results_sort(s);
	say_not_understood(s, im);
	image_merge_holes(im);
	s->counts.bytes = atomic_load(&s->bytes);
	if (im->reader->broken && im->problems.n == 0)
		dump_problem(im, "%s", im->reader->error);
	if (im->n_holes && im->problems.n == 0)
		dump_problem(im, "%llu bytes could not be read", (unsigned long long)im->uncovered);
	return ok && !s->out_of_memory;
}

const struct dump_target *dump_targets(const struct dump_scan *s, size_t *ret_n)
{
	*ret_n = s->n_targets - s->first_target;
	return s->targets ? s->targets + s->first_target : NULL;
}

const struct dump_options *dump_scan_options(const struct dump_scan *s) { return &s->options; }

void dump_scan_decoded(struct dump_scan *s, const struct dump_block *parent, size_t from, size_t from_n, const uint8_t *decoded,
		       size_t n, const char *encoding, const struct dump_finder *by)
{
	struct dump_block b = { .p = decoded, .own = n, .n = n, .im = parent->im, .step = 1, .parent = parent, .from = from,
		                .from_n = from_n, .encoding = encoding, .depth = parent->depth + 1 };

	if (b.depth > DUMP_DECODE_DEPTH_MAX || from >= parent->own)
		return;
	for (size_t i = 0; i < s->n_finders; i++)
		if (s->finders[i]->decoded && s->finders[i] != by)
			s->finders[i]->scan(s, s->states[i], &b);
}

struct dump_scan *dump_scan_new(const struct dump_options *options)
{
	struct dump_scan *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->options = *options;
	if (s->options.threads == 0)
		s->options.threads = 1;
	if (s->options.threads > DUMP_THREADS_MAX)
		s->options.threads = DUMP_THREADS_MAX;
	buf_init(&s->limits, DUMP_PROBLEMS_BYTES_MAX);
	s->arena = dump_arena_new();
	if (!s->arena || pthread_mutex_init(&s->lock, NULL) != 0) {
		dump_arena_free(s->arena);
		free(s);
		return NULL;
	}
	for (size_t i = 0; i < options->n_targets; i++) {
		if (!scan_add_target(s, &options->targets[i])) {
			s->options.n_targets = s->n_targets;
			dump_scan_free(s);
			return NULL;
		}
	}
	return s;
}

void dump_scan_free(struct dump_scan *s)
{
	if (!s)
		return;
	forget_met(s);
	results_clear(s);
	dump_arena_free(s->arena);
	for (size_t i = 0; i < s->n_texts; i++)
		free(s->texts[i]);
	free(s->texts);
	free(s->targets);
	free(s->met);
	free(s->hits);
	free(s->keys);
	buf_release(&s->limits);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
