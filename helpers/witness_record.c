/* SPDX-License-Identifier: PostgreSQL */
/*
 * witness_record - what the record at the witness says, and the little that may be written there by
 * hand or by the guard.
 *
 * Without a deed it changes nothing.  --release is run by the guard when this node's server is down
 * (--auto), and by an operator; --pause and --resume by an operator, on either node.  It changes
 * one row at the witness, and what this node remembers of it.  It can be killed at any line: each
 * write is one compare-and-set, and the next run sees how it ended.  Exit codes:
 *
 *	0 the record can be trusted; or what was asked for is so
 *	1 the record is not to be trusted
 *	2 refused by a rule	3 could not be found out
 *	4 paused, and the holder was not seen to go solo
 *	64 71 78 called wrongly, system, configuration
 */
#include <stdio.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/fold.h"
#include "config/cfg.h"
#include "node/helper.h"
#include "record/record_act.h"

/* The guard calls again; a person wants to hear how it ended. */
#define BUDGET_AUTO_MS   3000
#define BUDGET_PERSON_MS 15000

struct options {
	bool release;
	bool pause;
	bool resume;
	bool automatic;
};

static void print_json(const struct record_task *t, const struct verdict *verdict)
{
	struct json json;

	json_begin(&json, stdout);
	json_text(&json, "cluster", t->cfg->name);
	json_text(&json, "node", cfg_self(t->cfg)->name);
	json_text(&json, "outcome", outcome_word(verdict->outcome));
	json_text(&json, "rule", verdict->rule);
	json_text(&json, "message", verdict->message);
	json_text(&json, "hint", verdict->hint);
	if (t->link.cfg != NULL)
		record_print_json(&json, &t->view, t->cfg);
	else
		json_null(&json, "record");
	json_end(&json);
}

/* Shows; or, in a dry run, goes as far as the decision. */
static struct verdict look(struct record_task *t, const struct cli *cli)
{
	struct verdict verdict;
	struct fold fold;
	FILE *out;

	record_gather(t);
	(void)record_decide(&t->facts, &verdict);
	if (cli->json) {
		print_json(t, &verdict);
	} else if (t->facts.ask == RECORD_SHOW && !cli->explain && t->link.cfg != NULL) {
		out = fold_begin(&fold, stdout);
		fprintf(out, "record of cluster %s at %s\n", t->cfg->name, t->cfg->witness_address);
		record_print(&t->view, t->cfg, out);
		fold_end(&fold);
	}
	return verdict;
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options, enum record_ask ask)
{
	struct record_task t = { .cfg = cfg,
				 .dl = deadline_in_ms(options->automatic ? BUDGET_AUTO_MS
									 : BUDGET_PERSON_MS),
				 .facts = { .ask = ask } };
	struct verdict verdict;
	int AUTO_FD lock = -1;

	if (ask == RECORD_RELEASE && !record_act_lock(cfg, &lock, &verdict))
		return verdict;
	verdict = ask == RECORD_SHOW || cli->dry_run ? look(&t, cli) : record_act(&t);
	if (cli->explain)
		record_explain(&t.facts, stdout);
	record_describe(&t, &verdict);
	if (t.link.cfg != NULL)
		record_end(&t.link);
	return verdict;
}

/* ---- the call ---- */

static enum record_ask asked_for(const struct options *options)
{
	if (options->release)
		return RECORD_RELEASE;
	if (options->pause)
		return RECORD_PAUSE;
	return options->resume ? RECORD_RESUME : RECORD_SHOW;
}

static const char *contradiction(const struct options *options, const struct cli *cli)
{
	const int deeds = options->release + options->pause + options->resume;

	if (deeds > 1)
		return "--release, --pause and --resume exclude each other";
	if (options->automatic && !options->release)
		return "--auto goes with --release only";
	if (cli->json && (deeds > 0 || cli->explain))
		return "--json shows the record: it goes with neither a deed nor --explain";
	return NULL;
}

/* The guard calls again and again; what it is told is written once, until it changes. */
static int finish(const struct cfg *cfg, const struct cli *cli, const struct options *options,
		  const struct verdict *verdict)
{
	bool told = options->automatic && helper_has_tried(cli, verdict) &&
		    record_act_is_told(cfg, verdict);

	return helper_end(cli, verdict, told);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "release", NULL, "say that this node does not serve: its server is down",
		  &options.release, NULL },
		{ "pause", NULL, "no failover until --resume: the primary goes on alone",
		  &options.pause, NULL },
		{ "resume", NULL, "failover may be possible again", &options.resume, NULL },
		{ 0 },
	};
	const struct cli_option machine[] = {
		{ "auto", NULL, "called by the guard: log only what has changed",
		  &options.automatic, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "witness_record",
		.summary = "what the record at the witness says: who may serve",
		.options = extra,
		.machine = machine,
		.acts = true,
		.shows = true,
	};
	struct verdict verdict = { .outcome = OUT_USAGE, .rule = "usage" };
	enum record_ask ask;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	verdict.message = contradiction(&options, &cli);
	verdict.hint = "\"witness_record --help\" lists what can be given";
	if (verdict.message != NULL)
		return cli_finish(&cli, &verdict);
	ask = asked_for(&options);
	if (!helper_begin(&cfg, &cli, ask != RECORD_SHOW ? HELPER_FILES : HELPER_NODE, &verdict))
		return cli_finish(&cli, &verdict);
	verdict = run(&cfg, &cli, &options, ask);
	return finish(&cfg, &cli, &options, &verdict);
}
