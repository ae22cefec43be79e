// SPDX-License-Identifier: Apache-2.0
// tokens.mjs AUDIT SIGNINS THREADS: the same join by DuckDB: accesses with a token id, linked to a sign-in or not.
// AUDIT and SIGNINS are globs of NDJSON.  Prints accesses with a token id, linked, not linked, sign-ins.
import { DuckDBInstance } from "@duckdb/node-api";

const [audit, signins, threads] = process.argv.slice(2).map((s) => s.replaceAll("'", "''"));
const db = await DuckDBInstance.create(":memory:", { threads: threads ?? "2" });
const connection = await db.connect();
const result = await connection.runAndReadAll(`
  WITH access AS (
         SELECT DISTINCT Id, AppAccessContext.UniqueTokenId AS token
         FROM read_json('${audit}', format = 'newline_delimited', columns = {Id: 'VARCHAR', Operation: 'VARCHAR',
              AppAccessContext: 'STRUCT(UniqueTokenId VARCHAR)'})
         WHERE Operation = 'MailItemsAccessed' AND AppAccessContext.UniqueTokenId IS NOT NULL),
       signin AS (
         SELECT DISTINCT properties.uniqueTokenIdentifier AS token
         FROM read_json('${signins}', format = 'newline_delimited',
              columns = {properties: 'STRUCT(uniqueTokenIdentifier VARCHAR, status STRUCT(errorCode BIGINT))'})
         WHERE properties.status.errorCode = 0)
  SELECT count(*)::BIGINT, count(s.token)::BIGINT, (count(*) - count(s.token))::BIGINT, (SELECT count(*) FROM signin)::BIGINT
  FROM access a LEFT JOIN signin s ON a.token = s.token`);
console.log(Object.values(result.getRowsJson()[0]).map(String).join(" "));
