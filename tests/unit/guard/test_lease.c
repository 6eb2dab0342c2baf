/* SPDX-License-Identifier: PostgreSQL */
/* A lease begins, is prolonged, or never may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guard/lease.h"

#define LEASE 5000

static void nobody_granted_means_no_lease(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	assert_false(lease_runs(&lease, 1));
	assert_false(lease_runs(&lease, 0));
}

static void witness_never_begins_a_lease(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	lease_witness(&lease, 1000, LEASE, 1001);
	assert_false(lease_runs(&lease, 1001));
}

static void witness_never_revives_a_lease_that_ran_out(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	lease_vote(&lease, 1000, LEASE, 1000);
	/* the question left while the lease ran, the answer is taken when it does not */
	lease_witness(&lease, 5900, LEASE, 6000);
	assert_false(lease_runs(&lease, 6000));
}

static void vote_counts_from_when_it_was_asked(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	lease_vote(&lease, 1000, LEASE, 1000);
	assert_true(lease_runs(&lease, 5999));
	assert_false(lease_runs(&lease, 6000));
}

static void witness_prolongs_from_when_it_was_asked(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	lease_vote(&lease, 1000, LEASE, 1000);
	lease_witness(&lease, 3000, LEASE, 4000);
	assert_int_equal(lease.until_ms, 8000);
	assert_string_equal(lease.by, "witness");
}

static void older_answer_shortens_nothing(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	lease_vote(&lease, 3000, LEASE, 3000);
	lease_vote(&lease, 1000, LEASE, 1000);
	lease_witness(&lease, 2000, LEASE, 4000);
	lease_grant(&lease, 100, "operator", 50);
	assert_int_equal(lease.until_ms, 8000);
	assert_string_equal(lease.by, "vote");
}

static void vote_of_an_earlier_life_gives_nothing(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	lease_vote(&lease, 1000, LEASE, 6000);
	lease_grant(&lease, 6000, "promotion", 6000);
	assert_int_equal(lease.until_ms, 0);
}

static void question_of_no_time_is_no_vote(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	lease_vote(&lease, 0, LEASE, 0);
	assert_false(lease_runs(&lease, 1));
}

static void fence_begins_early_enough_to_be_over_at_the_end(void **state)
{
	struct lease lease = { 0 };

	(void)state;
	lease_grant(&lease, 9000, "promotion", 1);
	assert_int_equal(lease_fence_at(&lease, 1000), 8000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_granted_means_no_lease),
		cmocka_unit_test(witness_never_begins_a_lease),
		cmocka_unit_test(witness_never_revives_a_lease_that_ran_out),
		cmocka_unit_test(vote_counts_from_when_it_was_asked),
		cmocka_unit_test(witness_prolongs_from_when_it_was_asked),
		cmocka_unit_test(older_answer_shortens_nothing),
		cmocka_unit_test(vote_of_an_earlier_life_gives_nothing),
		cmocka_unit_test(question_of_no_time_is_no_vote),
		cmocka_unit_test(fence_begins_early_enough_to_be_over_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
