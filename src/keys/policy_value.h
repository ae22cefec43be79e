/* SPDX-License-Identifier: Apache-2.0 */
/* policy_value: reads the values of a policy file.  A map is read by a table of its settings, each with the function that takes it, so
 * that a name not in the table is an error, and required settings are checked in one place.  False: reported in the reader's error, one line
 * with file and line. */
#ifndef TXM_KEYS_POLICY_VALUE_H
#define TXM_KEYS_POLICY_VALUE_H

#include "keys/policy_int.h"

struct policy_reader {
	struct policy *p;
	const char *name;  /* of the file */
	char *folder;
	struct buf *error;
};

typedef bool policy_take_fn(struct policy_reader *x, const struct yaml_node *n, void *to);
struct policy_setting {
	const char *name;
	bool required;
	policy_take_fn *take;
};

bool policy_wrong(struct policy_reader *x, const struct yaml_node *n, const char *format, ...) __attribute__((format(printf, 3, 4))); /* false */
bool policy_map(struct policy_reader *x, const struct yaml_node *map, const struct policy_setting *rows, void *to);
bool policy_is_text(struct policy_reader *x, const struct yaml_node *n);
bool policy_is_text_of(struct policy_reader *x, const struct yaml_node *n, const struct yaml_node *of); /* of: whose value, or list, it is in */
bool policy_list(struct policy_reader *x, const struct yaml_node *n, struct text_list *ret); /* of different texts, and not empty */
bool policy_word(struct policy_reader *x, const struct yaml_node *n, const char *const *words, unsigned *ret); /* place in words */
bool policy_span(struct policy_reader *x, const struct yaml_node *n, int64_t max_s, int64_t *ret_s); /* "300s", "95m", "29h", "120d" */
bool policy_time(struct policy_reader *x, const struct yaml_node *n, int64_t *ret_us);
bool policy_hex(struct policy_reader *x, const struct yaml_node *n, size_t digits);
void *policy_keep(struct policy_reader *x, size_t n, size_t size); /* memory that lives as long as the policy */

bool policy_take_record(struct policy_reader *x, const struct yaml_node *n, struct policy_rule *r); /* keys/policy_record.c */

#endif
