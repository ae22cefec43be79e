/* SPDX-License-Identifier: Apache-2.0 */
/* dump_worker: the two passes of `dump filter`, in a process without rights.
 *
 * First the frozen process' own memory is scanned through /proc/PID/mem: the result is a list of addresses, and patterns of everything
 * derived from the keys.  Only then is a byte of the core read: its program headers say where each address is, places and patterns
 * are erased, and bytes further back than the longest pattern are forwarded.  Only that window is kept. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/dump_filter.h"
#include "dump/arena.h"
#include "dump/bytes.h"

#define CHUNK (4 * MIB)
#define HEADERS_MAX (8 * MIB) /* of program headers: 65535 and more */

const char *const filter_phases[] = { "start", "scan", "ready", "stream", "done" };

struct worker {
	const struct filter_job *job;
	struct dump_scan *s;
	struct dump_traces *traces;
	struct dump_cuts by_va, by_offset, here;
	uint8_t *p;            /* the delay line */
	size_t n, capacity;
	uint64_t at;           /* offset of p[0] in the core */
	uint64_t end;          /* where the core must end at the earliest */
	bool last;             /* the core has ended */
	uint64_t pieces, bytes; /* of memory, to be erased */
	char why[128];
};

static bool fail(struct worker *w, const char *why)
{
	if (!w->why[0])
		snprintf(w->why, sizeof(w->why), "%s", why);
	return false;
}

static bool phase(struct worker *w, enum filter_phase x)
{
	const char line[2] = { (char)('0' + x), '\n' };

	return write(w->job->control, line, 2) == 2 || fail(w, "the first process is gone");
}

/* ---- pass 1 ---- */

struct mem_reader { struct dump_reader r; int fd; _Atomic bool gone; };

static size_t mem_read(struct dump_reader *r, uint64_t offset, void *p, size_t n)
{
	struct mem_reader *m = (struct mem_reader *)r;
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(m->fd, (char *)p + done, n - done, (off_t)(offset + done));

		if (got == 0)
			m->gone = true; /* the process was killed while it was dumped */
		if (got <= 0) {
			/* a page that is not there (past the end of a mapped file) is none in the core either */
			size_t page = 4096 - (size_t)((offset + done) & 4095);

			page = page < n - done ? page : n - done;
			memset((char *)p + done, 0, page);
			got = (ssize_t)page;
		}
		done += (size_t)got;
	}
	return done;
}

static struct dump_image *mem_image(struct worker *w, struct mem_reader *m)
{
	struct dump_image *im;

