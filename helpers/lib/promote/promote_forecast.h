/* SPDX-License-Identifier: PostgreSQL */
/* The decision of promote_safe if the primary died now, for cluster_status; pure. */
#ifndef PGV_PROMOTE_FORECAST_H
#define PGV_PROMOTE_FORECAST_H

#include "base/verdict.h"
#include "promote/promote_rules.h"

/*
 * Asks promote_decide with the facts as they would be: of `now` everything counts that a standby
 * knows of itself, of the witness and of the record.  What only the takeover brings is put in its
 * place.  The primary is silent, the standby wins the election, each step has the result that it is
 * meant to have: the vote is withdrawn, the lease runs out and the record stands still, received
 * WAL gets replayed, a host that can be switched off is off.  While it waits, the ways of fencing
 * that ask end with `proof` (FENCE_UNKNOWN: with nothing).
 *
 * Returns STEP_PROMOTE, or STEP_VERDICT; verdict is that of the rule that decided.
 */
enum promote_step promote_foresee(const struct promote_facts *now, enum fence_verdict proof,
				  struct verdict *verdict);

#endif
