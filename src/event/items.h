/* SPDX-License-Identifier: Apache-2.0 */
/* items: the messages that a mail record lists, as they travel in its tail.
 *
 * A scan sums them and drops them; an impact report is made of them.  So a decoder keeps them only on request
 * (decoder_keep_items), as details of the record: a folder, then the messages in it, and so on.  They go through the
 * sorter with their record; the sorter spills to disk and drops copies, so nothing else has to.  A tail holds some 600
 * messages; records seen in the field list up to about a hundred.  What does not fit is not cut in half: it is left out
 * and flagged (REC_ITEMS_CUT), and the record's own count still shows how many there were. */
#ifndef TXM_EVENT_ITEMS_H
#define TXM_EVENT_ITEMS_H

#include "event/rec.h"

#define ITEM_BYTES_UNKNOWN UINT64_MAX

enum item_id { /* what names the message; the first that is there */
	ITEM_NO_ID,        /* listed without any */
	ITEM_INTERNET_ID,  /* InternetMessageId: the same in every mailbox that has the message */
	ITEM_IMMUTABLE_ID, /* stays when the message moves */
	ITEM_STORE_ID,     /* changes when the message moves */
};

struct item {
	struct str folder;  /* path, or a Sync's folder name; "" = not given */
	bool is_folder;     /* a folder by itself (a Sync): no message */
	enum item_id kind;
	struct str id;
	uint64_t bytes;     /* ITEM_BYTES_UNKNOWN */
};

void items_add_folder(struct rec_builder *b, struct str path);
void items_add_message(struct rec_builder *b, enum item_id kind, struct str id, uint64_t bytes);

/* Walk: for (it = items_of(r); item_next(&it, &item); ).  Texts are in the record.  Each folder is reported once as
 * is_folder, then its messages. */
struct item_iter {
	struct detail_iter details;
	struct str folder;
};
struct item_iter items_of(const struct rec *r);
bool item_next(struct item_iter *it, struct item *ret);

#endif
