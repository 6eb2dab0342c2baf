/* SPDX-License-Identifier: PostgreSQL */
/*
 * state_dir/unbidden: a timeline of this node that began by a promotion which nobody gave it the
 * right to (pg_ctl promote by hand), while the other node held the term of the record.  Only what
 * is proven is written (check/check_unbidden.h); without the file a timeline is taken for one that
 * somebody wanted.
 */
#ifndef PGV_UNBIDDEN_H
#define PGV_UNBIDDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "config/cfg.h"

int unbidden_write(const struct cfg *cfg, uint32_t timeline) MUST_CHECK;
/* Is it this one?  False also where the file cannot be read. */
bool unbidden_is(const struct cfg *cfg, uint32_t timeline);
/* 0 also when there was none. */
int unbidden_clear(const struct cfg *cfg) MUST_CHECK;

#endif
