/* SPDX-License-Identifier: Apache-2.0 */
/* letter: see letter.h.  Text from the log goes through buf_add_terminal(), so that a subject cannot break a line or
 * reverse its direction. */
#include "notice/letter.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/table.h"
#include "base/hash.h"
#include "base/timefmt.h"
#include "eval/line.h"

#define NOUNS(n, one, many) (n), (n) == 1 ? (one) : (many)

static char *copy(struct str s)
{
	return strndup(s.n ? s.p : "", s.n);
}

static bool room(struct letters *l)
{
	if (l->n < l->capacity)
		return true;
	const size_t want = l->capacity ? 2 * l->capacity : 64;
	struct letter_line *p = realloc(l->v, want * sizeof(*p));
	if (!p)
		return false;
	l->v = p;
	l->capacity = want;
	return true;
}

/* upn and guid of the member "mailbox"; false: none */
static bool mailbox_of(struct line_object *o, struct str *ret_upn, struct str *ret_guid)
{
	/* the object is in a list of one for line.h: its members are read through a list's element */
	struct line_object m = { .file = o->file };
	struct walk_object walk;

	*ret_upn = *ret_guid = STR_NONE;
	for (uint32_t i = 0; i < o->count; i++) {
		if (!str_eq(o->members[i].name, STR("mailbox")) || walk_char(&o->file->x, o->members[i].value) != '{')
			continue;
		walk = walk_object(&o->file->x, o->members[i].value);
		for (uint32_t key; (key = walk_next_key(&walk)) != WALK_BAD;
		     walk.next = walk_skip(&o->file->x, key + 2)) {
			if (m.count == EVAL_MEMBERS_MAX)
				break;
			m.members[m.count].name = walk_raw_string(&o->file->x, key);
			m.members[m.count++].value = key + 2;
		}
		*ret_upn = line_text(&m, "upn");
		*ret_guid = line_text(&m, "guid");
		return ret_upn->n || ret_guid->n;
	}
	return false;
}

static bool flag(const struct line_object *o, const char *name, bool if_absent)
{
	for (uint32_t i = 0; i < o->count; i++)
		if (str_eq(o->members[i].name, str_of(name)))
			return walk_char(&o->file->x, o->members[i].value) == 't';
	return if_absent;
}

static uint64_t key_of(struct str upn, struct str guid)
{
	return hash_str(guid.n ? guid : upn, 0) | 1;
}

static bool add_mailbox(struct letters *l, struct table *by_name, struct line_object *o)
{
	struct str upn, guid;
	uint32_t *at;

	if (!mailbox_of(o, &upn, &guid))
		return true; /* a mailbox without a name cannot be written to */
	if (!room(l))
		return false;
	struct letter_line *m = &l->v[l->n];
	*m = (struct letter_line) { .name = copy(upn), .guid = copy(guid), .key = copy(upn.n ? upn : guid) };
	buf_init(&m->listed, 64 * KIB);
	buf_init(&m->unseen, 16 * KIB);
	m->messages = (uint64_t)line_need_int(o, "messages", 0, INT64_MAX);
	m->accesses = (uint64_t)line_int(o, "accesses", 0, INT64_MAX, 0);
	m->unlisted = (uint64_t)line_int(o, "unlisted", 0, INT64_MAX, 0);
	m->unclear = (uint64_t)line_int(o, "unclear", 0, INT64_MAX, 0);
	m->folders_assumed = (uint64_t)line_int(o, "folders_assumed", 0, INT64_MAX, 0);
	m->unknown_tenths = (int64_t)(line_real(o, "unknown_hours", 0) * 10 + 0.5);
	m->first_us = line_time(o, "first_access");
	m->last_us = line_time(o, "last_access");
	m->assume_all = flag(o, "assume_all", false);
	at = table_put(by_name, key_of(upn, guid), NULL);
	if (at)
		*at = (uint32_t)l->n;
	l->n++;
	return m->name && m->guid && m->key;
}

