/* SPDX-License-Identifier: Apache-2.0 */
/* campaign: which mailboxes belong together.  Two things are done with a day's verdicts:
 *
 *   folding     a mailbox that alerts joins the alert of the last three days that has its new client, network or actor,
 *               or that is about the same mailbox; one incident, one alert.
 *   aggregator  a client, network or actor that is mildly surprising in many mailboxes is an alert though no mailbox
 *               alone is one.  Two sums are compared with those of all such subjects of the last 30 days: how strong
 *               the evidence is for so many mailboxes (strength), and how much there is (mass).  A network that a fifth
 *               of the tenant first uses at once is a new exit, and a client that comes from about as many networks as it
 *               has mailboxes is a roll-out: they make no campaign, and only single mailboxes are judged. */
#ifndef TXM_DETECT_CAMPAIGN_H
#define TXM_DETECT_CAMPAIGN_H

#include "detect/baseline.h"

#define CAMPAIGN_DAYS 3
#define MEMBERS_MAX 200000 /* pieces of evidence of the last three days: 128 bytes each */

struct member { /* a mailbox with a first sighting, or a later day of one */
	struct kept kept;
	int64_t last_us;
	uint64_t items;
	uint32_t subject, mailbox;
	uint32_t records;
	float evidence;        /* -log10 p' - 2, 0 to 4; 0: a later day, which counts but proves nothing */
	uint16_t day;
	uint8_t kind;
};

struct incident {
	struct alert *alert;
	double odds;           /* of the sentences in it */
	double campaign_odds;  /* one false campaign in so many mailbox-days */
	uint32_t subject;      /* of a campaign, or what decided for its first mailbox; NONE: all that its mailboxes did */
	float mass;            /* its largest; 0 once its subject is known for it */
	uint16_t first_day, last_day;
	uint8_t kind;
	bool campaign, retrospect;
};

struct tally { /* of a subject on the open day, so that a campaign is known before the day ends */
	double sum;
	uint32_t mailboxes;
	int64_t crossed_us;    /* 0: not yet */
};

struct campaigns {
	struct table tallies;  /* hash(kind, subject) -> struct tally */
	struct table counted;  /* hash(kind, subject, mailbox) -> float, the evidence that is in the tally */
	struct table followed; /* hash(kind, subject, mailbox) -> uint16_t, the last day on which it was evidence */
	struct member *members;
	uint32_t member_count, member_capacity;
	struct incident *incidents;
	uint32_t incident_count, incident_capacity;
	struct table by_subject;   /* hash(kind, subject) -> incident + 1 */
	struct calibration (*cal)[2][2]; /* [kind][age of the subject below or above a week][strength, mass] */
	double scored[SUBJECT_KINDS]; /* mean number of scored subjects a day */
	uint64_t refused;
};

bool campaign_begin(struct campaigns *c);
void campaign_release(struct campaigns *c);
/* evidence of today's verdict for its new client, network, actor */
void campaign_gather(struct campaigns *c, const struct baseline *b, const struct verdict *v);
/* ... and of a verdict made during the day */
void campaign_watch(struct campaigns *c, const struct baseline *b, const struct verdict *v, int64_t time_us);
/* Scores the subjects of the last three days and raises campaigns; marks the verdicts of its members. */
void campaign_judge(struct campaigns *c, struct baseline *b, struct detect_ctx *ctx, struct verdict *v, uint32_t n);
/* After the crossings: what today's mailboxes of incidents did through the incident's client, network or actor is counted,
 * new to them or not. */
void campaign_follow(struct campaigns *c, const struct baseline *b, struct detect_ctx *ctx, const struct verdict *v, uint32_t n);
/* Puts a crossing where it belongs.  False: a new incident, but no token left.  *ret_new: it is a new incident. */
bool campaign_raise(struct campaigns *c, struct baseline *b, struct detect_ctx *ctx, const struct verdict *v, bool *ret_new);
void campaigns_persist(struct persist *p, struct campaigns *c, const struct baseline *b); /* after campaign_begin() */
/* After the last day: titles of those with many mailboxes. */
void campaign_end(struct campaigns *c, struct detect_ctx *ctx);

#endif
