/* SPDX-License-Identifier: PostgreSQL */
#include "status/status_flow.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/deadline.h"

/* Longer than a healthy standby needs for what was sent before, and than it takes to
 * connect anew. */
#define LOOK_MS  2000
#define AGAIN_MS 250

/*
 * Nothing of what was sent at the first look has arrived, and nothing else has for a while. A
 * standby that does not read looks the same; the kernel can tell: its end holds what was not taken,
 * and the primary's has nothing to send again.
 */
enum fact status_flow_decide(const struct status_flow *flow)
{
	const struct server_flow *primary = &flow->first[flow->primary];
	const struct server_flow *before = &flow->first[1 - flow->primary];
	const struct server_flow *standby = &flow->last[1 - flow->primary];

	if (!primary->known || !before->known || !standby->known)
		return FACT_UNKNOWN;
	if (standby->received_lsn > before->received_lsn ||
	    standby->received_lsn >= primary->sent_lsn)
		return FACT_NO;
	if (!primary->sends || !standby->receives || standby->silent_ms < FLOW_SILENT_MS)
		return FACT_UNKNOWN;
	if (flow->path_known &&
	    (flow->here_sends ? flow->path.retransmits == 0 : flow->path.unread > 0))
		return FACT_NO;
	return FACT_YES;
}

static void ask(struct server_flow flows[CFG_NODES], const struct cfg *cfg)
{
	for (size_t i = 0; i < CFG_NODES; i++) {
		const struct deadline dl = deadline_in_ms(cfg->probe_timeout_ms);

		server_flow_ask(&flows[i], cfg, i == cfg->self ? PG_LOCAL : PG_PEER, &dl);
	}
}

/* The primary says which of the standby's ports its connection has, so either node finds
 * its end. */
static void look_at_path(struct status_flow *flow, const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(cfg->probe_timeout_ms);
	const struct server_flow *primary = &flow->last[flow->primary];
	const char *address = cfg->nodes[flow->primary].address;
	const uint16_t server = (uint16_t)cfg->port;
	const uint16_t client = (uint16_t)primary->receiver_port;
	const struct sockdiag_ends sends = { address, primary->receiver_address, server, client };
	const struct sockdiag_ends receives = { primary->receiver_address, address, client,
						server };

	flow->here_sends = flow->primary == cfg->self;
	flow->path_known =
	    primary->sends && primary->receiver_address[0] != '\0' && primary->receiver_port > 0 &&
	    primary->receiver_port <= UINT16_MAX &&
	    sockdiag_path(&flow->path, flow->here_sends ? &sends : &receives, &dl) == 0;
}

void status_flow_look(struct status_flow *flow, const struct cfg *cfg, size_t primary)
{
	const struct deadline dl = deadline_in_ms(LOOK_MS);

	*flow = (struct status_flow){ .looked = true, .primary = primary };
	ask(flow->first, cfg);
	do {
		const struct deadline pause = deadline_sooner(&dl, AGAIN_MS);

		deadline_sleep(&pause);
		ask(flow->last, cfg);
		look_at_path(flow, cfg);
		flow->vanishes = status_flow_decide(flow);
	} while (flow->vanishes == FACT_UNKNOWN && flow->last[primary].sends &&
		 !deadline_passed(&dl));
}

void status_flow_words(const struct status_flow *flow, char *text, size_t size)
{
	const double silent_s = (double)flow->last[1 - flow->primary].silent_ms / 1000;

	if (!flow->path_known)
		(void)snprintf(text, size, "connected, nothing received for %.1f s", silent_s);
	else if (flow->here_sends)
		(void)snprintf(text, size,
			       "connected, nothing received for %.1f s; sent again %" PRIu32
			       " times; the path's MTU is below %" PRIu32,
			       silent_s, flow->path.retransmits, flow->path.mtu);
	else
		(void)snprintf(text, size,
			       "connected, nothing received for %.1f s; the path's MTU may be "
			       "below %" PRIu32,
			       silent_s, flow->path.mtu);
}
