/* SPDX-License-Identifier: PostgreSQL */
/* The right to switch the other node off, over every combination: of two that try at once one is
 * left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fence/fence_permit.h"

static const enum fact all_facts[] = { FACT_UNKNOWN, FACT_NO, FACT_YES };

static struct fence_permit permit_of(unsigned n)
{
	return (struct fence_permit){ .spare = n & 1,
				      .has_record = n & 2,
				      .second = n & 4,
				      .row = { .good = n & 8,
					       .its_right = n & 16,
					       .paired = n & 32,
					       .released = n & 64,
					       .answered = true } };
}

static void switches_off_exactly_when_the_argument_holds(void **state)
{
	unsigned permitted = 0;

	(void)state;
	for (unsigned n = 0; n < 128; n++) {
		for (unsigned facts = 0; facts < 27; facts++) {
			struct fence_permit p = permit_of(n);
			bool allowed;

			p.fenced = all_facts[facts % 3];
			p.witness = all_facts[facts / 3 % 3];
			p.standby = all_facts[facts / 9];
			/* Only in earnest, by a standby that is well and sees the witness; and
			 * where a record says who may serve, by one that may take over. */
			allowed =
			    !p.spare && p.fenced == FACT_NO && p.witness == FACT_YES &&
			    p.standby == FACT_YES &&
			    (!p.has_record || (p.row.good && (!p.row.its_right || p.row.paired)));
			assert_int_equal(fence_refusal(&p) == NULL, allowed);
			permitted += allowed;
		}
	}
	assert_true(permitted > 0);
}

/* Both look at the same row and the same file. */
static void of_two_one_yields(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 128; n++) {
		struct fence_permit one = permit_of(n);
		struct fence_permit two = one;

		two.second = !one.second;
		two.row.its_right = !one.row.its_right;
		assert_int_not_equal(fence_yields(&one), fence_yields(&two));
	}
}

static void a_row_proves_only_what_was_released(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 128; n++) {
		struct fence_row row = permit_of(n).row;
		bool fenced = row.good && row.its_right && row.released;

		assert_int_equal(fence_row_verdict(&row, false),
				 fenced ? FENCE_FENCED : FENCE_UNKNOWN);
		assert_int_equal(fence_row_verdict(&row, true),
				 row.good ? FENCE_READY : FENCE_UNKNOWN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches_off_exactly_when_the_argument_holds),
		cmocka_unit_test(of_two_one_yields),
		cmocka_unit_test(a_row_proves_only_what_was_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
