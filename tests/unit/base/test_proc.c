/* SPDX-License-Identifier: PostgreSQL */
/* However a child behaves, the caller is back by its deadline and nothing is left behind. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/proc.h"
#include "hear.h"

#define LATE_MS 3000 /* what a busy machine may add */

static const struct deadline passed = { .at_ms = 0 };

#define SCRIPT(text) ((const char *const[]){ "/bin/sh", "-c", text, NULL })

static int start(struct proc *proc, const char *script)
{
	const struct proc_spec spec = { .argv = SCRIPT(script) };

	return proc_start(proc, &spec);
}

static int run(struct proc *proc, const char *script, int64_t ms)
{
	const struct proc_spec spec = { .argv = SCRIPT(script) };
	struct deadline dl = deadline_in_ms(ms);

	return proc_run(proc, &spec, &dl);
}

static void assert_clean(const struct proc *proc)
{
	assert_int_equal(proc->pid, 0);
	assert_int_equal(proc->pidfd, -1);
	assert_int_equal(proc->out, -1);
	assert_int_equal(proc->err, -1);
}

static void output_errors_and_code_arrive(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;

	(void)state;
	assert_int_equal(run(&proc, "echo out; echo err >&2; exit 3", 8000), 0);
	assert_true(proc.done);
	assert_int_equal(proc.exit_code, 3);
	assert_string_equal(proc.output, "out\n");
	assert_string_equal(proc.errors, "err\n");
	assert_clean(&proc);
}

static void success_is_zero(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;

	(void)state;
	assert_int_equal(run(&proc, "exit 0", 8000), 0);
	assert_int_equal(proc.exit_code, 0);
	assert_string_equal(proc.output, "");
}

static void a_signal_is_128_and_its_number(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;

	(void)state;
	assert_int_equal(run(&proc, "kill -TERM $$; exec sleep 30", 8000), 0);
	assert_int_equal(proc.exit_code, 128 + SIGTERM);
}

/* --- what cannot be started --- */

static void assert_not_executed(const struct proc_spec *spec, const char *message)
{
	struct proc AUTO_PROC proc = PROC_NONE;
	struct deadline dl = deadline_in_ms(8000);

	assert_int_equal(proc_run(&proc, spec, &dl), 0);
	assert_int_equal(proc.exit_code, 127);
	assert_string_equal(proc.errors, message);
}

static void a_missing_program_is_127_and_says_so(void **state)
{
	const struct proc_spec spec = { .argv = (const char *const[]){ "/nowhere/x", NULL } };

	(void)state;
	assert_not_executed(&spec, "could not execute \"/nowhere/x\": No such file or directory\n");
}

static void a_program_without_permission_is_127(void **state)
{
	const struct proc_spec spec = { .argv = (const char *const[]){ "/etc/passwd", NULL } };

	(void)state;
	assert_not_executed(&spec, "could not execute \"/etc/passwd\": Permission denied\n");
}

static void a_missing_directory_or_log_is_127(void **state)
{
	struct proc_spec spec = { .argv = SCRIPT("exit 0"), .cwd = "/nowhere" };

	(void)state;
	assert_not_executed(&spec, "could not enter the working directory of \"/bin/sh\": "
				   "No such file or directory\n");
	spec.cwd = NULL;
	spec.log_path = "/nowhere/log";
	assert_not_executed(&spec, "could not open the log file of \"/bin/sh\": "
				   "No such file or directory\n");
}

static void only_absolute_paths_are_executed(void **state)
{
	const struct proc_spec relative = { .argv = (const char *const[]){ "sh", NULL } };
	const struct proc_spec none = { .argv = (const char *const[]){ NULL } };
	struct proc proc;

	(void)state;
	assert_int_equal(proc_start(&proc, &relative), -EINVAL);
	assert_clean(&proc);
	assert_int_equal(proc_start(&proc, &none), -EINVAL);
	assert_clean(&proc);
}

static void an_unknown_user_is_an_error(void **state)
{
	const struct proc_spec spec = { .argv = SCRIPT("exit 0"), .as_user = "no-such-user" };
	struct proc proc;

	(void)state;
	assert_int_equal(proc_start(&proc, &spec), -ENOENT);
	assert_clean(&proc);
	assert_int_equal(proc_detach(&spec), -ENOENT);
}

/* --- children that misbehave --- */

