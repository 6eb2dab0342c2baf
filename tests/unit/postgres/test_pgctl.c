/* SPDX-License-Identifier: PostgreSQL */
/* Stopping by signals to verified processes. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "pgfixture.h"
#include "pidspace.h"
#include "postgres/pgctl.h"
#include "postgres/pgdata.h"

static struct pgfixture servers;
static struct cfg *const cfg = &servers.cfg[0];
static pid_t client;

static const struct pgctl_stop stages = { .fast_ms = 3000, .immediate_ms = 3000 };

static int stop(const struct pgctl_stop *stop_stages, int64_t budget_ms, const char **how)
{
	struct deadline dl = deadline_in_ms(budget_ms);

	return pgctl_stop(cfg, stop_stages, &dl, how);
}

static int running(void)
{
	return pgdata_processes(cfg, NULL, 0);
}

/*
 * Processes that pgctl_stop has ended are to be reaped by their parent, which is this process, for
 * servers that were left to init too: PostgreSQL takes a zombie in postmaster.pid for a running
 * server.
 */
static void reap(void)
{
	pidspace_reap();
	servers.postmaster[0] = 0;
}

static int tear_down(void **unused)
{
	const struct pgctl_stop now = { 0 };
	const char *how;
	int rc;

	(void)unused;
	rc = stop(&now, 5000, &how);
	if (client != 0) {
		(void)kill(client, SIGKILL);
		(void)waitpid(client, NULL, 0);
		client = 0;
	}
	reap();
	return rc;
}

/* A client whose backend computes and looks at nothing, least of all at its postmaster. */
static void keep_a_backend_busy(void)
{
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	client = fork();
	if (client == 0) {
		(void)pgfixture_sql(&servers, 0,
				    "SET max_parallel_workers_per_gather = 0;"
				    "SELECT count(*) FROM generate_series(1, 100000) a,"
				    " generate_series(1, 100000) b",
				    NULL, 0);
		_exit(0);
	}
	assert_int_equal(pgfixture_until(&servers, 0,
					 "SELECT count(*) FROM pg_stat_activity"
					 " WHERE state = 'active' AND query LIKE '%generate%'"
					 " AND pid <> pg_backend_pid()",
					 "1"),
			 0);
}

static void nothing_runs_is_success(void **unused)
{
	const char *how = NULL;

	(void)unused;
	assert_int_equal(stop(&stages, 1000, &how), 0);
	assert_string_equal(how, "not running");
}

static void no_directory_is_not_stopped(void **unused)
{
	struct deadline dl = deadline_in_ms(300);
	struct cfg other = *cfg;
	const char *how;

	(void)unused;
	(void)snprintf(other.data_dir, sizeof(other.data_dir), "/nonexistent");
	assert_int_equal(pgctl_stop(&other, &stages, &dl, &how), -ENODEV);
}

static void stops_fast(void **unused)
{
	const char *how;

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	assert_int_equal(stop(&stages, 10000, &how), 0);
	assert_string_equal(how, "fast");
	assert_int_equal(running(), 0);
}

static void stops_immediately_when_told(void **unused)
{
	const struct pgctl_stop immediate = { .immediate_ms = 3000 };
	const char *how;

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	assert_int_equal(stop(&immediate, 10000, &how), 0);
	assert_string_equal(how, "immediate");
	assert_int_equal(running(), 0);
}

static void kills_when_told(void **unused)
{
	const struct pgctl_stop now = { 0 };
	const char *how;

	(void)unused;
	keep_a_backend_busy();
	assert_int_equal(stop(&now, 10000, &how), 0);
	assert_string_equal(how, "killed");
	assert_int_equal(running(), 0);
}

/* A frozen postmaster takes neither SIGINT nor SIGQUIT, and the stages end in time all the same. */
static void kills_a_frozen_postmaster(void **unused)
{
	const struct pgctl_stop quick = { .fast_ms = 200, .immediate_ms = 100 };
	int64_t began;
	const char *how;

	(void)unused;
	keep_a_backend_busy();
	assert_int_equal(kill(servers.postmaster[0], SIGSTOP), 0);
	began = now_ms();
	assert_int_equal(stop(&quick, 5000, &how), 0);
	assert_string_equal(how, "killed");
	assert_in_range(now_ms() - began, 300, 1500);
	assert_int_equal(running(), 0);
}

/* Backends go on committing when the postmaster is killed; one that computes does not notice. */
static void ends_orphaned_backends(void **unused)
{
	const char *how;
	pid_t pid;

	(void)unused;
	keep_a_backend_busy();
	assert_int_equal(pgfixture_stop(&servers, 0, SIGKILL), 0);
	assert_int_equal(pgdata_postmaster(cfg, &pid), -ENOENT);
	assert_true(running() >= 1);
	assert_int_equal(stop(&stages, 5000, &how), 0);
	assert_string_equal(how, "killed");
	assert_int_equal(running(), 0);
}

static void stops_without_postmaster_pid(void **unused)
{
	char path[CFG_PATH_MAX + 32];
	const char *how;

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	(void)snprintf(path, sizeof(path), "%s/postmaster.pid", cfg->data_dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(stop(&stages, 5000, &how), 0);
	assert_string_equal(how, "killed");
	assert_int_equal(running(), 0);
}

static void a_passed_deadline_still_kills(void **unused)
{
	const char *how;

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	/* 0 when the kernel was quick, -ETIMEDOUT when the end was not seen. */
	assert_in_set((uintmax_t)(stop(&stages, 0, &how) + 200),
		      ((uintmax_t[]){ 200, (uintmax_t)(200 - ETIMEDOUT) }), 2);
	reap();
	assert_int_equal(stop(&stages, 2000, &how), 0);
	assert_int_equal(running(), 0);
}

static void spares_other_processes_of_the_user(void **unused)
{
	const struct pgctl_stop now = { 0 };
	const char *how;
	pid_t other;

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	other = fork();
	if (other == 0) {
		struct stat owner;

		if (stat(cfg->data_dir, &owner) == 0 && chdir(cfg->data_dir) == 0 &&
		    setgid(owner.st_gid) == 0 && setuid(owner.st_uid) == 0)
			(void)pause();
		_exit(1);
	}
	assert_int_equal(stop(&now, 5000, &how), 0);
	assert_int_equal(kill(other, 0), 0);
	assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, NULL, 0), other);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nothing_runs_is_success),
		TEST(no_directory_is_not_stopped),
		TEST(stops_fast),
		TEST(stops_immediately_when_told),
		TEST(kills_when_told),
		TEST(kills_a_frozen_postmaster),
		TEST(ends_orphaned_backends),
		TEST(stops_without_postmaster_pid),
		TEST(a_passed_deadline_still_kills),
		TEST(spares_other_processes_of_the_user),
	};
	int failed;

	if (pgfixture_network() < 0 || pgfixture_init(&servers) < 0) {
		pgfixture_end(&servers);
		return 1;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	pgfixture_end(&servers);
	return failed;
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
