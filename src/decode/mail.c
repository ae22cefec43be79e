/* SPDX-License-Identifier: Apache-2.0 */
/* mail: what a MailItemsAccessed or AttachmentAccess record says was accessed.
 *
 *   Bind  RecordType 50: Folders[].FolderItems[], OperationCount = number of items
 *   Sync  RecordType  2: Item.ParentFolder = the folder; no list, no count, and none is made up
 *   AttachmentAccess 50: Messages[].MessageItems[], OperationCount
 *
 * The access type is OperationProperties.MailAccessType, looked up by name; where an exporter lost it, the record's shape
 * decides, then its RecordType.  What is listed is summed; decoder_keep_items() keeps the list itself.  Items: OperationCount;
 * else the length of the lists; else 1, marked as lost. */
#include "decode/decode_int.h"
#include "event/items.h"

enum { ITEMS_MAX = 1000000 }; /* one record; a count beyond it is not a count */

struct listing {
	uint32_t folders, items;
	uint64_t bytes, folder;  /* folder: hash of the id if there is one folder */
	bool bytes_known, lost, any;
};

static const struct { struct str key; enum item_id kind; } ids[] = {
	{ { "InternetMessageId", 17 }, ITEM_INTERNET_ID }, { { "ImmutableId", 11 }, ITEM_IMMUTABLE_ID }, { { "Id", 2 }, ITEM_STORE_ID },
};

static void add_message(struct decoder *d, const struct str id[3], uint64_t bytes)
{
	for (size_t i = 0; i < 3; i++) {
		if (id[i].n == 0 || str_eq(id[i], STR("ErrorDuringIdConversion")))
			continue;
		items_add_message(&d->b, ids[i].kind, id[i], bytes);
		return;
	}
	items_add_message(&d->b, ITEM_NO_ID, STR_NONE, bytes);
}

/* the same item for the record's tail: which message, and how large */
static void keep_item(struct decoder *d, const struct json_index *x, uint32_t item)
{
	struct str id[3] = { STR_NONE, STR_NONE, STR_NONE }, s;
	uint64_t bytes = ITEM_BYTES_UNKNOWN;
	struct walk_object o = walk_object(x, item);
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
		struct str k = key_text(x, key);
		int64_t size;
		for (size_t i = 0; i < 3; i++)
			if (str_eq_nocase(k, ids[i].key) && value_text(d, x, key + 2, &s))
				id[i] = str_trim(s);
		if (str_eq_nocase(k, STR("SizeInBytes")) && value_text(d, x, key + 2, &s) && parse_int(s, &size) && size >= 0 && size < INT64_C(1) << 40)
			bytes = (uint64_t)size;
	}
	add_message(d, id, bytes);
}

/* what names an item, and what a folder: not Id, which both have */
static const struct str item_names[] = {
	{ "InternetMessageId", 17 }, { "ImmutableId", 11 }, { "SizeInBytes", 11 }, { "Id", 2 }, { NULL, 0 },
};
static const struct str folder_names[] = { { "Path", 4 }, { "FolderItems", 11 }, { "MessageItems", 12 }, { NULL, 0 } };

/* one item; the number after it */
static uint32_t take_item(struct decoder *d, const struct json_index *x, uint32_t item, void *arg)
{
	struct listing *l = arg;
	bool plain = walk_char(x, item + 1) == '}';
	struct walk_object o = walk_object(x, item);
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
		char c = walk_char(x, key + 2);
		plain |= c != '{' && c != '[';
		/* one look at the first letter spares the others their names */
		if (ascii_lower(x->p[x->at[key] + 1]) != 's' || !str_eq_nocase(key_text(x, key), STR("SizeInBytes")))
			continue;
		struct str s;
		int64_t size;
		if (value_text(d, x, key + 2, &s) && parse_int(s, &size) && size >= 0 && size < INT64_C(1) << 40) {
			l->bytes += (uint64_t)size;
			l->bytes_known = true;
		}
	}
	if (!plain) { /* {"Element": {...}} */
		struct walk_object each = walk_object(x, item);
		for (uint32_t key; (key = walk_next_key(&each)) != WALK_BAD; each.next = walk_skip(x, key + 2))
			l->items += !each_slowly(d, x, key + 2, item_names, take_item, l);
		return o.next;
	}
	l->items++;
	if (d->keeps_items)
		keep_item(d, x, item);
	return o.next;
}

