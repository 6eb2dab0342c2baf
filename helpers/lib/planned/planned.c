/* SPDX-License-Identifier: PostgreSQL */
#include "planned/planned.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/proc.h"
#include "node/call.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "postgres/pgctl.h"
#include "postgres/pgdata.h"

#define QUESTION_MS 1000
#define PROGRESS_MS 2000
/* A stop that has less time would be ended before PostgreSQL has written its checkpoint. */
#define STOP_LEAST_MS 400
/* The guard looks each tick, and this program may be late by as much. */
#define STOP_SPARE_MS 300
/* The lease is renewed each second or so. */
#define LEASE_AGAIN_MS 20
/* Time behind the end of the server, in which the control file is read and the standby asked. */
#define BEHIND_MS 1500
/* pg_controldata. */
#define CONTROL_MS 1000
/* One write at the witness. */
#define RELEASE_MS 2000
/* The start of a primary, with what it has to replay; one run of rejoin; between two. */
#define START_MS       60000
#define REJOIN_MS      20000
#define START_AGAIN_MS 200

void planned_tell(struct planned *p, bool at_once, const char *what)
{
	const int64_t now = now_ms();

	if (p->quiet || (!at_once && now - p->told_ms < PROGRESS_MS))
		return;
	p->told_ms = now;
	(void)fprintf(stderr, "%s: %s\n", p->program, what);
}

struct server planned_ask(const struct cfg *cfg, enum pg_where where)
{
	struct deadline soon = deadline_in_ms(QUESTION_MS);
	struct server server;

	server_ask(&server, cfg, where, &soon);
	return server;
}

enum fact planned_serves(const struct cfg *cfg)
{
	int serving;

	if (track_read(cfg, TRACK_SERVING, &serving) < 0)
		return FACT_UNKNOWN;
	return fact_of(serving == TRACK_YES && right_runs(cfg));
}

enum fact planned_guarded(const struct cfg *cfg)
{
	const int held = lock_held(file_lock(cfg, LOCK_GUARD).text);

	return held < 0 ? FACT_UNKNOWN : fact_of(held);
}

int planned_checkpoint(const struct planned *p, const struct deadline *dl)
{
	struct pg AUTO_PG *pg = NULL;
	enum pg_failure failure = PG_FAIL_OTHER;
	char why[160];
	int rc = pg_open(&pg, p->cfg, PG_LOCAL, dl, &failure, why, sizeof(why));

	if (rc < 0) {
		log_warning("could not connect for a checkpoint: %s", why);
		return rc;
	}
	rc = pg_command(pg, "CHECKPOINT", dl);
	if (rc < 0)
		log_warning("the checkpoint failed: %s", pg_error(pg));
	return rc;
}

/* ---- the stop ---- */

int64_t planned_stop_ms(int64_t lease_left_ms, int64_t fence_time_ms, int64_t limit_ms)
{
	const int64_t left_ms = lease_left_ms - fence_time_ms - STOP_SPARE_MS;

	if (left_ms < STOP_LEAST_MS)
		return 0;
	return limit_ms < left_ms ? limit_ms : left_ms;
}

static int hold_guard(const struct planned *p, int64_t ms)
{
	const int64_t most_ms = p->cfg->lease_ms;

	return stamp_write(p->cfg, STAMP_HANDOVER, now_ms() + (ms < most_ms ? ms : most_ms),
			   p->program);
}

void planned_let_go(const struct planned *p)
{
	log_failed("remove the stamp of the hand-over", stamp_clear(p->cfg, STAMP_HANDOVER));
}

static int64_t lease_left_ms(const struct cfg *cfg)
{
	int64_t until_ms;

	return stamp_read(cfg, STAMP_LEASE, &until_ms, NULL, 0) == 0 ? until_ms - now_ms() : 0;
}

static int64_t time_for_stop_ms(const struct planned *p)
{
	return planned_stop_ms(lease_left_ms(p->cfg), cfg_fence_time_ms(p->cfg), p->stop_limit_ms);
}

