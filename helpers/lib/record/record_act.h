/* SPDX-License-Identifier: PostgreSQL */
/* Writes of the record, by witness_record and by check_primary --watch when its server has ended.
 */
#ifndef PGV_RECORD_ACT_H
#define PGV_RECORD_ACT_H

#include <stdbool.h>

#include "record/record_gather.h"

/*
 * Does what facts.ask says, RECORD_RELEASE, RECORD_PAUSE or RECORD_RESUME: looks, decides by the
 * rules of record_deed.h, writes, and looks again where that is needed.  For a release the caller
 * holds record.lock.  Ends with t->dl; the caller ends t->link.
 */
struct verdict record_act(struct record_task *t);

/* Its one write: a compare-and-set for the row that was judged.  0, or -errno: whether it was done
 * is not known then, unless record_unsent. */
int record_act_put(struct record_task *t) MUST_CHECK;

/* Takes record.lock, within a second at the most; as helper_lock. */
bool record_act_lock(const struct cfg *cfg, int *lock, struct verdict *verdict) MUST_CHECK;

/* Notes how a release by the guard ended.  True: the same was told before, and says nothing new. */
bool record_act_is_told(const struct cfg *cfg, const struct verdict *verdict);

/*
 * The release by a process that is there already, over a connection that was kept (pg_keep): by the
 * same rules and under the same locks as "witness_record --release --auto", and told like it.
 */
void record_release_now(const struct cfg *cfg);

#endif
