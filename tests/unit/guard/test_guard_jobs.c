/* SPDX-License-Identifier: PostgreSQL */
/* The programs that the guard starts, and its words when it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/outcome.h"
#include "guard/guard_jobs.h"
#include "hear.h"

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
	/* The start went well (there is no such program, but that is not for the start to know). */
	assert_int_equal(told_by_three_starts(&jobs, 64), 0);
	assert_int_equal(told_by_three_starts(&jobs, 3), 1);
}

/* Runs a helper that does what the words of a shell say. */
static void run_helper(struct guard_jobs *jobs, const struct cfg *cfg, const char *words)
{
	char path[sizeof(cfg->libexec_dir) + 32];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/replication_slots", cfg->libexec_dir);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fprintf(file, "#!/bin/sh\n%s\n", words) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0755), 0);
	guard_job_forget(jobs, JOB_SLOTS);
	guard_job_start(jobs, cfg, JOB_SLOTS, 0);
	while (guard_job_runs(jobs, JOB_SLOTS))
		guard_jobs_reap(jobs);
	assert_int_equal(unlink(path), 0);
}

/* replication_slots that was killed, or had no descriptor left, was called again after
 * test_interval only, five minutes: as long nothing held the WAL for a standby that might go away.
 */
static void who_did_not_come_to_an_end_has_not_decided(void **state)
{
	static const struct {
		const char *words;
		bool decided;
	} ends[] = {
		{ "exit 0", true },         { "kill -KILL $$", false }, { "exit 1", true },
		{ "exit 3", false },        { "exit 2", true },         { "exit 4", false },
		{ "kill -TERM $$", false }, { "exit 78", false },       { "exit 71", false },
		{ "exit 64", true },        { "exit 127", false },
	};
	char directory[] = "/tmp/pgv-jobs-XXXXXX";
	static struct cfg cfg;
	struct guard_jobs jobs;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(cfg.libexec_dir, sizeof(cfg.libexec_dir), "%s", directory);
	guard_jobs_init(&jobs);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		run_helper(&jobs, &cfg, ends[i].words);
		if (jobs.undecided[JOB_SLOTS] == ends[i].decided)
			fail_msg("%s", ends[i].words);
	}
	assert_int_equal(rmdir(directory), 0);
}

static void who_could_not_be_started_has_not_decided(void **state)
{
	struct guard_jobs jobs;

	(void)state;
	guard_jobs_init(&jobs);
	assert_int_equal(told_by_three_starts(&jobs, 3), 1);
	assert_true(jobs.undecided[JOB_CHECK]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_failure_is_told_once),
		cmocka_unit_test(who_did_not_come_to_an_end_has_not_decided),
		cmocka_unit_test(who_could_not_be_started_has_not_decided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
