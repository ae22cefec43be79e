/* SPDX-License-Identifier: Apache-2.0 */
/* store: see store.h.  The database is opened as untrusted: no extension, no trigger, no view, a schema that must be ours
 * to the letter, and every blob no longer than what we write. */
#include "persist/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/limits.h"

#define APPLICATION_ID 0x54584d53 /* "TXMS" */
#define LEVEL 1                   /* of zstd: rows of counters shrink to a fifth; more would cost more than it saves */

static const char meta_sql[] = "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";
static const char part_sql[] = "CREATE TABLE part(section TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, "
	"checksum INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE(section, number))";

struct store {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statement;  /* of the open section: SELECT or INSERT */
	char section[64];
	uint8_t *plain, *packed;  /* STORE_PART_BYTES, and its compressBound */
	size_t at, n;             /* in plain: next byte; bytes there (reading) */
	int64_t number;
	char meta[256];
};

static bool move_out(void *arg, void *bytes, size_t n);
static bool move_in(void *arg, void *bytes, size_t n);

static bool run_sql(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* the one integer that a statement gives; -1: none */
static int64_t ask(struct store *s, const char *sql)
{
	sqlite3_stmt *q = NULL;
	int64_t v = -1;
	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		v = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return v;
}

static bool schema_is_ours(struct store *s)
{
	sqlite3_stmt *q = NULL;
	unsigned ours = 0, all = 0;
	if (sqlite3_prepare_v2(s->db, "SELECT sql FROM sqlite_master", -1, &q, NULL) != SQLITE_OK)
		return false;
	while (sqlite3_step(q) == SQLITE_ROW) {
		const char *sql = (const char *)sqlite3_column_text(q, 0);
		if (!sql)
			continue; /* the index of UNIQUE */
		all++;
		ours += strcmp(sql, meta_sql) == 0 || strcmp(sql, part_sql) == 0;
	}
	sqlite3_finalize(q);
	return all == 2 && ours == 2;
}

/* SQLite would create it with the umask's permissions. */
static bool make_file(const char *path, char error[STORE_ERROR_SIZE])
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	struct stat st;
	if (fd < 0) {
		snprintf(error, STORE_ERROR_SIZE, "%s: %s", path, strerror(errno));
		return false;
	}
	bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	close(fd);
	if (!regular)
		snprintf(error, STORE_ERROR_SIZE, "%s: not a file in which a state can be kept", path);
	return regular;
}

static bool set_up(struct store *s)
{
	int on = 0;
	sqlite3_extended_result_codes(s->db, 0);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, (int)(4 * STORE_PART_BYTES));
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &on);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &on);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, &on);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, &on);
	return run_sql(s, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=FULL; PRAGMA journal_mode=DELETE; PRAGMA cell_size_check=ON");
}

static void say_unusable(struct store *s, char error[STORE_ERROR_SIZE])
{
	int code = sqlite3_errcode(s->db);
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		snprintf(error, STORE_ERROR_SIZE, "%s: another run is using this state file; wait for it, or give another file", s->path);
	else if (code == SQLITE_NOTADB)
		snprintf(error, STORE_ERROR_SIZE, "%s: not a state file of Taximeter; give the name of a new file", s->path);
	else if (code == SQLITE_CORRUPT)
		snprintf(error, STORE_ERROR_SIZE, "%s: this state file is damaged; restore a copy, or give the name of a new file", s->path);
	else
		snprintf(error, STORE_ERROR_SIZE, "%s: cannot be used as a state file: %s", s->path, sqlite3_errmsg(s->db));
}

/* In an open transaction: is it ours?  New: it is made so. */
static enum store_status look(struct store *s, char error[STORE_ERROR_SIZE])
{
	int64_t id = ask(s, "PRAGMA application_id"), format = ask(s, "PRAGMA user_version");
	int64_t things = ask(s, "SELECT count(*) FROM sqlite_master");
	char sql[128];
	if (id < 0 || format < 0 || things < 0) {
		say_unusable(s, error);
		return STORE_UNUSABLE;
	}
	if (id == 0 && format == 0 && things == 0) {
		snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID, STORE_FORMAT);
		if (run_sql(s, sql) && run_sql(s, meta_sql) && run_sql(s, part_sql))
			return STORE_NEW;
		say_unusable(s, error);
		return STORE_UNUSABLE;
	}
	if (id != APPLICATION_ID) {
		snprintf(error, STORE_ERROR_SIZE, "%s: a database of another program; give the name of a new file", s->path);
		return STORE_UNUSABLE;
	}
	if (format != STORE_FORMAT) {
		snprintf(error, STORE_ERROR_SIZE, "%s: written by %s version of Taximeter (format %lld, this one has %d); %s", s->path,
			 format > STORE_FORMAT ? "a newer" : "an older", (long long)format, STORE_FORMAT,
			 format > STORE_FORMAT ? "use that one, or give the name of a new file" : "give the name of a new file");
		return STORE_UNUSABLE;
	}
	if (!schema_is_ours(s)) {
		snprintf(error, STORE_ERROR_SIZE, "%s: this state file is damaged; restore a copy, or give the name of a new file", s->path);
		return STORE_UNUSABLE;
	}
	return STORE_OK;
}

