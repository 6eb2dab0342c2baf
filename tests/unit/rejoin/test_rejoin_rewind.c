/* SPDX-License-Identifier: PostgreSQL */
/* rejoin on two real servers: an old primary, or a standby beyond the fork. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/proc.h"
#include "node/mark.h"
#include "node/stamp.h"
#include "node/track.h"
#include "pidspace.h"
#include "postgres/pgdata.h"
#include "rejoin/rejoin_peer.h"
#include "rejoin_pair.h"
#include "rewind/rewind.h"

static struct cfg *const n1 = &pair_servers.cfg[0];
static struct cfg *const n2 = &pair_servers.cfg[1];
static const struct pair_options by_hand = { 0 };
static const struct pair_options only_look = { .gate = true };
static const struct pair_options dry_run = { .dry_run = true };

/* n1 has commits that n2 never got, n2 is promoted, n1 was fenced. */
static void fail_over_with_loss(void)
{
	assert_int_equal(pair_stop(1), 0);
	pair_sql(0, "INSERT INTO t SELECT generate_series(100, 200)");
	pair_crash(0);
	assert_int_equal(pgfixture_start(&pair_servers, 1, true), 0);
	pair_promote(1);
	pair_sql(1, "INSERT INTO t VALUES (2)");
	assert_int_equal(fenced_write(n1, "test", FENCED_BY_PEER), 0);
}

