/* SPDX-License-Identifier: PostgreSQL */
/* rejoin takes a new copy: on two real servers, killed at the worst moments. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/state.h"
#include "node/mark.h"
#include "node/path.h"
#include "pidspace.h"
#include "postgres/pgdata.h"
#include "rebuild/rebuild.h"
#include "rejoin/rejoin_tries.h"
#include "rejoin_pair.h"

static struct cfg *const n1 = &pair_servers.cfg[0];
static struct cfg *const n2 = &pair_servers.cfg[1];
static const struct pair_options by_hand = { 0 };
static const struct pair_options automatic = { .automatic = true };
static const struct pair_options rebuild = { .rebuild = true };

/* How many entries beside the data directory have that in their name; the last one is left
 * in path. */
static int beside(const struct cfg *cfg, const char *what, char *path, size_t size)
{
	char parent[CFG_PATH_MAX];
	struct dirent *entry;
	int count = 0;
	DIR *all;

	(void)snprintf(parent, sizeof(parent), "%.*s",
		       (int)(strrchr(cfg->data_dir, '/') - cfg->data_dir), cfg->data_dir);
	all = opendir(parent);
	assert_non_null(all);
	while ((entry = readdir(all)) != NULL) {
		const char *name = strrchr(cfg->data_dir, '/') + 1;

		if (strncmp(entry->d_name, name, strlen(name)) != 0 ||
		    strstr(entry->d_name, what) == NULL)
			continue;
		count++;
		if (path != NULL)
			(void)snprintf(path, size, "%s/%s", parent, entry->d_name);
	}
	(void)closedir(all);
	return count;
}

static int set_up(void **state)
{
	char path[REBUILD_PATH_MAX];

	while (beside(n1, "pgv-", path, sizeof(path)) > 0)
		if (pair_drop(path) != 0)
			return -1;
	n1->rebuild = REBUILD_BY_HAND;
	n2->rebuild = REBUILD_BY_HAND;
	n1->keep_old = n2->keep_old = KEEP_OLD_NEWEST;
	return pair_set_up(state);
}

/* n1 has commits that n2 never got, n2 is promoted; pg_rewind has nothing to go by. */
static void lose_for_rewind(void)
{
	char program[128];
	const char *const argv[] = { program, "--disable", "-D", n1->data_dir, NULL };
	struct deadline dl = deadline_in_ms(10000);
	struct pgdata_control control;

	(void)snprintf(program, sizeof(program), "%s/pg_checksums", pair_servers.bin_dir);
	assert_int_equal(pair_stop(1), 0);
	assert_int_equal(pair_stop(0), 0);
	assert_int_equal(pgfixture_configure(&pair_servers, 0, "wal_log_hints = off"), 0);
	assert_int_equal(pgfixture_start(&pair_servers, 0, true), 0);
	pair_sql(0, "INSERT INTO t SELECT generate_series(100, 200)");
	assert_int_equal(pair_stop(0), 0);
	/* The fixture's own log is root's. */
	assert_int_equal(unlink(n1->log_file), 0);
	pgdata_control(&control, n1, &dl);
	if (control.checksums)
		assert_int_equal(pgfixture_run(argv, true, NULL, 0), 0);
	pgdata_control(&control, n1, &dl);
	assert_false(control.checksums || control.wal_log_hints);
	assert_int_equal(pgfixture_start(&pair_servers, 1, true), 0);
	pair_promote(1);
	pair_sql(1, "INSERT INTO t VALUES (2)");
	assert_int_equal(fenced_write(n1, "test", FENCED_BY_PEER), 0);
}

static void is_a_copy_with_own_configuration(void)
{
	char name[16];

	assert_int_equal(fenced_read(n1).present, FACT_NO);
	assert_int_equal(beside(n1, "pgv-new", NULL, 0), 0);
	assert_int_equal(state_exists(file_state(n1, "rebuilding").text), 0);
	/* Its configuration is its own. */
	assert_int_equal(pgfixture_sql(&pair_servers, 0, "SHOW cluster_name", name, sizeof(name)),
			 0);
	assert_string_equal(name, "n1");
}

static void is_a_whole_copy(void)
{
	pair_until(0, "SELECT string_agg(n::text, ',' ORDER BY n) FROM t", "1,2");
	is_a_copy_with_own_configuration();
}

