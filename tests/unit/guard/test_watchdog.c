/* SPDX-License-Identifier: PostgreSQL */
/* The device: armed, fed, disarmed, and every way in which it may not be what it ought to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/watchdog.h>

#include "watchdogstage.h"

static struct watchdog w;

static int each(void **state)
{
	(void)state;
	stage_device = fakewatchdog_good;
	stage_missing = 0;
	w = (struct watchdog)WATCHDOG_NONE;
	return 0;
}

static int arm(int least_s, int most_s)
{
	return watchdog_arm(&w, STAGE_DEVICE, least_s, most_s);
}

/* Closed, stopped, and whatever time passes. */
static void assert_harmless(void)
{
	assert_int_equal(w.fd, -1);
	assert_false(stage_device.opened);
	assert_false(stage_device.active);
}

static void armed_it_resets_the_host_unless_it_is_fed(void **state)
{
	(void)state;
	assert_int_equal(arm(4, 5), 0);
	assert_true(w.fits);
	assert_int_equal(w.timeout_ms, 4000);
	stage_ms += 3999;
	assert_false(fakewatchdog_fires(&stage_device, stage_ms));
	assert_int_equal(watchdog_feed(&w), 0);
	stage_ms += 3999;
	assert_false(fakewatchdog_fires(&stage_device, stage_ms));
	stage_ms += 1;
	assert_true(fakewatchdog_fires(&stage_device, stage_ms));
}

static void disarmed_it_is_free_for_others(void **state)
{
	(void)state;
	assert_int_equal(arm(4, 5), 0);
	assert_int_equal(watchdog_disarm(&w), 0);
	assert_harmless();
	stage_device.old_driver = true; /* that has magic close, and nothing else */
	assert_int_equal(arm(4, 5), 0);
	assert_int_equal(watchdog_disarm(&w), 0);
	assert_harmless();
}

static void killed_or_left_it_counts_on(void **state)
{
	(void)state;
	assert_int_equal(arm(4, 5), 0);
	assert_int_equal(stage_close(w.fd), 0); /* what the kernel does for a killed process */
	assert_true(stage_device.active);
	assert_true(fakewatchdog_fires(&stage_device, stage_ms + 4000));
	/* The next one takes it over, and feeds it at once: to open it does not. */
	stage_ms += 3000;
	assert_int_equal(arm(4, 5), 0);
	assert_int_equal(stage_device.fed_ms, stage_ms);
	watchdog_leave(&w, 60);
	assert_int_equal(w.fd, -1);
	assert_true(stage_device.active);
	assert_false(fakewatchdog_fires(&stage_device, stage_ms + 59999));
	assert_true(fakewatchdog_fires(&stage_device, stage_ms + 60000));
	watchdog_leave(&w, 60); /* again is nothing */
}

static void missing_or_in_use_it_is_not_armed(void **state)
{
	(void)state;
	stage_missing = ENOENT;
	assert_int_equal(watchdog_look(STAGE_DEVICE), -ENOENT);
	assert_int_equal(arm(4, 5), -ENOENT);
	assert_int_equal(w.fd, -1);
	stage_missing = 0;
	assert_int_equal(watchdog_look(STAGE_DEVICE), 0);
	stage_device.opened = stage_device.active = true; /* systemd's */
	stage_device.fed_ms = stage_ms;
	assert_int_equal(arm(4, 5), -EBUSY);
	assert_int_equal(w.fd, -1);
	assert_int_equal(stage_device.timeout_s, 60);
}

static void takes_the_shortest_timeout_that_the_device_can(void **state)
{
	(void)state;
	stage_device.min_s = 5;
	assert_int_equal(arm(4, 6), 0);
	assert_int_equal(w.timeout_ms, 5000);
	assert_int_equal(watchdog_disarm(&w), 0);
	stage_device.min_s = 1, stage_device.step_s = 3;
	assert_int_equal(arm(4, 6), 0);
	assert_int_equal(w.timeout_ms, 6000);
}

