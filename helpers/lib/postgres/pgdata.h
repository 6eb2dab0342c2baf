/* SPDX-License-Identifier: PostgreSQL */
/*
 * What the data directory says, with the server up or down.  "Cannot see it" is never "it is not
 * there": each reader tells ENOENT from every other error.
 */
#ifndef PGV_PGDATA_H
#define PGV_PGDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/outcome.h"
#include "config/cfg.h"

/* How the server would start from this directory. */
enum pgdata_form {
	PGDATA_UNKNOWN = 0, /* could not be read */
	PGDATA_MISSING,     /* no directory, or no PG_VERSION in it */
	PGDATA_STANDBY,     /* standby.signal */
	PGDATA_RECOVERY,    /* recovery.signal only: a restore in progress, not ours to touch */
	PGDATA_PRIMARY,     /* neither */
};
enum pgdata_form pgdata_form(const struct cfg *cfg);

/* From pg_controldata (LC_ALL=C); known only when every line was there, once, and nothing was
 * complained about (a CRC that does not match). */
struct pgdata_control {
	bool known;
	char why[160];
	uint64_t system_identifier;
	bool shut_down;  /* "shut down" or "shut down in recovery" */
	bool recovering; /* the latter: a standby, or a crash recovery that was stopped */
	bool in_production;
	bool in_recovery; /* "in archive recovery" */
	char state[48];
	uint32_t timeline; /* of the latest checkpoint */
	uint64_t checkpoint_lsn;
	uint64_t min_recovery_lsn; /* 0 when not set */
	uint32_t min_recovery_timeline;
	bool checksums;
	bool wal_log_hints;
};
void pgdata_control(struct pgdata_control *control, const struct cfg *cfg,
		    const struct deadline *dl);
/* The parser alone, for tests and fuzzing. 0 or -EINVAL with why set. */
int pgdata_control_parse(struct pgdata_control *control, const char *text) MUST_CHECK;

/* Major version in PG_VERSION; -ENOENT, -EINVAL, or another -errno. */
int pgdata_version(const struct cfg *cfg, int *major) MUST_CHECK;

/*
 * The running postmaster of *this* directory: pid from postmaster.pid, opened and verified as by
 * pgdata_process.  Returns a pidfd (>= 0, to be closed) with *pid set; -ENOENT: none runs (no file
 * in a directory that is there, a stale one whose process is gone or another's, or a single-user
 * server, which serves nobody); other -errno (-ENODEV: no data directory): it cannot be told.
 */
int pgdata_postmaster(const struct cfg *cfg, pid_t *pid) MUST_CHECK;

/*
 * When that postmaster was started: CLOCK_BOOTTIME in milliseconds, rounded up to the kernel's
 * clock tick, so never too early.  -ENOENT: none runs; other -errno: it cannot be told.
 */
int64_t pgdata_started_ms(const struct cfg *cfg) MUST_CHECK;

/* Has somebody the directory open in single-user mode (postgres --single)?  1, 0, or -errno. */
int pgdata_single_user(const struct cfg *cfg) MUST_CHECK;

/*
 * Opens process `pid` by pidfd_open(2) and then looks that it is a server process of this data
 * directory: its working directory is the directory (by device and inode), its program is postgres
 * (a shell or an editor that stands there is not ours to kill), and it has not ended.  Returns a
 * pidfd, -ENOENT when it is none, or another -errno.
 */
int pgdata_process(const struct cfg *cfg, pid_t pid) MUST_CHECK;

/*
 * Every server process of this data directory (postmaster, backends, also orphaned ones; zombies do
 * not count).  Fills pids[max]; returns how many there are (may exceed max), or -errno when one
 * could not be looked at.
 */
int pgdata_processes(const struct cfg *cfg, pid_t *pids, size_t max) MUST_CHECK;

/*
 * With the server down: make the directory start as a standby of `conninfo`: standby.signal, and
 * primary_conninfo replaced in postgresql.auto.conf (also recovery_target_timeline = latest), each
 * by rename and fsync, owned like the directory.  Can be killed at any line and run again.  0 or
 * -errno.
 */
int pgdata_make_standby(const struct cfg *cfg, const char *conninfo) MUST_CHECK;

#endif
