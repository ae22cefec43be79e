/* SPDX-License-Identifier: Apache-2.0 */
/* baseline_say: the sentences of a verdict, made from the numbers that decided: what was seen, what is normal here, the
 * two or three reasons with their odds, all together, what it would have taken not to alert, and what could not be seen. */
#include "detect/baseline.h"
#include "detect/family.h"

#include <math.h>
#include <stdio.h>

#define REASON_LN_P (-2.995732273553991) /* ln 0.05: weaker evidence is ignored */

/* "9,300": two digits that mean something and the rest of it */
const char *grouped(double x, char out[NUMBER_SIZE])
{
	char digits[NUMBER_SIZE];
	if (!(x < 1e15))
		x = 1e15;
	if (x >= 1000) {
		double unit = pow(10, floor(log10(x)) - 1);
		x = floor(x / unit) * unit;
	}
	int n = snprintf(digits, sizeof digits, "%.0f", x), at = 0;
	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = 0;
	return out;
}

static const char *one_in(double ln_p, char out[NUMBER_SIZE])
{
	return grouped(exp(-ln_p), out);
}

static double least(double a, double b) { return a < b ? a : b; }

/* If all parts together are less rare than the rarest part: says what the figure was corrected for. */
static const char *correction(const struct baseline *b, const struct verdict *v, enum family k, const struct edge_evidence *e,
			      const char *noun, char out[SAY_SIZE])
{
	out[0] = 0;
	if (v->ln_p[k] <= least(e->ln_nov, e->items ? e->ln_volume : 0) + 0.01)
		return out;
	int n = snprintf(out, SAY_SIZE, " (less rare than its parts, because it is corrected for");
	if (e->news > 1)
		n += snprintf(out + n, SAY_SIZE - (size_t)n, " the %s that were new here on that day, and for", COUNT(e->news, noun));
	snprintf(out + n, SAY_SIZE - (size_t)n, "%s)", b->retrospect ? " what the model does not know"
		: " how often such figures came up by chance in the last 30 days");
	return out;
}

static void reason_new(const struct baseline *b, struct alert *al, const struct verdict *v, enum family k, const char *subject, const char *noun)
{
	const struct edge_evidence *e = &v->news[k == FAMILY_CLIENT ? SUBJECT_CLIENT : SUBJECT_NET];
	const uint32_t others = b->present ? b->present - 1 : 0;
	char odds[NUMBER_SIZE], rarity[NUMBER_SIZE], more[NUMBER_SIZE], but[SAY_SIZE];
	one_in(v->ln_p[k], odds);
	correction(b, v, k, e, noun, but);
	if (e->items)
		alert_reason(al, family_docs[k].name, exp(v->ln_p[k]),
			     "%s is new to this mailbox and is used in %s of %s others. A new %s this rare: 1 in %s; so many items on its first day: 1 in %s; "
			     "together: 1 in %s%s.", subject, DIGITS(e->others), DIGITS(others), noun, one_in(e->ln_nov, rarity),
			     one_in(e->ln_volume, more), odds, but);
	else
		alert_reason(al, family_docs[k].name, exp(v->ln_p[k]), "%s is new to this mailbox and is used in %s of %s others. A new %s this rare: 1 in %s%s%s%s.",
			     subject, DIGITS(e->others), DIGITS(others), noun, but[0] ? one_in(e->ln_nov, rarity) : odds,
			     but[0] ? "; with all: 1 in " : "", but[0] ? odds : "", but);
}

/* "three months" of three months; else what there is */
static const char *drift_span(const struct baseline *b, const struct mailbox_row *row, char out[COUNT_SIZE])
{
	uint32_t weeks = (uint32_t)(b->day - row->first_day) / 7;
	if (weeks >= 13) {
		snprintf(out, COUNT_SIZE, "three months");
		return out;
	}
	return count_of(weeks ? weeks : 1, "week", out);
}

/* Is this family a reason to report?  Not if it is likelier than 1 in 20, nor if the day that all mailboxes had
 * explains it, nor an amount within the range that the same alert calls normal. */
