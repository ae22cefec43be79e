/* SPDX-License-Identifier: Apache-2.0 */
/* test_sim: the draws have the laws they are named after; a mailbox-day depends on nothing but its number; what the
 * tenant does agrees with the facts it is made after; the networks' file explains the addresses. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "sim/sim_int.h"
#include "state/net.h"

#define NEAR(got, want, off)                                                                                           \
	CHECK_MSG(fabs((got) - (want)) <= (off), "got %g, want %g +- %g", (double)(got), (double)(want), (double)(off))

/* -- draws -- */

static void draws_are_functions(void)
{
	struct draw a = draw_of(7, 3, 11, 2), b = draw_of(7, 3, 11, 2), other;
	const uint64_t first = draw_bits(&a), second = draw_bits(&a);

	CHECK(draw_bits(&b) == first && draw_bits(&b) == second && first != second);
	other = draw_of(8, 3, 11, 2);
	CHECK(draw_bits(&other) != first);
	other = draw_of(7, 4, 11, 2);
	CHECK(draw_bits(&other) != first);
	other = draw_of(7, 3, 12, 2);
	CHECK(draw_bits(&other) != first);
	other = draw_of(7, 3, 11, 3);
	CHECK(draw_bits(&other) != first);
}

static void draw_laws(void)
{
	enum { N = 200000 };
	struct draw d = draw_of(1, 2, 3, 4);
	double sum = 0, squares = 0, three = 0, thirty = 0, gamma = 0, small = 0, exponential = 0, tail = 0,
	       geometric = 0;
	uint32_t cells[10] = { 0 };
	double worst = 0;

	for (int i = 0; i < N; i++) {
		const double x = draw_normal(&d);
		sum += x;
		squares += x * x;
		three += draw_poisson(&d, 3);
		thirty += draw_poisson(&d, 300);
		gamma += draw_gamma(&d, 2.5);
		small += draw_gamma(&d, 0.7);
		exponential += draw_exponential(&d);
		tail += draw_pareto(&d, 1.3) > 10;
		geometric += draw_geometric(&d, 0.4);
		cells[draw_below(&d, 10)]++;
		const double u = draw_unit(&d);
		worst = u <= 0 || u >= 1 ? 1 : worst;
	}
	NEAR(sum / N, 0, 0.01);
	NEAR(squares / N, 1, 0.02);
	NEAR(three / N, 3, 0.02);
	NEAR(thirty / N, 300, 0.2);
	NEAR(gamma / N, 2.5, 0.02);
	NEAR(small / N, 0.7, 0.01);
	NEAR(exponential / N, 1, 0.01);
	NEAR(tail / N, pow(10, -1.3), 0.002);
	NEAR(geometric / N, 1.5, 0.03);
	for (int i = 0; i < 10; i++)
		NEAR(cells[i] / (double)N, 0.1, 0.003);
	CHECK(worst == 0);
	CHECK(draw_poisson(&d, 0) == 0 && draw_poisson(&d, -1) == 0);
}

/* -- a day of a mailbox -- */

static struct sim *tenant(uint32_t mailboxes, uint32_t days, uint32_t attacks, uint32_t confounders)
{
	struct sim_settings set;
	struct sim *s;

	sim_settings_init(&set);
	set.seed = 11;
	set.mailboxes = mailboxes;
	set.days = days;
	set.attacks = attacks;
	set.confounders = confounders;
	set.truth = false;
	s = sim_new(&set);
	if (!s)
		abort();
	return s;
}

/* that mailbox on that day, from its first day on, alone */
static void alone(struct sim *s, uint32_t slot, uint32_t day, struct recs *ret)
{
	struct signins signins = { 0 };
	struct mailbox m;
	struct plan plan;

	mailbox_begin(s, &m, slot, 0);
	for (uint32_t d = 0; d <= day; d++) {
		ret->n = 0;
		plan_make(s, d, &plan);
		if (d)
			mailbox_advance(s, slot, &m, &plan);
		mailbox_day(s, slot, &m, &plan, ret, &signins);
	}
	free(signins.v);
}

