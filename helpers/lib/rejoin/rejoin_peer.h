/* SPDX-License-Identifier: PostgreSQL */
/* Questions of rejoin to the other node's server beyond server_ask. */
#ifndef PGV_REJOIN_PEER_H
#define PGV_REJOIN_PEER_H

#include <stdint.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "postgres/history_file.h"

/* The history of the timeline that it writes.  0 or -errno (why in the log). */
int peer_history(struct history_file *history, const struct cfg *cfg, uint32_t timeline,
		 const struct deadline *dl) MUST_CHECK;

/* The history of a timeline, from our own data directory. */
int our_history(struct history_file *history, const struct cfg *cfg, uint32_t timeline) MUST_CHECK;

/* Has it removed WAL that comes right after lsn?  On whichever timeline: they share their past. */
enum fact peer_wal_gone(const struct cfg *cfg, uint64_t lsn, const struct deadline *dl);

/*
 * Waits until its control file knows `timeline`, which after a promotion takes a checkpoint: before
 * version 16 pg_rewind(1) goes by the control file, and would find nothing to do.  Asks for the
 * checkpoint, which the role may do from version 15 on, and else waits for the server's own.  0,
 * -ETIMEDOUT, -errno.
 */
int peer_checkpoint(const struct cfg *cfg, uint32_t timeline, const struct deadline *dl) MUST_CHECK;

#endif
