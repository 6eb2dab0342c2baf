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

#include "base/auto.h"
#include "slots/slots_show.h"
#include "status_pair.h"

/* ---- the forecast ---- */

static void the_forecast_says_who_and_on_what_proof(void **state)
{
	struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	status_expect(&status, &cfg, FACT_YES,
		      "n2 would promote itself as soon as n1 is proven fenced");
	status_expect(&status, &cfg, FACT_YES, "but would refuse if its host were lost");
	cfg.unproven = UNPROVEN_PROMOTE;
	status_expect(&status, &cfg, FACT_YES, "after 6.0 s if nothing shows any life");
	cfg.unproven = UNPROVEN_REFUSE;
	cfg.witness_ssh = true;
	status_expect(&status, &cfg, FACT_YES, "but would refuse if its host were lost");
	status.baseline = FACT_YES;
	status_expect(&status, &cfg, FACT_YES,
		      "after 6.0 s if the witness host cannot reach its host");
	(void)snprintf(status.attempts[ATTEMPT_FENCE_TEST], 64, "refused way-broken: ssh");
	status_expect(&status, &cfg, FACT_UNKNOWN, "the last test of fencing failed");
	/* seen from the primary, the other node's files are not known */
	cfg.self = 0;
	status_expect(&status, &cfg, FACT_YES, "n2 would promote itself");
	status.guard = FACT_NO;
	status_expect(&status, &cfg, FACT_YES, "n2 would promote itself");
}

static void the_forecast_names_what_it_would_refuse_for(void **state)
{
	const struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	status.servers[1].received_lsn = 3999;
	status_expect(&status, &cfg, FACT_NO, "max_lag");
	status = status_pair();
	status.servers[1].replay_paused = true;
	status_expect(&status, &cfg, FACT_NO, "replay is paused");
	status = status_pair();
	status.rights = FACT_NO;
	status_expect(&status, &cfg, FACT_NO, "lacks a right");
	status.rights = FACT_UNKNOWN;
	status_expect(&status, &cfg, FACT_UNKNOWN, "not enough is known");
	status = status_pair();
	status.servers[1].system_identifier = 8;
	status_expect(&status, &cfg, FACT_NO, "not of the same cluster");
	status = status_pair();
	status.witness = FACT_NO;
	status_expect(&status, &cfg, FACT_NO, "the witness is not seen");
	status.witness = FACT_UNKNOWN;
	status_expect(&status, &cfg, FACT_UNKNOWN, "not enough is known");
	status = status_pair();
	status.fenced.present = FACT_YES;
	status_expect(&status, &cfg, FACT_NO, "it is fenced");
	status = status_pair();
	status.keepalived = FACT_NO;
	status_expect(&status, &cfg, FACT_NO, "keepalived does not run there");
	status = status_pair();
	status.guard = FACT_NO;
	status_expect(&status, &cfg, FACT_NO, "the guard does not run there");
	status = status_pair();
	status.servers[1] = (struct server){ .state = SERVER_DOWN, .why = "Connection refused" };
	status_expect(&status, &cfg, FACT_NO, "nobody would take over: n2 is down");
	status.servers[1] = (struct server){ .state = SERVER_UNKNOWN, .why = "no answer" };
	status_expect(&status, &cfg, FACT_UNKNOWN, "(no answer)");
	status = status_pair();
	status.servers[1].state = SERVER_PRIMARY;
	status_expect(&status, &cfg, FACT_UNKNOWN, "no one primary");
	status.servers[0].state = status.servers[1].state = SERVER_STANDBY;
	status_expect(&status, &cfg, FACT_UNKNOWN, "no one primary");
}

/* ---- facts ---- */

static void in_sync_mode_no_lag_matters(void **state)
{
	struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	status.servers[1].received_lsn = 1;
	assert_int_equal(status_facts_of(&status, &cfg).fresh, FACT_NO);
	cfg.mode = MODE_SYNC;
	assert_int_equal(status_facts_of(&status, &cfg).fresh, FACT_YES);
	assert_int_equal(status_facts_of(&status, &cfg).sync_held, FACT_NO);
}