static bool is_reason(const struct baseline *b, const struct verdict *v, enum family k)
{
	const struct open_day *o = &baseline_row(b, v->mailbox)->open;
	if (v->ln_p[k] >= REASON_LN_P || b->today.wave[k])
		return false;
	return k != FAMILY_VOLUME || o->items > volume_quantile(&v->outlook, 0.05);
}

static enum family strongest(const struct baseline *b, const struct verdict *v, const bool used[FAMILIES])
{
	unsigned best = FAMILIES;
	for (unsigned k = 0; k < FAMILIES; k++)
		if (!(used && used[k]) && is_reason(b, v, k) && (best == FAMILIES || v->ln_p[k] < v->ln_p[best]))
			best = k;
	return best;
}

static void reason(const struct baseline *b, const struct world *w, struct alert *al, const struct verdict *v, enum family k)
{
	char name[SAY_SIZE], odds[NUMBER_SIZE], span[COUNT_SIZE];
	const struct mailbox_row *row = baseline_row(b, v->mailbox);
	const struct open_day *o = &row->open;
	const struct edge_evidence *e;
	const uint32_t others = b->present ? b->present - 1 : 0;
	double p = exp(v->ln_p[k]);
	one_in(v->ln_p[k], odds);
	switch (k) {
	case FAMILY_VOLUME:
		alert_reason(al, family_docs[k].name, p, "So many items for this mailbox (%s through clients that it is used to): 1 in %s.", DIGITS(o->items), odds);
		break;
	case FAMILY_CLIENT:
		reason_new(b, al, v, k, say_client(w, v->news[SUBJECT_CLIENT].subject, name), "client");
		break;
	case FAMILY_NET:
		reason_new(b, al, v, k, world_net_label(w, v->news[SUBJECT_NET].subject), "network");
		break;
	case FAMILY_EDGE:
		e = &v->edge;
		alert_reason(al, family_docs[k].name, p, "%s, used here for %s, never read so many items in a day (%s): 1 in %s.",
			     v->edge_kind == SUBJECT_CLIENT ? say_client(w, e->subject, name) : world_net_label(w, e->subject), COUNT(e->age, "day"),
			     DIGITS(e->items), odds);
		break;
	case FAMILY_ACTOR:
		e = &v->news[SUBJECT_ACTOR];
		alert_reason(al, family_docs[k].name, p, "%s never read this mailbox before: 1 in %s.", say_actor(w, e->subject, name), odds);
		break;
	case FAMILY_THROTTLE:
		alert_reason(al, family_docs[k].name, p, "Exchange stopped recording reads here, after more than 1,000 in a day: 1 in %s.", odds);
		break;
	case FAMILY_BURST:
		alert_reason(al, family_docs[k].name, p, "So many items within ten minutes (%s): 1 in %s.", DIGITS(o->cell_most), odds);
		break;
	case FAMILY_SPREAD:
		alert_reason(al, family_docs[k].name, p, "Items of so many folders (about %s): 1 in %s.", DIGITS((uint64_t)(folders_seen(o->folders) + 0.5)), odds);
		break;
	case FAMILY_SYNC:
		alert_reason(al, family_docs[k].name, p, "So many folder synchronisations in a day (%s): 1 in %s.", DIGITS(o->syncs), odds);
		break;
	case FAMILY_HOUR:
		alert_reason(al, family_docs[k].name, p, "Read between %02u:00 and %02u:59 UTC, when it usually is not: 1 in %s.", v->hour, v->hour, odds);
		break;
	case FAMILY_PLACES:
		alert_reason(al, family_docs[k].name, p, "One client changed %s between a network that is new here and one that is not, as two readers do: 1 in %s.",
			     COUNT(o->places, "time"), odds);
		break;
	case FAMILY_ALONE:
		e = &v->alone;
		alert_reason(al, family_docs[k].name, p, "%s came %s ago and is in %s of %s others since; a client that stays this rare: 1 in %s.",
			     say_client(w, e->subject, name), COUNT(e->age, "day"), DIGITS(e->others), DIGITS(others), odds);
		break;
	case FAMILY_PAIR:
		alert_reason(al, family_docs[k].name, p, "%s is used elsewhere, but never from %s, and both are new to this mailbox: 1 in %s.",
			     say_client(w, v->pair[0], name), world_net_label(w, v->pair[1]), odds);
		break;
	case FAMILY_DRIFT:
		alert_reason(al, family_docs[k].name, p, "More this week than in the %s before: 1 in %s.", drift_span(b, row, span), odds);
		break;
	default:
		alert_reason(al, family_docs[k].name, p, "Unusual %s: 1 in %s.", family_docs[k].name, odds);
	}
}

