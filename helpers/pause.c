/* SPDX-License-Identifier: PostgreSQL */
/*
 * pause - nobody takes over by itself for a time.
 *
 * Run by an operator before planned work.  It forbids takeovers and changes nothing else: the
 * primary serves under its lease, and fences itself as ever.  It writes one row at the witness, or
 * without a record one file of this node.  It can be killed at any line: the pause stands or it
 * does not, and ends by itself.  Exit codes:
 *
 *	0 paused
 *	2 refused by a rule
 *	3 the witness did not answer
 *	64 71 78 called wrongly, system, configuration
 */
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/text.h"
#include "config/cfg.h"
#include "node/helper.h"
#include "planned/pausing.h"

static struct verdict usage(const char *message)
{
	return (struct verdict)USAGE_ERROR("usage", message,
					   "for example: pause 30m \"kernel update\"");
}

/* "30m" is what people type for the configuration's "30min". */
static int parse_time(const char *text, int64_t *ms)
{
	char whole[32];
	const size_t length = strlen(text);

	if (length >= sizeof(whole) - 2)
		return -1;
	(void)snprintf(whole, sizeof(whole), "%s%s", text,
		       length > 1 && text[length - 1] == 'm' ? "in" : "");
	return cfg_duration_parse(whole, ms);
}

static struct verdict run(const struct cfg *cfg, const struct cli *cli)
{
	struct pause pause = { .runs = FACT_YES };

	if (cli->operand_count == 0)
		return usage("how long is missing");
	if (parse_time(cli->operands[0], &pause.left_ms) < 0 || pause.left_ms <= 0 ||
	    pause.left_ms > PAUSE_MAX_MS)
		return usage("the time is none, or longer than 7 days");
	if (cli->operand_count > 1 && strlen(cli->operands[1]) >= sizeof(pause.why))
		return usage("the reason is longer than a line");
	text_clean(pause.why, sizeof(pause.why), cli->operand_count > 1 ? cli->operands[1] : "");
	pausing_who(cfg, pause.by, sizeof(pause.by));
	return pausing_do(cfg, &pause, cli->dry_run, cli->explain ? stdout : NULL);
}

int main(int argc, char **argv)
{
	const struct cli_spec spec = {
		.program = "pause",
		.summary = "nobody takes over by itself for a time: pause 30m \"kernel update\"",
		.operands = "TIME [REASON]",
		.max_operands = 2,
		.acts = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (!helper_begin(&cfg, &cli, HELPER_FILES, &verdict))
		return cli_finish(&cli, &verdict);
	verdict = run(&cfg, &cli);
	return cli_finish(&cli, &verdict);
}
