/* SPDX-License-Identifier: Apache-2.0 */
/* write: records as text, in the shapes of the audit log reference (its sections 2.9, 5 and 6).
 *
 * A soak writes a hundred million of them, so a record is put together by copying: fixed pieces with memcpy, numbers
 * and hexadecimal by hand.  The caller has made room for RECORD_TEXT_MAX bytes; the longest record is a quarter of
 * that. */
#include "sim/sim_int.h"

#define INTERACTIVE_OF 6 /* one sign-in in six is made by hand */
#define PUT(p, literal) (memcpy((p), (literal), sizeof(literal) - 1), (p) + sizeof(literal) - 1)
#define TENANT		"5f0c7a10-0000-4000-8000-000000000001"

static const char *const folder_names[12] = {
	"Inbox",    "Archive",	"Projects", "Sent Items", "Drafts",	"Deleted Items",
	"Calendar", "Contacts", "Notes",    "Tasks",	  "Junk Email", "Conversation History",
};

/* -- pieces -- */

static char *put_text(char *p, const char *s, size_t n)
{
	memcpy(p, s, n);
	return p + n;
}

static char *put_cstr(char *p, const char *s)
{
	return put_text(p, s, strlen(s));
}

/* eight hexadecimal digits: one nibble a byte, all eight at once */
static char *put_hex8(char *p, uint32_t n)
{
	uint64_t x = n;

	x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
	x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
	x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	/* 10 and more carry into bit 4 when 6 is added: those are letters */
	x += UINT64_C(0x3030303030303030) +
	     (((x + UINT64_C(0x0606060606060606)) >> 4) & UINT64_C(0x0101010101010101)) * 0x27;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	memcpy(p, &x, 8);
	return p + 8;
}

static char *put_hex16(char *p, uint64_t n)
{
	return put_hex8(put_hex8(p, (uint32_t)(n >> 32)), (uint32_t)n);
}

/* a GUID with the visible prefix of everything made up, and 88 bits of two hashes */
static char *put_guid(char *p, uint64_t a, uint64_t b)
{
	char hex[32];

	put_hex16(put_hex16(hex, a), b);
	p = PUT(p, "5f0c7a10-");
	p = put_text(p, hex, 4);
	p = PUT(p, "-4");
	p = put_text(p, hex + 4, 3);
	p = PUT(p, "-8");
	p = put_text(p, hex + 7, 3);
	*p++ = '-';
	return put_text(p, hex + 16, 12);
}

char *write_number(char *p, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return put_text(p, digits + at, sizeof(digits) - at);
}

char *write_who(char *p, uint32_t who)
{
	return put_hex8(PUT(p, "5f0c7a10-00a1-4000-8000-0000"), who);
}

static char *put_object(char *p, uint32_t actor)
{
	return put_hex8(PUT(p, "5f0c7a10-00d1-4000-8000-0000"), actor);
}

char *write_upn(char *p, uint32_t actor)
{
	if (actor >= ACTOR_ADMIN) {
		p = actor == ACTOR_ADMIN ? PUT(p, "search-admin") : PUT(p, "second-admin");
	} else {
		*p++ = 'u';
		p = put_hex8(p, actor);
	}
	return PUT(p, "@example.com");
}

static char *put_sid(char *p, uint32_t actor)
{
	return write_number(PUT(p, "S-1-5-21-1000-2000-3000-"), UINT64_C(1000000000) + actor);
}

static char *put_two(char *p, uint32_t n)
{
	*p++ = (char)('0' + n / 10);
	*p++ = (char)('0' + n % 10);
	return p;
}

/* "2026-01-06T10:00:00" */
static char *put_time(struct sim *s, char *p, int32_t time)
{
	const int32_t back = time < 0; /* a token may be older than the tenant's first day */
	const uint32_t second = (uint32_t)(time + back * DAY_SECONDS) % DAY_SECONDS;
	const int64_t day = (time + back * DAY_SECONDS) / DAY_SECONDS - back;
	char text[TIME_TEXT_SIZE];

	if (day != s->day_of_text) {
		time_format((s->set.start + day) * US_PER_DAY, text);
		memcpy(s->day_text, text, 11);
		s->day_of_text = day;
	}
	p = put_text(p, s->day_text, 11);
	p = put_two(p, second / 3600);
	*p++ = ':';
	p = put_two(p, second / 60 % 60);
	*p++ = ':';
	return put_two(p, second % 60);
}

