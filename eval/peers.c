/* SPDX-License-Identifier: Apache-2.0 */
/* peers: `taximeter events -f csv EXPORT | peers [--since T] > peers.ndjson`.  Reads the normalised events in order of
 * time, hands the MailItemsAccessed records to every rule, and writes what they raised as alert lines in the shape of
 * `taximeter scan -f ndjson`, each with a "score".  --since: nothing raised before T is written (the rules learn all the
 * same). */
#include "peers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"

#define COLUMNS_MAX 64
#define ROW_BYTES_MAX RECORD_BYTES_MAX
#define RULES_MAX 16 /* variants counted */

#define PEER(name) extern const struct peer peer_##name;
#include "list.h"
#undef PEER

static const struct peer *const all[] = {
#define PEER(name) &peer_##name,
#include "list.h"
#undef PEER
};
#define PEER_COUNT (sizeof(all) / sizeof(all[0]))

struct kept {
	struct peer_alert a;
	uint32_t *mailboxes;
};

struct rule {
	const char *name;
	struct kept *heap; /* the lowest score on top, so that it can be thrown out */
	size_t n, capacity;
	bool has_no_threshold;
	uint64_t lost; /* alerts that fire as shipped and found no room */
};

struct peers {
	struct table by_text; /* hash -> number */
	struct str *texts;
	size_t text_count, text_capacity;
	struct rule rules[RULES_MAX];
	size_t rule_count;
	int64_t since_us;
	void *states[PEER_COUNT];
	int64_t day;
	bool started;
};

static void __attribute__((noreturn)) die(const char *why)
{
	fprintf(stderr, "peers: %s\n", why);
	exit(3);
}

void *peer_grow(void *p, size_t *capacity, size_t wanted, size_t size)
{
	if (wanted <= *capacity)
		return p;
	*capacity = wanted < 16 ? 16 : wanted + wanted / 2;
	p = reallocarray(p, *capacity, size);
	if (!p)
		die("out of memory");
	return p;
}

/* -- texts -- */

static uint32_t number_of(struct peers *p, struct str s)
{
	bool is_new;
	uint32_t *n;
	char *copy;

	if (!s.n)
		return PEER_NONE;
	n = table_put(&p->by_text, hash_str(s, 0), &is_new);
	if (!n)
		die("too many different texts");
	if (!is_new)
		return *n;
	p->texts = peer_grow(p->texts, &p->text_capacity, p->text_count + 1, sizeof(*p->texts));
	copy = malloc(s.n);
	if (!copy)
		die("out of memory");
	memcpy(copy, s.p, s.n);
	p->texts[p->text_count] = (struct str){ copy, s.n };
	*n = (uint32_t)p->text_count++;
	return *n;
}

static struct str text_of(const struct peers *p, uint32_t n)
{
	return n == PEER_NONE || n >= p->text_count ? STR_NONE : p->texts[n];
}

bool peers_starts_with(const struct peers *p, uint32_t text, struct str prefix)
{
	return str_starts_nocase(text_of(p, text), prefix);
}

bool peers_is(const struct peers *p, uint32_t text, struct str what)
{
	return str_eq_nocase(text_of(p, text), what);
}

/* -- alerts -- */

static void sift_down(struct kept *heap, size_t n, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;
		struct kept swap;
		if (child >= n)
			return;
		if (child + 1 < n && heap[child + 1].a.score < heap[child].a.score)
			child++;
		if (heap[i].a.score <= heap[child].a.score)
			return;
		swap = heap[i], heap[i] = heap[child], heap[child] = swap;
		i = child;
	}
}

static void sift_up(struct kept *heap, size_t i)
{
	while (i && heap[(i - 1) / 2].a.score > heap[i].a.score) {
		struct kept swap = heap[i];
		heap[i] = heap[(i - 1) / 2], heap[(i - 1) / 2] = swap;
		i = (i - 1) / 2;
	}
}