static uint32_t scaled(uint32_t x, double share)
{
	return x && x * share < 1 ? 1 : (uint32_t)(x * share);
}

/* Everything else as it was, how many items fewer would have stayed silent?  0: it alerts without any. */
static uint32_t items_not_to_alert(const struct baseline *b, const struct verdict *v)
{
	const struct mailbox_row *row = baseline_row(b, v->mailbox);
	double low = 0, high = 1;
	for (int i = 0; i < 14; i++) {
		struct mailbox_row copy = *row;
		struct verdict now;
		double share = i ? (low + high) / 2 : 0;
		copy.open.items = scaled(copy.open.items, share);
		for (unsigned k = 0; k < ROW_CLIENTS; k++)
			copy.clients[k].items = scaled(copy.clients[k].items, share);
		for (unsigned k = 0; k < ROW_NETS; k++)
			copy.nets[k].items = scaled(copy.nets[k].items, share);
		baseline_judge(b, v->mailbox, &copy, &now);
		if (now.lanes && i == 0)
			return 0;
		if (now.lanes)
			high = share;
		else
			low = share;
	}
	return (uint32_t)(row->open.all_items * high);
}

const struct trail *verdict_subject(const struct baseline *b, const struct verdict *v)
{
	const struct mailbox_row *row = baseline_row(b, v->mailbox);
	const struct edge_evidence *client = &v->news[SUBJECT_CLIENT], *net = &v->news[SUBJECT_NET], *actor = &v->news[SUBJECT_ACTOR];
	const bool new_client = v->ln_p[FAMILY_CLIENT] < REASON_LN_P && client->subject != NONE;
	const bool new_net = v->ln_p[FAMILY_NET] < REASON_LN_P && net->subject != NONE;
	const bool new_actor = v->ln_p[FAMILY_ACTOR] < REASON_LN_P && actor->subject != NONE;
	const bool amount = v->top == FAMILY_VOLUME || v->top == FAMILY_EDGE || v->top == FAMILY_BURST || v->top == FAMILY_SPREAD || v->top == FAMILY_DRIFT;
	if (amount && strongest(b, v, NULL) == v->top)
		return NULL;
	if (v->top == FAMILY_ALONE)
		return trail_of(b, row, SUBJECT_CLIENT, v->alone.subject);
	if (v->top == FAMILY_PLACES && net->subject == NONE && row->open.places_net)
		return trail_of(b, row, SUBJECT_NET, row->open.places_net - 1);
	if (v->top == FAMILY_ACTOR && new_actor)
		return trail_of(b, row, SUBJECT_ACTOR, actor->subject);
	if (v->top == FAMILY_NET && new_net)
		return trail_of(b, row, SUBJECT_NET, net->subject);
	if (new_client)
		return trail_of(b, row, SUBJECT_CLIENT, client->subject);
	if (new_net)
		return trail_of(b, row, SUBJECT_NET, net->subject);
	return new_actor ? trail_of(b, row, SUBJECT_ACTOR, actor->subject) : NULL;
}

