/* SPDX-License-Identifier: PostgreSQL */
/* Marks that survive reboots: one that cannot be read is one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/outcome.h"
#include "node/mark.h"
#include "node/path.h"
#include "nodefiles.h"

static void fenced_mark_says_who_and_why(void **unused)
{
	struct fenced_mark mark;

	(void)unused;
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_NO);
	assert_int_equal(fenced_write(&nodefiles_cfg, "lease\nended = true", FENCED_BY_GUARD), 0);
	mark = fenced_read(&nodefiles_cfg);
	assert_int_equal(mark.present, FACT_YES);
	assert_string_equal(mark.reason, "lease ended = true");
	assert_int_equal(mark.by, FENCED_BY_GUARD);
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_NO);
}

/* A node's name, or any other word that is not one of ours, stands for nobody in particular. */
static void a_name_is_not_taken_for_who_asked(void **unused)
{
	static const char *const names[] = { "n2", "Guard", "guard ", "unknown", "" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "reason=test\nby=%s\n", names[i]);
		nodefiles_put(file_state(&nodefiles_cfg, "fenced"), text);
		assert_int_equal(fenced_read(&nodefiles_cfg).by, FENCED_BY_UNKNOWN);
	}
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
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

static const char *victim; /* NULL: nobody is there */
static char mark_in_data[CFG_PATH_MAX + 32];

/*
 * In libc's place: behind the rename of the mark its directory is written out, and that is when the
 * server's user puts a link there.
 */
int fsync(int fd)
{
	struct stat st;

	if (victim != NULL && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		assert_int_equal(unlink(mark_in_data), 0);
		assert_int_equal(symlink(victim, mark_in_data), 0);
	}
	return (int)syscall(SYS_fsync, fd);
}

/* Else the server's user would be given any file of root's. */
static void the_owner_of_the_data_directory_gets_the_mark_and_nothing_else(void **unused)
{
	const struct file_path roots = file_run(&nodefiles_cfg, "grant");
	struct stat st;

	(void)unused;
	if (geteuid() != 0)
		skip(); /* only root may give a file away */
	nodefiles_put(roots, "root's\n");
	(void)snprintf(mark_in_data, sizeof(mark_in_data), "%s",
		       file_data(&nodefiles_cfg, "pg_vrrp.fenced").text);
	assert_int_equal(mkdir(nodefiles_cfg.data_dir, 0700), 0);
	assert_int_equal(chown(nodefiles_cfg.data_dir, 65534, 65534), 0);
	assert_int_equal(rmdir(nodefiles_cfg.state_dir), 0);
	victim = roots.text;
	assert_int_equal(fenced_write(&nodefiles_cfg, "test", FENCED_BY_PEER), 0);
	victim = NULL;
	assert_int_equal(stat(roots.text, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(lstat(mark_in_data, &st), 0);
	assert_int_equal(st.st_uid, 65534);

	/* A link cannot be read, but something is there. */
	assert_int_equal(unlink(file_run(&nodefiles_cfg, "fenced").text), 0);
	assert_int_equal(files_prepare(&nodefiles_cfg), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_YES);
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_NO);
	assert_int_equal(rmdir(nodefiles_cfg.data_dir), 0);
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
	assert_int_equal(fenced_write(&nodefiles_cfg, "test", FENCED_BY_PEER), 0);
	mark = fenced_read(&nodefiles_cfg);
	assert_int_equal(mark.present, FACT_YES);
	assert_int_equal(mark.by, FENCED_BY_PEER);
	assert_int_equal(files_prepare(&nodefiles_cfg), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_YES);
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_NO);

	assert_int_equal(rmdir(nodefiles_cfg.state_dir), 0);
	assert_int_equal(rmdir(nodefiles_cfg.run_dir), 0);
	assert_int_equal(fenced_write(&nodefiles_cfg, "test", FENCED_BY_PEER), -ENOENT);
	assert_int_equal(files_prepare(&nodefiles_cfg), 0);
}

