/* SPDX-License-Identifier: PostgreSQL */
#include "guard/guard_jobs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/outcome.h"
#include "node/call.h"

static const struct {
	const char *helper;
	const char *words[CALL_WORDS]; /* fewer than that, so that NULL is behind them */
} job_table[JOBS] = {
	[JOB_WATCH] = { "check_primary", { "--watch" } },
	[JOB_CHECK] = { "check_primary", { "--auto" } },
	[JOB_REJOIN] = { "rejoin", { "--auto" } },
	[JOB_REJOIN_NO_RESUME] = { "rejoin", { "--auto", "--no-resume" } },
	[JOB_PROMOTE] = { "promote_safe", { "--auto" } },
	[JOB_REJOIN_CHECK] = { "rejoin", { "--check", "--auto" } },
	[JOB_FENCE_TEST] = { "fence_old", { "--test", "--auto" } },
	[JOB_RELEASE] = { "witness_record", { "--release", "--auto" } },
	[JOB_SLOTS] = { "replication_slots", { "--maintain", "--auto" } },
};

/* Exit codes that running the job again at once would only repeat.  A job that was killed, or
 * lacked memory or a descriptor, has left its work undone; and a file that the guard has read
 * may only have been unreadable for a moment. */
static bool has_decided(int code)
{
	return code == OUT_YES || code == OUT_NO || code == OUT_REFUSED || code == OUT_USAGE;
}

void guard_jobs_init(struct guard_jobs *jobs)
{
	*jobs = (struct guard_jobs){ .started_ms = { 0 } };
	for (int job = 0; job < JOBS; job++)
		jobs->running[job] = PROC_NONE;
}

bool guard_job_runs(const struct guard_jobs *jobs, enum guard_job job)
{
	return jobs->running[job].pid > 0 && !jobs->running[job].done;
}

void guard_job_forget(struct guard_jobs *jobs, enum guard_job job)
{
	jobs->started_ms[job] = 0;
	jobs->ended_well[job] = false;
}

void guard_job_start(struct guard_jobs *jobs, const struct cfg *cfg, enum guard_job job,
		     int64_t every_ms)
{
	struct call call;
	const struct proc_spec spec = { .argv = call.argv };
	int64_t now = now_ms();
	int rc;

	if (guard_job_runs(jobs, job))
		return;
	if (jobs->started_ms[job] > 0 && now - jobs->started_ms[job] < every_ms)
		return;
	call_make(&call, cfg, job_table[job].helper, job_table[job].words);
	jobs->started_ms[job] = now;
	jobs->ended_well[job] = false;
	rc = proc_start(&jobs->running[job], &spec);
	if (rc < 0)
		jobs->undecided[job] = true;
	if (rc < 0 && rc != jobs->start_rc[job])
		log_warning("could not start %s: %s", call.path, strerror(-rc));
	jobs->start_rc[job] = rc;
}

void guard_job_wake(const struct guard_jobs *jobs, enum guard_job job)
{
	if (guard_job_runs(jobs, job))
		log_failed("wake a helper", proc_wake(&jobs->running[job]));
}

void guard_job_end(struct guard_jobs *jobs, enum guard_job job)
{
	proc_end(&jobs->running[job]);
}

void guard_jobs_reap(struct guard_jobs *jobs)
{
	const struct deadline passed = { .at_ms = 0 };

	for (int job = 0; job < JOBS; job++) {
		int code;

		if (!guard_job_runs(jobs, (enum guard_job)job))
			continue;
		if (proc_wait(&jobs->running[job], &passed) < 0)
			continue;
		code = jobs->running[job].exit_code;
		jobs->ended_well[job] = code == OUT_YES;
		jobs->undecided[job] = !has_decided(code);
		proc_end(&jobs->running[job]);
	}
}