static void assert_ended_by(const char *script, int64_t ms)
{
	struct proc AUTO_PROC proc = PROC_NONE;
	int64_t begin = now_ms();

	assert_int_equal(run(&proc, script, ms), -ETIMEDOUT);
	assert_true(now_ms() - begin >= ms);
	assert_true(now_ms() - begin < ms + LATE_MS);
	assert_int_equal(proc.exit_code, 128 + SIGKILL);
	assert_clean(&proc);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void a_child_that_hangs_is_ended(void **state)
{
	(void)state;
	assert_ended_by("exec sleep 60", 200);
}

static void a_child_that_ignores_signals_is_ended(void **state)
{
	(void)state;
	assert_ended_by("trap '' TERM INT QUIT HUP; while :; do sleep 0.05; done", 300);
}

static void a_child_that_stopped_itself_is_ended(void **state)
{
	(void)state;
	assert_ended_by("kill -STOP $$; sleep 60", 200);
}

static void a_flood_neither_blocks_nor_overflows(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;
	struct deadline dl;
	int64_t begin = now_ms();

	(void)state;
	assert_int_equal(start(&proc, "yes & exec yes >&2"), 0);
	dl = deadline_in_ms(200);
	assert_int_equal(proc_wait(&proc, &dl), -ETIMEDOUT);
	proc_end(&proc);
	assert_true(now_ms() - begin < 200 + LATE_MS);
	assert_int_equal(strlen(proc.output), PROC_OUTPUT_MAX - 1);
	assert_int_equal(strlen(proc.errors), PROC_OUTPUT_MAX - 1);
}

static void what_follows_a_flood_is_not_lost(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;

	(void)state;
	assert_int_equal(run(&proc, "head -c 500000 /dev/zero; echo last >&2; exit 4", 8000), 0);
	assert_int_equal(proc.exit_code, 4);
	assert_int_equal(strlen(proc.output), PROC_OUTPUT_MAX - 1);
	assert_string_equal(proc.errors, "last\n");
}

static void nul_bytes_do_not_hide_what_follows(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;

	(void)state;
	assert_int_equal(run(&proc, "printf 'a\\0b'", 8000), 0);
	assert_string_equal(proc.output, "a?b");
}

static void a_child_that_closes_its_output_is_still_watched(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;

	(void)state;
	assert_int_equal(run(&proc, "echo x; exec >&- 2>&-; sleep 0.3; exit 6", 8000), 0);
	assert_string_equal(proc.output, "x\n");
	assert_int_equal(proc.exit_code, 6);
}

/* The grandchild holds our pipe open and outlives its parent. */
static void a_grandchild_neither_delays_nor_survives(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;
	int64_t begin = now_ms();

	(void)state;
	assert_int_equal(run(&proc, "sleep 60 & echo $!; exit 5", 8000), 0);
	assert_true(now_ms() - begin < LATE_MS);
	assert_int_equal(proc.exit_code, 5);
	assert_true(strtol(proc.output, NULL, 10) > 1);
	assert_true(hear_gone((pid_t)strtol(proc.output, NULL, 10)));
}

static void a_grandchild_is_ended_with_a_hanging_child(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;

	(void)state;
	assert_int_equal(run(&proc, "sleep 60 & echo $!; wait", 300), -ETIMEDOUT);
	assert_true(strtol(proc.output, NULL, 10) > 1);
	assert_true(hear_gone((pid_t)strtol(proc.output, NULL, 10)));
}

/* As the server that pg_ctl starts. */
static void a_daemon_with_its_own_session_survives(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;
	pid_t pid;

	(void)state;
	assert_int_equal(run(&proc, "setsid sh -c 'echo $$; exec sleep 60' & sleep 0.5", 8000), 0);
	pid = (pid_t)strtol(proc.output, NULL, 10);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(hear_gone(pid));
}

/* --- waiting --- */

static void a_passed_deadline_still_looks(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;

	(void)state;
	assert_int_equal(start(&proc, "exec cat /proc/self/comm"), 0);
	for (int i = 0; i < 1000 && proc_wait(&proc, &passed) == -ETIMEDOUT; i++)
		hear_pause_ms(5);
	assert_true(proc.done);
	assert_string_equal(proc.output, "cat\n");
	assert_int_equal(proc_wait(&proc, &passed), 0);
}

static void looking_only_keeps_the_output_moving(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;

	(void)state;
	assert_int_equal(start(&proc, "head -c 300000 /dev/zero; exit 3"), 0);
	for (int i = 0; i < 2000 && proc_wait(&proc, &passed) == -ETIMEDOUT; i++)
		hear_pause_ms(2);
	assert_true(proc.done);
	assert_int_equal(proc.exit_code, 3);
}

static void what_never_ran_cannot_be_waited_for(void **state)
{
	struct proc proc = PROC_NONE;
	struct deadline dl = deadline_in_ms(60000);

	(void)state;
	assert_int_equal(proc_wait(&proc, &dl), -ECHILD);
	proc_end(&proc);
	proc_end(&proc);
	assert_clean(&proc);
}

static void the_first_to_end_is_told(void **state)
{
	struct proc AUTO_PROC slow = PROC_NONE;
	struct proc AUTO_PROC quick = PROC_NONE;
	struct proc AUTO_PROC never = PROC_NONE;
	struct proc *const all[] = { &slow, &never, &quick };
	struct deadline dl = deadline_in_ms(8000);

	(void)state;
	assert_int_equal(start(&slow, "sleep 60"), 0);
	assert_int_equal(start(&quick, "echo quick"), 0);
	assert_int_equal(proc_wait_any(all, 3, &dl), 2);
	assert_string_equal(quick.output, "quick\n");
	assert_false(slow.done);
	assert_int_equal(proc_wait_any(all, 3, &passed), -ETIMEDOUT);
	proc_end(&slow);
	assert_int_equal(proc_wait_any(all, 3, &dl), -ECHILD);
	assert_int_equal(proc_wait_any(all, 9, &dl), -EINVAL);
}

static void a_child_that_somebody_else_reaped_is_an_error(void **state)
{
	struct proc AUTO_PROC proc = PROC_NONE;
	struct deadline dl = deadline_in_ms(8000);

	(void)state;
	assert_int_equal(start(&proc, "exit 0"), 0);
	assert_int_equal(waitpid(proc.pid, NULL, 0), proc.pid);
	assert_int_equal(proc_wait(&proc, &dl), -ECHILD);
	assert_false(proc.done);
}

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void no_descriptor_is_left_open(void **state)
{
	const struct proc_spec missing = { .argv = (const char *const[]){ "/nowhere", NULL } };
	const struct proc_spec nobody = { .argv = SCRIPT("exit 0"), .as_user = "no-such-user" };
	const struct proc_spec fed = { .argv = SCRIPT("cat"), .input = "x" };
	int before = count_descriptors();

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct proc AUTO_PROC proc = PROC_NONE;
		struct deadline dl = deadline_in_ms(8000);

		assert_int_equal(proc_run(&proc, &missing, &dl), 0);
		assert_int_equal(proc_run(&proc, &nobody, &dl), -ENOENT);
		assert_int_equal(proc_run(&proc, &fed, &dl), 0);
		assert_int_equal(proc_detach(&missing), -ENOENT);
		assert_int_equal(run(&proc, "exec sleep 60", 20), -ETIMEDOUT);
	}
	assert_int_equal(count_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_errors_and_code_arrive),
		cmocka_unit_test(success_is_zero),
		cmocka_unit_test(a_signal_is_128_and_its_number),
		cmocka_unit_test(a_missing_program_is_127_and_says_so),
		cmocka_unit_test(a_program_without_permission_is_127),
		cmocka_unit_test(a_missing_directory_or_log_is_127),
		cmocka_unit_test(only_absolute_paths_are_executed),
		cmocka_unit_test(an_unknown_user_is_an_error),
		cmocka_unit_test(a_child_that_hangs_is_ended),
		cmocka_unit_test(a_child_that_ignores_signals_is_ended),
		cmocka_unit_test(a_child_that_stopped_itself_is_ended),
		cmocka_unit_test(a_flood_neither_blocks_nor_overflows),
		cmocka_unit_test(what_follows_a_flood_is_not_lost),
		cmocka_unit_test(nul_bytes_do_not_hide_what_follows),
		cmocka_unit_test(a_child_that_closes_its_output_is_still_watched),
		cmocka_unit_test(a_grandchild_neither_delays_nor_survives),
		cmocka_unit_test(a_grandchild_is_ended_with_a_hanging_child),
		cmocka_unit_test(a_daemon_with_its_own_session_survives),
		cmocka_unit_test(a_passed_deadline_still_looks),
		cmocka_unit_test(looking_only_keeps_the_output_moving),
		cmocka_unit_test(what_never_ran_cannot_be_waited_for),
		cmocka_unit_test(the_first_to_end_is_told),
		cmocka_unit_test(a_child_that_somebody_else_reaped_is_an_error),
		cmocka_unit_test(no_descriptor_is_left_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
