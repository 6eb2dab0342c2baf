/* SPDX-License-Identifier: PostgreSQL */
/*
 * A guard as far as its watchdog is concerned, with a stand-in for the device and the clock of
 * watchdogstage.h.  For one test program each.
 */
#ifndef WATCHDOGGUARD_H
#define WATCHDOGGUARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "watchdogstage.h"

/* The clock of the stage is that of the guard, too. */
#define now_ms real_now_ms
#include "base/deadline.c" /* NOLINT(bugprone-suspicious-include) */
#undef now_ms
int64_t now_ms(void);

int64_t now_ms(void)
{
	return stage_ms;
}

#include "base/lock.h"
#include "base/outcome.h"
#include "guard/guard_look.h"
#include "guard/guard_watchdog.h"
#include "node/path.h"
#include "node/stamp.h"
#include "nodefiles.h"

static struct cfg *const cfg = &nodefiles_cfg;
static struct guard g;
static int lock;

static void timings(int64_t lease_ms, int64_t margin_ms)
{
	cfg->lease_ms = lease_ms;
	cfg->margin_ms = margin_ms;
	cfg->stop_fast_ms = lease_ms / 10;
	cfg->stop_immediate_ms = lease_ms * 6 / 100;
	cfg->probe_timeout_ms = 250;
}

/* A guard that has just been started. */
static void begin(void)
{
	g = (struct guard){ .cfg = cfg, .pidfd = -1, .fenced = FACT_NO };
	guard_watchdog_resume(&g);
}

static int set_up(void **state)
{
	struct deadline soon = { .at_ms = INT64_MAX };

	if (nodefiles_set_up(state) < 0)
		return -1;
	timings(5000, 1000);
	cfg->watchdog = WATCHDOG_AUTOMATIC;
	(void)snprintf(cfg->watchdog_device, sizeof(cfg->watchdog_device), STAGE_DEVICE);
	stage_device = fakewatchdog_good;
	stage_missing = 0;
	begin();
	return lock_take(&lock, file_lock(cfg, LOCK_GUARD).text, &soon);
}

static int tear_down(void **state)
{
	if (lock >= 0)
		(void)close(lock);
	(void)unlink(file_lock(cfg, LOCK_GUARD).text);
	(void)unlink(file_run(cfg, "watchdog").text);
	return nodefiles_tear_down(state);
}

/* As in guard.c: the rights are read in between. */
static void tick_with(int64_t lease_until)
{
	guard_watchdog_begin(&g);
	if (guard_watchdog_permits(&g) && lease_until > g.lease.until_ms)
		g.lease.until_ms = lease_until;
	if (g.server != GUARD_SERVER_PRIMARY || g.lease.until_ms > 0)
		g.unentitled_since = 0;
	else if (g.unentitled_since == 0)
		g.unentitled_since = stage_ms;
	guard_watchdog_keep(&g);
}

static void tick(void)
{
	tick_with(0);
}

static void serve(void)
{
	g.server = GUARD_SERVER_PRIMARY;
	tick_with(stage_ms + cfg->lease_ms);
	tick();
}

static void assert_word(const char *expected)
{
	char word[64];
	int64_t at_ms;

	assert_int_equal(stamp_read(cfg, STAMP_WATCHDOG, &at_ms, word, sizeof(word)), 0);
	assert_string_equal(word, expected);
}

static bool fires_at(int64_t ms)
{
	return fakewatchdog_fires(&stage_device, ms);
}

#endif
