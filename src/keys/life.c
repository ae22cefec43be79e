/* SPDX-License-Identifier: Apache-2.0 */
/* life: is the key young enough, was it listed only while it should have been, does the provider still rotate?
 *
 * The stolen key of Storm-0558 would have been reported here on 2021-04-05 and every day after: its certificate had ended
 * the day before and the set still listed it.
 *
 * A history has only what was observed.  Nothing is concluded about a gap in it; the gap is reported (life.gap). */
#include "base/count.h"
#include "keys/audit_int.h"

#include <stdlib.h>

#define CERT_LONG_US (398 * US_PER_DAY)
#define EARLY_USE_US US_PER_DAY
#define OVERLAP_US (30 * US_PER_DAY)

static int64_t later_of(int64_t a, int64_t b) { return a > b ? a : b; }

/* for undated sets the time of the audit is not the start */
static int64_t since_of(const struct audit *a, const struct history_key *k, int64_t since)
{
	return is_dated(a, k) ? later_of(since, k->first) : since;
}

static void judge_certificate(struct audit *a, const struct history_key *k)
{
	const struct key_cert *c = &newest(a, k)->cert;
	/* in a history of changes the newest set holds until now; otherwise only observations count */
	const int64_t seen = k->present && history_on_change(a->history) ? a->at : k->last;
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE], span[TIME_TEXT_SIZE];

	if (!c->present || !c->dates_known)
		return;
	if (seen > c->not_after_us)
		finding_add(a, FINDING_LIFE_EXPIRED_LISTED,
			    audit_trusts(a, k->id) ? SEVERITY_CRITICAL_FINDING : SEVERITY_FINDING, k, k->provider,
			    since_of(a, k, c->not_after_us), "the certificate ended %s and the key was listed %s, %s later%s",
			    day_text(c->not_after_us, one), day_text(seen, two), time_format_span(seen - c->not_after_us, span),
			    audit_trusts(a, k->id) ? "; the policy trusts it" : "");
	if (k->first < c->not_before_us)
		finding_add(a, FINDING_LIFE_NOT_YET, SEVERITY_FINDING, k, k->provider, is_dated(a, k) ? k->first : 0,
			    "listed %s, the certificate begins %s", day_text(k->first, one), day_text(c->not_before_us, two));
	if (c->not_after_us - c->not_before_us > CERT_LONG_US)
		finding_add(a, FINDING_LIFE_CERT_LONG, SEVERITY_INFORMATION, k, k->provider, since_of(a, k, c->not_before_us),
			    "the certificate runs from %s to %s, %lld days", day_text(c->not_before_us, one),
			    day_text(c->not_after_us, two), (long long)((c->not_after_us - c->not_before_us) / US_PER_DAY));
}

/* What the entry itself says of its life (OpenID Federation, 8.7). */
static void judge_members(struct audit *a, const struct history_key *k, const struct key *key)
{
	const int64_t seen = judged_at(a, k);
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE], span[TIME_TEXT_SIZE];

	if (key->revoked && !k->gone)
		finding_add(a, FINDING_LIFE_REVOKED, str_find_nocase(key->revoked_reason, STR("compromis")) >= 0 ? SEVERITY_CRITICAL_FINDING : SEVERITY_FINDING,
			    k, k->provider, key->revoked_us, "revoked%s%s%s%.*s", key->revoked_us ? " " : "", key->revoked_us ? day_text(key->revoked_us, one) : "",
			    key->revoked_reason.n ? ": " : "", STR_ARG(key->revoked_reason));
	if (key->exp_us && seen > key->exp_us)
		finding_add(a, FINDING_LIFE_EXPIRED_LISTED, SEVERITY_FINDING, k, k->provider, since_of(a, k, key->exp_us),
			    "its 'exp' is %s and the key was listed %s, %s later", day_text(key->exp_us, one), day_text(seen, two),
			    time_format_span(seen - key->exp_us, span));
	if (key->nbf_us && k->first < key->nbf_us)
		finding_add(a, FINDING_LIFE_NOT_YET, SEVERITY_FINDING, k, k->provider, is_dated(a, k) ? k->first : 0, "listed %s, its 'nbf' is %s",
			    day_text(k->first, one), day_text(key->nbf_us, two));
}

