/* SPDX-License-Identifier: PostgreSQL */
/*
 * recovery_target and its kin, as a restore leaves them behind.  Without standby.signal they mean
 * nothing; with it the server stops replaying at that point, and then waits, ends, or promotes
 * itself (recovery_target_action).
 */
#ifndef PGV_RECOVERY_TARGET_H
#define PGV_RECOVERY_TARGET_H

#include <stddef.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "postgres/pg.h"

/* Enough for a name, a value and a file. */
#define RECOVERY_TARGET_MAX 320

#define RECOVERY_TARGETS 5
extern const char *const recovery_targets[RECOVERY_TARGETS];

/*
 * Is one set for the server that is down?  YES with what set: "recovery_target_time = '2020-01-01'
 * in postgresql.auto.conf".  NO also where the files cannot be used: then the server does not start
 * and says why.  UNKNOWN: it could not be asked in time.
 */
enum fact recovery_target_of_files(char *what, size_t size, const struct cfg *cfg,
				   const struct deadline *dl);

/* The same of the local server, which runs, in a new connection. */
enum fact recovery_target_of_local(char *what, size_t size, const struct cfg *cfg,
				   const struct deadline *dl);

/* The same of a server that runs, in a connection that is there. */
enum fact recovery_target_of_server(char *what, size_t size, struct pg *pg,
				    const struct deadline *dl);

#endif
