/* SPDX-License-Identifier: PostgreSQL */
/* [witness] kind = postgres: what it adds to the file, and what it refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cfgfixture.h"

static int load_with(const char *old, const char *new)
{
	return cfgfixture_load(cfgfixture_record(old, new));
}

static void what_is_not_said_has_its_default(void **state)
{
	(void)state;
	assert_int_equal(load_with("", ""), 0);
	assert_true(cfg_has_record(&fixture.cfg));
	assert_string_equal(cfg_witness_word(&fixture.cfg), "postgres");
	assert_int_equal(fixture.cfg.witness_port, 5432);
	assert_string_equal(fixture.cfg.witness_database, "pgvrrp");
	assert_string_equal(fixture.cfg.witness_role, "pgvrrp");
	assert_string_equal(fixture.cfg.witness_passfile, "/etc/pg_vrrp/main.witness.pgpass");
	assert_string_equal(fixture.cfg.witness_conninfo, "");
	assert_int_equal(fixture.cfg.solo_after_ms, 1500);
}

static void what_is_said_is_loaded(void **state)
{
	(void)state;
	assert_int_equal(
	    load_with("kind = postgres\n",
		      "kind = postgres\nport = 5433\ndatabase = witnesses\nrole = w\n"
		      "passfile = /etc/w\nconninfo = sslmode=verify-full host=w.example.org\n"),
	    0);
	assert_int_equal(fixture.cfg.witness_port, 5433);
	assert_string_equal(fixture.cfg.witness_database, "witnesses");
	assert_string_equal(fixture.cfg.witness_role, "w");
	assert_string_equal(fixture.cfg.witness_passfile, "/etc/w");
	assert_string_equal(fixture.cfg.witness_conninfo, "sslmode=verify-full host=w.example.org");
}

/* Nobody looks for signs of life in a window that has to begin in time. */
static void its_margin_is_for_clocks_and_late_wake_ups(void **state)
{
	(void)state;
	assert_int_equal(load_with("", ""), 0);
	assert_int_equal(fixture.cfg.margin_ms, 300);
	assert_int_equal(load_with("lease = 5s\n", "lease = 2s\n"), 0);
	assert_int_equal(fixture.cfg.margin_ms, 240);
	/* Nothing but the guard would end it then. */
	assert_int_equal(load_with("[timing]\n", "kernel_lease = no\n[timing]\n"), 0);
	assert_int_equal(fixture.cfg.margin_ms, 1000);
	/* A watchdog counts whole seconds, and one has to fit. */
	assert_int_equal(
	    load_with("[timing]\nlease = 5s\n", "watchdog = automatic\n[timing]\nlease = 2s\n"), 0);
	assert_int_equal(fixture.cfg.margin_ms, 540);
}

static void other_witnesses_keep_none(void **state)
{
	(void)state;
	assert_int_equal(cfgfixture_load(cfgfixture_sound("", "")), 0);
	assert_false(cfg_has_record(&fixture.cfg));
	assert_int_equal(fixture.cfg.witness_port, 0);
}

