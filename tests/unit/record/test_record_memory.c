/* SPDX-License-Identifier: PostgreSQL */
/* The memory of a node about the record: since when it stands, and only ever forwards. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/state.h"
#include "memoryrows.h"
#include "nodefiles.h"
#include "record/record_trust.h"

/* Another file means another write: the durable one is an fsync. */
static ino_t inode_of(struct file_path path)
{
	struct stat st;

	assert_int_equal(stat(path.text, &st), 0);
	return st.st_ino;
}

/* ---- what it keeps ---- */

static void nothing_was_ever_seen(void **unused)
{
	const struct record_memory memory = record_memory_read(&nodefiles_cfg);

	(void)unused;
	assert_int_equal(memory.known, FACT_NO);
	assert_int_equal(memory.newest.present, FACT_UNKNOWN);
	assert_int_equal(record_memory_still_ms(&memory), 0);
}

static void a_row_reads_back(void **unused)
{
	struct record record = memory_row(4, 7, 100);
	struct record_memory memory, back;

	(void)unused;
	record.accepted_known = true;
	record.accepted_lsn = 0x10;
	memory = memory_noted(&record);
	back = record_memory_read(&nodefiles_cfg);
	assert_int_equal(back.known, FACT_YES);
	assert_int_equal(back.term, 4);
	assert_int_equal(back.version, 7);
	assert_string_equal(back.holder, "n1");
	assert_true(back.first_ms == record.answered_ms);
	assert_true(back.last_ms == record.asked_ms);
	assert_true(record_says_same(&back.newest, &record));
	assert_int_equal(back.newest.version, 7);
	assert_int_equal(record_trust(&record, &back), RECORD_GOOD);
	/* what the caller has is the same */
	assert_true(memory.first_ms == back.first_ms && memory.last_ms == back.last_ms);
	assert_true(memory.term == back.term && memory.version == back.version);
	assert_int_equal(memory.known, FACT_YES);
	assert_string_equal(memory.holder, "n1");
}

static void still_is_from_the_first_answer_to_the_last_question(void **unused)
{
	const struct record first = memory_row(4, 7, 2000);
	const struct record between = memory_row(4, 7, 1500);
	const struct record last = memory_row(4, 7, 500);
	struct record_memory memory = memory_noted(&first);

	(void)unused;
	assert_int_equal(record_memory_still_ms(&memory), 0);
	memory = memory_noted(&last);
	assert_true(record_memory_still_ms(&memory) == last.asked_ms - first.answered_ms);
	/* one that was noted late moves neither end inwards */
	memory = memory_noted(&between);
	assert_true(record_memory_still_ms(&memory) == last.asked_ms - first.answered_ms);
	memory = record_memory_read(&nodefiles_cfg);
	assert_true(record_memory_still_ms(&memory) == last.asked_ms - first.answered_ms);
}

static void a_new_version_begins_anew(void **unused)
{
	struct record record = memory_row(4, 7, 2000);
	struct record_memory memory;

	(void)unused;
	(void)memory_noted(&record);
	record = memory_row(4, 7, 1000);
	memory = memory_noted(&record);
	assert_true(record_memory_still_ms(&memory) > 0);
	record = memory_row(4, 8, 500);
	memory = memory_noted(&record);
	assert_int_equal(record_memory_still_ms(&memory), 0);
	assert_true(memory.first_ms == record.answered_ms);
}

static void only_a_change_is_written_to_disk(void **unused)
{
	struct record record = memory_row(4, 7, 100);
	struct record_memory memory;
	ino_t before;

	(void)unused;
	(void)memory_noted(&record);
	before = inode_of(file_state(&nodefiles_cfg, "record"));
	for (int i = 0; i < 5; i++) {
		record.version++;
		(void)memory_noted(&record);
	}
	assert_true(inode_of(file_state(&nodefiles_cfg, "record")) == before);
	assert_int_equal(record_memory_read(&nodefiles_cfg).version, 7);
	/* nor after a reboot */
	memory_reboot();
	(void)memory_noted(&record);
	assert_true(inode_of(file_state(&nodefiles_cfg, "record")) == before);
	record.version++;
	record.paired = record.sync = false;
	memory = memory_noted(&record);
	assert_int_equal(memory.version, 13);
	assert_int_equal(record_memory_read(&nodefiles_cfg).version, 13);
}

/* ---- never backwards ---- */

/* A file of an earlier release says nothing about it, and learns it from the next look. */
static void the_server_is_remembered_across_reboots(void **unused)
{
	struct record record = memory_row(4, 7, 100);
	struct record_memory memory;

	(void)unused;
	record.origin[0] = '\0';
	(void)memory_noted(&record);
	record = memory_row(4, 8, 50);
	memory = memory_noted(&record);
	assert_string_equal(memory.origin, record.origin);
	memory_reboot();
	memory = record_memory_read(&nodefiles_cfg);
	assert_string_equal(memory.origin, record.origin);
	(void)snprintf(record.origin, sizeof(record.origin), "7/00000002");
	assert_int_equal(record_trust(&record, &memory), RECORD_BACKWARDS);
}

