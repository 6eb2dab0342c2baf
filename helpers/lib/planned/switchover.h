/* SPDX-License-Identifier: PostgreSQL */
/*
 * The steps of a planned change of roles, in their order.  Each can be killed at any line: before
 * the stop nothing has happened, and behind it planned.h says what does.
 */
#ifndef PGV_SWITCHOVER_H
#define PGV_SWITCHOVER_H

#include <stdint.h>

#include "planned/planned.h"
#include "planned/switchover_rules.h"

struct switchover {
	struct planned planned;
	struct switchover_facts facts;
	struct server peer;
	int64_t unsettled_ms; /* when the standby was seen last without its slot; 0: never */
	bool leaves;          /* this host is being shut down: it does not come back for now */
	char successor[300];  /* why the standby could take over, or not */
};

/* Asks both servers, the rights, the record and this node's files.  Takes up to some seconds. */
void switchover_gather(struct switchover *s);

/* Gathers and decides until every condition holds, one cannot be waited for, or dl has passed. */
enum switchover_step switchover_wait(struct switchover *s, const struct deadline *dl,
				     struct verdict *verdict);

/* Asks the standby until it says that it has all, or a second has passed. */
enum fact switchover_prove(struct switchover *s);

/* Leaves the rest to the guard and the standby, and waits until that one is the primary and this
 * node follows it. */
struct verdict switchover_hand_over(struct switchover *s);

/*
 * Where nobody could take over, or not for sure: stops the server in good order before systemd
 * does, and tells the witness, so that the other node need not wait for our lease, whatever it may
 * do.
 */
struct verdict switchover_leave(struct switchover *s);

/* Starts the server again as the primary that it was. */
struct verdict switchover_take_back(struct switchover *s);

#endif
