/* SPDX-License-Identifier: PostgreSQL */
/*
 * Synchronous replication on and off on a real primary whose standby is away: a commit that waits,
 * waits for ever.  What server_sync_settled says is always held against such a commit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "pgstage.h"
#include "postgres/pg.h"
#include "postgres/server_sync.h"

#define PATIENCE 5000
#define N1       0
#define N2       1
/* A commit that is not done by then waits for the standby. */
#define COMMIT_MS 300
/* Of the server that is looked at while something is frozen. */
#define FROZEN_LOOKS 5

static char names[64]; /* with which commits on n1 wait for n2 */

static void sql(size_t node, const char *text)
{
	assert_int_equal(pgfixture_sql(&pgstage, node, text, NULL, 0), 0);
}

static void until(size_t node, const char *query, const char *wanted)
{
	assert_int_equal(pgfixture_until(&pgstage, node, query, wanted), 0);
}

static int set(size_t node, const char *value)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	return server_set_sync(&pgstage.cfg[node], value, &dl);
}

static enum fact settled(size_t node, const char *value)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	return server_sync_settled(&pgstage.cfg[node], value, &dl);
}

/* Asked again while it is not known, as whoever needs to know it does. */
static enum fact settled_at_last(size_t node, const char *value)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	enum fact fact;

	do
		fact = settled(node, value);
	while (fact == FACT_UNKNOWN && !deadline_passed(&dl));
	return fact;
}

static bool commit_waits(void)
{
	const struct deadline connect = deadline_in_ms(PATIENCE);
	struct pg AUTO_PG *pg = NULL;
	struct pg_result AUTO_PG_RESULT *row = NULL;
	enum pg_failure failure;
	struct deadline dl;
	char why[160];
	int rc;

	assert_int_equal(
	    pg_open(&pg, &pgstage.cfg[N1], PG_LOCAL, &connect, &failure, why, sizeof(why)), 0);
	dl = deadline_in_ms(COMMIT_MS);
	rc = pg_query(&row, pg, "SELECT pg_logical_emit_message(true, 'test', 'x')", 1, 1, &dl);
	if (rc != 0)
		assert_int_equal(rc, -ETIMEDOUT);
	return rc != 0;
}

static pid_t checkpointer(void)
{
	char pid[32];

	assert_int_equal(
	    pgfixture_sql(&pgstage, N1,
			  "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
			  pid, sizeof(pid)),
	    0);
	return (pid_t)strtol(pid, NULL, 10);
}

/* Sets `value` while the checkpointer cannot take it, and then lets it. */
static void set_behind_its_back(const char *value, bool waits_before, bool waits_after)
{
	const pid_t pid = checkpointer();

	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(set(N1, value), 0);
	for (int i = 0; i < FROZEN_LOOKS; i++)
		assert_int_equal(settled(N1, value), FACT_UNKNOWN);
	assert_int_equal(commit_waits(), waits_before);
	assert_int_equal(settled(N1, value), FACT_UNKNOWN);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(settled_at_last(N1, value), FACT_YES);
	assert_int_equal(commit_waits(), waits_after);
}

static void the_name_is_the_other_nodes_in_quotes(void **state)
{
	struct cfg cfg = pgstage.cfg[N1];
	char out[64];

	(void)state;
	assert_int_equal(server_sync_names(&cfg, out, sizeof(out)), 0);
	assert_string_equal(out, "\"n2\"");
	assert_int_equal(server_sync_names(&pgstage.cfg[N2], out, sizeof(out)), 0);
	assert_string_equal(out, "\"n1\"");
	assert_int_equal(server_sync_names(&cfg, out, 4), -EFBIG);
	/* what a node may be called, and the setting reads otherwise without quotes */
	(void)snprintf(cfg.nodes[N2].name, sizeof(cfg.nodes[N2].name), "any-1");
	assert_int_equal(server_sync_names(&cfg, out, sizeof(out)), 0);
	assert_int_equal(set(N1, out), 0);
	until(N1, "SHOW synchronous_standby_names", "\"any-1\"");
	assert_int_equal(set(N1, ""), 0);
}

static void the_other_node_is_found_in_every_form_of_a_list(void **state)
{
	static const char *const with[] = {
		"n2",       "\"n2\"", "N2", "n3, n2", "FIRST 1 (\"n2\")", "*", "ANY 2(n3,\"N2\" )",
		"2 (n2,n3)"
	};
	static const char *const without[] = {
		"", "n3", "n22", "\"n2 \"", "\"n2\"\"x\"", "\"*\"", "ANY 1 (n1, n3)"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(with); i++)
		if (!server_sync_lists(with[i], "n2"))
			fail_msg("not found in %s", with[i]);
	for (size_t i = 0; i < ARRAY_COUNT(without); i++)
		if (server_sync_lists(without[i], "n2"))
			fail_msg("found in %s", without[i]);
}

