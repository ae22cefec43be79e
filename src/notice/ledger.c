/* SPDX-License-Identifier: Apache-2.0 */
/* ledger: see ledger.h. */
#include "notice/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/schema.h"
#include "base/timefmt.h"
#include "notice/sign.h"

static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";

static bool check_chain(struct ledger *l, const char *path, const char *notice, struct buf *error)
{
	FILE *f = fdopen(dup(l->fd), "r");
	char *line = NULL;
	size_t capacity = 0;
	ssize_t n;
	bool good = f != NULL;

	if (!f)
		buf_printf(error, "%s: %s", path, strerror(errno));
	memcpy(l->last, zeros, sizeof(l->last));
	while (good && (n = getline(&line, &capacity, f)) >= 0) {
		struct str s = { line, (size_t)n };
		char wanted[96];
		l->lines++;
		if (s.n == 0 || s.p[s.n - 1] != '\n') {
			buf_printf(error, "%s: line %" PRIu64 " is cut short", path, l->lines);
			good = false;
			break;
		}
		s.n--;
		snprintf(wanted, sizeof(wanted), ",\"previous\":\"%s\"}", l->last);
		good = str_ends_nocase(s, str_of(wanted));
		if (!good)
			buf_printf(error,
				   "%s: line %" PRIu64 " does not follow the line before it: the ledger was changed",
				   path, l->lines);
		if (notice && str_find(s, STR("\"event\":\"issued\"")) >= 0 && str_find(s, str_of(notice)) >= 0)
			l->has_notice = true;
		good = good && sha256_text(s, l->last);
	}
	free(line);
	if (f)
		fclose(f);
	return good;
}

bool ledger_open(struct ledger *l, const char *path, const char *notice, struct buf *error)
{
	*l = (struct ledger) { .fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600) };
	if (l->fd < 0) {
		buf_printf(error, "cannot open '%s': %s", path, strerror(errno));
		return false;
	}
	if (flock(l->fd, LOCK_EX | LOCK_NB) < 0) {
		buf_printf(error, "%s is in use by another process", path);
		ledger_close(l);
		return false;
	}
	if (!check_chain(l, path, notice, error)) {
		ledger_close(l);
		return false;
	}
	return true;
}

bool ledger_add(struct ledger *l, const char *event, int64_t time_us, const char *notice, struct str to,
		struct str file, struct str note, struct buf *error)
{
	struct buf b;
	char text[TIME_TEXT_SIZE];
	bool good;

	buf_init(&b, MIB);
	buf_printf(&b, "{\"line\":%" PRIu64 ",\"event\":\"%s\",\"time\":\"%s\",\"notice\":\"%s\",\"to\":", l->lines + 1,
		   event, time_format(time_us, text), notice);
	buf_add_json(&b, to);
	buf_add_cstr(&b, ",\"file\":");
	buf_add_json(&b, file);
	buf_add_cstr(&b, ",\"note\":");
	buf_add_json(&b, note);
	buf_printf(&b, SCHEMA_MEMBER ",\"previous\":\"%s\"}", l->last);
	good = !buf_failed(&b) && sha256_text(buf_str(&b), l->last);
	buf_add_char(&b, '\n');
	good = good && write(l->fd, b.p, b.n) == (ssize_t)b.n && fsync(l->fd) == 0;
	if (!good)
		buf_printf(error, "cannot write the ledger: %s", strerror(errno));
	l->lines++;
	buf_release(&b);
	return good;
}

void ledger_close(struct ledger *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
