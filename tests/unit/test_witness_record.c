/* SPDX-License-Identifier: PostgreSQL */
/* witness_record against a real witness, with the directory of a real server. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define main witness_record_main
#include "witness_record.c" /* NOLINT(bugprone-suspicious-include): the helper under test */
#undef main

#include "witness_server.h"

static struct pgfixture servers; /* n1 */
static struct pgfixture witness;
static struct cfg *const n1 = &servers.cfg[0];
static struct cfg *const n2 = &servers.cfg[1];

/* ---- the stage ---- */

static uint64_t system_of_n1(void)
{
	const struct deadline dl = deadline_in_ms(5000);
	struct pgdata_control control;

	pgdata_control(&control, n1, &dl);
	assert_true(control.known);
	return control.system_identifier;
}

/* n1 has written a record; paired, as far as nothing else is asked for. */
static void begin_record(bool paired)
{
	const struct deadline dl = deadline_in_ms(5000);
	struct record_link link;
	struct record record, seen;

	record_begin(&link, n1, system_of_n1());
	assert_int_equal(record_look(&link, &seen, &dl), 0);
	assert_int_equal(record_create(&link, &record, &seen, 1, &dl), 0);
	assert_string_equal(record.refused, "");
	seen = record;
	if (paired) {
		assert_int_equal(record_pair(&link, &record, &seen, &dl), 0);
		assert_string_equal(record.refused, "");
	}
	record_end(&link);
}

static void row(const char *column, const char *wanted)
{
	char sql[160], is[128];

	(void)snprintf(sql, sizeof(sql), "SELECT %s FROM pgvrrp.record", column);
	witness_server_sql(&witness, sql, is, sizeof(is));
	assert_string_equal(is, wanted);
}

static struct verdict does(struct cfg *cfg, enum record_ask ask)
{
	const struct options options = { .release = ask == RECORD_RELEASE,
					 .pause = ask == RECORD_PAUSE,
					 .resume = ask == RECORD_RESUME,
					 .automatic = ask == RECORD_RELEASE };
	const struct cli cli = { .program = "witness_record", .explain = ask == RECORD_SHOW };

	return run(cfg, &cli, &options, ask);
}

static struct verdict gives(struct cfg *cfg, enum record_ask ask, enum outcome outcome,
			    const char *rule)
{
	struct verdict verdict = does(cfg, ask);

	if (strcmp(verdict.rule, rule) != 0)
		fail_msg("%s: %s (%s), wanted: %s", verdict.rule, verdict.message, verdict.detail,
			 rule);
	assert_int_equal(verdict.outcome, outcome);
	return verdict;
}

static int make(void **unused)
{
	(void)unused;
	if (pgfixture_init(&servers) < 0 || witness_server_begin(&witness) < 0)
		return -1;
	witness_server_use(&witness, n1);
	witness_server_use(&witness, n2);
	/* Only its name and its files are another's. */
	(void)snprintf(n2->data_dir, sizeof(n2->data_dir), "%s", n1->data_dir);
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	pgfixture_end(&servers);
	pgfixture_end(&witness);
	return 0;
}

static int set_up(void **unused)
{
	(void)unused;
	return files_prepare(n1) < 0 || files_prepare(n2) < 0 ? -1 : 0;
}

static int tear_down(void **unused)
{
	const char *const drop[] = { "/bin/rm",   "-rf",         n1->run_dir, n1->state_dir,
				     n2->run_dir, n2->state_dir, NULL };

	(void)unused;
	witness_server_use(&witness, n1);
	if (pgfixture_stop(&servers, 0, SIGINT) < 0 ||
	    pgfixture_sql(&witness, 0, "DELETE FROM pgvrrp.record", NULL, 0) < 0)
		return -1;
	return pgfixture_run(drop, false, NULL, 0);
}

/* ---- release ---- */