static void a_day_stands_alone(void)
{
	enum { MAILBOXES = 120, DAYS = 25 };
	struct sim *whole = tenant(MAILBOXES, DAYS, (1u << SIM_KINDS) - 1, (1u << SIM_CONFOUNDERS) - 1);
	struct sim *part = tenant(MAILBOXES, DAYS, (1u << SIM_KINDS) - 1, (1u << SIM_CONFOUNDERS) - 1);
	struct recs all = { 0 }, one = { 0 };
	struct signins signins = { 0 };
	size_t begin[MAILBOXES + 1];
	unsigned long records = 0;

	CHECK(whole->attack_count > 0);
	for (uint32_t day = 0; day < DAYS; day++) {
		struct plan plan;
		plan_make(whole, day, &plan);
		all.n = 0;
		for (uint32_t slot = 0; slot < MAILBOXES; slot++) {
			begin[slot] = all.n;
			if (day)
				mailbox_advance(whole, slot, &whole->mailboxes[slot], &plan);
			mailbox_day(whole, slot, &whole->mailboxes[slot], &plan, &all, &signins);
		}
		begin[MAILBOXES] = all.n;
	}
	/* the last day again, mailboxes backwards, in a tenant that has made nothing else */
	for (uint32_t slot = MAILBOXES; slot-- > 0;) {
		const size_t n = begin[slot + 1] - begin[slot];
		alone(part, slot, DAYS - 1, &one);
		CHECK_MSG(one.n == n && (n == 0 || memcmp(one.v, all.v + begin[slot], n * sizeof(*one.v)) == 0),
			  "mailbox %u", slot);
		records += n;
	}
	CHECK(records > MAILBOXES);
	free(all.v);
	free(one.v);
	free(signins.v);
	sim_free(whole);
	sim_free(part);
}

/* -- the log's own rules -- */

static void log_rules(void)
{
	enum { DAYS = 40, MAILBOXES = 100 };
	struct sim *s = tenant(MAILBOXES, DAYS, 1u << SIM_A8, (1u << SIM_CONFOUNDERS) - 1);
	struct recs day = { 0 };
	struct signins signins = { 0 };
	unsigned long close_together = 0, too_many = 0, unordered = 0, in_the_dark = 0, throttled = 0,
		      attack_throttled = 0;
	int32_t dark_until[MAILBOXES] = { 0 };

	for (uint32_t d = 0; d < DAYS; d++) {
		struct plan plan;
		plan_make(s, d, &plan);
		for (uint32_t slot = 0; slot < MAILBOXES; slot++) {
			day.n = 0;
			if (d)
				mailbox_advance(s, slot, &s->mailboxes[slot], &plan);
			mailbox_day(s, slot, &s->mailboxes[slot], &plan, &day, &signins);
			for (size_t i = 0; i < day.n; i++) {
				const struct simrec *r = &day.v[i];
				unordered += (i && r->time < r[-1].time) || (uint32_t)r->time / DAY_SECONDS != d ||
					     r->serial != i;
				too_many += r->kind == REC_BIND ? r->items < 1 || r->items > 11 : r->items != 0;
				in_the_dark += r->kind == REC_BIND && r->time < dark_until[slot];
				if (r->flags & RECFLAG_THROTTLED) {
					throttled++;
					attack_throttled += r->attack != 0;
					dark_until[slot] = r->time + DAY_SECONDS;
				}
				for (size_t k = i; k-- > 0 && r->time - day.v[k].time < 120;) {
					const struct simrec *q = &day.v[k];
					close_together += q->kind == REC_BIND && r->kind == REC_BIND &&
							  q->app == r->app && q->place == r->place &&
							  q->actor == r->actor && q->attack == r->attack &&
							  q->items < 10 && !(r->flags & RECFLAG_OWN_SESSION);
				}
			}
		}
	}
	CHECK(close_together == 0);
	CHECK(too_many == 0);
	CHECK(unordered == 0);
	CHECK(in_the_dark == 0);
	CHECK(throttled >= 1 && attack_throttled >= 1);
	free(day.v);
	free(signins.v);
	sim_free(s);
}

