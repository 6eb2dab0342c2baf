/* SPDX-License-Identifier: PostgreSQL */
/* What rejoin does. */
#ifndef PGV_REJOIN_ACT_H
#define PGV_REJOIN_ACT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/outcome.h"
#include "rejoin/rejoin_gather.h"

/*
 * Does one step of those that change something.  True: look at everything again.  False: it is
 * over, and *verdict says how.  Each step can be killed at any line; the next run finds by looking
 * what is done and what is not.
 */
bool rejoin_act(struct rejoin *r, enum rejoin_step step, struct verdict *verdict);

/* What taking a new copy would do, and what would be kept before anything is overwritten; both for
 * --dry-run. */
void rejoin_salvage_plan(const struct rejoin *r, FILE *out);
void rejoin_rebuild_plan(const struct rejoin *r, FILE *out);

/* Tells people at a terminal what is being waited for, every two seconds. */
void rejoin_progress(struct rejoin *r, const char *what);

#endif
