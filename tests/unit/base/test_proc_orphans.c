/* SPDX-License-Identifier: PostgreSQL */
/* A child whose caller dies ends too, unless it was meant to go on. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/proc.h"
#include "base/state.h"
#include "hear.h"

#define OTHER     "nobody"
#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

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

/* A child that starts `spec` and ends without proc_end; returns the pid of what it started. */
static pid_t orphan_of(const struct proc_spec *spec)
{
	int ends[2];
	pid_t pid, orphan = 0;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct proc proc;

		if (proc_start(&proc, spec) < 0 ||
		    write(ends[1], &proc.pid, sizeof(proc.pid)) != sizeof(proc.pid))
			_exit(1);
		_exit(0);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &orphan, sizeof(orphan)), sizeof(orphan));
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return orphan;
}

static void a_child_dies_with_its_caller(void **state)
{
	struct proc_spec spec = { .argv = ARGV("/bin/sleep", "60") };

	(void)state;
	assert_true(hear_gone(orphan_of(&spec)));
	if (geteuid() != 0)
		return;
	spec.as_user = OTHER; /* the change of user clears the setting that does it */
	assert_true(hear_gone(orphan_of(&spec)));
}

static pid_t read_pid(const char *path)
{
	char text[32];

	for (int i = 0; i < 1000; i++) {
		if (state_read(path, text, sizeof(text)) == 0 && strchr(text, '\n') != NULL)
			return (pid_t)strtol(text, NULL, 10);
		hear_pause_ms(5);
	}
	return 0;
}

static void a_detached_one_survives_its_caller(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/bin/sh", "-c", "echo $$; exec sleep 60"),
					.log_path = hear_path("log") };
	pid_t pid, caller = fork();

	(void)state;
	assert_true(caller >= 0);
	if (caller == 0)
		_exit(proc_detach(&spec) == 0 ? 0 : 1);
	assert_int_equal(waitpid(caller, NULL, 0), caller);
	pid = read_pid(spec.log_path);
	assert_true(pid > 1);
	hear_pause_ms(50);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_not_equal(getsid(pid), getsid(0));
	assert_int_not_equal(getsid(pid), pid); /* so that it cannot get a terminal */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(hear_gone(pid));
}

static void detaching_what_is_missing_is_an_error(void **state)
{
	const struct proc_spec spec = { .argv = ARGV("/nowhere/x") };

	(void)state;
	assert_int_equal(proc_detach(&spec), -ENOENT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_dies_with_its_caller),
		cmocka_unit_test_setup_teardown(a_detached_one_survives_its_caller, set_up,
						tear_down),
		cmocka_unit_test(detaching_what_is_missing_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
