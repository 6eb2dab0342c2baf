/* SPDX-License-Identifier: PostgreSQL */
/* scripts/setup/witness.sql: who may do what, what running it again changes, and what it keeps
 * safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "witnessfixture.h"

#define AS_ROLE "SET SESSION AUTHORIZATION recorder; "

static void applied(const char *role)
{
	char said[1024];

	if (witness_schema(role, said, sizeof(said)) != 0)
		fail_msg("%s", said);
}

static void denied(const char *sql)
{
	char as_role[512], said[1024];

	(void)snprintf(as_role, sizeof(as_role), AS_ROLE "%s", sql);
	if (witness_try(as_role, said, sizeof(said)) == 0)
		fail_msg("allowed: %s", sql);
	if (strstr(said, "permission denied") == NULL)
		fail_msg("%s: %s", sql, said);
}

static void the_role_may_call_the_functions_and_nothing_else(void **state)
{
	static const char *const deeds[] = {
		"SELECT * FROM pgvrrp.record",
		"SELECT holder FROM pgvrrp.record",
		"SELECT FROM pgvrrp.record FOR UPDATE",
		"UPDATE pgvrrp.record SET holder = 'n2'",
		"INSERT INTO pgvrrp.record (cluster) VALUES ('x')",
		"DELETE FROM pgvrrp.record",
		"TRUNCATE pgvrrp.record",
		"LOCK pgvrrp.record",
		"CREATE TABLE pgvrrp.mine ()",
		"CREATE FUNCTION pgvrrp.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
		"SELECT pgvrrp.put(NULL)",
		"SELECT pgvrrp.seal_of(NULL)",
		"SELECT pgvrrp.refusal('main', 1, 'n1', 1, 1, true)",
		"SELECT pgvrrp.answer('main', 1, 'n1', NULL)",
		"SELECT pgvrrp.be_durable()",
		"SELECT pgvrrp.let_in('main')",
	};

	(void)state;
	(void)witness_solo();
	for (size_t i = 0; i < ARRAY_COUNT(deeds); i++)
		denied(deeds[i]);
	witness_says(AS_ROLE "SELECT pgvrrp.schema_version()", "1");
	witness_sql("CREATE ROLE passerby");
	witness_says("SELECT count(*) FROM pg_proc AS p WHERE pronamespace = 'pgvrrp'::regnamespace"
		     " AND has_function_privilege('passerby', p.oid, 'EXECUTE')",
		     "0");
	witness_says("SELECT has_schema_privilege('passerby', 'pgvrrp', 'USAGE'),"
		     " has_table_privilege('passerby', 'pgvrrp.record', 'SELECT')",
		     "f|f");
	witness_sql("DROP ROLE passerby");
}

/* SECURITY DEFINER: what the caller has put into its temporary schema must not be taken
 * for ours. */
static void nothing_of_the_callers_is_run_by_the_owner(void **state)
{
	char said[1024];

	(void)state;
	witness_says("SELECT count(*) FROM pg_proc WHERE pronamespace = 'pgvrrp'::regnamespace"
		     " AND (proconfig IS NULL OR proconfig <>"
		     " '{\"search_path=pg_catalog, pg_temp\"}')",
		     "1"); /* schema_version, which is one number */
	assert_int_equal(
	    witness_try(AS_ROLE
			"CREATE DOMAIN pg_temp.bool AS pg_catalog.bool CHECK (1/0 = 1);"
			"CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (1/0 = 1);"
			"SELECT refused FROM pgvrrp.renew('main', 1, 'n1', 1, 1, 5000, true)",
			said, sizeof(said)),
	    0);
	assert_string_equal(said, "absent");
}

static void running_it_again_keeps_rows_and_rights(void **state)
{
	const struct record before = witness_paired();
	struct record after;

	(void)state;
	witness_sql("CREATE ROLE second LOGIN");
	applied("second");
	applied("recorder");
	after = witness_look(0);
	assert_true(after.sealed && after.paired);
	assert_int_equal(after.version, before.version);
	witness_says("SET SESSION AUTHORIZATION second;"
		     "SELECT present FROM pgvrrp.look('second', 7000000000000000001, 'n2')",
		     "f");
	witness_sql("DROP OWNED BY second; DROP ROLE second");
}

