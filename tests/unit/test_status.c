/* SPDX-License-Identifier: PostgreSQL */
/* cluster_status: facts from what was seen, the forecast, the table and the JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status/status.h"

/* ---- the forecast ---- */

static struct cfg config(void)
{
	return (struct cfg){
		.name = "main",
		.vip = "10.0.0.100",
		.vip_prefix = 24,
		.nodes = { { .name = "n1", .address = "10.0.0.1" },
			   { .name = "n2", .address = "10.0.0.2" } },
		.self = 1,
		.witness_address = "10.0.0.3",
		.lease_ms = 5000,
		.margin_ms = 1000,
		.max_lag_bytes = 1000,
	};
}

static struct status pair(void)
{
	return (struct status){
		.servers = { { .state = SERVER_PRIMARY,
			       .system_identifier = 7,
			       .version_num = 150004,
			       .timeline = 3,
			       .write_lsn = 5000,
			       .peer_streams = true },
			     { .state = SERVER_STANDBY,
			       .system_identifier = 7,
			       .version_num = 150004,
			       .timeline = 3,
			       .received_lsn = 4000,
			       .replayed_lsn = 4000,
			       .receiving = true } },
		.witness = FACT_YES,
		.vip = VIP_PEER,
		.fenced = { .present = FACT_NO },
		.withdrawn_mark = FACT_NO,
		.lease = { .known = true, .away_ms = 4200, .word = "vote" },
		.priority = 50,
		.keepalived = FACT_YES,
		.election_master = FACT_NO,
		.guard = FACT_YES,
		.kernel = KERNEL_UNTIL,
		.kernel_left_ms = 4100,
		.baseline = FACT_NO,
	};
}

static void expect(const struct status *status, const struct cfg *cfg, enum fact takes_over,
		   const char *words)
{
	const struct status_forecast made = status_forecast(status, cfg);

	if (made.takes_over != takes_over || strstr(made.text, words) == NULL)
		fail_msg("%s: %s; wanted: %s", fact_word(made.takes_over), made.text, words);
}

static void the_forecast_says_who_and_on_what_proof(void **state)
{
	struct cfg cfg = config();
	struct status status = pair();

	(void)state;
	expect(&status, &cfg, FACT_YES, "n2 would promote itself as soon as n1 is proven fenced");
	expect(&status, &cfg, FACT_YES, "but would refuse if its host were lost");
	cfg.unproven = UNPROVEN_PROMOTE;
	expect(&status, &cfg, FACT_YES, "after 6.0 s if nothing shows any life");
	cfg.unproven = UNPROVEN_REFUSE;
	cfg.witness_ssh = true;
	expect(&status, &cfg, FACT_YES, "but would refuse if its host were lost");
	status.baseline = FACT_YES;
	expect(&status, &cfg, FACT_YES, "after 6.0 s if the witness host cannot reach its host");
	(void)snprintf(status.attempts[ATTEMPT_FENCE_TEST], 64, "refused way-broken: ssh");
	expect(&status, &cfg, FACT_UNKNOWN, "the last test of fencing failed");
	/* seen from the primary, the other node's files are not known */
	cfg.self = 0;
	expect(&status, &cfg, FACT_YES, "n2 would promote itself");
	status.guard = FACT_NO;
	expect(&status, &cfg, FACT_YES, "n2 would promote itself");
}

static void the_forecast_names_what_it_would_refuse_for(void **state)
{
	const struct cfg cfg = config();
	struct status status = pair();

	(void)state;
	status.servers[1].received_lsn = 3999;
	expect(&status, &cfg, FACT_NO, "max_lag");
	status = pair();
	status.servers[1].replay_paused = true;
	expect(&status, &cfg, FACT_NO, "replay is paused");
	status = pair();
	status.servers[1].system_identifier = 8;
	expect(&status, &cfg, FACT_NO, "not of the same cluster");
	status = pair();
	status.witness = FACT_NO;
	expect(&status, &cfg, FACT_NO, "the witness is not seen");
	status.witness = FACT_UNKNOWN;
	expect(&status, &cfg, FACT_UNKNOWN, "not enough is known");
	status = pair();
	status.fenced.present = FACT_YES;
	expect(&status, &cfg, FACT_NO, "it is fenced");
	status = pair();
	status.keepalived = FACT_NO;
	expect(&status, &cfg, FACT_NO, "keepalived does not run there");
	status = pair();
	status.guard = FACT_NO;
	expect(&status, &cfg, FACT_NO, "the guard does not run there");
	status = pair();
	status.servers[1] = (struct server){ .state = SERVER_DOWN, .why = "Connection refused" };
	expect(&status, &cfg, FACT_NO, "nobody would take over: n2 is down");
	status.servers[1] = (struct server){ .state = SERVER_UNKNOWN, .why = "no answer" };
	expect(&status, &cfg, FACT_UNKNOWN, "(no answer)");
	status = pair();
	status.servers[1].state = SERVER_PRIMARY;
	expect(&status, &cfg, FACT_UNKNOWN, "no one primary");
	status.servers[0].state = status.servers[1].state = SERVER_STANDBY;
	expect(&status, &cfg, FACT_UNKNOWN, "no one primary");
}

