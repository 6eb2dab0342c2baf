/* SPDX-License-Identifier: PostgreSQL */
/*
 * Making this node harmless, now: what the guard does at its deadline and fence_self does when
 * asked. It needs no SQL, no other program and no other process of ours to be alive.
 */
#ifndef PGV_HARMLESS_H
#define PGV_HARMLESS_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/deadline.h"
#include "base/verdict.h"
#include "config/cfg.h"
#include "node/mark.h"

struct harmless {
	const char *reason; /* for the mark, the log and the history */
	enum fenced_by by;
	bool stay_down; /* leave the fenced mark; false after a crash that may end in a restart here
			 */
};

/*
 * In this order: clients are shut out by the kernel, the mark (so that nothing starts the server
 * again), the track files (VIP and election leave), a reset for every client connection, the VIP
 * itself, the server, a look that nothing of it is left.  No step that fails keeps the next from
 * being done.
 * Returns 0 when no process of the data directory is left and, with stay_down, the mark stands;
 * -errno when that is not proven.  The verdict is filled in either case.
 */
int harmless_make(const struct cfg *cfg, const struct harmless *how, const struct deadline *dl,
		  struct verdict *verdict) MUST_CHECK;

#endif
