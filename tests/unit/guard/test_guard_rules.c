/* SPDX-License-Identifier: PostgreSQL */
/* The guard: when it fences, and that nothing comes before that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/auto.h"
#include "guard/guard_rules.h"

#define NOW 100000

static struct guard_facts facts(enum guard_server server)
{
	return (struct guard_facts){
		.now = NOW,
		.server = server,
		.fenced = FACT_NO,
		.lease = { .until_ms = NOW + 5000, .by = "vote" },
		.last_contact_ms = NOW,
		.auto_start = true,
		.lease_ms = 5000,
		.fence_time_ms = 1000,
		.contact_lost_ms = 2500,
	};
}

static void leaves_a_primary_with_a_lease_alone(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY);

	(void)state;
	assert_int_equal(guard_decide(&f), GUARD_NOTHING);
}

static void fences_early_enough_to_be_over_when_the_lease_ends(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY);

	(void)state;
	f.lease.until_ms = NOW + 1001;
	assert_int_equal(guard_decide(&f), GUARD_NOTHING);
	f.lease.until_ms = NOW + 1000;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_LEASE);
	f.lease.until_ms = 1; /* it woke up long after */
	assert_int_equal(guard_decide(&f), GUARD_FENCE_LEASE);
}

/* Its standby has not shown yet that it has all; and the stamp of a switchover excuses nothing
 * else. */
static void leaves_the_end_of_a_server_to_a_switchover(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_DOWN);

	(void)state;
	f.died_as_primary = true;
	assert_int_equal(guard_decide(&f), GUARD_CLEAR_UP);
	f.handed_over = true;
	assert_int_equal(guard_decide(&f), GUARD_NOTHING);
	f.died_as_primary = false;
	assert_int_equal(guard_decide(&f), GUARD_START);
	f = facts(GUARD_SERVER_PRIMARY);
	f.handed_over = true;
	f.lease.until_ms = NOW;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_LEASE);
	f.fenced = FACT_YES;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_AGAIN);
}

static void fences_what_it_cannot_look_at_when_the_lease_ends(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_UNKNOWN);

	(void)state;
	assert_int_equal(guard_decide(&f), GUARD_START); /* so that rejoin says why */
	f.lease.until_ms = NOW;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_LEASE);
}

static void never_fences_a_standby_for_a_lease(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_STANDBY);

	(void)state;
	f.lease.until_ms = 1;
	assert_int_equal(guard_decide(&f), GUARD_NOTHING);
}

static void fences_a_primary_that_nobody_gave_a_right(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY);

	(void)state;
	f.lease.until_ms = 0;
	f.unentitled_since = NOW - 3999;
	assert_int_equal(guard_decide(&f), GUARD_NOTHING);
	f.unentitled_since = NOW - 4000;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_UNENTITLED);
}

/* All combinations: only the missing lease is passed over, never a mark, nor a lease that ends. */
static void a_spared_primary_is_fenced_for_nothing_but_a_mark(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 4 * 3 * 3 * 2 * 2; bits++) {
		struct guard_facts f = facts((enum guard_server)(bits % 4));
		struct guard_facts held;

		f.fenced = (enum fact)(bits / 4 % 3);
		f.lease.until_ms = (int64_t[]){ 0, NOW + 1000, NOW + 5000 }[bits / 12 % 3];
		f.back_in_recovery = bits / 36 % 2;
		f.unentitled_since = NOW - 4000;
		f.spared = bits / 72 % 2;
		held = f, held.spared = false;
		if (f.spared && guard_decide(&held) == GUARD_FENCE_UNENTITLED)
			assert_true(guard_decide(&f) == GUARD_NOTHING ||
				    guard_decide(&f) == GUARD_END);
		else
			assert_int_equal(guard_decide(&f), guard_decide(&held));
		assert_false(f.spared && guard_decide(&f) == GUARD_FENCE_UNENTITLED);
	}
}

static void fences_again_who_was_started_by_hand(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY);

	(void)state;
	f.fenced = FACT_YES;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_AGAIN);
}

