/* SPDX-License-Identifier: PostgreSQL */
/* Never early, never without end, whatever signals come. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"

#define LATE_MS 1500 /* what a busy machine may add; a deadline that is ignored takes longer */

static volatile sig_atomic_t signals_seen;

static void count_signal(int number)
{
	(void)number;
	signals_seen++;
}

static void an_absurd_duration_does_not_wrap_around(void **state)
{
	struct deadline dl = deadline_in_ms(INT64_MAX);

	(void)state;
	assert_false(deadline_passed(&dl));
	assert_true(deadline_left_ms(&dl) > INT64_MAX / 2);
}

static void a_negative_duration_has_passed(void **state)
{
	struct deadline dl = deadline_in_ms(-5000);

	(void)state;
	assert_true(deadline_passed(&dl));
	assert_true(dl.at_ms >= now_ms() - LATE_MS);
}

static void what_is_left_is_never_negative(void **state)
{
	struct deadline dl = { .at_ms = now_ms() - 10000 };

	(void)state;
	assert_int_equal(deadline_left_ms(&dl), 0);
	assert_true(deadline_passed(&dl));
}

static void sooner_is_the_earlier_of_both(void **state)
{
	struct deadline near = deadline_in_ms(1000), far = deadline_in_ms(100000);
	struct deadline step;

	(void)state;
	step = deadline_sooner(&near, 50000);
	assert_int_equal(step.at_ms, near.at_ms);
	step = deadline_sooner(&far, 1000);
	assert_true(step.at_ms < far.at_ms);
	assert_true(step.at_ms >= near.at_ms);
}

/* 450 ms are longer than one poll of deadline.c. */
static void waits_to_the_end_and_not_beyond(void **state)
{
	int64_t begin = now_ms();
	struct deadline dl = deadline_in_ms(450);

	(void)state;
	assert_int_equal(deadline_poll(NULL, 0, &dl), 0);
	assert_true(now_ms() - begin >= 450);
	assert_true(now_ms() - begin < 450 + LATE_MS);
}

static void signals_neither_shorten_nor_prolong_a_wait(void **state)
{
	const struct sigaction count = { .sa_handler = count_signal };
	const struct itimerval often = { { 0, 7000 }, { 0, 7000 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct deadline dl;
	int64_t begin = now_ms();

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &count, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	dl = deadline_in_ms(300);
	assert_int_equal(deadline_poll(NULL, 0, &dl), 0);
	deadline_sleep(&dl);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_true(signals_seen >= 3);
	assert_true(now_ms() - begin >= 300);
	assert_true(now_ms() - begin < 300 + LATE_MS);
}

static void news_end_the_wait(void **state)
{
	int ends[2];
	struct deadline dl = deadline_in_ms(60000);
	struct pollfd fd;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fd = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(deadline_poll(&fd, 1, &dl), 1);
	assert_true(fd.revents & POLLIN);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void a_late_caller_gets_what_is_ready(void **state)
{
	int ends[2];
	struct deadline passed = { .at_ms = now_ms() - 1 };
	struct pollfd fd;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fd = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	assert_int_equal(deadline_poll(&fd, 1, &passed), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(deadline_poll(&fd, 1, &passed), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* More descriptors than the process may have open. */
static void an_error_of_poll_is_told(void **state)
{
	struct pollfd fds[2] = { { .fd = -1 }, { .fd = -1 } };
	struct deadline dl = deadline_in_ms(60000);
	struct rlimit before, small;
	int rc;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	small = (struct rlimit){ 1, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	rc = deadline_poll(fds, 2, &dl);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_absurd_duration_does_not_wrap_around),
		cmocka_unit_test(a_negative_duration_has_passed),
		cmocka_unit_test(what_is_left_is_never_negative),
		cmocka_unit_test(sooner_is_the_earlier_of_both),
		cmocka_unit_test(waits_to_the_end_and_not_beyond),
		cmocka_unit_test(signals_neither_shorten_nor_prolong_a_wait),
		cmocka_unit_test(news_end_the_wait),
		cmocka_unit_test(a_late_caller_gets_what_is_ready),
		cmocka_unit_test(an_error_of_poll_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
