/* SPDX-License-Identifier: Apache-2.0 */
/* test_wrappers: records in the wrappings of collectors.  Only the content counts, so every record comes out of every wrapping as it
 * does without one:
 *
 *   formats   each format of records that Taximeter reads from JSON
 *   each      the wrapping of one record
 *   pages     the wrapping of many
 *
 * Every `each` in every page, every format in every `each`; compact and over several lines, with LF and CRLF; one record, some, and more than the
 * 4 MiB that a record may have.  All data is made up. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "check.h"
#include "decode/decode.h"
#include "text.h"

static void add(struct text *t, const char *s) { add_bytes(t, s, strlen(s)); }

static void add_escaped(struct text *t, const char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			add_bytes(t, "\\", 1);
		add_bytes(t, s, 1);
	}
}

/* -- records: ' for ", and a # for the number -- */

#define GUID(kind) "5f0c7a10-0000-4000-8000-" kind
static const char *const formats[] = {
	/* audit: mail read, with messages; an administrator's command, with text that looks like a record */
	"{'CreationTime':'2026-01-06T10:00:00','Id':'" GUID("0000########") "','Operation':'MailItemsAccessed','OrganizationId':'" GUID("000000000001") "',"
	"'RecordType':50,'ResultStatus':'Succeeded','UserType':0,'Version':1,'Workload':'Exchange','UserId':'ann@example.com',"
	"'AppId':'00000003-0000-0000-c000-000000000000','ClientAppId':'" GUID("00000000c001") "','ClientIPAddress':'203.0.113.10',"
	"'ClientInfoString':'Client=REST;;','LogonType':0,'MailboxGuid':'" GUID("0000000000a1") "','MailboxOwnerUPN':'ann@example.com',"
	"'OperationProperties':[{'Name':'MailAccessType','Value':'Bind'}],'Folders':[{'FolderItems':[{'InternetMessageId':'<m1@example.com>'},"
	"{'InternetMessageId':'<m2@example.com>'}],'Id':'LgAA','Path':'\\\\Inbox'}],'OperationCount':2}",
	"{'CreationTime':'2026-01-06T10:00:00','Id':'" GUID("0000########") "','Operation':'Set-Mailbox','OrganizationId':'" GUID("000000000001") "','RecordType':1,"
	"'ResultStatus':'True','UserType':2,'Workload':'Exchange','ClientIP':'203.0.113.77:1','UserId':'admin@example.com','ObjectId':'ann',"
	"'Parameters':[{'Name':'Identity','Value':'ann'},{'Name':'AuditEnabled','Value':'False'},{'Name':'CustomAttribute1','Value':"
	"'{\\'CreationTime\\':\\'2026-01-06T10:00:00\\',\\'Operation\\':\\'Send\\',\\'Id\\':\\'x1\\'}'}]}",
	/* a row of a search, with its record as text */
	"{'RecordType':'ExchangeItem','CreationDate':'2026-01-06T10:00:00Z','UserIds':'ann@example.com','Operations':'Send','AuditData':"
	"'{\\'CreationTime\\':\\'2026-01-06T10:00:00\\',\\'Id\\':\\'" GUID("0000########") "\\',\\'Operation\\':\\'Send\\',\\'RecordType\\':2,"
	"\\'UserId\\':\\'ann@example.com\\',\\'Item\\':{\\'Subject\\':\\'{x}\\'}}','Identity':'" GUID("0000########") "','IsValid':true}",
	/* a record of a Graph audit query */
	"{'id':'" GUID("0000########") "','createdDateTime':'2026-01-06T10:00:00Z','auditLogRecordType':'exchangeItem','operation':'Send','userId':'x',"
	"'auditData':{'CreationTime':'2026-01-06T10:00:00','Id':'" GUID("0000########") "','Operation':'Send','RecordType':2,'UserId':'ann@example.com'}}",
	/* sign-in: Graph, and diagnostic */
	"{'id':'" GUID("0000########") "','createdDateTime':'2026-01-06T10:00:00Z','userPrincipalName':'ann@example.com','userId':'" GUID("0000000000d1") "',"
	"'appId':'" GUID("00000000c001") "','appDisplayName':'x','ipAddress':'203.0.113.9','isInteractive':true,'status':{'errorCode':0},"
	"'deviceDetail':{'deviceId':''},'appliedConditionalAccessPolicies':[{'id':'p1','result':'success'}]}",
	"{'time':'2026-01-06T10:00:01Z','resourceId':'/tenants/" GUID("000000000001") "/providers/Microsoft.aadiam','operationName':'Sign-in activity',"
	"'category':'NonInteractiveUserSignInLogs','tenantId':'" GUID("000000000001") "','properties':{'id':'" GUID("0000########") "',"
	"'createdDateTime':'2026-01-06T10:00:00Z','userPrincipalName':'ann@example.com','appId':'" GUID("00000000c001") "','ipAddress':'203.0.113.9',"
	"'status':{'errorCode':0},'uniqueTokenIdentifier':'PC0eD1pLeEmHlqW0w9LhAA'}}",
	/* the directory's log, and Graph activity */
	"{'id':'Directory_########','category':'ApplicationManagement','result':'success','activityDisplayName':'Consent to application',"
	"'activityDateTime':'2026-01-06T10:00:00Z','initiatedBy':{'user':{'userPrincipalName':'ann@example.com','ipAddress':'203.0.113.9'}},"
	"'targetResources':[{'id':'a','displayName':'n','type':'ServicePrincipal','modifiedProperties':[{'displayName':'p','newValue':'v','oldValue':'w'}]}]}",
	"{'time':'2026-01-06T10:00:00Z','category':'MicrosoftGraphActivityLogs','operationName':'Microsoft Graph Activity','tenantId':'" GUID("000000000001") "',"
	"'properties':{'requestId':'" GUID("0000########") "','timeGenerated':'2026-01-06T10:00:00Z','appId':'" GUID("00000000c001") "','userId':'"
	GUID("0000000000d1") "','ipAddress':'203.0.113.9','signInActivityId':'PC0eD1pLeEmHlqW0w9LhAA','requestUri':'https://graph.example.com/v1.0/me/messages'}}",
	/* Sentinel */
	"{'TenantId':'x','TimeGenerated':'2026-01-06T10:00:00Z','RecordType':'ExchangeItem','Operation':'Send','OrganizationId':'" GUID("000000000001") "',"
	"'OfficeWorkload':'Exchange','UserId':'ann@example.com','OfficeId':'" GUID("0000########") "','Client_IPAddress':'203.0.113.9','Type':'OfficeActivity'}",
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

static void add_record(struct text *t, unsigned format, unsigned number)
{
	char digits[9];
	unsigned at = 0;
	snprintf(digits, sizeof digits, "%08u", number % 100000000);
	for (const char *p = formats[format]; *p; p++) {
		char c = *p == '\'' ? '"' : *p == '#' ? digits[at++ % 8] : *p;
		add_bytes(t, &c, 1);
	}
}

/* -- wrappings: ' for "; J the record, T the same as text, U as text in the text of an object,
 * K as the key-value list of OpenTelemetry; `after` is "lines" for text before a record on its line -- */

struct wrapping { const char *name, *before, *after; };

static const struct wrapping each[] = {
	{ "nothing", "J", "" },
	{ "Elasticsearch", "{'_index':'logs-o365','_id':'1','_score':1.0,'_source':J}", "" },
	{ "Elasticsearch, original", "{'_index':'x','_source':{'@timestamp':'2026-01-06T10:00:09Z','event':{'original':'T','kind':'event'}}}", "" },
	{ "Wazuh", "{'timestamp':'2026-01-06T10:00:09+0000','rule':{'id':'91530','groups':['office365']},'agent':{'id':'000'},'data':{'integration':'office365',"
		"'office365':J},'location':'office365'}", "" },
	{ "Splunk", "{'preview':false,'offset':0,'result':{'_raw':'T','_time':'2026-01-06','host':'h'}}", "" },
	{ "Splunk HEC", "{'time':1767693600,'host':'h','sourcetype':'o365','event':J}", "" },
	{ "Graph SDK", "{'AdditionalProperties':J}", "" },
	{ "docker", "{'log':'T\\n','stream':'stdout','time':'2026-01-06T10:00:09.1Z'}", "" },
	{ "OpenTelemetry", "{'resourceLogs':[{'resource':{'attributes':[{'key':'a','value':{'stringValue':'b'}}]},'scopeLogs':[{'scope':{},'logRecords':["
		"{'timeUnixNano':'1767693600000000000','body':{'stringValue':'T'},'attributes':[{'key':'k','value':{'intValue':'1'}}]}]}]}]}", "" },
	{ "OpenTelemetry, taken apart", "{'resourceLogs':[{'scopeLogs':[{'logRecords':[{'timeUnixNano':'1','body':K}]}]}]}", "" },
	{ "Kafka console", "CreateTime:1767693600000\tPartition:0\tkey-1\tJ", "lines" },
	{ "Kafka console, text before", "o365-1[2]@17: \tJ", "lines" },
	{ "syslog", "<134>Jan  6 10:00:09 host app[12]: J", "lines" },
	{ "syslog of 5424", "<134>1 2026-01-06T10:00:09Z host app - - - J", "lines" },
	{ "docker, Kubernetes", "2026-01-06T10:00:09.123456789Z stdout F J", "lines" },
	{ "kcat", "{'topic':'o365','partition':0,'offset':1,'tstype':'create','ts':1767693600000,'key':null,'payload':'T'}", "" },
	{ "Kafka Connect", "{'schema':{'type':'string','optional':false},'payload':J}", "" },
	{ "Kafka Connect, text", "{'schema':{'type':'string','optional':false},'payload':'T'}", "" },
	{ "Kafka REST", "{'topic':'t','key':'k','value':J,'partition':1,'offset':100}", "" },
	{ "GELF", "{'version':'1.1','host':'h','short_message':'audit','full_message':'T','timestamp':1767693600.1,'level':6,'_app':'y'}", "" },
	{ "CloudWatch", "{'messageType':'DATA_MESSAGE','owner':'1','logGroup':'g','logStream':'s','subscriptionFilters':['f'],'logEvents':[{'id':'1',"
		"'timestamp':1767693600000,'message':'T'}]}", "" },
	{ "SQS", "{'Messages':[{'MessageId':'m','ReceiptHandle':'r','Body':'T'}]}", "" },
	{ "SNS in SQS", "{'Messages':[{'MessageId':'m','ReceiptHandle':'r','Body':'U'}]}", "" },
	{ "Fluentd", "{'container_name':'/x','source':'stdout','log':'T','container_id':'c'}", "" },
	{ "Vector", "{'host':'h','message':'T','source_type':'file','timestamp':'2026-01-06T10:00:09Z'}", "" },
	{ "Logstash", "{'@timestamp':'2026-01-06T10:00:09Z','@version':'1','event':{'original':'T'},'tags':['o365']}", "" },
	{ "journald", "{'MESSAGE':'T','_HOSTNAME':'h','__REALTIME_TIMESTAMP':'1767693600000000','PRIORITY':'6'}", "" },
	{ "Event Hubs", "{'SequenceNumber':1,'Offset':'1','EnqueuedTimeUtc':'1/6/2026 10:00:09 AM','SystemProperties':{'a':1},'Properties':{},'Body':J}", "" },
	{ "Event Hubs, text", "{'SequenceNumber':1,'Offset':'1','EnqueuedTimeUtc':'1/6/2026 10:00:09 AM','SystemProperties':{'a':1},'Properties':{},'Body':'T'}", "" },
	{ "Datadog", "{'id':'d','type':'log','attributes':{'service':'o365','attributes':J}}", "" },
	{ "Google Cloud", "{'insertId':'i','jsonPayload':J,'resource':{'type':'global'},'timestamp':'2026-01-06T10:00:09Z'}", "" },
	{ "Google Cloud, text", "{'insertId':'i','textPayload':'T','resource':{'type':'global'},'timestamp':'2026-01-06T10:00:09Z'}", "" },
	{ "Humio", "{'@rawstring':'T','@timestamp':1767693600000,'#repo':'o365'}", "" },
	{ "MongoDB", "{'_id':{'$oid':'5f0c7a100000400080000000'},'doc':J}", "" },
	{ "array", "[J]", "" },
	{ "text", "'T'", "" },
	{ "object in object in list", "{'a':[{'b':{'c':[{'d':J}]}}]}", "" },
};

static const struct wrapping pages[] = {
	{ "lines", "", "" },
	{ "array", "[", "]" },
	{ "Graph page", "{'@odata.context':'x','value':[", "]}" },
	{ "Event Hubs", "{'records':[", "]}" },
	{ "Elasticsearch answer", "{'took':1,'timed_out':false,'_shards':{'total':1,'failed':0},'hits':{'total':{'value':3,'relation':'eq'},'max_score':1.0,'hits':[", "]}}" },
	{ "hunting, Graph", "{'schema':[{'name':'Timestamp','type':'DateTime'},{'name':'ReportId','type':'String'}],'results':[", "]}" },
	{ "hunting, Defender", "{'Stats':{'ExecutionTime':1},'Schema':[{'Name':'Timestamp','Type':'DateTime'}],'Results':[", "]}" },
	{ "batch", "{'responses':[{'id':'1','status':200,'headers':{'a':'b'},'body':{'@odata.context':'x','value':[", "]}}]}" },
	{ "Splunk results", "{'preview':false,'init_offset':0,'messages':[],'fields':[{'name':'_raw'}],'results':[", "],'highlighted':{}}" },
	{ "events", "{'meta':{'page':1,'tags':['a','b']},'data':{'cursor':'c','events':[", "]},'links':{'next':null}}" },
	{ "OpenTelemetry", "{'resourceLogs':[{'resource':{},'scopeLogs':[{'scope':{},'logRecords':[", "]}]}]}" },
	{ "objects of PowerShell", "{'value':{'$id':'1','$values':[", "]}}" },
	{ "list in list", "[[", "]]" },
	{ "list in lists in objects", "{'a':[[", "]]}" },
};

/* one value of JSON with its type; the text after it */
static const char *add_typed(struct text *t, const char *p)
{
	if (*p == '{' || *p == '[') {
		const bool pairs = *p == '{';
		add(t, pairs ? "{\"kvlistValue\":{\"values\":[" : "{\"arrayValue\":{\"values\":[");
		for (p++; *p != '}' && *p != ']'; ) {
			if (*p == ',')
				add_bytes(t, p++, 1);
			if (pairs) {
				const char *colon = strstr(p, "\":");
				add(t, "{\"key\":");
				add_bytes(t, p, (size_t)(colon + 1 - p));
				add(t, ",\"value\":");
				p = add_typed(t, colon + 2);
				add(t, "}");
			} else {
				p = add_typed(t, p);
			}
		}
		add(t, "]}}");
		return p + 1;
	}
	const char *end = p + 1;
	if (*p == '"')
		for (; *end != '"'; end++)
			end += *end == '\\';
	else
		end += strcspn(end, ",}]") - 1;
	add(t, *p == '"' ? "{\"stringValue\":" : *p == 't' || *p == 'f' ? "{\"boolValue\":" : "{\"intValue\":\"");
	add_bytes(t, p, (size_t)(end + 1 - p));
	add(t, *p == '"' || *p == 't' || *p == 'f' ? "}" : "\"}");
	return end + 1;
}

static void add_wrapped(struct text *t, const char *wrapping, const char *record)
{
	struct text inner = { 0 };
	for (const char *p = wrapping; *p; p++) {
		const bool alone = (p > wrapping ? strchr(":[,'\t ", p[-1]) != NULL : true) && (p[1] == 0 || strchr("}],'\\", p[1]));
		if (*p == 'J' && alone) {
			add(t, record);
		} else if (*p == 'K' && alone) {
			add_typed(t, record);
		} else if (*p == 'T' && alone) {
			add_escaped(t, record);
		} else if (*p == 'U' && alone) {
			inner.n = 0;
			add(&inner, "{\"Type\":\"Notification\",\"MessageId\":\"m\",\"Message\":\"");
			add_escaped(&inner, record);
			add(&inner, "\",\"Timestamp\":\"2026-01-06T10:00:09Z\"}");
			add_escaped(t, inner.p);
		} else {
			add_bytes(t, *p == '\'' ? "\"" : p, 1);
		}
	}
	free(inner.p);
}

/* over several lines, as ConvertTo-Json and jq write it */
static void add_pretty(struct text *t, const char *json, const char *newline)
{
	unsigned depth = 0;
	bool in_string = false;
	for (const char *p = json; *p; p++) {
		bool opens = !in_string && (*p == '{' || *p == '['), closes = !in_string && (*p == '}' || *p == ']');
		if (closes && depth)
			depth--;
		bool line = closes && p > json && p[-1] != '{' && p[-1] != '[';
		if (!line && !closes)
			add_bytes(t, p, 1);
		if (*p == '\\' && in_string && p[1])
			add_bytes(t, ++p, 1);
		else if (*p == '"')
			in_string = !in_string;
		depth += opens;
		if (line || (opens && p[1] != '}' && p[1] != ']') || (!in_string && *p == ',')) {
			add(t, newline);
			for (unsigned i = 0; i < 2 * depth; i++)
				add_bytes(t, " ", 1);
		}
		if (closes)
			add_bytes(t, p, 1);
		if (!in_string && *p == ':')
			add_bytes(t, " ", 1);
	}
	add(t, newline);
}

/* -- decoding -- */

struct took {
	uint64_t sum, records; /* what was taken, in any order */
	struct decoder_counts counts;
};

static void take(void *arg, const struct rec *r)
{
	struct took *t = arg;
	struct rec plain = *r;
	plain.rank = 0;                /* an envelope's own */
	plain.flags &= ~(uint32_t)REC_TIME_ARRIVAL;
	uint64_t one = hash64(&plain, sizeof plain, 7);
	struct detail_iter it = rec_details(r);
	struct str name, value;
	while (detail_next(&it, &name, &value))
		one = hash_mix(one, hash_str(name, 1) ^ hash_str(value, 2));
	t->sum += hash_mix(one, 3);
	t->records++;
}

static struct took decode(const struct text *in, size_t piece)
{
	static struct frame *f;
	static struct decoder *d;
	static struct block b;
	static struct took t;
	size_t at = 0, room;
	f = f ? f : frame_new();
	d = d ? d : decoder_new(take, &t);
	if (!f || !d)
		abort();
	memset(&t, 0, sizeof t);
	frame_begin(f, 0);
	do {
		char *to = frame_room(f, &room);
		size_t n = in->n - at < piece ? in->n - at : piece;
		if (!to)
			abort();
		memcpy(to, in->p + at, n);
		frame_fill(f, n);
		at += n;
		for (int final = 0; final <= (at == in->n); final++)
			while (frame_take(f, final, &b))
				decoder_run(d, &b, &t.counts);
	} while (at < in->n);
	CHECK(!frame_failed(f) && !decoder_failed(d));
	return t;
}

static uint64_t rejects_of(const struct took *t)
{
	uint64_t n = 0;
	for (int r = 0; r < REJECT_COUNT; r++)
		n += t->counts.rejects[r];
	return n;
}

enum layout { COMPACT, COMPACT_CRLF, PRETTY, PRETTY_CRLF, LAYOUTS };

static void check(const struct wrapping *page, const struct wrapping *wrap, unsigned format, unsigned n, enum layout layout, size_t piece)
{
	struct text in = { 0 }, plain = { 0 }, record = { 0 }, one = { 0 }, quoted = { 0 };
	const char *newline = layout == COMPACT_CRLF || layout == PRETTY_CRLF ? "\r\n" : "\n";
	const bool lines = page->before[0] == 0 || wrap->after[0], pretty = layout >= PRETTY && !wrap->after[0];
	if (wrap->after[0])
		page = &pages[0];
	add_wrapped(&in, page->before, "");
	for (unsigned i = 0; i < n; i++) {
		/* records of one format have the same length, so that any number of them is soon made */
		record.n = one.n = 0;
		add_record(&record, format == FORMATS ? i % FORMATS : format, i + 1);
		add_bytes(&plain, record.p, record.n);
		add(&plain, "\n");
		add_wrapped(&one, wrap->before, record.p);
		if (lines && pretty)
			add_pretty(&in, one.p, newline);
		else
			add_bytes(&in, one.p, one.n);
		add(&in, lines ? newline : i + 1 < n ? "," : "");
	}
	add_wrapped(&in, page->after, "");
	if (!lines && pretty) {
		add_pretty(&quoted, in.p, newline);
		struct text swap = in;
		in = quoted;
		quoted = swap;
	} else if (!lines) {
		add(&in, newline);
	}
	struct took want = decode(&plain, READ_CHUNK_BYTES), got = decode(&in, piece);
	CHECK(want.records == n && rejects_of(&want) == 0);
	CHECK_MSG(got.records == n && got.sum == want.sum && rejects_of(&got) == 0,
		"%s in %s: format %u, %u records, layout %d: got %" PRIu64 ", the same %d, rejects %" PRIu64 " of %.60s", wrap->name, page->name, format, n,
		(int)layout, got.records, got.sum == want.sum, rejects_of(&got), in.p);
	free(in.p);
	free(plain.p);
	free(record.p);
	free(one.p);
	free(quoted.p);
}

enum { PAGES = sizeof pages / sizeof pages[0], EACH = sizeof each / sizeof each[0] };

static void test_all(void)
{
	for (unsigned p = 0; p < PAGES; p++) {
		for (unsigned e = 0; e < EACH; e++) {
			check(&pages[p], &each[e], FORMATS, 11, (enum layout)((p + e) % LAYOUTS), READ_CHUNK_BYTES); /* all formats together */
			check(&pages[p], &each[e], (p + e) % FORMATS, 1, (enum layout)((p + e / 2) % LAYOUTS), 97);
		}
	}
	for (unsigned format = 0; format < FORMATS; format++)
		for (unsigned e = 0; e < EACH; e++)
			for (unsigned n = 1; n < 3; n++)
				check(&pages[(e + n + format) % PAGES], &each[e], format, n, (enum layout)((e + n) % LAYOUTS), READ_CHUNK_BYTES);
}

/* longer than a record may be */
static void test_large(void)
{
	static const char *const some[] = { "nothing", "Elasticsearch", "Vector", "SNS in SQS" };
	for (unsigned p = 0; p < PAGES; p++) {
		for (unsigned s = p % 2; s < sizeof some / sizeof some[0]; s += 2) {
			unsigned e = 0;
			while (strcmp(each[e].name, some[s]))
				e++;
			check(&pages[p], &each[e], (p + s) % (FORMATS + 1), 9000, (enum layout)((p + s) % LAYOUTS), s < 2 ? READ_CHUNK_BYTES : 65537);
		}
	}
}

/* -- what must not be taken, and what is well defined -- */

static void check_counts(const char *json, uint64_t records, uint64_t rejects)
{
	struct text in = { 0 };
	for (const char *p = json; *p; p++)
		add_bytes(&in, *p == '\'' ? "\"" : p, 1);
	struct took t = decode(&in, READ_CHUNK_BYTES);
	CHECK_MSG(t.records == records && rejects_of(&t) == rejects, "got %" PRIu64 " records, %" PRIu64 " rejects of %.200s", t.records, rejects_of(&t), json);
	free(in.p);
}

#define SEND "{'CreationTime':'2026-01-06T10:00:00','Id':'x1','Operation':'Send','RecordType':2}"
#define SEND_TEXT "{\\'CreationTime\\':\\'2026-01-06T10:00:00\\',\\'Id\\':\\'x2\\',\\'Operation\\':\\'Send\\',\\'RecordType\\':2}"

static void test_traps(void)
{
	/* a record with records in it is one */
	check_counts("{'CreationTime':'2026-01-06T10:00:00','Id':'x','Operation':'Send','Item':{'Subject':'" SEND_TEXT "'}}", 1, 0);
	check_counts("{'CreationTime':'2026-01-06T10:00:00','Id':'x','Operation':'Set-Mailbox','Parameters':[{'Name':'a','Value':'" SEND_TEXT "'}]}", 1, 0);
	check_counts("{'CreationTime':'2026-01-06T10:00:00','Id':'x','Operation':'Send','message':'" SEND_TEXT "'}", 1, 0);
	check_counts("{'CreationTime':'2026-01-06T10:00:00','Id':'x','Operation':'Send','list':[" SEND "," SEND "]}", 1, 0);
	check_counts("{'_source':{'CreationTime':'2026-01-06T10:00:00','Id':'x','Operation':'Send','x':" SEND "}}", 1, 0);
	/* two members that are records are two; a text next to them is a copy of them */
	check_counts("{'a':" SEND ",'b':" SEND "}", 2, 0);
	check_counts("{'a':" SEND ",'b':'" SEND_TEXT "'}", 1, 0);
	/* of several texts the longest counts */
	check_counts("{'a':'" SEND_TEXT "','b':'x " SEND_TEXT "'}", 1, 0);
	/* mixed lists: each object that is no record is one that was lost */
	check_counts("{'x':[" SEND ",{'a':1}," SEND ",{'b':2}]}", 2, 2);
	/* a container without a record counts its objects */
	check_counts("{'x':{'y':[{'a':1},{'a':2},{'a':3}]}}", 0, 3);
}

/* names and values in two lists, small and longer than a record may be */
static void test_tables(void)
{
	static const struct wrapping tables[] = {
		{ "Log Analytics", "{'tables':[{'name':'PrimaryResult','columns':[C],'rows':[", "]}]}" },
		{ "Kusto", "[{'FrameType':'DataSetHeader','IsProgressive':false,'Version':'v2.0'},{'FrameType':'DataTable','TableId':0,'TableKind':'QueryProperties','TableName':'x',"
			"'Columns':[{'ColumnName':'Key','ColumnType':'string'}],'Rows':[['a']]},{'FrameType':'DataTable','TableId':1,'TableKind':'PrimaryResult','TableName':'PrimaryResult',"
			"'Columns':[C],'Rows':[", "]},{'FrameType':'DataSetCompletion','HasErrors':false,'Cancelled':false}]" },
		{ "Kusto, version 1", "{'Tables':[{'TableName':'Table_0','Columns':[C],'Rows':[", "]}]}" },
	};
	static const char *const columns[] = { "TimeGenerated", "Operation", "OfficeWorkload", "OfficeId", "UserId", "Unknown" };
	for (unsigned k = 0; k < 3; k++) {
		for (unsigned n = 1; n < 60000; n = n == 1 ? 7 : n == 7 ? 40000 : 60000) {
			struct text in = { 0 }, plain = { 0 }, c = { 0 };
			char row[400];
			for (unsigned i = 0; i < 6; i++) {
				snprintf(row, sizeof row, "%s{\"%s\":\"%s\",\"type\":\"string\"}", i ? "," : "", k ? "ColumnName" : "name", columns[i]);
				add(&c, row);
			}
			for (const char *p = tables[k].before; *p; p++) {
				if (*p == 'C' && p[-1] == '[')
					add(&in, c.p);
				else
					add_bytes(&in, *p == '\'' ? "\"" : p, 1);
			}
			for (unsigned i = 0; i < n; i++) {
				snprintf(row, sizeof row, "%s[\"2026-01-06T10:00:00Z\",\"Send\",\"Exchange\",\"" GUID("0000%08u") "\",\"ann@example.com\",[{\"a\":[1]}]]", i ? ",\n" : "", i);
				add(&in, row);
				snprintf(row, sizeof row, "{\"TimeGenerated\":\"2026-01-06T10:00:00Z\",\"Operation\":\"Send\",\"OfficeWorkload\":\"Exchange\",\"OfficeId\":\""
					GUID("0000%08u") "\",\"UserId\":\"ann@example.com\"}\n", i);
				add(&plain, row);
			}
			add_wrapped(&in, tables[k].after, "");
			struct took want = decode(&plain, READ_CHUNK_BYTES), got = decode(&in, n == 7 ? 31 : READ_CHUNK_BYTES);
			CHECK_MSG(want.records == n && got.records == n && got.sum == want.sum && rejects_of(&got) == 0,
				"%s: %u rows: %" PRIu64 " records, the same %d, %" PRIu64 " rejects", tables[k].name, n, got.records, got.sum == want.sum, rejects_of(&got));
			free(in.p);
			free(plain.p);
			free(c.p);
		}
	}
}

/* a container longer than a record that holds none, or is broken, or is cut in its middle */
static void test_large_damage(void)
{
	struct text in = { 0 };
	for (int kind = 0; kind < 3; kind++) {
		in.n = 0;
		add(&in, "{\"a\":{\"x\":1},\"b\":{\"c\":[");
		for (unsigned i = 0; i < 8000; i++) {
			add(&in, i ? "," : "");
			if (kind == 0)
				add(&in, "{\"name\":\"nothing of ours, but long enough to be more than four megabytes when there are many of it: nothing of ours, but long enough "
					"to be more than four megabytes when there are many of it: nothing of ours, but long enough to be more than four megabytes when there "
					"are many of it: nothing of ours, but long enough to be more than four megabytes when there are many of it: nothing of ours, but long "
					"enough to be more than four megabytes when there are many of it\"}");
			else
				add_record(&in, 0, i + 1);
			if (i == 3000 && kind == 1)
				add(&in, ",{\"CreationTime\":\"2026-01-06T10:00:00\",\"Operation\":\"Send\",\"a\" 1}");
			if (i == 5 && kind == 2) /* a small page that is cut */
				break;
		}
		if (kind == 2)
			add(&in, ",{\"CreationTime\":\"2026-01-06T10:00:00\",\"Operation\":\"Se");
		else if (kind < 2)
			add(&in, "]}}\n");
		struct took t = decode(&in, READ_CHUNK_BYTES);
		CHECK_MSG(kind == 0 ? t.records == 0 && rejects_of(&t) == 8000 : kind == 1 ? t.records == 8000 && rejects_of(&t) == 1
			: t.records == 6 && rejects_of(&t) == 1, "kind %d: %" PRIu64 " records, %" PRIu64 " rejects", kind, t.records, rejects_of(&t));
	}
	free(in.p);
}

int main(void)
{
	test_traps();
	test_tables();
	test_large_damage();
	test_all();
	test_large();
	return check_summary();
}
