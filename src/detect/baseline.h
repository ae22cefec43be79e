/* SPDX-License-Identifier: Apache-2.0 */
/* baseline: what is normal for each mailbox, learnt day by day; the memory of the detector `taximeter`.
 *
 *   event --> open day of the mailbox --(day ends)--> verdict (baseline_score.c) --> learnt (baseline.c), unless it alerted
 *
 * Everything used to judge a day is as it was when the day before ended.  A mailbox costs MAILBOX_ROW_BYTES_MAX, whatever
 * its owner or an attacker does: edges older than 14 days give way to new ones and leave a mark in `seen`, so that they
 * are not new again; younger ones are never pushed out, and what finds no place is counted as new all the same. */
#ifndef TXM_DETECT_BASELINE_H
#define TXM_DETECT_BASELINE_H

#include "detect/detect_int.h"
#include "stat/budget.h"
#include "stat/calibrate.h"
#include "stat/novelty.h"
#include "stat/volume.h"

#define ROW_CLIENTS 8
#define ROW_NETS 14
#define ROW_ACTORS 6
#define ROWS_PER_CHUNK 1024
#define MAILBOX_ROW_BYTES_MAX 1200
#define HORIZON_DAYS 60      /* not used for so long: new again */
#define YOUNG_DAYS 14        /* an edge this young is not judged by its own history, nor pushed out */
#define WARM_DAYS 14         /* days of data before anything is raised */
#define NOVELTY_DAYS 5       /* days of data before first meetings teach anything */
#define NOVELTY_ACTIVE 7     /* active days of a mailbox before its first meetings mean anything */
#define QUARANTINE_DAYS 7    /* what alerts is not learnt for so long */
#define PRESENT_DAYS 30      /* a mailbox silent for longer has left */
#define AGES 3

enum subject_kind { SUBJECT_CLIENT, SUBJECT_NET, SUBJECT_ACTOR, SUBJECT_KINDS };

enum mailbox_class { BOX_NEW, BOX_SPARSE, BOX_SERVICE, BOX_SHARED, BOX_HUMAN, BOX_CLASSES };

enum family {
	FAMILY_VOLUME, FAMILY_CLIENT, FAMILY_NET, FAMILY_EDGE, FAMILY_ACTOR, FAMILY_THROTTLE, FAMILY_BURST, FAMILY_SPREAD,
	FAMILIES,                     /* up to here: combined */
	SCORE_DAY = FAMILIES,         /* all of a day together, stage 2 */
	SCORE_NOVELTY,                /* the rarest first meeting, without volume */
	SCORES
};
extern const char *const family_names[FAMILIES];

struct edge_row { /* one client or one network in one mailbox */
	uint32_t subject;             /* number + 1; 0 = free */
	uint16_t first_day, last_day; /* learnt */
	float n, mean, m2;
	uint32_t items;               /* of the open day */
	uint16_t records;             /* of the open day, saturating; 0 = not met today */
	uint8_t syncs;
	bool fresh;                   /* new on the open day */
};

struct actor_row {
	uint32_t tag;                 /* actor and how he logged on; 0 = free */
	uint16_t last_day;
	bool delegate, fresh;         /* fresh: new on the open day */
};

struct open_day {
	int64_t last_us, crossed_us;  /* crossed_us: first provisional crossing, 0 = none */
	uint64_t folders[2];          /* a bitmap to count distinct ones by */
	uint32_t items;               /* without service clients */
	uint32_t records, all_items;
	uint32_t cell, cell_items, cell_most; /* ten minutes */
	uint32_t hours;               /* bitmap */
	uint32_t judge_items, judge_records; /* next provisional verdict */
	uint32_t actor;               /* the new one */
	uint16_t syncs, overflow;     /* overflow: new edges without a place */
	bool active, throttled, novel;
	struct kept kept[2];          /* evidence: the first over a new edge, and the largest */
};

struct small_model { float n, mean, m2; };

struct mailbox_row {
	struct volume volume[2];      /* weekday, weekend */
	struct edge_row clients[ROW_CLIENTS], nets[ROW_NETS];
	struct actor_row actors[ROW_ACTORS];
	struct small_model burst, spread;
	float sr, news[SUBJECT_KINDS], days, present, throttled, weekend, surprise, widen;
	uint16_t hours[24];
	uint16_t first_day, day, last_active, active_days, alert_day, alert_first_day;
	uint32_t incident, campaign;  /* + 1: its own, and that of a campaign it is in */
	uint8_t class_;
	struct open_day open;
};
_Static_assert(sizeof(struct mailbox_row) <= MAILBOX_ROW_BYTES_MAX, "the memory of a mailbox");

