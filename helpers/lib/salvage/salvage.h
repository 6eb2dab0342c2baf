/* SPDX-License-Identifier: PostgreSQL */
/* Keeping what diverged, before it is overwritten: the WAL, and a report of what is in it. */
#ifndef PGV_SALVAGE_H
#define PGV_SALVAGE_H

#include "base/deadline.h"
#include "postgres/history_file.h"
#include "salvage/salvage_shelf.h"

struct salvage_job {
	const struct cfg *cfg;
	const struct deadline *dl;
	const struct history_file *ours; /* ends with the timeline of the data */
	uint64_t system_identifier;
	uint64_t fork;           /* 0: not known, then everything that is there */
	uint64_t checkpoint;     /* a record is known to begin there; 0: none */
	uint64_t reached;        /* and the WAL to go on to there at least */
	uint32_t their_timeline; /* 0: not known */
	bool standby;            /* the data is a standby's */
	bool wal_optional;       /* no room for the WAL: the report alone will do */
};

/*
 * Makes one, or finds one that holds all that this would.  Can be killed at any line.  0 with
 * *salvage filled; else -errno with a sentence in why, and nothing is left behind.
 */
int salvage_make(struct salvage *salvage, const struct salvage_job *job, char *why,
		 size_t size) MUST_CHECK;

#endif
