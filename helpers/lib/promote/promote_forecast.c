/* SPDX-License-Identifier: PostgreSQL */
#include "promote/promote_forecast.h"

/* More than there are kinds of steps.  Each is needed once; a table in which one came again and
 * again would never promote, which is what is foreseen then. */
#define STEPS_MAX 16

/* Everything that the takeover itself would find out or bring about is still to come. */
static struct promote_facts when_it_dies(struct promote_facts f)
{
	f.peer_is_primary = FACT_UNKNOWN;
	f.peer_is_standby = FACT_UNKNOWN;
	f.peer_is_starting = FACT_NO;
	f.peer_refuses = false;
	f.election_master = FACT_YES;
	f.withdrawn = FACT_NO;
	f.waited = FACT_NO;
	f.fence = FENCE_UNKNOWN;
	f.fence_over = false;
	f.no_sign_of_life = FACT_UNKNOWN;
	f.replayed = FACT_NO;
	f.held = false;
	f.restoring = false;
	f.restore_hangs = false;
	f.record_still = FACT_NO;
	f.record_renewed = false;
	return f;
}

static void take_step(struct promote_facts *f, enum promote_step step, enum fence_verdict proof)
{
	switch (step) {
	case STEP_WITHDRAW:
		f->withdrawn = FACT_YES;
		break;
	case STEP_WAIT:
		f->waited = FACT_YES;
		f->record_still = FACT_YES;
		f->fence = proof;
		f->fence_over = true;
		f->replayed = FACT_YES;
		break;
	case STEP_POWER:
		f->power_left = false;
		f->fence = FENCE_FENCED;
		break;
	case STEP_PROBE:
		f->no_sign_of_life = FACT_YES;
		break;
	case STEP_CLEAR:
		f->held = false;
		break;
	case STEP_VERDICT:
	case STEP_PROMOTE:
		break;
	}
}

enum promote_step promote_foresee(const struct promote_facts *now, enum fence_verdict proof,
				  struct verdict *verdict)
{
	struct promote_facts f = when_it_dies(*now);

	for (int i = 0; i < STEPS_MAX; i++) {
		const enum promote_step step = promote_decide(&f, verdict);

		if (step == STEP_VERDICT || step == STEP_PROMOTE)
			return step;
		take_step(&f, step, proof);
	}
	return STEP_VERDICT;
}
