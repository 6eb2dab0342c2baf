/* SPDX-License-Identifier: PostgreSQL */
/* Obstacles to a promotion are seen before it is begun, and taken out of its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/proc.h"
#include "base/state.h"
#include "heldreplay.h"
#include "node/path.h"
#include "pgstage.h"
#include "postgres/server_replay.h"
#include "postgres/wal_place.h"

#define PATIENCE 5000
#define N1       0
#define N2       1

static void sql(size_t node, const char *text)
{
	assert_int_equal(pgfixture_sql(&pgstage, node, text, NULL, 0), 0);
}

static void until(size_t node, const char *query, const char *wanted)
{
	assert_int_equal(pgfixture_until(&pgstage, node, query, wanted), 0);
}

static void set(size_t node, const char *setting, const char *value)
{
	char text[512], show[128];

	(void)snprintf(text, sizeof(text), "ALTER SYSTEM SET %s = '%s'", setting, value);
	sql(node, text);
	sql(node, "SELECT pg_reload_conf()");
	(void)snprintf(show, sizeof(show), "SELECT current_setting('%s')", setting);
	until(node, show, value);
}

static struct server_replay asked(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server_replay replay;

	server_replay_ask(&replay, &pgstage.cfg[N2], PG_LOCAL, &dl);
	assert_true(replay.known);
	return replay;
}

/* One look may fall between two waits. */
static void wait_held(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	while (!asked().held) {
		const struct deadline pause = deadline_in_ms(20);

		assert_false(deadline_passed(&dl));
		deadline_sleep(&pause);
	}
}

static int free_now(bool hard)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	return server_replay_free(&pgstage.cfg[N2], hard, &dl);
}

static void caught_up(void)
{
	char lsn[32], query[128];

	assert_int_equal(
	    pgfixture_sql(&pgstage, N1, "SELECT pg_current_wal_lsn()", lsn, sizeof(lsn)), 0);
	(void)snprintf(query, sizeof(query), "SELECT pg_last_wal_replay_lsn() >= '%s'", lsn);
	until(N2, query, "t");
}

static int set_up(void **state)
{
	const int rc = heldreplay_pair(state);

	if (rc == 0)
		caught_up();
	return rc;
}

static void at_rest_it_waits_for_wal(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server_replay replay = asked();

	(void)state;
	assert_true(replay.standby);
	assert_true(replay.waits_for_wal);
	assert_false(replay.held || replay.restoring || replay.has_restore);
	assert_string_equal(replay.apply_delay, "");
	assert_int_equal(free_now(true), 0);
	server_replay_ask(&replay, &pgstage.cfg[N1], PG_LOCAL, &dl);
	assert_true(replay.known);
	assert_false(replay.standby || replay.held || replay.waits_for_wal);
}

