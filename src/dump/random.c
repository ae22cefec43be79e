/* SPDX-License-Identifier: Apache-2.0 */
/* random: what looks like key material, whoever keeps it and in whatever relation to a key.
 *
 * Every other finder knows something: a public key, a structure, a relation.  This one knows only that secrets are as good as
 * random, and that nothing which a debugger needs is: addresses, counters, text and code all have a pattern.  So in writable
 * memory that is no code, each run of words that
 *   - are no addresses and no small numbers: their upper 16 bits are neither all zeros nor all ones (a random word fails this once
 *     in 2^15),
 *   - are no text: eight bytes of printable ASCII (once in 2,900), or UTF-8,
 *   - of which each pair passes is_random() (a random pair fails it once in 1,400),
 * is erased, if it is at least two words long.  One word between two such runs goes with them.  A lone random word (a stack guard,
 * a hash) stays: no key is that short.
 *
 * Lost besides secrets: ciphertext, compressed data, hashes, tables of doubles, packed colours.  Kept: limbs of 48 bits and fewer
 * in words of 64, keys as text, and up to one word at either end of a secret that is not aligned to words. */
#include <stdlib.h>

#include "base/limits.h"
#include "dump/bytes.h"
#include "dump/redact.h"
#include "dump/scan_int.h"

#define WORD 8 /* only processes with words of 64 bits: an address of 32 bits cannot be distinguished from half a random word */

struct hunt {
	pthread_mutex_t lock; /* the list */
	struct dump_cuts *cuts;
};

static bool is_utf8(const uint8_t *p, size_t n)
{
	size_t i = 0, many = 0;

	while (i < 3 && (p[i] & 0xc0) == 0x80) /* the end of a character that begins before */
		i++;
	while (i < n) {
		const unsigned c = p[i++];
		unsigned more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 9;

		if (more == 9 || (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c))
			return false;
		many += more != 0;
		for (; more && i < n; more--, i++)
			if ((p[i] & 0xc0) != 0x80)
				return false;
	}
	return many > 0;
}

/* Eight bytes of ASCII that is printed, or four characters of UTF-16 whose upper bytes are zero. */
static bool is_plain(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;

	if ((w & UINT64_C(0xff00ff00ff00ff00)) == 0 || (w & UINT64_C(0x00ff00ff00ff00ff)) == 0)
		return true;
	/* no byte has its top bit, none is below 0x20 */
	return (w & tops) == 0 && ((w - ones * 0x20) & tops) == 0;
}

/* May this word be a part of something random? */
static bool is_free(uint64_t w)
{
	const unsigned top = (unsigned)(w >> 48);

	return top && top != 0xffff && !is_plain(w);
}

/* 16 bytes.  Random ones have 15.5 different values, of which 8 are above 0x7f, and no zero.  They have 11 or fewer different values
 * once in 9,000 times, one or no value on one side of 0x80 once in 1,900, three zeros or more once in 30,000; the tops of all
 * four 32-bit numbers (compressed addresses, counters, colours) are equal once in 2^24. */
static bool is_random(const uint8_t *p)
{
	const struct variety v = variety_of(p, 16);

	if (v.distinct < 12 || v.high < 2 || v.high > 14 || v.zeros > 2)
		return false;
	if ((p[3] == p[7] && p[7] == p[11] && p[11] == p[15]) || (p[0] == p[4] && p[4] == p[8] && p[8] == p[12]))
		return false;
	return !is_utf8(p, 16);
}

/* Calls found for each run of random words of p[from .. to), both whole words; p[from] is aligned. */
static bool runs(const uint8_t *p, size_t from, size_t to, bool big_endian, bool (*found)(void *arg, size_t at, size_t n), void *arg)
{
	size_t begin = 0, end = 0; /* of the run that was seen last; none if equal */
	bool free_before = from < to && is_free(get64(p + from, big_endian));

	for (size_t i = from; i + 2 * WORD <= to; i += WORD) {
		const bool free_here = is_free(get64(p + i + WORD, big_endian)), pair = free_before && free_here && is_random(p + i);

		free_before = free_here;
		if (!pair)
			continue;
		if (begin < end && i <= end + WORD) { /* one word in between goes too */
			end = i + 2 * WORD;
			continue;
		}
		if (begin < end && !found(arg, begin, end - begin))
			return false;
		begin = i;
		end = i + 2 * WORD;
	}
	return begin == end || found(arg, begin, end - begin);
}

/* ---- memory ---- */

struct in_block { struct hunt *h; const struct dump_block *b; };

