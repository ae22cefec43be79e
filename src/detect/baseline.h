/* SPDX-License-Identifier: Apache-2.0 */
/* baseline: what is normal for each mailbox, learnt day by day; the memory of the detector `taximeter`.
 *
 *   event --> open day of the mailbox --(day ends)--> verdict (baseline_score.c) --> learnt (baseline.c), unless it alerted
 *
 * Everything used to judge a day is as it was when the day before ended.  A mailbox costs MAILBOX_ROW_BYTES_MAX, and a struct
 * verdict while a day on which it was active is closed, whatever its owner or an attacker does: edges older than 14 days give
 * way to new ones and leave a mark in `seen`, so that they are not new again.  Younger ones are never pushed out; a new edge
 * without a place is counted as new all the same. */
#ifndef TXM_DETECT_BASELINE_H
#define TXM_DETECT_BASELINE_H

#include "detect/detect_int.h"
#include "stat/budget.h"
#include "stat/calibrate.h"
#include "stat/novelty.h"
#include "stat/volume.h"

#define ROW_CLIENTS 8
#define ROW_NETS 12
#define ROW_ACTORS 6
#define ROWS_PER_CHUNK 1024
#define MAILBOX_ROW_BYTES_MAX 1228 /* 1.2 KB, with the evidence of an open day */
#define HORIZON_DAYS 60      /* not used for so long: new again */
#define YOUNG_DAYS 14        /* an edge this young is judged by what others brought more than by itself, and not pushed out */
#define WARM_DAYS 14         /* days of data before anything is raised */
#define NOVELTY_DAYS 5       /* days of data before first sightings teach anything */
#define NOVELTY_ACTIVE 7     /* active days of a mailbox before its first sightings mean anything */
#define QUARANTINE_DAYS 7    /* days for which nothing is learnt from an alert */
#define PRESENT_DAYS 30      /* a mailbox silent for longer has left */
#define ALONE_DAYS 4         /* a client that has not spread by then */
#define NEAR 10.0            /* thresholds so many times as high are watched to steer the real ones */
#define ODDS_MOST 1e9        /* the highest odds that are reported */
enum { LANE_DAY = 1, LANE_SLOW = 2, LANE_NOVELTY = 4, LANE_DAYS = 8, LANES = 4 };
extern const double lane_shares[LANES]; /* of the budget */
#define MANY_MET 20         /* a subject first seen in so many mailboxes on one day is a roll-out: not scored per mailbox */
#define AGES 3               /* of young edges: 1-2, 3-6, 7-13 days */
#define RETRO_DAYS 2         /* in retrospect these replace the three above */
#define RETRO_ACTIVE 2
#define LATE_MAX 262144      /* 20 bytes each */
#define PEAK_HALF_LIFE_DAYS 90

enum subject_kind { SUBJECT_CLIENT, SUBJECT_NET, SUBJECT_ACTOR, SUBJECT_KINDS };

enum mailbox_class { BOX_NEW, BOX_SPARSE, BOX_SERVICE, BOX_SHARED, BOX_HUMAN, BOX_CLASSES };

enum family {
	FAMILY_VOLUME,   /* items through clients that have been here for a while */
	FAMILY_CLIENT,   /* a client new to the mailbox: how rare, and how much it brings on its first day */
	FAMILY_NET,      /* a network, likewise */
	FAMILY_EDGE,     /* how much a known client or network brings */
	FAMILY_ACTOR,    /* a new person reads it */
	FAMILY_THROTTLE, /* so many records that Exchange stopped writing them */
	FAMILY_BURST,    /* items in its fullest ten minutes */
	FAMILY_SPREAD,   /* distinct folders */
	FAMILY_SYNC,     /* folders synchronised */
	FAMILY_HOUR,     /* an hour at which it is never read */
	FAMILY_PLACES,   /* one client alternately from a known network and from a new one */
	FAMILY_ALONE,    /* a young client that stays with this mailbox */
	FAMILY_PAIR,     /* a new client, only from a new network, where no one in the tenant uses it */
	FAMILY_DRIFT,    /* this week against the last three months */
	FAMILIES,                     /* up to here: combined */
	SCORE_DAY = FAMILIES,         /* all of a day together, stage 2 */
	SCORE_NOVELTY,                /* the rarest first sighting, without volume */
	SCORE_DAYS,                   /* three days together */
	SCORES
};

struct edge_row { /* one client or one network in one mailbox */
	uint32_t subject;             /* number + 1; 0 = free */
	uint16_t first_day, last_day; /* learnt */
	float n, mean, m2;
	uint32_t items;               /* of the open day */
	uint16_t records;             /* of the open day, saturating; 0 = not seen today */
	uint8_t syncs;
	bool fresh : 1;               /* new on the open day */
	bool told : 1;                    /* that it stays alone has been counted once */
};

