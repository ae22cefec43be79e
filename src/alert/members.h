/* SPDX-License-Identifier: Apache-2.0 */
/* members: the fields that a rule adds to its alert, in the order in which they are printed.  Their meaning, their unit
 * and when they are absent are in data/schema/scan.json.  Every test output is checked against it: a member that is not
 * described there fails.
 *
 *   MEMBER(symbol, "name", shape, "column", ...)     VALUE, LIST of values, OBJECT with these columns, OBJECTS (a list) */
/* audit-tampering: what was switched, for whom, and for how long */
MEMBER(TARGETS, "targets", SHAPE_OBJECTS, "name", "guid", "upn")
MEMBER(SCOPE, "scope", SHAPE_VALUE, NULL)
MEMBER(CHANGE, "change", SHAPE_OBJECT, "name", "old", "new")
MEMBER(OUTCOME, "outcome", SHAPE_VALUE, NULL)
MEMBER(UNTIL, "until", SHAPE_VALUE, NULL)
/* app-power: who gave which power to whom */
MEMBER(GRANTED_APP, "granted_app", SHAPE_OBJECT, "app_id", "object_id", "name")
MEMBER(PERMISSIONS, "permissions", SHAPE_LIST, NULL)
MEMBER(GRANTOR, "grantor", SHAPE_VALUE, NULL)
MEMBER(GRANTEE, "grantee", SHAPE_VALUE, NULL)
MEMBER(CREDENTIALS, "credentials", SHAPE_OBJECTS, "key_id", "type", "name")
MEMBER(STEPS, "steps", SHAPE_OBJECTS, "time", "step", "operation", "actor")
/* new clients: what the tenant was known for before */
MEMBER(LEARNT_SINCE, "learnt_since", SHAPE_VALUE, NULL)
MEMBER(FIRST_CLIENT, "first_client", SHAPE_OBJECT, "time", "client", "api")
MEMBER(NEW_NETWORK, "new_network", SHAPE_VALUE, NULL)
MEMBER(PREVALENCE, "prevalence", SHAPE_OBJECT, "mailboxes", "of")
MEMBER(SWEEP, "sweep", SHAPE_OBJECT, "by", "mailboxes", "in_10_minutes", "in_1_hour", "in_1_day")
/* tokens */
MEMBER(LOSS, "loss", SHAPE_OBJECT, "by", "tokens", "orphans", "others_linked", "others_orphan", "hours_linked", "hours_orphan", "p", "expected")
MEMBER(TOKEN_TENANT, "token_tenant", SHAPE_VALUE, NULL)
MEMBER(TOKEN_LIFE, "token_life", SHAPE_OBJECT, "fault", "issued", "signin", "off_by_s", "clock")
MEMBER(CHAIN, "chain", SHAPE_OBJECT, "tokens", "renewals", "first_issued", "last_issued", "linked_share", "p")
/* sessions and tokens that move */
MEMBER(MOVE, "move", SHAPE_VALUE, NULL)
MEMBER(FROM, "from", SHAPE_OBJECT, "time", "network", "ip", "account", "device", "app")
MEMBER(TO, "to", SHAPE_OBJECT, "time", "network", "ip", "account", "device", "app")
MEMBER(SWITCHES, "switches", SHAPE_VALUE, NULL)
/* known-indicator */
MEMBER(INDICATOR, "indicator", SHAPE_VALUE, NULL)
MEMBER(INDICATOR_TYPE, "indicator_type", SHAPE_VALUE, NULL)
MEMBER(LIST, "list", SHAPE_VALUE, NULL)
MEMBER(LISTED_AS, "listed_as", SHAPE_VALUE, NULL)
MEMBER(LISTED_FROM, "listed_from", SHAPE_VALUE, NULL)
MEMBER(LISTED_UNTIL, "listed_until", SHAPE_VALUE, NULL)
MEMBER(INSIDE_DATES, "inside_dates", SHAPE_VALUE, NULL)
/* taximeter: the mailbox-days that `records` and `items` are the sum of */
MEMBER(COUNTED, "counted", SHAPE_OBJECTS, "mailbox", "first_seen", "last_seen", "by", "app_id", "client_app_id", "api", "client", "of", "records", "items")
/* throttled */
MEMBER(BLIND_FROM, "blind_from", SHAPE_VALUE, NULL)
MEMBER(BLIND_UNTIL, "blind_until", SHAPE_VALUE, NULL)
MEMBER(INFERRED, "inferred", SHAPE_VALUE, NULL)
MEMBER(READS_SINCE, "reads_since", SHAPE_VALUE, NULL)
