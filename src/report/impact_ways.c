/* SPDX-License-Identifier: Apache-2.0 */
/* impact_ways: by what way they came.  Networks, applications and mailboxes side by side, bands between them as wide as what was
 * opened; after the picture the same as a table. */
#include "base/limits.h"
#include "report/impact_int.h"
#include "report/page.h"

enum { NODES = 12 };

struct node {
	uint32_t key;
	bool others;
	uint64_t weight;
	double y, height, out, in;
};

struct flow { /* the last node of a full side is all others together */
	struct node nets[NODES], apps[NODES], boxes[NODES];
	unsigned net_n, app_n, box_n;
	uint64_t left[NODES][NODES], right[NODES][NODES]; /* nets to apps, apps to boxes */
	bool unclear[NODES];				  /* of an application: nothing confirmed came by it */
	uint64_t sum;
};

static unsigned node_of(struct node *v, unsigned *n, uint32_t key)
{
	for (unsigned i = 0; i < *n; i++)
		if (v[i].key == key)
			return i;
	if (*n == NODES) {
		v[NODES - 1].others = true;
		return NODES - 1;
	}
	v[*n] = (struct node) { .key = key };
	return (*n)++;
}

static bool make_flow(const struct impact_report *r, struct flow *f)
{
	for (size_t i = 0; i < r->route_count; i++) /* networks and applications in order of their weight */
		if (r->routes[i].verdict != CONTEXT_OWN && r->routes[i].accesses + r->routes[i].syncs) {
			node_of(f->nets, &f->net_n, r->routes[i].net);
			f->unclear[node_of(f->apps, &f->app_n, r->routes[i].client)] = true;
		}
	for (uint32_t i = 0; i < r->mailbox_count && (f->box_n < NODES || !f->boxes[NODES - 1].others); i++)
		if (r->mailboxes[i].first_us)
			node_of(f->boxes, &f->box_n, i);
	for (size_t i = 0; i < r->context_count; i++) {
		const struct impact_context *c = &r->contexts[i];
		const uint64_t weight = c->accesses + c->syncs;
		if (c->verdict == CONTEXT_OWN || !weight)
			continue;
		const unsigned a = node_of(f->nets, &f->net_n, c->net), b = node_of(f->apps, &f->app_n, c->client),
			       m = node_of(f->boxes, &f->box_n, c->mailbox);
		f->nets[a].weight += weight;
		f->apps[b].weight += weight;
		f->boxes[m].weight += weight;
		f->left[a][b] += weight;
		f->right[b][m] += weight;
		f->unclear[b] &= c->verdict == CONTEXT_UNCLEAR || c->accesses == 0;
		f->sum += weight;
	}
	return f->sum > 0;
}

enum { FLOW_TOP = 26, FLOW_GAP = 27, FLOW_APP_GAP = 48, FLOW_HEIGHT = 190 };

static double gap_of(int side)
{
	return side == 1 ? FLOW_APP_GAP : FLOW_GAP;
}

/* bands have a least width, or a single message would be invisible */
static double band_width(uint64_t weight, uint64_t sum)
{
	const double w = FLOW_HEIGHT * (double)weight / (double)sum;

	return weight == 0 ? 0 : w < 2 ? 2 : w;
}

static double side_height(struct node *v, unsigned n, const struct flow *f, int side)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++) {
		double in = 0, out = 0;
		for (unsigned k = 0; k < NODES; k++) {
			out += side == 0   ? band_width(f->left[i][k], f->sum)
			       : side == 1 ? band_width(f->right[i][k], f->sum)
					   : 0;
			in += side == 1	  ? band_width(f->left[k][i], f->sum)
			      : side == 2 ? band_width(f->right[k][i], f->sum)
					  : 0;
		}
		v[i].height = in > out ? in : out;
		sum += v[i].height + gap_of(side);
	}
	return sum;
}

/* one below the other, in the middle of the height that the tallest side needs */
static void place_side(struct node *v, unsigned n, double own, double tallest, int side)
{
	double y = FLOW_TOP + (tallest - own) / 2;

	for (unsigned i = 0; i < n; i++) {
		v[i].y = y;
		y += v[i].height + gap_of(side);
	}
}

static void put_bands(struct html *h, struct flow *f, double x_net, double x_app, double x_box)
{
	for (unsigned i = 0; i < f->net_n; i++)
		for (unsigned k = 0; k < f->app_n; k++) {
			const double w = band_width(f->left[i][k], f->sum);
			if (!f->left[i][k])
				continue;
			svg_band_(h, f->unclear[k] ? "band ua" : "band", x_net + 9,
				  f->nets[i].y + f->nets[i].out + w / 2, x_app, f->apps[k].y + f->apps[k].in + w / 2,
				  w);
			f->nets[i].out += w;
			f->apps[k].in += w;
		}
	for (unsigned i = 0; i < f->app_n; i++)
		for (unsigned k = 0; k < f->box_n; k++) {
			const double w = band_width(f->right[i][k], f->sum);
			if (!f->right[i][k])
				continue;
			svg_band_(h, f->unclear[i] ? "band ua" : "band", x_app + 9,
				  f->apps[i].y + f->apps[i].out + w / 2, x_box, f->boxes[k].y + f->boxes[k].in + w / 2,
				  w);
			f->apps[i].out += w;
			f->boxes[k].in += w;
		}
}

