/* SPDX-License-Identifier: PostgreSQL */
/*
 * fence_self - make this node harmless, now; or, with --watch, be the guard that does it in time.
 *
 * Run by the guard's unit (--watch), by the other node over ssh as its forced command (--answer),
 * by check_primary when it finds that it must, and by an operator.  It changes: the fenced mark,
 * the track files, client connections, the virtual address, the server.  Exit codes:
 *
 *	0 harmless (or: the guard was told to stop)
 *	1 it serves by right and was to be spared
 *	2 a second guard; or a person asked, and nobody would serve afterwards
 *	3 not proven
 *	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/rules.h"
#include "config/cfg.h"
#include "fence/fence_answer.h"
#include "fence/fence_mutual.h"
#include "guard/guard.h"
#include "guard/guard_watchdog.h"
#include "guard/harmless.h"
#include "node/call.h"
#include "node/helper.h"
#include "postgres/pgdata.h"

struct options {
	bool watch;
	bool spare;
	bool answer;
	bool automatic;
	bool anyway;
	const char *reason;
};

/* Two servers, their rights and the record are asked. */
#define SUCCESSOR_MS 3000
/* keepalived's version, some files. */
#define SETUP_MS 3000
/* Beyond what it may wait for: the stop, a takeover, the way back of this node. */
#define PLANNED_MS 120000

struct facts {
	enum fence_ask ask;
	enum fact serves_by_right; /* only asked for when it is to be spared */
	bool comes_first;          /* the other node asks, and this one is just fencing it */
	enum fact successor;       /* only asked for when a person does not insist */
};

/* The deed that decide() asks for. */
enum deed { DEED_NOTHING, DEED_HARM };

static bool touches_nothing(enum fence_ask ask)
{
	return ask == FENCE_ASK_TEST || ask == FENCE_ASK_SETUP;
}

/* Planned work, and the program of ours that does it. */
static const struct planned_work {
	const char *helper;
	bool waits; /* it takes --wait */
	bool test;
} planned_work[FENCE_ASKS] = {
	[FENCE_ASK_SWITCHOVER] = { "switchover", true, false },
	[FENCE_ASK_SWITCHOVER_TEST] = { "switchover", true, true },
	[FENCE_ASK_RESTART] = { "restart", false, false },
	[FENCE_ASK_RESTART_TEST] = { "restart", false, true },
};

static bool is_planned(const struct facts *f)
{
	return planned_work[f->ask].helper != NULL;
}

static bool only_tested(const struct facts *f)
{
	return touches_nothing(f->ask);
}

/* Only a positive proof keeps it from being fenced: a node that cannot tell is exactly the one that
 * must not go on. */
static bool serves_by_right(const struct facts *f)
{
	return f->ask == FENCE_ASK_SPARE && f->serves_by_right == FACT_YES;
}

static bool wrong_host(const struct facts *f)
{
	return f->ask == FENCE_ASK_OBSERVE;
}

static bool comes_first(const struct facts *f)
{
	return f->comes_first;
}

static bool no_successor(const struct facts *f)
{
	return f->successor == FACT_NO;
}

static const struct rule {
	bool (*holds)(const struct facts *f);
	enum deed deed;
	struct verdict verdict;
} rules[] = {
	{ only_tested, DEED_NOTHING,
	  YES("test", "this node could be fenced; nothing was done", NULL) },
	{ is_planned, DEED_NOTHING,
	  YES("planned", "the other node asks for planned work; nothing is fenced", NULL) },
	{ serves_by_right, DEED_NOTHING,
	  NO("serves-by-right", "not fenced: this node is the valid primary", NULL) },
	{ wrong_host, DEED_NOTHING,
	  USAGE_ERROR("wrong-host", "only the witness host observes",
		      "its forced command is fence_old --observe") },
	{ comes_first, DEED_NOTHING,
	  UNKNOWN("comes-first", "this node is just fencing the one that asks, and comes first",
		  "of two that fence each other one has to be left; a fence "
		  "asked for 3 s after this one is over is obeyed") },
	{ no_successor, DEED_NOTHING,
	  REFUSED("no-successor",
		  "this node serves, and nobody would take over: after this fence nobody serves "
		  "until a person brings it back",
		  "\"check_primary --successor\" says why nobody would; --anyway fences "
		  "all the same") },
	{ RULE_ALWAYS, DEED_HARM, YES("fence", "this node would be made harmless", NULL) },
};
RULES(fence_rules, rules);

