/* SPDX-License-Identifier: PostgreSQL */
/* promote_decide over every combination of its facts: it promotes exactly when the safety argument
 * holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "promote/promote_rules.h"

#define FACTS 3
static const enum fact all_facts[FACTS] = { FACT_UNKNOWN, FACT_NO, FACT_YES };

/* docs/safety.md, word for word; nothing of the rule table is used here. */
static bool may_promote(const struct promote_facts *f)
{
	bool here = f->local == SERVER_STANDBY && f->fenced == FACT_NO &&
		    f->replay_paused == FACT_NO && f->replayed == FACT_YES;
	bool data = f->fresh_enough == FACT_YES;
	bool old_silent = f->peer_is_primary != FACT_YES && f->fence != FENCE_ALIVE;
	bool majority = f->witness_seen == FACT_YES || f->peer_down_by_operator;
	bool grounds = f->fence == FENCE_ISOLATED || f->peer_down_by_operator ||
		       (f->unproven_promote && f->fence_over && f->no_sign_of_life == FACT_YES);
	bool proven = f->fence == FENCE_FENCED || (f->waited == FACT_YES && grounds);
	bool vrrp =
	    f->by_hand || (f->keepalived_alive == FACT_YES && f->election_master == FACT_YES &&
			   f->peer_is_standby != FACT_YES &&
			   (f->peer_is_starting != FACT_YES || f->fence == FENCE_FENCED));

	return here && data && old_silent && majority && f->withdrawn == FACT_YES && proven && vrrp;
}

/* Sets the n-th combination of all but the local server; returns false when there is none. */
static bool combination(struct promote_facts *f, uint64_t n)
{
	enum fact *const facts[] = {
		&f->fenced,           &f->replay_paused,   &f->peer_is_primary, &f->peer_is_standby,
		&f->keepalived_alive, &f->election_master, &f->witness_seen,    &f->fresh_enough,
		&f->withdrawn,        &f->waited,          &f->no_sign_of_life, &f->replayed,
	};

	for (size_t i = 0; i < ARRAY_COUNT(facts); i++, n /= FACTS)
		*facts[i] = all_facts[n % FACTS];
	f->fence = (enum fence_verdict)(n % FENCE_VERDICTS);
	n /= FENCE_VERDICTS;
	f->fence_over = n & 1;
	f->unproven_promote = n & 2;
	f->peer_down_by_operator = n & 4;
	f->by_hand = n & 8;
	/* It is only ever asked whether this one is YES; a third value would treble the time. */
	f->peer_is_starting = n & 16 ? FACT_YES : FACT_UNKNOWN;
	return n < 32;
}

static uint64_t check_all(enum server_state local, uint64_t stride)
{
	struct promote_facts f = { .local = local };
	uint64_t promotions = 0;

	for (uint64_t n = 0; combination(&f, n); n += stride) {
		struct verdict verdict;
		bool promotes = promote_decide(&f, &verdict) == STEP_PROMOTE;

		if (promotes != may_promote(&f))
			fail_msg("combination %llu: rule %s", (unsigned long long)n, verdict.rule);
		promotions += promotes;
	}
	return promotions;
}

static void promotes_exactly_when_the_argument_holds(void **state)
{
	(void)state;
	assert_true(check_all(SERVER_STANDBY, 1) > 0);
}

/* The local server is asked for first, so a sample of the rest is enough. */
static void promotes_nothing_but_a_running_standby(void **state)
{
	(void)state;
	for (int local = SERVER_UNKNOWN; local < SERVER_STANDBY; local++)
		assert_int_equal(check_all((enum server_state)local, 1009), 0);
}

