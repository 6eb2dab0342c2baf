/* SPDX-License-Identifier: PostgreSQL */
/* rejoin on two real servers: what starts again, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/lock.h"
#include "base/state.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "pidspace.h"
#include "postgres/server.h"
#include "rejoin_pair.h"

static struct cfg *const n1 = &pair_servers.cfg[0];
static struct cfg *const n2 = &pair_servers.cfg[1];
static const struct pair_options by_hand = { 0 };

static void nothing_to_do_is_yes(void **unused)
{
	(void)unused;
	pair_rejoins(n1, &by_hand, OUT_YES, "primary");
	pair_rejoins(n2, &by_hand, OUT_YES, "streaming");
	assert_false(pair_history_has(n2, "rejoined"));
}

static void crashed_primary_resumes_by_its_standbys_vote(void **unused)
{
	const struct pair_options no_resume = { .automatic = true, .no_resume = true };
	const struct pair_options only_look = { .gate = true };
	int64_t until_ms;

	(void)unused;
	pair_crash(0);
	pair_rejoins(n1, &no_resume, OUT_REFUSED, "restart-wait");
	pair_rejoins(n1, &only_look, OUT_YES, "resume");
	pair_stays_down(n1);
	pair_rejoins(n1, &by_hand, OUT_YES, "resumed");
	pair_until(0, "SELECT pg_is_in_recovery()", "f");
	assert_int_equal(stamp_read(n1, STAMP_GRANT, &until_ms, NULL, 0), 0);
	assert_true(until_ms > now_ms() && until_ms <= now_ms() + n1->lease_ms);
	pair_until(0, "SELECT state FROM pg_stat_replication", "streaming");
}

/* The start of a unit that rejoin waits for; its gate would wait for rejoin's locks. */
static void gate_lets_through_what_rejoin_has_decided(void **unused)
{
	const struct pair_options only_look = { .gate = true };
	struct deadline soon = deadline_in_ms(1000);
	int lock = -1;

	(void)unused;
	pair_crash(0);
	assert_int_equal(stamp_write(n1, STAMP_STARTING, now_ms() + n1->lease_ms, "unit"), 0);
	/* The grant of a run that was killed. */
	pair_rejoins(n1, &only_look, OUT_YES, "resume");
	assert_int_equal(lock_take(&lock, file_lock(n1, LOCK_REJOIN).text, &soon), 0);
	pair_rejoins(n1, &only_look, OUT_YES, "asked-for");
	/* The mark stands above it, but for a standby, which is fenced until it streams. */
	assert_int_equal(fenced_write(n1, "test", FENCED_BY_PEER), 0);
	assert_string_not_equal(pair_rejoin(n1, &only_look).rule, "asked-for");
	assert_int_equal(fenced_clear(n1), 0);
	assert_int_equal(stamp_write(n1, STAMP_STARTING, now_ms() - 1, "unit"), 0);
	pair_rejoins(n1, &only_look, OUT_YES, "resume");
	(void)close(lock);
	assert_int_equal(stamp_clear(n1, STAMP_STARTING), 0);
	pair_rejoins(n1, &by_hand, OUT_YES, "resumed");
}

/*
 * A fence, or a host that is switched off again, may stop it (fast) while it recovers: "shut down
 * in recovery" then, with the checkpoint of long before the crash, which says nothing of its end.
 */
static void recovery_cut_short_is_resumed(void **unused)
{
	(void)unused;
	pair_sql(0, "INSERT INTO t SELECT generate_series(1000, 400000)");
	pair_caught_up(0, 1);
	pair_crash(0);
	pair_stop_in_recovery(0);
	pair_rejoins(n1, &by_hand, OUT_YES, "resumed");
	pair_until(0, "SELECT state FROM pg_stat_replication", "streaming");
}

