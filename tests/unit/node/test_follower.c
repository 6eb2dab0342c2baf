/* SPDX-License-Identifier: PostgreSQL */
/* The knowledge of a primary about its standby, from one look to the next, and the part of it
 * that outlives a run. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/outcome.h"
#include "base/state.h"
#include "check/duty_follower.h"
#include "node/boot_file.h"
#include "node/follower.h"
#include "node/path.h"
#include "node/stamp.h"
#include "nodefiles.h"

#define ROUND 1000
#define PID   4711

/* ---- the file ---- */

static int set_up(void **unused)
{
	return nodefiles_set_up(unused);
}

static int tear_down(void **unused)
{
	int rc = state_remove(file_run(&nodefiles_cfg, "follower").text, false);

	return rc < 0 ? rc : nodefiles_tear_down(unused);
}

static void follower_reads_back(void **unused)
{
	struct follower follower = { .asked_ms = now_ms(),
				     .good_since_ms = 5,
				     .good_ms = now_ms() - 1,
				     .flush_lsn = UINT64_C(0x16B374D848),
				     .postmaster = PID,
				     .sender = PID + 1,
				     .target_lsn = 7,
				     .loaded_us = 1764515400123456 };
	struct follower back;

	(void)unused;
	assert_false(follower_read(&nodefiles_cfg).known);
	assert_int_equal(follower_write(&nodefiles_cfg, &follower), 0);
	back = follower_read(&nodefiles_cfg);
	assert_true(back.known);
	follower.known = true;
	assert_memory_equal(&back, &follower, sizeof(back));
}

/* Lines as they are written, with one exchanged, behind this boot's id. */
static void put_lines(const char *old, const char *new)
{
	static const char *const lines[] = { "asked_ms=30",   "good_since_ms=10", "good_ms=20",
					     "postmaster=17", "sender=18",        "flush_lsn=5",
					     "target_lsn=6",  "loaded_us=9" };
	char text[512] = "", boot[40];
	size_t used;

	assert_int_equal(boot_id(boot, sizeof(boot)), 0);
	used = (size_t)snprintf(text, sizeof(text), "boot=%s\n", boot);
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		const char *line = strcmp(lines[i], old) == 0 ? new : lines[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n", line);
	}
	nodefiles_put(file_run(&nodefiles_cfg, "follower"), text);
}

static void garbage_is_not_known(void **unused)
{
	static const char *const wrong[][2] = {
		{ "asked_ms=30", "asked_ms=3x" },
		{ "asked_ms=30", "asked_ms=" },
		{ "asked_ms=30", "asked=30" },
		{ "asked_ms=30", "asked_ms=19" },
		{ "good_since_ms=10", "good_since_ms=-1" },
		{ "good_since_ms=10", "good_since_ms=21" },
		{ "good_ms=20", "good_ms=9" },
		{ "good_ms=20", "good_ms=31" },
		{ "postmaster=17", "" },
		{ "sender=18", "sender=x" },
		{ "flush_lsn=5", "flush_lsn=-5" },
		{ "target_lsn=6", "target_lsn=0/6" },
		{ "target_lsn=6", "target_lsn=6\ntarget_lsn=7" },
		{ "loaded_us=9", "" },
		{ "loaded_us=9", "loaded_us=now" },
	};

	(void)unused;
	put_lines("", "");
	assert_true(follower_read(&nodefiles_cfg).known);
	assert_int_equal(follower_read(&nodefiles_cfg).target_lsn, 6);
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		struct follower follower;

		put_lines(wrong[i][0], wrong[i][1]);
		follower = follower_read(&nodefiles_cfg);
		if (follower.known || follower.target_lsn != 0 || follower.good_ms != 0)
			fail_msg("taken for good: %s", wrong[i][1]);
	}
}

static void a_time_that_is_still_to_come_is_not_known(void **unused)
{
	struct follower follower = { .asked_ms = now_ms() + 60000 };

	(void)unused;
	assert_int_equal(follower_write(&nodefiles_cfg, &follower), 0);
	assert_false(follower_read(&nodefiles_cfg).known);
}

/* ---- files of one boot ---- */

