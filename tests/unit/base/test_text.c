/* SPDX-License-Identifier: PostgreSQL */
/* Text that others wrote, on one line that steers nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/text.h"

static void assert_harmless(const char *text, const char *wanted)
{
	char out[128];

	text_clean(out, sizeof(out), text);
	assert_string_equal(out, wanted);
}

static void what_is_written_in_any_language_stays(void **state)
{
	(void)state;
	assert_harmless(NULL, "");
	assert_harmless("", "");
	assert_harmless("FATAL: no \"room\" \\", "FATAL: no \"room\" \\");
	assert_harmless("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98",
			"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98");
}

static void one_line_stays_one_line(void **state)
{
	(void)state;
	assert_harmless("a\nb\r\tc\x7f", "a b  c ");
	assert_harmless("a\xc2\x85"
			"b\xe2\x80\xa8"
			"c\xe2\x80\xa9",
			"a b c "); /* NEL, line and paragraph separator */
}

static void nothing_steers_a_terminal(void **state)
{
	(void)state;
	assert_harmless("\x1b[2J", " [2J");
	assert_harmless("\xc2\x9b"
			"2J",
			" 2J"); /* CSI in UTF-8 */
	assert_harmless("\x9b"
			"2J",
			"?2J"); /* and in eight bits */
	assert_harmless("\xc2\x9d"
			"0;title\xc2\x9c",
			" 0;title "); /* OSC ... ST */
}

/* "refused" that is read as another word is as bad as one that is written anew. */
static void nothing_is_shown_in_another_order(void **state)
{
	(void)state;
	assert_harmless("a\xe2\x80\xae"
			"b\xe2\x81\xa6"
			"c\xe2\x80\x8f",
			"a b c ");
}

static void what_is_no_utf8_is_marked(void **state)
{
	(void)state;
	assert_harmless("caf\xe9", "caf?");
	assert_harmless("\xe2\x82", "??"); /* cut within a character */
	assert_harmless("\xc0\xaf\xed\xa0\x80", "?????");
}

static void it_fits(void **state)
{
	char out[4];

	(void)state;
	text_clean(out, sizeof(out), "ab\nde");
	assert_string_equal(out, "ab ");
	text_clean(out, sizeof(out), "ab\xc3\xa9");
	assert_string_equal(out, "ab?");
}

static void every_character_is_one_or_the_other(void **state)
{
	unsigned steering = 0;

	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++)
		steering += text_steers(code);
	assert_int_equal(steering, 32 + 33 + 2 + 7 + 4);
}

static void a_cut_ends_behind_a_whole_word(void **state)
{
	static const struct {
		size_t size;
		const char *text, *cut;
	} cases[] = {
		{ 12, "eleven char", "eleven char" },
		{ 12, "two words: cut", "two ..." },
		{ 16, "two words: cut off", "two words ..." },
		{ 12, "nothing-to-cut-at", " ..." },
		{ 12, "", "" },
	};
	char out[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		text_cut(out, cases[i].size, cases[i].text);
		assert_string_equal(out, cases[i].cut);
	}
}

static void last_line_is_one_with_words(void **state)
{
	static const char *const of[][2] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "one", "one" },
		{ "one\ntwo\n\n", "two" },
		{ "one\nt\033wo", "t wo" },
		{ "\nthe end of it", "the end" },
	};
	char line[8];

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		text_last_line(line, sizeof(line), of[i][0]);
		assert_string_equal(line, of[i][1]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_line_is_one_with_words),
		cmocka_unit_test(a_cut_ends_behind_a_whole_word),
		cmocka_unit_test(what_is_written_in_any_language_stays),
		cmocka_unit_test(one_line_stays_one_line),
		cmocka_unit_test(nothing_steers_a_terminal),
		cmocka_unit_test(nothing_is_shown_in_another_order),
		cmocka_unit_test(what_is_no_utf8_is_marked),
		cmocka_unit_test(it_fits),
		cmocka_unit_test(every_character_is_one_or_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
