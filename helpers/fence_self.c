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
 *	2 a second guard
 *	3 not proven
 *	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/proc.h"
#include "config/cfg.h"
#include "fence/fence_answer.h"
#include "fence/fence_mutual.h"
#include "node/files.h"
#include "postgres/pgdata.h"
#include "serve/guard.h"
#include "serve/guard_watchdog.h"
#include "serve/harmless.h"

struct options {
	bool watch;
	bool spare;
	bool answer;
	bool automatic;
	const char *reason;
};

struct facts {
	enum fence_ask ask;
	enum fact serves_by_right; /* only asked for when it is to be spared */
	bool comes_first;          /* the other node asks, and this one is just fencing it */
};

/* What is to be done. */
enum deed { DEED_NOTHING, DEED_HARM };

/*
 * Pure.  Only a positive proof that this node serves by right keeps it from being fenced: a node
 * that cannot tell is exactly the one that must not go on.
 */
static enum deed decide(const struct facts *f, struct verdict *verdict)
{
	if (f->ask == FENCE_ASK_TEST) {
		*verdict =
		    (struct verdict){ .outcome = OUT_YES,
				      .rule = "test",
				      .message = "this node could be fenced; nothing was done" };
		return DEED_NOTHING;
	}
	if (f->ask == FENCE_ASK_SPARE && f->serves_by_right == FACT_YES) {
		*verdict =
		    (struct verdict){ .outcome = OUT_NO,
				      .rule = "serves-by-right",
				      .message = "this node serves by right and was spared" };
		return DEED_NOTHING;
	}
	if (f->ask == FENCE_ASK_OBSERVE) {
		*verdict = (struct verdict){ .outcome = OUT_USAGE,
					     .rule = "wrong-host",
					     .message = "only the witness host observes",
					     .hint = "its forced command is fence_old --observe" };
		return DEED_NOTHING;
	}
	if (f->comes_first) {
		*verdict = (struct verdict){
			.outcome = OUT_UNKNOWN,
			.rule = "comes-first",
			.message = "this node is just fencing the one that asks, and comes first",
			.hint = "of two that fence each other one has to be left; a fence "
				"asked for 3 s after this one is over is obeyed",
		};
		return DEED_NOTHING;
	}
	*verdict = (struct verdict){ .outcome = OUT_YES,
				     .rule = "fence",
				     .message = "this node would be made harmless" };
	return DEED_HARM;
}

/* check_primary has libpq; this program, which is also the guard, must stay small and has not. */
static enum fact ask_serves_by_right(const struct cfg *cfg, const struct deadline *dl)
{
	char path[CFG_PATH_MAX + CFG_NAME_MAX];
	const char *const argv[] = { path,        "-c",     cfg->path, "-n", cfg_self(cfg)->name,
				     "--primary", "--auto", NULL };
	struct proc_spec spec = { .argv = argv };
	struct deadline soon = deadline_sooner(dl, cfg->check_budget_ms + cfg->probe_timeout_ms);
	struct proc AUTO_PROC child = PROC_NONE;

	(void)snprintf(path, sizeof(path), "%s/check_primary", cfg->libexec_dir);
	if (proc_run(&child, &spec, &soon) < 0)
		return FACT_UNKNOWN;
	if (child.exit_code == OUT_YES)
		return FACT_YES;
	return child.exit_code == OUT_NO ? FACT_NO : FACT_UNKNOWN;
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
	return (struct verdict){
		.outcome = OUT_USAGE,
		.rule = "request",
		.message = "the fence request is not for this node, or was not understood",
		.hint = "the other node needs the same version and the same configuration file",
	};
}

static const char *answer_word(const struct facts *f, const struct verdict *verdict)
{
	if (verdict->outcome == OUT_YES)
		return f->ask == FENCE_ASK_TEST ? "ready" : "fenced";
	return verdict->outcome == OUT_NO ? "alive" : "unknown";
}

static void explain(const struct facts *f, const struct verdict *verdict)
{
	printf("asked to:          %s\n", f->ask == FENCE_ASK_TEST ? "test"
					  : f->ask == FENCE_ASK_SPARE
					      ? "fence unless it serves by right"
					      : "fence");
	printf("serves by right:   %s\n",
	       f->ask == FENCE_ASK_SPARE ? fact_word(f->serves_by_right) : "not asked");
	printf("rule:              %s\n", verdict->rule);
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
 * Who asked decides what answers the mark.  A check that finds the lease at an end does what the
 * guard would have done, had it run, and with no more of a reason than the guard has.
 */
static const char *asked_by(const struct cfg *cfg, const struct options *options)
{
	if (options->answer)
		return cfg_peer(cfg)->name;
	return options->automatic ? "guard" : "operator";
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	struct deadline dl = deadline_in_ms(cfg->fence_budget_ms);
	struct fence_line request = { .ask = options->spare ? FENCE_ASK_SPARE : FENCE_ASK_FENCE };
	struct harmless how = { .reason = options->reason, .stay_down = true };
	struct facts facts = { .ask = FENCE_ASK_FENCE };
	struct verdict verdict;
	int AUTO_FD lock = -1;

	if (options->answer && read_request(&request, cfg) < 0)
		return bad_request();
	if (how.reason == NULL)
		how.reason =
		    options->answer ? "the other node asked for it" : "an operator asked for it";
	how.by = asked_by(cfg, options);

	facts.ask = request.ask;
	if (facts.ask == FENCE_ASK_SPARE)
		facts.serves_by_right = ask_serves_by_right(cfg, &dl);
	if (options->answer && facts.ask != FENCE_ASK_TEST) {
		log_failed("take the lock of fencing", fence_mutual_lock(cfg, &lock));
		facts.comes_first = fence_mutual_wins(cfg) && something_runs(cfg);
	}
	if (decide(&facts, &verdict) == DEED_HARM && !cli->dry_run &&
	    harmless_make(cfg, &how, &dl, &verdict) < 0)
		log_error("%s", verdict.detail);
	if (cli->explain)
		explain(&facts, &verdict);
	if (!cli->dry_run && verdict.outcome == OUT_YES && strcmp(verdict.rule, "harmless") == 0)
		guard_watchdog_let_go(cfg);
	if (options->answer)
		fence_answer_print(cfg->name, cfg_self(cfg)->name, answer_word(&facts, &verdict));
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
		{ "answer", NULL,
		  "be the forced command of ssh: read the request, answer in one line",
		  &options.answer, NULL },
		{ "auto", NULL,
		  "called by check_primary: the lease is over; proof answers the mark",
		  &options.automatic, NULL },
		{ "reason", "TEXT", "why, for the mark, the log and the history", NULL,
		  &options.reason },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "fence_self",
		.summary = "make this node harmless: virtual address, client connections, server",
		.options = extra,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cfg_load(&cfg, cli.config_path) < 0 || cfg_identify(&cfg, cli.node) < 0)
		return cli_finish_config(&cli);
	/* A node that cannot keep its files can still be made harmless, so this is told and passed
	 * over. */
	log_failed("make the run and state directories", files_prepare(&cfg));
	if (options.watch)
		guard_run(&cfg, &verdict);
	else
		verdict = run(&cfg, &cli, &options);
	return cli_finish(&cli, &verdict);
}
