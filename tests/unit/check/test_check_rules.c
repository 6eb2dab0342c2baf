/* SPDX-License-Identifier: PostgreSQL */
/* check_decide over every combination of its facts: a primary serves exactly when it has every
 * right to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/auto.h"
#include "check/check_rules.h"

#define FACTS 3

static bool combination(struct check_facts *f, uint32_t n)
{
	enum fact *const facts[] = {
		&f->right_version,   &f->right_data_dir, &f->read_only,     &f->replay_paused,
		&f->sync_on,         &f->fenced,         &f->lease_runs,    &f->peer_votes,
		&f->peer_is_primary, &f->peer_followed,  &f->record_theirs,
	};

	/* This fact changes no more than the word for a missing lease, so each is tried with a
	 * part. */
	f->leased = (enum fact)((n * UINT32_C(2654435761) >> 16) % FACTS);
	for (size_t i = 0; i < ARRAY_COUNT(facts); i++, n /= FACTS)
		*facts[i] = (enum fact)(n % FACTS);
	f->mode_sync = n & 1;
	f->lease_known = n & 2;
	f->peer_other_system = n & 4;
	f->peer_not_older = n & 8;
	f->solo = n & 16;
	f->watchdog_missing = n & 32;
	f->lease_overdue = n & 64;
	n /= 128;
	f->local = (enum server_state)n;
	return n <= SERVER_STANDBY;
}

/* A server that refuses us is asked nothing: what it would have said of itself is not known. */
static bool combination_locked_out(struct check_facts *f, uint32_t n)
{
	enum fact *const facts[] = { &f->fenced,          &f->lease_runs,    &f->peer_votes,
				     &f->peer_is_primary, &f->peer_followed, &f->record_theirs,
				     &f->says_serving };

	*f = (struct check_facts){ .refuses = true };
	for (size_t i = 0; i < ARRAY_COUNT(facts); i++, n /= FACTS)
		*facts[i] = (enum fact)(n % FACTS);
	f->mode_sync = n & 1;
	f->lease_known = n & 2;
	f->peer_other_system = n & 4;
	f->peer_not_older = n & 8;
	f->solo = n & 16;
	f->watchdog_missing = n & 32;
	f->local = n & 64 ? SERVER_PRIMARY : SERVER_REFUSES;
	return n < 128;
}

/* The peer followed us, and neither the record nor our lease has ended our right since. */
static bool peer_has_no_right(const struct check_facts *f)
{
	return f->peer_followed == FACT_YES && f->record_theirs == FACT_NO &&
	       f->lease_runs == FACT_YES;
}

static bool meets_newer_primary(const struct check_facts *f)
{
	return f->peer_is_primary == FACT_YES && !f->peer_other_system && f->peer_not_older &&
	       !peer_has_no_right(f);
}

static bool may_serve(const struct check_facts *f)
{
	return f->local == SERVER_PRIMARY && f->fenced == FACT_NO && f->lease_runs == FACT_YES &&
	       f->right_version == FACT_YES && f->right_data_dir != FACT_NO &&
	       f->read_only == FACT_NO && (!f->mode_sync || f->sync_on == FACT_YES || f->solo) &&
	       f->record_theirs != FACT_YES && !meets_newer_primary(f);
}

static bool good_standby(const struct check_facts *f)
{
	return f->local == SERVER_STANDBY && f->fenced == FACT_NO && f->right_version == FACT_YES &&
	       f->right_data_dir != FACT_NO && f->replay_paused == FACT_NO;
}

static void says_yes_exactly_when_it_may(void **state)
{
	struct check_facts f = { 0 };
	uint32_t yes = 0;

	(void)state;
	for (uint32_t n = 0; combination(&f, n); n++) {
		struct verdict verdict = check_decide(&f);

		if ((verdict.outcome == OUT_YES) != (may_serve(&f) || good_standby(&f)))
			fail_msg("combination %u: rule %s", n, verdict.rule);
		if (f.local == SERVER_UNKNOWN)
			assert_int_equal(verdict.outcome, OUT_UNKNOWN);
		yes += verdict.outcome == OUT_YES;
	}
	assert_true(yes > 0);
}

