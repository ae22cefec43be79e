/* SPDX-License-Identifier: Apache-2.0 */
/* arena: secret values are in chunks of whole pages, allocated one by one, so that the system's limit on locked
 * memory (often 64 KiB) is not spent on unused pages.  Nothing is freed singly: a key is kept until the
 * scan is over. */
#include "dump/arena.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/limits.h"

#define CHUNK_BYTES (64 * KIB)

struct chunk {
	struct chunk *next;
	uint8_t *p;
	size_t used, size;
};

struct dump_arena {
	pthread_mutex_t lock;
	struct chunk *chunks;
	size_t total;
	bool unlocked;
};

static void *pages(size_t n, bool *ret_locked)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, n, MADV_DONTDUMP);
	(void)madvise(p, n, MADV_DONTFORK);
	*ret_locked = mlock(p, n) == 0;
	return p;
}

void *dump_pages_new(size_t n)
{
	bool locked;

	return pages(n, &locked);
}

void dump_pages_free(void *p, size_t n)
{
	if (!p)
		return;
	OPENSSL_cleanse(p, n);
	munmap(p, n);
}

__attribute__((noinline)) void dump_stack_cleanse(void)
{
	uint8_t used[DUMP_STACK_BYTES];

	OPENSSL_cleanse(used, sizeof(used));
}

struct dump_arena *dump_arena_new(void)
{
	struct dump_arena *a = calloc(1, sizeof(*a));

	if (a && pthread_mutex_init(&a->lock, NULL) != 0) {
		free(a);
		return NULL;
	}
	return a;
}

void dump_arena_clear(struct dump_arena *a)
{
	pthread_mutex_lock(&a->lock);
	while (a->chunks) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		dump_pages_free(c->p, c->size);
		free(c);
	}
	a->total = 0;
	pthread_mutex_unlock(&a->lock);
}

void dump_arena_free(struct dump_arena *a)
{
	if (!a)
		return;
	dump_arena_clear(a);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static struct chunk *add_chunk(struct dump_arena *a, size_t n)
{
	size_t size = n > CHUNK_BYTES ? (n + CHUNK_BYTES - 1) / CHUNK_BYTES * CHUNK_BYTES : CHUNK_BYTES;
	struct chunk *c;
	bool locked = false;

	if (size > DUMP_ARENA_BYTES_MAX - a->total)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->p = pages(size, &locked);
	if (!c->p) {
		free(c);
		return NULL;
	}
	a->unlocked |= !locked;
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	a->total += size;
	return c;
}

void *dump_arena_get(struct dump_arena *a, size_t n)
{
	void *p = NULL;
	struct chunk *c;

	if (n > DUMP_ARENA_BYTES_MAX)
		return NULL;
	n = (n + 15) & ~(size_t)15;
	pthread_mutex_lock(&a->lock);
	c = a->chunks;
	if (!c || c->size - c->used < n)
		c = add_chunk(a, n);
	if (c) {
		p = c->p + c->used;
		c->used += n;
	}
	pthread_mutex_unlock(&a->lock);
	return p;
}

bool dump_arena_locked(const struct dump_arena *a) { return !a->unlocked; }

void dump_protect_process(void)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* OpenSSL's numbers that are marked secure live in this heap: locked, guarded, cleansed */
	if (!CRYPTO_secure_malloc_initialized())
		(void)CRYPTO_secure_malloc_init(1 << 20, 16);
}
