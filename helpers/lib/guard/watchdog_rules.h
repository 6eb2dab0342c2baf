/* SPDX-License-Identifier: PostgreSQL */
/* When the watchdog is armed, fed and disarmed, as a pure function of what the guard knows
 * (docs/safety.md).  Times are CLOCK_BOOTTIME milliseconds. */
#ifndef PGV_WATCHDOG_RULES_H
#define PGV_WATCHDOG_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "config/cfg.h"
#include "guard/guard_rules.h"

struct watchdog_facts {
	int64_t now;
	enum guard_server server;
	enum fact fenced;         /* the mark */
	bool died_as_primary;     /* and what it left has not been cleared up */
	bool stop_unproven;       /* the last fence could not prove that the server is stopped */
	int64_t lease_until;      /* 0: none was granted */
	int64_t unentitled_since; /* a primary without one was first seen then; 0: no */

	bool armed; /* it counts, as far as we know; also one that we have lost hold of */
	bool stuck; /* it cannot be stopped any more (nowayout) */
	bool fits;  /* its timeout is one of cfg_watchdog's */
	int64_t timeout_ms;

	/* from the configuration */
	enum watchdog_mode mode;
	int64_t lease_ms;
	int64_t after_ms;
};

enum watchdog_act {
	WATCHDOG_NOTHING = 0,
	WATCHDOG_ARM,
	WATCHDOG_FEED,
	WATCHDOG_STARVE, /* not fed: it resets the host unless the lease is prolonged, or the server
			    proven stopped, in time */
	WATCHDOG_DISARM,
	WATCHDOG_ACTS
};

enum watchdog_act watchdog_decide(const struct watchdog_facts *facts);

#endif
