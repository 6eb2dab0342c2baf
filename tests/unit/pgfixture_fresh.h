/* SPDX-License-Identifier: PostgreSQL */
#ifndef PGFIXTURE_FRESH_H
#define PGFIXTURE_FRESH_H

#include "pgfixture.h"

/*
 * Makes the data directory of n1 as initdb leaves it, with the role of the helpers.  The first test
 * of a build does so and keeps a copy in BUILD/fresh; the others take theirs from there, so that
 * all have the same system identifier.  0 or -errno.
 */
int pgfixture_fresh(const struct pgfixture *fixture);

#endif
