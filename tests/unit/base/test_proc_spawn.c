/* SPDX-License-Identifier: PostgreSQL */
/* A child is given exactly the things that it was meant to have, and nothing of ours. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/lock.h"
#include "base/proc.h"
#include "base/state.h"
#include "hear.h"

#define OTHER "nobody"

static const struct deadline passed = { .at_ms = 0 };

static int set_up(void **state)
{
	(void)state;
	hear_directory();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hear_remove();
	return 0;
}

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Runs it and checks what it prints. */
static void assert_prints(const struct proc_spec *spec, const char *expected)
{
	struct proc AUTO_PROC proc = PROC_NONE;
	struct deadline dl = deadline_in_ms(8000);

	assert_int_equal(proc_run(&proc, spec, &dl), 0);
	assert_string_equal(proc.errors, "");
	assert_string_equal(proc.output, expected);
	assert_int_equal(proc.exit_code, 0);
}

#define PATH_LINE "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"

static void the_environment_is_ours_alone(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/usr/bin/env") };
	char evil[] = "PGHOST=evil";
	char *list[] = { evil, NULL };
	char **before = environ;

	(void)state;
	environ = list;
	assert_prints(&spec, PATH_LINE "LC_ALL=C\n");
	environ = before;
}

static void arguments_are_not_interpreted(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/usr/bin/printf", "%s|", "a b", "$HOME",
						     "`id`", "*", "") };

	(void)state;
	assert_prints(&spec, "a b|$HOME|`id`|*||");
}

static void only_three_descriptors_are_open(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/bin/ls", "/proc/self/fd") };
	int extra = dup2(STDERR_FILENO, 90);

	(void)state;
	assert_int_equal(extra, 90);
	assert_prints(&spec, "0\n1\n2\n3\n"); /* 3: the directory that ls reads */
	(void)close(extra);
}

static void low_descriptor_numbers_are_no_trap(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/bin/cat"), .input = "in\n" };
	int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 50);

	(void)state;
	/* the first pipe end of the child is now made as number 0 */
	(void)close(STDIN_FILENO);
	assert_prints(&spec, "in\n");
	if (saved >= 0) {
		assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
		(void)close(saved);
	}
}

static void input_of_any_length_arrives(void **state)
{
	struct proc_spec spec = { .argv = ARGV("/usr/bin/wc", "-c") };
	char *text = malloc(300001);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 300000);
	text[300000] = '\0';
	spec.input = text;
	assert_prints(&spec, "300000\n");
	free(text);
	spec.input = "";
	assert_prints(&spec, "0\n");
}

static void without_input_there_is_none(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/bin/readlink", "/proc/self/fd/0") };

	(void)state;
	assert_prints(&spec, "/dev/null\n");
}

static void signals_are_at_their_defaults(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/bin/cat", "/proc/self/status") };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct proc AUTO_PROC proc = PROC_NONE;
	struct deadline dl = deadline_in_ms(8000);
	struct sigaction before;
	sigset_t all, mask;

	(void)state;
	(void)sigfillset(&all);
	assert_int_equal(sigaction(SIGPIPE, &ignore, &before), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &all, &mask), 0);
	assert_int_equal(proc_run(&proc, &spec, &dl), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &mask, NULL), 0);
	assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
	assert_non_null(strstr(proc.output, "\nSigBlk:\t0000000000000000\n"));
	assert_non_null(strstr(proc.output, "\nSigIgn:\t0000000000000000\n"));
}

static void real_time_is_not_handed_down(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/usr/bin/cut", "-d ", "-f41",
						     "/proc/self/stat") };
	const struct sched_param one = { .sched_priority = 1 }, normal = { .sched_priority = 0 };

	(void)state;
	if (sched_setscheduler(0, SCHED_RR, &one) < 0)
		skip(); /* not permitted here, so it cannot happen here */
	assert_prints(&spec, "0\n");
	assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &normal), 0);
}

static void it_leads_its_own_group(void **state)
{
	const struct proc_spec spec = {
		.argv = ARGV("/bin/sh", "-c",
			     "[ \"$(cut -d' ' -f5 /proc/$$/stat)\" = $$ ] && echo yes"),
	};

	(void)state;
	assert_prints(&spec, "yes\n");
}

static void it_runs_where_it_was_told(void **state)
{
	struct proc_spec spec = { .argv = ARGV("/bin/readlink", "/proc/self/cwd") };
	char expected[600];

	(void)state;
	assert_prints(&spec, "/\n");
	spec.cwd = hear_path("");
	(void)snprintf(expected, sizeof(expected), "%s\n", spec.cwd);
	assert_prints(&spec, expected);
}

