/* SPDX-License-Identifier: Apache-2.0 */
/* foreign: records of logs that Taximeter knows by sight and does not read: Google Workspace activities, CloudTrail.
 * They are refused by name instead of as an unknown shape. */
#include "decode/decode_int.h"

static bool match(const struct fields *f)
{
	return field_has(f, F_kind) || field_has(f, F_eventVersion) || field_has(f, F_activities);
}

static enum verdict decode(struct decoder *d, struct fields *f)
{
	struct str s;
	if (field_has(f, F_eventVersion) || field_has(f, F_activities)
		|| (get_text(d, f, F_kind, &s) && str_find(s, STR("reports#activit")) >= 0))
		return decode_reject(d, REJECT_UNSUPPORTED);
	return NOT_MINE;
}

const struct format format_foreign = {
	.name = "foreign",
	.doc = "Google Workspace and CloudTrail records, refused by name",
	.match = match,
	.decode = decode,
};
