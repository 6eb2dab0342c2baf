/* SPDX-License-Identifier: PostgreSQL */
#include "promote/promote_act.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fence/fence_mutual.h"
#include "net/nftlease.h"
#include "node/mark.h"
#include "postgres/server_config.h"
#include "postgres/server_sync.h"

/* How long one round of waiting takes before everything is looked at again. */
#define ROUND_MS 100
/* Changing primary_conninfo and seeing it in a new connection takes about 0.1 s. */
#define FOLLOW_MS 3000
/* To write a setting that the server will not take before its files are in order. */
#define UNHEARD_MS 200

void promote_begin_observing(struct promotion *p)
{
	struct fence_request request = {
		.node = cfg_peer(p->cfg),
		.ask = FENCE_ASK_OBSERVE,
		/* A record that stands still says more than a host that is not to be seen. */
		.observe = !cfg_has_record(p->cfg),
		.observe_ms = p->cfg->lease_ms + p->cfg->margin_ms,
	};

	p->observing_ms = now_ms();
	fence_begin(&p->fence, p->cfg, &request);
	p->fencing = true;
}

/*
 * The new primary begins solo: its commits wait for nobody.  Where the server takes no reload they
 * wait until it does, or until a standby is back: later than wanted, and nothing is lost.
 */
static int prepare_solo(const struct promotion *p, const struct deadline *dl)
{
	const struct deadline at_once = deadline_sooner(dl, UNHEARD_MS);
	struct server_config config;

	if (!cfg_has_record(p->cfg) || p->cfg->mode != MODE_SYNC || p->local.sync_names[0] == '\0')
		return 0;
	server_config_ask(&config, p->cfg, PG_LOCAL, dl);
	if (config.ignored != FACT_YES)
		return server_set_sync(p->cfg, "", dl);
	log_warning("commits will wait for a standby: no reload is taken (%s)", config.why);
	log_failed("turn synchronous replication off", server_set_sync(p->cfg, "", &at_once));
	return 0;
}

/*
 * A vote answers a question that came over the network, and counts from when that was sent.  So
 * what the kernel noted last, looked at behind the withdrawal, is no earlier than the last vote
 * that was given.  Without a record the witness prolongs the lease too, and nobody here knows when.
 */
static void note_last_question(struct promotion *p)
{
	int64_t asked_ms;

	p->unasked_ms = p->withdrawn_ms;
	if (!cfg_has_record(p->cfg) || nftlease_asked(p->cfg, &asked_ms) < 0 ||
	    asked_ms >= p->withdrawn_ms)
		return;
	p->unasked_ms = asked_ms;
	log_info("nothing was asked of this server for %" PRId64
		 " ms, and the wait counts from then",
		 p->withdrawn_ms - asked_ms);
}

/*
 * A window that began long before the vote was gone says nothing of the lease that the last vote
 * gave (look_at_rest), and on a host that is slow, or stood still, every one would.
 */
static void observe_in_time(struct promotion *p)
{
	if (!p->fencing || p->withdrawn_ms - p->observing_ms <= p->cfg->margin_ms)
		return;
	p->observing_ms = now_ms();
	fence_observe_anew(&p->fence, p->cfg);
}

/* Whom a release names serves no more, and nobody else is asked to stop him. */
static bool to_be_fenced(const struct promotion *p)
{
	return p->fence.request.ask == FENCE_ASK_OBSERVE && !p->facts.record_released;
}

int promote_withdraw(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, FOLLOW_MS);
	char kept[SERVER_CONNINFO_MAX];
	bool shown;
	int rc = 0;

	if (to_be_fenced(p)) {
		p->fence_version = p->record.version;
		rc = fence_mutual_begin(p->cfg, &p->fence_held);
		if (rc < 0)
			return rc;
		fence_ask_node(&p->fence, p->cfg, FENCE_ASK_SPARE);
	}
	if (withdrawn_read(p->cfg, kept, sizeof(kept)) != FACT_YES)
		(void)snprintf(kept, sizeof(kept), "%s", p->local.primary_conninfo);
	rc = withdrawn_write(p->cfg, kept);
	shown = rc == 0 && server_shows_the_mark(p->cfg, &soon);
	if (rc == 0 && !shown)
		rc = server_withdraw(p->cfg, &soon);
	if (rc < 0)
		return rc;
	p->withdrawn_ms = now_ms();
	p->withdrawn_version = p->record.version;
	observe_in_time(p);
	note_last_question(p);
	if (p->facts.unproven_promote && !cfg_has_record(p->cfg))
		life_watch_begin(&p->life, p->cfg);
	/* The vote is gone already; a primary that still runs should not be streamed from either.
	 */
	if (shown && !p->facts.record_released)
		log_failed("clear primary_conninfo", server_withdraw(p->cfg, &soon));
	rc = prepare_solo(p, &soon);
	if (rc < 0)
		return rc;
	log_info("the vote for %s is withdrawn", cfg_peer(p->cfg)->name);
	return 0;
}

void promote_give_back(struct promotion *p)
{
	struct deadline soon = deadline_in_ms(FOLLOW_MS);
	char conninfo[SERVER_CONNINFO_MAX];
	int rc = 0;

	if (withdrawn_read(p->cfg, conninfo, sizeof(conninfo)) == FACT_NO)
		return;
	/* A standby that holds the term votes for nobody: the next run ends what was begun. */
	if (p->linked && p->memory.newest.present == FACT_YES &&
	    strcmp(p->memory.newest.holder, cfg_self(p->cfg)->name) == 0)
		return;
	if (conninfo[0] == '\0')
		rc = server_conninfo_to_peer(p->cfg, conninfo, sizeof(conninfo));
	if (rc == 0)
		rc = server_follow(p->cfg, conninfo, &soon);
	if (rc == 0)
		rc = withdrawn_clear(p->cfg);
	if (rc < 0)
		log_warning("could not give the vote back, the guard tries again: %s",
			    strerror(-rc));
	else
		log_info("the vote for %s is given back", cfg_peer(p->cfg)->name);
}

void promote_end_fencing(struct promotion *p)
{
	if (!p->fencing)
		return;
	if (p->fence.request.ask == FENCE_ASK_SPARE)
		fence_mutual_end(p->cfg, &p->fence_held, fence_verdict(&p->fence) == FENCE_FENCED);
	fence_end(&p->fence);
}

void promote_power(struct promotion *p)
{
	struct verdict verdict;

	promote_refresh(p, true);
	if (promote_decide(&p->facts, &verdict) != STEP_POWER)
		return;
	log_info("nobody could ask %s: its host is switched off", cfg_peer(p->cfg)->name);
	fence_ask_power(&p->fence, p->cfg);
	p->powered = true;
}

void promote_clear(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);
	const int told = server_replay_free(p->cfg, p->cleared > 0, &soon);

	if (told > 0)
		log_info("%d sessions that may hold up replay are ended", told);
	p->cleared++;
}

void promote_wait(struct promotion *p)
{
	int64_t left_ms = promote_wait_left_ms(p);
	struct deadline round =
	    deadline_sooner(&p->dl, left_ms > 0 && left_ms < ROUND_MS ? left_ms : ROUND_MS);

	/* A fence that has decided goes on no further, though the rules may not take it for proof.
	 */
	if (p->fencing && !fence_over(&p->fence) && fence_verdict(&p->fence) == FENCE_UNKNOWN)
		fence_go_on(&p->fence, p->cfg, &round);
	else
		deadline_sleep(&round);
}
