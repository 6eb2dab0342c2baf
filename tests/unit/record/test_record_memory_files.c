/* SPDX-License-Identifier: PostgreSQL */
/* The memory of a node about the record, and garbage, other boots, full disks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/lock.h"
#include "base/outcome.h"
#include "base/state.h"
#include "memoryrows.h"
#include "node/boot_file.h"
#include "node/path.h"
#include "nodefiles.h"
#include "record/record_trust.h"

/* ---- what cannot be read is not known ---- */

static void garbage_is_not_known_and_is_not_never(void **unused)
{
	static const char *const changes[][2] = {
		{ "term=4", "term=0" },
		{ "term=4", "term=4x" },
		{ "term=4", "trm=4" },
		{ "version=7", "version=-7" },
		{ "version=7", "version=7\nversion=8" },
		{ "holder=n1", "holder=" },
		{ "paired=1", "paired=2" },
		{ "paired=1", "paired=" },
		{ "released=0", "released=no" },
		{ "lease_ms=5000", "lease_ms=0" },
		{ "final_lsn=FFFFFFFF/60", "final_lsn=60" },
		{ "accepted_lsn=-", "accepted_lsn=" },
		{ "origin=7/00000001\n", "origin=7/00000001" },
		{ "origin=7/", "origin=70000000000000000000000/" },
	};
	const struct record record = memory_row(4, 7, 100);
	char text[STATE_TEXT_MAX];

	(void)unused;
	(void)memory_noted(&record);
	memory_reboot();
	memory_saved(text, sizeof(text));
	for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
		const char *at = strstr(text, changes[i][0]);
		char garbled[2 * STATE_TEXT_MAX];
		struct record_memory memory;

		assert_non_null(at);
		(void)snprintf(garbled, sizeof(garbled), "%.*s%s%s", (int)(at - text), text,
			       changes[i][1], at + strlen(changes[i][0]));
		nodefiles_put(file_state(&nodefiles_cfg, "record"), garbled);
		memory = record_memory_read(&nodefiles_cfg);
		if (memory.known != FACT_UNKNOWN)
			fail_msg("read: %s", changes[i][1]);
		assert_int_equal(record_trust(&record, &memory), RECORD_UNPROVEN);
	}
	nodefiles_put(file_state(&nodefiles_cfg, "record"), "");
	assert_int_equal(record_memory_read(&nodefiles_cfg).known, FACT_UNKNOWN);
	/* it is not older than a good row, so that one takes its place */
	assert_int_equal(memory_noted(&record).known, FACT_YES);
	assert_int_equal(record_memory_read(&nodefiles_cfg).term, 4);
}

static void what_was_seen_in_this_boot_stands_in_for_it(void **unused)
{
	const struct record record = memory_row(4, 7, 100);
	struct record_memory memory;

	(void)unused;
	(void)memory_noted(&record);
	nodefiles_put(file_state(&nodefiles_cfg, "record"), "garbage\n");
	for (int i = 0; i < 2; i++) {
		memory = record_memory_read(&nodefiles_cfg);
		assert_int_equal(memory.known, FACT_YES);
		assert_int_equal(memory.term, 4);
		assert_int_equal(memory.version, 7);
		assert_string_equal(memory.holder, "n1");
		assert_int_equal(record_trust(&record, &memory), RECORD_GOOD);
		(void)unlink(file_state(&nodefiles_cfg, "record").text);
	}
	/* and the next note writes it anew */
	(void)memory_noted(&record);
	memory_reboot();
	assert_int_equal(record_memory_read(&nodefiles_cfg).term, 4);
}

static void a_state_directory_that_is_missing_says_nothing(void **unused)
{
	struct record_memory memory;

	(void)unused;
	assert_int_equal(rmdir(nodefiles_cfg.state_dir), 0);
	memory = record_memory_read(&nodefiles_cfg);
	assert_int_equal(memory.known, FACT_UNKNOWN);
	assert_int_equal(files_prepare(&nodefiles_cfg), 0);
	assert_int_equal(record_memory_read(&nodefiles_cfg).known, FACT_NO);
}