/* A person's fence holds until a person lifts it, also on a host whose disk fails. */
static void fenced_outlives_a_reboot_where_the_state_directory_cannot_be_written(void **unused)
{
	struct fenced_mark mark;

	(void)unused;
	assert_int_equal(mkdir(nodefiles_cfg.data_dir, 0700), 0);
	assert_int_equal(rmdir(nodefiles_cfg.state_dir), 0);
	assert_int_equal(fenced_write(&nodefiles_cfg, "maintenance", FENCED_BY_OPERATOR), 0);
	assert_true(fenced_read(&nodefiles_cfg).lasts);
	/* The reboot. */
	assert_int_equal(unlink(file_run(&nodefiles_cfg, "fenced").text), 0);
	assert_int_equal(files_prepare(&nodefiles_cfg), 0);
	mark = fenced_read(&nodefiles_cfg);
	assert_int_equal(mark.present, FACT_YES);
	assert_true(mark.lasts);
	assert_int_equal(mark.by, FENCED_BY_OPERATOR);
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(fenced_read(&nodefiles_cfg).present, FACT_NO);

	/* With no place but run_dir it says that it does not last. */
	assert_int_equal(rmdir(nodefiles_cfg.data_dir), 0);
	assert_int_equal(rmdir(nodefiles_cfg.state_dir), 0);
	assert_int_equal(fenced_write(&nodefiles_cfg, "maintenance", FENCED_BY_OPERATOR), 0);
	mark = fenced_read(&nodefiles_cfg);
	assert_int_equal(mark.present, FACT_YES);
	assert_false(mark.lasts);
	assert_int_equal(files_prepare(&nodefiles_cfg), 0);
}

static void withdrawn_keeps_the_conninfo(void **unused)
{
	static const char *const texts[] = { "", "host=192.0.2.1 password='it''s = secret\\\\'" };
	char conninfo[CFG_TEXT_MAX];
	struct stat status;

	(void)unused;
	assert_int_equal(mkdir(nodefiles_cfg.data_dir, 0700), 0);
	assert_int_equal(withdrawn_read(&nodefiles_cfg, conninfo, sizeof(conninfo)), FACT_NO);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		assert_int_equal(withdrawn_write(&nodefiles_cfg, texts[i]), 0);
		assert_int_equal(withdrawn_read(&nodefiles_cfg, conninfo, sizeof(conninfo)),
				 FACT_YES);
		assert_string_equal(conninfo, texts[i]);
	}
	assert_int_equal(stat(file_state(&nodefiles_cfg, "withdrawn").text, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	/* The server shows it by its own mark, which outlives the loss of the other one. */
	assert_int_equal(stat(file_data(&nodefiles_cfg, WITHDRAWN_DATA).text, &status), 0);
	assert_int_equal(unlink(file_state(&nodefiles_cfg, "withdrawn").text), 0);
	assert_int_equal(withdrawn_read(&nodefiles_cfg, conninfo, sizeof(conninfo)), FACT_YES);
	assert_string_equal(conninfo, "");
	assert_int_equal(withdrawn_clear(&nodefiles_cfg), 0);
	assert_int_equal(stat(file_data(&nodefiles_cfg, WITHDRAWN_DATA).text, &status), -1);
	assert_int_equal(withdrawn_read(&nodefiles_cfg, conninfo, sizeof(conninfo)), FACT_NO);
	assert_int_equal(withdrawn_write(&nodefiles_cfg, texts[0]), 0);
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
		TEST(a_name_is_not_taken_for_who_asked),
		TEST(garbage_in_a_mark_is_a_mark),
		TEST(fenced_holds_where_the_state_directory_cannot_be_written),
		TEST(fenced_outlives_a_reboot_where_the_state_directory_cannot_be_written),
		TEST(the_owner_of_the_data_directory_gets_the_mark_and_nothing_else),
		TEST(mark_in_a_missing_directory_is_unknown),
		TEST(withdrawn_keeps_the_conninfo),
		TEST(rewinding_keeps_source_phase_and_boot),
		TEST(rewinding_is_of_one_directory),
		TEST(baseline_is_for_the_addresses_of_today),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