	*m = (struct mem_reader){ .fd = w->job->mem };
	m->r.read = mem_read;
	m->r.size = UINT64_MAX;
	m->r.parallel = true;
	im = dump_image_new(&m->r, "process");
	if (!im)
		return NULL;
	im->sparse = true;
	im->word = 8;
	for (const char *line = w->job->maps; *line;) {
		/* "7f00-7f10 r--p 0 08:01 123   /path", the last a name in brackets for memory of the kernel's */
		const char *bracket = line + strcspn(line, "/[\n"); /* a file may be called anything */
		char *end;
		unsigned long long from = strtoull(line, &end, 16), to = *end == '-' ? strtoull(end + 1, &end, 16) : 0;
		const char *rights = *end == ' ' && strcspn(end + 1, " \n") == 4 ? end + 1 : "----";

		if (from < to && rights[0] == 'r' && strncmp(bracket, "[vvar", 5) != 0 && strncmp(bracket, "[vsyscall]", 10) != 0)
			dump_add_range(im, from, to - from, from, 0,
			               DUMP_MAPPED | (rights[1] == 'w' ? DUMP_WRITE : 0u) | (rights[2] == 'x' ? DUMP_EXEC : 0u));
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	if (!dump_image_seal(im)) {
		dump_image_free(im);
		return NULL;
	}
	return im;
}

static bool scan(struct worker *w, struct dump_image *im)
{
	w->s = dump_scan_new(w->job->options);
	if (!w->s || !dump_scan_image(w->s, im))
		return fail(w, "out of memory in the scan");
	/* memory that was not searched is not forwarded, unless all that could be hidden in it is erased unsearched */
	if (dump_counts(w->s)->limits > (w->job->random && !dump_random_refused(im) ? dump_counts(w->s)->limits_random : 0)) {
		const char *limits = dump_limits_text(w->s);
		char text[96];

		snprintf(text, sizeof(text), "not all was searched: %.*s", (int)strcspn(limits, "\n"), limits);
		return fail(w, text);
	}
	if (dump_counts(w->s)->hits_refused)
		return fail(w, "more places than can be kept");
	w->traces = dump_traces_of(w->s, im);
	if (!w->traces)
		return fail(w, "more keys than can be swept");
	return true;
}

static bool plan(struct worker *w, struct dump_image *im, struct dump_cuts *ret)
{
	return dump_cuts_plan(w->s, im, w->traces, w->job->shapes, ret) &&
	       (!w->job->random || dump_random_refused(im) || dump_random_plan(im, w->job->options->threads, ret));
}

static bool first_pass(struct worker *w)
{
	struct mem_reader m;
	struct dump_image *im = mem_image(w, &m);
	bool ok;

	if (!im)
		return fail(w, "out of memory");
	if (im->n_ranges == 0) {
		dump_image_free(im);
		return fail(w, "the process has no memory that can be read");
	}
	ok = scan(w, im) && (plan(w, im, &w->by_va) || fail(w, "more places than can be erased"));
	w->pieces = w->by_va.n_zero + w->by_va.n_text;
	w->bytes = w->by_va.bytes;
	if (ok && m.gone)
		ok = fail(w, "the process went away before its memory was read");
	dump_image_free(im);
	return ok;
}

/* ---- pass 2 ---- */

static bool forward(struct worker *w, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t got = write(w->job->out, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fail(w, "the next handler takes no more");
		p += got;
		n -= (size_t)got;
	}
	return true;
}

/* Fills the delay line up to `size` bytes; false: error.  At the end of the core fewer are there. */
static bool fill(struct worker *w, size_t size)
{
	if (size > w->capacity) {
		uint8_t *bigger = dump_pages_new(size);

		if (!bigger)
			return fail(w, "out of memory");
		if (w->n)
			memcpy(bigger, w->p, w->n);
		dump_pages_free(w->p, w->capacity);
		w->p = bigger;
		w->capacity = size;
	}
	while (w->n < size) {
		ssize_t got = read(w->job->core, w->p + w->n, size - w->n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(w, "the core cannot be read");
		if (got == 0)
			break;
		w->n += (size_t)got;
	}
	return true;
}

static bool cut(struct dump_cuts *c, bool text, uint64_t offset, uint64_t length)
{
	struct dump_cut **list = text ? &c->text : &c->zero, *bigger;
	size_t *n = text ? &c->n_text : &c->n_zero, *capacity = text ? &c->text_capacity : &c->zero_capacity;

	if (*n == *capacity) {
		size_t more = *capacity ? *capacity * 2 : 256;

		bigger = more <= DUMP_CUTS_MAX ? realloc(*list, more * sizeof(*bigger)) : NULL;
		if (!bigger)
			return false;
		*list = bigger;
		*capacity = more;
	}
	(*list)[(*n)++] = (struct dump_cut){ offset, length };
	return true;
}

static int by_offset(const void *a, const void *b)
{
	const struct dump_cut *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The first of a sorted list that ends after `at`. */
static size_t first_after(const struct dump_cut *list, size_t n, uint64_t at)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list[mid].offset + list[mid].length <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Where in the core the places of the first pass are. */
static bool place(struct worker *w, uint64_t offset, uint64_t filesz, uint64_t va)
{
	for (int text = 0; text < 2; text++) {
		const struct dump_cut *list = text ? w->by_va.text : w->by_va.zero;
		size_t n = text ? w->by_va.n_text : w->by_va.n_zero;

		for (size_t i = first_after(list, n, va); i < n && list[i].offset < va + filesz; i++) {
			uint64_t from = list[i].offset > va ? list[i].offset : va, to = list[i].offset + list[i].length;

			to = to < va + filesz ? to : va + filesz;
			if (from < to && !cut(&w->by_offset, text, offset + (from - va), to - from))
				return fail(w, "more places than can be erased");
		}
	}
	return true;
}

struct notes { struct worker *w; uint64_t offset; };

static bool found_in_notes(void *arg, size_t at, size_t n)
{
	struct notes *x = arg;

	return cut(&x->w->by_offset, false, x->offset + at, n) || fail(x->w, "more places than can be erased");
}

/* Vector registers: they come before the memory. */
static bool place_notes(struct worker *w, uint64_t offset, uint64_t filesz)
{
	if (offset > HEADERS_MAX || filesz > DUMP_NOTES_BYTES_MAX)
		return fail(w, "its notes lie too far into the core: use dump redact for what the kernel did not write");
	if (offset + filesz > w->n && (!fill(w, (size_t)(offset + filesz)) || offset + filesz > w->n))
		return fail(w, "the core ended inside its notes");
	return dump_random_notes(w->p + offset, (size_t)filesz, false, found_in_notes, &(struct notes){ w, offset });
}

static bool headers(struct worker *w)
{
	Elf64_Ehdr head;
	uint64_t count, end;

	if (!fill(w, CHUNK))
		return false;
	if (w->n < sizeof(head) || memcmp(w->p, ELFMAG, SELFMAG) != 0 || w->p[EI_CLASS] != ELFCLASS64 || w->p[EI_DATA] != ELFDATA2LSB)
		return fail(w, "what comes is no 64-bit little-endian ELF core");
	memcpy(&head, w->p, sizeof(head));
	count = head.e_phnum;
	if (head.e_type != ET_CORE || head.e_phentsize != sizeof(Elf64_Phdr) || count == PN_XNUM)
		return fail(w, count == PN_XNUM ? "a core of more than 65534 segments" : "what comes is no core that is understood");
	end = head.e_phoff + count * sizeof(Elf64_Phdr);
	if (head.e_phoff > HEADERS_MAX || end > HEADERS_MAX)
		return fail(w, "the core's program headers lie too far into the file");
	if (end > w->n && (!fill(w, HEADERS_MAX) || end > w->n))
		return fail(w, "the core ends inside its headers");
	for (uint64_t i = 0; i < count; i++) {
		Elf64_Phdr h;

		memcpy(&h, w->p + head.e_phoff + i * sizeof(h), sizeof(h));
		if (h.p_offset > UINT64_MAX - h.p_filesz || h.p_vaddr > UINT64_MAX - h.p_filesz)
			return fail(w, "a segment of the core wraps");
		if (h.p_filesz && h.p_offset + h.p_filesz > w->end)
			w->end = h.p_offset + h.p_filesz;
		if (h.p_type == PT_NOTE && w->job->random && !place_notes(w, h.p_offset, h.p_filesz))
			return false;
		if (h.p_type == PT_LOAD && !place(w, h.p_offset, h.p_filesz, h.p_vaddr))
			return false;
	}
	if (w->end > w->job->limit)
		return fail(w, "larger than its user allows (honour-limit)");
	if (w->by_offset.n_zero)
		qsort(w->by_offset.zero, w->by_offset.n_zero, sizeof(struct dump_cut), by_offset);
	if (w->by_offset.n_text)
		qsort(w->by_offset.text, w->by_offset.n_text, sizeof(struct dump_cut), by_offset);
	return true;
}

/* Collected first, erased later: two that overlap must both be seen whole. */
static void gather(void *arg, const struct dump_trace *trace)
{
	struct worker *w = arg;

	/* a trace that may go on past these bytes is seen again, whole, with the next ones */
	if ((w->last || trace->at + trace->n < w->n) && !cut(&w->here, trace->text, trace->at, trace->n))
		(void)fail(w, "more places than can be erased");
}

static bool sweep(struct worker *w)
{
	w->here.n_zero = w->here.n_text = 0;
	dump_traces_find(w->traces, w->p, w->n, (unsigned)(w->at & 7), gather, w);
	for (size_t i = 0; i < w->here.n_text; i++)
		dump_fill_text(w->p + w->here.text[i].offset, w->here.text[i].length);
	for (size_t i = 0; i < w->here.n_zero; i++)
		memset(w->p + w->here.zero[i].offset, 0, w->here.zero[i].length);
	return !w->why[0];
}

static bool second_pass(struct worker *w)
{
	const size_t delay = (dump_traces_longest(w->traces) + 4096) & ~(size_t)7;

	if (!headers(w))
		return false;
	while (!w->last) {
		size_t go;

		if (!fill(w, CHUNK + 2 * delay > w->n ? CHUNK + 2 * delay : w->n))
			return false;
		w->last = w->n < CHUNK + 2 * delay;
		/* places first: they are exact; the sweep then finds the rest, and bytes without an address */
		(void)dump_cuts_apply(&w->by_offset, w->at, w->p, w->n);
		if (!sweep(w))
			return false;
		go = w->last ? w->n : (w->n - delay) & ~(size_t)7;
		if (!forward(w, w->p, go))
			return false;
		memmove(w->p, w->p + go, w->n - go);
		w->at += go;
		w->n -= go;
	}
	return w->at >= w->end || fail(w, "the core ended before its segments did");
}

/* ---- no memory of the process: the core itself is held in memory that no swap sees ---- */

static bool spool(struct worker *w)
{
	uint8_t *p;
	size_t n = 0;
	const size_t max = (size_t)w->job->spool_max;
	struct dump_reader *r;
	struct dump_image *im;
	struct dump_cuts cuts = { 0 };
	bool ok;

	p = mmap(NULL, max, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return fail(w, "no memory for the core");
	(void)madvise(p, max, MADV_DONTDUMP);
	for (;;) {
		size_t room = max - n < CHUNK ? max - n : CHUNK;
		ssize_t got;

		if (room == 0)
			return fail(w, "the process' memory cannot be read, and the core is larger than spool-max");
		if (n % CHUNK == 0 && mlock(p + n, room) < 0)
			return fail(w, "the process' memory cannot be read, and the core's cannot be locked");
		room = CHUNK - n % CHUNK < room ? CHUNK - n % CHUNK : room;
		got = read(w->job->core, p + n, room);
		if (got < 0 && errno != EINTR)
			return fail(w, "the core cannot be read");
		if (got == 0)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	r = dump_reader_memory(p, n);
	im = r ? dump_image_open(r, "core") : NULL;
	if (!im)
		return fail(w, "out of memory");
	if (!im->format || strcmp(im->format->name, "elf-core") != 0)
		return fail(w, "what comes is no ELF core");
	if (!scan(w, im))
		return false;
	if (im->problems.n || im->n_holes)
		return fail(w, "the core is not whole");
	if (!plan(w, im, &cuts))
		return fail(w, "more places than can be erased");
	if (cuts.over_structure)
		return fail(w, "a secret lies over a header of the core");
	(void)dump_cuts_apply(&cuts, 0, p, n);
	w->bytes = cuts.bytes;
	w->pieces = cuts.n_zero + cuts.n_text;
	dump_cuts_release(&cuts);
	if (n > w->job->limit)
		return fail(w, "larger than its user allows (honour-limit)");
	ok = phase(w, FILTER_READY) && phase(w, FILTER_STREAM) && forward(w, p, n);
	dump_image_free(im);
	dump_reader_free(r);
	return ok;
}

/* ---- the log ---- */

struct hint { uint64_t mappings, unlocked; };

/* Both lists are sorted, and nothing in them overlaps. */
static bool any_between(const struct dump_cut *list, size_t n, uint64_t from, uint64_t to)
{
	const size_t i = first_after(list, n, from);

	return i < n && list[i].offset < to;
}

static void hint_line(struct worker *w, const char *line, bool *here, struct hint *ret)
{
	char *end;
	unsigned long long from = strtoull(line, &end, 16), to = end > line && *end == '-' ? strtoull(end + 1, NULL, 16) : 0;

	if (from < to) {
		*here = any_between(w->by_va.zero, w->by_va.n_zero, from, to) || any_between(w->by_va.text, w->by_va.n_text, from, to);
	} else if (*here && strncmp(line, "VmFlags:", 8) == 0) {
		ret->mappings++;
		ret->unlocked += !strstr(line, " lo");
	}
}

/* Mappings that held a key: every one of them would have stayed out of the core with MADV_DONTDUMP, and off the disk with mlock(). */
static struct hint hints(struct worker *w)
{
	struct hint ret = { 0 };
	char text[4096], line[256];
	size_t used = 0, total = 0;
	bool here = false;
	ssize_t got;

	while (w->job->smaps >= 0 && total < FILTER_SMAPS_BYTES_MAX && (got = read(w->job->smaps, text, sizeof(text))) > 0) {
		total += (size_t)got;
		for (ssize_t i = 0; i < got; i++) {
			if (text[i] != '\n') {
				if (used + 1 < sizeof(line))
					line[used++] = text[i];
				continue;
			}
			line[used] = '\0';
			used = 0;
			hint_line(w, line, &here, &ret);
		}
	}
	return ret;
}

static void account(struct worker *w)
{
	const struct dump_key *keys;
	size_t n, erased = 0;
	struct hint hint = { 0 };

	keys = dump_keys(w->s, &n);
	for (size_t i = 0; i < n; i++)
		erased += !keys[i].allowed;
	if (w->pieces == 0) {
		(void)dprintf(w->job->control, "=no key was found\n");
		return;
	}
	if (w->by_va.bytes)
		hint = hints(w);
	(void)dprintf(w->job->control, "=%zu key%s erased, %llu bytes in %llu pieces", erased, erased == 1 ? "" : "s",
	              (unsigned long long)w->bytes, (unsigned long long)w->pieces);
	if (hint.mappings)
		(void)dprintf(w->job->control, "; %llu mapping%s held them without MADV_DONTDUMP, %llu without mlock()",
		              (unsigned long long)hint.mappings, hint.mappings == 1 ? "" : "s", (unsigned long long)hint.unlocked);
	(void)!write(w->job->control, "\n", 1);
}

int filter_work(const struct filter_job *job)
{
	struct worker w = { .job = job };
	bool ok = phase(&w, FILTER_SCAN);

	if (ok && job->mem < 0)
		ok = spool(&w);
	else
		ok = ok && first_pass(&w) && phase(&w, FILTER_READY) && phase(&w, FILTER_STREAM) && second_pass(&w);
	if (ok) {
		account(&w);
		ok = phase(&w, FILTER_DONE);
	}
	if (!ok)
		(void)dprintf(job->control, "-%s\n", w.why);
	dump_pages_free(w.p, w.capacity);
	dump_cuts_release(&w.by_va);
	dump_cuts_release(&w.by_offset);
	dump_cuts_release(&w.here);
	dump_traces_free(w.traces);
	dump_scan_free(w.s);
	return ok ? 0 : 1;
}
