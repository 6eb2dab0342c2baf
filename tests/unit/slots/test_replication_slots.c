/* SPDX-License-Identifier: PostgreSQL */
/*
 * Slots of two real servers: what is held for whom, where it ends, and that a standby never names
 * one that is not there.  The tests build on each other: a slot lives on from one to the next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgfixture.h"

#define main replication_slots_main
#include "replication_slots.c"
#undef main

#define PATIENCE 10000
#define N1       0
#define N2       1

/* WAL files have 1 MB each here. */
#define BOUND "max_slot_wal_keep_size = 8MB\n"

static struct pgfixture fixture;

static void sql(size_t node, const char *text)
{
	assert_int_equal(pgfixture_sql(&fixture, node, text, NULL, 0), 0);
}

static void until(size_t node, const char *query, const char *wanted)
{
	assert_int_equal(pgfixture_until(&fixture, node, query, wanted), 0);
}

static struct verdict run_one(size_t node, const struct options *options)
{
	const struct cli cli = { .program = "replication_slots" };

	return run(&fixture.cfg[node], &cli, options);
}

static void maintains(size_t node, enum outcome outcome, const char *rule)
{
	const struct verdict verdict = run_one(node, &(struct options){ .maintain = true });

	if (verdict.outcome != outcome || strcmp(verdict.rule, rule) != 0)
		fail_msg("n%zu: %s %s: %s (%s); wanted %s", node + 1, outcome_word(verdict.outcome),
			 verdict.rule, verdict.message, verdict.detail, rule);
}

static struct server_slots asked(size_t node)
{
	const struct deadline dl = deadline_in_ms(PATIENCE);
	struct server_slots slots;

	server_slots_ask(&slots, &fixture.cfg[node], PG_LOCAL, &dl);
	assert_true(slots.known);
	return slots;
}

static struct server_slot slot(size_t node, const char *name)
{
	const struct server_slots slots = asked(node);
	const struct server_slot *found = slot_find(&slots, name);

	if (found == NULL)
		fail_msg("n%zu has no slot %s", node + 1, name);
	return found != NULL ? *found : (struct server_slot){ .name = "" };
}

/* So many WAL files, and a checkpoint that removes those that nobody needs. */
static void write_wal(int files)
{
	for (int i = 0; i < files; i++)
		sql(N1, "SELECT pg_logical_emit_message(true, 'fill', repeat('x', 1000000))");
	sql(N1, "CHECKPOINT");
}

static long wal_files(size_t node)
{
	char text[32];

	assert_int_equal(pgfixture_sql(&fixture, node, "SELECT count(*) FROM pg_ls_waldir()", text,
				       sizeof(text)),
			 0);
	return strtol(text, NULL, 10);
}

static void streams(size_t node)
{
	until(node, "SELECT status FROM pg_stat_wal_receiver", "streaming");
}

static void stop(size_t node)
{
	assert_int_equal(pgfixture_stop(&fixture, node, SIGINT), 0);
}

static void start(size_t node)
{
	assert_int_equal(pgfixture_start(&fixture, node, true), 0);
}

/* ---- names ---- */

static void a_slot_is_called_after_the_node_that_uses_it(void **state)
{
	char name[SLOT_NAME_MAX];

	(void)state;
	slot_name_of("n1", name, sizeof(name));
	assert_string_equal(name, "pgvrrp_n1");
	slot_name_of("db-east-2", name, sizeof(name));
	assert_string_equal(name, "pgvrrp_db_east_2");
	assert_true(slot_is_ours(name));
	assert_false(slot_is_ours("debezium"));
	assert_false(slot_is_ours("pgvrr"));
}

/* ---- with two servers ---- */

static void nothing_is_made_without_a_bound(void **state)
{
	(void)state;
	assert_int_equal(asked(N1).bound_bytes, -1);
	maintains(N1, OUT_REFUSED, "unbounded");
	maintains(N2, OUT_REFUSED, "unbounded");
	assert_int_equal(asked(N1).count, 0);
	assert_int_equal(asked(N2).count, 0);
	for (size_t node = N1; node <= N2; node++) {
		assert_int_equal(pgfixture_configure(&fixture, node, BOUND), 0);
		sql(node, "SELECT pg_reload_conf()");
		until(node, "SHOW max_slot_wal_keep_size", "8MB");
	}
	assert_int_equal(asked(N1).bound_bytes, 8 << 20);
}

