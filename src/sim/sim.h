/* SPDX-License-Identifier: Apache-2.0 */
/* sim: a made-up tenant as audit exports, sign-ins and ground truth.  It knows base/ and nothing else: not how records
 * are read, not what is detected.  It shares only files with the detectors, or their figures would prove nothing. */
#ifndef TXM_SIM_SIM_H
#define TXM_SIM_SIM_H

#include "base/buf.h"

enum sim_confounder {
#define CONFOUNDER(name, text, doc) SIM_##name,
#include "sim/confounder_names.h"
#undef CONFOUNDER
	SIM_CONFOUNDERS
};
extern const char *const sim_confounder_names[SIM_CONFOUNDERS];

enum sim_kind {
#define ATTACK(name, text, duration, doc) SIM_##name,
#include "sim/attack_names.h"
#undef ATTACK
	SIM_KINDS
};
extern const char *const sim_kind_names[SIM_KINDS];

enum sim_envelope {
#define ENVELOPE(name, text, extension) SIM_##name,
#include "sim/envelope_names.h"
#undef ENVELOPE
	SIM_ENVELOPES
};
extern const char *const sim_envelope_names[SIM_ENVELOPES];
extern const char *const sim_envelope_extensions[SIM_ENVELOPES];

#define SIM_MAILBOXES_MAX 1000000
#define SIM_DAYS_MAX 3650

struct sim_settings {
	uint64_t seed;
	uint32_t mailboxes, days, learn_days;
	int64_t start;          /* days since 1970-01-01 */
	uint32_t attacks;       /* bits of enum sim_kind */
	uint32_t forged;        /* those with forged tokens: they have no sign-in */
	uint32_t instances;     /* of each kind */
	uint32_t confounders;   /* bits of enum sim_confounder */
	double copies, late;    /* shares of records delivered twice, and one to three days late; 0: in event-time order */
	bool delays;            /* every record has its delay, and there is one outage */
	enum sim_envelope envelope;
	bool signins, truth;    /* make sign-ins; remember what the truth lists */
	bool stream;            /* one envelope for all days, not one a day */
	uint64_t records_max;   /* stop after as many records; 0 = by days */
};
void sim_settings_init(struct sim_settings *s); /* the defaults that --help names */

struct sim;
/* NULL: out of memory */
struct sim *sim_new(const struct sim_settings *settings);
void sim_free(struct sim *s);

/* Makes the next day.  `audit` gets the texts of that day in the order of delivery, each call whole records of the
 * envelope with the text before, between and after them; `signins` likewise, lines.  Either false: stop.
 * After the last day come up to three that hold what was delivered late. */
typedef bool (*sim_write)(void *arg, const char *p, size_t n);
struct sim_day {
	int64_t day;          /* since 1970-01-01 */
	uint64_t records, signins;
};
enum sim_step { SIM_DAY, SIM_END, SIM_STOPPED, SIM_NO_MEMORY };
enum sim_step sim_next_day(struct sim *s, sim_write audit, sim_write signins, void *arg, struct sim_day *ret);

/* truth.ndjson; the counts are of what sim_next_day() has made so far */
enum sim_step sim_truth(struct sim *s, sim_write write, void *arg);
/* A MaxMind DB file in which the made-up networks are autonomous systems.  False: out of memory. */
bool sim_asn(struct buf *ret);

#endif
