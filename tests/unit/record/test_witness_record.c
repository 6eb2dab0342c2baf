/* SPDX-License-Identifier: PostgreSQL */
/* witness_record against a real witness, with the directory of a real server. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/state.h"
#include "node/path.h"
#include "node/stamp.h"
#include "postgres/pg.h"
#include "record/record_act.h"
#include "record_stage.h"

static struct cfg *const n1 = &stage_servers.cfg[0];
static struct cfg *const n2 = &stage_servers.cfg[1];

static void a_clean_stop_is_released_with_its_end(void **unused)
{
	const struct deadline dl = deadline_in_ms(5000);
	struct pgdata_control control;
	char lsn[32];

	(void)unused;
	stage_record(true);
	assert_int_equal(stamp_write(n1, STAMP_SOLO, now_ms(), "record"), 0);
	assert_int_equal(stamp_write(n1, STAMP_GRANT, now_ms() + 1000, "promotion"), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "released");
	pgdata_control(&control, n1, &dl);
	lsn_format(control.checkpoint_lsn, lsn, sizeof(lsn));
	stage_row("final_lsn", lsn);
	stage_row("released, paired, term, holder", "t|t|1|n1");
	/* The right that it said to have given up is gone. */
	assert_int_equal(state_exists(file_run(n1, "solo").text), 0);
	assert_false(stamp_runs(n1, STAMP_GRANT));
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "already-released");
	stage_gives(n1, RECORD_SHOW, OUT_YES, "released");
	stage_row("version", "3");
}

static void after_a_crash_nobody_knows_the_end(void **unused)
{
	(void)unused;
	stage_record(true);
	assert_int_equal(pgfixture_start(&stage_servers, 0, true), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_REFUSED, "server-runs");
	stage_row("released", "f");
	assert_int_equal(pgfixture_stop(&stage_servers, 0, SIGQUIT), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "released");
	stage_row("released, final_lsn IS NULL", "t|t");
	/* A clean end for the tests that follow. */
	assert_int_equal(pgfixture_start(&stage_servers, 0, true), 0);
}

/* By a process that is there already, and keeps its connection. */
static void a_watch_that_is_woken_releases(void **unused)
{
	const struct deadline soon = deadline_in_ms(1000);
	int lock = -1;

	(void)unused;
	stage_record(true);
	assert_int_equal(stamp_write(n1, STAMP_SOLO, now_ms(), "record"), 0);
	pg_keep();
	assert_int_equal(lock_take(&lock, file_lock(n1, LOCK_START).text, &soon), 0);
	record_release_now(n1);
	stage_row("released", "f");
	(void)close(lock);
	record_release_now(n1);
	stage_row("released, version", "t|3");
	assert_int_equal(state_exists(file_run(n1, "solo").text), 0);
	/* The helper that the guard has started all the same has nothing to do. */
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "already-released");
	record_release_now(n1);
	stage_row("version", "3");
	pg_keep_end();
}

static void a_server_that_may_be_starting_is_not_released(void **unused)
{
	struct deadline soon = deadline_in_ms(1000);
	int lock = -1;

	(void)unused;
	stage_record(true);
	assert_int_equal(lock_take(&lock, file_lock(n1, LOCK_START).text, &soon), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_REFUSED, "start-under-way");
	(void)close(lock);
	/* The gate has let it start. */
	assert_int_equal(stamp_write(n1, STAMP_GRANT, now_ms() + n1->lease_ms, "record"), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_REFUSED, "start-under-way");
	/* A grant of too long ago, or of a server that ran. */
	assert_int_equal(stamp_write(n1, STAMP_GRANT, now_ms() - 1, "record"), 0);
	assert_int_equal(lock_take(&lock, file_lock(n1, LOCK_RECORD).text, &soon), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_REFUSED, "already-running");
	(void)close(lock);
	stage_row("released", "f");
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "released");
}

static void what_the_other_node_holds_is_not_ours_to_release(void **unused)
{
	(void)unused;
	stage_record(true);
	stage_gives(n2, RECORD_RELEASE, OUT_YES, "held-by-other");
	stage_row("released, version", "f|2");
}

