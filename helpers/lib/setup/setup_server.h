/* SPDX-License-Identifier: PostgreSQL */
/* A server's own words beyond its settings, asked for once. */
#ifndef PGV_SETUP_SERVER_H
#define PGV_SETUP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "postgres/pg.h"

struct setup_server {
	bool known;
	char why[160];
	char pending[160];    /* settings that wait for a restart; "": none */
	int64_t clock_ms;     /* its wall clock less that of this host */
	int64_t asked_for_ms; /* and how wrong that may be: the question took so long */
	char overrides[160];  /* roles and databases that set synchronous_commit; "": none */

	/* Of the server here, as its owner. */
	enum fact peer_asks;       /* a session of the other node's helpers is there */
	enum fact peer_replicates; /* so is its walreceiver */
	enum fact peer_may_ask;    /* by pg_hba.conf as it is now */
	enum fact peer_may_replicate;
	char hba_error[160]; /* a line that it cannot read; "": none */
};

void setup_server_ask(struct setup_server *server, const struct cfg *cfg, enum pg_where where,
		      const struct deadline *dl);

#endif
