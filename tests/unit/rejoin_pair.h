/* SPDX-License-Identifier: PostgreSQL */
/*
 * Two real servers for tests of rejoin: n1 a primary, n2 its standby; each test begins with a copy
 * of the same two data directories.  Table t has one row, 1.  Functions without a result fail the
 * test.
 */
#ifndef REJOIN_PAIR_H
#define REJOIN_PAIR_H

#include <stdbool.h>

#include "base/verdict.h"
#include "pgfixture.h"

extern struct pgfixture pair_servers;

/* For cmocka_run_group_tests and cmocka_unit_test_setup_teardown. */
int pair_make(void **unused);
int pair_remove(void **unused);
int pair_set_up(void **unused);
int pair_tear_down(void **unused);

/* Fast, and with everything sent; or SIGKILL to all at once, and what was not sent is lost. */
int pair_stop(size_t node);
void pair_crash(size_t node);
/* After a crash: it is started, and stopped (fast) while it still reads its WAL. */
void pair_stop_in_recovery(size_t node);
int pair_copy(const char *from, const char *to);
int pair_drop(const char *path);

void pair_sql(size_t node, const char *text);
void pair_until(size_t node, const char *query, const char *wanted);
void pair_caught_up(size_t primary, size_t standby);
void pair_promote(size_t node);

/* One run of rejoin, with options as on its command line. */
struct pair_options {
	bool automatic, gate, no_resume, dry_run, without_salvage, rebuild, check, lift;
	const char *assume_peer_down, *discard;
};
struct verdict pair_rejoin(const struct cfg *cfg, const struct pair_options *options);
void pair_rejoins(const struct cfg *cfg, const struct pair_options *options, enum outcome outcome,
		  const char *rule);
bool pair_history_has(const struct cfg *cfg, const char *what);
void pair_stays_down(const struct cfg *cfg);

#endif
