/* SPDX-License-Identifier: PostgreSQL */
/* Writes that meet: late ones, two at once, new records, and many clusters at one witness. */
#include <errno.h>
#include <pthread.h>
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

#define N1     0
#define N2     1
#define ROUNDS 60

/* As a look shows it where there is no row. */
static struct record none(void)
{
	struct record record = { .present = FACT_NO };
	const struct record there = witness_look(N1);

	(void)snprintf(record.origin, sizeof(record.origin), "%s", there.origin);
	return record;
}

static struct record created(size_t node, const struct record *seen, int64_t term)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct record_link AUTO_RECORD link;
	struct record record;

	record_begin(&link, &witness.n[node], SYSTEM);
	assert_int_equal(record_create(&link, &record, seen, term, &dl), 0);
	return record;
}

static void write_ms(struct record_link *link, const struct record *seen, int64_t ms, int wanted)
{
	const struct deadline dl = deadline_in_ms(ms);
	struct record record;

	assert_int_equal(record_renew(link, &record, seen, false, &dl), wanted);
}

/* ---- late writes ---- */

/* Somebody keeps the row locked: what we ask is done after we have given up. */
static void an_unanswered_write_may_be_done_later(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct record seen = witness_paired();
	struct record_link AUTO_RECORD link;
	struct record record;
	struct pg AUTO_PG *session = witness_session();

	(void)state;
	record_begin(&link, &witness.n[N1], SYSTEM);
	assert_int_equal(pg_command(session, "BEGIN", &dl), 0);
	assert_int_equal(pg_command(session, "LOCK pgvrrp.record IN ROW EXCLUSIVE MODE", &dl), 0);
	assert_int_equal(
	    pg_command(session, "DECLARE c CURSOR FOR SELECT 1 FROM pgvrrp.record FOR UPDATE", &dl),
	    0);
	assert_int_equal(pg_command(session, "MOVE c", &dl), 0);
	write_ms(&link, &seen, 300, -ETIMEDOUT);
	assert_false(record_unsent(&link));
	assert_int_equal(link.failure, PG_FAIL_LATE);
	assert_null(link.pg);
	/* a look waits for nobody, and shows that it is not done yet */
	record = witness_look(N2);
	assert_int_equal(record.version, seen.version);
	assert_int_equal(pg_command(session, "COMMIT", &dl), 0);
	for (int i = 0; i < 200 && record.version == seen.version; i++) {
		const struct deadline pause = deadline_in_ms(10);

		deadline_sleep(&pause);
		record = witness_look(N2);
	}
	assert_int_equal(record.version, seen.version + 1);
}

/* The same, and another write comes first: the late one changes nothing. */
static void a_late_write_for_an_older_row_is_not_done(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct record seen = witness_paired();
	struct record_link AUTO_RECORD link;
	struct record record;
	struct pg AUTO_PG *session = witness_session();
	struct pg_result AUTO_PG_RESULT *row = NULL;

	(void)state;
	record_begin(&link, &witness.n[N1], SYSTEM);
	assert_int_equal(pg_command(session, "BEGIN", &dl), 0);
	assert_int_equal(pg_query(&row, session,
				  "SELECT refused FROM pgvrrp.take('main', 7000000000000000001,"
				  " 'n2', 1, 2, 5000)",
				  1, 1, &dl),
			 0);
	write_ms(&link, &seen, 300, -ETIMEDOUT);
	assert_int_equal(pg_command(session, "COMMIT", &dl), 0);
	witness_says("SELECT pg_sleep(0.2)", "");
	record = witness_look(N1);
	assert_string_equal(record.holder, "n2");
	assert_int_equal(record.term, 2);
	assert_int_equal(record.version, seen.version + 1);
}

/* ---- two at once ---- */

struct contender {
	struct record_link link;
	const struct record *seen;
	struct record record;
	pthread_barrier_t *start;
	bool creates;
	int rc;
};

static void *contend(void *arg)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct contender *c = arg;

	(void)pthread_barrier_wait(c->start);
	c->rc = c->creates ? record_create(&c->link, &c->record, c->seen, c->seen->term + 1, &dl)
			   : record_take(&c->link, &c->record, c->seen, &dl);
	return NULL;
}

/* Both over connections that are open already, so that they meet. */
static void meet(struct contender both[2])
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	pthread_barrier_t start;
	pthread_t threads[2];

	assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
	for (size_t i = 0; i < 2; i++) {
		both[i].start = &start;
		assert_int_equal(record_look(&both[i].link, &both[i].record, &dl), 0);
		assert_int_equal(pthread_create(&threads[i], NULL, contend, &both[i]), 0);
	}
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(pthread_barrier_destroy(&start), 0);
}

static void assert_one_won(const struct contender both[2], const char *why)
{
	const size_t winner = both[0].record.refused[0] == '\0' ? 0 : 1;
	const struct record there = witness_look(N1);

	assert_int_equal(both[0].rc, 0);
	assert_int_equal(both[1].rc, 0);
	assert_refused(&both[winner].record, "");
	assert_refused(&both[1 - winner].record, why);
	assert_string_equal(there.holder, witness.n[winner].nodes[winner].name);
	/* the loser is shown what has won */
	assert_true(record_says_same(&both[1 - winner].record, &there));
	assert_int_equal(both[1 - winner].record.version, there.version);
}

