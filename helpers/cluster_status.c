/* SPDX-License-Identifier: PostgreSQL */
/*
 * cluster_status - what is known of both nodes, the witness and the virtual address.
 *
 * Run by people and by scripts (--json), on either node, as root.  It changes nothing.  It also says
 * what would happen if the primary died now.  Exit codes:
 *
 *	0 all is well
 *	1 something is wrong, for certain
 *	3 nothing is known to be wrong, but not everything could be found out
 *	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/cli.h"
#include "base/log.h"
#include "base/outcome.h"
#include "config/cfg.h"
#include "status/status.h"

/* Copies one file of the history; a missing one is empty. */
static int copy(const struct cfg *cfg, const char *name, FILE *out)
{
	FILE AUTO_FILE *in = fopen(file_state(cfg, name).text, "re");
	char part[4096];
	size_t got;

	if (in == NULL)
		return errno == ENOENT ? 0 : -errno;
	while ((got = fread(part, 1, sizeof(part), in)) > 0)
		(void)fwrite(part, 1, got, out);
	return ferror(in) != 0 ? -EIO : 0;
}

static struct verdict history(const struct cfg *cfg)
{
	struct verdict verdict = { .outcome = OUT_YES,
				   .rule = "history",
				   .message = "fences, promotions and rejoins of this node" };
	int rc = copy(cfg, "history.1", stdout);

	if (rc == 0)
		rc = copy(cfg, "history", stdout);
	if (rc < 0) {
		verdict.outcome = OUT_SYSTEM;
		verdict.message = "the history cannot be read";
		(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s", strerror(-rc));
	}
	return verdict;
}

static struct verdict look(const struct cfg *cfg, const struct cli *cli)
{
	struct status status;
	struct status_facts facts;
	struct verdict verdict;

	status_gather(&status, cfg);
	facts = status_facts_of(&status, cfg);
	verdict = status_decide(&facts);
	if (cli->json)
		status_print_json(&status, cfg, &verdict, stdout);
	else
		status_print(&status, cfg, stdout);
	/* On a terminal the verdict comes last by itself, on standard error. */
	if (!cli->json && isatty(STDERR_FILENO) == 0)
		printf("\n%s\n", verdict.message);
	for (size_t i = 0; i < CFG_NODES; i++) {
		const size_t used = strlen(verdict.detail);
		const struct server *server = &status.servers[i];

		(void)snprintf(verdict.detail + used, sizeof(verdict.detail) - used,
			       "%s%s: %s%s%.100s", i > 0 ? "; " : "", cfg->nodes[i].name,
			       server_state_word(server->state), server->why[0] != '\0' ? ", " : "",
			       server->why);
	}
	return verdict;
}

int main(int argc, char **argv)
{
	bool wants_history = false;
	const struct cli_option extra[] = {
		{ "history", NULL,
		  "print past fences, promotions and rejoins of this node, as JSON", &wants_history,
		  NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "cluster_status",
		.summary = "what is known of both nodes, the witness and the virtual address",
		.options = extra,
		.shows = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cfg_load(&cfg, cli.config_path) < 0 || cfg_identify(&cfg, cli.node) < 0)
		return cli_finish_config(&cli);
	verdict = wants_history ? history(&cfg) : look(&cfg, &cli);
	return cli_finish(&cli, &verdict);
}
