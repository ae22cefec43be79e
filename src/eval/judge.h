/* SPDX-License-Identifier: Apache-2.0 */
/* judge: which alarm found which attack, which was false, and the resulting figures.  The rules are in
 * docs/evaluation.md; judge.c repeats each where it is applied. */
#ifndef TXM_EVAL_JUDGE_H
#define TXM_EVAL_JUDGE_H

#include "eval/alarms.h"
#include "eval/exact.h"

enum verdict_of_alarm {
	ALARM_TRUE,      /* found an attack */
	ALARM_FALSE,     /* names an attack-free mailbox, or none that is known */
	ALARM_ON_VICTIM, /* names victims only, but not for their attack: neither true nor false */
	ALARM_OUTSIDE,   /* raised on a day that is not asked for */
};

struct judge_settings {
	int32_t from_day, to_day;    /* -1: as in the truth (after the days of learning, to the end) */
	enum severity minimum;       /* below it an alert is no alarm */
	const char *rule;            /* only this one; NULL: all */
	bool has_min_score, matches_budget;
	double min_score;            /* alarms below are left out */
	double budget;               /* ... or the lowest bar that leaves at most so many false alarms per 10,000 mailbox-days */
};

struct judge_pair { struct truth truth; struct alarms alarms; };

#define RATE_UNIT 10000.0 /* mailbox-days */
struct rate { uint64_t count, mailbox_days; };
double rate_of(struct rate r);               /* per 10,000; 0 if there are no days */
struct bounds rate_bounds(struct rate r);

struct kind_row {
	uint64_t attacks, found;
	uint64_t within_day;         /* found within 24 hours of its first record */
	double days, items, share;   /* medians over the found ones, at the first alarm; NAN if there is none */
	double share_all;            /* median over all attacks, a missed one counting as all its items */
	uint64_t campaigns;          /* attacks on two or more mailboxes */
	uint64_t complete;           /* ... of which one alarm names at least 80 % */
	double rank;                 /* median place of its clients in the inventory; NAN if there is none */
	double chance;               /* mean share found by alarms that know nothing of the attack, at most */
};

struct rule_row { uint64_t alarms, true_, false_, on_victim; };

struct judgement {
	struct truth_names names;
	struct eval_names rules;
	uint64_t pairs, mailboxes, victims, mailbox_days; /* the days: attack-free, inside the days asked for */
	uint64_t alarms, true_, outside, on_victim, below; /* below: the severity, the score or of another rule */
	uint64_t strangers;          /* mailboxes that alarms name and truths do not */
	uint64_t innocent_named;     /* attack-free mailboxes named by true alarms */
	struct rate false_;
	uint64_t false_mailboxes;    /* (false alarm, attack-free mailbox) pairs */
	uint64_t false_distinct;     /* mailboxes with at least one */
	struct rate by_severity[5];  /* that level and above, whatever the minimum */
	uint64_t at_severity[5], true_at_severity[5];
	struct rate by_class[EVAL_NAMES_MAX];
	struct rule_row by_rule[EVAL_NAMES_MAX];
	uint64_t by_event[EVAL_NAMES_MAX], no_event;
	struct kind_row kinds[EVAL_NAMES_MAX];
	bool has_bar;
	double bar;                  /* the score that the budget came to */
	uint64_t scores;             /* score lines seen */
	struct rate at_or_below[EVAL_LEVELS];
};

/* The days of one truth that count. */
void judge_days(const struct judge_settings *s, const struct truth *t, int32_t *ret_from, int32_t *ret_to);
/* Was it raised by that attack, as far as its own data show? */
bool judge_matches(const struct alarm *al, const struct truth_case *attack);
/* names and rules of *j must be those that the pairs were read with.  False: see *error. */
bool judge(const struct judge_settings *s, struct judge_pair *pairs, size_t n, struct judgement *j, struct buf *error);

void judgement_text(struct buf *b, const struct judge_settings *s, const struct judgement *j, size_t width); /* 0: as wide as it is */
void judgement_ndjson(struct buf *b, const struct judge_settings *s, const struct judgement *j);

#endif
