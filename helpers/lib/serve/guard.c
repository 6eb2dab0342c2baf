/* SPDX-License-Identifier: PostgreSQL */
#include "serve/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/state.h"
#include "node/files.h"
#include "serve/guard_look.h"
#include "serve/harmless.h"

/* keepalived runs check_primary each second; after two missed rounds the guard does it. */
#define KEEPALIVED_LATE_MS 2500
/* Slots that wait for the other node are looked after again this soon. */
#define SLOTS_AGAIN_MS 3000

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
	rc = stamp_write(g->cfg, "lease", g->lease.until_ms, g->lease.by ? g->lease.by : "none");
	tell_once(&g->lease_rc, "write the lease file", rc);
	if (rc == 0)
		g->written_lease_ms = g->lease.until_ms;
}

static void fence(struct guard *g, enum guard_act act, bool stay_down)
{
	const struct cfg *cfg = g->cfg;
	struct harmless how = {
		.reason = guard_act_word(act),
		.by = "guard",
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

	if (lock_held(file_run(g->cfg, "promote.lock").text) == 1) {
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

/* The election may be stood for while a server runs here and nobody fenced the node. */
static void keep_election(struct guard *g, const struct guard_facts *f)
{
	bool up = f->server == GUARD_SERVER_PRIMARY || f->server == GUARD_SERVER_STANDBY;
	int wanted = up && f->fenced == FACT_NO ? TRACK_YES : TRACK_NO;
	int is;

	if (track_read(g->cfg, "election", &is) == 0 && is == wanted)
		return;
	tell_once(&g->election_rc, "write the election file",
		  track_write(g->cfg, "election", wanted));
}

/* A check_primary that saw the server just before it died may have said yes after we said no. */
static void keep_serving(struct guard *g, const struct guard_facts *f)
{
	int serving;

	if (f->server != GUARD_SERVER_DOWN || track_read(g->cfg, "serving", &serving) < 0)
		return;
	if (serving != TRACK_NO)
		tell_once(&g->serving_rc, "write the serving file", serving_end(g->cfg));
}

/*
 * With a record only check_primary prolongs the lease of a primary, and a short one does not wait
 * for a keepalived that is late.  It takes one question, and is seen at the next tick.
 */
static bool lease_wants_check(const struct guard *g, const struct guard_facts *f)
{
	int64_t needs_ms = g->cfg->probe_timeout_ms + g->cfg->renew_interval_ms / 2;

	return f->server == GUARD_SERVER_PRIMARY && g->lease.until_ms > 0 &&
	       f->now >= lease_fence_at(&g->lease, f->fence_time_ms) - needs_ms;
}

/*
 * Now and then, and after each change of role.  Not while the primary is not to be seen: there is
 * other work then.
 */
static void keep_slots(struct guard *g, const struct guard_facts *f)
{
	int64_t every_ms = g->cfg->test_interval_ms;

	if (guard_decide(f) == GUARD_LOOK_AFTER || f->promoting)
		return;
	if (g->slots_of != f->server)
		guard_job_forget(&g->jobs, JOB_SLOTS);
	g->slots_of = f->server;
	if (g->jobs.undecided[JOB_SLOTS] || guard_standby_is_lost(f))
		every_ms = SLOTS_AGAIN_MS;
	guard_job_start(&g->jobs, g->cfg, JOB_SLOTS, every_ms);
}

/* Often until the witness host is known to reach the primary, and now and then until the agent has
 * said that it is on. */
static int64_t fence_test_ms(const struct cfg *cfg)
{
	const char *peer = cfg_peer(cfg)->name;

	if (cfg->witness_ssh && baseline_read(cfg, peer) != FACT_YES)
		return cfg->retry_interval_ms;
	if (cfg_has_method(cfg, FENCING_AGENT) && agent_seen_on(cfg, peer) != FACT_YES)
		return 10 * cfg->retry_interval_ms;
	return cfg->test_interval_ms;
}

/* Soon, until it is known: cluster_status says that all is well only then.  What is lacking may be
 * given at any time. */
static int64_t return_test_ms(const struct guard *g)
{
	if (g->jobs.ended_well[JOB_REJOIN_CHECK])
		return g->cfg->test_interval_ms;
	return attempt_said(g->cfg, "rejoin_check") == FACT_UNKNOWN
		   ? g->cfg->retry_interval_ms
		   : 10 * g->cfg->retry_interval_ms;
}

/* Work that is not the guard's own, but that must go on when keepalived does not. */
static void keep_house(struct guard *g, const struct guard_facts *f)
{
	bool up = f->server == GUARD_SERVER_PRIMARY || f->server == GUARD_SERVER_STANDBY;
	int64_t called_ms = 0;
	char word[16];

	if (!up)
		return;
	if (stamp_read(g->cfg, "keepalived", &called_ms, word, sizeof(word)) < 0 ||
	    f->now - called_ms > KEEPALIVED_LATE_MS || lease_wants_check(g, f))
		guard_job_start(&g->jobs, g->cfg, JOB_CHECK, g->cfg->renew_interval_ms);
	/* What a rewind lacks can only be given while all is well. */
	guard_job_start(&g->jobs, g->cfg, JOB_REJOIN_CHECK, return_test_ms(g));
	keep_slots(g, f);
	if (f->server != GUARD_SERVER_STANDBY)
		return;
	if (guard_standby_is_lost(f))
		guard_job_start(&g->jobs, g->cfg, JOB_REJOIN, g->cfg->retry_interval_ms);
	guard_job_start(&g->jobs, g->cfg, JOB_FENCE_TEST, fence_test_ms(g->cfg));
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
	keep_house(g, &f);
}

/* ---- running ---- */

static int64_t tick_ms(const struct cfg *cfg)
{
	int64_t half = cfg->renew_interval_ms / 2;

	return half < CFG_TICK_MS ? half : CFG_TICK_MS;
}

/* Waits for the next tick, or for what must not wait: the end of the postmaster, a signal. */
static bool wait_for_more(struct guard *g, int signals)
{
	struct deadline next = deadline_in_ms(tick_ms(g->cfg));
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = g->pidfd, .events = POLLIN },
	};

	if (deadline_poll(fds, ARRAY_COUNT(fds), &next) < 0)
		deadline_sleep(&next);
	return (fds[0].revents & POLLIN) == 0;
}

/*
 * Memory that is paged out and a processor that is busy are what makes a guard late.  Where the
 * rights for it are missing it says so and goes on.
 */
static void be_on_time(void)
{
	const struct sched_param priority = { .sched_priority = 10 };

	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		log_warning("could not lock memory: %s", strerror(errno));
	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &priority) < 0)
		log_warning("could not get real-time priority: %s", strerror(errno));
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* After a restart the lease goes on where it was; one of an earlier boot is no lease. */
static void resume_lease(struct guard *g)
{
	int64_t until_ms;
	char by[32];

	if (stamp_read(g->cfg, "lease", &until_ms, by, sizeof(by)) < 0)
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

	*verdict = (struct verdict){
		.outcome = OUT_REFUSED,
		.rule = "second-guard",
		.message = "another guard watches this node",
		.hint = "one guard a node and cluster is enough; look at its log",
	};
	rc = lock_take(&lock, file_run(cfg, "guard.lock").text, &soon);
	if (rc == -ETIMEDOUT)
		return;
	signals = open_signals();
	if (rc < 0 || signals < 0) {
		*verdict = (struct verdict){
			.outcome = OUT_SYSTEM,
			.rule = "guard-start",
			.message = "the guard could not start",
			.hint = "is its run directory there, and is it run by root?",
		};
		return;
	}
	be_on_time();
	/* keepalived waits for its track files; before anybody knows better, the answer is no. */
	if (track_read(cfg, "serving", &serving) < 0)
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
	probe_close(&g.witness);
	guard_watchdog_leave(&g);
	*verdict = (struct verdict){
		.outcome = OUT_YES,
		.rule = "stopped",
		.message = "the guard was told to stop",
		.hint = "without a guard nothing enforces the lease of this node",
	};
}
