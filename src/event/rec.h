/* SPDX-License-Identifier: Apache-2.0 */
/* rec: one audit record, normalised and packed, as it travels from a decoder through the sorter.
 *
 * Nothing in it depends on the order of arrival: texts are named by the 64-bit hash of their content (event/names.h) and
 * ids are kept as 16 bytes.  Two decoders that read the same record make the same bytes.  An administrative record is
 * followed by a tail of (name, value) details; a mail record has none.
 *
 *   decoder --rec--> sorter --rec in event-time order, one copy each--> world --event--> detectors
 */
#ifndef TXM_EVENT_REC_H
#define TXM_EVENT_REC_H

#include "base/addr.h"
#include "base/str.h"

/* What kind of log a record comes from.  Ids are unique inside a class only: a UserLoggedIn audit record and the sign-in
 * log row of the same sign-in carry the same id. */
enum rec_class {
	CLASS_AUDIT,     /* unified audit log, in any envelope */
	CLASS_SIGNIN,    /* Entra sign-in logs */
	CLASS_DIRECTORY, /* Entra audit log (AuditLogs), in its own schema */
	CLASS_GRAPH,     /* Microsoft Graph activity log */
	CLASS_OTHER,     /* rows of other tables in a known envelope (Defender device events and the like): counted only */
	CLASS_COUNT,
};

enum rec_op {
	OP_OTHER, /* any operation without a row below; its text is the name */
#define OP(symbol, text, kinds) OP_##symbol,
#include "event/ops.h"
#undef OP
	OP_COUNT,
};

/* interest of a detector, and kind of an operation */
enum {
	KIND_MAIL = 1,      /* MailItemsAccessed, AttachmentAccess */
	KIND_ADMIN = 2,     /* settings that change what is logged or who may read */
	KIND_DIRECTORY = 4, /* applications, consents, credentials, licences */
	KIND_SIGNIN = 8,
	KIND_MAILBOX = 16,  /* other operations in a mailbox: Send, rules, moves */
	KIND_DETAIL = 32,   /* the decoder keeps the record's parameters as details */
};

enum access_type { ACCESS_NONE, ACCESS_BIND, ACCESS_SYNC, ACCESS_ATTACHMENT, ACCESS_UNKNOWN };
enum logon_type { /* LogonType + 1, so that zero is "not given" */
	LOGON_NONE, LOGON_OWNER, LOGON_ADMIN, LOGON_DELEGATE, LOGON_TRANSPORT, LOGON_SYSTEM, LOGON_BEST_ACCESS,
	LOGON_DELEGATED_ADMIN,
};

enum { /* rec.flags */
	REC_ID_TEXT = 1 << 0,          /* id is not a GUID: bytes are a hash of its text */
	REC_ID_MADE = 1 << 1,          /* the record has no id: bytes are a hash of its content */
	REC_HAS_SESSION = 1 << 2,
	REC_SESSION_TEXT = 1 << 3,     /* not a GUID: hash of the text */
	REC_HAS_TOKEN = 1 << 4,
	REC_TOKEN_TEXT = 1 << 5,       /* opaque token id: hash of the text */
	REC_THROTTLED = 1 << 6,        /* IsThrottled = True */
	REC_EXTERNAL = 1 << 7,         /* ExternalAccess = true */
	REC_ITEMS_GIVEN = 1 << 8,      /* items came from OperationCount */
	REC_ITEMS_LISTED = 1 << 9,     /* items were counted in the record's list */
	REC_ITEMS_LOST = 1 << 10,      /* neither: items = 1 is a lower bound */
	REC_BYTES_KNOWN = 1 << 11,
	REC_FOLDERS_LOST = 1 << 12,    /* damaged by the exporter (@{Name=...}) */
	REC_TIME_ARRIVAL = 1 << 13,    /* no event time in the export: time is that of arrival */
	REC_TOKEN_TENANT_FOREIGN = 1 << 14,  /* TokenTenantId differs from OrganizationId; text in detail "TokenTenantId" */
	REC_TOKEN_TENANT_CONSUMER = 1 << 15, /* ... and is the tenant of consumer accounts */
	REC_DETAIL_CUT = 1 << 16,      /* a detail was longer than our limits */
	REC_SUCCESS = 1 << 17,         /* sign-in that issued a token; operation that succeeded */
	REC_MAILBOX_BY_NAME = 1 << 19, /* no MailboxGuid: the key is the owner's name */
	REC_ITEMS_CUT = 1 << 18,       /* the list did not fit the record's tail (event/items.h) */
	REC_NO_TIME = 1 << 20,         /* a sign-in or directory row exported without its time: counted, shown to no detector */
	REC_SHAPE_UNKNOWN = 1 << 21,   /* a known member had none of its known shapes: its content is missing */
	REC_CUT = 1 << 22,             /* the exporter cut the record: the members before the cut were kept */
	REC_RECODED = 1 << 23,         /* some of its text was not UTF-8 and was read as Windows-1252 */
	REC_TIME_ORDER = 1 << 24,      /* which number of its time is the day is not known: read as the note describes (decode/notes.h) */
	REC_TIME_ZONE = 1 << 25,       /* the file does not name the zone of its time: read as UTC */
};

