/* SPDX-License-Identifier: PostgreSQL */
/* What the tests of the rules of rejoin share. */
#ifndef REJOIN_STAGE_H
#define REJOIN_STAGE_H

#include "rejoin/rejoin_rules.h"

/* Fails the test unless that is the step, by that rule; outcome: of a verdict. */
void decides(const struct rejoin_facts *f, enum rejoin_step step, enum outcome outcome,
	     const char *rule);

/* One that crashed, of which nothing more is known than what its own directory says. */
struct rejoin_facts old_primary(void);

#endif
