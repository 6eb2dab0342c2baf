/* SPDX-License-Identifier: PostgreSQL */
/*
 * Where salvages are kept: state_dir/salvage/TIME-TIMELINE-FORK/, only root's:
 * - report.txt, report.json: what was lost
 * - names.sql: which tables the numbers in them are; to be run on the new primary
 * - pg_wal/: the WAL itself
 * - summary: the same in a few lines, for our own programs
 * One that is not whole yet has a name that ends in .partial, and counts for nothing.
 */
#ifndef PGV_SALVAGE_SHELF_H
#define PGV_SALVAGE_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "config/cfg.h"
#include "node/path.h"

struct salvage {
	struct file_path path; /* of its directory; "" : none */
	uint64_t system_identifier;
	uint32_t timeline; /* of the data */
	uint64_t fork;     /* where what is kept begins */
	bool fork_known;   /* else it is only where the oldest WAL began */
	uint64_t last;     /* its last record */
	uint64_t end;      /* where that ends */
	int64_t bytes;     /* of WAL: end - fork */
	int64_t transactions;
	int64_t prepared; /* prepared, neither committed nor rolled back */
	bool wal_kept;
	bool whole; /* false: not all could be read; the report says what is missing */
};

/* Makes the directory of a new one, .partial, and fills salvage->path.  What others left unfinished
 * is removed.  0 or -errno. */
int shelf_begin(struct salvage *salvage, const struct cfg *cfg) MUST_CHECK;

/* All files are there and durable: writes the summary, makes it whole, fills salvage->path anew;
 * then removes the oldest beyond salvage_keep.  0 or -errno. */
int shelf_finish(struct salvage *salvage, const struct cfg *cfg) MUST_CHECK;

/* Removes an unfinished one.  Best effort. */
void shelf_drop(const struct salvage *salvage);

/* The newest whole one; with `like`, of that system, timeline and fork.  0, -ENOENT, -errno. */
int shelf_find(struct salvage *salvage, const struct cfg *cfg,
	       const struct salvage *like) MUST_CHECK;

#endif