/* ---- facts ---- */

static void in_sync_mode_no_lag_matters(void **state)
{
	struct cfg cfg = config();
	struct status status = pair();

	(void)state;
	status.servers[1].received_lsn = 1;
	assert_int_equal(status_facts_of(&status, &cfg).fresh, FACT_NO);
	cfg.mode = MODE_SYNC;
	assert_int_equal(status_facts_of(&status, &cfg).fresh, FACT_YES);
	assert_int_equal(status_facts_of(&status, &cfg).sync_held, FACT_NO);
}

static void a_lease_that_is_over_does_not_run(void **state)
{
	const struct cfg cfg = config();
	struct status status = pair();

	(void)state;
	assert_int_equal(status_facts_of(&status, &cfg).lease_runs, FACT_YES);
	status.lease.away_ms = 0;
	assert_int_equal(status_facts_of(&status, &cfg).lease_runs, FACT_NO);
	status.grant = (struct status_stamp){ .known = true, .away_ms = 1 };
	assert_int_equal(status_facts_of(&status, &cfg).lease_runs, FACT_YES);
	status.grant.known = false;
	assert_int_equal(status_facts_of(&status, &cfg).lease_runs, FACT_NO);
}

static void either_side_ends_streaming(void **state)
{
	const struct cfg cfg = config();
	struct status status = pair();

	(void)state;
	assert_int_equal(status_facts_of(&status, &cfg).streaming, FACT_YES);
	status.servers[0].peer_streams = false;
	assert_int_equal(status_facts_of(&status, &cfg).streaming, FACT_NO);
	status.servers[0].state = SERVER_UNKNOWN;
	assert_int_equal(status_facts_of(&status, &cfg).streaming, FACT_YES);
	status.servers[1].receiving = false;
	assert_int_equal(status_facts_of(&status, &cfg).streaming, FACT_NO);
	status.servers[1].state = SERVER_DOWN;
	assert_int_equal(status_facts_of(&status, &cfg).streaming, FACT_UNKNOWN);
}

/* ---- what is printed ---- */

static char *printed(bool json, const struct status *status)
{
	const struct cfg cfg = config();
	const struct status_facts facts = status_facts_of(status, &cfg);
	const struct verdict verdict = status_decide(&facts);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (json)
		status_print_json(status, &cfg, &verdict, out);
	else
		status_print(status, &cfg, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void the_table_has_what_people_look_for(void **state)
{
	static const char *const wanted[] = {
		"10.0.0.100/24 on n1",
		"n2*",
		"primary",
		"standby",
		"15.4",
		"1000 B",
		"lease",
		"by vote",
		"if n1 died now: n2 would",
		"priority 50",
		"kernel        lets clients in for 4.1 s",
	};
	struct status status = pair();
	char AUTO_FREE *text = printed(false, &status);

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
		if (strstr(text, wanted[i]) == NULL)
			fail_msg("\"%s\" is not in\n%s", wanted[i], text);
	}
}

static void json_tells_null_where_nothing_is_known(void **state)
{
	static const char *const wanted[] = {
		"\"outcome\":\"no\"",
		"\"rule\":\"guard-gone\"",
		"\"vip\":{\"address\":\"10.0.0.100\",\"on\":null",
		"\"seen\":true",
		"\"self\":false",
		"\"system_identifier\":\"7\"",
		"\"write_lsn\":\"0/1388\"",
		"\"lag_bytes\":1000",
		"\"replayed_lsn\":null",
		"\"lease_left_ms\":4200",
		"\"grant_left_ms\":null",
		"\"kernel_lease\":\"until\"",
		"\"kernel_lease_left_ms\":4100",
		"\"keepalived_alive\":null",
		"\"guard_alive\":false",
		"\"serving\":null",
		"\"priority\":50",
		"\"promote_safe\":null",
		"\"fence_old\":\"refused \\\"x\\\"\"",
	};
	struct status status = pair();

	(void)state;
	status.vip = VIP_UNKNOWN;
	status.servers[1].replayed_lsn = 0;
	status.guard = FACT_NO;
	status.keepalived = FACT_UNKNOWN;
	status.serving = -1;
	(void)snprintf(status.attempts[ATTEMPT_FENCE_TEST], 64, "refused \"x\"");
	{
		char AUTO_FREE *text = printed(true, &status);

		for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
			if (strstr(text, wanted[i]) == NULL)
				fail_msg("%s is not in\n%s", wanted[i], text);
		}
		assert_int_equal(text[strlen(text) - 1], '\n');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forecast_says_who_and_on_what_proof),
		cmocka_unit_test(the_forecast_names_what_it_would_refuse_for),
		cmocka_unit_test(in_sync_mode_no_lag_matters),
		cmocka_unit_test(a_lease_that_is_over_does_not_run),
		cmocka_unit_test(either_side_ends_streaming),
		cmocka_unit_test(the_table_has_what_people_look_for),
		cmocka_unit_test(json_tells_null_where_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
