/* SPDX-License-Identifier: PostgreSQL */
/* check_primary --read-only on a real primary with a real record: monitoring changes nothing. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "check/check_round.h"
#include "node/stamp.h"
#include "record_stage.h"

static struct cfg *const n1 = &stage_servers.cfg[0];

/* Every file of the node and of its server's settings, and when each was last touched. */
static void files_of_n1(char *text, size_t size)
{
	char settings[CFG_PATH_MAX + 32];
	const char *const argv[] = { "/usr/bin/find", n1->run_dir,   n1->state_dir, settings,
				     "-printf",       "%p %s %C@\n", NULL };

	(void)snprintf(settings, sizeof(settings), "%s/postgresql.auto.conf", n1->data_dir);
	assert_int_equal(pgfixture_run(argv, false, text, size), 0);
	assert_true(strlen(text) + 1 < size);
}

static void rows(char *text, size_t size)
{
	witness_server_sql(&stage_witness, "SELECT r::text FROM pgvrrp.record r", text, size);
}

/* All that a round could change: files, settings, the row. */
struct all {
	char files[16384], row[512];
};

static void look_at_all(struct all *all)
{
	files_of_n1(all->files, sizeof(all->files));
	rows(all->row, sizeof(all->row));
}

static void look_says(const char *rule)
{
	struct check_seen seen;
	struct verdict verdict = check_look(n1, now_ms(), &seen, NULL);

	if (strcmp(verdict.rule, rule) != 0)
		fail_msg("%s: %s (%s), wanted: %s", verdict.rule, verdict.message, verdict.detail,
			 rule);
	assert_int_equal(seen.is, SERVER_PRIMARY);
}

static void act(void)
{
	struct check_seen seen;

	(void)check_round(n1, now_ms(), &seen);
}

static void serves(void)
{
	assert_int_equal(pgfixture_start(&stage_servers, 0, true), 0);
	assert_int_equal(stamp_write(n1, STAMP_LEASE, now_ms() + n1->lease_ms, "vote"), 0);
	assert_int_equal(stamp_write(n1, STAMP_VOTE, now_ms(), "vote"), 0);
}

/* A round would make the row, and say "serving". */
static void first_row_is_not_made(void **unused)
{
	static struct all before, after;

	(void)unused;
	serves();
	look_at_all(&before);
	assert_string_equal(before.row, "");
	look_says("serves");
	look_at_all(&after);
	assert_memory_equal(&before, &after, sizeof(after));
	act();
	look_at_all(&after);
	assert_string_not_equal(before.files, after.files);
	assert_string_not_equal(before.row, after.row);
}

/* A round would renew the row, and note the term. */
static void row_is_not_renewed(void **unused)
{
	static struct all before, after;

	(void)unused;
	serves();
	stage_record(true);
	look_at_all(&before);
	look_says("serves");
	look_at_all(&after);
	assert_memory_equal(&before, &after, sizeof(after));
	act();
	look_at_all(&after);
	assert_string_not_equal(before.row, after.row);
}

/* A round would ALTER SYSTEM: solo in sync mode, and the server waits for n2. */
static void setting_is_not_changed(void **unused)
{
	static struct all before, after;
	char names[64];

	(void)unused;
	n1->mode = MODE_SYNC;
	serves();
	stage_record(false);
	assert_int_equal(pgfixture_sql(&stage_servers, 0,
				       "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (n2)'",
				       NULL, 0),
			 0);
	assert_int_equal(pgfixture_sql(&stage_servers, 0, "SELECT pg_reload_conf()", NULL, 0), 0);
	assert_int_equal(
	    pgfixture_until(&stage_servers, 0, "SHOW synchronous_standby_names", "ANY 1 (n2)"), 0);
	look_at_all(&before);
	look_says("serves");
	look_at_all(&after);
	assert_memory_equal(&before, &after, sizeof(after));
	act();
	assert_int_equal(pgfixture_sql(&stage_servers, 0, "SHOW synchronous_standby_names", names,
				       sizeof(names)),
			 0);
	assert_string_equal(names, "");
}

static int set_up(void **unused)
{
	n1->check_budget_ms = 5000;
	n1->lease_ms = 60000;
	n1->mode = MODE_ASYNC;
	witness_server_sql(&stage_witness, "DELETE FROM pgvrrp.record", NULL, 0);
	return stage_set_up(unused);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, stage_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(first_row_is_not_made),
		TEST(row_is_not_renewed),
		TEST(setting_is_not_changed),
	};

	return pgfixture_possible() ? cmocka_run_group_tests(tests, stage_make, stage_end) : 0;
}
