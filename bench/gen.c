/* SPDX-License-Identifier: Apache-2.0 */
/* gen: a made-up tenant's audit log, as large as wished: the same seed gives the same bytes.
 *
 *   gen BYTES [-c] [-m MAILBOXES] [-s SEED]        to stdout; -c: the same records as Search-UnifiedAuditLog CSV
 *
 * Sizes and shares follow what is known of today's logs: three quarters MailItemsAccessed, most of it Bind records of the
 * 2025 form with 1 to 12 items (each with store id, immutable id, message id, size), a few percent Sync, a third of the
 * reads by background services; the rest Send, moves, rules, sign-ins and files.  Times rise with a jitter of minutes, as in
 * collected blobs; one record in 200 is delivered twice.  Ids and addresses come from reserved ranges. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t state;

static uint64_t draw(void) /* splitmix64 */
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
	return (unsigned)(draw() % n);
}

static char line[64 * 1024], cell[128 * 1024];
static size_t used;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	used += (size_t)vsnprintf(line + used, sizeof line - used, format, ap);
	va_end(ap);
}

static void put_base64(const char *name, const char *prefix, unsigned n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	put("\"%s\":\"%s", name, prefix);
	uint64_t x = 0;
	for (unsigned i = 0; i < n; i++, x >>= 6) {
		if (i % 10 == 0)
			x = draw();
		line[used++] = alphabet[x & 63];
	}
	put("\"");
}

static void put_guid(const char *name, uint64_t kind, uint64_t n)
{
	put("\"%s\":\"5f0c7a10-%04x-4000-8%03x-%012" PRIx64 "\"", name, (unsigned)kind & 0xffff, (unsigned)(n >> 48) & 0xfff,
		n & UINT64_C(0xffffffffffff));
}

static void put_token(unsigned who, uint64_t day) /* one a user and day: about 0.4 a record, as in published figures */
{
	uint64_t keep = state;
	state = who * UINT64_C(1000003) + day;
	put_base64("UniqueTokenId", "", 20);
	used--;
	put("AA\"");
	state = keep;
}

enum shape { BIND_OWA, BIND_REST, BIND_GRAPH, BIND_EWS, BIND_MOBILE, SYNC, SEND, MOVE, RULE, SIGNIN, FILE_OP };
static const char *const operations[] = { "MailItemsAccessed", "MailItemsAccessed", "MailItemsAccessed", "MailItemsAccessed",
	"MailItemsAccessed", "MailItemsAccessed", "Send", "MoveToDeletedItems", "New-InboxRule", "UserLoggedIn", "FileAccessed" };
static const int record_types[] = { 50, 50, 50, 50, 50, 2, 2, 3, 1, 15, 6 };
static const char *const type_names[] = { "ExchangeItemAggregated", "ExchangeItemAggregated", "ExchangeItemAggregated",
	"ExchangeItemAggregated", "ExchangeItemAggregated", "ExchangeItem", "ExchangeItem", "ExchangeItemGroup", "ExchangeAdmin",
	"AzureActiveDirectoryStsLogon", "SharePointFileOperation" };
static const char *const folder_names[] = { "Inbox", "Sent Items", "Archive", "Inbox\\\\Projects", "Deleted Items", "Drafts" };

static void put_address(const char *name, unsigned who)
{
	if (who % 5 == 0)
		put("\"%s\":\"2001:db8:%x::%x\"", name, who % 4093, below(4) + 1);
	else
		put("\"%s\":\"%s.%u\"", name, who % 3 == 0 ? "198.51.100" : who % 3 == 1 ? "203.0.113" : "192.0.2", who % 254 + 1);
}

static void put_mailbox(unsigned who, uint64_t id_of_app, const char *info)
{
	put(",");
	if (id_of_app == 1)
		put("\"AppId\":\"00000002-0000-0ff1-ce00-000000000000\",");
	else if (id_of_app) {
		put("\"AppId\":\"00000003-0000-0000-c000-000000000000\",");
		put_guid("ClientAppId", 0xa, id_of_app);
		put(",");
	}
	put_address("ClientIPAddress", who);
	put(",\"ClientInfoString\":\"%s\",\"ExternalAccess\":false,\"InternalLogonType\":0,\"LogonType\":0,", info);
	put("\"LogonUserSid\":\"S-1-5-21-1000-2000-3000-%u\",", 1000 + who);
	put_guid("MailboxGuid", 0xb, who);
	put(",\"MailboxOwnerSid\":\"S-1-5-21-1000-2000-3000-%u\",\"MailboxOwnerUPN\":\"user%u@example.com\"", 1000 + who, who);
}

static void put_item(uint64_t message)
{
	put("{");
	put_base64("Id", "RgAAAA", 146);
	put(",");
	put_base64("ImmutableId", "LgAAAA", 122);
	put(",\"InternetMessageId\":\"<AM0PR01MB%08" PRIX64 "%016" PRIX64 "@AM0PR01MB0001.example.com>\",\"SizeInBytes\":%u}",
		message & 0xffffffff, draw(), 2000 + below(200000));
}

