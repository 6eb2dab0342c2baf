/* SPDX-License-Identifier: PostgreSQL */
/*
 * drill - a failover at a time of the operator's choice: measured, and put back.
 *
 * Run by an operator on the node of the primary.  It looks at everything that a switchover needs,
 * asks whether it is meant, brings one fault about (the server is killed, or the host is cut off
 * from its network for a time), and watches the cluster's address as a client would.  When the
 * other node serves and this one follows it, the roles are switched back.  The time without a
 * primary goes into the history.
 *
 * It gives nobody a right to serve: the two nodes do what they do after any such fault.
 *
 * Exit codes:
 *
 *	0 the other node took over, and all is as it was (or, with --stay, as it was to be)
 *	1 the other node did not take over, or not in time
 *	2 refused: nothing was done
 *	3 the local server did not answer
 *	4 the other node took over, and not everything is as it was
 *	64 71 78 called wrongly, system, configuration
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "config/cfg.h"
#include "drill/drill.h"
#include "node/helper.h"
#include "planned/switchover.h"
#include "render/faults.h"

#define WAIT_MS 60000
/* An isolated host cannot be reached for so long where nobody takes over. */
#define WAIT_LEAST_MS 1000
#define WAIT_MOST_MS  600000
#define LOCK_MS       100
#define CONFIRM_MS    120000
/* For a standby that is about to come close; a drill has time. */
#define STANDBY_MS 15000

struct options {
	const char *wait;
	bool yes;
	bool stay;
	bool may_lose;
};

/* Typing a name takes more thought than a key. */
static enum fact ask_operator(const struct drill *d)
{
	const char *name = d->planned.cfg->name;
	const struct deadline dl = deadline_in_ms(CONFIRM_MS);
	struct pollfd typed = { .fd = STDIN_FILENO, .events = POLLIN };
	char words[400], line[CFG_NAME_MAX + 2] = "";
	ssize_t got;

	drill_words(d, words, sizeof(words));
	(void)fprintf(stderr, "drill: %s\nType the name of the cluster (%s) to begin: ", words,
		      name);
	if (deadline_poll(&typed, 1, &dl) != 1)
		return FACT_NO;
	got = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (got <= 0)
		return FACT_NO;
	line[strcspn(line, "\r\n")] = '\0';
	return fact_of(strcmp(line, name) == 0);
}

static bool can_ask(void)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

static void gather(struct drill_facts *f, const struct cfg *cfg)
{
	struct fault fault = { .end = FAULT_SURVIVED };

	if (f->kind == DRILL_CRASH)
		fault_crash(&fault, cfg);
	if (f->kind == DRILL_ISOLATE)
		fault_isolated(&fault, cfg);
	f->survived = fault.end == FAULT_SURVIVED;
	f->async = cfg->mode == MODE_ASYNC;
	f->powers_off = cfg_power_ms(cfg) > 0;
}

/* The conditions of a switchover, and then those of a drill.  True: all hold. */
static bool may_begin(struct drill *d, bool explain, struct verdict *verdict)
{
	struct switchover s = { .planned = d->planned };
	const struct deadline dl = deadline_in_ms(STANDBY_MS);
	const enum switchover_step step = switchover_wait(&s, &dl, verdict);

	d->facts.on_standby = step == SWITCHOVER_ASK;
	if (explain)
		switchover_explain(&s.facts, stdout);
	if (step != SWITCHOVER_GO && step != SWITCHOVER_ASK)
		return false;
	if (explain)
		drill_explain(&d->facts, stdout);
	return drill_decide(&d->facts, verdict);
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	struct drill d = { .planned = { .cfg = cfg, .program = "drill", .quiet = cli->quiet },
			   .wait_ms = WAIT_MS,
			   .stays = options->stay };
	struct verdict verdict = REFUSED("already-running", "another drill is at work", NULL,
					 .id = RULE_ALREADY_RUNNING);
	int AUTO_FD lock = -1;

	if (cli->operand_count != 1 || !drill_parse(cli->operands[0], &d.facts.kind))
		return (struct verdict)USAGE_ERROR("usage", "which drill is to be held?",
						   "crash, isolate or switchover");
	if (options->wait != NULL && (cfg_duration_parse(options->wait, &d.wait_ms) < 0 ||
				      d.wait_ms < WAIT_LEAST_MS || d.wait_ms > WAIT_MOST_MS))
		return (struct verdict)USAGE_ERROR("usage",
						   "--wait wants a duration from 1s to 10min",
						   "a number and a unit, such as 30s");
	if (!helper_lock(&lock, cfg, LOCK_DRILL, LOCK_MS, &verdict))
		return verdict;
	gather(&d.facts, cfg);
	d.facts.may_lose = options->may_lose;
	d.facts.wanted = options->yes || cli->dry_run || can_ask() ? FACT_YES : FACT_UNKNOWN;
	d.planned.begun_ms = now_ms();
	if (!may_begin(&d, cli->explain, &verdict))
		return verdict;
	if (cli->dry_run) {
		drill_words(&d, verdict.detail, sizeof(verdict.detail));
		return verdict;
	}
	if (!options->yes) {
		d.facts.wanted = ask_operator(&d);
		/* The facts of before the question are old. */
		if (!may_begin(&d, false, &verdict))
			return verdict;
	}
	return drill_do(&d);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "yes", NULL, "do not ask: it is meant", &options.yes, NULL },
		{ "stay", NULL, "leave the role with the other node", &options.stay, NULL },
		{ "may-lose", NULL, "async: accept what a failover may lose", &options.may_lose,
		  NULL },
		{ "wait", "TIME", "for the takeover (60s)", NULL, &options.wait },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "drill",
		.summary = "a failover at a time of your choice, measured and put back",
		.operands = "crash|isolate|switchover",
		.max_operands = 1,
		.options = extra,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (!helper_begin(&cfg, &cli, HELPER_FILES, &verdict))
		return cli_finish(&cli, &verdict);
	verdict = run(&cfg, &cli, &options);
	return cli_finish(&cli, &verdict);
}
