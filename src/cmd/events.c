/* SPDX-License-Identifier: Apache-2.0 */
/* events: each record as Taximeter understood it, for other tools and for checking Taximeter: each distinct record
 * once, in order of event time.  A missing value is null (an empty cell), never a guess: a Sync has no
 * items, an old record no bytes.
 *
 * One event is some 700 bytes and there are millions, so a line is put together by copying: texts of a client are
 * rendered once, digits of a time and of ids by hand, without printf. */
#include <getopt.h>
#include <stdlib.h>

#include "base/guid.h"
#include "base/limits.h"
#include "base/schema.h"
#include "cmd/run.h"
#include "detect/detect.h"
#include "identity/identity.h"

#define LINE_ROOM 4096 /* reserved at once; longer texts grow the buffer by themselves */

extern const struct command command_events;

/* A rendered piece of a line, kept for the next event that needs the same. */
struct piece { char *p; size_t n; };

struct events {
	struct run run;
	bool csv;
	struct piece *clients; /* by number: the five columns of a client */
	uint32_t client_capacity;
	int64_t day_us;        /* of day_text */
	char day_text[12];     /* "2026-01-06T" */
};

static const char *const class_names[CLASS_COUNT] = {
	[CLASS_AUDIT] = "audit", [CLASS_SIGNIN] = "signin", [CLASS_DIRECTORY] = "directory", [CLASS_GRAPH] = "graph",
	[CLASS_OTHER] = "other",
};
static const char *const access_names[] = {
	[ACCESS_NONE] = NULL, [ACCESS_BIND] = "bind", [ACCESS_SYNC] = "sync", [ACCESS_ATTACHMENT] = "attachment",
	[ACCESS_UNKNOWN] = "unknown",
};
static const char *const logon_names[] = {
	[LOGON_NONE] = NULL, [LOGON_OWNER] = "owner", [LOGON_ADMIN] = "admin", [LOGON_DELEGATE] = "delegate",
	[LOGON_TRANSPORT] = "transport", [LOGON_SYSTEM] = "system", [LOGON_BEST_ACCESS] = "best_access",
	[LOGON_DELEGATED_ADMIN] = "delegated_admin",
};
static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{ REC_ID_MADE, "id_made" },
	{ REC_ITEMS_GIVEN, "items_given" },
	{ REC_ITEMS_LISTED, "items_listed" },
	{ REC_ITEMS_LOST, "items_lost" },
	{ REC_FOLDERS_LOST, "folders_lost" },
	{ REC_TIME_ARRIVAL, "time_of_arrival" },
	{ REC_TOKEN_TENANT_FOREIGN, "token_tenant_foreign" },
	{ REC_TOKEN_TENANT_CONSUMER, "token_tenant_consumer" },
	{ REC_NO_TIME, "no_time" },
	{ REC_SHAPE_UNKNOWN, "unknown_shape" },
	{ REC_CUT, "cut_record" },
	{ REC_RECODED, "recoded" },
	{ REC_TIME_ORDER, "time_order" },
	{ REC_TIME_ZONE, "time_zone" },
	{ REC_DETAIL_CUT, "detail_cut" },
	{ REC_SUCCESS, "success" },
	{ REC_MAILBOX_BY_NAME, "mailbox_by_name" },
};

/* -- values, in either format -- */

/* key is `,"name":` for JSON and `,` for CSV */
#define KEY(x, name) ((x)->csv ? STR(",") : STR(",\"" name "\":"))

static void put_null(struct events *x, struct buf *b, struct str key)
{
	buf_add_str(b, key);
	if (!x->csv)
		buf_add(b, "null", 4);
}

/* text that may hold anything */
static void put_text(struct events *x, struct buf *b, struct str key, struct str s)
{
	if (!s.n) {
		put_null(x, b, key);
		return;
	}
	buf_add_str(b, key);
	if (x->csv)
		buf_add_csv(b, s);
	else
		buf_add_json(b, s);
}

