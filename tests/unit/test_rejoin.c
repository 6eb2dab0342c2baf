/* SPDX-License-Identifier: PostgreSQL */
/* rejoin on two real servers: what brings a node back, and what is refused. */
#include <errno.h>
#include <fcntl.h>
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

#define main rejoin_main
#include "rejoin.c"
#undef main

#include "lib/pgctl.h"
#include "lib/rejoin_peer.h"
#include "lib/rewind.h"
#include "lib/state.h"
#include "pgfixture.h"
#include "pidspace.h"

static struct pgfixture servers;
static struct cfg *const n1 = &servers.cfg[0];
static struct cfg *const n2 = &servers.cfg[1];

/* ---- two servers ---- */

static int stop(size_t node)
{
	const struct pgctl_stop stages = { .fast_ms = 10000, .immediate_ms = 5000 };
	struct deadline dl = deadline_in_ms(16000);
	const char *how;
	int rc = pgctl_stop(&servers.cfg[node], &stages, &dl, &how);

	servers.postmaster[node] = 0;
	pidspace_reap();
	return rc;
}

/* No polite stage, and what it had not sent yet is lost. */
static int kill_now(size_t node)
{
	const struct pgctl_stop at_once = { 0 };
	struct deadline dl = deadline_in_ms(5000);
	const char *how;
	int rc = pgctl_stop(&servers.cfg[node], &at_once, &dl, &how);

	servers.postmaster[node] = 0;
	pidspace_reap();
	return rc;
}

static void crash(size_t node)
{
	assert_int_equal(kill_now(node), 0);
}

static int copy(const char *from, const char *to)
{
	const char *const argv[] = { "/bin/cp", "-a", from, to, NULL };

	return pgfixture_run(argv, false, NULL, 0);
}

static int drop(const char *path)
{
	const char *const argv[] = { "/bin/rm", "-rf", path, NULL };

	return pgfixture_run(argv, false, NULL, 0);
}

