/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson: one object a line: alerts in order of event time, then those withdrawn, then the app inventory by rank,
 * what the sign-ins cover, the verdicts on tokens and the orphan accesses without an alert if there are sign-ins, where the
 * log was blind if it was (these for one tenant after another), the summary last: a reader who sees it knows that nothing
 * is missing.  The objects are written in sink/json.c. */
#include <inttypes.h>

#include "sink/sink.h"

static void ndjson_write(struct sink_out *o, const struct findings *f)
{
	bool open = true;

	for (size_t i = 0; i < f->alert_count && open; i++) {
		json_alert(&o->pending, f->alerts[i]);
		buf_add_char(&o->pending, '\n');
		open = sink_out_step(o);
	}
	for (size_t i = 0; i < f->withdrawn_count && open; i++) {
		buf_printf(&o->pending, "{\"type\":\"withdrawn\",\"id\":\"txm-%016" PRIx64 "\",\"tenant\":", f->withdrawn[i].number);
		json_text(&o->pending, f->withdrawn[i].tenant);
		buf_add_cstr(&o->pending, "}\n");
		open = sink_out_step(o);
	}
	for (size_t t = 0; t < f->tenant_count && open; t++) {
		const struct tenant_findings *x = &f->tenants[t];

		for (size_t i = 0; i < x->app_count && open; i++) {
			json_app(&o->pending, x->world, &x->apps[i], i + 1);
			buf_add_char(&o->pending, '\n');
			open = sink_out_step(o);
		}
		if (open) {
			json_tokens(o, x);
			json_orphans(o, x);
			json_blind(o, x);
		}
	}
	if (open) {
		json_summary(&o->pending, f);
		buf_add_char(&o->pending, '\n');
	}
}

const struct sink sink_ndjson = {
	.name = "ndjson",
	.doc = "one JSON object a line: alerts, applications, one summary",
	.write = ndjson_write,
};
