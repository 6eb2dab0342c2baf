/* SPDX-License-Identifier: PostgreSQL */
/* Answers of another schema, and answers that cannot be a record: an error, never a default. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "record/record_trust.h"
#include "witnessfixture.h"

#define N1 0

/* Exchanges the schema for one whose functions answer with this. */
static void fake(int schema, const char *function)
{
	char sql[2048];

	(void)snprintf(sql, sizeof(sql),
		       "DROP SCHEMA IF EXISTS pgvrrp CASCADE; CREATE SCHEMA pgvrrp;"
		       "CREATE FUNCTION pgvrrp.schema_version() RETURNS integer LANGUAGE sql"
		       " AS 'SELECT %d'; %s; GRANT USAGE ON SCHEMA pgvrrp TO PUBLIC",
		       schema, function);
	witness_sql(sql);
}

/* A look that answers with these rows. */
static void fake_answer(const char *rows)
{
	char sql[1536];

	(void)snprintf(sql, sizeof(sql),
		       "CREATE FUNCTION pgvrrp.look(text, bigint, text) RETURNS TABLE ("
		       "schema_version text, refused text, present text, same_system text,"
		       " node_known text, sealed text, term text, holder text, paired text,"
		       " released text, paused text, version text, final_lsn text, sync text,"
		       " lease_ms text, accepted_lsn text) LANGUAGE sql AS $$ %s $$",
		       rows);
	fake(1, sql);
}

static int looked(struct record *record, char *why, size_t size)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	int rc;

	record_begin(&link, &witness.n[N1], SYSTEM);
	*record = (struct record){ .term = 9 };
	rc = record_look(&link, record, &dl);
	(void)snprintf(why, size, "%s", link.why);
	return rc;
}

/* ---- another schema ---- */

static void assert_other_schema(int64_t schema)
{
	const struct record_memory memory = { .known = FACT_NO };
	struct record record;
	struct record wanted = { .present = FACT_YES, .schema = schema };
	char why[160];

	assert_int_equal(looked(&record, why, sizeof(why)), 0);
	wanted.asked_ms = record.asked_ms;
	wanted.answered_ms = record.answered_ms;
	assert_memory_equal(&record, &wanted, sizeof(record));
	assert_int_equal(record_trust(&record, &memory), RECORD_OTHER_SCHEMA);
	assert_non_null(strstr(why, "this node speaks 1"));
}

static void one_of_the_same_shape_is_not_read(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct record seen = witness_paired();
	struct record_link AUTO_RECORD link;
	struct record record;

	(void)state;
	witness_sql("CREATE OR REPLACE FUNCTION pgvrrp.schema_version() RETURNS integer"
		    " LANGUAGE sql IMMUTABLE AS 'SELECT 2'");
	assert_other_schema(2);
	/* Whether a write was done there, nobody here can say. */
	record_begin(&link, &witness.n[N1], SYSTEM);
	assert_int_equal(record_renew(&link, &record, &seen, false, &dl), -EPROTO);
	assert_int_equal(record.present, FACT_UNKNOWN);
	assert_false(record_unsent(&link));
	assert_non_null(strstr(link.why, "the witness has version 2 of the record's schema"));
}

static void one_of_another_shape_is_known_by_its_number(void **state)
{
	(void)state;
	fake(3, "CREATE FUNCTION pgvrrp.look(text, bigint, text) RETURNS TABLE (a integer,"
		" b integer) LANGUAGE sql AS 'SELECT 1, 2'");
	assert_other_schema(3);
	/* our question is not known there at all */
	fake(4, "SELECT");
	assert_other_schema(4);
}

static void one_that_says_it_is_ours_must_be(void **state)
{
	struct record record;
	char why[160];

	(void)state;
	fake(1, "CREATE FUNCTION pgvrrp.look(text, bigint, text) RETURNS TABLE (a integer,"
		" b integer) LANGUAGE sql AS 'SELECT 1, 2'");
	assert_int_equal(looked(&record, why, sizeof(why)), -EPROTO);
	fake(1, "SELECT");
	assert_int_equal(looked(&record, why, sizeof(why)), -EPROTO);
	assert_int_equal(record.present, FACT_UNKNOWN);
	assert_int_equal(record.schema, 0);
}