static void add_message(struct letters *l, const struct table *by_name, struct line_object *o)
{
	struct str upn, guid, subject, sender;
	char text[TIME_TEXT_SIZE];

	if (!str_eq(line_text(o, "certainty"), STR("confirmed")) || !mailbox_of(o, &upn, &guid))
		return;
	const uint32_t *at = table_get(by_name, key_of(upn, guid));
	if (!at || l->v[*at].listed_count >= NOTICE_MESSAGES_MAX)
		return;
	struct buf *b = &l->v[*at].listed;
	const int64_t time_us = line_time(o, "first_access");
	subject = line_text(o, "subject");
	sender = line_text(o, "sender");
	buf_printf(b, "  %s  ", time_us ? time_format_minute(time_us, text) : "                ");
	buf_add_terminal(b, subject.n ? subject : line_text(o, "id"), 70);
	if (sender.n) {
		buf_add_cstr(b, ", from ");
		buf_add_terminal(b, sender, 50);
	}
	buf_add_char(b, '\n');
	l->v[*at].listed_count++;
}

/* a blind period, as a line; of one mailbox, or of all */
static void add_unseen(struct letters *l, const struct table *by_name, struct line_object *o)
{
	struct str upn, guid;
	char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
	const bool one = mailbox_of(o, &upn, &guid);
	const uint32_t *at = one ? table_get(by_name, key_of(upn, guid)) : NULL;
	struct buf *b = at ? &l->v[*at].unseen : &l->unseen;
	unsigned *n = at ? &l->v[*at].unseen_count : &l->unseen_count;

	if ((one && !at) || (*n)++ >= NOTICE_TIMES_MAX)
		return;
	buf_printf(b, "    %s to %s UTC%s\n", time_format_minute(line_time(o, "from"), from), time_format_minute(line_time(o, "to"), to),
		   flag(o, "open", false) ? ", and still when our records end" : "");
}

bool letters_read(struct letters *l, const char *path)
{
	struct line_file f;
	struct line_object o;
	struct table by_name;
	bool good, head = false, memory = true;

	*l = (struct letters) { .matched = true };
	buf_init(&l->error, 64 * KIB);
	buf_init(&l->unseen, 16 * KIB);
	table_init(&by_name, sizeof(uint32_t), 10000000);
	good = line_open(&f, path);
	while (good && memory && line_next(&f, &o)) {
		const struct str type = line_text(&o, "type");
		if (str_eq(type, STR("impact"))) {
			head = true;
			l->selection = copy(line_text(&o, "selection"));
			l->from_us = line_time(&o, "from");
			l->to_us = line_time(&o, "to");
			l->matched = flag(&o, "matched", true);
			l->intruder = flag(&o, "intruder", true);
			l->dark = flag(&o, "dark", false);
		} else if (str_eq(type, STR("mailbox"))) {
			memory = add_mailbox(l, &by_name, &o);
		} else if (str_eq(type, STR("message"))) {
			add_message(l, &by_name, &o);
		} else if (str_eq(type, STR("unknown"))) {
			add_unseen(l, &by_name, &o);
		} else if (str_eq(type, STR("summary"))) {
			l->complete = true;
		}
	}
	if (f.failed)
		buf_add_str(&l->error, buf_str(&f.error));
	else if (!memory)
		buf_add_cstr(&l->error, "out of memory");
	else if (!head)
		buf_printf(&l->error, "%s: no impact report; `taximeter impact -f ndjson` writes one", path);
	else if (!l->complete)
		buf_printf(&l->error, "%s: the report is cut short: its last line, the summary, is missing", path);
	else if (!l->matched)
		buf_printf(&l->error, "%s: no record belonged to the selection of this report: there is no recipient", path);
	line_close(&f);
	table_release(&by_name);
	return l->error.n == 0;
}

void letters_release(struct letters *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].guid);
		free(l->v[i].key);
		buf_release(&l->v[i].listed);
		buf_release(&l->v[i].unseen);
	}
	free(l->v);
	free(l->selection);
	buf_release(&l->unseen);
	buf_release(&l->error);
	*l = (struct letters) { 0 };
}

const char *letter_domain(const struct letter_line *m)
{
	const char *at = strrchr(m->name, '@');

	return at ? at + 1 : "";
}

/* -- text -- */

static void add_name(struct buf *b, const char *s)
{
	buf_add_terminal(b, str_of(s), 200);
}

static const char *moment(int64_t us, char out[TIME_TEXT_SIZE])
{
	return us ? time_format_minute(us, out) : "an unknown time";
}

