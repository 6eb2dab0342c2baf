/* SPDX-License-Identifier: PostgreSQL */
/*
 * fence_old - make the other node harmless, and say what was proven.
 *
 * Run by an operator, by the guard (--test: every way is tried and nothing is touched; it also
 * notes that the witness host reaches the node in good times, without which "isolated" proves
 * nothing), and on the witness host as the forced command of ssh (--observe). promote_safe does
 * the same through lib/fence/fence.h.  Exit codes:
 *
 *	0 fenced, isolated, or (test) every way works
 *	1 alive: it serves by right and was spared
 *	2 (test) a way does not work; in earnest: the other node has fenced this one
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
#include "fence/fence_mutual.h"
#include "fence/fence_permit.h"
#include "fence/fence_record.h"
#include "fence/observe.h"
#include "net/witness.h"
#include "node/agent_mark.h"
#include "node/attempt.h"
#include "node/helper.h"
#include "node/mark.h"
#include "postgres/server.h"

/* Behind the time of a fence: by then a node that lives and can be reached has answered
 * over ssh. */
#define POWER_AFTER_MS 3000
/* The local server answers in milliseconds. */
#define LOCAL_MS 1000

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
		return (struct verdict)YES("fenced", "the other node is fenced", NULL);
	case FENCE_ISOLATED:
		return (struct verdict)YES(
		    "isolated",
		    "the other node is isolated: the witness host cannot reach it either",
		    "it has fenced itself if its guard runs; look before you trust it");
	case FENCE_ALIVE:
		return (struct verdict)NO("alive",
					  "not fenced: the other node is the valid primary",
					  "without --spare-serving it is fenced all the same");
	case FENCE_UNKNOWN:
	case FENCE_READY:
	case FENCE_VERDICTS:
	default:
		return (struct verdict)UNKNOWN(
		    "unproven", "nothing is proven about the other node",
		    "switch it off by hand, then \"promote_safe --assume-peer-down\"");
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
		/* The record is no way to reach the node; what ails it is told elsewhere. */
		if (way == FENCE_WAY_RECORD)
			continue;
		configured += fence->why[way][0] != '\0';
		works += way_works(fence, (enum fence_way)way);
	}
	if (configured == 0)
		return (struct verdict)REFUSED("no-method", "no method of fencing is configured",
					       "set methods in [fencing]");
	if (works < configured)
		return (struct verdict)REFUSED(
		    "method-broken", "a way of fencing does not work",
		    "see \"cluster_config ssh\" for keys, host keys and forced commands; "
		    "an agent has to answer its status",
		    .id = RULE_METHOD_BROKEN);
	return (struct verdict)YES("ready", "every way of fencing works; nothing was touched",
				   NULL);
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

/* An agent that says "off" of a node that has just answered is not to be believed in earnest. */
static void note_lie(const struct cfg *cfg, struct fence *fence)
{
	bool answered = fence->answers[FENCE_WAY_SSH] == FENCE_READY ||
			fence->answers[FENCE_WAY_SSH_WITNESS] == FENCE_READY;

	if (!answered || !fence->agent.says_off)
		return;
	fence->answers[FENCE_WAY_AGENT] = FENCE_UNKNOWN;
	(void)snprintf(fence->why[FENCE_WAY_AGENT], sizeof(fence->why[FENCE_WAY_AGENT]),
		       "the agent says off, and the node answers");
	log_failed("forget that the agent says on",
		   agent_forget_on(cfg, fence->request.node->name));
}

static void test(const struct cfg *cfg, struct fence *fence, const struct deadline *dl)
{
	fence_go_on(fence, cfg, dl);
	(void)fence_ask_record(fence, cfg, dl);
	note_lie(cfg, fence);
	note_baseline(cfg, fence);
}

/* Looked at again after a wait: it is this look that permits. */
static const char *power_refusal(struct fence *fence, const struct cfg *cfg,
				 struct fence_permit *permit, const struct deadline *dl)
{
	struct deadline soon = deadline_sooner(dl, LOCAL_MS);
	struct server local;
	char why[120];

	server_ask(&local, cfg, PG_LOCAL, &soon);
	permit->standby = fact_of(local.state == SERVER_STANDBY);
	permit->has_record = cfg_has_record(cfg);
	permit->fenced = fenced_read(cfg).present;
	permit->second = cfg->self == 1;
	if (permit->has_record) {
		permit->row = fence_ask_record(fence, cfg, dl);
		permit->witness = fact_of(permit->row.answered);
	} else {
		permit->witness = witness_seen(cfg, dl, why, sizeof(why));
	}
	return fence_refusal(permit);
}

static void refuse_power(struct fence *fence, const struct cfg *cfg, const char *why)
{
	static const enum fencing_method methods[] = { FENCING_AGENT, FENCING_HOOK };
	static const enum fence_way ways[] = { FENCE_WAY_AGENT, FENCE_WAY_HOOK };

	for (size_t i = 0; i < ARRAY_COUNT(ways); i++)
		if (cfg_has_method(cfg, methods[i]))
			(void)snprintf(fence->why[ways[i]], sizeof(fence->why[ways[i]]), "%s", why);
}

