/* SPDX-License-Identifier: PostgreSQL */
/*
 * How the guard found or left the watchdog: the word of STAMP_WATCHDOG, for promote_safe,
 * check_primary and cluster_status, and for the next guard, which has to take over what an earlier
 * one left counting.
 */
#ifndef PGV_WATCHDOG_STAMP_H
#define PGV_WATCHDOG_STAMP_H

#include <stdbool.h>

#include "config/cfg.h"

enum watchdog_says {
	WATCHDOG_SAYS_NOTHING = 0, /* no word that is known */
	WATCHDOG_SAYS_READY,       /* it could be armed */
	WATCHDOG_SAYS_ARMED,
	WATCHDOG_SAYS_STUCK,   /* armed, and it cannot be stopped */
	WATCHDOG_SAYS_LOST,    /* armed, and not to be fed; ": WHY" follows */
	WATCHDOG_SAYS_MISSING, /* ": WHY" follows */
};
/* "ready", "armed", "stuck", "lost", "missing"; "" for nothing. */
const char *watchdog_says_word(enum watchdog_says says);
/* The same backwards, of the word of the stamp. */
enum watchdog_says watchdog_says_of(const char *text);

/* Is the device there, and can it be used? */
bool watchdog_usable(enum watchdog_says says);

/* Is a watchdog required, and was there none when the guard last looked, or is there no guard? */
bool node_watchdog_missing(const struct cfg *cfg);

#endif
