/* SPDX-License-Identifier: PostgreSQL */
#include "drill/drill.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/proc.h"
#include "base/text.h"
#include "check/successor.h"
#include "net/isolation.h"
#include "node/call.h"
#include "node/history.h"
#include "postgres/pgctl.h"
#include "render/faults.h"

#define LOOK_EACH_MS 20
/* Between two questions to the servers themselves. */
#define ASK_EACH_MS 200
/* One call of nft. */
#define NFT_MS 5000
/* The old primary starts as a standby, after a rewind where it needs one. */
#define RETURN_MS 300000
/* A whole switchover, with its own wait for the standby. */
#define SWITCH_MS      300000
#define SWITCH_EACH_MS 1000
/* Until the standby could take over again: it is paired some seconds after it streams. */
#define WHOLE_MS 60000
/* The other node may have to be seen before the wait for its takeover is given up. */
#define LAST_LOOK_MS 2000

void drill_words(const struct drill *d, char *text, size_t size)
{
	const struct cfg *cfg = d->planned.cfg;
	const char *self = cfg_self(cfg)->name;
	struct fault fault = { .words = "" };

	if (d->facts.kind == DRILL_SWITCHOVER) {
		(void)snprintf(text, size, "handing the role of %s over to %s", self,
			       cfg_peer(cfg)->name);
		return;
	}
	if (d->facts.kind == DRILL_CRASH) {
		fault_crash(&fault, cfg);
		(void)snprintf(text, size, "killing the server of %s; expected: %s", self,
			       fault.words);
		return;
	}
	fault_host_lost(&fault, cfg);
	(void)snprintf(text, size,
		       "cutting the host of %s off from its network; expected: it stops itself "
		       "within %" PRId64 " ms; %s",
		       self, cfg->lease_ms, fault.words);
}

/* ---- waiting ---- */

/* Looks at the address until the condition holds; the servers are asked more seldom, and not while
 * nobody can be asked. */
static bool until(struct drill *d, bool (*holds)(struct drill *d), int64_t limit_ms,
		  const char *what)
{
	const struct deadline dl = deadline_in_ms(limit_ms);

	for (;;) {
		struct deadline pause = deadline_in_ms(LOOK_EACH_MS);

		drill_watch_look(&d->watch, d->planned.cfg);
		if (holds(d))
			return true;
		if (deadline_passed(&dl))
			return false;
		planned_tell(&d->planned, false, what);
		deadline_sleep(&pause);
	}
}

static bool answered_elsewhere(struct drill *d)
{
	return d->watch.elsewhere;
}

static bool follows(struct drill *d)
{
	const int64_t now = now_ms();

	if (d->planned.local.asked_ms > 0 && now - d->planned.local.asked_ms < ASK_EACH_MS)
		return false;
	d->planned.local = planned_ask(d->planned.cfg, PG_LOCAL);
	return d->planned.local.state == SERVER_STANDBY && d->planned.local.receiving;
}

static bool answered_here(struct drill *d)
{
	return !d->watch.lost && !d->watch.elsewhere;
}

/* After a fault of this node: the other one serves, or this one does again. */
static bool anybody(struct drill *d)
{
	return !d->watch.lost && d->watch.outage_ms > 0;
}

static bool whole(struct drill *d)
{
	return successor_look(d->planned.cfg).outcome == OUT_YES;
}

/* ---- the fault ---- */

static struct verdict not_begun(const char *why)
{
	struct verdict verdict =
	    SYSTEM_ERROR("not-begun", "the fault could not be brought about, so nothing was done",
			 "is it run by root?");

	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s", why);
	return verdict;
}

static bool crash(struct drill *d, struct verdict *verdict)
{
	const int rc = pgctl_crash(d->planned.cfg);

	if (rc < 0)
		*verdict = not_begun(strerror(-rc));
	return rc == 0;
}

static void end_isolation(const struct drill *d)
{
	const struct deadline dl = deadline_in_ms(NFT_MS);
	char why[200] = "";

	if (isolation_end(d->planned.cfg, &dl, why, sizeof(why)) < 0)
		log_warning("could not take the table of the drill away, whose end is at its time: "
			    "%s",
			    why);
}

