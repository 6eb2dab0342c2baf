/* SPDX-License-Identifier: PostgreSQL */
/* Timeline histories: read as strictly as PostgreSQL does, compared as pg_rewind does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "postgres/history_file.h"
#include "rejoin/rejoin_rules.h"

static struct history_file a, b;

static void first_timeline_has_no_parents(void **unused)
{
	(void)unused;
	assert_int_equal(history_file_parse(&a, 1, ""), 0);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.entries[0].timeline, 1);
	assert_true(a.entries[0].begin == 0 && a.entries[0].end == HISTORY_FILE_OPEN);
}

static void parents_are_read_in_order(void **unused)
{
	(void)unused;
	assert_int_equal(
	    history_file_parse(&a, 5,
			       "# comment\n\n1\t0/3000060\tno recovery target specified\n"
			       "3\t1/A0\tbefore 2000-01-01\r\n"),
	    0);
	assert_int_equal(a.count, 3);
	assert_int_equal(a.entries[1].timeline, 3);
	assert_true(a.entries[1].begin == 0x3000060 && a.entries[1].end == UINT64_C(0x1000000A0));
	assert_int_equal(a.entries[2].timeline, 5);
	assert_true(a.entries[2].begin == UINT64_C(0x1000000A0));
	assert_true(a.entries[2].end == HISTORY_FILE_OPEN);
}

static void garbage_is_refused(void **unused)
{
	static const char *const garbage[] = {
		"x\n",
		"1\n",
		"1\t\n",
		"1\t0/G\n",
		"10/3000060\n",
		"0\t0/1\tzero\n",
		"99999999999\t0/1\n",
		"4294967296\t0/1\n",
		"2\t0/1\tas new as itself\n",
		"1\t0/2\n1\t0/3\n",
		"1\t0/3\n2\t0/2\n",
		"1 \n0/3000060\n",
		"-1\t0/3000060\n",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		assert_int_equal(history_file_parse(&a, 2, garbage[i]), -EINVAL);
		assert_int_equal(a.count, 0);
	}
	assert_int_equal(history_file_parse(&a, 0, ""), -EINVAL);
}

/* A pg_rewind that is killed leaves it empty, or cut off. */
static void what_was_torn_is_no_history(void **unused)
{
	static const char *const torn[] = { "",
					    "\n",
					    "# comment\n",
					    "1\t0/300",
					    "1\t0/3000060\tno reco",
					    "1\t0/3000060\n2\t0/40" };

	(void)unused;
	for (size_t i = 0; i < sizeof(torn) / sizeof(torn[0]); i++)
		assert_int_equal(history_file_parse(&a, 3, torn[i]), -EINVAL);
}

