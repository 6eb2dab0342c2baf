/* SPDX-License-Identifier: PostgreSQL */
/*
 * The steps of a drill, in their order: a fault on the node of the primary, the other node's
 * takeover as clients see it, the return of this node as a standby, and the roles put back.  It can
 * be killed at any line: the fault is one that the two nodes deal with by themselves, and an
 * isolation is ended by the kernel.
 */
#ifndef PGV_DRILL_H
#define PGV_DRILL_H

#include <stdbool.h>
#include <stdint.h>

#include "drill/drill_rules.h"
#include "drill/drill_watch.h"
#include "planned/planned.h"

struct drill {
	struct planned planned;
	struct drill_facts facts;
	int64_t wait_ms; /* the operator's: for the takeover */
	bool stays;      /* the other node keeps the role */

	struct drill_watch watch;
	int64_t out_ms;      /* clients had no primary for so long */
	int64_t back_out_ms; /* the same when the roles went back; -1: they did not */
};

/* The fault and its expected end, "killing the server of n1; expected: takeover as soon as ...", as
 * the operator is told before. */
void drill_words(const struct drill *d, char *text, size_t size);

/* The whole of it, behind drill_decide.  The verdict goes into the history too. */
struct verdict drill_do(struct drill *d);

#endif
