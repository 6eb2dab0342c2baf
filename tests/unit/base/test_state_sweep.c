/* SPDX-License-Identifier: PostgreSQL */
/* The file that a killed writer leaves is swept, one that is being written is not, and no writer
 * fails for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/state.h"
#include "hear.h"

enum { WRITES = 300 };

/* ---- what happens to a writer while it locks its new file; in place of libc's flock ---- */

enum way { PLAIN, DIES_BEFORE, DIES_AFTER, SWEPT_BEFORE, WAITS_AFTER };
static enum way way;
static int swept_times;
static int told[2], go[2]; /* WAITS_AFTER */

int flock(int fd, int operation)
{
	char byte = 0;
	int rc;

	if (way == DIES_BEFORE)
		(void)raise(SIGKILL);
	if (way == SWEPT_BEFORE && swept_times > 0) {
		swept_times--;
		way = PLAIN; /* the sweeper locks too */
		assert_int_equal(state_sweep(hear_path("")), 1);
		way = SWEPT_BEFORE;
	}
	rc = (int)syscall(SYS_flock, fd, operation);
	if (way == DIES_AFTER)
		(void)raise(SIGKILL);
	if (way == WAITS_AFTER) {
		assert_int_equal(write(told[1], &byte, 1), 1);
		assert_int_equal(read(go[0], &byte, 1), 1);
	}
	return rc;
}

static int set_up(void **state)
{
	(void)state;
	way = PLAIN;
	hear_directory();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hear_remove();
	return 0;
}

static pid_t write_in_a_child(enum way as)
{
	pid_t pid = fork();

	if (pid == 0) {
		way = as;
		_exit(state_write(hear_path("lease"), "new\n", 0644, false) == 0 ? 0 : 1);
	}
	assert_true(pid > 0);
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_lease(const char *expected)
{
	char text[64];

	assert_int_equal(state_read(hear_path("lease"), text, sizeof(text)), 0);
	assert_string_equal(text, expected);
}

static void what_a_killed_writer_left_is_swept(void **state)
{
	(void)state;
	assert_int_equal(state_write(hear_path("lease"), "old\n", 0644, false), 0);
	assert_true(WIFSIGNALED(end_of(write_in_a_child(DIES_BEFORE))));
	assert_true(WIFSIGNALED(end_of(write_in_a_child(DIES_AFTER))));
	assert_int_equal(hear_entries(), 3);
	assert_int_equal(state_sweep(hear_path("")), 2);
	assert_int_equal(hear_entries(), 1);
	assert_lease("old\n");
	assert_int_equal(state_sweep(hear_path("")), 0);
}

static void what_is_being_written_is_not_swept(void **state)
{
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid = write_in_a_child(WAITS_AFTER);
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_int_equal(state_sweep(hear_path("")), 0);
	assert_int_equal(hear_entries(), 1);
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(end_of(pid), 0);
	assert_lease("new\n");
	assert_int_equal(hear_entries(), 1);
	for (int i = 0; i < 2; i++) {
		(void)close(told[i]);
		(void)close(go[i]);
	}
}

static void a_writer_that_is_swept_begins_anew_and_not_for_ever(void **state)
{
	(void)state;
	for (int times = 1; times <= 2; times++) {
		way = SWEPT_BEFORE;
		swept_times = times;
		assert_int_equal(state_write(hear_path("lease"), "new\n", 0644, true), 0);
		assert_int_equal(swept_times, 0);
		assert_lease("new\n");
	}
	swept_times = 100;
	assert_int_equal(state_write(hear_path("lease"), "newer\n", 0644, true), -ENOENT);
	assert_int_equal(swept_times, 97);
	assert_lease("new\n");
	assert_int_equal(hear_entries(), 1);
}

static void sweeping_beside_a_writer_harms_neither(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		/* By a sweeper that never rests any number of tries may fail; nothing else may. */
		for (int i = 0; i < WRITES; i++) {
			int rc = state_write(hear_path("lease"), "new\n", 0644, false);

			if (rc != 0 && rc != -ENOENT)
				_exit(1);
		}
		_exit(0);
	}
	assert_true(pid > 0);
	for (int i = 0; i < WRITES; i++)
		assert_true(state_sweep(hear_path("")) >= 0);
	assert_int_equal(end_of(pid), 0);
	assert_int_equal(state_sweep(hear_path("")), 0);
	assert_int_equal(hear_entries(), 1);
	assert_lease("new\n");
}

static void nothing_else_is_swept(void **state)
{
	static const char *const names[] = { "a",
					     "a.new",
					     "a.new.12345",
					     "new.123456",
					     "a.new.1234567",
					     "a.new.12345~",
					     "a.old.123456",
					     ".new.123456" };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		(void)close(open(hear_path(names[i]), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(mkdir(hear_path("b.new.123456"), 0700), 0);
	assert_int_equal(mkfifo(hear_path("c.new.123456"), 0600), 0);
	assert_int_equal(symlink("a", hear_path("d.new.123456")), 0);
	assert_int_equal(state_sweep(hear_path("")), 0);
	/* hear_entries does not count names that begin with a dot */
	assert_int_equal(hear_entries(), ARRAY_COUNT(names) - 1 + 3);
	assert_int_equal(state_exists(hear_path(".new.123456")), 1);
	assert_int_equal(state_sweep(hear_path("none")), -ENOENT);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(what_a_killed_writer_left_is_swept),
		ALONE(what_is_being_written_is_not_swept),
		ALONE(a_writer_that_is_swept_begins_anew_and_not_for_ever),
		ALONE(sweeping_beside_a_writer_harms_neither),
		ALONE(nothing_else_is_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
