/* SPDX-License-Identifier: PostgreSQL */
/* The role that the guard takes a server to have: by the server's own state, never by a file
 * beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "guardnode.h"
#include "node/stamp.h"
#include "nodefiles.h"

#define LEASE 5000

static struct cfg *const cfg = &nodefiles_cfg;

static bool stray_noted(void)
{
	int64_t at_ms;

	return stamp_read(cfg, STAMP_STRAY, &at_ms, NULL, 0) == 0;
}

static void a_signal_file_beside_a_primary_takes_nothing_from_it(void **unused)
{
	static const char *const names[] = { "data/standby.signal", "data/recovery.signal" };
	int64_t until = now_ms() + LEASE;

	(void)unused;
	start_server();
	becomes(PRODUCTION, "ready   ");
	stamp(STAMP_GRANT, until);
	assert_int_equal(look(), until);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		nodefiles_put(below(names[i]), "");
		assert_int_equal(look(), until);
		assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
		assert_true(stray_noted());
		/* So does one that has never seen this server before. */
		(void)close(guard.pidfd);
		begin_guard();
		assert_int_equal(look(), until);
		assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
		assert_int_equal(unlink(below(names[i]).text), 0);
		(void)look();
		assert_false(stray_noted());
	}
}

/* Torn, another's, gone: whatever pg_control says then, this server was in production. */
static void what_was_a_primary_stays_one_until_its_postmaster_has_ended(void **unused)
{
	int64_t until = now_ms() + LEASE;

	(void)unused;
	start_server();
	becomes(PRODUCTION, "ready   ");
	stamp(STAMP_GRANT, until);
	(void)look();
	nodefiles_put(below("data/standby.signal"), "");
	nodefiles_put(below("data/global/pg_control"), "garbage");
	assert_int_equal(look(), until);
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
	assert_false(guard.back_in_recovery);
	assert_int_equal(unlink(below("data/global/pg_control").text), 0);
	assert_int_equal(look(), until);
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
	/* A backend crashed: within one postmaster, PostgreSQL reads the file.  That
	 * server goes. */
	becomes(ARCHIVE_RECOVERY, "ready   ");
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
	assert_true(guard_facts(&guard).back_in_recovery);
	end_server();
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_DOWN);
	assert_true(stray_noted()); /* for rejoin */
	assert_false(guard_facts(&guard).back_in_recovery);
	start_server();
	becomes(ARCHIVE_RECOVERY, "ready   ");
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_STANDBY);
	assert_int_equal(guard.lease.until_ms, 0);
	assert_false(stray_noted());
}

/* Of a server that has only begun, pg_control tells what the last one was, or whose copy it is. */
static void what_has_only_begun_is_neither(void **unused)
{
	(void)unused;
	nodefiles_put(below("data/standby.signal"), "");
	start_server();
	for (uint32_t state = 0; state <= PRODUCTION; state++) {
		becomes(state, "starting");
		(void)look();
		assert_int_equal(guard.server, state == ARCHIVE_RECOVERY ? GUARD_SERVER_STANDBY
									 : GUARD_SERVER_UNKNOWN);
	}
	becomes(ARCHIVE_RECOVERY, "ready   ");
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_STANDBY);
	assert_false(guard.back_in_recovery);
	/* The standby is promoted: the file goes first, then pg_control tells. */
	assert_int_equal(unlink(below("data/standby.signal").text), 0);
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
	becomes(PRODUCTION, "ready   ");
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
	assert_false(guard.back_in_recovery);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, guardnode_set_up, guardnode_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_signal_file_beside_a_primary_takes_nothing_from_it),
		TEST(what_was_a_primary_stays_one_until_its_postmaster_has_ended),
		TEST(what_has_only_begun_is_neither),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
