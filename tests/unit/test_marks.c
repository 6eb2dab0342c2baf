/* SPDX-License-Identifier: PostgreSQL */
/* Marks that survive reboots: one that cannot be read is one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "nodefiles.h"

static void fenced_mark_says_who_and_why(void **unused)
{
	struct fenced_mark mark;

	(void)unused;
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_NO);
	assert_int_equal(fenced_write(&nodefiles_cfg, "lease\nended = true", "guard"), 0);
	mark = fenced_read(&nodefiles_cfg);
	assert_int_equal(mark.present, FACT_YES);
	assert_string_equal(mark.reason, "lease ended = true");
	assert_string_equal(mark.by, "guard");
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_NO);
}

static void garbage_in_a_mark_is_a_mark(void **unused)
{
	char conninfo[CFG_TEXT_MAX];

	(void)unused;
	nodefiles_put(file_state(&nodefiles_cfg, "fenced"), "");
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_YES);
	nodefiles_put(file_state(&nodefiles_cfg, "fenced"), "no equals sign\n");
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_YES);
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(mkdir(file_state(&nodefiles_cfg, "fenced").text, 0700), 0);
	assert_int_not_equal(fenced_read(&nodefiles_cfg).present, FACT_NO);
	assert_int_equal(rmdir(file_state(&nodefiles_cfg, "fenced").text), 0);

	nodefiles_put(file_state(&nodefiles_cfg, "withdrawn"), "garbage\n");
	assert_int_equal(withdrawn_read(&nodefiles_cfg, conninfo, sizeof(conninfo)), FACT_YES);
	assert_string_equal(conninfo, "");
	nodefiles_put(file_state(&nodefiles_cfg, "rewinding"), "system=x\n");
	assert_int_equal(rewinding_read(&nodefiles_cfg).present, FACT_YES);
	assert_false(rewinding_read(&nodefiles_cfg).done ||
		     rewinding_read(&nodefiles_cfg).this_boot);
	assert_int_equal(rewinding_read(&nodefiles_cfg).system_identifier, 0);
}

static void mark_in_a_missing_directory_is_unknown(void **unused)
{
	char conninfo[CFG_TEXT_MAX];

	(void)unused;
	assert_int_equal(rmdir(nodefiles_cfg.state_dir), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_UNKNOWN);
	assert_int_equal(withdrawn_read(&nodefiles_cfg, conninfo, sizeof(conninfo)), FACT_UNKNOWN);
	assert_int_equal(rewinding_read(&nodefiles_cfg).present, FACT_UNKNOWN);
	assert_int_equal(files_prepare(&nodefiles_cfg), 0);
}

/* A read-only file system is what ends many a server; its fence must hold all the same. */
static void fenced_holds_where_the_state_directory_cannot_be_written(void **unused)
{
	struct fenced_mark mark;

	(void)unused;
	assert_int_equal(rmdir(nodefiles_cfg.state_dir), 0);
	assert_int_equal(fenced_write(&nodefiles_cfg, "test", "n2"), 0);
	mark = fenced_read(&nodefiles_cfg);
	assert_int_equal(mark.present, FACT_YES);
	assert_string_equal(mark.by, "n2");
	assert_int_equal(files_prepare(&nodefiles_cfg), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_YES);
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_NO);

	assert_int_equal(rmdir(nodefiles_cfg.state_dir), 0);
	assert_int_equal(rmdir(nodefiles_cfg.run_dir), 0);
	assert_int_equal(fenced_write(&nodefiles_cfg, "test", "n2"), -ENOENT);
	assert_int_equal(files_prepare(&nodefiles_cfg), 0);
}