enum store_status store_open(const char *path, struct store **ret, char error[STORE_ERROR_SIZE])
{
	enum store_status status = STORE_UNUSABLE;
	struct store *s = calloc(1, sizeof *s);
	size_t n = strlen(path) + 3;
	*ret = NULL;
	error[0] = '\0';
	if (!s)
		goto memory;
	s->path = malloc(n);
	s->plain = malloc(STORE_PART_BYTES);
	s->packed = malloc(ZSTD_compressBound(STORE_PART_BYTES));
	if (!s->path || !s->plain || !s->packed)
		goto memory;
	/* SQLite has names of its own: ":memory:", "file:..." */
	snprintf(s->path, n, "%s%s", path[0] == ':' || strncmp(path, "file:", 5) == 0 ? "./" : "", path);
	if (!make_file(s->path, error))
		goto out;
	if (sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK || !set_up(s) ||
	    !run_sql(s, "BEGIN EXCLUSIVE")) {
		if (!s->db)
			goto memory;
		say_unusable(s, error);
		goto out;
	}
	status = look(s, error);
	goto out;
memory:
	snprintf(error, STORE_ERROR_SIZE, "%s: out of memory", path);
out:
	if (status == STORE_UNUSABLE) {
		store_close(s);
		s = NULL;
	}
	*ret = s;
	return status;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	sqlite3_finalize(s->statement);
	sqlite3_close(s->db); /* rolls back */
	free(s->path);
	free(s->plain);
	free(s->packed);
	free(s);
}

bool store_commit(struct store *s, char error[STORE_ERROR_SIZE])
{
	if (run_sql(s, "COMMIT"))
		return true;
	snprintf(error, STORE_ERROR_SIZE, "%s: could not be written (%s): it is as it was before this run", s->path, sqlite3_errmsg(s->db));
	return false;
}

const char *store_path(const struct store *s) { return s->path; }