static void a_directory_that_is_no_primarys_is_not_released(void **unused)
{
	char signal_file[CFG_PATH_MAX + 32];
	struct cfg elsewhere = *n1;

	(void)unused;
	stage_record(false);
	(void)snprintf(signal_file, sizeof(signal_file), "%s/standby.signal", n1->data_dir);
	assert_int_equal(state_write(signal_file, "\n", 0644, false), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_REFUSED, "no-primary");
	assert_int_equal(state_remove(signal_file, false), 0);
	(void)snprintf(elsewhere.data_dir, sizeof(elsewhere.data_dir), "/nowhere");
	stage_gives(&elsewhere, RECORD_RELEASE, OUT_UNKNOWN, "system-unknown");
	stage_row("released", "f");
}

/* The guard saw the file beside a primary that ran: the other node need not wait for what has
 * ended. */
static void a_primarys_directory_is_one_whatever_was_put_there(void **unused)
{
	static const char *const names[] = { "standby.signal", "recovery.signal" };
	char path[CFG_PATH_MAX + 32];

	(void)unused;
	stage_record(true);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", n1->data_dir, names[i]);
		assert_int_equal(state_write(path, "\n", 0644, false), 0);
		stage_gives(n1, RECORD_RELEASE, OUT_REFUSED, "no-primary");
	}
	assert_int_equal(stamp_write(n1, STAMP_STRAY, now_ms(), names[0]), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "released");
	assert_int_equal(pgdata_forget_signals(n1), 0);
	assert_int_equal(stamp_clear(n1, STAMP_STRAY), 0);
}

static void a_row_that_has_changed_is_looked_at_again(void **unused)
{
	struct record_task t = { .cfg = n1,
				 .dl = deadline_in_ms(30000),
				 .facts = { .ask = RECORD_RELEASE } };
	struct verdict verdict;

	(void)unused;
	stage_record(true);
	record_gather(&t);
	assert_int_equal(record_decide(&t.facts, &verdict), RECORD_WRITE);
	stage_renew();
	assert_int_equal(stage_put(&t), 0);
	assert_string_equal(t.view.record.refused, "stale");
	stage_row("released", "f");
	assert_string_equal(stage_go_on(&t).rule, "released");
	record_end(&t.link);
	stage_row("released, version", "t|4");
}

static void a_dry_run_changes_nothing(void **unused)
{
	struct verdict verdict;

	(void)unused;
	stage_record(true);
	assert_int_equal(stamp_write(n1, STAMP_SOLO, now_ms(), "record"), 0);
	verdict = stage_run(n1, RECORD_RELEASE, true);
	assert_string_equal(verdict.rule, "release");
	assert_int_equal(verdict.outcome, OUT_YES);
	stage_row("released, version", "f|2");
	assert_int_equal(state_exists(file_run(n1, "solo").text), 1);
}

/* ---- pause ---- */

/* Nobody is there to go solo. */
static void a_pause_that_is_not_followed_is_not_done(void **unused)
{
	(void)unused;
	stage_record(true);
	stage_gives(n2, RECORD_PAUSE, OUT_INCOMPLETE, "still-paired");
	stage_row("paused, paired", "t|t");
	/* Of a holder that is down nothing is to be waited for. */
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "released");
	stage_gives(n2, RECORD_PAUSE, OUT_INCOMPLETE, "still-paired");
}

static void a_pause_stands_until_it_is_taken_back(void **unused)
{
	(void)unused;
	stage_record(false);
	stage_gives(n2, RECORD_RESUME, OUT_YES, "not-paused");
	stage_gives(n2, RECORD_PAUSE, OUT_YES, "paused");
	stage_row("paused, version", "t|2");
	stage_gives(n1, RECORD_PAUSE, OUT_YES, "paused");
	stage_gives(n1, RECORD_SHOW, OUT_YES, "solo");
	stage_gives(n1, RECORD_RESUME, OUT_YES, "resumed");
	stage_row("paused, version", "f|3");
}

#define test(function) cmocka_unit_test_setup_teardown(function, stage_set_up, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_clean_stop_is_released_with_its_end),
		test(after_a_crash_nobody_knows_the_end),
		test(a_watch_that_is_woken_releases),
		test(a_server_that_may_be_starting_is_not_released),
		test(what_the_other_node_holds_is_not_ours_to_release),
		test(a_directory_that_is_no_primarys_is_not_released),
		test(a_primarys_directory_is_one_whatever_was_put_there),
		test(a_row_that_has_changed_is_looked_at_again),
		test(a_dry_run_changes_nothing),
		test(a_pause_that_is_not_followed_is_not_done),
		test(a_pause_stands_until_it_is_taken_back),
	};

	log_open("test", false);
	return cmocka_run_group_tests(tests, stage_make, stage_end);
}