/* -- the tenant against the facts it is made after -- */

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void facts(void)
{
	enum { DAYS = 56, MAILBOXES = 400 };
	struct sim *s = tenant(MAILBOXES, DAYS, 0, 0);
	struct recs day = { 0 };
	struct signins signins = { 0 };
	double hours[24] = { 0 }, weekdays[7] = { 0 }, counts[12] = { 0 }, reads = 0, binds = 0, sds[MAILBOXES];
	double sum[MAILBOXES] = { 0 }, squares[MAILBOXES] = { 0 }, days[MAILBOXES] = { 0 }, active = 0, possible = 0;
	unsigned humans = 0, people = 0, busy = 0;

	for (uint32_t d = 0; d < DAYS; d++) {
		struct plan plan;
		plan_make(s, d, &plan);
		for (uint32_t slot = 0; slot < MAILBOXES; slot++) {
			struct mailbox *m = &s->mailboxes[slot];
			double items = 0;
			day.n = 0;
			if (d)
				mailbox_advance(s, slot, m, &plan);
			mailbox_day(s, slot, m, &plan, &day, &signins);
			if (m->class_ != CLASS_HUMAN)
				continue;
			for (size_t i = 0; i < day.n; i++) {
				const struct simrec *r = &day.v[i];
				if (r->kind != REC_BIND || r->app >= APPS_COMMON) /* services read by other laws */
					continue;
				hours[((uint32_t)r->time / 3600 + 24 - m->zone) % 24] += r->items;
				weekdays[plan.weekday] += r->items;
				counts[r->items]++;
				binds++;
				items += r->items;
			}
			reads += items;
			if (plan.weekday >= 5)
				continue;
			possible++;
			active += items > 0;
			if (items > 0) {
				const double y = log(1 + items);
				sum[slot] += y;
				squares[slot] += y * y;
				days[slot]++;
			}
		}
	}
	for (uint32_t slot = 0; slot < MAILBOXES; slot++) {
		humans += s->mailboxes[slot].class_ == CLASS_HUMAN;
		people += s->mailboxes[slot].class_ == CLASS_SHARED;
		if (days[slot] > 10 && s->mailboxes[slot].log_rate > log(20.0))
			sds[busy++] = sqrt((squares[slot] - sum[slot] * sum[slot] / days[slot]) / (days[slot] - 1));
	}
	NEAR(humans / (double)MAILBOXES, 0.85, 0.05);
	NEAR(people / (double)MAILBOXES, 0.06, 0.04);
	NEAR(active / possible, 0.72, 0.05);
	/* five busy hours with 11 to 12 % each, the quietest three 0.1 % */
	NEAR((hours[9] + hours[10] + hours[11] + hours[14] + hours[15]) / reads, 0.57, 0.03);
	CHECK((hours[2] + hours[3] + hours[4]) / reads < 0.006);
	for (int i = 0; i < 5; i++)
		NEAR(weekdays[i] / reads, 0.19, 0.03);
	CHECK(weekdays[5] / reads > 0.008 && weekdays[5] / reads < 0.05);
	CHECK(weekdays[6] / reads > 0.005 && weekdays[6] / reads < 0.05);
	/* the records that share a window move a little towards ten */
	NEAR(counts[1] / binds, 0.39, 0.06);
	NEAR(counts[2] / binds, 0.18, 0.03);
	NEAR(counts[3] / binds, 0.11, 0.03);
	NEAR((counts[10] + counts[11]) / binds, 0.14, 0.06);
	/* sd of ln(1 + items) over active weekdays: U(.3, .9) and the noise of counting */
	qsort(sds, busy, sizeof(sds[0]), by_value);
	CHECK(busy > 100);
	NEAR(sds[busy / 2], 0.62, 0.08);
	NEAR(sds[busy / 10], 0.38, 0.08);
	NEAR(sds[busy - 1 - busy / 10], 0.88, 0.12);
	free(day.v);
	free(signins.v);
	sim_free(s);
}

