/* SPDX-License-Identifier: Apache-2.0 */
/* audit: the bare record of the unified audit log, in any wrapping: the hot path of the whole program. */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return field_has(f, F_Operation) && (field_has(f, F_CreationTime) || field_has(f, F_RecordType))
		&& !field_has(f, F_OfficeWorkload);
}

static uint8_t logon_of(struct str s)
{
	static const struct str words[] = {
		{ "Owner", 5 }, { "Admin", 5 }, { "Delegated", 9 }, { "Transport", 9 }, { "SystemService", 13 }, { "BestAccess", 10 },
		{ "DelegatedAdmin", 14 },
	};
	int64_t v;
	if (parse_int(s, &v))
		return v >= 0 && v <= 6 ? (uint8_t)(v + 1) : LOGON_NONE;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (str_eq_nocase(s, words[i]))
			return (uint8_t)(i + 1);
	return str_eq_nocase(s, STR("Delegate")) ? LOGON_DELEGATE : LOGON_NONE;
}

static uint8_t user_type_of(struct str s)
{
	static const struct str words[] = {
		{ "Regular", 7 }, { "Reserved", 8 }, { "Admin", 5 }, { "DcAdmin", 7 }, { "System", 6 }, { "Application", 11 },
		{ "ServicePrincipal", 16 }, { "CustomPolicy", 12 }, { "SystemPolicy", 12 }, { "PartnerTechnician", 17 }, { "Guest", 5 },
	};
	int64_t v;
	if (parse_int(s, &v))
		return v >= 0 && v <= 254 ? (uint8_t)(v + 1) : 0;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (str_eq_nocase(s, words[i]))
			return (uint8_t)(i + 1);
	return 0;
}

static uint16_t record_type_of(struct str s)
{
	/* CSV columns and re-exports have names instead of numbers; only those that decide the shape of a mail record matter */
	int64_t v;
	if (parse_int(s, &v))
		return v >= 0 && v < 0xffff ? (uint16_t)v : 0xffff;
	return str_eq_nocase(s, STR("ExchangeItemAggregated")) ? 50 : str_eq_nocase(s, STR("ExchangeItem")) ? 2
		: str_eq_nocase(s, STR("ExchangeAdmin")) ? 1 : str_eq_nocase(s, STR("ExchangeItemGroup")) ? 3 : 0xffff;
}

static bool read_context(struct decoder *d, const struct json_index *x, uint32_t v, struct str *ret_app)
{
	bool known = false;
	struct walk_object o = walk_object(x, v);
	for (uint32_t key; (key = walk_next_key(&o)) != WALK_BAD; o.next = walk_skip(x, key + 2)) {
		struct str k = key_text(x, key), s;
		if (k.n == 13 && str_eq_nocase(k, STR("UniqueTokenId"))) {
			known = true;
			if (value_text(d, x, key + 2, &s))
				put_token(d, s);
		} else if (k.n == 12 && str_eq_nocase(k, STR("AADSessionId"))) {
			known = true;
			if (value_text(d, x, key + 2, &s))
				put_session(d, s);
		} else if ((k.n == 12 && str_eq_nocase(k, STR("IssuedAtTime"))) || (k.n == 17 && str_eq_nocase(k, STR("TokenIssuedAtTime")))) {
			struct time_read t;
			known = true;
			if (!value_text(d, x, key + 2, &s) || !time_read(str_trim(s), &t) || t.us < TIME_MIN_US || t.us >= TIME_MAX_US)
				;
			else if (t.order == ORDER_OPEN)
				d->b.r.flags |= REC_SHAPE_UNKNOWN; /* unknown, rather than a month off */
			else
				d->b.r.issued_s = (uint32_t)(t.us / US_PER_SECOND);
		} else if (k.n == 11 && str_eq_nocase(k, STR("ClientAppId"))) {
			known = true;
			value_text(d, x, key + 2, ret_app);
		}
	}
	return known;
}