static void a_query_that_holds_it_up_is_cancelled(void **state)
{
	struct proc AUTO_PROC session = PROC_NONE;

	(void)state;
	heldreplay_begin(&session, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
	sql(N1, "DELETE FROM t WHERE n < 900");
	sql(N1, "VACUUM t");
	wait_held();
	assert_false(asked().waits_for_wal);
	assert_int_equal(free_now(false), 1);
	caught_up();
	assert_false(asked().held);
}

/* A transaction that does nothing has nothing that could be cancelled. */
static void a_transaction_that_is_idle_is_ended(void **state)
{
	char program[96];
	const char *const argv[] = { program, "-X",       "-h",       pgstage.cfg[N2].socket_dir,
				     "-U",    "postgres", "postgres", NULL };
	const struct proc_spec spec = { .argv = argv,
					.as_user = "postgres",
					.input = "BEGIN; SELECT count(*) FROM t;\n\\! sleep 60\n" };
	struct proc AUTO_PROC session = PROC_NONE;

	(void)state;
	(void)snprintf(program, sizeof(program), "%s/psql", pgstage.bin_dir);
	assert_int_equal(proc_start(&session, &spec), 0);
	until(N2, "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'", "1");
	sql(N1, "ALTER TABLE t ADD m integer");
	wait_held();
	assert_int_equal(free_now(false), 1);
	caught_up();
}

static void a_delay_is_seen(void **state)
{
	(void)state;
	set(N2, "recovery_min_apply_delay", "1h");
	assert_string_equal(asked().apply_delay, "1h");
	set(N2, "recovery_min_apply_delay", "0");
	assert_string_equal(asked().apply_delay, "");
}

static int try_restore(int64_t ms)
{
	const struct deadline dl = deadline_in_ms(ms);

	return server_replay_try_restore(&pgstage.cfg[N2], &dl);
}

static void a_restore_command_is_tried_as_a_promotion_runs_it(void **state)
{
	struct file_path said = file_data(&pgstage.cfg[N2], "said");
	struct file_path brought = file_data(&pgstage.cfg[N2], "pg_wal/pg_vrrp.restored");
	char text[STATE_TEXT_MAX];

	(void)state;
	assert_int_equal(try_restore(PATIENCE), 0);
	set(N2, "restore_command", "false");
	assert_true(asked().has_restore);
	assert_int_equal(try_restore(PATIENCE), 0);
	set(N2, "restore_command", "echo %f %p %r %% > said; touch %p");
	assert_int_equal(try_restore(PATIENCE), 0);
	assert_int_equal(state_read(said.text, text, sizeof(text)), 0);
	assert_string_equal(text, "00000002.history pg_wal/pg_vrrp.restored "
				  "000000010000000000000000 %\n");
	assert_int_equal(state_exists(brought.text), 0);
}

static void one_that_hangs_is_found(void **state)
{
	const int64_t begun = now_ms();

	(void)state;
	set(N2, "restore_command", "sleep 60");
	assert_int_equal(try_restore(500), -ETIMEDOUT);
	assert_in_range(now_ms() - begun, 500, 1500);
}

static void a_place_that_cannot_be_written_is_told(void **state)
{
	struct file_path place = file_data(&pgstage.cfg[N2], "pg_wal");
	char why[256] = "";

	(void)state;
	assert_int_equal(wal_place_writable(&pgstage.cfg[N2], why, sizeof(why)), FACT_YES);
	assert_int_equal(chmod(place.text, 0500), 0);
	assert_int_equal(wal_place_writable(&pgstage.cfg[N2], why, sizeof(why)), FACT_NO);
	assert_non_null(strstr(why, "pg_wal: Permission denied"));
	assert_int_equal(chmod(place.text, 0700), 0);
	assert_int_equal(wal_place_writable(&pgstage.cfg[N2], why, sizeof(why)), FACT_YES);
}

/* In mounts of this process alone: the server goes on below. */
static void expect_place(const char *told)
{
	char why[256] = "";

	assert_int_equal(wal_place_writable(&pgstage.cfg[N2], why, sizeof(why)), FACT_NO);
	if (strstr(why, told) == NULL)
		fail_msg("%s; wanted: %s", why, told);
}

static void a_full_or_read_only_file_system_is_told(void **state)
{
	struct file_path place = file_data(&pgstage.cfg[N2], "pg_wal");
	char why[256] = "";

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", place.text, "tmpfs", 0, "size=8m,mode=0777"), 0);
	expect_place("pg_wal: No space left on device");
	assert_int_equal(mount("none", place.text, "tmpfs", MS_REMOUNT, "size=32m"), 0);
	assert_int_equal(wal_place_writable(&pgstage.cfg[N2], why, sizeof(why)), FACT_YES);
	assert_int_equal(mount("none", place.text, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=32m"), 0);
	expect_place("pg_wal: Read-only file system");
	assert_int_equal(umount(place.text), 0);
}

/* The end: the pair is none any more. */
static void a_restore_under_way_is_seen(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	(void)state;
	set(N2, "restore_command", "sleep 3");
	assert_int_equal(pgfixture_stop(&pgstage, N1, SIGQUIT), 0);
	while (!asked().restoring) {
		const struct deadline pause = deadline_in_ms(20);

		assert_false(deadline_passed(&dl));
		deadline_sleep(&pause);
	}
	assert_false(asked().waits_for_wal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_rest_it_waits_for_wal),
		cmocka_unit_test(a_query_that_holds_it_up_is_cancelled),
		cmocka_unit_test(a_transaction_that_is_idle_is_ended),
		cmocka_unit_test(a_delay_is_seen),
		cmocka_unit_test(a_restore_command_is_tried_as_a_promotion_runs_it),
		cmocka_unit_test(one_that_hangs_is_found),
		cmocka_unit_test(a_place_that_cannot_be_written_is_told),
		cmocka_unit_test(a_full_or_read_only_file_system_is_told),
		cmocka_unit_test(a_restore_under_way_is_seen),
	};

	return cmocka_run_group_tests(tests, set_up, pgstage_end);
}
