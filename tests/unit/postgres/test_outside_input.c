/* SPDX-License-Identifier: PostgreSQL */
/* Findings of the fuzz targets (tests/fuzz), one test for each that needs no false kernel or
 * server. */
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

#include "base/state.h"
#include "nodefiles.h"
#include "postgres/pg_internal.h"
#include "rebuild/rebuild.h"
#include "rebuild/rebuild_names.h"
#include "rewind/rewind.h"

#define SEGMENT "000000030000000000000005"

static struct cfg *const cfg = &nodefiles_cfg;

/* The words about a connection to such a port, which libpq repeats. */
static void told(char *why, size_t size, const char *port, const char *password)
{
	const char *const keywords[] = { "host", "port", "password", NULL };
	const char *const values[] = { "/none", port, password, NULL };
	PGconn *conn = PQconnectStartParams(keywords, values, 0);

	assert_non_null(conn);
	assert_int_equal(PQstatus(conn), CONNECTION_BAD);
	(void)pg_failed_connect(conn, CONNECTION_NEEDED, why, size);
	PQfinish(conn);
}

/* The text was looked for again and again where it had just been replaced. */
static void password_of_stars_does_not_hang(void **unused)
{
	char why[160];

	(void)unused;
	told(why, sizeof(why), "*****", "**");
	assert_non_null(strstr(why, "*****"));
}

/* Cut first, its beginning stood at the end of the line. */
static void password_is_hidden_before_the_line_is_cut(void **unused)
{
	char whole[160], why[160];

	(void)unused;
	told(whole, sizeof(whole), "hunter2hunter2", "hunter2hunter2");
	assert_non_null(strstr(whole, "**************"));
	told(why, (size_t)(strstr(whole, "*") - whole) + 8, "hunter2hunter2", "hunter2hunter2");
	assert_null(strstr(why, "hunter"));
	assert_true(why[strlen(why) - 1] == '*');
}

/* sscanf(3) took "12x" for 12, "-1" for the largest number there is, and so what is too large. */
static void number_without_sign_has_one_spelling(void **unused)
{
	static const char *const wrong[] = {
		"system=12x\n",
		"system=-1\n",
		"system= 12\n",
		"system=+12\n",
		"system=\n",
		"system=18446744073709551616\n",
		"system=99999999999999999999\n",
		"system=0x12\n",
	};
	uint64_t value = 7;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		assert_int_equal(state_get_u64(wrong[i], "system", &value), -EINVAL);
		nodefiles_put(file_state(cfg, "rewinding"), wrong[i]);
		assert_int_equal(rewinding_read(cfg).system_identifier, 0);
	}
	assert_int_equal(value, 7);
	assert_int_equal(state_get_u64("system=18446744073709551615\n", "system", &value), 0);
	assert_true(value == UINT64_MAX);
}

static void make_directory(char *path, size_t size, const char *name)
{
	(void)snprintf(path, size, "%s/%s", cfg->data_dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void drop(const char *directory, const char *name)
{
	char path[2 * CFG_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
}

/* Of a file of more than 4 GB there are none in 4 GB, by which a number was divided. */
static void file_that_is_no_segment_is_not_kept(void **unused)
{
	const struct pgdata_control control = { .timeline = 3, .checkpoint_lsn = 0x5000028 };
	char wal[CFG_PATH_MAX + 16], global[CFG_PATH_MAX + 16], path[2 * CFG_PATH_MAX];

	(void)unused;
	(void)snprintf(cfg->data_dir, sizeof(cfg->data_dir), "%s", cfg->run_dir);
	make_directory(wal, sizeof(wal), "pg_wal");
	make_directory(global, sizeof(global), "global");
	(void)snprintf(path, sizeof(path), "%s/pg_control", global);
	assert_int_equal(state_write(path, "", 0600, false), 0);
	(void)snprintf(path, sizeof(path), "%s/" SEGMENT, wal);
	assert_int_equal(state_write(path, "", 0600, false), 0);
	assert_int_equal(truncate(path, INT64_C(1) << 36), 0);
	assert_int_equal(rewind_keep_wal(cfg, &control), 0);
	assert_int_equal(state_exists(file_state(cfg, "kept.wal/" SEGMENT).text), 0);
	assert_int_equal(rewind_forget_wal(cfg), 0);
	drop(wal, SEGMENT);
	drop(global, "pg_control");
}

/* The names go to rename(2); "DATA.pgv-old-1/../../x" begins as ours do. */
static void mark_of_a_copy_names_nothing_elsewhere(void **unused)
{
	char data[CFG_PATH_MAX], aside[REBUILD_PATH_MAX], text[STATE_TEXT_MAX];

	(void)unused;
	(void)snprintf(data, sizeof(data), "%.200s/data", cfg->run_dir);
	(void)snprintf(cfg->data_dir, sizeof(cfg->data_dir), "%s", data);
	(void)snprintf(text, sizeof(text),
		       "phase=swap\nfresh=%s.pgv-new-1\naside=%s.pgv-old-1/../../x\n", data, data);
	nodefiles_put(file_state(cfg, "rebuilding"), text);
	assert_int_equal(rebuild_swap(cfg, aside, sizeof(aside)), -EINVAL);
	(void)snprintf(text, sizeof(text), "phase=swap\nfresh=%s.pgv-new-\naside=%s.pgv-old-1\n",
		       data, data);
	nodefiles_put(file_state(cfg, "rebuilding"), text);
	assert_int_equal(rebuild_swap(cfg, aside, sizeof(aside)), -EINVAL);
	assert_int_equal(rebuild_swapping(cfg), FACT_NO);
	assert_int_equal(rebuild_mark_clear(cfg), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nodefiles_set_up, nodefiles_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(password_of_stars_does_not_hang),
		TEST(password_is_hidden_before_the_line_is_cut),
		TEST(number_without_sign_has_one_spelling),
		TEST(file_that_is_no_segment_is_not_kept),
		TEST(mark_of_a_copy_names_nothing_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