static enum deed decide(const struct facts *f, struct verdict *verdict)
{
	const struct verdict *said = rules_decide(fence_rules, f);

	*verdict = *said;
	return RULE_OF(struct rule, said)->deed;
}

/* They have libpq; this program, which is also the guard, must stay small and has not. */
static int run_helper(struct proc *child, const struct cfg *cfg, const char *helper,
		      const char *const *words, const struct deadline *dl)
{
	struct call call;
	const struct proc_spec spec = { .argv = call.argv };

	call_make(&call, cfg, helper, words);
	return proc_run(child, &spec, dl);
}

static enum fact ask_check_primary(const struct cfg *cfg, const char *question,
				   const struct deadline *dl)
{
	const char *const words[] = { question, "--auto", NULL };
	struct proc AUTO_PROC child = PROC_NONE;

	if (run_helper(&child, cfg, "check_primary", words, dl) < 0)
		return FACT_UNKNOWN;
	if (child.exit_code == OUT_YES)
		return FACT_YES;
	return child.exit_code == OUT_NO ? FACT_NO : FACT_UNKNOWN;
}

static enum fact ask_serves_by_right(const struct cfg *cfg, const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, cfg->check_budget_ms + cfg->probe_timeout_ms);

	return ask_check_primary(cfg, "--primary", &soon);
}

/* The forced command reads what was asked from where sshd(8) puts it. */
static int read_request(struct fence_line *request, const struct cfg *cfg)
{
	const char *line = getenv("SSH_ORIGINAL_COMMAND"); /* ALLOW: sshd's one way to tell */

	if (line == NULL || fence_request_parse(line, request) < 0)
		return -EINVAL;
	if (strcmp(request->cluster, cfg->name) != 0 ||
	    strcmp(request->node, cfg_self(cfg)->name) != 0)
		return -EINVAL;
	return 0;
}

static struct verdict bad_request(void)
{
	return (struct verdict)USAGE_ERROR(
	    "request", "the fence request is not for this node, or was not understood",
	    "the other node needs the same version and the same configuration file");
}

static const char *answer_word(const struct facts *f, const struct verdict *verdict)
{
	if (verdict->outcome == OUT_YES)
		return touches_nothing(f->ask) ? "ready" : "fenced";
	return verdict->outcome == OUT_NO ? "alive" : "unknown";
}

/* Only for what runs here is there anything to be spared: a node whose server is down is left by
 * nobody's fence. */
static bool something_runs(const struct cfg *cfg)
{
	pid_t pid;
	int AUTO_FD server = pgdata_postmaster(cfg, &pid);

	return server != -ENOENT;
}

/*
 * The author of a fence decides what answers its mark.  A check that finds the lease at an end does
 * what the guard would have done, had it run, and with no more of a reason than the guard has.
 */
static enum fenced_by asked_by(const struct options *options)
{
	if (options->answer)
		return FENCED_BY_PEER;
	return options->automatic ? FENCED_BY_GUARD : FENCED_BY_OPERATOR;
}

/*
 * A successor that cannot be looked for keeps no person from fencing: a node that cannot tell is
 * the one to fence.  Nor does a fence that is under way, of which the servers already show what it
 * does.
 */
static enum fact ask_successor(const struct cfg *cfg, const struct options *options)
{
	struct deadline dl = deadline_in_ms(SUCCESSOR_MS);
	enum fact successor;

	if (options->anyway || options->spare || asked_by(options) != FENCED_BY_OPERATOR ||
	    !something_runs(cfg) || fenced_read(cfg).present != FACT_NO)
		return FACT_UNKNOWN;
	successor = ask_check_primary(cfg, "--successor", &dl);
	return fenced_read(cfg).present == FACT_NO ? successor : FACT_UNKNOWN;
}

/* The other node's check_setup asks what this one knows of itself; unanswered, it says "unknown".
 */
