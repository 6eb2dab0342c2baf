/* SPDX-License-Identifier: PostgreSQL */
/*
 * The stop and the start of planned work: the server is stopped in good order, with the guard's
 * consent, and started again.  Whoever is killed in between leaves a server that has ended:
 * the guard goes on as after any other end, at the latest when the stamp of the hand-over has run
 * out.
 */
#ifndef PGV_PLANNED_H
#define PGV_PLANNED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/verdict.h"
#include "config/cfg.h"
#include "fence/fence_answer.h"
#include "postgres/server.h"

struct planned {
	const struct cfg *cfg;
	const char *program;   /* whose progress it is */
	bool quiet;            /* no progress on standard error */
	int64_t stop_limit_ms; /* of the clean stop, the operator's */
	int64_t begun_ms;
	int64_t told_ms; /* when progress was told last */
	struct server local;
	uint64_t final_lsn; /* where the WAL ends; 0: it was not shut down in good order */
	int64_t stopped_ms; /* when its end was seen; 0: not yet */
};

/* One line of progress on standard error: at once, or not more often than each two seconds. */
void planned_tell(struct planned *p, bool at_once, const char *what);

/* Does this node serve by right at this moment?  From its own files. */
enum fact planned_serves(const struct cfg *cfg);
/* Does the guard of this node live? */
enum fact planned_guarded(const struct cfg *cfg);

/* A checkpoint now makes that of the shutdown short.  0; or -errno (why in log). */
int planned_checkpoint(const struct planned *p, const struct deadline *dl) MUST_CHECK;

/*
 * How long the stop of a primary may take, in milliseconds: the operator's limit, and no longer
 * than until the guard would begin to fence.  The lease is not renewed while the server shuts down,
 * and a fence in the middle of it would be a failover.  0: too short for any stop; wait for the
 * next renewal.
 */
int64_t planned_stop_ms(int64_t lease_left_ms, int64_t fence_time_ms, int64_t limit_ms);

/*
 * Stops a primary in good order: the guard leaves the end of it to us until the stamp runs out.
 * What does not end in time is ended at once, and then final_lsn is 0.  Waits until dl for a lease
 * that leaves time for it.  0: no process of it is left.  -EAGAIN: no lease did; nothing was done.
 * Other -errno: with stopped_ms set it may run still, else the stamp could not be written and
 * nothing was done.
 */
int planned_stop_primary(struct planned *p, const struct deadline *dl) MUST_CHECK;

/* The verdict on that failure. */
struct verdict planned_not_stopped(const struct planned *p, int rc);

/*
 * Starts the server that planned_stop_primary has stopped, as the primary that it was, by rejoin's
 * rules.  One that is down again is tried again for patience_ms; one that is starting has a minute.
 * False: it was not seen to be a primary again; with local.state SERVER_STANDBY the other node took
 * over meanwhile.
 */
bool planned_start_primary(struct planned *p, int64_t patience_ms);

/* With a record: tells the witness that this node's server has ended.  False: it was not told, or
 * is not known to have been (why in log), or there is no record. */
bool planned_release(const struct planned *p);

/* From here on the guard goes on by itself. */
void planned_let_go(const struct planned *p);

/*
 * Has the other node do it, over the forced command of fencing, and tells what it said; wait_ms is
 * how long it may wait, where `what` knows that.  A connection that ends without an answer leaves
 * it at work there.
 */
struct verdict planned_ask_peer(struct planned *p, enum fence_ask what, int64_t wait_ms);

/* Asks one server, and waits a second at the most. */
struct server planned_ask(const struct cfg *cfg, enum pg_where where);

#endif
