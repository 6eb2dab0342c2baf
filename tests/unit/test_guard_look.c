/* SPDX-License-Identifier: PostgreSQL */
/* What the guard makes of the files of its node and of its server: the lease, with a record and
 * without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A clock that can be made to jump: between any two lines this process may have been frozen. */
#define now_ms real_now_ms
#include "base/deadline.c" /* NOLINT(bugprone-suspicious-include) */
#undef now_ms
int64_t now_ms(void);

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "nodefiles.h"
#include "serve/guard_look.h"

#define LEASE  5000
#define FREEZE 3000

static struct cfg *const cfg = &nodefiles_cfg;
static struct guard guard;
static char top[64];
static pid_t server;

/* ---- the clock ---- */

static int64_t ahead_ms;
static int reads_left; /* of the clock, until it jumps; negative: never */
static int64_t before_jump_ms;

/* While we were frozen somebody has paired: the record no longer says solo. */
static void jump(int64_t now)
{
	before_jump_ms = now;
	ahead_ms += FREEZE;
	(void)unlink(file_run(cfg, "solo").text);
}

int64_t now_ms(void)
{
	int64_t now = real_now_ms() + ahead_ms;

	if (reads_left >= 0 && reads_left-- == 0)
		jump(now);
	return now;
}

/* ---- a node: a data directory with a process in it that has the name of a server ---- */

static struct file_path below(const char *name)
{
	struct file_path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%s", top, name);
	return path;
}

static void begin_guard(void)
{
	guard = (struct guard){ .cfg = cfg, .pidfd = -1, .witness = PROBE_NONE, .fenced = FACT_NO };
}

static int set_up(void **unused)
{
	if (nodefiles_set_up(unused) < 0)
		return -1;
	ahead_ms = 0;
	reads_left = -1;
	server = 0;
	(void)snprintf(top, sizeof(top), "%.*s", (int)(strlen(cfg->run_dir) - strlen("/run")),
		       cfg->run_dir);
	(void)snprintf(cfg->data_dir, sizeof(cfg->data_dir), "%s/data", top);
	(void)snprintf(cfg->bin_dir, sizeof(cfg->bin_dir), "%s", top);
	cfg->witness_kind = WITNESS_POSTGRES;
	if (mkdir(cfg->data_dir, 0700) < 0 || symlink("/proc/self/exe", below("postgres").text) < 0)
		return -1;
	nodefiles_put(below("data/PG_VERSION"), "15\n");
	begin_guard();
	return 0;
}

static void start_server(void)
{
	char text[32];

	assert_int_equal(chdir(cfg->data_dir), 0);
	server = fork();
	if (server == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	assert_true(server > 0);
	assert_int_equal(chdir("/"), 0);
	(void)snprintf(text, sizeof(text), "%d\n", (int)server);
	nodefiles_put(below("data/postmaster.pid"), text);
}

static void end_server(void)
{
	if (server > 0) {
		(void)kill(server, SIGKILL);
		(void)waitpid(server, NULL, 0);
	}
	server = 0;
}

static int tear_down(void **unused)
{
	static const char *const names[] = {
		"data/PG_VERSION", "data/postmaster.pid", "data/standby.signal",
		"run/solo",        "run/renewed",         "run/promote.lock",
		"postgres"
	};

	end_server();
	if (guard.pidfd >= 0)
		(void)close(guard.pidfd);
	probe_close(&guard.witness);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		(void)unlink(below(names[i]).text);
	(void)rmdir(cfg->data_dir);
	return nodefiles_tear_down(unused);
}

static void stamp(const char *name, int64_t at_ms)
{
	assert_int_equal(stamp_write(cfg, name, at_ms, "word"), 0);
}

static int64_t look(void)
{
	guard_look(&guard);
	return guard.lease.until_ms;
}

static void assert_lease(int64_t until_ms, const char *by)
{
	assert_int_equal(guard.lease.until_ms, until_ms);
	assert_string_equal(guard.lease.by, by);
}

/* ---- with a record ---- */

static void an_answered_renewal_begins_a_lease_and_prolongs_it(void **unused)
{
	int64_t sent = now_ms() - 1000;

	(void)unused;
	start_server();
	stamp("renewed", sent);
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
	assert_lease(sent + LEASE, "record");
	stamp("renewed", sent + 700);
	(void)look();
	assert_lease(sent + 700 + LEASE, "record");
	stamp("renewed", sent - 500);
	(void)look();
	assert_lease(sent + 700 + LEASE, "record");
}

static void a_vote_prolongs_and_begins_nothing(void **unused)
{
	int64_t sent = now_ms();

	(void)unused;
	start_server();
	stamp("vote", sent);
	assert_int_equal(look(), 0);
	stamp("grant", sent + 1000);
	(void)look();
	assert_int_equal(guard.lease.until_ms, sent + LEASE);
	/* The witness is silent; the standby votes on, until it does not. */
	ahead_ms += LEASE - 100;
	stamp("vote", sent + LEASE - 200);
	(void)look();
	assert_int_equal(guard.lease.until_ms, sent + 2 * LEASE - 200);
	ahead_ms += LEASE;
	stamp("vote", now_ms());
	(void)look();
	assert_int_equal(guard.lease.until_ms, sent + 2 * LEASE - 200);
}

static void a_grant_begins_a_lease_without_any_answer_since(void **unused)
{
	int64_t until = now_ms() + LEASE;

	(void)unused;
	(void)look();
	stamp("grant", until);
	start_server();
	(void)look();
	assert_lease(until, "grant");
}

/* What was answered for a server that has ended meanwhile says nothing about the next one. */
static void what_was_said_before_it_was_seen_down_counts_for_nothing(void **unused)
{
	(void)unused;
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_DOWN);
	stamp("renewed", guard.down_ms);
	stamp("vote", guard.down_ms);
	start_server();
	assert_int_equal(look(), 0);
	stamp("grant", guard.down_ms + 1000);
	(void)look();
	assert_lease(guard.down_ms + 1000, "grant");
	stamp("vote", guard.down_ms + 1);
	(void)look();
	assert_int_equal(guard.lease.until_ms, guard.down_ms + 1 + LEASE);
	stamp("renewed", guard.down_ms + 2);
	(void)look();
	assert_lease(guard.down_ms + 2 + LEASE, "record");
}

