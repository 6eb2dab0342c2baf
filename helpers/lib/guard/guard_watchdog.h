/* SPDX-License-Identifier: PostgreSQL */
/*
 * The guard's hand on the watchdog: armed from when a primary runs here under a lease until it is
 * proven not to run.  Nothing that goes wrong disarms it.
 * run_dir/watchdog says how it stands (watchdog_stamp.h).
 */
#ifndef PGV_GUARD_WATCHDOG_H
#define PGV_GUARD_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "config/cfg.h"
#include "guard/watchdog.h"

struct guard;

struct guard_watchdog {
	struct watchdog device;
	bool armed;
	bool stuck;
	bool stop_unproven;
	int64_t fed_ms;
	bool starves; /* it is not fed, and that was said */
	int rc;       /* why it cannot be armed or fed, as last told; 0: it can */
	int unfit;    /* why it never will do; 0: nothing is known against it */
	int64_t next_look_ms;
	int64_t next_try_ms;
	char word[64]; /* that stands in the file */
};

/* When the guard begins: what an earlier one left armed is taken over. */
void guard_watchdog_resume(struct guard *g);

/* Once the server was looked at and before any right is read: a lease may depend on it. */
void guard_watchdog_begin(struct guard *g);

/* After the lease was prolonged; and again after a fence, whose outcome is given first. */
void guard_watchdog_keep(struct guard *g);
void guard_watchdog_fenced(struct guard *g, bool proven);

/* May a lease begin, or go on?  Only without a watchdog that is required is the answer no. */
bool guard_watchdog_permits(const struct guard *g);

/* The guard ends: what is armed stays so, for longer, because the next one may take a while. */
void guard_watchdog_leave(struct guard *g);

/* This node was made harmless and no guard is there to disarm it. */
void guard_watchdog_let_go(const struct cfg *cfg);

#endif