/* Each test begins with a copy of the same two data directories. */
static const char *golden(size_t node)
{
	static char path[CFG_PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s.golden", servers.cfg[node].data_dir);
	return path;
}

static int make_golden(void **unused)
{
	(void)unused;
	if (pgfixture_pair(&servers) < 0)
		return -1;
	if (pgfixture_sql(&servers, 0,
			  "GRANT pg_checkpoint TO pgvrrp; CREATE TABLE t (n int);"
			  "INSERT INTO t VALUES (1)",
			  NULL, 0) < 0)
		return -1;
	for (size_t node = 0; node < CFG_NODES; node++)
		if (stop(node) < 0 || copy(servers.cfg[node].data_dir, golden(node)) != 0)
			return -1;
	return 0;
}

static int remove_all(void **unused)
{
	(void)unused;
	pgfixture_end(&servers);
	return 0;
}

static int set_up(void **unused)
{
	(void)unused;
	for (size_t node = 0; node < CFG_NODES; node++) {
		const struct cfg *cfg = &servers.cfg[node];

		if (drop(cfg->data_dir) != 0 || drop(cfg->run_dir) != 0 ||
		    drop(cfg->state_dir) != 0 || copy(golden(node), cfg->data_dir) != 0 ||
		    files_prepare(cfg) < 0 || pgfixture_start(&servers, node, true) < 0)
			return -1;
		/* The fixture's own logs are root's. */
		if (unlink(cfg->log_file) < 0)
			return -1;
	}
	return pgfixture_until(&servers, 0, "SELECT state FROM pg_stat_replication", "streaming");
}

static int tear_down(void **unused)
{
	int rc = 0;

	(void)unused;
	for (size_t node = 0; node < CFG_NODES; node++)
		rc = kill_now(node) < 0 ? -1 : rc;
	return rc;
}

static void sql(size_t node, const char *text)
{
	assert_int_equal(pgfixture_sql(&servers, node, text, NULL, 0), 0);
}

static void until(size_t node, const char *query, const char *wanted)
{
	assert_int_equal(pgfixture_until(&servers, node, query, wanted), 0);
}

/* Everything that was written on the primary has come. */
static void caught_up(size_t primary, size_t standby)
{
	char lsn[32], query[96];

	assert_int_equal(
	    pgfixture_sql(&servers, primary, "SELECT pg_current_wal_flush_lsn()", lsn, sizeof(lsn)),
	    0);
	(void)snprintf(query, sizeof(query), "SELECT pg_last_wal_replay_lsn() >= '%s'", lsn);
	until(standby, query, "t");
}

static void promote(size_t node)
{
	sql(node, "SELECT pg_promote()");
	until(node, "SELECT pg_is_in_recovery()", "f");
}

/* ---- rejoin ---- */

static const struct options by_hand = { 0 };

static struct verdict rejoin_with(const struct cfg *cfg, const struct options *options)
{
	const struct cli cli = { .program = "rejoin" };
	struct cfg quick = *cfg;

	quick.rejoin_budget_ms = 20000;
	return run(&quick, &cli, options);
}

static void rejoins(const struct cfg *cfg, const struct options *options, enum outcome outcome,
		    const char *rule)
{
	struct verdict verdict = rejoin_with(cfg, options);

	if (verdict.outcome != outcome || strcmp(verdict.rule, rule) != 0)
		print_error("%s %s: %s (%s)\n", outcome_word(verdict.outcome), verdict.rule,
			    verdict.message, verdict.detail);
	assert_string_equal(verdict.rule, rule);
	assert_int_equal(verdict.outcome, outcome);
}

static bool history_has(const struct cfg *cfg, const char *what)
{
	char text[STATE_TEXT_MAX];

	return state_read(file_state(cfg, "history").text, text, sizeof(text)) == 0 &&
	       strstr(text, what) != NULL;
}

static void stays_down(const struct cfg *cfg)
{
	assert_int_equal(pgdata_processes(cfg, NULL, 0), 0);
}

/* ---- nothing to do ---- */

static void nothing_to_do_is_yes(void **unused)
{
	(void)unused;
	rejoins(n1, &by_hand, OUT_YES, "primary");
	rejoins(n2, &by_hand, OUT_YES, "streaming");
	assert_false(history_has(n2, "rejoined"));
}

/* ---- an old primary ---- */

/* n1 has commits that n2 never got, n2 is promoted, n1 was fenced. */
static void fail_over_with_loss(void)
{
	assert_int_equal(stop(1), 0);
	sql(0, "INSERT INTO t SELECT generate_series(100, 200)");
	crash(0);
	assert_int_equal(pgfixture_start(&servers, 1, true), 0);
	promote(1);
	sql(1, "INSERT INTO t VALUES (2)");
	assert_int_equal(fenced_write(n1, "test", "n2"), 0);
}

static void crashed_primary_is_rewound(void **unused)
{
	char name[16];
	int track;

	(void)unused;
	fail_over_with_loss();
	rejoins(n1, &by_hand, OUT_YES, "streaming");
	until(0, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
	assert_int_equal(fenced_read(n1).present, FACT_NO);
	assert_int_equal(rewinding_read(n1).present, FACT_NO);
	assert_true(history_has(n1, "rewound"));
	assert_true(history_has(n1, "rejoined"));
	assert_int_equal(track_read(n1, "election", &track), 0);
	assert_int_equal(track, TRACK_YES);
	/* Its configuration is its own, though pg_rewind makes all files the other's. */
	assert_int_equal(pgfixture_sql(&servers, 0, "SHOW cluster_name", name, sizeof(name)), 0);
	assert_string_equal(name, "n1");
	/* And the second run finds it done. */
	rejoins(n1, &by_hand, OUT_YES, "streaming");
}

static void clean_primary_follows_without_rewind(void **unused)
{
	(void)unused;
	caught_up(0, 1);
	assert_int_equal(stop(0), 0);
	promote(1);
	rejoins(n1, &by_hand, OUT_YES, "streaming");
	assert_false(history_has(n1, "rewound"));
	sql(1, "INSERT INTO t VALUES (2)");
	until(0, "SELECT count(*) FROM t", "2");
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
		(void)rejoin_with(n1, &by_hand);
		_exit(0);
	}
	while (rewinding_read(n1).present != FACT_YES && !deadline_passed(&dl))
		(void)poll(NULL, 0, 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	pidspace_reap();
	assert_int_equal(rewinding_read(n1).present, FACT_YES);
	stays_down(n1);
	/* Whatever gives the right to start: not now. */
	crash(1);
	assert_int_equal(stamp_write(n1, "lease", now_ms() + 4000, "test"), 0);
	assert_int_equal(fenced_clear(n1), 0);
	rejoins(n1, &by_hand, OUT_REFUSED, "half-rewound");
	stays_down(n1);
	assert_int_equal(pgfixture_start(&servers, 1, true), 0);
	rejoins(n1, &by_hand, OUT_YES, "streaming");
	until(0, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
}

/* pg_rewind came to its end, whoever ran it did not. */
static void ended_rewind_is_adopted(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	struct proc AUTO_PROC child = PROC_NONE;

	(void)unused;
	fail_over_with_loss();
	assert_int_equal(rewind_recover(n1, &dl), 0);
	assert_int_equal(peer_checkpoint(n1, 2, &dl), 0);
	assert_int_equal(rewind_keep_config(n1), 0);
	assert_int_equal(rewinding_write(n1, 1, false), 0);
	assert_int_equal(rewind_begin(&child, n1, &dl), 0);
	assert_int_equal(proc_wait(&child, &dl), 0);
	assert_int_equal(child.exit_code, 0);
	rejoins(n1, &by_hand, OUT_YES, "streaming");
	assert_int_equal(rewinding_read(n1).present, FACT_NO);
	until(0, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
}

static void failed_rewind_is_told_and_not_repeated_at_once(void **unused)
{
	const struct options automatic = { .automatic = true };
	struct cfg wrong = *n1;
	struct verdict verdict;

	(void)unused;
	fail_over_with_loss();
	sql(1, "REVOKE EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) FROM pgvrrp");
	verdict = rejoin_with(&wrong, &by_hand);
	assert_string_equal(verdict.rule, "rewind-failed");
	assert_int_equal(verdict.outcome, OUT_INCOMPLETE);
	assert_non_null(strstr(verdict.detail, "permission denied"));
	stays_down(n1);
	rejoins(n1, &automatic, OUT_REFUSED, "rewind-pause");
	sql(1, "GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) TO pgvrrp");
	rejoins(n1, &by_hand, OUT_YES, "streaming");
}

/* ---- a primary again ---- */

static void crashed_primary_resumes_by_its_standbys_vote(void **unused)
{
	const struct options no_resume = { .automatic = true, .no_resume = true };
	const struct options only_look = { .gate = true };
	int64_t until_ms;

	(void)unused;
	crash(0);
	rejoins(n1, &no_resume, OUT_REFUSED, "restart-wait");
	rejoins(n1, &only_look, OUT_YES, "resume");
	stays_down(n1);
	rejoins(n1, &by_hand, OUT_YES, "resumed");
	until(0, "SELECT pg_is_in_recovery()", "f");
	assert_int_equal(stamp_read(n1, "grant", &until_ms, NULL, 0), 0);
	assert_true(until_ms > now_ms() && until_ms <= now_ms() + n1->lease_ms);
	until(0, "SELECT state FROM pg_stat_replication", "streaming");
}

static void nobody_answers_and_it_stays_down(void **unused)
{
	const struct options only_look = { .gate = true };
	const struct options word = { .assume_peer_down = "n2" };
	const struct options wrong_word = { .assume_peer_down = "n1" };

	(void)unused;
	crash(0);
	crash(1);
	rejoins(n1, &by_hand, OUT_REFUSED, "nobody-answers");
	rejoins(n1, &only_look, OUT_REFUSED, "nobody-answers");
	rejoins(n1, &wrong_word, OUT_USAGE, "usage");
	assert_int_equal(fenced_write(n1, "test", "n2"), 0);
	rejoins(n1, &word, OUT_REFUSED, "fenced");
	stays_down(n1);
	assert_int_equal(fenced_clear(n1), 0);
	/* The standby starts all the same, and its vote is what the primary waits for. */
	rejoins(n2, &by_hand, OUT_YES, "no-primary");
	assert_int_equal(stop(1), 0);
	rejoins(n1, &word, OUT_YES, "resumed");
}

static void withdrawn_vote_is_no_vote_and_is_given_back(void **unused)
{
	char conninfo[SERVER_CONNINFO_MAX];
	struct deadline dl = deadline_in_ms(1000);
	int AUTO_FD lock = -1;

	(void)unused;
	assert_int_equal(
	    pgfixture_sql(&servers, 1, "SHOW primary_conninfo", conninfo, sizeof(conninfo)), 0);
	assert_int_equal(withdrawn_write(n2, conninfo), 0);
	sql(1, "ALTER SYSTEM SET primary_conninfo = ''");
	sql(1, "SELECT pg_reload_conf()");
	until(1, "SHOW primary_conninfo", "");
	crash(0);
	rejoins(n1, &by_hand, OUT_REFUSED, "takeover-under-way");
	stays_down(n1);
	/* While promote_safe works it is left alone, then given back. */
	assert_int_equal(lock_take(&lock, file_run(n2, "promote.lock").text, &dl), 0);
	rejoins(n2, &by_hand, OUT_REFUSED, "promotion-under-way");
	assert_int_equal(close(lock), 0);
	lock = -1;
	rejoins(n2, &by_hand, OUT_YES, "no-primary");
	assert_int_equal(withdrawn_read(n2, conninfo, sizeof(conninfo)), FACT_NO);
	rejoins(n1, &by_hand, OUT_YES, "resumed");
	until(0, "SELECT state FROM pg_stat_replication", "streaming");
}

/* ---- a standby beyond the fork ---- */

/* n1 becomes what it was before n2 got its last commit, and is promoted from there. */
static void running_standby_beyond_the_fork_is_rewound(void **unused)
{
	char saved[CFG_PATH_MAX + 16];

	(void)unused;
	(void)snprintf(saved, sizeof(saved), "%s.saved", n1->data_dir);
	assert_int_equal(stop(0), 0);
	assert_int_equal(copy(n1->data_dir, saved), 0);
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	sql(0, "INSERT INTO t SELECT generate_series(100, 200)");
	caught_up(0, 1);
	crash(0);
	assert_int_equal(drop(n1->data_dir), 0);
	assert_int_equal(rename(saved, n1->data_dir), 0);
	rejoins(n1, &by_hand, OUT_REFUSED, "peer-ahead");
	assert_int_equal(pgdata_make_standby(n1, ""), 0);
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	promote(0);
	sql(0, "INSERT INTO t VALUES (2)");
	rejoins(n2, &by_hand, OUT_YES, "streaming");
	assert_true(history_has(n2, "rewound"));
	until(1, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
}

/* ---- refusals ---- */

static void wrong_directories_are_refused(void **unused)
{
	struct cfg wrong = *n1;
	char path[CFG_PATH_MAX + 32];

	(void)unused;
	wrong.version++;
	rejoins(&wrong, &by_hand, OUT_REFUSED, "wrong-version");
	wrong.version--;
	(void)snprintf(wrong.data_dir, sizeof(wrong.data_dir), "%s/nothing", servers.dir);
	rejoins(&wrong, &by_hand, OUT_REFUSED, "directory-missing");
	/* A server of our port that is not ours. */
	wrong = *n1;
	(void)snprintf(wrong.data_dir, sizeof(wrong.data_dir), "%s", n2->data_dir);
	assert_int_equal(stop(1), 0);
	rejoins(&wrong, &by_hand, OUT_REFUSED, "port-taken");
	(void)snprintf(path, sizeof(path), "%s/recovery.signal", n2->data_dir);
	assert_int_equal(state_write(path, "", 0600, false), 0);
	(void)snprintf(path, sizeof(path), "%s/standby.signal", n2->data_dir);
	assert_int_equal(unlink(path), 0);
	rejoins(n2, &by_hand, OUT_REFUSED, "recovery-signal");
}

static void second_rejoin_and_dry_run_do_nothing(void **unused)
{
	const struct options automatic = { .automatic = true };
	const struct cli dry = { .program = "rejoin", .dry_run = true };
	struct deadline dl = deadline_in_ms(1000);
	struct verdict verdict;
	int AUTO_FD lock = -1;

	(void)unused;
	crash(0);
	verdict = run(n1, &dry, &by_hand);
	assert_string_equal(verdict.rule, "dry-run");
	stays_down(n1);
	assert_int_equal(lock_take(&lock, file_run(n1, "rejoin.lock").text, &dl), 0);
	rejoins(n1, &automatic, OUT_REFUSED, "already-running");
	stays_down(n1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nothing_to_do_is_yes),
		TEST(crashed_primary_is_rewound),
		TEST(clean_primary_follows_without_rewind),
		TEST(killed_rewind_is_taken_up),
		TEST(ended_rewind_is_adopted),
		TEST(failed_rewind_is_told_and_not_repeated_at_once),
		TEST(crashed_primary_resumes_by_its_standbys_vote),
		TEST(nobody_answers_and_it_stays_down),
		TEST(withdrawn_vote_is_no_vote_and_is_given_back),
		TEST(running_standby_beyond_the_fork_is_rewound),
		TEST(wrong_directories_are_refused),
		TEST(second_rejoin_and_dry_run_do_nothing),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, make_golden, remove_all);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
