/* SPDX-License-Identifier: PostgreSQL */
/*
 * One absolute deadline per run.  All times are milliseconds on CLOCK_BOOTTIME
 * (clock_gettime(2)): it never steps, and it goes on while the host sleeps.
 * The wall clock takes part in no decision.
 */
#ifndef PGV_DEADLINE_H
#define PGV_DEADLINE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

struct deadline {
	int64_t at_ms; /* CLOCK_BOOTTIME */
};

/* Now, in milliseconds on CLOCK_BOOTTIME.  Cannot fail on Linux >= 2.6.39. */
int64_t now_ms(void);

/* The deadline that lies `ms` (>= 0) from now. */
struct deadline deadline_in_ms(int64_t ms);

/* The earlier of `dl` and `ms` from now: for one step inside a longer run. */
struct deadline deadline_sooner(const struct deadline *dl, int64_t ms);

/* Milliseconds left; 0 when it has passed, never negative. */
int64_t deadline_left_ms(const struct deadline *dl);

bool deadline_passed(const struct deadline *dl);

/*
 * poll(2) until something is ready or the deadline has passed; EINTR restarts
 * with the time that is left.  Returns the number of ready descriptors, 0 when
 * the deadline passed, or -errno.  With nfds 0 it is the one way to wait.
 */
int deadline_poll(struct pollfd *fds, nfds_t nfds, const struct deadline *dl) MUST_CHECK;

/* Waits until the deadline has passed. */
void deadline_sleep(const struct deadline *dl);

#endif
