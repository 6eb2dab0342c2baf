/* SPDX-License-Identifier: PostgreSQL */
#include "promote/promote_act.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "check/check_rules.h"
#include "fence/fence_mutual.h"
#include "net/nftlease.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "postgres/pgdata.h"
#include "postgres/server_config.h"
#include "postgres/server_sync.h"

/* How long one round of waiting takes before everything is looked at again. */
#define ROUND_MS 100
/* Looking for the end of the promotion. */
#define LOOK_MS 5
/* A server that promotes takes some 0.1 s, so after a second it may not have been asked. */
#define ASK_AGAIN_MS 1000
/* Until then a promotion is hardly ever over; behind it something may hold it up. */
#define HELD_MS 300
/* Changing primary_conninfo and seeing it in a new connection takes about 0.1 s. */
#define FOLLOW_MS 3000
/* To write a setting that the server will not take before its files are in order. */
#define UNHEARD_MS 200

/* ---- steps ---- */

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

	/* What the fence has decided, and the rules do not take for proof, is not gone on with. */
	if (p->fencing && !fence_over(&p->fence) && fence_verdict(&p->fence) == FENCE_UNKNOWN)
		fence_go_on(&p->fence, p->cfg, &round);
	else
		deadline_sleep(&round);
}

/* ---- the deed ---- */

static bool has_ended(int pidfd)
{
	struct pollfd process = { .fd = pidfd, .events = POLLIN };

	return pidfd >= 0 && poll(&process, 1, 0) == 1;
}

/* In the time of one question: a process of the server that does not answer must not use up what is
 * left for asking another one. */
static int ask_server(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);

	return server_promote(p->cfg, &soon);
}

/* WAL that came since the last look replays too, and a session that has begun since may be in
 * its way. */
static void help(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);

	server_replay_ask(&p->replay, p->cfg, PG_LOCAL, &soon);
	if (p->replay.held)
		promote_clear(p);
	/* To kill it would end the server: PostgreSQL takes the signal for its own. */
	if (p->replay.restoring && !p->told_restoring)
		log_warning("the promotion waits for restore_command");
	p->told_restoring = p->told_restoring || p->replay.restoring;
}

/*
 * -ESRCH: the server that was asked has ended, a full disk will do, and with it what it was asked:
 * one that starts anew knows nothing of it.  server: its pidfd; negative: it cannot be watched.
 * Lost it may also be with the connection, or where the server began anew after one of its
 * processes had crashed, so it is asked again, until until_ms (CLOCK_BOOTTIME): as long as the
 * grant runs that was written for it.  One that promotes already takes no harm: at most the file
 * that asks stays, until the next start removes it (postmaster.c, RemovePromoteSignalFiles).
 */
static int wait_until_primary(struct promotion *p, int server, int64_t until_ms)
{
	struct deadline again = deadline_sooner(&p->dl, ASK_AGAIN_MS);
	struct deadline held = deadline_sooner(&p->dl, HELD_MS);

	while (!deadline_passed(&p->dl)) {
		struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);
		const bool ended = has_ended(server);
		struct deadline pause;

		server_ask(&p->local, p->cfg, PG_LOCAL, &soon);
		if (p->local.state == SERVER_PRIMARY)
			return 0;
		p->unpromoted_ms = p->local.asked_ms;
		if (ended)
			return -ESRCH;
		if (deadline_passed(&held)) {
			help(p);
			held = deadline_sooner(&p->dl, HELD_MS);
		}
		if (deadline_passed(&again) && now_ms() < until_ms) {
			log_failed("ask for the promotion again", ask_server(p));
			again = deadline_sooner(&p->dl, ASK_AGAIN_MS);
		}
		pause = deadline_sooner(&p->dl, LOOK_MS);
		deadline_sleep(&pause);
	}
	return -ETIMEDOUT;
}

void promote_take_service(const struct cfg *cfg)
{
	int rc = serving_begin(cfg);

	if (rc < 0)
		log_warning("not serving yet: %s; check_primary tries again", strerror(-rc));
	log_failed("remove the mark of the withdrawn vote", withdrawn_clear(cfg));
}

/*
 * The right to serve, and in the kernel the same end to it: the element that let clients in to a
 * standby had none.  Should nothing of ours run from here on, clients are cut when the grant ends.
 */
