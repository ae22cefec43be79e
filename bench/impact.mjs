// SPDX-License-Identifier: Apache-2.0
// impact.mjs FILE THREADS OUT: the same question in SQL: every message of every mailbox, once, with its folder, size, first and
// last access and times read, written as CSV.  Prints messages, accesses, bytes.  (Nothing about habits, syncs, throttling,
// unknown hours, copies of records with another order of keys: only DISTINCT on the record's id.)
import { DuckDBInstance } from "@duckdb/node-api";

const [file, threads, out] = process.argv.slice(2);
const path = file.replaceAll("'", "''");
const db = await DuckDBInstance.create(":memory:", { threads: threads ?? "2" });
const connection = await db.connect();
await connection.run(`
  CREATE TABLE messages AS
  WITH records AS (
    SELECT DISTINCT ON (Id) Id, MailboxGuid, CreationTime, Folders
    FROM read_json('${path}', format = 'newline_delimited', maximum_object_size = 33554432, columns = {Id: 'VARCHAR', Operation: 'VARCHAR',
         MailboxGuid: 'VARCHAR', CreationTime: 'TIMESTAMP',
         Folders: 'STRUCT("Path" VARCHAR, FolderItems STRUCT(InternetMessageId VARCHAR, SizeInBytes BIGINT)[])[]'})
    WHERE Operation = 'MailItemsAccessed' AND Folders IS NOT NULL),
  folders AS (SELECT MailboxGuid, CreationTime, unnest(Folders) AS f FROM records),
  items AS (SELECT MailboxGuid, CreationTime, f."Path" AS folder, unnest(f.FolderItems) AS i FROM folders)
  SELECT MailboxGuid, i.InternetMessageId AS id, min(folder) AS folder, max(i.SizeInBytes) AS bytes, count(*) AS times,
         min(CreationTime) AS first, max(CreationTime) AS last
  FROM items GROUP BY ALL`);
await connection.run(`COPY (SELECT * FROM messages ORDER BY MailboxGuid, first, id) TO '${out.replaceAll("'", "''")}' (HEADER)`);
const result = await connection.runAndReadAll("SELECT count(*)::BIGINT, sum(times)::BIGINT, sum(bytes)::BIGINT FROM messages");
console.log(result.getRowsJson().map(String).join(" "));
