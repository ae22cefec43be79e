/* SPDX-License-Identifier: Apache-2.0 */
/* client: who is calling.
 *
 * AppId is the API; where that is Microsoft Graph, ClientAppId is the caller.  Over EWS both name the caller; Outlook on
 * the web has AppId only; Outlook over MAPI names neither.  Absent and empty are not a new application.  So:
 *
 *   caller = AppId is Graph ? ClientAppId : ClientAppId, else AppId, else [AppId=...] in ClientInfoString, else
 *            AppAccessContext.ClientAppId, else the protocol's name
 *   api    = AppId where it is not the caller
 *   family = protocol[/sub-client][/agent's product], without versions, which move weekly:
 *            Client=OWA;Action=ViaProxy                            OWA/ViaProxy
 *            Client=REST;Client=RESTSystem;;                       REST/RESTSystem
 *            Client=WebServices;.../python-requests/2.25.1[AppId=…]; WebServices/python-requests
 *            Client=OWA;Mozilla/5.0 (...)                          OWA      (a browser is not news)
 */
#include "decode/decode_int.h"

enum { FAMILY_MAX = 64, PRODUCT_MAX = 28 };

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == ' ';
}

/* "Microsoft Office/16.0 (Windows…)" -> "Microsoft Office"; the last product that is not a proxy's, a path's or a version */
static struct str agent_product(struct str agent)
{
	agent = str_trim(agent);
	ptrdiff_t paren = str_find(agent, STR("("));
	ptrdiff_t bracket = str_find(agent, STR("["));
	if (paren >= 0)
		agent.n = (size_t)paren;
	if (bracket >= 0 && (size_t)bracket < agent.n)
		agent.n = (size_t)bracket;
	agent = str_trim(agent);
	if (str_starts_nocase(agent, STR("Mozilla")))
		return STR_NONE;
	if (!str_starts_nocase(agent, STR("ExchangeWebServicesProxy/"))) {
		size_t n = 0;
		while (n < agent.n && n < PRODUCT_MAX && is_word(agent.p[n]))
			n++;
		return str_trim((struct str){ agent.p, n });
	}
	/* ExchangeWebServicesProxy/CrossSite/EXCH/15.20.7249.024/python-requests/2.25.1: the last word that is no version */
	struct str best = STR_NONE;
	while (agent.n) {
		ptrdiff_t slash = str_find(agent, STR("/"));
		struct str part = str_trim((struct str){ agent.p, slash < 0 ? agent.n : (size_t)slash });
		if (part.n && part.n <= PRODUCT_MAX && !(part.p[0] >= '0' && part.p[0] <= '9') && !str_eq_nocase(part, STR("EXCH"))
			&& !str_eq_nocase(part, STR("CrossSite")) && !str_eq_nocase(part, STR("ExchangeWebServicesProxy")))
			best = part;
		if (slash < 0)
			break;
		agent.p += slash + 1;
		agent.n -= (size_t)slash + 1;
	}
	return best;
}

static void family_add(char *out, size_t *n, struct str piece)
{
	if (piece.n == 0)
		return;
	if (*n && *n < FAMILY_MAX)
		out[(*n)++] = '/';
	for (size_t i = 0; i < piece.n && *n < FAMILY_MAX; i++)
		out[(*n)++] = piece.p[i];
}

