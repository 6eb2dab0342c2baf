/* SPDX-License-Identifier: PostgreSQL */
/* The names of pg_wal: as pg_walfile_name() of a server gives them, for each size of a segment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/auto.h"
#include "postgres/wal_segment.h"

#define MB INT64_C(1048576)

static const struct {
	uint32_t timeline;
	uint64_t lsn;
	int64_t bytes;
	const char *name;
} known[] = {
	{ 1, UINT64_C(0x1000000), 16 * MB, "000000010000000000000001" },
	{ 1, UINT64_C(0xffffffff), 16 * MB, "0000000100000000000000FF" },
	{ 2, UINT64_C(0x100000000), 16 * MB, "000000020000000100000000" },
	{ 0xabcdef01, UINT64_C(0xfeff000060), 16 * MB, "ABCDEF01000000FE000000FF" },
	{ 1, UINT64_C(0x1ffffffff), 1 * MB, "000000010000000100000FFF" },
	{ 1, UINT64_C(0x1ffffffff), 1024 * MB, "000000010000000100000003" },
	{ 1, UINT64_MAX, 16 * MB, "00000001FFFFFFFF000000FF" },
};

static void names_are_those_of_a_server(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		uint64_t number = known[i].lsn / (uint64_t)known[i].bytes, back;
		uint32_t timeline;

		assert_string_equal(
		    wal_segment_name(known[i].timeline, number, known[i].bytes).text,
		    known[i].name);
		assert_true(wal_segment_parse(known[i].name, known[i].bytes, &timeline, &back));
		assert_int_equal(timeline, known[i].timeline);
		assert_true(back == number);
	}
}

static void what_is_no_segment_has_no_number(void **unused)
{
	static const char *const names[] = {
		"",
		"00000001000000000000000",
		"0000000100000000000000010",
		"00000001000000000000000a",
		"000000010000000000000001.partial",
		"00000002.history",
		" 0000001 0000000 0000001",
		"-00000010000000000000001",
	};
	uint64_t number;
	uint32_t timeline;

	(void)unused;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (wal_segment_parse(names[i], 16 * MB, &timeline, &number))
			fail_msg("taken for a segment: %s", names[i]);
}

static void histories_have_their_timeline(void **unused)
{
	(void)unused;
	assert_string_equal(wal_history_name(2).text, "00000002.history");
	assert_string_equal(wal_history_name(0xabcdef01).text, "ABCDEF01.history");
	assert_true(wal_is_history(wal_history_name(0xabcdef01).text));
	assert_false(wal_is_history("00000002.history.ready"));
	assert_false(wal_is_history("2.history"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_a_server),
		cmocka_unit_test(what_is_no_segment_has_no_number),
		cmocka_unit_test(histories_have_their_timeline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