static void a_lease_that_is_over_does_not_run(void **state)
{
	const struct cfg cfg = status_config();
	struct status status = status_pair();

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
	const struct cfg cfg = status_config();
	struct status status = status_pair();

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

static void slots_are_told_of_before_they_hurt(void **state)
{
	struct cfg cfg = status_config();
	struct status status = status_pair();
	struct server_slot *slot = &status.slots[0].slots[0];

	(void)state;
	cfg.slots = true;
	assert_int_equal(status_facts_of(&status, &cfg).slots_bounded, FACT_YES);
	assert_int_equal(status_facts_of(&status, &cfg).slot_used, FACT_YES);
	assert_int_equal(status_facts_of(&status, &cfg).slot_holds, FACT_YES);
	assert_int_equal(status_facts_of(&status, &cfg).slots_near, FACT_NO);
	slot->held_bytes = 801;
	assert_int_equal(status_facts_of(&status, &cfg).slots_near, FACT_YES);
	slot->held_bytes = 0;
	slot->hold = SLOT_LOST;
	slot->active = false;
	assert_int_equal(status_facts_of(&status, &cfg).slots_near, FACT_YES);
	assert_int_equal(status_facts_of(&status, &cfg).slot_holds, FACT_NO);
	slot->hold = SLOT_EMPTY;
	assert_int_equal(status_facts_of(&status, &cfg).slots_near, FACT_NO);
	assert_int_equal(status_facts_of(&status, &cfg).slot_used, FACT_NO);
	assert_int_equal(status_facts_of(&status, &cfg).slot_holds, FACT_NO);
	assert_string_equal(slot_note(&cfg, 0, &status.slots[0], slot),
			    "it was away for too long: it may need a new copy");
	status.servers[0].peer_streams = false;
	assert_int_equal(status_facts_of(&status, &cfg).slot_used, FACT_YES);
	status.slots[1].bound_bytes = -1;
	assert_int_equal(status_facts_of(&status, &cfg).slots_bounded, FACT_NO);
	status.slots[0].known = false;
	assert_int_equal(status_facts_of(&status, &cfg).slot_holds, FACT_UNKNOWN);
	assert_int_equal(status_facts_of(&status, &cfg).slots_bounded, FACT_NO);
	status.slots[1].known = false;
	assert_int_equal(status_facts_of(&status, &cfg).slots_bounded, FACT_UNKNOWN);
}

/* ---- what is printed ---- */

static char *printed(bool json, const struct status *status)
{
	const struct cfg cfg = status_config();

	return status_printed(&cfg, json, status);
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
		"pgvrrp_n2",
		"in use",
		"100 B",
		"watchdog      armed",
	};
	struct status status = status_pair();
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
		"\"watchdog\":\"armed\"",
		"\"keepalived_alive\":null",
		"\"guard_alive\":false",
		"\"serving\":null",
		"\"priority\":50",
		"\"promote_safe\":null",
		"\"fence_old\":\"refused \\\"x\\\"\"",
		"\"record\":null",
		"\"slots\":{\"bound_bytes\":1000,\"uses\":null,\"all\":[{\"name\":\"pgvrrp_n2\"",
		"\"for\":\"n2\",\"active\":true,\"state\":\"keeps\",\"restart_lsn\":\"0/1324\"",
		"\"held_bytes\":100,\"note\":null}]}",
		"\"slots\":{\"bound_bytes\":1000,\"uses\":\"pgvrrp_n2\",\"all\":[]}",
	};
	struct status status = status_pair();

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
		cmocka_unit_test(slots_are_told_of_before_they_hurt),
		cmocka_unit_test(the_table_has_what_people_look_for),
		cmocka_unit_test(json_tells_null_where_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
