/* SPDX-License-Identifier: PostgreSQL */
/* One statement under a deadline, and cells that are wholly a value of their type or an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "pgstage.h"
#include "postgres/pg.h"

#define PATIENCE 2000

static struct pg *connected(void)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	enum pg_failure failure;
	char why[160] = "";
	struct pg *pg = NULL;

	if (pg_open(&pg, &pgstage.cfg[0], PG_LOCAL, &dl, &failure, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	return pg;
}

static void session_is_as_promised(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct pg AUTO_PG *pg = connected();
	struct pg_result AUTO_PG_RESULT *row = NULL;
	char text[64];
	int64_t timeout_ms;

	(void)state;
	assert_int_equal(pg_query(&row, pg,
				  "SELECT current_setting('application_name'),"
				  " current_setting('search_path'),"
				  " current_setting('client_encoding'),"
				  " (SELECT setting FROM pg_settings"
				  "  WHERE name = 'statement_timeout')",
				  4, 1, &dl),
			 0);
	assert_int_equal(pg_get_text(row, 0, 0, text, sizeof(text)), 0);
	assert_string_equal(text, "n1/test_pg_query");
	assert_int_equal(pg_get_text(row, 0, 1, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(pg_get_text(row, 0, 2, text, sizeof(text)), 0);
	assert_string_equal(text, "UTF8");
	assert_int_equal(pg_get_i64(row, 0, 3, &timeout_ms), 0);
	assert_in_range(timeout_ms, 1, PATIENCE);
}

/* ---- statements ---- */

static void rows_of_another_shape_are_refused(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct pg AUTO_PG *pg = connected();
	struct pg_result *rows = NULL;

	(void)state;
	assert_int_equal(pg_query(&rows, pg, "SELECT 1, 2", 1, 1, &dl), -EPROTO);
	assert_null(rows);
	assert_int_equal(pg_query(&rows, pg, "SELECT 1 WHERE false", 1, 1, &dl), -EPROTO);
	assert_int_equal(pg_query(&rows, pg, "SET search_path = ''", 1, 0, &dl), -EPROTO);
	assert_int_equal(pg_query(&rows, pg, "SELECT 1; SELECT 2", 1, 1, &dl), -EPROTO);
	assert_string_equal(pg_sqlstate(pg), "42601");
	assert_int_equal(pg_command(pg, "SELECT 1", &dl), -EPROTO);
	/* and the connection is still good */
	assert_int_equal(pg_query(&rows, pg, "SELECT 1 UNION SELECT 2", 1, 2, &dl), 0);
	assert_int_equal(pg_rows(rows), 2);
	assert_string_equal(pg_error(pg), "");
	pg_result_free(&rows);
	assert_int_equal(pg_command(pg, "SET search_path = ''", &dl), 0);
	assert_int_equal(pg_query(&rows, pg, "COPY (SELECT 1) TO STDOUT", 1, 0, &dl), -EPROTO);
}

static void an_error_has_its_message_and_code(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct pg AUTO_PG *pg = connected();
	struct pg_result *rows = NULL;

	(void)state;
	assert_int_equal(pg_query(&rows, pg, "SELECT 1/0", 1, 1, &dl), -EPROTO);
	assert_string_equal(pg_error(pg), "division by zero");
	assert_string_equal(pg_sqlstate(pg), "22012");
	assert_int_equal(pg_failure_of(-EPROTO, pg), PG_FAIL_OTHER);
	assert_int_equal(pg_query(&rows, pg, "SELECT pg_read_file('/etc/passwd')", 1, 1, &dl),
			 -EPROTO);
	assert_int_equal(pg_failure_of(-EPROTO, pg), PG_FAIL_RIGHT);
}

