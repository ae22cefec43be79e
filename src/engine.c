/* SPDX-License-Identifier: Apache-2.0 */
/* engine: the life of a run.
 *
 *   reading thread    source -> frame -> blocks             (the caller's thread)
 *   decoding threads  block -> recs -> their lane of the sorter
 *   when all is read  recs whose day and month were open, settled by their whole file, to the lanes
 *                     lanes -> merge -> world -> detectors  (event-time order; a second thread merges ahead)
 *
 * Worlds and detectors are a tenant's (tenant.h): each record goes to those of its own.
 *
 * With a state (keep.h) the last step runs twice: to the bound, where what was learnt is saved, and from there to the end,
 * where the records are saved as they are.
 *
 * With one thread the same functions are called in turn and nothing is queued.  What a thread finds out about its blocks
 * (counts, samples of rejects) is added up under one lock; sums and "first in stream order" do not depend on timing. */
#include "engine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/spool.h"
#include "base/timefmt.h"
#include "decode/claims.h"
#include "detect/detect.h"
#include "event/sort.h"
#include "identity/identity.h"
#include "keep.h"
#include "source/source.h"
#include "state/net.h"
#include "tenant.h"

enum {
	BLOCKS_AHEAD = 2,  /* blocks in flight besides one a thread */
	FRAMES_MAX = 8,    /* streams whose blocks can be in flight at once */
	BATCHES = 8,       /* merged batches ahead of the detectors */
	BATCH = 64,
	LATE_DAYS = 2,
};

struct slot { /* a block in flight */
	struct block b;
	unsigned frame;
	bool full;
};

struct worker {
	struct engine *e;
	struct decoder *decoder;
	struct sort_lane *lane;
	unsigned number;
	pthread_t thread;
	bool started;
	int64_t newest_us;        /* in this block */
	uint64_t out_of_order, outside_window;
	struct keep_days *days[KEEP_LOGS]; /* with a state: of each log that was seen */
	uint64_t late, known;     /* before the bound: not learnt; learnt already */
	uint64_t file;            /* of this block */
	struct held *piece;
	bool memory_lost;
	struct spool *held;       /* records whose day and month are open until their file is known; NULL = none */
};

struct batch { /* records handed from the merging thread to the detecting one */
	uint8_t *bytes;
	size_t capacity, count;
	const struct rec *rec[BATCH];
};

struct engine {
	struct engine_settings set;
	struct engine_report report;
	struct names names;
	struct asn_db *asn;
	struct tenants *whose;    /* which tenant a record belongs to */
	struct tenants_cache whose_cache;
	struct tenant **tenants; size_t tenant_count;
	struct table tenant_by_ref; /* -> uint32_t */
	struct tenant *last;      /* of the record before */
	size_t asked_count;       /* tenants that are asked for; they come first when the run has ended */
	struct world all;         /* all tenants added up, or the joint world */
	struct detect_ctx base;
	struct signins *signins;
	struct sorter *sorter;
	unsigned threads;
	struct worker *workers;
	struct source *source;
	struct claims *claims;    /* what the exports say about themselves */
	struct frame *frames[FRAMES_MAX];
	unsigned frame_count;
	uint32_t in_flight[FRAMES_MAX]; /* blocks of each frame */
	struct slot *slots;
	unsigned slot_count;
	/* queue of full slots */
	unsigned *queue, queue_head, queue_n;
	unsigned *idle, idle_n;
	bool no_more;
	unsigned decoding;        /* threads that may still learn something about a file */
	pthread_mutex_t lock;
	pthread_cond_t has_work, has_room;
	uint8_t (*file_order)[TIME_COLUMNS]; /* what the times of each file show about day and month */
	uint64_t (*file_rejects)[REJECT_COUNT];
	uint32_t *file_formats;
	uint8_t *file_framing;
	struct claim_total *file_total;
	size_t file_capacity;
	char *format_texts[2048]; /* labels made so far */
	unsigned format_text_count;
	bool memory_lost;
	struct keep keep;
	bool keeps;               /* the state is open */
};

struct engine *engine_new(const struct engine_settings *s)
{
	struct engine *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	e->set = *s;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	e->threads = s->threads ? s->threads : cores > 0 ? (unsigned)cores : 1;
	if (e->threads > 256)
		e->threads = 256;
	names_init(&e->names);
	table_init(&e->tenant_by_ref, sizeof(uint32_t), TENANTS_MAX + 1);
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->has_work, NULL);
	pthread_cond_init(&e->has_room, NULL);
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->tenant_count; i++)
		tenant_free(e->tenants[i]);
	free(e->tenants);
	table_release(&e->tenant_by_ref);
	tenants_free(e->whose);
	if (e->keeps)
		keep_close(&e->keep);
	for (unsigned i = 0; i < e->threads && e->workers; i++) {
		decoder_free(e->workers[i].decoder);
		for (int k = 0; k < KEEP_LOGS; k++)
			free(e->workers[i].days[k]);
		spool_free(e->workers[i].held);
		free(e->workers[i].piece);
	}
	free(e->workers);
	for (unsigned i = 0; i < e->slot_count; i++)
		block_release(&e->slots[i].b);
	for (unsigned i = 0; i < e->frame_count; i++)
		frame_free(e->frames[i]);
	free(e->slots);
	free(e->queue);
	free(e->idle);
	sorter_free(e->sorter);
	signins_free(e->signins);
	source_free(e->source);
	claims_free(e->claims);
	for (unsigned i = 0; i < e->report.partial_count; i++)
		free(e->report.partial[i]);
	world_release(&e->all);
	names_release(&e->names);
	asn_close(e->asn);
	for (size_t i = 0; i < e->report.file_count; i++)
		free(e->report.files[i].path);
	free(e->report.files);
	free(e->file_rejects);
	free(e->file_formats);
	free(e->file_framing);
	free(e->file_total);
	free(e->file_order);
	for (unsigned i = 0; i < e->format_text_count; i++)
		free(e->format_texts[i]);
	for (int r = 0; r < REJECT_COUNT; r++)
		for (int i = 0; i < REJECT_SAMPLES_MAX; i++)
			free(e->report.samples[r][i].text);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->has_work);
	pthread_cond_destroy(&e->has_room);
	free(e);
}

