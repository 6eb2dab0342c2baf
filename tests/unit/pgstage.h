/* SPDX-License-Identifier: PostgreSQL */
/* The servers of a whole group of tests, for cmocka_run_group_tests. */
#ifndef PGSTAGE_H
#define PGSTAGE_H

#include "pgfixture.h"

extern struct pgfixture pgstage;

/* In a network of this process: n1, a primary; or n1 and its standby n2. */
int pgstage_one(void **state);
int pgstage_pair(void **state);
int pgstage_end(void **state);

#endif
