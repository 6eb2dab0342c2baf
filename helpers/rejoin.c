/* SPDX-License-Identifier: PostgreSQL */
/*
 * rejoin - bring this node back: as the standby of the other one, or, where that is safe, as the
 * primary it was.
 *
 * Run by the guard for a server that is down (--auto), before systemd starts PostgreSQL (--gate,
 * which takes the right to start and leaves the start to it), and by an operator.  It changes the data directory (standby.signal,
 * postgresql.auto.conf, pg_rewind), starts the server, and takes the marks of the node away when it
 * streams.  It can be killed at any line; the next run finds by looking how far it came.  Exit
 * codes:
 *
 *	0 back, or nothing to do	1 --check: it could not be rewound	2 refused by a rule	3 could not be found out
 *	4 begun, the end not seen	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "config/cfg.h"
#include "node/files.h"
#include "rejoin/rejoin_act.h"
#include "rejoin/rejoin_gather.h"
#include "rejoin/rejoin_ready.h"
#include "rejoin/rejoin_right.h"
#include "rejoin/rejoin_rules.h"
#include "rejoin/rejoin_tries.h"

/* The guard's copy does not wait for another one, it is called again; a person's does. */
#define LOCK_AUTO_MS   100
#define LOCK_PERSON_MS 30000
/* systemd waits for the gate: two questions, and pg_controldata. */
#define GATE_MS 5000
/* Two servers are asked, and one for the sizes of its tablespaces: that looks at every file. */
#define CHECK_MS 150000
/* Between two looks while a server starts or a standby catches up. */
#define LOOK_AGAIN_MS 300
/* No way through the rules takes more steps, so this many mean going round in circles. */
#define STEPS_MAX 12

struct options {
	bool automatic;
	bool gate;
	bool no_resume;
	bool rebuild;
	bool check;
	const char *assume_peer_down;
	const char *discard;
	bool without_salvage;
};

/* ---- the gate ---- */

/* A primary that is started behind us needs what one that we start has: the lease, and no mark. */
static void take_right(struct rejoin *r, struct verdict *verdict)
{
	int AUTO_FD lock = -1;
	int rc = rejoin_take_right(r, &lock, verdict);

	if (rc == 0)
		verdict->outcome = OUT_YES;
	else if (rc == -EAGAIN)
		*verdict =
		    (struct verdict){ .outcome = OUT_REFUSED,
				      .rule = "right-moved",
				      .message = "the right to start is not there any more" };
}

/* May the server start as its directory is?  Whoever starts it is not us: only that counts. */
static struct verdict gate(struct rejoin *r, const struct cli *cli)
{
	struct verdict verdict;
	enum rejoin_step step;

	rejoin_gather(r);
	step = rejoin_decide(&r->facts, &verdict);
	if (cli->explain)
		rejoin_explain(&r->facts, stdout);
	if (step == STEP_RESUME && !cli->dry_run)
		take_right(r, &verdict);
	else if (step == STEP_START || step == STEP_RESUME || step == STEP_FINISH)
		verdict.outcome = OUT_YES;
	else if (verdict.outcome != OUT_YES)
		verdict.outcome = OUT_REFUSED;
	if (verdict.outcome == OUT_REFUSED && verdict.hint == NULL)
		verdict.hint = "\"rejoin\" brings the node back";
	rejoin_detail(r, &verdict, verdict.detail, sizeof(verdict.detail));
	return verdict;
}

/* ---- the deed ---- */

/* Goes from step to step until there is a verdict. */
static struct verdict go_on(struct rejoin *r)
{
	struct verdict verdict;
	int steps = 0;

	for (;;) {
		enum rejoin_step step = rejoin_decide(&r->facts, &verdict);

		log_debug("rule %s: %s", verdict.rule, verdict.message);
		if (step == STEP_VERDICT)
			break;
		if (step == STEP_WAIT) {
			struct deadline pause = deadline_sooner(&r->dl, LOOK_AGAIN_MS);

			rejoin_progress(r, verdict.message);
			deadline_sleep(&pause);
			/* What could be asked in no time at all would be no answer. */
			if (deadline_passed(&r->dl))
				break;
		} else if (++steps > STEPS_MAX || deadline_passed(&r->dl)) {
			verdict.outcome = OUT_INCOMPLETE;
			break;
		} else if (!rejoin_act(r, step, &verdict)) {
			return verdict;
		}
		rejoin_gather(r);
	}
	rejoin_detail(r, &verdict, verdict.detail, sizeof(verdict.detail));
	return verdict;
}

static struct verdict decide_and_act(struct rejoin *r, const struct cli *cli)
{
	struct verdict verdict;
	enum rejoin_step step;

	rejoin_gather(r);
	if (cli->explain)
		rejoin_explain(&r->facts, stdout);
	if (!cli->dry_run)
		return go_on(r);
	step = rejoin_decide(&r->facts, &verdict);
	if (step != STEP_VERDICT && step != STEP_WAIT && verdict.outcome != OUT_YES) {
		printf("would %s\n", rejoin_step_word(step));
		if (step == STEP_REWIND || (step == STEP_REBUILD && r->discard == NULL))
			rejoin_salvage_plan(r, stdout);
		if (step == STEP_REBUILD)
			rejoin_rebuild_plan(r, stdout);
		verdict = (struct verdict){ .outcome = OUT_YES,
					    .rule = "dry-run",
					    .message = "dry run: nothing was done" };
	}
	rejoin_detail(r, &verdict, verdict.detail, sizeof(verdict.detail));
	return verdict;
}

