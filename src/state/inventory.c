/* SPDX-License-Identifier: Apache-2.0 */
/* inventory: every client key, ranked by how unusual it is.
 *
 * It needs no history, so it also shows an intruder who was there before the export begins.
 * Three things make a client unusual, and they add up (header; detection reference 2.14):
 *
 *   rarity   -log10((k + 1/2) / (M + 1))       few mailboxes of many: 1 of 1000 gives 2.8, all of them 0
 *   greed    max(0, z)                         many items per mailbox-day, compared with clients of the same family
 *   one man  [k >= 3] max(0, log2(k / nets))   many mailboxes from few networks: 64 from 1 gives 6, a phone app none
 *
 * M is the number of mailboxes with at least one mail record, k those of the client.  A mailbox-day is a calendar day
 * (UTC) between a client's first and last record in one mailbox, both counted: the edges keep the ends, not the days
 * between, so a client that comes once a month looks less greedy than it is.  z = (x - median) / (1.4826 MAD) of
 * x = ln(1 + items / mailbox-days) over the clients of the family; MAD has a floor, because in a family of near-equals
 * (and in one of two) every difference would be infinitely many of them.  A client without a known network has no
 * third term: Microsoft's front ends hide where the caller is.
 *
 * Clients that no mail record named (sign-ins, rules) have no rows.  Cost: one walk over the edges and two sorts. */
#include <math.h>
#include <stdlib.h>

#include "base/guid.h"
#include "base/timefmt.h"
#include "state/inventory.h"

#define MAD_FLOOR 0.25          /* a factor of 1.28 in items is no difference */
#define MAD_TO_SIGMA 1.4826     /* of a normal distribution */
#define CAMPAIGN_MAILBOXES 3    /* below it a single network is what one expects */

/* -- greed -- */

struct greed { /* of one client */
	struct str family;
	double x;
	uint32_t client;
};

static int by_family(const void *a, const void *b)
{
	const struct greed *s = a, *t = b;
	size_t n = s->family.n < t->family.n ? s->family.n : t->family.n;
	int order = n ? memcmp(s->family.p, t->family.p, n) : 0;

	if (order)
		return order;
	if (s->family.n != t->family.n)
		return s->family.n < t->family.n ? -1 : 1;
	return (s->x > t->x) - (s->x < t->x);
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *sorted, size_t n)
{
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* z of the n clients of one family, sorted by x, into z[client]; room holds n numbers */
static void family_z(const struct greed *g, size_t n, double *room, double *z)
{
	double mid, mad;

	for (size_t i = 0; i < n; i++)
		room[i] = g[i].x;
	mid = median(room, n);
	for (size_t i = 0; i < n; i++)
		room[i] = fabs(g[i].x - mid);
	qsort(room, n, sizeof(*room), by_number);
	mad = median(room, n);
	if (mad < MAD_FLOOR)
		mad = MAD_FLOOR;
	for (size_t i = 0; i < n; i++)
		z[g[i].client] = (g[i].x - mid) / (MAD_TO_SIGMA * mad);
}

/* -- the order -- */

static int64_t day_of(int64_t us)
{
	return us >= 0 ? us / US_PER_DAY : -((-us + US_PER_DAY - 1) / US_PER_DAY);
}

static int by_rank(const void *a, const void *b, void *world)
{
	const struct inventory_row *r = a, *s = b;
	const struct world *w = world;
	uint64_t k = w->clients[r->client].key, l = w->clients[s->client].key;

	if (r->unusual != s->unusual)
		return r->unusual > s->unusual ? -1 : 1;
	return (k > l) - (k < l);
}

struct inventory_row *inventory_make(const struct world *w, size_t *ret_n)
{
	size_t all = w->client_count, n = 0;
	struct inventory_row *rows = malloc((all + 1) * sizeof(*rows)), *ret = NULL;
	struct greed *greed = malloc((all + 1) * sizeof(*greed));
	double *z = calloc(all + 1, sizeof(*z)), *room = malloc((all + 1) * sizeof(*room));
	uint64_t *days = calloc(all + 1, sizeof(*days));
	const struct edge *e;
	uint32_t pos = 0;

	if (!rows || !greed || !z || !room || !days)
		goto out;
	while ((e = world_edge_next(w, &pos)))
		days[e->client] += (uint64_t)(day_of(e->last_us) - day_of(e->first_us)) + 1;

	for (uint32_t i = 0; i < all; i++)
		if (w->clients[i].records) {
			const struct world_client *c = &w->clients[i];

			/* no day: its mailboxes were unknown or its edges refused */
			greed[n].x = log1p((double)c->items / (double)(days[i] ? days[i] : 1));
			greed[n].family = world_client_part(w, i, CLIENT_FAMILY);
			greed[n].client = i;
			n++;
		}
	qsort(greed, n, sizeof(*greed), by_family);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && str_eq(greed[to].family, greed[from].family); to++)
			;
		family_z(greed + from, to - from, room, z);
	}

	for (size_t i = 0; i < n; i++) {
		uint32_t client = greed[i].client;
		double k = w->clients[client].mailboxes, networks = w->clients[client].networks, all_mailboxes = w->active_mailboxes;

		rows[i] = (struct inventory_row){ .client = client, .share = all_mailboxes > 0 ? k / all_mailboxes : 0 };
		rows[i].unusual = -log10((k + 0.5) / (all_mailboxes + 1)) + fmax(0, z[client]);
		if (k >= CAMPAIGN_MAILBOXES && networks > 0)
			rows[i].unusual += fmax(0, log2(k / networks));
	}
	qsort_r(rows, n, sizeof(*rows), by_rank, (void *)w);
	ret = rows;
	rows = NULL;
	*ret_n = n;
out:
	free(days);
	free(room);
	free(z);
	free(greed);
	free(rows);
	return ret;
}

/* -- names -- */

struct app_row {
	uint8_t id[16];
	const char *name;
};

/* Made by tools/make-app-names from data/MicrosoftApps.csv; sorted by id.  A dictionary, not a verdict: listed is not
 * safe, unlisted is not hostile. */
static const struct app_row apps[] = {
#include "app_names.inc"
};

struct str app_name(const uint8_t app_id[16])
{
	size_t low = 0, high = sizeof(apps) / sizeof(apps[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(app_id, apps[middle].id, 16);

		if (!order)
			return str_of(apps[middle].name);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return STR("");
}
