/* SPDX-License-Identifier: Apache-2.0 */
/* sim_int: what the files of the simulator share. */
#ifndef TXM_SIM_SIM_INT_H
#define TXM_SIM_SIM_INT_H

#include "base/guid.h"
#include "base/limits.h"
#include "base/table.h"
#include "base/timefmt.h"
#include "sim/draw.h"
#include "sim/sim.h"

#define DAY_SECONDS 86400
#define NO_DAY UINT32_MAX

/* Purposes of draws.  A new one goes to the end, or every tenant changes. */
enum purpose {
	DRAW_OCCUPANT = 1, DRAW_CLASS, DRAW_HABITS, DRAW_APPS, DRAW_VACATION, DRAW_ADOPT, DRAW_NETWORK, DRAW_VOLUME,
	DRAW_RECORDS, DRAW_BACKGROUND, DRAW_PLAN, DRAW_MIGRATION, DRAW_ATTACK, DRAW_ATTACK_DAY, DRAW_DELIVERY,
	DRAW_ID, DRAW_MESSAGE, DRAW_APP, DRAW_OUTLIER, DRAW_STORM, DRAW_DELEGATE, DRAW_SWEEP,
};

/* -- addresses: net.c -- */

/* A made-up network n is 198.18.0.0/15's n-th /24 and 2001:db8:n::/48, together AS 4200000000 + n.  Microsoft's
 * service ranges are real: Graph's front ends and Exchange's own servers appear with such addresses. */
enum {
	NETS = 512,
	NET_ISPS = 200,       /* 0 .. 199: where people live, by Zipf's law */
	NET_MOBILE = 200,     /* 4 pools of many phones */
	NET_MOBILES = 4,
	NET_VENDOR = 204,     /* 8 where applications in the cloud run */
	NET_VENDORS = 8,
	NET_OFFICE = 212,     /* before and after the switch */
	NET_RARE = 214,       /* the rest: hotels, hosting, far-away places */
	NET_FRONT_END = NETS, /* Graph, 20.190.160.0/24 and 40.126.32.0/24 */
	NET_DATA_CENTRE,      /* 2603:10a6::/32 */
	NET_KINDS
};
/* A reading client's place: network << 20 | v6 << 16 | host.  Never 0 as network 0 has no host 0. */
static inline uint32_t place_of(uint32_t net, bool v6, uint32_t host)
{
	return net << 20 | (uint32_t)v6 << 16 | (host & 0xffff);
}
static inline uint32_t place_net(uint32_t place) { return place >> 20; }
char *place_write(char *p, uint32_t place); /* the address as text; returns its end (at most 40 bytes) */
#define PLACE_TEXT_MAX 40

/* -- applications: app.c -- */

enum app_place { APP_USER, APP_MOBILE, APP_VENDOR, APP_FRONT_END, APP_DATA_CENTRE };

enum { /* numbers of applications; what people choose among comes first, most popular first */
	APP_OWA, APP_OUTLOOK, APP_PHONE, APP_MAC,
	APPS_COMMON = 150,
	APP_ROLLOUT = 200, /* 2 */
	APP_SWEEP = 202, APP_MIGRATION, APP_BACKUP, APP_POLL,
	APP_SYSTEM, /* 3 that read in the background */
	APP_SYSTEMS = 3,
	APP_BORN = 1024,
	APPS_BORN = 32768, /* then numbers come again */
	APP_ATTACK = 40000,
	APPS_MAX = 65536
};

struct app {
	char app_id[GUID_TEXT_SIZE], client_app_id[2][GUID_TEXT_SIZE]; /* "" = not written; the second by form */
	char client[16];         /* first word of ClientInfoString after "Client=" */
	char info[200];          /* ClientInfoString, as JSON text */
	char ids[2][160];        /* ,"AppId":"...","ClientAppId":"..." by form */
	char caller[GUID_TEXT_SIZE]; /* AppAccessContext.ClientAppId */
	uint16_t info_n, ids_n[2];
	uint8_t place;           /* enum app_place */
	bool token;              /* the form of 2025 has AppAccessContext */
	bool session;            /* the form of 2021 has SessionId */
};
struct sim;
const struct app *app_get(struct sim *s, uint32_t app); /* NULL: out of memory */
void zipf_init(double *sums, uint32_t n, double exponent);
uint32_t app_popular(const struct sim *s, struct draw *d); /* one of APPS_COMMON, by Zipf's law */
uint32_t net_popular(const struct sim *s, struct draw *d); /* one of NET_ISPS, by Zipf's law */

/* -- records -- */

