/* SPDX-License-Identifier: PostgreSQL */
/* Diverged WAL is kept before pg_rewind overwrites it, and the report says what it was. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pidspace.h"
#include "salvaged.h"

static struct cfg *const n1 = &pair_servers.cfg[0];
static const struct pair_options by_hand = { 0 };

static void thousands_of_transactions_are_listed(void **unused)
{
	struct salvage salvage;
	struct verdict verdict;
	char shown[512];
	int64_t node = salvaged_number(0, "SELECT pg_relation_filenode('t')");

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "DO $$ BEGIN FOR i IN 10001..13000 LOOP INSERT INTO t VALUES (i); COMMIT; "
		    "END LOOP; END $$");
	salvaged_fail_over();
	verdict = pair_rejoin(n1, &by_hand);
	assert_string_equal(verdict.rule, "streaming");
	assert_non_null(strstr(verdict.detail, "salvaged 3000 transactions at "));
	pair_until(0, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");

	salvage = salvaged_kept();
	assert_int_equal(salvage.transactions, 3000);
	assert_true(salvage.whole && salvage.wal_kept && salvage.fork_known);
	assert_int_equal(salvage.timeline, 1);
	assert_true(salvage.bytes > 3000 * 64);
	salvaged_is_json(&salvage);
	salvaged_sums_are(&salvage, node, 3000, 0, 0);
	assert_int_equal(salvaged_count(salvaged_read(&salvage, "report.json"), "{\"xid\":"), 3000);
	assert_int_equal(salvaged_count(salvaged_read(&salvage, "report.txt"), " COMMIT at "),
			 3000);
	assert_non_null(strstr(salvaged_read(&salvage, "report.txt"),
			       "Transactions that committed there: 3000;"));
	assert_int_equal(salvaged_entries(salvaged_path(&salvage, "pg_wal")), 1);
	(void)snprintf(shown, sizeof(shown), "\"salvaged\":{\"path\":\"%s\",\"transactions\":3000,",
		       salvage.path.text);
	assert_true(pair_history_has(n1, shown));
	assert_true(pair_history_has(n1, "\"rewound to n2, salvaged at "));
}

static void rows_are_counted_by_table_and_kind(void **unused)
{
	const char *argv[] = { "",   "-XAt",     "-U", "postgres", "-h", "",
			       "-d", "postgres", "-f", "",         NULL };
	struct salvage salvage;
	char names[4096], psql[96], wanted[64];
	int64_t t, big, toast;

	(void)unused;
	pair_sql(0, "CREATE TABLE big (n int, s text)");
	pair_sql(0, "ALTER TABLE big ALTER s SET STORAGE EXTERNAL");
	pair_sql(0, "INSERT INTO big VALUES (1, '')");
	t = salvaged_number(0, "SELECT pg_relation_filenode('t')");
	big = salvaged_number(0, "SELECT pg_relation_filenode('big')");
	toast = salvaged_number(0, "SELECT pg_relation_filenode(reltoastrelid) FROM pg_class "
				   "WHERE relname = 'big'");
	pair_caught_up(0, 1);
	salvaged_cut_off();
	pair_sql(0, "COPY t FROM PROGRAM 'seq 10001 11000'");
	pair_sql(0, "UPDATE t SET n = n + 10000 WHERE n BETWEEN 10001 AND 10010");
	pair_sql(0, "DELETE FROM t WHERE n > 20000 AND n <= 20007");
	pair_sql(0, "INSERT INTO t SELECT generate_series(50, 59)");
	/* three parts of it are beside the table: two of about 2000 bytes, and the rest */
	pair_sql(0, "INSERT INTO big VALUES (2, repeat('x', 5000))");
	pair_sql(0, "UPDATE big SET n = 3 WHERE n = 1");
	salvaged_fail_over();
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");

	salvage = salvaged_kept();
	assert_int_equal(salvage.transactions, 6);
	assert_true(salvage.whole);
	salvaged_is_json(&salvage);
	salvaged_sums_are(&salvage, t, 1010, 10, 7);
	salvaged_sums_are(&salvage, big, 1, 1, 0);
	salvaged_sums_are(&salvage, toast, 3, 0, 0);
	/* And a person finds out which tables these are. */
	(void)snprintf(psql, sizeof(psql), "%s/psql", pair_servers.bin_dir);
	argv[0] = psql;
	argv[5] = pair_servers.cfg[1].socket_dir;
	argv[9] = salvaged_path(&salvage, "names.sql");
	assert_int_equal(pgfixture_run(argv, false, names, sizeof(names)), 0);
	(void)snprintf(wanted, sizeof(wanted), "%" PRId64 "|t||1010|10|7", t);
	assert_non_null(strstr(names, wanted));
	(void)snprintf(wanted, sizeof(wanted), "|big|3|0|0");
	assert_non_null(strstr(names, wanted));
}