const struct engine_report *engine_report(const struct engine *e) { return &e->report; }
const struct world *engine_world(const struct engine *e) { return e->asked_count == 1 ? e->tenants[0]->world : &e->all; }
size_t engine_tenant_count(const struct engine *e) { return e->asked_count; }
struct tenant *engine_tenant(const struct engine *e, size_t i) { return e->tenants[i]; }

static void fail(struct engine *e, const char *why)
{
	if (!e->report.error[0])
		snprintf(e->report.error, sizeof e->report.error, "%s", why);
	e->report.incomplete = true;
}

static void problem(struct engine *e, const char *line)
{
	if (e->set.on_problem)
		e->set.on_problem(e->set.on_problem_arg, line);
}

/* -- decoding -- */

static void add_day(struct worker *w, const struct rec *r)
{
	struct keep_days **d = &w->days[keep_log(r)];
	if (!*d && !(*d = keep_days_new()))
		w->e->memory_lost = true;
	else
		keep_days_add(*d, r->time_us);
}

static void keep_rec(struct worker *w, const struct rec *r)
{
	const struct engine_settings *s = &w->e->set;
	uint64_t origin = tenants_collect(w->e->whose, w->number, r, decoder_names(w->decoder));
	signins_collect(w->e->signins, w->number, r, origin); /* also outside the window: a token of its first day is older */
	if (r->flags & REC_NO_TIME) {
		if (s->since_us != INT64_MIN || s->until_us != INT64_MAX) {
			w->outside_window++;
			return;
		}
	} else {
		if (r->time_us < s->since_us || r->time_us >= s->until_us) {
			w->outside_window++;
			return;
		}
		if (r->time_us > w->newest_us)
			w->newest_us = r->time_us;
		else if (r->time_us < w->newest_us - LATE_DAYS * US_PER_DAY)
			w->out_of_order++;
		if (w->e->keeps) {
			if (r->time_us / US_PER_SECOND < w->e->keep.bound) {
				bool known = sorter_knows(w->e->sorter, r);
				w->known += known;
				w->late += !known;
				return;
			}
			add_day(w, r);
		}
	}
	sort_add(w->lane, r);
}

/* A record whose day and month are open waits until its file is known: a piece of worker.held, which come out by file. */
struct held {
	uint8_t file[8];
	struct time_open open;
	struct rec r; /* and its tail */
};

static void take_rec(void *arg, const struct rec *r)
{
	struct worker *w = arg;
	if (!(r->flags & REC_TIME_ORDER)) {
		keep_rec(w, r);
		return;
	}
	if ((!w->held && !(w->held = spool_new(HELD_MEMORY_BYTES))) || (!w->piece && !(w->piece = malloc(SPOOL_PIECE_BYTES_MAX)))) {
		w->memory_lost = true;
		return;
	}
	memset(w->piece, 0, sizeof *w->piece);
	spool_put(w->piece->file, w->file, 8);
	w->piece->open = *decoder_time_open(w->decoder);
	memcpy(&w->piece->r, r, sizeof *r + r->tail_bytes);
	spool_add(w->held, (struct str){ (const char *)w->piece, sizeof *w->piece + r->tail_bytes });
}

/* All files are read and all threads have decoded: what was held gets the order of its file. */
static void release_held(struct worker *w)
{
	struct engine *e = w->e;
	struct str s;
	while (w->held && spool_next(w->held, &s)) {
		memcpy(w->piece, s.p, s.n);
		const uint64_t file = spool_get((const char *)w->piece->file, 8);
		pthread_mutex_lock(&e->lock);
		enum time_order order = order_decide(e->file_order[file], &w->piece->open);
		e->report.files[file].notes[NOTE_TIME_ORDER] -= order != ORDER_OPEN;
		pthread_mutex_unlock(&e->lock);
		order_settle(&w->piece->r, &w->piece->open, order);
		w->newest_us = INT64_MIN;
		keep_rec(w, &w->piece->r);
	}
}

static void run_block(struct worker *w, struct block *b)
{
	struct decoder_counts counts = { 0 };
	struct engine *e = w->e;
	w->newest_us = INT64_MIN;
	w->file = b->file;
	decoder_run(w->decoder, b, &counts);
	pthread_mutex_lock(&e->lock);
	struct engine_file *f = &e->report.files[b->file];
	f->records += counts.records;
	for (int n = 0; n < NOTE_COUNT; n++)
		f->notes[n] += counts.notes[n];
	f->rows += counts.rows;
	for (int r = 0; r < REJECT_COUNT; r++)
		e->file_rejects[b->file][r] += counts.rejects[r];
	for (int c = 0; c < TIME_COLUMNS; c++)
		e->file_order[b->file][c] |= counts.order_seen[c];
	e->file_formats[b->file] |= counts.formats;
	stranger_set_join(&f->strangers, &counts.strangers);
	e->report.records_in += counts.records;
	pthread_mutex_unlock(&e->lock);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct engine *e = w->e;
	for (;;) {
		pthread_mutex_lock(&e->lock);
		while (e->queue_n == 0 && !e->no_more)
			pthread_cond_wait(&e->has_work, &e->lock);
		if (e->queue_n == 0) {
			e->decoding--;
			pthread_cond_broadcast(&e->has_work);
			while (e->decoding)
				pthread_cond_wait(&e->has_work, &e->lock);
			pthread_mutex_unlock(&e->lock);
			break;
		}
		unsigned at = e->queue[e->queue_head];
		e->queue_head = (e->queue_head + 1) % e->slot_count;
		e->queue_n--;
		pthread_mutex_unlock(&e->lock);

		run_block(w, &e->slots[at].b);

		pthread_mutex_lock(&e->lock);
		e->in_flight[e->slots[at].frame]--;
		e->idle[e->idle_n++] = at;
		pthread_cond_signal(&e->has_room);
		pthread_mutex_unlock(&e->lock);
	}
	release_held(w);
	sort_lane_done(w->lane);
	signins_lane_done(e->signins, w->number);
	return NULL;
}

