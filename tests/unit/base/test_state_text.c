/* SPDX-License-Identifier: PostgreSQL */
/* Lines of key=value: one thing wrong anywhere, and nothing of it is believed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/state.h"

static void a_value_is_found_by_its_whole_key(void **state)
{
	const char *text = "until=1\nuntil_ms=22\nempty=\nequals=a=b\n";
	char value[16];

	(void)state;
	assert_int_equal(state_get(text, "until_ms", value, sizeof(value)), 0);
	assert_string_equal(value, "22");
	assert_int_equal(state_get(text, "until", value, sizeof(value)), 0);
	assert_string_equal(value, "1");
	assert_int_equal(state_get(text, "empty", value, sizeof(value)), 0);
	assert_string_equal(value, "");
	assert_int_equal(state_get(text, "equals", value, sizeof(value)), 0);
	assert_string_equal(value, "a=b");
	assert_int_equal(state_get(text, "unti", value, sizeof(value)), -ENOENT);
	assert_int_equal(state_get("", "until", value, sizeof(value)), -ENOENT);
}

static void garbage_around_a_good_line_spoils_it(void **state)
{
	static const char *const bad[] = {
		"x=1\nno equals\n", "x=1\n\n",         "=1\nx=1\n",
		"x=1\nx=1\n",       "x=1\ny=2\nx=2\n", "\nx=1\n",
	};
	char value[16] = "before";

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(state_get(bad[i], "x", value, sizeof(value)), -EINVAL);
	assert_string_equal(value, "before");
}

/* Every cut of a file must fail: "until_ms=12" would end a lease that was to end at 12345. */
static void a_torn_file_is_refused_wherever_it_was_torn(void **state)
{
	const char *whole = "boot=abc\nuntil_ms=12345\n";
	char text[64];
	int64_t number = -7;

	(void)state;
	for (size_t length = 0; length < strlen(whole); length++) {
		(void)snprintf(text, sizeof(text), "%.*s", (int)length, whole);
		assert_true(state_get_i64(text, "until_ms", &number) < 0);
	}
	assert_int_equal(number, -7);
	assert_int_equal(state_get_i64(whole, "until_ms", &number), 0);
	assert_int_equal(number, 12345);
}

static void a_value_that_does_not_fit_is_refused(void **state)
{
	char value[4];

	(void)state;
	assert_int_equal(state_get("x=123\n", "x", value, sizeof(value)), 0);
	assert_int_equal(state_get("x=1234\n", "x", value, sizeof(value)), -EFBIG);
}

static void a_number_is_nothing_but_a_number(void **state)
{
	static const char *const bad[] = {
		"x=\n",
		"x= 1\n",
		"x=1 \n",
		"x=+1\n",
		"x=0x10\n",
		"x=1.5\n",
		"x=--1\n",
		"x=- 1\n",
		"x=1e3\n",
		"x=-\n",
		"x=one\n",
		"x=9223372036854775808\n",
		"x=99999999999999999999999999999\n",
	};
	int64_t number = -7;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_int_equal(state_get_i64(bad[i], "x", &number), -EINVAL);
	assert_int_equal(number, -7);
	assert_int_equal(state_get_i64("x=1\n", "y", &number), -ENOENT);
	assert_int_equal(state_get_i64("x=9223372036854775807\n", "x", &number), 0);
	assert_true(number == INT64_MAX);
	assert_int_equal(state_get_i64("x=-9223372036854775808\n", "x", &number), 0);
	assert_true(number == INT64_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_found_by_its_whole_key),
		cmocka_unit_test(garbage_around_a_good_line_spoils_it),
		cmocka_unit_test(a_torn_file_is_refused_wherever_it_was_torn),
		cmocka_unit_test(a_value_that_does_not_fit_is_refused),
		cmocka_unit_test(a_number_is_nothing_but_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