/* Everything as it must be for a promotion after a proven fence. */
static struct promote_facts good(void)
{
	return (struct promote_facts){
		.local = SERVER_STANDBY,
		.fenced = FACT_NO,
		.replay_paused = FACT_NO,
		.peer_is_primary = FACT_UNKNOWN,
		.peer_is_standby = FACT_UNKNOWN,
		.keepalived_alive = FACT_YES,
		.election_master = FACT_YES,
		.witness_seen = FACT_YES,
		.fresh_enough = FACT_YES,
		.withdrawn = FACT_YES,
		.waited = FACT_YES,
		.fence = FENCE_FENCED,
		.fence_over = true,
		.replayed = FACT_YES,
	};
}

static void expect(struct promote_facts f, enum promote_step step, const char *rule)
{
	struct verdict verdict;

	assert_int_equal(promote_decide(&f, &verdict), step);
	assert_string_equal(verdict.rule, rule);
	if (step == STEP_VERDICT && strcmp(rule, "already-primary") != 0)
		assert_int_not_equal(verdict.outcome, OUT_YES);
}

static void names_the_rule_that_refused(void **state)
{
	struct promote_facts f = good();

	(void)state;
	expect(f, STEP_PROMOTE, "promote");
	f = good(), f.local = SERVER_UNKNOWN, expect(f, STEP_VERDICT, "local-silent");
	f = good(), f.local = SERVER_PRIMARY, expect(f, STEP_VERDICT, "already-primary");
	f = good(), f.local = SERVER_DOWN, expect(f, STEP_VERDICT, "no-standby");
	f = good(), f.fenced = FACT_YES, expect(f, STEP_VERDICT, "fenced");
	f = good(), f.fenced = FACT_UNKNOWN, expect(f, STEP_VERDICT, "fence-unknown");
	f = good(), f.peer_is_primary = FACT_YES, expect(f, STEP_VERDICT, "peer-serves");
	f = good(), f.fence = FENCE_ALIVE, expect(f, STEP_VERDICT, "peer-serves");
	f = good(), f.peer_is_standby = FACT_YES, expect(f, STEP_VERDICT, "two-standbys");
	f = good(), f.peer_is_starting = FACT_YES, f.fence = FENCE_UNKNOWN;
	expect(f, STEP_VERDICT, "peer-starting");
	f = good(), f.keepalived_alive = FACT_NO, expect(f, STEP_VERDICT, "keepalived-gone");
	f = good(), f.election_master = FACT_NO, expect(f, STEP_VERDICT, "not-master");
	f = good(), f.replay_paused = FACT_YES, expect(f, STEP_VERDICT, "replay-paused");
	f = good(), f.fresh_enough = FACT_NO, expect(f, STEP_VERDICT, "too-old");
	f = good(), f.witness_seen = FACT_UNKNOWN, expect(f, STEP_VERDICT, "witness-unseen");
}

static void waits_before_it_gives_up_or_goes_on(void **state)
{
	struct promote_facts f = good();

	(void)state;
	f.withdrawn = FACT_NO, expect(f, STEP_WITHDRAW, "vote-stands");
	f = good(), f.fence = FENCE_ISOLATED, f.waited = FACT_NO;
	expect(f, STEP_WAIT, "lease-may-run");
	f = good(), f.fence = FENCE_UNKNOWN, f.fence_over = false;
	expect(f, STEP_WAIT, "fence-under-way");
	f = good(), f.fence = FENCE_UNKNOWN, expect(f, STEP_VERDICT, "unproven");
	f.unproven_promote = true, expect(f, STEP_PROBE, "not-probed");
	f.no_sign_of_life = FACT_NO, expect(f, STEP_VERDICT, "sign-of-life");
	f.no_sign_of_life = FACT_YES, expect(f, STEP_PROMOTE, "promote");
	f = good(), f.replayed = FACT_NO, expect(f, STEP_WAIT, "unreplayed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promotes_exactly_when_the_argument_holds),
		cmocka_unit_test(promotes_nothing_but_a_running_standby),
		cmocka_unit_test(names_the_rule_that_refused),
		cmocka_unit_test(waits_before_it_gives_up_or_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