static void record(enum shape shape, unsigned who, const char *when, uint64_t n, uint64_t seconds)
{
	used = 0;
	put("{");
	if (shape <= BIND_MOBILE && shape != BIND_REST) {
		put("\"AppAccessContext\":{");
		put_guid("AADSessionId", 0xe, who * 64 + seconds / 86400 % 64);
		put(",\"APIId\":\"\",\"IssuedAtTime\":\"%.11s06:00:00\",", when);
		put_token(who, seconds / 86400);
		put("},");
	}
	put("\"CreationTime\":\"%s\",", when);
	put_guid("Id", 0x1d, n);
	put(",\"Operation\":\"%s\",\"OrganizationId\":\"5f0c7a10-0000-4000-8000-000000000001\",\"RecordType\":%d,\"ResultStatus\":\"%s\","
		"\"UserKey\":\"10032001%08X\",\"UserType\":0,\"Version\":1,\"Workload\":\"%s\",", operations[shape], record_types[shape],
		shape == RULE ? "True" : "Succeeded", who * 2654435761u, shape == SIGNIN ? "AzureActiveDirectory" : shape == FILE_OP ? "SharePoint" : "Exchange");
	if (shape == SYNC || shape >= SEND) {
		put_address("ClientIP", who);
		put(",");
	}
	put("\"UserId\":\"%s%u@example.com\"", who % 2 ? "user" : "User", who);
	switch (shape) {
	case BIND_OWA: put_mailbox(who, 1, "Client=OWA;Action=ViaProxy"); break;
	case BIND_REST: put_mailbox(who, 100 + below(5), "Client=REST;Client=RESTSystem;;"); break;
	case BIND_GRAPH: put_mailbox(who, 200 + who % 40, "Client=REST;;"); break;
	case BIND_EWS: put_mailbox(who, 1, "Client=WebServices;Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro);"); break;
	case BIND_MOBILE: put_mailbox(who, 300, "Client=OutlookService;Outlook-iOS/2.0;"); break;
	case SYNC: put_mailbox(who, 0, "Client=MSExchangeRPC"); break;
	case SEND: case MOVE: put_mailbox(who, 1, "Client=OWA;Action=ViaProxy"); break;
	default: break;
	}
	put(",\"OrganizationName\":\"example.onmicrosoft.com\",\"OriginatingServer\":\"AB1PR01MB%04u (15.20.4200.000)\\r\\n\"", who % 9999);
	const char *folder = folder_names[below(10) < 7 ? 0 : below(6)];
	if (shape <= BIND_MOBILE) {
		unsigned items = below(100) < 62 ? 1 : below(100) < 80 ? 2 + below(2) : 4 + below(9);
		put(",\"OperationProperties\":[{\"Name\":\"MailAccessType\",\"Value\":\"Bind\"}%s],", below(3) ? "" : ",{\"Name\":\"IsThrottled\",\"Value\":\"False\"}");
		if (shape != BIND_REST) {
			put_guid("TokenObjectId", 0xd, who);
			put(",\"TokenTenantId\":\"5f0c7a10-0000-4000-8000-000000000001\",");
			put_guid("DeviceId", 0xde, who);
			put(",");
		}
		put("\"Folders\":[{\"FolderItems\":[");
		for (unsigned i = 0; i < items; i++) {
			if (i)
				put(",");
			put_item(n + i);
		}
		put("],");
		put_base64("Id", "LgAAAA", 58);
		put(",\"Path\":\"\\\\%s\"}],\"OperationCount\":%u", folder, items);
	} else if (shape == SYNC) {
		put(",\"ClientProcessName\":\"OUTLOOK.EXE\",\"ClientVersion\":\"16.0.17328.20550\",\"OperationProperties\":[{\"Name\":\"MailAccessType\",\"Value\":\"Sync\"},"
			"{\"Name\":\"IsThrottled\",\"Value\":\"False\"}],");
		put_guid("SessionId", 0x5e, who * 64 + seconds / 86400 % 64);
		put(",\"Item\":{\"Id\":\"LgAAAAF%u%u\",\"ParentFolder\":{\"Id\":\"LgAAAAF%u%u\",\"Name\":\"%s\",\"Path\":\"Not Available\"}}",
			who, (unsigned)(folder[0]), who, (unsigned)(folder[0]), folder);
	} else if (shape == SEND) {
		put(",\"SaveToSentItems\":true,\"Item\":{\"Attachments\":\"plan %u.docx (%ub); image001.png (3165b)\",\"Id\":\"Unknown\",\"InternetMessageId\":"
			"\"<S%016" PRIX64 "@example.com>\",\"Subject\":\"Re: quarterly figures \\u2013 draft %u\",\"SizeInBytes\":%u}", who % 90, below(90000), draw(), below(900), below(300000));
	} else if (shape == MOVE) {
		put(",\"CrossMailboxOperation\":false,\"AffectedItems\":[{");
		put_base64("Id", "RgAAAA", 146);
		put(",\"InternetMessageId\":\"<M%016" PRIX64 "@example.com>\",\"ParentFolder\":{\"Id\":\"LgAAAAF\",\"Path\":\"\\\\Inbox\"},\"Subject\":\"Newsletter %u\"}],"
			"\"DestFolder\":{\"Id\":\"LgAAAAFD\",\"Path\":\"\\\\Deleted Items\"},\"Folder\":{\"Id\":\"LgAAAAF\",\"Path\":\"\\\\Inbox\"}", draw(), below(5000));
	} else if (shape == RULE) {
		put(",\"ObjectId\":\"EXAMPLE\\\\rule\",\"ExternalAccess\":false,\"Parameters\":[{\"Name\":\"Name\",\"Value\":\"Newsletters\"},{\"Name\":\"MoveToFolder\",\"Value\":\"News\"}]");
	} else if (shape == SIGNIN) {
		put(",\"ObjectId\":\"00000002-0000-0ff1-ce00-000000000000\",\"AzureActiveDirectoryEventType\":1,\"ExtendedProperties\":[{\"Name\":\"ResultStatusDetail\",\"Value\":\"Success\"},"
			"{\"Name\":\"UserAgent\",\"Value\":\"Mozilla/5.0 (Windows NT 10.0; Win64; x64)\"},{\"Name\":\"RequestType\",\"Value\":\"OAuth2:Authorize\"}],\"ModifiedProperties\":[],"
			"\"Target\":[{\"ID\":\"00000002-0000-0ff1-ce00-000000000000\",\"Type\":0}],\"ApplicationId\":\"9199bf20-a13f-4107-85dc-02114787ef48\",\"DeviceProperties\":[{\"Name\":\"OS\",\"Value\":\"Windows10\"},"
			"{\"Name\":\"SessionId\",\"Value\":\"5f0c7a10-000e-4000-8000-%012x\"}],\"ErrorNumber\":\"0\"", (unsigned)(who * 64 + seconds / 86400 % 64));
	} else {
		put(",\"ObjectId\":\"https://example.sharepoint.com/sites/s%u/Shared Documents/file %u.docx\",\"EventSource\":\"SharePoint\",\"ItemType\":\"File\","
			"\"UserAgent\":\"Mozilla/5.0 (Windows NT 10.0; Win64; x64)\",\"SourceFileName\":\"file %u.docx\"", who % 97, below(9000), below(9000));
	}
	put("}\n");
}