static void what_was_rolled_back_is_not_listed(void **unused)
{
	struct salvage salvage;
	int64_t t = salvaged_number(0, "SELECT pg_relation_filenode('t')");

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "BEGIN; INSERT INTO t VALUES (70); ROLLBACK");
	pair_sql(0, "BEGIN; INSERT INTO t VALUES (71); SAVEPOINT a; INSERT INTO t VALUES (72); "
		    "SAVEPOINT b; INSERT INTO t VALUES (73); ROLLBACK TO b; "
		    "INSERT INTO t VALUES (74); COMMIT");
	pair_sql(0, "CREATE UNIQUE INDEX ON t (n)");
	pair_sql(0, "INSERT INTO t VALUES (71), (75) ON CONFLICT DO NOTHING");
	salvaged_fail_over();
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	salvage = salvaged_kept();
	assert_int_equal(salvage.transactions, 3);
	salvaged_sums_are(&salvage, t, 4, 0, 0);
	assert_int_equal(
	    salvaged_count(salvaged_read(&salvage, "report.json"), "\"subtransactions\":2,"), 1);
	assert_non_null(strstr(salvaged_read(&salvage, "report.txt"), " rows of catalogs"));
}

/* Begun before the fork, in the middle of a file and long before, and committed after it. */
static void what_began_before_the_fork_is_counted_whole(void **unused)
{
	static const char *const begin = "BEGIN; INSERT INTO t SELECT generate_series(100, 149); "
					 "PREPARE TRANSACTION 'early'";
	struct salvage salvage;
	int64_t t = salvaged_number(0, "SELECT pg_relation_filenode('t')");

	(void)unused;
	pair_sql(0, "CHECKPOINT");
	pair_sql(0, begin);
	pair_sql(0, "SELECT pg_switch_wal()");
	pair_sql(0, "INSERT INTO t VALUES (3)");
	pair_caught_up(0, 1);
	salvaged_cut_off();
	pair_sql(0, "COMMIT PREPARED 'early'");
	pair_sql(0, "BEGIN; INSERT INTO t VALUES (4); SAVEPOINT a; INSERT INTO t VALUES (5); "
		    "PREPARE TRANSACTION 'quote \" and\nnew line'");
	pair_sql(0, "BEGIN; INSERT INTO t VALUES (6); PREPARE TRANSACTION 'gone'");
	pair_sql(0, "ROLLBACK PREPARED 'gone'");
	salvaged_fail_over();
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	salvage = salvaged_kept();
	assert_int_equal(salvage.transactions, 1);
	/* A name with a line feed takes two lines of pg_waldump, of which none is one of it. */
	assert_false(salvage.whole);
	salvaged_is_json(&salvage);
	salvaged_sums_are(&salvage, t, 50, 0, 0);
	assert_non_null(strstr(salvaged_read(&salvage, "report.json"),
			       "\"gid\":\"early\",\"prepared_before_fork\":true"));
	assert_non_null(strstr(salvaged_read(&salvage, "report.json"), "\"rows_complete\":true"));
	assert_non_null(strstr(salvaged_read(&salvage, "report.json"), "were not understood"));
}

static void what_is_only_prepared_is_told(void **unused)
{
	struct salvage salvage;

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "BEGIN; INSERT INTO t VALUES (4); SAVEPOINT a; INSERT INTO t VALUES (5); "
		    "PREPARE TRANSACTION 'a \"b\\c'");
	pair_sql(0, "BEGIN; INSERT INTO t VALUES (6); PREPARE TRANSACTION 'done'");
	pair_sql(0, "COMMIT PREPARED 'done'");
	salvaged_fail_over();
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	salvage = salvaged_kept();
	assert_int_equal(salvage.transactions, 1);
	assert_int_equal(salvage.prepared, 1);
	assert_true(salvage.whole);
	salvaged_is_json(&salvage);
	assert_non_null(strstr(salvaged_read(&salvage, "report.json"), "\"gid\":\"a \\\"b\\\\c\""));
	assert_non_null(strstr(salvaged_read(&salvage, "report.json"), "\"prepared_count\":1"));
	assert_non_null(strstr(salvaged_read(&salvage, "report.txt"), "PREPARE, not decided"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(thousands_of_transactions_are_listed),
		TEST(rows_are_counted_by_table_and_kind),
		TEST(what_was_rolled_back_is_not_listed),
		TEST(what_began_before_the_fork_is_counted_whole),
		TEST(what_is_only_prepared_is_told),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, salvaged_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