static void each_node_gets_one_for_the_other(void **state)
{
	(void)state;
	maintains(N2, OUT_INCOMPLETE, "not-offered");
	assert_string_equal(asked(N2).uses, "");
	maintains(N1, OUT_YES, "wal-held");
	assert_int_equal(slot(N1, "pgvrrp_n2").hold, SLOT_KEEPS);
	maintains(N2, OUT_YES, "wal-held");
	assert_string_equal(asked(N2).uses, "pgvrrp_n2");
	assert_int_equal(slot(N2, "pgvrrp_n1").hold, SLOT_KEEPS);
	until(N1, "SELECT active FROM pg_replication_slots", "t");
	streams(N2);
	/* a second time there is nothing to do */
	maintains(N1, OUT_YES, "wal-held");
	maintains(N2, OUT_YES, "wal-held");
}

static void a_standby_that_was_away_catches_up(void **state)
{
	(void)state;
	stop(N2);
	sql(N1, "CREATE TABLE t AS SELECT 1 AS i");
	write_wal(4);
	write_wal(1);
	assert_true(slot(N1, "pgvrrp_n2").held_bytes >= 4 << 20);
	maintains(N1, OUT_YES, "wal-held");
	start(N2);
	streams(N2);
	until(N2, "SELECT count(*) FROM t", "1");
}

static void a_standbys_slot_goes_with_it(void **state)
{
	const uint64_t before = slot(N2, "pgvrrp_n1").restart_lsn;

	(void)state;
	write_wal(2);
	until(N2, "SELECT pg_last_wal_replay_lsn() >= redo_lsn FROM pg_control_checkpoint()", "t");
	sql(N1, "CHECKPOINT");
	until(N1, "SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication", "t");
	sql(N2, "CHECKPOINT");
	maintains(N2, OUT_YES, "wal-held");
	assert_true(slot(N2, "pgvrrp_n1").restart_lsn > before);
	assert_true(slot(N2, "pgvrrp_n1").restart_lsn == asked(N2).redo_lsn);
}

static void a_name_that_the_primary_does_not_know_is_taken_away(void **state)
{
	(void)state;
	/* As a base backup of a primary that was a standby once. */
	sql(N2, "ALTER SYSTEM SET primary_slot_name = 'pgvrrp_n1'");
	sql(N2, "SELECT pg_reload_conf()");
	until(N1, "SELECT count(*) FROM pg_stat_replication", "0");
	maintains(N2, OUT_YES, "wal-held");
	assert_string_equal(asked(N2).uses, "pgvrrp_n2");
	streams(N2);
	/* As a primary whose slots somebody dropped. */
	stop(N2);
	sql(N1, "SELECT pg_drop_replication_slot('pgvrrp_n2')");
	start(N2);
	maintains(N2, OUT_INCOMPLETE, "not-offered");
	assert_string_equal(asked(N2).uses, "");
	streams(N2);
	maintains(N1, OUT_YES, "wal-held");
	maintains(N2, OUT_YES, "wal-held");
	streams(N2);
	/* An operator's own is left alone. */
	sql(N1, "SELECT pg_create_physical_replication_slot('mine')");
	sql(N2, "ALTER SYSTEM SET primary_slot_name = 'mine'");
	sql(N2, "SELECT pg_reload_conf()");
	until(N2, "SHOW primary_slot_name", "mine");
	maintains(N2, OUT_REFUSED, "name-foreign");
	sql(N2, "ALTER SYSTEM RESET primary_slot_name");
	sql(N2, "SELECT pg_reload_conf()");
	until(N2, "SHOW primary_slot_name", "");
	maintains(N2, OUT_YES, "wal-held");
	until(N1, "SELECT active FROM pg_replication_slots WHERE slot_name = 'mine'", "f");
	sql(N1, "SELECT pg_drop_replication_slot('mine')");
}

static void slots_of_nobody_are_dropped(void **state)
{
	(void)state;
	sql(N1, "SELECT pg_create_physical_replication_slot('pgvrrp_n9', true)");
	maintains(N1, OUT_YES, "wal-held");
	assert_int_equal(asked(N1).count, 1);
}

static void at_the_bound_it_ends(void **state)
{
	(void)state;
	stop(N2);
	sql(N1, "SELECT pg_create_physical_replication_slot('mine', true)");
	write_wal(12);
	write_wal(4);
	assert_int_equal(slot(N1, "pgvrrp_n2").hold, SLOT_LOST);
	assert_true(wal_files(N1) < 24);
	maintains(N1, OUT_NO, "away-too-long");
	assert_int_equal(slot(N1, "pgvrrp_n2").hold, SLOT_EMPTY);
	/* as when the other host is switched off: it answers nothing, and takes its time for it */
	(void)snprintf(fixture.cfg[N1].nodes[N2].address, CFG_ADDR_MAX, "198.51.100.1");
	maintains(N1, OUT_NO, "away-too-long");
	(void)snprintf(fixture.cfg[N1].nodes[N2].address, CFG_ADDR_MAX, "10.99.0.2");
	/* from here on nothing is held, so nothing can be lost again */
	write_wal(12);
	assert_int_equal(slot(N1, "pgvrrp_n2").hold, SLOT_EMPTY);
	maintains(N1, OUT_NO, "away-too-long");

	/* another's: reported, and dropped by those who want that */
	assert_int_equal(slot(N1, "mine").hold, SLOT_LOST);
	fixture.cfg[N1].drop_lost_slots = true;
	maintains(N1, OUT_NO, "away-too-long");
	fixture.cfg[N1].drop_lost_slots = false;
	assert_int_equal(asked(N1).count, 1);
}

