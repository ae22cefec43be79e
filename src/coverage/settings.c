/* SPDX-License-Identifier: Apache-2.0 */
/* settings: see settings.h.  A row, of whatever form, is a list of names and texts; nested JSON is kept as text, since
 * it is only searched for words. */
#include "coverage/settings.h"

#include <stdlib.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/table.h"
#include "base/truth.h"
#include "decode/walk.h"
#include "event/audit_switch.h"

#define COLUMNS 512

struct settings_private { struct table by_name; /* key of the folded name -> uint32_t place */ };
struct pair { struct str name, value; };
struct pairs { struct pair v[COLUMNS]; size_t n; };

const char settings_licences[] =
	"A basic licence (Audit Standard) has written MailItemsAccessed since about June 2024 and keeps records for 180 days; a premium one (E5, "
	"G5, A5, or E5 Compliance) keeps them for a year and has written MailItemsAccessed all along. Before June 2024 a mailbox without "
	"premium auditing has no record of what was read. Sources: office365itpros.com/2024/05/23/new-audit-events-may24, "
	"learn.microsoft.com/purview/audit-log-investigate-accounts.";

struct audit_settings *settings_new(void)
{
	struct audit_settings *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->priv = calloc(1, sizeof *s->priv);
	if (!s->priv) {
		free(s);
		return NULL;
	}
	table_init(&s->priv->by_name, sizeof(uint32_t), COVERAGE_ACCOUNTS_MAX);
	return s;
}

void settings_free(struct audit_settings *s)
{
	if (!s)
		return;
	table_release(&s->priv->by_name);
	free(s->priv);
	free(s->accounts);
	free(s);
}

/* -- rows -- */

static struct str value_of(const struct pairs *row, const char *name)
{
	for (size_t i = 0; i < row->n; i++)
		if (str_eq_nocase(row->v[i].name, str_of(name)))
			return str_trim(row->v[i].value);
	return STR_NONE;
}

static bool has(const struct pairs *row, const char *name)
{
	for (size_t i = 0; i < row->n; i++)
		if (str_eq_nocase(row->v[i].name, str_of(name)))
			return true;
	return false;
}

static bool says_true(struct str s) { return truth_of(s) == TRUTH_YES; }
static bool says_false(struct str s) { return truth_of(s) == TRUTH_NO; }

static struct audit_account *account(struct audit_settings *s, struct str name)
{
	char folded[256];
	size_t n = name.n < sizeof folded ? name.n : sizeof folded;
	bool is_new;
	for (size_t i = 0; i < n; i++)
		folded[i] = ascii_lower(name.p[i]);
	uint32_t *at = n ? table_put(&s->priv->by_name, hash64(folded, n, 0), &is_new) : NULL;
	if (!at) {
		s->refused += n > 0;
		return NULL;
	}
	if (!is_new)
		return &s->accounts[*at];
	if (s->count == s->capacity) {
		size_t want = s->capacity ? s->capacity * 2 : 256;
		struct audit_account *p = realloc(s->accounts, want * sizeof *p);
		if (!p) {
			table_remove(&s->priv->by_name, hash64(folded, n, 0));
			s->refused++;
			return NULL;
		}
		s->accounts = p;
		s->capacity = want;
	}
	*at = (uint32_t)s->count;
	struct audit_account *a = &s->accounts[s->count++];
	*a = (struct audit_account){ 0 };
	size_t kept = name.n < sizeof a->name - 1 ? name.n : sizeof a->name - 1;
	memcpy(a->name, name.p, kept);
	return a;
}

/* Is that word in the text, with no letter or digit at its sides? */
static bool has_word(struct str s, struct str word)
{
	for (size_t i = 0; i + word.n <= s.n; i++) {
		struct str part = { s.p + i, word.n };
		char before = i ? s.p[i - 1] : ' ', after = i + word.n < s.n ? s.p[i + word.n] : ' ';
		bool inside = (before >= '0' && before <= '9') || (ascii_lower(before) >= 'a' && ascii_lower(before) <= 'z')
			|| (after >= '0' && after <= '9') || (ascii_lower(after) >= 'a' && ascii_lower(after) <= 'z');
		if (!inside && str_eq_nocase(part, word))
			return true;
	}
	return false;
}

