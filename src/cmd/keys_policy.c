/* SPDX-License-Identifier: Apache-2.0 */
/* keys_policy: struct key_record to struct audit_record, and one function for both deny lists. */
#include "cmd/keys_policy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/timefmt.h"

static const char *denied(const struct key *k, void *arg)
{
	const struct policy *p = arg;
	char hex[KEY_HEX_SIZE];
	const char *name = deny_list_find(k);

	if (name || !p)
		return name;
	if (k->has_spki && text_list_has(&p->deny_spki, str_of(key_hex(k->spki_sha256, 32, hex))))
		return "on the policy's deny list";
	if (k->cert.present && (text_list_has(&p->deny_certificate, str_of(key_hex(k->cert.sha256, 32, hex))) ||
				text_list_has(&p->deny_certificate, str_of(key_hex(k->cert.sha1, 20, hex)))))
		return "its certificate is on the policy's deny list";
	return NULL;
}

static int64_t known_time(int64_t us) { return us == TIME_UNKNOWN ? 0 : us; }

static bool convert(struct keys_policy *p, const struct key_record *r, struct str **issuers, const char *path)
{
	struct audit_record *a = &p->records[p->n];
	const struct str consumer = STR(CONSUMER_TENANT);

	*a = (struct audit_record){
		.kid = r->kid, .class_name = str_of(record_class_name(r->klass)), .issuers = *issuers, .issuer_count = r->issuer_n,
		/* a template denies the consumer tenant by itself, unless the record names it */
		.denies_consumer = text_list_has(&r->tenants_denied, consumer) || !text_list_has(&r->tenants, consumer),
		.trusts = (r->state == STATE_ACTIVE || r->state == STATE_RETIRING) && !r->denied,
		.revoked = r->state >= STATE_REVOKED, .since = known_time(r->since_us), .not_before = known_time(r->not_before_us),
		.not_after = known_time(r->not_after_us), .max_age = r->max_age_s * US_PER_SECOND,
		.max_token_life = r->max_token_life_s * US_PER_SECOND,
	};
	memcpy(a->spki, r->spki_sha256, sizeof(a->spki));
	for (uint32_t i = 0; i < r->issuer_n; i++) {
		*(*issuers)++ = r->issuers[i].text;
		a->template_issuer |= r->issuers[i].is_template;
	}
	if (asprintf(&p->wheres[p->n], "%s:%u", path, r->line) < 0) {
		p->wheres[p->n] = NULL;
		return false;
	}
	a->where = str_of(p->wheres[p->n++]);
	return true;
}

int keys_policy_load(struct keys_policy *p, const struct command *c, const char *path, struct audit_settings *settings)
{
	struct buf error;
	struct str *issuers;
	size_t issuer_count = 0;
	bool ok;

	*p = (struct keys_policy){ 0 };
	settings->denied = denied;
	if (!path)
		return EXIT_RAN;
	buf_init(&error, 64 * KIB);
	p->policy = policy_new();
	ok = p->policy && policy_load(p->policy, path, &error) && policy_bind(p->policy, &error);
	for (uint32_t i = 0; ok && i < p->policy->n; i++)
		issuer_count += p->policy->records[i].issuer_n;
	if (ok) {
		p->records = calloc(p->policy->n ? p->policy->n : 1, sizeof(*p->records));
		p->wheres = calloc(p->policy->n ? p->policy->n : 1, sizeof(*p->wheres));
		p->issuers = issuers = calloc(issuer_count ? issuer_count : 1, sizeof(*issuers));
		ok = p->records && p->wheres && p->issuers;
		for (uint32_t i = 0; ok && i < p->policy->n; i++)
			ok = convert(p, &p->policy->records[i], &issuers, path);
	}
	if (!ok)
		cmd_error(c, "%.*s", STR_ARG(error.n ? buf_str(&error) : STR("out of memory")));
	buf_release(&error);
	settings->records = p->records;
	settings->record_count = p->n;
	settings->has_policy = true;
	settings->denied_arg = p->policy;
	return ok ? EXIT_RAN : EXIT_USAGE;
}

void keys_policy_release(struct keys_policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->wheres[i]);
	free(p->wheres);
	free(p->records);
	free(p->issuers);
	policy_free(p->policy);
	*p = (struct keys_policy){ 0 };
}
