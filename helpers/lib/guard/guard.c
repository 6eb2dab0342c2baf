/* SPDX-License-Identifier: PostgreSQL */
#include "guard/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/on_time.h"
#include "base/signals.h"
#include "base/state.h"
#include "guard/guard_house.h"
#include "guard/guard_look.h"
#include "guard/guard_notify.h"
#include "guard/harmless.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"

/* ---- acting ---- */

static void tell_once(int *told, const char *what, int rc)
{
	if (rc != *told)
		log_failed(what, rc);
	*told = rc;
}

static void write_lease(struct guard *g)
{
	int rc;

	if (g->lease.until_ms == g->written_lease_ms)
		return;
	rc =
	    stamp_write(g->cfg, STAMP_LEASE, g->lease.until_ms, g->lease.by ? g->lease.by : "none");
	tell_once(&g->lease_rc, "write the lease file", rc);
	if (rc == 0)
		g->written_lease_ms = g->lease.until_ms;
}

static void fence(struct guard *g, enum guard_act act, bool stay_down)
{
	const struct cfg *cfg = g->cfg;
	struct harmless how = {
		.reason = guard_act_word(act),
		.by = FENCED_BY_GUARD,
		.stay_down = stay_down,
	};
	struct deadline dl = deadline_in_ms(cfg_fence_time_ms(cfg));
	struct verdict verdict;

	if (stay_down)
		g->lease = (struct lease){ 0 };
	g->kernel.known = false;
	if (harmless_make(cfg, &how, &dl, &verdict) < 0) {
		guard_watchdog_fenced(g, false);
		/* The mark stands, so the next tick tries again. */
		log_error("%s: %s", verdict.message, verdict.detail);
		return;
	}
	log_warning("%s: %s", verdict.message, verdict.detail);
	guard_forget_server(g);
	if (g->died_ms == 0)
		g->died_ms = now_ms();
	g->cleared_up = true;
	guard_watchdog_fenced(g, true);
	g->release_due = cfg_has_record(cfg);
	/* The watch has a connection to the witness.  The helper that is started for the release
	 * connects first, and finds the work done, or does it. */
	if (g->release_due)
		guard_job_wake(&g->jobs, JOB_WATCH);
	guard_job_forget(&g->jobs, JOB_RELEASE);
}

/* The other side need not wait for our lease: told until the witness has it. */
static void release(struct guard *g)
{
	if (!g->release_due || g->server != GUARD_SERVER_DOWN)
		return;
	if (g->jobs.ended_well[JOB_RELEASE])
		g->release_due = false;
	else
		guard_job_start(&g->jobs, g->cfg, JOB_RELEASE, g->cfg->retry_interval_ms);
}

/* A crashed primary gives the standby its chance before it may start again by its own lease. */
static void bring_back(struct guard *g)
{
	const struct cfg *cfg = g->cfg;
	bool wait = g->died_ms > 0 && now_ms() - g->died_ms < cfg->restart_wait_ms;

	if (guard_job_runs(&g->jobs, JOB_REJOIN) || guard_job_runs(&g->jobs, JOB_REJOIN_NO_RESUME))
		return;
	guard_job_start(&g->jobs, cfg, wait ? JOB_REJOIN_NO_RESUME : JOB_REJOIN,
			cfg->retry_interval_ms);
}

/*
 * A promote_safe that took long, ours or keepalived's, had its vote withdrawn so long.  After it
 * has given it back it rests for two intervals, or a primary that could come back by this vote
 * would find it only for moments.
 */
static void look_after(struct guard *g, const struct guard_facts *f)
{
	int64_t every_ms = g->cfg->retry_interval_ms;

	if (lock_held(file_lock(g->cfg, LOCK_PROMOTE).text) == 1) {
		if (g->promoting_since_ms == 0)
			g->promoting_since_ms = f->now;
		return;
	}
	if (g->promoting_since_ms > 0 && f->now - g->promoting_since_ms > every_ms)
		g->rest_until_ms = f->now + 2 * every_ms;
	g->promoting_since_ms = 0;
	if (f->vote_left || f->now >= g->rest_until_ms)
		guard_job_start(&g->jobs, g->cfg, JOB_PROMOTE, every_ms);
}

/* True when it has fenced, which has shut the clients out: what was looked at before is over. */
static bool act_on(struct guard *g, enum guard_act act, const struct guard_facts *f)
{
	switch (act) {
	case GUARD_FENCE_LEASE:
	case GUARD_FENCE_UNENTITLED:
	case GUARD_FENCE_AGAIN:
		fence(g, act, true);
		return true;
	case GUARD_END:
	case GUARD_CLEAR_UP:
		fence(g, act, false);
		return true;
	case GUARD_START:
		bring_back(g);
		break;
	case GUARD_LOOK_AFTER:
		look_after(g, f);
		break;
	case GUARD_NOTHING:
	case GUARD_ACTS:
	default:
		break;
	}
	return false;
}

static void keep_election(struct guard *g, const struct guard_facts *f)
{
	int wanted = guard_stands(f) ? TRACK_YES : TRACK_NO;
	int is;

	if (track_read(g->cfg, TRACK_ELECTION, &is) == 0 && is == wanted)
		return;
	tell_once(&g->election_rc, "write the election file",
		  track_write(g->cfg, TRACK_ELECTION, wanted));
}