struct subject_row { /* a client, network or actor in the whole tenant */
	uint32_t users[8];            /* mailboxes by their last use, in buckets of four days */
	uint16_t bucket, first_day, alert_day;
	bool service;
	uint8_t steady;               /* days that it was as regular as a service */
	float regular;                /* share of its mailboxes that it visits every day, weekends too */
	uint32_t today;               /* mailboxes */
	float share;                  /* of the tenant's mailboxes on a day, smoothed */
};

struct subjects { struct subject_row *v; uint32_t n; };

struct class_prior {
	double mu, s2;
	bool set;
};
enum { PRIOR_WEEKDAY, PRIOR_WEEKEND, PRIOR_BURST, PRIOR_SPREAD, PRIORS };

struct class_row {
	struct class_prior prior[PRIORS];
	double active[2], days[2];    /* decayed mailbox-days */
	double news[SUBJECT_KINDS], new_days;
	double throttled, throttle_days;
};

struct sample { uint8_t slot; float y, deviation; }; /* for the class priors */

struct baseline {
	struct mailbox_row **chunks;
	uint32_t chunk_count, mailboxes;
	struct subjects subjects[SUBJECT_KINDS];
	struct table seen;            /* edges that were pushed out, or found no place: hash -> day */
	struct class_row classes[BOX_CLASSES];
	struct adoption adoption[SUBJECT_KINDS];
	double age_mu[2][AGES], age_v[2][AGES];
	struct calibration (*cal)[SCORES]; /* [BOX_CLASSES + 1]: the last is the tenant */
	struct sample *samples;
	uint32_t sample_count, sample_capacity;
	uint32_t *active;             /* mailboxes with records on the open day */
	uint32_t active_count, active_capacity;
	uint16_t day, data_days;      /* the open day; days with data before it */
	uint32_t present;             /* M: mailboxes active in the last 30 days */
	struct budget budget;
	uint64_t refused;
};

struct edge_evidence {
	uint32_t subject;             /* NONE: none */
	uint32_t items, records, others, news; /* others: mailboxes that had it; news: first meetings of that kind today */
	double ln_nov, ln_volume, ln_p;
	bool sync;
	uint16_t age;
};

enum { LANE_DAY = 1, LANE_SLOW = 2, LANE_NOVELTY = 4 };

struct verdict {
	uint32_t mailbox;
	uint8_t class_;
	unsigned lanes;               /* crossed, with today's thresholds */
	double ln_raw[FAMILIES], ln_p[FAMILIES]; /* by the model; calibrated */
	double z, score, ln_p_day;
	double novelty, ln_p_novelty; /* -log10; calibrated */
	double sr;                    /* after this day */
	struct volume_outlook outlook;
	double effective_days;        /* that the outlook rests on */
	struct edge_evidence news[SUBJECT_KINDS], edge;
	enum subject_kind edge_kind;
	bool alerted;                 /* crossed, or belongs to a campaign: not learnt */
	bool joined;                  /* an incident that was there before */
};

/* baseline.c */
bool baseline_begin(struct baseline *b, double alpha);
void baseline_release(struct baseline *b);
struct mailbox_row *baseline_row(const struct baseline *b, uint32_t mailbox); /* NULL: none */
/* Takes an event of the open day; true if the mailbox should be judged before the day ends. */
bool baseline_take(struct baseline *b, const struct event *e, struct mailbox_row **ret_row);
void baseline_open(struct baseline *b, uint16_t day);
/* The day of that mailbox becomes part of what is known; with learn = false only its calendar moves on. */
void baseline_learn(struct baseline *b, uint32_t mailbox, const struct verdict *v, bool learn);
/* After the last mailbox of the day. */
void baseline_close(struct baseline *b, const struct world *w);
uint32_t subject_others(const struct baseline *b, enum subject_kind k, uint32_t subject);
static inline bool is_weekend(uint16_t day) { return (day + 4) % 7 == 0 || (day + 4) % 7 == 6; }

/* baseline_score.c */
void baseline_judge(const struct baseline *b, uint32_t mailbox, const struct mailbox_row *row, struct verdict *v);
/* Enters the verdict's scores into the calibration windows.  Those of a crossing are clipped, and an incident enters once,
 * not with every mailbox and day: thirty mailbox-days of one attack would teach a small tenant that attacks are usual. */
void baseline_enter(struct baseline *b, const struct verdict *v);
void baseline_enter_silent(struct baseline *b, unsigned class_, uint32_t n);
struct volume_prior baseline_prior(const struct baseline *b, unsigned class_, unsigned which);
unsigned baseline_class(const struct baseline *b, const struct mailbox_row *row);
double folders_seen(const uint64_t bits[2]);
/* one false alarm in so many mailbox-days, all lanes and their shares of the budget considered */
double verdict_odds(const struct verdict *v);

/* baseline_say.c */
void baseline_say(const struct baseline *b, struct detect_ctx *c, struct alert *al, const struct verdict *v);

#endif
