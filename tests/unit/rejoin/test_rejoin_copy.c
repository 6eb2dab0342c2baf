/* SPDX-License-Identifier: PostgreSQL */
/* When rejoin takes a new copy, and when it stops trying. */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rebuild/rebuild.h"
#include "rejoin/rejoin_ready.h"
#include "rejoin/rejoin_rules.h"
#include "rejoin/rejoin_tries.h"
#include "rejoin_stage.h"

/* By itself only where that cannot discard the only copy of anything; else a person says so. */
static void a_new_copy_is_taken_where_nothing_else_helps(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.fenced = FACT_YES;
	f.peer = SERVER_PRIMARY;
	f.same_system = FACT_YES;
	f.past = PAST_DIVERGED;
	f.can_rewind = FACT_NO;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "cannot-rewind");
	f.copy_by_itself = true;
	decides(&f, STEP_REBUILD, OUT_YES, "rebuild");
	f.right = RIGHT_OURS;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "cannot-rewind");
	f.right = RIGHT_THEIRS;
	decides(&f, STEP_REBUILD, OUT_YES, "rebuild");
	f.copy_pausing = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "rebuild-pause");
	f.copy_spent = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "rebuild-stopped");
	f.copy_spent = f.copy_pausing = FACT_NO;
	f.past = PAST_SAME;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "same-timeline");
	f.copy_by_hand = true;
	decides(&f, STEP_REBUILD, OUT_YES, "rebuild-by-hand");
	f.past = PAST_OURS_NEWER;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "rebuild-discard");
	f.discard = true;
	decides(&f, STEP_REBUILD, OUT_YES, "rebuild-by-hand");
	f.peer = SERVER_STANDBY;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "rebuild-source");
}

static void a_rewind_that_fails_in_the_same_way_stops(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.peer = SERVER_PRIMARY;
	f.same_system = FACT_YES;
	f.past = PAST_DIVERGED;
	f.rewind_spent = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "rewind-stopped");
	f.copy_by_itself = true;
	decides(&f, STEP_REBUILD, OUT_YES, "rebuild");
}

static void a_standby_whose_wal_is_gone_says_so(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.local = LOCAL_STANDBY;
	f.form = PGDATA_STANDBY;
	f.follows = FACT_YES;
	f.withdrawn = FACT_NO;
	f.streaming = FACT_NO;
	f.replay_paused = FACT_NO;
	f.peer = SERVER_PRIMARY;
	f.same_system = FACT_YES;
	f.past = PAST_SHARED;
	decides(&f, STEP_WAIT, OUT_INCOMPLETE, "not-streaming");
	f.wal_gone = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "wal-gone");
	f.copy_by_itself = true;
	decides(&f, STEP_REBUILD, OUT_YES, "rebuild");
	f.promoting = FACT_YES;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "promotion-under-way");
}

static void a_missing_directory_is_made_by_hand_only(void **unused)
{
	struct rejoin_facts f = old_primary();

	(void)unused;
	f.form = PGDATA_MISSING;
	f.right_version = FACT_UNKNOWN;
	f.control = FACT_UNKNOWN;
	f.peer = SERVER_PRIMARY;
	f.copy_by_itself = true;
	decides(&f, STEP_VERDICT, OUT_REFUSED, "directory-missing");
	f.copy_by_hand = true;
	decides(&f, STEP_REBUILD, OUT_YES, "rebuild-by-hand");
	/* A copy that is whole needs nobody any more. */
	f.peer = SERVER_UNKNOWN;
	f.copy_by_hand = false;
	f.swapping = FACT_YES;
	decides(&f, STEP_SWAP, OUT_YES, "swap");
}

static void progress_is_told_in_words(void **unused)
{
	struct rebuild_progress progress = { .done_bytes = INT64_C(5) << 30,
					     .total_bytes = INT64_C(20) << 30 };
	char text[160];

	(void)unused;
	rebuild_progress_words(&progress, 50000, text, sizeof(text));
	assert_string_equal(text, "5.0 GB of 20.0 GB, 25 %, 102.4 MB/s, 2 min 30 s left");
	progress.done_bytes = progress.total_bytes + 1;
	rebuild_progress_words(&progress, 50000, text, sizeof(text));
	assert_non_null(strstr(text, "100 %"));
	assert_non_null(strstr(text, "0 s left"));
	progress = (struct rebuild_progress){ .phase = "waiting for checkpoint to finish" };
	rebuild_progress_words(&progress, 0, text, sizeof(text));
	assert_string_equal(text, "waiting for checkpoint to finish");
}

static void pauses_double_up_to_a_bound(void **unused)
{
	const struct cfg cfg = { .retry_interval_ms = 2000 };

	(void)unused;
	assert_int_equal(tries_pause_ms(&cfg, 1), 2000);
	assert_int_equal(tries_pause_ms(&cfg, 4), 16000);
	assert_int_equal(tries_pause_ms(&cfg, 1000), TRY_PAUSE_MAX_MS);
}

/* The needs of a rewind, all combinations: yes only when all of it is known to be there. */
static void ready_for_a_rewind_means_all_that_it_needs(void **unused)
{
	(void)unused;
	/* 3^15; the last fact is a new copy's, and only its words depend on it. */
	for (int n = 0; n < 14348907; n++) {
		enum fact all[16];
		struct ready_facts f;
		enum outcome wanted = OUT_YES;
		struct verdict verdict;

		for (int i = 0, rest = n; i < 15; i++, rest /= 3)
			all[i] = (enum fact)(rest % 3);
		all[15] = (enum fact)(n / 7 % 3);
		static_assert(sizeof(all) == sizeof(f), "a fact is missing here");
		memcpy(&f, all, sizeof(f));
		for (size_t i = 0; i < ARRAY_COUNT(all) - 1; i++)
			if (all[i] == FACT_UNKNOWN && wanted == OUT_YES)
				wanted = OUT_UNKNOWN;
			else if (all[i] == FACT_NO)
				wanted = OUT_NO;
		ready_decide(&f, &verdict);
		if (verdict.outcome != wanted || verdict.rule == NULL || verdict.message == NULL)
			fail_msg("combination %d", n);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_copy_is_taken_where_nothing_else_helps),
		cmocka_unit_test(a_rewind_that_fails_in_the_same_way_stops),
		cmocka_unit_test(a_standby_whose_wal_is_gone_says_so),
		cmocka_unit_test(a_missing_directory_is_made_by_hand_only),
		cmocka_unit_test(ready_for_a_rewind_means_all_that_it_needs),
		cmocka_unit_test(progress_is_told_in_words),
		cmocka_unit_test(pauses_double_up_to_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
