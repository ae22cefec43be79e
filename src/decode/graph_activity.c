/* SPDX-License-Identifier: Apache-2.0 */
/* graph_activity: a row of MicrosoftGraphActivityLogs (and of its older sister for Azure AD Graph): Sentinel's table as CSV or JSON, or the
 * properties of the diagnostic form.  It shows which token requested what of Graph, from where. */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return field_has(f, F_requestUri) && (field_has(f, F_TimeGenerated) || field_has(f, F_signInActivityId)) && !field_has(f, F_Operation);
}

enum verdict decode_graph_activity(struct decoder *d, struct fields *f)
{
	rec_begin(&d->b);
	struct rec *r = &d->b.r;
	struct str s;
	int64_t us;
	r->class_ = CLASS_GRAPH;
	r->record_type = 0xffff;
	if (field_has(f, F_TimeGenerated)) {
		if (!get_time(d, f, F_TimeGenerated, &us) || !put_time(d, us))
			return decode_reject(d, REJECT_BAD_TIME);
	} else if (!text_time(d, NULL, F_time, str_trim(d->outer.time), &us) || !put_time(d, us)) {
		return decode_reject(d, d->outer.time.n ? REJECT_BAD_TIME : REJECT_NO_TIME);
	}
	put_op(d, STR("Microsoft Graph Activity"));
	if (get_text(d, f, F_AADTenantId, &s))
		put_tenant(d, s);
	else if (d->outer.tenant.n)
		put_tenant(d, d->outer.tenant);
	if (get_text(d, f, F_ipAddress, &s) || get_text(d, f, F_callerIpAddress, &s))
		put_ip(d, s);
	if (get_text(d, f, F_signInActivityId, &s))
		put_token(d, s);
	if (get_text(d, f, F_AppId, &s))
		decode_client(d, s, s, STR_NONE, STR_NONE, STR_NONE);
	if (get_text(d, f, F_UserId, &s))
		put_actor(d, s);
	put_made_id(d);
	return decode_emit(d);
}

const struct format format_graph_activity = {
	.name = "graph_activity",
	.doc = "Graph activity row (MicrosoftGraphActivityLogs: Sentinel, diagnostic settings)",
	.match = match,
	.decode = decode_graph_activity,
};