/* a text of the user's, indented like the text next to a label */
static void add_indented(struct buf *b, const char *text)
{
	struct str rest = str_of(text);

	while (rest.n) {
		const ptrdiff_t end = str_find(rest, STR("\n"));
		const struct str line = { rest.p, end < 0 ? rest.n : (size_t)end };
		buf_add_terminal(b, line, 0);
		rest.p += line.n + (end >= 0);
		rest.n -= line.n + (end >= 0);
		buf_add_cstr(b, rest.n ? "\n            " : "\n");
	}
}

static void add_head(struct buf *b, const struct letters *l, const char *to, const struct letter_head *h)
{
	char from_text[TIME_TEXT_SIZE], to_text[TIME_TEXT_SIZE];

	buf_add_cstr(b, "Notice of access to mail\n\nTo:         ");
	add_name(b, to);
	buf_add_cstr(b, "\nFrom:       ");
	add_indented(b, h->from);
	buf_printf(b, "Concerns:   %s to %s UTC\n\n", moment(l->from_us, from_text), moment(l->to_us, to_text));
}

static void add_check(struct buf *b, const struct letter_head *h)
{
	buf_add_cstr(
		b,
		"\nIs this notice real?\n"
		"  It asks you for nothing: no password, no payment, no click, no reply. A letter that does is not "
		"ours.\n"
		"  It is signed. With this file, its signature and our public key in one folder, the "
			"command\n\n    ");
	buf_add_cstr(b, h->verify);
	buf_add_cstr(b, "\n\n  says whether it is unchanged and comes from whoever holds our key. The key's "
			"fingerprint (SHA-256) is\n\n    ");
	buf_add_cstr(b, h->fingerprint);
	buf_add_cstr(b, "\n\n  Ask for it by telephone, at a number that you knew before this letter came.\n");
}

static void add_advice(struct buf *b)
{
	buf_add_cstr(b, "\nWhat you can do\n"
			"  - Think of what stood in these messages: plans, names of people, passwords, documents. "
				"Tell "
			"us what could harm\n"
			"    somebody, and warn them.\n"
			"  - Passwords, codes and links that were sent by mail: change them.\n"
			"  - Expect fraud that knows your mail: letters that answer real ones, with real subjects.\n"
			"  - You did nothing to cause this. In cases of forged or stolen tokens no password of yours "
			"was used.\n");
}

static void add_unknown_limits(struct buf *b)
{
	buf_add_cstr(b, "  Opened means that a program fetched a message. Whether a person read it, the log cannot "
			"say. Reading of copies\n"
			"  that were taken away leaves no record.\n");
}

void letter_mailbox(struct buf *b, const struct letters *l, const struct letter_line *m, const struct letter_head *h)
{
	char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];

	add_head(b, l, m->key, h);
	buf_add_cstr(b, l->dark ? "For a time, what was read in your mailbox was not recorded."
			: l->intruder ? "Somebody other than you had access to the mail in your mailbox."
				      : "Mail in your mailbox was opened in a way that was reported as unusual. It may have been allowed; that "
					"is still being\nlooked into.");
	buf_add_cstr(b, " This is what we know, what we have to assume, and\nwhat the logs do not show.\n\nWhat we know\n");
	if (m->messages) {
		buf_printf(b, "  %" PRIu64 " %s in your mailbox %s opened, the first on %s, the last on %s UTC.\n",
			   NOUNS(m->messages, "message", "messages"), m->messages == 1 ? "was" : "were",
			   moment(m->first_us, first), moment(m->last_us, last));
	} else {
		buf_add_cstr(b,
			     "  The log names no message of yours that was opened. That is no proof that none "
				"was.\n");
	}
	if (m->unlisted)
		buf_printf(b, "  %" PRIu64 " further %s counted in the log and not named.\n",
			   NOUNS(m->unlisted, "access is", "accesses are"));
	buf_add_cstr(b, "\nWhat we have to assume\n");
	if (m->assume_all)
		buf_printf(b, "  That all of your mailbox was copied. A program%s synchronised it, and the log does not say where it\n  "
			      "stopped.\n", l->intruder ? " of the intruder" : "");
	else if (m->folders_assumed)
		buf_printf(b,
			   "  That all of %" PRIu64
			   " %s was copied: synchronisation is logged by folder, not by message.\n",
			   NOUNS(m->folders_assumed, "folder", "folders"));
	else
		buf_add_cstr(
			b,
			"  Nothing beyond that: no such synchronisation of your mailbox is in the log.\n");
	if (m->unclear)
		buf_printf(b,
			   "  %" PRIu64
			   " %s opened by an application that you use too; by whom, the log does not tell.\n",
			   NOUNS(m->unclear, "message was", "messages were"));
	buf_add_cstr(b, "\nWhat we do not know\n");
	if (m->unknown_tenths) {
		buf_printf(b, "  For %s hours the reading of your mailbox was not recorded. The log does not show what was opened then.\n",
			   time_format_tenths(m->unknown_tenths, first));
		buf_add_str(b, buf_str(&l->unseen));
		buf_add_str(b, buf_str(&m->unseen));
		if (l->unseen_count > NOTICE_TIMES_MAX || m->unseen_count > NOTICE_TIMES_MAX)
			buf_add_cstr(b, "    and further times; we can give you all\n");
	}
	add_unknown_limits(b);
	add_advice(b);
	add_check(b, h);
	if (m->listed_count) {
		buf_printf(b, "\nThe messages%s\n",
			   m->listed_count < m->messages ? " (the first of them; we can give you all)" : "");
		buf_add_str(b, buf_str(&m->listed));
	}
}

