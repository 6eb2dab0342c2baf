/* SPDX-License-Identifier: PostgreSQL */
/* promote_decide where the promotion itself would be held up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "promotefacts.h"

/* No vote is withdrawn, and no term taken, for a promotion that would not end. */
static void nothing_is_begun_that_would_not_end(void **state)
{
	struct promote_facts f = good();

	(void)state;
	f.withdrawn = FACT_NO, f.replayed = FACT_NO, f.fence = FENCE_UNKNOWN;
	f.unwritable = true, expect(f, STEP_VERDICT, "unwritable");
	f.unwritable = false, f.restore_hangs = true, expect(f, STEP_VERDICT, "restore-hangs");
	f.restore_hangs = false, f.delayed = true, expect(f, STEP_VERDICT, "apply-delay");
	f.replayed = FACT_UNKNOWN, expect(f, STEP_VERDICT, "apply-delay");
	f.delayed = false, f.held = true, expect(f, STEP_WITHDRAW, "vote-not-withdrawn");
	/* Sessions are ended for a takeover that all else permits, and for no other. */
	f.withdrawn = FACT_YES, f.waited = FACT_NO, expect(f, STEP_WAIT, "lease-may-run");
	f.fence = FENCE_FENCED, expect(f, STEP_CLEAR, "replay-held");
	f.held = false, f.restoring = true, expect(f, STEP_WAIT, "restoring");
	f.replayed = FACT_YES, f.delayed = f.held = true, expect(f, STEP_PROMOTE, "promote");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_begun_that_would_not_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
