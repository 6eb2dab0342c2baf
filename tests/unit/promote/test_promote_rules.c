/* SPDX-License-Identifier: PostgreSQL */
/* promote_decide over every combination of facts: it promotes when the safety argument holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "promote/promote_rules.h"
#include "promotefacts.h"
#include "sample.h"

static const enum fact all_facts[] = { FACT_UNKNOWN, FACT_NO, FACT_YES };

/* ---- the argument in its own words; nothing of the rule table is used here ---- */

static bool fit_to_be_promoted(const struct promote_facts *f)
{
	return f->local == SERVER_STANDBY && f->fenced == FACT_NO && f->replay_paused == FACT_NO &&
	       f->replayed == FACT_YES && f->rights == FACT_YES && !f->watchdog_missing &&
	       !f->unwritable && !f->restore_hangs;
}

static bool vrrp_agrees(const struct promote_facts *f)
{
	return f->by_hand || (f->keepalived_alive == FACT_YES && f->election_master == FACT_YES &&
			      f->peer_is_standby != FACT_YES &&
			      (f->peer_is_starting != FACT_YES || f->fence == FENCE_FENCED));
}

/* Without a record: the standby is fresh enough by its own memory and has not promised to hold
 * back, the witness is seen, and the old primary is held to a lease and proven gone, or a person
 * has seen to it. */
static bool ping_permits(const struct promote_facts *f)
{
	bool data = f->fresh_enough == FACT_YES && (!f->peer_unleased || f->peer_down_by_operator);
	bool majority = f->witness_seen == FACT_YES || f->peer_down_by_operator;
	bool grounds = f->fence == FENCE_ISOLATED || f->peer_down_by_operator ||
		       (f->unproven_promote && f->fence_over && f->no_sign_of_life == FACT_YES);

	return data && majority && (!f->paused || f->override) &&
	       (f->fence == FENCE_FENCED || (f->waited == FACT_YES && grounds));
}

/*
 * With one: the row gives the right to take over, and no operator has paused that, or a person who
 * has looked at the other host does (also where there is no row to go by, but never where the
 * witness is silent or another's).  And whoever held the right before has lost it: it said so, it
 * is proven stopped, or it had none given by our vote nor by a write of its own for the longest
 * lease.  A row that it goes on writing says that it lives, whoever says what.
 * And where this node itself knows that it lacks more than the limit, nothing helps.
 */
static bool record_permits(const struct promote_facts *f)
{
	bool good = f->trust == RECORD_GOOD;
	bool theirs = good && !f->record_ours;
	bool no_row =
	    f->trust == RECORD_ABSENT || f->trust == RECORD_EDITED || f->trust == RECORD_BACKWARDS;
	bool free = f->record_paired && !f->paused;
	bool right = (good && (f->record_ours || free || f->override)) || (no_row && f->override);
	bool still = f->record_still == FACT_YES || f->override || f->record_ours;
	bool said = theirs && f->record_released;
	bool ended = f->fence == FENCE_FENCED || said || (f->waited == FACT_YES && still);
	bool lives = theirs && f->record_renewed && !f->record_released && f->fence != FENCE_FENCED;

	return right && ended && !lives && !f->behind;
}

static bool may_promote(const struct promote_facts *f)
{
	bool old_silent = f->peer_is_primary != FACT_YES && f->fence != FENCE_ALIVE;

	return fit_to_be_promoted(f) && old_silent && vrrp_agrees(f) && f->withdrawn == FACT_YES &&
	       (f->has_record ? record_permits(f) : ping_permits(f));
}

static bool agrees(const struct promote_facts *f, uint64_t n)
{
	struct verdict verdict;
	bool promotes = promote_decide(f, &verdict) == STEP_PROMOTE;

	if (promotes != may_promote(f))
		fail_msg("combination %llu: rule %s", (unsigned long long)n, verdict.rule);
	return promotes;
}

/* ---- every combination ---- */

