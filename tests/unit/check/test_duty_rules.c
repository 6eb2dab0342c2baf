/* SPDX-License-Identifier: PostgreSQL */
/* The deeds of a primary for its record, over every combination of facts: some may never be
 * done, and each state leads on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/auto.h"
#include "check/duty_rules.h"
#include "sample.h"

#define FACTS 3
/* duty.c gives up after so many steps of one run. */
#define STEPS_OF_A_RUN 8

/* ---- what must hold for every combination ---- */

static bool serves_for_the_row(const struct duty_facts *f)
{
	return f->trust == RECORD_GOOD && f->holder && !f->released;
}

/* The standby has, or will have before anybody is told of it, all that was acknowledged. */
static bool standby_has_all(const struct duty_facts *f)
{
	if (f->mode_sync)
		return f->sync_on == FACT_YES && f->sync_settled == FACT_YES && f->targeted &&
		       f->reached == FACT_YES;
	return f->near == FACT_YES;
}

/* The promise of "paired" is known to be kept no longer, or an operator wants no takeover. */
static bool paired_in_vain(const struct duty_facts *f)
{
	return f->paused || f->lost == FACT_YES ||
	       (f->mode_sync ? f->sync_on != FACT_YES : f->too_far == FACT_YES);
}

static bool may_create(const struct duty_facts *f)
{
	bool no_row =
	    f->trust == RECORD_ABSENT || f->trust == RECORD_EDITED || f->trust == RECORD_BACKWARDS;

	return no_row && f->by_right == FACT_YES && !f->starting;
}

static bool may_change_sync(const struct duty_facts *f)
{
	/* Under a paired row never; nor before our own write has made it sure that it is not. */
	return serves_for_the_row(f) && !f->paired && f->solo_stamp && f->mode_sync && !f->starting;
}

static bool may_do(const struct duty_facts *f, enum duty_step step)
{
	bool solo = serves_for_the_row(f) && !f->paired;

	switch (step) {
	case DUTY_NOTHING:
		return true;
	case DUTY_FENCE:
		return f->trust == RECORD_GOOD && !f->holder;
	case DUTY_CREATE:
		return may_create(f);
	case DUTY_RENEW:
		return serves_for_the_row(f) && f->paired && !f->solo_stamp && !f->renewed &&
		       (f->starting || !paired_in_vain(f));
	case DUTY_GO_SOLO:
		return (solo && !f->solo_stamp) ||
		       (serves_for_the_row(f) && f->paired && paired_in_vain(f) && !f->starting);
	case DUTY_UNSTAMP:
		return serves_for_the_row(f) && f->paired && f->solo_stamp;
	case DUTY_SYNC_OFF:
		return may_change_sync(f) && f->sync_on != FACT_NO &&
		       (f->paused || f->follows != FACT_YES);
	case DUTY_SYNC_ON:
		return may_change_sync(f) && f->sync_on != FACT_YES && !f->paused &&
		       f->follows == FACT_YES;
	case DUTY_TARGET:
		return may_change_sync(f) && f->sync_on == FACT_YES && f->sync_settled == FACT_YES;
	case DUTY_PAIR:
		return solo && f->solo_stamp && !f->paused && !f->starting &&
		       f->follows == FACT_YES && standby_has_all(f);
	case DUTY_STEPS:
		break;
	}
	return false;
}

/* And what must be done: nothing else may come before it. */
static bool must_do(const struct duty_facts *f, enum duty_step step)
{
	if (f->trust == RECORD_GOOD && !f->holder)
		return step == DUTY_FENCE;
	if (f->trust == RECORD_GOOD && f->released)
		return step == DUTY_NOTHING;
	if (serves_for_the_row(f) && f->paired && f->solo_stamp)
		return step == DUTY_UNSTAMP;
	if (serves_for_the_row(f) && f->paired && !f->starting && paired_in_vain(f))
		return step == DUTY_GO_SOLO;
	if (serves_for_the_row(f) && f->paired && !f->renewed)
		return step == DUTY_RENEW;
	if (serves_for_the_row(f) && !f->paired && !f->solo_stamp)
		return step == DUTY_GO_SOLO;
	return !may_create(f) || step == DUTY_CREATE;
}

static uint64_t digit(uint64_t *n, uint64_t values)
{
	uint64_t value = *n % values;

	*n /= values;
	return value;
}