/* -- reading -- */

static bool add_file(struct engine *e, const struct source_stream *s)
{
	bool good = true;
	pthread_mutex_lock(&e->lock);
	if (e->report.file_count == e->file_capacity) {
		size_t want = e->file_capacity ? e->file_capacity * 2 : 64;
		void *files = realloc(e->report.files, want * sizeof *e->report.files);
		if (files)
			e->report.files = files;
		void *rejects = realloc(e->file_rejects, want * sizeof *e->file_rejects);
		if (rejects)
			e->file_rejects = rejects;
		void *formats = realloc(e->file_formats, want * sizeof *e->file_formats);
		if (formats)
			e->file_formats = formats;
		void *order = realloc(e->file_order, want * sizeof *e->file_order);
		if (order)
			e->file_order = order;
		void *framing = realloc(e->file_framing, want);
		if (framing)
			e->file_framing = framing;
		void *total = realloc(e->file_total, want * sizeof *e->file_total);
		if (total)
			e->file_total = total;
		good = files && rejects && formats && framing && order && total;
		if (good)
			e->file_capacity = want;
	}
	if (good) {
		size_t i = e->report.file_count;
		memset(&e->report.files[i], 0, sizeof e->report.files[i]);
		memset(e->file_rejects[i], 0, sizeof e->file_rejects[i]);
		e->file_formats[i] = 0;
		memset(e->file_order[i], 0, sizeof e->file_order[i]);
		e->file_framing[i] = FRAME_UNKNOWN;
		e->file_total[i] = (struct claim_total){ 0 };
		e->report.files[i].format = "unknown";
		e->report.files[i].stranger = STRANGER_COUNT;
		e->report.files[i].input = (uint32_t)s->input;
		e->report.files[i].path = strdup(s->path);
		good = e->report.files[i].path != NULL;
		e->report.file_count += good;
	}
	pthread_mutex_unlock(&e->lock);
	return good;
}

/* A frame none of whose blocks is in flight, so that it can begin a new stream. */
static unsigned free_frame(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	for (;;) {
		for (unsigned i = 0; i < e->frame_count; i++) {
			if (e->in_flight[i] == 0) {
				pthread_mutex_unlock(&e->lock);
				return i;
			}
		}
		pthread_cond_wait(&e->has_room, &e->lock);
	}
}

static unsigned take_slot(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	while (e->idle_n == 0)
		pthread_cond_wait(&e->has_room, &e->lock);
	unsigned at = e->idle[--e->idle_n];
	pthread_mutex_unlock(&e->lock);
	return at;
}

static void put_slot(struct engine *e, unsigned at, unsigned frame, bool full)
{
	if (full && e->threads == 1) {
		run_block(&e->workers[0], &e->slots[at].b);
		full = false;
	}
	pthread_mutex_lock(&e->lock);
	if (full) {
		e->slots[at].frame = frame;
		e->in_flight[frame]++;
		e->queue[(e->queue_head + e->queue_n++) % e->slot_count] = at;
		pthread_cond_signal(&e->has_work);
	} else {
		e->idle[e->idle_n++] = at;
	}
	pthread_mutex_unlock(&e->lock);
}

static void drain(struct engine *e, unsigned frame, bool final)
{
	for (;;) {
		unsigned at = take_slot(e);
		bool taken = frame_take(e->frames[frame], final, &e->slots[at].b);
		put_slot(e, at, frame, taken);
		if (!taken)
			return;
	}
}

static void read_stream(struct engine *e, const struct source_stream *s)
{
	size_t file = e->report.file_count - 1;
	unsigned at = free_frame(e);
	struct frame *f = e->frames[at];
	bool broken = false;
	uint64_t reads = 0;
	frame_begin(f, file);
	for (;;) {
		size_t room, n = 0;
		char *p = frame_room(f, &room);
		if (!p)
			break;
		enum source_status status = source_read(e->source, p, room, &n);
		if (n) {
			if (!frame_sniffed(f) || frame_framing(f) == FRAME_VALUES)
				claims_stream(e->claims, p, n);
			frame_fill(f, n);
			e->report.bytes += n;
			drain(e, at, false);
			if (e->set.on_progress && reads++ % 16 == 0)
				e->set.on_progress(e->set.on_progress_arg, e->report.bytes_on_disk + s->bytes_in, source_total_bytes(e->source), e->report.records_in);
		}
		if (status == SOURCE_BROKEN) {
			broken = true;
			problem(e, source_error(e->source));
			break;
		}
		if (status == SOURCE_END)
			break;
		if (frame_sniffed(f) && frame_framing(f) == FRAME_UNKNOWN)
			break; /* nothing of ours: its end need not be read */
	}
	drain(e, at, true);
	e->file_total[file] = claims_stream_end(e->claims, frame_framing(f) == FRAME_VALUES);
	if (frame_failed(f))
		e->memory_lost = true;
	if (!broken && (frame_ends_open(f) || frame_too_deep(f))) {
		bool deep = frame_too_deep(f);
		char line[ARCHIVE_ENTRY_NAME_MAX + 200];
		snprintf(line, sizeof line, "%s: %s", s->path, deep ? "lists nested deeper than 64 levels: no export looks like that"
			: "ends inside a list that it opened: cut short? what came before was read");
		problem(e, line);
		pthread_mutex_lock(&e->lock);
		e->file_rejects[file][deep ? REJECT_TOO_DEEP : REJECT_TRUNCATED]++;
		pthread_mutex_unlock(&e->lock);
	}
	pthread_mutex_lock(&e->lock);
	struct engine_file *info = &e->report.files[file];
	info->bytes = s->bytes_out;
	info->broken = broken;
	e->file_framing[file] = (uint8_t)frame_framing(f);
	if (broken)
		e->report.incomplete = true;
	pthread_mutex_unlock(&e->lock);
	if (info->bytes == 0 && !broken)
		info->format = "empty";
	else
		info->stranger = frame_stranger(f);
	info->skipped = info->bytes && frame_framing(f) == FRAME_UNKNOWN;
}

