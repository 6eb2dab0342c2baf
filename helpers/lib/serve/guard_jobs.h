/* SPDX-License-Identifier: PostgreSQL */
/* The helpers that the guard starts: one of each kind at a time, none more often than it should be.
 */
#ifndef PGV_GUARD_JOBS_H
#define PGV_GUARD_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/proc.h"
#include "config/cfg.h"

enum guard_job { JOB_CHECK, JOB_REJOIN, JOB_REJOIN_NO_RESUME, JOB_PROMOTE, JOB_FENCE_TEST, JOBS };

struct guard_jobs {
	struct proc running[JOBS];
	int64_t started_ms[JOBS];
};

void guard_jobs_init(struct guard_jobs *jobs);

/* Starts it unless it runs, or was started less than every_ms ago. */
void guard_job_start(struct guard_jobs *jobs, const struct cfg *cfg, enum guard_job job,
		     int64_t every_ms);

/* Reaps what has ended. */
void guard_jobs_reap(struct guard_jobs *jobs);

bool guard_job_runs(const struct guard_jobs *jobs, enum guard_job job);

#endif