/* The right to serve is the lease's; what could not be asked is as it was when it began
 * to serve. */
static void primary_that_refuses_us_serves_on_by_its_right(void **state)
{
	struct check_facts f;
	uint32_t yes = 0;

	(void)state;
	for (uint32_t n = 0; combination_locked_out(&f, n); n++) {
		const bool begun = !f.mode_sync || f.solo || f.says_serving == FACT_YES;
		const bool serves = f.local == SERVER_PRIMARY && f.fenced == FACT_NO &&
				    f.lease_runs == FACT_YES && f.record_theirs != FACT_YES &&
				    !meets_newer_primary(&f) && begun;
		struct verdict verdict = check_decide(&f);

		if ((verdict.outcome == OUT_YES) != serves)
			fail_msg("combination %u: rule %s", n, verdict.rule);
		if (f.local == SERVER_REFUSES)
			assert_string_equal(verdict.rule, "local-refuses");
		if (serves)
			assert_string_equal(verdict.rule, "serves-locked-out");
		yes += serves;
	}
	assert_true(yes > 0);
}

/* Somebody else serves by right, or our own right has ended. */
static bool has_no_right(const struct check_facts *f)
{
	return meets_newer_primary(f) || f->record_theirs == FACT_YES ||
	       ((f->lease_known || f->lease_overdue) && f->lease_runs == FACT_NO);
}

static void fences_exactly_the_primary_without_a_right(void **state)
{
	struct check_facts f = { 0 };

	(void)state;
	for (uint32_t n = 0; combination(&f, n); n++) {
		bool fences = check_must_fence(&f);

		if (fences != (f.local == SERVER_PRIMARY && has_no_right(&f)))
			fail_msg("combination %u", n);
		if (fences)
			assert_int_not_equal(check_decide(&f).outcome, OUT_YES);
	}
	for (uint32_t n = 0; combination_locked_out(&f, n); n++)
		assert_int_equal(check_must_fence(&f),
				 f.local == SERVER_PRIMARY && has_no_right(&f));
}

static void older_of_two_primaries_is_fenced_at_once(void **state)
{
	struct check_facts f = { .local = SERVER_PRIMARY,
				 .lease_runs = FACT_YES,
				 .peer_is_primary = FACT_YES,
				 .peer_not_older = true };

	(void)state;
	assert_true(check_must_fence(&f));
	f.peer_not_older = false;
	assert_false(check_must_fence(&f));
	f.peer_not_older = true;
	f.peer_other_system = true;
	assert_false(check_must_fence(&f));
}

/* A person promoted the standby: the one that serves by the record goes on. */
static void holder_of_the_record_outlives_a_standby_promoted_by_hand(void **state)
{
	struct check_facts f = { .local = SERVER_PRIMARY,
				 .lease_runs = FACT_YES,
				 .peer_is_primary = FACT_YES,
				 .peer_not_older = true,
				 .peer_followed = FACT_YES,
				 .record_theirs = FACT_NO };

	(void)state;
	assert_false(check_must_fence(&f));
	f.peer_followed = FACT_UNKNOWN;
	assert_true(check_must_fence(&f));
	f.peer_followed = FACT_NO; /* it was one before this server was started */
	assert_true(check_must_fence(&f));
	f.peer_followed = FACT_YES, f.record_theirs = FACT_UNKNOWN;
	assert_true(check_must_fence(&f));
	f.record_theirs = FACT_NO, f.lease_runs = FACT_UNKNOWN;
	assert_true(check_must_fence(&f));
}

/* Nothing but the lease: what else it is fenced for, no proof of the moment answers. */
static void lease_ends_by_itself_only_where_nobody_disowns(void **state)
{
	struct check_facts f = { 0 };

	(void)state;
	for (uint32_t n = 0; combination(&f, n); n++) {
		bool granted = f.lease_known || f.lease_overdue;
		bool lease_over = granted && f.lease_runs == FACT_NO;
		bool ended = f.local == SERVER_PRIMARY && lease_over && !meets_newer_primary(&f) &&
			     f.record_theirs != FACT_YES;

		if (check_lease_ended(&f) != ended)
			fail_msg("combination %u", n);
	}
}