/* "@{Id=...; FolderItems=System.Object[]}", "System.Object[]": made by PowerShell */
static bool is_wreck(const struct json_index *x, uint32_t v)
{
	struct str s = walk_char(x, v) == '"' ? str_trim(walk_raw_string(x, v)) : STR_NONE;
	return str_starts(s, STR("@{")) || str_starts(s, STR("System."));
}

static bool is_empty_text(const struct json_index *x, uint32_t v)
{
	return walk_char(x, v) == '"' && str_trim(walk_raw_string(x, v)).n == 0;
}

/* FolderItems or MessageItems */
static void list_items(struct decoder *d, const struct json_index *x, uint32_t v, struct listing *l)
{
	if (is_wreck(x, v)) {
		l->lost = true;
	} else if (walk_char(x, v) != '[') {
		l->lost |= !each_slowly(d, x, v, item_names, take_item, l);
	} else {
		struct walk_array items = walk_array(x, v);
		for (uint32_t i; (i = walk_next_element(&items)) != WALK_BAD; ) {
			char c = walk_char(x, i);
			if (c == '{') {
				items.next = take_item(d, x, i, l);
				continue;
			}
			items.next = walk_skip(x, i);
			l->items += !each_slowly(d, x, i, item_names, take_item, l); /* one item, of unknown shape */
		}
		l->lost |= items.next >= WALK_DEEP;
	}
}

/* one folder of Folders[] or Messages[], with its items; the number after it */
static uint32_t take_folder(struct decoder *d, const struct json_index *x, uint32_t f, void *arg)
{
	struct listing *l = arg;
	bool known = false;
	/* its name goes before its items, wherever it is in the folder */
	if (d->keeps_items && (object_member(x, f, STR("FolderItems")) < x->n || object_member(x, f, STR("MessageItems")) < x->n)) {
		struct str path;
		uint32_t at = object_member(x, f, STR("Path"));
		items_add_folder(&d->b, at < x->n && value_text(d, x, at, &path) ? path : STR_NONE);
	}
	struct walk_object o = walk_object(x, f);
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
		struct str k = key_text(x, key), id;
		uint32_t value = key + 2;
		if ((k.n == 11 && str_eq_nocase(k, STR("FolderItems"))) || (k.n == 12 && str_eq_nocase(k, STR("MessageItems")))) {
			known = true;
			list_items(d, x, value, l);
		} else if (k.n == 2 && str_eq_nocase(k, STR("Id"))) {
			known = true;
			if (value_text(d, x, value, &id))
				l->folder = hash_str(id, 0); /* unescaped: exporters write "\/" for the slashes of base64, or do not */
		} else {
			known |= k.n == 4 && str_eq_nocase(k, STR("Path"));
		}
	}
	l->any = true;
	known |= walk_char(x, f + 1) == '}';
	l->folders += known;
	if (!known) /* {"Folder": {...}} */
		l->lost |= !each_slowly(d, x, f, folder_names, take_folder, l);
	return o.next;
}

static void list_folders(struct decoder *d, const struct json_index *x, uint32_t v, struct listing *l)
{
	if (walk_char(x, v) != '[') {
		l->lost |= !each_slowly(d, x, v, folder_names, take_folder, l);
		return;
	}
	struct walk_array folders = walk_array(x, v);
	for (uint32_t f; (f = walk_next_element(&folders)) != WALK_BAD; ) {
		if (walk_char(x, f) == '{') {
			folders.next = take_folder(d, x, f, l);
			continue;
		}
		folders.next = walk_skip(x, f);
		l->any |= !is_empty_text(x, f);
		if (is_wreck(x, f)) {
			l->lost = true;
			l->folders++;
		} else if (!each_slowly(d, x, f, folder_names, take_folder, l)) {
			l->lost = true;
		}
	}
	l->lost |= folders.next >= WALK_DEEP;
}

