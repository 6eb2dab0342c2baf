/* SPDX-License-Identifier: PostgreSQL */
/* The guard's hand on the watchdog, tick by tick: when it is armed, when it resets the host, and
 * what becomes of it when a guard ends. */
#include "node/watchdog_stamp.h"
#include "watchdogguard.h"

/* ---- from when a primary serves until it is proven not to ---- */

static void a_standby_never_arms_it(void **state)
{
	(void)state;
	g.server = GUARD_SERVER_STANDBY;
	for (int i = 0; i < 40; i++, stage_ms += CFG_TICK_MS)
		tick();
	assert_false(stage_device.active);
	assert_int_equal(stage_device.pings, 0);
	assert_word("ready");
	assert_false(node_watchdog_missing(cfg));
}

static void armed_under_a_lease_and_disarmed_when_it_is_over(void **state)
{
	(void)state;
	g.server = GUARD_SERVER_PRIMARY;
	tick();
	assert_false(stage_device.active); /* no lease yet */
	serve();
	assert_true(stage_device.active);
	assert_int_equal(stage_device.timeout_s, 4);
	assert_word("armed");
	g.server = GUARD_SERVER_DOWN; /* a fence that was proven */
	guard_watchdog_fenced(&g, true);
	assert_false(stage_device.active);
	assert_false(stage_device.opened);
	assert_word("ready");
}

static void a_crash_disarms_only_when_it_is_cleared_up(void **state)
{
	(void)state;
	serve();
	g.server = GUARD_SERVER_DOWN;
	g.died_ms = stage_ms;
	tick();
	assert_true(stage_device.active);
	g.cleared_up = true;
	tick();
	assert_false(stage_device.active);
}

static void a_stop_that_is_not_proven_lets_it_fire(void **state)
{
	(void)state;
	serve();
	g.lease.until_ms = 0; /* as fence() leaves it */
	guard_watchdog_fenced(&g, false);
	for (int i = 0; i < 40 && !fires_at(stage_ms); i++, stage_ms += CFG_TICK_MS)
		tick();
	assert_true(fires_at(stage_ms));
	assert_true(stage_device.opened);
	/* Had it been proven after all, all would have been well. */
	g.server = GUARD_SERVER_DOWN;
	tick();
	assert_false(stage_device.active);
	serve();
	stage_ms += CFG_TICK_MS;
	tick();
	assert_int_equal(stage_device.fed_ms, stage_ms);
}

/* Only the guard's own life, as long as the record says so. */
static void solo_it_is_fed_at_every_tick(void **state)
{
	(void)state;
	serve();
	for (int i = 0; i < 100; i++, stage_ms += CFG_TICK_MS) {
		tick_with(stage_ms + cfg->lease_ms);
		assert_int_equal(stage_device.fed_ms, stage_ms);
	}
}

/* ---- when it resets the host ---- */

static int64_t moment_of_reset(void)
{
	return stage_device.fed_ms + stage_device.timeout_s * INT64_C(1000);
}

static uint32_t random_below(uint32_t limit)
{
	static uint64_t seed = 1;

	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % limit;
}

/*
 * Renewed once a second, the answers used some time after they were asked for; then everything
 * stands still.  It must not fire before the guard would have fenced, nor after the other node may
 * have taken over.
 */
static void frozen_it_fires_after_the_fence_and_before_a_takeover(void **state)
{
	static const int64_t leases[] = { 1700, 2000, 3000, 4000, 5000, 6500, 10000, 60000 };

	(void)state;
	for (int i = 0; i < 4000; i++) {
		int64_t lease_ms = leases[i % (int)ARRAY_COUNT(leases)];
		int ticks = (int)random_below(60);
		int64_t sent;

		timings(lease_ms, lease_ms / 50 > 1000 ? lease_ms / 50 : 1000);
		assert_true(cfg_watchdog(cfg).least_s <= cfg_watchdog(cfg).most_s);
		stage_device = fakewatchdog_good;
		begin();
		sent = stage_ms;
		serve();
		for (int t = 0; t < ticks; t++) {
			stage_ms += CFG_TICK_MS;
			assert_false(fires_at(stage_ms));
			if (stage_ms - sent >= 1000)
				sent = stage_ms - random_below(250);
			tick_with(sent + lease_ms);
		}
		assert_true(moment_of_reset() <=
			    g.lease.until_ms + cfg->margin_ms - cfg->lease_ms / 50);
		assert_true(moment_of_reset() >= g.lease.until_ms - cfg_fence_time_ms(cfg));
		watchdog_leave(&g.watchdog.device, 0);
		assert_int_equal(stamp_clear(cfg, STAMP_WATCHDOG), 0);
	}
}