static void an_older_row_changes_no_file(void **unused)
{
	const struct record newer = memory_row(4, 7, 100);
	struct record_memory memory = record_memory_read(&nodefiles_cfg);
	struct record older = memory_row(4, 6, 200);
	char before[STATE_TEXT_MAX], after[STATE_TEXT_MAX];
	struct record_memory back;

	(void)unused;
	(void)memory_noted(&newer);
	memory_saved(before, sizeof(before));
	/* this run had read its memory before the other one noted */
	older.paired = older.sync = false;
	assert_int_equal(record_memory_note(&nodefiles_cfg, &memory, &older), 0);
	memory_saved(after, sizeof(after));
	assert_string_equal(before, after);
	back = record_memory_read(&nodefiles_cfg);
	assert_int_equal(back.newest.version, 7);
	assert_true(back.newest.paired);
	/* and it goes on with what it has seen itself: not "backwards", and no standstill */
	assert_int_equal(record_trust(&older, &memory), RECORD_GOOD);
	assert_int_equal(memory.newest.version, 6);
	assert_int_equal(record_memory_still_ms(&memory), 0);
	/* the next run knows better */
	assert_int_equal(record_trust(&older, &back), RECORD_BACKWARDS);
}

static void an_earlier_term_is_older_whatever_its_version(void **unused)
{
	const struct record newer = memory_row(5, 1, 100);
	const struct record older = memory_row(4, 900, 50);
	struct record_memory memory;

	(void)unused;
	(void)memory_noted(&older);
	memory = memory_noted(&newer);
	assert_int_equal(memory.term, 5);
	assert_int_equal(memory.version, 1);
	(void)memory_noted(&older);
	memory = record_memory_read(&nodefiles_cfg);
	assert_int_equal(memory.term, 5);
	assert_int_equal(memory.newest.term, 5);
	assert_int_equal(record_trust(&older, &memory), RECORD_BACKWARDS);
	memory_reboot();
	memory = record_memory_read(&nodefiles_cfg);
	assert_int_equal(memory.newest.present, FACT_UNKNOWN);
	assert_int_equal(record_trust(&older, &memory), RECORD_BACKWARDS);
}

static void what_is_never_good_is_not_noted(void **unused)
{
	struct record_memory memory = record_memory_read(&nodefiles_cfg);
	struct record bad;

	(void)unused;
#define REFUSES(change)                                                                       \
	do {                                                                                  \
		bad = memory_row(4, 7, 100);                                                  \
		change;                                                                       \
		assert_int_equal(record_memory_note(&nodefiles_cfg, &memory, &bad), -EINVAL); \
	} while (0)
	REFUSES(bad.present = FACT_NO);
	REFUSES(bad.present = FACT_UNKNOWN);
	REFUSES(bad.schema = 2);
	REFUSES(bad.same_system = false);
	REFUSES(bad.node_known = false);
	REFUSES(bad.sealed = false);
	REFUSES(bad.asked_ms = 0);
#undef REFUSES
	assert_int_equal(record_memory_read(&nodefiles_cfg).known, FACT_NO);
}

struct writer {
	int64_t first;
	int64_t last; /* that was noted */
	int rc;
};

static void *write_many(void *arg)
{
	struct writer *writer = arg;

	for (int64_t version = writer->first; version <= 400; version += 2) {
		const struct record record = memory_row(4, version, 100);
		struct record_memory memory = record_memory_read(&nodefiles_cfg);
		int rc = record_memory_note(&nodefiles_cfg, &memory, &record);

		/* The other one kept the lock: nothing was written. */
		if (rc == -ETIMEDOUT)
			continue;
		if (rc < 0 || record_memory_read(&nodefiles_cfg).newest.version < version)
			writer->rc = rc < 0 ? rc : -ERANGE;
		writer->last = version;
	}
	return NULL;
}

static void two_at_once_never_make_it_older(void **unused)
{
	struct writer writers[2] = { { .first = 1 }, { .first = 2 } };
	pthread_t threads[2];
	int64_t newest;

	(void)unused;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(writers[i].rc, 0);
	}
	newest = record_memory_read(&nodefiles_cfg).newest.version;
	assert_true(newest > 10);
	assert_true(newest ==
		    (writers[0].last > writers[1].last ? writers[0].last : writers[1].last));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nodefiles_set_up, nodefiles_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nothing_was_ever_seen),
		TEST(a_row_reads_back),
		TEST(still_is_from_the_first_answer_to_the_last_question),
		TEST(a_new_version_begins_anew),
		TEST(only_a_change_is_written_to_disk),
		TEST(the_server_is_remembered_across_reboots),
		TEST(an_older_row_changes_no_file),
		TEST(an_earlier_term_is_older_whatever_its_version),
		TEST(what_is_never_good_is_not_noted),
		TEST(two_at_once_never_make_it_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