/* A check_primary that saw the server just before it died may have said yes after we said no. */
static void keep_serving(struct guard *g, const struct guard_facts *f)
{
	int serving;

	if (f->server != GUARD_SERVER_DOWN || track_read(g->cfg, TRACK_SERVING, &serving) < 0)
		return;
	if (serving != TRACK_NO)
		tell_once(&g->serving_rc, "write the serving file", serving_end(g->cfg));
}

static void tick(struct guard *g)
{
	struct guard_facts f;
	enum guard_act act;
	int64_t now = now_ms();

	if (g->last_tick_ms > 0 && now - g->last_tick_ms > 4 * CFG_TICK_MS)
		log_warning("this process did not run for %" PRId64 " ms", now - g->last_tick_ms);
	g->last_tick_ms = now;
	guard_jobs_reap(&g->jobs);
	guard_kernel_begin(&g->kernel, g->cfg);
	/* However long it did not run: it renews first, and the kernel gets what is left after. */
	guard_look(g);
	f = guard_facts(g);
	guard_watchdog_keep(g);
	act = guard_decide(&f);
	if (!act_on(g, act, &f))
		guard_kernel_keep(&g->kernel, g->cfg, &f);
	release(g);
	write_lease(g);
	keep_election(g, &f);
	keep_serving(g, &f);
	guard_keep_house(g, &f);
	guard_notify(g, &f);
}

/* ---- running ---- */

static int64_t tick_ms(const struct cfg *cfg)
{
	int64_t half = cfg->renew_interval_ms / 2;

	return half < CFG_TICK_MS ? half : CFG_TICK_MS;
}

/* Between two looks whether a switchover has let go of the end of the server. */
#define HANDOVER_TICK_MS 20

/* A fence that is due before it does not wait for it: the margin of the other node counts on that.
 */
static struct deadline next_tick(const struct guard *g)
{
	struct deadline next = deadline_in_ms(tick_ms(g->cfg));
	const int64_t fence_at_ms = lease_fence_at(&g->lease, cfg_fence_time_ms(g->cfg));

	if (g->server == GUARD_SERVER_PRIMARY && g->lease.until_ms > 0 &&
	    fence_at_ms < next.at_ms && fence_at_ms > now_ms())
		next.at_ms = fence_at_ms;
	/* Clients wait for what comes behind the hand-over. */
	if (g->died_ms > 0 && !g->cleared_up)
		next = deadline_sooner(&next, HANDOVER_TICK_MS);
	return next;
}

/* Waits for the next tick, or for what must not wait: the end of the postmaster, a signal. */
static bool wait_for_more(struct guard *g, int signals)
{
	struct deadline next = next_tick(g);
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = g->pidfd, .events = POLLIN },
	};

	if (deadline_poll(fds, ARRAY_COUNT(fds), &next) < 0)
		deadline_sleep(&next);
	return (fds[0].revents & POLLIN) == 0;
}

/* After a restart the lease goes on where it was; one of an earlier boot is no lease. */
static void resume_lease(struct guard *g)
{
	int64_t until_ms;
	char by[32];

	if (stamp_read(g->cfg, STAMP_LEASE, &until_ms, by, sizeof(by)) < 0)
		return;
	/* Also one that ran out while no guard was here: that is what the first look must see. */
	g->written_lease_ms = until_ms;
	g->lease = (struct lease){ .until_ms = until_ms, .by = "file" };
}

/* Helpers are killed at any line; of what they leave nobody else knows that nobody needs it. */
static void sweep(const char *directory)
{
	int swept = state_sweep(directory);

	if (swept < 0 && swept != -ENOENT)
		log_warning("could not sweep %s: %s", directory, strerror(-swept));
	else if (swept > 0)
		log_info("removed %d unfinished files from %s: a helper was killed", swept,
			 directory);
}

void guard_run(const struct cfg *cfg, struct verdict *verdict)
{
	struct guard g = { .cfg = cfg, .pidfd = -1, .witness = PROBE_NONE, .fenced = FACT_NO };
	struct deadline soon = deadline_in_ms(WITNESS_OPEN_MS);
	int AUTO_FD lock = -1;
	int AUTO_FD signals = -1;
	int serving;
	int rc;

	*verdict =
	    (struct verdict)REFUSED("second-guard", "another guard watches this node",
				    "one guard a node and cluster is enough; look at its log");
	rc = lock_take(&lock, file_lock(cfg, LOCK_GUARD).text, &soon);
	if (rc == -ETIMEDOUT)
		return;
	signals = signals_open();
	if (rc < 0 || signals < 0) {
		*verdict = (struct verdict)SYSTEM_ERROR(
		    "guard-start", "the guard could not start",
		    "is its run directory there, and is it run by root?");
		return;
	}
	on_time(ON_TIME_GUARD);
	/* keepalived waits for its track files; before anybody knows better, the answer is no. */
	if (track_read(cfg, TRACK_SERVING, &serving) < 0)
		log_failed("write the serving file", serving_end(cfg));
	sweep(cfg->run_dir);
	sweep(cfg->state_dir);
	guard_jobs_init(&g.jobs);
	resume_lease(&g);
	guard_watchdog_resume(&g);
	log_info("the guard is on duty: lease %" PRId64 " ms, fence takes up to %" PRId64 " ms",
		 cfg->lease_ms, cfg_fence_time_ms(cfg));
	do {
		tick(&g);
	} while (wait_for_more(&g, signals));
	guard_notify_end(&g);
	probe_close(&g.witness);
	guard_watchdog_leave(&g);
	*verdict = (struct verdict)YES("stopped", "the guard was told to stop",
				       "without a guard nothing enforces the lease of this node");
}
