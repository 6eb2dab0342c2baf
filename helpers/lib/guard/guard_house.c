/* SPDX-License-Identifier: PostgreSQL */
#include "guard/guard_house.h"

#include "base/log.h"
#include "config/timing.h"
#include "guard/guard_rules.h"
#include "node/agent_mark.h"
#include "node/answer.h"
#include "node/attempt.h"
#include "node/mark.h"

/* The watch ends by itself only where it can do nothing, or to read the configuration anew. */
#define WATCH_AGAIN_MS 1000
/* Slots that wait for the other node are looked after again this soon. */
#define SLOTS_AGAIN_MS 3000

/*
 * With a record only check_primary prolongs the lease of a primary, and a short one does not wait
 * for a round that is late.  It takes one question, and is seen at the next tick.
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

	/* Also one that came and went while there was other work. */
	if (g->slots_of != f->server)
		guard_job_forget(&g->jobs, JOB_SLOTS);
	g->slots_of = f->server;
	if (guard_decide(f) == GUARD_LOOK_AFTER || f->promoting)
		return;
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
	return attempt_said(g->cfg, ATTEMPT_REJOIN_CHECK) == FACT_UNKNOWN
		   ? g->cfg->retry_interval_ms
		   : 10 * g->cfg->retry_interval_ms;
}

/* Asks round after round, whatever the server here is: keepalived's scripts and our lease live by
 * it. */
static void keep_watch(struct guard *g, const struct guard_facts *f)
{
	const int64_t started_ms = g->jobs.started_ms[JOB_WATCH];
	const int64_t age_ms = answer_age_ms(g->cfg);
	const bool wanted = lease_wants_check(g, f);
	/* A watch that is frozen while it holds a lock would hold up any other that asks in its
	 * place. */
	const int64_t lost_ms = wanted ? 2 * answer_round_ms(g->cfg) : TIMING_WATCH_LOST_MS;

	if ((age_ms < 0 || age_ms > lost_ms) && guard_job_runs(&g->jobs, JOB_WATCH) &&
	    f->now - started_ms > lost_ms) {
		log_warning("check_primary --watch does not answer, and is started anew");
		guard_job_end(&g->jobs, JOB_WATCH);
	}
	guard_job_start(&g->jobs, g->cfg, JOB_WATCH, WATCH_AGAIN_MS);
	if (f->server != GUARD_SERVER_PRIMARY && f->server != GUARD_SERVER_STANDBY)
		return;
	if (age_ms < 0 || age_ms > TIMING_WATCH_LATE_MS || wanted)
		guard_job_start(&g->jobs, g->cfg, JOB_CHECK, g->cfg->renew_interval_ms);
}

void guard_keep_house(struct guard *g, const struct guard_facts *f)
{
	bool up = f->server == GUARD_SERVER_PRIMARY || f->server == GUARD_SERVER_STANDBY;

	keep_watch(g, f);
	if (!up)
		return;
	/* A requirement of pg_rewind can only be met while all is well. */
	guard_job_start(&g->jobs, g->cfg, JOB_REJOIN_CHECK, return_test_ms(g));
	keep_slots(g, f);
	if (guard_standby_is_lost(f))
		guard_job_start(&g->jobs, g->cfg, JOB_REJOIN, g->cfg->retry_interval_ms);
	/* Also on a primary: it is the standby of tomorrow. */
	guard_job_start(&g->jobs, g->cfg, JOB_FENCE_TEST, fence_test_ms(g->cfg));
}