static struct rule *rule_of(struct peers *p, const char *name)
{
	for (size_t i = 0; i < p->rule_count; i++)
		if (strcmp(p->rules[i].name, name) == 0)
			return &p->rules[i];
	if (p->rule_count == RULES_MAX)
		die("too many rules");
	p->rules[p->rule_count].name = name;
	for (size_t i = 0; i < PEER_COUNT; i++)
		if (strcmp(all[i]->rule, name) == 0)
			p->rules[p->rule_count].has_no_threshold = all[i]->has_no_threshold;
	return &p->rules[p->rule_count++];
}

void peers_raise(struct peers *p, const char *name, const struct peer_alert *a)
{
	struct rule *r = rule_of(p, name);
	struct kept k = { .a = *a };

	if (a->time_us < p->since_us || !(a->score > 0) || !a->mailbox_count)
		return;
	if (r->n == PEER_ALERTS_MAX) /* one has to go, this one or the lowest */
		r->lost += a->score >= 1 && r->heap[0].a.score >= 1;
	if (r->n == PEER_ALERTS_MAX && a->score <= r->heap[0].a.score)
		return;
	k.mailboxes = malloc(a->mailbox_count * sizeof(*k.mailboxes));
	if (!k.mailboxes)
		die("out of memory");
	memcpy(k.mailboxes, a->mailboxes, a->mailbox_count * sizeof(*k.mailboxes));
	k.a.mailboxes = k.mailboxes;
	if (r->n == PEER_ALERTS_MAX) {
		free(r->heap[0].mailboxes);
		r->heap[0] = k;
		sift_down(r->heap, r->n, 0);
		return;
	}
	r->heap = peer_grow(r->heap, &r->capacity, r->n + 1, sizeof(*r->heap));
	r->heap[r->n] = k;
	sift_up(r->heap, r->n++);
}

static void put_member(struct buf *b, const char *key, struct str s)
{
	buf_add_cstr(b, key);
	if (s.n)
		buf_add_json(b, s);
	else
		buf_add_cstr(b, "null");
}

static void put_time(struct buf *b, const char *key, int64_t us)
{
	char text[TIME_TEXT_SIZE];

	put_member(b, key, str_of(time_format(us, text)));
}

static void put_alert(struct buf *b, const struct peers *p, const struct rule *r, const struct kept *k, size_t number)
{
	buf_printf(b, "{\"type\":\"alert\",\"id\":\"%s-%zu\"", r->name, number);
	put_time(b, ",\"time\":", k->a.time_us);
	buf_printf(b, ",\"rule\":\"%s\",\"severity\":\"medium\",\"score\":%.9g,\"mailboxes\":[", r->name, k->a.score);
	for (uint32_t i = 0; i < k->a.mailbox_count; i++) {
		put_member(b, i ? ",{\"guid\":" : "{\"guid\":", text_of(p, k->mailboxes[i]));
		buf_add_cstr(b, ",\"upn\":null}");
	}
	buf_add_cstr(b, "],\"apps\":[");
	if (k->a.app_id || k->a.client_app_id || k->a.family) {
		put_member(b, "{\"app_id\":", text_of(p, k->a.app_id));
		put_member(b, ",\"client_app_id\":", text_of(p, k->a.client_app_id));
		put_member(b, ",\"name\":null,\"client\":", text_of(p, k->a.family));
		buf_add_char(b, '}');
	}
	buf_add_cstr(b, "],\"networks\":[");
	if (k->a.net)
		put_member(b, "", text_of(p, k->a.net));
	put_time(b, "],\"first_seen\":", k->a.first_us);
	put_time(b, ",\"last_seen\":", k->a.last_us);
	buf_printf(b, ",\"items\":%" PRIu64 "}\n", k->a.items);
}

static int by_time(const void *x, const void *y)
{
	const struct peer_alert *a = &((const struct kept *)x)->a, *b = &((const struct kept *)y)->a;

	if (a->time_us != b->time_us)
		return a->time_us < b->time_us ? -1 : 1;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->mailboxes[0] < b->mailboxes[0] ? -1 : a->mailboxes[0] > b->mailboxes[0];
}