static void output_is_appended_to_the_log(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/bin/sh", "-c", "echo out; echo err >&2"),
					.log_path = hear_path("log") };
	char text[64];
	struct stat st;

	(void)state;
	assert_int_equal(state_append(spec.log_path, "before", 0640), 0);
	assert_prints(&spec, "");
	assert_int_equal(state_read(spec.log_path, text, sizeof(text)), 0);
	assert_string_equal(text, "before\nout\nerr\n");
	assert_int_equal(unlink(spec.log_path), 0);
	assert_prints(&spec, "");
	assert_int_equal(stat(spec.log_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void our_locks_are_not_inherited(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/bin/sleep", "60") };
	struct proc AUTO_PROC proc = PROC_NONE;
	int fd = -1;

	(void)state;
	assert_int_equal(lock_take(&fd, hear_path("lock"), &passed), 0);
	assert_int_equal(proc_start(&proc, &spec), 0);
	(void)close(fd);
	assert_int_equal(lock_held(hear_path("lock")), 0);
}

/* --- as another user --- */

static void another_user_has_nothing_of_ours(void **state)
{
	const struct passwd *other = getpwnam(OTHER);
	struct proc_spec spec = { .argv = ARGV("/bin/sh", "-c", "id -u; id -g; id -G; id -ru"),
				  .as_user = OTHER };
	const gid_t ours[] = { 0, 6 };
	char expected[128];

	(void)state;
	if (geteuid() != 0 || other == NULL) {
		skip(); /* only root may become another user */
		return;
	}
	assert_int_equal(setgroups(ARRAY_COUNT(ours), ours), 0);
	(void)snprintf(expected, sizeof(expected), "%u\n%u\n%u\n%u\n", other->pw_uid, other->pw_gid,
		       other->pw_gid, other->pw_uid);
	assert_prints(&spec, expected);
	(void)snprintf(expected, sizeof(expected),
		       PATH_LINE "LC_ALL=C\nHOME=%s\nUSER=" OTHER "\nLOGNAME=" OTHER "\n",
		       other->pw_dir);
	spec.argv = ARGV("/usr/bin/env");
	assert_prints(&spec, expected);
	spec.argv =
	    ARGV("/bin/grep", "-c", "^Cap\\(Eff\\|Prm\\|Inh\\|Amb\\):\\s0*$", "/proc/self/status");
	assert_prints(&spec, "4\n");
}

/*
 * The guard's unit gives it a nice value and a score against the OOM killer; the server that rejoin
 * starts for it must have neither.  A score above 0 stands for one below, which needs
 * CAP_SYS_RESOURCE.
 */
static void another_user_is_no_more_important_than_others(void **state)
{
	struct proc_spec spec = {
		.argv = ARGV("/bin/sh", "-c", "cat /proc/self/oom_score_adj; nice"),
		.as_user = OTHER,
	};
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	(void)state;
	if (geteuid() != 0 || fd < 0 || write(fd, "500", 3) != 3 ||
	    setpriority(PRIO_PROCESS, 0, -15) < 0) {
		skip(); /* not permitted here, so it cannot be inherited */
		return;
	}
	assert_prints(&spec, "0\n0\n");
	assert_int_equal(write(fd, "0", 1), 1);
	(void)close(fd);
	assert_int_equal(setpriority(PRIO_PROCESS, 0, 0), 0);
}

static void the_log_is_opened_as_that_user(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/bin/true"),
					.as_user = OTHER,
					.log_path = hear_path("log") };
	struct proc AUTO_PROC proc = PROC_NONE;
	struct deadline dl = deadline_in_ms(8000);

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root may become another user */
	assert_int_equal(proc_run(&proc, &spec, &dl), 0);
	assert_int_equal(proc.exit_code, 127);
	assert_int_equal(state_exists(spec.log_path), 0);
}

static void becoming_oneself_needs_no_right(void **state)
{
	const struct passwd *self = getpwuid(geteuid());
	struct proc_spec spec = { .argv = ARGV("/bin/echo", "fine") };

	(void)state;
	if (self == NULL) {
		skip(); /* this user has no name to become */
		return;
	}
	spec.as_user = self->pw_name;
	assert_prints(&spec, "fine\n");
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_is_ours_alone),
		cmocka_unit_test(arguments_are_not_interpreted),
		cmocka_unit_test(only_three_descriptors_are_open),
		cmocka_unit_test(low_descriptor_numbers_are_no_trap),
		cmocka_unit_test(input_of_any_length_arrives),
		cmocka_unit_test(without_input_there_is_none),
		cmocka_unit_test(signals_are_at_their_defaults),
		cmocka_unit_test(real_time_is_not_handed_down),
		cmocka_unit_test(it_leads_its_own_group),
		ALONE(it_runs_where_it_was_told),
		ALONE(output_is_appended_to_the_log),
		ALONE(our_locks_are_not_inherited),
		cmocka_unit_test(another_user_has_nothing_of_ours),
		ALONE(another_user_is_no_more_important_than_others),
		ALONE(the_log_is_opened_as_that_user),
		cmocka_unit_test(becoming_oneself_needs_no_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