/* text of our own making: needs no escape in either format */
static void put_word(struct events *x, struct buf *b, struct str key, struct str s)
{
	if (!s.n) {
		put_null(x, b, key);
		return;
	}
	buf_add_str(b, key);
	if (!x->csv)
		buf_add_char(b, '"');
	buf_add_str(b, s);
	if (!x->csv)
		buf_add_char(b, '"');
}

static void put_number(struct events *x, struct buf *b, struct str key, uint64_t n, bool known)
{
	char digits[20];
	size_t at = sizeof(digits);

	if (!known) {
		put_null(x, b, key);
		return;
	}
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	buf_add_str(b, key);
	buf_add(b, digits + at, sizeof(digits) - at);
}

static void put_bool(struct buf *b, struct str key, bool set)
{
	buf_add_str(b, key);
	buf_add_str(b, set ? STR("true") : STR("false"));
}

static char *two_digits(char *p, int64_t n)
{
	p[0] = (char)('0' + n / 10);
	p[1] = (char)('0' + n % 10);
	return p + 2;
}

static void put_time(struct events *x, struct buf *b, struct str key, int64_t us)
{
	char text[TIME_TEXT_SIZE], *p = text;
	int64_t rest = us - x->day_us;

	if (rest < 0 || rest >= US_PER_DAY || !x->day_text[0]) {
		rest = us % US_PER_DAY;
		rest += rest < 0 ? US_PER_DAY : 0;
		x->day_us = us - rest;
		memcpy(x->day_text, time_format(x->day_us, text), sizeof(x->day_text) - 1);
	}
	if (rest % US_PER_SECOND) {
		put_word(x, b, key, str_of(time_format(us, text)));
		return;
	}
	memcpy(p, x->day_text, 11);
	p = two_digits(p + 11, rest / US_PER_HOUR);
	*p++ = ':';
	p = two_digits(p, rest / US_PER_MINUTE % 60);
	*p++ = ':';
	p = two_digits(p, rest / US_PER_SECOND % 60);
	*p++ = 'Z';
	put_word(x, b, key, (struct str){ text, (size_t)(p - text) });
}

