/* SPDX-License-Identifier: PostgreSQL */
/*
 * A hardware watchdog by the kernel's own interface (Documentation/watchdog/watchdog-api.rst):
 * armed by being opened, it resets the host unless it is fed.  One process has it at a time. Closed
 * without having been stopped it counts on, which is what makes it outlive a guard that is killed.
 */
#ifndef PGV_WATCHDOG_H
#define PGV_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

struct watchdog {
	int fd;     /* -1: not open */
	bool fits;  /* it has a timeout of those that were asked for */
	bool pings; /* it takes WDIOC_KEEPALIVE; any takes a write */
	int64_t timeout_ms;
};
#define WATCHDOG_NONE    \
	{                \
		.fd = -1 \
	}

/*
 * Could it be opened?  Looks only: to open it would arm it.  0, -EBUSY when somebody else has armed
 * it, or -errno.
 */
int watchdog_look(const char *path) MUST_CHECK;

/*
 * Opens, and so arms it, with the shortest timeout from least_s to most_s that it takes.  0, or
 * -errno: -ENOTTY for what is no watchdog, -ERANGE when it takes no such timeout, -ENOTSUP for one
 * that would be disarmed by the death of who feeds it.  Then it is closed again; but one that
 * cannot be stopped any more (nowayout) stays open, does not fit, and is to be fed.
 */
int watchdog_arm(struct watchdog *w, const char *path, int least_s, int most_s) MUST_CHECK;

/* Not before timeout_ms from now is the host reset. */
int watchdog_feed(const struct watchdog *w) MUST_CHECK;

/*
 * Stops and closes it.  -errno: it could not be stopped (-EBUSY: nowayout) and is still open, to be
 * fed as long as somebody lives.
 */
int watchdog_disarm(struct watchdog *w) MUST_CHECK;

/* Closes it and lets it count on, with `seconds` from now where it can be told so (0: as it is). */
void watchdog_leave(struct watchdog *w, int seconds);

#endif