static bool is_one_of(struct str s, const char *const *words)
{
	for (; *words; words++)
		if (str_eq_nocase(s, str_of(*words)))
			return true;
	return false;
}

/* Is the cell without information?  Export-Csv writes the .NET type name for a list or an object; people and portals write a
 * dash for unknown values.  An empty cell is not meant here: it means an empty list. */
static bool says_nothing(struct str s)
{
	static const char *const unknown[] = { "-", "--", "\xe2\x80\x93", "\xe2\x80\x94", "?", "N/A", "#N/A", "NA", "n.a.", "k.A.", "Unknown", "Unbekannt", "Inconnu",
		"TBD", "#REF!", "#VALUE!", "#NAME?", "@{}", NULL };
	s = str_trim(s);
	if (is_one_of(s, unknown))
		return true;
	/* every word of it is the name of a type: System.Object[], Microsoft.Graph...License, System.Collections.Generic.List`1[...] */
	size_t words = 0;
	for (size_t i = 0; i < s.n; words++) {
		struct str word = { s.p + i, 0 };
		size_t depth = 0;
		for (; i < s.n && (depth || !strchr(" ,;|", s.p[i])); i++)
			depth += s.p[i] == '[' ? 1U : s.p[i] == ']' && depth ? -1U : 0U;
		word.n = (size_t)(s.p + i - word.p);
		while (i < s.n && strchr(" ,;|", s.p[i]))
			i++;
		while (word.n && strchr("{\"'", word.p[0]))
			word.p++, word.n--;
		if (!str_starts_nocase(word, STR("System.")) && !str_starts_nocase(word, STR("Microsoft.")) && !str_starts_nocase(word, STR("Deserialized.")))
			return false;
	}
	return words > 0;
}

static void take_licence(struct audit_account *a, struct str s)
{
	static const struct str premium[] = {
		{ "E5", 2 }, { "G5", 2 }, { "A5", 2 }, { "ENTERPRISEPREMIUM", 17 }, { "INFORMATION_PROTECTION_COMPLIANCE", 33 },
		{ "M365_ADVANCED_AUDITING", 22 }, { "06ebc4ee-1bb5-47dd-8120-11324bc54e06", 36 }, /* SPE_E5 */
		{ "c7df2760-2c81-4ef7-b578-5b5392b571df", 36 },                                 /* ENTERPRISEPREMIUM */
	};
	static const char *const unlicensed[] = { "", "[]", "{}", "null", "$null", "None", "(none)", "<none>", "Unlicensed", "Nicht lizenziert", "Sans licence", "Sin licencia",
		"Senza licenza", "Sem licen\303\247a", "Zonder licentie", NULL };
	enum licence found = LICENCE_BASIC;
	ptrdiff_t plan = str_find_nocase(s, STR("M365_ADVANCED_AUDITING"));
	s = str_trim(s);
	if (is_one_of(s, unlicensed))
		found = LICENCE_NONE;
	for (size_t i = 0; found == LICENCE_BASIC && i < sizeof premium / sizeof premium[0]; i++)
		if (has_word(s, premium[i]))
			found = LICENCE_PREMIUM;
	if (plan >= 0) {
		struct str rest = { s.p + plan, s.n - (size_t)plan < 160 ? s.n - (size_t)plan : 160 };
		ptrdiff_t end = str_find(rest, STR("}"));
		if (end >= 0)
			rest.n = (size_t)end;
		if (str_find_nocase(rest, STR("Disabled")) >= 0)
			a->wrong |= WRONG_PLAN_OFF;
	}
	if (found > a->licence)
		a->licence = found;
}

