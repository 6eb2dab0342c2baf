/* SPDX-License-Identifier: PostgreSQL */
/*
 * The cluster's address as a client sees it during a drill: again and again a new connection, and
 * whether a primary answers there that serves.
 */
#ifndef PGV_DRILL_WATCH_H
#define PGV_DRILL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "config/cfg.h"

struct drill_watch {
	int64_t answered_ms; /* when a primary answered last; 0: not yet */
	int64_t outage_ms;   /* the longest time from one answer to the next with none in between */
	bool lost;           /* the last look had no such answer */
	bool elsewhere;      /* the last look had one, and this host has not the address */
};

/* Takes in one look, whose answer, or the end of the wait for it, came at at_ms.  Pure. */
void drill_watch_note(struct drill_watch *watch, bool primary, bool elsewhere, int64_t at_ms);

/* Looks once, for a quarter of a second at the most. */
void drill_watch_look(struct drill_watch *watch, const struct cfg *cfg);

#endif
