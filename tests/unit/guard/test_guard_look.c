/* SPDX-License-Identifier: PostgreSQL */
/* The guard makes a lease of the files of its node and of its server, with a record and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A clock that can be made to jump: between any two lines this process may have been frozen. */
#define now_ms real_now_ms
#include "base/deadline.c" /* NOLINT(bugprone-suspicious-include) */
#undef now_ms
int64_t now_ms(void);

#include <string.h>
#include <unistd.h>

#include "base/outcome.h"
#include "controlfile.h"
#include "guardnode.h"
#include "node/mark.h"
#include "node/stamp.h"
#include "nodefiles.h"

#define LEASE  5000
#define FREEZE 3000

static struct cfg *const cfg = &nodefiles_cfg;

/* ---- the clock ---- */

static int64_t ahead_ms;
static int reads_left; /* of the clock, until it jumps; negative: never */
static int64_t before_jump_ms;

/* While we were frozen somebody has paired: the record no longer says solo. */
static void jump(int64_t now)
{
	before_jump_ms = now;
	ahead_ms += FREEZE;
	(void)unlink(file_run(cfg, "solo").text);
}

int64_t now_ms(void)
{
	int64_t now = real_now_ms() + ahead_ms;

	if (reads_left >= 0 && reads_left-- == 0)
		jump(now);
	return now;
}

static int set_up(void **unused)
{
	ahead_ms = 0;
	reads_left = -1;
	return guardnode_set_up(unused);
}

static void assert_lease(int64_t until_ms, const char *by)
{
	assert_int_equal(guard.lease.until_ms, until_ms);
	assert_string_equal(guard.lease.by, by);
}

/* ---- with a record ---- */

static void an_answered_renewal_begins_a_lease_and_prolongs_it(void **unused)
{
	int64_t sent = now_ms() - 1000;

	(void)unused;
	start_server();
	stamp(STAMP_RENEWED, sent);
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
	assert_lease(sent + LEASE, "record");
	stamp(STAMP_RENEWED, sent + 700);
	(void)look();
	assert_lease(sent + 700 + LEASE, "record");
	stamp(STAMP_RENEWED, sent - 500);
	(void)look();
	assert_lease(sent + 700 + LEASE, "record");
}

static void a_vote_prolongs_and_begins_nothing(void **unused)
{
	int64_t sent;

	(void)unused;
	(void)look(); /* down, so that what is started is not spared */
	start_server();
	sent = guard.down_ms + 1;
	stamp(STAMP_VOTE, sent);
	assert_int_equal(look(), 0);
	stamp(STAMP_GRANT, sent + 1000);
	(void)look();
	assert_int_equal(guard.lease.until_ms, sent + LEASE);
	/* The witness is silent; the standby votes on, until it does not. */
	ahead_ms += LEASE - 100;
	stamp(STAMP_VOTE, sent + LEASE - 200);
	(void)look();
	assert_int_equal(guard.lease.until_ms, sent + 2 * LEASE - 200);
	ahead_ms += LEASE;
	stamp(STAMP_VOTE, now_ms());
	(void)look();
	assert_int_equal(guard.lease.until_ms, sent + 2 * LEASE - 200);
}

static void a_grant_begins_a_lease_without_any_answer_since(void **unused)
{
	int64_t until = now_ms() + LEASE;

	(void)unused;
	(void)look();
	stamp(STAMP_GRANT, until);
	start_server();
	(void)look();
	assert_lease(until, "grant");
}

/* An answer for a server that has ended meanwhile says nothing about the next one. */
static void what_was_said_before_it_was_seen_down_counts_for_nothing(void **unused)
{
	(void)unused;
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_DOWN);
	stamp(STAMP_RENEWED, guard.down_ms);
	stamp(STAMP_VOTE, guard.down_ms);
	start_server();
	assert_int_equal(look(), 0);
	stamp(STAMP_GRANT, guard.down_ms + 1000);
	(void)look();
	assert_lease(guard.down_ms + 1000, "grant");
	stamp(STAMP_VOTE, guard.down_ms + 1);
	(void)look();
	assert_int_equal(guard.lease.until_ms, guard.down_ms + 1 + LEASE);
	stamp(STAMP_RENEWED, guard.down_ms + 2);
	(void)look();
	assert_lease(guard.down_ms + 2 + LEASE, "record");
}

/* Nobody need wait for a server that was said to be down, so nothing of its lease may be left. */
static void the_lease_ends_with_its_server(void **unused)
{
	(void)unused;
	start_server();
	stamp(STAMP_GRANT, now_ms() + LEASE);
	stamp(STAMP_RENEWED, now_ms());
	stamp(STAMP_VOTE, now_ms());
	assert_true(look() > 0);
	end_server();
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_DOWN);
	assert_true(guard.died_ms > 0);
	start_server(); /* by hand */
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
	stamp(STAMP_GRANT, now_ms() + LEASE); /* by rejoin */
	assert_true(look() > 0);
}

