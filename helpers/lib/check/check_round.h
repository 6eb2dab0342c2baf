/* SPDX-License-Identifier: PostgreSQL */
/*
 * One round of check_primary: asks this node's server, the other node's and the witness, leaves in
 * the node's files what they said, does what the record wants of a primary (duty.h), and fences
 * this node when it must not serve (check_must_fence).
 */
#ifndef PGV_CHECK_ROUND_H
#define PGV_CHECK_ROUND_H

#include <stdint.h>
#include <stdio.h>

#include "base/verdict.h"
#include "config/cfg.h"
#include "postgres/server.h"

/* Of this node's server. */
struct check_seen {
	enum server_state is;
	int64_t took_ms; /* until it answered, or until nobody waited any more */
};

/* started_ms: CLOCK_BOOTTIME; it takes [timing] check_budget from then at the most. */
struct verdict check_round(const struct cfg *cfg, int64_t started_ms, struct check_seen *seen);

/* The same, and to `out` how each rule came out; on a primary with a record also those of pairing
 * (duty_rules.h), as they stand after the round. */
struct verdict check_round_explained(const struct cfg *cfg, int64_t started_ms,
				     struct check_seen *seen, FILE *out);
/*
 * The same questions, the same verdict, and rules to `out` (NULL: not), and nothing is written: no
 * file of this node, no row, no setting, and nobody is fenced.  Where a step of a round would come
 * first (the first vote, the first look at a full disk), the verdict is that of before it.
 */
struct verdict check_look(const struct cfg *cfg, int64_t started_ms, struct check_seen *seen,
			  FILE *out);

#endif
