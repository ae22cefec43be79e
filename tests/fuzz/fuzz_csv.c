/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_csv: any bytes as the rows below a header that Taximeter knows.  What fuzz_decode would need luck to find, a header
 * that survives mutation, is given here: the first byte chooses it.  Cutting must not depend on where the input is broken
 * into pieces; a row is a record, a reject, or blank.
 *
 * Seeds: CSV inputs of the cases (tools/make-seeds). */
#include <stdlib.h>

#include "base/hash.h"
#include "decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const headers[] = {
	"RecordType,CreationDate,UserIds,Operations,AuditData,ResultIndex,ResultCount,Identity,IsValid,ObjectState\n",
	"\"RecordId\",\"CreationDate\",\"RecordType\",\"Operation\",\"UserId\",\"AuditData\"\r\n",
	"TimeGenerated [UTC],RecordType,Operation,OfficeWorkload,UserId,MailboxGuid,Folders,OperationProperties,OfficeId,Client_IPAddress\n",
	"CreatedDateTime [UTC];UserPrincipalName;AppId;ResultType;Id;IPAddress;Status\n",
	"_time\t_raw\thost\n",
	"",
};

struct seen {
	uint64_t sum, records;
};

static void take(void *arg, const struct rec *r)
{
	struct seen *s = arg;
	s->sum = hash_mix(s->sum, hash64(r, sizeof *r + r->tail_bytes, 0));
	s->records++;
}

static void feed(const char *header, const uint8_t *data, size_t size, size_t piece, struct seen *ret)
{
	struct seen s = { 0 };
	struct decoder *d = decoder_new(take, &s);
	static struct frame *f; /* kept: its megabytes would be most of the work */
	static struct block b;
	struct decoder_counts counts = { 0 };
	size_t at = 0, head = strlen(header), total = head + size, room;

	f = f ? f : frame_new();
	if (!d || !f)
		abort();
	frame_begin(f, 0);
	while (at < total) {
		char *p = frame_room(f, &room);
		size_t n = total - at < piece ? total - at : piece;
		if (!p)
			abort();
		n = n < room ? n : room;
		for (size_t i = 0; i < n; i++)
			p[i] = at + i < head ? header[at + i] : (char)data[at + i - head];
		frame_fill(f, n);
		at += n;
		while (frame_take(f, at == total, &b))
			decoder_run(d, &b, &counts);
	}
	while (frame_take(f, true, &b))
		decoder_run(d, &b, &counts);
	if (counts.records != s.records || frame_failed(f) || decoder_failed(d))
		abort();
	for (int r = 0; r < REJECT_COUNT; r++)
		s.sum = hash_mix(s.sum, counts.rejects[r]);
	decoder_free(d);
	*ret = s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole, pieces;
	const char *header = headers[size ? data[0] % (sizeof headers / sizeof headers[0]) : 0];

	feed(header, data, size, 1 << 20, &whole);
	if (size < 20000) {
		feed(header, data, size, 31, &pieces);
		if (whole.records != pieces.records || whole.sum != pieces.sum)
			abort();
	}
	return 0;
}