static const char *keep_format_text(struct engine *e, const char *text)
{
	for (unsigned i = 0; i < e->format_text_count; i++)
		if (strcmp(e->format_texts[i], text) == 0)
			return e->format_texts[i];
	if (e->format_text_count == sizeof e->format_texts / sizeof e->format_texts[0])
		return "mixed";
	char *copy = strdup(text);
	if (!copy)
		return "mixed";
	e->format_texts[e->format_text_count++] = copy;
	return copy;
}

static bool any_is_lost(const struct stranger_set *s)
{
	for (unsigned k = 0; k < STRANGER_COUNT; k++)
		if (stranger_set_has(s, (enum stranger)k) && stranger_rows[k].lost)
			return true;
	return false;
}

/* A file without any record: what it is, and whether that is a loss.  In a folder a readme or a picture is a companion of
 * the exports; a file that may hold a log is a loss wherever it is. */
static void judge_stranger(struct engine *e, struct engine_file *f, bool named)
{
	static const struct stranger_set none;
	bool is_companion = f->stranger != STRANGER_COUNT && !stranger_rows[f->stranger].lost;
	if (f->skipped || is_companion || memcmp(&f->strangers, &none, sizeof none) == 0) {
		f->strangers = none;
		stranger_set_add(&f->strangers, f->stranger);
	}
	for (f->stranger = 0; !stranger_set_has(&f->strangers, f->stranger); f->stranger++)
		;
	f->skipped |= !named;
	if (f->skipped)
		f->format = stranger_rows[f->stranger].name;
	if (!any_is_lost(&f->strangers))
		return;
	for (unsigned k = 0; k < STRANGER_COUNT; k++)
		if (stranger_set_has(&f->strangers, (enum stranger)k) && stranger_rows[k].lost)
			stranger_set_add(&e->report.strangers, (enum stranger)k);
	e->report.incomplete = true;
}

/* classifies a file: are its rejects losses, or data that is not ours? */
static void judge_file(struct engine *e, size_t i, bool named)
{
	struct engine_file *f = &e->report.files[i];
	uint64_t foreign = e->file_rejects[i][REJECT_NOT_AUDIT] + e->file_rejects[i][REJECT_UNSUPPORTED], all = 0;
	for (int r = 0; r < REJECT_COUNT; r++)
		all += e->file_rejects[i][r];
	if (f->stranger != STRANGER_COUNT && f->records == 0 && (f->skipped ? !f->broken : all && all == foreign)) {
		judge_stranger(e, f, named);
		if (f->skipped)
			return;
	} else {
		f->stranger = STRANGER_COUNT;
	}
	f->rejects = all;
	for (int r = 0; r < REJECT_COUNT; r++)
		e->report.rejects[r] += e->file_rejects[i][r];
	if (all)
		e->report.incomplete = true;
	f->notes[NOTE_TIME_SWAPPED] = order_swapped(e->file_order[i]);
	for (int n = 0; n < NOTE_COUNT; n++) {
		e->report.notes[n] += f->notes[n];
		e->report.incomplete |= f->notes[n] && note_rows[n].incomplete;
	}
	if (f->records == 0 && e->file_formats[i] == 0)
		return;
	char text[160];
	size_t n = 0;
	for (unsigned k = 0; format_names[k]; k++)
		if (e->file_formats[i] >> k & 1)
			n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? "+" : "", format_names[k]);
	if (n < sizeof text)
		snprintf(text + n, sizeof text - n, " (%s)", framing_name(e->file_framing[i]));
	f->format = keep_format_text(e, text);
}

static void collect_samples(struct engine *e)
{
	for (int r = 0; r < REJECT_COUNT; r++) {
		size_t at[256] = { 0 };
		for (int i = 0; i < REJECT_SAMPLES_MAX && e->report.rejects[r]; i++) {
			const struct reject_note *best = NULL;
			unsigned from = 0;
			for (unsigned w = 0; w < e->threads; w++) {
				size_t n;
				const struct reject_note *s = decoder_samples(e->workers[w].decoder, (enum reject)r, &n);
				while (at[w] < n && e->report.files[s[at[w]].file].skipped)
					at[w]++;
				if (at[w] < n && (!best || s[at[w]].file < best->file || (s[at[w]].file == best->file && s[at[w]].offset < best->offset))) {
					best = &s[at[w]];
					from = w;
				}
			}
			if (!best)
				break;
			at[from]++;
			e->report.samples[r][i].file = best->file;
			e->report.samples[r][i].offset = best->offset;
			e->report.samples[r][i].text = strndup(best->text, best->n);
		}
	}
}

