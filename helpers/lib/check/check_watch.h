/* SPDX-License-Identifier: PostgreSQL */
/*
 * check_primary --watch: round after round over connections that are kept, so that nothing is
 * started and nothing is connected while all is well.  Started and watched over by the guard, which
 * ends it with itself; keepalived's scripts read what it has left (node/answer.h), and ask for
 * themselves where that is missing or too old.
 */
#ifndef PGV_CHECK_WATCH_H
#define PGV_CHECK_WATCH_H

#include <stdint.h>

#include "base/verdict.h"
#include "config/cfg.h"

/*
 * Runs until SIGTERM or SIGINT, or until the configuration file is another one than was read. told:
 * called with the verdict of each round and when that began.  Returns why it ended.
 */
struct verdict check_watch(const struct cfg *cfg,
			   void (*told)(const struct cfg *cfg, const struct verdict *verdict,
					int64_t asked_ms));

/*
 * How long a round may take: check_budget; and as long as the lease, of which left_ms are left, can
 * spare, when this node's server took took_ms for its last answer, and so is busy.  Pure.
 */
int64_t check_watch_budget_ms(const struct cfg *cfg, int64_t took_ms, int64_t left_ms);

#endif
