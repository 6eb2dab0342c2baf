/* SPDX-License-Identifier: PostgreSQL */
/* promote_decide where a watchdog is required and this node has none: nothing is begun, whatever
 * else holds; and where it has one, or none is required, that fact takes no part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "promote/promote_rules.h"

static uint64_t seed = 1;

static unsigned dice(unsigned sides)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % sides;
}

/* Any facts at all, those of both kinds of witness. */
static struct promote_facts any(void)
{
	struct promote_facts f = { .local = SERVER_STANDBY, .rights = FACT_YES };
	enum fact *const facts[] = {
		&f.fenced,           &f.replay_paused,    &f.peer_is_primary, &f.peer_is_standby,
		&f.peer_is_starting, &f.keepalived_alive, &f.election_master, &f.witness_seen,
		&f.fresh_enough,     &f.withdrawn,        &f.waited,          &f.no_sign_of_life,
		&f.replayed,         &f.record_still,
	};
	bool *const flags[] = {
		&f.fence_over, &f.has_record, &f.record_ours,      &f.record_paired,
		&f.behind,     &f.paused,     &f.record_released,  &f.record_renewed,
		&f.accepted,   &f.override,   &f.unproven_promote, &f.peer_down_by_operator,
		&f.by_hand,
	};

	for (size_t i = 0; i < ARRAY_COUNT(facts); i++)
		*facts[i] = (enum fact)dice(3);
	for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
		*flags[i] = dice(2) == 1;
	/* Mostly fit, or hardly any would get far. */
	if (dice(8) != 0)
		f.fenced = f.replay_paused = FACT_NO, f.replayed = FACT_YES, f.by_hand = true;
	f.fence = (enum fence_verdict)dice(FENCE_VERDICTS);
	f.trust = (enum record_trust)dice(RECORD_TRUSTS);
	return f;
}

static void without_it_nothing_is_begun(void **state)
{
	unsigned named = 0;
	unsigned would = 0;

	(void)state;
	for (int i = 0; i < 3000000; i++) {
		struct promote_facts f = any();
		struct verdict with;
		struct verdict without;
		enum promote_step step = promote_decide(&f, &with);

		f.watchdog_missing = true;
		assert_int_equal(promote_decide(&f, &without), STEP_VERDICT);
		assert_int_not_equal(without.outcome, OUT_YES);
		if (strcmp(without.rule, "watchdog-missing") != 0)
			assert_string_equal(without.rule, with.rule);
		else
			named++;
		would += step != STEP_VERDICT;
	}
	assert_true(named > 0 && would > 0);
}

static void it_is_named_before_anything_that_time_would_mend(void **state)
{
	struct promote_facts f = { .local = SERVER_STANDBY,
				   .rights = FACT_YES,
				   .fenced = FACT_NO,
				   .keepalived_alive = FACT_YES,
				   .election_master = FACT_YES,
				   .watchdog_missing = true };
	struct verdict verdict;

	(void)state;
	assert_int_equal(promote_decide(&f, &verdict), STEP_VERDICT);
	assert_string_equal(verdict.rule, "watchdog-missing");
	assert_int_equal(verdict.outcome, OUT_REFUSED);
	/* Nor is it something that a person may pass over: the guard would not. */
	f.by_hand = f.peer_down_by_operator = f.override = true;
	assert_int_equal(promote_decide(&f, &verdict), STEP_VERDICT);
	assert_string_equal(verdict.rule, "watchdog-missing");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_it_nothing_is_begun),
		cmocka_unit_test(it_is_named_before_anything_that_time_would_mend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
