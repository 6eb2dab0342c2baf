/* SPDX-License-Identifier: PostgreSQL */
/*
 * Synchronous replication on and off, and whether commits go by it yet.
 */
#ifndef PGV_SERVER_SYNC_H
#define PGV_SERVER_SYNC_H

#include <stddef.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"

/* The value of synchronous_standby_names with which commits wait for the other node.  -EFBIG when
 * it does not fit. */
int server_sync_names(const struct cfg *cfg, char *names, size_t size) MUST_CHECK;

/*
 * ALTER SYSTEM SET synchronous_standby_names on the local server, a standby too, then a reload;
 * waits until a new connection shows it.  "": no commit waits, whatever stands in postgresql.conf.
 * 0; -EPROTO: the server said no; -ENOTCONN, -ETIMEDOUT (why in log).
 */
int server_set_sync(const struct cfg *cfg, const char *names, const struct deadline *dl) MUST_CHECK;

/*
 * Does every commit from now on go by `names`?  That it is shown is not enough: commits look at a
 * flag that the checkpointer sets when it has read the configuration again.  YES: shown by a new
 * connection and taken by the checkpointer; a commit that did not wait is at the server's current
 * write position at the most.  NO: not shown.  UNKNOWN: could not be seen, as when the checkpointer
 * is busy; ask again.  One look, some 5 ms.
 */
enum fact server_sync_settled(const struct cfg *cfg, const char *names, const struct deadline *dl);

#endif