static void too_many_are_not_cut_short(void **unused)
{
	static char text[HISTORY_FILE_ENTRIES * 24];
	size_t used = 0;

	(void)unused;
	for (unsigned int i = 1; i <= HISTORY_FILE_ENTRIES; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%u\t0/%X\n", i, i);
	assert_int_equal(history_file_parse(&a, HISTORY_FILE_ENTRIES + 1, text), -E2BIG);
	assert_int_equal(a.count, 0);
}

static void fork_is_where_the_first_left(void **unused)
{
	uint32_t timeline;
	uint64_t fork;

	(void)unused;
	assert_int_equal(history_file_parse(&a, 1, ""), 0);
	assert_int_equal(history_file_parse(&b, 2, "1\t0/3000060\n"), 0);
	assert_int_equal(history_file_fork(&a, &b, &timeline, &fork), 0);
	assert_int_equal(timeline, 1);
	assert_true(fork == 0x3000060);
	assert_int_equal(history_file_parse(&a, 3, "1\t0/2000000\n"), 0);
	assert_int_equal(history_file_fork(&a, &b, &timeline, &fork), 0);
	assert_int_equal(timeline, 1);
	assert_true(fork == 0x2000000);
	assert_int_equal(history_file_fork(&b, &b, &timeline, &fork), 0);
	assert_int_equal(timeline, 2);
	assert_true(fork == HISTORY_FILE_OPEN);
	assert_int_equal(history_file_parse(&a, 5, "4\t0/90\n"), 0);
	assert_int_equal(history_file_fork(&a, &b, &timeline, &fork), -ENOENT);
}

/* ---- rejoin_compare ---- */

static enum rejoin_past compare(uint32_t ours, const char *our_text, uint32_t theirs,
				const char *their_text, const struct rejoin_end *end)
{
	struct rejoin_end full = *end;
	uint64_t fork;

	full.history = &a;
	assert_int_equal(history_file_parse(&a, ours, our_text), 0);
	assert_int_equal(history_file_parse(&b, theirs, their_text), 0);
	return rejoin_compare(&full, &b, &fork);
}

static void a_clean_primary_is_shared_only_before_the_fork(void **unused)
{
	struct rejoin_end end = { .end = 0x3000028 };

	(void)unused;
	assert_int_equal(compare(1, "", 2, "1\t0/30000A0\n", &end), PAST_SHARED);
	/* The checkpoint of the shutdown begins where the other left: it never received it. */
	end.end = 0x30000A0;
	assert_int_equal(compare(1, "", 2, "1\t0/30000A0\n", &end), PAST_DIVERGED);
	end.end = 0x30000A8;
	assert_int_equal(compare(1, "", 2, "1\t0/30000A0\n", &end), PAST_DIVERGED);
}

static void a_crashed_primary_may_have_written_anything(void **unused)
{
	const struct rejoin_end end = { .end = 0x1000000, .open_end = true };

	(void)unused;
	assert_int_equal(compare(1, "", 2, "1\t0/30000A0\n", &end), PAST_DIVERGED);
}

static void a_standby_may_have_replayed_up_to_the_fork(void **unused)
{
	struct rejoin_end end = { .end = 0x30000A0, .standby = true };

	(void)unused;
	assert_int_equal(compare(1, "", 2, "1\t0/30000A0\n", &end), PAST_SHARED);
	assert_int_equal(compare(1, "", 1, "", &end), PAST_SHARED);
	end.end = 0x30000A1;
	assert_int_equal(compare(1, "", 2, "1\t0/30000A0\n", &end), PAST_DIVERGED);
}

static void one_timeline_for_two_primaries_cannot_be_told_apart(void **unused)
{
	const struct rejoin_end end = { .end = 0x1000000 };

	(void)unused;
	assert_int_equal(compare(2, "1\t0/A0\n", 2, "1\t0/A0\n", &end), PAST_SAME);
	assert_int_equal(compare(2, "1\t0/A0\n", 2, "1\t0/B0\n", &end), PAST_UNRELATED);
	assert_int_equal(compare(5, "4\t0/90\n", 6, "1\t0/B0\n", &end), PAST_UNRELATED);
}

static void newer_timelines_win_and_older_are_told(void **unused)
{
	const struct rejoin_end end = { .end = 0x90, .standby = true };

	(void)unused;
	assert_int_equal(compare(3, "1\t0/A0\n", 2, "1\t0/A0\n", &end), PAST_OURS_NEWER);
	assert_int_equal(compare(2, "1\t0/A0\n", 1, "", &end), PAST_OURS_NEWER);
	/* Both were promoted: theirs is newer. */
	assert_int_equal(compare(2, "1\t0/A0\n", 3, "1\t0/80\n", &end), PAST_DIVERGED);
	assert_int_equal(compare(2, "1\t0/A0\n", 4, "1\t0/A0\n2\t0/B0\n3\t0/C0\n", &end),
			 PAST_SHARED);
}

static void without_a_history_nothing_is_known(void **unused)
{
	const struct history_file none = { 0 };
	const struct rejoin_end end = { .history = &none };
	uint64_t fork;

	(void)unused;
	assert_int_equal(history_file_parse(&b, 1, ""), 0);
	assert_int_equal(rejoin_compare(&end, &b, &fork), PAST_UNKNOWN);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_timeline_has_no_parents),
		cmocka_unit_test(parents_are_read_in_order),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(what_was_torn_is_no_history),
		cmocka_unit_test(too_many_are_not_cut_short),
		cmocka_unit_test(fork_is_where_the_first_left),
		cmocka_unit_test(a_clean_primary_is_shared_only_before_the_fork),
		cmocka_unit_test(a_crashed_primary_may_have_written_anything),
		cmocka_unit_test(a_standby_may_have_replayed_up_to_the_fork),
		cmocka_unit_test(one_timeline_for_two_primaries_cannot_be_told_apart),
		cmocka_unit_test(newer_timelines_win_and_older_are_told),
		cmocka_unit_test(without_a_history_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