/* How long the first shot is the other node's: in that time its agent has done half of what it
 * could at all. */
static int64_t yield_ms(const struct cfg *cfg)
{
	return cfg->power_timeout_ms / 2;
}

/* Nobody was reached who could answer: the host is switched off. */
static void use_power(struct fence *fence, const struct cfg *cfg, const struct options *options,
		      const struct deadline *dl)
{
	struct fence_permit permit = { .spare = options->spare };
	const char *why = power_refusal(fence, cfg, &permit, dl);

	if (why == NULL && fence_verdict(fence) == FENCE_UNKNOWN && fence_yields(&permit)) {
		struct deadline first = deadline_sooner(dl, yield_ms(cfg));

		fence_go_on(fence, cfg, &first);
		if (fence_over(fence))
			deadline_sleep(&first);
		why = power_refusal(fence, cfg, &permit, dl);
	}
	if (fence_verdict(fence) != FENCE_UNKNOWN)
		return;
	if (why == NULL)
		fence_ask_power(fence, cfg);
	else
		refuse_power(fence, cfg, why);
}

static void in_earnest(struct fence *fence, const struct cfg *cfg, const struct options *options,
		       const struct deadline *dl)
{
	struct deadline ask = deadline_sooner(dl, cfg_fence_time_ms(cfg) + POWER_AFTER_MS);

	if (cfg_power_ms(cfg) == 0) {
		fence_go_on(fence, cfg, dl);
		if (fence_verdict(fence) == FENCE_UNKNOWN)
			(void)fence_ask_record(fence, cfg, dl);
		return;
	}
	fence_go_on_asking(fence, cfg, &ask);
	if (fence_verdict(fence) == FENCE_UNKNOWN)
		use_power(fence, cfg, options, dl);
	fence_go_on(fence, cfg, dl);
}

/* An observation ends after its window, and an agent has its own time; an operator's budget is for
 * what comes on top. */
static struct deadline deadline_of(const struct cfg *cfg)
{
	int64_t power_ms = cfg_power_ms(cfg);

	if (power_ms > 0)
		power_ms += yield_ms(cfg);
	return deadline_in_ms(cfg->fence_budget_ms + cfg->lease_ms + cfg->margin_ms + power_ms);
}

static struct verdict refused(int rc)
{
	if (rc == -EPERM)
		return (struct verdict)REFUSED(
		    "fenced", "this node was fenced by the other one, and does not fence it",
		    "\"rejoin\" brings it back as a standby");
	if (rc == -ETIMEDOUT)
		return (struct verdict)REFUSED(
		    "being-fenced", "this node is being fenced by the other one at this moment",
		    NULL);
	return (struct verdict)SYSTEM_ERROR("files", "the run directory cannot be written", NULL);
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli,
			  const struct options *options)
{
	struct deadline dl = deadline_of(cfg);
	struct options what = *options;
	struct fence_request request;
	struct fence fence;
	struct verdict verdict;
	int AUTO_FD held = -1;
	int rc = 0;

	/* Dry: the same ways, with a request that touches nothing. */
	what.test = what.test || cli->dry_run;
	request = request_for(cfg, &what);
	if (!options->automatic)
		log_info("fencing %s (%s)", request.node->name, what.test ? "test" : "in earnest");
	if (!what.test)
		rc = fence_mutual_begin(cfg, &held);
	if (rc < 0)
		return refused(rc);
	fence_begin(&fence, cfg, &request);
	if (what.test)
		test(cfg, &fence, &dl);
	else
		in_earnest(&fence, cfg, &what, &dl);
	fence_end(&fence);
	if (!what.test)
		fence_mutual_end(cfg, &held, fence_verdict(&fence) == FENCE_FENCED);

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
		{ 0 },
	};
	const struct cli_option machine[] = {
		{ "observe", NULL, "on the witness host: the forced command of ssh",
		  &options.observe, NULL },
		{ "auto", NULL, "called by the guard", &options.automatic, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "fence_old",
		.summary = "make the other node harmless, and say what was proven",
		.options = extra,
		.machine = machine,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;
	bool told;

	cli_parse(&cli, &spec, argc, argv);
	if (!helper_begin(&cfg, &cli, options.observe ? HELPER_CONFIG : HELPER_TRIES_FILES,
			  &verdict))
		return cli_finish(&cli, &verdict);
	verdict = options.observe ? observe_answer(&cfg) : run(&cfg, &cli, &options);
	/* A person who has mended something and tests it renews what cluster_status says of it. */
	if (options.test && !options.automatic && !options.observe &&
	    helper_has_tried(&cli, &verdict))
		attempt_note(&cfg, ATTEMPT_FENCE_TEST, &verdict);
	/* The guard tests again and again; only a change is worth a line in the log. */
	told = options.automatic && !options.observe &&
	       !attempt_changes(&cfg, ATTEMPT_FENCE_TEST, &verdict);
	return helper_end(&cli, &verdict, told);
}
