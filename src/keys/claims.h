/* SPDX-License-Identifier: Apache-2.0 */
/* claims: what a record wants of any claim of a token: a text, one of several, a pattern, a word or element, that it is there or that it
 * is not.  Types are never converted: the text "5" is not the number 5, and a list of one text is not that text. */
#ifndef TXM_KEYS_CLAIMS_H
#define TXM_KEYS_CLAIMS_H

#include "keys/strict_json.h"

enum claim_test { CLAIM_TEST_EQUALS, CLAIM_TEST_PATTERN, CLAIM_TEST_CONTAINS, CLAIM_TEST_ABSENT, CLAIM_TEST_PRESENT, CLAIM_TEST_WITHIN };

struct claim_value {
	struct str text;
	enum sj_kind kind;             /* SJ_STRING, SJ_NUMBER (an integer), SJ_TRUE, SJ_FALSE */
};

struct claim_rule {
	struct str name;
	enum claim_test test;
	struct claim_value *v;         /* EQUALS, PATTERN: one of them; CONTAINS: all of them */
	uint32_t n;
	struct claim_rule *within;     /* WITHIN: rules for the members of this object */
	uint32_t within_n;
};

/* Calls `wrong` with a sentence for each rule that does not hold for this object, which may be NULL. */
void claims_check(const struct claim_rule *rules, uint32_t n, const struct strict_json *j, const struct sj_node *object,
		  void (*wrong)(void *arg, const char *text), void *arg);
/* '*': any run of characters, also none; '?': one character (of UTF-8); '\' before either means itself. */
bool claim_pattern_matches(struct str pattern, struct str text);

#endif
