/* SPDX-License-Identifier: PostgreSQL */
/*
 * Stopping and starting the server of the configured data directory.  Stopping is by signals to
 * verified processes, so that it needs neither SQL nor pg_ctl nor memory for either: SIGINT (fast),
 * SIGQUIT (immediate), SIGKILL to all; never smart.
 */
#ifndef PGV_PGCTL_H
#define PGV_PGCTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "config/cfg.h"

struct pgctl_stop {
	int64_t fast_ms;      /* 0: skip the fast stop */
	int64_t immediate_ms; /* 0: SIGKILL at once */
};

/*
 * Ends every process of the data directory, stage by stage, and looks that none is left (also when
 * the postmaster was already dead: orphaned backends go on committing).  Returns 0 (none runs),
 * -ETIMEDOUT (some left at the deadline, or in uninterruptible sleep), or -errno when it cannot be
 * told.  *how is set to a static word: "not running", "fast", "immediate", "killed".
 *
 * The first two stages end PGCTL_KILL_MS before the deadline at the latest, and SIGKILL is sent at
 * least once, even when the deadline has passed already.
 */
#define PGCTL_KILL_MS 200
int pgctl_stop(const struct cfg *cfg, const struct pgctl_stop *stop, const struct deadline *dl,
	       const char **how) MUST_CHECK;

/* A crash, for a drill: SIGKILL to the postmaster alone, whose children notice it by themselves. 0;
 * -ENOENT: none runs; -errno. */
int pgctl_crash(const struct cfg *cfg) MUST_CHECK;

/*
 * Starts the server, in its unit (unit.h) or else by pg_ctl as os_user (own session, survives us),
 * and waits until it answers or ends.  0: accepts connections (also one that has none for us: wrong
 * password, too many clients), or answers that it is starting at the deadline; -ECHILD: it ended
 * (see log_file); -ETIMEDOUT; -EINVAL: a path that cannot be passed on to it; -errno.  In a file of
 * its own: the guard stops servers and has no libpq in it.
 */
int pgctl_start(const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

#endif
