/* SPDX-License-Identifier: Apache-2.0 */
/* test_api: the public header as an outside program uses it: C99, taximeter.h and the C library, no internal header.
 * The export is written here: six reads of three mailboxes and one switch that turns the audit log off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "taximeter.h"

#define PATH_SIZE 256

static int passed, failed;

static void check_at(int line, int good, const char *what)
{
	if (good) {
		passed++;
	} else {
		failed++;
		printf("FAIL: line %d: %s\n", line, what);
	}
}
#define CHECK(expression) check_at(__LINE__, (expression) != 0, #expression)

static void write_export(const char *path)
{
	FILE *f = fopen(path, "w");
	int i;

	if (!f) {
		perror(path);
		exit(1);
	}
	for (i = 0; i < 6; i++)
		fprintf(f,
			"{\"CreationTime\":\"2026-01-06T10:0%d:00\",\"Id\":\"5f0c7a10-0000-4000-8000-00000000000%d\","
			"\"Operation\":\"MailItemsAccessed\",\"OrganizationId\":\"5f0c7a10-0000-4000-8000-"
			"000000000001\",\"RecordType\":50,"
			"\"UserType\":0,\"Workload\":\"Exchange\",\"UserId\":\"user%d@example.com\","
			"\"ClientIPAddress\":\"203.0.113.5\","
			"\"ClientInfoString\":\"Client=REST;;\",\"ClientAppId\":\"5f0c7a10-0000-4000-8000-"
			"00000000c001\","
			"\"AppId\":\"00000003-0000-0000-c000-000000000000\",\"LogonType\":0,"
			"\"MailboxGuid\":\"5f0c7a10-0000-4000-8000-0000000000a%d\",\"MailboxOwnerUPN\":\"user%d@"
			"example.com\","
			"\"OperationProperties\":[{\"Name\":\"MailAccessType\",\"Value\":\"Bind\"}],\"OperationCount\":"
			"2}\n",
			i, i, i % 3, i % 3, i % 3);
	fprintf(f, "{\"CreationTime\":\"2026-01-06T11:00:00\",\"Id\":\"5f0c7a10-0000-4000-8000-0000000000ff\","
		   "\"Operation\":\"Set-AdminAuditLogConfig\",\"OrganizationId\":\"5f0c7a10-0000-4000-8000-"
		   "000000000001\",\"RecordType\":1,"
		   "\"UserType\":2,\"Workload\":\"Exchange\",\"UserId\":\"admin@example.com\",\"ObjectId\":\"Admin "
		   "Audit Log Settings\","
		   "\"Parameters\":[{\"Name\":\"UnifiedAuditLogIngestionEnabled\",\"Value\":\"False\"}]}\n");
	fclose(f);
}

static void test_scan(const char *path)
{
	struct txm_scan *s = txm_scan_new();
	const char *json = NULL;
	size_t i, critical = 0;

	CHECK(s != NULL);
	CHECK(strcmp(txm_scan_error(s), "") == 0);
	CHECK(txm_scan_records(s) == 0);
	CHECK(txm_scan_alert_count(s) == 0);
	CHECK(txm_scan_add_path(s, path) == TXM_OK);
	CHECK(txm_scan_set_threads(s, 2) == TXM_OK);
	CHECK(txm_scan_run(s) == TXM_OK);
	CHECK(strcmp(txm_scan_error(s), "") == 0);
	CHECK(txm_scan_problem(s, 0) == NULL);
	CHECK(txm_scan_records(s) == 7);
	CHECK(txm_scan_alert_count(s) >= 1);
	for (i = 0; i < txm_scan_alert_count(s); i++) {
		json = txm_scan_alert_json(s, i);
		CHECK(json && strncmp(json, "{\"type\":\"alert\",\"id\":\"txm-", 25) == 0);
		CHECK(json && strchr(json, '\n') == NULL && json[strlen(json) - 1] == '}');
		critical += json && strstr(json, "\"severity\":\"critical\"") != NULL;
		CHECK(json == txm_scan_alert_json(s, i)); /* the same text, not another copy */
	}
	CHECK(critical == 1);
	CHECK(txm_scan_alert_json(s, txm_scan_alert_count(s)) == NULL);
	/* once */
	CHECK(txm_scan_run(s) == TXM_USAGE);
	CHECK(strcmp(txm_scan_error(s), "") != 0);
	CHECK(txm_scan_add_path(s, path) == TXM_USAGE);
	txm_scan_free(s);
}

