/* SPDX-License-Identifier: Apache-2.0 */
/* B1: Microsoft Sentinel's analytics rule "MailItemsAccessedTimeSeries" (b4ceb583): one series of the tenant's hourly
 * number of MailItemsAccessed rows over 14 days, decomposed; a mailbox is named in an hour above the fence if it made more
 * than 25 rows and more than half of the tenant's.  It runs once a day.
 *
 * How the decomposition finds its season and scales its score is not published.  Assumed: a straight line is fitted and
 * taken out, then the mean of each phase of the season, 24 or 168 hours, whichever explains more; the residual r scores
 * (r - p90)/(p90 - p10) above the 90th percentile.  In its favour: an hour is judged once, on the evening of its day, so
 * that the overlap of two runs is no second alarm; one alert per mailbox and day. */
#include <math.h>
#include <stdlib.h>

#include "peers.h"

#define HOURS (14 * 24)       /* of the series */
#define HOURS_MIN (2 * 24)
#define SCORE 1.5             /* anomaly threshold */
#define ROWS 26               /* "more than 25" rows of the mailbox in the hour */
#define SHARE 0.5             /* of the tenant's rows in the hour */
#define FACTOR_MIN 0.02       /* below it an alert is not worth keeping */

struct cell { uint32_t mailbox, hour; uint64_t rows, items; };

struct b1 {
	uint32_t tenant[HOURS]; /* a ring; the current day ends at `end` */
	int64_t first_day;
	bool started;
	struct table cells;     /* (hour of day, mailbox) -> struct cell, of the current day */
};

static void event(struct peers *p, void *state, const struct peer_event *e)
{
	struct b1 *s = state;
	const uint32_t hour = (uint32_t)(e->time_us / US_PER_HOUR % 24);
	struct cell *c;

	if (!s->started) {
		s->started = true;
		s->first_day = e->day;
		table_init(&s->cells, sizeof(struct cell), PEER_ENTRIES_MAX);
	}
	s->tenant[(e->day * 24 + hour) % HOURS]++;
	c = table_put(&s->cells, (uint64_t)hour << 32 | e->mailbox, NULL);
	if (!c)
		return;
	c->mailbox = e->mailbox;
	c->hour = hour;
	c->rows++;
	c->items += e->items;
}

static int by_size(const void *x, const void *y)
{
	const double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

/* Takes the mean of each phase out of r; returns how much of the squares that explains. */
static double take_season(const double *r, double *out, int n, int period)
{
	double sum[168] = { 0 }, explained = 0;
	int count[168] = { 0 };

	for (int i = 0; i < n; i++) {
		sum[i % period] += r[i];
		count[i % period]++;
	}
	for (int i = 0; i < n; i++) {
		const double mean = sum[i % period] / count[i % period];
		out[i] = r[i] - mean;
		explained += mean * mean;
	}
	return explained;
}

/* scores of the last 24 of n hours */
static void score_day(const double *x, int n, double scores[24])
{
	double r[HOURS], daily[HOURS], weekly[HOURS], sorted[HOURS], sx = 0, sy = 0, sxx = 0, sxy = 0, slope, low, high;
	const double *best;

	for (int i = 0; i < n; i++) {
		sx += i, sy += x[i];
		sxx += (double)i * i, sxy += i * x[i];
	}
	slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
	for (int i = 0; i < n; i++)
		r[i] = x[i] - (sy - slope * sx) / n - slope * i;
	best = daily;
	/* a week has seven times as many means to fit with and two weeks to fit them to: it must explain clearly more */
	if (take_season(r, daily, n, 24) < 0.8 * (n == HOURS ? take_season(r, weekly, n, 168) : 0))
		best = weekly;
	memcpy(sorted, best, (size_t)n * sizeof(*sorted));
	qsort(sorted, (size_t)n, sizeof(*sorted), by_size);
	low = sorted[n / 10];
	high = sorted[n - 1 - n / 10];
	for (int i = 0; i < 24; i++) {
		const double value = best[n - 24 + i];
		scores[i] = value > high && high > low ? (value - high) / (high - low) : 0;
	}
}

struct best { double factor; uint32_t mailbox; const struct cell *cell; };

static void day_end(struct peers *p, void *state, int64_t day)
{
	struct b1 *s = state;
	const int n = day - s->first_day + 1 >= 14 ? HOURS : (int)(day - s->first_day + 1) * 24;
	double x[HOURS], scores[24] = { 0 };
	struct table by_mailbox; /* the best hour of each */
	const struct cell *c;
	struct best *b;

	for (int i = 0; i < n; i++)
		x[i] = s->tenant[((day + 1) * 24 - n + i) % HOURS];
	if (n >= HOURS_MIN)
		score_day(x, n, scores);
	table_init(&by_mailbox, sizeof(struct best), PEER_ENTRIES_MAX);
	for (size_t i = 0; (c = table_next(&s->cells, &i, NULL)); ) {
		const double total = s->tenant[(day * 24 + c->hour) % HOURS];
		const double factor = fmin(scores[c->hour] / SCORE, fmin((double)c->rows / ROWS, (double)c->rows / total / SHARE));
		if (factor < FACTOR_MIN)
			continue;
		b = table_put(&by_mailbox, c->mailbox, NULL);
		if (b && factor > b->factor)
			*b = (struct best){ factor, c->mailbox, c };
	}
	for (size_t i = 0; (b = table_next(&by_mailbox, &i, NULL)); ) {
		const int64_t hour_us = day * US_PER_DAY + b->cell->hour * US_PER_HOUR;
		peers_raise(p, "B1", &(struct peer_alert){ .score = b->factor, .time_us = (day + 1) * US_PER_DAY,
			.first_us = hour_us, .last_us = hour_us + US_PER_HOUR - US_PER_SECOND, .items = b->cell->items,
			.mailboxes = &b->mailbox, .mailbox_count = 1 });
	}
	table_release(&by_mailbox);
	table_release(&s->cells);
	table_init(&s->cells, sizeof(struct cell), PEER_ENTRIES_MAX);
	/* the hours of the next day take the place of the oldest */
	for (int i = 0; i < 24; i++)
		s->tenant[((day + 1) * 24 + i) % HOURS] = 0;
}

static void release(void *state)
{
	table_release(&((struct b1 *)state)->cells);
}

const struct peer peer_b1 = { "B1", "Microsoft Sentinel analytics rule MailItemsAccessedTimeSeries", sizeof(struct b1), event,
			      day_end, release };