static void refuses_a_device_that_cannot_count_so(void **state)
{
	(void)state;
	stage_device.step_s = 10;
	assert_int_equal(arm(4, 6), -ERANGE);
	assert_harmless();
	stage_device.step_s = 1, stage_device.min_s = 30;
	assert_int_equal(arm(4, 6), -ERANGE);
	assert_harmless();
	stage_device.min_s = 1, stage_device.max_s = 3;
	assert_int_equal(arm(4, 6), -ERANGE);
	assert_harmless();
	stage_device = fakewatchdog_good;
	stage_device.options &= ~(uint32_t)WDIOF_SETTIMEOUT;
	assert_int_equal(arm(4, 6), -ERANGE);
	assert_harmless();
}

/* Its death would disarm it, and that is what it is there for. */
static void refuses_a_device_without_magic_close(void **state)
{
	(void)state;
	stage_device.options &= ~(uint32_t)WDIOF_MAGICCLOSE;
	assert_int_equal(arm(4, 6), -ENOTSUP);
	assert_harmless();
	stage_device.nowayout = true; /* then nothing disarms it */
	assert_int_equal(arm(4, 6), 0);
	assert_int_equal(watchdog_disarm(&w), -EBUSY);
	assert_int_equal(w.fd, STAGE_FD);
}

static void what_cannot_be_stopped_stays_open_and_is_fed(void **state)
{
	(void)state;
	stage_device.nowayout = true;
	assert_int_equal(arm(4, 5), 0);
	assert_int_equal(watchdog_disarm(&w), -EBUSY);
	assert_true(w.fits);
	assert_int_equal(watchdog_feed(&w), 0);
	assert_int_equal(watchdog_disarm(&w), -EBUSY);
	assert_int_equal(stage_close(w.fd), 0);
	/* Armed by mistake, for good: a reset in 60 s would be ours. */
	stage_device = fakewatchdog_good;
	stage_device.nowayout = true, stage_device.min_s = 30;
	assert_int_equal(arm(4, 5), -ERANGE);
	assert_int_equal(w.fd, STAGE_FD);
	assert_false(w.fits);
	stage_ms += 59000;
	assert_int_equal(watchdog_feed(&w), 0);
	assert_false(fakewatchdog_fires(&stage_device, stage_ms + 59000));
}

static void feeds_by_a_write_where_there_is_no_other_way(void **state)
{
	(void)state;
	stage_device.options &= ~(uint32_t)WDIOF_KEEPALIVEPING;
	assert_int_equal(arm(4, 5), 0);
	stage_ms += 1000;
	assert_int_equal(watchdog_feed(&w), 0);
	assert_int_equal(stage_device.fed_ms, stage_ms);
	/* And what was fed so is not disarmed by a death. */
	assert_false(stage_device.release_allowed);
}

static void tells_a_device_that_fails(void **state)
{
	(void)state;
	assert_int_equal(arm(4, 5), 0);
	stage_device.failing = EIO;
	assert_int_equal(watchdog_feed(&w), -EIO);
	assert_int_equal(watchdog_disarm(&w), -EIO);
	assert_int_equal(w.fd, STAGE_FD);
	assert_true(stage_device.active);
	stage_device.failing = ENODEV;
	assert_int_equal(watchdog_feed(&w), -ENODEV);
	assert_int_equal(watchdog_disarm(&w), -ENODEV);
	watchdog_leave(&w, 0);
	assert_int_equal(arm(4, 5), -ENODEV);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, each)
	static const struct CMUnitTest tests[] = {
		TEST(armed_it_resets_the_host_unless_it_is_fed),
		TEST(disarmed_it_is_free_for_others),
		TEST(killed_or_left_it_counts_on),
		TEST(missing_or_in_use_it_is_not_armed),
		TEST(takes_the_shortest_timeout_that_the_device_can),
		TEST(refuses_a_device_that_cannot_count_so),
		TEST(refuses_a_device_without_magic_close),
		TEST(what_cannot_be_stopped_stays_open_and_is_fed),
		TEST(feeds_by_a_write_where_there_is_no_other_way),
		TEST(tells_a_device_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