static int grant(const struct promotion *p, int64_t from_ms)
{
	const struct nftlease until = { NFTLEASE_UNTIL, from_ms + p->cfg->lease_ms };
	int rc = stamp_write(p->cfg, STAMP_GRANT, until.until_ms, GRANT_OF_PROMOTION);

	if (rc == 0)
		nftlease_apply(p->cfg, &until, &p->dl);
	return rc;
}

/*
 * "The record says solo" is noted under the lock of all who write it, and only while it is as fresh
 * as a lease: a run that was stopped in between must not say so of a record that has moved on.
 */
static int stamp_solo(const struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, FOLLOW_MS);
	int AUTO_FD lock = -1;
	int rc = lock_take(&lock, file_lock(p->cfg, LOCK_RECORD).text, &soon);

	if (rc == 0 && now_ms() >= p->record.asked_ms + p->cfg->lease_ms)
		rc = -ESTALE;
	return rc < 0 ? rc : stamp_write(p->cfg, STAMP_SOLO, p->record.asked_ms, "record");
}

/* An operator's word where there is no row to take the term from makes a new one. */
static int ask_for_term(struct promotion *p, const struct deadline *dl)
{
	const struct record seen = p->record;
	const int64_t term = record_next_term(&seen, &p->memory);

	if (record_replaceable(p->facts.trust))
		return record_create(&p->link, &p->record, &seen, term, dl);
	if (p->facts.override && !seen.paired && !p->facts.record_ours)
		return record_take_by_word(&p->link, &p->record, &seen, p->local.received_lsn, dl);
	return record_take(&p->link, &p->record, &seen, dl);
}

int promote_take_term(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);
	int rc = ask_for_term(p, &soon);

	if (rc < 0) {
		log_warning("the witness did not answer when the term was to be taken: %s",
			    p->link.why);
		return rc;
	}
	if (p->record.refused[0] != '\0') {
		log_info("the term could not be taken: %s", p->record.refused);
		return -EAGAIN;
	}
	/* ---- nobody else may serve from here on, nor may this node before it has promoted ---- */
	log_info("this node holds term %" PRId64, p->record.term);
	log_failed("remember the record", record_memory_note(p->cfg, &p->memory, &p->record));
	return stamp_solo(p);
}

struct verdict promote_do(struct promotion *p)
{
	const struct cfg *cfg = p->cfg;
	const int64_t from_ms = cfg_has_record(cfg) ? p->record.asked_ms : now_ms();
	int higher = PRIORITY_PROMOTED + (int)((p->local.timeline + 1) % PRIORITY_SPAN);
	struct verdict verdict =
	    INCOMPLETE("promotion-unseen", "promotion was begun, its end was not seen",
		       "look at the server's log and at \"cluster_status\"");
	int AUTO_FD server = -1;
	pid_t pid;
	int rc;

	/*
	 * The right to serve is won: every rule has permitted it.  It is written before the
	 * promotion, so that a primary that we do not live to see is not taken for one that nobody
	 * permitted.
	 */
	rc = grant(p, from_ms);
	log_failed("write the grant file", rc);
	if (rc < 0)
		return (struct verdict)SYSTEM_ERROR("grant",
						    "the right to serve could not be written down",
						    "is run_dir writable, and has it room?");
	log_failed("write the priority file", track_write(cfg, TRACK_PRIORITY, higher));

	p->unpromoted_ms = now_ms();
	server = pgdata_postmaster(cfg, &pid);
	/* ---- point of no return: from here on a failure is OUT_INCOMPLETE ---- */
	rc = ask_server(p);
	if (rc == -EPROTO)
		return (struct verdict)REFUSED(
		    "server-refused", "the local server refused to be promoted",
		    "see its log; are the role's rights those of \"cluster_config sql\"?");
	/* Any other failure may have come after the server took it: only looking tells. */
	rc = wait_until_primary(p, server, from_ms + cfg->lease_ms);
	if (rc == -ESRCH) {
		verdict.rule = "promotion-lost";
		verdict.message = "the server ended while it was being promoted";
		verdict.hint = "its log says why; it is asked again as soon as it runs";
	}
	if (rc < 0)
		return verdict;
	/*
	 * A long replay may have used the grant up; the promotion is what gives the right.  From
	 * the last look that saw none yet: were we frozen since, somebody else may have taken over
	 * from us.
	 */
	log_failed("write the grant file", grant(p, p->unpromoted_ms));
	promote_take_service(cfg);
	return (struct verdict)YES("promoted", "promoted: this node is the primary now", NULL,
				   .id = RULE_PROMOTED);
}