/* Its lease and its mark come first: it stays down then. */
static void ends_what_went_back_into_recovery(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY);

	(void)state;
	f.back_in_recovery = true;
	assert_int_equal(guard_decide(&f), GUARD_END);
	f.lease.until_ms = NOW + 1000;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_LEASE);
	f.fenced = FACT_YES;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_AGAIN);
}

static void mark_that_cannot_be_read_leaves_the_lease_to_run_out(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY);

	(void)state;
	f.fenced = FACT_UNKNOWN;
	assert_int_equal(guard_decide(&f), GUARD_NOTHING);
	f.lease.until_ms = NOW + 1000;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_LEASE);
	f.lease.until_ms = 0;
	f.unentitled_since = NOW - 4000;
	assert_int_equal(guard_decide(&f), GUARD_FENCE_UNENTITLED);
}

static void clears_up_before_it_starts_anything(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_DOWN);

	(void)state;
	f.died_as_primary = true;
	assert_int_equal(guard_decide(&f), GUARD_CLEAR_UP);
	f.died_as_primary = false;
	assert_int_equal(guard_decide(&f), GUARD_START);
	f.auto_start = false;
	assert_int_equal(guard_decide(&f), GUARD_NOTHING);
}

static void looks_after_a_silent_primary_from_every_state(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_STANDBY);

	(void)state;
	f.last_contact_ms = NOW - 2500;
	assert_int_equal(guard_decide(&f), GUARD_LOOK_AFTER);
	f.last_contact_ms = 0; /* never seen in this boot, but only just a standby */
	f.standby_since_ms = NOW - 2000;
	assert_int_equal(guard_decide(&f), GUARD_NOTHING);
	f.standby_since_ms = NOW - 2500;
	assert_int_equal(guard_decide(&f), GUARD_LOOK_AFTER);
}

static void takes_up_a_vote_that_was_left_withdrawn(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_STANDBY);

	(void)state;
	f.vote_left = true;
	assert_int_equal(guard_decide(&f), GUARD_LOOK_AFTER);
}

static void leads_back_a_standby_that_is_lost(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_STANDBY);

	(void)state;
	f.last_streaming_ms = NOW - 1000;
	assert_false(guard_standby_is_lost(&f));
	f.fenced = FACT_YES; /* a rejoin was killed just before it was done */
	assert_true(guard_standby_is_lost(&f));
	f.vote_left = true; /* promote_safe first */
	assert_false(guard_standby_is_lost(&f));
	f.vote_left = false, f.fenced = FACT_NO;
	f.last_streaming_ms = NOW - 5000;
	assert_true(guard_standby_is_lost(&f));
	f.last_contact_ms = NOW - 2500; /* no primary that it could follow */
	assert_false(guard_standby_is_lost(&f));
	f = facts(GUARD_SERVER_PRIMARY), f.fenced = FACT_YES;
	assert_false(guard_standby_is_lost(&f));
}

/* ---- whom the kernel lets in ---- */

static void a_primary_is_let_in_to_exactly_as_long_as_its_lease(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY);
	struct nftlease want;

	(void)state;
	assert_true(guard_kernel_wants(&f, &want));
	assert_int_equal(want.gate, NFTLEASE_UNTIL);
	assert_int_equal(want.until_ms, f.lease.until_ms);
	f.lease = (struct lease){ 0 };
	assert_true(guard_kernel_wants(&f, &want));
	assert_int_equal(want.gate, NFTLEASE_SHUT);
}

static void a_standby_that_may_be_promoted_at_any_moment_is_left_alone(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_STANDBY);
	struct nftlease want;

	(void)state;
	assert_true(guard_kernel_wants(&f, &want));
	assert_int_equal(want.gate, NFTLEASE_OPEN);
	f.promoting = true;
	assert_false(guard_kernel_wants(&f, &want));
}

/* All combinations: whatever may be a primary is never let in to without an end, and not at all
 * when it is fenced or has no lease; but for one that is spared, until its first lease. */
