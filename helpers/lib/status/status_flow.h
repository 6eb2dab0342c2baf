/* SPDX-License-Identifier: PostgreSQL */
/*
 * Does what the primary sends reach its standby?  Where a path loses every packet above some size,
 * small questions are answered, the two connect anew again and again, and each takes the other for
 * well by turns.
 */
#ifndef PGV_STATUS_FLOW_H
#define PGV_STATUS_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "config/cfg.h"
#include "net/sockdiag.h"
#include "postgres/server_flow.h"

/* How long nothing is received before it is told. */
#define FLOW_SILENT_MS 1000

/* Two servers, looked at again and again. */
struct status_flow {
	bool looked;
	struct server_flow first[CFG_NODES]; /* by index of the node */
	struct server_flow last[CFG_NODES];
	size_t primary;
	bool here_sends; /* this node has the primary's end of the connection */
	bool path_known;
	struct sockdiag_path path; /* of this node's end */
	enum fact vanishes;        /* what the primary sent does not arrive, for all that is seen */
};

/* Looks for as long as it cannot be told, two seconds at the most. */
void status_flow_look(struct status_flow *flow, const struct cfg *cfg, size_t primary);

/* Draws the conclusion from the two looks and the connection.  Pure. */
enum fact status_flow_decide(const struct status_flow *flow);

/* "connected, nothing received for 1.2 s; ...".  Only where vanishes is FACT_YES. */
void status_flow_words(const struct status_flow *flow, char *text, size_t size);

#endif
