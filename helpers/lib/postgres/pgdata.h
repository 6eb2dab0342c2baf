/* SPDX-License-Identifier: PostgreSQL */
/*
 * Reads the data directory, with the server up or down.  "Cannot see it" is never "it is not
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
/* The file that makes it that: "standby.signal", "recovery.signal"; NULL: none, or not known. */
const char *pgdata_signal(enum pgdata_form form);

/* "Database cluster state" of global/pg_control, as far as it tells a primary from a standby. */
enum pgdata_state {
	PGDATA_STATE_UNKNOWN = 0,
	PGDATA_STATE_PRODUCTION, /* "in production", "shutting down": a primary's */
	PGDATA_STATE_RECOVERY,   /* "in archive recovery": a standby's */
	PGDATA_STATE_OTHER,      /* down, or a crash recovery, which says neither */
};
/* 0; -EBADMSG: its CRC is wrong in each of several reads; another -errno. */
int pgdata_state(const struct cfg *cfg, enum pgdata_state *state) MUST_CHECK;
/* The system identifier in global/pg_control, read in the same way, with no child process. */
int pgdata_system(const struct cfg *cfg, uint64_t *system) MUST_CHECK;

/*
 * The role of the server that runs in the directory now, without asking it; of no meaning while
 * none does.
 *
 * standby.signal and recovery.signal say how the next server would start.  Somebody may put one
 * beside a primary that runs, and take one away from a standby: neither changes what runs.  So a
 * standby is only what has the file *and* is in archive recovery by pg_control.  A primary is what
 * has no such file, or is in production by pg_control and has said "ready" in postmaster.pid:
 * before that pg_control is the last server's, or, in a base backup, that of the primary it was
 * taken of. All else is unknown, which is never a standby.
 *
 * A promotion removes the file that it began with, then writes pg_control ("in production"), and
 * lets the first writer in just before that reaches the disk (StartupXLOG).  The file is read first
 * here: so what was promoted before the look is a primary, whatever pg_control said then.  Where
 * the other file was left behind only pg_control tells, that instant late: a look in it makes a
 * standby of the new primary, and the next one does not (pgdata_make_standby leaves one file).
 * `recovers` tells that part of a promotion, and a standby whose file is gone, from a primary in
 * production.
 */
enum pgdata_role {
	PGDATA_IS_UNKNOWN = 0,
	PGDATA_IS_PRIMARY,
	PGDATA_IS_STANDBY,
};
struct pgdata_running {
	enum pgdata_role role;
	const char *signal; /* "standby.signal" or "recovery.signal" is there; NULL: neither, or not
			       known */
	bool recovers;      /* pg_control: in archive recovery */
};
void pgdata_running(struct pgdata_running *is, const struct cfg *cfg);
/* The same, where only a primary is of interest: false also when it is not known. */
bool pgdata_runs_primary(const struct cfg *cfg);

/*
 * With the server down: takes standby.signal and recovery.signal away, durably, so that the
 * directory starts as a primary.  0 or -errno.
 */
int pgdata_forget_signals(const struct cfg *cfg) MUST_CHECK;

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
/*
 * Where the WAL ends: the shutdown checkpoint, whose record is the last one and carries no data.
 * Whoever has received that far has every commit, and beyond it every byte.  0: not shut down in
 * good order, so nobody knows.
 */
uint64_t pgdata_final_lsn(const struct pgdata_control *control);
/* The parser alone, for tests and fuzzing. 0 or -EINVAL with why set. */
int pgdata_control_parse(struct pgdata_control *control, const char *text) MUST_CHECK;

/*
 * The settings that pg_control keeps, wal_level and what a standby may not have lower than its
 * primary: those of the server that last ran here, on a standby its primary's.  tell is called for
 * each.  0 or -errno.
 */
struct pgdata_control_reader {
	void (*tell)(void *context, const char *name, const char *value);
	void *context;
};
int pgdata_control_settings(const struct pgdata_control_reader *reader, const struct cfg *cfg,
			    const struct deadline *dl) MUST_CHECK;
/* The parser alone, for tests and fuzzing: what pg_controldata printed. */
void pgdata_control_settings_parse(const struct pgdata_control_reader *reader, const char *text);

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
 * by rename and fsync, owned like the directory.  overrule: a recovery target in another file is
 * put out of force.  Can be killed at any line and run again.  0 or -errno.
 */
int pgdata_make_standby(const struct cfg *cfg, const char *conninfo, bool overrule) MUST_CHECK;

/*
 * The same, before it: takes what a restore left in postgresql.auto.conf out of it (recovery_target
 * and its kin, recovery_min_apply_delay).  taken[size]: the lines, "; " between; "" when there were
 * none.  0 or -errno.
 */
int pgdata_take_restore_settings(const struct cfg *cfg, char *taken, size_t size) MUST_CHECK;

/* Does postgresql.auto.conf set it?  false also where the file cannot be read. */
bool pgdata_auto_conf_sets(const struct cfg *cfg, const char *name);

#endif
