/* SPDX-License-Identifier: PostgreSQL */
/* What a node keeps about itself: garbage, absence and another boot are never a permission. */
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

#include "deadline.h"
#include "files.h"
#include "lock.h"
#include "state.h"

static struct cfg cfg;

static int set_up(void **unused)
{
	char directory[] = "/tmp/test_files.XXXXXX";

	(void)unused;
	if (mkdtemp(directory) == NULL)
		return -1;
	cfg = (struct cfg){ .lease_ms = 5000,
			    .witness_address = "192.0.2.9",
			    .nodes = { { .name = "n1", .address = "192.0.2.1" },
				       { .name = "n2", .address = "192.0.2.2" } } };
	(void)snprintf(cfg.run_dir, sizeof(cfg.run_dir), "%s/run", directory);
	(void)snprintf(cfg.state_dir, sizeof(cfg.state_dir), "%s/state", directory);
	return files_prepare(&cfg);
}

static void remove_below(const char *directory)
{
	static const char *const names[] = {
		"serving",     "election",     "lease",     "grant",     "vote",
		"contact",     "serving.lock", "attempt.x", "fenced",    "withdrawn",
		"baseline.n2", "history",      "history.1", "rewinding",
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char path[CFG_PATH_MAX + 32];

		(void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		if (unlink(path) < 0)
			(void)rmdir(path);
	}
	(void)rmdir(directory);
}

static int tear_down(void **unused)
{
	(void)unused;
	remove_below(cfg.run_dir);
	remove_below(cfg.state_dir);
	cfg.run_dir[strlen(cfg.run_dir) - strlen("/run")] = '\0';
	return rmdir(cfg.run_dir);
}

static void put(struct file_path path, const char *text)
{
	assert_int_equal(state_write(path.text, text, 0644, false), 0);
}

static int serving(void)
{
	int value = -1;
	int rc = track_read(&cfg, "serving", &value);

	return rc < 0 ? rc : value;
}

/* ---- paths ---- */

static void too_long_a_path_is_not_an_absent_file(void **unused)
{
	struct fenced_mark mark;

	(void)unused;
	memset(cfg.state_dir, 'x', sizeof(cfg.state_dir) - 1);
	cfg.state_dir[0] = '/';
	cfg.state_dir[sizeof(cfg.state_dir) - 1] = '\0';
	mark = fenced_read(&cfg);
	assert_int_equal(mark.present, FACT_UNKNOWN);
	assert_int_equal(
	    state_exists(file_state(&cfg, "a-name-of-more-than-the-32-bytes-left").text), -ENOTDIR);
	(void)snprintf(cfg.state_dir, sizeof(cfg.state_dir), "%.*s/state",
		       (int)(strlen(cfg.run_dir) - 4), cfg.run_dir);
}

static void boot_id_is_one_and_stays(void **unused)
{
	char first[40], second[40], small[36];

	(void)unused;
	assert_int_equal(boot_id(first, sizeof(first)), 0);
	assert_int_equal(boot_id(second, sizeof(second)), 0);
	assert_string_equal(first, second);
	assert_int_equal(strlen(first), 36);
	assert_int_equal(boot_id(small, sizeof(small)), -EFBIG);
}

/* ---- track files ---- */

static void track_file_reads_back(void **unused)
{
	static const int values[] = { 0, 1, 50, 149 };
	int value;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
		assert_int_equal(track_write(&cfg, "election", values[i]), 0);
		assert_int_equal(track_read(&cfg, "election", &value), 0);
		assert_int_equal(value, values[i]);
	}
}

static void track_file_garbage_is_not_zero(void **unused)
{
	static const char *const garbage[] = { "",
					       "\n",
					       "0",
					       "0 \n",
					       " 0\n",
					       "-1\n",
					       "+0\n",
					       "0x0\n",
					       "0\n0\n",
					       "zero\n",
					       "00000\n",
					       "0.0\n",
					       "000000000000000000000000000\n" };
	int value;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(garbage); i++) {
		put(file_run(&cfg, "serving"), garbage[i]);
		assert_int_equal(track_read(&cfg, "serving", &value), -EINVAL);
		assert_int_equal(value, -1);
	}
	assert_int_equal(unlink(file_run(&cfg, "serving").text), 0);
	assert_int_equal(track_read(&cfg, "serving", &value), -ENOENT);
	assert_int_equal(value, -1);
}

