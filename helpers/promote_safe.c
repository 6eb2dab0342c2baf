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
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "config/cfg.h"
#include "node/attempt.h"
#include "node/helper.h"
#include "node/history.h"
#include "postgres/pg.h"
#include "postgres/server.h"
#include "promote/promote_act.h"
#include "promote/promote_rules.h"

/* A server that shuts down is gone in a moment; to be called again takes the guard longer. */
#define PASSING_MS 3000
/* A last look that is as new as this need not be taken once more: what can have changed since, the
 * compare-and-set and the promotion itself find out. */
#define SETTLED_MS 20
/* The guard's copy does not wait for another one, it is called again; a person's does. */
#define LOCK_AUTO_MS   100
#define LOCK_PERSON_MS 30000

struct options {
	bool automatic;
	bool by_hand;
	const char *accept_loss;
	const char *assume_peer_down;
};

/* ---- the run ---- */

static struct verdict not_withdrawn(void)
{
	return (struct verdict)REFUSED("withdraw-failed",
				       "the vote for the old primary could not be withdrawn",
				       "is state_dir writable? the line before this one says why");
}

static bool passing(const struct promotion *p, const struct verdict *verdict)
{
	return verdict->id == RULE_PEER_STARTING && now_ms() - p->begun_ms < PASSING_MS;
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
			rc = promote_withdraw(p);
			if (rc < 0) {
				*verdict = not_withdrawn();
				log_failed("withdraw the vote", rc);
				return STEP_VERDICT;
			}
		} else if (step == STEP_POWER) {
			promote_power(p);
		} else if (step == STEP_PROBE) {
			promote_probe(p);
		} else if (step == STEP_CLEAR) {
			promote_clear(p);
			promote_wait(p);
		} else {
			promote_wait(p);
		}
		/* Whom nobody waits for: that look may be the last one. */
		promote_refresh(p, step == STEP_WITHDRAW && p->facts.record_released);
	}
}

/*
 * All that can have changed while we waited is looked at once more, and then the term is taken from
 * the row of that look: had it moved since, the witness would refuse.
 */
static enum promote_step settle(struct promotion *p, struct verdict *verdict)
{
	for (;;) {
		enum promote_step step = go_on(p, verdict);

		if (step != STEP_PROMOTE)
			return step;
		if (now_ms() - p->settled_ms > SETTLED_MS)
			promote_refresh(p, true);
		step = promote_decide(&p->facts, verdict);
		/* A restore_command that is called every few seconds, a session that has
		 * just come. */
		if (step == STEP_CLEAR || step == STEP_WAIT)
			continue;
		if (step != STEP_PROMOTE)
			return step;
		if (!cfg_has_record(p->cfg) || promote_take_term(p) == 0)
			return STEP_PROMOTE;
		/* Taken unseen, or moved: the next look tells. */
		if (deadline_passed(&p->dl))
			return STEP_WAIT;
		promote_refresh(p, true);
	}
}

static struct verdict decide_and_act(struct promotion *p, const struct cli *cli)
{
	struct verdict verdict;
	enum promote_step step;

	promote_try_restore(p);
	if (!cli->dry_run)
		promote_begin_observing(p);
	promote_gather(p);
	step = promote_decide(&p->facts, &verdict);
	if (cli->explain)
		promote_explain(&p->facts, stdout);
	if (cli->dry_run) {
		if (step != STEP_VERDICT)
			verdict = (struct verdict)YES(
			    "dry-run", "dry run: would withdraw the vote, fence and promote", NULL);
		return verdict;
	}
	step = settle(p, &verdict);
	if (step == STEP_PROMOTE)
		verdict = promote_do(p);
	else if (step != STEP_VERDICT)
		verdict.outcome = OUT_REFUSED; /* something turned at the last moment */
	if (verdict.outcome == OUT_REFUSED && p->facts.local == SERVER_STANDBY)
		promote_give_back(p);
	if (verdict.id == RULE_ALREADY_PRIMARY)
		promote_take_service(p->cfg);
	return verdict;
}