static void a_clean_stop_is_released_with_its_end(void **unused)
{
	const struct deadline dl = deadline_in_ms(5000);
	struct pgdata_control control;
	char lsn[32];

	(void)unused;
	begin_record(true);
	assert_int_equal(stamp_write(n1, "solo", now_ms(), "record"), 0);
	assert_int_equal(stamp_write(n1, "grant", now_ms() + 1000, "vote"), 0);
	gives(n1, RECORD_RELEASE, OUT_YES, "released");
	pgdata_control(&control, n1, &dl);
	lsn_format(control.checkpoint_lsn, lsn, sizeof(lsn));
	row("final_lsn", lsn);
	row("released, paired, term, holder", "t|t|1|n1");
	/* What it has said to have given up it has no longer. */
	assert_int_equal(state_exists(file_run(n1, "solo").text), 0);
	assert_false(stamp_runs(n1, "grant"));
	gives(n1, RECORD_RELEASE, OUT_YES, "already-released");
	gives(n1, RECORD_SHOW, OUT_YES, "released");
	row("version", "3");
}

static void after_a_crash_nobody_knows_the_end(void **unused)
{
	(void)unused;
	begin_record(true);
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
	gives(n1, RECORD_RELEASE, OUT_REFUSED, "server-runs");
	row("released", "f");
	assert_int_equal(pgfixture_stop(&servers, 0, SIGQUIT), 0);
	gives(n1, RECORD_RELEASE, OUT_YES, "released");
	row("released, final_lsn IS NULL", "t|t");
	/* A clean end for the tests that follow. */
	assert_int_equal(pgfixture_start(&servers, 0, true), 0);
}

static void a_server_that_may_be_starting_is_not_released(void **unused)
{
	struct deadline soon = deadline_in_ms(1000);
	int lock = -1;

	(void)unused;
	begin_record(true);
	assert_int_equal(lock_take(&lock, file_run(n1, "start.lock").text, &soon), 0);
	gives(n1, RECORD_RELEASE, OUT_REFUSED, "start-under-way");
	(void)close(lock);
	assert_int_equal(stamp_write(n1, "gate", now_ms(), ""), 0);
	gives(n1, RECORD_RELEASE, OUT_REFUSED, "start-under-way");
	assert_int_equal(state_write(file_run(n1, "gate").text, "nonsense\n", 0644, false), 0);
	gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "not-proven-down");
	assert_int_equal(state_remove(file_run(n1, "gate").text, false), 0);
	assert_int_equal(lock_take(&lock, file_run(n1, "record.lock").text, &soon), 0);
	gives(n1, RECORD_RELEASE, OUT_REFUSED, "already-running");
	(void)close(lock);
	row("released", "f");
	gives(n1, RECORD_RELEASE, OUT_YES, "released");
}

static void what_the_other_node_holds_is_not_ours_to_release(void **unused)
{
	(void)unused;
	begin_record(true);
	gives(n2, RECORD_RELEASE, OUT_YES, "held-by-other");
	row("released, version", "f|2");
}

static void a_directory_that_is_no_primarys_is_not_released(void **unused)
{
	char signal_file[CFG_PATH_MAX + 32];
	struct cfg elsewhere = *n1;

	(void)unused;
	begin_record(false);
	(void)snprintf(signal_file, sizeof(signal_file), "%s/standby.signal", n1->data_dir);
	assert_int_equal(state_write(signal_file, "\n", 0644, false), 0);
	gives(n1, RECORD_RELEASE, OUT_REFUSED, "no-primary");
	assert_int_equal(state_remove(signal_file, false), 0);
	(void)snprintf(elsewhere.data_dir, sizeof(elsewhere.data_dir), "/nowhere");
	gives(&elsewhere, RECORD_RELEASE, OUT_UNKNOWN, "system-unknown");
	row("released", "f");
}

static void a_row_that_has_changed_is_looked_at_again(void **unused)
{
	struct record_task t = { .cfg = n1,
				 .dl = deadline_in_ms(30000),
				 .facts = { .ask = RECORD_RELEASE } };
	struct verdict verdict;

	(void)unused;
	begin_record(true);
	record_gather(&t);
	assert_int_equal(record_decide(&t.facts, &verdict), RECORD_WRITE);
	gives(n2, RECORD_PAUSE, OUT_INCOMPLETE, "still-paired");
	assert_int_equal(put(&t), 0);
	assert_string_equal(t.view.record.refused, "stale");
	row("released", "f");
	assert_string_equal(go_on(&t).rule, "released");
	record_end(&t.link);
	row("released, paused", "t|t");
}

