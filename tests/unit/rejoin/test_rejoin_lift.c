/* SPDX-License-Identifier: PostgreSQL */
/* rejoin --lift-fence on two real servers: a person's fence, and a person's way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/mark.h"
#include "pidspace.h"
#include "rejoin_pair.h"

static struct cfg *const n1 = &pair_servers.cfg[0];
static struct cfg *const n2 = &pair_servers.cfg[1];
static const struct pair_options by_hand = { 0 };

/* A person who fenced the primary by mistake takes that back, where the standby says that nobody
 * serves. */
static void persons_fence_is_lifted_by_a_person(void **unused)
{
	const struct pair_options lift = { .lift = true };
	const struct pair_options guards = { .lift = true, .automatic = true };

	(void)unused;
	assert_int_equal(pair_stop(0), 0);
	assert_int_equal(fenced_write(n1, "test", FENCED_BY_OPERATOR), 0);
	pair_rejoins(n1, &by_hand, OUT_REFUSED, "fenced");
	pair_rejoins(n1, &guards, OUT_USAGE, "usage");
	pair_stays_down(n1);
	pair_rejoins(n1, &lift, OUT_YES, "resumed");
	assert_int_equal(fenced_read(n1).present, FACT_NO);
	pair_until(0, "SELECT state FROM pg_stat_replication", "streaming");
	assert_int_equal(pair_stop(0), 0);
	/* The other node relies on a fence that it had asked for. */
	assert_int_equal(fenced_write(n1, "test", FENCED_BY_PEER), 0);
	pair_rejoins(n1, &lift, OUT_REFUSED, "fenced");
	pair_stays_down(n1);
}

static void persons_fence_of_a_standby_is_lifted_by_a_person(void **unused)
{
	const struct pair_options lift = { .lift = true };
	const struct pair_options word = { .assume_peer_down = "n1" };

	(void)unused;
	assert_int_equal(pair_stop(0), 0);
	assert_int_equal(fenced_write(n2, "test", FENCED_BY_OPERATOR), 0);
	pair_rejoins(n2, &by_hand, OUT_INCOMPLETE, "still-fenced");
	pair_rejoins(n2, &lift, OUT_YES, "no-primary");
	assert_int_equal(fenced_read(n2).present, FACT_NO);
	assert_true(pair_history_has(n2, "fence-lifted"));
	assert_int_equal(fenced_write(n2, "test", FENCED_BY_PEER), 0);
	pair_rejoins(n2, &lift, OUT_INCOMPLETE, "still-fenced");
	assert_int_equal(fenced_read(n2).present, FACT_YES);
	pair_rejoins(n2, &word, OUT_YES, "no-primary");
	assert_int_equal(fenced_read(n2).present, FACT_NO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(persons_fence_is_lifted_by_a_person),
		TEST(persons_fence_of_a_standby_is_lifted_by_a_person),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, pair_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
