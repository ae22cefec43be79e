/* SPDX-License-Identifier: Apache-2.0 */
/* hunting_signin: sign-ins from Defender's advanced hunting: EntraIdSignInEvents and EntraIdSpnSignInEvents, called AADSignInEventsBeta and
 * AADSpnSignInEventsBeta before.  The members are given the names of the sign-in log again and decoded as such. */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return field_has(f, F_ApplicationId) && field_has(f, F_Timestamp) && field_has(f, F_ErrorCode) && !field_has(f, F_ActionType)
		&& !field_has(f, F_Operation);
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	static const struct { enum field to, from; } renamed[] = {
#define RENAMED(to, from) { F_##to, F_##from },
		RENAMED(AppId, ApplicationId)
		RENAMED(Id, RequestId)
		RENAMED(Id, ReportId)
		RENAMED(userPrincipalName, AccountUpn)
		RENAMED(userPrincipalName, AccountObjectId)
		RENAMED(ResultType, ErrorCode)
		RENAMED(UniqueTokenIdentifier, UniqueTokenId)
		RENAMED(signInEventTypes, LogonType)
		RENAMED(DeviceId, EntraIdDeviceId)
		RENAMED(DeviceId, AadDeviceId)
#undef RENAMED
	};
	bool managed;
	for (size_t i = 0; i < sizeof renamed / sizeof renamed[0]; i++)
		field_rename(f, renamed[i].to, renamed[i].from);
	enum signin_kind outer = d->outer.signin;
	if (get_bool(d, f, F_IsManagedIdentity, &managed))
		d->outer.signin = managed ? SIGNIN_MANAGED_IDENTITY : SIGNIN_SERVICE_PRINCIPAL;
	d->rank = d->rank > 2 ? 2 : d->rank;
	enum verdict v = decode_signin(d, f);
	d->outer.signin = outer;
	return v;
}

const struct format format_hunting_signin = {
	.name = "hunting_signin",
	.doc = "sign-in from advanced hunting (EntraIdSignInEvents, EntraIdSpnSignInEvents, AADSignInEventsBeta)",
	.match = match,
	.decode = decode,
};