static bool list_lacks(const struct pairs *row, const char *name, const char *role)
{
	struct str v = value_of(row, name), managed = value_of(row, "DefaultAuditSet");
	if (!has(row, name) || says_nothing(v))
		return false;
	if (has_word(managed, str_of(role)))
		return false; /* Microsoft keeps that list: MailItemsAccessed is in it */
	return !v.n || switch_of_actions(v) == SWITCH_OFF;
}

static void take_row(struct audit_settings *s, const struct pairs *row)
{
	static const char *const names[] = { "UserPrincipalName", "User principal name", "MicrosoftOnlineServicesID", "PrimarySmtpAddress", "WindowsEmailAddress",
		"UPN", "Identity", "Alias", "Name" };
	static const char *const licences[] = { "Licenses", "AssignedLicenses", "SkuPartNumber", "LicenseDetails", "AssignedPlans", "Product", "Products", "SkuId", "ServicePlans" };
	struct str name = STR_NONE, v;
	s->rows++;
	v = value_of(row, "UnifiedAuditLogIngestionEnabled");
	if (says_true(v) || says_false(v))
		s->ingestion = says_true(v) ? KNOWN_GOOD : KNOWN_BAD;
	v = value_of(row, "AuditDisabled");
	if (says_true(v) || says_false(v))
		s->organization = says_false(v) ? KNOWN_GOOD : KNOWN_BAD;
	bool mailbox = has(row, "AuditEnabled") || has(row, "AuditOwner") || has(row, "DefaultAuditSet"), bypass = has(row, "AuditBypassEnabled"), licence = false;
	for (size_t i = 0; i < sizeof licences / sizeof licences[0]; i++)
		licence |= has(row, licences[i]) && !says_nothing(value_of(row, licences[i]));
	if (!mailbox && !bypass && !licence)
		return;
	for (size_t i = 0; i < sizeof names / sizeof names[0] && !name.n; i++)
		name = value_of(row, names[i]);
	struct audit_account *a = account(s, name);
	if (!a)
		return;
	if (says_true(value_of(row, "AuditBypassEnabled")))
		a->wrong |= WRONG_BYPASS;
	if (mailbox) {
		a->is_mailbox = true;
		a->wrong |= list_lacks(row, "AuditOwner", "Owner") ? WRONG_OWNER : 0;
		a->wrong |= list_lacks(row, "AuditDelegate", "Delegate") ? WRONG_DELEGATE : 0;
		a->wrong |= list_lacks(row, "AuditAdmin", "Admin") ? WRONG_ADMIN : 0;
		a->wrong |= says_false(value_of(row, "AuditEnabled")) ? WRONG_AUDIT_ENABLED : 0;
		v = value_of(row, "RecipientTypeDetails");
		if (str_eq_nocase(v, STR("RoomMailbox")) || str_eq_nocase(v, STR("EquipmentMailbox")) || str_eq_nocase(v, STR("DiscoveryMailbox")) ||
		    str_eq_nocase(v, STR("PublicFolderMailbox")))
			a->wrong |= WRONG_NEVER_LOGGED;
	}
	for (size_t i = 0; i < sizeof licences / sizeof licences[0]; i++)
		if (has(row, licences[i]) && !says_nothing(value_of(row, licences[i])))
			take_licence(a, value_of(row, licences[i]));
}

/* -- CSV -- */

/* One cell from *at on, unquoted into out (which is as long as the text).  Returns the delimiter after it, '\n', or 0 at the end. */
static char next_cell(const char *p, size_t n, size_t *at, char delimiter, char *out, struct str *ret)
{
	size_t i = *at, k = 0;
	bool quoted = i < n && p[i] == '"';
	i += quoted;
	while (i < n) {
		if (quoted && p[i] == '"') {
			if (i + 1 < n && p[i + 1] == '"') {
				i++;
			} else {
				quoted = false;
				i++;
				continue;
			}
		} else if (!quoted && (p[i] == delimiter || p[i] == '\n')) {
			break;
		}
		out[k++] = p[i++];
	}
	*ret = str_trim((struct str){ out, k });
	*at = i < n ? i + 1 : i;
	return i < n ? p[i] : 0;
}