static void a_person_says_that_a_new_copy_is_taken(void **unused)
{
	struct pair_options dry = { .rebuild = true, .dry_run = true };
	char old[REBUILD_PATH_MAX], control[REBUILD_PATH_MAX + 32];

	(void)unused;
	lose_for_rewind();
	pair_rejoins(n1, &by_hand, OUT_REFUSED, "cannot-rewind");
	pair_rejoins(n1, &automatic, OUT_REFUSED, "cannot-rewind");
	pair_rejoins(n1, &dry, OUT_YES, "dry-run");
	assert_int_equal(beside(n1, "pgv-", NULL, 0), 0);
	pair_rejoins(n1, &rebuild, OUT_YES, "streaming");
	is_a_whole_copy();
	assert_true(pair_history_has(n1, "rebuilt"));
	assert_true(pair_history_has(n1, "salvaged at"));
	assert_int_equal(beside(n1, "pgv-old", old, sizeof(old)), 1);
	(void)snprintf(control, sizeof(control), "%s/global/pg_control", old);
	assert_int_equal(state_exists(control), 1);
}

static void by_itself_where_the_configuration_says_so(void **unused)
{
	(void)unused;
	lose_for_rewind();
	n1->rebuild = REBUILD_AUTOMATIC;
	n1->keep_old = KEEP_OLD_NONE;
	pair_rejoins(n1, &automatic, OUT_YES, "streaming");
	is_a_whole_copy();
	assert_int_equal(beside(n1, "pgv-old", NULL, 0), 0);
}

