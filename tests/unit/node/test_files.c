/* SPDX-License-Identifier: PostgreSQL */
/* Paths, track files, service, attempts and history of a node: garbage and absence are never a
 * permission. */
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
#include "node/attempt.h"
#include "node/boot_file.h"
#include "node/history.h"
#include "node/mark.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "nodefiles.h"

static int serving(void)
{
	int value = -1;
	int rc = track_read(&nodefiles_cfg, TRACK_SERVING, &value);

	return rc < 0 ? rc : value;
}

static void too_long_a_path_is_not_an_absent_file(void **unused)
{
	struct fenced_mark mark;

	(void)unused;
	memset(nodefiles_cfg.state_dir, 'x', sizeof(nodefiles_cfg.state_dir) - 1);
	nodefiles_cfg.state_dir[0] = '/';
	nodefiles_cfg.state_dir[sizeof(nodefiles_cfg.state_dir) - 1] = '\0';
	mark = fenced_read(&nodefiles_cfg);
	assert_int_equal(mark.present, FACT_UNKNOWN);
	assert_int_equal(
	    state_exists(file_state(&nodefiles_cfg, "a-name-of-more-than-the-32-bytes-left").text),
	    -ENOTDIR);
	(void)snprintf(nodefiles_cfg.state_dir, sizeof(nodefiles_cfg.state_dir), "%.*s/state",
		       (int)(strlen(nodefiles_cfg.run_dir) - 4), nodefiles_cfg.run_dir);
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

static void track_file_reads_back(void **unused)
{
	static const int values[] = { 0, 1, 50, 149 };
	int value;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
		assert_int_equal(track_write(&nodefiles_cfg, TRACK_ELECTION, values[i]), 0);
		assert_int_equal(track_read(&nodefiles_cfg, TRACK_ELECTION, &value), 0);
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
		nodefiles_put(file_run(&nodefiles_cfg, "serving"), garbage[i]);
		assert_int_equal(track_read(&nodefiles_cfg, TRACK_SERVING, &value), -EINVAL);
		assert_int_equal(value, -1);
	}
	assert_int_equal(unlink(file_run(&nodefiles_cfg, "serving").text), 0);
	assert_int_equal(track_read(&nodefiles_cfg, TRACK_SERVING, &value), -ENOENT);
	assert_int_equal(value, -1);
}

static void serves_while_lease_or_grant_runs(void **unused)
{
	static const enum stamp rights[] = { STAMP_LEASE, STAMP_GRANT };

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(rights); i++) {
		assert_int_equal(stamp_write(&nodefiles_cfg, rights[i], now_ms() + 4000, "vote"),
				 0);
		assert_int_equal(serving_begin(&nodefiles_cfg), 0);
		assert_int_equal(serving(), TRACK_YES);
		assert_int_equal(serving_begin(&nodefiles_cfg), 0);
		assert_int_equal(serving(), TRACK_YES);
		assert_int_equal(serving_end(&nodefiles_cfg), 0);
		assert_int_equal(serving(), TRACK_NO);
		assert_int_equal(stamp_clear(&nodefiles_cfg, rights[i]), 0);
	}
}

