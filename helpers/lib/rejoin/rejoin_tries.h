/* SPDX-License-Identifier: PostgreSQL */
/*
 * How often a deed of rejoin has failed: the guard calls again and again, and what fails in the
 * same way each time is tried ever less often, and at last left to a person.  The first try is
 * never delayed.  Kept in state_dir: tries.rewind, tries.rebuild.
 */
#ifndef PGV_REJOIN_TRIES_H
#define PGV_REJOIN_TRIES_H

#include "base/verdict.h"
#include "config/cfg.h"

enum rejoin_deed { DEED_REWIND, DEED_REBUILD, DEEDS };

/* After so many it is over: a rewind for five minutes; a copy is hours of load each time. */
#define REWIND_TRIES  7
#define REBUILD_TRIES 3
/* The longest pause between two. */
#define TRY_PAUSE_MAX_MS (5 * 60 * 1000)

struct rejoin_tries {
	int64_t count;     /* in the same way, one after the other */
	enum fact pausing; /* the next one is not due yet */
	enum fact spent;   /* there is no next one */
	char message[256]; /* of the last one */
	char detail[320];
};
struct rejoin_tries tries_read(const struct cfg *cfg, enum rejoin_deed deed);

/* Counts another failure. */
int tries_note(const struct cfg *cfg, enum rejoin_deed deed,
	       const struct verdict *verdict) MUST_CHECK;

/* Forgets the failures: the deed succeeded, or a person tries by hand. */
int tries_clear(const struct cfg *cfg) MUST_CHECK;

/* The pause after `count` failures.  Pure. */
int64_t tries_pause_ms(const struct cfg *cfg, int64_t count);

#endif
