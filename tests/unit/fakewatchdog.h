/* SPDX-License-Identifier: PostgreSQL */
/*
 * What the kernel's watchdog core does (drivers/watchdog/watchdog_dev.c), without a kernel: for
 * unit tests called as it stands, for scenarios served over a socket
 * (tests/scenario/watchdog_device.c).
 */
#ifndef FAKEWATCHDOG_H
#define FAKEWATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fakewatchdog {
	uint32_t options; /* WDIOF_... of the driver */
	bool nowayout;
	bool old_driver; /* of its own: it knows no WDIOC_SETOPTIONS */
	int min_s;       /* shorter is EINVAL; longer than max_s too */
	int max_s;
	int step_s; /* it rounds up to a multiple; 0 and 1: exact */
	int timeout_s;
	int failing; /* errno of every operation but close; 0: it works */

	bool opened;
	bool active;
	bool release_allowed; /* the last byte written was a 'V' */
	int64_t fed_ms;
	int pings;
};

/* A device that has it all, and counts a minute until it is told otherwise. */
extern const struct fakewatchdog fakewatchdog_good;

/* All but the last two return 0 (the write: count) or -errno. */
int fakewatchdog_open(struct fakewatchdog *w, int64_t now);
int fakewatchdog_ioctl(struct fakewatchdog *w, int64_t now, unsigned long request, void *argument);
long fakewatchdog_write(struct fakewatchdog *w, int64_t now, const char *data, size_t count);
void fakewatchdog_release(struct fakewatchdog *w, int64_t now);
/* Has it reset the host by now? */
bool fakewatchdog_fires(const struct fakewatchdog *w, int64_t now);

#endif