/* Nobody need wait for a server that was said to be down, so nothing of its lease may be left. */
static void the_lease_ends_with_its_server(void **unused)
{
	(void)unused;
	start_server();
	stamp("grant", now_ms() + LEASE);
	stamp("renewed", now_ms());
	stamp("vote", now_ms());
	assert_true(look() > 0);
	end_server();
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_DOWN);
	assert_true(guard.died_ms > 0);
	start_server(); /* by hand */
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
	stamp("grant", now_ms() + LEASE); /* by rejoin */
	assert_true(look() > 0);
}

static void solo_it_goes_on_as_long_as_somebody_looks(void **unused)
{
	(void)unused;
	start_server();
	stamp("solo", now_ms());
	for (int i = 0; i < 3; i++) {
		int64_t before = now_ms();

		(void)look();
		assert_in_range(guard.lease.until_ms, before + LEASE, now_ms() + LEASE);
		assert_string_equal(guard.lease.by, "solo");
		ahead_ms += 3 * LEASE; /* also after a lease ran out: the row has not changed */
	}
	assert_int_equal(stamp_clear(cfg, "solo"), 0);
	assert_true(look() < now_ms());
}

static void solo_is_said_of_a_primary_of_this_boot_only(void **unused)
{
	(void)unused;
	stamp("solo", now_ms());
	assert_int_equal(look(), 0); /* down */
	nodefiles_put(below("data/standby.signal"), "");
	start_server();
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_STANDBY);
	assert_int_equal(unlink(below("data/standby.signal").text), 0);
	nodefiles_put(file_run(cfg, "solo"),
		      "boot=00000000-0000-0000-0000-000000000000\nat_ms=1\nword=record\n");
	assert_int_equal(look(), 0);
	nodefiles_put(file_run(cfg, "solo"), "at_ms=1\n");
	assert_int_equal(look(), 0);
	assert_int_equal(guard.server, GUARD_SERVER_PRIMARY);
}

/*
 * Frozen anywhere within a look, while the standby was paired again: the lease ends one lease after
 * a moment at which the stamp stood, because that is how long the standby waits.
 */
static void frozen_in_a_look_it_takes_no_more_than_there_was(void **unused)
{
	int jumps = 0;

	(void)unused;
	start_server();
	for (int reads = 0; reads < 40; reads++) {
		begin_guard();
		stamp("solo", now_ms());
		before_jump_ms = 0;
		reads_left = reads;
		(void)look();
		reads_left = -1;
		if (before_jump_ms > 0)
			assert_true(guard.lease.until_ms <= before_jump_ms + LEASE);
		jumps += before_jump_ms > 0;
		(void)close(guard.pidfd);
		guard.pidfd = -1;
	}
	assert_in_range(jumps, 3, 39); /* one for each time that a look reads the clock */
}

static void a_fenced_node_takes_nothing(void **unused)
{
	(void)unused;
	start_server();
	stamp("grant", now_ms() + LEASE);
	assert_true(look() > 0);
	assert_int_equal(fenced_write(cfg, "test", "guard"), 0);
	stamp("grant", now_ms() + LEASE);
	stamp("renewed", now_ms());
	stamp("vote", now_ms());
	stamp("solo", now_ms());
	assert_int_equal(look(), 0);
}

static void no_host_that_answers_pings_takes_part(void **unused)
{
	(void)unused;
	start_server();
	stamp("grant", now_ms() + LEASE);
	(void)look();
	assert_int_equal(guard.witness.family, 0);
	assert_int_equal(guard.next_question_ms, 0);
}

/* ---- without a record ---- */

static void without_a_record_a_vote_begins_and_the_rest_is_not_read(void **unused)
{
	int64_t sent = now_ms();

	(void)unused;
	cfg->witness_kind = WITNESS_PING;
	start_server();
	stamp("solo", sent);
	stamp("renewed", sent);
	assert_int_equal(look(), 0);
	stamp("vote", sent - 1000);
	(void)look();
	assert_lease(sent - 1000 + LEASE, "vote");
	/* It outlives its server, which may start again by it. */
	assert_int_equal(stamp_clear(cfg, "vote"), 0);
	end_server();
	(void)look();
	assert_int_equal(guard.server, GUARD_SERVER_DOWN);
	assert_lease(sent - 1000 + LEASE, "vote");
	stamp("vote", guard.down_ms - 1);
	(void)look();
	assert_lease(guard.lease.until_ms, "vote");
	assert_true(guard.lease.until_ms > sent - 1000 + LEASE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_answered_renewal_begins_a_lease_and_prolongs_it),
		TEST(a_vote_prolongs_and_begins_nothing),
		TEST(a_grant_begins_a_lease_without_any_answer_since),
		TEST(what_was_said_before_it_was_seen_down_counts_for_nothing),
		TEST(the_lease_ends_with_its_server),
		TEST(solo_it_goes_on_as_long_as_somebody_looks),
		TEST(solo_is_said_of_a_primary_of_this_boot_only),
		TEST(frozen_in_a_look_it_takes_no_more_than_there_was),
		TEST(a_fenced_node_takes_nothing),
		TEST(no_host_that_answers_pings_takes_part),
		TEST(without_a_record_a_vote_begins_and_the_rest_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
