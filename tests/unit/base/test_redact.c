/* SPDX-License-Identifier: PostgreSQL */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/redact.h"

static const char *redacted(const char *text, const char *one, const char *other)
{
	static char out[128];
	const struct secret secrets[] = { { one, strlen(one) }, { other, strlen(other) } };

	(void)snprintf(out, sizeof(out), "%s", text);
	redact(out, secrets, ARRAY_COUNT(secrets));
	return out;
}

static void each_place_of_each_secret_is_hidden(void **state)
{
	(void)state;
	assert_string_equal(redacted("a secret, secret and hidden", "secret", "hidden"),
			    "a ******, ****** and ******");
	assert_string_equal(redacted("nothing here", "secret", "hidden"), "nothing here");
	assert_string_equal(redacted("", "secret", "hidden"), "");
	assert_string_equal(redacted("no secret is known", "", ""), "no secret is known");
}

/* Half of one would be told when the other one is taken away first. */
static void secrets_that_overlap_are_hidden_as_a_whole(void **state)
{
	(void)state;
	assert_string_equal(redacted("=abcdef=", "abcd", "cdef"), "=******=");
	assert_string_equal(redacted("=abcdef=", "cdef", "abcd"), "=******=");
	assert_string_equal(redacted("=ababab=", "abab", ""), "=******=");
}

/* Found by fuzzing: the stars of one made another one of what was left. */
static void stars_make_no_secret(void **state)
{
	(void)state;
	assert_string_equal(redacted("=hunter2x=", "*x", "hunter2"), "=********=");
	assert_string_equal(redacted("=hunter2x=", "hunter2", "*x"), "=********=");
	assert_string_equal(redacted("=**=", "**", "***"), "=**=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_place_of_each_secret_is_hidden),
		cmocka_unit_test(secrets_that_overlap_are_hidden_as_a_whole),
		cmocka_unit_test(stars_make_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
