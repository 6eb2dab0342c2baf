/* SPDX-License-Identifier: PostgreSQL */
/*
 * For tests of salvage on two real servers (rejoin_pair.h): a primary, n1, that went on alone and
 * died, and what was kept of it.  Functions without a result fail the test.
 */
#ifndef SALVAGED_H
#define SALVAGED_H

#include <stdint.h>

#include "rejoin_pair.h"
#include "salvage/salvage_shelf.h"

/* In place of pair_make: with prepared transactions. */
int salvaged_make(void **unused);

/* n2 is stopped: what n1 commits from now on is its own.  Then n1 dies, and n2 is promoted. */
void salvaged_cut_off(void);
void salvaged_fail_over(void);
/* What a query that gives a number gives. */
int64_t salvaged_number(size_t node, const char *query);

/* The last salvage of n1. */
struct salvage salvaged_kept(void);
/* The path of a file in it, until the next call; its text, likewise. */
const char *salvaged_path(const struct salvage *salvage, const char *name);
const char *salvaged_read(const struct salvage *salvage, const char *name);
int salvaged_count(const char *text, const char *what);
/* How many files a directory has; 0 also when there is none. */
int salvaged_entries(const char *directory);
void salvaged_is_json(const struct salvage *salvage);
/* The sums of one table, as report.json has them behind the transactions. */
void salvaged_sums_are(const struct salvage *salvage, int64_t node, int inserted, int updated,
		       int deleted);

#endif
