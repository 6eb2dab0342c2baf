/* SPDX-License-Identifier: PostgreSQL */
/* A standby that somebody promotes by hand, on two real servers: what proves it, and the way back
 * from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/check_unbidden.h"
#include "node/stamp.h"
#include "node/unbidden.h"
#include "pidspace.h"
#include "record/record_memory.h"
#include "rejoin/rejoin_act.h"
#include "rejoin_pair.h"

static struct cfg *const n2 = &pair_servers.cfg[1];
static const struct pair_options by_hand = { 0 };

static void record_says(const char *holder, int64_t term)
{
	struct record_memory memory = record_memory_read(n2);
	struct record record = { .present = FACT_YES,
				 .schema = RECORD_SCHEMA,
				 .same_system = true,
				 .node_known = true,
				 .sealed = true,
				 .term = term,
				 .version = term * 100,
				 .paired = true,
				 .lease_ms = n2->lease_ms,
				 .asked_ms = now_ms(),
				 .answered_ms = now_ms() };

	(void)snprintf(record.holder, sizeof(record.holder), "%s", holder);
	assert_int_equal(record_memory_note(n2, &memory, &record), 0);
}

/* One round of check_primary on n2. */
static void round_of_n2(void)
{
	struct deadline dl = deadline_in_ms(5000);
	struct server local, peer;

	server_ask_both(&local, &dl, &peer, &dl, n2);
	check_note_unbidden(n2, &local, &peer);
}

static void promotion_under_the_others_term_is_proven(void **unused)
{
	char word[32];
	int64_t at_ms;

	(void)unused;
	record_says("n1", 5);
	round_of_n2();
	assert_int_equal(stamp_read(n2, STAMP_FOLLOWED, &at_ms, word, sizeof(word)), 0);
	assert_string_equal(word, "5.1");
	assert_false(unbidden_is(n2, 1));
	pair_promote(1);
	round_of_n2();
	assert_true(unbidden_is(n2, 2));
	assert_false(unbidden_is(n2, 1));
	assert_true(pair_history_has(n2, "promoted-unbidden"));
}

/* The node took the term, and lost it again: its writes in between were by right. */
static void promotion_under_another_term_is_not(void **unused)
{
	(void)unused;
	record_says("n1", 5);
	round_of_n2();
	record_says("n2", 6);
	pair_promote(1);
	round_of_n2();
	assert_false(unbidden_is(n2, 2));
	record_says("n1", 7);
	round_of_n2();
	assert_false(unbidden_is(n2, 2));
}

/* Nobody saw how it became one. */
static void server_that_was_started_as_a_primary_is_not(void **unused)
{
	(void)unused;
	record_says("n1", 5);
	round_of_n2();
	pair_promote(1);
	assert_int_equal(pair_stop(1), 0);
	assert_int_equal(pgfixture_start(&pair_servers, 1, true), 0);
	round_of_n2();
	assert_false(unbidden_is(n2, 2));
}

/* The primary is on an older timeline, and goes on; what was written here is kept aside. */
static void it_is_rewound_to_the_older_timeline(void **unused)
{
	struct rejoin r = { .cfg = n2, .dl = deadline_in_ms(40000) };
	struct verdict verdict;

	(void)unused;
	pair_promote(1);
	pair_sql(1, "INSERT INTO t VALUES (2)");
	pair_sql(0, "INSERT INTO t VALUES (3)");
	assert_int_equal(pair_stop(1), 0);
	pair_rejoins(n2, &by_hand, OUT_REFUSED, "ours-newer");
	assert_int_equal(unbidden_write(n2, 2), 0);
	rejoin_gather(&r);
	assert_int_equal(r.facts.past, PAST_OURS_NEWER);
	/* As where the record gives the right to the other node (rejoin_gather_right). */
	r.facts.past = PAST_DIVERGED;
	assert_int_equal(rejoin_decide(&r.facts, &verdict), STEP_REWIND);
	if (!rejoin_act(&r, STEP_REWIND, &verdict))
		print_error("%s: %s\n", verdict.rule, verdict.detail);
	pair_rejoins(n2, &by_hand, OUT_YES, "streaming");
	assert_false(unbidden_is(n2, 2));
	pair_until(1, "SELECT string_agg(n::text, ' ' ORDER BY n) FROM t", "1 3");
	assert_true(pair_history_has(n2, "salvaged"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(promotion_under_the_others_term_is_proven),
		TEST(promotion_under_another_term_is_not),
		TEST(server_that_was_started_as_a_primary_is_not),
		TEST(it_is_rewound_to_the_older_timeline),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, pair_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