struct actor_row {
	uint32_t tag;                 /* actor and how he logged on; 0 = free */
	uint16_t last_day;
	bool delegate, fresh;         /* fresh: new on the open day */
};

struct open_day {
	uint32_t places_at[ROW_CLIENTS]; /* where each client was last: network + 1, shifted left by one, + 1 if young */
	int64_t first_us, last_us;
	int64_t crossed_us;           /* first provisional crossing, 0 = none */
	uint64_t folders[2];          /* a bitmap to count distinct ones by */
	uint32_t items;               /* without service clients */
	uint32_t records, all_items;
	uint32_t cell, cell_items, cell_most; /* ten minutes */
	uint32_t hours;               /* bitmap */
	uint32_t judge_items, judge_records; /* next provisional verdict */
	uint32_t actor;               /* the new one */
	uint16_t syncs, overflow;     /* overflow: new edges without a place */
	uint8_t elsewhere;            /* bit by client: it also came from a network that is not new */
	uint16_t places;              /* changes between a young and an older network */
	uint32_t places_net;          /* the young one of the last change, + 1 */
	bool active, throttled, novel;
	uint32_t at;                  /* its evidence: b->kept */
};

/* What a client, network or actor did on the open day in a mailbox where it is new or young: an alert about it counts
 * exactly this. */
struct trail {
	struct kept first;            /* its first record of the day */
	int64_t last_us;
	uint64_t items;
	uint32_t records, subject;
	uint32_t next;                /* of the same mailbox, + 1; 0 = none */
	uint8_t kind;
	bool fresh;                   /* new to the mailbox */
};
#define TRAILS_PER_MAILBOX 40         /* its clients and networks have rows, and so many more are actors */
#define TRAIL_DAYS (14 + 3)           /* as long as an incident can last, and what it draws in from before */

/* evidence of a mailbox's open day */
struct day_kept {
	struct kept most;             /* the record with most items */
	uint32_t trails;              /* the first, + 1 */
	uint32_t trail_count;
};

struct small_model { float n, mean, m2; };      /* struct volume without hurdle, in 12 bytes */
struct volume_row { float n, mean, m2, a, b; }; /* struct volume in 20 bytes */
struct drift_row { float n7, mean7, n90, mean90; };

struct mailbox_row {
	struct volume_row volume[2];  /* weekday, weekend */
	struct volume_row places;
	struct edge_row clients[ROW_CLIENTS], nets[ROW_NETS];
	struct actor_row actors[ROW_ACTORS];
	struct small_model burst, spread, sync;
	struct drift_row drift;
	float recent[2];              /* -log10 p of the last two days, latest first */
	float sr, news[SUBJECT_KINDS], days, present, throttled, weekend, surprise, widen;
	uint16_t hours[24];
	uint16_t first_day, day, last_active, active_days, alert_day, alert_first_day;
	uint32_t incident, campaign;  /* + 1: its own, and that of a campaign it is in */
	uint8_t class_;
	struct open_day open;
};
_Static_assert(sizeof(struct mailbox_row) + sizeof(struct day_kept) <= MAILBOX_ROW_BYTES_MAX, "the memory of a mailbox");

struct subject_row { /* a client, network or actor in the whole tenant */
	uint32_t users[8];            /* mailboxes by their last use, in buckets of four days */
	uint16_t bucket, first_day, alert_day;
	bool service;
	uint8_t steady;               /* days that it was as regular as a service */
	float regular;                /* share of its mailboxes that it visits every day, weekends too */
	uint32_t today;               /* mailboxes */
	uint32_t met_before, met;     /* on met_day: mailboxes that used it already, and that it is new to */
	uint16_t met_day;
	float share;                  /* of the tenant's mailboxes on a day, smoothed */
	struct small_model young;     /* items a day that it brings to mailboxes it is new to */
	float throttled, throttle_days; /* of days on which it made most records of a mailbox */
	uint16_t model_day;           /* on which these were brought up to date */
	uint16_t peak_day;
	float peak;                   /* the largest campaign that it was in; counts as normal a week after its end */
};

/* What a quarantined mailbox-day would have taught about a client or network; learnt when its quarantine is over. */
struct late {
	uint32_t subject, mailbox;
	float y;
	uint16_t due;
	uint8_t kind;
	bool fresh, throttled;
};

struct subjects { struct subject_row *v; uint32_t n; };

struct class_prior {
	double mu, s2;
	bool set;
};
enum { PRIOR_WEEKDAY, PRIOR_WEEKEND, PRIOR_PLACES, PRIOR_HURDLES, PRIOR_BURST = PRIOR_HURDLES, PRIOR_SPREAD, PRIOR_SYNC, PRIORS };

