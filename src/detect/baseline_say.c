/* SPDX-License-Identifier: Apache-2.0 */
/* baseline_say: the sentences of a verdict, made from the numbers that decided: what was seen, what is normal here, the
 * two or three reasons with their odds, all together, what it would have taken not to alert, and what could not be seen. */
#include "detect/baseline.h"
#include "detect/family.h"

#include <math.h>
#include <stdio.h>

#define REASON_LN_P (-2.995732273553991) /* ln 0.05: less is no reason */

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

static void reason(const struct baseline *b, const struct world *w, struct alert *al, const struct verdict *v, enum family k)
{
	char name[SAY_SIZE], odds[NUMBER_SIZE], rarity[NUMBER_SIZE], more[NUMBER_SIZE];
	const struct edge_evidence *e;
	const uint32_t others = b->present ? b->present - 1 : 0;
	double p = exp(v->ln_p[k]);
	one_in(v->ln_p[k], odds);
	switch (k) {
	case FAMILY_VOLUME:
		alert_reason(al, family_docs[k].name, p, "So many items for this mailbox: 1 in %s.", odds);
		break;
	case FAMILY_CLIENT:
		e = &v->news[SUBJECT_CLIENT];
		alert_reason(al, family_docs[k].name, p, "%s is new to this mailbox and in %u of %u others; a new client this rare: 1 in %s%s%s; together 1 in %s.",
			     say_client(w, e->subject, name), e->others, others, one_in(e->ln_nov, rarity),
			     e->items ? ", with so many items on its first day 1 in " : "", e->items ? one_in(e->ln_volume, more) : "", odds);
		break;
	case FAMILY_NET:
		e = &v->news[SUBJECT_NET];
		alert_reason(al, family_docs[k].name, p, "%s is new to this mailbox and reads %u of %u others; a new network this rare: 1 in %s%s%s; together 1 in %s.",
			     world_net_label(w, e->subject), e->others, others, one_in(e->ln_nov, rarity),
			     e->items ? ", with so many items on its first day 1 in " : "", e->items ? one_in(e->ln_volume, more) : "", odds);
		break;
	case FAMILY_EDGE:
		e = &v->edge;
		alert_reason(al, family_docs[k].name, p, "%s, here for %u days, never brought so many items (%u): 1 in %s.",
			     v->edge_kind == SUBJECT_CLIENT ? say_client(w, e->subject, name) : world_net_label(w, e->subject), e->age,
			     e->items, odds);
		break;
	case FAMILY_ACTOR:
		e = &v->news[SUBJECT_ACTOR];
		alert_reason(al, family_docs[k].name, p, "%s never read this mailbox before: 1 in %s.", say_actor(w, e->subject, name), odds);
		break;
	case FAMILY_THROTTLE:
		alert_reason(al, family_docs[k].name, p, "Exchange stopped recording reads here, after more than 1,000 in a day: 1 in %s.", odds);
		break;
	case FAMILY_BURST:
		alert_reason(al, family_docs[k].name, p, "So many items within ten minutes (%u): 1 in %s.", baseline_row(b, v->mailbox)->open.cell_most, odds);
		break;
	case FAMILY_SPREAD:
		alert_reason(al, family_docs[k].name, p, "Items of so many folders (about %.0f): 1 in %s.", folders_seen(baseline_row(b, v->mailbox)->open.folders), odds);
		break;
	case FAMILY_SYNC:
		alert_reason(al, family_docs[k].name, p, "So many folders synchronised (%u): 1 in %s.", baseline_row(b, v->mailbox)->open.syncs, odds);
		break;
	case FAMILY_HOUR:
		alert_reason(al, family_docs[k].name, p, "Read at %02u:00 to %02u:59 UTC, when it usually is not: 1 in %s.", v->hour, v->hour, odds);
		break;
	case FAMILY_PLACES:
		alert_reason(al, family_docs[k].name, p, "One client took turns between a network that is new here and one that is not, %u times, as two readers do: 1 in %s.",
			     baseline_row(b, v->mailbox)->open.places, odds);
		break;
	case FAMILY_ALONE:
		e = &v->alone;
		alert_reason(al, family_docs[k].name, p, "%s came %u days ago and is in %u of %u others since; a client that stays this rare: 1 in %s.",
			     say_client(w, e->subject, name), e->age, e->others, others, odds);
		break;
	case FAMILY_PAIR:
		alert_reason(al, family_docs[k].name, p, "%s is used elsewhere, but nowhere from %s, and both are new to this mailbox: 1 in %s.",
			     say_client(w, v->pair[0], name), world_net_label(w, v->pair[1]), odds);
		break;
	case FAMILY_DRIFT:
		alert_reason(al, family_docs[k].name, p, "More this week than in the three months before: 1 in %s.", odds);
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

static void say_title(const struct baseline *b, const struct world *w, struct alert *al, const struct verdict *v)
{
	const struct mailbox_row *row = baseline_row(b, v->mailbox);
	char box[SAY_SIZE], name[SAY_SIZE];
	say_mailbox(w, v->mailbox, box);
	if (v->top == FAMILY_ALONE) {
		alert_title(al, "%s has come to %s and to nobody else in %u days", say_client(w, v->alone.subject, name), box, v->alone.age);
		return;
	}
	if (v->top == FAMILY_PLACES && v->news[SUBJECT_NET].subject == NONE) {
		alert_title(al, "%s was read in turns from a known and from a new network, %u times in a day", box, row->open.places);
		return;
	}
	if (v->ln_p[FAMILY_CLIENT] < REASON_LN_P && v->news[SUBJECT_CLIENT].subject != NONE) {
		const struct edge_evidence *e = &v->news[SUBJECT_CLIENT];
		say_client(w, e->subject, name);
		if (e->items)
			alert_title(al, "%s, new to %s, read %u items in a day", name, box, e->items);
		else
			alert_title(al, "%s, new to %s, %s", name, box, e->sync ? "synchronised whole folders" : "opened it");
	} else if (v->ln_p[FAMILY_NET] < REASON_LN_P && v->news[SUBJECT_NET].subject != NONE) {
		const struct edge_evidence *e = &v->news[SUBJECT_NET];
		if (e->items)
			alert_title(al, "%s was read from %s for the first time: %u items in a day", box, world_net_label(w, e->subject), e->items);
		else
			alert_title(al, "%s was %s from %s for the first time", box, e->sync ? "synchronised" : "opened", world_net_label(w, e->subject));
	} else {
		alert_title(al, "%u items read in %s in a day, out of its habits", row->open.all_items, box);
	}
}

void baseline_say(const struct baseline *b, struct detect_ctx *c, struct alert *al, const struct verdict *v)
{
	const struct mailbox_row *row = baseline_row(b, v->mailbox);
	const struct open_day *o = &row->open;
	char day[TIME_TEXT_SIZE], x[NUMBER_SIZE], y[NUMBER_SIZE];
	bool used[FAMILIES] = { false };
	double low = volume_quantile(&v->outlook, 0.95), high = volume_quantile(&v->outlook, 0.05);

	alert_clear_why(al);
	al->odds = verdict_odds(v);
	al->baseline = (struct alert_baseline){ v->mailbox, o->items, expm1(v->outlook.mu), low, high, v->effective_days };
	say_title(b, c->world, al, v);
	time_format((int64_t)b->day * US_PER_DAY, day);
	alert_why(al, "On %.10s: %u items in %u records; this mailbox normally has %.0f on an active day (90 %% range %.0f to %.0f, %.1f effective days).",
		  day, o->all_items, o->records, expm1(v->outlook.mu), low, high, v->effective_days);
	for (unsigned i = 0; i < 3; i++) {
		unsigned best = FAMILIES;
		for (unsigned k = 0; k < FAMILIES; k++)
			if (!used[k] && v->ln_p[k] < REASON_LN_P && (best == FAMILIES || v->ln_p[k] < v->ln_p[best]))
				best = k;
		if (best == FAMILIES)
			break;
		used[best] = true;
		reason(b, c->world, al, v, (enum family)best);
	}
	if (v->lanes & LANE_SLOW)
		alert_why(al, "Day after day: the evidence of the last days together is expected by chance once in %s mailbox-days.",
			  grouped(v->sr, x));
	if (v->lanes && b->retrospect)
		alert_why(al, "Combined, by a shipped table: expected by chance once in %s mailbox-days, roughly.", grouped(al->odds, x));
	else if (v->lanes)
		alert_why(al, "Calibrated on the last 30 days and combined: expected by chance once in %s mailbox-days (budget: one in %s).",
		  grouped(al->odds, x), grouped(1 / b->budget.alpha, y));
	if (o->all_items && v->lanes) {
		uint32_t most = items_not_to_alert(b, v);
		if (most)
			alert_why(al, "It would not have alerted below about %u items, all else equal.", most);
		else
			alert_why(al, "It would have alerted with any number of items: who and from where is enough.");
	}
	if (b->retrospect)
		alert_blind(al, "the data begin %u days before: judged in retrospect, against other mailboxes more than against its own past; "
				"nothing is promised about false alarms", b->data_days);
	if (o->syncs)
		alert_blind(al, "%u Sync record%s of unknown volume: assume whole folders", o->syncs, PLURAL(o->syncs));
	if (o->throttled)
		alert_blind(al, "reads were throttled: for 24 hours nothing is recorded; assume everything");
}
