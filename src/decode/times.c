/* SPDX-License-Identifier: Apache-2.0 */
/* times: the time of a member, and what its column shows of its order and its zone.
 *
 * 05/01/2026 is 5 January or 1 May.  Which, is a property of the column (a column of CSV, a member's name in JSON) in its file:
 * one value with a day above 12 settles it for all others, before and after; so does a second time of the same record that can
 * be read in one way only, such as the CreationTime in AuditData next to the row's CreationDate.  What is seen is collected as
 * bits; a record whose time is open is flagged REC_TIME_ORDER and carries both readings until its file is known to the end
 * (engine.c).
 *
 * A time without a zone is UTC, as all these logs are documented to be, unless the header of its column names another. */
#include "decode/decode_int.h"

#define NEAR_US (3 * US_PER_DAY) /* two times of one record, ingestion and delays included; the two readings are at least 27 days apart */

static const enum field columns[TIME_COLUMNS - 1] = {
	F_CreationTime, F_CreationDate, F_TimeGenerated, F_createdDateTime, F_Timestamp, F_ActivityDateTime, F_time, F_Start_Time, F_ElevationTime,
};

unsigned time_column(enum field x)
{
	unsigned i = 0;
	while (i < TIME_COLUMNS - 1 && columns[i] != x)
		i++;
	return i;
}

/* -- order -- */

#define BIT_DOTS ((uint8_t)(1u << (2 * STYLE_DOT))) /* the time of a record was 05.01.2026 */

static uint8_t order_bit(enum time_style style, enum time_order order)
{
	return order == ORDER_MONTH_FIRST ? (uint8_t)(1u << (2 * style)) : order == ORDER_DAY_FIRST ? (uint8_t)(2u << (2 * style)) : 0;
}

enum time_order order_decide(const uint8_t seen[TIME_COLUMNS], const struct time_open *o)
{
	unsigned bits = seen[o->column] >> (2 * o->style) & 3, others = 0;
	for (unsigned i = 0; i < TIME_COLUMNS; i++)
		others |= seen[i] >> (2 * o->style) & 3;
	if (!bits)
		bits = others; /* the columns of a file were written by one program */
	return bits == 1 ? ORDER_MONTH_FIRST : bits == 2 ? ORDER_DAY_FIRST : ORDER_OPEN;
}

/* A spreadsheet with day-first dates took 5/1/2026 for 5 January and wrote 05.01.2026, and left 5/13/2026 as it was. */
bool order_swapped(const uint8_t seen[TIME_COLUMNS])
{
	bool swapped = false;
	for (unsigned i = 0; i < TIME_COLUMNS; i++)
		swapped |= (seen[i] & BIT_DOTS) && (seen[i] & order_bit(STYLE_SLASH, ORDER_MONTH_FIRST));
	return swapped;
}

void order_settle(struct rec *r, const struct time_open *o, enum time_order order)
{
	if (order == ORDER_OPEN)
		return;
	r->flags &= ~(uint32_t)REC_TIME_ORDER;
	if ((order == ORDER_MONTH_FIRST) == (o->style == STYLE_SLASH))
		return; /* as it was read */
	r->flags = (r->flags & ~(uint32_t)REC_TIME_ZONE) | o->other_flags;
	rec_set_time(r, o->other_us);
}

static bool near(int64_t a, int64_t b)
{
	return a - b <= NEAR_US && b - a <= NEAR_US;
}

/* What the open time `t` of a column learns from a moment that is certain. */
static void learn(struct decoder *d, unsigned column, enum time_style style, int64_t us, int64_t other_us, int64_t certain_us)
{
	const bool first = near(us, certain_us), other = near(other_us, certain_us);
	if (first != other)
		d->counts->order_seen[column] |= order_bit(style, first == (style == STYLE_SLASH) ? ORDER_MONTH_FIRST : ORDER_DAY_FIRST);
}

void order_compare(struct decoder *d)
{
	const struct rec *r = &d->b.r;
	const bool open = r->flags & REC_TIME_ORDER;
	if (r->flags & REC_NO_TIME)
		return;
	for (unsigned level = 0; level <= d->level && level < UNWRAP_DEPTH_MAX + 2; level++) {
		struct fields *f = d->fields[level];
		for (unsigned i = 0; i < TIME_COLUMNS - 1; i++) {
			struct time_read t;
			struct str s;
			if (!field_has(f, columns[i]) || (level == d->level && i == d->when.column))
				continue;
			if (!get_text(d, f, columns[i], &s) || s.n < 6 || (!open && s.p[4] == '-') || !time_read(s, &t))
				continue;
			if (t.order == ORDER_OPEN && !open)
				learn(d, i, t.style, t.us, t.other_us, r->time_us);
			else if (t.order != ORDER_OPEN && open)
				learn(d, d->when.column, d->when.style, r->time_us, d->when.other_us, t.us);
			d->counts->order_seen[i] |= order_bit(t.style, t.order);
		}
	}
}

/* -- zone -- */

/* The zone that a header names; NULL: none that is known. */
static const struct zone *zone_of(struct decoder *d, struct str name)
{
	unsigned i = 0;
	for (; i < DECODER_ZONES && d->zones[i].n; i++)
		if (str_eq((struct str){ d->zones[i].name, d->zones[i].n }, name))
			return d->zones[i].zone ? d->zones[i].zone : d->timezone;
	if (i == DECODER_ZONES) { /* more zones than any export: the oldest place is used again */
		i = d->zone_next++ % DECODER_ZONES;
		zone_free(d->zones[i].zone);
	}
	memcpy(d->zones[i].name, name.p, name.n);
	d->zones[i].n = (uint8_t)name.n;
	d->zones[i].zone = zone_new(name);
	return d->zones[i].zone ? d->zones[i].zone : d->timezone;
}

static int64_t to_utc(const struct zone *z, int64_t local_us, uint32_t *flags)
{
	bool sure = false;
	const int64_t us = z ? zone_utc(z, local_us, &sure) : local_us;
	*flags = sure ? 0 : REC_TIME_ZONE;
	return us;
}

bool text_time(struct decoder *d, const struct fields *f, enum field x, struct str text, int64_t *ret_us)
{
	const unsigned column = time_column(x);
	struct time_read t;
	struct str zone = STR_NONE;
	if (!time_read(text, &t))
		return false;
	if (f && f->is_row && f->zones)
		zone = str_of(f->zones[column]);
	else if (f && !f->is_row && f->has_zones)
		zone = f->zone[column];
	d->when = (struct time_open){ .us = t.us, .other_us = t.other_us, .column = (uint8_t)column, .style = (uint8_t)t.style };
	if (zone.n && !t.zoned) {
		const struct zone *z = zone_of(d, zone);
		d->when.us = to_utc(z, t.us, &d->when.flags);
		d->when.other_us = to_utc(z, t.other_us, &d->when.other_flags);
	}
	if (t.order == ORDER_OPEN)
		d->when.flags |= REC_TIME_ORDER;
	else
		d->counts->order_seen[column] |= t.style == STYLE_DOT ? BIT_DOTS : order_bit(t.style, t.order);
	*ret_us = d->when.us;
	return true;
}

bool put_time(struct decoder *d, int64_t us)
{
	if (us < TIME_MIN_US || us >= TIME_MAX_US)
		return false;
	d->b.r.time_us = us;
	d->b.r.flags &= ~(uint32_t)(REC_TIME_ORDER | REC_TIME_ZONE);
	if (us == d->when.us)
		d->b.r.flags |= d->when.flags;
	return true;
}

const struct time_open *decoder_time_open(const struct decoder *d)
{
	return &d->when;
}
