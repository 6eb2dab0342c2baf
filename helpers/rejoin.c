/* SPDX-License-Identifier: PostgreSQL */
/*
 * rejoin - bring this node back: as the standby of the other one, or, where that is safe, as the
 * primary it was.
 *
 * Run by the guard for a server that is down (--auto), before systemd starts PostgreSQL (--gate,
 * which takes the right to start and leaves the start to it), and by an operator.  It changes the
 * data directory (standby.signal, postgresql.auto.conf, pg_rewind), starts the server, and takes
 * the marks of the node away when it streams.  It can be killed at any line; the next run finds by
 * looking how far it came.  Exit codes:
 *
 *	0 back, or nothing to do	1 --check: it could not be rewound	2 refused by a rule
 * 3 could not be found out 4 begun, the end not seen	64 71 78 called wrongly, system,
 * configuration
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/lock.h"
#include "base/log.h"
#include "config/cfg.h"
#include "node/attempt.h"
#include "node/helper.h"
#include "node/mark.h"
#include "node/stamp.h"
#include "postgres/pgdata.h"
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
#define GATE_MS       5000
#define GATE_AGAIN_MS 50
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
	bool lift;
	const char *assume_peer_down;
	const char *discard;
	bool without_salvage;
};

/* ---- the gate ---- */

#define ASKED_FOR YES("asked-for", "rejoin has decided on this start", NULL)

/*
 * rejoin has decided on this start, holds what the gate would take, and waits for the server: asked
 * once more the gate would wait for its lock.  The stamp of a run that was killed is worth nothing,
 * since the lock went with it, and the next run takes the stamp away first.  The mark is looked at
 * in any case: it stands above what rejoin had found.
 */
static bool asked_for(const struct cfg *cfg)
{
	return stamp_runs(cfg, STAMP_STARTING) &&
	       lock_held(file_lock(cfg, LOCK_REJOIN).text) == 1 &&
	       (fenced_read(cfg).present == FACT_NO || pgdata_form(cfg) == PGDATA_STANDBY);
}

/* A primary that is started behind us needs what one that we start has: the lease, and no mark. */
static void take_right(struct rejoin *r, struct verdict *verdict)
{
	const struct file_path held = file_lock(r->cfg, LOCK_START);
	int AUTO_FD lock = -1;
	int rc;

	/* A rejoin that came between our look and this may be waiting for the very start. */
	while (lock_held(held.text) == 1 && !asked_for(r->cfg) && !deadline_passed(&r->dl)) {
		struct deadline pause = deadline_sooner(&r->dl, GATE_AGAIN_MS);

		deadline_sleep(&pause);
	}
	if (asked_for(r->cfg)) {
		*verdict = (struct verdict)ASKED_FOR;
		return;
	}
	rc = rejoin_take_right(r, &lock, verdict);
	if (rc == 0)
		verdict->outcome = OUT_YES;
	else if (rc == -EAGAIN)
		*verdict = (struct verdict)REFUSED(
		    "right-moved", "the right to start is not there any more", NULL);
}

/* May the server start as its directory is?  Whoever starts it is not us: only that counts. */
static struct verdict gate(struct rejoin *r, const struct cli *cli)
{
	struct verdict verdict;
	enum rejoin_step step;

	if (asked_for(r->cfg))
		return (struct verdict)ASKED_FOR;
	rejoin_gather(r);
	step = rejoin_decide(&r->facts, &verdict);
	if (cli->explain)
		rejoin_explain(&r->facts, stdout);
	if ((step == STEP_START || step == STEP_RESUME) && !cli->dry_run)
		rejoin_forget_promotion(r);
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
			/* A question without any time left would get no answer. */
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
		verdict = (struct verdict)YES("dry-run", "dry run: nothing was done", NULL);
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
	struct verdict verdict = REFUSED("already-running", "another rejoin is at work", NULL,
					 .id = RULE_ALREADY_RUNNING);
	int AUTO_FD lock = -1;

