/* SPDX-License-Identifier: PostgreSQL */
/* cluster_status: WAL that is sent and does not arrive is told from a standby that is busy, or
 * away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "status_pair.h"

#define N1 0
#define N2 1

/* n1 has sent 5000, n2 has 4000 and has heard nothing since. */
static const struct status_flow stuck = {
	.looked = true,
	.first = { { .known = true, .sends = true, .sent_lsn = 5000 },
		   { .known = true, .receives = true, .received_lsn = 4000 } },
	.last = { { .known = true, .sends = true, .sent_lsn = 5000 },
		  { .known = true, .receives = true, .received_lsn = 4000, .silent_ms = 1200 } },
	.primary = N1,
	.here_sends = true,
	.path_known = true,
	.path = { .mtu = 1500, .unacked = 9, .retransmits = 4 },
};

static void nothing_arrives_of_what_was_sent(void **state)
{
	struct status_flow flow = stuck;

	(void)state;
	assert_int_equal(status_flow_decide(&flow), FACT_YES);
	flow.path_known = false;
	assert_int_equal(status_flow_decide(&flow), FACT_YES);
}

static void what_moves_is_only_slow(void **state)
{
	struct status_flow flow = stuck;

	(void)state;
	flow.last[N2].received_lsn = 4001;
	assert_int_equal(status_flow_decide(&flow), FACT_NO);
	flow = stuck;
	flow.first[N1].sent_lsn = 4000;
	assert_int_equal(status_flow_decide(&flow), FACT_NO);
}

static void a_standby_that_does_not_read_is_not_the_path(void **state)
{
	struct status_flow flow = stuck;

	(void)state;
	flow.path.retransmits = 0;
	assert_int_equal(status_flow_decide(&flow), FACT_NO);
	flow.here_sends = false;
	assert_int_equal(status_flow_decide(&flow), FACT_YES);
	flow.path.unread = 1;
	assert_int_equal(status_flow_decide(&flow), FACT_NO);
}

static void it_takes_two_that_are_connected_and_time(void **state)
{
	struct status_flow flow = stuck;

	(void)state;
	flow.last[N2].silent_ms = FLOW_SILENT_MS - 1;
	assert_int_equal(status_flow_decide(&flow), FACT_UNKNOWN);
	flow = stuck;
	flow.last[N2].receives = false;
	assert_int_equal(status_flow_decide(&flow), FACT_UNKNOWN);
	flow = stuck;
	flow.first[N1].sends = false;
	assert_int_equal(status_flow_decide(&flow), FACT_UNKNOWN);
	flow = stuck;
	flow.last[N2].known = false;
	assert_int_equal(status_flow_decide(&flow), FACT_UNKNOWN);
	flow = stuck;
	flow.first[N1].known = false;
	assert_int_equal(status_flow_decide(&flow), FACT_UNKNOWN);
}

/* Whatever the two believe of each other at this moment. */
static void both_ends_are_told_the_same(void **state)
{
	const struct cfg cfg = status_config();
	struct status status = status_pair();
	struct status_facts facts;

	(void)state;
	status.flow = stuck;
	status.flow.vanishes = FACT_YES;
	for (int i = 0; i < 4; i++) {
		status.servers[N1].peer_streams = (i & 1) != 0;
		status.servers[N2].receiving = (i & 2) != 0;
		facts = status_facts_of(&status, &cfg);
		facts.lease_runs = FACT_YES;
		assert_string_equal(status_decide(&facts).rule, "large-packets-lost");
		{
			char AUTO_FREE *text = status_printed(&cfg, false, &status);

			assert_non_null(strstr(text, "the standby receives nothing"));
			assert_non_null(
			    strstr(text, "connected, nothing received for 1.2 s; sent again 4 "
					 "times; the path's MTU is below 1500"));
			assert_null(strstr(text, "streams"));
		}
		{
			char AUTO_FREE *text = status_printed(&cfg, true, &status);

			assert_non_null(
			    strstr(text, "\"sent_wal_vanishes\":true,\"path_mtu\":1500"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_arrives_of_what_was_sent),
		cmocka_unit_test(what_moves_is_only_slow),
		cmocka_unit_test(a_standby_that_does_not_read_is_not_the_path),
		cmocka_unit_test(it_takes_two_that_are_connected_and_time),
		cmocka_unit_test(both_ends_are_told_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