static bool begin_reading(struct engine *e)
{
	e->sorter = sorter_new(e->threads, SORT_MEMORY_BYTES);
	e->signins = signins_new(e->threads);
	e->whose = tenants_new(e->threads);
	e->workers = calloc(e->threads, sizeof *e->workers);
	e->slot_count = e->threads == 1 ? 1 : e->threads + BLOCKS_AHEAD;
	e->slots = calloc(e->slot_count, sizeof *e->slots);
	e->queue = calloc(e->slot_count, sizeof *e->queue);
	e->idle = calloc(e->slot_count, sizeof *e->idle);
	e->source = source_new(e->set.paths, e->set.path_count);
	e->claims = claims_new();
	if (!e->claims || !e->sorter || !e->signins || !e->whose || !e->workers || !e->slots || !e->queue || !e->idle || !e->source)
		return false;
	sorter_tenants(e->sorter, e->whose);
	for (unsigned i = 0; i < e->slot_count; i++)
		e->idle[e->idle_n++] = i;
	unsigned frames = e->threads == 1 ? 1 : e->threads + 1 < FRAMES_MAX ? e->threads + 1 : FRAMES_MAX;
	for (; e->frame_count < frames; e->frame_count++)
		if (!(e->frames[e->frame_count] = frame_new()))
			return false;
	for (unsigned i = 0; i < e->threads; i++) {
		struct worker *w = &e->workers[i];
		w->e = e;
		w->number = i;
		w->lane = sorter_lane(e->sorter, i);
		w->decoder = decoder_new(take_rec, w);
		if (!w->decoder)
			return false;
		decoder_timezone(w->decoder, e->set.timezone);
		if (e->set.keep_items)
			decoder_keep_items(w->decoder, e->set.keep_items, e->set.keep_items_arg);
	}
	return true;
}

static bool *read_all(struct engine *e)
{
	bool *named = NULL;
	size_t named_capacity = 0;
	e->decoding = e->threads;
	for (unsigned i = 0; e->threads > 1 && i < e->threads; i++) {
		e->workers[i].started = pthread_create(&e->workers[i].thread, NULL, work, &e->workers[i]) == 0;
		if (!e->workers[i].started) {
			pthread_mutex_lock(&e->lock);
			e->decoding--;
			pthread_mutex_unlock(&e->lock);
		}
	}
	if (e->threads > 1 && !e->workers[0].started) {
		fail(e, "cannot start a thread");
		goto done;
	}
	for (;;) {
		const struct source_stream *s = NULL;
		enum source_status status = source_next(e->source, &s);
		for (const char *line; (line = source_problem(e->source)); )
			problem(e, line);
		if (status == SOURCE_END)
			break;
		if (status == SOURCE_BROKEN) {
			problem(e, source_error(e->source));
			e->report.incomplete = true;
			continue;
		}
		if (!add_file(e, s))
			goto memory;
		if (e->report.file_count > named_capacity) {
			size_t want = named_capacity ? named_capacity * 2 : 64;
			bool *p = realloc(named, want);
			if (!p)
				goto memory;
			named = p;
			named_capacity = want;
		}
		named[e->report.file_count - 1] = s->named;
		read_stream(e, s);
		e->report.bytes_on_disk += s->bytes_in;
	}
	if (source_losses(e->source))
		e->report.incomplete = true;
	goto done;
memory:
	fail(e, "out of memory");
done:
	if (e->threads == 1) {
		release_held(&e->workers[0]);
		sort_lane_done(e->workers[0].lane);
		signins_lane_done(e->signins, 0);
		return named;
	}
	pthread_mutex_lock(&e->lock);
	e->no_more = true;
	pthread_cond_broadcast(&e->has_work);
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->threads; i++)
		if (e->workers[i].started)
			pthread_join(e->workers[i].thread, NULL);
	return named;
}

/* What the exports claim about themselves is reported once, when all of them are read. */
static void gather_claims(struct engine *e)
{
	struct buf line;
	for (unsigned i = 0; i < e->threads; i++)
		claims_take(e->claims, decoder_claims(e->workers[i].decoder));
	for (size_t i = 0; i < e->report.file_count; i++)
		if (e->report.files[i].records)
			e->file_total[i].holds = e->report.files[i].records + e->report.files[i].rejects;
		else
			e->file_total[i].total = 0; /* pages of something else */
	claims_totals(e->claims, e->file_total, e->report.file_count);
	for (size_t i = 0; i < e->report.file_count; i++)
		if (e->report.files[i].rows == e->report.files[i].records + e->report.files[i].rejects)
			claims_rows(e->claims, e->report.files[i].rows, false);
		else if (!e->report.files[i].rows && e->file_framing[i] == FRAME_ROWS)
			claims_rows(e->claims, e->report.files[i].records + e->report.files[i].rejects, true);
	buf_init(&line, 4 * KIB);
	for (unsigned i = 0; i < CLAIM_SENTENCES_MAX && claims_sentence(e->claims, i, &line); i++) {
		char *copy = strndup(line.p, line.n);
		if (copy)
			e->report.partial[e->report.partial_count++] = copy;
		buf_clear(&line);
	}
	buf_release(&line);
	e->report.notes[NOTE_PARTIAL] += e->report.partial_count;
	e->report.incomplete |= e->report.partial_count > 0;
}

/* Success is never the absence of input: a path out of which nothing came is a loss. */
static void judge_inputs(struct engine *e)
{
	bool *gave = calloc(e->set.path_count + 1, sizeof *gave);
	if (!gave) {
		e->memory_lost = true;
		return;
	}
	for (size_t i = 0; i < e->report.file_count; i++)
		gave[e->report.files[i].input] |= e->report.files[i].records > 0;
	for (size_t i = 0; i < e->set.path_count; i++)
		e->report.empty_input |= !gave[i];
	free(gave);
	e->report.incomplete |= e->report.empty_input;
}