/* ---- answers that are none ---- */

/* One good row, with the column of that number (from 0) exchanged; -1 for none. */
static const char *row(int column, const char *value)
{
	static const char *const good[] = { "1",      "NULL", "'t'",    "'t'", "'t'", "'t'",
					    "'4'",    "'n2'", "'t'",    "'f'", "'f'", "'7'",
					    "'0/10'", "'t'",  "'5000'", "NULL" };
	static char sql[512];
	int used = snprintf(sql, sizeof(sql), "SELECT ");

	for (int i = 0; i < (int)ARRAY_COUNT(good); i++)
		used += snprintf(sql + used, sizeof(sql) - (size_t)used, "%s%s", i > 0 ? ", " : "",
				 i == column ? value : good[i]);
	return sql;
}

static void a_good_one_is_taken(void **state)
{
	struct record record;
	char why[160];

	(void)state;
	fake_answer(row(-1, ""));
	assert_int_equal(looked(&record, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_int_equal(record.term, 4);
	assert_int_equal(record.version, 7);
	assert_string_equal(record.holder, "n2");
	assert_true(record.paired && record.sync && record.sealed && record.node_known);
	assert_true(record.final_known && record.final_lsn == 0x10);
	assert_false(record.released || record.paused || record.accepted_known);
}

static void anything_else_is_an_error(void **state)
{
	static const struct {
		int column;
		const char *value;
	} bad[] = {
		{ 0, "NULL" },
		{ 0, "'one'" },
		{ 1, "'maybe'" },
		{ 1, "'a word that is far too long'" },
		{ 2, "NULL" },
		{ 2, "'f'" }, /* no row, and yet its columns */
		{ 3, "NULL" },
		{ 4, "'yes'" },
		{ 5, "NULL" },
		{ 6, "'0'" },
		{ 6, "'9223372036854775808'" },
		{ 7, "NULL" },
		{ 7, "repeat('n', 32)" },
		{ 8, "NULL" },
		{ 8, "'f'" }, /* sync, and not paired */
		{ 9, "NULL" },
		{ 10, "''" },
		{ 11, "'-7'" },
		{ 12, "'10'" },
		{ 13, "NULL" },
		{ 14, "'5s'" },
		{ 14, "NULL" },
		{ 15, "'x/0'" },
		{ 15, "NULL LIMIT 0" },
		{ 15, "NULL FROM generate_series(1, 2)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		struct record record;
		char why[160];

		fake_answer(row(bad[i].column, bad[i].value));
		if (looked(&record, why, sizeof(why)) != -EPROTO)
			fail_msg("taken: column %d: %s", bad[i].column, bad[i].value);
		assert_string_not_equal(why, "");
		assert_int_equal(record.present, FACT_UNKNOWN);
		assert_int_equal(record.term, 0);
		assert_int_equal(record.schema, 0);
	}
}

/* A holder that is neither of our nodes is nobody to follow or to take over from. */
static void a_holder_that_we_do_not_know_is_of_other_nodes(void **state)
{
	const struct record_memory memory = { .known = FACT_NO };
	struct record record;
	char why[160];

	(void)state;
	fake_answer(row(7, "'n3'"));
	assert_int_equal(looked(&record, why, sizeof(why)), 0);
	assert_int_equal(record_trust(&record, &memory), RECORD_OTHER_NODES);
}

static int restore(void **state)
{
	char said[1024];

	(void)state;
	if (witness_try("DROP SCHEMA pgvrrp CASCADE", said, sizeof(said)) != 0)
		return -1;
	return witness_schema("recorder", said, sizeof(said));
}

#define TEST(name) cmocka_unit_test_teardown(name, restore)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_of_the_same_shape_is_not_read),
		TEST(one_of_another_shape_is_known_by_its_number),
		TEST(one_that_says_it_is_ours_must_be),
		TEST(a_good_one_is_taken),
		TEST(anything_else_is_an_error),
		TEST(a_holder_that_we_do_not_know_is_of_other_nodes),
	};

	return cmocka_run_group_tests(tests, witness_begin, witness_end);
}