struct class_row {
	struct class_prior prior[PRIORS];
	double active[PRIOR_HURDLES], days[PRIOR_HURDLES]; /* decayed mailbox-days */
	double hours[24];
	double news[SUBJECT_KINDS], new_days;
	double throttled, throttle_days;
};

struct sample { uint8_t slot; float y, deviation; }; /* for the class priors */

/* Scores of the open day, to see what a day changed in all mailboxes: a new exit of the office, a wave of synchronisation. */
struct today {
	uint32_t above[FAMILIES][CAL_BINS + 1];
	bool wave[FAMILIES];          /* does not describe a mailbox today */
	uint8_t waves[FAMILIES];      /* days in a row; from the third on it counts as normal */
	bool counted;
};

/* What a first pass over a short export leaves to the second.  No scores: they were made while little was known, and the
 * days to be judged would be judged by themselves. */
struct lessons {
	struct class_row classes[BOX_CLASSES];
	struct adoption adoption[SUBJECT_KINDS];
	double age_mu[2][AGES], age_v[2][AGES];
	double births, lonely;
	uint16_t days;                /* with data */
	uint32_t mailboxes;
};

/* Some days without history before them, of some mailboxes: what was learnt about all helps to judge each. */
bool lessons_are_worth(const struct lessons *l);

struct baseline {
	bool retrospect;              /* second pass: judged from the third day on, without any promise */
	struct today today;
	struct mailbox_row **chunks;
	uint32_t chunk_count, mailboxes;
	struct subjects subjects[SUBJECT_KINDS];
	struct table pairs;           /* client and network, in any mailbox: hash -> day */
	double births, lonely;        /* clients that were new to the tenant, and those of them that stayed alone; decayed */
	struct table seen;            /* edges that were pushed out, or found no place: hash -> day */
	struct class_row classes[BOX_CLASSES];
	struct adoption adoption[SUBJECT_KINDS];
	double age_mu[2][AGES], age_v[2][AGES];
	struct calibration (*cal)[SCORES]; /* [BOX_CLASSES + 1]: the last is the tenant */
	struct sample *samples;
	uint32_t sample_count, sample_capacity;
	uint32_t *active;             /* mailboxes with records on the open day */
	uint32_t active_count, active_capacity;
	struct day_kept *kept;        /* of them */
	uint32_t kept_capacity;
	struct trail *trails;         /* of the open day */
	uint32_t trail_count, trail_capacity;
	uint16_t day, data_days;      /* the open day; days with data before it */
	uint32_t present;             /* M: mailboxes active in the last 30 days */
	struct late *late;            /* a ring in order of `due` */
	uint32_t late_first, late_count;
	struct budget budget;
	double ln_lane[LANES];        /* ln of the share of the budget that each lane uses today */
	uint64_t refused;
};

struct edge_evidence {
	uint32_t subject;             /* NONE: none */
	uint32_t items, records, others, news; /* others: mailboxes that had it; news: first sightings of that kind today */
	double ln_nov, ln_volume, ln_p;
	double ln_first;              /* ln_nov without the mailboxes that first see it today: used for campaigns */
	bool sync;
	uint16_t age;
};


struct verdict {
	uint32_t mailbox;
	uint8_t class_;
	unsigned lanes;               /* crossed, with today's thresholds */
	double ln_raw[FAMILIES], ln_p[FAMILIES]; /* by the model; calibrated */
	double z, score, ln_p_day;
	enum family top;              /* that weighs most */
	double novelty, ln_p_novelty; /* -log10; calibrated */
	double days, ln_p_days;       /* sum of -log10 of three days; calibrated */
	double sr;                    /* after this day */
	struct volume_outlook outlook;
	double effective_days;        /* that the outlook rests on */
	struct edge_evidence news[SUBJECT_KINDS], edge, alone;
	uint32_t pair[2];             /* client and network */
	uint8_t hour;                 /* the oddest */
	enum subject_kind edge_kind;
	unsigned near;                /* lanes in which it crosses thresholds NEAR times as high, and did not on the day before */
	unsigned marginal;            /* lanes that it does not cross by more than NEAR times */
	bool alerted;                 /* crossed, or belongs to a campaign: not learnt */
	bool joined;                  /* an incident that was there before */
};

