/* SPDX-License-Identifier: PostgreSQL */
/* The witness's record as a proof, and as the arbiter of who may switch whom off. */
#ifndef PGV_FENCE_RECORD_H
#define PGV_FENCE_RECORD_H

#include <stdbool.h>

#include "base/deadline.h"
#include "fence/fence.h"

/* The word of the record about the node that is to be fenced. */
struct fence_row {
	bool answered;  /* the witness did, with whatever */
	bool good;      /* a row to go by; else the rest is false */
	bool its_right; /* that node holds the term */
	bool paired;    /* the one that does not may take over */
	bool released;  /* the holder says that its server is down */
};

/*
 * Looks at the record, and fills the way "record": FENCED when the node holds the term and has
 * released it: its server is down, and nothing starts it without writing the row first.  In a test
 * READY when there is a row to go by.  Without a record nothing is done.
 */
struct fence_row fence_ask_record(struct fence *fence, const struct cfg *cfg,
				  const struct deadline *dl);

/* The pure part: the verdict for a row. */
enum fence_verdict fence_row_verdict(const struct fence_row *row, bool test);

#endif