/* Without the guard's note nobody knows whose it is: then it is taken at its word. */
static void signal_file_that_came_while_the_primary_ran_does_not_count(void **unused)
{
	static const char *const names[] = { "standby.signal", "recovery.signal" };
	const struct pair_options no_resume = { .automatic = true, .no_resume = true };
	const struct pair_options only_look = { .gate = true };
	char path[CFG_PATH_MAX + 32], label[CFG_PATH_MAX + 32];

	(void)unused;
	(void)snprintf(label, sizeof(label), "%s/backup_label", n1->data_dir);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", n1->data_dir, names[i]);
		assert_int_equal(state_write(path, "", 0600, false), 0);
		pair_rejoins(n1, &by_hand, OUT_YES, "primary");
		assert_int_equal(stamp_write(n1, STAMP_STRAY, now_ms(), names[i]), 0);
		pair_crash(0);
		pair_rejoins(n1, &no_resume, OUT_REFUSED, "restart-wait");
		/* A copy of a primary has its state, and the files of whoever made it. */
		assert_int_equal(state_write(label, "", 0600, false), 0);
		pair_rejoins(n1, &only_look, i == 0 ? OUT_YES : OUT_REFUSED,
			     i == 0 ? "start-standby" : "recovery-signal");
		assert_int_equal(state_remove(label, false), 0);
		assert_int_equal(state_exists(path), 1);
		pair_rejoins(n1, &only_look, OUT_YES, "resume");
		assert_int_equal(state_exists(path), 0);
		pair_rejoins(n1, &by_hand, OUT_YES, "resumed");
		pair_until(0, "SELECT pg_is_in_recovery()", "f");
		assert_int_equal(state_exists(file_run(n1, "stray").text), 0);
	}
	(void)snprintf(path, sizeof(path), "%s/standby.signal", n1->data_dir);
	assert_int_equal(state_write(path, "", 0600, false), 0);
	pair_crash(0);
	pair_rejoins(n1, &only_look, OUT_YES, "start-standby");
}

static void nobody_answers_and_it_stays_down(void **unused)
{
	const struct pair_options only_look = { .gate = true };
	const struct pair_options word = { .assume_peer_down = "n2" };
	const struct pair_options wrong_word = { .assume_peer_down = "n1" };

	(void)unused;
	pair_crash(0);
	pair_crash(1);
	pair_rejoins(n1, &by_hand, OUT_REFUSED, "nobody-answers");
	pair_rejoins(n1, &only_look, OUT_REFUSED, "nobody-answers");
	pair_rejoins(n1, &wrong_word, OUT_USAGE, "usage");
	assert_int_equal(fenced_write(n1, "test", FENCED_BY_PEER), 0);
	pair_rejoins(n1, &by_hand, OUT_REFUSED, "fenced");
	pair_stays_down(n1);
	/* The standby starts all the same, and its vote is what the primary waits for. */
	pair_rejoins(n2, &by_hand, OUT_YES, "no-primary");
	assert_int_equal(pair_stop(1), 0);
	/* A person's word that the other node is off answers its fence as well. */
	pair_rejoins(n1, &word, OUT_YES, "resumed");
	assert_int_equal(fenced_read(n1).present, FACT_NO);
}

static void withdrawn_vote_is_no_vote_and_is_given_back(void **unused)
{
	char conninfo[SERVER_CONNINFO_MAX];
	struct deadline dl = deadline_in_ms(1000);
	int AUTO_FD lock = -1;

	(void)unused;
	assert_int_equal(
	    pgfixture_sql(&pair_servers, 1, "SHOW primary_conninfo", conninfo, sizeof(conninfo)),
	    0);
	assert_int_equal(withdrawn_write(n2, conninfo), 0);
	pair_sql(1, "ALTER SYSTEM SET primary_conninfo = ''");
	pair_sql(1, "SELECT pg_reload_conf()");
	pair_until(1, "SHOW primary_conninfo", "");
	pair_crash(0);
	pair_rejoins(n1, &by_hand, OUT_REFUSED, "takeover-under-way");
	pair_stays_down(n1);
	/* While promote_safe works it is left alone, then given back. */
	assert_int_equal(lock_take(&lock, file_lock(n2, LOCK_PROMOTE).text, &dl), 0);
	pair_rejoins(n2, &by_hand, OUT_REFUSED, "promotion-under-way");
	assert_int_equal(close(lock), 0);
	lock = -1;
	pair_rejoins(n2, &by_hand, OUT_YES, "no-primary");
	assert_int_equal(withdrawn_read(n2, conninfo, sizeof(conninfo)), FACT_NO);
	pair_rejoins(n1, &by_hand, OUT_YES, "resumed");
	pair_until(0, "SELECT state FROM pg_stat_replication", "streaming");
}