/* Adds the facts behind the rule to its verdict. */
static void explain(const struct promotion *p, struct verdict *verdict)
{
	if (verdict->outcome != OUT_YES || verdict->id == RULE_PROMOTED)
		promote_detail(p, verdict->detail, sizeof(verdict->detail));
	if (verdict->id == RULE_UNWRITABLE)
		(void)snprintf(verdict->detail, sizeof(verdict->detail), "%s", p->hindrance);
	if (p->facts.local == SERVER_REFUSES)
		server_refusal(p->local.failure, p->local.why, p->cfg, verdict->detail,
			       sizeof(verdict->detail));
	if (verdict->id == RULE_RECORD_UNTRUSTED)
		verdict->hint = record_trust_hint(p->facts.trust);
	/* The peer may well be seen: without rights, a database, the right password. */
	if (verdict->id == RULE_WITNESS_UNSEEN && p->facts.has_record) {
		verdict->message = "the record at the witness cannot be read from here, so this "
				   "node may be the one that is cut off";
		verdict->hint = "\"witness_record\" says why; it is tried again all the time";
	}
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	struct promotion p = { .cfg = cfg,
			       .dl = deadline_in_ms(cfg->promote_budget_ms),
			       .begun_ms = now_ms(),
			       .fence_held = -1,
			       .accepts = options->accept_loss != NULL };
	struct verdict verdict = REFUSED("already-running", "another promote_safe is at work", NULL,
					 .id = RULE_ALREADY_RUNNING);
	int AUTO_FD lock = -1;

	if (options->assume_peer_down != NULL &&
	    strcmp(options->assume_peer_down, cfg_peer(cfg)->name) != 0)
		return (struct verdict)USAGE_ERROR(
		    "usage", "--assume-peer-down does not name the other node",
		    "it asks you to look at that host: type its name");
	if (p.accepts && lsn_parse(options->accept_loss, &p.accepted_lsn) < 0)
		return (struct verdict)USAGE_ERROR("usage",
						   "--accept-loss wants an LSN such as 0/5000148",
						   "the refusal names it: what this standby has "
						   "received");
	if (!helper_lock(&lock, cfg, LOCK_PROMOTE,
			 options->automatic ? LOCK_AUTO_MS : LOCK_PERSON_MS, &verdict))
		return verdict;
	p.facts.unproven_promote = cfg->unproven == UNPROVEN_PROMOTE;
	p.facts.peer_down_by_operator = options->assume_peer_down != NULL;
	p.facts.by_hand = options->by_hand || options->assume_peer_down != NULL;
	p.facts.has_record = cfg_has_record(cfg);
	/* The same three are asked again and again until one of us serves. */
	pg_keep();
	if (p.facts.has_record) {
		p.warm = (struct pg_warm){ cfg, PG_WITNESS,
					   deadline_in_ms(2 * cfg->probe_timeout_ms), 0, false };
		pg_warm_begin(&p.warm);
	}
	verdict = decide_and_act(&p, cli);
	promote_end_fencing(&p);
	explain(&p, &verdict);
	(void)life_watch_end(&p.life);
	pg_warm_end(&p.warm);
	record_end(&p.link);
	pg_keep_end();
	return verdict;
}

/* The guard calls again and again; a refusal is told once, until its reason changes. */
static int finish(const struct cfg *cfg, const struct cli *cli, const struct options *options,
		  const struct verdict *verdict)
{
	bool promoted = verdict->id == RULE_PROMOTED;
	bool told =
	    helper_has_tried(cli, verdict) && attempt_repeats(cfg, ATTEMPT_PROMOTE, verdict);

	if (promoted)
		log_failed("write the history", history_add(cfg, "promoted", verdict->detail));
	return helper_end(cli, verdict, options->automatic && told && !promoted);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "by-hand", NULL, "an operator decides: whatever keepalived and VRRP say",
		  &options.by_hand, NULL },
		{ "accept-loss", "LSN", "promote with what this standby has received up to LSN",
		  NULL, &options.accept_loss },
		{ "assume-peer-down", "NODE", "a person has looked: that host is switched off",
		  NULL, &options.assume_peer_down },
		{ 0 },
	};
	const struct cli_option machine[] = {
		{ "auto", NULL, "called by keepalived or the guard", &options.automatic, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "promote_safe",
		.summary = "make this standby the primary, only if every rule permits",
		.options = extra,
		.machine = machine,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (!helper_begin(&cfg, &cli, HELPER_FILES, &verdict))
		return cli_finish(&cli, &verdict);
	verdict = run(&cfg, &cli, &options);
	return finish(&cfg, &cli, &options, &verdict);
}