/* Item of a Sync record: the folder that was synchronised */
static bool sync_folder(struct decoder *d, const struct fields *f, uint64_t *ret)
{
	static const struct str item[] = { { "ParentFolder", 12 }, { "Subject", 7 }, { "InternetMessageId", 17 }, { "Id", 2 }, { NULL, 0 } };
	static const struct str folder[] = { { "Id", 2 }, { "Name", 4 }, { "Path", 4 }, { NULL, 0 } };
	struct json_index index, *x = &index;
	uint32_t v;
	if (!get_object(d, f, F_Item, item, x, &v))
		return false;
	uint32_t parent = object_member(x, v, STR("ParentFolder"));
	const bool is_object = parent < x->n && walk_char(x, parent) == '{';
	uint32_t at = parent;
	if (parent >= x->n || !get_object_in(d, x, &at, folder)) {
		if (parent < x->n && walk_char(x, parent) == '"') /* "@{ParentFolder=; ...}" */
			d->b.r.flags |= REC_FOLDERS_LOST;
		return is_object;
	}
	parent = at;
	struct str id = STR_NONE, name = STR_NONE, path = STR_NONE;
	struct walk_object o = walk_object(x, parent);
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
		struct str k = key_text(x, key);
		if (str_eq_nocase(k, STR("Id")))
			value_text(d, x, key + 2, &id);
		else if (str_eq_nocase(k, STR("Name")))
			value_text(d, x, key + 2, &name);
		else if (str_eq_nocase(k, STR("Path")))
			value_text(d, x, key + 2, &path);
	}
	if (d->keeps_items)
		items_add_folder(&d->b, name.n && (path.n == 0 || str_eq_nocase(path, STR("Not Available"))) ? name : path);
	*ret = id.n ? hash_str(id, 0) : name.n ? hash_str(name, 1) : path.n ? hash_str(path, 2) : 0;
	return true;
}

static enum access_type access_of(struct str type)
{
	return str_eq_nocase(type, STR("Bind")) ? ACCESS_BIND : str_eq_nocase(type, STR("Sync")) ? ACCESS_SYNC : ACCESS_UNKNOWN;
}

void decode_mail(struct decoder *d, const struct fields *f)
{
	struct rec *r = &d->b.r;
	struct json_index x;
	uint32_t v;
	struct str s;
	enum access_type type = ACCESS_UNKNOWN;
	bool attachment = r->op == OP_ATTACHMENT_ACCESS;

	d->keeps_items = d->keep_items && d->keep_items(d->keep_items_arg, r, &d->names);
	if (!d->keeps_items && d->keep_items && r->flags & REC_TIME_ORDER) { /* its other reading may be the right one */
		const int64_t us = r->time_us;
		r->time_us = d->when.other_us;
		d->keeps_items = d->keep_items(d->keep_items_arg, r, &d->names);
		r->time_us = us;
	}
	if (field_has(f, F_OperationProperties)) {
		const struct str names[] = { attachment ? STR("AttachmentAccessType") : STR("MailAccessType"), STR("IsThrottled") };
		struct str value[2];
		bool throttled;
		bag_get(d, f, F_OperationProperties, names, value, 2);
		type = access_of(value[0]);
		if (parse_bool(value[1], &throttled) && throttled)
			r->flags |= REC_THROTTLED;
	}

	struct listing l = { 0 };
	enum field list = attachment ? F_Messages : F_Folders;
	if (get_nested(d, f, list, &x, &v))
		list_folders(d, &x, v, &l);
	else if (get_text(d, f, list, &s) && str_trim(s).n)
		l.lost = true; /* text that is no JSON: "System.Object[]" */

	uint64_t synced = 0;
	bool has_parent = type != ACCESS_BIND && !attachment && sync_folder(d, f, &synced);

	if (attachment)
		type = ACCESS_ATTACHMENT;
	else if (type == ACCESS_UNKNOWN)
		type = l.any ? ACCESS_BIND : has_parent ? ACCESS_SYNC : r->record_type == 50 ? ACCESS_BIND
			: r->record_type == 2 ? ACCESS_SYNC : ACCESS_UNKNOWN;
	r->access = (uint8_t)type;

	if (l.lost)
		r->flags |= REC_FOLDERS_LOST;
	if (type == ACCESS_SYNC) {
		r->folder = synced;
		r->folders = 1;
		return;
	}
	/* what was cut short lists some of them, and is not taken for all */
	bool cut = (d->flags | r->flags) & REC_CUT;
	int64_t count;
	if (get_int(d, f, F_OperationCount, &count) && count > 0 && count <= ITEMS_MAX) {
		r->items = (uint32_t)count;
		r->flags |= REC_ITEMS_GIVEN;
	} else if (l.items && !l.lost && !cut) {
		r->items = l.items;
	} else {
		r->items = l.items ? l.items : 1;
		r->flags |= REC_ITEMS_LOST;
	}
	if (l.items)
		r->flags |= REC_ITEMS_LISTED;
	r->folders = l.folders > UINT16_MAX ? UINT16_MAX : (uint16_t)l.folders;
	bool whole = !cut || (l.items && l.items == r->items && !(r->flags & REC_ITEMS_LOST));
	r->folder = l.folders == 1 && whole ? l.folder : 0;
	r->bytes = l.bytes;
	if (l.bytes_known && whole)
		r->flags |= REC_BYTES_KNOWN;
}
