/* SPDX-License-Identifier: PostgreSQL */
/* witness_record with a witness that is gone, forbids, or says what cannot be believed. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "record_stage.h"

static struct cfg *const n1 = &stage_servers.cfg[0];

static void a_witness_that_is_gone_or_frozen_is_not_known(void **unused)
{
	(void)unused;
	stage_record(true);
	assert_int_equal(kill(stage_witness.postmaster[0], SIGSTOP), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "witness-silent");
	stage_gives(n1, RECORD_PAUSE, OUT_UNKNOWN, "witness-silent");
	assert_int_equal(pgfixture_stop(&stage_witness, 0, SIGKILL), 0);
	stage_gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "witness-silent");
	stage_gives(n1, RECORD_SHOW, OUT_UNKNOWN, "witness-silent");
	assert_int_equal(pgfixture_start(&stage_witness, 0, true), 0);
	stage_row("released, version", "f|2");
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "released");
}

/* The row is locked until the end: our write is sent, and never answered. */
static void a_write_without_an_answer_is_not_known(void **unused)
{
	(void)unused;
	stage_record(true);
	witness_server_sql(&stage_witness,
			   "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS "
			   "'BEGIN PERFORM pg_sleep(30); RETURN NEW; END';"
			   "CREATE TRIGGER slow BEFORE UPDATE ON pgvrrp.record"
			   " FOR EACH ROW EXECUTE FUNCTION public.slow()",
			   NULL, 0);
	stage_gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "not-written");
	witness_server_sql(&stage_witness, "DROP FUNCTION public.slow() CASCADE", NULL, 0);
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "released");
}

/* ---- bad input ---- */

static void all_refuse(const char *rule, enum outcome shown, enum outcome deed)
{
	stage_gives(n1, RECORD_SHOW, shown, rule);
	stage_gives(n1, RECORD_RELEASE, OUT_UNKNOWN, rule);
	stage_gives(n1, RECORD_PAUSE, deed, rule);
	stage_gives(n1, RECORD_RESUME, deed, rule);
}

static void a_role_without_rights_is_told_why(void **unused)
{
	struct verdict verdict;

	(void)unused;
	stage_record(true);
	witness_server_sql(&stage_witness, "REVOKE ALL ON SCHEMA pgvrrp FROM pgvrrp", NULL, 0);
	verdict = stage_gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "witness-silent");
	assert_non_null(strstr(verdict.detail, "role \"pgvrrp\" has no right"));
	assert_int_equal(witness_server_schema(&stage_witness), 0);
	/* The role may look, and not write. */
	witness_server_sql(&stage_witness,
			   "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA pgvrrp FROM pgvrrp;"
			   "GRANT EXECUTE ON FUNCTION pgvrrp.look(text, bigint, text) TO pgvrrp",
			   NULL, 0);
	stage_gives(n1, RECORD_SHOW, OUT_YES, "paired");
	verdict = stage_gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "not-written");
	assert_non_null(strstr(verdict.detail, "role \"pgvrrp\" has no right"));
	stage_gives(n1, RECORD_PAUSE, OUT_UNKNOWN, "not-written");
	assert_int_equal(witness_server_schema(&stage_witness), 0);
	stage_row("released, paused", "f|f");
	(void)snprintf(n1->witness_role, sizeof(n1->witness_role), "stranger");
	all_refuse("witness-silent", OUT_UNKNOWN, OUT_UNKNOWN);
	witness_server_use(&stage_witness, n1);
	(void)snprintf(n1->witness_database, sizeof(n1->witness_database), "nowhere");
	verdict = stage_gives(n1, RECORD_RELEASE, OUT_UNKNOWN, "witness-silent");
	assert_non_null(strstr(verdict.detail, "nowhere"));
}

static void a_row_that_is_not_ours_changes_nothing(void **unused)
{
	(void)unused;
	all_refuse("record-absent", OUT_NO, OUT_REFUSED);
	stage_record(true);
	witness_server_sql(&stage_witness, "UPDATE pgvrrp.record SET holder = 'n2'", NULL, 0);
	all_refuse("record-edited", OUT_NO, OUT_REFUSED);
	witness_server_sql(&stage_witness,
			   "UPDATE pgvrrp.record SET holder = 'n1', system_identifier = 7", NULL,
			   0);
	all_refuse("record-other-system", OUT_NO, OUT_REFUSED);
	witness_server_sql(&stage_witness, "DELETE FROM pgvrrp.record", NULL, 0);
	stage_record(true);
	witness_server_sql(&stage_witness,
			   "UPDATE pgvrrp.record SET nodes = '{n3,n4}', holder = 'n3'", NULL, 0);
	all_refuse("record-other-nodes", OUT_NO, OUT_REFUSED);
	stage_row("released, paused", "f|f");
}

static void a_restored_witness_is_not_believed(void **unused)
{
	(void)unused;
	stage_record(true);
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "released");
	witness_server_sql(&stage_witness, "DELETE FROM pgvrrp.record", NULL, 0);
	stage_record(true);
	all_refuse("record-backwards", OUT_NO, OUT_REFUSED);
	stage_row("released, paused", "f|f");
}

static void a_newer_schema_is_not_spoken(void **unused)
{
	(void)unused;
	stage_record(true);
	witness_server_sql(&stage_witness,
			   "CREATE OR REPLACE FUNCTION pgvrrp.schema_version() RETURNS integer"
			   " LANGUAGE sql IMMUTABLE AS 'SELECT 2'",
			   NULL, 0);
	all_refuse("record-other-schema", OUT_NO, OUT_REFUSED);
	stage_row("released, paused", "f|f");
	witness_server_sql(&stage_witness,
			   "CREATE OR REPLACE FUNCTION pgvrrp.schema_version() RETURNS integer"
			   " LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
			   NULL, 0);
	stage_gives(n1, RECORD_RELEASE, OUT_YES, "released");
}

static void a_witness_that_keeps_none_is_refused(void **unused)
{
	(void)unused;
	n1->witness_kind = WITNESS_PING;
	stage_gives(n1, RECORD_SHOW, OUT_REFUSED, "keeps-no-record");
	stage_gives(n1, RECORD_RELEASE, OUT_REFUSED, "keeps-no-record");
	n1->witness_kind = WITNESS_TCP;
	stage_gives(n1, RECORD_PAUSE, OUT_REFUSED, "keeps-no-record");
}

#define test(function) cmocka_unit_test_setup_teardown(function, stage_set_up, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_witness_that_is_gone_or_frozen_is_not_known),
		test(a_write_without_an_answer_is_not_known),
		test(a_role_without_rights_is_told_why),
		test(a_row_that_is_not_ours_changes_nothing),
		test(a_restored_witness_is_not_believed),
		test(a_newer_schema_is_not_spoken),
		test(a_witness_that_keeps_none_is_refused),
	};

	log_open("test", false);
	return cmocka_run_group_tests(tests, stage_make, stage_end);
}
