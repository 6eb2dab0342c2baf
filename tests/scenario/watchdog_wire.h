/* SPDX-License-Identifier: PostgreSQL */
/* Between a program that believes to have /dev/watchdog open and the stand-in for it: one packet
 * each way for each call.  The connection is the open file, so its end is a close, or a death. */
#ifndef WATCHDOG_WIRE_H
#define WATCHDOG_WIRE_H

#include <linux/watchdog.h>
#include <stdint.h>

enum wire_call { WIRE_OPEN, WIRE_IOCTL, WIRE_WRITE };

struct wire_ask {
	uint32_t call;
	uint32_t count; /* bytes of data */
	uint64_t request;
	int32_t argument;
	char data[16];
};

struct wire_answer {
	int64_t rc;
	int32_t argument;
	struct watchdog_info info;
};

#endif