/* "1/6/2026 10:00:00 AM" */
static char *put_culture_time(struct sim *s, char *p, int32_t time)
{
	char iso[24];
	unsigned hour;

	put_time(s, iso, time);
	hour = (unsigned)(iso[11] - '0') * 10 + (unsigned)(iso[12] - '0');
	if (iso[5] != '0')
		*p++ = iso[5];
	*p++ = iso[6];
	*p++ = '/';
	if (iso[8] != '0')
		*p++ = iso[8];
	*p++ = iso[9];
	*p++ = '/';
	p = put_text(p, iso, 4);
	*p++ = ' ';
	p = write_number(p, hour % 12 ? hour % 12 : 12);
	p = put_text(p, iso + 13, 6);
	return hour < 12 ? PUT(p, " AM") : PUT(p, " PM");
}

/* -- ids that are drawn -- */

static char *put_id(struct sim *s, char *p, const struct simrec *r)
{
	const uint64_t a =
		hash_mix(hash_mix(s->set.seed, DRAW_ID), (uint64_t)r->who << 32 | (uint32_t)(r->time / DAY_SECONDS));

	return put_guid(p, hash_mix(a, r->serial), hash_mix(r->serial, a));
}

/* of the session of that reader on that day; `own`: a session for this record alone */
static uint64_t session_key(const struct sim *s, uint32_t actor, uint32_t who, uint32_t place, uint32_t app,
			    uint32_t day, uint32_t own)
{
	const uint64_t reader =
		hash_mix(hash_mix(s->set.seed, (uint64_t)actor << 32 | who), (uint64_t)place << 32 | app);

	return hash_mix(reader, (uint64_t)day << 32 | own);
}

static uint64_t session_of(const struct sim *s, const struct simrec *r)
{
	return session_key(s, r->actor, r->who, r->place, (uint32_t)r->attack << 16 | r->app,
			   (uint32_t)(r->time / DAY_SECONDS), r->flags & RECFLAG_OWN_SESSION ? r->serial + 1 : 0);
}

static uint64_t token_of(const struct sim *s, const struct simrec *r)
{
	return session_key(s, r->actor, r->who, r->place, (uint32_t)r->attack << 16 | r->app,
			   (uint32_t)(r->time / DAY_SECONDS), 0);
}

static char *put_session(char *p, uint64_t key)
{
	return put_guid(p, hash_mix(key, 1), hash_mix(key, 2));
}

static void token_guid(uint64_t key, uint8_t out[16])
{
	static const uint8_t prefix[4] = { 0x5f, 0x0c, 0x7a, 0x10 };
	const uint64_t a = hash_mix(key, 3), b = hash_mix(key, 4);

	memcpy(out, prefix, 4);
	memcpy(out + 4, &a, 4);
	memcpy(out + 8, &b, 8);
	out[6] = (uint8_t)(0x40 | (out[6] & 15));
	out[8] = (uint8_t)(0x80 | (out[8] & 63));
	out[15] = (uint8_t)(b % 3); /* Entra's ids end like this */
}

/* -- the bare record -- */

static char *put_access(char *p, const struct simrec *r)
{
	p = PUT(p, "\"OperationProperties\":[{\"Name\":\"MailAccessType\",\"Value\":\"");
	p = r->kind == REC_SYNC ? PUT(p, "Sync\"}") : PUT(p, "Bind\"}");
	if (r->flags & RECFLAG_THROTTLED)
		p = PUT(p, ",{\"Name\":\"IsThrottled\",\"Value\":\"True\"}");
	else if (!r->form)
		p = PUT(p, ",{\"Name\":\"IsThrottled\",\"Value\":\"False\"}");
	return PUT(p, "]");
}

static char *put_folder_id(char *p, uint32_t folder)
{
	return put_two(PUT(p, "LgAAAAFolder"), folder);
}

static char *put_folders(struct sim *s, char *p, const struct simrec *r)
{
	const uint64_t mailbox = hash_mix(hash_mix(s->set.seed, DRAW_MESSAGE), r->who);

	p = PUT(p, "[{\"FolderItems\":[");
	for (uint32_t i = 0; i < r->items; i++) {
		const uint64_t message = hash_mix(mailbox, r->message + i);
		if (i)
			*p++ = ',';
		if (r->form) {
			p = put_hex16(PUT(p, "{\"Id\":\"RgAAAA"), message);
			p = put_hex16(PUT(p, "\",\"ImmutableId\":\"LgAAAA"), message);
			p = put_hex16(PUT(p, "\",\"InternetMessageId\":\"<"), message);
			p = PUT(p, "@example.com>\",\"SizeInBytes\":");
			p = write_number(p, 2000 + message % 200000);
			*p++ = '}';
		} else {
			p = put_hex16(PUT(p, "{\"InternetMessageId\":\"<"), message);
			p = PUT(p, "@example.com>\"}");
		}
	}
	p = put_folder_id(PUT(p, "],\"Id\":\""), r->folder);
	p = put_cstr(PUT(p, "\",\"Path\":\"\\\\"), folder_names[r->folder]);
	return PUT(p, "\"}]");
}