static void judge_age(struct audit *a, const struct history_key *k)
{
	const struct key_cert *c = &newest(a, k)->cert;
	const bool has_start = c->present && c->dates_known && c->not_before_us < k->first;
	const int64_t start = has_start ? c->not_before_us : k->first, age = judged_at(a, k) - start;
	const struct audit_record *r;
	int64_t cap = 0;
	size_t from = 0;
	char one[TIME_TEXT_SIZE];

	while ((r = audit_record_of(a, k->id, &from)))
		if (r->trusts && (!cap || (r->max_age && r->max_age < cap)))
			cap = r->max_age ? r->max_age : a->settings.max_age;
	if (cap && age > cap && !k->gone)
		finding_add(a, FINDING_LIFE_AGE, SEVERITY_CRITICAL_FINDING, k, k->provider, start + cap,
			    "%lld days old (%s %s), the policy allows %lld and trusts it", (long long)(age / US_PER_DAY),
			    has_start ? "its certificate begins" : "first seen", day_text(start, one), (long long)(cap / US_PER_DAY));
	else if (age > a->settings.old_age)
		finding_add(a, FINDING_LIFE_AGE, SEVERITY_FINDING, k, k->provider, start + a->settings.old_age, "%lld days old%s (%s %s)",
			    (long long)(age / US_PER_DAY), k->gone ? " when it was last listed" : "",
			    has_start ? "its certificate begins" : "first seen", day_text(start, one));
}

static void judge_return(struct audit *a, const struct history_key *k)
{
	for (uint32_t i = 0; i + 1 < k->run_count; i++) {
		const struct history_run *r = &k->runs[i];
		const int64_t back = k->runs[i + 1].first, away = (history_on_change(a->history) ? back : r->missing_last) - r->missing;
		char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE], span[TIME_TEXT_SIZE];

		if (away > HISTORY_HYSTERESIS_US)
			finding_add(a, FINDING_LIFE_RETURNED, SEVERITY_FINDING, k, k->provider, back,
				    "gone from %s, back %s, away for %s", day_text(r->missing, one), day_text(back, two),
				    time_format_span(away, span));
	}
}

/* -- use, where logged tokens show it -- */

struct use { int64_t first, last; uint64_t count; };

/* By place in distinct[]: every set that lists the key sees its use.  NULL: out of memory. */
static struct use *collect_uses(const struct audit *a)
{
	struct use *uses = calloc(a->distinct_count ? a->distinct_count : 1, sizeof(*uses));

	for (size_t i = 0; i < a->token_count && uses; i++) {
		const struct token_seen *t = &a->tokens[i];
		const int64_t at = t->iat * US_PER_SECOND;
		uint32_t d;

		if (!t->has_spki || !t->iat || at > a->at || !audit_distinct(a, t->spki, &d))
			continue;
		if (!uses[d].count || at < uses[d].first)
			uses[d].first = at;
		if (at > uses[d].last)
			uses[d].last = at;
		uses[d].count++;
	}
	return uses;
}

static void judge_use(struct audit *a, const struct history_key *k, const struct use *u)
{
	const int64_t seen = judged_at(a, k);
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE];
	int64_t gone;

	if (!u->count) {
		if (is_dated(a, k) && seen - k->first > a->settings.idle)
			finding_add(a, FINDING_LIFE_IDLE, SEVERITY_FINDING, k, k->provider, k->first + a->settings.idle,
				    "listed since %s, and none of %s was signed with it", day_text(k->first, one),
				    COUNT(a->token_count, "logged token"));
		return;
	}
	if (is_dated(a, k) && seen - u->last > OVERLAP_US)
		finding_add(a, FINDING_LIFE_OVERLAP_LONG, SEVERITY_FINDING, k, k->provider, u->last + OVERLAP_US,
			    "last used %s, listed until %s", day_text(u->last, one), day_text(seen, two));
	if (is_dated(a, k) && k->first > a->providers[k->provider].times[0] && u->first - k->first < EARLY_USE_US)
		finding_add(a, FINDING_LIFE_NO_OVERLAP, SEVERITY_INFORMATION, k, k->provider, u->first,
			    u->first < k->first ? "used before it was listed" : "used less than 24 h after it was first listed");
	if (is_dated(a, k) && u->last > k->first && !history_listed_at(k, u->last, &gone) &&
	    (u->last <= a->providers[k->provider].times[a->providers[k->provider].time_count - 1] || history_on_change(a->history)))
		finding_add(a, FINDING_LIFE_RETIRED_USED, SEVERITY_CRITICAL_FINDING, k, k->provider, u->last,
			    "gone from the set since %s, and a token was issued with it on %s", day_text(gone, one), day_text(u->last, two));
}

/* -- providers -- */

static void judge_rotation(struct audit *a, uint32_t provider)
{
	const struct history_provider *p = &a->providers[provider];
	const int64_t begin = p->time_count ? p->times[0] : 0, newest_look = p->time_count ? p->times[p->time_count - 1] : 0;
	const int64_t end = history_on_change(a->history) ? a->at : newest_look;
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE], span[TIME_TEXT_SIZE];
	int64_t due;

	if (!p->dated || !p->time_count || !p->key_count)
		return;
	if (p->rotation && p->newest_arrival) {
		due = later_of(p->rotation + p->rotation / 2, a->settings.max_age);
		if (end - p->newest_arrival > due)
			finding_add(a, FINDING_LIFE_OVERDUE, SEVERITY_FINDING, NULL, provider, p->newest_arrival + due,
				    "the newest key came %s, the median interval is %s", day_text(p->newest_arrival, one),
				    time_format_span(p->rotation, span));
		return;
	}
	for (uint32_t i = 0; i < p->key_count; i++) {
		const struct history_key *k = &a->keys[p->first_key + i];
		if (k->first == begin && k->present && !k->absences && end - begin > a->settings.max_age)
			finding_add(a, FINDING_LIFE_NEVER_ROTATED, SEVERITY_FINDING, k, provider, begin + a->settings.max_age,
				    "the same key from %s to %s, and no other came", day_text(begin, one), day_text(end, two));
	}
}