static void write_alerts(struct peers *p)
{
	struct buf b;

	buf_init(&b, 64 * MIB);
	for (size_t i = 0; i < p->rule_count; i++) {
		struct rule *r = &p->rules[i];
		if (r->lost && !r->has_no_threshold)
			fprintf(stderr, "peers: %s: %" PRIu64 " alerts that fire as shipped found no room\n", r->name, r->lost);
		if (r->n)
			qsort(r->heap, r->n, sizeof(*r->heap), by_time);
		for (size_t k = 0; k < r->n; k++) {
			buf_clear(&b);
			put_alert(&b, p, r, &r->heap[k], k);
			if (buf_failed(&b) || fwrite(b.p, 1, b.n, stdout) != b.n)
				die("cannot write the alerts");
		}
	}
	/* as scan does: a summary line shows that nothing is missing */
	if (fputs("{\"type\":\"summary\"}\n", stdout) == EOF || fflush(stdout) != 0)
		die("cannot write the alerts");
	buf_release(&b);
}

/* -- events -- */

enum column { TIME, OPERATION, GUID, UPN, APP_ID, CLIENT_APP_ID, APP, CLIENT, IP, NETWORK, ACCESS, ITEMS, THROTTLED, LOGON,
	      USER_TYPE, COLUMN_COUNT };
static const char *const column_names[COLUMN_COUNT] = {
	"time", "operation", "mailbox_guid", "mailbox_upn", "app_id", "client_app_id", "app", "client", "ip", "network",
	"access", "items", "throttled", "logon_type", "user_type",
};

/* Cuts a row into cells, in place: a quoted cell loses its quotes. */
static size_t cut_row(char *row, size_t n, struct str cells[COLUMNS_MAX])
{
	size_t count = 0, i = 0;

	while (count < COLUMNS_MAX) {
		char *out = row + i, *start = out;
		if (i < n && row[i] == '"') {
			for (i++; i < n && (row[i] != '"' || (i + 1 < n && row[i + 1] == '"')); i++) {
				i += row[i] == '"';
				*out++ = row[i];
			}
			i++;
		} else {
			for (; i < n && row[i] != ','; i++)
				*out++ = row[i];
		}
		cells[count++] = (struct str){ start, (size_t)(out - start) };
		if (i >= n || row[i] != ',')
			break;
		i++;
	}
	return count;
}

/* the next row with its line ends inside of quotes; 0 = the end */
static size_t next_row(char **row, size_t *capacity)
{
	static char *line;
	static size_t line_capacity;
	size_t n = 0;
	bool open = false;

	do {
		const ssize_t got = getline(&line, &line_capacity, stdin);
		if (got <= 0)
			break;
		if (n + (size_t)got > ROW_BYTES_MAX)
			die("a row is too long: are these events?");
		*row = peer_grow(*row, capacity, n + (size_t)got + 1, 1);
		memcpy(*row + n, line, (size_t)got);
		for (ssize_t i = 0; i < got; i++)
			open ^= line[i] == '"';
		n += (size_t)got;
	} while (open);
	while (n && ((*row)[n - 1] == '\n' || (*row)[n - 1] == '\r'))
		n--;
	return n;
}

static uint64_t count_of(struct str s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n && i < 15 && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		n = 10 * n + (uint64_t)(s.p[i] - '0');
	return n;
}

static int logon_of(struct str s)
{
	static const char *const names[] = { "owner", "admin", "delegate", "transport", "system", "best_access",
					     "delegated_admin" };

	for (int i = 0; i < 7; i++)
		if (str_eq(s, str_of(names[i])))
			return i;
	return -1;
}

static void end_days(struct peers *p, int64_t until)
{
	for (; p->started && p->day < until; p->day++)
		for (size_t i = 0; i < PEER_COUNT; i++)
			if (all[i]->day_end)
				all[i]->day_end(p, p->states[i], p->day);
}