static char *put_item(char *p, const struct simrec *r)
{
	p = put_folder_id(PUT(p, "{\"Id\":\""), r->folder);
	p = put_folder_id(PUT(p, "\",\"ParentFolder\":{\"Id\":\""), r->folder);
	p = put_cstr(PUT(p, "\",\"Name\":\""), folder_names[r->folder]);
	return PUT(p, "\",\"Path\":\"Not Available\"}}");
}

static char *put_context(struct sim *s, char *p, const struct simrec *r, const struct app *a)
{
	const uint64_t session = session_of(s, r);
	uint8_t token[16];
	char text[GUID_TEXT_SIZE];

	token_guid(token_of(s, r), token);
	p = put_session(PUT(p, "\"AppAccessContext\":{\"AADSessionId\":\""), session);
	p = PUT(p, "\",\"APIId\":\"\",\"ClientAppId\":\"");
	p = put_cstr(p, a->caller);
	p = put_time(s, PUT(p, "\",\"IssuedAtTime\":\""), r->issued);
	p = PUT(p, "\",\"UniqueTokenId\":\"");
	p = put_text(p, guid_to_token_id(token, text), 22);
	return PUT(p, "\"},");
}

/* `z`: CreationTime has its Z, as Defender writes it */
static char *put_record(struct sim *s, char *p, const struct simrec *r, bool z)
{
	const struct app *a = app_get(s, r->app);
	char address[PLACE_TEXT_MAX];
	size_t address_n;

	if (!a)
		return p;
	address_n = (size_t)(place_write(address, r->place) - address);
	*p++ = '{';
	if (r->form && a->token)
		p = put_context(s, p, r, a);
	p = put_time(s, PUT(p, "\"CreationTime\":\""), r->time);
	if (z)
		*p++ = 'Z';
	p = put_id(s, PUT(p, "\",\"Id\":\""), r);
	p = PUT(p, "\",\"Operation\":\"MailItemsAccessed\",\"OrganizationId\":\"" TENANT "\",\"RecordType\":");
	p = r->kind == REC_SYNC ? PUT(p, "2") : PUT(p, "50");
	p = put_hex8(PUT(p, ",\"ResultStatus\":\"Succeeded\",\"UserKey\":\"10032001"), r->actor);
	p = r->logon == LOGON_ADMIN_TYPE ? PUT(p, "\",\"UserType\":2") : PUT(p, "\",\"UserType\":0");
	p = PUT(p, ",\"Version\":1,\"Workload\":\"Exchange\",");
	if (r->kind == REC_SYNC) {
		p = put_text(PUT(p, "\"ClientIP\":\""), address, address_n);
		p = PUT(p, "\",");
	}
	p = write_upn(PUT(p, "\"UserId\":\""), r->actor);
	*p++ = '"';
	p = put_text(p, a->ids[r->form], a->ids_n[r->form]);
	p = put_text(PUT(p, ",\"ClientIPAddress\":\""), address, address_n);
	p = put_text(PUT(p, "\",\"ClientInfoString\":\""), a->info, a->info_n);
	p = PUT(p, "\",");
	if (r->kind == REC_SYNC)
		p = PUT(p, "\"ClientProcessName\":\"OUTLOOK.EXE\",\"ClientVersion\":\"16.0.17328.20550\",");
	p = PUT(p, "\"ExternalAccess\":false,\"InternalLogonType\":0,\"LogonType\":");
	*p++ = (char)('0' + r->logon);
	p = put_sid(PUT(p, ",\"LogonUserSid\":\""), r->actor);
	p = write_who(PUT(p, "\",\"MailboxGuid\":\""), r->who);
	p = put_sid(PUT(p, "\",\"MailboxOwnerSid\":\""), r->who);
	p = write_upn(PUT(p, "\",\"MailboxOwnerUPN\":\""), r->who);
	p = put_access(PUT(p, "\","), r);
	p = PUT(p, ",\"OrganizationName\":\"example.onmicrosoft.com\",\"OriginatingServer\":\"AB1PR01MB0001 "
		   "(15.20.4200.000)\\r\\n\"");
	if (a->session && !(r->form && a->token)) {
		p = put_session(PUT(p, ",\"SessionId\":\""), session_of(s, r));
		*p++ = '"';
	}
	if (r->form && a->token) {
		p = put_object(PUT(p, ",\"TokenObjectId\":\""), r->actor);
		p = PUT(p, "\",\"TokenTenantId\":\"" TENANT "\"");
	}
	if (r->kind == REC_SYNC) {
		p = put_item(PUT(p, ",\"Item\":"), r);
	} else {
		p = put_folders(s, PUT(p, ",\"Folders\":"), r);
		p = write_number(PUT(p, ",\"OperationCount\":"), r->items);
	}
	return PUT(p, "}");
}

