/* SPDX-License-Identifier: PostgreSQL */
/*
 * promote_safe - make this standby the primary, only if every rule permits.
 *
 * Run by keepalived (notify_master of the election), by the guard as long as the primary is not to
 * be seen (--auto), and by an operator.  A refusal leaves everything as it was: a withdrawn vote
 * is given back.  It can be killed at any line; the next run, which the guard starts, takes up
 * what it finds.  Exit codes:
 *
 *	0 promoted, or a primary already
 *	2 refused by a rule
 *	3 the local server did not answer
 *	4 promotion begun, the end not seen
 *	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "config/cfg.h"
#include "fence/fence.h"
#include "net/nftlease.h"
#include "node/files.h"
#include "postgres/server.h"
#include "promote/promote_gather.h"
#include "promote/promote_rules.h"
#include "serve/check_rules.h"

/* How long one round of waiting takes before everything is looked at again. */
#define ROUND_MS 100
/* Looking for the end of the promotion. */
#define LOOK_MS 20
/* Changing primary_conninfo and seeing it in a new connection takes about 0.1 s. */
#define FOLLOW_MS 3000
/* A server that shuts down is gone in a moment; to be called again takes the guard longer. */
#define PASSING_MS 3000
/* The guard's copy does not wait for another one, it is called again; a person's does. */
#define LOCK_AUTO_MS   100
#define LOCK_PERSON_MS 30000

struct options {
	bool automatic;
	bool by_hand;
	bool accept_loss;
	const char *assume_peer_down;
};

/* ---- steps ---- */

/*
 * The witness host looks from the first moment on, while we still ask the peer: its window has to
 * be over when our own wait is.  A host that turns out to be well has not been touched.
 */
static void begin_observing(struct promotion *p)
{
	struct fence_request request = {
		.node = cfg_peer(p->cfg),
		.ask = FENCE_ASK_OBSERVE,
		.observe = true,
		.observe_ms = p->cfg->lease_ms + p->cfg->margin_ms,
	};

	p->observing_ms = now_ms();
	fence_begin(&p->fence, p->cfg, &request);
	p->fencing = true;
}

/*
 * From the moment that this is verified the old primary gets no vote of ours, so its lease can only
 * go on through the witness.  What was there is kept on disk first: killed in between, the next run
 * gives it back.
 */
static int withdraw(struct promotion *p)
{
	struct deadline soon = deadline_sooner(&p->dl, FOLLOW_MS);
	char kept[SERVER_CONNINFO_MAX];
	int rc = 0;

	if (withdrawn_read(p->cfg, kept, sizeof(kept)) != FACT_YES)
		rc = withdrawn_write(p->cfg, p->local.primary_conninfo);
	if (rc == 0)
		rc = server_follow(p->cfg, "", &soon);
	if (rc < 0)
		return rc;
	p->withdrawn_ms = now_ms();
	log_info("the vote for %s is withdrawn", cfg_peer(p->cfg)->name);
	return 0;
}

/* Gives the vote back after a refusal, also one that an earlier run left withdrawn. */
static void give_back(struct promotion *p)
{
	struct deadline soon = deadline_in_ms(FOLLOW_MS);
	char conninfo[SERVER_CONNINFO_MAX];
	int rc = 0;

	if (withdrawn_read(p->cfg, conninfo, sizeof(conninfo)) == FACT_NO)
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

static void wait_round(struct promotion *p)
{
	struct deadline round = deadline_sooner(&p->dl, ROUND_MS);

	if (p->fencing && !fence_over(&p->fence) && p->facts.fence == FENCE_UNKNOWN)
		fence_go_on(&p->fence, p->cfg, &round);
	else
		deadline_sleep(&round);
}

/* ---- the deed ---- */

static int wait_until_primary(struct promotion *p)
{
	while (!deadline_passed(&p->dl)) {
		struct deadline soon = deadline_sooner(&p->dl, p->cfg->check_budget_ms);
		struct deadline pause;

		server_ask(&p->local, p->cfg, PG_LOCAL, &soon);
		if (p->local.state == SERVER_PRIMARY)
			return 0;
		p->unpromoted_ms = p->local.asked_ms;
		pause = deadline_sooner(&p->dl, LOOK_MS);
		deadline_sleep(&pause);
	}
	return -ETIMEDOUT;
}

/* What a primary that holds the right needs around it; also mends what a killed run left out. */
static void take_service(const struct cfg *cfg)
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
	int rc = stamp_write(p->cfg, "grant", until.until_ms, "promotion");

	if (rc == 0)
		nftlease_apply(p->cfg, &until, &p->dl);
	return rc;
}

