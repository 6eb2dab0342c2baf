/* SPDX-License-Identifier: PostgreSQL */
/*
 * How far a server has come with sending WAL to the other node, or with receiving it: what
 * cluster_status asks of servers that ought to stream and do not.
 */
#ifndef PGV_SERVER_FLOW_H
#define PGV_SERVER_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "config/cfg.h"
#include "postgres/pg.h"

struct server_flow {
	bool known;
	/* a primary's: its walsender for the other node, streaming or not */
	bool sends;
	uint64_t sent_lsn;
	char receiver_address[CFG_ADDR_MAX];
	int64_t receiver_port; /* of the connection; at the standby */
	/* a standby's: its walreceiver, connected */
	bool receives;
	uint64_t received_lsn; /* over this connection; 0: nothing yet */
	int64_t silent_ms; /* since the last message of the primary; by the standby's clock alone */
};

/* Never fails: what could not be found out is not known. */
void server_flow_ask(struct server_flow *flow, const struct cfg *cfg, enum pg_where where,
		     const struct deadline *dl);

#endif
