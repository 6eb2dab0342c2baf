/* SPDX-License-Identifier: PostgreSQL */
/*
 * Timeline history files (pg_wal/00000002.history): from which timeline, and where, a timeline
 * branched off.  Pure.
 */
#ifndef PGV_HISTORY_FILE_H
#define PGV_HISTORY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

/* One promotion is one line; a cluster that has more is refused, not cut short. */
#define HISTORY_FILE_ENTRIES 1024
#define HISTORY_FILE_MAX     (64 * 1024)
#define HISTORY_FILE_OPEN    UINT64_MAX

struct history_entry {
	uint32_t timeline;
	uint64_t begin; /* where it branched off its parent; 0 for the first */
	uint64_t end;   /* where the next one branched off; HISTORY_FILE_OPEN for the last */
};

struct history_file {
	size_t count; /* 0: not known */
	struct history_entry entries[HISTORY_FILE_ENTRIES];
};

/*
 * Reads the content of the history file of `timeline` ("" for timeline 1, which has none): the
 * parents, oldest first, then the timeline itself.  Timelines ascend, each line has a location, as
 * PostgreSQL wants it; and what was torn is no history: the last line ends, and a timeline after
 * the first has parents.  0, -EINVAL, -E2BIG.
 */
int history_file_parse(struct history_file *history, uint32_t timeline,
		       const char *text) MUST_CHECK;

/*
 * Where two histories part, as pg_rewind(1) finds it: the newest timeline that both have with the
 * same begin, and the first location at which one of them left it (HISTORY_FILE_OPEN when neither
 * did: the two are the same).  0, or -ENOENT when they have nothing in common.
 */
int history_file_fork(const struct history_file *a, const struct history_file *b,
		      uint32_t *timeline, uint64_t *fork) MUST_CHECK;

#endif