int planned_stop_primary(struct planned *p, const struct deadline *dl)
{
	const struct cfg *cfg = p->cfg;
	struct pgctl_stop stop = { .fast_ms = time_for_stop_ms(p),
				   .immediate_ms = cfg->stop_immediate_ms };
	struct pgdata_control control;
	struct deadline end;
	const char *how = "unknown";
	int64_t began_ms;
	int rc;

	while (stop.fast_ms == 0 && !deadline_passed(dl)) {
		struct deadline pause = deadline_sooner(dl, LEASE_AGAIN_MS);

		deadline_sleep(&pause);
		stop.fast_ms = time_for_stop_ms(p);
	}
	if (stop.fast_ms == 0)
		return -EAGAIN;
	began_ms = now_ms();
	end = deadline_in_ms(stop.fast_ms + stop.immediate_ms + PGCTL_KILL_MS);
	rc = hold_guard(p, end.at_ms - began_ms + BEHIND_MS);
	if (rc < 0)
		return rc;
	/* The address leaves first: who connects anew is refused by a server that shuts down. */
	log_failed("write the serving file", serving_end(cfg));
	rc = pgctl_stop(cfg, &stop, &end, &how);
	p->stopped_ms = now_ms();
	/* A stop that took all its time has left too little of it for the proof. */
	log_failed("hold the guard back", hold_guard(p, CONTROL_MS + BEHIND_MS));
	end = deadline_in_ms(CONTROL_MS);
	pgdata_control(&control, cfg, &end);
	p->final_lsn = pgdata_final_lsn(&control);
	log_info("the server was stopped: %s, %" PRId64 " ms", how, p->stopped_ms - began_ms);
	return rc;
}

struct verdict planned_not_stopped(const struct planned *p, int rc)
{
	struct verdict verdict =
	    REFUSED("lease-short", "the lease leaves no time for a clean stop, so nothing was done",
		    "see lease and stop_fast in [timing]: \"cluster_config check\"");

	if (p->stopped_ms > 0)
		verdict = (struct verdict)INCOMPLETE(
		    "stop-unproven", "it is not proven that the server is stopped",
		    "the guard goes on by itself; look for processes of the data directory");
	else if (rc != -EAGAIN)
		verdict = (struct verdict)SYSTEM_ERROR("files", "could not write to run_dir",
						       "is it run by root?");
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s", strerror(-rc));
	return verdict;
}

/* ---- the start ---- */

/* Its exit code; -errno: it was not run to its end (why in log). */
static int run_helper(const struct cfg *cfg, const char *helper, const char *option,
		      int64_t limit_ms)
{
	const char *const words[] = { "--auto", option, NULL };
	struct call call;
	const struct proc_spec spec = { .argv = call.argv };
	struct proc AUTO_PROC child = PROC_NONE;
	struct deadline dl = deadline_in_ms(limit_ms);
	int rc;

	call_make(&call, cfg, helper, words);
	rc = proc_run(&child, &spec, &dl);
	if (rc < 0)
		log_warning("could not run %s: %s", helper, strerror(-rc));
	return rc < 0 ? rc : child.exit_code;
}

bool planned_release(const struct planned *p)
{
	return cfg_has_record(p->cfg) &&
	       run_helper(p->cfg, "witness_record", "--release", RELEASE_MS) == OUT_YES;
}

bool planned_start_primary(struct planned *p, int64_t patience_ms)
{
	struct deadline dl = deadline_in_ms(START_MS);
	struct deadline patience = deadline_sooner(&dl, patience_ms);

	for (;;) {
		struct deadline pause = deadline_sooner(&dl, START_AGAIN_MS);

		log_failed("hold the guard back", hold_guard(p, p->cfg->lease_ms));
		(void)run_helper(p->cfg, "rejoin", NULL, REJOIN_MS); /* its server is asked next */
		p->local = planned_ask(p->cfg, PG_LOCAL);
		if (p->local.state == SERVER_PRIMARY)
			return true;
		if (p->local.state == SERVER_STANDBY ||
		    deadline_passed(p->local.state == SERVER_DOWN ? &patience : &dl))
			return false;
		planned_tell(p, false, "this node is starting again");
		deadline_sleep(&pause);
	}
}