static void commits_wait_when_it_is_on_and_no_longer_when_it_is_off(void **state)
{
	(void)state;
	assert_int_equal(settled(N1, names), FACT_NO);
	assert_int_equal(settled_at_last(N1, ""), FACT_YES);
	assert_false(commit_waits());
	assert_int_equal(set(N1, names), 0);
	assert_int_equal(settled_at_last(N1, names), FACT_YES);
	assert_int_equal(settled(N1, ""), FACT_NO);
	assert_true(commit_waits());
	/* a second time is no error */
	assert_int_equal(set(N1, names), 0);
	assert_int_equal(set(N1, ""), 0);
	assert_int_equal(settled_at_last(N1, ""), FACT_YES);
	assert_false(commit_waits());
}

static void off_is_off_whatever_the_file_says(void **state)
{
	(void)state;
	assert_int_equal(pgfixture_configure(&pgstage, N1, "synchronous_standby_names = '*'\n"), 0);
	assert_int_equal(set(N1, ""), 0);
	assert_int_equal(settled_at_last(N1, ""), FACT_YES);
	assert_false(commit_waits());
	assert_int_equal(pgfixture_configure(&pgstage, N1, "synchronous_standby_names = ''\n"), 0);
}

/* The new value is shown, and commits go by the old one. */
static void a_checkpointer_that_has_not_taken_it_is_noticed(void **state)
{
	(void)state;
	set_behind_its_back(names, false, true);
	set_behind_its_back("", true, false);
}

static void *spread_checkpoint(void *arg)
{
	(void)arg;
	/* The only command that asks for one.  Ends with the checkpoint, and psql gives it up. */
	(void)pgfixture_sql(&pgstage, N1, "SELECT pg_backup_start('test', false)", NULL, 0);
	return NULL;
}

#define CHECKPOINTER_WAITS \
	"SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'checkpointer'"

/* One page each 0.1 s: it goes on for a minute unless somebody is in a hurry. */
static void it_is_taken_in_the_middle_of_a_checkpoint_too(void **state)
{
	pthread_t thread;

	(void)state;
	/* Compressed, a dozen pages would hold them all, and a slow host would miss
	 * the checkpoint. */
	sql(N1, "CREATE TABLE pages (g int, t text)");
	sql(N1, "ALTER TABLE pages ALTER t SET STORAGE PLAIN");
	sql(N1, "INSERT INTO pages SELECT g, repeat('x', 7000) FROM generate_series(1, 600) AS g");
	assert_int_equal(pthread_create(&thread, NULL, spread_checkpoint, NULL), 0);
	until(N1, CHECKPOINTER_WAITS, "CheckpointWriteDelay");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(set(N1, names), 0);
		assert_int_equal(settled_at_last(N1, names), FACT_YES);
		assert_true(commit_waits());
		assert_int_equal(set(N1, ""), 0);
		assert_int_equal(settled_at_last(N1, ""), FACT_YES);
		assert_false(commit_waits());
	}
	set_behind_its_back(names, false, true);
	set_behind_its_back("", true, false);
	until(N1, CHECKPOINTER_WAITS, "CheckpointWriteDelay");
	sql(N1, "CHECKPOINT");
	assert_int_equal(pthread_join(thread, NULL), 0);
	until(N1, CHECKPOINTER_WAITS, "CheckpointerMain");
	sql(N1, "DROP TABLE pages");
}

/* Each time at another moment of what the checkpointer does with it. */
static void yes_is_never_said_too_early(void **state)
{
	int at_once = 0;

	(void)state;
	for (int i = 0; i < 12; i++) {
		const struct deadline dl = deadline_in_ms(PATIENCE);
		const struct cfg *cfg = &pgstage.cfg[N1];

		/* not set(): the first session that shows it is the one that settled() asks */
		sql(N1, "ALTER SYSTEM SET synchronous_standby_names = '\"n2\"'");
		assert_int_equal(kill(pgstage.postmaster[N1], SIGHUP), 0);
		while (server_sync_settled(cfg, names, &dl) != FACT_YES)
			assert_false(deadline_passed(&dl));
		assert_true(commit_waits());
		assert_int_equal(set(N1, ""), 0);
		if (settled(N1, "") == FACT_YES) {
			at_once++;
			assert_false(commit_waits());
		}
	}
	/* Else nobody who looks once a second would ever get there. */
	assert_int_not_equal(at_once, 0);
}

