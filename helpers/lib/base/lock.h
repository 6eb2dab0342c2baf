/* SPDX-License-Identifier: PostgreSQL */
/*
 * One acting helper at a time.  Open-file-description locks (fcntl(2), F_OFD_SETLK): they belong to
 * the open file, so the kernel drops them when the holder dies at whatever line.
 */
#ifndef PGV_LOCK_H
#define PGV_LOCK_H

#include <sys/types.h>

#include "base/auto.h"
#include "base/deadline.h"

/* Takes the lock file (made 0600 if absent), waiting until the deadline; *fd is then to be held,
 * close releases. Returns 0, -ETIMEDOUT when another holder kept it to the end, or -errno.  The
 * holder's pid is written into the file. */
int lock_take(int *fd, const char *path, const struct deadline *dl) MUST_CHECK;

/* Is somebody holding it now?  1, 0, or -errno.  A missing file is 0. */
int lock_held(const char *path) MUST_CHECK;

#endif
