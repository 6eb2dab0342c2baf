/* SPDX-License-Identifier: PostgreSQL */
/* A salvage that is killed, that is there already, or that is not possible. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/state.h"
#include "node/mark.h"
#include "node/path.h"
#include "pidspace.h"
#include "salvaged.h"

static struct cfg *const n1 = &pair_servers.cfg[0];
static const struct pair_options by_hand = { 0 };

/* ---- killed, and again ---- */

static bool partial_is_there(void)
{
	DIR *all = opendir(file_state(n1, "salvage").text);
	struct dirent *entry;
	bool found = false;

	if (all == NULL)
		return false;
	while ((entry = readdir(all)) != NULL)
		found = found || strstr(entry->d_name, ".partial") != NULL;
	(void)closedir(all);
	return found;
}

static void killed_salvage_is_made_anew(void **unused)
{
	struct deadline dl = deadline_in_ms(10000);
	struct salvage salvage;
	pid_t child;

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "INSERT INTO t SELECT generate_series(1, 100000)");
	salvaged_fail_over();
	child = fork();
	if (child == 0) {
		(void)pair_rejoin(n1, &by_hand);
		_exit(0);
	}
	while (!partial_is_there() && !deadline_passed(&dl))
		(void)poll(NULL, 0, 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	pidspace_reap();
	assert_true(partial_is_there());
	assert_int_equal(shelf_find(&salvage, n1, NULL), -ENOENT);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	assert_false(partial_is_there());
	assert_int_equal(salvaged_kept().transactions, 1);
	assert_int_equal(salvaged_entries(file_state(n1, "salvage").text), 1);
}

static void whole_salvage_is_recognised(void **unused)
{
	struct salvage first, second;

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "INSERT INTO t VALUES (3)");
	salvaged_fail_over();
	pair_sql(1, "REVOKE EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) FROM pgvrrp");
	pair_rejoins(n1, &by_hand, OUT_INCOMPLETE, "rewind-failed");
	first = salvaged_kept();
	pair_sql(1, "GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) TO pgvrrp");
	/* Recovery has added a checkpoint, which is nothing to keep. */
	assert_int_equal(rewinding_clear(n1), 0);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	second = salvaged_kept();
	assert_string_equal(first.path.text, second.path.text);
	assert_int_equal(salvaged_entries(file_state(n1, "salvage").text), 1);
}

/* ---- where it cannot be kept ---- */

static void refused_until_it_can_be_kept(void **unused)
{
	const struct pair_options automatic = { .automatic = true };
	char command[4 * CFG_PATH_MAX + 64];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	struct cfg cfg = *n1;
	struct verdict verdict;

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "INSERT INTO t VALUES (3)");
	salvaged_fail_over();
	/* pg_waldump is missing, and only that: the other programs are there by links */
	(void)snprintf(cfg.bin_dir, sizeof(cfg.bin_dir), "%s/bin", pair_servers.dir);
	(void)snprintf(command, sizeof(command), "mkdir %s && ln -s %s/* %s && rm %s/pg_waldump",
		       cfg.bin_dir, n1->bin_dir, cfg.bin_dir, cfg.bin_dir);
	assert_int_equal(pgfixture_run(argv, false, NULL, 0), 0);
	verdict = pair_rejoin(&cfg, &by_hand);
	assert_string_equal(verdict.rule, "salvage-failed");
	assert_int_equal(verdict.outcome, OUT_REFUSED);
	assert_non_null(strstr(verdict.detail, "pg_waldump is not in bin_dir"));
	assert_int_equal(rewinding_read(n1).present, FACT_NO);
	assert_int_equal(salvaged_entries(file_state(n1, "salvage").text), 0);
	pair_stays_down(n1);
	pair_rejoins(&cfg, &automatic, OUT_REFUSED, "rewind-pause");
	/* Where nothing was acknowledged nobody is kept waiting for it. */
	cfg.mode = MODE_SYNC;
	pair_rejoins(&cfg, &by_hand, OUT_YES, "streaming");
	assert_true(pair_history_has(n1, "\"not-salvaged\""));
	assert_int_equal(pair_drop(cfg.bin_dir), 0);
}

static void a_word_goes_on_without(void **unused)
{
	const struct pair_options word = { .without_salvage = true };
	struct cfg cfg = *n1;

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "INSERT INTO t VALUES (3)");
	salvaged_fail_over();
	/* A file is in the place of the directory. */
	assert_int_equal(state_write(file_state(n1, "salvage").text, "", 0600, false), 0);
	pair_rejoins(n1, &by_hand, OUT_REFUSED, "salvage-failed");
	cfg.salvage = SALVAGE_REQUIRE;
	pair_rejoins(&cfg, &by_hand, OUT_REFUSED, "salvage-failed");
	pair_rejoins(&cfg, &word, OUT_YES, "streaming");
	assert_true(pair_history_has(n1, "\"not-salvaged\""));
}

static void nothing_is_kept_where_nobody_wants_it(void **unused)
{
	struct cfg cfg = *n1;

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "INSERT INTO t VALUES (3)");
	salvaged_fail_over();
	cfg.salvage = SALVAGE_NO;
	pair_rejoins(&cfg, &by_hand, OUT_YES, "streaming");
	assert_int_equal(salvaged_entries(file_state(n1, "salvage").text), 0);
	assert_true(pair_history_has(n1, "salvage = no"));
}

static void too_much_wal_leaves_the_report(void **unused)
{
	struct cfg cfg = *n1;
	struct salvage salvage;

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "INSERT INTO t VALUES (3)");
	salvaged_fail_over();
	cfg.salvage_max_bytes = (1 << 20) - 1;
	pair_rejoins(&cfg, &by_hand, OUT_YES, "streaming");
	salvage = salvaged_kept();
	assert_false(salvage.wal_kept);
	assert_int_equal(salvage.transactions, 1);
	assert_int_equal(salvaged_entries(salvaged_path(&salvage, "pg_wal")), 0);
	salvaged_is_json(&salvage);
	assert_non_null(strstr(salvaged_read(&salvage, "report.json"), "\"wal\":null"));
	assert_non_null(strstr(salvaged_read(&salvage, "report.json"),
			       "the WAL was not kept: its files have 1048576 bytes"));
}

static void removed_wal_is_noticed(void **unused)
{
	char command[CFG_PATH_MAX + 96];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	struct verdict verdict;

	(void)unused;
	salvaged_cut_off();
	pair_sql(0, "INSERT INTO t VALUES (3)");
	for (int i = 0; i < 3; i++) {
		pair_sql(0, "SELECT pg_switch_wal()");
		pair_sql(0, "INSERT INTO t VALUES (4)");
	}
	salvaged_fail_over();
	/* the second oldest: what diverged begins in the oldest */
	(void)snprintf(command, sizeof(command),
		       "rm $(ls %s/pg_wal/0000000100* | tail -n 3 | head -n 1)", n1->data_dir);
	assert_int_equal(pgfixture_run(argv, false, NULL, 0), 0);
	verdict = pair_rejoin(n1, &by_hand);
	assert_string_equal(verdict.rule, "salvage-failed");
	pair_stays_down(n1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(killed_salvage_is_made_anew),
		TEST(whole_salvage_is_recognised),
		TEST(refused_until_it_can_be_kept),
		TEST(a_word_goes_on_without),
		TEST(nothing_is_kept_where_nobody_wants_it),
		TEST(too_much_wal_leaves_the_report),
		TEST(removed_wal_is_noticed),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, salvaged_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
