/* SPDX-License-Identifier: PostgreSQL */
#include "rejoin_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void decides(const struct rejoin_facts *f, enum rejoin_step step, enum outcome outcome,
	     const char *rule)
{
	struct verdict verdict;

	assert_int_equal(rejoin_decide(f, &verdict), step);
	assert_string_equal(verdict.rule, rule);
	if (step == STEP_VERDICT)
		assert_int_equal(verdict.outcome, outcome);
}

struct rejoin_facts old_primary(void)
{
	return (struct rejoin_facts){ .local = LOCAL_DOWN,
				      .form = PGDATA_PRIMARY,
				      .right_version = FACT_YES,
				      .control = FACT_YES,
				      .clean = FACT_NO,
				      .can_rewind = FACT_YES,
				      .fenced = FACT_NO,
				      .rewinding = FACT_NO,
				      .rewound = FACT_NO,
				      .pausing = FACT_NO,
				      .lease_runs = FACT_NO,
				      .promoting = FACT_NO,
				      .peer = SERVER_UNKNOWN };
}
