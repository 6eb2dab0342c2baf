/* SPDX-License-Identifier: PostgreSQL */
/* Tables of rules: the first that holds decides, also over several tables; and how that is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rules.h"

struct facts {
	int value;
};

static bool negative(const struct facts *f)
{
	return f->value < 0;
}

static bool zero(const struct facts *f)
{
	return f->value == 0;
}

static bool odd(const struct facts *f)
{
	return f->value % 2 != 0;
}

struct row {
	bool (*holds)(const struct facts *f);
	int step;
	struct verdict verdict;
};

static const struct row later[] = {
	{ odd, 3, REFUSED("odd", "the value is odd", NULL) },
	{ RULE_ALWAYS, 4, YES("even", "the value is even", "halve it") },
};
RULES_PART(later_rules, later);

static const struct row earlier[] = {
	{ negative, 1, NO("negative", "the value is negative", NULL) },
	{ zero, 2, UNKNOWN("zero", "the value is zero", NULL) },
};
RULES_PART(earlier_rules, earlier);

static const struct rules *const all_rules[] = { &earlier_rules, &later_rules, NULL };

static void first_that_holds_decides(void **state)
{
	static const struct {
		int value;
		const char *rule;
		int step;
	} cases[] = { { -3, "negative", 1 }, { 0, "zero", 2 }, { 3, "odd", 3 }, { 4, "even", 4 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct facts facts = { .value = cases[i].value };
		const struct verdict *said = rules_decide(all_rules, &facts);

		assert_string_equal(said->rule, cases[i].rule);
		assert_int_equal(RULE_OF(struct row, said)->step, cases[i].step);
	}
}

static void explained(int value, const char *wanted)
{
	const struct facts facts = { .value = value };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	rules_explain(all_rules, &facts, NULL, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void what_a_rule_says_is_told_of_the_one_that_decides(void **state)
{
	(void)state;
	explained(3, "ok         not negative\n"
		     "ok         not zero\n"
		     "REFUSED    odd: the value is odd\n"
		     "-          even\n");
	explained(-1, "NO         negative: the value is negative\n"
		      "-          zero\n"
		      "-          odd\n"
		      "-          even\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_that_holds_decides),
		cmocka_unit_test(what_a_rule_says_is_told_of_the_one_that_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
