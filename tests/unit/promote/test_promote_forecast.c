/* SPDX-License-Identifier: PostgreSQL */
/* promote_foresee: what promote_safe would come to if the primary died now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/auto.h"
#include "promote/promote_forecast.h"

static const enum fact all_facts[] = { FACT_UNKNOWN, FACT_NO, FACT_YES };
static const enum fence_verdict proofs[] = { FENCE_UNKNOWN, FENCE_FENCED, FENCE_ISOLATED };

static uint64_t digit(uint64_t *n, uint64_t values)
{
	const uint64_t value = *n % values;

	*n /= values;
	return value;
}

/* ---- the argument in its own words; nothing of the rule table is used here ---- */

static bool fit(const struct promote_facts *f)
{
	return f->local == SERVER_STANDBY && f->fenced == FACT_NO && f->replay_paused == FACT_NO &&
	       f->rights == FACT_YES && f->keepalived_alive == FACT_YES && !f->watchdog_missing &&
	       !f->unwritable && !f->delayed;
}

/* The primary is dead, so every wait ends; what counts is what is believed then. */
static bool would_promote(const struct promote_facts *f, enum fence_verdict proof)
{
	const bool believed = proof != FENCE_UNKNOWN || f->power_left || f->unproven_promote;

	if (!fit(f))
		return false;
	if (!f->has_record)
		return f->fresh_enough == FACT_YES && !f->peer_unleased &&
		       f->witness_seen == FACT_YES && believed;
	return f->trust == RECORD_GOOD && !f->behind &&
	       (f->record_ours || (f->record_paired && !f->paused));
}

static void put_common(struct promote_facts *f, uint64_t *n)
{
	enum fact *const facts[] = { &f->fenced, &f->replay_paused, &f->rights,
				     &f->keepalived_alive };

	for (size_t i = 0; i < ARRAY_COUNT(facts); i++)
		*facts[i] = all_facts[digit(n, 3)];
	f->watchdog_missing = digit(n, 2);
	f->unwritable = digit(n, 2);
	f->delayed = digit(n, 2);
	f->unproven_promote = digit(n, 2);
	f->power_left = digit(n, 2);
}

static void put_ping(struct promote_facts *f, uint64_t *n)
{
	f->witness_seen = all_facts[digit(n, 3)];
	f->fresh_enough = all_facts[digit(n, 3)];
	f->peer_unleased = digit(n, 2);
}

static void put_record(struct promote_facts *f, uint64_t *n)
{
	f->trust = (enum record_trust)digit(n, RECORD_TRUSTS);
	f->record_ours = digit(n, 2);
	f->record_paired = digit(n, 2);
	f->paused = digit(n, 2);
	f->record_released = digit(n, 2);
	f->behind = digit(n, 2);
}

static uint64_t check_all(bool has_record)
{
	uint64_t promotions = 0;

	for (uint64_t i = 0, n = 0; n == 0; i++) {
		struct promote_facts f = { .local = SERVER_STANDBY, .has_record = has_record };
		struct verdict verdict;
		enum fence_verdict proof;
		bool promotes;

		n = i;
		proof = proofs[digit(&n, ARRAY_COUNT(proofs))];
		put_common(&f, &n);
		if (has_record)
			put_record(&f, &n);
		else
			put_ping(&f, &n);
		promotes = promote_foresee(&f, proof, &verdict) == STEP_PROMOTE;
		if (promotes != would_promote(&f, proof))
			fail_msg("combination %llu: rule %s", (unsigned long long)i, verdict.rule);
		if (!promotes)
			assert_int_not_equal(verdict.outcome, OUT_YES);
		promotions += promotes;
	}
	return promotions;
}

static void foresees_exactly_what_the_argument_permits(void **state)
{
	(void)state;
	assert_true(check_all(false) > 0);
	assert_true(check_all(true) > 0);
}

/* Whatever a takeover would find out is of no meaning before it begins. */
static void nothing_that_the_primary_says_now_counts(void **state)
{
	struct promote_facts f = {
		.local = SERVER_STANDBY,
		.fenced = FACT_NO,
		.replay_paused = FACT_NO,
		.rights = FACT_YES,
		.keepalived_alive = FACT_YES,
		.witness_seen = FACT_YES,
		.fresh_enough = FACT_YES,
		.peer_is_primary = FACT_YES,
		.peer_is_starting = FACT_YES,
		.peer_refuses = true,
		.election_master = FACT_NO,
		.fence = FENCE_ALIVE,
		.restore_hangs = true,
		.held = true,
	};
	struct verdict verdict;

	(void)state;
	assert_int_equal(promote_foresee(&f, FENCE_FENCED, &verdict), STEP_PROMOTE);
	assert_int_equal(promote_foresee(&f, FENCE_UNKNOWN, &verdict), STEP_VERDICT);
	assert_string_equal(verdict.rule, "unproven");
	f.local = SERVER_PRIMARY;
	assert_int_equal(promote_foresee(&f, FENCE_FENCED, &verdict), STEP_VERDICT);
	assert_string_equal(verdict.rule, "already-primary");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foresees_exactly_what_the_argument_permits),
		cmocka_unit_test(nothing_that_the_primary_says_now_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
