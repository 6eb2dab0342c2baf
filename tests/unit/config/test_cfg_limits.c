/* SPDX-License-Identifier: PostgreSQL */
/* Ranges, units and contradictory timings: refused just beyond the limit, taken at it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cfgfixture.h"
#include "config/cfg_internal.h"

struct limit {
	const char *name;
	const char *timing; /* replaces "lease = 5s" */
	const char *below;  /* lines that break the inequality by one step */
	const char *at;
	const char *said;
};

static const struct limit limits[] = {
	{ "lease_holds_a_fence_and_two_renewals",
	  "stop_fast = 500ms\nstop_immediate = 300ms\nrenew_interval = 1s\n", "lease = 2999ms\n",
	  "lease = 3s\n", "lease is 2999ms, the others need it to be at least 3s" },
	{ "lease_lives_on_votes_alone",
	  "stop_fast = 500ms\nstop_immediate = 300ms\nrenew_interval = 100ms\nprobe_timeout = "
	  "250ms\n",
	  "lease = 2249ms\n", "lease = 2250ms\n", "at least 2250ms" },
	{ "vrrp_notices_within_a_lease", "lease = 5s\n", "advert_interval = 1670ms\n",
	  "advert_interval = 1660ms\n", "lease is 5s, the others need it to be at least 5011ms" },
	{ "margin_is_two_percent_of_lease", "lease = 60s\npromote_budget = 2min\n",
	  "margin = 1199ms\n", "margin = 1200ms\n", "margin is 1199ms" },
	{ "check_has_time_for_two_questions", "probe_timeout = 250ms\n", "check_budget = 499ms\n",
	  "check_budget = 500ms\n", "check_budget is 499ms" },
	{ "promotion_has_time_for_its_waits", "lease = 5s\nmargin = 1s\n",
	  "promote_budget = 10999ms\n", "promote_budget = 11s\n", "promote_budget is 10999ms" },
	{ "adverts_are_hundredths_of_a_second", "", "advert_interval = 105ms\n",
	  "advert_interval = 110ms\n", "advert_interval is not a multiple of 10ms" },
};

static void timing_is_refused_below_its_limit(void **state)
{
	const struct limit *limit = *state;
	char timing[512];

	(void)snprintf(timing, sizeof(timing), "%s%s", limit->timing, limit->below);
	cfgfixture_refused(cfgfixture_load(cfgfixture_sound("lease = 5s\n", timing)), ":");
	cfgfixture_said(limit->said);
	(void)snprintf(timing, sizeof(timing), "%s%s", limit->timing, limit->at);
	assert_int_equal(cfgfixture_load(cfgfixture_sound("lease = 5s\n", timing)), 0);
}

static void staleness_outlasts_the_waits_of_a_promotion(void **state)
{
	(void)state;
	cfgfixture_refused(
	    cfgfixture_load(cfgfixture_sound("mode = sync", "max_staleness = 10999ms")),
	    ":18: contradictory timings: max_staleness is 10999ms");
	assert_int_equal(cfgfixture_load(cfgfixture_sound("mode = sync", "max_staleness = 11s")),
			 0);
}

static void a_watchdog_that_cannot_fit_the_timings_is_refused(void **state)
{
	static const char *const modes[] = { "automatic", "required" };
	char text[120];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		(void)snprintf(text, sizeof(text),
			       "watchdog = %s\n[timing]\nlease = 2s\nmargin = 539ms\n", modes[i]);
		cfgfixture_refused(
		    cfgfixture_load(cfgfixture_sound("[timing]\nlease = 5s\n", text)),
		    ":21: contradictory timings: no watchdog timeout is both at least 2 s and at "
		    "most 1 s");
	}
	assert_int_equal(cfgfixture_load(cfgfixture_sound(
			     "[timing]\nlease = 5s\n", "[timing]\nlease = 2s\nmargin = 539ms\n")),
			 0);
	assert_int_equal(cfgfixture_load(cfgfixture_sound(
			     "[timing]\nlease = 5s\n",
			     "watchdog = required\n[timing]\nlease = 2s\nmargin = 540ms\n")),
			 0);
	assert_int_equal(fixture.cfg.watchdog, WATCHDOG_REQUIRED);
	assert_string_equal(fixture.cfg.watchdog_device, "/dev/watchdog");
}