/* AppAccessContext: an object, or an array of one; often an object that says nothing of ours */
static void put_context(struct decoder *d, const struct fields *f, struct str *ret_app)
{
	static const struct str known[] = {
		{ "UniqueTokenId", 13 }, { "AADSessionId", 12 }, { "IssuedAtTime", 12 }, { "TokenIssuedAtTime", 17 }, { "ClientAppId", 11 },
		{ "APIId", 5 }, { "CorrelationId", 13 }, { "ClientAppName", 13 }, { "UserObjectId", 12 }, { "AuthTime", 8 }, { "TokenType", 9 },
		{ "DeviceId", 8 }, { NULL, 0 },
	};
	struct json_index x;
	uint32_t v;
	if (!field_has(f, F_AppAccessContext))
		return;
	if (!f->is_row && walk_char(&f->d, f->v[F_AppAccessContext]) == '{' && read_context(d, &f->d, f->v[F_AppAccessContext], ret_app))
		return;
	if (get_object(d, f, F_AppAccessContext, known, &x, &v))
		read_context(d, &x, v, ret_app);
}

static void put_token_tenant(struct decoder *d, const struct fields *f, struct str tenant)
{
	static const uint8_t consumer[16] = { 0x91, 0x88, 0x04, 0x0d, 0x6c, 0x67, 0x4c, 0x5b, 0xb1, 0x12, 0x36, 0xa3, 0x04, 0xb6, 0x6d, 0xad };
	uint8_t of_token[16], of_record[16];
	struct str s;
	if (!get_text(d, f, F_TokenTenantId, &s) || !guid_parse(str_trim(s), of_token) || guid_is_zero(of_token))
		return;
	if (!guid_parse(str_trim(tenant), of_record) || guid_is_zero(of_record) || memcmp(of_token, of_record, 16) == 0)
		return;
	d->b.r.flags |= REC_TOKEN_TENANT_FOREIGN;
	if (memcmp(of_token, consumer, 16) == 0)
		d->b.r.flags |= REC_TOKEN_TENANT_CONSUMER;
	rec_add_detail(&d->b, STR("TokenTenantId"), str_trim(s));
}

static void put_sign_in(struct decoder *d, const struct fields *f)
{
	struct rec *r = &d->b.r;
	struct str s;
	int64_t error = -1;
	r->signin_kind = SIGNIN_AUDIT;
	if (get_int(d, f, F_ErrorNumber, &error) && error >= 0 && error <= UINT32_MAX)
		r->result = (uint32_t)error;
	if (r->op == OP_USER_LOGIN_FAILED && r->result == 0)
		r->result = 1; /* ResultStatus says "Success" on failed ones too: the operation decides */
	if (r->op == OP_USER_LOGGED_IN && r->result == 0)
		r->flags |= REC_SUCCESS;
	if (field_has(f, F_DeviceProperties)) {
		const struct str name = STR("SessionId");
		bag_get(d, f, F_DeviceProperties, &name, &s, 1);
		put_session(d, s);
	}
	/* the id of the sign-in is the token id's GUID */
	if (get_text(d, f, F_IntraSystemId, &s) && guid_parse(str_trim(s), r->token) && !guid_is_zero(r->token))
		r->flags |= REC_HAS_TOKEN;
	if (get_text(d, f, F_ApplicationId, &s))
		decode_client(d, s, s, STR_NONE, STR_NONE, STR_NONE);
	if (get_text(d, f, F_ObjectId, &s))
		rec_add_detail(&d->b, STR("ObjectId"), s);
}

enum verdict decode_audit(struct decoder *d, struct fields *f)
{
	struct rec *r = &d->b.r;
	struct str s, tenant = STR_NONE, upn = STR_NONE, guid = STR_NONE;
	int64_t us;