/* The n-th combination; false when there is none. */
static bool combination(struct duty_facts *f, uint64_t n)
{
	enum fact *const facts[] = { &f->by_right, &f->sync_on, &f->sync_settled, &f->follows,
				     &f->lost,     &f->too_far, &f->near,         &f->reached };
	bool *const truths[] = { &f->holder,    &f->paired,     &f->released,
				 &f->paused,    &f->renewed,    &f->starting,
				 &f->mode_sync, &f->solo_stamp, &f->targeted };

	for (size_t i = 0; i < ARRAY_COUNT(truths); i++)
		*truths[i] = digit(&n, 2);
	for (size_t i = 0; i < ARRAY_COUNT(facts); i++)
		*facts[i] = (enum fact)digit(&n, FACTS);
	f->trust = (enum record_trust)digit(&n, RECORD_TRUSTS);
	return n == 0;
}

static void does_what_it_must_and_nothing_that_it_may_not(void **state)
{
	uint64_t seen[DUTY_STEPS] = { 0 };
	struct duty_facts f = { .trust = RECORD_SILENT };

	(void)state;
	for (uint64_t n = 0; combination(&f, n); n += SAMPLE_EVERY) {
		enum duty_step step = duty_decide(&f);

		seen[step]++;
		if (!may_do(&f, step) || !must_do(&f, step))
			fail_msg("combination %llu: %s", (unsigned long long)n, duty_word(step));
	}
	for (int step = 0; step < DUTY_STEPS; step++)
		assert_true(seen[step] > 0);
}

/* ---- each state leads on ---- */

/* Does the step as duty.c does when all goes well; false where a run ends with it. */
static bool perform(struct duty_facts *f, enum duty_step step)
{
	switch (step) {
	case DUTY_CREATE:
		f->trust = RECORD_GOOD;
		f->holder = true;
		f->paired = f->released = f->paused = false;
		return true;
	case DUTY_RENEW:
		f->renewed = true;
		return true;
	case DUTY_GO_SOLO:
		f->paired = f->targeted = false;
		f->solo_stamp = true;
		return true;
	case DUTY_UNSTAMP:
		f->solo_stamp = false;
		return true;
	case DUTY_SYNC_OFF:
	case DUTY_SYNC_ON:
		f->sync_on = step == DUTY_SYNC_ON ? FACT_YES : FACT_NO;
		f->sync_settled = FACT_UNKNOWN;
		f->targeted = false;
		return true;
	case DUTY_TARGET:
		f->targeted = true;
		return false;
	case DUTY_PAIR:
		f->solo_stamp = false;
		f->paired = f->renewed = true;
		return true;
	case DUTY_NOTHING:
	case DUTY_FENCE:
	case DUTY_STEPS:
		break;
	}
	return false;
}

/* One run; false when it went round in circles. */
static bool go_through_a_run(struct duty_facts *f)
{
	f->renewed = false;
	for (int step = 0; step < STEPS_OF_A_RUN; step++) {
		if (!perform(f, duty_decide(f)))
			return true;
	}
	return false;
}

/* How a standby that is well is seen in the next run. */
static void all_is_well(struct duty_facts *f)
{
	f->follows = f->near = FACT_YES;
	f->lost = f->too_far = FACT_NO;
	f->sync_settled = f->sync_on == FACT_YES ? FACT_YES : FACT_UNKNOWN;
	f->reached = f->targeted ? FACT_YES : FACT_NO;
}

static void standby_is_gone(struct duty_facts *f)
{
	f->follows = f->near = FACT_NO;
	f->lost = f->too_far = FACT_YES;
	f->sync_settled = FACT_UNKNOWN;
	f->reached = FACT_NO;
}

/* A primary that serves by right, of a row that is its own or that it may replace. */
static bool goes_on_by_itself(const struct duty_facts *f)
{
	bool row = f->trust == RECORD_GOOD ? f->holder && !f->released : may_create(f);

	/* A row that is not good does not say that it is paused. */
	return row && !f->starting && (f->trust == RECORD_GOOD || !f->paused);
}

static void run_through(void (*world)(struct duty_facts *), bool paused, int runs,
			bool (*arrived)(const struct duty_facts *))
{
	struct duty_facts from = { .trust = RECORD_SILENT };
	uint64_t arrivals = 0;

	for (uint64_t n = 0; combination(&from, n); n += SAMPLE_EVERY) {
		struct duty_facts f = from;

		/* The facts that belong to the world are set by it. */
		world(&f);
		if (from.follows != f.follows || from.lost != f.lost || from.near != f.near ||
		    from.too_far != f.too_far || from.reached != f.reached || from.renewed ||
		    from.sync_settled != f.sync_settled || from.paused != paused ||
		    !goes_on_by_itself(&f))
			continue;
		for (int run = 0; run < runs; run++) {
			world(&f);
			(void)go_through_a_run(&f);
		}
		if (!arrived(&f))
			fail_msg("from combination %llu", (unsigned long long)n);
		arrivals++;
	}
	assert_true(arrivals > 0);
}

