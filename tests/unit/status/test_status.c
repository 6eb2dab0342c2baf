/* SPDX-License-Identifier: PostgreSQL */
/* cluster_status: facts from what was seen, the table and the JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/fold.h"
#include "postgres/server_sync.h"
#include "slots/slots_show.h"
#include "status_pair.h"

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

/* Whichever of the two is started as the primary next. */
static void a_version_that_waits_too_late_is_told_of_either_node(void **state)
{
	static const int64_t late[] = { 150000, 150012, 160000, 160008, 170000, 170004 };
	static const int64_t right[] = { 150013, 160009, 170005, 180000 };
	const struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(late); i++)
		assert_true(server_sync_late(late[i]));
	for (size_t i = 0; i < ARRAY_COUNT(right); i++)
		assert_false(server_sync_late(right[i]));
	status.servers[0].version_num = status.servers[1].version_num = 150013;
	assert_int_equal(status_facts_of(&status, &cfg).sync_late, FACT_NO);
	status.servers[1].version_num = 150012;
	assert_int_equal(status_facts_of(&status, &cfg).sync_late, FACT_YES);
	status.servers[0].state = SERVER_UNKNOWN;
	assert_int_equal(status_facts_of(&status, &cfg).sync_late, FACT_YES);
	status.servers[1].version_num = 150013;
	assert_int_equal(status_facts_of(&status, &cfg).sync_late, FACT_UNKNOWN);
}

static void a_mark_that_a_reboot_removes_says_so(void **state)
{
	const struct cfg cfg = status_config();
	struct status status = status_pair();
	char *text;

	(void)state;
	status.fenced = (struct fenced_mark){ FACT_YES, "its lease ended", FENCED_BY_GUARD, true };
	text = status_printed(&cfg, false, &status);
	assert_non_null(strstr(text, "by guard: its lease ended\n"));
	free(text);
	status.fenced.lasts = false;
	text = status_printed(&cfg, false, &status);
	assert_non_null(strstr(text, "its lease ended; only until this host is rebooted"));
	free(text);
	text = status_printed(&cfg, true, &status);
	assert_non_null(strstr(text, "\"fenced_lasts\":false"));
	free(text);
}

static void keepalived_that_asks_no_more_may_stand_still(void **state)
{
	const struct cfg cfg = status_config();
	struct status status = status_pair();

	(void)state;
	status.keepalived = FACT_NO;
	{
		char AUTO_FREE *text = status_printed(&cfg, false, &status);

		assert_non_null(strstr(text, "keepalived    not running, election MASTER: no"));
	}
	status.called = (struct status_stamp){ .known = true, .away_ms = -12300 };
	{
		char AUTO_FREE *text = status_printed(&cfg, false, &status);

		assert_non_null(
		    strstr(text, "not running, or stands still: asked last 12.3 s ago, election"));
	}
	{
		char AUTO_FREE *text = status_printed(&cfg, true, &status);

		assert_non_null(strstr(text, "\"keepalived_asked_ago_ms\":12300"));
	}
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

/* Before a person scrolls: the verdict first, both nodes, and what would come of a failure. */
static void the_first_screen_is_short(void **state)
{
	struct status status = status_pair();
	char AUTO_FREE *text = printed(false, &status);
	char *details = strstr(text, "\n\nservers\n"), *folded;
	size_t size, lines = 0;
	FILE *out = open_memstream(&folded, &size);

	(void)state;
	assert_non_null(details);
	*details = '\0';
	assert_int_equal(strncmp(text, "main: ", 6), 0);
	assert_non_null(strstr(text, "\nn1    primary  running    3"));
	assert_non_null(strstr(text, "\nn2*   standby  streaming  3   1000 B  4.2 s  ok"));
	assert_non_null(strstr(text, "\nif n1 died now: "));
	assert_non_null(out);
	fold_print(out, text, 78);
	assert_int_equal(fclose(out), 0);
	for (const char *line = folded; *line != '\0'; line += strcspn(line, "\n") + 1, lines++)
		assert_in_range(strcspn(line, "\n"), 1, 78);
	assert_in_range(lines, 7, 12);
	free(folded);
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
	(void)snprintf(status.attempts[ATTEMPT_FENCE_TEST].text, 64, "refused \"x\"");
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
		cmocka_unit_test(in_sync_mode_no_lag_matters),
		cmocka_unit_test(a_version_that_waits_too_late_is_told_of_either_node),
		cmocka_unit_test(a_mark_that_a_reboot_removes_says_so),
		cmocka_unit_test(keepalived_that_asks_no_more_may_stand_still),
		cmocka_unit_test(a_lease_that_is_over_does_not_run),
		cmocka_unit_test(either_side_ends_streaming),
		cmocka_unit_test(slots_are_told_of_before_they_hurt),
		cmocka_unit_test(the_table_has_what_people_look_for),
		cmocka_unit_test(the_first_screen_is_short),
		cmocka_unit_test(json_tells_null_where_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