void letter_organisation(struct buf *b, const struct letters *l, const char *domain, const struct letter_head *h)
{
	uint64_t boxes = 0, messages = 0, whole = 0, blind = 0;
	int64_t tenths = 0;
	char text[TIME_TEXT_SIZE];

	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(letter_domain(&l->v[i]), domain) != 0)
			continue;
		boxes++;
		messages += l->v[i].messages;
		whole += l->v[i].assume_all;
		blind += l->v[i].unknown_tenths > 0;
		tenths += l->v[i].unknown_tenths;
	}
	add_head(b, l, domain, h);
	buf_printf(b, l->dark ? "For a time, what was read in %" PRIu64 " %s of your organisation was not recorded.\n\nWhat we know\n"
		      : l->intruder ? "Somebody other than their owners had access to mail in %" PRIu64 " %s of your organisation.\n\nWhat we know\n"
				    : "Mail in %" PRIu64 " %s of your organisation was opened in a way that was reported as unusual. It may have "
				      "been allowed;\nthat is still being looked into.\n\nWhat we know\n",
		   NOUNS(boxes, "mailbox", "mailboxes"));
	buf_printf(b, "  %" PRIu64 " %s opened.\n\nWhat we have to assume\n",
		   NOUNS(messages, "message was", "messages were"));
	if (whole)
		buf_printf(b, "  %" PRIu64 " %s copied as a whole.\n", NOUNS(whole, "mailbox was", "mailboxes were"));
	else
		buf_add_cstr(b, "  Nothing beyond that: no whole mailbox was synchronised in that way, as far as "
				"the log shows.\n");
	buf_add_cstr(b, "\nWhat we do not know\n");
	if (blind)
		buf_printf(b, "  For %" PRIu64 " %s hours in which reading was not recorded: %s hours in all.\n",
			   NOUNS(blind, "mailbox there are", "mailboxes there are"), time_format_tenths(tenths, text));
	add_unknown_limits(b);
	add_advice(b);
	add_check(b, h);
	buf_add_cstr(b, "\nThe mailboxes\n");
	for (size_t i = 0; i < l->n; i++) {
		const struct letter_line *m = &l->v[i];
		if (strcmp(letter_domain(m), domain) != 0)
			continue;
		buf_add_cstr(b, "  ");
		add_name(b, m->key);
		buf_printf(b, ": %" PRIu64 " %s", NOUNS(m->messages, "message", "messages"));
		if (m->assume_all)
			buf_add_cstr(b, ", to be assumed: all of it");
		if (m->unknown_tenths)
			buf_printf(b, ", unknown: %s hours", time_format_tenths(m->unknown_tenths, text));
		if (m->first_us)
			buf_printf(b, ", first %s", time_format_minute(m->first_us, text));
		buf_add_char(b, '\n');
	}
}