/* Nobody renews any more: the guard fences with all of its time, and the watchdog waits for it. */
static void a_fence_in_good_order_is_not_cut_short(void **state)
{
	static const int64_t leases[] = { 2000, 3000, 5000, 10000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(leases); i++) {
		timings(leases[i], 1000);
		if (i == 2)
			cfg->stop_fast_ms = 3000; /* longer than the rest of the lease */
		stage_device = fakewatchdog_good;
		begin();
		serve();
		while (stage_ms + CFG_TICK_MS < lease_fence_at(&g.lease, cfg_fence_time_ms(cfg))) {
			stage_ms += CFG_TICK_MS;
			tick();
		}
		/* The tick that fences comes up to a tick later, and is over when the
		 * lease ends. */
		stage_ms = g.lease.until_ms;
		assert_false(fires_at(stage_ms));
		g.server = GUARD_SERVER_DOWN;
		guard_watchdog_fenced(&g, true);
		assert_false(stage_device.active);
		assert_int_equal(stamp_clear(cfg, STAMP_WATCHDOG), 0);
	}
}

static void what_cannot_hold_is_no_span(void **state)
{
	struct cfg_watchdog fits;

	(void)state;
	timings(5000, 1000);
	fits = cfg_watchdog(cfg);
	assert_int_equal(fits.least_s, 4);
	assert_int_equal(fits.most_s, 5);
	timings(2000, 200);
	fits = cfg_watchdog(cfg);
	assert_true(fits.least_s > fits.most_s);
}

/* ---- guards that end ---- */

static void a_killed_guard_hands_it_to_the_next(void **state)
{
	int64_t until;

	(void)state;
	serve();
	until = g.lease.until_ms;
	assert_int_equal(stage_close(g.watchdog.device.fd), 0);
	stage_ms += 500;
	begin();
	g.server = GUARD_SERVER_PRIMARY;
	g.lease.until_ms = until; /* resume_lease() */
	tick();
	assert_true(stage_device.opened);
	assert_int_equal(stage_device.fed_ms, stage_ms);
}

/* The server ended while no guard was here: the next one must not leave it counting. */
static void the_next_guard_disarms_what_it_finds_armed(void **state)
{
	static const enum guard_server servers[] = { GUARD_SERVER_DOWN, GUARD_SERVER_STANDBY };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(servers); i++) {
		begin();
		serve();
		assert_int_equal(stage_close(g.watchdog.device.fd), 0);
		cfg->watchdog = i == 0 ? WATCHDOG_OFF : WATCHDOG_AUTOMATIC;
		begin();
		g.server = servers[i];
		tick();
		assert_false(stage_device.active);
		assert_false(stage_device.opened);
		cfg->watchdog = WATCHDOG_AUTOMATIC;
	}
}

static void told_to_end_it_leaves_it_armed_for_a_minute(void **state)
{
	(void)state;
	serve();
	guard_watchdog_leave(&g);
	assert_false(stage_device.opened);
	assert_false(fires_at(stage_ms + 59000));
	assert_true(fires_at(stage_ms + 60000));
	/* While a guard is there it is the guard's, whoever makes the node harmless. */
	guard_watchdog_let_go(cfg);
	assert_true(stage_device.active);
	(void)close(lock);
	lock = -1;
	guard_watchdog_let_go(cfg);
	assert_false(stage_device.active);
	assert_false(stage_device.opened);
	guard_watchdog_let_go(cfg); /* again is nothing */
	assert_int_equal(stage_device.opened, false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(a_standby_never_arms_it),
		TEST(armed_under_a_lease_and_disarmed_when_it_is_over),
		TEST(a_crash_disarms_only_when_it_is_cleared_up),
		TEST(a_stop_that_is_not_proven_lets_it_fire),
		TEST(solo_it_is_fed_at_every_tick),
		TEST(frozen_it_fires_after_the_fence_and_before_a_takeover),
		TEST(a_fence_in_good_order_is_not_cut_short),
		TEST(what_cannot_hold_is_no_span),
		TEST(a_killed_guard_hands_it_to_the_next),
		TEST(the_next_guard_disarms_what_it_finds_armed),
		TEST(told_to_end_it_leaves_it_armed_for_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