static void end_reading(struct engine *e, const bool *named)
{
	for (size_t i = 0; i < e->report.file_count; i++)
		judge_file(e, i, named && named[i]);
	gather_claims(e);
	judge_inputs(e);
	collect_samples(e);
	for (unsigned i = 0; i < e->threads; i++) {
		struct worker *w = &e->workers[i];
		e->report.out_of_order += w->out_of_order;
		e->report.outside_window += w->outside_window;
		e->report.state_late += w->late;
		e->report.state_known += w->known;
		names_take(&e->names, decoder_names(w->decoder));
		if (decoder_failed(w->decoder) || w->memory_lost)
			e->memory_lost = true;
		if (w->held && spool_error(w->held)[0])
			fail(e, spool_error(w->held));
		if (w->held)
			e->report.spilled_bytes += spool_spilled(w->held);
		decoder_free(w->decoder);
		w->decoder = NULL;
	}
	if (e->report.state_late > e->report.records_in / STATE_LATE_SHARE)
		e->report.incomplete = true;
	for (unsigned i = 0; i < e->slot_count; i++)
		block_release(&e->slots[i].b);
	for (unsigned i = 0; i < e->frame_count; i++)
		frame_free(e->frames[i]);
	e->frame_count = 0;
	if (e->memory_lost)
		fail(e, "out of memory while reading: some records were lost");
}

/* -- detecting -- */

/* ids of tenants as findings show them; the unknown one has a word for it */
static struct str tenant_name(const struct engine *e, uint64_t ref)
{
	struct str name = name_part(names_get(&e->names, ref), 0);
	return name.n ? name : STR("unknown");
}

static bool is_asked(struct engine *e, uint64_t ref)
{
	bool asked = e->set.tenant_count == 0;
	for (size_t i = 0; i < e->set.tenant_count; i++)
		asked |= str_eq_nocase(tenant_name(e, ref), str_trim(str_of(e->set.tenants[i])));
	return asked;
}

static bool has_tenant(const struct engine *e, struct str id)
{
	for (size_t i = 0; i < e->tenant_count; i++)
		if (str_eq_nocase(tenant_name(e, e->tenants[i]->ref), str_trim(id)))
			return true;
	return false;
}

void engine_add_tenants(const struct engine *e, struct buf *b)
{
	enum { SHOWN = 5 };
	for (size_t i = 0; i < e->tenant_count && i < SHOWN; i++) {
		buf_add_cstr(b, i ? ", " : "");
		buf_add_terminal(b, tenant_name(e, e->tenants[i]->ref), 0);
	}
	if (e->tenant_count > SHOWN)
		buf_printf(b, " and %zu more", e->tenant_count - SHOWN);
}

bool engine_missing_tenant(const struct engine *e, size_t i, struct buf *ret)
{
	for (size_t k = 0; k < e->set.tenant_count; k++) {
		if (has_tenant(e, str_of(e->set.tenants[k])) || i-- > 0)
			continue;
		buf_printf(ret, "no record belongs to tenant %s; the data are %s", e->set.tenants[k], e->tenant_count ? "of " : "empty");
		engine_add_tenants(e, ret);
		return true;
	}
	return false;
}

/* That of a tenant, made if it is new.  NULL: out of memory. */
static struct tenant *make_tenant(void *arg, uint64_t ref)
{
	struct engine *e = arg;
	struct detect_ctx base = e->base;
	bool is_new;
	uint32_t *at = table_put(&e->tenant_by_ref, ref, &is_new);
	if (at && !is_new)
		return e->tenants[*at];
	struct tenant **p = realloc(e->tenants, (e->tenant_count + 1) * sizeof *p);
	if (p)
		e->tenants = p;
	for (size_t i = 0; e->set.recall && i < e->set.recall->tenant_count; i++)
		if (e->set.recall->tenants[i]->ref == ref && lessons_are_worth(&e->set.recall->tenants[i]->lessons))
			base.recall = &e->set.recall->tenants[i]->lessons;
	struct tenant *t = at && p ? tenant_new(ref, &base, &e->names, e->asn, e->set.joint ? &e->all : NULL, e->set.detect) : NULL;
	if (!t) {
		e->memory_lost = true;
		return NULL;
	}
	orphans_init(&t->orphans, e->set.report);
	*at = (uint32_t)e->tenant_count;
	e->tenants[e->tenant_count++] = t;
	if (e->set.teaches)
		t->ctx.lessons = &t->lessons;
	return t;
}

/* the tenant of a record; NULL: not judged */
static struct tenant *tenant_of(struct engine *e, const struct rec *r)
{
	uint64_t ref = tenants_of(e->whose, &e->whose_cache, r);
	if (e->last && e->last->ref == ref)
		return e->last;
	if (ref == TENANT_REFUSED) {
		e->report.tenants_refused++;
		return NULL;
	}
	struct tenant *t = make_tenant(e, ref);
	if (t && !t->identity) { /* the first record of this run */
		t->asked = is_asked(e, ref);
		t->ctx.identity = t->identity = signins_of(e->signins, ref);
		if (!t->identity)
			e->memory_lost = true;
	}
	return t && t->identity ? (e->last = t) : NULL;
}

static bool meet(struct engine *e, const struct rec *const *rec, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct tenant *t = tenant_of(e, rec[i]);
		struct event ev;
		if (!t || (!t->asked && !e->keeps))
			continue;
		world_meet_of(t->world, rec[i], t->ref, &ev);
		ev.token = identity_judge(t->identity, t->world, &ev);
		if (e->keeps)
			keep_pending(&e->keep, rec[i]);
		if (t->asked && e->set.on_event && !e->set.on_event(e->set.on_event_arg, t->world, &ev))
			return false;
		if (t->states && !(rec[i]->flags & REC_NO_TIME))
			tenant_detect(t, &ev);
	}
	return true;
}

