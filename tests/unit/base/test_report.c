/* SPDX-License-Identifier: PostgreSQL */
/* JSON that every parser takes, whatever a server said; tables that line up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/report.h"

static char *written;
static size_t written_size;

static FILE *memory(void)
{
	FILE *out = open_memstream(&written, &written_size);

	assert_non_null(out);
	return out;
}

static void assert_written(FILE *out, const char *expected)
{
	assert_int_equal(fclose(out), 0);
	assert_string_equal(written, expected);
	free(written);
}

static void commas_and_nesting(void **state)
{
	FILE *out = memory();
	struct json json;

	(void)state;
	json_begin(&json, out);
	json_text(&json, "name", "main");
	json_array(&json, "nodes");
	json_object(&json, NULL);
	json_number(&json, "lsn", INT64_MIN);
	json_bool(&json, "up", true);
	json_close_object(&json);
	json_object(&json, NULL);
	json_close_object(&json);
	json_number(&json, NULL, 7);
	json_text(&json, NULL, "x");
	json_close_array(&json);
	json_array(&json, "none");
	json_close_array(&json);
	json_bool(&json, "ok", false);
	json_null(&json, "vip");
	json_text(&json, "hint", NULL);
	json_end(&json);
	assert_written(out,
		       "{\"name\":\"main\",\"nodes\":[{\"lsn\":-9223372036854775808,\"up\":true},"
		       "{},7,\"x\"],\"none\":[],\"ok\":false,\"vip\":null,\"hint\":null}\n");
}

static void an_empty_object(void **state)
{
	FILE *out = memory();
	struct json json;

	(void)state;
	json_begin(&json, out);
	json_end(&json);
	assert_written(out, "{}\n");
}

static void assert_text(const char *text, const char *expected)
{
	FILE *out = memory();
	struct json json;
	char whole[256];

	json_begin(&json, out);
	json_text(&json, "t", text);
	json_end(&json);
	(void)snprintf(whole, sizeof(whole), "{\"t\":\"%s\"}\n", expected);
	assert_written(out, whole);
}

static void texts_are_escaped(void **state)
{
	(void)state;
	assert_text("a \"b\" \\c", "a \\\"b\\\" \\\\c");
	assert_text("line\nfeed\t\x01\x7f", "line\\u000afeed\\u0009\\u0001\\u007f");
	assert_text("", "");
}

static void good_utf8_passes(void **state)
{
	(void)state;
	assert_text("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98",
		    "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98");
	assert_text("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
		    "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

static void bad_utf8_is_replaced(void **state)
{
	(void)state;
	assert_text("caf\xe9", "caf\\ufffd");        /* Latin-1, and the end of the text */
	assert_text("\xe9t\xe9", "\\ufffdt\\ufffd"); /* a sequence that is broken off */
	assert_text("\xc0\xaf", "\\ufffd\\ufffd");   /* longer than need be */
	assert_text("\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd");
	assert_text("\xf0\x80\x80\xaf", "\\ufffd\\ufffd\\ufffd\\ufffd");
	assert_text("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd");            /* a surrogate */
	assert_text("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"); /* beyond Unicode */
	assert_text("\x80", "\\ufffd");
	assert_text("\xff", "\\ufffd");
}

static void what_does_not_fit_ends_after_a_whole_character(void **state)
{
	char out[8];

	(void)state;
	json_escape(out, sizeof(out), "abc\xe2\x82\xac\xe2\x82\xac"); /* 3 + 3 + 3 bytes */
	assert_string_equal(out, "abc\xe2\x82\xac");
	json_escape(out, sizeof(out), "ab\n");
	assert_string_equal(out, "ab");
	json_escape(out, sizeof(out), "a\xe9z");
	assert_string_equal(out, "a\\ufffd");
	json_escape(out, 1, "a");
	assert_string_equal(out, "");
}