static void wrong_directories_are_refused(void **unused)
{
	struct cfg wrong = *n1;
	char path[CFG_PATH_MAX + 32];

	(void)unused;
	wrong.version++;
	pair_rejoins(&wrong, &by_hand, OUT_REFUSED, "wrong-version");
	wrong.version--;
	(void)snprintf(wrong.data_dir, sizeof(wrong.data_dir), "%s/nothing", pair_servers.dir);
	pair_rejoins(&wrong, &by_hand, OUT_REFUSED, "directory-missing");
	/* A server of our port that is not ours. */
	wrong = *n1;
	(void)snprintf(wrong.data_dir, sizeof(wrong.data_dir), "%s", n2->data_dir);
	assert_int_equal(pair_stop(1), 0);
	pair_rejoins(&wrong, &by_hand, OUT_REFUSED, "port-taken");
	(void)snprintf(path, sizeof(path), "%s/recovery.signal", n2->data_dir);
	assert_int_equal(state_write(path, "", 0600, false), 0);
	(void)snprintf(path, sizeof(path), "%s/standby.signal", n2->data_dir);
	assert_int_equal(unlink(path), 0);
	pair_rejoins(n2, &by_hand, OUT_REFUSED, "recovery-signal");
}

static void second_rejoin_and_dry_run_do_nothing(void **unused)
{
	const struct pair_options automatic = { .automatic = true };
	const struct pair_options dry = { .dry_run = true };
	struct deadline dl = deadline_in_ms(1000);
	int AUTO_FD lock = -1;

	(void)unused;
	pair_crash(0);
	pair_rejoins(n1, &dry, OUT_YES, "dry-run");
	pair_stays_down(n1);
	assert_int_equal(lock_take(&lock, file_lock(n1, LOCK_REJOIN).text, &dl), 0);
	pair_rejoins(n1, &automatic, OUT_REFUSED, "already-running");
	pair_stays_down(n1);
}

/* Told while all is well, when it can still be given. */
static void what_a_rewind_would_lack_is_told_before(void **unused)
{
	const struct pair_options check = { .check = true };

	(void)unused;
	pair_rejoins(n1, &check, OUT_YES, "ready");
	pair_rejoins(n2, &check, OUT_YES, "ready");
	pair_sql(0, "REVOKE EXECUTE ON FUNCTION pg_read_binary_file(text) FROM pgvrrp");
	pair_caught_up(0, 1);
	pair_rejoins(n2, &check, OUT_NO, "ready-rights");
	pair_sql(0, "GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO pgvrrp");
	pair_sql(0, "ALTER SYSTEM SET wal_keep_size = 0");
	pair_sql(0, "SELECT pg_reload_conf()");
	pair_until(0, "SHOW wal_keep_size", "0");
	pair_rejoins(n1, &check, OUT_NO, "ready-wal");
	assert_int_equal(pair_stop(0), 0);
	pair_rejoins(n2, &check, OUT_UNKNOWN, "ready-unknown");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nothing_to_do_is_yes),
		TEST(crashed_primary_resumes_by_its_standbys_vote),
		TEST(gate_lets_through_what_rejoin_has_decided),
		TEST(recovery_cut_short_is_resumed),
		TEST(signal_file_that_came_while_the_primary_ran_does_not_count),
		TEST(nobody_answers_and_it_stays_down),
		TEST(withdrawn_vote_is_no_vote_and_is_given_back),
		TEST(wrong_directories_are_refused),
		TEST(second_rejoin_and_dry_run_do_nothing),
		TEST(what_a_rewind_would_lack_is_told_before),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, pair_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