char *write_record(struct sim *s, char *p, const struct simrec *r)
{
	return put_record(s, p, r, false);
}

/* -- envelopes -- */

/* every `quote` in the text twice, or with a backslash before it and before every backslash */
static char *put_escaped(char *p, const char *text, size_t n, bool json)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '"')
			*p++ = json ? '\\' : '"';
		else if (text[i] == '\\' && json)
			*p++ = '\\';
		*p++ = text[i];
	}
	return p;
}

static char *put_csv(struct sim *s, char *p, const struct simrec *r, bool portal)
{
	char record[RECORD_TEXT_MAX / 2];
	const size_t n = (size_t)(put_record(s, record, r, false) - record);

	if (portal) {
		p = put_id(s, p, r);
		*p++ = ',';
		p = put_time(s, p, r->time);
		p = r->kind == REC_SYNC ? PUT(p, ".0000000Z,2,MailItemsAccessed,")
					: PUT(p, ".0000000Z,50,MailItemsAccessed,");
		p = write_upn(p, r->actor);
		p = put_escaped(PUT(p, ",\""), record, n, false);
		return PUT(p, "\",,\n");
	}
	p = r->kind == REC_SYNC ? PUT(p, "\"ExchangeItem\",\"") : PUT(p, "\"ExchangeItemAggregated\",\"");
	p = put_culture_time(s, p, r->time);
	p = write_upn(PUT(p, "\",\""), r->actor);
	p = put_escaped(PUT(p, "\",\"MailItemsAccessed\",\""), record, n, false);
	p = put_id(s, PUT(p, "\",\"1\",\"1\",\""), r);
	return PUT(p, "\",\"True\",\"Unchanged\"\n");
}

static char *put_graph(struct sim *s, char *p, const struct simrec *r)
{
	p = put_id(s, PUT(p, "{\"id\":\""), r);
	p = put_time(s, PUT(p, "\",\"createdDateTime\":\""), r->time);
	p = r->kind == REC_SYNC ? PUT(p, "Z\",\"auditLogRecordType\":\"exchangeItem\"")
				: PUT(p, "Z\",\"auditLogRecordType\":\"exchangeItemAggregated\"");
	p = PUT(p, ",\"operation\":\"MailItemsAccessed\",\"organizationId\":\"" TENANT
		   "\",\"userType\":\"regular\",\"userId\":\"");
	p = write_upn(p, r->actor);
	p = write_upn(PUT(p, "\",\"service\":\"Exchange\",\"objectId\":null,\"userPrincipalName\":\""), r->actor);
	p = PUT(p, "\",\"clientIp\":null,\"administrativeUnits\":[],\"auditData\":");
	p = put_record(s, p, r, false);
	return PUT(p, "}");
}