static bool parse_csv(struct audit_settings *s, const char *p, size_t n)
{
	struct pairs *row = calloc(1, sizeof *row);
	char *header = malloc(n + 1), *cells = malloc(n + 1);
	size_t at = 0, used = 0, columns = 0;
	bool good = row && header && cells;
	for (struct str rest = { p, n }; good && (str_starts(rest, STR("#TYPE")) || str_starts_nocase(rest, STR("sep="))); rest = (struct str){ p + at, n - at })
		while (at < n && p[at++] != '\n')
			;
	char delimiter = ',', end;
	size_t line = at;
	while (line < n && p[line] != '\n')
		line++;
	if (good && !memchr(p + at, ',', line - at))
		delimiter = memchr(p + at, ';', line - at) ? ';' : '\t';
	end = delimiter;
	while (good && end == delimiter && columns < COLUMNS) {
		end = next_cell(p, n, &at, delimiter, header + used, &row->v[columns].name);
		used += row->v[columns++].name.n;
	}
	row = good ? row : NULL;
	while (good && at < n) {
		size_t k = 0;
		used = 0;
		for (end = delimiter; end == delimiter; ) {
			struct str v;
			end = next_cell(p, n, &at, delimiter, cells + used, &v);
			used += v.n;
			if (k < columns)
				row->v[k++].value = v;
		}
		for (size_t i = k; i < columns; i++)
			row->v[i].value = STR_NONE;
		row->n = columns;
		if (k > 1 || row->v[0].value.n)
			take_row(s, row);
	}
	free(row);
	free(header);
	free(cells);
	return good;
}

/* -- JSON -- */

static uint32_t take_value(struct audit_settings *s, const struct json_index *x, uint32_t v, struct pairs *row, char *room, unsigned depth)
{
	uint32_t after = walk_skip(x, v);
	if (after >= WALK_DEEP || depth > 3)
		return after;
	if (walk_char(x, v) == '[') {
		struct walk_array a = walk_array(x, v);
		for (uint32_t e; (e = walk_next_element(&a)) != WALK_BAD; a.next = walk_skip(x, e))
			if (walk_char(x, e) == '{')
				take_value(s, x, e, row, room, depth + 1);
	} else if (walk_char(x, v) == '{') {
		struct walk_object o = walk_object(x, v);
		size_t used = 0;
		row->n = 0;
		for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
			struct str name = walk_raw_string(x, key), raw = walk_raw_string(x, key + 2);
			uint32_t next = walk_skip(x, key + 2);
			if (str_eq(name, STR("value")) && walk_char(x, key + 2) == '[' && depth == 0) { /* a page of Graph */
				take_value(s, x, key + 2, row, room, depth + 1);
				return after;
			}
			if (row->n == COLUMNS || next >= WALK_DEEP)
				continue;
			if (raw.p) {
				raw = walk_unescape(raw, room + used);
				used += raw.n;
			} else if (walk_char(x, key + 2) == '{' || walk_char(x, key + 2) == '[') {
				raw = (struct str){ x->p + x->at[key + 2], x->at[next] - x->at[key + 2] };
				while (raw.n && raw.p[raw.n - 1] != '}' && raw.p[raw.n - 1] != ']')
					raw.n--;
			} else {
				raw = walk_bare(x, key + 2);
			}
			row->v[row->n++] = (struct pair){ name, raw };
		}
		take_row(s, row);
	}
	return after;
}

