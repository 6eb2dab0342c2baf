/* SPDX-License-Identifier: PostgreSQL */
/* What must hold for every combination of the facts of rejoin: a second wording of its rules. */
#ifndef REJOIN_ASSERTS_H
#define REJOIN_ASSERTS_H

#include <stdbool.h>

#include "rejoin/rejoin_rules.h"

/* May a server be started here that is a primary? */
bool rejoin_may_start_as_primary(const struct rejoin_facts *f);

/* May that step be done? */
bool rejoin_may_do(const struct rejoin_facts *f, enum rejoin_step step);

/* A verdict says yes only of a server that runs, and not of a fenced one. */
bool rejoin_says_rightly(const struct rejoin_facts *f, enum rejoin_step step,
			 const struct verdict *verdict);

/* Does a mark of whom give way to what is known? */
bool rejoin_fence_is_answered(const struct rejoin_facts *f, enum fenced_by by);

#endif
