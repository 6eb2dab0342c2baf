/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin/rejoin_act.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "net/nftlease.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/track.h"
#include "node/unbidden.h"
#include "postgres/pgctl.h"
#include "postgres/server_log.h"
#include "rebuild/rebuild.h"
#include "rejoin/rejoin_right.h"
#include "rejoin/rejoin_steps.h"
#include "rejoin/rejoin_tries.h"

/* promote_safe does not wait for this lock either: whoever comes second comes again. */
#define LOCK_MS 100
/* Changing primary_conninfo and seeing it in a new connection takes about 0.1 s. */
#define FOLLOW_MS 3000
/* Orphans get no polite stages; what SIGKILL does not end in this time hangs in the kernel. */
#define CLEAR_MS 5000

/* ---- a server that is down ---- */

/* The reason stands in the server's own log, and its words come first. */
static bool start_failed(struct rejoin *r, struct verdict *verdict, const char *how)
{
	char why[SERVER_LOG_WHY_MAX];

	server_log_why(&r->log, r->cfg, why, sizeof(why));
	*verdict = (struct verdict)INCOMPLETE(
	    "start-failed", "the server was started, but does not run",
	    "remove the cause; the guard starts it again, or \"rejoin\" by hand");
	if (why[0] != '\0')
		(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s", why);
	else
		(void)snprintf(verdict->detail, sizeof(verdict->detail),
			       "%s, and %s does not say why: see where log_destination leads", how,
			       r->cfg->log_file);
	return false;
}

/* promote_safe withdraws votes under the same lock. */
static bool take_votes(const struct rejoin *r, int *lock, struct verdict *verdict)
{
	struct deadline soon = deadline_sooner(&r->dl, LOCK_MS);
	int rc = lock_take(lock, file_lock(r->cfg, LOCK_PROMOTE).text, &soon);

	return rc == 0 || rejoin_fail(verdict, OUT_REFUSED, "promotion-under-way",
				      "promote_safe is at work on this node", rc);
}

void rejoin_forget_promotion(const struct rejoin *r)
{
	struct verdict ignored;
	AUTO_FD int lock = -1;

	if (take_votes(r, &lock, &ignored))
		server_promotion_forget(r->cfg);
}

static bool start(struct rejoin *r, struct verdict *verdict)
{
	int rc;

	/* The server ran, and ended while it was waited for: another start would end as this
	 * one. */
	if (r->started)
		return start_failed(r, verdict, "it ended again");
	rejoin_forget_promotion(r);
	server_log_mark(&r->log, r->cfg);
	rc = pgctl_start(r->cfg, &r->dl);
	r->started = rc == 0;
	return rc == 0 || start_failed(r, verdict, rc == -ECHILD ? "it ended" : strerror(-rc));
}

static bool clear(struct rejoin *r, struct verdict *verdict)
{
	const struct pgctl_stop at_once = { 0 };
	struct deadline soon = deadline_sooner(&r->dl, CLEAR_MS);
	const char *how;
	int rc = pgctl_stop(r->cfg, &at_once, &soon, &how);

	log_warning("backends were left whose postmaster is dead: %s",
		    rc < 0 ? strerror(-rc) : how);
	return rc == 0 || rejoin_fail(verdict, OUT_UNKNOWN, "orphans-left",
				      "backends without a postmaster could not be ended", rc);
}

/* ---- a primary again ---- */

static bool resume(struct rejoin *r, struct verdict *verdict)
{
	const struct nftlease shut = { .gate = NFTLEASE_SHUT };
	const struct pgctl_stop at_once = { 0 };
	int AUTO_FD lock = -1;
	struct deadline soon;
	const char *how;
	int rc;

	/* Held until the mark was looked at once more behind the start: a fence that comes in
	 * between waits for it before it says that it is done. */
	rc = rejoin_take_right(r, &lock, verdict);
	if (rc != 0)
		return rc == -EAGAIN;
	/* Whatever a standby has left there: the guard lets clients in, and only for the lease. */
	nftlease_apply(r->cfg, &shut, &r->dl);
	/* ---- point of no return: from here on a primary may be running ---- */
	if (!start(r, verdict))
		return false;
	/* fence_self may have looked for a server just before ours was to be seen. */
	if (fenced_read(r->cfg).present != FACT_NO) {
		soon = deadline_in_ms(CLEAR_MS);
		rc = pgctl_stop(r->cfg, &at_once, &soon, &how);
		return rejoin_fail(verdict, rc < 0 ? OUT_UNKNOWN : OUT_REFUSED, "fenced-meanwhile",
				   "this node was fenced while its primary started", rc);
	}
	if (withdrawn_clear(r->cfg) < 0)
		log_warning("could not remove the mark of the withdrawn vote");
	*verdict = (struct verdict)YES("resumed", "this node's primary was started again", NULL,
				       .id = RULE_RESUMED);
	rejoin_detail(r, verdict, verdict->detail, sizeof(verdict->detail));
	rejoin_event(r, "resumed", verdict->detail);
	return false;
}

/* ---- a standby that runs ---- */

static bool restore(struct rejoin *r, struct verdict *verdict)
{
	struct deadline soon = deadline_sooner(&r->dl, FOLLOW_MS);
	AUTO_FD int lock = -1;
	char conninfo[SERVER_CONNINFO_MAX];
	int rc = 0;

	if (!take_votes(r, &lock, verdict))
		return false;
	/* Restores the setting of before, unless that is the wrong one. */
	if (r->restored || withdrawn_read(r->cfg, conninfo, sizeof(conninfo)) != FACT_YES ||
	    conninfo[0] == '\0')
		rc = server_conninfo_to_peer(r->cfg, conninfo, sizeof(conninfo));
	if (rc == 0)
		rc = server_follow(r->cfg, conninfo, &soon);
	if (rc == 0)
		rc = withdrawn_clear(r->cfg);
	if (rc < 0) {
		rejoin_fail(verdict, OUT_INCOMPLETE, "follow-failed",
			    "the standby could not be told whom to follow", rc);
		if (rc == -EBUSY)
			verdict->hint = "the line before this one says why; stop the server, and "
					"start it with \"rejoin\"";
		return false;
	}
	r->restored = true;
	log_info("the standby follows %s now", cfg_peer(r->cfg)->name);
	return true;
}

static void set_track(const struct cfg *cfg, enum track track, int wanted)
{
	int is;

	if (track_read(cfg, track, &is) == 0 && is == wanted)
		return;
	if (track_write(cfg, track, wanted) < 0)
		log_warning("could not write the %s file", track_word(track));
}

/* Seen to stream: what kept this node from being a full member is taken away. */
static bool finish(struct rejoin *r, struct verdict *verdict)
{
	bool fenced = r->facts.fenced == FACT_YES;
	AUTO_FD int lock = -1;
	int rc = fenced ? fenced_clear(r->cfg) : 0;

	if (rc < 0)
		return rejoin_fail(verdict, OUT_SYSTEM, "mark", "could not remove the fenced mark",
				   rc);
	/* A standby whose vote is withdrawn by the mark alone streams on, until its promotion
	 * takes effect. */
	if (take_votes(r, &lock, verdict) && !server_promotion_pending(r->cfg) &&
	    withdrawn_clear(r->cfg) < 0)
		log_warning("could not remove the mark of the withdrawn vote");
	log_failed("forget the tries that failed", tries_clear(r->cfg));
	log_failed("remove the unbidden file", unbidden_clear(r->cfg));
	set_track(r->cfg, TRACK_PRIORITY, 0);
	set_track(r->cfg, TRACK_ELECTION, TRACK_YES);
	*verdict = (struct verdict)YES("streaming",
				       "this node is a standby and streams from the "
				       "primary",
				       NULL);
	rejoin_detail(r, verdict, verdict->detail, sizeof(verdict->detail));
	rejoin_salvage_detail(r, verdict);
	if (fenced || r->acted)
		rejoin_event(r, "rejoined", verdict->detail);
	/* Last, because it may take a while: nobody waits for it. */
	rebuild_tidy(r->cfg, &r->dl);
	return false;
}

bool rejoin_act(struct rejoin *r, enum rejoin_step step, struct verdict *verdict)
{
	r->acted = r->acted || step != STEP_FINISH;
	switch (step) {
	case STEP_CLEAR:
		return clear(r, verdict);
	case STEP_START:
		return start(r, verdict);
	case STEP_LIFT:
		return rejoin_lift(r, verdict);
	case STEP_RESTORE:
		return restore(r, verdict);
	case STEP_FOLLOW:
		return rejoin_follow(r, verdict);
	case STEP_UNDO:
		return rejoin_undo(r, verdict);
	case STEP_REWIND:
		return rejoin_rewind(r, verdict);
	case STEP_ADOPT:
		return rejoin_adopt(r, verdict);
	case STEP_RESUME:
		return resume(r, verdict);
	case STEP_FINISH:
		return finish(r, verdict);
	case STEP_REBUILD:
		return rejoin_rebuild(r, verdict);
	case STEP_SWAP:
		return rejoin_swap(r, verdict);
	case STEP_VERDICT:
	case STEP_WAIT:
	case STEPS:
		break;
	}
	*verdict = (struct verdict)BUG("no-step", "there is no such step", NULL);
	return false;
}