static void only_a_standby_or_who_is_spared_is_let_in_to_for_ever(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 4 * 3 * 2 * 2 * 2; bits++) {
		struct guard_facts f = facts((enum guard_server)(bits % 4));
		struct nftlease want;
		bool known;

		f.fenced = (enum fact)(bits / 4 % 3);
		f.promoting = bits / 12 % 2;
		f.lease.until_ms = bits / 24 % 2 ? NOW + 5000 : 0;
		f.spared = f.server == GUARD_SERVER_PRIMARY && bits / 48;
		known = guard_kernel_wants(&f, &want);
		if (want.gate == NFTLEASE_OPEN)
			assert_true(f.server == GUARD_SERVER_STANDBY ||
				    (f.spared && f.fenced != FACT_YES && f.lease.until_ms == 0));
		if (f.spared && f.fenced != FACT_YES && f.lease.until_ms == 0)
			assert_int_equal(want.gate, NFTLEASE_OPEN);
		if (want.gate == NFTLEASE_UNTIL)
			assert_true(f.fenced != FACT_YES && f.lease.until_ms > 0 &&
				    f.server != GUARD_SERVER_DOWN);
		if (f.server == GUARD_SERVER_DOWN || f.server == GUARD_SERVER_PRIMARY)
			assert_true(known);
	}
}

/* Were it to leave at once, the standby would be asked to take over from a primary that serves. */
static void a_mark_that_cannot_be_read_leaves_the_election_when_the_lease_ends(void **state)
{
	struct guard_facts f = facts(GUARD_SERVER_PRIMARY);

	(void)state;
	assert_true(guard_stands(&f));
	f.fenced = FACT_UNKNOWN;
	assert_true(guard_stands(&f));
	f.lease.until_ms = NOW;
	assert_false(guard_stands(&f));
	f = facts(GUARD_SERVER_PRIMARY), f.fenced = FACT_YES;
	assert_false(guard_stands(&f));
	f = facts(GUARD_SERVER_STANDBY), f.fenced = FACT_UNKNOWN;
	assert_false(guard_stands(&f)); /* promote_safe would refuse */
	f.fenced = FACT_NO;
	assert_true(guard_stands(&f));
}

static void every_act_has_a_reason_in_words(void **state)
{
	(void)state;
	for (int act = 0; act < GUARD_ACTS; act++)
		assert_non_null(guard_act_word((enum guard_act)act));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_a_primary_with_a_lease_alone),
		cmocka_unit_test(fences_early_enough_to_be_over_when_the_lease_ends),
		cmocka_unit_test(leaves_the_end_of_a_server_to_a_switchover),
		cmocka_unit_test(fences_what_it_cannot_look_at_when_the_lease_ends),
		cmocka_unit_test(never_fences_a_standby_for_a_lease),
		cmocka_unit_test(fences_a_primary_that_nobody_gave_a_right),
		cmocka_unit_test(a_spared_primary_is_fenced_for_nothing_but_a_mark),
		cmocka_unit_test(fences_again_who_was_started_by_hand),
		cmocka_unit_test(ends_what_went_back_into_recovery),
		cmocka_unit_test(mark_that_cannot_be_read_leaves_the_lease_to_run_out),
		cmocka_unit_test(clears_up_before_it_starts_anything),
		cmocka_unit_test(looks_after_a_silent_primary_from_every_state),
		cmocka_unit_test(takes_up_a_vote_that_was_left_withdrawn),
		cmocka_unit_test(leads_back_a_standby_that_is_lost),
		cmocka_unit_test(a_primary_is_let_in_to_exactly_as_long_as_its_lease),
		cmocka_unit_test(a_standby_that_may_be_promoted_at_any_moment_is_left_alone),
		cmocka_unit_test(only_a_standby_or_who_is_spared_is_let_in_to_for_ever),
		cmocka_unit_test(
		    a_mark_that_cannot_be_read_leaves_the_election_when_the_lease_ends),
		cmocka_unit_test(every_act_has_a_reason_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
