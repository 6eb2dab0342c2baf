/* SPDX-License-Identifier: PostgreSQL */
/* cluster_status where the witness keeps a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "status_pair.h"

static struct status recorded(void)
{
	struct status status = status_pair();

	status.record = (struct record_view){
		.trust = RECORD_GOOD,
		.record = { .present = FACT_YES,
			    .schema = RECORD_SCHEMA,
			    .same_system = true,
			    .node_known = true,
			    .sealed = true,
			    .term = 4,
			    .version = 77,
			    .holder = "n1",
			    .paired = true,
			    .lease_ms = 8000,
			    .asked_ms = 9000 },
		.memory = { .known = FACT_YES, .term = 4, .version = 70, .first_ms = 8500 },
	};
	status.record.memory.newest = status.record.record;
	return status;
}

static struct cfg config_with_record(void)
{
	struct cfg cfg = status_config();

	cfg.witness_kind = WITNESS_POSTGRES;
	return cfg;
}

static void paired_would_be_taken_over_whoever_is_cut_off(void **state)
{
	const struct cfg cfg = config_with_record();
	struct status status = recorded();

	(void)state;
	status_expect(
	    &status, &cfg, FACT_YES,
	    "n2 would promote itself as soon as n1 says that it is down or is proven fenced, ");
	/* The longer of the two leases. */
	status_expect(&status, &cfg, FACT_YES, "or after 9.0 s if it renews the record no more");
	/* Without any way of fencing too. */
	status.attempts[ATTEMPT_FENCE_TEST] = (struct attempt_last){
		.outcome = OUT_REFUSED, .answer = FACT_NO, .text = "refused way-broken: ssh"
	};
	status_expect(&status, &cfg, FACT_YES, "n2 would promote itself");
}

static void nothing_would_be_taken_over_that_the_record_forbids(void **state)
{
	const struct cfg cfg = config_with_record();
	struct status status = recorded();

	(void)state;
	status.record.record.paired = false;
	status_expect(&status, &cfg, FACT_NO, "(solo)");
	status.record.record.paired = status.record.record.paused = true;
	status_expect(&status, &cfg, FACT_NO, "(paused)");
	/* A takeover that has the term already would go on. */
	status = recorded();
	(void)snprintf(status.record.record.holder, CFG_NAME_MAX, "n2");
	status_expect(&status, &cfg, FACT_YES, "n2 would promote itself");
	for (int trust = RECORD_OTHER_SCHEMA; trust < RECORD_GOOD; trust++) {
		status = recorded();
		status.record.trust = (enum record_trust)trust;
		status_expect(&status, &cfg, FACT_NO, "(record-untrusted)");
	}
	status.record = (struct record_view){ .trust = RECORD_SILENT };
	status.witness = FACT_NO;
	status_expect(&status, &cfg, FACT_NO, "(witness-unseen)");
	status.witness = FACT_UNKNOWN;
	status_expect(&status, &cfg, FACT_UNKNOWN, "is not known");
}

/* The standby's knowledge of the row is in its own memory. */
static void from_the_primary_only_the_row_itself_is_certain(void **state)
{
	struct cfg cfg = config_with_record();
	struct status status = recorded();

	(void)state;
	cfg.self = 0;
	status_expect(&status, &cfg, FACT_UNKNOWN, "as far as is seen from here n2 would promote");
	status.record.record.paired = false;
	status_expect(&status, &cfg, FACT_NO, "(solo)");
	status = recorded();
	status.record.trust = RECORD_EDITED;
	status_expect(&status, &cfg, FACT_NO, "(record-untrusted)");
	status.record.trust = RECORD_BACKWARDS;
	status_expect(&status, &cfg, FACT_UNKNOWN, "in doubt is rule record-untrusted");
	status.record = (struct record_view){ .trust = RECORD_SILENT };
	status.witness = FACT_NO;
	status_expect(&status, &cfg, FACT_UNKNOWN, "in doubt is rule witness-unseen");
}

/* The holder's last write may have come late to the witness (too_far_behind in promote_rules.c). */
static void async_one_that_lags_too_far_is_not_promoted_whatever_the_record_says(void **state)
{
	struct cfg cfg = config_with_record();
	struct status status = recorded();

	(void)state;
	status.servers[1].received_lsn = 1;
	status_expect(&status, &cfg, FACT_NO, "too-far-behind");
	cfg.mode = MODE_SYNC;
	status_expect(&status, &cfg, FACT_YES, "n2 would promote itself");
}

static void rule_is(const struct status *status, const char *rule)
{
	const struct cfg cfg = config_with_record();
	const struct status_facts facts = status_facts_of(status, &cfg);

	assert_string_equal(status_decide(&facts).rule, rule);
}

static void an_untrusted_record_is_warned_of(void **state)
{
	struct status status = recorded();

	(void)state;
	rule_is(&status, "healthy");
	status.record.trust = RECORD_ABSENT;
	rule_is(&status, "record-untrusted");
	status.record.trust = RECORD_UNPROVEN;
	rule_is(&status, "not-all-known");
	status.record.trust = RECORD_SILENT;
	rule_is(&status, "not-all-known");
	status.witness = FACT_NO;
	rule_is(&status, "witness-unseen");
	status = recorded();
	status.record.record.paired = false;
	rule_is(&status, "solo");
	status.record.record.paused = true;
	rule_is(&status, "paused");
	(void)snprintf(status.record.record.holder, CFG_NAME_MAX, "n2");
	rule_is(&status, "record-holder");
}

static void the_record_is_shown_in_words_and_in_json(void **state)
{
	static const char *const wanted[2][6] = {
		{ "term          4, held by n1\n", "takeover      possible: paired\n",
		  "released      no\n", "paused        no\n",
		  "version       77, unchanged for 0.5 s\n",
		  "meaning       n1 serves under a lease; n2 may take over when" },
		{ "\"record\":{\"trust\":\"good\",\"why\":null,\"term\":4,\"version\":77,",
		  "\"holder\":\"n1\",\"paired\":true,\"sync\":false,\"released\":false,",
		  "\"final_lsn\":null", "\"unchanged_ms\":500", "\"may_take_over\":\"n2\"",
		  "\"meaning\":\"n1 serves" },
	};
	const struct cfg cfg = config_with_record();
	const struct status status = recorded();

	(void)state;
	for (int json = 0; json < 2; json++) {
		char AUTO_FREE *text = status_printed(&cfg, json == 1, &status);

		for (size_t i = 0; i < ARRAY_COUNT(wanted[json]); i++) {
			if (strstr(text, wanted[json][i]) == NULL)
				fail_msg("\"%s\" is not in\n%s", wanted[json][i], text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paired_would_be_taken_over_whoever_is_cut_off),
		cmocka_unit_test(
		    async_one_that_lags_too_far_is_not_promoted_whatever_the_record_says),
		cmocka_unit_test(from_the_primary_only_the_row_itself_is_certain),
		cmocka_unit_test(nothing_would_be_taken_over_that_the_record_forbids),
		cmocka_unit_test(an_untrusted_record_is_warned_of),
		cmocka_unit_test(the_record_is_shown_in_words_and_in_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
