/* SPDX-License-Identifier: PostgreSQL */
/*
 * resume - end a pause before its time: the standby may take over again.
 *
 * Run by an operator, on either node with a record, else on the one that promised it.  It also ends
 * the pause without an end of "witness_record --pause".  It can be killed at any line.  Exit codes:
 *
 *	0 takeovers are not paused
 *	2 refused by a rule
 *	3 the witness did not answer
 *	64 71 78 called wrongly, system, configuration
 */
#include <stdio.h>

#include "base/cli.h"
#include "config/cfg.h"
#include "node/helper.h"
#include "planned/pausing.h"

int main(int argc, char **argv)
{
	const struct cli_spec spec = {
		.program = "resume",
		.summary = "end a pause before its time: the standby may take over again",
		.acts = true,
	};
	struct pause pause = { .runs = FACT_NO };
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (!helper_begin(&cfg, &cli, HELPER_FILES, &verdict))
		return cli_finish(&cli, &verdict);
	pausing_who(&cfg, pause.by, sizeof(pause.by));
	verdict = pausing_do(&cfg, &pause, cli.dry_run, cli.explain ? stdout : NULL);
	return cli_finish(&cli, &verdict);
}
