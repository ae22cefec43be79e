/* SPDX-License-Identifier: Apache-2.0 */
/* app: the applications of the tenant, each as the audit log writes it.
 *
 *   OWA         AppId is Exchange; the caller is named in the form of 2025 only; a session
 *   Outlook     MAPI: no application at all, a session, and Sync records
 *   phone       its own name in both fields, behind a mobile operator's pool
 *   Mac         EWS: AppId only, and again in ClientInfoString
 *   others      made up: through Graph (address: Graph's), through EWS from the vendor's servers, through EWS from the
 *               user's own machine
 *   background  first-party services that read for the user, from Exchange's own servers
 *
 * Names are GUIDs with the visible prefix of everything made up; Microsoft's names are real. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim_int.h"

#define GRAPH	      "00000003-0000-0000-c000-000000000000"
#define EXCHANGE      "00000002-0000-0ff1-ce00-000000000000"
#define OWA_CLIENT    "9199bf20-a13f-4107-85dc-02114787ef48"
#define OUTLOOK_PHONE "27922004-5251-4030-b22d-91ecd9a37ea4"
#define OUTLOOK_MAC   "fe93bfe1-7947-460a-a5e0-7a5906b51360"

/* first-party applications that read no innocent mailbox here: for attack A1b */
static const char *const first_party[] = {
	"d3590ed6-52b3-4102-aeff-aad2292ab01c", "00b41c95-dab0-4487-9791-b9d2c32c80f2",
	"1fec8e78-bce4-4aaf-ab1b-5451cc387264", "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
	"ab9b8c07-8f02-4f72-87fa-80105867a763", "26a7ee05-5602-4d76-a7ba-eae8b7b67941",
	"5d661950-3475-41cd-a2c3-d671a3162bc1", "00000009-0000-0000-c000-000000000000",
	"00000007-0000-0000-c000-000000000000", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
	"497effe9-df71-4043-a8bb-14cf78c4b63b", "fb78d390-0c51-40cd-8e17-fdbfab77341b",
};

static const char *const system_apps[APP_SYSTEMS][2] = {
	{ "8a18aa92-0a1e-4e06-abd0-e118fa4787b1", "3c8e478f-21ca-493a-b87c-c7366d664d54" },
	{ "b6e65498-8dce-4d57-8de9-1269fcfcf6ce", "3c8e478f-21ca-493a-b87c-c7366d664d54" },
	{ "f3f64fec-ecee-4e9a-9eed-a36a5e421300", "f3f64fec-ecee-4e9a-9eed-a36a5e421300" },
};

/* app_id, client_app_id: of the form of 2021; client_2025: what the form of 2025 writes for the second */
static void set_ids(struct app *a, const char *app_id, const char *client_app_id, const char *client_2025)
{
	const char *const clients[2] = { client_app_id, client_2025 };

	snprintf(a->app_id, sizeof(a->app_id), "%s", app_id);
	snprintf(a->client_app_id[0], sizeof(a->client_app_id[0]), "%s", client_app_id);
	snprintf(a->client_app_id[1], sizeof(a->client_app_id[1]), "%s", client_2025);
	snprintf(a->caller, sizeof(a->caller), "%s", *client_2025 ? client_2025 : app_id);
	for (int form = 0; form < 2 && *app_id; form++)
		a->ids_n[form] = (uint16_t)snprintf(a->ids[form], sizeof(a->ids[form]), ",\"AppId\":\"%s\"%s%s%s",
						    app_id, *clients[form] ? ",\"ClientAppId\":\"" : "", clients[form],
						    *clients[form] ? "\"" : "");
}

/* ClientInfoString "Client=" client rest [AppId=id]; */
static void set_info(struct app *a, const char *client, const char *rest, const char *id)
{
	snprintf(a->client, sizeof(a->client), "%s", client);
	a->info_n = (uint16_t)snprintf(a->info, sizeof(a->info), "Client=%s%s%s%s%s", client, rest,
				       *id ? "[AppId=" : "", id, *id ? "];" : "");
}

static void make_graph(struct app *a, const char *id)
{
	set_ids(a, GRAPH, id, id);
	set_info(a, "REST", ";;", "");
	a->place = APP_FRONT_END;
	a->token = true;
}

static void make_ews(struct app *a, const char *id, const char *agent, uint8_t place)
{
	set_ids(a, id, id, id);
	set_info(a, "WebServices", agent, id);
	a->place = place;
}

