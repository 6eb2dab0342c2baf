/* SPDX-License-Identifier: PostgreSQL */
/* The rules of rejoin, promise by promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rejoin/rejoin_rules.h"
#include "rejoin_stage.h"

static void knowing_nothing_does_nothing(void **unused)
{
	const struct rejoin_facts f = { 0 };

	(void)unused;
	decides(&f, STEP_VERDICT, OUT_UNKNOWN, "local-silent");
}

static void nobody_answers_starts_nothing(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "nobody-answers");
	f.peer = SERVER_DOWN;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "nobody-answers");
	f.peer = SERVER_STARTING;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "nobody-answers");
	f.peer_down_by_operator = true;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "nobody-answers");
	f.peer = SERVER_DOWN;
	decides(&f, STEP_RESUME, OUT_YES, "resume-by-operator");
	f.fenced = FACT_YES;
	decides(&f, STEP_RESUME, OUT_YES, "resume-by-operator");
	f.peer_down_by_operator = false;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced");
}

static void a_vote_or_a_lease_starts_the_primary_again(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.lease_runs = FACT_YES;
	decides(&f, STEP_RESUME, OUT_YES, "resume");
	f.peer = SERVER_STANDBY;
	f.same_system = FACT_YES;
	f.peer_withdrawn = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "takeover-under-way");
	f.peer_withdrawn = FACT_NO;
	f.lease_runs = FACT_NO;
	f.peer_votes = FACT_YES;
	decides(&f, STEP_RESUME, OUT_YES, "resume");
	f.peer_ahead = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "peer-ahead");
	f.peer_ahead = FACT_NO;
	f.no_resume = true;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "restart-wait");
	f.peer_votes = FACT_NO;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "no-vote");
}

static void an_old_primary_follows_or_is_rewound(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.fenced = FACT_YES;
	f.peer = SERVER_PRIMARY;
	f.same_system = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_UNKNOWN, "history-unknown");
	f.past = PAST_SHARED;
	decides(&f, STEP_FOLLOW, OUT_YES, "follow");
	f.past = PAST_DIVERGED;
	decides(&f, STEP_REWIND, OUT_YES, "rewind");
	f.pausing = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "rewind-pause");
	f.can_rewind = FACT_NO;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "cannot-rewind");
	f.past = PAST_OURS_NEWER;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "ours-newer");
	f.past = PAST_SAME;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "same-timeline");
	f.same_system = FACT_NO;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "wrong-system");
}

static void a_half_rewound_directory_never_starts(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.rewinding = FACT_YES;
	f.peer_votes = FACT_YES;
	f.lease_runs = FACT_YES;
	f.peer_down_by_operator = true;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "half-rewound");
	f.form = PGDATA_STANDBY;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "half-rewound");
	f.undoable = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "half-rewound");
	f.peer = SERVER_PRIMARY;
	f.same_system = FACT_YES;
	decides(&f, STEP_UNDO, OUT_YES, "undo");
	/* The rewind failed, and its words are not forgotten for that. */
	f.pausing = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "rewind-pause");
	f.pausing = FACT_NO;
	f.rewind_spent = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "rewind-stopped");
	f.rewound = FACT_YES;
	decides(&f, STEP_ADOPT, OUT_YES, "rewound");
}

static void a_standby_starts_whoever_answers(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.form = PGDATA_STANDBY;
	f.fenced = FACT_YES;
	/* With a recovery target it might promote itself. */
	decides(&f, STEP_VERDICT, OUT_UNKNOWN, "target-unknown");
	f.target = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "recovery-target");
	f.target = FACT_NO;
	decides(&f, STEP_START, OUT_YES, "start-standby");
	/* Crashed beyond the fork: PostgreSQL recovers it first. */
	f.peer = SERVER_PRIMARY;
	f.same_system = FACT_YES;
	f.past = PAST_DIVERGED;
	decides(&f, STEP_START, OUT_YES, "start-standby");
	f.clean = FACT_YES;
	decides(&f, STEP_REWIND, OUT_YES, "rewind");
}

/* Both would wait for each other: the standby is too old to take over, the primary is fenced. */
static void the_vote_answers_a_fence_of_ones_own_guard(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.peer = SERVER_STANDBY;
	f.peer_votes = FACT_YES;
	f.fenced = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced"); /* the other node asked for it */
	f.fenced_by = FENCED_BY_GUARD;
	decides(&f, STEP_RESUME, OUT_YES, "resume");
	f.peer_votes = FACT_UNKNOWN;
	f.lease_runs = FACT_YES; /* no lease outlives a fence */
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced");
}

/* With a record nothing else counts: no lease, and no vote where there is a row. */
static void the_record_says_who_starts(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.lease_runs = FACT_YES;
	f.right = RIGHT_UNWRITTEN;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "nobody-answers");
	f.peer = SERVER_STANDBY;
	f.peer_votes = FACT_YES;
	decides(&f, STEP_RESUME, OUT_YES, "resume"); /* the first start of a cluster */
	f.right = RIGHT_UNKNOWN;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "record-unknown");
	f.right = RIGHT_THEIRS;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "record-theirs");
	f.peer = SERVER_DOWN;
	f.peer_down_by_operator = true;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "record-theirs");
	f.right = RIGHT_UNKNOWN;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "record-unknown");
	f = old_primary(), f.right = RIGHT_OURS;
	decides(&f, STEP_RESUME, OUT_YES, "resume");
	f.no_resume = true;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "restart-wait");
	f.right = RIGHT_OURS_SOLO; /* nobody to wait for */
	decides(&f, STEP_RESUME, OUT_YES, "resume");
}

