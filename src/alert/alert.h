/* SPDX-License-Identifier: Apache-2.0 */
/* alert: a finding under construction.  A detector opens it by its subject (twice is once), folds the events that
 * belong to it, and writes its sentences; the sinks print it.
 *
 * Sentences: `title` states what happened in one line; `why` gives the reasons, one sentence each, with the figures that
 * decided; `blind` states what could not be seen.  Text may hold anything from the input: sinks escape it. */
#ifndef TXM_ALERT_ALERT_H
#define TXM_ALERT_ALERT_H

#include "base/buf.h"
#include "base/period.h"
#include "event/event.h"
#include "state/world.h"

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };
extern const char *const severity_names[5]; /* "info" ... "critical" */
bool severity_parse(struct str s, enum severity *ret);

struct detector;
struct persist;

struct id_entry { uint8_t id[16]; bool is_text; };
struct u32_list { uint32_t *v; uint32_t n; uint64_t total; };  /* distinct, in event order; total counts those past the limit too */

/* -- what a statistical finding adds: hard rules leave odds at 0 and the rest is not printed -- */
#define ALERT_REASONS_MAX 4
struct alert_reason {
	const char *family;
	double p;
	char *text;
};
struct alert_baseline { /* of the mailbox that decided; items a day */
	uint32_t mailbox;        /* NONE: none */
	double items, typical, low, high, effective_days;
};
struct alert_campaign {
	bool set;
	const char *by;          /* "client", "network", "actor": what the mailboxes have in common */
	uint32_t mailboxes;
	double odds;             /* 0 = folded only, not scored as a campaign */
};

/* -- members: everything that a title or a sentence says, as a field.  alert/members.h lists them; a member is a value, a
 * list, an object, or a list of objects, made of cells.  A cell borrows its text; the alert copies it. -- */
enum alert_member_name {
#define MEMBER(symbol, name, shape, ...) MEMBER_##symbol,
#include "alert/members.h"
#undef MEMBER
	ALERT_MEMBERS
};
enum member_shape { SHAPE_VALUE, SHAPE_LIST, SHAPE_OBJECT, SHAPE_OBJECTS };
#define MEMBER_COLUMNS_MAX 12
extern const struct member_form {
	const char *name;
	enum member_shape shape;
	const char *columns[MEMBER_COLUMNS_MAX]; /* of objects */
} member_forms[ALERT_MEMBERS];
/* a mailbox by its number in the world is printed as what is known of it when the output is written */
enum cell_kind { CELL_NONE, CELL_TEXT, CELL_NUMBER, CELL_REAL, CELL_TIME, CELL_FLAG, CELL_MAILBOX_GUID, CELL_MAILBOX_UPN };
struct cell {
	enum cell_kind kind;
	union {
		char *text;
		uint64_t number;
		double real;
		int64_t time_us;
		bool flag;
		uint32_t mailbox;
	};
	size_t n;                /* bytes of text, while it is borrowed */
};
static inline struct cell value_none(void) { return (struct cell){ .kind = CELL_NONE }; }
static inline struct cell value_text(struct str s)
{
	return s.n ? (struct cell){ .kind = CELL_TEXT, .text = (char *)(uintptr_t)s.p, .n = s.n } : value_none();
}
static inline struct cell value_cstr(const char *s) { return value_text(str_of(s)); }
static inline struct cell value_number(uint64_t n) { return (struct cell){ .kind = CELL_NUMBER, .number = n }; }
static inline struct cell value_real(double x) { return (struct cell){ .kind = CELL_REAL, .real = x }; }
static inline struct cell value_time(int64_t us) { return us ? (struct cell){ .kind = CELL_TIME, .time_us = us } : value_none(); }
static inline struct cell value_flag(bool b) { return (struct cell){ .kind = CELL_FLAG, .flag = b }; }
/* both: none for NONE */
static inline struct cell value_guid(uint32_t m) { return m == NONE ? value_none() : (struct cell){ .kind = CELL_MAILBOX_GUID, .mailbox = m }; }
static inline struct cell value_upn(uint32_t m) { return m == NONE ? value_none() : (struct cell){ .kind = CELL_MAILBOX_UPN, .mailbox = m }; }

struct alert_member {
	enum alert_member_name name;
	uint32_t columns, rows;  /* cells[row * columns + column] */
	uint64_t total;          /* rows, those past ALERT_LIST_MAX too */
	struct cell *cells;
};

struct alert {
	const struct detector *detector;
	uint64_t subject;        /* what it is about, as a hash of content; with the detector's name it makes the id */
	char id[24];             /* "txm-" + 16 hex digits */
	enum severity severity;
	int64_t time_us;         /* event time at which it could first have been raised; set by alert_raise() */
	int64_t first_us, last_us; /* of the folded events; 0, 0 = none */
	uint64_t records, items;
	uint32_t folders_synced; /* distinct (mailbox, folder) */
	struct u32_list mailboxes, clients, actors, nets;
	struct addr *ips; uint32_t ip_count; uint64_t ip_total;             /* totals: distinct, those past the limit too */
	struct id_entry *sessions; uint32_t session_count; uint64_t session_total;
	struct id_entry *tokens; uint32_t token_count; uint64_t token_total;
	struct id_entry evidence[20]; uint32_t evidence_count; /* record ids, the first in event order */
	char *title;
	char **why; uint32_t why_count;
	char **blind; uint32_t blind_count;
	double odds;             /* one such false alarm in so many mailbox-days; 0 = not a statistical finding */
	struct alert_reason reasons[ALERT_REASONS_MAX]; uint32_t reason_count;
	struct alert_baseline baseline;
	struct alert_campaign campaign;
	struct alert_member *members; uint32_t member_count; /* in the order of alert/members.h */
	bool raised;             /* only raised alerts are printed */
	uint64_t folder_seen[4]; /* private: small set for folders_synced; overflow in priv */
	struct alert_private *priv;
};