/*
 * The facts that only one of the two kinds of witness asks for are left as nobody knows them while
 * the other is tried: that neither looks at the other's facts, whatever_the_other_kind_would_say
 * shows.
 */
static uint64_t digit(uint64_t *n, uint64_t values)
{
	uint64_t value = *n % values;

	*n /= values;
	return value;
}

static void put_facts(enum fact *const *facts, size_t count, uint64_t *n)
{
	for (size_t i = 0; i < count; i++)
		*facts[i] = all_facts[digit(n, 3)];
}

/* The facts that both ask for.  Only whether the peer starts up is ever asked; a third value
 * would treble the time. */
static void put_common(struct promote_facts *f, uint64_t *n)
{
	enum fact *const facts[] = {
		&f->fenced,          &f->replay_paused,    &f->peer_is_primary,
		&f->peer_is_standby, &f->keepalived_alive, &f->election_master,
		&f->withdrawn,       &f->waited,           &f->replayed,
	};

	put_facts(facts, ARRAY_COUNT(facts), n);
	f->fence = (enum fence_verdict)digit(n, FENCE_VERDICTS);
	f->by_hand = digit(n, 2);
	f->peer_is_starting = digit(n, 2) ? FACT_YES : FACT_UNKNOWN;
}

static void put_ping(struct promote_facts *f, uint64_t *n)
{
	enum fact *const facts[] = { &f->witness_seen, &f->fresh_enough, &f->no_sign_of_life };

	put_facts(facts, ARRAY_COUNT(facts), n);
	f->paused = digit(n, 2);
	f->fence_over = digit(n, 2);
	f->unproven_promote = digit(n, 2);
	f->peer_down_by_operator = digit(n, 2);
}

static void put_good_record(struct promote_facts *f, uint64_t *n)
{
	f->trust = RECORD_GOOD;
	f->record_ours = digit(n, 2);
	f->record_paired = digit(n, 2);
	f->paused = digit(n, 2);
	f->record_released = digit(n, 2);
	f->record_renewed = digit(n, 2);
	f->record_still = all_facts[digit(n, 3)];
}

/* The words of a row are known of a good one only: that is the last value of all. */
#define RECORDS (RECORD_GOOD + 96)
static void put_record(struct promote_facts *f, uint64_t *n)
{
	uint64_t record = digit(n, RECORDS);

	f->override = digit(n, 2);
	f->behind = digit(n, 2);
	if (record >= RECORD_GOOD) {
		record -= RECORD_GOOD;
		put_good_record(f, &record);
		return;
	}
	f->trust = (enum record_trust)record;
	f->record_ours = f->record_paired = f->paused = false;
	f->record_released = f->record_renewed = false;
	f->record_still = FACT_UNKNOWN;
}

/* False when there is no n-th combination. */
static bool combination(struct promote_facts *f, uint64_t n)
{
	f->peer_unleased = n * UINT64_C(0x9E3779B97F4A7C15) >> 62 == 0; /* in a quarter of all */
	put_common(f, &n);
	if (f->has_record)
		put_record(f, &n);
	else
		put_ping(f, &n);
	return n == 0;
}

static uint64_t check_all(enum server_state local, bool has_record, uint64_t stride)
{
	struct promote_facts f = { .local = local, .rights = FACT_YES, .has_record = has_record };
	uint64_t promotions = 0;

	for (uint64_t n = 0; combination(&f, n); n += stride)
		promotions += agrees(&f, n);
	return promotions;
}

static void promotes_exactly_when_the_argument_holds(void **state)
{
	(void)state;
	assert_true(check_all(SERVER_STANDBY, false, SAMPLE_EVERY) > 0);
}

static void with_a_record_promotes_exactly_when_the_row_permits(void **state)
{
	(void)state;
	assert_true(check_all(SERVER_STANDBY, true, SAMPLE_EVERY) > 0);
}

