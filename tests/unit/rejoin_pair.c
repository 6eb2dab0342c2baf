/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin_pair.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define main rejoin_main
#include "rejoin.c"
#undef main

#include "base/state.h"
#include "pidspace.h"
#include "postgres/pgctl.h"

struct pgfixture pair_servers;

int pair_stop(size_t node)
{
	const struct pgctl_stop stages = { .fast_ms = 10000, .immediate_ms = 5000 };
	struct deadline dl = deadline_in_ms(16000);
	const char *how;
	int rc = pgctl_stop(&pair_servers.cfg[node], &stages, &dl, &how);

	pair_servers.postmaster[node] = 0;
	pidspace_reap();
	return rc;
}

/* No polite stage, and what it had not sent yet is lost. */
static int kill_now(size_t node)
{
	const struct pgctl_stop at_once = { 0 };
	struct deadline dl = deadline_in_ms(5000);
	const char *how;
	int rc = pgctl_stop(&pair_servers.cfg[node], &at_once, &dl, &how);

	pair_servers.postmaster[node] = 0;
	pidspace_reap();
	return rc;
}

void pair_crash(size_t node)
{
	assert_int_equal(kill_now(node), 0);
}

int pair_copy(const char *from, const char *to)
{
	const char *const argv[] = { "/bin/cp", "-a", from, to, NULL };

	return pgfixture_run(argv, false, NULL, 0);
}

/* Whether the stop came too soon to be noted, or just in time, is seen from the control file. */
void pair_stop_in_recovery(size_t node)
{
	struct deadline dl = deadline_in_ms(20000);
	struct pgdata_control control = { 0 };

	while (strcmp(control.state, "shut down in recovery") != 0 && !deadline_passed(&dl)) {
		pid_t pid;
		int fd = -1;

		assert_int_equal(pgfixture_start(&pair_servers, node, false), 0);
		while ((fd = pgdata_postmaster(&pair_servers.cfg[node], &pid)) < 0 &&
		       !deadline_passed(&dl))
			(void)poll(NULL, 0, 1);
		(void)close(fd);
		assert_int_equal(pgfixture_stop(&pair_servers, node, SIGINT), 0);
		pgdata_control(&control, &pair_servers.cfg[node], &dl);
	}
	assert_string_equal(control.state, "shut down in recovery");
	/* The fixture's own logs are root's. */
	assert_int_equal(unlink(pair_servers.cfg[node].log_file), 0);
}

int pair_drop(const char *path)
{
	const char *const argv[] = { "/bin/rm", "-rf", path, NULL };

	return pgfixture_run(argv, false, NULL, 0);
}

/* Each test begins with a copy of the same two data directories. */
static const char *golden(size_t node)
{
	static char path[CFG_PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s.golden", pair_servers.cfg[node].data_dir);
	return path;
}

int pair_make(void **unused)
{
	(void)unused;
	if (pgfixture_pair(&pair_servers) < 0)
		return -1;
	if (pgfixture_sql(&pair_servers, 0,
			  "GRANT pg_checkpoint TO pgvrrp; CREATE TABLE t (n int);"
			  "INSERT INTO t VALUES (1)",
			  NULL, 0) < 0)
		return -1;
	for (size_t node = 0; node < CFG_NODES; node++)
		if (pair_stop(node) < 0 ||
		    pair_copy(pair_servers.cfg[node].data_dir, golden(node)) != 0)
			return -1;
	return 0;
}

int pair_remove(void **unused)
{
	(void)unused;
	pgfixture_end(&pair_servers);
	return 0;
}

int pair_set_up(void **unused)
{
	(void)unused;
	for (size_t node = 0; node < CFG_NODES; node++) {
		const struct cfg *cfg = &pair_servers.cfg[node];

		if (pair_drop(cfg->data_dir) != 0 || pair_drop(cfg->run_dir) != 0 ||
		    pair_drop(cfg->state_dir) != 0 || pair_copy(golden(node), cfg->data_dir) != 0 ||
		    files_prepare(cfg) < 0 || pgfixture_start(&pair_servers, node, true) < 0)
			return -1;
		/* The fixture's own logs are root's. */
		if (unlink(cfg->log_file) < 0)
			return -1;
	}
	return pgfixture_until(&pair_servers, 0, "SELECT state FROM pg_stat_replication",
			       "streaming");
}

int pair_tear_down(void **unused)
{
	int rc = 0;

	(void)unused;
	for (size_t node = 0; node < CFG_NODES; node++)
		rc = kill_now(node) < 0 ? -1 : rc;
	return rc;
}

void pair_sql(size_t node, const char *text)
{
	assert_int_equal(pgfixture_sql(&pair_servers, node, text, NULL, 0), 0);
}

void pair_until(size_t node, const char *query, const char *wanted)
{
	assert_int_equal(pgfixture_until(&pair_servers, node, query, wanted), 0);
}

/* Everything that was written on the primary has come. */
void pair_caught_up(size_t primary, size_t standby)
{
	char lsn[32], query[96];

	assert_int_equal(pgfixture_sql(&pair_servers, primary, "SELECT pg_current_wal_flush_lsn()",
				       lsn, sizeof(lsn)),
			 0);
	(void)snprintf(query, sizeof(query), "SELECT pg_last_wal_replay_lsn() >= '%s'", lsn);
	pair_until(standby, query, "t");
}

void pair_promote(size_t node)
{
	pair_sql(node, "SELECT pg_promote()");
	pair_until(node, "SELECT pg_is_in_recovery()", "f");
}

struct verdict pair_rejoin(const struct cfg *cfg, const struct pair_options *options)
{
	const struct cli cli = { .program = "rejoin", .dry_run = options->dry_run };
	const struct options same = { .automatic = options->automatic,
				      .gate = options->gate,
				      .no_resume = options->no_resume,
				      .rebuild = options->rebuild,
				      .check = options->check,
				      .lift = options->lift,
				      .discard = options->discard,
				      .without_salvage = options->without_salvage,
				      .assume_peer_down = options->assume_peer_down };
	struct cfg quick = *cfg;

	quick.rejoin_budget_ms = 20000;
	return run(&quick, &cli, &same);
}

void pair_rejoins(const struct cfg *cfg, const struct pair_options *options, enum outcome outcome,
		  const char *rule)
{
	struct verdict verdict = pair_rejoin(cfg, options);

	if (verdict.outcome != outcome || strcmp(verdict.rule, rule) != 0)
		print_error("%s %s: %s (%s)\n", outcome_word(verdict.outcome), verdict.rule,
			    verdict.message, verdict.detail);
	assert_string_equal(verdict.rule, rule);
	assert_int_equal(verdict.outcome, outcome);
}

bool pair_history_has(const struct cfg *cfg, const char *what)
{
	char text[STATE_TEXT_MAX];

	return state_read(file_state(cfg, "history").text, text, sizeof(text)) == 0 &&
	       strstr(text, what) != NULL;
}

void pair_stays_down(const struct cfg *cfg)
{
	const struct deadline dl = deadline_in_ms(10000);

	/* A server that gave up at its start ends its processes one after the other. */
	while (pgdata_processes(cfg, NULL, 0) != 0 && !deadline_passed(&dl)) {
		pidspace_reap();
		(void)poll(NULL, 0, 20);
	}
	assert_int_equal(pgdata_processes(cfg, NULL, 0), 0);
}