#define ALERTS_OF_ORPHAN 4 /* account, network, session; one to spare */

struct alerts {
	const struct world *world;
	struct alert **v; size_t n, capacity;
	struct table by_key;     /* hash(detector, subject) -> struct alert * */
	uint64_t refused;        /* ALERTS_MAX */
	uint64_t held;           /* mailbox-days past the line for which the false-alarm budget had nothing left; with --state of all runs */
	bool failed;             /* out of memory */
	/* of the event that the detectors are looking at: alerts that count it because no sign-in issued its token */
	struct alert *of_orphan[ALERTS_OF_ORPHAN]; uint32_t of_orphan_count;
	char **words; uint32_t word_count; /* families and the like that were read from a file, each once */
};

void alerts_init(struct alerts *a, const struct world *w);
void alerts_release(struct alerts *a);
/* The alert of that detector and subject, made if new.  NULL: refused (counted). */
struct alert *alerts_open(struct alerts *a, const struct detector *d, uint64_t subject);
struct alert *alerts_find(const struct alerts *a, const struct detector *d, uint64_t subject);
/* Adds mailbox, client, actor, address, network, session, token, times, items, record id of an event. */
void alert_fold(struct alerts *a, struct alert *al, const struct event *e);
/* The same, unless this record is in the alert already: for a rule to which one record can be several findings. */
void alert_fold_once(struct alerts *a, struct alert *al, const struct event *e);
/* The same for a rule whose alerts mean that no sign-in issued the event's token (detect/orphans.h). */
void alert_fold_orphan(struct alerts *a, struct alert *al, const struct event *e);
/* Names a mailbox and its client; their records are added with alert_fold_more(). */
void alert_name(struct alert *al, uint32_t mailbox, uint32_t client);
/* True the first time for that key in that alert: a mailbox-day is counted once, whatever joins it to the alert. */
bool alert_once(struct alert *al, uint64_t key);
bool alert_has_mailbox(const struct alert *al, uint32_t mailbox);
/* Adds what was counted but not folded record by record: `records` and `items` more, between first_us and last_us. */
void alert_fold_more(struct alert *al, int64_t first_us, int64_t last_us, uint64_t records, uint64_t items);
/* Raises (first call sets time_us and severity; a later one can only raise the severity). */
void alert_raise(struct alert *al, int64_t time_us, enum severity s);
void alert_title(struct alert *al, const char *format, ...) __attribute__((format(printf, 2, 3)));
void alert_why(struct alert *al, const char *format, ...) __attribute__((format(printf, 2, 3)));
void alert_blind(struct alert *al, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* a reason with its odds: kept for programs, and written as a sentence */
void alert_reason(struct alert *al, const char *family, double p, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void alert_clear_why(struct alert *al); /* to write the sentences anew when the figures have changed */
/* Sets a value or an object, whatever it was before; adds one row to a list, once.  Fewer cells than columns: the rest is
 * null; no cells: a list without rows.  Members stay when sentences are written anew. */
#define alert_member(al, name, ...) \
	alert_member_put(al, MEMBER_##name, (const struct cell[]){ __VA_ARGS__ }, sizeof((const struct cell[]){ __VA_ARGS__ }) / sizeof(struct cell))
void alert_member_put(struct alert *al, enum alert_member_name name, const struct cell *cells, size_t n);
/* Replaces one cell of a row: by what was not known when it was added.  Not a text. */
void alert_member_cell(struct alert *al, enum alert_member_name name, uint32_t row, uint32_t column, struct cell c);
/* NULL: the alert has none */
const struct alert_member *alert_member_get(const struct alert *al, enum alert_member_name name);
/* Lists that are shorter than what there was, the record ids too (i = 0, 1, ...; false past the last). */
struct alert_cut { const char *name, *noun; uint64_t listed, total; };
bool alert_cut(const struct alert *al, unsigned i, struct alert_cut *ret);
/* All of them; loading, after alerts_init().  Save before alerts_order(). */
void alerts_persist(struct persist *p, struct alerts *a);
/* For fix functions (persist/persist.h): a pointer to an alert of p->alerts becomes its place + 1, and back. */
void alerts_persist_one(struct persist *p, struct alert **al);
/* Has its activity, or the time at which it was raised, a part in what is reported? */
bool alert_is_within(const struct alert *al, const struct period *p);
/* Sorts the raised ones by time, detector, id: the order of output.  Returns their number; v[0..n) afterwards. */
size_t alerts_order(struct alerts *a);
int alerts_compare(const struct alert *a, const struct alert *b); /* the same order, for alerts of several tenants */
const struct world *alert_world(const struct alert *al); /* in which its numbers are meant: that of its tenant */

#endif
