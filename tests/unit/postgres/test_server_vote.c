/* SPDX-License-Identifier: PostgreSQL */
/* Which answers are a vote.  A vote that is counted wrongly makes two writers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "postgres/server.h"

#define OURS     "10.0.0.1"
#define SYSTEM   UINT64_C(0xf000000000000001)
#define TIMELINE 3

static struct server standby_of(const char *conninfo)
{
	struct server peer = { .state = SERVER_STANDBY,
			       .system_identifier = SYSTEM,
			       .timeline = TIMELINE };

	(void)snprintf(peer.primary_conninfo, sizeof(peer.primary_conninfo), "%s", conninfo);
	return peer;
}

static enum fact vote_of(const char *conninfo, const char *address)
{
	const struct server peer = standby_of(conninfo);

	return server_votes_for(&peer, address, SYSTEM, TIMELINE);
}

/* Every combination of state, system, timeline, withdrawal and direction: YES only for one of them
 * in which nothing speaks against it. */
static void votes_only_when_nothing_speaks_against_it(void **state)
{
	static const enum server_state states[] = { SERVER_UNKNOWN, SERVER_DOWN, SERVER_STARTING,
						    SERVER_PRIMARY, SERVER_STANDBY };
	static const char *const conninfos[] = { ("host=" OURS), "host=10.0.0.9", "" };
	size_t yes = 0;

	(void)state;
	for (size_t i = 0; i < 5 * 2 * 3 * 2 * 3; i++) {
		struct server peer = standby_of(conninfos[i / 60]);
		const int64_t step = (int64_t)(i / 10 % 3) - 1;
		enum fact vote;

		peer.state = states[i % 5];
		peer.system_identifier = i / 5 % 2 == 0 ? SYSTEM : SYSTEM + 1;
		peer.timeline = (uint32_t)(TIMELINE + step);
		peer.withdrawn = i / 30 % 2 == 1;
		vote = server_votes_for(&peer, OURS, SYSTEM, TIMELINE);
		if (peer.state != SERVER_PRIMARY && peer.state != SERVER_STANDBY) {
			assert_int_equal(vote, FACT_UNKNOWN);
			continue;
		}
		assert_int_not_equal(vote, FACT_UNKNOWN);
		if (vote == FACT_NO)
			continue;
		yes++;
		assert_int_equal(peer.state, SERVER_STANDBY);
		assert_true(peer.system_identifier == SYSTEM);
		assert_true(peer.timeline <= TIMELINE);
		assert_false(peer.withdrawn);
		assert_string_equal(peer.primary_conninfo, "host=" OURS);
	}
	assert_int_equal(yes, 2); /* an older timeline, and the same */
}

static void names_us_by_value_not_by_spelling(void **state)
{
	(void)state;
	assert_int_equal(vote_of("host=10.0.0.1 port=5432", OURS), FACT_YES);
	assert_int_equal(vote_of("host = '10.0.0.1'", OURS), FACT_YES);
	assert_int_equal(vote_of("postgresql://repl@10.0.0.1:5432/postgres", OURS), FACT_YES);
	assert_int_equal(vote_of("host=n1.example hostaddr=10.0.0.1", OURS), FACT_YES);
	assert_int_equal(vote_of("host=2001:DB8:0:0::1", "2001:db8::1"), FACT_YES);
	assert_int_equal(vote_of("host=::ffff:10.0.0.1", OURS), FACT_YES);
	assert_int_equal(vote_of("host=10.0.0.1,10.0.0.1", OURS), FACT_YES);
}

static void names_somebody_else_or_nobody_for_certain(void **state)
{
	static const char *const others[] = {
		"host=10.0.0.11",
		"host=110.0.0.1",
		"host=10.0.0.1.example",
		"host=10.0.0.1x",
		"host=n1",
		"host=/var/run/postgresql",
		"user=10.0.0.1",
		"application_name=10.0.0.1",
		"host=10.0.0.1 hostaddr=10.0.0.2",
		"host=10.0.0.1,10.0.0.2",
		"host=10.0.0.2,10.0.0.1",
		"host=10.0.0.1,",
		"host=''",
		"hostaddr='' host=10.0.0.2",
		"host=10.0.0.1 nonsense",
		"10.0.0.1",
		"host='10.0.0.1",
		" ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		if (vote_of(others[i], OURS) != FACT_NO)
			fail_msg("counted as a vote: %s", others[i]);
	}
	assert_int_equal(vote_of("host=10.0.0.1", "n1"), FACT_NO);
	assert_int_equal(vote_of("host=10.0.0.1", ""), FACT_NO);
}

static void a_conninfo_without_end_is_no_vote(void **state)
{
	char conninfo[SERVER_CONNINFO_MAX] = "host=";

	(void)state;
	for (size_t used = 5; used + 10 < sizeof(conninfo); used += 9)
		(void)snprintf(conninfo + used, sizeof(conninfo) - used, "10.0.0.1,");
	assert_int_equal(vote_of(conninfo, OURS), FACT_NO);
}

/* Beyond the fork both sides say "streaming" for a moment, each on its own timeline. */
static void receives_only_on_the_primarys_own_timeline(void **state)
{
	const struct server primary = { .state = SERVER_PRIMARY,
					.system_identifier = SYSTEM,
					.timeline = TIMELINE,
					.peer_streams = true };
	struct server standby = standby_of("");
	struct server other;

	(void)state;
	standby.receiving = true;
	assert_true(server_receives(&standby, &primary));
	other = standby;
	other.timeline = TIMELINE - 1;
	assert_false(server_receives(&other, &primary));
	other = standby;
	other.receiving = false;
	assert_false(server_receives(&other, &primary));
	other = standby;
	other.system_identifier = SYSTEM + 1;
	assert_false(server_receives(&other, &primary));
	other = primary;
	other.state = SERVER_STANDBY;
	assert_false(server_receives(&standby, &other));
	other.state = SERVER_UNKNOWN;
	assert_false(server_receives(&standby, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(votes_only_when_nothing_speaks_against_it),
		cmocka_unit_test(names_us_by_value_not_by_spelling),
		cmocka_unit_test(names_somebody_else_or_nobody_for_certain),
		cmocka_unit_test(a_conninfo_without_end_is_no_vote),
		cmocka_unit_test(receives_only_on_the_primarys_own_timeline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