static void put_hash(struct events *x, struct buf *b, struct str key, uint64_t hash)
{
	char text[16];

	for (int i = 0; i < 16; i++)
		text[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
	put_word(x, b, key, (struct str){ text, hash ? sizeof(text) : 0 });
}

static void put_addr(struct events *x, struct buf *b, struct str key, const struct rec *r)
{
	struct addr a = { .kind = r->ip_kind };
	char text[ADDR_TEXT_SIZE], *p = text;

	memcpy(a.b, r->ip, sizeof(a.b));
	if (a.kind != ADDR_V4) {
		put_text(x, b, key, str_of(addr_format(&a, text)));
		return;
	}
	for (int i = 0; i < 4; i++) {
		const unsigned n = a.b[i];
		if (i)
			*p++ = '.';
		if (n >= 100)
			*p++ = (char)('0' + n / 100);
		if (n >= 10)
			*p++ = (char)('0' + n / 10 % 10);
		*p++ = (char)('0' + n % 10);
	}
	put_word(x, b, key, (struct str){ text, (size_t)(p - text) });
}

/* an id that is a GUID, else the text of its hash */
static void put_id(struct events *x, struct buf *b, struct str key, const struct world *w, const uint8_t id[16],
		   bool is_text)
{
	char text[ID_TEXT_SIZE];

	if (is_text)
		put_text(x, b, key, world_id_text(w, id, true, text));
	else
		put_word(x, b, key, (struct str){ guid_format(id, text), GUID_TEXT_SIZE - 1 });
}

/* -- groups of columns -- */

static void render_client(struct events *x, struct buf *b, const struct world *w, uint32_t client)
{
	put_text(x, b, KEY(x, "app_id"), world_client_part(w, client, CLIENT_APP_ID));
	put_text(x, b, KEY(x, "client_app_id"), world_client_part(w, client, CLIENT_CLIENT_APP_ID));
	put_text(x, b, KEY(x, "app"), world_client_name(w, client));
	put_text(x, b, KEY(x, "api"), world_client_part(w, client, CLIENT_API));
	put_text(x, b, KEY(x, "client"), world_client_part(w, client, CLIENT_FAMILY));
}

/* the place of that client's piece; NULL: out of memory, which costs speed and nothing else */
static struct piece *client_piece(struct events *x, uint32_t client)
{
	if (client >= x->client_capacity) {
		const uint32_t capacity = client < 1024 ? 2048 : 2 * (client + 1);
		struct piece *grown = realloc(x->clients, capacity * sizeof(*grown));
		if (!grown)
			return NULL;
		memset(grown + x->client_capacity, 0, (capacity - x->client_capacity) * sizeof(*grown));
		x->clients = grown;
		x->client_capacity = capacity;
	}
	return &x->clients[client];
}

static void put_client(struct events *x, struct buf *b, const struct world *w, uint32_t client)
{
	const size_t before = b->n;
	struct piece *piece = client == NONE ? NULL : client_piece(x, client);

	if (piece && piece->p) {
		buf_add(b, piece->p, piece->n);
		return;
	}
	if (client == NONE) {
		put_null(x, b, KEY(x, "app_id"));
		put_null(x, b, KEY(x, "client_app_id"));
		put_null(x, b, KEY(x, "app"));
		put_null(x, b, KEY(x, "api"));
		put_null(x, b, KEY(x, "client"));
		return;
	}
	render_client(x, b, w, client);
	if (piece && !buf_failed(b)) {
		piece->p = malloc(b->n - before);
		piece->n = b->n - before;
		if (piece->p)
			memcpy(piece->p, b->p + before, piece->n);
	}
}

static void put_mailbox(struct events *x, struct buf *b, const struct world *w, uint32_t mailbox)
{
	const struct str guid = mailbox == NONE ? STR_NONE : world_mailbox_guid(w, mailbox);
	const struct str upn = mailbox == NONE ? STR_NONE : world_mailbox_upn(w, mailbox);

	if (x->csv) {
		put_text(x, b, STR(","), guid);
		put_text(x, b, STR(","), upn);
	} else if (mailbox == NONE) {
		put_null(x, b, STR(",\"mailbox\":"));
	} else {
		put_text(x, b, STR(",\"mailbox\":{\"guid\":"), guid);
		put_text(x, b, STR(",\"upn\":"), upn);
		buf_add_char(b, '}');
	}
}

static void put_flags(struct events *x, struct buf *b, uint32_t flags)
{
	bool any = false;

	buf_add_str(b, x->csv ? STR(",") : STR(",\"flags\":["));
	for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
		if (!(flags & flag_names[i].flag))
			continue;
		if (any)
			buf_add_str(b, x->csv ? STR(" ") : STR(","));
		if (!x->csv)
			buf_add_char(b, '"');
		buf_add_cstr(b, flag_names[i].name);
		if (!x->csv)
			buf_add_char(b, '"');
		any = true;
	}
	if (!x->csv)
		buf_add_char(b, ']');
}

static void put_what(struct events *x, struct buf *b, const struct world *w, const struct event *e)
{
	const struct rec *r = e->rec;
	const struct str operation =
		r->op != OP_OTHER ? str_of(op_text(r->op)) : name_part(names_get(w->names, r->operation), 0);

	if (r->flags & REC_NO_TIME)
		put_null(x, b, x->csv ? STR("") : STR("{\"time\":"));
	else
		put_time(x, b, x->csv ? STR("") : STR("{\"time\":"), r->time_us);
	put_id(x, b, KEY(x, "id"), w, r->id, r->flags & REC_ID_TEXT);
	put_word(x, b, KEY(x, "class"), str_of(r->class_ < CLASS_COUNT ? class_names[r->class_] : NULL));
	put_text(x, b, KEY(x, "operation"), operation);
	put_number(x, b, KEY(x, "record_type"), r->record_type, r->record_type != 0xffff);
	put_text(x, b, KEY(x, "tenant"), e->tenant == NONE ? STR_NONE : world_tenant(w, e->tenant));
}

