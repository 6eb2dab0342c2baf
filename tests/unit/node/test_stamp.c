/* SPDX-License-Identifier: PostgreSQL */
/* Times of this boot: an old one, or garbage, is never "just now". */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/state.h"
#include "node/answer.h"
#include "node/boot_file.h"
#include "node/contact.h"
#include "node/path.h"
#include "node/stamp.h"
#include "node/track.h"
#include "node/watchdog_stamp.h"
#include "nodefiles.h"

static void stamp_reads_back(void **unused)
{
	int64_t at, now = now_ms();
	char word[32];

	(void)unused;
	assert_int_equal(stamp_write(&nodefiles_cfg, STAMP_VOTE, now, "n2\nat_ms=1"), 0);
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_VOTE, &at, word, sizeof(word)), 0);
	assert_true(at == now);
	assert_string_equal(word, "n2 at_ms=1");
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_VOTE, &at, NULL, 0), 0);
	assert_true(at == now);
}

static void an_answer_of_another_boot_is_told_from_none(void **unused)
{
	(void)unused;
	assert_int_equal(answer_is_of_this_boot(&nodefiles_cfg), FACT_UNKNOWN);
	nodefiles_put(file_run(&nodefiles_cfg, "answer"),
		      "boot=00000000-0000-0000-0000-000000000000\nat_ms=1\nword=yes primary\n");
	assert_int_equal(answer_is_of_this_boot(&nodefiles_cfg), FACT_NO);
	nodefiles_put(file_run(&nodefiles_cfg, "answer"), "");
	assert_int_equal(answer_is_of_this_boot(&nodefiles_cfg), FACT_UNKNOWN);
	assert_int_equal(answer_write(&nodefiles_cfg, now_ms(), OUT_YES, "primary"), 0);
	assert_int_equal(answer_is_of_this_boot(&nodefiles_cfg), FACT_YES);
	assert_int_equal(stamp_clear(&nodefiles_cfg, STAMP_ANSWER), 0);
}

static void stamp_of_another_boot_or_garbage_is_none(void **unused)
{
	char boot[40], text[128];
	int64_t at = 1;

	(void)unused;
	assert_int_equal(boot_id(boot, sizeof(boot)), 0);
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_LEASE, &at, NULL, 0), -ENOENT);
	assert_true(at == 0);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"),
		      "boot=00000000-0000-0000-0000-000000000000\nat_ms=1\nword=vote\n");
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_LEASE, &at, NULL, 0), -ENOENT);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=12x\nword=vote\n", boot);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"), text);
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_LEASE, &at, NULL, 0), -EINVAL);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=0\nword=vote\n", boot);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"), text);
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_LEASE, &at, NULL, 0), -EINVAL);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=5\nat_ms=6\nword=vote\n", boot);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"), text);
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_LEASE, &at, NULL, 0), -EINVAL);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"), "");
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_LEASE, &at, NULL, 0), -EINVAL);
	assert_true(at == 0);
}

static void no_right_is_longer_than_a_lease(void **unused)
{
	int64_t at;

	(void)unused;
	assert_int_equal(stamp_write(&nodefiles_cfg, STAMP_LEASE,
				     now_ms() + nodefiles_cfg.lease_ms + 1000, "vote"),
			 0);
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_LEASE, &at, NULL, 0), -ERANGE);
	assert_true(at == 0);
	assert_int_equal(serving_begin(&nodefiles_cfg), -EACCES);
}

static void a_stamp_that_is_taken_away_is_gone(void **unused)
{
	int64_t at;

	(void)unused;
	assert_int_equal(stamp_clear(&nodefiles_cfg, STAMP_GRANT), 0); /* there is none */
	assert_int_equal(stamp_write(&nodefiles_cfg, STAMP_GRANT, now_ms() + 1000, "record"), 0);
	assert_true(stamp_runs(&nodefiles_cfg, STAMP_GRANT));
	assert_int_equal(stamp_clear(&nodefiles_cfg, STAMP_GRANT), 0);
	assert_int_equal(stamp_read(&nodefiles_cfg, STAMP_GRANT, &at, NULL, 0), -ENOENT);
	assert_false(stamp_runs(&nodefiles_cfg, STAMP_GRANT));
}