static char *put_office(struct sim *s, char *p, const struct simrec *r)
{
	const struct app *a = app_get(s, r->app);
	char text[RECORD_TEXT_MAX / 2];

	if (!a)
		return p;
	p = put_time(s, PUT(p, "{\"TimeGenerated\":\""), r->time);
	p = r->kind == REC_SYNC ? PUT(p, "Z\",\"RecordType\":\"ExchangeItem\"") : PUT(p, "Z\",\"RecordType\":\"50\"");
	p = PUT(p, ",\"Operation\":\"MailItemsAccessed\",\"OrganizationId\":\"" TENANT "\",\"UserType\":");
	p = r->logon == LOGON_ADMIN_TYPE ? PUT(p, "\"Admin\"") : PUT(p, "\"Regular\"");
	p = write_upn(PUT(p, ",\"OfficeWorkload\":\"Exchange\",\"ResultStatus\":\"Succeeded\",\"UserId\":\""),
		      r->actor);
	p = PUT(p, "\",\"ExternalAccess\":\"False\",\"Logon_Type\":");
	p = r->logon == LOGON_ADMIN_TYPE      ? PUT(p, "\"Admin\"")
	    : r->logon == LOGON_DELEGATE_TYPE ? PUT(p, "\"Delegated\"")
					      : PUT(p, "\"Owner\"");
	p = write_who(PUT(p, ",\"MailboxGuid\":\""), r->who);
	p = write_upn(PUT(p, "\",\"MailboxOwnerUPN\":\""), r->who);
	p = put_text(PUT(p, "\",\"ClientInfoString\":\""), a->info, a->info_n);
	p = place_write(PUT(p, "\",\"Client_IPAddress\":\""), r->place);
	p = PUT(p, "\",");
	p = put_sid(PUT(p, "\"LogonUserSid\":\""), r->actor);
	p = put_sid(PUT(p, "\",\"MailboxOwnerSid\":\""), r->who);
	if (r->kind == REC_SYNC)
		p = put_escaped(PUT(p, "\",\"Item\":\""), text, (size_t)(put_item(text, r) - text), true);
	else
		p = put_escaped(PUT(p, "\",\"Folders\":\""), text, (size_t)(put_folders(s, text, r) - text), true);
	/* the bag of Name and Value: the text after its name */
	const char *const bag = text + sizeof("\"OperationProperties\":") - 1;
	p = put_escaped(PUT(p, "\",\"OperationProperties\":\""), bag, (size_t)(put_access(text, r) - bag), true);
	*p++ = '"';
	p = put_text(p, a->ids[r->form], a->ids_n[r->form]);
	p = put_id(s, PUT(p, ",\"OfficeId\":\""), r);
	return PUT(p, "\",\"OfficeTenantId\":\"$RestApiTenantId$\",\"Type\":\"OfficeActivity\"}");
}

static char *put_cloudapp(struct sim *s, char *p, const struct simrec *r)
{
	const struct app *a = app_get(s, r->app);

	if (!a)
		return p;
	p = put_time(s, PUT(p, "{\"Timestamp\":\""), r->time);
	p = PUT(p, "Z\",\"ActionType\":\"MailItemsAccessed\",\"Application\":\"Microsoft Exchange "
		   "Online\",\"ApplicationId\":20893,\"AccountObjectId\":\"");
	p = put_object(p, r->actor);
	p = put_object(PUT(p, "\",\"AccountId\":\""), r->actor);
	p = place_write(PUT(p, "\",\"AccountType\":\"Regular\",\"IPAddress\":\""), r->place);
	p = put_text(PUT(p, "\",\"UserAgent\":\""), a->info, a->info_n);
	p = PUT(p, "\",\"ActivityObjects\":[{\"Type\":\"Property\",\"Role\":\"Parameter\",\"Name\":\"MailAccessType\","
		   "\"Value\":\"");
	p = r->kind == REC_SYNC ? PUT(p, "Sync") : PUT(p, "Bind");
	p = put_record(s, PUT(p, "\"}],\"RawEventData\":"), r, true);
	p = put_id(s, PUT(p, ",\"ReportId\":\"1_20893_"), r);
	return PUT(p, "\"}");
}

static char *put_eventhub(struct sim *s, char *p, const struct simrec *r)
{
	p = put_time(s, PUT(p, "{\"records\":[{\"time\":\""), r->arrival > r->time ? r->arrival : r->time);
	p = PUT(p, ".0000000Z\",\"tenantId\":\"" TENANT
		   "\",\"operationName\":\"Publish\",\"category\":\"AdvancedHunting-CloudAppEvents\",\"properties\":");
	p = put_cloudapp(s, p, r);
	return PUT(p, ",\"Tenant\":\"DefaultTenant\"}]}");
}

void envelope_open(struct sim *s, struct buf *b)
{
	switch (s->set.envelope) {
	case SIM_ARRAY:
		buf_add_cstr(b, "[");
		break;
	case SIM_GRAPH:
		buf_add_cstr(b, "{\"value\":[");
		break;
	case SIM_CSV:
		buf_add_cstr(b, "\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\","
				"\"ResultIndex\",\"ResultCount\","
				"\"Identity\",\"IsValid\",\"ObjectState\"\n");
		break;
	case SIM_PORTAL:
		buf_add_cstr(b, "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,"
				"AssociatedAdminUnitsNames\n");
		break;
	default:
		break;
	}
}

