// SPDX-License-Identifier: Apache-2.0
// duckdb.mjs FILE THREADS columns|objects: one grouped query over the NDJSON file: items per application and mailbox.
// columns: read_json with the columns it needs; objects: read_ndjson_objects and json_extract.  Prints groups, records, items.
import { DuckDBInstance } from "@duckdb/node-api";

const [file, threads, how] = process.argv.slice(2);
const path = file.replaceAll("'", "''");
const from = {
  columns: `SELECT AppId, ClientAppId, MailboxGuid, OperationCount
            FROM read_json('${path}', format = 'newline_delimited', columns = {Operation: 'VARCHAR', AppId: 'VARCHAR',
                 ClientAppId: 'VARCHAR', MailboxGuid: 'VARCHAR', OperationCount: 'BIGINT'})
            WHERE Operation = 'MailItemsAccessed'`,
  objects: `SELECT json->>'$.AppId' AS AppId, json->>'$.ClientAppId' AS ClientAppId, json->>'$.MailboxGuid' AS MailboxGuid,
                   (json->>'$.OperationCount')::BIGINT AS OperationCount
            FROM read_ndjson_objects('${path}') WHERE json->>'$.Operation' = 'MailItemsAccessed'`,
}[how ?? "columns"];

const db = await DuckDBInstance.create(":memory:", { threads: threads ?? "2" });
const connection = await db.connect();
const result = await connection.runAndReadAll(`
  WITH g AS (SELECT AppId, ClientAppId, MailboxGuid, count(*) AS records, sum(OperationCount) AS items FROM (${from}) GROUP BY ALL)
  SELECT count(*)::BIGINT AS groups, sum(records)::BIGINT AS records, sum(items)::BIGINT AS items FROM g`);
console.log(result.getRowsJson().map(String).join(" "));