/* baseline.c */
static inline const struct trail *trail_first(const struct baseline *b, const struct mailbox_row *row)
{
	uint32_t at = b->kept[row->open.at].trails;
	return at ? &b->trails[at - 1] : NULL;
}
static inline const struct trail *trail_next(const struct baseline *b, const struct trail *t)
{
	return t->next ? &b->trails[t->next - 1] : NULL;
}
/* NULL: it was not there today, or is neither new nor young there */
const struct trail *trail_of(const struct baseline *b, const struct mailbox_row *row, enum subject_kind k, uint32_t subject);
bool baseline_begin(struct baseline *b, double alpha);
void baseline_recall(struct baseline *b, const struct lessons *l); /* after begin */
void baseline_teach(const struct baseline *b, struct lessons *l);
void baseline_release(struct baseline *b);
void baseline_persist(struct persist *p, struct baseline *b); /* after baseline_begin(); baseline_persist.c */
struct mailbox_row *baseline_row(const struct baseline *b, uint32_t mailbox); /* NULL: none */
/* Takes an event of the open day; true if the mailbox should be judged before the day ends. */
bool baseline_take(struct baseline *b, const struct event *e, struct mailbox_row **ret_row);
void baseline_open(struct baseline *b, uint16_t day);
/* The day of that mailbox becomes part of what is known; with learn = false only its calendar moves on. */
void baseline_learn(struct baseline *b, uint32_t mailbox, const struct verdict *v, bool learn);
/* After the last mailbox of the day. */
void baseline_close(struct baseline *b, const struct world *w);
uint32_t subject_others(const struct baseline *b, enum subject_kind k, uint32_t subject);
/* the same for one new to a mailbox today: with the other mailboxes that first see it today, if they are many */
uint32_t subject_others_before(const struct baseline *b, enum subject_kind k, uint32_t subject); /* without those of today */
uint32_t subject_others_met(const struct baseline *b, enum subject_kind k, uint32_t subject);
/* a copy, its models brought to today; zero if unknown */
struct subject_row subject_now(const struct baseline *b, enum subject_kind k, uint32_t subject);
void subject_learn_peak(struct baseline *b, enum subject_kind k, uint32_t subject, float peak);
uint64_t pair_key(uint32_t client, uint32_t net); /* into pairs */
uint32_t busiest_client(const struct mailbox_row *row); /* that made at least half of the open day's records; NONE */
struct volume volume_wide(const struct volume_row *v);
/* is there enough history to raise alerts, to learn from first sightings, to judge those of a mailbox? */
static inline bool is_warm(const struct baseline *b) { return b->data_days >= (b->retrospect ? RETRO_DAYS : WARM_DAYS); }
static inline bool knows_news(const struct baseline *b, const struct mailbox_row *row)
{
	return b->data_days >= (b->retrospect ? RETRO_DAYS : NOVELTY_DAYS) && row->active_days >= (b->retrospect ? RETRO_ACTIVE : NOVELTY_ACTIVE);
}
static inline bool is_weekend(uint16_t day) { return (day + 4) % 7 == 0 || (day + 4) % 7 == 6; }

double row_shift(const struct baseline *b, const struct mailbox_row *row); /* of ln(1 + items) on young edges: busy mailboxes bring more */

/* baseline_score.c */
void baseline_measure(const struct baseline *b, uint32_t mailbox, const struct mailbox_row *row, struct verdict *v);
void baseline_conclude(const struct baseline *b, const struct mailbox_row *row, struct verdict *v);
static inline void baseline_judge(const struct baseline *b, uint32_t mailbox, const struct mailbox_row *row, struct verdict *v)
{
	baseline_measure(b, mailbox, row, v);
	baseline_conclude(b, row, v);
}
/* the models' scores of a day that is over: all of them, before the first conclusion */
void baseline_count_today(struct baseline *b, const struct verdict *v, uint32_t n);
/* Enters the verdict's scores into the calibration windows.  Those of a crossing are clipped, and an incident enters once,
 * not with every mailbox and day: thirty mailbox-days of one attack would teach a small tenant that attacks are usual. */
void baseline_enter(struct baseline *b, const struct verdict *v);
void baseline_enter_silent(struct baseline *b, unsigned class_, uint32_t n);
struct volume_prior baseline_prior(const struct baseline *b, unsigned class_, unsigned which);
unsigned baseline_class(const struct baseline *b, const struct mailbox_row *row);
double folders_seen(const uint64_t bits[2]);
/* one false alarm in so many mailbox-days, all lanes and their shares of the budget considered */
double verdict_odds(const struct verdict *v);
double day_weight(double s);

/* baseline_say.c */
#define NUMBER_SIZE 32
const char *grouped(double x, char out[NUMBER_SIZE]); /* "9,300": two digits that mean something and the rest of it */
/* The records that an alert about this verdict's day counts: those of one client, network or actor if that decided, else
 * (NULL) all of the mailbox.  Title and counts both use this. */
const struct trail *verdict_subject(const struct baseline *b, const struct verdict *v);
void baseline_say(const struct baseline *b, struct detect_ctx *c, struct alert *al, const struct verdict *v);

#endif