static void test_settings(const char *path)
{
	struct txm_scan *s = txm_scan_new();

	CHECK(s != NULL);
	CHECK(txm_scan_run(s) == TXM_USAGE); /* no path */
	CHECK(txm_scan_add_path(s, "") == TXM_USAGE);
	CHECK(txm_scan_add_path(s, path) == TXM_OK);
	CHECK(txm_scan_set_threads(s, 257) == TXM_USAGE);
	CHECK(txm_scan_set_since(s, "yesterday") == TXM_USAGE);
	CHECK(strstr(txm_scan_error(s), "yesterday") != NULL);
	CHECK(txm_scan_set_until(s, NULL) == TXM_USAGE);
	CHECK(txm_scan_set_asn_file(s, "/nonexistent/asn.mmdb") == TXM_USAGE);
	CHECK(strstr(txm_scan_error(s), "/nonexistent/asn.mmdb") != NULL);
	CHECK(txm_scan_add_indicators(s, "/nonexistent/ioc.csv") == TXM_USAGE);
	CHECK(strstr(txm_scan_error(s), "/nonexistent/ioc.csv") != NULL);
	/* a refused setting leaves the scan as it was */
	CHECK(txm_scan_set_since(s, "2026-01-06T10:03:00Z") == TXM_OK);
	CHECK(txm_scan_set_until(s, "2026-01-06") == TXM_OK);
	CHECK(txm_scan_run(s) == TXM_USAGE); /* since is after until */
	CHECK(txm_scan_set_until(s, "2026-01-06T10:05:00Z") == TXM_OK);
	CHECK(txm_scan_run(s) == TXM_OK);
	CHECK(txm_scan_records(s) == 7); /* since and until choose what is reported */
	txm_scan_free(s);
}

static void test_loss(const char *path)
{
	struct txm_scan *s = txm_scan_new();

	CHECK(s != NULL);
	CHECK(txm_scan_add_path(s, "/nonexistent/export.ndjson") == TXM_OK);
	CHECK(txm_scan_add_path(s, path) == TXM_OK);
	CHECK(txm_scan_run(s) == TXM_INCOMPLETE);
	CHECK(strcmp(txm_scan_error(s), "") != 0);
	CHECK(txm_scan_problem(s, 0) && strstr(txm_scan_problem(s, 0), "/nonexistent/export.ndjson"));
	CHECK(txm_scan_problem(s, 1) == NULL);
	CHECK(txm_scan_records(s) == 7);
	txm_scan_free(s);
	txm_scan_free(NULL);
}

/* the export belongs to one tenant */
static void test_tenant(const char *path)
{
	struct txm_scan *s = txm_scan_new();
	size_t n;

	CHECK(txm_scan_add_path(s, path) == TXM_OK);
	CHECK(txm_scan_add_tenant(s, "") == TXM_USAGE);
	CHECK(txm_scan_add_tenant(s, NULL) == TXM_USAGE);
	CHECK(strstr(txm_scan_error(s), "tenant") != NULL);
	CHECK(txm_scan_add_tenant(s, "5F0C7A10-0000-4000-8000-000000000001") == TXM_OK);
	CHECK(txm_scan_run(s) == TXM_OK);
	n = txm_scan_alert_count(s);
	CHECK(n >= 1);
	CHECK(strstr(txm_scan_alert_json(s, 0), "\"tenant\":\"5f0c7a10-0000-4000-8000-000000000001\"") != NULL);
	CHECK(txm_scan_add_tenant(s, "unknown") == TXM_USAGE); /* too late */
	txm_scan_free(s);

	s = txm_scan_new();
	CHECK(txm_scan_add_path(s, path) == TXM_OK);
	CHECK(txm_scan_add_tenant(s, "unknown") == TXM_OK);
	CHECK(txm_scan_run(s) == TXM_INCOMPLETE);
	CHECK(txm_scan_alert_count(s) == 0);
	CHECK(txm_scan_records(s) == 0);
	CHECK(txm_scan_problem(s, 0) && strstr(txm_scan_problem(s, 0), "no record belongs to tenant unknown"));
	CHECK(strstr(txm_scan_problem(s, 0), "5f0c7a10-0000-4000-8000-000000000001") != NULL);
	CHECK(txm_scan_problem(s, 1) == NULL);
	txm_scan_free(s);
}