static void a_new_copy_makes_it_hold_again(void **state)
{
	const char *const remove[] = { "/bin/rm", "-rf", fixture.cfg[N2].data_dir, NULL };

	(void)state;
	assert_int_equal(pgfixture_run(remove, false, NULL, 0), 0);
	assert_int_equal(pgfixture_clone(&fixture), 0);
	start(N2);
	streams(N2);
	maintains(N2, OUT_YES, "wal-held");
	until(N1, "SELECT active AND restart_lsn IS NOT NULL FROM pg_replication_slots", "t");
	maintains(N1, OUT_YES, "wal-held");
	assert_int_equal(slot(N1, "pgvrrp_n2").hold, SLOT_KEEPS);
}

static void the_new_primary_holds_for_the_old_one(void **state)
{
	uint64_t begin;

	(void)state;
	begin = slot(N2, "pgvrrp_n1").restart_lsn;
	stop(N1);
	sql(N2, "SELECT pg_promote()");
	sql(N2, "CHECKPOINT");
	maintains(N2, OUT_YES, "wal-held");
	assert_string_equal(asked(N2).uses, "");
	assert_int_equal(slot(N2, "pgvrrp_n1").hold, SLOT_KEEPS);
	assert_true(slot(N2, "pgvrrp_n1").restart_lsn == begin);
}

static void an_operator_drops_what_nobody_uses(void **state)
{
	const struct options theirs = { .drop = "theirs" };
	const struct options in_service = { .drop = "pgvrrp_n1" };

	(void)state;
	sql(N2, "SELECT pg_create_physical_replication_slot('theirs', true)");
	assert_string_equal(run_one(N2, &theirs).rule, "slot-dropped");
	assert_string_equal(run_one(N2, &theirs).rule, "no-such-slot");
	assert_string_equal(run_one(N2, &in_service).rule, "slot-in-service");
	assert_int_equal(asked(N2).count, 1);
}

static void without_slots_none_is_left(void **state)
{
	(void)state;
	fixture.cfg[N2].slots = false;
	maintains(N2, OUT_YES, "not-wanted");
	assert_int_equal(asked(N2).count, 0);
	/* nobody to ask */
	maintains(N1, OUT_UNKNOWN, "server-silent");
}

static int make(void **state)
{
	(void)state;
	if (!pgfixture_possible() || pgfixture_network() < 0 || pgfixture_init(&fixture) < 0)
		return -1;
	if (pgfixture_configure(&fixture, N1,
				"wal_keep_size = 0\nmax_wal_size = 4MB\n"
				"min_wal_size = 2MB\nwal_sender_timeout = 2s\n") < 0)
		return -1;
	if (pgfixture_start(&fixture, N1, true) < 0 || pgfixture_clone(&fixture) < 0 ||
	    pgfixture_start(&fixture, N2, true) < 0)
		return -1;
	fixture.cfg[N1].slots = fixture.cfg[N2].slots = true;
	for (size_t node = N1; node <= N2; node++) {
		if (files_prepare(&fixture.cfg[node]) < 0)
			return -1;
	}
	return 0;
}

static int drop_all(void **state)
{
	(void)state;
	pgfixture_end(&fixture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_is_called_after_the_node_that_uses_it),
		cmocka_unit_test(nothing_is_made_without_a_bound),
		cmocka_unit_test(each_node_gets_one_for_the_other),
		cmocka_unit_test(a_standby_that_was_away_catches_up),
		cmocka_unit_test(a_standbys_slot_goes_with_it),
		cmocka_unit_test(a_name_that_the_primary_does_not_know_is_taken_away),
		cmocka_unit_test(slots_of_nobody_are_dropped),
		cmocka_unit_test(at_the_bound_it_ends),
		cmocka_unit_test(a_new_copy_makes_it_hold_again),
		cmocka_unit_test(the_new_primary_holds_for_the_old_one),
		cmocka_unit_test(an_operator_drops_what_nobody_uses),
		cmocka_unit_test(without_slots_none_is_left),
	};

	return cmocka_run_group_tests(tests, make, drop_all);
}
