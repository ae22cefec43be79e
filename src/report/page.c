/* SPDX-License-Identifier: Apache-2.0 */
/* page: see page.h. */
#include "report/page.h"

#include <stdio.h>
#include <string.h>

#include "base/timefmt.h"

void page_head(struct html *h, const char *kind)
{
	html_open_with(h, "div", "class=\"strip\" aria-hidden=\"true\"");
	html_close(h);
	html_open_class(h, "header", "mast");
	html_open_class(h, "p", "brand");
	html_say(h, "Taximeter · ");
	html_text(h, str_of(kind));
	html_close(h);
}

void page_foot(struct html *h)
{
	html_open(h, "footer");
	html_say(h, "Made by Taximeter " TXM_VERSION ". This file is complete in itself: it holds no script and "
		"loads "
						     "nothing from anywhere. Times are UTC.");
	html_close(h);
}

struct str page_app(const struct world *w, uint32_t client)
{
	struct str s = client == NONE ? STR_NONE : world_client_name(w, client);

	if (!s.n && client != NONE)
		s = world_client_part(w, client, CLIENT_CALLER);
	return s.n ? s : STR("an unnamed client");
}

struct str page_network(const struct world *w, uint32_t net)
{
	return net == NONE || net == NET_NONE ? STR("no public address") : str_of(world_net_label(w, net));
}

struct str page_mailbox(struct str upn, struct str guid)
{
	return upn.n ? upn : guid.n ? guid : STR("a mailbox without a name");
}

static const struct {
	int64_t us;
	const char *name;
} steps[] = {
	{ US_PER_HOUR, "hour" },
	{ 6 * US_PER_HOUR, "six hours" },
	{ US_PER_DAY, "day" },
	{ 7 * US_PER_DAY, "week" },
	{ 28 * US_PER_DAY, "four weeks" },
	{ 364 * US_PER_DAY, "year" },
	{ 3640 * US_PER_DAY, "ten years" },
};

int64_t page_step(int64_t span_us, unsigned most)
{
	const size_t n = sizeof(steps) / sizeof(steps[0]);

	for (size_t i = 0; i < n; i++)
		if (span_us / steps[i].us + 2 <= most)
			return steps[i].us;
	return steps[n - 1].us * (span_us / steps[n - 1].us / most + 1);
}

const char *page_step_name(int64_t step_us)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].us == step_us)
			return steps[i].name;
	return "column";
}

void page_axis(struct html *h, double x0, double w, double y, unsigned columns, int64_t from_us, int64_t step_us)
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	double last_hour = -1000, last_day = -1000;
	char before[16] = "";
	/* hours only where a day has room for two of them: else they would be read as those of one day */
	const bool hours = step_us < US_PER_DAY && w * (double)US_PER_DAY / (double)step_us >= 84;

	for (unsigned i = 0; i < columns; i++) {
		const double x = x0 + i * w;
		char text[TIME_TEXT_SIZE], hour[8], day[16];
		time_format(from_us + i * step_us, text);
		const unsigned month = (unsigned)(text[5] - '0') * 10 + (unsigned)(text[6] - '0');
		if (hours && x - last_hour >= 42) {
			snprintf(hour, sizeof(hour), "%.5s", text + 11);
			svg_text(h, "s tiny", x, y + 14, str_of(hour), 0);
			svg_line(h, "axis", x, y, x, y + 4);
			last_hour = x;
		}
		const char *month_name = month >= 1 && month <= 12 ? months[month - 1] : "";
		if (step_us >= 300 * US_PER_DAY)
			snprintf(day, sizeof(day), "%.4s", text);
		else
			snprintf(day, sizeof(day), "%.*s %s %.4s", text[8] == '0' ? 1 : 2,
				 text[8] == '0' ? text + 9 : text + 8, month_name, text);
		if (!hours && step_us < US_PER_DAY && strncmp(text + 11, "00:00", 5) != 0)
			continue;
		if (strcmp(day, before) != 0 && x - last_day >= 82 && (i == 0 || x + 66 < x0 + columns * w)) {
			svg_text(h, "tiny b", x, y + (hours ? 29 : 15), str_of(day), 0);
			if (!hours)
				svg_line(h, "axis", x, y, x, y + 4);
			last_day = x;
			snprintf(before, sizeof(before), "%s", day);
		}
	}
}