/* ---- pause ---- */

static void a_pause_stands_until_it_is_taken_back(void **unused)
{
	(void)unused;
	begin_record(false);
	gives(n2, RECORD_RESUME, OUT_YES, "not-paused");
	gives(n2, RECORD_PAUSE, OUT_YES, "paused");
	row("paused, version", "t|2");
	gives(n1, RECORD_PAUSE, OUT_YES, "paused");
	gives(n1, RECORD_SHOW, OUT_YES, "solo");
	gives(n1, RECORD_RESUME, OUT_YES, "resumed");
	row("paused, version", "f|3");
}

/* ---- a witness that does not answer ---- */

static void a_witness_that_is_gone_or_frozen_is_not_known(void **unused)
{
	(void)unused;
	begin_record(true);
	assert_int_equal(kill(witness.postmaster[0], SIGSTOP), 0);
	gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "witness-silent");
	gives(n1, RECORD_PAUSE, OUT_UNKNOWN, "witness-silent");
	assert_int_equal(pgfixture_stop(&witness, 0, SIGKILL), 0);
	gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "witness-silent");
	gives(n1, RECORD_SHOW, OUT_UNKNOWN, "witness-silent");
	assert_int_equal(pgfixture_start(&witness, 0, true), 0);
	row("released, version", "f|2");
	gives(n1, RECORD_RELEASE, OUT_YES, "released");
}

/* The row is locked until the end: our write is sent, and never answered. */
static void a_write_without_an_answer_is_not_known(void **unused)
{
	(void)unused;
	begin_record(true);
	witness_server_sql(&witness,
			   "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS "
			   "'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';"
			   "CREATE TRIGGER slow BEFORE UPDATE ON pgvrrp.record"
			   " FOR EACH ROW EXECUTE FUNCTION public.slow()",
			   NULL, 0);
	gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "not-written");
	witness_server_sql(&witness, "DROP FUNCTION public.slow() CASCADE", NULL, 0);
	gives(n1, RECORD_RELEASE, OUT_YES, "released");
}

/* ---- bad input ---- */

static void all_refuse(const char *rule, enum outcome shown, enum outcome deed)
{
	gives(n1, RECORD_SHOW, shown, rule);
	gives(n1, RECORD_RELEASE, OUT_UNKNOWN, rule);
	gives(n1, RECORD_PAUSE, deed, rule);
	gives(n1, RECORD_RESUME, deed, rule);
}

static void a_role_without_rights_is_told_why(void **unused)
{
	struct verdict verdict;

	(void)unused;
	begin_record(true);
	witness_server_sql(&witness, "REVOKE ALL ON SCHEMA pgvrrp FROM pgvrrp", NULL, 0);
	verdict = gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "witness-silent");
	assert_non_null(strstr(verdict.detail, "role \"pgvrrp\" has no right"));
	assert_int_equal(witness_server_schema(&witness), 0);
	/* It may look, and not write. */
	witness_server_sql(&witness,
			   "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA pgvrrp FROM pgvrrp;"
			   "GRANT EXECUTE ON FUNCTION pgvrrp.look(text, bigint, text) TO pgvrrp",
			   NULL, 0);
	gives(n1, RECORD_SHOW, OUT_YES, "paired");
	verdict = gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "not-written");
	assert_non_null(strstr(verdict.detail, "role \"pgvrrp\" has no right"));
	gives(n1, RECORD_PAUSE, OUT_UNKNOWN, "not-written");
	assert_int_equal(witness_server_schema(&witness), 0);
	row("released, paused", "f|f");
	(void)snprintf(n1->witness_role, sizeof(n1->witness_role), "stranger");
	all_refuse("witness-silent", OUT_UNKNOWN, OUT_UNKNOWN);
	witness_server_use(&witness, n1);
	(void)snprintf(n1->witness_database, sizeof(n1->witness_database), "nowhere");
	verdict = gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "witness-silent");
	assert_non_null(strstr(verdict.detail, "nowhere"));
}

