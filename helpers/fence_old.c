/* SPDX-License-Identifier: PostgreSQL */
/*
 * fence_old - make the other node harmless, and say what was proven.
 *
 * Run by an operator, by the guard (--test: every way is tried and nothing is touched; it also
 * notes that the witness host reaches the node in good times, without which "isolated" proves
 * nothing), and on the witness host as the forced command of ssh (--observe). promote_safe does
 * the same through lib/fence.h.  Exit codes:
 *
 *	0 fenced, isolated, or (test) every way works
 *	1 alive: it serves by right and was spared
 *	2 (test) a way does not work
 *	3 nothing was proven
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
#include "config/cfg.h"
#include "fence/fence.h"
#include "fence/observe.h"
#include "node/files.h"

struct options {
	bool spare;
	bool test;
	bool observe;
	bool automatic;
};

/* Pure: what the proof means for the caller. */
static struct verdict decide(enum fence_verdict proven)
{
	switch (proven) {
	case FENCE_FENCED:
		return (struct verdict){ .outcome = OUT_YES,
					 .rule = "fenced",
					 .message = "the other node is fenced" };
	case FENCE_ISOLATED:
		return (struct verdict){
			.outcome = OUT_YES,
			.rule = "isolated",
			.message =
			    "the other node is isolated: the witness host cannot reach it either",
			.hint = "it has fenced itself if its guard runs; look before you trust it",
		};
	case FENCE_ALIVE:
		return (struct verdict){ .outcome = OUT_NO,
					 .rule = "alive",
					 .message = "the other node serves by right and was spared",
					 .hint =
					     "without --spare-serving it is fenced all the same" };
	case FENCE_UNKNOWN:
	case FENCE_READY:
	case FENCE_VERDICTS:
	default:
		return (struct verdict){
			.outcome = OUT_UNKNOWN,
			.rule = "unproven",
			.message = "nothing is proven about the other node",
			.hint = "switch it off by hand, then \"promote_safe --assume-peer-down\"",
		};
	}
}

static bool way_works(const struct fence *fence, enum fence_way way)
{
	return way == FENCE_WAY_OBSERVE ? fence->reachable : fence->answers[way] == FENCE_READY;
}

/* Pure: a test is good when every configured way works, and there is one. */
static struct verdict decide_test(const struct fence *fence)
{
	int configured = 0;
	int works = 0;

	for (int way = 0; way < FENCE_WAYS; way++) {
		configured += fence->why[way][0] != '\0';
		works += way_works(fence, (enum fence_way)way);
	}
	if (configured == 0)
		return (struct verdict){ .outcome = OUT_REFUSED,
					 .rule = "no-way",
					 .message = "no way of fencing is configured",
					 .hint = "set methods in [fencing]" };
	if (works < configured)
		return (struct verdict){
			.outcome = OUT_REFUSED,
			.rule = "way-broken",
			.message = "a way of fencing does not work",
			.hint =
			    "see \"cluster_config ssh\" for keys, host keys and forced commands",
		};
	return (struct verdict){ .outcome = OUT_YES,
				 .rule = "ready",
				 .message = "every way of fencing works; nothing was touched" };
}

static struct fence_request request_for(const struct cfg *cfg, const struct options *options)
{
	struct fence_request request = {
		.node = cfg_peer(cfg),
		.ask = options->test    ? FENCE_ASK_TEST
		       : options->spare ? FENCE_ASK_SPARE
					: FENCE_ASK_FENCE,
		.observe = true,
	};

	if (!options->test)
		request.observe_ms = cfg->lease_ms + cfg->margin_ms;
	return request;
}

static void note_baseline(const struct cfg *cfg, const struct fence *fence)
{
	if (!fence->reachable)
		return;
	if (baseline_write(cfg, fence->request.node->name) < 0)
		log_warning("could not note that the witness host reaches %s",
			    fence->request.node->name);
}

static void explain(const struct fence *fence)
{
	for (int way = 0; way < FENCE_WAYS; way++)
		printf("%-12s %s\n", fence_way_word((enum fence_way)way),
		       fence->why[way][0] == '\0' ? "not configured" : fence->why[way]);
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	/* An observation ends after its window; an operator's budget is for what comes on top. */
	struct deadline dl = deadline_in_ms(cfg->fence_budget_ms + cfg->lease_ms + cfg->margin_ms);
	struct options what = *options;
	struct fence_request request;
	struct fence fence;
	struct verdict verdict;

	/* Dry: the same ways, with a request that touches nothing. */
	what.test = what.test || cli->dry_run;
	request = request_for(cfg, &what);
	if (!options->automatic)
		log_info("fencing %s (%s)", request.node->name, what.test ? "test" : "in earnest");
	fence_begin(&fence, cfg, &request);
	fence_go_on(&fence, cfg, &dl);
	fence_end(&fence);
	if (what.test)
		note_baseline(cfg, &fence);

	verdict = what.test ? decide_test(&fence) : decide(fence_verdict(&fence));
	fence_summary(&fence, verdict.detail, sizeof(verdict.detail));
	if (cli->explain || (what.test && !options->automatic))
		explain(&fence);
	return verdict;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "spare-serving", NULL, "leave the node alone when it serves by right",
		  &options.spare, NULL },
		{ "test", NULL, "try every way, touch nothing", &options.test, NULL },
		{ "observe", NULL, "on the witness host: the forced command of ssh",
		  &options.observe, NULL },
		{ "auto", NULL, "called by the guard", &options.automatic, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "fence_old",
		.summary = "make the other node harmless, and say what was proven",
		.options = extra,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cfg_load(&cfg, cli.config_path) < 0)
		return cli_finish_config(&cli);
	if (options.observe) {
		verdict = observe_answer(&cfg);
		return cli_finish(&cli, &verdict);
	}
	if (cfg_identify(&cfg, cli.node) < 0)
		return cli_finish_config(&cli);
	log_failed("make the run and state directories", files_prepare(&cfg));
	verdict = run(&cfg, &cli, &options);
	if (!options.automatic)
		return cli_finish(&cli, &verdict);
	/* The guard tests again and again; only a change is worth a line in the log. */
	if (attempt_is_same(&cfg, "fence_old", &verdict))
		return (int)verdict.outcome;
	log_failed("write the attempt file", attempt_write(&cfg, "fence_old", &verdict));
	return cli_finish(&cli, &verdict);
}