/* about one client, network or actor */
static void title_subject(const struct world *w, struct alert *al, const struct verdict *v, const struct mailbox_row *row, const struct trail *t, const char *box)
{
	char name[SAY_SIZE];
	const char *what = t->items ? COUNT(t->items, "item") : NULL;
	if (v->top == FAMILY_ALONE)
		alert_title(al, "%s has been used in %s and in no other mailbox for %s", say_client(w, t->subject, name), box, COUNT(v->alone.age, "day"));
	else if (t->kind == SUBJECT_NET && !t->fresh)
		alert_title(al, "%s was read alternately from a known network and a new one, %s (%s in a day)", box, world_net_label(w, t->subject),
			    COUNT(row->open.places, "change"));
	else if (t->kind == SUBJECT_CLIENT && what)
		alert_title(al, "%s, new to %s, read %s in a day", say_client(w, t->subject, name), box, what);
	else if (t->kind == SUBJECT_CLIENT)
		alert_title(al, "%s, new to %s, %s", say_client(w, t->subject, name), box, v->news[SUBJECT_CLIENT].sync ? "synchronised whole folders" : "opened it");
	else if (t->kind == SUBJECT_ACTOR && what)
		alert_title(al, "%s read %s for the first time: %s in a day", say_actor(w, t->subject, name), box, what);
	else if (t->kind == SUBJECT_ACTOR)
		alert_title(al, "%s opened %s for the first time", say_actor(w, t->subject, name), box);
	else if (what)
		alert_title(al, "%s was read from %s for the first time: %s in a day", box, world_net_label(w, t->subject), what);
	else
		alert_title(al, "%s was %s from %s for the first time", box, v->news[SUBJECT_NET].sync ? "synchronised" : "opened", world_net_label(w, t->subject));
}

/* about the mailbox's day: what decided, never an amount that is within its range */
static void title_mailbox(const struct baseline *b, const struct world *w, struct alert *al, const struct verdict *v, const char *box)
{
	const struct mailbox_row *row = baseline_row(b, v->mailbox);
	const struct open_day *o = &row->open;
	char name[SAY_SIZE], span[COUNT_SIZE];
	switch (strongest(b, v, NULL)) {
	case FAMILY_VOLUME:
		alert_title(al, "%s read in %s in a day, out of its habits", COUNT(o->all_items, "item"), box);
		break;
	case FAMILY_EDGE:
		alert_title(al, "%s read %s of %s in a day, more than ever", v->edge_kind == SUBJECT_CLIENT ? say_client(w, v->edge.subject, name)
			    : world_net_label(w, v->edge.subject), COUNT(v->edge.items, "item"), box);
		break;
	case FAMILY_THROTTLE:
		alert_title(al, "So much of %s was read that Exchange stopped recording it", box);
		break;
	case FAMILY_BURST:
		alert_title(al, "%s of %s read within ten minutes, out of its habits", COUNT(o->cell_most, "item"), box);
		break;
	case FAMILY_SPREAD:
		alert_title(al, "Items of about %s of %s read in a day, out of its habits", COUNT((uint64_t)(folders_seen(o->folders) + 0.5), "folder"), box);
		break;
	case FAMILY_SYNC:
		alert_title(al, "%s in %s in a day, out of its habits", COUNT(o->syncs, "folder synchronisation"), box);
		break;
	case FAMILY_HOUR:
		alert_title(al, "%s was read between %02u:00 and %02u:59 UTC, when it usually is not", box, v->hour, v->hour);
		break;
	case FAMILY_PLACES:
		alert_title(al, "%s was read alternately from a known and a new network (%s in a day)", box, COUNT(o->places, "change"));
		break;
	case FAMILY_PAIR:
		alert_title(al, "%s was read with a new client from a new network", box);
		break;
	case FAMILY_DRIFT:
		alert_title(al, "%s is read more this week than in the %s before", box, drift_span(b, row, span));
		break;
	default:
		alert_title(al, "%s was read a little unusually on several days in a row", box);
	}
}

