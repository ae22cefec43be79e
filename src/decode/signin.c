/* SPDX-License-Identifier: Apache-2.0 */
/* signin: a row of the Entra sign-in logs: Graph JSON, the properties of the diagnostic form, Sentinel's SigninLogs CSV.
 * What matters: who (userPrincipalName or service principal), which client (appId), from where, whether a token was issued
 * (errorCode 0), its id (uniqueTokenIdentifier, else the row's id, which is the same GUID) and its session. */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return field_has(f, F_AppId) && !field_has(f, F_Operation) && !field_has(f, F_OfficeWorkload)
		&& (field_has(f, F_userPrincipalName) || field_has(f, F_servicePrincipalId) || field_has(f, F_servicePrincipalName)
			|| field_has(f, F_isInteractive))
		&& (field_has(f, F_createdDateTime) || field_has(f, F_status) || field_has(f, F_ResultType) || field_has(f, F_TimeGenerated));
}

/* "status": {"errorCode": 0}, or Sentinel's ResultType "0" */
static uint32_t error_of(struct decoder *d, const struct fields *f, bool *ret_known)
{
	struct json_index x;
	uint32_t v;
	struct str s;
	int64_t code;
	*ret_known = true;
	static const struct str known_names[] = { { "errorCode", 9 }, { "failureReason", 13 }, { "additionalDetails", 17 }, { NULL, 0 } };
	if (field_is_nested(f, F_status) && get_object(d, f, F_status, known_names, &x, &v)) {
		uint32_t m = object_member(&x, v, STR("errorCode"));
		if (m != WALK_BAD && value_text(d, &x, m, &s) && parse_int(s, &code) && code >= 0 && code <= UINT32_MAX)
			return (uint32_t)code;
	}
	if (field_has(f, F_status) && !field_is_nested(f, F_status) && get_text(d, f, F_status, &s) && !field_has(f, F_ResultType)
		&& !str_eq_nocase(s, STR("Success")) && !str_eq_nocase(s, STR("Failure")) && !str_eq_nocase(s, STR("Interrupted")))
		shape_unknown(d);
	if (get_int(d, f, F_ResultType, &code) && code >= 0 && code <= UINT32_MAX)
		return (uint32_t)code;
	*ret_known = get_text(d, f, F_status, &s) && str_eq_nocase(str_trim(s), STR("Success")); /* the portal's CSV */
	return 0;
}

static enum signin_kind kind_of(struct decoder *d, const struct fields *f)
{
	struct str s;
	bool interactive;
	struct json_index x;
	uint32_t v;
	if (d->outer.signin != SIGNIN_NONE)
		return d->outer.signin;
	if (field_has(f, F_signInEventTypes)) { /* a list, or its first */
		bool has = get_nested(d, f, F_signInEventTypes, &x, &v);
		if (has && walk_char(&x, v) == '[') {
			struct walk_array a = walk_array(&x, v);
			uint32_t e = walk_next_element(&a);
			has = e != WALK_BAD && value_text(d, &x, e, &s);
		} else {
			has = !has && get_text(d, f, F_signInEventTypes, &s);
		}
		if (has)
			return str_eq_nocase(s, STR("interactiveUser")) ? SIGNIN_INTERACTIVE
				: str_eq_nocase(s, STR("nonInteractiveUser")) ? SIGNIN_NONINTERACTIVE
				: str_eq_nocase(s, STR("servicePrincipal")) ? SIGNIN_SERVICE_PRINCIPAL
				: str_eq_nocase(s, STR("managedIdentity")) ? SIGNIN_MANAGED_IDENTITY : SIGNIN_INTERACTIVE;
	}
	/* Sentinel's columns: the category of the setting, or the name of the table */
	if (get_text(d, f, F_category, &s) || get_text(d, f, F_Type, &s)) {
		if (str_find_nocase(s, STR("NonInteractive")) >= 0)
			return SIGNIN_NONINTERACTIVE;
		if (str_find_nocase(s, STR("ServicePrincipal")) >= 0)
			return SIGNIN_SERVICE_PRINCIPAL;
		if (str_find_nocase(s, STR("ManagedIdentity")) >= 0)
			return SIGNIN_MANAGED_IDENTITY;
	}
	if (!get_text(d, f, F_userPrincipalName, &s) && get_text(d, f, F_servicePrincipalId, &s))
		return get_text(d, f, F_managedIdentityType, &s) && !str_eq_nocase(s, STR("none")) ? SIGNIN_MANAGED_IDENTITY : SIGNIN_SERVICE_PRINCIPAL;
	if (get_bool(d, f, F_isInteractive, &interactive))
		return interactive ? SIGNIN_INTERACTIVE : SIGNIN_NONINTERACTIVE;
	/* The portal's CSV of interactive and of other sign-ins of users have the same columns.  Taken as interactive, the other category
	 * counts as not given, so that no access is called an orphan on its account; any copy that has more is used instead. */
	d->rank = f->is_row && d->rank > 2 ? 2 : d->rank;
	return SIGNIN_INTERACTIVE;
}