static void the_record_answers_a_fence(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.fenced = FACT_YES;
	f.right = RIGHT_OURS;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced"); /* by a person */
	f.fenced_by = FENCED_BY_PEER;                     /* which is about to take over */
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced");
	f.right = RIGHT_OURS_SOLO; /* and may not */
	decides(&f, STEP_RESUME, OUT_YES, "resume");
	f.fenced_by = FENCED_BY_GUARD;
	f.right = RIGHT_OURS;
	decides(&f, STEP_RESUME, OUT_YES, "resume");
}

/* A person takes a person's fence away, with the proof that the guard's own needs. */
static void a_persons_fence_has_a_way_back(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.fenced = FACT_YES;
	f.fenced_by = FENCED_BY_OPERATOR;
	f.right = RIGHT_OURS_SOLO;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced");
	f.lift = true;
	decides(&f, STEP_RESUME, OUT_YES, "resume");
	f.right = RIGHT_THEIRS;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "record-theirs");
	f.right = RIGHT_UNKNOWN;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "record-unknown");
	f.right = RIGHT_UNUSED;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced-unproven");
	f.peer = SERVER_STANDBY;
	f.peer_votes = FACT_YES;
	decides(&f, STEP_RESUME, OUT_YES, "resume");
	f.fenced_by = FENCED_BY_PEER; /* which may be about to be promoted */
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced");
}

static void a_persons_fence_of_a_standby_has_one_too(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.local = LOCAL_STANDBY;
	f.form = PGDATA_STANDBY;
	f.fenced = FACT_YES;
	f.fenced_by = FENCED_BY_OPERATOR;
	f.withdrawn = FACT_NO;
	f.follows = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_INCOMPLETE, "still-fenced");
	f.keeps_record = true;
	f.to_be_promoted = true;
	f.promoting = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced-holder");
	f.lift = true;
	decides(&f, STEP_LIFT, OUT_YES, "lift");
	f.fenced = FACT_NO;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "to-be-promoted");
	f.keeps_record = false;
	f.fenced = FACT_YES;
	f.fenced_by = FENCED_BY_PEER;
	f.to_be_promoted = false;
	f.promoting = FACT_NO;
	decides(&f, STEP_VERDICT, OUT_INCOMPLETE, "still-fenced");
}

static void two_primaries_are_not_our_business(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.local = LOCAL_PRIMARY;
	decides(&f, STEP_VERDICT, OUT_YES, "primary");
	f.peer = SERVER_PRIMARY;
	f.same_system = FACT_YES;
	f.past = PAST_OURS_NEWER;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "two-primaries-newer");
	f.past = PAST_DIVERGED;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "two-primaries-older");
	f.peer = SERVER_STANDBY;
	f.fenced = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "fenced-primary");
}

static void a_running_standby_is_led_back(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.local = LOCAL_STANDBY;
	f.form = PGDATA_STANDBY;
	f.withdrawn = FACT_YES;
	decides(&f, STEP_RESTORE, OUT_YES, "wrong-upstream");
	f.promoting = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "promotion-under-way");
	f.promoting = FACT_NO;
	f.withdrawn = FACT_NO;
	f.follows = FACT_YES;
	f.fenced = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_INCOMPLETE, "still-fenced");
	f.fenced = FACT_NO;
	decides(&f, STEP_VERDICT, OUT_YES, "no-primary");
	f.peer = SERVER_PRIMARY;
	f.same_system = FACT_YES;
	decides(&f, STEP_WAIT, OUT_YES, "not-streaming");
	f.past = PAST_DIVERGED;
	decides(&f, STEP_REWIND, OUT_YES, "rewind");
	f.streaming = FACT_YES;
	decides(&f, STEP_FINISH, OUT_YES, "streaming");
}

static void a_restore_is_left_alone(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.form = PGDATA_RECOVERY;
	f.peer_votes = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "recovery-signal");
	f.local = LOCAL_STANDBY;
	f.withdrawn = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "recovery-signal");
}

/* The words of a rule are told only of the one that decides; every step has its own. */
static void explains_every_rule(void **unused)
{
	const struct rejoin_facts f = old_primary();
	char *text = NULL, *rest = NULL;
	size_t size = 0, deciding = 0;
	struct verdict verdict;
	FILE *out = open_memstream(&text, &size);

	(void)unused;
	assert_non_null(out);
	rejoin_explain(&f, out);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "ok         not local-silent\n"));
	assert_non_null(strstr(text, "nobody-answers"));
	(void)rejoin_decide(&f, &verdict);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "ok ", 3) == 0 || strncmp(line, "- ", 2) == 0)
			continue;
		deciding++;
		assert_non_null(strstr(line, verdict.message));
	}
	assert_int_equal(deciding, 1);
	free(text);
	for (int step = 0; step < STEPS; step++)
		assert_string_not_equal(rejoin_step_word((enum rejoin_step)step), "unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(knowing_nothing_does_nothing),
		cmocka_unit_test(nobody_answers_starts_nothing),
		cmocka_unit_test(a_vote_or_a_lease_starts_the_primary_again),
		cmocka_unit_test(an_old_primary_follows_or_is_rewound),
		cmocka_unit_test(a_half_rewound_directory_never_starts),
		cmocka_unit_test(a_standby_starts_whoever_answers),
		cmocka_unit_test(the_vote_answers_a_fence_of_ones_own_guard),
		cmocka_unit_test(the_record_says_who_starts),
		cmocka_unit_test(the_record_answers_a_fence),
		cmocka_unit_test(a_persons_fence_has_a_way_back),
		cmocka_unit_test(a_persons_fence_of_a_standby_has_one_too),
		cmocka_unit_test(two_primaries_are_not_our_business),
		cmocka_unit_test(a_running_standby_is_led_back),
		cmocka_unit_test(a_restore_is_left_alone),
		cmocka_unit_test(explains_every_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
