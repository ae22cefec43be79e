/* SPDX-License-Identifier: Apache-2.0 */
/* directory: a row of Entra's own audit log (AuditLogs): consents, credentials, role assignments, in another schema than
 * the unified log's.  Its operation names lack the trailing dot and are otherwise the same. */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return (field_has(f, F_TargetResources) || field_has(f, F_InitiatedBy))
		&& (field_has(f, F_ActivityDisplayName) || field_has(f, F_operationName)) && !field_has(f, F_Operation);
}

static void put_initiator(struct decoder *d, const struct fields *f)
{
	struct json_index x;
	uint32_t v;
	struct str s;
	static const struct str sides[] = { { "user", 4 }, { "app", 3 }, { NULL, 0 } };
	static const struct str known[] = {
		{ "userPrincipalName", 17 }, { "servicePrincipalName", 20 }, { "displayName", 11 }, { "id", 2 }, { "ipAddress", 9 }, { NULL, 0 },
	};
	if (!get_object(d, f, F_InitiatedBy, sides, &x, &v))
		return;
	uint32_t user = object_member(&x, v, STR("user")), app = object_member(&x, v, STR("app"));
	uint32_t who = user != WALK_BAD && walk_char(&x, user) != 'n' ? user : app;
	if (who == WALK_BAD || !get_object_in(d, &x, &who, known))
		return;
	static const struct str names[] = { { "userPrincipalName", 17 }, { "servicePrincipalName", 20 }, { "displayName", 11 }, { "id", 2 } };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		uint32_t m = object_member(&x, who, names[i]);
		if (m != WALK_BAD && value_text(d, &x, m, &s)) {
			put_actor(d, s);
			break;
		}
	}
	uint32_t ip = object_member(&x, who, STR("ipAddress"));
	if (ip != WALK_BAD && value_text(d, &x, ip, &s))
		put_ip(d, s);
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	struct str s;
	int64_t us;
	rec_begin(&d->b);
	struct rec *r = &d->b.r;
	r->class_ = CLASS_DIRECTORY;
	r->record_type = 0xffff;
	if (!get_text(d, f, F_ActivityDisplayName, &s) && !get_text(d, f, F_operationName, &s))
		return decode_reject(d, REJECT_NOT_AUDIT);
	put_op(d, s);
	enum field when = field_has(f, F_ActivityDateTime) ? F_ActivityDateTime : F_TimeGenerated;
	if (field_has(f, when)) {
		if (!get_time(d, f, when, &us) || !put_time(d, us))
			return decode_reject(d, REJECT_BAD_TIME);
	} else if (d->outer.time.n) {
		if (!text_time(d, NULL, F_time, str_trim(d->outer.time), &us) || !put_time(d, us))
			return decode_reject(d, REJECT_BAD_TIME);
	} else {
		r->flags |= REC_NO_TIME;
	}
	put_initiator(d, f);
	if (get_text(d, f, F_AADTenantId, &s))
		put_tenant(d, s);
	else if (d->outer.tenant.n)
		put_tenant(d, d->outer.tenant);
	if (d->outer.ip.n)
		put_ip(d, d->outer.ip);
	if (get_text(d, f, F_result, &s) && str_eq_nocase(s, STR("success")))
		r->flags |= REC_SUCCESS;
	decode_details(d, f);
	if (!get_text(d, f, F_Id, &s) || !put_id(d, s))
		put_made_id(d);
	return decode_emit(d);
}

const struct format format_directory = {
	.name = "directory",
	.doc = "Entra audit log row (AuditLogs: diagnostic settings, Sentinel)",
	.match = match,
	.decode = decode,
};
