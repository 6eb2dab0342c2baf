/* SPDX-License-Identifier: PostgreSQL */
/* Times of this boot: an old one, or garbage, is never "just now". */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "nodefiles.h"

static void stamp_reads_back(void **unused)
{
	int64_t at, now = now_ms();
	char word[32];

	(void)unused;
	assert_int_equal(stamp_write(&nodefiles_cfg, "vote", now, "n2\nat_ms=1"), 0);
	assert_int_equal(stamp_read(&nodefiles_cfg, "vote", &at, word, sizeof(word)), 0);
	assert_true(at == now);
	assert_string_equal(word, "n2 at_ms=1");
	assert_int_equal(stamp_read(&nodefiles_cfg, "vote", &at, NULL, 0), 0);
	assert_true(at == now);
}

static void stamp_of_another_boot_or_garbage_is_none(void **unused)
{
	char boot[40], text[128];
	int64_t at = 1;

	(void)unused;
	assert_int_equal(boot_id(boot, sizeof(boot)), 0);
	assert_int_equal(stamp_read(&nodefiles_cfg, "lease", &at, NULL, 0), -ENOENT);
	assert_true(at == 0);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"),
		      "boot=00000000-0000-0000-0000-000000000000\nat_ms=1\nword=vote\n");
	assert_int_equal(stamp_read(&nodefiles_cfg, "lease", &at, NULL, 0), -ENOENT);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=12x\nword=vote\n", boot);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"), text);
	assert_int_equal(stamp_read(&nodefiles_cfg, "lease", &at, NULL, 0), -EINVAL);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=0\nword=vote\n", boot);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"), text);
	assert_int_equal(stamp_read(&nodefiles_cfg, "lease", &at, NULL, 0), -EINVAL);
	(void)snprintf(text, sizeof(text), "boot=%s\nat_ms=5\nat_ms=6\nword=vote\n", boot);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"), text);
	assert_int_equal(stamp_read(&nodefiles_cfg, "lease", &at, NULL, 0), -EINVAL);
	nodefiles_put(file_run(&nodefiles_cfg, "lease"), "");
	assert_int_equal(stamp_read(&nodefiles_cfg, "lease", &at, NULL, 0), -EINVAL);
	assert_true(at == 0);
}

static void no_right_is_longer_than_a_lease(void **unused)
{
	int64_t at;

	(void)unused;
	assert_int_equal(
	    stamp_write(&nodefiles_cfg, "lease", now_ms() + nodefiles_cfg.lease_ms + 1000, "vote"),
	    0);
	assert_int_equal(stamp_read(&nodefiles_cfg, "lease", &at, NULL, 0), -ERANGE);
	assert_true(at == 0);
	assert_int_equal(serving_begin(&nodefiles_cfg), -EACCES);
}

static void a_stamp_that_is_taken_away_is_gone(void **unused)
{
	int64_t at;

	(void)unused;
	assert_int_equal(stamp_clear(&nodefiles_cfg, "grant"), 0); /* there is none */
	assert_int_equal(stamp_write(&nodefiles_cfg, "grant", now_ms() + 1000, "record"), 0);
	assert_true(stamp_runs(&nodefiles_cfg, "grant"));
	assert_int_equal(stamp_clear(&nodefiles_cfg, "grant"), 0);
	assert_int_equal(stamp_read(&nodefiles_cfg, "grant", &at, NULL, 0), -ENOENT);
	assert_false(stamp_runs(&nodefiles_cfg, "grant"));
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
	assert_false(contact_read(&nodefiles_cfg).known);
	assert_int_equal(contact_write(&nodefiles_cfg, &contact), 0);
	back = contact_read(&nodefiles_cfg);
	assert_true(back.known);
	contact.known = true;
	assert_memory_equal(&back, &contact, sizeof(back));
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(stamp_reads_back),
		TEST(stamp_of_another_boot_or_garbage_is_none),
		TEST(no_right_is_longer_than_a_lease),
		TEST(a_stamp_that_is_taken_away_is_gone),
		TEST(contact_reads_back),
		TEST(contact_garbage_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
