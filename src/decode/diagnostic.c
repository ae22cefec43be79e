/* SPDX-License-Identifier: Apache-2.0 */
/* diagnostic: the form of Azure diagnostic settings and of Defender's streaming API: {"time", "category", "properties"}.
 * The category names the kind of the properties. */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return field_has(f, F_category) && field_has(f, F_properties) && field_is_nested(f, F_properties)
		&& (field_has(f, F_time) || field_has(f, F_operationName));
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	struct str category, s, time = STR_NONE;
	struct json_index x;
	uint32_t v;
	if (!get_text(d, f, F_category, &category))
		return NOT_MINE;
	if (d->level + 1 > UNWRAP_DEPTH_MAX)
		return decode_reject(d, REJECT_TOO_DEEP);
	get_text(d, f, F_time, &time);
	if (!get_nested(d, f, F_properties, &x, &v) || walk_char(&x, v) != '{')
		return NOT_MINE;
	d->outer.time = time;
	if (get_text(d, f, F_TenantId, &s))
		d->outer.tenant = s;
	if (get_text(d, f, F_callerIpAddress, &s))
		d->outer.ip = s;
	if (get_text(d, f, F_operationName, &s))
		d->outer.operation = s;
	d->outer.signin = str_eq_nocase(category, STR("SignInLogs")) ? SIGNIN_INTERACTIVE
		: str_eq_nocase(category, STR("NonInteractiveUserSignInLogs")) ? SIGNIN_NONINTERACTIVE
		: str_eq_nocase(category, STR("ServicePrincipalSignInLogs")) ? SIGNIN_SERVICE_PRINCIPAL
		: str_eq_nocase(category, STR("ManagedIdentitySignInLogs")) ? SIGNIN_MANAGED_IDENTITY : SIGNIN_NONE;
	enum verdict verdict;
	decode_deeper(d);
	if (str_eq_nocase(category, STR("MicrosoftGraphActivityLogs"))) {
		uint32_t next = fields_read(d->fields[d->level], &d->order[d->level], &x, v);
		verdict = next < WALK_DEEP ? decode_graph_activity(d, d->fields[d->level])
			: decode_reject(d, next == WALK_DEEP ? REJECT_TOO_DEEP : REJECT_BAD_JSON);
	} else {
		uint32_t next = decode_value(d, &x, v);
		verdict = next < WALK_DEEP ? TAKEN : decode_reject(d, next == WALK_DEEP ? REJECT_TOO_DEEP : REJECT_BAD_JSON);
	}
	d->level--;
	memset(&d->outer, 0, sizeof d->outer);
	return verdict;
}

const struct format format_diagnostic = {
	.name = "diagnostic",
	.doc = "Azure diagnostic settings and Defender streaming: {\"time\", \"category\", \"properties\"}",
	.match = match,
	.decode = decode,
};