static void late_guard_is_made_up_for(void **state)
{
	struct check_facts f = { .local = SERVER_PRIMARY, .lease_known = true };

	(void)state;
	f.lease_runs = FACT_NO;
	assert_true(check_must_fence(&f));
	/* never granted: the guard gives the standby's vote its time */
	f.lease_known = false;
	assert_false(check_must_fence(&f));
	/* that time is over, and the guard has not used it */
	f.lease_overdue = true;
	assert_true(check_must_fence(&f));
	assert_true(check_lease_ended(&f));
	f.lease_runs = FACT_UNKNOWN;
	assert_false(check_must_fence(&f));
}

/* Never had a lease: not fenced, and told by a word of its own. */
static void primary_that_was_never_paired_is_left_alone(void **state)
{
	struct check_facts f = { .local = SERVER_PRIMARY,
				 .right_version = FACT_YES,
				 .read_only = FACT_NO,
				 .fenced = FACT_NO,
				 .lease_runs = FACT_NO,
				 .leased = FACT_NO };

	(void)state;
	assert_string_equal(check_decide(&f).rule, "unpaired");
	assert_false(check_must_fence(&f));
	f.leased = FACT_UNKNOWN;
	assert_string_equal(check_decide(&f).rule, "no-lease");
	f.leased = FACT_YES;
	assert_string_equal(check_decide(&f).rule, "no-lease");
	f.leased = FACT_NO, f.lease_known = true;
	assert_string_equal(check_decide(&f).rule, "no-lease");
	assert_true(check_must_fence(&f));
	f.lease_runs = FACT_YES;
	assert_string_equal(check_decide(&f).rule, "serves");
}

/* A good primary but for what the record says. */
static void the_record_says_who_serves_and_whether_alone(void **state)
{
	struct check_facts f = { .local = SERVER_PRIMARY,
				 .right_version = FACT_YES,
				 .read_only = FACT_NO,
				 .fenced = FACT_NO,
				 .lease_runs = FACT_YES,
				 .mode_sync = true,
				 .sync_on = FACT_NO };

	(void)state;
	assert_string_equal(check_decide(&f).rule, "sync-off");
	assert_false(check_must_fence(&f));
	f.solo = true;
	assert_string_equal(check_decide(&f).rule, "serves");
	f.record_theirs = FACT_YES;
	assert_string_equal(check_decide(&f).rule, "not-holder");
	assert_true(check_must_fence(&f));
	/* A standby is led back by nobody's fence. */
	f.local = SERVER_STANDBY, f.replay_paused = FACT_NO;
	assert_string_equal(check_decide(&f).rule, "standby");
	assert_false(check_must_fence(&f));
}

/* A lease that still runs is not taken away because the device vanished. */
static void a_missing_watchdog_is_named_where_there_is_no_lease(void **state)
{
	struct check_facts f = { .local = SERVER_PRIMARY,
				 .right_version = FACT_YES,
				 .read_only = FACT_NO,
				 .fenced = FACT_NO,
				 .lease_runs = FACT_YES,
				 .watchdog_missing = true };

	(void)state;
	assert_string_equal(check_decide(&f).rule, "serves");
	f.lease_runs = FACT_NO;
	assert_string_equal(check_decide(&f).rule, "watchdog-missing");
	f.watchdog_missing = false;
	assert_string_equal(check_decide(&f).rule, "no-lease");
}