static void a_row_that_is_not_ours_changes_nothing(void **unused)
{
	(void)unused;
	all_refuse("record-absent", OUT_NO, OUT_REFUSED);
	begin_record(true);
	witness_server_sql(&witness, "UPDATE pgvrrp.record SET holder = 'n2'", NULL, 0);
	all_refuse("record-edited", OUT_NO, OUT_REFUSED);
	witness_server_sql(
	    &witness, "UPDATE pgvrrp.record SET holder = 'n1', system_identifier = 7", NULL, 0);
	all_refuse("record-other-system", OUT_NO, OUT_REFUSED);
	witness_server_sql(&witness, "DELETE FROM pgvrrp.record", NULL, 0);
	begin_record(true);
	witness_server_sql(&witness, "UPDATE pgvrrp.record SET nodes = '{n3,n4}', holder = 'n3'",
			   NULL, 0);
	all_refuse("record-other-nodes", OUT_NO, OUT_REFUSED);
	row("released, paused", "f|f");
}

static void a_restored_witness_is_not_believed(void **unused)
{
	(void)unused;
	begin_record(true);
	gives(n1, RECORD_PAUSE, OUT_INCOMPLETE, "still-paired");
	witness_server_sql(&witness, "DELETE FROM pgvrrp.record", NULL, 0);
	begin_record(true);
	all_refuse("record-backwards", OUT_NO, OUT_REFUSED);
	row("released, paused", "f|f");
}

static void a_newer_schema_is_not_spoken(void **unused)
{
	struct verdict verdict;

	(void)unused;
	begin_record(true);
	witness_server_sql(&witness,
			   "CREATE OR REPLACE FUNCTION pgvrrp.schema_version() RETURNS integer"
			   " LANGUAGE sql IMMUTABLE AS 'SELECT 2'",
			   NULL, 0);
	verdict = does(n1, RECORD_RELEASE);
	assert_int_equal(verdict.outcome, OUT_UNKNOWN);
	assert_int_equal(does(n1, RECORD_PAUSE).outcome == OUT_YES, 0);
	row("released, paused", "f|f");
	witness_server_sql(&witness,
			   "CREATE OR REPLACE FUNCTION pgvrrp.schema_version() RETURNS integer"
			   " LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
			   NULL, 0);
	gives(n1, RECORD_RELEASE, OUT_YES, "released");
}

static void a_witness_that_keeps_none_is_refused(void **unused)
{
	(void)unused;
	n1->witness_kind = WITNESS_PING;
	gives(n1, RECORD_SHOW, OUT_REFUSED, "keeps-no-record");
	gives(n1, RECORD_RELEASE, OUT_REFUSED, "keeps-no-record");
	n1->witness_kind = WITNESS_TCP;
	gives(n1, RECORD_PAUSE, OUT_REFUSED, "keeps-no-record");
}

static void a_dry_run_changes_nothing(void **unused)
{
	const struct options options = { .release = true };
	const struct cli cli = { .program = "witness_record", .dry_run = true };
	struct verdict verdict;

	(void)unused;
	begin_record(true);
	assert_int_equal(stamp_write(n1, "solo", now_ms(), "record"), 0);
	verdict = run(n1, &cli, &options, RECORD_RELEASE);
	assert_string_equal(verdict.rule, "release");
	assert_int_equal(verdict.outcome, OUT_YES);
	row("released, version", "f|2");
	assert_int_equal(state_exists(file_run(n1, "solo").text), 1);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_clean_stop_is_released_with_its_end),
		test(after_a_crash_nobody_knows_the_end),
		test(a_server_that_may_be_starting_is_not_released),
		test(what_the_other_node_holds_is_not_ours_to_release),
		test(a_directory_that_is_no_primarys_is_not_released),
		test(a_row_that_has_changed_is_looked_at_again),
		test(a_pause_stands_until_it_is_taken_back),
		test(a_witness_that_is_gone_or_frozen_is_not_known),
		test(a_write_without_an_answer_is_not_known),
		test(a_role_without_rights_is_told_why),
		test(a_row_that_is_not_ours_changes_nothing),
		test(a_restored_witness_is_not_believed),
		test(a_newer_schema_is_not_spoken),
		test(a_witness_that_keeps_none_is_refused),
		test(a_dry_run_changes_nothing),
	};

	if (!pgfixture_possible() || pgfixture_network() < 0)
		return 77;
	log_open("test", false);
	return cmocka_run_group_tests(tests, make, end);
}
