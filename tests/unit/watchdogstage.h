/* SPDX-License-Identifier: PostgreSQL */
/*
 * Takes in watchdog.c with a stand-in for the device, and a clock that only moves when it is told
 * to. For one test program each; include it before anything of ours.
 */
#ifndef WATCHDOGSTAGE_H
#define WATCHDOGSTAGE_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fakewatchdog.h"

#define STAGE_DEVICE "/dev/stand-in"
#define STAGE_FD     1000

static struct fakewatchdog stage_device;
static int64_t stage_ms = 1000000;
static int stage_missing; /* errno of whoever looks for it; 0: it is there */

static long told(long rc)
{
	if (rc >= 0)
		return rc;
	errno = (int)-rc;
	return -1;
}

static int stage_open(const char *path, int flags)
{
	(void)flags;
	if (strcmp(path, STAGE_DEVICE) != 0)
		return (int)told(-ENOENT);
	if (stage_missing != 0)
		return (int)told(-stage_missing);
	if (told(fakewatchdog_open(&stage_device, stage_ms)) < 0)
		return -1;
	return STAGE_FD;
}

static int stage_ioctl(int fd, unsigned long request, void *argument)
{
	if (fd != STAGE_FD)
		return (int)told(-EBADF);
	return (int)told(fakewatchdog_ioctl(&stage_device, stage_ms, request, argument));
}

static ssize_t stage_write(int fd, const void *data, size_t count)
{
	if (fd != STAGE_FD)
		return told(-EBADF);
	return told(fakewatchdog_write(&stage_device, stage_ms, data, count));
}

static int stage_close(int fd)
{
	if (fd != STAGE_FD)
		return (int)told(-EBADF);
	fakewatchdog_release(&stage_device, stage_ms);
	return 0;
}

static int stage_access(const char *path, int mode)
{
	(void)mode;
	return (int)told(strcmp(path, STAGE_DEVICE) != 0 ? -ENOENT : -stage_missing);
}

#include "base/auto.h"
#include "base/state.h"
#include "guard/watchdog.h"

#define open   stage_open
#define ioctl  stage_ioctl
#define write  stage_write
#define close  stage_close
#define access stage_access
#include "guard/watchdog.c" /* NOLINT(bugprone-suspicious-include) */
#undef open
#undef ioctl
#undef write
#undef close
#undef access

#endif