static void put_how(struct events *x, struct buf *b, const struct event *e)
{
	const struct rec *r = e->rec;
	const bool mail = event_is_mail(e);

	put_word(x, b, KEY(x, "access"), str_of(r->access <= ACCESS_UNKNOWN ? access_names[r->access] : NULL));
	put_number(x, b, KEY(x, "items"), r->items, r->access == ACCESS_BIND || r->access == ACCESS_ATTACHMENT);
	put_number(x, b, KEY(x, "bytes"), r->bytes, r->flags & REC_BYTES_KNOWN);
	put_number(x, b, KEY(x, "folders"), r->folders, mail && !(r->flags & REC_FOLDERS_LOST));
	put_hash(x, b, KEY(x, "folder"), r->folder);
	if (mail)
		put_bool(b, KEY(x, "throttled"), r->flags & REC_THROTTLED);
	else
		put_null(x, b, KEY(x, "throttled"));
	put_word(x, b, KEY(x, "logon_type"), str_of(r->logon <= LOGON_DELEGATED_ADMIN ? logon_names[r->logon] : NULL));
	put_number(x, b, KEY(x, "user_type"), r->user_type - 1u, r->user_type);
	put_bool(b, KEY(x, "external"), r->flags & REC_EXTERNAL);
	put_flags(x, b, r->flags);
}

/* whether a sign-in issued the token, and which; null for a record that is no access */
static void put_provenance(struct events *x, struct buf *b, const struct world *w, const struct event *e)
{
	const struct rec *r = e->rec;
	const struct provenance *p = e->token;
	bool linked = p && p->reason == REASON_TOKEN;

	if (r->issued_s)
		put_time(x, b, KEY(x, "token_issued"), (int64_t)r->issued_s * US_PER_SECOND);
	else
		put_null(x, b, KEY(x, "token_issued"));
	put_text(x, b, KEY(x, "device"), name_part(names_get(w->names, r->device), 0));
	put_word(x, b, KEY(x, "provenance"), p ? str_of(prov_verdict_names[p->verdict]) : STR_NONE);
	put_word(x, b, KEY(x, "provenance_reason"), p ? str_of(prov_reasons[p->reason].name) : STR_NONE);
	/* a token's id is the id of its sign-in */
	if (linked)
		put_id(x, b, KEY(x, "sign_in"), w, r->token, r->flags & REC_TOKEN_TEXT);
	else
		put_null(x, b, KEY(x, "sign_in"));
	if (linked)
		put_time(x, b, KEY(x, "sign_in_time"), (int64_t)p->issue->time_s * US_PER_SECOND);
	else
		put_null(x, b, KEY(x, "sign_in_time"));
}

static bool on_event(void *arg, const struct world *w, const struct event *e)
{
	struct events *x = arg;
	struct buf *b = &x->run.output.out.pending;
	const struct rec *r = e->rec;
	char text[ID_TEXT_SIZE];

	buf_reserve(b, LINE_ROOM);
	put_what(x, b, w, e);
	put_mailbox(x, b, w, e->mailbox);
	put_text(x, b, KEY(x, "actor"), e->actor == NONE ? STR_NONE : world_actor(w, e->actor));
	put_client(x, b, w, e->client);
	put_addr(x, b, KEY(x, "ip"), r);
	put_word(x, b, KEY(x, "network"),
		 str_of(e->net == NET_NONE || e->net == NONE ? NULL : world_net_label(w, e->net)));
	if (r->flags & REC_HAS_SESSION)
		put_id(x, b, KEY(x, "session"), w, r->session, r->flags & REC_SESSION_TEXT);
	else
		put_null(x, b, KEY(x, "session"));
	put_text(x, b, KEY(x, "token"),
	         r->flags & REC_HAS_TOKEN ? world_token_text(w, r->token, r->flags & REC_TOKEN_TEXT, text) : STR_NONE);
	put_provenance(x, b, w, e);
	put_how(x, b, e);
	buf_add_str(b, x->csv ? STR("\n") : STR(SCHEMA_MEMBER "}\n"));
	return sink_out_step(&x->run.output.out);
}