static void keys_are_escaped_too(void **state)
{
	FILE *out = memory();
	struct json json;

	(void)state;
	json_begin(&json, out);
	json_number(&json, "a\"b", 1);
	json_end(&json);
	assert_written(out, "{\"a\\\"b\":1}\n");
}

/* --- table --- */

static void columns_line_up_without_blanks_at_the_end(void **state)
{
	struct table table = { .columns = 3 };
	FILE *out = memory();

	(void)state;
	table_row(&table, (const char *const[]){ "NODE", "ROLE", "LAG" });
	table_row(&table, (const char *const[]){ "n1", "primary", NULL });
	table_row(&table, (const char *const[]){ "node-two", "", "16 MB" });
	table_print(&table, out);
	assert_written(out, "NODE      ROLE     LAG\n"
			    "n1        primary  -\n"
			    "node-two  -        16 MB\n");
}

static void letters_are_counted_not_bytes(void **state)
{
	struct table table = { .columns = 2 };
	FILE *out = memory();

	(void)state;
	table_row(&table, (const char *const[]){ "\xc3\xa9\xc3\xa9", "x" });
	table_row(&table, (const char *const[]){ "abc", "y" });
	table_print(&table, out);
	assert_written(out, "\xc3\xa9\xc3\xa9   x\nabc  y\n");
}

static void a_cell_cannot_break_the_table(void **state)
{
	struct table table = { .columns = 1 };
	char longer[200];
	FILE *out = memory();

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	table_row(&table, (const char *const[]){ "a\nb\x1b[31m" });
	table_row(&table, (const char *const[]){ longer });
	assert_int_equal(strlen(table.cells[1][0]), TABLE_CELL_MAX - 1);
	assert_string_equal(table.cells[1][0] + TABLE_CELL_MAX - 4, "...");
	table.rows = 1;
	table_print(&table, out);
	assert_written(out, "a b [31m\n");
}

static void what_is_too_much_is_dropped(void **state)
{
	struct table *table = calloc(1, sizeof(*table));
	const char *cells[TABLE_COLUMNS_MAX + 1] = { "1", "2", "3", "4", "5", "6", "7", "8", "9" };
	FILE *out = memory();

	(void)state;
	assert_non_null(table);
	table->columns = TABLE_COLUMNS_MAX + 1;
	for (int i = 0; i < TABLE_ROWS_MAX + 5; i++)
		table_row(table, cells);
	assert_int_equal(table->rows, TABLE_ROWS_MAX);
	table->rows = 1;
	table_print(table, out);
	assert_written(out, "1  2  3  4  5  6  7  8\n");
	free(table);
}

static void a_text_is_broken_at_blanks(void **state)
{
	FILE *out = memory();

	(void)state;
	report_wrapped(out, "one two  three", 2, 9);
	report_wrapped(out, "a-word-that-is-longer x", 2, 9);
	report_wrapped(out, "", 2, 9);
	/* Seven characters of UTF-8, not fourteen bytes. */
	report_wrapped(out, "\u00e4\u00e4\u00e4 \u00e4\u00e4\u00e4", 2, 9);
	assert_written(out, "  one two\n  three\n"
			    "  a-word-that-is-longer\n  x\n"
			    "  \u00e4\u00e4\u00e4 \u00e4\u00e4\u00e4\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_broken_at_blanks),
		cmocka_unit_test(commas_and_nesting),
		cmocka_unit_test(an_empty_object),
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(good_utf8_passes),
		cmocka_unit_test(bad_utf8_is_replaced),
		cmocka_unit_test(what_does_not_fit_ends_after_a_whole_character),
		cmocka_unit_test(keys_are_escaped_too),
		cmocka_unit_test(columns_line_up_without_blanks_at_the_end),
		cmocka_unit_test(letters_are_counted_not_bytes),
		cmocka_unit_test(a_cell_cannot_break_the_table),
		cmocka_unit_test(what_is_too_much_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
