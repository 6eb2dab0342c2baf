/* SPDX-License-Identifier: PostgreSQL */
/* The files of pg_wal. */
#ifndef PGV_WAL_SEGMENT_H
#define PGV_WAL_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"

/* TIMELINE, and two halves of a number: eight hexadecimal digits each. */
#define WAL_SEGMENT_NAME 24

/* Size of the file when its name and its size are those of a segment; 0: they are not, or it is not
 * there. */
int64_t wal_segment_size(int directory, const char *name);

struct wal_name {
	char text[WAL_SEGMENT_NAME + 1];
};

/* The name of the segment with this number, counted from the beginning of all WAL: that of an LSN
 * is LSN / bytes, the size of a segment. */
struct wal_name wal_segment_name(uint32_t timeline, uint64_t number, int64_t bytes);

/* The same backwards; false when it is no name of a segment. */
bool wal_segment_parse(const char *name, int64_t bytes, uint32_t *timeline,
		       uint64_t *number) MUST_CHECK;

/* Is it the name of a timeline's history, such as 00000002.history? */
bool wal_is_history(const char *name);

/* The name of a timeline's history file. */
struct wal_name wal_history_name(uint32_t timeline);

#endif