static struct verdict promote(struct promotion *p)
{
	const struct cfg *cfg = p->cfg;
	int higher = PRIORITY_PROMOTED + (int)((p->local.timeline + 1) % PRIORITY_SPAN);
	struct verdict verdict = { .outcome = OUT_INCOMPLETE,
				   .rule = "promotion-unseen",
				   .message = "promotion was begun, its end was not seen",
				   .hint = "look at the server's log and at \"cluster_status\"" };
	int rc;

	/*
	 * The right to serve is won: every rule has permitted it.  It is written before the
	 * promotion, so that a primary that we do not live to see is not taken for one that nobody
	 * permitted.
	 */
	rc = grant(p, now_ms());
	log_failed("write the grant file", rc);
	if (rc < 0)
		return (struct verdict){ .outcome = OUT_SYSTEM,
					 .rule = "grant",
					 .message = "the right to serve could not be written down",
					 .hint = "is run_dir writable, and has it room?" };
	log_failed("write the priority file", track_write(cfg, "priority", higher));

	p->unpromoted_ms = now_ms();
	/* ---- point of no return: from here on a failure is OUT_INCOMPLETE ---- */
	rc = server_promote(cfg, &p->dl);
	if (rc == -EPROTO)
		return (struct verdict){
			.outcome = OUT_REFUSED,
			.rule = "server-refused",
			.message = "the local server refused to be promoted",
			.hint =
			    "see its log; are the role's rights those of \"cluster_config sql\"?"
		};
	/* Any other failure may have come after the server took it: only looking tells. */
	rc = wait_until_primary(p);
	if (rc < 0)
		return verdict;
	/*
	 * A long replay may have used the grant up; the promotion is what gives the right.  From
	 * the last look that saw none yet: were we frozen since, somebody else may have taken over
	 * from us.
	 */
	log_failed("write the grant file", grant(p, p->unpromoted_ms));
	take_service(cfg);
	return (struct verdict){ .outcome = OUT_YES,
				 .rule = "promoted",
				 .message = "promoted: this node is the primary now" };
}

/* ---- the run ---- */

static struct verdict not_withdrawn(void)
{
	return (struct verdict){ .outcome = OUT_REFUSED,
				 .rule = "withdraw-failed",
				 .message = "the vote for the old primary could not be withdrawn",
				 .hint =
				     "is state_dir writable? the line before this one says why" };
}

static bool passing(const struct promotion *p, const struct verdict *verdict)
{
	return strcmp(verdict->rule, "peer-starting") == 0 && now_ms() - p->begun_ms < PASSING_MS;
}

/* Goes from step to step until there is a verdict or every rule permits. */
static enum promote_step go_on(struct promotion *p, struct verdict *verdict)
{
	enum promote_step step;
	int rc;

	for (;;) {
		step = promote_decide(&p->facts, verdict);
		log_debug("rule %s: %s", verdict->rule, verdict->message);
		if (step == STEP_PROMOTE || (step == STEP_VERDICT && !passing(p, verdict)))
			return step;
		if (deadline_passed(&p->dl))
			return STEP_VERDICT;
		if (step == STEP_WITHDRAW) {
			if (p->fence.request.ask == FENCE_ASK_OBSERVE)
				fence_ask_node(&p->fence, p->cfg, FENCE_ASK_SPARE);
			rc = withdraw(p);
			if (rc < 0) {
				*verdict = not_withdrawn();
				log_failed("withdraw the vote", rc);
				return STEP_VERDICT;
			}
		} else if (step == STEP_PROBE) {
			promote_probe(p);
		} else {
			wait_round(p);
		}
		promote_refresh(p, false);
	}
}

static struct verdict decide_and_act(struct promotion *p, const struct cli *cli)
{
	struct verdict verdict;
	enum promote_step step;

