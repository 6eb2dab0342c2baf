/* SPDX-License-Identifier: PostgreSQL */
/*
 * A node for tests of what the guard sees: run and state directories (nodefiles.h), and a data
 * directory with a process in it that has the name of a server.
 */
#ifndef GUARDNODE_H
#define GUARDNODE_H

#include <stdint.h>
#include <sys/types.h>

#include "guard/guard_look.h"
#include "node/path.h"
#include "node/stamp.h"

/* enum DBState of PostgreSQL */
enum { CRASH_RECOVERY = 4, ARCHIVE_RECOVERY = 5, PRODUCTION = 6 };

extern struct guard guard;
extern pid_t server;

/* For cmocka_unit_test_setup_teardown: with a record, the server down. */
int guardnode_set_up(void **unused);
int guardnode_tear_down(void **unused);

/* A path below the node's own directory: "data/PG_VERSION", "run/solo". */
struct file_path below(const char *name);

/* A guard that has seen nothing yet takes the place of the one that was there. */
void begin_guard(void);

void start_server(void);
void end_server(void);

/* What the server that runs has written: the state in pg_control, "ready   " in postmaster.pid. */
void becomes(uint32_t state, const char *status);

/* One look of the guard's; until when its lease lasts. */
int64_t look(void);

/* Writes a stamp of this boot, with a word. */
void stamp(enum stamp which, int64_t at_ms);

#endif
