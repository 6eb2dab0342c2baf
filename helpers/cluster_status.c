/* SPDX-License-Identifier: PostgreSQL */
/*
 * cluster_status - what is known of both nodes, the witness and the address.
 *
 * Run by people and by scripts (--json), on either node, as root.  It changes nothing.  It also
 * says what would happen if the primary died now.  Exit codes:
 *
 *	0 all is well
 *	1 something is wrong, for certain
 *	3 nothing is known to be wrong, but not everything could be found out
 *	64 71 78 called wrongly, system, configuration
 */
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/cli.h"
#include "base/fold.h"
#include "base/log.h"
#include "base/text.h"
#include "base/verdict.h"
#include "config/cfg.h"
#include "node/helper.h"
#include "node/history.h"
#include "status/status.h"

static struct verdict history(const struct cfg *cfg, const struct cli *cli)
{
	struct verdict verdict =
	    YES("history", "fences, promotions and rejoins of this node", NULL);
	int rc = cli->json ? history_copy(cfg, stdout) : history_print(cfg, stdout);

	if (rc < 0) {
		verdict.outcome = OUT_SYSTEM;
		verdict.message = "the history cannot be read";
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s: %s",
			       file_state(cfg, "history").text, strerror(-rc));
	}
	return verdict;
}

static void add_server(struct verdict *verdict, const char *name, const struct server *server)
{
	const size_t used = strlen(verdict->detail);
	char why[112];

	text_cut(why, sizeof(why), server->why);
	(void)snprintf(verdict->detail + used, sizeof(verdict->detail) - used, "%s%s: %s%s%s",
		       used > 0 ? "; " : "", name, server_state_word(server->state),
		       why[0] != '\0' ? ", " : "", why);
}

static void print_table(const struct status *status, const struct cfg *cfg,
			const struct verdict *verdict)
{
	struct fold fold;

	status_print(status, cfg, verdict, fold_begin(&fold, stdout));
	fold_end(&fold);
}

static struct verdict look(const struct cfg *cfg, const struct cli *cli)
{
	struct status status;
	struct status_facts facts;
	struct verdict verdict;

	status_gather(&status, cfg);
	facts = status_facts_of(&status, cfg);
	verdict = status_decide(&facts);
	if (cli->explain)
		status_explain(&facts, stdout);
	else if (cli->json)
		status_print_json(&status, cfg, &verdict, stdout);
	else
		print_table(&status, cfg, &verdict);
	if (facts.fenced == FACT_YES || facts.local == SERVER_DOWN)
		status_last_rejoin(&status, verdict.detail, sizeof(verdict.detail));
	if (facts.vanishes == FACT_YES)
		status_flow_words(&status.flow, verdict.detail, sizeof(verdict.detail));
	for (size_t i = 0; i < CFG_NODES; i++)
		add_server(&verdict, cfg->nodes[i].name, &status.servers[i]);
	return verdict;
}

int main(int argc, char **argv)
{
	bool wants_history = false;
	const struct cli_option extra[] = {
		{ "history", NULL, "past fences, promotions, rejoins of this node", &wants_history,
		  NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "cluster_status",
		.summary = "what is known of both nodes, the witness and the address",
		.options = extra,
		.answers = true,
		.shows = true,
		.explains = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cli.explain && (cli.json || wants_history)) {
		verdict = (struct verdict)USAGE_ERROR(
		    "usage", "--explain does not go with --json and --history", NULL);
		return cli_finish(&cli, &verdict);
	}
	if (!helper_begin(&cfg, &cli, HELPER_NODE, &verdict))
		return cli_finish(&cli, &verdict);
	verdict = wants_history ? history(&cfg, &cli) : look(&cfg, &cli);
	return cli_finish(&cli, &verdict);
}