static void of_another_boot_or_garbled_there_is_no_newest(void **unused)
{
	static const struct {
		bool this_boot;
		const char *times;
		enum fact wanted;
	} cases[] = {
		{ true, "first_ms=1\nlast_ms=1\n", FACT_YES },
		{ false, "first_ms=1\nlast_ms=1\n", FACT_UNKNOWN },
		{ true, "first_ms=0\nlast_ms=1\n", FACT_UNKNOWN },
		{ true, "first_ms=1\nlast_ms=0\n", FACT_UNKNOWN },
		{ true, "first_ms=1\n", FACT_UNKNOWN },
		{ true, "first_ms=1\nlast_ms=99999999999999\n", FACT_UNKNOWN },
		{ true, "first_ms=99999999999999\nlast_ms=1\n", FACT_UNKNOWN },
	};
	const struct record record = memory_row(4, 7, 100);
	char lines[512], boot[64];

	(void)unused;
	assert_int_equal(boot_id(boot, sizeof(boot)), 0);
	(void)memory_noted(&record);
	memory_saved(lines, sizeof(lines));
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[1024];

		(void)snprintf(text, sizeof(text), "boot=%s\n%s%s",
			       cases[i].this_boot ? boot : "00000000-0000-0000-0000-000000000000",
			       lines, cases[i].times);
		nodefiles_put(file_run(&nodefiles_cfg, "record"), text);
		if (record_memory_read(&nodefiles_cfg).newest.present != cases[i].wanted)
			fail_msg("case %d", (int)i);
	}
}

/* ---- what cannot be written ---- */

/* A directory in its place: root may write anywhere. */
static void a_file_that_cannot_be_written_is_told_and_tried_again(void **unused)
{
	struct record record = memory_row(4, 7, 300);
	struct record_memory memory = record_memory_read(&nodefiles_cfg);

	(void)unused;
	assert_int_equal(mkdir(file_state(&nodefiles_cfg, "record").text, 0755), 0);
	assert_true(record_memory_note(&nodefiles_cfg, &memory, &record) < 0);
	/* in this boot it is remembered, and so nothing seems to have gone backwards */
	assert_int_equal(memory.newest.version, 7);
	assert_int_equal(record_memory_read(&nodefiles_cfg).newest.version, 7);
	assert_int_equal(rmdir(file_state(&nodefiles_cfg, "record").text), 0);
	record = memory_row(4, 8, 200);
	(void)memory_noted(&record);
	memory_reboot();
	memory = record_memory_read(&nodefiles_cfg);
	assert_int_equal(memory.known, FACT_YES);
	assert_int_equal(memory.version, 8);

	assert_int_equal(mkdir(file_run(&nodefiles_cfg, "record").text, 0755), 0);
	record = memory_row(4, 9, 100);
	record.paused = true;
	assert_true(record_memory_note(&nodefiles_cfg, &memory, &record) < 0);
	/* the durable half is there all the same */
	assert_int_equal(record_memory_read(&nodefiles_cfg).version, 9);
}

static void a_lock_that_is_kept_is_not_waited_for_long(void **unused)
{
	const struct deadline dl = deadline_in_ms(1000);
	const struct record record = memory_row(4, 7, 100);
	struct record_memory memory = record_memory_read(&nodefiles_cfg);
	const int64_t begun = now_ms();
	int AUTO_FD lock = -1;

	(void)unused;
	assert_int_equal(lock_take(&lock, file_lock(&nodefiles_cfg, LOCK_MEMORY).text, &dl), 0);
	assert_int_equal(record_memory_note(&nodefiles_cfg, &memory, &record), -ETIMEDOUT);
	assert_in_range(now_ms() - begun, 90, 5000);
	assert_int_equal(memory.newest.version, 7);
	assert_int_equal(record_memory_read(&nodefiles_cfg).newest.present, FACT_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nodefiles_set_up, nodefiles_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(garbage_is_not_known_and_is_not_never),
		TEST(what_was_seen_in_this_boot_stands_in_for_it),
		TEST(a_state_directory_that_is_missing_says_nothing),
		TEST(of_another_boot_or_garbled_there_is_no_newest),
		TEST(a_file_that_cannot_be_written_is_told_and_tried_again),
		TEST(a_lock_that_is_kept_is_not_waited_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