enum { REC_BIND, REC_SYNC };
enum { LOGON_OWNER_TYPE = 0, LOGON_ADMIN_TYPE = 1, LOGON_DELEGATE_TYPE = 2 };
#define ACTOR_ADMIN 0xfffffff0u /* administrators by number; else the number of a mailbox's occupant */

/* A record before it is text. */
struct simrec {
	int32_t time;          /* seconds since the first day */
	int32_t arrival;
	int32_t issued;        /* when its token was; same clock */
	uint32_t who;          /* the mailbox's occupant: generation << 24 | slot */
	uint32_t actor;
	uint32_t place;
	uint32_t serial;       /* within mailbox and day */
	uint32_t message;      /* first item: day it came << 16 | number */
	uint16_t app;
	uint16_t attack;       /* instance + 1, 0 = none */
	uint8_t kind, items, logon, folder;
	uint8_t form;          /* 0 = 2021, 1 = 2025 */
	uint8_t flags;         /* enum recflag */
	uint16_t copy;         /* 0 = the first delivery */
};
enum recflag { RECFLAG_THROTTLED = 1, RECFLAG_NO_SIGNIN = 2, RECFLAG_OWN_SESSION = 4 };

struct recs {
	struct simrec *v;
	size_t n, capacity;
	bool failed;
};
struct simrec *recs_add(struct recs *r); /* zeroed; NULL: out of memory, r->failed */

/* a sign-in: as many of them as there are tokens */
struct simsignin {
	int32_t time;
	uint32_t actor, who, place, token_place, day;
	uint16_t app, attack;
};
struct signins {
	struct simsignin *v;
	size_t n, capacity;
	bool failed;
};

/* -- mailboxes: tenant.c -- */

#define TURNOVER_BLOCK 120 /* days in which a slot changes hands once at most */

enum mailbox_class { CLASS_HUMAN, CLASS_SHARED, CLASS_SERVICE, CLASS_ROOM, CLASS_DORMANT, MAILBOX_CLASSES };
extern const char *const mailbox_class_names[MAILBOX_CLASSES];

#define MAILBOX_APPS 6

/* one slot, with its current owner */
struct mailbox {
	uint32_t who, born;                /* day of birth, 0 for those of the first day */
	double log_rate, noise, active;    /* ln items a day, sd of its noise, share of weekdays with any */
	double share[MAILBOX_APPS];
	uint16_t app[MAILBOX_APPS];
	uint8_t apps, class_, zone, form;  /* zone: hours to add to a local hour to get UTC's, mod 24 */
	bool desk, weekend, poll, v6;      /* works in the office; at weekends; has the add-in; its home has IPv6 */
	uint16_t home, home_host, away, mobile;
	uint32_t away_until;               /* first day at home again */
	uint32_t rollout_day[2];           /* joins, or NO_DAY */
	int32_t blind_until;               /* seconds: no binds are logged before */
	uint32_t hour_of_count;            /* the newest hour in count[] */
	uint32_t count_sum;
	uint16_t count[24];                /* records of the last 24 hours, by hour mod 24 */
	uint16_t attack, attack_part;      /* instance + 1; which of its victims */
};
struct plan;
void mailbox_begin(const struct sim *s, struct mailbox *m, uint32_t who, uint32_t born); /* as on its first day */
/* the changes of the morning of that day; days in order, each once */
void mailbox_advance(struct sim *s, uint32_t slot, struct mailbox *m, const struct plan *plan);
uint32_t occupant_of(const struct sim *s, uint32_t slot, uint32_t day, uint32_t *ret_born);
enum mailbox_class class_of(const struct sim *s, uint32_t who);

/* What that day has in store for all; a function of (seed, day). */
#define BIRTHS_MAX 4
#define BIRTH_MAILBOXES_MAX 32
#define JOINS_MAX (BIRTHS_MAX * BIRTH_MAILBOXES_MAX * 5)
struct plan {
	uint32_t day, weekday;                 /* 0 = Monday */
	uint32_t office;                       /* network of the office */
	bool storm, sweep, migration;
	uint32_t migration_first, migration_n; /* slots */
	uint32_t migration_begin, migration_end;
	uint32_t joins;                        /* who takes up a newborn application today */
	struct join { uint32_t slot, app, born; } join[JOINS_MAX];
};
uint32_t weekday_of(const struct sim *s, uint32_t day);
void plan_make(const struct sim *s, uint32_t day, struct plan *ret);

/* -- a day of a mailbox: day.c -- */

/* Appends the records of that mailbox-day as the log shows them, in time order, and its sign-ins. */
void mailbox_day(struct sim *s, uint32_t slot, struct mailbox *m, const struct plan *plan, struct recs *ret,
		 struct signins *ret_signins);
