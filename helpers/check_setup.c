/* SPDX-License-Identifier: PostgreSQL */
/*
 * check_setup - everything that would make a failover fail, found before it has to work.
 *
 * Run by people and by cron, on either node, as root.  It only looks: the test of fencing touches
 * nothing, and the other node is asked over the same forced command.  Exit codes, by the worst
 * finding:
 *
 *	0 nothing, or only notes
 *	1 an error: a failover would fail, or lose something
 *	2 a warning, and no error
 *	3 something could not be looked at, and no error was found
 *	64 71 78 called wrongly, system, configuration
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/cli.h"
#include "base/deadline.h"
#include "base/fold.h"
#include "config/cfg.h"
#include "node/helper.h"
#include "setup/setup.h"
#include "setup/setup_rules.h"
#include "setup/setup_show.h"

/* All of it, with the other node dark: each part has a limit of its own. */
#define LIMIT_MS 45000
/* A person who waits for longer is told what for. */
#define PATIENCE_MS 2000
/* For the other node, which waits itself. */
#define ANSWER_MS 2500

static int64_t begun_ms;

static void tell(const char *what)
{
	const int64_t since_ms = now_ms() - begun_ms;

	if (since_ms >= PATIENCE_MS && isatty(STDERR_FILENO) == 1)
		(void)fprintf(stderr, "%2d s  looking at %s\n", (int)(since_ms / 1000), what);
}

static struct verdict answer(const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(ANSWER_MS);
	struct setup_host host;

	setup_host_look(&host, cfg, &dl);
	setup_host_print(&host, stdout);
	return (struct verdict)YES("answered", "the other node was told about this one", NULL);
}

static void print(const struct setup_findings *findings, const struct setup *setup)
{
	struct fold fold;

	setup_print(findings, setup, fold_begin(&fold, stdout));
	fold_end(&fold);
}

static struct verdict look(struct cfg *cfg, const struct cli *cli, const struct deadline *dl)
{
	struct setup AUTO_FREE *setup = malloc(sizeof(*setup));
	struct setup_findings AUTO_FREE *findings = malloc(sizeof(*findings));
	struct verdict verdict;

	if (setup == NULL || findings == NULL)
		return (struct verdict)SYSTEM_ERROR("memory", "there is not enough memory", NULL);
	begun_ms = cli->started_ms;
	setup_gather(setup, cfg, dl, tell);
	setup_decide(findings, setup);
	verdict = setup_verdict(findings);
	if (cli->explain)
		setup_explain(findings, stdout);
	else if (cli->json)
		setup_print_json(findings, &verdict, cfg, stdout);
	else
		print(findings, setup);
	return verdict;
}

int main(int argc, char **argv)
{
	const char *limit = NULL;
	bool answers = false;
	const struct cli_option extra[] = {
		{ "limit", "TIME", "for all of it (45s); what is not seen then is unknown", NULL,
		  &limit },
		{ 0 },
	};
	const struct cli_option machine[] = {
		{ "answer", NULL, "called by fence_self, for the other node", &answers, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "check_setup",
		.summary = "everything that would make a failover fail",
		.options = extra,
		.machine = machine,
		.answers = true,
		.shows = true,
		.explains = true,
	};
	int64_t limit_ms = LIMIT_MS;
	struct verdict verdict;
	struct deadline dl;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cli.explain && cli.json)
		verdict =
		    (struct verdict)USAGE_ERROR("usage", "--explain does not go with --json", NULL);
	else if (limit != NULL && cfg_duration_parse(limit, &limit_ms) < 0)
		verdict = (struct verdict)USAGE_ERROR("usage", "--limit wants a duration",
						      "a number and a unit, such as 30s");
	else if (helper_begin(&cfg, &cli, HELPER_NODE, &verdict)) {
		dl = deadline_in_ms(limit_ms);
		verdict = answers ? answer(&cfg) : look(&cfg, &cli, &dl);
	}
	return cli_finish(&cli, &verdict);
}