/* Each is refused at its line, with the remedy. */
static void its_keys_are_refused_with_another_witness(void **state)
{
	static const struct {
		const char *old;
		const char *new;
		const char *said;
	} keys[] = {
		{ "ssh = yes", "ssh = yes\ndatabase = pgvrrp",
		  ":14: database is of no use to a ping witness" },
		{ "ssh = yes", "ssh = yes\nkind = tcp\nport = 22\nrole = pgvrrp",
		  ":16: role is of no use to a tcp witness" },
		{ "ssh = yes", "ssh = yes\npassfile = /etc/w", ":14: passfile is of no use" },
		{ "ssh = yes", "ssh = yes\nconninfo = sslmode=require", ":14: conninfo is of no" },
		{ "mode = sync", "mode = sync\nsolo_after = 2s", ":19: solo_after is of no use" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int rc = cfgfixture_load(cfgfixture_sound(keys[i].old, keys[i].new));

		cfgfixture_refused(rc, keys[i].said);
		cfgfixture_said("HINT:  Remove it, or set kind = postgres.");
	}
}

static void its_address_is_a_number(void **state)
{
	(void)state;
	cfgfixture_refused(load_with("10.77.0.3", "w.example.org"),
			   ":12: a postgres witness needs a numeric address");
	cfgfixture_said("conninfo = host=NAME");
}

static void only_its_name_is_added_to_the_address(void **state)
{
	static const char *const bad[] = { "host=/tmp",       "host=a,b",    "hostaddr=10.0.0.1",
					   "password=x",      "passfile=/x", "port=1",
					   "user=postgres",   "host=",       "dbname=x",
					   "host=10.77.0.300" };
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(line, sizeof(line), "kind = postgres\nconninfo = sslmode=require %s",
			       bad[i]);
		cfgfixture_refused(load_with("kind = postgres", line), ":14: conninfo");
	}
}

/* A renewal and a vote a second; each alone must do.  The guard's questions have no part in it. */
static void lease_is_kept_by_one_source_alone(void **state)
{
	static const char timing[] = "stop_fast = 500ms\nstop_immediate = 300ms\n"
				     "renew_interval = 5s\nprobe_timeout = 250ms\nlease = %s\n";
	char text[256];

	(void)state;
	(void)snprintf(text, sizeof(text), timing, "2249ms");
	cfgfixture_refused(load_with("lease = 5s\n", text), ":26: contradictory timings: lease is");
	cfgfixture_said("at least 2250ms");
	(void)snprintf(text, sizeof(text), timing, "2250ms");
	assert_int_equal(load_with("lease = 5s\n", text), 0);
	assert_int_equal(load_with("lease = 5s", "lease = 2s"), 0);
}

static void check_has_time_for_three_questions(void **state)
{
	(void)state;
	cfgfixture_refused(
	    load_with("lease = 5s", "lease = 5s\nprobe_timeout = 200ms\ncheck_budget = 599ms"),
	    ":24: contradictory timings: check_budget is 599ms");
	assert_int_equal(
	    load_with("lease = 5s", "lease = 5s\nprobe_timeout = 200ms\ncheck_budget = 600ms"), 0);
}

static void one_look_does_not_decide_that_the_standby_is_gone(void **state)
{
	(void)state;
	cfgfixture_refused(load_with("mode = sync", "mode = sync\nsolo_after = 1249ms"),
			   ":19: contradictory timings: solo_after is 1249ms");
	assert_int_equal(load_with("mode = sync", "mode = sync\nsolo_after = 1250ms"), 0);
}

static void staleness_is_of_no_meaning(void **state)
{
	(void)state;
	assert_int_equal(load_with("mode = sync", "mode = sync\nmax_staleness = 1s"), 0);
}

static void lag_leaves_room_for_what_is_on_its_way(void **state)
{
	(void)state;
	cfgfixture_refused(load_with("mode = sync", "mode = async\nmax_lag = 63kB"),
			   ":19: with max_lag below 64kB");
	assert_int_equal(load_with("mode = sync", "mode = async\nmax_lag = 64kB"), 0);
	assert_int_equal(load_with("mode = sync", "mode = sync\nmax_lag = 0B"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cfgfixture_set_up, cfgfixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_said_has_its_default),
		TEST(what_is_said_is_loaded),
		TEST(its_margin_is_for_clocks_and_late_wake_ups),
		TEST(other_witnesses_keep_none),
		TEST(its_keys_are_refused_with_another_witness),
		TEST(its_address_is_a_number),
		TEST(only_its_name_is_added_to_the_address),
		TEST(lease_is_kept_by_one_source_alone),
		TEST(check_has_time_for_three_questions),
		TEST(one_look_does_not_decide_that_the_standby_is_gone),
		TEST(staleness_is_of_no_meaning),
		TEST(lag_leaves_room_for_what_is_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