struct rec {
	int64_t time_us;   /* CreationTime, microseconds since 1970 UTC */
	uint8_t id[16];
	uint8_t session[16];
	uint8_t token[16];
	uint8_t ip[16];
	uint64_t mailbox;  /* names: NAME_MAILBOX, 0 = none */
	uint64_t client;   /* names: NAME_CLIENT, 0 = none */
	uint64_t actor;    /* names: NAME_ACTOR (UserId, ASCII case folded), 0 = none */
	uint64_t tenant;   /* names: NAME_TENANT (OrganizationId), 0 = none */
	uint64_t operation;/* names: NAME_OPERATION; exact text, always set */
	uint64_t device;   /* names: NAME_ID, the id of a registered or joined device, lower case; 0 = not given */
	uint64_t folder;   /* hash of the synced folder's id, else of its name; Bind: of the folder if there is one only */
	uint64_t bytes;    /* sum of SizeInBytes over the listed items; see REC_BYTES_KNOWN */
	uint32_t items;    /* Bind and AttachmentAccess: accesses; Sync: always 0, its volume is unknown */
	uint32_t flags;
	uint32_t result;   /* sign-in: error number, 0 = a token was issued */
	uint32_t issued_s; /* when the token of an access was issued (IssuedAtTime), seconds since 1970; 0 = not given */
	uint16_t folders;  /* folders named by the record, saturating */
	uint16_t op;       /* enum rec_op */
	uint16_t record_type; /* RecordType, 0xffff = absent */
	uint16_t tail_bytes;  /* details that follow the struct, padded to 8; 0 for mail */
	uint8_t class_;    /* enum rec_class */
	uint8_t ip_kind;   /* enum addr_kind */
	uint8_t access;    /* enum access_type */
	uint8_t logon;     /* enum logon_type */
	uint8_t user_type; /* UserType + 1, 0 = absent */
	uint8_t signin_kind; /* enum signin_kind */
	uint8_t rank;      /* how much of the record the envelope kept: of two unequal copies the higher one is used */
	uint8_t spare[1];  /* zero; every byte has a name, since recs are compared and hashed as bytes */
};

enum signin_kind { SIGNIN_NONE, SIGNIN_INTERACTIVE, SIGNIN_NONINTERACTIVE, SIGNIN_SERVICE_PRINCIPAL, SIGNIN_MANAGED_IDENTITY, SIGNIN_AUDIT };

/* Details: (name, value) pairs after the struct.  Names as the field writes them: for Parameters "AuditBypassEnabled";
 * for ModifiedProperties "AppRole.Value" and, for its old value, "AppRole.Value.old"; for Target "Target.Type4"; plain
 * record fields "ObjectId", "TokenTenantId", "ErrorNumber". */
struct detail_iter {
	const uint8_t *p, *end;
};
struct detail_iter rec_details(const struct rec *r);
bool detail_next(struct detail_iter *it, struct str *ret_name, struct str *ret_value);
/* the first value of that name (ASCII case folded); false: none */
bool rec_detail(const struct rec *r, struct str name, struct str *ret_value);

/* Another time for it.  The id that was made from its content follows. */
void rec_set_time(struct rec *r, int64_t us);

/* A record under construction: the struct and a buffer for its tail. */
struct rec_builder {
	struct rec r;
	uint8_t *tail;       /* DETAIL_BYTES_MAX + 8 bytes, owned by the caller */
	size_t tail_used;
};
void rec_begin(struct rec_builder *b);  /* all zero except for the tail buffer */
void rec_add_detail(struct rec_builder *b, struct str name, struct str value); /* cuts and flags what is too long */

#endif
