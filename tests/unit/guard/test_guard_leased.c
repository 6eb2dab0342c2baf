/* SPDX-License-Identifier: PostgreSQL */
/* Whom the guard leaves alone, and when it begins to hold a server to its lease. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/state.h"
#include "guard/guard_leased.h"
#include "guardnode.h"
#include "node/leased.h"
#include "node/mark.h"
#include "node/stamp.h"
#include "nodefiles.h"
#include "postgres/pgdata.h"

#define LEASE 5000

static struct cfg *const cfg = &nodefiles_cfg;

static enum guard_act act(void)
{
	struct guard_facts facts;

	(void)look();
	/* As if it had been so for long. */
	guard.unentitled_since = guard.unentitled_since > 0 ? 1 : 0;
	facts = guard_facts(&guard);
	return guard_decide(&facts);
}

static uint64_t system_here(void)
{
	uint64_t system;

	assert_int_equal(pgdata_system(cfg, &system), 0);
	return system;
}

static bool data_marked(void)
{
	return leased_look(cfg, system_here()).data == FACT_YES;
}

static void found(void)
{
	start_server();
	becomes(PRODUCTION, "ready   ");
}

static void new_guard(void)
{
	(void)close(guard.pidfd);
	begin_guard();
}

/* ---- spared ---- */

static void a_server_that_was_there_before_is_left_alone(void **unused)
{
	struct guard_facts facts;
	struct nftlease want;

	(void)unused;
	found();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(act(), GUARD_NOTHING);
		assert_int_equal(act(), GUARD_NOTHING);
		facts = guard_facts(&guard);
		assert_true(guard_kernel_wants(&facts, &want));
		assert_int_equal(want.gate, NFTLEASE_OPEN);
		assert_int_equal(guard.lease.until_ms, 0);
		assert_false(data_marked());
		new_guard(); /* and also by the next one */
	}
}

static void a_mark_that_cannot_be_looked_for_spares_nobody(void **unused)
{
	(void)unused;
	found();
	assert_int_equal(rmdir(cfg->state_dir), 0);
	(void)act();
	assert_int_equal(act(), GUARD_FENCE_UNENTITLED);
	assert_int_equal(mkdir(cfg->state_dir, 0755), 0);
}

static void what_is_started_under_the_eyes_of_a_guard_needs_a_right(void **unused)
{
	(void)unused;
	(void)look();
	found();
	(void)act();
	assert_int_equal(act(), GUARD_FENCE_UNENTITLED);
	assert_true(data_marked());
	new_guard(); /* nor does the next one spare it */
	(void)act();
	assert_int_equal(act(), GUARD_FENCE_UNENTITLED);
}

static void a_fenced_node_is_not_spared(void **unused)
{
	(void)unused;
	found();
	assert_int_equal(fenced_write(cfg, "test", FENCED_BY_PEER), 0);
	assert_int_equal(act(), GUARD_FENCE_AGAIN);
}

/* ---- from the first lease on it is as ever ---- */

static void the_first_vote_begins_a_lease_behind_the_mark(void **unused)
{
	static const enum witness_kind kinds[] = { WITNESS_POSTGRES, WITNESS_PING };

	(void)unused;
	found();
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		int64_t sent = now_ms();

		cfg->witness_kind = kinds[i];
		new_guard();
		(void)look();
		stamp(STAMP_VOTE, sent);
		assert_int_equal(look(), sent + LEASE);
		assert_true(data_marked());
		assert_int_equal(leased_look(cfg, system_here()).state, FACT_YES);
		/* The standby is gone for longer than a lease. */
		assert_int_equal(stamp_clear(cfg, STAMP_VOTE), 0);
		guard.lease.until_ms = now_ms();
		assert_int_equal(act(), GUARD_FENCE_LEASE);
		guard.lease = (struct lease){ 0 };
		(void)act();
		assert_int_equal(act(), GUARD_FENCE_UNENTITLED);
		assert_int_equal(unlink(below("data/pg_vrrp.leased").text), 0);
		assert_int_equal(unlink(below("state/leased").text), 0);
	}
}

static void without_the_mark_there_is_no_first_lease(void **unused)
{
	(void)unused;
	found();
	(void)look();
	assert_int_equal(rename(cfg->data_dir, below("away").text), 0);
	assert_false(guard_leased_begin(&guard));
	assert_int_equal(rename(below("away").text, cfg->data_dir), 0);
	/* The mark is tried again, but not with each tick. */
	assert_false(guard_leased_begin(&guard));
	stamp(STAMP_VOTE, now_ms());
	assert_int_equal(look(), 0);
	assert_int_equal(act(), GUARD_NOTHING);
	guard.leased_next_ms = 0;
	assert_true(look() > 0);
	assert_true(data_marked());
}

