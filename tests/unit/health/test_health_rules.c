/* SPDX-License-Identifier: PostgreSQL */
/* The codes of health checks: every combination of what is known of a node, and the words of a
 * question. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "health/health_rules.h"

#define FRESH 6000
#define FENCE 1000

static const enum fact facts[] = { FACT_UNKNOWN, FACT_NO, FACT_YES };

static struct health_ask asked(const char *path, const char *query)
{
	struct health_ask ask;

	assert_int_equal(health_ask_parse(&ask, path, query), 0);
	return ask;
}

static int code(const struct health *h, const char *path, const char *query)
{
	const struct health_ask ask = asked(path, query);

	return health_code(h, &ask);
}

static struct health a_primary(void)
{
	return (struct health){ .fenced = FACT_NO,
				.says_serving = FACT_YES,
				.right_known = true,
				.lease_left_ms = 4000,
				.fence_time_ms = FENCE,
				.server = HEALTH_SERVER_PRIMARY,
				.fresh_ms = FRESH,
				.answer_age_ms = 300,
				.seen_age_ms = HEALTH_NEVER,
				.streaming_age_ms = HEALTH_NEVER,
				.lag_bytes = HEALTH_NEVER,
				.unsent_bytes = HEALTH_NEVER,
				.lag_ms = HEALTH_NEVER };
}

static struct health a_standby(void)
{
	return (struct health){ .fenced = FACT_NO,
				.says_serving = FACT_NO,
				.server = HEALTH_SERVER_STANDBY,
				.fence_time_ms = FENCE,
				.fresh_ms = FRESH,
				.answer_age_ms = 300,
				.seen_age_ms = 300,
				.streaming_age_ms = 300,
				.lag_bytes = 5000,
				.unsent_bytes = 100,
				.lag_ms = 1300,
				.max_lag_bytes = 16 << 20 };
}

/* ---- the safety property ---- */

static bool all_hold(const struct health *h)
{
	return h->fenced == FACT_NO && h->says_serving == FACT_YES && h->right_known &&
	       h->lease_left_ms > FENCE;
}

static void only_a_right_that_was_seen_makes_a_primary(void **state)
{
	static const int64_t lefts[] = { -5, 0, FENCE - 1, FENCE, FENCE + 1, 5000 };
	static const char *const paths[] = { "/", "/primary", "/read-write", "/leader", "/master" };

	(void)state;
	for (size_t i = 0; i < 3 * 3 * 2 * ARRAY_COUNT(lefts) * 4; i++) {
		size_t n = i;
		struct health h = a_primary();

		h.fenced = facts[n % 3], n /= 3;
		h.says_serving = facts[n % 3], n /= 3;
		h.right_known = n % 2, n /= 2;
		h.lease_left_ms = lefts[n % ARRAY_COUNT(lefts)], n /= ARRAY_COUNT(lefts);
		h.server = (enum health_server)n;
		for (size_t p = 0; p < ARRAY_COUNT(paths); p++)
			assert_int_equal(code(&h, paths[p], ""), all_hold(&h) ? 200 : 503);
	}
}

static void what_is_not_known_is_never_a_yes(void **state)
{
	static const char *const paths[] = {
		"/",         "/replica",        "/read-only",
		"/sync",     "/async",          "/health",
		"/liveness", "/readiness",      "/read-only-sync",
		"/quorum",   "/standby-leader",
	};
	const struct health nothing = { .answer_age_ms = HEALTH_NEVER,
					.seen_age_ms = HEALTH_NEVER,
					.streaming_age_ms = HEALTH_NEVER,
					.lag_bytes = HEALTH_NEVER,
					.unsent_bytes = HEALTH_NEVER,
					.lag_ms = HEALTH_NEVER,
					.fresh_ms = FRESH };

	(void)state;
	for (size_t p = 0; p < ARRAY_COUNT(paths); p++)
		assert_int_equal(code(&nothing, paths[p], ""), 503);
}

/* ---- standbys ---- */

static void a_standby_is_for_reading(void **state)
{
	const struct health h = a_standby(), primary = a_primary();

	(void)state;
	assert_int_equal(code(&h, "/primary", ""), 503);
	assert_int_equal(code(&h, "/replica", ""), 200);
	assert_int_equal(code(&h, "/read-only", ""), 200);
	assert_int_equal(code(&h, "/health", ""), 200);
	assert_int_equal(code(&h, "/replica", "tag_zone=a"), 503);
	assert_int_equal(code(&h, "/replica", "replication_state=streaming"), 200);
	assert_int_equal(code(&primary, "/replica", ""), 503);
	assert_int_equal(code(&primary, "/read-only", ""), 200);
	/* A primary that may not serve is for nobody. */
	struct health lost = primary;

	lost.right_known = false;
	assert_int_equal(code(&lost, "/read-only", ""), 503);
	assert_int_equal(code(&lost, "/health", ""), 200);
}

