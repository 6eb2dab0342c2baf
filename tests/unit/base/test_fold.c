/* SPDX-License-Identifier: PostgreSQL */
/* Long lines are broken on a terminal, below their last column, and stay whole in a pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/fold.h"

static void assert_folded(const char *text, const char *expected)
{
	char *written;
	size_t size;
	FILE *out = open_memstream(&written, &size);

	assert_non_null(out);
	fold_print(out, text, 20);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(written, expected);
	free(written);
}

static void a_line_goes_on_below_its_last_column(void **state)
{
	(void)state;
	assert_folded("", "");
	assert_folded("short\n\nlines stay\n", "short\n\nlines stay\n");
	assert_folded("exactly twenty chars\n", "exactly twenty chars\n");
	assert_folded("a line without columns goes on\n", "a line without\ncolumns goes on\n");
	assert_folded("  name  the value goes on\n", "  name  the value\n        goes on\n");
	/* A column that begins behind three quarters would have one word a line. */
	assert_folded("  name    of a col  that is\n", "  name    of a col\n          that is\n");
	assert_folded("the last line without its end", "the last line\nwithout its end\n");
}

static void characters_are_counted_not_bytes(void **state)
{
	(void)state;
	assert_folded("\u00e4\u00e4  \u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4 "
		      "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\n",
		      "\u00e4\u00e4  \u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\n"
		      "    \u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\n");
}

static void a_pipe_gets_whole_lines(void **state)
{
	struct fold fold;
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	assert_ptr_equal(fold_begin(&fold, file), file);
	fold_end(&fold);
	assert_int_equal(fclose(file), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_goes_on_below_its_last_column),
		cmocka_unit_test(characters_are_counted_not_bytes),
		cmocka_unit_test(a_pipe_gets_whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