/* ---- the table ---- */

/* Into memory where every field has its place, so that the sanitizer sees a wrong offset. */
static int set_value(const struct cfg_key *key, const char *text)
{
	struct cfg_node node = { .name = "" };

	memset(&fixture.cfg, 0, sizeof(fixture.cfg));
	return cfg_value_set(
	    key, key->section == SECTION_NODE ? (void *)&node : (void *)&fixture.cfg, text);
}

static void number_text(const struct cfg_key *key, int64_t value, char *text, size_t size)
{
	const char *unit = key->type == TYPE_DURATION ? "ms" : key->type == TYPE_BYTES ? "B" : "";

	(void)snprintf(text, size, "%lld%s", (long long)value, unit);
}

static void every_number_has_its_range(void **state)
{
	char text[64];
	int numbers = 0;

	(void)state;
	for (size_t i = 0; i < cfg_key_count; i++) {
		const struct cfg_key *key = &cfg_keys[i];

		if (key->type != TYPE_NUMBER && key->type != TYPE_DURATION &&
		    key->type != TYPE_BYTES)
			continue;
		numbers++;
		assert_true(key->min < key->max);
		number_text(key, key->min, text, sizeof(text));
		assert_int_equal(set_value(key, text), 0);
		number_text(key, key->max, text, sizeof(text));
		assert_int_equal(set_value(key, text), 0);
		number_text(key, key->max + 1, text, sizeof(text));
		assert_int_equal(set_value(key, text), -ERANGE);
		number_text(key, key->min - 1, text, sizeof(text));
		assert_int_equal(set_value(key, text), key->min > 0 ? -ERANGE : -EINVAL);
	}
	assert_true(numbers > 15);
}

static void units_mean_what_they_say(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} sizes[] = {
		{ "0", 0 }, { "1B", 1 }, { "3kB", 3072 }, { "2MB", 2097152 }, { "1GB", 1073741824 }
	};
	static const struct {
		const char *text;
		int64_t ms;
	} durations[] = {
		{ "0", 0 }, { "7ms", 7 }, { "3s", 3000 }, { "2min", 120000 }, { "1h", 3600000 }
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		(void)snprintf(text, sizeof(text), "max_lag = %s", sizes[i].text);
		assert_int_equal(cfgfixture_load(cfgfixture_sound("mode = sync", text)), 0);
		assert_int_equal(fixture.cfg.max_lag_bytes, sizes[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_COUNT(durations); i++) {
		(void)snprintf(text, sizeof(text), "lease = 5s\nrestart_wait = %s",
			       durations[i].text);
		assert_int_equal(cfgfixture_load(cfgfixture_sound("lease = 5s", text)), 0);
		assert_int_equal(fixture.cfg.restart_wait_ms, durations[i].ms);
	}
}

static void every_key_is_documented_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < cfg_key_count; i++) {
		assert_non_null(cfg_keys[i].meaning);
		assert_null(strchr(cfg_keys[i].meaning, '\t'));
		for (size_t j = 0; j < i; j++)
			assert_false(cfg_keys[i].section == cfg_keys[j].section &&
				     strcmp(cfg_keys[i].name, cfg_keys[j].name) == 0);
	}
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(staleness_outlasts_the_waits_of_a_promotion),
	cmocka_unit_test(a_watchdog_that_cannot_fit_the_timings_is_refused),
	cmocka_unit_test(every_number_has_its_range),
	cmocka_unit_test(units_mean_what_they_say),
	cmocka_unit_test(every_key_is_documented_once),
};

int main(void)
{
	struct CMUnitTest tests[ARRAY_COUNT(limits) + ARRAY_COUNT(others)];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		/* cmocka only hands it back to the test, which reads it. */
		tests[count++] =
		    (struct CMUnitTest){ .name = limits[i].name,
					 .test_func = timing_is_refused_below_its_limit,
					 .initial_state = (void *)(uintptr_t)&limits[i] };
	}
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		tests[count++] = others[i];
	for (size_t i = 0; i < ARRAY_COUNT(tests); i++) {
		tests[i].setup_func = cfgfixture_set_up;
		tests[i].teardown_func = cfgfixture_tear_down;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