static void lag_is_held_against_what_is_known(void **state)
{
	struct health h = a_standby();

	(void)state;
	assert_int_equal(code(&h, "/replica", "lag=5000"), 200);
	assert_int_equal(code(&h, "/replica", "lag=4999"), 503);
	assert_int_equal(code(&h, "/replica", "lag=5kB"), 200);
	assert_int_equal(code(&h, "/replica", "lag=1300ms"), 200);
	assert_int_equal(code(&h, "/replica", "lag=1s"), 503);
	assert_int_equal(code(&h, "/replica", "x=y&lag=1s"), 503);
	h.lag_bytes = h.lag_ms = HEALTH_NEVER;
	assert_int_equal(code(&h, "/replica", "lag=1TB"), 503);
	assert_int_equal(code(&h, "/replica", "lag=1h"), 503);
	assert_int_equal(code(&h, "/replica", ""), 200);
}

static void ready_is_a_standby_that_follows_closely(void **state)
{
	struct health h = a_standby();
	const struct health primary = a_primary();

	(void)state;
	assert_int_equal(code(&primary, "/readiness", ""), 200);
	assert_int_equal(code(&h, "/readiness", ""), 200);
	assert_int_equal(code(&h, "/readiness", "lag=200"), 503);
	assert_int_equal(code(&h, "/readiness", "lag=200&mode=write"), 200);
	h.lag_bytes = h.max_lag_bytes + 1;
	assert_int_equal(code(&h, "/readiness", ""), 503);
	h.lag_bytes = 0;
	h.streaming_age_ms = FRESH + 1;
	assert_int_equal(code(&h, "/readiness", ""), 503);
	assert_int_equal(code(&h, "/replica", "replication_state=streaming"), 503);
}

static void sync_and_async_are_never_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3 * 128; i++) {
		struct health h = a_standby();
		bool sync, async;

		h.record_known = facts[i / 128];
		h.has_record = i & 1;
		h.paired = i & 2;
		h.record_sync = i & 4;
		h.holder = i & 8;
		h.mode_sync = i & 16;
		h.record_age_ms = i & 32 ? FRESH + 1 : 1000;
		h.streaming_age_ms = i & 64 ? FRESH + 1 : 1000;
		sync = code(&h, "/sync", "") == 200;
		async = code(&h, "/async", "") == 200;
		assert_false(sync && async);
		if (h.has_record && (h.record_known != FACT_YES || h.record_age_ms > FRESH))
			assert_false(sync || async);
		else if (h.has_record)
			assert_int_equal(sync, h.paired && h.record_sync && !h.holder &&
						   h.streaming_age_ms <= FRESH);
		else
			assert_int_equal(sync, h.mode_sync && h.streaming_age_ms <= FRESH);
		assert_int_equal(code(&h, "/read-only-sync", "") == 200, sync);
	}
}

static void rounds_that_stopped_are_no_life(void **state)
{
	struct health h = a_standby();

	(void)state;
	h.answer_age_ms = 2 * FRESH;
	h.server = HEALTH_SERVER_UNKNOWN;
	assert_int_equal(code(&h, "/liveness", ""), 200);
	assert_int_equal(code(&h, "/replica", ""), 503);
	h.answer_age_ms++;
	assert_int_equal(code(&h, "/liveness", ""), 503);
	h = a_primary();
	h.answer_age_ms = FRESH + 1;
	assert_int_equal(code(&h, "/liveness", ""), 503);
}

/* ---- words ---- */

static void a_value_that_is_none_is_not_any(void **state)
{
	static const char *const queries[] = {
		"lag=",
		"lag=-1",
		"lag=1MB5",
		"lag=1mb",
		"lag=9999999999999999",
		"lag=999999999999999TB",
		"mode=x",
		"replication_state=in archive recovery",
		"a=0123456789012345678901234567890123456789012345678901234567890123456789",
	};
	struct health_ask ask;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(queries); i++)
		assert_int_equal(health_ask_parse(&ask, "/replica", queries[i]), -EINVAL);
	assert_int_equal(health_ask_parse(&ask, "/restart", ""), -ENOENT);
	assert_int_equal(health_ask_parse(&ask, "/primary/", ""), -ENOENT);
	assert_int_equal(health_ask_parse(&ask, "/async", "&&lag=1&"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_right_that_was_seen_makes_a_primary),
		cmocka_unit_test(what_is_not_known_is_never_a_yes),
		cmocka_unit_test(a_standby_is_for_reading),
		cmocka_unit_test(lag_is_held_against_what_is_known),
		cmocka_unit_test(ready_is_a_standby_that_follows_closely),
		cmocka_unit_test(sync_and_async_are_never_both),
		cmocka_unit_test(rounds_that_stopped_are_no_life),
		cmocka_unit_test(a_value_that_is_none_is_not_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
