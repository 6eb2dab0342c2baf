/* SPDX-License-Identifier: PostgreSQL */
#include "record_stage.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define main witness_record_main
#include "witness_record.c" /* NOLINT(bugprone-suspicious-include): the helper under test */
#undef main

struct pgfixture stage_servers;
struct pgfixture stage_witness;
static struct cfg *const n1 = &stage_servers.cfg[0];
static struct cfg *const n2 = &stage_servers.cfg[1];

static uint64_t system_of_n1(void)
{
	const struct deadline dl = deadline_in_ms(5000);
	struct pgdata_control control;

	pgdata_control(&control, n1, &dl);
	assert_true(control.known);
	return control.system_identifier;
}

void stage_record(bool paired)
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

void stage_renew(void)
{
	const struct deadline dl = deadline_in_ms(5000);
	struct record_link link;
	struct record record, seen;

	record_begin(&link, n1, system_of_n1());
	assert_int_equal(record_look(&link, &seen, &dl), 0);
	assert_int_equal(record_renew(&link, &record, &seen, false, &dl), 0);
	assert_string_equal(record.refused, "");
	record_end(&link);
}

void stage_row(const char *columns, const char *wanted)
{
	char sql[160], is[128];

	(void)snprintf(sql, sizeof(sql), "SELECT %s FROM pgvrrp.record", columns);
	witness_server_sql(&stage_witness, sql, is, sizeof(is));
	assert_string_equal(is, wanted);
}

struct verdict stage_run(const struct cfg *cfg, enum record_ask ask, bool dry_run)
{
	const struct options options = { .release = ask == RECORD_RELEASE,
					 .pause = ask == RECORD_PAUSE,
					 .resume = ask == RECORD_RESUME,
					 .automatic = ask == RECORD_RELEASE };
	const struct cli cli = { .program = "witness_record",
				 .dry_run = dry_run,
				 .explain = ask == RECORD_SHOW };

	return run(cfg, &cli, &options, ask);
}

struct verdict stage_gives(const struct cfg *cfg, enum record_ask ask, enum outcome outcome,
			   const char *rule)
{
	struct verdict verdict = stage_run(cfg, ask, false);

	if (strcmp(verdict.rule, rule) != 0)
		fail_msg("%s: %s (%s), wanted: %s", verdict.rule, verdict.message, verdict.detail,
			 rule);
	assert_int_equal(verdict.outcome, outcome);
	return verdict;
}

int stage_put(struct record_task *task)
{
	return record_act_put(task);
}

struct verdict stage_go_on(struct record_task *task)
{
	return record_act(task);
}

int stage_make(void **unused)
{
	(void)unused;
	if (!pgfixture_possible() || pgfixture_network() < 0 ||
	    pgfixture_init(&stage_servers) < 0 || witness_server_begin(&stage_witness) < 0) {
		(void)stage_end(NULL);
		return -1;
	}
	witness_server_use(&stage_witness, n1);
	witness_server_use(&stage_witness, n2);
	(void)snprintf(n2->data_dir, sizeof(n2->data_dir), "%s", n1->data_dir);
	return 0;
}

int stage_end(void **unused)
{
	(void)unused;
	pgfixture_end(&stage_servers);
	pgfixture_end(&stage_witness);
	return 0;
}

int stage_set_up(void **unused)
{
	(void)unused;
	return files_prepare(n1) < 0 || files_prepare(n2) < 0 ? -1 : 0;
}

int stage_tear_down(void **unused)
{
	const char *const drop[] = { "/bin/rm",   "-rf",         n1->run_dir, n1->state_dir,
				     n2->run_dir, n2->state_dir, NULL };
	int rc = pgfixture_stop(&stage_servers, 0, SIGINT);

	(void)unused;
	witness_server_use(&stage_witness, n1);
	if (witness_server_schema(&stage_witness) < 0 ||
	    pgfixture_sql(&stage_witness, 0, "DELETE FROM pgvrrp.record", NULL, 0) < 0)
		rc = -1;
	return pgfixture_run(drop, false, NULL, 0) == 0 ? rc : -1;
}