/* Only with every condition, and never where it has to be fenced for another reason. */
static void steps_down_for_a_standby_that_is_ready_only(void **state)
{
	const struct check_facts good = { .local = SERVER_PRIMARY,
					  .right_version = FACT_YES,
					  .read_only = FACT_NO,
					  .fenced = FACT_NO,
					  .lease_runs = FACT_YES,
					  .lease_known = true,
					  .disk_full = FACT_YES,
					  .full_for_long = true,
					  .steps_down = true,
					  .standby_ready = true };
	struct check_facts f = good;

	(void)state;
	assert_true(check_steps_down(&f));
	assert_false(check_must_fence(&f));
	/* Its words are not its deed: reading goes on until it is stopped. */
	assert_string_equal(check_decide(&f).rule, "serves-disk-full");
	assert_int_equal(check_decide(&f).outcome, OUT_YES);
	f.local = SERVER_STANDBY;
	assert_false(check_steps_down(&f));
	f = good, f.disk_full = FACT_UNKNOWN;
	assert_false(check_steps_down(&f));
	assert_string_equal(check_decide(&f).rule, "serves");
	f = good, f.full_for_long = false;
	assert_false(check_steps_down(&f));
	f = good, f.steps_down = false;
	assert_false(check_steps_down(&f));
	assert_string_equal(check_decide(&f).rule, "serves-disk-full");
	f = good, f.standby_ready = false;
	assert_false(check_steps_down(&f));
	f = good, f.lease_runs = FACT_NO;
	assert_false(check_steps_down(&f));
	assert_true(check_must_fence(&f));
}

static void serving_file_is_believed_only_with_the_lease(void **state)
{
	struct check_facts f = { .says_serving = FACT_YES,
				 .fenced = FACT_NO,
				 .lease_runs = FACT_YES };

	(void)state;
	assert_int_equal(check_serving_decide(&f).outcome, OUT_YES);
	f.says_serving = FACT_UNKNOWN;
	assert_int_equal(check_serving_decide(&f).outcome, OUT_NO);
	f.says_serving = FACT_YES, f.fenced = FACT_YES;
	assert_int_equal(check_serving_decide(&f).outcome, OUT_NO);
	f.fenced = FACT_NO, f.lease_runs = FACT_UNKNOWN;
	assert_int_equal(check_serving_decide(&f).outcome, OUT_NO);
	f.fenced = FACT_UNKNOWN; /* somebody removed state_dir: until the lease has ended */
	assert_int_equal(check_serving_decide(&f).outcome, OUT_NO);
	f.lease_runs = FACT_YES;
	assert_int_equal(check_serving_decide(&f).outcome, OUT_YES);
	f.says_serving = FACT_NO; /* its no needs no proof */
	assert_int_equal(check_serving_decide(&f).outcome, OUT_YES);
}

/* A primary without a reload cannot be mended by taking the service from it. */
static void commits_that_wait_are_told_and_the_address_stays(void **state)
{
	struct check_facts f = { .local = SERVER_PRIMARY,
				 .right_version = FACT_YES,
				 .read_only = FACT_NO,
				 .fenced = FACT_NO,
				 .lease_runs = FACT_YES,
				 .mode_sync = true,
				 .solo = true };

	(void)state;
	assert_string_equal(check_decide(&f).rule, "serves");
	f.commits_wait = true;
	assert_string_equal(check_decide(&f).rule, "serves-commits-wait");
	assert_int_equal(check_decide(&f).outcome, OUT_YES);
	assert_false(check_must_fence(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_yes_exactly_when_it_may),
		cmocka_unit_test(primary_that_refuses_us_serves_on_by_its_right),
		cmocka_unit_test(fences_exactly_the_primary_without_a_right),
		cmocka_unit_test(older_of_two_primaries_is_fenced_at_once),
		cmocka_unit_test(holder_of_the_record_outlives_a_standby_promoted_by_hand),
		cmocka_unit_test(lease_ends_by_itself_only_where_nobody_disowns),
		cmocka_unit_test(late_guard_is_made_up_for),
		cmocka_unit_test(primary_that_was_never_paired_is_left_alone),
		cmocka_unit_test(the_record_says_who_serves_and_whether_alone),
		cmocka_unit_test(a_missing_watchdog_is_named_where_there_is_no_lease),
		cmocka_unit_test(steps_down_for_a_standby_that_is_ready_only),
		cmocka_unit_test(serving_file_is_believed_only_with_the_lease),
		cmocka_unit_test(commits_that_wait_are_told_and_the_address_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