static void a_file_of_another_boot_is_none(void **unused)
{
	char text[STATE_TEXT_MAX];
	uint64_t value = 9;

	(void)unused;
	assert_int_equal(boot_file_read(&nodefiles_cfg, "follower", text, sizeof(text)), -ENOENT);
	nodefiles_put(file_run(&nodefiles_cfg, "follower"),
		      "boot=00000000-0000-0000-0000-000000000000\nasked_ms=1\n");
	assert_int_equal(boot_file_read(&nodefiles_cfg, "follower", text, sizeof(text)), -ENOENT);
	nodefiles_put(file_run(&nodefiles_cfg, "follower"), "asked_ms=1\n");
	assert_int_equal(boot_file_read(&nodefiles_cfg, "follower", text, sizeof(text)), -EINVAL);
	assert_int_equal(boot_file_write(&nodefiles_cfg, "follower", "lsn=12\nless=-1\n"), 0);
	assert_int_equal(boot_file_read(&nodefiles_cfg, "follower", text, sizeof(text)), 0);
	assert_int_equal(state_get_u64(text, "less", &value), -EINVAL);
	assert_int_equal(state_get_u64(text, "more", &value), -ENOENT);
	assert_int_equal(value, 9);
	assert_int_equal(state_get_u64(text, "lsn", &value), 0);
	assert_int_equal(value, 12);
}

static void a_file_that_is_too_long_is_not_written_in_part(void **unused)
{
	char text[STATE_TEXT_MAX];

	(void)unused;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(boot_file_write(&nodefiles_cfg, "follower", text), -EFBIG);
	assert_int_equal(boot_file_read(&nodefiles_cfg, "follower", text, sizeof(text)), -ENOENT);
}

/* ---- from one look to the next ---- */

static const struct cfg limits = { .solo_after_ms = 5000, .max_lag_bytes = 1000 };
static struct follower follower;
static struct server local;
static struct duty_facts facts;

static int begin(void **unused)
{
	(void)unused;
	follower = (struct follower){ .known = false };
	facts = (struct duty_facts){ .trust = RECORD_SILENT };
	/* This primary writes all the time, so the standby is never quite there. */
	local = (struct server){ .asked_ms = 100000,
				 .write_lsn = 10000,
				 .peer_streams = true,
				 .peer_sync = true,
				 .peer_flush_lsn = 9900 };
	return 0;
}

static void look_by(int64_t postmaster)
{
	duty_follower_note(&follower, &local, postmaster);
	duty_follower_facts(&facts, &follower, &local, &limits);
}

/* The next look, later by that much; written and flushed bytes more. */
static void look_again(int64_t later_ms, uint64_t written, uint64_t flushed)
{
	local.asked_ms += later_ms;
	local.write_lsn += written;
	local.peer_flush_lsn += flushed;
	look_by(PID);
}

static void it_follows_when_it_did_so_for_a_whole_round(void **unused)
{
	(void)unused;
	look_by(PID);
	assert_int_equal(facts.follows, FACT_UNKNOWN);
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.follows, FACT_YES);
	assert_int_equal(facts.lost, FACT_NO);
	local.peer_streams = false;
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.follows, FACT_NO);
	assert_int_equal(facts.near, FACT_NO); /* however little it lacked when it went */
	local.peer_streams = true;
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.follows, FACT_UNKNOWN);
	look_again(ROUND, 0, 0); /* behind, and nothing came */
	assert_int_equal(facts.follows, FACT_NO);
	look_again(ROUND, 0, local.write_lsn - local.peer_flush_lsn);
	look_again(ROUND, 0, 0); /* nothing was written, and it has it all */
	assert_int_equal(facts.follows, FACT_YES);
}

static void it_is_lost_when_it_was_seen_away_for_solo_after(void **unused)
{
	(void)unused;
	look_by(PID);
	local.peer_streams = false;
	for (int rounds = 1; rounds <= 5; rounds++) {
		look_again(ROUND, 50, 0);
		assert_int_equal(facts.lost, rounds < 5 ? FACT_NO : FACT_YES);
	}
	local.peer_streams = true;
	look_again(ROUND, 0, 50);
	assert_int_equal(facts.lost, FACT_NO);
}

/* A full disk, a frozen host behind a connection that stands: the commits would wait for ever. */
static void connected_and_without_progress_is_lost_too(void **unused)
{
	(void)unused;
	look_by(PID);
	for (int rounds = 1; rounds <= 5; rounds++)
		look_again(ROUND, 50, 0);
	assert_int_equal(facts.lost, FACT_YES);
	assert_int_equal(facts.follows, FACT_NO);
}

/* A standby that was away since this server began was never seen to be well. */
static void one_that_never_came_is_lost_as_late_as_any(void **unused)
{
	(void)unused;
	local.peer_streams = false, local.peer_flush_lsn = 0;
	look_by(PID);
	assert_int_equal(facts.lost, FACT_NO);
	for (int rounds = 1; rounds <= 5; rounds++)
		look_again(ROUND, 0, 0);
	assert_int_equal(facts.lost, FACT_YES);
	assert_int_equal(facts.near, FACT_NO);
}