/* ---- serving ---- */

static void serves_while_lease_or_grant_runs(void **unused)
{
	static const char *const rights[] = { "lease", "grant" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(rights); i++) {
		assert_int_equal(stamp_write(&cfg, rights[i], now_ms() + 4000, "vote"), 0);
		assert_int_equal(serving_begin(&cfg), 0);
		assert_int_equal(serving(), TRACK_YES);
		assert_int_equal(serving_begin(&cfg), 0);
		assert_int_equal(serving(), TRACK_YES);
		assert_int_equal(serving_end(&cfg), 0);
		assert_int_equal(serving(), TRACK_NO);
		assert_int_equal(unlink(file_run(&cfg, rights[i]).text), 0);
	}
}

/* Every way in which the right may be missing, also when it served a moment ago. */
static void never_serves_without_a_right(void **unused)
{
	(void)unused;
	assert_int_equal(track_write(&cfg, "serving", TRACK_YES), 0);
	assert_int_equal(serving_begin(&cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);

	assert_int_equal(stamp_write(&cfg, "lease", now_ms() - 1, "vote"), 0);
	assert_int_equal(track_write(&cfg, "serving", TRACK_YES), 0);
	assert_int_equal(serving_begin(&cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);

	put(file_run(&cfg, "lease"), "boot=another\nat_ms=99999999999999\nword=vote\n");
	assert_int_equal(serving_begin(&cfg), -EACCES);
	put(file_run(&cfg, "grant"), "at_ms=99999999999999\n");
	assert_int_equal(serving_begin(&cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);
	/* A vote or a contact is no right by itself. */
	assert_int_equal(stamp_write(&cfg, "vote", now_ms(), "n2"), 0);
	assert_int_equal(serving_begin(&cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);
}

static void never_serves_when_fenced_or_not_known(void **unused)
{
	char renamed[CFG_PATH_MAX + 8];

	(void)unused;
	assert_int_equal(stamp_write(&cfg, "lease", now_ms() + 4000, "vote"), 0);
	assert_int_equal(fenced_write(&cfg, "test", "operator"), 0);
	assert_int_equal(serving_begin(&cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);
	assert_int_equal(fenced_clear(&cfg), 0);
	assert_int_equal(serving_begin(&cfg), 0);
	/* The state directory vanishes: nobody knows whether we are fenced. */
	(void)snprintf(renamed, sizeof(renamed), "%s.away", cfg.state_dir);
	assert_int_equal(rename(cfg.state_dir, renamed), 0);
	assert_int_equal(serving_begin(&cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);
	assert_int_equal(rename(renamed, cfg.state_dir), 0);
}

static void ends_serving_though_the_lock_is_held(void **unused)
{
	struct deadline dl = deadline_in_ms(1000);
	int AUTO_FD lock = -1;
	int64_t began;

	(void)unused;
	assert_int_equal(track_write(&cfg, "serving", TRACK_YES), 0);
	assert_int_equal(stamp_write(&cfg, "lease", now_ms() + 4000, "vote"), 0);
	assert_int_equal(lock_take(&lock, file_run(&cfg, "serving.lock").text, &dl), 0);
	began = now_ms();
	assert_int_equal(serving_end(&cfg), 0);
	assert_in_range(now_ms() - began, 90, 400);
	assert_int_equal(serving(), TRACK_NO);
	assert_int_equal(serving_begin(&cfg), -ETIMEDOUT);
	assert_int_equal(serving(), TRACK_NO);
}

/* ---- marks ---- */

static void fenced_mark_says_who_and_why(void **unused)
{
	struct fenced_mark mark;

	(void)unused;
	assert_int_equal(fenced_read(&cfg).present, FACT_NO);
	assert_int_equal(fenced_write(&cfg, "lease\nended = true", "guard"), 0);
	mark = fenced_read(&cfg);
	assert_int_equal(mark.present, FACT_YES);
	assert_string_equal(mark.reason, "lease ended = true");
	assert_string_equal(mark.by, "guard");
	assert_int_equal(fenced_clear(&cfg), 0);
	assert_int_equal(fenced_clear(&cfg), 0);
	assert_int_equal(fenced_read(&cfg).present, FACT_NO);
}

static void garbage_in_a_mark_is_a_mark(void **unused)
{
	char conninfo[CFG_TEXT_MAX];

	(void)unused;
	put(file_state(&cfg, "fenced"), "");
	assert_int_equal(fenced_read(&cfg).present, FACT_YES);
	put(file_state(&cfg, "fenced"), "no equals sign\n");
	assert_int_equal(fenced_read(&cfg).present, FACT_YES);
	assert_int_equal(fenced_clear(&cfg), 0);
	assert_int_equal(mkdir(file_state(&cfg, "fenced").text, 0700), 0);
	assert_int_not_equal(fenced_read(&cfg).present, FACT_NO);
	assert_int_equal(rmdir(file_state(&cfg, "fenced").text), 0);

	put(file_state(&cfg, "withdrawn"), "garbage\n");
	assert_int_equal(withdrawn_read(&cfg, conninfo, sizeof(conninfo)), FACT_YES);
	assert_string_equal(conninfo, "");
	put(file_state(&cfg, "rewinding"), "system=x\n");
	assert_int_equal(rewinding_read(&cfg).present, FACT_YES);
	assert_false(rewinding_read(&cfg).done || rewinding_read(&cfg).this_boot);
	assert_int_equal(rewinding_read(&cfg).system_identifier, 0);
}

static void mark_in_a_missing_directory_is_unknown(void **unused)
{
	char conninfo[CFG_TEXT_MAX];

	(void)unused;
	assert_int_equal(rmdir(cfg.state_dir), 0);
	assert_int_equal(fenced_read(&cfg).present, FACT_UNKNOWN);
	assert_int_equal(withdrawn_read(&cfg, conninfo, sizeof(conninfo)), FACT_UNKNOWN);
	assert_int_equal(rewinding_read(&cfg).present, FACT_UNKNOWN);
	assert_int_equal(files_prepare(&cfg), 0);
}

static void withdrawn_keeps_the_conninfo(void **unused)
{
	static const char *const texts[] = { "", "host=192.0.2.1 password='it''s = secret\\\\'" };
	char conninfo[CFG_TEXT_MAX];
	struct stat status;

	(void)unused;
	assert_int_equal(withdrawn_read(&cfg, conninfo, sizeof(conninfo)), FACT_NO);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		assert_int_equal(withdrawn_write(&cfg, texts[i]), 0);
		assert_int_equal(withdrawn_read(&cfg, conninfo, sizeof(conninfo)), FACT_YES);
		assert_string_equal(conninfo, texts[i]);
	}
	assert_int_equal(stat(file_state(&cfg, "withdrawn").text, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(withdrawn_write(&cfg, "host=a\nhost=b"), -EINVAL);
	assert_int_equal(withdrawn_clear(&cfg), 0);
	assert_int_equal(withdrawn_read(&cfg, conninfo, sizeof(conninfo)), FACT_NO);
}

static void rewinding_keeps_source_phase_and_boot(void **unused)
{
	const uint64_t source = UINT64_C(17999999999999999999);
	struct rewinding_mark mark;

	(void)unused;
	assert_int_equal(rewinding_read(&cfg).present, FACT_NO);
	for (int done = 0; done < 2; done++) {
		assert_int_equal(rewinding_write(&cfg, source, done), 0);
		mark = rewinding_read(&cfg);
		assert_int_equal(mark.present, FACT_YES);
		assert_true(mark.system_identifier == source);
		assert_int_equal(mark.done, done);
		assert_true(mark.this_boot);
	}
	put(file_state(&cfg, "rewinding"), "system=7\nphase=begun\nboot=another\n");
	assert_int_equal(rewinding_read(&cfg).present, FACT_YES);
	assert_false(rewinding_read(&cfg).this_boot);
	assert_int_equal(rewinding_clear(&cfg), 0);
	assert_int_equal(rewinding_read(&cfg).present, FACT_NO);
}

/* After a base backup into the place of a half-rewound directory the mark means nothing. */
static void rewinding_is_of_one_directory(void **unused)
{
	struct file_path control = file_run(&cfg, "global/pg_control");

	(void)unused;
	(void)snprintf(cfg.data_dir, sizeof(cfg.data_dir), "%s", cfg.run_dir);
	assert_int_equal(mkdir(file_run(&cfg, "global").text, 0700), 0);
	put(control, "old");
	assert_int_equal(rewinding_write(&cfg, 7, false), 0);
	assert_int_equal(rewinding_read(&cfg).present, FACT_YES);
	put(control, "new"); /* by rename: another file */
	assert_int_equal(rewinding_read(&cfg).present, FACT_NO);
	assert_int_equal(unlink(control.text), 0);
	assert_int_equal(rewinding_read(&cfg).present, FACT_YES);
	assert_int_equal(rmdir(file_run(&cfg, "global").text), 0);
}

static void baseline_is_for_the_addresses_of_today(void **unused)
{
	(void)unused;
	assert_int_equal(baseline_read(&cfg, "n2"), FACT_NO);
	assert_int_equal(baseline_write(&cfg, "n3"), -EINVAL);
	assert_int_equal(baseline_write(&cfg, "n2"), 0);
	assert_int_equal(baseline_read(&cfg, "n2"), FACT_YES);
	assert_int_equal(baseline_read(&cfg, "n1"), FACT_NO);
	assert_int_equal(baseline_read(&cfg, "n3"), FACT_NO);
	(void)snprintf(cfg.witness_address, sizeof(cfg.witness_address), "192.0.2.8");
	assert_int_equal(baseline_read(&cfg, "n2"), FACT_NO);
	put(file_state(&cfg, "baseline.n2"), "garbage\n");
	assert_int_equal(baseline_read(&cfg, "n2"), FACT_UNKNOWN);
}

/* ---- times ---- */

static void stamp_reads_back(void **unused)
{
	int64_t at, now = now_ms();
	char word[32];

	(void)unused;
	assert_int_equal(stamp_write(&cfg, "vote", now, "n2\nat_ms=1"), 0);
	assert_int_equal(stamp_read(&cfg, "vote", &at, word, sizeof(word)), 0);
	assert_true(at == now);
	assert_string_equal(word, "n2 at_ms=1");
	assert_int_equal(stamp_read(&cfg, "vote", &at, NULL, 0), 0);
	assert_true(at == now);
}

static void stamp_of_another_boot_or_garbage_is_none(void **unused)
{
	char boot[40], text[128];
	int64_t at = 1;

	(void)unused;
	assert_int_equal(boot_id(boot, sizeof(boot)), 0);
	assert_int_equal(stamp_read(&cfg, "lease", &at, NULL, 0), -ENOENT);
	assert_true(at == 0);
	put(file_run(&cfg, "lease"),
	    "boot=00000000-0000-0000-0000-000000000000\nat_ms=1\nword=vote\n");
	assert_int_equal(stamp_read(&cfg, "lease", &at, NULL, 0), -ENOENT);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=12x\nword=vote\n", boot);
	put(file_run(&cfg, "lease"), text);
	assert_int_equal(stamp_read(&cfg, "lease", &at, NULL, 0), -EINVAL);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=0\nword=vote\n", boot);
	put(file_run(&cfg, "lease"), text);
	assert_int_equal(stamp_read(&cfg, "lease", &at, NULL, 0), -EINVAL);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=5\nat_ms=6\nword=vote\n", boot);
	put(file_run(&cfg, "lease"), text);
	assert_int_equal(stamp_read(&cfg, "lease", &at, NULL, 0), -EINVAL);
	put(file_run(&cfg, "lease"), "");
	assert_int_equal(stamp_read(&cfg, "lease", &at, NULL, 0), -EINVAL);
	assert_true(at == 0);
}

static void no_right_is_longer_than_a_lease(void **unused)
{
	int64_t at;

	(void)unused;
	assert_int_equal(stamp_write(&cfg, "lease", now_ms() + cfg.lease_ms + 1000, "vote"), 0);
	assert_int_equal(stamp_read(&cfg, "lease", &at, NULL, 0), -ERANGE);
	assert_true(at == 0);
	assert_int_equal(serving_begin(&cfg), -EACCES);
}

static void contact_reads_back(void **unused)
{
	struct contact contact = { .seen_ms = now_ms(),
				   .streaming_ms = now_ms() - 1,
				   .primary_lsn = UINT64_C(0x16B374D848),
				   .received_lsn = 7,
				   .timeline = UINT32_MAX };
	struct contact back;

	(void)unused;
	assert_false(contact_read(&cfg).known);
	assert_int_equal(contact_write(&cfg, &contact), 0);
	back = contact_read(&cfg);
	assert_true(back.known);
	contact.known = true;
	assert_memory_equal(&back, &contact, sizeof(back));
}

static void contact_garbage_is_not_known(void **unused)
{
	struct contact contact = { .seen_ms = now_ms() + 60000 };

	(void)unused;
	assert_int_equal(contact_write(&cfg, &contact), 0);
	assert_false(contact_read(&cfg).known);
	contact.seen_ms = -1;
	assert_int_equal(contact_write(&cfg, &contact), 0);
	assert_false(contact_read(&cfg).known);
	put(file_run(&cfg, "contact"), "boot=x\nseen_ms=1\n");
	assert_false(contact_read(&cfg).known);
}

/* ---- attempt and history ---- */

static void attempt_reads_back_as_one_line(void **unused)
{
	struct verdict verdict = { .outcome = OUT_REFUSED,
				   .rule = "witness-unseen",
				   .message = "the witness does not answer",
				   .detail = "no echo\nfrom 192.0.2.9" };
	char text[256];

	(void)unused;
	assert_int_equal(attempt_read(&cfg, "x", text, sizeof(text)), -ENOENT);
	assert_int_equal(attempt_write(&cfg, "x", &verdict), 0);
	assert_int_equal(attempt_read(&cfg, "x", text, sizeof(text)), 0);
	assert_string_equal(text, "refused witness-unseen: the witness does not answer "
				  "(no echo from 192.0.2.9)");
	verdict.detail[0] = '\0';
	assert_int_equal(attempt_write(&cfg, "x", &verdict), 0);
	assert_int_equal(attempt_read(&cfg, "x", text, sizeof(text)), 0);
	assert_string_equal(text, "refused witness-unseen: the witness does not answer");
}

static void history_is_one_json_line_each(void **unused)
{
	char text[STATE_TEXT_MAX];
	char *second;

	(void)unused;
	assert_int_equal(history_add(&cfg, "fenced", "say \"no\\\"\nand\tstop"), 0);
	assert_int_equal(history_add(&cfg, "rejoin", NULL), 0);
	assert_int_equal(state_read(file_state(&cfg, "history").text, text, sizeof(text)), 0);
	second = strchr(text, '\n');
	assert_non_null(second);
	*second++ = '\0';
	assert_non_null(strstr(text, "\"node\":\"n1\",\"event\":\"fenced\",\"detail\":\"say "
				     "\\\"no\\\\\\\"\\u000aand\\u0009stop\"}"));
	assert_non_null(strstr(second, "\"event\":\"rejoin\",\"detail\":\"\"}\n"));
}

static void history_does_not_grow_for_ever(void **unused)
{
	struct file_path path = file_state(&cfg, "history");
	struct stat status;

	(void)unused;
	put(path, "old\n");
	assert_int_equal(truncate(path.text, 2 * 1024 * 1024), 0);
	assert_int_equal(history_add(&cfg, "fenced", ""), 0);
	assert_int_equal(stat(path.text, &status), 0);
	assert_in_range(status.st_size, 20, 1000);
	assert_int_equal(state_exists(file_state(&cfg, "history.1").text), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(too_long_a_path_is_not_an_absent_file),
		TEST(boot_id_is_one_and_stays),
		TEST(track_file_reads_back),
		TEST(track_file_garbage_is_not_zero),
		TEST(serves_while_lease_or_grant_runs),
		TEST(never_serves_without_a_right),
		TEST(never_serves_when_fenced_or_not_known),
		TEST(ends_serving_though_the_lock_is_held),
		TEST(fenced_mark_says_who_and_why),
		TEST(garbage_in_a_mark_is_a_mark),
		TEST(mark_in_a_missing_directory_is_unknown),
		TEST(withdrawn_keeps_the_conninfo),
		TEST(rewinding_keeps_source_phase_and_boot),
		TEST(rewinding_is_of_one_directory),
		TEST(baseline_is_for_the_addresses_of_today),
		TEST(stamp_reads_back),
		TEST(stamp_of_another_boot_or_garbage_is_none),
		TEST(no_right_is_longer_than_a_lease),
		TEST(contact_reads_back),
		TEST(contact_garbage_is_not_known),
		TEST(attempt_reads_back_as_one_line),
		TEST(history_is_one_json_line_each),
		TEST(history_does_not_grow_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
