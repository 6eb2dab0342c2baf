/* SPDX-License-Identifier: PostgreSQL */
/* Synchronous replication that is turned on for a pairing, on a real primary with its standby. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/duty_sync.h"
#include "node/path.h"
#include "pgstage.h"
#include "postgres/server_config.h"
#include "postgres/server_sync.h"

#define PATIENCE 5000
#define N1       0

static char names[64];
static struct follower follower;

static struct duty_facts facts;

static bool set(const char *value)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	return duty_sync_set(&facts, &follower, &pgstage.cfg[N1], value, &dl);
}

/* As a round does, that has seen the names: until it is settled, or they are to be written anew. */
static void look(enum fact sync_on)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);

	do {
		facts.sync_on = FACT_YES;
		duty_sync_look(&facts, &follower, &pgstage.cfg[N1], names, &dl);
	} while (facts.sync_on == FACT_YES && facts.sync_settled != FACT_YES &&
		 !deadline_passed(&dl));
	assert_int_equal(facts.sync_on, sync_on);
}

static void sql(const char *text)
{
	assert_int_equal(pgfixture_sql(&pgstage, N1, text, NULL, 0), 0);
}

static void until(const char *query, const char *wanted)
{
	assert_int_equal(pgfixture_until(&pgstage, N1, query, wanted), 0);
}

/* Until a new connection says that the files were read again. */
static void reload(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	int64_t before_us, now_us;

	assert_int_equal(server_config_loaded(&before_us, &pgstage.cfg[N1], &dl), 0);
	sql("SELECT pg_reload_conf()");
	do
		assert_int_equal(server_config_loaded(&now_us, &pgstage.cfg[N1], &dl), 0);
	while (now_us == before_us && !deadline_passed(&dl));
	assert_int_not_equal(now_us, before_us);
}

static int solo_with_a_standby(void **state)
{
	(void)state;
	facts = (struct duty_facts){ .trust = RECORD_GOOD,
				     .holder = true,
				     .mode_sync = true,
				     .solo_stamp = true,
				     .follows = FACT_YES };
	follower = (struct follower){ .known = true, .target_lsn = 7 };
	return 0;
}

static void what_we_wrote_stands_until_the_files_are_read_again(void **state)
{
	(void)state;
	assert_true(set(names));
	assert_int_equal(follower.target_lsn, 0);
	assert_true(follower.loaded_us > 0);
	look(FACT_YES);
	assert_int_equal(duty_decide(&facts), DUTY_TARGET);
	look(FACT_YES);
	reload();
	look(FACT_UNKNOWN);
	assert_int_equal(duty_decide(&facts), DUTY_SYNC_ON);
	assert_true(set(names));
	look(FACT_YES);
}

static void names_that_were_others_for_a_moment_are_written_again(void **state)
{
	char ours[160];

	(void)state;
	assert_true(set(names));
	look(FACT_YES);
	facts.targeted = true;
	facts.reached = FACT_YES;
	assert_int_equal(duty_decide(&facts), DUTY_PAIR);
	sql("ALTER SYSTEM SET synchronous_standby_names = ''");
	sql("SELECT pg_reload_conf()");
	until("SHOW synchronous_standby_names", "");
	(void)snprintf(ours, sizeof(ours), "ALTER SYSTEM SET synchronous_standby_names = '%s'",
		       names);
	sql(ours);
	sql("SELECT pg_reload_conf()");
	until("SHOW synchronous_standby_names", names);
	look(FACT_UNKNOWN);
	assert_int_equal(duty_decide(&facts), DUTY_SYNC_ON);
}

/* A run that was killed between the two statements leaves this behind. */
static void what_a_killed_run_wrote_is_written_over_before_a_pairing(void **state)
{
	const struct cfg *cfg = &pgstage.cfg[N1];

	(void)state;
	assert_true(set(names));
	assert_true(set(""));
	assert_int_equal(follower.loaded_us, 0);
	assert_int_equal(follower_read(cfg).loaded_us, 0);
	assert_true(set(names));
	/* The follower file says so before the server is told. */
	assert_int_equal(follower_read(cfg).loaded_us, 0);
	follower.loaded_us = 0;
	look(FACT_UNKNOWN);
	assert_int_equal(duty_decide(&facts), DUTY_SYNC_ON);
}

/* Written, told in words, and taken when the files are in order. */
static void off_is_not_waited_for_where_no_reload_is_taken(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct file_path file = file_data(&pgstage.cfg[N1], "postgresql.conf");
	struct server_config config;
	struct stat before;

	(void)state;
	assert_true(set(names));
	assert_int_equal(stat(file.text, &before), 0);
	assert_int_equal(pgfixture_configure(&pgstage, N1, "nonsense = on\n"), 0);
	assert_false(duty_sync_off(&facts, &follower, &pgstage.cfg[N1], &config, &dl));
	assert_int_equal(config.ignored, FACT_YES);
	assert_non_null(strstr(config.why, "postgresql.conf, line "));
	assert_non_null(strstr(config.why, "nonsense"));
	assert_int_equal(follower_read(&pgstage.cfg[N1]).loaded_us, 0);
	until("SHOW synchronous_standby_names", names);
	assert_int_equal(truncate(file.text, before.st_size), 0);
	assert_true(duty_sync_off(&facts, &follower, &pgstage.cfg[N1], &config, &dl));
	assert_int_equal(config.ignored, FACT_NO);
	until("SHOW synchronous_standby_names", "");
}

static int begin(void **state)
{
	if (pgstage_pair(state) != 0)
		return -1;
	if (server_sync_names(&pgstage.cfg[N1], names, sizeof(names)) == 0 &&
	    files_prepare(&pgstage.cfg[N1]) == 0)
		return 0;
	(void)pgstage_end(state);
	return -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_we_wrote_stands_until_the_files_are_read_again,
				       solo_with_a_standby),
		cmocka_unit_test_setup(names_that_were_others_for_a_moment_are_written_again,
				       solo_with_a_standby),
		cmocka_unit_test_setup(what_a_killed_run_wrote_is_written_over_before_a_pairing,
				       solo_with_a_standby),
		cmocka_unit_test_setup(off_is_not_waited_for_where_no_reload_is_taken,
				       solo_with_a_standby),
	};

	return cmocka_run_group_tests(tests, begin, pgstage_end);
}
