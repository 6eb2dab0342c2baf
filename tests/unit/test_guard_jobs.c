/* SPDX-License-Identifier: PostgreSQL */
/* What the guard starts, and what it says when it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "hear.h"
#include "serve/guard_jobs.h"

static int lines(const char *text)
{
	int count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

/* Three starts in a row with so many descriptors; how many lines that is in the log. */
static int told_by_three_starts(struct guard_jobs *jobs, rlim_t descriptors)
{
	static struct cfg cfg;
	struct rlimit before, small;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	small = (struct rlimit){ descriptors, before.rlim_max };
	hear_begin();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	for (int i = 0; i < 3; i++) {
		guard_job_forget(jobs, JOB_CHECK);
		guard_job_start(jobs, &cfg, JOB_CHECK, 0);
		while (guard_job_runs(jobs, JOB_CHECK))
			guard_jobs_reap(jobs);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	return lines(hear_end());
}

/* With no descriptors left this would be two lines a second, onto a disk that may be full too. */
static void the_same_failure_is_told_once(void **state)
{
	struct guard_jobs jobs;

	(void)state;
	guard_jobs_init(&jobs);
	assert_int_equal(told_by_three_starts(&jobs, 3), 1);
	assert_int_equal(told_by_three_starts(&jobs, 3), 0);
	/* It went well (there is no such program, but that is not for the start to know). */
	assert_int_equal(told_by_three_starts(&jobs, 64), 0);
	assert_int_equal(told_by_three_starts(&jobs, 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_failure_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