static void tell_setup(const struct cfg *cfg)
{
	static const char *const words[] = { "--answer", NULL };
	struct deadline dl = deadline_in_ms(SETUP_MS);
	struct proc AUTO_PROC child = PROC_NONE;

	if (run_helper(&child, cfg, "check_setup", words, &dl) == 0 && child.exit_code == OUT_YES)
		(void)fputs(child.output, stdout);
}

/* The person who asked is at the other node, and is told there what was said here. */
static const char *do_planned(const struct cfg *cfg, const struct fence_line *request)
{
	const struct planned_work *work = &planned_work[request->ask];
	struct deadline dl = deadline_in_ms(request->window_ms + PLANNED_MS);
	struct proc AUTO_PROC child = PROC_NONE;
	const char *words[4] = { NULL };
	size_t count = 0;
	char wait[32];

	(void)snprintf(wait, sizeof(wait), "%" PRId64 "ms", request->window_ms);
	if (work->test)
		words[count++] = "--dry-run";
	if (work->waits) {
		words[count++] = "--wait";
		words[count++] = wait;
	}
	if (run_helper(&child, cfg, work->helper, words, &dl) < 0)
		return outcome_word(OUT_INCOMPLETE);
	(void)fputs(child.errors, stdout);
	return outcome_word((enum outcome)child.exit_code);
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	const enum fact successor = ask_successor(cfg, options);
	struct deadline dl = deadline_in_ms(cfg->fence_budget_ms);
	struct fence_line request = { .ask = options->spare ? FENCE_ASK_SPARE : FENCE_ASK_FENCE };
	struct harmless how = { .reason = options->reason, .stay_down = true };
	struct facts facts = { .ask = FENCE_ASK_FENCE, .successor = successor };
	struct verdict verdict;
	int AUTO_FD lock = -1;

	if (options->answer && read_request(&request, cfg) < 0)
		return bad_request();
	if (how.reason == NULL)
		how.reason =
		    options->answer ? "the other node asked for it" : "an operator asked for it";
	how.by = asked_by(options);

	facts.ask = request.ask;
	if (facts.ask == FENCE_ASK_SPARE)
		facts.serves_by_right = ask_serves_by_right(cfg, &dl);
	if (options->answer && !touches_nothing(facts.ask) && !is_planned(&facts)) {
		log_failed("take the lock of fencing", fence_mutual_lock(cfg, &lock));
		facts.comes_first = fence_mutual_wins(cfg) && something_runs(cfg);
	}
	if (decide(&facts, &verdict) == DEED_HARM && !cli->dry_run &&
	    harmless_make(cfg, &how, &dl, &verdict) < 0)
		log_error("%s", verdict.detail);
	if (cli->explain)
		rules_explain(fence_rules, &facts, NULL, stdout);
	if (!cli->dry_run && verdict.outcome == OUT_YES && verdict.id == RULE_HARMLESS)
		guard_watchdog_let_go(cfg);
	if (facts.ask == FENCE_ASK_SETUP)
		tell_setup(cfg);
	if (options->answer)
		fence_answer_print(cfg->name, cfg_self(cfg)->name,
				   is_planned(&facts) ? do_planned(cfg, &request)
						      : answer_word(&facts, &verdict));
	return verdict;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "watch", NULL, "stay and guard this node: fence it when its lease ends",
		  &options.watch, NULL },
		{ "spare-serving", NULL, "leave the node alone when it serves by right",
		  &options.spare, NULL },
		{ "anyway", NULL, "also where nobody would serve afterwards", &options.anyway,
		  NULL },
		{ "reason", "TEXT", "why, for the mark, the log and the history", NULL,
		  &options.reason },
		{ 0 },
	};
	const struct cli_option machine[] = {
		{ "answer", NULL, "the forced command of ssh: answers in one line", &options.answer,
		  NULL },
		{ "auto", NULL, "the lease is over; proof answers the mark", &options.automatic,
		  NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "fence_self",
		.summary = "make this node harmless: address, clients, server",
		.options = extra,
		.machine = machine,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	/* A node that cannot keep its files can still be made harmless. */
	if (!helper_begin(&cfg, &cli, HELPER_TRIES_FILES, &verdict))
		return cli_finish(&cli, &verdict);
	if (options.watch)
		guard_run(&cfg, &verdict);
	else
		verdict = run(&cfg, &cli, &options);
	return cli_finish(&cli, &verdict);
}