static void take_row(struct peers *p, const struct str *c)
{
	struct peer_event e = { 0 };

	if (!str_eq(c[OPERATION], STR("MailItemsAccessed")) || !time_parse(c[TIME], &e.time_us) || e.time_us < 0)
		return;
	e.day = e.time_us / US_PER_DAY;
	e.mailbox = number_of(p, c[GUID].n ? c[GUID] : c[UPN]);
	e.app_id = number_of(p, c[APP_ID]);
	e.client_app_id = number_of(p, c[CLIENT_APP_ID]);
	e.family = number_of(p, c[CLIENT]);
	e.ip = number_of(p, c[IP]);
	e.net = number_of(p, c[NETWORK]);
	e.bind = str_eq(c[ACCESS], STR("bind"));
	e.items = e.bind ? count_of(c[ITEMS]) : 0;
	e.throttled = str_eq(c[THROTTLED], STR("true"));
	e.first_party = c[APP].n > 0;
	e.logon = logon_of(c[LOGON]);
	e.user_type = c[USER_TYPE].n ? (int)count_of(c[USER_TYPE]) : -1;
	if (!e.mailbox)
		return;
	if (!p->started) {
		p->day = e.day;
		p->started = true;
	}
	if (e.day > p->day + 36500 || e.day < p->day)
		die("the events are not in order of time");
	end_days(p, e.day);
	for (size_t i = 0; i < PEER_COUNT; i++)
		all[i]->event(p, p->states[i], &e);
}

static void read_events(struct peers *p)
{
	size_t at[COLUMN_COUNT], n, capacity = 0, count;
	struct str cells[COLUMNS_MAX], row[COLUMN_COUNT];
	char *text = NULL;

	n = next_row(&text, &capacity);
	count = cut_row(text, n, cells);
	for (int i = 0; i < COLUMN_COUNT; i++) {
		for (at[i] = 0; at[i] < count && !str_eq(cells[at[i]], str_of(column_names[i])); at[i]++)
			;
		if (at[i] == count)
			die("no events on standard input (want: taximeter events -f csv)");
	}
	while ((n = next_row(&text, &capacity)) > 0) {
		count = cut_row(text, n, cells);
		for (int i = 0; i < COLUMN_COUNT; i++)
			row[i] = at[i] < count ? cells[at[i]] : STR_NONE;
		take_row(p, row);
	}
	if (ferror(stdin))
		die("cannot read the events");
	end_days(p, p->day + 1);
	free(text);
}

int main(int argc, char **argv)
{
	static struct peers p;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < PEER_COUNT; i++)
			printf("%s\t%s\n", all[i]->rule, all[i]->source);
		return 0;
	}
	if (argc != 1 && (argc != 3 || strcmp(argv[1], "--since") != 0 || !time_parse(str_of(argv[2]), &p.since_us))) {
		fputs("usage: taximeter events -f csv PATH... | peers [--since TIME] > peers.ndjson\n       peers --list\n",
		      stderr);
		return 2;
	}
	table_init(&p.by_text, sizeof(uint32_t), PEER_ENTRIES_MAX);
	p.texts = peer_grow(NULL, &p.text_capacity, 1, sizeof(*p.texts));
	p.texts[0] = STR_NONE;
	p.text_count = 1;
	for (size_t i = 0; i < PEER_COUNT; i++) {
		p.states[i] = calloc(1, all[i]->state_bytes);
		if (!p.states[i])
			die("out of memory");
	}
	read_events(&p);
	write_alerts(&p);
	for (size_t i = 0; i < PEER_COUNT; i++) {
		all[i]->release(p.states[i]);
		free(p.states[i]);
	}
	for (size_t i = 0; i < p.rule_count; i++) {
		for (size_t k = 0; k < p.rules[i].n; k++)
			free(p.rules[i].heap[k].mailboxes);
		free(p.rules[i].heap);
	}
	for (size_t i = 1; i < p.text_count; i++)
		free((void *)(uintptr_t)p.texts[i].p);
	free(p.texts);
	table_release(&p.by_text);
	return 0;
}