static void withdrawn_keeps_the_conninfo(void **unused)
{
	static const char *const texts[] = { "", "host=192.0.2.1 password='it''s = secret\\\\'" };
	char conninfo[CFG_TEXT_MAX];
	struct stat status;

	(void)unused;
	assert_int_equal(withdrawn_read(&nodefiles_cfg, conninfo, sizeof(conninfo)), FACT_NO);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		assert_int_equal(withdrawn_write(&nodefiles_cfg, texts[i]), 0);
		assert_int_equal(withdrawn_read(&nodefiles_cfg, conninfo, sizeof(conninfo)),
				 FACT_YES);
		assert_string_equal(conninfo, texts[i]);
	}
	assert_int_equal(stat(file_state(&nodefiles_cfg, "withdrawn").text, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(withdrawn_write(&nodefiles_cfg, "host=a\nhost=b"), -EINVAL);
	assert_int_equal(withdrawn_clear(&nodefiles_cfg), 0);
	assert_int_equal(withdrawn_read(&nodefiles_cfg, conninfo, sizeof(conninfo)), FACT_NO);
}

static void rewinding_keeps_source_phase_and_boot(void **unused)
{
	const uint64_t source = UINT64_C(17999999999999999999);
	struct rewinding_mark mark;

	(void)unused;
	assert_int_equal(rewinding_read(&nodefiles_cfg).present, FACT_NO);
	for (int done = 0; done < 2; done++) {
		assert_int_equal(rewinding_write(&nodefiles_cfg, source, done), 0);
		mark = rewinding_read(&nodefiles_cfg);
		assert_int_equal(mark.present, FACT_YES);
		assert_true(mark.system_identifier == source);
		assert_int_equal(mark.done, done);
		assert_true(mark.this_boot);
	}
	nodefiles_put(file_state(&nodefiles_cfg, "rewinding"),
		      "system=7\nphase=begun\nboot=another\n");
	assert_int_equal(rewinding_read(&nodefiles_cfg).present, FACT_YES);
	assert_false(rewinding_read(&nodefiles_cfg).this_boot);
	assert_int_equal(rewinding_clear(&nodefiles_cfg), 0);
	assert_int_equal(rewinding_read(&nodefiles_cfg).present, FACT_NO);
}

/* After a base backup into the place of a half-rewound directory the mark means nothing. */
static void rewinding_is_of_one_directory(void **unused)
{
	struct file_path control = file_run(&nodefiles_cfg, "global/pg_control");

	(void)unused;
	(void)snprintf(nodefiles_cfg.data_dir, sizeof(nodefiles_cfg.data_dir), "%s",
		       nodefiles_cfg.run_dir);
	assert_int_equal(mkdir(file_run(&nodefiles_cfg, "global").text, 0700), 0);
	nodefiles_put(control, "old");
	assert_int_equal(rewinding_write(&nodefiles_cfg, 7, false), 0);
	assert_int_equal(rewinding_read(&nodefiles_cfg).present, FACT_YES);
	nodefiles_put(control, "new"); /* by rename: another file */
	assert_int_equal(rewinding_read(&nodefiles_cfg).present, FACT_NO);
	assert_int_equal(unlink(control.text), 0);
	assert_int_equal(rewinding_read(&nodefiles_cfg).present, FACT_YES);
	assert_int_equal(rmdir(file_run(&nodefiles_cfg, "global").text), 0);
}

static void baseline_is_for_the_addresses_of_today(void **unused)
{
	(void)unused;
	assert_int_equal(baseline_read(&nodefiles_cfg, "n2"), FACT_NO);
	assert_int_equal(baseline_write(&nodefiles_cfg, "n3"), -EINVAL);
	assert_int_equal(baseline_write(&nodefiles_cfg, "n2"), 0);
	assert_int_equal(baseline_read(&nodefiles_cfg, "n2"), FACT_YES);
	assert_int_equal(baseline_read(&nodefiles_cfg, "n1"), FACT_NO);
	assert_int_equal(baseline_read(&nodefiles_cfg, "n3"), FACT_NO);
	(void)snprintf(nodefiles_cfg.witness_address, sizeof(nodefiles_cfg.witness_address),
		       "192.0.2.8");
	assert_int_equal(baseline_read(&nodefiles_cfg, "n2"), FACT_NO);
	nodefiles_put(file_state(&nodefiles_cfg, "baseline.n2"), "garbage\n");
	assert_int_equal(baseline_read(&nodefiles_cfg, "n2"), FACT_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nodefiles_set_up, nodefiles_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(fenced_mark_says_who_and_why),
		TEST(garbage_in_a_mark_is_a_mark),
		TEST(fenced_holds_where_the_state_directory_cannot_be_written),
		TEST(mark_in_a_missing_directory_is_unknown),
		TEST(withdrawn_keeps_the_conninfo),
		TEST(rewinding_keeps_source_phase_and_boot),
		TEST(rewinding_is_of_one_directory),
		TEST(baseline_is_for_the_addresses_of_today),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
