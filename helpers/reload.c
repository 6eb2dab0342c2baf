/* SPDX-License-Identifier: PostgreSQL */
/*
 * reload - tell this node's server to read its configuration files, and say what it took.
 *
 * Run by an operator.  It asks first whether PostgreSQL would take the files at all, and afterwards
 * what it passed over and what waits for a restart.  It changes nothing else, and can be killed at
 * any line.  Exit codes:
 *
 *	0 the server has read its files
 *	2 refused: it would take nothing from them, or no server runs here
 *	3 the local server did not answer
 *	4 it was told, and was not seen to read them
 *	64 71 78 called wrongly, system, configuration
 */
#include <stdio.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/rules.h"
#include "config/cfg.h"
#include "node/helper.h"
#include "planned/planned.h"
#include "postgres/server_config.h"

/* The postmaster reads its files at once, unless it is starved. */
#define BUDGET_MS     10000
#define LOOK_AGAIN_MS 50

struct facts {
	enum server_state local;
	enum fact ignored; /* a reload would take nothing */
};

static bool local_silent(const struct facts *f)
{
	return f->local == SERVER_UNKNOWN || f->local == SERVER_STARTING;
}

static bool local_refuses(const struct facts *f)
{
	return f->local == SERVER_REFUSES;
}

static bool local_down(const struct facts *f)
{
	return f->local == SERVER_DOWN;
}

static bool config_error(const struct facts *f)
{
	return f->ignored == FACT_YES;
}

static bool config_unknown(const struct facts *f)
{
	return f->ignored != FACT_NO;
}

static const struct rule {
	bool (*holds)(const struct facts *f);
	bool permits;
	struct verdict verdict;
} rules[] = {
	{ local_silent, false,
	  UNKNOWN("local-silent", "the local server did not answer in time, or is starting",
		  NULL) },
	{ local_refuses, false,
	  REFUSED("local-refuses", "the local server lives and refuses the role of the helpers",
		  "the detail says what mends it; on the primary, as a superuser") },
	{ local_down, false, REFUSED("local-down", "no server runs here", "\"rejoin\" starts it") },
	{ config_error, false,
	  REFUSED("config-error",
		  "a configuration file has an error: the server would take nothing from any",
		  "mend the line that the detail names, and run it again") },
	{ config_unknown, false,
	  UNKNOWN("config-unknown", "whether the server would take its files could not be asked",
		  "run what \"cluster_config sql\" prints on the primary") },
	{ RULE_ALWAYS, true, YES("dry-run", "dry run: the server would read its files", NULL) },
};
RULES(reload_rules, rules);

static struct verdict decide(const struct facts *f, bool *may)
{
	const struct verdict *said = rules_decide(reload_rules, f);

	*may = RULE_OF(struct rule, said)->permits;
	return *said;
}

static bool seen_to_load(const struct cfg *cfg, int64_t before_us, const struct deadline *dl)
{
	int64_t loaded_us;

	while (!deadline_passed(dl)) {
		struct deadline pause = deadline_sooner(dl, LOOK_AGAIN_MS);

		if (server_config_loaded(&loaded_us, cfg, dl) == 0 && loaded_us != before_us)
			return true;
		deadline_sleep(&pause);
	}
	return false;
}

static struct verdict act(const struct cfg *cfg, const struct deadline *dl)
{
	struct verdict verdict =
	    YES("reloaded", "the server has read its configuration files", NULL);
	struct server_config config;
	int64_t before_us = 0;
	int rc = server_config_loaded(&before_us, cfg, dl);

	if (rc == 0)
		rc = server_config_reload(cfg, dl);
	if (rc < 0)
		return (struct verdict)UNKNOWN("not-told", "the server could not be told to reload",
					       "the line before this one says why");
	if (!seen_to_load(cfg, before_us, dl))
		return (struct verdict)INCOMPLETE(
		    "not-reloaded", "the server was told, and was not seen to read its files",
		    "its own log says what is in the way");
	server_config_ask(&config, cfg, PG_LOCAL, dl);
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s%.150s%s%s%.120s",
		       config.passed[0] != '\0' ? "passed over: " : "", config.passed,
		       config.passed[0] != '\0' && config.pending[0] != '\0' ? "; " : "",
		       config.pending[0] != '\0' ? "these wait for a restart: " : "",
		       config.pending);
	if (config.pending[0] != '\0')
		verdict.hint = "\"restart\" restarts the server, which stays what it is";
	return verdict;
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli)
{
	const struct deadline dl = deadline_in_ms(BUDGET_MS);
	const struct server local = planned_ask(cfg, PG_LOCAL);
	const bool speaks = local.state == SERVER_PRIMARY || local.state == SERVER_STANDBY;
	struct server_config config = { .ignored = FACT_UNKNOWN };
	struct facts facts = { .local = local.state };
	struct verdict verdict;
	bool may;

	if (speaks)
		server_config_ask(&config, cfg, PG_LOCAL, &dl);
	facts.ignored = config.ignored;
	verdict = decide(&facts, &may);
	if (cli->explain)
		rules_explain(reload_rules, &facts, NULL, stdout);
	if (!may)
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s",
			       speaks ? config.why : local.why);
	return may && !cli->dry_run ? act(cfg, &dl) : verdict;
}

int main(int argc, char **argv)
{
	const struct cli_spec spec = {
		.program = "reload",
		.summary = "tell this node's server to read its configuration files",
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (!helper_begin(&cfg, &cli, HELPER_NODE, &verdict))
		return cli_finish(&cli, &verdict);
	verdict = run(&cfg, &cli);
	return cli_finish(&cli, &verdict);
}