static bool isolate(struct drill *d, struct verdict *verdict)
{
	const struct deadline dl = deadline_in_ms(NFT_MS);
	char why[200] = "";

	/* The kernel's end of it is for a run that is killed. */
	if (isolation_begin(d->planned.cfg, d->wait_ms + LAST_LOOK_MS, &dl, why, sizeof(why)) == 0)
		return true;
	*verdict = not_begun(why);
	end_isolation(d); /* nft may have been too slow to say that it did it */
	return false;
}

/* ---- a switchover, by its own program ---- */

/* The outcome of switchover: YES, the role went to that node, or, in a dry run, would; INCOMPLETE
 * also where its end was not seen.  `why` has the last line of its words. */
static int switch_to(struct drill *d, const char *node, bool dry, char *why, size_t size)
{
	const char *const options[] = { "--to", node, dry ? "--dry-run" : NULL, NULL };
	struct call call;
	const struct proc_spec spec = { .argv = call.argv };
	struct proc AUTO_PROC child = PROC_NONE;
	struct deadline dl = deadline_in_ms(SWITCH_MS);
	int rc;

	call_make(&call, d->planned.cfg, "switchover", options);
	rc = proc_start(&child, &spec);
	while (rc == 0 && !child.done && !deadline_passed(&dl)) {
		struct deadline soon = deadline_sooner(&dl, LOOK_EACH_MS);

		drill_watch_look(&d->watch, d->planned.cfg);
		rc = proc_wait(&child, &soon);
		if (rc == -ETIMEDOUT)
			rc = 0;
		planned_tell(&d->planned, false,
			     dry ? "waiting until the role can go back" : "switching over");
	}
	if (rc < 0)
		text_clean(why, size, strerror(-rc));
	else
		text_last_line(why, size, child.errors);
	return rc == 0 && child.done ? child.exit_code : OUT_INCOMPLETE;
}

/* The new primary pairs with this node some seconds after it streams: until then it would refuse,
 * and a refusal touches nothing. */
static bool may_switch(struct drill *d, const char *node, char *why, size_t size)
{
	const struct deadline dl = deadline_in_ms(WHOLE_MS);

	while (switch_to(d, node, true, why, size) != OUT_YES) {
		struct deadline pause = deadline_in_ms(SWITCH_EACH_MS);

		if (deadline_passed(&dl))
			return false;
		deadline_sleep(&pause);
	}
	return true;
}

/* ---- the end ---- */

static struct verdict finish(const struct drill *d, struct verdict verdict, const char *why)
{
	char back[64] = "";

	if (d->back_out_ms >= 0)
		(void)snprintf(back, sizeof(back), "; %" PRId64 " ms on the way back",
			       d->back_out_ms);
	(void)snprintf(verdict.detail, sizeof(verdict.detail),
		       "%s of %.40s: clients had no primary for %" PRId64 " ms%s; %" PRId64
		       " s in all%s%.120s",
		       drill_word(d->facts.kind), cfg_self(d->planned.cfg)->name, d->out_ms, back,
		       (now_ms() - d->planned.begun_ms) / 1000, why[0] != '\0' ? "; " : "", why);
	log_failed("write the history", history_add(d->planned.cfg, "drill", verdict.detail));
	return verdict;
}

/* Nobody answered at the address of the other node in time.  The fault is over, so either node may
 * still come up. */
static struct verdict not_taken(struct drill *d)
{
	const bool served = until(d, anybody, d->wait_ms, "waiting for either node to serve");

	d->out_ms = d->watch.outage_ms;
	if (served && d->watch.elsewhere)
		return finish(d,
			      (struct verdict)NO(
				  "taken-late",
				  "the other node took over, later than --wait allows",
				  "\"pg_vrrp history\" on both nodes; its log says what it waited "
				  "for"),
			      "");
	if (served)
		return finish(
		    d,
		    (struct verdict)NO("not-taken",
				       "the standby did not take over, and this node serves again",
				       "the log of promote_safe on the other node says why"),
		    "");
	return finish(d,
		      (struct verdict)INCOMPLETE("takeover-unseen",
						 "nobody was seen to serve after the fault",
						 "\"cluster_status\" on both nodes"),
		      "");
}