/* A password that was stolen on a node of one cluster opens no other one's row. */
static void a_row_is_of_the_role_that_wrote_it(void **state)
{
	static const char *const deeds[] = {
		"look('main', 7000000000000000001, 'n2')",
		"renew('main', 7000000000000000001, 'n1', 1, 2, 5000, false)",
		"go_solo('main', 7000000000000000001, 'n1', 1, 2)",
		"pair('main', 7000000000000000001, 'n1', 1, 2, 5000, true)",
		"release('main', 7000000000000000001, 'n1', 1, 2, NULL)",
		"take('main', 7000000000000000001, 'n2', 1, 2, 5000)",
		"take_by_word('main', 7000000000000000001, 'n2', 1, 2, 5000, '0/10')",
		"pause('main', 7000000000000000001, 'n2', 1, 2, true)",
		"pause_for('main', 7000000000000000001, 'n2', 1, 2, 1000, 'a', 'b')",
		"pause_of('main')",
		"create_record('main', 7000000000000000001, 'n2', 'n1', 9, 0, 0, 5000)",
		"create_record('main', 7000000000000000001, 'n2', 'n1', 9, 1, 2, 5000)",
	};
	char sql[512], said[1024];

	(void)state;
	(void)witness_paired();
	witness_sql("CREATE ROLE second LOGIN");
	applied("second");
	applied("recorder");
	for (size_t i = 0; i < ARRAY_COUNT(deeds); i++) {
		(void)snprintf(sql, sizeof(sql),
			       "SET SESSION AUTHORIZATION second; SELECT pgvrrp.%s", deeds[i]);
		if (witness_try(sql, said, sizeof(said)) == 0 ||
		    strstr(said, "the record of cluster \"main\" is role \"recorder\"'s") == NULL)
			fail_msg("%s: %s", deeds[i], said);
	}
	witness_says("SELECT term, version FROM pgvrrp.record", "1|2");
	/* a row of an older file becomes the next writer's; one that was wiped is nobody's */
	witness_sql("UPDATE pgvrrp.record SET owner = NULL");
	witness_says(AS_ROLE "SELECT refused IS NULL FROM"
			     " pgvrrp.renew('main', 7000000000000000001, 'n1', 1, 2, 5000, false)",
		     "t");
	witness_says("SELECT owner FROM pgvrrp.record", "recorder");
	assert_int_equal(witness_empty(NULL), 0);
	witness_says("SET SESSION AUTHORIZATION second; SELECT refused IS NULL FROM"
		     " pgvrrp.create_record('main', 8, 'n2', 'n1', 9, 0, 0, 5000)",
		     "t");
	assert_int_equal(witness_empty(NULL), 0);
	witness_sql("DROP OWNED BY second; DROP ROLE second");
}

/* One role for all clusters may ask for any row, and go on with its transaction for ever. */
static void who_does_not_know_the_system_locks_nothing(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct pg AUTO_PG *session = witness_session();

	(void)state;
	(void)witness_paired();
	/* Where it does lock it, this test fails, and not all that come behind. */
	assert_int_equal(pg_command(session, "SET idle_in_transaction_session_timeout = '3s'", &dl),
			 0);
	assert_int_equal(pg_command(session, "BEGIN", &dl), 0);
	assert_int_equal(pg_command(session,
				    "DO $$ BEGIN PERFORM"
				    " pgvrrp.renew('main', 8, 'n1', 1, 2, 5000, false); END $$",
				    &dl),
			 0);
	witness_says("SET lock_timeout = 500; SELECT refused IS NULL FROM"
		     " pgvrrp.renew('main', 7000000000000000001, 'n1', 1, 2, 5000, false)",
		     "t");
}

