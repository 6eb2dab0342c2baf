/* SPDX-License-Identifier: PostgreSQL */
/* The deeds of rejoin. */
#ifndef PGV_REJOIN_ACT_H
#define PGV_REJOIN_ACT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/verdict.h"
#include "rejoin/rejoin_gather.h"

/*
 * Does one step of those that change something.  True: look at everything again.  False: it is
 * over, and *verdict says how.  Each step can be killed at any line; the next run finds by looking
 * what is done and what is not.
 */
bool rejoin_act(struct rejoin *r, enum rejoin_step step, struct verdict *verdict);

/* Before a start, by whomever: removes the note about the server that ran here where it cannot be
 * read (server_promotion_forget). */
void rejoin_forget_promotion(const struct rejoin *r);

/* Prints what taking a new copy would do, and what would be kept before anything is overwritten;
 * both for --dry-run. */
void rejoin_salvage_plan(const struct rejoin *r, FILE *out);
void rejoin_rebuild_plan(const struct rejoin *r, FILE *out);

/* Tells people at a terminal what is being waited for, every two seconds. */
void rejoin_progress(struct rejoin *r, const char *what);

#endif