	if (options->assume_peer_down != NULL &&
	    strcmp(options->assume_peer_down, cfg_peer(cfg)->name) != 0)
		return (struct verdict)USAGE_ERROR(
		    "usage", "--assume-peer-down does not name the other node",
		    "it asks you to look at that host: type its name");
	if ((options->discard != NULL && !options->rebuild) ||
	    (options->rebuild && (options->automatic || options->gate)))
		return (struct verdict)USAGE_ERROR("usage",
						   options->discard != NULL && !options->rebuild
						       ? "--discard belongs to --rebuild"
						       : "--rebuild is for a person to say",
						   "see pg_vrrp-rejoin(8)");
	if (options->lift && (options->automatic || options->gate || options->check))
		return (struct verdict)USAGE_ERROR("usage", "--lift-fence is for a person to say",
						   "see pg_vrrp-rejoin(8)");
	r.facts.lift = options->lift;
	r.facts.no_resume = options->no_resume;
	r.facts.peer_down_by_operator = options->assume_peer_down != NULL;
	if (options->gate)
		return gate(&r, cli);
	if (options->check)
		return rejoin_ready(cfg, &r.dl);
	if (!helper_lock(&lock, cfg, LOCK_REJOIN,
			 options->automatic ? LOCK_AUTO_MS : LOCK_PERSON_MS, &verdict))
		return verdict;
	if (cfg->unit[0] != '\0')
		log_failed("remove the stamp of a start", stamp_clear(cfg, STAMP_STARTING));
	if (!options->automatic && !cli->dry_run && tries_clear(cfg) < 0)
		log_warning("could not forget the tries that failed");
	return decide_and_act(&r, cli);
}

/* An unknown is no news beside what was known: with the other server gone for a while,
 * cluster_status would forget what it knew of this one. */
static bool is_no_news(const struct cfg *cfg, enum attempt attempt, const struct verdict *verdict)
{
	return verdict->outcome != OUT_YES && verdict->outcome != OUT_NO &&
	       attempt_said(cfg, attempt) != FACT_UNKNOWN;
}

/* The guard calls again and again; what it is told is written once, until it changes. */
static int finish(const struct cfg *cfg, const struct cli *cli, const struct options *options,
		  const struct verdict *verdict)
{
	const enum attempt attempt = options->check ? ATTEMPT_REJOIN_CHECK : ATTEMPT_REJOIN;
	bool told = true;

	if (options->gate || !helper_has_tried(cli, verdict))
		return cli_finish(cli, verdict);
	if (!options->check || !is_no_news(cfg, attempt, verdict)) {
		told = attempt_is_same(cfg, attempt, verdict) && verdict->id != RULE_RESUMED;
		attempt_note(cfg, attempt, verdict);
	}
	return helper_end(cli, verdict, options->automatic && told);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "gate", NULL, "only say whether the server may start as it is: 0 or 2",
		  &options.gate, NULL },
		{ "check", NULL, "only look whether this node could be rewound", &options.check,
		  NULL },
		{ "no-resume", NULL, "do not start a primary again, leave that to its standby",
		  &options.no_resume, NULL },
		{ "lift-fence", NULL, "what a person fenced may serve again, where it may",
		  &options.lift, NULL },
		{ "rebuild", NULL, "take a new copy of the primary, keep the old one aside",
		  &options.rebuild, NULL },
		{ "discard", "SYSTEM_IDENTIFIER", "with --rebuild: what is here is not wanted",
		  NULL, &options.discard },
		{ "assume-peer-down", "NODE", "a person has looked: that host is switched off",
		  NULL, &options.assume_peer_down },
		{ "without-salvage", NULL, "go on also where what diverged cannot be kept",
		  &options.without_salvage, NULL },
		{ 0 },
	};
	const struct cli_option machine[] = {
		{ "auto", NULL, "called by the guard: log only what has changed",
		  &options.automatic, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "rejoin",
		.summary = "bring this node back, as a standby or where safe as primary",
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
