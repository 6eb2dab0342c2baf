/* SPDX-License-Identifier: PostgreSQL */
/* Running pg_rewind(1), so that a kill at any line leaves something that the next
 * run recognises. */
#ifndef PGV_REWIND_H
#define PGV_REWIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "base/proc.h"
#include "config/cfg.h"
#include "node/mark.h"
#include "postgres/pgdata.h"

/*
 * Ends a crash of the primary's directory: single-user mode, as pg_rewind would run it itself, but
 * with a configuration file that is elsewhere, too, and in the sight of this process, with which it
 * ends.  0 when the directory is shut down cleanly then; else -errno with why[size] set, in the
 * server's own words where it said any.
 */
int rewind_recover(const struct cfg *cfg, const struct deadline *dl, char *why,
		   size_t size) MUST_CHECK;

/*
 * pg_rewind replaces the configuration files of the data directory by the source's.  Kept before,
 * restored after, forgotten before the next time; each can be repeated.  0 or -errno.
 */
int rewind_keep_config(const struct cfg *cfg) MUST_CHECK;
int rewind_restore_config(const struct cfg *cfg) MUST_CHECK;
int rewind_forget_config(const struct cfg *cfg) MUST_CHECK;

/*
 * The WAL that pg_rewind reads and destroys, and the control file of a directory that is shut down:
 * kept before, so that after a kill it can be put back and pg_rewind be run again.  Kept: all of it
 * was.  0 or -errno.
 */
int rewind_keep_wal(const struct cfg *cfg, const struct pgdata_control *control) MUST_CHECK;
enum fact rewind_wal_kept(const struct cfg *cfg);
int rewind_restore_wal(const struct cfg *cfg) MUST_CHECK;
int rewind_forget_wal(const struct cfg *cfg) MUST_CHECK;

/*
 * Starts pg_rewind against the other node as os_user; the caller watches it with proc_wait.  The
 * mark must have been written before.  0 or -errno.
 */
int rewind_begin(struct proc *child, const struct cfg *cfg, const struct deadline *dl) MUST_CHECK;

/* Can WAL that is missed be had from an archive (restore_command)? */
bool rewind_has_archive(const struct cfg *cfg, const struct deadline *dl);

/* The line of its output that says what went wrong. */
void rewind_why(const struct proc *child, char *text, size_t size);

/*
 * Did a pg_rewind that nobody saw end do all of its work?  YES when the mark says so, or when the
 * last two files that it writes, backup label and control file, are its own, and the host has not
 * been restarted since (else what came before them need not have reached the disk).
 */
enum fact rewind_completed(const struct cfg *cfg, const struct rewinding_mark *mark,
			   const struct pgdata_control *control);

#endif
