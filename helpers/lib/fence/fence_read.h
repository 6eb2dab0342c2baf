/* SPDX-License-Identifier: PostgreSQL */
/* Reads the answer of a way over ssh.  Only fence.c calls this. */
#ifndef PGV_FENCE_READ_H
#define PGV_FENCE_READ_H

#include "config/cfg.h"
#include "fence/fence.h"

/* The verdict of a way that has ended, or whose time is over; fence->why[way] says why. */
enum fence_verdict fence_read(struct fence *fence, const struct cfg *cfg, enum fence_way way);

#endif