static void contact_reads_back(void **unused)
{
	struct contact contact = { .seen_ms = now_ms(),
				   .streaming_ms = now_ms() - 1,
				   .primary_lsn = UINT64_C(0x16B374D848),
				   .received_lsn = 7,
				   .timeline = UINT32_MAX,
				   .leased_system = UINT64_MAX,
				   .replayed_lsn = 6,
				   .mark_lsn = 8,
				   .mark_ms = now_ms() - 5,
				   .reached_ms = now_ms() - 9 };
	struct contact back;

	(void)unused;
	assert_false(contact_read(&nodefiles_cfg).known);
	assert_int_equal(contact_write(&nodefiles_cfg, &contact), 0);
	back = contact_read(&nodefiles_cfg);
	assert_true(back.known);
	contact.known = true;
	assert_memory_equal(&back, &contact, sizeof(back));
}

/* The data of a standby is as old as the last moment of which it has replayed all. */
static void contact_knows_how_old_the_data_is(void **unused)
{
	struct contact contact = { 0 };

	(void)unused;
	/* 100 bytes were written at 1000; 90 of them are here. */
	contact_note_replay(&contact, 90, 100, 1000);
	assert_int_equal(contact.reached_ms, 0);
	contact_note_replay(&contact, 99, 150, 2000);
	assert_int_equal(contact.reached_ms, 0);
	contact_note_replay(&contact, 140, 200, 3000);
	assert_int_equal(contact.reached_ms, 1000);
	contact_note_replay(&contact, 199, 300, 4000);
	assert_int_equal(contact.reached_ms, 1000);
	contact_note_replay(&contact, 250, 350, 5000);
	assert_int_equal(contact.reached_ms, 3000);
	contact_note_replay(&contact, 400, 400, 6000);
	assert_int_equal(contact.reached_ms, 6000);
}

/* As an earlier version of the helpers left it. */
static void contact_that_does_not_say_leased_is_no_proof(void **unused)
{
	struct contact contact = { .seen_ms = 1, .streaming_ms = 1, .leased_system = 7 };
	char text[STATE_TEXT_MAX], *line;

	(void)unused;
	assert_int_equal(contact_write(&nodefiles_cfg, &contact), 0);
	assert_int_equal(state_read(file_run(&nodefiles_cfg, "contact").text, text, sizeof(text)),
			 0);
	line = strstr(text, "leased_system=");
	assert_non_null(line);
	*line = '\0';
	nodefiles_put(file_run(&nodefiles_cfg, "contact"), text);
	assert_true(contact_read(&nodefiles_cfg).known);
	assert_true(contact_read(&nodefiles_cfg).leased_system == 0);
}

static void contact_garbage_is_not_known(void **unused)
{
	struct contact contact = { .seen_ms = now_ms() + 60000 };

	(void)unused;
	assert_int_equal(contact_write(&nodefiles_cfg, &contact), 0);
	assert_false(contact_read(&nodefiles_cfg).known);
	contact.seen_ms = -1;
	assert_int_equal(contact_write(&nodefiles_cfg, &contact), 0);
	assert_false(contact_read(&nodefiles_cfg).known);
	nodefiles_put(file_run(&nodefiles_cfg, "contact"), "boot=x\nseen_ms=1\n");
	assert_false(contact_read(&nodefiles_cfg).known);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nodefiles_set_up, nodefiles_tear_down)

static void watchdog_words_read_back(void **unused)
{
	(void)unused;
	for (int i = WATCHDOG_SAYS_NOTHING; i <= WATCHDOG_SAYS_MISSING; i++)
		assert_int_equal(watchdog_says_of(watchdog_says_word((enum watchdog_says)i)), i);
	assert_int_equal(watchdog_says_of("lost: Input/output error"), WATCHDOG_SAYS_LOST);
	assert_int_equal(watchdog_says_of("missing: in use: by another"), WATCHDOG_SAYS_MISSING);
	assert_int_equal(watchdog_says_of("ready to go"), WATCHDOG_SAYS_NOTHING);
	assert_int_equal(watchdog_says_of("read"), WATCHDOG_SAYS_NOTHING);
	assert_int_equal(watchdog_says_of(": armed"), WATCHDOG_SAYS_NOTHING);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(stamp_reads_back),
		TEST(an_answer_of_another_boot_is_told_from_none),
		TEST(stamp_of_another_boot_or_garbage_is_none),
		TEST(no_right_is_longer_than_a_lease),
		TEST(a_stamp_that_is_taken_away_is_gone),
		TEST(watchdog_words_read_back),
		TEST(contact_reads_back),
		TEST(contact_knows_how_old_the_data_is),
		TEST(contact_that_does_not_say_leased_is_no_proof),
		TEST(contact_garbage_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
