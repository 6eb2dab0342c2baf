/* SPDX-License-Identifier: PostgreSQL */
/*
 * Looks at keepalived from outside.  When the directory of a track file is missing as keepalived
 * 2.2.7 starts, it drops the file from its configuration and the instance goes on unchecked; when
 * the directory is removed and made again, it never looks at it again.  Both only say a line in the
 * log.  So the track scripts look whether keepalived really watches.
 */
#ifndef PGV_KEEPALIVED_H
#define PGV_KEEPALIVED_H

#include <sys/types.h>

#include "base/auto.h"
#include "base/outcome.h"

/*
 * Does process `pid` (a track script's parent) watch this very directory by inotify(7)?  Read from
 * /proc/PID/fdinfo (proc(5)), by inode.  UNKNOWN: the process or its descriptors cannot be read.
 */
enum fact keepalived_watches(pid_t pid, const char *directory) MUST_CHECK;

#endif