/* The connection to the witness is kept from one look at the record to the next. */
static void end(struct rejoin *r)
{
	record_end(&r->link);
}
#define AUTO_REJOIN __attribute__((cleanup(end)))

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	struct rejoin AUTO_REJOIN r = { .cfg = cfg,
					.dl = deadline_in_ms(options->gate ? GATE_MS
							     : options->check
								 ? CHECK_MS
								 : cfg->rejoin_budget_ms),
					.automatic = options->automatic,
					.without_salvage = options->without_salvage,
					.copy_by_hand = options->rebuild,
					.discard = options->discard };
	struct deadline soon = deadline_in_ms(options->automatic ? LOCK_AUTO_MS : LOCK_PERSON_MS);
	int AUTO_FD lock = -1;
	int rc;

	if (options->assume_peer_down != NULL &&
	    strcmp(options->assume_peer_down, cfg_peer(cfg)->name) != 0)
		return (
		    struct verdict){ .outcome = OUT_USAGE,
				     .rule = "usage",
				     .message = "--assume-peer-down does not name the other node",
				     .hint = "it asks you to look at that host: type its name" };
	if ((options->discard != NULL && !options->rebuild) ||
	    (options->rebuild && (options->automatic || options->gate)))
		return (struct verdict){ .outcome = OUT_USAGE,
					 .rule = "usage",
					 .message = options->discard != NULL && !options->rebuild
							? "--discard belongs to --rebuild"
							: "--rebuild is for a person to say",
					 .hint = "see rejoin(8)" };
	r.facts.no_resume = options->no_resume;
	r.facts.peer_down_by_operator = options->assume_peer_down != NULL;
	if (options->gate)
		return gate(&r, cli);
	if (options->check)
		return rejoin_ready(cfg, &r.dl);
	rc = lock_take(&lock, file_run(cfg, "rejoin.lock").text, &soon);
	if (rc == -ETIMEDOUT)
		return (struct verdict){ .outcome = OUT_REFUSED,
					 .rule = "already-running",
					 .message = "another rejoin is at work" };
	if (rc < 0)
		return (struct verdict){ .outcome = OUT_SYSTEM,
					 .rule = "lock",
					 .message = "could not take the lock of rejoin" };
	if (!options->automatic && !cli->dry_run && tries_clear(cfg) < 0)
		log_warning("could not forget the tries that failed");
	return decide_and_act(&r, cli);
}

/* What could not be found out is no news beside what was: with the other server gone for a while,
 * cluster_status would forget what it knew of this one. */
static bool is_no_news(const struct cfg *cfg, const char *name, const struct verdict *verdict)
{
	return verdict->outcome != OUT_YES && verdict->outcome != OUT_NO &&
	       attempt_said(cfg, name) != FACT_UNKNOWN;
}

/* The guard calls again and again; what it is told is written once, until it changes. */
static int finish(const struct cfg *cfg, const struct cli *cli, const struct options *options,
		  const struct verdict *verdict)
{
	const char *name = options->check ? "rejoin_check" : "rejoin";
	bool told;

	if (cli->dry_run || options->gate || strcmp(verdict->rule, "already-running") == 0)
		return cli_finish(cli, verdict);
	if (options->check && is_no_news(cfg, name, verdict))
		return options->automatic ? (int)verdict->outcome : cli_finish(cli, verdict);
	told = attempt_is_same(cfg, name, verdict);
	if (attempt_write(cfg, name, verdict) < 0)
		log_warning("could not write the attempt file");
	if (options->automatic && told && strcmp(verdict->rule, "resumed") != 0)
		return (int)verdict->outcome;
	return cli_finish(cli, verdict);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "auto", NULL, "called by the guard: log only what has changed",
		  &options.automatic, NULL },
		{ "gate", NULL, "only say whether the server may start as it is: 0 or 2",
		  &options.gate, NULL },
		{ "check", NULL, "only look whether this node could be rewound if it had to be",
		  &options.check, NULL },
		{ "no-resume", NULL, "do not start a primary again, leave that to its standby",
		  &options.no_resume, NULL },
		{ "rebuild", NULL, "take a new copy of the primary, keep the old one aside",
		  &options.rebuild, NULL },
		{ "discard", "SYSTEM_IDENTIFIER",
		  "with --rebuild: what is here is not wanted, whatever it holds", NULL,
		  &options.discard },
		{ "assume-peer-down", "NODE", "a person has looked: that host is switched off",
		  NULL, &options.assume_peer_down },
		{ "without-salvage", NULL, "go on also where what diverged cannot be kept",
		  &options.without_salvage, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "rejoin",
		.summary = "bring this node back: as a standby, or as the primary where that is "
			   "safe",
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