static void marks_that_somebody_takes_away_come_back(void **unused)
{
	(void)unused;
	found();
	stamp(STAMP_GRANT, now_ms() + LEASE);
	assert_true(look() > 0);
	assert_int_equal(unlink(below("data/pg_vrrp.leased").text), 0);
	assert_int_equal(unlink(below("state/leased").text), 0);
	(void)look(); /* not with each tick */
	assert_false(data_marked());
	guard.leased_next_ms = 0;
	guard.lease = (struct lease){ 0 };
	assert_int_equal(stamp_clear(cfg, STAMP_GRANT), 0);
	(void)act();
	assert_int_equal(act(), GUARD_FENCE_UNENTITLED);
	assert_true(data_marked());
}

/* An earlier version wrote no mark; a disk that is full must not end what it has begun. */
static void a_lease_that_runs_needs_no_mark_to_go_on(void **unused)
{
	int64_t sent = now_ms() - 1000;

	(void)unused;
	found();
	cfg->witness_kind = WITNESS_PING;
	guard.lease = (struct lease){ .until_ms = sent + LEASE, .by = "file" };
	guard.leased_next_ms = now_ms() + 60000; /* it cannot be written now */
	stamp(STAMP_VOTE, sent + 500);
	assert_int_equal(look(), sent + 500 + LEASE);
	assert_false(data_marked());
	guard.leased_next_ms = 0;
	stamp(STAMP_LEASE, sent + LEASE);
	(void)look();
	assert_true(data_marked());
}

static void what_an_earlier_version_left_is_a_lease_that_was(void **unused)
{
	static const enum stamp left[] = { STAMP_LEASE, STAMP_GRANT, STAMP_RENEWED, STAMP_SOLO };

	(void)unused;
	found();
	for (size_t i = 0; i < ARRAY_COUNT(left); i++) {
		new_guard();
		guard.fenced = FACT_UNKNOWN; /* none of them is used */
		stamp(left[i], now_ms() - LEASE);
		(void)look();
		assert_true(data_marked());
		assert_int_equal(stamp_clear(cfg, left[i]), 0);
		assert_int_equal(unlink(below("data/pg_vrrp.leased").text), 0);
		assert_int_equal(unlink(below("state/leased").text), 0);
	}
	new_guard();
	nodefiles_put(file_state(cfg, "record"), "a row that names this cluster\n");
	(void)look();
	assert_true(data_marked());
}

/* A vote that no guard has taken gave nobody anything. */
static void a_vote_of_long_ago_ends_nothing(void **unused)
{
	(void)unused;
	found();
	stamp(STAMP_VOTE, now_ms() - 2 * LEASE);
	(void)act();
	assert_int_equal(act(), GUARD_NOTHING);
	assert_false(data_marked());
}

/* ---- standbys, and directories that are replaced ---- */

static void a_standby_is_held_so_that_a_promotion_by_hand_is_seen(void **unused)
{
	(void)unused;
	nodefiles_put(below("data/standby.signal"), "");
	start_server();
	becomes(ARCHIVE_RECOVERY, "ready   ");
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_STANDBY);
	assert_true(data_marked());
	assert_int_equal(unlink(below("data/standby.signal").text), 0);
	becomes(PRODUCTION, "ready   ");
	(void)act();
	assert_int_equal(act(), GUARD_FENCE_UNENTITLED);
}

static void a_directory_restored_from_before_is_held_by_state_dir(void **unused)
{
	(void)unused;
	found();
	assert_int_equal(leased_write_state(cfg, system_here()), 0);
	(void)act();
	assert_int_equal(act(), GUARD_FENCE_UNENTITLED);
	assert_true(data_marked()); /* so that the standby sees it */
	/* Another database altogether is not held by what the last one was. */
	assert_int_equal(unlink(below("data/pg_vrrp.leased").text), 0);
	assert_int_equal(leased_write_state(cfg, system_here() + 1), 0);
	new_guard();
	(void)act();
	assert_int_equal(act(), GUARD_NOTHING);
	assert_int_equal(leased_write_state(cfg, 0), 0); /* it was not known which */
	new_guard();
	(void)act();
	assert_int_equal(act(), GUARD_FENCE_UNENTITLED);
	assert_int_equal(unlink(below("data/pg_vrrp.leased").text), 0);
	nodefiles_put(below("state/leased"), "garbage");
	new_guard();
	(void)act();
	assert_int_equal(act(), GUARD_FENCE_UNENTITLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, guardnode_set_up, guardnode_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_server_that_was_there_before_is_left_alone),
		TEST(a_mark_that_cannot_be_looked_for_spares_nobody),
		TEST(what_is_started_under_the_eyes_of_a_guard_needs_a_right),
		TEST(a_fenced_node_is_not_spared),
		TEST(the_first_vote_begins_a_lease_behind_the_mark),
		TEST(without_the_mark_there_is_no_first_lease),
		TEST(marks_that_somebody_takes_away_come_back),
		TEST(a_lease_that_runs_needs_no_mark_to_go_on),
		TEST(what_an_earlier_version_left_is_a_lease_that_was),
		TEST(a_vote_of_long_ago_ends_nothing),
		TEST(a_standby_is_held_so_that_a_promotion_by_hand_is_seen),
		TEST(a_directory_restored_from_before_is_held_by_state_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
