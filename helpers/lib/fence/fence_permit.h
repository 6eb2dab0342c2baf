/* SPDX-License-Identifier: PostgreSQL */
/*
 * May an operator's fence_old switch the other node's host off, and when?  Pure.  Of two nodes that
 * do so at the same moment one has to be left.
 */
#ifndef PGV_FENCE_PERMIT_H
#define PGV_FENCE_PERMIT_H

#include <stdbool.h>

#include "base/outcome.h"
#include "fence/fence_record.h"

struct fence_permit {
	bool spare;        /* the node is to be left alone when it serves by right */
	enum fact standby; /* this node runs one */
	enum fact fenced;  /* this node itself */
	enum fact witness; /* it is seen from here */
	bool has_record;
	struct fence_row row;
	bool second; /* this node comes second in the configuration */
};

/* Why it must not; NULL: it may. */
const char *fence_refusal(const struct fence_permit *permit);

/* Does this node leave the other one the first shot?  Of the two exactly one does: with a row to go
 * by the one that does not hold the term, else the second in the configuration. */
bool fence_yields(const struct fence_permit *permit);

#endif
