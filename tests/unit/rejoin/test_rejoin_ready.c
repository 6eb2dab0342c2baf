/* SPDX-License-Identifier: PostgreSQL */
/* rejoin on two real servers: what it would lack is known before. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pidspace.h"
#include "rejoin_pair.h"

static struct cfg *const n1 = &pair_servers.cfg[0];
static struct cfg *const n2 = &pair_servers.cfg[1];
static const struct pair_options by_hand = { 0 };
static const struct pair_options check = { .check = true };

/* The rule, and that the detail has these words. */
static void says(const struct cfg *cfg, const struct pair_options *options, const char *rule,
		 const char *words)
{
	struct verdict verdict = pair_rejoin(cfg, options);

	if (strcmp(verdict.rule, rule) != 0 || strstr(verdict.detail, words) == NULL)
		print_error("%s: %s (%s)\n", verdict.rule, verdict.message, verdict.detail);
	assert_string_equal(verdict.rule, rule);
	assert_non_null(strstr(verdict.detail, words));
	assert_true(verdict.outcome != OUT_YES);
}

static const char *in_data(const struct cfg *cfg, const char *name)
{
	static char path[CFG_PATH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s/%s", cfg->data_dir, name);
	return path;
}

static void a_file_that_pg_rewind_cannot_write_is_named_before(void **unused)
{
	int fd;

	(void)unused;
	pair_rejoins(n1, &check, OUT_YES, "ready");
	fd = open(in_data(n1, "server.key"), O_WRONLY | O_CREAT, 0640);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	says(n1, &check, "ready-files", "server.key");
	assert_int_equal(unlink(in_data(n1, "server.key")), 0);
	assert_int_equal(symlink("/etc/hostname", in_data(n1, "server.crt")), 0);
	says(n1, &check, "ready-links", "server.crt");
	assert_int_equal(unlink(in_data(n1, "server.crt")), 0);
}

/* The finding is right: pg_rewind does this with them. */
static void pg_rewind_does_fail_on_what_is_named(void **unused)
{
	(void)unused;
	for (size_t node = 0; node < CFG_NODES; node++) {
		int fd =
		    open(in_data(&pair_servers.cfg[node], "server.key"), O_WRONLY | O_CREAT, 0644);

		assert_true(fd >= 0);
		assert_int_equal(fchmod(fd, 0644), 0);
		assert_int_equal(close(fd), 0);
	}
	pair_crash(0);
	pair_promote(1);
	pair_sql(1, "INSERT INTO t VALUES (2)");
	says(n1, &by_hand, "rewind-failed", "server.key");
	assert_int_equal(unlink(in_data(n1, "server.key")), 0);
	assert_int_equal(symlink("/etc/hostname", in_data(n1, "server.key")), 0);
	says(n1, &by_hand, "rewind-failed", "server.key");
	assert_int_equal(unlink(in_data(n1, "server.key")), 0);
	pair_rejoins(n1, &by_hand, OUT_YES, "streaming");
}

static void settings_that_the_other_node_has_higher_are_named(void **unused)
{
	(void)unused;
	assert_int_equal(pair_stop(1), 0);
	assert_int_equal(pair_stop(0), 0);
	assert_int_equal(pgfixture_configure(&pair_servers, 1, "max_connections = 150\n"), 0);
	assert_int_equal(unlink(n1->log_file) < 0 && errno != ENOENT, 0);
	assert_int_equal(unlink(n2->log_file) < 0 && errno != ENOENT, 0);
	assert_int_equal(pgfixture_start(&pair_servers, 0, true), 0);
	assert_int_equal(pgfixture_start(&pair_servers, 1, true), 0);
	says(n1, &check, "ready-settings", "max_connections");
	pair_rejoins(n2, &check, OUT_YES, "ready");
}

static void a_directory_library_or_certificate_that_is_missing_here_is_named(void **unused)
{
	char where[96], sql[160];
	struct stat owner;

	(void)unused;
	assert_int_equal(stat(n1->data_dir, &owner), 0);
	pair_sql(0, "CREATE FUNCTION gone() RETURNS int LANGUAGE c AS '$libdir/utf8_and_win',"
		    " 'utf8_to_win'");
	pair_sql(0, "UPDATE pg_proc SET probin = '$libdir/gone' WHERE proname = 'gone'");
	says(n1, &check, "ready-library", "gone.so");
	pair_sql(0, "DROP FUNCTION gone()");
	pair_caught_up(0, 1);
	pair_rejoins(n2, &check, OUT_YES, "ready");
	/* The standby has ended then: its own verdict is the one above. */
	(void)snprintf(where, sizeof(where), "%s/elsewhere", pair_servers.dir);
	assert_int_equal(mkdir(where, 0700), 0);
	assert_int_equal(chown(where, owner.st_uid, owner.st_gid), 0);
	pair_crash(1);
	(void)snprintf(sql, sizeof(sql), "CREATE TABLESPACE elsewhere LOCATION '%s'", where);
	pair_sql(0, sql);
	assert_int_equal(rename(where, in_data(n1, "../away2")), 0);
	says(n2, &check, "ready-tablespace", where);
}

static void restore_command_set(size_t node, const char *command)
{
	char sql[160];

	(void)snprintf(sql, sizeof(sql), "ALTER SYSTEM SET restore_command = '%s'", command);
	pair_sql(node, sql);
	pair_sql(node, "SELECT pg_reload_conf()");
	assert_int_equal(pgfixture_until(&pair_servers, node, "SHOW restore_command", command), 0);
}

/* Nothing runs it before the primary is gone. */
static void a_restore_command_that_hangs_is_named_while_the_standby_streams(void **unused)
{
	(void)unused;
	restore_command_set(1, "sleep 60");
	says(n2, &check, "ready-restore", "");
	restore_command_set(1, "false");
	pair_rejoins(n2, &check, OUT_YES, "ready");
	restore_command_set(1, "");
	/* A primary runs none. */
	restore_command_set(0, "sleep 60");
	pair_rejoins(n1, &check, OUT_YES, "ready");
	restore_command_set(0, "");
}

static int with_servers(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(a_file_that_pg_rewind_cannot_write_is_named_before),
		TEST(a_restore_command_that_hangs_is_named_while_the_standby_streams),
		TEST(pg_rewind_does_fail_on_what_is_named),
		TEST(settings_that_the_other_node_has_higher_are_named),
		TEST(a_directory_library_or_certificate_that_is_missing_here_is_named),
	};

	if (pgfixture_network() < 0)
		return 1;
	return cmocka_run_group_tests(tests, pair_make, pair_remove);
}

int main(void)
{
	return pgfixture_possible() ? pidspace_run(with_servers) : 0;
}