static void one_that_is_newer_is_left_alone(void **state)
{
	char said[1024];

	(void)state;
	(void)witness_paired();
	witness_sql("CREATE OR REPLACE FUNCTION pgvrrp.schema_version() RETURNS integer"
		    " LANGUAGE sql IMMUTABLE AS 'SELECT 2'");
	assert_int_not_equal(witness_schema("recorder", said, sizeof(said)), 0);
	assert_non_null(strstr(said, "the witness has schema 2"));
	witness_says("SELECT pgvrrp.schema_version()", "2");
	witness_says("SELECT version FROM pgvrrp.record", "2");
	witness_sql("CREATE OR REPLACE FUNCTION pgvrrp.schema_version() RETURNS integer"
		    " LANGUAGE sql IMMUTABLE AS 'SELECT 1'");
}

/* A step that goes wrong half-way leaves nothing behind. */
static void a_role_that_is_missing_changes_nothing(void **state)
{
	char said[1024];

	(void)state;
	witness_sql("DROP SCHEMA pgvrrp CASCADE");
	assert_int_not_equal(witness_schema("nobody_at_all", said, sizeof(said)), 0);
	assert_non_null(strstr(said, "role \"nobody_at_all\" does not exist"));
	witness_says("SELECT to_regnamespace('pgvrrp') IS NULL", "t");
	applied("recorder");
}

/* Else a crash of the witness could give a right back that somebody has seen taken away. */
static void what_is_done_is_durable(void **state)
{
	(void)state;
	witness_says(
	    "SET synchronous_commit = off; BEGIN;"
	    "SELECT refused FROM pgvrrp.create_record('main', 1, 'n1', 'n2', 1, 0, 0, 5000);"
	    "SHOW synchronous_commit; COMMIT",
	    "\non");
	witness_says("SET synchronous_commit = off; BEGIN;"
		     "SELECT refused FROM pgvrrp.renew('main', 1, 'n1', 1, 1, 5000, false);"
		     "SHOW synchronous_commit; COMMIT",
		     "\non");
	/* and it asks nothing more of a witness than its owner did */
	witness_says("SET synchronous_commit = local; BEGIN;"
		     "SELECT refused FROM pgvrrp.renew('main', 1, 'n1', 1, 2, 5000, false);"
		     "SHOW synchronous_commit; COMMIT",
		     "\nlocal");
}

/* The text of a position may change with PostgreSQL; the seal must not. */
static void the_seal_is_over_numbers(void **state)
{
	(void)state;
	(void)witness_paired();
	witness_sql("SELECT pgvrrp.release('main', 7000000000000000001, 'n1', 1, 2, '0/3000060')");
	witness_says("SELECT seal = md5('main|7000000000000000001|{n1,n2}|1|n1|t|t|f|3|50331744|f|'"
		     " || '5000|-') FROM pgvrrp.record",
		     "t");
}

static void a_row_that_makes_no_sense_is_not_taken(void **state)
{
	static const char *const rows[] = {
		"holder = 'n3'",     "term = 0",           "version = 0",
		"lease_ms = 0",      "sync = true",        "nodes = '{n1}'",
		"nodes = '{n1,n1}'", "cluster = 'N1; --'", "holder = NULL",
	};

	(void)state;
	(void)witness_solo();
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char sql[256], said[1024];

		(void)snprintf(sql, sizeof(sql), "UPDATE pgvrrp.record SET %s", rows[i]);
		if (witness_try(sql, said, sizeof(said)) == 0)
			fail_msg("taken: %s", rows[i]);
		assert_non_null(strstr(said, "constraint"));
	}
}

#define TEST(name) cmocka_unit_test_setup(name, witness_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_role_may_call_the_functions_and_nothing_else),
		TEST(nothing_of_the_callers_is_run_by_the_owner),
		TEST(running_it_again_keeps_rows_and_rights),
		TEST(a_row_is_of_the_role_that_wrote_it),
		TEST(who_does_not_know_the_system_locks_nothing),
		TEST(one_that_is_newer_is_left_alone),
		TEST(a_role_that_is_missing_changes_nothing),
		TEST(what_is_done_is_durable),
		TEST(the_seal_is_over_numbers),
		TEST(a_row_that_makes_no_sense_is_not_taken),
	};

	return cmocka_run_group_tests(tests, witness_begin, witness_end);
}
