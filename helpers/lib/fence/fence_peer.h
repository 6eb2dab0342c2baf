/* SPDX-License-Identifier: PostgreSQL */
/* A request to the other node over the forced command of fencing. */
#ifndef PGV_FENCE_PEER_H
#define PGV_FENCE_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/proc.h"
#include "config/cfg.h"
#include "fence/fence_answer.h"

/*
 * Begins to ask by one way; proc_wait waits for the end of it.  Then child->output has what the
 * other node printed, and child->errors what ssh says.  window_ms: how long the other node may
 * wait, where `ask` knows that.  0 or -errno.
 */
int fence_peer_ask(struct proc *child, const struct cfg *cfg, bool through_witness,
		   enum fence_ask ask, int64_t window_ms) MUST_CHECK;

#endif