static bool found_in_block(void *arg, size_t at, size_t n)
{
	struct in_block *x = arg;
	bool ok = true;

	pthread_mutex_lock(&x->h->lock);
	while (n && ok) { /* a hit has room for a few pieces of the file */
		struct dump_hit where = { 0 };
		uint64_t done = 0;

		(void)dump_locate(x->b, at, n, &where);
		for (unsigned i = 0; i < where.n_pieces && ok; i++) {
			ok = dump_cuts_add(x->h->cuts, where.pieces[i].offset, where.pieces[i].length);
			done += where.pieces[i].length;
		}
		if (done == 0)
			break;
		at += done;
		n -= (size_t)done;
	}
	pthread_mutex_unlock(&x->h->lock);
	return ok;
}

bool dump_random_applies(const struct dump_block *b)
{
	return b->mapped && !b->encoding && (b->flags & DUMP_WRITE) && !(b->flags & (DUMP_EXEC | DUMP_STRUCT | DUMP_NOTE));
}

/* A run that crosses the border of two blocks is seen in both: each looks a little past its end, and the pieces are joined later. */
static bool block(void *arg, const struct dump_block *b)
{
	const size_t shift = (8 - b->phase % 8) % 8, past = b->n - b->own < 4 * WORD ? b->n - b->own : 4 * WORD;

	if (!dump_random_applies(b))
		return true;
	return runs(b->p, shift, b->own + past, b->im->big_endian, found_in_block, &(struct in_block){ arg, b });
}

/* ---- registers ---- */

bool dump_random_notes(const uint8_t *p, size_t n, bool big_endian, bool (*found)(void *arg, size_t at, size_t n), void *arg)
{
	for (size_t i = 0; n - i >= 12;) {
		const uint64_t name = get32(p + i, big_endian), size = get32(p + i + 4, big_endian);
		const uint32_t type = get32(p + i + 8, big_endian);
		const uint64_t desc = i + 12 + (name + 3) / 4 * 4, next = desc + (size + 3) / 4 * 4;

		if (desc > n || size > n - desc)
			break;
		/* vector registers: FPREGSET, POWER VMX and VSX, X86_XSTATE, ARM_VFP, ARM_SVE, PRXFPREG.  The general ones are addresses and
		 * what the program counts, and each is only one word. */
		if (type == 2 || type == 0x100 || type == 0x102 || type == 0x202 || type == 0x400 || type == 0x405 || type == 0x46e62b7f)
			if (!runs(p, (size_t)desc, (size_t)(desc + size / WORD * WORD), big_endian, found, arg))
				return false;
		if (next > n)
			break;
		i = (size_t)next;
	}
	return true;
}

struct in_notes { struct dump_cuts *cuts; uint64_t offset; };

static bool found_in_notes(void *arg, size_t at, size_t n)
{
	struct in_notes *x = arg;

	return dump_cuts_add(x->cuts, x->offset + at, n);
}

static bool notes(struct dump_image *im, const struct dump_range *r, struct dump_cuts *c)
{
	const size_t n = r->length < DUMP_NOTES_BYTES_MAX ? (size_t)r->length : DUMP_NOTES_BYTES_MAX;
	uint8_t *p = dump_pages_new(n);
	bool ok = p && dump_read_exact(im, r->offset, p, n) &&
	          dump_random_notes(p, n, im->big_endian, found_in_notes, &(struct in_notes){ c, r->offset });

	dump_pages_free(p, n);
	return ok;
}

const char *dump_random_refused(const struct dump_image *im)
{
	bool memory = false;

	for (size_t i = 0; i < im->n_ranges; i++) {
		if (im->ranges[i].flags & DUMP_PHYSICAL)
			return "an image of physical memory does not say what is code";
		memory |= (im->ranges[i].flags & DUMP_MAPPED) != 0;
	}
	if (!memory)
		return "it is no image of a process' memory";
	return im->word == WORD ? NULL : "it is no process with words of 64 bits";
}

bool dump_random_plan(struct dump_image *im, unsigned threads, struct dump_cuts *c)
{
	struct hunt h = { .cuts = c };
	bool ok = true;

	for (size_t i = 0; i < im->n_ranges && ok && im->format && strcmp(im->format->name, "elf-core") == 0; i++)
		if (im->ranges[i].flags & DUMP_NOTE)
			ok = notes(im, &im->ranges[i], c);
	pthread_mutex_init(&h.lock, NULL);
	ok = ok && block_each(im, true, threads, &(struct block_work){ .block = block }, &h);
	pthread_mutex_destroy(&h.lock);
	return ok && dump_cuts_seal(c, im);
}
