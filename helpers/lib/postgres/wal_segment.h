/* SPDX-License-Identifier: PostgreSQL */
/* The files of pg_wal. */
#ifndef PGV_WAL_SEGMENT_H
#define PGV_WAL_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

/* TIMELINE, and two halves of a number: eight hexadecimal digits each. */
#define WAL_SEGMENT_NAME 24

/* Size of the file when its name and its size are those of a segment; 0: they are not, or it is not
 * there. */
int64_t wal_segment_size(int directory, const char *name);

/* Is it the name of a timeline's history, such as 00000002.history? */
bool wal_is_history(const char *name);

#endif
