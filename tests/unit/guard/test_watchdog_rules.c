/* SPDX-License-Identifier: PostgreSQL */
/* watchdog_decide over every combination of its facts, against a second wording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/auto.h"
#include "guard/watchdog_rules.h"

#define NOW     100000
#define LEASE   5000
#define TIMEOUT 4000
#define AFTER   900

/* Ends of a right around the last moment at which it may be fed: NOW + TIMEOUT - AFTER. */
static const int64_t ends[] = { 0, NOW - 1, NOW, NOW + 1, NOW + 3099, NOW + 3100, NOW + LEASE };

static bool combination(struct watchdog_facts *f, unsigned n)
{
	*f = (struct watchdog_facts){
		.now = NOW, .timeout_ms = TIMEOUT, .lease_ms = LEASE, .after_ms = AFTER
	};
	f->mode = (enum watchdog_mode)(n % 3), n /= 3;
	f->server = (enum guard_server)(n % 4), n /= 4;
	f->fenced = (enum fact)(n % 3), n /= 3;
	f->lease_until = ends[n % ARRAY_COUNT(ends)], n /= ARRAY_COUNT(ends);
	f->unentitled_since = ends[n % ARRAY_COUNT(ends)], n /= ARRAY_COUNT(ends);
	if (f->unentitled_since > 0)
		f->unentitled_since -= LEASE;
	f->died_as_primary = n & 1;
	f->stop_unproven = n & 2;
	f->armed = n & 4;
	f->stuck = n & 8;
	f->fits = n & 16;
	return n < 32;
}

static bool may_be_primary(const struct watchdog_facts *f)
{
	return f->server == GUARD_SERVER_PRIMARY || f->server == GUARD_SERVER_UNKNOWN ||
	       (f->server == GUARD_SERVER_DOWN && f->died_as_primary);
}

/* Nobody is to be reset for it: the guard has all of its time yet, or need not do anything. */
static bool in_time(const struct watchdog_facts *f)
{
	int64_t end = f->lease_until > 0        ? f->lease_until
		      : f->unentitled_since > 0 ? f->unentitled_since + LEASE
						: 0;

	return end >= NOW + TIMEOUT - AFTER && f->fenced != FACT_YES && !f->stop_unproven;
}

static enum watchdog_act expected(const struct watchdog_facts *f)
{
	if (!f->armed) {
		bool begins = f->server == GUARD_SERVER_PRIMARY && f->fenced == FACT_NO;

		if (begins && f->mode == WATCHDOG_REQUIRED)
			return WATCHDOG_ARM;
		if (begins && f->mode == WATCHDOG_AUTOMATIC && f->lease_until > NOW)
			return WATCHDOG_ARM;
		return WATCHDOG_NOTHING;
	}
	if (!may_be_primary(f) || f->mode == WATCHDOG_OFF)
		return f->stuck ? WATCHDOG_FEED : WATCHDOG_DISARM;
	return in_time(f) || !f->fits ? WATCHDOG_FEED : WATCHDOG_STARVE;
}

static void every_combination_agrees_with_a_second_wording(void **state)
{
	unsigned acts[WATCHDOG_ACTS] = { 0 };
	struct watchdog_facts f;

	(void)state;
	for (unsigned n = 0; combination(&f, n); n++) {
		enum watchdog_act act = watchdog_decide(&f);

		if (act != expected(&f))
			fail_msg("combination %u: %d", n, (int)act);
		acts[act]++;
	}
	for (unsigned i = 0; i < WATCHDOG_ACTS; i++)
		assert_true(acts[i] > 0);
}

static void nothing_but_a_proof_disarms(void **state)
{
	struct watchdog_facts f;

	(void)state;
	for (unsigned n = 0; combination(&f, n); n++) {
		if (f.mode != WATCHDOG_OFF && may_be_primary(&f))
			assert_int_not_equal(watchdog_decide(&f), WATCHDOG_DISARM);
	}
}

static void no_standby_and_nothing_that_is_down_arms_it(void **state)
{
	struct watchdog_facts f;

	(void)state;
	for (unsigned n = 0; combination(&f, n); n++) {
		if (f.server != GUARD_SERVER_PRIMARY || f.mode == WATCHDOG_OFF)
			assert_int_not_equal(watchdog_decide(&f), WATCHDOG_ARM);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_agrees_with_a_second_wording),
		cmocka_unit_test(nothing_but_a_proof_disarms),
		cmocka_unit_test(no_standby_and_nothing_that_is_down_arms_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
