/* SPDX-License-Identifier: PostgreSQL */
/* Nothing that a helper inherits from keepalived, cron or a shell steers it. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cli.h"
#include "hear.h"

static void parse_nothing(struct cli *cli)
{
	static const struct cli_spec spec = { .program = "helper", .summary = "helps" };
	static char name[] = "helper";
	char *argv[] = { name, NULL };

	cli_parse(cli, &spec, 1, argv);
}

static int print_environment(void *arg)
{
	struct cli cli;

	environ = arg;
	parse_nothing(&cli);
	for (char **entry = environ; *entry != NULL; entry++)
		(void)printf("%s\n", *entry);
	return 0;
}

static void no_variable_steers_us(void **state)
{
	const char *evil[] = {
		"PATH=/tmp/evil",
		"PGHOST=evil",
		"PGSERVICEFILE=/tmp/evil",
		"LD_PRELOAD=",
		"LD_LIBRARY_PATH=/tmp",
		"IFS=x",
		"HOME=/tmp/evil",
		"TZ=UTC",
		"LC_ALL=de_DE.UTF-8",
		"BASH_ENV=/tmp",
		"TZDIR=/tmp/evil",
		"SSH_ORIGINAL_COMMAND=test",
		"no equals sign",
		"NOTIFY_SOCKET=/run/n",
		"TERM=xterm",
		NULL,
	};
	struct heard heard;

	(void)state;
	hear_child(&heard, print_environment, evil);
	assert_int_equal(heard.code, 0);
	assert_string_equal(
	    heard.out,
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n"
	    "TZ=UTC\nSSH_ORIGINAL_COMMAND=test\nNOTIFY_SOCKET=/run/n\nTERM=xterm\n");
}

static void no_variables_at_all_are_no_problem(void **state)
{
	struct heard heard;

	(void)state;
	hear_child(&heard, print_environment, NULL);
	assert_int_equal(heard.code, 0);
	assert_int_equal(strncmp(heard.out, "PATH=", 5), 0);
}

static void a_variable_given_many_times_does_no_harm(void **state)
{
	const char *many[101];
	struct heard heard;

	(void)state;
	for (int i = 0; i < 100; i++)
		many[i] = "TZ=UTC";
	many[100] = NULL;
	hear_child(&heard, print_environment, many);
	assert_int_equal(heard.code, 0);
}

static int look_at_descriptors(void *arg)
{
	struct cli cli;
	int extra = dup2(STDOUT_FILENO, 77);

	(void)arg;
	parse_nothing(&cli);
	return extra == 77 && fcntl(77, F_GETFD) < 0 && fcntl(STDOUT_FILENO, F_GETFD) >= 0 ? 0 : 1;
}

static void inherited_descriptors_are_closed(void **state)
{
	struct heard heard;

	(void)state;
	hear_child(&heard, look_at_descriptors, NULL);
	assert_int_equal(heard.code, 0);
}

static int start_without_standard_descriptors(void *arg)
{
	struct cli cli;
	struct stat st;
	int fd;

	(void)arg;
	for (fd = 0; fd <= 2; fd++)
		(void)close(fd);
	parse_nothing(&cli);
	for (fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
			return 10 + fd;
	}
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	return fd > 2 && write(STDERR_FILENO, "x", 1) == 1 ? 0 : 1;
}

static void closed_standard_descriptors_are_filled(void **state)
{
	struct heard heard;

	(void)state;
	hear_child(&heard, start_without_standard_descriptors, NULL);
	assert_int_equal(heard.code, 0);
}

static int look_at_signals(void *arg)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction now;
	sigset_t all, blocked;
	struct cli cli;

	(void)arg;
	(void)sigaction(SIGCHLD, &ignore, NULL);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	parse_nothing(&cli);
	(void)sigprocmask(SIG_SETMASK, NULL, &blocked);
	if (sigismember(&blocked, SIGTERM) || sigismember(&blocked, SIGCHLD))
		return 1;
	if (sigaction(SIGCHLD, NULL, &now) < 0 || now.sa_handler != SIG_DFL)
		return 2;
	return sigaction(SIGPIPE, NULL, &now) < 0 || now.sa_handler != SIG_IGN ? 3 : 0;
}

static void inherited_signal_settings_are_undone(void **state)
{
	struct heard heard;

	(void)state;
	hear_child(&heard, look_at_signals, NULL);
	assert_int_equal(heard.code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_variable_steers_us),
		cmocka_unit_test(no_variables_at_all_are_no_problem),
		cmocka_unit_test(a_variable_given_many_times_does_no_harm),
		cmocka_unit_test(inherited_descriptors_are_closed),
		cmocka_unit_test(closed_standard_descriptors_are_filled),
		cmocka_unit_test(inherited_signal_settings_are_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