static bool parse_json(struct audit_settings *s, char *p, size_t n, bool *ret_bad)
{
	struct json_indexer *indexer = json_indexer_new();
	struct json_index x;
	struct pairs *row = calloc(1, sizeof *row);
	char *room = malloc(n + 64);
	bool good = indexer && row && room;
	if (good && json_index(indexer, p, n, &x) == JSON_OK) {
		uint32_t v = 0;
		while (v < x.n && v < WALK_DEEP)
			v = take_value(s, &x, v, row, room, 0);
		*ret_bad = v >= WALK_DEEP;
	} else {
		*ret_bad = true;
	}
	json_indexer_free(indexer);
	free(row);
	free(room);
	return good;
}

/* -- files -- */

bool settings_parse(struct audit_settings *s, const char *name, const char *text, size_t n, struct buf *error)
{
	struct buf utf8;
	bool good, bad = false;
	uint64_t rows = s->rows;
	size_t accounts = s->count;
	enum known tenant[2] = { s->ingestion, s->organization };
	buf_init(&utf8, 3 * (size_t)COVERAGE_SETTINGS_BYTES_MAX + 128);
	if (!text_to_utf8((struct str){ text, n }, &utf8, NULL) || !buf_reserve(&utf8, 64)) {
		buf_printf(error, "%s: out of memory", name);
		buf_release(&utf8);
		return false;
	}
	char *p = utf8.p;
	n = utf8.n;
	memset(p + n, 0, 64);
	struct str start = str_trim((struct str){ p, n });
	if (start.n && (start.p[0] == '{' || start.p[0] == '['))
		good = parse_json(s, p, n, &bad);
	else
		good = parse_csv(s, p, n);
	buf_release(&utf8);
	if (!good)
		buf_printf(error, "%s: out of memory", name);
	else if (bad)
		buf_printf(error, "%s: not well-formed JSON; was the export cut short?", name);
	else if (s->rows == rows || (s->count == accounts && tenant[0] == s->ingestion && tenant[1] == s->organization && accounts == 0))
		buf_printf(error, "%s: no audit setting and no licence in it; export Get-Mailbox, Get-MailboxAuditBypassAssociation, "
			   "Get-AdminAuditLogConfig, Get-OrganizationConfig or a licence list as CSV or JSON", name);
	else
		return true;
	return false;
}

/* -- what follows from it -- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct audit_account *)a)->name, ((const struct audit_account *)b)->name);
}

void settings_finish(struct audit_settings *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->accounts[i].licence == LICENCE_NONE)
			s->accounts[i].wrong |= WRONG_NO_LICENCE;
	if (s->count)
		qsort(s->accounts, s->count, sizeof *s->accounts, by_name);
	table_release(&s->priv->by_name); /* places have changed */
}

void settings_sentence(const struct audit_account *a, struct buf *b)
{
	static const struct { uint32_t bit; const char *text; } all[] = {
		{ WRONG_BYPASS, "audit bypass is on: the actions of this account are logged in no mailbox, its own or another's" },
		{ WRONG_OWNER, "MailItemsAccessed is not among the owner's audited actions: reads by the owner's account are not logged" },
		{ WRONG_DELEGATE, "it is not among those of delegates" },
		{ WRONG_ADMIN, "it is not among those of administrators" },
		{ WRONG_NO_LICENCE, "no licence: no event that needs one is logged" },
		{ WRONG_PLAN_OFF, "the plan M365_ADVANCED_AUDITING of its licence is switched off: premium events and the long retention are gone" },
		{ WRONG_NEVER_LOGGED, "a kind of mailbox whose reads are never logged (room, equipment, discovery, public folder)" },
		{ WRONG_AUDIT_ENABLED, "AuditEnabled is False, which is ignored while auditing is on by default" },
	};
	bool any = false;
	buf_add_cstr(b, a->name[0] ? a->name : "an account without a name");
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (!(a->wrong & all[i].bit))
			continue;
		buf_add_cstr(b, any ? "; " : ": ");
		buf_add_cstr(b, all[i].text);
		any = true;
	}
}
