/* SPDX-License-Identifier: PostgreSQL */
/*
 * Looks for what holds up replay on the local standby.  A promotion replays to the end first, and
 * nothing bounds that: a query that conflicts with it under max_standby_streaming_delay = -1, a
 * recovery_min_apply_delay, a restore_command that does not end.  So it is looked at before
 * anything is promised to anybody.
 */
#ifndef PGV_SERVER_REPLAY_H
#define PGV_SERVER_REPLAY_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "config/cfg.h"
#include "postgres/pg.h"

struct server_replay {
	bool known;           /* else the rest is not */
	bool standby;         /* else neither of the rest is true */
	char apply_delay[32]; /* recovery_min_apply_delay; "": none */
	bool has_restore;     /* restore_command is set */
	/* the startup process, which replays, waits */
	bool held;          /* for sessions to end that are in its way */
	bool restoring;     /* for restore_command */
	bool waits_for_wal; /* for more WAL: all that can be replayed is */
};

/* Never fails: known says. */
void server_replay_ask(struct server_replay *replay, const struct cfg *cfg, enum pg_where where,
		       const struct deadline *dl);

/*
 * Does what PostgreSQL itself does when max_standby_streaming_delay is over, for all sessions that
 * might hold up replay: what runs is cancelled, a transaction that is idle is ended with its
 * session. hard: every one of them is ended.  How many were told, or -errno (why in log).
 */
int server_replay_free(const struct cfg *cfg, bool hard, const struct deadline *dl) MUST_CHECK;

/*
 * Does restore_command end?  It is run as PostgreSQL would at the end of a promotion, which asks
 * for the history of the timeline that it is about to begin; what it brings is thrown away, and so
 * is its exit code: that the archive has no such file is what is expected.  0: it ended, or none is
 * set; -ETIMEDOUT: it was still at work at the deadline, and was killed; another -errno.
 */
#define SERVER_RESTORE_MS 10000 /* what it may take: a promotion waits for it as long, or twice */
int server_replay_try_restore(const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

#endif
