/* SPDX-License-Identifier: PostgreSQL */
/* A pause with an end at a real witness: what it forbids, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "record/record_pause.h"
#include "witnessfixture.h"

#define N1  0
#define N2  1
#define LSN UINT64_C(0x3000060)

enum write { RENEW, GO_SOLO, PAIR, TAKE, BY_WORD, PAUSE };

static struct record written(size_t node, enum write write, const struct record *seen)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record;
	int rc = -1;

	record_begin(&link, &witness.n[node], SYSTEM);
	if (write == RENEW)
		rc = record_renew(&link, &record, seen, false, &dl);
	else if (write == GO_SOLO)
		rc = record_go_solo(&link, &record, seen, &dl);
	else if (write == PAIR)
		rc = record_pair(&link, &record, seen, &dl);
	else if (write == TAKE)
		rc = record_take(&link, &record, seen, &dl);
	else if (write == BY_WORD)
		rc = record_take_by_word(&link, &record, seen, LSN, &dl);
	else
		rc = record_pause(&link, &record, seen, true, &dl);
	assert_int_equal(rc, 0);
	return record;
}

static struct record done(size_t node, enum write write, const struct record *seen)
{
	const struct record record = written(node, write, seen);

	assert_refused(&record, "");
	return record;
}

static void refuses(size_t node, enum write write, const struct record *seen, const char *why)
{
	const struct record record = written(node, write, seen);

	assert_refused(&record, why);
}

static struct pause pause_now(void)
{
	struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record;

	record_begin(&link, &witness.n[0], SYSTEM);
	assert_int_equal(record_look(&link, &record, &dl), 0);
	return record_pause_look(&link, &dl);
}

static struct record pause_for(size_t node, const struct record *seen, int64_t ms)
{
	const struct pause pause = { .left_ms = ms,
				     .by = "o'neill on n1",
				     .why = "kernel \\ update" };
	struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record;

	record_begin(&link, &witness.n[node], SYSTEM);
	assert_int_equal(record_pause_for(&link, &record, seen, &pause, &dl), 0);
	return record;
}

static void a_pause_with_an_end_forbids_to_take_and_nothing_else(void **state)
{
	struct record record = witness_paired();
	struct pause pause;

	(void)state;
	assert_int_equal(pause_now().runs, FACT_NO);
	record = pause_for(1, &record, 600000);
	assert_refused(&record, "");
	assert_true(record.paired && !record.paused && record.version == 3);
	pause = pause_now();
	assert_int_equal(pause.runs, FACT_YES);
	assert_in_range(pause.left_ms, 1, 600000);
	assert_string_equal(pause.by, "o'neill on n1");
	assert_string_equal(pause.why, "kernel \\ update");
	refuses(N2, TAKE, &record, "paused");
	record = done(N1, RENEW, &record);
	record = done(N1, GO_SOLO, &record);
	record = done(N1, PAIR, &record);
	/* Its own term is the holder's to take again; a person's word takes it from anybody. */
	record = done(N1, TAKE, &record);
	record = done(N1, PAIR, &record);
	assert_int_equal(pause_now().runs, FACT_YES);
	record = done(N2, BY_WORD, &record);
	record = done(N2, PAIR, &record);
	refuses(N1, TAKE, &record, "paused");
	record = pause_for(0, &record, 0);
	assert_int_equal(pause_now().runs, FACT_NO);
	(void)done(N1, TAKE, &record);
}

static void a_resume_ends_the_other_pause_too(void **state)
{
	struct record record = witness_paired();

	(void)state;
	record = done(N2, PAUSE, &record);
	record = pause_for(0, &record, 0);
	assert_false(record.paused);
	(void)done(N2, TAKE, &record);
}

static void nobody_pauses_an_older_row(void **state)
{
	struct record old = witness_paired();
	struct record record = done(N1, RENEW, &old);

	(void)state;
	record = pause_for(1, &old, 600000);
	assert_refused(&record, "stale");
	assert_int_equal(pause_now().runs, FACT_NO);
}

/* The witness's clock: what it cannot tell is no pause, and one that it was set back for is at most
 * twice as long. */
static void it_ends_by_itself_whatever_the_clock_does(void **state)
{
	struct record record = witness_paired();

	(void)state;
	record = pause_for(1, &record, 600000);
	witness_sql("UPDATE pgvrrp.pause SET until = until + interval '9 min'");
	assert_int_equal(pause_now().runs, FACT_YES);
	witness_sql("UPDATE pgvrrp.pause SET until = until + interval '2 min'");
	assert_int_equal(pause_now().runs, FACT_NO);
	witness_sql("UPDATE pgvrrp.pause SET until = clock_timestamp()");
	assert_int_equal(pause_now().runs, FACT_NO);
	(void)done(N2, TAKE, &record);
}

static void a_witness_of_before_knows_of_none(void **state)
{
	struct record record = witness_paired();

	witness_sql("ALTER FUNCTION pgvrrp.pause_of(text) RENAME TO another");
	assert_int_equal(pause_now().runs, FACT_NO);
	witness_sql("ALTER FUNCTION pgvrrp.another(text) RENAME TO pause_of");
	(void)done(N1, RENEW, &record);
	(void)state;
}

#define TEST(name) cmocka_unit_test_setup(name, witness_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pause_with_an_end_forbids_to_take_and_nothing_else),
		TEST(a_resume_ends_the_other_pause_too),
		TEST(nobody_pauses_an_older_row),
		TEST(it_ends_by_itself_whatever_the_clock_does),
		TEST(a_witness_of_before_knows_of_none),
	};

	return cmocka_run_group_tests(tests, witness_begin, witness_end);
}
