/* SPDX-License-Identifier: PostgreSQL */
/* The facts with which promote_decide permits a promotion, and what it is asked with others. */
#ifndef PROMOTEFACTS_H
#define PROMOTEFACTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "promote/promote_rules.h"

/* Everything as it must be for a promotion after a proven fence. */
static inline struct promote_facts good(void)
{
	return (struct promote_facts){
		.local = SERVER_STANDBY,
		.fenced = FACT_NO,
		.replay_paused = FACT_NO,
		.rights = FACT_YES,
		.peer_is_primary = FACT_UNKNOWN,
		.peer_is_standby = FACT_UNKNOWN,
		.keepalived_alive = FACT_YES,
		.election_master = FACT_YES,
		.witness_seen = FACT_YES,
		.fresh_enough = FACT_YES,
		.withdrawn = FACT_YES,
		.waited = FACT_YES,
		.fence = FENCE_FENCED,
		.fence_over = true,
		.replayed = FACT_YES,
	};
}

static inline void expect(struct promote_facts f, enum promote_step step, const char *rule)
{
	struct verdict verdict;

	assert_int_equal(promote_decide(&f, &verdict), step);
	assert_string_equal(verdict.rule, rule);
	if (step == STEP_VERDICT && strcmp(rule, "already-primary") != 0)
		assert_int_not_equal(verdict.outcome, OUT_YES);
}

#endif