static void a_slow_statement_ends_at_the_deadline(void **state)
{
	const struct deadline dl = deadline_in_ms(200);
	const int64_t begun = now_ms();
	struct pg AUTO_PG *pg = connected();
	struct pg_result *rows = NULL;

	(void)state;
	assert_int_equal(pg_query(&rows, pg, "SELECT pg_sleep(30)", 1, 1, &dl), -ETIMEDOUT);
	assert_int_equal(pg_failure_of(-ETIMEDOUT, pg), PG_FAIL_LATE);
	assert_in_range(now_ms() - begun, 200, 5000);
}

static void a_server_frozen_in_between_does_not_hold_us(void **state)
{
	const struct deadline patient = deadline_in_ms(PATIENCE);
	struct pg *pg = connected();
	struct pg_result *rows = NULL;
	struct deadline dl;
	int64_t backend = 0, begun;

	(void)state;
	assert_int_equal(pg_query(&rows, pg, "SELECT pg_backend_pid()", 1, 1, &patient), 0);
	assert_int_equal(pg_get_i64(rows, 0, 0, &backend), 0);
	pg_result_free(&rows);
	assert_int_equal(kill((pid_t)backend, SIGSTOP), 0);
	begun = now_ms();
	dl = deadline_in_ms(200);
	assert_int_equal(pg_query(&rows, pg, "SELECT 1", 1, 1, &dl), -ETIMEDOUT);
	pg_close(&pg);
	assert_in_range(now_ms() - begun, 0, 5000);
	assert_int_equal(kill((pid_t)backend, SIGCONT), 0);
}

static void a_backend_that_was_ended_leaves_it_open(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct pg AUTO_PG *pg = connected();
	struct pg_result *rows = NULL;

	(void)state;
	assert_int_equal(
	    pg_query(&rows, pg, "SELECT pg_terminate_backend(pg_backend_pid())", 1, 1, &dl),
	    -ECONNRESET);
	assert_string_equal(pg_sqlstate(pg), "57P01");
	assert_int_equal(pg_query(&rows, pg, "SELECT 1", 1, 1, &dl), -ECONNRESET);
	assert_int_not_equal(strlen(pg_error(pg)), 0);
}

/* ---- cells ---- */

