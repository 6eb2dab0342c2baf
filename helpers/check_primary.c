/* SPDX-License-Identifier: PostgreSQL */
/*
 * check_primary - may this node be, or become, the one that serves?
 *
 * Run by the guard, round after round (--watch), and by what finds no answer of that to go by: the
 * track scripts of keepalived (check_answer), the guard (--auto); by fence_self (--primary,
 * --successor), by a person.  On a primary it asks the peer for its vote and, while the lease runs,
 * says "serving" to keepalived; on a standby it notes when the primary was last seen. It acts: it
 * writes files of this node; with a record it renews, pairs and unpairs the witness's row and sets
 * synchronous_standby_names of the local server (check/duty.h); and it starts fence_self when it
 * finds a second primary, a guard that is late, or a full disk (disk_full = step-down).  With
 * --read-only it does none of that and writes no file: for monitoring.  Exit codes:
 *
 *	0 yes
 *	1 no
 *	2 --watch: another one runs
 *	3 could not be found out in time
 *	64 71 78 called wrongly, system, configuration
 *
 * With --nagios they are those of monitoring plugins: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
 */
#include "base/cli.h"
#include "base/deadline.h"
#include "base/log.h"
#include "check/check_round.h"
#include "check/check_watch.h"
#include "check/successor.h"
#include "config/cfg.h"
#include "health/nagios.h"
#include "node/attempt.h"
#include "node/helper.h"
#include "node/news.h"

struct options {
	bool primary;
	bool successor;
	bool automatic;
	bool watch;
	bool read_only;
	bool nagios;
	bool cron;
	const char *warning;
	const char *critical;
};

/* For monitoring: the verdict as a plugin tells it.  Its codes are those of plugins. */
static int tell_nagios(const struct cfg *cfg, const struct options *options,
		       const struct verdict *verdict)
{
	struct verdict said = *verdict;
	struct nagios_limits limits;
	struct health health;
	enum nagios is;

	health_look(&health, cfg);
	if (nagios_limit_parse(&limits.warning, options->warning) < 0 ||
	    nagios_limit_parse(&limits.critical, options->critical) < 0)
		said = (struct verdict)USAGE_ERROR(
		    "usage", "a lag is digits with B, kB, MB, GB, TB, ms, s, min or h", NULL);
	is = nagios_decide(&said, &health, &limits);
	nagios_print(stdout, is, &said, &health, &limits);
	return fflush(stdout) == 0 ? (int)is : (int)NAGIOS_UNKNOWN;
}

static struct verdict check(const struct cfg *cfg, const struct cli *cli,
			    const struct options *options)
{
	FILE *out = cli->explain ? stdout : NULL;
	struct check_seen seen;
	struct verdict verdict;

	if (options->successor)
		return successor_look(cfg);
	verdict = options->read_only ? check_look(cfg, cli->started_ms, &seen, out)
				     : check_round_explained(cfg, cli->started_ms, &seen, out);
	if (options->primary && verdict.outcome == OUT_YES && seen.is != SERVER_PRIMARY)
		verdict = (struct verdict)NO("standby", "this node is a standby", NULL,
					     .id = RULE_STANDBY);
	return verdict;
}

/* Keepalived asks each second; only what differs from the last answer is worth a line in the
 * log. */
static bool is_news(const struct cfg *cfg, const struct verdict *verdict)
{
	if (!news_wants(cfg, ATTEMPT_CHECK_PRIMARY, verdict))
		return false;
	attempt_note(cfg, ATTEMPT_CHECK_PRIMARY, verdict);
	return true;
}

static void tell(const struct cfg *cfg, const struct verdict *verdict, int64_t asked_ms)
{
	if (is_news(cfg, verdict))
		log_verdict(verdict, now_ms() - asked_ms);
}

static bool fits(const struct options *options, const struct cli *cli, struct verdict *verdict)
{
	*verdict = (struct verdict){ .outcome = OUT_YES };
	if (cli->explain && (options->successor || options->watch))
		*verdict = (struct verdict)USAGE_ERROR(
		    "usage", "--explain is of one round: not with --successor or --watch", NULL);
	else if (options->read_only && (options->watch || options->automatic))
		*verdict = (struct verdict)USAGE_ERROR(
		    "usage", "--read-only does not go with --watch and --auto",
		    "those are for the guard and keepalived, and act");
	return verdict->outcome == OUT_YES;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	const struct cli_option extra[] = {
		{ "primary", NULL, "yes only for a primary that serves by right", &options.primary,
		  NULL },
		{ "successor", NULL, "would the standby take over from this node?",
		  &options.successor, NULL },
		{ "read-only", NULL, "for monitoring: ask, and write nothing at all",
		  &options.read_only, NULL },
		{ "nagios", NULL, "as --read-only, in the form of monitoring plugins",
		  &options.nagios, NULL },
		{ "warning", "LAG", "--nagios: above it, 16MB or 5s, a standby is a warning", NULL,
		  &options.warning },
		{ "critical", "LAG", "--nagios: above it a standby is critical", NULL,
		  &options.critical },
		{ "cron", NULL, "as --read-only, and silent when all is well", &options.cron,
		  NULL },
		{ 0 },
	};
	const struct cli_option machine[] = {
		{ "auto", NULL, "log only what has changed", &options.automatic, NULL },
		{ "watch", NULL, "ask round after round, for the guard", &options.watch, NULL },
		{ 0 },
	};
	const struct cli_spec spec = {
		.program = "check_primary",
		.summary = "may this node serve?  Acts on the answer, unless --read-only",
		.options = extra,
		.machine = machine,
		.explains = true,
	};
	struct verdict verdict;
	struct cfg cfg;
	struct cli cli;

	cli_parse(&cli, &spec, argc, argv);
	options.read_only |= options.nagios || options.cron;
	cli.answers = options.cron;
	if (!fits(&options, &cli, &verdict))
		return cli_finish(&cli, &verdict);
	if (!helper_begin(&cfg, &cli, options.read_only ? HELPER_NODE : HELPER_TRIES_FILES,
			  &verdict)) {
		if (options.nagios)
			(void)puts("PG_VRRP UNKNOWN - the configuration has errors");
		return options.nagios ? (int)NAGIOS_UNKNOWN : cli_finish(&cli, &verdict);
	}
	verdict = options.watch ? check_watch(&cfg, tell) : check(&cfg, &cli, &options);
	if (options.nagios)
		return tell_nagios(&cfg, &options, &verdict);
	return helper_end(&cli, &verdict,
			  options.automatic && !options.successor && !is_news(&cfg, &verdict));
}