static struct verdict put_back(struct drill *d)
{
	const char *self = cfg_self(d->planned.cfg)->name;
	char why[160] = "";
	bool back = may_switch(d, self, why, sizeof(why));

	d->watch = (struct drill_watch){ 0 };
	if (back) {
		planned_tell(&d->planned, true, "switching back");
		back = switch_to(d, self, false, why, sizeof(why)) == OUT_YES;
	}
	if (!back)
		return finish(d,
			      (struct verdict)INCOMPLETE(
				  "not-put-back",
				  "the other node took over, and the role was not seen to come "
				  "back",
				  "\"switchover\" gives it back when what the detail says is "
				  "mended"),
			      why);
	if (!until(d, answered_here, d->wait_ms, "waiting for the address"))
		return finish(d,
			      (struct verdict)INCOMPLETE(
				  "return-unseen",
				  "this node has the role again, and was not seen to serve",
				  "\"cluster_status\" on both nodes"),
			      "");
	d->back_out_ms = d->watch.outage_ms;
	if (!until(d, whole, WHOLE_MS, "waiting for the standby"))
		return finish(d,
			      (struct verdict)INCOMPLETE(
				  "not-whole",
				  "this node serves again, and the standby could not take over yet",
				  "\"cluster_status\" says what is missing"),
			      "");
	return finish(
	    d,
	    (struct verdict)YES("drilled", "the other node took over, and all is as it was", NULL),
	    "");
}

/* False: *verdict is the end of it. */
static bool switch_over(struct drill *d, struct verdict *verdict)
{
	char why[160] = "";
	const int rc = switch_to(d, cfg_peer(d->planned.cfg)->name, false, why, sizeof(why));

	if (rc == OUT_YES && until(d, answered_elsewhere, d->wait_ms, "waiting for the address"))
		return true;
	d->out_ms = d->watch.outage_ms;
	if (rc == OUT_REFUSED)
		*verdict = (struct verdict)NO("not-switched", "the role did not change",
					      "the detail says what was in the way");
	else
		*verdict = (struct verdict)INCOMPLETE(
		    "switch-unseen", "the role was not seen to change",
		    "\"cluster_status\" on both nodes; the detail says how far it came");
	*verdict = finish(d, *verdict, why);
	return false;
}

/* The same. */
static bool take_over(struct drill *d, struct verdict *verdict)
{
	bool taken;

	if (d->facts.kind == DRILL_SWITCHOVER)
		return switch_over(d, verdict);
	if (d->facts.kind == DRILL_CRASH ? !crash(d, verdict) : !isolate(d, verdict))
		return false;
	taken = until(d, answered_elsewhere, d->wait_ms, "waiting for the other node to take over");
	if (d->facts.kind == DRILL_ISOLATE)
		end_isolation(d);
	if (!taken)
		*verdict = not_taken(d);
	return taken;
}

struct verdict drill_do(struct drill *d)
{
	struct verdict verdict = { 0 };
	char words[400], told[64];

	d->back_out_ms = -1;
	d->planned.begun_ms = now_ms();
	drill_words(d, words, sizeof(words));
	planned_tell(&d->planned, true, words);
	log_info("drill: %s", words);
	drill_watch_look(&d->watch, d->planned.cfg);
	if (!take_over(d, &verdict))
		return verdict;
	d->out_ms = d->watch.outage_ms;
	(void)snprintf(told, sizeof(told), "the other node serves; no primary for %" PRId64 " ms",
		       d->out_ms);
	planned_tell(&d->planned, true, told);
	if (!until(d, follows, RETURN_MS, "waiting for this node to come back as a standby"))
		return finish(d,
			      (struct verdict)INCOMPLETE(
				  "no-standby",
				  "the other node took over, and this one does not follow it yet",
				  "\"rejoin\" says what is in its way"),
			      "");
	if (d->stays)
		return finish(d,
			      (struct verdict)YES("drilled-stays",
						  "the other node took over, and keeps the role",
						  NULL),
			      "");
	return put_back(d);
}
