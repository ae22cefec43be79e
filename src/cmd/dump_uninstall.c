/* SPDX-License-Identifier: Apache-2.0 */
/* dump uninstall: the other way round; see dump_install.c. */
#include "cmd/dump_filter.h"

static int uninstall_run(struct dump_settings *x) { return filter_install(x, true); }

const struct dump_action dump_action_uninstall = {
	.name = "uninstall",
	.arguments = "[--check]",
	.doc = "Put back the kernel's settings as install found them",
	.run = uninstall_run,
};
