/* SPDX-License-Identifier: PostgreSQL */
/* Which processes are the server of a data directory. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "datadirectory.h"
#include "pgfixture.h"
#include "pgfixture_os.h"
#include "postgres/pgdata.h"

static struct pgfixture servers;
static struct cfg *const real = &servers.cfg[0];
static void no_directory_is_not_no_process(void **unused)
{
	char name = data_cfg.data_dir[5];
	pid_t pid;

	(void)unused;
	data_cfg.data_dir[5] = '-';
	assert_int_equal(pgdata_postmaster(&data_cfg, &pid), -ENODEV);
	assert_int_equal(pgdata_processes(&data_cfg, NULL, 0), -ENODEV);
	data_cfg.data_dir[5] = name;
	assert_int_equal(pgdata_postmaster(&data_cfg, &pid), -ENOENT);
	assert_int_equal(pgdata_processes(&data_cfg, NULL, 0), 0);
}

/* A process whose program is no server, in the directory, with its pid in postmaster.pid. */
static void a_shell_in_the_directory_is_not_the_server(void **unused)
{
	char text[32];
	pid_t pid, child = fork();

	(void)unused;
	if (child == 0) {
		if (chdir(data_cfg.data_dir) == 0)
			(void)pause();
		_exit(1);
	}
	(void)snprintf(text, sizeof(text), "%d\n", child);
	data_put("postmaster.pid", text);
	assert_int_equal(pgdata_postmaster(&data_cfg, &pid), -ENOENT);
	assert_int_equal(pgdata_processes(&data_cfg, NULL, 0), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void stale_or_torn_postmaster_pid_is_none(void **unused)
{
	static const char *const texts[] = { "",    "\n",         "0\n", "x\n", "99999999999\n",
					     "1\n", "999999999\n" };
	pid_t pid;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		data_put("postmaster.pid", texts[i]);
		assert_int_equal(pgdata_postmaster(&data_cfg, &pid), -ENOENT);
		assert_int_equal(pid, 0);
	}
}

static void finds_the_postmaster_and_all_its_children(void **unused)
{
	pid_t pid, pids[64];
	int AUTO_FD fd = -1;
	int64_t began_ms = now_ms();
	int count;
	bool seen = false;

	(void)unused;
	assert_int_equal(pgdata_started_ms(real), -ENOENT);
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	assert_in_range(pgdata_started_ms(real), began_ms, now_ms());
	fd = pgdata_postmaster(real, &pid);
	assert_true(fd >= 0);
	assert_int_equal(pid, servers.postmaster[0]);
	count = pgdata_processes(real, pids, ARRAY_COUNT(pids));
	assert_in_range(count, 5, 20); /* with checkpointer, writers, launchers */
	for (int i = 0; i < count; i++)
		seen = seen || pids[i] == pid;
	assert_true(seen);
	/* More than fit: counted all the same. */
	assert_int_equal(pgdata_processes(real, pids, 1), count);
	/* Not the one of another directory. */
	assert_int_equal(pgdata_processes(&servers.cfg[1], pids, 1), -ENODEV);
	assert_int_equal(pgdata_process(real, getpid()), -ENOENT);
	assert_int_equal(pgdata_started_ms(&servers.cfg[1]), -ENODEV);
}

/* A server that recovers a crashed directory before pg_rewind is none that could serve anybody. */
static void single_user_is_no_postmaster(void **unused)
{
	const pid_t parent = getpid();
	char program[128], input[32];
	const char *const argv[] = { program, "--single", "-D", real->data_dir, "postgres", NULL };
	struct deadline dl = deadline_in_ms(10000);
	int ends[2];
	pid_t pid, child;

	(void)unused;
	(void)snprintf(program, sizeof(program), "%s/postgres", servers.bin_dir);
	assert_int_equal(pgdata_single_user(real), 0);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		/* The process waits for a statement on its standard input. */
		(void)close(ends[1]);
		(void)snprintf(input, sizeof(input), "/proc/self/fd/%d", ends[0]);
		os_child(argv, true, input, parent);
	}
	(void)close(ends[0]);
	while (pgdata_single_user(real) != 1 && !deadline_passed(&dl))
		(void)poll(NULL, 0, 5);
	assert_int_equal(pgdata_single_user(real), 1);
	assert_int_equal(pgdata_postmaster(real, &pid), -ENOENT);
	assert_int_equal(pid, 0);
	assert_int_equal(pgdata_processes(real, NULL, 0), 1);
	(void)close(ends[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(pgdata_single_user(real), 0);
}

static void a_zombie_does_not_count(void **unused)
{
	pid_t pid, pids[64];
	siginfo_t info;

	(void)unused;
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	assert_int_equal(kill(servers.postmaster[0], SIGQUIT), 0);
	/* Ended, not reaped: it stays a zombie, and its postmaster.pid may stay too. */
	assert_int_equal(waitid(P_PID, (id_t)servers.postmaster[0], &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(kill(servers.postmaster[0], 0), 0);
	assert_int_equal(pgdata_postmaster(real, &pid), -ENOENT);
	assert_int_equal(pgdata_process(real, servers.postmaster[0]), -ENOENT);
	assert_int_equal(pgdata_processes(real, pids, ARRAY_COUNT(pids)), 0);
	assert_int_equal(waitpid(servers.postmaster[0], NULL, 0), servers.postmaster[0]);
	servers.postmaster[0] = 0;
}

static int stop_real(void **unused)
{
	(void)unused;
	return pgfixture_stop(&servers, 0, SIGQUIT);
}

#define LOOKS(name) cmocka_unit_test_setup_teardown(name, data_set_up, data_tear_down)
#define REAL(name)  cmocka_unit_test_teardown(name, stop_real)

int main(void)
{
	static const struct CMUnitTest looks[] = {
		LOOKS(no_directory_is_not_no_process),
		LOOKS(a_shell_in_the_directory_is_not_the_server),
		LOOKS(stale_or_torn_postmaster_pid_is_none),
	};
	static const struct CMUnitTest with_server[] = {
		REAL(finds_the_postmaster_and_all_its_children),
		REAL(single_user_is_no_postmaster),
		REAL(a_zombie_does_not_count),
	};
	int failed = cmocka_run_group_tests(looks, NULL, NULL);

	if (!pgfixture_possible())
		return failed;
	if (pgfixture_network() < 0 || pgfixture_init(&servers) < 0) {
		pgfixture_end(&servers);
		return 1;
	}
	failed += cmocka_run_group_tests(with_server, NULL, NULL);
	pgfixture_end(&servers);
	return failed;
}
