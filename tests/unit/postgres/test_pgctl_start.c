/* SPDX-License-Identifier: PostgreSQL */
/* Starting so that the server survives us. */
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
#include "base/state.h"
#include "pgfixture.h"
#include "pidspace.h"
#include "postgres/pgctl.h"
#include "postgres/pgdata.h"
#include "postgres/server.h"

static struct pgfixture servers;
static struct cfg *const cfg = &servers.cfg[0];

static int tear_down(void **unused)
{
	const struct pgctl_stop at_once = { 0 };
	struct deadline dl = deadline_in_ms(5000);
	const char *how;
	int rc = pgctl_stop(cfg, &at_once, &dl, &how);

	(void)unused;
	servers.postmaster[0] = 0;
	pidspace_reap();
	return rc;
}

static int running(void)
{
	return pgdata_processes(cfg, NULL, 0);
}

static bool answers(int64_t within_ms)
{
	struct deadline dl = deadline_in_ms(within_ms);
	struct server server = { 0 };

	do {
		struct deadline once = deadline_sooner(&dl, 1000), pause = deadline_in_ms(20);

		server_ask(&server, cfg, PG_LOCAL, &once);
		deadline_sleep(&pause);
	} while (server.state != SERVER_PRIMARY && !deadline_passed(&dl));
	return server.state == SERVER_PRIMARY;
}

/* Starts it in a child that ends, or is killed as soon as there is a process of the server. */
static bool survives(bool killed)
{
	struct deadline until = deadline_in_ms(10000);
	struct deadline stays = { 0 };
	pid_t child = fork();

	if (child == 0) {
		struct deadline dl = deadline_in_ms(10000);

		_exit(pgctl_start(cfg, &dl) < 0);
	}
	while (killed && running() <= 0 && !deadline_passed(&until))
		(void)poll(NULL, 0, 1);
	if (killed)
		(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	if (!answers(10000))
		return false;
	stays = deadline_in_ms(200);
	deadline_sleep(&stays);
	return answers(1000);
}

static void starts_and_takes_connections(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	char text[8];
	pid_t pid;
	int fd;

	(void)unused;
	assert_int_equal(unlink(cfg->log_file) < 0 && errno != ENOENT, 0);
	assert_int_equal(pgctl_start(cfg, &dl), 0);
	fd = pgdata_postmaster(cfg, &pid);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(pgfixture_sql(&servers, 0, "SELECT 1", text, sizeof(text)), 0);
	/* In a session of its own: no signal to our group reaches it. */
	assert_int_equal(getsid(pid), pid);
	assert_int_equal(getpgid(pid), pid);
}

static void server_outlives_a_starter_that_ends(void **unused)
{
	(void)unused;
	assert_true(survives(false));
}

static void server_outlives_a_starter_that_is_killed(void **unused)
{
	(void)unused;
	assert_true(survives(true));
}

/* A server that a killed starter has left may be there before us. */
static void a_server_that_was_quicker_is_enough(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	pid_t pid;
	int fd;

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	assert_int_equal(pgctl_start(cfg, &dl), 0);
	fd = pgdata_postmaster(cfg, &pid);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(pid, servers.postmaster[0]);
}

static void a_server_that_ends_is_seen(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	int64_t began = now_ms();
	char path[CFG_PATH_MAX + 32], away[CFG_PATH_MAX + 32];

	(void)unused;
	(void)snprintf(path, sizeof(path), "%s/global/pg_control", cfg->data_dir);
	(void)snprintf(away, sizeof(away), "%s/global/away", cfg->data_dir);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(pgctl_start(cfg, &dl), -ECHILD);
	assert_true(now_ms() - began < 3000);
	assert_int_equal(rename(away, path), 0);
}

static void a_program_that_is_missing_is_no_start(void **unused)
{
	struct deadline dl = deadline_in_ms(1000);
	struct cfg other = *cfg;

	(void)unused;
	(void)snprintf(other.bin_dir, sizeof(other.bin_dir), "/nonexistent");
	assert_true(pgctl_start(&other, &dl) < 0);
}

/* Debian keeps postgresql.conf in /etc. */
static void starts_with_the_configuration_elsewhere(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	char from[CFG_PATH_MAX + 32], text[CFG_PATH_MAX];
	int rc;

	(void)unused;
	(void)snprintf(from, sizeof(from), "%s/postgresql.conf", cfg->data_dir);
	(void)snprintf(cfg->config_file, sizeof(cfg->config_file), "%s/else where $HOME.conf",
		       servers.dir);
	assert_int_equal(rename(from, cfg->config_file), 0);
	rc = pgctl_start(cfg, &dl);
	assert_int_equal(rename(cfg->config_file, from), 0);
	assert_int_equal(rc, 0);
	assert_int_equal(pgfixture_sql(&servers, 0, "SHOW config_file", text, sizeof(text)), 0);
	assert_string_equal(text, cfg->config_file);
	(void)snprintf(cfg->config_file, sizeof(cfg->config_file), "/tmp/it's");
	assert_int_equal(pgctl_start(cfg, &dl), -EINVAL);
	cfg->config_file[0] = '\0';
}

/* The log of a server may be below a directory of root's. */
static void makes_a_log_that_the_server_may_write(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	struct cfg other = *cfg;
	struct stat status;

	(void)unused;
	assert_int_equal(state_mkdirs(other.state_dir), 0);
	(void)snprintf(other.log_file, sizeof(other.log_file), "%.200s/postgresql.log",
		       other.state_dir);
	assert_int_equal(pgctl_start(&other, &dl), 0);
	assert_int_equal(stat(other.log_file, &status), 0);
	assert_int_not_equal(status.st_uid, 0);
	assert_true(status.st_size > 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(starts_and_takes_connections),
		TEST(server_outlives_a_starter_that_ends),
		TEST(server_outlives_a_starter_that_is_killed),
		TEST(a_server_that_was_quicker_is_enough),
		TEST(a_server_that_ends_is_seen),
		TEST(a_program_that_is_missing_is_no_start),
		TEST(starts_with_the_configuration_elsewhere),
		TEST(makes_a_log_that_the_server_may_write),
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
