/* SPDX-License-Identifier: PostgreSQL */
/*
 * Two nodes that fence each other over ssh at the same moment: one has to be left.  Who fences says
 * so in run_dir first; when the other one's request comes meanwhile, the first node of the
 * configuration does not obey it.  And who was fenced by the other one does not fence it.
 */
#ifndef PGV_FENCE_MUTUAL_H
#define PGV_FENCE_MUTUAL_H

#include <stdbool.h>

#include "base/auto.h"
#include "config/cfg.h"

/* Before the other node is asked in earnest.  *held is a descriptor to be kept while it goes on, -1
 * when another run here does so already.  0; -EPERM: the other node has fenced this one, or may
 * have; -ETIMEDOUT: it is just being made harmless; another -errno. */
int fence_mutual_begin(const struct cfg *cfg, int *held) MUST_CHECK;
/* When it is over; closes *held.  fenced: the other one is, but what it had asked before may still
 * be on its way. */
void fence_mutual_end(const struct cfg *cfg, int *held, bool fenced);

/*
 * At the other end, when this node is to be made harmless: takes the lock that holds back a
 * fence_mutual_begin, to be kept until this is done.  0 or -errno, which is no reason to refuse.
 */
int fence_mutual_lock(const struct cfg *cfg, int *lock) MUST_CHECK;
/* Is this node just fencing the one that asks, and does it come first? */
bool fence_mutual_wins(const struct cfg *cfg);

#endif