static void a_server_that_will_not_or_cannot_is_told(void **state)
{
	const struct deadline dl = deadline_in_ms(300);
	const int64_t begun = now_ms();

	(void)state;
	sql(N1, "REVOKE ALTER SYSTEM ON PARAMETER synchronous_standby_names FROM pgvrrp");
	assert_int_equal(set(N1, names), -EPROTO);
	sql(N1, "GRANT ALTER SYSTEM ON PARAMETER synchronous_standby_names TO pgvrrp");
	assert_int_equal(set(N1, "FIRST ("), -EPROTO);
	assert_int_equal(settled_at_last(N1, ""), FACT_YES);

	assert_int_equal(kill(pgstage.postmaster[N1], SIGSTOP), 0);
	assert_int_equal(server_set_sync(&pgstage.cfg[N1], names, &dl), -ETIMEDOUT);
	assert_int_equal(server_sync_settled(&pgstage.cfg[N1], "", &dl), FACT_UNKNOWN);
	assert_int_equal(kill(pgstage.postmaster[N1], SIGCONT), 0);
	assert_in_range(now_ms() - begun, 0, PATIENCE);
}

static void *late_statement(void *arg)
{
	(void)arg;
	sql(N1, "SELECT pg_advisory_lock(1885828722, 1), pg_sleep(1)");
	return NULL;
}

/* The statement that a killed run left behind comes first, or the last word would be its. */
static void a_statement_that_is_still_at_it_is_waited_for(void **state)
{
	const struct deadline soon = deadline_in_ms(200);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, late_statement, NULL), 0);
	until(N1, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "1");
	assert_int_equal(server_set_sync(&pgstage.cfg[N1], names, &soon), -ETIMEDOUT);
	assert_int_equal(settled_at_last(N1, ""), FACT_YES);
	assert_int_equal(set(N1, names), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(set(N1, ""), 0);
}

/* Before it becomes a primary it must be off there. */
static void a_standby_takes_it_too(void **state)
{
	(void)state;
	assert_int_equal(pgfixture_start(&pgstage, N2, true), 0);
	until(N2, "SELECT pg_is_in_recovery()", "t");
	assert_int_equal(set(N2, "\"n1\""), 0);
	assert_int_equal(settled_at_last(N2, "\"n1\""), FACT_YES);
	assert_int_equal(set(N2, ""), 0);
	assert_int_equal(settled_at_last(N2, ""), FACT_YES);
}

static void a_standby_that_is_there_lets_them_go(void **state)
{
	(void)state;
	assert_int_equal(set(N1, names), 0);
	assert_int_equal(settled_at_last(N1, names), FACT_YES);
	until(N1, "SELECT sync_state FROM pg_stat_replication", "sync");
	assert_false(commit_waits());
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGQUIT), 0);
	assert_true(commit_waits());
}

static void nobody_there_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(pgfixture_stop(&pgstage, N1, SIGQUIT), 0);
	assert_int_equal(settled(N1, names), FACT_UNKNOWN);
	assert_int_equal(set(N1, ""), -ENOTCONN);
}

static int begin(void **state)
{
	if (pgstage_pair(state) != 0)
		return -1;
	if (pgfixture_stop(&pgstage, N2, SIGINT) == 0 &&
	    server_sync_names(&pgstage.cfg[N1], names, sizeof(names)) == 0)
		return 0;
	(void)pgstage_end(state);
	return -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_is_the_other_nodes_in_quotes),
		cmocka_unit_test(the_other_node_is_found_in_every_form_of_a_list),
		cmocka_unit_test(commits_wait_when_it_is_on_and_no_longer_when_it_is_off),
		cmocka_unit_test(off_is_off_whatever_the_file_says),
		cmocka_unit_test(a_checkpointer_that_has_not_taken_it_is_noticed),
		cmocka_unit_test(it_is_taken_in_the_middle_of_a_checkpoint_too),
		cmocka_unit_test(yes_is_never_said_too_early),
		cmocka_unit_test(a_server_that_will_not_or_cannot_is_told),
		cmocka_unit_test(a_statement_that_is_still_at_it_is_waited_for),
		cmocka_unit_test(a_standby_takes_it_too),
		cmocka_unit_test(a_standby_that_is_there_lets_them_go),
		cmocka_unit_test(nobody_there_is_unknown),
	};

	return cmocka_run_group_tests(tests, begin, pgstage_end);
}