char *envelope_record(struct sim *s, char *p, const struct simrec *r, bool first)
{
	switch (s->set.envelope) {
	case SIM_CSV:
		return put_csv(s, p, r, false);
	case SIM_PORTAL:
		return put_csv(s, p, r, true);
	case SIM_ARRAY:
	case SIM_GRAPH:
		p = first ? PUT(p, "\n") : PUT(p, ",\n");
		return s->set.envelope == SIM_GRAPH ? put_graph(s, p, r) : put_record(s, p, r, false);
	case SIM_OFFICE:
		p = put_office(s, p, r);
		break;
	case SIM_CLOUDAPP:
		p = put_cloudapp(s, p, r);
		break;
	case SIM_EVENTHUB:
		p = put_eventhub(s, p, r);
		break;
	default:
		p = put_record(s, p, r, false);
		break;
	}
	*p++ = '\n';
	return p;
}

void envelope_close(struct sim *s, struct buf *b)
{
	if (s->set.envelope == SIM_ARRAY)
		buf_add_cstr(b, "\n]\n");
	else if (s->set.envelope == SIM_GRAPH)
		buf_add_cstr(b, "\n]}\n");
}

/* -- sign-ins -- */

char *write_signin(struct sim *s, char *p, const struct simsignin *g)
{
	const struct app *a = app_get(s, g->app);
	const uint64_t session =
		session_key(s, g->actor, g->who, g->token_place, (uint32_t)g->attack << 16 | g->app, g->day, 0);
	uint8_t token[16];
	char id[GUID_TEXT_SIZE], uti[GUID_TEXT_SIZE], address[PLACE_TEXT_MAX], upn[UPN_TEXT_MAX];
	const size_t address_n = (size_t)(place_write(address, g->place) - address),
		     upn_n = (size_t)(write_upn(upn, g->actor) - upn);

	if (!a)
		return p;
	const bool interactive = hash_mix(session, 5) % INTERACTIVE_OF == 0; /* the rest are silent renewals */

	token_guid(session, token);
	guid_format(token, id);
	guid_to_token_id(token, uti);
	p = put_time(s, PUT(p, "{\"time\":\""), g->time);
	p = PUT(p, ".0000000Z\",\"resourceId\":\"/tenants/" TENANT
		   "/providers/Microsoft.aadiam\",\"operationName\":\"Sign-in activity\","
		   "\"category\":\"");
	p = interactive ? PUT(p, "SignInLogs") : PUT(p, "NonInteractiveUserSignInLogs");
	p = PUT(p, "\",\"tenantId\":\"" TENANT "\",\"resultType\":\"0\",\"callerIpAddress\":\"");
	p = put_text(p, address, address_n);
	p = put_cstr(PUT(p, "\",\"properties\":{\"id\":\""), id);
	p = put_time(s, PUT(p, "\",\"createdDateTime\":\""), g->time);
	p = put_text(PUT(p, ".0000000+00:00\",\"userPrincipalName\":\""), upn, upn_n);
	p = put_object(PUT(p, "\",\"userId\":\""), g->actor);
	p = put_cstr(PUT(p, "\",\"appId\":\""), *a->caller ? a->caller : "d3590ed6-52b3-4102-aeff-aad2292ab01c");
	p = PUT(p, "\",\"resourceId\":\"00000002-0000-0ff1-ce00-000000000000\",\"ipAddress\":\"");
	p = put_text(p, address, address_n);
	p = interactive ? PUT(p, "\",\"isInteractive\":true,\"signInEventTypes\":[\"interactiveUser\"],"
			         "\"incomingTokenType\":\"none\",")
			: PUT(p, "\",\"isInteractive\":false,\"signInEventTypes\":[\"nonInteractiveUser\"],"
			         "\"incomingTokenType\":\"refreshToken\",");
	p = PUT(p, "\"authenticationProtocol\":\"oAuth2\",\"uniqueTokenIdentifier\":\"");
	p = put_text(p, uti, 22);
	p = put_session(PUT(p, "\",\"sessionId\":\""), session);
	p = put_cstr(PUT(p, "\",\"originalRequestId\":\""), id);
	p = PUT(p,
		"\",\"status\":{\"errorCode\":0},\"homeTenantId\":\"" TENANT "\",\"resourceTenantId\":\"" TENANT "\","
		"\"crossTenantAccessType\":\"none\",\"tokenIssuerType\":\"AzureAD\",\"servicePrincipalId\":\"\","
		"\"userAgent\":\"Mozilla/5.0\"}}\n");
	return p;
}
