/* SPDX-License-Identifier: PostgreSQL */
/*
 * When a planned change of roles may begin: pure.  Nothing here gives anybody a right to serve: the
 * primary is stopped in good order, and the standby takes over by the rules of promote_safe, as
 * after any other end of the primary.
 */
#ifndef PGV_SWITCHOVER_RULES_H
#define PGV_SWITCHOVER_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/verdict.h"
#include "postgres/server.h"
#include "postgres/server_slots.h"

struct switchover_facts {
	bool to_self;            /* --to names the node on which it is run */
	enum server_state local; /* what runs here */
	enum server_state peer;  /* and at the other node */
	bool to_peer;            /* --to names the other node */
	enum fact fenced;        /* this node has a fenced mark */
	enum fact serves;        /* the lease runs, and the address may be here */
	enum fact guard;         /* the guard of this node lives */
	enum outcome successor;  /* YES: the standby could take over (check/successor.h) */
	enum fact close;  /* the standby streams; it lacks, and has to replay, no more than a stop
			     may wait for */
	enum fact stable; /* nobody is about to make it connect anew */
};

enum switchover_step {
	SWITCHOVER_VERDICT = 0, /* over */
	SWITCHOVER_WAIT,        /* for the standby */
	SWITCHOVER_ASK,         /* this node is the standby: the other one has to do it */
	SWITCHOVER_GO,          /* every condition holds */
};

/* First rule that holds wins.  *verdict is filled in each case: for SWITCHOVER_WAIT with what is
 * said when the wait was in vain. */
enum switchover_step switchover_decide(const struct switchover_facts *f, struct verdict *verdict);

/* Prints every rule up to the one that decides, and how it came out. */
void switchover_explain(const struct switchover_facts *f, FILE *out);

/*
 * Has the standby all that this server has written?  final_lsn: where the record of the shutdown
 * checkpoint begins, which is the last one and carries no data; 0: it was not shut down in good
 * order, so nobody knows.
 */
enum fact switchover_has_all(const struct server *standby, uint64_t final_lsn);

/*
 * Does the standby stream with the slot that this primary has for it, or has it none to look for?
 * replication_slots makes and names the slot some seconds after the two have met, and the new name
 * ends the standby's connection: a primary that shuts down in that moment has nobody to send its
 * last record to.
 */
enum fact switchover_slot_settled(const struct server_slots *slots, const char *standby);

#endif
