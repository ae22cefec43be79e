/* SPDX-License-Identifier: Apache-2.0 */
/* test_eval: the arithmetic against published values, the rules by which an alarm matches an attack, figures of a small made
 * evaluation counted by hand, and files that are broken in every way. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/timefmt.h"
#include "check.h"
#include "eval/judge.h"

static bool near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * (fabs(b) > 1 ? fabs(b) : 1);
}

/* -- exact bounds -- */

static void test_poisson_bounds(void)
{
	/* half the quantiles of chi-square at 5 % with 2k and at 95 % with 2k + 2 degrees of freedom */
	static const struct { uint64_t k; double lower, upper; } table[] = {
		{ 0, 0, 2.9957 }, { 1, .0513, 4.7439 }, { 2, .3554, 6.2958 }, { 3, .8177, 7.7537 }, { 5, 1.9701, 10.5130 },
		{ 10, 5.4254, 16.9622 }, { 20, 13.2547, 29.0620 }, { 30, 21.5940, 40.6905 }, { 50, 38.9647, 63.2871 },
		{ 100, 84.1393, 118.0793 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct bounds b = poisson_bounds(table[i].k);
		CHECK_MSG(fabs(b.lower - table[i].lower) < 6e-5, "k %d: %.6f", (int)table[i].k, b.lower);
		CHECK_MSG(fabs(b.upper - table[i].upper) < 6e-5, "k %d: %.6f", (int)table[i].k, b.upper);
	}
	/* 28 false alarms in 400,000 mailbox-days certify 1.0 per 10,000; 70 in a million 0.85 */
	CHECK(near(rate_bounds((struct rate){ 28, 400000 }).upper, .96, .005));
	CHECK(near(rate_bounds((struct rate){ 70, 1000000 }).upper, .85, .005));
	CHECK(rate_bounds((struct rate){ 0, 0 }).upper > 1e300);
	/* the definition: at the upper bound k or fewer come in 5 % of cases, at the lower k or more */
	for (uint64_t k = 1; k < 3000000; k = k * 3 + 1) {
		const struct bounds b = poisson_bounds(k);
		CHECK_MSG(near(gamma_below((double)k + 1, b.upper), .95, 1e-9), "k %llu", (unsigned long long)k);
		CHECK_MSG(near(gamma_below((double)k, b.lower), .05, 1e-9), "k %llu", (unsigned long long)k);
	}
}

static void test_binomial_bounds(void)
{
	static const struct { uint64_t k, n; double lower, upper; } table[] = {
		{ 0, 10, 0, .3084971 }, { 10, 10, .6915029, 1 }, { 1, 10, .002528579, .4450161 }, { 5, 10, .1870860, .8129140 },
		{ 94, 100, .8739701, .9776651 }, { 100, 100, .9637833, 1 }, { 1, 1, .025, 1 }, { 0, 1, 0, .975 },
		{ 50, 100, .3983211, .6016789 }, { 0, 0, 0, 1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct bounds b = binomial_bounds(table[i].k, table[i].n);
		CHECK_MSG(fabs(b.lower - table[i].lower) < 1e-6, "%d of %d: %.8f", (int)table[i].k, (int)table[i].n, b.lower);
		CHECK_MSG(fabs(b.upper - table[i].upper) < 1e-6, "%d of %d: %.8f", (int)table[i].k, (int)table[i].n, b.upper);
	}
	/* against sums of the binomial law itself */
	for (uint64_t n = 1; n < 60; n += 7)
		for (uint64_t k = 0; k < n; k++) {
			const double p = binomial_bounds(k, n).upper;
			double term = pow(1 - p, (double)n), sum = term;
			for (uint64_t i = 1; i <= k; i++)
				sum += term *= (double)(n - i + 1) / (double)i * p / (1 - p);
			CHECK_MSG(near(sum, .025, 1e-9), "%d of %d: %.12f", (int)k, (int)n, sum);
		}
}

static void test_distributions(void)
{
	CHECK(near(gamma_below(1, 1), 1 - exp(-1), 1e-14));
	CHECK(near(gamma_below(.5, 2), erf(sqrt(2)), 1e-14));
	CHECK(near(gamma_below(3, 5), 1 - exp(-5) * (1 + 5 + 12.5), 1e-14));
	CHECK(gamma_below(3, 0) == 0 && gamma_below(3, -1) == 0);
	CHECK(near(gamma_below(1e6, 1e6), .5001329, 1e-6));
	CHECK(near(beta_below(1, 1, .3), .3, 1e-14));
	CHECK(near(beta_below(2, 3, .4), .5248, 1e-12));
	CHECK(near(beta_below(3, 2, .6), 1 - .5248, 1e-12));
	CHECK(beta_below(2, 3, 0) == 0 && beta_below(2, 3, 1) == 1);
	CHECK(near(gamma_quantile(1, .95), -log(.05), 1e-12));
	CHECK(near(beta_quantile(1, 4, .5), 1 - pow(.5, .25), 1e-12));
}

/* -- a made-up evaluation -- */

#define TENANT "{\"type\":\"tenant\",\"version\":1,\"days\":20,\"learn_days\":10,\"start\":\"2026-01-05\"}\n"
#define MAILBOX(n, class_, first, last) \
	"{\"type\":\"mailbox\",\"guid\":\"5f0c7a10-0000-4000-8000-00000000000" n "\",\"upn\":\"m" n "@example.com\",\"class\":\"" class_ \
	"\",\"first_day\":" first ",\"last_day\":" last "}\n"
#define GUID(n) "\"5f0c7a10-0000-4000-8000-00000000000" n "\""
#define CLIENT(n) "{\"app_id\":\"\",\"client_app_id\":\"c" n "\",\"client\":\"REST\"}"
/* days 12 and 13: 2026-01-17 and 18 */
#define ATTACK_1 \
	"{\"type\":\"attack\",\"id\":\"A1-1\",\"kind\":\"A1\",\"mailboxes\":[" GUID("1") "," GUID("2") "],\"clients\":[" CLIENT("7") \
	"],\"networks\":[\"AS420\"],\"addresses\":[\"198.18.0.7\"],\"first\":\"2026-01-17T10:00:00Z\",\"last\":\"2026-01-18T12:30:00Z\"," \
	"\"first_day\":12,\"last_day\":13,\"items\":100,\"items_by_hour\":[[298,20],[300,40],[324,40]]}\n"
#define ATTACK_2 \
	"{\"type\":\"attack\",\"id\":\"A7-1\",\"kind\":\"A7\",\"mailboxes\":[" GUID("3") "],\"clients\":[],\"networks\":[]," \
	"\"first\":\"2026-01-20T10:00:00Z\",\"last\":\"2026-01-20T12:30:00Z\",\"first_day\":15,\"last_day\":15,\"items\":0}\n"
#define EVENTS \
	"{\"type\":\"event\",\"id\":\"v\",\"kind\":\"vpn-switch\",\"first_day\":16,\"last_day\":16,\"mailboxes\":null,\"clients\":[],\"networks\":[]}\n" \
	"{\"type\":\"event\",\"id\":\"m\",\"kind\":\"migration\",\"first_day\":11,\"last_day\":11,\"mailboxes\":[" GUID("4") "],\"clients\":[" \
	CLIENT("9") "],\"networks\":[]}\n"
#define TRUTH \
	TENANT MAILBOX("1", "human", "0", "19") MAILBOX("2", "human", "0", "19") MAILBOX("3", "shared", "0", "19") \
	MAILBOX("4", "human", "0", "14") MAILBOX("5", "service", "12", "19") EVENTS ATTACK_1 ATTACK_2

#define ALERT_HEAD(id, time, rule, severity) \
	"{\"type\":\"alert\",\"id\":\"" id "\",\"time\":\"" time "\",\"rule\":\"" rule "\",\"severity\":\"" severity "\""
#define NAMED(guid) "{\"guid\":" guid ",\"upn\":null}"
#define SUMMARY "{\"type\":\"summary\"}\n"

static struct judge_pair pair;
static struct judgement j;
static struct buf error;

static const char *text_file(const char *text, size_t n)
{
	static char paths[2][64];
	static int turn;
	char *path = paths[turn ^= 1];
	int fd;

	memcpy(path, "/tmp/test_eval.XXXXXX", sizeof("/tmp/test_eval.XXXXXX"));
	fd = mkstemp(path);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		abort();
	close(fd);
	return path;
}

static const struct judge_settings usual = { .from_day = -1, .to_day = -1, .minimum = SEVERITY_LOW };

/* The judgement of these texts into `j`; false: `error` says why. */
static bool judge_texts(const struct judge_settings *s, const char *truth, const char *alerts)
{
	const char *path = text_file(truth, strlen(truth));
	int32_t from, to;
	bool ok;

	memset(&j, 0, sizeof(j));
	memset(&pair, 0, sizeof(pair));
	buf_clear(&error);
	ok = truth_read(&pair.truth, path, &j.names, &error);
	unlink(path);
	if (ok) {
		path = text_file(alerts, strlen(alerts));
		judge_days(s, &pair.truth, &from, &to);
		ok = alarms_read(&pair.alarms, path, &pair.truth, from, to, &j.rules, &error);
		unlink(path);
	}
	ok = ok && judge(s, &pair, 1, &j, &error);
	truth_release(&pair.truth);
	alarms_release(&pair.alarms);
	return ok;
}

static const struct kind_row *kind(const char *name)
{
	for (uint32_t i = 0; i < j.names.attack_kinds.n; i++)
		if (strcmp(j.names.attack_kinds.text[i], name) == 0)
			return &j.kinds[i];
	abort();
}

static void test_counts(void)
{
	CHECK(judge_texts(&usual, TRUTH, SUMMARY));
	CHECK_TEXT(error.p ? error.p : "", "");
	CHECK(j.mailboxes == 5 && j.victims == 3);
	CHECK(j.mailbox_days == 5 + 8); /* 4 on days 10 to 14, 5 on days 12 to 19 */
	CHECK(kind("A1")->attacks == 1 && kind("A1")->found == 0 && kind("A1")->campaigns == 1);
	CHECK(kind("A7")->attacks == 1 && kind("A7")->campaigns == 0);
	CHECK(isnan(kind("A1")->days) && near(kind("A1")->share_all, 1, 0));
	CHECK(j.by_class[0].mailbox_days == 5 && j.by_class[2].mailbox_days == 8);
}

static void test_found(void)
{
	/* one victim of two, raised at 2026-01-17 12:30: 20 items of hour 10 and half of the 40 of hour 12 are gone */
	CHECK(judge_texts(&usual, TRUTH,
		ALERT_HEAD("a", "2026-01-17T12:30:00Z", "r", "high") ",\"mailboxes\":[" NAMED(GUID("1")) "],\"apps\":[" CLIENT("7") "]}\n"
		ALERT_HEAD("b", "2026-01-18T13:00:00Z", "r", "high") ",\"mailboxes\":[" NAMED(GUID("1")) "," NAMED(GUID("2")) "," NAMED(GUID("4"))
		"],\"apps\":[" CLIENT("7") "]}\n" SUMMARY));
	CHECK(j.alarms == 2 && j.true_ == 2 && j.false_.count == 0);
	CHECK(kind("A1")->found == 1 && kind("A1")->within_day == 1);
	CHECK(near(kind("A1")->days, 2.5 / 24, 1e-12));
	CHECK(near(kind("A1")->items, 40, 1e-12) && near(kind("A1")->share, .4, 1e-12));
	CHECK(kind("A1")->complete == 1 && j.innocent_named == 1);
	/* of two victims one is not 80 % */
	CHECK(judge_texts(&usual, TRUTH,
		ALERT_HEAD("a", "2026-01-17T12:30:00Z", "r", "high") ",\"mailboxes\":[" NAMED(GUID("2")) "]}\n" SUMMARY));
	CHECK(kind("A1")->found == 1 && kind("A1")->complete == 0);
	/* what nothing was counted of has no share */
	CHECK(judge_texts(&usual, TRUTH,
		ALERT_HEAD("a", "2026-01-21T12:00:00Z", "r", "low") ",\"mailboxes\":[{\"guid\":null,\"upn\":\"M3@example.com\"}]}\n" SUMMARY));
	CHECK(kind("A7")->found == 1 && kind("A7")->items == 0 && isnan(kind("A7")->share) && kind("A7")->within_day == 0);
}

static bool finds(const char *time, const char *rest)
{
	char text[2048];

	snprintf(text, sizeof(text), "{\"type\":\"alert\",\"id\":\"a\",\"time\":\"%s\",\"rule\":\"r\",\"severity\":\"low\",\"mailboxes\":[%s]%s}\n",
		 time, NAMED(GUID("1")), rest);
	CHECK_MSG(judge_texts(&usual, TRUTH, text), "%s", error.p);
	CHECK(j.alarms + j.outside == 1 && j.false_.count == 0);
	return kind("A1")->found == 1;
}

static void test_match(void)
{
	/* time */
	CHECK(!finds("2026-01-14T23:59:59Z", "")); /* still learning */
	CHECK(!finds("2026-01-17T09:59:59Z", "")); /* before it began */
	CHECK(finds("2026-01-17T10:00:00Z", ""));
	CHECK(finds("2026-01-19T12:30:00Z", ""));  /* a day after its end */
	CHECK(!finds("2026-01-19T12:30:01Z", ""));
	CHECK(finds("2026-01-22T00:00:00Z", ",\"first_seen\":\"2026-01-18T00:00:00Z\",\"last_seen\":\"2026-01-21T00:00:00Z\""));
	CHECK(!finds("2026-01-22T00:00:00Z", ",\"first_seen\":\"2026-01-20T00:00:00Z\",\"last_seen\":\"2026-01-21T00:00:00Z\""));
	CHECK(!finds("2026-01-22T00:00:00Z", ",\"first_seen\":\"2026-01-10T00:00:00Z\",\"last_seen\":\"2026-01-17T09:00:00Z\""));
	/* what it blames */
	CHECK(finds("2026-01-17T11:00:00Z", ",\"apps\":[{\"app_id\":\"x\",\"client_app_id\":\"C7\",\"client\":\"OWA\"}]"));
	CHECK(!finds("2026-01-17T11:00:00Z", ",\"apps\":[{\"app_id\":\"c7\",\"client_app_id\":null,\"client\":\"REST\"}]"));
	CHECK(!finds("2026-01-17T11:00:00Z", ",\"apps\":[" CLIENT("8") "]"));
	CHECK(finds("2026-01-17T11:00:00Z", ",\"apps\":[" CLIENT("8") "," CLIENT("7") "]"));
	CHECK(!finds("2026-01-17T11:00:00Z", ",\"networks\":[\"AS421\"]"));
	CHECK(finds("2026-01-17T11:00:00Z", ",\"networks\":[\"as420\"]"));
	CHECK(finds("2026-01-17T11:00:00Z", ",\"networks\":[\"AS421\"],\"ips\":[\"198.18.0.7\"]"));
	CHECK(finds("2026-01-17T11:00:00Z", ",\"apps\":[" CLIENT("8") "],\"networks\":[\"AS420\"]"));
	CHECK(finds("2026-01-17T11:00:00Z", ",\"networks\":[\"Microsoft\"]")); /* names nothing */
	CHECK(finds("2026-01-17T11:00:00Z", ",\"apps\":[],\"networks\":[],\"ips\":[]"));
}

#define FALSE_4(id, time, severity, more) \
	ALERT_HEAD(id, time, "r", severity) ",\"mailboxes\":[" NAMED(GUID("4")) "," NAMED(GUID("5")) "]" more "}\n"

static void test_false(void)
{
	const struct judge_settings days = { .from_day = 12, .to_day = 13, .minimum = SEVERITY_INFO };

	/* one alarm is one, whatever it names; the days of learning do not count; a notice is none */
	CHECK(judge_texts(&usual, TRUTH,
		FALSE_4("a", "2026-01-16T12:00:00Z", "medium", "") FALSE_4("b", "2026-01-14T23:59:59Z", "medium", "")
		FALSE_4("c", "2026-01-16T12:00:00Z", "info", "")
		ALERT_HEAD("d", "2026-01-24T12:00:00Z", "q", "high") ",\"mailboxes\":[" NAMED(GUID("1")) "]}\n"
		ALERT_HEAD("e", "2026-01-24T12:00:00Z", "q", "high") ",\"mailboxes\":[]}\n"
		ALERT_HEAD("f", "2026-01-22T12:00:00Z", "q", "high") ",\"mailboxes\":[{\"guid\":\"nobody\",\"upn\":null}]}\n" SUMMARY));
	CHECK(j.false_.count == 3 && j.false_.mailbox_days == 13 && j.outside == 1 && j.below == 1 && j.on_victim == 1);
	CHECK(near(rate_of(j.false_), 3 * RATE_UNIT / 13, 1e-12));
	CHECK(j.false_mailboxes == 2 && j.false_distinct == 2 && j.strangers == 1);
	CHECK(j.by_severity[SEVERITY_INFO].count == 4 && j.by_severity[SEVERITY_LOW].count == 3);
	CHECK(j.by_severity[SEVERITY_HIGH].count == 2 && j.by_severity[SEVERITY_CRITICAL].count == 0);
	CHECK(j.by_class[0].count == 1 && j.by_class[1].count == 0 && j.by_class[2].count == 1);
	CHECK(j.by_rule[0].false_ == 1 && j.by_rule[1].false_ == 2 && j.by_rule[1].on_victim == 1);
	/* a: the migration, if it does not blame another application; e and f: the switch, one and three days before */
	CHECK(j.by_event[0] == 2 && j.by_event[1] == 1 && j.no_event == 0);
	CHECK(judge_texts(&usual, TRUTH, FALSE_4("a", "2026-01-16T12:00:00Z", "medium", ",\"apps\":[" CLIENT("8") "]")));
	CHECK(j.by_event[1] == 0 && j.no_event == 1);
	/* days asked for: 12 and 13, up to the closing of the last */
	CHECK(judge_texts(&days, TRUTH,
		FALSE_4("a", "2026-01-16T23:59:59Z", "info", "") FALSE_4("b", "2026-01-17T00:00:00Z", "info", "")
		FALSE_4("c", "2026-01-19T00:00:00Z", "info", "") FALSE_4("d", "2026-01-19T00:00:01Z", "info", "")));
	CHECK(j.false_.count == 2 && j.outside == 2 && j.mailbox_days == 4);
	CHECK(kind("A7")->attacks == 0 && kind("A1")->attacks == 1);
}

static void test_budget(void)
{
	/* 13 mailbox-days: a budget of 1,600 per 10,000 lets two false alarms through */
	struct judge_settings s = usual;
	static const char alerts[] =
		FALSE_4("a", "2026-01-16T12:00:00Z", "low", ",\"score\":5") FALSE_4("b", "2026-01-16T12:00:00Z", "low", ",\"score\":3.5e0")
		FALSE_4("c", "2026-01-16T12:00:00Z", "low", ",\"odds\":2") FALSE_4("d", "2026-01-16T12:00:00Z", "low", ",\"score\":1")
		ALERT_HEAD("e", "2026-01-17T12:30:00Z", "r", "high") ",\"score\":2.5,\"mailboxes\":[" NAMED(GUID("1")) "]}\n"
		ALERT_HEAD("f", "2026-01-20T12:30:00Z", "r", "high") ",\"score\":1.5,\"mailboxes\":[" NAMED(GUID("3")) "]}\n";

	s.matches_budget = true;
	s.budget = 1600;
	CHECK(judge_texts(&s, TRUTH, alerts));
	CHECK(j.false_.count == 2 && j.has_bar && near(j.bar, 2, 0) && kind("A1")->found == 1 && kind("A7")->found == 0);
	s.budget = 0;
	CHECK(judge_texts(&s, TRUTH, alerts));
	CHECK(j.false_.count == 0 && near(j.bar, 5, 0) && j.alarms == 0);
	s.budget = 1e6;
	CHECK(judge_texts(&s, TRUTH, alerts));
	CHECK(!j.has_bar && j.false_.count == 4 && kind("A7")->found == 1);
	/* equal scores: a sample, of the size that the budget allows */
	s.budget = 1600;
	CHECK(judge_texts(&s, TRUTH,
		FALSE_4("a", "2026-01-16T12:00:00Z", "low", ",\"score\":5") FALSE_4("b", "2026-01-16T12:00:00Z", "low", ",\"score\":5")
		FALSE_4("c", "2026-01-16T12:00:00Z", "low", ",\"score\":5") FALSE_4("d", "2026-01-16T12:00:00Z", "low", ",\"score\":5")));
	CHECK(j.false_.count == 2);
	/* one that has no score spends the budget first */
	CHECK(judge_texts(&s, TRUTH,
		FALSE_4("a", "2026-01-16T12:00:00Z", "low", "") FALSE_4("b", "2026-01-16T12:00:00Z", "low", ",\"score\":5")
		FALSE_4("c", "2026-01-16T12:00:00Z", "low", ",\"score\":4")));
	CHECK(j.false_.count == 2 && near(j.bar, 4, 0));
	s = usual;
	s.has_min_score = true;
	s.min_score = 2.5;
	CHECK(judge_texts(&s, TRUTH, alerts));
	CHECK(j.alarms == 3 && j.false_.count == 2);
	s = usual;
	s.rule = "q";
	CHECK(judge_texts(&s, TRUTH, alerts));
	CHECK(j.alarms == 0 && j.below == 6);
}

static void test_inventory(void)
{
	CHECK(judge_texts(&usual, TRUTH,
		"{\"type\":\"app\",\"app_id\":null,\"client_app_id\":\"c8\",\"client\":\"REST\",\"rank\":1}\n"
		"{\"type\":\"app\",\"app_id\":null,\"client_app_id\":\"c7\",\"client\":\"REST\",\"rank\":4}\n"
		"{\"type\":\"app\",\"app_id\":null,\"client_app_id\":\"c7\",\"client\":\"OWA\",\"rank\":3}\n"));
	CHECK(near(kind("A1")->rank, 3, 0) && isnan(kind("A7")->rank));
}

static void test_chance(void)
{
	/* one false alarm on two mailboxes in 13 days: on two victims for two days and one more it would come in
	 * 1 - exp(-2/13 * 3 * 2) of the cases */
	CHECK(judge_texts(&usual, TRUTH, FALSE_4("a", "2026-01-16T12:00:00Z", "medium", "")));
	CHECK(near(kind("A1")->chance, 1 - exp(-2.0 / 13 * 3 * 2), 1e-12));
}

static void test_calibration(void)
{
	CHECK(judge_texts(&usual, TRUTH,
		"{\"type\":\"score\",\"mailbox\":" GUID("4") ",\"day\":\"2026-01-15\",\"p\":0.001}\n"
		"{\"type\":\"score\",\"mailbox\":" GUID("4") ",\"day\":\"2026-01-14\",\"p\":0.001}\n"
		"{\"type\":\"score\",\"mailbox\":" GUID("4") ",\"day\":\"2026-01-20\",\"p\":0.001}\n" /* it is gone by then */
		"{\"type\":\"score\",\"mailbox\":" GUID("1") ",\"day\":\"2026-01-15\",\"p\":0}\n"
		"{\"type\":\"score\",\"mailbox\":" GUID("5") ",\"day\":\"2026-01-24\",\"p\":1e-5}\n"));
	CHECK(j.scores == 2 && j.at_or_below[0].mailbox_days == 13);
	CHECK(j.at_or_below[0].count == 2 && j.at_or_below[1].count == 2 && j.at_or_below[2].count == 1 && j.at_or_below[3].count == 1);
}

/* Both forms of the same judgement, and nothing in it that is no JSON. */
static void test_tables(void)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	CHECK(judge_texts(&usual, TRUTH, FALSE_4("a", "2026-01-16T12:00:00Z", "medium", "") SUMMARY));
	judgement_text(&b, &usual, &j, 0);
	CHECK(strstr(b.p, "5 mailboxes, 3 of them victims; 13 attack-free mailbox-days"));
	CHECK(strstr(b.p, "migration"));
	CHECK(!strstr(b.p, " nan") && !strstr(b.p, " inf "));
	CHECK(!strstr(b.p, "Calibration"));
	buf_clear(&b);
	judgement_ndjson(&b, &usual, &j);
	CHECK(strstr(b.p, "\"kind\":\"A1\",\"attacks\":1,\"found\":0,\"recall\":0,\"lower\":0,\"upper\":0.975,"));
	CHECK(strstr(b.p, "\"median_days\":null"));
	CHECK(!strstr(b.p, ":nan") && !strstr(b.p, ":inf"));
	buf_release(&b);
}

/* -- broken files -- */

static void refuses(const char *truth, const char *alerts, const char *says)
{
	CHECK_MSG(!judge_texts(&usual, truth, alerts), "%s / %s", truth, alerts);
	CHECK_MSG(error.n && strstr(error.p, says) && !strchr(error.p, '\n'), "%s: %s", says, error.n ? error.p : "");
}

static void test_broken(void)
{
	static const char mailboxes[] = TENANT MAILBOX("1", "human", "0", "19");
	char text[1024];

	refuses("", "", "line 1: the truth ends without having described a mailbox");
	refuses(TENANT, "", "without having described a mailbox");
	refuses("[]\n", "", "not a JSON object");
	refuses("{\"type\":5}\n", "", "'type' is not a text");
	refuses("{}\n", "", "'type' is missing");
	refuses(SUMMARY, "", "not a truth");
	refuses(TENANT TENANT, "", "a second tenant");
	refuses("{\"type\":\"tenant\",\"days\":1e9,\"learn_days\":0,\"start\":\"2026-01-05\"}\n", "", "'days' is not a whole number");
	refuses("{\"type\":\"tenant\",\"days\":5,\"learn_days\":6,\"start\":\"2026-01-05\"}\n", "", "'learn_days'");
	refuses("{\"type\":\"tenant\",\"days\":5,\"learn_days\":0,\"start\":\"yesterday\"}\n", "", "'start'");
	refuses("{\"type\":\"tenant\",\"days\":5,\"learn_days\":0,\"start\":\"1826-01-05\"}\n", "", "'start'");
	refuses(TENANT MAILBOX("1", "human", "0", "20"), "", "'last_day'");
	refuses(TENANT MAILBOX("1", "human", "5", "4"), "", "'last_day'");
	refuses(TENANT MAILBOX("1", "human", "99999999999999999999999", "4"), "", "'first_day'");
	refuses(TENANT MAILBOX("1", "human", "0", "9") MAILBOX("1", "human", "0", "9"), "", "there before");
	refuses(TENANT MAILBOX("1", "human", "0", "9") ATTACK_1, "", "no line before has described");
	refuses(TENANT MAILBOX("1", "human", "0", "9") "{\"type\":\"attack\",\"kind\":\"A\",\"first\":\"2026-01-17T10:00:00Z\",\"last\":"
		"\"2026-01-17T10:00:00Z\",\"first_day\":1,\"last_day\":1,\"items\":1,\"mailboxes\":[]}\n", "", "without victims");
	refuses(TENANT MAILBOX("1", "human", "0", "9") "{\"type\":\"attack\",\"kind\":\"A\",\"first\":\"2026-01-17T10:00:00Z\",\"last\":"
		"\"2026-01-17T10:00:00Z\",\"first_day\":1,\"last_day\":1,\"items\":1,\"mailboxes\":[" GUID("1") "],\"items_by_hour\":[[5,1],[4,1]]}\n",
		"", "not in order");
	refuses(TENANT MAILBOX("1", "human", "0", "9") "{\"type\":\"attack\",\"kind\":\"A\",\"first\":\"2026-01-17T10:00:00Z\",\"last\":"
		"\"2026-01-17T10:00:00Z\",\"first_day\":1,\"last_day\":1,\"items\":1,\"mailboxes\":[" GUID("1") "],\"items_by_hour\":[[5,1,7]]}\n",
		"", "no pair");
	refuses(TENANT "{\"type\":\"mailbox\",\"guid\":\"\xff\"}\n", "", "not UTF-8");
	refuses(TENANT "{\"type\":\"mailbox\"} {}\n", "", "more than one");
	refuses(TRUTH, "{\"type\":\"alert\",\"id\":\"a\"}\n", "missing");
	refuses(TRUTH, ALERT_HEAD("a", "2026-01-16T12:00:00Z", "r", "awful") "}\n", "'severity'");
	refuses(TRUTH, ALERT_HEAD("a", "noon", "r", "low") "}\n", "'time'");
	refuses(TRUTH, ALERT_HEAD("a", "2026-01-16T12:00:00Z", "r", "low") ",\"score\":\"x\"}\n", "'score'");
	refuses(TRUTH, ALERT_HEAD("a", "2026-01-16T12:00:00Z", "r", "low") ",\"score\":1e999}\n", "'score'");
	refuses(TRUTH, ALERT_HEAD("a", "2026-01-16T12:00:00Z", "r", "low") ",\"mailboxes\":[5]}\n", "no object");
	refuses(TRUTH, ALERT_HEAD("a", "2026-01-16T12:00:00Z", "r", "low") ",\"mailboxes\":{}}\n", "not a list");
	refuses(TRUTH, ALERT_HEAD("a", "2026-01-16T12:00:00Z", "r", "low") ",\"apps\":[{]}\n", "well-formed");
	refuses(TRUTH, ALERT_HEAD("a", "2026-01-16T12:00:00Z", "r", "low") "}\n" ALERT_HEAD("a", "2026-01-16T12:00:00Z", "r", "low") "}\n",
		"line 2: an alert that was there before");
	refuses(TRUTH, TENANT, "line of a truth");
	refuses(TRUTH, "{\"type\":\"score\",\"mailbox\":\"x\",\"day\":\"2026-01-16\",\"p\":2}\n", "'p'");
	CHECK(judge_texts(&usual, TRUTH, "\n\n" SUMMARY "\r\n"));
	/* cut short anywhere: a fault, or a file that is whole up to a line */
	for (size_t n = 0; n < sizeof(mailboxes) - 1; n++) {
		memcpy(text, mailboxes, n);
		text[n] = '\0';
		CHECK_MSG(judge_texts(&usual, text, "") == (n == sizeof(mailboxes) - 2), "cut at %zu", n);
	}
}

/* every byte of both files replaced by ones that matter: no crash, and a fault is one sentence */
static void test_mutations(void)
{
	static const char bytes[] = "\"{}[],:0\\ \n\x80-e";
	static const char alerts[] = ALERT_HEAD("a", "2026-01-16T12:00:00Z", "r", "low") ",\"score\":1.5,\"mailboxes\":[" NAMED(GUID("4")) "],\"apps\":["
		CLIENT("8") "],\"networks\":[\"AS1\"]}\n{\"type\":\"score\",\"mailbox\":" GUID("4") ",\"day\":\"2026-01-15\",\"p\":0.001}\n";
	char *truth_copy = strdup(TRUTH), *alerts_copy = strdup(alerts);
	unsigned long bad = 0;

	if (!truth_copy || !alerts_copy)
		abort();
	for (size_t i = 0; i < sizeof(TRUTH) - 1; i += 3) {
		const char old = truth_copy[i];
		truth_copy[i] = bytes[i / 3 % (sizeof(bytes) - 1)];
		bad += !judge_texts(&usual, truth_copy, alerts) && (!error.n || strchr(error.p, '\n'));
		truth_copy[i] = old;
	}
	for (size_t i = 0; i < sizeof(alerts) - 1; i++) {
		const char old = alerts_copy[i];
		for (size_t k = 0; k < sizeof(bytes) - 1; k += 2) {
			alerts_copy[i] = bytes[(i + k) % (sizeof(bytes) - 1)];
			bad += !judge_texts(&usual, TRUTH, alerts_copy) && (!error.n || strchr(error.p, '\n'));
		}
		alerts_copy[i] = old;
	}
	CHECK(bad == 0);
	free(truth_copy);
	free(alerts_copy);
}

/* a line without an end is refused long before memory is */
static void test_long_line(void)
{
	struct truth_names *names = calloc(1, sizeof(*names));
	char *text = malloc(EVAL_LINE_BYTES_MAX + 100);
	struct truth t;
	const char *path;

	if (!text || !names)
		abort();
	memset(text, 'x', EVAL_LINE_BYTES_MAX + 100);
	path = text_file(text, EVAL_LINE_BYTES_MAX + 100);
	buf_clear(&error);
	CHECK(!truth_read(&t, path, names, &error));
	CHECK(error.p && strstr(error.p, "longer than 64 MiB"));
	unlink(path);
	buf_clear(&error);
	CHECK(!truth_read(&t, "/nonexistent/truth", names, &error));
	CHECK(error.p && strstr(error.p, "cannot read '/nonexistent/truth'"));
	CHECK(!truth_read(&t, "/tmp", names, &error));
	free(text);
	free(names);
}

int main(void)
{
	buf_init(&error, 1 << 16);
	test_distributions();
	test_poisson_bounds();
	test_binomial_bounds();
	test_counts();
	test_found();
	test_match();
	test_false();
	test_budget();
	test_inventory();
	test_chance();
	test_calibration();
	test_tables();
	test_broken();
	test_mutations();
	test_long_line();
	buf_release(&error);
	return check_summary();
}