const char *store_meta(struct store *s, const char *key)
{
	sqlite3_stmt *q = NULL;
	s->meta[0] = '\0';
	if (sqlite3_prepare_v2(s->db, "SELECT value FROM meta WHERE key = ?", -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW) {
		const char *value = (const char *)sqlite3_column_text(q, 0);
		snprintf(s->meta, sizeof s->meta, "%s", value ? value : "");
	}
	sqlite3_finalize(q);
	return s->meta;
}

bool store_set_meta(struct store *s, const char *key, const char *value)
{
	sqlite3_stmt *q = NULL;
	bool good = sqlite3_prepare_v2(s->db, "INSERT OR REPLACE INTO meta VALUES(?, ?)", -1, &q, NULL) == SQLITE_OK &&
		sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC) == SQLITE_OK &&
		sqlite3_bind_text(q, 2, value, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(q) == SQLITE_DONE;
	sqlite3_finalize(q);
	return good;
}

bool store_has(struct store *s, const char *section)
{
	sqlite3_stmt *q = NULL;
	bool there = sqlite3_prepare_v2(s->db, "SELECT 1 FROM part WHERE section = ?", -1, &q, NULL) == SQLITE_OK &&
		sqlite3_bind_text(q, 1, section, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW;
	sqlite3_finalize(q);
	return there;
}

/* -- sections -- */

static bool begin(struct store *s, const char *section, const char *sql)
{
	sqlite3_finalize(s->statement);
	s->statement = NULL;
	snprintf(s->section, sizeof s->section, "%s", section);
	s->at = s->n = 0;
	s->number = 0;
	return sqlite3_prepare_v2(s->db, sql, -1, &s->statement, NULL) == SQLITE_OK &&
		sqlite3_bind_text(s->statement, 1, s->section, -1, SQLITE_STATIC) == SQLITE_OK;
}

static void say_sqlite(struct store *s, struct persist *p)
{
	char why[sizeof p->error];
	snprintf(why, sizeof why, "%s", sqlite3_errmsg(s->db));
	persist_fail(p, why);
}

static int64_t checksum(const struct store *s, size_t n)
{
	return (int64_t)hash64(s->packed, n, hash_str(str_of(s->section), (uint64_t)s->number));
}

void store_read(struct store *s, const char *section, struct persist *p)
{
	p->loading = true;
	p->move = move_in;
	p->arg = s;
	if (!begin(s, section, "SELECT number, size, checksum, data FROM part WHERE section = ? ORDER BY number"))
		say_sqlite(s, p);
}

/* The next part, whole.  False: there is none, or it is damaged. */
static bool read_part(struct store *s)
{
	if (!s->statement || sqlite3_step(s->statement) != SQLITE_ROW)
		return false;
	int64_t number = sqlite3_column_int64(s->statement, 0), size = sqlite3_column_int64(s->statement, 1);
	int64_t sum = sqlite3_column_int64(s->statement, 2);
	const void *data = sqlite3_column_blob(s->statement, 3);
	size_t n = (size_t)sqlite3_column_bytes(s->statement, 3);
	if (number != s->number || size <= 0 || size > (int64_t)STORE_PART_BYTES || !data || n > ZSTD_compressBound(STORE_PART_BYTES))
		return false;
	memcpy(s->packed, data, n);
	if (checksum(s, n) != sum || ZSTD_decompress(s->plain, STORE_PART_BYTES, s->packed, n) != (size_t)size)
		return false;
	s->number++;
	s->n = (size_t)size;
	s->at = 0;
	return true;
}

static bool move_in(void *arg, void *bytes, size_t n)
{
	struct store *s = arg;
	uint8_t *to = bytes;
	while (n) {
		if (s->at == s->n && !read_part(s))
			return false;
		size_t step = s->n - s->at < n ? s->n - s->at : n;
		memcpy(to, s->plain + s->at, step);
		s->at += step;
		to += step;
		n -= step;
	}
	return true;
}

void store_write(struct store *s, const char *section, struct persist *p)
{
	p->loading = false;
	p->move = move_out;
	p->arg = s;
	if (!begin(s, section, "DELETE FROM part WHERE section = ?") || sqlite3_step(s->statement) != SQLITE_DONE ||
	    !begin(s, section, "INSERT INTO part VALUES(?, ?, ?, ?, ?)"))
		say_sqlite(s, p);
}

static bool write_part(struct store *s)
{
	size_t n = ZSTD_compress(s->packed, ZSTD_compressBound(STORE_PART_BYTES), s->plain, s->at, LEVEL);
	bool good = !ZSTD_isError(n) && s->statement && sqlite3_reset(s->statement) == SQLITE_OK &&
		sqlite3_bind_int64(s->statement, 2, s->number) == SQLITE_OK &&
		sqlite3_bind_int64(s->statement, 3, (int64_t)s->at) == SQLITE_OK &&
		sqlite3_bind_int64(s->statement, 4, checksum(s, n)) == SQLITE_OK &&
		sqlite3_bind_blob(s->statement, 5, s->packed, (int)n, SQLITE_STATIC) == SQLITE_OK &&
		sqlite3_step(s->statement) == SQLITE_DONE;
	s->number++;
	s->at = 0;
	return good;
}

static bool move_out(void *arg, void *bytes, size_t n)
{
	struct store *s = arg;
	const uint8_t *from = bytes;
	while (n) {
		if (s->at == STORE_PART_BYTES && !write_part(s))
			return false;
		size_t step = STORE_PART_BYTES - s->at < n ? STORE_PART_BYTES - s->at : n;
		memcpy(s->plain + s->at, from, step);
		s->at += step;
		from += step;
		n -= step;
	}
	return true;
}

void store_end(struct store *s, struct persist *p)
{
	if (!p->loading && !persist_failed(p) && s->at && !write_part(s))
		say_sqlite(s, p);
	if (p->loading && !persist_failed(p) && (s->at != s->n || read_part(s)))
		persist_fail(p, "it holds more than it should");
	sqlite3_finalize(s->statement);
	s->statement = NULL;
}