	rec_begin(&d->b);
	r->class_ = CLASS_AUDIT;
	enum field when = field_has(f, F_CreationTime) ? F_CreationTime : field_has(f, F_TimeGenerated) ? F_TimeGenerated
		: field_has(f, F_Start_Time) ? F_Start_Time : F_ElevationTime;
	if (!field_has(f, when) || ((when == F_Start_Time || when == F_ElevationTime) && !(d->flags & REC_TIME_ARRIVAL)))
		return decode_reject(d, REJECT_NO_TIME);
	if (!get_time(d, f, when, &us) || !put_time(d, us))
		return decode_reject(d, REJECT_BAD_TIME);
	if (!get_text(d, f, F_Operation, &s))
		return decode_reject(d, REJECT_NOT_AUDIT);
	put_op(d, s);
	unsigned kinds = decode_op_kinds(r->op);

	r->record_type = get_text(d, f, F_RecordType, &s) ? record_type_of(s) : 0xffff;
	if (get_text(d, f, F_UserId, &s))
		put_actor(d, s);
	if (get_text(d, f, F_OrganizationId, &tenant))
		put_tenant(d, tenant);
	if (get_text(d, f, F_UserType, &s))
		r->user_type = user_type_of(s);
	/* address: the first present of four members */
	if (get_text(d, f, F_ClientIPAddress, &s))
		put_ip(d, s);
	if (r->ip_kind == ADDR_NONE && get_text(d, f, F_ClientIP, &s))
		put_ip(d, s);
	if (r->ip_kind == ADDR_NONE && get_text(d, f, F_ActorIpAddress, &s))
		put_ip(d, s);
	if (r->ip_kind == ADDR_NONE && get_text(d, f, F_ActorIP, &s))
		put_ip(d, s);
	if (get_text(d, f, F_SessionId, &s))
		put_session(d, s);
	struct str context_app = STR_NONE;
	put_context(d, f, &context_app);
	if (get_text(d, f, F_DeviceId, &s))
		put_device(d, s);

	if (kinds & (KIND_MAIL | KIND_MAILBOX)) {
		bool external;
		get_text(d, f, F_MailboxGuid, &guid);
		get_text(d, f, F_MailboxOwnerUPN, &upn);
		if (guid.n || upn.n)
			put_mailbox(d, guid, upn);
		if (get_text(d, f, F_LogonType, &s))
			r->logon = logon_of(s);
		if (get_bool(d, f, F_ExternalAccess, &external) && external)
			r->flags |= REC_EXTERNAL;
		put_token_tenant(d, f, tenant);
	}
	/* a mail record that was cut before its lists may have lost part of the caller, which would look like a new caller */
	bool cut_early = d->flags & REC_CUT && kinds & KIND_MAIL && !field_has(f, F_Folders) && !field_has(f, F_Messages) && !field_has(f, F_Item);
	if (!(kinds & KIND_SIGNIN) && !cut_early) {
		struct str app = STR_NONE, client = STR_NONE, info = STR_NONE, process = STR_NONE;
		get_text(d, f, F_AppId, &app);
		get_text(d, f, F_ClientAppId, &client);
		if (!get_text(d, f, F_ClientInfoString, &info))
			get_text(d, f, F_ActorInfoString, &info);
		if (info.n == 0)
			get_text(d, f, F_ClientProcessName, &process);
		decode_client(d, app, client, context_app, info, process);
	}
	if (kinds & KIND_MAIL)
		decode_mail(d, f);
	if (kinds & KIND_SIGNIN)
		put_sign_in(d, f);
	if (kinds & KIND_DETAIL)
		decode_details(d, f);
	if (r->op == OP_GATFR_TOKEN_ISSUE && get_text(d, f, F_UniqueTokenIdentifier, &s))
		put_token(d, s);
	if (!(kinds & KIND_SIGNIN) && get_text(d, f, F_ResultStatus, &s) && (str_starts_nocase(s, STR("Succe")) || str_eq_nocase(s, STR("True"))))
		r->flags |= REC_SUCCESS;

	if (!get_text(d, f, F_Id, &s) || !put_id(d, s))
		put_made_id(d);
	return decode_emit(d);
}

const struct format format_audit = {
	.name = "audit",
	.doc = "unified audit log record (Management Activity API, NDJSON, the AuditData of any export)",
	.match = match,
	.decode = decode_audit,
};
