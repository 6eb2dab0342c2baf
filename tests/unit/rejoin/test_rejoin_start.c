/* SPDX-License-Identifier: PostgreSQL */
/* rejoin on two real servers: one that does not start, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/state.h"
#include "node/mark.h"
#include "node/path.h"
#include "pidspace.h"
#include "rejoin_pair.h"

static struct cfg *const n1 = &pair_servers.cfg[0];
static struct cfg *const n2 = &pair_servers.cfg[1];
static const struct pair_options by_hand = { 0 };

/* The rule, and that the detail has these words. */
static void says(const struct cfg *cfg, const struct pair_options *options, const char *rule,
		 const char *words)
{
	struct verdict verdict = pair_rejoin(cfg, options);

	/* The server was looked at while it ended. */
	for (int i = 0; i < 5 && strcmp(verdict.rule, "local-silent") == 0; i++)
		verdict = pair_rejoin(cfg, options);
	if (strcmp(verdict.rule, rule) != 0 || strstr(verdict.detail, words) == NULL)
		print_error("%s: %s (%s)\n", verdict.rule, verdict.message, verdict.detail);
	assert_string_equal(verdict.rule, rule);
	assert_non_null(strstr(verdict.detail, words));
	assert_true(verdict.outcome != OUT_YES);
}

