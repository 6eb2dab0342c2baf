/* SPDX-License-Identifier: PostgreSQL */
/* The text files of keepalived/ with places to fill in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/template.h"

static const struct template_value values[] = {
	{ "NAME", "main" }, { "EMPTY", "" }, { "YES", "yes" }, { "NO", NULL }, { NULL, NULL }
};
static char result[512];
static char fault[80];

static int render(const char *text)
{
	char copy[512];
	FILE *in;
	FILE *out = fmemopen(result, sizeof(result), "w");
	int rc;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	in = fmemopen(copy, strlen(copy), "r");
	assert_non_null(in);
	assert_non_null(out);
	fault[0] = '\0';
	rc = template_render(out, in, values, fault, sizeof(fault));
	(void)fclose(in);
	(void)fclose(out);
	return rc;
}

static void names_are_replaced(void **state)
{
	(void)state;
	assert_int_equal(render("a @NAME@ b@NAME@@NAME@c[@EMPTY@]\n"), 0);
	assert_string_equal(result, "a main bmainmainc[]\n");
}

static void text_without_names_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(render("me@here.org @ @lower@ % \\ \"\nlast line without end"), 0);
	assert_string_equal(result, "me@here.org @ @lower@ % \\ \"\nlast line without end");
}

static void conditions_keep_or_drop_lines(void **state)
{
	(void)state;
	assert_int_equal(render("@?YES@one\n@!YES@two\n@?NO@three\n@!NO@four @NAME@\n"
				"@?YES@@!NO@five\n@?YES@@?NO@six\n"),
			 0);
	assert_string_equal(result, "one\nfour main\nfive\n");
}

static void comments_of_the_template_are_dropped(void **state)
{
	(void)state;
	assert_int_equal(render("@# not @THIS@\n# this\n"), 0);
	assert_string_equal(result, "# this\n");
}

static void unknown_names_are_faults(void **state)
{
	static const char *const texts[] = { "x\n@NAMES@\n", "x\n@?NAMES@y\n", "x\n@!NAMES@y\n",
					     "x\n@?name@y\n", "x\n@?NAME y\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		assert_int_equal(render(texts[i]), -EINVAL);
		assert_non_null(strstr(fault, "line 2"));
	}
}

/* The template would print nothing where something is meant. */
static void condition_that_does_not_hold_has_no_value(void **state)
{
	(void)state;
	assert_int_equal(render("@NO@\n"), -EINVAL);
}

static void output_that_cannot_be_written_is_an_error(void **state)
{
	char text[] = "@NAME@\n";
	FILE *in = fmemopen(text, strlen(text), "r");
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(in);
	assert_non_null(out);
	(void)setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(template_render(out, in, values, fault, sizeof(fault)), -EIO);
	(void)fclose(in);
	(void)fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_replaced),
		cmocka_unit_test(text_without_names_is_left_alone),
		cmocka_unit_test(conditions_keep_or_drop_lines),
		cmocka_unit_test(comments_of_the_template_are_dropped),
		cmocka_unit_test(unknown_names_are_faults),
		cmocka_unit_test(condition_that_does_not_hold_has_no_value),
		cmocka_unit_test(output_that_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