static void cells_are_read_strictly(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct pg AUTO_PG *pg = connected();
	struct pg_result AUTO_PG_RESULT *row = NULL;
	static const int numbers[] = { 0, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -EPROTO, -ENODATA };
	bool truth = false;
	uint64_t lsn = 0;
	int64_t number = 0;
	char text[4];

	(void)state;
	assert_int_equal(pg_query(&row, pg,
				  "SELECT '-9223372036854775808', '9223372036854775808', ' 1',"
				  " '+1', '1 ', '', NULL, true, 'true', '16/B374D848'::pg_lsn,"
				  " 'abc', 'abcd'",
				  12, 1, &dl),
			 0);
	for (size_t column = 0; column < ARRAY_COUNT(numbers); column++)
		assert_int_equal(pg_get_i64(row, 0, column, &number), numbers[column]);
	assert_true(number == INT64_MIN);
	assert_int_equal(pg_get_bool(row, 0, 7, &truth), 0);
	assert_true(truth);
	assert_int_equal(pg_get_bool(row, 0, 8, &truth), -EPROTO);
	assert_int_equal(pg_get_bool(row, 0, 6, &truth), -ENODATA);
	assert_int_equal(pg_get_lsn(row, 0, 9, &lsn), 0);
	assert_true(lsn == 0x16B374D848);
	assert_int_equal(pg_get_lsn(row, 0, 10, &lsn), -EPROTO);
	assert_int_equal(pg_get_text(row, 0, 10, text, sizeof(text)), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(pg_get_text(row, 0, 11, text, sizeof(text)), -EFBIG);
	assert_int_equal(pg_get_text(row, 0, 12, text, sizeof(text)), -EPROTO);
	assert_int_equal(pg_get_text(row, 1, 0, text, sizeof(text)), -EPROTO);
}

static void positions_in_the_wal_are_read_strictly(void **state)
{
	static const char *const bad[] = { "",     "/",    "0",   "0/",          "/0",   "0/0 ",
					   " 0/0", "0/0x", "g/0", "123456789/0", "0/-1", "0/0/0" };
	uint64_t lsn = 7;
	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(lsn_parse(bad[i], &lsn), -EINVAL);
	assert_true(lsn == 7);
	assert_int_equal(lsn_parse("FFFFFFFF/ffffffff", &lsn), 0);
	assert_true(lsn == UINT64_MAX);
	lsn_format(lsn, text, sizeof(text));
	assert_string_equal(text, "FFFFFFFF/FFFFFFFF");
	lsn_format(0x16B374D848, text, sizeof(text));
	assert_string_equal(text, "16/B374D848");
	lsn_format(0, text, sizeof(text));
	assert_string_equal(text, "0/0");
}

static void literals_survive_the_round_trip(void **state)
{
	static const char nasty[] = "a'b\\c\"; DROP TABLE x; -- \xe2\x82\xac";
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct pg AUTO_PG *pg = connected();
	struct pg_result AUTO_PG_RESULT *row = NULL;
	char sql[128] = "SELECT ";
	char text[64];

	(void)state;
	assert_int_equal(pg_literal(pg, nasty, sql + 7, sizeof(sql) - 7), 0);
	assert_int_equal(pg_query(&row, pg, sql, 1, 1, &dl), 0);
	assert_int_equal(pg_get_text(row, 0, 0, text, sizeof(text)), 0);
	assert_string_equal(text, nasty);
	assert_int_equal(pg_literal(pg, nasty, text, 10), -EFBIG);
}

static void conninfo_goes_through_the_parser_of_libpq(void **state)
{
	const struct conninfo_item items[] = { { "host", "10.0.0.1" },
					       { "user", "it's a \\ name" },
					       { "passfile", "" } };
	char text[128];
	char value[32];

	(void)state;
	assert_int_equal(conninfo_get("host = '10.0.0.1' user=u", "host", value, 32), 0);
	assert_string_equal(value, "10.0.0.1");
	assert_int_equal(conninfo_get("postgresql://u@[::1]:5433/db", "host", value, 32), 0);
	assert_string_equal(value, "::1");
	assert_int_equal(conninfo_get("user=u", "host", value, 32), -ENOENT);
	assert_int_equal(conninfo_get("", "host", value, 32), -ENOENT);
	assert_int_equal(conninfo_get("nonsense", "host", value, 32), -EINVAL);
	assert_int_equal(conninfo_get("host=10.0.0.1", "host", value, 8), -EFBIG);

	assert_int_equal(conninfo_compose(items, 3, "host=no sslmode=require", text, 128), 0);
	assert_string_equal(text, "host=10.0.0.1 user='it\\'s a \\\\ name' sslmode=require");
	assert_int_equal(conninfo_get(text, "user", value, 32), 0);
	assert_string_equal(value, "it's a \\ name");
	for (size_t size = 0; size <= strlen(text); size++)
		assert_int_equal(
		    conninfo_compose(items, 3, "sslmode=require", value, size < 32 ? size : 32),
		    -EFBIG);
	assert_int_equal(conninfo_compose(items, 3, "nonsense", text, 128), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_is_as_promised),
		cmocka_unit_test(rows_of_another_shape_are_refused),
		cmocka_unit_test(an_error_has_its_message_and_code),
		cmocka_unit_test(a_slow_statement_ends_at_the_deadline),
		cmocka_unit_test(a_server_frozen_in_between_does_not_hold_us),
		cmocka_unit_test(a_backend_that_was_ended_leaves_it_open),
		cmocka_unit_test(cells_are_read_strictly),
		cmocka_unit_test(positions_in_the_wal_are_read_strictly),
		cmocka_unit_test(literals_survive_the_round_trip),
		cmocka_unit_test(conninfo_goes_through_the_parser_of_libpq),
	};

	return cmocka_run_group_tests(tests, pgstage_one, pgstage_end);
}