static void time_in_which_nobody_looked_does_not_count(void **unused)
{
	(void)unused;
	look_by(PID);
	look_again(ROUND, 50, 50);
	follower.target_lsn = 5;
	local.peer_streams = false;
	look_again(60000, 0, 0);
	assert_int_equal(facts.lost, FACT_NO);
	assert_false(facts.targeted);
	for (int rounds = 1; rounds <= 5; rounds++)
		look_again(ROUND, 0, 0);
	assert_int_equal(facts.lost, FACT_YES);
	/* Nor was it seen to follow. */
	local.peer_streams = true;
	look_again(ROUND, 50, 50);
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.follows, FACT_YES);
	look_again(60000, 50, 50);
	assert_int_equal(facts.follows, FACT_UNKNOWN);
}

static void lag_is_what_it_has_not_flushed(void **unused)
{
	(void)unused;
	local.peer_flush_lsn = local.write_lsn - 500;
	look_by(PID);
	assert_int_equal(facts.near, FACT_YES);
	assert_int_equal(facts.too_far, FACT_NO);
	look_again(ROUND, 2, 1);
	assert_int_equal(facts.near, FACT_NO);
	assert_int_equal(facts.too_far, FACT_NO);
	look_again(ROUND, 500, 1);
	assert_int_equal(facts.lost, FACT_NO);
	assert_int_equal(facts.too_far, FACT_NO); /* 1000: no more than max_lag */
	look_again(ROUND, 2, 1);
	assert_int_equal(facts.too_far, FACT_YES);
	/* Away: its lag is that of what it had. */
	local.peer_streams = false, local.peer_flush_lsn = 0;
	look_again(ROUND, 0, 0);
	assert_int_equal(facts.too_far, FACT_YES);
	assert_int_equal(facts.near, FACT_NO);
}

static void the_target_is_reached_by_a_synchronous_standby_only(void **unused)
{
	(void)unused;
	look_by(PID);
	assert_false(facts.targeted);
	assert_int_equal(facts.reached, FACT_NO);
	follower.target_lsn = 10000;
	look_again(ROUND, 50, 50);
	assert_true(facts.targeted);
	assert_int_equal(facts.reached, FACT_NO);
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.reached, FACT_YES);
	local.peer_sync = false;
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.reached, FACT_NO);
}

/* A server that starts lets commits through before it goes by its list of standbys. */
static void another_postmaster_knows_nothing_of_its_standby(void **unused)
{
	(void)unused;
	look_by(PID);
	follower.target_lsn = 9000;
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.reached, FACT_YES);
	local.asked_ms += ROUND, local.peer_flush_lsn += 1;
	look_by(PID + 1);
	assert_false(facts.targeted);
	assert_int_equal(facts.reached, FACT_NO);
	assert_int_equal(facts.follows, FACT_UNKNOWN);
}

/* All backends end when one crashes, and the server forgets what commits go by. */
static void another_walsender_has_yet_to_follow_for_a_round(void **unused)
{
	(void)unused;
	look_by(PID);
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.follows, FACT_YES);
	follower.target_lsn = 9000;
	local.peer_sender++;
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.follows, FACT_UNKNOWN);
	assert_false(facts.targeted);
	look_again(ROUND, 50, 50);
	assert_int_equal(facts.follows, FACT_YES);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define LOOK_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FILE_TEST(follower_reads_back),
		FILE_TEST(garbage_is_not_known),
		FILE_TEST(a_time_that_is_still_to_come_is_not_known),
		FILE_TEST(a_file_of_another_boot_is_none),
		FILE_TEST(a_file_that_is_too_long_is_not_written_in_part),
		LOOK_TEST(it_follows_when_it_did_so_for_a_whole_round),
		LOOK_TEST(it_is_lost_when_it_was_seen_away_for_solo_after),
		LOOK_TEST(connected_and_without_progress_is_lost_too),
		LOOK_TEST(one_that_never_came_is_lost_as_late_as_any),
		LOOK_TEST(time_in_which_nobody_looked_does_not_count),
		LOOK_TEST(lag_is_what_it_has_not_flushed),
		LOOK_TEST(the_target_is_reached_by_a_synchronous_standby_only),
		LOOK_TEST(another_postmaster_knows_nothing_of_its_standby),
		LOOK_TEST(another_walsender_has_yet_to_follow_for_a_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
