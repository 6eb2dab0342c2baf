/* SPDX-License-Identifier: PostgreSQL */
/*
 * Does the other host show any sign of life?  For [fencing] unproven = promote, where silence is
 * all the proof there is: asked again and again, in a thread of its own, for as long as
 * promote_safe waits.
 */
#ifndef PGV_LIFE_H
#define PGV_LIFE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/outcome.h"
#include "config/cfg.h"

struct life_watch {
	const struct cfg *cfg;
	pthread_t thread;
	bool runs;
	atomic_bool stop;
	atomic_bool seen;
	atomic_bool gap; /* it did not run for too long: who lived meanwhile, nobody saw */
};

/* Begins to watch; does nothing where one watches already. */
void life_watch_begin(struct life_watch *watch, const struct cfg *cfg);

/*
 * Lets it end the look that is under way (about a second) and says whether any answer of any kind
 * came from the other node's address or the VIP since it began.  UNKNOWN: it could not watch all
 * the time. After that, and for a watch that was never begun, UNKNOWN.
 */
enum fact life_watch_end(struct life_watch *watch);

#endif
