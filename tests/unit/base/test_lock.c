/* SPDX-License-Identifier: PostgreSQL */
/* One holder at a time; a dead one holds nothing. */
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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/lock.h"
#include "base/state.h"
#include "hear.h"

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

/* A child that takes the lock, says so, and holds it for hold_ms. */
static pid_t holder(int hold_ms)
{
	int ends[2];
	char word;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct deadline dl = deadline_in_ms(5000);
		int fd;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (lock_take(&fd, hear_path("lock"), &dl) < 0 || write(ends[1], "x", 1) != 1)
			_exit(1);
		hear_pause_ms(hold_ms);
		_exit(0);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &word, 1), 1);
	(void)close(ends[0]);
	return pid;
}

static void a_free_lock_is_taken_without_waiting(void **state)
{
	int fd = -1;
	char text[32], pid[32];
	struct stat st;

	(void)state;
	assert_int_equal(lock_take(&fd, hear_path("lock"), &passed), 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(state_read(hear_path("lock"), text, sizeof(text)), 0);
	(void)snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	assert_string_equal(text, pid);
	assert_int_equal(stat(hear_path("lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)close(fd);
}

static void a_second_taker_waits_and_is_told(void **state)
{
	int first = -1, second = 77;
	int64_t begin;
	struct deadline dl;

	(void)state;
	assert_int_equal(lock_take(&first, hear_path("lock"), &passed), 0);
	begin = now_ms();
	dl = deadline_in_ms(150);
	assert_int_equal(lock_take(&second, hear_path("lock"), &dl), -ETIMEDOUT);
	assert_int_equal(second, -1);
	assert_true(now_ms() - begin >= 150);
	assert_true(now_ms() - begin < 3000);
	(void)close(first);
	assert_int_equal(lock_take(&second, hear_path("lock"), &passed), 0);
	(void)close(second);
}

static void a_waiting_taker_gets_it_when_it_becomes_free(void **state)
{
	pid_t pid = holder(150);
	struct deadline dl = deadline_in_ms(8000);
	int fd = -1;

	(void)state;
	assert_int_equal(lock_take(&fd, hear_path("lock"), &passed), -ETIMEDOUT);
	assert_int_equal(lock_take(&fd, hear_path("lock"), &dl), 0);
	assert_false(deadline_passed(&dl));
	(void)close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_killed_holder_holds_nothing(void **state)
{
	pid_t pid = holder(60000);
	int fd = -1;

	(void)state;
	assert_int_equal(lock_held(hear_path("lock")), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(lock_held(hear_path("lock")), 0);
	assert_int_equal(lock_take(&fd, hear_path("lock"), &passed), 0);
	(void)close(fd);
}

static void looking_neither_takes_nor_makes_it(void **state)
{
	int fd = -1;

	(void)state;
	assert_int_equal(lock_held(hear_path("lock")), 0);
	assert_int_equal(state_exists(hear_path("lock")), 0);
	assert_int_equal(lock_take(&fd, hear_path("lock"), &passed), 0);
	assert_int_equal(lock_held(hear_path("lock")), 1);
	(void)close(fd);
	assert_int_equal(lock_held(hear_path("lock")), 0);
}

/* The one at the path counts: whoever comes next finds only that one. */
static void a_removed_lock_file_is_not_waited_for(void **state)
{
	int old = -1, fresh = -1, third = -1;

	(void)state;
	assert_int_equal(lock_take(&old, hear_path("lock"), &passed), 0);
	assert_int_equal(unlink(hear_path("lock")), 0);
	assert_int_equal(lock_take(&fresh, hear_path("lock"), &passed), 0);
	assert_int_equal(lock_take(&third, hear_path("lock"), &passed), -ETIMEDOUT);
	(void)close(old);
	assert_int_equal(lock_held(hear_path("lock")), 1);
	(void)close(fresh);
}

static void what_is_no_lock_file_is_refused_at_once(void **state)
{
	struct deadline dl = deadline_in_ms(60000);
	int fd = 77;

	(void)state;
	assert_int_equal(mkdir(hear_path("dir"), 0755), 0);
	assert_int_equal(lock_take(&fd, hear_path("dir"), &dl), -EISDIR);
	assert_int_equal(fd, -1);
	assert_int_equal(lock_held(hear_path("dir")), -EISDIR);
	assert_int_equal(lock_take(&fd, hear_path("none/lock"), &dl), -ENOENT);
	assert_int_equal(symlink(hear_path("target"), hear_path("link")), 0);
	assert_int_equal(lock_take(&fd, hear_path("link"), &dl), -ELOOP);
	assert_int_equal(state_exists(hear_path("target")), 0);
	assert_int_equal(mkfifo(hear_path("fifo"), 0600), 0);
	assert_int_equal(lock_take(&fd, hear_path("fifo"), &dl), -EINVAL);
	assert_int_equal(fd, -1);
}

static void one_of_many_at_a_time(void **state)
{
	pid_t pids[4];
	int fd = -1;

	(void)state;
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] > 0)
			continue;
		for (int round = 0; round < 5; round++) {
			struct deadline dl = deadline_in_ms(8000);

			if (lock_take(&fd, hear_path("lock"), &dl) < 0)
				_exit(1);
			/* fails when another is inside */
			if (mkdir(hear_path("inside"), 0755) < 0 || rmdir(hear_path("inside")) < 0)
				_exit(2);
			(void)close(fd);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(a_free_lock_is_taken_without_waiting),
		ALONE(a_second_taker_waits_and_is_told),
		ALONE(a_waiting_taker_gets_it_when_it_becomes_free),
		ALONE(a_killed_holder_holds_nothing),
		ALONE(looking_neither_takes_nor_makes_it),
		ALONE(a_removed_lock_file_is_not_waited_for),
		ALONE(what_is_no_lock_file_is_refused_at_once),
		ALONE(one_of_many_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