/* This fact is asked for first, so a sample of the rest is enough. */
static void promotes_nothing_but_a_running_standby(void **state)
{
	(void)state;
	for (int local = SERVER_UNKNOWN; local < SERVER_STANDBY; local++) {
		assert_int_equal(check_all((enum server_state)local, false, 1009), 0);
		assert_int_equal(check_all((enum server_state)local, true, 1009), 0);
	}
}

/* Facts of both kinds at once, also such as no gathering ever gives. */
static void whatever_the_other_kind_would_say(void **state)
{
	uint64_t random = 88172645463325252ULL, promotions = 0;

	(void)state;
	for (uint64_t i = 0; i < 4000000; i++) {
		struct promote_facts f = { .local = SERVER_STANDBY, .has_record = i % 2 };
		uint64_t n;

		random ^= random << 13; /* xorshift64, Marsaglia 2003 */
		random ^= random >> 7;
		random ^= random << 17;
		n = random;
		put_common(&f, &n);
		/* Mostly as it must be, or hardly any would get as far as the record. */
		if (i % 8 != 0)
			f.fenced = f.replay_paused = FACT_NO, f.replayed = FACT_YES,
			f.by_hand = true;
		put_ping(&f, &n);
		f.override = digit(&n, 2);
		f.watchdog_missing = i % 64 == 1;
		f.rights = i % 64 == 3 ? all_facts[digit(&n, 3)] : FACT_YES;
		f.unwritable = i % 64 == 5, f.restore_hangs = i % 64 == 7, f.held = digit(&n, 2);
		put_good_record(&f, &n);
		if (digit(&n, 2))
			f.trust = (enum record_trust)digit(&n, RECORD_TRUSTS);
		promotions += agrees(&f, i);
	}
	assert_true(promotions > 1000);
}

/* ---- which rule says it ---- */

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
	f = good(), f.rights = FACT_NO, expect(f, STEP_VERDICT, "rights-missing");
	f = good(), f.rights = FACT_UNKNOWN, expect(f, STEP_VERDICT, "local-silent");
	f = good(), f.fresh_enough = FACT_NO, expect(f, STEP_VERDICT, "too-far-behind");
	f = good(), f.peer_unleased = true, expect(f, STEP_VERDICT, "unpaired");
	f = good(), f.witness_seen = FACT_UNKNOWN, expect(f, STEP_VERDICT, "witness-unseen");
}

static void waits_before_it_gives_up_or_goes_on(void **state)
{
	struct promote_facts f = good();

	(void)state;
	f.withdrawn = FACT_NO, expect(f, STEP_WITHDRAW, "vote-not-withdrawn");
	f = good(), f.fence = FENCE_ISOLATED, f.waited = FACT_NO;
	expect(f, STEP_WAIT, "lease-may-run");
	f = good(), f.fence = FENCE_UNKNOWN, f.fence_over = false;
	expect(f, STEP_WAIT, "fence-under-way");
	f = good(), f.fence = FENCE_UNKNOWN, expect(f, STEP_VERDICT, "unproven");
	f.unproven_promote = true, expect(f, STEP_PROBE, "peer-not-probed");
	f.no_sign_of_life = FACT_NO, expect(f, STEP_VERDICT, "sign-of-life");
	f.no_sign_of_life = FACT_YES, expect(f, STEP_PROMOTE, "promote");
	f = good(), f.replayed = FACT_NO, expect(f, STEP_WAIT, "unreplayed");
}

/* The same with a record that says that this standby may take over, and nothing more yet. */
static struct promote_facts paired(void)
{
	struct promote_facts f = good();

	f.fence = FENCE_UNKNOWN;
	f.fresh_enough = FACT_UNKNOWN;
	f.has_record = true;
	f.trust = RECORD_GOOD;
	f.record_paired = true;
	f.record_still = FACT_YES;
	return f;
}