static void solo_it_goes_on_as_long_as_somebody_looks(void **unused)
{
	(void)unused;
	start_server();
	stamp(STAMP_SOLO, now_ms());
	for (int i = 0; i < 3; i++) {
		int64_t before = now_ms();

		(void)look();
		assert_in_range(guard.lease.until_ms, before + LEASE, now_ms() + LEASE);
		assert_string_equal(guard.lease.by, "solo");
		ahead_ms += 3 * LEASE; /* also after a lease ran out: the row has not changed */
	}
	assert_int_equal(stamp_clear(cfg, STAMP_SOLO), 0);
	assert_true(look() < now_ms());
}

static void solo_is_said_of_a_primary_of_this_boot_only(void **unused)
{
	(void)unused;
	stamp(STAMP_SOLO, now_ms());
	assert_int_equal(look(), 0); /* down */
	nodefiles_put(below("data/standby.signal"), "");
	controlfile_put(below("data/global/pg_control").text, ARCHIVE_RECOVERY);
	start_server();
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_STANDBY);
	assert_int_equal(unlink(below("data/standby.signal").text), 0);
	nodefiles_put(file_run(cfg, "solo"),
		      "boot=00000000-0000-0000-0000-000000000000\nat_ms=1\nword=record\n");
	assert_int_equal(look(), 0);
	nodefiles_put(file_run(cfg, "solo"), "at_ms=1\n");
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
}

/*
 * Frozen anywhere within a look, while the standby was paired again: the lease ends one lease after
 * a moment at which the stamp stood, because that is how long the standby waits.
 */
static void frozen_in_a_look_it_takes_no_more_than_there_was(void **unused)
{
	int jumps = 0;

	(void)unused;
	start_server();
	for (int reads = 0; reads < 40; reads++) {
		begin_guard();
		stamp(STAMP_SOLO, now_ms());
		before_jump_ms = 0;
		reads_left = reads;
		(void)look();
		reads_left = -1;
		if (before_jump_ms > 0)
			assert_true(guard.lease.until_ms <= before_jump_ms + LEASE);
		jumps += before_jump_ms > 0;
		(void)close(guard.pidfd);
		guard.pidfd = -1;
	}
	assert_in_range(jumps, 3, 39); /* one for each time that a look reads the clock */
}

static void a_fenced_node_takes_nothing(void **unused)
{
	(void)unused;
	start_server();
	stamp(STAMP_GRANT, now_ms() + LEASE);
	assert_true(look() > 0);
	assert_int_equal(fenced_write(cfg, "test", FENCED_BY_GUARD), 0);
	stamp(STAMP_GRANT, now_ms() + LEASE);
	stamp(STAMP_RENEWED, now_ms());
	stamp(STAMP_VOTE, now_ms());
	stamp(STAMP_SOLO, now_ms());
	assert_int_equal(look(), 0);
}

static void no_host_that_answers_pings_takes_part(void **unused)
{
	(void)unused;
	start_server();
	stamp(STAMP_GRANT, now_ms() + LEASE);
	(void)look();
	assert_int_equal(guard.witness.family, 0);
	assert_int_equal(guard.next_question_ms, 0);
}

/* ---- without a record ---- */

static void without_a_record_a_vote_begins_and_the_rest_is_not_read(void **unused)
{
	int64_t sent = now_ms();

	(void)unused;
	cfg->witness_kind = WITNESS_PING;
	start_server();
	stamp(STAMP_SOLO, sent);
	stamp(STAMP_RENEWED, sent);
	assert_int_equal(look(), 0);
	stamp(STAMP_VOTE, sent - 1000);
	(void)look();
	assert_lease(sent - 1000 + LEASE, "vote");
	/* The vote outlives its server, which may start again by it. */
	assert_int_equal(stamp_clear(cfg, STAMP_VOTE), 0);
	end_server();
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_DOWN);
	assert_lease(sent - 1000 + LEASE, "vote");
	stamp(STAMP_VOTE, guard.down_ms - 1);
	(void)look();
	assert_lease(guard.lease.until_ms, "vote");
	assert_true(guard.lease.until_ms > sent - 1000 + LEASE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, guardnode_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_answered_renewal_begins_a_lease_and_prolongs_it),
		TEST(a_vote_prolongs_and_begins_nothing),
		TEST(a_grant_begins_a_lease_without_any_answer_since),
		TEST(what_was_said_before_it_was_seen_down_counts_for_nothing),
		TEST(the_lease_ends_with_its_server),
		TEST(solo_it_goes_on_as_long_as_somebody_looks),
		TEST(solo_is_said_of_a_primary_of_this_boot_only),
		TEST(frozen_in_a_look_it_takes_no_more_than_there_was),
		TEST(a_fenced_node_takes_nothing),
		TEST(no_host_that_answers_pings_takes_part),
		TEST(without_a_record_a_vote_begins_and_the_rest_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
