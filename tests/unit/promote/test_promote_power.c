/* SPDX-License-Identifier: PostgreSQL */
/* When promote_safe switches the old primary's host off, over every combination of what matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "promote/promote_rules.h"

static const enum fact all_facts[] = { FACT_UNKNOWN, FACT_NO, FACT_YES };

/*
 * In other words than the rules: a host is switched off by a sound standby that sees the witness,
 * with which VRRP agrees, that nobody has told of a primary; when nobody could ask it; whose vote
 * is gone, and whose lease by that vote has ended.  Never where a record says who may serve, and
 * never when something else is proof enough.
 */
static bool may_switch_off(const struct promote_facts *f)
{
	bool sound = f->local == SERVER_STANDBY && f->fenced == FACT_NO &&
		     f->replay_paused == FACT_NO && f->fresh_enough == FACT_YES;
	bool vrrp =
	    f->by_hand || (f->keepalived_alive == FACT_YES && f->election_master == FACT_YES &&
			   f->peer_is_standby != FACT_YES && f->peer_is_starting != FACT_YES);
	bool asked = f->fence_over && f->fence != FENCE_ALIVE && f->peer_is_primary != FACT_YES;
	bool unproven =
	    f->fence != FENCE_FENCED && f->fence != FENCE_ISOLATED && !f->peer_down_by_operator;

	return f->power_left && !f->has_record && sound && asked && unproven && vrrp &&
	       f->witness_seen == FACT_YES && f->withdrawn == FACT_YES && f->waited == FACT_YES;
}

static uint64_t digit(uint64_t *n, uint64_t values)
{
	uint64_t value = *n % values;

	*n /= values;
	return value;
}

/* False when there is no n-th combination. */
static bool combination(struct promote_facts *f, uint64_t n)
{
	enum fact *const facts[] = {
		&f->fenced,       &f->replay_paused, &f->peer_is_primary,  &f->peer_is_standby,
		&f->withdrawn,    &f->waited,        &f->keepalived_alive, &f->election_master,
		&f->witness_seen, &f->fresh_enough,
	};

	*f = (struct promote_facts){ .local = SERVER_STANDBY,
				     .rights = FACT_YES,
				     .replayed = FACT_YES };
	for (size_t i = 0; i < ARRAY_COUNT(facts); i++)
		*facts[i] = all_facts[digit(&n, ARRAY_COUNT(all_facts))];
	f->peer_is_starting = digit(&n, 2) ? FACT_YES : FACT_NO;
	f->fence = (enum fence_verdict)digit(&n, FENCE_VERDICTS);
	f->fence_over = digit(&n, 2);
	f->power_left = digit(&n, 2);
	f->by_hand = digit(&n, 2);
	f->peer_down_by_operator = digit(&n, 2);
	f->unproven_promote = digit(&n, 2);
	return n == 0;
}

static void switches_off_exactly_when_the_argument_holds(void **state)
{
	struct promote_facts f;
	struct verdict verdict;
	uint64_t switched = 0;

	(void)state;
	for (uint64_t n = 0; combination(&f, n); n++) {
		enum promote_step step = promote_decide(&f, &verdict);
		bool off = step == STEP_POWER;

		/* Nor is it promoted before that was tried, where proof is wanted. */
		if (step == STEP_PROMOTE && f.power_left)
			assert_true(f.fence == FENCE_FENCED || f.fence == FENCE_ISOLATED ||
				    f.peer_down_by_operator);
		if (off != may_switch_off(&f))
			fail_msg("combination %llu: rule %s", (unsigned long long)n, verdict.rule);
		if (off)
			assert_string_equal(verdict.rule, "not-switched-off");
		switched += off;
	}
	assert_true(switched > 0);
}

/* Whatever else is known, also what no row ever says. */
static void never_with_a_record(void **state)
{
	struct promote_facts f;
	struct verdict verdict;

	(void)state;
	for (uint64_t n = 0; combination(&f, n); n += 5) {
		f.has_record = true;
		f.trust = (enum record_trust)(n % RECORD_TRUSTS);
		f.record_ours = n & 1;
		f.record_paired = n & 2;
		f.record_still = all_facts[n % ARRAY_COUNT(all_facts)];
		assert_int_not_equal(promote_decide(&f, &verdict), STEP_POWER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches_off_exactly_when_the_argument_holds),
		cmocka_unit_test(never_with_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
