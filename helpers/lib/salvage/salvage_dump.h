/* SPDX-License-Identifier: PostgreSQL */
/* pg_waldump(1), line by line: nothing of it is kept, in memory or on disk. */
#ifndef PGV_SALVAGE_DUMP_H
#define PGV_SALVAGE_DUMP_H

#include "base/deadline.h"
#include "config/cfg.h"
#include "salvage/salvage_line.h"

struct dump_range {
	uint32_t timeline;
	uint64_t begin;
	uint64_t end; /* records that begin there are not read any more; 0: to the end of the WAL */
};

struct dump {
	const struct cfg *cfg;
	const struct deadline *dl;
	int (*take)(void *arg, const struct wal_line *line); /* 0, or -errno: it ends there */
	void *arg;

	/* what became of it, over all ranges */
	int64_t records;
	int64_t strange;        /* lines that were not understood */
	char strange_line[160]; /* the first of them */
	uint64_t last;          /* the last record: where it begins */
	uint32_t last_bytes;    /* and its length */
	char why[200];          /* what pg_waldump said at its end */
};

/*
 * Reads one range.  0 also when pg_waldump ended by saying that it found no further record, which
 * is how WAL ends: whether that is the end, the caller knows.  -ENOENT: pg_waldump is not there;
 * -ETIMEDOUT; -errno.
 */
int dump_range(struct dump *dump, const struct dump_range *range) MUST_CHECK;

#endif