/* "deviceDetail": {"deviceId": ...}, as JSON or as text of it; empty for a device that is not registered */
static void put_device_detail(struct decoder *d, const struct fields *f)
{
	struct json_index x;
	uint32_t v, m;
	struct str s;
	static const struct str known[] = {
		{ "deviceId", 8 }, { "displayName", 11 }, { "operatingSystem", 15 }, { "browser", 7 }, { "isCompliant", 11 }, { "isManaged", 9 },
		{ "trustType", 9 }, { NULL, 0 },
	};
	if (get_text(d, f, F_DeviceId, &s))
		put_device(d, s);
	if (!get_object(d, f, F_deviceDetail, known, &x, &v))
		return;
	m = object_member(&x, v, STR("deviceId"));
	if (m != WALK_BAD && value_text(d, &x, m, &s))
		put_device(d, s);
}

enum verdict decode_signin(struct decoder *d, struct fields *f)
{
	struct str s;
	int64_t us;
	bool known;
	rec_begin(&d->b);
	struct rec *r = &d->b.r;
	r->class_ = CLASS_SIGNIN;
	r->record_type = 0xffff;
	put_op(d, STR("Sign-in activity"));
	enum field when = field_has(f, F_createdDateTime) ? F_createdDateTime : field_has(f, F_TimeGenerated) ? F_TimeGenerated : F_Timestamp;
	if (field_has(f, when)) {
		if (!get_time(d, f, when, &us) || !put_time(d, us))
			return decode_reject(d, REJECT_BAD_TIME);
	} else if (d->outer.time.n) {
		if (!text_time(d, NULL, F_time, str_trim(d->outer.time), &us) || !put_time(d, us))
			return decode_reject(d, REJECT_BAD_TIME);
	} else {
		r->flags |= REC_NO_TIME;
	}
	if (get_text(d, f, F_userPrincipalName, &s) || get_text(d, f, F_servicePrincipalName, &s) || get_text(d, f, F_servicePrincipalId, &s))
		put_actor(d, s);
	if (get_text(d, f, F_resourceTenantId, &s) || get_text(d, f, F_AADTenantId, &s))
		put_tenant(d, s);
	else if (d->outer.tenant.n)
		put_tenant(d, d->outer.tenant);
	if (get_text(d, f, F_ipAddress, &s))
		put_ip(d, s);
	else if (d->outer.ip.n)
		put_ip(d, d->outer.ip);
	if (get_text(d, f, F_AppId, &s))
		decode_client(d, s, s, STR_NONE, STR_NONE, STR_NONE);
	if (get_text(d, f, F_SessionId, &s))
		put_session(d, s);
	put_device_detail(d, f);
	if (get_text(d, f, F_UniqueTokenIdentifier, &s) || get_text(d, f, F_Id, &s))
		put_token(d, s);
	r->result = error_of(d, f, &known);
	r->signin_kind = (uint8_t)kind_of(d, f);
	if (known && r->result == 0)
		r->flags |= REC_SUCCESS;
	if (!get_text(d, f, F_Id, &s) || !put_id(d, s))
		put_made_id(d);
	return decode_emit(d);
}

const struct format format_signin = {
	.name = "signin",
	.doc = "Entra sign-in (Graph JSON, diagnostic settings, Sentinel SigninLogs and its siblings, CSV of the portal)",
	.match = match,
	.decode = decode_signin,
};
