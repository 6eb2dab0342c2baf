/* SPDX-License-Identifier: PostgreSQL */
/* The numbers and words are an interface: they change with intent only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/outcome.h"

static const struct {
	enum outcome outcome;
	int code;
	const char *word;
} table[] = {
	{ OUT_YES, 0, "yes" },
	{ OUT_NO, 1, "no" },
	{ OUT_REFUSED, 2, "refused" },
	{ OUT_UNKNOWN, 3, "unknown" },
	{ OUT_INCOMPLETE, 4, "incomplete" },
	{ OUT_USAGE, 64, "usage" },
	{ OUT_BUG, 70, "bug" },
	{ OUT_SYSTEM, 71, "system" },
	{ OUT_CONFIG, 78, "config" },
};

static void every_outcome_has_its_code_and_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
		assert_int_equal(table[i].outcome, table[i].code);
		assert_string_equal(outcome_word(table[i].outcome), table[i].word);
		assert_true(table[i].code < 126);
	}
}

static void a_value_that_is_none_is_a_bug(void **state)
{
	(void)state;
	assert_string_equal(outcome_word((enum outcome)5), "bug");
	assert_string_equal(outcome_word((enum outcome)127), "bug");
}

static void a_fact_that_nobody_filled_is_unknown(void **state)
{
	enum fact facts[3] = { 0 };

	(void)state;
	assert_string_equal(fact_word(facts[2]), "unknown");
	assert_string_equal(fact_word((enum fact)9), "unknown");
	assert_string_equal(fact_word(FACT_YES), "yes");
	assert_string_equal(fact_word(FACT_NO), "no");
}

static void a_truth_is_a_known_fact(void **state)
{
	(void)state;
	assert_int_equal(fact_of(1), FACT_YES);
	assert_int_equal(fact_of(-1), FACT_YES);
	assert_int_equal(fact_of(0), FACT_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outcome_has_its_code_and_word),
		cmocka_unit_test(a_value_that_is_none_is_a_bug),
		cmocka_unit_test(a_fact_that_nobody_filled_is_unknown),
		cmocka_unit_test(a_truth_is_a_known_fact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