static void of_two_that_take_it_at_once_one_wins(void **state)
{
	struct contender both[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		record_begin(&both[i].link, &witness.n[i], SYSTEM);
	for (int round = 0; round < ROUNDS; round++) {
		struct record seen;

		assert_int_equal(witness_empty(NULL), 0);
		seen = witness_paired();
		both[0].seen = both[1].seen = &seen;
		meet(both);
		assert_one_won(both, "stale");
		assert_int_equal(both[0].record.term, 2);
		assert_int_equal(both[0].record.version, seen.version + 1);
	}
	for (size_t i = 0; i < 2; i++)
		record_end(&both[i].link);
}

static void of_two_that_create_it_at_once_one_wins(void **state)
{
	struct contender both[2] = { { .creates = true }, { .creates = true } };
	const struct record absent = none();

	(void)state;
	for (size_t i = 0; i < 2; i++)
		record_begin(&both[i].link, &witness.n[i], SYSTEM);
	for (int round = 0; round < ROUNDS; round++) {
		assert_int_equal(witness_empty(NULL), 0);
		both[0].seen = both[1].seen = &absent;
		meet(both);
		assert_one_won(both, "exists");
	}
	for (size_t i = 0; i < 2; i++)
		record_end(&both[i].link);
}

/* ---- new records ---- */

static void none_is_made_where_there_is_one(void **state)
{
	const struct record old = witness_paired();
	const struct record absent = none();
	struct record record = created(N2, &absent, 9);

	(void)state;
	assert_refused(&record, "exists");
	assert_string_equal(record.holder, "n1");
	assert_int_equal(record.version, old.version);
	/* nor in place of one of that term, or of a later one */
	record = created(N2, &old, 1);
	assert_refused(&record, "exists");
}

static void a_later_term_replaces_the_row_that_was_seen(void **state)
{
	const struct record old = witness_paired();
	struct record seen = old;
	struct record record;

	(void)state;
	seen.version--;
	record = created(N2, &seen, 5);
	assert_refused(&record, "stale");
	seen = old;
	seen.term++;
	record = created(N2, &seen, 5);
	assert_refused(&record, "stale");
	record = created(N2, &old, 5);
	assert_refused(&record, "");
	assert_string_equal(record.holder, "n2");
	assert_int_equal(record.term, 5);
	assert_int_equal(record.version, old.version + 1);
	assert_false(record.paired);
	assert_true(record.sealed && record.node_known);
}

static void a_row_that_was_edited_is_replaced_whatever_it_says(void **state)
{
	const struct record_memory memory = { .known = FACT_YES, .term = 1, .version = 2 };
	struct record seen = witness_paired();
	struct record record;

	(void)state;
	witness_sql("UPDATE pgvrrp.record SET term = 9223372036854775807,"
		    " version = 9223372036854775807, nodes = '{a,b}', holder = 'a'");
	seen = witness_look(N1);
	assert_false(seen.sealed || seen.node_known);
	record = created(N1, &seen, record_next_term(&seen, &memory));
	assert_refused(&record, "");
	assert_int_equal(record.term, 2);
	assert_int_equal(record.version, 1);
	assert_true(record.sealed && record.node_known);
}

static void none_is_made_over_another_clusters(void **state)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	const struct record seen = witness_paired();
	struct record_link AUTO_RECORD link;
	struct cfg cfg = witness.n[N1];
	struct record record;

	(void)state;
	record_begin(&link, &witness.n[N1], SYSTEM + 1);
	assert_int_equal(record_create(&link, &record, &seen, 9, &dl), 0);
	assert_refused(&record, "system");
	record_end(&link);
	/* a copy of the cluster, under the same name, on other nodes */
	(void)snprintf(cfg.nodes[N1].name, sizeof(cfg.nodes[N1].name), "x1");
	record_begin(&link, &cfg, SYSTEM);
	assert_int_equal(record_create(&link, &record, &seen, 9, &dl), 0);
	assert_refused(&record, "node");
	/* gone meanwhile */
	assert_int_equal(witness_empty(NULL), 0);
	assert_int_equal(record_create(&link, &record, &seen, 9, &dl), 0);
	assert_refused(&record, "absent");
	assert_int_equal(record.present, FACT_NO);
}

static void clusters_do_not_see_each_other(void **state)
{
	const struct record ours = witness_paired();

	(void)state;
	for (uint64_t i = 0; i < 50; i++) {
		const struct deadline dl = deadline_in_ms(PATIENCE);
		struct record_link AUTO_RECORD link;
		struct cfg cfg = witness.n[N2];
		struct record record;

		(void)snprintf(cfg.name, sizeof(cfg.name), "c-%02u_of-31-characters-abcdefghi",
			       (unsigned)i % 100);
		record_begin(&link, &cfg, SYSTEM + i);
		assert_int_equal(record_look(&link, &record, &dl), 0);
		assert_int_equal(record.present, FACT_NO);
		assert_int_equal(record_create(&link, &record, &record, 3, &dl), 0);
		assert_int_equal(record_renew(&link, &record, &record, false, &dl), 0);
		assert_refused(&record, "");
		assert_int_equal(record.term, 3);
		assert_string_equal(record.holder, "n2");
	}
	witness_says("SELECT count(*) FROM pgvrrp.record", "51");
	assert_int_equal(witness_look(N1).version, ours.version);
}

#define TEST(name) cmocka_unit_test_setup(name, witness_empty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unanswered_write_may_be_done_later),
		TEST(a_late_write_for_an_older_row_is_not_done),
		TEST(of_two_that_take_it_at_once_one_wins),
		TEST(of_two_that_create_it_at_once_one_wins),
		TEST(none_is_made_where_there_is_one),
		TEST(a_later_term_replaces_the_row_that_was_seen),
		TEST(a_row_that_was_edited_is_replaced_whatever_it_says),
		TEST(none_is_made_over_another_clusters),
		TEST(clusters_do_not_see_each_other),
	};

	return cmocka_run_group_tests(tests, witness_begin, witness_end);
}
