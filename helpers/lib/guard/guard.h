/* SPDX-License-Identifier: PostgreSQL */
/*
 * The guard: the resident dead-man's switch of a node (fence_self --watch).  It never speaks SQL:
 * it watches the postmaster by pidfd, asks the witness itself, reads the peer's vote from the file
 * that check_primary leaves, and fences when the lease ends.  What needs libpq it starts as a
 * helper, first of all the check_primary that leaves them (guard_house.h).
 */
#ifndef PGV_GUARD_H
#define PGV_GUARD_H

#include "base/auto.h"
#include "base/verdict.h"
#include "config/cfg.h"

/*
 * Runs until SIGTERM or SIGINT (OUT_YES), or until it cannot go on.  Takes guard.lock: a second
 * guard is refused.  verdict is filled.
 */
void guard_run(const struct cfg *cfg, struct verdict *verdict);

#endif