/* Which lanes crossed, and with what: a mailbox-day that looks harmless alone may be the third one. */
static void say_lanes(const struct baseline *b, struct alert *al, const struct verdict *v)
{
	char x[NUMBER_SIZE];
	if (v->lanes & LANE_DAY)
		alert_why(al, "This day alone, all its evidence together: expected by chance once in %s mailbox-days.", one_in(v->ln_p_day, x));
	if (v->lanes & LANE_NOVELTY)
		alert_why(al, "What was new on this day, however little it read: expected by chance once in %s mailbox-days.", one_in(v->ln_p_novelty, x));
	if (v->lanes & LANE_DAYS)
		alert_why(al, "Three days in a row, none of which has to be rare alone: together expected by chance once in %s mailbox-days.", one_in(v->ln_p_days, x));
	if (v->lanes & LANE_SLOW)
		alert_why(al, "Day after day: the evidence of the last days together is expected by chance once in %s mailbox-days.", grouped(v->sr, x));
	(void)b;
}

void baseline_say(const struct baseline *b, struct detect_ctx *c, struct alert *al, const struct verdict *v)
{
	const struct mailbox_row *row = baseline_row(b, v->mailbox);
	const struct open_day *o = &row->open;
	const struct trail *t = verdict_subject(b, v);
	char box[SAY_SIZE], day[TIME_TEXT_SIZE], x[NUMBER_SIZE], y[NUMBER_SIZE];
	bool used[FAMILIES] = { false };
	double low = volume_quantile(&v->outlook, 0.95), high = volume_quantile(&v->outlook, 0.05);

	alert_clear_why(al);
	al->odds = verdict_odds(v);
	al->baseline = (struct alert_baseline){ v->mailbox, o->items, expm1(v->outlook.mu), low, high, v->effective_days };
	say_mailbox(c->world, v->mailbox, box);
	if (t)
		title_subject(c->world, al, v, row, t, box);
	else
		title_mailbox(b, c->world, al, v, box);
	time_format((int64_t)b->day * US_PER_DAY, day);
	alert_why(al, "On %.10s: %s in %s; this mailbox normally has %s on an active day (90 %% range %s to %s, %.1f effective days)%s.",
		  day, COUNT(o->all_items, "item"), COUNT(o->records, "record"), DIGITS((uint64_t)(expm1(v->outlook.mu) + 0.5)), DIGITS((uint64_t)(low + 0.5)),
		  DIGITS((uint64_t)(high + 0.5)), v->effective_days, o->all_items >= low && o->all_items <= high ? ": the amount is not the reason" : "");
	double rarest = 0;
	for (unsigned i = 0; i < 3; i++) {
		enum family best = strongest(b, v, used);
		if (best == FAMILIES)
			break;
		used[best] = true;
		rarest = least(rarest, v->ln_p[best]);
		reason(b, c->world, al, v, best);
	}
	say_lanes(b, al, v);
	const char *but = log(al->odds) < -rarest - 0.01 ? "; that is less rare than the rarest reason, because each day of each mailbox is looked at in many ways" : "";
	if (v->lanes && b->retrospect)
		alert_why(al, "Combined, by a shipped table: expected by chance once in %s mailbox-days, roughly%s.", grouped(al->odds, x), but);
	else if (v->lanes)
		alert_why(al, "Calibrated on the last 30 days and combined: expected by chance once in %s mailbox-days (budget: one in %s)%s.",
			  grouped(al->odds, x), grouped(1 / b->budget.alpha, y), but);
	if (o->all_items && v->lanes) {
		uint32_t most = items_not_to_alert(b, v);
		if (most)
			alert_why(al, "It would not have alerted below about %s, all else equal.", COUNT(most, "item"));
		else
			alert_why(al, "It would have alerted with any number of items: who and from where is enough.");
	}
	if (b->retrospect)
		alert_blind(al, "the data begin %s before: judged in retrospect, against other mailboxes more than against its own past; "
				"nothing is promised about false alarms", COUNT(b->data_days, "day"));
	if (o->syncs)
		alert_blind(al, "%s of unknown volume: assume whole folders", COUNT(o->syncs, "Sync record"));
	if (o->throttled)
		alert_blind(al, "reads were throttled: for 24 hours nothing is recorded; assume everything");
}