static void put_node(struct html *h, double x, const struct node *n, struct str name, int side, struct str sub)
{
	svg_rect(h, "node", x, n->y, 9, n->height, 2);
	const struct str text = n->others ? STR("and others") : name;
	if (side < 0) {
		svg_text(h, "b", x, n->y - 6, text, 34);
	} else if (side == 0) {
		svg_text(h, "b m", x + 4, n->y - 6, text, 44);
	} else {
		svg_text(h, "b", x + 16, n->y + n->height / 2 + 4, text, 32);
	}
	if (sub.n && !str_eq(sub, name))
		svg_text(h, "s tiny m", x + 4, n->y + n->height + 13, sub, 46);
}

/* leaves the <section> open; the caller writes the matching table next */
void impact_begin_map(struct html *h, const struct impact_report *r)
{
	const double width = 1040, x_net = 6, x_app = 480, x_box = 800;
	struct flow f = { .sum = 0 };

	page_section(h, "How the mail was reached");
	if (!make_flow(r, &f)) {
		html_leaf(h, "p", "", STR("No access of the selection is recorded, so no way can be drawn."));
		return;
	}
	html_leaf(h, "p", "",
		  STR("From the networks, through the applications, into the mailboxes. The wider, the more was "
		      "opened."));
	const double a = side_height(f.nets, f.net_n, &f, 0), b = side_height(f.apps, f.app_n, &f, 1),
		     c = side_height(f.boxes, f.box_n, &f, 2);
	const double tallest = a > b && a > c ? a : b > c ? b : c;
	place_side(f.nets, f.net_n, a, tallest, 0);
	place_side(f.apps, f.app_n, b, tallest, 1);
	place_side(f.boxes, f.box_n, c, tallest, 2);
	html_open(h, "figure");
	html_open_class(h, "div", "scroll");
	svg_begin(h, "draw", width, FLOW_TOP + tallest,
		  "From which networks, through which applications, into which mailboxes");
	put_bands(h, &f, x_net, x_app, x_box);
	for (unsigned i = 0; i < f.net_n; i++)
		put_node(h, x_net, &f.nets[i], page_network(r->world, f.nets[i].key), -1, STR_NONE);
	for (unsigned i = 0; i < f.app_n; i++)
		put_node(h, x_app, &f.apps[i], page_app(r->world, f.apps[i].key), 0,
			 f.apps[i].key == NONE ? STR_NONE : world_client_part(r->world, f.apps[i].key, CLIENT_FAMILY));
	for (unsigned i = 0; i < f.box_n; i++)
		put_node(h, x_box, &f.boxes[i], f.boxes[i].key == NONE ? STR_NONE : box_name(r, f.boxes[i].key), 1,
			 STR_NONE);
	svg_end(h);
	html_close(h);
	html_close(h);
}

void impact_put_routes(struct html *h, const struct impact_report *r, bool own)
{
	char address[ADDR_TEXT_SIZE];
	size_t shown = 0;

	html_begin_table(h);
	html_head_cell(h, "", "Application");
	html_head_cell(h, "", "Network and addresses");
	html_head_cell(h, "n", "Mailboxes");
	html_head_cell(h, "n", "Accesses");
	html_head_cell(h, "n", "Folders synchronised");
	html_head_cell(h, "", "First");
	html_head_cell(h, "", "Last");
	html_begin_rows(h);
	for (size_t i = 0; i < r->route_count && shown < REPORT_ROWS_MAX && html_step(h); i++) {
		const struct impact_route *c = &r->routes[i];
		if ((c->verdict == CONTEXT_OWN) != own)
			continue;
		shown++;
		html_open(h, "tr");
		html_open_cell(h, "strong", "Application");
		html_text(h, page_app(r->world, c->client));
		html_say(h, " ");
		if (c->verdict == CONTEXT_UNCLEAR)
			html_leaf(h, "span", "chip assumed", STR("unclear"));
		html_leaf(h, "span", "sub",
			  c->client == NONE ? STR_NONE : world_client_part(r->world, c->client, CLIENT_FAMILY));
		html_close(h);
		html_open_cell(h, "", "Network");
		html_open(h, "span");
		html_text(h, page_network(r->world, c->net));
		html_open_class(h, "span", "sub");
		for (uint32_t k = 0; k < c->ip_count; k++) {
			if (k)
				html_say(h, ", ");
			html_text(h, str_of(addr_format(&c->ips[k], address)));
		}
		if (c->more_ips)
			html_say(h, ", and others");
		html_close(h);
		html_close(h);
		html_close(h);
		html_cell_count(h, "n", "Mailboxes", c->mailboxes);
		html_cell_count(h, "n", "Accesses", c->accesses);
		html_cell_count(h, "n", "Folders synchronised", c->syncs);
		html_cell_moment(h, "", "First", c->first_us);
		html_cell_moment(h, "", "Last", c->last_us);
		html_close(h);
	}
	html_end_table(h);
}