/* After the last event: those asked for come first, in the order of output. */
static void end_tenants(struct engine *e)
{
	for (size_t i = 0; i < e->tenant_count; i++) {
		struct tenant *t = e->tenants[i];
		if (!t->identity) { /* of an earlier run, and without a record in this one */
			t->asked = is_asked(e, t->ref);
			t->ctx.identity = t->identity = signins_of(e->signins, t->ref);
		}
		e->report.detect_refused += tenant_end(t);
		if (t->alerts.failed)
			e->memory_lost = true;
	}
	if (e->tenant_count)
		qsort(e->tenants, e->tenant_count, sizeof(struct tenant *), tenant_compare);
	for (size_t i = 0; i < e->tenant_count; i++) {
		struct tenant *t = e->tenants[i];
		if (!t->asked && e->keeps)
			keep_carry(&e->keep, t->ref);
		if (!t->asked)
			continue;
		memmove(e->tenants + e->asked_count + 1, e->tenants + e->asked_count, (i - e->asked_count) * sizeof(struct tenant *));
		e->tenants[e->asked_count++] = t;
		if (!e->set.joint)
			world_add(&e->all, t->world);
	}
}

struct merger { /* the thread that merges ahead */
	struct engine *e;
	struct batch batches[BATCHES];
	unsigned head, n;
	bool end, stop;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

static bool batch_copy(struct batch *b, const struct rec *const *rec, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += sizeof(struct rec) + rec[i]->tail_bytes;
	if (bytes > b->capacity) {
		uint8_t *p = realloc(b->bytes, bytes * 2);
		if (!p)
			return false;
		b->bytes = p;
		b->capacity = bytes * 2;
	}
	bytes = 0;
	for (size_t i = 0; i < n; i++) {
		size_t size = sizeof(struct rec) + rec[i]->tail_bytes;
		b->rec[i] = memcpy(b->bytes + bytes, rec[i], size);
		bytes += size;
	}
	b->count = n;
	return true;
}

static void *merge(void *arg)
{
	struct merger *m = arg;
	for (;;) {
		const struct rec *rec[BATCH];
		size_t n = sorter_next(m->e->sorter, rec, BATCH);
		pthread_mutex_lock(&m->lock);
		while (m->n == BATCHES && !m->stop)
			pthread_cond_wait(&m->changed, &m->lock);
		bool stop = m->stop;
		struct batch *b = &m->batches[(m->head + m->n) % BATCHES];
		pthread_mutex_unlock(&m->lock);
		bool copied = !stop && n && batch_copy(b, rec, n);
		pthread_mutex_lock(&m->lock);
		if (copied)
			m->n++;
		else
			m->end = true;
		pthread_cond_signal(&m->changed);
		pthread_mutex_unlock(&m->lock);
		if (!copied) {
			if (n && !stop)
				m->e->memory_lost = true;
			return NULL;
		}
	}
}

static void detect_all(struct engine *e)
{
	struct merger m = { .e = e };
	pthread_t thread;
	pthread_mutex_init(&m.lock, NULL);
	pthread_cond_init(&m.changed, NULL);
	if (e->threads == 1 || pthread_create(&thread, NULL, merge, &m) != 0) {
		const struct rec *rec[BATCH];
		for (size_t n; (n = sorter_next(e->sorter, rec, BATCH)) && meet(e, rec, n); )
			;
	} else {
		for (;;) {
			pthread_mutex_lock(&m.lock);
			while (m.n == 0 && !m.end)
				pthread_cond_wait(&m.changed, &m.lock);
			unsigned n = m.n;
			pthread_mutex_unlock(&m.lock);
			if (n == 0)
				break;
			bool go_on = meet(e, m.batches[m.head].rec, m.batches[m.head].count);
			pthread_mutex_lock(&m.lock);
			m.head = (m.head + 1) % BATCHES;
			m.n--;
			m.stop = !go_on;
			pthread_cond_signal(&m.changed);
			pthread_mutex_unlock(&m.lock);
			if (!go_on)
				break;
		}
		pthread_join(thread, NULL);
		for (int i = 0; i < BATCHES; i++)
			free(m.batches[i].bytes);
	}
	pthread_mutex_destroy(&m.lock);
	pthread_cond_destroy(&m.changed);
}

/* -- what was learnt before, and what is now -- */

static struct keep_parts parts_of(struct engine *e)
{
	return (struct keep_parts){ .names = &e->names, .sorter = e->sorter, .whose = e->whose, .tenants = &e->tenants,
				    .tenant_count = &e->tenant_count, .make = make_tenant, .make_arg = e };
}

/* a record that an earlier run left to this one */
static void take_pending(void *arg, const struct rec *r)
{
	struct engine *e = arg;
	if (!(r->flags & REC_NO_TIME))
		add_day(&e->workers[0], r);
	sort_add(e->workers[0].lane, r);
	e->report.state_pending++;
}

/* False: the state is not one that this run can go on with; nothing is read then. */
static bool open_state(struct engine *e)
{
	char line[STORE_ERROR_SIZE];
	e->keeps = keep_open(&e->keep, e->set.state_path, e->set.asn_path ? "system" : "prefix", e->set.budget > 0 ? e->set.budget : 1);
	if (!e->keeps) {
		fail(e, e->keep.error);
		e->report.state_refused = true;
		keep_close(&e->keep);
		return false;
	}
	double now = e->set.budget > 0 ? e->set.budget : 1;
	if (e->keep.budget > 0 && e->keep.budget != now) {
		snprintf(line, sizeof line, "%s: was learnt with --budget %g; from now on it is %g", e->set.state_path, e->keep.budget, now);
		problem(e, line);
	}
	return true;
}

/* An earlier run saw records without a tenant; now that the data name exactly one, they belong to it. */
static void name_unknown(struct engine *e)
{
	uint64_t only = tenants_only(e->whose);
	if (e->tenant_count != 1 || e->tenants[0]->ref != TENANT_UNKNOWN || only == TENANT_UNKNOWN)
		return;
	uint32_t *at = table_put(&e->tenant_by_ref, only, NULL);
	if (!at)
		return;
	*at = 0;
	table_remove(&e->tenant_by_ref, TENANT_UNKNOWN);
	e->tenants[0]->ref = e->tenants[0]->own.tenant = only;
	keep_rename(&e->keep, TENANT_UNKNOWN, only);
}

static bool load_state(struct engine *e)
{
	struct keep_parts parts = parts_of(e);
	if (keep_load(&e->keep, &parts, take_pending, e))
		return true;
	fail(e, e->keep.error);
	e->report.state_refused = true;
	return false;
}

/* Everything before the bound is learnt and saved; records after it are judged and forgotten. */
static void learn_and_save(struct engine *e)
{
	struct keep_parts parts = parts_of(e);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	for (int k = 0; k < KEEP_LOGS; k++) {
		struct keep_days *all = NULL;
		for (unsigned i = 0; i < e->threads; i++) {
			if (all && e->workers[i].days[k])
				keep_days_take(all, e->workers[i].days[k]);
			else if (e->workers[i].days[k])
				all = e->workers[i].days[k];
		}
		int64_t newest = all ? keep_days_bound(all, (int64_t)now.tv_sec * US_PER_SECOND) : INT64_MIN;
		if (newest > e->keep.log_bound[k])
			e->keep.log_bound[k] = newest;
	}
	int64_t bound = keep_logs_bound(e->keep.log_bound);
	if (bound < e->keep.bound)
		bound = e->keep.bound;
	sorter_bound(e->sorter, bound);
	detect_all(e);
	keep_save(&e->keep, &parts, bound);
	for (size_t i = 0; i < e->tenant_count; i++) {
		const struct world *w = e->tenants[i]->world;
		uint64_t days = w->count.records && bound > w->first_us / US_PER_SECOND
			? (uint64_t)(bound * US_PER_SECOND - w->first_us + US_PER_DAY / 2) / (uint64_t)US_PER_DAY : 0;
		e->report.state_days = days > e->report.state_days ? days : e->report.state_days;
	}
	sorter_bound(e->sorter, INT64_MAX);
}

enum news engine_is_news(struct engine *e, const struct tenant *t, const struct alert *al, struct str line)
{
	return !e->keeps ? NEWS : keep_is_news(&e->keep, t->ref, al, line);
}

struct told *engine_withdrawn(const struct engine *e, size_t *ret_n)
{
	*ret_n = 0;
	return e->keeps ? keep_withdrawn(&e->keep, ret_n) : NULL;
}

bool engine_is_worth_again(const struct engine *e)
{
	for (size_t i = 0; i < e->asked_count; i++)
		if (lessons_are_worth(&e->tenants[i]->lessons))
			return true;
	return false;
}

int engine_keep(struct engine *e)
{
	if (!e->keeps)
		return 0;
	if (!e->report.error[0] && keep_commit(&e->keep))
		return 0;
	if (!e->report.error[0])
		fail(e, e->keep.error);
	return -1;
}

static double seconds(const struct timespec *t)
{
	return (double)t->tv_sec + (double)t->tv_nsec * 1e-9;
}

int engine_run(struct engine *e)
{
	struct timespec begin, end;
	bool *named = NULL;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	e->base = (struct detect_ctx){ .indicators = e->set.indicators, .budget = e->set.budget > 0 ? e->set.budget : 1 };
	if (e->set.asn_path) {
		char error[ASN_ERROR_SIZE];
		e->asn = asn_open(e->set.asn_path, error);
		if (!e->asn) {
			fail(e, error);
			return -1;
		}
	}
	if (e->set.state_path && !open_state(e))
		goto out;
	if (!begin_reading(e) || world_init(&e->all, &e->names, e->asn) != 0) {
		fail(e, "out of memory");
		goto out;
	}
	e->all.joint = e->set.joint;
	if (e->keeps && !load_state(e))
		goto out;
	named = read_all(e);
	end_reading(e, named);
	tenants_ready(e->whose, &e->names);
	if (signins_ready(e->signins, e->whose) != 0) { /* now that all sign-ins are in */
		fail(e, "out of memory");
		goto out;
	}
	name_unknown(e);
	if (e->keeps)
		learn_and_save(e);
	detect_all(e);
	signins_end(e->signins);
	if (sorter_error(e->sorter)[0])
		fail(e, sorter_error(e->sorter));
	if (signins_error(e->signins)[0])
		fail(e, signins_error(e->signins));
	end_tenants(e);
	if (e->report.tenants_refused)
		e->report.incomplete = true;
	if (e->memory_lost)
		fail(e, "out of memory: some findings were lost");
	e->report.incomplete |= engine_world(e)->count.records == 0; /* nothing was judged */
out:
	free(named);
	if (e->sorter) {
		struct sort_counts n = sorter_counts(e->sorter);
		e->report.duplicates = n.duplicates;
		e->report.conflicts = n.conflicts;
		e->report.spilled_bytes += n.spilled_bytes;
	}
	e->report.names_refused = e->names.refused;
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) == 0) {
		e->report.cpu_s = (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec
			+ (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
		e->report.max_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	e->report.wall_s = seconds(&end) - seconds(&begin);
	return e->report.error[0] ? -1 : 0;
}
