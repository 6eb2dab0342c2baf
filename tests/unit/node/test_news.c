/* SPDX-License-Identifier: PostgreSQL */
/* The log tells what changes, not each of a hundred changes, and in the end what is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "node/news.h"
#include "nodefiles.h"

#define SECOND 1000
#define BEGIN  (INT64_C(100) * SECOND)

static void what_differs_is_told_once(void **state)
{
	struct news news = { .since_ms = 0 };

	(void)state;
	assert_int_equal(news_decide(&news, "yes serves", BEGIN), NEWS_TOLD);
	for (int i = 1; i < 200; i++)
		assert_int_equal(news_decide(&news, "yes serves", BEGIN + i * SECOND), NEWS_NONE);
	assert_int_equal(news_decide(&news, "no local-down", BEGIN + 200 * SECOND), NEWS_TOLD);
	assert_int_equal(news_decide(&news, "yes serves", BEGIN + 201 * SECOND), NEWS_TOLD);
}

/* The verdict changes each second for an hour. */
static void what_changes_again_and_again_has_few_lines(void **state)
{
	static const char *const heads[] = { "yes serves", "unknown local-silent" };
	struct news news = { .since_ms = 0 };
	int lines = 0, last = 0;

	(void)state;
	for (int i = 0; i < 3600; i++) {
		enum news_kind kind = news_decide(&news, heads[i % 2], BEGIN + i * SECOND);

		lines += kind != NEWS_NONE;
		last += kind == NEWS_TOLD_LAST;
	}
	assert_in_range(lines, 60, NEWS_LINES * 61);
	assert_true(last > 0);
}

static void what_lasts_is_told_however_busy_it_was(void **state)
{
	static const char *const heads[] = { "yes serves", "unknown local-silent" };
	struct news news = { .since_ms = 0 };
	int64_t now = BEGIN;

	(void)state;
	for (int i = 0; i < 8; i++, now += SECOND)
		(void)news_decide(&news, heads[i % 2], now);
	assert_string_equal(news.told, "unknown local-silent");
	for (int i = 0; i < 10; i++, now += SECOND)
		assert_int_equal(news_decide(&news, "yes serves", now), NEWS_NONE);
	assert_int_not_equal(news_decide(&news, "yes serves", now), NEWS_NONE);
	assert_string_equal(news.told, "yes serves");
}

static void it_is_kept_from_one_run_to_the_next(void **state)
{
	const struct cfg *cfg = &nodefiles_cfg;
	const struct verdict serves = YES("serves", "it serves", NULL);
	const struct verdict down = NO("local-down", "it is down", NULL);

	(void)state;
	assert_true(news_wants(cfg, ATTEMPT_CHECK_PRIMARY, &serves));
	assert_false(news_wants(cfg, ATTEMPT_CHECK_PRIMARY, &serves));
	assert_true(news_wants(cfg, ATTEMPT_ASK_RECORD, &serves));
	for (int i = 1; i < NEWS_LINES; i++)
		assert_true(news_wants(cfg, ATTEMPT_CHECK_PRIMARY, i % 2 == 1 ? &down : &serves));
	assert_false(news_wants(cfg, ATTEMPT_CHECK_PRIMARY, &serves));
	nodefiles_put(file_run(cfg, "news.check_primary"), "garbage");
	assert_true(news_wants(cfg, ATTEMPT_CHECK_PRIMARY, &serves));
}

static int tear_down(void **unused)
{
	(void)unlink(file_run(&nodefiles_cfg, "news.check_primary").text);
	(void)unlink(file_run(&nodefiles_cfg, "news.ask_record").text);
	return nodefiles_tear_down(unused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs_is_told_once),
		cmocka_unit_test(what_changes_again_and_again_has_few_lines),
		cmocka_unit_test(what_lasts_is_told_however_busy_it_was),
		cmocka_unit_test_setup_teardown(it_is_kept_from_one_run_to_the_next,
						nodefiles_set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