static void crashed_primary_is_rewound(void **unused)
{
	char name[16];
	int track;

	(void)unused;
	fail_over_with_loss();
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	pair_until(0, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
	assert_int_equal(fenced_read(n1).present, FACT_NO);
	assert_int_equal(rewinding_read(n1).present, FACT_NO);
	assert_true(pair_history_has(n1, "rewound"));
	assert_true(pair_history_has(n1, "rejoined"));
	assert_int_equal(track_read(n1, TRACK_ELECTION, &track), 0);
	assert_int_equal(track, TRACK_YES);
	/* Its configuration is its own, though pg_rewind makes all files the other's. */
	assert_int_equal(pgfixture_sql(&pair_servers, 0, "SHOW cluster_name", name, sizeof(name)),
			 0);
	assert_string_equal(name, "n1");
	/* And the second run finds it done. */
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
}

/* Stopped (fast) while it recovered: its end is not the checkpoint that its control file names. */
static void recovery_cut_short_is_rewound_at_once(void **unused)
{
	(void)unused;
	assert_int_equal(pair_stop(1), 0);
	pair_sql(0, "INSERT INTO t SELECT generate_series(1000, 400000)");
	pair_crash(0);
	pair_stop_in_recovery(0);
	assert_int_equal(pgfixture_start(&pair_servers, 1, true), 0);
	pair_promote(1);
	assert_int_equal(fenced_write(n1, "test", FENCED_BY_PEER), 0);
	pair_rejoins(n1, &only_look, OUT_REFUSED, "rewind");
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	assert_true(pair_history_has(n1, "rewound"));
	pair_until(0, "SELECT count(*) FROM t", "1");
}

static void clean_primary_follows_without_rewind(void **unused)
{
	(void)unused;
	pair_caught_up(0, 1);
	assert_int_equal(pair_stop(0), 0);
	pair_promote(1);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	assert_false(pair_history_has(n1, "rewound"));
	pair_sql(1, "INSERT INTO t VALUES (2)");
	pair_until(0, "SELECT count(*) FROM t", "2");
}

/*
 * The standby has followed onto the new timeline, of which its control file knows nothing yet, and
 * its walreceiver is started anew (for another slot): nothing that would have to be kept or
 * rewound.
 */
static void standby_between_two_walreceivers_has_not_diverged(void **unused)
{
	(void)unused;
	pair_caught_up(0, 1);
	assert_int_equal(pair_stop(0), 0);
	pair_promote(1);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	pair_sql(1, "INSERT INTO t VALUES (2)");
	pair_until(0, "SELECT count(*) FROM t", "2");
	pair_until(0, "SELECT timeline_id FROM pg_control_checkpoint()", "1");
	pair_sql(0, "ALTER SYSTEM SET wal_retrieve_retry_interval = '1min'");
	pair_sql(0, "ALTER SYSTEM SET primary_slot_name = 'nowhere'");
	pair_sql(0, "SELECT pg_reload_conf()");
	pair_until(0, "SELECT count(*) FROM pg_stat_wal_receiver", "0");
	pair_rejoins(n1, &dry_run, OUT_INCOMPLETE, "not-streaming");
	pair_sql(0, "ALTER SYSTEM RESET wal_retrieve_retry_interval");
	pair_sql(0, "ALTER SYSTEM RESET primary_slot_name");
	pair_sql(0, "SELECT pg_reload_conf()");
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	assert_false(pair_history_has(n1, "rewound"));
}

/* Killed when pg_rewind is at work: never started half-way, and brought back by the next runs. */
static void killed_rewind_is_taken_up(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	pid_t child;

	(void)unused;
	fail_over_with_loss();
	child = fork();
	if (child == 0) {
		(void)pair_rejoin(n1, &by_hand);
		_exit(0);
	}
	while (rewinding_read(n1).present != FACT_YES && !deadline_passed(&dl))
		(void)poll(NULL, 0, 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	pidspace_reap();
	assert_int_equal(rewinding_read(n1).present, FACT_YES);
	pair_stays_down(n1);
	/* Whatever gives the right to start: not now. */
	pair_crash(1);
	assert_int_equal(stamp_write(n1, STAMP_LEASE, now_ms() + 4000, "test"), 0);
	assert_int_equal(fenced_clear(n1), 0);
	pair_rejoins(n1, &by_hand, OUT_REFUSED, "half-rewound");
	pair_stays_down(n1);
	assert_int_equal(pgfixture_start(&pair_servers, 1, true), 0);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	pair_until(0, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
}

/* The state in which pg_rewind leaves the WAL of its target before it has fetched all: the worst
 * moment. */
static void destroy_wal(void)
{
	static const char *const endings[] = { "5", "6", "7", "8", "9" };
	char path[CFG_PATH_MAX + 64];

	for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
		(void)snprintf(path, sizeof(path), "%s/pg_wal/00000001000000000000000%s",
			       n1->data_dir, endings[i]);
		if (i % 2 == 0)
			(void)unlink(path);
		else if (truncate(path, 0) < 0)
			assert_int_equal(errno, ENOENT);
	}
}

static void destroyed_wal_is_put_back_and_rewound_again(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	char why[200];
	struct pgdata_control control, source;
	char from[CFG_PATH_MAX + 32], to[CFG_PATH_MAX + 32];
	const char *const argv[] = { "/bin/cp", from, to, NULL };

	(void)unused;
	fail_over_with_loss();
	assert_int_equal(rewind_recover(n1, &dl, why, sizeof(why)), 0);
	pgdata_control(&control, n1, &dl);
	assert_int_equal(rewind_keep_config(n1), 0);
	assert_int_equal(rewind_keep_wal(n1, &control), 0);
	assert_int_equal(rewinding_write(n1, control.system_identifier, false), 0);
	destroy_wal();
	/* Even the last file that pg_rewind writes; but not in this boot, so it proves nothing. */
	pair_sql(1, "CHECKPOINT");
	(void)snprintf(from, sizeof(from), "%s/global/pg_control", n2->data_dir);
	(void)snprintf(to, sizeof(to), "%s/global/pg_control", n1->data_dir);
	assert_int_equal(pgfixture_run(argv, false, NULL, 0), 0);
	pgdata_control(&source, n1, &dl);
	assert_int_equal(source.timeline, 2);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	pair_until(0, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
	assert_int_equal(rewind_wal_kept(n1), FACT_NO);
}

/*
 * The rewind overwrites the histories too, and empties each before it has fetched it: rejoin took
 * the two for unrelated, and put the WAL back once a second for ever (seed 39 in async mode).
 */
static void destroyed_history_is_put_back_too(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	char why[200];
	struct pgdata_control control;
	char path[CFG_PATH_MAX + 64];

	(void)unused;
	fail_over_with_loss();
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	/* And the other way round: now there is a timeline that has a history. */
	assert_int_equal(pair_stop(0), 0);
	pair_sql(1, "INSERT INTO t SELECT generate_series(100, 200)");
	pair_crash(1);
	assert_int_equal(pgfixture_start(&pair_servers, 0, true), 0);
	pair_promote(0);
	assert_int_equal(rewind_recover(n2, &dl, why, sizeof(why)), 0);
	pgdata_control(&control, n2, &dl);
	assert_int_equal(control.timeline, 2);
	assert_int_equal(rewind_keep_config(n2), 0);
	assert_int_equal(rewind_keep_wal(n2, &control), 0);
	assert_int_equal(rewinding_write(n2, control.system_identifier, false), 0);
	(void)snprintf(path, sizeof(path), "%s/pg_wal/00000002.history", n2->data_dir);
	assert_int_equal(truncate(path, 0), 0);
	pair_rejoins(n2, &by_hand, OUT_YES, "streaming");
	pair_until(1, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
}

/* pg_rewind came to its end, whoever ran it did not. */
static void ended_rewind_is_adopted(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	char why[200];
	struct proc AUTO_PROC child = PROC_NONE;

	(void)unused;
	fail_over_with_loss();
	assert_int_equal(rewind_recover(n1, &dl, why, sizeof(why)), 0);
	assert_int_equal(peer_checkpoint(n1, 2, &dl), 0);
	assert_int_equal(rewind_keep_config(n1), 0);
	assert_int_equal(rewinding_write(n1, 1, false), 0);
	assert_int_equal(rewind_begin(&child, n1, &dl), 0);
	assert_int_equal(proc_wait(&child, &dl), 0);
	assert_int_equal(child.exit_code, 0);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	assert_int_equal(rewinding_read(n1).present, FACT_NO);
	pair_until(0, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
}

static void failed_rewind_is_told_and_not_repeated_at_once(void **unused)
{
	const struct pair_options automatic = { .automatic = true };
	struct cfg wrong = *n1;
	struct verdict verdict;

	(void)unused;
	fail_over_with_loss();
	pair_sql(1, "REVOKE EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) FROM pgvrrp");
	verdict = pair_rejoin(&wrong, &by_hand);
	assert_string_equal(verdict.rule, "rewind-failed");
	assert_int_equal(verdict.outcome, OUT_INCOMPLETE);
	assert_non_null(strstr(verdict.detail, "permission denied"));
	pair_stays_down(n1);
	pair_rejoins(n1, &automatic, OUT_REFUSED, "rewind-pause");
	pair_sql(1, "GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) TO pgvrrp");
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
}

/* n1 becomes what it was before n2 got its last commit, and is promoted from there. */
static void running_standby_beyond_the_fork_is_rewound(void **unused)
{
	char saved[CFG_PATH_MAX + 16];

	(void)unused;
	(void)snprintf(saved, sizeof(saved), "%s.saved", n1->data_dir);
	assert_int_equal(pair_stop(0), 0);
	assert_int_equal(pair_copy(n1->data_dir, saved), 0);
	assert_int_equal(pgfixture_start(&pair_servers, 0, true), 0);
	pair_sql(0, "INSERT INTO t SELECT generate_series(100, 200)");
	pair_caught_up(0, 1);
	pair_crash(0);
	assert_int_equal(pair_drop(n1->data_dir), 0);
	assert_int_equal(rename(saved, n1->data_dir), 0);
	pair_rejoins(n1, &by_hand, OUT_REFUSED, "peer-ahead");
	assert_int_equal(pgdata_make_standby(n1, "", false), 0);
	assert_int_equal(pgfixture_start(&pair_servers, 0, true), 0);
	pair_promote(0);
	pair_sql(0, "INSERT INTO t VALUES (2)");
	pair_rejoins(n2, &by_hand, OUT_YES, "streaming");
	assert_true(pair_history_has(n2, "rewound"));
	pair_until(1, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(crashed_primary_is_rewound),
		TEST(recovery_cut_short_is_rewound_at_once),
		TEST(clean_primary_follows_without_rewind),
		TEST(standby_between_two_walreceivers_has_not_diverged),
		TEST(killed_rewind_is_taken_up),
		TEST(destroyed_wal_is_put_back_and_rewound_again),
		TEST(destroyed_history_is_put_back_too),
		TEST(ended_rewind_is_adopted),
		TEST(failed_rewind_is_told_and_not_repeated_at_once),
		TEST(running_standby_beyond_the_fork_is_rewound),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, pair_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
