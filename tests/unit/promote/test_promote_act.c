/* SPDX-License-Identifier: PostgreSQL */
/* The steps of promote_safe on a real pair, where something is in their way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/proc.h"
#include "base/state.h"
#include "heldreplay.h"
#include "node/mark.h"
#include "node/path.h"
#include "pgstage.h"
#include "promote/promote_act.h"

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

static int set_up(void **state)
{
	const int rc = heldreplay_pair(state);

	return rc < 0 ? rc : files_prepare(&pgstage.cfg[N2]);
}

/* Of a run that asks nobody to fence anything. */
static struct promotion begun(void)
{
	return (struct promotion){ .cfg = &pgstage.cfg[N2],
				   .dl = deadline_in_ms(PATIENCE),
				   .begun_ms = now_ms(),
				   .fence.request.ask = FENCE_ASK_SPARE,
				   .fence_held = -1 };
}

static void no_reload_is_needed_for_the_withdrawal(void **state)
{
	const struct file_path extra = file_data(&pgstage.cfg[N2], "extra.conf");
	struct promotion p = begun();
	char conninfo[SERVER_CONNINFO_MAX];

	(void)state;
	assert_int_equal(pgfixture_configure(&pgstage, N2, "include_if_exists = 'extra.conf'\n"),
			 0);
	assert_int_equal(state_write(extra.text, "nonsense = on\n", 0644, false), 0);
	promote_gather(&p);
	assert_int_equal(promote_withdraw(&p), 0);
	promote_refresh(&p, false);
	assert_int_equal(p.facts.withdrawn, FACT_YES);
	promote_give_back(&p);
	assert_int_equal(withdrawn_read(&pgstage.cfg[N2], conninfo, sizeof(conninfo)), FACT_NO);
	assert_int_equal(state_write(extra.text, "", 0644, false), 0);
	sql(N2, "SELECT pg_reload_conf()");
	until(N1, "SELECT state FROM pg_stat_replication", "streaming");
	promote_refresh(&p, false);
	assert_int_equal(p.facts.withdrawn, FACT_NO);
}

static void restore_command_that_hangs_is_found_before_the_window_begins(void **state)
{
	struct promotion p = begun();

	(void)state;
	sql(N2, "ALTER SYSTEM SET restore_command = 'sleep 60'");
	sql(N2, "SELECT pg_reload_conf()");
	until(N2, "SHOW restore_command", "sleep 60");
	promote_try_restore(&p);
	assert_true(p.facts.restore_hangs);
	assert_int_equal(p.observing_ms, 0);
	sql(N2, "ALTER SYSTEM RESET restore_command");
	sql(N2, "SELECT pg_reload_conf()");
	until(N2, "SHOW restore_command", "");
	p = begun();
	promote_try_restore(&p);
	assert_false(p.facts.restore_hangs);
}

/* A session on the standby, and what the primary does to its rows. */
static void hold_up_replay(struct proc *session, struct promotion *p, const char *delete)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	heldreplay_begin(session, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
	sql(N1, delete);
	sql(N1, "VACUUM t");
	promote_gather(p);
	while (!p->facts.held) {
		assert_false(deadline_passed(&dl));
		promote_refresh(p, false);
	}
	assert_int_not_equal(p->facts.replayed, FACT_YES);
}

static void sessions_that_hold_up_replay_are_ended(void **state)
{
	struct proc AUTO_PROC session = PROC_NONE;
	struct promotion p = begun();

	(void)state;
	hold_up_replay(&session, &p, "DELETE FROM t WHERE n < 500");
	promote_clear(&p);
	while (p.facts.replayed != FACT_YES) {
		const struct deadline pause = deadline_in_ms(50);

		assert_false(deadline_passed(&p.dl));
		deadline_sleep(&pause);
		promote_refresh(&p, false);
	}
	assert_false(p.facts.held);
}

/* The startup process ends the receiver, and cannot while it waits for a session. */
static void vote_is_withdrawn_though_replay_is_held_up(void **state)
{
	struct proc AUTO_PROC session = PROC_NONE;
	struct promotion p = begun();

	(void)state;
	hold_up_replay(&session, &p, "DELETE FROM t WHERE n < 700");
	assert_int_equal(promote_withdraw(&p), 0);
	promote_refresh(&p, false);
	assert_int_equal(p.facts.withdrawn, FACT_YES);
	promote_clear(&p);
	promote_give_back(&p);
	until(N1, "SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication", "t");
}

/* The end: it is a primary then.  As where the session has come between the last look and
 * the deed. */
static void a_promotion_that_is_held_up_is_helped(void **state)
{
	struct proc AUTO_PROC session = PROC_NONE;
	struct promotion p = begun();
	const struct deadline pause = deadline_in_ms(600);
	struct verdict verdict;

	(void)state;
	hold_up_replay(&session, &p, "DELETE FROM t WHERE n < 900");
	assert_int_equal(pgfixture_stop(&pgstage, N1, SIGQUIT), 0);
	until(N2, "SELECT count(*) FROM pg_stat_wal_receiver", "0");
	/* However little is left, and however long nothing has moved: that is not the end. */
	promote_refresh(&p, false);
	deadline_sleep(&pause);
	promote_refresh(&p, false);
	assert_false(p.local.receiving);
	assert_int_equal(p.facts.replayed, FACT_NO);
	verdict = promote_do(&p);
	assert_string_equal(verdict.rule, "promoted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_reload_is_needed_for_the_withdrawal),
		cmocka_unit_test(restore_command_that_hangs_is_found_before_the_window_begins),
		cmocka_unit_test(sessions_that_hold_up_replay_are_ended),
		cmocka_unit_test(vote_is_withdrawn_though_replay_is_held_up),
		cmocka_unit_test(a_promotion_that_is_held_up_is_helped),
	};

	return cmocka_run_group_tests(tests, set_up, pgstage_end);
}
