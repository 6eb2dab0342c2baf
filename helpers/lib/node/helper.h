/* SPDX-License-Identifier: PostgreSQL */
/*
 * The one beginning and the one end of a helper.  Each main reads: cli_parse, helper_begin, its own
 * run (which takes a lock, gathers, decides, acts), helper_end.
 */
#ifndef PGV_HELPER_H
#define PGV_HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/cli.h"
#include "base/verdict.h"
#include "config/cfg.h"
#include "node/path.h"

/* Requirements of a run; each includes all before it. */
enum helper_needs {
	HELPER_CONFIG,      /* the configuration: all that there is on a witness host */
	HELPER_NODE,        /* which node this is */
	HELPER_TRIES_FILES, /* the directories of its files; a failure is told and passed over */
	HELPER_FILES,       /* the same, and there is no run without them */
};

/* False: *verdict says what is missing, and nothing was done. */
bool helper_begin(struct cfg *cfg, const struct cli *cli, enum helper_needs needs,
		  struct verdict *verdict) MUST_CHECK;

/* False: another run held the lock all the time, and *verdict is what it was; or the lock could not
 * be taken, and *verdict says why. */
bool helper_lock(int *fd, const struct cfg *cfg, enum node_lock lock, int64_t wait_ms,
		 struct verdict *verdict) MUST_CHECK;

/* Is it worth a note?  A dry run has tried nothing, nor has a run that left it to another one. */
bool helper_has_tried(const struct cli *cli, const struct verdict *verdict);

/* The exit code, behind the one verdict line; without it when the log was told already. */
int helper_end(const struct cli *cli, const struct verdict *verdict, bool told);

#endif
