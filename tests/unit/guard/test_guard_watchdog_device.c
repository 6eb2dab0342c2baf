/* SPDX-License-Identifier: PostgreSQL */
/* The guard, tick by tick, with a watchdog that is missing, in use, unfit, fails, or cannot be
 * stopped. */
#include "node/watchdog_stamp.h"
#include "watchdogguard.h"

/* ---- devices that are not there ---- */

static void missing_and_automatic_it_goes_on(void **state)
{
	(void)state;
	stage_missing = ENOENT;
	serve();
	assert_true(guard_watchdog_permits(&g));
	assert_int_equal(g.lease.until_ms, stage_ms + cfg->lease_ms);
	assert_word("missing: No such file or directory");
	assert_false(node_watchdog_missing(cfg));
	/* The driver is loaded. */
	stage_missing = 0;
	stage_ms += 2000;
	tick();
	assert_true(stage_device.active);
}

static void missing_and_required_no_lease_begins(void **state)
{
	(void)state;
	cfg->watchdog = WATCHDOG_REQUIRED;
	stage_missing = ENOENT;
	serve();
	assert_int_equal(g.lease.until_ms, 0);
	assert_true(node_watchdog_missing(cfg));
	stage_missing = 0;
	stage_ms += 2000;
	tick_with(stage_ms + cfg->lease_ms);
	assert_true(stage_device.active);
	assert_int_equal(g.lease.until_ms, stage_ms + cfg->lease_ms);
	assert_false(node_watchdog_missing(cfg));
}

static void required_it_is_armed_before_a_lease_begins(void **state)
{
	(void)state;
	cfg->watchdog = WATCHDOG_REQUIRED;
	g.server = GUARD_SERVER_PRIMARY;
	for (int i = 0; i < 8; i++, stage_ms += CFG_TICK_MS) {
		tick();
		assert_true(stage_device.active);
		assert_false(fires_at(stage_ms));
	}
	tick_with(stage_ms + cfg->lease_ms);
	assert_int_equal(g.lease.until_ms, stage_ms + cfg->lease_ms);
}

static void required_of_a_standby_it_must_be_there(void **state)
{
	(void)state;
	cfg->watchdog = WATCHDOG_REQUIRED;
	assert_true(node_watchdog_missing(cfg)); /* nobody has looked */
	g.server = GUARD_SERVER_STANDBY;
	tick();
	assert_false(node_watchdog_missing(cfg));
	stage_missing = EACCES;
	stage_ms += 2000;
	tick();
	assert_true(node_watchdog_missing(cfg));
	stage_missing = 0;
	stage_ms += 2000;
	tick();
	assert_false(node_watchdog_missing(cfg));
	(void)close(lock); /* no guard, no lease */
	lock = -1;
	assert_true(node_watchdog_missing(cfg));
}

static void somebody_elses_is_left_alone(void **state)
{
	(void)state;
	stage_device.opened = stage_device.active = true;
	stage_device.fed_ms = stage_ms;
	serve();
	assert_word("missing: somebody else uses it");
	g.server = GUARD_SERVER_DOWN;
	tick();
	guard_watchdog_leave(&g);
	assert_true(stage_device.opened);
	assert_int_equal(stage_device.timeout_s, 60);
	assert_int_equal(stage_device.pings, 0);
}

static void unfit_once_it_is_not_tried_again(void **state)
{
	(void)state;
	cfg->watchdog = WATCHDOG_REQUIRED;
	stage_device.min_s = 30;
	serve();
	assert_false(stage_device.active);
	assert_int_equal(g.lease.until_ms, 0);
	stage_device.pings = 0;
	for (int i = 0; i < 40; i++, stage_ms += CFG_TICK_MS)
		tick();
	assert_int_equal(stage_device.pings, 0);
	g.server = GUARD_SERVER_STANDBY;
	tick();
	assert_true(node_watchdog_missing(cfg));
}

/* ---- devices that fail ---- */

static void a_device_that_fails_is_taken_again(void **state)
{
	(void)state;
	cfg->watchdog = WATCHDOG_REQUIRED;
	serve();
	stage_device.failing = EIO;
	stage_ms += CFG_TICK_MS;
	tick_with(stage_ms + cfg->lease_ms);
	assert_word("lost: Input/output error");
	assert_true(stage_device.active); /* that it counts on is the best that can be said */
	stage_ms += CFG_TICK_MS;
	tick_with(stage_ms + cfg->lease_ms);
	/* The lease that it had goes on, and is not prolonged: the guard fences in time. */
	assert_int_equal(g.lease.until_ms, stage_ms - CFG_TICK_MS + cfg->lease_ms);
	stage_device.failing = 0;
	stage_ms += CFG_TICK_MS;
	tick_with(stage_ms + cfg->lease_ms);
	assert_int_equal(g.lease.until_ms, stage_ms + cfg->lease_ms);
	assert_int_equal(stage_device.fed_ms, stage_ms);
	assert_word("armed");
}

static void a_device_that_is_gone_is_given_up_with_its_server(void **state)
{
	(void)state;
	serve();
	stage_device.failing = ENODEV;
	stage_ms += CFG_TICK_MS;
	tick_with(stage_ms + cfg->lease_ms);
	assert_true(g.lease.until_ms > stage_ms); /* automatic */
	g.server = GUARD_SERVER_DOWN;
	tick();
	tick();
	assert_false(g.watchdog.armed);
}

static void nowayout_it_is_fed_for_ever(void **state)
{
	(void)state;
	stage_device.nowayout = true;
	serve();
	g.server = GUARD_SERVER_STANDBY;
	for (int i = 0; i < 80; i++, stage_ms += CFG_TICK_MS) {
		tick();
		assert_false(fires_at(stage_ms));
	}
	assert_word("stuck");
	/* And as ever while it serves. */
	serve();
	g.fenced = FACT_YES;
	for (int i = 0; i < 20; i++, stage_ms += CFG_TICK_MS)
		tick();
	assert_true(fires_at(stage_ms));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(missing_and_automatic_it_goes_on),
		TEST(missing_and_required_no_lease_begins),
		TEST(required_it_is_armed_before_a_lease_begins),
		TEST(required_of_a_standby_it_must_be_there),
		TEST(somebody_elses_is_left_alone),
		TEST(unfit_once_it_is_not_tried_again),
		TEST(a_device_that_fails_is_taken_again),
		TEST(a_device_that_is_gone_is_given_up_with_its_server),
		TEST(nowayout_it_is_fed_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
