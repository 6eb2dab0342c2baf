/* SPDX-License-Identifier: PostgreSQL */
/* check_primary --successor on two real servers: what a person is told before a fence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "check/successor.h"
#include "pidspace.h"
#include "rejoin_pair.h"

static struct cfg *const n1 = &pair_servers.cfg[0];
static struct cfg *const n2 = &pair_servers.cfg[1];

static void says(const struct cfg *cfg, enum outcome outcome, const char *rule)
{
	struct verdict verdict = successor_look(cfg);

	if (strcmp(verdict.rule, rule) != 0)
		print_error("%s: %s (%s)\n", verdict.rule, verdict.message, verdict.detail);
	assert_string_equal(verdict.rule, rule);
	assert_int_equal(verdict.outcome, outcome);
}

static void standby_that_streams_is_one(void **unused)
{
	(void)unused;
	says(n1, OUT_YES, "successor");
	says(n2, OUT_YES, "no-primary");
	pair_sql(1, "SELECT pg_wal_replay_pause()");
	says(n1, OUT_NO, "replay-paused");
	pair_sql(1, "SELECT pg_wal_replay_resume()");
	pair_sql(0, "REVOKE EXECUTE ON FUNCTION pg_promote(boolean, integer) FROM pgvrrp, PUBLIC");
	says(n1, OUT_NO, "rights-missing");
}

static void standby_that_is_away_or_follows_nobody_is_none(void **unused)
{
	(void)unused;
	pair_sql(1, "ALTER SYSTEM SET primary_conninfo = ''");
	pair_sql(1, "SELECT pg_reload_conf()");
	pair_until(1, "SHOW primary_conninfo", "");
	says(n1, OUT_NO, "no-standby");
	assert_int_equal(pair_stop(1), 0);
	says(n1, OUT_NO, "no-standby");
	says(n2, OUT_YES, "no-primary");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(standby_that_streams_is_one),
		TEST(standby_that_is_away_or_follows_nobody_is_none),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, pair_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
