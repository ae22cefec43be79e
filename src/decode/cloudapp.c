/* SPDX-License-Identifier: Apache-2.0 */
/* cloudapp: a row of Defender's CloudAppEvents.  RawEventData is the whole audit record; rawData, which some exporters add,
 * is a second copy and is not looked at.  A row without RawEventData still shows who did what and when; of a mail record the mailbox is
 * missing, so that it counts as cut.  Rows of other Defender tables (device events) are counted as what they are. */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return field_has(f, F_ActionType) && !field_has(f, F_AuditData)
		&& (field_has(f, F_RawEventData) || field_has(f, F_ReportId) || field_has(f, F_Timestamp));
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	struct str s;
	int64_t us;
	if (field_has(f, F_RawEventData)) {
		if (!f->is_row && walk_char(&f->d, f->v[F_RawEventData]) == '{')
			return decode_inner(d, &f->d, f->v[F_RawEventData]);
		if (get_text(d, f, F_RawEventData, &s) && memchr(s.p, '{', s.n))
			return decode_record_text(d, s, f);
	}

	rec_begin(&d->b);
	struct rec *r = &d->b.r;
	r->record_type = 0xffff;
	r->class_ = CLASS_OTHER;
	d->rank = 1;
	/* ReportId of an audit row is <n>_<n>_<Id of the record>; in other tables it may be a number that comes again on the
	 * next device, and is an id together with the rest of the row only */
	bool has_id = false;
	if (get_text(d, f, F_ReportId, &s)) {
		if (s.n > 37 && s.p[s.n - 37] == '_' && guid_parse((struct str){ s.p + s.n - 36, 36 }, r->id) && !guid_is_zero(r->id)) {
			r->class_ = CLASS_AUDIT;
			has_id = true;
		} else if (guid_parse(str_trim(s), r->id)) {
			has_id = !guid_is_zero(r->id);
		} else {
			hash128(s.p, s.n, r->id);
		}
	}
	if (!field_has(f, F_Timestamp))
		return decode_reject(d, REJECT_NO_TIME);
	if (!get_time(d, f, F_Timestamp, &us) || !put_time(d, us))
		return decode_reject(d, REJECT_BAD_TIME);
	if (!get_text(d, f, F_ActionType, &s))
		return decode_reject(d, REJECT_NOT_AUDIT);
	put_op(d, s);
	if (get_text(d, f, F_UserId, &s))
		put_actor(d, s);
	if (get_text(d, f, F_ipAddress, &s))
		put_ip(d, s);
	unsigned kinds = decode_op_kinds(r->op);
	if (kinds & KIND_MAIL) {
		r->access = r->op == OP_ATTACHMENT_ACCESS ? ACCESS_ATTACHMENT : ACCESS_UNKNOWN;
		r->items = 1;
		r->flags |= REC_FOLDERS_LOST | REC_ITEMS_LOST | REC_CUT;
	}
	if (kinds & KIND_DIRECTORY && get_text(d, f, F_Permissions, &s))
		rec_add_detail(&d->b, STR("DelegatedPermissionGrant.Scope"), s);
	if (!has_id)
		put_made_id(d);
	return decode_emit(d);
}

const struct format format_cloudapp = {
	.name = "cloudapp",
	.doc = "Defender CloudAppEvents row (advanced hunting, streaming)",
	.match = match,
	.decode = decode,
};