/* Was there a moment at which all keys were replaced by others?  Between two observations of a sampled history that may
 * have happened step by step; only a history of changes can show it. */
static void judge_breaks(struct audit *a, uint32_t provider)
{
	const struct history_provider *p = &a->providers[provider];
	uint32_t *bridges;

	if (!p->dated || !history_on_change(a->history) || p->time_count < 2)
		return;
	bridges = calloc(p->time_count, sizeof(*bridges)); /* [i]: keys in both observation i and i + 1; kept as differences */
	if (!bridges) {
		a->failed = true;
		return;
	}
	for (uint32_t i = 0; i < p->key_count; i++) {
		const struct history_key *k = &a->keys[p->first_key + i];
		for (uint32_t r = 0, t = 0; r < k->run_count; r++) {
			while (p->times[t] < k->runs[r].first)
				t++;
			for (; t + 1 < p->time_count && p->times[t + 1] <= k->runs[r].last; t++)
				bridges[t]++;
		}
	}
	for (uint32_t t = 0; t + 1 < p->time_count; t++) {
		char one[TIME_TEXT_SIZE];
		if (!bridges[t])
			finding_add(a, FINDING_LIFE_NO_OVERLAP, SEVERITY_INFORMATION, NULL, provider, p->times[t + 1],
				    "on %s no key of the set before was left", day_text(p->times[t + 1], one));
	}
	free(bridges);
}

static void judge_empty(struct audit *a, uint32_t provider)
{
	const struct history_provider *p = &a->providers[provider];
	int64_t since = 0;
	uint32_t present = 0;

	for (uint32_t i = 0; i < p->key_count; i++) {
		const struct history_key *k = &a->keys[p->first_key + i];
		present += k->present;
		since = later_of(since, k->gone_since);
	}
	if (p->key_count && !present)
		finding_add(a, FINDING_LIFE_EMPTY, SEVERITY_FINDING, NULL, provider, since, "no key is in it; there had been %s", COUNT(p->key_count, "key"));
}

static void judge_gaps(struct audit *a, uint32_t provider)
{
	const struct history_provider *p = &a->providers[provider];
	int64_t longest = 0, at = 0;
	uint32_t n = 0;
	char one[TIME_TEXT_SIZE], two[TIME_TEXT_SIZE], span[TIME_TEXT_SIZE];

	if (!p->dated || !p->time_count)
		return;
	for (uint32_t i = 1; i < p->time_count && p->rotation && !history_on_change(a->history); i++) {
		const int64_t gap = p->times[i] - p->times[i - 1];
		n += gap > p->rotation;
		if (gap > p->rotation && gap > longest) {
			longest = gap;
			at = p->times[i - 1];
		}
	}
	if (n)
		finding_add(a, FINDING_LIFE_GAP, SEVERITY_INFORMATION, NULL, provider, at,
			    "%s longer than the interval at which keys come (%s), the longest from %s to %s: what came and went "
			    "in them is unknown", COUNT(n, "gap"), time_format_span(p->rotation, span), day_text(at, one),
			    day_text(at + longest, two));
	at = p->times[p->time_count - 1];
	if (a->at - at > later_of(HISTORY_HYSTERESIS_US, p->rotation))
		finding_add(a, FINDING_LIFE_GAP, SEVERITY_INFORMATION, NULL, provider, at,
			    "the last observation is of %s: what was listed in the %s since is unknown", day_text(at, one),
			    time_format_span(a->at - at, span));
}

void audit_life(struct audit *a)
{
	struct use *uses = a->token_count ? collect_uses(a) : NULL;

	if (a->token_count && !uses)
		a->failed = true;
	for (uint32_t i = 0; i < a->key_count; i++) {
		const struct history_key *k = &a->keys[i];
		uint32_t d;

		judge_certificate(a, k);
		for (uint32_t v = 0; v < k->version_count; v++) /* a set may list one key twice */
			if (k->versions[v].last == k->last)
				judge_members(a, k, audit_entry(a, k->versions[v].entry));
		judge_age(a, k);
		judge_return(a, k);
		if (uses && newest(a, k)->has_spki && audit_distinct(a, k->id, &d))
			judge_use(a, k, &uses[d]);
	}
	for (uint32_t i = 0; i < a->provider_count; i++) {
		judge_rotation(a, i);
		judge_breaks(a, i);
		judge_gaps(a, i);
		judge_empty(a, i);
	}
	free(uses);
}