/* the same, with local times, in a column whose heading names the zone */
static void test_timezone(const char *path)
{
	static const char *const zones[] = { NULL, "Europe/Berlin", "+01:00", "UTC" };
	static const char *const times[] = { "T10:00:00Z", "T09:00:00Z", "T09:00:00Z", "T10:00:00Z" };
	FILE *f = fopen(path, "w");
	size_t i;

	if (!f) {
		perror(path);
		exit(1);
	}
	fprintf(f, "\"TimeGenerated [Local Time]\",\"Operation\",\"OrganizationId\",\"OfficeWorkload\",\"UserId\",\"OfficeId\",\"RecordType\",\"Parameters\"\n"
		   "\"1/16/2026, 10:00:00.000 AM\",\"Set-AdminAuditLogConfig\",\"5f0c7a10-0000-4000-8000-000000000001\",\"Exchange\",\"admin@example.com\","
		   "\"5f0c7a10-0000-4000-8000-0000000000ff\",\"ExchangeAdmin\",\"[{\"\"Name\"\":\"\"UnifiedAuditLogIngestionEnabled\"\",\"\"Value\"\":"
		   "\"\"False\"\"}]\"\n");
	fclose(f);
	for (i = 0; i < sizeof zones / sizeof *zones; i++) {
		struct txm_scan *s = txm_scan_new();

		CHECK(txm_scan_add_path(s, path) == TXM_OK);
		CHECK(txm_scan_set_timezone(s, "Local Time") == TXM_USAGE);
		CHECK(strstr(txm_scan_error(s), "Local Time") != NULL);
		CHECK(txm_scan_set_timezone(s, zones[i]) == TXM_OK);
		CHECK(txm_scan_run(s) == (zones[i] ? TXM_OK : TXM_INCOMPLETE));
		CHECK(txm_scan_alert_count(s) == 1);
		CHECK(txm_scan_alert_count(s) == 1 && strstr(txm_scan_alert_json(s, 0), times[i]) != NULL);
		CHECK(txm_scan_set_timezone(s, "UTC") == TXM_USAGE); /* too late */
		txm_scan_free(s);
	}
}

/* the tokens of tests/cases/token-good, and one byte changed */
static void test_token(void)
{
	static const char folder[] = "tests/cases/token-good/";
	char path[PATH_SIZE], text[4096];
	struct txm_token_policy *p = txm_token_policy_new();
	struct txm_token_verifier *v;
	FILE *f;
	size_t n;

	CHECK(p != NULL);
	CHECK(txm_token_verifier_new(p) == NULL); /* not ready */
	sprintf(path, "%spolicy.yaml", folder);
	CHECK(txm_token_policy_load(p, path) == TXM_OK);
	CHECK(txm_token_policy_ready(p) == TXM_OK);
	CHECK(strcmp(txm_token_policy_error(p), "") == 0);
	CHECK(txm_token_policy_add_keys(p, path) == TXM_USAGE); /* too late */
	v = txm_token_verifier_new(p);
	CHECK(v != NULL);
	sprintf(path, "%sinput.txt", folder);
	f = fopen(path, "r");
	CHECK(f && fgets(text, sizeof text, f));
	if (f)
		fclose(f);
	n = strcspn(text, "\n");
	CHECK(txm_token_verify(v, text, n, 1767693600) == TXM_TOKEN_ACCEPTED);
	CHECK(strstr(txm_token_verdict_json(v), "\"valid\":true"));
	CHECK(strchr(txm_token_verdict_json(v), '\n') == NULL);
	CHECK(txm_token_verify(v, text, n, 1767793600) == TXM_TOKEN_REFUSED); /* a day later */
	CHECK(strstr(txm_token_verdict_json(v), "\"code\":\"exp\""));
	CHECK(txm_token_verify(v, text, n - 1, 1767693600) == TXM_TOKEN_REFUSED);
	CHECK(txm_token_verify(v, "", 0, 1767693600) == TXM_TOKEN_REFUSED);
	txm_token_verifier_free(v);
	txm_token_policy_free(p);
	p = txm_token_policy_new();
	CHECK(txm_token_policy_load(p, "/nonexistent/policy.yaml") == TXM_USAGE);
	CHECK(strstr(txm_token_policy_error(p), "/nonexistent/policy.yaml"));
	CHECK(txm_token_policy_ready(p) == TXM_USAGE);
	txm_token_policy_free(p);
	txm_token_policy_free(NULL);
	txm_token_verifier_free(NULL);
}

int main(void)
{
	char path[PATH_SIZE];
	const char *folder = getenv("TMPDIR");
	FILE *f;
	int i;

	/* a name that is free: C99 has no mkstemp() */
	if (!folder || strlen(folder) > PATH_SIZE / 2)
		folder = "/tmp";
	for (i = 0; i < 1000; i++) {
		sprintf(path, "%s/txm-test-api-%d", folder, i);
		f = fopen(path, "r");
		if (!f)
			break;
		fclose(f);
	}
	write_export(path);
	CHECK(strlen(txm_version()) >= 5);
	test_scan(path);
	test_settings(path);
	test_loss(path);
	test_tenant(path);
	test_timezone(path);
	test_token();
	remove(path);
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
