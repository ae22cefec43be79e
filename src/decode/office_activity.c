/* SPDX-License-Identifier: Apache-2.0 */
/* office_activity: Sentinel's OfficeActivity table, as CSV or JSON: the audit record flat and renamed, lists as JSON text,
 * no OperationCount and no SessionId.  The members are given their own names again and decoded as an audit record. */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return field_has(f, F_OfficeWorkload) && field_has(f, F_Operation);
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	/* hand-made query results leave the time out; the time of arrival, minutes later, is the best there is */
	if (!field_has(f, F_CreationTime) && !field_has(f, F_TimeGenerated))
		d->flags |= REC_TIME_ARRIVAL;
	field_rename(f, F_Id, F_OfficeId);
	field_rename(f, F_Id, F_SourceRecordId);
	field_rename(f, F_ClientIPAddress, F_Client_IPAddress);
	field_rename(f, F_LogonType, F_Logon_Type);
	field_rename(f, F_ObjectId, F_OfficeObjectId);
	d->rank = 2;
	return decode_audit(d, f);
}

const struct format format_office_activity = {
	.name = "office_activity",
	.doc = "Sentinel OfficeActivity row (CSV, JSON, workspace export)",
	.match = match,
	.decode = decode,
};