static bool is_paired(const struct duty_facts *f)
{
	return f->paired && !f->solo_stamp && f->renewed && f->trust == RECORD_GOOD &&
	       (!f->mode_sync || f->sync_on == FACT_YES);
}

static bool is_solo(const struct duty_facts *f)
{
	return !f->paired && f->solo_stamp && f->trust == RECORD_GOOD &&
	       (!f->mode_sync || f->sync_on == FACT_NO);
}

/* One run turns synchronous replication on, one sets the target, one pairs. */
static void with_a_good_standby_it_is_paired_after_three_runs(void **state)
{
	(void)state;
	run_through(all_is_well, false, 3, is_paired);
}

static void without_a_standby_it_serves_alone_after_one_run(void **state)
{
	(void)state;
	run_through(standby_is_gone, false, 1, is_solo);
}

static void paused_it_serves_alone_whoever_follows(void **state)
{
	(void)state;
	run_through(all_is_well, true, 1, is_solo);
	run_through(standby_is_gone, true, 1, is_solo);
}

/* Whatever was seen, if only it was seen at one time: a standby that follows is not lost, and one
 * that is near is not too far. */
static void no_run_goes_round_in_circles(void **state)
{
	struct duty_facts from = { .trust = RECORD_SILENT };

	(void)state;
	for (uint64_t n = 0; combination(&from, n); n += SAMPLE_EVERY) {
		struct duty_facts f = from;

		if ((f.follows == FACT_YES && f.lost == FACT_YES) ||
		    (f.near == FACT_YES && f.too_far == FACT_YES))
			continue;
		if (!go_through_a_run(&f))
			fail_msg("combination %llu", (unsigned long long)n);
	}
}

/* ---- promise by promise ---- */

static struct duty_facts paired(void)
{
	struct duty_facts f = { .trust = RECORD_GOOD,
				.holder = true,
				.paired = true,
				.mode_sync = true,
				.by_right = FACT_YES,
				.sync_on = FACT_YES };

	all_is_well(&f);
	return f;
}

static void expect(struct duty_facts f, enum duty_step step)
{
	assert_string_equal(duty_word(duty_decide(&f)), duty_word(step));
}

static void another_list_of_standbys_is_no_promise(void **state)
{
	struct duty_facts f = paired();

	(void)state;
	expect(f, DUTY_RENEW);
	f.sync_on = FACT_UNKNOWN;
	expect(f, DUTY_GO_SOLO);
	f.paired = false, f.solo_stamp = true;
	expect(f, DUTY_SYNC_ON);
	f.follows = FACT_NO;
	expect(f, DUTY_SYNC_OFF);
}

/* To have read "solo" is not to know it: a pairing may be on its way. */
static void nothing_comes_before_a_write_of_ones_own(void **state)
{
	struct duty_facts f = paired();

	(void)state;
	f.paired = false;
	expect(f, DUTY_GO_SOLO);
	f.starting = true;
	expect(f, DUTY_GO_SOLO);
	f.starting = false, f.sync_on = FACT_NO, f.follows = FACT_NO;
	expect(f, DUTY_GO_SOLO);
}

static void a_server_that_starts_is_renewed_for_and_no_more(void **state)
{
	struct duty_facts f = { .trust = RECORD_GOOD,
				.holder = true,
				.paired = true,
				.mode_sync = true,
				.starting = true };

	(void)state;
	expect(f, DUTY_RENEW);
	f.renewed = true;
	expect(f, DUTY_NOTHING);
	f.trust = RECORD_ABSENT, f.by_right = FACT_YES;
	expect(f, DUTY_NOTHING);
}

static void every_step_has_its_words(void **state)
{
	(void)state;
	for (int step = 0; step < DUTY_STEPS; step++)
		assert_string_not_equal(duty_word((enum duty_step)step), "unknown");
	assert_string_equal(duty_word(DUTY_STEPS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_what_it_must_and_nothing_that_it_may_not),
		cmocka_unit_test(with_a_good_standby_it_is_paired_after_three_runs),
		cmocka_unit_test(without_a_standby_it_serves_alone_after_one_run),
		cmocka_unit_test(paused_it_serves_alone_whoever_follows),
		cmocka_unit_test(no_run_goes_round_in_circles),
		cmocka_unit_test(another_list_of_standbys_is_no_promise),
		cmocka_unit_test(nothing_comes_before_a_write_of_ones_own),
		cmocka_unit_test(a_server_that_starts_is_renewed_for_and_no_more),
		cmocka_unit_test(every_step_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