static void print_csv(enum shape shape, unsigned who, const struct tm *tm, uint64_t n)
{
	size_t out = 0;
	for (size_t i = 0; i < used - 1; i++) {
		if (line[i] == '"')
			cell[out++] = '"';
		else if (line[i] == '/')
			cell[out++] = '\\';
		cell[out++] = line[i];
	}
	printf("\"%s\",\"%d/%d/%d %d:%02d:%02d %s\",\"user%u@example.com\",\"%s\",\"%.*s\",\"%" PRIu64 "\",\"0\",\"5f0c7a10-001d-4000-8000-%012" PRIx64
		"\",\"True\",\"Unchanged\"\r\n", type_names[shape], tm->tm_mon + 1, tm->tm_mday, tm->tm_year + 1900, tm->tm_hour % 12 ? tm->tm_hour % 12 : 12,
		tm->tm_min, tm->tm_sec, tm->tm_hour >= 12 ? "PM" : "AM", who, operations[shape], (int)out, cell, n % 5000, n);
}

int main(int argc, char **argv)
{
	uint64_t bytes = 0, done = 0, seed = 1;
	unsigned mailboxes = 5000;
	int csv = 0;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-c"))
			csv = 1;
		else if (!strcmp(argv[i], "-m") && i + 1 < argc)
			mailboxes = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "-s") && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else
			bytes = strtoull(argv[i], NULL, 10);
	}
	if (!bytes || !mailboxes) {
		fprintf(stderr, "usage: gen BYTES [-c] [-m MAILBOXES] [-s SEED]\n");
		return 2;
	}
	state = seed;
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	if (csv)
		puts("\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"ResultIndex\",\"ResultCount\",\"Identity\",\"IsValid\",\"ObjectState\"\r");
	const uint64_t start = 1767225600; /* 2026-01-01 */
	double per_record = 30.0 * 86400 / ((double)bytes / 1900 + 1); /* the file spans about 30 days whatever its size */
	for (uint64_t n = 1; done < bytes; n++) {
		unsigned p = below(1000), who = below(mailboxes);
		enum shape shape = p < 300 ? BIND_OWA : p < 530 ? BIND_REST : p < 600 ? BIND_GRAPH : p < 650 ? BIND_EWS : p < 710 ? BIND_MOBILE :
			p < 750 ? SYNC : p < 800 ? SEND : p < 870 ? MOVE : p < 872 ? RULE : p < 930 ? SIGNIN : FILE_OP;
		uint64_t seconds = (uint64_t)((double)n * per_record) + below(900);
		time_t when = (time_t)(start + seconds);
		struct tm tm;
		gmtime_r(&when, &tm);
		char text[64];
		snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		record(shape, who, text, n, seconds);
		for (int copies = below(200) == 0 ? 2 : 1; copies--; done += used)
			if (csv)
				print_csv(shape, who, &tm, n);
			else
				fwrite(line, 1, used, stdout);
	}
	return fflush(stdout) != 0;
}
