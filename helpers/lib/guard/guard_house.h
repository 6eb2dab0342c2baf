/* SPDX-License-Identifier: PostgreSQL */
/* The helpers that the guard starts beside its own work: check_primary --watch, the slots, tests of
 * what a failover and a return will need.  Private to guard*.c. */
#ifndef PGV_GUARD_HOUSE_H
#define PGV_GUARD_HOUSE_H

#include "guard/guard_look.h"

/* Work that is not the guard's own, but that must go on when keepalived does not. */
void guard_keep_house(struct guard *g, const struct guard_facts *f);

#endif
