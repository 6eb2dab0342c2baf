/* SPDX-License-Identifier: PostgreSQL */
/* An answer that is late is an answer: its vote counts from when it was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>

#include "base/deadline.h"
#include "check/check_round.h"
#include "check/check_watch.h"
#include "config/timing.h"
#include "node/answer.h"
#include "node/path.h"
#include "node/stamp.h"
#include "pgstage.h"

#define N1 0
#define N2 1
/* More than probe_timeout, and less than a round. */
#define LATE_MS 450

static void a_question_has_its_round(void **state)
{
	struct cfg cfg = { .check_budget_ms = 800,
			   .probe_timeout_ms = 250,
			   .renew_interval_ms = 1000 };

	(void)state;
	assert_int_equal(answer_question_ms(&cfg), 700);
	cfg.renew_interval_ms = 5000;
	assert_int_equal(answer_question_ms(&cfg), 700);
	/* A short lease has more rounds, and each of them less time. */
	cfg.renew_interval_ms = 400;
	assert_int_equal(answer_question_ms(&cfg), 400);
	cfg.renew_interval_ms = 200;
	assert_int_equal(answer_question_ms(&cfg), 250);
	cfg.check_budget_ms = TIMING_BUDGET_MAX_MS, cfg.renew_interval_ms = 1000;
	assert_true(answer_question_ms(&cfg) < TIMING_ROUND_MS);
}

/* As slow as a server that has no processor to run on. */
struct stopped {
	pid_t pid;
	int64_t for_ms;
};

static void *go_on_later(void *arg)
{
	const struct stopped *server = arg;
	const struct deadline later = deadline_in_ms(server->for_ms);

	deadline_sleep(&later);
	(void)kill(server->pid, SIGCONT);
	return NULL;
}

static void a_late_vote_counts_from_when_it_was_asked_for(void **state)
{
	struct stopped standby = { pgstage.postmaster[N2], LATE_MS };
	struct cfg *cfg = &pgstage.cfg[N1];
	struct check_seen seen;
	pthread_t other;
	int64_t began_ms, vote_ms;

	(void)state;
	cfg->renew_interval_ms = 1000;
	assert_int_equal(files_prepare(cfg), 0);
	assert_int_equal(kill(pgstage.postmaster[N2], SIGSTOP), 0);
	assert_int_equal(pthread_create(&other, NULL, go_on_later, &standby), 0);
	began_ms = now_ms();
	(void)check_round(cfg, began_ms, &seen);
	assert_in_range(now_ms() - began_ms, LATE_MS, cfg->check_budget_ms + 50);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_int_equal(seen.is, SERVER_PRIMARY);
	assert_int_equal(stamp_read(cfg, STAMP_VOTE, &vote_ms, NULL, 0), 0);
	assert_in_range(vote_ms - began_ms, 0, LATE_MS / 2);
}

static void one_that_does_not_answer_does_not_hold_up_the_next_round(void **state)
{
	struct cfg *cfg = &pgstage.cfg[N1];
	struct check_seen seen;
	int64_t began_ms, vote_ms;

	(void)state;
	assert_int_equal(stamp_clear(cfg, STAMP_VOTE), 0);
	assert_int_equal(kill(pgstage.postmaster[N2], SIGSTOP), 0);
	began_ms = now_ms();
	(void)check_round(cfg, began_ms, &seen);
	assert_in_range(now_ms() - began_ms, 0, TIMING_ROUND_MS - 1);
	assert_int_equal(kill(pgstage.postmaster[N2], SIGCONT), 0);
	assert_int_equal(seen.is, SERVER_PRIMARY);
	assert_true(stamp_read(cfg, STAMP_VOTE, &vote_ms, NULL, 0) < 0);
}

static void a_busy_server_has_as_long_as_the_lease_can_spare(void **state)
{
	const struct cfg cfg = { .lease_ms = 5000,
				 .stop_fast_ms = 500,
				 .stop_immediate_ms = 300,
				 .check_budget_ms = 800,
				 .probe_timeout_ms = 250,
				 .renew_interval_ms = 1000 };

	(void)state;
	/* A fence takes 1000 ms, and the guard asks by itself 750 ms before. */
	assert_int_equal(check_watch_budget_ms(&cfg, 20, 5000), 800);
	assert_int_equal(check_watch_budget_ms(&cfg, 300, 4000), TIMING_PATIENT_MS);
	assert_int_equal(check_watch_budget_ms(&cfg, 300, 2900), 1150);
	assert_int_equal(check_watch_budget_ms(&cfg, 800, 2000), 800);
	assert_int_equal(check_watch_budget_ms(&cfg, 800, -1), 800);
}

/* The vote is asked for beside it, and comes in time. */
static void a_patient_round_acts_on_an_answer_that_took_a_second(void **state)
{
	struct stopped primary = { pgstage.postmaster[N1], 1000 };
	struct cfg cfg = pgstage.cfg[N1];
	struct check_seen seen;
	pthread_t other;
	int64_t began_ms, vote_ms;

	(void)state;
	cfg.check_budget_ms = TIMING_PATIENT_MS;
	assert_int_equal(stamp_clear(&cfg, STAMP_VOTE), 0);
	assert_int_equal(kill(primary.pid, SIGSTOP), 0);
	assert_int_equal(pthread_create(&other, NULL, go_on_later, &primary), 0);
	began_ms = now_ms();
	(void)check_round(&cfg, began_ms, &seen);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_int_equal(seen.is, SERVER_PRIMARY);
	assert_in_range(seen.took_ms, 900, TIMING_PATIENT_MS);
	assert_int_equal(stamp_read(&cfg, STAMP_VOTE, &vote_ms, NULL, 0), 0);
	assert_in_range(vote_ms - began_ms, 0, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_has_its_round),
		cmocka_unit_test(a_late_vote_counts_from_when_it_was_asked_for),
		cmocka_unit_test(a_busy_server_has_as_long_as_the_lease_can_spare),
		cmocka_unit_test(a_patient_round_acts_on_an_answer_that_took_a_second),
		cmocka_unit_test(one_that_does_not_answer_does_not_hold_up_the_next_round),
	};

	return cmocka_run_group_tests(tests, pgstage_pair, pgstage_end);
}
