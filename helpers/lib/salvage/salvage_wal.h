/* SPDX-License-Identifier: PostgreSQL */
/* The WAL files of the data directory that hold what diverged. */
#ifndef PGV_SALVAGE_WAL_H
#define PGV_SALVAGE_WAL_H

#include "base/deadline.h"
#include "config/cfg.h"
#include "postgres/history_file.h"
#include "salvage/salvage_dump.h"

/* Timelines that one divergence goes through: promoted so often without ever being joined. */
#define WAL_RANGES_MAX 16

struct wal_span {
	int64_t segment_bytes;
	uint64_t fork;  /* 0: not known, then it begins with the oldest WAL there is */
	uint64_t begin; /* what is read: from before the fork, because transactions began there */
	size_t count;
	struct dump_range ranges[WAL_RANGES_MAX]; /* oldest first; the first begins at `begin` */
};

/*
 * Finds what to read: our timelines from the fork on (`ours` ends with the one of the data).
 * back_bytes: so much before the fork is to be read too, as far as it is there.  0; -ENODATA: the
 * WAL from the fork on is not there; -E2BIG; -errno.
 */
int wal_span_find(struct wal_span *span, const struct cfg *cfg, const struct history_file *ours,
		  uint64_t fork, int64_t back_bytes) MUST_CHECK;

/* Where the record at lsn ends: the next one begins there. */
uint64_t wal_record_end(uint64_t lsn, uint32_t bytes, int64_t segment_bytes);

/*
 * Is there WAL of ours beyond a gap, so that `end` is none?  1, 0, or -errno.  A file is only begun
 * when the one before it is on disk as a whole, so no crash leaves that.
 */
int wal_span_goes_on(const struct wal_span *span, const struct cfg *cfg, uint64_t end) MUST_CHECK;

/* Bytes of the files that hold the WAL from the fork to `end`. */
int64_t wal_span_bytes(const struct wal_span *span, uint64_t end);

/* Copies them, and the history files of their timelines, into the directory `to`, durably.  0 or
 * -errno. */
int wal_span_copy(const struct wal_span *span, const struct cfg *cfg, uint64_t end, int to,
		  const struct deadline *dl) MUST_CHECK;

#endif