static void make_owa(struct app *a, const char *client_2021, const char *client_2025)
{
	set_ids(a, EXCHANGE, client_2021, client_2025);
	set_info(a, "OWA", ";Action=ViaProxy", "");
	a->place = APP_USER;
	a->token = a->session = true;
}

static void make_common(struct app *a, uint32_t number, const char *id)
{
	switch (number) {
	case APP_OWA:
		make_owa(a, "", OWA_CLIENT);
		return;
	case APP_OUTLOOK:
		set_info(a, "MSExchangeRPC", "", "");
		a->place = APP_USER;
		a->session = true;
		return;
	case APP_PHONE:
		set_ids(a, OUTLOOK_PHONE, OUTLOOK_PHONE, OUTLOOK_PHONE);
		set_info(a, "OutlookService", ";Outlook-iOS/2.0;", "");
		a->place = APP_MOBILE;
		a->token = true;
		return;
	case APP_MAC:
		set_ids(a, OUTLOOK_MAC, "", "");
		set_info(a, "WebServices", ";Microsoft Office/16.0 (Macintosh; Mac OS X 14.4)", OUTLOOK_MAC);
		a->place = APP_USER;
		return;
	default:
		break;
	}
	struct draw d = draw_of(0, number, 0, DRAW_APP); /* of the number alone: app 17 is the same in every tenant */
	const double u = draw_unit(&d);
	if (u < 0.55)
		make_graph(a, id);
	else if (u < 0.80)
		make_ews(a, id, ";ExchangeServicesClient/15.00.0913.015", APP_VENDOR);
	else
		make_ews(a, id, ";MailDesk/4.2 (Windows NT 10.0; Win64; x64)", APP_USER);
}

static void make_attack(struct app *a, const struct sim *s, uint32_t number, const char *id)
{
	const struct attack *x = &s->attacks[number - APP_ATTACK];

	switch (x->kind) {
	case SIM_A1B:
		id = first_party[x->number % (sizeof(first_party) / sizeof(first_party[0]))];
		make_owa(a, id, id);
		return;
	case SIM_A2:
		make_graph(a, id);
		return;
	case SIM_A12:
		make_ews(a, id, ";ExchangeServicesClient/15.00.0913.015", APP_USER);
		return;
	default:
		make_owa(a, id, id);
		return;
	}
}

const struct app *app_get(struct sim *s, uint32_t number)
{
	struct app *a = s->apps[number];
	char id[GUID_TEXT_SIZE];

	if (a)
		return a;
	a = calloc(1, sizeof(*a));
	if (!a) {
		s->failed = true;
		return NULL;
	}
	snprintf(id, sizeof(id), "5f0c7a10-00c0-4000-8000-%012x", number);
	if (number >= APP_ATTACK && number - APP_ATTACK < s->attack_count) {
		make_attack(a, s, number, id);
	} else if (number >= APP_SYSTEM && number < APP_SYSTEM + APP_SYSTEMS) {
		set_ids(a, system_apps[number - APP_SYSTEM][0], system_apps[number - APP_SYSTEM][1],
			system_apps[number - APP_SYSTEM][1]);
		set_info(a, "REST", ";Client=RESTSystem;;", "");
		a->place = APP_DATA_CENTRE;
	} else if (number == APP_SWEEP) {
		make_ews(a, id, ";MailSearch/3.1", APP_USER);
	} else if (number == APP_MIGRATION || number == APP_BACKUP) {
		make_ews(a, id, ";ExchangeServicesClient/15.00.0913.015", APP_VENDOR);
	} else if (number == APP_POLL) {
		make_graph(a, id);
	} else {
		make_common(a, number, id);
	}
	s->apps[number] = a;
	return a;
}

void zipf_init(double *sums, uint32_t n, double exponent)
{
	double sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sums[i] = sum += pow(i + 1, -exponent);
}

/* a rank: sums of r^-exponent, looked up by halving */
static uint32_t zipf(struct draw *d, const double *sums, uint32_t n)
{
	uint32_t low = 0, high = n - 1;

	const double u = draw_unit(d) * sums[n - 1];

	while (low < high) {
		const uint32_t middle = (low + high) / 2;
		if (sums[middle] < u)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t app_popular(const struct sim *s, struct draw *d)
{
	return zipf(d, s->zipf_apps, APPS_COMMON);
}

uint32_t net_popular(const struct sim *s, struct draw *d)
{
	return zipf(d, s->zipf_nets, NET_ISPS);
}
