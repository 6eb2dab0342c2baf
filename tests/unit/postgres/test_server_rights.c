/* SPDX-License-Identifier: PostgreSQL */
/* A right that a takeover needs is missed while there is still a primary on which it can be
 * granted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "pgstage.h"
#include "postgres/server.h"

#define PATIENCE 5000
#define N1       0
#define N2       1

static void change(const char *verb, const char *right, const char *preposition)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "%s %s %s pgvrrp", verb, right, preposition);
	assert_int_equal(pgfixture_sql(&pgstage, N1, text, NULL, 0), 0);
}

static enum fact lets(enum replication_mode mode, enum witness_kind kind)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct cfg cfg = pgstage.cfg[N1];
	struct server_rights rights;

	cfg.mode = mode;
	cfg.witness_kind = kind;
	server_rights_ask(&rights, &cfg, PG_LOCAL, &dl);
	return rights.take_over;
}

static void each_right_is_missed(void **state)
{
	static const char *const rights[] = {
		"ALTER SYSTEM ON PARAMETER primary_conninfo",
		"EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer)",
		"EXECUTE ON FUNCTION pg_catalog.pg_reload_conf()",
	};

	(void)state;
	assert_int_equal(lets(MODE_ASYNC, WITNESS_PING), FACT_YES);
	for (size_t i = 0; i < ARRAY_COUNT(rights); i++) {
		change("REVOKE", rights[i], "FROM");
		assert_int_equal(lets(MODE_ASYNC, WITNESS_PING), FACT_NO);
		change("GRANT", rights[i], "TO");
	}
	assert_int_equal(lets(MODE_ASYNC, WITNESS_PING), FACT_YES);
}

/* The right is used only where the record lets a primary go on alone. */
static void synchronous_commits_need_one_more_with_a_record(void **state)
{
	static const char right[] = "ALTER SYSTEM ON PARAMETER synchronous_standby_names";

	(void)state;
	assert_int_equal(lets(MODE_SYNC, WITNESS_POSTGRES), FACT_YES);
	change("REVOKE", right, "FROM");
	assert_int_equal(lets(MODE_SYNC, WITNESS_POSTGRES), FACT_NO);
	assert_int_equal(lets(MODE_SYNC, WITNESS_PING), FACT_YES);
	assert_int_equal(lets(MODE_ASYNC, WITNESS_POSTGRES), FACT_YES);
	change("GRANT", right, "TO");
	assert_int_equal(lets(MODE_SYNC, WITNESS_POSTGRES), FACT_YES);
}

/* A right that everybody has can be taken from everybody, in one usual statement. */
static void connect_by_everybody_s_right_is_told(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server_rights rights;

	(void)state;
	server_rights_ask(&rights, &pgstage.cfg[N1], PG_LOCAL, &dl);
	assert_int_equal(rights.own_connect, FACT_NO);
	change("GRANT", "CONNECT ON DATABASE postgres", "TO");
	server_rights_ask(&rights, &pgstage.cfg[N1], PG_LOCAL, &dl);
	assert_int_equal(rights.own_connect, FACT_YES);
	assert_int_equal(rights.take_over, FACT_YES);
}

static void a_server_that_does_not_say_is_unknown(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server_rights rights;

	(void)state;
	server_rights_ask(&rights, &pgstage.cfg[N2], PG_LOCAL, &dl);
	assert_int_equal(rights.take_over, FACT_YES);
	assert_int_equal(pgfixture_stop(&pgstage, N2, SIGQUIT), 0);
	server_rights_ask(&rights, &pgstage.cfg[N2], PG_LOCAL, &dl);
	assert_int_equal(rights.take_over, FACT_UNKNOWN);
	assert_int_equal(rights.own_connect, FACT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_right_is_missed),
		cmocka_unit_test(synchronous_commits_need_one_more_with_a_record),
		cmocka_unit_test(connect_by_everybody_s_right_is_told),
		cmocka_unit_test(a_server_that_does_not_say_is_unknown),
	};

	return cmocka_run_group_tests(tests, pgstage_pair, pgstage_end);
}