static const char *in_data(const struct cfg *cfg, const char *name)
{
	static char path[CFG_PATH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/%s", cfg->data_dir, name);
	return path;
}

static bool auto_conf_has(const struct cfg *cfg, const char *words)
{
	char text[STATE_TEXT_MAX];

	assert_int_equal(state_read(in_data(cfg, "postgresql.auto.conf"), text, sizeof(text)), 0);
	return strstr(text, words) != NULL;
}

/* ---- the reason is in another log ---- */

static void why_it_does_not_start_is_in_the_verdict(void **unused)
{
	(void)unused;
	assert_int_equal(pair_stop(1), 0);
	assert_int_equal(pgfixture_configure(&pair_servers, 1, "nonsense = 3\n"), 0);
	says(n2, &by_hand, "start-failed", "unrecognized configuration parameter \"nonsense\"");
}

/* The standby does start, and ends as soon as it replays that. */
static void a_tablespace_that_is_on_the_primary_only_is_named(void **unused)
{
	char where[96], sql[160];
	struct stat owner;

	(void)unused;
	assert_int_equal(stat(n1->data_dir, &owner), 0);
	(void)snprintf(where, sizeof(where), "%s/apart", pair_servers.dir);
	assert_int_equal(mkdir(where, 0700), 0);
	assert_int_equal(chown(where, owner.st_uid, owner.st_gid), 0);
	assert_int_equal(pair_stop(1), 0);
	(void)snprintf(sql, sizeof(sql), "CREATE TABLESPACE apart LOCATION '%s'", where);
	pair_sql(0, sql);
	/* Both are on one host here. */
	assert_int_equal(rename(where, in_data(n1, "../away")), 0);
	says(n2, &by_hand, "start-failed", where);
	pidspace_reap();
	pair_stays_down(n2);
	says(n2, &by_hand, "start-failed", "does not exist");
	pidspace_reap();
	assert_int_equal(mkdir(where, 0700), 0);
	assert_int_equal(chown(where, owner.st_uid, owner.st_gid), 0);
	pair_rejoins(n2, &by_hand, OUT_YES, "streaming");
}

/* ---- settings of a restore ---- */

static void settings_of_a_restore_are_taken_away_when_it_becomes_a_standby(void **unused)
{
	(void)unused;
	pair_sql(0, "ALTER SYSTEM SET recovery_target_time = '2020-01-01 00:00:00+00'");
	pair_sql(0, "ALTER SYSTEM SET recovery_target_action = 'promote'");
	pair_sql(0, "ALTER SYSTEM SET recovery_min_apply_delay = '1h'");
	pair_sql(0, "ALTER SYSTEM SET work_mem = '5MB'");
	assert_int_equal(pair_stop(0), 0);
	pair_promote(1);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	pair_until(0, "SELECT pg_is_in_recovery()", "t");
	assert_false(auto_conf_has(n1, "recovery_target_time ="));
	assert_false(auto_conf_has(n1, "recovery_target_action"));
	assert_false(auto_conf_has(n1, "recovery_min_apply_delay"));
	assert_true(auto_conf_has(n1, "work_mem = '5MB'"));
	assert_true(pair_history_has(n1, "recovery_target_time = '2020-01-01 00:00:00+00'"));
	assert_true(pair_history_has(n1, "recovery_min_apply_delay = '1h'"));
	pair_sql(1, "INSERT INTO t VALUES (2)");
	pair_until(0, "SELECT count(*) FROM t", "2");
}

/* In a file that is not ours to edit: postgresql.auto.conf has the last word. */
static void a_target_in_another_file_is_overruled(void **unused)
{
	(void)unused;
	assert_int_equal(
	    pgfixture_configure(&pair_servers, 0, "recovery_target_lsn = '0/1000000'\n"), 0);
	assert_int_equal(pair_stop(0), 0);
	pair_promote(1);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	assert_true(auto_conf_has(n1, "recovery_target_lsn = ''"));
	assert_true(pair_history_has(n1, "recovery_target_lsn = '0/1000000'"));
}

/* A target that is there when a standby starts that nobody just made is a person's, or
 * forgotten. */
static void a_standby_with_a_target_is_not_started(void **unused)
{
	const struct pair_options gate = { .gate = true };

	(void)unused;
	pair_sql(1, "ALTER SYSTEM SET recovery_target_time = '2020-01-01 00:00:00+00'");
	assert_int_equal(pair_stop(1), 0);
	says(n2, &by_hand, "recovery-target", "recovery_target_time = '2020-01-01 00:00:00+00'");
	says(n2, &by_hand, "recovery-target", "postgresql.auto.conf");
	says(n2, &gate, "recovery-target", "recovery_target_time");
	pair_stays_down(n2);
}

/* Resuming the replay there would promote it. */
static void replay_that_ended_at_a_target_is_not_called_paused(void **unused)
{
	struct verdict verdict;

	(void)unused;
	assert_int_equal(pair_stop(1), 0);
	assert_int_equal(
	    pgfixture_configure(&pair_servers, 1, "recovery_target_time = '2020-01-01'\n"), 0);
	pair_sql(0, "INSERT INTO t VALUES (2)");
	assert_int_equal(pgfixture_start(&pair_servers, 1, true), 0);
	pair_until(1, "SELECT pg_get_wal_replay_pause_state()", "paused");
	verdict = pair_rejoin(n2, &by_hand);
	assert_string_equal(verdict.rule, "replay-at-target");
	assert_null(strstr(verdict.hint, "pg_wal_replay_resume()\""));
	assert_non_null(strstr(verdict.detail, "recovery_target_time = '2020-01-01'"));
	assert_non_null(strstr(verdict.detail, "postgresql.conf"));
	pair_until(1, "SELECT pg_is_in_recovery()", "t");
}

/* ---- a promotion that was asked for, perhaps ---- */

/* A vote that is withdrawn stays so while nobody can say; a start is the way out. */
static void an_asked_file_that_cannot_be_read_ends_with_its_server(void **unused)
{
	const struct file_path asked = file_run(n2, "asked");
	const char *path = asked.text;
	const struct pair_options gate = { .gate = true };

	(void)unused;
	assert_int_equal(withdrawn_write(n2, ""), 0);
	assert_int_equal(state_write(path, "x", 0644, false), 0);
	says(n2, &by_hand, "follow-failed", "");
	assert_int_equal(pair_stop(1), 0);
	assert_int_equal(pair_rejoin(n2, &gate).outcome, OUT_YES);
	assert_int_equal(state_exists(path), 0);
	assert_int_equal(state_write(path, "x", 0644, false), 0);
	pair_rejoins(n2, &by_hand, OUT_YES, "streaming");
	assert_int_equal(state_exists(path), 0);
	pair_until(1, "SELECT current_setting('primary_conninfo') <> ''", "t");
}

static int with_servers(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(why_it_does_not_start_is_in_the_verdict),
		TEST(a_tablespace_that_is_on_the_primary_only_is_named),
		TEST(settings_of_a_restore_are_taken_away_when_it_becomes_a_standby),
		TEST(a_target_in_another_file_is_overruled),
		TEST(a_standby_with_a_target_is_not_started),
		TEST(replay_that_ended_at_a_target_is_not_called_paused),
		TEST(an_asked_file_that_cannot_be_read_ends_with_its_server),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, pair_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