/* Every way in which the right may be missing, also when it served a moment ago. */
static void never_serves_without_a_right(void **unused)
{
	(void)unused;
	assert_int_equal(track_write(&nodefiles_cfg, TRACK_SERVING, TRACK_YES), 0);
	assert_int_equal(serving_begin(&nodefiles_cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);

	assert_int_equal(stamp_write(&nodefiles_cfg, STAMP_LEASE, now_ms() - 1, "vote"), 0);
	assert_int_equal(track_write(&nodefiles_cfg, TRACK_SERVING, TRACK_YES), 0);
	assert_int_equal(serving_begin(&nodefiles_cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);

	nodefiles_put(file_run(&nodefiles_cfg, "lease"),
		      "boot=another\nat_ms=99999999999999\nword=vote\n");
	assert_int_equal(serving_begin(&nodefiles_cfg), -EACCES);
	nodefiles_put(file_run(&nodefiles_cfg, "grant"), "at_ms=99999999999999\n");
	assert_int_equal(serving_begin(&nodefiles_cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);
	/* A vote or a contact is no right by itself. */
	assert_int_equal(stamp_write(&nodefiles_cfg, STAMP_VOTE, now_ms(), "n2"), 0);
	assert_int_equal(serving_begin(&nodefiles_cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);
}

static void never_serves_when_fenced_or_not_known(void **unused)
{
	char renamed[CFG_PATH_MAX + 8];

	(void)unused;
	assert_int_equal(stamp_write(&nodefiles_cfg, STAMP_LEASE, now_ms() + 4000, "vote"), 0);
	assert_int_equal(fenced_write(&nodefiles_cfg, "test", FENCED_BY_OPERATOR), 0);
	assert_int_equal(serving_begin(&nodefiles_cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);
	assert_int_equal(fenced_clear(&nodefiles_cfg), 0);
	assert_int_equal(serving_begin(&nodefiles_cfg), 0);
	/* The state directory vanishes: nobody knows whether we are fenced. */
	(void)snprintf(renamed, sizeof(renamed), "%s.away", nodefiles_cfg.state_dir);
	assert_int_equal(rename(nodefiles_cfg.state_dir, renamed), 0);
	assert_int_equal(serving_begin(&nodefiles_cfg), -EACCES);
	assert_int_equal(serving(), TRACK_NO);
	assert_int_equal(rename(renamed, nodefiles_cfg.state_dir), 0);
}

static void ends_serving_though_the_lock_is_held(void **unused)
{
	struct deadline dl = deadline_in_ms(1000);
	int AUTO_FD lock = -1;
	int64_t began;

	(void)unused;
	assert_int_equal(track_write(&nodefiles_cfg, TRACK_SERVING, TRACK_YES), 0);
	assert_int_equal(stamp_write(&nodefiles_cfg, STAMP_LEASE, now_ms() + 4000, "vote"), 0);
	assert_int_equal(lock_take(&lock, file_lock(&nodefiles_cfg, LOCK_SERVING).text, &dl), 0);
	began = now_ms();
	assert_int_equal(serving_end(&nodefiles_cfg), 0);
	assert_in_range(now_ms() - began, 90, 5000);
	assert_int_equal(serving(), TRACK_NO);
	assert_int_equal(serving_begin(&nodefiles_cfg), -ETIMEDOUT);
	assert_int_equal(serving(), TRACK_NO);
}

static void attempt_reads_back_as_one_line(void **unused)
{
	struct verdict verdict = { .outcome = OUT_REFUSED,
				   .rule = "witness-unseen",
				   .message = "the witness does not answer",
				   .detail = "no echo\nfrom 192.0.2.9" };
	struct attempt_last last;

	(void)unused;
	assert_int_equal(attempt_read(&nodefiles_cfg, ATTEMPT_PROMOTE, &last), -ENOENT);
	assert_int_equal(attempt_write(&nodefiles_cfg, ATTEMPT_PROMOTE, &verdict), 0);
	assert_int_equal(attempt_read(&nodefiles_cfg, ATTEMPT_PROMOTE, &last), 0);
	assert_string_equal(last.text, "refused witness-unseen: the witness does not answer "
				       "(no echo from 192.0.2.9)");
	verdict.detail[0] = '\0';
	assert_int_equal(attempt_write(&nodefiles_cfg, ATTEMPT_PROMOTE, &verdict), 0);
	assert_int_equal(attempt_read(&nodefiles_cfg, ATTEMPT_PROMOTE, &last), 0);
	assert_string_equal(last.text, "refused witness-unseen: the witness does not answer");
}

static void attempt_is_read_back_as_the_answer_it_was(void **unused)
{
	static const struct {
		struct verdict verdict;
		enum fact answer;
	} cases[] = {
		{ YES("ready", "it could", NULL), FACT_YES },
		{ NO("ready-room", "it could not", NULL), FACT_NO },
		{ UNKNOWN("ready-unknown", "who knows", NULL), FACT_UNKNOWN },
		{ REFUSED("no-method", "no method of fencing is configured", NULL), FACT_UNKNOWN },
		{ REFUSED("method-broken", "one is broken", NULL, .id = RULE_METHOD_BROKEN),
		  FACT_NO },
	};
	struct attempt_last last;

	(void)unused;
	assert_int_equal(attempt_said(&nodefiles_cfg, ATTEMPT_PROMOTE), FACT_UNKNOWN);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(attempt_write(&nodefiles_cfg, ATTEMPT_PROMOTE, &cases[i].verdict),
				 0);
		assert_int_equal(attempt_read(&nodefiles_cfg, ATTEMPT_PROMOTE, &last), 0);
		assert_int_equal(last.outcome, cases[i].verdict.outcome);
		assert_int_equal(last.answer, cases[i].answer);
		assert_string_equal(last.rule, cases[i].verdict.rule);
		assert_in_range(last.age_ms, 0, 5000);
		assert_int_equal(attempt_said(&nodefiles_cfg, ATTEMPT_PROMOTE), cases[i].answer);
	}
}

/* A file of an earlier version, or one that was meddled with, is no verdict: it is written anew. */
static void attempt_in_other_words_is_none(void **unused)
{
	static const char *const texts[] = {
		"outcome=yes\nrule=ready\nmessage=m\ndetail=\nboot_ms=1\n",
		"outcome=yes\nanswer=maybe\nrule=ready\nmessage=m\ndetail=\nboot_ms=1\n",
		"outcome=Yes\nanswer=yes\nrule=ready\nmessage=m\ndetail=\nboot_ms=1\n",
		"outcome=yes\nanswer=yes\nmessage=m\ndetail=\nboot_ms=1\n",
	};
	const struct verdict verdict = YES("ready", "m", NULL);
	struct attempt_last last;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		nodefiles_put(file_run(&nodefiles_cfg, "attempt.promote_safe"), texts[i]);
		assert_true(attempt_read(&nodefiles_cfg, ATTEMPT_PROMOTE, &last) < 0);
		assert_int_equal(last.answer, FACT_UNKNOWN);
		assert_int_equal(last.outcome, OUT_UNKNOWN);
		assert_string_equal(last.text, "");
		assert_false(attempt_is_same(&nodefiles_cfg, ATTEMPT_PROMOTE, &verdict));
	}
}

static void attempt_of_long_ago_is_told_again(void **unused)
{
	struct verdict verdict = REFUSED("witness-unseen", "the witness does not answer", NULL);
	char old[256];

	(void)unused;
	assert_false(attempt_repeats(&nodefiles_cfg, ATTEMPT_PROMOTE, &verdict));
	assert_true(attempt_repeats(&nodefiles_cfg, ATTEMPT_PROMOTE, &verdict));
	verdict.rule = "not-master";
	assert_false(attempt_repeats(&nodefiles_cfg, ATTEMPT_PROMOTE, &verdict));
	verdict.rule = "witness-unseen";
	(void)snprintf(old, sizeof(old),
		       "outcome=refused\nanswer=unknown\nrule=witness-unseen\nmessage=\ndetail="
		       "\nboot_ms=%lld\n",
		       (long long)now_ms() - 61000);
	nodefiles_put(file_run(&nodefiles_cfg, "attempt.promote_safe"), old);
	assert_true(attempt_is_same(&nodefiles_cfg, ATTEMPT_PROMOTE, &verdict));
	assert_false(attempt_repeats(&nodefiles_cfg, ATTEMPT_PROMOTE, &verdict));
	nodefiles_put(file_run(&nodefiles_cfg, "attempt.promote_safe"), "garbage\n");
	assert_false(attempt_repeats(&nodefiles_cfg, ATTEMPT_PROMOTE, &verdict));
}

static void history_is_one_json_line_each(void **unused)
{
	char text[STATE_TEXT_MAX];
	char *second;

	(void)unused;
	assert_int_equal(history_add(&nodefiles_cfg, "fenced", "say \"no\\\"\nand\tstop"), 0);
	assert_int_equal(history_add(&nodefiles_cfg, "rejoin", NULL), 0);
	assert_int_equal(state_read(file_state(&nodefiles_cfg, "history").text, text, sizeof(text)),
			 0);
	second = strchr(text, '\n');
	assert_non_null(second);
	*second++ = '\0';
	assert_non_null(strstr(text, "\"node\":\"n1\",\"event\":\"fenced\",\"detail\":\"say "
				     "\\\"no\\\\\\\"\\u000aand\\u0009stop\"}"));
	assert_non_null(strstr(second, "\"event\":\"rejoin\",\"detail\":\"\"}\n"));
}

/* A server with lc_messages = de_DE.ISO-8859-1 writes no UTF-8; its words come as a detail. */
static void history_is_valid_utf8_whatever_a_server_says(void **unused)
{
	char text[STATE_TEXT_MAX];

	(void)unused;
	assert_int_equal(history_add(&nodefiles_cfg, "rejoin",
				     "\xfc"
				     "ber \xc3\xbc"),
			 0);
	assert_int_equal(history_add_salvaged(&nodefiles_cfg, "", "/caf\xe9", 1, 2), 0);
	assert_int_equal(state_read(file_state(&nodefiles_cfg, "history").text, text, sizeof(text)),
			 0);
	assert_non_null(strstr(text, "\"detail\":\"\\ufffdber \xc3\xbc\"}\n"));
	assert_non_null(strstr(text, "\"path\":\"/caf\\ufffd\","));
	assert_null(strpbrk(text, "\xfc\xe9"));
}

/* A server's message in another encoding would make the file one that no reader of JSON takes. */
static void history_is_utf8_and_steers_no_terminal(void **unused)
{
	char text[STATE_TEXT_MAX];

	(void)unused;
	assert_int_equal(history_add(&nodefiles_cfg, "fenced",
				     "caf\xe9 \xc2\x9b"
				     "2J \xc3\xa9 \xe2\x82"),
			 0);
	assert_int_equal(state_read(file_state(&nodefiles_cfg, "history").text, text, sizeof(text)),
			 0);
	assert_non_null(strstr(text, "\"caf\\ufffd \\u009b2J \xc3\xa9 \\ufffd\\ufffd\""));
}

static void history_gives_the_last_event_of_a_name(void **unused)
{
	struct history_event last;

	(void)unused;
	history_last(&nodefiles_cfg, "drill", &last);
	assert_string_equal(last.at, "");
	assert_int_equal(history_add(&nodefiles_cfg, "drill", "the first"), 0);
	assert_int_equal(history_add(&nodefiles_cfg, "drill", "the \"second\""), 0);
	assert_int_equal(history_add(&nodefiles_cfg, "fenced", "\"event\":\"drill\""), 0);
	history_last(&nodefiles_cfg, "drill", &last);
	assert_string_not_equal(last.at, "");
	assert_string_equal(last.detail, "the \"second\"");
	/* The older file counts too, and a line that is none does not. */
	assert_int_equal(rename(file_state(&nodefiles_cfg, "history").text,
				file_state(&nodefiles_cfg, "history.1").text),
			 0);
	nodefiles_put(file_state(&nodefiles_cfg, "history"), "{\"event\":\"drill\"\n");
	history_last(&nodefiles_cfg, "drill", &last);
	assert_string_equal(last.detail, "the \"second\"");
}

static void history_does_not_grow_for_ever(void **unused)
{
	struct file_path path = file_state(&nodefiles_cfg, "history");
	struct stat status;

	(void)unused;
	nodefiles_put(path, "old\n");
	assert_int_equal(truncate(path.text, 2 * 1024 * 1024), 0);
	assert_int_equal(history_add(&nodefiles_cfg, "fenced", ""), 0);
	assert_int_equal(stat(path.text, &status), 0);
	assert_in_range(status.st_size, 20, 1000);
	assert_int_equal(state_exists(file_state(&nodefiles_cfg, "history.1").text), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nodefiles_set_up, nodefiles_tear_down)

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
		TEST(attempt_reads_back_as_one_line),
		TEST(attempt_is_read_back_as_the_answer_it_was),
		TEST(attempt_in_other_words_is_none),
		TEST(attempt_of_long_ago_is_told_again),
		TEST(history_is_one_json_line_each),
		TEST(history_is_valid_utf8_whatever_a_server_says),
		TEST(history_is_utf8_and_steers_no_terminal),
		TEST(history_gives_the_last_event_of_a_name),
		TEST(history_does_not_grow_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