/* -- the command -- */

static const struct option_row options[] = {
	OPTION_FORMAT("ndjson", "ndjson csv"),
	OPTION_OUTPUT,
	RUN_OPTION_STATS,
	OPTION_JOBS,
	RUN_OPTION_TENANT,
	RUN_OPTION_SINCE,
	RUN_OPTION_UNTIL,
	RUN_OPTION_TIMEZONE,
	OPTION_QUIET,
	RUN_OPTION_ASN,
	{ 0 }
};

static int take_option(struct events *x, const struct option_row *row, const char *value)
{
	if (strcmp(row->name, "format") != 0)
		return run_option(&x->run, row, value);
	x->csv = strcmp(value, "csv") == 0;
	if (!x->csv && strcmp(value, "ndjson") != 0)
		return cmd_usage_error(x->run.command, "-f '%s' is not a format; there are: ndjson csv", value);
	return EXIT_RAN;
}

static int events_paths(struct events *x, int argc, char **argv)
{
	int status = run_open(&x->run, argc, argv);

	if (status != EXIT_RAN)
		return status;
	if (x->csv)
		buf_add_cstr(&x->run.output.out.pending,
			"time,id,class,operation,record_type,tenant,mailbox_guid,mailbox_upn,actor,app_id,"
			"client_app_id,app,api,client,ip,network,session,token,token_issued,device,"
			"provenance,provenance_reason,sign_in,sign_in_time,access,items,bytes,folders,folder,"
			"throttled,logon_type,user_type,external,flags\n");
	x->run.settings.since_us = x->run.period.since_us;
	x->run.settings.until_us = x->run.period.until_us;
	x->run.settings.joint = true; /* each client is rendered once for all tenants */
	x->run.settings.on_event = on_event;
	x->run.settings.on_event_arg = x;
	return run_close(&x->run, run_read(&x->run));
}

static int events_run(int argc, char **argv)
{
	struct events x = { 0 };
	const char *value;
	int status = EXIT_RAN, i = OPT_END;

	run_init(&x.run, &command_events);
	while (status == EXIT_RAN && (i = cmd_option(x.run.command, argc, argv, &value)) >= 0)
		status = take_option(&x, &options[i], value);
	if (status == EXIT_RAN && i == OPT_HELP)
		status = cmd_help(x.run.command);
	else if (status == EXIT_RAN && i == OPT_ERROR)
		status = EXIT_USAGE;
	else if (status == EXIT_RAN)
		status = events_paths(&x, argc, argv);
	run_release(&x.run);
	for (uint32_t k = 0; k < x.client_capacity; k++)
		free(x.clients[k].p);
	free(x.clients);
	return status;
}

const struct command command_events = {
	.name = "events",
	.arguments = "PATH...",
	.doc = "Write every distinct record in one normalised form",
	.description = "Reads what scan reads and writes each distinct record once, in order of event time. What a "
		       "record does not say is null (in CSV: an empty cell). A Sync has no number of items: its "
		       "volume is not in the log. 'folder' is a hash that distinguishes folders, not a name. 'flags' "
		       "says how a value came about: items_given (by the record's own count), items_listed (counted "
		       "in its list), items_lost (neither: a lower bound), time_of_arrival (the export has no event "
		       "time), no_time (the row has none at all), id_made (the record has no id).",
	.options = options,
	.examples = "  taximeter events export/ | jq -r 'select(.access == \"sync\") | .mailbox.upn' | sort | uniq -c\n"
		    "  taximeter events -f csv -o events.csv --since 2023-06-15 ual.csv\n",
	.run = events_run,
};
