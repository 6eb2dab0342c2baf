/* SPDX-License-Identifier: PostgreSQL */
/* The helpers that the guard starts: one of each kind at a time, none more often than it
 * should be. */
#ifndef PGV_GUARD_JOBS_H
#define PGV_GUARD_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/proc.h"
#include "config/cfg.h"

enum guard_job {
	JOB_WATCH, /* runs for as long as the guard does */
	JOB_CHECK,
	JOB_REJOIN,
	JOB_REJOIN_NO_RESUME,
	JOB_PROMOTE,
	JOB_FENCE_TEST,
	JOB_REJOIN_CHECK,
	JOB_RELEASE,
	JOB_SLOTS,
	JOBS
};

struct guard_jobs {
	struct proc running[JOBS];
	int64_t started_ms[JOBS];
	bool ended_well[JOBS]; /* the last one, with exit code 0 */
	bool undecided[JOBS];  /* it could not find out, has not finished, or was never started */
	int start_rc[JOBS];    /* of the last start: only another one is worth a line in the log */
};

void guard_jobs_init(struct guard_jobs *jobs);

/* Forgets when it was last started, and how it ended. */
void guard_job_forget(struct guard_jobs *jobs, enum guard_job job);

/* Starts it unless it runs, or was started less than every_ms ago. */
void guard_job_start(struct guard_jobs *jobs, const struct cfg *cfg, enum guard_job job,
		     int64_t every_ms);

/* Wakes it where it runs (proc_wake). */
void guard_job_wake(const struct guard_jobs *jobs, enum guard_job job);

/* Reaps what has ended. */
void guard_jobs_reap(struct guard_jobs *jobs);

/* Ends it at whatever line it is, so that the next start is not held up by it. */
void guard_job_end(struct guard_jobs *jobs, enum guard_job job);

bool guard_job_runs(const struct guard_jobs *jobs, enum guard_job job);

#endif