static void applications(void)
{
	struct sim *s = tenant(100, 10, 0, 0);
	struct draw d = draw_of(5, 5, 5, 5);
	unsigned first = 0, net = 0;

	for (int i = 0; i < 20000; i++) {
		first += app_popular(s, &d) == 0;
		net += net_popular(s, &d) == 0;
	}
	NEAR(first / 20000.0, 1 / s->zipf_apps[APPS_COMMON - 1], 0.02);
	NEAR(net / 20000.0, 1 / s->zipf_nets[NET_ISPS - 1], 0.02);
	CHECK_TEXT(app_get(s, APP_OWA)->ids[0], ",\"AppId\":\"00000002-0000-0ff1-ce00-000000000000\"");
	CHECK_TEXT(app_get(s, APP_OUTLOOK)->ids[1], "");
	for (unsigned i = 0; i < APPS_MAX; i += 37)
		CHECK(app_get(s, i) && app_get(s, i)->info_n < sizeof(s->apps[i]->info) &&
		      app_get(s, i)->ids_n[1] < sizeof(s->apps[i]->ids[1]));
	sim_free(s);
}

/* -- addresses and their file -- */

static void networks(void)
{
	static const char name[] = "/tmp/test_sim.XXXXXX";
	char path[sizeof(name)], error[ASN_ERROR_SIZE];
	struct buf b;
	struct asn_db *db;
	int fd;

	memcpy(path, name, sizeof(name));
	fd = mkstemp(path);
	buf_init(&b, 1 * MIB);
	CHECK(sim_asn(&b));
	CHECK(fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n && close(fd) == 0);
	db = asn_open(path, error);
	CHECK_MSG(db != NULL, "%s", db ? "" : error);
	for (uint32_t net = 0; net < NETS; net++)
		for (uint32_t host = 1; host < 65536; host += 9973)
			for (int v6 = 0; v6 < 2; v6++) {
				char text[PLACE_TEXT_MAX];
				const size_t n = (size_t)(place_write(text, place_of(net, v6, host)) - text);
				const struct addr a = addr_parse((struct str) { text, n });
				CHECK_MSG(asn_lookup(db, &a) == UINT32_C(4200000000) + net, "%.*s", (int)n, text);
			}
	for (uint32_t host = 0; host < 300; host++) {
		char text[PLACE_TEXT_MAX];
		struct addr a = addr_parse((struct str) {
			text, (size_t)(place_write(text, place_of(NET_FRONT_END, false, host)) - text) });
		CHECK(net_of(db, &a).kind == NET_KIND_MICROSOFT);
		a = addr_parse((struct str) {
			text, (size_t)(place_write(text, place_of(NET_DATA_CENTRE, false, host)) - text) });
		CHECK(net_of(db, &a).kind == NET_KIND_MICROSOFT);
	}
	asn_close(db);
	unlink(path);
	buf_release(&b);
}

/* -- the schedule -- */

static void schedule(void)
{
	struct sim *s = tenant(5000, 120, (1u << SIM_KINDS) - 1, 0), *small = tenant(1, 1, (1u << SIM_KINDS) - 1, 0);
	bool once = true, after = true;

	CHECK(s->attack_count == SIM_KINDS);
	for (size_t i = 0; i < s->attack_count; i++) {
		const struct attack *x = &s->attacks[i];
		after &= x->kind == SIM_A12 ? x->first == 0 && x->last == 119
					    : x->first >= 60 && x->last < 120 && x->first <= x->last;
		for (uint32_t v = 0; v < x->victims; v++) {
			const uint32_t slot = s->victims[x->victim_first + v].slot;
			once &= s->victim_of[slot] == i + 1 && s->victim_index[slot] == x->victim_first + v &&
				class_of(s, slot) == CLASS_HUMAN;
			once &= occupant_of(s, slot, 119, NULL) == slot;
		}
	}
	CHECK(once && after);
	CHECK(small->attack_count == 0);
	sim_free(s);
	sim_free(small);
}

int main(void)
{
	draws_are_functions();
	draw_laws();
	a_day_stands_alone();
	log_rules();
	facts();
	applications();
	networks();
	schedule();
	return check_summary();
}