static void names_the_rule_of_the_record_that_refused(void **state)
{
	struct promote_facts f = paired();

	(void)state;
	expect(f, STEP_PROMOTE, "promote");
	f = paired(), f.trust = RECORD_SILENT, expect(f, STEP_VERDICT, "witness-unseen");
	f.override = f.peer_down_by_operator = true, expect(f, STEP_VERDICT, "witness-unseen");
	f = paired(), f.trust = RECORD_OTHER_SYSTEM, f.override = true;
	expect(f, STEP_VERDICT, "record-untrusted");
	f = paired(), f.trust = RECORD_ABSENT, expect(f, STEP_VERDICT, "record-untrusted");
	f.override = true, expect(f, STEP_PROMOTE, "promote");
	f = paired(), f.record_paired = false, f.fence = FENCE_FENCED;
	expect(f, STEP_VERDICT, "solo"); /* to have stopped it gives nobody its data */
	f.override = true, expect(f, STEP_PROMOTE, "promote");
	f = paired(), f.paused = true, expect(f, STEP_VERDICT, "paused");
	f.override = true, expect(f, STEP_PROMOTE, "promote");
	f = paired(), f.paused = f.record_ours = true, expect(f, STEP_PROMOTE, "promote");
	f = paired(), f.record_renewed = true, expect(f, STEP_VERDICT, "primary-renews");
	f.override = true, expect(f, STEP_VERDICT, "primary-renews");
}

/* No vote is withdrawn, and so nothing fenced, before the record permits a takeover. */
static void withdraws_nothing_before_the_record_permits_it(void **state)
{
	struct promote_facts f = paired();

	(void)state;
	f.withdrawn = FACT_NO;
	expect(f, STEP_WITHDRAW, "vote-not-withdrawn");
	f.record_paired = false, expect(f, STEP_VERDICT, "solo");
	f.trust = RECORD_BACKWARDS, expect(f, STEP_VERDICT, "record-untrusted");
	f.trust = RECORD_SILENT, expect(f, STEP_VERDICT, "witness-unseen");
}

static void waits_for_the_vote_and_for_the_row(void **state)
{
	struct promote_facts f = paired();

	(void)state;
	f.record_still = FACT_NO, expect(f, STEP_WAIT, "lease-may-run");
	f.waited = FACT_NO, f.record_still = FACT_YES, expect(f, STEP_WAIT, "lease-may-run");
	f.record_released = true, expect(f, STEP_PROMOTE, "promote");
	f.record_renewed = true, expect(f, STEP_PROMOTE, "promote"); /* it ended after all */
	f = paired(), f.waited = FACT_NO, f.record_still = FACT_NO, f.fence = FENCE_FENCED;
	expect(f, STEP_PROMOTE, "promote");
	/* A host that is not to be seen is no proof where the row says more. */
	f.fence = FENCE_ISOLATED, expect(f, STEP_WAIT, "lease-may-run");
	f = paired(), f.replayed = FACT_NO, expect(f, STEP_WAIT, "unreplayed");
	/* A takeover whose end was not seen: the row is ours, and nobody else's write. */
	f = paired(), f.record_ours = true, f.record_paired = false, f.record_still = FACT_NO;
	expect(f, STEP_PROMOTE, "promote");
	f.record_renewed = true, expect(f, STEP_PROMOTE, "promote");
	f.waited = FACT_NO, f.record_released = true, expect(f, STEP_WAIT, "lease-may-run");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promotes_exactly_when_the_argument_holds),
		cmocka_unit_test(with_a_record_promotes_exactly_when_the_row_permits),
		cmocka_unit_test(whatever_the_other_kind_would_say),
		cmocka_unit_test(promotes_nothing_but_a_running_standby),
		cmocka_unit_test(names_the_rule_that_refused),
		cmocka_unit_test(waits_before_it_gives_up_or_goes_on),
		cmocka_unit_test(names_the_rule_of_the_record_that_refused),
		cmocka_unit_test(withdraws_nothing_before_the_record_permits_it),
		cmocka_unit_test(waits_for_the_vote_and_for_the_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
