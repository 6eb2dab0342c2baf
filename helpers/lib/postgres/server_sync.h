/* SPDX-License-Identifier: PostgreSQL */
/*
 * Synchronous replication on and off, and whether commits go by it yet.
 */
#ifndef PGV_SERVER_SYNC_H
#define PGV_SERVER_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"

/* The value of synchronous_standby_names with which commits wait for the other node.  -EFBIG when
 * it does not fit. */
int server_sync_names(const struct cfg *cfg, char *names, size_t size) MUST_CHECK;

/*
 * Does a value of synchronous_standby_names have this node in its list, by its name or by "*"?
 * Without, no commit waits for that node.  With others in the list one may be told of that waited
 * for them alone.  Names are compared as PostgreSQL does, without case.  Pure.
 */
bool server_sync_lists(const char *names, const char *node);

/*
 * ALTER SYSTEM SET synchronous_standby_names on the local server, a standby too, then a reload;
 * waits until a new connection shows it.  "": no commit waits, whatever stands in postgresql.conf.
 * 0; -EPROTO: the server said no; -ENOTCONN, -ETIMEDOUT (why in log).
 */
int server_set_sync(const struct cfg *cfg, const char *names, const struct deadline *dl) MUST_CHECK;

/* The same, and not looked at: for a server that takes it only when its files are in order. */
int server_write_sync(const struct cfg *cfg, const char *names,
		      const struct deadline *dl) MUST_CHECK;

/*
 * Does every commit from now on go by `names`?  That it is shown is not enough: commits look at a
 * flag that the checkpointer sets when it has read the configuration again.  YES: shown by a new
 * connection and taken by the checkpointer; a commit that did not wait is at the server's current
 * write position at the most.  NO: not shown.  UNKNOWN: could not be seen, as when the checkpointer
 * is busy; ask again.  One look, some 5 ms.
 */
enum fact server_sync_settled(const struct cfg *cfg, const char *names, const struct deadline *dl);

/*
 * Does this release let commits through unsynchronized for a moment after each start?  15.0
 * to 15.12, 16.0 to 16.8 and 17.0 to 17.4 begin with the flag of SyncRepWaitForLSN unset, as if no
 * standby were synchronous, until the checkpointer has read the configuration for the first time;
 * later ones know that it was not set yet, and go by the setting (release notes
 * of 15.13, 16.9, 17.5).  Pure; version_num as SHOW server_version_num gives it.
 */
bool server_sync_late(int64_t version_num);

#endif