/* places: where that person is at that second of the day */
uint32_t place_now(const struct sim *s, const struct mailbox *m, const struct plan *plan, uint32_t app_place,
		   uint32_t app, uint32_t second);
uint32_t second_of_day(struct draw *d, const struct mailbox *m); /* by the hours people work */
uint32_t draw_operation_count(struct draw *d);

/* -- attacks: attack.c -- */

struct attack {
	uint8_t kind;
	uint16_t number;           /* A3-2: 2 */
	uint32_t first, last;      /* days, as planned */
	uint32_t victims;          /* how many; the first of them in sim.victims */
	uint32_t victim_first;
	uint16_t app;
	uint32_t place[3];
	uint32_t actor;            /* 0 = the owner */
	/* what the log shows */
	int32_t seen_first, seen_last;
	uint64_t items, records, syncs;
	uint32_t apps_seen[4];     /* app << 1 | form, + 1 */
	uint32_t places_seen[16];
	struct hour { uint32_t hour; uint32_t items, records; } *hours;
	size_t hour_count, hour_capacity;
};
struct victim {
	uint32_t slot;
	int32_t first;
	uint64_t items, records;
};
bool attacks_plan(struct sim *s);
/* Appends what the attacker does to that victim on that day, before the log's own rules. */
void attack_day(struct sim *s, const struct mailbox *m, const struct plan *plan, struct recs *ret);
bool attack_saw(struct sim *s, const struct simrec *r); /* false: out of memory */

/* -- events for the truth -- */

struct sim_event {
	uint8_t kind;            /* enum sim_confounder, or the two below */
	uint32_t first, last;    /* days */
	uint32_t who;            /* one mailbox, or EVENT_ALL, or EVENT_LIST: those in sim.members */
	uint16_t app;            /* 0xffff = none */
	uint16_t net;            /* 0xffff = none */
};
enum { EVENT_HIRE = SIM_CONFOUNDERS, EVENT_LEAVE, EVENT_OUTAGE };
#define EVENT_ALL 0xffffffffu
#define EVENT_LIST 0xfffffffeu
void event_one(struct sim *s, unsigned kind, uint32_t first, uint32_t last, uint32_t who, unsigned app, unsigned net);
/* one mailbox more in the event of that kind, day and application, which is made if it is new */
void event_member(struct sim *s, unsigned kind, uint32_t first, uint32_t last, uint32_t who, unsigned app,
		  unsigned net);

/* -- text: write.c -- */

#define RECORD_TEXT_MAX 16384 /* room for any one record in any envelope */
char *write_record(struct sim *s, char *p, const struct simrec *r); /* the bare record */
char *write_signin(struct sim *s, char *p, const struct simsignin *g);
char *write_who(char *p, uint32_t who);      /* MailboxGuid, 36 characters */
char *write_upn(char *p, uint32_t actor);
char *write_number(char *p, uint64_t n);
void envelope_open(struct sim *s, struct buf *b);
char *envelope_record(struct sim *s, char *p, const struct simrec *r, bool first);
void envelope_close(struct sim *s, struct buf *b);
#define UPN_TEXT_MAX 40

/* -- the whole -- */

struct member { uint32_t event, who; };

struct sim {
	struct sim_settings set;
	struct mailbox *mailboxes;
	uint32_t day;                     /* the next to make */
	double zipf_apps[APPS_COMMON], zipf_nets[NET_ISPS];
	uint32_t storm_day, outage_second, switch_day, rollout_day[2];
	struct app *apps[APPS_MAX];
	struct attack *attacks;
	size_t attack_count;
	uint32_t wanted, dropped[SIM_KINDS];
	struct victim *victims;
	size_t victim_count;
	uint16_t *victim_of;              /* by slot: attack + 1 */
	uint32_t *victim_index;           /* by slot: place in victims */
	struct recs pending;              /* made and not yet delivered */
	struct signins signins;
	uint32_t *order, *starts;         /* places in pending, by second of arrival */
	size_t order_capacity;
	struct buf text;
	struct sim_event *events;
	size_t event_count, event_capacity;
	struct table event_of;            /* kind, day and application -> event + 1 */
	struct member *members;
	size_t member_count, member_capacity;
	char day_text[12];                /* "2026-01-05T" of day_of_text */
	int64_t day_of_text;
	uint64_t records, copies, items, syncs;
	bool opened, closed;              /* of a stream */
	bool failed;                      /* out of memory */
};
/* room for one more; false: out of memory */
bool sim_grow(void **v, size_t n, size_t *capacity, size_t size);

#endif