/* ClientInfoString to family; returns its length.  *ret_app: [AppId=…] in it. */
static size_t family_of(struct str info, struct str process, char out[FAMILY_MAX], struct str *ret_app)
{
	size_t n = 0;
	*ret_app = STR_NONE;
	ptrdiff_t app = str_find_nocase(info, STR("[AppId="));
	if (app >= 0) {
		struct str id = { info.p + app + 7, info.n - (size_t)app - 7 };
		ptrdiff_t end = str_find(id, STR("]"));
		if (end >= 0)
			*ret_app = (struct str){ id.p, (size_t)end };
	}
	if (!str_starts_nocase(info, STR("Client="))) {
		/* ActorInfoString "OUTLOOK.EXE/16.0…", or a process name */
		family_add(out, &n, info.n ? agent_product(info) : agent_product(process));
		return n;
	}
	info.p += 7;
	info.n -= 7;
	ptrdiff_t semi = str_find(info, STR(";"));
	struct str protocol = str_trim((struct str){ info.p, semi < 0 ? info.n : (size_t)semi });
	if (protocol.n > PRODUCT_MAX)
		protocol.n = PRODUCT_MAX;
	family_add(out, &n, protocol);
	if (semi < 0)
		return n;
	struct str rest = { info.p + semi + 1, info.n - (size_t)semi - 1 };
	if (str_starts_nocase(rest, STR("Client="))) {
		rest.p += 7;
		rest.n -= 7;
		semi = str_find(rest, STR(";"));
		struct str sub = str_trim((struct str){ rest.p, semi < 0 ? rest.n : (size_t)semi });
		family_add(out, &n, (struct str){ sub.p, sub.n > PRODUCT_MAX ? PRODUCT_MAX : sub.n });
		rest = semi < 0 ? STR_NONE : (struct str){ rest.p + semi + 1, rest.n - (size_t)semi - 1 };
	} else if (str_starts_nocase(rest, STR("Action="))) {
		rest.p += 7;
		rest.n -= 7;
		semi = str_find(rest, STR(";"));
		struct str action = str_trim((struct str){ rest.p, semi < 0 ? rest.n : (size_t)semi });
		family_add(out, &n, (struct str){ action.p, action.n > PRODUCT_MAX ? PRODUCT_MAX : action.n });
		rest = semi < 0 ? STR_NONE : (struct str){ rest.p + semi + 1, rest.n - (size_t)semi - 1 };
	}
	if (str_starts_nocase(rest, STR("UserAgent=["))) {
		rest.p += 11;
		rest.n -= 11;
		if (str_starts_nocase(rest, STR("NoUserAgent]")))
			return n;
	}
	family_add(out, &n, agent_product(rest));
	return n;
}

/* a GUID's text in lower case without braces, "" for the zero GUID and for what is no GUID */
static struct str app_text(struct str s, char out[GUID_TEXT_SIZE])
{
	uint8_t g[16];
	s = str_trim(s);
	if (s.n == 0 || !guid_parse(s, g) || guid_is_zero(g))
		return STR("");
	return str_of(guid_format(g, out));
}

void decode_client(struct decoder *d, struct str app_id, struct str client_app_id, struct str context_app, struct str info,
	struct str process)
{
	static const char graph[] = "00000003-0000-0000-c000-000000000000";
	uint64_t key = hash_str(app_id, 1);
	key = hash_str(client_app_id, key);
	key = hash_str(info, key);
	key = hash_mix(key, hash_mix(context_app.n ? hash_str(context_app, 2) : 0, info.n == 0 && process.n ? hash_str(process, 3) : 0));
	unsigned slot = key % CLIENT_CACHE;
	if (d->clients[slot].key == key && d->clients[slot].ref) {
		d->b.r.client = d->clients[slot].ref;
		return;
	}

	char app_buf[GUID_TEXT_SIZE], client_buf[GUID_TEXT_SIZE], info_buf[GUID_TEXT_SIZE], context_buf[GUID_TEXT_SIZE], family[FAMILY_MAX];
	struct str app = app_text(app_id, app_buf), client = app_text(client_app_id, client_buf), in_info;
	size_t family_n = family_of(str_trim(info), str_trim(process), family, &in_info);
	struct str fam = { family, family_n };
	struct str caller;
	bool is_graph = str_eq(app, STR(graph));
	if (client.n)
		caller = client;
	else if (app.n && !is_graph)
		caller = app;
	else if (in_info.n && app_text(in_info, info_buf).n)
		caller = *(is_graph ? &client : &app) = str_of(info_buf); /* the record names the caller nowhere else; the api stays */
	else if (context_app.n && app_text(context_app, context_buf).n)
		caller = client = str_of(context_buf);
	else if (app.n)
		caller = app; /* Graph, and the caller is not named */
	else
		caller = fam;
	struct str api = app.n && !str_eq(app, caller) ? app : STR("");
	if (caller.n == 0)
		return; /* nothing is known about the client */
	struct str parts[NAME_PARTS] = { app, client, caller, api, fam };
	d->b.r.client = names_put(&d->names, NAME_CLIENT, parts, NAME_PARTS);
	d->clients[slot].key = key;
	d->clients[slot].ref = d->b.r.client;
}
