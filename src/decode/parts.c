/* SPDX-License-Identifier: Apache-2.0 */
/* parts: the pieces of a rec that every format fills: operation, ids, actor, tenant, address, mailbox, time. */
#include "decode/decode_int.h"

static const struct {
	struct str text;
	unsigned kinds;
} ops[OP_COUNT] = {
	{ { "", 0 }, 0 },
#define OP(symbol, text, kinds) { { text, sizeof(text) - 1 }, kinds },
#include "event/ops.h"
#undef OP
};

unsigned decode_op_kinds(unsigned op)
{
	return op < OP_COUNT ? ops[op].kinds : 0;
}

void put_op(struct decoder *d, struct str operation)
{
	struct rec *r = &d->b.r;
	unsigned slot = 0;
	if (operation.n && operation.n <= sizeof d->ops[0].text) {
		slot = ((unsigned)operation.n * 5 + (uint8_t)operation.p[0] + (uint8_t)operation.p[operation.n / 2] * 3u) % 64;
		if (d->ops[slot].n == operation.n && memcmp(d->ops[slot].text, operation.p, operation.n) == 0) {
			r->op = d->ops[slot].op;
			r->operation = d->ops[slot].ref;
			return;
		}
	}
	struct str plain = str_trim(operation);
	if (plain.n && plain.p[plain.n - 1] == '.')
		plain.n--;
	plain = str_trim(plain);
	unsigned op = OP_OTHER;
	for (unsigned i = 1; i < OP_COUNT; i++) {
		if (str_eq_nocase(ops[i].text, plain)) {
			op = i;
			break;
		}
	}
	r->op = (uint16_t)op;
	r->operation = names_put(&d->names, NAME_OPERATION, &operation, 1);
	if (operation.n && operation.n <= sizeof d->ops[0].text) {
		d->ops[slot].n = (uint8_t)operation.n;
		d->ops[slot].op = (uint16_t)op;
		d->ops[slot].ref = r->operation;
		memcpy(d->ops[slot].text, operation.p, operation.n);
	}
}

static bool put_guid_or_text(struct decoder *d, uint8_t ret[16], struct str text)
{
	if (guid_parse(text, ret))
		return true;
	uint64_t ref;
	hash128(text.p, text.n, ret);
	memcpy(&ref, ret, 8);
	if (ref && !names_has(&d->names, ref))
		names_put_ref(&d->names, ref, NAME_ID, &text, 1);
	return false;
}

bool put_id(struct decoder *d, struct str text)
{
	struct rec *r = &d->b.r;
	text = str_trim(text);
	if (guid_parse(text, r->id))
		return !guid_is_zero(r->id);
	bool has_digit = false;
	for (size_t i = 0; i < text.n && !has_digit; i++)
		has_digit = text.p[i] >= '0' && text.p[i] <= '9';
	if (!has_digit)
		return false;
	put_guid_or_text(d, r->id, text);
	r->flags |= REC_ID_TEXT;
	return true;
}

void put_token(struct decoder *d, struct str text)
{
	struct rec *r = &d->b.r;
	text = str_trim(text);
	if (text.n == 0)
		return;
	if (guid_from_token_id(text, r->token)) {
		if (guid_is_zero(r->token))
			return;
	} else {
		put_guid_or_text(d, r->token, text);
		r->flags |= REC_TOKEN_TEXT;
	}
	r->flags |= REC_HAS_TOKEN;
}

void put_session(struct decoder *d, struct str text)
{
	struct rec *r = &d->b.r;
	text = str_trim(text);
	if (text.n == 0 || (r->flags & REC_HAS_SESSION))
		return; /* the first home of the session that has a value */
	if (put_guid_or_text(d, r->session, text)) {
		if (guid_is_zero(r->session))
			return;
	} else {
		r->flags |= REC_SESSION_TEXT;
	}
	r->flags |= REC_HAS_SESSION;
}

void put_device(struct decoder *d, struct str text)
{
	uint8_t g[16];
	char lower[GUID_TEXT_SIZE];
	text = str_trim(text);
	if (guid_parse(text, g)) {
		if (guid_is_zero(g))
			return;
		text = str_of(guid_format(g, lower));
	}
	if (text.n)
		d->b.r.device = names_put(&d->names, NAME_ID, &text, 1);
}

void put_actor(struct decoder *d, struct str text)
{
	text = str_trim(text);
	if (text.n == 0)
		return;
	if (text.n > NAME_BYTES_MAX)
		text.n = NAME_BYTES_MAX;
	uint64_t key = hash_str(text, 11);
	if ((d->b.r.actor = text_cache_get(&d->actors, key)))
		return;
	char folded[NAME_BYTES_MAX];
	for (size_t i = 0; i < text.n; i++)
		folded[i] = ascii_lower(text.p[i]);
	struct str part = { folded, text.n };
	d->b.r.actor = names_put(&d->names, NAME_ACTOR, &part, 1);
	text_cache_put(&d->actors, key, d->b.r.actor);
}

void put_tenant(struct decoder *d, struct str text)
{
	text = str_trim(text);
	if (text.n == 0)
		return;
	uint64_t h = hash_str(text, 7);
	if (h != d->last_tenant_hash || !d->last_tenant_ref) {
		uint8_t g[16];
		char lower[GUID_TEXT_SIZE];
		if (guid_parse(text, g))
			text = str_of(guid_format(g, lower));
		d->last_tenant_hash = h;
		d->last_tenant_ref = names_put(&d->names, NAME_TENANT, &text, 1);
	}
	d->b.r.tenant = d->last_tenant_ref;
}

void put_ip(struct decoder *d, struct str text)
{
	struct addr a = addr_parse(text);
	if (a.kind == ADDR_NONE || d->b.r.ip_kind == ADDR_V4 || d->b.r.ip_kind == ADDR_V6)
		return;
	memcpy(d->b.r.ip, a.b, 16);
	d->b.r.ip_kind = a.kind;
}

void put_mailbox(struct decoder *d, struct str guid, struct str upn)
{
	uint8_t g[16];
	char lower[GUID_TEXT_SIZE];
	uint64_t key = hash_str(upn, hash_str(guid, 13));
	if ((d->b.r.mailbox = text_cache_get(&d->mailboxes, key)))
		return;
	struct str parts[2] = { STR(""), str_trim(upn) };
	if (guid_parse(str_trim(guid), g) && !guid_is_zero(g))
		parts[0] = str_of(guid_format(g, lower));
	else if (parts[1].n == 0)
		return;
	else
		d->b.r.flags |= REC_MAILBOX_BY_NAME;
	d->b.r.mailbox = names_put(&d->names, NAME_MAILBOX, parts, 2);
	if (parts[0].n) /* (a mailbox by name sets a flag as well) */
		text_cache_put(&d->mailboxes, key, d->b.r.mailbox);
}

/* (the time apart, so that it can be settled later: rec_set_time()) */
void put_made_id(struct decoder *d)
{
	struct rec *r = &d->b.r;
	const int64_t us = r->time_us;
	const uint32_t flags = r->flags & ~(uint32_t)REC_ID_TEXT;
	uint8_t tail[16];
	r->time_us = 0;
	r->flags = flags & ~(uint32_t)(REC_TIME_ORDER | REC_TIME_ZONE);
	hash128(r, sizeof *r, r->id);
	if (d->b.tail_used) {
		hash128(d->b.tail, d->b.tail_used, tail);
		for (int i = 0; i < 16; i++)
			r->id[i] ^= tail[i];
	}
	r->flags = flags | REC_ID_MADE;
	rec_set_time(r, us);
}
