/* SPDX-License-Identifier: PostgreSQL */
/*
 * check_answer - what keepalived's track scripts run each second: reads, and asks nobody.
 *
 * For the election instance it gives the answer of "check_primary --watch" (node/answer.h); when
 * there is none, or none that is new enough, it becomes check_primary, which finds out for itself.
 * For the vip instance (--serving) it says whether keepalived may believe the serving file.  It
 * takes no library that asks a server: it runs twice a second for as long as the node is up.  Exit
 * codes:
 *
 *	0 yes
 *	1 no
 *	3 could not be found out in time
 *	64 71 78 called wrongly, system, configuration
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "check/check_files.h"
#include "check/check_rules.h"
#include "config/cfg.h"
#include "node/answer.h"
#include "node/attempt.h"
#include "node/identity.h"
#include "node/keepalived.h"
#include "node/path.h"
#include "node/stamp.h"

/*
 * A yes which nobody takes back any more ends with the lease; and yes where the file says no, so
 * that a promotion need not wait for keepalived's next round.
 */
static struct verdict check_serving(const struct cfg *cfg, bool keepalived)
{
	struct check_facts f = { .local = SERVER_UNKNOWN };

	check_gather_files(&f, cfg);
	/* Otherwise "does not serve, and says so" would be said to nobody. */
	if (keepalived && keepalived_watches(getppid(), cfg->run_dir) != FACT_YES)
		return (struct verdict)NO(
		    "unwatched", "keepalived does not watch the run directory",
		    "reload keepalived; \"cluster_config tmpfiles\" makes the directory at boot");
	return check_serving_decide(&f);
}

/* Returns only when that is not possible. */
static struct verdict become_check_primary(const struct cfg *cfg)
{
	/* execv(3) wants them writable. */
	char path[CFG_PATH_MAX + CFG_NAME_MAX], config[CFG_PATH_MAX], node[CFG_NAME_MAX];
	char with_config[] = "-c", with_node[] = "-n", automatic[] = "--auto";
	char *argv[] = { path, with_config, config, with_node, node, automatic, NULL };
	struct verdict verdict =
	    SYSTEM_ERROR("cannot-ask", "check_primary cannot be executed",
			 "is it installed, and are processes and memory left?");

	(void)snprintf(path, sizeof(path), "%s/check_primary", cfg->libexec_dir);
	(void)snprintf(config, sizeof(config), "%s", cfg->path);
	(void)snprintf(node, sizeof(node), "%s", cfg_self(cfg)->name);
	(void)execv(path, argv);
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s: %s", path, strerror(errno));
	return verdict;
}

/* The run directory is gone after a boot, and keepalived may be there before the guard. */
static int note_call(const struct cfg *cfg)
{
	int rc = stamp_write(cfg, STAMP_KEEPALIVED, now_ms(), "called");

	if (rc != -ENOENT)
		return rc;
	rc = files_prepare(cfg);
	return rc < 0 ? rc : stamp_write(cfg, STAMP_KEEPALIVED, now_ms(), "called");
}

int main(int argc, char **argv)
{
	bool keepalived = false;
	bool serving = false;
	const struct cli_option machine[] = {
		{ "keepalived", NULL, "called by keepalived: note that it runs", &keepalived,
		  NULL },
		{ "serving", NULL, "may keepalived believe the serving file?", &serving, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "check_answer",
		.summary = "what keepalived's track scripts ask each second",
		.machine = machine,
	};
	enum outcome outcome;
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	if (cfg_load(&cfg, cli.config_path) < 0 ||
	    (cli.node != NULL && node_identify_named(&cfg, cli.node) < 0)) {
		verdict = cli_config_error();
		return cli_finish(&cli, &verdict);
	}
	if (cli.node == NULL) {
		verdict = (struct verdict)USAGE_ERROR(
		    "usage", "-n NODE is missing", "\"cluster_config keepalived\" prints the call");
		return cli_finish(&cli, &verdict);
	}
	if (keepalived)
		log_failed("note that keepalived runs", note_call(&cfg));
	if (serving) {
		verdict = check_serving(&cfg, keepalived);
		/* keepalived asks each second; only what differs is worth a line in the log. */
		return attempt_changes(&cfg, ATTEMPT_CHECK_SERVING, &verdict)
			   ? cli_finish(&cli, &verdict)
			   : (int)verdict.outcome;
	}
	/* Planned work stops the server: the election file says when the other node is to be
	 * MASTER. */
	if (keepalived && stamp_runs(&cfg, STAMP_HANDOVER))
		return OUT_YES;
	if (answer_read(&cfg, &outcome))
		return (int)outcome;
	verdict = become_check_primary(&cfg);
	return cli_finish(&cli, &verdict);
}