/* Killed while pg_basebackup is at work: the next run removes what is half and begins again. */
static void killed_copy_begins_again(void **unused)
{
	struct deadline dl = deadline_in_ms(20000);
	char half[REBUILD_PATH_MAX], version[REBUILD_PATH_MAX + 32] = "";
	pid_t child;

	(void)unused;
	lose_for_rewind();
	child = fork();
	if (child == 0) {
		(void)pair_rejoin(n1, &rebuild);
		_exit(0);
	}
	while (!deadline_passed(&dl) && state_exists(version) != 1) {
		if (beside(n1, "pgv-new", half, sizeof(half)) == 1)
			(void)snprintf(version, sizeof(version), "%s/backup_label", half);
		(void)poll(NULL, 0, 1);
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	pidspace_reap();
	assert_int_equal(beside(n1, "pgv-new", NULL, 0), 1);
	assert_int_equal(beside(n1, "pgv-old", NULL, 0), 0);
	pair_stays_down(n1);
	pair_rejoins(n1, &rebuild, OUT_YES, "streaming");
	is_a_whole_copy();
}

/* Killed between two renames: there is no data directory, and the next run goes on, whoever
 * answers. */
static void killed_between_two_names_goes_on(void **unused)
{
	struct rebuild_place place;

	(void)unused;
	pair_caught_up(0, 1);
	assert_int_equal(pair_stop(0), 0);
	pair_promote(1);
	pair_sql(1, "INSERT INTO t VALUES (2)");
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	pair_until(0, "SELECT count(*) FROM t", "2");
	assert_int_equal(pair_stop(0), 0);
	assert_int_equal(rebuild_place_find(&place, n1), 0);
	assert_int_equal(pair_copy(n1->data_dir, place.aside), 0);
	assert_int_equal(rename(n1->data_dir, place.fresh), 0);
	assert_int_equal(rebuild_mark_write(n1, &place, false), 0);
	assert_int_equal(rebuild_swapping(n1), FACT_NO);
	pair_rejoins(n1, &by_hand, OUT_REFUSED, "directory-missing");
	assert_int_equal(rebuild_mark_write(n1, &place, true), 0);
	assert_int_equal(rebuild_swapping(n1), FACT_YES);
	pair_rejoins(n1, &automatic, OUT_YES, "streaming");
	is_a_whole_copy();
	assert_int_equal(beside(n1, "pgv-old", NULL, 0), 1);
}

static void another_systems_directory_needs_its_name(void **unused)
{
	static const char *const own[] = { "postgresql.conf", "pg_hba.conf", "pg_ident.conf" };
	char program[128], saved[CFG_PATH_MAX + 16], number[24], path[CFG_PATH_MAX + 64];
	const char *const argv[] = { program, "-D", n1->data_dir, "-A", "trust", "-N", NULL };
	struct pair_options wrong = { .rebuild = true, .discard = "1234" };
	struct pair_options right = { .rebuild = true, .discard = number };
	struct deadline dl = deadline_in_ms(10000);
	struct pgdata_control control;

	(void)unused;
	(void)snprintf(program, sizeof(program), "%s/initdb", pair_servers.bin_dir);
	(void)snprintf(saved, sizeof(saved), "%s.saved", n1->data_dir);
	pair_caught_up(0, 1);
	assert_int_equal(pair_stop(0), 0);
	pair_promote(1);
	pair_sql(1, "INSERT INTO t VALUES (2)");
	assert_int_equal(pair_drop(saved), 0);
	assert_int_equal(rename(n1->data_dir, saved), 0);
	assert_int_equal(pgfixture_run(argv, true, NULL, 0), 0);
	/* Its configuration, so that it can be told from the other node's. */
	for (size_t i = 0; i < ARRAY_COUNT(own); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", saved, own[i]);
		assert_int_equal(pair_copy(path, n1->data_dir), 0);
	}
	pgdata_control(&control, n1, &dl);
	(void)snprintf(number, sizeof(number), "%" PRIu64, control.system_identifier);
	pair_rejoins(n1, &rebuild, OUT_REFUSED, "wrong-system");
	pair_rejoins(n1, &wrong, OUT_REFUSED, "wrong-system");
	n1->rebuild = REBUILD_AUTOMATIC;
	pair_rejoins(n1, &automatic, OUT_REFUSED, "wrong-system");
	pair_rejoins(n1, &right, OUT_YES, "streaming");
	is_a_whole_copy();
}

/* Its configuration is the primary's then, and for a person to change. */
static void a_missing_directory_is_made_by_hand(void **unused)
{
	char saved[CFG_PATH_MAX + 16], own[CFG_PATH_MAX + 32];

	(void)unused;
	(void)snprintf(saved, sizeof(saved), "%s.saved", n1->data_dir);
	(void)snprintf(own, sizeof(own), "%s/postgresql.conf", saved);
	assert_int_equal(pair_drop(saved), 0);
	pair_caught_up(0, 1);
	assert_int_equal(pair_stop(0), 0);
	pair_promote(1);
	assert_int_equal(rename(n1->data_dir, saved), 0);
	n1->rebuild = REBUILD_AUTOMATIC;
	pair_rejoins(n1, &automatic, OUT_REFUSED, "directory-missing");
	pair_rejoins(n1, &rebuild, OUT_INCOMPLETE, "start-failed");
	assert_int_equal(pair_copy(own, n1->data_dir), 0);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
	pair_until(0, "SELECT count(*) FROM t", "1");
	/* A copy of a standby that is well is taken all the same, when a person says so. */
	pair_rejoins(n1, &rebuild, OUT_YES, "streaming");
	assert_int_equal(beside(n1, "pgv-", NULL, 0), 1);
	is_a_copy_with_own_configuration();
}

static void wal_that_is_gone_is_found_out(void **unused)
{
	(void)unused;
	assert_int_equal(pair_stop(1), 0);
	pair_sql(0, "ALTER SYSTEM SET wal_keep_size = 0");
	pair_sql(0, "SELECT pg_reload_conf()");
	for (int i = 0; i < 4; i++) {
		pair_sql(0, "INSERT INTO t VALUES (3)");
		pair_sql(0, "SELECT pg_switch_wal()");
		pair_sql(0, "CHECKPOINT");
	}
	pair_rejoins(n2, &by_hand, OUT_REFUSED, "wal-gone");
	n2->rebuild = REBUILD_AUTOMATIC;
	pair_rejoins(n2, &automatic, OUT_YES, "streaming");
	pair_until(1, "SELECT count(*) FROM t", "5");
	/* Not before it streams, and then all but the newest. */
	assert_int_equal(beside(n2, "pgv-old", NULL, 0), 1);
	pair_rejoins(n2, &rebuild, OUT_YES, "streaming");
	assert_int_equal(beside(n2, "pgv-old", NULL, 0), 1);
}

static void what_fails_in_the_same_way_stops(void **unused)
{
	struct cfg quick = *n1;

	(void)unused;
	lose_for_rewind();
	quick.rebuild = REBUILD_AUTOMATIC;
	quick.retry_interval_ms = 50;
	pair_sql(1, "ALTER ROLE pgvrrp NOREPLICATION");
	for (int i = 0; i < REBUILD_TRIES; i++) {
		assert_int_equal(tries_read(&quick, DEED_REBUILD).count, i);
		pair_rejoins(&quick, &automatic, OUT_REFUSED, "rebuild-source");
		assert_int_equal(beside(n1, "pgv-", NULL, 0), 0);
		(void)poll(NULL, 0, 300);
	}
	pair_rejoins(&quick, &automatic, OUT_REFUSED, "rebuild-stopped");
	pair_sql(1, "ALTER ROLE pgvrrp REPLICATION");
	pair_rejoins(&quick, &automatic, OUT_REFUSED, "rebuild-stopped");
	/* A person's try is never held up, and forgets what failed before. */
	pair_rejoins(&quick, &by_hand, OUT_YES, "streaming");
	assert_int_equal(tries_read(&quick, DEED_REBUILD).count, 0);
	is_a_whole_copy();
}

/* Both nodes are one host here, so that each has its tablespace in a directory of its own. */
static void tablespaces_move_with_the_data_directory(void **unused)
{
	char theirs[96], ours[96], sql[256], part[192], oid[24], link[CFG_PATH_MAX + 64];
	char old[REBUILD_PATH_MAX], target[REBUILD_PATH_MAX] = "";
	const char *const make[] = { "/bin/mkdir", "-p", theirs, part, NULL };
	const char *const read_name[] = { "/bin/ls", theirs, NULL };
	char name[64];

	(void)unused;
	(void)snprintf(theirs, sizeof(theirs), "%s/ts2", pair_servers.dir);
	(void)snprintf(ours, sizeof(ours), "%s/ts1", pair_servers.dir);
	(void)snprintf(part, sizeof(part), "%s", ours);
	assert_int_equal(pgfixture_run(make, true, NULL, 0), 0);
	lose_for_rewind();
	(void)snprintf(sql, sizeof(sql), "CREATE TABLESPACE fast LOCATION '%s'", theirs);
	pair_sql(1, sql);
	pair_sql(1, "CREATE TABLE u TABLESPACE fast AS SELECT generate_series(1, 1000) AS n");
	assert_int_equal(pgfixture_run(read_name, false, name, sizeof(name)), 0);
	name[strcspn(name, "\n")] = '\0';
	assert_int_equal(pgfixture_sql(&pair_servers, 1,
				       "SELECT oid FROM pg_tablespace WHERE spcname = 'fast'", oid,
				       sizeof(oid)),
			 0);
	/* Its directory is in use here, by the other node. */
	pair_rejoins(n1, &rebuild, OUT_REFUSED, "rebuild-tablespace");
	(void)snprintf(part, sizeof(part), "%s/%s", ours, name);
	assert_int_equal(pgfixture_run(make, true, NULL, 0), 0);
	(void)snprintf(part, sizeof(part), "%s/%s/old", ours, name);
	assert_int_equal(state_write(part, "old\n", 0600, false), 0);
	(void)snprintf(link, sizeof(link), "%s/pg_tblspc/%s", n1->data_dir, oid);
	assert_int_equal(symlink(ours, link), 0);
	pair_rejoins(n1, &rebuild, OUT_YES, "streaming");
	pair_until(0, "SELECT count(*) FROM u", "1000");
	assert_true(readlink(link, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, ours);
	/* And the old data directory is whole, where it is now. */
	assert_int_equal(beside(n1, "pgv-old", old, sizeof(old)), 1);
	(void)snprintf(link, sizeof(link), "%.200s/pg_tblspc/%s/%s/old", old, oid, name);
	assert_int_equal(state_exists(link), 1);
	/* The next one takes it away. */
	n1->keep_old = KEEP_OLD_NONE;
	pair_rejoins(n1, &rebuild, OUT_YES, "streaming");
	assert_int_equal(beside(n1, "pgv-", NULL, 0), 0);
	pair_until(0, "SELECT count(*) FROM u", "1000");
	(void)snprintf(part, sizeof(part), "%s", ours);
	{
		const char *const list[] = { "/bin/ls", ours, NULL };

		assert_int_equal(pgfixture_run(list, false, target, sizeof(target)), 0);
		target[strcspn(target, "\n")] = '\0';
		assert_string_equal(target, name);
	}
	pair_sql(1, "DROP TABLE u");
	pair_sql(1, "DROP TABLESPACE fast");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, pair_tear_down)

static int with_servers(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_person_says_that_a_new_copy_is_taken),
		TEST(by_itself_where_the_configuration_says_so),
		TEST(killed_copy_begins_again),
		TEST(killed_between_two_names_goes_on),
		TEST(another_systems_directory_needs_its_name),
		TEST(a_missing_directory_is_made_by_hand),
		TEST(wal_that_is_gone_is_found_out),
		TEST(what_fails_in_the_same_way_stops),
		TEST(tablespaces_move_with_the_data_directory),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, pair_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