	if (!cli->dry_run)
		begin_observing(p);
	promote_gather(p);
	step = promote_decide(&p->facts, &verdict);
	if (cli->explain)
		promote_explain(&p->facts, stdout);
	if (cli->dry_run) {
		if (step != STEP_VERDICT)
			verdict = (struct verdict){
				.outcome = OUT_YES,
				.rule = "dry-run",
				.message = "dry run: would withdraw the vote, fence and promote"
			};
		return verdict;
	}
	step = go_on(p, &verdict);
	/* All that can have changed while we waited is looked at once more. */
	if (step == STEP_PROMOTE) {
		promote_refresh(p, true);
		step = promote_decide(&p->facts, &verdict);
	}
	if (step == STEP_PROMOTE)
		verdict = promote(p);
	else if (step != STEP_VERDICT)
		verdict.outcome = OUT_REFUSED; /* something turned at the last moment */
	if (verdict.outcome == OUT_REFUSED && p->facts.local == SERVER_STANDBY)
		give_back(p);
	if (strcmp(verdict.rule, "already-primary") == 0)
		take_service(p->cfg);
	return verdict;
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	struct promotion p = { .cfg = cfg,
			       .dl = deadline_in_ms(cfg->promote_budget_ms),
			       .begun_ms = now_ms(),
			       .accept_loss = options->accept_loss };
	struct deadline soon = deadline_in_ms(options->automatic ? LOCK_AUTO_MS : LOCK_PERSON_MS);
	struct verdict verdict = { .outcome = OUT_REFUSED,
				   .rule = "already-running",
				   .message = "another promote_safe is at work" };
	int AUTO_FD lock = -1;
	int rc;

	if (options->assume_peer_down != NULL &&
	    strcmp(options->assume_peer_down, cfg_peer(cfg)->name) != 0)
		return (
		    struct verdict){ .outcome = OUT_USAGE,
				     .rule = "usage",
				     .message = "--assume-peer-down does not name the other node",
				     .hint = "it asks you to look at that host: type its name" };
	rc = lock_take(&lock, file_run(cfg, "promote.lock").text, &soon);
	if (rc == -ETIMEDOUT)
		return verdict;
	if (rc < 0)
		return (struct verdict){ .outcome = OUT_SYSTEM,
					 .rule = "lock",
					 .message = "could not take the lock of promote_safe" };
	p.facts.unproven_promote = cfg->unproven == UNPROVEN_PROMOTE;
	p.facts.peer_down_by_operator = options->assume_peer_down != NULL;
	p.facts.by_hand = options->by_hand || options->assume_peer_down != NULL;
	verdict = decide_and_act(&p, cli);
	if (p.fencing)
		fence_end(&p.fence);
	if (verdict.outcome != OUT_YES || strcmp(verdict.rule, "promoted") == 0)
		promote_detail(&p, verdict.detail, sizeof(verdict.detail));
	return verdict;
}

/* The guard calls again and again; a refusal is told once, until its reason changes. */
static int finish(const struct cfg *cfg, const struct cli *cli, const struct options *options,
		  const struct verdict *verdict)
{
	bool promoted = strcmp(verdict->rule, "promoted") == 0;
	bool told = attempt_is_told(cfg, "promote_safe", verdict);

	if (cli->dry_run || strcmp(verdict->rule, "already-running") == 0)
		return cli_finish(cli, verdict);
	log_failed("write the attempt file", attempt_write(cfg, "promote_safe", verdict));
	if (promoted)
		log_failed("write the history", history_add(cfg, "promoted", verdict->detail));
	if (options->automatic && told && !promoted)
		return (int)verdict->outcome;
	return cli_finish(cli, verdict);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "auto", NULL, "called by keepalived or the guard", &options.automatic, NULL },
		{ "by-hand", NULL, "an operator decides: whatever keepalived and VRRP say",
		  &options.by_hand, NULL },
		{ "accept-loss", NULL, "promote a standby beyond max_lag or max_staleness",
		  &options.accept_loss, NULL },
		{ "assume-peer-down", "NODE", "a person has looked: that host is switched off",
		  NULL, &options.assume_peer_down },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "promote_safe",
		.summary = "make this standby the primary, only if every rule permits",
		.options = extra,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cfg_load(&cfg, cli.config_path) < 0 || cfg_identify(&cfg, cli.node) < 0)
		return cli_finish_config(&cli);
	if (files_prepare(&cfg) < 0) {
		verdict =
		    (struct verdict){ .outcome = OUT_SYSTEM,
				      .rule = "files",
				      .message = "could not make the run and state directories",
				      .hint = "is it run by root?" };
		return cli_finish(&cli, &verdict);
	}
	verdict = run(&cfg, &cli, &options);
	return finish(&cfg, &cli, &options, &verdict);
}
