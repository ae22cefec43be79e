/* SPDX-License-Identifier: Apache-2.0 */
/* store: the file that holds what was learnt: a SQLite database of sections, each a compressed stream (persist.h).
 *
 * One run locks it from opening to closing: a second one is turned away.  All of a run's writing is one transaction,
 * which store_commit() ends; killed before that, the file is as it was: SQLite rolls back when it is next opened.
 * The file is made for its owner alone (0600): it shows who reads whose mail.
 *
 *   meta(key, value)                         "tool", "made", "settings" ...
 *   part(section, number, size, checksum, data)  pieces of 1 MiB, zstd
 */
#ifndef TXM_PERSIST_STORE_H
#define TXM_PERSIST_STORE_H

#include "persist/persist.h"

#define STORE_FORMAT 1 /* one more whenever something is saved in another way */
#define STORE_ERROR_SIZE 512

enum store_status {
	STORE_OK,
	STORE_NEW,      /* opened, and nothing is in it yet */
	STORE_UNUSABLE, /* not ours, newer, damaged, in use: error holds one line, the file is untouched */
};

struct store;
/* Opens or makes the file and locks it.  STORE_UNUSABLE: *ret is NULL. */
enum store_status store_open(const char *path, struct store **ret, char error[STORE_ERROR_SIZE]);
void store_close(struct store *s); /* what was not committed is forgotten; NULL allowed */
/* Ends the run's writing.  False: error. */
bool store_commit(struct store *s, char error[STORE_ERROR_SIZE]);
const char *store_path(const struct store *s);

/* "" if it is not there; good until the next call */
const char *store_meta(struct store *s, const char *key);
bool store_set_meta(struct store *s, const char *key, const char *value);

/* A section as a stream for p: set up, used, ended; one at a time.  Writing replaces the section. */
void store_read(struct store *s, const char *section, struct persist *p);
void store_write(struct store *s, const char *section, struct persist *p);
/* Ends it.  Reading: bytes left unread are an error too.  What went wrong is in p->error. */
void store_end(struct store *s, struct persist *p);
bool store_has(struct store *s, const char *section);

#endif
