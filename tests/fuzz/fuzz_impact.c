/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_impact: the user's files besides the export, with untrusted content: a CSV with subjects, a findings
 * file, an impact report to be made into letters, a ledger; and the tail of a record.  The first byte chooses.
 *
 * Held: a CSV gives the same rows when it is read again; a letter holds no control byte but line ends; a ledger that is
 * accepted once is accepted again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"
#include "event/items.h"
#include "impact/select.h"
#include "impact/sheet.h"
#include "notice/ledger.h"
#include "notice/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static int fd = -1;

static void put_file(const uint8_t *data, size_t size)
{
	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
}

static uint64_t read_sheet(void)
{
	static const char *const names[] = { "messageid|internetmessageid", "subject|title", "sender" };
	struct str cells[SHEET_COLUMNS];
	struct buf error;
	uint64_t sum = 0;

	buf_init(&error, 64 * KIB);
	struct sheet *s = sheet_open(path, names, 3, &error);
	while (s && sheet_next(s, cells))
		for (unsigned i = 0; i < 3; i++)
			sum = hash_mix(sum, hash_str(cells[i], i));
	if (s)
		sum = hash_mix(sum, sheet_bad_rows(s));
	else if (!error.n)
		abort();
	sheet_close(s);
	buf_release(&error);
	return sum;
}

static void read_alerts(void)
{
	static const char *const ids[] = { "txm-00000000000000aa", "a" };
	struct selection s;
	struct buf error;

	selection_init(&s);
	buf_init(&error, 64 * KIB);
	if (selection_add_alerts(&s, path, ids, 2, &error) == (error.n > 0))
		abort();
	struct rec r = { .time_us = 1767693600000000, .ip_kind = ADDR_V4 };
	struct names n;
	names_init(&n);
	(void)selection_match(&s, &r, &n, NULL);
	names_release(&n);
	selection_release(&s);
	buf_release(&error);
}

static void read_letters(void)
{
	const struct letter_head h = {
		.from = "me", .file = "f", .signature_file = "s", .key_file = "k", .fingerprint = "00", .verify = "v"
	};
	struct letters l;
	struct buf b;

	buf_init(&b, 64 * MIB);
	if (letters_read(&l, path) == (l.error.n > 0))
		abort();
	for (size_t i = 0; i < l.n && i < 4 && !l.error.n; i++) {
		letter_mailbox(&b, &l, &l.v[i], &h);
		letter_organisation(&b, &l, letter_domain(&l.v[i]), &h);
	}
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)b.p[i] < 0x20 && b.p[i] != '\n')
			abort();
	buf_release(&b);
	letters_release(&l);
}

static bool read_ledger(void)
{
	struct ledger l;
	struct buf error;

	buf_init(&error, 64 * KIB);
	const bool good = ledger_open(&l, path, NULL, &error);
	if (good == (error.n > 0))
		abort();
	ledger_close(&l);
	buf_release(&error);
	return good;
}

static void read_tail(const uint8_t *data, size_t size)
{
	size = size > DETAIL_BYTES_MAX ? DETAIL_BYTES_MAX : size & ~(size_t)7;
	struct rec *r = calloc(1, sizeof(*r) + size);
	struct item item;
	size_t n = 0;

	if (!r)
		abort();
	memcpy(r + 1, data, size);
	r->tail_bytes = (uint16_t)size;
	for (struct item_iter it = items_of(r); item_next(&it, &item) && n < 100000; n++)
		if (item.id.n > size || item.folder.n > size)
			abort();
	free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct selection s;

	if (size == 0)
		return 0;
	put_file(data + 1, size - 1);
	switch (data[0] % 6) {
	case 0:
		if (read_sheet() != read_sheet())
			abort();
		break;
	case 1:
		read_alerts();
		break;
	case 2:
		read_letters();
		break;
	case 3:
		if (read_ledger() && !read_ledger())
			abort();
		break;
	case 4:
		read_tail(data + 1, size - 1);
		break;
	default:
		selection_init(&s);
		if (selection_add_network(&s, (struct str) { (const char *)data + 1, size - 1 }) && s.net_count != 1)
			abort();
		selection_release(&s);
	}
	return 0;
}
